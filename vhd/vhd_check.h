/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Examining and mending image files. Part of vhd.h.
 *
 * Neither opens the disk as vhd_open() does: what is damaged so that it cannot be opened is examined
 * as far as that goes. Memory is bounded by VHD_CHECK_MEMORY_BYTES, time by the file's length.
 */
#ifndef VHD_CHECK_H
#define VHD_CHECK_H

#include "vhd.h"

#define VHD_CHECK_MEMORY_BYTES (8u << 20)
/* Of each kind of finding so many are told one by one; the rest as a number. */
#define VHD_CHECK_EACH_MAX 50

enum vhd_severity {
	VHD_NOTE,    /* unusual, and in order */
	VHD_WARNING, /* readers may disagree about it; nothing is lost */
	VHD_LEAK,    /* space that nothing uses */
	VHD_ERROR,   /* not as the format wants it: data is lost or may be */
};
#define VHD_SEVERITIES 4

struct vhd_finding {
	enum vhd_severity severity;
	unsigned int layer;
	const char *name;  /* of the file */
	const char *field; /* "footer", "header", "block 17", ... */
	const char *text;  /* what is wrong with it: one line without the two above */
	bool repairable;   /* vhd_repair() can */
	bool lossy;	   /* ... but gives up data, and wants drop_lost for it */
	bool repaired;	   /* it did; with dry_run: it would */
};

struct vhd_check_options {
	/* Read all data too: sectors that were never written must be zeros in a dynamic disk. */
	bool deep;
	void (*found)(const struct vhd_finding *finding, void *opaque); /* or NULL */
	/* Told now and then; not 0: stop with -ECANCELED. Or NULL. */
	int (*progress)(uint64_t done, uint64_t all, void *opaque);
	void *opaque;
};

struct vhd_check_result {
	uint64_t found[VHD_SEVERITIES]; /* by severity */
	uint64_t repairable, repaired;
	uint32_t blocks_used, block_count; /* of the first file; 0 for fixed and raw */
	uint64_t leaked_bytes;
	uint64_t end_bytes; /* what the first file needs */
};

/*
 * Examines files[0] and, if they are given, its parents in order as vhd_open() has them: each by
 * itself, and whether they fit together. 0 when all could be looked at, whatever was found; else
 * -errno with its text in @error (it is no VHD at all, it cannot be read).
 */
int vhd_check(const struct vhd_file *files, unsigned int count,
	      const struct vhd_check_options *options, struct vhd_check_result *ret_result,
	      char *error, size_t error_size);

struct vhd_repair_options {
	bool dry_run; /* only tell what would be done: nothing is written */
	/* Give up blocks whose place is outside the file or taken by another: they become empty. */
	bool drop_lost;
	void (*found)(const struct vhd_finding *finding, void *opaque); /* or NULL */
	void *opaque;
};

/*
 * Mends what can be mended in one file. Power may fail at any moment of it: what was readable stays
 * so. @ret_result tells what was found and how much of it is mended. Errors as vhd_check().
 */
int vhd_repair(const struct vhd_file *file, const struct vhd_repair_options *options,
	       struct vhd_check_result *ret_result, char *error, size_t error_size);

#endif
