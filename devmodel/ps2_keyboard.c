// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keyboard with 102 keys: IBM Personal System/2 Hardware Interface Technical Reference, "Keyboards
 * (101- and 102-Key)", with the command set of the 84-key AT keyboard as its subset.
 *
 * Not emulated: the shift codes that a keyboard sends around the grey cursor keys while Num Lock or
 * Shift is on (what reads E0h needs none), and the buffer overrun code: a key is refused before the
 * buffer could not hold its release, so that no key is ever left down in the guest.
 *
 * Keys wait in one FIFO and replies in another, which goes first, but never into the middle of a
 * scan code. The keyboard repeats a held key itself at the rate that the guest has set.
 */
#include "ps2_keyboard.h"

#include "../base/bits.h"
#include "../base/fifo.h"

/* Commands from the controller. */
#define CMD_SET_LEDS 0xed
#define CMD_ECHO 0xee
#define CMD_SCAN_CODE_SET 0xf0
#define CMD_READ_ID 0xf2
#define CMD_TYPEMATIC 0xf3
#define CMD_ENABLE 0xf4
#define CMD_DEFAULT_DISABLE 0xf5
#define CMD_SET_DEFAULT 0xf6
#define CMD_ALL_TYPEMATIC 0xf7
#define CMD_ALL_MAKE_BREAK 0xf8
#define CMD_ALL_MAKE 0xf9
#define CMD_ALL_TYPEMATIC_MAKE_BREAK 0xfa
#define CMD_KEY_TYPEMATIC 0xfb
#define CMD_KEY_MAKE_BREAK 0xfc
#define CMD_KEY_MAKE 0xfd
#define CMD_RESEND 0xfe
#define CMD_RESET 0xff

#define ID_FIRST 0xab
#define ID_SECOND 0x83
/* No parameter is as large as the smallest command. */
#define PARAMETER_MAX (CMD_SET_LEDS - 1)

/* 10.9 characters per second after 500 ms. */
#define TYPEMATIC_DEFAULT 0x2b

/* So many that the state has no padding. */
#define KEYS_BYTES 125
#define REPLY_BYTES 6
#define SEQUENCE_MAX 8
/* What the release of a key takes at most; Print Screen has twice that. */
#define BREAK_BYTES 3

#define SET3_CODES 0x90
#define TYPE_REPEATS 0x01
#define TYPE_BREAKS 0x02

#define KEY_CTRL 0x1d
#define KEY_SHIFT_LEFT 0x2a
#define KEY_SHIFT_RIGHT 0x36
#define KEY_ALT 0x38

enum print_form { PRINT_PLAIN, PRINT_SHIFTED, PRINT_SYSRQ };

struct ps2_keyboard_state {
	uint64_t deadline_ns; /* the next repetition */
	uint8_t down[32];     /* a bit for each key as input.h names it */
	uint8_t set3_types[SET3_CODES];
	FIFO_STORAGE(keys, KEYS_BYTES);
	FIFO_STORAGE(replies, REPLY_BYTES);
	uint8_t in_sequence; /* a scan code from keys is half sent */
	uint8_t last;	     /* for RESEND */
	uint8_t command;     /* waits for its parameter; 0: none */
	uint8_t scanning;
	uint8_t set;
	uint8_t typematic;
	uint8_t leds;
	uint8_t repeat_key; /* 0: none */
	uint8_t print_form; /* how Print Screen went down */
};

struct ps2_keyboard {
	struct device dev;
	struct ps2_keyboard_state s;
	struct vtimer timer;
	struct ps2_port *port;
	struct input *input;
};

/* Set 2 codes by set 1 make code; keys with an E0h prefix keep it. */
static const uint8_t set2_of_set1[128] = {
	0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66,
	0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14,
	0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a,
	0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05,
	0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b,
	0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71, 0x84, 0x60, 0x61, 0x78, 0x07, 0x0f,
	0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x56, 0x5e, 0x08, 0x10, 0x18, 0x20, 0x28,
	0x30, 0x38, 0x40, 0x48, 0x50, 0x57, 0x6f, 0x13, 0x19, 0x39, 0x51, 0x53, 0x5c, 0x5f, 0x62,
	0x63, 0x64, 0x65, 0x67, 0x68, 0x6a, 0x6d, 0x6e,
};

/* Set 3 codes of the keys without a prefix; 0: the key has none. */
static const uint8_t set3_of_set1[128] = {
	0x00, 0x08, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66,
	0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x11,
	0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5c, 0x1a,
	0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7e, 0x19, 0x29, 0x14, 0x07,
	0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x76, 0x5f, 0x6c, 0x75, 0x7d, 0x84,
	0x6b, 0x73, 0x74, 0x7c, 0x69, 0x72, 0x7a, 0x70, 0x71, 0x57, 0x00, 0x13, 0x56, 0x5e, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x87, 0x00, 0x00, 0x51, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x86, 0x00, 0x85, 0x00, 0x5d, 0x00, 0x00,
};

/* Set 3 codes of the keys with a prefix. */
static const struct {
	uint8_t set1, set3;
} set3_extended[] = {
	{ 0x1c, 0x79 }, { 0x1d, 0x58 }, { 0x35, 0x77 }, { 0x37, 0x57 }, { 0x38, 0x39 },
	{ 0x46, 0x62 }, { 0x47, 0x6e }, { 0x48, 0x63 }, { 0x49, 0x6f }, { 0x4b, 0x61 },
	{ 0x4d, 0x6a }, { 0x4f, 0x65 }, { 0x50, 0x60 }, { 0x51, 0x6d }, { 0x52, 0x67 },
	{ 0x53, 0x64 }, { 0x5b, 0x8b }, { 0x5c, 0x8c }, { 0x5d, 0x8d },
};

/* Set 3 keys that at power-on do not just repeat: make and break, or make alone. */
static const uint8_t set3_make_break[] = { 0x11, 0x12, 0x14, 0x19, 0x59 };
static const uint8_t set3_make[] = {
	0x07, 0x08, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x39, 0x3f, 0x47, 0x4f, 0x56,
	0x57, 0x58, 0x5e, 0x5f, 0x62, 0x65, 0x67, 0x69, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f,
	0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x79, 0x7a, 0x7d, 0x7e, 0x84,
};

static const struct state_field ps2_keyboard_fields[] = {
	STATE_FIELD(struct ps2_keyboard, deadline_ns),
	STATE_ARRAY(struct ps2_keyboard, down),
	STATE_ARRAY(struct ps2_keyboard, set3_types, .max = TYPE_REPEATS | TYPE_BREAKS),
	STATE_FIFO(struct ps2_keyboard, keys),
	STATE_FIFO(struct ps2_keyboard, replies),
	STATE_FIELD(struct ps2_keyboard, in_sequence, .max = 1),
	STATE_FIELD(struct ps2_keyboard, last),
	STATE_FIELD(struct ps2_keyboard, command),
	STATE_FIELD(struct ps2_keyboard, scanning, .max = 1),
	STATE_FIELD(struct ps2_keyboard, set, .max = 3),
	STATE_FIELD(struct ps2_keyboard, typematic, .max = 0x7f),
	STATE_FIELD(struct ps2_keyboard, leds, .max = 7),
	STATE_FIELD(struct ps2_keyboard, repeat_key),
	STATE_FIELD(struct ps2_keyboard, print_form, .max = PRINT_SYSRQ),
	STATE_END,
};

/* --- scan codes */

struct sequence {
	uint8_t count;
	uint8_t bytes[SEQUENCE_MAX];
};

static void put(struct sequence *to, uint8_t byte)
{
	to->bytes[to->count++] = byte;
}

static uint8_t set3_code(uint8_t key)
{
	if (!(key & INPUT_EXTENDED))
		return set3_of_set1[key];
	for (unsigned int i = 0; i < ARRAY_LEN(set3_extended); i++) {
		if (set3_extended[i].set1 == (key & 0x7f))
			return set3_extended[i].set3;
	}
	return 0;
}

/* One code of set 1 or 2 with its prefixes. */
static void put_code(struct sequence *to, uint8_t set, uint8_t key, bool down)
{
	uint8_t code = key & 0x7f;

	if (key & INPUT_EXTENDED)
		put(to, 0xe0);
	if (set == 1) {
		put(to, down ? code : code | 0x80);
		return;
	}
	if (!down)
		put(to, 0xf0);
	put(to, set2_of_set1[code]);
}

static bool is_down(const struct ps2_keyboard_state *s, uint8_t key)
{
	return s->down[key / 8] >> (key % 8) & 1;
}

static bool modifier_down(const struct ps2_keyboard_state *s, uint8_t key)
{
	return is_down(s, key) || is_down(s, INPUT_EXTENDED | key);
}

static void put_print_screen(struct sequence *to, struct ps2_keyboard_state *s, bool down)
{
	const uint8_t fake_shift = INPUT_EXTENDED | KEY_SHIFT_LEFT;

	if (down) {
		s->print_form = PRINT_PLAIN;
		if (modifier_down(s, KEY_ALT))
			s->print_form = PRINT_SYSRQ;
		else if (modifier_down(s, KEY_CTRL) || is_down(s, KEY_SHIFT_LEFT) ||
			 is_down(s, KEY_SHIFT_RIGHT))
			s->print_form = PRINT_SHIFTED;
	}
	if (s->print_form == PRINT_SYSRQ) {
		put_code(to, s->set, 0x54, down);
		return;
	}
	if (down && s->print_form == PRINT_PLAIN)
		put_code(to, s->set, fake_shift, true);
	put_code(to, s->set, INPUT_KEY_PRINT_SCREEN, down);
	if (!down && s->print_form == PRINT_PLAIN)
		put_code(to, s->set, fake_shift, false);
}

/* Pause says make and break at once when it goes down, and nothing when it comes up. */
static void put_pause(struct sequence *to, const struct ps2_keyboard_state *s)
{
	if (modifier_down(s, KEY_CTRL)) {
		put_code(to, s->set, INPUT_KEY_PAUSE, true);
		put_code(to, s->set, INPUT_KEY_PAUSE, false);
		return;
	}
	for (unsigned int down = 2; down-- > 0;) {
		put(to, 0xe1);
		put_code(to, s->set, KEY_CTRL, down);
		put_code(to, s->set, 0x45, down);
	}
}

/* What @key says; nothing at all is possible. */
static struct sequence make_sequence(struct ps2_keyboard_state *s, uint8_t key, bool down)
{
	struct sequence sequence = { 0 };

	if (s->set == 3) {
		uint8_t code = set3_code(key);

		if (!code || (!down && !(s->set3_types[code] & TYPE_BREAKS)))
			return sequence;
		if (!down)
			put(&sequence, 0xf0);
		put(&sequence, code);
	} else if (key == INPUT_KEY_PRINT_SCREEN) {
		put_print_screen(&sequence, s, down);
	} else if (key != INPUT_KEY_PAUSE) {
		put_code(&sequence, s->set, key, down);
	} else if (down) {
		put_pause(&sequence, s);
	}
	return sequence;
}

static void push_sequence(struct ps2_keyboard *kbd, const struct sequence *sequence)
{
	for (unsigned int i = 0; i < sequence->count; i++)
		fifo_push(FIFO(&kbd->s, keys), sequence->bytes[i]);
	if (sequence->count)
		ps2_ready(kbd->port);
}

/* --- repetition */

static uint64_t repeat_delay_ns(const struct ps2_keyboard_state *s)
{
	return ((s->typematic >> 5) + UINT64_C(1)) * 250 * NSEC_PER_MSEC;
}

/* (8 + A) * 2^B units of 1/240 s, A being bits 2:0 and B bits 4:3. */
static uint64_t repeat_period_ns(const struct ps2_keyboard_state *s)
{
	uint64_t units = (8u + (s->typematic & 7u)) << (s->typematic >> 3 & 3);

	return units * NSEC_PER_SEC / 240;
}

static void stop_repeat(struct ps2_keyboard *kbd)
{
	kbd->s.repeat_key = 0;
	timer_cancel(&kbd->timer);
}

static void start_repeat(struct ps2_keyboard *kbd, uint8_t key)
{
	const struct ps2_keyboard_state *s = &kbd->s;

	stop_repeat(kbd);
	if (key == INPUT_KEY_PAUSE ||
	    (s->set == 3 && !(s->set3_types[set3_code(key)] & TYPE_REPEATS)))
		return;
	kbd->s.repeat_key = key;
	timer_arm(&kbd->timer, timer_now(&kbd->timer) + repeat_delay_ns(s));
}

static void ps2_keyboard_expired(struct device *dev)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);
	struct ps2_keyboard_state *s = &kbd->s;
	struct sequence sequence;

	if (!s->repeat_key || !s->scanning)
		return;
	/* A guest that does not read gets no backlog of repetitions. */
	if (!fifo_count(FIFO(s, keys))) {
		/* Print Screen repeats without the shift that its first code pressed. */
		sequence = (struct sequence){ 0 };
		if (s->repeat_key == INPUT_KEY_PRINT_SCREEN && s->set != 3)
			put_code(&sequence, s->set,
				 s->print_form == PRINT_SYSRQ ? 0x54 : s->repeat_key, true);
		else
			sequence = make_sequence(s, s->repeat_key, true);
		push_sequence(kbd, &sequence);
	}
	timer_arm(&kbd->timer, timer_now(&kbd->timer) + repeat_period_ns(s));
}

/* --- keys */

static unsigned int keys_down(const struct ps2_keyboard_state *s)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < sizeof(s->down); i++)
		count += (unsigned int)__builtin_popcount(s->down[i]);
	return count;
}

/* Room for @key's code and the release of all keys that are then down. */
static bool has_room(struct ps2_keyboard_state *s, unsigned int count)
{
	return fifo_room(FIFO(s, keys)) >= count + (keys_down(s) + 2) * BREAK_BYTES;
}

static bool key_down(struct ps2_keyboard *kbd, uint8_t key)
{
	struct ps2_keyboard_state *s = &kbd->s;
	struct sequence sequence = { 0 };

	if (s->scanning) {
		sequence = make_sequence(s, key, true);
		if (!has_room(s, sequence.count))
			return false;
		push_sequence(kbd, &sequence);
		start_repeat(kbd, key);
	}
	s->down[key / 8] |= (uint8_t)BIT(key % 8);
	return true;
}

static void key_up(struct ps2_keyboard *kbd, uint8_t key)
{
	struct ps2_keyboard_state *s = &kbd->s;
	struct sequence sequence;

	s->down[key / 8] &= (uint8_t)~BIT(key % 8);
	if (s->repeat_key == key)
		stop_repeat(kbd);
	if (!s->scanning)
		return;
	sequence = make_sequence(s, key, false);
	push_sequence(kbd, &sequence);
}

static bool ps2_keyboard_key(struct device *dev, uint8_t key, bool down)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);

	if (!(key & 0x7f) || is_down(&kbd->s, key) == down)
		return true;
	if (down)
		return key_down(kbd, key);
	key_up(kbd, key);
	return true;
}

static void ps2_keyboard_release_all(struct device *dev)
{
	for (unsigned int key = 0; key < 256; key++)
		ps2_keyboard_key(dev, (uint8_t)key, false);
}

/* --- commands */

static void answer(struct ps2_keyboard *kbd, uint8_t byte)
{
	fifo_push(FIFO(&kbd->s, replies), byte);
	ps2_ready(kbd->port);
}

static void clear_keys(struct ps2_keyboard *kbd)
{
	fifo_clear(FIFO(&kbd->s, keys));
	kbd->s.in_sequence = 0;
	stop_repeat(kbd);
}

static void set_all_types(struct ps2_keyboard_state *s, uint8_t type)
{
	for (unsigned int i = 0; i < SET3_CODES; i++)
		s->set3_types[i] = type;
}

static void set_leds(struct ps2_keyboard *kbd, uint8_t leds)
{
	kbd->s.leds = leds;
	input_set_leds(kbd->input, leds);
}

static void set_defaults(struct ps2_keyboard *kbd)
{
	struct ps2_keyboard_state *s = &kbd->s;

	clear_keys(kbd);
	s->typematic = TYPEMATIC_DEFAULT;
	s->set = 2;
	set_all_types(s, TYPE_REPEATS);
	for (unsigned int i = 0; i < ARRAY_LEN(set3_make_break); i++)
		s->set3_types[set3_make_break[i]] = TYPE_BREAKS;
	for (unsigned int i = 0; i < ARRAY_LEN(set3_make); i++)
		s->set3_types[set3_make[i]] = 0;
}

/* FBh to FDh: how one key of set 3 behaves. More may follow until the next command. */
static void set_key_type(struct ps2_keyboard *kbd, uint8_t command, uint8_t code)
{
	static const uint8_t types[] = { TYPE_REPEATS, TYPE_BREAKS, 0 };

	if (code >= SET3_CODES) {
		answer(kbd, PS2_RESEND);
		return;
	}
	kbd->s.set3_types[code] = types[command - CMD_KEY_TYPEMATIC];
	answer(kbd, PS2_ACK);
}

/* Takes the parameter of the command that waits; false: it stays and waits on. */
static bool take_parameter(struct ps2_keyboard *kbd, uint8_t value)
{
	struct ps2_keyboard_state *s = &kbd->s;

	switch (s->command) {
	case CMD_SET_LEDS:
		set_leds(kbd, value & 7);
		answer(kbd, PS2_ACK);
		return true;
	case CMD_TYPEMATIC:
		s->typematic = value & 0x7f;
		answer(kbd, PS2_ACK);
		return true;
	case CMD_SCAN_CODE_SET:
		if (value > 3) {
			answer(kbd, PS2_RESEND);
			return false;
		}
		answer(kbd, PS2_ACK);
		if (value) {
			clear_keys(kbd);
			s->set = value;
		} else {
			answer(kbd, s->set);
		}
		return true;
	default:
		set_key_type(kbd, s->command, value);
		return false;
	}
}

static void run_command(struct ps2_keyboard *kbd, uint8_t command)
{
	static const uint8_t all_types[] = { TYPE_REPEATS, TYPE_BREAKS, 0,
					     TYPE_REPEATS | TYPE_BREAKS };
	struct ps2_keyboard_state *s = &kbd->s;

	switch (command) {
	case CMD_ECHO:
		answer(kbd, CMD_ECHO);
		return;
	case CMD_RESEND:
		answer(kbd, s->last);
		return;
	case CMD_KEY_TYPEMATIC ... CMD_KEY_MAKE:
		clear_keys(kbd);
		s->command = command;
		break;
	case CMD_SET_LEDS:
	case CMD_SCAN_CODE_SET:
	case CMD_TYPEMATIC:
		s->command = command;
		break;
	case CMD_READ_ID:
		answer(kbd, PS2_ACK);
		answer(kbd, ID_FIRST);
		answer(kbd, ID_SECOND);
		return;
	case CMD_ENABLE:
		clear_keys(kbd);
		s->scanning = 1;
		break;
	case CMD_DEFAULT_DISABLE:
		set_defaults(kbd);
		s->scanning = 0;
		break;
	case CMD_SET_DEFAULT:
		set_defaults(kbd);
		break;
	case CMD_ALL_TYPEMATIC ... CMD_ALL_TYPEMATIC_MAKE_BREAK:
		clear_keys(kbd);
		set_all_types(s, all_types[command - CMD_ALL_TYPEMATIC]);
		break;
	case CMD_RESET:
		set_defaults(kbd);
		set_leds(kbd, 0);
		s->scanning = 1;
		answer(kbd, PS2_ACK);
		answer(kbd, PS2_BAT_OK);
		return;
	default:
		answer(kbd, PS2_RESEND);
		return;
	}
	answer(kbd, PS2_ACK);
}

static void ps2_keyboard_send(struct device *dev, uint8_t byte)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);
	struct ps2_keyboard_state *s = &kbd->s;

	/* Whoever sends again did not want the rest of the answer. */
	fifo_clear(FIFO(s, replies));
	if (s->command && byte <= PARAMETER_MAX) {
		if (take_parameter(kbd, byte))
			s->command = 0;
		return;
	}
	/* RESEND asks for the answer to the command again, which still wants its parameter. */
	if (byte != CMD_RESEND)
		s->command = 0;
	run_command(kbd, byte);
}

static bool ps2_keyboard_pending(struct device *dev)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);

	return fifo_count(FIFO(&kbd->s, replies)) || fifo_count(FIFO(&kbd->s, keys));
}

static uint8_t ps2_keyboard_take(struct device *dev, bool *ret_more)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);
	struct ps2_keyboard_state *s = &kbd->s;
	uint8_t byte = 0;

	if (!s->in_sequence && fifo_pop(FIFO(s, replies), &byte)) {
		*ret_more = fifo_count(FIFO(s, replies));
	} else {
		fifo_pop(FIFO(s, keys), &byte);
		*ret_more =
			(byte == 0xe0 || byte == 0xe1 || byte == 0xf0) && fifo_count(FIFO(s, keys));
		s->in_sequence = *ret_more;
	}
	s->last = byte;
	return byte;
}

/* --- life */

static const struct ps2_device_ops ps2_keyboard_ops = {
	.send = ps2_keyboard_send,
	.pending = ps2_keyboard_pending,
	.take = ps2_keyboard_take,
};

static const struct input_keyboard_ops ps2_keyboard_input_ops = {
	.key = ps2_keyboard_key,
	.release_all = ps2_keyboard_release_all,
};

static int ps2_keyboard_init(struct device *dev, const void *config)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);
	const struct ps2_keyboard_config *cable = config;

	kbd->port = cable->port;
	kbd->input = cable->input;
	timer_init(&kbd->timer, dev->env->timers, dev, &kbd->s.deadline_ns, ps2_keyboard_expired);
	ps2_attach(kbd->port, dev, &ps2_keyboard_ops);
	input_attach_keyboard(kbd->input, dev, &ps2_keyboard_input_ops);
	return 0;
}

static void ps2_keyboard_reset(struct device *dev, enum reset_kind kind)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);

	(void)kind;
	kbd->s = (struct ps2_keyboard_state){ .deadline_ns = TIMER_OFF, .scanning = 1 };
	set_defaults(kbd);
	set_leds(kbd, 0);
	answer(kbd, PS2_BAT_OK);
}

static bool ps2_keyboard_check(const void *state)
{
	struct ps2_keyboard_state s = *(const struct ps2_keyboard_state *)state;

	return fifo_valid(FIFO(&s, keys)) && fifo_valid(FIFO(&s, replies)) && s.set >= 1 &&
	       (!s.command || s.command == CMD_SET_LEDS || s.command == CMD_SCAN_CODE_SET ||
		s.command == CMD_TYPEMATIC ||
		(s.command >= CMD_KEY_TYPEMATIC && s.command <= CMD_KEY_MAKE));
}

static void ps2_keyboard_post_load(struct device *dev)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);

	input_set_leds(kbd->input, kbd->s.leds);
}

static void ps2_keyboard_fini(struct device *dev)
{
	struct ps2_keyboard *kbd = container_of(dev, struct ps2_keyboard, dev);

	timer_fini(&kbd->timer);
	ps2_attach(kbd->port, NULL, NULL);
	input_attach_keyboard(kbd->input, NULL, NULL);
}

static const struct ps2_keyboard_config ps2_keyboard_default = { .port = NULL };

const struct device_class ps2_keyboard_class = {
	.name = "ps2_keyboard",
	.summary = "keyboard with 102 keys",
	DEVICE_STATE(struct ps2_keyboard),
	.fields = ps2_keyboard_fields,
	.default_config = &ps2_keyboard_default,
	.init = ps2_keyboard_init,
	.reset = ps2_keyboard_reset,
	.check = ps2_keyboard_check,
	.post_load = ps2_keyboard_post_load,
	.fini = ps2_keyboard_fini,
};
