// SPDX-License-Identifier: GPL-2.0-or-later
/* What there is and how it stands: int 10h functions 12h, 1Ah, 1Bh and 1Ch; the ROM's initialisation. */
#include "bios.h"

void int10_entry(void);
void iret_entry(void);

#define DISPLAY_VGA_COLOR 0x08

/* --- 12h */

static void choose(struct regs *r, u16 at, u8 bit, u8 clears)
{
	u8 flags = bda8(at);

	set_bda8(at, (u8)(r->al == clears ? flags & ~bit : flags | bit));
	r->al = 0x12;
}

static void choose_lines(struct regs *r)
{
	u8 flags = bda8(BDA_MODESET_CONTROL) & ~(MODESET_LINES_400 | MODESET_LINES_200);

	if (r->al == 0)
		flags |= MODESET_LINES_200;
	else if (r->al == 2)
		flags |= MODESET_LINES_400;
	set_bda8(BDA_MODESET_CONTROL, flags);
	r->al = 0x12;
}

void int10_alternate(struct regs *r)
{
	switch (r->bl) {
	case 0x10:
		r->bh = crtc_port() == 0x3d4 ? 0 : 1;
		r->bl = 3; /* 256 KiB or more */
		r->cx = (u16)(bda8(BDA_SWITCHES) & 15);
		break;
	case 0x30:
		choose_lines(r);
		break;
	case 0x31:
		choose(r, BDA_MODESET_CONTROL, MODESET_NO_PALETTE, 0);
		break;
	case 0x32:
		outb(PORT_MISC, (u8)((inb(0x3cc) & ~2) | (r->al ? 0 : 2)));
		r->al = 0x12;
		break;
	case 0x33:
		choose(r, BDA_MODESET_CONTROL, MODESET_GREY, 1);
		break;
	case 0x34:
		choose(r, BDA_VIDEO_CONTROL, CONTROL_NO_CURSOR_EMULATION, 0);
		break;
	case 0x36:
		screen_off(r->al);
		r->al = 0x12;
		break;
	default:
		break;
	}
}

void int10_display_code(struct regs *r)
{
	if (r->al == 1) {
		set_bda8(BDA_DISPLAY_CODE, r->bl);
	} else {
		r->bl = DISPLAY_VGA_COLOR;
		r->bh = 0;
	}
	r->al = 0x1a;
}

/* --- 1Bh: what the BIOS can do, and how things are */

static const ROM u8 capabilities[16] = {
	0xff, 0xe0, 0x0f,	   /* modes 00h to 07h, 0Dh to 13h */
	0,    0,    0,	  0, 0x07, /* 200, 350 and 400 lines of text */
	8,    2,		   /* fonts in memory, two at once */
	0xff, 0x0e,		   /* what else: all but a light pen */
	0,    0,    0x3f, 0,	   /* save areas */
};

void int10_functionality(struct regs *r)
{
	u16 at = r->di, lines;
	u8 mode, rows, height;

	if (r->bx != 0)
		return;
	mode = bda8(BDA_MODE);
	rows = bda8(BDA_ROWS);
	height = bda8(BDA_CHARACTER_HEIGHT);
	lines = (u16)((rows + 1) * height);
	set_fs(r->es);
	for (u8 i = 0; i < 64; i++)
		FAR(u8, at + i) = 0;
	FAR(u16, at) = (u16)(u32)capabilities;
	FAR(u16, at + 2) = rom_segment();
	/* 30 bytes as they stand from 40:49h, then 40:84h to 86h. */
	for (u8 i = 0; i < 30; i++) {
		u8 value = bda8(BDA_MODE + i);

		set_fs(r->es);
		FAR(u8, at + 4 + i) = value;
	}
	FAR(u8, at + 0x22) = rows + 1;
	FAR(u16, at + 0x23) = height;
	FAR(u8, at + 0x25) = DISPLAY_VGA_COLOR;
	FAR(u16, at + 0x27) = mode == 0x13		  ? 256
			      : mode == 6 || mode == 0x11 ? 2
			      : mode == 4 || mode == 5	  ? 4
							  : 16;
	FAR(u8, at + 0x29) = mode <= 3 ? 8 : 1;
	FAR(u8, at + 0x2a) = lines <= 200 ? 0 : lines <= 350 ? 1 : lines <= 400 ? 2 : 3;
	FAR(u8, at + 0x2d) = 0x21;
	FAR(u8, at + 0x31) = 3;
	r->al = 0x1b;
}

/* --- 1Ch, and VBE's 4F04h: parts are registers, BIOS data and palette, and S3's registers */

#define PART_HARDWARE 1
#define PART_BIOS_DATA 2
#define PART_DAC 4
#define PART_S3 8

#define HARDWARE_BYTES (5 + 25 + 21 + 9 + 4)
#define BIOS_DATA_BYTES (30 + 7 + 4 + 12)
#define DAC_BYTES (1 + 768)
#define S3_FIRST 0x30
#define S3_BYTES (0x70 - S3_FIRST + 16)

u16 state_bytes(u16 parts)
{
	u16 bytes = 0;

	if (parts & PART_HARDWARE)
		bytes += HARDWARE_BYTES;
	if (parts & PART_BIOS_DATA)
		bytes += BIOS_DATA_BYTES;
	if (parts & PART_DAC)
		bytes += DAC_BYTES;
	if (parts & PART_S3)
		bytes += S3_BYTES;
	return bytes;
}

/* One byte at a time goes to or from the caller's buffer. */
struct stream {
	u16 segment, at;
};

static u8 next(struct stream *s)
{
	set_fs(s->segment);
	return FAR(u8, s->at++);
}

static void put(struct stream *s, u8 value)
{
	set_fs(s->segment);
	FAR(u8, s->at++) = value;
}

static void save_hardware(struct stream *s)
{
	put(s, inb(0x3cc));
	for (u8 i = 0; i < 25; i++)
		put(s, crtc_read(i));
	for (u8 i = 0; i < 21; i++)
		put(s, attr_read(i));
	for (u8 i = 0; i < 9; i++)
		put(s, gfx_read(i));
	for (u8 i = 0; i < 5; i++)
		put(s, seq_read(i));
}

static void restore_hardware(struct stream *s)
{
	outb(PORT_MISC, next(s));
	crtc_write(0x11, 0);
	for (u8 i = 0; i < 25; i++)
		crtc_write(i, next(s));
	for (u8 i = 0; i < 21; i++)
		attr_write(i, next(s));
	for (u8 i = 0; i < 9; i++)
		gfx_write(i, next(s));
	for (u8 i = 0; i < 5; i++)
		seq_write(i, next(s));
}

/* Runs of the BIOS data area, and the interrupt vectors of fonts. */
static const ROM struct {
	u16 segment, offset, bytes;
} data_runs[] = { { 0x40, 0x49, 30 }, { 0x40, 0x84, 7 },  { 0x40, 0xa8, 4 },
		  { 0, 0x1f * 4, 4 }, { 0, 0x43 * 4, 4 }, { 0x40, 0x10, 2 } };

static void bios_data(struct stream *s, u8 save)
{
	for (u32 run = 0; run < ARRAY_LEN(data_runs); run++) {
		for (u16 i = 0; i < data_runs[run].bytes; i++) {
			u8 value;

			if (save) {
				set_fs(data_runs[run].segment);
				value = FAR(u8, data_runs[run].offset + i);
				put(s, value);
			} else {
				value = next(s);
				set_fs(data_runs[run].segment);
				FAR(u8, data_runs[run].offset + i) = value;
			}
		}
	}
}

static void dac(struct stream *s, u8 save)
{
	if (save)
		put(s, inb(PORT_DAC_MASK));
	else
		outb(PORT_DAC_MASK, next(s));
	outb(save ? PORT_DAC_READ : PORT_DAC_WRITE, 0);
	for (u16 i = 0; i < 768; i++) {
		if (save)
			put(s, inb(PORT_DAC_DATA));
		else
			outb(PORT_DAC_DATA, next(s));
	}
}

static u8 s3_restored(u8 index)
{
	/* Identity, locks, straps and the position that PCI gave are not the caller's. */
	return index > 0x30 && index != 0x36 && index != 0x37 && index != 0x38 && index != 0x39 &&
	       index != 0x4a && index != 0x4b && index != 0x59 && index != 0x5a;
}

static void s3_registers(struct stream *s, u8 save)
{
	u32 before = s3_unlock();

	for (u8 i = S3_FIRST; i < 0x70; i++) {
		u8 value = save ? crtc_read(i) : next(s);

		if (save)
			put(s, value);
		else if (s3_restored(i))
			crtc_write(i, value);
	}
	for (u8 i = 0x0d; i < 0x1d; i++) {
		u8 value = save ? seq_read(i) : next(s);

		if (save)
			put(s, value);
		else
			seq_write(i, value);
	}
	s3_lock(before);
}

void save_state(u16 parts, u16 segment, u16 offset)
{
	struct stream s = { segment, offset };

	if (parts & PART_HARDWARE)
		save_hardware(&s);
	if (parts & PART_BIOS_DATA)
		bios_data(&s, 1);
	if (parts & PART_DAC)
		dac(&s, 1);
	if (parts & PART_S3)
		s3_registers(&s, 1);
}

void restore_state(u16 parts, u16 segment, u16 offset)
{
	struct stream s = { segment, offset };

	if (parts & PART_HARDWARE)
		restore_hardware(&s);
	if (parts & PART_BIOS_DATA)
		bios_data(&s, 0);
	if (parts & PART_DAC)
		dac(&s, 0);
	if (parts & PART_S3)
		s3_registers(&s, 0);
}

void int10_state(struct regs *r)
{
	u16 parts = r->cx & 7;

	if (r->al == 0)
		r->bx = (u16)((state_bytes(parts) + 63) / 64);
	else if (r->al == 1)
		save_state(parts, r->es, r->bx);
	else if (r->al == 2)
		restore_state(parts, r->es, r->bx);
	else
		return;
	r->al = 0x1c;
}

/* --- the whole of int 10h, and initialisation */

static void get_mode(struct regs *r)
{
	r->al = bda8(BDA_MODE) | (bda8(BDA_VIDEO_CONTROL) & CONTROL_NO_CLEAR);
	r->ah = bda8(BDA_COLUMNS);
	r->bh = bda8(BDA_PAGE);
}

static void int10_set_mode(struct regs *r)
{
	u8 mode = r->al & 0x7f;

	set_mode(mode, !(r->al & 0x80));
	r->al = mode == 6 ? 0x3f : mode > 7 ? 0x20 : 0x30;
}

void int10(struct regs *r)
{
	switch (r->ah) {
	case 0x00:
		int10_set_mode(r);
		break;
	case 0x01:
	case 0x02:
	case 0x03:
	case 0x04:
		int10_cursor(r);
		break;
	case 0x05:
		int10_page(r);
		break;
	case 0x06:
	case 0x07:
		int10_scroll(r);
		break;
	case 0x08:
	case 0x09:
	case 0x0a:
	case 0x0e:
		int10_character(r);
		break;
	case 0x0b:
		int10_color(r);
		break;
	case 0x0c:
	case 0x0d:
		int10_pixel(r);
		break;
	case 0x0f:
		get_mode(r);
		break;
	case 0x10:
		int10_palette(r);
		break;
	case 0x11:
		int10_font(r);
		break;
	case 0x12:
		int10_alternate(r);
		break;
	case 0x13:
		int10_string(r);
		break;
	case 0x1a:
		int10_display_code(r);
		break;
	case 0x1b:
		int10_functionality(r);
		break;
	case 0x1c:
		int10_state(r);
		break;
	case 0x4f:
		int10_vbe(r);
		break;
	default:
		break;
	}
}

/* 40:A8h leads there, and from there to the parameter table (entry.S). */
extern const ROM u16 save_pointers[];

void initialise(void)
{
	u16 segment = rom_segment();

	outb(0x3c3, 1);
	set_vector(0x10, segment, (u16)(u32)int10_entry);
	set_vector(0x42, segment, (u16)(u32)iret_entry);
	set_vector(0x6d, segment, (u16)(u32)int10_entry);
	set_bda8(BDA_VIDEO_CONTROL, 0x60);
	set_bda8(BDA_SWITCHES, 0xf9);
	set_bda8(BDA_MODESET_CONTROL, MODESET_LINES_400 | 1);
	set_bda8(BDA_DISPLAY_CODE, DISPLAY_VGA_COLOR);
	set_bda16(BDA_SAVE_POINTER, (u16)(u32)save_pointers);
	set_bda16(BDA_SAVE_POINTER + 2, segment);
	outb(PORT_MISC, 0x67);
	set_mode(3, 1);
}
