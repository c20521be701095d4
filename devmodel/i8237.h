/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_I8237_H
#define DEVMODEL_I8237_H

#include "device.h"
#include "isa_dma.h"

extern const struct device_class i8237_class;

/* For the configuration of a device that uses ISA DMA; lives as long as @dev. */
struct isa_dma *i8237_isa_dma(struct device *dev);

#endif
