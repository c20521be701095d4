/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strict parsing of the small things that people type: all of the text must fit, or it is an error.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal or 0x hexadecimal number from @min to @max. 0, -EINVAL (no number) or -ERANGE. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);

/*
 * A size in bytes with an optional unit: B, K/KiB, M/MiB, G/GiB, T/TiB, all powers of 1024, upper
 * or lower case, with an optional decimal fraction that gives whole bytes ("1.5G"). 0, -EINVAL or
 * -ERANGE when it does not fit 64 bits.
 */
int parse_size(const char *text, uint64_t *ret_bytes);

/* "on", "yes", "true", "1" and their opposites. */
int parse_bool(const char *text, bool *ret_value);

/* 16 raw bytes in the order of the text 00112233-4455-6677-8899-aabbccddeeff, braces allowed. */
int parse_uuid(const char *text, uint8_t ret_uuid[16]);
#define UUID_TEXT_SIZE 37
void format_uuid(const uint8_t uuid[16], char ret_text[UUID_TEXT_SIZE]);

/* 00:03:ff:00:00:01 or with dashes; multicast addresses are refused (-EINVAL). */
int parse_mac(const char *text, uint8_t ret_mac[6]);

/* "1.5 GiB": at most two decimals, never rounded up past the truth. @ret_text has room for 16. */
void format_size(uint64_t bytes, char ret_text[16]);

/*
 * Whether @name may name a machine, a network or a file of ours: 1 to 64 bytes of UTF-8 without
 * control characters, '/', NUL, a leading '.' or '-', or blanks at either end.
 */
bool name_is_valid(const char *name);

/* Whether the @size bytes at @text are well-formed UTF-8 (shortest form, no surrogates). */
bool utf8_is_valid(const char *text, size_t size);

#endif
