// SPDX-License-Identifier: GPL-2.0-or-later
/* The mouse alone: the test is the controller. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../devmodel/ps2_mouse.h"

static struct bench *b;
static struct device *mouse;
static struct input input;
static struct ps2_port port;

static void ignore_ready(struct device *controller)
{
	(void)controller;
}

static void setup(void)
{
	b = bench_new();
	input = (struct input){ 0 };
	port = (struct ps2_port){ .ready = ignore_ready };
	mouse = bench_add(b, &ps2_mouse_class, &(struct ps2_mouse_config){ &port, &input });
}

static void teardown(void)
{
	bench_free(b);
}

TestSuite(ps2_mouse, .init = setup, .fini = teardown);

/* The message that waits now, as hexadecimal text that ends with "/". */
static const char *drain(void)
{
	static char text[2048];
	size_t used = 0;
	bool more = true;

	text[0] = 0;
	while (more && port.ops->pending(port.dev) && used < sizeof(text) - 8) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%02x",
					 port.ops->take(port.dev, &more));
		used += (size_t)snprintf(text + used, sizeof(text) - used, more ? " " : "/");
	}
	return text;
}

static const char *send(uint8_t byte)
{
	port.ops->send(port.dev, byte);
	return drain();
}

static void enable(void)
{
	drain();
	cr_assert_str_eq(send(0xf4), "fa/");
}

/* The next packet, once the sample period has passed. */
static const char *next_packet(void)
{
	advance(b, 100 * NSEC_PER_MSEC);
	return drain();
}

static void set_rates(uint8_t first, uint8_t second, uint8_t third)
{
	const uint8_t rates[] = { first, second, third };

	for (unsigned int i = 0; i < 3; i++) {
		cr_assert_str_eq(send(0xf3), "fa/");
		cr_assert_str_eq(send(rates[i]), "fa/");
	}
}

Test(ps2_mouse, says_that_it_is_well)
{
	cr_assert_str_eq(drain(), "", "the POST has taken what it says at power-on");
	cr_assert_str_eq(send(0xff), "fa aa 00/");
	cr_assert_str_eq(send(0xf2), "fa 00/");
	cr_assert_str_eq(send(0xe9), "fa 00 02 64/", "disabled, 4 per mm, 100 per second");
}

Test(ps2_mouse, streams_packets_when_enabled)
{
	drain();
	input_move(&input, 5, 5, 0, 0);
	cr_assert_str_eq(next_packet(), "", "not enabled");
	enable();
	input_move(&input, 5, 3, 0, 0);
	cr_assert_str_eq(drain(), "28 05 fd/", "down is negative on the wire");
	input_move(&input, -1, -2, 0, INPUT_BUTTON_LEFT | INPUT_BUTTON_MIDDLE);
	cr_assert_str_eq(next_packet(), "1d ff 02/");
	input_move(&input, 0, 0, 0, 0);
	cr_assert_str_eq(next_packet(), "08 00 00/", "buttons up alone");
	input_move(&input, 0, 0, 0, 0);
	cr_assert_str_eq(next_packet(), "", "nothing new");
	input_move(&input, 0, 0, 5, INPUT_BUTTON_SIDE);
	cr_assert_str_eq(next_packet(), "08 00 00/", "a plain mouse has no more");
}

Test(ps2_mouse, sample_rate_limits_packets)
{
	unsigned int packets = 0;

	enable();
	send(0xf3);
	send(20);
	for (unsigned int ms = 0; ms < 1000; ms++) {
		input_move(&input, 1, 0, 0, 0);
		packets += drain()[0] != 0;
		advance(b, NSEC_PER_MSEC);
	}
	cr_assert_eq(packets, 20);
	cr_assert_str_eq(send(0xf3), "fa/");
	cr_assert_str_eq(send(30), "fe/", "no such rate");
	cr_assert_str_eq(send(31), "fc/", "nor this one");
	cr_assert_str_eq(send(0xe9), "fa 20 02 14/");
}

Test(ps2_mouse, large_motion_is_split_and_none_is_lost)
{
	enable();
	input_move(&input, 600, -300, 0, 0);
	cr_assert_str_eq(drain(), "08 ff ff/");
	cr_assert_str_eq(next_packet(), "08 ff 2d/");
	cr_assert_str_eq(next_packet(), "08 5a 00/");
	cr_assert_str_eq(next_packet(), "");
	for (unsigned int i = 0; i < 100; i++)
		input_move(&input, INT32_MAX, INT32_MIN, INT32_MIN, 0);
	cr_assert_str_eq(next_packet(), "08 ff ff/");
}

Test(ps2_mouse, clicks_wait_in_order_and_the_last_state_is_kept)
{
	unsigned int presses = 0;
	const char *packet;
	char last = 0;

	enable();
	for (unsigned int i = 0; i < 5; i++) {
		input_move(&input, 0, 0, 0, INPUT_BUTTON_LEFT);
		input_move(&input, 1, 0, 0, 0);
	}
	for (packet = drain(); packet[0]; packet = next_packet())
		presses += packet[1] == '9';
	cr_assert_eq(presses, 5);
	for (unsigned int i = 0; i < 1000; i++)
		input_move(&input, 0, 0, 0, i & 1 ? INPUT_BUTTON_RIGHT : 0);
	for (packet = drain(); packet[0]; packet = next_packet())
		last = packet[1];
	cr_assert_eq(last, 'a', "the right button is down in the end");
}

Test(ps2_mouse, knocking_unlocks_the_wheel)
{
	enable();
	set_rates(200, 100, 80);
	cr_assert_str_eq(send(0xf2), "fa 03/");
	input_move(&input, 1, 0, -2, INPUT_BUTTON_SIDE);
	cr_assert_str_eq(next_packet(), "08 01 00 fe/");
	input_move(&input, 0, 0, 20, 0);
	cr_assert_str_eq(next_packet(), "08 00 00 07/");
	cr_assert_str_eq(next_packet(), "08 00 00 07/");
	cr_assert_str_eq(next_packet(), "08 00 00 06/");
	send(0xff);
	cr_assert_str_eq(send(0xf2), "fa 00/", "a reset locks it again");
}

Test(ps2_mouse, knocking_unlocks_five_buttons)
{
	enable();
	set_rates(200, 100, 80);
	set_rates(200, 200, 80);
	cr_assert_str_eq(send(0xf2), "fa 04/");
	input_move(&input, 0, 0, -1, INPUT_BUTTON_SIDE | INPUT_BUTTON_EXTRA);
	cr_assert_str_eq(next_packet(), "08 00 00 3f/");
	input_move(&input, 0, 0, 0, INPUT_BUTTON_EXTRA | INPUT_BUTTON_LEFT);
	cr_assert_str_eq(next_packet(), "09 00 00 20/");
}

Test(ps2_mouse, a_wrong_knock_opens_nothing)
{
	drain();
	set_rates(200, 80, 100);
	set_rates(100, 80, 60);
	cr_assert_str_eq(send(0xf2), "fa 00/");
	set_rates(200, 200, 200);
	set_rates(100, 80, 60);
	cr_assert_str_eq(send(0xf2), "fa 03/", "200, 100, 80 at the end of more");
}

Test(ps2_mouse, remote_mode_speaks_when_asked)
{
	enable();
	cr_assert_str_eq(send(0xf0), "fa/");
	input_move(&input, 9, 0, 0, INPUT_BUTTON_LEFT);
	cr_assert_str_eq(next_packet(), "");
	cr_assert_str_eq(send(0xeb), "fa 09 09 00/");
	cr_assert_str_eq(send(0xeb), "fa 09 00 00/", "nothing new");
	cr_assert_str_eq(send(0xe9), "fa 64 02 64/");
	cr_assert_str_eq(send(0xea), "fa/");
	input_move(&input, 1, 0, 0, 0);
	cr_assert_str_eq(next_packet(), "08 01 00/");
}

Test(ps2_mouse, wrap_mode_echoes)
{
	enable();
	cr_assert_str_eq(send(0xee), "fa/");
	cr_assert_str_eq(send(0xf4), "f4/");
	cr_assert_str_eq(send(0x55), "55/");
	input_move(&input, 1, 0, 0, 0);
	cr_assert_str_eq(next_packet(), "");
	cr_assert_str_eq(send(0xec), "fa/");
	cr_assert_str_eq(send(0xee), "fa/");
	cr_assert_str_eq(send(0xff), "fa aa 00/");
}

Test(ps2_mouse, scaling_bends_small_motion)
{
	static const int32_t in[] = { 1, 2, 3, 4, 5, 6, -3, 100 };
	static const char *const out[] = { "01", "01", "03", "06", "09", "0c", "fd", "c8" };

	enable();
	cr_assert_str_eq(send(0xe7), "fa/");
	for (unsigned int i = 0; i < ARRAY_LEN(in); i++) {
		input_move(&input, in[i], 0, 0, 0);
		cr_assert_eq(strncmp(next_packet() + 3, out[i], 2), 0, "%d", in[i]);
	}
	cr_assert_str_eq(send(0xe9), "fa 30 02 64/");
	send(0xe6);
	input_move(&input, 5, 0, 0, 0);
	cr_assert_str_eq(next_packet(), "08 05 00/");
}

Test(ps2_mouse, bad_bytes_are_refused_twice_over)
{
	drain();
	cr_assert_str_eq(send(0x17), "fe/");
	cr_assert_str_eq(send(0x17), "fc/");
	cr_assert_str_eq(send(0xe8), "fa/");
	cr_assert_str_eq(send(0x07), "fe/");
	cr_assert_str_eq(send(0x03), "fa/", "asked again");
	cr_assert_str_eq(send(0xe9), "fa 00 03 64/");
	cr_assert_str_eq(send(0xfe), "64/", "the last byte again");
}

Test(ps2_mouse, command_breaks_a_packet_off_but_buttons_come)
{
	bool more;

	enable();
	input_move(&input, 7, 0, 0, INPUT_BUTTON_LEFT);
	port.ops->take(port.dev, &more);
	cr_assert(more);
	cr_assert_str_eq(send(0xe9), "fa 24 02 64/");
	cr_assert_str_eq(next_packet(), "09 00 00/");
}

Test(ps2_mouse, rude_guest_sends_everything)
{
	for (unsigned int first = 0; first < 256; first++) {
		for (unsigned int second = 0; second < 256; second++) {
			port.ops->send(port.dev, (uint8_t)first);
			port.ops->send(port.dev, (uint8_t)second);
			if (second % 16 == 0) {
				input_move(&input, (int32_t)second - 128, 3, 1, first & 31);
				drain();
			}
		}
		advance(b, 20 * NSEC_PER_MSEC);
	}
	device_reset(mouse, RESET_HARD);
	cr_assert_str_eq(send(0xff), "fa aa 00/");
	enable();
	input_move(&input, 1, 1, 1, 0);
	cr_assert_str_eq(next_packet(), "28 01 ff/");
}
