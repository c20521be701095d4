// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks and drives as options: "PATH[,WORD]...", the words of each kind of drive as a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine_config.h"
#include "machine_members.h"
#include "option_words.h"

#define EMPTY "empty"

#define WANT_SLOT "give slot=primary-master, primary-slave, secondary-master or secondary-slave"
#define WANT_FORMAT "give format=vhd or format=raw"

static const struct word disk_words[] = {
	{ "format", WORD_NAME, offsetof(struct machine_disk, format), .names = machine_format_names,
	  .want = WANT_FORMAT },
	{ "slot", WORD_NAME, offsetof(struct machine_disk, slot), .names = machine_slot_names,
	  .want = WANT_SLOT },
	{ "readonly", WORD_FLAG, offsetof(struct machine_disk, read_only), .want = NULL },
	{ "geometry", WORD_GEOMETRY, offsetof(struct machine_disk, geometry),
	  .want = "give geometry=CYLINDERS/HEADS/SECTORS, at most 65535/255/63" },
	{ .name = NULL },
};

static const struct word floppy_words[] = {
	{ "kind", WORD_NAME, offsetof(struct machine_floppy, kind), .names = machine_floppy_names,
	  .want = "give kind=360K, 720K, 1.2M, 1.44M, 2.88M or auto" },
	{ "format", WORD_NAME, offsetof(struct machine_floppy, format),
	  .names = machine_format_names, .want = WANT_FORMAT },
	{ "readonly", WORD_FLAG, offsetof(struct machine_floppy, read_only), .want = NULL },
	{ .name = NULL },
};

static const struct word cdrom_words[] = {
	{ "slot", WORD_NAME, offsetof(struct machine_cdrom, slot), .names = machine_slot_names,
	  .want = WANT_SLOT },
	{ .name = NULL },
};

static const struct words drive_option = {
	"drive", disk_words, "give format=vhd, format=raw, slot=..., readonly or geometry=C/H/S"
};
static const struct words floppy_option = { "floppy", floppy_words,
					    "give kind=..., format=... or readonly" };
static const struct words cdrom_option = { "cdrom", cdrom_words, "give slot=..." };

/* The words of @text into @drive, and its path. 0, or -1 with one line in @error. */
static int parse_drive(struct machine_config *config, const struct words *option, const char *text,
		       void *drive, const char **ret_path, char *error, size_t error_size)
{
	size_t path_length = strcspn(text, ",");
	const char *word = text + path_length;
	char *copy;

	if (!path_length) {
		snprintf(error, error_size, "--%s %s: no path; give PATH[,OPTION]...",
			 option->option, text);
		return -1;
	}
	if (*word && words_parse(option, config, text, word + 1, drive, error, error_size) < 0)
		return -1;
	copy = strndup(text, path_length);
	*ret_path = copy ? machine_config_keep(config, copy) : NULL;
	free(copy);
	if (*ret_path)
		return 0;
	snprintf(error, error_size, "--%s %s: no memory", option->option, text);
	return -1;
}

/* Disks and CD-ROM drives share the four places of the IDE cables. */
static int full(const struct machine_config *config, const char *path, char *error,
		size_t error_size)
{
	if (config->disk_count + config->cdrom_count < MACHINE_DISKS_MAX)
		return 0;
	snprintf(error, error_size, "%s: the machine has only %d places for disks", path,
		 MACHINE_DISKS_MAX);
	return -1;
}

int machine_config_add_disk(struct machine_config *config, const char *path, char *error,
			    size_t error_size)
{
	if (full(config, path, error, error_size) < 0)
		return -1;
	/* It was named before the options' disks: it comes first. */
	memmove(&config->disks[1], &config->disks[0],
		config->disk_count * sizeof(config->disks[0]));
	config->disks[0] = (struct machine_disk){ .path = path, .slot = MACHINE_DISKS_MAX };
	config->disk_count++;
	return 0;
}

int machine_config_add_drive(struct machine_config *config, const char *text, char *error,
			     size_t error_size)
{
	struct machine_disk disk = { .slot = MACHINE_DISKS_MAX };

	if (full(config, text, error, error_size) < 0 ||
	    parse_drive(config, &drive_option, text, &disk, &disk.path, error, error_size) < 0)
		return -1;
	config->disks[config->disk_count++] = disk;
	return 0;
}

int machine_option_drive(void *target, const char *value, char *error, size_t error_size)
{
	return machine_config_add_drive(target, value, error, error_size);
}

int machine_option_floppy(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	struct machine_floppy floppy = { .format = MACHINE_DISK_RAW };

	if (config->floppy_count == MACHINE_FLOPPIES_MAX) {
		snprintf(error, error_size, "--floppy %s: the machine has only %d floppy drives",
			 value, MACHINE_FLOPPIES_MAX);
		return -1;
	}
	if (parse_drive(config, &floppy_option, value, &floppy, &floppy.path, error, error_size) <
	    0)
		return -1;
	if (!strcmp(floppy.path, EMPTY))
		floppy.path = NULL;
	config->floppies[config->floppy_count++] = floppy;
	return 0;
}

int machine_option_cdrom(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	struct machine_cdrom cdrom = { .slot = MACHINE_DISKS_MAX };

	if (full(config, value, error, error_size) < 0 ||
	    parse_drive(config, &cdrom_option, value, &cdrom, &cdrom.path, error, error_size) < 0)
		return -1;
	if (!strcmp(cdrom.path, EMPTY))
		cdrom.path = NULL;
	config->cdroms[config->cdrom_count++] = cdrom;
	return 0;
}
