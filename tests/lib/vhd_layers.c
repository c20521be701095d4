// SPDX-License-Identifier: GPL-2.0-or-later
#include "vhd_layers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char layers_error[VHD_ERROR_BYTES];

uint32_t layers_below(struct layers *b, uint32_t n)
{
	return lab_random(&b->seed) % n;
}

struct vhd *layers_open_files(struct vhd_file *files, unsigned int count, bool read_only)
{
	const struct vhd_open_options options = { .read_only = read_only };
	struct vhd *vhd;
	int r = vhd_open(files, count, &options, &vhd, layers_error, sizeof(layers_error));

	cr_assert_eq(r, 0, "%s", layers_error);
	return vhd;
}

unsigned int layers_list(struct layers *b, unsigned int first, unsigned int replaced,
			 struct lab_file *instead, struct vhd_file *files)
{
	static const char *const names[] = { "disk", "parent", "base" };
	unsigned int count = 0;

	for (unsigned int i = first; i < b->layers; i++) {
		struct lab_file *lab = instead && i == replaced ? instead : &b->labs[i];

		files[count++] = (struct vhd_file){ .fd = -1, .name = names[i], .io = &lab->io };
	}
	return count;
}

struct vhd *layers_open(struct layers *b, unsigned int first, bool read_only)
{
	struct vhd_file files[LAYERS_MAX];
	unsigned int count = layers_list(b, first, 0, NULL, files);

	return layers_open_files(files, count, read_only);
}

void layers_check_reads(struct vhd *vhd, const uint8_t *flat, uint64_t bytes)
{
	uint8_t *read = malloc(bytes);
	const struct iovec iov = { read, bytes };

	cr_assert_eq(vhd_read(vhd, 0, &iov, 1), 0, "%s", vhd_error(vhd));
	if (memcmp(read, flat, bytes)) {
		uint64_t at = 0;

		while (read[at] == flat[at])
			at++;
		cr_assert_fail("byte %llu is not what it was", (unsigned long long)at);
	}
	free(read);
}

void layers_check_zeros(struct vhd *vhd, uint64_t from, uint64_t to)
{
	uint8_t *read = malloc(to - from);
	const struct iovec iov = { read, to - from };

	cr_assert_eq(vhd_read(vhd, from, &iov, 1), 0, "%s", vhd_error(vhd));
	cr_assert(!read[0] && !memcmp(read, read + 1, to - from - 1));
	free(read);
}

static void complain(const struct vhd_finding *finding, void *opaque)
{
	(void)opaque;
	if (finding->severity == VHD_ERROR)
		snprintf(layers_error, sizeof(layers_error), "%s: %s: %s", finding->name,
			 finding->field, finding->text);
}

void layers_check_sound(struct vhd_file *files, unsigned int count)
{
	const struct vhd_check_options options = { .deep = true, .found = complain };
	struct vhd_check_result result;
	int r = vhd_check(files, count, &options, &result, layers_error, sizeof(layers_error));

	cr_assert_eq(r, 0, "%s", layers_error);
	cr_assert_eq(result.found[VHD_ERROR], 0, "%s", layers_error);
}

void layers_noise(struct layers *b, uint8_t *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)lab_random(&b->seed);
}

void layers_scribble(struct layers *b, unsigned int layer, unsigned int steps)
{
	struct vhd *vhd = layers_open(b, layer, false);
	uint8_t *flat = b->flat[layer];

	for (unsigned int i = 0; i < steps; i++) {
		uint64_t bytes = (1 + layers_below(b, 40)) * 512;
		uint64_t offset =
			layers_below(b, (uint32_t)(LAYERS_DISK_BYTES / 512)) * UINT64_C(512);
		struct iovec iov = { flat + offset, 0 };

		iov.iov_len = min_u64(bytes, LAYERS_DISK_BYTES - offset);
		if (i % 3 == 0)
			memset(iov.iov_base, 0, iov.iov_len);
		else if (i % 3 == 1)
			layers_noise(b, iov.iov_base, iov.iov_len);
		cr_assert_eq(vhd_write(vhd, offset, &iov, 1), 0, "%s", vhd_error(vhd));
	}
	cr_assert_eq(vhd_close(vhd), 0);
}

static void make_layer(struct layers *b, unsigned int layer)
{
	struct lab_file *lab = &b->labs[layer];
	const struct vhd_file file = { .fd = -1, .name = "new", .io = &lab->io };
	struct vhd_parent parent = { .relative = "parent.vhd", .absolute = "/disks/parent.vhd" };
	bool base = layer == b->layers - 1;
	struct vhd_create_options options = {
		.type = base ? b->base_type : VHD_DIFFERENCING,
		.size_bytes = LAYERS_DISK_BYTES,
		.block_bytes = base && b->base_type == VHD_FIXED ? 0 : LAYERS_BLOCK_BYTES,
		.parent = base ? NULL : &parent,
	};
	struct vhd_info info;

	lab_init(lab, b->seed + layer);
	b->flat[layer] = calloc(1, LAYERS_LARGER_BYTES);
	if (!base) {
		struct vhd_file above = { .fd = -1, .name = "p", .io = &b->labs[layer + 1].io };

		cr_assert_eq(vhd_probe(&above, &info, layers_error, sizeof(layers_error)), 0, "%s",
			     layers_error);
		memcpy(parent.id, info.id, 16);
		memcpy(b->flat[layer], b->flat[layer + 1], LAYERS_DISK_BYTES);
	}
	cr_assert_eq(vhd_create(&file, &options, layers_error, sizeof(layers_error)), 0, "%s",
		     layers_error);
	layers_scribble(b, layer, base ? 60 : 30);
}

struct layers *layers_new(uint64_t seed, unsigned int layers, enum vhd_type base_type)
{
	struct layers *b = calloc(1, sizeof(*b));

	b->seed = seed;
	b->layers = layers;
	b->base_type = base_type;
	b->survivors = layers > 1 ? 4 : 24;
	b->size = b->larger = LAYERS_DISK_BYTES;
	lab_init(&b->survivor, seed + 100);
	for (unsigned int i = layers; i-- > 0;)
		make_layer(b, i);
	for (unsigned int i = 0; i < layers; i++)
		lab_settle(&b->labs[i]);
	return b;
}

void layers_free(struct layers *b)
{
	for (unsigned int i = 0; i < b->layers; i++) {
		lab_fini(&b->labs[i]);
		free(b->flat[i]);
	}
	lab_fini(&b->survivor);
	free(b);
}
