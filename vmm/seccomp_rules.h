/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system calls each kind of thread may make, as one table, and its translation for the
 * kernel. Whatever no row allows ends the process.
 */
#ifndef VMM_SECCOMP_RULES_H
#define VMM_SECCOMP_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

struct sock_fprog;

enum seccomp_action {
	SECCOMP_RULE_ALLOW,
	/*
	 * Answered with EPERM and not carried out: calls that the C library makes when a thread
	 * ends, and that it does not miss.
	 */
	SECCOMP_RULE_REFUSE,
};

enum seccomp_operand {
	SECCOMP_UNTESTED, /* no test in this place */
	SECCOMP_VALUE,
	SECCOMP_OWN_PID,
};

/*
 * The low 32 bits of an argument, masked, must be equal to the operand. All that is tested here are
 * C ints and flags of the low half, and the kernel looks no further either.
 */
struct seccomp_test {
	enum seccomp_operand operand;
	uint8_t argument;
	uint32_t mask, value;
};

#define SECCOMP_TESTS_MAX 2

struct seccomp_rule {
	uint8_t threads; /* BIT(enum sandbox_thread_kind) */
	enum seccomp_action action;
	int syscall;
	struct seccomp_test tests[SECCOMP_TESTS_MAX]; /* all must hold */
	const char *reason;
};

extern const struct seccomp_rule seccomp_rules[];
extern const size_t seccomp_rule_count;

/* No kind of thread may have more system calls than this: a new one has to replace an old one. */
extern const unsigned int seccomp_limits[SANDBOX_THREAD_KINDS];

/* How many different system calls @kind may make. */
unsigned int seccomp_syscall_count(enum sandbox_thread_kind kind);

/* Translates the rows of @kind; ret_program->filter is the caller's, to free. 0 or -errno. */
int seccomp_compile(enum sandbox_thread_kind kind, struct sock_fprog *ret_program);

#endif
