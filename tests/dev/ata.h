/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PIIX4 IDE controller on the bench, set up as firmware does, and the steps of a small driver. */
#ifndef TESTS_DEV_ATA_H
#define TESTS_DEV_ATA_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/piix4_ide.h"

#define DEVFN PCI_DEVFN(1, 1)
#define CMD 0x1f0
#define CTL 0x3f6
#define CMD2 0x170
#define CTL2 0x376
#define BM 0xc000
#define DELAY (70 * NSEC_PER_USEC)
#define DISK_SECTORS 4096u

#define BSY 0x80
#define DRDY 0x40
#define DF 0x20
#define DSC 0x10
#define DRQ 0x08
#define ERR 0x01
#define READY (DRDY | DSC)
#define UNC 0x40
#define IDNF 0x10
#define ABRT 0x04

struct ata_bench {
	struct bench *b;
	struct device *dev;
	struct bench_disk *disk[PIIX4_IDE_DRIVES];
	struct piix4_ide_config config;
};

static inline void ata_enable(struct ata_bench *a)
{
	bench_config_write(a->b, DEVFN, 0x20, 4, BM);
	bench_config_write(a->b, DEVFN, 0x40, 4, 0x80008000);
	bench_config_write(a->b, DEVFN, 0x04, 2, 0x0005);
}

static inline struct device *ata_make(struct ata_bench *a)
{
	a->dev = bench_add(a->b, &piix4_ide_class, &a->config);
	ata_enable(a);
	return a->dev;
}

/* @slots: bit n puts a disk at slot n. */
static inline void ata_prepare(struct ata_bench *a, unsigned int slots)
{
	memset(a, 0, sizeof(*a));
	a->b = bench_new();
	a->config = (struct piix4_ide_config){
		.bus = &a->b->pci,
		.devfn = DEVFN,
		.irq_delay_ns = DELAY,
	};
	for (unsigned int i = 0; i < PIIX4_IDE_DRIVES; i++) {
		if (!(slots & BIT(i)))
			continue;
		a->disk[i] = bench_disk_new(a->b, DISK_SECTORS);
		a->config.drives[i].backend = &a->disk[i]->backend;
	}
}

static inline struct ata_bench ata_new(unsigned int slots)
{
	struct ata_bench a;

	ata_prepare(&a, slots);
	ata_make(&a);
	return a;
}

/* Registers for @lba and @count; 28-bit. @device: 0 or 10h. */
static inline void ata_address(struct ata_bench *a, uint8_t device, uint32_t lba, uint8_t count)
{
	outb(a->b, CMD + 6, (uint8_t)(0xe0 | device | (lba >> 24 & 15)));
	outb(a->b, CMD + 2, count);
	outb(a->b, CMD + 3, (uint8_t)lba);
	outb(a->b, CMD + 4, (uint8_t)(lba >> 8));
	outb(a->b, CMD + 5, (uint8_t)(lba >> 16));
}

static inline void ata_address48(struct ata_bench *a, uint64_t lba, uint16_t count)
{
	outb(a->b, CMD + 6, 0xe0);
	outb(a->b, CMD + 2, (uint8_t)(count >> 8));
	outb(a->b, CMD + 2, (uint8_t)count);
	for (unsigned int i = 0; i < 3; i++) {
		outb(a->b, (uint16_t)(CMD + 3 + i), (uint8_t)(lba >> (24 + 8 * i)));
		outb(a->b, (uint16_t)(CMD + 3 + i), (uint8_t)(lba >> 8 * i));
	}
}

static inline void ata_command(struct ata_bench *a, uint8_t opcode)
{
	outb(a->b, CMD + 7, opcode);
}

static inline uint8_t ata_status(struct ata_bench *a)
{
	return inb(a->b, CMD + 7);
}

/* One command without data up to its interrupt; the status. */
static inline uint8_t ata_simple(struct ata_bench *a, uint8_t opcode)
{
	ata_command(a, opcode);
	advance(a->b, DELAY);
	cr_assert(irq_level(a->b, 14), "command %02x interrupts", opcode);
	return ata_status(a);
}

/* Reads @count blocks of @words words, each after its interrupt. */
static inline void ata_read_blocks(struct ata_bench *a, uint8_t *data, unsigned int count,
				   unsigned int words)
{
	for (unsigned int i = 0; i < count; i++) {
		advance(a->b, DELAY);
		cr_assert(irq_level(a->b, 14), "block %u", i);
		cr_assert_eq(ata_status(a), READY | DRQ, "block %u", i);
		io_port_read_string(&a->b->io, CMD, 2, data + i * words * 2, words);
	}
}

static inline uint8_t *ata_identify(struct ata_bench *a)
{
	static uint8_t data[512];

	ata_command(a, 0xec);
	ata_read_blocks(a, data, 1, 256);
	cr_assert_eq(ata_status(a), READY);
	return data;
}

static inline uint32_t ata_word(const uint8_t *identify, unsigned int word)
{
	return get_le16(identify + 2 * word);
}

/* Descriptor @i of the table at 1000h. */
static inline void ata_prd(struct ata_bench *a, unsigned int i, uint32_t gpa, uint32_t size,
			   bool end)
{
	put_le32(a->b->ram + 0x1000 + i * 8, gpa);
	put_le32(a->b->ram + 0x1000 + i * 8 + 4, (size & 0xffff) | (end ? BIT(31) : 0));
}

static inline void ata_start_dma(struct ata_bench *a, bool to_memory)
{
	outl(a->b, BM + 4, 0x1000);
	outb(a->b, BM + 2, 0x66);
	outb(a->b, BM, to_memory ? 8 : 0);
	outb(a->b, BM, to_memory ? 9 : 1);
}

#endif
