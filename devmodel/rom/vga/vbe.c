// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VBE 2.0 with power management (4F10h) and the display data channel (4F15h).
 *
 * Modes are reached by VESA's numbers and by S3's own; after each the registers are those that S3's
 * drivers expect of this chip (modes.c).
 */
#include "bios.h"

#define VBE_DONE 0x004f
#define VBE_FAILED 0x014f
#define VBE_NOT_NOW 0x034f

#define MODE_LINEAR 0x4000
#define MODE_NO_CLEAR 0x8000

static const ROM char oem[] = "S3 Incorporated. Trio64";
static const ROM char vendor[] = "Mainstay";
static const ROM char product[] = "S3 Trio64 video BIOS";
static const ROM char revision[] = "1.0";

static u32 mode_bytes(const ROM struct vbe_mode *m)
{
	u32 line = m->bits == 4 ? m->width / 2 : (u32)m->width * ((m->bits + 7) / 8);

	return line * m->height;
}

static const ROM struct vbe_mode *find_mode(u16 number)
{
	for (const ROM struct vbe_mode *m = vbe_modes; m->number != VBE_MODES_END; m++) {
		if ((m->number == number || (m->alias && m->alias == number)) &&
		    mode_bytes(m) <= memory_bytes())
			return m;
	}
	return NULL;
}

/* --- 4F00h */

static void put_pointer(u16 at, const ROM void *to)
{
	FAR(u16, at) = (u16)(u32)to;
	FAR(u16, at + 2) = rom_segment();
}

/* The modes that this memory holds, behind what VBE 1 fills of the block. */
static u16 put_mode_list(u16 segment, u16 at)
{
	for (const ROM struct vbe_mode *m = vbe_modes; m->number != VBE_MODES_END; m++) {
		if (mode_bytes(m) > memory_bytes())
			continue;
		set_fs(segment);
		FAR(u16, at) = m->number;
		at += 2;
		if (m->alias) {
			FAR(u16, at) = m->alias;
			at += 2;
		}
	}
	set_fs(segment);
	FAR(u16, at) = 0xffff;
	return at + 2;
}

static u16 information(struct regs *r)
{
	u16 at = r->di, blocks = (u16)(memory_bytes() >> 16);
	u8 vbe2;

	set_fs(r->es);
	vbe2 = FAR(u32, at) == 0x32454256; /* "VBE2" */
	for (u16 i = 0; i < (vbe2 ? 512 : 256); i++)
		FAR(u8, at + i) = 0;
	FAR(u32, at) = 0x41534556; /* "VESA" */
	FAR(u16, at + 4) = 0x0200;
	put_pointer(at + 6, oem);
	FAR(u32, at + 10) = 0; /* palette of 6 bits, VGA compatible */
	/* In a block of 256 bytes the list lies at its end: 64 modes have room there. */
	FAR(u16, at + 14) = at + 0x80;
	FAR(u16, at + 16) = r->es;
	FAR(u16, at + 18) = blocks;
	if (vbe2) {
		FAR(u16, at + 20) = 0x0100;
		put_pointer(at + 22, vendor);
		put_pointer(at + 26, product);
		put_pointer(at + 30, revision);
	}
	put_mode_list(r->es, at + 0x80);
	return VBE_DONE;
}

/* --- 4F01h */

struct fields {
	u8 bits;
	u8 red_size, red_at, green_size, green_at, blue_size, blue_at, unused_size, unused_at;
};

static const ROM struct fields color_fields[] = {
	{ 15, 5, 10, 5, 5, 5, 0, 1, 15 },
	{ 16, 5, 11, 6, 5, 5, 0, 0, 0 },
	{ 32, 8, 16, 8, 8, 8, 0, 8, 24 },
};

void vbe_window_entry(void);

static u16 mode_information(struct regs *r)
{
	const ROM struct vbe_mode *m = find_mode(r->cx & 0x3fff);
	u32 base = linear_base();
	u16 at = r->di, line;

	if (!m)
		return VBE_FAILED;
	line = (u16)(m->bits == 4 ? m->width / 8 : m->width * ((m->bits + 7) / 8));
	set_fs(r->es);
	for (u16 i = 0; i < 256; i++)
		FAR(u8, at + i) = 0;
	/* Supported, extended information, colour, graphics; a linear frame buffer unless planar. */
	FAR(u16, at) = m->bits == 4 || !base ? 0x1b : 0x9b;
	FAR(u8, at + 2) = 7;
	FAR(u16, at + 4) = 64;
	FAR(u16, at + 6) = 64;
	FAR(u16, at + 8) = 0xa000;
	FAR(u16, at + 12) = (u16)(u32)vbe_window_entry;
	FAR(u16, at + 14) = rom_segment();
	FAR(u16, at + 16) = line;
	FAR(u16, at + 18) = m->width;
	FAR(u16, at + 20) = m->height;
	FAR(u8, at + 22) = 8;
	FAR(u8, at + 23) = m->height == 600 ? 14 : 16;
	FAR(u8, at + 24) = m->bits == 4 ? 4 : 1;
	FAR(u8, at + 25) = m->bits;
	FAR(u8, at + 26) = 1;
	FAR(u8, at + 27) = m->bits == 4 ? 3 : m->bits == 8 ? 4 : 6;
	FAR(u8, at + 29) = (u8)(memory_bytes() / mode_bytes(m) - 1);
	FAR(u8, at + 30) = 1;
	for (u32 i = 0; i < ARRAY_LEN(color_fields); i++) {
		const ROM u8 *f = (const ROM u8 *)&color_fields[i];

		if (f[0] != m->bits)
			continue;
		for (u8 j = 0; j < 8; j++)
			FAR(u8, at + 31 + j) = f[1 + j];
	}
	if (m->bits != 4)
		FAR(u32, at + 40) = base;
	return VBE_DONE;
}

/* --- 4F02h, 4F03h */

static u16 set(struct regs *r)
{
	u16 number = r->bx & 0x3fff;
	u8 clear = !(r->bx & MODE_NO_CLEAR);
	const ROM struct vbe_mode *m;

	if (number < 0x100) {
		set_mode((u8)(number & 0x7f), clear && !(number & 0x80));
		return bda8(BDA_MODE) == (number & 0x7f) ? VBE_DONE : VBE_FAILED;
	}
	m = find_mode(number);
	if (!m || ((r->bx & MODE_LINEAR) && (m->bits == 4 || !linear_base())))
		return VBE_FAILED;
	set_vbe_mode(m, clear, (r->bx & MODE_LINEAR) != 0);
	return VBE_DONE;
}

static u16 get(struct regs *r)
{
	const ROM struct vbe_mode *m = current_vbe_mode();

	r->bx = m ? m->number : bda8(BDA_MODE);
	if (m && (crtc_read(0x58) & 0x10))
		r->bx |= MODE_LINEAR;
	if (bda8(BDA_VIDEO_CONTROL) & CONTROL_NO_CLEAR)
		r->bx |= MODE_NO_CLEAR;
	return VBE_DONE;
}

/* --- 4F04h to 4F09h */

static u16 state(struct regs *r)
{
	u16 parts = r->cx & 15;

	switch (r->dl) {
	case 0:
		r->bx = (u16)((state_bytes(parts) + 63) / 64);
		return VBE_DONE;
	case 1:
		save_state(parts, r->es, r->bx);
		return VBE_DONE;
	case 2:
		restore_state(parts, r->es, r->bx);
		return VBE_DONE;
	default:
		return VBE_FAILED;
	}
}

/* The window moves by 64 KiB: of the memory, or of each plane, which is four of the chip's banks. */
static u16 window(struct regs *r)
{
	const ROM struct vbe_mode *m = current_vbe_mode();
	u8 shift = m && m->bits == 4 ? 2 : 0;

	if (!m || r->bl)
		return VBE_FAILED;
	if (crtc_read(0x58) & 0x10)
		return VBE_NOT_NOW;
	if (r->bh == 1) {
		r->dx = get_bank() >> shift;
		return VBE_DONE;
	}
	if (r->bh || r->dx >= memory_bytes() >> (16 + shift))
		return VBE_FAILED;
	set_bank((u8)(r->dl << shift));
	return VBE_DONE;
}

static u8 pixel_bytes(const ROM struct vbe_mode *m)
{
	return (m->bits + 7) / 8;
}

static u16 line_length(struct regs *r)
{
	const ROM struct vbe_mode *m = current_vbe_mode();
	u32 bytes = r->cx, plane = 1;

	if (!m || r->bl > 3)
		return VBE_FAILED;
	if (m->bits == 4)
		plane = 4;
	if (r->bl == 0)
		bytes = m->bits == 4 ? (bytes + 7) / 8 : bytes * pixel_bytes(m);
	if (r->bl == 3)
		bytes = 0x3ff * 8;
	bytes = (bytes + 7) & ~7u;
	if (r->bl == 0 || r->bl == 2) {
		if (!bytes || bytes > 0x3ff * 8)
			return VBE_FAILED;
		set_line_bytes((u16)bytes);
	} else if (r->bl == 1) {
		bytes = line_bytes();
	}
	r->bx = (u16)bytes;
	r->cx = (u16)(m->bits == 4 ? bytes * 8 : bytes / pixel_bytes(m));
	bytes = memory_bytes() / (bytes * plane);
	r->dx = bytes > 0xffff ? 0xffff : (u16)bytes;
	return VBE_DONE;
}

static u16 start(struct regs *r)
{
	const ROM struct vbe_mode *m = current_vbe_mode();
	u32 at, before, line, pixel;

	if (!m)
		return VBE_FAILED;
	line = line_bytes();
	if (r->bl == 1) {
		at = (u32)crtc_read(0x0d) | (u32)crtc_read(0x0c) << 8 |
		     (u32)(crtc_read(0x69) & 0x1f) << 16;
		if (m->bits != 4)
			at *= 4;
		r->bh = 0;
		r->dx = (u16)(at / line);
		pixel = at % line;
		r->cx = (u16)(m->bits == 4 ? pixel * 8 : pixel / pixel_bytes(m));
		return VBE_DONE;
	}
	if (r->bl != 0 && r->bl != 0x80)
		return VBE_FAILED;
	at = r->dx * line + (m->bits == 4 ? r->cx / 8u : (u32)r->cx * pixel_bytes(m));
	if (at >= memory_bytes() / (m->bits == 4 ? 4 : 1))
		return VBE_FAILED;
	if (m->bits != 4)
		at /= 4;
	before = s3_unlock();
	crtc_write(0x0c, (u8)(at >> 8));
	crtc_write(0x0d, (u8)at);
	crtc_write(0x69, (u8)(at >> 16 & 0x1f));
	s3_lock(before);
	return VBE_DONE;
}

static u16 palette_width(struct regs *r)
{
	if (r->bl > 1)
		return VBE_FAILED;
	r->bh = 6; /* the built-in DAC has no more */
	return VBE_DONE;
}

static u16 palette(struct regs *r)
{
	u16 at = r->di;

	if (r->bl != 0 && r->bl != 1 && r->bl != 0x80)
		return VBE_FAILED;
	outb(r->bl == 1 ? PORT_DAC_READ : PORT_DAC_WRITE, r->dl);
	set_fs(r->es);
	/* Blue, green, red and a byte for alignment. */
	for (u16 i = 0; i < r->cx && i < 256; i++, at += 4) {
		if (r->bl == 1) {
			FAR(u8, at + 2) = inb(PORT_DAC_DATA);
			FAR(u8, at + 1) = inb(PORT_DAC_DATA);
			FAR(u8, at) = inb(PORT_DAC_DATA);
		} else {
			outb(PORT_DAC_DATA, FAR(u8, at + 2));
			outb(PORT_DAC_DATA, FAR(u8, at + 1));
			outb(PORT_DAC_DATA, FAR(u8, at));
		}
	}
	return VBE_DONE;
}

/* --- 4F10h: the monitor's power, through sequencer register 0Dh */

static u16 power(struct regs *r)
{
	static const ROM u8 states[5] = { 0x00, 0x10, 0x40, 0xff, 0x50 };
	u32 before;

	switch (r->bl) {
	case 0:
		r->bl = 0x20;
		r->bh = 0x07; /* standby, suspend, off */
		return VBE_DONE;
	case 1:
		if (r->bh > 4 || states[r->bh] == 0xff)
			return VBE_FAILED;
		before = s3_unlock();
		seq_write(0x0d, (u8)((seq_read(0x0d) & 0x0f) | states[r->bh]));
		s3_lock(before);
		return VBE_DONE;
	case 2:
		before = seq_read(0x0d) & 0x50;
		r->bh = before == 0x50 ? 4 : before == 0x40 ? 2 : before == 0x10 ? 1 : 0;
		return VBE_DONE;
	default:
		return VBE_FAILED;
	}
}

/* --- 4F15h: what the monitor says of itself */

static const ROM u8 edid[127] = {
	0x00,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0x00,
	0x36,
	0x79, /* maker MSY */
	0x01,
	0x00,
	0x01,
	0x00,
	0x00,
	0x00,
	1,
	6, /* product 1, week 1 of 1996 */
	1,
	3, /* version 1.3 */
	0x08,
	34,
	27,
	120,
	0x28, /* analogue, 34 x 27 cm, gamma 2.2, RGB, DPMS off */
	0xee,
	0x95,
	0xa3,
	0x54,
	0x4c,
	0x99,
	0x26,
	0x0f,
	0x50,
	0x54,
	0x21,
	0x08,
	0x00, /* 640x480, 800x600, 1024x768 at 60 Hz */
	0x81,
	0x80,
	0x81,
	0x40,
	0xa9,
	0x40,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	/* 1024x768 at 65 MHz */
	0x64,
	0x19,
	0x00,
	0x40,
	0x41,
	0x00,
	0x26,
	0x30,
	0x18,
	0x88,
	0x36,
	0x00,
	0x54,
	0x0e,
	0x11,
	0x00,
	0x00,
	0x18,
	/* limits: 50 to 75 Hz, 30 to 85 kHz, 170 MHz */
	0,
	0,
	0,
	0xfd,
	0,
	50,
	75,
	30,
	85,
	17,
	0,
	0x0a,
	' ',
	' ',
	' ',
	' ',
	' ',
	' ',
	/* name */
	0,
	0,
	0,
	0xfc,
	0,
	'M',
	'a',
	'i',
	'n',
	's',
	't',
	'a',
	'y',
	0x0a,
	' ',
	' ',
	' ',
	' ',
	0,
	0,
	0,
	0x10,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
};

static u16 display_data(struct regs *r)
{
	u8 sum = 0;

	switch (r->bl) {
	case 0:
		r->bh = 2; /* DDC2, a second for each block */
		r->bl = 2;
		return VBE_DONE;
	case 1:
		if (r->dx)
			return VBE_FAILED;
		set_fs(r->es);
		for (u8 i = 0; i < 127; i++) {
			FAR(u8, r->di + i) = edid[i];
			sum += edid[i];
		}
		FAR(u8, r->di + 127) = -sum;
		return VBE_DONE;
	default:
		return VBE_FAILED;
	}
}

void int10_vbe(struct regs *r)
{
	u16 result = 0;

	switch (r->al) {
	case 0x00:
		result = information(r);
		break;
	case 0x01:
		result = mode_information(r);
		break;
	case 0x02:
		result = set(r);
		break;
	case 0x03:
		result = get(r);
		break;
	case 0x04:
		result = state(r);
		break;
	case 0x05:
		result = window(r);
		break;
	case 0x06:
		result = line_length(r);
		break;
	case 0x07:
		result = start(r);
		break;
	case 0x08:
		result = palette_width(r);
		break;
	case 0x09:
		result = palette(r);
		break;
	case 0x10:
		result = power(r);
		break;
	case 0x15:
		result = display_data(r);
		break;
	default:
		result = 0x0100; /* not supported */
		break;
	}
	r->ax = result;
}
