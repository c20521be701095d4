// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Source: the protocol as QEMU's documentation and its clients use it (docs/devel/testing, "QTest").
 */
#include "qtest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/base64.h"
#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/parse.h"
#include "../devmodel/dma.h"
#include "../devmodel/io.h"
#include "../devmodel/timer.h"

#define WORDS_MAX 4
/* The longest answer is a read's; and what interrupts can add while a client does not listen. */
#define OUT_BYTES_MAX (8u << 20)
#define OUT_BYTES_MIN 4096u
#define PAGE_BYTES 4096u

struct command {
	const char *name;
	unsigned int size;     /* of the access, in bytes */
	unsigned int min, max; /* words behind the name */
	enum qtest_result (*run)(struct qtest *q, const struct command *c, char **words,
				 unsigned int count);
};

/* --- answers */

/* Room for @size more bytes; false without memory, or when nobody has listened for too long. */
static bool make_room(struct qtest *q, size_t size)
{
	size_t room = q->out_room ? q->out_room : OUT_BYTES_MIN;
	char *grown;

	if (q->out_end + size <= q->out_room)
		return true;
	while (room < q->out_end + size)
		room *= 2;
	grown = room <= OUT_BYTES_MAX ? realloc(q->out, room) : NULL;
	if (!grown) {
		q->out_lost = true;
		return false;
	}
	q->out = grown;
	q->out_room = room;
	return true;
}

static void say(struct qtest *q, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct qtest *q, const char *format, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= (int)sizeof(text)) {
		n = (int)sizeof(text) - 1;
		text[n - 1] = '\n';
	}
	if (n > 0 && make_room(q, (size_t)n)) {
		memcpy(q->out + q->out_end, text, (size_t)n);
		q->out_end += (size_t)n;
	}
}

static enum qtest_result ok(struct qtest *q)
{
	say(q, "OK\n");
	return QTEST_DONE;
}

static enum qtest_result failure(struct qtest *q, const struct command *c, const char *why)
{
	say(q, "FAIL %s: %s\n", c->name, why);
	return QTEST_DONE;
}

void qtest_fail(struct qtest *q, const char *why)
{
	say(q, "FAIL %s\n", why);
}

void qtest_irq(struct qtest *q, unsigned int n, bool level)
{
	if (q->irqs_wanted)
		say(q, "IRQ %s %u\n", level ? "raise" : "lower", n);
}

static void settle(struct qtest *q)
{
	if (q->machine.settle)
		q->machine.settle(q->machine.opaque);
}

/* --- ports */

static enum qtest_result run_out(struct qtest *q, const struct command *c, char **words,
				 unsigned int count)
{
	uint64_t port, value;

	(void)count;
	if (parse_u64(words[0], 0, UINT16_MAX, &port) < 0)
		return failure(q, c, "give a port from 0 to 0xffff");
	if (parse_u64(words[1], 0, mask32(c->size * 8), &value) < 0)
		return failure(q, c, "give a value that fits the port");
	io_port_write(q->machine.io, (uint16_t)port, c->size, (uint32_t)value);
	settle(q);
	return ok(q);
}

static enum qtest_result run_in(struct qtest *q, const struct command *c, char **words,
				unsigned int count)
{
	uint64_t port;
	uint32_t value;

	(void)count;
	if (parse_u64(words[0], 0, UINT16_MAX, &port) < 0)
		return failure(q, c, "give a port from 0 to 0xffff");
	value = io_port_read(q->machine.io, (uint16_t)port, c->size);
	settle(q);
	say(q, "OK 0x%04x\n", value);
	return QTEST_DONE;
}

/* --- memory */

static void access_memory(struct qtest *q, uint64_t gpa, void *data, size_t size, bool write)
{
	struct qtest_machine *machine = &q->machine;
	int r = write ? dma_write(machine->dma, gpa, data, size)
		      : dma_read(machine->dma, gpa, data, size);

	if (r == 0)
		return;
	/* Not all of it is memory: a device's, or nobody's. */
	if (write)
		io_memory_write(machine->io, gpa, data, (unsigned int)size);
	else
		io_memory_read(machine->io, gpa, data, (unsigned int)size);
}

/*
 * A range, which may lie in memory and devices both: whole pages where they are memory, dwords where
 * not, as a processor that copies would do it.
 */
static void access_range(struct qtest *q, uint64_t gpa, uint8_t *data, size_t size, bool write)
{
	while (size) {
		size_t run = min_u64(size, PAGE_BYTES - gpa % PAGE_BYTES);
		int r = write ? dma_write(q->machine.dma, gpa, data, run)
			      : dma_read(q->machine.dma, gpa, data, run);

		for (size_t done = 0; r < 0 && done < run;) {
			size_t piece = min_u64(run - done, 4 - (gpa + done) % 4);

			access_memory(q, gpa + done, data + done, piece, write);
			done += piece;
		}
		gpa += run;
		data += run;
		size -= run;
	}
	settle(q);
}

static enum qtest_result run_write_one(struct qtest *q, const struct command *c, char **words,
				       unsigned int count)
{
	uint64_t gpa, value;
	uint8_t bytes[8];

	(void)count;
	if (parse_u64(words[0], 0, UINT64_MAX - c->size, &gpa) < 0)
		return failure(q, c, "give an address");
	if (parse_u64(words[1], 0, UINT64_MAX >> (64 - c->size * 8), &value) < 0)
		return failure(q, c, "give a value that fits the access");
	put_le(bytes, sizeof(bytes), value);
	access_memory(q, gpa, bytes, c->size, true);
	settle(q);
	return ok(q);
}

static enum qtest_result run_read_one(struct qtest *q, const struct command *c, char **words,
				      unsigned int count)
{
	uint8_t bytes[8] = { 0 };
	uint64_t gpa;

	(void)count;
	if (parse_u64(words[0], 0, UINT64_MAX - c->size, &gpa) < 0)
		return failure(q, c, "give an address");
	access_memory(q, gpa, bytes, c->size, false);
	settle(q);
	say(q, "OK 0x%016llx\n", (unsigned long long)get_le64(bytes));
	return QTEST_DONE;
}

/* The address and size that begin @words; an answer is given when they make no sense. */
static bool parse_range(struct qtest *q, const struct command *c, char **words, uint64_t *ret_gpa,
			size_t *ret_size)
{
	uint64_t size;

	if (parse_u64(words[0], 0, UINT64_MAX - QTEST_DATA_BYTES, ret_gpa) < 0) {
		failure(q, c, "give an address");
		return false;
	}
	if (parse_u64(words[1], 0, QTEST_DATA_BYTES, &size) < 0) {
		failure(q, c, "give a size of at most 262144 bytes");
		return false;
	}
	*ret_size = size;
	return true;
}

static const char hex_digits[] = "0123456789abcdef";

static enum qtest_result run_read(struct qtest *q, const struct command *c, char **words,
				  unsigned int count)
{
	uint64_t gpa;
	size_t size;
	char *to;

	(void)count;
	if (!parse_range(q, c, words, &gpa, &size))
		return QTEST_DONE;
	access_range(q, gpa, q->data, size, false);
	say(q, "OK 0x");
	if (!make_room(q, 2 * size))
		return QTEST_DONE;
	to = q->out + q->out_end;
	for (size_t i = 0; i < size; i++) {
		*to++ = hex_digits[q->data[i] >> 4];
		*to++ = hex_digits[q->data[i] & 15];
	}
	q->out_end += 2 * size;
	say(q, "\n");
	return QTEST_DONE;
}

static int hex_value(char c)
{
	const char *at = c ? strchr(hex_digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;

	return at ? (int)(at - hex_digits) : -1;
}

static enum qtest_result run_write(struct qtest *q, const struct command *c, char **words,
				   unsigned int count)
{
	const char *text = words[2];
	uint64_t gpa;
	size_t size;

	(void)count;
	if (!parse_range(q, c, words, &gpa, &size))
		return QTEST_DONE;
	if (strncmp(text, "0x", 2) != 0 || strlen(text) % 2)
		return failure(q, c, "give the data as 0x and two digits for each byte");
	text += 2;
	memset(q->data, 0, size);
	for (size_t i = 0; *text; i++, text += 2) {
		int high = hex_value(text[0]), low = hex_value(text[1]);

		if (high < 0 || low < 0 || i >= size)
			return failure(q, c,
				       i >= size ? "more data than the size says"
						 : "that is no hexadecimal number");
		q->data[i] = (uint8_t)(high << 4 | low);
	}
	access_range(q, gpa, q->data, size, true);
	return ok(q);
}

static enum qtest_result run_memset(struct qtest *q, const struct command *c, char **words,
				    unsigned int count)
{
	uint64_t gpa, byte;
	size_t size;

	(void)count;
	if (!parse_range(q, c, words, &gpa, &size))
		return QTEST_DONE;
	if (parse_u64(words[2], 0, UINT8_MAX, &byte) < 0)
		return failure(q, c, "give a byte");
	memset(q->data, (int)byte, size);
	access_range(q, gpa, q->data, size, true);
	return ok(q);
}

static enum qtest_result run_b64read(struct qtest *q, const struct command *c, char **words,
				     unsigned int count)
{
	uint64_t gpa;
	size_t size;

	(void)count;
	if (!parse_range(q, c, words, &gpa, &size))
		return QTEST_DONE;
	access_range(q, gpa, q->data, size, false);
	say(q, "OK ");
	if (!make_room(q, BASE64_TEXT_BYTES(size)))
		return QTEST_DONE;
	base64_encode(q->data, size, q->out + q->out_end);
	q->out_end += BASE64_TEXT_BYTES(size);
	say(q, "\n");
	return QTEST_DONE;
}

static enum qtest_result run_b64write(struct qtest *q, const struct command *c, char **words,
				      unsigned int count)
{
	uint64_t gpa;
	size_t size;
	ssize_t n;

	(void)count;
	if (!parse_range(q, c, words, &gpa, &size))
		return QTEST_DONE;
	memset(q->data, 0, size);
	n = base64_decode(words[2], strlen(words[2]), q->data, size);
	if (n < 0)
		return failure(q, c,
			       n == -E2BIG ? "more data than the size says" : "that is no base64");
	access_range(q, gpa, q->data, size, true);
	return ok(q);
}

/* --- time */

static enum qtest_result step(struct qtest *q, const struct command *c, uint64_t to_ns)
{
	const char *why = q->machine.stopped ? q->machine.stopped(q->machine.opaque) : NULL;

	if (why)
		return failure(q, c, why);
	q->step_to_ns = to_ns;
	return QTEST_STEP;
}

void qtest_stepped(struct qtest *q)
{
	say(q, "OK %llu\n", (unsigned long long)q->machine.now_ns(q->machine.opaque));
}

static enum qtest_result run_clock_step(struct qtest *q, const struct command *c, char **words,
					unsigned int count)
{
	uint64_t now = q->machine.now_ns(q->machine.opaque), ns;

	if (!count) {
		uint64_t next = q->machine.next_ns(q->machine.opaque);

		return step(q, c, next == TIMER_OFF || next < now ? now : next);
	}
	if (parse_u64(words[0], 0, INT64_MAX, &ns) < 0 || ns > (uint64_t)INT64_MAX - now)
		return failure(q, c, "give nanoseconds, which fit 63 bits together with the time");
	return step(q, c, now + ns);
}

static enum qtest_result run_clock_set(struct qtest *q, const struct command *c, char **words,
				       unsigned int count)
{
	uint64_t now = q->machine.now_ns(q->machine.opaque), ns;

	(void)count;
	if (parse_u64(words[0], 0, INT64_MAX, &ns) < 0)
		return failure(q, c, "give nanoseconds that fit 63 bits");
	if (ns < now)
		return failure(q, c, "time never goes back");
	return step(q, c, ns);
}

/* --- the rest */

static enum qtest_result run_intercept(struct qtest *q, const struct command *c, char **words,
				       unsigned int count)
{
	(void)c;
	(void)words;
	(void)count;
	q->irqs_wanted = true;
	return ok(q);
}

static enum qtest_result run_endianness(struct qtest *q, const struct command *c, char **words,
					unsigned int count)
{
	(void)c;
	(void)words;
	(void)count;
	say(q, "OK little\n");
	return QTEST_DONE;
}

static const struct command commands[] = {
	{ "outb", 1, 2, 2, run_out },
	{ "outw", 2, 2, 2, run_out },
	{ "outl", 4, 2, 2, run_out },
	{ "inb", 1, 1, 1, run_in },
	{ "inw", 2, 1, 1, run_in },
	{ "inl", 4, 1, 1, run_in },
	{ "writeb", 1, 2, 2, run_write_one },
	{ "writew", 2, 2, 2, run_write_one },
	{ "writel", 4, 2, 2, run_write_one },
	{ "writeq", 8, 2, 2, run_write_one },
	{ "readb", 1, 1, 1, run_read_one },
	{ "readw", 2, 1, 1, run_read_one },
	{ "readl", 4, 1, 1, run_read_one },
	{ "readq", 8, 1, 1, run_read_one },
	{ "read", 0, 2, 2, run_read },
	{ "write", 0, 3, 3, run_write },
	{ "memset", 0, 3, 3, run_memset },
	{ "b64read", 0, 2, 2, run_b64read },
	{ "b64write", 0, 3, 3, run_b64write },
	{ "clock_step", 0, 0, 1, run_clock_step },
	{ "clock_set", 0, 1, 1, run_clock_set },
	{ "irq_intercept_in", 0, 1, 1, run_intercept },
	{ "irq_intercept_out", 0, 1, 1, run_intercept },
	{ "endianness", 0, 0, 0, run_endianness },
};

/* Cuts @line at blanks; more words than there is room for count as one more than that. */
static unsigned int split(char *line, char *words[WORDS_MAX])
{
	unsigned int count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(line, " \t\r", &rest); word;
	     word = strtok_r(NULL, " \t\r", &rest)) {
		if (count == WORDS_MAX)
			return WORDS_MAX + 1;
		words[count++] = word;
	}
	return count;
}

enum qtest_result qtest_execute(struct qtest *q, char *line)
{
	char *words[WORDS_MAX];
	unsigned int count = split(line, words);

	if (!count)
		return QTEST_DONE;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, words[0]) != 0)
			continue;
		if (count - 1 < c->min || count - 1 > c->max)
			return failure(q, c, "too many or too few words");
		return c->run(q, c, words + 1, count - 1);
	}
	say(q, "FAIL Unknown command '%.64s'\n", words[0]);
	return QTEST_DONE;
}

/* --- life */

int qtest_init(struct qtest *q, const struct qtest_machine *machine)
{
	*q = (struct qtest){ .machine = *machine, .data = malloc(QTEST_DATA_BYTES) };
	return q->data ? 0 : -ENOMEM;
}

void qtest_fini(struct qtest *q)
{
	free(q->out);
	free(q->data);
	q->out = NULL;
	q->data = NULL;
}

void qtest_forget(struct qtest *q)
{
	q->irqs_wanted = false;
	q->out_lost = false;
	q->out_at = q->out_end = 0;
}
