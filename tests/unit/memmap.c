// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/memmap.c and memory.c: the memory map and copies through it. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../base/bits.h"
#include "../../vmm/memmap.h"
#include "../../vmm/memory.h"

static struct memmap build(const struct memmap_input *input)
{
	struct memmap map;

	memmap_build(input, &map);
	for (unsigned int i = 0; i + 1 < map.count; i++)
		cr_assert_leq(map.ranges[i].gpa + map.ranges[i].size, map.ranges[i + 1].gpa,
			      "ranges are sorted and do not overlap");
	return map;
}

static void assert_range(const struct memmap *map, unsigned int i, uint64_t gpa, uint64_t size,
			 enum memmap_kind kind)
{
	cr_assert_lt(i, map->count);
	cr_assert_eq(map->ranges[i].gpa, gpa, "%u: %llx", i,
		     (unsigned long long)map->ranges[i].gpa);
	cr_assert_eq(map->ranges[i].size, size, "%u: %llx", i,
		     (unsigned long long)map->ranges[i].size);
	cr_assert_eq(map->ranges[i].kind, kind, "%u", i);
}

static const struct memmap_input after_reset = {
	.below_4g = MIB(128),
	.rom_bytes = KIB(256),
};

Test(memmap, after_reset_the_firmware_is_seen_twice)
{
	struct memmap map = build(&after_reset);

	cr_assert_eq(map.count, 4);
	assert_range(&map, 0, 0, 0xa0000, MEMMAP_RAM);
	assert_range(&map, 1, 0xe0000, 0x20000, MEMMAP_ROM);
	cr_assert_eq(map.ranges[1].rom_offset, 0x20000);
	assert_range(&map, 2, 0x100000, MIB(127), MEMMAP_RAM);
	assert_range(&map, 3, 0xfffc0000, KIB(256), MEMMAP_ROM);
	cr_assert_eq(map.ranges[3].rom_offset, 0);
}

Test(memmap, smram_is_seen_while_it_is_open)
{
	struct memmap_input input = after_reset;
	struct memmap map;

	input.smram_open = true;
	map = build(&input);
	assert_range(&map, 0, 0, 0xa0000, MEMMAP_RAM);
	assert_range(&map, 1, 0xa0000, 0x20000, MEMMAP_RAM);
	cr_assert_eq(map.ranges[1].ram_offset, 0xa0000);
	input.smram_open = false;
	map = build(&input);
	cr_assert_null(memmap_find(&map, 0xa0000));
}

Test(memmap, tseg_is_hidden_at_the_end_of_memory)
{
	struct memmap_input input = after_reset;
	struct memmap map;

	input.tseg_bytes = MIB(1);
	map = build(&input);
	assert_range(&map, 2, 0x100000, MIB(126), MEMMAP_RAM);
	cr_assert_null(memmap_find(&map, MIB(127)));
	input.below_4g = MIB(1);
	map = build(&input);
	cr_assert_null(memmap_find(&map, 0));
}

Test(memmap, a_small_image_leaves_the_rest_empty)
{
	struct memmap_input input = after_reset;
	struct memmap map;

	input.rom_bytes = KIB(64);
	map = build(&input);
	assert_range(&map, 1, 0xf0000, 0x10000, MEMMAP_ROM);
	cr_assert_null(memmap_find(&map, 0xe0000));
}

Test(memmap, shadow_states)
{
	struct memmap_input input = after_reset;
	struct memmap map;

	input.pam[0] = MEMMAP_PAM_RE | MEMMAP_PAM_WE;
	input.pam[1] = MEMMAP_PAM_WE;
	input.pam[2] = MEMMAP_PAM_RE;
	input.pam[9] = MEMMAP_PAM_WE; /* E0000h */
	map = build(&input);
	assert_range(&map, 1, 0xc0000, 0x4000, MEMMAP_VOID_OVER_RAM);
	assert_range(&map, 2, 0xc4000, 0x4000, MEMMAP_RAM_READONLY);
	assert_range(&map, 3, 0xe0000, 0x4000, MEMMAP_ROM_OVER_RAM);
	cr_assert_eq(map.ranges[3].rom_offset, 0x20000);
	cr_assert_eq(map.ranges[3].ram_offset, 0xe0000);
	assert_range(&map, 4, 0xe4000, 0xc000, MEMMAP_ROM);
	assert_range(&map, 5, 0xf0000, 0x10000, MEMMAP_RAM);
	assert_range(&map, 6, 0x100000, MIB(127), MEMMAP_RAM);
}

Test(memmap, every_pam_value_fits_the_table)
{
	struct memmap_input input = after_reset;

	input.below_4g = MEMMAP_LOW_MAX;
	input.above_4g = GIB(4);
	input.hole_base = MIB(15);
	input.hole_bytes = MIB(1);
	/* Alternating states merge least. */
	for (unsigned int i = 0; i < MEMMAP_PAM_AREAS; i++)
		input.pam[i] = (uint8_t)(i & 1 ? MEMMAP_PAM_RE : MEMMAP_PAM_WE);
	(void)build(&input);
	for (unsigned int value = 0; value < 4; value++) {
		for (unsigned int i = 0; i < MEMMAP_PAM_AREAS; i++)
			input.pam[i] = (uint8_t)value;
		(void)build(&input);
	}
}

Test(memmap, memory_beyond_the_pci_window_stands_at_4_gib)
{
	struct memmap_input input = after_reset;
	const struct memmap_range *high;
	struct memmap map;

	memmap_split(GIB(6), &input.below_4g, &input.above_4g);
	cr_assert_eq(input.below_4g, 0xe0000000);
	map = build(&input);
	high = memmap_find(&map, MEMMAP_HIGH_BASE);
	cr_assert_not_null(high);
	cr_assert_eq(high->size, GIB(6) - 0xe0000000);
	cr_assert_eq(high->ram_offset, 0xe0000000);
	cr_assert_null(memmap_find(&map, 0xe0000000));
}

Test(memmap, holes_hide_ram)
{
	struct memmap_input input = after_reset;
	struct memmap map;

	input.hole_base = KIB(512);
	input.hole_bytes = KIB(128);
	map = build(&input);
	assert_range(&map, 0, 0, 0x80000, MEMMAP_RAM);
	cr_assert_null(memmap_find(&map, 0x80000));
	input.hole_base = MIB(15);
	input.hole_bytes = MIB(1);
	map = build(&input);
	cr_assert_null(memmap_find(&map, MIB(15)));
	cr_assert_not_null(memmap_find(&map, MIB(16)));
}

static struct memory new_memory(uint64_t bytes)
{
	uint8_t *rom = malloc(KIB(256));
	struct memory memory;

	for (unsigned int i = 0; i < KIB(256); i++)
		rom[i] = (uint8_t)(i >> 10);
	cr_assert_eq(memory_init(&memory, bytes, VM_PAGES_HUGE, false, rom, KIB(256)), 0);
	free(rom);
	return memory;
}

Test(memory, dma_reaches_ram_alone)
{
	struct memory memory = new_memory(MIB(16));
	uint8_t bytes[16] = { 1, 2, 3 };

	cr_assert_eq(dma_write(&memory.dma, 0x9fff0, bytes, 16), 0);
	cr_assert_eq(dma_write(&memory.dma, 0x9fff8, bytes, 16), -EFAULT, "into the video hole");
	cr_assert_eq(memory.ram[0x9fff8], 0, "all or nothing");
	cr_assert_eq(dma_write(&memory.dma, MIB(16) - 8, bytes, 16), -EFAULT);
	cr_assert_eq(dma_write(&memory.dma, UINT64_MAX - 4, bytes, 16), -EFAULT);
	cr_assert_eq(dma_write(&memory.dma, 0xfffffff0, bytes, 16), -EFAULT, "ROM");
	cr_assert_eq(dma_read(&memory.dma, 0xfffffff0, bytes, 16), 0);
	cr_assert_eq(bytes[0], 0xff);
	cr_assert_null(dma_map(&memory.dma, MIB(16) - 8, 16));
	cr_assert_null(dma_map(&memory.dma, 0x9fff8, 16));
	cr_assert_null(dma_map(&memory.dma, 0xe0000, 16));
	cr_assert_null(dma_map(&memory.dma, 0x1000, 0));
	cr_assert_not_null(dma_map(&memory.dma, MIB(1), MIB(15)));
	memory_fini(&memory);
}

Test(memory, dma_crosses_from_shadow_to_extended_memory)
{
	struct memory memory = new_memory(MIB(16));
	uint8_t bytes[32];

	memset(bytes, 0x5a, sizeof(bytes));
	memory.layout.pam[0] = MEMMAP_PAM_RE | MEMMAP_PAM_WE;
	memory_remap(&memory);
	cr_assert_eq(dma_write(&memory.dma, MIB(1) - 16, bytes, 32), 0);
	cr_assert_eq(memory.ram[MIB(1) - 1], 0x5a);
	cr_assert_eq(memory.ram[MIB(1) + 15], 0x5a);
	cr_assert_eq((uint8_t *)dma_map(&memory.dma, MIB(1) - 16, 32), memory.ram + MIB(1) - 16);
	memory_fini(&memory);
}

Test(memory, shadow_is_copied_through)
{
	struct memory memory = new_memory(MIB(16));
	uint8_t byte = 0x77;

	cr_assert_not(memory_write_shadow(&memory, 0xf0000, &byte, 1), "ROM");
	memory.layout.pam[0] = MEMMAP_PAM_WE;
	memory_remap(&memory);
	cr_assert(memory_write_shadow(&memory, 0xf0000, &byte, 1));
	cr_assert_eq(memory.ram[0xf0000], 0x77);
	cr_assert_not(memory_write_shadow(&memory, 0xfffff, &byte, 2), "beyond the area");
	cr_assert_not(memory_write_shadow(&memory, 0x1000, &byte, 1), "plain RAM never comes here");
	memory_fini(&memory);
}
