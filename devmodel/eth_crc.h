/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check sequence of Ethernet frames (IEEE 802.3, 3.2.9), also used by hash filters and ROMs. */
#ifndef DEVMODEL_ETH_CRC_H
#define DEVMODEL_ETH_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Tables for eight bytes at a time: a frame's sequence costs some 2.5 instructions per byte. */
struct eth_crc {
	uint32_t table[8][256];
};

void eth_crc_init(struct eth_crc *crc);

/* The sequence over @size bytes, low byte sent first. */
uint32_t eth_crc(const struct eth_crc *crc, const void *bytes, size_t size);

/* The same, slowly and without tables: for a few bytes now and then. */
uint32_t eth_crc_small(const void *bytes, size_t size);

#endif
