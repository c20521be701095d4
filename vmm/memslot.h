/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells KVM about the memory map: applies the difference between two maps to its memory slots. */
#ifndef VMM_MEMSLOT_H
#define VMM_MEMSLOT_H

#include "memmap.h"

struct memory;

struct memslots {
	int vm_fd;			  /* -1: nobody is to be told */
	struct memmap applied;		  /* what KVM has; ranges without a slot are left out */
	uint16_t slot[MEMMAP_RANGES_MAX]; /* slot number of applied.ranges[i] */
	uint64_t *log; /* room for the largest slot's, while changes are followed; else NULL */
};

void memslot_init(struct memslots *slots, int vm_fd);
/*
 * Brings KVM's slots to @memory->map; ranges that did not change are not touched. No vCPU may be in
 * the guest. 0 or -errno, after which some ranges may be missing.
 */
int memslot_update(struct memslots *slots, const struct memory *memory);
/*
 * Marks the pages of the display adapter's memory that processors wrote since the last call. Before
 * memslot_update() it is called with no vCPU in the guest: what was written to ranges that go would be
 * forgotten otherwise.
 */
void memslot_sync_vram(const struct memslots *slots, struct memory *memory);

/*
 * KVM logs which pages of RAM the guest writes to, from now on or no more. 0 or -errno; when following
 * cannot begin, nothing is followed.
 */
int memslot_track(struct memslots *slots, const struct memory *memory, bool on);
/* Marks in @memory what was logged since the last time. 0 or -errno. */
int memslot_collect(struct memslots *slots, const struct memory *memory);

#endif
