// SPDX-License-Identifier: GPL-2.0-or-later
/* resize: a disk becomes larger where it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../base/fdio.h"
#include "../../base/parse.h"
#include "tool.h"

struct resize_target {
	bool preallocate, ignore_children;
};

static const struct opt resize_options[] = {
	{ "preallocate", 0, OPT_FLAG, NULL, "reserve the space that is added to a fixed disk",
	  offsetof(struct resize_target, preallocate), 0, 0, NULL },
	CHILDREN_OPTION(struct resize_target, ignore_children),
	OPT_END,
};

/* "8G", or "+2G" more than it has. */
static int read_size(const char *text, uint64_t now, uint64_t *ret_bytes)
{
	bool more = text[0] == '+';
	uint64_t bytes;

	if (parse_size(text + more, &bytes) < 0 ||
	    (more && __builtin_add_overflow(bytes, now, &bytes)))
		return fail_usage("%s: not a size; give for example 8G, or +2G for 2G more", text);
	*ret_bytes = bytes;
	return 0;
}

static int resize_file(const struct resize_target *target, const char *path,
		       const struct vhd_file *file, const char *size)
{
	char error[VHD_ERROR_BYTES], text[16];
	struct vhd_info info;
	uint64_t bytes;
	int r, status;

	if (vhd_probe(file, &info, error, sizeof(error)) < 0)
		return fail("%s", error);
	status = read_size(size, info.current_bytes, &bytes);
	if (status == 0 && !target->ignore_children && bytes != info.current_bytes)
		status = refuse_children(path, info.id, NULL, "resizing it");
	if (status != 0)
		return status;
	if (vhd_resize(file, bytes, error, sizeof(error)) < 0)
		return fail("%s", error);
	if (target->preallocate && info.type == VHD_FIXED) {
		r = posix_fallocate(file->fd, 0, (off_t)bytes);
		if (r)
			return fail("%s: has its new size, but no space could be reserved: %s",
				    path, strerror(r));
	}
	format_size(bytes, text);
	say(path, "%s disk of %s (%llu bytes)", vhd_type_name(info.type), text,
	    (unsigned long long)bytes);
	return EXIT_SUCCESS;
}

static int run_resize(void *opaque, int count, char **arguments)
{
	const char *path = arguments[0];
	struct vhd_file file = { .name = file_name(path) };
	int r, status;

	(void)count;
	file.fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (file.fd < 0)
		return fail("%s: %s", path, strerror(errno));
	r = vhd_lock(file.fd, true);
	if (r == -EBUSY)
		status = fail("%s: is in use by another program", path);
	else if (r < 0)
		status = fail("%s: cannot be locked: %s", path, strerror(-r));
	else
		status = resize_file(opaque, path, &file, arguments[1]);
	fd_close(file.fd);
	return status;
}

const struct verb verb_resize = {
	.name = "resize",
	.arguments = "FILE SIZE",
	.summary = "make a fixed or dynamic disk larger",
	.details = "What is added reads as zeros; partitions and file systems are the guest's "
		   "affair.\n"
		   "A disk is never made smaller. Safe against a loss of power at any moment.\n",
	.examples = "  mainstay-vhd resize nt4.vhd 8G\n"
		    "  mainstay-vhd resize nt4.vhd +512M\n",
	.options = resize_options,
	.target_bytes = sizeof(struct resize_target),
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_resize,
};
