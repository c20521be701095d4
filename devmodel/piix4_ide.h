/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IDE function of the Intel 82371AB/EB (PIIX4): two ATA channels with bus mastering. */
#ifndef DEVMODEL_PIIX4_IDE_H
#define DEVMODEL_PIIX4_IDE_H

#include "block.h"
#include "pci.h"

#define PIIX4_IDE_DRIVES 4
#define PIIX4_IDE_IRQ_DELAY_NS (70 * NSEC_PER_USEC)

enum piix4_ide_kind { PIIX4_IDE_DISK, PIIX4_IDE_CDROM };

struct piix4_ide_drive {
	enum piix4_ide_kind kind;
	struct block_backend *backend; /* NULL: no disk; a CD-ROM drive without medium */
	/* Of disks. What IDENTIFY shows; all 0, or more than ATA can say (16383, 16, 63): the image's own. */
	uint16_t cylinders;
	uint8_t heads, sectors_per_track;
};

struct piix4_ide_config {
	struct pci_bus *bus;
	uint8_t devfn;
	/*
	 * From a command, or a written block, to its interrupt; 0 is taken as 1. DMA commands have
	 * a delay of their own, since their interrupt comes with the backend's completion in any
	 * case.
	 */
	uint64_t irq_delay_ns, dma_irq_delay_ns;
	/* 0 primary master, 1 primary slave, 2 secondary master, 3 secondary slave. */
	struct piix4_ide_drive drives[PIIX4_IDE_DRIVES];
};

/* A CD-ROM drive as the person in front of it sees it. */
struct piix4_ide_cdrom {
	bool medium, tray_open, locked;
};

/*
 * Media of the CD-ROM drive in @slot; -ENODEV: there is no such drive. insert and eject are as
 * atapi_cd.h says: -EBUSY when the guest has locked the tray.
 */
int piix4_ide_cdrom(struct device *dev, unsigned int slot, struct piix4_ide_cdrom *ret_cdrom);
int piix4_ide_insert(struct device *dev, unsigned int slot, struct block_backend *backend);
int piix4_ide_eject(struct device *dev, unsigned int slot, bool force);

/* Interrupt outputs: 0 primary (ISA 14), 1 secondary (ISA 15). */
extern const struct device_class piix4_ide_class;

#endif
