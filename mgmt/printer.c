// SPDX-License-Identifier: GPL-2.0-or-later
#include "printer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/parport.h>
#include <linux/ppdev.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"

#define RETRY_MS 1000

/* Nothing was taken: the driver says so by 0 or by one of these, after waiting for as long as it does. */
static bool printer_waits(ssize_t n)
{
	return n == 0 || (n < 0 && (errno == EAGAIN || errno == EIO || errno == ETIMEDOUT));
}

static int put(int port, const char *bytes, size_t count, const char *path, bool *waits)
{
	while (count) {
		ssize_t n = write(port, bytes, count);

		if (n > 0) {
			if (*waits)
				log_warning("%s: the printer goes on", path);
			*waits = false;
			bytes += n;
			count -= (size_t)n;
		} else if (printer_waits(n)) {
			if (!*waits)
				log_warning("%s: the printer takes nothing: put it on-line, or "
					    "look at its paper",
					    path);
			*waits = true;
			(void)poll(NULL, 0, RETRY_MS);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int printer_carry(int from, int port, const char *path)
{
	char bytes[4096];
	bool waits = false;

	while (true) {
		ssize_t n = read(from, bytes, sizeof(bytes));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = put(port, bytes, (size_t)n, path, &waits);
		if (r < 0)
			return r;
	}
}

/* Claimed once; the kernel does the handshake of each byte (compatibility mode). */
static int claim(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY), mode = IEEE1284_MODE_COMPAT, r;

	if (fd >= 0 && ioctl(fd, PPCLAIM) == 0 && ioctl(fd, PPSETMODE, &mode) == 0)
		return fd;
	r = -errno;
	fd_close(fd);
	return r;
}

/* The process has nothing of its parent's but these two and where it speaks, and no key at a terminal reaches it. */
static void __attribute__((noreturn)) run(int from, int port, const char *path)
{
	sigset_t none;
	int r;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	from = dup2(from, STDIN_FILENO);
	port = dup2(port, STDOUT_FILENO);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	r = printer_carry(from, port, path);
	if (r < 0)
		log_error("%s: %s; what the guest prints from now on is lost", path, strerror(-r));
	_exit(r < 0);
}

int printer_start(const char *path)
{
	int port = claim(path), pipes[2], r = 0;
	pid_t pid;

	if (port < 0)
		return port;
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		r = -errno;
		fd_close(port);
		return r;
	}
	pid = fork();
	if (pid == 0)
		run(pipes[0], port, path);
	if (pid < 0)
		r = -errno;
	fd_close(pipes[0]);
	fd_close(port);
	if (r == 0)
		return pipes[1];
	fd_close(pipes[1]);
	return r;
}
