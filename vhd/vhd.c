// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening and closing a disk, and what goes to fixed.c or dynamic.c. */
#include "vhd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

int vhd_fail(struct vhd *v, int error, const char *format, ...)
{
	int length = snprintf(v->error, sizeof(v->error), "%s: ", v->name);
	va_list args;

	va_start(args, format);
	vsnprintf(v->error + length, sizeof(v->error) - (size_t)length, format, args);
	va_end(args);
	return error;
}

/* The name goes into messages of one line. */
void vhd_set_file(struct vhd *v, const struct vhd_file *file)
{
	vhd_io_fd_init(&v->fd_io, file->fd);
	v->io = file->io ? file->io : &v->fd_io.io;
	snprintf(v->name, sizeof(v->name), "%s", file->name ? file->name : "disk image");
	for (char *p = v->name; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

/* --- opening */

/* How far the footer moves at a time: two syncs for so many bytes of new blocks. */
#define GROW_BYTES (UINT64_C(64) << 20)

/* The footer at the end, of 512 or 511 bytes, and what stands where the copy at the start would. */
static int read_footers(struct vhd *v, uint8_t head[VHD_FOOTER_BYTES],
			uint8_t tail[VHD_FOOTER_BYTES])
{
	uint64_t size = v->file_bytes;
	int r = 0;

	memset(head, 0, VHD_FOOTER_BYTES);
	memset(tail, 0, VHD_FOOTER_BYTES);
	v->tail_offset = VHD_OFFSET_NONE;
	if (size >= VHD_FOOTER_BYTES) {
		v->tail_offset = size - VHD_FOOTER_BYTES;
		r = vhd_file_read(v, 0, head, VHD_FOOTER_BYTES);
		if (r == 0)
			r = vhd_file_read(v, v->tail_offset, tail, VHD_FOOTER_BYTES);
	}
	v->head_state = vhd_footer_look(head);
	v->tail_state = vhd_footer_look(tail);
	if (r == 0 && v->tail_state == VHD_FOOTER_MISSING &&
	    size % VHD_FOOTER_BYTES == VHD_FOOTER_SHORT_BYTES) {
		v->tail_offset = size - VHD_FOOTER_SHORT_BYTES;
		r = vhd_file_read(v, v->tail_offset, tail, VHD_FOOTER_SHORT_BYTES);
		tail[VHD_FOOTER_SHORT_BYTES] = 0;
		v->tail_state = vhd_footer_look(tail);
	}
	if (v->tail_state == VHD_FOOTER_MISSING)
		v->tail_offset = VHD_OFFSET_NONE;
	return r;
}

/* Takes @raw as the disk's footer when it and the header that it leads to make sense. */
static int try_footer(struct vhd *v, const uint8_t raw[VHD_FOOTER_BYTES], const char *which)
{
	struct vhd_footer footer;
	int r;

	vhd_footer_decode(raw, &footer);
	r = vhd_footer_check(v, &footer, which);
	if (r == 0 && footer.type != VHD_FIXED)
		r = vhd_header_read(v, &footer, &v->header);
	if (r < 0)
		return r;
	v->footer = footer;
	memcpy(v->footer_raw, raw, VHD_FOOTER_BYTES);
	return 0;
}

static int fail_no_footer(struct vhd *v)
{
	if (v->tail_state == VHD_FOOTER_DAMAGED)
		return vhd_fail(v, -EUCLEAN,
				"footer: its checksum is wrong, and there is no good copy "
				"at the start");
	if (v->head_state == VHD_FOOTER_DAMAGED)
		return vhd_fail(v, -EUCLEAN,
				"footer: missing at the end, and the checksum of its copy "
				"at the start is wrong");
	return vhd_fail(v, -EMEDIUMTYPE, "not a virtual hard disk: there is no footer at its end");
}

/*
 * The end is asked first: a fixed disk's data may begin with what looks like a footer. The copy at
 * the start counts when the end has none, or one that leads nowhere.
 */
static int choose_footer(struct vhd *v)
{
	uint8_t head[VHD_FOOTER_BYTES], tail[VHD_FOOTER_BYTES];
	struct vhd_footer copy;
	int r = read_footers(v, head, tail);
	int error = 0;

	if (r < 0)
		return r;
	if (v->tail_state == VHD_FOOTER_GOOD) {
		error = try_footer(v, tail, "footer");
		if (error == 0 && v->footer.type == VHD_FIXED) {
			v->head_state = VHD_FOOTER_MISSING;
			return 0;
		}
		/* Blocks lie on sectors; a footer that does not is no end for them. */
		if (error == 0 && v->tail_offset % VHD_SECTOR_BYTES)
			v->tail_offset = VHD_OFFSET_NONE;
		if (error == 0) {
			if (v->head_state == VHD_FOOTER_GOOD && memcmp(head, tail, sizeof(head)))
				v->head_state = VHD_FOOTER_DAMAGED;
			return 0;
		}
	}
	vhd_footer_decode(head, &copy);
	if (v->head_state != VHD_FOOTER_GOOD || copy.type == VHD_FIXED)
		return error < 0 ? error : fail_no_footer(v);
	r = try_footer(v, head, "footer copy at the start");
	if (r < 0)
		return r;
	if (v->tail_state == VHD_FOOTER_GOOD)
		v->tail_state = VHD_FOOTER_DAMAGED;
	v->tail_offset = VHD_OFFSET_NONE;
	return 0;
}

static uint64_t choose_size(const struct vhd *v)
{
	static const char by_chs[][5] = { "vpc ", "qemu" };
	const struct vhd_footer *footer = &v->footer;
	uint64_t bytes = vhd_geometry_bytes(footer->geometry);
	bool chs = v->size_rule == VHD_SIZE_CHS;

	for (size_t i = 0; i < ARRAY_LEN(by_chs) && v->size_rule == VHD_SIZE_BY_CREATOR; i++)
		chs |= !memcmp(footer->creator, by_chs[i], 4);
	if (!chs || !bytes || bytes > footer->current_size ||
	    bytes == vhd_geometry_bytes(vhd_geometry(UINT64_MAX)))
		return footer->current_size;
	return bytes;
}

static void set_layout(struct vhd *v)
{
	const struct vhd_header *header = &v->header;
	uint64_t table_end =
		header->table_offset + (uint64_t)header->table_entries * VHD_ENTRY_BYTES;
	uint64_t end = max_u64(v->footer.data_offset + VHD_HEADER_BYTES,
			       max_u64(table_end, header->locators_end));

	v->metadata_end = round_up(end, VHD_SECTOR_BYTES);
	v->grow_bytes = GROW_BYTES;
	v->stale_footer = VHD_OFFSET_NONE;
	v->block_shift = (uint32_t)__builtin_ctz(header->block_bytes);
	v->block_count =
		(uint32_t)((v->footer.current_size + header->block_bytes - 1) >> v->block_shift);
	v->bitmap_bytes =
		(uint32_t)round_up(header->block_bytes / VHD_SECTOR_BYTES / 8, VHD_SECTOR_BYTES);
}

/* Reads what describes the disk: all but its blocks. */
static int describe(struct vhd *v, const struct vhd_file *file)
{
	int r;

	vhd_set_file(v, file);
	r = v->io->ops->size(v->io, &v->file_bytes);
	if (r < 0)
		return vhd_fail(v, r, "cannot tell its size: %s", strerrordesc_np(-r));
	r = choose_footer(v);
	if (r < 0)
		return r;
	v->size_bytes = choose_size(v);
	if (v->footer.type != VHD_FIXED)
		set_layout(v);
	return 0;
}

static int refuse_chain(struct vhd *v, unsigned int count)
{
	char parent[769];

	if (v->footer.type != VHD_DIFFERENCING)
		return count == 1
			       ? 0
			       : vhd_fail(v, -EINVAL, "a %s disk has no parent, but one was given",
					  vhd_type_name(v->footer.type));
	vhd_header_parent_name(&v->header, parent);
	if (count == 1)
		return vhd_fail(v, -ENOLINK, "its parent %.300s is needed and was not given",
				*parent ? parent : "(which it does not name)");
	return vhd_fail(v, -EOPNOTSUPP, "differencing disks cannot be opened yet");
}

/* The copy at the start first: while the footer at the end moves it is what a crash leaves. */
static int restore_footers(struct vhd *v)
{
	int r = 0;

	if (v->head_state != VHD_FOOTER_GOOD) {
		r = vhd_file_write(v, 0, v->footer_raw, VHD_FOOTER_BYTES);
		if (r == 0)
			r = vhd_file_sync(v);
		if (r < 0)
			return r;
		v->head_state = VHD_FOOTER_GOOD;
	}
	if (v->tail_offset != VHD_OFFSET_NONE && v->tail_state == VHD_FOOTER_GOOD)
		return 0;
	v->tail_offset = VHD_OFFSET_NONE;
	r = vhd_tail_scan(v);
	if (r < 0 || v->bad_block != VHD_BLOCK_ABSENT)
		return r; /* where the blocks end is not certain: leave that to a repair */
	r = vhd_tail_trim(v);
	if (r == 0)
		v->tail_state = VHD_FOOTER_GOOD;
	return r;
}

static int open_image(struct vhd *v, const struct vhd_file *files, unsigned int count,
		      const struct vhd_open_options *options)
{
	int r;

	v->read_only = options->read_only;
	v->size_rule = options->size_rule;
	r = describe(v, files);
	if (r == 0)
		r = refuse_chain(v, count);
	if (r < 0)
		return r;
	if (v->footer.saved_state && !v->read_only && !options->ignore_saved_state)
		return vhd_fail(v, -EPERM,
				"it belongs to a saved state; resume the machine or discard the "
				"state first");
	if (v->footer.type == VHD_FIXED)
		return 0;
	r = vhd_cache_init(v,
			   options->cache_bytes ? options->cache_bytes : VHD_CACHE_BYTES_DEFAULT);
	if (r < 0)
		return vhd_fail(v, r, "out of memory");
	return v->read_only ? 0 : restore_footers(v);
}

static void pass_error(const struct vhd *v, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s", v->error);
}

int vhd_open(const struct vhd_file *files, unsigned int count,
	     const struct vhd_open_options *options, struct vhd **ret_vhd, char *error,
	     size_t error_size)
{
	static const struct vhd_open_options defaults = { 0 };
	struct vhd *v;
	int r;

	if (!count || count > VHD_CHAIN_MAX) {
		snprintf(error, error_size, "a chain of %u disks; 1 to %u are possible", count,
			 VHD_CHAIN_MAX);
		return -EINVAL;
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		snprintf(error, error_size, "%s: out of memory", files[0].name);
		return -ENOMEM;
	}
	r = open_image(v, files, count, options ? options : &defaults);
	if (r < 0) {
		pass_error(v, error, error_size);
		vhd_free(v);
		return r;
	}
	*ret_vhd = v;
	return 0;
}

int vhd_probe(const struct vhd_file *file, struct vhd_info *ret_info, char *error,
	      size_t error_size)
{
	struct vhd *v = calloc(1, sizeof(*v));
	int r;

	if (!v) {
		snprintf(error, error_size, "%s: out of memory", file->name);
		return -ENOMEM;
	}
	v->read_only = true;
	r = describe(v, file);
	if (r < 0)
		pass_error(v, error, error_size);
	else
		vhd_get_info(v, ret_info);
	vhd_free(v);
	return r;
}

/* --- closing */

int vhd_flush(struct vhd *v)
{
	int r = v->read_only ? 0 : vhd_cache_flush(v);

	/* The kernel tells only once that writes are lost, and that may have been in a write. */
	if (r == 0 && v->lost < 0)
		r = vhd_fail(v, v->lost, "what was written before did not reach stable storage: %s",
			     strerrordesc_np(-v->lost));
	v->lost = 0;
	return r;
}

int vhd_finish(struct vhd *v)
{
	int r = vhd_flush(v);

	if (r < 0 || !v->changed || v->footer.type == VHD_FIXED)
		return r;
	r = vhd_tail_scan(v);
	if (r < 0 || v->bad_block != VHD_BLOCK_ABSENT)
		return r;
	return vhd_tail_trim(v);
}

void vhd_free(struct vhd *v)
{
	if (!v)
		return;
	vhd_cache_fini(v);
	free(v);
}

int vhd_close(struct vhd *v)
{
	int r = vhd_finish(v);

	vhd_free(v);
	return r;
}

/* --- description */

const char *vhd_type_name(enum vhd_type type)
{
	switch (type) {
	case VHD_FIXED:
		return "fixed";
	case VHD_DYNAMIC:
		return "dynamic";
	case VHD_DIFFERENCING:
		return "differencing";
	}
	return "unknown";
}

static void copy_code(char ret_text[5], const uint8_t code[4])
{
	for (unsigned int i = 0; i < 4; i++)
		ret_text[i] = code[i] >= 0x20 && code[i] < 0x7f ? (char)code[i] : '?';
	ret_text[4] = '\0';
}

void vhd_get_info(const struct vhd *v, struct vhd_info *ret_info)
{
	const struct vhd_footer *footer = &v->footer;

	*ret_info = (struct vhd_info){
		.type = (enum vhd_type)footer->type,
		.size_bytes = v->size_bytes,
		.current_bytes = footer->current_size,
		.original_bytes = footer->original_size,
		.file_bytes = v->file_bytes,
		.geometry = footer->geometry,
		.geometry_bytes = vhd_geometry_bytes(footer->geometry),
		.creator_version = footer->creator_version,
		.created_unix = (int64_t)footer->time + VHD_EPOCH_UNIX,
		.saved_state = footer->saved_state,
		.temporary = footer->features & FEATURE_TEMPORARY,
		.head = v->head_state,
		.tail = v->tail_state,
	};
	copy_code(ret_info->creator, footer->creator);
	copy_code(ret_info->creator_os, footer->creator_os);
	memcpy(ret_info->id, footer->id, sizeof(ret_info->id));
	if (footer->type == VHD_FIXED)
		return;
	ret_info->block_bytes = v->header.block_bytes;
	ret_info->block_count = v->block_count;
	ret_info->table_entries = v->header.table_entries;
	if (footer->type != VHD_DIFFERENCING)
		return;
	memcpy(ret_info->parent_id, v->header.parent_id, sizeof(ret_info->parent_id));
	if (v->header.parent_time)
		ret_info->parent_time_unix = (int64_t)v->header.parent_time + VHD_EPOCH_UNIX;
	vhd_header_parent_name(&v->header, ret_info->parent_name);
}

uint64_t vhd_size_bytes(const struct vhd *v)
{
	return v->size_bytes;
}

const char *vhd_error(const struct vhd *v)
{
	return v->error;
}

static int count_entry(struct vhd *v, uint32_t block, uint32_t sector, void *opaque)
{
	(void)v;
	(void)block;
	(void)sector;
	++*(uint32_t *)opaque;
	return 0;
}

int vhd_count_blocks(struct vhd *v, uint32_t *ret_count)
{
	uint32_t count = 0;
	int r;

	if (v->footer.type == VHD_FIXED)
		return vhd_fail(v, -EINVAL, "a fixed disk has no blocks");
	r = vhd_flush(v);
	if (r == 0)
		r = vhd_bat_walk(v, v->block_count, count_entry, &count);
	if (r == 0)
		*ret_count = count;
	return r;
}

/* --- data */

static const struct vhd_format_ops *ops_of(const struct vhd *v)
{
	return v->footer.type == VHD_FIXED ? &vhd_fixed_ops : &vhd_dynamic_ops;
}

static int check_range(struct vhd *v, uint64_t offset, uint64_t bytes, bool write)
{
	if (offset > v->size_bytes || bytes > v->size_bytes - offset)
		return vhd_fail(v, -EINVAL, "%llu bytes at %llu do not lie within the disk",
				(unsigned long long)bytes, (unsigned long long)offset);
	if (write && v->read_only)
		return vhd_fail(v, -EROFS, "it was opened read-only");
	v->changed |= write;
	return 0;
}

int vhd_read(struct vhd *v, uint64_t offset, const struct iovec *iov, unsigned int iov_count)
{
	struct vhd_span span = { iov, iov_count, 0 };
	uint64_t bytes = vhd_iov_bytes(iov, iov_count);
	int r = check_range(v, offset, bytes, false);

	return r < 0 ? r : ops_of(v)->read(v, offset, &span, bytes);
}

int vhd_write(struct vhd *v, uint64_t offset, const struct iovec *iov, unsigned int iov_count)
{
	struct vhd_span span = { iov, iov_count, 0 };
	uint64_t bytes = vhd_iov_bytes(iov, iov_count);
	int r = check_range(v, offset, bytes, true);

	return r < 0 ? r : ops_of(v)->write(v, offset, &span, bytes);
}

int vhd_write_zeroes(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	int r = check_range(v, offset, bytes, true);

	return r < 0 || !bytes ? r : ops_of(v)->write_zeroes(v, offset, bytes);
}

int vhd_discard(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	int r = check_range(v, offset, bytes, true);
	uint64_t first, end;

	if (r < 0)
		return r;
	first = round_up(offset, VHD_SECTOR_BYTES);
	end = round_down(offset + bytes, VHD_SECTOR_BYTES);
	return end > first ? ops_of(v)->discard(v, first, end - first) : 0;
}
