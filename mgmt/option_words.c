// SPDX-License-Identifier: GPL-2.0-or-later
#include "option_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/parse.h"
#include "machine_config.h"
#include "machine_members.h"

/* "1024/16/63" of @length bytes. */
static int parse_geometry(const char *text, size_t length, uint16_t geometry[3])
{
	const char *end = text + length;

	for (size_t i = 0; i < 3; i++) {
		size_t digits = strcspn(text, "/,");
		uint64_t number;
		char copy[8];

		if (!digits || digits >= sizeof(copy) || text[digits] != (i < 2 ? '/' : *end))
			return -EINVAL;
		memcpy(copy, text, digits);
		copy[digits] = '\0';
		if (parse_u64(copy, 1, MACHINE_GEOMETRY_MAX[i], &number) < 0)
			return -EINVAL;
		geometry[i] = (uint16_t)number;
		text += digits + 1;
	}
	return text == end + 1 ? 0 : -EINVAL;
}

static const struct word *find_word(const struct word *words, const char *name, size_t length)
{
	for (; words->name; words++) {
		if (strlen(words->name) == length && !memcmp(words->name, name, length))
			return words;
	}
	return NULL;
}

/* A value that is a NUL-terminated text of its own. */
static int parse_text(struct machine_config *config, const struct word *word, const char *text,
		      void *field)
{
	uint64_t number;

	switch (word->kind) {
	case WORD_SWITCH:
		return parse_bool(text, field);
	case WORD_NUMBER:
		if (parse_u64(text, 0, word->max, &number) < 0)
			return -EINVAL;
		*(uint32_t *)field = (uint32_t)number;
		return 0;
	case WORD_TEXT:
		if (!*text)
			return -EINVAL;
		*(const char **)field = machine_config_keep(config, text);
		return *(const char **)field ? 0 : -ENOMEM;
	default:
		return -EINVAL;
	}
}

static int parse_value(struct machine_config *config, const struct word *word, const char *value,
		       size_t length, void *field)
{
	char *copy;
	int index, r;

	switch (word->kind) {
	case WORD_FLAG:
		*(bool *)field = true;
		return 0;
	case WORD_NAME:
		index = machine_find_name(word->names, value, length);
		if (index < 0)
			return -EINVAL;
		*(unsigned int *)field = (unsigned int)index;
		return 0;
	case WORD_GEOMETRY:
		return parse_geometry(value, length, field);
	default:
		copy = strndup(value, length);
		r = copy ? parse_text(config, word, copy, field) : -ENOMEM;
		free(copy);
		return r;
	}
}

int words_parse(const struct words *words, struct machine_config *config, const char *text,
		const char *list, void *target, char *error, size_t error_size)
{
	for (;;) {
		size_t length = strcspn(list, ","), key = strcspn(list, "=,");
		const struct word *word = find_word(words->words, list, key);
		const char *want = words->want;
		bool ok = word && (word->kind == WORD_FLAG) == (key == length);

		if (ok) {
			want = word->want;
			ok = parse_value(config, word, list + key + 1,
					 key < length ? length - key - 1 : 0,
					 (char *)target + word->offset) == 0;
		}
		if (!ok) {
			snprintf(error, error_size, "--%s %s: \"%.*s\": %s", words->option, text,
				 (int)length, list, want);
			return -1;
		}
		if (!list[length])
			return 0;
		list += length + 1;
	}
}
