/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver's view of the 21140 on the bench: registers, rings, serial ROM and transceiver. */
#ifndef TESTS_DEV_TULIP_H
#define TESTS_DEV_TULIP_H

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/dec21140.h"
#include "../../devmodel/dec21140_filter.h"

#define SLOT PCI_DEVFN(2, 0)
#define IO 0xc000
#define MEM 0xe0000000u
#define CSR(n) (IO + (n)*8)
#define PIRQ 1 /* of slot 2, INTA# */

#define RX_RING 0x10000u
#define TX_RING 0x20000u
#define RX_BUFFERS 0x100000u
#define TX_BUFFERS 0x200000u
#define BUFFER 1540u
#define RING 16u

#define OWN BIT(31)
#define DES1_RING_END BIT(25)
#define DES1_CHAINED BIT(24)
#define TX_IC BIT(31)
#define TX_LS BIT(30)
#define TX_FS BIT(29)
#define TX_SET BIT(27)
#define TX_AC BIT(26)
#define TX_DPD BIT(23)
#define TX_FT1 BIT(28)
#define TX_FT0 BIT(22)
#define RX_FS BIT(9)
#define RX_LS BIT(8)
#define RX_MF BIT(10)
#define RX_FT BIT(5)
#define RX_TL BIT(7)
#define RX_DE BIT(14)
#define RX_ES BIT(15)
#define RX_FF BIT(30)
#define RX_LENGTH(des0) ((des0) >> 16 & 0x3fff)

#define TI BIT(0)
#define TPS BIT(1)
#define TU BIT(2)
#define TJT BIT(3)
#define LNP BIT(4)
#define RI BIT(6)
#define RU BIT(7)
#define RPS BIT(8)
#define GTE BIT(11)
#define LNF BIT(12)
#define FBE BIT(13)
#define AIS BIT(15)
#define NIS BIT(16)
#define RS(csr5) ((csr5) >> 17 & 7)
#define TS(csr5) ((csr5) >> 20 & 7)

#define SR BIT(1)
#define ST BIT(13)
#define PR BIT(6)
#define PM BIT(7)
#define RA BIT(30)
#define INTERNAL_LOOPBACK BIT(10)
#define MII_MODE 0x020c0000u

#define TU_NS (300 * NSEC_PER_USEC)

static const uint8_t own_mac[6] = { 0x00, 0x03, 0xff, 0x12, 0x34, 0x56 };
static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 };
static const uint8_t stranger[6] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };

struct tulip {
	struct bench *b;
	struct bench_nic *nic;
	struct device *dev;
	unsigned int tx, rx; /* next descriptors */
};

/* The check sequence of Ethernet, bit by bit. */
static inline uint32_t check_sequence(const uint8_t *bytes, size_t size)
{
	uint32_t value = UINT32_MAX;

	for (size_t i = 0; i < 8 * size; i++)
		value = value >> 1 ^
			((value ^ (uint32_t)bytes[i / 8] >> i % 8) & 1 ? 0xedb88320 : 0);
	return ~value;
}

static inline uint32_t csr(struct tulip *t, unsigned int n)
{
	return inl(t->b, (uint16_t)CSR(n));
}

static inline void set_csr(struct tulip *t, unsigned int n, uint32_t value)
{
	outl(t->b, (uint16_t)CSR(n), value);
}

static inline uint32_t ram32(struct tulip *t, uint32_t gpa)
{
	return get_le32(t->b->ram + gpa);
}

static inline void set_ram32(struct tulip *t, uint32_t gpa, uint32_t value)
{
	put_le32(t->b->ram + gpa, value);
}

static inline struct tulip tulip_new_model(const struct device_class *class)
{
	struct tulip t = { .b = bench_new(), .nic = malloc(sizeof(*t.nic)) };
	struct dec21140_config config = { .bus = &t.b->pci, .devfn = SLOT, .nic = &t.nic->nic };

	cr_assert_not_null(t.nic);
	memcpy(config.mac, own_mac, 6);
	bench_nic_init(t.nic);
	t.dev = bench_add(t.b, class, &config);
	bench_config_write(t.b, SLOT, 0x10, 4, IO);
	bench_config_write(t.b, SLOT, 0x14, 4, MEM);
	bench_config_write(t.b, SLOT, 4, 2, 7);
	return t;
}

static inline struct tulip tulip_new(void)
{
	return tulip_new_model(&dec21140_class);
}

static inline void tulip_free(struct tulip *t)
{
	bench_free(t->b);
	free(t->nic);
}

static inline void descriptor(struct tulip *t, uint32_t at, uint32_t des0, uint32_t des1,
			      uint32_t des2, uint32_t des3)
{
	set_ram32(t, at + 4, des1);
	set_ram32(t, at + 8, des2);
	set_ram32(t, at + 12, des3);
	set_ram32(t, at, des0);
}

/* Gives @count receive descriptors of a ring to the chip. */
static inline void rx_ring(struct tulip *t, unsigned int count)
{
	for (unsigned int i = 0; i < RING; i++)
		descriptor(t, RX_RING + i * 16, i < count ? OWN : 0,
			   BUFFER | (i == RING - 1 ? DES1_RING_END : 0), RX_BUFFERS + i * 2048, 0);
	set_csr(t, 3, RX_RING);
	set_csr(t, 4, TX_RING);
	for (unsigned int i = 0; i < RING; i++)
		descriptor(t, TX_RING + i * 16, 0, i == RING - 1 ? DES1_RING_END : 0, 0, 0);
}

static inline uint32_t tx_at(const struct tulip *t)
{
	return TX_RING + t->tx % RING * 16;
}

/* Queues a descriptor of @size bytes at @address; where it is. */
static inline uint32_t tx_queue(struct tulip *t, uint32_t flags, uint32_t address, uint32_t size)
{
	uint32_t at = tx_at(t);

	descriptor(t, at, OWN, flags | size | (t->tx % RING == RING - 1 ? DES1_RING_END : 0),
		   address, 0);
	t->tx++;
	return at;
}

/* A frame in memory: to @to from @from, type 0800h, then a pattern. */
static inline void write_frame(uint8_t *p, const uint8_t *to, const uint8_t *from, size_t size)
{
	memcpy(p, to, 6);
	memcpy(p + 6, from, 6);
	put_be16(p + 12, 0x0800);
	for (size_t i = 14; i < size; i++)
		p[i] = (uint8_t)(i * 7 + size);
}

static inline uint32_t tx_frame(struct tulip *t, size_t size)
{
	uint32_t address = TX_BUFFERS + t->tx % RING * 2048;

	write_frame(t->b->ram + address, stranger, own_mac, size);
	return tx_queue(t, TX_FS | TX_LS | TX_IC, address, (uint32_t)size);
}

/* A perfect filter with own address, broadcast and @more of a group; runs the chip. */
static inline void setup(struct tulip *t, uint32_t ft, const uint8_t table[192])
{
	memcpy(t->b->ram + 0x30000, table, 192);
	tx_queue(t, TX_SET | ft, 0x30000, 192);
	set_csr(t, 1, 0);
}

static inline void spread(uint8_t *entry, const uint8_t *mac)
{
	for (unsigned int i = 0; i < 3; i++) {
		entry[i * 4] = entry[i * 4 + 2] = mac[i * 2];
		entry[i * 4 + 1] = entry[i * 4 + 3] = mac[i * 2 + 1];
	}
}

static inline void perfect(struct tulip *t, uint32_t ft)
{
	uint8_t table[192];

	for (unsigned int i = 0; i < 16; i++)
		spread(table + i * 12, i ? broadcast : own_mac);
	setup(t, ft, table);
}

/* As Linux brings it up: rings, setup frame, both processes, interrupts. */
static inline void bring_up(struct tulip *t)
{
	t->tx = 0;
	set_csr(t, 6, MII_MODE);
	set_csr(t, 0, 1);
	advance(t->b, 100 * NSEC_PER_USEC);
	set_csr(t, 0, 0x01a08000);
	rx_ring(t, RING);
	set_csr(t, 6, MII_MODE | ST);
	perfect(t, 0);
	set_csr(t, 5, 0x0001ebef);
	set_csr(t, 7, 0x0001ebef);
	set_csr(t, 6, MII_MODE | ST | SR);
	set_csr(t, 2, 0);
	advance(t->b, NSEC_PER_MSEC);
	set_csr(t, 5, UINT32_MAX);
}

static inline bool feed(struct tulip *t, const uint8_t *to, size_t size)
{
	uint8_t frame[NIC_FRAME_MAX];

	write_frame(frame, to, stranger, size);
	return bench_nic_feed(t->nic, frame, size);
}

static inline uint32_t rx_status(struct tulip *t, unsigned int index)
{
	return ram32(t, RX_RING + index % RING * 16);
}

#endif
