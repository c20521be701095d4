// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving and restoring, against QEMU's migration into a file by "cat" and back.
 *
 *	state [-v] [-n RUNS] [-o SIDE] [-s SCENARIO] MAINSTAY LINUX.vhd LINUX.img JSON
 *
 * See compare.c and README.md for the method.
 *
 * Theory of operation: a run boots Linux to a program that answers on the serial port, lets it come to rest, and
 * saves it. What the save costs is the processor time of all its processes, helpers included, from rest to the whole
 * file. Then a new process restores it; that is over when the guest has answered, which needs the guest to run.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "suite.h"

#define PEER_LOADS_S 20

enum {
	SAVE,
	SAVE_STOP,
	RESTORE,
	RESTORE_LARGE,
	FILE_SIZE,
	COMPACT_SIZE,
	MOVE_STOP,
};

static const struct figure figures[] = {
	[SAVE] = { "save a running guest of 128 MiB", "Minsn", 0.7, 0, false },
	[SAVE_STOP] = { "guest stopped while saved, limit of 50 ms", "ms", 1.0, 50, false },
	[RESTORE] = { "restore 128 MiB, exec to the guest's answer; peer: to its start", "Minsn",
		      0.1, 0, false },
	[RESTORE_LARGE] = { "restore 1 GiB in parts of 128 MiB, limit of 1.1", "ratio", 1.0, 1.1,
			    false },
	[FILE_SIZE] = { "file of an idle guest; peer: memory it has touched", "KiB", 1.1, 0,
			false },
	[MOVE_STOP] = { "guest stopped while it moves, 20 MB/s change, limit of 100 ms", "ms", 1.0,
			100, false },
	[COMPACT_SIZE] = { "compact file; peer: QEMU's, compressed", "KiB", 1.0, 0, false },
};

/* The disks of the suite: QEMU refuses to save a machine with a VHD. */
enum { OUR_DISK, PEER_DISK };

static int fail(struct machine *machine, const char *why)
{
	snprintf(machine->error, sizeof(machine->error), "%s", why);
	return -1;
}

static double file_kib(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (double)st.st_blocks / 2 : 0;
}

/* --- our side */

/* "mainstay save" in the meter; what it prints is in @output. */
static int run_ours(const char *const *argv, char *output, size_t size)
{
	int pipes[2], status = 0;
	size_t have = 0;
	pid_t pid;

	if (pipe(pipes) < 0)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		if (meter_enter() == 0)
			execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(pipes[1]);
	for (;;) {
		ssize_t n = read(pipes[0], output + have, size - 1 - have);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	output[have] = '\0';
	close(pipes[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			       WEXITSTATUS(status) == 0
		       ? 0
		       : -1;
}

static int save_ours(struct bench *bench, struct machine *machine, const char *file,
		     double *ret_stop)
{
	const char *const argv[] = { bench->mainstay, "save", "bench", file, NULL };
	char output[512];
	const char *stop;

	if (run_ours(argv, output, sizeof(output)) < 0)
		return fail(machine, "mainstay save failed");
	stop = strstr(output, "stopped for ");
	*ret_stop = stop ? atof(stop + strlen("stopped for ")) : 999;
	return 0;
}

/* --- the peer's: its monitor */

static int monitor(struct machine *machine)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/monitor", machine->folder);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	fd_close(fd);
	return fail(machine, "its monitor does not answer");
}

/* Sends @command and waits for the prompt; what came is in @text. */
static int ask(int fd, const char *command, char *text, size_t size)
{
	size_t have = 0;

	if (fd_write_full(fd, command, strlen(command)) < 0)
		return -1;
	text[0] = '\0';
	do {
		struct pollfd wait = { fd, POLLIN, 0 };
		ssize_t n = poll(&wait, 1, 60000) > 0 ? read(fd, text + have, size - 1 - have) : 0;

		if (n <= 0 || have + (size_t)n >= size - 1)
			return -1;
		have += (size_t)n;
		text[have] = '\0';
	} while (!strstr(text, "\n(qemu) "));
	return 0;
}

/* Its greeting ends with a prompt too, which must not be taken for an answer. */
static int greet(int fd, char *text, size_t size)
{
	int r = ask(fd, "\n", text, size);

	usleep(300000);
	(void)recv(fd, text, size, MSG_DONTWAIT);
	return r;
}

static int save_peer(struct machine *machine, const char *file, bool compress)
{
	static char text[65536];
	char command[256];
	int fd = monitor(machine), r;

	if (fd < 0)
		return -1;
	r = greet(fd, text, sizeof(text));
	if (r == 0 && compress)
		r = ask(fd, "migrate_set_capability compress on\n", text, sizeof(text));
	/* As fast as it can. */
	if (r == 0)
		r = ask(fd, "migrate_set_parameter max-bandwidth 100G\n", text, sizeof(text));
	/* The prompt comes when it is over: asking how far it is would cost more than the migration. */
	snprintf(command, sizeof(command), "migrate \"exec:cat >%s\"\n", file);
	if (r == 0)
		r = ask(fd, command, text, sizeof(text));
	if (r == 0)
		r = ask(fd, "info migrate\n", text, sizeof(text));
	if (r == 0 && !strstr(text, "Migration status: completed"))
		r = -1;
	close(fd);
	return r < 0 ? fail(machine, "its migration failed") : 0;
}

/* --- scenarios */

static int boot(struct bench *bench, enum side side, unsigned int memory_mib,
		struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[OUR_DISK],
					     .peer_disk = bench->disks[PEER_DISK],
					     .memory_mib = memory_mib,
					     .monitor = true };
	struct cost rest;

	if (machine_start(machine, side, &setup) < 0 || machine_connect(machine) < 0 ||
	    machine_wait_text(machine, "bench: ready") < 0)
		return -1;
	return read_cost_at_rest(machine, &rest);
}

/*
 * The peer stops before the guest runs: the emulated SVM refuses the task register that QEMU gives back to a guest that had
 * loaded one (tests/nested/README.md). What is left out is to its favour.
 */
static int peer_has_loaded(struct machine *machine)
{
	static char text[65536];
	int fd, r;

	/* Waiting costs nothing, asking does. */
	sleep(PEER_LOADS_S);
	fd = monitor(machine);
	r = fd < 0 ? -1 : greet(fd, text, sizeof(text));
	if (r == 0)
		r = ask(fd, "info status\n", text, sizeof(text));
	if (r == 0 && !strstr(text, "VM status: paused"))
		r = -1;
	fd_close(fd);
	return r < 0 ? fail(machine, "it has not loaded its state") : 0;
}

/* The guest, gone on in a new process, answers. */
static int restore(struct bench *bench, enum side side, unsigned int memory_mib, const char *file,
		   struct machine *machine, double *ret_minsn)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[OUR_DISK],
					     .peer_disk = bench->disks[PEER_DISK],
					     .memory_mib = memory_mib,
					     .monitor = true,
					     .restore = file };
	struct cost cost;

	if (machine_start(machine, side, &setup) < 0)
		return -1;
	if (side == SIDE_PEER
		    ? peer_has_loaded(machine) < 0
		    : machine_connect(machine) < 0 || machine_command(machine, 'a', 1) < 0)
		return -1;
	if (read_cost(machine, &cost) < 0)
		return -1;
	*ret_minsn = (double)cost.instructions / 1e6;
	return 0;
}

static int save_and_restore(struct bench *bench, enum side side, unsigned int memory_mib,
			    struct machine *machine, double *ret_restore)
{
	char file[64] = "/tmp/mainstay-bench.state";
	struct cost before, after;
	double stop = 0;
	int r;

	unlink(file);
	if (boot(bench, side, memory_mib, machine) < 0 || read_cost_at_rest(machine, &before) < 0)
		return -1;
	r = side == SIDE_OURS ? save_ours(bench, machine, file, &stop)
			      : save_peer(machine, file, false);
	if (r < 0 || read_cost(machine, &after) < 0)
		return -1;
	if (memory_mib == MACHINE_MEMORY_MIB) {
		report_value(&bench->report, SAVE, side,
			     (double)(after.instructions - before.instructions) / 1e6);
		if (side == SIDE_OURS)
			report_value(&bench->report, SAVE_STOP, side, stop);
	}
	machine_end(machine);
	r = restore(bench, side, memory_mib, file, machine, ret_restore);
	unlink(file);
	return r;
}

static int run_small(struct bench *bench, enum side side, struct machine *machine)
{
	double minsn;

	if (save_and_restore(bench, side, MACHINE_MEMORY_MIB, machine, &minsn) < 0)
		return -1;
	report_value(&bench->report, RESTORE, side, minsn);
	return 0;
}

static int run_large(struct bench *bench, enum side side, struct machine *machine)
{
	double small, large;

	if (side != SIDE_OURS)
		return 0;
	if (save_and_restore(bench, side, MACHINE_MEMORY_MIB, machine, &small) < 0)
		return -1;
	machine_end(machine);
	if (save_and_restore(bench, side, 1024, machine, &large) < 0)
		return -1;
	report_value(&bench->report, RESTORE_LARGE, side, large / small);
	return 0;
}

/* Without instructions: what the files take. */
static int run_sizes(struct bench *bench, enum side side, struct machine *machine)
{
	char file[64] = "/tmp/mainstay-bench.state", compact[64] = "/tmp/mainstay-bench.compact";
	const char *const argv[] = { bench->mainstay, "state", "compact", file, compact, NULL };
	char output[512];
	uint64_t touched_kib;
	double stop;

	unlink(file);
	unlink(compact);
	if (boot(bench, side, MACHINE_MEMORY_MIB, machine) < 0)
		return -1;
	if (side == SIDE_PEER) {
		if (save_peer(machine, file, true) < 0)
			return -1;
		report_value(&bench->report, COMPACT_SIZE, side, file_kib(file));
		unlink(file);
		return 0;
	}
	if (meter_touched(KIB(MACHINE_MEMORY_MIB), &touched_kib) < 0)
		return fail(machine, "no mapping of the size of the guest's memory");
	if (save_ours(bench, machine, file, &stop) < 0)
		return -1;
	report_value(&bench->report, FILE_SIZE, SIDE_OURS, file_kib(file));
	report_value(&bench->report, FILE_SIZE, SIDE_PEER, (double)touched_kib);
	if (run_ours(argv, output, sizeof(output)) < 0)
		return fail(machine, "mainstay state compact failed");
	report_value(&bench->report, COMPACT_SIZE, side, file_kib(compact));
	unlink(file);
	unlink(compact);
	return 0;
}

/*
 * The nested host's clock jumps to the next timer when nobody has anything to do, as when a file is opened that lies outside of
 * it. So somebody has, in no one's way.
 */
static pid_t keep_busy(void)
{
	const struct sched_param none = { 0 };
	pid_t pid = fork();

	if (pid)
		return pid;
	if (sched_setscheduler(0, SCHED_IDLE, &none) < 0)
		_exit(1);
	for (;;)
		__asm__ volatile("pause");
}

/* To another process, while its guest changes 20 MB of its memory in a second; there it comes to its end. */
static int run_moving(struct bench *bench, enum side side, struct machine *machine)
{
	const struct machine_setup setup = { .mainstay = bench->mainstay,
					     .show = bench->verbose,
					     .disk = bench->disks[OUR_DISK],
					     .name = "moved",
					     .incoming = true };
	static struct machine moved; /* large */
	char where[96], output[512] = "";
	const char *const argv[] = { bench->mainstay, "migrate", "bench", where, NULL };
	const char *stop;
	pid_t busy;
	int r;

	if (side != SIDE_OURS)
		return 0;
	if (boot(bench, side, MACHINE_MEMORY_MIB, machine) < 0)
		return -1;
	if (fd_write_full(machine->serial_fd, "m000100\n", 8) < 0)
		return fail(machine, "serial port");
	r = machine_start(&moved, side, &setup);
	snprintf(where, sizeof(where), "unix:%s/incoming", moved.folder);
	for (unsigned int i = 0; r == 0 && access(where + 5, F_OK) < 0 && i < 1000; i++)
		usleep(10000);
	busy = keep_busy();
	if (r == 0 && run_ours(argv, output, sizeof(output)) < 0)
		r = fail(&moved, "mainstay migrate failed");
	if (busy > 0 && kill(busy, SIGKILL) == 0)
		(void)waitpid(busy, NULL, 0);
	stop = strstr(output, "stopped for ");
	if (r == 0 && stop)
		report_value(&bench->report, MOVE_STOP, side, atof(stop + strlen("stopped for ")));
	if (r == 0 && bench->verbose)
		fputs(output, stdout);
	if (r == 0 && machine_connect(&moved) == 0)
		r = machine_wait_text(&moved, "done");
	if (r < 0)
		(void)fail(machine, moved.error);
	machine_end(&moved);
	return r;
}

static const struct scenario scenarios[] = {
	{ "small", SAVE, 3, run_small },
	{ "growth", RESTORE_LARGE, 1, run_large },
	{ "sizes", FILE_SIZE, 2, run_sizes },
	{ "moving", MOVE_STOP, 1, run_moving },
};

static const struct suite suite = {
	.name = "state",
	.title = "Saved state: Mainstay (ours) and QEMU (peer)",
	.disk_names = { "LINUX.vhd", "LINUX.img" },
	.warm_up_disk = OUR_DISK,
	.figures = figures,
	.figure_count = ARRAY_LEN(figures),
	.scenarios = scenarios,
	.scenario_count = ARRAY_LEN(scenarios),
	.ours_only = BIT(1) | BIT(3),
};

int main(int argc, char **argv)
{
	return suite_main(&suite, argc, argv);
}
