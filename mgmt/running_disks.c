// SPDX-License-Identifier: GPL-2.0-or-later
#include "running_disks.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "runtime_dir.h"

#define FILE_BYTES_MAX (64u << 10)

static json_object *describe(const struct machine_config *config)
{
	json_object *json = json_object_new_object(), *disks = json_object_new_array();

	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct machine_disk *disk = &config->disks[i];
		char path[PATH_MAX];
		json_object *row;

		if (disk->read_only)
			continue;
		row = json_object_new_object();
		json_object_object_add(row, "slot", json_object_new_int((int)disk->slot));
		json_object_object_add(
			row, "format",
			json_object_new_string(disk->format == MACHINE_DISK_VHD ? "vhd" : "raw"));
		json_object_object_add(
			row, "path",
			json_object_new_string(realpath(disk->path, path) ? path : disk->path));
		json_object_array_add(disks, row);
	}
	json_object_object_add(json, "undo",
			       json_object_new_boolean(config->undo != MACHINE_UNDO_OFF));
	json_object_object_add(json, "disks", disks);
	return json;
}

int running_disks_write(int folder_fd, const struct machine_config *config)
{
	json_object *json = describe(config);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	int fd = openat(folder_fd, RUNTIME_DISKS, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : text ? fd_write_full(fd, text, strlen(text)) : -ENOMEM;

	fd_close(fd);
	json_object_put(json);
	return r;
}

static const char *text_of(json_object *json, const char *name)
{
	json_object *value = NULL;

	json_object_object_get_ex(json, name, &value);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static int take_disk(json_object *row, struct checkpoints *set, char *error, size_t error_size)
{
	const char *path = text_of(row, "path");
	json_object *slot = NULL;

	if (strcmp(text_of(row, "format"), "vhd")) {
		snprintf(error, error_size,
			 "%s: is a raw image, which has no layers; 'mainstay-vhd convert' makes it "
			 "a VHD, or use it read-only",
			 path);
		return -EOPNOTSUPP;
	}
	if (set->disk_count == MACHINE_DISKS_MAX || strlen(path) > PATH_MAX - 100)
		return -EINVAL;
	json_object_object_get_ex(row, "slot", &slot);
	set->slots[set->disk_count] = (unsigned int)json_object_get_int(slot);
	strcpy(set->disks[set->disk_count++], path);
	return 0;
}

static int take(json_object *json, struct checkpoints *set, char *error, size_t error_size)
{
	json_object *undo = NULL, *disks = NULL;
	int r = 0;

	set->disk_count = 0;
	snprintf(error, error_size, "what is known of its disks is damaged");
	json_object_object_get_ex(json, "undo", &undo);
	json_object_object_get_ex(json, "disks", &disks);
	if (!json_object_is_type(disks, json_type_array))
		return -EINVAL;
	if (json_object_get_boolean(undo)) {
		snprintf(error, error_size,
			 "the machine has undo disks, and no checkpoints then; run it without "
			 "--undo");
		return -EOPNOTSUPP;
	}
	for (size_t i = 0; i < json_object_array_length(disks) && r == 0; i++)
		r = take_disk(json_object_array_get_idx(disks, i), set, error, error_size);
	return r;
}

int running_disks_read(int folder_fd, struct checkpoints *set, char *error, size_t error_size)
{
	int fd = openat(folder_fd, RUNTIME_DISKS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r;
	json_object *json;
	char *text;
	size_t size;

	r = fd < 0 ? -errno : fd_read_all(fd, FILE_BYTES_MAX, &text, &size);
	fd_close(fd);
	if (r < 0) {
		snprintf(error, error_size, "what is known of its disks: %s", strerror(-r));
		return r;
	}
	json = json_tokener_parse(text);
	free(text);
	r = take(json, set, error, error_size);
	json_object_put(json);
	return r;
}

int running_disks_take(const struct machine_config *config, struct checkpoints *set, char *error,
		       size_t error_size)
{
	json_object *json = describe(config);
	int r = take(json, set, error, error_size);

	json_object_put(json);
	return r;
}
