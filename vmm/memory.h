/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the block of RAM, the firmware image, and copies to and from guest physical
 * addresses.
 *
 * RAM is anonymous private memory, aligned and advised for huge pages and same-page merging. Only
 * this file and memslot.c know host addresses.
 */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include "config.h"
#include "memmap.h"
#include "../devmodel/display.h"
#include "../devmodel/dma.h"

struct memory {
	struct dma dma; /* what devices get */
	struct memmap_input layout;
	struct memmap map;
	uint8_t *ram;
	uint64_t ram_bytes;
	uint8_t *rom;
	struct display_memory vram; /* of the display adapter; no bytes: there is none */
	bool in_file;		    /* RAM is a private view of a saved state's file */
	/*
	 * While changes are followed, a bit for each page of RAM that we have written to, or processors as memslot.c
	 * tells; else NULL.
	 */
	uint64_t *dirty;
};

/*
 * @pages and @ksm: see config.h. @rom: the firmware image, copied; @rom_bytes a multiple of 64 KiB up to 1 MiB. 0 or -ENOMEM. The
 * map is that of a chipset after reset.
 */
int memory_init(struct memory *memory, uint64_t ram_bytes, enum vm_pages pages, bool ksm,
		const uint8_t *rom, size_t rom_bytes);
void memory_fini(struct memory *memory);

/* The display adapter's memory; once. 0 or -ENOMEM. */
int memory_add_vram(struct memory *memory, uint32_t bytes);

/* All RAM to zeros, as after power-on; gives the pages back to the host. */
void memory_clear(struct memory *memory);

/* Computes the map anew from @memory->layout; memslot_update() tells KVM. */
void memory_remap(struct memory *memory);

/*
 * Follows which pages of RAM change, from now on or no more; memslot_track() does the same for what the
 * guest writes. 0 or -ENOMEM.
 */
int memory_track(struct memory *memory, bool on);
/* One page changed; no effect while nobody follows. */
void memory_mark(const struct memory *memory, uint64_t ram_offset, uint64_t bytes);
/*
 * Moves the changed pages into @ret_pages, a bit for each. What a disk's request writes counts when that has come to its
 * end (dma_written()).
 */
void memory_take_dirty(struct memory *memory, uint64_t *ret_pages);

/*
 * RAM that is a view of a file can be lost: somebody cut the file short, or its disk failed. @line, kept by
 * reference, is written to standard error when it is found out, and the process ends.
 */
void memory_watch_loss(const char *line);
/* Writes the line. */
void memory_tell_loss(void);

/* A processor's write that KVM could not do: reaches RAM below ROM being shadowed. False: not RAM.
 */
bool memory_write_shadow(struct memory *memory, uint64_t gpa, const void *data, size_t size);

#endif
