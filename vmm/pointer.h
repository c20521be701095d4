/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pointer of viewers that say where they are, for a guest that takes positions, or for a mouse
 * that says how far it went. Where the
 * guest's pointer stands is computed, and put right where that can be known: at the edges, where
 * the guest stops it, and from the hardware cursor.
 */
#ifndef VMM_POINTER_H
#define VMM_POINTER_H

#include <stdbool.h>
#include <stdint.h>

struct input;

struct pointer {
	struct input *input;
	uint32_t width, height; /* of the picture */
	int32_t x, y;		/* where the guest's pointer should be by now */
	int32_t want_x, want_y; /* where the viewer's is */
	uint32_t buttons;
	bool known;
	unsigned int corrections; /* since the viewer's pointer moved */
};

void pointer_init(struct pointer *pointer, struct input *input);
/* A new size of the picture: nothing is known of the guest's pointer any more. */
void pointer_resize(struct pointer *pointer, uint32_t width, uint32_t height);
/* The viewer's pointer is at (@x, @y). */
void pointer_point(struct pointer *pointer, uint32_t x, uint32_t y, int32_t wheel,
		   uint32_t buttons);
/* The viewer's mouse itself moved. */
void pointer_motion(struct pointer *pointer, int32_t dx, int32_t dy, int32_t wheel,
		    uint32_t buttons);
/*
 * The hardware cursor's image stands at (@x, @y), and the viewer's pointer has been at rest long
 * enough for the guest. True when the guest's pointer was moved.
 */
bool pointer_observe(struct pointer *pointer, int32_t x, int32_t y);

#endif
