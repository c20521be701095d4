/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of check and repair share; nothing here is for others. */
#ifndef VHD_CHECK_INTERNAL_H
#define VHD_CHECK_INTERNAL_H

#include "image.h"

/* Findings of one kind are told one by one only up to a number. */
enum vhd_check_kind {
	KIND_FOOTER,
	KIND_HEADER,
	KIND_LOCATOR,
	KIND_OUTSIDE,
	KIND_OVERLAP,
	KIND_BEYOND,
	KIND_CUT,
	KIND_GAP,
	KIND_DIRTY,
	KIND_BITMAP,
	KIND_CHAIN,
	KINDS
};

struct vhd_checker {
	struct vhd *v; /* the file that is looked at, as far as it could be opened */
	const struct vhd_check_options *options;
	struct vhd_check_result *result;
	uint64_t kinds[KINDS];
	/* What a repair does, and has to do. */
	bool repair, dry_run, drop_lost;
	bool wants_footers, wants_tail;
	/* Of the walk through the blocks, sorted by their places. */
	uint64_t used, end;    /* blocks; where the last of them ends */
	uint64_t previous_end; /* of the block before */
	uint32_t previous;     /* its number; VHD_BLOCK_ABSENT: none */
	uint64_t misaligned;
};

struct vhd_verdict {
	enum vhd_check_kind kind;
	enum vhd_severity severity;
	bool repairable, lossy;
};

/* Tells one thing about @field. */
void vhd_check_tell(struct vhd_checker *c, struct vhd_verdict verdict, const char *field,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same about block @block; whether the repair is to be done now. */
bool vhd_check_tell_block(struct vhd_checker *c, struct vhd_verdict verdict, uint32_t block,
			  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* check.c: one file, which vhd_describe() has opened; 0 or -errno with the handle's error. */
int vhd_check_file(struct vhd_checker *c);
/* check_blocks.c */
int vhd_check_blocks(struct vhd_checker *c);
/* check_bitmaps.c: reads all that no bit stands for. */
int vhd_check_bitmaps(struct vhd_checker *c);

#endif
