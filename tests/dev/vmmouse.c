// SPDX-License-Identifier: GPL-2.0-or-later
/* The absolute pointer as its drivers use it. */
#include <criterion/criterion.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/cursor.h"
#include "../../devmodel/input.h"
#include "../../devmodel/vmmouse.h"

#define PORT 0x5658
#define MAGIC 0x564d5868u
#define VERSION 10
#define DATA 39
#define STATUS 40
#define COMMAND 41
#define ENABLE 0x45414552u
#define DISABLE 0xf5u
#define ABSOLUTE 0x53424152u
#define RELATIVE 0x4c455252u
#define ERROR 0xffff0000u

static struct device_registers registers;
static struct input input;
static struct {
	unsigned int moves;
	int32_t x;
} ps2;

static bool get_registers(struct device_env *env, struct device_registers *ret_registers)
{
	(void)env;
	*ret_registers = registers;
	return true;
}

static void set_registers(struct device_env *env, const struct device_registers *r)
{
	(void)env;
	registers = *r;
}

static void ps2_move(struct device *dev, int32_t dx, int32_t dy, int32_t wheel, uint32_t buttons)
{
	(void)dev;
	cr_assert(dx && !dy && !wheel && !buttons);
	ps2.moves++;
	ps2.x += dx;
}

static const struct input_pointer_ops ps2_ops = { .move = ps2_move };

static struct device *make(struct bench *b)
{
	const struct vmmouse_config config = { .input = &input };

	b->env.get_registers = get_registers;
	b->env.set_registers = set_registers;
	input_attach_pointer(&input, (struct device *)&ps2, &ps2_ops);
	return bench_add(b, &vmmouse_class, &config);
}

/* The guest's IN EAX, DX. */
static uint32_t call(struct bench *b, uint32_t command, uint32_t argument)
{
	registers = (struct device_registers){
		.eax = MAGIC, .ebx = argument, .ecx = command, .edx = PORT
	};
	return inl(b, PORT);
}

static void driver_enables(struct bench *b)
{
	call(b, COMMAND, ENABLE);
	cr_assert_eq(call(b, STATUS, 0), 1);
	cr_assert_eq(call(b, DATA, 1), 0x3442554a);
	call(b, COMMAND, ABSOLUTE);
}

Test(vmmouse, drivers_find_it_and_nobody_else_does)
{
	struct bench *b = bench_new();

	make(b);
	cr_assert_eq(call(b, VERSION, 0), 6);
	cr_assert_eq(registers.ebx, MAGIC);
	cr_assert_eq(call(b, 1, 0), 0xffffffff, "no other command");
	registers.eax = 0;
	registers.ecx = VERSION;
	cr_assert_eq(inl(b, PORT), 0xffffffff, "no magic");
	registers.eax = MAGIC;
	cr_assert_eq(inb(b, PORT), 0xff);
	cr_assert_eq(inw(b, PORT), 0xffff);
	outl(b, PORT, MAGIC);
	b->env.get_registers = NULL;
	cr_assert_eq(inl(b, PORT), 0xffffffff, "no processor");
	bench_free(b);
}

Test(vmmouse, events_are_four_words_each_and_interrupt_by_the_mouse)
{
	struct bench *b = bench_new();

	make(b);
	cr_assert_not(input_wants_positions(&input));
	input_move_to(&input, 1, 1, 0, 0);
	cr_assert_eq(call(b, STATUS, 0), ERROR, "not enabled");
	driver_enables(b);
	cr_assert(input_wants_positions(&input));
	cr_assert_eq(call(b, STATUS, 0), 0);
	input_move_to(&input, 0x1234, 0xfffe, -1, INPUT_BUTTON_LEFT | INPUT_BUTTON_MIDDLE);
	input_move_to(&input, 7, 8, 0, INPUT_BUTTON_RIGHT);
	cr_assert_eq(ps2.moves, 2);
	cr_assert_eq(ps2.x, 0, "there and back again");
	cr_assert_eq(call(b, STATUS, 0), 8);
	cr_assert_eq(call(b, DATA, 4), 0x28);
	cr_assert_eq(registers.ebx, 0x1234);
	cr_assert_eq(registers.ecx, 0xfffe);
	cr_assert_eq(registers.edx, 0xff);
	cr_assert_eq(call(b, DATA, 4), 0x10);
	cr_assert_eq(call(b, STATUS, 0), 0);
	call(b, COMMAND, RELATIVE);
	cr_assert_not(input_wants_positions(&input));
	call(b, COMMAND, ABSOLUTE);
	cr_assert(input_wants_positions(&input));
	call(b, COMMAND, DISABLE);
	cr_assert_not(input_wants_positions(&input));
	call(b, COMMAND, ABSOLUTE);
	cr_assert_not(input_wants_positions(&input), "not before it is enabled");
	bench_free(b);
	cr_assert_null(input.absolute);
}

Test(vmmouse, a_driver_that_does_not_read_loses_the_oldest)
{
	struct bench *b = bench_new();

	make(b);
	driver_enables(b);
	for (uint16_t i = 0; i < 100; i++)
		input_move_to(&input, i, 0, 0, 0);
	cr_assert_eq(call(b, STATUS, 0), 256);
	call(b, DATA, 4);
	cr_assert_eq(registers.ebx, 36);
	bench_free(b);
}

Test(vmmouse, reading_what_is_not_there_disables)
{
	static const uint32_t bad[] = { 0, 1, 4, 7, 0xffffffff };
	struct bench *b = bench_new();

	make(b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		driver_enables(b);
		cr_assert_eq(call(b, DATA, bad[i]), 0xffffffff);
		cr_assert_eq(call(b, STATUS, 0), ERROR);
	}
	bench_free(b);
}

Test(vmmouse, queue_survives_saving_and_not_a_reset)
{
	static uint8_t bytes[65536];
	struct bench *b = bench_new();
	struct device *dev = make(b);
	struct cursor c = cursor_writer(bytes, sizeof(bytes));
	char error[128];

	driver_enables(b);
	input_move_to(&input, 5, 6, 0, 0);
	state_save(dev, &c);
	cr_assert(cursor_ok(&c));
	device_reset(dev, RESET_HARD);
	cr_assert_eq(call(b, STATUS, 0), ERROR);
	c = cursor_reader(bytes, sizeof(bytes));
	cr_assert_eq(state_load(dev, &c, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(call(b, STATUS, 0), 4);
	call(b, DATA, 4);
	cr_assert_eq(registers.ebx, 5);
	bench_free(b);
}

Test(vmmouse, rude_guest)
{
	struct bench *b = bench_new();
	uint64_t seed = 3;

	make(b);
	for (unsigned int i = 0; i < 100000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		if (seed >> 60 == 0)
			input_move_to(&input, (uint16_t)(seed >> 40), (uint16_t)(seed >> 20), 0, 1);
		else
			call(b, 38 + (uint32_t)(seed >> 62),
			     (uint32_t)(seed >> 34) % 9 ? (uint32_t)(seed >> 50) % 8 : ENABLE);
	}
	driver_enables(b);
	bench_free(b);
}
