/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A suite of measurements of both sides: figures, and the scenarios that fill them.
 *
 * A scenario starts one machine and fills some rows. It either gets all the way, or its rows keep what
 * earlier runs gave and the reason of this failure. After each scenario the JSON file is written anew, so
 * that whatever happens later takes nothing away.
 */
#ifndef TESTS_BENCH_SUITE_H
#define TESTS_BENCH_SUITE_H

#include <stdbool.h>
#include <stdint.h>

#include "machine.h"
#include "meter.h"
#include "report.h"

#define SUITE_DISKS_MAX 5

struct bench {
	struct report report;
	const char *mainstay, *json;
	const char *values;		    /* report_save(); NULL: nowhere */
	const char *disks[SUITE_DISKS_MAX]; /* as the suite's arguments name them */
	bool verbose;
};

struct scenario {
	const char *name;
	size_t first_row, row_count;
	int (*run)(struct bench *bench, enum side side, struct machine *machine);
};

struct suite {
	const char *name, *title;
	const char *disk_names[SUITE_DISKS_MAX + 1]; /* arguments; a NULL ends them */
	unsigned int warm_up_disk; /* the disk of a guest that says "ready" soon */
	void (*set_up)(void);	   /* once, when something is about to be measured; NULL: nothing */
	const struct figure *figures;
	size_t figure_count;
	const struct scenario *scenarios;
	size_t scenario_count;
	uint32_t ours_only; /* a bit for each scenario without a peer */
	size_t both_count; /* so many scenarios are for both sides, the rest for the peer's; 0: all */
};

/* PROGRAM [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY DISK... JSON. The exit status. */
int suite_main(const struct suite *suite, int argc, char **argv);

/* --- for scenarios */

/* What a guest's program can do: @few times and @many times; the difference is what is measured. */
struct operation {
	char letter;
	unsigned int few, many;
};

/* -1, with the reason in @machine. */
int bench_cannot_read(struct machine *machine, int r);
int read_cost(struct machine *machine, struct cost *ret_cost);
int read_cost_at_rest(struct machine *machine, struct cost *ret_cost);
/* @points has the costs before, after few and after many of @operation. */
int run_operation(struct machine *machine, const struct operation *operation,
		  struct cost points[3]);
/* Of one of the operation: from the values before, between and after; thousands of instructions. */
double of_one(const struct operation *operation, uint64_t before, uint64_t between, uint64_t after);
double instructions_of_one(const struct operation *operation, const struct cost points[3]);
/* Starts the machine of @setup and waits until its serial port has said @text. */
int start_and_wait(struct machine *machine, enum side side, const struct machine_setup *setup,
		   const char *text);
/*
 * Runs all @count operations, each into its row from @first_row on, in thousands of instructions. One that
 * fails keeps none of the others from running. 0, or -1 when any failed.
 */
int report_operations(struct bench *bench, enum side side, struct machine *machine,
		      const struct operation *operations, size_t count, size_t first_row);
/* How often @count of @letter return to user space. */
int count_returns(struct machine *machine, char letter, unsigned int count, uint64_t *ret_returns);
/* What the counters of exits say now, when the person wants to see it. */
void show_counters(const struct bench *bench, const char *when);

#endif
