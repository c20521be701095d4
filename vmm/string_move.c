// SPDX-License-Identifier: GPL-2.0-or-later
#include "string_move.h"

#include "../base/bits.h"

#define RFLAGS_DF 0x400u
#define EFER_LMA 0x400u
#define PAGE_LAST 0xfffu
#define SEGMENT_EXPANDS_DOWN 0x4u /* of a data segment's type */
#define SEGMENT_CODE 0x8u
#define PREFIX_REP 0xf3
#define PREFIX_ADDRESS_SIZE 0x67
#define MOVSB 0xa4
#define WORTH_IT 16u

bool string_move_code(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
		      uint32_t *ret_linear)
{
	if (sregs->efer & EFER_LMA)
		return false;
	*ret_linear = (uint32_t)(sregs->cs.base + regs->rip);
	return true;
}

static bool decode(const uint8_t *code, bool *ret_repeats, bool *ret_other_size)
{
	*ret_repeats = *ret_other_size = false;
	for (unsigned int i = 0; i < STRING_MOVE_CODE; i++) {
		switch (code[i]) {
		case PREFIX_REP:
			*ret_repeats = true;
			break;
		case PREFIX_ADDRESS_SIZE:
			*ret_other_size = true;
			break;
		case MOVSB:
			return *ret_repeats;
		default:
			return false;
		}
	}
	return false;
}

/* How far @offset can go, @step at a time, without wrapping, and within @segment. */
static uint32_t room(const struct kvm_segment *segment, uint32_t offset, uint32_t mask,
		     int32_t step)
{
	uint32_t last = segment->limit < mask ? segment->limit : mask;

	if (!(segment->type & SEGMENT_CODE) && (segment->type & SEGMENT_EXPANDS_DOWN))
		return 0;
	if (offset > last)
		return 0;
	return step > 0 ? last - offset : offset;
}

static uint32_t room_in_page(uint32_t linear, int32_t step)
{
	uint32_t at = linear & PAGE_LAST;

	return step > 0 ? PAGE_LAST - at : at;
}

bool string_move_plan(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
		      const uint8_t code[STRING_MOVE_CODE], struct string_move *ret_move)
{
	struct string_move move = { .step = regs->rflags & RFLAGS_DF ? -1 : 1 };
	bool repeats, other_size;
	uint32_t mask, si, di, count;

	if (!decode(code, &repeats, &other_size))
		return false;
	mask = (sregs->cs.db != 0) != other_size ? UINT32_MAX : 0xffff;
	move.rcx_mask = mask;
	si = (uint32_t)regs->rsi & mask;
	di = (uint32_t)regs->rdi & mask;
	count = (uint32_t)regs->rcx & mask;
	if (count < WORTH_IT)
		return false;
	/* The byte that the processor is at, and the last one, which leaves the latches as they should be. */
	count -= 2;
	move.from = (uint32_t)sregs->ds.base + si;
	move.to = (uint32_t)sregs->es.base + di;
	count = (uint32_t)min_u64(count, room(&sregs->ds, si, mask, move.step));
	count = (uint32_t)min_u64(count, room(&sregs->es, di, mask, move.step));
	count = (uint32_t)min_u64(count, room_in_page(move.from, move.step));
	count = (uint32_t)min_u64(count, room_in_page(move.to, move.step));
	move.count = count;
	*ret_move = move;
	return count >= WORTH_IT - 2;
}

static uint64_t moved(uint64_t reg, uint64_t mask, int64_t by)
{
	return (reg & ~mask) | ((reg + (uint64_t)by) & mask);
}

void string_move_advance(struct kvm_regs *regs, const struct string_move *move)
{
	const int64_t by = (int64_t)move->count * move->step;

	regs->rcx = moved(regs->rcx, move->rcx_mask, -(int64_t)move->count);
	regs->rsi = moved(regs->rsi, move->rcx_mask, by);
	regs->rdi = moved(regs->rdi, move->rcx_mask, by);
}
