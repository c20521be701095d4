// SPDX-License-Identifier: GPL-2.0-or-later
/* Copying one disk into another, whatever their kinds. */
#include <errno.h>
#include <stdio.h>

#include "walk.h"

int vhd_copy(struct vhd *from, struct vhd *to, const struct vhd_copy_options *options, char *error,
	     size_t error_size)
{
	struct vhd_walk walk;
	int r;

	if (to->size_bytes < from->size_bytes) {
		vhd_fail(to, -EINVAL, "its %llu bytes cannot hold a disk of %llu",
			 (unsigned long long)to->size_bytes, (unsigned long long)from->size_bytes);
		snprintf(error, error_size, "%s", vhd_error(to));
		return -EINVAL;
	}
	r = vhd_walk_begin(&walk, &options->job, from->size_bytes, error, error_size);
	while (r == 0 && walk.at < walk.end) {
		struct vhd_extent extent;

		r = vhd_walk_map(&walk, from, &extent);
		if (r == 0 && !extent.zero) {
			r = vhd_walk_copy(&walk, from, to, extent.bytes, options->target_is_empty);
			continue;
		}
		if (r == 0 && !options->target_is_empty)
			r = vhd_walk_zero(&walk, to, walk.at, extent.bytes);
		if (r == 0)
			r = vhd_walk_on(&walk, extent.bytes);
	}
	vhd_walk_end(&walk);
	return r;
}
