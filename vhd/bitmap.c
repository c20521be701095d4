// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The blocks' bitmaps. Most blocks of a used disk are written everywhere: one bit in memory
 * remembers that of a block, and its bitmap is not needed again.
 */
#include "image.h"

#include <string.h>

#include "../base/bytes.h"

/* The table may have more entries than the disk has blocks: nothing is remembered of those. */
static bool is_full(const struct vhd *v, uint32_t block)
{
	return v->full && block < v->block_count && v->full[block / 8] & BIT(block % 8);
}

/* Remembers the block when all bits of its bitmap, of one sector, are set. */
static void note_full(struct vhd *v, uint32_t block, const uint8_t *bits)
{
	uint32_t bytes = v->header.block_bytes / VHD_SECTOR_BYTES / 8;

	if (v->full && block < v->block_count && bits[0] == 0xff &&
	    !memcmp(bits, bits + 1, bytes - 1))
		v->full[block / 8] |= (uint8_t)BIT(block % 8);
}

static int bitmap_slot(struct vhd *v, uint32_t block, uint64_t offset, uint32_t sector, bool fresh,
		       struct vhd_slot **ret_slot, uint8_t **ret_bits)
{
	uint32_t part = sector / VHD_BITS_PER_SECTOR;
	uint64_t at = offset / VHD_SECTOR_BYTES + part;
	struct vhd_hint *hint = vhd_hint_of(v, block);
	int r;

	if (hint && hint->slot && vhd_cache_recall(v, hint->slot - 1, at, ret_slot, ret_bits))
		return 0;
	r = vhd_cache_get(v, at, part + 1, fresh, ret_slot, ret_bits);
	if (r == 0 && hint)
		hint->slot = (uint32_t)(*ret_slot - v->cache->slots) + 1;
	return r;
}

/* How many of the @count bits from @first on are like the first; the sector holds them all. */
static uint32_t run_length(const uint8_t *bits, uint32_t first, uint32_t count, bool set)
{
	uint32_t at = first;

	while (at < first + count) {
		uint32_t byte = at / 64 * 8;
		uint64_t word = get_be64(bits + byte);

		word = (set ? ~word : word) << at % 64;
		if (word) {
			at += (uint32_t)__builtin_clzll(word);
			break;
		}
		at = (at / 64 + 1) * 64;
	}
	return (uint32_t)min_u64(at - first, count);
}

int vhd_bitmap_run(struct vhd *v, uint32_t block, uint64_t offset, uint32_t sector, uint32_t count,
		   uint32_t *ret_run, bool *ret_set)
{
	uint32_t bit = sector % VHD_BITS_PER_SECTOR;
	struct vhd_slot *slot;
	uint8_t *bits;
	int r;

	if (is_full(v, block)) {
		*ret_run = count;
		*ret_set = true;
		return 0;
	}
	r = bitmap_slot(v, block, offset, sector, false, &slot, &bits);
	if (r < 0)
		return r;
	note_full(v, block, bits);
	count = (uint32_t)min_u64(count, VHD_BITS_PER_SECTOR - bit);
	*ret_set = bits[bit / 8] & 0x80 >> bit % 8;
	*ret_run = run_length(bits, bit, count, *ret_set);
	return 0;
}

int vhd_bitmap_bytes(struct vhd *v, uint32_t block, uint64_t offset, const uint8_t **ret_bits)
{
	struct vhd_slot *slot;
	uint8_t *bits;
	int r = bitmap_slot(v, block, offset, 0, false, &slot, &bits);

	if (r == 0)
		*ret_bits = bits;
	return r;
}

int vhd_bitmap_load(struct vhd *v, uint32_t block, uint64_t offset, uint32_t sector, uint32_t count)
{
	uint32_t end = sector + count;

	if (is_full(v, block))
		return 0;
	for (; sector < end; sector = (sector / VHD_BITS_PER_SECTOR + 1) * VHD_BITS_PER_SECTOR) {
		struct vhd_slot *slot;
		uint8_t *bits;
		int r = bitmap_slot(v, block, offset, sector, false, &slot, &bits);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Sets @count bits from @bit on; whether any was clear. */
static bool set_bits(uint8_t *bits, uint32_t bit, uint32_t count)
{
	bool changed = false;

	while (count) {
		uint32_t n = (uint32_t)min_u64(8 - bit % 8, count);
		uint8_t mask = (uint8_t)((0xff >> bit % 8) & (0xff << (8 - bit % 8 - n)));

		if ((bits[bit / 8] & mask) != mask)
			changed = true;
		bits[bit / 8] |= mask;
		bit += n;
		count -= n;
	}
	return changed;
}

int vhd_bitmap_set(struct vhd *v, uint32_t block, uint64_t offset, uint32_t sector, uint32_t count,
		   bool fresh)
{
	if (is_full(v, block))
		return 0;
	if (v->memo && block < v->block_count)
		vhd_memo_change(v, block, sector, count);
	while (count) {
		uint32_t bit = sector % VHD_BITS_PER_SECTOR;
		uint32_t n = (uint32_t)min_u64(count, VHD_BITS_PER_SECTOR - bit);
		struct vhd_slot *slot;
		uint8_t *bits;
		int r = bitmap_slot(v, block, offset, sector, fresh, &slot, &bits);

		if (r < 0)
			return r;
		if (set_bits(bits, bit, n)) {
			vhd_cache_dirty(v, slot);
			note_full(v, block, bits);
		}
		sector += n;
		count -= n;
	}
	return 0;
}

void vhd_bitmap_forget(struct vhd *v, uint32_t block, uint64_t offset)
{
	for (uint32_t i = 0; i < v->bitmap_bytes / VHD_SECTOR_BYTES; i++)
		vhd_cache_forget(v, offset / VHD_SECTOR_BYTES + i);
	if (v->full && block < v->block_count)
		v->full[block / 8] &= (uint8_t)~BIT(block % 8);
	if (v->memo && block < v->block_count)
		vhd_memo_forget(v, block);
}
