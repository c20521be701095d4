/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 as in RFC 4648, section 4: the standard alphabet, padded, without line breaks. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Characters that @size bytes become, without a NUL. */
#define BASE64_TEXT_BYTES(size) (((size) + 2) / 3 * 4)

/* Writes BASE64_TEXT_BYTES(size) characters to @ret_text, no NUL. */
void base64_encode(const void *data, size_t size, char *ret_text);

/*
 * Decodes @length characters to at most @max bytes at @ret_data, which may be @text itself. Their
 * number, or -EINVAL for what is not strictly base64, -E2BIG when there is no room.
 */
ssize_t base64_decode(const char *text, size_t length, void *ret_data, size_t max);

#endif
