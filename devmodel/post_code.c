// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * POST code display: a latch at port 80h, as a diagnostic card shows it. It reads back, since on
 * the PC/AT the port is a spare DMA page register. Operating systems write here to pass a
 * microsecond.
 */
#include "post_code.h"

#include "../base/bits.h"

#define CODE 0

#define POST_CODE_PORT 0x80

struct post_code_state {
	uint8_t code;
};

struct post_code {
	struct device dev;
	struct post_code_state s;
};

static const struct state_field post_code_fields[] = {
	STATE_FIELD(struct post_code, code),
	STATE_END,
};

uint8_t post_code_last(const struct device *dev)
{
	return ((const struct post_code *)(const void *)dev)->s.code;
}

static const struct reg post_code_regs[] = {
	REG(struct post_code, s.code, CODE, 1, "CODE", 0, 0xff),
};

static const struct reg_bank post_code_bank = {
	.name = "post_code",
	.regs = post_code_regs,
	.count = ARRAY_LEN(post_code_regs),
	.size = 1,
	.open = 0xff,
};

static uint32_t post_code_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&post_code_bank, dev, offset, size);
}

static void post_code_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&post_code_bank, dev, offset, size, value);
}

static int post_code_init(struct device *dev, const void *config)
{
	(void)dev;
	(void)config;
	return 0;
}

static void post_code_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	reg_bank_reset(&post_code_bank, dev);
}

static const struct io_region_desc post_code_regions[] = {
	{
		.name = "post-code",
		.space = IO_PORT,
		.base = POST_CODE_PORT,
		.length = 1,
		.flags = IO_POSTED,
		.read = post_code_read,
		.write = post_code_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const post_code_banks[] = { &post_code_bank, NULL };

const struct device_class post_code_class = {
	.name = "post_code",
	.summary = "POST code latch",
	DEVICE_STATE(struct post_code),
	.regions = post_code_regions,
	.banks = post_code_banks,
	.fields = post_code_fields,
	.init = post_code_init,
	.reset = post_code_reset,
};
