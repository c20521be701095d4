// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../linked.h"
#include "tool.h"

const char disk_parent_help[] = "take this for its parent, whatever name it has recorded";
const char disk_folder_help[] = "look for parents there too; may be given several times";
const char disk_accept_help[] = "take a parent that has another id, at your own risk";
const char disk_size_help[] =
	"creator (default), current or chs: which of the two recorded sizes counts";

int disk_add_folder(void *target, const char *value, char *error, size_t error_size)
{
	struct disk_words *words = target;

	/* The last one stays NULL. */
	for (size_t i = 0; i < ARRAY_LEN(words->folders) - 1; i++) {
		if (!words->folders[i]) {
			words->folders[i] = value;
			return 0;
		}
	}
	snprintf(error, error_size, "--search %s: at most %zu folders can be given", value,
		 ARRAY_LEN(words->folders) - 1);
	return -1;
}

int disk_format_of(const char *text, enum disk_format *ret_format)
{
	static const char *const names[] = { "auto", "vhd", "raw" };
	int i = text ? index_of(names, ARRAY_LEN(names), text) : 0;

	if (i < 0)
		return fail_usage("format %s: give vhd, raw or auto", text);
	*ret_format = (enum disk_format)i;
	return 0;
}

/* --- what a file is */

static const struct {
	const char *name;
	uint64_t offset;
	const char *magic;
	size_t bytes;
} foreign[] = {
	{ "qcow2", 0, "QFI\xfb", 4 },
	{ "vmdk", 0, "KDMV", 4 },
	{ "vmdk", 0, "# Disk DescriptorFile", 21 },
	{ "vdi", 64, "\x7f\x10\xda\xbe", 4 },
	{ "vhdx", 0, "vhdxfile", 8 },
};

const char *disk_foreign_format(int fd)
{
	char start[68] = { 0 };

	if (pread(fd, start, sizeof(start), 0) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		if (!memcmp(start + foreign[i].offset, foreign[i].magic, foreign[i].bytes))
			return foreign[i].name;
	}
	return NULL;
}

static bool has_vhd_name(const char *path)
{
	static const char *const ends[] = { ".vhd", ".avhd", ".vud" };
	size_t length = strlen(path);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i]);

		if (length > n && !strcasecmp(path + length - n, ends[i]))
			return true;
	}
	return false;
}

/*
 * Whether to take the file as raw. Never when anything says that it is an image: a fixed disk that
 * lost its footer would get its damage copied.
 */
static int decide_format(const char *path, enum disk_format format, bool *ret_raw)
{
	struct vhd_file file = { .name = file_name(path) };
	char error[VHD_ERROR_BYTES];
	struct vhd_info info;
	const char *name;
	int r;

	*ret_raw = format == DISK_RAW;
	if (format != DISK_AUTO)
		return 0;
	file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file.fd < 0)
		return fail("%s: %s", path, strerror(errno));
	r = vhd_is_linked(file.fd) ? 0 : vhd_probe(&file, &info, error, sizeof(error));
	name = disk_foreign_format(file.fd);
	fd_close(file.fd);
	if (r != -EMEDIUMTYPE)
		return 0; /* a VHD, a linked disk, or what opening it will complain about */
	if (name)
		return fail("%s: is a %s image; mainstay-vhd convert makes a VHD of it", path,
			    name);
	if (has_vhd_name(path))
		return fail("%s; its name says that it is one: repair it, or give the format raw",
			    error);
	*ret_raw = true;
	return 0;
}

static int size_rule_of(const struct disk_words *words, enum vhd_size_rule *ret_rule)
{
	static const char *const names[] = { "creator", "current", "chs" };
	static const enum vhd_size_rule rules[] = { VHD_SIZE_BY_CREATOR, VHD_SIZE_CURRENT,
						    VHD_SIZE_CHS };
	int i = words->size_rule ? index_of(names, ARRAY_LEN(names), words->size_rule) : 0;

	if (i < 0)
		return fail_usage("--size-rule %s: give creator, current or chs", words->size_rule);
	*ret_rule = rules[i];
	return 0;
}

int disk_open(struct disk *disk, const char *path, const struct disk_options *options)
{
	static const struct disk_words none = { .parent = NULL };
	const struct disk_words *words = options->words ? options->words : &none;
	struct vhd_chain_options find = {
		.read_only = options->read_only,
		.parent = words->parent,
		.folders = words->folders,
		.accept = words->accept_parent ? VHD_ACCEPT_PARENT_ID : 0,
		.no_locks = options->no_locks,
	};
	struct vhd_open_options open_options = { .read_only = options->read_only,
						 .accept = find.accept };
	char error[VHD_ERROR_BYTES];
	int status = size_rule_of(words, &open_options.size_rule);

	*disk = (struct disk){ .path = path };
	if (status == 0)
		status = decide_format(path, options->format, &find.raw);
	if (status != 0)
		return status;
	if (vhd_chain_open(&disk->chain, path, &find, error, sizeof(error)) < 0)
		return fail("%s", error);
	if (disk->chain.read_only && !options->read_only)
		status = fail("%s: can only be read: the host uses that device, or its link says "
			      "so",
			      path);
	else if (vhd_open(disk->chain.files, disk->chain.count, &open_options, &disk->vhd, error,
			  sizeof(error)) < 0)
		status = fail("%s", error);
	if (status != 0) {
		vhd_chain_close(&disk->chain);
		return status;
	}
	for (unsigned int i = 0; vhd_warning(disk->vhd, i); i++)
		warn("%s", vhd_warning(disk->vhd, i));
	return 0;
}

int disk_close(struct disk *disk)
{
	int status = EXIT_SUCCESS;

	if (disk->vhd && vhd_finish(disk->vhd) < 0)
		status = fail("%s", vhd_error(disk->vhd));
	disk_drop(disk);
	return status;
}

void disk_drop(struct disk *disk)
{
	if (!disk->vhd)
		return;
	vhd_free(disk->vhd);
	vhd_chain_close(&disk->chain);
	disk->vhd = NULL;
}
