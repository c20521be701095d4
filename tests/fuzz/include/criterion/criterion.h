/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In place of criterion, whose main() a fuzzer cannot have beside its own: the assertions that the bench
 * makes (tests/lib) end the process, which the fuzzer takes for a crash.
 */
#ifndef TESTS_FUZZ_CRITERION_H
#define TESTS_FUZZ_CRITERION_H

#include <stdio.h>
#include <stdlib.h>

#define CR_STUB(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,           \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define cr_assert(condition, ...) CR_STUB(condition)
#define cr_assert_not(condition, ...) CR_STUB(!(condition))
#define cr_assert_not_null(pointer, ...) CR_STUB((pointer) != NULL)
#define cr_assert_null(pointer, ...) CR_STUB((pointer) == NULL)
#define cr_assert_eq(a, b, ...) CR_STUB((a) == (b))
#define cr_assert_neq(a, b, ...) CR_STUB((a) != (b))
#define cr_assert_lt(a, b, ...) CR_STUB((a) < (b))
#define cr_assert_leq(a, b, ...) CR_STUB((a) <= (b))
#define cr_assert_gt(a, b, ...) CR_STUB((a) > (b))
#define cr_assert_geq(a, b, ...) CR_STUB((a) >= (b))
#define cr_assert_fail(...) CR_STUB(0)

#endif
