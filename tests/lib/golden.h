/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures that a person has looked at, as PNG files, and how a screen is compared with them. */
#ifndef TESTS_LIB_GOLDEN_H
#define TESTS_LIB_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

struct golden_picture {
	uint32_t width, height;
	uint32_t *pixels; /* 00RRGGBBh, line by line */
};

/* 0, or -1 with the reason in @ret_error. The pixels are freed by the caller. */
int golden_load(const char *path, struct golden_picture *ret_picture, char *ret_error,
		size_t error_size);
/* Replaces @path. 0, or -1 with the reason in @ret_error. */
int golden_save(const char *path, const struct golden_picture *picture, char *ret_error,
		size_t error_size);

/* A part of a picture that may be anything: a clock, a speed. */
struct golden_area {
	uint32_t x, y, width, height;
};

/* How many pixels differ outside of @areas; all of them when the sizes do. */
uint64_t golden_differences(const struct golden_picture *a, const struct golden_picture *b,
			    const struct golden_area *areas, size_t count);

#endif
