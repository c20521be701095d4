// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bits.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Digits of @base at @text; the first other character in @ret_end. */
static int parse_digits(const char *text, unsigned int base, uint64_t *ret_value,
			const char **ret_end)
{
	uint64_t value = 0;
	const char *p;
	bool overflow = false;

	for (p = text;; p++) {
		int digit = hex_digit(*p);

		if (digit < 0 || (unsigned int)digit >= base)
			break;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			overflow = true;
	}
	if (p == text)
		return -EINVAL;
	*ret_end = p;
	*ret_value = value;
	return overflow ? -ERANGE : 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *end;
	uint64_t value;
	int r;

	r = parse_digits(hex ? text + 2 : text, hex ? 16 : 10, &value, &end);
	if (r == -EINVAL || (*end && (r == 0 || r == -ERANGE)))
		return -EINVAL;
	if (r < 0 || value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

/* The shift of a unit's text, or -1. */
static int size_unit_shift(const char *unit)
{
	static const char prefixes[] = "KMGTPE";
	const char *found;

	if (!*unit || !strcasecmp(unit, "b"))
		return 0;
	found = strchr(prefixes, toupper((unsigned char)*unit));
	if (!found)
		return -1;
	if (unit[1] && strcasecmp(unit + 1, "b") && strcasecmp(unit + 1, "ib"))
		return -1;
	return (int)(found - prefixes + 1) * 10;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	uint64_t whole, fraction = 0, scale = 1, bytes;
	const char *end;
	int shift, r;

	r = parse_digits(text, 10, &whole, &end);
	if (r < 0)
		return r;
	if (*end == '.') {
		const char *start = end + 1;

		r = parse_digits(start, 10, &fraction, &end);
		if (r < 0 || end - start > 9)
			return -EINVAL;
		for (; start < end; start++)
			scale *= 10;
	}
	while (*end == ' ')
		end++;
	shift = size_unit_shift(end);
	if (shift < 0)
		return -EINVAL;
	if (whole > UINT64_MAX >> shift)
		return -ERANGE;
	if (((unsigned __int128)fraction << shift) % scale)
		return -EINVAL;
	if (__builtin_add_overflow(whole << shift, mul_div_u64(fraction, BIT64(shift), scale),
				   &bytes))
		return -ERANGE;
	*ret_bytes = bytes;
	return 0;
}

int parse_bool(const char *text, bool *ret_value)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {
		{ "on", true },	  { "off", false },   { "yes", true }, { "no", false },
		{ "true", true }, { "false", false }, { "1", true },   { "0", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(text, words[i].text)) {
			*ret_value = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

int parse_uuid(const char *text, uint8_t ret_uuid[16])
{
	bool braces = *text == '{';
	uint8_t uuid[16];

	text += braces;
	for (unsigned int i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -EINVAL;
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return -EINVAL;
		uuid[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (braces && *text++ != '}')
		return -EINVAL;
	if (*text)
		return -EINVAL;
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}

void format_uuid(const uint8_t uuid[16], char ret_text[UUID_TEXT_SIZE])
{
	char *p = ret_text;

	for (unsigned int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		snprintf(p, 3, "%02x", uuid[i]);
		p += 2;
	}
}

int parse_mac(const char *text, uint8_t ret_mac[6])
{
	uint8_t mac[6];
	char separator = 0;

	for (unsigned int i = 0; i < 6; i++) {
		int high, low;

		if (i == 1)
			separator = *text;
		if (i && ((*text != ':' && *text != '-') || *text++ != separator))
			return -EINVAL;
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return -EINVAL;
		mac[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text || (mac[0] & 1))
		return -EINVAL;
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

void format_size(uint64_t bytes, char ret_text[16])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;
	uint64_t hundredths;

	while (unit < 6 && bytes >> (10 * (unit + 1)))
		unit++;
	hundredths = mul_div_u64(bytes, 100, BIT64(10 * unit));
	if (hundredths % 100 == 0)
		snprintf(ret_text, 16, "%u %s", (unsigned int)(hundredths / 100), units[unit]);
	else if (hundredths % 10 == 0)
		snprintf(ret_text, 16, "%u.%u %s", (unsigned int)(hundredths / 100),
			 (unsigned int)(hundredths % 100 / 10), units[unit]);
	else
		snprintf(ret_text, 16, "%u.%02u %s", (unsigned int)(hundredths / 100),
			 (unsigned int)(hundredths % 100), units[unit]);
}

bool utf8_is_valid(const char *text, size_t size)
{
	const uint8_t *p = (const uint8_t *)text;
	const uint8_t *end = p + size;

	while (p < end) {
		unsigned int more = *p < 0x80	? 0
				    : *p < 0xc2 ? 9
				    : *p < 0xe0 ? 1
				    : *p < 0xf0 ? 2
						: 3;
		uint32_t code = *p;

		if (more == 9 || *p > 0xf4 || (size_t)(end - p) <= more)
			return false;
		if (more)
			code &= 0x3fu >> more;
		for (unsigned int i = 1; i <= more; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (p[i] & 0x3f);
		}
		if ((more == 2 && code < 0x800) || (more == 3 && code < 0x10000) ||
		    code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
		p += more + 1;
	}
	return true;
}

bool name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > 64 || !utf8_is_valid(name, length))
		return false;
	if (*name == '.' || *name == '-' || *name == ' ' || name[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c < 0x20 || c == 0x7f || c == '/')
			return false;
	}
	return true;
}
