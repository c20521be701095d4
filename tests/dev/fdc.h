/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floppy and DMA controllers on the bench, and the steps of a small driver. */
#ifndef TESTS_DEV_FDC_H
#define TESTS_DEV_FDC_H

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/fdc_82077.h"
#include "../../devmodel/i8237.h"

#define DOR 0x3f2
#define TDR 0x3f3
#define MSR 0x3f4
#define DSR 0x3f4
#define FIFO 0x3f5
#define DIR 0x3f7
#define CCR 0x3f7
#define IRQ 6

#define RQM 0x80
#define DIO 0x40
#define NDMA 0x20
#define CB 0x10

#define MFM 0x40
#define MT 0x80
#define SK 0x20
#define READ 0x06
#define WRITE 0x05

#define SECTOR 512
#define MEMORY 0x20000
#define STATE_BYTES 65536

enum { ST0, ST1, ST2, C, H, R, N };

struct rig {
	struct bench *b;
	struct device *dma, *fdc;
	struct bench_disk *disk;
	uint8_t result[16];
	unsigned int results;
	bool polled; /* transfers without DMA */
};

/* --- a driver */

static inline void wait_ready(struct rig *rig, uint8_t want)
{
	for (unsigned int i = 0; i < 100000; i++) {
		if ((inb(rig->b, MSR) & (RQM | DIO)) == want)
			return;
		advance(rig->b, 10 * NSEC_PER_USEC);
	}
	cr_assert_fail("MSR stays %02x", inb(rig->b, MSR));
}

static inline void put(struct rig *rig, uint8_t byte)
{
	wait_ready(rig, RQM);
	outb(rig->b, FIFO, byte);
}

static inline void send(struct rig *rig, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(rig, bytes[i]);
}

#define SEND(rig, ...)                                                                             \
	send(rig, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline void take_results(struct rig *rig)
{
	wait_ready(rig, RQM | DIO);
	for (rig->results = 0; (inb(rig->b, MSR) & (RQM | DIO | CB)) == (RQM | DIO | CB);) {
		cr_assert_lt(rig->results, sizeof(rig->result));
		rig->result[rig->results++] = inb(rig->b, FIFO);
	}
	cr_assert_eq(inb(rig->b, MSR) & 0xf0, RQM);
}

static inline void wait_irq(struct rig *rig)
{
	cr_assert(!irq_level(rig->b, IRQ), "not in the access that asks for it");
	for (unsigned int i = 0; i < 5000 && !irq_level(rig->b, IRQ); i++)
		advance(rig->b, NSEC_PER_MSEC);
	cr_assert(irq_level(rig->b, IRQ));
}

static inline void sense_interrupt(struct rig *rig)
{
	SEND(rig, 0x08);
	take_results(rig);
}

static inline void assert_sense(struct rig *rig, uint8_t st0, uint8_t pcn)
{
	sense_interrupt(rig);
	cr_assert_eq(rig->results, 2);
	cr_assert_eq(rig->result[0], st0, "ST0 %02x, not %02x", rig->result[0], st0);
	cr_assert_eq(rig->result[1], pcn, "PCN %u, not %u", rig->result[1], pcn);
}

static inline void leave_reset(struct rig *rig, uint8_t dor)
{
	outb(rig->b, DOR, 0);
	outb(rig->b, DOR, dor);
	wait_irq(rig);
	for (uint8_t i = 0; i < 4; i++) {
		sense_interrupt(rig);
		cr_assert_eq(rig->result[0], 0xc0 | i);
	}
}

static inline void recalibrate(struct rig *rig, uint8_t drive)
{
	SEND(rig, 0x07, drive);
	wait_irq(rig);
	assert_sense(rig, 0x20 | drive, 0);
}

static inline void seek(struct rig *rig, uint8_t drive, uint8_t cylinder)
{
	SEND(rig, 0x0f, drive, cylinder);
	wait_irq(rig);
	assert_sense(rig, (uint8_t)(0x20 | drive), cylinder);
}

/* Channel 2: @mode 46h to memory, 4Ah from memory. */
static inline void program_dma(struct rig *rig, uint8_t mode, uint16_t bytes)
{
	uint16_t count = (uint16_t)(bytes - 1);

	outb(rig->b, 0x0a, 0x06);
	outb(rig->b, 0x0c, 0);
	outb(rig->b, 0x0b, mode);
	outb(rig->b, 0x04, (uint8_t)MEMORY);
	outb(rig->b, 0x04, (uint8_t)(MEMORY >> 8));
	outb(rig->b, 0x81, MEMORY >> 16);
	outb(rig->b, 0x05, (uint8_t)count);
	outb(rig->b, 0x05, (uint8_t)(count >> 8));
	outb(rig->b, 0x0a, 0x02);
}

#define TO_MEMORY 0x46
#define FROM_MEMORY 0x4a

static inline void set_rate(struct rig *rig, enum floppy_rate rate)
{
	outb(rig->b, CCR, (uint8_t)rate);
}

static inline struct rig make(enum floppy_kind kind, struct bench *b, struct bench_disk *disk)
{
	struct rig rig = { .b = b, .disk = disk };
	struct fdc_82077_config config = {
		.drives = { { kind, disk ? &disk->backend : NULL }, { FLOPPY_NONE, NULL } },
	};

	rig.dma = bench_add(b, &i8237_class, NULL);
	config.dma = i8237_isa_dma(rig.dma);
	rig.fdc = bench_add(b, &fdc_82077_class, &config);
	outb(b, 0xd6, 0xc0); /* the cascade */
	outb(b, 0xd4, 0x00);
	leave_reset(&rig, 0x1c);
	SEND(&rig, 0x03, 0xdf, 0x02);
	recalibrate(&rig, 0);
	return rig;
}

/* Drive A is a 1.44 MB one with a disk. */
static inline struct rig begin(void)
{
	struct bench *b = bench_new();
	struct rig rig = make(FLOPPY_1440K, b, bench_disk_new(b, 2880));

	set_rate(&rig, FLOPPY_500K);
	return rig;
}

static inline void end(struct rig *rig)
{
	bench_free(rig->b);
}

/* A command with the address of a sector; waits for it and takes the results. */
static inline void access(struct rig *rig, uint8_t command, uint8_t head, uint8_t c, uint8_t h,
			  uint8_t r, uint8_t eot, uint8_t dtl)
{
	SEND(rig, command, (uint8_t)(head << 2), c, h, r, 2, eot, 0x1b, dtl);
	wait_irq(rig);
	take_results(rig);
	cr_assert_eq(rig->results, 7);
	cr_assert(!irq_level(rig->b, IRQ), "reading the results lowers the interrupt");
}

static inline void assert_results(const struct rig *rig, const char *what, uint8_t st0, uint8_t st1,
				  uint8_t st2)
{
	cr_assert(rig->result[ST0] == st0 && rig->result[ST1] == st1 && rig->result[ST2] == st2,
		  "%s: %02x %02x %02x, not %02x %02x %02x", what, rig->result[ST0],
		  rig->result[ST1], rig->result[ST2], st0, st1, st2);
}

static inline void assert_chr(const struct rig *rig, uint8_t c, uint8_t h, uint8_t r)
{
	cr_assert(rig->result[C] == c && rig->result[H] == h && rig->result[R] == r &&
			  rig->result[N] == 2,
		  "C %u H %u R %u N %u, not %u %u %u 2", rig->result[C], rig->result[H],
		  rig->result[R], rig->result[N], c, h, r);
}

static inline uint64_t sector_at(const struct rig *rig, unsigned int index)
{
	return get_le64(rig->b->ram + MEMORY + index * SECTOR);
}

static inline uint8_t sense_drive(struct rig *rig, uint8_t drive)
{
	SEND(rig, 0x04, drive);
	take_results(rig);
	cr_assert_eq(rig->results, 1);
	return rig->result[0];
}

/* Runs timers, but leaves requests at the backend, until there is one. */
static inline void run_to_request(struct rig *rig)
{
	while (!rig->disk->first) {
		uint64_t next = timer_queue_next(&rig->b->timers);

		cr_assert_neq(next, TIMER_OFF);
		rig->b->now_ns = next;
		timer_queue_run(&rig->b->timers, next);
	}
}

/* Lets time pass, but leaves requests at the backend. */
static inline void pass(struct rig *rig, uint64_t ns)
{
	for (uint64_t end_ns = rig->b->now_ns + ns; rig->b->now_ns < end_ns;) {
		rig->b->now_ns += 100 * NSEC_PER_USEC;
		timer_queue_run(&rig->b->timers, rig->b->now_ns);
	}
}

#endif
