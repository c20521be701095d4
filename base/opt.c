// SPDX-License-Identifier: GPL-2.0-or-later
#include "opt.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "parse.h"

static const struct opt *find_name(const struct opt *table, const char *name, size_t length)
{
	for (; table->name; table++) {
		if (strlen(table->name) == length && !memcmp(table->name, name, length))
			return table;
	}
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (; table->name; table++) {
		if (table->letter && table->letter == letter)
			return table;
	}
	return NULL;
}

static int store_number(const struct opt *opt, void *member, const char *value, char *error,
			size_t error_size)
{
	bool size = opt->kind == OPT_SIZE;
	uint64_t max = opt->max ? opt->max : size ? UINT64_MAX : UINT32_MAX;
	uint64_t number;
	int r = size ? parse_size(value, &number) : parse_u64(value, 0, UINT64_MAX, &number);

	if (r == -EINVAL) {
		snprintf(error, error_size, "--%s %s: not a %s; give for example %s", opt->name,
			 value, size ? "size" : "number", size ? "128M" : "2");
		return -1;
	}
	if (r < 0 || number < opt->min || number > max) {
		char low[24], high[24];

		format_size(opt->min, low);
		format_size(max, high);
		if (!size) {
			snprintf(low, sizeof(low), "%llu", (unsigned long long)opt->min);
			snprintf(high, sizeof(high), "%llu", (unsigned long long)max);
		}
		snprintf(error, error_size, "--%s %s: out of range; give %s to %s", opt->name,
			 value, low, high);
		return -1;
	}
	if (size)
		*(uint64_t *)member = number;
	else
		*(uint32_t *)member = (uint32_t)number;
	return 0;
}

static int store(const struct opt *opt, void *target, const char *value, char *error,
		 size_t error_size)
{
	void *member = (char *)target + opt->offset;

	switch (opt->kind) {
	case OPT_FLAG:
		*(bool *)member = true;
		return 0;
	case OPT_STRING:
		*(const char **)member = value;
		return 0;
	case OPT_CALL:
		return opt->set(target, value, error, error_size);
	case OPT_U32:
	case OPT_SIZE:
		break;
	}
	return store_number(opt, member, value, error, error_size);
}

/* One option at argv[*index]; leaves *index at the last argument that it used. */
static int parse_one(const struct opt *table, void *target, int argc, char **argv, int *index,
		     char *error, size_t error_size)
{
	const char *text = argv[*index];
	const struct opt *opt;
	const char *value = NULL;

	if (text[1] == '-') {
		size_t length = strcspn(text + 2, "=");

		opt = find_name(table, text + 2, length);
		if (text[2 + length])
			value = text + 2 + length + 1;
	} else {
		opt = find_letter(table, text[1]);
		if (text[2])
			value = text + 2;
	}
	if (!opt) {
		snprintf(error, error_size, "%s: no such option; --help lists them", text);
		return -1;
	}
	if (!opt->argument && value) {
		snprintf(error, error_size, "%s: --%s takes no value", text, opt->name);
		return -1;
	}
	if (opt->argument && !value) {
		if (*index + 1 >= argc) {
			snprintf(error, error_size, "%s: needs a value, %s", text, opt->argument);
			return -1;
		}
		value = argv[++*index];
	}
	return store(opt, target, value, error, error_size);
}

int opt_parse(const struct opt *table, void *target, int argc, char **argv, char *error,
	      size_t error_size)
{
	int others = 0;
	bool options = true;

	for (int i = 0; i < argc; i++) {
		if (!options || argv[i][0] != '-' || !argv[i][1]) {
			argv[others++] = argv[i];
		} else if (!strcmp(argv[i], "--")) {
			options = false;
		} else if (parse_one(table, target, argc, argv, &i, error, error_size) < 0) {
			return -1;
		}
	}
	return others;
}

void opt_print(const struct opt *table, FILE *to)
{
	for (; table->name; table++) {
		char left[64];
		int width;

		width = snprintf(left, sizeof(left), "%c%c%s --%s%s%s", table->letter ? '-' : ' ',
				 table->letter ? table->letter : ' ', table->letter ? "," : " ",
				 table->name, table->argument ? " " : "",
				 table->argument ? table->argument : "");
		if (width > 30)
			fprintf(to, "  %s\n  %-30s  %s\n", left, "", table->help);
		else
			fprintf(to, "  %-30s  %s\n", left, table->help);
	}
}
