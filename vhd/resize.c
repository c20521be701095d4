// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making a disk larger.
 *
 * Theory of operation
 *
 * Each step is one sector that is written between two syncs, so that it happened or did not, and
 * after each the image is in order.
 *
 * Fixed: the new footer is written at its place far behind; from that moment the disk has its new
 * size. Then the old footer, which lies within it now, becomes zeros.
 *
 * Dynamic: the table must have an entry for each block. Where the gap behind it has no room a
 * longer copy is put behind the last block, and the header's first sector, which has place, length
 * and checksum, is switched over to it; the old table's space stays unused. A table that is longer
 * than the disk needs is in order, so the size may follow in a second step: the footer at the end, which
 * counts when they differ, then its copy at the start.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "image.h"
#include "vhd_job.h"

/* The table is copied in pieces of this size. */
#define COPY_BYTES 16384u

static struct vhd_footer footer_of_size(const struct vhd *v, uint64_t bytes)
{
	struct vhd_footer footer = v->footer;

	footer.current_size = bytes;
	footer.geometry = vhd_geometry(bytes);
	return footer;
}

static int grow_fixed(struct vhd *v, uint64_t bytes)
{
	uint64_t old_end = v->footer.current_size;
	uint64_t old_tail = v->tail_offset;
	int r;

	if (bytes < old_tail + VHD_FOOTER_BYTES)
		return vhd_fail(v, -EUCLEAN,
				"footer: at byte %llu, but the disk ends at %llu; repair it first",
				(unsigned long long)old_tail, (unsigned long long)old_end);
	v->footer = footer_of_size(v, bytes);
	vhd_footer_encode(&v->footer, v->footer_raw);
	r = vhd_tail_move(v, bytes);
	/* What stood between the disk and its footer, whatever that was, is disk now. */
	if (r == 0 && old_tail > old_end) {
		r = vhd_file_write_zeroes(v, old_end, old_tail - old_end);
		if (r == 0)
			r = vhd_file_sync(v);
	}
	return r;
}

/* --- the table of a dynamic disk */

static int write_absent(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	uint8_t ones[COPY_BYTES];

	memset(ones, 0xff, sizeof(ones));
	while (bytes) {
		size_t n = (size_t)min_u64(bytes, sizeof(ones));
		int r = vhd_file_write(v, offset, ones, n);

		if (r < 0)
			return r;
		offset += n;
		bytes -= n;
	}
	return 0;
}

/* Entries that the disk has, to @to; the rest of @bytes are absent ones. */
static int copy_table(struct vhd *v, uint64_t to, uint64_t bytes)
{
	uint64_t from = v->header.table_offset;
	uint64_t old = (uint64_t)v->block_count * VHD_ENTRY_BYTES;
	uint8_t buffer[COPY_BYTES];

	for (uint64_t at = 0; at < old;) {
		size_t n = (size_t)min_u64(old - at, sizeof(buffer));
		int r = vhd_file_read(v, from + at, buffer, n);

		if (r == 0)
			r = vhd_file_write(v, to + at, buffer, n);
		if (r < 0)
			return r;
		at += n;
	}
	return write_absent(v, to + old, bytes - old);
}

/* The table's place and length, in the one sector of the header that has them and the checksum. */
static int switch_header(struct vhd *v, uint64_t table_offset, uint32_t entries)
{
	uint8_t raw[VHD_HEADER_BYTES];
	int r = vhd_file_read(v, v->footer.data_offset, raw, sizeof(raw));

	if (r < 0)
		return r;
	put_be64(raw + HEADER_TABLE_OFFSET, table_offset);
	put_be32(raw + HEADER_TABLE_ENTRIES, entries);
	put_be32(raw + HEADER_CHECKSUM, vhd_checksum(raw, sizeof(raw), HEADER_CHECKSUM));
	r = vhd_file_write(v, v->footer.data_offset, raw, VHD_SECTOR_BYTES);
	if (r == 0)
		r = vhd_file_sync(v);
	if (r < 0)
		return r;
	v->header.table_offset = table_offset;
	v->header.table_entries = entries;
	return 0;
}

/* Makes sure of @entries in the table, absent ones from block_count on. */
static int lengthen_table(struct vhd *v, uint32_t entries)
{
	uint64_t table = v->header.table_offset;
	uint64_t used = (uint64_t)v->block_count * VHD_ENTRY_BYTES;
	uint64_t bytes = round_up((uint64_t)entries * VHD_ENTRY_BYTES, VHD_SECTOR_BYTES);
	uint64_t room = 0, end = v->alloc_end;
	int r = vhd_room_end(v, table + (uint64_t)v->header.table_entries * VHD_ENTRY_BYTES, &room);

	/* Nothing but the footer stands behind it: that goes further. */
	if (r == 0 && room == end && table + bytes > room) {
		r = vhd_tail_move(v, table + bytes);
		room = v->alloc_end = table + bytes;
	}
	if (r < 0)
		return r;
	if (table + bytes <= room || entries <= v->header.table_entries) {
		bytes = min_u64(bytes, max_u64(room - table, used));
		r = write_absent(v, table + used, bytes - used);
		if (r == 0)
			r = vhd_file_sync(v);
		if (r == 0 && entries > v->header.table_entries)
			r = switch_header(v, table, entries);
		return r;
	}
	/* Behind the footer that a crash would find, which is then moved there for good. */
	r = vhd_tail_move(v, end + bytes);
	if (r == 0)
		r = copy_table(v, end, bytes);
	if (r == 0)
		r = vhd_file_sync(v);
	if (r == 0)
		r = switch_header(v, end, entries);
	if (r == 0)
		v->alloc_end = end + bytes;
	return r;
}

static int grow_dynamic(struct vhd *v, uint64_t bytes)
{
	uint64_t entries = (bytes + v->header.block_bytes - 1) >> v->block_shift;
	struct vhd_footer footer = footer_of_size(v, bytes);
	int r;

	if (entries > VHD_TABLE_ENTRIES_MAX)
		return vhd_fail(v, -EFBIG,
				"a disk of this size needs larger blocks than its %u bytes; "
				"convert it",
				v->header.block_bytes);
	r = vhd_tail_scan(v);
	if (r == 0)
		r = vhd_tail_trim(v); /* also refuses a table that is not sound */
	if (r == 0 && entries > v->block_count)
		r = lengthen_table(v, (uint32_t)entries);
	return r < 0 ? r : vhd_tail_change(v, &footer);
}

static int check_size(struct vhd *v, uint64_t bytes)
{
	uint64_t max = v->footer.type == VHD_FIXED ? VHD_FIXED_SIZE_MAX : VHD_DYNAMIC_SIZE_MAX;

	if (v->footer.type == VHD_DIFFERENCING)
		return vhd_fail(v, -EOPNOTSUPP,
				"a differencing disk has its parent's size: merge it first, or "
				"convert it");
	if (bytes % VHD_SECTOR_BYTES)
		return vhd_fail(v, -EINVAL, "a size of %llu bytes: give a multiple of 512",
				(unsigned long long)bytes);
	if (bytes < v->footer.current_size)
		return vhd_fail(v, -EINVAL,
				"has %llu bytes and cannot become smaller: what stands at its end "
				"would be lost",
				(unsigned long long)v->footer.current_size);
	if (bytes > max)
		return vhd_fail(v, -EFBIG, "a %s disk has at most %llu GiB",
				vhd_type_name((enum vhd_type)v->footer.type),
				(unsigned long long)(max >> 30));
	return 0;
}

int vhd_resize(const struct vhd_file *file, uint64_t bytes, char *error, size_t error_size)
{
	struct vhd *v;
	int r;

	if (file->raw) {
		snprintf(error, error_size, "%s: a raw image is resized by truncate(1)",
			 file->name);
		return -EOPNOTSUPP;
	}
	r = vhd_open_alone(file, false, &v, error, error_size);
	if (r < 0)
		return r;
	r = check_size(v, bytes);
	if (r == 0 && bytes > v->footer.current_size)
		r = v->footer.type == VHD_FIXED ? grow_fixed(v, bytes) : grow_dynamic(v, bytes);
	if (r < 0)
		snprintf(error, error_size, "%s", v->error);
	vhd_free(v);
	return r;
}
