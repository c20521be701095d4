// SPDX-License-Identifier: GPL-2.0-or-later
/* The keyboard alone: the test is the controller. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../devmodel/ps2_keyboard.h"

static struct bench *b;
static struct device *keyboard;
static struct input input;
static struct ps2_port port;
static unsigned int readies;

static void count_ready(struct device *controller)
{
	(void)controller;
	readies++;
}

static void setup(void)
{
	b = bench_new();
	input = (struct input){ 0 };
	port = (struct ps2_port){ .ready = count_ready };
	keyboard =
		bench_add(b, &ps2_keyboard_class, &(struct ps2_keyboard_config){ &port, &input });
}

static void teardown(void)
{
	bench_free(b);
}

TestSuite(ps2_keyboard, .init = setup, .fini = teardown);

/* All that waits, as hexadecimal text; "/" after each whole message. */
static const char *drain(void)
{
	static char text[2048];
	size_t used = 0;
	bool more;

	text[0] = 0;
	while (port.ops->pending(port.dev) && used < sizeof(text) - 8) {
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

static const char *tap(uint8_t key)
{
	cr_assert(input_key(&input, key, true));
	cr_assert(input_key(&input, key, false));
	return drain();
}

static void use_set(uint8_t set)
{
	drain();
	cr_assert_str_eq(send(0xf0), "fa/");
	cr_assert_str_eq(send(set), "fa/");
}

Test(ps2_keyboard, says_that_it_is_well_at_power_on)
{
	cr_assert_str_eq(drain(), "aa/");
	cr_assert_gt(readies, 0);
	cr_assert_str_eq(send(0xff), "fa aa/");
}

Test(ps2_keyboard, answers_its_commands)
{
	drain();
	cr_assert_str_eq(send(0xee), "ee/");
	cr_assert_str_eq(send(0xf2), "fa ab 83/");
	cr_assert_str_eq(send(0xfe), "83/", "the last byte again");
	cr_assert_str_eq(send(0xf0), "fa/");
	cr_assert_str_eq(send(0x00), "fa 02/");
	cr_assert_str_eq(send(0xf5), "fa/");
	cr_assert_str_eq(tap(0x1e), "", "disabled");
	cr_assert_str_eq(send(0xf4), "fa/");
	cr_assert_str_eq(tap(0x1e), "1c/f0 1c/");
	cr_assert_str_eq(send(0xef), "fe/", "no such command");
	cr_assert_str_eq(send(0x12), "fe/", "no command at all");
}

Test(ps2_keyboard, leds_reach_the_viewer)
{
	drain();
	send(0xed);
	cr_assert_str_eq(send(0x05), "fa/");
	cr_assert_eq(input.leds, INPUT_LED_SCROLL | INPUT_LED_CAPS);
	send(0xed);
	cr_assert_str_eq(send(0xf4), "fa/", "a command instead of the parameter is a command");
	cr_assert_str_eq(send(0x02), "fe/");
	cr_assert_eq(input.leds, INPUT_LED_SCROLL | INPUT_LED_CAPS);
	send(0xff);
	cr_assert_eq(input.leds, 0);
}

Test(ps2_keyboard, three_scan_code_sets)
{
	use_set(1);
	cr_assert_str_eq(tap(0x1e), "1e/9e/");
	cr_assert_str_eq(tap(INPUT_EXTENDED | 0x1c), "e0 1c/e0 9c/");
	use_set(2);
	cr_assert_str_eq(tap(0x41), "83/f0 83/");
	cr_assert_str_eq(tap(INPUT_EXTENDED | 0x5b), "e0 1f/e0 f0 1f/");
	use_set(3);
	cr_assert_str_eq(tap(0x1e), "1c/", "letters do not say break by default");
	cr_assert_str_eq(tap(0x2a), "12/f0 12/");
	cr_assert_str_eq(tap(INPUT_EXTENDED | 0x48), "63/");
	cr_assert_str_eq(tap(INPUT_KEY_PAUSE), "62/");
	cr_assert_str_eq(tap(INPUT_KEY_PRINT_SCREEN), "57/");
	send(0xf0);
	cr_assert_str_eq(send(0x00), "fa 03/");
	send(0xf0);
	cr_assert_str_eq(send(0x04), "fe/", "there is no set 4");
	cr_assert_str_eq(send(0x01), "fa/", "asked again");
	cr_assert_str_eq(tap(0x1e), "1e/9e/");
}

Test(ps2_keyboard, set_3_key_types)
{
	use_set(3);
	cr_assert_str_eq(send(0xf8), "fa/");
	cr_assert_str_eq(tap(0x1e), "1c/f0 1c/");
	cr_assert_str_eq(send(0xfd), "fa/");
	cr_assert_str_eq(send(0x1c), "fa/");
	cr_assert_str_eq(send(0x1b), "fa/", "a list of keys");
	cr_assert_str_eq(send(0x99), "fe/");
	cr_assert_str_eq(send(0xf4), "fa/");
	cr_assert_str_eq(tap(0x1e), "1c/");
	cr_assert_str_eq(tap(0x1f), "1b/");
	cr_assert_str_eq(tap(0x20), "23/f0 23/");
	input_key(&input, 0x1e, true);
	drain();
	advance(b, NSEC_PER_SEC);
	cr_assert_str_eq(drain(), "", "make only");
	input_key(&input, 0x1e, false);
	send(0xfa);
	input_key(&input, 0x1e, true);
	drain();
	advance(b, NSEC_PER_SEC);
	cr_assert_str_eq(drain(), "1c/");
	send(0xf6);
	input_key(&input, 0x1e, false);
	cr_assert_str_eq(drain(), "f0 1c/");
	cr_assert_str_eq(tap(0x1e), "1c/f0 1c/", "defaults are set 2");
}

Test(ps2_keyboard, pause_and_print_screen)
{
	drain();
	cr_assert_str_eq(tap(INPUT_KEY_PAUSE), "e1 14/77/e1 f0 14/f0 77/");
	cr_assert_str_eq(tap(INPUT_KEY_PRINT_SCREEN), "e0 12/e0 7c/e0 f0 7c/e0 f0 12/");
	use_set(1);
	cr_assert_str_eq(tap(INPUT_KEY_PAUSE), "e1 1d/45/e1 9d/c5/");
	cr_assert_str_eq(tap(INPUT_KEY_PRINT_SCREEN), "e0 2a/e0 37/e0 b7/e0 aa/");
	input_key(&input, INPUT_EXTENDED | 0x1d, true);
	drain();
	cr_assert_str_eq(tap(INPUT_KEY_PAUSE), "e0 46/e0 c6/", "Ctrl + Break");
	cr_assert_str_eq(tap(INPUT_KEY_PRINT_SCREEN), "e0 37/e0 b7/");
	input_key(&input, INPUT_EXTENDED | 0x1d, false);
	input_key(&input, 0x38, true);
	drain();
	input_key(&input, INPUT_KEY_PRINT_SCREEN, true);
	cr_assert_str_eq(drain(), "54/", "Alt + Print Screen is SysRq");
	input_key(&input, 0x38, false);
	drain();
	input_key(&input, INPUT_KEY_PRINT_SCREEN, false);
	cr_assert_str_eq(drain(), "d4/", "it comes up as it went down");
}

static unsigned int repeats_in(uint64_t ns)
{
	unsigned int count = 0;

	for (uint64_t end = b->now_ns + ns; b->now_ns < end;) {
		advance(b, NSEC_PER_MSEC);
		count += drain()[0] != 0;
	}
	return count;
}

Test(ps2_keyboard, held_key_repeats_at_the_rate_set)
{
	drain();
	input_key(&input, 0x1e, true);
	drain();
	cr_assert_eq(repeats_in(499 * NSEC_PER_MSEC), 0);
	cr_assert_eq(repeats_in(NSEC_PER_SEC), 11, "10.9 per second by default");
	cr_assert(input_key(&input, 0x1e, true));
	cr_assert_str_eq(drain(), "", "the host's own repetition means nothing");
	input_key(&input, 0x1f, true);
	cr_assert_str_eq(drain(), "1b/");
	input_key(&input, 0x1e, false);
	cr_assert_str_eq(drain(), "f0 1c/");
	cr_assert_eq(repeats_in(2 * NSEC_PER_SEC), 17, "the latest key repeats");
	input_key(&input, 0x1f, false);
	drain();
	cr_assert_eq(repeats_in(NSEC_PER_SEC), 0);
	send(0xf3);
	send(0x00);
	input_key(&input, 0x1e, true);
	drain();
	cr_assert_eq(repeats_in(1250 * NSEC_PER_MSEC), 31, "30 per second after 250 ms");
}

Test(ps2_keyboard, repetition_does_not_pile_up)
{
	drain();
	input_key(&input, 0x1e, true);
	advance(b, 10 * NSEC_PER_SEC);
	cr_assert_str_eq(drain(), "1c/");
	input_key(&input, 0x1e, false);
	cr_assert_str_eq(drain(), "f0 1c/");
}

Test(ps2_keyboard, full_buffer_refuses_keys_but_never_a_release)
{
	unsigned int key = 1, pressed;

	drain();
	while (key < 0x80 && input_key(&input, (uint8_t)key, true))
		key++;
	cr_assert_lt(key, 0x80, "a limit");
	cr_assert_gt(key, 16, "not too small a one");
	pressed = key - 1;
	for (key = 1; key <= pressed; key++)
		cr_assert(input_key(&input, (uint8_t)key, false));
	for (const char *text = strstr(drain(), "f0"); text; text = strstr(text + 2, "f0"))
		pressed--;
	cr_assert_eq(pressed, 0, "every key came up");
}

Test(ps2_keyboard, all_keys_come_up_when_the_viewer_leaves)
{
	drain();
	input_key(&input, 0x1d, true);
	input_key(&input, INPUT_EXTENDED | 0x53, true);
	drain();
	input_release_all(&input);
	cr_assert_str_eq(drain(), "f0 14/e0 f0 71/");
	cr_assert_eq(repeats_in(2 * NSEC_PER_SEC), 0);
}

Test(ps2_keyboard, reply_never_splits_a_scan_code)
{
	bool more;

	drain();
	input_key(&input, INPUT_EXTENDED | 0x48, true);
	cr_assert_eq(port.ops->take(port.dev, &more), 0xe0);
	cr_assert(more);
	cr_assert_str_eq(send(0xed), "75/fa/");
	input_key(&input, INPUT_EXTENDED | 0x48, false);
	cr_assert_str_eq(send(0x00), "fa/e0 f0 75/", "replies go before keys");
}

Test(ps2_keyboard, rude_guest_sends_everything)
{
	for (unsigned int first = 0; first < 256; first++) {
		for (unsigned int second = 0; second < 256; second++) {
			port.ops->send(port.dev, (uint8_t)first);
			port.ops->send(port.dev, (uint8_t)second);
			if (second % 16 == 0)
				tap((uint8_t)(first ^ second));
		}
		advance(b, NSEC_PER_MSEC);
	}
	cr_assert_str_eq(send(0xff), "fa aa/");
	cr_assert_str_eq(tap(0x1e), "1c/f0 1c/");
}

Test(ps2_keyboard, reset_forgets_what_is_held)
{
	input_key(&input, 0x1e, true);
	device_reset(keyboard, RESET_HARD);
	cr_assert_str_eq(drain(), "aa/");
	cr_assert_eq(repeats_in(NSEC_PER_SEC), 0);
	input_key(&input, 0x1e, false);
	cr_assert_str_eq(drain(), "", "it was not down any more");
}
