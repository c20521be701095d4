// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The absolute pointer of VMware's backdoor, for guests that have its driver (VMware Tools for
 * Windows NT and later, the vmmouse drivers of X.Org and Linux).
 *
 * Source: what those free drivers do (X.Org xf86-input-vmmouse, Linux drivers/input/mouse/vmmouse.c):
 * a 32-bit read of port 5658h with a magic number in EAX and a command in ECX, arguments and results
 * in the other general registers. Only the commands of the pointer and the version are here: no other
 * part of the backdoor tells a guest anything.
 *
 * Theory of operation
 *
 * The driver enables the pointer, reads one word that says what protocol it is, and asks for
 * absolute mode. Then each event is four words in a queue, and a movement of the PS/2 mouse, which
 * the driver ignores as such, interrupts to have them read. A full queue loses the oldest event.
 */
#include "vmmouse.h"

#include <string.h>

#include "../base/bits.h"
#include "input.h"

#define PORT 0x5658
#define MAGIC 0x564d5868u
#define NOTHING 0xffffffffu

/* Commands, in the low half of ECX. */
#define GET_VERSION 10
#define ABSPOINTER_DATA 39
#define ABSPOINTER_STATUS 40
#define ABSPOINTER_COMMAND 41

/* Of ABSPOINTER_COMMAND, in EBX. */
#define COMMAND_READ_ID 0x45414552u
#define COMMAND_DISABLE 0x000000f5u
#define COMMAND_RELATIVE 0x4c455252u
#define COMMAND_ABSOLUTE 0x53424152u

#define BACKDOOR_VERSION 6
#define PROTOCOL_ID 0x3442554au
#define STATUS_ERROR 0xffff0000u

#define BUTTON_LEFT 0x20u
#define BUTTON_RIGHT 0x10u
#define BUTTON_MIDDLE 0x08u

#define EVENT_WORDS 4u
#define QUEUE_WORDS (64 * EVENT_WORDS)
#define DATA_WORDS_MAX 6u

struct vmmouse_state {
	uint32_t queue[QUEUE_WORDS];
	uint16_t head, count; /* words */
	uint8_t enabled, absolute;
	uint8_t nudge; /* which way the PS/2 mouse moves next */
	uint8_t reserved;
};

struct vmmouse {
	struct device dev;
	struct vmmouse_state s;
	struct input *input;
};

static const struct state_field vmmouse_fields[] = {
	STATE_ARRAY(struct vmmouse, queue),
	STATE_FIELD(struct vmmouse, head, .max = QUEUE_WORDS - 1),
	STATE_FIELD(struct vmmouse, count, .max = QUEUE_WORDS),
	STATE_FIELD(struct vmmouse, enabled, .max = 1),
	STATE_FIELD(struct vmmouse, absolute, .max = 1),
	STATE_FIELD(struct vmmouse, nudge, .max = 1),
	STATE_FIELD(struct vmmouse, reserved),
	STATE_END,
};

static struct vmmouse *vmmouse_of(struct device *dev)
{
	return container_of(dev, struct vmmouse, dev);
}

/* --- the queue */

static void clear(struct vmmouse_state *s)
{
	s->head = 0;
	s->count = 0;
}

static void push(struct vmmouse_state *s, const uint32_t *words, unsigned int count)
{
	if (s->count + count > QUEUE_WORDS) {
		s->head = (uint16_t)((s->head + count) % QUEUE_WORDS);
		s->count = (uint16_t)(s->count - count);
	}
	for (unsigned int i = 0; i < count; i++)
		s->queue[(s->head + s->count++) % QUEUE_WORDS] = words[i];
}

static uint32_t pop(struct vmmouse_state *s)
{
	uint32_t word;

	if (!s->count)
		return 0;
	word = s->queue[s->head];
	s->head = (uint16_t)((s->head + 1u) % QUEUE_WORDS);
	s->count--;
	return word;
}

/* --- commands */

static void run_command(struct vmmouse_state *s, uint32_t command)
{
	static const uint32_t id = PROTOCOL_ID;

	switch (command) {
	case COMMAND_READ_ID:
		s->enabled = 1;
		s->absolute = 0;
		clear(s);
		push(s, &id, 1);
		break;
	case COMMAND_DISABLE:
		s->enabled = 0;
		s->absolute = 0;
		clear(s);
		break;
	case COMMAND_ABSOLUTE:
		s->absolute = s->enabled;
		break;
	case COMMAND_RELATIVE:
		/* The PS/2 mouse is there for that. */
		s->absolute = 0;
		break;
	}
}

static uint32_t give_data(struct vmmouse_state *s, struct device_registers *r)
{
	uint32_t words[DATA_WORDS_MAX] = { 0 };
	uint32_t count = r->ebx;

	if (!count || count > DATA_WORDS_MAX || count > s->count) {
		/* What the driver expects is not there: it starts again from the beginning. */
		run_command(s, COMMAND_DISABLE);
		return NOTHING;
	}
	for (uint32_t i = 0; i < count; i++)
		words[i] = pop(s);
	r->ebx = words[1];
	r->ecx = words[2];
	r->edx = words[3];
	r->esi = words[4];
	r->edi = words[5];
	return words[0];
}

/* The result in EAX; the others in @r. */
static uint32_t backdoor(struct vmmouse *mouse, struct device_registers *r)
{
	struct vmmouse_state *s = &mouse->s;

	switch (r->ecx & 0xffff) {
	case GET_VERSION:
		r->ebx = MAGIC;
		return BACKDOOR_VERSION;
	case ABSPOINTER_DATA:
		return give_data(s, r);
	case ABSPOINTER_STATUS:
		return s->enabled ? s->count : STATUS_ERROR;
	case ABSPOINTER_COMMAND:
		run_command(s, r->ebx);
		return 0;
	}
	return NOTHING;
}

static uint32_t vmmouse_read(struct device *dev, uint32_t offset, unsigned int size)
{
	struct device_env *env = dev->env;
	struct device_registers registers;
	uint32_t result;

	if (offset || size != 4 || !env->get_registers || !env->get_registers(env, &registers) ||
	    registers.eax != MAGIC)
		return mask32(size * 8);
	result = backdoor(vmmouse_of(dev), &registers);
	env->set_registers(env, &registers);
	return result;
}

static void vmmouse_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	(void)dev;
	(void)offset;
	(void)size;
	(void)value;
}

/* --- the person's side */

static bool vmmouse_wanted(struct device *dev)
{
	return vmmouse_of(dev)->s.absolute;
}

static void vmmouse_move_to(struct device *dev, uint32_t x, uint32_t y, int32_t wheel,
			    uint32_t buttons)
{
	struct vmmouse *mouse = vmmouse_of(dev);
	const uint32_t event[EVENT_WORDS] = {
		(buttons & INPUT_BUTTON_LEFT ? BUTTON_LEFT : 0) |
			(buttons & INPUT_BUTTON_RIGHT ? BUTTON_RIGHT : 0) |
			(buttons & INPUT_BUTTON_MIDDLE ? BUTTON_MIDDLE : 0),
		(uint32_t)min_u64(x, INPUT_POSITION_MAX),
		(uint32_t)min_u64(y, INPUT_POSITION_MAX),
		(uint8_t)wheel,
	};

	if (!mouse->s.absolute)
		return;
	push(&mouse->s, event, EVENT_WORDS);
	mouse->s.nudge ^= 1;
	input_move(mouse->input, mouse->s.nudge ? 1 : -1, 0, 0, 0);
}

static const struct input_absolute_ops vmmouse_input_ops = {
	.wanted = vmmouse_wanted,
	.move_to = vmmouse_move_to,
};

/* --- life */

static int vmmouse_init(struct device *dev, const void *config)
{
	struct vmmouse *mouse = vmmouse_of(dev);

	mouse->input = ((const struct vmmouse_config *)config)->input;
	input_attach_absolute(mouse->input, dev, &vmmouse_input_ops);
	return 0;
}

static void vmmouse_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	vmmouse_of(dev)->s = (struct vmmouse_state){ 0 };
}

static void vmmouse_fini(struct device *dev)
{
	input_attach_absolute(vmmouse_of(dev)->input, NULL, NULL);
}

static const struct io_region_desc vmmouse_regions[] = {
	{
		.name = "backdoor",
		.space = IO_PORT,
		.base = PORT,
		.length = 4,
		.read = vmmouse_read,
		.write = vmmouse_write,
	},
	{ .name = NULL },
};

static const struct vmmouse_config vmmouse_default = { .input = NULL };

const struct device_class vmmouse_class = {
	.name = "vmmouse",
	.summary = "absolute pointer of VMware's backdoor",
	DEVICE_STATE(struct vmmouse),
	.regions = vmmouse_regions,
	.fields = vmmouse_fields,
	.default_config = &vmmouse_default,
	.init = vmmouse_init,
	.reset = vmmouse_reset,
	.fini = vmmouse_fini,
};
