// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * States of devices, and records of the machine, its disks, KVM's chips and a vCPU, as earlier versions saved
 * them: tests/state/VERSION/CLASS. Each must load for ever.
 *
 * A release adds a folder: MAINSTAY_FREEZE=tests/state/VERSION build/tests/unit/frozen --filter 'frozen/a_release*'.
 * What a version has saved is never changed.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../../vmm/snapshot_records.h"
#include "../lib/class_setup.h"

#define FOLDER "tests/state"
#define STATE_BYTES (1u << 20)

/* Registers away from what a reset leaves in them, where the class has ports. */
static void stir(struct bench *b, const struct device *dev)
{
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++) {
		const struct io_region *region = &dev->regions[i];

		if (region->desc->space != IO_PORT || region->base == IO_UNMAPPED)
			continue;
		for (unsigned int at = 0; at < region->desc->length && at < 16; at++)
			outb(b, (uint16_t)(region->base + at), (uint8_t)(0x11 + 3 * at));
	}
	advance(b, NSEC_PER_MSEC);
}

/* --- records: what is saved beside the devices */

static const struct device_class *const record_classes[] = {
	&machine_record_class,
	&disks_record_class,
	&chips_record_class,
	&vcpu_record_class,
};

/* The largest value in each field: what is nothing is not seen to be lost. */
static void fill(uint8_t *base, const struct state_field *fields)
{
	for (const struct state_field *field = fields; field->name; field++) {
		uint64_t most = field->max ? field->max : UINT64_MAX;

		for (uint32_t i = 0; i < field->count; i++) {
			if (field->table)
				fill(base + field->offset + i * field->stride, field->table);
			else
				memcpy(base + field->offset + i * field->size, &most, field->size);
		}
	}
}

static struct device *record_new(const struct device_class *class, bool filled)
{
	struct device *dev = calloc(1, class->size);

	cr_assert_not_null(dev);
	if (filled)
		fill((uint8_t *)dev, class->fields);
	dev->class = class;
	return dev;
}

/* True: @name is a record's. All of it must be what was frozen: no field may be lost, or change its meaning. */
static bool load_record(const char *path, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(record_classes); i++) {
		const struct device_class *class = record_classes[i];
		struct device *want, *got;
		struct cursor from;
		char error[256] = "", *bytes;
		size_t size;

		if (strcmp(class->name, name))
			continue;
		want = record_new(class, true);
		got = record_new(class, false);
		cr_assert_eq(file_read(path, STATE_BYTES, &bytes, &size), 0, "%s", path);
		from = cursor_reader(bytes, size);
		cr_expect_eq(state_load(got, &from, error, sizeof(error)), 0, "%s: %s", path,
			     error);
		cr_expect_eq(cursor_left(&from), 0, "%s", path);
		cr_expect_eq(memcmp((char *)got + class->state_offset,
				    (char *)want + class->state_offset, class->state_size),
			     0, "%s", path);
		free(bytes);
		free(got);
		free(want);
		return true;
	}
	return false;
}

static void load(const char *path, const char *class_name)
{
	const struct device_class *class = device_class_find(class_name);
	struct bench *b;
	struct device *dev;
	struct cursor from;
	char error[256] = "", *bytes;
	size_t size;

	if (load_record(path, class_name))
		return;
	b = bench_new();
	cr_assert_not_null(class, "%s: there is no such class any more", path);
	cr_assert_eq(file_read(path, STATE_BYTES, &bytes, &size), 0, "%s", path);
	dev = class_setup(b, class);
	from = cursor_reader(bytes, size);
	cr_expect_eq(state_load(dev, &from, error, sizeof(error)), 0, "%s: %s", path, error);
	cr_expect_eq(cursor_left(&from), 0, "%s", path);
	if (class->post_load)
		class->post_load(dev);
	advance(b, NSEC_PER_MSEC);
	free(bytes);
	bench_free(b);
}

Test(frozen, states_of_every_version_load)
{
	DIR *versions = opendir(FOLDER);
	unsigned int count = 0;

	cr_assert_not_null(versions, FOLDER);
	for (struct dirent *version; (version = readdir(versions));) {
		char folder[512], path[1024];
		struct dirent *file;
		DIR *files;

		snprintf(folder, sizeof(folder), FOLDER "/%s", version->d_name);
		files = version->d_name[0] == '.' ? NULL : opendir(folder);
		while (files && (file = readdir(files))) {
			if (file->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", folder, file->d_name);
			load(path, file->d_name);
			count++;
		}
		if (files)
			closedir(files);
	}
	closedir(versions);
	cr_expect_gt(count, 4);
}

/* Into the folder that MAINSTAY_FREEZE names, or only to see that it could be. */
static void freeze(const struct device *dev)
{
	const char *folder = getenv("MAINSTAY_FREEZE");
	uint8_t *bytes = malloc(STATE_BYTES);
	struct cursor to = cursor_writer(bytes, STATE_BYTES);
	char path[512];

	cr_assert_not_null(bytes);
	state_save(dev, &to);
	cr_expect(cursor_ok(&to), "%s", dev->class->name);
	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "", dev->class->name);
	if (folder)
		cr_expect_eq(file_replace(path, bytes, to.pos, 0644), 0, "%s", path);
	free(bytes);
}

Test(frozen, a_release_can_freeze_every_class)
{
	for (unsigned int i = 0; device_classes[i]; i++) {
		struct bench *b = bench_new();
		struct device *dev = class_setup(b, device_classes[i]);

		stir(b, dev);
		freeze(dev);
		bench_free(b);
	}
	for (size_t i = 0; i < ARRAY_LEN(record_classes); i++) {
		struct device *dev = record_new(record_classes[i], true);

		freeze(dev);
		free(dev);
	}
}
