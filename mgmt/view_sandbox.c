// SPDX-License-Identifier: GPL-2.0-or-later
/* What a session with a viewer from the network may still do. */
#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "../base/bits.h"
#include "../base/log.h"
#include "view_session.h"

#define MEMORY_BYTES MIB(256)
#define DESCRIPTORS 64

/* Rows without a test allow the call as it is. */
static const struct rule {
	int syscall;
	unsigned int tests;
	struct scmp_arg_cmp test[2];
	const char *why;
} rules[] = {
	{ SCMP_SYS(recvfrom), 0, {}, "both peers" },
	{ SCMP_SYS(sendto), 0, {}, "both peers" },
	{ SCMP_SYS(recvmsg), 0, {}, "TLS" },
	{ SCMP_SYS(sendmsg), 0, {}, "TLS" },
	{ SCMP_SYS(read), 0, {}, "TLS" },
	{ SCMP_SYS(write), 0, {}, "log lines" },
	{ SCMP_SYS(writev), 0, {}, "TLS" },
	{ SCMP_SYS(poll), 0, {}, "waiting" },
	{ SCMP_SYS(restart_syscall), 0, {}, "waiting goes on after a stop signal" },
	{ SCMP_SYS(socket), 1, { SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX, 0) }, "the machine" },
	{ SCMP_SYS(connect), 0, {}, "the machine: no other kind of socket can be made" },
	{ SCMP_SYS(close), 0, {}, "the end" },
	{ SCMP_SYS(getrandom), 0, {}, "TLS" },
	{ SCMP_SYS(clock_gettime), 0, {}, "deadlines" },
	{ SCMP_SYS(gettimeofday), 0, {}, "TLS" },
	{ SCMP_SYS(time), 0, {}, "TLS" },
	{ SCMP_SYS(getrusage), 0, {}, "TLS mixes it into its random numbers" },
	{ SCMP_SYS(getpid), 0, {}, "TLS: has the process forked?" },
	{ SCMP_SYS(futex), 0, {}, "locks" },
	{ SCMP_SYS(mmap), 1, { SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) }, "heap" },
	{ SCMP_SYS(mprotect), 1, { SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) }, "heap" },
	{ SCMP_SYS(mremap), 0, {}, "heap" },
	{ SCMP_SYS(munmap), 0, {}, "heap" },
	{ SCMP_SYS(madvise), 0, {}, "heap" },
	{ SCMP_SYS(brk), 0, {}, "heap" },
	{ SCMP_SYS(rt_sigprocmask), 0, {}, "the C library" },
	{ SCMP_SYS(rt_sigaction), 0, {}, "the C library" },
	{ SCMP_SYS(rt_sigreturn), 0, {}, "signals" },
	{ SCMP_SYS(exit_group), 0, {}, "the end" },
};

static void set_limits(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = { { RLIMIT_AS, MEMORY_BYTES },
		       { RLIMIT_NOFILE, DESCRIPTORS },
		       { RLIMIT_CORE, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct rlimit limit = { limits[i].value, limits[i].value };

#ifdef __SANITIZE_ADDRESS__
		if (limits[i].resource == RLIMIT_AS)
			continue;
#endif
		if (setrlimit(limits[i].resource, &limit) < 0)
			die("viewer session: cannot set its limits: %s", strerror(errno));
	}
}

static void load_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_LEN(rules) && r == 0; i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].syscall, rules[i].tests,
					   rules[i].test);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r < 0)
		die("viewer session: cannot load the system call filter: %s", strerror(-r));
}

void view_sandbox(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || capng_apply(CAPNG_SELECT_CAPS) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die("viewer session: cannot give up its rights: %s", strerror(errno));
	set_limits();
#ifndef __SANITIZE_ADDRESS__
	load_filter();
#else
	(void)load_filter;
#endif
}
