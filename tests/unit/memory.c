// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest RAM: what the host is told about its pages. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../vmm/memory.h"

#define RAM_BYTES (8u << 20)
#define ROM_BYTES (64u << 10)

/* Whether the kernel knows the mapping that has @address by @flag, as proc(5) lists them. */
static bool has_flag(const void *address, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	bool inside = false, seen = false, found = false;
	char line[512];

	cr_assert_not_null(file);
	while (!seen && fgets(line, sizeof(line), file)) {
		uint64_t first, end;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &first, &end) == 2)
			inside = first <= (uintptr_t)address && (uintptr_t)address < end;
		seen = inside && !strncmp(line, "VmFlags:", 8);
		found = seen && strstr(line, flag);
	}
	fclose(file);
	cr_assert(seen, "the mapping is not in smaps");
	return found;
}

Test(memory, pages_and_merging_are_as_asked_for)
{
	static const struct {
		enum vm_pages pages;
		bool ksm;
		const char *flag;
	} rows[] = {
		{ VM_PAGES_HUGE, true, " hg" },
		{ VM_PAGES_HUGE, false, " hg" },
		{ VM_PAGES_SMALL, true, " nh" },
	};
	static const uint8_t rom[ROM_BYTES];

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK) < 0 ||
	    access("/sys/kernel/mm/ksm", F_OK) < 0)
		cr_skip_test("this kernel has neither huge pages nor merging to advise");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct memory memory;
		const uint8_t *within;

		cr_assert_eq(memory_init(&memory, RAM_BYTES, rows[i].pages, rows[i].ksm, rom,
					 sizeof(rom)),
			     0);
		within = memory.ram + RAM_BYTES / 2;
		cr_assert(has_flag(within, rows[i].flag), "row %zu: pages", i);
		cr_assert_eq(has_flag(within, " mg"), rows[i].ksm, "row %zu: merging", i);
		cr_assert(has_flag(within, " dd"), "not in a core file");
		memory_fini(&memory);
	}
}

/* A request may be older than the save that begins, and end when its page has been copied. */
Test(memory, what_was_mapped_before_changes_were_followed_counts_when_it_is_written)
{
	static const uint8_t rom[ROM_BYTES];
	uint64_t changed[RAM_BYTES / 4096 / 64];
	struct memory memory;
	uint8_t *mapped;

	cr_assert_eq(memory_init(&memory, RAM_BYTES, VM_PAGES_SMALL, false, rom, sizeof(rom)), 0);
	mapped = dma_map(&memory.dma, 0x200f00, 0x2200);
	cr_assert_not_null(mapped);
	cr_assert_eq(memory_track(&memory, true), 0);
	memory_take_dirty(&memory, changed);
	for (size_t i = 0; i < ARRAY_LEN(changed); i++)
		cr_assert_eq(changed[i], 0);
	dma_written(&memory.dma, mapped, 0x2200);
	memory_take_dirty(&memory, changed);
	for (size_t i = 0; i < ARRAY_LEN(changed); i++)
		cr_assert_eq(changed[i], i == 0x200 / 64 ? UINT64_C(0xf) : 0, "word %zu", i);
	memory_take_dirty(&memory, changed);
	cr_assert_eq(changed[0x200 / 64], 0, "it is told once");
	memory_fini(&memory);
}
