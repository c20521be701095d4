// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mainstay against QEMU on the same machine: starting, disk requests, exits, ticks, memory.
 *
 *	compare [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY LINUX.vhd PORTS.vhd JSON
 *
 * Runs inside the nested host that counts instructions; bench.sh starts it. See README.md for the
 * method.
 *
 * Theory of operation: a scenario starts one machine and fills some rows. It either gets all the
 * way, or its rows keep what earlier runs gave and the reason of this failure. After each scenario
 * the JSON file is written anew, so that whatever happens later takes nothing away.
 *
 * What one operation costs is the difference between two runs of different length, each measured
 * from rest to rest, so that what starts and ends a run cancels out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/log.h"
#include "../../base/parse.h"
#include "machine.h"
#include "meter.h"
#include "report.h"

/* --- the figures */

enum {
	FIRMWARE_INSTRUCTIONS,
	USERSPACE_INSTRUCTIONS,
	USERSPACE_EXITS,
	MEMORY,
	MEMORY_LIMIT,
	DISK_ROWS,
	PORT_ROWS = DISK_ROWS + 8 * 3,
};

#define DISK(what, instructions, exits)                                                            \
	{ what ": instructions", "kinsn", instructions, 0, false },                                \
		{ what ": exits", "exits", exits, 0, false },                                      \
	{                                                                                          \
		what ": returns to userspace", "returns", 1.0, 0, false                            \
	}

/* A goal of 1.0 where nothing more is asked: not worse than the peer. */
static const struct figure figures[] = {
	[FIRMWARE_INSTRUCTIONS] = { "exec to first firmware output", "Minsn", 0.2, 0, false },
	[USERSPACE_INSTRUCTIONS] = { "exec to guest userspace", "Minsn", 0.8, 0, false },
	[USERSPACE_EXITS] = { "exits per boot", "exits", 0.6, 0, false },
	[MEMORY] = { "memory beyond guest RAM (PSS)", "KiB", 0.15, 0, false },
	[MEMORY_LIMIT] = { "memory beyond guest RAM (PSS), limit of 6 MB", "KiB", 1.0, 6e6 / 1024,
			   false },
	[DISK_ROWS] = DISK("DMA read 4 KiB", 0.6, 0.5),
	DISK("DMA write 4 KiB", 0.6, 0.5),
	DISK("DMA read 64 KiB", 1.0, 1.0),
	DISK("DMA write 64 KiB", 1.0, 1.0),
	DISK("PIO read 4 KiB", 0.6, 1.0),
	DISK("PIO write 4 KiB", 0.2, 1.0),
	DISK("PIO read 64 KiB", 1.0, 1.0),
	DISK("PIO write 64 KiB", 1.0, 1.0),
	[PORT_ROWS] = { "exit to userspace: out 80h", "kinsn", 0.7, 0, false },
	{ "exit to userspace: in 3DAh", "kinsn", 0.7, 0, false },
	{ "exit to userspace: in 61h", "kinsn", 0.7, 0, false },
	{ "exit to userspace: in 1F7h", "kinsn", 0.7, 0, false },
	{ "exit handled by the kernel: in 21h", "kinsn", 1.0, 0, false },
	{ "RTC tick, 1024 Hz at HLT", "kinsn", 0.6, 0, false },
	{ "PIT tick, 1000 Hz at HLT", "kinsn", 1.0, 0, false },
	{ "PIT tick, 100 Hz at HLT", "kinsn", 1.0, 0, false },
};

/* What the guests' programs can do, in the order of the figures. */
struct operation {
	char letter;
	unsigned int few, many;
};

static const struct operation disk_operations[] = {
	{ 'a', 100, 500 }, { 'b', 100, 500 }, { 'c', 50, 250 }, { 'd', 50, 250 },
	{ 'e', 50, 250 },  { 'f', 20, 80 },   { 'g', 10, 50 },	{ 'h', 4, 12 },
};
static const struct operation port_operations[] = {
	{ 'o', 1000, 5000 }, { 'v', 1000, 5000 }, { 's', 1000, 5000 }, { 'a', 1000, 5000 },
	{ 'i', 1000, 5000 }, { 'r', 100, 600 },	  { 'P', 100, 600 },   { 'p', 50, 250 },
};
_Static_assert(PORT_ROWS == DISK_ROWS + 3 * ARRAY_LEN(disk_operations), "a row for each figure");
_Static_assert(ARRAY_LEN(figures) == PORT_ROWS + ARRAY_LEN(port_operations), "and no other");

struct bench {
	struct report report;
	const char *mainstay, *linux_disk, *ports_disk, *json;
	bool verbose;
};

struct scenario {
	const char *name;
	size_t first_row, row_count;
	int (*run)(struct bench *bench, enum side side, struct machine *machine);
};

static const char *const side_names[SIDES] = { "Mainstay", "QEMU" };

/* --- measuring */

static int cannot_read(struct machine *machine, int r)
{
	snprintf(machine->error, sizeof(machine->error), "counters: %s", strerror(-r));
	return -1;
}

static int read_cost(struct machine *machine, struct cost *ret_cost)
{
	int r = meter_read(ret_cost);

	return r < 0 ? cannot_read(machine, r) : 0;
}

static int read_cost_at_rest(struct machine *machine, struct cost *ret_cost)
{
	int r = meter_read_at_rest(ret_cost);

	return r < 0 ? cannot_read(machine, r) : 0;
}

/* @points has the costs before, after few and after many of @operation. */
static int run_operation(struct machine *machine, const struct operation *operation,
			 struct cost points[3])
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

static double of_one(const struct operation *operation, uint64_t before, uint64_t between,
		     uint64_t after)
{
	double few = (double)(between - before), many = (double)(after - between);

	return (many - few) / (operation->many - operation->few);
}

static double instructions_of_one(const struct operation *operation, const struct cost points[3])
{
	return of_one(operation, points[0].instructions, points[1].instructions,
		      points[2].instructions) /
	       1000;
}

static int count_returns(struct machine *machine, char letter, unsigned int count,
			 uint64_t *ret_returns)
{
	struct cost rest;
	int r = meter_returns_start();

	if (r < 0)
		return cannot_read(machine, r);
	if (machine_command(machine, letter, count) < 0 || read_cost_at_rest(machine, &rest) < 0) {
		(void)meter_returns_stop(ret_returns);
		return -1;
	}
	r = meter_returns_stop(ret_returns);
	return r < 0 ? cannot_read(machine, r) : 0;
}

/* --- scenarios */

static void show_counters(const struct bench *bench, const char *when)
{
	if (!bench->verbose)
		return;
	printf("counters at %s:\n", when);
	meter_trace_print();
}

static int run_firmware(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->ports_disk,
					     .firmware_log = true };
	struct cost cost;

	if (machine_start(machine, side, &setup) < 0 || machine_wait_firmware(machine) < 0 ||
	    read_cost(machine, &cost) < 0)
		return -1;
	show_counters(bench, "the firmware's first output");
	report_value(&bench->report, FIRMWARE_INSTRUCTIONS, side, (double)cost.instructions / 1e6);
	return 0;
}

static int run_ports(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->ports_disk,
					     .vga = true };
	int status = 0;

	if (machine_start(machine, side, &setup) < 0 || machine_connect(machine) < 0 ||
	    machine_wait_text(machine, "ready") < 0)
		return -1;
	show_counters(bench, "the boot sector");
	for (size_t i = 0; i < ARRAY_LEN(port_operations); i++) {
		const struct operation *operation = &port_operations[i];
		struct cost points[3];

		if (run_operation(machine, operation, points) < 0) {
			report_failed(&bench->report, PORT_ROWS + i, side, machine->error);
			status = -1;
			continue;
		}
		report_value(&bench->report, PORT_ROWS + i, side,
			     instructions_of_one(operation, points));
	}
	return status;
}

static int measure_disk(struct bench *bench, enum side side, struct machine *machine, size_t row,
			const struct operation *operation)
{
	struct cost points[3];
	uint64_t few, many;

	if (run_operation(machine, operation, points) < 0)
		return -1;
	report_value(&bench->report, row, side, instructions_of_one(operation, points));
	report_value(&bench->report, row + 1, side,
		     of_one(operation, points[0].exits, points[1].exits, points[2].exits));
	if (count_returns(machine, operation->letter, operation->few, &few) < 0 ||
	    count_returns(machine, operation->letter, operation->many, &many) < 0)
		return -1;
	report_value(&bench->report, row + 2, side, of_one(operation, 0, few, few + many));
	return 0;
}

static int measure_memory(struct bench *bench, enum side side, struct machine *machine)
{
	uint64_t kib;
	int r = meter_memory(KIB(MACHINE_MEMORY_MIB), &kib);

	if (r == -ENOENT) {
		snprintf(machine->error, sizeof(machine->error),
			 "no mapping of the size of the guest's memory");
		return -1;
	}
	if (r < 0)
		return cannot_read(machine, r);
	report_value(&bench->report, MEMORY, side, (double)kib);
	if (side == SIDE_OURS)
		report_value(&bench->report, MEMORY_LIMIT, side, (double)kib);
	return 0;
}

static int run_linux(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->linux_disk };
	struct cost cost;
	int status = 0;

	if (machine_start(machine, side, &setup) < 0 || machine_connect(machine) < 0 ||
	    machine_wait_text(machine, "mainstay-guest: ok") < 0 || read_cost(machine, &cost) < 0)
		return -1;
	report_value(&bench->report, USERSPACE_INSTRUCTIONS, side, (double)cost.instructions / 1e6);
	report_value(&bench->report, USERSPACE_EXITS, side, (double)cost.exits);
	show_counters(bench, "the guest's userspace");
	if (measure_memory(bench, side, machine) < 0) {
		report_failed(&bench->report, MEMORY, side, machine->error);
		report_failed(&bench->report, MEMORY_LIMIT, side, machine->error);
		status = -1;
	}
	if (!strstr(machine->text, "bench: ready") &&
	    machine_wait_text(machine, "bench: ready") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(disk_operations); i++) {
		size_t row = DISK_ROWS + 3 * i;

		if (measure_disk(bench, side, machine, row, &disk_operations[i]) < 0) {
			for (size_t j = 0; j < 3; j++)
				report_failed(&bench->report, row + j, side, machine->error);
			status = -1;
		}
	}
	show_counters(bench, "the end of the disk requests");
	return status;
}

static const struct scenario scenarios[] = {
	{ "firmware", FIRMWARE_INSTRUCTIONS, 1, run_firmware },
	{ "ports", PORT_ROWS, ARRAY_LEN(port_operations), run_ports },
	{ "linux", USERSPACE_INSTRUCTIONS, PORT_ROWS - USERSPACE_INSTRUCTIONS, run_linux },
};

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
}

/* Programs and libraries come from the outer machine when they are first used. */
static void warm_up(const struct bench *bench, enum side side)
{
	static struct machine machine;
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->ports_disk,
					     .firmware_log = true };

	if (machine_start(&machine, side, &setup) == 0 && machine_connect(&machine) == 0)
		(void)machine_wait_text(&machine, "ready");
	machine_end(&machine);
}

static void usage(void)
{
	die("usage: compare [-v] [-n RUNS] [-o ours|peer] [-s SCENARIO] MAINSTAY LINUX.vhd "
	    "PORTS.vhd "
	    "JSON");
}

struct options {
	enum side first, last;
	uint64_t runs;
	const char *scenario; /* NULL: all */
};

static void parse_options(int argc, char **argv, struct bench *bench, struct options *options)
{
	int option;

	while ((option = getopt(argc, argv, "vn:o:s:")) != -1) {
		if (option == 'v')
			bench->verbose = true;
		else if (option == 'n' && parse_u64(optarg, 1, RUNS_MAX, &options->runs) == 0)
			continue;
		else if (option == 'o' && (!strcmp(optarg, "ours") || !strcmp(optarg, "peer")))
			options->first = options->last = *optarg == 'o' ? SIDE_OURS : SIDE_PEER;
		else if (option == 's')
			options->scenario = optarg;
		else
			usage();
	}
	if (argc - optind != 4)
		usage();
	bench->mainstay = argv[optind];
	bench->linux_disk = argv[optind + 1];
	bench->ports_disk = argv[optind + 2];
	bench->json = argv[optind + 3];
}

static void run_all(struct bench *bench, const struct options *options)
{
	for (enum side side = options->first; side <= options->last; side++)
		warm_up(bench, side);
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		if (options->scenario && strcmp(options->scenario, scenarios[i].name))
			continue;
		for (uint64_t run = 0; run < options->runs; run++) {
			for (enum side side = options->first; side <= options->last; side++)
				run_scenario(bench, &scenarios[i], side);
		}
	}
}

int main(int argc, char **argv)
{
	struct bench bench = { .verbose = false };
	struct options options = { SIDE_OURS, SIDE_PEER, 1, NULL };

	log_init("compare", LOG_LEVEL_INFO);
	parse_options(argc, argv, &bench, &options);
	report_init(&bench.report, "Mainstay (ours) and QEMU (peer), instructions counted", figures,
		    ARRAY_LEN(figures));
	if (meter_open() < 0)
		return EXIT_FAILURE;
	run_all(&bench, &options);
	meter_close();
	report_print(&bench.report);
	report_fini(&bench.report);
	return EXIT_SUCCESS;
}
