/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain of images in memory beside a flat array that says what the disk should hold.
 *
 * What a sector may hold after a crash is known exactly: what it held at the last flush that
 * returned 0, or what any write since has put there. The model keeps a hash of each of those for
 * every sector. Only a window at the end of the disk is used, so that thousands of crashes cost
 * little; the last block, which is not whole, is in it.
 */
#ifndef TESTS_LIB_VHD_MODEL_H
#define TESTS_LIB_VHD_MODEL_H

#include <stdbool.h>

#include "../../base/bits.h"
#include "../../vhd/vhd.h"
#include "vhd_lab.h"

#define MODEL_DISK_BYTES (MIB(1) + 4608)
#define MODEL_LAYERS_MAX 8
#define MODEL_RECENT_MAX 64

struct model_shape {
	uint64_t seed;
	enum vhd_type type;   /* of the disk without parents; its ancestors are children of it */
	unsigned int layers;  /* files of the chain, at least 1 */
	uint32_t block_bytes; /* of all but fixed ones; 0: another for each */
	size_t cache_bytes;   /* 0: the default */
	uint64_t window;      /* 0: the whole disk */
};

struct model {
	struct model_shape shape;
	uint64_t seed;
	struct lab_file labs[MODEL_LAYERS_MAX]; /* 0 is the disk's own file */
	struct lab_file survivor;
	struct vhd *vhd;
	uint64_t base; /* of the window */
	uint64_t window;
	unsigned int sectors; /* of the window */

	uint8_t *flat;			      /* what the window should hold */
	uint64_t *flushed;		      /* hash of each sector at the last flush */
	uint64_t (*recent)[MODEL_RECENT_MAX]; /* hashes of what was written since */
	uint8_t *recent_count;
	uint8_t *doubtful; /* written before a sync that failed, and not since */
	uint8_t *scratch, *before;
	unsigned int cuts, failed_syncs;
};

/* The chain made, filled and open for writing. */
struct model *model_new(const struct model_shape *shape);
void model_free(struct model *m);

static inline uint32_t model_random(struct model *m, uint32_t below)
{
	return lab_random(&m->seed) % below;
}

/* The files of the chain with @top for the first; their number. */
unsigned int model_files(struct model *m, struct lab_file *top,
			 struct vhd_file ret_files[MODEL_LAYERS_MAX]);
/* Opens the chain with @top for its first file. */
struct vhd *model_open(struct model *m, struct lab_file *top, bool read_only);

/* Steps: each asserts that the library did what it says. */
void model_write(struct model *m);
void model_zero(struct model *m);
void model_batch(struct model *m);
void model_flush(struct model *m);
void model_read(struct model *m);
void model_reopen(struct model *m);
void model_check_all(struct model *m, struct vhd *vhd);
/* What vhd_map() says is where the data lies. */
void model_check_map(struct model *m);

/* A closed image: footers alike, no byte too long, nothing for vhd_check() to find. */
void model_check_closed(struct model *m);
/*
 * A sector whose bit is clear is zeros in the file of a dynamic disk, since other programs do not
 * look at bitmaps. After a crash it may hold what was not flushed.
 */
void model_check_clear_sectors(const struct model *m, struct vhd *vhd, const struct lab_file *lab);
/* Every sector holds what was flushed, or what was written since. */
void model_check_survivor(const struct model *m, struct vhd *vhd);
/* vhd_check() of the chain with @top finds no error. */
void model_check_sound(struct model *m, struct lab_file *top);
/*
 * Cuts the power: what a lab file then is left with opens, is sound, holds what it should, and can
 * be used. As lab_file.after, with the model as opaque, it is called for every single change.
 */
void model_cut_power(struct lab_file *lab, void *opaque);

/* Runs @steps random steps; with @cuts_only no reading between. */
void model_run(struct model *m, unsigned int steps);
void model_stop_failing(struct model *m);

#endif
