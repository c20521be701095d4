// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

bool have_program(const char *name)
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];

	for (path = path ? path : "/usr/bin:/bin"; *path;) {
		size_t length = strcspn(path, ":");

		snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, path, name);
		if (length && access(candidate, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static int run(const char *const *argv, bool quiet)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return fail("%s: cannot be started: %s", argv[0], strerror(errno));
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		if (quiet)
			dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		fail("%s: cannot be started: %s", argv[0], strerror(errno));
		_exit(127);
	}
	cancel_forward(pid);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return fail("%s: %s", argv[0], strerror(errno));
	}
	cancel_forward(0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return fail("%s: ended by signal %d", argv[0], WTERMSIG(status));
	return fail("%s: failed, exit status %d", argv[0], WEXITSTATUS(status));
}

int run_program(const char *const *argv)
{
	return run(argv, false);
}

int run_quietly(const char *const *argv)
{
	return run(argv, true);
}

void try_program(const char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
