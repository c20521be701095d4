// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of files as Windows and the Mac write them, and as paths. */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/parse.h"

/* --- UTF-16 */

static unsigned int put_utf8(char *to, uint32_t c)
{
	if (c < 0x20 || c == 0x7f)
		c = '?';
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static uint32_t unit(const uint8_t *text, bool little)
{
	return little ? get_le16(text) : get_be16(text);
}

void vhd_utf16_to_utf8(const uint8_t *text, size_t bytes, bool little, char *ret_text, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i + 1 < bytes && at + 5 <= size; i += 2) {
		uint32_t c = unit(text + i, little), low = 0;

		if (!c)
			break;
		if (c >= 0xd800 && c < 0xe000) {
			if (c < 0xdc00 && i + 3 < bytes)
				low = unit(text + i + 2, little);
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i += 2;
			} else {
				c = 0xfffd;
			}
		}
		at += put_utf8(ret_text + at, c);
	}
	ret_text[at] = '\0';
}

/* The character at @text, well-formed as the caller knows, and its bytes. */
static uint32_t get_utf8(const char *text, unsigned int *ret_bytes)
{
	const uint8_t *p = (const uint8_t *)text;
	unsigned int bytes = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = bytes == 1 ? p[0] : p[0] & (0x7fu >> bytes);

	for (unsigned int i = 1; i < bytes; i++)
		c = c << 6 | (p[i] & 0x3f);
	*ret_bytes = bytes;
	return c;
}

int vhd_utf8_to_utf16(const char *text, bool little, uint8_t *ret_text, size_t size)
{
	size_t at = 0;

	if (!utf8_is_valid(text, strlen(text)))
		return -EINVAL;
	while (*text) {
		unsigned int bytes, units;
		uint32_t c = get_utf8(text, &bytes);
		uint16_t out[2] = { (uint16_t)c, 0 };

		units = c < 0x10000 ? 1 : 2;
		if (units == 2) {
			out[0] = (uint16_t)(0xd800 | (c - 0x10000) >> 10);
			out[1] = (uint16_t)(0xdc00 | ((c - 0x10000) & 0x3ff));
		}
		if (at + 2 * units > size)
			return -EINVAL;
		for (unsigned int i = 0; i < units; i++, at += 2) {
			if (little)
				put_le16(ret_text + at, out[i]);
			else
				put_be16(ret_text + at, out[i]);
		}
		text += bytes;
	}
	return (int)at;
}

/* --- paths */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode_percent(char *text)
{
	char *to = text;

	for (; *text; text++) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		if (low >= 0 && (high || low)) {
			*to++ = (char)(high << 4 | low);
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static void cut_front(char *text, size_t bytes)
{
	memmove(text, text + bytes, strlen(text + bytes) + 1);
}

void vhd_name_to_path(char *name, bool url)
{
	if (url && !strncasecmp(name, "file://", 7)) {
		char *path = strchr(name + 7, '/');

		cut_front(name, path ? (size_t)(path - name) : strlen(name));
		decode_percent(name);
		/* file:///C:/disks/... */
		if (name[0] == '/' && name[1] && name[2] == ':')
			cut_front(name, 1);
	} else {
		for (char *p = name; *p; p++) {
			if (*p == '\\')
				*p = '/';
		}
	}
	/* "\\?\" and "\\.\" before a drive. */
	if (!strncmp(name, "//?/", 4) || !strncmp(name, "//./", 4))
		cut_front(name, 4);
	if (((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z') && name[1] == ':')
		cut_front(name, 2);
	while (name[0] == '.' && name[1] == '/')
		cut_front(name, 2);
}

int vhd_path_to_name(const char *path, char *ret_name, size_t size)
{
	bool plain = path[0] != '/' && strncmp(path, "./", 2) && strncmp(path, "../", 3);
	const char *prefix = plain ? ".\\" : "";
	int length = snprintf(ret_name, size, "%s%s", prefix, path);

	if (length < 0 || (size_t)length >= size)
		return -EINVAL;
	for (char *p = ret_name; *p; p++) {
		if (*p == '/')
			*p = '\\';
	}
	return 0;
}

int vhd_path_to_url(const char *path, char *ret_url, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~/";
	int at = snprintf(ret_url, size, "file://");

	for (; *path && (size_t)at + 4 < size; path++) {
		if (strchr(plain, *path))
			ret_url[at++] = *path;
		else
			at += snprintf(ret_url + at, size - (size_t)at, "%%%02X", (uint8_t)*path);
	}
	ret_url[at] = '\0';
	return *path ? -EINVAL : 0;
}
