// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole transfers over the calls of vhd_io.h. */
#include "image.h"

#include <errno.h>
#include <string.h>

static const uint8_t zeros[4096];

static int fail_io(struct vhd *v, int error, const char *what, uint64_t offset)
{
	return vhd_fail(v, error, "cannot %s at byte %llu: %s", what, (unsigned long long)offset,
			strerrordesc_np(-error));
}

/* Drops @bytes from the front of @count pieces; the number of pieces left, which are moved down. */
static unsigned int advance(struct iovec *iov, unsigned int count, size_t bytes)
{
	unsigned int first = 0;

	while (first < count && bytes >= iov[first].iov_len)
		bytes -= iov[first++].iov_len;
	if (first < count && bytes) {
		iov[first].iov_base = (uint8_t *)iov[first].iov_base + bytes;
		iov[first].iov_len -= bytes;
	}
	if (first)
		memmove(iov, iov + first, (count - first) * sizeof(*iov));
	return count - first;
}

static int read_pieces(struct vhd *v, uint64_t offset, struct iovec *iov, unsigned int count)
{
	while (count) {
		ssize_t n = v->io->ops->preadv(v->io, iov, count, offset);

		if (n < 0)
			return fail_io(v, (int)n, "read", offset);
		if (n == 0)
			return vhd_fail(v, -EIO,
					"the file ends at byte %llu: it was cut while open",
					(unsigned long long)offset);
		offset += (uint64_t)n;
		count = advance(iov, count, (size_t)n);
	}
	return 0;
}

static int write_pieces(struct vhd *v, uint64_t offset, struct iovec *iov, unsigned int count)
{
	v->unsynced = true;
	while (count) {
		ssize_t n = v->io->ops->pwritev(v->io, iov, count, offset);

		if (n <= 0)
			return fail_io(v, n < 0 ? (int)n : -EIO, "write", offset);
		offset += (uint64_t)n;
		if (offset > v->file_bytes)
			v->file_bytes = offset;
		count = advance(iov, count, (size_t)n);
	}
	return 0;
}

int vhd_file_read(struct vhd *v, uint64_t offset, void *buffer, size_t bytes)
{
	struct iovec iov = { buffer, bytes };

	return read_pieces(v, offset, &iov, bytes != 0);
}

int vhd_file_write(struct vhd *v, uint64_t offset, const void *buffer, size_t bytes)
{
	struct iovec iov = { (void *)(uintptr_t)buffer, bytes };

	return write_pieces(v, offset, &iov, bytes != 0);
}

int vhd_file_read_span(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes)
{
	struct iovec iov[VHD_IO_IOV_MAX];

	while (bytes) {
		uint64_t taken;
		unsigned int count = vhd_span_take(span, bytes, iov, VHD_IO_IOV_MAX, &taken);
		int r = read_pieces(v, offset, iov, count);

		if (r < 0)
			return r;
		offset += taken;
		bytes -= taken;
	}
	return 0;
}

/*
 * Takes pieces for one call, which ends at a sector's end unless the pieces are too small for that:
 * so a crash between two calls does not leave half a sector.
 */
static unsigned int take_sectors(struct vhd_span *span, uint64_t offset, uint64_t bytes,
				 struct iovec *iov, unsigned int max, uint64_t *ret_taken)
{
	struct vhd_span start = *span;
	unsigned int count = vhd_span_take(span, bytes, iov, max, ret_taken);
	uint64_t end = round_down(offset + *ret_taken, VHD_SECTOR_BYTES);

	if (*ret_taken == bytes || end == offset + *ret_taken || end <= offset)
		return count;
	*span = start;
	return vhd_span_take(span, end - offset, iov, max, ret_taken);
}

static struct iovec edge_piece(const uint8_t *bytes, uint32_t count)
{
	return (struct iovec){ (void *)(uintptr_t)(bytes ? bytes : zeros), count };
}

int vhd_file_write_span(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes,
			const struct vhd_edges *edges)
{
	struct iovec iov[VHD_IO_IOV_MAX];
	uint32_t before = edges ? edges->before_bytes : 0;
	uint32_t after = edges ? edges->after_bytes : 0;

	while (bytes) {
		unsigned int first = 0, count;
		uint64_t taken;
		int r;

		if (before)
			iov[first++] = edge_piece(edges->before, before);
		count = first + take_sectors(span, offset + before, bytes, iov + first,
					     VHD_IO_IOV_MAX - 2, &taken);
		bytes -= taken;
		if (!bytes && after)
			iov[count++] = edge_piece(edges->after, after);
		r = write_pieces(v, offset, iov, count);
		if (r < 0)
			return r;
		offset += before + taken;
		before = 0;
	}
	return 0;
}

int vhd_file_write_zeroes(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	struct iovec iov[VHD_IO_IOV_MAX];

	while (bytes) {
		unsigned int count = 0;
		uint64_t sum = 0;
		int r;

		for (; count < VHD_IO_IOV_MAX && sum < bytes; count++) {
			iov[count].iov_base = (void *)(uintptr_t)zeros;
			iov[count].iov_len = (size_t)min_u64(sizeof(zeros), bytes - sum);
			sum += iov[count].iov_len;
		}
		r = write_pieces(v, offset, iov, count);
		if (r < 0)
			return r;
		offset += sum;
		bytes -= sum;
	}
	return 0;
}

int vhd_file_sync(struct vhd *v)
{
	int r;

	if (!v->unsynced)
		return 0;
	r = v->io->ops->sync(v->io);
	vhd_cache_synced(v, r == 0);
	if (r < 0) {
		v->lost = r;
		v->doubtful = true;
		return vhd_fail(v, r, "cannot write to stable storage: %s", strerrordesc_np(-r));
	}
	v->unsynced = false;
	return 0;
}

int vhd_file_truncate(struct vhd *v, uint64_t bytes)
{
	int r = v->io->ops->truncate(v->io, bytes);

	if (r < 0)
		return vhd_fail(v, r, "cannot set the length to %llu bytes: %s",
				(unsigned long long)bytes, strerrordesc_np(-r));
	v->unsynced = true;
	v->file_bytes = bytes;
	return 0;
}

int vhd_file_release(struct vhd *v, uint64_t offset, uint64_t bytes)
{
	int r = v->io->ops->zero(v->io, offset, bytes, true);

	if (r < 0)
		return r == -EOPNOTSUPP ? r : fail_io(v, r, "punch a hole", offset);
	v->unsynced = true;
	return 0;
}
