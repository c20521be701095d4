// SPDX-License-Identifier: GPL-2.0-or-later
/* Comparing two disks as their guests see them. */
#include <stdio.h>
#include <string.h>

#include "walk.h"

/* Where in @bytes the buffers differ; @bytes: nowhere. */
static uint64_t first_difference(const uint8_t *a, const uint8_t *b, uint64_t bytes)
{
	uint64_t at = 0;

	while (at < bytes) {
		uint64_t n = min_u64(VHD_GRAIN_BYTES, bytes - at);

		if (memcmp(a + at, b + at, n)) {
			while (a[at] == b[at])
				at++;
			return at;
		}
		at += n;
	}
	return bytes;
}

int vhd_compare(struct vhd *a, struct vhd *b, const struct vhd_job *job, uint64_t *ret_offset,
		char *error, size_t error_size)
{
	struct vhd_walk walk;
	uint64_t found = UINT64_MAX;
	int r = vhd_walk_begin(&walk, job, max_u64(a->size_bytes, b->size_bytes), error,
			       error_size);

	while (r == 0 && walk.at < walk.end && found == UINT64_MAX) {
		uint64_t bytes, same;

		r = vhd_walk_read_both(&walk, a, 0, b, walk.end - walk.at, &bytes);
		if (r < 0 || !bytes)
			continue;
		same = first_difference(walk.buffers[0], walk.buffers[1], bytes);
		if (same < bytes)
			found = walk.at + same;
		r = vhd_walk_on(&walk, bytes);
	}
	vhd_walk_end(&walk);
	if (r == 0)
		*ret_offset = found;
	return r;
}
