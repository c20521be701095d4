// SPDX-License-Identifier: GPL-2.0-or-later
#include "migration.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../base/endpoint.h"
#include "../base/fdio.h"
#include "../vmm/state/statefile.h"

/* --- sockets --- */

static int set_limits(int fd, unsigned int timeout_s)
{
	const struct timeval limit = { .tv_sec = timeout_s };
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return 0;
}

static int limited(int fd, const char *where, unsigned int timeout_s, char *error,
		   size_t error_size)
{
	int r = set_limits(fd, timeout_s);

	if (r == 0)
		return fd;
	snprintf(error, error_size, "%s: must be a connected socket: %s", where, strerror(-r));
	fd_close(fd);
	return r;
}

int migration_connect(const char *where, unsigned int timeout_s, char *error, size_t error_size)
{
	struct endpoint endpoint;
	char connect[4096];
	int r;

	snprintf(connect, sizeof(connect), "%s%s", strncmp(where, "unix:", 5) ? "" : "connect:",
		 strncmp(where, "unix:", 5) ? where : where + 5);
	r = endpoint_open(connect, &endpoint, error, error_size);
	if (r < 0 && connect != where && !strncmp(where, "unix:", 5))
		snprintf(error, error_size,
			 "%s: no machine waits there; start one with 'mainstay run --incoming'",
			 where);
	return r < 0 ? r : limited(endpoint.fd, where, timeout_s, error, error_size);
}

int migration_accept(const char *where, unsigned int timeout_s, char *error, size_t error_size)
{
	struct endpoint endpoint;
	int r = endpoint_open(where, &endpoint, error, error_size), fd;

	if (r < 0)
		return r;
	fd = endpoint.fd;
	if (endpoint.listening) {
		do
			fd = accept4(endpoint.fd, NULL, NULL, SOCK_CLOEXEC);
		while (fd < 0 && errno == EINTR);
		r = fd < 0 ? -errno : 0;
		close(endpoint.fd);
		unlink(endpoint.path);
		if (r < 0) {
			snprintf(error, error_size, "%s: %s", where, strerror(-r));
			return r;
		}
	}
	return limited(fd, where, timeout_s, error, error_size);
}

/* --- records --- */

static int send_all(int socket, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = send(socket, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int receive_all(int socket, void *data, size_t size)
{
	char *p = data;

	while (size) {
		ssize_t n = recv(socket, p, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -ECONNRESET : errno == EAGAIN ? -ETIMEDOUT : -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int migration_send(int socket, enum stream_kind kind, const char *text)
{
	struct stream_head head = { .kind = kind };
	uint8_t bytes[STREAM_HEAD_BYTES];
	int r;

	if (kind == STREAM_HELLO)
		head.offset = STREAM_VERSION;
	if (text)
		head.bytes = strnlen(text, STREAM_TEXT_BYTES_MAX);
	stream_encode(&head, bytes);
	r = send_all(socket, bytes, sizeof(bytes));
	return r < 0 || !text ? r : send_all(socket, text, head.bytes);
}

static int explain(int r, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s",
		 r == -ETIMEDOUT    ? "the other side does not answer"
		 : r == -ECONNRESET ? "the other side has hung up; its messages say why"
		 : r == -EPROTO	    ? "the other side does not speak of migration"
				    : strerror(-r));
	return r;
}

/* One line, without control characters: the peer is not trusted. */
static int take_failure(int socket, const struct stream_head *head, char *error, size_t error_size)
{
	char text[STREAM_TEXT_BYTES_MAX + 1] = "";

	if (receive_all(socket, text, head->bytes) < 0)
		return explain(-ECONNRESET, error, error_size);
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	snprintf(error, error_size, "the other side: %s", text);
	return -EREMOTEIO;
}

static int receive_head(int socket, struct stream_head *ret_head)
{
	uint8_t bytes[STREAM_HEAD_BYTES];
	int r = receive_all(socket, bytes, sizeof(bytes));

	return r < 0 ? r : stream_decode(bytes, ret_head);
}

int migration_wait(int socket, enum stream_kind wanted, char *error, size_t error_size)
{
	struct stream_head head;
	int r;

	do
		r = receive_head(socket, &head);
	while (r == 0 && head.kind == STREAM_WAIT);
	if (r < 0)
		return explain(r, error, error_size);
	if (head.kind == STREAM_FAIL)
		return take_failure(socket, &head, error, error_size);
	if (head.kind != wanted)
		return explain(-EPROTO, error, error_size);
	if (wanted == STREAM_HELLO && head.offset != STREAM_VERSION) {
		snprintf(error, error_size,
			 "the other side speaks version %llu of migration, and this one %u",
			 (unsigned long long)head.offset, STREAM_VERSION);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

/* --- the file --- */

static int write_hole(int fd, const struct stream_head *head)
{
	static const uint8_t zeros[STATEFILE_PAGE_BYTES];
	uint64_t at = head->offset, left = head->bytes;
	int r = 0;

	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)left) == 0)
		return 0;
	while (left && r == 0) {
		size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		r = fd_pwrite_full(fd, zeros, n, at);
		at += n;
		left -= n;
	}
	return r;
}

static int write_data(int socket, int fd, const struct stream_head *head, uint8_t *buffer,
		      bool *ret_peer)
{
	int r = receive_all(socket, buffer, head->bytes);

	*ret_peer = r < 0;
	return r < 0 ? r : fd_pwrite_full(fd, buffer, head->bytes, head->offset);
}

static int take_record(int socket, int fd, const struct stream_head *head, uint8_t *buffer,
		       char *error, size_t error_size)
{
	bool peer = false;
	int r;

	switch (head->kind) {
	case STREAM_DATA:
		r = write_data(socket, fd, head, buffer, &peer);
		break;
	case STREAM_HOLE:
		r = write_hole(fd, head);
		break;
	case STREAM_END:
		r = ftruncate(fd, (off_t)head->offset) < 0 ? -errno : 0;
		break;
	case STREAM_FAIL:
		return take_failure(socket, head, error, error_size);
	default:
		return explain(-EPROTO, error, error_size);
	}
	if (r < 0 && peer)
		return explain(r, error, error_size);
	if (r < 0)
		snprintf(error, error_size, "its state cannot be written here: %s", strerror(-r));
	return r;
}

int migration_receive(int socket, int fd, char *error, size_t error_size)
{
	uint8_t *buffer = malloc(STREAM_DATA_BYTES_MAX);
	struct stream_head head = { .kind = STREAM_HELLO };
	int r = 0;

	if (!buffer) {
		snprintf(error, error_size, "not enough memory");
		return -ENOMEM;
	}
	while (r == 0 && head.kind != STREAM_END) {
		r = receive_head(socket, &head);
		if (r < 0)
			explain(r, error, error_size);
		else
			r = take_record(socket, fd, &head, buffer, error, error_size);
	}
	free(buffer);
	return r;
}
