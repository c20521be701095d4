// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/qtest.c: the device test port's commands, on the bench's devices. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/base64.h"
#include "../../base/bits.h"
#include "../../devmodel/mc146818.h"
#include "../../vmm/qtest.h"

struct fixture {
	struct bench *b;
	struct qtest q;
	unsigned int settled;
	const char *stopped;
	char answers[4096];
};

static void settle(void *opaque)
{
	((struct fixture *)opaque)->settled++;
}

static uint64_t now_ns(void *opaque)
{
	return ((struct fixture *)opaque)->b->now_ns;
}

static uint64_t next_ns(void *opaque)
{
	return timer_queue_next(&((struct fixture *)opaque)->b->timers);
}

static const char *stopped(void *opaque)
{
	return ((struct fixture *)opaque)->stopped;
}

static struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct qtest_machine machine = {
		.settle = settle,
		.now_ns = now_ns,
		.next_ns = next_ns,
		.stopped = stopped,
		.opaque = f,
	};

	f->b = bench_new();
	bench_add(f->b, &mc146818_class, NULL);
	machine.io = &f->b->io;
	machine.dma = &f->b->dma;
	cr_assert_eq(qtest_init(&f->q, &machine), 0);
	return f;
}

static void teardown(struct fixture *f)
{
	qtest_fini(&f->q);
	bench_free(f->b);
	free(f);
}

/* Runs one line; a step is carried out as the bench does it. The answers since the last call. */
static const char *ask(struct fixture *f, const char *line)
{
	char *copy = strdup(line);
	size_t n;

	if (qtest_execute(&f->q, copy) == QTEST_STEP) {
		advance(f->b, f->q.step_to_ns - f->b->now_ns);
		qtest_stepped(&f->q);
	}
	free(copy);
	n = qtest_pending(&f->q);
	cr_assert_lt(n, sizeof(f->answers));
	memcpy(f->answers, f->q.out + f->q.out_at, n);
	f->answers[n] = '\0';
	qtest_taken(&f->q, n);
	return f->answers;
}

#define ASK(line, answer) cr_assert_str_eq(ask(f, line), answer, "%s: %s", line, f->answers)

Test(qtest, ports_are_read_and_written)
{
	struct fixture *f = setup();

	ASK("outb 0x70 0x0a", "OK\n");
	ASK("outb 113 0x26", "OK\n");
	ASK("inb 0x71", "OK 0x0026\n");
	ASK("inw 0x1234", "OK 0xffff\n");
	ASK("inl 0x1234", "OK 0xffffffff\n");
	ASK("outw 0x1234 0xffff", "OK\n");
	ASK("outl 0x1234 0xffffffff\r", "OK\n");
	cr_assert_eq(f->settled, 7, "after each access the machine is asked");
	teardown(f);
}

Test(qtest, memory_is_read_and_written_in_every_form)
{
	struct fixture *f = setup();

	ASK("writeq 0x1000 0x1122334455667788", "OK\n");
	ASK("readb 0x1001", "OK 0x0000000000000077\n");
	ASK("readw 0x1001", "OK 0x0000000000006677\n");
	ASK("readl 0x1001", "OK 0x0000000044556677\n");
	ASK("readq 0x1000", "OK 0x1122334455667788\n");
	ASK("writeb 0x1000 0", "OK\n");
	ASK("writew 0x1002 0xabcd", "OK\n");
	ASK("writel 0x1004 4294967295", "OK\n");
	ASK("read 0x1000 8", "OK 0x0077cdabffffffff\n");
	ASK("write 0x2000 4 0x0A0b", "OK\n");
	ASK("read 0x1ffe 8", "OK 0x00000a0b00000000\n");
	ASK("memset 0x2000 3 0x7f", "OK\n");
	ASK("read 0x2000 4", "OK 0x7f7f7f00\n");
	ASK("b64write 0x3000 5 aGVsbG8=", "OK\n");
	ASK("b64read 0x3000 5", "OK aGVsbG8=\n");
	ASK("b64read 0x3000 6", "OK aGVsbG8A\n");
	ASK("read 0x3000 0", "OK 0x\n");
	ASK("memset 0x3000 0 1", "OK\n");
	teardown(f);
}

Test(qtest, what_is_nobodys_memory_reads_as_ones)
{
	struct fixture *f = setup();

	ASK("readq 0xf0000000", "OK 0xffffffffffffffff\n");
	ASK("read 0x3ffffe 4", "OK 0x0000ffff\n");
	ASK("write 0x3ffffe 4 0x01020304", "OK\n");
	ASK("read 0x3ffffe 3", "OK 0x0102ff\n");
	ASK("readb 0xfffffffffffffffe", "OK 0x00000000000000ff\n");
	teardown(f);
}

Test(qtest, time_passes_as_told_and_interrupts_are_told)
{
	struct fixture *f = setup();

	ASK("clock_set 2000000000", "OK 2000000000\n");
	ASK("outb 0x70 0x0a", "OK\n");
	ASK("outb 0x71 0x26", "OK\n");
	ASK("outb 0x70 0x0b", "OK\n");
	ASK("outb 0x71 0x42", "OK\n");
	ASK("irq_intercept_in /machine/unattached/device[7]", "OK\n");
	f->b->hub.sink = NULL;
	qtest_irq(&f->q, 8, true);
	qtest_irq(&f->q, 8, false);
	ASK("endianness", "IRQ raise 8\nIRQ lower 8\nOK little\n");
	qtest_forget(&f->q);
	qtest_irq(&f->q, 8, true);
	ASK("irq_intercept_out x", "OK\n");
	ASK("clock_step 0", "OK 2000000000\n");
	ASK("clock_step 5", "OK 2000000005\n");
	ASK("outb 0x70 0x0c", "OK\n");
	cr_assert_eq(strncmp(ask(f, "inb 0x71"), "OK 0x00", 7), 0);
	cr_assert_neq(next_ns(f), TIMER_OFF);
	ask(f, "clock_step");
	cr_assert_gt(f->b->now_ns, 2000000005);
	f->stopped = "because";
	ASK("clock_step", "FAIL clock_step: because\n");
	ASK("clock_set 9000000000000", "FAIL clock_set: because\n");
	teardown(f);
}

Test(qtest, nonsense_is_refused_and_changes_nothing)
{
	static const char *const lines[] = {
		"outb",
		"outb 0x70",
		"outb 0x70 1 2",
		"outb 0x70 1 2 3 4 5 6",
		"outb 0x10000 0",
		"outb 0x70 256",
		"outw 0x70 65536",
		"outl 0x70 4294967296",
		"outb -1 0",
		"outb x 0",
		"inb",
		"inb 70h",
		"inb 65536",
		"inb 1 2",
		"readb",
		"readq 0x10000000000000000",
		"readq 0xffffffffffffffff",
		"writeb 0 256",
		"writew 0 0x10000",
		"writel 0 0x100000000",
		"writeq 0 x",
		"read 0",
		"read 0 262145",
		"read 0 -1",
		"read 0xffffffffffffffff 16",
		"write 0 4",
		"write 0 4 01020304",
		"write 0 4 0x0",
		"write 0 1 0x0102",
		"write 0 2 0x0g",
		"memset 0 1",
		"memset 0 1 256",
		"memset 0 262145 0",
		"b64write 0 4 AAA",
		"b64write 0 1 AAAA",
		"b64write 0 4 A=AA",
		"b64write 0 4 !!!!",
		"b64write 0 2 AAB=",
		"clock_step -1",
		"clock_step 9223372036854775807",
		"clock_step 1 2",
		"clock_set",
		"clock_set 0",
		"clock_set 18446744073709551615",
		"irq_intercept_in",
		"endianness 1",
		"OUTB 0 0",
		"\x01\xff",
		"quit",
		"module_load a b",
	};
	struct fixture *f = setup();
	uint64_t before = f->b->now_ns;

	for (unsigned int i = 0; i < ARRAY_LEN(lines); i++) {
		const char *answer = ask(f, lines[i]);

		cr_assert_eq(strncmp(answer, "FAIL ", 5), 0, "%s: %s", lines[i], answer);
		cr_assert_eq(strchr(answer, '\n'), answer + strlen(answer) - 1, "%s", lines[i]);
	}
	cr_assert_eq(f->settled, 0);
	cr_assert_eq(f->b->now_ns, before);
	ASK("", "");
	ASK("   \t ", "");
	qtest_fail(&f->q, "why");
	ASK("endianness", "FAIL why\nOK little\n");
	teardown(f);
}

Test(qtest, answers_that_nobody_takes_have_an_end)
{
	struct fixture *f = setup();
	char line[] = "irq_intercept_in x";

	qtest_execute(&f->q, line);
	for (unsigned int i = 0; i < 1u << 20; i++)
		qtest_irq(&f->q, 8, i & 1);
	cr_assert(f->q.out_lost);
	cr_assert_leq(qtest_pending(&f->q), 8u << 20);
	qtest_forget(&f->q);
	ASK("endianness", "OK little\n");
	teardown(f);
}

Test(base64, goes_both_ways)
{
	static const char *const texts[] = { "",	 "Zg==",     "Zm8=",	"Zm9v",
					     "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	char text[16], bytes[16];

	for (size_t n = 0; n < ARRAY_LEN(texts); n++) {
		cr_assert_eq(BASE64_TEXT_BYTES(n), strlen(texts[n]));
		base64_encode("foobar", n, text);
		cr_assert_eq(memcmp(text, texts[n], strlen(texts[n])), 0, "%zu", n);
		cr_assert_eq(base64_decode(texts[n], strlen(texts[n]), bytes, n), (ssize_t)n);
		cr_assert_eq(memcmp(bytes, "foobar", n), 0, "%zu", n);
	}
	cr_assert_lt(base64_decode("Zm9v", 4, bytes, 2), 0, "no room");
	cr_assert_lt(base64_decode("Zm9", 3, bytes, 16), 0, "a piece is missing");
	cr_assert_lt(base64_decode("Zh==", 4, bytes, 16), 0, "bits that are no byte's");
	cr_assert_lt(base64_decode("Zm=v", 4, bytes, 16), 0);
	cr_assert_lt(base64_decode("====", 4, bytes, 16), 0);
	cr_assert_lt(base64_decode("Zg==Zg==", 8, bytes, 16), 0);
}
