// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Trio64's drawing engine, driven through its ports, against a slow model (s3_engine.h), over all mixes,
 * depths, directions and clips.
 */
#include "s3_engine.h"

TestSuite(s3_engine, .init = set_up, .fini = tear_down);

Test(s3_engine, rectangles_of_all_mixes_depths_directions_and_clips)
{
	fill_random();
	for (unsigned int round = 0; round < 600; round++) {
		struct job job = random_job();
		int x = (int)random_below(320) - 20, y = (int)random_below(160) - 20;
		unsigned int width = 1 + random_below(90), height = 1 + random_below(40);
		unsigned int directions = random_next() & (CMD_INC_X | CMD_INC_Y);

		random_depth(round);
		load_job(&job);
		begin_rectangle(CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | directions, x, y, width,
				height);
		for (unsigned int row = 0; row < height; row++)
			for (unsigned int column = 0; column < width; column++)
				model_pixel(&job,
					    directions & CMD_INC_X ? x + (int)column
								   : x - (int)column,
					    directions & CMD_INC_Y ? y + (int)row : y - (int)row,
					    true, 0, 0);
		if (round % 20 == 0)
			assert_same("rectangle", round);
	}
	assert_same("rectangle", 600);
}

Test(s3_engine, copies_with_overlap_and_patterns)
{
	fill_random();
	for (unsigned int round = 0; round < 600; round++) {
		struct job job = random_job();
		bool pattern = random_below(4) == 0;
		int sx = 60 + (int)random_below(60), sy = 60 + (int)random_below(60);
		int dx = sx + (int)random_below(61) - 30, dy = sy + (int)random_below(41) - 20;
		unsigned int width = 1 + random_below(50), height = 1 + random_below(30);
		unsigned int directions = random_next() & (CMD_INC_X | CMD_INC_Y);

		job.fg_mix = random_below(2) ? 0x67 : random_below(16) | 0x60;
		job.pix_cntl = random_below(3) ? 0 : 0xc0;
		random_depth(round);
		load_job(&job);
		begin_copy((pattern ? CMD_PATTERN : CMD_BLIT) | CMD_WRITE | CMD_DRAW | directions,
			   sx, sy, dx, dy, width, height);
		model_copy(&job, sx, sy, dx, dy, width, height, directions, pattern);
		if (round % 20 == 0)
			assert_same("copy", round);
	}
	assert_same("copy", 600);
}

Test(s3_engine, lines_follow_bresenham)
{
	fill_random();
	for (unsigned int round = 0; round < 300; round++) {
		struct job job = random_job();
		int x = (int)random_below(300), y = (int)random_below(200);
		int dx = (int)random_below(120), dy = (int)random_below(120);
		unsigned int directions = random_next() & (CMD_INC_X | CMD_INC_Y);
		int major = dx > dy ? dx : dy, minor = dx > dy ? dy : dx;
		int error = 2 * minor - major;

		if (dy > dx)
			directions |= CMD_Y_MAJOR;
		random_depth(round);
		load_job(&job);
		outw(b, 0x86e8, (uint16_t)x);
		outw(b, 0x82e8, (uint16_t)y);
		outw(b, 0x8ae8, (uint16_t)(2 * minor));
		outw(b, 0x8ee8, (uint16_t)(2 * (minor - major)));
		outw(b, 0x92e8, (uint16_t)error);
		outw(b, 0x96e8, (uint16_t)major);
		outw(b, 0x9ae8, (uint16_t)(CMD_LINE | CMD_WRITE | CMD_DRAW | directions));
		for (int i = 0; i <= major; i++) {
			model_pixel(&job, x, y, true, 0, 0);
			if (i == major)
				break;
			if (error >= 0 || !(directions & CMD_Y_MAJOR))
				x += directions & CMD_INC_X ? 1 : -1;
			if (error >= 0 || (directions & CMD_Y_MAJOR))
				y += directions & CMD_INC_Y ? 1 : -1;
			error += error >= 0 ? 2 * (minor - major) : 2 * minor;
		}
		cr_assert_eq(inw(b, 0x86e8), x & 0x1fff, "the position follows");
		cr_assert_eq(inw(b, 0x82e8), y & 0x1fff);
	}
	assert_same("line", 300);
}

Test(s3_engine, short_strokes_draw_two_vectors)
{
	struct job job = {
		.fg_mix = 0x27, .fg = 0x5a, .wrt = UINT32_MAX, .right = 4095, .bottom = 4095
	};

	set_depth(1, 1024);
	load_job(&job);
	outw(b, 0x86e8, 50);
	outw(b, 0x82e8, 50);
	outw(b, 0x9ae8, 0x1000 | CMD_WRITE | CMD_DRAW);
	/* Right by 4, drawn, then down by 3, drawn. */
	outw(b, 0x9ee8, 0x00 | 0x10 | 4 | (0xc0 | 0x10 | 3) << 8);
	for (int i = 0; i <= 4; i++)
		model_pixel(&job, 50 + i, 50, true, 0, 0);
	for (int i = 0; i <= 3; i++)
		model_pixel(&job, 54, 50 + i, true, 0, 0);
	assert_same("stroke", 0);
	cr_assert_eq(inw(b, 0x86e8), 54);
	cr_assert_eq(inw(b, 0x82e8), 53);
}

Test(s3_engine, strokes_and_radial_lines_go_in_eight_directions)
{
	static const int step_x[8] = { 1, 1, 0, -1, -1, -1, 0, 1 };
	static const int step_y[8] = { 0, -1, -1, -1, 0, 1, 1, 1 };

	fill_random();
	for (unsigned int round = 0; round < 320; round++) {
		struct job job = random_job();
		unsigned int direction = round % 8, last_off = random_below(2) * CMD_LAST_OFF;
		unsigned int drawn = random_below(4) ? CMD_DRAW : 0;
		bool stroke = random_below(2);
		int x = (int)random_below(300), y = (int)random_below(200);
		int length = (int)random_below(stroke ? 16 : 100);

		random_depth(round);
		load_job(&job);
		outw(b, 0x86e8, (uint16_t)x);
		outw(b, 0x82e8, (uint16_t)y);
		if (stroke) {
			outw(b, 0x9ae8, (uint16_t)(CMD_WRITE | CMD_DRAW | last_off | 0x1000));
			outw(b, 0x9ee8, (uint16_t)(direction << 5 | drawn | (unsigned int)length));
		} else {
			outw(b, 0x96e8, (uint16_t)length);
			outw(b, 0x9ae8,
			     (uint16_t)(CMD_LINE | CMD_WRITE | CMD_RADIAL | drawn | last_off |
					direction << 5));
		}
		for (int i = 0; i <= length && drawn; i++) {
			if (i < length || !last_off)
				model_pixel(&job, x + i * step_x[direction],
					    y + i * step_y[direction], true, 0, 0);
		}
		if (!stroke) {
			cr_assert_eq(inw(b, 0x86e8), (x + length * step_x[direction]) & 0x1fff);
			cr_assert_eq(inw(b, 0x82e8), (y + length * step_y[direction]) & 0x1fff);
			continue;
		}
		/* The second vector of the word: one pixel to the right, length 0. */
		if (!last_off)
			cr_assert_eq(inw(b, 0x86e8), (x + length * step_x[direction]) & 0x1fff);
	}
	assert_same("radial line", 320);
}

/* Polylines go on from where the last one ended; the ideal line's nearest pixels, in whole numbers. */
Test(s3_engine, polylines_go_from_point_to_point)
{
	static const uint16_t commands[] = { 0xa000, 0x2800 }; /* 5 and 9 */

	fill_random();
	for (unsigned int round = 0; round < 60; round++) {
		struct job job = random_job();
		int x = (int)random_below(300), y = (int)random_below(200);

		random_depth(round);
		load_job(&job);
		outw(b, 0x86e8, (uint16_t)x);
		outw(b, 0x82e8, (uint16_t)y);
		for (unsigned int point = 0; point < 5; point++) {
			int to_x = (int)random_below(300), to_y = (int)random_below(200);
			int dx = abs(to_x - x), dy = abs(to_y - y);
			int major = dx > dy ? dx : dy, minor = dx > dy ? dy : dx;

			outw(b, 0x8ee8, (uint16_t)to_x);
			outw(b, 0x8ae8, (uint16_t)to_y);
			outw(b, 0x9ae8,
			     (uint16_t)(commands[round % 2] | CMD_WRITE | CMD_DRAW | CMD_LAST_OFF));
			for (int i = 0; i < major; i++) {
				int side = (i * minor + major - 1 - major / 2) / major;
				int along_x = dx > dy ? i : side, along_y = dx > dy ? side : i;

				model_pixel(&job, to_x > x ? x + along_x : x - along_x,
					    to_y > y ? y + along_y : y - along_y, true, 0, 0);
			}
			x = to_x;
			y = to_y;
			cr_assert_eq(inw(b, 0x86e8), x);
			cr_assert_eq(inw(b, 0x82e8), y);
		}
	}
	assert_same("polyline", 60);
}

Test(s3_engine, rectangles_wrap_at_the_memorys_end_and_not_at_4096)
{
	fill_random();
	for (unsigned int round = 0; round < 60; round++) {
		struct job job = random_job();
		int x = round & 1 ? 4096 - (int)random_below(40) : (int)random_below(900);
		int y = round & 1 ? (int)random_below(50) : 1000 + (int)random_below(60);

		job.left = job.top = 0;
		job.right = job.bottom = 4095;
		job.misc &= 0x180;
		set_depth(1 + (round / 2) % 4, 1024);
		load_job(&job);
		begin_rectangle(CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | CMD_INC_X | CMD_INC_Y, x, y,
				80, 40);
		for (int row = 0; row < 40; row++)
			for (int column = 0; column < 80; column++)
				model_pixel(&job, x + column, y + row, true, 0, 0);
		assert_same("wrap", round);
	}
}

/* Lines of 640 or 800 pixels do not fit the memory without rest: one of them goes over its end. */
Test(s3_engine, lines_that_go_over_the_memorys_end_are_drawn_once)
{
	fill_random();
	for (unsigned int round = 0; round < 120; round++) {
		struct job job = random_job();
		bool copy = random_below(2);
		unsigned int directions = random_next() & (CMD_INC_X | CMD_INC_Y);
		int x, y, end;

		set_depth(1 + round % 4, round & 4 ? 640 : 800);
		end = (int)(VRAM_BYTES / (pitch * bytes));
		x = 200 + (int)random_below(400);
		y = end + (int)random_below(30) - 15;
		job.left = job.top = 0;
		job.right = job.bottom = 4095;
		job.misc &= 0x180;
		if (copy && random_below(2)) { /* as lines, if they did */
			job.fg_mix = 0x67;
			job.misc = 0;
			job.wrt = UINT32_MAX;
		}
		load_job(&job);
		if (copy) {
			int from_x = x + (int)random_below(200) - 100;
			int from_y = y + (int)random_below(20) - 10;

			begin_copy(CMD_BLIT | CMD_WRITE | CMD_DRAW | directions, from_x, from_y, x,
				   y, 100, 20);
			model_copy(&job, from_x, from_y, x, y, 100, 20, directions, false);
		} else {
			begin_rectangle(CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | directions, x, y,
					100, 20);
			for (int row = 0; row < 20; row++)
				for (int column = 0; column < 100; column++)
					model_pixel(&job,
						    directions & CMD_INC_X ? x + column
									   : x - column,
						    directions & CMD_INC_Y ? y + row : y - row,
						    true, 0, 0);
		}
		assert_same("over the end", round);
	}
}

Test(s3_engine, a_negative_destination_draws_only_what_is_on_the_plane)
{
	struct job job = { .fg_mix = 0x67, .wrt = UINT32_MAX, .right = 4095, .bottom = 4095 };

	fill_random();
	set_depth(1, 1024);
	load_job(&job);
	begin_copy(CMD_BLIT | CMD_WRITE | CMD_DRAW | CMD_INC_X | CMD_INC_Y, 100, 100, 0x1ff8,
		   0x1ffe, 32, 8);
	model_copy(&job, 100, 100, -8, -2, 32, 8, CMD_INC_X | CMD_INC_Y, false);
	assert_same("negative destination", 0);
}

Test(s3_engine, positions_keep_thirteen_bits_and_negative_ones_draw_nothing)
{
	struct job job = {
		.fg_mix = 0x27, .fg = 0xff, .wrt = UINT32_MAX, .right = 4095, .bottom = 4095
	};

	set_depth(1, 1024);
	load_job(&job);
	outw(b, 0x86e8, 0x1ff0);
	cr_assert_eq(inw(b, 0x86e8), 0x1ff0, "bits 11 and 12 are kept");
	outw(b, 0x82e8, 0x1ffe);
	outw(b, 0x96e8, 31);
	multifunc(0, 3);
	outw(b, 0x9ae8, CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | CMD_INC_X | CMD_INC_Y);
	for (int y = -2; y < 2; y++)
		for (int x = -16; x < 16; x++)
			model_pixel(&job, x, y, true, 0, 0);
	assert_same("negative", 0);
	cr_assert_eq(memory.bytes[0], 0xff);
	cr_assert_eq(memory.bytes[15], 0xff);
	cr_assert_eq(memory.bytes[16], 0);
}

Test(s3_engine, the_largest_commands_are_bounded_and_stay_inside)
{
	set_depth(4, 1280);
	for (unsigned int i = 0; i < 4; i++) {
		struct job job = random_job();

		load_job(&job);
		multifunc(1, 0);
		multifunc(2, 0);
		multifunc(3, 4095);
		multifunc(4, 4095);
		multifunc(0xd, 0x77);
		begin_copy((i & 1 ? CMD_BLIT : CMD_RECTANGLE) | CMD_WRITE | CMD_DRAW, 0x1000,
			   0x1000, 4095, 4095, 4096, 4096);
	}
}
