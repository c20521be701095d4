// SPDX-License-Identifier: GPL-2.0-or-later
#include "vhd_model.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../vhd/image.h"

static char error[VHD_ERROR_BYTES];

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

/* --- making */

unsigned int model_files(struct model *m, struct lab_file *top,
			 struct vhd_file ret_files[MODEL_LAYERS_MAX])
{
	static const char *const names[MODEL_LAYERS_MAX] = { "0.vhd", "1.vhd", "2.vhd", "3.vhd",
							     "4.vhd", "5.vhd", "6.vhd", "7.vhd" };

	for (unsigned int i = 0; i < m->shape.layers; i++)
		ret_files[i] = (struct vhd_file){
			.name = names[i],
			.io = i ? &m->labs[i].io : &top->io,
			.raw = m->shape.type == VHD_RAW && i == m->shape.layers - 1,
		};
	return m->shape.layers;
}

static struct vhd *open_from(struct model *m, const struct vhd_file *files, unsigned int count,
			     bool read_only)
{
	const struct vhd_open_options options = {
		.cache_bytes = m->shape.cache_bytes,
		.read_only = read_only,
	};
	struct vhd *vhd;
	int r = vhd_open(files, count, &options, &vhd, error, sizeof(error));

	cr_assert_eq(r, 0, "%s", error);
	return vhd;
}

struct vhd *model_open(struct model *m, struct lab_file *top, bool read_only)
{
	struct vhd_file files[MODEL_LAYERS_MAX];

	return open_from(m, files, model_files(m, top, files), read_only);
}

/* The footer moves often. */
static void open_model(struct model *m)
{
	m->vhd = model_open(m, &m->labs[0], false);
	m->vhd->grow_bytes = model_random(m, 3) * 40000;
}

static void create_layer(struct model *m, const struct vhd_file *files, unsigned int layer)
{
	bool last = layer == m->shape.layers - 1;
	struct vhd_parent parent = { .relative = "parent.vhd", .absolute = "/disks/parent.vhd" };
	struct vhd_create_options options = {
		.type = last ? m->shape.type : VHD_DIFFERENCING,
		.size_bytes = MODEL_DISK_BYTES,
		.block_bytes = m->shape.block_bytes,
		.parent = last ? NULL : &parent,
	};
	struct vhd_info info;

	if (options.type == VHD_RAW) {
		cr_assert_eq(m->labs[layer].io.ops->truncate(&m->labs[layer].io, MODEL_DISK_BYTES),
			     0);
		return;
	}
	if (options.type == VHD_FIXED)
		options.block_bytes = 0;
	else if (!options.block_bytes)
		options.block_bytes = 4096u << layer % 5;
	if (!last) {
		cr_assert_eq(vhd_probe(&files[layer + 1], &info, error, sizeof(error)), 0);
		memcpy(parent.id, info.id, 16);
	}
	cr_assert_eq(vhd_create(&files[layer], &options, error, sizeof(error)), 0, "%s", error);
}

/* Some of the window, in ranges of all sizes: holes, runs, single sectors. */
static void fill_layer(struct model *m, const struct vhd_file *files, unsigned int layer)
{
	struct vhd *vhd = open_from(m, files + layer, m->shape.layers - layer, false);

	for (unsigned int i = 0; i < 12; i++) {
		uint64_t offset = model_random(m, (uint32_t)m->window);
		uint64_t bytes = min_u64(1 + model_random(m, 1u << (6 + model_random(m, 10))),
					 m->window - offset);
		const struct iovec iov = { m->flat + offset, bytes };

		for (uint64_t k = 0; k < bytes; k++)
			m->flat[offset + k] = (uint8_t)lab_random(&m->seed);
		cr_assert_eq(vhd_write(vhd, m->base + offset, &iov, 1), 0, "%s", vhd_error(vhd));
	}
	cr_assert_eq(vhd_close(vhd), 0);
	lab_settle(&m->labs[layer]);
}

struct model *model_new(const struct model_shape *shape)
{
	struct model *m = calloc(1, sizeof(*m));
	struct vhd_file files[MODEL_LAYERS_MAX];

	m->shape = *shape;
	m->seed = shape->seed;
	m->window = shape->window ? shape->window : MODEL_DISK_BYTES;
	m->base = MODEL_DISK_BYTES - m->window;
	m->sectors = (unsigned int)(m->window / 512);
	m->flat = calloc(1, m->window);
	m->scratch = calloc(1, m->window);
	m->before = calloc(1, m->window);
	m->flushed = calloc(m->sectors, sizeof(*m->flushed));
	m->recent = calloc(m->sectors, sizeof(*m->recent));
	m->recent_count = calloc(m->sectors, 1);
	m->doubtful = calloc(m->sectors, 1);
	for (unsigned int i = 0; i < shape->layers; i++)
		lab_init(&m->labs[i], shape->seed + i);
	lab_init(&m->survivor, shape->seed);
	model_files(m, &m->labs[0], files);
	for (unsigned int i = shape->layers; i--;) {
		create_layer(m, files, i);
		if (i)
			fill_layer(m, files, i);
	}
	for (unsigned int i = 0; i < m->sectors; i++)
		m->flushed[i] = hash(m->flat + (size_t)i * 512);
	lab_settle(&m->labs[0]);
	open_model(m);
	return m;
}

void model_free(struct model *m)
{
	vhd_free(m->vhd);
	for (unsigned int i = 0; i < m->shape.layers; i++)
		lab_fini(&m->labs[i]);
	lab_fini(&m->survivor);
	free(m->flat);
	free(m->scratch);
	free(m->before);
	free(m->flushed);
	free(m->recent);
	free(m->recent_count);
	free(m->doubtful);
	free(m);
}

/* --- what may be there */

static void note_recent(struct model *m, uint64_t offset, uint64_t bytes)
{
	for (uint64_t s = offset / 512; s < (offset + bytes + 511) / 512; s++) {
		if (m->recent_count[s] < MODEL_RECENT_MAX)
			m->recent[s][m->recent_count[s]++] = hash(m->flat + s * 512);
		m->doubtful[s] = 0;
	}
}

static bool is_recent(const struct model *m, unsigned int sector, const uint8_t *data)
{
	uint64_t h = hash(data);

	for (unsigned int i = 0; i < m->recent_count[sector]; i++) {
		if (h == m->recent[sector][i])
			return true;
	}
	return m->recent_count[sector] == MODEL_RECENT_MAX;
}

/* What was written before a sync that failed may be lost; only writing it again helps. */
static void sync_failed(struct model *m)
{
	for (unsigned int s = 0; s < m->sectors; s++)
		m->doubtful[s] = m->recent_count[s] > 0;
	m->failed_syncs = m->labs[0].failed_syncs;
}

void model_flush(struct model *m)
{
	unsigned int syncs = m->labs[0].syncs;
	int r = vhd_flush(m->vhd);

	if (m->labs[0].failed_syncs != m->failed_syncs) {
		cr_assert_lt(r, 0, "a sync that failed is told at the next flush");
		sync_failed(m);
	}
	if (r < 0)
		return;
	cr_assert_leq(m->labs[0].syncs - syncs, m->shape.layers > 1 ? 2 : 1);
	for (unsigned int s = 0; s < m->sectors; s++) {
		if (!m->recent_count[s] || m->doubtful[s])
			continue;
		m->flushed[s] = hash(m->flat + (size_t)s * 512);
		m->recent_count[s] = 0;
	}
}

/* --- steps */

/* A range: mostly small, of any alignment, now and then over several blocks. */
static void random_range(struct model *m, uint64_t *ret_offset, uint32_t *ret_bytes)
{
	uint32_t most = model_random(m, 8) ? 6000 : 100000;

	*ret_offset = model_random(m, (uint32_t)m->window);
	*ret_bytes = (uint32_t)min_u64(1 + model_random(m, most), m->window - *ret_offset);
	if (model_random(m, 2)) {
		*ret_offset &= ~UINT64_C(511);
		*ret_bytes = (uint32_t)min_u64(round_up(*ret_bytes, 512), m->window - *ret_offset);
	}
}

/* Cuts @bytes at @data in up to 100 pieces, empty ones among them. */
static unsigned int split(struct model *m, uint8_t *data, uint32_t bytes, struct iovec *iov)
{
	unsigned int count = 0, most = model_random(m, 2) ? 3 : 100;

	while (bytes && count < most - 1) {
		uint32_t n = model_random(m, 5) ? model_random(m, bytes + 1) / 4 : 0;

		iov[count++] = (struct iovec){ data, n };
		data += n;
		bytes -= n;
	}
	iov[count++] = (struct iovec){ data, bytes };
	return count;
}

void model_stop_failing(struct model *m)
{
	for (unsigned int i = 0; i < m->shape.layers; i++) {
		struct lab_file *lab = &m->labs[i];

		lab->fail_writes = lab->fail_reads = lab->fail_syncs = lab->fail_truncates = 0;
	}
}

/* After a failed write each sector is as it was or as it should be. */
static void see_what_is_left(struct model *m, uint64_t offset, uint64_t bytes)
{
	uint64_t first = round_down(offset, 512);
	uint64_t end = min_u64(round_up(offset + bytes, 512), m->window);

	model_stop_failing(m);
	for (; first < end; first += 512) {
		uint8_t data[512];
		const struct iovec iov = { data, 512 };

		cr_assert_eq(vhd_read(m->vhd, m->base + first, &iov, 1), 0, "%s",
			     vhd_error(m->vhd));
		cr_assert(!memcmp(data, m->before + first, 512) ||
				  !memcmp(data, m->flat + first, 512),
			  "a mixture at %llu", (unsigned long long)first);
		memcpy(m->flat + first, data, 512);
	}
}

static void fill(struct model *m, uint64_t offset, uint32_t bytes)
{
	for (uint32_t i = 0, zero = !model_random(m, 6); i < bytes; i++)
		m->flat[offset + i] = zero ? 0 : (uint8_t)lab_random(&m->seed);
	note_recent(m, offset, bytes);
}

static bool may_fail(const struct model *m)
{
	return m->labs[0].fail_with || m->labs[0].most_bytes;
}

void model_write(struct model *m)
{
	struct iovec iov[100];
	uint64_t offset;
	uint32_t bytes;
	int r;

	random_range(m, &offset, &bytes);
	memcpy(m->before, m->flat, m->window);
	fill(m, offset, bytes);
	r = vhd_write(m->vhd, m->base + offset, iov, split(m, m->flat + offset, bytes, iov));
	if (r == 0)
		return;
	cr_assert(may_fail(m), "%s", vhd_error(m->vhd));
	cr_assert_neq(vhd_error(m->vhd)[0], '\0');
	see_what_is_left(m, offset, bytes);
}

/* What this file holds of a range becomes zeros, and nothing else changes. */
static void discard(struct model *m, uint64_t offset, uint64_t bytes)
{
	int r;

	for (uint64_t at = offset; at < offset + bytes; at += 512) {
		struct vhd_extent extent;

		cr_assert_eq(vhd_map(m->vhd, 0, m->base + at, 512, &extent), 0);
		if (!extent.zero && extent.layer == 0)
			memset(m->flat + at, 0, 512);
	}
	note_recent(m, offset, bytes);
	r = vhd_discard(m->vhd, m->base + offset, bytes);
	if (r < 0 && r != -EOPNOTSUPP)
		cr_assert(may_fail(m), "%s", vhd_error(m->vhd));
	if (r < 0) {
		memcpy(m->flat, m->before, m->window);
		note_recent(m, offset, bytes);
	}
}

void model_zero(struct model *m)
{
	uint64_t offset;
	uint32_t bytes;
	int r;

	random_range(m, &offset, &bytes);
	memcpy(m->before, m->flat, m->window);
	if (!model_random(m, 3)) {
		offset &= ~UINT64_C(511);
		bytes &= ~UINT32_C(511);
		discard(m, offset, bytes);
		return;
	}
	memset(m->flat + offset, 0, bytes);
	note_recent(m, offset, bytes);
	r = vhd_write_zeroes(m->vhd, m->base + offset, bytes);
	if (r == 0)
		return;
	cr_assert(may_fail(m), "%s", vhd_error(m->vhd));
	see_what_is_left(m, offset, bytes);
}

/* Requests that continue each other, and others. */
void model_batch(struct model *m)
{
	struct vhd_request requests[16];
	struct iovec iov[16];
	unsigned int count = 1 + model_random(m, 16);
	uint64_t at = model_random(m, (uint32_t)m->window);

	for (unsigned int i = 0; i < count; i++) {
		uint32_t bytes = (uint32_t)min_u64(1 + model_random(m, 3000), m->window - at);

		if (!bytes || !model_random(m, 4)) {
			at = model_random(m, (uint32_t)m->window);
			bytes = 1;
		}
		fill(m, at, bytes);
		iov[i] = (struct iovec){ malloc(bytes), bytes };
		memcpy(iov[i].iov_base, m->flat + at, bytes);
		requests[i] = (struct vhd_request){
			.op = VHD_OP_WRITE, .offset = m->base + at, .iov = &iov[i], .iov_count = 1
		};
		at += bytes;
	}
	cr_assert_eq(vhd_batch(m->vhd, requests, count), 0, "%s", vhd_error(m->vhd));
	for (unsigned int i = 0; i < count; i++) {
		cr_assert_eq(requests[i].result, 0);
		free(iov[i].iov_base);
	}
}

void model_read(struct model *m)
{
	struct iovec iov[100];
	uint64_t offset;
	uint32_t bytes;

	random_range(m, &offset, &bytes);
	memset(m->scratch, 0x5a, bytes);
	cr_assert_eq(vhd_read(m->vhd, m->base + offset, iov, split(m, m->scratch, bytes, iov)), 0,
		     "%s", vhd_error(m->vhd));
	cr_assert_eq(memcmp(m->scratch, m->flat + offset, bytes), 0, "%u bytes at %llu", bytes,
		     (unsigned long long)offset);
}

void model_check_all(struct model *m, struct vhd *vhd)
{
	const struct iovec iov = { m->scratch, m->window };

	cr_assert_eq(vhd_read(vhd, m->base, &iov, 1), 0, "%s", vhd_error(vhd));
	cr_assert_eq(memcmp(m->scratch, m->flat, m->window), 0);
}

void model_check_map(struct model *m)
{
	for (uint64_t at = 0; at < m->window;) {
		struct vhd_extent extent;

		cr_assert_eq(vhd_map(m->vhd, 0, m->base + at, m->window - at, &extent), 0);
		cr_assert_eq(extent.offset, m->base + at);
		cr_assert(extent.bytes && extent.bytes <= m->window - at);
		if (extent.zero)
			memset(m->scratch, 0, extent.bytes);
		else
			memcpy(m->scratch, m->labs[extent.layer].now.data + extent.file_offset,
			       extent.bytes);
		cr_assert_eq(memcmp(m->scratch, m->flat + at, extent.bytes), 0);
		at += extent.bytes;
	}
}

/* --- whole images */

static void print_finding(const struct vhd_finding *finding, void *opaque)
{
	(void)opaque;
	if (finding->severity == VHD_ERROR)
		fprintf(stderr, "%s: %s: %s\n", finding->name, finding->field, finding->text);
}

void model_check_sound(struct model *m, struct lab_file *top)
{
	const struct vhd_check_options options = { .found = print_finding };
	struct vhd_check_result result;
	struct vhd_file files[MODEL_LAYERS_MAX];
	unsigned int count = model_files(m, top, files);

	cr_assert_eq(vhd_check(files, count, &options, &result, error, sizeof(error)), 0, "%s",
		     error);
	cr_assert_eq(result.found[VHD_ERROR], 0, "cut %u", m->cuts);
	cr_assert_eq(result.found[VHD_WARNING], 0, "cut %u", m->cuts);
}

void model_check_closed(struct model *m)
{
	struct lab_bytes *b = &m->labs[0].now;
	struct vhd *vhd;

	if (vhd_is_flat(m->vhd))
		return;
	model_check_sound(m, &m->labs[0]);
	cr_assert_eq(memcmp(b->data, b->data + b->size - 512, 512), 0);
	vhd = model_open(m, &m->labs[0], true);
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

void model_check_clear_sectors(const struct model *m, struct vhd *vhd, const struct lab_file *lab)
{
	uint32_t sectors = vhd->header.block_bytes / 512;

	if (vhd->footer.type != VHD_DYNAMIC)
		return;
	for (uint32_t i = 0; i < m->sectors; i++) {
		uint32_t at = (uint32_t)(m->base / 512) + i;
		uint32_t block = at / sectors, s = at % sectors, run;
		const uint8_t *data;
		uint64_t place;
		bool set;

		cr_assert_eq(vhd_bat_get(vhd, block, &place), 0);
		if (!place)
			continue;
		cr_assert_eq(vhd_bitmap_run(vhd, block, place, s, 1, &run, &set), 0);
		data = lab->now.data + place + vhd->bitmap_bytes + (size_t)s * 512;
		cr_assert(set || (!data[0] && !memcmp(data, data + 1, 511)) ||
				  (lab != &m->labs[0] && is_recent(m, i, data)),
			  "sector %u is clear, but not zeros", i);
	}
}

void model_reopen(struct model *m)
{
	struct vhd *vhd = m->vhd;

	cr_assert_eq(vhd_finish(vhd), 0, "%s", vhd_error(vhd));
	model_check_closed(m);
	vhd_free(vhd);
	open_model(m);
}

/* --- the power goes */

void model_check_survivor(const struct model *m, struct vhd *vhd)
{
	const struct iovec iov = { m->scratch, m->window };

	cr_assert_eq(vhd_read(vhd, m->base, &iov, 1), 0, "%s", vhd_error(vhd));
	for (unsigned int s = 0; s < m->sectors; s++) {
		const uint8_t *data = m->scratch + (size_t)s * 512;

		if (!memcmp(data, m->flat + (size_t)s * 512, 512))
			continue;
		cr_assert(hash(data) == m->flushed[s] || is_recent(m, s, data),
			  "seed %llu, cut %u: sector %u holds neither what was flushed nor what "
			  "was written since",
			  (unsigned long long)m->shape.seed, m->cuts, s);
	}
}

/* The survivor is written to and closed like any disk. */
static void use_survivor(struct model *m)
{
	struct lab_file *survivor = &m->survivor;
	static const struct iovec iov = { "afterlife", 9 };
	char found[10] = "";
	const struct iovec back = { found, 9 };
	uint64_t at = m->base + (uint64_t)(m->cuts * 7919 % m->sectors) * 512 + 100;
	struct vhd *vhd = model_open(m, survivor, false);

	model_check_survivor(m, vhd);
	model_check_clear_sectors(m, vhd, survivor);
	cr_assert_eq(vhd_write(vhd, at, &iov, 1), 0, "%s", vhd_error(vhd));
	cr_assert_eq(vhd_close(vhd), 0, "%s", error);
	model_check_sound(m, survivor);
	vhd = model_open(m, survivor, true);
	cr_assert_eq(vhd_read(vhd, at, &back, 1), 0);
	cr_assert_str_eq(found, "afterlife");
	cr_assert_eq(vhd_tail_scan(vhd), 0);
	cr_assert_eq(vhd->alloc_end, survivor->now.size - 512);
	vhd_free(vhd);
}

void model_cut_power(struct lab_file *lab, void *opaque)
{
	struct model *m = opaque;
	struct vhd_info info;
	struct vhd *vhd;

	m->cuts++;
	lab_crash(lab, &m->survivor);
	vhd = model_open(m, &m->survivor, true);
	vhd_get_info(vhd, &info);
	cr_assert(!info.needs_repair, "cut %u: no good footers", m->cuts);
	model_check_survivor(m, vhd);
	vhd_free(vhd);
	model_check_sound(m, &m->survivor);
	if (m->cuts % 4 == 0)
		use_survivor(m);
}

void model_run(struct model *m, unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++) {
		uint32_t what = model_random(m, 100);

		if (what < 45)
			model_write(m);
		else if (what < 85)
			model_read(m);
		else if (what < 88)
			model_check_map(m);
		else if (what < 92)
			model_zero(m);
		else if (what < 94)
			model_batch(m);
		else if (what < 98)
			model_flush(m);
		else if (what < 99)
			model_reopen(m);
	}
	model_check_all(m, m->vhd);
}
