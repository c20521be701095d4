// SPDX-License-Identifier: GPL-2.0-or-later
/* read and write: bytes of a disk for scripts, from and to pipes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/parse.h"
#include "tool.h"

struct data_target {
	struct disk_words words; /* first, see disk_add_folder() */
	const char *format;
	uint64_t offset;
	const char *length; /* 0 is one, too */
	bool zeroes, ignore_children;
};

static const struct opt read_options[] = {
	{ "offset", 'o', OPT_SIZE, "SIZE", "where to begin (default 0)",
	  offsetof(struct data_target, offset), 0, 0, NULL },
	{ "length", 'l', OPT_STRING, "SIZE", "how much (default: up to the disk's end)",
	  offsetof(struct data_target, length), 0, 0, NULL },
	{ "format", 0, OPT_STRING, "FORMAT", DISK_FORMAT_HELP, offsetof(struct data_target, format),
	  0, 0, NULL },
	DISK_OPTIONS(struct data_target, words),
	OPT_END,
};

static const struct opt write_options[] = {
	{ "offset", 'o', OPT_SIZE, "SIZE", "where to begin (default 0)",
	  offsetof(struct data_target, offset), 0, 0, NULL },
	{ "length", 'l', OPT_STRING, "SIZE", "how much; the input must have it",
	  offsetof(struct data_target, length), 0, 0, NULL },
	{ "zeroes", 'z', OPT_FLAG, NULL, "write --length zeros, read no input",
	  offsetof(struct data_target, zeroes), 0, 0, NULL },
	{ "format", 0, OPT_STRING, "FORMAT", DISK_FORMAT_HELP, offsetof(struct data_target, format),
	  0, 0, NULL },
	CHILDREN_OPTION(struct data_target, ignore_children),
	DISK_OPTIONS(struct data_target, words),
	OPT_END,
};

/* The range that is meant; @ret_bytes is up to the disk's end without --length. */
static int read_range(const struct data_target *target, const struct disk *disk,
		      uint64_t *ret_bytes)
{
	uint64_t size = vhd_size_bytes(disk->vhd), bytes = 0;

	if (target->length && parse_size(target->length, &bytes) < 0)
		return fail_usage("--length %s: not a size; give for example 512 or 64K",
				  target->length);
	if (target->offset > size || bytes > size - target->offset)
		return fail("%s: %llu bytes from %llu on do not lie within the disk, which has "
			    "%llu",
			    disk->path, (unsigned long long)bytes,
			    (unsigned long long)target->offset, (unsigned long long)size);
	*ret_bytes = target->length ? bytes : size - target->offset;
	return 0;
}

static int run_read(void *opaque, int count, char **arguments)
{
	const struct data_target *target = opaque;
	struct disk_options options = { .read_only = true, .words = &target->words };
	struct disk disk;
	uint64_t bytes;
	int status = disk_format_of(target->format, &options.format);

	(void)count;
	if (status == 0)
		status = disk_open(&disk, arguments[0], &options);
	if (status != 0)
		return status;
	status = read_range(target, &disk, &bytes);
	if (status == 0)
		status = stream_out(&disk, target->offset, bytes, STDOUT_FILENO, "standard output");
	disk_drop(&disk);
	return status;
}

/* One byte more than fits must be noticed: what does not fit is never dropped. */
static int expect_end(const struct disk *disk)
{
	char byte;
	ssize_t n;

	do
		n = read(STDIN_FILENO, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail("standard input: %s", strerror(errno));
	return n ? fail("%s: the disk is full, and standard input has more", disk->path) : 0;
}

static int write_disk(const struct data_target *target, struct disk *disk)
{
	uint64_t bytes, done;
	int status = read_range(target, disk, &bytes);

	if (status != 0)
		return status;
	if (target->zeroes)
		return vhd_write_zeroes(disk->vhd, target->offset, bytes) < 0
			       ? fail("%s", vhd_error(disk->vhd))
			       : 0;
	status = stream_in(STDIN_FILENO, "standard input", disk, target->offset, bytes, false,
			   &done);
	if (status == 0 && target->length && done < bytes)
		return fail("standard input: ended after %llu of %llu bytes, which are written",
			    (unsigned long long)done, (unsigned long long)bytes);
	return status == 0 && !target->length ? expect_end(disk) : status;
}

static int run_write(void *opaque, int count, char **arguments)
{
	const struct data_target *target = opaque;
	struct disk_options options = { .words = &target->words };
	struct vhd_info info;
	struct disk disk;
	int closed, status = disk_format_of(target->format, &options.format);

	(void)count;
	if (status == 0 && target->zeroes && !target->length)
		status = fail_usage("--zeroes: give --length, too");
	if (status == 0)
		status = disk_open(&disk, arguments[0], &options);
	if (status != 0)
		return status;
	vhd_get_info(disk.vhd, &info);
	if (!target->ignore_children && info.type != VHD_RAW)
		status = refuse_children(disk.path, info.id, NULL, "writing to it");
	if (status == 0)
		status = write_disk(target, &disk);
	closed = disk_close(&disk);
	return status ? status : closed;
}

const struct verb verb_read = {
	.name = "read",
	.arguments = "FILE",
	.summary = "write a part of a disk to standard output",
	.examples = "  mainstay-vhd read --length 512 nt4.vhd >boot-record\n"
		    "  mainstay-vhd read --offset 1M nt4.vhd | sha256sum\n",
	.options = read_options,
	.target_bytes = sizeof(struct data_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_read,
};

const struct verb verb_write = {
	.name = "write",
	.arguments = "FILE",
	.summary = "write standard input to a part of a disk",
	.examples = "  mainstay-vhd write --length 446 nt4.vhd <boot-code\n"
		    "  mainstay-vhd write --offset 1M --length 64K --zeroes nt4.vhd\n",
	.options = write_options,
	.target_bytes = sizeof(struct data_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_write,
};
