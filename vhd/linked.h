/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that present a host's block device as a disk, see vhd_chain.h. Nothing here is for others. */
#ifndef VHD_LINKED_H
#define VHD_LINKED_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the file begins as such a file does. */
bool vhd_is_linked(int fd);
/*
 * Opens the device that it names; with *read_only false for writing too, unless the file or the
 * host's use of the device forbids that, which sets it. A descriptor, or -errno with one line in
 * @error.
 */
int vhd_open_linked(int fd, const char *name, bool *read_only, char *error, size_t error_size);

#endif
