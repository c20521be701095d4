/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files a running machine's disks are, for programs that give it other layers: the file "disks" in its
 * runtime folder, written by its starter. (Its process knows no paths.)
 *
 *	{ "undo": false, "disks": [ { "slot": 0, "format": "vhd", "path": "/vm/nt4.vhd" } ] }
 *
 * Disks that are only read are not there.
 */
#ifndef MGMT_RUNNING_DISKS_H
#define MGMT_RUNNING_DISKS_H

#include <stddef.h>

#include "checkpoint_index.h"

/* 0 or -errno. */
int running_disks_write(int folder_fd, const struct machine_config *config);
/* The disks into @set. 0, or -errno with one line in @error that says why they can have no layers. */
int running_disks_read(int folder_fd, struct checkpoints *set, char *error, size_t error_size);
/* The same from a description. */
int running_disks_take(const struct machine_config *config, struct checkpoints *set, char *error,
		       size_t error_size);

#endif
