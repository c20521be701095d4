/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens what a machine's description names. First what exists already, so that a mistake in any of
 * it is found before anything on the host is changed; then what is made for the machine.
 */
#ifndef MGMT_MACHINE_FILES_H
#define MGMT_MACHINE_FILES_H

#include "start_message.h"

/* What the starter keeps of the machine's ports. */
struct machine_ports {
	int stdio;			    /* our end of the port that is stdio; -1: none */
	int pty_slaves[MACHINE_SERIAL_MAX]; /* keep the pseudo terminal from hanging up; -1: none */
	const char
		*sockets[MACHINE_SERIAL_MAX]; /* to be removed when the machine ends; NULL: none */
	const char *made[MACHINE_SERIAL_MAX + 2]; /* files, to be removed if it does not start */
	unsigned int made_count;
};

/*
 * /dev/kvm (or $MAINSTAY_KVM) when @kvm, the firmware and the disks, which are checked and locked. 0, or
 * -errno with one line in @error; what was opened is in @files in both cases.
 */
int machine_files_open(const struct machine_config *config, bool kvm, struct machine_files *files,
		       char *error, size_t error_size);

/*
 * The sockets, files and pseudo terminals of the ports; @folder_fd is the runtime folder. 0, or
 * -errno with one line in @error, and machine_ports_close() is to be called in both cases.
 */
int machine_ports_open(const struct machine_config *config, int folder_fd,
		       struct machine_files *files, struct machine_ports *ports, char *error,
		       size_t error_size);
void machine_ports_close(struct machine_ports *ports, bool started);

#endif
