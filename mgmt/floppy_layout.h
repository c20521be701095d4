/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floppy disks of every format as DOS formats them. What a drive makes of an image's size is
 * devmodel/floppy_media.h; a test compares both.
 */
#ifndef MGMT_FLOPPY_LAYOUT_H
#define MGMT_FLOPPY_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOPPY_SECTOR_BYTES 512
#define FLOPPY_LABEL_MAX 11

struct floppy_layout {
	const char *name;   /* NULL ends the table */
	unsigned int drive; /* enum machine_floppy_kind of the drive that was made for it */
	uint8_t tracks, heads, sectors;
	/* Of the FAT file system. */
	uint8_t media, cluster_sectors, fat_sectors;
	uint16_t root_entries;
};

extern const struct floppy_layout floppy_layouts[];

uint64_t floppy_layout_bytes(const struct floppy_layout *layout);
/* By size or, as people write it, by name; NULL: there is none. */
const struct floppy_layout *floppy_layout_find(uint64_t bytes);
const struct floppy_layout *floppy_layout_named(const char *name);
/* Whether a drive of kind @drive takes the disk. */
bool floppy_layout_fits(const struct floppy_layout *layout, unsigned int drive);

/* Whether @label can be a volume's: 1 to 11 characters that DOS allows in file names, or blanks. */
bool floppy_label_valid(const char *label);

/*
 * The first sectors of an empty FAT12 file system (boot sector, both FATs, root directory) to
 * @sectors, which are zeros and floppy_system_bytes() long; the rest of such a disk is F6h. The
 * boot sector says that there is no system on the disk. @label NULL: none. @time is
 * the label's, as DOS keeps it: the date in the high half.
 */
size_t floppy_system_bytes(const struct floppy_layout *layout);
void floppy_format(const struct floppy_layout *layout, const char *label, uint32_t serial,
		   uint32_t time, uint8_t *sectors);

#endif
