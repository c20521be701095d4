// SPDX-License-Identifier: GPL-2.0-or-later
#include "base64.h"

#include <errno.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t size, char *ret_text)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (left > 1)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			group |= bytes[i + 2];
		*ret_text++ = alphabet[group >> 18];
		*ret_text++ = alphabet[group >> 12 & 63];
		*ret_text++ = '=';
		*ret_text++ = '=';
		if (left > 1)
			ret_text[-2] = alphabet[group >> 6 & 63];
		if (left > 2)
			ret_text[-1] = alphabet[group & 63];
	}
}

/* The value of @c, or -1. */
static int digit(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

ssize_t base64_decode(const char *text, size_t length, void *ret_data, size_t max)
{
	uint8_t *out = ret_data;
	size_t count = 0, padding = 0;

	if (length % 4)
		return -EINVAL;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	if (length / 4 * 3 - padding > max)
		return -E2BIG;
	for (size_t i = 0; i < length; i += 4) {
		size_t missing = i + 4 == length ? padding : 0;
		uint32_t group = 0;

		for (size_t j = 0; j < 4; j++) {
			int value = j < 4 - missing ? digit(text[i + j]) : 0;

			if (value < 0)
				return -EINVAL;
			group = group << 6 | (uint32_t)value;
		}
		/* Bits that no byte gets must be 0: each text has one meaning, each meaning one text. */
		if (missing && (group & (missing == 1 ? 0xffu : 0xffffu)))
			return -EINVAL;
		for (size_t j = 0; j < 3 - missing; j++)
			out[count++] = (uint8_t)(group >> (16 - 8 * j));
	}
	return (ssize_t)count;
}
