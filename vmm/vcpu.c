// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A vCPU thread's life is wait_turn(), KVM_RUN, handle_exit(). It is outside of the guest whenever
 * in_guest is 0, and it looks at held after setting in_guest to 1: one of the two, the thread that
 * enters or the one that holds, sees the other (both are sequentially consistent). The holder kicks
 * those that are inside by a signal whose handler sets immediate_exit, so that a kick between the
 * look at held and KVM_RUN is not lost either.
 *
 * A vCPU that is to park enters KVM_RUN with immediate_exit set: KVM finishes what the last exit left undone and
 * comes back without entering the guest, perhaps with another exit (a string instruction, an access that
 * crosses a border), which is handled like any. When nothing is left it parks.
 *
 * After an exit that leaves to a device, enter_device() takes the lock, but not while the machine
 * is held by a pause: the exit then waits, unhandled, until the machine goes on or the vCPU is
 * reset, in which case it is forgotten.
 */
#include "vcpu.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "../devmodel/device.h"
#include "../devmodel/io.h"
#include "cpuid.h"
#include "kvm.h"
#include "loop.h"
#include "memory.h"
#include "posted.h"
#include "sandbox.h"
#include "string_move.h"

#define KICK_SIGNAL SIGUSR1
#define CPUID_ENTRIES_MAX 128
#define APIC_BASE_ENABLE UINT64_C(0x800)
#define REST_NS 1000000l
/* Who has had the lock for so long, some milliseconds, lets others have it for a moment. */
#define LONG_CYCLES 20000000u
#define GIVE_WAY_NS 200000l
#define CR0_PG UINT64_C(0x80000000)
#define PAGE_LAST 0xfffu
/* So many bytes one behind the other make a string; so many reads pass when it was none. */
#define MOVED_ENOUGH 8
#define MOVED_RETRY 64

/* The shared area of the calling vCPU thread, for the signal handler. */
static _Thread_local struct kvm_run *kicked_run;

static void kicked(int signal)
{
	(void)signal;
	if (kicked_run)
		kicked_run->immediate_exit = 1;
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wait_for(_Atomic uint32_t *word, uint32_t value, long nanoseconds)
{
	struct timespec timeout = { .tv_nsec = nanoseconds };

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* --- holding */

void vcpus_hold(struct vcpu_set *set, const struct vcpu *self)
{
	atomic_fetch_add(&set->held, 1);
	for (unsigned int i = 0; i < set->count; i++) {
		struct vcpu *vcpu = &set->vcpus[i];

		if (vcpu == self || !vcpu->started)
			continue;
		while (atomic_load(&vcpu->in_guest)) {
			pthread_kill(vcpu->thread, KICK_SIGNAL);
			futex_wait(&vcpu->in_guest, 1);
		}
	}
}

void vcpus_release(struct vcpu_set *set)
{
	if (atomic_fetch_sub(&set->held, 1) == 1)
		futex_wake(&set->held);
}

/* Waits until nobody holds; false when the machine is ending. */
static bool wait_released(struct vcpu_set *set)
{
	uint32_t held;

	while ((held = atomic_load(&set->held)) && !atomic_load(&set->ending))
		futex_wait(&set->held, held);
	return !atomic_load(&set->ending);
}

/* The lock, taken when no pause is in force. False without the lock: the machine is ending. */
static bool lock_unheld(struct vcpu_set *set)
{
	for (;;) {
		loop_lock(set->loop);
		if (!atomic_load(&set->held))
			return true;
		loop_unlock(set->loop);
		if (!wait_released(set))
			return false;
	}
}

/* --- parking */

static void tell_parked(struct vcpu_set *set)
{
	atomic_fetch_add(&set->park_news, 1);
	futex_wake(&set->park_news);
}

void vcpus_park(struct vcpu_set *set, struct loop_post *parked)
{
	set->parked = parked;
	atomic_store(&set->parking, true);
	for (unsigned int i = 0; i < set->count; i++) {
		struct vcpu *vcpu = &set->vcpus[i];

		/* Who enters after this look sees that it is to park. */
		if (vcpu->started && atomic_load(&vcpu->in_guest))
			pthread_kill(vcpu->thread, KICK_SIGNAL);
	}
}

bool vcpus_are_parked(const struct vcpu_set *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		if (!atomic_load(&set->vcpus[i].parked))
			return false;
	}
	return !atomic_load(&set->resetting);
}

void vcpus_unpark(struct vcpu_set *set)
{
	atomic_store(&set->parking, false);
	tell_parked(set);
}

static void park(struct vcpu *vcpu)
{
	struct vcpu_set *set = vcpu->set;

	atomic_store(&vcpu->parked, true);
	loop_post(set->loop, set->parked);
	for (;;) {
		uint32_t news = atomic_load(&set->park_news);

		if (!atomic_load(&set->parking) || atomic_load(&set->ending) ||
		    atomic_load(&vcpu->reset) != VCPU_RESET_NONE)
			break;
		futex_wait(&set->park_news, news);
	}
	atomic_store(&vcpu->parked, false);
}

/* --- resting */

void vcpus_rest(struct vcpu_set *set)
{
	set->rest = true;
}

void vcpus_rested(struct vcpu_set *set)
{
	atomic_fetch_add(&set->rested, 1);
	futex_wake(&set->rested);
}

/* --- resetting */

void vcpus_reset(struct vcpu_set *set, enum vcpu_reset kind)
{
	for (unsigned int i = 0; i < set->count; i++) {
		struct vcpu *vcpu = &set->vcpus[i];

		if (atomic_load(&vcpu->reset) == VCPU_RESET_NONE)
			atomic_fetch_add(&set->resetting, 1);
		if (atomic_load(&vcpu->reset) < kind)
			atomic_store(&vcpu->reset, kind);
	}
	tell_parked(set);
}

static void broken(struct vcpu *vcpu)
{
	vcpu->set->event(vcpu->set, vcpu, VCPU_BROKEN);
}

static void load_reset_state(struct vcpu *vcpu, enum vcpu_reset kind)
{
	int r;

	/* KVM finishes the instruction that led to the last exit, and comes back. */
	vcpu->run->immediate_exit = 1;
	(void)ioctl(vcpu->fd, KVM_RUN, 0);
	vcpu->run->immediate_exit = 0;
	r = vcpu_state_load(vcpu->fd, vcpu->reset_state, kind == VCPU_RESET_INIT);
	if (r == 0)
		return;
	log_error("processor %u cannot be reset: %s", vcpu->index, strerror(-r));
	loop_lock(vcpu->set->loop);
	broken(vcpu);
	loop_unlock(vcpu->set->loop);
}

/* Does what vcpus_reset() marked and waits until all have. False when the machine is ending. */
static bool carry_out_reset(struct vcpu *vcpu)
{
	struct vcpu_set *set = vcpu->set;
	enum vcpu_reset kind;
	uint32_t left;

	/* The next reset may be marked while this one is carried out. */
	while ((kind = atomic_exchange(&vcpu->reset, VCPU_RESET_NONE)) != VCPU_RESET_NONE) {
		load_reset_state(vcpu, kind);
		if (atomic_fetch_sub(&set->resetting, 1) == 1)
			futex_wake(&set->resetting);
	}
	while ((left = atomic_load(&set->resetting)) && !atomic_load(&set->ending))
		futex_wait(&set->resetting, left);
	return !atomic_load(&set->ending);
}

/* --- exits */

void vcpus_drain_posted(struct vcpu_set *set)
{
	/* A device test port has no processors. */
	if (set->posted)
		posted_deliver(set->posted, set->io);
}

void vcpus_forget_posted(struct vcpu_set *set)
{
	if (set->posted)
		posted_forget(set->posted);
}

void vcpus_drain_posted_for_now(struct vcpu_set *set)
{
	if (set->posted)
		(void)posted_deliver_until(set->posted, set->io, __rdtsc() + LONG_CYCLES);
}

/* Without the lock. A mutex is not fair: who waits for it needs the time to wake up. */
static void give_way(struct vcpu_set *set)
{
	futex_wait_for(&set->rested, atomic_load(&set->rested), GIVE_WAY_NS);
}

/* With the lock, without a hold. */
static void go(struct vcpu_set *set)
{
	if (!atomic_load(&set->going))
		return;
	set->go(set);
	atomic_store(&set->going, false);
}

/*
 * The lock, with all that was posted delivered. False without the lock: the machine is ending, or this vCPU is to be
 * reset, which comes before whatever the exit wanted.
 */
static bool lock_delivered(struct vcpu *vcpu)
{
	struct vcpu_set *set = vcpu->set;

	while (lock_unheld(set)) {
		go(set);
		if (atomic_load(&vcpu->reset) != VCPU_RESET_NONE) {
			loop_unlock(set->loop);
			return false;
		}
		if (posted_deliver_until(set->posted, set->io, __rdtsc() + LONG_CYCLES))
			return true;
		loop_unlock(set->loop);
		give_way(set);
	}
	return false;
}

bool vcpus_get_registers(const struct vcpu_set *set, struct device_registers *ret_registers)
{
	struct kvm_regs regs;

	if (!set->current || ioctl(set->current->fd, KVM_GET_REGS, &regs) < 0)
		return false;
	*ret_registers = (struct device_registers){
		.eax = (uint32_t)regs.rax,
		.ebx = (uint32_t)regs.rbx,
		.ecx = (uint32_t)regs.rcx,
		.edx = (uint32_t)regs.rdx,
		.esi = (uint32_t)regs.rsi,
		.edi = (uint32_t)regs.rdi,
	};
	return true;
}

void vcpus_set_registers(const struct vcpu_set *set, const struct device_registers *registers)
{
	struct kvm_regs regs;

	if (!set->current || ioctl(set->current->fd, KVM_GET_REGS, &regs) < 0)
		return;
	regs.rbx = registers->ebx;
	regs.rcx = registers->ecx;
	regs.rdx = registers->edx;
	regs.rsi = registers->esi;
	regs.rdi = registers->edi;
	(void)ioctl(set->current->fd, KVM_SET_REGS, &regs);
}

static void handle_io(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct io_bus *io = vcpu->set->io;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint16_t port = run->io.port;
	unsigned int size = run->io.size;
	uint32_t value = 0;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		vcpu->stats.exits[EXIT_IO_IN]++;
		if (run->io.count == 1) {
			vcpu->set->current = vcpu;
			value = io_port_read(io, port, size);
			vcpu->set->current = NULL;
			memcpy(data, &value, size);
		} else {
			io_port_read_string(io, port, size, data, run->io.count);
		}
	} else {
		vcpu->stats.exits[EXIT_IO_OUT]++;
		if (run->io.count == 1) {
			memcpy(&value, data, size);
			io_port_write(io, port, size, value);
		} else {
			io_port_write_string(io, port, size, data, run->io.count);
		}
	}
}

/* Where @linear is; false: nowhere. */
static bool translate(const struct vcpu *vcpu, const struct kvm_sregs *sregs, uint32_t linear,
		      uint64_t *ret_gpa)
{
	struct kvm_translation translation = { .linear_address = linear };

	*ret_gpa = linear;
	if (!(sregs->cr0 & CR0_PG))
		return true;
	if (ioctl(vcpu->fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid)
		return false;
	*ret_gpa = translation.physical_address;
	return true;
}

/* What is left of the instruction, when it is a REP MOVSB and its bytes are moved by latches. */
static bool plan_move(const struct vcpu *vcpu, struct kvm_regs *ret_regs,
		      struct string_move *ret_move, uint64_t *ret_to)
{
	const struct vcpu_set *set = vcpu->set;
	struct kvm_sregs sregs;
	uint8_t code[STRING_MOVE_CODE];
	uint32_t linear;
	uint64_t gpa;

	if (!io_memory_latched(set->io, vcpu->run->mmio.phys_addr, vcpu->run->mmio.phys_addr) ||
	    ioctl(vcpu->fd, KVM_GET_REGS, ret_regs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0 ||
	    !string_move_code(ret_regs, &sregs, &linear) ||
	    (linear & PAGE_LAST) > PAGE_LAST + 1 - sizeof(code) ||
	    !translate(vcpu, &sregs, linear, &gpa) ||
	    dma_read(&set->memory->dma, gpa, code, sizeof(code)) < 0 ||
	    !string_move_plan(ret_regs, &sregs, code, ret_move))
		return false;
	return translate(vcpu, &sregs, ret_move->from, &gpa) && gpa == vcpu->run->mmio.phys_addr &&
	       translate(vcpu, &sregs, ret_move->to, ret_to) &&
	       io_memory_latched(set->io, gpa, *ret_to);
}

/*
 * KVM waits for the byte at the instruction's present place, and will write it. So that one is moved here first,
 * then those behind it; reading where it went to makes KVM's write of it change nothing. The registers are set as if
 * KVM had done the others: it takes them over in the middle of an instruction.
 */
static void move_string(struct vcpu *vcpu)
{
	struct io_bus *io = vcpu->set->io;
	struct string_move move;
	struct kvm_regs regs;
	uint64_t from = vcpu->run->mmio.phys_addr, to;
	uint8_t byte;

	if (!plan_move(vcpu, &regs, &move, &to)) {
		vcpu->moved = -MOVED_RETRY;
		return;
	}
	for (uint32_t i = 0; i <= move.count; i++) {
		const uint64_t at = (uint64_t)((int64_t)i * move.step);

		io_memory_read(io, from + at, &byte, 1);
		io_memory_write(io, to + at, &byte, 1);
	}
	io_memory_read(io, to, vcpu->run->mmio.data, 1);
	string_move_advance(&regs, &move);
	(void)ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	vcpu->moved_gpa = from + (uint64_t)((int64_t)move.count * move.step);
}

/* A byte was read: whether it is one of many, one behind the other. */
static bool is_moving(struct vcpu *vcpu)
{
	const uint64_t gpa = vcpu->run->mmio.phys_addr;

	if (vcpu->run->mmio.len != 1 || (gpa - vcpu->moved_gpa + 1) > 2)
		vcpu->moved = vcpu->moved < 0 ? vcpu->moved : 0;
	vcpu->moved_gpa = gpa;
	return ++vcpu->moved >= MOVED_ENOUGH;
}

static void handle_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vcpu_set *set = vcpu->set;
	uint64_t gpa = run->mmio.phys_addr;

	if (!run->mmio.is_write) {
		vcpu->stats.exits[EXIT_MMIO_READ]++;
		io_memory_read(set->io, gpa, run->mmio.data, run->mmio.len);
		if (is_moving(vcpu))
			move_string(vcpu);
		return;
	}
	vcpu->stats.exits[EXIT_MMIO_WRITE]++;
	if (!memory_write_shadow(set->memory, gpa, run->mmio.data, run->mmio.len))
		io_memory_write(set->io, gpa, run->mmio.data, run->mmio.len);
}

/* Period systems probe registers that this processor lacks: reads give 0, writes go nowhere. */
static void handle_msr(struct vcpu *vcpu, bool write)
{
	struct kvm_run *run = vcpu->run;

	vcpu->stats.exits[EXIT_MSR]++;
	vcpu->set->unknown_msr(vcpu->set, run->msr.index, write, write ? run->msr.data : 0);
	if (!write)
		run->msr.data = 0;
	run->msr.error = 0;
}

static void report_broken(struct vcpu *vcpu)
{
	struct kvm_regs regs = { 0 };
	const struct kvm_run *run = vcpu->run;

	(void)ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		log_error("processor %u: KVM cannot go on at rip %llx (internal error %u)",
			  vcpu->index, (unsigned long long)regs.rip, run->internal.suberror);
	else
		log_error("processor %u: KVM cannot go on at rip %llx (exit reason %u, %llx)",
			  vcpu->index, (unsigned long long)regs.rip, run->exit_reason,
			  (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
}

static void handle_exit(struct vcpu *vcpu)
{
	struct vcpu_set *set = vcpu->set;
	uint32_t rested;
	uint64_t began;
	bool rest;

	if (!lock_delivered(vcpu))
		return;
	began = __rdtsc();
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		handle_io(vcpu);
		break;
	case KVM_EXIT_MMIO:
		handle_mmio(vcpu);
		break;
	case KVM_EXIT_X86_RDMSR:
		handle_msr(vcpu, false);
		break;
	case KVM_EXIT_X86_WRMSR:
		handle_msr(vcpu, true);
		break;
	case KVM_EXIT_SHUTDOWN:
		vcpu->stats.exits[EXIT_SHUTDOWN]++;
		set->event(set, vcpu, VCPU_TRIPLE_FAULT);
		break;
	case KVM_EXIT_HLT:
		vcpu->stats.exits[EXIT_HLT]++;
		break;
	default:
		vcpu->stats.exits[EXIT_OTHER]++;
		report_broken(vcpu);
		broken(vcpu);
		break;
	}
	set->settle(set, vcpu);
	posted_make_room(set->posted);
	rest = set->rest;
	rested = atomic_load(&set->rested);
	set->rest = false;
	loop_unlock(set->loop);
	if (rest)
		futex_wait_for(&set->rested, rested, REST_NS);
	else if (__rdtsc() - began > LONG_CYCLES)
		give_way(set);
}

/* --- the thread */

static void run_guest(struct vcpu *vcpu)
{
	struct vcpu_set *set = vcpu->set;
	bool parking;
	int r;

	if (atomic_load(&set->going)) {
		if (!lock_unheld(set))
			return;
		go(set);
		loop_unlock(set->loop);
	}
	atomic_store(&vcpu->in_guest, 1);
	if (atomic_load(&set->held)) {
		atomic_store(&vcpu->in_guest, 0);
		futex_wake(&vcpu->in_guest);
		return;
	}
	parking = atomic_load(&set->parking);
	if (parking)
		vcpu->run->immediate_exit = 1;
	r = ioctl(vcpu->fd, KVM_RUN, 0);
	atomic_store(&vcpu->in_guest, 0);
	if (atomic_load(&set->held))
		futex_wake(&vcpu->in_guest);
	vcpu->run->immediate_exit = 0;
	if (r == 0) {
		handle_exit(vcpu);
	} else if (errno == EINTR || errno == EAGAIN) {
		vcpu->stats.exits[EXIT_INTERRUPTED]++;
		if (parking)
			park(vcpu);
	} else if (errno == EFAULT) {
		loop_lock(set->loop);
		set->memory_lost(set);
		loop_unlock(set->loop);
	} else {
		log_error("processor %u cannot run: %s", vcpu->index, strerror(errno));
		loop_lock(set->loop);
		broken(vcpu);
		loop_unlock(set->loop);
	}
}

static void *vcpu_thread(void *opaque)
{
	struct vcpu *vcpu = opaque;

	kicked_run = vcpu->run;
	sandbox_thread(SANDBOX_VCPU);
	while (wait_released(vcpu->set) && carry_out_reset(vcpu))
		run_guest(vcpu);
	return NULL;
}

/*
 * Ample for devices, sanitizers included; of the usual eight megabytes hosts with transparent huge pages
 * would give each thread two at its first touch.
 */
#define STACK_BYTES (1u << 20)

/* For a thread on the host's processor @pin; -1: on any. 0 or an errno. */
static int thread_attr(pthread_attr_t *ret_attr, int pin)
{
	cpu_set_t set;
	int r = pthread_attr_init(ret_attr);

	if (!r)
		r = pthread_attr_setstacksize(ret_attr, STACK_BYTES);
	if (r || pin < 0)
		return r;
	CPU_ZERO(&set);
	CPU_SET((size_t)pin, &set);
	return pthread_attr_setaffinity_np(ret_attr, sizeof(set), &set);
}

int vcpus_start(struct vcpu_set *set, const int *pins)
{
	struct sigaction action = { .sa_handler = kicked };
	sigset_t signals;

	sigaction(KICK_SIGNAL, &action, NULL);
	/* The kick is for vCPU threads; they take nothing else. */
	sigfillset(&signals);
	sigdelset(&signals, KICK_SIGNAL);
	sigdelset(&signals, SIGSYS);
	sigdelset(&signals, SIGBUS);
	for (unsigned int i = 0; i < set->count; i++) {
		struct vcpu *vcpu = &set->vcpus[i];
		pthread_attr_t attr;
		sigset_t before;
		int r;

		r = thread_attr(&attr, pins[i]);
		if (r)
			return -r;

		pthread_sigmask(SIG_SETMASK, &signals, &before);
		r = pthread_create(&vcpu->thread, &attr, vcpu_thread, vcpu);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		pthread_attr_destroy(&attr);
		if (r)
			return -r;
		vcpu->started = true;
	}
	return 0;
}

void vcpus_stop(struct vcpu_set *set)
{
	atomic_store(&set->ending, true);
	for (unsigned int i = 0; i < set->count; i++) {
		struct vcpu *vcpu = &set->vcpus[i];

		if (!vcpu->started)
			continue;
		loop_lock(set->loop);
		vcpus_hold(set, NULL);
		loop_unlock(set->loop);
		futex_wake(&set->held);
		futex_wake(&set->resetting);
		tell_parked(set);
		pthread_join(vcpu->thread, NULL);
		vcpu->started = false;
	}
}

/* --- making them */

static int set_cpuid(struct vcpu *vcpu, const struct cpu_model *model, char *error,
		     size_t error_size)
{
	size_t size =
		sizeof(struct kvm_cpuid2) + CPUID_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2);
	struct kvm_cpuid2 *supported = calloc(1, size);
	struct kvm_cpuid2 *cpuid = calloc(1, size);
	int r = -ENOMEM;

	if (supported && cpuid) {
		supported->nent = CPUID_ENTRIES_MAX;
		r = ioctl(vcpu->set->kvm->fd, KVM_GET_SUPPORTED_CPUID, supported) < 0 ? -errno : 0;
	}
	/* Not in KVM's list, since it needs the in-kernel APIC, which we have. */
	if (r == 0 &&
	    ioctl(vcpu->set->kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
		cpuid_offer_tsc_deadline(supported);
	if (r == 0)
		r = cpuid_build(model, supported, vcpu->index, vcpu->set->count, cpuid,
				CPUID_ENTRIES_MAX, error, error_size);
	if (r == 0 && ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0) {
		r = -errno;
		snprintf(error, error_size, "/dev/kvm: processor model %s: %s", model->name,
			 strerror(-r));
	}
	free(supported);
	free(cpuid);
	return r;
}

static int create_vcpu(struct vcpu *vcpu, const struct cpu_model *model,
		       const struct vcpu_msrs *msrs, char *error, size_t error_size)
{
	struct kvm *kvm = vcpu->set->kvm;
	int fd, r;

	fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, (unsigned long)vcpu->index);
	if (fd < 0)
		goto failed;
	vcpu->fd = sandbox_reserve_fd(fd, SANDBOX_FD_VCPU0 + (int)vcpu->index);
	if (vcpu->fd < 0)
		return vcpu->fd;
	vcpu->run = mmap(NULL, kvm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		goto failed;
	}
	if (vcpu->index == 0)
		posted_share(vcpu->set->posted, vcpu->run);
	r = set_cpuid(vcpu, model, error, error_size);
	if (r < 0)
		return r;
	vcpu->reset_state = calloc(1, sizeof(*vcpu->reset_state));
	if (!vcpu->reset_state)
		return -ENOMEM;
	r = vcpu_state_capture(vcpu->fd, msrs, vcpu->reset_state);
	if (r == 0 && !cpu_model_has_apic(model, vcpu->set->count)) {
		/* KVM shows the APIC bit of CPUID as this register says. */
		vcpu->reset_state->sregs.apic_base &= ~APIC_BASE_ENABLE;
		if (ioctl(vcpu->fd, KVM_SET_SREGS, &vcpu->reset_state->sregs) < 0)
			r = -errno;
	}
	if (r == 0)
		return 0;
	errno = -r;
failed:
	r = -errno;
	snprintf(error, error_size, "/dev/kvm: processor %u: %s", vcpu->index, strerror(-r));
	return r;
}

int vcpus_init(struct vcpu_set *set, unsigned int count, const struct cpu_model *model, char *error,
	       size_t error_size)
{
	struct vcpu_msrs *msrs = calloc(1, sizeof(*msrs));
	int r;

	set->vcpus = calloc(count, sizeof(set->vcpus[0]));
	if (!msrs || !set->vcpus) {
		free(msrs);
		return -ENOMEM;
	}
	set->count = count;
	atomic_store(&set->held, 1);
	for (unsigned int i = 0; i < count; i++) {
		set->vcpus[i].set = set;
		set->vcpus[i].index = i;
		set->vcpus[i].fd = -1;
	}
	r = vcpu_state_list_msrs(set->kvm->fd, msrs);
	if (r < 0)
		snprintf(error, error_size, "/dev/kvm: listing registers: %s", strerror(-r));
	for (unsigned int i = 0; i < count && r == 0; i++)
		r = create_vcpu(&set->vcpus[i], model, msrs, error, error_size);
	if (r == 0) {
		int khz = ioctl(set->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);

		set->tsc_khz = khz > 0 ? (uint32_t)khz : 0;
	}
	free(msrs);
	return r;
}

void vcpus_fini(struct vcpu_set *set)
{
	/* A machine that failed early has none. */
	if (!set->kvm)
		return;
	posted_share(set->posted, NULL);
	for (unsigned int i = 0; i < set->count && set->vcpus; i++) {
		struct vcpu *vcpu = &set->vcpus[i];

		if (vcpu->run)
			munmap(vcpu->run, set->kvm->run_bytes);
		fd_close(vcpu->fd);
		free(vcpu->reset_state);
	}
	free(set->vcpus);
	set->vcpus = NULL;
	set->count = 0;
}
