// SPDX-License-Identifier: GPL-2.0-or-later
/* The options that describe a machine (MACHINE_OPTIONS of machine_config.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/parse.h"
#include "machine_config.h"
#include "machine_members.h"

/* The index of @name in @names, or -1. */
static int find_name(const char *const *names, const char *name, size_t length)
{
	for (int i = 0; names[i]; i++) {
		if (strlen(names[i]) == length && !memcmp(names[i], name, length))
			return i;
	}
	return -1;
}

/* --- one value each --- */

int machine_option_memory(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	uint64_t bytes;
	int r = parse_size(value, &bytes);

	if (r == -EINVAL) {
		snprintf(error, error_size, "--memory %s: not a size; give for example 128M",
			 value);
		return -1;
	}
	if (r < 0 || bytes < MIB(MACHINE_MEMORY_MIB_MIN) || bytes > MIB(MACHINE_MEMORY_MIB_MAX)) {
		snprintf(error, error_size, "--memory %s: out of range; give %uM to %uG", value,
			 MACHINE_MEMORY_MIB_MIN, MACHINE_MEMORY_MIB_MAX / 1024);
		return -1;
	}
	if (bytes % MIB(1)) {
		snprintf(error, error_size,
			 "--memory %s: not a multiple of 1 MiB; give for example %lluM", value,
			 (unsigned long long)(bytes / MIB(1)));
		return -1;
	}
	config->memory_mib = (uint32_t)(bytes / MIB(1));
	return 0;
}

int machine_option_cpu(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	size_t length;

	if (!strcmp(value, "help")) {
		for (unsigned int i = 0; machine_cpus[i].name; i++)
			printf("%-8s %s (memory up to %u MiB)\n", machine_cpus[i].name,
			       machine_cpus[i].summary, machine_cpus[i].memory_mib_max);
		exit(EXIT_SUCCESS);
	}
	for (unsigned int i = 0; machine_cpus[i].name; i++) {
		if (!strcmp(machine_cpus[i].name, value)) {
			config->cpu = i;
			return 0;
		}
	}
	snprintf(error, error_size, "--cpu %s: no such processor model; give one of:", value);
	for (unsigned int i = 0; machine_cpus[i].name; i++) {
		length = strlen(error);
		snprintf(error + length, error_size - length, "%s %s", i ? "," : "",
			 machine_cpus[i].name);
	}
	return -1;
}

int machine_option_name(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (!name_is_valid(value)) {
		snprintf(
			error, error_size,
			"--name %s: cannot name a machine; use 1 to 64 bytes without / and control "
			"characters, not starting with . or -",
			value);
		return -1;
	}
	config->name = value;
	return 0;
}

int machine_option_uuid(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (parse_uuid(value, config->uuid) < 0) {
		snprintf(error, error_size,
			 "--uuid %s: not a uuid; give for example the output of uuidgen", value);
		return -1;
	}
	config->uuid_given = true;
	return 0;
}

int machine_option_rtc(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = find_name(machine_rtc_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size, "--rtc %s: give utc or local", value);
		return -1;
	}
	config->rtc = (unsigned int)index;
	return 0;
}

int machine_option_sandbox(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	int index = find_name(machine_sandbox_names, value, strlen(value));

	if (index < 0) {
		snprintf(error, error_size, "--sandbox %s: give full (the default) or degraded",
			 value);
		return -1;
	}
	config->sandbox = (unsigned int)index;
	return 0;
}

/* --- ports --- */

/* "unix:PATH" and the like; the kinds that need a path are those after MACHINE_CHAR_PTY. */
static int parse_char(const char *value, struct machine_char *ret_char)
{
	size_t length = strcspn(value, ":");
	int kind = find_name(machine_char_names, value, length);
	bool path = value[length] && value[length + 1];

	if (kind < 0 || path != (kind > MACHINE_CHAR_PTY) || (value[length] && !path))
		return -EINVAL;
	*ret_char = (struct machine_char){ .kind = (unsigned int)kind,
					   .path = path ? value + length + 1 : NULL };
	return 0;
}

int machine_option_serial(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;

	if (config->serial_count == MACHINE_SERIAL_MAX) {
		snprintf(error, error_size, "--serial %s: the machine has only %d serial ports",
			 value, MACHINE_SERIAL_MAX);
		return -1;
	}
	if (parse_char(value, &config->serial[config->serial_count]) < 0) {
		snprintf(error, error_size,
			 "--serial %s: give stdio, console, pty, unix:PATH, file:PATH or none",
			 value);
		return -1;
	}
	config->serial_count++;
	return 0;
}

int machine_option_parallel(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	struct machine_char parallel;

	if (parse_char(value, &parallel) < 0 ||
	    (parallel.kind != MACHINE_CHAR_FILE && parallel.kind != MACHINE_CHAR_NONE)) {
		snprintf(error, error_size, "--parallel %s: give file:PATH or none", value);
		return -1;
	}
	config->parallel = parallel;
	return 0;
}

/* --- disks --- */

static int full(const struct machine_config *config, const char *path, char *error,
		size_t error_size)
{
	if (config->disk_count < MACHINE_DISKS_MAX)
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

/* One "format=vhd" of a --drive: 0, or -1 and what the member takes in *ret_want. */
static int parse_drive_word(struct machine_disk *disk, const char *word, size_t length,
			    const char **ret_want)
{
	size_t key = strcspn(word, "=,");
	const char *value = word + key + 1;
	size_t value_length = key < length ? length - key - 1 : 0;
	int index;

	*ret_want = "give format=vhd, format=raw, slot=..., readonly or geometry=C/H/S";
	if (length == 8 && !memcmp(word, "readonly", 8)) {
		disk->read_only = true;
		return 0;
	}
	if (key >= length)
		return -1;
	if (key == 6 && !memcmp(word, "format", 6)) {
		*ret_want = "give format=vhd or format=raw";
		index = find_name(machine_format_names, value, value_length);
		if (index < 0)
			return -1;
		disk->format = (unsigned int)index;
		return 0;
	}
	if (key == 4 && !memcmp(word, "slot", 4)) {
		*ret_want = "give slot=primary-master, primary-slave, secondary-master or "
			    "secondary-slave";
		index = find_name(machine_slot_names, value, value_length);
		if (index < 0)
			return -1;
		disk->slot = (unsigned int)index;
		return 0;
	}
	if (key == 8 && !memcmp(word, "geometry", 8)) {
		*ret_want = "give geometry=CYLINDERS/HEADS/SECTORS, at most 65535/255/63";
		return parse_geometry(value, value_length, disk->geometry) < 0 ? -1 : 0;
	}
	return -1;
}

int machine_config_add_drive(struct machine_config *config, const char *text, char *error,
			     size_t error_size)
{
	size_t path_length = strcspn(text, ",");
	struct machine_disk disk = { .slot = MACHINE_DISKS_MAX };
	const char *word = text + path_length;
	char *copy;

	if (!path_length) {
		snprintf(error, error_size, "--drive %s: no path; give PATH[,OPTION]...", text);
		return -1;
	}
	if (full(config, text, error, error_size) < 0)
		return -1;
	while (*word == ',') {
		const char *want;
		size_t length = strcspn(++word, ",");

		if (parse_drive_word(&disk, word, length, &want) < 0) {
			snprintf(error, error_size, "--drive %s: \"%.*s\": %s", text, (int)length,
				 word, want);
			return -1;
		}
		word += length;
	}
	copy = strndup(text, path_length);
	disk.path = copy ? machine_config_keep(config, copy) : NULL;
	free(copy);
	if (!disk.path) {
		snprintf(error, error_size, "--drive %s: no memory", text);
		return -1;
	}
	config->disks[config->disk_count++] = disk;
	return 0;
}

int machine_option_drive(void *target, const char *value, char *error, size_t error_size)
{
	return machine_config_add_drive(target, value, error, error_size);
}
