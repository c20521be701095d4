/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine as bytes and back: what of it is not pages. Where pages and bytes lie in a file is
 * state/statefile.h, how a running machine gets into one is save.h.
 */
#ifndef VMM_SNAPSHOT_H
#define VMM_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "state/statefile.h"

struct machine;
struct vm_restore;

/*
 * The machine's names and blocks of memory into @ret_header, and where the blocks are. RAM is the first;
 * the others are small. Constant over the machine's life.
 */
void snapshot_describe(struct machine *machine, struct statefile_header *ret_header,
		       void *ret_blocks[STATEFILE_BLOCKS_MAX]);

/*
 * The device stream of a machine that stands: vCPUs parked and held, time stopped, disks idle. The caller
 * frees *ret_bytes. 0, or -errno with one line in @error.
 */
int snapshot_save(struct machine *machine, uint8_t **ret_bytes, size_t *ret_size, char *error,
		  size_t error_size);

/*
 * Makes a machine that was just built the one that was saved. In the plain form its memory stays in the
 * file, which is read when the guest asks for it. 0, or -errno with one line in @error; the machine is
 * of no use then.
 */
int snapshot_restore(struct machine *machine, const struct vm_restore *restore, char *error,
		     size_t error_size);

#endif
