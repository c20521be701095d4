// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port 92h, fast A20 and fast reset: Intel 82371AB (PIIX4) data sheet, "Port 92 Register".
 *
 * Not emulated: the activity lights and the password lock that other boards have in the upper bits.
 */
#include "port92.h"

#include "../base/bits.h"

#define FAST_INIT BIT(0)
#define FAST_A20 BIT(1)

struct port92_state {
	uint8_t p92;
};

struct port92 {
	struct device dev;
	struct port92_state s;
};

static const struct state_field port92_fields[] = {
	STATE_FIELD(struct port92, p92, .max = FAST_INIT | FAST_A20),
	STATE_END,
};

static void p92_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if ((old ^ value) & FAST_A20)
		dev->env->a20_changed(dev->env, dev, value & FAST_A20);
	/* Software must write 0 before it can reset again. */
	if (~old & value & FAST_INIT)
		dev->env->request(dev->env, REQUEST_RESET_INIT);
}

static const struct reg port92_regs[] = {
	REG(struct port92, s.p92, 0, 1, "P92", 0, FAST_INIT | FAST_A20, .on_write = p92_on_write),
};

static const struct reg_bank port92_bank = {
	.name = "port92",
	.regs = port92_regs,
	.count = ARRAY_LEN(port92_regs),
	.size = 1,
};

static uint32_t port92_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&port92_bank, dev, offset, size);
}

static void port92_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&port92_bank, dev, offset, size, value);
}

static int port92_init(struct device *dev, const void *config)
{
	(void)dev;
	(void)config;
	return 0;
}

static void port92_post_load(struct device *dev)
{
	dev->env->a20_changed(dev->env, dev,
			      container_of(dev, struct port92, dev)->s.p92 & FAST_A20);
}

static void port92_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	reg_bank_reset(&port92_bank, dev);
	port92_post_load(dev);
}

static const struct io_region_desc port92_regions[] = {
	{
		.name = "port92",
		.space = IO_PORT,
		.base = 0x92,
		.length = 1,
		.read = port92_read,
		.write = port92_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const port92_banks[] = { &port92_bank, NULL };

const struct device_class port92_class = {
	.name = "port92",
	.summary = "fast A20 and fast reset",
	DEVICE_STATE(struct port92),
	.regions = port92_regions,
	.banks = port92_banks,
	.fields = port92_fields,
	.init = port92_init,
	.reset = port92_reset,
	.post_load = port92_post_load,
};
