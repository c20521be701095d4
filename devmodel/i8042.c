// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keyboard and mouse controller: Intel 8042 with the firmware of the IBM PS/2 (IBM Personal
 * System/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller"),
 * ports 60h, 64h.
 *
 * Not emulated: the password (A5h and A6h do nothing, A4h says that there is none), the diagnostic
 * dump (ACh), the polling commands C1h and C2h, and the time that the firmware needs to take a byte
 * in (IBF is never seen set).
 *
 * Theory of operation
 *
 * There is one output buffer. OBF and AUXB say whether it is full and from whom; the interrupts
 * follow from these and the command byte. Who may fill the empty buffer next, in this order: the
 * controller's own reply; the device whose message has begun (s.message); the keyboard; the mouse.
 * A byte comes by timer some time after the buffer was emptied or the byte came into being: drivers
 * and interrupt handlers of the age read port 60h more than once and expect to see the same byte. A
 * byte stays in its device until then, so that disabling an interface holds back what the guest has
 * not seen yet.
 */
#include "i8042.h"

#include "../base/bits.h"

#define DATA 0
#define STATUS 4
#define S_OBF BIT(0)
#define S_SYS BIT(2)
#define S_A2 BIT(3)
#define S_INH BIT(4)
#define S_AUXB BIT(5)
#define S_TO BIT(6)

/* Command byte, byte 0 of the controller's RAM. */
#define C_KIE BIT(0)
#define C_AIE BIT(1)
#define C_SYS BIT(2)
#define C_DKB BIT(4)
#define C_DAUX BIT(5)
#define C_XLATE BIT(6)

/* Output port P2. The top two bits are the keyboard's lines, idle high. */
#define P2_RESET BIT(0)
#define P2_A20 BIT(1)
#define P2_IRQ1 BIT(4)
#define P2_IRQ12 BIT(5)
#define P2_IDLE 0xc0

#define RAM_BYTES 32

/* Bytes to come are delayed so much. SeaBIOS looks every 50 us and waits for each byte. */
#define OWN_REPLY_NS (20 * NSEC_PER_USEC)
#define DEVICE_BYTE_NS (200 * NSEC_PER_USEC)

enum port { KEYBOARD, MOUSE, PORTS };

/* Whose message is half delivered. */
enum message { MESSAGE_NONE, MESSAGE_KEYBOARD, MESSAGE_MOUSE };

struct i8042_state {
	uint64_t deadline_ns;
	uint8_t ram[RAM_BYTES];
	uint8_t status;	 /* OBF, SYS, A2, AUXB, TO; INH is always shown */
	uint8_t data;	 /* the output buffer */
	uint8_t command; /* waits for its parameter at port 60h; 0: none */
	uint8_t p2;	 /* RESET and A20 */
	uint8_t reply;
	uint8_t reply_status; /* OBF: there is a reply; AUXB, TO */
	uint8_t message;
	uint8_t break_prefix; /* the translator saw F0h */
};

struct i8042 {
	struct device dev;
	struct i8042_state s;
	struct vtimer timer;
	struct irq_line irq[PORTS];
	struct ps2_port ports[PORTS];
};

static const struct state_field i8042_fields[] = {
	STATE_FIELD(struct i8042, deadline_ns),
	STATE_ARRAY(struct i8042, ram),
	STATE_FIELD(struct i8042, status, .max = S_OBF | S_SYS | S_A2 | S_AUXB | S_TO),
	STATE_FIELD(struct i8042, data),
	STATE_FIELD(struct i8042, command),
	STATE_FIELD(struct i8042, p2, .max = P2_RESET | P2_A20),
	STATE_FIELD(struct i8042, reply),
	STATE_FIELD(struct i8042, reply_status, .max = S_OBF | S_AUXB | S_TO),
	STATE_FIELD(struct i8042, message, .max = MESSAGE_MOUSE),
	STATE_FIELD(struct i8042, break_prefix, .max = 1),
	STATE_END,
};

/* Scan code set 2 to set 1, as the controller's ROM has it. Codes from 80h pass, but for two. */
static const uint8_t set1_of_set2[128] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
	0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
	0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
	0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
	0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
	0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
	0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static uint8_t translate(uint8_t set2)
{
	if (set2 < ARRAY_LEN(set1_of_set2))
		return set1_of_set2[set2];
	if (set2 == 0x83) /* F7 */
		return 0x41;
	if (set2 == 0x84) /* Alt + Print Screen */
		return 0x54;
	return set2;
}

static void i8042_update_irq(struct i8042 *kbc)
{
	const struct i8042_state *s = &kbc->s;
	bool full = s->status & S_OBF, aux = s->status & S_AUXB;

	irq_set(&kbc->irq[KEYBOARD], full && !aux && s->ram[0] & C_KIE);
	irq_set(&kbc->irq[MOUSE], full && aux && s->ram[0] & C_AIE);
}

/* --- the output buffer */

static bool port_pending(const struct i8042 *kbc, enum port n)
{
	const struct ps2_port *port = &kbc->ports[n];

	return !(kbc->s.ram[0] & (n == MOUSE ? C_DAUX : C_DKB)) && port->dev &&
	       port->ops->pending(port->dev);
}

/* Which device may fill the buffer now; PORTS: none. */
static enum port next_port(const struct i8042 *kbc)
{
	bool keyboard = port_pending(kbc, KEYBOARD), mouse = port_pending(kbc, MOUSE);

	if (mouse && (!keyboard || kbc->s.message == MESSAGE_MOUSE))
		return MOUSE;
	return keyboard ? KEYBOARD : PORTS;
}

/* Arms the timer for whatever may come next; earlier if something is due sooner than what waits. */
static void schedule(struct i8042 *kbc)
{
	uint64_t delay = DEVICE_BYTE_NS, deadline;

	if (kbc->s.status & S_OBF)
		return;
	if (kbc->s.reply_status & S_OBF)
		delay = OWN_REPLY_NS;
	else if (next_port(kbc) == PORTS)
		return;
	deadline = timer_now(&kbc->timer) + delay;
	if (deadline < kbc->s.deadline_ns)
		timer_arm(&kbc->timer, deadline);
}

static void fill_output(struct i8042 *kbc, uint8_t byte, uint8_t status)
{
	struct i8042_state *s = &kbc->s;

	/* The next byte's time runs from when the guest takes this one. */
	timer_cancel(&kbc->timer);
	s->data = byte;
	s->status = (uint8_t)((s->status & ~(S_AUXB | S_TO)) | S_OBF | status);
}

/* Takes one byte from a device; false when it was a prefix that the translator swallowed. */
static bool take_from(struct i8042 *kbc, enum port n)
{
	const struct ps2_port *port = &kbc->ports[n];
	struct i8042_state *s = &kbc->s;
	bool more;
	uint8_t byte = port->ops->take(port->dev, &more);

	s->message = MESSAGE_NONE;
	if (more)
		s->message = n == MOUSE ? MESSAGE_MOUSE : MESSAGE_KEYBOARD;
	if (n == KEYBOARD && s->ram[0] & C_XLATE) {
		uint8_t release = s->break_prefix ? 0x80 : 0;

		s->break_prefix = byte == 0xf0;
		if (s->break_prefix)
			return false;
		byte = translate(byte) | release;
	}
	fill_output(kbc, byte, n == MOUSE ? S_AUXB : 0);
	return true;
}

static void fill_from_device(struct i8042 *kbc)
{
	/* The code behind a break prefix comes with it. A device that sends two prefixes must wait.
	 */
	for (unsigned int tries = 0; tries < 2; tries++) {
		enum port n = next_port(kbc);

		if (n == PORTS || take_from(kbc, n))
			return;
	}
	schedule(kbc);
}

static void i8042_expired(struct device *dev)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);
	struct i8042_state *s = &kbc->s;

	if (!(s->status & S_OBF)) {
		if (s->reply_status & S_OBF) {
			fill_output(kbc, s->reply, s->reply_status);
			s->reply_status = 0;
		} else {
			fill_from_device(kbc);
		}
	}
	i8042_update_irq(kbc);
}

/* An answer of the controller itself. One that the guest did not wait for is replaced. */
static void reply(struct i8042 *kbc, uint8_t byte, uint8_t status)
{
	kbc->s.reply = byte;
	kbc->s.reply_status = S_OBF | status;
}

static void device_ready(struct device *controller)
{
	schedule(container_of(controller, struct i8042, dev));
}

static void send_to(struct i8042 *kbc, enum port n, uint8_t byte)
{
	const struct ps2_port *port = &kbc->ports[n];

	/* Sending switches a disabled interface on. */
	kbc->s.ram[0] &= (uint8_t) ~(n == MOUSE ? C_DAUX : C_DKB);
	if (n == KEYBOARD)
		kbc->s.break_prefix = 0;
	if (port->dev)
		port->ops->send(port->dev, byte);
	else /* nobody clocks the byte in */
		reply(kbc, PS2_RESEND, S_TO | (n == MOUSE ? S_AUXB : 0));
}

/* --- commands */

static void request_reset(struct i8042 *kbc)
{
	kbc->dev.env->request(kbc->dev.env, REQUEST_RESET_INIT);
}

static void write_p2(struct i8042 *kbc, uint8_t value)
{
	struct i8042_state *s = &kbc->s;
	uint8_t before = s->p2;

	/* The processor's RESET line never stays low: the reset itself would end it. */
	s->p2 = (value & P2_A20) | P2_RESET;
	if ((before ^ s->p2) & P2_A20)
		kbc->dev.env->a20_changed(kbc->dev.env, &kbc->dev, s->p2 & P2_A20);
	if (!(value & P2_RESET))
		request_reset(kbc);
}

static uint8_t read_p2(const struct i8042 *kbc)
{
	uint8_t value = kbc->s.p2 | P2_IDLE;

	if (kbc->irq[KEYBOARD].level)
		value |= P2_IRQ1;
	if (kbc->irq[MOUSE].level)
		value |= P2_IRQ12;
	return value;
}

static void write_ram(struct i8042 *kbc, unsigned int address, uint8_t value)
{
	struct i8042_state *s = &kbc->s;

	s->ram[address] = value;
	if (address == 0)
		s->status = (uint8_t)((s->status & ~S_SYS) | (value & C_SYS ? S_SYS : 0));
}

static void command_other(struct i8042 *kbc, uint8_t command)
{
	if (command >= 0x20 && command < 0x20 + RAM_BYTES)
		reply(kbc, kbc->s.ram[command - 0x20], 0);
	else if (command >= 0xf0 && !(command & P2_RESET))
		request_reset(kbc);
	else if (command < 0xf0)
		device_log(&kbc->dev, "keyboard controller: command %02xh is not known", command);
}

static void run_command(struct i8042 *kbc, uint8_t command)
{
	struct i8042_state *s = &kbc->s;

	switch (command) {
	case 0x60 ... 0x7f: /* write RAM */
	case 0xd1:	    /* write output port */
	case 0xd2:	    /* a byte as if from the keyboard */
	case 0xd3:	    /* a byte as if from the mouse */
	case 0xd4:	    /* a byte to the mouse */
		s->command = command;
		break;
	case 0xa4: /* no password is set */
		reply(kbc, 0xf1, 0);
		break;
	case 0xa5: /* password commands: nothing to load or enable */
	case 0xa6:
		break;
	case 0xa7:
		s->ram[0] |= C_DAUX;
		break;
	case 0xa8:
		s->ram[0] &= (uint8_t)~C_DAUX;
		break;
	case 0xa9: /* interface tests: both sets of lines are well */
	case 0xab:
		reply(kbc, 0x00, 0);
		break;
	case 0xaa: /* self-test: the firmware starts afresh */
		s->status = (s->status & (uint8_t)~S_OBF) | S_SYS;
		s->message = MESSAGE_NONE;
		s->break_prefix = 0;
		s->ram[0] |= C_SYS;
		reply(kbc, 0x55, 0);
		break;
	case 0xad:
		s->ram[0] |= C_DKB;
		break;
	case 0xae:
		s->ram[0] &= (uint8_t)~C_DKB;
		break;
	case 0xc0: /* input port: not locked */
		reply(kbc, 0x80, 0);
		break;
	case 0xd0:
		reply(kbc, read_p2(kbc), 0);
		break;
	case 0xdd:
		write_p2(kbc, P2_RESET);
		break;
	case 0xdf:
		write_p2(kbc, P2_RESET | P2_A20);
		break;
	case 0xe0: /* test inputs: both clocks low, as no device is sending */
		reply(kbc, 0x00, 0);
		break;
	default:
		command_other(kbc, command);
	}
}

/* A byte at port 60h: what a command waits for, or something for the keyboard. */
static void write_data(struct i8042 *kbc, uint8_t value)
{
	uint8_t command = kbc->s.command;

	kbc->s.command = 0;
	switch (command) {
	case 0x60 ... 0x7f:
		write_ram(kbc, command - 0x60u, value);
		break;
	case 0xd1:
		write_p2(kbc, value);
		break;
	case 0xd2:
		reply(kbc, value, 0);
		break;
	case 0xd3:
		reply(kbc, value, S_AUXB);
		break;
	case 0xd4:
		send_to(kbc, MOUSE, value);
		break;
	default:
		send_to(kbc, KEYBOARD, value);
	}
}

/* --- ports */

static uint32_t data_read(struct device *dev, uint32_t offset, unsigned int size)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	(void)offset;
	(void)size;
	kbc->s.status &= (uint8_t)~S_OBF;
	schedule(kbc);
	i8042_update_irq(kbc);
	return kbc->s.data;
}

static void data_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	(void)offset;
	(void)size;
	kbc->s.status &= (uint8_t)~S_A2;
	write_data(kbc, (uint8_t)value);
	schedule(kbc);
	i8042_update_irq(kbc);
}

static uint32_t status_read(struct device *dev, uint32_t offset, unsigned int size)
{
	(void)offset;
	(void)size;
	return container_of(dev, struct i8042, dev)->s.status | S_INH;
}

static void command_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	(void)offset;
	(void)size;
	kbc->s.status |= S_A2;
	kbc->s.command = 0;
	run_command(kbc, (uint8_t)value);
	schedule(kbc);
	i8042_update_irq(kbc);
}

struct ps2_port *i8042_keyboard_port(struct device *dev)
{
	return &container_of(dev, struct i8042, dev)->ports[KEYBOARD];
}

struct ps2_port *i8042_mouse_port(struct device *dev)
{
	return &container_of(dev, struct i8042, dev)->ports[MOUSE];
}

/* --- life */

static int i8042_init(struct device *dev, const void *config)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	(void)config;
	timer_init(&kbc->timer, dev->env->timers, dev, &kbc->s.deadline_ns, i8042_expired);
	for (unsigned int i = 0; i < PORTS; i++) {
		kbc->ports[i].controller = dev;
		kbc->ports[i].ready = device_ready;
	}
	return 0;
}

static void i8042_reset(struct device *dev, enum reset_kind kind)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	(void)kind;
	kbc->s = (struct i8042_state){
		.deadline_ns = TIMER_OFF,
		.ram = { C_DKB | C_DAUX },
		.p2 = P2_RESET | P2_A20, /* the pins float high until the firmware runs */
	};
	dev->env->a20_changed(dev->env, dev, true);
	i8042_update_irq(kbc);
}

static void i8042_post_load(struct device *dev)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	dev->env->a20_changed(dev->env, dev, kbc->s.p2 & P2_A20);
	i8042_update_irq(kbc);
}

static void i8042_fini(struct device *dev)
{
	struct i8042 *kbc = container_of(dev, struct i8042, dev);

	timer_fini(&kbc->timer);
	for (unsigned int i = 0; i < PORTS; i++)
		irq_set(&kbc->irq[i], false);
}

static const struct io_region_desc i8042_regions[] = {
	{
		.name = "kbc-data",
		.space = IO_PORT,
		.base = 0x60 + DATA,
		.length = 1,
		.read = data_read,
		.write = data_write,
	},
	{
		.name = "kbc-command",
		.space = IO_PORT,
		.base = 0x60 + STATUS,
		.length = 1,
		.read = status_read,
		.write = command_write,
	},
	{ .name = NULL },
};

static const struct device_irq i8042_irqs[] = {
	DEVICE_IRQ(struct i8042, irq[KEYBOARD], "keyboard", 1),
	DEVICE_IRQ(struct i8042, irq[MOUSE], "mouse", 12),
	{ .name = NULL },
};

const struct device_class i8042_class = {
	.name = "i8042",
	.summary = "keyboard and mouse controller",
	DEVICE_STATE(struct i8042),
	.regions = i8042_regions,
	.fields = i8042_fields,
	.irqs = i8042_irqs,
	.init = i8042_init,
	.reset = i8042_reset,
	.post_load = i8042_post_load,
	.fini = i8042_fini,
};
