/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other end of guest/net.c, on the host: servers for its traffic. Both sides include this; a guest's
 * program has no C library.
 *
 * UDP_SINK takes datagrams, and counts. UDP_SOURCE answers a datagram that holds a number with so many
 * datagrams. TCP_SINK and TCP_COMPARE read to the end and answer with the number of bytes; the latter
 * counts only those before the first that is wrong. TCP_SOURCE reads a number of bytes and sends so many.
 * Numbers are 32 bits of the guest's byte order.
 */
#ifndef TESTS_BENCH_NET_HOST_H
#define TESTS_BENCH_NET_HOST_H

#include <stdint.h>

#define NET_UDP_SINK 5001
#define NET_UDP_SOURCE 5002
#define NET_TCP_SINK 5003
#define NET_TCP_COMPARE 5004
#define NET_TCP_SOURCE 5005

#define NET_DATAGRAM_BYTES 1472u
#define NET_SEGMENT_BYTES 1448u
#define NET_CHUNK_BYTES (16u * NET_SEGMENT_BYTES)
#define NET_WINDOW 32u /* datagrams that are asked for at once */

/* Fills @words with the pattern from its @at-th word on; the next one's number. */
static inline uint32_t net_pattern(uint32_t *words, uint32_t count, uint32_t at)
{
	for (uint32_t i = 0; i < count; i++, at++)
		words[i] = at * 2654435761u ^ at >> 15;
	return at;
}

/* False: they are not the pattern from *@at on. */
static inline int net_pattern_matches(const uint32_t *words, uint32_t count, uint32_t *at)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < count; i++, ++*at)
		wrong |= words[i] ^ (*at * 2654435761u ^ *at >> 15);
	return !wrong;
}

/* Serves for ever; does not return. @ret_datagrams counts what UDP_SINK got, in memory that may be shared. */
__attribute__((noreturn)) void net_host_serve(volatile uint32_t *ret_datagrams);

#endif
