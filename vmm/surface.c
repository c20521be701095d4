// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * The adapter draws right into the screen's pixels and expects to find them there as it left them.
 * The cursor, which it does not draw, is therefore taken off before it draws, and put back after.
 * As long as neither the cursor nor the picture below it changes it stays where it is.
 */
#include "surface.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"

/* The picture of a machine that has no display, or whose display is off. */
#define DARK_WIDTH 640u
#define DARK_HEIGHT 480u

void surface_init(struct surface *surface, struct display *display)
{
	memset(surface, 0, sizeof(*surface));
	screen_init(&surface->screen);
	surface->display = display;
	surface->target.stale = true;
}

void surface_fini(struct surface *surface)
{
	screen_fini(&surface->screen);
}

/* --- the cursor */

static bool overlaps(const struct display_rect *a, const struct display_rect *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static uint32_t *line_of(struct surface *surface, const struct display_rect *rect, uint32_t y)
{
	return surface->screen.pixels + (size_t)(rect->y + y) * surface->screen.width + rect->x;
}

static void damage(struct surface *surface, const struct display_rect *rect)
{
	screen_damage(&surface->screen, rect->x, rect->y, rect->width, rect->height);
}

static void take_cursor_off(struct surface *surface)
{
	const struct display_rect *rect = &surface->covered;

	for (uint32_t y = 0; y < rect->height; y++)
		memcpy(line_of(surface, rect, y), surface->under + y * DISPLAY_CURSOR_SIZE,
		       rect->width * sizeof(uint32_t));
}

/* The part of the cursor that lies in the picture; width 0: none. */
static struct display_rect cursor_rect(const struct surface *surface)
{
	const struct display_cursor *cursor = &surface->cursor;
	const int64_t left = cursor->x < 0 ? 0 : cursor->x, top = cursor->y < 0 ? 0 : cursor->y;
	int64_t right = (int64_t)cursor->x + DISPLAY_CURSOR_SIZE;
	int64_t bottom = (int64_t)cursor->y + DISPLAY_CURSOR_SIZE;

	if (right > surface->screen.width)
		right = surface->screen.width;
	if (bottom > surface->screen.height)
		bottom = surface->screen.height;
	if (!cursor->visible || surface->cursor_elsewhere || left >= right || top >= bottom)
		return (struct display_rect){ 0 };
	return (struct display_rect){ (uint32_t)left, (uint32_t)top, (uint32_t)(right - left),
				      (uint32_t)(bottom - top) };
}

static void draw_cursor(struct surface *surface)
{
	const struct display_cursor *cursor = &surface->cursor;
	const struct display_rect rect = cursor_rect(surface);

	for (uint32_t y = 0; y < rect.height; y++) {
		const uint32_t from_y = (uint32_t)((int64_t)rect.y + y - cursor->y);
		const uint32_t from_x = (uint32_t)((int64_t)rect.x - cursor->x);
		const uint32_t *image = cursor->image + from_y * DISPLAY_CURSOR_SIZE + from_x;
		const uint64_t invert = cursor->invert[from_y] << from_x;
		uint32_t *line = line_of(surface, &rect, y);

		memcpy(surface->under + y * DISPLAY_CURSOR_SIZE, line,
		       rect.width * sizeof(uint32_t));
		for (uint32_t x = 0; x < rect.width; x++) {
			if (image[x] >> 24)
				line[x] = image[x] & 0xffffff;
			else if (invert << x >> 63)
				line[x] ^= 0xffffff;
		}
	}
	surface->covered = rect;
	surface->drawn_serial = cursor->serial;
	surface->drawn_x = cursor->x;
	surface->drawn_y = cursor->y;
}

static bool cursor_changed(const struct surface *surface)
{
	const struct display_cursor *cursor = &surface->cursor;

	if (!surface->covered.width)
		return cursor_rect(surface).width;
	return !cursor->visible || surface->cursor_elsewhere || cursor->x != surface->drawn_x ||
	       cursor->y != surface->drawn_y || cursor->serial != surface->drawn_serial;
}

/* --- pulling */

static int set_size(struct surface *surface, uint32_t width, uint32_t height)
{
	struct screen *screen = &surface->screen;
	int r;

	if (screen->width == width && screen->height == height)
		return 0;
	r = screen_resize(screen, width, height);
	if (r < 0)
		return r;
	surface->covered.width = surface->covered.height = 0;
	surface->target = (struct display_surface){
		.pixels = screen->pixels,
		.stride_pixels = width,
		.width = width,
		.height = height,
		.stale = true,
	};
	return 0;
}

/* What of the picture is drawn: the size that it has, whatever the adapter would say next. */
static void draw(struct surface *surface)
{
	struct display_surface *target = &surface->target;
	bool redraw_cursor;

	take_cursor_off(surface);
	target->damage_count = 0;
	display_refresh(surface->display, target);
	display_cursor(surface->display, &surface->cursor);
	redraw_cursor = cursor_changed(surface);
	for (unsigned int i = 0; i < target->damage_count; i++) {
		const struct display_rect *rect = &target->damage[i];

		damage(surface, rect);
		redraw_cursor |= surface->covered.width && overlaps(rect, &surface->covered);
	}
	if (redraw_cursor)
		damage(surface, &surface->covered);
	draw_cursor(surface);
	if (redraw_cursor)
		damage(surface, &surface->covered);
}

/*
 * An adapter that sends nothing, or a machine without one: a black picture of the size that it had.
 * What a reset adapter's timing comes to is no size for a window.
 */
static int go_dark(struct surface *surface)
{
	struct screen *screen = &surface->screen;
	int r;

	if (!screen->width) {
		r = set_size(surface, DARK_WIDTH, DARK_HEIGHT);
		if (r < 0)
			return r;
	}
	if (surface->dark)
		return 0;
	surface->dark = true;
	surface->cursor.visible = false;
	surface->covered.width = surface->covered.height = 0;
	surface->target.stale = true;
	memset(screen->pixels, 0, (size_t)screen->width * screen->height * sizeof(*screen->pixels));
	screen_damage(screen, 0, 0, screen->width, screen->height);
	return 0;
}

int surface_pull(struct surface *surface)
{
	struct display_geometry now = { .blank = true };
	int r;

	if (surface->display && surface->display->dev)
		display_geometry(surface->display, &now);
	if (now.blank)
		return go_dark(surface);
	r = set_size(surface, (uint32_t)min_u64(now.width, DISPLAY_WIDTH_MAX),
		     (uint32_t)min_u64(now.height, DISPLAY_HEIGHT_MAX));
	if (r < 0)
		return r;
	surface->dark = false;
	draw(surface);
	return 0;
}
