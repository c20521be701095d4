/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the firmware is told through fw_cfg: memory map, boot order, processors, ACPI tables with
 * their loader script, SMBIOS, MP table policy. The tables' texts come from acpi.c, smbios.c and
 * mptable.c.
 */
#ifndef VMM_FIRMWARE_H
#define VMM_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

struct device;
struct vm_config;

/*
 * The ROM image behind @fd: 64 KiB to 1 MiB, a multiple of 64 KiB. Freed by the caller. 0 or
 * -errno.
 */
int firmware_read(int fd, uint8_t **ret_image, size_t *ret_size);

/*
 * Gives every item to @fwcfg, a device of class fwcfg, for a machine with @below_4g and @above_4g
 * bytes of memory. 0 or -errno.
 */
int firmware_publish(struct device *fwcfg, const struct vm_config *config, uint64_t below_4g,
		     uint64_t above_4g);

#endif
