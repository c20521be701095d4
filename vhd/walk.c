// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walks through whole disks.
 *
 * The map of the chain says where there is nothing to read. What is read is looked through for
 * zeros, so that a copy has no more blocks than it needs; short runs of zeros are written with
 * their neighbours, since a call for each would cost more than they save.
 */
#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Zeros are skipped when there are so many of them. */
#define GAP_BYTES 65536u
/* Progress is told about so many bytes at a time. */
#define REPORT_BYTES MIB(16)

int vhd_walk_begin(struct vhd_walk *walk, const struct vhd_job *job, uint64_t end, char *error,
		   size_t error_size)
{
	*walk = (struct vhd_walk){
		.job = job, .end = end, .error = error, .error_size = error_size
	};
	if (posix_memalign((void **)&walk->buffers[0], VHD_GRAIN_BYTES, 2 * VHD_STEP_BYTES)) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	walk->buffers[1] = walk->buffers[0] + VHD_STEP_BYTES;
	return 0;
}

void vhd_walk_end(struct vhd_walk *walk)
{
	free(walk->buffers[0]);
}

int vhd_walk_fail(const struct vhd_walk *walk, const struct vhd *v, int r)
{
	snprintf(walk->error, walk->error_size, "%s", vhd_error(v));
	return r;
}

int vhd_job_report(const struct vhd_job *job, uint64_t done, uint64_t all, char *error,
		   size_t error_size)
{
	int r = job && job->progress ? job->progress(done, all, job->opaque) : 0;

	if (r == 0)
		return 0;
	snprintf(error, error_size, "stopped before the end");
	return -ECANCELED;
}

int vhd_walk_on(struct vhd_walk *walk, uint64_t bytes)
{
	walk->at += bytes;
	if (walk->at < walk->end && walk->at - walk->reported < REPORT_BYTES)
		return 0;
	walk->reported = walk->at;
	return vhd_job_report(walk->job, walk->at, walk->end, walk->error, walk->error_size);
}

int vhd_walk_read(struct vhd_walk *walk, struct vhd *v, unsigned int layer, uint64_t bytes,
		  uint8_t *buffer)
{
	struct iovec iov = { buffer, bytes };
	int r = vhd_read_below(v, layer, walk->at, &iov, 1);

	return r < 0 ? vhd_walk_fail(walk, v, r) : 0;
}

int vhd_walk_write(struct vhd_walk *walk, struct vhd *v, uint64_t offset, uint64_t bytes,
		   const uint8_t *buffer)
{
	struct iovec iov = { (void *)(uintptr_t)buffer, bytes };
	int r = vhd_write(v, offset, &iov, 1);

	return r < 0 ? vhd_walk_fail(walk, v, r) : 0;
}

int vhd_walk_zero(struct vhd_walk *walk, struct vhd *v, uint64_t offset, uint64_t bytes)
{
	int r = vhd_write_zeroes(v, offset, bytes);

	return r < 0 ? vhd_walk_fail(walk, v, r) : 0;
}

/* How many bytes at @p, of @bytes, are zeros; whole grains, or all. */
static uint64_t zeros_at(const uint8_t *p, uint64_t bytes)
{
	uint64_t n = 0;

	while (n < bytes) {
		uint64_t piece = min_u64(VHD_GRAIN_BYTES, bytes - n);

		if (!vhd_is_zero(p + n, piece))
			return n;
		n += piece;
	}
	return bytes;
}

/* The data at @p up to a run of zeros that is worth skipping. */
static uint64_t data_at(const uint8_t *p, uint64_t bytes)
{
	uint64_t n = 0;

	while (n < bytes) {
		uint64_t zeros = zeros_at(p + n, min_u64(GAP_BYTES, bytes - n));

		if (zeros == GAP_BYTES || (zeros && n + zeros == bytes))
			return n;
		n += zeros + min_u64(VHD_GRAIN_BYTES, bytes - n - zeros);
	}
	return bytes;
}

/* Writes the data in a buffer, and of the zeros what @skip_zeros leaves to do. */
static int write_sparse(struct vhd_walk *walk, struct vhd *to, uint64_t offset, const uint8_t *p,
			uint64_t bytes, bool skip_zeros)
{
	while (bytes) {
		uint64_t n = zeros_at(p, bytes);
		int r = 0;

		if (n && !skip_zeros)
			r = vhd_walk_zero(walk, to, offset, n);
		if (n == 0) {
			n = data_at(p, bytes);
			r = vhd_walk_write(walk, to, offset, n, p);
		}
		if (r < 0)
			return r;
		p += n;
		offset += n;
		bytes -= n;
	}
	return 0;
}

int vhd_walk_map(struct vhd_walk *walk, struct vhd *v, struct vhd_extent *ret_extent)
{
	int r = vhd_map(v, 0, walk->at, walk->end - walk->at, ret_extent);

	return r < 0 ? vhd_walk_fail(walk, v, r) : 0;
}

int vhd_walk_copy(struct vhd_walk *walk, struct vhd *from, struct vhd *to, uint64_t bytes,
		  bool skip_zeros)
{
	while (bytes) {
		uint64_t n = vhd_walk_step(walk, bytes);
		int r = vhd_walk_read(walk, from, 0, n, walk->buffers[0]);

		if (r == 0)
			r = write_sparse(walk, to, walk->at, walk->buffers[0], n, skip_zeros);
		if (r == 0)
			r = vhd_walk_on(walk, n);
		if (r < 0)
			return r;
		bytes -= n;
	}
	return 0;
}

/* Fills a buffer with what @v has there; behind its end zeros. */
static int read_or_zeros(struct vhd_walk *walk, struct vhd *v, unsigned int layer, uint64_t bytes,
			 uint8_t *buffer)
{
	uint64_t size = v->size_bytes;
	uint64_t there = walk->at < size ? min_u64(bytes, size - walk->at) : 0;

	memset(buffer + there, 0, bytes - there);
	return there ? vhd_walk_read(walk, v, layer, there, buffer) : 0;
}

/* How many bytes from here on are zeros without being read, at most @bytes; 0: read. */
static int known_zeros(struct vhd_walk *walk, struct vhd *v, unsigned int layer, uint64_t bytes,
		       uint64_t *ret_zeros, uint64_t *ret_data)
{
	struct vhd_extent extent;
	int r;

	*ret_zeros = *ret_data = 0;
	if (walk->at >= v->size_bytes) {
		*ret_zeros = bytes;
		return 0;
	}
	r = vhd_map(v, layer, walk->at, min_u64(bytes, v->size_bytes - walk->at), &extent);
	if (r < 0)
		return vhd_walk_fail(walk, v, r);
	*(extent.zero ? ret_zeros : ret_data) = extent.bytes;
	return 0;
}

int vhd_walk_read_both(struct vhd_walk *walk, struct vhd *a, unsigned int layer, struct vhd *b,
		       uint64_t most, uint64_t *ret_bytes)
{
	uint64_t a_zeros, a_data, b_zeros, b_data, n;
	int r = known_zeros(walk, a, layer, most, &a_zeros, &a_data);

	if (r == 0)
		r = known_zeros(walk, b, 0, most, &b_zeros, &b_data);
	if (r < 0)
		return r;
	*ret_bytes = 0;
	if (a_zeros && b_zeros)
		return vhd_walk_on(walk, min_u64(a_zeros, b_zeros));
	n = vhd_walk_step(walk, most);
	r = read_or_zeros(walk, a, layer, n, walk->buffers[0]);
	if (r == 0)
		r = read_or_zeros(walk, b, 0, n, walk->buffers[1]);
	*ret_bytes = n;
	return r;
}
