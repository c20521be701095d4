// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serial presence detect: what a memory module's EEPROM tells.
 *
 * Source: Intel PC SDRAM Serial Presence Detect Specification 1.2B.
 */
#include "spd_eeprom.h"

#include <stddef.h>
#include <string.h>

#include "../base/bits.h"

/* Modules of x8 and x16 parts, largest first: rows * columns * banks * 8 bytes * sides. */
static const struct spd_size {
	uint16_t mib;
	uint8_t rows, columns, banks, sides;
	uint8_t density; /* byte 31: size of a side, in units of 4 MiB */
} spd_sizes[] = {
	{ 256, 12, 10, 4, 2, 0x20 }, { 128, 12, 10, 4, 1, 0x20 }, { 64, 12, 9, 4, 1, 0x10 },
	{ 32, 12, 8, 4, 1, 0x08 },   { 16, 11, 9, 2, 1, 0x04 },	  { 8, 11, 8, 2, 1, 0x02 },
};

unsigned int spd_modules(uint64_t memory_bytes, uint16_t ret_mib[SPD_MODULES_MAX])
{
	uint64_t left = memory_bytes;
	unsigned int count = 0;

	for (size_t i = 0; i < ARRAY_LEN(spd_sizes); i++) {
		while (left >= MIB(spd_sizes[i].mib) && count < SPD_MODULES_MAX) {
			left -= MIB(spd_sizes[i].mib);
			ret_mib[count++] = spd_sizes[i].mib;
		}
	}
	return count;
}

void spd_fill(uint16_t mib, uint8_t ret_bytes[SPD_BYTES])
{
	const struct spd_size *size = spd_sizes;
	uint8_t sum = 0;

	while (size->mib != mib && size < spd_sizes + ARRAY_LEN(spd_sizes) - 1)
		size++;
	memset(ret_bytes, 0, SPD_BYTES);
	const uint8_t head[] = {
		[0] = 128,
		[1] = 8, /* log2 of the EEPROM's bytes */
		[2] = 4,
		/* SDRAM */[3] = size->rows,
		[4] = size->columns,
		[5] = size->sides,
		[6] = 64,
		[8] = 1, /* LVTTL */
		[9] = 0xa0,
		[10] = 0x60, /* cycle 10.0 ns, access 6.0 ns at the highest CL */
		[12] = 0x80,
		[13] = 8, /* refresh 15.6 us, self; parts of 8 bits */
		[15] = 1,
		[16] = 0x8f, /* bursts of 1, 2, 4, 8, page */
		[17] = size->banks,
		[18] = 0x06, /* CL 2 and 3 */
		[19] = 1,
		[20] = 1,
		[22] = 0x0e, /* precharge all, auto precharge, write-1-read-burst */
		[23] = 0xa0,
		[24] = 0x60, /* the same at CL 2 */
		[27] = 20,
		[28] = 20, /* tRP, tRRD in ns */
		[29] = 20,
		[30] = 50, /* tRCD, tRAS in ns */
		[31] = size->density,
		[32] = 0x20,
		[33] = 0x10,
		[34] = 0x20,
		[35] = 0x10,
		[62] = 0x12, /* revision 1.2 */
	};
	memcpy(ret_bytes, head, sizeof(head));
	for (unsigned int i = 0; i < 63; i++)
		sum = (uint8_t)(sum + ret_bytes[i]);
	ret_bytes[63] = sum;
	ret_bytes[126] = 100;  /* MHz */
	ret_bytes[127] = 0xc7; /* clocks 0 and 1, junction temperature, CL 3 and 2, intent 1.2 */
}
