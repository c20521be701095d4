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
 * such words, and one that does not depend on what was there is one row that is copied.
 *
 * Coordinates have 13 bits of two's complement and wrap; scissors lie within 0 to 4095, so what is
 * negative is not drawn. Whatever the registers say, addresses are masked to the memory, and a command
 * touches at most 4096 x 4096 pixels.
 *
 * Not emulated: polygon fills (commands 3 and 11), which no driver in an old system's box uses.
 */
#include "s3_engine.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define CMD_ACROSS 0x0002u /* data of the processor chooses the mix, whatever PIX_CNTL says */
#define CMD_LAST_OFF 0x0004u
#define CMD_RADIAL 0x0008u
#define CMD_DRAW 0x0010u
#define CMD_INC_X 0x0020u
#define CMD_Y_MAJOR 0x0040u
#define CMD_INC_Y 0x0080u
#define CMD_WAIT 0x0100u

enum command {
	COMMAND_STROKES = 0,
	COMMAND_LINE = 1,
	COMMAND_RECTANGLE = 2,
	COMMAND_POLYLINE = 5,
	COMMAND_BLIT = 6,
	COMMAND_PATTERN = 7,
	COMMAND_TWO_POINTS = 9,
};

#define MIX_COLOR_BKGD 0
#define MIX_COLOR_FRGD 1
#define MIX_COLOR_CPU 2
#define MIX_COLOR_VRAM 3

#define MISC_CLIP_OUTSIDE 0x0020u
#define MISC_COMPARE_EQUAL 0x0080u
#define MISC_COMPARE 0x0100u

#define SELECT_FRGD 0 /* PIX_CNTL 7:6 */
#define SELECT_CPU 2
#define SELECT_VRAM 3

#define PATTERN_SIZE 8

/* The registers as a command uses them. */
struct draw {
	uint8_t *bytes;
	uint32_t mask;			    /* of byte offsets */
	uint32_t pitch, to_base, from_base; /* pixels */
	int32_t left, top, right, bottom;
	bool outside, compare, compare_equal;
	uint32_t color_cmp, rd_mask, wrt_mask, depth_mask;
	uint32_t bkgd, frgd;
	uint16_t bkgd_mix, frgd_mix;
	unsigned int select;
	uint32_t cmd;
};

static int32_t coordinate(uint32_t value)
{
	return (int32_t)((value & 0x1fff) ^ 0x1000) - 0x1000;
}

static int32_t term(uint32_t value)
{
	return (int32_t)((value & 0x3fff) ^ 0x2000) - 0x2000;
}

static uint32_t base_of(unsigned int misc2, unsigned int misc)
{
	/* In MiB; the newer register counts when it says anything. */
	return ((misc2 & 7 ? misc2 : misc) & 3) << 20;
}

static void prepare(const struct s3_engine *engine, struct draw *draw)
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

/* --- the pixel pipeline; @bytes is a constant wherever these are used */

#define PIPELINE static inline __attribute__((always_inline))

PIPELINE uint32_t load(const struct draw *draw, uint32_t pixel, unsigned int bytes)
{
	uint32_t at = pixel * bytes & draw->mask;

	if (bytes == 1)
		return draw->bytes[at];
	if (bytes == 2)
		return get_le16(draw->bytes + at);
	if (bytes == 4)
		return get_le32(draw->bytes + at);
	return draw->bytes[at] | (uint32_t)draw->bytes[(at + 1) & draw->mask] << 8 |
	       (uint32_t)draw->bytes[(at + 2) & draw->mask] << 16;
}

PIPELINE void store(const struct draw *draw, uint32_t pixel, unsigned int bytes, uint32_t value)
{
	uint32_t at = pixel * bytes & draw->mask;

	if (bytes == 2) {
		put_le16(draw->bytes + at, (uint16_t)value);
	} else if (bytes == 4) {
		put_le32(draw->bytes + at, value);
	} else {
		for (unsigned int i = 0; i < bytes; i++)
			draw->bytes[(at + i) & draw->mask] = (uint8_t)(value >> (8 * i));
	}
}

PIPELINE uint32_t mix(unsigned int how, uint32_t s, uint32_t d)
{
	switch (how & 15) {
	case 0x0:
		return ~d;
	case 0x1:
		return 0;
	case 0x2:
		return UINT32_MAX;
	case 0x3:
		return d;
	case 0x4:
		return ~s;
	case 0x5:
		return s ^ d;
	case 0x6:
		return ~(s ^ d);
	case 0x7:
		return s;
	case 0x8:
		return ~(s & d);
	case 0x9:
		return ~s | d;
	case 0xa:
		return s | ~d;
	case 0xb:
		return s | d;
	case 0xc:
		return s & d;
	case 0xd:
		return s & ~d;
	case 0xe:
		return ~s & d;
	default:
		return ~(s | d);
	}
}

PIPELINE bool visible(const struct draw *draw, int32_t x, int32_t y)
{
	bool inside = x >= draw->left && x <= draw->right && y >= draw->top && y <= draw->bottom;

	/* The whole plane has 4096 x 4096 pixels, on whichever side of the scissors. */
	return (draw->cmd & CMD_DRAW) && x >= 0 && y >= 0 && inside != draw->outside;
}

/* One pixel: @frgd chooses the mix, @cpu and @vram are the sources that come from elsewhere. */
PIPELINE void put(const struct draw *draw, int32_t x, int32_t y, bool frgd, uint32_t cpu,
		  uint32_t vram, unsigned int bytes)
{
	uint16_t how = frgd ? draw->frgd_mix : draw->bkgd_mix;
	uint32_t pixel = draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)x;
	const uint32_t sources[4] = { draw->bkgd, draw->frgd, cpu, vram };
	uint32_t source = sources[how >> 5 & 3] & draw->depth_mask, old;

	if (!visible(draw, x, y))
		return;
	if (draw->compare && (source == draw->color_cmp) != draw->compare_equal)
		return;
	old = load(draw, pixel, bytes);
	store(draw, pixel, bytes, blend32(old, draw->wrt_mask, mix(how, source, old)));
}

PIPELINE bool selects_frgd(const struct draw *draw, bool cpu, uint32_t vram)
{
	if (draw->select == SELECT_CPU)
		return cpu;
	if (draw->select == SELECT_VRAM)
		return (vram & draw->rd_mask) == draw->rd_mask;
	return true;
}

/* Calls @function with the size of a pixel as a constant. */
#define BY_DEPTH(engine, function, ...)                                                            \
	do {                                                                                       \
		switch ((engine)->bytes) {                                                         \
		case 1:                                                                            \
			function(__VA_ARGS__, 1);                                                  \
			break;                                                                     \
		case 2:                                                                            \
			function(__VA_ARGS__, 2);                                                  \
			break;                                                                     \
		case 3:                                                                            \
			function(__VA_ARGS__, 3);                                                  \
			break;                                                                     \
		default:                                                                           \
			function(__VA_ARGS__, 4);                                                  \
			break;                                                                     \
		}                                                                                  \
	} while (0)

/* --- damage */

static void mark_rows(const struct s3_engine *engine, const struct draw *draw, int32_t x, int32_t y,
		      int32_t width, int32_t rows)
{
	uint32_t bytes = engine->bytes;

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

/* --- constant source: d = (d & and) ^ xor */

static void constant_words(uint8_t *to, uint32_t size, uint64_t and, uint64_t xor)
{
	uint64_t word;

	for (; size >= sizeof(word); size -= 8, to += 8) {
		memcpy(&word, to, sizeof(word));
		word = (word & and) ^ xor;
		memcpy(to, &word, sizeof(word));
	}
	memcpy(&word, to, size);
	word = (word & and) ^ xor;
	memcpy(to, &word, size);
}

static uint64_t repeat(uint32_t value, unsigned int bytes)
{
	uint64_t word = value & mask32(8 * bytes);

	for (unsigned int size = bytes; size < 8; size *= 2)
		word |= word << (8 * size);
	return word;
}

/* False: this rectangle must go pixel by pixel. */
static bool fill_constant(const struct s3_engine *engine, const struct draw *draw, struct area area)
{
	unsigned int how = draw->frgd_mix, bytes = engine->bytes;
	uint32_t source = how >> 5 & 1 ? draw->frgd : draw->bkgd, low, high;
	uint32_t size = (uint32_t)area.width * bytes, first = 0;
	uint64_t and, xor;

	if (bytes == 3 || (how >> 5 & 3) > MIX_COLOR_FRGD || draw->outside || draw->compare)
		return false;
	low = mix(how, source, 0);
	high = mix(how, source, UINT32_MAX);
	and = repeat(((low ^ high) & draw->wrt_mask) | ~draw->wrt_mask, bytes);
	xor = repeat(low & draw->wrt_mask, bytes);
	for (int32_t y = area.y; y < area.y + area.height; y++) {
		uint32_t pixel = draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)area.x;
		uint32_t at = pixel * bytes & draw->mask;

		if (size > draw->mask + 1 - at)
			return false;
		if (and || y == area.y)
			constant_words(draw->bytes + at, size, and, xor);
		else
			memmove(draw->bytes + at, draw->bytes + first, size);
		first = at;
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

static void set_position(struct s3_engine *engine, int32_t x, int32_t y)
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
		mark_rows(engine, draw, area.x, area.y, area.width, area.height);
	}
	set_position(engine, walk.x, walk.y + walk.step_y * walk.height);
}

/* --- copies */

/* Rows as a whole, when nothing but the place differs. False: pixel by pixel. */
static bool copy_plain(const struct s3_engine *engine, const struct draw *draw,
		       const struct walk *to, int32_t from_x, int32_t from_y)
{
	struct area area = area_of(to);
	struct area whole = area;
	uint32_t bytes = engine->bytes, size;
	int32_t move_x = from_x - to->x, move_y = from_y - to->y;

	if ((draw->frgd_mix & 0x6f) != (MIX_COLOR_VRAM << 5 | 7) || draw->select == SELECT_VRAM ||
	    draw->outside || draw->compare || draw->wrt_mask != draw->depth_mask)
		return false;
	if (whole.x + move_x < -0x1000 || whole.y + move_y < -0x1000 ||
	    whole.x + move_x + whole.width > 0x1000 || whole.y + move_y + whole.height > 0x1000)
		return false;
	/* Within one row a copy towards itself would repeat pixels. */
	if (move_y == 0 && draw->from_base == draw->to_base && move_x * to->step_x < 0)
		return false;
	if (!clip(draw, &area))
		return true;
	size = (uint32_t)area.width * bytes;
	for (int32_t i = 0; i < area.height; i++) {
		int32_t y = to->step_y > 0 ? area.y + i : area.y + area.height - 1 - i;
		uint32_t to_pixel = draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)area.x;
		uint32_t from_pixel = draw->from_base + (uint32_t)(y + move_y) * draw->pitch +
				      (uint32_t)(area.x + move_x);
		uint32_t at = to_pixel * bytes & draw->mask, from = from_pixel * bytes & draw->mask;

		if (size > draw->mask + 1 - at || size > draw->mask + 1 - from)
			return false;
		memmove(draw->bytes + at, draw->bytes + from, size);
	}
	mark_rows(engine, draw, area.x, area.y, area.width, area.height);
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
		mark_rows(engine, draw, area.x, area.y, area.width, area.height);
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
		mark_rows(engine, draw, x, y, 1, 1);
}

/* One step of Bresenham's, or in one of eight directions. */
static void line_step(struct s3_engine *engine, uint32_t cmd, int32_t *x, int32_t *y,
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
		line_step(engine, draw->cmd, &x, &y, &error);
	}
	set_position(engine, x, y);
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
	set_position(engine, to_x, to_y);
}

void s3_draw_stroke(struct s3_engine *engine, uint8_t stroke)
{
	struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->reg[S3_CUR_X]), y = coordinate(s->reg[S3_CUR_Y]);
	struct draw draw;

	prepare(engine, &draw);
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
	set_position(engine, x, y);
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

	prepare(engine, &draw);
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

/* --- data of the processor */

/* Goes to the next pixel; false: the row has ended, and with it this transfer. */
static bool advance(struct s3_engine *engine, const struct draw *draw)
{
	struct s3_engine_state *s = engine->s;
	int32_t step_x = draw->cmd & CMD_INC_X ? 1 : -1, step_y = draw->cmd & CMD_INC_Y ? 1 : -1;
	uint16_t width = s->reg[S3_MAJ_AXIS_PCNT] & 0xfff;

	if (s->left) {
		s->left--;
		s->at_x = (uint16_t)((s->at_x + step_x) & 0x1fff);
		s->from_x = (uint16_t)((s->from_x + step_x) & 0x1fff);
		return true;
	}
	s->left = width;
	s->at_x = (uint16_t)((s->at_x - step_x * width) & 0x1fff);
	s->from_x = (uint16_t)((s->from_x - step_x * width) & 0x1fff);
	s->at_y = (uint16_t)((s->at_y + step_y) & 0x1fff);
	s->from_y = (uint16_t)((s->from_y + step_y) & 0x1fff);
	if (s->rows_left) {
		s->rows_left--;
		return false;
	}
	if (s->phase == S3_RECTANGLE_DATA)
		set_position(engine, coordinate(s->at_x), coordinate(s->at_y));
	s->phase = S3_IDLE;
	return false;
}

static bool advance_line(struct s3_engine *engine, const struct draw *draw)
{
	struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->at_x), y = coordinate(s->at_y), error = term(s->error);

	if (!s->left) {
		set_position(engine, x, y);
		s->reg[S3_ERR_TERM] = s->error;
		s->phase = S3_IDLE;
		return false;
	}
	s->left--;
	line_step(engine, draw->cmd, &x, &y, &error);
	s->at_x = (uint16_t)(x & 0x1fff);
	s->at_y = (uint16_t)(y & 0x1fff);
	s->error = (uint16_t)(error & 0x3fff);
	return true;
}

/* False: the row has ended. */
static bool next_pixel(struct s3_engine *engine, const struct draw *draw)
{
	return engine->s->phase == S3_LINE_DATA ? advance_line(engine, draw)
						: advance(engine, draw);
}

PIPELINE void data_pixel(const struct draw *draw, const struct s3_engine_state *s, bool bit,
			 uint32_t color, unsigned int bytes)
{
	int32_t x = coordinate(s->at_x), y = coordinate(s->at_y);
	int32_t from_x = s->phase == S3_BLIT_DATA ? coordinate(s->from_x) : x;
	int32_t from_y = s->phase == S3_BLIT_DATA ? coordinate(s->from_y) : y;
	uint32_t base = s->phase == S3_BLIT_DATA ? draw->from_base : draw->to_base;
	uint32_t vram = load(draw, base + (uint32_t)from_y * draw->pitch + (uint32_t)from_x, bytes);

	put(draw, x, y, selects_frgd(draw, bit, vram), color, vram, bytes);
}

/* False: the row has ended. */
static bool take(struct s3_engine *engine, const struct draw *draw, bool bit, uint32_t color)
{
	struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->at_x), y = coordinate(s->at_y);

	if (s->phase == S3_LINE_DATA && !s->left && (draw->cmd & CMD_LAST_OFF))
		return advance_line(engine, draw);
	BY_DEPTH(engine, data_pixel, draw, s, bit, color);
	if (visible(draw, x, y))
		mark_rows(engine, draw, x, y, 1, 1);
	return next_pixel(engine, draw);
}

void s3_draw_data(struct s3_engine *engine, const uint8_t *data, unsigned int bytes)
{
	struct s3_engine_state *s = engine->s;
	struct draw draw;

	prepare(engine, &draw);
	for (unsigned int i = 0; i < bytes && s->phase != S3_IDLE; i++) {
		if (draw.select == SELECT_CPU) {
			for (int bit = 7; bit >= 0; bit--) {
				if (!take(engine, &draw, data[i] >> bit & 1, 0))
					return;
			}
			continue;
		}
		s->pixel[s->pixel_count & 3] = data[i];
		s->pixel_count = (s->pixel_count & 3) + 1;
		if (s->pixel_count < engine->bytes)
			continue;
		s->pixel_count = 0;
		if (!take(engine, &draw, true, get_le32(s->pixel)))
			return;
	}
}

/* The pixel that it is the turn of. Negative places have nothing. */
static uint32_t fetch_pixel(const struct s3_engine *engine, const struct draw *draw)
{
	const struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->at_x), y = coordinate(s->at_y);
	uint32_t pixel = draw->to_base + (uint32_t)y * draw->pitch + (uint32_t)x, value = 0;

	if (x < 0 || y < 0)
		return 0;
	for (unsigned int i = 0; i < engine->bytes; i++)
		value |= (uint32_t)draw->bytes[(pixel * engine->bytes + i) & draw->mask] << (8 * i);
	return value;
}

void s3_draw_fetch(struct s3_engine *engine, uint8_t *data, unsigned int bytes)
{
	struct s3_engine_state *s = engine->s;
	struct draw draw;

	prepare(engine, &draw);
	for (unsigned int i = 0; i < bytes && s->phase != S3_IDLE; i++) {
		if (draw.select == SELECT_CPU) {
			data[i] = 0;
			for (int bit = 7; bit >= 0; bit--) {
				uint32_t pixel = fetch_pixel(engine, &draw);

				if ((pixel & draw.rd_mask) == draw.rd_mask)
					data[i] |= (uint8_t)BIT(bit);
				if (!next_pixel(engine, &draw))
					return;
			}
			continue;
		}
		data[i] = (uint8_t)(fetch_pixel(engine, &draw) >> (8 * s->pixel_count));
		s->pixel_count = (uint8_t)((s->pixel_count + 1) % engine->bytes);
		if (!s->pixel_count && !next_pixel(engine, &draw))
			return;
	}
}
