// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mainstay against QEMU on the same machine: starting, disk requests, exits, ticks, memory.
 *
 *	compare [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY LINUX.vhd PORTS.vhd JSON
 *
 * Runs inside the nested host that counts instructions; bench.sh starts it. See README.md for the
 * method.
 *
 * What one operation costs is the difference between two runs of different length, each measured
 * from rest to rest, so that what starts and ends a run cancels out.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../base/bits.h"
#include "suite.h"

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

/*
 * Few of each: QEMU 7.2's emulated SVM loses a 32-bit guest about once in a thousand requests (it
 * spins on a lock that it holds itself), and then all is begun anew.
 */
static const struct operation disk_operations[] = {
	{ 'a', 10, 50 }, { 'b', 10, 50 }, { 'c', 10, 50 }, { 'd', 10, 50 },
	{ 'e', 10, 50 }, { 'f', 5, 25 },  { 'g', 4, 20 },  { 'h', 2, 6 },
};
static const struct operation port_operations[] = {
	{ 'o', 1000, 5000 }, { 'v', 1000, 5000 }, { 's', 1000, 5000 }, { 'a', 1000, 5000 },
	{ 'i', 1000, 5000 }, { 'r', 100, 600 },	  { 'P', 100, 600 },   { 'p', 50, 250 },
};
_Static_assert(PORT_ROWS == DISK_ROWS + 3 * ARRAY_LEN(disk_operations), "a row for each figure");
_Static_assert(ARRAY_LEN(figures) == PORT_ROWS + ARRAY_LEN(port_operations), "and no other");

/* The suite's disks. */
enum { LINUX_DISK, PORTS_DISK };

/* --- scenarios */

static int run_firmware(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[PORTS_DISK],
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
					     .disk = bench->disks[PORTS_DISK],
					     .vga = "std" };

	if (start_and_wait(machine, side, &setup, "ready") < 0)
		return -1;
	show_counters(bench, "the boot sector");
	return report_operations(bench, side, machine, port_operations, ARRAY_LEN(port_operations),
				 PORT_ROWS);
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
		return bench_cannot_read(machine, r);
	report_value(&bench->report, MEMORY, side, (double)kib);
	if (side == SIDE_OURS)
		report_value(&bench->report, MEMORY_LIMIT, side, (double)kib);
	return 0;
}

static int run_linux(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[LINUX_DISK] };
	struct cost cost;
	int status = 0;

	if (start_and_wait(machine, side, &setup, "mainstay-guest: ok") < 0 ||
	    read_cost(machine, &cost) < 0)
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

static const struct suite suite = {
	.name = "compare",
	.title = "Mainstay (ours) and QEMU (peer), instructions counted",
	.disk_names = { [LINUX_DISK] = "LINUX.vhd", [PORTS_DISK] = "PORTS.vhd" },
	.warm_up_disk = PORTS_DISK,
	.figures = figures,
	.figure_count = ARRAY_LEN(figures),
	.scenarios = scenarios,
	.scenario_count = ARRAY_LEN(scenarios),
};

int main(int argc, char **argv)
{
	return suite_main(&suite, argc, argv);
}
