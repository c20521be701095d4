// SPDX-License-Identifier: GPL-2.0-or-later
#include "memslot.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../base/bits.h"
#include "memory.h"

#define PAGE_BYTES 4096u

void memslot_init(struct memslots *slots, int vm_fd)
{
	memset(slots, 0, sizeof(*slots));
	slots->vm_fd = vm_fd;
}

static bool same_range(const struct memmap_range *a, const struct memmap_range *b)
{
	return a->gpa == b->gpa && a->size == b->size && a->kind == b->kind &&
	       a->ram_offset == b->ram_offset && a->rom_offset == b->rom_offset;
}

static const struct memmap_range *find_same(const struct memmap *map,
					    const struct memmap_range *range)
{
	for (unsigned int i = 0; i < map->count; i++) {
		if (same_range(&map->ranges[i], range))
			return &map->ranges[i];
	}
	return NULL;
}

/* Reads of such a range give nothing: every access leaves the guest. */
static bool has_slot(const struct memmap_range *range)
{
	return range->kind != MEMMAP_VOID_OVER_RAM;
}

static int set_slot(const struct memslots *slots, unsigned int slot, const struct memory *memory,
		    const struct memmap_range *range, bool present)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = range->gpa,
		.memory_size = present ? range->size : 0,
	};

	switch (range->kind) {
	case MEMMAP_RAM:
		region.userspace_addr = (uintptr_t)memory->ram + range->ram_offset;
		region.flags = slots->log ? KVM_MEM_LOG_DIRTY_PAGES : 0;
		break;
	case MEMMAP_RAM_READONLY:
		region.userspace_addr = (uintptr_t)memory->ram + range->ram_offset;
		region.flags = KVM_MEM_READONLY;
		break;
	case MEMMAP_VRAM:
		region.userspace_addr = (uintptr_t)memory->vram.bytes + range->ram_offset;
		region.flags = KVM_MEM_LOG_DIRTY_PAGES;
		break;
	default:
		region.userspace_addr = (uintptr_t)memory->rom + range->rom_offset;
		region.flags = KVM_MEM_READONLY;
		break;
	}
	return ioctl(slots->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

/* --- changes */

static void mark_logged(const struct memory *memory, const struct memmap_range *range,
			const uint64_t *log)
{
	uint64_t words = (range->size / PAGE_BYTES + 63) / 64;

	for (uint64_t i = 0; i < words; i++) {
		for (uint64_t bits = log[i]; bits; bits &= bits - 1) {
			uint64_t page = i * 64 + (unsigned int)__builtin_ctzll(bits);

			memory_mark(memory, range->ram_offset + page * PAGE_BYTES, PAGE_BYTES);
		}
	}
}

/* Reading the log begins it anew. */
static int collect(const struct memslots *slots, unsigned int index, const struct memory *memory)
{
	const struct memmap_range *range = &slots->applied.ranges[index];
	struct kvm_dirty_log log = { .slot = slots->slot[index], .dirty_bitmap = slots->log };

	if (!slots->log || range->kind != MEMMAP_RAM)
		return 0;
	if (ioctl(slots->vm_fd, KVM_GET_DIRTY_LOG, &log) < 0)
		return -errno;
	mark_logged(memory, range, slots->log);
	return 0;
}

int memslot_collect(struct memslots *slots, const struct memory *memory)
{
	int r = 0;

	for (unsigned int i = 0; i < slots->applied.count && r == 0; i++)
		r = collect(slots, i, memory);
	return r;
}

int memslot_track(struct memslots *slots, const struct memory *memory, bool on)
{
	int r = 0;

	if (slots->vm_fd < 0 || on == (slots->log != NULL))
		return 0;
	free(slots->log);
	slots->log = on ? calloc(memory->ram_bytes / PAGE_BYTES / 64 + 1, sizeof(uint64_t)) : NULL;
	if (on && !slots->log)
		return -ENOMEM;
	for (unsigned int i = 0; i < slots->applied.count && r == 0; i++) {
		if (slots->applied.ranges[i].kind == MEMMAP_RAM)
			r = set_slot(slots, slots->slot[i], memory, &slots->applied.ranges[i],
				     true);
	}
	if (r < 0 && on)
		(void)memslot_track(slots, memory, false);
	return r;
}

/* --- the map */

/* Deletes what is gone; what stays moves to @kept. */
static int delete_stale(struct memslots *slots, const struct memory *memory, struct memslots *kept)
{
	for (unsigned int i = 0; i < slots->applied.count; i++) {
		const struct memmap_range *range = &slots->applied.ranges[i];
		int r;

		if (find_same(&memory->map, range)) {
			kept->slot[kept->applied.count] = slots->slot[i];
			kept->applied.ranges[kept->applied.count++] = *range;
			continue;
		}
		r = collect(slots, i, memory);
		if (r == 0)
			r = set_slot(slots, slots->slot[i], memory, range, false);
		if (r < 0)
			return r;
	}
	return 0;
}

static unsigned int free_slot(const struct memslots *slots)
{
	unsigned int slot = 0;

	for (unsigned int i = 0; i < slots->applied.count; i++) {
		if (slots->slot[i] == slot) {
			slot++;
			i = UINT32_MAX; /* from the start: they are in no order */
		}
	}
	return slot;
}

int memslot_update(struct memslots *slots, const struct memory *memory)
{
	struct memslots now = { .vm_fd = slots->vm_fd, .log = slots->log };
	int r;

	if (slots->vm_fd < 0)
		return 0;
	r = delete_stale(slots, memory, &now);
	for (unsigned int i = 0; i < memory->map.count && r == 0; i++) {
		const struct memmap_range *range = &memory->map.ranges[i];
		unsigned int slot;

		if (!has_slot(range) || find_same(&now.applied, range))
			continue;
		slot = free_slot(&now);
		r = set_slot(&now, slot, memory, range, true);
		if (r == 0) {
			now.slot[now.applied.count] = (uint16_t)slot;
			now.applied.ranges[now.applied.count++] = *range;
		}
	}
	*slots = now;
	return r;
}

static void sync_range(const struct memslots *slots, unsigned int slot,
		       const struct memmap_range *range, struct display_memory *vram)
{
	uint64_t bitmap[DISPLAY_PAGES_MAX / 64] = { 0 };
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };
	uint64_t pages = range->size / DISPLAY_PAGE_BYTES;

	if (ioctl(slots->vm_fd, KVM_GET_DIRTY_LOG, &log) < 0)
		return;
	for (uint64_t page = 0; page < pages; page++) {
		if (!bitmap[page / 64])
			page |= 63;
		else if (bitmap[page / 64] & BIT64(page % 64))
			display_mark_dirty(
				vram, (uint32_t)(range->ram_offset + page * DISPLAY_PAGE_BYTES),
				DISPLAY_PAGE_BYTES);
	}
}

void memslot_sync_vram(const struct memslots *slots, struct memory *memory)
{
	for (unsigned int i = 0; i < slots->applied.count; i++) {
		if (slots->applied.ranges[i].kind == MEMMAP_VRAM)
			sync_range(slots, slots->slot[i], &slots->applied.ranges[i], &memory->vram);
	}
}
