/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames as a wire would carry them, out of what a packet socket shows: the host's stack and its cards
 * merge the segments of a connection into one large frame, and leave checksums to be filled in. What was done
 * is told by the header that comes before such a frame (PACKET_VNET_HDR).
 */
#ifndef NET_SEGMENT_H
#define NET_SEGMENT_H

#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

/* What one frame may become. */
#define SEGMENTS_MAX 2048u

typedef void segment_emit(void *opaque, const uint8_t *frame, size_t size);

/*
 * Calls @emit for each frame; @frame is changed. The number of frames, or -EINVAL: header and frame
 * do not fit, or it is of a kind that is not known. Nothing was emitted then.
 */
int segment_frame(const struct virtio_net_hdr *header, uint8_t *frame, size_t size,
		  segment_emit *emit, void *opaque);

#endif
