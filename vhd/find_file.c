// SPDX-License-Identifier: GPL-2.0-or-later
#include "find_file.h"

#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <wctype.h>

#include "../base/parse.h"

/* A folder with more names than this is not searched: who puts a disk there knows its name. */
#define ENTRIES_MAX 200000

/* The next character of well-formed UTF-8. */
static uint32_t next_character(const char **text)
{
	const uint8_t *p = (const uint8_t *)*text;
	unsigned int more = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t c = more ? p[0] & (0x3fu >> more) : p[0];

	for (unsigned int i = 1; i <= more; i++)
		c = c << 6 | (p[i] & 0x3f);
	*text += more + 1;
	return c;
}

static bool is_same_name(const char *a, const char *b, locale_t locale)
{
	if (!utf8_is_valid(a, strlen(a)) || !utf8_is_valid(b, strlen(b)))
		return !strcasecmp(a, b);
	while (*a && *b) {
		wint_t x = next_character(&a), y = next_character(&b);

		if (x != y && (!locale || towlower_l(x, locale) != towlower_l(y, locale)))
			return false;
	}
	return !*a && !*b;
}

/* Appends the one name in the folder @path that is like @name. */
static int append_alike(char *path, size_t size, const char *name, locale_t locale)
{
	size_t length = strlen(path);
	DIR *dir = opendir(length ? path : ".");
	struct dirent *entry;
	int r = -ENOENT;

	for (unsigned int n = 0; dir && n < ENTRIES_MAX && (entry = readdir(dir)); n++) {
		if (!is_same_name(entry->d_name, name, locale))
			continue;
		r = snprintf(path + length, size - length, "%s", entry->d_name) <
				    (int)(size - length)
			    ? 0
			    : -ENAMETOOLONG;
		break;
	}
	if (dir)
		closedir(dir);
	return r;
}

static int append_component(char *path, size_t size, const char *name, locale_t locale)
{
	size_t length = strlen(path);
	struct stat st;

	if (length + strlen(name) + 2 > size)
		return -ENAMETOOLONG;
	strcpy(path + length, name);
	if (stat(path, &st) == 0)
		return 0;
	path[length] = '\0';
	return append_alike(path, size, name, locale);
}

static int search(const char *start, const char *rest, char *ret_path, size_t size)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	char name[256];
	int r = 0;

	snprintf(ret_path, size, "%s", start);
	while (*rest && r == 0) {
		size_t length = strcspn(rest, "/");

		if (length >= sizeof(name)) {
			r = -ENAMETOOLONG;
			break;
		}
		memcpy(name, rest, length);
		name[length] = '\0';
		rest += length;
		rest += strspn(rest, "/");
		if (length && strcmp(name, "."))
			r = append_component(ret_path, size - 1, name, locale);
		if (r == 0 && *rest && *ret_path && ret_path[strlen(ret_path) - 1] != '/')
			strcat(ret_path, "/");
	}
	if (locale)
		freelocale(locale);
	return r;
}

int vhd_find_file(const char *folder, const char *path, char *ret_path, size_t size)
{
	bool absolute = path[0] == '/';
	char start[4096];
	struct stat st;

	if (snprintf(ret_path, size, "%s%s%s", absolute ? "" : folder,
		     absolute || !*folder ? "" : "/", path) >= (int)size)
		return -ENAMETOOLONG;
	if (stat(ret_path, &st) == 0)
		return 0;
	if (snprintf(start, sizeof(start), "%s%s", absolute ? "" : folder,
		     absolute || *folder ? "/" : "") >= (int)sizeof(start))
		return -ENAMETOOLONG;
	return search(start, path + strspn(path, "/"), ret_path, size);
}
