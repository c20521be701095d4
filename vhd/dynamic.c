// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dynamic and differencing disks: blocks that appear when they are first written.
 *
 * Theory of operation
 *
 * A request is cut at block boundaries. Reading, a clear bit means zeros, or the parent, whatever
 * the file holds there. Writing to a block that is there: data, then bits. Writing to one that is
 * not: a place is reserved at the end (tail.c), data is written, bits and table entry are set in the
 * cache (cache.c), which writes them at the next flush behind a sync. Until then a crash leaves
 * space that no table names.
 *
 * In a dynamic disk a clear bit is as good as zeros, so bits may reach the disk before data. In a
 * differencing disk a bit that is set hides the parent: the cache syncs data before it writes bits,
 * and a write that fails sets none.
 *
 * A sector that is written in part for the first time is written whole, with what it was around: in
 * a dynamic disk zeros, in a differencing one what the parent has.
 *
 * Discarding punches holes into a block's data and leaves table and bitmap alone: no order to keep,
 * and a guest cannot make the file longer by discarding and writing again and again. Writing zeros
 * does the same where the disk has a block, and otherwise nothing, unless an ancestor has data
 * there: then it takes a block whose bits say that these zeros are meant.
 */
#include "image.h"

#include <errno.h>

/* The part of a request that lies in one block. */
struct part {
	uint32_t block;
	uint32_t within; /* bytes from the block's first data byte */
	uint32_t bytes;
	uint64_t place; /* of the block in the file, 0: absent */
};

/* Sectors of a block. */
struct sectors {
	uint32_t first, count;
};

static struct part part_at(const struct vhd *v, uint64_t offset, uint64_t bytes)
{
	uint32_t within = (uint32_t)(offset & (v->header.block_bytes - 1));

	return (struct part){
		.block = (uint32_t)(offset >> v->block_shift),
		.within = within,
		.bytes = (uint32_t)min_u64(bytes, v->header.block_bytes - within),
	};
}

static struct sectors sectors_of(const struct part *part)
{
	uint32_t first = part->within / VHD_SECTOR_BYTES;
	uint32_t last = (part->within + part->bytes - 1) / VHD_SECTOR_BYTES;

	return (struct sectors){ first, last - first + 1 };
}

static uint64_t data_offset(const struct vhd *v, const struct part *part)
{
	return part->place + v->bitmap_bytes + part->within;
}

/* Where the part begins on the disk. */
static uint64_t disk_offset(const struct vhd *v, const struct part *part)
{
	return ((uint64_t)part->block << v->block_shift) + part->within;
}

static int dynamic_locate(struct vhd *v, uint64_t offset, uint64_t bytes,
			  struct vhd_place *ret_place)
{
	struct part part = part_at(v, offset, bytes);
	struct sectors sectors = sectors_of(&part);
	uint64_t limit, at;
	uint32_t run;
	bool set;
	int r = vhd_bat_get(v, part.block, &part.place);

	if (r < 0)
		return r;
	*ret_place = (struct vhd_place){ .bytes = part.bytes };
	if (!part.place)
		return 0;
	r = vhd_bitmap_run(v, part.block, part.place, sectors.first, sectors.count, &run, &set);
	if (r < 0)
		return r;
	ret_place->bytes = min_u64(part.bytes, (uint64_t)(sectors.first + run) * VHD_SECTOR_BYTES -
						       part.within);
	if (!set)
		return 0;
	at = data_offset(v, &part);
	limit = vhd_data_limit(v);
	/* What the end of the file cuts off reads as zeros, and is no more the parent's. */
	ret_place->cut = at >= limit;
	if (ret_place->cut)
		return 0;
	ret_place->layer = v;
	ret_place->offset = at;
	ret_place->bytes = min_u64(ret_place->bytes, limit - at);
	return 0;
}

/* Whether a sector of a block that is there was never written. */
static int is_clear(struct vhd *v, const struct part *part, uint32_t sector, bool *ret_clear)
{
	uint32_t run;
	bool set;
	int r = vhd_bitmap_run(v, part->block, part->place, sector, 1, &run, &set);

	if (r == 0)
		*ret_clear = !set;
	return r;
}

/* What the first or last sector of a part was, if this file does not hold it: zeros without parent. */
static int fetch_edge(struct vhd *v, const struct part *part, uint32_t sector, bool fresh,
		      uint8_t data[VHD_SECTOR_BYTES], bool *ret_fetched)
{
	struct iovec iov = { data, VHD_SECTOR_BYTES };
	struct vhd_span span = { &iov, 1, 0 };
	uint64_t offset =
		((uint64_t)part->block << v->block_shift) + (uint64_t)sector * VHD_SECTOR_BYTES;
	int r = fresh ? 0 : is_clear(v, part, sector, &fresh);

	*ret_fetched = fresh;
	if (r < 0 || !fresh || !v->parent)
		return r;
	if (offset >= v->parent->size_bytes) {
		vhd_span_zero(&span, VHD_SECTOR_BYTES);
		return 0;
	}
	return vhd_read_span(v->parent, offset, &span, VHD_SECTOR_BYTES);
}

/* Writes the data of a part, with what was around it in sectors that are written first. */
static int write_data(struct vhd *v, const struct part *part, struct vhd_span *span, bool fresh)
{
	struct sectors sectors = sectors_of(part);
	uint32_t before = part->within % VHD_SECTOR_BYTES;
	uint32_t end = part->within + part->bytes;
	uint32_t after = (uint32_t)round_up(end, VHD_SECTOR_BYTES) - end;
	struct vhd_edges edges = { 0 };
	bool fetched;
	int r = 0;

	if (before) {
		r = fetch_edge(v, part, sectors.first, fresh, v->edges[0], &fetched);
		if (r == 0 && fetched)
			edges.before_bytes = before;
	}
	if (r == 0 && after) {
		r = fetch_edge(v, part, sectors.first + sectors.count - 1, fresh, v->edges[1],
			       &fetched);
		if (r == 0 && fetched)
			edges.after_bytes = after;
	}
	if (r < 0)
		return r;
	if (v->parent) {
		edges.before = v->edges[0];
		edges.after = v->edges[1] + VHD_SECTOR_BYTES - after;
	}
	return vhd_file_write_span(v, data_offset(v, part) - edges.before_bytes, span, part->bytes,
				   &edges);
}

static int set_written(struct vhd *v, const struct part *part, bool fresh)
{
	struct sectors sectors = sectors_of(part);

	return vhd_bitmap_set(v, part->block, part->place, sectors.first, sectors.count, fresh);
}

/* Whether writing zeros to a part that this file does not hold changes nothing. */
static int is_zero_below(struct vhd *v, const struct part *part, bool *ret_zero)
{
	return vhd_is_absent(v->parent, disk_offset(v, part), part->bytes, ret_zero);
}

/* @span NULL: zeros, of whole sectors; the place holds them already. */
static int write_new(struct vhd *v, struct part part, struct vhd_span *span)
{
	bool zero = !span || vhd_span_is_zero(*span, part.bytes);
	int r = zero ? is_zero_below(v, &part, &zero) : 0;

	if (r == 0 && zero && span)
		vhd_span_skip(span, part.bytes);
	if (r < 0 || zero)
		return r;
	r = vhd_tail_reserve(v, &part.place);
	if (r < 0)
		return r;
	if (span)
		r = write_data(v, &part, span, true);
	if (r == 0)
		r = set_written(v, &part, true);
	if (r == 0)
		r = vhd_bat_set(v, part.block, part.place);
	if (r < 0) {
		/* Nothing names the place; the next block must not find what was written there. */
		vhd_bitmap_forget(v, part.block, part.place);
		v->soiled = true;
		return r;
	}
	v->alloc_end = part.place + vhd_block_extent(v);
	return 0;
}

static int write_old(struct vhd *v, const struct part *part, struct vhd_span *span)
{
	struct sectors sectors = sectors_of(part);
	int r = vhd_tail_cover(v, part->place);
	int failed;

	/* Now, while nothing is written yet: what is written needs its bit. */
	if (r == 0)
		r = vhd_bitmap_load(v, part->block, part->place, sectors.first, sectors.count);
	if (r < 0)
		return r;
	failed = write_data(v, part, span, false);
	if (failed < 0 && v->parent)
		return failed;
	/* Even then: some sectors may be written, and the others hold the zeros that they were. */
	r = set_written(v, part, false);
	return failed < 0 ? failed : r;
}

static int dynamic_write(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes)
{
	while (bytes) {
		struct part part = part_at(v, offset, bytes);
		int r = vhd_bat_get(v, part.block, &part.place);

		if (r == 0)
			r = part.place ? write_old(v, &part, span) : write_new(v, part, span);
		if (r < 0)
			return r;
		offset += part.bytes;
		bytes -= part.bytes;
	}
	return 0;
}

/* A range of a block that is there: a hole, or zeros that are written. */
static int zero_part(struct vhd *v, const struct part *part, bool write)
{
	uint64_t offset = data_offset(v, part);
	uint64_t limit = vhd_data_limit(v);
	uint64_t there = offset < limit ? min_u64(part->bytes, limit - offset) : 0;
	int r;

	if (!there)
		return 0;
	r = vhd_file_release(v, offset, there);
	return r == -EOPNOTSUPP && write ? vhd_file_write_zeroes(v, offset, there) : r;
}

/* A part with a clear bit, of a block that is there: zeros that must hide what the parent has. */
static int hide_part(struct vhd *v, const struct part *part)
{
	struct sectors sectors = sectors_of(part);
	bool zero;
	int r = is_zero_below(v, part, &zero);

	if (r < 0 || zero)
		return r;
	r = vhd_tail_cover(v, part->place);
	if (r == 0)
		r = vhd_bitmap_load(v, part->block, part->place, sectors.first, sectors.count);
	if (r == 0)
		r = zero_part(v, part, true);
	return r < 0 ? r : set_written(v, part, false);
}

/* Whole sectors of a block of a child that is there. With @hide also those that it does not hold. */
static int zero_child_part(struct vhd *v, struct part part, bool hide)
{
	while (part.bytes) {
		struct sectors sectors = sectors_of(&part);
		struct part piece = part;
		uint32_t run;
		bool set;
		int r = vhd_bitmap_run(v, part.block, part.place, sectors.first, sectors.count,
				       &run, &set);

		if (r < 0)
			return r;
		piece.bytes = run * VHD_SECTOR_BYTES;
		if (set)
			r = zero_part(v, &piece, hide);
		else if (hide)
			r = hide_part(v, &piece);
		if (r < 0)
			return r;
		part.within += piece.bytes;
		part.bytes -= piece.bytes;
	}
	return 0;
}

static int zero_range(struct vhd *v, uint64_t offset, uint64_t bytes, bool write)
{
	while (bytes) {
		struct part part = part_at(v, offset, bytes);
		int r = vhd_bat_get(v, part.block, &part.place);

		if (r < 0)
			return r;
		if (part.place)
			r = v->parent ? zero_child_part(v, part, write)
				      : zero_part(v, &part, write);
		else if (v->parent && write)
			r = write_new(v, part, NULL);
		if (r < 0)
			return r;
		offset += part.bytes;
		bytes -= part.bytes;
	}
	return 0;
}

/* Part of a sector is written as any other data. */
static int write_zero_bytes(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	static const uint8_t zeros[VHD_SECTOR_BYTES];
	struct iovec iov = { (void *)(uintptr_t)zeros, (size_t)bytes };
	struct vhd_span span = { &iov, 1, 0 };

	return bytes ? dynamic_write(v, offset, &span, bytes) : 0;
}

static int dynamic_write_zeroes(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	uint64_t before = min_u64(bytes, round_up(offset, VHD_SECTOR_BYTES) - offset);
	uint64_t after = before < bytes ? (offset + bytes) % VHD_SECTOR_BYTES : 0;
	int r;

	if (!v->parent)
		return zero_range(v, offset, bytes, true);
	r = write_zero_bytes(v, offset, before);
	if (r == 0)
		r = write_zero_bytes(v, offset + bytes - after, after);
	if (r == 0 && bytes > before + after)
		r = zero_range(v, offset + before, bytes - before - after, true);
	return r;
}

static int dynamic_discard(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	return zero_range(v, offset, bytes, false);
}

const struct vhd_format_ops vhd_dynamic_ops = {
	.locate = dynamic_locate,
	.write = dynamic_write,
	.write_zeroes = dynamic_write_zeroes,
	.discard = dynamic_discard,
};
