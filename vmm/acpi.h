/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI 1.0b tables of the 440BX board; its DSDT is compiled from acpi/dsdt.asl. */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_loader;

#define ACPI_TABLES_FILE "etc/acpi/tables"
#define ACPI_RSDP_FILE "etc/acpi/rsdp"
#define ACPI_TABLES_BYTES_MAX 8192
#define ACPI_RSDP_BYTES 20

struct acpi_input {
	unsigned int cpus;
	/*
	 * Announces local APICs and IOAPIC. Without it Windows 2000 and XP choose the ACPI PIC HAL,
	 * which idles best with one processor.
	 */
	bool apic;
	uint64_t below_4g;
};

struct acpi_tables {
	uint8_t tables[ACPI_TABLES_BYTES_MAX];
	size_t tables_bytes;
	uint8_t rsdp[ACPI_RSDP_BYTES];
};

/* Fills @ret_tables and appends to @loader the commands that place them. */
void acpi_build(const struct acpi_input *input, struct acpi_tables *ret_tables,
		struct table_loader *loader);

/* Where the firmware begins to place PCI memory when @below_4g bytes of RAM stand below 4 GiB. */
uint32_t acpi_pci_window(uint64_t below_4g);

#endif
