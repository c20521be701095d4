/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts the process of a machine: finds mainstay-vmm, gives it the start message, and nothing else
 * of ours.
 */
#ifndef MGMT_SPAWN_H
#define MGMT_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "start_message.h"

struct spawn_options {
	uint32_t uid; /* 0: as who we are; else also the group */
	bool degraded;
};

struct spawn_process {
	pid_t pid;
	int pid_fd;
	int start_fd; /* our end of the start socket: its answer, or its end */
};

/*
 * Runs the machine @config with @files, which are closed in every case. The process gets SIGTERM
 * when we die. 0, or -errno with one line in @error.
 */
int spawn_machine(const struct machine_config *config, struct machine_files *files,
		  const struct spawn_options *options, struct spawn_process *ret_process,
		  char *error, size_t error_size);

/* A machine that was restored and waits is to run. 0 or -errno. */
int spawn_send_word(int start_fd);

/*
 * What came on the start socket: 2 when the machine is restored and waits; 1 when the guest runs, *ret_sandbox then says how it is locked in;
 * 0 when the process hung up, which ends before it says why on standard error; or -errno.
 */
int spawn_receive_running(int start_fd, char *ret_sandbox, size_t sandbox_size);

#endif
