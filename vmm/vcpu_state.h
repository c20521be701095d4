/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual processor's registers, as KVM gives and takes them.
 *
 * What a processor is after power-on is captured once, right after KVM made it: a reset loads that
 * again, so that nobody has to list what a reset does.
 */
#ifndef VMM_VCPU_STATE_H
#define VMM_VCPU_STATE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VCPU_MSRS_MAX 256

/* As KVM lays out struct kvm_msrs, with room for entries. */
struct vcpu_msrs {
	uint32_t nmsrs, pad;
	struct kvm_msr_entry entries[VCPU_MSRS_MAX];
};
_Static_assert(offsetof(struct vcpu_msrs, entries) == sizeof(struct kvm_msrs), "KVM reads it");

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	struct kvm_lapic_state lapic;
	struct vcpu_msrs msrs;
};

/*
 * Which registers KVM offers for saving; done once for a machine. The time stamp counter is not
 * among them: it never goes backwards. 0 or -errno.
 */
int vcpu_state_list_msrs(int kvm_fd, struct vcpu_msrs *ret_list);

/* Reads everything, the registers of @list as far as this processor has them. 0 or -errno. */
int vcpu_state_capture(int vcpu_fd, const struct vcpu_msrs *list, struct vcpu_state *ret_state);

/*
 * Loads @state; all of it for a reset, without machine-specific registers and FPU for an INIT
 * (@init), as the processor's manual has it. The vCPU has nothing pending from its last exit. 0 or
 * -errno.
 */
int vcpu_state_load(int vcpu_fd, const struct vcpu_state *state, bool init);

/*
 * All of a processor for a saved state: vcpu_state and what a reset does not touch. KVM's structs are an
 * interface that never changes, so they are saved as they are.
 */
struct vcpu_image {
	struct vcpu_state state;
	uint8_t xsave[sizeof(struct kvm_xsave)];
	bool has_xsave; /* else state.fpu counts */
	bool has_tsc;	/* the host can say */
	uint64_t tsc;	/* the guest's counter at the moment of saving */
};

/* The host's time stamp counter and whether guest counters can be set exactly; one moment for all vCPUs. */
struct vcpu_moment {
	uint64_t host_tsc;
};
struct vcpu_moment vcpu_moment_now(void);

/* Adds @counts to the vCPU's time stamp counter, where KVM can do that exactly (since Linux 5.16). It is out of the guest. */
void vcpu_shift_tsc(int vcpu_fd, uint64_t counts);

/*
 * Reads everything of a vCPU that is parked. 0, -EOPNOTSUPP (the guest runs a hypervisor of its own), or
 * -errno. @reset_state lists the registers that there are.
 */
int vcpu_image_save(int vcpu_fd, const struct vcpu_state *reset_state,
		    const struct vcpu_moment *moment, struct vcpu_image *ret_image);
/* Makes of what KVM_GET_SREGS has told what KVM_SET_SREGS takes, without changing what the processor is. */
void vcpu_sregs_make_loadable(struct kvm_sregs *sregs, bool intel);
/*
 * Loads it into a vCPU that has not run. 0, or -errno with one line in @error. KVM refuses what a processor
 * cannot be.
 */
int vcpu_image_load(int vcpu_fd, const struct vcpu_state *reset_state,
		    const struct vcpu_moment *moment, const struct vcpu_image *image, char *error,
		    size_t error_size);

#endif
