// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading through a chain.
 *
 * A sector comes from the first file of the chain that holds it, and is zeros when none does. The
 * search is a loop, not a recursion: chains may be long and the worker's stack is not. In each file
 * it learns how far the answer is the same, and the shortest of these counts.
 */
#include "image.h"

#include <errno.h>

int vhd_locate(struct vhd *v, uint64_t offset, uint64_t bytes, struct vhd_place *ret_place)
{
	struct vhd_place place = { .bytes = bytes };

	if (v && v->memo && vhd_memo_locate(v, offset, bytes, ret_place))
		return 0;
	for (; v; v = v->parent) {
		uint64_t there;
		int r;

		/* Behind the end of a smaller ancestor are zeros. */
		if (offset >= v->size_bytes)
			break;
		there = min_u64(place.bytes, v->size_bytes - offset);
		r = vhd_ops(v)->locate(v, offset, there, &place);
		if (r < 0)
			return r;
		if (place.layer || place.cut)
			break;
	}
	*ret_place = place;
	return 0;
}

int vhd_read_span(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes)
{
	while (bytes) {
		struct vhd_place place;
		int r = vhd_locate(v, offset, bytes, &place);

		if (r == 0 && place.layer)
			r = vhd_file_read_span(place.layer, place.offset, span, place.bytes);
		else if (r == 0)
			vhd_span_zero(span, place.bytes);
		if (r < 0)
			return r;
		offset += place.bytes;
		bytes -= place.bytes;
	}
	return 0;
}

int vhd_is_absent(struct vhd *v, uint64_t offset, uint64_t bytes, bool *ret_absent)
{
	*ret_absent = true;
	while (v && bytes) {
		struct vhd_place place;
		int r = vhd_locate(v, offset, bytes, &place);

		if (r < 0)
			return r;
		if (place.layer) {
			*ret_absent = false;
			return 0;
		}
		offset += place.bytes;
		bytes -= place.bytes;
	}
	return 0;
}

/* --- for callers */

static struct vhd *layer_of(const struct vhd *v, unsigned int layer)
{
	struct vhd *at = v->top;

	while (at && layer--)
		at = at->parent;
	return at;
}

unsigned int vhd_layer_count(const struct vhd *v)
{
	unsigned int count = 0;

	for (; v; v = v->parent)
		count++;
	return count;
}

void vhd_get_layer_info(const struct vhd *v, unsigned int layer, struct vhd_info *ret_info)
{
	vhd_get_info(layer_of(v, layer), ret_info);
}

static int check_range(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	if (offset > v->size_bytes || bytes > v->size_bytes - offset)
		return vhd_fail(v, -EINVAL, "%llu bytes at %llu do not lie within the disk",
				(unsigned long long)bytes, (unsigned long long)offset);
	return 0;
}

int vhd_read_below(struct vhd *v, unsigned int layer, uint64_t offset, const struct iovec *iov,
		   unsigned int iov_count)
{
	struct vhd_span span = { iov, iov_count, 0 };
	uint64_t bytes = vhd_iov_bytes(iov, iov_count);
	int r = check_range(v, offset, bytes);

	if (r < 0)
		return r;
	v = layer_of(v, layer);
	if (v)
		return vhd_read_span(v, offset, &span, bytes);
	vhd_span_zero(&span, bytes);
	return 0;
}

/* Holes of a file are zeros as well as what no file holds. */
static void look_for_holes(struct vhd_place *place)
{
	struct vhd *v = place->layer;
	uint64_t bytes;
	bool hole;

	if (!v || !v->io->ops->extent ||
	    v->io->ops->extent(v->io, place->offset, place->bytes, &bytes, &hole) < 0)
		return;
	/* Less than a sector of a hole is none. */
	if (hole && bytes < place->bytes)
		bytes = round_down(bytes, VHD_SECTOR_BYTES);
	else if (!hole)
		bytes = min_u64(place->bytes, round_up(bytes, VHD_SECTOR_BYTES));
	if (!bytes)
		return;
	place->bytes = bytes;
	if (hole)
		place->layer = NULL;
}

static bool follows(const struct vhd_extent *extent, const struct vhd_place *place)
{
	if (extent->zero)
		return !place->layer;
	return place->layer && place->layer->layer == extent->layer &&
	       place->offset == extent->file_offset + extent->bytes;
}

int vhd_map(struct vhd *v, unsigned int layer, uint64_t offset, uint64_t bytes,
	    struct vhd_extent *ret_extent)
{
	struct vhd *from = layer_of(v, layer);
	struct vhd_extent extent = { .offset = offset };
	int r = check_range(v, offset, bytes);

	if (r < 0)
		return r;
	while (extent.bytes < bytes) {
		struct vhd_place place;

		r = vhd_locate(from, offset + extent.bytes, bytes - extent.bytes, &place);
		if (r < 0)
			return r;
		look_for_holes(&place);
		if (!extent.bytes) {
			extent.zero = !place.layer;
			extent.layer = place.layer ? place.layer->layer : 0;
			extent.file_offset = place.layer ? place.offset : 0;
		} else if (!follows(&extent, &place)) {
			break;
		}
		extent.bytes += place.bytes;
	}
	*ret_extent = extent;
	return 0;
}
