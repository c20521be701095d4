// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the engine draws.
 *
 * Theory of operation
 *
 * One pixel pipeline serves all commands: clip, choose a mix and its source, compare colours, mix,
 * mask, store. It is written once, for a pixel of any size, and compiled for each. Two cases that make
 * up most of a desktop's work leave it: rectangles of one colour and plain copies. With a constant
 * source every one of the 16 mixes, write mask included, is d = (d & a) ^ b, so a rectangle is a run of
 * such words, and one that does not depend on what was there is only stored.
 *
 * Coordinates have 13 bits of two's complement and wrap; scissors lie within 0 to 4095, so what is
 * negative is not drawn. Whatever the registers say, addresses are masked to the memory, and a command
 * touches at most 4096 x 4096 pixels.
 *
 * Not emulated: polygon fills (commands 3 and 11), which no driver in an old system's box uses.
 */
#include <string.h>

#include "s3_pixel.h"

enum command {
	COMMAND_STROKES = 0,
	COMMAND_LINE = 1,
	COMMAND_RECTANGLE = 2,
	COMMAND_POLYLINE = 5,
	COMMAND_BLIT = 6,
	COMMAND_PATTERN = 7,
	COMMAND_TWO_POINTS = 9,
};

#define PATTERN_SIZE 8

/* --- registers */

static uint32_t base_of(unsigned int misc2, unsigned int misc)
{
	/* In MiB; the newer register counts when it says anything. */
	return ((misc2 & 7 ? misc2 : misc) & 3) << 20;
}

void s3_draw_prepare(const struct s3_engine *engine, struct draw *draw)
{
	const struct s3_engine_state *s = engine->s;
	unsigned int misc = s->multifunc[S3_MULT_MISC], misc2 = s->multifunc[S3_MULT_MISC2];

	*draw = (struct draw){
		.bytes = engine->memory->bytes,
		.mask = engine->memory->size - 1,
		.pitch = engine->pitch,
		.to_base = base_of(misc2, misc) / engine->bytes,
		.from_base = base_of(misc2 >> 4, misc >> 2) / engine->bytes,
		.left = s->multifunc[S3_SCISSORS_L],
		.top = s->multifunc[S3_SCISSORS_T],
		.right = s->multifunc[S3_SCISSORS_R],
		.bottom = s->multifunc[S3_SCISSORS_B],
		.outside = misc & MISC_CLIP_OUTSIDE,
		.compare = misc & MISC_COMPARE,
		.compare_equal = misc & MISC_COMPARE_EQUAL,
		.depth_mask = mask32(8u * engine->bytes),
		.bkgd = s->color[S3_BKGD_COLOR],
		.frgd = s->color[S3_FRGD_COLOR],
		.bkgd_mix = s->reg[S3_BKGD_MIX],
		.frgd_mix = s->reg[S3_FRGD_MIX],
		.select = s->multifunc[S3_PIX_CNTL] >> 6 & 3,
		.cmd = s->reg[S3_CMD],
	};
	draw->color_cmp = s->color[S3_COLOR_CMP] & draw->depth_mask;
	draw->rd_mask = s->color[S3_RD_MASK] & draw->depth_mask;
	draw->wrt_mask = s->color[S3_WRT_MASK] & draw->depth_mask;
	if (draw->cmd & CMD_ACROSS)
		draw->select = SELECT_CPU;
}

/* --- damage */

void s3_draw_mark(const struct s3_engine *engine, const struct draw *draw, int32_t x, int32_t y,
		  int32_t width, int32_t rows)
{
	uint32_t bytes = engine->bytes, line = draw->pitch * bytes;
	uint32_t first =
		(draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)x) * bytes & draw->mask;
	uint64_t all = (uint64_t)line * (uint32_t)(rows - 1) + (uint64_t)width * bytes;

	/* Each page has a line at least: what lies between the rows marks no more of them. */
	if (line <= DISPLAY_PAGE_BYTES && all <= draw->mask + 1 - first) {
		display_mark_dirty(engine->memory, first, (uint32_t)all);
		return;
	}
	for (int32_t row = 0; row < rows; row++) {
		uint32_t pixel = draw->to_base + (uint32_t)(y + row) * draw->pitch + (uint32_t)x;
		uint32_t at = pixel * bytes & draw->mask, size = (uint32_t)width * bytes;

		if (size > draw->mask + 1 - at) {
			display_mark_dirty(engine->memory, 0, draw->mask + 1);
			return;
		}
		display_mark_dirty(engine->memory, at, size);
	}
}

struct area {
	int32_t x, y, width, height; /* top left corner */
};

/* The part within the scissors, or when drawing is outside of them, within the plane. */
static bool clip(const struct draw *draw, struct area *area)
{
	int32_t left = draw->outside ? 0 : draw->left, top = draw->outside ? 0 : draw->top;
	int32_t right = draw->outside ? 4095 : draw->right;
	int32_t bottom = draw->outside ? 4095 : draw->bottom;
	int32_t last_x = area->x + area->width - 1, last_y = area->y + area->height - 1;

	if (area->x > left)
		left = area->x;
	if (area->y > top)
		top = area->y;
	if (last_x < right)
		right = last_x;
	if (last_y < bottom)
		bottom = last_y;
	*area = (struct area){ left, top, right - left + 1, bottom - top + 1 };
	return area->width > 0 && area->height > 0;
}

/* --- constant source: d = (d & keep) ^ flip */

/* @size is not 0. */
static void fill_words(uint8_t *to, uint32_t size, uint64_t word)
{
	uint32_t done = (uint32_t)min_u64(size, sizeof(word));

	memcpy(to, &word, done);
	while (done < size) {
		uint32_t part = (uint32_t)min_u64(done, size - done);

		memcpy(to + done, to, part);
		done += part;
	}
}

static void constant_words(uint8_t *to, uint32_t size, uint64_t keep, uint64_t flip)
{
	uint64_t word;

	for (; size >= sizeof(word); size -= 8, to += 8) {
		memcpy(&word, to, sizeof(word));
		word = (word & keep) ^ flip;
		memcpy(to, &word, sizeof(word));
	}
	memcpy(&word, to, size);
	word = (word & keep) ^ flip;
	memcpy(to, &word, size);
}

static uint64_t repeat(uint32_t value, unsigned int bytes)
{
	uint64_t word = value & mask32(8 * bytes);

	for (unsigned int size = bytes; size < 8; size *= 2)
		word |= word << (8 * size);
	return word;
}

/* @area's lines as bytes of the memory, which begin at pixel @base. False: they go over its end. */
struct lines {
	uint32_t at, size, pitch, count;
};

static bool lines_of(const struct draw *draw, const struct area *area, uint32_t base,
		     unsigned int bytes, struct lines *ret)
{
	uint32_t pixel = base + (uint32_t)area->y * draw->pitch + (uint32_t)area->x;

	*ret = (struct lines){
		.at = pixel * bytes & draw->mask,
		.size = (uint32_t)area->width * bytes,
		.pitch = draw->pitch * bytes,
		.count = (uint32_t)area->height,
	};
	return (uint64_t)ret->pitch * (ret->count - 1) + ret->size <= draw->mask + 1 - ret->at;
}

/* False: this rectangle must go pixel by pixel. */
static bool fill_constant(const struct s3_engine *engine, const struct draw *draw, struct area area)
{
	unsigned int how = draw->frgd_mix, bytes = engine->bytes;
	uint32_t source = how >> 5 & 1 ? draw->frgd : draw->bkgd, low, high;
	uint8_t *to = draw->bytes;
	uint64_t keep, flip;
	struct lines lines;
	bool equal;

	if (bytes == 3 || (how >> 5 & 3) > MIX_COLOR_FRGD || draw->outside || draw->compare ||
	    !lines_of(draw, &area, draw->to_base, bytes, &lines))
		return false;
	low = mix(how, source, 0);
	high = mix(how, source, UINT32_MAX);
	keep = repeat(((low ^ high) & draw->wrt_mask) | ~draw->wrt_mask, bytes);
	flip = repeat(low & draw->wrt_mask, bytes);
	/* Lines without a gap are one. */
	if (lines.size == lines.pitch) {
		lines.size *= lines.count;
		lines.count = 1;
	}
	equal = !keep && flip == (flip & 0xff) * UINT64_C(0x0101010101010101);
	to += lines.at;
	for (uint32_t i = 0; i < lines.count; i++, to += lines.pitch) {
		if (equal) /* the C library has stores for all lengths */
			memset(to, (int)(flip & 0xff), lines.size);
		else if (keep)
			constant_words(to, lines.size, keep, flip);
		else
			fill_words(to, lines.size, flip);
	}
	return true;
}

/* --- rectangles */

struct walk {
	int32_t x, y, step_x, step_y; /* start, and where it goes */
	int32_t width, height;
};

static struct walk walk_of(const struct s3_engine *engine, int32_t x, int32_t y)
{
	const struct s3_engine_state *s = engine->s;
	uint32_t cmd = s->reg[S3_CMD];

	return (struct walk){
		.x = x,
		.y = y,
		.step_x = cmd & CMD_INC_X ? 1 : -1,
		.step_y = cmd & CMD_INC_Y ? 1 : -1,
		.width = (s->reg[S3_MAJ_AXIS_PCNT] & 0xfff) + 1,
		.height = (s->multifunc[S3_MIN_AXIS_PCNT] & 0xfff) + 1,
	};
}

static struct area area_of(const struct walk *walk)
{
	return (struct area){
		.x = walk->step_x > 0 ? walk->x : walk->x - walk->width + 1,
		.y = walk->step_y > 0 ? walk->y : walk->y - walk->height + 1,
		.width = walk->width,
		.height = walk->height,
	};
}

PIPELINE void rectangle_pixels(const struct draw *draw, const struct area *area, unsigned int bytes)
{
	for (int32_t y = area->y; y < area->y + area->height; y++) {
		for (int32_t x = area->x; x < area->x + area->width; x++) {
			uint32_t pixel = draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)x;
			uint32_t vram = load(draw, pixel, bytes);

			put(draw, x, y, selects_frgd(draw, true, vram), 0, vram, bytes);
		}
	}
}

void s3_draw_set_position(struct s3_engine *engine, int32_t x, int32_t y)
{
	engine->s->reg[S3_CUR_X] = (uint16_t)(x & 0x1fff);
	engine->s->reg[S3_CUR_Y] = (uint16_t)(y & 0x1fff);
}

static void draw_rectangle(struct s3_engine *engine, const struct draw *draw)
{
	struct walk walk = walk_of(engine, coordinate(engine->s->reg[S3_CUR_X]),
				   coordinate(engine->s->reg[S3_CUR_Y]));
	struct area area = area_of(&walk);

	if ((draw->cmd & CMD_DRAW) && clip(draw, &area)) {
		if (draw->select == SELECT_VRAM || !fill_constant(engine, draw, area))
			BY_DEPTH(engine, rectangle_pixels, draw, &area);
		s3_draw_mark(engine, draw, area.x, area.y, area.width, area.height);
	}
	s3_draw_set_position(engine, walk.x, walk.y + walk.step_y * walk.height);
}

/* --- copies */

/* Lines as a whole, when nothing but the place differs. False: pixel by pixel. */
static bool copy_plain(const struct s3_engine *engine, const struct draw *draw,
		       const struct walk *walk, int32_t from_x, int32_t from_y)
{
	struct area area = area_of(walk), source;
	int32_t move_x = from_x - walk->x, move_y = from_y - walk->y;
	uint8_t *to = draw->bytes, *from = draw->bytes;
	struct lines lines, source_lines;
	intptr_t step;

	if ((draw->frgd_mix & 0x6f) != (MIX_COLOR_VRAM << 5 | 7) || draw->select == SELECT_VRAM ||
	    draw->outside || draw->compare || draw->wrt_mask != draw->depth_mask)
		return false;
	if (area.x + move_x < -0x1000 || area.y + move_y < -0x1000 ||
	    area.x + move_x + area.width > 0x1000 || area.y + move_y + area.height > 0x1000)
		return false;
	/* Within one line a copy towards itself would repeat pixels. */
	if (move_y == 0 && draw->from_base == draw->to_base && move_x * walk->step_x < 0)
		return false;
	if (!clip(draw, &area))
		return true;
	source = area;
	source.x += move_x;
	source.y += move_y;
	if (!lines_of(draw, &area, draw->to_base, engine->bytes, &lines) ||
	    !lines_of(draw, &source, draw->from_base, engine->bytes, &source_lines))
		return false;
	to += lines.at;
	from += source_lines.at;
	step = (intptr_t)lines.pitch;
	if (walk->step_y < 0) {
		to += step * (area.height - 1);
		from += step * (area.height - 1);
		step = -step;
	}
	for (int32_t i = 0; i < area.height; i++, to += step, from += step)
		memmove(to, from, lines.size);
	s3_draw_mark(engine, draw, area.x, area.y, area.width, area.height);
	return true;
}

/* In the order of the walk: source and destination may overlap. */
PIPELINE void copy_pixels(const struct draw *draw, const struct walk *to, int32_t from_x,
			  int32_t from_y, bool pattern, unsigned int bytes)
{
	for (int32_t row = 0; row < to->height; row++) {
		int32_t y = coordinate((uint32_t)(to->y + row * to->step_y));
		int32_t sy = pattern ? from_y : coordinate((uint32_t)(from_y + row * to->step_y));

		for (int32_t column = 0; column < to->width; column++) {
			int32_t x = coordinate((uint32_t)(to->x + column * to->step_x));
			int32_t sx = coordinate((uint32_t)(from_x + column * to->step_x));
			uint32_t vram;

			/* A pattern is 64 pixels in a row: eight lines of eight. */
			if (pattern)
				sx = from_x + (y & 7) * PATTERN_SIZE + (x & 7);
			vram = load(draw,
				    draw->from_base + (uint32_t)sy * draw->pitch + (uint32_t)sx,
				    bytes);
			put(draw, x, y, selects_frgd(draw, true, vram), 0, vram, bytes);
		}
	}
}

static void draw_copy(struct s3_engine *engine, const struct draw *draw, bool pattern)
{
	const struct s3_engine_state *s = engine->s;
	struct walk walk = walk_of(engine, coordinate(s->reg[S3_DESTX_DIASTP]),
				   coordinate(s->reg[S3_DESTY_AXSTP]));
	int32_t from_x = coordinate(s->reg[S3_CUR_X]), from_y = coordinate(s->reg[S3_CUR_Y]);
	struct area area = area_of(&walk);

	if (!(draw->cmd & CMD_DRAW))
		return;
	if (!pattern && copy_plain(engine, draw, &walk, from_x, from_y))
		return;
	BY_DEPTH(engine, copy_pixels, draw, &walk, from_x, from_y, pattern);
	if (clip(draw, &area))
		s3_draw_mark(engine, draw, area.x, area.y, area.width, area.height);
}

/* --- lines */

static const int8_t direction_x[8] = { 1, 1, 0, -1, -1, -1, 0, 1 };
static const int8_t direction_y[8] = { 0, -1, -1, -1, 0, 1, 1, 1 };

PIPELINE void line_pixel(const struct draw *draw, int32_t x, int32_t y, bool cpu,
			 unsigned int bytes)
{
	uint32_t vram = 0;

	if (x >= 0 && y >= 0)
		vram = load(draw, draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)x, bytes);
	put(draw, x, y, selects_frgd(draw, cpu, vram), 0, vram, bytes);
}

static void plot(const struct s3_engine *engine, const struct draw *draw, int32_t x, int32_t y,
		 bool cpu)
{
	BY_DEPTH(engine, line_pixel, draw, x, y, cpu);
	if (visible(draw, x, y))
		s3_draw_mark(engine, draw, x, y, 1, 1);
}

void s3_draw_line_step(struct s3_engine *engine, uint32_t cmd, int32_t *x, int32_t *y,
		       int32_t *error)
{
	int32_t step_x = cmd & CMD_INC_X ? 1 : -1, step_y = cmd & CMD_INC_Y ? 1 : -1;

	if (cmd & CMD_RADIAL) {
		step_x = direction_x[cmd >> 5 & 7];
		step_y = direction_y[cmd >> 5 & 7];
	} else if (*error >= 0) {
		*error = term((uint32_t)(*error + term(engine->s->reg[S3_DESTX_DIASTP])));
	} else {
		*error = term((uint32_t)(*error + term(engine->s->reg[S3_DESTY_AXSTP])));
		if (cmd & CMD_Y_MAJOR)
			step_x = 0;
		else
			step_y = 0;
	}
	*x = coordinate((uint32_t)(*x + step_x));
	*y = coordinate((uint32_t)(*y + step_y));
}

static void draw_line(struct s3_engine *engine, const struct draw *draw)
{
	struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->reg[S3_CUR_X]), y = coordinate(s->reg[S3_CUR_Y]);
	int32_t error = term(s->reg[S3_ERR_TERM]);

	for (int32_t left = s->reg[S3_MAJ_AXIS_PCNT] & 0xfff;; left--) {
		if (left || !(draw->cmd & CMD_LAST_OFF))
			plot(engine, draw, x, y, true);
		if (!left)
			break;
		s3_draw_line_step(engine, draw->cmd, &x, &y, &error);
	}
	s3_draw_set_position(engine, x, y);
	s->reg[S3_ERR_TERM] = (uint16_t)(error & 0x3fff);
}

/* From the present position to the destination; the next one goes on there. */
static void draw_to_point(struct s3_engine *engine, const struct draw *draw)
{
	struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->reg[S3_CUR_X]), y = coordinate(s->reg[S3_CUR_Y]);
	int32_t to_x = coordinate(s->reg[S3_DESTX_DIASTP]);
	int32_t to_y = coordinate(s->reg[S3_DESTY_AXSTP]);
	int32_t dx = to_x > x ? to_x - x : x - to_x, dy = to_y > y ? to_y - y : y - to_y;
	int32_t step_x = to_x > x ? 1 : -1, step_y = to_y > y ? 1 : -1;
	int32_t major = dx > dy ? dx : dy, minor = dx > dy ? dy : dx, error = major / 2;

	for (int32_t left = major;; left--) {
		if (left || !(draw->cmd & CMD_LAST_OFF))
			plot(engine, draw, x, y, true);
		if (!left)
			break;
		error -= minor;
		if (dx > dy || error < 0)
			x += step_x;
		if (dx <= dy || error < 0)
			y += step_y;
		if (error < 0)
			error += major;
	}
	s3_draw_set_position(engine, to_x, to_y);
}

void s3_draw_stroke(struct s3_engine *engine, uint8_t stroke)
{
	struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->reg[S3_CUR_X]), y = coordinate(s->reg[S3_CUR_Y]);
	struct draw draw;

	s3_draw_prepare(engine, &draw);
	if (!(stroke & CMD_DRAW))
		draw.cmd &= ~CMD_DRAW;
	for (unsigned int left = stroke & 15u;; left--) {
		if (left || !(draw.cmd & CMD_LAST_OFF))
			plot(engine, &draw, x, y, true);
		if (!left)
			break;
		x = coordinate((uint32_t)(x + direction_x[stroke >> 5]));
		y = coordinate((uint32_t)(y + direction_y[stroke >> 5]));
	}
	s3_draw_set_position(engine, x, y);
}

/* --- commands */

static void wait_for_data(struct s3_engine *engine, enum s3_engine_phase phase)
{
	struct s3_engine_state *s = engine->s;
	bool blit = phase == S3_BLIT_DATA;

	s->phase = (uint8_t)phase;
	s->data_count = 0;
	s->pixel_count = 0;
	s->at_x = s->reg[blit ? S3_DESTX_DIASTP : S3_CUR_X];
	s->at_y = s->reg[blit ? S3_DESTY_AXSTP : S3_CUR_Y];
	s->from_x = s->reg[S3_CUR_X];
	s->from_y = s->reg[S3_CUR_Y];
	s->left = s->reg[S3_MAJ_AXIS_PCNT] & 0xfff;
	s->rows_left = phase == S3_LINE_DATA ? 0 : s->multifunc[S3_MIN_AXIS_PCNT] & 0xfff;
	s->error = s->reg[S3_ERR_TERM];
}

void s3_draw_command(struct s3_engine *engine)
{
	uint32_t cmd = engine->s->reg[S3_CMD];
	unsigned int command = cmd >> 13 | (cmd >> 11 & 1) << 3;
	struct draw draw;

	s3_draw_prepare(engine, &draw);
	engine->s->phase = S3_IDLE;
	engine->s->data_count = 0;
	switch (command) {
	case COMMAND_LINE:
		if (cmd & CMD_WAIT)
			wait_for_data(engine, S3_LINE_DATA);
		else
			draw_line(engine, &draw);
		break;
	case COMMAND_RECTANGLE:
		if (cmd & CMD_WAIT)
			wait_for_data(engine, S3_RECTANGLE_DATA);
		else
			draw_rectangle(engine, &draw);
		break;
	case COMMAND_BLIT:
		if ((cmd & CMD_WAIT) && draw.select == SELECT_CPU)
			wait_for_data(engine, S3_BLIT_DATA);
		else
			draw_copy(engine, &draw, false);
		break;
	case COMMAND_PATTERN:
		draw_copy(engine, &draw, true);
		break;
	case COMMAND_POLYLINE:
	case COMMAND_TWO_POINTS:
		draw_to_point(engine, &draw);
		break;
	default: /* strokes are drawn by their own register */
		break;
	}
}
