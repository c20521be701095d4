/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture's rectangles in the forms that an RFB viewer can ask for (RFC 6143 section 7.7): Raw,
 * Zlib (a stream of raw pixels) and ZRLE, in the viewer's own pixel format.
 */
#ifndef VMM_RFB_ENCODE_H
#define VMM_RFB_ENCODE_H

#include <zlib.h>

#include "../base/cursor.h"
#include "screen.h"

/* What one rectangle may have at most: small enough that encoding it keeps nobody waiting. */
#define RFB_RECT_PIXELS 16384u
/* What it takes at most in any form, its header included. */
#define RFB_RECT_BYTES (RFB_RECT_PIXELS * 4 + RFB_RECT_PIXELS / 16 + 1024)
#define RFB_FORMAT_BYTES 16

enum rfb_encoding {
	RFB_RAW = 0,
	RFB_COPY_RECT = 1,
	RFB_ZLIB = 6,
	RFB_ZRLE = 16,
	/* Not encodings, but what a viewer understands besides (the protocol's registry). */
	RFB_CURSOR = -239,
	RFB_DESKTOP_SIZE = -223,
	RFB_COMPRESS_LEVEL_0 = -256,
	RFB_COMPRESS_LEVEL_9 = -247,
	RFB_POINTER_MOTION = -257,
	RFB_EXTENDED_KEYS = -258,
	RFB_LED_STATE = -261,
	RFB_EXTENDED_DESKTOP_SIZE = -308,
	RFB_FENCE = -312,
	RFB_CONTINUOUS_UPDATES = -313,
};

/* As it goes over the wire, see the RFC's 7.4. */
struct rfb_format {
	uint8_t bits_per_pixel, depth, big_endian, true_colour;
	uint16_t red_max, green_max, blue_max;
	uint8_t red_shift, green_shift, blue_shift;
};

extern const struct rfb_format rfb_format_default;

struct rfb_format rfb_format_get(struct cursor *from);
void rfb_format_put(struct cursor *to, const struct rfb_format *format);

struct rfb_encoder {
	/* A pixel is the sum of these three, its bytes in the order of the wire. */
	uint32_t red[256], green[256], blue[256];
	unsigned int bytes;			   /* of a pixel */
	unsigned int compact_bytes, compact_shift; /* of a pixel in ZRLE */
	int level;				   /* of compression, 1 to 9 */
	z_stream zlib, zrle;			   /* a stream each for the connection's life */
	bool zlib_open, zrle_open;
	/* Pixels of a rectangle, and what is made of them before compression. */
	uint32_t pixels[RFB_RECT_PIXELS];
	uint8_t packed[RFB_RECT_BYTES];
};

void rfb_encoder_init(struct rfb_encoder *encoder);
void rfb_encoder_fini(struct rfb_encoder *encoder);
/* False: no format that this server, or anybody, can send. */
bool rfb_encoder_set_format(struct rfb_encoder *encoder, const struct rfb_format *format);

/* The 256 colours of a viewer that has a palette: a SetColourMapEntries message. */
void rfb_put_palette(struct cursor *to);

/* A rectangle's header. */
void rfb_put_header(struct cursor *to, const struct display_rect *rect, enum rfb_encoding encoding);
/*
 * @rect of the picture as a rectangle in @encoding (RFB_RAW, RFB_ZLIB or RFB_ZRLE), which takes
 * RFB_RECT_BYTES at most. False, with @to failed, when there was no memory.
 */
bool rfb_encode(struct rfb_encoder *encoder, const struct screen *screen,
		const struct display_rect *rect, enum rfb_encoding encoding, struct cursor *to);

/*
 * The pointer's shape (RFB_CURSOR): @argb are @width * @height pixels, those with the uppermost
 * byte not 0 visible.
 */
void rfb_encode_cursor(const struct rfb_encoder *encoder, uint32_t hot_x, uint32_t hot_y,
		       uint32_t width, uint32_t height, const uint32_t *argb, struct cursor *to);

#endif
