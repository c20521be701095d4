// SPDX-License-Identifier: GPL-2.0-or-later
#include "forward_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ports {
	uint16_t first, last; /* the host's */
};

/* A decimal number from 1 to 65535 at *@at, which then is behind it. 0: there is none. */
static uint16_t take_port(const char **at)
{
	uint32_t value = 0;

	for (; **at >= '0' && **at <= '9'; ++*at) {
		value = value * 10 + (uint32_t)(**at - '0');
		if (value > UINT16_MAX)
			return 0;
	}
	return (uint16_t)value;
}

static bool take_range(const char **at, struct ports *ret_ports)
{
	ret_ports->first = ret_ports->last = take_port(at);
	if (**at == '-') {
		++*at;
		ret_ports->last = take_port(at);
	}
	return ret_ports->first && ret_ports->first <= ret_ports->last;
}

/* The item at *@at, which then is behind it and its comma. */
static bool take_item(const char **at, struct ports *ret_ports)
{
	struct ports inner;

	if (!take_range(at, ret_ports))
		return false;
	if (**at == ':') {
		++*at;
		if (!take_range(at, &inner) ||
		    inner.last - inner.first != ret_ports->last - ret_ports->first)
			return false;
	}
	if (**at != ',')
		return !**at;
	++*at;
	return **at != '\0';
}

bool forward_ports_valid(const char *text)
{
	struct ports ports;

	if (!*text || strlen(text) > FORWARD_PORTS_TEXT_MAX)
		return false;
	while (*text) {
		if (!take_item(&text, &ports))
			return false;
	}
	return true;
}

/* For both versions of IP where the host has the newer one, as passt listens. */
static int try_port(uint16_t port, int type)
{
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), one = 1, zero = 0, r = 0;
	bool six = fd >= 0;

	if (!six)
		fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* What is left of connections that have ended is in nobody's way. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (six)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, six ? (const void *)&any6 : &any, six ? sizeof(any6) : sizeof(any)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 1) < 0))
		r = -errno;
	close(fd);
	return r;
}

int forward_ports_check(const char *text, int type, char *error, size_t error_size)
{
	const char *kind = type == SOCK_STREAM ? "TCP" : "UDP";
	struct ports ports;
	int r;

	while (text && *text && take_item(&text, &ports)) {
		for (uint32_t port = ports.first; port <= ports.last; port++) {
			r = try_port((uint16_t)port, type);
			if (r == 0)
				continue;
			if (r == -EACCES)
				snprintf(error, error_size,
					 "%s port %u of this host is not for you to forward; take "
					 "one "
					 "from 1024 on",
					 kind, port);
			else
				snprintf(error, error_size, "%s port %u of this host: %s", kind,
					 port,
					 r == -EADDRINUSE ? "is in use by another program; "
							    "forward another one"
							  : strerror(-r));
			return r;
		}
	}
	return 0;
}
