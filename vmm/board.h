/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board: which devices there are, with which addresses, interrupts and back ends.
 *
 * The builder fills the first part, board_440bx_build() the second. It needs no KVM: the same board
 * is built for a machine and for tests.
 */
#ifndef VMM_BOARD_H
#define VMM_BOARD_H

#include <stdint.h>

#include "../devmodel/display.h"
#include "../base/nvram.h"
#include "../devmodel/input.h"
#include "cmos.h"
#include "config.h"
#include "option_rom.h"

#define BOARD_DEVICES_MAX 48

struct block_backend;
struct chario;
struct device;
struct device_env;
struct irq_hub;
struct nic;
struct pci_bus;

struct keeper;

struct board {
	struct device_env *env;
	struct keeper *keeper; /* of what the battery keeps; NULL: nobody */
	struct pci_bus *pci;
	struct irq_hub *isa_irqs;
	const struct vm_config *config;
	uint64_t below_4g, above_4g;
	struct block_backend *disks[VM_DISKS_MAX];	 /* by slot; NULL: none */
	struct block_backend *floppies[VM_FLOPPIES_MAX]; /* by drive; NULL: no drive */
	struct block_backend *cdroms[VM_DISKS_MAX];	 /* by slot; NULL: no CD-ROM drive */
	struct nic *nics[VM_NICS_MAX];			 /* by index of config->nics */
	struct chario *serial[VM_SERIAL_MAX], *parallel, *debugcon;
	struct display_memory *vram; /* of the display adapter; NULL: none */
	/* KVM has its own PIC, PIT and port 61h; without it the board brings what it can. */
	bool in_kernel_chips;

	unsigned int count;
	struct device *devices[BOARD_DEVICES_MAX]; /* in the order of building */
	/* Those that the machine speaks to. */
	struct device *host_bridge, *pm, *rtc, *fwcfg, *keyboard_controller, *dma, *ide, *fdc,
		*adapter;
	struct display display; /* the picture; the display adapter attaches to it */
	struct input input;	/* who types and points; keyboard and mouse attach to it */
	uint8_t video_bios[OPTION_ROM_VIDEO_BYTES];
	uint8_t cmos[NVRAM_CMOS_BYTES]; /* what the firmware reads there after the first power-on */
};

/* 0, or -errno with one line in @error; then board_free() frees what was built. */
int board_440bx_build(struct board *board, char *error, size_t error_size);
/* The first port of COM1 (@index 0) and the others. */
uint16_t board_serial_port(unsigned int index);
/* Frees all devices in reverse order. */
void board_free(struct board *board);

#endif
