// SPDX-License-Identifier: GPL-2.0-or-later
/* The parallel port and its printer, polled and by interrupt. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/cursor.h"
#include "../../devmodel/parport.h"

#define DATA 0x378
#define STATUS 0x379
#define CONTROL 0x37a
#define IRQ 7

#define STROBE 0x01
#define NINIT 0x04
#define SELECT_IN 0x08
#define IRQEN 0x10
#define DIRECTION 0x20
#define READY 0xd8
#define BUSY 0x58
#define PAPER_OUT 0x60

static struct device *add_port(struct bench *b, struct bench_chario *chario)
{
	struct parport_config config = { .base = DATA };

	if (chario) {
		bench_chario_init(chario);
		config.chario = &chario->chario;
	}
	return bench_add(b, &parport_class, &config);
}

static void strobe(struct bench *b, uint8_t byte, uint8_t control)
{
	outb(b, DATA, byte);
	outb(b, CONTROL, control | STROBE);
	outb(b, CONTROL, control);
}

Test(parport, ports_read_back)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_port(b, &chario);
	outb(b, DATA, 0xaa);
	cr_assert_eq(inb(b, DATA), 0xaa, "how a BIOS finds it");
	cr_assert_eq(inb(b, CONTROL), 0xc0 | NINIT | SELECT_IN, "as a BIOS leaves it");
	outb(b, CONTROL, 0xfe);
	cr_assert_eq(inb(b, CONTROL), 0xfe);
	cr_assert_eq(inb(b, DATA), 0xff, "turned round, nobody drives the lines");
	outb(b, CONTROL, NINIT);
	cr_assert_eq(inb(b, CONTROL), 0xc0 | NINIT);
	cr_assert_eq(inb(b, DATA), 0xaa);
	cr_assert_eq(inb(b, STATUS), READY);
	outb(b, STATUS, 0x00);
	cr_assert_eq(inb(b, STATUS), READY, "inputs only");
	bench_free(b);
}

Test(parport, without_a_cable_nothing_is_ready)
{
	struct bench *b = bench_new();

	add_port(b, NULL);
	outb(b, CONTROL, NINIT | SELECT_IN | IRQEN);
	cr_assert_eq(inb(b, STATUS), 0x78);
	strobe(b, 'x', NINIT | SELECT_IN | IRQEN);
	advance(b, NSEC_PER_SEC);
	cr_assert_eq(inb(b, STATUS), 0x78);
	cr_assert_eq(b->irq_edges[IRQ], 0);
	bench_free(b);
}

Test(parport, polled_driver_waits_for_busy)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_port(b, &chario);
	outb(b, CONTROL, NINIT | SELECT_IN);
	for (const char *p = "print"; *p; p++) {
		for (unsigned int i = 0; !(inb(b, STATUS) & 0x80); i++) {
			cr_assert_lt(i, 10);
			advance(b, NSEC_PER_USEC);
		}
		outb(b, DATA, (uint8_t)*p);
		outb(b, CONTROL, NINIT | SELECT_IN | STROBE);
		cr_assert_eq(inb(b, STATUS), BUSY);
		outb(b, CONTROL, NINIT | SELECT_IN);
		cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF, "polling needs no timer");
	}
	cr_assert_eq(chario.out_count, 5);
	cr_assert_eq(memcmp(chario.out, "print", 5), 0);
	bench_free(b);
}

/* SeaBIOS waits for nACK, and looks when the pulse is long over. */
Test(parport, polled_driver_sees_the_acknowledge_however_late)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_port(b, &chario);
	outb(b, CONTROL, NINIT | SELECT_IN);
	strobe(b, 'x', NINIT | SELECT_IN);
	cr_assert_eq(inb(b, STATUS), BUSY);
	advance(b, NSEC_PER_MSEC);
	cr_assert_eq(inb(b, STATUS), 0x98, "nACK low, not busy");
	advance(b, NSEC_PER_MSEC);
	cr_assert_eq(inb(b, STATUS), READY);
	bench_free(b);
}

Test(parport, interrupt_is_the_acknowledge)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_port(b, &chario);
	outb(b, CONTROL, NINIT | SELECT_IN | IRQEN);
	for (unsigned int i = 1; i <= 3; i++) {
		strobe(b, (uint8_t)('0' + i), NINIT | SELECT_IN | IRQEN);
		cr_assert_not(irq_level(b, IRQ), "not within the access");
		advance(b, 2 * NSEC_PER_USEC);
		cr_assert(irq_level(b, IRQ));
		advance(b, 10 * NSEC_PER_USEC);
		cr_assert_not(irq_level(b, IRQ));
		cr_assert_eq(b->irq_edges[IRQ], i);
		cr_assert_eq(inb(b, STATUS), READY);
	}
	cr_assert_eq(memcmp(chario.out, "123", 3), 0);
	strobe(b, '4', NINIT | SELECT_IN);
	advance(b, NSEC_PER_SEC);
	cr_assert_eq(b->irq_edges[IRQ], 3, "disabled");
	bench_free(b);
}

Test(parport, full_backend_is_busy_and_then_out_of_paper)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_port(b, &chario);
	outb(b, CONTROL, NINIT | SELECT_IN | IRQEN);
	chario.accept = 0;
	strobe(b, 'x', NINIT | SELECT_IN | IRQEN);
	advance(b, NSEC_PER_SEC);
	cr_assert_eq(inb(b, STATUS), BUSY);
	strobe(b, 'y', NINIT | SELECT_IN | IRQEN);
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	advance(b, NSEC_PER_SEC);
	cr_assert_eq(inb(b, STATUS), PAPER_OUT, "off line, and an error");
	cr_assert_not(irq_level(b, IRQ));
	chario.accept = 1;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	advance(b, 2 * NSEC_PER_USEC);
	cr_assert(irq_level(b, IRQ));
	advance(b, NSEC_PER_MSEC);
	cr_assert_eq(inb(b, STATUS), READY);
	cr_assert_eq(chario.out_count, 1, "the byte strobed into a busy printer is lost");
	cr_assert_eq(chario.out[0], 'x');
	bench_free(b);
}

Test(parport, init_makes_the_printer_forget)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_port(b, &chario);
	outb(b, CONTROL, NINIT | SELECT_IN);
	chario.accept = 0;
	strobe(b, 'x', NINIT | SELECT_IN);
	outb(b, CONTROL, SELECT_IN);
	outb(b, CONTROL, NINIT | SELECT_IN);
	chario.accept = SIZE_MAX;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	cr_assert_eq(chario.out_count, 0);
	cr_assert_eq(inb(b, STATUS), READY);
	strobe(b, 'y', SELECT_IN);
	cr_assert_eq(chario.out_count, 0, "held in reset it prints nothing");
	bench_free(b);
}

Test(parport, state_travels_in_each_phase)
{
	static const struct {
		size_t accept;
		uint64_t wait_ns;
		bool strobe_low;
	} rows[] = { { SIZE_MAX, 0, false },
		     { SIZE_MAX, 0, true },
		     { SIZE_MAX, 3000, false },
		     { 0, 5000, false } };

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *b = bench_new(), *c = bench_new();
		struct bench_chario one, two;
		struct device *from = add_port(b, &one), *to = add_port(c, &two);
		static uint8_t stream[4096], again[4096];
		struct cursor w = cursor_writer(stream, sizeof(stream)), r;
		char error[128];

		outb(b, CONTROL, NINIT | SELECT_IN | IRQEN);
		one.accept = rows[i].accept;
		strobe(b, 'x', NINIT | SELECT_IN | IRQEN);
		if (rows[i].strobe_low)
			outb(b, CONTROL, NINIT | SELECT_IN | IRQEN | STROBE);
		advance(b, rows[i].wait_ns);
		state_save(from, &w);
		c->now_ns = b->now_ns;
		r = cursor_reader(stream, w.pos);
		cr_assert_eq(state_load(to, &r, error, sizeof(error)), 0, "%s", error);
		r = cursor_writer(again, sizeof(again));
		state_save(to, &r);
		cr_assert_eq(memcmp(stream, again, w.pos), 0);
		to->class->post_load(to);
		timer_queue_changed(&c->timers);
		if (rows[i].strobe_low)
			outb(c, CONTROL, NINIT | SELECT_IN | IRQEN);
		advance(c, 2 * NSEC_PER_USEC);
		cr_assert(irq_level(c, IRQ), "row %u", i);
		advance(c, NSEC_PER_MSEC);
		cr_assert_not(irq_level(c, IRQ));
		cr_assert_eq(inb(c, STATUS), READY);
		cr_assert_eq(state_coverage(&parport_class), (long)parport_class.state_size);
		bench_free(b);
		bench_free(c);
	}
}

Test(parport, rude_guest)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	struct device *dev = add_port(b, &chario);
	uint32_t seed = 9;

	for (unsigned int i = 0; i < 50000; i++) {
		unsigned int size = 1u << (seed >> 9) % 3;

		seed = seed * 1664525u + 1013904223u;
		chario.accept = seed >> 20 & 1;
		io_port_write(&b->io, (uint16_t)(DATA + (seed >> 16) % 3), size,
			      seed * 2654435761u);
		io_port_read(&b->io, (uint16_t)(DATA + (seed >> 12) % 3), size);
		if (!(seed >> 29))
			advance(b, seed & 0xffff);
		if (seed >> 29 == 1)
			chario.chario.dev_ops->tx_ready(dev);
		if (chario.out_count > 32768)
			chario.out_count = 0;
	}
	device_reset(dev, RESET_HARD);
	cr_assert_eq(inb(b, STATUS), READY);
	cr_assert_not(irq_level(b, IRQ));
	bench_free(b);
}
