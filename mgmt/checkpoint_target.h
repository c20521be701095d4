/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine that a verb changes the layers of, running or not: by the name it runs under, by its file, by its
 * only disk, or by the name of a service (/etc/mainstay/NAME.json).
 */
#ifndef MGMT_CHECKPOINT_TARGET_H
#define MGMT_CHECKPOINT_TARGET_H

#include "checkpoint_index.h"
#include "client.h"

struct checkpoint_target {
	struct checkpoints set;
	struct client client;	/* while it runs */
	struct client *machine; /* &client, or NULL */
	struct runtime_base base;
	char name[80];
	int disk_locks[MACHINE_DISKS_MAX]; /* while it does not */
};

/*
 * Opens the machine's checkpoints and settles what somebody left, or with @look only reads them. 0, or -errno
 * with one line in @error.
 */
int checkpoint_target_open(struct checkpoint_target *target, const char *given, bool look,
			   char *error, size_t error_size);
void checkpoint_target_close(struct checkpoint_target *target);

/* The same for a machine that is connected to, when there is something to settle. */
int checkpoint_target_settle(struct client *machine, char *error, size_t error_size);

/*
 * For the starter of a machine: settles, and merges what was left. *ret_same[i]: disk i of the configuration is
 * as it was when the state with the id @state_id (NULL: none is restored) was saved.
 */
int checkpoint_target_start(const struct machine_config *config, const uint8_t *state_id,
			    bool ret_same[MACHINE_DISKS_MAX], char *error, size_t error_size);

#endif
