// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of system calls, and the filters that come from it, evaluated here over every system
 * call number and argument test. What the kernel makes of them is in sandbox.c.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../vmm/sandbox.h"
#include "../../vmm/seccomp_rules.h"

static const char *const kind_names[] = { "loop", "vcpu", "worker" };

Test(seccomp_rules, no_thread_has_more_system_calls_than_its_limit)
{
	cr_assert_leq(seccomp_limits[SANDBOX_VCPU], 12);
	cr_assert_leq(seccomp_limits[SANDBOX_WORKER], 10);
	cr_assert_leq(seccomp_limits[SANDBOX_LOOP], 30);
	for (unsigned int kind = 0; kind < SANDBOX_THREAD_KINDS; kind++) {
		cr_assert_leq(seccomp_syscall_count(kind), seccomp_limits[kind], "%s",
			      kind_names[kind]);
		cr_assert_gt(seccomp_syscall_count(kind), 5, "%s", kind_names[kind]);
	}
}

Test(seccomp_rules, every_row_has_a_thread_and_a_reason)
{
	for (size_t i = 0; i < seccomp_rule_count; i++) {
		cr_assert_gt(strlen(seccomp_rules[i].reason), 3);
		cr_assert_neq(seccomp_rules[i].threads, 0);
		cr_assert_lt(seccomp_rules[i].threads, BIT(SANDBOX_THREAD_KINDS));
	}
}

/* What a filter says to a system call. */
static uint32_t evaluate(const struct sock_fprog *program, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned int pc = 0; pc < program->len; pc++) {
		const struct sock_filter *op = &program->filter[pc];

		switch (op->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert_leq(op->k + 4, sizeof(*data));
			memcpy(&a, (const uint8_t *)data + op->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= op->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += op->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == op->k ? op->jt : op->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= op->k ? op->jt : op->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > op->k ? op->jt : op->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += (a & op->k) ? op->jt : op->jf;
			break;
		case BPF_RET | BPF_K:
			return op->k;
		default:
			cr_assert_fail("instruction %x", op->code);
		}
	}
	cr_assert_fail("the filter has no end");
	return 0;
}

static bool in_table(enum sandbox_thread_kind kind, int number)
{
	for (size_t i = 0; i < seccomp_rule_count; i++) {
		if ((seccomp_rules[i].threads & BIT(kind)) && seccomp_rules[i].syscall == number)
			return true;
	}
	return false;
}

Test(seccomp_rules, what_the_table_does_not_name_kills)
{
	for (unsigned int kind = 0; kind < SANDBOX_THREAD_KINDS; kind++) {
		struct sock_fprog program;

		cr_assert_eq(seccomp_compile(kind, &program), 0);
		for (int number = -1; number < 1024; number++) {
			struct seccomp_data data = { .nr = number, .arch = AUDIT_ARCH_X86_64 };

			if (!in_table(kind, number))
				cr_assert_eq(evaluate(&program, &data), SECCOMP_RET_KILL_PROCESS,
					     "%s %d", kind_names[kind], number);
			/* Nothing of the 32-bit and x32 kinds, whatever the number. */
			data.arch = AUDIT_ARCH_I386;
			cr_assert_eq(evaluate(&program, &data), SECCOMP_RET_KILL_PROCESS);
			data.arch = AUDIT_ARCH_X86_64;
			data.nr |= 0x40000000;
			cr_assert_eq(evaluate(&program, &data), SECCOMP_RET_KILL_PROCESS);
		}
		free(program.filter);
	}
}

/* One test of a row at a time is made to fail; the other rows of the call must not let it pass. */
Test(seccomp_rules, every_argument_test_counts)
{
	for (unsigned int kind = 0; kind < SANDBOX_THREAD_KINDS; kind++) {
		struct sock_fprog program;

		cr_assert_eq(seccomp_compile(kind, &program), 0);
		for (size_t i = 0; i < seccomp_rule_count; i++) {
			const struct seccomp_rule *rule = &seccomp_rules[i];
			struct seccomp_data data = { .nr = rule->syscall,
						     .arch = AUDIT_ARCH_X86_64 };
			uint32_t want = rule->action == SECCOMP_RULE_ALLOW
						? SECCOMP_RET_ALLOW
						: SECCOMP_RET_ERRNO | EPERM;

			if (!(rule->threads & BIT(kind)))
				continue;
			for (unsigned int t = 0; t < SECCOMP_TESTS_MAX; t++) {
				const struct seccomp_test *test = &rule->tests[t];

				/* The kernel ignores the upper half of an int. */
				if (test->operand != SECCOMP_UNTESTED)
					data.args[test->argument] =
						UINT64_C(0xffffffff00000000) |
						(test->operand == SECCOMP_OWN_PID
							 ? (uint32_t)getpid()
							 : test->value);
			}
			cr_assert_eq(evaluate(&program, &data), want, "row %zu", i);
			for (unsigned int t = 0; t < SECCOMP_TESTS_MAX; t++) {
				const struct seccomp_test *test = &rule->tests[t];
				struct seccomp_data bad = data;

				if (test->operand == SECCOMP_UNTESTED)
					continue;
				/* Bits that no other row of the same call has. */
				bad.args[test->argument] ^= test->mask & 0x40000004
								    ? test->mask & 0x40000004
								    : test->mask;
				cr_assert_eq(evaluate(&program, &bad), SECCOMP_RET_KILL_PROCESS,
					     "row %zu test %u", i, t);
			}
		}
		free(program.filter);
	}
}
