/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of a machine's checkpoints. Each can be ended at any moment, by kill -9 or a loss of power: who opens
 * the checkpoints next calls checkpoints_settle(), and the old or the new tree is whole, and the disks with it.
 *
 * A machine that runs is @machine; NULL: none does, which the caller has made sure of by the locks of its
 * disks (checkpoints_lock_disks()). Errors are -errno with one line in @error.
 */
#ifndef MGMT_CHECKPOINT_CHANGE_H
#define MGMT_CHECKPOINT_CHANGE_H

#include "checkpoint_index.h"

struct client;
struct vhd_job;

struct checkpoint_options {
	const char *name;	   /* "": hidden */
	bool state;		   /* with the machine's state */
	uint64_t *ret_stopped_ns;  /* how long the guest stood; or NULL */
	const struct vhd_job *job; /* told of merging; or NULL */
};

/* Nobody uses the disks, and nobody will before they are unlocked. -EBUSY. */
int checkpoints_lock_disks(struct checkpoints *set, int fds[MACHINE_DISKS_MAX], char *error,
			   size_t error_size);
void checkpoints_unlock_disks(int fds[MACHINE_DISKS_MAX]);

/* Completes or undoes what was begun, and removes what nothing refers to. */
int checkpoints_settle(struct checkpoints *set, struct client *machine, char *error,
		       size_t error_size);

/* Whether the layers of @node are as they were left. */
int checkpoints_check_layers(const struct checkpoints *set, const struct checkpoint *node,
			     char *error, size_t error_size);
/* *ret_id is the new node's. */
int checkpoints_create(struct checkpoints *set, struct client *machine,
		       const struct checkpoint_options *options, unsigned int *ret_id, char *error,
		       size_t error_size);
/*
 * The disks become what they were at checkpoint @node, and what was written since the last checkpoint is gone;
 * a link to its state, if it has one, is made at @state.
 */
int checkpoints_restore(struct checkpoints *set, unsigned int id, const char *state, char *error,
			size_t error_size);
/* Hides @id: it has neither name nor state any more. */
int checkpoints_hide(struct checkpoints *set, unsigned int id, char *error, size_t error_size);
/*
 * Merges hidden nodes as far as that can be done now: of those above which a running machine goes on directly
 * only the ones that no named checkpoint separates from it. *ret_left: how many are left for later.
 */
int checkpoints_collapse(struct checkpoints *set, struct client *machine, const struct vhd_job *job,
			 unsigned int *ret_left, char *error, size_t error_size);

#endif
