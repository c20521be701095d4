/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parallel port with a printer at it. */
#ifndef DEVMODEL_PARPORT_H
#define DEVMODEL_PARPORT_H

#include <stdint.h>

#include "device.h"

struct chario;

struct parport_config {
	uint64_t base;	       /* first of three ports */
	struct chario *chario; /* NULL: no cable */
};

extern const struct device_class parport_class;

#endif
