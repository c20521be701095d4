// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port 61h, NMI status and control: Intel 82371AB (PIIX4) data sheet, "NMI Status and Control
 * Register".
 *
 * It serves machines without KVM: there port 61h belongs to KVM's interval timer. Not emulated: the
 * two NMI sources, SERR# and IOCHK#, which nothing here pulls, so that their status bits read as 0.
 */
#include "port61.h"

#include "../base/bits.h"

#define TMR2_EN BIT(0)
#define SPKR_EN BIT(1)
#define SERR_DIS BIT(2)
#define IOCHK_DIS BIT(3)
#define REF_TOGGLE BIT(4)
#define TMR2_OUT BIT(5)

/* Counter 1 of the interval timer refreshes memory with the usual count of 18 at 1193182 Hz. */
#define REFRESH_NS (18 * NSEC_PER_SEC / 1193182)

struct port61_state {
	uint8_t nmi_sc;
};

struct port61 {
	struct device dev;
	struct port61_state s;
	struct port61_config config;
};

static const struct state_field port61_fields[] = {
	STATE_FIELD(struct port61, nmi_sc, .max = TMR2_EN | SPKR_EN | SERR_DIS | IOCHK_DIS),
	STATE_END,
};

static void tell_gate(struct port61 *port)
{
	if (port->config.gate2_changed)
		port->config.gate2_changed(port->config.opaque, port->s.nmi_sc & TMR2_EN,
					   port->s.nmi_sc & SPKR_EN);
}

static uint32_t nmi_sc_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct port61 *port = container_of(dev, struct port61, dev);

	(void)reg;
	if (dev->env->timers->now(dev->env->timers) / REFRESH_NS & 1)
		value |= REF_TOGGLE;
	if (port->config.out2 && port->config.out2(port->config.opaque))
		value |= TMR2_OUT;
	return value;
}

static void nmi_sc_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if ((old ^ value) & (TMR2_EN | SPKR_EN))
		tell_gate(container_of(dev, struct port61, dev));
}

static const struct reg port61_regs[] = {
	REG(struct port61, s.nmi_sc, 0, 1, "NMISC", 0, TMR2_EN | SPKR_EN | SERR_DIS | IOCHK_DIS,
	    .on_read = nmi_sc_on_read, .on_write = nmi_sc_on_write),
};

static const struct reg_bank port61_bank = {
	.name = "port61",
	.regs = port61_regs,
	.count = ARRAY_LEN(port61_regs),
	.size = 1,
};

static uint32_t port61_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&port61_bank, dev, offset, size);
}

static void port61_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&port61_bank, dev, offset, size, value);
}

static int port61_init(struct device *dev, const void *config)
{
	container_of(dev, struct port61, dev)->config = *(const struct port61_config *)config;
	return 0;
}

static void port61_post_load(struct device *dev)
{
	tell_gate(container_of(dev, struct port61, dev));
}

static void port61_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	reg_bank_reset(&port61_bank, dev);
	port61_post_load(dev);
}

static const struct io_region_desc port61_regions[] = {
	{
		.name = "port61",
		.space = IO_PORT,
		.base = 0x61,
		.length = 1,
		.read = port61_read,
		.write = port61_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const port61_banks[] = { &port61_bank, NULL };

static const struct port61_config port61_default = { .out2 = NULL };

const struct device_class port61_class = {
	.name = "port61",
	.summary = "speaker gate, refresh toggle and NMI control",
	DEVICE_STATE(struct port61),
	.regions = port61_regions,
	.banks = port61_banks,
	.fields = port61_fields,
	.default_config = &port61_default,
	.init = port61_init,
	.reset = port61_reset,
	.post_load = port61_post_load,
};
