/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_MC146818_H
#define DEVMODEL_MC146818_H

#include "device.h"

/* Copied by init. Clock registers and registers A to D cannot be preset. */
struct mc146818_config {
	const uint8_t
		*image; /* what the battery has kept, from index 0; bytes from 80h: upper bank */
	size_t image_bytes; /* at most 256; the rest is 0 */
	int64_t offset_s;   /* the guest's clock less the host's */
	/* Called when what the battery keeps has changed; NULL: nobody keeps it. */
	void (*changed)(void *opaque);
	void *changed_opaque;
};

#define MC146818_RAM_BYTES 256

/* What the battery keeps: memory, and how far the guest has set its clock from the host's. */
void mc146818_kept(struct device *dev, uint8_t ret_ram[MC146818_RAM_BYTES], int64_t *ret_offset_s);

extern const struct device_class mc146818_class;

/* CMOS byte 0Fh: why the guest resets its processor. For the machine's reset policy. */
uint8_t mc146818_shutdown_code(struct device *dev);
/* What a board's own firmware leaves there when it puts the machine to sleep. */
void mc146818_set_shutdown_code(struct device *dev, uint8_t code);
/* Bit 7 of port 70h: the guest wants no NMI. */
bool mc146818_nmi_masked(struct device *dev);

#endif
