// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"

#define FIRST_FD 3
/* Where descriptors wait that must not be overwritten by each other. */
#define PARKED_FD 100

static bool is_ours(const char *program)
{
	return !strncmp(program, "mainstay-", 9);
}

static bool usable(char *path, size_t size, const char *folder, const char *program)
{
	return snprintf(path, size, "%s/%s", folder, program) < (int)size &&
	       access(path, X_OK) == 0;
}

/* Beside us (a checkout), where an installation under the same prefix has it, where make was told. */
static bool find_ours(const char *program, char *path, size_t size)
{
	const char *given = getenv("MAINSTAY_LIBEXEC");
	char folder[PATH_MAX], sibling[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	if (given && *given)
		return usable(path, size, given, program);
	folder[n < 0 ? 0 : n] = '\0';
	if (strrchr(folder, '/'))
		*strrchr(folder, '/') = '\0';
	snprintf(sibling, sizeof(sibling), "%s/../libexec/mainstay", folder);
	return usable(path, size, folder, program) || usable(path, size, sibling, program) ||
	       usable(path, size, MAINSTAY_LIBEXEC, program);
}

static bool find_in_path(const char *program, char *path, size_t size)
{
	const char *list = getenv("PATH");
	char copy[4096], *rest = copy;

	/* Users' PATH often lacks the folders of servers. */
	snprintf(copy, sizeof(copy), "%s:/usr/sbin:/sbin", list ? list : "/usr/bin:/bin");
	for (char *folder = strsep(&rest, ":"); folder; folder = strsep(&rest, ":")) {
		if (*folder == '/' && usable(path, size, folder, program))
			return true;
	}
	return false;
}

int helper_find(const char *program, char *path, size_t size, char *error, size_t error_size)
{
	if (!strcmp(program, HELPER_SELF)) {
		ssize_t n = readlink(HELPER_SELF, path, size - 1);

		path[n < 0 ? 0 : n] = '\0';
		return n < 0 ? -errno : 0;
	}
	if (is_ours(program) ? find_ours(program, path, size) : find_in_path(program, path, size))
		return 0;
	if (is_ours(program))
		snprintf(error, error_size,
			 "%s: not found beside mainstay nor in " MAINSTAY_LIBEXEC "; install it",
			 program);
	else
		snprintf(error, error_size, "%s is not installed", program);
	return -ENOENT;
}

/* 0, 1 and 2, then the helper's own from 3 on, and nothing else. */
static int place_descriptors(const struct helper *helper)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (unsigned int i = 0; i < helper->fd_count; i++) {
		if (dup2(helper->fds[i], PARKED_FD + (int)i) < 0)
			return -errno;
	}
	if (helper->stderr_fd < 0)
		dup2(null, STDERR_FILENO);
	else
		dup2(helper->stderr_fd, STDERR_FILENO);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	for (unsigned int i = 0; i < helper->fd_count; i++) {
		if (dup2(PARKED_FD + (int)i, FIRST_FD + (int)i) < 0)
			return -errno;
	}
	return 0;
}

static void __attribute__((noreturn))
run(const struct helper *helper, const char *path, pid_t parent, int report_fd)
{
	sigset_t none;
	int r;

	setsid();
	/* Only the grandchild goes on: the switch is nobody's child and never a zombie of ours. */
	if (helper->detach) {
		pid_t pid = fork();

		if (pid != 0)
			_exit(pid < 0);
	} else {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
	}
	/* The report's own place is above all others. */
	report_fd = fcntl(report_fd, F_DUPFD_CLOEXEC, PARKED_FD + HELPER_FDS_MAX);
	r = place_descriptors(helper);
	if (r == 0 && helper->prepare)
		r = helper->prepare(helper->opaque);
	if (r == 0) {
		close_range(FIRST_FD + helper->fd_count, (unsigned int)report_fd - 1, 0);
		close_range((unsigned int)report_fd + 1, ~0u, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		execv(path, helper->argv);
		r = -errno;
	}
	(void)!write(report_fd, &r, sizeof(r));
	_exit(127);
}

int helper_start(struct helper *helper, char *error, size_t error_size)
{
	char path[PATH_MAX];
	int report[2], status = 0,
		       r = helper_find(helper->program, path, sizeof(path), error, error_size);
	pid_t pid, parent = getpid();

	if (r < 0)
		return r;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		run(helper, path, parent, report[1]);
	close(report[1]);
	/* The pipe closes without a word when the program runs. */
	if (pid < 0)
		status = -errno;
	else if (read(report[0], &r, sizeof(r)) == sizeof(r))
		status = r;
	close(report[0]);
	if (pid > 0 && (helper->detach || status < 0))
		waitpid(pid, NULL, 0);
	if (status < 0) {
		snprintf(error, error_size, "%s: cannot be run: %s", path, strerror(-status));
		return status;
	}
	helper->pid = pid;
	return 0;
}
