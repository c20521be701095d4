/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing: from memory and a scan description to lines of pixels, and from there to a surface and
 * its damage.
 */
#ifndef DEVMODEL_VGA_RENDER_H
#define DEVMODEL_VGA_RENDER_H

#include "display.h"
#include "vga.h"
#include "vga_scan.h"

/* What the viewer's surface shows, kept to find what changed. */
struct vga_picture {
	struct vga_scan scan;
	bool cursor_on, blink_on;
	uint32_t palette[256]; /* colours of pixel values */
	uint32_t cells[DISPLAY_TEXT_CELLS];
	uint32_t line[DISPLAY_WIDTH_MAX + 64];
};

/* Where line @y of the picture comes from. */
struct vga_line {
	uint32_t counter; /* of its first character clock */
	uint32_t row;	  /* scan line within the character row */
	uint32_t pan;	  /* dots that are cut off at the left */
	bool first;	  /* of its character row, or of the picture or its lower part */
};

void vga_line_decode(const struct vga_scan *scan, uint32_t y, struct vga_line *ret_line);
/* The colours of pixel values, 16 or 256 of them. */
void vga_palette(const struct vga_state *s, const struct vga_scan *scan, uint32_t palette[256]);
/*
 * Line @y of @picture->scan, from @memory as it is, into @picture->line; the result starts at the
 * returned pointer.
 */
const uint32_t *vga_draw_line(const struct vga *vga, struct vga_picture *picture, uint32_t y);

void vga_geometry(struct vga *vga, struct display_geometry *ret_geometry);
void vga_refresh(struct vga *vga, struct display_surface *surface);
void vga_text(struct vga *vga, struct display_text *ret_text);

#endif
