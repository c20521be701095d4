// SPDX-License-Identifier: GPL-2.0-or-later
#include "address.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../base/fdio.h"

#define HOST_BYTES 256
#define LOCALHOST "127.0.0.1"

/* "host:port", "[v6]:port", or a port alone where @listen. */
static int resolve(const char *address, bool listen, struct addrinfo **ret_list,
		   const char **ret_why)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = listen ? AI_PASSIVE : 0,
	};
	const char *colon = strrchr(address, ':'), *start = address;
	size_t length = colon ? (size_t)(colon - address) : 0;
	char host[HOST_BYTES] = LOCALHOST;
	int r;

	if (length >= 2 && *start == '[' && start[length - 1] == ']') {
		start++;
		length -= 2;
	}
	if ((!colon && !listen) || (colon && (!length || length >= sizeof(host)))) {
		*ret_why = "not HOST:PORT";
		return -EINVAL;
	}
	if (colon) {
		memcpy(host, start, length);
		host[length] = '\0';
	}
	r = getaddrinfo(host, colon ? colon + 1 : address, &hints, ret_list);
	if (r == 0)
		return 0;
	*ret_why = r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r);
	return -EHOSTUNREACH;
}

int connect_unix(const char *path, int flags)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int r = -errno;

		fd_close(fd);
		return r;
	}
	return fd;
}

/* The first address at which @use succeeds. */
static int first(const struct addrinfo *list, int flags,
		 int (*use)(int fd, const struct addrinfo *info))
{
	int r = -EHOSTUNREACH;

	for (; list; list = list->ai_next) {
		int fd = socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC | flags,
				list->ai_protocol);

		r = fd < 0 ? -errno : use(fd, list);
		if (r == 0)
			return fd;
		fd_close(fd);
	}
	return r;
}

static int use_connect(int fd, const struct addrinfo *info)
{
	if (connect(fd, info->ai_addr, info->ai_addrlen) == 0 || errno == EINPROGRESS)
		return 0;
	return -errno;
}

static int use_listen(int fd, const struct addrinfo *info)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, 1) < 0)
		return -errno;
	return 0;
}

int connect_tcp(const char *address, int flags, const char **ret_why)
{
	struct addrinfo *list;
	int r = resolve(address, false, &list, ret_why);

	if (r < 0)
		return r;
	r = first(list, flags, use_connect);
	freeaddrinfo(list);
	return r;
}

int listen_tcp(const char *address, const char **ret_why)
{
	struct addrinfo *list;
	int r = resolve(address, true, &list, ret_why);

	if (r < 0)
		return r;
	r = first(list, SOCK_NONBLOCK, use_listen);
	freeaddrinfo(list);
	return r;
}
