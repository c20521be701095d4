/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bits, masks and rounding: the arithmetic that every layer needs. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n) (1u << (n))
#define BIT64(n) (UINT64_C(1) << (n))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The object whose member @member is at @ptr. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* The low @n bits set; @n from 0 to 32. */
static inline uint32_t mask32(unsigned int n)
{
	return n >= 32 ? UINT32_MAX : (UINT32_C(1) << n) - 1;
}

/* @value with the bits of @mask taken from @from. */
static inline uint32_t blend32(uint32_t value, uint32_t mask, uint32_t from)
{
	return (value & ~mask) | (from & mask);
}

static inline bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* @n rounded to a multiple of @align, a power of two. round_up may wrap: check @n first. */
static inline uint64_t round_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static inline uint64_t round_down(uint64_t n, uint64_t align)
{
	return n & ~(align - 1);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* @a * @b / @c without overflow of the product; the quotient must fit 64 bits. */
static inline uint64_t mul_div_u64(uint64_t a, uint64_t b, uint64_t c)
{
	return (uint64_t)((unsigned __int128)a * b / c);
}

#endif
