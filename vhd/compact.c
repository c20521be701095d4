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
 * Then the places of all blocks are sorted, which shows the gaps. The last blocks move into the first
 * gaps that can take one, until there are none before the last block that stays. A move is a copy, a
 * sync, the table entry, a sync; and moves come in batches that share their syncs. No place is used
 * twice, so whatever a crash leaves, each entry leads to a whole copy. Data is put on 4096 bytes where
 * the gap then holds as many blocks; other programs lay blocks close together.
 *
 * A disk with more blocks than PLACES_MAX, which has small ones, keeps its gaps: their places would
 * take too much memory.
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
/* Four bytes of memory for each: 2040 GiB in blocks of 1 MiB. */
#define PLACES_MAX (2u << 20)
/* Of a block the first look; most differ there already. */
#define FIRST_LOOK_BYTES 65536u

struct move {
	uint32_t block;
	uint64_t from, to;
};

struct range {
	uint64_t from, end;
};

/* Goes through the gaps; where the next block could be put. */
struct gaps {
	uint32_t next; /* place that ends the present gap */
	uint64_t from; /* so far it is used */
};

struct compact {
	struct vhd *v;
	struct vhd_walk walk;
	struct vhd_compact_result *result;

	uint32_t *places; /* sorted */
	uint32_t count;
	uint32_t first_moved;			 /* place; this one and those behind it move */
	struct range metadata[VHD_LOCATORS + 3]; /* what is no block */
	struct gaps gaps;
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

/* --- the gaps */

static int note_place(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	struct compact *c = opaque;

	(void)v;
	(void)block;
	if (c->places)
		c->places[c->count] = sector;
	c->count++;
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int sort_places(struct compact *c)
{
	struct vhd *v = c->v;
	int r = vhd_bat_walk(v, v->header.table_entries, note_place, c);

	if (r < 0 || !c->count || c->count > PLACES_MAX)
		return r;
	c->places = malloc(c->count * sizeof(*c->places));
	if (!c->places)
		return vhd_fail(v, -ENOMEM, "out of memory");
	c->count = 0;
	r = vhd_bat_walk(v, v->header.table_entries, note_place, c);
	qsort(c->places, c->count, sizeof(*c->places), compare_places);
	return r;
}

static struct range range_of(uint64_t from, uint64_t bytes)
{
	return (struct range){ from, from + bytes };
}

static void list_metadata(struct compact *c)
{
	const struct vhd *v = c->v;

	c->metadata[0] = range_of(0, VHD_FOOTER_BYTES);
	c->metadata[1] = range_of(v->footer.data_offset, VHD_HEADER_BYTES);
	c->metadata[2] = range_of(v->header.table_offset,
				  (uint64_t)v->header.table_entries * VHD_ENTRY_BYTES);
	for (unsigned int i = 0; i < VHD_LOCATORS; i++) {
		const uint8_t *locator = v->header.locators + i * VHD_LOCATOR_BYTES;

		uint64_t offset = get_be64(locator + LOCATOR_OFFSET);

		if (get_be32(locator + LOCATOR_CODE) && offset < v->file_bytes)
			c->metadata[3 + i] =
				range_of(offset, min_u64(get_be32(locator + LOCATOR_LENGTH),
							 v->file_bytes - offset));
	}
}

/* Behind all metadata that a block at @from would lie on. */
static uint64_t skip_metadata(const struct compact *c, uint64_t from)
{
	for (size_t i = 0; i < ARRAY_LEN(c->metadata); i++) {
		const struct range *range = &c->metadata[i];

		if (range->from >= from + vhd_block_extent(c->v) || range->end <= from)
			continue;
		from = round_up(range->end, VHD_SECTOR_BYTES);
		i = (size_t)-1; /* again from the first */
	}
	return from;
}

/* How many blocks, @distance apart, fit between @from and @to. */
static uint64_t fitting(const struct compact *c, uint64_t from, uint64_t to, uint64_t distance)
{
	uint64_t extent = vhd_block_extent(c->v);

	return from < to && to - from >= extent ? (to - from - extent) / distance + 1 : 0;
}

/* The next place in a gap before the block of that number in the sorted list; false: none. */
static bool next_place(struct compact *c, uint32_t before, uint64_t *ret_place)
{
	struct gaps *gaps = &c->gaps;
	uint64_t extent = vhd_block_extent(c->v), bitmap = c->v->bitmap_bytes;

	for (; gaps->next <= before && gaps->next < c->count; gaps->next++) {
		uint64_t to = (uint64_t)c->places[gaps->next] * VHD_SECTOR_BYTES;
		uint64_t from = skip_metadata(c, gaps->from);
		uint64_t nice = round_up(from + bitmap, ALIGN_BYTES) - bitmap;
		uint64_t close = fitting(c, from, to, extent);

		if (!close) {
			gaps->from = max_u64(gaps->from, to + extent);
			continue;
		}
		/* Metadata in the middle of a gap is met again by the next one. */
		if (fitting(c, nice, to, round_up(extent, ALIGN_BYTES)) >= close &&
		    skip_metadata(c, nice) == nice)
			from = nice;
		gaps->from = from + extent;
		*ret_place = from;
		return true;
	}
	return false;
}

/* Decides which blocks move: as many of the last as there are places before them. */
static int lay_out(struct compact *c)
{
	uint32_t stay;
	uint64_t place;
	int r = sort_places(c);

	if (r < 0 || !c->places)
		return r;
	list_metadata(c);
	for (stay = c->count; stay > 0 && next_place(c, stay - 1, &place);)
		stay--;
	c->first_moved = stay < c->count ? c->places[stay] : UINT32_MAX;
	c->gaps = (struct gaps){ .next = 0 };
	return 0;
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

static int move_block(struct compact *c, uint32_t block, uint64_t from)
{
	struct move *move = &c->moves[c->move_count];
	int r;

	*move = (struct move){ .block = block, .from = from };
	if (!next_place(c, c->count, &move->to) || move->to >= from)
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
	int stopped = 0, r = lay_out(c);

	if (r == 0 && (!c->places || c->first_moved == UINT32_MAX))
		return 0;
	for (uint32_t block = 0; block < v->header.table_entries && r == 0 && !stopped; block++) {
		uint64_t place;

		r = vhd_bat_get(v, block, &place);
		if (r == 0 && place / VHD_SECTOR_BYTES >= c->first_moved)
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
	free(c.places);
	vhd_walk_end(&c.walk);
	return r < 0 ? r : stopped;
}
