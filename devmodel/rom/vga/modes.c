// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Modes: the registers of each, and setting them.
 *
 * Standard modes are rows of the video parameter table, whose format and order software knows (it finds
 * the table through 40:A8h). VBE modes are made from a timing and a depth as S3's registers want them.
 */
#include "bios.h"

/* --- standard modes: 29 rows of 64 bytes in IBM's order */

#define ROW_0_200 0x00 /* modes 0 to 6 with 200 lines */
#define ROW_4 0x04
#define ROW_D 0x0d
#define ROW_F 0x11
#define ROW_10 0x12
#define ROW_0_350 0x13 /* modes 0 to 3 */
#define ROW_0_400 0x17 /* modes 0 and 1 */
#define ROW_2_400 0x18 /* modes 2 and 3 */
#define ROW_7 0x19
#define ROW_11 0x1a
#define ROW_13 0x1c

#define P_PAGE 3
#define P_SEQ 5
#define P_MISC 9
#define P_CRTC 10
#define P_ATTR 35
#define P_GFX 55
#define P_BYTES 64

#define ATTR_16                                                                                    \
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e,  \
		0x3f
#define ATTR_CGA_16                                                                                \
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,  \
		0x17
#define ATTR_ALL(c) 0x00, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c
#define GFX_TEXT 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff
#define TEXT_40_200                                                                                \
	40, 24, 8, 0x00, 0x08, 0x09, 0x03, 0x00, 0x02, 0x63, 0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0,   \
		0xbf, 0x1f, 0x00, 0xc7, 0x06, 0x07, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0x1f,      \
		0x96, 0xb9, 0xa3, 0xff, ATTR_CGA_16, 0x08, 0, 0x0f, 0, GFX_TEXT
#define TEXT_80_200                                                                                \
	80, 24, 8, 0x00, 0x10, 0x01, 0x03, 0x00, 0x02, 0x63, 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81,   \
		0xbf, 0x1f, 0x00, 0xc7, 0x06, 0x07, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f,      \
		0x96, 0xb9, 0xa3, 0xff, ATTR_CGA_16, 0x08, 0, 0x0f, 0, GFX_TEXT
#define TEXT_40_350                                                                                \
	40, 24, 14, 0x00, 0x08, 0x09, 0x03, 0x00, 0x02, 0xa3, 0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0,  \
		0xbf, 0x1f, 0x00, 0x4d, 0x0b, 0x0c, 0, 0, 0, 0, 0x83, 0x85, 0x5d, 0x14, 0x1f,      \
		0x63, 0xba, 0xa3, 0xff, ATTR_16, 0x08, 0, 0x0f, 0, GFX_TEXT
#define TEXT_80_350                                                                                \
	80, 24, 14, 0x00, 0x10, 0x01, 0x03, 0x00, 0x02, 0xa3, 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81,  \
		0xbf, 0x1f, 0x00, 0x4d, 0x0b, 0x0c, 0, 0, 0, 0, 0x83, 0x85, 0x5d, 0x28, 0x1f,      \
		0x63, 0xba, 0xa3, 0xff, ATTR_16, 0x08, 0, 0x0f, 0, GFX_TEXT
#define CGA_320                                                                                    \
	40, 24, 8, 0x00, 0x40, 0x09, 0x03, 0x00, 0x02, 0x63, 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80,   \
		0xbf, 0x1f, 0x00, 0xc1, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96,      \
		0xb9, 0xa2, 0xff, 0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11,      \
		0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x01, 0, 0x03, 0, 0, 0, 0, 0, 0, 0x30, 0x0f,   \
		0x0f, 0xff
#define EGA_350(misc, attr, control, planes)                                                       \
	80, 24, 14, 0x00, 0x80, 0x01, 0x0f, 0x00, 0x06, misc, 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80,  \
		0xbf, 0x1f, 0x00, 0x40, 0, 0, 0, 0, 0, 0, 0x83, 0x85, 0x5d, 0x28, 0x0f, 0x63,      \
		0xba, 0xe3, 0xff, attr, control, 0, planes, 0, 0, 0, 0, 0, 0, 0x00, 0x05, planes,  \
		0xff
#define ATTR_MODE_F                                                                                \
	0x00, 0x08, 0x00, 0x00, 0x18, 0x18, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x18, 0x00,  \
		0x00
#define TEXT_MONO(height, misc, max_scan, first, last, vrs, vre, vde, vbs, vbe)                    \
	80, 24, height, 0x00, 0x10, 0x00, 0x03, 0x00, 0x02, misc, 0x5f, 0x4f, 0x50, 0x82, 0x55,    \
		0x81, 0xbf, 0x1f, 0x00, max_scan, first, last, 0, 0, 0, 0, vrs, vre, vde, 0x28,    \
		height == 14 ? 0x0d : 0x0f, vbs, vbe, 0xa3, 0xff, 0x00, 0x08, 0x08, 0x08, 0x08,    \
		0x08, 0x08, 0x08, 0x10, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x0e, 0, 0x0f,   \
		0x08, 0, 0, 0, 0, 0, 0x10, 0x0a, 0, 0xff
#define VGA_480(rows, mode, attr, dont_care)                                                       \
	80, 29, 16, 0x00, 0xa0, 0x01, 0x0f, 0x00, 0x06, 0xe3, 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80,  \
		0x0b, 0x3e, 0x00, 0x40, 0, 0, 0, 0, 0, 0, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7,      \
		0x04, mode, 0xff, attr, 0x01, 0, 0x0f, 0, 0, 0, 0, 0, 0, 0x00, 0x05, dont_care,    \
		0xff
#define ZERO_16 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define UNUSED_ROW ZERO_16, ZERO_16, ZERO_16, ZERO_16

#define MODE_7_350 TEXT_MONO(14, 0xa6, 0x4d, 0x0b, 0x0c, 0x83, 0x85, 0x5d, 0x63, 0xba)
#define MODE_F EGA_350(0xa2, ATTR_MODE_F, 0x0b, 0x05)
#define MODE_10 EGA_350(0xa3, ATTR_16, 0x01, 0x0f)

const ROM u8 video_parameters[] = {
	/* 00h to 03h */
	TEXT_40_200,
	TEXT_40_200,
	TEXT_80_200,
	TEXT_80_200,
	/* 04h to 06h */
	CGA_320,
	CGA_320,
	80,
	24,
	8,
	0x00,
	0x40,
	0x01,
	0x01,
	0x00,
	0x06,
	0x63,
	0x5f,
	0x4f,
	0x50,
	0x82,
	0x54,
	0x80,
	0xbf,
	0x1f,
	0x00,
	0xc1,
	0,
	0,
	0,
	0,
	0,
	0,
	0x9c,
	0x8e,
	0x8f,
	0x28,
	0x00,
	0x96,
	0xb9,
	0xc2,
	0xff,
	ATTR_ALL(0x17),
	0x01,
	0,
	0x01,
	0,
	0,
	0,
	0,
	0,
	0,
	0x00,
	0x0d,
	0x0f,
	0xff,
	/* 07h to 0Ch */
	MODE_7_350,
	UNUSED_ROW,
	UNUSED_ROW,
	UNUSED_ROW,
	UNUSED_ROW,
	UNUSED_ROW,
	/* 0Dh, 0Eh */
	40,
	24,
	8,
	0x00,
	0x20,
	0x09,
	0x0f,
	0x00,
	0x06,
	0x63,
	0x2d,
	0x27,
	0x28,
	0x90,
	0x2b,
	0x80,
	0xbf,
	0x1f,
	0x00,
	0xc0,
	0,
	0,
	0,
	0,
	0,
	0,
	0x9c,
	0x8e,
	0x8f,
	0x14,
	0x00,
	0x96,
	0xb9,
	0xe3,
	0xff,
	ATTR_CGA_16,
	0x01,
	0,
	0x0f,
	0,
	0,
	0,
	0,
	0,
	0,
	0x00,
	0x05,
	0x0f,
	0xff,
	80,
	24,
	8,
	0x00,
	0x40,
	0x01,
	0x0f,
	0x00,
	0x06,
	0x63,
	0x5f,
	0x4f,
	0x50,
	0x82,
	0x54,
	0x80,
	0xbf,
	0x1f,
	0x00,
	0xc0,
	0,
	0,
	0,
	0,
	0,
	0,
	0x9c,
	0x8e,
	0x8f,
	0x28,
	0x00,
	0x96,
	0xb9,
	0xe3,
	0xff,
	ATTR_CGA_16,
	0x01,
	0,
	0x0f,
	0,
	0,
	0,
	0,
	0,
	0,
	0x00,
	0x05,
	0x0f,
	0xff,
	/* 0Fh, 10h of an EGA with 64 KiB, then as they are */
	MODE_F,
	MODE_10,
	MODE_F,
	MODE_10,
	/* 00h to 03h with 350 lines */
	TEXT_40_350,
	TEXT_40_350,
	TEXT_80_350,
	TEXT_80_350,
	/* 00h and 01h, 02h and 03h, 07h with 400 lines */
	40,
	24,
	16,
	0x00,
	0x08,
	0x08,
	0x03,
	0x00,
	0x02,
	0x67,
	0x2d,
	0x27,
	0x28,
	0x90,
	0x2b,
	0xa0,
	0xbf,
	0x1f,
	0x00,
	0x4f,
	0x0d,
	0x0e,
	0,
	0,
	0,
	0,
	0x9c,
	0x8e,
	0x8f,
	0x14,
	0x1f,
	0x96,
	0xb9,
	0xa3,
	0xff,
	ATTR_16,
	0x0c,
	0,
	0x0f,
	0x08,
	GFX_TEXT,
	80,
	24,
	16,
	0x00,
	0x10,
	0x00,
	0x03,
	0x00,
	0x02,
	0x67,
	0x5f,
	0x4f,
	0x50,
	0x82,
	0x55,
	0x81,
	0xbf,
	0x1f,
	0x00,
	0x4f,
	0x0d,
	0x0e,
	0,
	0,
	0,
	0,
	0x9c,
	0x8e,
	0x8f,
	0x28,
	0x1f,
	0x96,
	0xb9,
	0xa3,
	0xff,
	ATTR_16,
	0x0c,
	0,
	0x0f,
	0x08,
	GFX_TEXT,
	TEXT_MONO(16, 0x66, 0x4f, 0x0d, 0x0e, 0x9c, 0x8e, 0x8f, 0x96, 0xb9),
	/* 11h to 13h */
	VGA_480(30, 0xc3, ATTR_ALL(0x3f), 0x01),
	VGA_480(30, 0xe3, ATTR_16, 0x0f),
	40,
	24,
	8,
	0x00,
	0x20,
	0x01,
	0x0f,
	0x00,
	0x0e,
	0x63,
	0x5f,
	0x4f,
	0x50,
	0x82,
	0x54,
	0x80,
	0xbf,
	0x1f,
	0x00,
	0x41,
	0,
	0,
	0,
	0,
	0,
	0,
	0x9c,
	0x8e,
	0x8f,
	0x28,
	0x40,
	0x96,
	0xb9,
	0xa3,
	0xff,
	0x00,
	0x01,
	0x02,
	0x03,
	0x04,
	0x05,
	0x06,
	0x07,
	0x08,
	0x09,
	0x0a,
	0x0b,
	0x0c,
	0x0d,
	0x0e,
	0x0f,
	0x41,
	0,
	0x0f,
	0,
	0,
	0,
	0,
	0,
	0,
	0x40,
	0x05,
	0x0f,
	0xff,
};

_Static_assert(sizeof(video_parameters) == 29 * P_BYTES, "29 rows");

struct standard_mode {
	u8 number, kind, bits, palette;
	u16 width, height, segment;
};

static const ROM struct standard_mode standard_modes[] = {
	{ 0x00, TEXT, 4, PALETTE_EGA, 40, 25, 0xb800 },
	{ 0x01, TEXT, 4, PALETTE_EGA, 40, 25, 0xb800 },
	{ 0x02, TEXT, 4, PALETTE_EGA, 80, 25, 0xb800 },
	{ 0x03, TEXT, 4, PALETTE_EGA, 80, 25, 0xb800 },
	{ 0x04, CGA, 2, PALETTE_CGA, 320, 200, 0xb800 },
	{ 0x05, CGA, 2, PALETTE_CGA, 320, 200, 0xb800 },
	{ 0x06, CGA, 1, PALETTE_CGA, 640, 200, 0xb800 },
	{ 0x07, TEXT, 1, PALETTE_MONO, 80, 25, 0xb000 },
	{ 0x0d, PLANAR, 4, PALETTE_CGA, 320, 200, 0xa000 },
	{ 0x0e, PLANAR, 4, PALETTE_CGA, 640, 200, 0xa000 },
	{ 0x0f, PLANAR, 1, PALETTE_MONO, 640, 350, 0xa000 },
	{ 0x10, PLANAR, 4, PALETTE_EGA, 640, 350, 0xa000 },
	{ 0x11, PLANAR, 1, PALETTE_EGA, 640, 480, 0xa000 },
	{ 0x12, PLANAR, 4, PALETTE_EGA, 640, 480, 0xa000 },
	{ 0x13, PACKED, 8, PALETTE_256, 320, 200, 0xa000 },
};

static const ROM struct standard_mode *find_mode(u8 number)
{
	for (u32 i = 0; i < ARRAY_LEN(standard_modes); i++) {
		if (standard_modes[i].number == number)
			return &standard_modes[i];
	}
	return NULL;
}

/* Text modes have the scan lines that function 12h, 30h asked for. */
static u8 parameter_row(u8 number)
{
	u8 lines = bda8(BDA_MODESET_CONTROL) & (MODESET_LINES_400 | MODESET_LINES_200);

	if (number == 7)
		return lines == MODESET_LINES_400 ? ROW_7 : 7;
	if (number <= 3) {
		if (lines == MODESET_LINES_200)
			return ROW_0_200 + number;
		if (lines != MODESET_LINES_400)
			return ROW_0_350 + number;
		return number <= 1 ? ROW_0_400 : ROW_2_400;
	}
	if (number == 0x0f || number == 0x10)
		return ROW_F + (number - 0x0f);
	if (number >= 0x11)
		return ROW_11 + (number - 0x11);
	return number;
}

/* --- registers */

u16 crtc_port(void)
{
	return inb(0x3cc) & 1 ? 0x3d4 : 0x3b4;
}

void crtc_write(u8 index, u8 value)
{
	outw(crtc_port(), (u16)(index | value << 8));
}

u8 crtc_read(u8 index)
{
	u16 port = crtc_port();

	outb(port, index);
	return inb(port + 1);
}

u32 s3_unlock(void)
{
	u32 before = (u32)crtc_read(0x38) | (u32)crtc_read(0x39) << 8 | (u32)seq_read(0x08) << 16;

	crtc_write(0x38, 0x48);
	crtc_write(0x39, 0xa5);
	seq_write(0x08, 0x06);
	return before;
}

void s3_lock(u32 before)
{
	seq_write(0x08, (u8)(before >> 16));
	crtc_write(0x39, (u8)(before >> 8));
	crtc_write(0x38, (u8)before);
}

void screen_off(u8 off)
{
	seq_write(1, (seq_read(1) & 0xdf) | (off ? 0x20 : 0));
}

static void load_parameters(const ROM u8 *p)
{
	seq_write(0, 1);
	for (u8 i = 0; i < 4; i++)
		seq_write(i + 1, p[P_SEQ + i] | (i == 0 ? 0x20 : 0));
	outb(PORT_MISC, p[P_MISC]);
	seq_write(0, 3);
	crtc_write(0x11, 0);
	for (u8 i = 0; i < 25; i++)
		crtc_write(i, p[P_CRTC + i]);
	for (u8 i = 0; i < 20; i++)
		attr_write(i, p[P_ATTR + i]);
	attr_write(0x14, 0);
	for (u8 i = 0; i < 9; i++)
		gfx_write(i, p[P_GFX + i]);
}

/* S3's extensions as a VGA mode wants them: off. */
struct setting {
	u8 index, value;
};

static const ROM struct setting vga_settings[] = {
	{ 0x31, 0x85 }, { 0x32, 0x10 }, { 0x33, 0x00 }, { 0x34, 0x00 }, { 0x35, 0x00 },
	{ 0x3a, 0x05 }, { 0x3b, 0x5a }, { 0x3c, 0x10 }, { 0x42, 0x00 }, { 0x43, 0x00 },
	{ 0x45, 0x00 }, { 0x50, 0x00 }, { 0x51, 0x00 }, { 0x53, 0x00 }, { 0x54, 0x38 },
	{ 0x55, 0x00 }, { 0x56, 0x00 }, { 0x5d, 0x00 }, { 0x5e, 0x00 }, { 0x67, 0x00 },
	{ 0x69, 0x00 }, { 0x6a, 0x00 }, { 0x6d, 0x00 }, { 0x40, 0x30 },
};

/* Of a VBE mode: banking, access to all of the memory, the drawing engine. */
static const ROM struct setting vbe_settings[] = {
	{ 0x31, 0x8d }, { 0x32, 0x10 }, { 0x33, 0x20 }, { 0x34, 0x10 }, { 0x35, 0x00 },
	{ 0x42, 0x0d }, { 0x43, 0x00 }, { 0x45, 0x00 }, { 0x51, 0x00 }, { 0x53, 0x00 },
	{ 0x54, 0xa8 }, { 0x55, 0x00 }, { 0x56, 0x00 }, { 0x60, 0x07 }, { 0x61, 0x80 },
	{ 0x62, 0xa1 }, { 0x69, 0x00 }, { 0x6a, 0x00 }, { 0x40, 0x31 },
};

/*
 * @linear opens the linear window. Open or not, it has the memory's size in every mode: drivers that set modes by
 * themselves (Linux's s3fb) only open it.
 */
static void load_settings(const ROM struct setting *settings, u32 count, u8 linear)
{
	u8 size = crtc_read(0x36) >> 6; /* 0: 4 MiB, 2: 2 MiB, 3: 1 MiB */

	crtc_write(0x58, (u8)((size ? 4 - size : 3) | linear << 4));
	for (u32 i = 0; i < count; i++)
		crtc_write(settings[i].index, settings[i].value);
}

static void load_vga_settings(void)
{
	u32 before = s3_unlock();

	load_settings(vga_settings, ARRAY_LEN(vga_settings), 0);
	seq_write(0x0d, 0);
	seq_write(0x15, 0);
	seq_write(0x18, 0);
	/* What was open stays open: a driver may call in the middle of its work. */
	s3_lock(before);
}

/* --- the BIOS data area */

static void set_equipment(u8 number)
{
	u16 equipment = bda16(BDA_EQUIPMENT) & ~0x30;

	set_bda16(BDA_EQUIPMENT, equipment | (number == 7 || number == 0x0f ? 0x30 : 0x20));
}

static void set_data_area(u8 number, const ROM u8 *p, u8 clear)
{
	static const ROM u8 mode_control[8] = { 0x2c, 0x28, 0x2d, 0x29, 0x2a, 0x2e, 0x1e, 0x29 };

	set_bda8(BDA_MODE, number);
	set_bda16(BDA_COLUMNS, p[0]);
	set_bda16(BDA_PAGE_BYTES, (u16)(p[P_PAGE] | p[P_PAGE + 1] << 8));
	set_bda16(BDA_PAGE_START, 0);
	for (u8 page = 0; page < 8; page++)
		set_bda16(BDA_CURSOR + page * 2, 0);
	set_bda8(BDA_PAGE, 0);
	set_bda16(BDA_CRTC_PORT, p[P_MISC] & 1 ? 0x3d4 : 0x3b4);
	set_bda8(BDA_MODE_CONTROL, number < 8 ? mode_control[number] : 0x29);
	set_bda8(BDA_PALETTE, number == 6 ? 0x3f : 0x30);
	set_bda8(BDA_ROWS, p[1]);
	set_bda16(BDA_CHARACTER_HEIGHT, p[2]);
	set_bda8(BDA_VIDEO_CONTROL,
		 (bda8(BDA_VIDEO_CONTROL) & 0x0d) | 0x60 | (clear ? 0 : CONTROL_NO_CLEAR));
	set_bda16(BDA_CURSOR_SHAPE, (u16)(p[P_CRTC + 11] | p[P_CRTC + 10] << 8));
}

static void set_font_vectors(u8 height)
{
	u16 segment = rom_segment();

	set_vector(0x43, segment, font_offset(height));
	set_vector(0x1f, segment, font_offset(8) + 128 * 8);
}

void set_mode(u8 number, u8 clear)
{
	const ROM struct standard_mode *m = find_mode(number);
	const ROM u8 *p;
	struct mode mode;

	if (!m)
		return;
	p = &video_parameters[parameter_row(number) * P_BYTES];
	set_data_area(number, p, clear);
	set_equipment(number);
	load_parameters(p);
	load_vga_settings();
	if (!(bda8(BDA_MODESET_CONTROL) & MODESET_NO_PALETTE)) {
		/* 200 lines of text have the colours of a CGA. */
		load_default_palette(m->kind == TEXT && number != 7 && p[2] == 8 ? PALETTE_CGA
										 : m->palette);
		if (bda8(BDA_MODESET_CONTROL) & MODESET_GREY)
			grey_palette(0, 256);
	}
	if (m->kind == TEXT)
		load_rom_font(p[2]);
	set_font_vectors(p[2]);
	if (clear) {
		current_mode(&mode);
		clear_screen(&mode);
	}
	if (m->kind == TEXT)
		set_cursor(0, 0, 0);
	screen_off(0);
}

/* --- VBE modes */

struct timing {
	u16 hdisplay, hsync, hsync_end, htotal;
	u16 vdisplay, vsync, vsync_end, vtotal;
	u8 misc;
	u8 pll[2], pll_double[2]; /* SR12 and SR13: of the pixel clock, and of twice that */
};

enum timing_row {
	T640_400,
	T640_480,
	T800_600,
	T1024_768,
	T1152_864,
	T1280_960,
	T1280_1024,
	T1600_1200
};

static const ROM struct timing timings[] = {
	{ 640, 656, 752, 800, 400, 412, 414, 449, 0x6f, { 0x67, 0x7d }, { 0x47, 0x7d } },
	{ 640, 656, 752, 800, 480, 490, 492, 525, 0xef, { 0x67, 0x7d }, { 0x47, 0x7d } },
	{ 800, 840, 968, 1056, 600, 601, 605, 628, 0x2f, { 0x49, 0x79 }, { 0x29, 0x79 } },
	{ 1024, 1048, 1184, 1344, 768, 771, 777, 806, 0xef, { 0x2b, 0x74 }, { 0x0b, 0x74 } },
	{ 1152, 1216, 1336, 1520, 864, 865, 868, 895, 0x2f, { 0x23, 0x37 }, { 0x03, 0x37 } },
	{ 1280, 1376, 1488, 1800, 960, 961, 964, 1000, 0x2f, { 0x26, 0x77 }, { 0x06, 0x77 } },
	{ 1280, 1328, 1440, 1688, 1024, 1025, 1028, 1066, 0x2f, { 0x26, 0x77 }, { 0x06, 0x77 } },
	{ 1600, 1664, 1856, 2160, 1200, 1201, 1204, 1250, 0x2f, { 0x08, 0x6f }, { 0x03, 0x6f } },
};

const ROM struct vbe_mode vbe_modes[] = {
	{ 0x100, 0, 640, 400, 8, T640_400 },
	{ 0x101, 0x201, 640, 480, 8, T640_480 },
	{ 0x102, 0x202, 800, 600, 4, T800_600 },
	{ 0x103, 0x203, 800, 600, 8, T800_600 },
	{ 0x104, 0x204, 1024, 768, 4, T1024_768 },
	{ 0x105, 0x205, 1024, 768, 8, T1024_768 },
	{ 0x106, 0x208, 1280, 1024, 4, T1280_1024 },
	{ 0x107, 0, 1280, 1024, 8, T1280_1024 },
	{ 0x110, 0, 640, 480, 15, T640_480 },
	{ 0x111, 0, 640, 480, 16, T640_480 },
	{ 0x112, 0x211, 640, 480, 32, T640_480 },
	{ 0x113, 0, 800, 600, 15, T800_600 },
	{ 0x114, 0, 800, 600, 16, T800_600 },
	{ 0x115, 0x212, 800, 600, 32, T800_600 },
	{ 0x116, 0, 1024, 768, 15, T1024_768 },
	{ 0x117, 0, 1024, 768, 16, T1024_768 },
	{ 0x118, 0x21a, 1024, 768, 32, T1024_768 },
	{ 0x119, 0, 1280, 1024, 15, T1280_1024 },
	{ 0x11a, 0, 1280, 1024, 16, T1280_1024 },
	{ 0x120, 0, 1600, 1200, 8, T1600_1200 },
	{ 0x206, 0, 1280, 960, 4, T1280_960 },
	{ 0x207, 0, 1152, 864, 8, T1152_864 },
	{ 0x209, 0, 1152, 864, 15, T1152_864 },
	{ 0x20a, 0, 1152, 864, 16, T1152_864 },
	{ 0x20b, 0, 1152, 864, 32, T1152_864 },
	{ 0x213, 0, 640, 400, 32, T640_400 },
	{ VBE_MODES_END, 0, 0, 0, 0, 0 },
};

/* The CRT controller's registers for @t; horizontal values in units of 8 dots, @scale of them per pixel. */
static void load_timing(const ROM struct timing *t, u8 scale)
{
	u16 ht = (u16)(t->htotal / 8 * scale - 5), hd = (u16)(t->hdisplay / 8 * scale - 1);
	u16 hs = (u16)(t->hsync / 8 * scale), he = (u16)(t->hsync_end / 8 * scale);
	u16 vt = t->vtotal - 2, vd = t->vdisplay - 1, vs = t->vsync, vb = t->vdisplay;
	u16 hb = hd + 1;

	crtc_write(0x11, 0);
	crtc_write(0x00, (u8)ht);
	crtc_write(0x01, (u8)hd);
	crtc_write(0x02, (u8)hb);
	crtc_write(0x03, (u8)(0x80 | (ht & 31)));
	crtc_write(0x04, (u8)hs);
	crtc_write(0x05, (u8)((ht & 0x20) << 2 | (he & 31)));
	crtc_write(0x06, (u8)vt);
	crtc_write(0x07, (u8)((vt >> 8 & 1) | (vd >> 8 & 1) << 1 | (vs >> 8 & 1) << 2 |
			      (vb >> 8 & 1) << 3 | 0x10 | (vt >> 9 & 1) << 5 | (vd >> 9 & 1) << 6 |
			      (vs >> 9 & 1) << 7));
	crtc_write(0x08, 0);
	crtc_write(0x09, (u8)(0x40 | (vb >> 9 & 1) << 5));
	crtc_write(0x0a, 0x20);
	for (u8 i = 0x0b; i <= 0x0f; i++)
		crtc_write(i, 0);
	crtc_write(0x10, (u8)vs);
	crtc_write(0x12, (u8)vd);
	crtc_write(0x15, (u8)vb);
	crtc_write(0x16, (u8)(vt - 1));
	crtc_write(0x18, 0xff);
	crtc_write(0x5d, (u8)((ht >> 8 & 1) | (hd >> 8 & 1) << 1 | (hb >> 8 & 1) << 2 |
			      (hs >> 8 & 1) << 4));
	crtc_write(0x5e, (u8)((vt >> 10 & 1) | (vd >> 10 & 1) << 1 | (vb >> 10 & 1) << 2 |
			      (vs >> 10 & 1) << 4 | 0x40));
	crtc_write(0x3b, (u8)(ht - 5));
	crtc_write(0x3c, (u8)(ht / 2));
	crtc_write(0x11, (u8)(0x80 | (t->vsync_end & 15)));
}

struct depth {
	u8 bits, scale;
	u8 cr3a, cr50, cr67;
};

static const ROM struct depth depths[] = {
	{ 4, 1, 0x05, 0x00, 0x00 },  { 8, 1, 0x15, 0x00, 0x00 },  { 15, 2, 0x15, 0x10, 0x30 },
	{ 16, 2, 0x15, 0x10, 0x50 }, { 32, 1, 0x15, 0x30, 0xd0 },
};

/* What CR50 says of the drawing engine's line length, for lines of that many pixels. */
static u8 engine_width(u16 width)
{
	static const ROM struct {
		u16 width;
		u8 bits;
	} widths[] = {
		{ 640, 0x40 }, { 800, 0x80 }, { 1152, 0x01 }, { 1280, 0xc0 }, { 1600, 0x81 }
	};

	for (u32 i = 0; i < ARRAY_LEN(widths); i++) {
		if (widths[i].width == width)
			return widths[i].bits;
	}
	return 0;
}

/* The offset register counts 8 bytes, of planar modes 2 bytes of a plane. */
static u8 offset_unit(void)
{
	return crtc_read(0x3a) & 0x10 ? 8 : 2;
}

void set_line_bytes(u16 bytes)
{
	u32 before = s3_unlock();
	u16 offset = bytes / offset_unit();

	crtc_write(0x13, (u8)offset);
	crtc_write(0x51, (crtc_read(0x51) & 0xcf) | (u8)((offset >> 8 & 3) << 4));
	s3_lock(before);
}

u16 line_bytes(void)
{
	return (u16)((crtc_read(0x13) | (crtc_read(0x51) & 0x30) << 4) * offset_unit());
}

static void load_graphics(u8 planar)
{
	static const ROM u8 planar_gfx[9] = { 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff };
	static const ROM u8 ega[16] = { ATTR_16 };

	for (u8 i = 0; i < 9; i++)
		gfx_write(i, i == 5 && !planar ? 0x40 : planar_gfx[i]);
	for (u8 i = 0; i < 16; i++)
		attr_write(i, planar ? ega[i] : i);
	attr_write(0x10, planar ? 0x01 : 0x41);
	attr_write(0x11, 0);
	attr_write(0x12, 0x0f);
	attr_write(0x13, 0);
	attr_write(0x14, 0);
}

static void load_depth(const ROM struct vbe_mode *vbe, const ROM struct depth *d, u8 linear)
{
	const ROM struct timing *t = &timings[vbe->timing];

	seq_write(0x12, d->scale == 2 ? t->pll_double[0] : t->pll[0]);
	seq_write(0x13, d->scale == 2 ? t->pll_double[1] : t->pll[1]);
	seq_write(0x15, 0x00);
	seq_write(0x15, 0x20);
	seq_write(0x15, 0x00);
	seq_write(0x18, 0);
	seq_write(0x0d, 0);
	load_timing(t, d->scale);
	load_settings(vbe_settings, ARRAY_LEN(vbe_settings), linear);
	crtc_write(0x14, d->bits == 4 ? 0x00 : 0x60);
	crtc_write(0x17, d->bits == 4 ? 0xe3 : 0xab);
	crtc_write(0x3a, d->cr3a);
	crtc_write(0x50, d->cr50 | engine_width(vbe->width));
	crtc_write(0x67, d->cr67);
	crtc_write(0x6b, (u8)(linear_base() >> 24));
}

static void set_vbe_data_area(const ROM struct vbe_mode *vbe, u8 clear)
{
	u8 height = vbe->height == 600 ? 14 : 16;

	set_bda8(BDA_MODE, vbe->bits == 4 ? 0x6a : 0x79);
	set_bda16(BDA_COLUMNS, vbe->width / 8);
	set_bda16(BDA_PAGE_BYTES, 0);
	set_bda16(BDA_PAGE_START, 0);
	for (u8 page = 0; page < 8; page++)
		set_bda16(BDA_CURSOR + page * 2, 0);
	set_bda8(BDA_PAGE, 0);
	set_bda16(BDA_CRTC_PORT, 0x3d4);
	set_bda8(BDA_ROWS, (u8)(vbe->height / height - 1));
	set_bda16(BDA_CHARACTER_HEIGHT, height);
	set_bda8(BDA_VIDEO_CONTROL,
		 (bda8(BDA_VIDEO_CONTROL) & 0x0d) | 0x60 | (clear ? 0 : CONTROL_NO_CLEAR));
	set_font_vectors(height);
}

/* All of the mode's memory to 0, through the window. */
static void clear_memory(const ROM struct vbe_mode *vbe)
{
	/* A bank moves a planar window by a quarter of its size. */
	u8 step = vbe->bits == 4 ? 4 : 1;
	u8 banks = (u8)(((u32)line_bytes() * vbe->height + 0xffff) >> 16);

	for (u8 bank = 0; bank < banks; bank++) {
		set_bank(bank * step);
		far_fill(0xa000, 0, 0, 0x7fff);
		far_fill(0xa000, 0xfffe, 0, 1);
	}
	set_bank(0);
}

void set_vbe_mode(const ROM struct vbe_mode *vbe, u8 clear, u8 linear)
{
	const ROM struct depth *d = depths;
	const ROM struct timing *t = &timings[vbe->timing];
	u32 before;

	while (d->bits != vbe->bits)
		d++;
	set_vbe_data_area(vbe, clear);
	set_equipment(0);
	outb(PORT_MISC, t->misc);
	seq_write(0, 1);
	seq_write(1, 0x21);
	seq_write(2, 0x0f);
	seq_write(3, 0);
	seq_write(4, vbe->bits == 4 ? 0x06 : 0x0e);
	seq_write(0, 3);
	before = s3_unlock();
	load_graphics(vbe->bits == 4);
	load_depth(vbe, d, linear);
	set_line_bytes((u16)(vbe->bits == 4 ? vbe->width / 8 : vbe->width * ((vbe->bits + 7) / 8)));
	crtc_write(0x6d, (u8)(vbe - vbe_modes + 1));
	outw(0x4ae8, 0x0003);
	s3_lock(before);
	outb(PORT_DAC_MASK, 0xff);
	if (!(bda8(BDA_MODESET_CONTROL) & MODESET_NO_PALETTE))
		load_default_palette(vbe->bits == 4 ? PALETTE_EGA : PALETTE_256);
	if (clear)
		clear_memory(vbe);
	screen_off(0);
}

/* --- the present mode */

const ROM struct vbe_mode *current_vbe_mode(void)
{
	u8 index = crtc_read(0x6d);

	return index && index < ARRAY_LEN(vbe_modes) ? &vbe_modes[index - 1] : NULL;
}

void current_mode(struct mode *mode)
{
	const ROM struct vbe_mode *vbe = current_vbe_mode();
	const ROM struct standard_mode *m;

	mode->character_height = bda8(BDA_CHARACTER_HEIGHT);
	if (vbe) {
		mode->number = vbe->number;
		mode->kind = vbe->bits == 4 ? PLANAR : PACKED;
		mode->bits = vbe->bits;
		mode->width = vbe->width;
		mode->height = vbe->height;
		mode->segment = 0xa000;
		return;
	}
	m = find_mode(bda8(BDA_MODE));
	if (!m)
		m = find_mode(3);
	mode->number = m->number;
	mode->kind = m->kind;
	mode->bits = m->bits;
	mode->width = m->width;
	mode->height = m->height;
	mode->segment = m->segment;
}

u32 memory_bytes(void)
{
	u8 strap = crtc_read(0x36) >> 5;

	return strap == 0 ? 4 << 20 : strap == 4 ? 2 << 20 : 1 << 20;
}

/* PCI put it there, and the registers show it. */
u32 linear_base(void)
{
	return (u32)crtc_read(0x59) << 24 | (u32)(crtc_read(0x5a) & 0x80) << 16;
}

void set_bank(u8 bank)
{
	u32 before = s3_unlock();

	crtc_write(0x6a, bank);
	s3_lock(before);
}

u8 get_bank(void)
{
	return crtc_read(0x6a) & 0x7f;
}
