// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network: Linux with its driver for the 21140 on our adapter, and on QEMU's tulip.
 *
 *	net [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY LINUX.vhd PORTS.vhd OTHER.vhd JSON
 *	net serve	the other end of the guest's traffic, for tests
 *
 * See README.md for the method. What our guest sends passes mainstay-switch and a tap device of a loopback
 * network, and all of that is counted; QEMU has its tap device itself. Two guests meet in a network of the
 * switch, or on a Linux bridge with two taps. rtl8139, e1000 and QEMU's socket backend are for reference.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/log.h"
#include "net_host.h"
#include "suite.h"

/* Of each operation two rows: instructions and exits. */
#define ROWS 2
#define PAIR(what, instructions, exits)                                                            \
	{ what ": instructions", "kinsn", instructions, 0, false },                                \
	{                                                                                          \
		what ": exits", "exits", exits, 0, false                                           \
	}
#define ALL_PAIRS(what, us, usx, ur, urx, ts, tsx, tr, trx, p, px)                                 \
	PAIR(what "UDP send 1472 bytes", us, usx), PAIR(what "UDP receive 1472 bytes", ur, urx),   \
		PAIR(what "TCP send 1448 bytes", ts, tsx),                                         \
		PAIR(what "TCP receive 1448 bytes", tr, trx), PAIR(what "ping", p, px)

/* Few of each, as in compare.c: a guest that the emulated SVM loses costs a run, and two guests are lost sooner. */
static const struct operation operations[] = {
	{ 'u', 320, 1920 }, { 'r', 320, 1920 }, { 't', 400, 2400 },
	{ 'v', 400, 2400 }, { 'p', 100, 500 },
};
static const struct operation guest_operations[] = { { 't', 200, 1200 }, { 'p', 50, 300 } };
#define HOST_ROWS (ROWS * ARRAY_LEN(operations))
#define GUEST_ROWS (ROWS * ARRAY_LEN(guest_operations))

enum {
	TULIP,
	RTL8139 = TULIP + HOST_ROWS,
	E1000 = RTL8139 + HOST_ROWS,
	GUESTS = E1000 + HOST_ROWS,
	GUESTS_SOCKET = GUESTS + GUEST_ROWS,
	FIGURES = GUESTS_SOCKET + GUEST_ROWS,
};

/* A goal of 1.0 where nothing more is asked. */
static const struct figure figures[] = {
	[TULIP] = ALL_PAIRS("", 0.5, 0.4, 1.0, 0.5, 0.4, 0.3, 0.8, 1.0, 0.6, 1.0),
	[RTL8139] = ALL_PAIRS("rtl8139: ", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
	[E1000] = ALL_PAIRS("e1000: ", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
	[GUESTS] = PAIR("guest to guest, TCP 1448 bytes", 0.5, 1.0),
	PAIR("guest to guest, ping", 0.5, 1.0),
	[GUESTS_SOCKET] = PAIR("guest to guest (peer: socket), TCP 1448 bytes", 1.0, 1.0),
	PAIR("guest to guest (peer: socket), ping", 1.0, 1.0),
};
_Static_assert(ARRAY_LEN(figures) == FIGURES, "a row for each figure");

/* The other disk is a copy of the first: two guests run at once. */
enum { LINUX_DISK, PORTS_DISK, OTHER_DISK };

/* In memory that the other end's process writes. */
static volatile uint32_t *datagrams;

/* --- the host's side of cables */

static int run_commands(struct machine *machine, const char *commands)
{
	if (system(commands) == 0)
		return 0;
	snprintf(machine->error, sizeof(machine->error), "cannot be done: %.120s", commands);
	return -1;
}

#define TAP(name) "ip tuntap add " name " mode tap && ip link set " name " up && "
static const char one_tap[] = TAP("bench0") "ip address add 10.9.0.1/24 dev bench0";
static const char two_taps[] =
	"ip link add bench type bridge && ip link set bench up && " TAP("bench1")
		TAP("bench2") "ip link set bench1 master bench && "
			      "ip link set bench2 master bench";
static const char no_taps[] = "for i in bench0 bench1 bench2 bench; do "
			      "ip link delete $i 2>/dev/null; done; true";

/* --- measuring */

static int measure(struct bench *bench, enum side side, struct machine *machine,
		   const struct operation *operation, struct cost points[3])
{
	uint32_t before = *datagrams, sent = 2 * operation->few + operation->many, lost;

	(void)bench;
	(void)side;
	if (run_operation(machine, operation, points) < 0)
		return -1;
	if (operation->letter != 'u')
		return 0;
	/* What is cheap because it is thrown away is no figure. */
	lost = sent - (*datagrams - before);
	if (!lost)
		return 0;
	snprintf(machine->error, sizeof(machine->error), "%u of %u datagrams were lost", lost,
		 sent);
	return -1;
}

/* Ours counts for each of @rows, which ends with -1. */
static int report_all(struct bench *bench, enum side side, struct machine *machine,
		      const struct operation *list, size_t count, const int *rows)
{
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		struct cost points[3];
		int r = measure(bench, side, machine, &list[i], points);

		for (const int *first = rows; *first >= 0; first++) {
			size_t row = (size_t)*first + ROWS * i;

			if (r < 0) {
				report_failed(&bench->report, row, side, machine->error);
				report_failed(&bench->report, row + 1, side, machine->error);
				continue;
			}
			report_value(&bench->report, row, side,
				     instructions_of_one(&list[i], points));
			report_value(&bench->report, row + 1, side,
				     of_one(&list[i], points[0].exits, points[1].exits,
					    points[2].exits));
		}
		if (r < 0)
			status = -1;
	}
	return status;
}

/* --- scenarios: a guest and the host */

static int run_host(struct bench *bench, enum side side, struct machine *machine, const char *model,
		    const int *rows)
{
	const struct machine_net net = { "loopback:bench", model,
					 "tap,ifname=bench0,script=no,downscript=no", 2 };
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[LINUX_DISK],
					     .net = &net };

	if (run_commands(machine, no_taps) < 0 ||
	    (side == SIDE_PEER && run_commands(machine, one_tap) < 0) ||
	    start_and_wait(machine, side, &setup, "bench: ready") < 0)
		return -1;
	return report_all(bench, side, machine, operations, ARRAY_LEN(operations), rows);
}

static int run_tulip(struct bench *bench, enum side side, struct machine *machine)
{
	static const int ours[] = { TULIP, RTL8139, E1000, -1 }, peer[] = { TULIP, -1 };

	return run_host(bench, side, machine, "tulip", side == SIDE_OURS ? ours : peer);
}

static int run_rtl8139(struct bench *bench, enum side side, struct machine *machine)
{
	static const int rows[] = { RTL8139, -1 };

	return run_host(bench, side, machine, "rtl8139", rows);
}

static int run_e1000(struct bench *bench, enum side side, struct machine *machine)
{
	static const int rows[] = { E1000, -1 };

	return run_host(bench, side, machine, "e1000", rows);
}

/* --- scenarios: two guests */

/* @backends: the peer's, of the server and of the one who talks to it. */
static int run_pair(struct bench *bench, enum side side, struct machine *machine,
		    const char *const backends[2], const int *rows)
{
	static struct machine server; /* large */
	const struct machine_net nets[2] = { { "internal:pair", "tulip", backends[0], 3 },
					     { "internal:pair", "tulip", backends[1], 4 } };
	struct machine_setup setup = { .name = "server",
				       .mainstay = bench->mainstay,
				       .show = bench->verbose,
				       .disk = bench->disks[LINUX_DISK],
				       .net = &nets[0] };
	int r = -1;

	if (run_commands(machine, no_taps) < 0 ||
	    (side == SIDE_PEER && run_commands(machine, two_taps) < 0))
		return -1;
	if (start_and_wait(&server, side, &setup, "bench: ready") < 0 ||
	    machine_command(&server, 's', 0) < 0) {
		memcpy(machine->error, server.error, sizeof(machine->error));
		machine_end(&server);
		return -1;
	}
	setup.name = "client";
	setup.disk = bench->disks[OTHER_DISK];
	setup.net = &nets[1];
	if (start_and_wait(machine, side, &setup, "bench: ready") == 0)
		r = report_all(bench, side, machine, guest_operations, ARRAY_LEN(guest_operations),
			       rows);
	machine_end(&server);
	return r;
}

static int run_guests(struct bench *bench, enum side side, struct machine *machine)
{
	static const char *const taps[2] = { "tap,ifname=bench1,script=no,downscript=no",
					     "tap,ifname=bench2,script=no,downscript=no" };
	static const int ours[] = { GUESTS, GUESTS_SOCKET, -1 }, peer[] = { GUESTS, -1 };

	return run_pair(bench, side, machine, taps, side == SIDE_OURS ? ours : peer);
}

static int run_socket(struct bench *bench, enum side side, struct machine *machine)
{
	static const char *const sockets[2] = { "socket,listen=127.0.0.1:5999",
						"socket,connect=127.0.0.1:5999" };
	static const int rows[] = { GUESTS_SOCKET, -1 };

	return run_pair(bench, side, machine, sockets, rows);
}

/* Our rows of the last three are filled by the first two, which have the same guest and work. */
static const struct scenario scenarios[] = {
	{ "tulip", TULIP, HOST_ROWS, run_tulip },
	{ "guests", GUESTS, GUEST_ROWS, run_guests },
	{ "rtl8139", RTL8139, HOST_ROWS, run_rtl8139 },
	{ "e1000", E1000, HOST_ROWS, run_e1000 },
	{ "socket", GUESTS_SOCKET, GUEST_ROWS, run_socket },
};

/* The other end of all traffic, which lives as long as we do. */
static void start_server(void)
{
	pid_t parent = getpid();

	datagrams = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (datagrams == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	switch (fork()) {
	case -1:
		die("fork: %s", strerror(errno));
	case 0:
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(EXIT_FAILURE);
		net_host_serve(datagrams);
	}
}

static const struct suite suite = {
	.name = "net",
	.title = "Network: Mainstay (ours) and QEMU (peer), instructions counted",
	.disk_names = { [LINUX_DISK] = "LINUX.vhd",
			[PORTS_DISK] = "PORTS.vhd",
			[OTHER_DISK] = "OTHER.vhd" },
	.warm_up_disk = PORTS_DISK,
	.set_up = start_server,
	.figures = figures,
	.figure_count = ARRAY_LEN(figures),
	.scenarios = scenarios,
	.scenario_count = ARRAY_LEN(scenarios),
	.both_count = 2,
};

int main(int argc, char **argv)
{
	static uint32_t received;

	if (argc == 2 && !strcmp(argv[1], "serve"))
		net_host_serve(&received);
	return suite_main(&suite, argc, argv);
}
