// SPDX-License-Identifier: GPL-2.0-or-later
/* PIIX4 function 0: PIRQ routing and sharing, ELCR, resets. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/cursor.h"
#include "../../devmodel/i440bx.h"
#include "../../devmodel/piix4_isa.h"

#define ISA PCI_DEVFN(1, 0)
#define PIRQRC 0x60

static uint16_t told_elcr;
static unsigned int elcr_calls;

static void record_elcr(void *opaque, uint16_t elcr)
{
	(void)opaque;
	told_elcr = elcr;
	elcr_calls++;
}

static struct device *add_isa(struct bench *b)
{
	struct piix4_isa_config config = {
		.bus = &b->pci,
		.devfn = ISA,
		.isa_irq = irq_hub_set,
		.isa_irq_opaque = &b->hub,
		.elcr_changed = record_elcr,
	};

	told_elcr = 0;
	elcr_calls = 0;
	return bench_add(b, &piix4_isa_class, &config);
}

/* What a function of the bus does when it pulls PIRQ @n. */
static void pull(struct bench *b, unsigned int n, bool level)
{
	b->pci.pirq_asserted[n] = (uint16_t)(b->pci.pirq_asserted[n] + (level ? 1 : -1));
	b->pci.pirq_sink(b->pci.pirq_opaque, n, level);
}

Test(piix4_isa, identity_and_reset_values)
{
	struct bench *b = bench_new();

	add_isa(b);
	cr_assert_eq(bench_config_read(b, ISA, 0x00, 4), 0x71108086);
	cr_assert_eq(bench_config_read(b, ISA, 0x04, 4), 0x02800007);
	cr_assert_eq(bench_config_read(b, ISA, 0x08, 4), 0x06010002);
	cr_assert_eq(bench_config_read(b, ISA, 0x0e, 1), 0x80, "multifunction");
	cr_assert_eq(bench_config_read(b, ISA, 0x4c, 4), 0x0003004d);
	cr_assert_eq(bench_config_read(b, ISA, 0x60, 4), 0x80808080);
	cr_assert_eq(bench_config_read(b, ISA, 0x64, 1), 0x10);
	cr_assert_eq(bench_config_read(b, ISA, 0xcb, 1), 0x21);
	cr_assert_eq(inw(b, 0x4d0), 0);
	bench_free(b);
}

Test(piix4_isa, seabios_routes_10_10_11_11_and_sets_elcr)
{
	struct bench *b = bench_new();
	struct device *dev = add_isa(b);
	static const uint8_t routes[] = { 10, 10, 11, 11 };

	for (uint8_t i = 0; i < 4; i++)
		bench_config_write(b, ISA, (uint8_t)(PIRQRC + i), 1, routes[i]);
	outb(b, 0x4d0, 0x00);
	outb(b, 0x4d1, 0x0c);
	cr_assert_eq(piix4_isa_elcr(dev), 0x0c00);
	cr_assert_eq(told_elcr, 0x0c00);
	cr_assert_eq(elcr_calls, 1);
	for (unsigned int i = 0; i < 4; i++) {
		pull(b, i, true);
		cr_assert(irq_level(b, routes[i]), "PIRQ %u", i);
		pull(b, i, false);
		cr_assert_not(irq_level(b, routes[i]));
	}
	bench_free(b);
}

Test(piix4_isa, pirqs_share_an_interrupt)
{
	struct bench *b = bench_new();

	add_isa(b);
	bench_config_write(b, ISA, PIRQRC, 4, 0x0a0a0a0a);
	pull(b, 0, true);
	pull(b, 2, true);
	pull(b, 2, true);
	pull(b, 0, false);
	cr_assert(irq_level(b, 10));
	pull(b, 2, false);
	cr_assert(irq_level(b, 10), "one of two functions on PIRQC still pulls");
	pull(b, 2, false);
	cr_assert_not(irq_level(b, 10));
	cr_assert_eq(b->irq_edges[10], 1);
	bench_free(b);
}

Test(piix4_isa, a_pending_pirq_moves_with_its_route)
{
	struct bench *b = bench_new();

	add_isa(b);
	pull(b, 1, true);
	cr_assert_not(irq_level(b, 0), "disabled at reset");
	bench_config_write(b, ISA, PIRQRC + 1, 1, 11);
	cr_assert(irq_level(b, 11), "it was pending when it was routed");
	bench_config_write(b, ISA, PIRQRC + 1, 1, 5);
	cr_assert(irq_level(b, 5));
	cr_assert_not(irq_level(b, 11));
	bench_config_write(b, ISA, PIRQRC + 1, 1, 0x85);
	cr_assert_not(irq_level(b, 5));
	pull(b, 1, false);
	bench_free(b);
}

Test(piix4_isa, reserved_interrupts_are_no_route)
{
	struct bench *b = bench_new();
	static const uint8_t reserved[] = { 0, 1, 2, 8, 13 };

	add_isa(b);
	pull(b, 3, true);
	for (size_t i = 0; i < sizeof(reserved); i++) {
		bench_config_write(b, ISA, PIRQRC + 3, 1, reserved[i]);
		for (unsigned int n = 0; n < ISA_IRQS; n++)
			cr_assert_not(irq_level(b, n), "%u", reserved[i]);
	}
	bench_config_write(b, ISA, PIRQRC + 3, 1, 0xff);
	cr_assert_eq(bench_config_read(b, ISA, PIRQRC + 3, 1), 0x8f);
	pull(b, 3, false);
	bench_free(b);
}

Test(piix4_isa, elcr_keeps_the_chips_own_interrupts_edge_triggered)
{
	struct bench *b = bench_new();
	struct device *dev = add_isa(b);

	outw(b, 0x4d0, 0xffff);
	cr_assert_eq(inw(b, 0x4d0), 0xdef8);
	cr_assert_eq(told_elcr, 0xdef8);
	cr_assert_eq(elcr_calls, 1, "a word is one change");
	outw(b, 0x4d0, 0xdef8);
	cr_assert_eq(elcr_calls, 1);
	device_reset(dev, RESET_HARD);
	cr_assert_eq(told_elcr, 0);
	cr_assert_eq(elcr_calls, 2);
	bench_free(b);
}

Test(piix4_isa, cf9_resets_on_the_rising_bit_only)
{
	struct bench *b = bench_new();
	struct device *dev = add_isa(b);

	outb(b, 0xcf9, 0x02);
	cr_assert_eq(b->requests[REQUEST_RESET_HARD], 0);
	outb(b, 0xcf9, 0x06);
	cr_assert_eq(b->requests[REQUEST_RESET_HARD], 1);
	outb(b, 0xcf9, 0x06);
	cr_assert_eq(b->requests[REQUEST_RESET_HARD], 1, "it is high already");
	device_reset(dev, RESET_HARD);
	cr_assert_eq(inb(b, 0xcf9), 0);
	outb(b, 0xcf9, 0x04);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 1);
	outb(b, 0xcf9, 0x00);
	outb(b, 0xcf9, 0xff);
	cr_assert_eq(inb(b, 0xcf9), 0x06);
	cr_assert_eq(b->requests[REQUEST_RESET_HARD], 2);
	cr_assert_eq(b->requests[REQUEST_POWER_OFF], 0);
	bench_free(b);
}

Test(piix4_isa, cf9_lives_beside_confadd)
{
	struct bench *b = bench_new();
	struct i440bx_config config = { .bus = &b->pci, .memory_bytes = 64u << 20 };

	add_isa(b);
	bench_add(b, &i440bx_class, &config);
	outl(b, 0xcf8, 0x80000600);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 0, "a dword goes to CONFADD");
	cr_assert_eq(inl(b, 0xcf8), 0x80000600);
	outb(b, 0xcf9, 0x06);
	cr_assert_eq(b->requests[REQUEST_RESET_HARD], 1);
	cr_assert_eq(inl(b, 0xcf8), 0x80000600);
	bench_free(b);
}

Test(piix4_isa, state_travels_with_a_pirq_pending)
{
	struct bench *b = bench_new(), *c = bench_new();
	struct device *from = add_isa(b), *to = add_isa(c);
	static uint8_t stream[4096], again[4096];
	struct cursor w = cursor_writer(stream, sizeof(stream)), r;
	char error[128];

	bench_config_write(b, ISA, PIRQRC, 4, 0x0b0a0908);
	outw(b, 0x4d0, 0x0e00);
	pull(b, 1, true);
	cr_assert(irq_level(b, 9));
	state_save(from, &w);
	/* The function that pulls may be loaded before or after. */
	pull(c, 1, true);
	r = cursor_reader(stream, w.pos);
	cr_assert_eq(state_load(to, &r, error, sizeof(error)), 0, "%s", error);
	to->class->post_load(to);
	cr_assert(irq_level(c, 9));
	cr_assert_eq(told_elcr, 0x0e00);
	r = cursor_writer(again, sizeof(again));
	state_save(to, &r);
	cr_assert_eq(r.pos, w.pos);
	cr_assert_eq(memcmp(stream, again, w.pos), 0);
	cr_assert_eq(state_coverage(&piix4_isa_class), (long)piix4_isa_class.state_size);
	pull(b, 1, false);
	pull(c, 1, false);
	cr_assert_not(irq_level(c, 9));
	bench_free(b);
	bench_free(c);
}

Test(piix4_isa, reset_lets_go_of_interrupts)
{
	struct bench *b = bench_new();
	struct device *dev = add_isa(b);

	bench_config_write(b, ISA, PIRQRC, 1, 10);
	pull(b, 0, true);
	device_reset(dev, RESET_HARD);
	cr_assert_not(irq_level(b, 10));
	pull(b, 0, false);
	bench_free(b);
}

Test(piix4_isa, rude_guest)
{
	struct bench *b = bench_new();
	uint32_t seed = 7;

	add_isa(b);
	for (unsigned int i = 0; i < 50000; i++) {
		seed = seed * 1664525u + 1013904223u;
		bench_config_write(b, ISA, (uint8_t)(seed >> 16 & 0xfc), 4, seed * 2654435761u);
		outb(b, (uint16_t)(0x4d0 + (seed >> 8 & 1)), (uint8_t)(seed >> 24));
		if (!(seed >> 20 & 7))
			pull(b, seed >> 10 & 3, !b->pci.pirq_asserted[seed >> 10 & 3]);
	}
	for (unsigned int i = 0; i < PCI_PIRQS; i++) {
		if (b->pci.pirq_asserted[i])
			pull(b, i, false);
	}
	for (unsigned int n = 0; n < ISA_IRQS; n++)
		cr_assert_not(irq_level(b, n));
	cr_assert_eq(bench_config_read(b, ISA, 0, 4), 0x71108086);
	bench_free(b);
}
