// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * States of devices as earlier versions saved them: tests/state/VERSION/CLASS. Each must load for ever.
 *
 * A release adds a folder: MAINSTAY_FREEZE=tests/state/VERSION build/tests/unit/frozen. What a version has saved is
 * never changed.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/fdio.h"
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

static void load(const char *path, const char *class_name)
{
	const struct device_class *class = device_class_find(class_name);
	struct bench *b = bench_new();
	struct device *dev;
	struct cursor from;
	char error[256] = "", *bytes;
	size_t size;

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

Test(frozen, a_release_can_freeze_every_class)
{
	const char *folder = getenv("MAINSTAY_FREEZE");
	uint8_t *bytes = malloc(STATE_BYTES);

	for (unsigned int i = 0; device_classes[i]; i++) {
		struct bench *b = bench_new();
		struct device *dev = class_setup(b, device_classes[i]);
		struct cursor to = cursor_writer(bytes, STATE_BYTES);
		char path[512];

		stir(b, dev);
		state_save(dev, &to);
		cr_expect(cursor_ok(&to), "%s", device_classes[i]->name);
		snprintf(path, sizeof(path), "%s/%s", folder ? folder : "",
			 device_classes[i]->name);
		if (folder)
			cr_expect_eq(file_replace(path, bytes, to.pos, 0644), 0, "%s", path);
		bench_free(b);
	}
	free(bytes);
}
