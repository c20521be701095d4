// SPDX-License-Identifier: GPL-2.0-or-later
/* mgmt/: disks with their parents, undo disks, and what the machine's process is told of both. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../mgmt/disk_files.h"
#include "../../vmm/blockio.h"
#include "../../vmm/config.h"

static char folder[] = "/tmp/undo-XXXXXX";
static char error[1024];
static struct machine_config config;
static struct machine_files files;

static void setup(void)
{
	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	machine_config_init(&config);
	machine_files_init(&files);
}

static void teardown(void)
{
	char command[64];

	machine_files_close(&files);
	machine_config_fini(&config);
	cr_assert_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(undo, .init = setup, .fini = teardown, .timeout = 60);

static void make(const char *path, const char *parent)
{
	static struct vhd_parent_reference ref;
	struct vhd_create_options options = { .type = VHD_DYNAMIC, .size_bytes = MIB(8) };
	struct vhd_file file = { .name = path };

	if (parent) {
		int fd = open(parent, O_RDONLY | O_CLOEXEC);

		cr_assert_eq(
			vhd_refer_to_parent(fd, parent, false, path, &ref, error, sizeof(error)), 0,
			"%s", error);
		close(fd);
		options.type = VHD_DIFFERENCING;
		options.parent = &ref.parent;
	}
	file.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
	close(file.fd);
}

static void add_disk(const char *path, enum machine_undo undo)
{
	cr_assert_eq(machine_config_add_disk(&config, path, error, sizeof(error)), 0, "%s", error);
	config.undo = undo;
	cr_assert_eq(machine_config_check(&config, error, sizeof(error)), 0, "%s", error);
	machine_config_derive(&config);
}

static void open_all(void)
{
	cr_assert_eq(disk_files_open(&config, &files, error, sizeof(error)), 0, "%s", error);
}

static void close_all(void)
{
	machine_files_close(&files);
	machine_files_init(&files);
}

/* What the machine's process is told. */
static struct vm_config tell(void)
{
	int fds[START_MESSAGE_FDS_MAX];
	struct vm_config told;
	unsigned int count;
	char *text;

	config.name = "nt4";
	files.kvm = open("/dev/null", O_RDWR | O_CLOEXEC);
	files.firmware = open("/dev/null", O_RDWR | O_CLOEXEC);
	text = start_message_write(&config, &files, fds, &count);
	cr_assert_eq(vm_config_parse(text, strlen(text), fds, count, &told, error, sizeof(error)),
		     0, "%s", error);
	free(text);
	return told;
}

/* As the machine's process opens the disk; @text is written at 1 MiB. */
static void write_text(const char *text)
{
	struct vm_config told = tell();
	struct vm_disk disk = vm_config_parents(&told, &told.disks[0]);
	struct iovec iov = { (void *)(uintptr_t)text, 16 };
	struct block_image *image;

	cr_assert_eq(block_vhd_open(&disk, &image, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(image->ops->write(image, MIB(1), &iov, 1), 0);
	cr_assert_eq(image->ops->finish(image), 0);
	image->ops->free(image);
}

static void expect_text(const char *path, const char *text)
{
	const struct vhd_chain_options options = { .read_only = true };
	char found[17] = "";
	struct iovec iov = { found, 16 };
	struct vhd_chain chain;
	struct vhd *vhd;

	cr_assert_eq(vhd_chain_open(&chain, path, &options, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_open(chain.files, chain.count,
			      &(struct vhd_open_options){ .read_only = true }, &vhd, error,
			      sizeof(error)),
		     0, "%s", error);
	cr_assert_eq(vhd_read(vhd, MIB(1), &iov, 1), 0);
	cr_assert_str_eq(found, text);
	vhd_free(vhd);
	vhd_chain_close(&chain);
}

static void end(bool commit)
{
	cr_assert_eq(disk_files_end_undo(&config, &files, commit, error, sizeof(error)), 0, "%s",
		     error);
	close_all();
}

Test(undo, changes_are_kept_then_committed)
{
	make("nt4.vhd", NULL);
	add_disk("nt4.vhd", MACHINE_UNDO_KEEP);
	open_all();
	write_text("first session...");
	close_all();
	expect_text("nt4.vhd", "");
	expect_text("nt4.vud", "first session...");
	open_all();
	cr_assert(!files.undo[0].made);
	write_text("second session..");
	end(true);
	cr_assert_eq(access("nt4.vud", F_OK), -1);
	expect_text("nt4.vhd", "second session..");
}

Test(undo, changes_are_discarded)
{
	make("nt4.VHD", NULL);
	add_disk("nt4.VHD", MACHINE_UNDO_DISCARD);
	open_all();
	write_text("a session.......");
	end(false);
	cr_assert_eq(access("nt4.vud", F_OK), -1);
	expect_text("nt4.VHD", "");
}

Test(undo, a_child_has_an_undo_disk_too)
{
	make("base.vhd", NULL);
	make("child.avhd", "base.vhd");
	add_disk("child.avhd", MACHINE_UNDO_COMMIT);
	open_all();
	cr_assert_eq(files.chains[0].count, 3);
	write_text("child's session.");
	end(true);
	cr_assert_eq(access("child.avhd.vud", F_OK), -1);
	expect_text("child.avhd", "child's session.");
	expect_text("base.vhd", "");
}

/* The guest sees the same disk with an undo disk and without. */
Test(undo, the_guest_sees_the_same_disk)
{
	struct block_info with, without;
	struct block_image *image;
	struct vm_config told;
	struct vm_disk disk;

	make("base.vhd", NULL);
	make("child.vhd", "base.vhd");
	add_disk("child.vhd", MACHINE_UNDO_OFF);
	for (unsigned int i = 0; i < 2; i++) {
		open_all();
		told = tell();
		disk = vm_config_parents(&told, &told.disks[0]);
		cr_assert_eq(disk.parent_count, i + 1);
		cr_assert_eq(block_vhd_open(&disk, &image, error, sizeof(error)), 0, "%s", error);
		*(i ? &with : &without) = image->info;
		image->ops->free(image);
		close_all();
		config.undo = MACHINE_UNDO_DISCARD;
	}
	cr_assert_str_eq(with.serial, without.serial);
	cr_assert_eq(with.size_bytes, without.size_bytes);
	cr_assert_eq(with.cylinders, without.cylinders);
	cr_assert_eq(with.heads, without.heads);
	cr_assert_eq(with.sectors_per_track, without.sectors_per_track);
}

Test(undo, a_disk_with_an_undo_disk_is_not_used_without)
{
	make("nt4.vhd", NULL);
	add_disk("nt4.vhd", MACHINE_UNDO_KEEP);
	open_all();
	close_all();
	config.undo = MACHINE_UNDO_OFF;
	cr_assert_eq(disk_files_open(&config, &files, error, sizeof(error)), -EEXIST);
	cr_assert(strstr(error, "nt4.vhd: disk: has an undo disk, nt4.vud"), "%s", error);
	config.disks[0].read_only = true;
	open_all();
	cr_assert(!disk_files_have_undo(&files));
}

Test(undo, what_did_not_start_leaves_nothing)
{
	make("nt4.vhd", NULL);
	add_disk("nt4.vhd", MACHINE_UNDO_KEEP);
	open_all();
	disk_files_forget(&files);
	close_all();
	cr_assert_eq(access("nt4.vud", F_OK), -1);
	/* But one that was there before stays. */
	open_all();
	close_all();
	open_all();
	disk_files_forget(&files);
	cr_assert_eq(access("nt4.vud", F_OK), 0);
}

/* A foreign undo disk, such as of a disk that was restored, is an error and not data. */
Test(undo, an_undo_disk_of_another_disk_is_refused)
{
	make("nt4.vhd", NULL);
	add_disk("nt4.vhd", MACHINE_UNDO_KEEP);
	open_all();
	close_all();
	cr_assert_eq(unlink("nt4.vhd"), 0);
	make("nt4.vhd", NULL);
	cr_assert_eq(disk_files_open(&config, &files, error, sizeof(error)), -ENOLINK);
	cr_assert(strstr(error, "nt4.vud: nt4.vhd is not the parent that it was made for"), "%s",
		  error);
}
