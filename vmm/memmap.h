/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The physical memory map as a pure function of what decides it: how much RAM there is, the
 * firmware's size, and the chipset's PAM and hole registers.
 *
 * RAM is one block: bytes 0 to below_4g stand at their own addresses, the rest from 4 GiB on. The
 * firmware image ends at 4 GiB; its last 128 KiB are seen at E0000h too, until shadow RAM hides
 * them.
 */
#ifndef VMM_MEMMAP_H
#define VMM_MEMMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Guest RAM below the PCI window; what is more stands at 4 GiB. */
#define MEMMAP_LOW_MAX UINT64_C(0xe0000000)
#define MEMMAP_HIGH_BASE UINT64_C(0x100000000)
#define MEMMAP_RANGES_MAX 24

enum memmap_kind {
	MEMMAP_RAM,	      /* read and written */
	MEMMAP_RAM_READONLY,  /* RAM whose writes go nowhere: shadow that is locked */
	MEMMAP_ROM,	      /* firmware; writes go nowhere */
	MEMMAP_ROM_OVER_RAM,  /* reads give the firmware, writes reach the RAM below: shadow being
				 made */
	MEMMAP_VRAM,	      /* the display adapter's memory, read and written */
	MEMMAP_VOID_OVER_RAM, /* reads give nothing (all ones), writes reach the RAM below */
};

/* The areas that PAM0 to PAM6 govern. */
#define MEMMAP_PAM_AREAS 13
#define MEMMAP_PAM_RE 0x1u
#define MEMMAP_PAM_WE 0x2u

/* Parts of the adapter's memory that the processor sees; size 0: none. */
#define MEMMAP_APERTURES 2

struct memmap_aperture {
	uint64_t gpa, size;
	uint64_t offset; /* into the adapter's memory */
};

struct memmap_input {
	uint64_t below_4g, above_4g; /* bytes of RAM, multiples of 1 MiB */
	uint64_t rom_bytes;	     /* 64 KiB to 1 MiB */
	/* [0]: F0000h, 64 KiB; [1] to [12]: 16 KiB each from C0000h. MEMMAP_PAM_RE and _WE. */
	uint8_t pam[MEMMAP_PAM_AREAS];
	/* [0]: beyond RAM, [1]: within A0000h to BFFFFh; what does not fit there is left out. */
	struct memmap_aperture apertures[MEMMAP_APERTURES];
	uint64_t hole_base, hole_bytes; /* FDHC: RAM hidden there; 0 bytes: none */
	bool smram_open;		/* SMRAM at A0000h is seen instead of the video adapter */
	uint64_t tseg_bytes;		/* at the end of low RAM, hidden from all but SMM */
};

struct memmap_range {
	uint64_t gpa, size;
	enum memmap_kind kind;
	/* Of gpa in the block of RAM, or in the adapter's memory; all but MEMMAP_ROM. */
	uint64_t ram_offset;
	uint64_t rom_offset; /* of gpa in the firmware image; the ROM kinds */
};

struct memmap {
	unsigned int count;
	struct memmap_range ranges[MEMMAP_RANGES_MAX]; /* sorted, without overlap */
};

/* Splits @memory_bytes into what stands below and above 4 GiB. */
void memmap_split(uint64_t memory_bytes, uint64_t *ret_below_4g, uint64_t *ret_above_4g);

/*
 * Ranges are merged where they continue each other, but never across A0000h, C0000h and 1 MiB: what
 * the firmware does to shadow memory leaves the big ranges as they are.
 */
void memmap_build(const struct memmap_input *input, struct memmap *ret_map);

/* The range that holds @gpa, or NULL. */
const struct memmap_range *memmap_find(const struct memmap *map, uint64_t gpa);

#endif
