// SPDX-License-Identifier: GPL-2.0-or-later
#include "../../vmm/vcpu_state.h"

#include <criterion/criterion.h>

#define CR0_PG 0x80000000u
#define CR0_PE 1u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u

/* Bit 53 of a descriptor means nothing outside long mode, but KVM shows it, and refuses it. */
Test(vcpu_state, a_32_bit_guest_may_have_the_long_bit_in_cs)
{
	struct kvm_sregs sregs = { .cr0 = CR0_PG | CR0_PE, .cs = { .l = 1, .db = 1 } };

	vcpu_sregs_make_loadable(&sregs, true);
	cr_assert_eq(sregs.cs.l, 0);
	cr_assert_eq(sregs.cs.db, 1);
	cr_assert_eq(sregs.efer, 0);
}

Test(vcpu_state, long_mode_is_what_lme_and_paging_make)
{
	struct kvm_sregs active = { .cr0 = CR0_PG | CR0_PE,
				    .efer = EFER_LME | EFER_LMA,
				    .cs.l = 1 };
	struct kvm_sregs enabled = { .cr0 = CR0_PE, .efer = EFER_LME | EFER_LMA, .cs.l = 1 };

	vcpu_sregs_make_loadable(&active, true);
	cr_assert_eq(active.efer, EFER_LME | EFER_LMA);
	cr_assert_eq(active.cs.l, 1);
	vcpu_sregs_make_loadable(&enabled, true);
	cr_assert_eq(enabled.efer, EFER_LME);
	cr_assert_eq(enabled.cs.l, 0);
}

Test(vcpu_state, only_intel_wants_the_task_register_busy)
{
	struct kvm_sregs sregs = { .tr.type = 11 };

	vcpu_sregs_make_loadable(&sregs, true);
	cr_assert_eq(sregs.tr.type, 11);
	vcpu_sregs_make_loadable(&sregs, false);
	cr_assert_eq(sregs.tr.type, 9);
}
