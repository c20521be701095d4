// SPDX-License-Identifier: GPL-2.0-or-later
/* Fonts: int 10h function 11h. The ROM's own come from font.awk. */
#include "bios.h"

u16 font_offset(u8 height)
{
	const u8 *font = height == 8 ? font_8x8 : height == 14 ? font_8x14 : font_8x16;

	return (u16)(u32)font;
}

/* Plane 2 at A0000h, addresses not odd and even. */
static void open_font_memory(void)
{
	seq_write(0, 1);
	seq_write(2, 4);
	seq_write(4, 7);
	seq_write(0, 3);
	gfx_write(4, 2);
	gfx_write(5, 0);
	gfx_write(6, 4);
}

static void close_font_memory(void)
{
	seq_write(0, 1);
	seq_write(2, 3);
	seq_write(4, 3);
	seq_write(0, 3);
	gfx_write(4, 0);
	gfx_write(5, 0x10);
	gfx_write(6, crtc_port() == 0x3d4 ? 0x0e : 0x0a);
}

static void load_characters(u8 block, u16 first, u16 count, u8 height, u16 segment, u16 offset)
{
	u16 base = (u16)((block & 3) * 0x4000 + (block >> 2 & 1) * 0x2000);

	open_font_memory();
	for (u16 c = first; c < first + count && c < 256; c++, offset += height)
		far_copy(0xa000, (u16)(base + c * 32), segment, offset, height);
	close_font_memory();
}

void load_rom_font(u8 height)
{
	load_characters(0, 0, 256, height, rom_segment(), font_offset(height));
	seq_write(3, 0);
}

static u16 scan_lines(void)
{
	u8 overflow = crtc_read(0x07);

	return (u16)(crtc_read(0x12) + (overflow >> 1 & 1) * 256 + (overflow >> 6 & 1) * 512 + 1);
}

/* As many rows of that height as the picture has lines for. */
static void fit_text_rows(u8 height)
{
	u8 max_scan = crtc_read(0x09);
	u16 lines = scan_lines() >> (max_scan >> 7), rows = lines / height;
	u16 overflow = crtc_read(0x07), last = (u16)((rows * height << (max_scan >> 7)) - 1);
	u8 protected = crtc_read(0x11);

	crtc_write(0x11, protected & 0x7f);
	crtc_write(0x09, (max_scan & 0xe0) | (height - 1));
	crtc_write(0x12, (u8)last);
	crtc_write(0x07, (u8)((overflow & ~0x42) | (last >> 8 & 1) << 1 | (last >> 9 & 1) << 6));
	crtc_write(0x14, (u8)(height - 1));
	crtc_write(0x11, protected);
	set_bda8(BDA_ROWS, (u8)(rows - 1));
	set_bda16(BDA_CHARACTER_HEIGHT, height);
	set_bda16(BDA_PAGE_BYTES, (u16)((rows * bda16(BDA_COLUMNS) * 2 + 0xff) & ~0xff));
	set_cursor_shape(height > 8 ? height - 3 : 6, height > 8 ? height - 2 : 7);
}

static void rows_of_graphics(struct regs *r, u8 height)
{
	static const ROM u8 rows[4] = { 0, 14, 25, 43 };

	set_bda8(BDA_ROWS, (u8)((r->bl & 3 ? rows[r->bl & 3] : r->dl) - 1));
	set_bda16(BDA_CHARACTER_HEIGHT, height);
}

static void information(struct regs *r)
{
	u16 segment = rom_segment(), offset;

	r->cx = bda16(BDA_CHARACTER_HEIGHT);
	r->dl = bda8(BDA_ROWS);
	switch (r->bh) {
	case 0x00:
	case 0x01:
		set_fs(0);
		offset = FAR(u16, (r->bh ? 0x43 : 0x1f) * 4);
		segment = FAR(u16, (r->bh ? 0x43 : 0x1f) * 4 + 2);
		break;
	case 0x02:
		offset = font_offset(14);
		break;
	case 0x03:
		offset = font_offset(8);
		break;
	case 0x04:
		offset = font_offset(8) + 128 * 8;
		break;
	case 0x05: /* characters that differ in cells of 9 dots: none, which a 0 tells */
	case 0x07:
		offset = font_offset(16) + 256 * 16;
		break;
	default:
		offset = font_offset(16);
		break;
	}
	r->es = segment;
	r->bp = offset;
}

void int10_font(struct regs *r)
{
	static const ROM u8 heights[5] = { 0, 14, 8, 0, 16 };
	u8 function = r->al & 15, height = function < 5 ? heights[function] : 0;
	u16 segment = rom_segment();

	switch (r->al) {
	case 0x00:
	case 0x10:
		load_characters(r->bl, r->dx, r->cx, r->bh, r->es, r->bp);
		height = r->bh;
		break;
	case 0x01:
	case 0x02:
	case 0x04:
	case 0x11:
	case 0x12:
	case 0x14:
		load_characters(r->bl, 0, 256, height, segment, font_offset(height));
		break;
	case 0x03:
		seq_write(3, r->bl);
		return;
	case 0x20:
		set_vector(0x1f, r->es, r->bp);
		return;
	case 0x21:
		set_vector(0x43, r->es, r->bp);
		rows_of_graphics(r, r->cl);
		return;
	case 0x22:
	case 0x23:
	case 0x24:
		height = r->al == 0x22 ? 14 : r->al == 0x23 ? 8 : 16;
		set_vector(0x43, segment, font_offset(height));
		rows_of_graphics(r, height);
		return;
	case 0x30:
		information(r);
		return;
	default:
		return;
	}
	if (r->al >= 0x10 && height)
		fit_text_rows(height);
}
