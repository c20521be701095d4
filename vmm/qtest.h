/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text protocol known as qtest: a program in the place of the processor.
 *
 * A command is a line of words, its answer a line that begins with OK or FAIL; numbers are decimal or
 * hexadecimal with 0x. This is what the protocol's commands mean here:
 *
 *	outb|outw|outl PORT VALUE	inb|inw|inl PORT
 *	writeb|writew|writel|writeq ADDRESS VALUE	readb|readw|readl|readq ADDRESS
 *	write ADDRESS SIZE 0xDATA	read ADDRESS SIZE	memset ADDRESS SIZE BYTE
 *	b64write ADDRESS SIZE DATA	b64read ADDRESS SIZE
 *	clock_step [NS]		virtual time passes: to the next timer, or by NS
 *	clock_set NS		virtual time passes up to NS
 *	irq_intercept_in|irq_intercept_out PATH
 *				from now on "IRQ raise N" and "IRQ lower N" tell of the ISA interrupts
 *				0 to 15; they all stand at one place, so PATH can be anything
 *	endianness		little
 *
 * Data that is shorter than SIZE is zeros at its end. An address is RAM, the firmware or a device's
 * memory, as the processor would see it. Text without sense is answered with FAIL and changes nothing.
 *
 * This file knows neither sockets nor the machine's inside, so that the same commands run on a test
 * bench.
 */
#ifndef VMM_QTEST_H
#define VMM_QTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dma;
struct io_bus;

/* The longest line, and what one command can move. */
#define QTEST_LINE_BYTES (1u << 20)
#define QTEST_DATA_BYTES (256u << 10)

/* What commands act on. */
struct qtest_machine {
	struct io_bus *io;
	struct dma *dma;
	/* After an access: carries out what devices asked for. May be NULL. */
	void (*settle)(void *opaque);
	/* Virtual time, and the deadline of the next timer or TIMER_OFF. */
	uint64_t (*now_ns)(void *opaque);
	uint64_t (*next_ns)(void *opaque);
	/* Why time cannot pass now, one line; NULL: it can. May be NULL. */
	const char *(*stopped)(void *opaque);
	void *opaque;
};

struct qtest {
	struct qtest_machine machine;
	bool irqs_wanted;
	uint64_t step_to_ns; /* where time is to go, while a step is under way */
	/* Answers that nobody has taken yet: out[out_at] to out[out_end - 1]. */
	char *out;
	size_t out_at, out_end, out_room;
	bool out_lost; /* there was no memory: the client has not heard everything */
	uint8_t *data; /* QTEST_DATA_BYTES */
};

enum qtest_result {
	QTEST_DONE, /* answered */
	QTEST_STEP, /* let time pass up to step_to_ns, then call qtest_stepped() */
};

/* 0 or -ENOMEM. */
int qtest_init(struct qtest *q, const struct qtest_machine *machine);
void qtest_fini(struct qtest *q);

/* Carries out one line, without its end; @line is cut into words. Not while a step is under way. */
enum qtest_result qtest_execute(struct qtest *q, char *line);
void qtest_stepped(struct qtest *q);
/* Answers FAIL for something that is no command. */
void qtest_fail(struct qtest *q, const char *why);
/* An ISA interrupt line changed. */
void qtest_irq(struct qtest *q, unsigned int n, bool level);
/* A client has gone: nothing is left of what it wanted. */
void qtest_forget(struct qtest *q);

static inline size_t qtest_pending(const struct qtest *q)
{
	return q->out_end - q->out_at;
}

/* The first @count bytes of q->out + q->out_at are with the client. */
static inline void qtest_taken(struct qtest *q, size_t count)
{
	q->out_at += count;
	if (q->out_at == q->out_end)
		q->out_at = q->out_end = 0;
}

#endif
