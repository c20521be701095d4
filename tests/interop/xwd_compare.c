// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waits until an X server's screen shows the test picture.
 *
 *	xwd_compare FILE NUMBER TOLERATED SECONDS
 *
 * FILE is what Xvfb keeps its screen in (-fbdir). At most TOLERATED pixels may differ: the pointer's.
 * Exit status 0, or 1 with the number of pixels that differ on standard output.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/fdio.h"
#include "../../base/log.h"
#include "test_picture.h"

#define FILE_MAX MIB(64)
#define WORDS 25

/* The header's words, as XWDFile.h numbers them. */
enum {
	HEADER_SIZE = 0,
	WIDTH = 4,
	HEIGHT = 5,
	BYTE_ORDER_IS_BIG = 7,
	BITS = 11,
	LINE_BYTES = 12,
	COLOURS = 19
};

static uint64_t count_differences(const uint8_t *file, size_t size, uint32_t number)
{
	uint32_t word[WORDS];
	uint64_t differ = 0, start;

	for (unsigned int i = 0; i < WORDS; i++)
		word[i] = get_be32(file + 4 * i);
	start = word[HEADER_SIZE] + (uint64_t)word[COLOURS] * 12;
	if (word[BITS] != 32 || start + (uint64_t)word[HEIGHT] * word[LINE_BYTES] > size)
		die("the X server's screen is not understood: give it 24 bits");
	for (uint32_t y = 0; y < word[HEIGHT]; y++) {
		const uint8_t *line = file + start + (uint64_t)y * word[LINE_BYTES];

		for (uint32_t x = 0; x < word[WIDTH]; x++) {
			const uint32_t is = word[BYTE_ORDER_IS_BIG] ? get_be32(line + 4 * x)
								    : get_le32(line + 4 * x);

			differ += (is & 0xffffff) != test_picture(x, y, number);
		}
	}
	return differ;
}

int main(int argc, char **argv)
{
	uint64_t differ = UINT64_MAX, tolerated;
	time_t end;

	log_init("xwd_compare", LOG_LEVEL_INFO);
	if (argc != 5)
		die("give FILE NUMBER TOLERATED SECONDS");
	tolerated = (uint64_t)atoi(argv[3]);
	end = time(NULL) + atoi(argv[4]);
	for (;;) {
		size_t size;
		char *file;

		if (file_read(argv[1], FILE_MAX, &file, &size) < 0 || size < 4 * WORDS)
			die("%s: cannot be read", argv[1]);
		differ = count_differences((const uint8_t *)file, size, (uint32_t)atoi(argv[2]));
		free(file);
		if (differ <= tolerated)
			return EXIT_SUCCESS;
		if (time(NULL) >= end)
			break;
		usleep(200000);
	}
	printf("%llu pixels differ\n", (unsigned long long)differ);
	return EXIT_FAILURE;
}
