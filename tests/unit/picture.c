// SPDX-License-Identifier: GPL-2.0-or-later
/* mgmt/picture and recording: PNG files read back by libpng, recordings chunk by chunk. */
#include <criterion/criterion.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "../../base/bytes.h"
#include "../../base/fdio.h"
#include "../../mgmt/picture.h"

#define WIDTH 97u
#define HEIGHT 61u

static uint32_t pixels[WIDTH * HEIGHT];

static void paint(unsigned int seed)
{
	srand(seed);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = (uint32_t)rand() & 0xffffff;
}

Test(picture, a_png_shows_the_pixels)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t bytes[WIDTH * HEIGHT * 3];
	size_t size;
	void *png;

	paint(1);
	cr_assert_eq(picture_png(pixels, WIDTH, HEIGHT, &png, &size), 0);
	cr_assert(png_image_begin_read_from_memory(&image, png, size));
	cr_assert(image.width == WIDTH && image.height == HEIGHT);
	image.format = PNG_FORMAT_RGB;
	cr_assert(png_image_finish_read(&image, NULL, bytes, 0, NULL));
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		cr_assert_eq(
			(uint32_t)(bytes[3 * i] << 16 | bytes[3 * i + 1] << 8 | bytes[3 * i + 2]),
			pixels[i]);
	free(png);
}

Test(picture, a_thumbnail_keeps_shape_and_colours)
{
	static uint32_t big[1280 * 1024], small[THUMBNAIL_WIDTH * THUMBNAIL_HEIGHT];

	for (uint32_t i = 0; i < 1280 * 1024; i++)
		big[i] = i % 2 ? 0xff0000 : 0x0000ff;
	/* As high as it may be: 150 wide, and black beside. */
	picture_thumbnail(big, 1280, 1024, small);
	cr_assert_eq(small[0], 0);
	cr_assert_eq(small[60 * THUMBNAIL_WIDTH + 4], 0);
	cr_assert_eq(small[THUMBNAIL_WIDTH - 1], 0);
	for (unsigned int shift = 0; shift <= 16; shift += 16) {
		const uint32_t part = small[60 * THUMBNAIL_WIDTH + 80] >> shift & 0xff;

		cr_assert(part > 100 && part < 155, "colours are mixed, not picked");
	}
	/* Smaller than itself, and a line. */
	big[0] = 0x123456;
	picture_thumbnail(big, 1, 1, small);
	cr_assert_eq(small[60 * THUMBNAIL_WIDTH + 80], 0x123456);
	cr_assert_eq(small[0], 0);
	picture_thumbnail(big, 1280, 1, small);
	cr_assert_neq(small[59 * THUMBNAIL_WIDTH + 80] | small[60 * THUMBNAIL_WIDTH + 80], 0);
}

/* --- recordings: a player written from the specification */

struct player {
	const uint8_t *file;
	size_t size, at;
	uint32_t frames, sequence, shown;
	uint32_t x, y, width, height, delay_ms;
	uint32_t canvas[WIDTH * HEIGHT];
};

static const uint8_t *next_chunk(struct player *player, char type[5], uint32_t *ret_size)
{
	const uint8_t *chunk = player->file + player->at;

	cr_assert_leq(player->at + 12, player->size);
	*ret_size = get_be32(chunk);
	cr_assert_leq(player->at + 12 + *ret_size, player->size);
	memcpy(type, chunk + 4, 4);
	type[4] = '\0';
	cr_assert_eq(get_be32(chunk + 8 + *ret_size), (uint32_t)crc32(0, chunk + 4, *ret_size + 4),
		     "check sum of %s", type);
	player->at += 12 + *ret_size;
	return chunk + 8;
}

static void play_frame(struct player *player, const uint8_t *data, uint32_t size)
{
	static uint8_t lines[HEIGHT * (1 + 3 * WIDTH)];
	uLongf length = sizeof(lines);
	const uint8_t *from = lines;

	cr_assert_eq(uncompress(lines, &length, data, size), Z_OK);
	cr_assert_eq(length, player->height * (1 + 3 * player->width));
	for (uint32_t y = 0; y < player->height; y++) {
		cr_assert_eq(*from++, 0, "filter");
		for (uint32_t x = 0; x < player->width; x++, from += 3)
			player->canvas[(player->y + y) * WIDTH + player->x + x] =
				(uint32_t)(from[0] << 16 | from[1] << 8 | from[2]);
	}
	player->shown++;
}

/* Plays up to frame @frames; false when the file has fewer. */
static bool play(struct player *player)
{
	const uint32_t before = player->shown;
	char type[5];

	do {
		uint32_t size;
		const uint8_t *data = next_chunk(player, type, &size);

		if (!strcmp(type, "acTL")) {
			player->frames = get_be32(data);
		} else if (!strcmp(type, "fcTL")) {
			cr_assert_eq(get_be32(data), player->sequence++);
			player->width = get_be32(data + 4);
			player->height = get_be32(data + 8);
			player->x = get_be32(data + 12);
			player->y = get_be32(data + 16);
			cr_assert_leq(player->x + player->width, WIDTH);
			cr_assert_leq(player->y + player->height, HEIGHT);
			player->delay_ms = get_be16(data + 20) * 1000u / get_be16(data + 22);
		} else if (!strcmp(type, "IDAT")) {
			play_frame(player, data, size);
		} else if (!strcmp(type, "fdAT")) {
			cr_assert_eq(get_be32(data), player->sequence++);
			play_frame(player, data + 4, size - 4);
		} else {
			cr_assert(!strcmp(type, "IHDR") || !strcmp(type, "IEND"), "%s", type);
		}
	} while (player->shown == before && strcmp(type, "IEND"));
	return player->shown != before;
}

static void open_player(struct player *player, int fd)
{
	char *file;
	size_t size;

	memset(player, 0, sizeof(*player));
	lseek(fd, 0, SEEK_SET);
	cr_assert_eq(fd_read_all(fd, 1 << 24, &file, &size), 0);
	player->file = (const uint8_t *)file;
	player->size = size;
	player->at = 8;
}

Test(picture, a_recording_is_whole_after_every_frame)
{
	int fd = memfd_create("recording", 0);
	struct recording recording;
	static struct player player;

	cr_assert_eq(recording_begin(&recording, fd, WIDTH, HEIGHT), 0);
	for (uint32_t i = 0; i < 12; i++) {
		const uint32_t x = i ? 3 * i : 0, y = i ? 2 * i : 0;

		paint(i);
		cr_assert_eq(recording_frame(&recording, pixels, WIDTH, x, y, i ? 20 : WIDTH,
					     i ? 30 : HEIGHT, 1000 + 70000 * (i / 8) + 40 * i),
			     0);
		open_player(&player, fd);
		while (play(&player))
			;
		cr_assert_eq(player.shown, i + 1);
		cr_assert_eq(player.frames, i + 1);
		cr_assert_eq(player.at, player.size, "nothing behind the end");
		for (uint32_t line = 0; line < player.height; line++)
			cr_assert_arr_eq(player.canvas + (y + line) * WIDTH + x,
					 pixels + (y + line) * WIDTH + x,
					 player.width * sizeof(uint32_t));
		free((void *)player.file);
	}
	cr_assert_eq(recording_end(&recording, 1000 + 70000 + 440 + 55), 0);
	open_player(&player, fd);
	for (uint32_t i = 0; i < 12; i++) {
		cr_assert(play(&player));
		cr_assert_eq(player.delay_ms,
			     i == 7    ? 70000u
			     : i == 11 ? 55u
				       : 40u,
			     "frame %u: %u", i, player.delay_ms);
	}
	free((void *)player.file);
}

Test(picture, a_recording_is_a_picture_for_those_who_know_no_better)
{
	int fd = memfd_create("recording", 0);
	png_image image = { .version = PNG_IMAGE_VERSION };
	struct recording recording;
	uint8_t bytes[WIDTH * HEIGHT * 3];
	size_t size;
	char *file;

	paint(5);
	cr_assert_eq(recording_begin(&recording, fd, WIDTH, HEIGHT), 0);
	cr_assert_eq(recording_frame(&recording, pixels, WIDTH, 0, 0, WIDTH, HEIGHT, 0), 0);
	cr_assert_eq(recording_frame(&recording, pixels, WIDTH, 1, 1, 5, 5, 10), 0);
	lseek(fd, 0, SEEK_SET);
	cr_assert_eq(fd_read_all(fd, 1 << 24, &file, &size), 0);
	cr_assert(png_image_begin_read_from_memory(&image, file, size));
	image.format = PNG_FORMAT_RGB;
	cr_assert(png_image_finish_read(&image, NULL, bytes, 0, NULL), "%s", image.message);
	cr_assert_eq(bytes[0], pixels[0] >> 16);
	free(file);
}
