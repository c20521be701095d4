// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/fdio.h"
#include "../../base/log.h"

void report_init(struct report *report, const char *title, const struct figure *figures,
		 size_t count)
{
	report->title = title;
	report->count = count;
	report->rows = calloc(count, sizeof(*report->rows));
	if (!report->rows)
		die("out of memory");
	for (size_t i = 0; i < count; i++)
		report->rows[i].figure = &figures[i];
}

void report_fini(struct report *report)
{
	free(report->rows);
	report->rows = NULL;
}

void report_value(struct report *report, size_t row, enum side side, double value)
{
	struct row *r = &report->rows[row];

	if (r->count[side] < RUNS_MAX)
		r->values[side][r->count[side]++] = value;
}

void report_failed(struct report *report, size_t row, enum side side, const char *reason)
{
	char *to = report->rows[row].reason[side];

	if (!*to)
		snprintf(to, sizeof(report->rows[row].reason[side]), "%s", reason);
}

/* --- what the runs add up to */

static int compare_values(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* NAN without a run. */
static double median(const struct row *row, enum side side)
{
	double sorted[RUNS_MAX];
	unsigned int n = row->count[side];

	if (side == SIDE_PEER && row->figure->limit > 0)
		return row->figure->limit;
	if (!n)
		return NAN;
	memcpy(sorted, row->values[side], n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare_values);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double ratio(const struct row *row)
{
	double ours = median(row, SIDE_OURS), peer = median(row, SIDE_PEER);

	if (isnan(ours) || isnan(peer))
		return REPORT_UNMEASURED;
	/* Nothing against nothing is a draw; something against nothing has no ratio. */
	if (peer <= 0)
		return ours <= 0 ? 1.0 : REPORT_UNMEASURED;
	return ours / peer;
}

static bool reached(const struct row *row)
{
	double r = ratio(row);

	if (r == REPORT_UNMEASURED)
		return false;
	return row->figure->higher_is_better ? r >= row->figure->goal : r <= row->figure->goal;
}

static unsigned int runs(const struct row *row)
{
	unsigned int ours = row->count[SIDE_OURS], peer = row->count[SIDE_PEER];

	return row->figure->limit > 0 || ours < peer ? ours : peer;
}

/* Why the row has no ratio, or NULL. */
static const char *reason(const struct row *row)
{
	if (ratio(row) != REPORT_UNMEASURED)
		return NULL;
	if (!row->count[SIDE_OURS])
		return *row->reason[SIDE_OURS] ? row->reason[SIDE_OURS] : "ours was not run";
	if (!row->count[SIDE_PEER] && row->figure->limit <= 0)
		return *row->reason[SIDE_PEER] ? row->reason[SIDE_PEER] : "the peer was not run";
	return "the peer's figure is 0";
}

/* --- between processes */

int report_save(const struct report *report, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < report->count; i++) {
		const struct row *row = &report->rows[i];

		for (unsigned int side = 0; side < SIDES; side++) {
			for (unsigned int n = 0; n < row->count[side]; n++)
				fprintf(out, "%zu %u %.17g\n", i, side, row->values[side][n]);
		}
	}
	r = fclose(out) == 0 ? file_replace(path, text, size, 0644) : -ENOMEM;
	free(text);
	return r;
}

int report_load(struct report *report, const char *path)
{
	FILE *in = fopen(path, "re");
	unsigned int side;
	size_t row;
	double value;
	int n;

	if (!in)
		return errno == ENOENT ? 0 : -errno;
	while ((n = fscanf(in, "%zu %u %lf", &row, &side, &value)) == 3 && row < report->count &&
	       side < SIDES)
		report_value(report, row, side, value);
	fclose(in);
	return n == EOF ? 0 : -EINVAL;
}

/* --- output */

static json_object *number(double value)
{
	char text[32];

	if (isnan(value))
		return NULL; /* null */
	snprintf(text, sizeof(text), "%.6g", value);
	return json_object_new_double_s(value, text);
}

static json_object *describe(const struct row *row)
{
	json_object *o = json_object_new_object();
	const char *why = reason(row);

	json_object_object_add(o, "metric", json_object_new_string(row->figure->metric));
	json_object_object_add(o, "unit", json_object_new_string(row->figure->unit));
	json_object_object_add(o, "ours", number(median(row, SIDE_OURS)));
	json_object_object_add(o, "peer", number(median(row, SIDE_PEER)));
	json_object_object_add(o, "ratio", number(ratio(row)));
	json_object_object_add(o, "goal", number(row->figure->goal));
	json_object_object_add(
		o, "better",
		json_object_new_string(row->figure->higher_is_better ? "higher" : "lower"));
	json_object_object_add(o, "runs", json_object_new_int((int)runs(row)));
	if (why)
		json_object_object_add(o, "reason", json_object_new_string(why));
	return o;
}

int report_write_json(const struct report *report, const char *path)
{
	json_object *list = json_object_new_array();
	const char *text;
	int r;

	for (size_t i = 0; i < report->count; i++)
		json_object_array_add(list, describe(&report->rows[i]));
	text = json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	r = text ? file_replace(path, text, strlen(text), 0644) : -ENOMEM;
	json_object_put(list);
	return r;
}

static void print_number(double value)
{
	if (isnan(value))
		printf(" %10s", "-");
	else
		printf(value < 1000 ? " %10.2f" : " %10.0f", value);
}

void report_print(const struct report *report)
{
	unsigned int met = 0;

	printf("\n%s\n\n%-50s %-8s %10s %10s %7s %6s  %s\n", report->title, "metric", "unit",
	       "ours", "peer", "ratio", "goal", "runs");
	for (size_t i = 0; i < report->count; i++) {
		const struct row *row = &report->rows[i];
		const char *why = reason(row);

		printf("%-50s %-8s", row->figure->metric, row->figure->unit);
		print_number(median(row, SIDE_OURS));
		print_number(median(row, SIDE_PEER));
		printf(" %7.3f %6.2f  %u", ratio(row), row->figure->goal, runs(row));
		if (why)
			printf("  not measured: %s", why);
		else if (!reached(row))
			printf("  *");
		printf("\n");
		met += reached(row);
	}
	printf("\n%u of %zu figures reach their goals; * does not\n", met, report->count);
}
