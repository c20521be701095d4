/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any device class on the bench, with what its default configuration wants of a board. */
#ifndef TESTS_LIB_CLASS_SETUP_H
#define TESTS_LIB_CLASS_SETUP_H

#include "bench.h"

/* A device of @class on @b. Fails the test when it cannot be made. */
struct device *class_setup(struct bench *b, const struct device_class *class);

#endif
