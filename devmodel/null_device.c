// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The smallest complete device: a scratch register and an identity byte at two ports.
 *
 * It is no chip of any board. It is kept compiling as the template for a new device: copy it, then
 * fill in from the bottom, where the class names the tables and operations.
 */
#include "null_device.h"

#include "../base/bits.h"

/* Registers. */
#define ID 0
#define SCRATCH 1

#define ID_VALUE 0x4d

struct null_state {
	uint8_t scratch;
};

struct null_device {
	struct device dev;
	struct null_state s;
};

static const struct state_field null_fields[] = {
	STATE_FIELD(struct null_device, scratch),
	STATE_END,
};

static uint32_t id_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)dev;
	(void)reg;
	(void)value;
	return ID_VALUE;
}

static const struct reg null_regs[] = {
	REG_HOOKED(ID, 1, "ID", .on_read = id_on_read),
	REG(struct null_device, s.scratch, SCRATCH, 1, "SCRATCH", 0, 0xff),
};

static const struct reg_bank null_bank = {
	.name = "null",
	.regs = null_regs,
	.count = ARRAY_LEN(null_regs),
	.size = 2,
	.open = 0xff,
};

static uint32_t null_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&null_bank, dev, offset, size);
}

static void null_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&null_bank, dev, offset, size, value);
}

static int null_init(struct device *dev, const void *config)
{
	const struct null_config *null_config = config;

	if (null_config->base != IO_UNMAPPED)
		device_move_region(dev, 0, null_config->base);
	return 0;
}

static void null_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	reg_bank_reset(&null_bank, dev);
}

static const struct io_region_desc null_regions[] = {
	{
		.name = "null",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = 2,
		.read = null_read,
		.write = null_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const null_banks[] = { &null_bank, NULL };

static const struct null_config null_default = { .base = 0x2f0 };

const struct device_class null_device_class = {
	.name = "null",
	.summary = "template of a device: a scratch register",
	DEVICE_STATE(struct null_device),
	.regions = null_regions,
	.banks = null_banks,
	.fields = null_fields,
	.default_config = &null_default,
	.init = null_init,
	.reset = null_reset,
};
