// SPDX-License-Identifier: GPL-2.0-or-later
#include "option_rom.h"

#include <stdint.h>
#include <string.h>

#include "../devmodel/fwcfg.h"
#include "bios_disk_rom.h"
#include "config.h"

/* Where our ROMs leave room for the byte that makes the sum of all bytes 0. */
#define CHECKSUM_OFFSET 6

int option_rom_publish(struct device *fwcfg, const struct vm_config *config)
{
	uint8_t image[sizeof(bios_disk_rom)];
	uint8_t sum = 0;

	if (!config->fast_disk)
		return 0;
	memcpy(image, bios_disk_rom, sizeof(image));
	for (size_t i = 0; i < sizeof(image); i++)
		sum = (uint8_t)(sum + image[i]);
	image[CHECKSUM_OFFSET] = (uint8_t)-sum;
	return fwcfg_add_file(fwcfg, "genroms/mainstay-disk.rom", image, sizeof(image));
}
