// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The board against QEMU's: booting, disk services of the firmware, CD, floppy, clock.
 *
 *	board [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY LINUX.vhd PORTS.vhd BIOS.vhd FLOPPY CD JSON
 *
 * FLOPPY and CD are raw images of 1.44 MB. See compare.c and README.md for the method.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../base/bits.h"
#include "suite.h"

/* --- the figures */

enum {
	USERSPACE_INSTRUCTIONS,
	USERSPACE_EXITS,
	RTC_TICK,
	RTC_DRIFT,
	BIOS_ROWS,
};

#define RTC_HZ 1024
#define RTC_SECONDS 60
#define DRIFT_LIMIT_PERCENT 0.1

/* A goal of 1.0 where nothing more is asked: not worse than the peer. */
static const struct figure figures[] = {
	[USERSPACE_INSTRUCTIONS] = { "exec to Linux userspace from disk", "Minsn", 0.66, 0, false },
	[USERSPACE_EXITS] = { "exits per boot", "exits", 0.35, 0, false },
	[RTC_TICK] = { "RTC tick, 1024 Hz for 60 s", "kinsn", 0.5, 0, false },
	[RTC_DRIFT] = { "RTC drift over 60 s, limit of 0.1 %", "%", 1.0, DRIFT_LIMIT_PERCENT,
			false },
	[BIOS_ROWS] = { "int 13h read, 16 sectors a call: a sector", "kinsn", 0.05, 0, false },
	{ "int 13h read, 1 sector a call: a sector", "kinsn", 1.0, 0, false },
	{ "ATAPI read by PIO: a sector of 2048 bytes", "kinsn", 0.7, 0, false },
	{ "floppy read by int 13h: a sector", "kinsn", 0.7, 0, false },
};

/* What the guest in real mode can do, in the order of the figures; counted in sectors. */
static const struct operation bios_operations[] = {
	{ 'x', 1600, 16000 },
	{ 'y', 200, 2000 },
	{ 'c', 80, 800 },
	{ 'f', 360, 1800 },
};
_Static_assert(ARRAY_LEN(figures) == BIOS_ROWS + ARRAY_LEN(bios_operations), "a row for each");

/* The suite's disks. */
enum { LINUX_DISK, PORTS_DISK, BIOS_DISK, FLOPPY, CD };

/* --- scenarios */

static int run_bios(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = {
		.mainstay = bench->mainstay,
		.show = bench->verbose,
		.disk = bench->disks[BIOS_DISK],
		.floppy = bench->disks[FLOPPY],
		.cdrom = bench->disks[CD],
	};
	int status;

	if (start_and_wait(machine, side, &setup, "ready") < 0)
		return -1;
	status = report_operations(bench, side, machine, bios_operations,
				   ARRAY_LEN(bios_operations), BIOS_ROWS);
	show_counters(bench, "the end of the reads");
	return status;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As many ticks as a minute has: how long they took, and what each cost. */
static int run_rtc(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[PORTS_DISK] };
	const unsigned int ticks = RTC_HZ * RTC_SECONDS;
	struct cost before, after;
	double start, seconds;

	if (start_and_wait(machine, side, &setup, "ready") < 0 ||
	    machine_command(machine, 'r', 100) < 0 || read_cost_at_rest(machine, &before) < 0)
		return -1;
	start = seconds_now();
	if (machine_command(machine, 'r', ticks) < 0)
		return -1;
	seconds = seconds_now() - start;
	if (read_cost_at_rest(machine, &after) < 0)
		return -1;
	report_value(&bench->report, RTC_TICK, side,
		     (double)(after.instructions - before.instructions) / 1000 / ticks);
	report_value(&bench->report, RTC_DRIFT, side,
		     fabs(seconds - RTC_SECONDS) / RTC_SECONDS * 100);
	show_counters(bench, "the end of the ticks");
	return 0;
}

static int run_linux(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[LINUX_DISK] };
	struct cost cost;

	if (start_and_wait(machine, side, &setup, "mainstay-guest: ok") < 0 ||
	    read_cost(machine, &cost) < 0)
		return -1;
	report_value(&bench->report, USERSPACE_INSTRUCTIONS, side, (double)cost.instructions / 1e6);
	report_value(&bench->report, USERSPACE_EXITS, side, (double)cost.exits);
	show_counters(bench, "the guest's userspace");
	return 0;
}

static const struct scenario scenarios[] = {
	{ "bios", BIOS_ROWS, ARRAY_LEN(bios_operations), run_bios },
	{ "rtc", RTC_TICK, 2, run_rtc },
	{ "linux", USERSPACE_INSTRUCTIONS, 2, run_linux },
};

static const struct suite suite = {
	.name = "board",
	.title = "The board: Mainstay (ours) and QEMU (peer), instructions counted",
	.disk_names = { [LINUX_DISK] = "LINUX.vhd",
			[PORTS_DISK] = "PORTS.vhd",
			[BIOS_DISK] = "BIOS.vhd",
			[FLOPPY] = "FLOPPY",
			[CD] = "CD" },
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
