// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug console of the firmware: bytes written to port 402h go to the host.
 *
 * It is an agreement between SeaBIOS and emulators, no hardware: a read gives E9h where somebody
 * listens, otherwise SeaBIOS writes nothing. The board has one only when it is asked for. Bytes
 * that the backend has no room for are dropped, since there is nothing that could hold the firmware
 * off.
 */
#include "debugcon.h"

#include "../base/bits.h"
#include "chario.h"

#define DATA 0

#define DEBUGCON_PORT 0x402
#define DEBUGCON_PRESENT 0xe9
#define DEBUGCON_ABSENT 0xff

struct debugcon_state {
	uint8_t data; /* what was written last */
};

struct debugcon {
	struct device dev;
	struct debugcon_state s;
	struct chario *chario;
};

static const struct state_field debugcon_fields[] = {
	STATE_FIELD(struct debugcon, data),
	STATE_END,
};

static struct debugcon *debugcon_of(struct device *dev)
{
	return container_of(dev, struct debugcon, dev);
}

static uint32_t data_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	(void)value;
	return debugcon_of(dev)->chario ? DEBUGCON_PRESENT : DEBUGCON_ABSENT;
}

static void data_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	uint8_t byte = (uint8_t)value;

	(void)reg;
	(void)old;
	chario_write(debugcon_of(dev)->chario, &byte, 1);
}

static const struct reg debugcon_regs[] = {
	REG(struct debugcon, s.data, DATA, 1, "DATA", 0, 0xff, .on_read = data_on_read,
	    .on_write = data_on_write),
};

static const struct reg_bank debugcon_bank = {
	.name = "debugcon",
	.regs = debugcon_regs,
	.count = ARRAY_LEN(debugcon_regs),
	.size = 1,
	.open = 0xff,
};

static uint32_t debugcon_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&debugcon_bank, dev, offset, size);
}

static void debugcon_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&debugcon_bank, dev, offset, size, value);
}

static size_t debugcon_write_bulk(struct device *dev, uint32_t offset, unsigned int size,
				  const void *items, size_t count)
{
	struct debugcon *con = debugcon_of(dev);
	const uint8_t *bytes = items;

	(void)offset;
	(void)size; /* 1: the region has no room for more */
	chario_write(con->chario, bytes, count);
	con->s.data = bytes[count - 1];
	return count;
}

static size_t debugcon_room(struct device *dev)
{
	(void)dev;
	return 0;
}

static void debugcon_receive(struct device *dev, const uint8_t *bytes, size_t count)
{
	(void)dev;
	(void)bytes;
	(void)count;
}

static const struct chario_device_ops debugcon_chario_ops = {
	.room = debugcon_room,
	.receive = debugcon_receive,
};

static int debugcon_init(struct device *dev, const void *config)
{
	struct debugcon *con = debugcon_of(dev);

	con->chario = ((const struct debugcon_config *)config)->chario;
	chario_attach(con->chario, dev, &debugcon_chario_ops);
	return 0;
}

static void debugcon_reset(struct device *dev, enum reset_kind kind)
{
	(void)kind;
	reg_bank_reset(&debugcon_bank, dev);
}

static void debugcon_fini(struct device *dev)
{
	chario_attach(debugcon_of(dev)->chario, NULL, NULL);
}

static const struct io_region_desc debugcon_regions[] = {
	{
		.name = "debugcon",
		.space = IO_PORT,
		.base = DEBUGCON_PORT,
		.length = 1,
		.flags = IO_POSTED,
		.read = debugcon_read,
		.write = debugcon_write,
		.write_bulk = debugcon_write_bulk,
	},
	{ .name = NULL },
};

static const struct reg_bank *const debugcon_banks[] = { &debugcon_bank, NULL };

static const struct debugcon_config debugcon_default = { .chario = NULL };

const struct device_class debugcon_class = {
	.name = "debugcon",
	.summary = "debug console of the firmware",
	DEVICE_STATE(struct debugcon),
	.regions = debugcon_regions,
	.banks = debugcon_banks,
	.fields = debugcon_fields,
	.default_config = &debugcon_default,
	.init = debugcon_init,
	.reset = debugcon_reset,
	.fini = debugcon_fini,
};
