// SPDX-License-Identifier: GPL-2.0-or-later
#include "rfb_client.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/bytes.h"

static uint8_t get8(struct rfb_client *client)
{
	uint8_t value;

	client->read(client, &value, 1);
	return value;
}

static uint16_t get16(struct rfb_client *client)
{
	uint8_t bytes[2];

	client->read(client, bytes, 2);
	return get_be16(bytes);
}

static uint32_t get32(struct rfb_client *client)
{
	uint8_t bytes[4];

	client->read(client, bytes, 4);
	return get_be32(bytes);
}

static void skip(struct rfb_client *client, size_t count)
{
	while (count--)
		get8(client);
}

static void socket_read(struct rfb_client *client, void *ret_bytes, size_t count)
{
	uint8_t *to = ret_bytes;

	while (count) {
		ssize_t n = recv(client->fd, to, count, 0);

		cr_assert_gt(n, 0, "the server hung up or said nothing: %s", strerror(errno));
		to += n;
		count -= (size_t)n;
	}
}

static void socket_write(struct rfb_client *client, const void *bytes, size_t count)
{
	cr_assert_eq(send(client->fd, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
}

void rfb_client_init(struct rfb_client *client)
{
	memset(client, 0, sizeof(*client));
	client->fd = -1;
	client->pixels = calloc(CLIENT_SIZE_MAX * CLIENT_SIZE_MAX, sizeof(uint32_t));
	cr_assert(client->pixels);
}

void rfb_client_socket(struct rfb_client *client, int fd)
{
	rfb_client_init(client);
	client->fd = fd;
	client->read = socket_read;
	client->write = socket_write;
}

void rfb_client_fini(struct rfb_client *client)
{
	if (client->zlib_open)
		inflateEnd(&client->zlib);
	if (client->zrle_open)
		inflateEnd(&client->zrle);
	free(client->pixels);
	if (client->fd >= 0)
		close(client->fd);
}

/* --- to the server */

static void native_format(struct rfb_client *client)
{
	client->bytes = 4;
	client->big_endian = client->palette = false;
	for (unsigned int i = 0; i < 3; i++) {
		client->max[i] = 255;
		client->shift[i] = 16 - 8 * i;
	}
}

void rfb_client_greet(struct rfb_client *client, const char *version)
{
	char text[13] = "";
	uint8_t shared = 1, none = 1;
	uint32_t length;

	client->read(client, text, 12);
	cr_assert_str_eq(text, "RFB 003.008\n");
	snprintf(text, sizeof(text), "RFB %s\n", version);
	client->write(client, text, 12);
	if (!strcmp(version, "003.003")) {
		cr_assert_eq(get32(client), 1, "no security");
	} else {
		cr_assert_eq(get8(client), 1, "one kind of security");
		cr_assert_eq(get8(client), 1, "which is none");
		client->write(client, &none, 1);
		if (strcmp(version, "003.007"))
			cr_assert_eq(get32(client), 0, "security result");
	}
	client->write(client, &shared, 1);
	client->width = get16(client);
	client->height = get16(client);
	cr_assert_eq(get8(client), 32);
	cr_assert_eq(get8(client), 24);
	skip(client, 14);
	native_format(client);
	length = get32(client);
	cr_assert_lt(length, sizeof(client->name));
	client->read(client, client->name, length);
}

void rfb_client_set_format(struct rfb_client *client, unsigned int bits, bool big_endian,
			   const unsigned int max[3], const unsigned int shift[3])
{
	uint8_t message[20] = {
		0, 0, 0, 0, (uint8_t)bits, (uint8_t)(bits == 32 ? 24 : bits), big_endian, 1
	};

	client->bytes = bits / 8;
	client->big_endian = big_endian;
	client->palette = false;
	for (unsigned int i = 0; i < 3; i++) {
		client->max[i] = max[i];
		client->shift[i] = shift[i];
		put_be16(message + 8 + 2 * i, (uint16_t)max[i]);
		message[14 + i] = (uint8_t)shift[i];
	}
	client->write(client, message, sizeof(message));
}

void rfb_client_ask_palette(struct rfb_client *client)
{
	const uint8_t message[20] = { 0, 0, 0, 0, 8, 8, 0, 0 };

	client->bytes = 1;
	client->palette = true;
	client->write(client, message, sizeof(message));
}

void rfb_client_set_encodings(struct rfb_client *client, const int32_t *encodings, uint16_t count)
{
	uint8_t message[4] = { 2 };

	put_be16(message + 2, count);
	client->write(client, message, sizeof(message));
	for (uint16_t i = 0; i < count; i++) {
		uint8_t number[4];

		put_be32(number, (uint32_t)encodings[i]);
		client->write(client, number, 4);
	}
}

void rfb_client_request(struct rfb_client *client, bool incremental)
{
	uint8_t message[10] = { 3, incremental };

	put_be16(message + 6, (uint16_t)client->width);
	put_be16(message + 8, (uint16_t)client->height);
	client->write(client, message, sizeof(message));
}

void rfb_client_key(struct rfb_client *client, uint32_t keysym, bool down)
{
	uint8_t message[8] = { 4, down };

	put_be32(message + 4, keysym);
	client->write(client, message, sizeof(message));
}

void rfb_client_extended_key(struct rfb_client *client, uint32_t keysym, uint32_t code, bool down)
{
	uint8_t message[12] = { 255, 0, 0, down };

	put_be32(message + 4, keysym);
	put_be32(message + 8, code);
	client->write(client, message, sizeof(message));
}

void rfb_client_pointer(struct rfb_client *client, uint16_t x, uint16_t y, uint8_t mask)
{
	uint8_t message[6] = { 5, mask };

	put_be16(message + 2, x);
	put_be16(message + 4, y);
	client->write(client, message, sizeof(message));
}

/* --- pixels */

/* @bytes as they come to 00RRGGBBh. */
static uint32_t decode(const struct rfb_client *client, const uint8_t *bytes)
{
	uint32_t value = 0, rgb = 0;

	for (unsigned int i = 0; i < client->bytes; i++)
		value |= (uint32_t)bytes[i] << 8 * (client->big_endian ? client->bytes - 1 - i : i);
	if (client->palette)
		return client->colours[value & 0xff];
	for (unsigned int i = 0; i < 3; i++)
		rgb = rgb << 8 |
		      (value >> client->shift[i] & client->max[i]) * 255 / client->max[i];
	return rgb;
}

static uint32_t *at(struct rfb_client *client, uint32_t x, uint32_t y)
{
	return client->pixels + (size_t)y * CLIENT_SIZE_MAX + x;
}

struct rect {
	uint32_t x, y, width, height;
};

static void take_raw(struct rfb_client *client, const struct rect *r)
{
	uint8_t bytes[4];

	for (uint32_t i = 0; i < r->width * r->height; i++) {
		client->read(client, bytes, client->bytes);
		*at(client, r->x + i % r->width, r->y + i / r->width) = decode(client, bytes);
	}
}

static void take_copy(struct rfb_client *client, const struct rect *r)
{
	const uint32_t x = get16(client), y = get16(client);
	const size_t bytes = r->width * sizeof(uint32_t);

	cr_assert_leq(x + r->width, client->width);
	cr_assert_leq(y + r->height, client->height);
	for (uint32_t i = 0; i < r->height; i++) {
		const uint32_t line = y > r->y ? i : r->height - 1 - i;

		memmove(at(client, r->x, r->y + line), at(client, x, y + line), bytes);
	}
}

/* What a compressed rectangle comes to; the caller frees it. */
static uint8_t *inflate_rect(struct rfb_client *client, z_stream *stream, bool *open, size_t max,
			     size_t *ret_size)
{
	const uint32_t count = get32(client);
	uint8_t *packed = malloc(count + 1), *plain = malloc(max);
	int r;

	cr_assert(packed && plain);
	client->read(client, packed, count);
	if (!*open)
		cr_assert_eq(inflateInit(stream), Z_OK);
	*open = true;
	stream->next_in = packed;
	stream->avail_in = count;
	stream->next_out = plain;
	stream->avail_out = (uInt)max;
	r = inflate(stream, Z_SYNC_FLUSH);
	cr_assert(r == Z_OK, "inflate says %d", r);
	cr_assert_eq(stream->avail_in, 0, "more bytes than the rectangle has");
	*ret_size = max - stream->avail_out;
	free(packed);
	return plain;
}

static void take_zlib(struct rfb_client *client, const struct rect *r)
{
	const size_t count = (size_t)r->width * r->height;
	size_t size;
	uint8_t *plain = inflate_rect(client, &client->zlib, &client->zlib_open,
				      count * client->bytes + 1, &size);

	cr_assert_eq(size, count * client->bytes);
	for (uint32_t i = 0; i < count; i++)
		*at(client, r->x + i % r->width, r->y + i / r->width) =
			decode(client, plain + i * client->bytes);
	free(plain);
}

struct reader {
	const uint8_t *at, *end;
};

static uint8_t next(struct reader *reader)
{
	cr_assert_lt((uintptr_t)reader->at, (uintptr_t)reader->end, "a tile is cut off");
	return *reader->at++;
}

/* A pixel without the byte that no colour uses. */
static uint32_t next_compact(struct rfb_client *client, struct reader *reader)
{
	uint8_t bytes[4] = { 0 };
	uint32_t used = 0;
	bool low, high;

	for (unsigned int i = 0; i < 3; i++)
		used |= client->max[i] << client->shift[i];
	low = client->bytes == 4 && !(used >> 24);
	high = client->bytes == 4 && !low && !(used & 0xff);
	if (!low && !high) {
		for (unsigned int i = 0; i < client->bytes; i++)
			bytes[i] = next(reader);
	} else {
		const unsigned int first = low == client->big_endian;

		for (unsigned int i = 0; i < 3; i++)
			bytes[first + i] = next(reader);
	}
	return decode(client, bytes);
}

static uint32_t next_length(struct reader *reader)
{
	uint32_t length = 1, byte;

	do {
		byte = next(reader);
		length += byte;
	} while (byte == 255);
	return length;
}

static void take_runs(struct rfb_client *client, struct reader *reader, const struct rect *tile,
		      const uint32_t *palette, unsigned int colours)
{
	const uint32_t count = tile->width * tile->height;

	for (uint32_t i = 0; i < count;) {
		uint32_t pixel, run = 1;

		if (colours) {
			uint8_t index = next(reader);

			cr_assert_lt((unsigned int)(index & 0x7f), colours);
			pixel = palette[index & 0x7f];
			if (index & 0x80)
				run = next_length(reader);
		} else {
			pixel = next_compact(client, reader);
			run = next_length(reader);
		}
		cr_assert_leq(i + run, count, "a run beyond its tile");
		for (; run--; i++)
			*at(client, tile->x + i % tile->width, tile->y + i / tile->width) = pixel;
	}
}

static void take_indices(struct rfb_client *client, struct reader *reader, const struct rect *tile,
			 const uint32_t *palette, unsigned int colours)
{
	const unsigned int bits = colours > 4 ? 4 : colours > 2 ? 2 : 1;

	for (uint32_t y = 0; y < tile->height; y++) {
		unsigned int left = 0;
		uint8_t byte = 0;

		for (uint32_t x = 0; x < tile->width; x++) {
			unsigned int index;

			if (!left) {
				byte = next(reader);
				left = 8;
			}
			left -= bits;
			index = byte >> left & ((1u << bits) - 1);
			cr_assert_lt(index, colours);
			*at(client, tile->x + x, tile->y + y) = palette[index];
		}
	}
}

static void take_tile(struct rfb_client *client, struct reader *reader, const struct rect *tile)
{
	const uint8_t kind = next(reader);
	const unsigned int colours = kind & 0x7f;
	uint32_t palette[128];

	cr_assert(kind <= 16 || kind >= 128, "tile kind %u", kind);
	cr_assert_neq(kind, 129);
	for (unsigned int i = 0; i < colours; i++)
		palette[i] = next_compact(client, reader);
	if (kind == 0 || kind == 1) {
		for (uint32_t i = 0; i < tile->width * tile->height; i++)
			*at(client, tile->x + i % tile->width, tile->y + i / tile->width) =
				kind ? palette[0] : next_compact(client, reader);
	} else if (kind < 128) {
		take_indices(client, reader, tile, palette, colours);
	} else {
		take_runs(client, reader, tile, palette, colours);
	}
}

static void take_zrle(struct rfb_client *client, const struct rect *r)
{
	size_t size;
	uint8_t *plain = inflate_rect(client, &client->zrle, &client->zrle_open,
				      (size_t)r->width * r->height * 4 + 65536, &size);
	struct reader reader = { plain, plain + size };

	for (uint32_t y = 0; y < r->height; y += 64) {
		for (uint32_t x = 0; x < r->width; x += 64) {
			const struct rect tile = { r->x + x, r->y + y,
						   r->width - x < 64 ? r->width - x : 64,
						   r->height - y < 64 ? r->height - y : 64 };

			take_tile(client, &reader, &tile);
		}
	}
	cr_assert_eq(reader.at, reader.end, "more bytes than tiles");
	free(plain);
}

/* --- what else comes */

static void take_size(struct rfb_client *client, const struct rect *r)
{
	cr_assert(r->width && r->width <= CLIENT_SIZE_MAX);
	cr_assert(r->height && r->height <= CLIENT_SIZE_MAX);
	client->resizes += client->width != r->width || client->height != r->height;
	client->width = r->width;
	client->height = r->height;
}

static void take_screens(struct rfb_client *client, const struct rect *r)
{
	const uint8_t count = get8(client);

	skip(client, 3 + 16u * count);
	client->size_reason = (uint16_t)r->x;
	client->size_status = (uint16_t)r->y;
	take_size(client, r);
}

static void take_cursor(struct rfb_client *client, const struct rect *r)
{
	skip(client,
	     (size_t)r->width * r->height * client->bytes + (size_t)(r->width + 7) / 8 * r->height);
	client->cursor_hot_x = r->x;
	client->cursor_hot_y = r->y;
	client->cursor_width = r->width;
	client->cursor_height = r->height;
}

static void take_rect(struct rfb_client *client)
{
	struct rect r;
	int32_t encoding;

	r.x = get16(client);
	r.y = get16(client);
	r.width = get16(client);
	r.height = get16(client);
	encoding = (int32_t)get32(client);
	if (encoding >= 0) {
		cr_assert_leq(r.x + r.width, client->width);
		cr_assert_leq(r.y + r.height, client->height);
		client->pixels_sent += encoding == 1 ? 0 : r.width * r.height;
	}
	switch (encoding) {
	case 0:
		client->raws++;
		take_raw(client, &r);
		break;
	case 1:
		client->copies++;
		take_copy(client, &r);
		break;
	case 6:
		client->zlibs++;
		take_zlib(client, &r);
		break;
	case 16:
		client->zrles++;
		take_zrle(client, &r);
		break;
	case -223:
		take_size(client, &r);
		break;
	case -239:
		take_cursor(client, &r);
		break;
	case -257:
		client->motion_told = true;
		client->motion_absolute = r.x;
		break;
	case -258:
		client->extended_keys = true;
		break;
	case -261:
		client->leds_told = true;
		client->leds = get8(client);
		break;
	case -308:
		take_screens(client, &r);
		break;
	default:
		cr_assert_fail("encoding %d was not asked for", encoding);
	}
}

static void take_palette(struct rfb_client *client)
{
	uint16_t first, count;

	get8(client);
	first = get16(client);
	count = get16(client);
	for (uint16_t i = 0; i < count; i++) {
		uint32_t rgb = 0;

		for (unsigned int part = 0; part < 3; part++)
			rgb = rgb << 8 | get16(client) >> 8;
		client->colours[(first + i) & 0xff] = rgb;
	}
}

uint8_t rfb_client_take(struct rfb_client *client)
{
	const uint8_t type = get8(client);

	switch (type) {
	case 0:
		get8(client);
		client->rects = get16(client);
		for (unsigned int i = 0; i < client->rects; i++)
			take_rect(client);
		break;
	case 1:
		take_palette(client);
		break;
	case 150:
		client->continuous_ends++;
		break;
	case 248:
		skip(client, 3);
		client->fences++;
		client->fence_flags = get32(client);
		client->fence_size = get8(client);
		cr_assert_leq(client->fence_size, 64);
		client->read(client, client->fence_payload, client->fence_size);
		break;
	default:
		cr_assert_fail("message %u is unknown", type);
	}
	return type;
}

void rfb_client_update(struct rfb_client *client)
{
	while (rfb_client_take(client) != 0)
		;
}
