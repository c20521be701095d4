// SPDX-License-Identifier: GPL-2.0-or-later
#include "undo.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../vhd/vhd.h"
#include "disk_layer.h"

/* Beside the disk: its name with .vud in place of .vhd, or behind whatever else it ends in. */
static int name_undo(const char *disk, struct undo_disk *undo)
{
	size_t length = strlen(disk);

	if (length > 4 && !strcasecmp(disk + length - 4, ".vhd"))
		length -= 4;
	if (length + sizeof(".vud") > sizeof(undo->path))
		return -ENAMETOOLONG;
	memcpy(undo->path, disk, length);
	strcpy(undo->path + length, ".vud");
	return 0;
}

/* --- making --- */

/* Made beside its place and put there when it is whole and on stable storage. */
static int make(const char *disk, struct undo_disk *undo, char *error, size_t error_size)
{
	char temporary[PATH_MAX];
	int disk_fd = open(disk, O_RDONLY | O_CLOEXEC), fd = -1, r;

	if (disk_fd < 0) {
		snprintf(error, error_size, "%s: %s", disk, strerror(errno));
		return -errno;
	}
	if (snprintf(temporary, sizeof(temporary), "%s.new-XXXXXX", undo->path) >=
	    (int)sizeof(temporary))
		errno = ENAMETOOLONG;
	else
		fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		snprintf(error, error_size,
			 "%s: cannot be made: %s; an undo disk lies beside its disk", undo->path,
			 strerror(-r));
		fd_close(disk_fd);
		return r;
	}
	r = disk_layer_fill(fd, undo->path, disk_fd, disk, error, error_size);
	if (r == 0 && (fdatasync(fd) < 0 || renameat2(AT_FDCWD, temporary, AT_FDCWD, undo->path,
						      RENAME_NOREPLACE) < 0)) {
		r = -errno;
		snprintf(error, error_size, "%s: %s", undo->path, strerror(-r));
	}
	if (r < 0)
		unlink(temporary);
	undo->made = r == 0;
	fd_close(fd);
	fd_close(disk_fd);
	return r;
}

int undo_prepare(const char *disk, struct undo_disk *ret_undo, char *error, size_t error_size)
{
	struct stat st;
	int r;

	*ret_undo = (struct undo_disk){ .present = false };
	r = name_undo(disk, ret_undo);
	if (r < 0) {
		snprintf(error, error_size, "%s: %s", disk, strerror(-r));
		return r;
	}
	if (stat(ret_undo->path, &st) < 0)
		r = make(disk, ret_undo, error, error_size);
	ret_undo->present = r == 0;
	return r;
}

int undo_refuse(const char *disk, char *error, size_t error_size)
{
	struct undo_disk undo;
	struct stat st;

	if (name_undo(disk, &undo) < 0 || stat(undo.path, &st) < 0)
		return 0;
	snprintf(error, error_size,
		 "%s: disk: has an undo disk, %s, which would be worthless; give --undo, or commit "
		 "it with 'mainstay-vhd merge', or remove it",
		 disk, undo.path);
	return -EEXIST;
}

/* --- ending --- */

static int merge(const struct vhd_chain *child_files, const struct vhd_chain *parent_files,
		 char *error, size_t error_size)
{
	const struct vhd_open_options reading = { .read_only = true };
	struct vhd *child, *parent;
	int r = vhd_open(child_files->files, child_files->count, &reading, &child, error,
			 error_size);

	if (r < 0)
		return r;
	r = vhd_open(parent_files->files, parent_files->count, NULL, &parent, error, error_size);
	if (r == 0) {
		r = vhd_merge(child, parent, NULL, error, error_size);
		if (r == 0 && (r = vhd_finish(parent)) < 0)
			snprintf(error, error_size, "%s", vhd_error(parent));
		if (r == 0)
			r = vhd_flush(parent);
		vhd_free(parent);
	}
	vhd_free(child);
	return r;
}

/* The undo disk's chain is only read, and has the disk in it: that one's locks are its own. */
int undo_commit(const struct undo_disk *undo, const char *disk, char *error, size_t error_size)
{
	const struct vhd_chain_options reading = {
		.read_only = true,
		.parent = disk,
		.no_locks = true,
	};
	struct vhd_chain *chains = calloc(2, sizeof(*chains));
	int r = -ENOMEM;

	if (!chains) {
		snprintf(error, error_size, "%s: out of memory", undo->path);
		return r;
	}
	r = vhd_chain_open(&chains[0], undo->path, &reading, error, error_size);
	if (r == 0)
		r = vhd_chain_open(&chains[1], disk, NULL, error, error_size);
	if (r == 0)
		r = merge(&chains[0], &chains[1], error, error_size);
	vhd_chain_close(&chains[0]);
	vhd_chain_close(&chains[1]);
	free(chains);
	return r < 0 ? r : undo_discard(undo, error, error_size);
}

int undo_discard(const struct undo_disk *undo, char *error, size_t error_size)
{
	if (unlink(undo->path) == 0 || errno == ENOENT)
		return 0;
	snprintf(error, error_size, "%s: cannot be removed: %s", undo->path, strerror(errno));
	return -errno;
}
