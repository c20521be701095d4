/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens an image, or a drive of the host, for a machine: checked, and locked by its descriptor. */
#ifndef MGMT_IMAGE_FILE_H
#define MGMT_IMAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum image_kind { IMAGE_DISK, IMAGE_FLOPPY, IMAGE_CDROM };

struct image_file {
	const char *path;
	enum image_kind kind;
	unsigned int format; /* enum machine_disk_format */
	bool read_only;
};

/* The descriptor, locked; what is in the file is not looked at. */
int image_file_look(const struct image_file *image, char *error, size_t error_size);

/*
 * An image without ancestors. The descriptor, or -errno with one line in @error that begins with the path. *ret_bytes, if not
 * NULL, is the size of what the guest will see. The lock lives as long as a copy of the descriptor:
 * exclusive, or shared for images that are only read.
 */
int image_file_open(const struct image_file *image, uint64_t *ret_bytes, char *error,
		    size_t error_size);

#endif
