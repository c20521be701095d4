// SPDX-License-Identifier: GPL-2.0-or-later
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/log.h"
#include "../../base/parse.h"

static const char *const side_names[SIDES] = { "Mainstay", "QEMU" };

/* --- measuring */

int bench_cannot_read(struct machine *machine, int r)
{
	snprintf(machine->error, sizeof(machine->error), "counters: %s", strerror(-r));
	return -1;
}

int read_cost(struct machine *machine, struct cost *ret_cost)
{
	int r = meter_read(ret_cost);

	return r < 0 ? bench_cannot_read(machine, r) : 0;
}

int read_cost_at_rest(struct machine *machine, struct cost *ret_cost)
{
	int r = meter_read_at_rest(ret_cost);

	return r < 0 ? bench_cannot_read(machine, r) : 0;
}

int run_operation(struct machine *machine, const struct operation *operation, struct cost points[3])
{
	/* The first time, pages and caches are touched that stay. */
	if (machine_command(machine, operation->letter, operation->few) < 0 ||
	    read_cost_at_rest(machine, &points[0]) < 0 ||
	    machine_command(machine, operation->letter, operation->few) < 0 ||
	    read_cost_at_rest(machine, &points[1]) < 0 ||
	    machine_command(machine, operation->letter, operation->many) < 0 ||
	    read_cost_at_rest(machine, &points[2]) < 0)
		return -1;
	return 0;
}

double of_one(const struct operation *operation, uint64_t before, uint64_t between, uint64_t after)
{
	double few = (double)(between - before), many = (double)(after - between);

	return (many - few) / (operation->many - operation->few);
}

double instructions_of_one(const struct operation *operation, const struct cost points[3])
{
	return of_one(operation, points[0].instructions, points[1].instructions,
		      points[2].instructions) /
	       1000;
}

int start_and_wait(struct machine *machine, enum side side, const struct machine_setup *setup,
		   const char *text)
{
	if (machine_start(machine, side, setup) < 0 || machine_connect(machine) < 0)
		return -1;
	return machine_wait_text(machine, text);
}

int report_operations(struct bench *bench, enum side side, struct machine *machine,
		      const struct operation *operations, size_t count, size_t first_row)
{
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		struct cost points[3];

		if (run_operation(machine, &operations[i], points) < 0) {
			report_failed(&bench->report, first_row + i, side, machine->error);
			status = -1;
			continue;
		}
		report_value(&bench->report, first_row + i, side,
			     instructions_of_one(&operations[i], points));
	}
	return status;
}

int count_returns(struct machine *machine, char letter, unsigned int count, uint64_t *ret_returns)
{
	struct cost rest;
	int r = meter_returns_start();

	if (r < 0)
		return bench_cannot_read(machine, r);
	if (machine_command(machine, letter, count) < 0 || read_cost_at_rest(machine, &rest) < 0) {
		(void)meter_returns_stop(ret_returns);
		return -1;
	}
	r = meter_returns_stop(ret_returns);
	return r < 0 ? bench_cannot_read(machine, r) : 0;
}

void show_counters(const struct bench *bench, const char *when)
{
	if (!bench->verbose)
		return;
	printf("counters at %s:\n", when);
	meter_trace_print();
}

/* --- the whole */

static void run_scenario(struct bench *bench, const struct scenario *scenario, enum side side)
{
	static struct machine machine; /* large */
	int r;

	if (bench->verbose)
		meter_trace_start();
	r = scenario->run(bench, side, &machine);

	if (r < 0) {
		show_counters(bench, "the failure");
		printf("%s, %s: %s\n", scenario->name, side_names[side], machine.error);
		for (size_t i = 0; i < scenario->row_count; i++)
			report_failed(&bench->report, scenario->first_row + i, side, machine.error);
	} else {
		printf("%s, %s: measured\n", scenario->name, side_names[side]);
	}
	machine_end(&machine);
	fflush(stdout);
	r = report_write_json(&bench->report, bench->json);
	if (r < 0)
		die("%s: %s", bench->json, strerror(-r));
	r = bench->values ? report_save(&bench->report, bench->values) : 0;
	if (r < 0)
		die("%s: %s", bench->values, strerror(-r));
}

/* Programs and libraries come from the outer machine when they are first used. */
static void warm_up(const struct bench *bench, const struct suite *suite, enum side side)
{
	static struct machine machine;
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[suite->warm_up_disk],
					     .firmware_log = true };

	if (machine_start(&machine, side, &setup) == 0 && machine_connect(&machine) == 0)
		(void)machine_wait_text(&machine, "ready");
	machine_end(&machine);
}

static void usage(const struct suite *suite)
{
	char disks[128] = "";

	for (size_t i = 0; suite->disk_names[i]; i++) {
		size_t used = strlen(disks);

		snprintf(disks + used, sizeof(disks) - used, " %s", suite->disk_names[i]);
	}
	die("usage: %s [-v] [-n RUNS] [-o ours|peer] [-s SCENARIO] [-c VALUES] MAINSTAY%s JSON\n"
	    "       %s -l lists the scenarios, -p VALUES prints what was measured",
	    suite->name, disks, suite->name);
}

static bool peer_only(const struct suite *suite, size_t scenario)
{
	return suite->both_count && scenario >= suite->both_count;
}

static void list(const struct suite *suite)
{
	for (size_t i = 0; i < suite->scenario_count; i++) {
		const char *side = peer_only(suite, i) ? " peer" : "";

		printf("%s%s\n", suite->scenarios[i].name,
		       suite->ours_only >> i & 1 ? " ours" : side);
	}
	exit(EXIT_SUCCESS);
}

static void load(struct report *report, const struct suite *suite, const char *values)
{
	report_init(report, suite->title, suite->figures, suite->figure_count);
	if (values && report_load(report, values) < 0)
		die("%s: does not have values of this suite", values);
}

static void print(const struct suite *suite, const char *values)
{
	struct report report;

	load(&report, suite, values);
	report_print(&report);
	report_fini(&report);
	exit(EXIT_SUCCESS);
}

struct options {
	enum side first, last;
	uint64_t runs;
	const char *scenario; /* NULL: all */
};

static void parse_options(const struct suite *suite, int argc, char **argv, struct bench *bench,
			  struct options *options)
{
	int option, disks = 0;

	while ((option = getopt(argc, argv, "vn:o:s:c:lp:")) != -1) {
		if (option == 'v')
			bench->verbose = true;
		else if (option == 'n' && parse_u64(optarg, 1, RUNS_MAX, &options->runs) == 0)
			continue;
		else if (option == 'o' && (!strcmp(optarg, "ours") || !strcmp(optarg, "peer")))
			options->first = options->last = *optarg == 'o' ? SIDE_OURS : SIDE_PEER;
		else if (option == 's')
			options->scenario = optarg;
		else if (option == 'c')
			bench->values = optarg;
		else if (option == 'l')
			list(suite);
		else if (option == 'p')
			print(suite, optarg);
		else
			usage(suite);
	}
	while (suite->disk_names[disks])
		disks++;
	if (argc - optind != disks + 2)
		usage(suite);
	bench->mainstay = argv[optind];
	for (int i = 0; i < disks; i++)
		bench->disks[i] = argv[optind + 1 + i];
	bench->json = argv[optind + 1 + disks];
}

static void run_all(struct bench *bench, const struct suite *suite, const struct options *options)
{
	if (suite->set_up)
		suite->set_up();
	for (enum side side = options->first; side <= options->last; side++)
		warm_up(bench, suite, side);
	for (size_t i = 0; i < suite->scenario_count; i++) {
		if (options->scenario && strcmp(options->scenario, suite->scenarios[i].name))
			continue;
		for (uint64_t run = 0; run < options->runs; run++) {
			for (enum side side = options->first; side <= options->last; side++) {
				if (side == SIDE_PEER || !peer_only(suite, i))
					run_scenario(bench, &suite->scenarios[i], side);
			}
		}
	}
}

int suite_main(const struct suite *suite, int argc, char **argv)
{
	struct bench bench = { .verbose = false };
	struct options options = { SIDE_OURS, SIDE_PEER, 1, NULL };

	log_init(suite->name, LOG_LEVEL_INFO);
	parse_options(suite, argc, argv, &bench, &options);
	load(&bench.report, suite, bench.values);
	if (meter_open() < 0)
		return EXIT_FAILURE;
	run_all(&bench, suite, &options);
	meter_close();
	if (!bench.values)
		report_print(&bench.report);
	report_fini(&bench.report);
	return EXIT_SUCCESS;
}
