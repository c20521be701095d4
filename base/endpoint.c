// SPDX-License-Identifier: GPL-2.0-or-later
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fdio.h"
#include "parse.h"

#define BACKLOG 8

static int failed(const char *text, int r, const char *advice, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s: %s; %s", text, strerror(-r), advice);
	return r;
}

static int open_socket(const char *path, struct sockaddr_un *ret_address)
{
	int fd;

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(ret_address->sun_path))
		return *path ? -ENAMETOOLONG : -EINVAL;
	strcpy(ret_address->sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int listen_at(const char *path, int *ret_fd)
{
	struct sockaddr_un address;
	int fd = open_socket(path, &address), r = 0;

	if (fd < 0)
		return fd;
	/* The file of a bound socket gets the mode of the socket: never open for a moment. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
	} else if (listen(fd, BACKLOG) < 0) {
		r = -errno;
		unlink(path);
	}
	if (r < 0)
		fd_close(fd);
	else
		*ret_fd = fd;
	return r;
}

static int connect_to(const char *path, int *ret_fd)
{
	struct sockaddr_un address;
	int fd = open_socket(path, &address), r;

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int inherit(const char *number, int *ret_fd)
{
	uint64_t fd;
	int flags;

	if (parse_u64(number, 0, INT_MAX, &fd) < 0)
		return -EINVAL;
	flags = fcntl((int)fd, F_GETFD);
	if (flags < 0 || fcntl((int)fd, F_SETFD, flags | FD_CLOEXEC) < 0)
		return -errno;
	*ret_fd = (int)fd;
	return 0;
}

int endpoint_open(const char *text, struct endpoint *ret_endpoint, char *error, size_t error_size)
{
	struct endpoint endpoint = { .fd = -1 };
	int r;

	if (!strncmp(text, "unix:", 5)) {
		endpoint.listening = true;
		endpoint.path = text + 5;
		r = listen_at(endpoint.path, &endpoint.fd);
		if (r < 0)
			return failed(text, r,
				      r == -EADDRINUSE ? "remove it, or give another path"
						       : "give a short path in a folder of yours",
				      error, error_size);
	} else if (!strncmp(text, "connect:", 8)) {
		r = connect_to(text + 8, &endpoint.fd);
		if (r < 0)
			return failed(text, r, "give a socket on which a program listens", error,
				      error_size);
	} else if (!strncmp(text, "fd:", 3)) {
		r = inherit(text + 3, &endpoint.fd);
		if (r < 0)
			return failed(text, r, "give the number of an open descriptor", error,
				      error_size);
	} else {
		snprintf(error, error_size, "%s: give unix:PATH, connect:PATH or fd:NUMBER", text);
		return -EINVAL;
	}
	*ret_endpoint = endpoint;
	return 0;
}
