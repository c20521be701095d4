/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A floppy disk: the formats that there are, and which of them an image's size means. An image
 * holds the sectors in the order of track, head, sector, and nothing else.
 */
#ifndef DEVMODEL_FLOPPY_MEDIA_H
#define DEVMODEL_FLOPPY_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "block.h"

/* Data rates as the controller's rate bits name them. */
enum floppy_rate { FLOPPY_500K, FLOPPY_300K, FLOPPY_250K, FLOPPY_1M };

enum floppy_size { FLOPPY_5_25, FLOPPY_3_5 };
enum floppy_density { FLOPPY_DD, FLOPPY_HD, FLOPPY_ED };

#define FLOPPY_N 2 /* the size code of a sector of 512 bytes */

struct floppy_format {
	const char *name; /* NULL ends the table */
	uint8_t tracks, heads, sectors;
	uint8_t size;	 /* enum floppy_size */
	uint8_t density; /* enum floppy_density */
	uint8_t rates;	 /* a bit for each enum floppy_rate at which it can be read */
};

extern const struct floppy_format floppy_formats[];

struct floppy_media {
	struct block_backend *backend; /* NULL: none */
	const struct floppy_format *format;
	bool read_only;
};

uint64_t floppy_format_bytes(const struct floppy_format *format);
/* The format of an image of @bytes, or NULL. */
const struct floppy_format *floppy_format_find(uint64_t bytes);

/* 0, or -EINVAL when the image has the size of no format. @backend NULL: no disk. */
int floppy_media_open(struct floppy_media *media, struct block_backend *backend);

/* Where in the image the sector begins; it must be within the format. */
uint64_t floppy_media_offset(const struct floppy_media *media, unsigned int track,
			     unsigned int head, unsigned int sector);

#endif
