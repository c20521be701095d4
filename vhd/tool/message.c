// SPDX-License-Identifier: GPL-2.0-or-later
/* What the program says to people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool.h"

void make_printable(char *text)
{
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static void print_line(FILE *to, const char *before, const char *format, va_list args)
{
	char text[2048];

	vsnprintf(text, sizeof(text), format, args);
	make_printable(text);
	fprintf(to, "%s%s\n", before, text);
}

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(stderr, "mainstay-vhd: ", format, args);
	va_end(args);
	return EXIT_FAILURE;
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(stderr, "mainstay-vhd: warning: ", format, args);
	va_end(args);
}

void say(const char *name, const char *format, ...)
{
	char text[2048];
	va_list args;

	snprintf(text, sizeof(text), "%s: ", name);
	make_printable(text);
	va_start(args, format);
	print_line(stdout, text, format, args);
	va_end(args);
}

const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

int index_of(const char *const *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(names[i], text))
			return (int)i;
	}
	return -1;
}

const char *footer_state_name(enum vhd_footer_state state)
{
	static const char *const names[] = { "good",  "missing", "damaged",
					     "stale", "short",	 "inside" };

	return names[state];
}

void format_time(int64_t unix_seconds, char *ret_text, size_t size)
{
	time_t t = (time_t)unix_seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(ret_text, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(ret_text, size, "?");
}
