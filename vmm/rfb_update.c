// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Output is one buffer with room for two rectangles of the largest size. An update begins when the
 * viewer wants one and the buffer is empty: the dirty tiles are taken over and their rectangles
 * counted, and then encoded one by one as the buffer has room, from the picture as it is at that
 * moment. Tiles that change behind the encoder's back are dirty again for the next update.
 *
 * The viewer's idea of the picture's size changes only between updates: until it has been told, it
 * is sent the part of the picture that it knows of, black where there is none any more.
 */
#include <string.h>

#include "rfb_viewer_impl.h"

#define SAY_UPDATE 0

static void put_size(struct rfb_viewer *viewer, uint32_t reason, uint32_t status,
		     struct cursor *out)
{
	const struct display_rect rect = { reason, status, viewer->width, viewer->height };

	rfb_put_header(out, &rect, RFB_EXTENDED_DESKTOP_SIZE);
	/* One screen, number 0, that is all of it. */
	cursor_put_u8(out, 1);
	cursor_put_zeros(out, 3);
	cursor_put_be32(out, 0);
	cursor_put_be32(out, 0);
	cursor_put_be16(out, (uint16_t)viewer->width);
	cursor_put_be16(out, (uint16_t)viewer->height);
	cursor_put_be32(out, 0);
}

/* A dot: where the viewer's pointer is. What the guest draws is in the picture. */
static void put_dot(struct rfb_viewer *viewer, struct cursor *out)
{
	enum { SIZE = 5 };
	uint32_t argb[SIZE * SIZE];

	for (uint32_t i = 0; i < SIZE * SIZE; i++) {
		const uint32_t x = i % SIZE, y = i / SIZE;
		const bool edge = !x || !y || x == SIZE - 1 || y == SIZE - 1;
		const bool corner = (!x || x == SIZE - 1) && (!y || y == SIZE - 1);

		argb[i] = corner ? 0 : edge ? 0xffffffff : 0xff000000;
	}
	rfb_encode_cursor(&viewer->encoder, SIZE / 2, SIZE / 2, SIZE, SIZE, argb, out);
}

static void put_cursor(struct rfb_viewer *viewer, struct cursor *out)
{
	const struct rfb_cursor *cursor = viewer->cursor;

	if (cursor)
		rfb_encode_cursor(&viewer->encoder, cursor->hot_x, cursor->hot_y, cursor->width,
				  cursor->height, cursor->argb, out);
	else
		put_dot(viewer, out);
}

static void put_news(struct rfb_viewer *viewer, uint32_t news, struct cursor *out)
{
	const struct display_rect motion = { .x = viewer->pointer_absolute };
	const struct display_rect none = { 0 };

	switch (news) {
	case NEWS_CURSOR:
		put_cursor(viewer, out);
		break;
	case NEWS_EXTENDED_KEYS:
		rfb_put_header(out, &none, RFB_EXTENDED_KEYS);
		break;
	case NEWS_MOTION:
		rfb_put_header(out, &motion, RFB_POINTER_MOTION);
		break;
	case NEWS_LEDS:
		rfb_put_header(out, &none, RFB_LED_STATE);
		cursor_put_u8(out, viewer->leds);
		break;
	case NEWS_SIZE_REFUSED:
		put_size(viewer, 1, 1, out);
		break;
	case NEWS_SIZE:
		put_size(viewer, 0, 0, out);
		break;
	}
}

static bool size_is_news(const struct rfb_viewer *viewer)
{
	return (can(viewer, CAN_RESIZE) || can(viewer, CAN_RESIZE_EXTENDED)) &&
	       (viewer->width != viewer->screen->width || viewer->height != viewer->screen->height);
}

/* An update with nothing but the new size, after which nothing old is valid. */
static bool say_new_size(struct rfb_viewer *viewer)
{
	struct cursor out = begin(viewer);
	struct display_rect rect = { 0 };

	viewer->width = rect.width = viewer->screen->width;
	viewer->height = rect.height = viewer->screen->height;
	cursor_put_u8(&out, SAY_UPDATE);
	cursor_put_u8(&out, 0);
	cursor_put_be16(&out, 1);
	if (can(viewer, CAN_RESIZE_EXTENDED))
		put_size(viewer, 0, 0, &out);
	else
		rfb_put_header(&out, &rect, RFB_DESKTOP_SIZE);
	viewer->news &= ~NEWS_SIZE;
	viewer->requested = false;
	viewer->updates++;
	return commit(viewer, &out);
}

static uint32_t count_rects(const struct rfb_viewer *viewer)
{
	struct screen_tiles tiles = viewer->sending;
	struct display_rect rect;
	uint32_t count = 0;

	while (screen_tiles_take(&tiles, viewer->width, viewer->height, RFB_RECT_PIXELS, &rect))
		count++;
	return count;
}

/* The lines that moved by themselves, as far as the viewer has them. */
static void put_move(const struct rfb_viewer *viewer, struct cursor *out)
{
	const struct screen_move *move = &viewer->watcher.move;
	const struct display_rect rect = { 0, move->y, viewer->width, move->height };

	if (!move->height)
		return;
	rfb_put_header(out, &rect, RFB_COPY_RECT);
	cursor_put_be16(out, 0);
	cursor_put_be16(out, (uint16_t)((int32_t)move->y + move->from));
}

static void begin_update(struct rfb_viewer *viewer)
{
	struct cursor out = begin(viewer);
	uint32_t others = (uint32_t)__builtin_popcount(viewer->news);

	viewer->sending = viewer->watcher.dirty;
	viewer->rects_left = count_rects(viewer);
	others += viewer->watcher.move.height != 0;
	cursor_put_u8(&out, SAY_UPDATE);
	cursor_put_u8(&out, 0);
	cursor_put_be16(&out, (uint16_t)(viewer->rects_left + others));
	for (uint32_t news = viewer->news; news; news &= news - 1)
		put_news(viewer, news & -news, &out);
	put_move(viewer, &out);
	/* The buffer was empty, and all of this is small. */
	commit(viewer, &out);
	viewer->news = 0;
	viewer->requested = false;
	viewer->updates++;
	memset(&viewer->watcher.dirty, 0, sizeof(viewer->watcher.dirty));
	memset(&viewer->watcher.move, 0, sizeof(viewer->watcher.move));
}

static bool has_something(const struct rfb_viewer *viewer)
{
	return viewer->news || viewer->watcher.move.height || size_is_news(viewer) ||
	       screen_tiles_any(&viewer->watcher.dirty);
}

static bool may_begin(const struct rfb_viewer *viewer)
{
	return viewer->state == RFB_RUNNING && !updating(viewer) && !viewer->out_count &&
	       (viewer->requested || viewer->continuous);
}

bool rfb_viewer_wants_picture(const struct rfb_viewer *viewer)
{
	return may_begin(viewer);
}

static bool encode_next(struct rfb_viewer *viewer)
{
	struct cursor out = begin(viewer);
	struct display_rect rect;

	if (cursor_left(&out) < RFB_RECT_BYTES)
		return false;
	/* It was counted, so it is there. */
	if (!screen_tiles_take(&viewer->sending, viewer->width, viewer->height, RFB_RECT_PIXELS,
			       &rect) ||
	    !rfb_encode(&viewer->encoder, viewer->screen, &rect, viewer->encoding, &out) ||
	    !commit(viewer, &out)) {
		viewer->rects_left = 0;
		drop(viewer, "there is no memory for its pictures");
		return false;
	}
	viewer->rects_left--;
	if (!updating(viewer))
		rfb_viewer_parse(viewer);
	return true;
}

bool rfb_viewer_encode(struct rfb_viewer *viewer)
{
	bool more = false;

	if (updating(viewer)) {
		more = encode_next(viewer);
	} else if (may_begin(viewer) && has_something(viewer)) {
		if (size_is_news(viewer))
			say_new_size(viewer);
		else
			begin_update(viewer);
		more = updating(viewer);
	}
	viewer->watcher.can_move = can(viewer, CAN_COPY) && !updating(viewer) &&
				   viewer->width == viewer->screen->width &&
				   viewer->height == viewer->screen->height;
	return more;
}
