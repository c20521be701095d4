/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * REP MOVSB in a device's memory: how VGAs scroll. KVM leaves the guest for each of its bytes. Once some have come one
 * behind the other, what is left of the instruction is worked out here, so that it can be done in one go.
 *
 * Pure functions; vcpu.c does it.
 */
#ifndef VMM_STRING_MOVE_H
#define VMM_STRING_MOVE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/* Prefixes, and A4h. */
#define STRING_MOVE_CODE 3

/* Linear addresses: of the byte that the processor is at, and of where it goes. */
struct string_move {
	uint32_t from, to;
	int32_t step; /* 1 or -1 */
	uint32_t
		count; /* further bytes that can be done, all within the same pages; the last one is left */
	uint64_t rcx_mask; /* which parts of RCX, RSI and RDI count */
};

/* Where the instruction is, as a linear address; false: in no mode that is known here. */
bool string_move_code(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
		      uint32_t *ret_linear);
/*
 * @code is what stands there. False: no such instruction, or too little of it is left to be worth it.
 */
bool string_move_plan(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
		      const uint8_t code[STRING_MOVE_CODE], struct string_move *ret_move);
/* The registers when @move's bytes have been done; the processor still finishes the byte that it is at. */
void string_move_advance(struct kvm_regs *regs, const struct string_move *move);

#endif
