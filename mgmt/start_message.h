/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine's process is told (vmm/config.h): the machine's description with descriptors in
 * place of paths.
 */
#ifndef MGMT_START_MESSAGE_H
#define MGMT_START_MESSAGE_H

#include "../vhd/vhd.h"
#include "machine_config.h"
#include "undo.h"

/* All descriptors that a machine gets; -1 where there is none. */
struct machine_files {
	int devtest;	      /* the device test port in place of kvm */
	bool devtest_listens; /* it is not the connection itself */
	int kernel, initrd;
	int kvm, firmware, control, display, parallel, firmware_log, nvram;
	int state; /* a saved state to go on from; -1: none */
	const char *state_path;
	bool service;	   /* the machine is one that is started again and again */
	bool state_waits;  /* the machine runs when it is told to */
	bool disks_copied; /* its disks are copies of those that it was saved with */
	bool state_verify; /* test its memory before the guest runs */
	bool same_contents
		[MACHINE_DISKS_MAX];  /* so, too: what that was saved with, in another file */
	bool discard_state;	      /* disks that belong to a saved state are used all the same */
	int disks[MACHINE_DISKS_MAX]; /* in the order of the configuration; raw images */
	struct vhd_chain chains[MACHINE_DISKS_MAX]; /* so, too: VHDs with their parents */
	struct undo_disk undo[MACHINE_DISKS_MAX];   /* what stands before a disk */
	int floppies[MACHINE_FLOPPIES_MAX], cdroms[MACHINE_DISKS_MAX]; /* so, too */
	unsigned int floppy_kinds[MACHINE_FLOPPIES_MAX]; /* where the configuration says auto */
	int nics[MACHINE_NICS_MAX];			 /* plug sockets, machine's ends */
	int serial[MACHINE_SERIAL_MAX];			 /* by port */
};

void machine_files_init(struct machine_files *files);
/* Closes what is open. */
void machine_files_close(struct machine_files *files);

/*
 * The file's name as machines know it, for messages: its last bytes where it is long, and UTF-8
 * whatever it is.
 */
struct json_object *machine_label_json(const char *path);

#define START_MESSAGE_FDS_MAX                                                                      \
	(10 + 2 * MACHINE_DISKS_MAX + MACHINE_FLOPPIES_MAX + MACHINE_SERIAL_MAX +                  \
	 MACHINE_NICS_MAX + MACHINE_PARENTS_MAX)

/*
 * The text, freed by the caller, and the descriptors that it speaks of. @config has a name and has
 * been derived. NULL without memory.
 */
char *start_message_write(const struct machine_config *config, const struct machine_files *files,
			  int fds[START_MESSAGE_FDS_MAX], unsigned int *ret_fd_count);

#endif
