// SPDX-License-Identifier: GPL-2.0-or-later
#include "eth_crc.h"

#include "../base/bytes.h"

#define POLYNOMIAL 0xedb88320u /* reflected */

static uint32_t shift_byte(uint32_t value)
{
	for (unsigned int bit = 0; bit < 8; bit++)
		value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
	return value;
}

void eth_crc_init(struct eth_crc *crc)
{
	for (uint32_t i = 0; i < 256; i++)
		crc->table[0][i] = shift_byte(i);
	for (unsigned int n = 1; n < 8; n++) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t before = crc->table[n - 1][i];

			crc->table[n][i] = before >> 8 ^ crc->table[0][before & 0xff];
		}
	}
}

uint32_t eth_crc(const struct eth_crc *crc, const void *bytes, size_t size)
{
	const uint32_t(*t)[256] = crc->table;
	const uint8_t *p = bytes;
	uint32_t value = UINT32_MAX;

	for (; size >= 8; p += 8, size -= 8) {
		uint32_t low = get_le32(p) ^ value, high = get_le32(p + 4);

		value = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^
			t[4][low >> 24] ^ t[3][high & 0xff] ^ t[2][high >> 8 & 0xff] ^
			t[1][high >> 16 & 0xff] ^ t[0][high >> 24];
	}
	for (; size; p++, size--)
		value = value >> 8 ^ t[0][(value ^ *p) & 0xff];
	return ~value;
}

uint32_t eth_crc_small(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint32_t value = UINT32_MAX;

	for (; size; p++, size--)
		value = shift_byte((value ^ *p) & 0xff) ^ value >> 8;
	return ~value;
}
