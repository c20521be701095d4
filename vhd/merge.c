// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between a child and its parents.
 *
 * Both jobs only write what the chain holds already, to a place where it does not change what the
 * child reads: so they may stop anywhere and be done again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "walk.h"

static int check_merge(struct vhd *child, struct vhd *parent)
{
	if (child->footer.type != VHD_DIFFERENCING || child->raw)
		return vhd_fail(child, -EINVAL, "a %s disk has no parent to be merged into",
				vhd_type_name((enum vhd_type)child->footer.type));
	if (parent->size_bytes != child->size_bytes)
		return vhd_fail(child, -EINVAL, "its size is %llu bytes, that of %s %llu",
				(unsigned long long)child->size_bytes, parent->name,
				(unsigned long long)parent->size_bytes);
	return 0;
}

/*
 * Whether the child's file itself holds what is at the walk's place, and how far that goes. Not
 * vhd_map(), for which a hole in that file is zeros of nobody.
 */
static int find_own(struct vhd_walk *walk, struct vhd *child, uint64_t *ret_bytes, bool *ret_own)
{
	struct vhd_place place;
	int r = vhd_ops(child)->locate(child, walk->at, walk->end - walk->at, &place);

	if (r < 0)
		return vhd_walk_fail(walk, child, r);
	*ret_bytes = place.bytes;
	*ret_own = place.layer || place.cut;
	return 0;
}

int vhd_merge(struct vhd *child, struct vhd *parent, const struct vhd_job *job, char *error,
	      size_t error_size)
{
	struct vhd_walk walk;
	int flushed, r = check_merge(child, parent);

	if (r < 0) {
		snprintf(error, error_size, "%s", vhd_error(child));
		return r;
	}
	r = vhd_walk_begin(&walk, job, child->size_bytes, error, error_size);
	while (r == 0 && walk.at < walk.end) {
		uint64_t bytes;
		bool own;

		r = find_own(&walk, child, &bytes, &own);
		if (r == 0)
			r = own ? vhd_walk_copy(&walk, child, parent, bytes, false)
				: vhd_walk_on(&walk, bytes);
	}
	/* What is there already is kept, so that doing it again has less to do. */
	flushed = vhd_flush(parent);
	if (r == 0 && flushed < 0)
		r = vhd_walk_fail(&walk, parent, flushed);
	vhd_walk_end(&walk);
	return r;
}

/* Writes into the child where what its parents hold is not what the new base holds. */
static int write_differences(struct vhd_walk *walk, struct vhd *child, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes;) {
		uint64_t n = min_u64(VHD_GRAIN_BYTES, bytes - at);
		int r;

		if (!memcmp(walk->buffers[0] + at, walk->buffers[1] + at, n)) {
			at += n;
			continue;
		}
		while (at + n < bytes &&
		       memcmp(walk->buffers[0] + at + n, walk->buffers[1] + at + n,
			      min_u64(VHD_GRAIN_BYTES, bytes - at - n)))
			n += min_u64(VHD_GRAIN_BYTES, bytes - at - n);
		r = vhd_walk_write(walk, child, walk->at + at, n, walk->buffers[0] + at);
		if (r < 0)
			return r;
		at += n;
	}
	return 0;
}

static int rebase_range(struct vhd_walk *walk, struct vhd *child, struct vhd *base, uint64_t bytes)
{
	uint64_t end = walk->at + bytes;

	while (walk->at < end) {
		uint64_t n;
		int r = vhd_walk_read_both(walk, child, 1, base, end - walk->at, &n);

		if (r < 0)
			return r;
		if (!n)
			continue;
		r = write_differences(walk, child, n);
		if (r == 0)
			r = vhd_walk_on(walk, n);
		if (r < 0)
			return r;
	}
	return 0;
}

int vhd_rebase(struct vhd *child, struct vhd *base, const struct vhd_job *job, char *error,
	       size_t error_size)
{
	struct vhd_walk walk;
	int flushed, r = 0;

	if (child->raw || child->footer.type != VHD_DIFFERENCING)
		r = vhd_fail(child, -EINVAL, "a %s disk has no parent",
			     vhd_type_name((enum vhd_type)child->footer.type));
	else if (base->size_bytes != child->size_bytes)
		r = vhd_fail(child, -EINVAL, "its size is %llu bytes, that of %s %llu",
			     (unsigned long long)child->size_bytes, base->name,
			     (unsigned long long)base->size_bytes);
	if (r < 0) {
		snprintf(error, error_size, "%s", vhd_error(child));
		return r;
	}
	r = vhd_walk_begin(&walk, job, child->size_bytes, error, error_size);
	while (r == 0 && walk.at < walk.end) {
		uint64_t bytes;
		bool own;

		r = find_own(&walk, child, &bytes, &own);
		if (r == 0)
			r = own ? vhd_walk_on(&walk, bytes)
				: rebase_range(&walk, child, base, bytes);
	}
	flushed = vhd_flush(child);
	if (r == 0 && flushed < 0)
		r = vhd_walk_fail(&walk, child, flushed);
	vhd_walk_end(&walk);
	return r;
}
