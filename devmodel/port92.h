/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_PORT92_H
#define DEVMODEL_PORT92_H

#include "device.h"

extern const struct device_class port92_class;

#endif
