/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S3 Trio64 (86C764), PCI: VGA, linear frame buffer, hardware cursor and 2D engine. */
#ifndef DEVMODEL_S3_TRIO64_H
#define DEVMODEL_S3_TRIO64_H

#include "device.h"
#include "display.h"
#include "pci.h"

struct s3_trio64_config {
	struct pci_bus *bus;
	uint8_t devfn;
	/* 1, 2 or 4 MiB; must be given. */
	struct display_memory *memory;
	struct display *display; /* may be NULL */
	const uint8_t *rom;	 /* the video BIOS that the ROM base address register shows */
	uint32_t rom_bytes;	 /* up to 64 KiB; 0: none */
};

#define S3_TRIO64_APERTURES 2

/*
 * What of the adapter's memory the processor can be given at present: the linear frame buffer and a
 * part of the window at A0000h, either perhaps of size 0. Changes are told by env->memory_changed().
 */
void s3_trio64_apertures(struct device *dev, struct display_aperture ret[S3_TRIO64_APERTURES]);
/*
 * After pages that the processor wrote directly were marked in the memory's dirty bits, and before
 * the apertures are asked for again or the memory is saved.
 */
void s3_trio64_settle(struct device *dev);

extern const struct device_class s3_trio64_class;

#endif
