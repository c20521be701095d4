/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving a machine into a file while its guest runs as long as possible.
 *
 *	copying		pages go to the file; those that the guest changes meanwhile go again
 *	parking		vCPUs finish their instructions
 *	draining	disks complete what is under way
 *	sealing		disks are flushed and marked as part of a saved state
 *	writing		the last pages, the device stream, the header, to stable storage
 *	held		the file is whole; its owner puts it in its place, then tells: save_commit()
 *	switching	or it gets other files behind its disks, and goes on: save_switch()
 *
 * In place of a file it can be a socket, which gets the same writes as records (state/stream.h): what a migration
 * is. The other side may use the disks once their locks are given up: save_release().
 *
 * Without a file there is nothing to copy and to write: the machine is only held.
 *
 * A failure or save_cancel() in any phase lets the machine go on as if nothing had been. All functions want
 * the machine lock, in the loop thread.
 */
#ifndef VMM_SAVE_H
#define VMM_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct machine;
struct save;

struct save_result {
	int error;	     /* 0 or -errno */
	char text[256];	     /* one line about it */
	uint64_t file_bytes; /* length of the file */
	uint64_t pages;	     /* written, some of them again */
	uint64_t rounds;     /* of copying before the guest stopped */
	uint64_t
		stopped_ns; /* from the guest's last instruction to the whole file, or until it went on */
	bool running;	    /* it has gone on, with other files behind its disks */
};

/*
 * Starts to save into @fd, an empty file that is open for reading and writing, or -1: none; it is the save's
 * in any case. With @stream it is a socket that blocks, with a limit of time.
 * @done is called, with the lock and never inside this call, when the machine is held, and for the last time
 * when it goes on: the save has failed, or was given up. 0, or -errno with one line in @error.
 */
int save_start(struct machine *machine, int fd, bool stream,
	       void (*done)(void *opaque, const struct save_result *result), void *opaque,
	       char *error, size_t error_size);
/* The file is in its place: the machine ends, its disks stay marked. False: nothing is held. */
bool save_commit(struct machine *machine);
/*
 * The machine, held, goes on with other files behind its disks (disk_switch.h); @done is called a second time
 * when it does. -errno with one line in @error: it is held still.
 */
int save_switch(struct machine *machine, struct json_object *disks, int *fds, unsigned int fd_count,
		char *error, size_t error_size);
/* The machine, held, gives up its locks on disks and drives, until it goes on. False: nothing is held. */
bool save_release(struct machine *machine);
/* Gives up; @done is called with -ECANCELED if it has not been. Nothing is under way: no effect. */
void save_cancel(struct machine *machine);
/* The same when @done and what it knows are gone. */
void save_forget(struct machine *machine);
/* Whether the machine belongs to a save so far that nobody else may stop, start or reset it. */
bool save_has_machine(const struct machine *machine);
/* "" when none is under way. */
const char *save_phase_name(const struct machine *machine);

/* Its guest went to sleep. */
void save_machine_sleeps(struct machine *machine);
/* A disk has completed what was under way. */
void save_disk_idle(struct machine *machine);
/* Without the lock, after vCPUs and writer have ended. */
void save_free(struct machine *machine);

#endif
