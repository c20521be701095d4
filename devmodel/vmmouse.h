/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_VMMOUSE_H
#define DEVMODEL_VMMOUSE_H

#include "device.h"

struct input;

struct vmmouse_config {
	struct input *input; /* NULL: nobody points */
};

extern const struct device_class vmmouse_class;

#endif
