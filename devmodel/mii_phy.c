// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Negotiation is instantaneous and always ends in what both sides can do; the partner can do
 * everything. What a driver forces is kept and has no effect on the speed of anything.
 */
#include "mii_phy.h"

#include <string.h>

#define BMCR_RESET BIT(15)
#define BMCR_AN_ENABLE BIT(12)
#define BMCR_AN_RESTART BIT(9)
#define BMSR_CAPABLE                                                                               \
	0x7809u /* 100 and 10 Mb/s, full and half duplex; negotiates; extended registers */

#define HEADER_BITS 12 /* operation 2, address 5, register 5 */
#define TURN_BITS 2
#define DATA_BITS 16
#define OPERATION_READ 2
#define OPERATION_WRITE 1
#define HEADER_READ BIT(7)

/* A plain register file but for the hooks below: reset value and writable bits. */
static const struct {
	uint16_t reset, writable;
} registers[MII_REGISTERS] = {
	[MII_BMCR] = { 0x3100, 0x7d80 },
	[MII_BMSR] = { BMSR_CAPABLE, 0 },
	[2] = { 0x7810, 0 },
	[3] = { 0x0001, 0 },
	[MII_ANAR] = { 0x01e1, 0x2fe0 },
	[MII_ANLPAR] = { 0, 0 },
	[MII_ANER] = { 0, 0 },
};

static void derive(struct mii_state *s)
{
	bool negotiated = s->link && s->regs[MII_BMCR] & BMCR_AN_ENABLE;

	s->regs[MII_BMSR] &= (uint16_t)~MII_BMSR_AN_COMPLETE;
	if (negotiated)
		s->regs[MII_BMSR] |= MII_BMSR_AN_COMPLETE;
	s->regs[MII_ANLPAR] = negotiated ? 0x45e1 : 0;
	s->regs[MII_ANER] = negotiated ? 1 : 0;
}

static void reset_registers(struct mii_state *s)
{
	for (unsigned int i = 0; i < MII_REGISTERS; i++)
		s->regs[i] = registers[i].reset;
	if (s->link)
		s->regs[MII_BMSR] |= MII_BMSR_LINK;
	derive(s);
}

void mii_reset(struct mii_state *s, bool link)
{
	memset(s, 0, sizeof(*s));
	s->link = link;
	s->data_out = 1;
	reset_registers(s);
}

void mii_set_link(struct mii_state *s, bool link)
{
	s->link = link;
	/* A link that was lost stays seen as lost until a read has told. */
	if (!link)
		s->regs[MII_BMSR] &= (uint16_t)~MII_BMSR_LINK;
	derive(s);
}

uint16_t mii_read(struct mii_state *s, unsigned int reg)
{
	uint16_t value;

	if (reg >= MII_REGISTERS)
		return 0;
	value = s->regs[reg];
	if (reg == MII_BMSR && s->link)
		s->regs[MII_BMSR] |= MII_BMSR_LINK;
	return value;
}

void mii_write(struct mii_state *s, unsigned int reg, uint16_t value)
{
	uint16_t writable;

	if (reg >= MII_REGISTERS)
		return;
	if (reg == MII_BMCR && value & BMCR_RESET) {
		reset_registers(s);
		return;
	}
	writable = registers[reg].writable;
	s->regs[reg] = (uint16_t)((s->regs[reg] & ~writable) | (value & writable));
	derive(s);
}

static void header_complete(struct mii_state *s)
{
	unsigned int operation = s->shift >> 10 & 3, address = s->shift >> 5 & 31;

	s->count = 0;
	s->header = (uint8_t)((s->shift & 31) | (operation == OPERATION_READ ? HEADER_READ : 0));
	if (address != MII_PHY_ADDRESS ||
	    (operation != OPERATION_READ && operation != OPERATION_WRITE)) {
		s->phase = MII_FOREIGN;
		return;
	}
	s->phase = MII_TURN;
	s->shift = operation == OPERATION_READ ? mii_read(s, s->header & 31) : 0;
}

static void idle(struct mii_state *s)
{
	s->phase = MII_IDLE;
	s->count = 0;
	s->data_out = 1;
}

/* The second clock of the turnaround already brings the first bit of data that the driver reads. */
static void turn(struct mii_state *s)
{
	if (++s->count < TURN_BITS) {
		s->data_out = !(s->header & HEADER_READ);
		return;
	}
	s->phase = MII_DATA;
	s->count = 0;
	if (s->header & HEADER_READ) {
		s->data_out = (s->shift & 0x8000) != 0;
		s->shift = (uint16_t)(s->shift << 1);
	}
}

static void data(struct mii_state *s, bool bit)
{
	s->count++;
	if (s->header & HEADER_READ) {
		s->data_out = (s->shift & 0x8000) != 0;
		s->shift = (uint16_t)(s->shift << 1);
		if (s->count == DATA_BITS)
			idle(s);
		return;
	}
	s->shift = (uint16_t)(s->shift << 1 | bit);
	if (s->count == DATA_BITS) {
		mii_write(s, s->header & 31, s->shift);
		idle(s);
	}
}

static void clock_rises(struct mii_state *s, bool bit)
{
	switch (s->phase) {
	case MII_IDLE:
		if (!bit)
			s->phase = MII_START;
		break;
	case MII_START:
		/* Two zeros are no start code. */
		if (bit) {
			s->phase = MII_HEADER;
			s->count = 0;
			s->shift = 0;
		}
		break;
	case MII_HEADER:
		s->shift = (uint16_t)(s->shift << 1 | bit);
		if (++s->count == HEADER_BITS)
			header_complete(s);
		break;
	case MII_TURN:
		turn(s);
		break;
	case MII_DATA:
		data(s, bit);
		break;
	case MII_FOREIGN:
		if (++s->count == TURN_BITS + DATA_BITS)
			idle(s);
		break;
	}
}

void mii_drive(struct mii_state *s, bool mdc, bool mdo, bool driving)
{
	bool rises = mdc && !s->mdc;

	s->mdc = mdc;
	/* A driver that listens leaves the wire to its pull-up. */
	if (rises)
		clock_rises(s, driving ? mdo : true);
}
