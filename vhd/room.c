// SPDX-License-Identifier: GPL-2.0-or-later
/* The gaps between the structures of a file. */
#include "image.h"

struct gap {
	uint64_t from, end;
};

static void end_before(struct gap *gap, uint64_t place, uint64_t bytes)
{
	if (place + bytes > gap->from)
		gap->end = min_u64(gap->end, max_u64(place, gap->from));
}

static int end_before_block(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	(void)block;
	end_before(opaque, (uint64_t)sector * VHD_SECTOR_BYTES, vhd_block_extent(v));
	return 0;
}

int vhd_room_end(struct vhd *v, uint64_t from, uint64_t *ret_end)
{
	struct gap gap = { .from = from, .end = max_u64(v->alloc_end, from) };
	int r;

	end_before(&gap, v->footer.data_offset, VHD_HEADER_BYTES);
	end_before(&gap, v->header.table_offset,
		   (uint64_t)v->header.table_entries * VHD_ENTRY_BYTES);
	r = vhd_bat_walk(v, v->header.table_entries, end_before_block, &gap);
	if (r == 0)
		*ret_end = gap.end;
	return r;
}
