// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Displays know roughly where they have drawn: a page, a few lines. Here each tile's part of each
 * line has a hash of 64 bits, taken anew where the display has drawn and compared with the one
 * before; a tile is dirty when one of its lines differs. A guest that makes two pictures with equal
 * hashes deceives those who look at its own screen, and nobody else.
 *
 * From the hashes of whole lines follows, too, whether lines have moved. A few lines that differ
 * from their neighbours are looked for at each distance; where most are found, all are compared, and
 * the longest run of lines that agree becomes a move. What is dirty after it is what such a move
 * does not explain.
 */
#include "screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"

#define MOVE_MAX 256u /* lines */
#define MOVE_SAMPLES 16u
/* A move must explain so much of the picture to be worth the trouble. */
#define MOVE_SHARE 3u

static uint32_t columns_of(uint32_t width)
{
	return (width + SCREEN_TILE_WIDTH - 1) / SCREEN_TILE_WIDTH;
}

static uint32_t rows_of(uint32_t height)
{
	return (height + SCREEN_TILE_HEIGHT - 1) / SCREEN_TILE_HEIGHT;
}

/* --- sets of tiles */

bool screen_tiles_any(const struct screen_tiles *tiles)
{
	for (uint32_t row = 0; row < SCREEN_ROWS_MAX; row++) {
		if (tiles->rows[row])
			return true;
	}
	return false;
}

void screen_tiles_add(struct screen_tiles *tiles, const struct screen_tiles *more)
{
	for (uint32_t row = 0; row < SCREEN_ROWS_MAX; row++)
		tiles->rows[row] |= more->rows[row];
}

static uint32_t count_tiles(const struct screen_tiles *tiles)
{
	uint32_t count = 0;

	for (uint32_t row = 0; row < SCREEN_ROWS_MAX; row++)
		count += (uint32_t)__builtin_popcount(tiles->rows[row]);
	return count;
}

void screen_tiles_fill(struct screen_tiles *tiles, const struct screen *screen,
		       const struct display_rect *rect)
{
	const uint64_t right = min_u64((uint64_t)rect->x + rect->width, screen->width);
	const uint64_t bottom = min_u64((uint64_t)rect->y + rect->height, screen->height);
	uint32_t first, mask;

	if (rect->x >= right || rect->y >= bottom)
		return;
	first = rect->x / SCREEN_TILE_WIDTH;
	mask = mask32(columns_of((uint32_t)right)) & ~mask32(first);
	for (uint32_t row = rect->y / SCREEN_TILE_HEIGHT; row < rows_of((uint32_t)bottom); row++)
		tiles->rows[row] |= mask;
}

bool screen_tiles_take(struct screen_tiles *tiles, uint32_t width, uint32_t height,
		       uint32_t pixels_max, struct display_rect *ret_rect)
{
	uint32_t row = 0, first, count, rows = 1, run;

	while (row < SCREEN_ROWS_MAX && !tiles->rows[row])
		row++;
	if (row >= rows_of(height))
		return false;
	first = (uint32_t)__builtin_ctz(tiles->rows[row]);
	run = tiles->rows[row] >> first;
	count = run == UINT32_MAX ? 32 : (uint32_t)__builtin_ctz(~run);
	count = (uint32_t)min_u64(count, pixels_max / (SCREEN_TILE_WIDTH * SCREEN_TILE_HEIGHT));
	run = mask32(count) << first;
	while (row + rows < rows_of(height) && (tiles->rows[row + rows] & run) == run &&
	       (rows + 1) * count * SCREEN_TILE_WIDTH * SCREEN_TILE_HEIGHT <= pixels_max)
		rows++;
	for (uint32_t i = 0; i < rows; i++)
		tiles->rows[row + i] &= ~run;
	ret_rect->x = first * SCREEN_TILE_WIDTH;
	ret_rect->y = row * SCREEN_TILE_HEIGHT;
	ret_rect->width = count * SCREEN_TILE_WIDTH;
	ret_rect->height = rows * SCREEN_TILE_HEIGHT;
	/* A set that is older than the size may have tiles beyond it. */
	if (ret_rect->x >= width)
		return screen_tiles_take(tiles, width, height, pixels_max, ret_rect);
	ret_rect->width = (uint32_t)min_u64(ret_rect->width, width - ret_rect->x);
	ret_rect->height = (uint32_t)min_u64(ret_rect->height, height - ret_rect->y);
	return true;
}

/* --- the picture */

void screen_init(struct screen *screen)
{
	memset(screen, 0, sizeof(*screen));
}

void screen_fini(struct screen *screen)
{
	free(screen->pixels);
	free(screen->now);
	free(screen->before);
	screen_init(screen);
}

void screen_watch_anew(const struct screen *screen, struct screen_watcher *watcher)
{
	const struct display_rect all = { 0, 0, screen->width, screen->height };

	memset(&watcher->dirty, 0, sizeof(watcher->dirty));
	memset(&watcher->move, 0, sizeof(watcher->move));
	screen_tiles_fill(&watcher->dirty, screen, &all);
}

int screen_resize(struct screen *screen, uint32_t width, uint32_t height)
{
	const size_t hashes = (size_t)columns_of(width) * height;
	uint32_t *pixels;
	uint64_t *now, *before;

	if (!width || !height || width > DISPLAY_WIDTH_MAX || height > DISPLAY_HEIGHT_MAX)
		return -EINVAL;
	pixels = calloc((size_t)width * height, sizeof(*pixels));
	now = calloc(hashes, sizeof(*now));
	before = calloc(hashes, sizeof(*before));
	if (!pixels || !now || !before) {
		free(pixels);
		free(now);
		free(before);
		return -ENOMEM;
	}
	free(screen->pixels);
	free(screen->now);
	free(screen->before);
	screen->pixels = pixels;
	screen->now = now;
	screen->before = before;
	screen->width = width;
	screen->height = height;
	screen->generation++;
	memset(&screen->touched, 0, sizeof(screen->touched));
	screen_damage(screen, 0, 0, width, height);
	for (struct screen_watcher *watcher = screen->watchers; watcher; watcher = watcher->next)
		screen_watch_anew(screen, watcher);
	return 0;
}

void screen_damage(struct screen *screen, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	const struct display_rect rect = { x, y, width, height };

	screen_tiles_fill(&screen->touched, screen, &rect);
}

void screen_copy_line(const struct screen *screen, uint32_t x, uint32_t y, uint32_t count,
		      uint32_t *ret_pixels)
{
	uint32_t there = 0;

	if (y < screen->height && x < screen->width)
		there = (uint32_t)min_u64(count, screen->width - x);
	if (there)
		memcpy(ret_pixels, screen->pixels + (size_t)y * screen->width + x,
		       there * sizeof(*ret_pixels));
	memset(ret_pixels + there, 0, (count - there) * sizeof(*ret_pixels));
}

/* --- finding out what has changed */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Four pixels at a time, in two lanes that do not wait for each other. */
static uint64_t hash_pixels(const uint32_t *pixels, uint32_t count)
{
	uint64_t a = 1, b = 2, value[2];

	for (; count >= 4; count -= 4, pixels += 4) {
		memcpy(value, pixels, sizeof(value));
		a = mix(a, value[0]);
		b = mix(b, value[1]);
	}
	while (count--)
		a = mix(a, *pixels++);
	return mix(a, b);
}

/* Takes a tile's hashes anew; true when one is another than before. */
static bool hash_tile(struct screen *screen, uint32_t row, uint32_t column)
{
	const uint32_t columns = columns_of(screen->width);
	const uint32_t x = column * SCREEN_TILE_WIDTH;
	const uint32_t count = (uint32_t)min_u64(SCREEN_TILE_WIDTH, screen->width - x);
	const uint32_t first = row * SCREEN_TILE_HEIGHT;
	const uint32_t end = (uint32_t)min_u64(first + SCREEN_TILE_HEIGHT, screen->height);
	bool changed = false;

	for (uint32_t y = first; y < end; y++) {
		uint64_t *hash = &screen->now[(size_t)y * columns + column];
		uint64_t new = hash_pixels(screen->pixels + (size_t)y * screen->width + x, count);

		changed |= *hash != new;
		*hash = new;
	}
	return changed;
}

static bool same_line(const struct screen *screen, uint32_t now, uint32_t before)
{
	const uint32_t columns = columns_of(screen->width);

	return !memcmp(screen->now + (size_t)now * columns,
		       screen->before + (size_t)before * columns, columns * sizeof(uint64_t));
}

/* Whether a line looked different from the one above it. */
static bool stood_out(const struct screen *screen, uint32_t y)
{
	const uint32_t columns = columns_of(screen->width);

	return memcmp(screen->before + (size_t)y * columns,
		      screen->before + (size_t)(y - 1) * columns, columns * sizeof(uint64_t));
}

/* The longest run of lines that were @from lines away before. */
static struct screen_move longest_run(const struct screen *screen, int32_t from)
{
	struct screen_move best = { .from = from };
	uint32_t run = 0;

	for (uint32_t y = 0; y < screen->height; y++) {
		const int64_t source = (int64_t)y + from;

		run = source >= 0 && source < screen->height &&
				      same_line(screen, y, (uint32_t)source)
			      ? run + 1
			      : 0;
		if (run > best.height) {
			best.height = run;
			best.y = y + 1 - run;
		}
	}
	return best;
}

/* Whether most of the sample lines are now @from lines above where they were. */
static bool samples_agree(const struct screen *screen, const uint32_t *samples, uint32_t count,
			  int32_t from)
{
	uint32_t inside = 0, found = 0;

	for (uint32_t i = 0; i < count; i++) {
		const int64_t y = (int64_t)samples[i] - from;

		if (y < 0 || y >= screen->height)
			continue;
		inside++;
		found += same_line(screen, (uint32_t)y, samples[i]);
	}
	return inside >= count / 2 && found * 4 >= inside * 3;
}

/* height 0 when lines have not moved. */
static struct screen_move find_move(const struct screen *screen)
{
	const int32_t max = (int32_t)min_u64(MOVE_MAX, screen->height / 2);
	struct screen_move best = { 0 };
	uint32_t samples[MOVE_SAMPLES], count = 0;

	for (uint32_t i = 1; i <= MOVE_SAMPLES; i++) {
		uint32_t y = screen->height * i / (MOVE_SAMPLES + 1);
		const uint32_t end = screen->height * (i + 1) / (MOVE_SAMPLES + 1);

		while (y < end && (!y || !stood_out(screen, y)))
			y++;
		if (y < end)
			samples[count++] = y;
	}
	if (count < MOVE_SAMPLES / 4)
		return best;
	for (int32_t from = -max; from <= max; from++) {
		struct screen_move move;

		if (!from || !samples_agree(screen, samples, count, from))
			continue;
		move = longest_run(screen, from);
		if (move.height > best.height)
			best = move;
	}
	if (best.height < screen->height / MOVE_SHARE)
		best.height = 0;
	return best;
}

/* The tiles that show something else than @move has left there. */
static void tiles_after_move(const struct screen *screen, const struct screen_move *move,
			     struct screen_tiles *ret_tiles)
{
	const uint32_t columns = columns_of(screen->width);

	memset(ret_tiles, 0, sizeof(*ret_tiles));
	for (uint32_t y = 0; y < screen->height; y++) {
		const bool moved = y - move->y < move->height;
		const uint32_t source = moved ? (uint32_t)((int32_t)y + move->from) : y;
		const uint64_t *now = screen->now + (size_t)y * columns;
		const uint64_t *before = screen->before + (size_t)source * columns;

		for (uint32_t column = 0; column < columns; column++) {
			if (now[column] != before[column])
				ret_tiles->rows[y / SCREEN_TILE_HEIGHT] |= BIT(column);
		}
	}
}

static void tell(struct screen *screen, const struct screen_tiles *changed,
		 const struct screen_move *move)
{
	struct screen_tiles rest;

	if (move->height)
		tiles_after_move(screen, move, &rest);
	for (struct screen_watcher *watcher = screen->watchers; watcher; watcher = watcher->next) {
		if (move->height && watcher->can_move && !watcher->move.height &&
		    !screen_tiles_any(&watcher->dirty)) {
			watcher->move = *move;
			watcher->dirty = rest;
		} else {
			screen_tiles_add(&watcher->dirty, changed);
		}
	}
}

bool screen_publish(struct screen *screen)
{
	const uint32_t columns = columns_of(screen->width), rows = rows_of(screen->height);
	struct screen_tiles changed = { 0 };
	struct screen_move move = { 0 };

	for (uint32_t row = 0; row < rows; row++) {
		for (uint32_t bits = screen->touched.rows[row]; bits; bits &= bits - 1) {
			const uint32_t column = (uint32_t)__builtin_ctz(bits);

			if (hash_tile(screen, row, column))
				changed.rows[row] |= BIT(column);
		}
		screen->touched.rows[row] = 0;
	}
	if (!screen_tiles_any(&changed))
		return false;
	screen->generation++;
	if (screen->watchers && count_tiles(&changed) >= columns * rows / 4)
		move = find_move(screen);
	tell(screen, &changed, &move);
	for (uint32_t row = 0; row < rows; row++) {
		const uint32_t first = row * SCREEN_TILE_HEIGHT;
		const uint32_t end = (uint32_t)min_u64(first + SCREEN_TILE_HEIGHT, screen->height);

		if (changed.rows[row])
			memcpy(screen->before + (size_t)first * columns,
			       screen->now + (size_t)first * columns,
			       (size_t)(end - first) * columns * sizeof(uint64_t));
	}
	return true;
}

/* --- watchers */

void screen_watch(struct screen *screen, struct screen_watcher *watcher)
{
	screen_watch_anew(screen, watcher);
	watcher->next = screen->watchers;
	screen->watchers = watcher;
}

void screen_unwatch(struct screen *screen, struct screen_watcher *watcher)
{
	for (struct screen_watcher **link = &screen->watchers; *link; link = &(*link)->next) {
		if (*link == watcher) {
			*link = watcher->next;
			return;
		}
	}
}
