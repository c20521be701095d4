// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A change has two halves. The device loses the medium at once: what it had under way fails as on
 * hardware whose disk is pulled out. Then the backend exchanges the image behind what the worker
 * still has to do, and when that is done the device gets the new medium. In between the drive is
 * empty for the guest, and no other change can begin.
 */
#include "media.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../devmodel/fdc_82077.h"
#include "../devmodel/piix4_ide.h"
#include "blockio.h"
#include "board.h"

static const char *const floppy_kinds[] = {
	[FLOPPY_NONE] = "none", [FLOPPY_360K] = "360K",	  [FLOPPY_1200K] = "1.2M",
	[FLOPPY_720K] = "720K", [FLOPPY_1440K] = "1.44M", [FLOPPY_2880K] = "2.88M",
};

static struct media_drive *find_drive(struct media *media, const char *name, char *error,
				      size_t error_size)
{
	size_t length;

	for (unsigned int i = 0; i < media->count; i++) {
		if (!strcmp(media->drives[i].name, name))
			return &media->drives[i];
	}
	snprintf(error, error_size, "the machine has no such drive; %s",
		 media->count ? "there are" : "it has none with media that can be changed");
	for (unsigned int i = 0; i < media->count; i++) {
		length = strlen(error);
		snprintf(error + length, error_size - length, "%s %s", i ? "," : "",
			 media->drives[i].name);
	}
	return NULL;
}

/* --- the device's side */

static int take_out(struct media_drive *drive, bool force)
{
	if (drive->is_cdrom)
		return piix4_ide_eject(drive->board->ide, drive->place, force);
	return fdc_82077_insert(drive->board->fdc, drive->place, NULL);
}

static void changed(void *opaque)
{
	struct media_drive *drive = opaque;

	drive->changing = false;
	if (!drive->present)
		return;
	if (drive->is_cdrom)
		piix4_ide_insert(drive->board->ide, drive->place, drive->backend);
	else
		fdc_82077_insert(drive->board->fdc, drive->place, drive->backend);
}

/* Takes out what is in the drive and puts @medium, or nothing, behind it. */
static int change(struct media_drive *drive, struct block_image *image,
		  const struct vm_disk *medium, bool force, char *error, size_t error_size)
{
	int r;

	if (drive->changing) {
		snprintf(error, error_size,
			 "%s: the last medium is still being written; try again in a moment",
			 drive->name);
		return -EBUSY;
	}
	r = take_out(drive, force);
	if (r < 0) {
		snprintf(error, error_size,
			 "%s: the guest has locked the tray; eject it there, or give --force",
			 drive->name);
		return r;
	}
	r = blockio_change(drive->backend, image, medium, changed, drive);
	if (r < 0) {
		snprintf(error, error_size, "%s: %s", drive->name, strerror(-r));
		return r;
	}
	drive->changing = true;
	drive->present = medium != NULL;
	if (medium)
		drive->medium = *medium;
	return 0;
}

/* --- what people ask for */

/* Whether the drive can make anything of the medium. */
static int check_fits(const struct media_drive *drive, const struct block_image *image,
		      const char *medium, char *error, size_t error_size)
{
	const struct floppy_format *format = floppy_format_find(image->info.size_bytes);

	if (drive->is_cdrom)
		return 0;
	if (format && floppy_kind_takes((enum floppy_kind)drive->kind, format))
		return 0;
	if (format)
		snprintf(error, error_size, "%s: a disk of %s does not fit the %s drive %s", medium,
			 format->name, floppy_kinds[drive->kind], drive->name);
	else
		snprintf(error, error_size,
			 "%s: %llu bytes are the size of no floppy disk; 'mainstay floppy' makes "
			 "disks of every format",
			 medium, (unsigned long long)image->info.size_bytes);
	return -EINVAL;
}

int media_insert(struct media *media, const char *name, const struct vm_disk *medium, bool force,
		 char *error, size_t error_size)
{
	struct media_drive *drive = find_drive(media, name, error, error_size);
	struct block_image *image;
	int r;

	if (!drive)
		return -ENODEV;
	r = block_image_open(medium, &image, error, error_size);
	if (r < 0)
		return r;
	r = check_fits(drive, image, medium->name, error, error_size);
	if (r == 0)
		r = change(drive, image, medium, force, error, error_size);
	if (r < 0)
		image->ops->free(image);
	return r;
}

int media_eject(struct media *media, const char *name, bool force, char *error, size_t error_size)
{
	struct media_drive *drive = find_drive(media, name, error, error_size);

	return drive ? change(drive, NULL, NULL, force, error, error_size) : -ENODEV;
}

bool media_describe(const struct media *media, unsigned int index, struct media_info *ret_info)
{
	const struct media_drive *drive;
	struct piix4_ide_cdrom cdrom = { 0 };

	if (index >= media->count)
		return false;
	drive = &media->drives[index];
	if (drive->is_cdrom)
		piix4_ide_cdrom(drive->board->ide, drive->place, &cdrom);
	*ret_info = (struct media_info){
		.name = drive->name,
		.kind = drive->is_cdrom ? "CD-ROM" : floppy_kinds[drive->kind],
		.medium = drive->present ? drive->medium.name : NULL,
		.read_only = drive->present && drive->medium.read_only,
		.tray_open = cdrom.tray_open,
		.locked = cdrom.locked,
	};
	return true;
}

/* --- life */

static int add_drive(struct media *media, struct loop *loop, const struct vm_medium *medium,
		     struct board *board, char *error, size_t error_size)
{
	struct media_drive *drive = &media->drives[media->count];
	const struct block_image *image;
	int r;

	drive->board = board;
	drive->present = medium->present;
	drive->medium = medium->disk;
	r = blockio_new(loop, medium->present ? &medium->disk : NULL, &drive->backend, error,
			error_size);
	if (r < 0)
		return r;
	media->count++;
	image = blockio_image(drive->backend);
	return image ? check_fits(drive, image, medium->disk.name, error, error_size) : 0;
}

int media_new(struct media *media, struct loop *loop, const struct vm_config *config,
	      struct board *board, char *error, size_t error_size)
{
	unsigned int cdroms = 0;
	int r = 0;

	for (unsigned int i = 0; i < VM_FLOPPIES_MAX && r == 0; i++) {
		struct media_drive *drive = &media->drives[media->count];

		if (!config->floppies[i].kind)
			continue;
		drive->place = i;
		drive->kind = config->floppies[i].kind;
		snprintf(drive->name, sizeof(drive->name), "floppy%u", i);
		r = add_drive(media, loop, &config->floppies[i].medium, board, error, error_size);
		board->floppies[i] = drive->backend;
	}
	for (unsigned int i = 0; i < VM_DISKS_MAX && r == 0; i++) {
		struct media_drive *drive = &media->drives[media->count];

		if (!config->cdroms[i].present)
			continue;
		drive->place = i;
		drive->is_cdrom = true;
		snprintf(drive->name, sizeof(drive->name), "cd%u", cdroms++);
		r = add_drive(media, loop, &config->cdroms[i].medium, board, error, error_size);
		board->cdroms[i] = drive->backend;
	}
	return r;
}

int media_start(struct media *media)
{
	int r = 0;

	for (unsigned int i = 0; i < media->count && r == 0; i++)
		r = blockio_start(media->drives[i].backend);
	return r;
}

void media_free(struct media *media)
{
	for (unsigned int i = 0; i < media->count; i++) {
		/* A change that ends now finds no device that wants it. */
		media->drives[i].present = false;
		blockio_free(media->drives[i].backend);
	}
	media->count = 0;
}
