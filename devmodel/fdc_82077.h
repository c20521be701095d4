/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DEVMODEL_FDC_82077_H
#define DEVMODEL_FDC_82077_H

#include "device.h"
#include "floppy_drive.h"
#include "isa_dma.h"

#define FDC_DRIVES 2 /* that a board can have; the chip selects among four */

struct fdc_82077_config {
	struct isa_dma *dma; /* NULL: no channel ever serves a request */
	struct {
		enum floppy_kind kind;
		struct block_backend *backend; /* NULL: no disk inside */
	} drives[FDC_DRIVES];
};

extern const struct device_class fdc_82077_class;

/*
 * Puts a disk into drive @drive, or takes it out (@backend NULL); the guest sees DSKCHG. A command
 * that is under way on the old disk fails. The old backend may still complete a request afterwards,
 * cancelled or not. 0, or -EINVAL when there is no such drive or it cannot take this disk.
 */
int fdc_82077_insert(struct device *dev, unsigned int drive, struct block_backend *backend);

#endif
