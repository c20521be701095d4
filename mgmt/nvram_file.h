/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a machine's battery (base/nvram.h), as its starter sees it. */
#ifndef MGMT_NVRAM_FILE_H
#define MGMT_NVRAM_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "machine_config.h"

/*
 * Opens, makes if missing, and locks config->nvram, and takes the uuid in it unless another was
 * given. *ret_made: it was made now. The descriptor, or -errno with one line in @error.
 */
int nvram_file_open(struct machine_config *config, bool *ret_made, char *error, size_t error_size);

#endif
