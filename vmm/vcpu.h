/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual processors: one thread each, in and out of KVM_RUN.
 *
 * Holding. Whoever has the machine lock can keep all vCPUs out of the guest: vcpus_hold() returns
 * when none is inside, vcpus_release() lets them go on. A vCPU that comes out meanwhile waits
 * before it touches any device. A pause is a hold that outlasts the lock.
 *
 * Parking. To be saved, a vCPU has to finish the instruction that it is in, which may take a device or
 * two: vcpus_park() asks all of them to leave the guest and to come to such an end. They may still take the
 * lock and touch devices until they are parked. A hold is no use for that: it keeps them from it.
 *
 * Resetting. vcpus_reset(), under a hold, only marks: each thread first lets KVM finish what its
 * last exit left undone, then loads the reset state into its own vCPU, and none enters the guest
 * before all have.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "stats.h"
#include "vcpu_state.h"

struct cpu_model;
struct io_bus;
struct kvm;
struct loop;
struct memory;
struct device_registers;
struct vcpu_set;

enum vcpu_reset { VCPU_RESET_NONE, VCPU_RESET_INIT, VCPU_RESET_HARD };

struct vcpu {
	struct vcpu_set *set;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started;
	_Atomic uint32_t in_guest; /* futex: 1 from just before KVM_RUN to just after */
	_Atomic bool parked;
	_Atomic enum vcpu_reset
		reset; /* to be done before entering the guest; set under the lock */
	struct vcpu_stats stats;
	struct vcpu_state *reset_state;
	/* Single bytes that were read from devices' memory one behind the other: the last one, and how many. */
	uint64_t moved_gpa;
	int moved;
};

/* What an exit can come to that is not a device's business. */
enum vcpu_event {
	VCPU_TRIPLE_FAULT,
	VCPU_BROKEN, /* KVM cannot go on with this vCPU */
};

struct vcpu_set {
	struct loop *loop;
	struct io_bus *io;
	struct memory *memory;
	struct kvm *kvm;
	struct posted *posted;
	/*
	 * Called under the lock after each access to a device, by the vCPU @vcpu. Carries out what
	 * the access asked of the machine; may hold and reset.
	 */
	void (*settle)(struct vcpu_set *set, struct vcpu *vcpu);
	void (*event)(struct vcpu_set *set, struct vcpu *vcpu, enum vcpu_event event);
	/* Called under the lock by the first vCPU that goes on when @going is set, before any does. */
	void (*go)(struct vcpu_set *set);
	/* KVM could not reach the guest's memory: a file behind it is gone. */
	void (*memory_lost)(struct vcpu_set *set);
	/* An unknown model-specific register was read as 0, or written in vain. */
	void (*unknown_msr)(struct vcpu_set *set, uint32_t index, bool write, uint64_t value);
	unsigned int count;
	uint32_t tsc_khz; /* of the guest's time stamp counter; 0: unknown */
	struct vcpu *vcpus;
	struct vcpu *current;	    /* whose port access is being handled; NULL: nobody's */
	_Atomic uint32_t held;	    /* futex: number of holds; nobody enters while not 0 */
	_Atomic uint32_t resetting; /* futex: vCPUs that have yet to load their reset state */
	_Atomic bool going;
	_Atomic bool ending;
	_Atomic bool parking;
	_Atomic uint32_t park_news; /* futex: counts what a parked vCPU should look at */
	struct loop_post *parked;   /* posted whenever a vCPU has parked */
	_Atomic uint32_t rested;    /* futex: counts vcpus_rested() */
	bool rest;		    /* the access being handled asked for a rest */
};

/*
 * Creates @count vCPUs of @model, held, without threads. The caller has filled the members above.
 * 0, or -errno with one line in @error.
 */
int vcpus_init(struct vcpu_set *set, unsigned int count, const struct cpu_model *model, char *error,
	       size_t error_size);
/* Starts the threads, each on the host's processor @pins[i] unless that is -1; they wait while held. 0 or -errno. */
int vcpus_start(struct vcpu_set *set, const int *pins);
/* Ends and joins the threads. Without the lock. */
void vcpus_stop(struct vcpu_set *set);
void vcpus_fini(struct vcpu_set *set);

/* With the lock; @self is the calling thread's own vCPU or NULL. Holds nest. */
void vcpus_hold(struct vcpu_set *set, const struct vcpu *self);
void vcpus_release(struct vcpu_set *set);
/*
 * With the lock. The vCPU whose access is being handled polls: after the access it stays out of the
 * guest until vcpus_rested(), at most for a millisecond.
 */
void vcpus_rest(struct vcpu_set *set);
void vcpus_rested(struct vcpu_set *set);
/* With the lock. Delivers the writes that the kernel collected (IO_POSTED), in their order. */
void vcpus_drain_posted(struct vcpu_set *set);
/* With the lock. Before a reset: what was not delivered is of no use any more. */
void vcpus_forget_posted(struct vcpu_set *set);
/* The same as vcpus_drain_posted() by one who need not wait for the last of them: for some milliseconds at most. */
void vcpus_drain_posted_for_now(struct vcpu_set *set);
/*
 * With the lock, without a hold. @parked is posted as each vCPU parks; vcpus_are_parked() tells when all
 * have, and that none has a reset to carry out.
 */
void vcpus_park(struct vcpu_set *set, struct loop_post *parked);
bool vcpus_are_parked(const struct vcpu_set *set);
void vcpus_unpark(struct vcpu_set *set);
/*
 * With the lock, in the access that a device handles: the general registers of the processor that
 * makes it. False: no processor makes one.
 */
bool vcpus_get_registers(const struct vcpu_set *set, struct device_registers *ret_registers);
/* All but EAX, which the access itself gives. */
void vcpus_set_registers(const struct vcpu_set *set, const struct device_registers *registers);
/* With the lock, under a hold. */
void vcpus_reset(struct vcpu_set *set, enum vcpu_reset kind);

#endif
