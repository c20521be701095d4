// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The deep examination of a dynamic disk: sectors whose bit is clear must be zeros in the file,
 * since some readers do not look at bitmaps.
 */
#include "check.h"

#include <errno.h>

struct deep {
	struct vhd_checker *c;
	uint64_t done;
};

static bool is_zero(const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

/* The first sector of @count from @sector on that is not zeros; @count when all are. */
static int find_rubbish(struct vhd *v, uint64_t data, uint32_t sector, uint32_t count,
			uint32_t *ret_found)
{
	uint64_t limit = vhd_data_limit(v);
	uint8_t buffer[32 * VHD_SECTOR_BYTES];

	*ret_found = count;
	for (uint32_t i = 0; i < count;) {
		uint64_t at = data + (uint64_t)(sector + i) * VHD_SECTOR_BYTES;
		uint32_t n = (uint32_t)min_u64(count - i, sizeof(buffer) / VHD_SECTOR_BYTES);
		int r;

		if (at >= limit)
			return 0;
		n = (uint32_t)min_u64(n, (limit - at) / VHD_SECTOR_BYTES);
		r = n ? vhd_file_read(v, at, buffer, n * VHD_SECTOR_BYTES) : 0;
		if (r < 0 || !n)
			return r;
		for (uint32_t k = 0; k < n; k++) {
			if (!is_zero(buffer + k * VHD_SECTOR_BYTES, VHD_SECTOR_BYTES)) {
				*ret_found = i + k;
				return 0;
			}
		}
		i += n;
	}
	return 0;
}

static int look_at_bitmap(struct vhd *v, uint32_t block, uint32_t place, void *opaque)
{
	struct deep *deep = opaque;
	struct vhd_checker *c = deep->c;
	uint64_t offset = (uint64_t)place * VHD_SECTOR_BYTES;
	uint32_t sectors = v->header.block_bytes / VHD_SECTOR_BYTES;

	if (!vhd_bat_entry_is_sound(v, place))
		return 0;
	if (c->options->progress && c->options->progress(deep->done++, c->used, c->options->opaque))
		return -ECANCELED;
	for (uint32_t sector = 0; sector < sectors;) {
		uint32_t run, found;
		bool set;
		int r = vhd_bitmap_run(v, block, offset, sector, sectors - sector, &run, &set);

		if (r == 0 && !set)
			r = find_rubbish(v, offset + v->bitmap_bytes, sector, run, &found);
		if (r < 0)
			return r;
		if (!set && found < run) {
			vhd_check_tell_block(
				c, (struct vhd_verdict){ KIND_DIRTY, VHD_WARNING, false, false },
				block,
				"has data in sector %u, which its bitmap does not "
				"have: readers disagree about it; a copy by convert "
				"is clean",
				sector + found);
			return 0;
		}
		sector += run;
	}
	return 0;
}

int vhd_check_bitmaps(struct vhd_checker *c)
{
	struct deep deep = { .c = c };

	return vhd_bat_walk(c->v, c->v->block_count, look_at_bitmap, &deep);
}
