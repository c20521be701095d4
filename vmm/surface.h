/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings the picture from the display adapter (devmodel/display.h) to the screen (screen.h), the
 * hardware cursor drawn into it.
 */
#ifndef VMM_SURFACE_H
#define VMM_SURFACE_H

#include "../devmodel/display.h"
#include "screen.h"

struct surface {
	struct screen screen;
	struct display *display; /* by reference */
	struct display_surface target;
	struct display_cursor cursor;
	bool dark; /* black, since nothing is sent */
	/* The viewers draw the cursor themselves: it is left out of the picture. */
	bool cursor_elsewhere;
	/* What lies under the cursor that is drawn now; width 0: none is. */
	struct display_rect covered;
	uint32_t under[DISPLAY_CURSOR_SIZE * DISPLAY_CURSOR_SIZE];
	uint32_t drawn_serial;
	int32_t drawn_x, drawn_y;
};

/* No picture until the first pull. */
void surface_init(struct surface *surface, struct display *display);
void surface_fini(struct surface *surface);

/*
 * Lets the adapter draw what has changed. With the machine lock; screen_publish() may follow
 * without it. 0, or -ENOMEM: the picture stays what it was. A machine without a display has a black
 * picture.
 */
int surface_pull(struct surface *surface);

#endif
