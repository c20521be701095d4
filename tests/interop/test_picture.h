/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture that real viewers are shown, and compared with. */
#ifndef TESTS_TEST_PICTURE_H
#define TESTS_TEST_PICTURE_H

#include <stdint.h>

/* 00RRGGBBh at a place: colour bars, a grid, gradients, letters' worth of detail, noise. */
static inline uint32_t test_picture(uint32_t x, uint32_t y, uint32_t number)
{
	static const uint32_t bars[] = { 0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
					 0xff00ff, 0xff0000, 0x0000ff, 0x000000 };
	const uint32_t band = (y / 96 + number) % 5;
	uint32_t noise = (x * 2654435761u) ^ (y * 2246822519u) ^ (number * 3266489917u);

	switch (band) {
	case 0:
		return bars[x / 80 % 8];
	case 1:
		return x % 16 == 0 || y % 16 == 0 ? 0xc0c0c0 : 0x000080;
	case 2:
		return (x & 0xff) << 16 | (y & 0xff) << 8 | ((x + y) & 0xff);
	case 3:
		return (x / 3 + y / 2) % 7 < 2 ? 0x102030 : 0xe0e0d0;
	default:
		noise ^= noise >> 15;
		noise *= 2246822519u;
		return (noise ^ noise >> 13) & 0xffffff;
	}
}

#endif
