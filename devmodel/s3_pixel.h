/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the Trio64's engine does to one pixel: shared by s3_draw.c and s3_transfer.c. */
#ifndef DEVMODEL_S3_PIXEL_H
#define DEVMODEL_S3_PIXEL_H

#include "../base/bits.h"
#include "../base/bytes.h"
#include "s3_engine.h"

#define CMD_ACROSS 0x0002u /* data of the processor chooses the mix, whatever PIX_CNTL says */
#define CMD_LAST_OFF 0x0004u
#define CMD_RADIAL 0x0008u
#define CMD_DRAW 0x0010u
#define CMD_INC_X 0x0020u
#define CMD_Y_MAJOR 0x0040u
#define CMD_INC_Y 0x0080u
#define CMD_WAIT 0x0100u

#define MIX_COLOR_BKGD 0
#define MIX_COLOR_FRGD 1
#define MIX_COLOR_CPU 2
#define MIX_COLOR_VRAM 3

#define MISC_CLIP_OUTSIDE 0x0020u
#define MISC_COMPARE_EQUAL 0x0080u
#define MISC_COMPARE 0x0100u

#define SELECT_FRGD 0 /* PIX_CNTL 7:6 */
#define SELECT_CPU 2
#define SELECT_VRAM 3

/* The registers as a command uses them. */
struct draw {
	uint8_t *bytes;
	uint32_t mask;			    /* of byte offsets */
	uint32_t pitch, to_base, from_base; /* pixels */
	int32_t left, top, right, bottom;
	bool outside, compare, compare_equal;
	uint32_t color_cmp, rd_mask, wrt_mask, depth_mask;
	uint32_t bkgd, frgd;
	uint16_t bkgd_mix, frgd_mix;
	unsigned int select;
	uint32_t cmd;
};

static inline int32_t coordinate(uint32_t value)
{
	return (int32_t)((value & 0x1fff) ^ 0x1000) - 0x1000;
}

static inline int32_t term(uint32_t value)
{
	return (int32_t)((value & 0x3fff) ^ 0x2000) - 0x2000;
}

/* --- the pixel pipeline; @bytes is a constant wherever these are used */

#define PIPELINE static inline __attribute__((always_inline))

PIPELINE uint32_t load(const struct draw *draw, uint32_t pixel, unsigned int bytes)
{
	uint32_t at = pixel * bytes & draw->mask;

	if (bytes == 1)
		return draw->bytes[at];
	if (bytes == 2)
		return get_le16(draw->bytes + at);
	if (bytes == 4)
		return get_le32(draw->bytes + at);
	return draw->bytes[at] | (uint32_t)draw->bytes[(at + 1) & draw->mask] << 8 |
	       (uint32_t)draw->bytes[(at + 2) & draw->mask] << 16;
}

PIPELINE void store(const struct draw *draw, uint32_t pixel, unsigned int bytes, uint32_t value)
{
	uint32_t at = pixel * bytes & draw->mask;

	if (bytes == 2) {
		put_le16(draw->bytes + at, (uint16_t)value);
	} else if (bytes == 4) {
		put_le32(draw->bytes + at, value);
	} else {
		for (unsigned int i = 0; i < bytes; i++)
			draw->bytes[(at + i) & draw->mask] = (uint8_t)(value >> (8 * i));
	}
}

PIPELINE uint32_t mix(unsigned int how, uint32_t s, uint32_t d)
{
	switch (how & 15) {
	case 0x0:
		return ~d;
	case 0x1:
		return 0;
	case 0x2:
		return UINT32_MAX;
	case 0x3:
		return d;
	case 0x4:
		return ~s;
	case 0x5:
		return s ^ d;
	case 0x6:
		return ~(s ^ d);
	case 0x7:
		return s;
	case 0x8:
		return ~(s & d);
	case 0x9:
		return ~s | d;
	case 0xa:
		return s | ~d;
	case 0xb:
		return s | d;
	case 0xc:
		return s & d;
	case 0xd:
		return s & ~d;
	case 0xe:
		return ~s & d;
	default:
		return ~(s | d);
	}
}

PIPELINE bool visible(const struct draw *draw, int32_t x, int32_t y)
{
	bool inside = x >= draw->left && x <= draw->right && y >= draw->top && y <= draw->bottom;

	/* The whole plane has 4096 x 4096 pixels, on whichever side of the scissors. */
	return (draw->cmd & CMD_DRAW) && x >= 0 && y >= 0 && inside != draw->outside;
}

/* One pixel: @frgd chooses the mix, @cpu and @vram are the sources that come from elsewhere. */
PIPELINE void put(const struct draw *draw, int32_t x, int32_t y, bool frgd, uint32_t cpu,
		  uint32_t vram, unsigned int bytes)
{
	uint16_t how = frgd ? draw->frgd_mix : draw->bkgd_mix;
	uint32_t pixel = draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)x;
	const uint32_t sources[4] = { draw->bkgd, draw->frgd, cpu, vram };
	uint32_t source = sources[how >> 5 & 3] & draw->depth_mask, old;

	if (!visible(draw, x, y))
		return;
	if (draw->compare && (source == draw->color_cmp) != draw->compare_equal)
		return;
	old = load(draw, pixel, bytes);
	store(draw, pixel, bytes, blend32(old, draw->wrt_mask, mix(how, source, old)));
}

PIPELINE bool selects_frgd(const struct draw *draw, bool cpu, uint32_t vram)
{
	if (draw->select == SELECT_CPU)
		return cpu;
	if (draw->select == SELECT_VRAM)
		return (vram & draw->rd_mask) == draw->rd_mask;
	return true;
}

/* Calls @function with the size of a pixel as a constant. */
#define BY_DEPTH(engine, function, ...)                                                            \
	do {                                                                                       \
		switch ((engine)->bytes) {                                                         \
		case 1:                                                                            \
			function(__VA_ARGS__, 1);                                                  \
			break;                                                                     \
		case 2:                                                                            \
			function(__VA_ARGS__, 2);                                                  \
			break;                                                                     \
		case 3:                                                                            \
			function(__VA_ARGS__, 3);                                                  \
			break;                                                                     \
		default:                                                                           \
			function(__VA_ARGS__, 4);                                                  \
			break;                                                                     \
		}                                                                                  \
	} while (0)

/* --- s3_draw.c */

/* The registers as a command uses them. */
void s3_draw_prepare(const struct s3_engine *engine, struct draw *draw);
/* @rows of @width pixels were drawn. */
void s3_draw_mark(const struct s3_engine *engine, const struct draw *draw, int32_t x, int32_t y,
		  int32_t width, int32_t rows);
void s3_draw_set_position(struct s3_engine *engine, int32_t x, int32_t y);
/* One step of Bresenham's, or in one of eight directions. */
void s3_draw_line_step(struct s3_engine *engine, uint32_t cmd, int32_t *x, int32_t *y,
		       int32_t *error);

#endif
