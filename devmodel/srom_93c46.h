/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 93C46 serial ROM of 64 words behind a network controller, driven bit by bit.
 *
 * The wires are chip select, clock and data in; data out answers. DI is sampled when the clock rises.
 * DO is 1 while a command is shifted in, 0 for the dummy bit behind the address, then come 16 data
 * bits, high one first, and without a pause the next word's.
 */
#ifndef DEVMODEL_SROM_93C46_H
#define DEVMODEL_SROM_93C46_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/bits.h"
#include "state.h"

#define SROM_WORDS 64

#define SROM_CS BIT(0)
#define SROM_SK BIT(1)
#define SROM_DI BIT(2)

/* Only what the guest can observe; the owner embeds it in its saved state. */
struct srom_state {
	uint16_t words[SROM_WORDS];
	uint16_t shift; /* command, address or data that comes in; data that goes out */
	uint8_t phase;	/* enum srom_phase */
	uint8_t count;	/* bits so far in this phase */
	uint8_t opcode;
	uint8_t address;
	uint8_t pins; /* as last driven */
	uint8_t data_out;
	uint8_t write_enabled;
	uint8_t reserved;
};

enum srom_phase {
	SROM_IDLE, /* waits for the start bit */
	SROM_COMMAND,
	SROM_READING,
	SROM_WRITING,
	SROM_DONE, /* waits for chip select to fall */
	SROM_PHASES,
};

#define SROM_STATE_FIELDS                                                                          \
	STATE_SUBARRAY(struct srom_state, words), STATE_SUBFIELD(struct srom_state, shift),        \
		STATE_SUBFIELD(struct srom_state, phase, .max = SROM_PHASES - 1),                  \
		STATE_SUBFIELD(struct srom_state, count, .max = 16),                               \
		STATE_SUBFIELD(struct srom_state, opcode, .max = 3),                               \
		STATE_SUBFIELD(struct srom_state, address, .max = SROM_WORDS - 1),                 \
		STATE_SUBFIELD(struct srom_state, pins, .max = 7),                                 \
		STATE_SUBFIELD(struct srom_state, data_out, .max = 1),                             \
		STATE_SUBFIELD(struct srom_state, write_enabled, .max = 1),                        \
		STATE_SUBFIELD(struct srom_state, reserved)

/* The wires at power-on; the words stay. */
void srom_reset(struct srom_state *s);
/* Drives the wires: bits SROM_CS, SROM_SK, SROM_DI of @pins. */
void srom_drive(struct srom_state *s, uint8_t pins);

#endif
