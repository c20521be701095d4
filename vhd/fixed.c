// SPDX-License-Identifier: GPL-2.0-or-later
/* Fixed disks: the data as it is, from the file's first byte on; the footer is never written. */
#include "image.h"

#include <errno.h>
#include <string.h>

static int fixed_read(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes)
{
	return vhd_file_read_span(v, offset, span, bytes);
}

static int fixed_write(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes)
{
	return vhd_file_write_span(v, offset, span, bytes, 0, 0);
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
	.read = fixed_read,
	.write = fixed_write,
	.write_zeroes = fixed_write_zeroes,
	.discard = fixed_discard,
};
