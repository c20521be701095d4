// SPDX-License-Identifier: GPL-2.0-or-later
/* Colours: int 10h functions 0Bh and 10h, and the palettes that modes start with. */
#include "bios.h"

/* --- 0Bh: border or background, and the two palettes of CGA's mode 4 */

void int10_color(struct regs *r)
{
	u8 palette = bda8(BDA_PALETTE);

	if (r->bh == 0) {
		palette = (palette & 0xe0) | (r->bl & 0x1f);
		attr_write(0x11, (u8)((r->bl & 7) | (r->bl & 8) << 1));
		if (bda8(BDA_MODE) >= 4 && bda8(BDA_MODE) <= 6)
			attr_write(0, (u8)((r->bl & 7) | (r->bl & 8) << 1));
	} else {
		palette = (palette & 0xdf) | (r->bl & 1) << 5;
		for (u8 i = 0; i < 3; i++)
			attr_write(i + 1, (u8)((2 + (r->bl & 1) + i * 2) | (palette & 0x10)));
	}
	set_bda8(BDA_PALETTE, palette);
}

/* --- the DAC */

static void dac_write(u8 red, u8 green, u8 blue)
{
	outb(PORT_DAC_DATA, red);
	outb(PORT_DAC_DATA, green);
	outb(PORT_DAC_DATA, blue);
}

/* 30 %, 59 % and 11 % of the three. */
void grey_palette(u16 first, u16 count)
{
	for (u16 i = first; i < first + count && i < 256; i++) {
		u8 r, g, b, grey;

		outb(PORT_DAC_READ, (u8)i);
		r = inb(PORT_DAC_DATA);
		g = inb(PORT_DAC_DATA);
		b = inb(PORT_DAC_DATA);
		grey = (u8)((77 * r + 151 * g + 28 * b + 128) >> 8);
		outb(PORT_DAC_WRITE, (u8)i);
		dac_write(grey, grey, grey);
	}
}

/* Bits 2 to 0: red, green, blue at two thirds; 5 to 3: at one third. */
static void ega_color(u8 i)
{
	dac_write((i >> 2 & 1) * 0x2a + (i >> 5 & 1) * 0x15,
		  (i >> 1 & 1) * 0x2a + (i >> 4 & 1) * 0x15, (i & 1) * 0x2a + (i >> 3 & 1) * 0x15);
}

/* Bit 4: bright; the dark yellow is brown. */
static void cga_color(u8 i)
{
	u8 bright = i & 0x10 ? 0x15 : 0;

	dac_write((i >> 2 & 1) * 0x2a + bright,
		  (i & 0x17) == 6 ? 0x15 : (i >> 1 & 1) * 0x2a + bright, (i & 1) * 0x2a + bright);
}

/* A wheel of 24 hues from blue over red and green, between @steps[0] and @steps[4]. */
static void hue(const ROM u8 *steps, u8 h)
{
	u8 sector = h / 4, at = h % 4;
	u8 up = steps[at], down = steps[4 - at], high = steps[4], low = steps[0];

	switch (sector) {
	case 0:
		dac_write(up, low, high);
		break;
	case 1:
		dac_write(high, low, down);
		break;
	case 2:
		dac_write(high, up, low);
		break;
	case 3:
		dac_write(down, high, low);
		break;
	case 4:
		dac_write(low, high, up);
		break;
	default:
		dac_write(low, down, high);
		break;
	}
}

static void load_256(void)
{
	static const ROM u8 greys[16] = { 0x00, 0x05, 0x08, 0x0b, 0x0e, 0x11, 0x14, 0x18,
					  0x1c, 0x20, 0x24, 0x28, 0x2d, 0x32, 0x38, 0x3f };
	static const ROM u8 steps[9][5] = {
		{ 0x00, 0x10, 0x1f, 0x2f, 0x3f }, { 0x1f, 0x27, 0x2f, 0x37, 0x3f },
		{ 0x2d, 0x31, 0x36, 0x3a, 0x3f }, { 0x00, 0x07, 0x0e, 0x15, 0x1c },
		{ 0x0e, 0x11, 0x15, 0x18, 0x1c }, { 0x14, 0x16, 0x18, 0x1a, 0x1c },
		{ 0x00, 0x04, 0x08, 0x0c, 0x10 }, { 0x08, 0x0a, 0x0c, 0x0e, 0x10 },
		{ 0x0b, 0x0c, 0x0d, 0x0f, 0x10 },
	};

	for (u8 i = 0; i < 16; i++)
		cga_color((i & 7) | (i & 8) << 1);
	for (u8 i = 0; i < 16; i++)
		dac_write(greys[i], greys[i], greys[i]);
	for (u8 wheel = 0; wheel < 9; wheel++)
		for (u8 h = 0; h < 24; h++)
			hue(steps[wheel], h);
	for (u8 i = 0; i < 8; i++)
		dac_write(0, 0, 0);
}

void load_default_palette(u8 kind)
{
	outb(PORT_DAC_MASK, 0xff);
	outb(PORT_DAC_WRITE, 0);
	if (kind == PALETTE_256) {
		load_256();
		return;
	}
	for (u8 i = 0; i < 64; i++) {
		if (kind == PALETTE_EGA) {
			ega_color(i);
		} else if (kind == PALETTE_CGA) {
			cga_color(i);
		} else {
			u8 level = !(i & 8) ? 0 : i & 0x10 ? 0x3f : 0x2a;

			dac_write(level, level, level);
		}
	}
}

/* --- 10h */

static void write_block(struct regs *r)
{
	u16 at = r->dx;

	outb(PORT_DAC_WRITE, r->bl);
	set_fs(r->es);
	for (u16 i = 0; i < r->cx && i < 256; i++, at += 3)
		dac_write(FAR(u8, at), FAR(u8, at + 1), FAR(u8, at + 2));
}

static void read_block(struct regs *r)
{
	u16 at = r->dx;

	outb(PORT_DAC_READ, r->bl);
	set_fs(r->es);
	for (u16 i = 0; i < (r->cx < 256 ? r->cx : 256) * 3; i++)
		FAR(u8, at++) = inb(PORT_DAC_DATA);
}

static void all_attributes(struct regs *r, u8 write)
{
	for (u8 i = 0; i < 17; i++) {
		u8 index = i == 16 ? 0x11 : i;

		set_fs(r->es);
		if (write)
			attr_write(index, FAR(u8, r->dx + i));
		else
			FAR(u8, r->dx + i) = attr_read(index);
	}
}

/* Colour pages: 4 of 64 or 16 of 16. */
static void color_page(struct regs *r)
{
	u8 mode = attr_read(0x10);

	if (r->bl == 0)
		attr_write(0x10, (u8)((mode & 0x7f) | (r->bh & 1) << 7));
	else
		attr_write(0x14, (u8)(mode & 0x80 ? r->bh & 15 : (r->bh & 3) << 2));
}

static void one_color(struct regs *r, u8 write)
{
	if (write) {
		outb(PORT_DAC_WRITE, r->bl);
		dac_write(r->dh, r->ch, r->cl);
		return;
	}
	outb(PORT_DAC_READ, r->bl);
	r->dh = inb(PORT_DAC_DATA);
	r->ch = inb(PORT_DAC_DATA);
	r->cl = inb(PORT_DAC_DATA);
}

void int10_palette(struct regs *r)
{
	switch (r->al) {
	case 0x00:
		attr_write(r->bl & 0x1f, r->bh);
		break;
	case 0x01:
		attr_write(0x11, r->bh);
		break;
	case 0x02:
		all_attributes(r, 1);
		break;
	case 0x03:
		attr_write(0x10, (u8)((attr_read(0x10) & ~8) | (r->bl & 1) << 3));
		break;
	case 0x07:
		r->bh = attr_read(r->bl & 0x1f);
		break;
	case 0x08:
		r->bh = attr_read(0x11);
		break;
	case 0x09:
		all_attributes(r, 0);
		break;
	case 0x10:
		one_color(r, 1);
		break;
	case 0x12:
		write_block(r);
		break;
	case 0x13:
		color_page(r);
		break;
	case 0x15:
		one_color(r, 0);
		break;
	case 0x17:
		read_block(r);
		break;
	case 0x18:
		outb(PORT_DAC_MASK, r->bl);
		break;
	case 0x19:
		r->bl = inb(PORT_DAC_MASK);
		break;
	case 0x1a:
		r->bl = attr_read(0x10) >> 7;
		r->bh = r->bl ? attr_read(0x14) & 15 : attr_read(0x14) >> 2 & 3;
		break;
	case 0x1b:
		grey_palette(r->bx, r->cx);
		break;
	default:
		break;
	}
}
