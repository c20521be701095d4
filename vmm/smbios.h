/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS 2.3: who made the machine, and its identity. */
#ifndef VMM_SMBIOS_H
#define VMM_SMBIOS_H

#include <stddef.h>
#include <stdint.h>

struct vm_config;

#define SMBIOS_ANCHOR_FILE "etc/smbios/smbios-anchor"
#define SMBIOS_ANCHOR_BYTES 31
#define SMBIOS_TABLES_FILE "etc/smbios/smbios-tables"
#define SMBIOS_TABLES_BYTES_MAX 4096

/*
 * Fills the entry point, whose table address and checksums the firmware sets, and the structures;
 * their size.
 */
size_t smbios_build(const struct vm_config *config, uint64_t below_4g, uint64_t above_4g,
		    uint8_t ret_anchor[SMBIOS_ANCHOR_BYTES],
		    uint8_t ret_tables[SMBIOS_TABLES_BYTES_MAX]);

#endif
