// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports 61h and 92h. */
#include <criterion/criterion.h>

#include "../lib/bench.h"
#include "../../devmodel/port61.h"
#include "../../devmodel/port92.h"

static bool out2, gate, speaker;

static bool read_out2(void *opaque)
{
	(void)opaque;
	return out2;
}

static void set_gate(void *opaque, bool new_gate, bool new_speaker)
{
	(void)opaque;
	gate = new_gate;
	speaker = new_speaker;
}

Test(port61, refresh_toggles_every_15_us)
{
	struct bench *b = bench_new();
	unsigned int changes = 0;
	uint8_t before;

	bench_add(b, &port61_class, NULL);
	before = inb(b, 0x61);
	for (unsigned int us = 0; us < 1000; us++) {
		advance(b, NSEC_PER_USEC);
		changes += (inb(b, 0x61) ^ before) >> 4 & 1;
		before = inb(b, 0x61);
	}
	cr_assert(changes >= 66 && changes <= 67, "%u", changes);
	bench_free(b);
}

Test(port61, keeps_its_low_bits_and_shows_the_timer)
{
	struct bench *b = bench_new();
	struct port61_config config = { read_out2, set_gate, NULL };
	struct device *dev = bench_add(b, &port61_class, &config);

	outb(b, 0x61, 0xff);
	cr_assert_eq(inb(b, 0x61) & ~0x10, 0x0f);
	cr_assert(gate && speaker);
	out2 = true;
	cr_assert_eq(inb(b, 0x61) & ~0x10, 0x2f);
	outb(b, 0x61, 0x01);
	cr_assert(gate && !speaker);
	device_reset(dev, RESET_HARD);
	cr_assert_not(gate);
	cr_assert_eq(inb(b, 0x61) & ~0x10, 0x20);
	bench_free(b);
}

Test(port92, a20_and_reset_on_the_rising_edge)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &port92_class, NULL);

	cr_assert_not(b->a20);
	outb(b, 0x92, 0x02);
	cr_assert(b->a20);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 0);
	outb(b, 0x92, 0x03);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 1);
	outb(b, 0x92, 0x03);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 1, "it must fall first");
	outb(b, 0x92, 0xfe);
	cr_assert_eq(inb(b, 0x92), 0x02);
	outb(b, 0x92, 0x01);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 2);
	cr_assert_not(b->a20);
	outb(b, 0x92, 0x02);
	device_reset(dev, RESET_HARD);
	cr_assert_not(b->a20);
	cr_assert_eq(inb(b, 0x92), 0x00);
	bench_free(b);
}

Test(port92, gate_follows_a_loaded_state)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &port92_class, NULL);
	uint8_t bytes[256];
	struct cursor to = cursor_writer(bytes, sizeof(bytes)), from;
	char error[128];

	outb(b, 0x92, 0x02);
	state_save(dev, &to);
	device_reset(dev, RESET_POWER);
	from = cursor_reader(bytes, to.pos);
	cr_assert_eq(state_load(dev, &from, error, sizeof(error)), 0);
	dev->class->post_load(dev);
	cr_assert(b->a20);
	bench_free(b);
}
