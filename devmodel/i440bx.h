/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host bridge: Intel 82443BX of the 440BX AGPset, AGP disabled. */
#ifndef DEVMODEL_I440BX_H
#define DEVMODEL_I440BX_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

struct pci_bus;

struct i440bx_config {
	struct pci_bus *bus;   /* the bridge is its device 0, function 0 */
	uint64_t memory_bytes; /* what DRB0 to DRB7 tell, up to the chip's 1 GiB */
	/* Shows the 440BX's own device id always, not the 440FX's until POST has ended. */
	bool no_post_identity;
};

/* Bits of i440bx_memory.pam[]. */
#define I440BX_PAM_RE 0x01u /* reads go to DRAM, otherwise to PCI: the firmware's ROM */
#define I440BX_PAM_WE 0x02u /* writes go to DRAM, otherwise to PCI: nobody takes them */

#define I440BX_PAM_REGIONS 13

/* i440bx_memory.fdhc. */
enum i440bx_hole {
	I440BX_HOLE_NONE,
	I440BX_HOLE_512K_640K,
	I440BX_HOLE_15M_16M,
};

/* All that the bridge says about what memory the processor sees. */
struct i440bx_memory {
	uint8_t pam[I440BX_PAM_REGIONS]; /* 0: F0000h, 64 KiB; 1 to 12: C0000h and on, 16 KiB each
					  */
	uint8_t fdhc;			 /* enum i440bx_hole */
	bool smram_enabled;		 /* G_SMRAME */
	bool smram_open;		 /* D_OPEN: A0000h is DRAM outside SMM too */
	bool smram_closed;		 /* D_CLS: only SMM code sees it, SMM data goes to PCI */
	bool locked;			 /* D_LCK */
	bool smram_high;		 /* H_SMRAME: it appears at 100A0000h instead */
	uint8_t tseg;			 /* TSEG in units of 128 KiB; 0: none */
};

/* The present map of @dev. env->memory_changed() tells when it has changed. */
void i440bx_memory(const struct device *dev, struct i440bx_memory *ret_memory);

extern const struct device_class i440bx_class;

#endif
