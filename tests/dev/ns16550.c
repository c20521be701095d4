// SPDX-License-Identifier: GPL-2.0-or-later
/* The PC16550D serial port, as drivers use it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/cursor.h"
#include "../../devmodel/ns16550.h"

#define COM1 0x3f8
#define DATA (COM1 + 0)
#define IER (COM1 + 1)
#define IIR (COM1 + 2)
#define FCR (COM1 + 2)
#define LCR (COM1 + 3)
#define MCR (COM1 + 4)
#define LSR (COM1 + 5)
#define MSR (COM1 + 6)
#define SCR (COM1 + 7)
#define IRQ 4

#define RDA_ON 0x01
#define THRE_ON 0x02
#define RLS_ON 0x04
#define MSI_ON 0x08
#define DTR_RTS_OUT2 0x0b
#define LOOP 0x10
#define FIFO_ON 0x01
#define FIFO_14 0xc1

/* A character of 8N1 at 115200 baud. */
#define CHARACTER_NS 86805u

static struct device *add_uart(struct bench *b, struct bench_chario *chario, bool paced)
{
	struct ns16550_config config = { .base = COM1, .paced = paced };

	if (chario) {
		bench_chario_init(chario);
		config.chario = &chario->chario;
	}
	return bench_add(b, &ns16550_class, &config);
}

/* 115200 8N1, interrupt gate open. */
static void driver_opens(struct bench *b, uint8_t fcr)
{
	outb(b, LCR, 0x83);
	outb(b, DATA, 1);
	outb(b, IER, 0);
	outb(b, LCR, 0x03);
	outb(b, FCR, fcr);
	outb(b, MCR, DTR_RTS_OUT2);
	inb(b, MSR);
}

static void put_string(struct bench *b, const char *text)
{
	while (*text)
		outb(b, DATA, (uint8_t)*text++);
}

Test(ns16550, reset_values)
{
	struct bench *b = bench_new();

	add_uart(b, NULL, false);
	cr_assert_eq(inb(b, IER), 0);
	cr_assert_eq(inb(b, IIR), 0x01);
	cr_assert_eq(inb(b, LCR), 0);
	cr_assert_eq(inb(b, MCR), 0);
	cr_assert_eq(inb(b, LSR), 0x60);
	cr_assert_eq(inb(b, MSR), 0x00, "nothing is plugged in");
	bench_free(b);
}

Test(ns16550, detection_finds_a_16550a)
{
	struct bench *b = bench_new();

	add_uart(b, NULL, false);
	outb(b, SCR, 0x5a);
	cr_assert_eq(inb(b, SCR), 0x5a);
	outb(b, FCR, FIFO_ON);
	cr_assert_eq(inb(b, IIR), 0xc1);
	outb(b, FCR, 0x00);
	cr_assert_eq(inb(b, IIR), 0x01);
	outb(b, IER, 0xff);
	cr_assert_eq(inb(b, IER), 0x0f);
	outb(b, MCR, 0xff);
	cr_assert_eq(inb(b, MCR), 0x1f);
	bench_free(b);
}

Test(ns16550, divisor_latch_is_a_bank)
{
	struct bench *b = bench_new();

	add_uart(b, NULL, false);
	outb(b, IER, 0x05);
	outb(b, LCR, 0x80);
	outw(b, DATA, 0x1234);
	cr_assert_eq(inw(b, DATA), 0x1234);
	outb(b, LCR, 0x03);
	cr_assert_eq(inb(b, IER), 0x05);
	outb(b, LCR, 0x83);
	cr_assert_eq(inb(b, DATA), 0x34);
	cr_assert_eq(inb(b, IER), 0x12);
	bench_free(b);
}

Test(ns16550, polled_output_is_immediate)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, 0);
	for (const char *p = "Hello, NT"; *p; p++) {
		cr_assert_eq(inb(b, LSR) & 0x60, 0x60);
		outb(b, DATA, (uint8_t)*p);
	}
	cr_assert_eq(chario.out_count, 9);
	cr_assert_eq(memcmp(chario.out, "Hello, NT", 9), 0);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF, "no timer without the interrupt");
	bench_free(b);
}

Test(ns16550, word_length_cuts_what_is_sent)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, 0);
	outb(b, LCR, 0x02);
	outb(b, DATA, 0xff);
	outb(b, LCR, 0x00);
	outb(b, DATA, 0xff);
	cr_assert_eq(chario.out[0], 0x7f);
	cr_assert_eq(chario.out[1], 0x1f);
	bench_free(b);
}

Test(ns16550, full_backend_holds_the_guest_and_loses_nothing)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, FIFO_ON);
	outb(b, IER, THRE_ON);
	inb(b, IIR);
	chario.accept = 3;
	put_string(b, "0123456789abcdef!!!");
	cr_assert_eq(chario.out_count, 3);
	cr_assert_eq(inb(b, LSR) & 0x60, 0, "THRE stays low");
	advance(b, NSEC_PER_SEC);
	cr_assert_not(irq_level(b, IRQ));
	chario.accept = 5;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	cr_assert_eq(chario.out_count, 8);
	cr_assert_eq(inb(b, LSR) & 0x60, 0);
	chario.accept = SIZE_MAX;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	cr_assert_eq(chario.out_count, 19);
	cr_assert_eq(memcmp(chario.out, "0123456789abcdef!!!", 19), 0);
	cr_assert_eq(inb(b, LSR) & 0x60, 0x60);
	advance(b, NSEC_PER_MSEC);
	cr_assert(irq_level(b, IRQ));
	bench_free(b);
}

Test(ns16550, full_backend_in_8250_mode_takes_one_byte_more)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, 0);
	chario.accept = 0;
	outb(b, DATA, 'a');
	cr_assert_eq(inb(b, LSR) & 0x60, 0);
	outb(b, DATA, 'b');
	chario.accept = SIZE_MAX;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	cr_assert_eq(chario.out_count, 1);
	cr_assert_eq(chario.out[0], 'b', "a driver that does not look overwrites THR");
	bench_free(b);
}

Test(ns16550, thre_interrupt_on_enable_and_after_writes)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	unsigned int edges;

	add_uart(b, &chario, false);
	driver_opens(b, FIFO_ON);
	outb(b, IER, THRE_ON);
	cr_assert(irq_level(b, IRQ), "at once when THR is empty");
	cr_assert_eq(inb(b, IIR), 0xc2);
	cr_assert_not(irq_level(b, IRQ), "reading IIR takes it back");
	cr_assert_eq(inb(b, IIR), 0xc1);
	edges = b->irq_edges[IRQ];
	put_string(b, "0123456789abcdef");
	cr_assert_eq(inb(b, IIR), 0xc1, "the handler can leave");
	advance(b, NSEC_PER_MSEC);
	cr_assert_eq(b->irq_edges[IRQ], edges + 1, "one interrupt for the whole FIFO");
	/* A handler that never reads IIR gets an edge for each byte all the same. */
	outb(b, DATA, 'x');
	cr_assert_not(irq_level(b, IRQ));
	advance(b, NSEC_PER_MSEC);
	cr_assert_eq(b->irq_edges[IRQ], edges + 2);
	outb(b, IER, 0);
	cr_assert_not(irq_level(b, IRQ));
	outb(b, IER, THRE_ON);
	cr_assert(irq_level(b, IRQ));
	bench_free(b);
}

Test(ns16550, data_interrupt_at_each_trigger_level)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	for (unsigned int i = 0; i < 4; i++) {
		struct bench *b = bench_new();
		struct bench_chario chario;

		add_uart(b, &chario, false);
		driver_opens(b, (uint8_t)(FIFO_ON | i << 6));
		outb(b, IER, RDA_ON);
		for (unsigned int n = 1; n <= levels[i]; n++) {
			cr_assert_not(irq_level(b, IRQ), "level %u, %u bytes", levels[i], n);
			bench_chario_feed(&chario, "x", 1);
		}
		cr_assert(irq_level(b, IRQ));
		cr_assert_eq(inb(b, IIR), 0xc4);
		inb(b, DATA);
		cr_assert_not(irq_level(b, IRQ), "below the level again");
		bench_free(b);
	}
}

Test(ns16550, stragglers_interrupt_after_four_characters)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, FIFO_14);
	outb(b, IER, RDA_ON);
	bench_chario_feed(&chario, "abc", 3);
	advance(b, 3 * CHARACTER_NS);
	bench_chario_feed(&chario, "d", 1);
	advance(b, 4 * CHARACTER_NS - 1);
	cr_assert_not(irq_level(b, IRQ), "every byte starts the time anew");
	advance(b, 2);
	cr_assert(irq_level(b, IRQ));
	cr_assert_eq(inb(b, IIR), 0xcc);
	cr_assert_eq(inb(b, DATA), 'a');
	cr_assert_not(irq_level(b, IRQ));
	advance(b, 4 * CHARACTER_NS + 1);
	cr_assert_eq(inb(b, IIR), 0xcc, "and so does every read");
	cr_assert_eq(inb(b, DATA), 'b');
	cr_assert_eq(inb(b, DATA), 'c');
	cr_assert_eq(inb(b, DATA), 'd');
	advance(b, NSEC_PER_SEC);
	cr_assert_not(irq_level(b, IRQ), "nothing is left");
	bench_free(b);
}

Test(ns16550, receiver_takes_what_it_has_room_for)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, FIFO_ON);
	cr_assert_eq(bench_chario_feed(&chario, "0123456789abcdefXYZ", 19), 16);
	cr_assert_eq(bench_chario_feed(&chario, "X", 1), 0);
	cr_assert_eq(inb(b, LSR) & 0x03, 0x01, "no overrun");
	cr_assert_eq(chario.rx_ready, 0);
	cr_assert_eq(inb(b, DATA), '0');
	cr_assert_eq(chario.rx_ready, 1, "the backend may go on");
	cr_assert_eq(bench_chario_feed(&chario, "XYZ", 3), 1);
	outb(b, FCR, 0);
	cr_assert_eq(inb(b, LSR) & 0x01, 0, "turning the FIFOs off clears them");
	cr_assert_eq(bench_chario_feed(&chario, "XYZ", 3), 1, "one register");
	bench_free(b);
}

Test(ns16550, fifo_reset_bits_clear)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, FIFO_ON);
	chario.accept = 0;
	put_string(b, "lost");
	bench_chario_feed(&chario, "lost", 4);
	outb(b, FCR, FIFO_ON | 0x02);
	cr_assert_eq(inb(b, LSR) & 0x61, 0x00);
	outb(b, FCR, FIFO_ON | 0x04);
	cr_assert_eq(inb(b, LSR) & 0x61, 0x60);
	chario.accept = SIZE_MAX;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	cr_assert_eq(chario.out_count, 0);
	bench_free(b);
}

Test(ns16550, out2_is_the_interrupt_gate)
{
	struct bench *b = bench_new();

	add_uart(b, NULL, false);
	driver_opens(b, 0);
	outb(b, MCR, 0x03);
	outb(b, IER, THRE_ON);
	cr_assert_not(irq_level(b, IRQ));
	outb(b, MCR, 0x0b);
	cr_assert(irq_level(b, IRQ));
	outb(b, MCR, 0x1b);
	cr_assert_not(irq_level(b, IRQ), "loopback takes the pin away");
	cr_assert_eq(inb(b, IIR), 0x02);
	bench_free(b);
}

Test(ns16550, interrupt_priorities)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, false);
	driver_opens(b, 0);
	outb(b, MCR, LOOP);
	inb(b, MSR);
	outb(b, DATA, 'a');
	outb(b, DATA, 'b'); /* overrun */
	outb(b, MCR, LOOP | 0x0f);
	outb(b, IER, 0x0f);
	cr_assert_eq(inb(b, IIR), 0x06, "line status");
	cr_assert_eq(inb(b, LSR) & 0x1f, 0x03);
	cr_assert_eq(inb(b, IIR), 0x04, "data");
	cr_assert_eq(inb(b, DATA), 'b', "the single register has the new one");
	cr_assert_eq(inb(b, IIR), 0x02, "THR empty");
	cr_assert_eq(inb(b, IIR), 0x00, "modem status");
	cr_assert_eq(inb(b, MSR) & 0x0f, 0x0b);
	cr_assert_eq(inb(b, IIR), 0x01);
	bench_free(b);
}

Test(ns16550, loopback_carries_data_and_modem_lines)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	static const struct {
		uint8_t mcr, msr;
	} rows[] = { { 0x01, 0x20 }, { 0x02, 0x10 }, { 0x04, 0x40 }, { 0x08, 0x80 } };

	add_uart(b, &chario, false);
	driver_opens(b, FIFO_ON);
	outb(b, MCR, LOOP);
	for (unsigned int i = 0; i < 4; i++) {
		outb(b, MCR, LOOP | rows[i].mcr);
		cr_assert_eq(inb(b, MSR) & 0xf0, rows[i].msr);
	}
	outb(b, MCR, LOOP | 0x04);
	inb(b, MSR);
	outb(b, MCR, LOOP);
	cr_assert_eq(inb(b, MSR), 0x04, "TERI on the trailing edge");
	outb(b, MCR, LOOP | 0x04);
	cr_assert_eq(inb(b, MSR), 0x40, "and not on the leading one");
	put_string(b, "round");
	cr_assert_eq(bench_chario_feed(&chario, "x", 1), 0, "the line is cut");
	for (const char *p = "round"; *p; p++)
		cr_assert_eq(inb(b, DATA), *p);
	cr_assert_eq(chario.out_count, 0);
	outb(b, MCR, DTR_RTS_OUT2);
	cr_assert_eq(inb(b, MSR) & 0xf0, 0xb0, "the real lines are back");
	cr_assert_gt(chario.rx_ready, 0);
	cr_assert_eq(bench_chario_feed(&chario, "x", 1), 1);
	bench_free(b);
}

Test(ns16550, overrun_in_loopback_keeps_the_fifo)
{
	struct bench *b = bench_new();

	add_uart(b, NULL, false);
	driver_opens(b, FIFO_ON);
	outb(b, MCR, LOOP);
	put_string(b, "0123456789abcdefX");
	cr_assert_eq(inb(b, LSR), 0x63);
	cr_assert_eq(inb(b, LSR), 0x61, "reading LSR clears OE");
	for (const char *p = "0123456789abcdef"; *p; p++)
		cr_assert_eq(inb(b, DATA), *p);
	cr_assert_eq(inb(b, LSR), 0x60);
	bench_free(b);
}

Test(ns16550, break_shows_when_it_is_the_oldest)
{
	struct bench *b = bench_new();

	add_uart(b, NULL, false);
	driver_opens(b, FIFO_ON);
	outb(b, IER, RLS_ON);
	outb(b, MCR, LOOP);
	outb(b, DATA, 'a');
	outb(b, LCR, 0x43);
	outb(b, LCR, 0x03);
	outb(b, DATA, 'b');
	cr_assert_eq(inb(b, LSR), 0xe1, "an error is in the FIFO, not at its front");
	cr_assert_eq(inb(b, IIR), 0xc1);
	cr_assert_eq(inb(b, DATA), 'a');
	cr_assert_eq(inb(b, IIR), 0xc6);
	cr_assert_eq(inb(b, LSR), 0xf9, "BI and FE");
	cr_assert_eq(inb(b, LSR), 0x61);
	cr_assert_eq(inb(b, DATA), 0x00);
	cr_assert_eq(inb(b, DATA), 'b');
	bench_free(b);
}

static bool peer_there;

static bool peer_is_connected(struct chario *chario)
{
	(void)chario;
	return peer_there;
}

Test(ns16550, a_peer_that_goes_is_a_modem_interrupt)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	struct ns16550_config config = { .base = COM1, .chario = &chario.chario };
	struct chario_ops ops;

	bench_chario_init(&chario);
	ops = *chario.chario.ops;
	ops.is_connected = peer_is_connected;
	chario.chario.ops = &ops;
	peer_there = true;
	bench_add(b, &ns16550_class, &config);
	driver_opens(b, 0);
	cr_assert_eq(inb(b, MSR), 0xb0);
	outb(b, IER, MSI_ON);
	chario.chario.dev_ops->connected(chario.chario.dev, true);
	cr_assert_not(irq_level(b, IRQ), "no change");
	peer_there = false;
	chario.chario.dev_ops->connected(chario.chario.dev, false);
	cr_assert(irq_level(b, IRQ));
	cr_assert_eq(inb(b, IIR), 0x00);
	cr_assert_eq(inb(b, MSR), 0x0b);
	cr_assert_not(irq_level(b, IRQ));
	cr_assert_eq(inb(b, MSR), 0x00);
	bench_free(b);
}

/* A line of the host: what the port does to its cable, and what comes in. */
static struct {
	struct chario chario;
	struct chario_line line;
	uint8_t lines;
} cable;

static size_t cable_write(struct chario *chario, const uint8_t *bytes, size_t count)
{
	(void)chario;
	(void)bytes;
	return count;
}

static void cable_set_line(struct chario *chario, const struct chario_line *line)
{
	(void)chario;
	cable.line = *line;
}

static uint8_t cable_lines(struct chario *chario)
{
	(void)chario;
	return cable.lines;
}

static const struct chario_ops cable_ops = {
	.write = cable_write,
	.set_line = cable_set_line,
	.modem_lines = cable_lines,
};

static void cable_changes(uint8_t lines)
{
	cable.lines = lines;
	cable.chario.dev_ops->connected(cable.chario.dev, true);
}

Test(ns16550, cable_hears_format_and_lines_and_tells_its_own)
{
	struct ns16550_config config = { .base = COM1, .chario = &cable.chario };
	struct bench *b = bench_new();
	struct device *dev;

	cable.chario.ops = &cable_ops;
	dev = bench_add(b, &ns16550_class, &config);
	cr_assert_not(cable.line.dtr);
	driver_opens(b, FIFO_ON);
	cr_assert_eq(cable.line.baud, 115200);
	cr_assert_eq(cable.line.bits, 8);
	cr_assert_eq(cable.line.stop, 1);
	cr_assert_not(cable.line.parity);
	cr_assert(cable.line.dtr && cable.line.rts);
	outb(b, LCR, 0x80 | 0x1e);
	outw(b, DATA, 48);
	outb(b, LCR, 0x1e);
	cr_assert_eq(cable.line.baud, 2400);
	cr_assert_eq(cable.line.bits, 7);
	cr_assert_eq(cable.line.stop, 2);
	cr_assert(cable.line.parity && !cable.line.parity_odd);
	outb(b, LCR, 0x40 | 0x2b);
	cr_assert(cable.line.sending_break && cable.line.parity_odd && cable.line.parity_stick);
	outb(b, LCR, 0x03);
	outb(b, IER, MSI_ON);
	cable_changes(CHARIO_CTS | CHARIO_DSR | CHARIO_DCD);
	cr_assert(irq_level(b, IRQ));
	cr_assert_eq(inb(b, MSR), 0xbb);
	cable_changes(CHARIO_CTS | CHARIO_DSR | CHARIO_DCD | CHARIO_RI);
	cr_assert_eq(inb(b, MSR), 0xf0, "the beginning of a ring is not told");
	cable_changes(CHARIO_DSR);
	cr_assert_eq(inb(b, MSR), 0x2d, "its end is");
	outb(b, MCR, LOOP | DTR_RTS_OUT2);
	cr_assert(!cable.line.dtr && !cable.line.rts, "not on the cable in loopback");
	outb(b, MCR, DTR_RTS_OUT2);
	device_reset(dev, RESET_HARD);
	cr_assert_not(cable.line.dtr);
	bench_free(b);
}

Test(ns16550, paced_transmitter_takes_the_lines_time)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, true);
	driver_opens(b, 0);
	outb(b, IER, THRE_ON);
	inb(b, IIR);
	outb(b, DATA, 'a');
	cr_assert_eq(inb(b, LSR) & 0x60, 0x20, "in the shift register");
	cr_assert(irq_level(b, IRQ));
	outb(b, DATA, 'b');
	cr_assert_eq(inb(b, LSR) & 0x60, 0x00);
	cr_assert_not(irq_level(b, IRQ));
	advance(b, CHARACTER_NS - 1);
	cr_assert_eq(chario.out_count, 0);
	advance(b, 1);
	cr_assert_eq(chario.out_count, 1);
	cr_assert(irq_level(b, IRQ));
	chario.accept = 0;
	advance(b, CHARACTER_NS);
	cr_assert_eq(inb(b, LSR) & 0x60, 0x20, "full: it stays in the shift register");
	chario.accept = SIZE_MAX;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	cr_assert_eq(inb(b, LSR) & 0x60, 0x60);
	cr_assert_eq(memcmp(chario.out, "ab", 2), 0);
	bench_free(b);
}

Test(ns16550, paced_receiver_takes_the_lines_time)
{
	struct bench *b = bench_new();
	struct bench_chario chario;

	add_uart(b, &chario, true);
	driver_opens(b, FIFO_ON);
	outb(b, LCR, 0x83);
	outb(b, DATA, 12);
	outb(b, LCR, 0x1f); /* 8 bits, even parity, two stop bits: 12 bits at 9600 baud */
	cr_assert_eq(bench_chario_feed(&chario, "ab", 2), 1);
	cr_assert_eq(bench_chario_feed(&chario, "b", 1), 0);
	advance(b, 1249999);
	cr_assert_eq(bench_chario_feed(&chario, "b", 1), 0);
	advance(b, 1);
	cr_assert_eq(chario.rx_ready, 1);
	cr_assert_eq(bench_chario_feed(&chario, "b", 1), 1);
	bench_free(b);
}

Test(ns16550, two_ports_do_not_meet)
{
	struct bench *b = bench_new();
	struct bench_chario one, two;
	struct ns16550_config config = { .base = 0x2f8, .chario = &two.chario };
	struct device *dev;

	add_uart(b, &one, false);
	bench_chario_init(&two);
	bench_add(b, &ns16550_class, &config);
	outb(b, COM1 + 3, 3);
	outb(b, 0x2f8 + 3, 3);
	outb(b, COM1, '1');
	outb(b, 0x2f8, '2');
	cr_assert(one.out_count == 1 && one.out[0] == '1');
	cr_assert(two.out_count == 1 && two.out[0] == '2');
	cr_assert_eq(device_new(&ns16550_class, "x", &b->env, &config, &dev), -EBUSY);
	bench_free(b);
}

Test(ns16550, reset_forgets_what_was_under_way)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	struct device *dev = add_uart(b, &chario, false);

	driver_opens(b, FIFO_ON);
	outb(b, IER, 0x0f);
	chario.accept = 0;
	put_string(b, "abc");
	bench_chario_feed(&chario, "0123456789abcdef", 16);
	cr_assert_eq(bench_chario_feed(&chario, "x", 1), 0);
	cr_assert(irq_level(b, IRQ));
	device_reset(dev, RESET_HARD);
	cr_assert_not(irq_level(b, IRQ));
	cr_assert_eq(inb(b, LSR), 0x60);
	cr_assert_eq(chario.rx_ready, 1);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF);
	chario.accept = SIZE_MAX;
	chario.chario.dev_ops->tx_ready(chario.chario.dev);
	cr_assert_eq(chario.out_count, 0);
	bench_free(b);
}

Test(ns16550, state_travels_in_mid_transfer)
{
	struct bench *b = bench_new(), *c = bench_new();
	struct bench_chario one, two;
	struct device *from = add_uart(b, &one, false), *to = add_uart(c, &two, false);
	static uint8_t stream[4096], again[4096];
	struct cursor w = cursor_writer(stream, sizeof(stream)), r;
	char error[128];

	driver_opens(b, FIFO_14);
	outb(b, IER, RDA_ON | THRE_ON);
	inb(b, IIR);
	one.accept = two.accept = 0;
	put_string(b, "held");
	bench_chario_feed(&one, "in", 2);
	advance(b, CHARACTER_NS);
	state_save(from, &w);
	cr_assert(cursor_ok(&w));
	c->now_ns = b->now_ns;
	r = cursor_reader(stream, w.pos);
	cr_assert_eq(state_load(to, &r, error, sizeof(error)), 0, "%s", error);
	r = cursor_writer(again, sizeof(again));
	state_save(to, &r);
	cr_assert_eq(r.pos, w.pos);
	cr_assert_eq(memcmp(stream, again, w.pos), 0);
	two.accept = SIZE_MAX;
	to->class->post_load(to);
	timer_queue_changed(&c->timers);
	cr_assert_eq(two.out_count, 4, "the new backend has room");
	cr_assert_eq(memcmp(two.out, "held", 4), 0);
	cr_assert_not(irq_level(c, IRQ));
	advance(c, 3 * CHARACTER_NS);
	cr_assert(irq_level(c, IRQ));
	cr_assert_eq(inb(c, IIR), 0xcc, "the character timeout went on");
	cr_assert_eq(inb(c, DATA), 'i');
	cr_assert_eq(state_coverage(&ns16550_class), (long)ns16550_class.state_size);
	bench_free(b);
	bench_free(c);
}

Test(ns16550, false_states_are_refused)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	struct device *dev = add_uart(b, &chario, false);
	static uint8_t stream[4096];
	struct cursor w = cursor_writer(stream, sizeof(stream)), r;
	unsigned int refused = 0;
	char error[128];

	driver_opens(b, FIFO_ON);
	state_save(dev, &w);
	for (size_t size = 0; size < w.pos; size++) {
		r = cursor_reader(stream, size);
		cr_assert_neq(state_load(dev, &r, error, sizeof(error)), 0, "cut at %zu", size);
	}
	for (size_t i = 0; i < w.pos; i++) {
		uint8_t kept = stream[i];

		stream[i] = 0xff;
		r = cursor_reader(stream, w.pos);
		if (state_load(dev, &r, error, sizeof(error)) < 0)
			refused++;
		else
			dev->class->post_load(dev);
		stream[i] = kept;
		inb(b, DATA);
		outb(b, DATA, 0);
		inb(b, LSR);
		chario.out_count = 0;
		device_reset(dev, RESET_HARD);
	}
	cr_assert_gt(refused, 100);
	bench_free(b);
}

Test(ns16550, rude_guest)
{
	for (unsigned int paced = 0; paced < 2; paced++) {
		struct bench *b = bench_new();
		struct bench_chario chario;
		struct device *dev = add_uart(b, &chario, paced);
		uint32_t seed = 5;

		for (unsigned int i = 0; i < 50000; i++) {
			unsigned int size = 1u << (seed >> 9) % 3;

			seed = seed * 1664525u + 1013904223u;
			chario.accept = seed >> 20 & 3;
			io_port_write(&b->io, (uint16_t)(COM1 + (seed >> 16 & 7)), size,
				      seed * 2654435761u);
			io_port_read(&b->io, (uint16_t)(COM1 + (seed >> 12 & 7)), size);
			if (!(seed >> 28))
				advance(b, seed & 0xfffff);
			if (seed >> 28 == 1)
				bench_chario_feed(&chario, "\x00\xff\x55garbage garbage", 18);
			if (seed >> 28 == 2)
				chario.chario.dev_ops->tx_ready(dev);
			if (chario.out_count > 32768)
				chario.out_count = 0;
		}
		device_reset(dev, RESET_HARD);
		cr_assert_not(irq_level(b, IRQ));
		cr_assert_eq(inb(b, LSR), 0x60);
		bench_free(b);
	}
}
