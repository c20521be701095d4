/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The test picture (tests/interop/test_picture.h) as pixels of 8, 16 and 32 bits; in 8 the palette is 3:3:2. */
#ifndef TESTS_GUEST_PICTURE_H
#define TESTS_GUEST_PICTURE_H

#include <stdint.h>

#include "../../interop/test_picture.h"

/* The palette's colours, of 16 bits. */
static inline uint16_t palette_red(uint32_t number)
{
	return (uint16_t)((number >> 5) * 65535 / 7);
}

static inline uint16_t palette_green(uint32_t number)
{
	return (uint16_t)((number >> 2 & 7) * 65535 / 7);
}

static inline uint16_t palette_blue(uint32_t number)
{
	return (uint16_t)((number & 3) * 65535 / 3);
}

/* @width pixels of @bits, the picture's line @y. */
static inline void draw_line(uint8_t *line, uint32_t width, uint32_t y, uint32_t bits,
			     uint32_t picture)
{
	for (uint32_t x = 0; x < width; x++) {
		uint32_t c = test_picture(x, y, picture), r = c >> 16, g = c >> 8 & 255,
			 b = c & 255;

		if (bits == 8)
			line[x] = (uint8_t)((r & 0xe0) | g >> 5 << 2 | b >> 6);
		else if (bits == 16)
			((uint16_t *)line)[x] = (uint16_t)(r >> 3 << 11 | g >> 2 << 5 | b >> 3);
		else
			((uint32_t *)line)[x] = c;
	}
}

#endif
