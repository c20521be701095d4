// SPDX-License-Identifier: GPL-2.0-or-later
#include "vga_scan.h"

#include <string.h>

#include "../base/bits.h"

#define CLOCK_25_HZ 25175000u
#define CLOCK_28_HZ 28322000u
/* Nonsense in the registers gives a pace of that at most and at least. */
#define FRAME_NS_MIN 1000000u
#define FRAME_NS_MAX 1000000000u

/* --- vertical values, whose high bits lie in the overflow registers */

static uint32_t overflow(const struct vga_state *s, unsigned int bit8, unsigned int bit9)
{
	uint8_t bits = s->crtc[CRTC_OVERFLOW];

	return ((uint32_t)bits >> bit8 & 1) << 8 | ((uint32_t)bits >> bit9 & 1) << 9;
}

static uint32_t vertical_total(const struct vga_state *s, const struct vga_ext *ext)
{
	return (s->crtc[0x06] | overflow(s, 0, 5) | ext->vtotal) + 2;
}

static uint32_t vertical_display(const struct vga_state *s, const struct vga_ext *ext)
{
	return (s->crtc[0x12] | overflow(s, 1, 6) | ext->vdisplay) + 1;
}

static uint32_t vertical_retrace(const struct vga_state *s, const struct vga_ext *ext)
{
	return s->crtc[0x10] | overflow(s, 2, 7) | ext->vretrace;
}

static uint32_t line_compare(const struct vga_state *s, const struct vga_ext *ext)
{
	return s->crtc[0x18] | ((uint32_t)s->crtc[CRTC_OVERFLOW] >> 4 & 1) << 8 |
	       ((uint32_t)s->crtc[CRTC_MAX_SCAN] >> 6 & 1) << 9 | ext->line_compare;
}

/* --- the picture */

static void decode_kind(const struct vga_state *s, const struct vga_ext *ext, struct vga_scan *scan)
{
	uint8_t mode = s->gfx[GFX_MODE];

	if (ext->sleeping || (s->seq[SEQ_CLOCKING] & SEQ_CLOCKING_OFF) ||
	    !(s->attr_index & ATTR_INDEX_VIDEO) || !(s->crtc[CRTC_MODE] & 0x80))
		scan->kind = VGA_SCAN_BLANK;
	else if (ext->bits)
		scan->kind = VGA_SCAN_PACKED;
	else if (!(s->gfx[GFX_MISC] & GFX_MISC_GRAPHICS))
		scan->kind = VGA_SCAN_TEXT;
	else if (mode & GFX_MODE_256)
		scan->kind = VGA_SCAN_256;
	else
		scan->kind = mode & GFX_MODE_INTERLEAVE ? VGA_SCAN_CGA : VGA_SCAN_PLANAR;
}

/* The number of dots of a character clock, before anything makes pixels wider. */
static uint32_t character_dots(const struct vga_state *s)
{
	return s->seq[SEQ_CLOCKING] & SEQ_CLOCKING_8DOT ? 8 : 9;
}

static void decode_size(const struct vga_state *s, const struct vga_ext *ext, struct vga_scan *scan)
{
	uint32_t height = vertical_display(s, ext);

	scan->columns = (s->crtc[0x01] | ext->hdisplay) + 1;
	scan->nine = scan->kind == VGA_SCAN_TEXT && character_dots(s) == 9;
	scan->dots = scan->nine ? 9 : 8;
	scan->widen = scan->kind == VGA_SCAN_256 ? 2 : 1;
	if (scan->kind != VGA_SCAN_PACKED && (s->seq[SEQ_CLOCKING] & SEQ_CLOCKING_HALF)) {
		scan->dots *= 2;
		scan->widen *= 2;
	}
	scan->width = scan->columns * scan->dots;
	if (ext->bits && ext->dclk_divide > 1)
		scan->width /= ext->dclk_divide;
	if (ext->interlace)
		height *= 2;
	if (s->crtc[CRTC_MODE] & 4)
		height *= 2;
	scan->width = (uint32_t)min_u64(max_u64(scan->width, 8), DISPLAY_WIDTH_MAX);
	scan->height = (uint32_t)min_u64(height, DISPLAY_HEIGHT_MAX);
	scan->columns = (uint32_t)min_u64(scan->columns, DISPLAY_WIDTH_MAX / scan->dots);
}

static void decode_addresses(const struct vga_state *s, const struct vga_ext *ext,
			     const struct display_memory *memory, struct vga_scan *scan)
{
	uint8_t mode = s->crtc[CRTC_MODE];
	bool packed = scan->kind == VGA_SCAN_PACKED ||
		      (scan->kind == VGA_SCAN_256 && (s->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4));

	scan->start =
		(uint32_t)(s->crtc[CRTC_START_HIGH] << 8 | s->crtc[CRTC_START_LOW]) | ext->start;
	scan->pitch = (s->crtc[CRTC_OFFSET] | ext->offset) * 2;
	scan->byte_pan = s->crtc[CRTC_PRESET_ROW] >> 5 & 3;
	scan->mask = ext->whole_memory ? memory->size / 4 - 1 : VGA_PLANE_BYTES - 1;
	/* The adapter packs what chain 4 writes, so double word mode has nothing to spread. */
	if (!packed && (s->crtc[CRTC_UNDERLINE] & 0x40))
		scan->address_shift = 2;
	else if (!packed && !(mode & 0x40))
		scan->address_shift = 1;
	scan->wrap_13 = !(mode & 0x20);
	scan->row_0 = !packed && !(mode & 1);
	scan->row_1 = !packed && !(mode & 2);
}

static void decode_rows(const struct vga_state *s, const struct vga_ext *ext, struct vga_scan *scan)
{
	uint8_t max_scan = s->crtc[CRTC_MAX_SCAN];

	scan->scan_height = (max_scan & 31u) + 1;
	scan->double_scan = max_scan & 0x80;
	scan->preset_row = s->crtc[CRTC_PRESET_ROW] & 31;
	scan->split = line_compare(s, ext) + 1;
	/* Vertical values count fields, or every second line. */
	if (ext->interlace)
		scan->split *= 2;
	if (s->crtc[CRTC_MODE] & 4)
		scan->split *= 2;
	scan->split_pans = !(s->attr[ATTR_MODE] & ATTR_MODE_PAN_BOTH);
	scan->pixel_pan = s->attr[ATTR_PANNING] & 15;
	if (scan->nine)
		scan->pixel_pan = scan->pixel_pan >= 8 ? 0 : scan->pixel_pan + 1;
	else
		scan->pixel_pan &= 7;
	/* In dots; two of them are a pixel of 256 colours, where odd values mean nothing. */
	if (scan->kind == VGA_SCAN_256)
		scan->pixel_pan &= 6;
	if (s->seq[SEQ_CLOCKING] & SEQ_CLOCKING_HALF)
		scan->pixel_pan *= 2;
	if (scan->kind == VGA_SCAN_PACKED)
		scan->pixel_pan = 0;
}

/* Eight fonts of 8 KiB in plane 2: the first four at every 16 KiB, the others between them. */
static uint32_t font_address(unsigned int number)
{
	return (number & 3) * 0x4000 + (number >> 2) * 0x2000;
}

static void decode_text(const struct vga_state *s, struct vga_scan *scan)
{
	uint8_t map = s->seq[SEQ_CHAR_MAP];
	uint8_t first = s->crtc[CRTC_CURSOR_START], last = s->crtc[CRTC_CURSOR_END];

	scan->font[0] = font_address((map & 3u) | (map >> 2 & 4u));
	scan->font[1] = font_address((map >> 2 & 3u) | (map >> 3 & 4u));
	scan->blink = s->attr[ATTR_MODE] & ATTR_MODE_BLINK;
	scan->line_graphics = s->attr[ATTR_MODE] & ATTR_MODE_LINE_GRAPHICS;
	scan->underline = s->attr[ATTR_MODE] & ATTR_MODE_MONO ? s->crtc[CRTC_UNDERLINE] & 31u : 32;
	scan->cursor_address =
		(uint32_t)(s->crtc[CRTC_CURSOR_HIGH] << 8 | s->crtc[CRTC_CURSOR_LOW]);
	scan->cursor_first = first & 31;
	scan->cursor_last = last & 31;
	if (first & 0x20)
		scan->cursor_first = 32;
}

void vga_scan_decode(const struct vga_state *s, const struct vga_ext *ext,
		     const struct display_memory *memory, struct vga_scan *ret_scan)
{
	struct vga_scan scan;

	memset(&scan, 0, sizeof(scan));
	scan.bits = ext->bits;
	decode_kind(s, ext, &scan);
	decode_size(s, ext, &scan);
	decode_addresses(s, ext, memory, &scan);
	decode_rows(s, ext, &scan);
	decode_text(s, &scan);
	*ret_scan = scan;
}

uint32_t vga_scan_address(const struct vga_scan *scan, uint32_t counter, uint32_t row)
{
	uint32_t address = counter;

	if (scan->address_shift == 1)
		address = (counter << 1) | (counter >> (scan->wrap_13 ? 13 : 15) & 1);
	else if (scan->address_shift == 2)
		address = (counter << 2) | (counter >> 14 & 3);
	if (scan->row_0)
		address = (address & ~BIT(13)) | (row & 1) << 13;
	if (scan->row_1)
		address = (address & ~BIT(14)) | (row >> 1 & 1) << 14;
	return address & scan->mask;
}

/* --- the pace */

static uint64_t dot_clock(const struct vga_state *s, const struct vga_ext *ext)
{
	unsigned int select = s->misc >> 2 & 3;

	if (select == 0)
		return CLOCK_25_HZ;
	if (select == 1 || !ext->dclk_hz)
		return CLOCK_28_HZ;
	return ext->dclk_hz;
}

void vga_timing_decode(const struct vga_state *s, const struct vga_ext *ext,
		       struct vga_timing *ret_timing)
{
	uint64_t clock = dot_clock(s, ext), dots = character_dots(s);
	uint64_t total = ((s->crtc[0x00] | ext->htotal) + 5) * dots;
	uint64_t active = ((s->crtc[0x01] | ext->hdisplay) + 1) * dots;
	struct vga_timing timing;
	uint32_t end;

	if (s->seq[SEQ_CLOCKING] & SEQ_CLOCKING_HALF)
		clock /= 2;
	timing.lines = vertical_total(s, ext);
	timing.active_lines = (uint32_t)min_u64(vertical_display(s, ext), timing.lines);
	timing.frame_ns = mul_div_u64(total * timing.lines, 1000000000u, max_u64(clock, 1));
	timing.frame_ns = min_u64(max_u64(timing.frame_ns, FRAME_NS_MIN), FRAME_NS_MAX);
	timing.line_ns = max_u64(timing.frame_ns / timing.lines, 1);
	timing.active_ns = min_u64(active, total) * timing.line_ns / total;
	timing.retrace_first = (uint32_t)min_u64(vertical_retrace(s, ext), timing.lines - 1);
	end = s->crtc[CRTC_VRE] & 15;
	timing.retrace_lines = (end - timing.retrace_first) & 15;
	if (!timing.retrace_lines)
		timing.retrace_lines = 16;
	*ret_timing = timing;
}

/* --- colours */

uint8_t vga_attribute_color(const struct vga_state *s, unsigned int index)
{
	uint8_t color = s->attr[index & s->attr[ATTR_PLANE_ENABLE] & 15] & 0x3f;
	uint8_t select = s->attr[ATTR_COLOR_SELECT];

	if (s->attr[ATTR_MODE] & ATTR_MODE_COLOR_SELECT)
		color = (uint8_t)((color & 15) | (select & 3) << 4);
	return (uint8_t)(color | (select & 12) << 4);
}

/* Six bits to eight, so that 63 becomes 255. */
static uint32_t widen(uint8_t value)
{
	uint32_t six = value & 0x3f;

	return six << 2 | six >> 4;
}

uint32_t vga_palette_color(const struct vga_state *s, unsigned int index)
{
	const uint8_t *entry = &s->dac[3 * (index & s->dac_mask)];

	return widen(entry[0]) << 16 | widen(entry[1]) << 8 | widen(entry[2]);
}
