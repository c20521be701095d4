/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check sequence of Ethernet frames (IEEE 802.3, 3.2.9), also used by hash filters and ROMs. */
#ifndef BASE_ETH_CRC_H
#define BASE_ETH_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The sequence over @size bytes, low byte sent first. */
uint32_t eth_crc(const void *bytes, size_t size);

#endif
