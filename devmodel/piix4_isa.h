/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI to ISA bridge: function 0 of the Intel 82371EB (PIIX4E). */
#ifndef DEVMODEL_PIIX4_ISA_H
#define DEVMODEL_PIIX4_ISA_H

#include <stdint.h>

#include "device.h"

struct pci_bus;

struct piix4_isa_config {
	struct pci_bus *bus; /* its PIRQ lines lead here from now on */
	uint8_t devfn;
	irq_sink_fn
		*isa_irq; /* where the routed PIRQ lines go, as one source for each: an irq_hub */
	void *isa_irq_opaque;
	/* The edge/level control register has changed; may be NULL. */
	void (*elcr_changed)(void *opaque, uint16_t elcr);
	void *elcr_opaque;
};

/* Bit n: ISA interrupt n is level-triggered. */
uint16_t piix4_isa_elcr(const struct device *dev);

extern const struct device_class piix4_isa_class;

#endif
