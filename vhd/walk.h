/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk through one or two whole disks; what the files of vhd_job.h share. */
#ifndef VHD_JOB_WALK_H
#define VHD_JOB_WALK_H

#include "image.h"
#include "vhd_job.h"

/* One buffer; small enough to stay in a processor's cache between reading and writing. */
#define VHD_STEP_BYTES (512u << 10)
/* Contents are looked at in pieces of this size. */
#define VHD_GRAIN_BYTES 4096u

struct vhd_walk {
	const struct vhd_job *job;
	uint64_t at, end, reported;
	uint8_t *buffers[2];
	char *error;
	size_t error_size;
};

/* From 0 to @end. The walk must be ended even after an error. */
int vhd_walk_begin(struct vhd_walk *walk, const struct vhd_job *job, uint64_t end, char *error,
		   size_t error_size);
void vhd_walk_end(struct vhd_walk *walk);
/* Takes the error @r of @v for the walk's; returns it. */
int vhd_walk_fail(const struct vhd_walk *walk, const struct vhd *v, int r);
/* Goes on, and tells about it. */
int vhd_walk_on(struct vhd_walk *walk, uint64_t bytes);
/* Tells the job's owner; -ECANCELED with its text when that wants the end. */
int vhd_job_report(const struct vhd_job *job, uint64_t done, uint64_t all, char *error,
		   size_t error_size);

/* How far one step may go, of @bytes that are left. */
static inline uint64_t vhd_walk_step(const struct vhd_walk *walk, uint64_t bytes)
{
	return min_u64(bytes, VHD_STEP_BYTES - walk->at % VHD_STEP_BYTES);
}

/* vhd_map(), vhd_read_below() and vhd_write() at the walk's place; errors are the walk's. */
int vhd_walk_map(struct vhd_walk *walk, struct vhd *v, struct vhd_extent *ret_extent);
int vhd_walk_read(struct vhd_walk *walk, struct vhd *v, unsigned int layer, uint64_t bytes,
		  uint8_t *buffer);
int vhd_walk_write(struct vhd_walk *walk, struct vhd *v, uint64_t offset, uint64_t bytes,
		   const uint8_t *buffer);
int vhd_walk_zero(struct vhd_walk *walk, struct vhd *v, uint64_t offset, uint64_t bytes);
/*
 * Copies @bytes from here on and goes on. Zeros are written as such, or with @skip_zeros not at
 * all.
 */
int vhd_walk_copy(struct vhd_walk *walk, struct vhd *from, struct vhd *to, uint64_t bytes,
		  bool skip_zeros);
/*
 * Puts the next bytes of @a below @layer and of @b into the buffers; *ret_bytes is 0
 * when both are known to be zeros, which is gone over. At most @most.
 */
int vhd_walk_read_both(struct vhd_walk *walk, struct vhd *a, unsigned int layer, struct vhd *b,
		       uint64_t most, uint64_t *ret_bytes);

#endif
