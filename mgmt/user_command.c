// SPDX-License-Identifier: GPL-2.0-or-later
#include "user_command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"

#define EVERY_MS 5000

static void execute(const struct user_command *command)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv("MAINSTAY_MACHINE", command->machine, 1);
	setenv("MAINSTAY_TARGET", command->target, 1);
	execl("/bin/sh", "sh", "-c", command->text, (char *)NULL);
	_exit(127);
}

static void wait_for(pid_t pid, const struct user_command *command)
{
	struct pollfd end = { .fd = pidfd_open(pid, 0), .events = POLLIN };

	/* Without the descriptor nobody is told meanwhile. */
	while (end.fd >= 0 && command->waiting && poll(&end, 1, EVERY_MS) <= 0)
		command->waiting(command->fd);
	fd_close(end.fd);
}

int user_command_run(const struct user_command *command, char *error, size_t error_size)
{
	int status = -1;
	pid_t pid;

	if (!command->text)
		return 0;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		execute(command);
	if (pid > 0) {
		wait_for(pid, command);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (status == 0)
		return 0;
	if (status > 0 && WIFEXITED(status))
		snprintf(error, error_size, "command %s: exit status %d", command->text,
			 WEXITSTATUS(status));
	else
		snprintf(error, error_size, "command %s: cannot be run, or was killed",
			 command->text);
	return -ECANCELED;
}
