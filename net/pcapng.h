/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of a pcapng file (draft-ietf-opsawg-pcapng): what wireshark and tcpdump read. */
#ifndef NET_PCAPNG_H
#define NET_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#define PCAPNG_HEAD_MAX 256u
/* A frame's block is at most this much longer than the frame. */
#define PCAPNG_FRAME_OVERHEAD 64u

/* How the frame passed the port. */
enum pcapng_direction { PCAPNG_UNKNOWN, PCAPNG_IN, PCAPNG_OUT };

/* The file's head, for one interface called @name; into PCAPNG_HEAD_MAX bytes. Its size. */
size_t pcapng_head(const char *name, uint8_t *to);
/* One frame at @time_ns since 1970; into @size + PCAPNG_FRAME_OVERHEAD bytes. The block's size. */
size_t pcapng_frame(const uint8_t *frame, size_t size, uint64_t time_ns,
		    enum pcapng_direction direction, uint8_t *to);

#endif
