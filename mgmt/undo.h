/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Undo disks: what a session of a machine writes goes to a file beside its disk, a child of it, and
 * when the machine stops that is kept for the next session, committed to the disk, or discarded.
 *
 * The file of nt4.vhd is nt4.vud. While it is there the disk itself must not be written to, so that
 * a machine with undo off does not start on it.
 */
#ifndef MGMT_UNDO_H
#define MGMT_UNDO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct undo_disk {
	bool present;
	bool made; /* in this session */
	char path[PATH_MAX];
};

/* Finds or makes the undo disk of the disk at @disk. 0, or -errno with one line in @error. */
int undo_prepare(const char *disk, struct undo_disk *ret_undo, char *error, size_t error_size);

/* -EEXIST with one line in @error when the disk at @disk has an undo disk: it must not be used. */
int undo_refuse(const char *disk, char *error, size_t error_size);

/* Writes what is in it to @disk, and removes it. Nothing else may have either open. */
int undo_commit(const struct undo_disk *undo, const char *disk, char *error, size_t error_size);

/* Removes it. */
int undo_discard(const struct undo_disk *undo, char *error, size_t error_size);

#endif
