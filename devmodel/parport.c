// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parallel port of the PC/AT with the bidirectional bit of the PS/2, and a printer at its other
 * end.
 *
 * Source: IBM PC/AT Technical Reference, Printer Adapter; IEEE 1284-1994, compatibility mode.
 *
 * Not emulated: EPP and ECP (their ports are nobody's), and the nibble mode back from the printer,
 * which never says anything. AUTOFD is the printer's business; this one prints what it gets.
 *
 * Theory of operation
 *
 * nSTROBE falls: the printer takes the byte and is busy. nSTROBE rises again: after BUSY_NS the
 * printer pulls nACK low and is not busy any more, after ACK_NS more nACK is high again. These are
 * phases with an end in virtual time that is noticed at the next access; only with the interrupt
 * enabled do timers carry them on. A driver that polls nACK (BIOSes do) looks far too seldom to
 * meet a pulse of 5 us, so without the interrupt nACK stays low until it was seen once. The
 * interrupt is nACK turned over.
 *
 * A byte that the backend does not take stays with the printer, which is busy until there is room;
 * after FULL_NS it shows as out of paper and off line, so that the guest's user learns why nothing
 * moves.
 */
#include "parport.h"

#include <errno.h>

#include "../base/bits.h"
#include "chario.h"

/* Registers. */
#define DATA 0
#define STATUS 1
#define CONTROL 2
#define PORTS 3

/*
 * Bits 0 to 2 are nobody's and read as 0, as in Super I/O chips (SMSC LPC47S422 data sheet, Status Port): BIOSes return
 * them from int 17h, where bit 0 is a time-out.
 */
#define STATUS_NERROR BIT(3)
#define STATUS_SELECT BIT(4)
#define STATUS_PE BIT(5)
#define STATUS_NACK BIT(6)
#define STATUS_NBUSY BIT(7)
/* An open connector: the inputs float high, and BUSY turns over. */
#define STATUS_NO_CABLE (STATUS_NERROR | STATUS_SELECT | STATUS_PE | STATUS_NACK)

#define CONTROL_STROBE BIT(0)
#define CONTROL_NINIT BIT(2)
#define CONTROL_SELECT_IN BIT(3)
#define CONTROL_IRQEN BIT(4)
#define CONTROL_DIRECTION BIT(5)
#define CONTROL_WRITABLE 0x3fu
#define CONTROL_UNUSED 0xc0u
/*
 * The chip's own value is 0, which holds the printer in reset; BIOSes of the time initialise it in POST, and SeaBIOS does
 * not: programs that print by int 17h expect it done.
 */
#define CONTROL_AFTER_POST (CONTROL_NINIT | CONTROL_SELECT_IN)

#define BUSY_NS (1 * NSEC_PER_USEC)
#define ACK_NS (5 * NSEC_PER_USEC)
#define FULL_NS (2 * NSEC_PER_SEC)

enum phase {
	PHASE_IDLE,
	PHASE_STROBE, /* nSTROBE is low */
	PHASE_BUSY,
	PHASE_ACK,
	PHASE_FULL, /* the byte waits for the backend, since phase_ns */
	PHASES,
};

struct parport_state {
	uint64_t phase_ns; /* when BUSY or ACK end, when FULL began */
	uint64_t deadline_ns;
	uint8_t data, control;
	uint8_t byte;	   /* what the printer took */
	uint8_t phase;	   /* enum phase */
	uint32_t ack_seen; /* the guest has read nACK low */
};

struct parport {
	struct device dev;
	struct parport_state s;
	struct irq_line irq;
	struct vtimer timer;
	struct chario *chario;
};

static const struct state_field parport_fields[] = {
	STATE_FIELD(struct parport, phase_ns),
	STATE_FIELD(struct parport, deadline_ns),
	STATE_FIELD(struct parport, data),
	STATE_FIELD(struct parport, control, .max = CONTROL_WRITABLE),
	STATE_FIELD(struct parport, byte),
	STATE_FIELD(struct parport, phase, .max = PHASES - 1),
	STATE_FIELD(struct parport, ack_seen, .max = 1),
	STATE_END,
};

static struct parport *parport_of(struct device *dev)
{
	return container_of(dev, struct parport, dev);
}

static bool irq_enabled(const struct parport *p)
{
	return p->s.control & CONTROL_IRQEN;
}

/* --- the handshake */

static void enter(struct parport *p, enum phase phase, uint64_t duration_ns)
{
	p->s.phase = (uint8_t)phase;
	p->s.phase_ns = timer_now(&p->timer) + duration_ns;
}

/* Goes through the phases whose time is over. */
static void catch_up(struct parport *p)
{
	if (p->s.phase == PHASE_BUSY && timer_now(&p->timer) >= p->s.phase_ns) {
		p->s.ack_seen = 0;
		enter(p, PHASE_ACK, ACK_NS);
	}
	if (p->s.phase == PHASE_ACK && timer_now(&p->timer) >= p->s.phase_ns &&
	    (p->s.ack_seen || irq_enabled(p)))
		enter(p, PHASE_IDLE, 0);
}

static void parport_update_irq(struct parport *p)
{
	bool timed;

	catch_up(p);
	timed = p->s.phase == PHASE_BUSY || p->s.phase == PHASE_ACK;
	if (timed && irq_enabled(p))
		timer_arm(&p->timer, p->s.phase_ns);
	else
		timer_cancel(&p->timer);
	irq_set(&p->irq, irq_enabled(p) && p->s.phase == PHASE_ACK);
}

static void parport_expired(struct device *dev)
{
	parport_update_irq(parport_of(dev));
}

/* The printer has its byte; the strobe is over. */
static void print(struct parport *p)
{
	if (chario_write(p->chario, &p->s.byte, 1) == 1)
		enter(p, PHASE_BUSY, BUSY_NS);
	else
		enter(p, PHASE_FULL, 0);
}

static void parport_tx_ready(struct device *dev)
{
	struct parport *p = parport_of(dev);
	uint64_t since_ns = p->s.phase_ns;

	if (p->s.phase != PHASE_FULL)
		return;
	print(p);
	/* Still full: the time counts from when it began. */
	if (p->s.phase == PHASE_FULL)
		p->s.phase_ns = since_ns;
	parport_update_irq(p);
}

static size_t parport_room(struct device *dev)
{
	(void)dev;
	return 0;
}

static void parport_receive(struct device *dev, const uint8_t *bytes, size_t count)
{
	(void)dev;
	(void)bytes;
	(void)count;
}

static const struct chario_device_ops parport_chario_ops = {
	.room = parport_room,
	.receive = parport_receive,
	.tx_ready = parport_tx_ready,
};

/* --- registers */

/* With the direction bit set the guest reads the connector, whose lines float high. */
static uint32_t data_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	return parport_of(dev)->s.control & CONTROL_DIRECTION ? 0xff : value;
}

static uint32_t status_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	struct parport *p = parport_of(dev);
	const uint32_t ready = STATUS_NERROR | STATUS_SELECT | STATUS_NACK | STATUS_NBUSY;

	(void)reg;
	(void)value;
	if (!chario_is_connected(p->chario))
		return STATUS_NO_CABLE;
	switch (p->s.phase) {
	case PHASE_STROBE:
	case PHASE_BUSY:
		return ready & ~STATUS_NBUSY;
	case PHASE_ACK:
		p->s.ack_seen = 1;
		return ready & ~STATUS_NACK;
	case PHASE_FULL:
		if (timer_now(&p->timer) - p->s.phase_ns < FULL_NS)
			return ready & ~STATUS_NBUSY;
		return STATUS_PE | STATUS_NACK;
	default:
		return ready;
	}
}

static void control_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			     uint32_t value)
{
	struct parport *p = parport_of(dev);

	(void)reg;
	if (!(value & CONTROL_NINIT)) {
		/* The printer is held in reset and forgets what it has. */
		enter(p, PHASE_IDLE, 0);
		return;
	}
	if (!chario_is_connected(p->chario))
		return;
	/* A printer that still has a byte to get rid of takes no other. */
	if ((~old & value & CONTROL_STROBE) && p->s.phase != PHASE_FULL) {
		p->s.byte = p->s.data;
		enter(p, PHASE_STROBE, 0);
	} else if ((old & ~value & CONTROL_STROBE) && p->s.phase == PHASE_STROBE) {
		print(p);
	}
}

static uint32_t control_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)dev;
	(void)reg;
	return value | CONTROL_UNUSED;
}

static const struct reg parport_regs[] = {
	REG(struct parport, s.data, DATA, 1, "DATA", 0, 0xff, .on_read = data_on_read),
	REG_HOOKED(STATUS, 1, "STATUS", .on_read = status_on_read),
	REG(struct parport, s.control, CONTROL, 1, "CONTROL", CONTROL_AFTER_POST, CONTROL_WRITABLE,
	    .on_read = control_on_read, .on_write = control_on_write),
};

static const struct reg_bank parport_bank = {
	.name = "parport",
	.regs = parport_regs,
	.count = ARRAY_LEN(parport_regs),
	.size = PORTS,
	.open = 0xff,
};

static uint32_t parport_read(struct device *dev, uint32_t offset, unsigned int size)
{
	catch_up(parport_of(dev));
	return reg_bank_read(&parport_bank, dev, offset, size);
}

static void parport_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	catch_up(parport_of(dev));
	reg_bank_write(&parport_bank, dev, offset, size, value);
	parport_update_irq(parport_of(dev));
}

/* --- life */

static int parport_init(struct device *dev, const void *config)
{
	const struct parport_config *parport_config = config;
	struct parport *p = parport_of(dev);

	device_move_region(dev, 0, parport_config->base);
	if (dev->regions[0].base == IO_UNMAPPED)
		return -EBUSY;
	p->chario = parport_config->chario;
	timer_init(&p->timer, dev->env->timers, dev, &p->s.deadline_ns, parport_expired);
	chario_attach(p->chario, dev, &parport_chario_ops);
	return 0;
}

static void parport_reset(struct device *dev, enum reset_kind kind)
{
	struct parport *p = parport_of(dev);

	(void)kind;
	reg_bank_reset(&parport_bank, dev);
	p->s.byte = 0;
	p->s.ack_seen = 0;
	enter(p, PHASE_IDLE, 0);
	parport_update_irq(p);
}

static void parport_post_load(struct device *dev)
{
	/* There may be room now; if not, tx_ready() will come. */
	parport_tx_ready(dev);
	parport_update_irq(parport_of(dev));
}

static void parport_fini(struct device *dev)
{
	struct parport *p = parport_of(dev);

	chario_attach(p->chario, NULL, NULL);
	irq_set(&p->irq, false);
	timer_fini(&p->timer);
}

static const struct io_region_desc parport_regions[] = {
	{
		.name = "parport",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = PORTS,
		.read = parport_read,
		.write = parport_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const parport_banks[] = { &parport_bank, NULL };

static const struct device_irq parport_irqs[] = {
	DEVICE_IRQ(struct parport, irq, "irq", 7),
	{ .name = NULL },
};

static const struct parport_config parport_default = { .base = 0x378 };

const struct device_class parport_class = {
	.name = "parport",
	.summary = "parallel port with a printer",
	DEVICE_STATE(struct parport),
	.regions = parport_regions,
	.banks = parport_banks,
	.fields = parport_fields,
	.irqs = parport_irqs,
	.default_config = &parport_default,
	.init = parport_init,
	.reset = parport_reset,
	.post_load = parport_post_load,
	.fini = parport_fini,
};
