/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mount and umount share: the record of a mount, in a folder of its own that only we can read. */
#ifndef VHD_TOOL_MOUNT_H
#define VHD_TOOL_MOUNT_H

#include "tool.h"

enum mount_kind {
	MOUNT_FILE,   /* the disk as a file, by nbdfuse */
	MOUNT_DEVICE, /* a block device, by nbd-client */
	MOUNT_FILES,  /* its file systems, by guestmount */
};
#define MOUNT_KINDS 3
extern const char *const mount_kind_names[MOUNT_KINDS];

struct mount_record {
	char folder[256]; /* of this record; "" in none */
	char disk[VHD_PATH_BYTES], undo[VHD_PATH_BYTES], where[VHD_PATH_BYTES];
	enum mount_kind kind;
	enum undo_end end;
};

/* Makes the folder. The exit status. */
int mount_record_new(struct mount_record *record);
int mount_record_write(const struct mount_record *record);
/* The record of the mount at @name: where it is, or the disk. False: there is none. */
bool mount_record_find(const char *name, struct mount_record *ret_record);
/* With all that is in it. */
void mount_record_remove(const struct mount_record *record);
/* A file of the folder: "nbd" the socket, "pid" of nbdkit, "fuse" of nbdfuse or guestmount. */
void mount_record_path(const struct mount_record *record, const char *name, char ret_path[300]);
/* The number in such a file; 0: there is none. */
int mount_record_pid(const struct mount_record *record, const char *name);

/* Ends what is mounted and the server, and waits until all is written. */
int mount_end(const struct mount_record *record);

#endif
