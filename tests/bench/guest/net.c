// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traffic from a Linux guest: the program "run" of a guest disk (see tests/guest/init), static and
 * without a library. The other end is net_host.c, or another guest.
 *
 * It loads the drivers of network adapters that the disk has, gives the first adapter the address
 * 10.9.0.N, N the last byte of the adapter's own, without segmentation offload, and then takes lines
 * from the terminal, a letter and a decimal number. It answers "done".
 *
 *	u N	UDP: sends N datagrams of 1472 bytes
 *	r N	UDP: receives N of them, asking for the next as net_host.c says
 *	t N	TCP: sends N times 1448 bytes
 *	v N	TCP: receives N times 1448 bytes
 *	T N	like t, with bytes that the other end compares
 *	V N	like v, comparing what comes
 *	p N	N pings of 56 bytes, one after the other
 *	s	serves what t of another guest sends, for ever
 *
 * The other end is 10.9.0.1, but that of 10.9.0.4 is 10.9.0.3.
 */
#include <stddef.h>
#include <stdint.h>

#include "../net_host.h"
#include "nolibc.h"

#define SYS_finit_module 350
#define SYS_socket 359
#define SYS_bind 361
#define SYS_connect 362
#define SYS_listen 363
#define SYS_accept4 364
#define SYS_setsockopt 366
#define SYS_shutdown 373
#define SYS_close 6
#define SYS_nanosleep 162

#define AF_INET 2
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define IPPROTO_ICMP 1
#define SOL_SOCKET 1
#define SO_RCVTIMEO 20

#define SIOCGIFFLAGS 0x8913
#define SIOCSIFFLAGS 0x8914
#define SIOCSIFADDR 0x8916
#define SIOCSIFNETMASK 0x891c
#define SIOCGIFHWADDR 0x8927
#define SIOCETHTOOL 0x8946
#define IFF_UP 1

#define PAYLOAD 56u
#define LINK_TRIES 1000

struct address {
	uint16_t family, port; /* port and host in the network's order */
	uint8_t host[4], zero[8];
};

/* struct ifreq of Linux's if.h */
struct interface_request {
	char name[16];
	union {
		struct address address;
		uint16_t flags;
		uint8_t hardware[16]; /* family, then the adapter's address */
		const void *data;
	};
};

static uint32_t buffer[NET_CHUNK_BYTES / 4];
static struct address self = { AF_INET, 0, { 10, 9, 0, 0 }, { 0 } };

static uint32_t other_end(void)
{
	return self.host[3] == 4 ? 3 : 1;
}

static uint16_t swapped(uint32_t value)
{
	return (uint16_t)(value << 8 | (value >> 8 & 0xff));
}

static void pause_ms(uint32_t ms)
{
	uint32_t time[2] = { ms / 1000, ms % 1000 * 1000000 };

	syscall5(SYS_nanosleep, (uint32_t)time, 0, 0, 0, 0);
}

/* --- the adapter */

static void load(const char *path)
{
	int fd = syscall5(SYS_open, (uint32_t)path, O_RDONLY, 0, 0, 0);

	/* Not every disk has all of them, and not every one needs the others. */
	if (fd >= 0)
		syscall5(SYS_finit_module, (uint32_t)fd, (uint32_t) "", 0, 0, 0);
}

static int request(int socket, uint32_t number, struct interface_request *r)
{
	return syscall5(SYS_ioctl, (uint32_t)socket, number, (uint32_t)r, 0, 0);
}

static void set_up_adapter(void)
{
	/* Set: transmit checksums, scatter-gather, TCP and generic segmentation (ethtool.h). */
	static const uint32_t offloads[] = { 0x1f, 0x24, 0x19, 0x17 };
	struct interface_request r = { .name = "eth0" };
	int fd = syscall5(SYS_socket, AF_INET, SOCK_DGRAM, 0, 0, 0);

	load("/data/mii.ko");
	load("/data/tulip.ko");
	load("/data/8139cp.ko");
	load("/data/e1000.ko");
	if (fd < 0 || request(fd, SIOCGIFHWADDR, &r) < 0)
		finish("failed: no adapter eth0\n");
	self.host[3] = r.hardware[7];
	for (uint32_t i = 0; i < sizeof(offloads) / sizeof(offloads[0]); i++) {
		uint32_t off[2] = { offloads[i], 0 };

		r.data = off;
		request(fd, SIOCETHTOOL, &r);
	}
	r.address = self;
	if (request(fd, SIOCSIFADDR, &r) < 0)
		finish("failed: the adapter takes no address\n");
	r.address = (struct address){ AF_INET, 0, { 255, 255, 255, 0 }, { 0 } };
	request(fd, SIOCSIFNETMASK, &r);
	request(fd, SIOCGIFFLAGS, &r);
	r.flags |= IFF_UP;
	if (request(fd, SIOCSIFFLAGS, &r) < 0)
		finish("failed: the adapter cannot be brought up\n");
	syscall5(SYS_close, (uint32_t)fd, 0, 0, 0, 0);
}

/* --- sockets */

static int open_socket(int type, uint16_t port)
{
	struct address to = { AF_INET, swapped(port), { 10, 9, 0, (uint8_t)other_end() }, { 0 } };
	uint32_t timeout[2] = { 60, 0 };
	int fd = syscall5(SYS_socket, AF_INET, (uint32_t)type, type == SOCK_RAW ? IPPROTO_ICMP : 0,
			  0, 0);

	if (fd < 0 || syscall5(SYS_connect, (uint32_t)fd, (uint32_t)&to, sizeof(to), 0, 0) < 0)
		return -1;
	syscall5(SYS_setsockopt, (uint32_t)fd, SOL_SOCKET, SO_RCVTIMEO, (uint32_t)timeout,
		 sizeof(timeout));
	return fd;
}

static int receive(int fd, void *to, uint32_t size)
{
	return syscall5(SYS_read, (uint32_t)fd, (uint32_t)to, size, 0, 0);
}

static int transmit(int fd, const void *from, uint32_t size)
{
	return syscall5(SYS_write, (uint32_t)fd, (uint32_t)from, size, 0, 0);
}

static int transmit_all(int fd, const void *from, uint32_t size)
{
	const uint8_t *at = from;

	while (size) {
		int n = transmit(fd, at, size);

		if (n <= 0)
			return -1;
		at += n;
		size -= (uint32_t)n;
	}
	return 0;
}

/* --- operations: NULL, or what went wrong */

static const char *udp_send(uint32_t count)
{
	int fd = open_socket(SOCK_DGRAM, NET_UDP_SINK);

	for (uint32_t i = 0; fd >= 0 && i < count; i++) {
		if (transmit(fd, buffer, NET_DATAGRAM_BYTES) != (int)NET_DATAGRAM_BYTES)
			return "failed: a datagram cannot be sent\n";
	}
	syscall5(SYS_close, (uint32_t)fd, 0, 0, 0, 0);
	return NULL;
}

static const char *udp_receive(uint32_t count)
{
	int fd = open_socket(SOCK_DGRAM, NET_UDP_SOURCE);

	while (count) {
		uint32_t window = count < NET_WINDOW ? count : NET_WINDOW;

		count -= window;
		if (transmit(fd, &window, sizeof(window)) < 0)
			return "failed: a request cannot be sent\n";
		for (; window; window--) {
			if (receive(fd, buffer, sizeof(buffer)) != (int)NET_DATAGRAM_BYTES)
				return "failed: a datagram is lost\n";
		}
	}
	syscall5(SYS_close, (uint32_t)fd, 0, 0, 0, 0);
	return NULL;
}

static const char *tcp_send(uint16_t port, uint32_t count)
{
	int fd = open_socket(SOCK_STREAM, port);
	uint32_t left = count * NET_SEGMENT_BYTES, word = 0, received = 0;

	if (fd < 0)
		return "failed: no connection\n";
	while (left) {
		uint32_t size = left < sizeof(buffer) ? left : sizeof(buffer);

		if (port == NET_TCP_COMPARE)
			word = net_pattern(buffer, size / 4, word);
		if (transmit_all(fd, buffer, size) < 0)
			return "failed: the connection has ended\n";
		left -= size;
	}
	syscall5(SYS_shutdown, (uint32_t)fd, 1, 0, 0, 0);
	if (receive(fd, &received, sizeof(received)) != sizeof(received) ||
	    received != count * NET_SEGMENT_BYTES)
		return "failed: what came is not what was sent\n";
	syscall5(SYS_close, (uint32_t)fd, 0, 0, 0, 0);
	return NULL;
}

static const char *tcp_receive(uint32_t count, int compare)
{
	int fd = open_socket(SOCK_STREAM, NET_TCP_SOURCE);
	uint32_t left = count * NET_SEGMENT_BYTES, word = 0, have = 0;

	if (fd < 0)
		return "failed: no connection\n";
	if (transmit(fd, &left, sizeof(left)) != sizeof(left))
		return "failed: the connection has ended\n";
	while (left) {
		int n = receive(fd, (uint8_t *)buffer + have, sizeof(buffer) - have);

		if (n <= 0)
			return "failed: the connection has ended\n";
		left -= (uint32_t)n;
		if (!compare)
			continue;
		have += (uint32_t)n;
		if (!net_pattern_matches(buffer, have / 4, &word))
			return "failed: what came is not what was sent\n";
		/* The bytes of a word that is not whole yet. */
		buffer[0] = buffer[have / 4];
		have %= 4;
	}
	syscall5(SYS_close, (uint32_t)fd, 0, 0, 0, 0);
	return NULL;
}

static uint16_t checksum(const uint16_t *words, uint32_t count)
{
	uint32_t sum = 0;

	while (count--)
		sum += *words++;
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static const char *ping(uint32_t count)
{
	int fd = open_socket(SOCK_RAW, 0);
	uint16_t echo[4 + PAYLOAD / 2] = { 8 };

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *ip = (const uint8_t *)buffer;

		echo[3] = (uint16_t)i;
		echo[1] = 0;
		echo[1] = checksum(echo, sizeof(echo) / 2);
		if (fd < 0 || transmit(fd, echo, sizeof(echo)) < 0)
			return "failed: a ping cannot be sent\n";
		do {
			if (receive(fd, buffer, sizeof(buffer)) <= 0)
				return "failed: a ping is not answered\n";
		} while (ip[20] != 0 || *(const uint16_t *)(const void *)(ip + 26) != i % 65536);
	}
	syscall5(SYS_close, (uint32_t)fd, 0, 0, 0, 0);
	return NULL;
}

static const char *serve(void)
{
	struct address any = { AF_INET, swapped(NET_TCP_SINK), { 0 }, { 0 } };
	int fd = syscall5(SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0);

	if (syscall5(SYS_bind, (uint32_t)fd, (uint32_t)&any, sizeof(any), 0, 0) < 0 ||
	    syscall5(SYS_listen, (uint32_t)fd, 8, 0, 0, 0) < 0)
		return "failed: cannot serve\n";
	print("done\n");
	for (;;) {
		int peer = syscall5(SYS_accept4, (uint32_t)fd, 0, 0, 0, 0), n;
		uint32_t received = 0;

		while ((n = receive(peer, buffer, sizeof(buffer))) > 0)
			received += (uint32_t)n;
		transmit(peer, &received, sizeof(received));
		syscall5(SYS_close, (uint32_t)peer, 0, 0, 0, 0);
	}
}

static const char *carry_out(char letter, uint32_t count)
{
	switch (letter) {
	case 'u':
		return udp_send(count);
	case 'r':
		return udp_receive(count);
	case 't':
		return tcp_send(NET_TCP_SINK, count);
	case 'v':
		return tcp_receive(count, 0);
	case 'T':
		return tcp_send(NET_TCP_COMPARE, count);
	case 'V':
		return tcp_receive(count, 1);
	case 'p':
		return ping(count);
	case 's':
		return serve();
	}
	return "failed: no such kind\n";
}

/* The link is there when somebody answers, or nobody is to. */
static void wait_for_link(void)
{
	for (uint32_t i = 0; i < LINK_TRIES && self.host[3] != 3; i++) {
		int fd = open_socket(SOCK_STREAM, NET_TCP_SINK);

		if (fd >= 0) {
			syscall5(SYS_close, (uint32_t)fd, 0, 0, 0, 0);
			return;
		}
		pause_ms(10);
	}
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
	set_up_adapter();
	wait_for_link();
	print("bench: ready\n");
	for (;;) {
		uint32_t count;
		char letter = next_command(&count);
		const char *answer = carry_out(letter, count);

		print(answer ? answer : "done\n");
	}
}
