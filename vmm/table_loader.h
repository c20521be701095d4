/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script by which the firmware puts tables into guest memory ("etc/table-loader"): commands of
 * 128 bytes that load files of fw_cfg, add their addresses to pointers, and make checksums right.
 *
 * Any table can travel like this, not only ACPI's: what is loaded into the F-segment is found there
 * by the systems that scan it. The firmware carries out ACPI's part whatever the tables' names are.
 */
#ifndef VMM_TABLE_LOADER_H
#define VMM_TABLE_LOADER_H

#include <stdint.h>

#define TABLE_LOADER_COMMAND_BYTES 128
#define TABLE_LOADER_COMMANDS_MAX 32
#define TABLE_LOADER_NAME_MAX 55

enum table_loader_zone {
	TABLE_LOADER_HIGH = 1,	    /* top of memory below 4 GiB */
	TABLE_LOADER_F_SEGMENT = 2, /* F0000h to FFFFFh */
};

/* All zeros is an empty script. */
struct table_loader {
	uint32_t count;
	uint8_t commands[TABLE_LOADER_COMMANDS_MAX][TABLE_LOADER_COMMAND_BYTES];
};

/* Loads @file at a multiple of @align, a power of two; before any other command about it. */
void table_loader_allocate(struct table_loader *loader, const char *file, uint32_t align,
			   enum table_loader_zone zone);
/* Adds the address of @source to the @size bytes at @offset of @file, which hold an offset in it.
 */
void table_loader_pointer(struct table_loader *loader, const char *file, const char *source,
			  uint32_t offset, uint8_t size);
/* Sets the byte at @offset of @file so that the @length bytes from @start sum up to zero. */
void table_loader_checksum(struct table_loader *loader, const char *file, uint32_t offset,
			   uint32_t start, uint32_t length);

#endif
