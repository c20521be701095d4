/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file in memory for tests of vhd/ that loses power and fails on demand.
 *
 * Two contents are kept: what a reader sees now, and what was on stable storage at the last sync,
 * with the list of all that was done since. A loss of power keeps any part of that list: each
 * sector of each write, each change of length and each hole survives or not, by chance. What
 * survives is in the order in which it was done, as a page cache has it.
 */
#ifndef TESTS_LIB_VHD_LAB_H
#define TESTS_LIB_VHD_LAB_H

#include <stddef.h>
#include <stdint.h>

#include "../../vhd/vhd_io.h"

/* A small generator with a seed, so that a failure can be repeated. */
static inline uint32_t lab_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

struct lab_bytes {
	uint8_t *data;
	size_t size, room;
};

enum lab_op_kind { LAB_WRITE, LAB_TRUNCATE, LAB_ZERO };

struct lab_op {
	enum lab_op_kind kind;
	uint64_t offset, bytes;
	uint8_t *data; /* LAB_WRITE */
};

struct lab_file {
	struct vhd_io io;
	struct lab_bytes now, stable;
	struct lab_op *ops;
	size_t op_count, op_room;
	uint64_t seed;

	/* Called after each operation that changes something; the power may go here. */
	void (*after)(struct lab_file *file, void *opaque);
	void *opaque;

	/*
	 * Failures: one in so many calls of a kind returns -fail_with; 0: none. A sync that fails
	 * loses some of the writes for good, though readers go on seeing them.
	 */
	unsigned int fail_reads, fail_writes, fail_syncs, fail_truncates;
	int fail_with;
	unsigned int short_transfers; /* one in so many moves less than was asked for */
	uint64_t most_bytes;	      /* writing beyond: -ENOSPC; 0: no limit */
	int no_holes;		      /* zero() is not supported */

	unsigned int reads, writes, syncs, failures, failed_syncs;
};

void lab_init(struct lab_file *file, uint64_t seed);
void lab_fini(struct lab_file *file);
/* Fills @survivor, which is initialised, with what a loss of power now leaves. */
void lab_crash(struct lab_file *file, struct lab_file *survivor);
/* All that was done counts as stable. */
void lab_settle(struct lab_file *file);

#endif
