/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the display adapter and the memory map: what of its memory the processors see directly. */
#ifndef VMM_VIDEO_H
#define VMM_VIDEO_H

#include "memory.h"

struct device;
struct memslots;

/*
 * The adapter learns what processors wrote to its memory directly. Posted writes were delivered
 * before. @slots NULL: there are no processors.
 */
void video_sync(const struct memslots *slots, struct memory *memory, struct device *adapter);
/* The memory map's apertures as the adapter has them now; after video_sync(). */
void video_apertures(struct memory *memory, struct device *adapter);

#endif
