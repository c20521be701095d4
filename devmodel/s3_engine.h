/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 2D engine of the S3 Trio64, a superset of IBM's 8514/A: registers at ports x2E8h and at
 * A8000h, and what its commands draw.
 *
 * An engine, not a device: s3_trio64.c embeds it.
 */
#ifndef DEVMODEL_S3_ENGINE_H
#define DEVMODEL_S3_ENGINE_H

#include "display.h"

/* Registers of 16 bits, in the order of their ports. */
enum s3_engine_reg {
	S3_CUR_Y,
	S3_CUR_Y2,
	S3_CUR_X,
	S3_CUR_X2,
	S3_DESTY_AXSTP,
	S3_DESTY2_AXSTP2,
	S3_DESTX_DIASTP,
	S3_DESTX2_DIASTP2,
	S3_ERR_TERM,
	S3_ERR_TERM2,
	S3_MAJ_AXIS_PCNT,
	S3_MAJ_AXIS_PCNT2,
	S3_CMD,
	S3_CMD2,
	S3_SHORT_STROKE,
	S3_BKGD_MIX,
	S3_FRGD_MIX,
	S3_ENGINE_REGS,
};

/* Registers of 32 bits. */
enum s3_engine_color {
	S3_BKGD_COLOR,
	S3_FRGD_COLOR,
	S3_WRT_MASK,
	S3_RD_MASK,
	S3_COLOR_CMP,
	S3_ENGINE_COLORS,
};

/* Behind BEE8h, by the index in bits 15:12. */
#define S3_MIN_AXIS_PCNT 0x0
#define S3_SCISSORS_T 0x1
#define S3_SCISSORS_L 0x2
#define S3_SCISSORS_B 0x3
#define S3_SCISSORS_R 0x4
#define S3_PIX_CNTL 0xa
#define S3_MULT_MISC2 0xd
#define S3_MULT_MISC 0xe
#define S3_READ_SEL 0xf

/* What waits for data from the processor. */
enum s3_engine_phase { S3_IDLE, S3_RECTANGLE_DATA, S3_BLIT_DATA, S3_LINE_DATA };

struct s3_engine_state {
	uint32_t color[S3_ENGINE_COLORS];
	uint16_t reg[S3_ENGINE_REGS];
	uint16_t multifunc[16];
	uint16_t subsys_cntl;
	uint8_t subsys_stat; /* bits 3:0 */
	uint8_t advfunc;
	uint8_t read_select;
	uint8_t upper_half; /* RSF: the next 16-bit access to a colour register is for its upper half */
	uint8_t phase;	    /* enum s3_engine_phase */
	uint8_t data_count; /* bytes of data[] */
	uint8_t data[4];    /* of a transfer that is not complete */
	uint8_t pixel[4];   /* of a pixel that is not complete */
	uint8_t pixel_count;
	uint8_t reserved; /* keeps the struct free of padding; 0 */
	/* Where the operation that waits for data stands; as registers, 13 bits of two's complement. */
	uint16_t at_x, at_y, from_x, from_y;
	uint16_t left, rows_left; /* pixels of the row, rows, both less one */
	uint16_t error;
	uint16_t reserved_2;
};

#define S3_ENGINE_FIELDS(type)                                                                     \
	STATE_ARRAY(type, engine.color), STATE_ARRAY(type, engine.reg),                            \
		STATE_ARRAY(type, engine.multifunc, .max = 0xfff),                                 \
		STATE_FIELD(type, engine.subsys_cntl),                                             \
		STATE_FIELD(type, engine.subsys_stat, .max = 15),                                  \
		STATE_FIELD(type, engine.advfunc),                                                 \
		STATE_FIELD(type, engine.read_select, .max = 15),                                  \
		STATE_FIELD(type, engine.upper_half, .max = 1),                                    \
		STATE_FIELD(type, engine.phase, .max = S3_LINE_DATA),                              \
		STATE_FIELD(type, engine.data_count, .max = 3), STATE_ARRAY(type, engine.data),    \
		STATE_FIELD(type, engine.at_x), STATE_FIELD(type, engine.at_y),                    \
		STATE_FIELD(type, engine.from_x), STATE_FIELD(type, engine.from_y),                \
		STATE_FIELD(type, engine.left, .max = 0xfff),                                      \
		STATE_FIELD(type, engine.rows_left, .max = 0xfff),                                 \
		STATE_ARRAY(type, engine.pixel), STATE_FIELD(type, engine.pixel_count, .max = 3),  \
		STATE_FIELD(type, engine.reserved), STATE_FIELD(type, engine.error),               \
		STATE_FIELD(type, engine.reserved_2)

struct s3_engine {
	struct s3_engine_state *s;
	struct display_memory *memory;
	uint8_t bytes;	       /* of a pixel, 1 to 4 */
	uint32_t pitch;	       /* pixels of a line */
	uint8_t row[4096 * 4]; /* a row of source pixels, while one is moved */
};

void s3_engine_reset(struct s3_engine *engine);
/* The pixel length and line length that CR31, CR50 and 4AE8h come to. */
void s3_engine_configure(struct s3_engine *engine, uint8_t cr31, uint8_t cr50);

/* @port as of 16-bit ports; @size 1, 2 or 4. */
uint32_t s3_engine_read(struct s3_engine *engine, uint16_t port, unsigned int size);
void s3_engine_write(struct s3_engine *engine, uint16_t port, unsigned int size, uint32_t value);
/* @offset from A0000h, within 64 KiB. */
uint32_t s3_engine_mmio_read(struct s3_engine *engine, uint32_t offset, unsigned int size);
void s3_engine_mmio_write(struct s3_engine *engine, uint32_t offset, unsigned int size,
			  uint32_t value);

/* --- s3_draw.c */

/* A command was written: draws, or waits for data. */
void s3_draw_command(struct s3_engine *engine);
/* A short stroke vector. */
void s3_draw_stroke(struct s3_engine *engine, uint8_t stroke);
/* --- s3_transfer.c */

/* @bytes of data in the order in which they are used: 1, 2 or 4, one transfer. */
void s3_draw_data(struct s3_engine *engine, const uint8_t *data, unsigned int bytes);
/* One transfer the other way, of @bytes: what is on the screen. Where the row ends early, the rest stays as it is. */
void s3_draw_fetch(struct s3_engine *engine, uint8_t *data, unsigned int bytes);

#endif
