// SPDX-License-Identifier: GPL-2.0-or-later
#include "option_rom.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../base/bits.h"
#include "../devmodel/fwcfg.h"
#include "bios_disk_rom.h"
#include "config.h"
#include "linux_boot_rom.h"
#include "vga_bios_rom.h"

/* Where our ROMs leave room for the byte that makes the sum of all bytes 0. */
#define CHECKSUM_OFFSET 6
#define OPTION_ROM_BYTES_MAX 32768

static bool wants_fast_disk(const struct vm_config *config)
{
	return config->fast_disk;
}

static bool wants_linux(const struct vm_config *config)
{
	return config->kernel_fd >= 0;
}

static bool wants_video(const struct vm_config *config)
{
	return config->vram_bytes;
}

/* Each of our ROMs, and whether a machine has it. */
static const struct option_rom {
	const char *file;
	const unsigned char *image;
	size_t size;
	bool (*wanted)(const struct vm_config *config);
} roms[] = {
	{ "genroms/mainstay-disk.rom", bios_disk_rom, sizeof(bios_disk_rom), wants_fast_disk },
	{ OPTION_ROM_LINUX, linux_boot_rom, sizeof(linux_boot_rom), wants_linux },
	/* The firmware takes it in place of the one behind the adapter's base address register. */
	{ "pci5333,8811.rom", vga_bios_rom, sizeof(vga_bios_rom), wants_video },
};

_Static_assert(sizeof(vga_bios_rom) == OPTION_ROM_VIDEO_BYTES, "option_rom.h");

/* The byte that makes the sum of all bytes 0. */
static void complete(uint8_t *image, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + image[i]);
	image[CHECKSUM_OFFSET] = (uint8_t)-sum;
}

void option_rom_video(uint8_t ret_image[OPTION_ROM_VIDEO_BYTES])
{
	memcpy(ret_image, vga_bios_rom, OPTION_ROM_VIDEO_BYTES);
	complete(ret_image, OPTION_ROM_VIDEO_BYTES);
}

int option_rom_publish(struct device *fwcfg, const struct vm_config *config)
{
	uint8_t image[OPTION_ROM_BYTES_MAX];

	_Static_assert(sizeof(bios_disk_rom) <= sizeof(image), "room");
	_Static_assert(sizeof(linux_boot_rom) <= sizeof(image), "room");
	for (size_t i = 0; i < ARRAY_LEN(roms); i++) {
		int r;

		if (!roms[i].wanted(config))
			continue;
		memcpy(image, roms[i].image, roms[i].size);
		complete(image, roms[i].size);
		r = fwcfg_add_file(fwcfg, roms[i].file, image, roms[i].size);
		if (r < 0)
			return r;
	}
	return 0;
}
