// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares a screenshot with what it should be, outside of areas that may be anything.
 *
 *	picture_compare PICTURE GOLDEN [X,Y,WIDTH,HEIGHT...]
 *	picture_compare -t NUMBER BITS PICTURE WIDTH [X,Y,WIDTH,HEIGHT...]
 *
 * The second form is for the test picture (tests/interop/test_picture.h) in BITS a pixel: in 8 with a palette of
 * 3:3:2. Exit status 0, or 1 with what differs on standard output.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/log.h"
#include "../interop/test_picture.h"
#include "../lib/golden.h"

#define AREAS_MAX 32

/* A part of a colour that was kept in @bits, as the adapter's DAC of @dac_bits sends it. */
static uint32_t kept(uint32_t value, unsigned int bits, unsigned int dac_bits)
{
	uint32_t level = value >> (8 - bits);

	if (dac_bits == 6) { /* through the palette, which Linux gives 16 bits */
		level = level * 65535 / ((1u << bits) - 1) >> 10;
		return level << 2 | level >> 4;
	}
	return bits == 8 ? level : level << (8 - bits) | level >> (2 * bits - 8);
}

static void make_test_picture(struct golden_picture *picture, uint32_t number, uint32_t bits)
{
	const unsigned int dac = bits == 8 ? 6 : 8;
	const unsigned int red = bits == 8 ? 3 : bits == 16 ? 5 : 8;
	const unsigned int green = bits == 8 ? 3 : bits == 16 ? 6 : 8;
	const unsigned int blue = bits == 8 ? 2 : bits == 16 ? 5 : 8;

	picture->pixels = calloc((size_t)picture->width * picture->height, 4);
	if (!picture->pixels)
		die("no memory");
	for (uint32_t y = 0; y < picture->height; y++) {
		for (uint32_t x = 0; x < picture->width; x++) {
			const uint32_t c = test_picture(x, y, number);

			picture->pixels[y * picture->width + x] =
				kept(c >> 16, red, dac) << 16 |
				kept(c >> 8 & 255, green, dac) << 8 | kept(c & 255, blue, dac);
		}
	}
}

static void load(const char *path, struct golden_picture *ret_picture)
{
	char error[256];

	if (golden_load(path, ret_picture, error, sizeof(error)) < 0)
		die("%s", error);
}

static size_t parse_areas(char **words, int count, struct golden_area *areas)
{
	if (count > AREAS_MAX)
		die("at most %d areas", AREAS_MAX);
	for (int i = 0; i < count; i++) {
		struct golden_area *a = &areas[i];

		if (sscanf(words[i], "%u,%u,%u,%u", &a->x, &a->y, &a->width, &a->height) != 4)
			die("%s: not X,Y,WIDTH,HEIGHT", words[i]);
	}
	return (size_t)count;
}

/* Where pixels differ, as a rectangle. */
static void show_where(const struct golden_picture *a, const struct golden_picture *b,
		       const struct golden_area *areas, size_t count)
{
	uint32_t left = a->width, top = a->height, right = 0, bottom = 0;
	const size_t pixels = (size_t)a->width * a->height;
	struct golden_picture one = { 1, 1, NULL }, other = { 1, 1, NULL };

	for (size_t i = 0; i < pixels; i++) {
		const uint32_t x = (uint32_t)(i % a->width), y = (uint32_t)(i / a->width);
		bool free = false;

		for (size_t n = 0; n < count; n++)
			free |= x - areas[n].x < areas[n].width && y - areas[n].y < areas[n].height;
		one.pixels = &a->pixels[i];
		other.pixels = &b->pixels[i];
		if (free || !golden_differences(&one, &other, NULL, 0))
			continue;
		left = x < left ? x : left;
		right = x > right ? x : right;
		top = y < top ? y : top;
		bottom = y;
	}
	printf("they are within %u,%u to %u,%u\n", left, top, right, bottom);
}

int main(int argc, char **argv)
{
	struct golden_area areas[AREAS_MAX];
	struct golden_picture picture, golden;
	const bool test = argc > 1 && !strcmp(argv[1], "-t");
	const int first = test ? 6 : 3;
	size_t count;
	uint64_t differ;

	log_init("picture_compare", LOG_LEVEL_INFO);
	if (argc < first)
		die("give PICTURE GOLDEN, or -t NUMBER BITS PICTURE WIDTH");
	load(argv[test ? 4 : 1], &picture);
	if (test) {
		const uint32_t width = (uint32_t)atoi(argv[5]);

		golden = (struct golden_picture){ width, width * 3 / 4, NULL };
		make_test_picture(&golden, (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
	} else {
		load(argv[2], &golden);
	}
	count = parse_areas(argv + first, argc - first, areas);
	differ = golden_differences(&picture, &golden, areas, count);
	if (!differ)
		return EXIT_SUCCESS;
	if (picture.width != golden.width || picture.height != golden.height) {
		printf("%ux%u pixels instead of %ux%u\n", picture.width, picture.height,
		       golden.width, golden.height);
		return EXIT_FAILURE;
	}
	printf("%llu pixels differ\n", (unsigned long long)differ);
	show_where(&picture, &golden, areas, count);
	return EXIT_FAILURE;
}
