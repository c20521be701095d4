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
#include "../lib/vhd_layers.h"

#define BLOCK_BYTES LAYERS_BLOCK_BYTES
#define DISK_BYTES LAYERS_DISK_BYTES
#define LARGER_BYTES LAYERS_LARGER_BYTES
#define error layers_error

static unsigned int repetitions(void)
{
	const char *text = getenv("MAINSTAY_SOAK");
	int n = text ? atoi(text) : 1;

	return n > 0 ? (unsigned int)n : 1;
}

/* --- cutting the power */

/* The chain with the survivor in it reads as before. */
static void cut_once(struct lab_file *lab, struct layers *b)
{
	struct vhd_file files[LAYERS_MAX];
	unsigned int count;
	struct vhd *vhd;
	uint64_t size;

	b->cuts++;
	lab_crash(lab, &b->survivor);
	count = layers_list(b, b->first, b->victim, &b->survivor, files);
	vhd = layers_open_files(files, count, true);
	size = vhd_size_bytes(vhd);
	cr_assert(size == b->size || size == b->larger, "cut %u: %llu bytes", b->cuts,
		  (unsigned long long)size);
	layers_check_reads(vhd, b->flat[b->first], b->size);
	vhd_free(vhd);
	layers_check_sound(files, count);
}

/* What survives is a matter of chance. */
static void cut_power(struct lab_file *lab, void *opaque)
{
	const struct layers *b = opaque;

	for (unsigned int i = 0; i < b->survivors; i++)
		cut_once(lab, opaque);
}

static void watch(struct layers *b, unsigned int layer)
{
	b->victim = layer;
	b->labs[layer].after = cut_power;
	b->labs[layer].opaque = b;
}

static void unwatch(struct layers *b)
{
	b->labs[b->victim].after = NULL;
}

/* --- compact */

static void compact_once(struct layers *b, struct vhd_compact_result *result)
{
	struct vhd *vhd = layers_open(b, 0, false);
	uint64_t bytes;

	watch(b, 0);
	cr_assert_eq(vhd_compact(vhd, NULL, result, error, sizeof(error)), 0, "%s", error);
	unwatch(b);
	layers_check_reads(vhd, b->flat[0], DISK_BYTES);
	cr_assert_eq(vhd_close(vhd), 0);
	bytes = b->labs[0].now.size;
	cr_assert_eq(bytes, result->file_bytes_after);
	cr_assert_leq(bytes, result->file_bytes_before);
}

static unsigned int compact_session(uint64_t seed, unsigned int layers)
{
	struct layers *b = layers_new(seed, layers, VHD_DYNAMIC);
	struct vhd_compact_result result, again;
	unsigned int cuts;
	struct vhd *vhd;
	uint64_t most;

	/* Half of the disk is not needed any more. */
	vhd = layers_open(b, 0, false);
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
	layers_free(b);
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
	struct layers *b = layers_new(5, 1, VHD_DYNAMIC);
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
			     struct vhd *vhd = layers_open(b, 0, false);

			     cr_assert_eq(vhd_write_zeroes(vhd, 0, DISK_BYTES / 2), 0);
			     vhd;
		     })),
		     0);
	lab_settle(&b->labs[0]);
	compact_once(b, &result);
	/* One behind the other again. */
	cr_assert_eq(result.file_bytes_after,
		     table + round_up(blocks * 4, 512) + result.blocks_after * extent + 512);
	layers_free(b);
}

/* --- resize */

static void resize_lab(struct layers *b, uint64_t bytes)
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
	struct layers *b = layers_new(seed, 1, type);
	unsigned int cuts;
	struct vhd *vhd;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct iovec iov = { b->flat[0] + sizes[i] - 512, 512 };
		struct vhd_info info;

		resize_lab(b, sizes[i]);
		vhd = layers_open(b, 0, false);
		vhd_get_info(vhd, &info);
		cr_assert_eq(info.current_bytes, sizes[i]);
		cr_assert_eq(info.head, type == VHD_FIXED ? VHD_FOOTER_MISSING : VHD_FOOTER_GOOD);
		layers_check_reads(vhd, b->flat[0], sizes[i]);
		/* The new sectors can be used. */
		layers_noise(b, iov.iov_base, 512);
		cr_assert_eq(vhd_write(vhd, sizes[i] - 512, &iov, 1), 0, "%s", vhd_error(vhd));
		cr_assert_eq(vhd_close(vhd), 0);
		lab_settle(&b->labs[0]);
	}
	vhd = layers_open(b, 0, true);
	layers_check_reads(vhd, b->flat[0], LARGER_BYTES);
	vhd_free(vhd);
	cuts = b->cuts;
	layers_free(b);
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
	struct layers *b = layers_new(13, 1, VHD_DYNAMIC);
	const struct vhd_file file = { .fd = -1, .name = "disk", .io = &b->labs[0].io };
	uint64_t before = b->labs[0].now.size;

	cr_assert_eq(vhd_resize(&file, GIB(8), error, sizeof(error)), 0, "%s", error);
	cr_assert_leq(b->labs[0].now.size, before + GIB(8) / BLOCK_BYTES * 4 + 8192);
	layers_free(b);
}

Test(vhd_job, sizes_that_are_refused)
{
	struct layers *b = layers_new(14, 2, VHD_DYNAMIC);
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
	layers_free(b);
}

/* --- the mark of a saved state */

Test(vhd_job, marking_loses_nothing_when_the_power_goes, .timeout = 600)
{
	static const enum vhd_type types[] = { VHD_DYNAMIC, VHD_FIXED };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct layers *b = layers_new(31 + i, 1, types[i]);

		for (int saved = 1; saved >= 0; saved--) {
			struct vhd_file file = { .fd = -1, .name = "disk", .io = &b->labs[0].io };
			const struct vhd_open_options options = { .ignore_saved_state = true };
			struct vhd_info info;
			struct vhd *vhd;

			cr_assert_eq(vhd_open(&file, 1, &options, &vhd, error, sizeof(error)), 0,
				     "%s", error);
			watch(b, 0);
			cr_assert_eq(vhd_set_saved_state(vhd, saved), 0, "%s", vhd_error(vhd));
			unwatch(b);
			cr_assert_eq(vhd_close(vhd), 0);
			/* All that was not synced by then is lost: the mark is not. */
			lab_crash(&b->labs[0], &b->survivor);
			file.io = &b->survivor.io;
			cr_assert_eq(vhd_probe(&file, &info, error, sizeof(error)), 0, "%s", error);
			cr_assert_eq(info.saved_state, saved);
		}
		cr_assert_gt(b->cuts, 4, "%u cuts", b->cuts);
		layers_free(b);
	}
}

/* --- merge and rebase */

static unsigned int merge_session(uint64_t seed, unsigned int layers, enum vhd_type base_type)
{
	struct layers *b = layers_new(seed, layers, base_type);
	struct vhd *child = layers_open(b, 0, true), *parent = layers_open(b, 1, false);
	unsigned int cuts;

	watch(b, 1);
	cr_assert_eq(vhd_merge(child, parent, NULL, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_finish(parent), 0);
	unwatch(b);
	vhd_free(parent);
	vhd_free(child);
	parent = layers_open(b, 1, true);
	layers_check_reads(parent, b->flat[0], DISK_BYTES);
	vhd_free(parent);
	cuts = b->cuts;
	layers_free(b);
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

static struct vhd_parent parent_of(struct layers *b, unsigned int layer, const char *relative)
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
		struct layers *b = layers_new(31 + i, 3, VHD_DYNAMIC);
		struct vhd *disk = layers_open(b, 0, false), *base = layers_open(b, 2, true);
		struct vhd_file files[LAYERS_MAX];
		struct vhd_parent parent = parent_of(b, 2, "base.vhd");

		watch(b, 0);
		cr_assert_eq(vhd_rebase(disk, base, NULL, error, sizeof(error)), 0, "%s", error);
		cr_assert_eq(vhd_close(disk), 0);
		unwatch(b);
		vhd_free(base);
		cr_assert_gt(b->cuts, 50);
		layers_list(b, 0, 0, NULL, files);
		cr_assert_eq(vhd_set_parent(&files[0], &parent, error, sizeof(error)), 0, "%s",
			     error);
		files[1] = files[2];
		disk = layers_open_files(files, 2, true);
		layers_check_reads(disk, b->flat[0], DISK_BYTES);
		vhd_free(disk);
		layers_check_sound(files, 2);
		layers_free(b);
	}
}

/* --- another parent */

/* A survivor has the old parent or the new one. */
static void cut_naming(struct lab_file *lab, void *opaque)
{
	struct layers *b = opaque;
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
	layers_check_sound(&file, 1);
	free(locators);
}

Test(vhd_job, a_parent_is_named_in_one_step, .timeout = 60)
{
	static const char far_away[] = "../far away/other name.vhd";
	char absolute[900];
	struct layers *b = layers_new(41, 2, VHD_DYNAMIC);
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
	layers_list(b, 0, 0, NULL, files);
	vhd = layers_open_files(files, 2, false);
	layers_check_reads(vhd, b->flat[0], DISK_BYTES);
	vhd_close(vhd);
	layers_check_sound(files, 2);
	layers_scribble(b, 0, 30);
	vhd = layers_open_files(files, 2, true);
	layers_check_reads(vhd, b->flat[0], DISK_BYTES);
	vhd_free(vhd);
	layers_free(b);
}

Test(vhd_job, a_copy_gets_an_id_of_its_own)
{
	static const uint8_t id[16] = "sixteen letters";
	struct layers *b = layers_new(42, 1, VHD_DYNAMIC);
	struct vhd_file file = { .fd = -1, .name = "disk", .io = &b->labs[0].io };
	struct vhd_info before, after;

	cr_assert_eq(vhd_probe(&file, &before, error, sizeof(error)), 0);
	cr_assert_eq(vhd_set_id(&file, NULL, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_probe(&file, &after, error, sizeof(error)), 0);
	cr_assert(memcmp(before.id, after.id, 16));
	cr_assert_eq(vhd_set_id(&file, id, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_probe(&file, &after, error, sizeof(error)), 0);
	cr_assert(!memcmp(id, after.id, 16));
	layers_check_sound(&file, 1);
	layers_free(b);
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
	return layers_open_files(&file, 1, false);
}

static void copy_chain(enum vhd_type type)
{
	struct layers *b = layers_new(51, 3, VHD_DYNAMIC);
	struct vhd *from = layers_open(b, 0, true), *to;
	struct vhd_copy_options options = { .target_is_empty = true };
	struct lab_file lab;
	uint64_t offset;

	to = new_disk(&lab, type, LARGER_BYTES);
	cr_assert_eq(vhd_copy(from, to, &options, error, sizeof(error)), 0, "%s", error);
	layers_check_reads(to, b->flat[0], DISK_BYTES);
	layers_check_zeros(to, DISK_BYTES, LARGER_BYTES);
	cr_assert_eq(vhd_compare(from, to, NULL, &offset, error, sizeof(error)), 0);
	cr_assert_eq(offset, UINT64_MAX);
	/* Over something else: zeros count, too. */
	cr_assert_eq(vhd_write(to, 0, &(struct iovec){ b->flat[2], DISK_BYTES }, 1), 0);
	options.target_is_empty = false;
	cr_assert_eq(vhd_copy(from, to, &options, error, sizeof(error)), 0, "%s", error);
	layers_check_reads(to, b->flat[0], DISK_BYTES);
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
	layers_free(b);
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
		struct layers *b = layers_new(61, 2, VHD_DYNAMIC);
		struct vhd_compact_result result;
		struct vhd_file files[LAYERS_MAX];
		struct vhd *disk = layers_open(b, 0, false);
		unsigned int left = after;
		const struct vhd_job job = { stop_after, &left };
		int r = vhd_compact(disk, &job, &result, error, sizeof(error));

		cr_assert(r == 0 || r == -ECANCELED, "%s", error);
		layers_check_reads(disk, b->flat[0], DISK_BYTES);
		cr_assert_eq(vhd_close(disk), 0);
		layers_list(b, 0, 0, NULL, files);
		layers_check_sound(files, 2);
		layers_free(b);
	}
}

static void fail_session(uint64_t seed, struct lab_file faults)
{
	struct layers *b = layers_new(seed, 2, VHD_DYNAMIC);
	struct vhd_file files[LAYERS_MAX];
	struct vhd_compact_result result;
	struct vhd *disk;
	unsigned int failed = 0;

	for (unsigned int round = 0; round < 40; round++) {
		struct lab_file *lab = &b->labs[0];

		layers_list(b, 0, 0, NULL, files);
		disk = layers_open_files(files, 2, false);
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
		layers_check_reads(disk, b->flat[0], DISK_BYTES);
		vhd_close(disk);
		disk = layers_open_files(files, 2, true);
		layers_check_reads(disk, b->flat[0], DISK_BYTES);
		vhd_free(disk);
		layers_check_sound(files, 2);
		layers_scribble(b, 0, 4);
	}
	if (faults.fail_with)
		cr_assert_gt(failed, 0);
	layers_free(b);
}

Test(vhd_job, failing_calls_leave_disks_in_order, .timeout = 60)
{
	fail_session(71, (struct lab_file){ .fail_writes = 7, .fail_with = ENOSPC });
	fail_session(72, (struct lab_file){ .fail_reads = 19, .fail_with = EIO });
	fail_session(73, (struct lab_file){ .fail_syncs = 3, .fail_with = EIO });
	fail_session(74, (struct lab_file){ .fail_truncates = 2, .fail_with = EIO });
	fail_session(75, (struct lab_file){ .short_transfers = 2 });
}

/* --- hostile images: nothing in the table or the header's texts may be believed */

static void put_be32_at(uint8_t *p, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A number that somebody may have thought hard about. */
static uint32_t nasty(struct layers *b, const struct lab_file *lab)
{
	const uint32_t sectors = (uint32_t)(lab->now.size / 512);
	const uint32_t numbers[] = { 0,		  1,
				     2,		  3,
				     sectors,	  sectors - 1,
				     sectors - 9, UINT32_MAX - 1,
				     0x80000000,  layers_below(b, sectors) };

	return numbers[layers_below(b, ARRAY_LEN(numbers))];
}

static void damage(struct layers *b, struct lab_file *lab)
{
	uint8_t *header = lab->now.data + 512;
	uint64_t table =
		(uint64_t)header[20] << 24 | header[21] << 16 | header[22] << 8 | header[23];

	for (unsigned int i = layers_below(b, 4); i > 0; i--)
		put_be32_at(lab->now.data + table + 4 * layers_below(b, DISK_BYTES / BLOCK_BYTES),
			    nasty(b, lab));
	for (unsigned int i = layers_below(b, 4); i > 0; i--) {
		uint8_t *locator = header + 576 + 24 * layers_below(b, 8);

		memcpy(locator, "W2ru", 4);
		put_be32_at(locator + 8, nasty(b, lab));
		put_be32_at(locator + 16, layers_below(b, 4) ? 0 : UINT32_MAX);
		put_be32_at(locator + 20, nasty(b, lab) * (layers_below(b, 2) ? 512 : 1));
	}
	put_be32_at(header + 36, vhd_checksum(header, 1024, 36));
}

static void try_jobs(struct layers *b)
{
	const struct vhd_parent parent = { .relative = "elsewhere.vhd" };
	struct vhd_file files[LAYERS_MAX];
	struct vhd_compact_result result;
	struct vhd *vhd;

	layers_list(b, 0, 0, NULL, files);
	vhd_set_parent(&files[0], &parent, error, sizeof(error));
	vhd_resize(&files[0], MIB(2) + layers_below(b, 2048) * 512, error, sizeof(error));
	vhd_set_id(&files[0], NULL, error, sizeof(error));
	if (vhd_open(files, b->layers, &(struct vhd_open_options){ .accept = 3 }, &vhd, error,
		     sizeof(error)) < 0)
		return;
	vhd_compact(vhd, NULL, &result, error, sizeof(error));
	vhd_close(vhd);
}

Test(vhd_job, hostile_tables_and_locators_do_no_harm, .timeout = 3600)
{
	for (unsigned int layers = 1; layers <= 2; layers++) {
		struct layers *b = layers_new(80 + layers, layers, VHD_DYNAMIC);
		struct lab_file *lab = &b->labs[0];
		size_t size = lab->now.size;
		uint8_t *good = malloc(size);

		memcpy(good, lab->now.data, size);
		for (unsigned int i = 0; i < 200 * repetitions(); i++) {
			memcpy(lab->now.data, good, size);
			lab->now.size = size;
			lab_settle(lab);
			damage(b, lab);
			try_jobs(b);
			/* Two more tables than the disk had, and its blocks, at most. */
			cr_assert_leq(lab->now.size, 3 * size);
		}
		free(good);
		layers_free(b);
	}
}
