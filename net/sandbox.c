// SPDX-License-Identifier: GPL-2.0-or-later
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/log.h"

/* What the switch may ask of the kernel, and why. Whatever is not here ends the process. */
static const struct {
	int number;
	const char *reason;
} calls[] = {
	{ SCMP_SYS(epoll_wait), "waits for events" },
	{ SCMP_SYS(epoll_ctl), "what to wait for" },
	{ SCMP_SYS(read), "eventfds, taps" },
	{ SCMP_SYS(write), "eventfds, taps, log lines" },
	{ SCMP_SYS(recvfrom), "streams" },
	{ SCMP_SYS(sendto), "streams, captures" },
	{ SCMP_SYS(recvmsg), "control requests" },
	{ SCMP_SYS(sendmsg), "control answers" },
	{ SCMP_SYS(accept4), "control clients" },
	{ SCMP_SYS(close), "what is not needed any more" },
	{ SCMP_SYS(memfd_create), "a port's shared memory" },
	{ SCMP_SYS(ftruncate), "a port's shared memory" },
	{ SCMP_SYS(eventfd2), "a port's eventfds" },
	{ SCMP_SYS(munmap), "a port's shared memory, heap" },
	{ SCMP_SYS(mremap), "heap" },
	{ SCMP_SYS(brk), "heap" },
	{ SCMP_SYS(madvise), "heap" },
	{ SCMP_SYS(clock_gettime), "where the vDSO cannot answer" },
	{ SCMP_SYS(getrandom), "hash seeds" },
	{ SCMP_SYS(futex), "the C library" },
	{ SCMP_SYS(exit_group), "the end" },
	{ SCMP_SYS(rt_sigreturn), "end of a signal handler" },
	{ SCMP_SYS(restart_syscall), "goes on after a stop signal" },
};

static int allow_with_arguments(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	for (unsigned int i = 0; r == 0 && i < 4; i++) {
		static const int commands[] = { F_GETFL, F_SETFL, F_ADD_SEALS, F_DUPFD_CLOEXEC };

		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0));
	}
	return r;
}

static void load_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_LEN(calls) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].number, 0);
	if (r == 0)
		r = allow_with_arguments(filter);
	if (r == 0)
		r = seccomp_load(filter);
	if (r < 0)
		die("the system call filter cannot be loaded: %s", strerror(-r));
	seccomp_release(filter);
}

void switch_sandbox(void)
{
	struct rlimit no_core = { 0, 0 };

	/* Where the host refuses namespaces the filter alone must do: it opens nothing either way. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET) < 0)
		log_info("no namespaces of its own: %s", strerror(errno));
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_ALL) < 0)
		log_info("capabilities cannot be dropped");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no-new-privileges: %s", strerror(errno));
#if !defined(__SANITIZE_ADDRESS__)
	load_filter();
#else
	(void)load_filter;
#endif
}
