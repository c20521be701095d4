// SPDX-License-Identifier: GPL-2.0-or-later
#include "memmap.h"

#include <assert.h>

#include "../base/bits.h"

#define VIDEO_BASE 0xa0000u
#define SHADOW_BASE 0xc0000u
#define BIOS_BASE 0xe0000u /* where the firmware's last 128 KiB are seen */
#define BIOS_AREA_BASE 0xf0000u
#define SHADOW_END 0x100000u
#define PAM_AREA_BYTES 0x4000u
#define IOAPIC_BASE 0xfec00000u /* from here on addresses are the processors' and the firmware's */

void memmap_split(uint64_t memory_bytes, uint64_t *ret_below_4g, uint64_t *ret_above_4g)
{
	*ret_below_4g = min_u64(memory_bytes, MEMMAP_LOW_MAX);
	*ret_above_4g = memory_bytes - *ret_below_4g;
}

static bool continues(const struct memmap_range *before, const struct memmap_range *range)
{
	if (before->gpa + before->size != range->gpa || before->kind != range->kind)
		return false;
	if (range->gpa == VIDEO_BASE || range->gpa == SHADOW_BASE || range->gpa == SHADOW_END)
		return false;
	return before->ram_offset + before->size == range->ram_offset &&
	       (range->kind == MEMMAP_RAM || range->kind == MEMMAP_RAM_READONLY ||
		range->kind == MEMMAP_VOID_OVER_RAM ||
		before->rom_offset + before->size == range->rom_offset);
}

static void add(struct memmap *map, struct memmap_range range)
{
	struct memmap_range *last = map->count ? &map->ranges[map->count - 1] : NULL;

	if (!range.size)
		return;
	if (last && continues(last, &range)) {
		last->size += range.size;
		return;
	}
	assert(map->count < MEMMAP_RANGES_MAX);
	map->ranges[map->count++] = range;
}

/* Plain RAM at @gpa, which is its own offset, with the chipset's hole cut out. */
static void add_low_ram(struct memmap *map, const struct memmap_input *input, uint64_t gpa,
			uint64_t end)
{
	uint64_t hole = input->hole_bytes ? input->hole_base : UINT64_MAX;
	uint64_t hole_end = hole + input->hole_bytes;

	end = min_u64(end, input->below_4g - min_u64(input->tseg_bytes, input->below_4g));
	if (gpa >= end)
		return;
	if (hole >= end || !input->hole_bytes || hole_end <= gpa) {
		add(map, (struct memmap_range){ gpa, end - gpa, MEMMAP_RAM, gpa, 0 });
		return;
	}
	if (hole > gpa)
		add(map, (struct memmap_range){ gpa, hole - gpa, MEMMAP_RAM, gpa, 0 });
	if (hole_end < end)
		add(map,
		    (struct memmap_range){ hole_end, end - hole_end, MEMMAP_RAM, hole_end, 0 });
}

/* One area that a PAM nibble governs. */
static void add_shadow(struct memmap *map, const struct memmap_input *input, uint64_t gpa,
		       uint64_t size, uint8_t pam)
{
	bool bios = gpa >= BIOS_BASE && input->rom_bytes >= SHADOW_END - gpa;
	struct memmap_range range = {
		.gpa = gpa,
		.size = size,
		.ram_offset = gpa,
		.rom_offset = bios ? input->rom_bytes - (SHADOW_END - gpa) : 0,
	};

	switch (pam & (MEMMAP_PAM_RE | MEMMAP_PAM_WE)) {
	case MEMMAP_PAM_RE | MEMMAP_PAM_WE:
		range.kind = MEMMAP_RAM;
		break;
	case MEMMAP_PAM_RE:
		range.kind = MEMMAP_RAM_READONLY;
		break;
	case MEMMAP_PAM_WE:
		range.kind = bios ? MEMMAP_ROM_OVER_RAM : MEMMAP_VOID_OVER_RAM;
		break;
	default:
		if (!bios)
			return;
		range.kind = MEMMAP_ROM;
		break;
	}
	add(map, range);
}

/* Memory of the display adapter, where it collides with nothing between @from and @end. */
static void add_aperture(struct memmap *map, const struct memmap_aperture *aperture, uint64_t from,
			 uint64_t end)
{
	if (aperture->gpa < from || aperture->gpa >= end || aperture->size > end - aperture->gpa)
		return;
	add(map, (struct memmap_range){ aperture->gpa, aperture->size, MEMMAP_VRAM,
					aperture->offset, 0 });
}

void memmap_build(const struct memmap_input *input, struct memmap *ret_map)
{
	uint64_t rom_base = MEMMAP_HIGH_BASE - input->rom_bytes;

	ret_map->count = 0;
	add_low_ram(ret_map, input, 0, VIDEO_BASE);
	if (input->smram_open)
		add(ret_map, (struct memmap_range){ VIDEO_BASE, SHADOW_BASE - VIDEO_BASE,
						    MEMMAP_RAM, VIDEO_BASE, 0 });
	else
		add_aperture(ret_map, &input->apertures[1], VIDEO_BASE, SHADOW_BASE);
	for (unsigned int i = 1; i < MEMMAP_PAM_AREAS; i++)
		add_shadow(ret_map, input, SHADOW_BASE + (i - 1) * PAM_AREA_BYTES, PAM_AREA_BYTES,
			   input->pam[i]);
	add_shadow(ret_map, input, BIOS_AREA_BASE, SHADOW_END - BIOS_AREA_BASE, input->pam[0]);
	add_low_ram(ret_map, input, SHADOW_END, input->below_4g);
	add_aperture(ret_map, &input->apertures[0], max_u64(input->below_4g, SHADOW_END),
		     IOAPIC_BASE);
	add(ret_map, (struct memmap_range){ rom_base, input->rom_bytes, MEMMAP_ROM, 0, 0 });
	add(ret_map, (struct memmap_range){ MEMMAP_HIGH_BASE, input->above_4g, MEMMAP_RAM,
					    input->below_4g, 0 });
}

const struct memmap_range *memmap_find(const struct memmap *map, uint64_t gpa)
{
	for (unsigned int i = 0; i < map->count; i++) {
		const struct memmap_range *range = &map->ranges[i];

		if (gpa >= range->gpa && gpa - range->gpa < range->size)
			return range;
	}
	return NULL;
}
