// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A mouse says how far it went; the guest makes of that what it likes (it accelerates). So the
 * computed position drifts. What corrects it: the first motion after a change of the picture's size
 * goes to the upper left corner first, further than any picture reaches; motion to an edge goes far
 * beyond it; and when the viewer's pointer rests and the adapter shows a hardware cursor, the
 * guest's pointer is known but for the image's hot spot, which lies within its upper left quarter. A
 * few corrections must do: what does not converge (a guest that moves its pointer by itself) is
 * left alone.
 */
#include "pointer.h"

#include "../base/bits.h"
#include "../devmodel/display.h"
#include "../devmodel/input.h"

#define HOT_SPOT_MAX (DISPLAY_CURSOR_SIZE / 2 - 1)
#define CORRECTIONS_MAX 8u

void pointer_init(struct pointer *pointer, struct input *input)
{
	*pointer = (struct pointer){ .input = input };
}

void pointer_resize(struct pointer *pointer, uint32_t width, uint32_t height)
{
	if (pointer->width == width && pointer->height == height)
		return;
	pointer->width = width;
	pointer->height = height;
	pointer->known = false;
}

static int32_t clamp(int32_t value, int32_t min, int32_t max)
{
	return value < min ? min : value > max ? max : value;
}

/* From @from to @to, and further where that is an edge. */
static int32_t way(int32_t from, int32_t to, uint32_t size)
{
	const int32_t beyond = to <= 0			 ? -(int32_t)size
			       : to + 1 >= (int32_t)size ? (int32_t)size
							 : 0;

	return to - from + beyond;
}

/* The middle of a pixel of @size, as a share of it. */
static uint32_t position(int32_t at, uint32_t size)
{
	return (2 * (uint32_t)at + 1) * INPUT_POSITION_MAX / (2 * size);
}

void pointer_point(struct pointer *pointer, uint32_t x, uint32_t y, int32_t wheel, uint32_t buttons)
{
	const int32_t to_x = clamp((int32_t)x, 0, (int32_t)pointer->width - 1);
	const int32_t to_y = clamp((int32_t)y, 0, (int32_t)pointer->height - 1);
	int32_t dx, dy;

	if (!pointer->width || !pointer->height)
		return;
	if (input_wants_positions(pointer->input)) {
		input_move_to(pointer->input, position(to_x, pointer->width),
			      position(to_y, pointer->height), wheel, buttons);
		pointer->buttons = buttons;
		pointer->want_x = to_x;
		pointer->want_y = to_y;
		pointer->known = false;
		return;
	}
	if (!pointer->known) {
		input_move(pointer->input, -2 * (int32_t)pointer->width,
			   -2 * (int32_t)pointer->height, 0, pointer->buttons);
		pointer->x = pointer->y = 0;
		pointer->known = true;
	}
	/* At rest at an edge there is nothing to push. */
	dx = to_x == pointer->want_x && to_x == pointer->x ? 0
							   : way(pointer->x, to_x, pointer->width);
	dy = to_y == pointer->want_y && to_y == pointer->y ? 0
							   : way(pointer->y, to_y, pointer->height);
	if (!dx && !dy && !wheel && buttons == pointer->buttons)
		return;
	input_move(pointer->input, dx, dy, wheel, buttons);
	pointer->x = pointer->want_x = to_x;
	pointer->y = pointer->want_y = to_y;
	pointer->buttons = buttons;
	pointer->corrections = 0;
}

void pointer_motion(struct pointer *pointer, int32_t dx, int32_t dy, int32_t wheel,
		    uint32_t buttons)
{
	input_move(pointer->input, dx, dy, wheel, buttons);
	pointer->buttons = buttons;
	/* Whoever points next starts anew. */
	pointer->known = false;
}

bool pointer_observe(struct pointer *pointer, int32_t x, int32_t y)
{
	int32_t dx, dy;

	if (!pointer->known || pointer->corrections >= CORRECTIONS_MAX)
		return false;
	pointer->x = clamp(pointer->x, x, x + HOT_SPOT_MAX);
	pointer->y = clamp(pointer->y, y, y + HOT_SPOT_MAX);
	dx = pointer->want_x - pointer->x;
	dy = pointer->want_y - pointer->y;
	if (!dx && !dy)
		return false;
	input_move(pointer->input, dx, dy, 0, pointer->buttons);
	pointer->x = pointer->want_x;
	pointer->y = pointer->want_y;
	pointer->corrections++;
	return true;
}
