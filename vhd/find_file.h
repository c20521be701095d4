/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files whose names were written on systems that do not care about case. */
#ifndef VHD_FIND_FILE_H
#define VHD_FIND_FILE_H

#include <stddef.h>

/*
 * The path of the file that @path names, from @folder if it is relative: as it stands, or else the
 * same without regard to case, component by component. 0, -ENOENT, or -ENAMETOOLONG.
 */
int vhd_find_file(const char *folder, const char *path, char *ret_path, size_t size);

#endif
