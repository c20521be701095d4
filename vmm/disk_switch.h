/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other files behind the disks of a machine that stands: a new layer above what a disk was so far, or
 * layers that became fewer. The guest sees the same bytes on the same disk.
 *
 * Whoever asks has opened and locked the files; this side sees descriptors. All disks change, or none.
 * All functions want the machine lock, in the loop thread.
 */
#ifndef VMM_DISK_SWITCH_H
#define VMM_DISK_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;
struct machine;

/*
 * @disks is an array with one object for each disk that changes, whose numbers index @fds:
 *
 *	{ "slot": 0, "disk_fd": 0, "name": "nt4.vhd",
 *	  "parents": [ { "format": "vhd", "disk_fd": 1, "name": "before.vhd" } ] }
 *
 * The machine's disks are sealed. 0: @done is called when all are exchanged, never inside this call, and the
 * descriptors that were named are the machine's; they are set to -1 in @fds. -errno with one line in
 * @error: nothing has changed.
 */
int disk_switch_start(struct machine *machine, struct json_object *disks, int *fds,
		      unsigned int fd_count, void (*done)(void *opaque), void *opaque, char *error,
		      size_t error_size);

/* Whoever asked is gone. */
void disk_switch_forget(struct machine *machine);
/* The file that a disk writes to, by its slot; -1: there is none. */
int disk_switch_fd(const struct machine *machine, unsigned int slot);
/* Before the machine is freed: descriptors of layers. Without the lock. */
void disk_switch_free(struct machine *machine);

#endif
