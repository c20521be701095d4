/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_NULL_DEVICE_H
#define DEVMODEL_NULL_DEVICE_H

#include "device.h"

struct null_config {
	uint64_t base; /* first of two ports, or IO_UNMAPPED */
};

extern const struct device_class null_device_class;

#endif
