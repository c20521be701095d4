/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A floppy drive: its arm, its disk, and what it says on the cable. An engine of the floppy
 * controller (fdc_82077.c).
 */
#ifndef DEVMODEL_FLOPPY_DRIVE_H
#define DEVMODEL_FLOPPY_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "floppy_media.h"

struct state_field;

/* As the firmware's CMOS byte 10h numbers them. */
enum floppy_kind {
	FLOPPY_NONE,
	FLOPPY_360K,
	FLOPPY_1200K,
	FLOPPY_720K,
	FLOPPY_1440K,
	FLOPPY_2880K,
	FLOPPY_KIND_MAX = FLOPPY_2880K,
};

struct floppy_drive_state {
	uint8_t cylinder;    /* where the arm is */
	uint8_t disk_change; /* DSKCHG */
};

#define FLOPPY_CYLINDER_MAX 84 /* no drive's arm gets farther */

struct floppy_drive {
	struct floppy_drive_state *s;
	uint8_t kind; /* enum floppy_kind */
	struct floppy_media media;
};

/* The drive of a machine that starts with @format in it; without a disk (NULL) a 1.44 MB one. */
enum floppy_kind floppy_kind_for(const struct floppy_format *format);
/* Whether a drive of @kind takes the disk and can tell its sectors apart. */
bool floppy_kind_takes(enum floppy_kind kind, const struct floppy_format *format);

/*
 * Puts the disk in; @backend NULL takes it out. 0, or -EINVAL with nothing changed when it is no
 * disk for this drive.
 */
int floppy_drive_insert(struct floppy_drive *drive, struct block_backend *backend);

/* Moves the arm by @steps, outwards when negative. Any step with a disk inside clears DSKCHG. */
void floppy_drive_step(struct floppy_drive *drive, int steps);
bool floppy_drive_track0(const struct floppy_drive *drive);
bool floppy_drive_write_protected(const struct floppy_drive *drive);

/*
 * The number of the disk's track under @head, or -1 when there is nothing that can be read at
 * @rate.
 */
int floppy_drive_track(const struct floppy_drive *drive, unsigned int head, enum floppy_rate rate);

#endif
