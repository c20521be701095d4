// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Source: Portable Network Graphics (Third Edition), chapter 11, whose animation chunks are acTL,
 * fcTL and fdAT. libpng as distributions have it writes none of them, so the chunks are written
 * here; zlib gives compression and check sums.
 *
 * How long a frame is shown is known when the next one comes, and how many frames there are at the
 * end: both are written over in place. IEND stands behind each frame, and the next frame takes its
 * place, so that a recording whose program was killed is a whole file.
 */
#include "picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../base/bytes.h"
#include "../base/cursor.h"
#include "../base/fdio.h"

#define CHUNK_OVERHEAD 12u /* length, type, check sum */
#define HEADER_BYTES 8u
#define CONTROL_AT (HEADER_BYTES + CHUNK_OVERHEAD + 13) /* of acTL */
#define FRAME_CONTROL_BYTES 26u
#define FILTER_NONE 0
#define DELAY_MAX 65535

static const uint8_t signature[HEADER_BYTES] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

/* A chunk at @at; *ret_end is behind it. */
static int write_chunk(int fd, uint64_t at, const char *type, const void *data, uint32_t size,
		       uint64_t *ret_end)
{
	uint8_t *chunk = malloc(size + CHUNK_OVERHEAD);
	struct cursor c;
	int r;

	if (!chunk)
		return -ENOMEM;
	c = cursor_writer(chunk, size + CHUNK_OVERHEAD);
	cursor_put_be32(&c, size);
	cursor_put_bytes(&c, type, 4);
	cursor_put_bytes(&c, data, size);
	cursor_put_be32(&c, (uint32_t)crc32(0, chunk + 4, size + 4));
	r = fd_pwrite_full(fd, chunk, c.pos, at);
	if (r == 0)
		*ret_end = at + c.pos;
	free(chunk);
	return r;
}

static int write_animation_control(const struct recording *recording)
{
	uint8_t data[8];
	uint64_t end;

	put_be32(data, recording->frames);
	put_be32(data + 4, 1); /* played once */
	return write_chunk(recording->fd, CONTROL_AT, "acTL", data, sizeof(data), &end);
}

int recording_begin(struct recording *recording, int fd, uint32_t width, uint32_t height)
{
	uint8_t header[13];
	struct cursor c = cursor_writer(header, sizeof(header));
	int r;

	*recording = (struct recording){ .fd = fd, .width = width, .height = height };
	cursor_put_be32(&c, width);
	cursor_put_be32(&c, height);
	cursor_put_u8(&c, 8); /* bits of a colour */
	cursor_put_u8(&c, 2); /* red, green, blue */
	cursor_put_zeros(&c, 3);
	r = fd_pwrite_full(fd, signature, sizeof(signature), 0);
	if (r == 0)
		r = write_chunk(fd, HEADER_BYTES, "IHDR", header, sizeof(header), &recording->end);
	if (r == 0)
		r = write_animation_control(recording);
	recording->end += CHUNK_OVERHEAD + 8;
	return r;
}

/* fcTL of the last frame: where it is, and how long it is shown. */
static int write_frame_control(const struct recording *recording, int64_t shown_ms,
			       uint64_t *ret_end)
{
	uint8_t data[FRAME_CONTROL_BYTES];
	struct cursor c = cursor_writer(data, sizeof(data));
	const bool long_time = shown_ms > DELAY_MAX;
	const int64_t delay = long_time ? shown_ms / 1000 : shown_ms;

	cursor_put_be32(&c, recording->last_sequence);
	cursor_put_be32(&c, recording->last[2]);
	cursor_put_be32(&c, recording->last[3]);
	cursor_put_be32(&c, recording->last[0]);
	cursor_put_be32(&c, recording->last[1]);
	cursor_put_be16(&c, (uint16_t)(delay > DELAY_MAX ? DELAY_MAX : delay));
	cursor_put_be16(&c, long_time ? 1 : 1000);
	cursor_put_zeros(&c, 2); /* stays, and takes the place of what was there */
	return write_chunk(recording->fd, recording->frame_at, "fcTL", data, sizeof(data), ret_end);
}

/* The part's lines, each behind its filter's number. */
static uint8_t *pack_lines(const uint32_t *pixels, uint32_t stride, uint32_t width, uint32_t height,
			   size_t *ret_size)
{
	uint8_t *lines = malloc((size_t)height * (1 + 3 * (size_t)width)), *to = lines;

	for (uint32_t y = 0; lines && y < height; y++, pixels += stride) {
		*to++ = FILTER_NONE;
		for (uint32_t x = 0; x < width; x++, to += 3) {
			to[0] = (uint8_t)(pixels[x] >> 16);
			to[1] = (uint8_t)(pixels[x] >> 8);
			to[2] = (uint8_t)pixels[x];
		}
	}
	*ret_size = lines ? (size_t)(to - lines) : 0;
	return lines;
}

/* IDAT for the first frame; fdAT, which is the same behind a sequence number, for others. */
static int write_frame_data(struct recording *recording, const uint8_t *lines, size_t size,
			    uint64_t at)
{
	const bool first = !recording->frames;
	uLong packed_size = compressBound((uLong)size);
	uint8_t *packed = malloc(4 + packed_size);
	int r = -ENOMEM;

	if (packed && compress2(packed + 4, &packed_size, lines, (uLong)size, 6) == Z_OK) {
		if (first) {
			r = write_chunk(recording->fd, at, "IDAT", packed + 4,
					(uint32_t)packed_size, &recording->end);
		} else {
			put_be32(packed, recording->sequence++);
			r = write_chunk(recording->fd, at, "fdAT", packed,
					(uint32_t)packed_size + 4, &recording->end);
		}
	}
	free(packed);
	return r;
}

int recording_frame(struct recording *recording, const uint32_t *pixels, uint32_t stride,
		    uint32_t x, uint32_t y, uint32_t width, uint32_t height, int64_t now_ms)
{
	uint64_t end;
	uint8_t *lines;
	size_t size;
	int r = recording->frames ? recording_end(recording, now_ms) : 0;

	lines = pack_lines(pixels + (size_t)y * stride + x, stride, width, height, &size);
	if (!lines)
		return -ENOMEM;
	recording->frame_at = recording->end;
	recording->last[0] = x;
	recording->last[1] = y;
	recording->last[2] = width;
	recording->last[3] = height;
	recording->last_sequence = recording->sequence++;
	recording->shown_ms = now_ms;
	if (r == 0)
		r = write_frame_control(recording, 0, &end);
	if (r == 0)
		r = write_frame_data(recording, lines, size, end);
	free(lines);
	if (r < 0)
		return r;
	recording->frames++;
	r = write_animation_control(recording);
	return r < 0 ? r : write_chunk(recording->fd, recording->end, "IEND", "", 0, &end);
}

int recording_end(struct recording *recording, int64_t now_ms)
{
	uint64_t end;

	return write_frame_control(recording, now_ms - recording->shown_ms, &end);
}
