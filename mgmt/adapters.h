/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network adapters of a machine that runs, as its starter sees them: which network each cable is
 * in, the connection to the switch that keeps it there, and passt where that leads to the outside.
 *
 * What cannot be plugged in is one line; the machine runs with the link down. When the switch or passt goes,
 * it is started again and the cables are plugged in anew; frames meanwhile are lost. So does a machine whose
 * host gets its way to the outside later.
 */
#ifndef MGMT_ADAPTERS_H
#define MGMT_ADAPTERS_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "machine_config.h"

struct machine_files;
struct runtime_base;

/* For each adapter the switch's connection and passt's process; the socket for mainstay net. */
#define ADAPTERS_POLLFDS (2 * MACHINE_NICS_MAX + 1)

struct adapter {
	struct machine_nic nic; /* where it is, or is to be, plugged in */
	int plug_fd;		/* to the machine's process, -1: no such adapter */
	int switch_fd;		/* the port lives as long, -1: none */
	pid_t passt_pid;
	int passt_fd, passt_log_fd; /* pidfd; what it says */
	int64_t plugged_ms;	    /* when that was last tried */
	int64_t retry_ms;	    /* when to plug it in again, 0: never */
	unsigned int failures;	    /* in a row */
};

struct adapters {
	const struct runtime_base *base;
	const char *machine;
	int listen_fd;		     /* of net_plug.h, -1: none */
	struct machine_config words; /* holds what was asked for later */
	unsigned int count;
	struct adapter adapters[MACHINE_NICS_MAX];
};

/* Makes the plug sockets, the machine's ends in @files, and plugs the cables in. */
void adapters_open(struct adapters *adapters, const struct machine_config *config,
		   const struct runtime_base *base, int folder_fd, const char *machine,
		   struct machine_files *files);
void adapters_close(struct adapters *adapters);

/* For the starter's poll(): ADAPTERS_POLLFDS entries. */
void adapters_prepare(const struct adapters *adapters, struct pollfd *fds);
int adapters_wait_ms(const struct adapters *adapters);
void adapters_run(struct adapters *adapters, const struct pollfd *fds);

#endif
