// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VGA in the Trio64 against slow models: what accesses to the window do to the planes, and what
 * pictures the planes become.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/s3_trio64.h"

#define VRAM_BYTES MIB(4)
#define DEVFN PCI_DEVFN(2, 0)
#define PLANE 0x10000u

static struct bench *b;
static struct device *vga;
static struct display_memory memory;
static struct display display;
static struct display_surface surface;
static uint8_t planes[4][PLANE]; /* the model's */
static uint64_t seed;

static uint32_t random_next(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 32);
}

static void seq(uint8_t index, uint8_t value)
{
	outw(b, 0x3c4, (uint16_t)(index | value << 8));
}

static void gfx(uint8_t index, uint8_t value)
{
	outw(b, 0x3ce, (uint16_t)(index | value << 8));
}

static void crtc(uint8_t index, uint8_t value)
{
	outw(b, 0x3d4, (uint16_t)(index | value << 8));
}

static void attr(uint8_t index, uint8_t value)
{
	(void)inb(b, 0x3da);
	outb(b, 0x3c0, index);
	outb(b, 0x3c0, value);
	outb(b, 0x3c0, 0x20);
}

static void set_up(void)
{
	struct s3_trio64_config config = { .devfn = DEVFN, .memory = &memory, .display = &display };

	b = bench_new();
	memory = (struct display_memory){ .bytes = calloc(1, VRAM_BYTES), .size = VRAM_BYTES };
	config.bus = &b->pci;
	vga = bench_add(b, &s3_trio64_class, &config);
	bench_config_write(b, DEVFN, PCI_CMD, 2, PCI_CMD_IOSE | PCI_CMD_MSE);
	memset(planes, 0, sizeof(planes));
	memset(&surface, 0, sizeof(surface));
	surface.pixels = calloc(DISPLAY_WIDTH_MAX * DISPLAY_HEIGHT_MAX, 4);
	seed = 1;
}

static void tear_down(void)
{
	bench_free(b);
	free(memory.bytes);
	free(surface.pixels);
}

TestSuite(vga, .init = set_up, .fini = tear_down);

/* --- modes: the registers that differ, by hand from IBM's tables */

struct mode {
	uint8_t misc, seq[5], crtc[25], gfx[9], attr_mode;
};

static const struct mode mode_3 = {
	0x67,
	{ 3, 0, 3, 0, 2 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,	0x4f, 0x0d, 0x0e, 0,
	  0,	0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
	{ 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff },
	0x0c,
};
static const struct mode mode_12 = {
	0xe3,
	{ 3, 1, 15, 0, 6 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0,	0x40, 0,    0,	 0,
	  0,	0,    0,    0xea, 0x8c, 0xdf, 0x28, 0,	  0xe7, 4,    0xe3, 0xff },
	{ 0, 0, 0, 0, 0, 0, 5, 15, 0xff },
	0x01,
};
static const struct mode mode_13 = {
	0x63,
	{ 3, 1, 15, 0, 14 },
	{ 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0,	0x41, 0,    0,	 0,
	  0,	0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
	{ 0, 0, 0, 0, 0, 0x40, 5, 15, 0xff },
	0x41,
};
static const struct mode mode_4 = {
	0x63,
	{ 3, 9, 3, 0, 2 },
	{ 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0,	0xc1, 0,    0,	 0,
	  0,	0,    0,    0x9c, 0x8e, 0x8f, 0x14, 0,	  0x96, 0xb9, 0xa2, 0xff },
	{ 0, 0, 0, 0, 0, 0x30, 0x0f, 15, 0xff },
	0x01,
};

static void set_mode(const struct mode *mode)
{
	outb(b, 0x3c2, mode->misc);
	for (uint8_t i = 0; i < 5; i++)
		seq(i, mode->seq[i]);
	crtc(0x11, 0);
	for (uint8_t i = 0; i < 25; i++)
		crtc(i, mode->crtc[i]);
	for (uint8_t i = 0; i < 9; i++)
		gfx(i, mode->gfx[i]);
	for (uint8_t i = 0; i < 16; i++)
		attr(i, i);
	attr(0x10, mode->attr_mode);
	attr(0x12, 15);
	attr(0x13, mode == &mode_3 ? 8 : 0);
	outb(b, 0x3c8, 0);
	for (unsigned int i = 0; i < 256; i++) {
		outb(b, 0x3c9, (uint8_t)(i & 63));
		outb(b, 0x3c9, (uint8_t)(i * 7 & 63));
		outb(b, 0x3c9, (uint8_t)(i * 13 & 63));
	}
}

static uint32_t color(unsigned int i)
{
	unsigned int r = i & 63, g = i * 7 & 63, blue = i * 13 & 63;

	return (r << 2 | r >> 4) << 16 | (g << 2 | g >> 4) << 8 | (blue << 2 | blue >> 4);
}

/* Writes random bytes to all planes, one by one, and into the model. */
static void fill_planes(void)
{
	seq(2, 15);
	seq(4, 6);
	gfx(1, 0);
	gfx(3, 0);
	gfx(5, 0);
	gfx(6, 5);
	gfx(8, 0xff);
	for (unsigned int plane = 0; plane < 4; plane++) {
		seq(2, (uint8_t)BIT(plane));
		for (uint32_t at = 0; at < PLANE; at += 4) {
			uint32_t value = random_next();

			io_memory_write(&b->io, 0xa0000 + at, &value, 4);
			put_le32(planes[plane] + at, value);
		}
	}
}

static void refresh(void)
{
	struct display_geometry now;

	display_geometry(&display, &now);
	if (now.width != surface.width || now.height != surface.height) {
		surface.width = now.width;
		surface.height = now.height;
		surface.stride_pixels = now.width;
		surface.stale = true;
	}
	surface.damage_count = 0;
	display_refresh(&display, &surface);
}

static uint32_t pixel(uint32_t x, uint32_t y)
{
	return surface.pixels[y * surface.stride_pixels + x];
}

static void assert_pixel(const char *mode, uint32_t x, uint32_t y, uint32_t expected)
{
	cr_assert_eq(pixel(x, y), expected, "%s: %u,%u is %06x, not %06x", mode, x, y, pixel(x, y),
		     expected);
}

/* --- pictures */

static unsigned int planar_index(uint32_t address, unsigned int bit)
{
	unsigned int index = 0;

	for (unsigned int plane = 0; plane < 4; plane++)
		index |= (planes[plane][address % PLANE] >> (7 - bit) & 1u) << plane;
	return index;
}

Test(vga, planar_pictures_with_panning_and_split_screen)
{
	const uint32_t split = 300, start = 0x1234, pan = 3;

	set_mode(&mode_12);
	fill_planes();
	set_mode(&mode_12);
	crtc(0x0c, start >> 8);
	crtc(0x0d, start & 0xff);
	crtc(0x18, (split - 1) & 0xff);
	crtc(0x07, (uint8_t)(0x2e | ((split - 1) >> 8 & 1) << 4));
	crtc(0x09, 0x00);
	attr(0x13, pan);
	attr(0x10, 0x21);
	refresh();
	cr_assert_eq(surface.width, 640);
	cr_assert_eq(surface.height, 480);
	for (uint32_t y = 0; y < 480; y++) {
		for (uint32_t x = 0; x < 640; x++) {
			uint32_t at = y < split ? x + pan : x;
			uint32_t line = y < split ? start + y * 80 : (y - split) * 80;

			assert_pixel("12h", x, y, color(planar_index(line + at / 8, at % 8)));
		}
	}
}

Test(vga, pictures_of_256_colours_chained_and_not)
{
	set_mode(&mode_12);
	fill_planes();
	set_mode(&mode_13);
	refresh();
	cr_assert_eq(surface.width, 640);
	cr_assert_eq(surface.height, 400);
	for (uint32_t y = 0; y < 400; y++)
		for (uint32_t x = 0; x < 640; x++)
			assert_pixel("13h", x, y, color(planes[x / 2 % 4][y / 2 * 80 + x / 8]));
	/* Unchained: addresses in bytes, and a page of its own. */
	seq(4, 6);
	crtc(0x14, 0);
	crtc(0x17, 0xe3);
	crtc(0x0c, 0x40);
	refresh();
	for (uint32_t y = 0; y < 400; y++)
		for (uint32_t x = 0; x < 640; x++)
			assert_pixel("X", x, y,
				     color(planes[x / 2 % 4][0x4000 + y / 2 * 80 + x / 8]));
}

Test(vga, cga_pictures_interleave_lines)
{
	set_mode(&mode_12);
	fill_planes();
	set_mode(&mode_4);
	attr(0x12, 15);
	refresh();
	cr_assert_eq(surface.width, 640);
	for (uint32_t y = 0; y < 400; y++) {
		for (uint32_t x = 0; x < 640; x++) {
			/* Even bytes in plane 0, odd ones in plane 1, at even addresses. */
			uint32_t line = y / 2, byte = line / 2 * 80 + (line & 1) * 0x2000 + x / 8;
			uint32_t address = byte & ~1u, low = planes[byte & 1][address];
			uint32_t high = planes[2 + (byte & 1)][address], shift = 6 - x / 2 % 4 * 2;

			assert_pixel("4", x, y,
				     color((low >> shift & 3) | (high >> shift & 3) << 2));
		}
	}
}

Test(vga, text_with_fonts_attributes_cursor_and_nine_dots)
{
	set_mode(&mode_12);
	fill_planes();
	set_mode(&mode_3);
	crtc(0x0a, 0x20);
	attr(0x10, 0x04); /* line graphics, no blink */
	refresh();
	cr_assert_eq(surface.width, 720);
	cr_assert_eq(surface.height, 400);
	for (uint32_t y = 0; y < 400; y++) {
		for (uint32_t x = 0; x < 720; x++) {
			uint32_t cell = (y / 16 * 80 + x / 9) * 2, c = planes[0][cell];
			uint32_t attribute = planes[1][cell], dot = x % 9;
			uint32_t bits = planes[2][c * 32 + y % 16];
			uint32_t on =
				dot < 8 ? bits >> (7 - dot) & 1 : (c & 0xe0) == 0xc0 && (bits & 1);

			assert_pixel("3", x, y, color(on ? attribute & 15 : attribute >> 4));
		}
	}
	/* The cursor's cell, and only that, changes. */
	crtc(0x0a, 0x00);
	crtc(0x0b, 0x0f);
	crtc(0x0e, 0);
	crtc(0x0f, 81);
	b->now_ns = 0;
	refresh();
	for (uint32_t y = 16; y < 32; y++)
		for (uint32_t x = 9; x < 18; x++)
			assert_pixel("cursor", x, y, color(planes[1][81 * 2] & 15));
}

Test(vga, packed_modes_of_every_depth)
{
	static const struct {
		uint8_t bits, cr67, scale;
	} depths[] = {
		{ 8, 0x00, 1 }, { 15, 0x30, 2 }, { 16, 0x50, 2 }, { 24, 0x70, 3 }, { 32, 0xd0, 1 }
	};

	for (unsigned int i = 0; i < ARRAY_LEN(depths); i++) {
		unsigned int bytes = (depths[i].bits + 7u) / 8, pitch = 640 * bytes;

		set_mode(&mode_12);
		crtc(0x38, 0x48);
		crtc(0x39, 0xa5);
		crtc(0x11, 0x0c);
		crtc(0x31, 0x08);
		crtc(0x3a, 0x10);
		crtc(0x67, depths[i].cr67);
		crtc(0x01, (uint8_t)(80 * depths[i].scale - 1));
		crtc(0x13, (uint8_t)(pitch / 8));
		crtc(0x51, (uint8_t)((pitch / 8 >> 8) << 4));
		for (uint32_t at = 0; at < 480 * pitch; at += 4)
			put_le32(memory.bytes + at, random_next());
		refresh();
		cr_assert_eq(surface.width, 640, "%u bits: %u", depths[i].bits, surface.width);
		for (uint32_t y = 0; y < 480; y += 7) {
			for (uint32_t x = 0; x < 640; x++) {
				const uint8_t *p = memory.bytes + y * pitch + x * bytes;
				uint32_t value = (uint32_t)get_le(p, bytes), r, g, blue;

				if (bytes == 1) {
					assert_pixel("8 bits", x, y, color(value));
					continue;
				}
				r = bytes > 2		   ? value >> 16 & 0xff
				    : depths[i].bits == 15 ? value >> 10 & 31
							   : value >> 11 & 31;
				g = bytes > 2		   ? value >> 8 & 0xff
				    : depths[i].bits == 15 ? value >> 5 & 31
							   : value >> 5 & 63;
				blue = bytes > 2 ? value & 0xff : value & 31;
				if (bytes == 2) {
					g = depths[i].bits == 15 ? g << 3 | g >> 2
								 : g << 2 | g >> 4;
					r = r << 3 | r >> 2;
					blue = blue << 3 | blue >> 2;
				}
				assert_pixel("packed", x, y, r << 16 | g << 8 | blue);
			}
		}
	}
}

Test(vga, damage_is_where_something_changed)
{
	uint8_t value = 0x5a;

	set_mode(&mode_13);
	refresh();
	refresh();
	cr_assert_eq(surface.damage_count, 0, "nothing changed");
	io_memory_write(&b->io, 0xa0000 + 100 * 320 + 50, &value, 1);
	refresh();
	cr_assert_eq(surface.damage_count, 1);
	cr_assert_eq(surface.damage[0].x, 100);
	cr_assert_eq(surface.damage[0].y, 200);
	cr_assert_eq(surface.damage[0].width, 2);
	cr_assert_eq(surface.damage[0].height, 2);
	cr_assert_eq(pixel(100, 200), color(0x5a));
}

/* --- the memory path */

static uint32_t latch;

static uint8_t model_read(const uint8_t g[9], uint32_t at)
{
	uint8_t result = 0xff;

	latch = 0;
	for (unsigned int plane = 0; plane < 4; plane++)
		latch |= (uint32_t)planes[plane][at] << (8 * plane);
	if (!(g[5] & 8))
		return planes[g[4] & 3][at];
	for (unsigned int plane = 0; plane < 4; plane++) {
		if (g[7] >> plane & 1)
			result &=
				g[2] >> plane & 1 ? planes[plane][at] : (uint8_t)~planes[plane][at];
	}
	return result;
}

static void model_write(const uint8_t g[9], uint8_t mask, uint32_t at, uint8_t value)
{
	uint8_t rotated = (uint8_t)(value >> (g[3] & 7) | value << (8 - (g[3] & 7)));

	for (unsigned int plane = 0; plane < 4; plane++) {
		uint8_t old = (uint8_t)(latch >> (8 * plane)), data = rotated, bits = g[8];
		bool set = g[0] >> plane & 1;

		if (!(mask >> plane & 1))
			continue;
		if ((g[5] & 3) == 1) {
			planes[plane][at] = old;
			continue;
		}
		if ((g[5] & 3) == 2)
			data = value >> plane & 1 ? 0xff : 0;
		if ((g[5] & 3) == 3) {
			data = set ? 0xff : 0;
			bits &= rotated;
		}
		if ((g[5] & 3) == 0 && (g[1] >> plane & 1))
			data = set ? 0xff : 0;
		switch (g[3] >> 3 & 3) {
		case 1:
			data &= old;
			break;
		case 2:
			data |= old;
			break;
		case 3:
			data ^= old;
			break;
		default:
			break;
		}
		planes[plane][at] = (uint8_t)((data & bits) | (old & ~bits));
	}
}

Test(vga, write_and_read_modes_do_what_the_model_does)
{
	uint8_t g[9] = { 0, 0, 0, 0, 0, 0, 5, 15, 0xff }, mask = 15;

	set_mode(&mode_12);
	fill_planes();
	set_mode(&mode_12);
	for (unsigned int round = 0; round < 20000; round++) {
		uint32_t at = random_next() % PLANE;
		uint8_t value = (uint8_t)random_next(), got;

		if (round % 4 == 0) {
			unsigned int index = random_next() % 9;
			static const uint8_t masks[9] = { 15, 15, 15, 0x1f, 3, 0x0b, 0, 15, 0xff };

			if (index != 6) {
				g[index] = (uint8_t)random_next() & masks[index];
				gfx((uint8_t)index, g[index]);
			}
			mask = (uint8_t)random_next() & 15;
			seq(2, mask);
		}
		if (random_next() & 1) {
			io_memory_read(&b->io, 0xa0000 + at, &got, 1);
			cr_assert_eq(got, model_read(g, at), "round %u", round);
		} else {
			io_memory_write(&b->io, 0xa0000 + at, &value, 1);
			model_write(g, mask, at, value);
		}
	}
	gfx(5, 0);
	for (unsigned int plane = 0; plane < 4; plane++) {
		gfx(4, (uint8_t)plane);
		for (uint32_t at = 0; at < PLANE; at++) {
			uint8_t got;

			io_memory_read(&b->io, 0xa0000 + at, &got, 1);
			cr_assert_eq(got, planes[plane][at], "plane %u at %x", plane, at);
		}
	}
}

Test(vga, windows_that_can_be_mapped_are_offered_after_some_use)
{
	struct display_aperture apertures[S3_TRIO64_APERTURES];
	uint16_t cell = 0x0741;

	set_mode(&mode_3);
	s3_trio64_apertures(vga, apertures);
	cr_assert_eq(apertures[1].size, 0);
	for (unsigned int i = 0; i < 64; i++)
		io_memory_write(&b->io, 0xb8000 + 2 * i, &cell, 2);
	cr_assert_gt(b->memory_changes, 0, "the machine is told");
	s3_trio64_apertures(vga, apertures);
	cr_assert_eq(apertures[1].gpa, 0xb8000);
	cr_assert_eq(apertures[1].size, 0x8000);
	cr_assert_eq(get_le16(memory.bytes + apertures[1].offset + 20), 0x0741,
		     "text lies there as the processor sees it");
	seq(2, 4);
	s3_trio64_apertures(vga, apertures);
	cr_assert_eq(apertures[1].size, 0, "another mode is not that memory");
}

Test(vga, all_planes_alike_are_mapped_and_copied)
{
	struct display_aperture apertures[S3_TRIO64_APERTURES];
	uint32_t ones = UINT32_MAX;

	set_mode(&mode_12);
	for (uint32_t at = 0; at < 0x2000; at += 4)
		io_memory_write(&b->io, 0xa0000 + at, &ones, 4);
	s3_trio64_apertures(vga, apertures);
	cr_assert_eq(apertures[1].gpa, 0xa0000);
	cr_assert_eq(apertures[1].size, PLANE, "all pages of all planes are alike");
	memory.bytes[apertures[1].offset + 0x1003] = 0x5a; /* the processor */
	display_mark_dirty(&memory, apertures[1].offset + 0x1003, 1);
	s3_trio64_settle(vga);
	for (unsigned int plane = 0; plane < 4; plane++) {
		uint8_t got;

		gfx(4, (uint8_t)plane);
		io_memory_read(&b->io, 0xa1003, &got, 1);
		cr_assert_eq(got, 0x5a, "plane %u", plane);
	}
}

static bool posted(uint16_t port)
{
	return b->io.ports[b->io.port_owner[port] - 1]->desc->flags & IO_POSTED;
}

Test(vga, planar_drawing_posts_its_registers_until_memory_is_mapped)
{
	uint8_t value = 0x81;

	set_mode(&mode_12);
	cr_assert_not(posted(0x3ce));
	for (unsigned int i = 0; i < 200; i++) {
		gfx(8, (uint8_t)(0x80 >> i % 8));
		io_memory_read(&b->io, 0xa0000 + i, &value, 1);
		io_memory_write(&b->io, 0xa0000 + i, &value, 1);
	}
	cr_assert(posted(0x3ce));
	cr_assert(posted(0x3c5));
	set_mode(&mode_3);
	cr_assert_not(posted(0x3ce), "text is mapped: its registers take effect at once");
}

/* --- registers */

Test(vga, retrace_and_display_enable_move_with_time)
{
	unsigned int seen[16] = { 0 };

	set_mode(&mode_3);
	for (unsigned int i = 0; i < 2000; i++) {
		seen[inb(b, 0x3da) & 9]++;
		advance(b, 17000);
	}
	cr_assert_gt(seen[0], 1000, "most of the time a line is drawn");
	cr_assert_gt(seen[1], 300);
	cr_assert(seen[9] > 1 && seen[9] < 100, "retrace is short: %u", seen[9]);
	cr_assert_eq(seen[8], 0, "nothing is drawn in the retrace");
}

Test(vga, locks_keep_registers)
{
	set_mode(&mode_3);
	crtc(0x11, 0x8e);
	crtc(0x00, 0x11);
	outb(b, 0x3d4, 0x00);
	cr_assert_eq(inb(b, 0x3d5), 0x5f, "CR11 bit 7 locks CR0");
	crtc(0x38, 0x00);
	crtc(0x39, 0x00);
	outb(b, 0x3d4, 0x30);
	cr_assert_eq(inb(b, 0x3d5), 0xff, "nobody knows the chip");
	crtc(0x31, 0x09);
	crtc(0x38, 0x48);
	outb(b, 0x3d4, 0x31);
	cr_assert_eq(inb(b, 0x3d5), 0x00);
	outb(b, 0x3d4, 0x30);
	cr_assert_eq(inb(b, 0x3d5), 0xe1);
	crtc(0x53, 0x10);
	outb(b, 0x3d4, 0x53);
	cr_assert_eq(inb(b, 0x3d5), 0x00, "CR40 and up want CR39");
	seq(0x12, 0x55);
	outb(b, 0x3c4, 0x12);
	cr_assert_neq(inb(b, 0x3c5), 0x55, "SR8 locks the clocks");
}

Test(vga, base_address_is_one_storage_with_cr59)
{
	bench_config_write(b, DEVFN, PCI_BAR0, 4, 0xffffffff);
	cr_assert_eq(bench_config_read(b, DEVFN, PCI_BAR0, 4), 0xff800000);
	bench_config_write(b, DEVFN, PCI_BAR0, 4, 0xe8000000);
	outb(b, 0x3c2, 0x67);
	crtc(0x38, 0x48);
	crtc(0x39, 0xa5);
	outb(b, 0x3d4, 0x59);
	cr_assert_eq(inb(b, 0x3d5), 0xe8);
	crtc(0x59, 0xd0);
	cr_assert_eq(bench_config_read(b, DEVFN, PCI_BAR0, 4), 0xd0000000);
	crtc(0x31, 0x08);
	crtc(0x58, 0x13);
	put_le32(memory.bytes + 0x1000, 0x12345678);
	uint32_t value = 0;
	io_memory_read(&b->io, 0xd0001000, &value, 4);
	cr_assert_eq(value, 0x12345678);
}

Test(vga, the_cursor_comes_apart_from_the_picture)
{
	static struct display_cursor cursor;
	uint8_t *image = memory.bytes + VRAM_BYTES - 1024;

	set_mode(&mode_12);
	crtc(0x38, 0x48);
	crtc(0x39, 0xa5);
	crtc(0x3a, 0x10);
	memset(image, 0xff, 2); /* first 16 pixels of a row: AND, then XOR */
	memset(image + 2, 0x0f, 2);
	crtc(0x4c, 0x0f);
	crtc(0x4d, 0xff);
	outb(b, 0x3d4, 0x45);
	(void)inb(b, 0x3d5);
	crtc(0x4a, 5);
	outb(b, 0x3d4, 0x45);
	(void)inb(b, 0x3d5);
	crtc(0x4b, 9);
	crtc(0x46, 0);
	crtc(0x47, 100);
	crtc(0x49, 50);
	crtc(0x48, 0);
	crtc(0x45, 1);
	display_cursor(&display, &cursor);
	cr_assert(cursor.visible);
	cr_assert_eq(cursor.x, 100);
	cr_assert_eq(cursor.y, 50);
	cr_assert_eq(cursor.image[0], 0, "AND 1, XOR 0: transparent");
	cr_assert_eq(cursor.invert[0] >> 56, 0x0f, "AND 1, XOR 1: inverts");
	cr_assert_eq(cursor.image[16], 0xff000000 | color(9), "AND 0, XOR 0: background");
}
