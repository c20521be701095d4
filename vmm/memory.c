// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/bits.h"

#define HUGE_PAGE MIB(2)
#define PAGE_BYTES 4096u

/* Private anonymous pages at a multiple of a huge page, or NULL. */
static void *map_aligned(uint64_t size)
{
	uint64_t reserve = size + HUGE_PAGE;
	uint8_t *raw, *aligned;

	raw = mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw == MAP_FAILED)
		return NULL;
	aligned = (uint8_t *)round_up((uintptr_t)raw, HUGE_PAGE);
	if (aligned > raw)
		munmap(raw, (size_t)(aligned - raw));
	if (raw + reserve > aligned + size)
		munmap(aligned + size, (size_t)(raw + reserve - (aligned + size)));
	if (mprotect(aligned, size, PROT_READ | PROT_WRITE) < 0) {
		munmap(aligned, size);
		return NULL;
	}
	return aligned;
}

/* Of the pages that the host has set aside: all of them now, or NULL. */
static void *map_reserved(uint64_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE;
	void *ram = mmap(NULL, round_up(size, HUGE_PAGE), PROT_READ | PROT_WRITE, flags, -1, 0);

	return ram == MAP_FAILED ? NULL : ram;
}

/* The RAM behind @gpa when it can be read (or written, when @write), NULL otherwise; *ret_run
 * bytes. */
static uint8_t *dma_run(const struct memory *memory, uint64_t gpa, bool write, uint64_t *ret_run)
{
	const struct memmap_range *range = memmap_find(&memory->map, gpa);
	uint64_t offset;

	if (!range)
		return NULL;
	offset = gpa - range->gpa;
	*ret_run = range->size - offset;
	switch (range->kind) {
	case MEMMAP_RAM:
		return memory->ram + range->ram_offset + offset;
	case MEMMAP_RAM_READONLY:
		return write ? NULL : memory->ram + range->ram_offset + offset;
	case MEMMAP_ROM:
		return write ? NULL : memory->rom + range->rom_offset + offset;
	case MEMMAP_ROM_OVER_RAM:
		return write ? memory->ram + range->ram_offset + offset
			     : memory->rom + range->rom_offset + offset;
	case MEMMAP_VRAM:
		/* The adapter would not know what was written. */
		return NULL;
	case MEMMAP_VOID_OVER_RAM:
		return write ? memory->ram + range->ram_offset + offset : NULL;
	}
	return NULL;
}

/* --- changes */

static void mark(uint64_t *pages, uint64_t ram_offset, uint64_t bytes)
{
	uint64_t last = (ram_offset + bytes - 1) / PAGE_BYTES;

	for (uint64_t page = ram_offset / PAGE_BYTES; page <= last; page++)
		pages[page / 64] |= BIT64(page % 64);
}

void memory_mark(const struct memory *memory, uint64_t ram_offset, uint64_t bytes)
{
	if (memory->dirty && bytes && ram_offset < memory->ram_bytes)
		mark(memory->dirty, ram_offset, bytes);
}

static uint64_t bitmap_words(const struct memory *memory)
{
	return (memory->ram_bytes / PAGE_BYTES + 63) / 64;
}

int memory_track(struct memory *memory, bool on)
{
	uint64_t words = bitmap_words(memory);

	free(memory->dirty);
	memory->dirty = on ? calloc(words, sizeof(uint64_t)) : NULL;
	return on && !memory->dirty ? -ENOMEM : 0;
}

void memory_take_dirty(struct memory *memory, uint64_t *ret_pages)
{
	uint64_t bytes = bitmap_words(memory) * sizeof(uint64_t);

	memcpy(ret_pages, memory->dirty, bytes);
	memset(memory->dirty, 0, bytes);
}

/* --- loss */

static const char *loss_line = "mainstay-vmm: the host took the guest's memory away\n";

void memory_tell_loss(void)
{
	if (write(STDERR_FILENO, loss_line, strlen(loss_line)) < 0)
		return;
}

/* Back to the instruction that found no memory, which ends the process now. */
static void memory_is_lost(int signal)
{
	(void)signal;
	memory_tell_loss();
}

void memory_watch_loss(const char *line)
{
	const struct sigaction action = {
		.sa_handler = memory_is_lost,
		.sa_flags = (int)SA_RESETHAND,
	};

	loss_line = line;
	sigaction(SIGBUS, &action, NULL);
}

/* --- copies */

/* Whether every byte of the range can be transferred. */
static bool dma_possible(const struct memory *memory, uint64_t gpa, size_t size, bool write)
{
	while (size) {
		uint64_t run;

		if (!dma_run(memory, gpa, write, &run))
			return false;
		if (run >= size)
			return true;
		size -= run;
		gpa += run;
	}
	return true;
}

static int dma_copy(struct memory *memory, uint64_t gpa, void *data, size_t size, bool write)
{
	uint8_t *p = data;

	if (gpa + size < gpa || !dma_possible(memory, gpa, size, write))
		return -EFAULT;
	while (size) {
		uint64_t run;
		uint8_t *host = dma_run(memory, gpa, write, &run);

		run = min_u64(run, size);
		if (write) {
			memory_mark(memory, (uint64_t)(host - memory->ram), run);
			memcpy(host, p, run);
		} else {
			memcpy(p, host, run);
		}
		p += run;
		gpa += run;
		size -= run;
	}
	return 0;
}

static int memory_dma_read(struct dma *dma, uint64_t gpa, void *data, size_t size)
{
	return dma_copy(container_of(dma, struct memory, dma), gpa, data, size, false);
}

static int memory_dma_write(struct dma *dma, uint64_t gpa, const void *data, size_t size)
{
	return dma_copy(container_of(dma, struct memory, dma), gpa, (void *)data, size, true);
}

static void *memory_dma_map(struct dma *dma, uint64_t gpa, size_t size)
{
	struct memory *memory = container_of(dma, struct memory, dma);
	uint8_t *start = NULL;
	uint64_t done = 0;

	if (!size || gpa + size < gpa)
		return NULL;
	/* Neighbours in the map are neighbours in the block of RAM, but for the step at 4 GiB. */
	while (done < size) {
		const struct memmap_range *range = memmap_find(&memory->map, gpa + done);
		uint64_t offset;
		uint8_t *host;

		if (!range || range->kind != MEMMAP_RAM)
			return NULL;
		offset = gpa + done - range->gpa;
		host = memory->ram + range->ram_offset + offset;
		if (!start)
			start = host;
		else if (host != start + done)
			return NULL;
		done += range->size - offset;
	}
	return start;
}

static void memory_dma_written(struct dma *dma, const void *mapped, size_t size)
{
	struct memory *memory = container_of(dma, struct memory, dma);

	memory_mark(memory, (uint64_t)((const uint8_t *)mapped - memory->ram), size);
}

int memory_init(struct memory *memory, uint64_t ram_bytes, enum vm_pages pages, bool ksm,
		const uint8_t *rom, size_t rom_bytes)
{
	memset(memory, 0, sizeof(*memory));
	memory->dma = (struct dma){
		.read = memory_dma_read,
		.write = memory_dma_write,
		.map = memory_dma_map,
		.written = memory_dma_written,
	};
	memory->ram_bytes = ram_bytes;
	memmap_split(ram_bytes, &memory->layout.below_4g, &memory->layout.above_4g);
	memory->layout.rom_bytes = rom_bytes;
	memory->ram = pages == VM_PAGES_RESERVED ? map_reserved(ram_bytes) : map_aligned(ram_bytes);
	memory->rom =
		mmap(NULL, rom_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!memory->ram || memory->rom == MAP_FAILED)
		return -ENOMEM;
	memcpy(memory->rom, rom, rom_bytes);
	/* Advice only: a host without these features runs the guest all the same. */
	if (pages != VM_PAGES_RESERVED)
		madvise(memory->ram, ram_bytes,
			pages == VM_PAGES_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (ksm)
		madvise(memory->ram, ram_bytes, MADV_MERGEABLE);
	madvise(memory->ram, ram_bytes, MADV_DONTDUMP);
	memory_remap(memory);
	return 0;
}

int memory_add_vram(struct memory *memory, uint32_t bytes)
{
	void *vram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (vram == MAP_FAILED)
		return -ENOMEM;
	madvise(vram, bytes, MADV_DONTDUMP);
	/* A text screen needs a few pages of it. */
	madvise(vram, bytes, MADV_NOHUGEPAGE);
	memory->vram.bytes = vram;
	memory->vram.size = bytes;
	return 0;
}

void memory_fini(struct memory *memory)
{
	(void)memory_track(memory, false);
	if (memory->vram.bytes)
		munmap(memory->vram.bytes, memory->vram.size);
	memory->vram.bytes = NULL;
	if (memory->ram)
		munmap(memory->ram, round_up(memory->ram_bytes, HUGE_PAGE));
	if (memory->rom && memory->rom != MAP_FAILED)
		munmap(memory->rom, memory->layout.rom_bytes);
	memory->ram = NULL;
	memory->rom = NULL;
}

void memory_clear(struct memory *memory)
{
	madvise(memory->ram, memory->ram_bytes, MADV_DONTNEED);
}

void memory_remap(struct memory *memory)
{
	memmap_build(&memory->layout, &memory->map);
}

bool memory_write_shadow(struct memory *memory, uint64_t gpa, const void *data, size_t size)
{
	const struct memmap_range *range = memmap_find(&memory->map, gpa);

	if (!range || (range->kind != MEMMAP_ROM_OVER_RAM && range->kind != MEMMAP_VOID_OVER_RAM) ||
	    size > range->size - (gpa - range->gpa))
		return false;
	memory_mark(memory, range->ram_offset + (gpa - range->gpa), size);
	memcpy(memory->ram + range->ram_offset + (gpa - range->gpa), data, size);
	return true;
}
