// SPDX-License-Identifier: GPL-2.0-or-later
/* create: an empty disk, a child of another disk, or a link to a device of the host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../base/fdio.h"
#include "../../base/parse.h"
#include "tool.h"

struct create_target {
	struct shape shape;
	const char *parent, *parent_format, *device;
	bool read_only, force;
};

static const struct opt create_options[] = {
	SHAPE_OPTIONS(struct create_target, shape),
	{ "parent", 'p', OPT_STRING, "FILE",
	  "make a differencing disk: what is not written to it is read from FILE",
	  offsetof(struct create_target, parent), 0, 0, NULL },
	{ "parent-format", 0, OPT_STRING, "FORMAT", "of the parent: " DISK_FORMAT_HELP,
	  offsetof(struct create_target, parent_format), 0, 0, NULL },
	{ "device", 0, OPT_STRING, "DEVICE",
	  "make a linked disk: a device of the host, by its name below /dev/disk/",
	  offsetof(struct create_target, device), 0, 0, NULL },
	{ "read-only", 0, OPT_FLAG, NULL, "with --device: never write to it",
	  offsetof(struct create_target, read_only), 0, 0, NULL },
	{ "force", 'f', OPT_FLAG, NULL, "replace a file that exists and is not in use",
	  offsetof(struct create_target, force), 0, 0, NULL },
	OPT_END,
};

static int make(const char *path, const struct create_target *target,
		const struct vhd_create_options *options)
{
	struct output output;
	int status = output_open(&output, path, target->force);

	if (status == 0)
		status = shape_create(&output, options);
	if (status == 0)
		status = shape_finish(&output, &target->shape);
	/* An empty disk holds nothing that could be lost, but what it replaces does. */
	if (status == 0)
		status = output_commit(&output, target->force);
	output_discard(&output);
	return status;
}

static int create_empty(const struct create_target *target, const char *path, const char *size)
{
	struct vhd_create_options options;
	char text[16];
	uint64_t bytes;
	int status;

	if (!size)
		return fail_usage("create: give FILE SIZE; only a disk with --parent or --device "
				  "has its size from there");
	if (parse_size(size, &bytes) < 0)
		return fail_usage("%s: not a size; give for example 8G or 504M", size);
	status = shape_resolve(&target->shape, bytes, &options);
	if (status == 0)
		status = make(path, target, &options);
	if (status != 0)
		return status;
	format_size(options.size_bytes, text);
	say(path, "%s disk of %s (%llu bytes)", vhd_type_name(options.type), text,
	    (unsigned long long)options.size_bytes);
	return EXIT_SUCCESS;
}

/* --- children */

static int make_child(const struct create_target *target, const char *path,
		      const struct vhd_parent_reference *reference)
{
	const struct vhd_create_options options = {
		.type = VHD_DIFFERENCING,
		.size_bytes = reference->size_bytes,
		/* Others expect the parent's. */
		.block_bytes = target->shape.block_bytes ? (uint32_t)target->shape.block_bytes
							 : reference->block_bytes,
		.parent = &reference->parent,
	};
	char text[16];
	int status = make(path, target, &options);

	if (status != 0)
		return status;
	format_size(options.size_bytes, text);
	say(path, "differencing disk of %s (%llu bytes), child of %s", text,
	    (unsigned long long)options.size_bytes, target->parent);
	return EXIT_SUCCESS;
}

static int create_child(const struct create_target *target, const char *path)
{
	const struct shape *shape = &target->shape;
	struct disk_options options = { .read_only = true };
	struct vhd_parent_reference *reference;
	const struct vhd_file *file;
	char error[VHD_ERROR_BYTES];
	struct disk parent;
	int status = disk_format_of(target->parent_format, &options.format);

	if (status == 0 && (shape->type || shape->consumer || shape->size_policy))
		status = fail_usage("--parent: the disk is a differencing one of the parent's "
				    "size; leave out --type, --for and --size-policy");
	/* With its own parents: a child of what cannot be read is of no use. */
	if (status == 0)
		status = disk_open(&parent, target->parent, &options);
	if (status != 0)
		return status;
	file = &parent.chain.files[0];
	reference = malloc(sizeof(*reference));
	if (!reference)
		status = fail("out of memory");
	else if (vhd_refer_to_parent(file->fd, target->parent, file->raw, path, reference, error,
				     sizeof(error)) < 0)
		status = fail("%s", error);
	else
		status = make_child(target, path, reference);
	free(reference);
	disk_drop(&parent);
	return status;
}

int create_child_of(const char *parent, const char *path)
{
	const struct create_target target = { .parent = parent, .parent_format = "vhd" };

	return create_child(&target, path);
}

/* --- linked disks, see vhd_chain.h */

static int create_linked(const struct create_target *target, const char *path)
{
	char text[VHD_PATH_BYTES + 64];
	struct output output;
	int n, r, status;

	if (strncmp(target->device, "/dev/disk/", 10) || strpbrk(target->device, "\r\n"))
		return fail_usage("--device %s: give a name below /dev/disk/, such as one in "
				  "/dev/disk/by-id, which stays the same",
				  target->device);
	n = snprintf(text, sizeof(text), "mainstay linked disk 1\ndevice %s\n%s", target->device,
		     target->read_only ? "readonly\n" : "");
	if (n >= (int)sizeof(text))
		return fail_usage("--device: the name is too long");
	status = output_open(&output, path, target->force);
	if (status == 0) {
		r = fd_write_full(output.fd, text, (size_t)n);
		if (r < 0)
			status = fail("%s: %s", path, strerror(-r));
	}
	if (status == 0)
		status = output_commit(&output, target->force);
	output_discard(&output);
	if (status == 0)
		say(path, "disk linked to %s%s", target->device,
		    target->read_only ? ", read-only" : "");
	return status;
}

static int run_create(void *opaque, int count, char **arguments)
{
	const struct create_target *target = opaque;
	const char *path = arguments[0], *size = count > 1 ? arguments[1] : NULL;

	if (target->parent && target->device)
		return fail_usage("--parent and --device: give one of them");
	if (target->parent_format && !target->parent)
		return fail_usage("--parent-format: is for --parent");
	if (target->read_only && !target->device)
		return fail_usage("--read-only: is for --device");
	if (!target->parent && !target->device)
		return create_empty(target, path, size);
	if (size)
		return fail_usage("%s: a size is not given with --%s, which has one", size,
				  target->parent ? "parent" : "device");
	return target->parent ? create_child(target, path) : create_linked(target, path);
}

const struct verb verb_create = {
	.name = "create",
	.arguments = "FILE [SIZE]",
	.summary = "make an empty disk, a child of another one, or a link to a device",
	.details = "A child has its parent's size. Undo disks are children called .vud.\n",
	.examples = "  mainstay-vhd create nt4.vhd 4G\n"
		    "  mainstay-vhd create --type fixed --preallocate data.vhd 504M\n"
		    "  mainstay-vhd create --for virtualpc old.vhd 8G\n"
		    "  mainstay-vhd create --parent nt4.vhd undo.vud\n"
		    "  mainstay-vhd create --device /dev/disk/by-id/ata-WDC_1234 linked.vhd\n",
	.options = create_options,
	.target_bytes = sizeof(struct create_target),
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_create,
};
