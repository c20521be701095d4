// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PCI to ISA bridge: function 0 of the Intel 82371EB (PIIX4E): routing of the PCI interrupts,
 * edge/level control, reset control.
 *
 * Source: Intel 82371AB PCI-to-ISA/IDE Xcelerator datasheet, order 290562, chapters 4 and 8.
 *
 * Not emulated: decode windows of the X-bus (XBCS), ISA timing, distributed DMA, serialised
 * interrupts and the pin multiplexer: this board wires those once and for all, and the registers
 * keep what is written. The 8237, 8254, 8259 and RTC inside the chip are devices of their own.
 * RTCCFG's enable of the upper RAM bank is not wired to the RTC, which shows that bank always.
 */
#include "piix4_isa.h"

#include <errno.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "pci.h"

/* Configuration registers. */
#define IORT 0x4c
#define XBCS 0x4e
#define PIRQRCA 0x60
#define SERIRQC 0x64
#define TOM 0x69
#define MSTAT 0x6a
#define MBDMA0 0x76
#define MBDMA1 0x77
#define APICBASE 0x80
#define DLC 0x82
#define PDMACFG 0x90
#define DDMABASE0 0x92
#define DDMABASE1 0x94
#define GENCFG 0xb0
#define RTCCFG 0xcb

#define PIRQRC_DISABLED BIT(7)
#define PIRQRC_IRQ 0x0fu
#define PIRQRC_WRITABLE (PIRQRC_DISABLED | PIRQRC_IRQ)
/* The interrupts that a PIRQ may be routed to; the others are taken on the chip itself. */
#define ROUTABLE_IRQS 0xdef8u

#define ELCR1_WRITABLE 0xf8
#define ELCR2_WRITABLE 0xde

/* RC, port CF9h. */
#define RC_RCPU BIT(2)
#define RC_SRST BIT(1)

struct piix4_isa_state {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t elcr[2];
	uint8_t rc;
};

struct piix4_isa {
	struct pci_function pci;
	struct piix4_isa_state s;
	struct irq_line pirq[PCI_PIRQS]; /* n: the ISA interrupt that it is routed to now */
	void (*elcr_changed)(void *opaque, uint16_t elcr);
	void *elcr_opaque;
	uint16_t elcr_told;
};

static const struct state_field piix4_isa_fields[] = {
	STATE_ARRAY(struct piix4_isa, config),
	STATE_ARRAY(struct piix4_isa, elcr),
	STATE_FIELD(struct piix4_isa, rc),
	STATE_END,
};

static struct piix4_isa *piix4_isa_of(struct device *dev)
{
	return container_of(dev, struct piix4_isa, pci.dev);
}

/* --- PIRQ lines */

/* An interrupt number, or ISA_IRQS when PIRQ @n leads nowhere. */
static unsigned int route_of(const struct piix4_isa *isa, unsigned int n)
{
	uint8_t pirqrc = isa->s.config[PIRQRCA + n];
	unsigned int irq = pirqrc & PIRQRC_IRQ;

	if ((pirqrc & PIRQRC_DISABLED) || !(ROUTABLE_IRQS & BIT(irq)))
		return ISA_IRQS;
	return irq;
}

static void piix4_isa_update_irq(struct piix4_isa *isa)
{
	for (unsigned int i = 0; i < PCI_PIRQS; i++) {
		struct irq_line *line = &isa->pirq[i];
		unsigned int route = route_of(isa, i);

		if (line->n != route) {
			/* It lets go of the old interrupt before it pulls the new one. */
			irq_set(line, false);
			line->n = route;
		}
		irq_set(line, route < ISA_IRQS && isa->pci.bus->pirq_asserted[i]);
	}
}

/* An irq_sink_fn: the level of a PIRQ line, which stands in the bus too. */
static void pirq_changed(void *opaque, unsigned int n, bool level)
{
	(void)n;
	(void)level;
	piix4_isa_update_irq(opaque);
}

static void pirqrc_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (old != value)
		piix4_isa_update_irq(piix4_isa_of(dev));
}

/* --- configuration registers */

#define ROW(off, wid, nam, res, wr, ...)                                                           \
	PCI_ROW(struct piix4_isa, off, wid, nam, res, wr, __VA_ARGS__)
#define PIRQRC_ROW(n, nam)                                                                         \
	ROW(PIRQRCA + (n), 1, nam, PIRQRC_DISABLED, PIRQRC_WRITABLE, .on_write = pirqrc_on_write)

static const struct reg piix4_isa_config_regs[] = {
	PCI_COMMON_ROWS(struct piix4_isa, 0x8086, 0x7110, 0x0007, 0x0108, 0x0280, 0x7800, 0x02,
			0x060100, 0, 0x80),
	ROW(IORT, 1, "IORT", 0x4d, 0xff),
	ROW(XBCS, 2, "XBCS", 0x0003, 0x07ff),
	PIRQRC_ROW(0, "PIRQRCA"),
	PIRQRC_ROW(1, "PIRQRCB"),
	PIRQRC_ROW(2, "PIRQRCC"),
	PIRQRC_ROW(3, "PIRQRCD"),
	ROW(SERIRQC, 1, "SERIRQC", 0x10, 0xc3),
	ROW(TOM, 1, "TOM", 0x02, 0xfe),
	ROW(MSTAT, 2, "MSTAT", 0, 0x0080, .w1c = 0x8000),
	ROW(MBDMA0, 1, "MBDMA0", 0x04, 0x8f),
	ROW(MBDMA1, 1, "MBDMA1", 0x04, 0x8f),
	ROW(APICBASE, 1, "APICBASE", 0, 0x7f),
	ROW(DLC, 1, "DLC", 0, 0x0f),
	ROW(PDMACFG, 2, "PDMACFG", 0, 0xfcff),
	ROW(DDMABASE0, 2, "DDMABASE0", 0, 0xffc0),
	ROW(DDMABASE1, 2, "DDMABASE1", 0, 0xffc0),
	ROW(GENCFG, 4, "GENCFG", 0, 0xffffffff),
	ROW(RTCCFG, 1, "RTCCFG", 0x21, 0x3d),
};

static const struct reg_bank piix4_isa_config_bank = {
	.name = "piix4-isa-config",
	.regs = piix4_isa_config_regs,
	.count = ARRAY_LEN(piix4_isa_config_regs),
	.size = PCI_CONFIG_SIZE,
	.open = 0x00,
};

/* --- edge/level control */

uint16_t piix4_isa_elcr(const struct device *dev)
{
	return get_le16(((const struct piix4_isa *)(const void *)dev)->s.elcr);
}

static void announce_elcr(struct piix4_isa *isa)
{
	uint16_t elcr = piix4_isa_elcr(&isa->pci.dev);

	if (elcr == isa->elcr_told)
		return;
	isa->elcr_told = elcr;
	if (isa->elcr_changed)
		isa->elcr_changed(isa->elcr_opaque, elcr);
}

static const struct reg elcr_regs[] = {
	REG(struct piix4_isa, s.elcr[0], 0, 1, "ELCR1", 0, ELCR1_WRITABLE),
	REG(struct piix4_isa, s.elcr[1], 1, 1, "ELCR2", 0, ELCR2_WRITABLE),
};

static const struct reg_bank elcr_bank = {
	.name = "piix4-elcr",
	.regs = elcr_regs,
	.count = ARRAY_LEN(elcr_regs),
	.size = 2,
	.open = 0xff,
};

static uint32_t elcr_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&elcr_bank, dev, offset, size);
}

static void elcr_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&elcr_bank, dev, offset, size, value);
	announce_elcr(piix4_isa_of(dev));
}

/* --- reset control */

static void rc_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (!(old & RC_RCPU) && (value & RC_RCPU))
		dev->env->request(dev->env,
				  value & RC_SRST ? REQUEST_RESET_HARD : REQUEST_RESET_INIT);
}

static const struct reg rc_regs[] = {
	REG(struct piix4_isa, s.rc, 0, 1, "RC", 0, RC_RCPU | RC_SRST, .on_write = rc_on_write),
};

static const struct reg_bank rc_bank = {
	.name = "piix4-rc",
	.regs = rc_regs,
	.count = ARRAY_LEN(rc_regs),
	.size = 1,
	.open = 0xff,
};

static uint32_t rc_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&rc_bank, dev, offset, size);
}

static void rc_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&rc_bank, dev, offset, size, value);
}

/* --- life */

static int piix4_isa_init(struct device *dev, const void *config)
{
	const struct piix4_isa_config *isa_config = config;
	struct piix4_isa *isa = piix4_isa_of(dev);
	int r;

	if (!isa_config->bus)
		return -EINVAL;
	r = pci_attach(&isa->pci, isa_config->bus, isa_config->devfn);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < PCI_PIRQS; i++) {
		isa->pirq[i].n = ISA_IRQS;
		isa->pirq[i].sink = isa_config->isa_irq;
		isa->pirq[i].opaque = isa_config->isa_irq_opaque;
	}
	isa->elcr_changed = isa_config->elcr_changed;
	isa->elcr_opaque = isa_config->elcr_opaque;
	isa->pci.bus->pirq_sink = pirq_changed;
	isa->pci.bus->pirq_opaque = isa;
	return 0;
}

static void piix4_isa_reset(struct device *dev, enum reset_kind kind)
{
	struct piix4_isa *isa = piix4_isa_of(dev);

	pci_reset(&isa->pci, kind);
	reg_bank_reset(&elcr_bank, dev);
	reg_bank_reset(&rc_bank, dev);
	announce_elcr(isa);
	piix4_isa_update_irq(isa);
}

static void piix4_isa_post_load(struct device *dev)
{
	struct piix4_isa *isa = piix4_isa_of(dev);

	pci_post_load(&isa->pci);
	announce_elcr(isa);
	piix4_isa_update_irq(isa);
}

static void piix4_isa_fini(struct device *dev)
{
	struct piix4_isa *isa = piix4_isa_of(dev);

	isa->pci.bus->pirq_sink = NULL;
	for (unsigned int i = 0; i < PCI_PIRQS; i++)
		irq_set(&isa->pirq[i], false);
	pci_detach(&isa->pci);
}

static const struct io_region_desc piix4_isa_regions[] = {
	{
		.name = "elcr",
		.space = IO_PORT,
		.base = 0x4d0,
		.length = 2,
		.read = elcr_read,
		.write = elcr_write,
	},
	{
		.name = "rc",
		.space = IO_PORT,
		.base = 0xcf9,
		.length = 1,
		.read = rc_read,
		.write = rc_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const piix4_isa_banks[] = { &piix4_isa_config_bank, &elcr_bank,
							  &rc_bank, NULL };

static const struct pci_class piix4_isa_pci = {
	.config = &piix4_isa_config_bank,
	.config_offset = offsetof(struct piix4_isa, s.config),
};

/* The board must give the bus. */
static const struct piix4_isa_config piix4_isa_default = { .devfn = PCI_DEVFN(1, 0) };

const struct device_class piix4_isa_class = {
	.name = "piix4_isa",
	.summary = "PIIX4 PCI to ISA bridge: interrupt routing, reset control",
	DEVICE_STATE(struct piix4_isa),
	.regions = piix4_isa_regions,
	.banks = piix4_isa_banks,
	.fields = piix4_isa_fields,
	.pci = &piix4_isa_pci,
	.default_config = &piix4_isa_default,
	.init = piix4_isa_init,
	.reset = piix4_isa_reset,
	.post_load = piix4_isa_post_load,
	.fini = piix4_isa_fini,
};
