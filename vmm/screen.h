/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine's display shows: a copy of its picture, and which parts of it have changed since
 * each of those who look at it (struct screen_watcher) last took note.
 *
 * The picture is pulled: whoever wants a fresh one lets the display draw into @pixels, says with
 * screen_damage() where it may have drawn, and calls screen_publish(), which finds out by itself
 * what has really changed, and whether lines have moved up or down as a whole. Nobody looks:
 * nothing is done. Only the loop thread uses a screen; it needs the machine lock only while the
 * display draws.
 */
#ifndef VMM_SCREEN_H
#define VMM_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../devmodel/display.h"

/* What changes is counted in tiles: a letter is not much less than one. */
#define SCREEN_TILE_WIDTH 64u
#define SCREEN_TILE_HEIGHT 16u
#define SCREEN_COLUMNS_MAX (DISPLAY_WIDTH_MAX / SCREEN_TILE_WIDTH)
#define SCREEN_ROWS_MAX (DISPLAY_HEIGHT_MAX / SCREEN_TILE_HEIGHT)

/* A set of tiles: a word for each row of them, bit 0 its leftmost. */
struct screen_tiles {
	uint32_t rows[SCREEN_ROWS_MAX];
};

/* Lines from @y to @y + @height - 1 were @from lines further down; up when negative. */
struct screen_move {
	uint32_t y, height;
	int32_t from;
};

struct screen_watcher {
	struct screen_watcher *next;
	/* What has changed since this was last cleared, after @move where @move.height is not 0. */
	struct screen_tiles dirty;
	struct screen_move move;
	/* The watcher's: it shows @dirty's complement exactly, and could move lines by itself. */
	bool can_move;
};

struct screen {
	uint32_t width, height; /* 0: no picture yet */
	uint32_t *pixels;	/* 00RRGGBBh, lines of @width */
	uint64_t generation;	/* counts the changes of the picture */
	struct screen_tiles touched;
	/* A hash for each tile's part of each line, now and at the previous publishing. */
	uint64_t *now, *before;
	struct screen_watcher *watchers;
};

void screen_init(struct screen *screen);
void screen_fini(struct screen *screen);

/*
 * Gives the picture another size; it is black, and all of it touched. 0, -EINVAL for a size of
 * nothing or beyond the limits, or -ENOMEM: the picture is as it was.
 */
int screen_resize(struct screen *screen, uint32_t width, uint32_t height);

/* Says that the display may have drawn there; what lies outside of the picture is ignored. */
void screen_damage(struct screen *screen, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
/* Tells the watchers what has changed where it was damaged; true when anything has. */
bool screen_publish(struct screen *screen);

/* A new watcher has seen nothing yet: all is dirty. */
void screen_watch(struct screen *screen, struct screen_watcher *watcher);
void screen_unwatch(struct screen *screen, struct screen_watcher *watcher);
/* The same again: everything is dirty, nothing has moved. */
void screen_watch_anew(const struct screen *screen, struct screen_watcher *watcher);

bool screen_tiles_any(const struct screen_tiles *tiles);
void screen_tiles_add(struct screen_tiles *tiles, const struct screen_tiles *more);
/* All tiles of @rect, cut to a picture of that size. */
void screen_tiles_fill(struct screen_tiles *tiles, const struct screen *screen,
		       const struct display_rect *rect);
/*
 * Takes a rectangle of at most @pixels_max (at least a tile's) out of @tiles, upper ones first,
 * cut to a picture of @width by @height. False when there is none.
 */
bool screen_tiles_take(struct screen_tiles *tiles, uint32_t width, uint32_t height,
		       uint32_t pixels_max, struct display_rect *ret_rect);

/* Copies a line's part; black where the picture does not reach (it may have shrunk since). */
void screen_copy_line(const struct screen *screen, uint32_t x, uint32_t y, uint32_t count,
		      uint32_t *ret_pixels);

#endif
