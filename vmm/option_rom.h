/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option ROMs of ours, which the firmware finds through fw_cfg and starts. */
#ifndef VMM_OPTION_ROM_H
#define VMM_OPTION_ROM_H

#include <stdint.h>

struct device;
struct vm_config;

/* The file of the ROM that boots a kernel; as a boot device the firmware calls it "/rom@" and this. */
#define OPTION_ROM_LINUX "genroms/mainstay-linux.rom"

/* Gives @fwcfg the ROMs that @config asks for. 0 or -errno. */
int option_rom_publish(struct device *fwcfg, const struct vm_config *config);

#define OPTION_ROM_VIDEO_BYTES 32768

/* The video BIOS of the display adapter. */
void option_rom_video(uint8_t ret_image[OPTION_ROM_VIDEO_BYTES]);

#endif
