// SPDX-License-Identifier: GPL-2.0-or-later
#include "observer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../base/bytes.h"
#include "../base/fdio.h"

#define TIMEOUT_S 10
#define VERSION_BYTES 12
#define FORMAT_BYTES 16
#define REASON_MAX 256u
#define SECURITY_NONE 1
#define MESSAGE_UPDATE 0
#define ENCODING_RAW 0
#define ENCODING_SIZE -223

static int receive(const struct observer *observer, void *ret_bytes, size_t count)
{
	uint8_t *to = ret_bytes;

	while (count) {
		ssize_t n = recv(observer->fd, to, count, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -ECONNRESET;
		to += n;
		count -= (size_t)n;
	}
	return 0;
}

static int say(const struct observer *observer, const void *bytes, size_t count)
{
	ssize_t n = send(observer->fd, bytes, count, MSG_NOSIGNAL);

	return n == (ssize_t)count ? 0 : n < 0 ? -errno : -EIO;
}

/* --- greeting */

/* Why the machine does not want us; 0 when it says so. */
static int receive_reason(const struct observer *observer, char *error, size_t error_size)
{
	uint8_t length[4];
	char reason[REASON_MAX + 1];
	uint32_t count;
	int r = receive(observer, length, sizeof(length));

	count = r < 0 ? 0 : get_be32(length);
	if (count > REASON_MAX)
		return -EPROTO;
	if (r == 0)
		r = receive(observer, reason, count);
	if (r < 0)
		return r;
	reason[count] = '\0';
	for (char *c = reason; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	snprintf(error, error_size, "%s", reason);
	return -EACCES;
}

static int agree_on_security(const struct observer *observer, char *error, size_t error_size)
{
	uint8_t count, kinds[UINT8_MAX], none = SECURITY_NONE, result[4];
	int r = receive(observer, &count, 1);

	if (r == 0 && !count)
		return receive_reason(observer, error, error_size);
	if (r == 0)
		r = receive(observer, kinds, count);
	if (r == 0 && !memchr(kinds, SECURITY_NONE, count))
		return -EPROTO;
	if (r == 0)
		r = say(observer, &none, 1);
	if (r == 0)
		r = receive(observer, result, sizeof(result));
	return r < 0 ? r : get_be32(result) ? -EACCES : 0;
}

static int set_size(struct observer *observer, uint32_t width, uint32_t height)
{
	uint32_t *pixels;

	if (!width || !height || width > OBSERVER_SIZE_MAX || height > OBSERVER_SIZE_MAX)
		return -EPROTO;
	pixels = calloc((size_t)width * height, sizeof(*pixels));
	if (!pixels)
		return -ENOMEM;
	free(observer->pixels);
	observer->pixels = pixels;
	observer->width = width;
	observer->height = height;
	observer->resized = true;
	return 0;
}

static int receive_init(struct observer *observer)
{
	uint8_t init[4 + FORMAT_BYTES + 4], name[256];
	uint32_t left;
	int r = receive(observer, init, sizeof(init));

	if (r == 0)
		r = set_size(observer, get_be16(init), get_be16(init + 2));
	left = r < 0 ? 0 : get_be32(init + 4 + FORMAT_BYTES);
	while (r == 0 && left) {
		const uint32_t part = left < sizeof(name) ? left : sizeof(name);

		r = receive(observer, name, part);
		left -= part;
	}
	return r;
}

/* Pixels as we keep them, uncompressed: the way is short. */
static int set_up(const struct observer *observer)
{
	static const uint8_t format[20] = { 0, 0,   0, 0,   32, 24, 0, 1, 0, 255,
					    0, 255, 0, 255, 16, 8,  0, 0, 0, 0 };
	uint8_t encodings[12] = { 2, 0, 0, 2 };
	int r = say(observer, format, sizeof(format));

	put_be32(encodings + 4, ENCODING_RAW);
	put_be32(encodings + 8, (uint32_t)ENCODING_SIZE);
	return r < 0 ? r : say(observer, encodings, sizeof(encodings));
}

static int greet(struct observer *observer, char *error, size_t error_size)
{
	char version[VERSION_BYTES];
	uint8_t shared = 1;
	int r = receive(observer, version, sizeof(version));

	if (r == 0 && memcmp(version, "RFB 003.008\n", VERSION_BYTES))
		r = -EPROTO;
	if (r == 0)
		r = say(observer, "RFB 003.808\n", VERSION_BYTES);
	if (r == 0)
		r = agree_on_security(observer, error, error_size);
	if (r == 0)
		r = say(observer, &shared, 1);
	if (r == 0)
		r = receive_init(observer);
	return r < 0 ? r : set_up(observer);
}

int observer_open(struct observer *observer, int fd, char *error, size_t error_size)
{
	const struct timeval patience = { .tv_sec = TIMEOUT_S };
	int r;

	*observer = (struct observer){ .fd = fd };
	error[0] = '\0';
	/* It waits for its bytes, with an end to its patience. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	r = greet(observer, error, error_size);
	if (r < 0 && !error[0])
		snprintf(error, error_size, "%s",
			 r == -EPROTO ? "its words are not understood; is it of this version?"
				      : strerror(-r));
	return r;
}

void observer_close(struct observer *observer)
{
	observer->fd = fd_close(observer->fd);
	free(observer->pixels);
	observer->pixels = NULL;
}

/* --- updates */

int observer_request(struct observer *observer, bool incremental)
{
	uint8_t request[10] = { 3, incremental };

	put_be16(request + 6, (uint16_t)observer->width);
	put_be16(request + 8, (uint16_t)observer->height);
	return say(observer, request, sizeof(request));
}

static void note_change(struct observer *observer, uint32_t x, uint32_t y, uint32_t width,
			uint32_t height)
{
	const bool first = observer->left >= observer->right;

	if (first || x < observer->left)
		observer->left = x;
	if (first || y < observer->top)
		observer->top = y;
	if (first || x + width > observer->right)
		observer->right = x + width;
	if (first || y + height > observer->bottom)
		observer->bottom = y + height;
}

static int take_pixels(struct observer *observer, uint32_t x, uint32_t y, uint32_t width,
		       uint32_t height)
{
	int r = 0;

	if (x + width > observer->width || y + height > observer->height)
		return -EPROTO;
	for (uint32_t line = 0; line < height && r == 0; line++) {
		uint32_t *pixels = observer->pixels + (size_t)(y + line) * observer->width + x;

		r = receive(observer, pixels, width * sizeof(*pixels));
		for (uint32_t i = 0; i < width && r == 0; i++)
			pixels[i] = get_le32(&pixels[i]) & 0xffffff;
	}
	if (r == 0 && width && height)
		note_change(observer, x, y, width, height);
	return r;
}

static int take_rect(struct observer *observer)
{
	uint8_t header[12];
	uint32_t x, y, width, height;
	int r = receive(observer, header, sizeof(header));

	if (r < 0)
		return r;
	x = get_be16(header);
	y = get_be16(header + 2);
	width = get_be16(header + 4);
	height = get_be16(header + 6);
	switch ((int32_t)get_be32(header + 8)) {
	case ENCODING_RAW:
		return take_pixels(observer, x, y, width, height);
	case ENCODING_SIZE:
		r = set_size(observer, width, height);
		if (r == 0)
			note_change(observer, 0, 0, width, height);
		return r;
	default:
		return -EPROTO;
	}
}

int observer_take(struct observer *observer)
{
	uint8_t header[4];
	int r = receive(observer, header, sizeof(header));

	observer->left = observer->right = 0;
	observer->resized = false;
	if (r == 0 && header[0] != MESSAGE_UPDATE)
		return -EPROTO;
	for (uint32_t left = r < 0 ? 0 : get_be16(header + 2); left && r == 0; left--)
		r = take_rect(observer);
	return r;
}

int observer_look(struct observer *observer)
{
	int r;

	/* A new size comes alone, and its contents have to be asked for again. */
	do {
		r = observer_request(observer, false);
		if (r == 0)
			r = observer_take(observer);
	} while (r == 0 && observer->resized);
	return r;
}
