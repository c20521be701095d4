// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen against QEMU's -vga std and cirrus: text, planar graphics, the linear frame buffer; and our engine
 * against the processor doing the same through the frame buffer.
 *
 *	video [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY VIDEO.vhd JSON
 *
 * See compare.c and README.md for the method.
 */
#include "../../base/bits.h"
#include "suite.h"

/* What both sides do, with the goals. Nothing beats memory: what is memory for both is equal to a hundredth. */
#define BOTH(peer)                                                                                 \
	{ "text scroll by memory moves" peer, "kinsn", 0.1, 0, false },                            \
		{ "int 10h line with scroll" peer, "kinsn", 0.3, 0, false },                       \
		{ "planar fill by rep stosd, set/reset: a screen" peer, "kinsn", 1.0, 0, false },  \
		{ "planar fill by a mov loop, set/reset: a screen" peer, "kinsn", 1.0, 0, false }, \
		{ "planar fill by rep stosd, all planes plainly: a screen" peer, "kinsn", 0.1, 0,  \
		  false },                                                                         \
		{ "planar fill by a mov loop, all planes plainly: a screen" peer, "kinsn", 0.1, 0, \
		  false },                                                                         \
		{ "latch copy: a screen" peer, "kinsn", 0.7, 0, false },                           \
		{ "pixel with bit mask and latch read" peer, "kinsn", 0.8, 0, false },             \
		{ "linear frame buffer, fill by rep stosd: a screen" peer, "kinsn", 1.01, 0,       \
		  false },                                                                         \
		{ "linear frame buffer, fill by a mov loop: a screen" peer, "kinsn", 1.01, 0,      \
		  false },                                                                         \
	{                                                                                          \
		"linear frame buffer, scroll by rep movsd: a screen" peer, "kinsn", 1.01, 0, false \
	}

#define BOTH_ROWS 11u
#define ENGINE_ROW (2 * BOTH_ROWS)

static const struct figure figures[] = {
	BOTH(""),
	BOTH(", cirrus"),
	/* The peer is the processor of the same machine. */
	{ "engine: fill of 256x256 against a mov loop", "kinsn", 0.25, 0, false },
	{ "engine: fill of 1024x768 against a mov loop", "kinsn", 0.25, 0, false },
	{ "engine: copy of 256x256 against a mov loop", "kinsn", 0.25, 0, false },
	{ "engine: fill of 256x256 against rep stosd", "kinsn", 0.25, 0, false },
	{ "engine: fill of 1024x768 against rep stosd", "kinsn", 0.25, 0, false },
	{ "engine: copy of 256x256 against rep movsd", "kinsn", 0.25, 0, false },
	{ "engine: copy of 1024x752 against rep movsd", "kinsn", 0.25, 0, false },
};

/* In the order of the figures. */
static const struct operation operations[] = {
	{ 's', 10, 50 }, { 't', 10, 50 }, { 'f', 2, 6 },  { 'm', 1, 3 },
	{ 'F', 4, 12 },	 { 'M', 2, 6 },	  { 'l', 1, 3 },  { 'p', 500, 2500 },
	{ 'L', 4, 12 },	 { 'K', 4, 12 },  { 'N', 4, 12 },
};
_Static_assert(ARRAY_LEN(operations) == BOTH_ROWS, "a row for each");

static const struct {
	struct operation engine, processor;
} contests[] = {
	{ { 'e', 50, 250 }, { 'a', 20, 100 } }, { { 'E', 10, 50 }, { 'K', 4, 12 } },
	{ { 'g', 50, 250 }, { 'b', 20, 100 } }, { { 'e', 50, 250 }, { 'A', 20, 100 } },
	{ { 'E', 10, 50 }, { 'L', 4, 12 } },	{ { 'g', 50, 250 }, { 'B', 20, 100 } },
	{ { 'G', 10, 50 }, { 'N', 4, 12 } },
};
_Static_assert(ARRAY_LEN(contests) == ARRAY_LEN(figures) - ENGINE_ROW, "a row for each");

static int start(struct bench *bench, enum side side, struct machine *machine, const char *vga)
{
	const struct machine_setup setup = {
		.mainstay = bench->mainstay,
		.show = bench->verbose,
		.disk = bench->disks[0],
		.vga = vga,
	};

	return start_and_wait(machine, side, &setup, "ready");
}

static int run_both(struct bench *bench, enum side side, struct machine *machine, const char *vga,
		    size_t first_row)
{
	int status;

	if (start(bench, side, machine, vga) < 0)
		return -1;
	status = report_operations(bench, side, machine, operations, BOTH_ROWS, first_row);
	show_counters(bench, "the end of the drawing");
	return status;
}

static int run_std(struct bench *bench, enum side side, struct machine *machine)
{
	return run_both(bench, side, machine, "std", 0);
}

static int run_cirrus(struct bench *bench, enum side side, struct machine *machine)
{
	return run_both(bench, side, machine, "cirrus", BOTH_ROWS);
}

static int measure(struct bench *bench, enum side side, struct machine *machine,
		   const struct operation *operation, size_t row)
{
	struct cost points[3];

	if (run_operation(machine, operation, points) < 0) {
		report_failed(&bench->report, row, side, machine->error);
		return -1;
	}
	report_value(&bench->report, row, side, instructions_of_one(operation, points));
	return 0;
}

/* All on our side. */
static int run_engine(struct bench *bench, enum side side, struct machine *machine)
{
	int status = 0;

	if (side != SIDE_OURS)
		return 0;
	if (start(bench, side, machine, NULL) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(contests); i++) {
		if (measure(bench, SIDE_OURS, machine, &contests[i].engine, ENGINE_ROW + i) < 0 ||
		    measure(bench, SIDE_PEER, machine, &contests[i].processor, ENGINE_ROW + i) < 0)
			status = -1;
	}
	show_counters(bench, "the end of the rectangles");
	return status;
}

static const struct scenario scenarios[] = {
	{ "std", 0, BOTH_ROWS, run_std },
	{ "engine", ENGINE_ROW, ARRAY_LEN(contests), run_engine },
	{ "cirrus", BOTH_ROWS, BOTH_ROWS, run_cirrus },
};

static const struct suite suite = {
	.name = "video",
	.title = "The screen: Mainstay (ours) and QEMU (peer) with -vga std or cirrus, "
		 "instructions counted",
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
