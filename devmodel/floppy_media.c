// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floppy disk formats, from the IBM PC's 160 KB to extended density.
 *
 * All have sectors of 512 bytes, numbered from 1, in MFM. A 5.25-inch disk of double density is
 * read at 250 kbit/s by its own drive and at 300 kbit/s by a 1.2 MB drive, which turns faster;
 * SeaBIOS asks the former, too, for 300. So both rates read it. Every other format has one rate:
 * systems tell densities apart by the rate at which reading fails (OS/2 1.x relies on it).
 *
 * Not emulated, because images of sectors cannot hold it: deleted data marks, other sector sizes
 * and numberings, sectors with errors, FM.
 */
#include "floppy_media.h"

#include <errno.h>
#include <stddef.h>

#include "../base/bits.h"

#define RATES_5_25_DD (BIT(FLOPPY_250K) | BIT(FLOPPY_300K))

const struct floppy_format floppy_formats[] = {
	{ "160K", 40, 1, 8, FLOPPY_5_25, FLOPPY_DD, RATES_5_25_DD },
	{ "180K", 40, 1, 9, FLOPPY_5_25, FLOPPY_DD, RATES_5_25_DD },
	{ "320K", 40, 2, 8, FLOPPY_5_25, FLOPPY_DD, RATES_5_25_DD },
	{ "360K", 40, 2, 9, FLOPPY_5_25, FLOPPY_DD, RATES_5_25_DD },
	{ "720K", 80, 2, 9, FLOPPY_3_5, FLOPPY_DD, BIT(FLOPPY_250K) },
	{ "1.2M", 80, 2, 15, FLOPPY_5_25, FLOPPY_HD, BIT(FLOPPY_500K) },
	{ "1.44M", 80, 2, 18, FLOPPY_3_5, FLOPPY_HD, BIT(FLOPPY_500K) },
	{ "1.68M", 80, 2, 21, FLOPPY_3_5, FLOPPY_HD, BIT(FLOPPY_500K) }, /* DMF */
	{ "2.88M", 80, 2, 36, FLOPPY_3_5, FLOPPY_ED, BIT(FLOPPY_1M) },
	{ .name = NULL },
};

uint64_t floppy_format_bytes(const struct floppy_format *format)
{
	return (uint64_t)format->tracks * format->heads * format->sectors * BLOCK_SECTOR_BYTES;
}

const struct floppy_format *floppy_format_find(uint64_t bytes)
{
	for (const struct floppy_format *format = floppy_formats; format->name; format++) {
		if (floppy_format_bytes(format) == bytes)
			return format;
	}
	return NULL;
}

int floppy_media_open(struct floppy_media *media, struct block_backend *backend)
{
	const struct floppy_format *format = NULL;
	struct block_info info = { 0 };

	if (backend) {
		block_info(backend, &info);
		format = floppy_format_find(info.size_bytes);
		if (!format)
			return -EINVAL;
	}
	*media = (struct floppy_media){
		.backend = backend,
		.format = format,
		.read_only = info.read_only,
	};
	return 0;
}

uint64_t floppy_media_offset(const struct floppy_media *media, unsigned int track,
			     unsigned int head, unsigned int sector)
{
	const struct floppy_format *format = media->format;

	return ((uint64_t)(track * format->heads + head) * format->sectors + sector - 1) *
	       BLOCK_SECTOR_BYTES;
}
