// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of a dynamic disk's file: the footer, and the free space before it.
 *
 * Theory of operation
 *
 * The footer at the end is never destroyed before another one is on stable storage: it is written
 * at its new place, synced, and only then the old one is overwritten or cut off.
 *
 * What lies between the last block and the footer is zeros on stable storage, always: the footer
 * moves, the zeros over its old place are synced, and only then blocks are cut from there. So a
 * block table may name a new block at any time, in any order with the block's own contents. And so
 * that a new block costs no sync the footer moves in steps of grow_bytes.
 *
 * When the handle is closed the footer moves back to the end of the last block, since other
 * programs look for free space right before it.
 *
 * Where the last block ends is unknown until the first block is added: then the whole table is read
 * once. What a crash left behind that end, blocks that no table names, is cut off at that moment;
 * and so is, with the next block, what a failed write left ("soiled").
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define DATA_ALIGN 4096u

static int scan_entry(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	(void)opaque;
	if (!vhd_bat_entry_is_sound(v, sector)) {
		if (v->bad_block == VHD_BLOCK_ABSENT) {
			v->bad_block = block;
			v->bad_sector = sector;
		}
		return 0;
	}
	v->alloc_end =
		max_u64(v->alloc_end, (uint64_t)sector * VHD_SECTOR_BYTES + vhd_block_extent(v));
	return 0;
}

int vhd_tail_scan(struct vhd *v)
{
	int r;

	if (v->scanned)
		return 0;
	v->alloc_end = v->metadata_end;
	v->bad_block = VHD_BLOCK_ABSENT;
	r = vhd_bat_walk(v, v->header.table_entries, scan_entry, NULL);
	if (r < 0)
		return r;
	v->scanned = true;
	v->soiled = v->alloc_end != vhd_data_limit(v);
	return 0;
}

/* Zeros where the footer was; free space is good for blocks after this. */
static int clear_stale_footer(struct vhd *v)
{
	int r;

	if (v->stale_footer == VHD_OFFSET_NONE)
		return 0;
	r = vhd_file_write_zeroes(v, v->stale_footer, VHD_FOOTER_BYTES);
	if (r == 0)
		r = vhd_file_sync(v);
	if (r == 0)
		v->stale_footer = VHD_OFFSET_NONE;
	return r;
}

/* vhd_tail_move() but for the old footer's place, if that is before the new one. */
static int place_footer(struct vhd *v, uint64_t offset)
{
	uint64_t old_bytes = v->file_bytes;
	int r = vhd_file_write(v, offset, v->footer_raw, VHD_FOOTER_BYTES);

	if (r == 0)
		r = vhd_file_sync(v);
	if (r == 0 && v->file_bytes > offset + VHD_FOOTER_BYTES)
		r = vhd_file_truncate(v, offset + VHD_FOOTER_BYTES);
	if (r == 0)
		return 0;
	/* The footer is still good where it was; make that the end again. */
	if (v->file_bytes > old_bytes && v->io->ops->truncate(v->io, old_bytes) == 0)
		v->file_bytes = old_bytes;
	v->soiled = true;
	return r;
}

int vhd_tail_move(struct vhd *v, uint64_t offset)
{
	uint64_t old = v->tail_offset;
	int r;

	if (old == offset && v->file_bytes <= offset + VHD_FOOTER_BYTES)
		return 0;
	r = place_footer(v, offset);
	if (r < 0)
		return r;
	v->tail_offset = offset;
	if (v->stale_footer != VHD_OFFSET_NONE && v->stale_footer >= offset)
		v->stale_footer = VHD_OFFSET_NONE; /* cut off */
	if (old < offset)			   /* so there was one */
		v->stale_footer = old;
	return clear_stale_footer(v);
}

static int require_sound_table(struct vhd *v)
{
	if (v->bad_block == VHD_BLOCK_ABSENT)
		return 0;
	return vhd_fail(v, -EUCLEAN,
			"block %u at sector %u lies outside the file or on its header; the image "
			"must be repaired before it can grow",
			v->bad_block, v->bad_sector);
}

int vhd_tail_trim(struct vhd *v)
{
	int r = require_sound_table(v);

	if (r == 0)
		r = vhd_tail_move(v, v->alloc_end);
	if (r == 0)
		v->soiled = false;
	return r;
}

/* Moves the footer so that blocks may end at @end; further when the disk will need it. */
static int grow(struct vhd *v, uint64_t end)
{
	uint64_t extent = round_up(vhd_block_extent(v), DATA_ALIGN);
	uint64_t most = v->metadata_end + DATA_ALIGN + v->block_count * extent;
	uint64_t step = round_up(v->alloc_end + v->grow_bytes, DATA_ALIGN);
	int r;

	if (end <= vhd_data_limit(v))
		return clear_stale_footer(v);
	step = max_u64(end, min_u64(most, step));
	r = vhd_tail_move(v, step);
	if (r < 0 && v->tail_offset != step && step > end)
		r = vhd_tail_move(v, end); /* the host may have room for a smaller file */
	return r;
}

int vhd_tail_reserve(struct vhd *v, uint64_t *ret_offset)
{
	uint64_t offset;
	int r = vhd_tail_scan(v);

	if (r == 0)
		r = require_sound_table(v);
	if (r == 0 && v->soiled)
		r = vhd_tail_trim(v);
	if (r < 0)
		return r;
	offset = round_up(v->alloc_end + v->bitmap_bytes, DATA_ALIGN) - v->bitmap_bytes;
	if (offset / VHD_SECTOR_BYTES >= VHD_BLOCK_ABSENT)
		return vhd_fail(v, -EFBIG,
				"its block table cannot address more than 2 TiB of file");
	r = grow(v, offset + vhd_block_extent(v));
	if (r == 0)
		*ret_offset = offset;
	return r;
}

int vhd_tail_cover(struct vhd *v, uint64_t offset)
{
	uint64_t end = offset + vhd_block_extent(v);
	int r;

	if (end <= vhd_data_limit(v))
		return clear_stale_footer(v);
	r = vhd_tail_scan(v);
	if (r == 0)
		r = vhd_tail_trim(v); /* alloc_end is at least @end */
	return r;
}

int vhd_tail_copy_to_head(struct vhd *v)
{
	int r = vhd_file_write(v, 0, v->footer_raw, VHD_FOOTER_BYTES);

	if (r == 0)
		r = vhd_file_sync(v);
	if (r == 0)
		v->head_state = VHD_FOOTER_GOOD;
	return r;
}

/* One sector: the disk has the old one or the new one. */
int vhd_tail_change(struct vhd *v, const struct vhd_footer *footer)
{
	uint8_t raw[VHD_FOOTER_BYTES];
	int r;

	memcpy(raw, v->footer_raw, sizeof(raw));
	vhd_footer_encode(footer, raw);
	r = vhd_file_write(v, v->tail_offset, raw, sizeof(raw));
	if (r == 0)
		r = vhd_file_sync(v);
	if (r < 0)
		return r;
	v->footer = *footer;
	memcpy(v->footer_raw, raw, sizeof(raw));
	return v->footer.type == VHD_FIXED ? 0 : vhd_tail_copy_to_head(v);
}
