/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_PS2_MOUSE_H
#define DEVMODEL_PS2_MOUSE_H

#include "device.h"
#include "input.h"
#include "ps2.h"

struct ps2_mouse_config {
	struct ps2_port *port; /* NULL: not plugged in */
	struct input *input;   /* who moves it; may be NULL */
};

extern const struct device_class ps2_mouse_class;

#endif
