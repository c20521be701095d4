// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen against QEMU's -vga std: text, and planar graphics.
 *
 *	video [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY VIDEO.vhd JSON
 *
 * See compare.c and README.md for the method.
 */
#include "../../base/bits.h"
#include "suite.h"

static const struct figure figures[] = {
	{ "text scroll by memory moves", "kinsn", 0.1, 0, false },
	{ "int 10h line with scroll", "kinsn", 0.3, 0, false },
	{ "planar fill by rep stosd, set/reset: a screen", "kinsn", 1.0, 0, false },
	{ "planar fill by a mov loop, set/reset: a screen", "kinsn", 1.0, 0, false },
	{ "planar fill by rep stosd, all planes plainly: a screen", "kinsn", 0.1, 0, false },
	{ "planar fill by a mov loop, all planes plainly: a screen", "kinsn", 0.1, 0, false },
	{ "latch copy: a screen", "kinsn", 0.7, 0, false },
	{ "pixel with bit mask and latch read", "kinsn", 0.8, 0, false },
};

/* In the order of the figures. */
static const struct operation operations[] = {
	{ 's', 10, 50 }, { 't', 10, 50 }, { 'f', 2, 6 }, { 'm', 1, 3 },
	{ 'F', 4, 12 },	 { 'M', 2, 6 },	  { 'l', 1, 3 }, { 'p', 500, 2500 },
};
_Static_assert(ARRAY_LEN(figures) == ARRAY_LEN(operations), "a row for each");

static int run_video(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = {
		.mainstay = bench->mainstay,
		.show = bench->verbose,
		.disk = bench->disks[0],
		.vga = true,
	};
	int status = 0;

	if (machine_start(machine, side, &setup) < 0 || machine_connect(machine) < 0 ||
	    machine_wait_text(machine, "ready") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		struct cost points[3];

		if (run_operation(machine, &operations[i], points) < 0) {
			report_failed(&bench->report, i, side, machine->error);
			status = -1;
			continue;
		}
		report_value(&bench->report, i, side, instructions_of_one(&operations[i], points));
	}
	show_counters(bench, "the end of the drawing");
	return status;
}

static const struct scenario scenarios[] = {
	{ "video", 0, ARRAY_LEN(figures), run_video },
};

static const struct suite suite = {
	.name = "video",
	.title = "The screen: Mainstay (ours) and QEMU -vga std (peer), instructions counted",
	.disk_names = { "VIDEO.vhd" },
	.warm_up_disk = 0,
	.figures = figures,
	.figure_count = ARRAY_LEN(figures),
	.scenarios = scenarios,
	.scenario_count = ARRAY_LEN(scenarios),
};

int main(int argc, char **argv)
{
	return suite_main(&suite, argc, argv);
}
