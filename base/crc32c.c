// SPDX-License-Identifier: GPL-2.0-or-later
#include "crc32c.h"

#include <nmmintrin.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* bits reversed */

/* One step for each bit: there is no table to keep, and today's hosts never come here. */
uint32_t crc32c_plain(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	crc = ~crc;
	while (size--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
	}
	return ~crc;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_fast(uint32_t start, const void *data,
							      size_t size)
{
	const uint8_t *p = data;
	uint64_t crc = ~start, word[8];

	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
		memcpy(word, p, sizeof(word));
		crc = _mm_crc32_u64(crc, word[0]);
		crc = _mm_crc32_u64(crc, word[1]);
		crc = _mm_crc32_u64(crc, word[2]);
		crc = _mm_crc32_u64(crc, word[3]);
		crc = _mm_crc32_u64(crc, word[4]);
		crc = _mm_crc32_u64(crc, word[5]);
		crc = _mm_crc32_u64(crc, word[6]);
		crc = _mm_crc32_u64(crc, word[7]);
	}
	while (size--)
		crc = _mm_crc32_u8((uint32_t)crc, *p++);
	return ~(uint32_t)crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_fast(crc, data, size)
						: crc32c_plain(crc, data, size);
}
