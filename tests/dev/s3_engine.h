/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bench with a Trio64 whose engine is awake, and a slow model of what the engine draws: one pixel at a time,
 * straight from the meaning of the registers.
 */
#ifndef TESTS_DEV_S3_ENGINE_H
#define TESTS_DEV_S3_ENGINE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/s3_trio64.h"

#define VRAM_BYTES MIB(1)
#define CMD_WRITE 0x0001
#define CMD_LAST_OFF 0x0004
#define CMD_RADIAL 0x0008
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

static inline uint32_t random_next(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 32);
}

static inline uint32_t random_below(uint32_t limit)
{
	return random_next() % limit;
}

static inline void crtc(uint8_t index, uint8_t value)
{
	outw(b, 0x3d4, (uint16_t)(index | value << 8));
}

static inline void set_up(void)
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

static inline void tear_down(void)
{
	bench_free(b);
	free(memory.bytes);
	free(model);
}

static inline void set_depth(unsigned int pixel_bytes, unsigned int width)
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

static inline void fill_random(void)
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

static inline uint32_t depth_mask(void)
{
	return bytes == 4 ? UINT32_MAX : BIT(8 * bytes) - 1;
}

static inline uint32_t model_get(int x, int y)
{
	uint64_t at = (uint64_t)((int64_t)y * pitch + x) * bytes;
	uint32_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint32_t)model[(at + i) % VRAM_BYTES] << (8 * i);
	return value;
}

static inline void model_set(int x, int y, uint32_t value)
{
	uint64_t at = (uint64_t)((int64_t)y * pitch + x) * bytes;

	for (unsigned int i = 0; i < bytes; i++)
		model[(at + i) % VRAM_BYTES] = (uint8_t)(value >> (8 * i));
}

/* The mixes as truth tables: bit 2s + d of the nibble's table. */
static inline uint32_t model_mix(unsigned int number, uint32_t s, uint32_t d)
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

static inline void model_pixel(const struct job *job, int x, int y, bool frgd, uint32_t cpu,
			       uint32_t vram)
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

static inline bool model_select(const struct job *job, bool cpu, uint32_t vram)
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

static inline void multifunc(unsigned int index, unsigned int value)
{
	outw(b, 0xbee8, (uint16_t)(index << 12 | (value & 0xfff)));
}

static inline void color(uint16_t port, uint32_t value)
{
	if (bytes > 2) {
		outw(b, port, (uint16_t)value);
		outw(b, port, (uint16_t)(value >> 16));
	} else {
		outw(b, port, (uint16_t)value);
	}
}

static inline void load_job(const struct job *job)
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

/* Starts @command, which has its depth and job, on a rectangle whose first corner is @x, @y. */
static inline void begin_rectangle(unsigned int command, int x, int y, unsigned int width,
				   unsigned int height)
{
	outw(b, 0x86e8, (uint16_t)x);
	outw(b, 0x82e8, (uint16_t)y);
	outw(b, 0x96e8, (uint16_t)(width - 1));
	multifunc(0, height - 1);
	outw(b, 0x9ae8, (uint16_t)command);
}

/* The same for commands that go on to another place: blits and patterns. */
static inline void begin_copy(unsigned int command, int from_x, int from_y, int x, int y,
			      unsigned int width, unsigned int height)
{
	outw(b, 0x8ee8, (uint16_t)x);
	outw(b, 0x8ae8, (uint16_t)y);
	begin_rectangle(command, from_x, from_y, width, height);
}

static inline struct job random_job(void)
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

static inline void assert_same(const char *what, unsigned int round)
{
	if (!memcmp(memory.bytes, model, VRAM_BYTES))
		return;
	for (uint32_t i = 0; i < VRAM_BYTES; i++)
		cr_assert_eq(memory.bytes[i], model[i], "%s round %u: byte %x is %02x, not %02x",
			     what, round, i, memory.bytes[i], model[i]);
}

static inline void random_depth(unsigned int round)
{
	static const unsigned int widths[] = { 1024, 640, 800, 1280, 1152 };

	set_depth(1 + round % 4, widths[random_below(ARRAY_LEN(widths))]);
}

static inline void model_copy(const struct job *job, int sx, int sy, int dx, int dy,
			      unsigned int width, unsigned int height, unsigned int directions,
			      bool pattern)
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

#endif
