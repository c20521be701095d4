// SPDX-License-Identifier: GPL-2.0-or-later
/* What is left of a REP MOVSB, in all its forms; and that nothing else is taken for one. */
#include <criterion/criterion.h>

#include "../../vmm/string_move.h"

static struct kvm_regs regs;
static struct kvm_sregs sregs;
static struct string_move move;
static const uint8_t rep_movsb[3] = { 0xf3, 0xa4, 0x90 };

static void set_up(void)
{
	regs = (struct kvm_regs){ .rip = 0x123, .rcx = 1000, .rsi = 0x50, .rdi = 0, .rflags = 2 };
	sregs = (struct kvm_sregs){
		.cs = { .base = 0x7c00, .limit = 0xffff, .type = 0xb },
		.ds = { .base = 0xa0000, .limit = 0xffff, .type = 3 },
		.es = { .base = 0xa0000, .limit = 0xffff, .type = 3 },
	};
}

TestSuite(string_move, .init = set_up);

Test(string_move, real_mode_moves_what_is_left_but_one)
{
	uint32_t linear;

	cr_assert(string_move_code(&regs, &sregs, &linear));
	cr_assert_eq(linear, 0x7d23);
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.from, 0xa0050);
	cr_assert_eq(move.to, 0xa0000);
	cr_assert_eq(move.step, 1);
	cr_assert_eq(move.count, 998);
	string_move_advance(&regs, &move);
	cr_assert_eq(regs.rcx, 2, "the one that it is at, and the last");
	cr_assert_eq(regs.rsi, 0x50 + 998);
	cr_assert_eq(regs.rdi, 998);
}

Test(string_move, backwards)
{
	regs.rflags |= 0x400;
	regs.rsi = 0x700;
	regs.rdi = 0x750;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.step, -1);
	cr_assert_eq(move.count, 998);
	string_move_advance(&regs, &move);
	cr_assert_eq(regs.rsi, 0x700 - 998);
	cr_assert_eq(regs.rdi, 0x750 - 998);
}

Test(string_move, pages_are_not_left)
{
	regs.rsi = 0x0f00;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.count, 0xff, "the source's page ends");
	regs.rsi = 0;
	regs.rdi = 0x1f80;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.count, 0x7f, "the destination's page ends");
	regs.rflags |= 0x400;
	regs.rsi = 0x2020;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.count, 0x20, "the source's page begins");
}

Test(string_move, neither_offsets_nor_segments_wrap)
{
	regs.rsi = 0xff80;
	sregs.ds.base = 0x90080;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.count, 0x7f);
	sregs.ds.limit = 0xffa0;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.count, 0x20);
	sregs.ds.limit = 0x100;
	cr_assert_not(string_move_plan(&regs, &sregs, rep_movsb, &move));
	sregs.ds.limit = 0xffff;
	sregs.es.type = 7;
	cr_assert_not(string_move_plan(&regs, &sregs, rep_movsb, &move), "expands down");
}

Test(string_move, sizes_of_addresses)
{
	static const uint8_t first[3] = { 0x67, 0xf3, 0xa4 }, second[3] = { 0xf3, 0x67, 0xa4 };

	regs.rcx = 0x12340010;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.count, 14, "CX");
	string_move_advance(&regs, &move);
	cr_assert_eq(regs.rcx, 0x12340002, "the upper half stays");
	sregs.cs.db = 1;
	regs.rcx = 0x10010;
	sregs.ds.limit = sregs.es.limit = UINT32_MAX;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.count, 0xfff - 0x5e, "ECX, to the page's end");
	regs.rcx = 20;
	regs.rsi = 0x1000b0050;
	cr_assert(string_move_plan(&regs, &sregs, rep_movsb, &move));
	cr_assert_eq(move.from, 0xa0000 + 0xb0050);
	sregs.cs.db = 0;
	regs.rcx = 0x10010;
	cr_assert(string_move_plan(&regs, &sregs, first, &move));
	cr_assert_gt(move.count, 14, "a prefix changes it");
	cr_assert(string_move_plan(&regs, &sregs, second, &move));
	sregs.cs.db = 1;
	cr_assert(string_move_plan(&regs, &sregs, first, &move));
	cr_assert_eq(move.count, 14);
}

Test(string_move, other_instructions_are_left_alone)
{
	static const uint8_t others[][3] = {
		{ 0xa4, 0x90, 0x90 }, /* once */
		{ 0xf3, 0xa5, 0x90 }, /* dwords */
		{ 0xf2, 0xa4, 0x90 }, /* REPNE */
		{ 0x26, 0xf3, 0xa4 }, /* another segment */
		{ 0xf3, 0xaa, 0x90 }, /* STOSB */
		{ 0xf3, 0xf3, 0xf3 }, { 0x8a, 0x07, 0xf3 },
	};
	uint32_t linear;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_assert_not(string_move_plan(&regs, &sregs, others[i], &move), "number %zu", i);
	regs.rcx = 15;
	cr_assert_not(string_move_plan(&regs, &sregs, rep_movsb, &move), "too few");
	sregs.efer = 0x500;
	cr_assert_not(string_move_code(&regs, &sregs, &linear), "64 bits");
}
