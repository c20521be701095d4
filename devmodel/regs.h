/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers as tables.
 *
 * A row says what a datasheet's register page says: offset, width, name, reset value, which bits
 * the guest can write, which it clears by writing one, which a read clears. Hooks do the side
 * effects and nothing else. From the tables come reset, access, the register map for people, and
 * the generic tests.
 */
#ifndef DEVMODEL_REGS_H
#define DEVMODEL_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

/* No storage: reads come from on_read() alone (0 without), writes go to on_write() alone. */
#define REG_NO_STORAGE UINT32_MAX

struct reg {
	uint16_t offset;
	uint8_t width;	  /* bytes: 1, 2 or 4 */
	const char *name; /* as the datasheet prints it */
	uint32_t reset;
	uint32_t writable; /* plain read-write bits */
	uint32_t w1c;	   /* writing 1 clears */
	uint32_t rc;	   /* reading clears (after the value was taken) */
	uint32_t command;  /* writing 1 acts: on_write() sees the bit in @value, nothing keeps it */
	uint32_t storage;  /* offset of the stored value from the start of the device's struct */
	/* The value to give for the stored @value; NULL: that itself. */
	uint32_t (*on_read)(struct device *dev, const struct reg *reg, uint32_t value);
	/*
	 * After the store: @old and @value are the register's whole value before and after, @value
	 * with the command bits that were written. Without storage @old is 0 and @value what was
	 * written, bytes that were not written being 0.
	 */
	void (*on_write)(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value);
};

/* Rows sorted by offset, without overlap. */
struct reg_bank {
	const char *name;
	const struct reg *regs;
	uint16_t count;
	uint16_t size; /* bytes that the bank spans */
	uint8_t open;  /* what bytes outside all rows read as */
};

/* The usual row: @member of @type holds it. */
#define REG(type, member, off, wid, nam, res, wr, ...)                                             \
	{                                                                                          \
		.offset = (off), .width = (wid), .name = (nam), .reset = (res), .writable = (wr),  \
		.storage = offsetof(type, member), __VA_ARGS__                                     \
	}
#define REG_HOOKED(off, wid, nam, ...)                                                             \
	{                                                                                          \
		.offset = (off), .width = (wid), .name = (nam), .storage = REG_NO_STORAGE,         \
		__VA_ARGS__                                                                        \
	}

/* @size 1, 2 or 4, @offset + @size within the bank. Several registers may lie in one access. */
uint32_t reg_bank_read(const struct reg_bank *bank, struct device *dev, uint32_t offset,
		       unsigned int size);
void reg_bank_write(const struct reg_bank *bank, struct device *dev, uint32_t offset,
		    unsigned int size, uint32_t value);
/* Every stored register to its reset value; no hook is called. */
void reg_bank_reset(const struct reg_bank *bank, struct device *dev);

/* The row that covers @offset, or NULL. */
const struct reg *reg_bank_find(const struct reg_bank *bank, uint32_t offset);

/* The stored value, without hooks. */
uint32_t reg_load(const struct device *dev, const struct reg *reg);
void reg_store(struct device *dev, const struct reg *reg, uint32_t value);

#endif
