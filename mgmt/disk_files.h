/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's disks: found with their parents, checked, locked; and their undo disks. */
#ifndef MGMT_DISK_FILES_H
#define MGMT_DISK_FILES_H

#include "start_message.h"

/* 0, or -errno with one line in @error; what was opened or made is in @files in both cases. */
int disk_files_open(const struct machine_config *config, struct machine_files *files, char *error,
		    size_t error_size);

/* The machine did not start: undo disks that were made for it go. */
void disk_files_forget(struct machine_files *files);

bool disk_files_have_undo(const struct machine_files *files);
/* Whether the machine has left a saved state that needs its undo disks. */
bool disk_files_are_saved(const struct machine_files *files);
/*
 * Of a machine that is to be restored: a disk that lacks the mark of a saved state, since somebody has gone on from
 * that state, or given it up, before; or since it is no copy of what the machine has left. NULL: there is none.
 */
const struct machine_disk *disk_files_unmarked(const struct machine_config *config,
					       const struct machine_files *files);
/*
 * When the machine's process has ended: commits all undo disks, or discards them. 0, or -errno with
 * one line in @error; those that are left are kept.
 */
int disk_files_end_undo(const struct machine_config *config, struct machine_files *files,
			bool commit, char *error, size_t error_size);

#endif
