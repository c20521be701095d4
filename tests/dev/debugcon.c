// SPDX-License-Identifier: GPL-2.0-or-later
/* The firmware's debug console and the POST code latch. */
#include <criterion/criterion.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../devmodel/debugcon.h"
#include "../../devmodel/post_code.h"

Test(debugcon, is_recognised_and_carries_bytes)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	struct debugcon_config config = { .chario = &chario.chario };

	bench_chario_init(&chario);
	bench_add(b, &debugcon_class, &config);
	cr_assert_eq(inb(b, 0x402), 0xe9);
	outb(b, 0x402, 'S');
	io_port_write_string(&b->io, 0x402, 1, "eaBIOS", 6);
	cr_assert_eq(chario.out_count, 7);
	cr_assert_eq(memcmp(chario.out, "SeaBIOS", 7), 0);
	cr_assert_eq(bench_chario_feed(&chario, "x", 1), 0, "there is no way back");
	bench_free(b);
}

Test(debugcon, drops_what_the_backend_has_no_room_for)
{
	struct bench *b = bench_new();
	struct bench_chario chario;
	struct debugcon_config config = { .chario = &chario.chario };

	bench_chario_init(&chario);
	bench_add(b, &debugcon_class, &config);
	chario.accept = 4;
	io_port_write_string(&b->io, 0x402, 1, "firmware", 8);
	outb(b, 0x402, '!');
	cr_assert_eq(chario.out_count, 4);
	chario.accept = SIZE_MAX;
	outb(b, 0x402, '?');
	cr_assert_eq(chario.out[4], '?');
	bench_free(b);
}

Test(debugcon, without_a_listener_it_says_so)
{
	struct bench *b = bench_new();

	bench_add(b, &debugcon_class, NULL);
	outb(b, 0x402, 'x');
	cr_assert_eq(inb(b, 0x402), 0xff);
	cr_assert_eq(state_coverage(&debugcon_class), (long)debugcon_class.state_size);
	bench_free(b);
}

Test(post_code, keeps_the_last_code)
{
	struct bench *b = bench_new();
	struct device *dev = bench_add(b, &post_code_class, NULL);

	cr_assert_eq(post_code_last(dev), 0);
	outb(b, 0x80, 0x13);
	outb(b, 0x80, 0x37);
	cr_assert_eq(post_code_last(dev), 0x37);
	cr_assert_eq(inb(b, 0x80), 0x37);
	outw(b, 0x80, 0xaa55);
	cr_assert_eq(post_code_last(dev), 0x55, "one port");
	device_reset(dev, RESET_HARD);
	cr_assert_eq(post_code_last(dev), 0);
	cr_assert_eq(state_coverage(&post_code_class), (long)post_code_class.state_size);
	bench_free(b);
}
