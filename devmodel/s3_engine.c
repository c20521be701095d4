// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's registers: ports, the packed registers of memory-mapped access, and data transfers.
 *
 * Everything is carried out by the access that asks for it, so the engine always reports that it has
 * room and, unless it waits for data, that it rests.
 */
#include "s3_engine.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define CMD_WRITE 0x0001u
#define CMD_SWAP 0x1000u
#define CMD_WAIT 0x0100u
#define MISC_RSF 0x0010u /* MULT_MISC */
#define MISC_CMR32 0x0200u
#define STATUS_EMPTY 0x0400u
#define SUBSYS_RESET 0x8000u
#define SUBSYS_MASK 0xc000u
#define SUBSYS_IDLE 0x02u
#define SUBSYS_FIFO_EMPTY 0x08u
#define SUBSYS_MONITOR 0x70u
#define SUBSYS_8BPP 0x80u

#define PORT_SUBSYS 0x42e8
#define PORT_ADVFUNC 0x4ae8
#define PORT_MULTIFUNC 0xbee8
#define PORT_PIX_TRANS 0xe2e8
#define PACKED_MULTIFUNC 0x8138

/* The ports x2E8h, by their upper six bits: registers of 16 bits, the second two bytes behind, or one of 32. */
#define PORT_ROW(port) ((port) >> 10)

static const struct port_row {
	uint8_t words, colors; /* how many are there */
	uint8_t word[2];       /* enum s3_engine_reg */
	uint8_t color;	       /* enum s3_engine_color */
} port_rows[64] = {
	[PORT_ROW(0x82e8)] = { .words = 2, .word = { S3_CUR_Y, S3_CUR_Y2 } },
	[PORT_ROW(0x86e8)] = { .words = 2, .word = { S3_CUR_X, S3_CUR_X2 } },
	[PORT_ROW(0x8ae8)] = { .words = 2, .word = { S3_DESTY_AXSTP, S3_DESTY2_AXSTP2 } },
	[PORT_ROW(0x8ee8)] = { .words = 2, .word = { S3_DESTX_DIASTP, S3_DESTX2_DIASTP2 } },
	[PORT_ROW(0x92e8)] = { .words = 2, .word = { S3_ERR_TERM, S3_ERR_TERM2 } },
	[PORT_ROW(0x96e8)] = { .words = 2, .word = { S3_MAJ_AXIS_PCNT, S3_MAJ_AXIS_PCNT2 } },
	[PORT_ROW(0x9ae8)] = { .words = 2, .word = { S3_CMD, S3_CMD2 } },
	[PORT_ROW(0x9ee8)] = { .words = 1, .word = { S3_SHORT_STROKE } },
	[PORT_ROW(0xa2e8)] = { .colors = 1, .color = S3_BKGD_COLOR },
	[PORT_ROW(0xa6e8)] = { .colors = 1, .color = S3_FRGD_COLOR },
	[PORT_ROW(0xaae8)] = { .colors = 1, .color = S3_WRT_MASK },
	[PORT_ROW(0xaee8)] = { .colors = 1, .color = S3_RD_MASK },
	[PORT_ROW(0xb2e8)] = { .colors = 1, .color = S3_COLOR_CMP },
	[PORT_ROW(0xb6e8)] = { .words = 1, .word = { S3_BKGD_MIX } },
	[PORT_ROW(0xbae8)] = { .words = 1, .word = { S3_FRGD_MIX } },
	[PORT_ROW(0xcae8)] = { .words = 1, .word = { S3_DESTY_AXSTP } },
};

/* Offset 0 to 3 within a row; more: the port is none of them. */
static uint32_t port_offset(uint16_t port)
{
	return (port & 0x3ffu) - 0x2e8;
}

/* Packed in memory: words, and from 8120h on the registers of 32 bits in the order of enum s3_engine_color. */
static const struct {
	uint16_t offset;
	uint8_t word; /* enum s3_engine_reg */
} packed_words[] = {
	{ 0x8100, S3_CUR_Y },
	{ 0x8102, S3_CUR_X },
	{ 0x8104, S3_CUR_Y2 },
	{ 0x8106, S3_CUR_X2 },
	{ 0x8108, S3_DESTY_AXSTP },
	{ 0x810a, S3_DESTX_DIASTP },
	{ 0x810c, S3_DESTY2_AXSTP2 },
	{ 0x810e, S3_DESTX2_DIASTP2 },
	{ 0x8110, S3_ERR_TERM },
	{ 0x8112, S3_ERR_TERM2 },
	{ 0x8118, S3_CMD },
	{ 0x811a, S3_CMD2 },
	{ 0x811c, S3_SHORT_STROKE },
	{ 0x8134, S3_BKGD_MIX },
	{ 0x8136, S3_FRGD_MIX },
	{ 0x814a, S3_MAJ_AXIS_PCNT },
	{ 0x814c, S3_MAJ_AXIS_PCNT2 },
};

#define PACKED_COLORS 0x8120

/* The packed words from 8138h on. */
static const uint8_t packed_multifunc[] = { S3_SCISSORS_T, S3_SCISSORS_L, S3_SCISSORS_B,
					    S3_SCISSORS_R, S3_PIX_CNTL,	  S3_MULT_MISC2,
					    S3_MULT_MISC,  S3_READ_SEL,	  S3_MIN_AXIS_PCNT };

/* Bits that a register keeps: coordinates have a sign in bit 12, terms in bit 13. */
static uint16_t reg_mask(enum s3_engine_reg reg)
{
	switch (reg) {
	case S3_CUR_Y:
	case S3_CUR_Y2:
	case S3_CUR_X:
	case S3_CUR_X2:
		return 0x1fff;
	case S3_MAJ_AXIS_PCNT:
	case S3_MAJ_AXIS_PCNT2:
		return 0x0fff;
	case S3_DESTY_AXSTP:
	case S3_DESTY2_AXSTP2:
	case S3_DESTX_DIASTP:
	case S3_DESTX2_DIASTP2:
	case S3_ERR_TERM:
	case S3_ERR_TERM2:
		return 0x3fff;
	default:
		return 0xffff;
	}
}

void s3_engine_configure(struct s3_engine *engine, uint8_t cr31, uint8_t cr50)
{
	/* By CR50 bits 0, 7 and 6. */
	static const uint16_t pitches[8] = { 1024, 640, 800, 1280, 1152, 1024, 1600, 1024 };
	unsigned int width = (cr50 & 1u) << 2 | cr50 >> 6;

	engine->bytes = (uint8_t)((cr50 >> 4 & 3) + 1);
	engine->pitch = pitches[width];
	if (width == 0 && (cr31 & 0x02))
		engine->pitch = 2048;
	if (width == 2 && (engine->s->advfunc & 0x04))
		engine->pitch = 1600;
}

void s3_engine_reset(struct s3_engine *engine)
{
	memset(engine->s, 0, sizeof(*engine->s));
	engine->s->multifunc[S3_SCISSORS_B] = 0xfff;
	engine->s->multifunc[S3_SCISSORS_R] = 0xfff;
}

/* --- single registers */

static void action(struct s3_engine *engine, enum s3_engine_reg reg)
{
	uint16_t value = engine->s->reg[reg];

	if (reg == S3_CMD) {
		if (engine->bytes == 4)
			engine->s->upper_half = 0;
		s3_draw_command(engine);
		engine->s->subsys_stat |= SUBSYS_IDLE;
	} else if (reg == S3_SHORT_STROKE) {
		s3_draw_stroke(engine, (uint8_t)value);
		s3_draw_stroke(engine, (uint8_t)(value >> 8));
	}
}

/* Bytes @mask of @value; what a register starts, its high byte starts. */
static void write_word(struct s3_engine *engine, enum s3_engine_reg reg, uint32_t mask,
		       uint32_t value)
{
	uint16_t *word = &engine->s->reg[reg];

	*word = (uint16_t)(blend32(*word, mask, value) & reg_mask(reg));
	if (mask & 0xff00)
		action(engine, reg);
}

static bool halves(const struct s3_engine *engine)
{
	return engine->bytes > 2 && !(engine->s->multifunc[S3_MULT_MISC] & MISC_CMR32);
}

/* Which half of its colour register a 16-bit access at offset 0 means; it is the other one's turn then. */
static unsigned int color_shift(struct s3_engine *engine, uint32_t offset, unsigned int size)
{
	unsigned int shift = 8 * offset;

	if (!halves(engine) || offset > 1 || size > 2)
		return shift;
	shift += engine->s->upper_half ? 16 : 0;
	if (offset + size == 2)
		engine->s->upper_half ^= 1;
	return shift;
}

static void write_color(struct s3_engine *engine, enum s3_engine_color color, uint32_t offset,
			unsigned int size, uint32_t value)
{
	unsigned int shift = color_shift(engine, offset, size);
	uint32_t *reg = &engine->s->color[color];

	*reg = blend32(*reg, mask32(8 * size) << shift, value << shift);
}

static void write_multifunc(struct s3_engine *engine, unsigned int index, uint32_t value)
{
	engine->s->multifunc[index] = (uint16_t)(value & 0xfff);
	if (index == S3_READ_SEL)
		engine->s->read_select = value & 15;
	if (index == S3_MULT_MISC)
		engine->s->upper_half = (value & MISC_RSF) != 0;
}

/* One behind the other, as READ_SEL counts. */
static uint32_t read_multifunc(struct s3_engine *engine)
{
	static const uint8_t order[] = { S3_MIN_AXIS_PCNT, S3_SCISSORS_T, S3_SCISSORS_L,
					 S3_SCISSORS_B,	   S3_SCISSORS_R, S3_PIX_CNTL,
					 S3_MULT_MISC };
	const struct s3_engine_state *s = engine->s;

	if (s->read_select < ARRAY_LEN(order))
		return s->multifunc[order[s->read_select]];
	switch (s->read_select) {
	case 7:
		return s->reg[S3_CMD];
	case 8:
		return s->subsys_cntl;
	case 10:
		return s->multifunc[S3_MULT_MISC2];
	default:
		return 0;
	}
}

/* --- data transfers */

static unsigned int bus_bytes(const struct s3_engine *engine)
{
	static const uint8_t widths[4] = { 1, 2, 4, 4 };

	return widths[engine->s->reg[S3_CMD] >> 9 & 3];
}

/* Whole transfers go to the drawing, in the order in which their bytes are used. */
static void write_data(struct s3_engine *engine, unsigned int size, uint32_t value)
{
	struct s3_engine_state *s = engine->s;
	unsigned int width = bus_bytes(engine);

	if (width == 1)
		size = 1;
	for (unsigned int i = 0; i < size && s->phase != S3_IDLE; i++) {
		s->data[s->data_count & 3] = (uint8_t)(value >> (8 * i));
		s->data_count = (s->data_count & 3) + 1;
		if (s->data_count < width)
			continue;
		s->data_count = 0;
		/* Without the bit the high byte of each 16 is the first. */
		if (!(s->reg[S3_CMD] & CMD_SWAP) && width > 1) {
			uint8_t bytes[4] = { s->data[1], s->data[0], s->data[3], s->data[2] };

			s3_draw_data(engine, bytes, width);
		} else {
			s3_draw_data(engine, s->data, width);
		}
	}
	if (s->phase == S3_IDLE)
		s->data_count = 0;
}

/*
 * The other way: a command that waits for data and does not write (bit 0) gives what is on the screen to who reads. The
 * Vision964 and later are said to take bit 0 for nothing and always to wait for writes, so that who writes draws all the
 * same. data_count is how much of the last transfer has been read.
 */
static uint32_t read_data(struct s3_engine *engine, unsigned int size)
{
	struct s3_engine_state *s = engine->s;
	unsigned int width = bus_bytes(engine);
	uint32_t value = mask32(8 * size);

	if (width == 1)
		size = 1;
	for (unsigned int i = 0; i < size; i++) {
		if (!s->data_count) {
			uint8_t bytes[4] = { 0xff, 0xff, 0xff, 0xff };

			if (s->phase == S3_IDLE || (s->reg[S3_CMD] & CMD_WRITE))
				break;
			s3_draw_fetch(engine, bytes, width);
			for (unsigned int j = 0; j < width; j++)
				s->data[j] = bytes[j ^ (!(s->reg[S3_CMD] & CMD_SWAP) && width > 1)];
		}
		value = blend32(value, 0xffu << (8 * i),
				(uint32_t)s->data[s->data_count] << (8 * i));
		s->data_count = (uint8_t)((s->data_count + 1) % width);
	}
	return value;
}

/* --- ports */

static void write_subsys(struct s3_engine *engine, uint32_t value)
{
	struct s3_engine_state *s = engine->s;

	s->subsys_cntl = (uint16_t)value;
	s->subsys_stat &= (uint8_t) ~(value & 15);
	if ((value & SUBSYS_MASK) == SUBSYS_RESET) {
		s->phase = S3_IDLE;
		s->data_count = 0;
		s->upper_half = 0;
	}
}

static bool write_at(struct s3_engine *engine, uint16_t port, unsigned int size, uint32_t value)
{
	const struct port_row *row = &port_rows[PORT_ROW(port)];
	uint32_t offset = port_offset(port), within = offset & 1;

	if (offset > 3)
		return false;
	if (row->colors) {
		write_color(engine, (enum s3_engine_color)row->color, offset, size, value);
		return true;
	}
	if (offset / 2 >= row->words)
		return false;
	write_word(engine, (enum s3_engine_reg)row->word[offset / 2],
		   mask32(8 * size) << (8 * within) & 0xffff, value << (8 * within));
	if (within + size > 2)
		write_at(engine, (uint16_t)(port - within + 2), within + size - 2,
			 value >> (8 * (2 - within)));
	return true;
}

void s3_engine_write(struct s3_engine *engine, uint16_t port, unsigned int size, uint32_t value)
{
	struct s3_engine_state *s = engine->s;

	if (write_at(engine, port, size, value))
		return;
	switch (port) {
	case PORT_SUBSYS:
		write_subsys(engine, size == 1 ? blend32(s->subsys_cntl, 0xff, value) : value);
		break;
	case PORT_SUBSYS + 1:
		write_subsys(engine, (value & 0xff) << 8);
		break;
	case PORT_ADVFUNC:
		s->advfunc = (uint8_t)value;
		break;
	case PORT_MULTIFUNC:
		if (size == 1)
			s->multifunc[S3_READ_SEL] = value & 0xff;
		else
			write_multifunc(engine, value >> 12 & 15, value);
		break;
	case PORT_MULTIFUNC + 1:
		/* The high byte completes what the low one left. */
		write_multifunc(engine, value >> 4 & 15,
				(value & 15) << 8 | (s->multifunc[S3_READ_SEL] & 0xff));
		break;
	case PORT_PIX_TRANS:
	case PORT_PIX_TRANS + 1:
	case PORT_PIX_TRANS + 2:
	case PORT_PIX_TRANS + 3:
		write_data(engine, size, value);
		break;
	default:
		break;
	}
}

static uint32_t read_subsys(const struct s3_engine *engine)
{
	return engine->s->subsys_stat | SUBSYS_FIFO_EMPTY | SUBSYS_MONITOR | SUBSYS_8BPP;
}

/* The word at @port, which is even. */
static uint32_t read_word(struct s3_engine *engine, uint16_t port, bool high)
{
	const struct port_row *row = &port_rows[PORT_ROW(port)];
	uint32_t offset = port_offset(port), value;

	if (port == 0x9ae8)
		return STATUS_EMPTY;
	if (offset < 4 && row->colors)
		return engine->s->color[row->color] >>
		       (offset ? 16 : color_shift(engine, 0, high ? 2 : 1));
	if (offset < 4 && offset / 2 < row->words)
		return engine->s->reg[row->word[offset / 2]];
	switch (port) {
	case PORT_SUBSYS:
		return read_subsys(engine);
	case PORT_ADVFUNC:
		return engine->s->advfunc;
	case PORT_MULTIFUNC:
		value = read_multifunc(engine);
		if (high)
			engine->s->read_select = (engine->s->read_select + 1) & 15;
		return value;
	default:
		return 0xffff;
	}
}

uint32_t s3_engine_read(struct s3_engine *engine, uint16_t port, unsigned int size)
{
	uint16_t even = port & 0xfffe;
	unsigned int shift = 8 * (port & 1u);
	uint32_t value;

	if ((port & 0xfffc) == PORT_PIX_TRANS)
		return read_data(engine, size);
	value = (read_word(engine, even, size > 1 || shift) & 0xffff) >> shift;

	if (size == 4)
		value |= read_word(engine, (uint16_t)(even + 2), true) << 16;
	return value & mask32(8 * size);
}

/* --- memory */

static bool is_color(uint32_t offset)
{
	return offset >= PACKED_COLORS && offset < PACKED_COLORS + 4 * S3_ENGINE_COLORS;
}

static bool packed_write(struct s3_engine *engine, uint32_t offset, unsigned int size,
			 uint32_t value)
{
	uint32_t index = (offset - PACKED_MULTIFUNC) / 2;

	if (offset >= PACKED_MULTIFUNC && index < ARRAY_LEN(packed_multifunc)) {
		write_multifunc(engine, packed_multifunc[index], value);
		return true;
	}
	for (unsigned int i = 0; i < ARRAY_LEN(packed_words); i++) {
		if (packed_words[i].offset == (offset & ~1u)) {
			unsigned int shift = 8 * (offset & 1);

			write_word(engine, (enum s3_engine_reg)packed_words[i].word,
				   mask32(8 * size) << shift & 0xffff, value << shift);
			return true;
		}
	}
	if (is_color(offset)) {
		uint32_t *color = &engine->s->color[(offset - PACKED_COLORS) / 4];
		unsigned int shift = 8 * (offset & 3);

		*color = blend32(*color, mask32(8 * size) << shift, value << shift);
		return true;
	}
	return false;
}

void s3_engine_mmio_write(struct s3_engine *engine, uint32_t offset, unsigned int size,
			  uint32_t value)
{
	if (offset < 0x8000) {
		write_data(engine, size, value);
	} else if (offset < 0x8100 || offset >= 0x8200) {
		s3_engine_write(engine, (uint16_t)offset, size, value);
	} else if (size == 4 && !is_color(offset)) {
		packed_write(engine, offset, 2, value & 0xffff);
		packed_write(engine, offset + 2, 2, value >> 16);
	} else {
		packed_write(engine, offset, size, value);
	}
}

static uint32_t packed_read(struct s3_engine *engine, uint32_t offset)
{
	uint32_t index = (offset - PACKED_MULTIFUNC) / 2;

	if (offset >= PACKED_MULTIFUNC && index < ARRAY_LEN(packed_multifunc))
		return engine->s->multifunc[packed_multifunc[index]];
	if (offset == 0x8118)
		return STATUS_EMPTY;
	for (unsigned int i = 0; i < ARRAY_LEN(packed_words); i++) {
		if (packed_words[i].offset == offset)
			return engine->s->reg[packed_words[i].word];
	}
	if (is_color(offset))
		return engine->s->color[(offset - PACKED_COLORS) / 4] >> (8 * (offset & 2));
	return 0xffff;
}

uint32_t s3_engine_mmio_read(struct s3_engine *engine, uint32_t offset, unsigned int size)
{
	uint32_t value;

	if (offset < 0x8000)
		return read_data(engine, size);
	if (offset < 0x8100 || offset >= 0x8200)
		return s3_engine_read(engine, (uint16_t)offset, size);
	value = (packed_read(engine, offset & ~1u) & 0xffff) >> (8 * (offset & 1));
	if (size == 4)
		value |= packed_read(engine, (offset & ~1u) + 2) << 16;
	return value & mask32(8 * size);
}
