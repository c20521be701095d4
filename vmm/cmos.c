// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Battery-backed memory as the firmware expects it.
 *
 * Sources: the IBM AT's layout for 10h to 31h; SeaBIOS 1.16 for the rest (it writes 0Fh and 14h
 * itself). Memory sizes and processors are also told by fw_cfg, which it prefers; other software
 * reads them here.
 */
#include "cmos.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "config.h"

#define FLOPPY_TYPES 0x10	  /* drive A in the high half */
#define BASE_MEMORY 0x15	  /* KiB */
#define EXTENDED_MEMORY 0x17	  /* KiB above 1 MiB, as set up */
#define CHECKSUM 0x2e		  /* of 10h to 2Dh, high byte first */
#define EXTENDED_MEMORY_POST 0x30 /* KiB above 1 MiB, as found */
#define MEMORY_ABOVE_16M 0x34	  /* 64 KiB units */
#define BOOT_ORDER_3 0x38	  /* bits 7:4; bit 0: no look at a floppy's signature */
#define TRANSLATION 0x39	  /* two bits for each disk */
#define BOOT_ORDER_1_2 0x3d	  /* bits 3:0 first, 7:4 second */
#define MEMORY_ABOVE_4G 0x5b	  /* 64 KiB units, three bytes */
#define PROCESSORS 0x5f		  /* less one */

/* The firmware's numbers for what it boots are those of enum vm_boot. */
_Static_assert(VM_BOOT_FLOPPY == 1 && VM_BOOT_DISK == 2 && VM_BOOT_CDROM == 3, "SeaBIOS");
enum { TRANSLATION_NONE = 0, TRANSLATION_LBA = 1 };

/* What INT 13h can address: ten bits of cylinders, and the heads of an ATA disk. */
#define INT13_CYLINDERS 1024
#define ATA_HEADS 16

static uint16_t clip16(uint64_t value)
{
	return (uint16_t)min_u64(value, UINT16_MAX);
}

static void set_translation(uint8_t cmos[CMOS_BYTES], unsigned int slot, unsigned int translation)
{
	unsigned int shift = 2 * slot;

	cmos[TRANSLATION] = (uint8_t)((cmos[TRANSLATION] & ~(3u << shift)) | translation << shift);
}

void cmos_set_translation(uint8_t cmos[CMOS_BYTES], unsigned int slot, unsigned int cylinders,
			  unsigned int heads)
{
	bool plain = cylinders <= INT13_CYLINDERS && heads <= ATA_HEADS;

	if (slot < VM_DISKS_MAX)
		set_translation(cmos, slot, plain ? TRANSLATION_NONE : TRANSLATION_LBA);
}

void cmos_defaults(const struct vm_config *config, uint64_t below_4g, uint64_t above_4g,
		   uint8_t ret_cmos[CMOS_BYTES])
{
	memset(ret_cmos, 0, CMOS_BYTES);
	cmos_refresh(config, below_4g, above_4g, ret_cmos);
}

void cmos_refresh(const struct vm_config *config, uint64_t below_4g, uint64_t above_4g,
		  uint8_t ret_cmos[CMOS_BYTES])
{
	uint64_t high = min_u64(above_4g >> 16, 0xffffff);
	uint16_t sum = 0;

	ret_cmos[FLOPPY_TYPES] =
		(uint8_t)(config->floppies[0].kind << 4 | config->floppies[1].kind);
	put_le16(ret_cmos + BASE_MEMORY, 640);
	put_le16(ret_cmos + EXTENDED_MEMORY,
		 below_4g > MIB(1) ? clip16((below_4g - MIB(1)) >> 10) : 0);
	put_le16(ret_cmos + EXTENDED_MEMORY_POST, get_le16(ret_cmos + EXTENDED_MEMORY));
	put_le16(ret_cmos + MEMORY_ABOVE_16M,
		 below_4g > MIB(16) ? clip16((below_4g - MIB(16)) >> 16) : 0);
	put_le16(ret_cmos + MEMORY_ABOVE_4G, (uint16_t)high);
	ret_cmos[MEMORY_ABOVE_4G + 2] = (uint8_t)(high >> 16);
	ret_cmos[PROCESSORS] = (uint8_t)(config->cpus - 1);
	ret_cmos[BOOT_ORDER_1_2] = (uint8_t)(config->boot[0] | config->boot[1] << 4);
	ret_cmos[BOOT_ORDER_3] = (uint8_t)(config->boot[2] << 4);
	for (unsigned int slot = 0; slot < VM_DISKS_MAX; slot++)
		set_translation(ret_cmos, slot, TRANSLATION_LBA);

	for (unsigned int i = FLOPPY_TYPES; i < CHECKSUM; i++)
		sum = (uint16_t)(sum + ret_cmos[i]);
	put_be16(ret_cmos + CHECKSUM, sum);
}
