/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a benchmark found: rows of our figure against a peer's, as a table for people and as JSON.
 *
 * A row's value is the median of its runs. The ratio is ours to the peer's. A row that could not be
 * measured has the ratio 999 and a reason; no other row suffers from that.
 */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#define RUNS_MAX 9
#define REPORT_UNMEASURED 999.0

enum side { SIDE_OURS, SIDE_PEER, SIDES };

struct figure {
	const char *metric, *unit;
	double goal;  /* of the ratio */
	double limit; /* when not 0, the peer is this constant */
	bool higher_is_better;
};

struct row {
	const struct figure *figure;
	double values[SIDES][RUNS_MAX];
	unsigned int count[SIDES];
	char reason[SIDES][160];
};

struct report {
	const char *title;
	struct row *rows;
	size_t count;
};

/* One row for each of @figures, which is kept by reference. Ends the program without memory. */
void report_init(struct report *report, const char *title, const struct figure *figures,
		 size_t count);
void report_fini(struct report *report);

/* One run's result. */
void report_value(struct report *report, size_t row, enum side side, double value);
/* Why there is no result of a run. The first reason is kept. */
void report_failed(struct report *report, size_t row, enum side side, const char *reason);

/*
 * All values so far, one a line: row, side, value. They let a suite go on in another process. A file
 * that is not there has none. 0 or -errno.
 */
int report_save(const struct report *report, const char *path);
int report_load(struct report *report, const char *path);

/* Replaces @path. 0 or -errno. */
int report_write_json(const struct report *report, const char *path);
void report_print(const struct report *report);

#endif
