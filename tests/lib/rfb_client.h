/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer for tests, written from RFC 6143 and the protocol's registry alone: it knows nothing of
 * the server's code. It keeps the picture, the pointer's shape and what it was told besides; what
 * breaks the protocol fails the test.
 */
#ifndef TESTS_RFB_CLIENT_H
#define TESTS_RFB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#define CLIENT_SIZE_MAX 2048u

struct rfb_client {
	/* All @count bytes, or the test fails. */
	void (*read)(struct rfb_client *client, void *ret_bytes, size_t count);
	void (*write)(struct rfb_client *client, const void *bytes, size_t count);
	void *opaque;
	int fd;

	uint32_t width, height;
	char name[256];
	/* The format that pixels come in, and the picture as 00RRGGBBh as far as that tells. */
	unsigned int bytes, max[3], shift[3];
	bool big_endian, palette;
	uint32_t colours[256];
	uint32_t *pixels; /* lines of CLIENT_SIZE_MAX */
	z_stream zlib, zrle;
	bool zlib_open, zrle_open;

	/* Of the last update, and of all. */
	unsigned int rects, copies, resizes, raws, zlibs, zrles;
	uint64_t pixels_sent;
	unsigned int cursor_width, cursor_height, cursor_hot_x, cursor_hot_y;
	bool extended_keys, motion_told, motion_absolute, leds_told;
	uint8_t leds;
	uint16_t size_reason, size_status;
	unsigned int fences, continuous_ends;
	uint32_t fence_flags;
	uint8_t fence_payload[64], fence_size;
};

/* Reads and writes @fd. */
void rfb_client_socket(struct rfb_client *client, int fd);
void rfb_client_init(struct rfb_client *client);
void rfb_client_fini(struct rfb_client *client);

/* The greeting with @version ("003.008"), without a word beyond ServerInit. */
void rfb_client_greet(struct rfb_client *client, const char *version);
void rfb_client_set_format(struct rfb_client *client, unsigned int bits, bool big_endian,
			   const unsigned int max[3], const unsigned int shift[3]);
void rfb_client_ask_palette(struct rfb_client *client);
void rfb_client_set_encodings(struct rfb_client *client, const int32_t *encodings, uint16_t count);
void rfb_client_request(struct rfb_client *client, bool incremental);
void rfb_client_key(struct rfb_client *client, uint32_t keysym, bool down);
void rfb_client_extended_key(struct rfb_client *client, uint32_t keysym, uint32_t code, bool down);
void rfb_client_pointer(struct rfb_client *client, uint16_t x, uint16_t y, uint8_t mask);

/* One message from the server; its type. */
uint8_t rfb_client_take(struct rfb_client *client);
/* Messages until an update has come. */
void rfb_client_update(struct rfb_client *client);

#endif
