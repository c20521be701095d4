// SPDX-License-Identifier: GPL-2.0-or-later
/* The block table. An entry is checked each time it is used: the file may hold anything. */
#include "image.h"

#include <errno.h>

#include "../base/bytes.h"

/* One read of the table while walking through it. */
#define WALK_BYTES 16384u

/* The bitmap must be in the file; data that its end cuts off reads as zeros. */
static bool is_inside(const struct vhd *v, uint32_t sector)
{
	return (uint64_t)sector * VHD_SECTOR_BYTES + v->bitmap_bytes <= vhd_data_limit(v);
}

bool vhd_bat_entry_is_sound(const struct vhd *v, uint32_t sector)
{
	uint64_t offset = (uint64_t)sector * VHD_SECTOR_BYTES;
	uint64_t end = offset + vhd_block_extent(v);
	uint64_t table = v->header.table_offset;
	uint64_t table_end = table + (uint64_t)v->header.table_entries * VHD_ENTRY_BYTES;
	uint64_t header = v->footer.data_offset;

	if (!is_inside(v, sector) || offset < VHD_FOOTER_BYTES)
		return false;
	return (offset >= table_end || table >= end) &&
	       (offset >= header + VHD_HEADER_BYTES || header >= end);
}

static int fail_entry(struct vhd *v, uint32_t block, uint32_t sector)
{
	return vhd_fail(v, -EUCLEAN, "block %u at sector %u %s", block, sector,
			is_inside(v, sector) ? "overlaps the header or the block table"
					     : "lies beyond the end of the file");
}

static int table_slot(struct vhd *v, uint32_t block, struct vhd_slot **ret_slot, uint8_t **ret_data)
{
	uint64_t sector =
		v->header.table_offset / VHD_SECTOR_BYTES + block / VHD_ENTRIES_PER_SECTOR;

	return vhd_cache_get(v, sector, 0, false, ret_slot, ret_data);
}

int vhd_bat_get(struct vhd *v, uint32_t block, uint64_t *ret_offset)
{
	struct vhd_hint *hint = vhd_hint_of(v, block);
	struct vhd_slot *slot;
	uint8_t *data;
	uint32_t sector;
	int r;

	if (hint && hint->sector) {
		sector = hint->sector;
		*ret_offset = sector == VHD_BLOCK_ABSENT ? 0 : (uint64_t)sector * VHD_SECTOR_BYTES;
		return 0;
	}
	r = table_slot(v, block, &slot, &data);
	if (r < 0)
		return r;
	sector = get_be32(data + block % VHD_ENTRIES_PER_SECTOR * VHD_ENTRY_BYTES);
	if (hint && (sector == VHD_BLOCK_ABSENT || vhd_bat_entry_is_sound(v, sector)))
		hint->sector = sector;
	if (sector == VHD_BLOCK_ABSENT) {
		*ret_offset = 0;
		return 0;
	}
	if (!vhd_bat_entry_is_sound(v, sector))
		return fail_entry(v, block, sector);
	*ret_offset = (uint64_t)sector * VHD_SECTOR_BYTES;
	return 0;
}

int vhd_bat_set(struct vhd *v, uint32_t block, uint64_t offset)
{
	struct vhd_slot *slot;
	uint8_t *data;
	int r = table_slot(v, block, &slot, &data);

	if (r < 0)
		return r;
	if (vhd_hint_of(v, block))
		*vhd_hint_of(v, block) = (struct vhd_hint){ 0 };
	if (v->memo && block < v->block_count)
		vhd_memo_forget(v, block);
	put_be32(data + block % VHD_ENTRIES_PER_SECTOR * VHD_ENTRY_BYTES,
		 (uint32_t)(offset / VHD_SECTOR_BYTES));
	vhd_cache_dirty(v, slot);
	return 0;
}

/* Reads the file, so the cache must not hold changes of the table. */
int vhd_bat_walk(struct vhd *v, uint32_t entries,
		 int (*each)(struct vhd *v, uint32_t block, uint32_t sector, void *opaque),
		 void *opaque)
{
	uint8_t buffer[WALK_BYTES];

	for (uint32_t block = 0; block < entries;) {
		uint32_t count = (uint32_t)min_u64(entries - block, WALK_BYTES / VHD_ENTRY_BYTES);
		int r = vhd_file_read(v, v->header.table_offset + (uint64_t)block * VHD_ENTRY_BYTES,
				      buffer, count * VHD_ENTRY_BYTES);

		for (uint32_t i = 0; i < count && r == 0; i++) {
			uint32_t sector = get_be32(buffer + i * VHD_ENTRY_BYTES);

			if (sector != VHD_BLOCK_ABSENT)
				r = each(v, block + i, sector, opaque);
		}
		if (r != 0)
			return r;
		block += count;
	}
	return 0;
}
