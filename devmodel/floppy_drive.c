// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floppy drives for a PC: five kinds, as a table.
 *
 * Not emulated: the time in which a motor gains speed (the disk can be read as soon as the motor is
 * on; drivers wait by themselves), the head's load, and the density and drive-type pins of
 * extended-density drives.
 */
#include "floppy_drive.h"

#include <errno.h>

#include "../base/bits.h"

static const struct {
	uint8_t cylinders; /* of its own disks */
	uint8_t size;	   /* enum floppy_size */
	uint8_t density;   /* the highest */
} kinds[] = {
	[FLOPPY_360K] = { 40, FLOPPY_5_25, FLOPPY_DD },
	[FLOPPY_1200K] = { 80, FLOPPY_5_25, FLOPPY_HD },
	[FLOPPY_720K] = { 80, FLOPPY_3_5, FLOPPY_DD },
	[FLOPPY_1440K] = { 80, FLOPPY_3_5, FLOPPY_HD },
	[FLOPPY_2880K] = { 80, FLOPPY_3_5, FLOPPY_ED },
};
_Static_assert(ARRAY_LEN(kinds) == FLOPPY_KIND_MAX + 1, "a row for each kind");

/* The arm of a 40-track drive has a few cylinders to spare, like that of the others. */
#define SPARE_CYLINDERS 4
_Static_assert(FLOPPY_CYLINDER_MAX == 80 + SPARE_CYLINDERS, "the farthest cylinder");

enum floppy_kind floppy_kind_for(const struct floppy_format *format)
{
	if (!format)
		return FLOPPY_1440K;
	/* SeaBIOS does not step twice for the 40 tracks of a disk in an 80-track drive. */
	if (format->size == FLOPPY_5_25)
		return format->density == FLOPPY_DD ? FLOPPY_360K : FLOPPY_1200K;
	return format->density == FLOPPY_ED ? FLOPPY_2880K : FLOPPY_1440K;
}

bool floppy_kind_takes(enum floppy_kind kind, const struct floppy_format *format)
{
	return kind != FLOPPY_NONE && kinds[kind].size == format->size &&
	       kinds[kind].density >= format->density;
}

int floppy_drive_insert(struct floppy_drive *drive, struct block_backend *backend)
{
	struct floppy_media media;
	int r = floppy_media_open(&media, backend);

	if (r < 0)
		return r;
	if (drive->kind == FLOPPY_NONE ||
	    (media.format && !floppy_kind_takes(drive->kind, media.format)))
		return -EINVAL;
	drive->media = media;
	drive->s->disk_change = 1;
	return 0;
}

void floppy_drive_step(struct floppy_drive *drive, int steps)
{
	int limit, cylinder = drive->s->cylinder + steps;

	if (drive->kind == FLOPPY_NONE)
		return;
	limit = kinds[drive->kind].cylinders + SPARE_CYLINDERS;
	drive->s->cylinder = (uint8_t)(cylinder < 0 ? 0 : cylinder > limit ? limit : cylinder);
	if (steps && drive->media.backend)
		drive->s->disk_change = 0;
}

bool floppy_drive_track0(const struct floppy_drive *drive)
{
	return drive->kind != FLOPPY_NONE && drive->s->cylinder == 0;
}

bool floppy_drive_write_protected(const struct floppy_drive *drive)
{
	return drive->media.backend && drive->media.read_only;
}

int floppy_drive_track(const struct floppy_drive *drive, unsigned int head, enum floppy_rate rate)
{
	const struct floppy_format *format = drive->media.format;
	unsigned int track = drive->s->cylinder;

	if (drive->kind == FLOPPY_NONE || !format)
		return -1;
	if (head >= format->heads || !(format->rates & BIT(rate)))
		return -1;
	/* An 80-track drive passes each of 40 tracks at every second cylinder. */
	if (format->tracks * 2 <= kinds[drive->kind].cylinders) {
		if (track % 2)
			return -1;
		track /= 2;
	}
	return track < format->tracks ? (int)track : -1;
}
