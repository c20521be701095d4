// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Contents of the serial ROM, format 3 for the 21140 and 4 for the 21143.
 *
 * Source: Digital Semiconductor 21X4 Serial ROM Format, version 4.09. One controller, one leaf, one
 * medium: a transceiver on the MII. The subsystem is the one of the virtual machines of the time.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/eth_crc.h"
#include "dec21140_chip.h"

#define ROM_BYTES 128
#define ID_BLOCK_CRC 16
#define FORMAT 18
#define CONTROLLERS 19
#define STATION 20
#define LEAF_OFFSET 27
#define LEAF 30
#define CHECKSUM 126

#define AUTOSENSE 0x0800
#define MEDIA_CAPABILITIES 0x7800
#define ADVERTISED 0x01e0
#define FULL_DUPLEX_MEDIA 0x5000
#define TEN_MEGABIT_MEDIA 0x1800

static const uint8_t leaf_21140[] = {
	AUTOSENSE & 0xff,
	AUTOSENSE >> 8,
	0,	   /* no general-purpose pin is an output */
	1,	   /* block */
	0x80 | 12, /* its length */
	1,	   /* 21140 with a transceiver */
	0,
	0,
	0, /* the first one, no sequences for the pins */
	MEDIA_CAPABILITIES & 0xff,
	MEDIA_CAPABILITIES >> 8,
	ADVERTISED & 0xff,
	ADVERTISED >> 8,
	FULL_DUPLEX_MEDIA & 0xff,
	FULL_DUPLEX_MEDIA >> 8,
	TEN_MEGABIT_MEDIA & 0xff,
	TEN_MEGABIT_MEDIA >> 8,
};

static const uint8_t leaf_21143[] = {
	AUTOSENSE & 0xff,
	AUTOSENSE >> 8,
	1,	   /* block */
	0x80 | 13, /* its length */
	3,	   /* 21143 with a transceiver */
	0,
	0,
	0, /* the first one, no sequences for the pins */
	MEDIA_CAPABILITIES & 0xff,
	MEDIA_CAPABILITIES >> 8,
	ADVERTISED & 0xff,
	ADVERTISED >> 8,
	FULL_DUPLEX_MEDIA & 0xff,
	FULL_DUPLEX_MEDIA >> 8,
	TEN_MEGABIT_MEDIA & 0xff,
	TEN_MEGABIT_MEDIA >> 8,
	0, /* no interrupt when it is plugged in */
};

/* CRC-8, polynomial 7, over the words 0 to 7, high bytes first, and byte 17. */
static uint8_t id_block_crc(const uint8_t *rom)
{
	uint8_t crc = 0xff;

	for (unsigned int i = 0; i < 17; i++) {
		crc ^= rom[i < 16 ? i ^ 1 : 17];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc << 1 ^ (crc & 0x80 ? 7 : 0));
	}
	return crc;
}

void dec21140_make_srom(bool is_21143, const uint8_t mac[NIC_MAC_BYTES], uint16_t words[64])
{
	const uint8_t *leaf = is_21143 ? leaf_21143 : leaf_21140;
	uint8_t rom[ROM_BYTES] = { 0x00, 0x0a, 0x14, 0x21 };

	rom[FORMAT] = is_21143 ? 4 : 3;
	rom[CONTROLLERS] = 1;
	memcpy(rom + STATION, mac, NIC_MAC_BYTES);
	rom[LEAF_OFFSET] = LEAF;
	memcpy(rom + LEAF, leaf, is_21143 ? sizeof(leaf_21143) : sizeof(leaf_21140));
	rom[ID_BLOCK_CRC] = 0;
	rom[ID_BLOCK_CRC] = id_block_crc(rom);
	put_le16(rom + CHECKSUM, (uint16_t)eth_crc(rom, CHECKSUM));
	for (unsigned int i = 0; i < ROM_BYTES / 2; i++)
		words[i] = get_le16(rom + 2 * i);
}
