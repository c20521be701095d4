// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dynamic disks: blocks that appear when they are first written.
 *
 * Theory of operation
 *
 * A request is cut at block boundaries. Reading, a clear bit means zeros whatever the file holds
 * there. Writing to a block that is there: data, then bits. Writing to one that is not: a place is
 * reserved at the end (tail.c), data is written, bits and table entry are set in the cache
 * (cache.c), which writes them at the next flush behind a sync. Until then a crash leaves space
 * that no table names.
 *
 * A sector that is written in part for the first time is written whole, with zeros around.
 *
 * Discarding punches holes into a block's data and leaves table and bitmap alone: no order to keep,
 * and a guest cannot make the file longer by discarding and writing again and again.
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

static struct part part_at(const struct vhd *v, uint64_t offset, uint64_t bytes)
{
	uint32_t within = (uint32_t)(offset & (v->header.block_bytes - 1));

	return (struct part){
		.block = (uint32_t)(offset >> v->block_shift),
		.within = within,
		.bytes = (uint32_t)min_u64(bytes, v->header.block_bytes - within),
	};
}

static uint64_t data_offset(const struct vhd *v, const struct part *part)
{
	return part->place + v->bitmap_bytes + part->within;
}

/* Data of a block; what the end of the file cuts off reads as zeros. */
static int read_data(struct vhd *v, uint64_t offset, struct vhd_span *span, uint32_t bytes)
{
	uint64_t limit = vhd_data_limit(v);
	uint64_t there = offset < limit ? min_u64(bytes, limit - offset) : 0;
	int r = there ? vhd_file_read_span(v, offset, span, there) : 0;

	if (r == 0)
		vhd_span_zero(span, bytes - there);
	return r;
}

static int read_part(struct vhd *v, struct part part, struct vhd_span *span)
{
	while (part.bytes) {
		uint32_t sector = part.within / VHD_SECTOR_BYTES;
		uint32_t last = (part.within + part.bytes - 1) / VHD_SECTOR_BYTES;
		uint32_t run, bytes;
		bool set;
		int r = vhd_bitmap_run(v, part.block, part.place, sector, last - sector + 1, &run,
				       &set);

		if (r < 0)
			return r;
		bytes = (uint32_t)min_u64(part.bytes, (uint64_t)(sector + run) * VHD_SECTOR_BYTES -
							      part.within);
		if (set)
			r = read_data(v, data_offset(v, &part), span, bytes);
		else
			vhd_span_zero(span, bytes);
		if (r < 0)
			return r;
		part.within += bytes;
		part.bytes -= bytes;
	}
	return 0;
}

static int dynamic_read(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes)
{
	while (bytes) {
		struct part part = part_at(v, offset, bytes);
		int r = vhd_bat_get(v, part.block, &part.place);

		if (r < 0)
			return r;
		if (part.place)
			r = read_part(v, part, span);
		else
			vhd_span_zero(span, part.bytes);
		if (r < 0)
			return r;
		offset += part.bytes;
		bytes -= part.bytes;
	}
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

/* Writes the data of a part, with zeros around it in sectors that were never written. */
static int write_data(struct vhd *v, const struct part *part, struct vhd_span *span, bool fresh)
{
	uint32_t before = part->within % VHD_SECTOR_BYTES;
	uint32_t end = part->within + part->bytes;
	uint32_t after = (uint32_t)round_up(end, VHD_SECTOR_BYTES) - end;
	bool clear = fresh;
	int r = 0;

	if (before && !fresh)
		r = is_clear(v, part, part->within / VHD_SECTOR_BYTES, &clear);
	if (!clear)
		before = 0;
	clear = fresh;
	if (r == 0 && after && !fresh)
		r = is_clear(v, part, end / VHD_SECTOR_BYTES, &clear);
	if (!clear)
		after = 0;
	if (r < 0)
		return r;
	return vhd_file_write_span(v, data_offset(v, part) - before, span, part->bytes, before,
				   after);
}

static int set_written(struct vhd *v, const struct part *part, bool fresh)
{
	uint32_t first = part->within / VHD_SECTOR_BYTES;
	uint32_t last = (part->within + part->bytes - 1) / VHD_SECTOR_BYTES;

	return vhd_bitmap_set(v, part->block, part->place, first, last - first + 1, fresh);
}

static int write_new(struct vhd *v, struct part part, struct vhd_span *span)
{
	int r;

	if (vhd_span_is_zero(*span, part.bytes)) {
		vhd_span_skip(span, part.bytes);
		return 0;
	}
	r = vhd_tail_reserve(v, &part.place);
	if (r < 0)
		return r;
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
	uint32_t first = part->within / VHD_SECTOR_BYTES;
	uint32_t last = (part->within + part->bytes - 1) / VHD_SECTOR_BYTES;
	int r = vhd_tail_cover(v, part->place);
	int failed;

	/* Now, while nothing is written yet: what is written needs its bit. */
	if (r == 0)
		r = vhd_bitmap_load(v, part->block, part->place, first, last - first + 1);
	if (r < 0)
		return r;
	failed = write_data(v, part, span, false);
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

static int zero_range(struct vhd *v, uint64_t offset, uint64_t bytes, bool write)
{
	while (bytes) {
		struct part part = part_at(v, offset, bytes);
		int r = vhd_bat_get(v, part.block, &part.place);

		if (r == 0 && part.place)
			r = zero_part(v, &part, write);
		if (r < 0)
			return r;
		offset += part.bytes;
		bytes -= part.bytes;
	}
	return 0;
}

static int dynamic_write_zeroes(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	return zero_range(v, offset, bytes, true);
}

static int dynamic_discard(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	return zero_range(v, offset, bytes, false);
}

const struct vhd_format_ops vhd_dynamic_ops = {
	.read = dynamic_read,
	.write = dynamic_write,
	.write_zeroes = dynamic_write_zeroes,
	.discard = dynamic_discard,
};
