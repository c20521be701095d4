/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integers in byte arrays, in either byte order, at any alignment. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdint.h>
#include <string.h>

#define BYTES_ACCESSOR(bits, order, swap)                                                          \
	static inline uint##bits##_t get_##order##bits(const void *p)                              \
	{                                                                                          \
		uint##bits##_t v;                                                                  \
		memcpy(&v, p, sizeof(v));                                                          \
		return swap(v);                                                                    \
	}                                                                                          \
	static inline void put_##order##bits(void *p, uint##bits##_t v)                            \
	{                                                                                          \
		v = swap(v);                                                                       \
		memcpy(p, &v, sizeof(v));                                                          \
	}

#define BYTES_SAME(v) (v)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
BYTES_ACCESSOR(16, le, BYTES_SAME)
BYTES_ACCESSOR(32, le, BYTES_SAME)
BYTES_ACCESSOR(64, le, BYTES_SAME)
BYTES_ACCESSOR(16, be, __builtin_bswap16)
BYTES_ACCESSOR(32, be, __builtin_bswap32)
BYTES_ACCESSOR(64, be, __builtin_bswap64)
#else
#error "Mainstay runs on little-endian x86 hosts"
#endif
#undef BYTES_SAME
#undef BYTES_ACCESSOR

/* The low @size bytes (1, 2, 4 or 8) at @p as a little-endian number, and back. */
static inline uint64_t get_le(const void *p, unsigned int size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static inline void put_le(void *p, unsigned int size, uint64_t v)
{
	memcpy(p, &v, size);
}

#endif
