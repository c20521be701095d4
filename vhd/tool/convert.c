// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * convert: a new image of another kind with the same contents.
 *
 * What only other programs know, qcow2 and its like, is turned into a raw file without a name by
 * qemu-img, or from one; pipes are as well where an image wants to be written out of order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../../base/parse.h"
#include "tool.h"

struct convert_target {
	struct disk_words words; /* first, see disk_add_folder() */
	struct shape shape;
	const char *format;
	uint64_t size;
	bool keep_id, force;
};

static const struct opt convert_options[] = {
	{ "format", 0, OPT_STRING, "FORMAT",
	  "of the source: " DISK_FORMAT_HELP "; qcow2, vmdk, vdi, vhdx by qemu-img",
	  offsetof(struct convert_target, format), 0, 0, NULL },
	SHAPE_OPTIONS(struct convert_target, shape),
	{ "size", 0, OPT_SIZE, "SIZE", "of the new disk, if it is to be larger",
	  offsetof(struct convert_target, size), 0, 0, NULL },
	{ "keep-id", 0, OPT_FLAG, NULL, "the new disk has the id of the old one, which goes away",
	  offsetof(struct convert_target, keep_id), 0, 0, NULL },
	{ "force", 'f', OPT_FLAG, NULL, "replace a file that exists and is not in use",
	  offsetof(struct convert_target, force), 0, 0, NULL },
	DISK_OPTIONS(struct convert_target, words),
	OPT_END,
};

static const char *const foreign_types[] = { "qcow2", "vmdk", "vdi", "vhdx" };

static bool is_foreign(const char *type)
{
	return type && index_of(foreign_types, ARRAY_LEN(foreign_types), type) >= 0;
}

static bool is_pipe(const char *path)
{
	return !strcmp(path, "-");
}

/* --- the source: what is opened, and a file without a name that it may be in */

struct source {
	struct disk disk;
	int scratch;
	char scratch_path[32];
};

static int require_qemu_img(const char *path, const char *format)
{
	if (have_program("qemu-img"))
		return 0;
	return fail("%s: %s images are converted by qemu-img, which is not installed; its Debian "
		    "package is qemu-utils",
		    path, format);
}

/* Turns an image that qemu-img knows into a raw one. */
static int import_foreign(struct source *source, const char *path, const char *format,
			  const char *near)
{
	const char *argv[] = { "qemu-img", "convert", "-f", format, "-O", "raw", path, NULL, NULL };
	int status = require_qemu_img(path, format);

	if (status != 0)
		return status;
	source->scratch = scratch_open(near, source->scratch_path);
	if (source->scratch < 0)
		return EXIT_FAILURE;
	argv[7] = source->scratch_path;
	return run_program(argv);
}

static int spool_pipe(struct source *source, const char *near)
{
	source->scratch = scratch_open(near, source->scratch_path);
	if (source->scratch < 0)
		return EXIT_FAILURE;
	return stream_file(STDIN_FILENO, "standard input", source->scratch, source->scratch_path);
}

/* The foreign format that the source is in, by its name or its first bytes; NULL: none. */
static const char *foreign_source(const char *path, const char *format)
{
	const char *found;
	int fd;

	if (is_foreign(format))
		return format;
	if (format && strcmp(format, "auto"))
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL; /* opening it for good tells why */
	found = disk_foreign_format(fd);
	fd_close(fd);
	return found;
}

static int open_source(struct source *source, const struct convert_target *target, const char *path,
		       const char *near)
{
	struct disk_options options = { .read_only = true, .words = &target->words };
	const char *format = target->format, *foreign;
	int status = 0;

	*source = (struct source){ .scratch = -1 };
	if (is_pipe(path)) {
		status = spool_pipe(source, near);
		path = source->scratch_path;
	}
	foreign = status == 0 ? foreign_source(path, format) : NULL;
	if (foreign) {
		int pipe = source->scratch;

		status = import_foreign(source, path, foreign, near);
		path = source->scratch_path;
		format = "raw";
		fd_close(pipe);
	}
	if (status == 0)
		status = disk_format_of(format, &options.format);
	return status == 0 ? disk_open(&source->disk, path, &options) : status;
}

static void close_source(struct source *source)
{
	disk_drop(&source->disk);
	source->scratch = fd_close(source->scratch);
}

/* --- the target */

/* Copies into the image in @fd, which is new. */
static int copy_into(struct vhd *from, int fd, const char *path, bool raw)
{
	const struct vhd_file file = { .fd = fd, .name = file_name(path), .raw = raw };
	struct progress progress;
	struct vhd_copy_options options = {
		.target_is_empty = true,
		.job = { progress_report, &progress },
	};
	char error[VHD_ERROR_BYTES];
	struct vhd *to;
	int r, status;

	if (vhd_open(&file, 1, NULL, &to, error, sizeof(error)) < 0)
		return fail("%s", error);
	progress_begin(&progress, "converting");
	r = vhd_copy(from, to, &options, error, sizeof(error));
	progress_end(&progress);
	status = r < 0 ? fail("%s", error) : 0;
	if (status == 0 && vhd_finish(to) < 0)
		status = fail("%s", vhd_error(to));
	vhd_free(to);
	return status;
}

static int make_raw(struct vhd *from, int fd, const char *path, uint64_t bytes)
{
	if (ftruncate(fd, (off_t)bytes) < 0)
		return fail("%s: %s", path, strerror(errno));
	return copy_into(from, fd, path, true);
}

static int make_foreign(struct vhd *from, const struct output *output, const char *type,
			uint64_t bytes)
{
	char scratch_path[32];
	const char *argv[] = { "qemu-img", "convert",	      "-f", "raw", "-O", type,
			       NULL,	   output->temporary, NULL };
	int fd, status = require_qemu_img(output->path, type);

	if (status != 0)
		return status;
	fd = scratch_open(output->path, scratch_path);
	if (fd < 0)
		return EXIT_FAILURE;
	argv[6] = scratch_path;
	status = make_raw(from, fd, output->path, bytes);
	if (status == 0)
		status = run_program(argv);
	fd_close(fd);
	return status;
}

static int make_vhd(struct vhd *from, const struct output *output, const struct shape *shape,
		    const struct vhd_create_options *options)
{
	int status = shape_create(output, options);

	if (status == 0)
		status = copy_into(from, output->fd, output->path, false);
	return status == 0 ? shape_finish(output, shape) : status;
}

/* A fixed disk's last sector, which is the same wherever the disk is made. */
static int write_footer(const struct vhd_create_options *options)
{
	struct output memory = { .fd = memfd_create("footer", MFD_CLOEXEC),
				 .path = "standard output" };
	uint8_t footer[VHD_SECTOR_BYTES];
	int r, status;

	if (memory.fd < 0)
		return fail("standard output: %s", strerror(errno));
	status = shape_create(&memory, options);
	if (status == 0) {
		r = fd_pread_full(memory.fd, footer, sizeof(footer), options->size_bytes);
		if (r == 0)
			r = fd_write_full(STDOUT_FILENO, footer, sizeof(footer));
		if (r < 0)
			status = fail("standard output: %s", strerror(-r));
	}
	fd_close(memory.fd);
	return status;
}

/* Zeros that a larger disk has behind the old one's end. */
static int pad_output(uint64_t bytes)
{
	static const uint8_t zeros[65536];
	int r = 0;

	while (bytes && r == 0) {
		size_t n = (size_t)min_u64(bytes, sizeof(zeros));

		r = fd_write_full(STDOUT_FILENO, zeros, n);
		bytes -= n;
	}
	return r < 0 ? fail("standard output: %s", strerror(-r)) : 0;
}

static int make_dynamic_pipe(struct source *source, const struct vhd_create_options *options)
{
	struct output scratch = { .path = "/var/tmp/standard-output" };
	char path[32];
	int status;

	scratch.fd = scratch_open(scratch.path, path);
	if (scratch.fd < 0)
		return EXIT_FAILURE;
	status = shape_create(&scratch, options);
	if (status == 0)
		status = copy_into(source->disk.vhd, scratch.fd, "standard output", false);
	if (status == 0 && lseek(scratch.fd, 0, SEEK_SET) < 0)
		status = fail("%s: %s", path, strerror(errno));
	if (status == 0)
		status = stream_file(scratch.fd, path, STDOUT_FILENO, "standard output");
	fd_close(scratch.fd);
	return status;
}

/* Raw and fixed disks go out in one pass. */
static int convert_to_pipe(struct source *source, const struct vhd_create_options *options,
			   bool raw)
{
	uint64_t bytes = vhd_size_bytes(source->disk.vhd);
	int status;

	if (!raw && options->type == VHD_DYNAMIC)
		return make_dynamic_pipe(source, options);
	status = stream_out(&source->disk, 0, bytes, STDOUT_FILENO, "standard output");
	if (status == 0)
		status = pad_output(options->size_bytes - bytes);
	return status == 0 && !raw ? write_footer(options) : status;
}

static int convert_to_file(struct source *source, const struct convert_target *target,
			   const char *path, const struct vhd_create_options *options)
{
	const char *type = target->shape.type;
	struct vhd *from = source->disk.vhd;
	struct output output;
	int status = output_open(&output, path, target->force);

	if (status == 0 && is_foreign(type))
		status = make_foreign(from, &output, type, options->size_bytes);
	else if (status == 0 && type && !strcmp(type, "raw"))
		status = make_raw(from, output.fd, path, options->size_bytes);
	else if (status == 0)
		status = make_vhd(from, &output, &target->shape, options);
	if (status == 0 && type && !strcmp(type, "raw"))
		status = shape_finish(&output, &target->shape);
	if (status == 0)
		status = output_commit(&output, true);
	output_discard(&output);
	return status;
}

/* What the new disk is to be; size_bytes is set for those that are no VHD, too. */
static int plan(const struct convert_target *target, struct vhd *from,
		struct vhd_create_options *ret_options)
{
	uint64_t have = vhd_size_bytes(from), bytes = max_u64(have, target->size);
	const char *type = target->shape.type;
	struct shape shape = target->shape;
	int status;

	if (target->size && target->size < have)
		return fail_usage("--size %llu: the disk has %llu bytes; none of them are cut off",
				  (unsigned long long)target->size, (unsigned long long)have);
	if (type && (!strcmp(type, "raw") || is_foreign(type))) {
		if (shape.consumer || shape.block_bytes)
			return fail_usage("--type %s: --for and --block-size are for VHD only",
					  type);
		shape.type = "fixed";
	} else if (type && strcmp(type, "fixed") && strcmp(type, "dynamic")) {
		return fail_usage("--type %s: give dynamic, fixed, raw, qcow2, vmdk, vdi or vhdx",
				  type);
	}
	status = shape_resolve(&shape, bytes, ret_options);
	if (status == 0 && ret_options->size_bytes < have)
		status = fail_usage("--size-policy %s: would cut off %llu bytes of the disk; "
				    "chs-up rounds up",
				    shape.size_policy,
				    (unsigned long long)(have - ret_options->size_bytes));
	/* The smallest that can be made; zeros follow. */
	if (status == 0 && ret_options->size_bytes < VHD_SIZE_MIN && shape.type == type)
		ret_options->size_bytes = VHD_SIZE_MIN;
	return status;
}

static int run_convert(void *opaque, int count, char **arguments)
{
	const struct convert_target *target = opaque;
	const char *from = arguments[0], *to = arguments[1];
	const char *type = target->shape.type;
	struct vhd_create_options options;
	struct vhd_info info;
	struct source source;
	int status;

	(void)count;
	if (is_pipe(to) && is_foreign(type))
		return fail_usage("--type %s: cannot go to standard output; give a file", type);
	status = open_source(&source, target, from, is_pipe(to) ? "/var/tmp/" : to);
	if (status == 0)
		status = plan(target, source.disk.vhd, &options);
	if (status == 0) {
		vhd_get_info(source.disk.vhd, &info);
		if (target->keep_id && info.type == VHD_RAW)
			status = fail_usage("--keep-id: %s is a raw disk and has none", from);
		if (target->keep_id)
			options.id = info.id;
	}
	if (status == 0)
		status = is_pipe(to)
				 ? convert_to_pipe(&source, &options, type && !strcmp(type, "raw"))
				 : convert_to_file(&source, target, to, &options);
	close_source(&source);
	return status;
}

int convert_chain(const struct disk_words *words, char *from, char *to, bool force)
{
	struct convert_target target = { .words = *words, .format = "vhd", .force = force };
	char *arguments[] = { from, to };

	return run_convert(&target, 2, arguments);
}

const struct verb verb_convert = {
	.name = "convert",
	.arguments = "SOURCE TARGET",
	.summary = "make a disk of another kind with the same contents",
	.details = "Reads raw images and all kinds of VHD, with their parents; makes dynamic "
		   "(default), fixed\n"
		   "and raw disks. qcow2, vmdk, vdi and vhdx are read and made by qemu-img if it "
		   "is there.\n"
		   "\"-\" is standard input or output. Zeros take no space. No data is ever cut "
		   "off.\n",
	.examples = "  mainstay-vhd convert disk.img nt4.vhd\n"
		    "  mainstay-vhd convert --type raw undo.vud disk.img\n"
		    "  mainstay-vhd convert --for azure nt4.vhd upload.vhd\n"
		    "  mainstay-vhd convert old.vmdk new.vhd\n"
		    "  ssh host cat disk.img | mainstay-vhd convert --format raw - nt4.vhd\n",
	.options = convert_options,
	.target_bytes = sizeof(struct convert_target),
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_convert,
};
