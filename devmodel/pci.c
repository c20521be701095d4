// SPDX-License-Identifier: GPL-2.0-or-later
#include "pci.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

void pci_bus_init(struct pci_bus *bus)
{
	memset(bus, 0, sizeof(*bus));
}

int pci_attach(struct pci_function *function, struct pci_bus *bus, uint8_t devfn)
{
	if (bus->functions[devfn])
		return -EBUSY;
	function->bus = bus;
	function->devfn = devfn;
	bus->functions[devfn] = function;
	return 0;
}

void pci_detach(struct pci_function *function)
{
	pci_set_intx(function, false);
	function->bus->functions[function->devfn] = NULL;
}

static uint8_t *config_of(struct pci_function *function)
{
	return (uint8_t *)function + function->dev.class->pci->config_offset;
}

static uint16_t command_of(struct pci_function *function)
{
	return get_le16(config_of(function) + PCI_CMD);
}

uint32_t pci_config_read(struct pci_bus *bus, uint8_t devfn, uint8_t offset, unsigned int size)
{
	struct pci_function *function = bus->functions[devfn];

	if (!function)
		return mask32(size * 8);
	return reg_bank_read(function->dev.class->pci->config, &function->dev, offset, size);
}

void pci_config_write(struct pci_bus *bus, uint8_t devfn, uint8_t offset, unsigned int size,
		      uint32_t value)
{
	struct pci_function *function = bus->functions[devfn];
	const struct pci_class *pci;

	if (!function)
		return;
	pci = function->dev.class->pci;
	reg_bank_write(pci->config, &function->dev, offset, size, value);
	if (pci->config_written)
		pci->config_written(&function->dev);
}

/* Where the guest wants the region of @bar, or IO_UNMAPPED. */
static uint64_t bar_address(struct pci_function *function, const struct pci_bar *bar)
{
	const struct io_region_desc *desc = &function->dev.class->regions[bar->region];
	uint32_t value = get_le32(config_of(function) + bar->config_offset);
	bool port = desc->space == IO_PORT;
	uint32_t base = value & (port ? ~3u : ~15u);

	if (!(command_of(function) & (port ? PCI_CMD_IOSE : PCI_CMD_MSE)))
		return IO_UNMAPPED;
	/* Address 0 and all ones are what a sizing probe leaves; the bus decodes nothing there. */
	if (!base || base == (0u - desc->length) || (port && base > 0xffff))
		return IO_UNMAPPED;
	return base;
}

static void place_regions(struct pci_function *function)
{
	const struct pci_bar *bar = function->dev.class->pci->bars;

	for (; bar && bar->config_offset; bar++)
		device_move_region(&function->dev, bar->region, bar_address(function, bar));
}

void pci_on_decode(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (old != value)
		place_regions(container_of(dev, struct pci_function, dev));
}

void pci_reset(struct pci_function *function, enum reset_kind kind)
{
	if (kind != RESET_SLEEP)
		reg_bank_reset(function->dev.class->pci->config, &function->dev);
	place_regions(function);
	pci_set_intx(function, false);
}

void pci_post_load(struct pci_function *function)
{
	place_regions(function);
}

void pci_set_intx(struct pci_function *function, bool level)
{
	struct pci_bus *bus = function->bus;
	uint8_t pin = config_of(function)[PCI_INTPN];
	unsigned int pirq;
	bool before;

	if (function->intx == level)
		return;
	assert(pin >= 1 && pin <= 4);
	function->intx = level;
	pirq = ((function->devfn >> 3) - 1u + (pin - 1u)) % PCI_PIRQS;
	before = bus->pirq_asserted[pirq] != 0;
	if (level)
		bus->pirq_asserted[pirq]++;
	else
		bus->pirq_asserted[pirq]--;
	if (before != (bus->pirq_asserted[pirq] != 0) && bus->pirq_sink)
		bus->pirq_sink(bus->pirq_opaque, pirq, level);
}

static bool may_master(struct pci_function *function)
{
	return command_of(function) & PCI_CMD_BME;
}

int pci_dma_read(struct pci_function *function, uint64_t gpa, void *data, size_t size)
{
	if (!may_master(function))
		return -EACCES;
	return dma_read(function->dev.env->dma, gpa, data, size);
}

int pci_dma_write(struct pci_function *function, uint64_t gpa, const void *data, size_t size)
{
	if (!may_master(function))
		return -EACCES;
	return dma_write(function->dev.env->dma, gpa, data, size);
}

void *pci_dma_map(struct pci_function *function, uint64_t gpa, size_t size)
{
	return may_master(function) ? dma_map(function->dev.env->dma, gpa, size) : NULL;
}

void pci_dma_written(struct pci_function *function, const void *mapped, size_t size)
{
	dma_written(function->dev.env->dma, mapped, size);
}
