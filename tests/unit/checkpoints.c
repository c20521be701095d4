// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mgmt/: checkpoints of a machine that is off: the tree, going back, merging, and the program's end at every
 * change of a file. Those of a machine that runs are tests/system/checkpoint.sh.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../mgmt/checkpoint_change.h"
#include "../../mgmt/disk_layer.h"
#include "../../vhd/vhd.h"

#define DISKS 2
#define PLACES 6 /* that are written to, each in a block of its own */
#define KILLED 9

static char folder[] = "/tmp/checkpoints-XXXXXX";
static char error[1024];

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	cr_assert_eq(system(command), 0, "%s", command);
}

static void setup(void)
{
	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void teardown(void)
{
	cr_assert_eq(chdir("/"), 0);
	run("rm -rf %s", folder);
}

TestSuite(checkpoints, .init = setup, .fini = teardown, .timeout = 120);

/* --- disks --- */

static void make_disk(const char *path)
{
	const struct vhd_create_options options = { .type = VHD_DYNAMIC,
						    .size_bytes = MIB(8),
						    .block_bytes = KIB(512) };
	struct vhd_file file = { .name = path };

	file.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
	close(file.fd);
}

static struct vhd *open_disk(struct vhd_chain *chain, const char *path, bool read_only)
{
	const struct vhd_open_options options = { .read_only = read_only };
	struct vhd *vhd;

	cr_assert_eq(disk_layer_open(chain, path, read_only, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_open(chain->files, chain->count, &options, &vhd, error, sizeof(error)), 0,
		     "%s", error);
	return vhd;
}

static struct vhd_chain chain;

static void put(const char *path, unsigned int place, char letter)
{
	struct vhd *vhd = open_disk(&chain, path, false);
	char sector[512];
	struct iovec iov = { sector, sizeof(sector) };

	memset(sector, letter, sizeof(sector));
	cr_assert_eq(vhd_write(vhd, place * MIB(1), &iov, 1), 0);
	cr_assert_eq(vhd_close(vhd), 0);
	vhd_chain_close(&chain);
}

/* "AB-C--": what the places hold. */
static void get(const char *path, char text[PLACES + 1])
{
	struct vhd *vhd = open_disk(&chain, path, true);

	for (unsigned int i = 0; i < PLACES; i++) {
		char sector[512];
		struct iovec iov = { sector, sizeof(sector) };

		cr_assert_eq(vhd_read(vhd, i * MIB(1), &iov, 1), 0);
		text[i] = sector[0] ? sector[0] : '-';
		cr_assert_eq(sector[511], sector[0]);
	}
	text[PLACES] = '\0';
	vhd_free(vhd);
	vhd_chain_close(&chain);
}

/* --- a machine's set --- */

static struct checkpoints set;
static int locks[MACHINE_DISKS_MAX];

static int begin(void)
{
	static const char *const names[DISKS] = { "nt4.vhd", "data.vhd" };
	char here[PATH_MAX];
	int r;

	memset(&set, 0, sizeof(set));
	cr_assert(getcwd(here, sizeof(here)));
	for (unsigned int n = 0; n < DISKS; n++)
		snprintf(set.disks[set.disk_count++], PATH_MAX, "%.500s/%s", here, names[n]);
	r = checkpoints_open(&set, error, sizeof(error));
	if (r == 0)
		r = checkpoints_lock_disks(&set, locks, error, sizeof(error));
	return r < 0 ? r : checkpoints_settle(&set, NULL, error, sizeof(error));
}

static void end(void)
{
	checkpoints_unlock_disks(locks);
	checkpoints_close(&set);
}

static int create(const char *name)
{
	const struct checkpoint_options options = { .name = name, .state = true };
	unsigned int id;

	return checkpoints_create(&set, NULL, &options, &id, error, sizeof(error));
}

static int restore(const char *name)
{
	return checkpoints_restore(&set, checkpoints_by_name(&set, name)->id, "", error,
				   sizeof(error));
}

static int remove_one(const char *name)
{
	const struct checkpoint *node = checkpoints_by_name(&set, name);
	unsigned int left;
	int r = node ? checkpoints_hide(&set, node->id, error, sizeof(error)) : 0;

	return r < 0 ? r : checkpoints_collapse(&set, NULL, NULL, &left, error, sizeof(error));
}

static void must(int (*what)(const char *name), const char *name)
{
	cr_assert_eq(begin(), 0, "%s", error);
	cr_assert_eq(what(name), 0, "%s", error);
	end();
}

/* What the disks hold, and what each checkpoint does: "now=AB---- a=A-----". Both disks hold the same. */
static void describe(char *text, size_t size)
{
	char one[PLACES + 1], two[PLACES + 1], path[PATH_MAX];
	size_t length;

	get(set.disks[0], one);
	get(set.disks[1], two);
	cr_assert_str_eq(one, two, "the disks are of two times");
	length = (size_t)snprintf(text, size, "now=%s", one);
	for (unsigned int i = 0; i < set.count; i++) {
		if (!*set.nodes[i].name)
			continue;
		checkpoints_layer_path(&set, 0, set.nodes[i].id, path);
		get(path, one);
		checkpoints_layer_path(&set, 1, set.nodes[i].id, path);
		get(path, two);
		cr_assert_str_eq(one, two);
		length += (size_t)snprintf(text + length, size - length, " %s=%s",
					   set.nodes[i].name, one);
	}
}

static void write_both(unsigned int place, char letter)
{
	put("nt4.vhd", place, letter);
	put("data.vhd", place, letter);
}

static void expect(const char *wanted)
{
	char text[512];

	cr_assert_eq(begin(), 0, "%s", error);
	describe(text, sizeof(text));
	end();
	cr_expect_str_eq(text, wanted);
}

/* a, b on it, and the disks on b; then c beside b when @branch. */
static void make_tree(bool branch)
{
	make_disk("nt4.vhd");
	make_disk("data.vhd");
	write_both(0, 'A');
	must(create, "a");
	write_both(1, 'B');
	must(create, "b");
	write_both(2, 'C');
	write_both(0, 'X');
	if (!branch)
		return;
	must(restore, "a");
	write_both(3, 'D');
	must(create, "c");
	write_both(4, 'E');
}

/* --- the tree --- */

Test(checkpoints, each_keeps_the_disks_as_they_were)
{
	make_tree(false);
	expect("now=XBC--- a=A----- b=AB----");
	must(restore, "a");
	expect("now=A----- a=A----- b=AB----");
	write_both(5, 'Z');
	must(create, "z");
	must(restore, "b");
	expect("now=AB---- a=A----- b=AB---- z=A----Z");
}

Test(checkpoints, deleting_merges_and_leaves_nothing)
{
	struct vhd_info before, after;
	struct vhd *vhd;

	make_tree(true);
	vhd = open_disk(&chain, "nt4.vhd", true);
	vhd_get_layer_info(vhd, vhd_layer_count(vhd) - 1, &before);
	vhd_free(vhd);
	vhd_chain_close(&chain);
	/* It has two children: it is hidden until one is left. */
	must(remove_one, "a");
	expect("now=A--DE- b=AB---- c=A--D--");
	must(remove_one, "b");
	expect("now=A--DE- c=A--D--");
	must(remove_one, "c");
	expect("now=A--DE-");
	cr_expect(access("nt4.checkpoints", F_OK) < 0, "its folder is gone");
	cr_expect(access("data.checkpoints", F_OK) < 0);
	vhd = open_disk(&chain, "nt4.vhd", true);
	cr_expect_eq(vhd_layer_count(vhd), 1u);
	vhd_get_info(vhd, &after);
	cr_expect_arr_eq(before.id, after.id, 16, "the guest sees the same disk");
	vhd_free(vhd);
	vhd_chain_close(&chain);
}

Test(checkpoints, the_middle_and_the_last_are_deleted)
{
	make_tree(false);
	must(create, "c");
	write_both(3, 'D');
	must(remove_one, "b");
	expect("now=XBCD-- a=A----- c=XBC---");
	must(remove_one, "c");
	expect("now=XBCD-- a=A-----");
	must(restore, "a");
	expect("now=A----- a=A-----");
}

/* --- kill -9 --- */

static unsigned int steps_left;

static void count_down(void)
{
	if (!--steps_left)
		_exit(KILLED);
}

/* Whether it was killed: the change is begun in a copy of @from, and ends before its step @step. */
static bool change_and_die(const char *from, int (*what)(const char *name), const char *name,
			   unsigned int step)
{
	int status;
	pid_t pid;

	cr_assert_eq(chdir(folder), 0);
	run("rm -rf copy && cp -a %s copy", from);
	cr_assert_eq(chdir("copy"), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (!pid) {
		if (begin() < 0)
			_exit(1);
		steps_left = step;
		checkpoints_hook = count_down;
		_exit(what(name) < 0 ? 1 : 0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED),
		  "step %u: %d", step, status);
	return WEXITSTATUS(status) == KILLED;
}

static void check_disk(const char *path)
{
	struct vhd *vhd = open_disk(&chain, path, false);

	/* For writing: no mark, no damage. */
	vhd_free(vhd);
	vhd_chain_close(&chain);
}

/* Either @before or @after, after one who settles is killed as well; the change can be done then. */
static void kill_everywhere(int (*what)(const char *name), const char *name, const char *before,
			    const char *middle, const char *after)
{
	unsigned int step, olds = 0, news = 0;

	run("mkdir first && find . -maxdepth 1 -name '*.*d' -exec mv {} first \\; && "
	    "find . -maxdepth 1 -name '*.checkpoints' -exec mv {} first \\;");
	for (step = 1; change_and_die("first", what, name, step); step++) {
		char text[512];

		cr_assert_lt(step, 500u);
		/* Whoever looks first is killed too. */
		for (unsigned int again = 1; again <= 3; again++) {
			pid_t pid = fork();

			if (!pid) {
				steps_left = again;
				checkpoints_hook = count_down;
				_exit(begin() < 0);
			}
			cr_assert_eq(waitpid(pid, NULL, 0), pid);
		}
		cr_assert_eq(begin(), 0, "step %u: %s", step, error);
		describe(text, sizeof(text));
		cr_expect(!strcmp(text, before) || !strcmp(text, middle) || !strcmp(text, after),
			  "step %u: %s", step, text);
		olds += !strcmp(text, before);
		news += !strcmp(text, after);
		for (unsigned int n = 0; n < DISKS; n++)
			check_disk(set.disks[n]);
		/* What is left can be done. */
		if (strcmp(text, after) || what == remove_one)
			cr_expect_eq(what(name), 0, "step %u: %s", step, error);
		describe(text, sizeof(text));
		cr_expect_str_eq(text, after, "step %u", step);
		end();
	}
	cr_expect_gt(olds, 0u);
	cr_expect_gt(news, 0u);
	cr_expect_geq(step, 8u, "%u", step);
}

Test(checkpoints, killed_while_one_is_made)
{
	make_tree(false);
	kill_everywhere(create, "c", "now=XBC--- a=A----- b=AB----", "",
			"now=XBC--- a=A----- b=AB---- c=XBC---");
}

Test(checkpoints, killed_while_the_first_is_made)
{
	make_disk("nt4.vhd");
	make_disk("data.vhd");
	write_both(0, 'A');
	kill_everywhere(create, "a", "now=A-----", "", "now=A----- a=A-----");
}

Test(checkpoints, killed_while_going_back)
{
	make_tree(false);
	kill_everywhere(restore, "a", "now=XBC--- a=A----- b=AB----", "",
			"now=A----- a=A----- b=AB----");
}

Test(checkpoints, killed_while_the_middle_is_merged)
{
	make_tree(false);
	kill_everywhere(remove_one, "a", "now=XBC--- a=A----- b=AB----", "", "now=XBC--- b=AB----");
}

Test(checkpoints, killed_while_the_last_is_merged)
{
	make_tree(false);
	kill_everywhere(remove_one, "b", "now=XBC--- a=A----- b=AB----", "", "now=XBC--- a=A-----");
}

Test(checkpoints, killed_while_all_are_merged)
{
	make_tree(false);
	must(remove_one, "a");
	kill_everywhere(remove_one, "b", "now=XBC--- b=AB----", "", "now=XBC---");
}

Test(checkpoints, killed_while_one_of_two_branches_goes)
{
	make_tree(true);
	must(remove_one, "a");
	kill_everywhere(remove_one, "b", "now=A--DE- b=AB---- c=A--D--", "", "now=A--DE- c=A--D--");
}

/* --- what is refused --- */

static void damage(const char *what, const char *with)
{
	run("sed 's/%s/%s/' nt4.checkpoints/index.json >new && mv new nt4.checkpoints/index.json",
	    what, with);
}

Test(checkpoints, bad_input_is_one_line)
{
	make_tree(false);
	cr_assert_eq(begin(), 0);
	cr_expect_eq(create("a"), -EEXIST);
	cr_expect(strstr(error, "a: there is a checkpoint of this name"), "%s", error);
	end();
	/* Somebody wrote to a layer. */
	run("printf x | dd of=nt4.checkpoints/layer-1.vhd bs=1 seek=3000 conv=notrunc 2>/dev/null");
	cr_assert_eq(begin(), 0);
	cr_expect_eq(restore("a"), -EUCLEAN);
	cr_expect(strstr(error, "was changed"), "%s", error);
	end();
	run("cp nt4.checkpoints/index.json good");
	damage("\"version\":1", "\"version\":2");
	cr_expect_eq(begin(), -EPROTONOSUPPORT);
	run("cp good nt4.checkpoints/index.json");
	damage("\"parent\":1", "\"parent\":2");
	cr_expect_eq(begin(), -EUCLEAN, "a node is not its own parent");
	run("cp good nt4.checkpoints/index.json");
	damage("data.vhd", "other.vhd");
	cr_expect_eq(begin(), -EMEDIUMTYPE);
	run("head -c 200 good >nt4.checkpoints/index.json");
	cr_expect_eq(begin(), -EUCLEAN);
	cr_expect(strstr(error, "damaged"), "%s", error);
}

Test(checkpoints, disks_in_use_and_saved_ones_are_refused)
{
	int fd;

	make_disk("nt4.vhd");
	make_disk("data.vhd");
	fd = open("data.vhd", O_RDWR);
	cr_assert_eq(vhd_lock(fd, true), 0);
	cr_expect_eq(begin(), -EBUSY);
	cr_expect(strstr(error, "in use"), "%s", error);
	close(fd);
	checkpoints_close(&set);
	cr_assert_eq(disk_layer_mark("data.vhd", true, error, sizeof(error)), 0);
	cr_assert_eq(begin(), 0);
	cr_expect_eq(create("a"), -EPERM);
	cr_expect(strstr(error, "saved state"), "%s", error);
	end();
	cr_expect(access("nt4.checkpoints", F_OK) < 0);
}
