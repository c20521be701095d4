// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Giving up blocks that are not needed, and closing the gaps.
 *
 * Theory of operation
 *
 * First, each block is compared with what the disk would read without it: zeros, or what the
 * parents have. Where that is the same the table forgets the block. These changes are flushed
 * before any of the freed space is written to.
 *
 * Then the file is taken as a row of units of a block's size. So many blocks as there are need so
 * many units: blocks that lie behind the last of these move into free ones before it. A move is a
 * copy, a sync, the table entry, a sync; and moves come in batches that share their syncs. No place
 * is used twice, so whatever a crash leaves, each entry leads to a whole copy.
 *
 * Other programs lay out blocks at distances of their own. When all blocks lie a multiple of one
 * distance apart that is the unit; else it is the distance that this library uses, and a block that
 * lies across two units takes both: the result may be less dense then, never wrong.
 *
 * Last, the footer moves to the end of the last block and the file is cut there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "walk.h"

#define ALIGN_BYTES 4096u
/* Moves that share their syncs. */
#define BATCH 16u
/* Of a block the first look; most differ there already. */
#define FIRST_LOOK_BYTES 65536u

struct move {
	uint32_t block;
	uint64_t from, to;
};

struct compact {
	struct vhd *v;
	struct vhd_walk walk;
	struct vhd_compact_result *result;

	uint64_t origin, unit_bytes; /* where unit 0 begins */
	uint64_t units;
	uint8_t *taken; /* a bit for each unit */
	uint64_t next;	/* where the search for a free one goes on */
	uint64_t end;	/* behind the units that are needed */
	struct move moves[BATCH];
	unsigned int move_count;
};

static int fail_here(struct compact *c, int r)
{
	return vhd_walk_fail(&c->walk, c->v, r);
}

/* Bytes of block table walked over; two rounds. */
static int report(struct compact *c, unsigned int round, uint32_t block)
{
	uint64_t all = c->v->header.table_entries;

	return vhd_job_report(c->walk.job, round * all + block, 2 * all, c->walk.error,
			      c->walk.error_size);
}

/* --- which blocks are needed */

/* Whether @bytes that the file itself holds read the same without it. */
static int is_same_below(struct compact *c, uint64_t offset, uint64_t bytes, bool *ret_same)
{
	for (uint64_t at = 0, n; at < bytes; at += n) {
		struct iovec own = { c->walk.buffers[0], 0 }, below = { c->walk.buffers[1], 0 };
		struct vhd_span own_span = { &own, 1, 0 }, below_span = { &below, 1, 0 };
		int r;

		n = min_u64(bytes - at, at ? VHD_STEP_BYTES : FIRST_LOOK_BYTES);
		own.iov_len = below.iov_len = n;
		r = vhd_read_span(c->v, offset + at, &own_span, n);
		if (r == 0 && c->v->parent)
			r = vhd_read_span(c->v->parent, offset + at, &below_span, n);
		if (r < 0)
			return r;
		*ret_same = c->v->parent ? !memcmp(own.iov_base, below.iov_base, n)
					 : vhd_is_zero(own.iov_base, n);
		if (!*ret_same)
			return 0;
	}
	*ret_same = true;
	return 0;
}

static int is_needed(struct compact *c, uint32_t block, bool *ret_needed)
{
	struct vhd *v = c->v;
	uint64_t offset = (uint64_t)block << v->block_shift;
	uint64_t end = min_u64(offset + v->header.block_bytes, v->footer.current_size);
	bool same = true;

	while (offset < end && same) {
		struct vhd_place place;
		int r = vhd_ops(v)->locate(v, offset, end - offset, &place);

		if (r == 0 && (place.layer || place.cut))
			r = is_same_below(c, offset, place.bytes, &same);
		if (r < 0)
			return r;
		offset += place.bytes;
	}
	*ret_needed = !same;
	return 0;
}

static int drop_blocks(struct compact *c)
{
	struct vhd *v = c->v;
	int r = 0;

	for (uint32_t block = 0; block < v->block_count && r == 0; block++) {
		uint64_t place;
		bool needed = true;

		r = vhd_bat_get(v, block, &place);
		if (r < 0 || !place)
			continue;
		c->result->blocks_before++;
		r = is_needed(c, block, &needed);
		if (r < 0)
			break;
		c->result->blocks_after += needed;
		if (!needed) {
			r = vhd_bat_set(v, block, (uint64_t)VHD_BLOCK_ABSENT * VHD_SECTOR_BYTES);
			vhd_bitmap_forget(v, block, place);
		}
		if (r == 0 && report(c, 0, block) < 0)
			return -ECANCELED;
	}
	return r < 0 ? fail_here(c, r) : 0;
}

/* --- the row of units */

struct survey {
	uint64_t lowest;      /* place of a block */
	uint64_t distance[2]; /* that may be between blocks; 0: they do not lie so */
	uint32_t count;
};

static int survey_entry(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	struct survey *survey = opaque;
	uint64_t place = (uint64_t)sector * VHD_SECTOR_BYTES;

	(void)v;
	(void)block;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t distance = survey->distance[i];

		if (survey->count && distance && place % distance != survey->lowest % distance)
			survey->distance[i] = 0;
	}
	survey->lowest = survey->count ? min_u64(survey->lowest, place) : place;
	survey->count++;
	return 0;
}

static void take_range(struct compact *c, uint64_t from, uint64_t bytes)
{
	uint64_t end = from + bytes;
	uint64_t unit = from > c->origin ? (from - c->origin) / c->unit_bytes : 0;

	for (; unit < c->units && c->origin + unit * c->unit_bytes < end; unit++) {
		if (c->origin + (unit + 1) * c->unit_bytes > from)
			c->taken[unit / 8] |= (uint8_t)BIT(unit % 8);
	}
}

static bool is_taken(const struct compact *c, uint64_t unit)
{
	return c->taken[unit / 8] & BIT(unit % 8);
}

static int take_entry(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	(void)block;
	take_range(opaque, (uint64_t)sector * VHD_SECTOR_BYTES, vhd_block_extent(v));
	return 0;
}

/* What lies in the file that is no block. */
static int take_metadata(struct compact *c)
{
	struct vhd *v = c->v;
	uint8_t raw[VHD_HEADER_BYTES];
	int r = vhd_file_read(v, v->footer.data_offset, raw, sizeof(raw));

	if (r < 0)
		return r;
	take_range(c, 0, VHD_FOOTER_BYTES);
	take_range(c, v->footer.data_offset, VHD_HEADER_BYTES);
	take_range(c, v->header.table_offset, (uint64_t)v->header.table_entries * VHD_ENTRY_BYTES);
	for (unsigned int i = 0; i < VHD_LOCATORS; i++) {
		const uint8_t *locator = raw + HEADER_LOCATORS + i * VHD_LOCATOR_BYTES;
		uint64_t offset = get_be64(locator + LOCATOR_OFFSET);

		if (get_be32(locator + LOCATOR_CODE) && offset < v->file_bytes)
			take_range(c, offset, get_be32(locator + LOCATOR_LENGTH));
	}
	return 0;
}

/* Decides on the units, marks those that are taken, and finds where the needed ones end. */
static int lay_out(struct compact *c)
{
	struct vhd *v = c->v;
	uint64_t extent = vhd_block_extent(v), aligned = round_up(extent, ALIGN_BYTES);
	struct survey survey = { .distance = { extent, aligned } };
	uint64_t needed = 0;
	int r = vhd_bat_walk(v, v->header.table_entries, survey_entry, &survey);

	if (r < 0)
		return r;
	c->unit_bytes = survey.distance[0] ? survey.distance[0] : aligned;
	c->origin = survey.count ? survey.lowest % c->unit_bytes : 0;
	c->units = v->file_bytes / c->unit_bytes + 2;
	c->taken = calloc(1, c->units / 8 + 1);
	if (!c->taken)
		return vhd_fail(v, -ENOMEM, "out of memory");
	r = take_metadata(c);
	if (r < 0)
		return r;
	for (c->end = 0; c->end < c->units && needed < survey.count; c->end++)
		needed += !is_taken(c, c->end);
	return vhd_bat_walk(v, v->header.table_entries, take_entry, c);
}

/* --- moving */

/* A block with its bitmap; zeros become holes where the host can. */
static int copy_block(struct compact *c, const struct move *move)
{
	struct vhd *v = c->v;
	uint64_t extent = vhd_block_extent(v), limit = vhd_data_limit(v);
	uint8_t *buffer = c->walk.buffers[0];

	for (uint64_t at = 0, n; at < extent; at += n) {
		uint64_t from = move->from + at, there;
		int r;

		n = min_u64(extent - at, VHD_STEP_BYTES);
		there = from < limit ? min_u64(n, limit - from) : 0;
		memset(buffer + there, 0, n - there);
		r = vhd_file_read(v, from, buffer, there);
		if (r < 0)
			return r;
		r = -EOPNOTSUPP;
		if (vhd_is_zero(buffer, n))
			r = vhd_file_release(v, move->to + at, n);
		if (r == -EOPNOTSUPP)
			r = vhd_file_write(v, move->to + at, buffer, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int finish_moves(struct compact *c)
{
	struct vhd *v = c->v;
	int r = vhd_file_sync(v);

	for (unsigned int i = 0; i < c->move_count && r == 0; i++) {
		vhd_bitmap_forget(v, c->moves[i].block, c->moves[i].from);
		r = vhd_bat_set(v, c->moves[i].block, c->moves[i].to);
	}
	if (r == 0)
		r = vhd_cache_flush(v);
	if (r == 0)
		c->result->moved += c->move_count;
	c->move_count = 0;
	return r;
}

/* A free unit that is needed and whole in the file; false: there is none. */
static bool find_unit(struct compact *c, uint64_t *ret_place)
{
	for (; c->next < c->end; c->next++) {
		uint64_t place = c->origin + c->next * c->unit_bytes;

		if (is_taken(c, c->next) || place + vhd_block_extent(c->v) > vhd_data_limit(c->v))
			continue;
		*ret_place = place;
		c->next++;
		return true;
	}
	return false;
}

static int move_block(struct compact *c, uint32_t block, uint64_t from)
{
	struct move *move = &c->moves[c->move_count];
	int r;

	*move = (struct move){ .block = block, .from = from };
	if (!find_unit(c, &move->to))
		return 0;
	r = copy_block(c, move);
	if (r < 0)
		return r;
	c->move_count++;
	return c->move_count == BATCH ? finish_moves(c) : 0;
}

static int close_gaps(struct compact *c)
{
	struct vhd *v = c->v;
	uint64_t end;
	int stopped = 0, r = lay_out(c);

	end = c->origin + c->end * c->unit_bytes;
	for (uint32_t block = 0; block < v->header.table_entries && r == 0 && !stopped; block++) {
		uint64_t place;

		r = vhd_bat_get(v, block, &place);
		if (r == 0 && place && place + vhd_block_extent(v) > end)
			r = move_block(c, block, place);
		if (r == 0 && place)
			stopped = report(c, 1, block);
	}
	if (r == 0)
		r = finish_moves(c);
	return r < 0 ? fail_here(c, r) : stopped;
}

/* Finds the last block anew, and cuts the file behind it. */
static int trim(struct compact *c)
{
	int r;

	c->v->scanned = false;
	r = vhd_tail_scan(c->v);
	if (r == 0)
		r = vhd_tail_trim(c->v);
	c->result->file_bytes_after = c->v->file_bytes;
	return r < 0 ? fail_here(c, r) : 0;
}

static int check_disk(struct vhd *v)
{
	int r;

	if (vhd_is_flat(v))
		return vhd_fail(v, -EINVAL,
				"a %s disk has no blocks to give up; convert it to a dynamic one",
				v->raw ? "raw" : "fixed");
	if (v->read_only)
		return vhd_fail(v, -EROFS, "it was opened read-only");
	r = vhd_flush(v);
	if (r == 0)
		r = vhd_tail_scan(v);
	if (r == 0)
		r = vhd_tail_trim(v); /* refuses a table that is not sound */
	return r;
}

int vhd_compact(struct vhd *v, const struct vhd_job *job, struct vhd_compact_result *ret_result,
		char *error, size_t error_size)
{
	struct compact c = { .v = v, .result = ret_result };
	int stopped, r;

	*ret_result = (struct vhd_compact_result){ .file_bytes_before = v->file_bytes };
	r = vhd_walk_begin(&c.walk, job, 0, error, error_size);
	if (r < 0)
		return r;
	r = check_disk(v);
	if (r < 0) {
		vhd_walk_end(&c.walk);
		return fail_here(&c, r);
	}
	stopped = drop_blocks(&c);
	r = vhd_cache_flush(v);
	if (r < 0)
		fail_here(&c, r);
	if (r == 0 && stopped == 0)
		stopped = close_gaps(&c);
	/* What is done is kept, even when it was stopped. */
	if (r == 0 && (stopped == 0 || stopped == -ECANCELED))
		r = trim(&c);
	free(c.taken);
	vhd_walk_end(&c.walk);
	return r < 0 ? r : stopped;
}
