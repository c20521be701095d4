/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of saved states by their paths: new ones, which get their names last, and old ones. */
#ifndef MGMT_STATE_FILE_H
#define MGMT_STATE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "../vmm/state/statefile.h"

/* A file on its way; it has no name of its own yet. */
struct state_draft {
	int fd;
	char path[PATH_MAX], temporary[PATH_MAX];
};

/*
 * A new empty file beside @path, for its owner alone. -EEXIST when there is something at @path already: a
 * state is never overwritten. 0 or -errno with one line in @error.
 */
int state_draft_new(struct state_draft *draft, const char *path, char *error, size_t error_size);
/* The plain state in it becomes a compact one. */
int state_draft_compact(struct state_draft *draft, int level, char *error, size_t error_size);
/* Gives the file its name, on stable storage. The draft is done with when 0 is returned. */
int state_draft_commit(struct state_draft *draft, char *error, size_t error_size);
void state_draft_discard(struct state_draft *draft);

/* Removes the state at @path, which is used up, from stable storage too. 0 or -errno. */
int state_file_remove(const char *path);
/* How many drafts of @path saves have left behind that were cut short; with @remove they go. */
unsigned int state_file_drafts(const char *path, bool remove);

/* Leaves an empty draft of @path behind: disks may be marked as part of a state that never was. */
void state_file_leave_draft(const char *path);

/* Opens and locks the state at @path, unread: who restores it tests it. */
int state_file_lock(const char *path, char *error, size_t error_size);

/*
 * Opens and locks the state at @path for reading and tests what statefile_open() does. The descriptor, the
 * caller's, or -errno with one line in @error. The lock is shared and lives as long as the open file, in
 * whichever process: restored machines hold it.
 */
int state_file_open(const char *path, struct statefile *ret_file, char *error, size_t error_size);

#endif
