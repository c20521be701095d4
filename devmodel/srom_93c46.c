// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands as in the data sheets of the 93C46 family, organised as 64 words of 16 bits. */
#include "srom_93c46.h"

#define ADDRESS_BITS 6
#define COMMAND_BITS (2 + ADDRESS_BITS)

enum opcode { EXTENDED, WRITE, READ, ERASE };

/* Bits 5:4 of the address of an EXTENDED command. */
enum extended { EWDS, WRAL, ERAL, EWEN };

void srom_reset(struct srom_state *s)
{
	s->phase = SROM_IDLE;
	s->count = 0;
	s->shift = 0;
	s->opcode = 0;
	s->address = 0;
	s->pins = 0;
	s->data_out = 1;
	s->write_enabled = 0;
	s->reserved = 0;
}

static void store(struct srom_state *s, uint16_t value)
{
	if (!s->write_enabled)
		return;
	if (s->opcode == EXTENDED) {
		for (unsigned int i = 0; i < SROM_WORDS; i++)
			s->words[i] = value;
	} else {
		s->words[s->address] = value;
	}
}

static void begin(struct srom_state *s)
{
	s->count = 0;
	s->opcode = (uint8_t)(s->shift >> ADDRESS_BITS & 3);
	s->address = (uint8_t)(s->shift & (SROM_WORDS - 1));
	s->phase = SROM_DONE;
	switch (s->opcode) {
	case READ:
		s->phase = SROM_READING;
		s->data_out = 0;
		s->shift = s->words[s->address];
		return;
	case WRITE:
		s->phase = SROM_WRITING;
		return;
	case ERASE:
		store(s, UINT16_MAX);
		return;
	}
	switch (s->address >> 4) {
	case EWEN:
		s->write_enabled = 1;
		break;
	case EWDS:
		s->write_enabled = 0;
		break;
	case ERAL:
		store(s, UINT16_MAX);
		break;
	case WRAL:
		s->phase = SROM_WRITING;
		break;
	}
}

static void clock_rises(struct srom_state *s, bool bit)
{
	switch (s->phase) {
	case SROM_IDLE:
		if (bit) {
			s->phase = SROM_COMMAND;
			s->count = 0;
			s->shift = 0;
		}
		break;
	case SROM_COMMAND:
		s->shift = (uint16_t)(s->shift << 1 | bit);
		if (++s->count == COMMAND_BITS)
			begin(s);
		break;
	case SROM_READING:
		s->data_out = (s->shift & 0x8000) != 0;
		s->shift = (uint16_t)(s->shift << 1);
		if (++s->count == 16) {
			s->count = 0;
			s->address = (uint8_t)((s->address + 1) % SROM_WORDS);
			s->shift = s->words[s->address];
		}
		break;
	case SROM_WRITING:
		s->shift = (uint16_t)(s->shift << 1 | bit);
		if (++s->count == 16) {
			store(s, s->shift);
			s->phase = SROM_DONE;
		}
		break;
	}
}

void srom_drive(struct srom_state *s, uint8_t pins)
{
	uint8_t before = s->pins;

	s->pins = pins & (SROM_CS | SROM_SK | SROM_DI);
	if (!(pins & SROM_CS)) {
		s->phase = SROM_IDLE;
		s->count = 0;
		s->data_out = 1;
		return;
	}
	if (pins & SROM_SK && !(before & SROM_SK))
		clock_rises(s, pins & SROM_DI);
}
