// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine's commands that wait for data of the processor, and those that give it some. */
#include "s3_pixel.h"

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
		s3_draw_set_position(engine, coordinate(s->at_x), coordinate(s->at_y));
	s->phase = S3_IDLE;
	return false;
}

static bool advance_line(struct s3_engine *engine, const struct draw *draw)
{
	struct s3_engine_state *s = engine->s;
	int32_t x = coordinate(s->at_x), y = coordinate(s->at_y), error = term(s->error);

	if (!s->left) {
		s3_draw_set_position(engine, x, y);
		s->reg[S3_ERR_TERM] = s->error;
		s->phase = S3_IDLE;
		return false;
	}
	s->left--;
	s3_draw_line_step(engine, draw->cmd, &x, &y, &error);
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
		s3_draw_mark(engine, draw, x, y, 1, 1);
	return next_pixel(engine, draw);
}

void s3_draw_data(struct s3_engine *engine, const uint8_t *data, unsigned int bytes)
{
	struct s3_engine_state *s = engine->s;
	struct draw draw;

	s3_draw_prepare(engine, &draw);
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

	s3_draw_prepare(engine, &draw);
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
