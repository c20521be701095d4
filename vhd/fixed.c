// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fixed disks and raw images: the data as it is, from the file's first byte on; a footer is never
 * written.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

static int fixed_locate(struct vhd *v, uint64_t offset, uint64_t bytes, struct vhd_place *ret_place)
{
	/* A raw image may end inside its last sector. */
	bool there = offset < v->file_bytes;

	*ret_place = (struct vhd_place){
		.layer = there ? v : NULL,
		.offset = offset,
		.bytes = there ? min_u64(bytes, v->file_bytes - offset) : bytes,
	};
	return 0;
}

static int fixed_write(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes)
{
	return vhd_file_write_span(v, offset, span, bytes, NULL);
}

static int fixed_write_zeroes(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	int r = v->io->ops->zero(v->io, offset, bytes, false);

	if (r == -EOPNOTSUPP)
		return vhd_file_write_zeroes(v, offset, bytes);
	v->unsynced = true;
	return r < 0 ? vhd_fail(v, r, "cannot write zeros: %s", strerrordesc_np(-r)) : 0;
}

static int fixed_discard(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	(void)v;
	(void)offset;
	(void)bytes;
	return -EOPNOTSUPP;
}

const struct vhd_format_ops vhd_fixed_ops = {
	.locate = fixed_locate,
	.write = fixed_write,
	.write_zeroes = fixed_write_zeroes,
	.discard = fixed_discard,
};
