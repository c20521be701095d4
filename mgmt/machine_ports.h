/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other ends of a machine's ports: what is made for the machine or connected to it. Ports that
 * are connected when the guest opens them have a door (vmm/config.h, VM_CHAR_DOOR): the starter
 * connects while the machine runs, and waits for nothing but the look-up of a name.
 */
#ifndef MGMT_MACHINE_PORTS_H
#define MGMT_MACHINE_PORTS_H

#include <poll.h>
#include <termios.h>

#include "start_message.h"

/* What the starter keeps of the machine's ports. */
struct machine_ports {
	int stdio;			    /* our end of the port that is stdio; -1: none */
	int pty_slaves[MACHINE_SERIAL_MAX]; /* keep the pseudo terminal from hanging up; -1: none */
	const char
		*sockets[MACHINE_SERIAL_MAX]; /* to be removed when the machine ends; NULL: none */
	const char *made[MACHINE_SERIAL_MAX + 2]; /* files, to be removed if it does not start */
	unsigned int made_count;
	struct port_line {
		int fd; /* the terminal line, whose settings are given back; -1: none */
		struct termios before;
	} lines[MACHINE_SERIAL_MAX];
	struct port_door {
		int fd; /* on which the machine asks for a connection; -1: none */
		const struct machine_char *to;
		int connecting; /* a socket whose connection is under way; -1: none */
	} doors[MACHINE_SERIAL_MAX];
};

#define MACHINE_PORTS_POLLFDS (2 * MACHINE_SERIAL_MAX)

/*
 * The sockets, files and pseudo terminals of the ports; @folder_fd is the runtime folder. 0, or
 * -errno with one line in @error, and machine_ports_close() is to be called in both cases.
 */
int machine_ports_open(const struct machine_config *config, int folder_fd,
		       struct machine_files *files, struct machine_ports *ports, char *error,
		       size_t error_size);
void machine_ports_close(struct machine_ports *ports, bool started);

/* Doors in a poll() of MACHINE_PORTS_POLLFDS descriptors: before it, and after it. */
void machine_ports_prepare(const struct machine_ports *ports,
			   struct pollfd fds[MACHINE_PORTS_POLLFDS]);
void machine_ports_run(struct machine_ports *ports, const struct pollfd fds[MACHINE_PORTS_POLLFDS]);

#endif
