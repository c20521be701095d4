/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power management and SMBus: function 3 of the Intel 82371EB (PIIX4E). */
#ifndef DEVMODEL_PIIX4_PM_H
#define DEVMODEL_PIIX4_PM_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

/* What the FADT tells of it besides addresses: values for SMI_CMD, its port, suspend types. */
#define PIIX4_PM_APMC_PORT 0xb2
#define PIIX4_PM_ACPI_ENABLE 0xf1
#define PIIX4_PM_ACPI_DISABLE 0xf0
#define PIIX4_PM_SUS_TYP_SOFF 0 /* S5 */
#define PIIX4_PM_SUS_TYP_STR 1	/* S3 */

struct pci_bus;

struct piix4_pm_config {
	struct pci_bus *bus;
	uint8_t devfn;
	uint64_t memory_bytes; /* what the modules' EEPROMs at SMBus addresses 50h to 53h tell */
};

/* A press of the power button. */
void piix4_pm_power_button(struct device *dev);

/* Whether something has happened that wakes a machine from S3: the power button, or the alarm. */
bool piix4_pm_wake_pending(const struct device *dev);

/* An irq_sink_fn, @dev the device: the RTC's interrupt output. */
void piix4_pm_rtc_irq(void *dev, unsigned int n, bool level);

extern const struct device_class piix4_pm_class;

#endif
