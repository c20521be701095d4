// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu_state.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#define MSR_IA32_TSC 0x10u
#define MSR_IA32_TSC_ADJUST 0x3bu
#define MSR_IA32_TSC_DEADLINE 0x6e0u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_SVME 0x1000u
#define CR4_VMXE 0x2000u
#define TSS_BUSY 0x2u
#define CR0_PG 0x80000000u
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
	/* First: it takes what waits in the APIC, which changes the rest. */
	if (ioctl(vcpu_fd, KVM_GET_MP_STATE, &ret_state->mp_state) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_REGS, &ret_state->regs) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_SREGS, &ret_state->sregs) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_FPU, &ret_state->fpu) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_DEBUGREGS, &ret_state->debugregs) < 0 ||
	    ioctl(vcpu_fd, KVM_GET_VCPU_EVENTS, &ret_state->events) < 0 ||
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

/* --- saving and restoring */

struct vcpu_moment vcpu_moment_now(void)
{
	return (struct vcpu_moment){ .host_tsc = __rdtsc() };
}

/* The difference of the guest's counter to the host's, where KVM tells it. */
static int tsc_offset(int vcpu_fd, unsigned long request, uint64_t *offset)
{
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)offset,
	};

	return ioctl(vcpu_fd, request, &attribute) < 0 ? -errno : 0;
}

void vcpu_shift_tsc(int vcpu_fd, uint64_t counts)
{
	uint64_t offset;

	if (tsc_offset(vcpu_fd, KVM_GET_DEVICE_ATTR, &offset) < 0)
		return;
	offset += counts;
	(void)tsc_offset(vcpu_fd, KVM_SET_DEVICE_ATTR, &offset);
}

/* As struct kvm_msrs with room for one. */
struct one_msr {
	uint32_t nmsrs, pad;
	struct kvm_msr_entry entry;
};

static int get_msr(int vcpu_fd, uint32_t index, uint64_t *ret_value)
{
	struct one_msr one = { .nmsrs = 1, .entry.index = index };
	int r = ioctl(vcpu_fd, KVM_GET_MSRS, &one);

	*ret_value = one.entry.data;
	return r == 1 ? 0 : -EINVAL;
}

static int set_msr(int vcpu_fd, uint32_t index, uint64_t value)
{
	struct one_msr one = { .nmsrs = 1, .entry = { .index = index, .data = value } };

	return ioctl(vcpu_fd, KVM_SET_MSRS, &one) == 1 ? 0 : -EINVAL;
}

int vcpu_image_save(int vcpu_fd, const struct vcpu_state *reset_state,
		    const struct vcpu_moment *moment, struct vcpu_image *ret_image)
{
	uint64_t offset;
	int r = vcpu_state_capture(vcpu_fd, &reset_state->msrs, &ret_image->state);

	if (r < 0)
		return r;
	/* The state of a guest in a guest is not ours to see. */
	if ((ret_image->state.sregs.efer & EFER_SVME) || (ret_image->state.sregs.cr4 & CR4_VMXE))
		return -EOPNOTSUPP;
	ret_image->has_xsave = ioctl(vcpu_fd, KVM_GET_XSAVE, ret_image->xsave) == 0;
	ret_image->has_tsc = true;
	if (tsc_offset(vcpu_fd, KVM_GET_DEVICE_ATTR, &offset) == 0)
		ret_image->tsc = moment->host_tsc + offset;
	else
		ret_image->has_tsc = get_msr(vcpu_fd, MSR_IA32_TSC, &ret_image->tsc) == 0;
	return 0;
}

/* All vCPUs go on from the same moment: their counters keep their distances. */
static int load_tsc(int vcpu_fd, const struct vcpu_moment *moment, const struct vcpu_image *image)
{
	uint64_t offset = image->tsc - moment->host_tsc;

	if (!image->has_tsc || tsc_offset(vcpu_fd, KVM_SET_DEVICE_ATTR, &offset) == 0)
		return 0;
	/* Before Linux 5.16. KVM takes small differences for an attempt to synchronise, and does. */
	return set_msr(vcpu_fd, MSR_IA32_TSC, image->tsc);
}

static bool host_is_intel(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_INTEL_ebx;
}

/*
 * AMD's VMRUN never looks at the busy bit, and KVM shows it set whatever it is; but an emulated AMD host
 * (QEMU's TCG) takes only the available type. Intel's VM entry wants it busy.
 *
 * What only long mode has is refused outside of it (kvm_is_valid_sregs() in Linux since 5.11), though the
 * processor just ignores it: a 32-bit guest may load CS from a descriptor with that bit, and read it back.
 */
void vcpu_sregs_make_loadable(struct kvm_sregs *sregs, bool intel)
{
	bool long_mode = sregs->efer & EFER_LME && sregs->cr0 & CR0_PG;

	if (!intel)
		sregs->tr.type &= (uint8_t)~TSS_BUSY;
	if (long_mode) {
		sregs->efer |= EFER_LMA;
		return;
	}
	sregs->efer &= ~(uint64_t)EFER_LMA;
	sregs->cs.l = 0;
}

static void say_sregs(const struct kvm_sregs *sregs, int error, char *text, size_t size)
{
	snprintf(text, size,
		 "system registers: %s (CR0 %llxh, CR3 %llxh, CR4 %llxh, EFER %llxh, "
		 "APIC "
		 "base %llxh)",
		 strerror(error), (unsigned long long)sregs->cr0, (unsigned long long)sregs->cr3,
		 (unsigned long long)sregs->cr4, (unsigned long long)sregs->efer,
		 (unsigned long long)sregs->apic_base);
}

static bool is_known(const struct vcpu_msrs *known, uint32_t index, uint64_t *ret_value)
{
	for (uint32_t i = 0; i < known->nmsrs; i++) {
		if (known->entries[i].index == index) {
			*ret_value = known->entries[i].data;
			return true;
		}
	}
	return false;
}

/* What cannot be written is no loss as long as it has the value already. */
static int load_msrs(int vcpu_fd, const struct vcpu_msrs *known, const struct vcpu_msrs *msrs,
		     bool deadline, char *error, size_t error_size)
{
	for (uint32_t i = 0; i < msrs->nmsrs; i++) {
		const struct kvm_msr_entry *entry = &msrs->entries[i];
		uint64_t now;

		if ((entry->index == MSR_IA32_TSC_DEADLINE) != deadline)
			continue;
		if (!is_known(known, entry->index, &now)) {
			snprintf(error, error_size,
				 "register %xh is not one that this host's processor can have",
				 entry->index);
			return -EINVAL;
		}
		if (entry->data != now && set_msr(vcpu_fd, entry->index, entry->data) < 0) {
			snprintf(error, error_size, "register %xh cannot become %llxh",
				 entry->index, (unsigned long long)entry->data);
			return -EINVAL;
		}
	}
	return 0;
}

struct load_step {
	unsigned long request;
	const void *data;
	const char *name;
};

static int load_steps(int vcpu_fd, const struct load_step *steps, char *error, size_t error_size)
{
	for (; steps->name; steps++) {
		if (steps->data && ioctl(vcpu_fd, steps->request, steps->data) < 0) {
			int r = -errno;

			snprintf(error, error_size, "%s: %s", steps->name, strerror(-r));
			return r;
		}
	}
	return 0;
}

int vcpu_image_load(int vcpu_fd, const struct vcpu_state *reset_state,
		    const struct vcpu_moment *moment, const struct vcpu_image *image, char *error,
		    size_t error_size)
{
	const struct vcpu_state *state = &image->state;
	struct kvm_sregs sregs = state->sregs;
	const struct load_step first[] = {
		{ KVM_SET_REGS, &state->regs, "registers" },
		{ KVM_SET_XCRS, state->xcrs.nr_xcrs ? &state->xcrs : NULL, "XCR0" },
		{ KVM_SET_XSAVE, image->has_xsave ? image->xsave : NULL, "extended state" },
		{ KVM_SET_FPU, image->has_xsave ? NULL : &state->fpu, "FPU" },
		{ KVM_SET_DEBUGREGS, &state->debugregs, "debug registers" },
		{ 0 },
	};
	const struct load_step last[] = {
		{ KVM_SET_MP_STATE, &state->mp_state, "run state" },
		{ KVM_SET_VCPU_EVENTS, &state->events, "events" },
		{ 0 },
	};
	const struct load_step lapic[] = {
		{ KVM_SET_LAPIC, &state->lapic, "local APIC" },
		{ 0 },
	};
	int r;

	vcpu_sregs_make_loadable(&sregs, host_is_intel());
	/* The counter is set before what is measured by it, the APIC before its deadline. */
	r = load_tsc(vcpu_fd, moment, image);
	if (r < 0)
		snprintf(error, error_size, "time stamp counter: %s", strerror(-r));
	if (r == 0 && ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0) {
		r = -errno;
		say_sregs(&sregs, -r, error, error_size);
	}
	if (r == 0)
		r = load_steps(vcpu_fd, first, error, error_size);
	if (r == 0)
		r = load_msrs(vcpu_fd, &reset_state->msrs, &state->msrs, false, error, error_size);
	if (r == 0)
		r = load_steps(vcpu_fd, lapic, error, error_size);
	if (r == 0)
		r = load_msrs(vcpu_fd, &reset_state->msrs, &state->msrs, true, error, error_size);
	if (r == 0)
		r = load_steps(vcpu_fd, last, error, error_size);
	return r;
}
