// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A pixel's three colours are looked up in tables that hold them at their place in the viewer's
 * format, byte order included, so that any format costs three additions.
 *
 * ZRLE cuts a rectangle into tiles of 64 by 64 and says of each which of five forms it is in; the
 * smallest is taken: one colour, indices of 1, 2 or 4 bits into a palette, runs of palette indices,
 * runs of pixels, or pixels. All of it goes through one compressor that lives as long as the
 * connection, flushed behind each rectangle.
 */
#include "rfb_encode.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define TILE 64u
#define PALETTE_MAX 127u
#define PALETTE_SLOTS 256u
#define PACKED_MAX 16u
#define RAW_TILE 0
#define RLE_TILE 128
#define LEVEL_DEFAULT 2
#define MESSAGE_COLOUR_MAP 1

const struct rfb_format rfb_format_default = {
	.bits_per_pixel = 32,
	.depth = 24,
	.true_colour = 1,
	.red_max = 255,
	.green_max = 255,
	.blue_max = 255,
	.red_shift = 16,
	.green_shift = 8,
};

/* Who wants a palette gets one of 3, 3 and 2 bits. */
static const struct rfb_format palette_format = {
	.bits_per_pixel = 8,
	.depth = 8,
	.true_colour = 1,
	.red_max = 7,
	.green_max = 7,
	.blue_max = 3,
	.red_shift = 5,
	.green_shift = 2,
};

/* --- formats */

struct rfb_format rfb_format_get(struct cursor *from)
{
	struct rfb_format format;

	format.bits_per_pixel = cursor_get_u8(from);
	format.depth = cursor_get_u8(from);
	format.big_endian = cursor_get_u8(from);
	format.true_colour = cursor_get_u8(from);
	format.red_max = cursor_get_be16(from);
	format.green_max = cursor_get_be16(from);
	format.blue_max = cursor_get_be16(from);
	format.red_shift = cursor_get_u8(from);
	format.green_shift = cursor_get_u8(from);
	format.blue_shift = cursor_get_u8(from);
	cursor_skip(from, 3);
	return format;
}

void rfb_format_put(struct cursor *to, const struct rfb_format *format)
{
	cursor_put_u8(to, format->bits_per_pixel);
	cursor_put_u8(to, format->depth);
	cursor_put_u8(to, format->big_endian);
	cursor_put_u8(to, format->true_colour);
	cursor_put_be16(to, format->red_max);
	cursor_put_be16(to, format->green_max);
	cursor_put_be16(to, format->blue_max);
	cursor_put_u8(to, format->red_shift);
	cursor_put_u8(to, format->green_shift);
	cursor_put_u8(to, format->blue_shift);
	cursor_put_zeros(to, 3);
}

/* A colour must be all ones below its maximum and lie within the pixel. */
static bool colour_fits(uint16_t max, uint8_t shift, uint8_t bits)
{
	return max && !(max & (max + 1u)) && shift < bits && (uint64_t)max << shift < BIT64(bits);
}

static uint32_t wire_order(uint32_t pixel, const struct rfb_format *format)
{
	if (!format->big_endian)
		return pixel;
	pixel = __builtin_bswap32(pixel);
	return pixel >> (32 - format->bits_per_pixel);
}

static void fill_table(uint32_t table[256], uint16_t max, uint8_t shift,
		       const struct rfb_format *format)
{
	for (uint32_t i = 0; i < 256; i++)
		table[i] = wire_order((i * max + 127) / 255 << shift, format);
}

/* ZRLE leaves the byte out that no colour of a 32-bit pixel uses. */
static void find_compact(struct rfb_encoder *encoder, const struct rfb_format *format)
{
	const uint32_t used = (uint32_t)format->red_max << format->red_shift |
			      (uint32_t)format->green_max << format->green_shift |
			      (uint32_t)format->blue_max << format->blue_shift;
	const bool low = !(used & 0xff000000), high = !(used & 0x000000ff);

	encoder->compact_bytes = encoder->bytes;
	encoder->compact_shift = 0;
	if (format->bits_per_pixel != 32 || format->depth > 24 || !(low || high))
		return;
	encoder->compact_bytes = 3;
	/* The unused byte is the first on the wire. */
	if (low ? format->big_endian : !format->big_endian)
		encoder->compact_shift = 8;
}

bool rfb_encoder_set_format(struct rfb_encoder *encoder, const struct rfb_format *format)
{
	const uint8_t bits = format->bits_per_pixel;

	if (!format->true_colour && bits == 8)
		format = &palette_format;
	if ((bits != 8 && bits != 16 && bits != 32) || !format->true_colour ||
	    !colour_fits(format->red_max, format->red_shift, bits) ||
	    !colour_fits(format->green_max, format->green_shift, bits) ||
	    !colour_fits(format->blue_max, format->blue_shift, bits))
		return false;
	encoder->bytes = bits / 8;
	fill_table(encoder->red, format->red_max, format->red_shift, format);
	fill_table(encoder->green, format->green_max, format->green_shift, format);
	fill_table(encoder->blue, format->blue_max, format->blue_shift, format);
	find_compact(encoder, format);
	return true;
}

void rfb_encoder_init(struct rfb_encoder *encoder)
{
	memset(encoder, 0, offsetof(struct rfb_encoder, pixels));
	encoder->level = LEVEL_DEFAULT;
	rfb_encoder_set_format(encoder, &rfb_format_default);
}

void rfb_encoder_fini(struct rfb_encoder *encoder)
{
	if (encoder->zlib_open)
		deflateEnd(&encoder->zlib);
	if (encoder->zrle_open)
		deflateEnd(&encoder->zrle);
	encoder->zlib_open = encoder->zrle_open = false;
}

void rfb_put_palette(struct cursor *to)
{
	const struct rfb_format *format = &palette_format;

	cursor_put_u8(to, MESSAGE_COLOUR_MAP);
	cursor_put_u8(to, 0);
	cursor_put_be16(to, 0);
	cursor_put_be16(to, 256);
	for (uint32_t i = 0; i < 256; i++) {
		const uint32_t red = i >> format->red_shift & format->red_max;
		const uint32_t green = i >> format->green_shift & format->green_max;
		const uint32_t blue = i >> format->blue_shift & format->blue_max;

		cursor_put_be16(to, (uint16_t)(red * 65535 / format->red_max));
		cursor_put_be16(to, (uint16_t)(green * 65535 / format->green_max));
		cursor_put_be16(to, (uint16_t)(blue * 65535 / format->blue_max));
	}
}

/* --- pixels */

void rfb_put_header(struct cursor *to, const struct display_rect *rect, enum rfb_encoding encoding)
{
	cursor_put_be16(to, (uint16_t)rect->x);
	cursor_put_be16(to, (uint16_t)rect->y);
	cursor_put_be16(to, (uint16_t)rect->width);
	cursor_put_be16(to, (uint16_t)rect->height);
	cursor_put_be32(to, (uint32_t)encoding);
}

static uint32_t translate(const struct rfb_encoder *encoder, uint32_t rgb)
{
	return encoder->red[rgb >> 16 & 0xff] | encoder->green[rgb >> 8 & 0xff] |
	       encoder->blue[rgb & 0xff];
}

/* The rectangle in the viewer's format, a word for each pixel, into encoder->pixels. */
static void fetch(struct rfb_encoder *encoder, const struct screen *screen,
		  const struct display_rect *rect)
{
	uint32_t *pixels = encoder->pixels;

	for (uint32_t y = 0; y < rect->height; y++, pixels += rect->width) {
		screen_copy_line(screen, rect->x, rect->y + y, rect->width, pixels);
		for (uint32_t x = 0; x < rect->width; x++)
			pixels[x] = translate(encoder, pixels[x]);
	}
}

/* Bytes of @count pixels to @to, which has room. */
static size_t put_pixels(const uint32_t *pixels, size_t count, unsigned int bytes, uint8_t *to)
{
	switch (bytes) {
	case 4:
		memcpy(to, pixels, count * 4);
		break;
	case 2:
		for (size_t i = 0; i < count; i++)
			put_le16(to + 2 * i, (uint16_t)pixels[i]);
		break;
	default:
		for (size_t i = 0; i < count; i++)
			to[i] = (uint8_t)pixels[i];
		break;
	}
	return count * bytes;
}

/* --- ZRLE */

struct tile {
	const uint32_t *pixels;
	uint32_t stride, width, height;
	/* What a first look finds. */
	uint32_t runs, long_bytes; /* bytes that say how long runs are */
	uint32_t singles;	   /* runs of one */
	uint32_t colours;	   /* PALETTE_MAX + 1: more than that */
	uint32_t palette[PALETTE_MAX + 1];
	uint8_t slots[PALETTE_SLOTS]; /* index + 1 of the colour that hashes there or before */
};

static uint32_t slot_of(const struct tile *tile, uint32_t pixel)
{
	uint32_t slot = pixel * 0x9e3779b1u >> 24;

	while (tile->slots[slot] && tile->palette[tile->slots[slot] - 1] != pixel)
		slot = (slot + 1) % PALETTE_SLOTS;
	return slot;
}

static uint8_t index_of(const struct tile *tile, uint32_t pixel)
{
	return (uint8_t)(tile->slots[slot_of(tile, pixel)] - 1);
}

static void note_colour(struct tile *tile, uint32_t pixel)
{
	uint32_t slot;

	if (tile->colours > PALETTE_MAX)
		return;
	slot = slot_of(tile, pixel);
	if (tile->slots[slot])
		return;
	if (tile->colours < PALETTE_MAX) {
		tile->palette[tile->colours] = pixel;
		tile->slots[slot] = (uint8_t)(tile->colours + 1);
	}
	tile->colours++;
}

static uint32_t pixel_at(const struct tile *tile, uint32_t at)
{
	return tile->pixels[at / tile->width * tile->stride + at % tile->width];
}

/* The length of the run that begins with pixel @at, lines one after the other. */
static uint32_t run_at(const struct tile *tile, uint32_t at)
{
	const uint32_t count = tile->width * tile->height, pixel = pixel_at(tile, at);
	uint32_t x = at % tile->width, end = at;
	const uint32_t *line = tile->pixels + at / tile->width * tile->stride;

	while (end < count && line[x] == pixel) {
		end++;
		if (++x == tile->width) {
			x = 0;
			line += tile->stride;
		}
	}
	return end - at;
}

static void look_at(struct tile *tile)
{
	const uint32_t count = tile->width * tile->height;
	uint32_t run;

	tile->runs = tile->singles = tile->long_bytes = tile->colours = 0;
	memset(tile->slots, 0, sizeof(tile->slots));
	for (uint32_t at = 0; at < count; at += run) {
		run = run_at(tile, at);
		note_colour(tile, pixel_at(tile, at));
		tile->runs++;
		tile->singles += run == 1;
		tile->long_bytes += (run - 1) / 255 + 1;
	}
}

static uint8_t *put_compact(const struct rfb_encoder *encoder, uint32_t pixel, uint8_t *to)
{
	pixel >>= encoder->compact_shift;
	for (unsigned int i = 0; i < encoder->compact_bytes; i++, pixel >>= 8)
		*to++ = (uint8_t)pixel;
	return to;
}

static uint8_t *put_tile_palette(const struct rfb_encoder *encoder, const struct tile *tile,
				 uint8_t *to)
{
	for (uint32_t i = 0; i < tile->colours; i++)
		to = put_compact(encoder, tile->palette[i], to);
	return to;
}

/* A length less one in bytes of 255 and the rest. */
static uint8_t *put_length(uint32_t run, uint8_t *to)
{
	for (run--; run >= 255; run -= 255)
		*to++ = 255;
	*to++ = (uint8_t)run;
	return to;
}

static unsigned int index_bits(uint32_t colours)
{
	return colours <= 2 ? 1 : colours <= 4 ? 2 : 4;
}

static uint8_t *put_indices(const struct tile *tile, uint8_t *to)
{
	const unsigned int bits = index_bits(tile->colours);

	for (uint32_t y = 0; y < tile->height; y++) {
		unsigned int filled = 0;
		uint8_t byte = 0;

		for (uint32_t x = 0; x < tile->width; x++) {
			const uint32_t pixel = tile->pixels[y * tile->stride + x];

			byte = (uint8_t)(byte << bits | index_of(tile, pixel));
			filled += bits;
			if (filled == 8) {
				*to++ = byte;
				filled = byte = 0;
			}
		}
		if (filled)
			*to++ = (uint8_t)(byte << (8 - filled));
	}
	return to;
}

static uint8_t *put_palette_runs(const struct tile *tile, uint8_t *to)
{
	const uint32_t count = tile->width * tile->height;
	uint32_t run;

	for (uint32_t at = 0; at < count; at += run) {
		const uint8_t index = index_of(tile, pixel_at(tile, at));

		run = run_at(tile, at);
		if (run == 1) {
			*to++ = index;
			continue;
		}
		*to++ = index | RLE_TILE;
		to = put_length(run, to);
	}
	return to;
}

static uint8_t *put_runs(const struct rfb_encoder *encoder, const struct tile *tile, uint8_t *to)
{
	const uint32_t count = tile->width * tile->height;
	uint32_t run;

	for (uint32_t at = 0; at < count; at += run) {
		run = run_at(tile, at);
		to = put_compact(encoder, pixel_at(tile, at), to);
		to = put_length(run, to);
	}
	return to;
}

static uint8_t *put_raw_tile(const struct rfb_encoder *encoder, const struct tile *tile,
			     uint8_t *to)
{
	for (uint32_t y = 0; y < tile->height; y++) {
		for (uint32_t x = 0; x < tile->width; x++)
			to = put_compact(encoder, tile->pixels[y * tile->stride + x], to);
	}
	return to;
}

/* In the smallest of the forms. */
static uint8_t *put_tile(const struct rfb_encoder *encoder, struct tile *tile, uint8_t *to)
{
	const uint32_t bytes = encoder->compact_bytes;
	uint32_t raw, runs, packed = UINT32_MAX, indexed = UINT32_MAX, palette;

	look_at(tile);
	palette = tile->colours * bytes;
	raw = tile->width * tile->height * bytes;
	runs = tile->runs * bytes + tile->long_bytes;
	if (tile->colours <= PALETTE_MAX)
		indexed = palette + tile->runs + tile->long_bytes - tile->singles;
	if (tile->colours <= PACKED_MAX)
		packed = palette + (tile->width * index_bits(tile->colours) + 7) / 8 * tile->height;
	if (tile->colours == 1) {
		*to++ = 1;
		return put_tile_palette(encoder, tile, to);
	}
	if (packed <= indexed && packed <= runs && packed <= raw) {
		*to++ = (uint8_t)tile->colours;
		return put_indices(tile, put_tile_palette(encoder, tile, to));
	}
	if (indexed <= runs && indexed <= raw) {
		*to++ = (uint8_t)(RLE_TILE + tile->colours);
		return put_palette_runs(tile, put_tile_palette(encoder, tile, to));
	}
	if (runs < raw) {
		*to++ = RLE_TILE;
		return put_runs(encoder, tile, to);
	}
	*to++ = RAW_TILE;
	return put_raw_tile(encoder, tile, to);
}

static size_t pack_tiles(struct rfb_encoder *encoder, const struct display_rect *rect)
{
	struct tile tile = { .stride = rect->width };
	uint8_t *to = encoder->packed;

	for (uint32_t y = 0; y < rect->height; y += TILE) {
		for (uint32_t x = 0; x < rect->width; x += TILE) {
			tile.pixels = encoder->pixels + y * rect->width + x;
			tile.width = (uint32_t)min_u64(TILE, rect->width - x);
			tile.height = (uint32_t)min_u64(TILE, rect->height - y);
			to = put_tile(encoder, &tile, to);
		}
	}
	return (size_t)(to - encoder->packed);
}

/* --- compression */

/* encoder->packed through a stream, its length in front. */
static bool compress_packed(struct rfb_encoder *encoder, z_stream *stream, bool *open, size_t count,
			    struct cursor *to)
{
	const size_t at = to->pos;
	size_t room;

	if (!*open && deflateInit(stream, encoder->level) != Z_OK) {
		cursor_fail(to);
		return false;
	}
	*open = true;
	cursor_put_be32(to, 0);
	if (!cursor_ok(to))
		return false;
	room = cursor_left(to);
	stream->next_in = encoder->packed;
	stream->avail_in = (uInt)count;
	stream->next_out = to->data + to->pos;
	stream->avail_out = (uInt)room;
	/* With room left nothing is held back. */
	if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in || !stream->avail_out) {
		cursor_fail(to);
		return false;
	}
	put_be32(to->data + at, (uint32_t)(room - stream->avail_out));
	cursor_skip(to, room - stream->avail_out);
	return cursor_ok(to);
}

bool rfb_encode(struct rfb_encoder *encoder, const struct screen *screen,
		const struct display_rect *rect, enum rfb_encoding encoding, struct cursor *to)
{
	const size_t count = (size_t)rect->width * rect->height;
	size_t bytes;

	rfb_put_header(to, rect, encoding);
	fetch(encoder, screen, rect);
	if (encoding == RFB_ZRLE) {
		bytes = pack_tiles(encoder, rect);
		return compress_packed(encoder, &encoder->zrle, &encoder->zrle_open, bytes, to);
	}
	bytes = put_pixels(encoder->pixels, count, encoder->bytes, encoder->packed);
	if (encoding == RFB_ZLIB)
		return compress_packed(encoder, &encoder->zlib, &encoder->zlib_open, bytes, to);
	cursor_put_bytes(to, encoder->packed, bytes);
	return cursor_ok(to);
}

void rfb_encode_cursor(const struct rfb_encoder *encoder, uint32_t hot_x, uint32_t hot_y,
		       uint32_t width, uint32_t height, const uint32_t *argb, struct cursor *to)
{
	const struct display_rect rect = { hot_x, hot_y, width, height };

	rfb_put_header(to, &rect, RFB_CURSOR);
	for (uint32_t i = 0; i < width * height; i++) {
		const uint32_t pixel = translate(encoder, argb[i]);
		uint8_t bytes[4];

		put_pixels(&pixel, 1, encoder->bytes, bytes);
		cursor_put_bytes(to, bytes, encoder->bytes);
	}
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x += 8) {
			uint8_t byte = 0;

			for (uint32_t bit = 0; bit < 8 && x + bit < width; bit++) {
				if (argb[y * width + x + bit] >> 24)
					byte |= (uint8_t)(0x80 >> bit);
			}
			cursor_put_u8(to, byte);
		}
	}
}
