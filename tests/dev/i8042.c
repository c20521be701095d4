// SPDX-License-Identifier: GPL-2.0-or-later
/* The controller with both devices plugged in, and with neither. */
#include <criterion/criterion.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../devmodel/i8042.h"
#include "../../devmodel/ps2_keyboard.h"
#include "../../devmodel/ps2_mouse.h"

#define OBF 0x01
#define AUXB 0x20
#define NOTHING 0x100u
#define BYTE_NS (200 * NSEC_PER_USEC)

static struct bench *b;
static struct device *kbc, *keyboard, *mouse;
static struct input input;

static void setup(void)
{
	b = bench_new();
	input = (struct input){ 0 };
	kbc = bench_add(b, &i8042_class, NULL);
	keyboard = bench_add(b, &ps2_keyboard_class,
			     &(struct ps2_keyboard_config){ i8042_keyboard_port(kbc), &input });
	mouse = bench_add(b, &ps2_mouse_class,
			  &(struct ps2_mouse_config){ i8042_mouse_port(kbc), &input });
}

static void teardown(void)
{
	/* The devices hang on the controller: in reverse, as the machine does it. */
	bench_free(b);
}

TestSuite(i8042, .init = setup, .fini = teardown);

/* Polls as a driver does: status in bits 15:8 of the result, or NOTHING after 10 ms. */
static unsigned int receive_any(void)
{
	for (unsigned int i = 0; i < 200; i++) {
		uint8_t status = inb(b, 0x64);

		if (status & OBF)
			return (unsigned int)status << 16 | inb(b, 0x60);
		advance(b, 50 * NSEC_PER_USEC);
	}
	return NOTHING;
}

static unsigned int receive(void)
{
	return receive_any() & 0xffff;
}

static unsigned int receive_from(uint8_t source)
{
	unsigned int got = receive_any();

	cr_assert_neq(got, NOTHING, "no byte came");
	cr_assert_eq(got >> 16 & AUXB, source, "the byte %02x is from the other side", got & 0xff);
	return got & 0xff;
}

static unsigned int command(uint8_t value)
{
	outb(b, 0x64, value);
	return receive();
}

static void command_with(uint8_t value, uint8_t parameter)
{
	outb(b, 0x64, value);
	outb(b, 0x60, parameter);
}

static void flush(void)
{
	while (receive_any() != NOTHING)
		;
}

/* What a driver does first: test, enable both, interrupts on. */
static void start(uint8_t command_byte)
{
	flush();
	command_with(0x60, command_byte);
	flush();
	outb(b, 0x60, 0xf4);
	cr_assert_eq(receive_from(0), 0xfa);
	command_with(0xd4, 0xf4);
	cr_assert_eq(receive_from(AUXB), 0xfa);
}

Test(i8042, firmware_finds_a_healthy_controller)
{
	cr_assert_eq(inb(b, 0x64), 0x10, "not through its self-test");
	cr_assert_eq(command(0xaa), 0x55);
	cr_assert_eq(inb(b, 0x64) & 0x04, 0x04);
	cr_assert_eq(command(0xab), 0x00);
	cr_assert_eq(command(0xa9), 0x00);
	cr_assert_eq(command(0xa4), 0xf1, "no password");
	cr_assert_eq(command(0xc0), 0x80, "not locked");
	cr_assert_eq(command(0xe0), 0x00);
	cr_assert_eq(command(0x20), 0x34, "both off, self-test passed");
	outb(b, 0x64, 0xae);
	outb(b, 0x64, 0xa8);
	cr_assert_eq(command(0x20), 0x04);
	outb(b, 0x64, 0xad);
	outb(b, 0x64, 0xa7);
	cr_assert_eq(command(0x20), 0x34);
}

/* Linux 6.1, drivers/input/serio/i8042.c: a mouse that talks here is no mouse for it. */
Test(i8042, a_driver_that_looks_for_a_mouse_finds_one)
{
	static const uint64_t pauses_ns[] = { 0, 50 * NSEC_PER_USEC, 5 * NSEC_PER_MSEC };

	for (unsigned int i = 0; i < ARRAY_LEN(pauses_ns); i++) {
		device_reset(mouse, RESET_HARD);
		command_with(0x60, 0x70);
		command_with(0xd3, 0x5a);
		cr_assert_eq(receive_from(AUXB), 0x5a);
		outb(b, 0x64, 0xa7);
		cr_assert_eq(command(0x20), 0x70);
		outb(b, 0x64, 0xa8);
		advance(b, pauses_ns[i]);
		cr_assert_eq(command(0x20), 0x50);
		command_with(0x60, 0x52);
		command_with(0xd3, 0xa5);
		advance(b, NSEC_PER_MSEC);
		cr_assert(irq_level(b, 12));
		cr_assert_eq(receive_from(AUXB), 0xa5);
	}
}

Test(i8042, replies_take_a_moment_but_not_SeaBIOS_long)
{
	outb(b, 0x64, 0x20);
	cr_assert_eq(inb(b, 0x64) & OBF, 0);
	advance(b, 50 * NSEC_PER_USEC);
	cr_assert_eq(inb(b, 0x64) & OBF, OBF);
	inb(b, 0x60);
	outb(b, 0x60, 0xee);
	advance(b, BYTE_NS - 1);
	cr_assert_eq(inb(b, 0x64) & OBF, 0);
	advance(b, 1);
	cr_assert_eq(inb(b, 0x60), 0xee);
	cr_assert_eq(inb(b, 0x60), 0xee, "the buffer keeps its byte until the next");
}

Test(i8042, ram_is_read_and_written)
{
	for (unsigned int i = 1; i < 32; i++)
		command_with((uint8_t)(0x60 + i), (uint8_t)(i * 7));
	for (unsigned int i = 1; i < 32; i++)
		cr_assert_eq(command((uint8_t)(0x20 + i)), i * 7);
}

Test(i8042, status_tells_command_from_data)
{
	outb(b, 0x64, 0x60);
	cr_assert_eq(inb(b, 0x64) & 0x08, 0x08);
	outb(b, 0x60, 0x45);
	cr_assert_eq(inb(b, 0x64) & 0x0c, 0x04, "data; the system flag follows the command byte");
}

Test(i8042, a20_and_reset_through_the_output_port)
{
	cr_assert(b->a20, "lines float high at power-on");
	command_with(0xd1, 0xdd);
	cr_assert_not(b->a20);
	cr_assert_eq(command(0xd0), 0xc1);
	outb(b, 0x64, 0xdf);
	cr_assert(b->a20);
	outb(b, 0x64, 0xdd);
	cr_assert_not(b->a20);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 0);
	outb(b, 0x64, 0xfe);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 1);
	outb(b, 0x64, 0xff);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 1, "no line is pulsed");
	command_with(0xd1, 0xde);
	cr_assert_eq(b->requests[REQUEST_RESET_INIT], 2);
	cr_assert(b->a20);
	outb(b, 0x64, 0xdd);
	device_reset(kbc, RESET_HARD);
	cr_assert(b->a20);
}

Test(i8042, interrupts_follow_the_buffer_and_the_command_byte)
{
	start(0x47);
	input_key(&input, 0x1e, true);
	advance(b, BYTE_NS);
	cr_assert(irq_level(b, 1));
	cr_assert_not(irq_level(b, 12));
	cr_assert_eq(inb(b, 0x60), 0x1e);
	cr_assert_not(irq_level(b, 1));
	input_move(&input, 3, 0, 0, 0);
	advance(b, BYTE_NS);
	cr_assert(irq_level(b, 12));
	cr_assert_not(irq_level(b, 1));
	inb(b, 0x60);
	flush();
	b->irq_edges[12] = 0;
	input_move(&input, 3, 0, 0, 0);
	for (unsigned int i = 0; i < 400; i++) {
		advance(b, 50 * NSEC_PER_USEC);
		if (irq_level(b, 12))
			inb(b, 0x60);
	}
	cr_assert_eq(b->irq_edges[12], 3, "an edge for each byte");
}

Test(i8042, output_as_if_from_a_device)
{
	flush();
	command_with(0x60, 0x43);
	command_with(0xd2, 0xf0);
	advance(b, BYTE_NS);
	cr_assert(irq_level(b, 1));
	cr_assert_eq(receive_from(0), 0xf0, "not translated");
	command_with(0xd3, 0xa5);
	advance(b, BYTE_NS);
	cr_assert(irq_level(b, 12));
	cr_assert_eq(receive_from(AUXB), 0xa5);
}

Test(i8042, translation_makes_set_1)
{
	static const uint8_t keys[] = {
		0x01, 0x1e, 0x39, 0x3b, 0x41, 0x44, 0x57, 0x58, 0x56, 0x54
	};

	start(0x44);
	for (unsigned int i = 0; i < ARRAY_LEN(keys); i++) {
		input_key(&input, keys[i], true);
		input_key(&input, keys[i], false);
		cr_assert_eq(receive(), keys[i]);
		cr_assert_eq(receive(), keys[i] | 0x80u);
		input_key(&input, INPUT_EXTENDED | 0x48, true);
		cr_assert_eq(receive(), 0xe0);
		cr_assert_eq(receive(), 0x48);
		input_key(&input, INPUT_EXTENDED | 0x48, false);
		cr_assert_eq(receive(), 0xe0);
		cr_assert_eq(receive(), 0xc8);
	}
	/* The keyboard's own identity passes through the translator too. */
	outb(b, 0x60, 0xf2);
	cr_assert_eq(receive(), 0xfa);
	cr_assert_eq(receive(), 0xab);
	cr_assert_eq(receive(), 0x41);
	command_with(0x60, 0x04);
	input_key(&input, 0x1e, true);
	input_key(&input, 0x1e, false);
	cr_assert_eq(receive(), 0x1c);
	cr_assert_eq(receive(), 0xf0);
	cr_assert_eq(receive(), 0x1c);
}

/* Every key of set 1 comes back through set 2 and the translator as itself. */
Test(i8042, every_key_survives_both_translations)
{
	start(0x44);
	for (unsigned int key = 1; key < 256; key++) {
		if ((key & 0x7f) == 0 || key == INPUT_KEY_PAUSE || key == INPUT_KEY_PRINT_SCREEN)
			continue;
		input_key(&input, (uint8_t)key, true);
		input_key(&input, (uint8_t)key, false);
		if (key & INPUT_EXTENDED)
			cr_assert_eq(receive(), 0xe0);
		cr_assert_eq(receive(), key & 0x7f, "%02x", key);
		if (key & INPUT_EXTENDED)
			cr_assert_eq(receive(), 0xe0);
		cr_assert_eq(receive(), (key & 0x7f) | 0x80, "%02x", key);
	}
}

Test(i8042, mouse_packets_and_keys_do_not_mix)
{
	start(0x44);
	input_move(&input, 5, -6, 0, INPUT_BUTTON_LEFT);
	cr_assert_eq(receive_from(AUXB), 0x09);
	/* In the middle of the packet a key goes down and the driver sets the LEDs. */
	input_key(&input, 0x1e, true);
	outb(b, 0x60, 0xed);
	cr_assert_eq(receive_from(AUXB), 5);
	cr_assert_eq(receive_from(AUXB), 6);
	cr_assert_eq(receive_from(0), 0xfa);
	outb(b, 0x60, 0x02);
	cr_assert_eq(input.leds, INPUT_LED_NUM);
}

Test(i8042, disabled_interfaces_hold_their_bytes)
{
	start(0x44);
	outb(b, 0x64, 0xad);
	input_key(&input, 0x1e, true);
	input_key(&input, 0x1e, false);
	cr_assert_eq(receive_any(), NOTHING);
	cr_assert_eq(command(0x20), 0x54);
	outb(b, 0x64, 0xae);
	cr_assert_eq(receive(), 0x1e);
	cr_assert_eq(receive(), 0x9e);
	/* A packet that is stopped half-way does not stop the keyboard. */
	input_move(&input, 1, 1, 0, 0);
	receive_from(AUXB);
	outb(b, 0x64, 0xa7);
	input_key(&input, 0x1e, true);
	cr_assert_eq(receive_from(0), 0x1e);
	outb(b, 0x64, 0xa8);
	cr_assert_eq(receive_from(AUXB), 1);
	cr_assert_eq(receive_from(AUXB), 0xff);
}

Test(i8042, sending_enables_the_interface)
{
	flush();
	outb(b, 0x60, 0xee);
	cr_assert_eq(receive(), 0xee);
	cr_assert_eq(command(0x20) & 0x30, 0x20);
	command_with(0xd4, 0xf2);
	cr_assert_eq(receive_from(AUXB), 0xfa);
	cr_assert_eq(receive_from(AUXB), 0x00);
	cr_assert_eq(command(0x20) & 0x30, 0x00);
}

Test(i8042, own_reply_waits_for_a_full_buffer)
{
	start(0x44);
	input_key(&input, 0x1e, true);
	advance(b, BYTE_NS);
	outb(b, 0x64, 0x20);
	cr_assert_eq(receive(), 0x1e);
	cr_assert_eq(receive(), 0x44);
}

Test(i8042, empty_connectors_time_out)
{
	struct bench *other = bench_new();
	unsigned int status;

	bench_add(other, &i8042_class, NULL);
	outb(other, 0x60, 0xff);
	advance(other, NSEC_PER_MSEC);
	status = inb(other, 0x64);
	cr_assert_eq(status & 0x61, 0x41, "%02x: a timeout on the keyboard's side", status);
	cr_assert_eq(inb(other, 0x60), 0xfe);
	outb(other, 0x64, 0xd4);
	outb(other, 0x60, 0xff);
	advance(other, NSEC_PER_MSEC);
	cr_assert_eq(inb(other, 0x64) & 0x61, 0x61);
	cr_assert_eq(inb(other, 0x60), 0xfe);
	bench_free(other);
}

static void save_and_load(struct device *dev, bool wipe)
{
	static uint8_t bytes[8192];
	struct cursor to = cursor_writer(bytes, sizeof(bytes)), from;
	char error[128] = "";

	state_save(dev, &to);
	cr_assert(cursor_ok(&to));
	if (wipe)
		device_reset(dev, RESET_POWER);
	from = cursor_reader(bytes, to.pos);
	cr_assert_eq(state_load(dev, &from, error, sizeof(error)), 0, "%s", error);
	if (dev->class->post_load)
		dev->class->post_load(dev);
	timer_queue_changed(&b->timers);
}

Test(i8042, saved_in_the_middle_of_a_packet_and_a_command)
{
	start(0x47);
	input_move(&input, 5, 0, 0, 0);
	cr_assert_eq(receive_from(AUXB), 0x08);
	input_key(&input, 0x1e, true);
	outb(b, 0x64, 0x60);
	save_and_load(mouse, true);
	save_and_load(keyboard, true);
	save_and_load(kbc, true);
	outb(b, 0x60, 0x45);
	cr_assert_eq(receive_from(AUXB), 5);
	cr_assert_eq(receive_from(AUXB), 0);
	cr_assert_eq(receive_from(0), 0x1e);
	cr_assert_eq(command(0x20), 0x45);
}

Test(i8042, rude_guest_gets_one_reply_and_no_flood)
{
	start(0x47);
	for (unsigned int i = 0; i < 100000; i++) {
		outb(b, 0x64, 0x20);
		outb(b, 0x60, (uint8_t)i);
		outb(b, 0x64, 0xd4);
		outb(b, 0x60, (uint8_t)(i * 5));
	}
	for (unsigned int value = 0; value < 256; value++) {
		outb(b, 0x64, (uint8_t)value);
		advance(b, NSEC_PER_MSEC);
	}
	device_reset(kbc, RESET_HARD);
	device_reset(keyboard, RESET_HARD);
	device_reset(mouse, RESET_HARD);
	cr_assert_not(irq_level(b, 1));
	cr_assert_not(irq_level(b, 12));
	cr_assert_eq(command(0xaa), 0x55);
}
