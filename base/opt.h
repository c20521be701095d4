/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command-line options as a table: one row parses, checks, fills and documents an option.
 *
 * "--name value", "--name=value", "-x value" and "-xvalue" are read; names cannot be shortened and
 * an unknown one is an error, so that a misspelt option is never silently taken for another. "--"
 * ends the options; other arguments may stand between them.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum opt_kind {
	OPT_FLAG,   /* bool: becomes true */
	OPT_STRING, /* const char *, points into argv */
	OPT_U32,    /* uint32_t from min to max */
	OPT_SIZE,   /* uint64_t bytes from min to max, text as parse_size() */
	OPT_CALL,   /* set() decides, and may be given several times */
};

struct opt {
	const char *name; /* without dashes; NULL ends the table */
	char letter;	  /* 0: none */
	enum opt_kind kind;
	const char *argument; /* how the help calls the value; NULL for OPT_FLAG */
	const char *help;     /* one line, no full stop */
	size_t offset;	      /* of the member in the target struct */
	uint64_t min, max;    /* OPT_U32 and OPT_SIZE; max 0: no limit but the type's */
	/* OPT_CALL: 0, or -1 after writing why to @error. @value is NULL when argument is NULL. */
	int (*set)(void *target, const char *value, char *error, size_t error_size);
};

/*
 * Fills @target from @argv (@argc without the program's or the command's own name). The arguments
 * that are no options are moved to the front of @argv; their number is returned. -1 with one line
 * in @error otherwise.
 */
int opt_parse(const struct opt *table, void *target, int argc, char **argv, char *error,
	      size_t error_size);

/* Prints a line or two for each option of the table, aligned, for --help. */
void opt_print(const struct opt *table, FILE *to);

#endif
