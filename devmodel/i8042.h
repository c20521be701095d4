/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_I8042_H
#define DEVMODEL_I8042_H

#include "device.h"
#include "ps2.h"

extern const struct device_class i8042_class;

/* The connectors, for the configuration of a keyboard and a mouse; they live as long as @dev. */
struct ps2_port *i8042_keyboard_port(struct device *dev);
struct ps2_port *i8042_mouse_port(struct device *dev);

#endif
