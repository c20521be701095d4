// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VHD images against plain files and qemu-img on the same file system.
 *
 *	vhd [-n RUNS] MAINSTAY-VHD FOLDER JSON
 *
 * FOLDER is best on tmpfs, where nothing but the programs' own work is measured. Ours and the peer
 * take turns; after each scenario the JSON file is written anew.
 *
 * Times are processor times, of a program with its system calls or of this process for the library's
 * reads and writes: on tmpfs there is nothing to wait for, so that is what an idle machine takes, and
 * a busy one does not spoil it. Only qemu-img has more than one thread. Writes end with a flush, the
 * peer's with fdatasync.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "../../base/log.h"
#include "../../base/parse.h"
#include "../../vhd/vhd.h"
#include "report.h"

#define DATA_BYTES GIB(1)
#define PIECE 4096u
#define ACCESSES 65536u
#define CHAIN 8u
#define HUGE "2040G"

enum row_number {
	TO_DYNAMIC,
	TO_RAW,
	TO_DYNAMIC_QEMU,
	TO_RAW_QEMU,
	INFO,
	CREATE,
	WRITES_ALLOCATED,
	WRITES_EMPTY,
	READS_CHAIN,
	MEMORY_CONVERT,
	MEMORY_CHECK,
	MEMORY_COMPACT,
	MEMORY_MERGE,
	MEMORY_MAP,
	MEMORY_COMPARE,
	MEMORY_INFO,
	ROWS,
};

static const struct figure figures[ROWS] = {
	[TO_DYNAMIC] = { "convert raw to dynamic, 1 GiB (peer: dd)", "ms", 1.15, 0, false },
	[TO_RAW] = { "convert dynamic to raw, 1 GiB (peer: dd)", "ms", 1.1, 0, false },
	[TO_DYNAMIC_QEMU] = { "convert raw to dynamic, 1 GiB (peer: qemu-img)", "ms", 1, 0, false },
	[TO_RAW_QEMU] = { "convert dynamic to raw, 1 GiB (peer: qemu-img)", "ms", 1, 0, false },
	[INFO] = { "info of 2040 GiB, beyond process start", "ms", 1, 3, false },
	[CREATE] = { "create 2040 GiB", "ms", 1, 20, false },
	[WRITES_ALLOCATED] = { "4 KiB writes, allocated (peer: pwrite)", "ms", 1.3, 0, false },
	[WRITES_EMPTY] = { "4 KiB writes, empty disk (peer: pwrite)", "ms", 2, 0, false },
	[READS_CHAIN] = { "4 KiB reads, chain of 8 (peer: pread)", "ms", 1.5, 0, false },
	[MEMORY_CONVERT] = { "memory: convert, 2040 GiB chain of 8", "MiB", 1, 16, false },
	[MEMORY_CHECK] = { "memory: check, 2040 GiB chain of 8", "MiB", 1, 16, false },
	[MEMORY_COMPACT] = { "memory: compact, 2040 GiB chain of 8", "MiB", 1, 16, false },
	[MEMORY_MERGE] = { "memory: merge, 2040 GiB chain of 8", "MiB", 1, 16, false },
	[MEMORY_MAP] = { "memory: map, 2040 GiB chain of 8", "MiB", 1, 16, false },
	[MEMORY_COMPARE] = { "memory: compare, 2040 GiB chain of 8", "MiB", 1, 16, false },
	[MEMORY_INFO] = { "memory: info, 2040 GiB chain of 8", "MiB", 1, 16, false },
};

static struct report report;
static const char *tool;
static unsigned int run_count = 5;

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- programs */

struct usage {
	double ms, mib;
};

static double to_ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* Runs a program with its output thrown away; false, with the rows' reason, when it fails. */
static bool run(const char *const *argv, struct usage *ret_usage)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		if (!getenv("BENCH_VERBOSE"))
			dup2(null, STDERR_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return false;
	ret_usage->ms = to_ms(usage.ru_utime) + to_ms(usage.ru_stime);
	ret_usage->mib = (double)usage.ru_maxrss / 1024;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define RUN(usage, ...) run((const char *const[]){ __VA_ARGS__, NULL }, usage)

static void must(bool worked, const char *what)
{
	if (!worked)
		die("%s failed", what);
}

static void note(enum row_number row, enum side side, bool worked, double value)
{
	if (worked)
		report_value(&report, row, side, value);
	else
		report_failed(&report, row, side, "it failed");
}

/* --- the data: noise, text, zeros, in runs of 64 KiB to 4 MiB */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void fill_piece(uint64_t *seed, uint64_t kind, uint64_t *p, size_t words)
{
	for (size_t i = 0; i < words; i++)
		p[i] = kind == 0   ? next_random(seed)
		       : kind == 1 ? UINT64_C(0x2065687420666f20) + i
				   : 0;
}

static void make_data(const char *path)
{
	static uint64_t piece[65536 / 8];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	uint64_t seed = 0x9e3779b97f4a7c15, left = 0, kind = 0;

	must(fd >= 0, path);
	for (uint64_t at = 0; at < DATA_BYTES; at += sizeof(piece)) {
		if (!left) {
			kind = next_random(&seed) % 3;
			left = 1 + next_random(&seed) % 64;
		}
		left--;
		fill_piece(&seed, kind, piece, ARRAY_LEN(piece));
		must(fd_write_full(fd, piece, sizeof(piece)) == 0, path);
	}
	close(fd);
}

static void convert_once(void)
{
	struct usage u;
	bool ok;

	unlink("copy");
	ok = RUN(&u, "dd", "if=data", "of=copy", "bs=1M");
	note(TO_DYNAMIC, SIDE_PEER, ok, u.ms);
	unlink("ours.vhd");
	ok = RUN(&u, tool, "convert", "data", "ours.vhd");
	note(TO_DYNAMIC, SIDE_OURS, ok, u.ms);
	note(TO_DYNAMIC_QEMU, SIDE_OURS, ok, u.ms);
	unlink("theirs.vhd");
	ok = RUN(&u, "qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "force_size=on", "data",
		 "theirs.vhd");
	note(TO_DYNAMIC_QEMU, SIDE_PEER, ok, u.ms);

	unlink("copy");
	ok = RUN(&u, "dd", "if=data", "of=copy", "bs=1M");
	note(TO_RAW, SIDE_PEER, ok, u.ms);
	unlink("copy");
	ok = RUN(&u, tool, "convert", "--type", "raw", "ours.vhd", "copy");
	note(TO_RAW, SIDE_OURS, ok, u.ms);
	note(TO_RAW_QEMU, SIDE_OURS, ok, u.ms);
	unlink("copy");
	ok = RUN(&u, "qemu-img", "convert", "-f", "vpc", "-O", "raw", "ours.vhd", "copy");
	note(TO_RAW_QEMU, SIDE_PEER, ok, u.ms);
}

static void convert(void)
{
	make_data("data");
	for (unsigned int i = 0; i < run_count; i++)
		convert_once();
	unlink("copy");
	unlink("ours.vhd");
	unlink("theirs.vhd");
}

/* --- large disks */

static void huge(void)
{
	struct usage start, u;
	double more;
	bool ok;

	for (unsigned int i = 0; i < run_count; i++) {
		unlink("huge.vhd");
		ok = RUN(&u, tool, "create", "huge.vhd", HUGE);
		note(CREATE, SIDE_OURS, ok, u.ms);
		more = 0;
		for (unsigned int n = 0; n < 20 && ok; n++) {
			ok = RUN(&start, tool, "--version") && RUN(&u, tool, "info", "huge.vhd");
			more += (u.ms - start.ms) / 20;
		}
		note(INFO, SIDE_OURS, ok, more);
	}
	unlink("huge.vhd");
}

/* --- scattered accesses */

static struct vhd *open_disk(const char *const *paths, unsigned int count, bool read_only)
{
	const struct vhd_open_options options = { .read_only = read_only };
	struct vhd_file files[CHAIN];
	char error[VHD_ERROR_BYTES];
	struct vhd *vhd;

	for (unsigned int i = 0; i < count; i++) {
		files[i] = (struct vhd_file){ .name = paths[i] };
		files[i].fd = open(paths[i], i || read_only ? O_RDONLY : O_RDWR);
		must(files[i].fd >= 0, paths[i]);
	}
	if (vhd_open(files, count, &options, &vhd, error, sizeof(error)) < 0)
		die("%s", error);
	return vhd;
}

static uint64_t somewhere(uint64_t *seed)
{
	return next_random(seed) % (DATA_BYTES / PIECE) * PIECE;
}

static double time_vhd(struct vhd *vhd, bool write)
{
	static char piece[PIECE] = "piece";
	const struct iovec iov = { piece, PIECE };
	uint64_t seed = 88172645463325252;
	double start = cpu_ms();
	int r = 0;

	for (unsigned int i = 0; i < ACCESSES && r == 0; i++)
		r = write ? vhd_write(vhd, somewhere(&seed), &iov, 1)
			  : vhd_read(vhd, somewhere(&seed), &iov, 1);
	if (r == 0 && write)
		r = vhd_flush(vhd);
	must(r == 0, vhd_error(vhd));
	return cpu_ms() - start;
}

static double time_file(const char *path, bool write)
{
	static char piece[PIECE] = "piece";
	uint64_t seed = 88172645463325252;
	int fd = open(path, O_RDWR);
	double start = cpu_ms();
	ssize_t n = PIECE;

	for (unsigned int i = 0; i < ACCESSES && n == PIECE; i++)
		n = write ? pwrite(fd, piece, PIECE, (off_t)somewhere(&seed))
			  : pread(fd, piece, PIECE, (off_t)somewhere(&seed));
	must(n == PIECE && (!write || fdatasync(fd) == 0), path);
	start = cpu_ms() - start;
	close(fd);
	return start;
}

static void make_sparse(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && ftruncate(fd, (off_t)DATA_BYTES) == 0, path);
	close(fd);
}

/* Every block and page is there: written once before. */
static void writes_allocated(void)
{
	const char *disk = "disk.vhd";
	struct usage u;
	struct vhd *vhd;

	must(RUN(&u, tool, "create", "-f", disk, "1G") && RUN(&u, "cp", "data", "plain"), "setup");
	vhd = open_disk(&disk, 1, false);
	time_vhd(vhd, true);
	time_file("plain", true);
	for (unsigned int i = 0; i < run_count; i++) {
		note(WRITES_ALLOCATED, SIDE_PEER, true, time_file("plain", true));
		note(WRITES_ALLOCATED, SIDE_OURS, true, time_vhd(vhd, true));
	}
	vhd_close(vhd);
}

static void writes_empty(void)
{
	const char *disk = "disk.vhd";
	struct usage u;

	for (unsigned int i = 0; i < run_count; i++) {
		struct vhd *vhd;

		make_sparse("plain");
		note(WRITES_EMPTY, SIDE_PEER, true, time_file("plain", true));
		must(RUN(&u, tool, "create", "-f", disk, "1G"), "create");
		vhd = open_disk(&disk, 1, false);
		note(WRITES_EMPTY, SIDE_OURS, true, time_vhd(vhd, true));
		vhd_close(vhd);
	}
}

/* Names of a chain, the last child first. */
static void name_chain(char names[CHAIN][16], const char *paths[CHAIN])
{
	for (unsigned int i = 0; i < CHAIN; i++) {
		snprintf(names[i], sizeof(names[i]), "chain%u.vhd", CHAIN - 1 - i);
		paths[i] = names[i];
	}
}

/* Each child has a different eighth of the data, in stripes of 1 MiB. */
static void make_chain(const char *const *paths, const char *size, uint64_t stride)
{
	static char piece[65536];
	struct usage u;

	for (unsigned int i = CHAIN; i-- > 0;) {
		struct iovec iov = { piece, sizeof(piece) };
		struct vhd *vhd;

		unlink(paths[i]);
		if (i == CHAIN - 1)
			must(RUN(&u, tool, "create", paths[i], size), "create");
		else
			must(RUN(&u, tool, "create", "--parent", paths[i + 1], paths[i]), "create");
		memset(piece, (int)i + 1, sizeof(piece));
		vhd = open_disk(paths + i, CHAIN - i, false);
		for (uint64_t at = i * MIB(1); at < DATA_BYTES; at += CHAIN * MIB(1)) {
			for (uint64_t n = 0; n < MIB(1); n += sizeof(piece))
				must(vhd_write(vhd, at * stride + n, &iov, 1) == 0, paths[i]);
		}
		must(vhd_close(vhd) == 0, paths[i]);
	}
}

static void reads_chain(void)
{
	char names[CHAIN][16];
	const char *paths[CHAIN];
	struct vhd *vhd;

	name_chain(names, paths);
	make_chain(paths, "1G", 1);
	must(RUN(&(struct usage){ 0 }, "cp", "data", "plain"), "cp");
	vhd = open_disk(paths, CHAIN, true);
	time_vhd(vhd, false);
	for (unsigned int i = 0; i < run_count; i++) {
		note(READS_CHAIN, SIDE_PEER, true, time_file("plain", false));
		note(READS_CHAIN, SIDE_OURS, true, time_vhd(vhd, false));
	}
	vhd_free(vhd);
}

/* --- memory */

static void memory(void)
{
	char names[CHAIN][16];
	const char *paths[CHAIN];
	struct usage u;
	bool ok;

	name_chain(names, paths);
	/* From the disk's start to near its end. */
	make_chain(paths, HUGE, 2000);
	ok = RUN(&u, tool, "info", "--blocks", paths[0]);
	note(MEMORY_INFO, SIDE_OURS, ok, u.mib);
	ok = RUN(&u, tool, "check", "--deep", paths[0]);
	note(MEMORY_CHECK, SIDE_OURS, ok, u.mib);
	ok = RUN(&u, tool, "map", paths[0]);
	note(MEMORY_MAP, SIDE_OURS, ok, u.mib);
	unlink("flat.vhd");
	ok = RUN(&u, tool, "convert", paths[0], "flat.vhd");
	note(MEMORY_CONVERT, SIDE_OURS, ok, u.mib);
	ok = RUN(&u, tool, "compare", paths[0], "flat.vhd");
	note(MEMORY_COMPARE, SIDE_OURS, ok, u.mib);
	unlink("flat.vhd");
	ok = RUN(&u, tool, "compact", paths[0]);
	note(MEMORY_COMPACT, SIDE_OURS, ok, u.mib);
	ok = RUN(&u, tool, "merge", paths[0]);
	note(MEMORY_MERGE, SIDE_OURS, ok, u.mib);
}

static void (*const scenarios[])(void) = {
	convert, huge, writes_allocated, writes_empty, reads_chain, memory,
};

int main(int argc, char **argv)
{
	uint64_t runs;
	int r = 0;

	log_init("bench-vhd", LOG_LEVEL_INFO);
	if (argc > 3 && !strcmp(argv[1], "-n")) {
		if (parse_u64(argv[2], 1, RUNS_MAX, &runs) < 0)
			die("-n %s: give 1 to %d", argv[2], RUNS_MAX);
		run_count = (unsigned int)runs;
		argv += 2;
		argc -= 2;
	}
	if (argc != 4)
		die("usage: vhd [-n RUNS] MAINSTAY-VHD FOLDER JSON");
	tool = argv[1];
	if (chdir(argv[2]) < 0)
		die("%s: %s", argv[2], strerror(errno));
	report_init(&report, "VHD images against plain files and qemu-img", figures, ROWS);
	for (size_t i = 0; i < ARRAY_LEN(scenarios) && r == 0; i++) {
		scenarios[i]();
		r = report_write_json(&report, argv[3]);
	}
	if (r < 0)
		die("%s: %s", argv[3], strerror(-r));
	report_print(&report);
	report_fini(&report);
	return 0;
}
