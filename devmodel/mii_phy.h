/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 10/100 Mb/s transceiver with auto-negotiation, at MII address 1, driven bit by bit.
 *
 * Source: IEEE 802.3, clause 22.2.4. The transceiver takes a bit and changes its own with the rising
 * edge of MDC, so that drivers that look before the edge and those that look after it both read well.
 */
#ifndef DEVMODEL_MII_PHY_H
#define DEVMODEL_MII_PHY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/bits.h"
#include "state.h"

#define MII_PHY_ADDRESS 1
#define MII_REGISTERS 8

#define MII_BMCR 0
#define MII_BMSR 1
#define MII_ANAR 4
#define MII_ANLPAR 5
#define MII_ANER 6

#define MII_BMCR_LOOPBACK BIT(14)
#define MII_BMSR_LINK BIT(2)
#define MII_BMSR_AN_COMPLETE BIT(5)

/* Only what the guest can observe; the owner embeds it in its saved state. */
struct mii_state {
	uint16_t regs[MII_REGISTERS]; /* BMSR: the latched view of the link */
	uint16_t shift;
	uint8_t phase; /* enum mii_phase */
	uint8_t count;
	uint8_t header; /* register of the frame, bit 7: a read */
	uint8_t mdc, data_out;
	uint8_t link; /* as it is, not latched */
};

enum mii_phase {
	MII_IDLE,   /* ones */
	MII_START,  /* the zero of the start code was seen */
	MII_HEADER, /* operation, address, register */
	MII_TURN,   /* two clocks in which the bus changes direction */
	MII_DATA,
	MII_FOREIGN, /* another transceiver's frame passes by */
	MII_PHASES,
};

#define MII_STATE_FIELDS                                                                           \
	STATE_SUBARRAY(struct mii_state, regs), STATE_SUBFIELD(struct mii_state, shift),           \
		STATE_SUBFIELD(struct mii_state, phase, .max = MII_PHASES - 1),                    \
		STATE_SUBFIELD(struct mii_state, count, .max = 18),                                \
		STATE_SUBFIELD(struct mii_state, header),                                          \
		STATE_SUBFIELD(struct mii_state, mdc, .max = 1),                                   \
		STATE_SUBFIELD(struct mii_state, data_out, .max = 1),                              \
		STATE_SUBFIELD(struct mii_state, link, .max = 1)

struct reg_bank;

/* Registers and wires at power-on; @link: whether the cable is plugged in. */
void mii_reset(struct mii_state *s, bool link);
void mii_set_link(struct mii_state *s, bool link);
/* The wires: clock, data (meaningless while the driver listens), and whether the driver drives. */
void mii_drive(struct mii_state *s, bool mdc, bool mdo, bool driving);
/* What a frame would read and write. */
uint16_t mii_read(struct mii_state *s, unsigned int reg);
void mii_write(struct mii_state *s, unsigned int reg, uint16_t value);

#endif
