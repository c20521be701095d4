// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One row says who may make a system call, with which arguments, and why. Several rows for a system
 * call: one of them must hold.
 *
 * No row opens, connects, binds, forks or executes anything, gives memory the right to execute, or
 * reaches another process. The rows of ioctl name both the request and the descriptor, which has a
 * number of its own (enum sandbox_fd).
 */
#include "seccomp_rules.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"

#define LOOP BIT(SANDBOX_LOOP)
#define VCPU BIT(SANDBOX_VCPU)
#define WORKER BIT(SANDBOX_WORKER)
#define ALL (LOOP | VCPU | WORKER)

/* An argument equal to a value, and one with some bits equal to a value. */
#define EQUAL(arg, val)                                                                            \
	{                                                                                          \
		SECCOMP_VALUE, arg, UINT32_MAX, val                                                \
	}
#define BITS(arg, bits, val)                                                                       \
	{                                                                                          \
		SECCOMP_VALUE, arg, bits, val                                                      \
	}
#define OWN_PID(arg)                                                                               \
	{                                                                                          \
		SECCOMP_OWN_PID, arg, UINT32_MAX, 0                                                \
	}

#define ALLOW(who, name, why)                                                                      \
	{                                                                                          \
		who, SECCOMP_RULE_ALLOW, SCMP_SYS(name), {}, why                                   \
	}
#define ALLOW_IF(who, name, why, ...)                                                              \
	{                                                                                          \
		who, SECCOMP_RULE_ALLOW, SCMP_SYS(name), { __VA_ARGS__ }, why                      \
	}
#define REFUSE(who, name, why)                                                                     \
	{                                                                                          \
		who, SECCOMP_RULE_REFUSE, SCMP_SYS(name), {}, why                                  \
	}
#define VM(who, request, why)                                                                      \
	ALLOW_IF(who, ioctl, why, EQUAL(0, SANDBOX_FD_VM), EQUAL(1, (uint32_t)(request)))
/* The vCPUs' numbers are an aligned block of eight. */
#define VCPUS(who, request, why)                                                                   \
	ALLOW_IF(who, ioctl, why, BITS(0, ~7u, SANDBOX_FD_VCPU0), EQUAL(1, (uint32_t)(request)))

_Static_assert(SANDBOX_FD_VCPU0 % 8 == 0, "one test covers all vCPU descriptors");

#define FUTEX_KIND (~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))

const struct seccomp_rule seccomp_rules[] = {
	/* The guest. */
	VCPUS(VCPU, KVM_RUN, "runs the guest"),
	VCPUS(VCPU, KVM_GET_REGS, "says where the guest was when KVM gave up"),
	VCPUS(VCPU, KVM_GET_SREGS, "INIT keeps some of it"),
	VCPUS(VCPU, KVM_TRANSLATE, "where a string instruction moves bytes"),
	VCPUS(VCPU, KVM_SET_REGS, "reset, string instructions"),
	VCPUS(VCPU, KVM_SET_SREGS, "reset"),
	VCPUS(VCPU, KVM_SET_FPU, "reset"),
	VCPUS(VCPU, KVM_SET_XCRS, "reset"),
	VCPUS(VCPU, KVM_SET_DEBUGREGS, "reset"),
	VCPUS(VCPU, KVM_SET_MSRS, "reset"),
	VCPUS(VCPU, KVM_SET_LAPIC, "reset"),
	VCPUS(VCPU, KVM_SET_MP_STATE, "reset"),
	VCPUS(VCPU, KVM_SET_VCPU_EVENTS, "reset"),
	VCPUS(LOOP, KVM_GET_REGS, "save"),
	VCPUS(LOOP, KVM_GET_SREGS, "save"),
	VCPUS(LOOP, KVM_GET_FPU, "save"),
	VCPUS(LOOP, KVM_GET_XSAVE, "save"),
	VCPUS(LOOP, KVM_GET_XCRS, "save"),
	VCPUS(LOOP, KVM_GET_DEBUGREGS, "save"),
	VCPUS(LOOP, KVM_GET_MSRS, "save"),
	VCPUS(LOOP, KVM_GET_LAPIC, "save"),
	VCPUS(LOOP, KVM_GET_MP_STATE, "save"),
	VCPUS(LOOP, KVM_GET_VCPU_EVENTS, "save"),
	VCPUS(VCPU | LOOP, KVM_GET_DEVICE_ATTR, "save, resume: the time stamp counter's offset"),
	VCPUS(VCPU | LOOP, KVM_SET_DEVICE_ATTR, "resume: the counter does not see the pause"),
	VM(LOOP, KVM_GET_IRQCHIP, "save"),
	VM(LOOP, KVM_GET_CLOCK, "save"),
	VM(VCPU | LOOP, KVM_IRQ_LINE, "interrupt lines"),
	VM(VCPU | LOOP, KVM_IRQ_LINE_STATUS,
	   "resume: whether a tick of the interval timer still waits"),
	VM(VCPU | LOOP, KVM_SET_USER_MEMORY_REGION, "PAM, SMRAM and base address registers"),
	VM(VCPU | LOOP, KVM_GET_DIRTY_LOG,
	   "what the guest wrote to the display's memory, or changed while it is saved"),
	VM(VCPU | LOOP, KVM_SET_IRQCHIP, "reset"),
	VM(VCPU | LOOP, KVM_GET_PIT2, "pause"),
	VM(VCPU | LOOP, KVM_SET_PIT2, "reset, resume"),
	VM(VCPU | LOOP, KVM_IOEVENTFD, "a region with doorbells appears or goes"),
	VM(VCPU | LOOP, KVM_REGISTER_COALESCED_MMIO, "a region with posted writes appears"),
	VM(VCPU | LOOP, KVM_UNREGISTER_COALESCED_MMIO, "a region with posted writes goes"),

	/* Waiting for each other. The other operations are kernel surface that nobody needs. */
	ALLOW_IF(ALL, futex, "locks", BITS(1, FUTEX_KIND, FUTEX_WAIT)),
	ALLOW_IF(ALL, futex, "locks", BITS(1, FUTEX_KIND, FUTEX_WAKE)),
	ALLOW_IF(ALL, futex, "conditions, pthread_join()", BITS(1, FUTEX_KIND, FUTEX_WAIT_BITSET)),
	ALLOW_IF(LOOP | VCPU, tgkill, "takes a vCPU out of the guest", OWN_PID(0)),
	ALLOW(LOOP | VCPU, getpid, "pthread_kill()"),
	ALLOW(LOOP | VCPU, rt_sigprocmask, "pthread_kill(), a thread's end"),
	ALLOW(LOOP | VCPU, rt_sigreturn, "end of a signal handler"),
	ALLOW(LOOP | VCPU, restart_syscall, "goes on after a stop signal"),

	/* Time, where the vDSO cannot answer. Clocks of processes have other numbers. */
	ALLOW_IF(LOOP | VCPU, clock_gettime, "virtual and wall clock", BITS(0, ~15u, 0)),
	ALLOW(LOOP | VCPU, timerfd_settime, "the next deadline of the devices"),

	/* Disks. */
	ALLOW(WORKER, preadv, "image reads"),
	ALLOW(LOOP, preadv,
	      "what a VHD image says of itself: put into a drive, or a disk's new layer"),
	ALLOW(WORKER, pwritev, "image writes"),
	ALLOW(WORKER, fdatasync, "flush"),
	ALLOW(LOOP, fstat, "save: when a disk was changed last"),
	ALLOW(LOOP, getrandom, "save: the identity of a state"),
	ALLOW(WORKER, fallocate, "an image grows, or gives room back"),
	ALLOW(WORKER, ftruncate, "an image grows"),
	ALLOW(LOOP, lseek, "the size of a medium that is put into a drive"),

	/* Events and peers. */
	ALLOW(ALL, write, "posts to the loop, log lines; the loop: characters"),
	ALLOW(LOOP, read, "characters, timers, signals"),
	ALLOW(LOOP, epoll_wait, "waits for events"),
	ALLOW(LOOP, epoll_ctl, "what to wait for"),
	ALLOW_IF(LOOP, accept4, "control and serial clients",
		 EQUAL(3, SOCK_CLOEXEC | SOCK_NONBLOCK)),
	ALLOW(LOOP, recvmsg, "control requests, media"),
	ALLOW(LOOP, sendmsg, "control replies, start message"),
	ALLOW_IF(LOOP, fcntl, "gives a terminal back as it was", EQUAL(1, F_SETFL)),
	ALLOW_IF(LOOP, fcntl, "migration: locks of disks", EQUAL(1, F_OFD_SETLK)),
	ALLOW_IF(LOOP, ioctl, "line settings of a serial port", EQUAL(1, (uint32_t)TCSETS2)),
	ALLOW_IF(LOOP, ioctl, "modem lines of a serial port", EQUAL(1, TIOCMSET)),
	ALLOW_IF(LOOP, ioctl, "modem lines of a serial port", EQUAL(1, TIOCMGET)),
	ALLOW_IF(LOOP, ioctl, "break on a serial port", EQUAL(1, TIOCSBRK)),
	ALLOW_IF(LOOP, ioctl, "break on a serial port", EQUAL(1, TIOCCBRK)),
	ALLOW(LOOP, close, "clients that go, the end"),

	/* The C library's heap. */
	ALLOW_IF(LOOP, mmap, "heap", BITS(2, PROT_EXEC, 0), BITS(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	ALLOW_IF(LOOP, mmap, "the memory shared with the switch", BITS(2, PROT_EXEC, 0),
		 EQUAL(3, MAP_SHARED)),
	ALLOW_IF(LOOP, mprotect, "heap", BITS(2, PROT_EXEC, 0)),
	ALLOW_IF(LOOP, mremap, "heap", EQUAL(3, MREMAP_MAYMOVE)),
	ALLOW(LOOP, munmap, "heap, guest memory at the end"),
	ALLOW(LOOP, brk, "heap"),
	ALLOW_IF(LOOP | VCPU, madvise, "heap, stack of a thread that ends",
		 EQUAL(2, MADV_DONTNEED)),

	/* The end. */
	ALLOW(VCPU | WORKER, exit, "a thread ends"),
	ALLOW(LOOP, exit_group, "the process ends"),
	REFUSE(WORKER, rt_sigprocmask, "the C library blocks signals in a thread that ends"),
	REFUSE(WORKER, madvise, "the C library gives back the stack of a thread that ends"),
};

const size_t seccomp_rule_count = ARRAY_LEN(seccomp_rules);

const unsigned int seccomp_limits[SANDBOX_THREAD_KINDS] = {
	[SANDBOX_LOOP] = 30,
	[SANDBOX_VCPU] = 12,
	[SANDBOX_WORKER] = 10,
};

static bool row_counts(const struct seccomp_rule *rule, enum sandbox_thread_kind kind)
{
	return (rule->threads & BIT(kind)) && rule->action == SECCOMP_RULE_ALLOW;
}

unsigned int seccomp_syscall_count(enum sandbox_thread_kind kind)
{
	unsigned int count = 0;

	for (size_t i = 0; i < seccomp_rule_count; i++) {
		bool first = row_counts(&seccomp_rules[i], kind);

		for (size_t j = 0; j < i && first; j++)
			first = !row_counts(&seccomp_rules[j], kind) ||
				seccomp_rules[j].syscall != seccomp_rules[i].syscall;
		count += first;
	}
	return count;
}

/* --- translation */

static int add_rule(scmp_filter_ctx filter, const struct seccomp_rule *rule)
{
	struct scmp_arg_cmp tests[SECCOMP_TESTS_MAX];
	unsigned int count = 0;

	for (unsigned int i = 0; i < SECCOMP_TESTS_MAX; i++) {
		const struct seccomp_test *test = &rule->tests[i];
		uint32_t value =
			test->operand == SECCOMP_OWN_PID ? (uint32_t)getpid() : test->value;

		if (test->operand == SECCOMP_UNTESTED)
			continue;
		tests[count++] = SCMP_CMP64(test->argument, SCMP_CMP_MASKED_EQ, test->mask, value);
	}
	return seccomp_rule_add_array(
		filter, rule->action == SECCOMP_RULE_ALLOW ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM),
		rule->syscall, count, tests);
}

/* The library hands a finished program only to a descriptor. */
static int export(scmp_filter_ctx filter, struct sock_fprog *ret_program)
{
	struct sock_filter *code = NULL;
	off_t size;
	int fd, r;

	fd = memfd_create("seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(filter, fd);
	if (r < 0)
		goto out;
	size = lseek(fd, 0, SEEK_CUR);
	r = -EINVAL;
	if (size <= 0 || (size_t)size / sizeof(*code) > BPF_MAXINSNS)
		goto out;
	code = malloc((size_t)size);
	r = code ? fd_pread_full(fd, code, (size_t)size, 0) : -ENOMEM;
	if (r < 0)
		goto out;
	ret_program->len = (unsigned short)((size_t)size / sizeof(*code));
	ret_program->filter = code;
	code = NULL;
out:
	free(code);
	close(fd);
	return r;
}

int seccomp_compile(enum sandbox_thread_kind kind, struct sock_fprog *ret_program)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!filter)
		return -ENOMEM;
	/* System calls of the 32-bit and x32 kinds. */
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; i < seccomp_rule_count && r == 0; i++) {
		if (seccomp_rules[i].threads & BIT(kind))
			r = add_rule(filter, &seccomp_rules[i]);
	}
	/* What runs most is tested first. */
	if (r == 0 && kind == SANDBOX_VCPU)
		r = seccomp_syscall_priority(filter, SCMP_SYS(ioctl), UINT8_MAX);
	if (r == 0)
		r = export(filter, ret_program);
	seccomp_release(filter);
	return r;
}
