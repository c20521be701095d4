/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of options that are lists of words, "NAME=VALUE,FLAG,...", as tables. */
#ifndef MGMT_OPTION_WORDS_H
#define MGMT_OPTION_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct machine_config;

enum word_kind {
	WORD_FLAG,     /* bool: true when it is there */
	WORD_SWITCH,   /* bool: on or off */
	WORD_NAME,     /* unsigned int: the index in names */
	WORD_NUMBER,   /* uint32_t up to max */
	WORD_TEXT,     /* const char *, kept by the configuration */
	WORD_GEOMETRY, /* uint16_t[3] */
};

struct word {
	const char *name; /* NULL ends the table */
	enum word_kind kind;
	size_t offset;
	uint32_t max;
	const char *const *names;
	const char *want; /* what to give instead of what is no value for it */
};

struct words {
	const char *option;
	const struct word *words;
	const char *want; /* for what is no word */
};

/*
 * @list, the words of "--option @text" from the first one on, into @target. 0, or -1 with one line
 * in @error.
 */
int words_parse(const struct words *words, struct machine_config *config, const char *text,
		const char *list, void *target, char *error, size_t error_size);

#endif
