/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_BIOS_DISK_H
#define DEVMODEL_BIOS_DISK_H

#include "block.h"
#include "device.h"

#define BIOS_DISK_UNITS 4

struct bios_disk_config {
	/* As the IDE drives have them: primary master and slave, secondary master and slave. */
	struct block_backend *disks[BIOS_DISK_UNITS];
};

extern const struct device_class bios_disk_class;

#endif
