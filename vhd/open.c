// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening: which footer counts, which size, and whether the files of a chain belong together.
 *
 * What is damaged can be read, as far as another part says the same, and is written to only after a
 * repair (check.c). One difference is no damage: two good footers that are not alike. A power
 * failure leaves them when the footer's contents change, the one at the end always first.
 */
#include "vhd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

static void put_line(char *line, size_t size, const struct vhd *v, const char *format, va_list args)
{
	int length = snprintf(line, size, "%s: ", v->name);

	vsnprintf(line + length, size - (size_t)length, format, args);
}

int vhd_fail(struct vhd *v, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(v->top->error, sizeof(v->top->error), v, format, args);
	va_end(args);
	return error;
}

void vhd_warn(struct vhd *v, const char *format, ...)
{
	struct vhd_warnings *warnings = v->top->warnings;
	va_list args;

	if (!warnings || warnings->count == VHD_WARNINGS_MAX)
		return;
	va_start(args, format);
	put_line(warnings->text[warnings->count++], VHD_WARNING_BYTES, v, format, args);
	va_end(args);
}

/* The name goes into messages of one line. */
void vhd_set_file(struct vhd *v, const struct vhd_file *file)
{
	if (!v->top)
		v->top = v;
	v->raw = file->raw;
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

/* Of the search for a fixed disk's footer before what was appended to it. */
#define SEARCH_BYTES (UINT64_C(1) << 20)
#define SEARCH_STEP 16384u

static bool is_footer_inside(const uint8_t raw[VHD_FOOTER_BYTES], uint64_t offset)
{
	struct vhd_footer footer;

	if (vhd_footer_look(raw) != VHD_FOOTER_GOOD)
		return false;
	vhd_footer_decode(raw, &footer);
	return footer.type == VHD_FIXED && footer.current_size == offset;
}

/* The last footer of a fixed disk that stands right behind its data; there may be none. */
static int search_footer(struct vhd *v, uint8_t ret_raw[VHD_FOOTER_BYTES])
{
	uint64_t end = round_down(v->file_bytes, VHD_SECTOR_BYTES);
	uint64_t lowest = end > SEARCH_BYTES ? end - SEARCH_BYTES : 0;
	uint8_t step[SEARCH_STEP];

	while (end > lowest) {
		uint32_t bytes = (uint32_t)min_u64(SEARCH_STEP, end - lowest);
		int r = vhd_file_read(v, end - bytes, step, bytes);

		if (r < 0)
			return r;
		for (uint32_t at = bytes; at;) {
			at -= VHD_FOOTER_BYTES;
			if (!is_footer_inside(step + at, end - bytes + at))
				continue;
			memcpy(ret_raw, step + at, VHD_FOOTER_BYTES);
			v->tail_offset = end - bytes + at;
			v->tail_state = VHD_FOOTER_INSIDE;
			return 0;
		}
		end -= bytes;
	}
	return 0;
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

/* The footer at the end counts when it makes sense. */
static int choose_tail(struct vhd *v, const uint8_t head[VHD_FOOTER_BYTES],
		       const uint8_t tail[VHD_FOOTER_BYTES])
{
	int r = try_footer(v, tail, "footer");

	if (r < 0)
		return r;
	if (v->file_bytes - v->tail_offset == VHD_FOOTER_SHORT_BYTES)
		v->tail_state = VHD_FOOTER_SHORT;
	else if (v->footer.type != VHD_FIXED && v->tail_offset % VHD_SECTOR_BYTES)
		v->tail_state = VHD_FOOTER_DAMAGED;
	if (v->footer.type == VHD_FIXED)
		v->head_state = VHD_FOOTER_MISSING;
	else if (v->head_state == VHD_FOOTER_GOOD && memcmp(head, tail, VHD_FOOTER_BYTES))
		v->head_state = VHD_FOOTER_STALE;
	return 0;
}

/*
 * The end is asked first: a fixed disk's data may begin with what looks like a footer. The copy at
 * the start counts when the end has none, or one that leads nowhere. A fixed disk has no copy; its
 * footer may be found before what was appended to the file.
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
		error = choose_tail(v, head, tail);
		if (error == 0)
			return 0;
	}
	vhd_footer_decode(head, &copy);
	if (v->head_state == VHD_FOOTER_GOOD && copy.type != VHD_FIXED) {
		r = try_footer(v, head, "footer copy at the start");
		if (r < 0)
			return r;
		if (v->tail_state == VHD_FOOTER_GOOD)
			v->tail_state = VHD_FOOTER_DAMAGED;
		v->tail_offset = VHD_OFFSET_NONE;
		return 0;
	}
	if (v->tail_state != VHD_FOOTER_MISSING)
		return error < 0 ? error : fail_no_footer(v);
	r = search_footer(v, tail);
	if (r == 0 && v->tail_state == VHD_FOOTER_INSIDE)
		return try_footer(v, tail, "footer");
	return r < 0 ? r : fail_no_footer(v);
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

static void warn_of_damage(struct vhd *v)
{
	static const char *const words[] = {
		[VHD_FOOTER_MISSING] = "is missing",
		[VHD_FOOTER_DAMAGED] = "is damaged",
		[VHD_FOOTER_STALE] = "differs from the footer, which is taken",
		[VHD_FOOTER_SHORT] = "has 511 bytes, as the oldest programs wrote it",
		[VHD_FOOTER_INSIDE] = "is followed by bytes that are not the disk's",
	};
	bool fixed = v->footer.type == VHD_FIXED;

	if (v->tail_state != VHD_FOOTER_GOOD)
		vhd_warn(v, "the footer %s; 'mainstay-vhd repair' mends that",
			 words[v->tail_state]);
	if (v->head_state != VHD_FOOTER_GOOD && !fixed)
		vhd_warn(v, "the footer's copy at the start %s; 'mainstay-vhd repair' mends that",
			 words[v->head_state]);
	v->needs_repair =
		v->tail_state != VHD_FOOTER_GOOD ||
		(!fixed && v->head_state != VHD_FOOTER_GOOD && v->head_state != VHD_FOOTER_STALE);
	/* Blocks lie on sectors; a footer that does not is no end for them. */
	if (!fixed && (v->tail_state == VHD_FOOTER_SHORT || v->tail_offset % VHD_SECTOR_BYTES))
		v->tail_offset = VHD_OFFSET_NONE;
}

int vhd_describe(struct vhd *v, const struct vhd_file *file)
{
	int r;

	vhd_set_file(v, file);
	r = v->io->ops->size(v->io, &v->file_bytes);
	if (r < 0)
		return vhd_fail(v, r, "cannot tell its size: %s", strerrordesc_np(-r));
	if (v->raw) {
		v->tail_offset = VHD_OFFSET_NONE;
		v->footer.current_size = round_up(v->file_bytes, VHD_SECTOR_BYTES);
		v->size_bytes = v->footer.current_size;
		v->footer.original_size = v->size_bytes;
		return 0;
	}
	r = choose_footer(v);
	if (r < 0)
		return r;
	warn_of_damage(v);
	v->size_bytes = choose_size(v);
	if (v->footer.type != VHD_FIXED)
		set_layout(v);
	return 0;
}

/* --- chains */

static int new_layer(struct vhd *child, const struct vhd_file *file, struct vhd **ret_layer)
{
	struct vhd *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return vhd_fail(child, -ENOMEM, "out of memory");
	v->top = child->top;
	v->layer = child->layer + 1;
	v->read_only = true;
	child->parent = v;
	r = vhd_describe(v, file);
	/* What a guest of the parent alone would see does not matter here. */
	v->size_bytes = v->footer.current_size;
	*ret_layer = v;
	return r;
}

static int fail_without_parent(struct vhd *v)
{
	char parent[VHD_PARENT_NAME_BYTES];

	vhd_header_parent_name(&v->header, parent);
	return vhd_fail(v, -ENOLINK, "its parent %.300s is needed and was not given",
			*parent ? parent : "(which it does not name)");
}

/* As other programs do that write it: the parent file's own time, on FAT even seconds, or off by an
 * hour of summer time. 0: not recorded.
 */
static void compare_times(struct vhd *child, struct vhd *parent)
{
	struct vhd_io_identity identity;
	int64_t recorded = (int64_t)child->header.parent_time + VHD_EPOCH_UNIX, apart;

	if (!child->header.parent_time || !parent->io->ops->identity ||
	    parent->io->ops->identity(parent->io, &identity) < 0 || !identity.modified_unix)
		return;
	apart = llabs(identity.modified_unix - recorded);
	if (apart > 2 && llabs(apart - 3600) > 2)
		vhd_warn(child,
			 "its parent %s has another time of change than was recorded: if it was "
			 "written to since, the disk's contents are wrong",
			 parent->name);
}

static bool is_zero_id(const uint8_t id[16])
{
	return !id[0] && !memcmp(id, id + 1, 15);
}

static int check_parent(struct vhd *child, struct vhd *parent, unsigned int accept)
{
	bool same = parent->raw ? is_zero_id(child->header.parent_id)
				: !memcmp(child->header.parent_id, parent->footer.id, 16);

	if (!same && !(accept & VHD_ACCEPT_PARENT_ID))
		return vhd_fail(child, -ENOLINK,
				"%s is not the parent that it was made for: its id is another",
				parent->name);
	if (!same)
		vhd_warn(child, "%s has another id than its parent, and is taken all the same",
			 parent->name);
	if (parent->footer.current_size != child->footer.current_size) {
		if (!(accept & VHD_ACCEPT_PARENT_SIZE))
			return vhd_fail(child, -ENOLINK,
					"its parent %s has %llu bytes, not %llu: one of them was "
					"resized",
					parent->name,
					(unsigned long long)parent->footer.current_size,
					(unsigned long long)child->footer.current_size);
		vhd_warn(child, "its parent %s has another size", parent->name);
	}
	compare_times(child, parent);
	return 0;
}

static bool is_same_file(struct vhd *a, struct vhd *b)
{
	struct vhd_io_identity first, second;

	if (a->io == b->io)
		return true;
	if (!a->io->ops->identity || !b->io->ops->identity ||
	    a->io->ops->identity(a->io, &first) < 0 || b->io->ops->identity(b->io, &second) < 0)
		return false;
	return first.device == second.device && first.inode == second.inode;
}

/* One file twice is a circle. Two files with one id are copies: they may not both be ancestors. */
static int check_repetition(struct vhd *v)
{
	for (struct vhd *a = v->top; a != v; a = a->parent) {
		if (is_same_file(a, v) ||
		    (!a->raw && !v->raw && !memcmp(a->footer.id, v->footer.id, 16)))
			return vhd_fail(a, -ELOOP, "%s is the same disk, and its own ancestor",
					v->name);
	}
	return 0;
}

static int open_parents(struct vhd *top, const struct vhd_file *files, unsigned int count,
			unsigned int accept)
{
	struct vhd *child = top, *parent = NULL;

	for (unsigned int i = 1; i < count; i++) {
		int r;

		if (child->footer.type != VHD_DIFFERENCING)
			return vhd_fail(child, -EINVAL,
					"a %s disk has no parent, but one was given",
					vhd_type_name((enum vhd_type)child->footer.type));
		r = new_layer(child, &files[i], &parent);
		if (r == 0)
			r = check_repetition(parent);
		if (r == 0)
			r = check_parent(child, parent, accept);
		if (r < 0)
			return r;
		child = parent;
	}
	return child->footer.type == VHD_DIFFERENCING ? fail_without_parent(child) : 0;
}

static int refuse_writing(struct vhd *v, bool ignore_saved_state)
{
	if (v->footer.saved_state && !ignore_saved_state)
		return vhd_fail(v, -EPERM,
				"it belongs to a saved state; resume the machine or discard the "
				"state first");
	if (v->needs_repair)
		return vhd_fail(v, -EUCLEAN,
				"%s; it can be read, and 'mainstay-vhd repair' mends it",
				v->tail_state != VHD_FOOTER_GOOD
					? "its footer is damaged"
					: "its footer's copy at the start is damaged");
	return 0;
}

int vhd_open_alone(const struct vhd_file *file, bool ignore_saved_state, struct vhd **ret_vhd,
		   char *error, size_t error_size)
{
	struct vhd *v = calloc(1, sizeof(*v));
	int r;

	if (!v) {
		snprintf(error, error_size, "%s: out of memory", file->name);
		return -ENOMEM;
	}
	r = vhd_describe(v, file);
	if (r == 0)
		r = refuse_writing(v, ignore_saved_state);
	if (r < 0) {
		snprintf(error, error_size, "%s", v->error);
		vhd_free(v);
		return r;
	}
	*ret_vhd = v;
	return 0;
}

static int open_image(struct vhd *v, const struct vhd_file *files, unsigned int count,
		      const struct vhd_open_options *options)
{
	int r;

	v->read_only = options->read_only;
	v->size_rule = options->size_rule;
	r = vhd_describe(v, files);
	if (r == 0)
		r = open_parents(v, files, count, options->accept);
	if (r == 0 && !v->read_only)
		r = refuse_writing(v, options->ignore_saved_state);
	if (r < 0)
		return r;
	if (v->size_bytes != v->footer.current_size)
		vhd_warn(v, "its size is taken from its geometry, %llu bytes instead of %llu",
			 (unsigned long long)v->size_bytes,
			 (unsigned long long)v->footer.current_size);
	r = vhd_cache_init(v,
			   options->cache_bytes ? options->cache_bytes : VHD_CACHE_BYTES_DEFAULT);
	if (r < 0)
		return vhd_fail(v, r, "out of memory");
	if (!v->read_only && v->head_state == VHD_FOOTER_STALE)
		return vhd_tail_copy_to_head(v);
	return 0;
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
		return count ? -ELOOP : -EINVAL;
	}
	v = calloc(1, sizeof(*v));
	if (v)
		v->warnings = calloc(1, sizeof(*v->warnings));
	if (!v || !v->warnings) {
		free(v);
		snprintf(error, error_size, "%s: out of memory", files[0].name);
		return -ENOMEM;
	}
	r = open_image(v, files, count, options ? options : &defaults);
	if (r < 0) {
		snprintf(error, error_size, "%s", v->error);
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
	r = vhd_describe(v, file);
	if (r < 0)
		snprintf(error, error_size, "%s", v->error);
	else
		vhd_get_info(v, ret_info);
	vhd_free(v);
	return r;
}
