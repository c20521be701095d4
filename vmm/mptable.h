/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt routing tables for systems without ACPI: $PIR of PCI, and the MP table. */
#ifndef VMM_MPTABLE_H
#define VMM_MPTABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_loader;

#define PIR_FILE "etc/mainstay/pir"
#define PIR_BYTES 128
#define MPTABLE_FILE "etc/mainstay/mptable"
#define MPTABLE_BYTES_MAX 1024

/* Fills @ret_pir, complete, and appends to @loader the command that places it. */
void pir_build(uint8_t ret_pir[PIR_BYTES], struct table_loader *loader);

/*
 * The floating pointer and the configuration table after it, for @cpus processors with leaf 1
 * @signature and @features. The size; the commands that place it are appended to @loader.
 */
size_t mptable_build(unsigned int cpus, uint32_t signature, uint32_t features,
		     uint8_t ret_table[MPTABLE_BYTES_MAX], struct table_loader *loader);

#endif
