/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST code display: port 80h. */
#ifndef DEVMODEL_POST_CODE_H
#define DEVMODEL_POST_CODE_H

#include <stdint.h>

#include "device.h"

/* The last code: how far the firmware came. */
uint8_t post_code_last(const struct device *dev);

extern const struct device_class post_code_class;

#endif
