/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DEC 21140A and 21143 fast Ethernet controllers. */
#ifndef DEVMODEL_DEC21140_H
#define DEVMODEL_DEC21140_H

#include "device.h"
#include "nic.h"
#include "pci.h"

struct dec21140_config {
	struct pci_bus *bus;
	uint8_t devfn;
	uint8_t mac[NIC_MAC_BYTES];
	struct nic *nic; /* NULL: no cable */
};

extern const struct device_class dec21140_class;
extern const struct device_class dec21143_class;

#endif
