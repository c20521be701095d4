// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One bounded cache for the sectors of the block tables and of the blocks' bitmaps of a chain.
 *
 * Theory of operation
 *
 * A slot holds one sector of one file. Changed slots, which are the disk's own file's, stay in
 * memory until a flush writes them, in any order, and syncs once. No order is needed because a new
 * block is cut from space that is zeros on stable storage before (see tail.c): whatever part of
 * table, bitmap and data a crash leaves, the block is zeros where it is not what was written, and
 * that is what it was before.
 *
 * In a differencing disk zeros are not what was there before, but a clear bit and an absent block
 * are. So data is synced first, and then table and bitmaps go out, again in any order: two syncs.
 * When that first sync fails the host may have dropped data, and the next one will not tell. A bit
 * that went out then would hide the parent behind nothing. So the data behind all bits that are not
 * out yet is read, which the host's memory still has, and written again.
 *
 * A written slot may be given away, its contents are in the file. But it counts as clean only after
 * the sync: when that fails the host may have dropped what was written, so all written slots become
 * dirty again and the next flush writes them anew.
 *
 * When a slot is needed the clock hand takes the first that is clean or written and was not used
 * since its last turn. When all are dirty they are written, without a sync.
 */
#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 8u

static uint32_t *bucket_of(struct vhd_cache *c, unsigned int layer, uint32_t sector)
{
	uint32_t hash = (sector + layer * UINT32_C(0x9e3779b1)) * UINT32_C(2654435761);

	return &c->buckets[hash >> 7 & c->bucket_mask];
}

static uint32_t *list_of(struct vhd_cache *c, const struct vhd_slot *slot)
{
	if (slot->state == SLOT_DIRTY)
		return &c->dirty;
	if (slot->state == SLOT_WRITTEN)
		return &c->written;
	return NULL;
}

static void list_remove(struct vhd_cache *c, struct vhd_slot *slot)
{
	uint32_t *head = list_of(c, slot);

	if (!head)
		return;
	if (slot->prev)
		c->slots[slot->prev - 1].next = slot->next;
	else
		*head = slot->next;
	if (slot->next)
		c->slots[slot->next - 1].prev = slot->prev;
	slot->next = slot->prev = 0;
}

static void set_state(struct vhd_cache *c, struct vhd_slot *slot, enum vhd_slot_state state)
{
	uint32_t number = (uint32_t)(slot - c->slots) + 1;
	uint32_t *head;

	list_remove(c, slot);
	slot->state = (uint8_t)state;
	head = list_of(c, slot);
	if (!head)
		return;
	slot->next = *head;
	if (*head)
		c->slots[*head - 1].prev = number;
	*head = number;
}

/* Out of the hash table; the slot is free. */
static void unhash(struct vhd_cache *c, struct vhd_slot *slot)
{
	uint32_t *link = bucket_of(c, slot->layer, slot->sector);

	while (*link != (uint32_t)(slot - c->slots) + 1)
		link = &c->slots[*link - 1].hash_next;
	*link = slot->hash_next;
	set_state(c, slot, SLOT_FREE);
}

static struct vhd_slot *find(struct vhd_cache *c, unsigned int layer, uint32_t sector)
{
	for (uint32_t n = *bucket_of(c, layer, sector); n; n = c->slots[n - 1].hash_next) {
		if (c->slots[n - 1].sector == sector && c->slots[n - 1].layer == layer)
			return &c->slots[n - 1];
	}
	return NULL;
}

static int write_dirty(struct vhd *v)
{
	struct vhd_cache *c = v->cache;

	while (c->dirty) {
		uint32_t index = c->dirty - 1;
		struct vhd_slot *slot = &c->slots[index];
		int r = vhd_file_write(v, (uint64_t)slot->sector * VHD_SECTOR_BYTES, c->data[index],
				       VHD_SECTOR_BYTES);

		if (r < 0)
			return r;
		set_state(c, slot, SLOT_WRITTEN);
	}
	return 0;
}

/* The data of a sector once more. */
static int write_again(struct vhd *v, uint64_t offset)
{
	uint8_t data[VHD_SECTOR_BYTES];
	int r = vhd_file_read(v, offset, data, sizeof(data));

	return r == 0 ? vhd_file_write(v, offset, data, sizeof(data)) : r;
}

/* Of the bitmap's sector in @slot the data behind bits that the file's does not have. */
static int save_slot(struct vhd *v, const struct vhd_slot *slot)
{
	const uint8_t *bits = v->cache->data[slot - v->cache->slots];
	uint32_t first = (slot->part - 1u) * VHD_BITS_PER_SECTOR;
	uint64_t data = (uint64_t)(slot->sector - (slot->part - 1u)) * VHD_SECTOR_BYTES +
			v->bitmap_bytes + (uint64_t)first * VHD_SECTOR_BYTES;
	uint32_t sectors = v->header.block_bytes / VHD_SECTOR_BYTES - first;
	uint8_t old[VHD_SECTOR_BYTES];
	int r = vhd_file_read(v, (uint64_t)slot->sector * VHD_SECTOR_BYTES, old, sizeof(old));

	for (uint32_t i = 0; i < min_u64(sectors, VHD_BITS_PER_SECTOR) && r == 0; i++) {
		if ((bits[i / 8] & ~old[i / 8]) & 0x80 >> i % 8)
			r = write_again(v, data + (uint64_t)i * VHD_SECTOR_BYTES);
	}
	return r;
}

static int save_doubtful_data(struct vhd *v)
{
	struct vhd_cache *c = v->cache;

	for (uint32_t n = c->dirty; n; n = c->slots[n - 1].next) {
		int r = c->slots[n - 1].part ? save_slot(v, &c->slots[n - 1]) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* Data that bits will stand for, on stable storage. */
static int sync_data(struct vhd *v)
{
	int r = v->doubtful ? save_doubtful_data(v) : 0;

	if (r == 0)
		r = vhd_file_sync(v);
	if (r == 0)
		v->doubtful = false;
	return r;
}

int vhd_cache_flush(struct vhd *v)
{
	int r = 0;

	if (v->cache && v->cache->dirty) {
		if (v->footer.type == VHD_DIFFERENCING)
			r = sync_data(v);
		if (r == 0)
			r = write_dirty(v);
	}
	return r < 0 ? r : vhd_file_sync(v);
}

static int take_slot(struct vhd *v, struct vhd_slot **ret_slot)
{
	struct vhd_cache *c = v->cache;
	int r;

	if (c->filled < c->count) {
		*ret_slot = &c->slots[c->filled++];
		return 0;
	}
	for (;;) {
		for (uint32_t turn = 0; turn < 2 * c->count; turn++) {
			struct vhd_slot *slot = &c->slots[c->hand];

			c->hand = c->hand + 1 < c->count ? c->hand + 1 : 0;
			if (slot->state == SLOT_DIRTY || slot->state == SLOT_WRITTEN)
				continue;
			if (slot->used && slot->state != SLOT_FREE) {
				slot->used = 0;
				continue;
			}
			if (slot->state != SLOT_FREE)
				unhash(c, slot);
			*ret_slot = slot;
			return 0;
		}
		r = vhd_cache_flush(v->top);
		if (r < 0)
			return r;
	}
}

int vhd_cache_get(struct vhd *v, uint64_t sector, unsigned int part, bool fresh,
		  struct vhd_slot **ret_slot, uint8_t **ret_data)
{
	struct vhd_cache *c = v->cache;
	struct vhd_slot *slot = find(c, v->layer, (uint32_t)sector);
	uint32_t index, *bucket;
	int r = 0;

	if (!slot) {
		r = take_slot(v, &slot);
		if (r < 0)
			return r;
		index = (uint32_t)(slot - c->slots);
		if (fresh)
			memset(c->data[index], 0, VHD_SECTOR_BYTES);
		else
			r = vhd_file_read(v, sector * VHD_SECTOR_BYTES, c->data[index],
					  VHD_SECTOR_BYTES);
		if (r < 0)
			return r; /* the slot is free */
		slot->sector = (uint32_t)sector;
		slot->layer = (uint8_t)v->layer;
		slot->part = (uint8_t)part;
		bucket = bucket_of(c, v->layer, slot->sector);
		slot->hash_next = *bucket;
		*bucket = index + 1;
		set_state(c, slot, SLOT_CLEAN);
	}
	slot->used = 1;
	*ret_slot = slot;
	*ret_data = c->data[slot - c->slots];
	return 0;
}

void vhd_cache_dirty(struct vhd *v, struct vhd_slot *slot)
{
	if (slot->state != SLOT_DIRTY)
		set_state(v->cache, slot, SLOT_DIRTY);
}

void vhd_cache_forget(struct vhd *v, uint64_t sector)
{
	struct vhd_slot *slot = find(v->cache, v->layer, (uint32_t)sector);

	if (slot)
		unhash(v->cache, slot);
}

void vhd_cache_synced(struct vhd *v, bool worked)
{
	struct vhd_cache *c = v->cache;

	while (c && c->written)
		set_state(c, &c->slots[c->written - 1], worked ? SLOT_CLEAN : SLOT_DIRTY);
}

/* One bit for each block of each layer, as long as that is a small part of @bytes. */
static uint64_t add_full_bits(struct vhd *top, uint64_t bytes)
{
	uint64_t used = 0;

	for (struct vhd *v = top; v; v = v->parent) {
		uint64_t need = ((uint64_t)v->block_count + 7) / 8;

		if (vhd_is_flat(v) || v->bitmap_bytes != VHD_SECTOR_BYTES ||
		    used + need > bytes / 4)
			continue;
		v->full = calloc(1, need);
		if (v->full)
			used += need;
	}
	return used;
}

/* The same for hints. */
static uint64_t add_hints(struct vhd *top, uint64_t bytes)
{
	uint64_t used = 0;

	for (struct vhd *v = top; v; v = v->parent) {
		uint64_t need = v->block_count * (uint64_t)sizeof(*v->hints);

		if (vhd_is_flat(v) || used + need > bytes / 8)
			continue;
		v->hints = calloc(1, need);
		if (v->hints)
			used += need;
	}
	return used;
}

/* Memory that is never touched costs nothing: calloc maps large arrays without filling them. */
int vhd_cache_init(struct vhd *top, size_t bytes)
{
	const size_t each =
		sizeof(struct vhd_slot) + VHD_SECTOR_BYTES + 2 * sizeof(*top->cache->buckets);
	uint64_t want = 0, buckets = 1;
	struct vhd_cache *c;

	for (struct vhd *v = top; v; v = v->parent) {
		if (!vhd_is_flat(v))
			want += v->block_count / VHD_ENTRIES_PER_SECTOR + 1 +
				(uint64_t)v->block_count * v->bitmap_bytes / VHD_SECTOR_BYTES;
	}
	if (!want)
		return 0;
	bytes -= add_full_bits(top, bytes);
	bytes -= add_hints(top, bytes);
	if (vhd_memo_init(top, bytes) < 0)
		return -ENOMEM;
	if (top->memo)
		bytes -= bytes / 4;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	for (struct vhd *v = top; v; v = v->parent)
		v->cache = c;
	c->count = (uint32_t)max_u64(SLOTS_MIN, min_u64(want, bytes / each));
	while (buckets < c->count)
		buckets *= 2;
	c->bucket_mask = (uint32_t)(buckets - 1);
	c->slots = calloc(c->count, sizeof(*c->slots));
	c->data = calloc(c->count, sizeof(*c->data));
	c->buckets = calloc(buckets, sizeof(*c->buckets));
	return c->slots && c->data && c->buckets ? 0 : -ENOMEM;
}

void vhd_cache_fini(struct vhd *top)
{
	struct vhd_cache *c = top->cache;

	vhd_memo_fini(top);
	for (struct vhd *v = top; v; v = v->parent) {
		free(v->full);
		free(v->hints);
	}
	if (!c)
		return;
	free(c->slots);
	free(c->data);
	free(c->buckets);
	free(c);
}
