/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drive kind "ATA disk" on an ATA channel. */
#ifndef DEVMODEL_ATA_DISK_H
#define DEVMODEL_ATA_DISK_H

#include "ata_channel.h"

extern const struct ata_drive_kind ata_disk_kind;

/*
 * Puts a disk with the medium of @backend at @drive. @geometry: what IDENTIFY shows; where ATA
 * cannot express it (all 0, or more than 16 heads) the image's own, else one of 16 heads and 63
 * sectors.
 */
void ata_disk_init(struct ata_drive *drive, struct block_backend *backend,
		   struct ata_geometry geometry);

#endif
