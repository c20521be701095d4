// SPDX-License-Identifier: GPL-2.0-or-later
/* The little JSON that the program prints. */
#include <stdio.h>
#include <string.h>

#include "../../base/parse.h"
#include "tool.h"

/* Bytes that are no UTF-8 become U+FFFD. */
void json_string(const char *text)
{
	putchar('"');
	for (size_t size = strlen(text), n; size; text += n, size -= n) {
		unsigned char c = (unsigned char)*text;

		for (n = 1; n <= 4 && n <= size && !utf8_is_valid(text, n);)
			n++;
		if (n > 4 || n > size) {
			n = 1;
			printf("\\ufffd");
		} else if (c == '"' || c == '\\') {
			printf("\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			printf("\\u%04x", c);
		} else {
			fwrite(text, 1, n, stdout);
		}
	}
	putchar('"');
}

void json_member(const char *name, const char *text)
{
	printf(", \"%s\": ", name);
	json_string(text);
}

void json_number(const char *name, uint64_t number)
{
	printf(", \"%s\": %llu", name, (unsigned long long)number);
}

void json_bool(const char *name, bool value)
{
	printf(", \"%s\": %s", name, value ? "true" : "false");
}
