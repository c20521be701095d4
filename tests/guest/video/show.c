// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that shows a picture in every mode of the video BIOS, and in some that only registers make: split
 * screens, panning, unchained 256 colours, two fonts. On COM1 it asks "show? NAME" for each; the answer is "y",
 * or "n" to leave it out. When the picture is there it says "show: NAME" and waits for a byte. The pictures are
 * compared with those in tests/guest/pictures. "show: done" ends it. 16-bit code, all segments 0.
 */
#include "guest.h"

#define ROW_AT 0x1000u /* a line of pixels, in memory that nobody uses; 1152 x 4 bytes at most */
#define ROW ((u8 *)ROW_AT)
#define COLOURS_AT 0x2800u /* the same line as numbers of colours */
#define COLOURS ((u8 *)COLOURS_AT)

static inline void outw(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void set_index(u16 port, u8 index, u8 value)
{
	outw(port, (u16)(index | value << 8));
}

static u8 answer(void)
{
	while (!(inb(COM1 + 5) & 1))
		;
	return inb(COM1);
}

/* @bytes (a multiple of 4) of the line to @segment:@offset. */
static void copy_row(u16 segment, u16 offset, u32 from, u32 bytes)
{
	u32 di = offset, si = from, cx = bytes / 4;

	__asm__ volatile("pushw %%es; movw %3, %%es; rep movsl; popw %%es"
			 : "+D"(di), "+S"(si), "+c"(cx)
			 : "r"(segment)
			 : "memory");
}

/* --- the picture: a frame, and four bands: bars, ramps, a grid, a weave */

struct picture {
	u16 width, height;
	u8 bits;
};

static const u32 bars[16] = { 0x000000, 0x0000a8, 0x00a800, 0x00a8a8, 0xa80000, 0xa800a8,
			      0xa85400, 0xa8a8a8, 0x545454, 0x5454fc, 0x54fc54, 0x54fcfc,
			      0xfc5454, 0xfc54fc, 0xfcfc54, 0xfcfcfc };

/* In modes without a palette: 00RRGGBBh. */
static u32 true_colour(const struct picture *p, u32 x, u32 y)
{
	u32 band = y * 4 / p->height, part = y * 16 / p->height & 3, level = x * 256 / p->width;

	if (x == 0 || y == 0 || x == p->width - 1u || y == p->height - 1u)
		return 0xffffff;
	switch (band) {
	case 0:
		return bars[x * 16 / p->width];
	case 1:
		return part == 3 ? level * 0x10101 : level << (16 - 8 * part);
	case 2:
		return x % 16 == 0 || y % 16 == 0 ? 0xc0c0c0 : 0x000080;
	default:
		y &= ~7u;
		return (x & 0xff) << 16 | (y & 0xff) << 8 | ((x ^ y) & 0xff);
	}
}

/* In modes with one: a number of @bits. */
static u32 number_of(const struct picture *p, u32 x, u32 y)
{
	u32 band = y * 4 / p->height, part = y * 64 / p->height & 15;
	u32 last = (1u << p->bits) - 1;

	if (x == 0 || y == 0 || x == p->width - 1u || y == p->height - 1u)
		return p->bits == 8 ? 15 : last;
	switch (band) {
	case 0:
		return p->bits == 8 ? part * 16 + x * 16 / p->width : x * (last + 1) / p->width;
	case 1:
		return (x >> 3) & last;
	case 2:
		return x % 16 == 0 || y % 16 == 0 ? 7 & last : 1;
	default:
		y &= ~7u;
		return p->bits == 8 ? (x ^ y) & 0xff : (x / 4 ^ y / 4) & last;
	}
}

/* Whether line @y looks like the one before. */
static u8 same_row(const struct picture *p, u16 y)
{
	u32 now = (u32)y * 64 / p->height, before = (u32)(y - 1) * 64 / p->height;

	if (y < 2 || y == p->height - 1 || now != before)
		return 0;
	if (now >= 48)
		return (y & 7) != 0;
	return now < 32 || (y % 16 > 1);
}

static void make_numbers(const struct picture *p, u16 y)
{
	for (u16 x = 0; x < p->width; x++)
		COLOURS[x] = (u8)number_of(p, x, y);
}

static void make_row(const struct picture *p, u16 y)
{
	for (u16 x = 0; x < p->width; x++) {
		u32 c = true_colour(p, x, y), r = c >> 16, g = c >> 8 & 255, b = c & 255;

		if (p->bits == 15)
			((u16 *)ROW)[x] = (u16)(r >> 3 << 10 | g >> 3 << 5 | b >> 3);
		else if (p->bits == 16)
			((u16 *)ROW)[x] = (u16)(r >> 3 << 11 | g >> 2 << 5 | b >> 3);
		else
			((u32 *)ROW)[x] = c;
	}
}

/* The line's bits of one plane, or of pixels of @bits one behind the other. */
static void pack(const struct picture *p, u8 plane)
{
	for (u16 x = 0; x < p->width; x += 8) {
		u8 byte = 0;

		for (u16 i = 0; i < 8; i++)
			byte = (u8)(byte << 1 | (COLOURS[x + i] >> plane & 1));
		ROW[x / 8] = byte;
	}
}

/* The bank that the window shows, 64 KiB, in planar modes of each plane. */
static u16 bank;

static void set_bank(u16 number)
{
	if (bank != number)
		call(0x4f05, 0, 0, number);
	bank = number;
}

/* @bytes of the line at @from to @at of the memory; with @banks, whichever bank that is in. */
static void put_row(u32 at, u32 from, u32 bytes, u8 banks)
{
	u32 first = bytes;

	if ((at & 0xffff) + bytes > 0x10000)
		first = 0x10000 - (at & 0xffff);
	if (banks)
		set_bank((u16)(at >> 16));
	copy_row(0xa000, (u16)at, from, first);
	if (first == bytes)
		return;
	set_bank((u16)(at >> 16) + 1);
	copy_row(0xa000, 0, from + first, bytes - first);
}

static void draw_planes(const struct picture *p, u16 pitch, u8 banks)
{
	bank = 0xffff;
	for (u8 plane = 0; plane < 4; plane++) {
		set_index(0x3c4, 2, (u8)(1u << plane));
		for (u16 y = 0; y < p->height; y++) {
			if (!same_row(p, y)) {
				make_numbers(p, y);
				pack(p, plane);
			}
			put_row((u32)y * pitch, ROW_AT, p->width / 8u, banks);
		}
	}
	set_index(0x3c4, 2, 15);
}

/* CGA: lines with odd numbers are 8 KiB behind. */
static void draw_cga(const struct picture *p)
{
	for (u16 y = 0; y < p->height; y++) {
		u16 at = (u16)(y / 2 * 80 + (y & 1) * 0x2000);

		make_numbers(p, y);
		if (p->bits == 1) {
			pack(p, 0);
		} else {
			for (u16 x = 0; x < p->width; x += 4)
				ROW[x / 4] = (u8)(COLOURS[x] << 6 | COLOURS[x + 1] << 4 |
						  COLOURS[x + 2] << 2 | COLOURS[x + 3]);
		}
		copy_row(0xb800, at, ROW_AT, 80);
	}
}

static void draw_linear(const struct picture *p, u16 pitch, u8 banks)
{
	u32 bytes = (u32)p->width * ((p->bits + 7u) / 8), from = p->bits == 8 ? COLOURS_AT : ROW_AT;

	bank = 0xffff;
	for (u16 y = 0; y < p->height; y++) {
		if (!same_row(p, y)) {
			if (p->bits == 8)
				make_numbers(p, y);
			else
				make_row(p, y);
		}
		put_row((u32)y * pitch, from, bytes, banks);
	}
}

/* Every character and attribute, each side by side with others; the cursor hides. */
static void draw_text(u16 segment, u16 columns, u16 rows)
{
	call(0x1003, 0, 0, 0);
	call(0x0100, 0, 0x2000, 0);
	set_fs(segment);
	for (u16 i = 0; i < columns * rows; i++) {
		u8 attribute = (u8)(i / columns << 4 | i % columns * 16 / columns);

		FAR(u16, i * 2) = (u16)((i & 255) | attribute << 8);
	}
}

/* --- modes of the BIOS */

static const struct {
	u8 number, bits;
	u16 width, height;
} modes[] = {
	{ 0x01, 0, 40, 25 },   { 0x03, 0, 80, 25 },   { 0x04, 2, 320, 200 }, { 0x05, 2, 320, 200 },
	{ 0x06, 1, 640, 200 }, { 0x07, 0, 80, 25 },   { 0x0d, 4, 320, 200 }, { 0x0e, 4, 640, 200 },
	{ 0x0f, 1, 640, 350 }, { 0x10, 4, 640, 350 }, { 0x11, 1, 640, 480 }, { 0x12, 4, 640, 480 },
	{ 0x13, 8, 320, 200 },
};

static void print_number(const char *kind, u32 number)
{
	static const char digits[] = "0123456789abcdef";
	char text[4] = { digits[number >> 8 & 15], digits[number >> 4 & 15], digits[number & 15] };

	print(kind);
	print(text);
}

static u8 wanted(const char *kind, u32 number)
{
	print("show? ");
	if (number)
		print_number(kind, number);
	else
		print(kind);
	print("\r\n");
	return answer() == 'y';
}

static void shown(const char *kind, u32 number)
{
	print("show: ");
	if (number)
		print_number(kind, number);
	else
		print(kind);
	print("\r\n");
	answer();
}

static void show_mode(u32 i)
{
	const struct picture p = { modes[i].width, modes[i].height, modes[i].bits };

	if (!wanted("mode-", modes[i].number))
		return;
	call(modes[i].number, 0, 0, 0);
	if (!p.bits)
		draw_text(modes[i].number == 7 ? 0xb000 : 0xb800, p.width, p.height);
	else if (p.bits == 8)
		draw_linear(&p, 320, 0);
	else if (modes[i].number <= 6)
		draw_cga(&p);
	else
		draw_planes(&p, p.width / 8, 0);
	shown("mode-", modes[i].number);
}

static void show_vbe(u16 number)
{
	struct picture p;
	u16 pitch;

	if (!wanted("vbe-", number))
		return;
	call_buffer(0x4f01, 0, number, 0);
	pitch = word_at(0, BUFFER + 16);
	p = (struct picture){ word_at(0, BUFFER + 18), word_at(0, BUFFER + 20),
			      byte_at(0, BUFFER + 25) };
	call(0x4f02, number, 0, 0);
	if (p.bits == 4)
		draw_planes(&p, pitch, 1);
	else
		draw_linear(&p, pitch, 1);
	shown("vbe-", number);
}

static void show_vbe_modes(void)
{
	static u16 list[64];
	u16 at, segment, n = 0;

	call_buffer(0x4f00, 0, 0, 0);
	at = word_at(0, BUFFER + 14);
	segment = word_at(0, BUFFER + 16);
	for (; n < ARRAY_LEN(list) && word_at(segment, at) != 0xffff; at += 2)
		list[n++] = word_at(segment, at);
	for (u16 i = 0; i < n; i++)
		show_vbe(list[i]);
}

/* --- what registers make of them */

static void text_28(void)
{
	call(0x0003, 0, 0, 0);
	call(0x1111, 0, 0, 0);
	draw_text(0xb800, 80, 28);
}

static void text_50(void)
{
	call(0x0003, 0, 0, 0);
	call(0x1112, 0, 0, 0);
	draw_text(0xb800, 80, 50);
}

static void text_350(void)
{
	call(0x1201, 0x0030, 0, 0);
	call(0x0003, 0, 0, 0);
	draw_text(0xb800, 80, 25);
	call(0x1202, 0x0030, 0, 0);
}

/* Bit 3 of the attribute chooses the second font, of 8x8. */
static void two_fonts(void)
{
	call(0x0012, 0, 0, 0); /* nothing is left of other fonts */
	call(0x0003, 0, 0, 0);
	call(0x1102, 1, 0, 0);
	call(0x1103, 4, 0, 0);
	draw_text(0xb800, 80, 25);
}

/* Lines of 90 characters, panned by half of one and six lines, the screen split below. */
static void panned_text(void)
{
	call(0x0003, 0, 0, 0);
	draw_text(0xb800, 90, 40);
	set_index(0x3d4, 0x13, 45);
	set_index(0x3d4, 0x0c, 1);
	set_index(0x3d4, 0x0d, 0xc2); /* 5 lines down */
	set_index(0x3d4, 0x08, 6);
	set_index(0x3d4, 0x18, 300 & 255);
	set_index(0x3d4, 0x07, indexed(0x3d4, 0x07) | 0x10);
	set_index(0x3d4, 0x09, indexed(0x3d4, 0x09) & ~0x40u);
	(void)inb(0x3da);
	outb(0x3c0, 0x33);
	outb(0x3c0, 4);
	outb(0x3c0, 0x30);
	outb(0x3c0, indexed(0x3c0, 0x30) | 0x20); /* panning ends at the split */
}

static void split_planes(void)
{
	const struct picture p = { 640, 480, 4 };

	call(0x0012, 0, 0, 0);
	draw_planes(&p, 80, 0);
	set_index(0x3d4, 0x0c, 120 * 80 >> 8);
	set_index(0x3d4, 0x0d, 120 * 80 & 255);
	set_index(0x3d4, 0x18, 319 & 255);
	set_index(0x3d4, 0x07, indexed(0x3d4, 0x07) | 0x10);
	set_index(0x3d4, 0x09, indexed(0x3d4, 0x09) & ~0x40u);
}

/* @count bytes of all planes through the latches, as VGAs scroll; @down: from the last one on. */
static void move_latches(u16 to, u16 from, u16 count, u8 down)
{
	u32 di = to, si = from, cx = count;

	if (down) {
		di += cx - 1;
		si += cx - 1;
		__asm__ volatile("std");
	}
	__asm__ volatile("pushw %%ds; pushw %%es; movw %3, %%ds; movw %3, %%es; rep movsb;"
			 "popw %%es; popw %%ds; cld"
			 : "+D"(di), "+S"(si), "+c"(cx)
			 : "r"((u16)0xa000)
			 : "memory");
}

/* Scrolled up, two planes of the lower part scrolled down, some lines repeated by an overlapping copy. */
static void latches(void)
{
	const struct picture p = { 640, 480, 4 };

	call(0x0012, 0, 0, 0);
	draw_planes(&p, 80, 0);
	set_index(0x3ce, 5, 1);
	move_latches(0, 37 * 80 + 5, 38400 - 37 * 80 - 5, 0);
	set_index(0x3c4, 2, 6);
	move_latches(300 * 80, 283 * 80 + 3, 150 * 80, 1);
	set_index(0x3c4, 2, 15);
	move_latches(460 * 80 + 7, 460 * 80, 20 * 80 - 7, 0);
	/* What the last copy left in the latches fills a line. */
	for (u16 i = 0; i < 80; i++) {
		set_fs(0xa000);
		FAR(u8, 240 * 80 + i) = 0;
	}
	set_index(0x3ce, 5, 0);
}

/* 320x240 in 256 colours, four pixels behind each address. */
static void unchained(void)
{
	static const u8 registers[][2] = { { 0x06, 0x0d }, { 0x07, 0x3e }, { 0x09, 0x41 },
					   { 0x10, 0xea }, { 0x12, 0xdf }, { 0x14, 0x00 },
					   { 0x15, 0xe7 }, { 0x16, 0x06 }, { 0x17, 0xe3 } };
	const struct picture p = { 320, 240, 8 };

	call(0x0013, 0, 0, 0);
	set_index(0x3c4, 4, 6);
	set_index(0x3d4, 0x11, indexed(0x3d4, 0x11) & 0x7f);
	outb(0x3c2, 0xe3);
	for (u32 i = 0; i < ARRAY_LEN(registers); i++)
		set_index(0x3d4, registers[i][0], registers[i][1]);
	for (u8 plane = 0; plane < 4; plane++) {
		set_index(0x3c4, 2, (u8)(1u << plane));
		for (u16 y = 0; y < p.height; y++) {
			if (!same_row(&p, y)) {
				make_numbers(&p, y);
				for (u16 x = 0; x < 80; x++)
					ROW[x] = COLOURS[x * 4 + plane];
			}
			copy_row(0xa000, (u16)(y * 80), ROW_AT, 80);
		}
	}
}

/* A screen of 640x480 that looks at the middle of lines of 1024 pixels. */
static void part_of_wide_lines(void)
{
	const struct picture p = { 1024, 700, 8 };

	call(0x4f02, 0x0101, 0, 0);
	call(0x4f06, 0, 1024, 0);
	draw_linear(&p, 1024, 1);
	call(0x4f07, 0, 200, 144);
}

static const struct {
	const char *name;
	void (*draw)(void);
} scenes[] = {
	{ "text-28", text_28 },
	{ "text-50", text_50 },
	{ "text-350", text_350 },
	{ "two-fonts", two_fonts },
	{ "panned-text", panned_text },
	{ "split-planes", split_planes },
	{ "latches", latches },
	{ "unchained", unchained },
	{ "part-of-wide-lines", part_of_wide_lines },
};

void guest_main(void)
{
	outb(COM1 + 3, 3); /* eight bits */
	for (u32 i = 0; i < ARRAY_LEN(modes); i++)
		show_mode(i);
	for (u32 i = 0; i < ARRAY_LEN(scenes); i++) {
		if (!wanted(scenes[i].name, 0))
			continue;
		scenes[i].draw();
		shown(scenes[i].name, 0);
	}
	show_vbe_modes();
	call(0x0003, 0, 0, 0);
	print("show: done\r\n");
}
