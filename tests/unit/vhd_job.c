// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhd/: work on whole disks. Each job runs with the power cut after every single change of a file;
 * each image that this leaves opens, passes the check, and reads as the disk did. Jobs that are
 * stopped, fail, or find no space leave disks in order, too.
 *
 * MAINSTAY_SOAK=N repeats everything N times with other seeds.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../vhd/image.h"
#include "../lib/vhd_lab.h"

#define BLOCK_BYTES 4096u
#define BLOCKS_MAX 512u
#define DISK_BYTES (MIB(1) + 4608) /* the last block is not whole */
#define LARGER_BYTES MIB(3)

static char error[VHD_ERROR_BYTES];

/* A chain: layer 0 is the disk. What it reads as is kept beside it. */
#define LAYERS_MAX 3
struct bench {
	struct lab_file labs[LAYERS_MAX], survivor;
	unsigned int layers;
	enum vhd_type base_type;
	uint64_t seed;
	uint8_t *flat[LAYERS_MAX];    /* what the disk is from there down */
	unsigned int cuts, survivors; /* of each */
	unsigned int victim;	      /* the layer whose power fails */
	uint64_t size, larger;
	uint8_t id[2][16];  /* parents' ids that are right */
	unsigned int first; /* layer that survivors are opened from */
};

static uint32_t below(struct bench *b, uint32_t n)
{
	return lab_random(&b->seed) % n;
}

static struct vhd *open_files(struct vhd_file *files, unsigned int count, bool read_only)
{
	const struct vhd_open_options options = { .read_only = read_only };
	struct vhd *vhd;
	int r = vhd_open(files, count, &options, &vhd, error, sizeof(error));

	cr_assert_eq(r, 0, "%s", error);
	return vhd;
}

/* The chain from layer @first on; @instead takes the place of one layer's file, or is NULL. */
static unsigned int list_files(struct bench *b, unsigned int first, unsigned int replaced,
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

static struct vhd *open_layers(struct bench *b, unsigned int first, bool read_only)
{
	struct vhd_file files[LAYERS_MAX];
	unsigned int count = list_files(b, first, 0, NULL, files);

	return open_files(files, count, read_only);
}

static void check_reads(struct vhd *vhd, const uint8_t *flat, uint64_t bytes)
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

static void check_zeros(struct vhd *vhd, uint64_t from, uint64_t to)
{
	uint8_t *read = malloc(to - from);
	const struct iovec iov = { read, to - from };

	cr_assert_eq(vhd_read(vhd, from, &iov, 1), 0, "%s", vhd_error(vhd));
	cr_assert(vhd_is_zero(read, to - from));
	free(read);
}

static void complain(const struct vhd_finding *finding, void *opaque)
{
	(void)opaque;
	if (finding->severity == VHD_ERROR)
		snprintf(error, sizeof(error), "%s: %s: %s", finding->name, finding->field,
			 finding->text);
}

static void check_sound(struct vhd_file *files, unsigned int count)
{
	const struct vhd_check_options options = { .deep = true, .found = complain };
	struct vhd_check_result result;
	int r = vhd_check(files, count, &options, &result, error, sizeof(error));

	cr_assert_eq(r, 0, "%s", error);
	cr_assert_eq(result.found[VHD_ERROR], 0, "%s", error);
}

/* --- making disks */

static void fill_random(struct bench *b, uint8_t *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)lab_random(&b->seed);
}

/* Writes of all kinds: noise, zeros, what is there already. */
static void scribble(struct bench *b, unsigned int layer, unsigned int steps)
{
	struct vhd *vhd = open_layers(b, layer, false);
	uint8_t *flat = b->flat[layer];

	for (unsigned int i = 0; i < steps; i++) {
		uint64_t bytes = (1 + below(b, 40)) * 512;
		uint64_t offset = below(b, (uint32_t)(DISK_BYTES / 512)) * UINT64_C(512);
		struct iovec iov = { flat + offset, 0 };

		iov.iov_len = min_u64(bytes, DISK_BYTES - offset);
		if (i % 3 == 0)
			memset(iov.iov_base, 0, iov.iov_len);
		else if (i % 3 == 1)
			fill_random(b, iov.iov_base, iov.iov_len);
		cr_assert_eq(vhd_write(vhd, offset, &iov, 1), 0, "%s", vhd_error(vhd));
	}
	cr_assert_eq(vhd_close(vhd), 0);
}

static void make_layer(struct bench *b, unsigned int layer)
{
	struct lab_file *lab = &b->labs[layer];
	const struct vhd_file file = { .fd = -1, .name = "new", .io = &lab->io };
	struct vhd_parent parent = { .relative = "parent.vhd", .absolute = "/disks/parent.vhd" };
	bool base = layer == b->layers - 1;
	struct vhd_create_options options = {
		.type = base ? b->base_type : VHD_DIFFERENCING,
		.size_bytes = DISK_BYTES,
		.block_bytes = base && b->base_type == VHD_FIXED ? 0 : BLOCK_BYTES,
		.parent = base ? NULL : &parent,
	};
	struct vhd_info info;

	lab_init(lab, b->seed + layer);
	b->flat[layer] = calloc(1, LARGER_BYTES);
	if (!base) {
		struct vhd_file above = { .fd = -1, .name = "p", .io = &b->labs[layer + 1].io };

		cr_assert_eq(vhd_probe(&above, &info, error, sizeof(error)), 0, "%s", error);
		memcpy(parent.id, info.id, 16);
		memcpy(b->flat[layer], b->flat[layer + 1], DISK_BYTES);
	}
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
	scribble(b, layer, base ? 60 : 30);
}

static struct bench *bench_new(uint64_t seed, unsigned int layers, enum vhd_type base_type)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->seed = seed;
	b->layers = layers;
	b->base_type = base_type;
	b->survivors = layers > 1 ? 4 : 24;
	b->size = b->larger = DISK_BYTES;
	lab_init(&b->survivor, seed + 100);
	for (unsigned int i = layers; i-- > 0;)
		make_layer(b, i);
	for (unsigned int i = 0; i < layers; i++)
		lab_settle(&b->labs[i]);
	return b;
}

static void bench_free(struct bench *b)
{
	for (unsigned int i = 0; i < b->layers; i++) {
		lab_fini(&b->labs[i]);
		free(b->flat[i]);
	}
	lab_fini(&b->survivor);
	free(b);
}

static unsigned int repetitions(void)
{
	const char *text = getenv("MAINSTAY_SOAK");
	int n = text ? atoi(text) : 1;

	return n > 0 ? (unsigned int)n : 1;
}

/* --- cutting the power */

/* The chain with the survivor in it reads as before. */
static void cut_once(struct lab_file *lab, struct bench *b)
{
	struct vhd_file files[LAYERS_MAX];
	unsigned int count;
	struct vhd *vhd;
	uint64_t size;

	b->cuts++;
	lab_crash(lab, &b->survivor);
	count = list_files(b, b->first, b->victim, &b->survivor, files);
	vhd = open_files(files, count, true);
	size = vhd_size_bytes(vhd);
	cr_assert(size == b->size || size == b->larger, "cut %u: %llu bytes", b->cuts,
		  (unsigned long long)size);
	check_reads(vhd, b->flat[b->first], b->size);
	vhd_free(vhd);
	check_sound(files, count);
}

/* What survives is a matter of chance. */
static void cut_power(struct lab_file *lab, void *opaque)
{
	const struct bench *b = opaque;

	for (unsigned int i = 0; i < b->survivors; i++)
		cut_once(lab, opaque);
}

static void watch(struct bench *b, unsigned int layer)
{
	b->victim = layer;
	b->labs[layer].after = cut_power;
	b->labs[layer].opaque = b;
}

static void unwatch(struct bench *b)
{
	b->labs[b->victim].after = NULL;
}

/* --- compact */

static void compact_once(struct bench *b, struct vhd_compact_result *result)
{
	struct vhd *vhd = open_layers(b, 0, false);
	uint64_t bytes;

	watch(b, 0);
	cr_assert_eq(vhd_compact(vhd, NULL, result, error, sizeof(error)), 0, "%s", error);
	unwatch(b);
	check_reads(vhd, b->flat[0], DISK_BYTES);
	cr_assert_eq(vhd_close(vhd), 0);
	bytes = b->labs[0].now.size;
	cr_assert_eq(bytes, result->file_bytes_after);
	cr_assert_leq(bytes, result->file_bytes_before);
}

static unsigned int compact_session(uint64_t seed, unsigned int layers)
{
	struct bench *b = bench_new(seed, layers, VHD_DYNAMIC);
	struct vhd_compact_result result, again;
	unsigned int cuts;
	struct vhd *vhd;
	uint64_t most;

	/* Half of the disk is not needed any more. */
	vhd = open_layers(b, 0, false);
	for (uint64_t at = 0; at + 16384 <= DISK_BYTES; at += 32768) {
		if (layers > 1)
			memcpy(b->flat[0] + at, b->flat[1] + at, 16384);
		else
			memset(b->flat[0] + at, 0, 16384);
		cr_assert_eq(vhd_write(vhd, at, &(struct iovec){ b->flat[0] + at, 16384 }, 1), 0);
	}
	cr_assert_eq(vhd_close(vhd), 0);
	lab_settle(&b->labs[0]);
	compact_once(b, &result);
	cr_assert_lt(result.blocks_after, result.blocks_before);
	/* As dense as this library lays out blocks: table and the like, then the blocks. */
	most = 16384 + (uint64_t)result.blocks_after * (BLOCK_BYTES + 4096);
	cr_assert_leq(result.file_bytes_after, most);
	compact_once(b, &again);
	cr_assert_eq(again.blocks_before, result.blocks_after);
	cr_assert_eq(again.blocks_after, result.blocks_after);
	cr_assert_eq(again.moved, 0);
	cr_assert_eq(again.file_bytes_after, result.file_bytes_after);
	cuts = b->cuts;
	bench_free(b);
	return cuts;
}

Test(vhd_job, compacting_loses_nothing_when_the_power_goes, .timeout = 3600)
{
	unsigned int cuts = 0;

	for (unsigned int i = 0; i < repetitions(); i++) {
		cuts += compact_session(1 + 10 * i, 1);
		cuts += compact_session(2 + 10 * i, 2);
		cuts += compact_session(3 + 10 * i, 3);
	}
	cr_assert_gt(cuts, 500, "%u cuts", cuts);
	cr_log_info("%u cuts", cuts);
}

/* As qemu lays out blocks: one behind the other, not aligned. */
Test(vhd_job, compacting_other_programs_layouts)
{
	struct bench *b = bench_new(5, 1, VHD_DYNAMIC);
	struct vhd_compact_result result;
	uint8_t *now, *dense;
	size_t at, table = 1536, blocks = (DISK_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES;
	size_t extent = 512 + BLOCK_BYTES;

	compact_once(b, &result);
	now = b->labs[0].now.data;
	dense = calloc(1, b->labs[0].now.size);
	at = table + round_up(blocks * 4, 512);
	memcpy(dense, now, at);
	for (size_t i = 0; i < blocks; i++) {
		uint8_t *entry = dense + table + i * 4;
		uint32_t sector = (uint32_t)entry[0] << 24 | (uint32_t)entry[1] << 16 |
				  (uint32_t)entry[2] << 8 | entry[3];

		if (sector == UINT32_MAX)
			continue;
		memcpy(dense + at, now + (size_t)sector * 512, extent);
		sector = (uint32_t)(at / 512);
		entry[0] = (uint8_t)(sector >> 24);
		entry[1] = (uint8_t)(sector >> 16);
		entry[2] = (uint8_t)(sector >> 8);
		entry[3] = (uint8_t)sector;
		at += extent;
	}
	memcpy(dense + at, now + b->labs[0].now.size - 512, 512);
	memcpy(now, dense, at + 512);
	b->labs[0].now.size = at + 512;
	free(dense);
	lab_settle(&b->labs[0]);
	memset(b->flat[0], 0, DISK_BYTES / 2);
	cr_assert_eq(vhd_close(({
			     struct vhd *vhd = open_layers(b, 0, false);

			     cr_assert_eq(vhd_write_zeroes(vhd, 0, DISK_BYTES / 2), 0);
			     vhd;
		     })),
		     0);
	lab_settle(&b->labs[0]);
	compact_once(b, &result);
	/* One behind the other again. */
	cr_assert_eq(result.file_bytes_after,
		     table + round_up(blocks * 4, 512) + result.blocks_after * extent + 512);
	bench_free(b);
}

/* --- resize */

static void resize_lab(struct bench *b, uint64_t bytes)
{
	const struct vhd_file file = { .fd = -1, .name = "disk", .io = &b->labs[0].io };

	b->larger = bytes;
	watch(b, 0);
	cr_assert_eq(vhd_resize(&file, bytes, error, sizeof(error)), 0, "%s", error);
	unwatch(b);
	b->size = bytes;
}

static unsigned int resize_session(uint64_t seed, enum vhd_type type)
{
	static const uint64_t sizes[] = { DISK_BYTES + 512, DISK_BYTES + 8192, MIB(2), MIB(2) + 512,
					  LARGER_BYTES };
	struct bench *b = bench_new(seed, 1, type);
	unsigned int cuts;
	struct vhd *vhd;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct iovec iov = { b->flat[0] + sizes[i] - 512, 512 };
		struct vhd_info info;

		resize_lab(b, sizes[i]);
		vhd = open_layers(b, 0, false);
		vhd_get_info(vhd, &info);
		cr_assert_eq(info.current_bytes, sizes[i]);
		cr_assert_eq(info.head, type == VHD_FIXED ? VHD_FOOTER_MISSING : VHD_FOOTER_GOOD);
		check_reads(vhd, b->flat[0], sizes[i]);
		/* The new sectors can be used. */
		fill_random(b, iov.iov_base, 512);
		cr_assert_eq(vhd_write(vhd, sizes[i] - 512, &iov, 1), 0, "%s", vhd_error(vhd));
		cr_assert_eq(vhd_close(vhd), 0);
		lab_settle(&b->labs[0]);
	}
	vhd = open_layers(b, 0, true);
	check_reads(vhd, b->flat[0], LARGER_BYTES);
	vhd_free(vhd);
	cuts = b->cuts;
	bench_free(b);
	return cuts;
}

Test(vhd_job, resizing_loses_nothing_when_the_power_goes, .timeout = 3600)
{
	unsigned int cuts = 0;

	for (unsigned int i = 0; i < repetitions(); i++) {
		cuts += resize_session(11 + 10 * i, VHD_DYNAMIC);
		cuts += resize_session(12 + 10 * i, VHD_FIXED);
	}
	cr_assert_gt(cuts, 600, "%u cuts", cuts);
	cr_log_info("%u cuts", cuts);
}

Test(vhd_job, a_larger_disk_needs_little_more_table_than_before)
{
	struct bench *b = bench_new(13, 1, VHD_DYNAMIC);
	const struct vhd_file file = { .fd = -1, .name = "disk", .io = &b->labs[0].io };
	uint64_t before = b->labs[0].now.size;

	cr_assert_eq(vhd_resize(&file, GIB(8), error, sizeof(error)), 0, "%s", error);
	cr_assert_leq(b->labs[0].now.size, before + GIB(8) / BLOCK_BYTES * 4 + 8192);
	bench_free(b);
}

Test(vhd_job, sizes_that_are_refused)
{
	struct bench *b = bench_new(14, 2, VHD_DYNAMIC);
	const struct vhd_file child = { .fd = -1, .name = "child", .io = &b->labs[0].io };
	const struct vhd_file base = { .fd = -1, .name = "base", .io = &b->labs[1].io };

	cr_assert_eq(vhd_resize(&child, MIB(2), error, sizeof(error)), -EOPNOTSUPP);
	cr_assert(strstr(error, "child: a differencing disk"), "%s", error);
	cr_assert_eq(vhd_resize(&base, MIB(1), error, sizeof(error)), -EINVAL);
	cr_assert(strstr(error, "cannot become smaller"), "%s", error);
	cr_assert_eq(vhd_resize(&base, MIB(2) + 1, error, sizeof(error)), -EINVAL);
	cr_assert_eq(vhd_resize(&base, GIB(2041), error, sizeof(error)), -EFBIG);
	cr_assert_eq(vhd_resize(&base, GIB(2040), error, sizeof(error)), -EFBIG);
	cr_assert(strstr(error, "larger blocks"), "%s", error);
	cr_assert_eq(vhd_resize(&base, DISK_BYTES, error, sizeof(error)), 0, "%s", error);
	bench_free(b);
}

/* --- merge and rebase */

static unsigned int merge_session(uint64_t seed, unsigned int layers, enum vhd_type base_type)
{
	struct bench *b = bench_new(seed, layers, base_type);
	struct vhd *child = open_layers(b, 0, true), *parent = open_layers(b, 1, false);
	unsigned int cuts;

	watch(b, 1);
	cr_assert_eq(vhd_merge(child, parent, NULL, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_finish(parent), 0);
	unwatch(b);
	vhd_free(parent);
	vhd_free(child);
	parent = open_layers(b, 1, true);
	check_reads(parent, b->flat[0], DISK_BYTES);
	vhd_free(parent);
	cuts = b->cuts;
	bench_free(b);
	return cuts;
}

Test(vhd_job, merging_loses_nothing_when_the_power_goes, .timeout = 3600)
{
	unsigned int cuts = 0;

	for (unsigned int i = 0; i < repetitions(); i++) {
		cuts += merge_session(21 + 10 * i, 2, VHD_DYNAMIC);
		cuts += merge_session(22 + 10 * i, 2, VHD_FIXED);
		cuts += merge_session(23 + 10 * i, 3, VHD_DYNAMIC);
	}
	cr_assert_gt(cuts, 800, "%u cuts", cuts);
	cr_log_info("%u cuts", cuts);
}

static struct vhd_parent parent_of(struct bench *b, unsigned int layer, const char *relative)
{
	struct vhd_file file = { .fd = -1, .name = "p", .io = &b->labs[layer].io };
	struct vhd_parent parent = { .relative = relative };
	struct vhd_info info;

	cr_assert_eq(vhd_probe(&file, &info, error, sizeof(error)), 0, "%s", error);
	memcpy(parent.id, info.id, 16);
	return parent;
}

/* Over its grandparent the disk reads as it did over its parent. */
Test(vhd_job, rebasing_loses_nothing_when_the_power_goes, .timeout = 3600)
{
	for (unsigned int i = 0; i < repetitions(); i++) {
		struct bench *b = bench_new(31 + i, 3, VHD_DYNAMIC);
		struct vhd *disk = open_layers(b, 0, false), *base = open_layers(b, 2, true);
		struct vhd_file files[LAYERS_MAX];
		struct vhd_parent parent = parent_of(b, 2, "base.vhd");

		watch(b, 0);
		cr_assert_eq(vhd_rebase(disk, base, NULL, error, sizeof(error)), 0, "%s", error);
		cr_assert_eq(vhd_close(disk), 0);
		unwatch(b);
		vhd_free(base);
		cr_assert_gt(b->cuts, 50);
		list_files(b, 0, 0, NULL, files);
		cr_assert_eq(vhd_set_parent(&files[0], &parent, error, sizeof(error)), 0, "%s",
			     error);
		files[1] = files[2];
		disk = open_files(files, 2, true);
		check_reads(disk, b->flat[0], DISK_BYTES);
		vhd_free(disk);
		check_sound(files, 2);
		bench_free(b);
	}
}

/* --- another parent */

/* A survivor has the old parent or the new one. */
static void cut_naming(struct lab_file *lab, void *opaque)
{
	struct bench *b = opaque;
	struct vhd_file file = { .fd = -1, .name = "survivor", .io = &b->survivor.io };
	struct vhd_locator *locators = calloc(VHD_LOCATORS_MAX, sizeof(*locators));
	struct vhd_info info;
	unsigned int count;
	bool new_one;

	b->cuts++;
	lab_crash(lab, &b->survivor);
	cr_assert_eq(vhd_probe(&file, &info, error, sizeof(error)), 0, "%s", error);
	cr_assert(!info.needs_repair);
	new_one = !memcmp(info.parent_id, b->id[1], 16);
	cr_assert(new_one || !memcmp(info.parent_id, b->id[0], 16));
	cr_assert_eq(vhd_read_locators(&file, locators, &count, error, sizeof(error)), 0);
	cr_assert_str_eq(info.parent_name, new_one ? "other name.vhd" : "parent.vhd");
	cr_assert_str_eq(locators[0].path, new_one ? "../far away/other name.vhd" : "parent.vhd");
	check_sound(&file, 1);
	free(locators);
}

Test(vhd_job, a_parent_is_named_in_one_step, .timeout = 60)
{
	static const char far_away[] = "../far away/other name.vhd";
	char absolute[900];
	struct bench *b = bench_new(41, 2, VHD_DYNAMIC);
	struct vhd_file file = { .fd = -1, .name = "disk", .io = &b->labs[0].io };
	struct vhd_parent parent = parent_of(b, 1, far_away);
	struct vhd_file files[LAYERS_MAX];
	struct vhd *vhd;

	memcpy(b->id[0], parent.id, 16);
	parent.id[3] ^= 1;
	memcpy(b->id[1], parent.id, 16);
	/* One that fits into the old one's place, and one that does not. */
	for (unsigned int round = 0; round < 2; round++) {
		b->labs[0].after = cut_naming;
		b->labs[0].opaque = b;
		cr_assert_eq(vhd_set_parent(&file, &parent, error, sizeof(error)), 0, "%s", error);
		memset(absolute, 'x', sizeof(absolute) - 1);
		absolute[sizeof(absolute) - 1] = '\0';
		absolute[0] = '/';
		parent.absolute = absolute;
	}
	cr_assert_gt(b->cuts, 10);
	b->labs[0].after = NULL;
	memcpy(parent.id, b->id[0], 16);
	cr_assert_eq(vhd_set_parent(&file, &parent, error, sizeof(error)), 0, "%s", error);
	list_files(b, 0, 0, NULL, files);
	vhd = open_files(files, 2, false);
	check_reads(vhd, b->flat[0], DISK_BYTES);
	vhd_close(vhd);
	check_sound(files, 2);
	scribble(b, 0, 30);
	vhd = open_files(files, 2, true);
	check_reads(vhd, b->flat[0], DISK_BYTES);
	vhd_free(vhd);
	bench_free(b);
}

Test(vhd_job, a_copy_gets_an_id_of_its_own)
{
	static const uint8_t id[16] = "sixteen letters";
	struct bench *b = bench_new(42, 1, VHD_DYNAMIC);
	struct vhd_file file = { .fd = -1, .name = "disk", .io = &b->labs[0].io };
	struct vhd_info before, after;

	cr_assert_eq(vhd_probe(&file, &before, error, sizeof(error)), 0);
	cr_assert_eq(vhd_set_id(&file, NULL, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_probe(&file, &after, error, sizeof(error)), 0);
	cr_assert(memcmp(before.id, after.id, 16));
	cr_assert_eq(vhd_set_id(&file, id, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_probe(&file, &after, error, sizeof(error)), 0);
	cr_assert(!memcmp(id, after.id, 16));
	check_sound(&file, 1);
	bench_free(b);
}

/* --- copy and compare */

static struct vhd *new_disk(struct lab_file *lab, enum vhd_type type, uint64_t bytes)
{
	struct vhd_file file = { .fd = -1, .name = "copy", .io = &lab->io };
	const struct vhd_create_options options = {
		.type = type,
		.size_bytes = bytes,
		.block_bytes = type == VHD_FIXED ? 0 : 8192,
	};

	lab_init(lab, 7);
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
	return open_files(&file, 1, false);
}

static void copy_chain(enum vhd_type type)
{
	struct bench *b = bench_new(51, 3, VHD_DYNAMIC);
	struct vhd *from = open_layers(b, 0, true), *to;
	struct vhd_copy_options options = { .target_is_empty = true };
	struct lab_file lab;
	uint64_t offset;

	to = new_disk(&lab, type, LARGER_BYTES);
	cr_assert_eq(vhd_copy(from, to, &options, error, sizeof(error)), 0, "%s", error);
	check_reads(to, b->flat[0], DISK_BYTES);
	check_zeros(to, DISK_BYTES, LARGER_BYTES);
	cr_assert_eq(vhd_compare(from, to, NULL, &offset, error, sizeof(error)), 0);
	cr_assert_eq(offset, UINT64_MAX);
	/* Over something else: zeros count, too. */
	cr_assert_eq(vhd_write(to, 0, &(struct iovec){ b->flat[2], DISK_BYTES }, 1), 0);
	options.target_is_empty = false;
	cr_assert_eq(vhd_copy(from, to, &options, error, sizeof(error)), 0, "%s", error);
	check_reads(to, b->flat[0], DISK_BYTES);
	/* One bit, and one beyond the smaller disk's end. */
	cr_assert_eq(vhd_write(to, LARGER_BYTES - 1, &(struct iovec){ "x", 1 }, 1), 0);
	cr_assert_eq(vhd_compare(from, to, NULL, &offset, error, sizeof(error)), 0);
	cr_assert_eq(offset, LARGER_BYTES - 1);
	b->flat[0][777777] ^= 4;
	cr_assert_eq(vhd_write(to, 777777, &(struct iovec){ b->flat[0] + 777777, 1 }, 1), 0);
	cr_assert_eq(vhd_compare(to, from, NULL, &offset, error, sizeof(error)), 0);
	cr_assert_eq(offset, 777777);
	cr_assert_eq(vhd_copy(to, from, &options, error, sizeof(error)), -EINVAL);
	vhd_free(from);
	vhd_free(to);
	lab_fini(&lab);
	bench_free(b);
}

Test(vhd_job, copies_are_the_same)
{
	copy_chain(VHD_DYNAMIC);
	copy_chain(VHD_FIXED);
}

/* --- jobs that do not come to their end */

static int stop_after(uint64_t done, uint64_t all, void *opaque)
{
	unsigned int *left = opaque;

	(void)done;
	(void)all;
	return (*left)-- == 0;
}

Test(vhd_job, stopped_jobs_leave_disks_in_order)
{
	for (unsigned int after = 0; after < 200; after += 13) {
		struct bench *b = bench_new(61, 2, VHD_DYNAMIC);
		struct vhd_compact_result result;
		struct vhd_file files[LAYERS_MAX];
		struct vhd *disk = open_layers(b, 0, false);
		unsigned int left = after;
		const struct vhd_job job = { stop_after, &left };
		int r = vhd_compact(disk, &job, &result, error, sizeof(error));

		cr_assert(r == 0 || r == -ECANCELED, "%s", error);
		check_reads(disk, b->flat[0], DISK_BYTES);
		cr_assert_eq(vhd_close(disk), 0);
		list_files(b, 0, 0, NULL, files);
		check_sound(files, 2);
		bench_free(b);
	}
}

static void fail_session(uint64_t seed, struct lab_file faults)
{
	struct bench *b = bench_new(seed, 2, VHD_DYNAMIC);
	struct vhd_file files[LAYERS_MAX];
	struct vhd_compact_result result;
	struct vhd *disk;
	unsigned int failed = 0;

	for (unsigned int round = 0; round < 40; round++) {
		struct lab_file *lab = &b->labs[0];

		list_files(b, 0, 0, NULL, files);
		disk = open_files(files, 2, false);
		lab->fail_writes = faults.fail_writes;
		lab->fail_syncs = faults.fail_syncs;
		lab->fail_truncates = faults.fail_truncates;
		lab->fail_reads = faults.fail_reads;
		lab->short_transfers = faults.short_transfers;
		lab->fail_with = faults.fail_with;
		if (vhd_compact(disk, NULL, &result, error, sizeof(error)) < 0)
			failed++;
		lab->fail_writes = lab->fail_syncs = lab->fail_truncates = lab->fail_reads = 0;
		lab->short_transfers = 0;
		check_reads(disk, b->flat[0], DISK_BYTES);
		vhd_close(disk);
		disk = open_files(files, 2, true);
		check_reads(disk, b->flat[0], DISK_BYTES);
		vhd_free(disk);
		check_sound(files, 2);
		scribble(b, 0, 4);
	}
	if (faults.fail_with)
		cr_assert_gt(failed, 0);
	bench_free(b);
}

Test(vhd_job, failing_calls_leave_disks_in_order, .timeout = 60)
{
	fail_session(71, (struct lab_file){ .fail_writes = 7, .fail_with = ENOSPC });
	fail_session(72, (struct lab_file){ .fail_reads = 19, .fail_with = EIO });
	fail_session(73, (struct lab_file){ .fail_syncs = 3, .fail_with = EIO });
	fail_session(74, (struct lab_file){ .fail_truncates = 2, .fail_with = EIO });
	fail_session(75, (struct lab_file){ .short_transfers = 2 });
}
