// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhd/: data of disks and chains, against a flat array; with the power cut after every single write;
 * with calls that fail. See tests/lib/vhd_model.h.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../vhd/image.h"
#include "../lib/vhd_lab.h"
#include "../lib/vhd_model.h"

/* The soak runs many more seeds: MAINSTAY_SOAK is their number for each row. */
static unsigned int rounds(void)
{
	const char *text = getenv("MAINSTAY_SOAK");

	return text && atoi(text) > 0 ? (unsigned int)atoi(text) : 1;
}

Test(vhd_data, random_operations_match_a_flat_array, .timeout = 36000)
{
	static const struct model_shape shapes[] = {
		{ 100, VHD_DYNAMIC, 1, 4096, 0, 0 },	  { 101, VHD_DYNAMIC, 1, 4096, 4096, 0 },
		{ 102, VHD_DYNAMIC, 1, 16384, 4096, 0 },  { 103, VHD_DYNAMIC, 1, 65536, 0, 0 },
		{ 104, VHD_DYNAMIC, 1, 524288, 4096, 0 }, { 105, VHD_DYNAMIC, 1, 2u << 20, 0, 0 },
		{ 106, VHD_DYNAMIC, 1, 4u << 20, 0, 0 },  { 107, VHD_FIXED, 1, 0, 0, 0 },
		{ 108, VHD_DYNAMIC, 2, 4096, 4096, 0 },	  { 109, VHD_DYNAMIC, 3, 0, 0, 0 },
		{ 110, VHD_FIXED, 2, 16384, 4096, 0 },	  { 111, VHD_DYNAMIC, 8, 0, 8192, 0 },
		{ 112, VHD_FIXED, 4, 2u << 20, 0, 0 },	  { 114, VHD_DYNAMIC, 4, 2u << 20, 0, 0 },
		{ 113, VHD_DYNAMIC, 3, 4u << 20, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(shapes) * rounds(); i++) {
		struct model_shape shape = shapes[i % ARRAY_LEN(shapes)];
		struct model *m;

		shape.seed += 1000 * (i / ARRAY_LEN(shapes));
		m = model_new(&shape);
		m->labs[0].no_holes = i % 2;
		m->labs[0].short_transfers = i % 3 ? 0 : 7;
		model_run(m, 600);
		if (shape.type != VHD_FIXED) {
			model_flush(m);
			model_check_clear_sectors(m, m->vhd, &m->labs[0]);
		}
		model_free(m);
	}
}

/* --- the power goes */

static unsigned int cut_session(const struct model_shape *shape, unsigned int steps)
{
	struct model *m = model_new(shape);
	unsigned int cuts;

	m->labs[0].after = model_cut_power;
	m->labs[0].opaque = m;
	m->labs[0].no_holes = shape->seed % 3 == 0;
	for (unsigned int i = 0; i < steps; i++) {
		uint32_t what = model_random(m, 100);

		if (what < 70)
			model_write(m);
		else if (what < 73)
			model_batch(m);
		else if (what < 82)
			model_zero(m);
		else if (what < 97)
			model_flush(m);
		else
			model_reopen(m);
	}
	model_check_all(m, m->vhd);
	cuts = m->cuts;
	model_free(m);
	return cuts;
}

Test(vhd_data, nothing_flushed_is_lost_when_the_power_goes, .timeout = 360000)
{
	static const struct model_shape shapes[] = {
		{ 1, VHD_DYNAMIC, 1, 4096, 0, 98304 },	   { 2, VHD_DYNAMIC, 1, 4096, 4096, 98304 },
		{ 3, VHD_DYNAMIC, 1, 16384, 4096, 98304 }, { 4, VHD_DYNAMIC, 1, 65536, 0, 131072 },
		{ 5, VHD_DYNAMIC, 1, 65536, 4096, 98304 }, { 6, VHD_DYNAMIC, 1, 524288, 0, 98304 },
		{ 7, VHD_DYNAMIC, 2, 4096, 0, 98304 },	   { 8, VHD_DYNAMIC, 2, 4096, 4096, 98304 },
		{ 9, VHD_FIXED, 2, 16384, 4096, 98304 },   { 10, VHD_DYNAMIC, 3, 65536, 0, 98304 },
		{ 11, VHD_DYNAMIC, 4, 0, 4096, 98304 },	   { 12, VHD_FIXED, 2, 524288, 0, 98304 },
	};
	unsigned int cuts = 0;

	for (size_t i = 0; i < ARRAY_LEN(shapes) * rounds(); i++) {
		struct model_shape shape = shapes[i % ARRAY_LEN(shapes)];

		shape.seed += 1000 * (i / ARRAY_LEN(shapes));
		cuts += cut_session(&shape, 520);
	}
	cr_log_info("%u points", cuts);
	cr_assert_geq(cuts, 10000, "%u points", cuts);
}

/* --- calls that fail */

static void set_failures(struct model *m, const struct lab_file *failures)
{
	struct lab_file *lab = &m->labs[0];

	lab->fail_writes = failures->fail_writes;
	lab->fail_reads = failures->fail_reads;
	lab->fail_syncs = failures->fail_syncs;
	lab->fail_truncates = failures->fail_truncates;
	lab->fail_with = failures->fail_with;
	lab->short_transfers = failures->short_transfers;
	lab->most_bytes = failures->most_bytes;
	if (m->shape.layers > 1) {
		m->labs[1].fail_reads = failures->fail_reads;
		m->labs[1].fail_with = failures->fail_with;
	}
}

static void fail_session(uint64_t seed, struct lab_file failures, size_t cache_bytes,
			 unsigned int layers)
{
	const struct model_shape shape = { seed, VHD_DYNAMIC, layers, 16384, cache_bytes, 0 };
	struct model *m = model_new(&shape);
	struct vhd *vhd;

	for (unsigned int i = 0; i < 200; i++) {
		uint32_t what = model_random(m, 100);

		set_failures(m, &failures);
		if (what < 75)
			model_write(m);
		else if (what < 80)
			model_zero(m);
		else
			model_flush(m);
		model_stop_failing(m);
		model_check_all(m, m->vhd);
		if (i % 4 == 0)
			model_cut_power(&m->labs[0], m);
	}
	cr_assert_gt(m->labs[0].failures, 0);
	m->labs[0].most_bytes = 0;
	m->labs[0].fail_with = 0;
	/* The trouble is over: after what is still to tell, the flush can be done. */
	model_flush(m);
	cr_assert_eq(vhd_flush(m->vhd), 0, "%s", vhd_error(m->vhd));
	model_check_survivor(m, m->vhd);
	cr_assert_eq(vhd_finish(m->vhd), 0);
	model_check_closed(m);
	vhd = model_open(m, &m->labs[0], true);
	model_check_survivor(m, vhd);
	model_check_clear_sectors(m, vhd, &m->labs[0]);
	vhd_free(vhd);
	model_free(m);
}

/* Of a disk by itself and of a child. */
#define FAIL_SESSION(seed, cache_bytes, ...)                                                       \
	for (unsigned int layers = 1; layers <= 2; layers++)                                       \
	fail_session(seed, (struct lab_file){ __VA_ARGS__ }, cache_bytes, layers)

Test(vhd_data, a_full_host_leaves_a_valid_image, .timeout = 600)
{
	FAIL_SESSION(21, 0, .fail_writes = 5, .fail_with = ENOSPC);
	FAIL_SESSION(22, 0, .most_bytes = 600000, .fail_with = ENOSPC);
	FAIL_SESSION(23, 4096, .most_bytes = 300001, .fail_with = ENOSPC);
}

Test(vhd_data, failing_calls_leave_a_valid_image, .timeout = 600)
{
	FAIL_SESSION(31, 0, .fail_writes = 9, .fail_with = EIO);
	FAIL_SESSION(32, 4096, .fail_writes = 9, .fail_with = EIO);
	FAIL_SESSION(33, 0, .fail_syncs = 2, .fail_with = EIO);
	FAIL_SESSION(34, 4096, .fail_syncs = 2, .fail_with = EIO);
	FAIL_SESSION(35, 4096, .fail_reads = 5, .fail_with = EIO);
	FAIL_SESSION(36, 0, .fail_truncates = 1, .fail_writes = 4, .fail_syncs = 3,
		     .fail_with = EIO);
	FAIL_SESSION(37, 0, .short_transfers = 2, .fail_writes = 9, .fail_with = ENOSPC);
}

/* --- costs and edges */

static char error[VHD_ERROR_BYTES];

static struct vhd *open_lab(struct lab_file *lab, bool read_only)
{
	const struct vhd_file file = { .name = "test.vhd", .io = &lab->io };
	const struct vhd_open_options options = { .read_only = read_only };
	struct vhd *vhd;
	int r = vhd_open(&file, 1, &options, &vhd, error, sizeof(error));

	cr_assert_eq(r, 0, "%s", error);
	return vhd;
}

static int write_byte(struct vhd *vhd, uint64_t offset, uint8_t byte)
{
	const struct iovec iov = { &byte, 1 };

	return vhd_write(vhd, offset, &iov, 1);
}

static void create_disk(struct lab_file *lab, uint64_t bytes)
{
	const struct vhd_file file = { .name = "test.vhd", .io = &lab->io };
	const struct vhd_create_options options = { .type = VHD_DYNAMIC, .size_bytes = bytes };

	lab_init(lab, 1);
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
}

Test(vhd_data, a_new_block_costs_no_sync)
{
	struct lab_file lab;
	struct vhd *vhd;

	create_disk(&lab, GIB(1));
	vhd = open_lab(&lab, false);
	cr_assert_eq(lab.syncs, 0);
	cr_assert_eq(write_byte(vhd, 0, 1), 0);
	cr_assert_eq(lab.syncs, 2, "the footer has moved by 64 MiB");
	for (uint64_t block = 1; block < 30; block++)
		cr_assert_eq(write_byte(vhd, MIB(2) * block, 1), 0);
	cr_assert_eq(lab.syncs, 2);
	cr_assert_eq(vhd_flush(vhd), 0);
	cr_assert_eq(lab.syncs, 3);
	cr_assert_eq(vhd_flush(vhd), 0);
	cr_assert_eq(lab.syncs, 3, "nothing to do");
	vhd_free(vhd);
	lab_fini(&lab);
}

Test(vhd_data, zeros_take_no_space)
{
	static uint8_t zeros[MIB(4)];
	const struct iovec iov = { zeros, sizeof(zeros) };
	struct lab_file lab;
	struct vhd *vhd;
	size_t size;

	create_disk(&lab, GIB(1));
	size = lab.now.size;
	vhd = open_lab(&lab, false);
	cr_assert_eq(vhd_write(vhd, 12345, &iov, 1), 0);
	cr_assert_eq(vhd_write_zeroes(vhd, 0, GIB(1)), 0);
	cr_assert_eq(vhd_discard(vhd, 0, GIB(1)), 0);
	cr_assert_eq(vhd_close(vhd), 0);
	cr_assert_eq(lab.now.size, size);
	lab_fini(&lab);
}

/* A guest that discards and writes for ever must not fill the host. */
Test(vhd_data, discarding_and_writing_again_does_not_grow_the_file)
{
	struct lab_file lab;
	struct vhd *vhd;
	size_t size = 0;

	create_disk(&lab, MIB(64));
	vhd = open_lab(&lab, false);
	for (unsigned int i = 0; i < 50; i++) {
		cr_assert_eq(write_byte(vhd, MIB(10), 1), 0);
		if (i == 0)
			size = lab.now.size;
		cr_assert_eq(vhd_discard(vhd, 0, MIB(64)), 0);
		cr_assert_eq(vhd_flush(vhd), 0);
	}
	cr_assert_eq(lab.now.size, size);
	vhd_free(vhd);
	lab_fini(&lab);
}

/* Some writers leave rubbish in sectors whose bit is clear: they are zeros all the same. */
Test(vhd_data, a_clear_bit_means_zeros)
{
	uint8_t data[1024];
	const struct iovec iov = { data, sizeof(data) };
	struct lab_file lab;
	struct vhd *vhd;
	uint64_t place;

	create_disk(&lab, MIB(64));
	vhd = open_lab(&lab, false);
	cr_assert_eq(write_byte(vhd, 0, 1), 0);
	cr_assert_eq(vhd_flush(vhd), 0);
	cr_assert_eq(vhd_bat_get(vhd, 0, &place), 0);
	memset(lab.now.data + place + 512 + 512, 0xee, 1024);
	cr_assert_eq(vhd_read(vhd, 512, &iov, 1), 0);
	cr_assert(!data[0] && !memcmp(data, data + 1, 1023));
	cr_assert_eq(write_byte(vhd, 600, 7), 0);
	cr_assert_eq(vhd_read(vhd, 512, &iov, 1), 0);
	cr_assert_eq(data[88], 7);
	data[88] = 0;
	cr_assert(!data[0] && !memcmp(data, data + 1, 1023));
	vhd_free(vhd);
	lab_fini(&lab);
}

Test(vhd_data, ranges_and_modes_are_checked)
{
	uint8_t data[512];
	const struct iovec iov = { data, sizeof(data) };
	const struct iovec huge[2] = { { data, SIZE_MAX }, { data, SIZE_MAX } };
	struct lab_file lab;
	struct vhd *vhd;

	create_disk(&lab, MIB(64));
	vhd = open_lab(&lab, true);
	cr_assert_eq(vhd_read(vhd, MIB(64) - 511, &iov, 1), -EINVAL);
	cr_assert_eq(vhd_read(vhd, UINT64_MAX - 10, &iov, 1), -EINVAL);
	cr_assert_eq(vhd_read(vhd, 0, huge, 2), -EINVAL);
	cr_assert_eq(vhd_read(vhd, MIB(64) - 512, &iov, 1), 0);
	cr_assert_eq(vhd_read(vhd, MIB(64), &iov, 0), 0);
	cr_assert_eq(vhd_write(vhd, 0, &iov, 1), -EROFS);
	cr_assert_eq(vhd_write_zeroes(vhd, 0, 512), -EROFS);
	cr_assert_eq(vhd_discard(vhd, 0, 512), -EROFS);
	cr_assert_eq(vhd_flush(vhd), 0);
	cr_assert_eq(lab.syncs, 0);
	vhd_free(vhd);
	lab_fini(&lab);
}
