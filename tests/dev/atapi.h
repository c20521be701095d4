/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of a small ATAPI driver, on the bench of ata.h: the drive is the primary master. */
#ifndef TESTS_DEV_ATAPI_H
#define TESTS_DEV_ATAPI_H

#include "ata.h"

#define BLOCKS (DISK_SECTORS / 4)
#define REASON_CD 1
#define REASON_IO 2
#define LIMIT 0xfffe

/* The host's data buffer, which no transfer of the tests fills. */
#define DATA_MAX (2u << 20)

/* A drive with a medium of BLOCKS, or with an empty tray. The reset is still to be reported. */
static inline struct ata_bench atapi_new_silent(bool medium)
{
	struct ata_bench a;

	ata_prepare(&a, medium ? 1 : 0);
	a.config.drives[0].kind = PIIX4_IDE_CDROM;
	ata_make(&a);
	return a;
}

/* PACKET up to the last byte of the packet. */
static inline void atapi_send(struct ata_bench *a, const uint8_t packet[12], uint16_t limit,
			      bool dma)
{
	outb(a->b, CMD + 6, 0xa0);
	outb(a->b, CMD + 1, dma);
	outb(a->b, CMD + 4, (uint8_t)limit);
	outb(a->b, CMD + 5, (uint8_t)(limit >> 8));
	ata_command(a, 0xa0);
	cr_assert_not(irq_level(a->b, 14), "accelerated DRQ has no interrupt");
	cr_assert_eq(ata_status(a) & (BSY | DRQ), DRQ);
	cr_assert_eq(inb(a->b, CMD + 2) & 3, REASON_CD);
	io_port_write_string(&a->b->io, CMD, 2, packet, 6);
}

/* Takes one DRQ block after its interrupt; its size. */
static inline uint32_t atapi_take_block(struct ata_bench *a, uint8_t *data)
{
	uint32_t bytes;

	cr_assert_eq(inb(a->b, CMD + 2) & 3, REASON_IO);
	bytes = inb(a->b, CMD + 4) | (uint32_t)inb(a->b, CMD + 5) << 8;
	cr_assert_gt(bytes, 0);
	io_port_read_string(&a->b->io, CMD, 2, data, bytes / 2);
	if (bytes & 1)
		data[bytes - 1] = (uint8_t)inw(a->b, CMD);
	return bytes;
}

/* The next interrupt's status. */
static inline uint8_t atapi_wait(struct ata_bench *a)
{
	advance(a->b, DELAY);
	cr_assert(irq_level(a->b, 14), "an interrupt");
	return ata_status(a);
}

/* A whole command by PIO; its status, *ret_bytes the size of what came. */
static inline uint8_t atapi_pio(struct ata_bench *a, const uint8_t packet[12], uint16_t limit,
				uint8_t *data, uint32_t *ret_bytes)
{
	uint8_t status;

	*ret_bytes = 0;
	atapi_send(a, packet, limit, false);
	status = atapi_wait(a);
	while (status & DRQ) {
		cr_assert_leq(*ret_bytes, DATA_MAX - 65536);
		*ret_bytes += atapi_take_block(a, data + *ret_bytes);
		status = atapi_wait(a);
	}
	cr_assert_eq(inb(a->b, CMD + 2) & 3, REASON_IO | REASON_CD);
	return status;
}

#define PACKET(...) ((const uint8_t[12]){ __VA_ARGS__ })

static inline uint8_t *atapi_data(void)
{
	static uint8_t data[DATA_MAX];

	return data;
}

/* Sense key, additional code and qualifier as one number. */
static inline uint32_t atapi_sense(struct ata_bench *a)
{
	uint8_t data[18];
	uint32_t bytes;

	cr_assert_eq(atapi_pio(a, PACKET(0x03, 0, 0, 0, 18), LIMIT, data, &bytes), READY);
	cr_assert_eq(bytes, 18);
	cr_assert_eq(data[0] & 0x7f, 0x70);
	return (uint32_t)data[2] << 16 | (uint32_t)data[12] << 8 | data[13];
}

/* A command that succeeds and brings @expected bytes. */
static inline uint8_t *atapi_good(struct ata_bench *a, const uint8_t packet[12], uint32_t expected)
{
	uint8_t *data = atapi_data();
	uint32_t bytes;

	cr_assert_eq(atapi_pio(a, packet, LIMIT, data, &bytes), READY, "packet %02x", packet[0]);
	cr_assert_eq(bytes, expected, "packet %02x: %u bytes", packet[0], bytes);
	return data;
}

/* A command that fails with @sense, which is looked at in both places. */
static inline void atapi_bad(struct ata_bench *a, const uint8_t packet[12], uint32_t sense)
{
	uint32_t bytes, found;

	cr_assert_eq(atapi_pio(a, packet, LIMIT, atapi_data(), &bytes), READY | ERR, "packet %02x",
		     packet[0]);
	cr_assert_eq(inb(a->b, CMD + 1) >> 4, sense >> 16, "packet %02x", packet[0]);
	found = atapi_sense(a);
	cr_assert_eq(found, sense, "packet %02x: sense %06x", packet[0], found);
	cr_assert_eq(atapi_sense(a), 0, "told once");
}

#define NOT_READY_CLOSED 0x023a01
#define NOT_READY_OPEN 0x023a02
#define MEDIUM_ERROR 0x031100
#define INVALID_OPCODE 0x052000
#define OUT_OF_RANGE 0x052100
#define INVALID_FIELD 0x052400
#define INVALID_PARAMETER 0x052600
#define PARAMETER_LENGTH 0x051a00
#define REMOVAL_PREVENTED 0x055302
#define ILLEGAL_MODE 0x056400
#define CHANGED 0x062800
#define RESET_HAPPENED 0x062900

/* As atapi_new_silent(), with the reset reported. */
static inline struct ata_bench atapi_new(bool medium)
{
	struct ata_bench a = atapi_new_silent(medium);

	atapi_bad(&a, PACKET(0x00), RESET_HAPPENED);
	return a;
}

/* A medium of @blocks put in. */
static inline struct bench_disk *atapi_insert(struct ata_bench *a, uint32_t blocks)
{
	struct bench_disk *disk = bench_disk_new(a->b, (uint64_t)blocks * 4);

	cr_assert_eq(piix4_ide_insert(a->dev, 0, &disk->backend), 0);
	return disk;
}

/* The blocks of the bench's media name their sectors. */
static inline void atapi_expect_blocks(const uint8_t *data, uint32_t lba, uint32_t count)
{
	for (uint32_t i = 0; i < count * 4; i++) {
		cr_assert_eq(get_le64(data + i * 512), lba * 4 + i, "sector %u", i);
		cr_assert_eq(data[i * 512 + 511], (uint8_t)(lba * 4 + i));
	}
}

#endif
