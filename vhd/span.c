// SPDX-License-Identifier: GPL-2.0-or-later
/* Walking through a caller's iovec in steps that the disk's layout dictates. */
#include "image.h"

#include <string.h>

uint64_t vhd_iov_bytes(const struct iovec *iov, unsigned int count)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (__builtin_add_overflow(sum, iov[i].iov_len, &sum))
			return UINT64_MAX;
	}
	return sum;
}

/* The next piece of at most @bytes, taken off @span; not empty while bytes are left in both. */
static struct iovec next_piece(struct vhd_span *span, uint64_t bytes)
{
	struct iovec piece = { 0 };

	while (span->count && span->skip == span->iov->iov_len) {
		span->iov++;
		span->count--;
		span->skip = 0;
	}
	if (!span->count)
		return piece;
	piece.iov_base = (uint8_t *)span->iov->iov_base + span->skip;
	piece.iov_len = (size_t)min_u64(span->iov->iov_len - span->skip, bytes);
	span->skip += piece.iov_len;
	return piece;
}

unsigned int vhd_span_take(struct vhd_span *span, uint64_t bytes, struct iovec *ret_iov,
			   unsigned int max, uint64_t *ret_bytes)
{
	unsigned int count = 0;
	uint64_t sum = 0;

	while (count < max && sum < bytes) {
		struct iovec piece = next_piece(span, bytes - sum);

		if (!piece.iov_len)
			break;
		ret_iov[count++] = piece;
		sum += piece.iov_len;
	}
	*ret_bytes = sum;
	return count;
}

void vhd_span_zero(struct vhd_span *span, uint64_t bytes)
{
	while (bytes) {
		struct iovec piece = next_piece(span, bytes);

		if (!piece.iov_len)
			return;
		memset(piece.iov_base, 0, piece.iov_len);
		bytes -= piece.iov_len;
	}
}

void vhd_span_skip(struct vhd_span *span, uint64_t bytes)
{
	while (bytes) {
		struct iovec piece = next_piece(span, bytes);

		if (!piece.iov_len)
			return;
		bytes -= piece.iov_len;
	}
}

bool vhd_is_zero(const uint8_t *p, size_t size)
{
	/* All bytes equal their neighbour and the first is 0: one memcmp at full speed. */
	return !size || (p[0] == 0 && !memcmp(p, p + 1, size - 1));
}

bool vhd_span_is_zero(struct vhd_span span, uint64_t bytes)
{
	while (bytes) {
		struct iovec piece = next_piece(&span, bytes);

		if (!piece.iov_len)
			return true;
		if (!vhd_is_zero(piece.iov_base, piece.iov_len))
			return false;
		bytes -= piece.iov_len;
	}
	return true;
}
