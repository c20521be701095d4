/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a machine's checkpoints: one file, index.json in the folder DISK.checkpoints beside the
 * machine's first disk (docs/formats.md), replaced as a whole.
 *
 * A checkpoint is a node of a tree. For each disk it has a layer, a file that is only read from then on, in
 * DISK.checkpoints beside that disk; a machine goes on in children of them, at the disks' own paths.
 * A node without a name is hidden: a checkpoint that was deleted, or a backup's, and whose layers are still to be
 * merged.
 *
 * What changes more than one file is a pending change in the index: whoever opens the folder next completes
 * or undoes it (checkpoint_change.h).
 */
#ifndef MGMT_CHECKPOINT_INDEX_H
#define MGMT_CHECKPOINT_INDEX_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine_config.h"

#define CHECKPOINTS_MAX 120 /* a chain of disks has at most 128 files */
#define CHECKPOINT_NAME_MAX 64
#define CHECKPOINT_VERSION 1

struct checkpoint {
	unsigned int id;		    /* from 1, never used twice */
	unsigned int parent;		    /* 0: none */
	char name[CHECKPOINT_NAME_MAX + 1]; /* "": hidden */
	int64_t created_unix;
	bool has_state;
	uint8_t state_id[16]; /* of the saved state */
	/* Its layers as they were left. */
	struct {
		uint64_t bytes;
		int64_t changed_ns;
	} layers[MACHINE_DISKS_MAX];
};

enum checkpoint_change {
	CHECKPOINT_NOTHING,
	CHECKPOINT_PREPARE, /* a checkpoint is being made: nothing counts yet */
	CHECKPOINT_CREATE,  /* it counts if the machine goes on in the new layers */
	CHECKPOINT_RESTORE, /* new layers on @node take the disks' places */
	CHECKPOINT_REPLACE, /* the layers of @node have taken up others, and take their place */
};

struct checkpoint_pending {
	enum checkpoint_change what;
	struct checkpoint node; /* CREATE: the new one; else its id counts */
	unsigned int draft;	/* number of the new layers' names */
	unsigned int target;	/* REPLACE: the node whose place it is; 0: that of the disks */
	char state[PATH_MAX];	/* RESTORE: where a link to the saved state is made; "": nowhere */
};

struct checkpoints {
	char folder[PATH_MAX];
	bool look; /* they are only read: no lock */
	int lock_fd;
	unsigned int next;    /* number for what is new */
	unsigned int current; /* the node on which the machine goes on; 0: none */
	unsigned int disk_count;
	char disks[MACHINE_DISKS_MAX][PATH_MAX]; /* where the machine's disks are, whole paths */
	unsigned int slots[MACHINE_DISKS_MAX];	 /* of a machine that runs */
	unsigned int count;
	struct checkpoint nodes[CHECKPOINTS_MAX];
	struct checkpoint_pending pending;
};

/*
 * Opens and locks the checkpoints of the machine with the disks of @set (disk_count, disks), whether there are
 * some or not. 0, or -errno with one line in @error: -EBUSY somebody else changes them.
 */
int checkpoints_open(struct checkpoints *set, char *error, size_t error_size);
void checkpoints_close(struct checkpoints *set);
/* Writes the index; the folder is made first, and goes when nothing is left of it. */
int checkpoints_store(struct checkpoints *set, char *error, size_t error_size);
/* Whether a machine with its first disk at @disk has any; no lock. */
bool checkpoints_exist(const char *disk);

struct checkpoint *checkpoints_by_id(struct checkpoints *set, unsigned int id);
struct checkpoint *checkpoints_by_name(struct checkpoints *set, const char *name);
/* Removes files of nodes that are not there (any more). */
void checkpoints_collect(struct checkpoints *set);
void checkpoints_remove(struct checkpoints *set, unsigned int id);
/* Nodes whose parent is @id, and the machine when it goes on there. */
unsigned int checkpoints_children(const struct checkpoints *set, unsigned int id);

/* Names of files: @n is a disk's index in @set. */
void checkpoints_layer_path(const struct checkpoints *set, unsigned int n, unsigned int id,
			    char ret_path[PATH_MAX]);
void checkpoints_draft_path(const struct checkpoints *set, unsigned int n, unsigned int draft,
			    char ret_path[PATH_MAX]);
void checkpoints_state_path(const struct checkpoints *set, unsigned int id,
			    char ret_path[PATH_MAX]);

/* Of a layer, as it is recorded. 0 or -errno. */
int checkpoints_measure(const struct checkpoints *set, unsigned int n, struct checkpoint *node);

/* Changes of folders, each on stable storage when it returns 0. -errno. */
int checkpoints_link(const char *from, const char *to);
int checkpoints_rename(const char *from, const char *to);
int checkpoints_unlink(const char *path);

/* Called before each change of a file. For tests that end the program there; NULL. */
extern void (*checkpoints_hook)(void);
void checkpoints_step(void);

#endif
