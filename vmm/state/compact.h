/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of the compact form; part of statefile.h. */
#ifndef STATE_COMPACT_H
#define STATE_COMPACT_H

#include "statefile.h"

/* As statefile_load(); a block can be left out by NULL. */
int compact_load(const struct statefile *file, void *const blocks[], char *error,
		 size_t error_size);

#endif
