// SPDX-License-Identifier: GPL-2.0-or-later
/* Layouts: 21140A hardware reference manual, "Setup Frame". Of each dword only the low half counts. */
#include "dec21140_filter.h"

#include "../base/bytes.h"
#include "../base/eth_crc.h"

#define ENTRIES 16
#define ENTRY_BYTES 12
#define HASH_BITS_MASK 511u
#define STATION_OFFSET 156

static bool address_at(const uint8_t *entry, const uint8_t address[6])
{
	return entry[0] == address[0] && entry[1] == address[1] && entry[4] == address[2] &&
	       entry[5] == address[3] && entry[8] == address[4] && entry[9] == address[5];
}

static bool listed(const uint8_t *table, const uint8_t address[6])
{
	for (unsigned int i = 0; i < ENTRIES; i++) {
		if (address_at(table + i * ENTRY_BYTES, address))
			return true;
	}
	return false;
}

unsigned int dec21140_filter_hash(const uint8_t address[6])
{
	/* The chip takes the register before the final inversion. */
	return ~eth_crc(address, 6) & HASH_BITS_MASK;
}

static bool hashed(const uint8_t *table, const uint8_t address[6])
{
	unsigned int bit = dec21140_filter_hash(address);

	return get_le16(table + (bit >> 4) * 4) >> (bit & 15) & 1;
}

bool dec21140_filter_pass(const uint8_t table[DEC21140_SETUP_BYTES], enum dec21140_filter_mode mode,
			  const uint8_t destination[6])
{
	switch (mode) {
	case DEC21140_PERFECT:
		return listed(table, destination);
	case DEC21140_INVERSE:
		return !listed(table, destination);
	case DEC21140_HASH_PERFECT:
		if (destination[0] & 1)
			return hashed(table, destination);
		return address_at(table + STATION_OFFSET, destination);
	case DEC21140_HASH_ONLY:
		return hashed(table, destination);
	case DEC21140_FILTER_MODES:
		break;
	}
	return false;
}
