// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhd/: data, against a flat array; with the power cut after every single write; with calls that
 * fail.
 *
 * What a sector may hold after a crash is known exactly: what it held at the last flush that
 * returned 0, or what any write since has put there. The tests keep a hash of each of those for
 * every sector.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../vhd/image.h"
#include "../lib/vhd_lab.h"

#define DISK_BYTES (MIB(1) + 4608) /* the last block is not whole */
#define SECTORS (DISK_BYTES / 512)
#define RECENT_MAX 64

static char error[VHD_ERROR_BYTES];

struct model {
	struct lab_file lab, survivor;
	struct vhd *vhd;
	uint64_t seed;
	uint8_t *flat;		   /* what the disk should hold */
	uint64_t flushed[SECTORS]; /* hash at the last flush */
	uint64_t recent[SECTORS][RECENT_MAX];
	uint8_t recent_count[SECTORS];
	uint8_t doubtful[SECTORS]; /* written before a sync that failed, and not since */
	unsigned int cuts, failed_syncs;
	size_t cache_bytes;
};

static uint32_t random_below(struct model *m, uint32_t n)
{
	return lab_random(&m->seed) % n;
}

static uint64_t hash(const uint8_t *sector)
{
	uint64_t h = 1, word;

	for (unsigned int i = 0; i < 512; i += 8) {
		memcpy(&word, sector + i, 8);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static struct vhd *open_lab(struct lab_file *lab, const struct model *m, bool read_only)
{
	const struct vhd_file file = { .name = "test.vhd", .io = &lab->io };
	const struct vhd_open_options options = {
		.cache_bytes = m->cache_bytes,
		.read_only = read_only,
	};
	struct vhd *vhd;
	int r = vhd_open(&file, 1, &options, &vhd, error, sizeof(error));

	cr_assert_eq(r, 0, "%s", error);
	return vhd;
}

/* The footer moves often, and the cache is full at once. */
static void open_model(struct model *m)
{
	m->vhd = open_lab(&m->lab, m, false);
	m->vhd->grow_bytes = random_below(m, 3) * 40000;
}

static struct model *model_new(uint64_t seed, enum vhd_type type, uint32_t block_bytes,
			       size_t cache_bytes)
{
	struct model *m = calloc(1, sizeof(*m));
	const struct vhd_file file = { .name = "test.vhd", .io = &m->lab.io };
	const struct vhd_create_options options = {
		.type = type,
		.size_bytes = DISK_BYTES,
		.block_bytes = block_bytes,
	};

	m->seed = seed;
	m->cache_bytes = cache_bytes;
	m->flat = calloc(1, DISK_BYTES);
	for (unsigned int i = 0; i < SECTORS; i++)
		m->flushed[i] = hash(m->flat);
	lab_init(&m->lab, seed);
	lab_init(&m->survivor, seed);
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
	lab_settle(&m->lab);
	open_model(m);
	return m;
}

static void model_free(struct model *m)
{
	vhd_free(m->vhd);
	lab_fini(&m->lab);
	lab_fini(&m->survivor);
	free(m->flat);
	free(m);
}

static void note_recent(struct model *m, uint64_t offset, uint64_t bytes)
{
	for (uint64_t s = offset / 512; s < (offset + bytes + 511) / 512; s++) {
		if (m->recent_count[s] < RECENT_MAX)
			m->recent[s][m->recent_count[s]++] = hash(m->flat + s * 512);
		m->doubtful[s] = 0;
	}
}

/* What was written before a sync that failed may be lost; only writing it again helps. */
static void sync_failed(struct model *m)
{
	for (unsigned int s = 0; s < SECTORS; s++)
		m->doubtful[s] = m->recent_count[s] > 0;
	m->failed_syncs = m->lab.failed_syncs;
}

static void model_flush(struct model *m)
{
	unsigned int syncs = m->lab.syncs;

	int r = vhd_flush(m->vhd);

	if (m->lab.failed_syncs != m->failed_syncs) {
		cr_assert_lt(r, 0, "a sync that failed is told at the next flush");
		sync_failed(m);
	}
	if (r < 0)
		return;
	cr_assert_leq(m->lab.syncs - syncs, 1);
	for (unsigned int s = 0; s < SECTORS; s++) {
		if (!m->recent_count[s] || m->doubtful[s])
			continue;
		m->flushed[s] = hash(m->flat + s * 512);
		m->recent_count[s] = 0;
	}
}

/* A range: mostly small, of any alignment, now and then over several blocks. */
static void random_range(struct model *m, uint64_t *ret_offset, uint32_t *ret_bytes)
{
	uint32_t most = random_below(m, 8) ? 6000 : 100000;

	*ret_offset = random_below(m, DISK_BYTES);
	*ret_bytes = (uint32_t)min_u64(1 + random_below(m, most), DISK_BYTES - *ret_offset);
	if (random_below(m, 2)) {
		*ret_offset &= ~UINT64_C(511);
		*ret_bytes = (uint32_t)min_u64(round_up(*ret_bytes, 512), DISK_BYTES - *ret_offset);
	}
}

/* Cuts @bytes at @data in up to 100 pieces, empty ones among them. */
static unsigned int split(struct model *m, uint8_t *data, uint32_t bytes, struct iovec *iov)
{
	unsigned int count = 0, most = random_below(m, 2) ? 3 : 100;

	while (bytes && count < most - 1) {
		uint32_t n = random_below(m, 5) ? random_below(m, bytes + 1) / 4 : 0;

		iov[count++] = (struct iovec){ data, n };
		data += n;
		bytes -= n;
	}
	iov[count++] = (struct iovec){ data, bytes };
	return count;
}

static void stop_failing(struct model *m)
{
	m->lab.fail_writes = m->lab.fail_reads = 0;
	m->lab.fail_syncs = m->lab.fail_truncates = 0;
}

/* After a failed write each sector is as it was or as it should be. */
static void see_what_is_left(struct model *m, uint64_t offset, uint64_t bytes,
			     const uint8_t *before)
{
	uint64_t first = round_down(offset, 512);
	uint64_t end = min_u64(round_up(offset + bytes, 512), DISK_BYTES);

	stop_failing(m);
	for (; first < end; first += 512) {
		uint8_t data[512];
		const struct iovec iov = { data, 512 };

		cr_assert_eq(vhd_read(m->vhd, first, &iov, 1), 0, "%s", vhd_error(m->vhd));
		cr_assert(!memcmp(data, before + first, 512) || !memcmp(data, m->flat + first, 512),
			  "a mixture at %llu", (unsigned long long)first);
		memcpy(m->flat + first, data, 512);
	}
}

static void do_write(struct model *m)
{
	static uint8_t before[DISK_BYTES];
	struct iovec iov[100];
	uint64_t offset;
	uint32_t bytes;
	int r;

	random_range(m, &offset, &bytes);
	memcpy(before, m->flat, DISK_BYTES);
	for (uint32_t i = 0, fill = random_below(m, 6); i < bytes; i++)
		m->flat[offset + i] = fill ? (uint8_t)lab_random(&m->seed) : 0;
	note_recent(m, offset, bytes);
	r = vhd_write(m->vhd, offset, iov, split(m, m->flat + offset, bytes, iov));
	if (r == 0)
		return;
	cr_assert(m->lab.fail_with || m->lab.most_bytes, "%s", vhd_error(m->vhd));
	cr_assert_neq(vhd_error(m->vhd)[0], '\0');
	see_what_is_left(m, offset, bytes, before);
}

static void do_zero(struct model *m)
{
	uint64_t offset;
	uint32_t bytes;
	int r;

	random_range(m, &offset, &bytes);
	if (random_below(m, 2)) {
		memset(m->flat + offset, 0, bytes);
		note_recent(m, offset, bytes);
		r = vhd_write_zeroes(m->vhd, offset, bytes);
		cr_assert(r == 0 || m->lab.fail_with);
		return;
	}
	offset &= ~UINT64_C(511);
	bytes &= ~UINT32_C(511);
	memset(m->flat + offset, 0, bytes);
	note_recent(m, offset, bytes);
	r = vhd_discard(m->vhd, offset, bytes);
	if (r == -EOPNOTSUPP)
		vhd_write_zeroes(m->vhd, offset, bytes);
}

static void check_read(struct model *m)
{
	static uint8_t data[DISK_BYTES];
	struct iovec iov[100];
	uint64_t offset;
	uint32_t bytes;

	random_range(m, &offset, &bytes);
	memset(data, 0x5a, bytes);
	cr_assert_eq(vhd_read(m->vhd, offset, iov, split(m, data, bytes, iov)), 0, "%s",
		     vhd_error(m->vhd));
	cr_assert_eq(memcmp(data, m->flat + offset, bytes), 0, "%u bytes at %llu", bytes,
		     (unsigned long long)offset);
}

static void check_all(struct model *m, struct vhd *vhd)
{
	static uint8_t data[DISK_BYTES];
	const struct iovec iov = { data, DISK_BYTES };

	cr_assert_eq(vhd_read(vhd, 0, &iov, 1), 0, "%s", vhd_error(vhd));
	cr_assert_eq(memcmp(data, m->flat, DISK_BYTES), 0);
}

/* In a closed image: footers alike, file as long as its blocks need, data where others want it. */
static void check_closed(struct model *m)
{
	struct lab_bytes *b = &m->lab.now;
	struct vhd *vhd;

	cr_assert_eq(memcmp(b->data, b->data + b->size - 512, 512), 0);
	vhd = open_lab(&m->lab, m, true);
	cr_assert_eq(vhd_tail_scan(vhd), 0);
	cr_assert_eq(vhd->bad_block, VHD_BLOCK_ABSENT);
	cr_assert_eq(vhd->alloc_end, b->size - 512);
	for (uint32_t block = 0; block < vhd->block_count; block++) {
		uint64_t place;

		cr_assert_eq(vhd_bat_get(vhd, block, &place), 0);
		cr_assert_eq(place ? (place + vhd->bitmap_bytes) % 4096 : 0, 0);
	}
	vhd_free(vhd);
}

static bool is_recent(const struct model *m, unsigned int sector, const uint8_t *data)
{
	uint64_t h = hash(data);

	for (unsigned int i = 0; i < m->recent_count[sector]; i++) {
		if (h == m->recent[sector][i])
			return true;
	}
	return m->recent_count[sector] == RECENT_MAX;
}

/*
 * A sector whose bit is clear is zeros in the file, since other programs do not look at bitmaps.
 * After a crash it may hold what was not flushed.
 */
static void check_clear_sectors(const struct model *m, struct vhd *vhd, const struct lab_file *lab)
{
	uint32_t sectors = vhd->header.block_bytes / 512;

	for (uint32_t i = 0; i < SECTORS; i++) {
		uint32_t block = i / sectors, s = i % sectors, run;
		const uint8_t *data;
		uint64_t place;
		bool set;

		cr_assert_eq(vhd_bat_get(vhd, block, &place), 0);
		if (!place)
			continue;
		cr_assert_eq(vhd_bitmap_run(vhd, block, place, s, 1, &run, &set), 0);
		data = lab->now.data + place + vhd->bitmap_bytes + s * 512;
		cr_assert(set || (!data[0] && !memcmp(data, data + 1, 511)) ||
				  (lab != &m->lab && is_recent(m, i, data)),
			  "sector %u is clear, but not zeros", i);
	}
}

static void reopen(struct model *m)
{
	cr_assert_eq(vhd_close(m->vhd), 0);
	m->vhd = NULL;
	if (m->lab.now.size > DISK_BYTES + 512 || memcmp(m->lab.now.data, "conectix", 8) == 0)
		check_closed(m);
	open_model(m);
}

static void run_model(struct model *m, unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++) {
		uint32_t what = random_below(m, 100);

		if (what < 45)
			do_write(m);
		else if (what < 90)
			check_read(m);
		else if (what < 94)
			do_zero(m);
		else if (what < 98)
			model_flush(m);
		else if (what < 99 && m->vhd->footer.type == VHD_DYNAMIC)
			reopen(m);
	}
	check_all(m, m->vhd);
}

Test(vhd_data, random_operations_match_a_flat_array, .timeout = 60)
{
	static const struct {
		enum vhd_type type;
		uint32_t block_bytes;
		size_t cache_bytes;
	} rows[] = {
		{ VHD_DYNAMIC, 4096, 0 },      { VHD_DYNAMIC, 4096, 4096 },
		{ VHD_DYNAMIC, 16384, 4096 },  { VHD_DYNAMIC, 65536, 0 },
		{ VHD_DYNAMIC, 524288, 4096 }, { VHD_DYNAMIC, 2u << 20, 0 },
		{ VHD_DYNAMIC, 4u << 20, 0 },  { VHD_FIXED, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct model *m =
			model_new(100 + i, rows[i].type, rows[i].block_bytes, rows[i].cache_bytes);

		m->lab.no_holes = i % 2;
		m->lab.short_transfers = i % 3 ? 0 : 7;
		run_model(m, 1500);
		if (rows[i].type == VHD_DYNAMIC) {
			model_flush(m);
			check_clear_sectors(m, m->vhd, &m->lab);
		}
		model_free(m);
	}
}

/* --- the power goes */

static void check_survivor(const struct model *m, struct vhd *vhd)
{
	static uint8_t data[DISK_BYTES];
	const struct iovec iov = { data, DISK_BYTES };

	cr_assert_eq(vhd_read(vhd, 0, &iov, 1), 0, "%s", vhd_error(vhd));
	for (unsigned int s = 0; s < SECTORS; s++) {
		if (!memcmp(data + s * 512, m->flat + s * 512, 512))
			continue;
		cr_assert(hash(data + s * 512) == m->flushed[s] || is_recent(m, s, data + s * 512),
			  "cut %u: sector %u holds neither what was flushed nor what was written "
			  "since",
			  m->cuts, s);
	}
}

/* The survivor opens both ways, and goes on living. */
static void cut_power(struct lab_file *lab, void *opaque)
{
	struct model *m = opaque;
	struct lab_file *survivor = &m->survivor;
	struct vhd_info info;
	struct vhd *vhd;

	m->cuts++;
	lab_crash(lab, survivor);
	vhd = open_lab(survivor, m, true);
	vhd_get_info(vhd, &info);
	cr_assert_eq(info.tail, VHD_FOOTER_GOOD, "cut %u: no footer at the end", m->cuts);
	check_survivor(m, vhd);
	vhd_free(vhd);
	if (m->cuts % 4 == 0) {
		static const struct iovec iov = { "afterlife", 9 };
		char found[10] = "";
		const struct iovec back = { found, 9 };
		uint64_t at = (uint64_t)(m->cuts * 7919 % SECTORS) * 512 + 100;

		vhd = open_lab(survivor, m, false);
		check_survivor(m, vhd);
		check_clear_sectors(m, vhd, survivor);
		cr_assert_eq(vhd_write(vhd, at, &iov, 1), 0, "%s", vhd_error(vhd));
		cr_assert_eq(vhd_close(vhd), 0, "%s", error);
		vhd = open_lab(survivor, m, true);
		cr_assert_eq(vhd_read(vhd, at, &back, 1), 0);
		cr_assert_str_eq(found, "afterlife");
		cr_assert_eq(vhd_tail_scan(vhd), 0);
		cr_assert_eq(vhd->alloc_end, survivor->now.size - 512);
		vhd_free(vhd);
	}
}

static unsigned int cut_session(uint64_t seed, uint32_t block_bytes, size_t cache_bytes,
				unsigned int steps)
{
	struct model *m = model_new(seed, VHD_DYNAMIC, block_bytes, cache_bytes);
	unsigned int cuts;

	m->lab.after = cut_power;
	m->lab.opaque = m;
	for (unsigned int i = 0; i < steps; i++) {
		uint32_t what = random_below(m, 100);

		if (what < 75)
			do_write(m);
		else if (what < 80)
			do_zero(m);
		else if (what < 97)
			model_flush(m);
		else
			reopen(m);
	}
	check_all(m, m->vhd);
	cuts = m->cuts;
	model_free(m);
	return cuts;
}

Test(vhd_data, nothing_flushed_is_lost_when_the_power_goes, .timeout = 60)
{
	unsigned int cuts = 0;

	cuts += cut_session(1, 4096, 0, 120);
	cuts += cut_session(2, 4096, 4096, 120);
	cuts += cut_session(3, 16384, 4096, 150);
	cuts += cut_session(4, 65536, 0, 200);
	cuts += cut_session(5, 65536, 4096, 200);
	cuts += cut_session(6, 524288, 0, 150);
	cr_assert_geq(cuts, 2000, "%u points", cuts);
}

/* --- calls that fail */

static void fail_session(uint64_t seed, struct lab_file failures, size_t cache_bytes)
{
	struct model *m = model_new(seed, VHD_DYNAMIC, 16384, cache_bytes);
	struct vhd *vhd;

	for (unsigned int i = 0; i < 300; i++) {
		uint32_t what = random_below(m, 100);

		m->lab.fail_writes = failures.fail_writes;
		m->lab.fail_reads = failures.fail_reads;
		m->lab.fail_syncs = failures.fail_syncs;
		m->lab.fail_truncates = failures.fail_truncates;
		m->lab.fail_with = failures.fail_with;
		m->lab.short_transfers = failures.short_transfers;
		m->lab.most_bytes = failures.most_bytes;
		if (what < 80)
			do_write(m);
		else
			model_flush(m);
		stop_failing(m);
		check_all(m, m->vhd);
		if (i % 4 == 0)
			cut_power(&m->lab, m);
	}
	cr_assert_gt(m->lab.failures, 0);
	m->lab.most_bytes = 0;
	m->lab.fail_with = 0;
	/* The trouble is over: after what is still to tell, the flush can be done. */
	model_flush(m);
	cr_assert_eq(vhd_flush(m->vhd), 0, "%s", vhd_error(m->vhd));
	check_survivor(m, m->vhd);
	cr_assert_eq(vhd_close(m->vhd), 0);
	m->vhd = NULL;
	check_closed(m);
	vhd = open_lab(&m->lab, m, true);
	check_survivor(m, vhd);
	check_clear_sectors(m, vhd, &m->lab);
	vhd_free(vhd);
	model_free(m);
}

Test(vhd_data, a_full_host_leaves_a_valid_image, .timeout = 60)
{
	fail_session(21, (struct lab_file){ .fail_writes = 5, .fail_with = ENOSPC }, 0);
	fail_session(22, (struct lab_file){ .most_bytes = 600000, .fail_with = ENOSPC }, 0);
	fail_session(23, (struct lab_file){ .most_bytes = 300001, .fail_with = ENOSPC }, 4096);
}

Test(vhd_data, failing_calls_leave_a_valid_image, .timeout = 60)
{
	fail_session(31, (struct lab_file){ .fail_writes = 9, .fail_with = EIO }, 0);
	fail_session(32, (struct lab_file){ .fail_writes = 9, .fail_with = EIO }, 4096);
	fail_session(33, (struct lab_file){ .fail_syncs = 2, .fail_with = EIO }, 0);
	fail_session(34, (struct lab_file){ .fail_syncs = 2, .fail_with = EIO }, 4096);
	fail_session(35, (struct lab_file){ .fail_reads = 5, .fail_with = EIO }, 4096);
	fail_session(
		36,
		(struct lab_file){
			.fail_truncates = 1, .fail_writes = 4, .fail_syncs = 3, .fail_with = EIO },
		0);
	fail_session(
		37,
		(struct lab_file){ .short_transfers = 2, .fail_writes = 9, .fail_with = ENOSPC },
		0);
}

/* --- costs and edges */

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
	struct model m = { 0 };
	struct lab_file lab;
	struct vhd *vhd;

	create_disk(&lab, GIB(1));
	vhd = open_lab(&lab, &m, false);
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
	struct model m = { 0 };
	struct lab_file lab;
	struct vhd *vhd;
	size_t size;

	create_disk(&lab, GIB(1));
	size = lab.now.size;
	vhd = open_lab(&lab, &m, false);
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
	struct model m = { 0 };
	struct lab_file lab;
	struct vhd *vhd;
	size_t size = 0;

	create_disk(&lab, MIB(64));
	vhd = open_lab(&lab, &m, false);
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
	struct model m = { 0 };
	struct lab_file lab;
	struct vhd *vhd;
	uint64_t place;

	create_disk(&lab, MIB(64));
	vhd = open_lab(&lab, &m, false);
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
	struct model m = { 0 };
	struct lab_file lab;
	struct vhd *vhd;

	create_disk(&lab, MIB(64));
	vhd = open_lab(&lab, &m, true);
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
