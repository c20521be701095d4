// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PS/2 mouse with wheel and five buttons: IBM Personal System/2 Hardware Interface Technical
 * Reference, "Mouse"; the wheel and the buttons four and five as Microsoft's IntelliMouse (sample
 * rates 200, 100, 80 in a row unlock them) and IntelliMouse Explorer (200, 200, 80) do.
 *
 * Not emulated: the resolution, which is kept and reported but does not change the motion; the
 * viewer's counts are the mouse's counts.
 *
 * Motion and buttons wait in a queue of events; an event is motion that ended with certain buttons
 * down. More motion with the same buttons joins the last event, and when the queue is full the last
 * event takes the new buttons, so that a slow guest loses clicks beyond the queue's length but
 * never the buttons' present state. A packet is made of the first event, not before a sample period
 * has passed since the packet before; what does not fit into its nine bits stays for the next. The
 * overflow bits are therefore never set.
 */
#include "ps2_mouse.h"

#include "../base/bits.h"
#include "../base/fifo.h"

#define CMD_SCALING_1_1 0xe6
#define CMD_SCALING_2_1 0xe7
#define CMD_SET_RESOLUTION 0xe8
#define CMD_STATUS 0xe9
#define CMD_STREAM 0xea
#define CMD_READ_DATA 0xeb
#define CMD_RESET_WRAP 0xec
#define CMD_SET_WRAP 0xee
#define CMD_REMOTE 0xf0
#define CMD_READ_ID 0xf2
#define CMD_SET_RATE 0xf3
#define CMD_ENABLE 0xf4
#define CMD_DISABLE 0xf5
#define CMD_SET_DEFAULT 0xf6
#define CMD_RESEND 0xfe
#define CMD_RESET 0xff

/* First byte of a packet; the buttons are as in input.h. */
#define P_ALWAYS BIT(3)
#define P_X_SIGN BIT(4)
#define P_Y_SIGN BIT(5)

/* First byte of the status report. */
#define STATUS_REMOTE BIT(6)
#define STATUS_ENABLED BIT(5)
#define STATUS_SCALING BIT(4)
#define STATUS_LEFT BIT(2)
#define STATUS_MIDDLE BIT(1)
#define STATUS_RIGHT BIT(0)

#define ID_PLAIN 0
#define ID_WHEEL 3
#define ID_EXPLORER 4

#define RATE_DEFAULT 100
#define RESOLUTION_DEFAULT 2

#define EVENTS 16
#define MOTION_MAX 32767
/* What nine bits with a sign hold, whatever the sign. */
#define PACKET_MOTION_MAX 255
#define PACKET_WHEEL_MAX 7
#define BUTTONS_PLAIN 0x07u
#define BUTTONS_ALL 0x1fu
/* Twice what is needed, so that the state has no padding. */
#define REPLY_BYTES 10

struct mouse_event {
	int32_t dx, dy, wheel;
	uint32_t buttons;
};

struct ps2_mouse_state {
	uint64_t deadline_ns; /* when a packet may be made of what waits */
	uint64_t next_packet_ns;
	struct mouse_event events[EVENTS];
	uint8_t first_event, event_count;
	uint8_t buttons; /* down now */
	FIFO_STORAGE(replies, REPLY_BYTES);
	uint8_t packet[4];
	uint8_t packet_size, packet_sent; /* equal: none on its way */
	uint8_t last;			  /* for RESEND */
	uint8_t command;		  /* waits for its parameter; 0: none */
	uint8_t failed;			  /* the previous byte was no command */
	uint8_t enabled, remote, wrap, scaling, resolution, rate, id;
	uint8_t knock; /* how many of the three rates came: bits 3:0 wheel, 7:4 Explorer */
};

struct ps2_mouse {
	struct device dev;
	struct ps2_mouse_state s;
	struct vtimer timer;
	struct ps2_port *port;
	struct input *input;
};

static const struct state_field event_fields[] = {
	STATE_SUBFIELD(struct mouse_event, dx),
	STATE_SUBFIELD(struct mouse_event, dy),
	STATE_SUBFIELD(struct mouse_event, wheel),
	STATE_SUBFIELD(struct mouse_event, buttons, .max = BUTTONS_ALL),
	STATE_END,
};

static const struct state_field ps2_mouse_fields[] = {
	STATE_FIELD(struct ps2_mouse, deadline_ns),
	STATE_FIELD(struct ps2_mouse, next_packet_ns),
	STATE_STRUCTS(struct ps2_mouse, events, event_fields),
	STATE_FIELD(struct ps2_mouse, first_event, .max = EVENTS - 1),
	STATE_FIELD(struct ps2_mouse, event_count, .max = EVENTS),
	STATE_FIELD(struct ps2_mouse, buttons, .max = BUTTONS_ALL),
	STATE_FIFO(struct ps2_mouse, replies),
	STATE_ARRAY(struct ps2_mouse, packet),
	STATE_FIELD(struct ps2_mouse, packet_size, .max = 4),
	STATE_FIELD(struct ps2_mouse, packet_sent, .max = 4),
	STATE_FIELD(struct ps2_mouse, last),
	STATE_FIELD(struct ps2_mouse, command),
	STATE_FIELD(struct ps2_mouse, failed, .max = 1),
	STATE_FIELD(struct ps2_mouse, enabled, .max = 1),
	STATE_FIELD(struct ps2_mouse, remote, .max = 1),
	STATE_FIELD(struct ps2_mouse, wrap, .max = 1),
	STATE_FIELD(struct ps2_mouse, scaling, .max = 1),
	STATE_FIELD(struct ps2_mouse, resolution, .max = 3),
	STATE_FIELD(struct ps2_mouse, rate, .max = 200),
	STATE_FIELD(struct ps2_mouse, id, .max = ID_EXPLORER),
	STATE_FIELD(struct ps2_mouse, knock, .max = 0x22),
	STATE_END,
};

/* --- events */

static int32_t clamp(int64_t value, int32_t limit)
{
	if (value > limit)
		return limit;
	return value < -limit ? -limit : (int32_t)value;
}

static struct mouse_event *event_at(struct ps2_mouse_state *s, unsigned int i)
{
	return &s->events[(s->first_event + i) % EVENTS];
}

static void add_event(struct ps2_mouse_state *s, int32_t dx, int32_t dy, int32_t wheel)
{
	struct mouse_event *last = s->event_count ? event_at(s, s->event_count - 1u) : NULL;

	if (!last || (last->buttons != s->buttons && s->event_count < EVENTS)) {
		last = event_at(s, s->event_count++);
		*last = (struct mouse_event){ 0 };
	}
	last->dx = clamp((int64_t)last->dx + dx, MOTION_MAX);
	last->dy = clamp((int64_t)last->dy + dy, MOTION_MAX);
	last->wheel = clamp((int64_t)last->wheel + wheel, MOTION_MAX);
	last->buttons = s->buttons;
}

static void drop_events(struct ps2_mouse_state *s)
{
	s->first_event = 0;
	s->event_count = 0;
	for (unsigned int i = 0; i < EVENTS; i++)
		s->events[i] = (struct mouse_event){ 0 };
}

/* --- packets */

/* What 2:1 scaling makes of small counts; larger ones double. */
static int32_t scale(int32_t counts)
{
	static const uint8_t small[] = { 0, 1, 1, 3, 6, 9 };
	int32_t size = counts < 0 ? -counts : counts;

	size = size < (int32_t)ARRAY_LEN(small) ? small[size] : 2 * size;
	return counts < 0 ? -size : size;
}

/* Takes up to a packet's worth from *@counts. */
static int32_t take_motion(const struct ps2_mouse_state *s, int32_t *counts)
{
	/* Scaling applies to what the mouse sends by itself only. */
	bool scaled = s->scaling && !s->remote;
	int32_t now = clamp(*counts, scaled ? PACKET_MOTION_MAX / 2 : PACKET_MOTION_MAX);

	*counts -= now;
	return scaled ? scale(now) : now;
}

static uint8_t fourth_byte(const struct ps2_mouse_state *s, int32_t wheel, uint32_t buttons)
{
	if (s->id == ID_WHEEL)
		return (uint8_t)wheel;
	/* Buttons four and five are bits 4 and 5 here. */
	return (uint8_t)((wheel & 15) | (buttons & (BUTTONS_ALL & ~BUTTONS_PLAIN)) << 1);
}

/* Makes the next packet of the first event, or of none; its size. */
static uint8_t make_packet(struct ps2_mouse_state *s, uint8_t packet[4])
{
	struct mouse_event none = { .buttons = s->buttons };
	struct mouse_event *event = s->event_count ? event_at(s, 0) : &none;
	int32_t dx = take_motion(s, &event->dx);
	int32_t dy = -take_motion(s, &event->dy);
	int32_t wheel = clamp(event->wheel, PACKET_WHEEL_MAX);

	event->wheel -= s->id == ID_PLAIN ? event->wheel : wheel;
	packet[0] = (uint8_t)(P_ALWAYS | (event->buttons & BUTTONS_PLAIN) |
			      (dx < 0 ? P_X_SIGN : 0) | (dy < 0 ? P_Y_SIGN : 0));
	packet[1] = (uint8_t)dx;
	packet[2] = (uint8_t)dy;
	packet[3] = s->id == ID_PLAIN ? 0 : fourth_byte(s, wheel, event->buttons);
	if (s->event_count && !event->dx && !event->dy && !event->wheel) {
		s->first_event = (uint8_t)((s->first_event + 1) % EVENTS);
		s->event_count--;
	}
	return s->id == ID_PLAIN ? 3 : 4;
}

static bool streaming(const struct ps2_mouse_state *s)
{
	return s->enabled && !s->remote && !s->wrap;
}

/* Makes a packet if something waits and it is time, or sees to it that it will be. */
static void stream(struct ps2_mouse *mouse)
{
	struct ps2_mouse_state *s = &mouse->s;
	uint64_t now = timer_now(&mouse->timer);

	if (!s->event_count || !streaming(s) || s->command || s->packet_sent < s->packet_size ||
	    fifo_count(FIFO(s, replies)))
		return;
	if (now < s->next_packet_ns) {
		timer_arm(&mouse->timer, s->next_packet_ns);
		return;
	}
	s->packet_size = make_packet(s, s->packet);
	s->packet_sent = 0;
	s->next_packet_ns = now + NSEC_PER_SEC / s->rate;
	ps2_ready(mouse->port);
}

static void ps2_mouse_expired(struct device *dev)
{
	stream(container_of(dev, struct ps2_mouse, dev));
}

static void ps2_mouse_move(struct device *dev, int32_t dx, int32_t dy, int32_t wheel,
			   uint32_t buttons)
{
	struct ps2_mouse *mouse = container_of(dev, struct ps2_mouse, dev);
	struct ps2_mouse_state *s = &mouse->s;
	bool clicked = s->buttons != (buttons & BUTTONS_ALL);

	s->buttons = (uint8_t)(buttons & BUTTONS_ALL);
	/* A mouse that does not report forgets; one in remote mode waits to be asked. */
	if ((!s->enabled && !s->remote) || (!dx && !dy && !wheel && !clicked))
		return;
	add_event(s, dx, dy, wheel);
	stream(mouse);
}

/* --- commands */

static void answer(struct ps2_mouse *mouse, uint8_t byte)
{
	fifo_push(FIFO(&mouse->s, replies), byte);
	ps2_ready(mouse->port);
}

/* A byte from the controller breaks off what the mouse was sending. */
static void break_off(struct ps2_mouse_state *s)
{
	fifo_clear(FIFO(s, replies));
	if (s->packet_sent == s->packet_size)
		return;
	s->packet_sent = s->packet_size;
	/* Motion is lost as on the wire, but the buttons must come. */
	if (!s->event_count)
		add_event(s, 0, 0, 0);
}

static void set_defaults(struct ps2_mouse_state *s)
{
	drop_events(s);
	s->enabled = 0;
	s->remote = 0;
	s->scaling = 0;
	s->resolution = RESOLUTION_DEFAULT;
	s->rate = RATE_DEFAULT;
	s->knock = 0;
}

static void reset(struct ps2_mouse_state *s)
{
	set_defaults(s);
	s->wrap = 0;
	s->id = ID_PLAIN;
}

static void report_status(struct ps2_mouse *mouse)
{
	const struct ps2_mouse_state *s = &mouse->s;
	unsigned int status = 0;

	status |= s->remote ? STATUS_REMOTE : 0;
	status |= s->enabled ? STATUS_ENABLED : 0;
	status |= s->scaling ? STATUS_SCALING : 0;
	status |= s->buttons & INPUT_BUTTON_LEFT ? STATUS_LEFT : 0;
	status |= s->buttons & INPUT_BUTTON_MIDDLE ? STATUS_MIDDLE : 0;
	status |= s->buttons & INPUT_BUTTON_RIGHT ? STATUS_RIGHT : 0;
	answer(mouse, (uint8_t)status);
	answer(mouse, s->resolution);
	answer(mouse, s->rate);
}

static void read_data(struct ps2_mouse *mouse)
{
	uint8_t packet[4], size = make_packet(&mouse->s, packet);

	for (unsigned int i = 0; i < size; i++)
		answer(mouse, packet[i]);
}

/* How far @rate leads in one of the two sequences after @step rates; 3: all the way. */
static unsigned int knock_step(const uint8_t sequence[3], unsigned int step, uint8_t rate)
{
	if (rate == sequence[step])
		return step + 1;
	/* 200 may begin a sequence anew, or be its second 200 again. */
	if (rate != sequence[0])
		return 0;
	return step == 2 && sequence[1] == sequence[0] ? 2 : 1;
}

static void knock(struct ps2_mouse_state *s, uint8_t rate)
{
	static const uint8_t wheel[3] = { 200, 100, 80 }, explorer[3] = { 200, 200, 80 };
	unsigned int w = knock_step(wheel, s->knock & 15, rate);
	unsigned int e = knock_step(explorer, s->knock >> 4, rate);

	if (e == 3)
		s->id = ID_EXPLORER;
	else if (w == 3)
		s->id = ID_WHEEL;
	s->knock = (uint8_t)(w % 3 | (e % 3) << 4);
}

static bool set_rate(struct ps2_mouse_state *s, uint8_t rate)
{
	static const uint8_t rates[] = { 10, 20, 40, 60, 80, 100, 200 };

	for (unsigned int i = 0; i < ARRAY_LEN(rates); i++) {
		if (rates[i] != rate)
			continue;
		s->rate = rate;
		knock(s, rate);
		return true;
	}
	return false;
}

/* No command or no value: the first time it is asked for again, the second time given up. */
static void refuse(struct ps2_mouse *mouse)
{
	struct ps2_mouse_state *s = &mouse->s;

	answer(mouse, s->failed ? PS2_ERROR : PS2_RESEND);
	if (s->failed)
		s->command = 0;
	s->failed = !s->failed;
}

static void take_parameter(struct ps2_mouse *mouse, uint8_t value)
{
	struct ps2_mouse_state *s = &mouse->s;
	bool good = s->command == CMD_SET_RATE ? set_rate(s, value) : value <= 3;

	if (!good) {
		refuse(mouse);
		return;
	}
	if (s->command == CMD_SET_RESOLUTION)
		s->resolution = value;
	s->command = 0;
	s->failed = 0;
	answer(mouse, PS2_ACK);
}

/* Carries out a command that was acknowledged. */
static void run_command(struct ps2_mouse *mouse, uint8_t command)
{
	struct ps2_mouse_state *s = &mouse->s;

	switch (command) {
	case CMD_SCALING_1_1:
	case CMD_SCALING_2_1:
		s->scaling = command == CMD_SCALING_2_1;
		break;
	case CMD_SET_RESOLUTION:
	case CMD_SET_RATE:
		s->command = command;
		break;
	case CMD_STATUS:
		report_status(mouse);
		break;
	case CMD_STREAM:
	case CMD_REMOTE:
		s->remote = command == CMD_REMOTE;
		drop_events(s);
		break;
	case CMD_READ_DATA:
		read_data(mouse);
		break;
	case CMD_SET_WRAP:
	case CMD_RESET_WRAP:
		s->wrap = command == CMD_SET_WRAP;
		drop_events(s);
		break;
	case CMD_READ_ID:
		answer(mouse, s->id);
		break;
	case CMD_ENABLE:
	case CMD_DISABLE:
		s->enabled = command == CMD_ENABLE;
		drop_events(s);
		break;
	case CMD_SET_DEFAULT:
		set_defaults(s);
		break;
	case CMD_RESET:
		reset(s);
		answer(mouse, PS2_BAT_OK);
		answer(mouse, ID_PLAIN);
		break;
	}
}

static bool is_command(uint8_t byte)
{
	return (byte >= CMD_SCALING_1_1 && byte <= CMD_RESET_WRAP) || byte == CMD_SET_WRAP ||
	       byte == CMD_REMOTE || (byte >= CMD_READ_ID && byte <= CMD_SET_DEFAULT) ||
	       byte == CMD_RESET;
}

static void ps2_mouse_send(struct device *dev, uint8_t byte)
{
	struct ps2_mouse *mouse = container_of(dev, struct ps2_mouse, dev);
	struct ps2_mouse_state *s = &mouse->s;

	break_off(s);
	if (s->wrap && byte != CMD_RESET && byte != CMD_RESET_WRAP) {
		answer(mouse, byte);
	} else if (byte == CMD_RESEND) {
		answer(mouse, s->last);
	} else if (s->command && byte < CMD_SCALING_1_1) {
		take_parameter(mouse, byte);
	} else if (is_command(byte)) {
		s->command = 0;
		s->failed = 0;
		answer(mouse, PS2_ACK);
		run_command(mouse, byte);
	} else {
		refuse(mouse);
	}
}

static bool ps2_mouse_pending(struct device *dev)
{
	struct ps2_mouse_state *s = &container_of(dev, struct ps2_mouse, dev)->s;

	return fifo_count(FIFO(s, replies)) || s->packet_sent < s->packet_size;
}

static uint8_t ps2_mouse_take(struct device *dev, bool *ret_more)
{
	struct ps2_mouse *mouse = container_of(dev, struct ps2_mouse, dev);
	struct ps2_mouse_state *s = &mouse->s;
	uint8_t byte = 0;

	if (!fifo_pop(FIFO(s, replies), &byte))
		byte = s->packet[s->packet_sent++];
	*ret_more = ps2_mouse_pending(dev);
	s->last = byte;
	if (!*ret_more)
		stream(mouse);
	return byte;
}

/* --- life */

static const struct ps2_device_ops ps2_mouse_ops = {
	.send = ps2_mouse_send,
	.pending = ps2_mouse_pending,
	.take = ps2_mouse_take,
};

static const struct input_pointer_ops ps2_mouse_input_ops = { .move = ps2_mouse_move };

static int ps2_mouse_init(struct device *dev, const void *config)
{
	struct ps2_mouse *mouse = container_of(dev, struct ps2_mouse, dev);
	const struct ps2_mouse_config *cable = config;

	mouse->port = cable->port;
	mouse->input = cable->input;
	timer_init(&mouse->timer, dev->env->timers, dev, &mouse->s.deadline_ns, ps2_mouse_expired);
	ps2_attach(mouse->port, dev, &ps2_mouse_ops);
	input_attach_pointer(mouse->input, dev, &ps2_mouse_input_ops);
	return 0;
}

static void ps2_mouse_reset(struct device *dev, enum reset_kind kind)
{
	struct ps2_mouse *mouse = container_of(dev, struct ps2_mouse, dev);

	(void)kind;
	mouse->s = (struct ps2_mouse_state){ .deadline_ns = TIMER_OFF };
	/*
	 * The self-test's result is what a POST reads. SeaBIOS does not, and Linux, which would get it
	 * instead of the controller's answer when it first enables the interface, takes that for a
	 * controller without a mouse.
	 */
	reset(&mouse->s);
}

static bool in_range(int32_t counts)
{
	return counts >= -MOTION_MAX && counts <= MOTION_MAX;
}

static bool ps2_mouse_check(const void *state)
{
	struct ps2_mouse_state s = *(const struct ps2_mouse_state *)state;

	for (unsigned int i = 0; i < EVENTS; i++) {
		if (!in_range(s.events[i].dx) || !in_range(s.events[i].dy) ||
		    !in_range(s.events[i].wheel))
			return false;
	}
	return fifo_valid(FIFO(&s, replies)) && s.packet_sent <= s.packet_size && s.rate >= 10 &&
	       (s.id == ID_PLAIN || s.id >= ID_WHEEL) && (s.knock & 15) <= 2 &&
	       (!s.command || s.command == CMD_SET_RATE || s.command == CMD_SET_RESOLUTION);
}

static void ps2_mouse_fini(struct device *dev)
{
	struct ps2_mouse *mouse = container_of(dev, struct ps2_mouse, dev);

	timer_fini(&mouse->timer);
	ps2_attach(mouse->port, NULL, NULL);
	input_attach_pointer(mouse->input, NULL, NULL);
}

static const struct ps2_mouse_config ps2_mouse_default = { .port = NULL };

const struct device_class ps2_mouse_class = {
	.name = "ps2_mouse",
	.summary = "mouse with wheel and five buttons",
	DEVICE_STATE(struct ps2_mouse),
	.fields = ps2_mouse_fields,
	.default_config = &ps2_mouse_default,
	.init = ps2_mouse_init,
	.reset = ps2_mouse_reset,
	.check = ps2_mouse_check,
	.fini = ps2_mouse_fini,
};
