/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_PS2_KEYBOARD_H
#define DEVMODEL_PS2_KEYBOARD_H

#include "device.h"
#include "input.h"
#include "ps2.h"

struct ps2_keyboard_config {
	struct ps2_port *port; /* NULL: not plugged in */
	struct input *input;   /* who types and who sees the LEDs; may be NULL */
};

extern const struct device_class ps2_keyboard_class;

#endif
