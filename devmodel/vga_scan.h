/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CRT controller makes of its registers: pure functions from registers to a description of
 * the picture and of its pace.
 */
#ifndef DEVMODEL_VGA_SCAN_H
#define DEVMODEL_VGA_SCAN_H

#include "vga.h"

enum vga_scan_kind {
	VGA_SCAN_BLANK,
	VGA_SCAN_TEXT,
	VGA_SCAN_PLANAR, /* 4 bits per pixel from four planes */
	VGA_SCAN_CGA,	 /* the shift registers of planes 0 and 2, 1 and 3 interleaved: 2 bits */
	VGA_SCAN_256,	 /* VGA's 256 colours: four bits at a time */
	VGA_SCAN_PACKED, /* the adapter's own modes: bits per pixel as below */
};

struct vga_scan {
	enum vga_scan_kind kind;
	uint32_t width, height; /* of the picture in pixels */
	uint32_t columns;	/* character clocks that are displayed */
	uint32_t dots;	/* of a character clock in the picture, as wide as a monitor shows them */
	uint32_t widen; /* dots of a pixel: 1, 2 or 4 */
	uint32_t bits;	/* of VGA_SCAN_PACKED */
	uint32_t scan_height; /* scan lines of a character row, 1 to 32 */
	bool double_scan;     /* each of them twice */
	uint32_t start;	      /* first address; of a packed mode in units of 4 bytes */
	uint32_t pitch;	      /* address step from character row to row, same unit */
	uint32_t mask;	      /* addresses wrap here */
	uint32_t split;	      /* first line that shows address 0; height or more: none */
	bool split_pans;      /* the lower part is panned too */
	uint32_t preset_row, byte_pan, pixel_pan;
	/* How counter bits become address bits. */
	uint32_t address_shift; /* 0 byte, 1 word, 2 double word mode */
	bool wrap_13;		/* word mode's bit 0 is counter bit 13, else 15 */
	bool row_0, row_1;	/* row scan bits 0 and 1 take the place of bits 13 and 14 */
	/* Text. */
	uint32_t font[2]; /* plane 2 addresses for attribute bit 3 clear and set */
	bool blink, line_graphics, nine;
	uint32_t cursor_address, cursor_first, cursor_last; /* no cursor: first beyond last */
	uint32_t underline;				    /* scan line, 32: none */
};

/* The pace of the beam, in virtual nanoseconds. */
struct vga_timing {
	uint64_t line_ns, active_ns; /* a whole line; its displayed part */
	uint32_t lines, active_lines, retrace_first, retrace_lines;
	uint64_t frame_ns;
};

void vga_scan_decode(const struct vga_state *s, const struct vga_ext *ext,
		     const struct display_memory *memory, struct vga_scan *ret_scan);
void vga_timing_decode(const struct vga_state *s, const struct vga_ext *ext,
		       struct vga_timing *ret_timing);
/* The plane address that counter value @counter means on scan line @row of its character row. */
uint32_t vga_scan_address(const struct vga_scan *scan, uint32_t counter, uint32_t row);

/* Attribute controller and palette: colour of pixel value @index, 0 to 15, as a palette index. */
uint8_t vga_attribute_color(const struct vga_state *s, unsigned int index);
/* XRGB8888 of palette entry @index, the mask applied. */
uint32_t vga_palette_color(const struct vga_state *s, unsigned int index);

#endif
