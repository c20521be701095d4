// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serial port: National Semiconductor PC16550D, as COM1 to COM4 of a PC.
 *
 * Source: PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs, datasheet of June 1995,
 * chapters 6 to 8.
 *
 * Not emulated: the shape of the bits. Parity, stop bits and speed only decide how long a character
 * takes; no parity or framing error ever comes from outside, and a break that the guest sends goes
 * nowhere but round the loop. DMA signalling has no pins on a PC.
 *
 * Theory of operation
 *
 * Transmitter. A byte goes from the FIFO (in 8250 mode one holding register: a FIFO of one) to the
 * backend. When the backend is full the byte stays, THRE stays low and the guest is held off until
 * tx_ready(). Unpaced, a byte leaves within the write to THR, and THRE reads 1 again at once; but
 * the THRE interrupt comes THRE_DELAY_NS after the last write. So a driver fills the FIFO and gets
 * one interrupt for it, the interrupt line falls in between as an edge-triggered controller wants
 * it, and Linux does not complain of too much work for one interrupt. Paced, a byte spends its time
 * in the shift register (TSR) first.
 *
 * Receiver. The backend asks for room, so nothing is ever lost to an overrun but in loopback. The
 * error bits of a character show in LSR when it becomes the oldest one.
 *
 * Interrupts. s.thre_pending and s.timeout_pending remember events; everything else about an
 * interrupt is derived, see pending_interrupt(). A PC leads the interrupt through a gate that the
 * OUT2# pin opens; in loopback that pin is off.
 */
#include "ns16550.h"

#include <errno.h>

#include "../base/bits.h"
#include "../base/fifo.h"
#include "chario.h"

/* Registers. */
#define RBR 0 /* read */
#define THR 0 /* write */
#define DLL 0 /* with DLAB */
#define IER 1
#define DLM 1 /* with DLAB */
#define IIR 2 /* read */
#define FCR 2 /* write */
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6
#define SCR 7
#define PORTS 8

#define IER_ERBFI BIT(0)
#define IER_ETBEI BIT(1)
#define IER_ELSI BIT(2)
#define IER_EDSSI BIT(3)

#define IIR_MODEM_STATUS 0x00u
#define IIR_NONE 0x01u
#define IIR_THR_EMPTY 0x02u
#define IIR_DATA_AVAILABLE 0x04u
#define IIR_LINE_STATUS 0x06u
#define IIR_TIMEOUT 0x0cu
#define IIR_FIFOS_ENABLED 0xc0u

#define FCR_FIFO_ENABLE BIT(0)
#define FCR_RCVR_RESET BIT(1)
#define FCR_XMIT_RESET BIT(2)
#define FCR_TRIGGER_SHIFT 6
#define FCR_KEPT 0xc9u

#define LCR_WLS 0x03u
#define LCR_STB BIT(2)
#define LCR_PEN BIT(3)
#define LCR_EPS BIT(4)
#define LCR_STICK BIT(5)
#define LCR_BREAK BIT(6)
#define LCR_DLAB BIT(7)

#define MCR_DTR BIT(0)
#define MCR_RTS BIT(1)
#define MCR_OUT1 BIT(2)
#define MCR_OUT2 BIT(3)
#define MCR_LOOP BIT(4)
#define MCR_ALL 0x1fu

#define LSR_DR BIT(0)
#define LSR_OE BIT(1)
#define LSR_PE BIT(2)
#define LSR_FE BIT(3)
#define LSR_BI BIT(4)
#define LSR_THRE BIT(5)
#define LSR_TEMT BIT(6)
#define LSR_FIFO_ERROR BIT(7)
#define LSR_CHARACTER_ERRORS (LSR_PE | LSR_FE | LSR_BI)
#define LSR_ERRORS (LSR_OE | LSR_CHARACTER_ERRORS)

#define MSR_DCTS BIT(0)
#define MSR_DDSR BIT(1)
#define MSR_TERI BIT(2)
#define MSR_DDCD BIT(3)
#define MSR_CTS BIT(4)
#define MSR_DSR BIT(5)
#define MSR_RI BIT(6)
#define MSR_DCD BIT(7)
/* From CHARIO_CTS and so on to MSR's bits, which have the same order. */
#define MODEM_SHIFT 4
#define MSR_DELTAS 0x0fu
#define MSR_LINES 0xf0u

#define FIFO_BYTES 16
#define TIMEOUT_CHARACTERS 4
#define BAUD_BASE 115200u /* 1.8432 MHz / 16 */
/* Longer than the loop in which a driver fills the FIFO, shorter than anybody would notice. */
#define THRE_DELAY_NS (20 * NSEC_PER_USEC)

struct ns16550_state {
	uint64_t tx_deadline_ns;      /* unpaced: the THRE interrupt; paced: TSR has shifted */
	uint64_t rx_deadline_ns;      /* paced: the next character may come */
	uint64_t timeout_deadline_ns; /* character timeout */
	uint32_t thre_pending;	      /* the THRE interrupt's source */
	uint32_t timeout_pending;
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	uint8_t lsr_errors;
	uint8_t tsr_busy, tsr_blocked, tsr;
	FIFO_STORAGE(tx, FIFO_BYTES);
	FIFO_STORAGE(rx, FIFO_BYTES);
	uint8_t rx_errors[FIFO_BYTES]; /* LSR bits of the byte at the same place in rx_data */
};

struct ns16550 {
	struct device dev;
	struct ns16550_state s;
	struct irq_line irq;
	struct vtimer tx_timer, rx_timer, timeout_timer;
	struct chario *chario;
	bool paced;
	bool rx_blocked; /* the backend was told that there is no room */
};

static const struct state_field ns16550_fields[] = {
	STATE_FIELD(struct ns16550, tx_deadline_ns),
	STATE_FIELD(struct ns16550, rx_deadline_ns),
	STATE_FIELD(struct ns16550, timeout_deadline_ns),
	STATE_FIELD(struct ns16550, thre_pending, .max = 1),
	STATE_FIELD(struct ns16550, timeout_pending, .max = 1),
	STATE_FIELD(struct ns16550, ier, .max = 0x0f),
	STATE_FIELD(struct ns16550, fcr, .max = FCR_KEPT),
	STATE_FIELD(struct ns16550, lcr),
	STATE_FIELD(struct ns16550, mcr, .max = MCR_ALL),
	STATE_FIELD(struct ns16550, msr),
	STATE_FIELD(struct ns16550, scr),
	STATE_FIELD(struct ns16550, dll),
	STATE_FIELD(struct ns16550, dlm),
	STATE_FIELD(struct ns16550, lsr_errors, .max = LSR_ERRORS),
	STATE_FIELD(struct ns16550, tsr_busy, .max = 1),
	STATE_FIELD(struct ns16550, tsr_blocked, .max = 1),
	STATE_FIELD(struct ns16550, tsr),
	STATE_FIFO(struct ns16550, tx),
	STATE_FIFO(struct ns16550, rx),
	STATE_ARRAY(struct ns16550, rx_errors, .max = LSR_ERRORS),
	STATE_END,
};

static struct ns16550 *ns16550_of(struct device *dev)
{
	return container_of(dev, struct ns16550, dev);
}

/* --- small helpers */

static struct fifo tx_of(struct ns16550 *u)
{
	return FIFO(&u->s, tx);
}

static struct fifo rx_of(struct ns16550 *u)
{
	return FIFO(&u->s, rx);
}

static bool fifos_enabled(const struct ns16550 *u)
{
	return u->s.fcr & FCR_FIFO_ENABLE;
}

static bool loopback(const struct ns16550 *u)
{
	return u->s.mcr & MCR_LOOP;
}

static unsigned int depth(const struct ns16550 *u)
{
	return fifos_enabled(u) ? FIFO_BYTES : 1;
}

static unsigned int trigger_level(const struct ns16550 *u)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return fifos_enabled(u) ? levels[u->s.fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* How long a character takes on the line. */
static uint64_t character_ns(const struct ns16550 *u)
{
	unsigned int divisor = (unsigned int)(u->s.dlm << 8 | u->s.dll);
	unsigned int word = 5 + (u->s.lcr & LCR_WLS);
	unsigned int half_bits = 2 * (1 + word + (u->s.lcr & LCR_PEN ? 1 : 0) + 1);

	if (u->s.lcr & LCR_STB)
		half_bits += word == 5 ? 1 : 2;
	return half_bits * (divisor ? divisor : 1) * NSEC_PER_SEC / (2 * BAUD_BASE);
}

/* --- interrupts */

/* What IIR reads but for its FIFO bits: the source with the highest priority. */
static uint32_t pending_interrupt(const struct ns16550 *u)
{
	const struct ns16550_state *s = &u->s;

	if ((s->ier & IER_ELSI) && s->lsr_errors)
		return IIR_LINE_STATUS;
	if ((s->ier & IER_ERBFI) && s->rx_count >= trigger_level(u))
		return IIR_DATA_AVAILABLE;
	if ((s->ier & IER_ERBFI) && s->timeout_pending)
		return IIR_TIMEOUT;
	if ((s->ier & IER_ETBEI) && s->thre_pending)
		return IIR_THR_EMPTY;
	if ((s->ier & IER_EDSSI) && (s->msr & MSR_DELTAS))
		return IIR_MODEM_STATUS;
	return IIR_NONE;
}

/* Characters lie in the FIFO, too few for the trigger level: the guest is told after a while. */
static void update_timeout(struct ns16550 *u)
{
	bool waiting = fifos_enabled(u) && u->s.rx_count && u->s.rx_count < trigger_level(u) &&
		       (u->s.ier & IER_ERBFI) && !u->s.timeout_pending;

	if (!waiting)
		timer_cancel(&u->timeout_timer);
	else if (u->s.timeout_deadline_ns == TIMER_OFF)
		timer_arm(&u->timeout_timer,
			  timer_now(&u->timeout_timer) + TIMEOUT_CHARACTERS * character_ns(u));
}

static void ns16550_update_irq(struct ns16550 *u)
{
	update_timeout(u);
	irq_set(&u->irq, (u->s.mcr & MCR_OUT2) && !loopback(u) && pending_interrupt(u) != IIR_NONE);
}

static void timeout_expired(struct device *dev)
{
	struct ns16550 *u = ns16550_of(dev);

	u->s.timeout_pending = u->s.rx_count != 0;
	ns16550_update_irq(u);
}

/* --- receiver */

/* The oldest character is another one: its errors show. */
static void show_oldest(struct ns16550 *u)
{
	uint8_t *errors = &u->s.rx_errors[u->s.rx_head % FIFO_BYTES];

	if (!u->s.rx_count)
		return;
	u->s.lsr_errors |= *errors;
	*errors = 0;
}

static void receive_character(struct ns16550 *u, uint8_t byte, uint8_t errors)
{
	struct fifo rx = rx_of(u);
	unsigned int at = (u->s.rx_head + u->s.rx_count) % FIFO_BYTES;

	timer_cancel(&u->timeout_timer);
	if (fifo_count(rx) >= depth(u)) {
		u->s.lsr_errors |= LSR_OE;
		/* The FIFO keeps its characters, the single register gets the new one. */
		if (fifos_enabled(u))
			return;
		fifo_clear(rx);
		at = 0;
	}
	fifo_push(rx, byte);
	u->s.rx_errors[at] = errors;
	if (fifo_count(rx) == 1)
		show_oldest(u);
}

static size_t rx_room(const struct ns16550 *u)
{
	if (loopback(u) || u->s.rx_count >= depth(u))
		return 0;
	if (u->paced)
		return u->s.rx_deadline_ns == TIMER_OFF ? 1 : 0;
	return depth(u) - u->s.rx_count;
}

/* The backend may go on if it was held. It may hand over bytes before this returns. */
static void offer_room(struct ns16550 *u)
{
	if (!u->rx_blocked || !rx_room(u))
		return;
	u->rx_blocked = false;
	chario_rx_ready(u->chario);
}

static size_t ns16550_room(struct device *dev)
{
	struct ns16550 *u = ns16550_of(dev);
	size_t room = rx_room(u);

	u->rx_blocked = !room;
	return room;
}

static void ns16550_receive(struct device *dev, const uint8_t *bytes, size_t count)
{
	struct ns16550 *u = ns16550_of(dev);

	for (size_t i = 0; i < count; i++)
		receive_character(u, bytes[i], 0);
	if (u->paced)
		timer_arm(&u->rx_timer, timer_now(&u->rx_timer) + character_ns(u));
	u->rx_blocked = !rx_room(u);
	ns16550_update_irq(u);
}

static void rx_expired(struct device *dev)
{
	offer_room(ns16550_of(dev));
}

static void clear_receiver(struct ns16550 *u)
{
	fifo_clear(rx_of(u));
	u->s.timeout_pending = 0;
	timer_cancel(&u->timeout_timer);
}

/* --- transmitter */

/* Whether @byte was taken. */
static bool deliver(struct ns16550 *u, uint8_t byte)
{
	byte &= (uint8_t)mask32(5 + (u->s.lcr & LCR_WLS));
	if (!loopback(u))
		return chario_write(u->chario, &byte, 1) == 1;
	receive_character(u, byte, 0);
	return true;
}

/* THR has become empty. With the interrupt off nobody waits for it: no timer is needed. */
static void thr_emptied(struct ns16550 *u)
{
	if (u->paced || !(u->s.ier & IER_ETBEI))
		u->s.thre_pending = 1;
	else
		timer_arm(&u->tx_timer, timer_now(&u->tx_timer) + THRE_DELAY_NS);
}

/* Paced: the next character moves to TSR if that is free. */
static void shift_out(struct ns16550 *u)
{
	if (u->s.tsr_busy || !fifo_pop(tx_of(u), &u->s.tsr))
		return;
	u->s.tsr_busy = 1;
	timer_arm(&u->tx_timer, timer_now(&u->tx_timer) + character_ns(u));
	if (!u->s.tx_count)
		thr_emptied(u);
}

static void transmit(struct ns16550 *u)
{
	struct fifo tx = tx_of(u);
	uint8_t byte;

	if (u->paced) {
		shift_out(u);
		return;
	}
	while (fifo_count(tx)) {
		if (!deliver(u, fifo_peek(tx)))
			return;
		fifo_pop(tx, &byte);
		if (!fifo_count(tx))
			thr_emptied(u);
	}
}

/* The character in TSR is out. */
static void finish_shift(struct ns16550 *u)
{
	u->s.tsr_blocked = !deliver(u, u->s.tsr);
	if (u->s.tsr_blocked)
		return;
	u->s.tsr_busy = 0;
	transmit(u);
}

static void tx_expired(struct device *dev)
{
	struct ns16550 *u = ns16550_of(dev);

	if (u->paced)
		finish_shift(u);
	else
		u->s.thre_pending = u->s.tx_count == 0;
	ns16550_update_irq(u);
}

static void ns16550_tx_ready(struct device *dev)
{
	struct ns16550 *u = ns16550_of(dev);

	if (u->s.tsr_blocked)
		finish_shift(u);
	else
		transmit(u);
	ns16550_update_irq(u);
}

static void clear_transmitter(struct ns16550 *u)
{
	if (!u->s.tx_count)
		return;
	fifo_clear(tx_of(u));
	thr_emptied(u);
}

/* --- modem lines */

static uint8_t modem_lines(const struct ns16550 *u)
{
	uint8_t mcr = u->s.mcr;

	if (!loopback(u))
		return (uint8_t)(chario_modem_lines(u->chario) << MODEM_SHIFT);
	return (uint8_t)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
			 (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* Tells the host's side what the port does to its cable. */
static void update_line(struct ns16550 *u)
{
	const struct ns16550_state *s = &u->s;
	uint32_t divisor = s->dll | (uint32_t)s->dlm << 8;
	struct chario_line line = {
		.baud = divisor ? BAUD_BASE / divisor : 0,
		.bits = (uint8_t)(5 + (s->lcr & LCR_WLS)),
		.stop = s->lcr & LCR_STB ? 2 : 1,
		.parity = s->lcr & LCR_PEN,
		.parity_odd = !(s->lcr & LCR_EPS),
		.parity_stick = s->lcr & LCR_STICK,
		.dtr = (s->mcr & MCR_DTR) && !loopback(u),
		.rts = (s->mcr & MCR_RTS) && !loopback(u),
		.sending_break = (s->lcr & LCR_BREAK) && !loopback(u),
	};

	chario_set_line(u->chario, &line);
}

static void update_modem(struct ns16550 *u)
{
	uint8_t lines = modem_lines(u), msr = u->s.msr;
	uint8_t changed = (lines ^ msr) & MSR_LINES;

	msr = (uint8_t)((msr & MSR_DELTAS) | lines);
	msr |= changed & MSR_CTS ? MSR_DCTS : 0;
	msr |= changed & MSR_DSR ? MSR_DDSR : 0;
	msr |= changed & ~lines & MSR_RI ? MSR_TERI : 0;
	msr |= changed & MSR_DCD ? MSR_DDCD : 0;
	u->s.msr = msr;
}

static void ns16550_connected(struct device *dev, bool connected)
{
	(void)connected;
	update_modem(ns16550_of(dev));
	ns16550_update_irq(ns16550_of(dev));
}

static const struct chario_device_ops ns16550_chario_ops = {
	.room = ns16550_room,
	.receive = ns16550_receive,
	.tx_ready = ns16550_tx_ready,
	.connected = ns16550_connected,
};

/* --- registers */

static uint32_t rbr_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);
	/* An empty receiver shows what it had last. */
	uint8_t byte = u->s.rx_data[(u->s.rx_head + FIFO_BYTES - 1u) % FIFO_BYTES];

	(void)reg;
	(void)value;
	if (!fifo_pop(rx_of(u), &byte))
		return byte;
	u->s.timeout_pending = 0;
	timer_cancel(&u->timeout_timer);
	show_oldest(u);
	return byte;
}

static void thr_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);

	(void)reg;
	(void)old;
	u->s.thre_pending = 0;
	if (!u->paced)
		timer_cancel(&u->tx_timer);
	/* The line falls even if THR is empty again within this access. */
	ns16550_update_irq(u);
	if (!fifos_enabled(u))
		fifo_clear(tx_of(u));
	fifo_push(tx_of(u), (uint8_t)value);
	transmit(u);
}

static void ier_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);

	(void)reg;
	if ((~old & value & IER_ETBEI) && !u->s.tx_count)
		u->s.thre_pending = 1;
}

static uint32_t iir_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);

	(void)reg;
	value = pending_interrupt(u);
	if (value == IIR_THR_EMPTY)
		u->s.thre_pending = 0;
	return value | (fifos_enabled(u) ? IIR_FIFOS_ENABLED : 0);
}

static void fcr_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);
	bool toggled = (u->s.fcr ^ value) & FCR_FIFO_ENABLE;

	(void)reg;
	(void)old;
	/* Without its bit 0 a write can do nothing but turn the FIFOs off. */
	if (!(value & FCR_FIFO_ENABLE))
		value = 0;
	if (toggled || (value & FCR_RCVR_RESET))
		clear_receiver(u);
	if (toggled || (value & FCR_XMIT_RESET))
		clear_transmitter(u);
	u->s.fcr = value & FCR_KEPT;
}

static void lcr_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);

	(void)reg;
	if ((~old & value & LCR_BREAK) && loopback(u))
		receive_character(u, 0, LSR_BI | LSR_FE);
	if ((old ^ value) & ~LCR_DLAB)
		update_line(u);
}

static void mcr_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	(void)old;
	(void)value;
	update_modem(ns16550_of(dev));
	update_line(ns16550_of(dev));
}

static void divisor_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			     uint32_t value)
{
	(void)reg;
	if (old != value)
		update_line(ns16550_of(dev));
}

static uint32_t lsr_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);

	(void)reg;
	if (fifos_enabled(u)) {
		uint32_t errors = value & LSR_CHARACTER_ERRORS;

		for (unsigned int i = 0; i < u->s.rx_count; i++)
			errors |= u->s.rx_errors[(u->s.rx_head + i) % FIFO_BYTES];
		value |= errors ? LSR_FIFO_ERROR : 0;
	}
	value |= u->s.rx_count ? LSR_DR : 0;
	if (u->s.tx_count)
		return value;
	return value | LSR_THRE | (u->s.tsr_busy ? 0 : LSR_TEMT);
}

#define UART_REG(member, off, nam, res, wr, ...)                                                   \
	REG(struct ns16550, s.member, off, 1, nam, res, wr, __VA_ARGS__)
/* Rows 2 to 7, which both banks share. */
#define COMMON_ROWS                                                                                \
	REG_HOOKED(IIR, 1, "IIR/FCR", .on_read = iir_on_read, .on_write = fcr_on_write),           \
		UART_REG(lcr, LCR, "LCR", 0, 0xff, .on_write = lcr_on_write),                      \
		UART_REG(mcr, MCR, "MCR", 0, MCR_ALL, .on_write = mcr_on_write),                   \
		UART_REG(lsr_errors, LSR, "LSR", 0, 0, .rc = LSR_ERRORS, .on_read = lsr_on_read),  \
		UART_REG(msr, MSR, "MSR", 0, 0, .rc = MSR_DELTAS),                                 \
		UART_REG(scr, SCR, "SCR", 0, 0xff)

static const struct reg ns16550_regs[] = {
	REG_HOOKED(RBR, 1, "RBR/THR", .on_read = rbr_on_read, .on_write = thr_on_write),
	UART_REG(ier, IER, "IER", 0, 0x0f, .on_write = ier_on_write),
	COMMON_ROWS,
};

/* With DLAB set. The chip leaves the divisor undefined; 9600 baud is what a BIOS sets. */
static const struct reg ns16550_dlab_regs[] = {
	UART_REG(dll, DLL, "DLL", 0x0c, 0xff, .on_write = divisor_on_write),
	UART_REG(dlm, DLM, "DLM", 0, 0xff, .on_write = divisor_on_write),
	COMMON_ROWS,
};

static const struct reg_bank ns16550_bank = {
	.name = "ns16550",
	.regs = ns16550_regs,
	.count = ARRAY_LEN(ns16550_regs),
	.size = PORTS,
	.open = 0xff,
};

static const struct reg_bank ns16550_dlab_bank = {
	.name = "ns16550-dlab",
	.regs = ns16550_dlab_regs,
	.count = ARRAY_LEN(ns16550_dlab_regs),
	.size = PORTS,
	.open = 0xff,
};

static const struct reg_bank *bank_of(const struct ns16550 *u)
{
	return u->s.lcr & LCR_DLAB ? &ns16550_dlab_bank : &ns16550_bank;
}

static uint32_t ns16550_read(struct device *dev, uint32_t offset, unsigned int size)
{
	struct ns16550 *u = ns16550_of(dev);
	uint32_t value = reg_bank_read(bank_of(u), dev, offset, size);

	ns16550_update_irq(u);
	offer_room(u);
	return value;
}

static void ns16550_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct ns16550 *u = ns16550_of(dev);

	reg_bank_write(bank_of(u), dev, offset, size, value);
	ns16550_update_irq(u);
	offer_room(u);
}

/* --- life */

static int ns16550_init(struct device *dev, const void *config)
{
	const struct ns16550_config *uart_config = config;
	struct ns16550 *u = ns16550_of(dev);

	device_move_region(dev, 0, uart_config->base);
	if (dev->regions[0].base == IO_UNMAPPED)
		return -EBUSY;
	u->chario = uart_config->chario;
	u->paced = uart_config->paced;
	timer_init(&u->tx_timer, dev->env->timers, dev, &u->s.tx_deadline_ns, tx_expired);
	timer_init(&u->rx_timer, dev->env->timers, dev, &u->s.rx_deadline_ns, rx_expired);
	timer_init(&u->timeout_timer, dev->env->timers, dev, &u->s.timeout_deadline_ns,
		   timeout_expired);
	chario_attach(u->chario, dev, &ns16550_chario_ops);
	return 0;
}

static void ns16550_reset(struct device *dev, enum reset_kind kind)
{
	struct ns16550 *u = ns16550_of(dev);

	(void)kind;
	timer_cancel(&u->tx_timer);
	timer_cancel(&u->rx_timer);
	timer_cancel(&u->timeout_timer);
	u->s = (struct ns16550_state){
		.tx_deadline_ns = TIMER_OFF,
		.rx_deadline_ns = TIMER_OFF,
		.timeout_deadline_ns = TIMER_OFF,
	};
	reg_bank_reset(&ns16550_bank, dev);
	reg_bank_reset(&ns16550_dlab_bank, dev);
	update_line(u);
	u->s.msr = modem_lines(u);
	ns16550_update_irq(u);
	offer_room(u);
}

static bool ns16550_check(const void *state)
{
	struct ns16550_state s = *(const struct ns16550_state *)state;
	unsigned int most = s.fcr & FCR_FIFO_ENABLE ? FIFO_BYTES : 1;

	return fifo_valid(FIFO(&s, tx)) && fifo_valid(FIFO(&s, rx)) && s.tx_count <= most &&
	       s.rx_count <= most && (!s.tsr_blocked || s.tsr_busy);
}

static void ns16550_post_load(struct device *dev)
{
	struct ns16550 *u = ns16550_of(dev);

	/* Another backend, perhaps: somebody else is there or not, and there may be room now. */
	update_line(u);
	update_modem(u);
	/* A state from a paced port may meet one that is not. */
	if (u->s.tsr_busy && (!u->paced || u->s.tx_deadline_ns == TIMER_OFF))
		finish_shift(u);
	else
		transmit(u);
	ns16550_update_irq(u);
	u->rx_blocked = true;
	offer_room(u);
}

static void ns16550_fini(struct device *dev)
{
	struct ns16550 *u = ns16550_of(dev);

	chario_attach(u->chario, NULL, NULL);
	irq_set(&u->irq, false);
	timer_fini(&u->tx_timer);
	timer_fini(&u->rx_timer);
	timer_fini(&u->timeout_timer);
}

static const struct io_region_desc ns16550_regions[] = {
	{
		.name = "uart",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = PORTS,
		.read = ns16550_read,
		.write = ns16550_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const ns16550_banks[] = { &ns16550_bank, &ns16550_dlab_bank, NULL };

static const struct device_irq ns16550_irqs[] = {
	DEVICE_IRQ(struct ns16550, irq, "intr", 4),
	{ .name = NULL },
};

static const struct ns16550_config ns16550_default = { .base = 0x3f8 };

const struct device_class ns16550_class = {
	.name = "ns16550",
	.summary = "serial port with FIFOs",
	DEVICE_STATE(struct ns16550),
	.regions = ns16550_regions,
	.banks = ns16550_banks,
	.fields = ns16550_fields,
	.irqs = ns16550_irqs,
	.default_config = &ns16550_default,
	.init = ns16550_init,
	.reset = ns16550_reset,
	.check = ns16550_check,
	.post_load = ns16550_post_load,
	.fini = ns16550_fini,
};
