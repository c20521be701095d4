/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial presence detect: what a memory module's EEPROM tells. An engine of piix4_pm.c. */
#ifndef DEVMODEL_SPD_EEPROM_H
#define DEVMODEL_SPD_EEPROM_H

#include <stdint.h>

#define SPD_BYTES 256
#define SPD_MODULES_MAX 4

/*
 * Which modules of 8 to 256 MiB make up @memory_bytes, as far as the sockets last: their sizes in
 * MiB, and how many.
 */
unsigned int spd_modules(uint64_t memory_bytes, uint16_t ret_mib[SPD_MODULES_MAX]);

/* The EEPROM of an unbuffered PC100 module of @mib, one of the sizes above. */
void spd_fill(uint16_t mib, uint8_t ret_bytes[SPD_BYTES]);

#endif
