// SPDX-License-Identifier: GPL-2.0-or-later
/* What is done with an open disk: closing, describing, and the calls that change its data. */
#include "vhd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

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

	if (r < 0 || !v->changed || vhd_is_flat(v))
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
	free(v->warnings);
	while (v) {
		struct vhd *parent = v->parent;

		free(v);
		v = parent;
	}
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
	case VHD_RAW:
		return "raw";
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
		.needs_repair = v->needs_repair,
	};
	if (v->raw)
		return;
	copy_code(ret_info->creator, footer->creator);
	copy_code(ret_info->creator_os, footer->creator_os);
	memcpy(ret_info->id, footer->id, sizeof(ret_info->id));
	if (vhd_is_flat(v))
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

const char *vhd_warning(const struct vhd *v, unsigned int n)
{
	return v->warnings && n < v->warnings->count ? v->warnings->text[n] : NULL;
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

	if (vhd_is_flat(v))
		return vhd_fail(v, -EINVAL, "a %s disk has no blocks",
				vhd_type_name((enum vhd_type)v->footer.type));
	r = vhd_flush(v);
	if (r == 0)
		r = vhd_bat_walk(v, v->block_count, count_entry, &count);
	if (r == 0)
		*ret_count = count;
	return r;
}

/* --- data */

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

	return r < 0 ? r : vhd_read_span(v, offset, &span, bytes);
}

int vhd_write(struct vhd *v, uint64_t offset, const struct iovec *iov, unsigned int iov_count)
{
	struct vhd_span span = { iov, iov_count, 0 };
	uint64_t bytes = vhd_iov_bytes(iov, iov_count);
	int r = check_range(v, offset, bytes, true);

	return r < 0 ? r : vhd_ops(v)->write(v, offset, &span, bytes);
}

int vhd_write_zeroes(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	int r = check_range(v, offset, bytes, true);

	return r < 0 || !bytes ? r : vhd_ops(v)->write_zeroes(v, offset, bytes);
}

int vhd_discard(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	int r = check_range(v, offset, bytes, true);
	uint64_t first, end;

	if (r < 0)
		return r;
	first = round_up(offset, VHD_SECTOR_BYTES);
	end = round_down(offset + bytes, VHD_SECTOR_BYTES);
	return end > first ? vhd_ops(v)->discard(v, first, end - first) : 0;
}

int vhd_set_saved_state(struct vhd *v, bool saved)
{
	struct vhd_footer footer = v->footer;
	int r;

	if (v->raw)
		return vhd_fail(v, -EOPNOTSUPP, "a raw image cannot be marked");
	if (v->read_only)
		return vhd_fail(v, -EROFS, "it was opened read-only");
	r = vhd_flush(v);
	footer.saved_state = saved;
	if (r < 0 || footer.saved_state == v->footer.saved_state)
		return r;
	return vhd_tail_change(v, &footer);
}

/* --- batches */

#define BATCH_PIECES 64

/* How many of the requests from the first on continue each other and fit one transfer. */
static unsigned int count_neighbours(const struct vhd_request *requests, unsigned int count,
				     struct iovec *iov, unsigned int *ret_pieces)
{
	uint64_t end = requests[0].offset;
	unsigned int pieces = 0, n = 0;

	for (; n < count; n++) {
		const struct vhd_request *request = &requests[n];

		if (request->op != requests[0].op || request->offset != end ||
		    request->iov_count > BATCH_PIECES - pieces)
			break;
		memcpy(iov + pieces, request->iov, request->iov_count * sizeof(*iov));
		pieces += request->iov_count;
		end += vhd_iov_bytes(request->iov, request->iov_count);
	}
	*ret_pieces = pieces;
	return n;
}

static int carry_out(struct vhd *v, const struct vhd_request *request)
{
	switch (request->op) {
	case VHD_OP_READ:
		return vhd_read(v, request->offset, request->iov, request->iov_count);
	case VHD_OP_WRITE:
		return vhd_write(v, request->offset, request->iov, request->iov_count);
	case VHD_OP_FLUSH:
		return vhd_flush(v);
	case VHD_OP_WRITE_ZEROES:
		return vhd_write_zeroes(v, request->offset, request->bytes);
	case VHD_OP_DISCARD:
		return vhd_discard(v, request->offset, request->bytes);
	}
	return -EINVAL;
}

/* The requests that are done as one, and their result. 0: each by itself. */
static unsigned int carry_out_together(struct vhd *v, const struct vhd_request *requests,
				       unsigned int count, int *ret_result)
{
	struct iovec iov[BATCH_PIECES];
	unsigned int pieces, n = 0;

	switch (requests[0].op) {
	case VHD_OP_READ:
	case VHD_OP_WRITE:
		n = count_neighbours(requests, count, iov, &pieces);
		if (n < 2)
			return 0;
		if (requests[0].op == VHD_OP_READ)
			*ret_result = vhd_read(v, requests[0].offset, iov, pieces);
		else
			*ret_result = vhd_write(v, requests[0].offset, iov, pieces);
		/* Which of them failed is found by doing them one by one. */
		return *ret_result == 0 ? n : 0;
	case VHD_OP_FLUSH:
		while (n < count && requests[n].op == VHD_OP_FLUSH)
			n++;
		*ret_result = vhd_flush(v);
		return n;
	case VHD_OP_WRITE_ZEROES:
	case VHD_OP_DISCARD:
		break;
	}
	return 0;
}

int vhd_batch(struct vhd *v, struct vhd_request *requests, unsigned int count)
{
	int first = 0;

	for (unsigned int i = 0, n; i < count; i += n) {
		int r = 0;

		n = carry_out_together(v, requests + i, count - i, &r);
		if (!n) {
			r = carry_out(v, &requests[i]);
			n = 1;
		}
		for (unsigned int k = 0; k < n; k++)
			requests[i + k].result = r;
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}
