/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running machine whose disks get other layers: held, looked at, given the new files, let go.
 * Errors are -errno with one line in @error.
 */
#ifndef MGMT_MACHINE_LAYERS_H
#define MGMT_MACHINE_LAYERS_H

#include <stdint.h>
#include <sys/types.h>

#include "checkpoint_index.h"

struct client;

struct machine_layers {
	int session;			  /* -1: none */
	dev_t devices[MACHINE_DISKS_MAX]; /* by index in the set: what the machine writes to */
	ino_t inodes[MACHINE_DISKS_MAX];
};

/* Begins a session with @machine; nothing is held yet. What another session left is waited for. */
int machine_layers_begin(struct machine_layers *layers, const struct checkpoints *set,
			 struct client *machine, char *error, size_t error_size);
/* Whether the machine writes to the file @path for disk @n. */
bool machine_layers_uses(const struct machine_layers *layers, unsigned int n, const char *path);
/*
 * The machine stands, its disks are flushed and marked; with @state_fd not -1 it is saved into that file first,
 * while its guest runs.
 */
int machine_layers_hold(struct machine_layers *layers, int state_fd, char *error,
			size_t error_size);
/*
 * It goes on with the files at @paths, and their ancestors, which are called by the disks' own names.
 * *ret_stopped_ns, unless NULL: how long its guest stood.
 */
int machine_layers_switch(struct machine_layers *layers, const struct checkpoints *set,
			  char paths[][PATH_MAX], uint64_t *ret_stopped_ns, char *error,
			  size_t error_size);
/* Ends the session. A machine that is held goes on as it was, and has done so when this returns. */
void machine_layers_end(struct machine_layers *layers);

#endif
