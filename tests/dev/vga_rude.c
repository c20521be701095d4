// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers that no driver would write. Whatever they say, picture, text and cursor stay within the adapter's memory
 * and the viewer's: both end at pages that nobody may touch. And what such values mean where that is known.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/s3_trio64.h"

#define DEVFN PCI_DEVFN(2, 0)
#define GUARD 4096u
#define SURFACE_BYTES (DISPLAY_WIDTH_MAX * DISPLAY_HEIGHT_MAX * 4)

static struct bench *b;
static struct display_memory memory;
static struct display display;
static struct display_surface surface;
static uint64_t seed;

static uint32_t random_next(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 32);
}

/* @bytes that end where a page begins that nobody may touch, and begin where one ends. */
static uint8_t *guarded(size_t bytes)
{
	uint8_t *pages =
		mmap(NULL, bytes + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(pages, MAP_FAILED);
	cr_assert_eq(mprotect(pages + GUARD, bytes, PROT_READ | PROT_WRITE), 0);
	return pages + GUARD;
}

static void set_up_with(uint32_t vram_bytes)
{
	struct s3_trio64_config config = { .devfn = DEVFN, .memory = &memory, .display = &display };

	b = bench_new();
	memory = (struct display_memory){ .bytes = guarded(vram_bytes), .size = vram_bytes };
	config.bus = &b->pci;
	bench_add(b, &s3_trio64_class, &config);
	bench_config_write(b, DEVFN, PCI_CMD, 2, PCI_CMD_IOSE | PCI_CMD_MSE);
	seed = 7;
}

static void tear_down(void)
{
	munmap(memory.bytes - GUARD, memory.size + 2 * GUARD);
	bench_free(b);
}

static void set(uint16_t port, uint8_t index, uint8_t value)
{
	outw(b, port, (uint16_t)(index | value << 8));
}

static void attr(uint8_t index, uint8_t value)
{
	(void)inb(b, 0x3da);
	outb(b, 0x3c0, index);
	outb(b, 0x3c0, value);
	outb(b, 0x3c0, 0x20);
}

static void unlock(void)
{
	set(0x3c4, 0x08, 0x06);
	set(0x3d4, 0x38, 0x48);
	set(0x3d4, 0x39, 0xa5);
	set(0x3d4, 0x11, 0);
}

/* A surface whose last pixel is the last before the guard. */
static void look(void)
{
	static uint8_t *pixels;
	struct display_geometry geometry;
	struct display_cursor cursor;
	static struct display_text text;

	if (!pixels)
		pixels = guarded(SURFACE_BYTES);
	display_geometry(&display, &geometry);
	cr_assert(geometry.width > 0 && geometry.width <= DISPLAY_WIDTH_MAX);
	cr_assert(geometry.height > 0 && geometry.height <= DISPLAY_HEIGHT_MAX);
	surface.width = surface.stride_pixels = geometry.width;
	surface.height = geometry.height;
	surface.pixels = (uint32_t *)(void *)(pixels + SURFACE_BYTES -
					      4 * (size_t)geometry.width * geometry.height);
	surface.stale = true;
	surface.damage_count = 0;
	display_refresh(&display, &surface);
	for (unsigned int i = 0; i < surface.damage_count; i++) {
		cr_assert_leq(surface.damage[i].x + surface.damage[i].width, geometry.width);
		cr_assert_leq(surface.damage[i].y + surface.damage[i].height, geometry.height);
	}
	display_cursor(&display, &cursor);
	display_text(&display, &text);
	cr_assert_leq((uint64_t)text.columns * text.rows, DISPLAY_TEXT_CELLS);
}

static void random_registers(void)
{
	outb(b, 0x3c2, (uint8_t)(random_next() | 1));
	unlock();
	for (uint8_t i = 0; i < 0x70; i++) {
		if (i != 0x38 && i != 0x39)
			set(0x3d4, i, (uint8_t)random_next());
	}
	for (uint8_t i = 1; i < 0x20; i++) {
		if (i != 0x08)
			set(0x3c4, i, (uint8_t)random_next());
	}
	/* Mostly not asleep. */
	if (random_next() % 8) {
		set(0x3c4, 0x01, (uint8_t)(random_next() & ~0x20u));
		set(0x3c4, 0x0d, 0);
		set(0x3d4, 0x17, (uint8_t)(random_next() | 0x80));
		set(0x3d4, 0x56, 0);
	}
	for (uint8_t i = 0; i < 9; i++)
		set(0x3ce, i, (uint8_t)random_next());
	for (uint8_t i = 0; i < 0x15; i++)
		attr(i, (uint8_t)random_next());
	outb(b, 0x3c6, (uint8_t)random_next());
}

Test(vga_rude, any_registers_show_something_within_the_memory, .timeout = 300)
{
	static const uint32_t sizes[] = { MIB(1), MIB(2), MIB(4) };

	for (unsigned int i = 0; i < ARRAY_LEN(sizes); i++) {
		set_up_with(sizes[i]);
		for (unsigned int round = 0; round < 60; round++) {
			random_registers();
			for (unsigned int access = 0; access < 20; access++) {
				uint32_t value = random_next();
				uint64_t gpa = 0xa0000 + random_next() % 0x1fffd;

				io_memory_write(&b->io, gpa, &value, 4);
				io_memory_read(&b->io, gpa, &value, 4);
			}
			look();
		}
		tear_down();
	}
}

/* Unlocked, in VBE mode 101h's registers as far as they matter here: 640x480 pixels of 8 bits. */
static void packed_mode(void)
{
	static const uint8_t crtc[][2] = {
		{ 0x00, 0x5f }, { 0x01, 0x4f }, { 0x02, 0x50 }, { 0x03, 0x82 }, { 0x04, 0x54 },
		{ 0x05, 0x80 }, { 0x06, 0x0b }, { 0x07, 0x3e }, { 0x09, 0x40 }, { 0x10, 0xea },
		{ 0x12, 0xdf }, { 0x13, 80 },	{ 0x15, 0xe7 }, { 0x16, 0x04 }, { 0x17, 0xe3 },
		{ 0x18, 0xff }, { 0x31, 0x09 }, { 0x3a, 0x15 },
	};

	outb(b, 0x3c2, 0xef);
	unlock();
	set(0x3c4, 1, 1);
	set(0x3c4, 4, 0x0e);
	set(0x3ce, 5, 0x40);
	set(0x3ce, 6, 5);
	for (unsigned int i = 0; i < ARRAY_LEN(crtc); i++)
		set(0x3d4, crtc[i][0], crtc[i][1]);
	attr(0x10, 0x41);
}

Test(vga_rude, pitch_0_start_beyond_the_memory_and_a_cursor_off_the_screen)
{
	set_up_with(MIB(1));
	packed_mode();
	look();
	cr_assert_eq(surface.width, 640);
	set(0x3d4, 0x13, 0); /* every line is the same */
	look();
	set(0x3d4, 0x13, 80);
	set(0x3d4, 0x0c, 0xff);
	set(0x3d4, 0x0d, 0xff);
	set(0x3d4, 0x69, 0x1f);
	look();
	set(0x3d4, 0x51, 0x30); /* and lines as long as can be */
	set(0x3d4, 0x13, 0xff);
	look();
	set(0x3d4, 0x45, 0x01);
	for (unsigned int i = 0x46; i <= 0x49; i++)
		set(0x3d4, (uint8_t)i, 0xff);
	for (unsigned int i = 0x4c; i <= 0x4f; i++)
		set(0x3d4, (uint8_t)i, 0xff);
	look();
	tear_down();
}

/* Modes that are not the adapter's own have 256 KiB, whatever there is. */
Test(vga_rude, vga_modes_wrap_at_256_kib)
{
	set_up_with(MIB(4));
	packed_mode();
	set(0x3d4, 0x31, 0);
	set(0x3d4, 0x3a, 0x05);
	set(0x3ce, 5, 0);
	set(0x3ce, 6, 5);
	set(0x3ce, 8, 0xff);
	set(0x3c4, 4, 6);
	set(0x3c4, 2, 15);
	set(0x3d4, 0x13, 40);
	attr(0x10, 1);
	attr(0x12, 15);
	memset(memory.bytes, 0, memory.size);
	/* The first pixels are at the last address of the planes, those behind them at address 0. */
	outb(b, 0x3c8, 15);
	for (unsigned int i = 0; i < 3; i++)
		outb(b, 0x3c9, 63);
	attr(15, 15);
	io_memory_write(&b->io, 0xaffff, &(uint8_t){ 0xff }, 1);
	io_memory_write(&b->io, 0xa0000, &(uint8_t){ 0x0f }, 1);
	set(0x3d4, 0x0c, 0xff);
	set(0x3d4, 0x0d, 0xff);
	look();
	for (unsigned int x = 0; x < 8; x++)
		cr_assert_eq(surface.pixels[x], 0xffffff, "pixel %u is %06x", x, surface.pixels[x]);
	for (unsigned int x = 8; x < 16; x++)
		cr_assert_eq(surface.pixels[x] == 0xffffff, x >= 12, "pixel %u", x);
	tear_down();
}

/* 25.175 MHz by VGA's clock, and as S3's synthesizer makes it; twice that by its divider. */
Test(vga_rude, the_pace_comes_from_the_clocks)
{
	struct display_geometry geometry;

	set_up_with(MIB(1));
	packed_mode();
	outb(b, 0x3c2, 0xe3);
	display_geometry(&display, &geometry);
	cr_assert(geometry.refresh_millihertz > 59000 && geometry.refresh_millihertz < 60500, "%u",
		  geometry.refresh_millihertz);
	/* (M + 2) / ((N + 2) x 2^R) x 14.318 MHz: 127 / (9 x 8) */
	set(0x3c4, 0x12, 3 << 5 | 7);
	set(0x3c4, 0x13, 125);
	outb(b, 0x3c2, 0xef);
	display_geometry(&display, &geometry);
	cr_assert(geometry.refresh_millihertz > 59000 && geometry.refresh_millihertz < 61000, "%u",
		  geometry.refresh_millihertz);
	set(0x3c4, 0x12, 2 << 5 | 7);
	display_geometry(&display, &geometry);
	cr_assert(geometry.refresh_millihertz > 118000 && geometry.refresh_millihertz < 122000,
		  "%u", geometry.refresh_millihertz);
	tear_down();
}

Test(vga_rude, a_monitor_that_is_told_to_sleep_is_black)
{
	struct display_geometry geometry;

	set_up_with(MIB(1));
	packed_mode();
	display_geometry(&display, &geometry);
	cr_assert_not(geometry.blank);
	set(0x3c4, 0x0d, 0x50);
	display_geometry(&display, &geometry);
	cr_assert(geometry.blank, "DPMS off");
	set(0x3c4, 0x0d, 0);
	set(0x3c4, 1, 0x21);
	display_geometry(&display, &geometry);
	cr_assert(geometry.blank, "screen off");
	tear_down();
}
