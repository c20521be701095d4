// SPDX-License-Identifier: GPL-2.0-or-later
/* One thread that serves one connection after the other: the guest does one thing at a time. */
#include "net_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../../base/log.h"

/* Cables are pulled and switches killed while it serves. */
#define PATIENCE_S 120

static volatile uint32_t *datagrams;
static uint32_t buffer[NET_CHUNK_BYTES / 4];

static void udp_sink(int fd)
{
	while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0)
		++*datagrams;
}

static void udp_source(int fd)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	uint32_t count;

	if (recvfrom(fd, &count, sizeof(count), 0, (struct sockaddr *)&peer, &size) !=
	    sizeof(count))
		return;
	for (count = count < NET_WINDOW ? count : NET_WINDOW; count; count--)
		(void)sendto(fd, buffer, NET_DATAGRAM_BYTES, 0, (struct sockaddr *)&peer, size);
}

static void take(int peer, bool compare)
{
	uint32_t received = 0, word = 0;
	bool same = true;
	size_t have = 0;
	ssize_t n;

	while ((n = read(peer, (uint8_t *)buffer + have, sizeof(buffer) - have)) > 0) {
		if (!compare) {
			received += (uint32_t)n;
			continue;
		}
		have += (size_t)n;
		same = same && net_pattern_matches(buffer, (uint32_t)(have / 4), &word);
		if (same)
			received += (uint32_t)n;
		buffer[0] = buffer[have / 4];
		have %= 4;
	}
	(void)!write(peer, &received, sizeof(received));
}

static void tcp_sink(int peer)
{
	take(peer, false);
}

static void tcp_compare(int peer)
{
	take(peer, true);
}

static void tcp_source(int peer)
{
	uint32_t left, word = 0;

	if (fd_read_full(peer, &left, sizeof(left)) < 0)
		return;
	while (left) {
		uint32_t size = left < sizeof(buffer) ? left : (uint32_t)sizeof(buffer);

		word = net_pattern(buffer, size / 4, word);
		if (fd_write_full(peer, buffer, size) < 0)
			return;
		left -= size;
	}
}

static const struct service {
	uint16_t port;
	int type;
	void (*serve)(int fd); /* the datagram socket, or a connection */
} services[] = {
	{ NET_UDP_SINK, SOCK_DGRAM, udp_sink },	     { NET_UDP_SOURCE, SOCK_DGRAM, udp_source },
	{ NET_TCP_SINK, SOCK_STREAM, tcp_sink },     { NET_TCP_COMPARE, SOCK_STREAM, tcp_compare },
	{ NET_TCP_SOURCE, SOCK_STREAM, tcp_source },
};

static int open_service(const struct service *service)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(service->port) };
	int fd = socket(AF_INET, service->type | SOCK_CLOEXEC, 0), one = 1, room = 8 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		die("port %u: %s", service->port, strerror(errno));
	/* What comes while another process has the only processor. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (service->type == SOCK_STREAM && listen(fd, 8) < 0)
		die("port %u: %s", service->port, strerror(errno));
	return fd;
}

static void serve_connection(const struct service *service, int fd)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (peer < 0)
		return;
	(void)setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	service->serve(peer);
	close(peer);
}

void net_host_serve(volatile uint32_t *ret_datagrams)
{
	struct pollfd fds[ARRAY_LEN(services)];

	datagrams = ret_datagrams;
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		fds[i] = (struct pollfd){ open_service(&services[i]), POLLIN, 0 };
	while (poll(fds, ARRAY_LEN(fds), -1) > 0 || errno == EINTR) {
		for (size_t i = 0; i < ARRAY_LEN(services); i++) {
			if (!fds[i].revents)
				continue;
			if (services[i].type == SOCK_STREAM)
				serve_connection(&services[i], fds[i].fd);
			else
				services[i].serve(fds[i].fd);
		}
	}
	die("poll: %s", strerror(errno));
}
