// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mgmt/ and vmm/: checkpoints, backups and migration of a machine that runs, on a device test port: a guest that
 * writes sectors by PIO, programs that are killed at every change of a file, and what the disks hold in the end.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../mgmt/checkpoint_change.h"
#include "../../mgmt/checkpoint_target.h"
#include "../../mgmt/disk_layer.h"
#include "../../vhd/vhd.h"

#define KILLED 9
#define SECTORS 16 /* that the guest writes to, each in a block of its own */
#define BLOCK_SECTORS 1024

static char folder[] = "/tmp/checkpoints-running-XXXXXX";
static char program[PATH_MAX];
static char error[1024];

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	cr_assert_eq(system(command), 0, "%s", command);
}

/* --- the machine --- */

struct guest {
	pid_t starter;
	FILE *port;
};

static FILE *connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	for (unsigned int i = 0; i < 600; i++) {
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fdopen(fd, "r+");
		usleep(50000);
	}
	cr_assert_fail("%s: %s", path, strerror(errno));
	return NULL;
}

/* mainstay, with @argv behind the program's name; quiet unless it fails. */
static pid_t spawn(const char *const argv[])
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid)
		return pid;
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define MAINSTAY(...) wait_for(spawn((const char *const[]){ "mainstay", __VA_ARGS__, NULL }))

static void stop(struct guest *guest, const char *name)
{
	if (guest->port)
		fclose(guest->port);
	cr_assert_eq(MAINSTAY("quit", name), 0);
	cr_assert_eq(wait_for(guest->starter), 0);
}

static unsigned int ask(struct guest *guest, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static unsigned int ask(struct guest *guest, const char *format, ...)
{
	unsigned int value = 0;
	char line[256];
	va_list args;

	va_start(args, format);
	vfprintf(guest->port, format, args);
	va_end(args);
	fputc('\n', guest->port);
	fflush(guest->port);
	do
		cr_assert(fgets(line, sizeof(line), guest->port), "the test port hung up");
	while (strncmp(line, "OK", 2) && strncmp(line, "FAIL", 4));
	cr_assert_eq(line[0], 'O', "%s", line);
	sscanf(line, "OK %x", &value);
	return value;
}

/* What firmware does: the primary channel answers. */
static void enable_disks(struct guest *guest)
{
	ask(guest, "outl 0xcf8 0x80000940");
	ask(guest, "outl 0xcfc 0x00008000");
	ask(guest, "outl 0xcf8 0x80000904");
	ask(guest, "outl 0xcfc 5");
}

/* With the disks of the folder @where; @more: further options, NULL at the end. */
static struct guest start_with(const char *where, const char *memory, const char *name,
			       const char *const more[])
{
	char socket[64], port[32], disks[2][PATH_MAX];
	const char *argv[24] = { "mainstay",
				 "run",
				 "--drive",
				 disks[0],
				 "--drive",
				 disks[1],
				 "--name",
				 name,
				 "--headless",
				 "--memory",
				 memory,
				 "--uuid",
				 "11111111-2222-3333-4444-555555555555",
				 "--devtest",
				 socket };
	struct guest guest;
	unsigned int count = 0;

	snprintf(disks[0], sizeof(disks[0]), "%s/nt4.vhd", where);
	snprintf(disks[1], sizeof(disks[1]), "%s/data.vhd", where);
	snprintf(port, sizeof(port), "%s.sock", name);
	snprintf(socket, sizeof(socket), "unix:%s", port);
	while (argv[count])
		count++;
	for (unsigned int i = 0; more[i]; i++)
		argv[count++] = more[i];
	guest.starter = spawn(argv);
	guest.port = more[0] ? NULL : connect_to(port);
	if (guest.port)
		enable_disks(&guest);
	return guest;
}

static struct guest start(const char *name, const char *more, const char *value)
{
	return start_with(".", "16M", name, (const char *[]){ more, value, NULL });
}

static void command(struct guest *guest, unsigned int drive, unsigned int place, unsigned int code)
{
	unsigned int lba = place * BLOCK_SECTORS;

	ask(guest, "outb 0x1f6 0x%x", 0xe0 | drive << 4);
	ask(guest, "outb 0x1f2 1");
	ask(guest, "outb 0x1f3 0x%x", lba & 255);
	ask(guest, "outb 0x1f4 0x%x", lba >> 8 & 255);
	ask(guest, "outb 0x1f5 0x%x", lba >> 16 & 255);
	ask(guest, "outb 0x1f7 0x%x", code);
	ask(guest, "clock_step 1000000");
}

/* To both disks. */
static void put(struct guest *guest, unsigned int place, char letter)
{
	for (unsigned int drive = 0; drive < 2; drive++) {
		command(guest, drive, place, 0x30);
		for (unsigned int i = 0; i < 256; i++)
			ask(guest, "outw 0x1f0 0x%x", letter * 0x101);
		ask(guest, "clock_step 1000000");
		unsigned int status = ask(guest, "inb 0x1f7");

		cr_assert_eq(status & 0x89, 0u, "%x", status);
		command(guest, drive, 0, 0xe7);
	}
}

/* What the guest sees of one. */
static char get(struct guest *guest, unsigned int drive, unsigned int place)
{
	unsigned int word;

	command(guest, drive, place, 0x20);
	word = ask(guest, "inw 0x1f0");
	for (unsigned int i = 1; i < 256; i++)
		cr_assert_eq(ask(guest, "inw 0x1f0"), word);
	return word ? (char)(word & 255) : '-';
}

/* --- disks --- */

static struct vhd_chain chain;

static void make_disk(const char *path)
{
	const struct vhd_create_options options = { .type = VHD_DYNAMIC,
						    .size_bytes = MIB(16),
						    .block_bytes = KIB(512) };
	struct vhd_file file = { .name = path };

	file.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
	close(file.fd);
}

static void read_disk(const char *path, char text[SECTORS + 1], unsigned int *ret_layers)
{
	const struct vhd_open_options options = { .read_only = true };
	struct vhd *vhd;

	cr_assert_eq(disk_layer_open(&chain, path, true, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_open(chain.files, chain.count, &options, &vhd, error, sizeof(error)), 0,
		     "%s", error);
	for (unsigned int i = 0; i < SECTORS; i++) {
		char sector[512];
		struct iovec iov = { sector, sizeof(sector) };

		cr_assert_eq(vhd_read(vhd, (uint64_t)i * BLOCK_SECTORS * 512, &iov, 1), 0);
		text[i] = sector[0] ? sector[0] : '-';
	}
	text[SECTORS] = '\0';
	*ret_layers = vhd_layer_count(vhd);
	vhd_free(vhd);
	vhd_chain_close(&chain);
}

/* Of a machine that is off, or a copy: both disks hold @wanted, in one file when @merged. */
static void expect_in(const char *where, const char *wanted, bool merged)
{
	static const char *const names[] = { "nt4.vhd", "data.vhd" };

	for (unsigned int i = 0; i < 2; i++) {
		char path[PATH_MAX], text[SECTORS + 1];
		unsigned int layers;

		snprintf(path, sizeof(path), "%s/%s", where, names[i]);
		read_disk(path, text, &layers);
		cr_expect(!strncmp(text, wanted, strlen(wanted)), "%s: %s is not %s", path, text,
			  wanted);
		if (merged)
			cr_expect_eq(layers, 1u, "%s: %u", path, layers);
	}
}

static void setup(void)
{
	const char *build = getenv("BUILD");
	char here[PATH_MAX / 2];

	cr_assert(getcwd(here, sizeof(here)));
	snprintf(program, sizeof(program), "%s%s%s/bin/mainstay",
		 build && *build == '/' ? "" : here, build && *build == '/' ? "" : "/",
		 build ? build : "build");
	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	setenv("MAINSTAY_RUNTIME_DIR", folder, 1);
	signal(SIGPIPE, SIG_IGN);
	make_disk("nt4.vhd");
	make_disk("data.vhd");
}

static void teardown(void)
{
	cr_assert_eq(chdir("/"), 0);
	run("rm -rf %s", folder);
}

TestSuite(checkpoints_running, .init = setup, .fini = teardown, .timeout = 300);

/* The machine has its disks for itself, and works. */
static void works(struct guest *guest, unsigned int place, char letter)
{
	int fd = open("nt4.vhd", O_RDWR | O_CLOEXEC);

	cr_expect_eq(vhd_lock(fd, true), -EBUSY);
	close(fd);
	put(guest, place, letter);
	cr_expect_eq(get(guest, 0, place), letter);
}

/* --- what people do --- */

Test(checkpoints_running, the_guest_sees_nothing_and_goes_back)
{
	struct guest guest = start("nt4", NULL, NULL);

	put(&guest, 0, 'A');
	cr_assert_eq(MAINSTAY("checkpoint", "create", "nt4", "a", "-q"), 0);
	put(&guest, 1, 'B');
	put(&guest, 0, 'X');
	cr_assert_eq(MAINSTAY("checkpoint", "create", "nt4", "b", "-q"), 0);
	put(&guest, 2, 'C');
	cr_expect_eq(get(&guest, 0, 0), 'X');
	cr_expect_eq(get(&guest, 1, 1), 'B');
	cr_expect_neq(MAINSTAY("checkpoint", "create", "nt4", "b"), 0, "the name is taken");
	cr_expect_neq(MAINSTAY("checkpoint", "restore", "nt4", "a"), 0, "it runs");
	stop(&guest, "nt4");
	expect_in(".", "XBC-", false);
	cr_expect_neq(MAINSTAY("checkpoint", "restore", "nt4.vhd", "a"), 0, "one of two disks");
	run("printf '{ \"version\": 1, \"name\": \"nt4\", \"disks\": [ { \"path\": \"nt4.vhd\" }, "
	    "{ \"path\": \"data.vhd\" } ] }' >nt4.json");
	cr_expect_neq(MAINSTAY("checkpoint", "restore", "nt4.json", "a"), 0, "C would be lost");
	cr_assert_eq(MAINSTAY("checkpoint", "restore", "nt4.json", "a", "--discard", "-q"), 0);
	expect_in(".", "A---", false);
	/* The state is used up, the checkpoint's own stays. */
	guest = start("nt4", "--restore", "nt4.state");
	guest.port = connect_to("nt4.sock");
	cr_expect_eq(get(&guest, 0, 0), 'A');
	put(&guest, 3, 'D');
	cr_expect(access("nt4.state", F_OK) < 0);
	cr_expect_eq(access("nt4.checkpoints/state-1.state", F_OK), 0);
	cr_assert_eq(MAINSTAY("checkpoint", "delete", "nt4", "b", "-q"), 0);
	cr_assert_eq(MAINSTAY("checkpoint", "delete", "nt4", "a", "-q"), 0);
	put(&guest, 4, 'E');
	stop(&guest, "nt4");
	expect_in(".", "A--DE-", true);
	cr_expect(access("nt4.checkpoints", F_OK) < 0, "nothing is left");
}

Test(checkpoints_running, a_backup_is_of_one_moment)
{
	struct guest guest = start("nt4", NULL, NULL);

	put(&guest, 0, 'A');
	cr_assert_eq(MAINSTAY("backup", "nt4", "one", "-q", "--before", "echo before >>log",
			      "--after", "echo $MAINSTAY_MACHINE >>log"),
		     0);
	run("grep -q before log && grep -q nt4 log");
	put(&guest, 1, 'B');
	cr_assert_eq(MAINSTAY("checkpoint", "create", "nt4", "a", "-q"), 0);
	put(&guest, 2, 'C');
	cr_assert_eq(MAINSTAY("backup", "nt4", "two", "-q"), 0);
	cr_expect_neq(MAINSTAY("backup", "nt4", "two", "-q"), 0, "the target is there");
	cr_expect_neq(MAINSTAY("backup", "nt4", "three", "-q", "--before", "false"), 0);
	cr_expect(access("three", F_OK) < 0 && access("three.partial", F_OK) < 0);
	put(&guest, 3, 'D');
	expect_in("one", "A---", true);
	expect_in("two", "ABC-", true);
	stop(&guest, "nt4");
	expect_in(".", "ABCD", false);
}

/* By the command that runs when its guest goes on: at once, or when there is something of the first copy. */
Test(checkpoints_running, a_backup_that_is_killed_is_begun_anew)
{
	static const char *const kills[] = {
		"kill -KILL $PPID",
		"(until [ -s copy.partial/nt4.vhd ]; do :; done; kill -KILL $PPID) &",
		"(until [ -s copy.partial/data.vhd ]; do :; done; kill -KILL $PPID) &",
	};
	struct guest guest = start("nt4", NULL, NULL);
	const char *wanted = "ABC";

	for (unsigned int i = 0; i < ARRAY_LEN(kills); i++) {
		char there[SECTORS + 1] = "";
		int status;

		put(&guest, i, wanted[i]);
		status = MAINSTAY("backup", "nt4", "copy", "-q", "--after", kills[i]);
		/* It may have been too fast for us. */
		cr_expect(status || i, "it was killed");
		if (status)
			cr_expect(access("copy", F_OK) < 0, "%u: not whole, and under its name", i);
		memcpy(there, wanted, i + 1);
		if (!status)
			expect_in("copy", there, true);
		run("rm -rf copy");
		works(&guest, 4 + i, 'x');
		cr_assert_eq(MAINSTAY("backup", "nt4", "copy", "-q"), 0, "%u", i);
		cr_expect(access("copy.partial", F_OK) < 0);
		expect_in("copy", there, true);
		run("rm -rf copy");
	}
	cr_expect(access("nt4.checkpoints", F_OK) < 0, "nothing is left");
	stop(&guest, "nt4");
	expect_in(".", "ABC-xxx", true);
}

/* --- moving --- */

static void wait_for_file(const char *path)
{
	for (unsigned int i = 0; access(path, F_OK) < 0; i++) {
		cr_assert_lt(i, 600u, "%s", path);
		usleep(50000);
	}
}

Test(checkpoints_running, it_moves_and_its_guest_sees_nothing)
{
	struct guest guest = start("nt4", NULL, NULL), there;

	put(&guest, 0, 'A');
	/* Half a transfer is under way when it moves. */
	command(&guest, 0, 1, 0x30);
	for (unsigned int i = 0; i < 100; i++)
		ask(&guest, "outw 0x1f0 0x4242");
	there = start("there", "--incoming", "unix:move.sock");
	wait_for_file("move.sock");
	cr_assert_eq(MAINSTAY("migrate", "nt4", "unix:move.sock", "-q"), 0);
	cr_expect_eq(wait_for(guest.starter), 0, "it has ended here");
	fclose(guest.port);
	there.port = connect_to("there.sock");
	for (unsigned int i = 100; i < 256; i++)
		ask(&there, "outw 0x1f0 0x4242");
	ask(&there, "clock_step 1000000");
	cr_expect_eq(get(&there, 0, 0), 'A');
	cr_expect_eq(get(&there, 0, 1), 'B');
	works(&there, 2, 'C');
	stop(&there, "there");
	read_disk("nt4.vhd", (char[SECTORS + 1]){ 0 }, &(unsigned int){ 0 });
	for (unsigned int i = 0; i < 2; i++) {
		bool marked = true;

		cr_expect_eq(disk_layer_is_marked(i ? "data.vhd" : "nt4.vhd", &marked, error,
						  sizeof(error)),
			     0);
		cr_expect_not(marked);
	}
}

static struct guest start_with_copies(void)
{
	struct guest there = start_with(
		"copies", "16M", "there",
		(const char *[]){ "--incoming", "unix:move.sock", "--disks-copied", NULL });

	wait_for_file("move.sock");
	return there;
}

Test(checkpoints_running, it_moves_to_copies_of_its_disks)
{
	struct guest guest = start("nt4", NULL, NULL), there;

	put(&guest, 0, 'A');
	run("mkdir copies && cp nt4.vhd data.vhd copies");
	put(&guest, 1, 'B');
	/* Copies that are older than the end, a command that fails, and another disk: it goes on here. */
	there = start_with_copies();
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:move.sock", "-q"), 0);
	cr_expect_neq(wait_for(there.starter), 0);
	works(&guest, 2, 'C');
	there = start_with_copies();
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:move.sock", "-q", "--copy",
			       "cp nt4.vhd data.vhd copies; exit 3"),
		      0);
	cr_expect_neq(wait_for(there.starter), 0);
	works(&guest, 3, 'D');
	there = start_with_copies();
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:move.sock", "-q", "--copy",
			       "cp nt4.vhd copies; cp nt4.vhd copies/data.vhd"),
		      0);
	cr_expect_neq(wait_for(there.starter), 0);
	works(&guest, 4, 'E');
	/* Longer than the other side waits in silence for a sign of life. */
	there = start_with_copies();
	cr_assert_eq(MAINSTAY("migrate", "nt4", "unix:move.sock", "-q", "--copy",
			      "cp nt4.vhd data.vhd copies && "
			      "echo $MAINSTAY_MACHINE $MAINSTAY_TARGET >said; sleep 6"),
		     0);
	run("grep -q 'nt4 unix:move.sock' said");
	cr_expect_eq(wait_for(guest.starter), 0, "it has ended here");
	fclose(guest.port);
	there.port = connect_to("there.sock");
	cr_expect_eq(get(&there, 0, 4), 'E');
	put(&there, 5, 'F');
	stop(&there, "there");
	expect_in("copies", "ABCDEF", true);
	expect_in(".", "ABCDE-", true);
	/* Nobody starts it twice by mistake. */
	cr_expect_neq(MAINSTAY("run", "nt4.vhd", "--name", "again", "--headless", "--devtest",
			       "unix:again.sock"),
		      0);
}

/* Accepts, and then does nothing, or says @words first. */
static pid_t rude_peer(const char *path, const void *words, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	strcpy(address.sun_path, path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	pid = fork();
	if (!pid) {
		int peer = accept(fd, NULL, NULL);

		if (write(peer, words, size) == (ssize_t)size)
			pause();
		_exit(0);
	}
	close(fd);
	return pid;
}

Test(checkpoints_running, a_migration_that_fails_leaves_it_running)
{
	static const uint8_t hello[24] = { 'M', 'S', 'G', 'M', 1, 0, 0, 0, 1 };
	struct guest guest = start("nt4", NULL, NULL), there;
	pid_t peer;

	put(&guest, 0, 'A');
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:nobody.sock"), 0);
	/* One that never answers, one that answers and stops reading, one that talks of something else. */
	peer = rude_peer("silent.sock", "", 0);
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:silent.sock", "--timeout", "1"), 0);
	kill(peer, SIGKILL);
	(void)wait_for(peer);
	works(&guest, 1, 'B');
	peer = rude_peer("slow.sock", hello, sizeof(hello));
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:slow.sock", "--timeout", "1"), 0);
	kill(peer, SIGKILL);
	(void)wait_for(peer);
	works(&guest, 2, 'C');
	peer = rude_peer("other.sock", "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:other.sock", "--timeout", "1"), 0);
	kill(peer, SIGKILL);
	(void)wait_for(peer);
	works(&guest, 3, 'D');
	/* One whose machine is another: it finds out when all has been sent, and the locks are given up. */
	there = start_with(".", "32M", "there",
			   (const char *[]){ "--incoming", "unix:move.sock", NULL });
	wait_for_file("move.sock");
	cr_expect_neq(MAINSTAY("migrate", "nt4", "unix:move.sock"), 0);
	cr_expect_neq(wait_for(there.starter), 0);
	works(&guest, 4, 'E');
	stop(&guest, "nt4");
	expect_in(".", "ABCDE", true);
}

/* --- programs that are killed --- */

static unsigned int steps_left;

static void count_down(void)
{
	if (!--steps_left)
		_exit(KILLED);
}

static struct checkpoint_target target;

static int create_with(const char *name, bool state)
{
	const struct checkpoint_options options = { .name = name, .state = state };
	unsigned int id;

	return checkpoints_create(&target.set, target.machine, &options, &id, error, sizeof(error));
}

static int create(const char *name)
{
	return create_with(name, true);
}

static int create_bare(const char *name)
{
	return create_with(name, false);
}

/* All steps in make soak; make check has every third or fourth, beginning anywhere. */
static unsigned int next_step(unsigned int step)
{
	if (getenv("SOAK"))
		return step + 1;
	return step ? step + 3 + (unsigned int)getpid() % 2 : 1 + (unsigned int)getpid() % 3;
}

/* What a backup does but for the copying, and what delete does. */
static int hide_and_collapse(const char *name)
{
	struct checkpoint *node = checkpoints_by_name(&target.set, name);
	unsigned int left;
	int r = node ? checkpoints_hide(&target.set, node->id, error, sizeof(error)) : 0;

	return r < 0 ? r
		     : checkpoints_collapse(&target.set, target.machine, NULL, &left, error,
					    sizeof(error));
}

/* The exit status of a process that does @what and ends before its step @step. */
static int do_and_die(int (*what)(const char *name), const char *name, unsigned int step)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (!pid) {
		if (checkpoint_target_open(&target, "nt4", false, error, sizeof(error)) < 0)
			_exit(1);
		steps_left = step;
		checkpoints_hook = count_down;
		_exit(what(name) < 0);
	}
	return wait_for(pid);
}

/* Whatever was left is settled; the machine writes to the files that have the disks' names. */
static void settle(unsigned int step)
{
	struct stat st;

	cr_assert_eq(checkpoint_target_open(&target, "nt4", false, error, sizeof(error)), 0,
		     "step %u: %s", step, error);
	cr_assert(target.machine);
	cr_expect_eq(target.set.pending.what, CHECKPOINT_NOTHING);
	for (unsigned int n = 0; n < target.set.disk_count; n++) {
		int fd = open(target.set.disks[n], O_RDWR | O_CLOEXEC);

		cr_assert_eq(fstat(fd, &st), 0);
		cr_expect_eq(vhd_lock(fd, true), -EBUSY, "step %u: the machine has its disks",
			     step);
		close(fd);
	}
	checkpoint_target_close(&target);
}

Test(checkpoints_running, killed_at_every_step_of_making_and_merging)
{
	struct guest guest = start("nt4", NULL, NULL);
	unsigned int step, made = 0, places = 0;
	char wanted[SECTORS + 1] = "";

	for (step = next_step(0);; step = next_step(step)) {
		int status = do_and_die(create, "a", step);
		unsigned int place = step % SECTORS;

		cr_assert(status == 0 || status == KILLED, "step %u: %d", step, status);
		settle(step);
		put(&guest, place, (char)('a' + step % 26));
		wanted[place] = (char)('a' + step % 26);
		places = place + 1 > places ? place + 1 : places;
		cr_assert_eq(checkpoint_target_open(&target, "nt4", false, error, sizeof(error)), 0,
			     "%s", error);
		made += checkpoints_by_name(&target.set, "a") != NULL;
		checkpoint_target_close(&target);
		/* And away with it, killed some way on. */
		if (status == KILLED)
			(void)do_and_die(hide_and_collapse, "a", 1 + step % 7);
		settle(step);
		cr_assert_eq(do_and_die(hide_and_collapse, "a", 1000), 0, "%s", error);
		if (status == 0)
			break;
	}
	cr_expect_gt(step, 10u);
	cr_expect_gt(made, 0u);
	for (unsigned int i = 0; i < places; i++) {
		if (wanted[i])
			cr_expect_eq(get(&guest, i & 1, i), wanted[i], "%u", i);
		else
			wanted[i] = '-';
	}
	stop(&guest, "nt4");
	expect_in(".", wanted, true);
}

Test(checkpoints_running, killed_at_every_step_of_merging)
{
	struct guest guest = start("nt4", NULL, NULL);
	unsigned int step;

	put(&guest, 0, 'A');
	for (step = next_step(0);; step = next_step(getenv("SOAK") ? step : step + 3)) {
		int status;

		cr_assert_eq(do_and_die(create_bare, "a", 1000), 0);
		put(&guest, 1, (char)('A' + step % 26));
		cr_assert_eq(do_and_die(create_bare, "b", 1000), 0);
		put(&guest, 2, (char)('B' + step % 20));
		status = do_and_die(hide_and_collapse, "b", step);
		cr_assert(status == 0 || status == KILLED, "step %u: %d", step, status);
		settle(step);
		put(&guest, 3, (char)('C' + step % 20));
		cr_assert_eq(do_and_die(hide_and_collapse, "b", 1000), 0);
		cr_assert_eq(do_and_die(hide_and_collapse, "a", 1000), 0);
		cr_expect_eq(get(&guest, 0, 0), 'A');
		cr_expect_eq(get(&guest, 0, 1), 'A' + step % 26);
		cr_expect_eq(get(&guest, 1, 2), 'B' + step % 20);
		cr_expect_eq(get(&guest, 0, 3), 'C' + step % 20);
		if (status == 0)
			break;
	}
	cr_expect_gt(step, 5u);
	stop(&guest, "nt4");
	expect_in(".", "A", true);
}

/* The power fails for all: the machine dies with whoever changes its layers. */
Test(checkpoints_running, power_cut_at_every_step_of_making)
{
	unsigned int step;
	int status = KILLED;

	for (step = next_step(0); status == KILLED; step = next_step(step)) {
		struct guest guest = start("nt4", NULL, NULL);
		char wanted[4] = { (char)('A' + step % 26), '\0' };

		put(&guest, 0, wanted[0]);
		status = do_and_die(create, "a", step);
		/* Its locks are gone when init has reaped it, not before. */
		run("pid=$(%s status nt4 --json | sed -n 's/^.*\"pid\": "
		    "\\([0-9]*\\).*$/\\1/p'); kill -9 $pid && echo $pid >pid",
		    program);
		kill(guest.starter, SIGKILL);
		(void)wait_for(guest.starter);
		fclose(guest.port);
		run("for i in $(seq 200); do kill -0 $(cat pid) 2>/dev/null || break; "
		    "sleep 0.01; done; rm pid");
		/* The next start settles it, whatever it was. */
		run("rm -f nt4.sock");
		guest = start("nt4", NULL, NULL);
		cr_expect_eq(get(&guest, 0, 0), wanted[0], "step %u", step);
		put(&guest, 1, 'Z');
		cr_assert_eq(do_and_die(hide_and_collapse, "a", 1000), 0);
		stop(&guest, "nt4");
		expect_in(".", wanted, true);
	}
	cr_expect_gt(step, 10u);
}
