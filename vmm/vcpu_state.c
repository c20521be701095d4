// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_IA32_TSC 0x10u
#define MSR_IA32_TSC_ADJUST 0x3bu
#define CR0_ET 0x00000010u
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u

int vcpu_state_list_msrs(int kvm_fd, struct vcpu_msrs *ret_list)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + VCPU_MSRS_MAX * sizeof(uint32_t));
	int r = 0;

	if (!list)
		return -ENOMEM;
	memset(ret_list, 0, sizeof(*ret_list));
	list->nmsrs = VCPU_MSRS_MAX;
	/* E2BIG says how many there are. More than we have room for: the first ones are the old
	 * ones. */
	if (ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, list) < 0)
		r = -errno;
	for (uint32_t i = 0; i < list->nmsrs && i < VCPU_MSRS_MAX && r == 0; i++) {
		if (list->indices[i] == MSR_IA32_TSC || list->indices[i] == MSR_IA32_TSC_ADJUST)
			continue;
		ret_list->entries[ret_list->nmsrs++].index = list->indices[i];
	}
	free(list);
	return r;
}

/* KVM_GET_MSRS stops at a register that this processor lacks: leave that out and go on behind it.
 */
static int get_msrs(int vcpu_fd, const struct vcpu_msrs *list, struct vcpu_msrs *ret_msrs)
{
	struct vcpu_msrs *batch = calloc(1, sizeof(*batch));
	uint32_t at = 0;
	int r = 0;

	if (!batch)
		return -ENOMEM;
	ret_msrs->nmsrs = 0;
	while (at < list->nmsrs) {
		int got;

		batch->nmsrs = list->nmsrs - at;
		memcpy(batch->entries, &list->entries[at],
		       batch->nmsrs * sizeof(batch->entries[0]));
		got = ioctl(vcpu_fd, KVM_GET_MSRS, batch);
		if (got < 0) {
			r = -errno;
			break;
		}
		memcpy(&ret_msrs->entries[ret_msrs->nmsrs], batch->entries,
		       (size_t)got * sizeof(batch->entries[0]));
		ret_msrs->nmsrs += (uint32_t)got;
		at += (uint32_t)got + 1;
	}
	free(batch);
	return r;
}

int vcpu_state_capture(int vcpu_fd, const struct vcpu_msrs *list, struct vcpu_state *ret_state)
{
	if (ioctl(vcpu_fd, KVM_GET_REGS, &ret_state->regs) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_SREGS, &ret_state->sregs) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_FPU, &ret_state->fpu) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_DEBUGREGS, &ret_state->debugregs) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_VCPU_EVENTS, &ret_state->events) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_MP_STATE, &ret_state->mp_state) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_LAPIC, &ret_state->lapic) < 0)
		return -errno;
	/* A processor without XSAVE has no extended control register. */
	if (ioctl(vcpu_fd, KVM_GET_XCRS, &ret_state->xcrs) < 0)
		ret_state->xcrs.nr_xcrs = 0;
	return get_msrs(vcpu_fd, list, &ret_state->msrs);
}

int vcpu_state_load(int vcpu_fd, const struct vcpu_state *state, bool init)
{
	struct kvm_sregs sregs = state->sregs;

	if (init) {
		struct kvm_sregs now;

		/* INIT keeps the caches as they were. */
		if (ioctl(vcpu_fd, KVM_GET_SREGS, &now) < 0)
			return -errno;
		sregs.cr0 = (sregs.cr0 & ~(uint64_t)(CR0_CD | CR0_NW)) |
			    (now.cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
		sregs.apic_base = now.apic_base;
		/*
		 * On AMD hosts KVM (Linux 6.1) clears its control block after a triple fault and does not load
		 * the root of the nested page tables again when the guest had paging off: the guest would
		 * fetch through a null root for ever. A change of CR0 makes KVM load it.
		 */
		sregs.cr0 ^= CR0_CD;
		if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0)
			return -errno;
		sregs.cr0 ^= CR0_CD;
	}
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(vcpu_fd, KVM_SET_REGS, &state->regs) < 0 ||
	    ioctl(vcpu_fd, KVM_SET_DEBUGREGS, &state->debugregs) < 0 ||
	    ioctl(vcpu_fd, KVM_SET_VCPU_EVENTS, &state->events) < 0)
		return -errno;
	if (!init) {
		if (ioctl(vcpu_fd, KVM_SET_FPU, &state->fpu) < 0 ||
		    (state->xcrs.nr_xcrs && ioctl(vcpu_fd, KVM_SET_XCRS, &state->xcrs) < 0) ||
		    ioctl(vcpu_fd, KVM_SET_MSRS, &state->msrs) < 0)
			return -errno;
	}
	if (ioctl(vcpu_fd, KVM_SET_LAPIC, &state->lapic) < 0 ||
	    ioctl(vcpu_fd, KVM_SET_MP_STATE, &state->mp_state) < 0)
		return -errno;
	return 0;
}
