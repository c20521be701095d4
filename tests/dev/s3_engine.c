// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Trio64's drawing engine, driven through its ports, against a slow model: one pixel at a time,
 * straight from the meaning of the registers, over all mixes, depths, directions and clips.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/s3_trio64.h"

#define VRAM_BYTES MIB(1)
#define DEVFN PCI_DEVFN(2, 0)

#define CMD_INC_X 0x0020
#define CMD_Y_MAJOR 0x0040
#define CMD_INC_Y 0x0080
#define CMD_DRAW 0x0010
#define CMD_WAIT 0x0100
#define CMD_LINE 0x2000
#define CMD_RECTANGLE 0x4000
#define CMD_BLIT 0xc000
#define CMD_PATTERN 0xe000

static struct bench *b;
static struct display_memory memory;
static uint8_t *model; /* what the memory should hold */
static unsigned int bytes, pitch;

static uint64_t seed;

static uint32_t random_next(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 32);
}

static uint32_t random_below(uint32_t limit)
{
	return random_next() % limit;
}

static void crtc(uint8_t index, uint8_t value)
{
	outw(b, 0x3d4, (uint16_t)(index | value << 8));
}

static void set_up(void)
{
	struct s3_trio64_config config = { .devfn = DEVFN, .memory = &memory };

	b = bench_new();
	memory = (struct display_memory){ .bytes = calloc(1, VRAM_BYTES), .size = VRAM_BYTES };
	model = calloc(1, VRAM_BYTES);
	config.bus = &b->pci;
	bench_add(b, &s3_trio64_class, &config);
	bench_config_write(b, DEVFN, PCI_CMD, 2, PCI_CMD_IOSE | PCI_CMD_MSE);
	outb(b, 0x3c2, 0x67);
	crtc(0x38, 0x48);
	crtc(0x39, 0xa5);
	crtc(0x40, 0x01);
	crtc(0x31, 0x08);
	crtc(0x3a, 0x10);
	outw(b, 0x3ce, 0x0506);
	outw(b, 0x4ae8, 0x0001);
	seed = 1;
}

static void tear_down(void)
{
	bench_free(b);
	free(memory.bytes);
	free(model);
}

TestSuite(s3_engine, .init = set_up, .fini = tear_down);

static void set_depth(unsigned int pixel_bytes, unsigned int width)
{
	static const struct {
		unsigned int width;
		uint8_t cr50;
	} widths[] = {
		{ 1024, 0x00 }, { 640, 0x40 }, { 800, 0x80 }, { 1280, 0xc0 }, { 1152, 0x01 }
	};

	bytes = pixel_bytes;
	for (unsigned int i = 0; i < ARRAY_LEN(widths); i++) {
		if (widths[i].width == width)
			crtc(0x50, (uint8_t)(widths[i].cr50 | (pixel_bytes - 1) << 4));
	}
	pitch = width;
}

static void fill_random(void)
{
	for (uint32_t i = 0; i < VRAM_BYTES; i += 4)
		put_le32(memory.bytes + i, random_next());
	memcpy(model, memory.bytes, VRAM_BYTES);
}

/* --- the model */

struct job {
	unsigned int fg_mix, bg_mix, pix_cntl, misc;
	uint32_t fg, bg, wrt, rd, cmp;
	int left, top, right, bottom;
};

static uint32_t depth_mask(void)
{
	return bytes == 4 ? UINT32_MAX : BIT(8 * bytes) - 1;
}

static uint32_t model_get(int x, int y)
{
	uint64_t at = (uint64_t)((int64_t)y * pitch + x) * bytes;
	uint32_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint32_t)model[(at + i) % VRAM_BYTES] << (8 * i);
	return value;
}

static void model_set(int x, int y, uint32_t value)
{
	uint64_t at = (uint64_t)((int64_t)y * pitch + x) * bytes;

	for (unsigned int i = 0; i < bytes; i++)
		model[(at + i) % VRAM_BYTES] = (uint8_t)(value >> (8 * i));
}

/* The mixes as truth tables: bit 2s + d of the nibble's table. */
static uint32_t model_mix(unsigned int number, uint32_t s, uint32_t d)
{
	/* Results for (s, d) = (0, 0), (0, 1), (1, 0), (1, 1) in bits 0 to 3. */
	static const uint8_t tables[16] = { 0x5, 0x0, 0xf, 0xa, 0x3, 0x6, 0x9, 0xc,
					    0x7, 0xb, 0xd, 0xe, 0x8, 0x4, 0x2, 0x1 };
	uint32_t result = 0;

	for (unsigned int bit = 0; bit < 32; bit++) {
		unsigned int index = (s >> bit & 1) * 2 + (d >> bit & 1);

		result |= (uint32_t)(tables[number] >> index & 1) << bit;
	}
	return result;
}

static void model_pixel(const struct job *job, int x, int y, bool frgd, uint32_t cpu, uint32_t vram)
{
	unsigned int how = frgd ? job->fg_mix : job->bg_mix;
	uint32_t source = (how >> 5 & 3) == 0	? job->bg
			  : (how >> 5 & 3) == 1 ? job->fg
			  : (how >> 5 & 3) == 2 ? cpu
						: vram;
	bool inside = x >= job->left && x <= job->right && y >= job->top && y <= job->bottom;
	uint32_t old;

	if (x < 0 || y < 0 || x > 4095 || y > 4095 || inside == ((job->misc & 0x20) != 0))
		return;
	source &= depth_mask();
	if (job->misc & 0x100) {
		bool equal = source == (job->cmp & depth_mask());

		if (equal != ((job->misc & 0x80) != 0))
			return;
	}
	old = model_get(x, y);
	model_set(x, y,
		  (old & ~job->wrt) | (model_mix(how & 15, source, old) & job->wrt & depth_mask()));
}

static bool model_select(const struct job *job, bool cpu, uint32_t vram)
{
	switch (job->pix_cntl >> 6) {
	case 2:
		return cpu;
	case 3:
		return (vram & job->rd & depth_mask()) == (job->rd & depth_mask());
	default:
		return true;
	}
}

/* --- driving */

static void multifunc(unsigned int index, unsigned int value)
{
	outw(b, 0xbee8, (uint16_t)(index << 12 | (value & 0xfff)));
}

static void color(uint16_t port, uint32_t value)
{
	if (bytes > 2) {
		outw(b, port, (uint16_t)value);
		outw(b, port, (uint16_t)(value >> 16));
	} else {
		outw(b, port, (uint16_t)value);
	}
}

static void load_job(const struct job *job)
{
	multifunc(0xe, job->misc);
	multifunc(0xa, job->pix_cntl);
	multifunc(1, (unsigned int)job->top);
	multifunc(2, (unsigned int)job->left);
	multifunc(3, (unsigned int)job->bottom);
	multifunc(4, (unsigned int)job->right);
	color(0xa2e8, job->bg);
	color(0xa6e8, job->fg);
	color(0xaae8, job->wrt);
	color(0xaee8, job->rd);
	color(0xb2e8, job->cmp);
	outw(b, 0xb6e8, (uint16_t)job->bg_mix);
	outw(b, 0xbae8, (uint16_t)job->fg_mix);
}

static struct job random_job(void)
{
	struct job job = {
		.fg_mix = random_below(16) | random_below(2) << 5,
		.bg_mix = random_below(16) | random_below(2) << 5,
		.fg = random_next(),
		.bg = random_next(),
		.wrt = random_below(3) ? UINT32_MAX : random_next(),
		.rd = random_below(2) ? 1 : random_next(),
		.cmp = random_next(),
		.right = 4095,
		.bottom = 4095,
	};

	if (random_below(2)) {
		job.left = (int)random_below(200);
		job.top = (int)random_below(100);
		job.right = job.left + (int)random_below(200);
		job.bottom = job.top + (int)random_below(100);
		if (random_below(3) == 0)
			job.misc |= 0x20;
	}
	if (random_below(4) == 0)
		job.misc |= 0x100 | (random_below(2) ? 0x80 : 0);
	return job;
}

static void assert_same(const char *what, unsigned int round)
{
	for (uint32_t i = 0; i < VRAM_BYTES; i++)
		cr_assert_eq(memory.bytes[i], model[i], "%s round %u: byte %x is %02x, not %02x",
			     what, round, i, memory.bytes[i], model[i]);
}

static void random_depth(unsigned int round)
{
	static const unsigned int widths[] = { 1024, 640, 800, 1280, 1152 };

	set_depth(1 + round % 4, widths[random_below(ARRAY_LEN(widths))]);
}

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
		outw(b, 0x86e8, (uint16_t)x);
		outw(b, 0x82e8, (uint16_t)y);
		outw(b, 0x96e8, (uint16_t)(width - 1));
		multifunc(0, height - 1);
		outw(b, 0x9ae8, (uint16_t)(CMD_RECTANGLE | 1 | CMD_DRAW | directions));
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

static void model_copy(const struct job *job, int sx, int sy, int dx, int dy, unsigned int width,
		       unsigned int height, unsigned int directions, bool pattern)
{
	int step_x = directions & CMD_INC_X ? 1 : -1, step_y = directions & CMD_INC_Y ? 1 : -1;

	for (int row = 0; row < (int)height; row++) {
		for (int column = 0; column < (int)width; column++) {
			int x = dx + column * step_x, y = dy + row * step_y;
			uint32_t vram;

			if (pattern)
				vram = model_get(sx + (y & 7) * 8 + (x & 7), sy);
			else
				vram = model_get(sx + column * step_x, sy + row * step_y);
			model_pixel(job, x, y, model_select(job, true, vram), 0, vram);
		}
	}
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
		outw(b, 0x86e8, (uint16_t)sx);
		outw(b, 0x82e8, (uint16_t)sy);
		outw(b, 0x8ee8, (uint16_t)dx);
		outw(b, 0x8ae8, (uint16_t)dy);
		outw(b, 0x96e8, (uint16_t)(width - 1));
		multifunc(0, height - 1);
		outw(b, 0x9ae8,
		     (uint16_t)((pattern ? CMD_PATTERN : CMD_BLIT) | 1 | CMD_DRAW | directions));
		model_copy(&job, sx, sy, dx, dy, width, height, directions, pattern);
		if (round % 20 == 0)
			assert_same("copy", round);
	}
	assert_same("copy", 600);
}

Test(s3_engine, mono_images_of_the_processor_choose_the_mix)
{
	fill_random();
	for (unsigned int round = 0; round < 200; round++) {
		struct job job = random_job();
		int x = (int)random_below(200), y = (int)random_below(100);
		unsigned int width = 1 + random_below(70), height = 1 + random_below(10);
		unsigned int bus = random_below(3), unit = 8u << bus;

		job.pix_cntl = 0x80;
		random_depth(round);
		load_job(&job);
		outw(b, 0x86e8, (uint16_t)x);
		outw(b, 0x82e8, (uint16_t)y);
		outw(b, 0x96e8, (uint16_t)(width - 1));
		multifunc(0, height - 1);
		outw(b, 0x9ae8,
		     (uint16_t)(CMD_RECTANGLE | 1 | CMD_DRAW | CMD_WAIT | 0x1000 | bus << 9 |
				CMD_INC_X | CMD_INC_Y));
		for (unsigned int row = 0; row < height; row++) {
			for (unsigned int at = 0; at < width; at += unit) {
				uint32_t data = random_next();

				if (bus == 0)
					outb(b, 0xe2e8, (uint8_t)data);
				else if (bus == 1)
					outw(b, 0xe2e8, (uint16_t)data);
				else
					outl(b, 0xe2e8, data);
				/* Low byte first, its high bit first; the row's end drops the rest. */
				for (unsigned int i = 0; i < unit && at + i < width; i++)
					model_pixel(&job, x + (int)(at + i), y + (int)row,
						    data >> (i / 8 * 8 + 7 - i % 8) & 1, 0, 0);
			}
		}
		if (round % 20 == 0)
			assert_same("mono image", round);
	}
	assert_same("mono image", 200);
}

Test(s3_engine, colour_images_come_through_ports_and_memory)
{
	fill_random();
	for (unsigned int round = 0; round < 120; round++) {
		struct job job = random_job();
		int x = (int)random_below(200), y = (int)random_below(100);
		unsigned int width = 1 + random_below(40), height = 1 + random_below(6);
		bool mapped = round & 1;

		job.fg_mix = random_below(16) | 0x40;
		set_depth(round % 3 == 2 ? 4 : 1 + round % 3, 1024);
		load_job(&job);
		outw(b, 0x86e8, (uint16_t)x);
		outw(b, 0x82e8, (uint16_t)y);
		outw(b, 0x96e8, (uint16_t)(width - 1));
		multifunc(0, height - 1);
		outw(b, 0x9ae8,
		     (uint16_t)(CMD_RECTANGLE | 1 | CMD_DRAW | CMD_WAIT | 0x1400 | CMD_INC_X |
				CMD_INC_Y));
		if (mapped)
			crtc(0x53, 0x10);
		for (unsigned int row = 0; row < height; row++) {
			for (unsigned int at = 0; at < width; at += 4 / bytes) {
				uint32_t data = random_next();

				if (mapped)
					io_memory_write(&b->io, 0xa0000 + 4 * random_below(64),
							&data, 4);
				else
					outl(b, 0xe2e8, data);
				for (unsigned int i = 0; i < 4 / bytes && at + i < width; i++)
					model_pixel(&job, x + (int)(at + i), y + (int)row, true,
						    data >> (8 * bytes * i), 0);
			}
		}
		crtc(0x53, 0);
		if (round % 10 == 0)
			assert_same("colour image", round);
	}
	assert_same("colour image", 120);
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
		outw(b, 0x9ae8, (uint16_t)(CMD_LINE | 1 | CMD_DRAW | directions));
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
	outw(b, 0x9ae8, 0x1000 | 1 | CMD_DRAW);
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
	outw(b, 0x9ae8, CMD_RECTANGLE | 1 | CMD_DRAW | CMD_INC_X | CMD_INC_Y);
	for (int y = -2; y < 2; y++)
		for (int x = -16; x < 16; x++)
			model_pixel(&job, x, y, true, 0, 0);
	assert_same("negative", 0);
	cr_assert_eq(memory.bytes[0], 0xff);
	cr_assert_eq(memory.bytes[15], 0xff);
	cr_assert_eq(memory.bytes[16], 0);
}

Test(s3_engine, packed_registers_in_memory_are_the_ports)
{
	uint32_t value = 123 | 456u << 16;

	crtc(0x53, 0x10);
	io_memory_write(&b->io, 0xa8100, &value, 4);
	cr_assert_eq(inw(b, 0x82e8), 123);
	cr_assert_eq(inw(b, 0x86e8), 456);
	value = 0x12345678;
	io_memory_write(&b->io, 0xa8124, &value, 4);
	io_memory_read(&b->io, 0xa8124, &value, 4);
	cr_assert_eq(value, 0x12345678);
	value = 77;
	io_memory_write(&b->io, 0xa8148, &value, 2);
	multifunc(0xf, 0);
	cr_assert_eq(inw(b, 0xbee8), 77, "READ_SEL 0 is the height");
}

Test(s3_engine, retrace_sets_its_status_bit_until_it_is_cleared)
{
	outw(b, 0x42e8, 0x0001);
	cr_assert_eq(inw(b, 0x42e8) & 1, 0, "just cleared");
	advance(b, NSEC_PER_SEC);
	cr_assert_eq(inw(b, 0x42e8) & 1, 1, "a picture has passed");
	outw(b, 0x42e8, 0x0001);
	cr_assert_eq(inw(b, 0x42e8) & 1, 0);
}

Test(s3_engine, ports_are_dead_until_cr40_wakes_them)
{
	cr_assert_eq(inw(b, 0x9ae8), 0x0400, "room for commands, at rest");
	crtc(0x40, 0);
	cr_assert_eq(inw(b, 0x9ae8), 0xffff);
	cr_assert_eq(inw(b, 0x42e8), 0xffff);
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
		outw(b, 0x86e8, 0x1000);
		outw(b, 0x82e8, 0x1000);
		outw(b, 0x8ee8, 4095);
		outw(b, 0x8ae8, 4095);
		outw(b, 0x96e8, 4095);
		multifunc(0, 4095);
		outw(b, 0x9ae8, (uint16_t)((i & 1 ? CMD_BLIT : CMD_RECTANGLE) | 1 | CMD_DRAW));
	}
}
