/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial port: National Semiconductor PC16550D. */
#ifndef DEVMODEL_NS16550_H
#define DEVMODEL_NS16550_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

struct chario;

struct ns16550_config {
	uint64_t base;	       /* first of eight ports */
	struct chario *chario; /* NULL: nothing is plugged in */
	/* Bytes take the time that the line's speed gives them; otherwise as little as can be. */
	bool paced;
};

extern const struct device_class ns16550_class;

#endif
