/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work on whole disks. Part of vhd.h.
 *
 * Each can be stopped at any moment, by its progress function, by an error or by a loss of power:
 * the images are in order then and hold what they held, and doing it again completes it. Memory is
 * bounded whatever the size of the disk.
 *
 * 0, or -errno as in vhd.h with its text in @error; -ECANCELED when the progress function said so.
 */
#ifndef VHD_JOB_H
#define VHD_JOB_H

#include "vhd.h"

struct vhd_job {
	/* Told now and then how far it is; not 0: stop. Or NULL. */
	int (*progress)(uint64_t done, uint64_t all, void *opaque);
	void *opaque;
};

struct vhd_copy_options {
	/* The target is new and reads as zeros: what is zeros in the source is not written. */
	bool target_is_empty;
	struct vhd_job job;
};

/*
 * Makes @to, which is at least as large, read as @from does. Where it is larger it is not touched.
 * Zeros take no space. Nothing is flushed.
 */
int vhd_copy(struct vhd *from, struct vhd *to, const struct vhd_copy_options *options, char *error,
	     size_t error_size);

/*
 * Finds the first byte that differs: *ret_offset, or UINT64_MAX when there is none. Behind the end
 * of the shorter disk there are zeros.
 */
int vhd_compare(struct vhd *a, struct vhd *b, const struct vhd_job *job, uint64_t *ret_offset,
		char *error, size_t error_size);

/*
 * Makes the fixed or dynamic disk in @file larger; what is added reads as zeros. A smaller size is
 * -EINVAL: what stands at its end would be lost. Children of the disk do not accept it afterwards.
 */
int vhd_resize(const struct vhd_file *file, uint64_t bytes, char *error, size_t error_size);

struct vhd_compact_result {
	uint32_t blocks_before, blocks_after;
	uint32_t moved;
	uint64_t file_bytes_before, file_bytes_after;
};

/*
 * Gives up blocks whose contents the disk would have without them: zeros, or in a child what its
 * parents hold there. The last blocks move into the gaps and the file becomes shorter. @vhd is
 * open for writing, and dynamic or differencing.
 */
int vhd_compact(struct vhd *vhd, const struct vhd_job *job, struct vhd_compact_result *ret_result,
		char *error, size_t error_size);

/*
 * Writes all that the file of @child itself holds into @parent, its parent, open for writing, and
 * flushes that. @child then holds nothing that its parent does not have. Other children of the
 * parent are worthless afterwards.
 */
int vhd_merge(struct vhd *child, struct vhd *parent, const struct vhd_job *job, char *error,
	      size_t error_size);

/*
 * Writes into @child, open for writing with its chain, what makes it read over @base as it does over
 * its parent, and flushes it. The parent's name in the file stays.
 */
int vhd_rebase(struct vhd *child, struct vhd *base, const struct vhd_job *job, char *error,
	       size_t error_size);

/*
 * Records another parent in the differencing disk in @file: id, time and names, and nothing else.
 * Whether the disk makes sense over that parent is the caller's business.
 */
int vhd_set_parent(const struct vhd_file *file, const struct vhd_parent *parent, char *error,
		   size_t error_size);

/*
 * Gives the disk in @file another id, 16 bytes or a random one with NULL, and the present time as
 * its time of creation: so a copied file becomes a disk of its own.
 */
int vhd_set_id(const struct vhd_file *file, const uint8_t *id, char *error, size_t error_size);

#endif
