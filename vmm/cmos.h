/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firmware reads from battery-backed memory: memory sizes, boot order, drive translation.
 */
#ifndef VMM_CMOS_H
#define VMM_CMOS_H

#include <stdint.h>

#define CMOS_BYTES 128

struct vm_config;

/*
 * All bytes but the clock's (00h to 0Dh and the century, 32h), which are the clock chip's own and
 * left zero here. Disks are translated as LBA until cmos_set_translation() says otherwise.
 */
void cmos_defaults(const struct vm_config *config, uint64_t below_4g, uint64_t above_4g,
		   uint8_t ret_cmos[CMOS_BYTES]);

/*
 * The same over what the battery has kept in @cmos: the bytes that say what the machine is are those
 * of today's configuration, all others stay.
 */
void cmos_refresh(const struct vm_config *config, uint64_t below_4g, uint64_t above_4g,
		  uint8_t cmos[CMOS_BYTES]);

/*
 * The BIOS translation of the disk in @slot (0 to 3) whose IDENTIFY data say @cylinders and @heads:
 * none when INT 13h can address them as they are, so that a disk keeps the geometry it was
 * partitioned with.
 */
void cmos_set_translation(uint8_t cmos[CMOS_BYTES], unsigned int slot, unsigned int cylinders,
			  unsigned int heads);

#endif
