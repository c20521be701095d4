// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks and drives as options: "PATH[,WORD]...", the words of each kind of drive as a table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/parse.h"
#include "machine_config.h"
#include "machine_members.h"

#define EMPTY "empty"

enum word_kind { WORD_FLAG, WORD_NAME, WORD_GEOMETRY };

struct word {
	const char *name; /* NULL ends the table */
	enum word_kind kind;
	size_t offset;
	const char *const *names; /* WORD_NAME: an unsigned int is the index */
	const char *want;	  /* what to give instead of what is no value for it */
};

#define WANT_SLOT "give slot=primary-master, primary-slave, secondary-master or secondary-slave"
#define WANT_FORMAT "give format=vhd or format=raw"

static const struct word disk_words[] = {
	{ "format", WORD_NAME, offsetof(struct machine_disk, format), machine_format_names,
	  WANT_FORMAT },
	{ "slot", WORD_NAME, offsetof(struct machine_disk, slot), machine_slot_names, WANT_SLOT },
	{ "readonly", WORD_FLAG, offsetof(struct machine_disk, read_only), NULL, NULL },
	{ "geometry", WORD_GEOMETRY, offsetof(struct machine_disk, geometry), NULL,
	  "give geometry=CYLINDERS/HEADS/SECTORS, at most 65535/255/63" },
	{ .name = NULL },
};

static const struct word floppy_words[] = {
	{ "kind", WORD_NAME, offsetof(struct machine_floppy, kind), machine_floppy_names,
	  "give kind=360K, 720K, 1.2M, 1.44M, 2.88M or auto" },
	{ "format", WORD_NAME, offsetof(struct machine_floppy, format), machine_format_names,
	  WANT_FORMAT },
	{ "readonly", WORD_FLAG, offsetof(struct machine_floppy, read_only), NULL, NULL },
	{ .name = NULL },
};

static const struct word cdrom_words[] = {
	{ "slot", WORD_NAME, offsetof(struct machine_cdrom, slot), machine_slot_names, WANT_SLOT },
	{ .name = NULL },
};

static const struct drive_option {
	const char *name;
	const struct word *words;
	const char *want; /* for what is no word */
} drive_option = { "drive", disk_words,
		   "give format=vhd, format=raw, slot=..., readonly or geometry=C/H/S" },
  floppy_option = { "floppy", floppy_words, "give kind=..., format=... or readonly" },
  cdrom_option = { "cdrom", cdrom_words, "give slot=..." };

/* "1024/16/63" of @length bytes. */
static int parse_geometry(const char *text, size_t length, uint16_t geometry[3])
{
	const char *end = text + length;

	for (size_t i = 0; i < 3; i++) {
		size_t digits = strcspn(text, "/,");
		uint64_t number;
		char copy[8];

		if (!digits || digits >= sizeof(copy) || text[digits] != (i < 2 ? '/' : *end))
			return -EINVAL;
		memcpy(copy, text, digits);
		copy[digits] = '\0';
		if (parse_u64(copy, 1, MACHINE_GEOMETRY_MAX[i], &number) < 0)
			return -EINVAL;
		geometry[i] = (uint16_t)number;
		text += digits + 1;
	}
	return text == end + 1 ? 0 : -EINVAL;
}

static const struct word *find_word(const struct word *words, const char *name, size_t length)
{
	for (; words->name; words++) {
		if (strlen(words->name) == length && !memcmp(words->name, name, length))
			return words;
	}
	return NULL;
}

/* One "format=vhd" into @drive: 0, or -1 and what the option takes in *ret_want. */
static int parse_word(const struct drive_option *option, void *drive, const char *text,
		      size_t length, const char **ret_want)
{
	size_t key = strcspn(text, "=,");
	const struct word *word = find_word(option->words, text, key < length ? key : length);
	void *field = word ? (char *)drive + word->offset : NULL;
	const char *value = text + key + 1;
	size_t value_length = key < length ? length - key - 1 : 0;
	int index;

	*ret_want = option->want;
	if (!word || (word->kind == WORD_FLAG) != (key >= length))
		return -1;
	switch (word->kind) {
	case WORD_FLAG:
		*(bool *)field = true;
		return 0;
	case WORD_NAME:
		*ret_want = word->want;
		index = machine_find_name(word->names, value, value_length);
		if (index < 0)
			return -1;
		*(unsigned int *)field = (unsigned int)index;
		return 0;
	case WORD_GEOMETRY:
		*ret_want = word->want;
		return parse_geometry(value, value_length, field) < 0 ? -1 : 0;
	}
	return -1;
}

/* The words of @text into @drive, and its path. 0, or -1 with one line in @error. */
static int parse_drive(struct machine_config *config, const struct drive_option *option,
		       const char *text, void *drive, const char **ret_path, char *error,
		       size_t error_size)
{
	size_t path_length = strcspn(text, ",");
	const char *word = text + path_length;
	char *copy;

	if (!path_length) {
		snprintf(error, error_size, "--%s %s: no path; give PATH[,OPTION]...", option->name,
			 text);
		return -1;
	}
	while (*word == ',') {
		const char *want;
		size_t length = strcspn(++word, ",");

		if (parse_word(option, drive, word, length, &want) < 0) {
			snprintf(error, error_size, "--%s %s: \"%.*s\": %s", option->name, text,
				 (int)length, word, want);
			return -1;
		}
		word += length;
	}
	copy = strndup(text, path_length);
	*ret_path = copy ? machine_config_keep(config, copy) : NULL;
	free(copy);
	if (*ret_path)
		return 0;
	snprintf(error, error_size, "--%s %s: no memory", option->name, text);
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
