/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_PORT61_H
#define DEVMODEL_PORT61_H

#include "device.h"

/* How the port meets counter 2 of the interval timer; both calls may be NULL. */
struct port61_config {
	bool (*out2)(void *opaque);
	void (*gate2_changed)(void *opaque, bool gate, bool speaker);
	void *opaque;
};

extern const struct device_class port61_class;

#endif
