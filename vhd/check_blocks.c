// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Examining the block table: does every entry lead to a place of its own in the file?
 *
 * Theory of operation
 *
 * Overlaps and gaps show when the blocks are sorted by their places. The table may have millions of
 * entries and memory is bounded, so places are sorted in windows: a first walk through the table
 * counts how many blocks begin in each of 65536 equal parts of the addressable file; then
 * neighbouring parts are taken together as long as their blocks fit the memory, and each such window
 * is filled by another walk, sorted and looked through. The usual disk needs one window. More blocks
 * in one part than the memory holds cannot lie side by side in it: those beyond are told as overlaps
 * without being compared.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"

#define PARTS 65536u
#define PART_SHIFT 16 /* a place is a sector of 32 bits */
#define WINDOW_ENTRIES (VHD_CHECK_MEMORY_BYTES / 2 / sizeof(uint64_t))
#define DATA_ALIGN 4096u

struct window {
	struct vhd_checker *c;
	uint32_t *parts;   /* blocks that begin in each */
	uint64_t *entries; /* place << 32 | block */
	size_t count, room;
	uint32_t first, end; /* parts */
};

static int clear_entry(struct vhd *v, uint32_t block)
{
	static const uint8_t absent[VHD_ENTRY_BYTES] = { 0xff, 0xff, 0xff, 0xff };

	return vhd_file_write(v, v->header.table_offset + (uint64_t)block * VHD_ENTRY_BYTES, absent,
			      sizeof(absent));
}

/* --- first walk */

static int tell_unsound(struct vhd_checker *c, uint32_t block, uint32_t sector)
{
	const struct vhd_verdict verdict = { KIND_OUTSIDE, VHD_ERROR, true, true };
	uint64_t offset = (uint64_t)sector * VHD_SECTOR_BYTES;
	bool beyond = offset + c->v->bitmap_bytes > vhd_data_limit(c->v);

	if (!vhd_check_tell_block(c, verdict, block,
				  beyond ? "at sector %u lies beyond the end of the file"
					 : "at sector %u lies on the header or the block table",
				  sector))
		return 0;
	return clear_entry(c->v, block);
}

static int count_entry(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	struct window *w = opaque;
	struct vhd_checker *c = w->c;

	if (!vhd_bat_entry_is_sound(v, sector))
		return tell_unsound(c, block, sector);
	if (block >= v->block_count)
		vhd_check_tell_block(c,
				     (struct vhd_verdict){ KIND_BEYOND, VHD_WARNING, false, false },
				     block, "lies beyond the end of the disk");
	else
		c->used++;
	if (((uint64_t)sector * VHD_SECTOR_BYTES + v->bitmap_bytes) % DATA_ALIGN)
		c->misaligned++;
	w->parts[sector >> PART_SHIFT]++;
	return 0;
}

/* --- windows */

static int fill_entry(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	struct window *w = opaque;
	uint32_t part = sector >> PART_SHIFT;

	if (part < w->first || part >= w->end || !vhd_bat_entry_is_sound(v, sector))
		return 0;
	if (w->count < w->room) {
		w->entries[w->count++] = (uint64_t)sector << 32 | block;
		return 0;
	}
	if (!vhd_check_tell_block(w->c, (struct vhd_verdict){ KIND_OVERLAP, VHD_ERROR, true, true },
				  block, "at sector %u overlaps other blocks", sector))
		return 0;
	return clear_entry(v, block);
}

static int compare_places(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static int look_at_overlap(struct vhd_checker *c, uint32_t block, uint32_t sector)
{
	const struct vhd_verdict verdict = { KIND_OVERLAP, VHD_ERROR, true, true };

	if (!vhd_check_tell_block(c, verdict, block, "at sector %u overlaps block %u", sector,
				  c->previous))
		return 0;
	return clear_entry(c->v, block);
}

/* Where free space begins that may end at @to: what describes the disk may lie between, too. */
static uint64_t skip_metadata(const struct vhd *v, uint64_t from, uint64_t to)
{
	uint64_t begin[VHD_LOCATORS + 2] = { v->footer.data_offset, v->header.table_offset };
	uint64_t bytes[VHD_LOCATORS + 2] = {
		VHD_HEADER_BYTES,
		round_up((uint64_t)v->header.table_entries * VHD_ENTRY_BYTES, VHD_SECTOR_BYTES),
	};

	for (unsigned int i = 0; i < VHD_LOCATORS; i++) {
		const uint8_t *locator = v->header.locators + i * VHD_LOCATOR_BYTES;

		begin[2 + i] = get_be64(locator + LOCATOR_OFFSET);
		bytes[2 + i] = round_up(get_be32(locator + LOCATOR_LENGTH), VHD_SECTOR_BYTES);
	}
	for (unsigned int i = 0; i < ARRAY_LEN(begin); i++) {
		if (begin[i] < to && bytes[i] <= UINT64_MAX - begin[i] &&
		    begin[i] + bytes[i] > from)
			from = min_u64(to, begin[i] + bytes[i]);
	}
	return from;
}

static int look_at_block(struct vhd_checker *c, uint32_t block, uint32_t sector)
{
	struct vhd *v = c->v;
	uint64_t offset = (uint64_t)sector * VHD_SECTOR_BYTES;
	uint64_t extent = vhd_block_extent(v), limit = vhd_data_limit(v);

	if (offset > c->previous_end)
		c->previous_end = skip_metadata(v, c->previous_end, offset);
	if (c->previous != VHD_BLOCK_ABSENT && offset < c->previous_end) {
		int r = look_at_overlap(c, block, sector);

		if (r < 0 || (c->repair && c->drop_lost))
			return r;
	} else if (offset >= c->previous_end + extent) {
		vhd_check_tell_block(c, (struct vhd_verdict){ KIND_GAP, VHD_LEAK, false, false },
				     block,
				     "comes after %llu bytes that no block uses; compacting gives "
				     "them back",
				     (unsigned long long)(offset - c->previous_end));
		c->result->leaked_bytes += offset - c->previous_end;
	}
	if (offset + extent > limit) {
		vhd_check_tell_block(
			c, (struct vhd_verdict){ KIND_CUT, VHD_ERROR, true, false }, block,
			"is cut off by the end of the file: %llu of its %llu bytes "
			"are missing and read as zeros",
			(unsigned long long)(offset + extent - limit), (unsigned long long)extent);
		c->wants_tail = true;
	}
	c->previous = block;
	c->previous_end = max_u64(c->previous_end, offset + extent);
	return 0;
}

/* The next parts whose blocks fit the memory; false: none are left. */
static bool choose_window(struct window *w)
{
	size_t sum = 0;

	w->first = w->end;
	while (w->end < PARTS && (!sum || sum + w->parts[w->end] <= w->room))
		sum += w->parts[w->end++];
	w->count = 0;
	return sum != 0;
}

static int walk_windows(struct window *w)
{
	struct vhd_checker *c = w->c;

	while (choose_window(w)) {
		int r = vhd_bat_walk(c->v, c->v->header.table_entries, fill_entry, w);

		if (r < 0)
			return r;
		qsort(w->entries, w->count, sizeof(*w->entries), compare_places);
		for (size_t i = 0; i < w->count; i++) {
			r = look_at_block(c, (uint32_t)w->entries[i],
					  (uint32_t)(w->entries[i] >> 32));
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static void sum_up(struct vhd_checker *c)
{
	struct vhd *v = c->v;
	uint64_t limit = vhd_data_limit(v);

	c->end = max_u64(c->previous_end, v->metadata_end);
	if (v->tail_offset != VHD_OFFSET_NONE && limit > c->end)
		vhd_check_tell(c, (struct vhd_verdict){ KIND_GAP, VHD_NOTE, false, false },
			       "footer",
			       "%llu bytes before it are free; they go when the disk is next "
			       "written to and closed",
			       (unsigned long long)(limit - c->end));
	if (c->misaligned)
		vhd_check_tell(c, (struct vhd_verdict){ KIND_GAP, VHD_NOTE, false, false },
			       "block table",
			       "%llu blocks have data that does not lie on 4 KiB, which is slower "
			       "on most disks; a copy by convert does",
			       (unsigned long long)c->misaligned);
	if (v->layer)
		return;
	c->result->blocks_used = (uint32_t)c->used;
	c->result->block_count = v->block_count;
	c->result->end_bytes = c->end + VHD_FOOTER_BYTES;
}

int vhd_check_blocks(struct vhd_checker *c)
{
	struct vhd *v = c->v;
	struct window w = {
		.c = c,
		.parts = calloc(PARTS, sizeof(*w.parts)),
		.room = (size_t)min_u64(v->header.table_entries, WINDOW_ENTRIES),
	};
	int r;

	w.entries = malloc((w.room + 1) * sizeof(*w.entries));
	c->previous = VHD_BLOCK_ABSENT;
	c->previous_end = VHD_FOOTER_BYTES;
	r = w.parts && w.entries ? 0 : vhd_fail(v, -ENOMEM, "out of memory");
	if (r == 0)
		r = vhd_bat_walk(v, v->header.table_entries, count_entry, &w);
	if (r == 0)
		r = walk_windows(&w);
	if (r == 0)
		sum_up(c);
	free(w.parts);
	free(w.entries);
	return r;
}
