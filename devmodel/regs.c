// SPDX-License-Identifier: GPL-2.0-or-later
#include "regs.h"

#include "../base/bits.h"
#include "../base/bytes.h"

uint32_t reg_load(const struct device *dev, const struct reg *reg)
{
	if (reg->storage == REG_NO_STORAGE)
		return 0;
	return (uint32_t)get_le((const char *)dev + reg->storage, reg->width);
}

void reg_store(struct device *dev, const struct reg *reg, uint32_t value)
{
	if (reg->storage != REG_NO_STORAGE)
		put_le((char *)dev + reg->storage, reg->width, value);
}

/* The first row that ends behind @offset; count when none does. */
static unsigned int first_row(const struct reg_bank *bank, uint32_t offset)
{
	unsigned int low = 0, high = bank->count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		const struct reg *reg = &bank->regs[middle];

		if ((uint32_t)reg->offset + reg->width <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct reg *reg_bank_find(const struct reg_bank *bank, uint32_t offset)
{
	unsigned int i = first_row(bank, offset);

	return i < bank->count && bank->regs[i].offset <= offset ? &bank->regs[i] : NULL;
}

static uint32_t read_one(struct device *dev, const struct reg *reg)
{
	uint32_t value = reg_load(dev, reg);
	uint32_t shown = reg->on_read ? reg->on_read(dev, reg, value) : value;

	if (reg->rc)
		reg_store(dev, reg, reg_load(dev, reg) & ~reg->rc);
	return shown;
}

uint32_t reg_bank_read(const struct reg_bank *bank, struct device *dev, uint32_t offset,
		       unsigned int size)
{
	uint64_t result = 0x01010101u * (uint64_t)bank->open & mask32(size * 8);

	for (unsigned int i = first_row(bank, offset); i < bank->count; i++) {
		const struct reg *reg = &bank->regs[i];
		int shift = ((int)reg->offset - (int)offset) * 8;
		uint64_t mask = mask32(reg->width * 8u), value;

		if (reg->offset >= offset + size)
			break;
		value = read_one(dev, reg) & mask;
		if (shift >= 0) {
			value <<= shift;
			mask <<= shift;
		} else {
			value >>= -shift;
			mask >>= -shift;
		}
		result = (result & ~mask) | value;
	}
	return (uint32_t)result & mask32(size * 8);
}

/* @value holds the bytes of @reg that are written, @mask says which. */
static void write_one(struct device *dev, const struct reg *reg, uint32_t mask, uint32_t value)
{
	uint32_t old, now;

	if (reg->storage == REG_NO_STORAGE) {
		if (reg->on_write)
			reg->on_write(dev, reg, 0, value & mask);
		return;
	}
	old = reg_load(dev, reg);
	now = blend32(old, reg->writable & mask, value);
	now &= ~(value & mask & reg->w1c);
	reg_store(dev, reg, now);
	if (reg->on_write)
		reg->on_write(dev, reg, old, now | (value & mask & reg->command));
}

void reg_bank_write(const struct reg_bank *bank, struct device *dev, uint32_t offset,
		    unsigned int size, uint32_t value)
{
	for (unsigned int i = first_row(bank, offset); i < bank->count; i++) {
		const struct reg *reg = &bank->regs[i];
		int shift = ((int)offset - (int)reg->offset) * 8;
		uint64_t bits = value & mask32(size * 8), mask = mask32(size * 8);

		if (reg->offset >= offset + size)
			break;
		if (shift >= 0) {
			bits <<= shift;
			mask <<= shift;
		} else {
			bits >>= -shift;
			mask >>= -shift;
		}
		mask &= mask32(reg->width * 8u);
		write_one(dev, reg, (uint32_t)mask, (uint32_t)(bits & mask));
	}
}

void reg_bank_reset(const struct reg_bank *bank, struct device *dev)
{
	for (unsigned int i = 0; i < bank->count; i++)
		reg_store(dev, &bank->regs[i], bank->regs[i].reset);
}
