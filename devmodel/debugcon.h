/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug console of the firmware: port 402h. */
#ifndef DEVMODEL_DEBUGCON_H
#define DEVMODEL_DEBUGCON_H

#include "device.h"

struct chario;

struct debugcon_config {
	struct chario *chario; /* NULL: the port is there, but tells that nobody listens */
};

extern const struct device_class debugcon_class;

#endif
