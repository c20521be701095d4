/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small chains of disks on files in memory (vhd_lab.h), with what each layer reads as kept beside it.
 * For tests of work on whole disks.
 */
#ifndef TESTS_LIB_VHD_LAYERS_H
#define TESTS_LIB_VHD_LAYERS_H

#include "../../base/bits.h"
#include "../../vhd/vhd.h"
#include "vhd_lab.h"

#define LAYERS_BLOCK_BYTES 4096u
#define LAYERS_DISK_BYTES (MIB(1) + 4608) /* the last block is not whole */
#define LAYERS_LARGER_BYTES MIB(3)

/* A chain: layer 0 is the disk. What it reads as is kept beside it. */
#define LAYERS_MAX 3
struct layers {
	struct lab_file labs[LAYERS_MAX], survivor;
	unsigned int layers;
	enum vhd_type base_type;
	uint64_t seed;
	uint8_t *flat[LAYERS_MAX];    /* what the disk is from there down */
	unsigned int cuts, survivors; /* of each */
	unsigned int victim;	      /* the layer whose power fails */
	uint64_t size, larger;
	uint8_t id[2][16];  /* parents' ids that are right */
	unsigned int first; /* layer that survivors are opened from */
};

uint32_t layers_below(struct layers *b, uint32_t n);
/* The last error of the functions here and of the tests. */
extern char layers_error[VHD_ERROR_BYTES];

/* Scribbled on, and settled. */
struct layers *layers_new(uint64_t seed, unsigned int layers, enum vhd_type base_type);
void layers_free(struct layers *b);
/* The chain from layer @first on; @instead takes the place of one layer's file, or is NULL. */
unsigned int layers_list(struct layers *b, unsigned int first, unsigned int replaced,
			 struct lab_file *instead, struct vhd_file *files);
struct vhd *layers_open_files(struct vhd_file *files, unsigned int count, bool read_only);
struct vhd *layers_open(struct layers *b, unsigned int first, bool read_only);
void layers_noise(struct layers *b, uint8_t *p, size_t bytes);
/* Writes of all kinds: noise, zeros, what is there already. */
void layers_scribble(struct layers *b, unsigned int layer, unsigned int steps);

void layers_check_reads(struct vhd *vhd, const uint8_t *flat, uint64_t bytes);
void layers_check_zeros(struct vhd *vhd, uint64_t from, uint64_t to);
/* A deep check finds no error. */
void layers_check_sound(struct vhd_file *files, unsigned int count);

#endif
