/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FNV-1a, 32 bits: numbers that follow from names. Not for what an enemy chooses. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 2166136261u

/* Goes on with @hash, HASH_START at first. */
static inline uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size--)
		hash = (hash ^ *p++) * 16777619u;
	return hash;
}

#endif
