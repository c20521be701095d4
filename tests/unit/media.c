// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/media: media that come and go, on real drives of the bench, a real loop and real workers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../lib/bench.h"
#include "../../devmodel/fdc_82077.h"
#include "../../devmodel/piix4_ide.h"
#include "../../vmm/board.h"
#include "../../vmm/loop.h"
#include "../../vmm/media.h"
#include "../../vmm/sandbox.h"

static struct loop *loop;
static struct bench *bench;
static struct board board;
static struct media media;
static struct vm_config config;
static pthread_t thread;
static char error[256];

static int image(uint64_t bytes)
{
	char path[] = "/tmp/media-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	unlink(path);
	cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

static struct vm_disk medium(uint64_t bytes)
{
	return (struct vm_disk){ .format = VM_DISK_RAW, .fd = image(bytes), .name = "new" };
}

static void *run(void *opaque)
{
	cr_assert_eq(loop_run(loop), 0);
	return opaque;
}

/* A 1.44 MB drive and an empty CD-ROM drive at the secondary master. */
static void setup(void)
{
	struct fdc_82077_config fdc = { .drives = { { FLOPPY_1440K, NULL } } };
	struct piix4_ide_config ide = { .devfn = PCI_DEVFN(1, 1) };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	sandbox_warm_up();
	cr_assert_eq(loop_new(&loop), 0);
	config.floppies[0].kind = FLOPPY_1440K;
	config.floppies[0].medium = (struct vm_medium){ true, medium(1474560) };
	config.cdroms[2].present = true;
	cr_assert_eq(media_new(&media, loop, &config, &board, error, sizeof(error)), 0, "%s",
		     error);
	bench = bench_new();
	fdc.drives[0].backend = board.floppies[0];
	ide.bus = &bench->pci;
	ide.drives[2] =
		(struct piix4_ide_drive){ .kind = PIIX4_IDE_CDROM, .backend = board.cdroms[2] };
	board.fdc = bench_add(bench, &fdc_82077_class, &fdc);
	board.ide = bench_add(bench, &piix4_ide_class, &ide);
	cr_assert_eq(media_start(&media), 0);
	cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
}

static void quit(struct loop_post *post)
{
	(void)post;
	loop_quit(loop, 0);
}

static void teardown(void)
{
	struct loop_post post = { .run = quit };

	loop_post(loop, &post);
	pthread_join(thread, NULL);
}

TestSuite(media, .init = setup, .fini = teardown, .timeout = 20);

static int insert(const char *drive, uint64_t bytes, bool force)
{
	struct vm_disk disk = medium(bytes);
	int r;

	loop_lock(loop);
	r = media_insert(&media, drive, &disk, force, error, sizeof(error));
	loop_unlock(loop);
	return r;
}

static int eject(const char *drive, bool force)
{
	int r;

	loop_lock(loop);
	r = media_eject(&media, drive, force, error, sizeof(error));
	loop_unlock(loop);
	return r;
}

static struct media_info describe(unsigned int index)
{
	struct media_info info;

	loop_lock(loop);
	cr_assert(media_describe(&media, index, &info));
	loop_unlock(loop);
	return info;
}

/* Until the change is done. */
static void wait_settled(unsigned int index)
{
	for (int i = 0; i < 5000; i++) {
		bool changing;

		loop_lock(loop);
		changing = media.drives[index].changing;
		loop_unlock(loop);
		if (!changing)
			return;
		usleep(1000);
	}
	cr_assert_fail("still changing");
}

static bool cdrom_has_medium(void)
{
	struct piix4_ide_cdrom cdrom;

	loop_lock(loop);
	cr_assert_eq(piix4_ide_cdrom(board.ide, 2, &cdrom), 0);
	loop_unlock(loop);
	return cdrom.medium && !cdrom.tray_open;
}

Test(media, drives_have_names_and_tell_what_is_in_them)
{
	struct media_info info = describe(0);

	cr_assert_str_eq(info.name, "floppy0");
	cr_assert_str_eq(info.kind, "1.44M");
	cr_assert_str_eq(info.medium, "new");
	info = describe(1);
	cr_assert_str_eq(info.name, "cd0");
	cr_assert_null(info.medium);
	cr_assert_not(media_describe(&media, 2, &info));
}

Test(media, a_disc_comes_and_goes)
{
	cr_assert_not(cdrom_has_medium());
	cr_assert_eq(insert("cd0", 2048 * 100, false), 0, "%s", error);
	wait_settled(1);
	cr_assert(cdrom_has_medium());
	cr_assert_str_eq(describe(1).medium, "new");
	cr_assert_eq(insert("cd0", 2048 * 50, false), 0, "in place of the other");
	wait_settled(1);
	cr_assert(cdrom_has_medium());
	cr_assert_eq(eject("cd0", false), 0);
	wait_settled(1);
	cr_assert_not(cdrom_has_medium());
	cr_assert_null(describe(1).medium);
	cr_assert(describe(1).tray_open);
	cr_assert_eq(eject("cd0", false), 0, "an empty drive opens, too");
}

Test(media, floppies_fit_their_drive_or_are_refused)
{
	cr_assert_eq(insert("floppy0", 2949120, false), -EINVAL);
	cr_assert(strstr(error, "does not fit"), "%s", error);
	cr_assert_eq(insert("floppy0", 1000 * 512, false), -EINVAL);
	cr_assert(strstr(error, "size of no floppy"), "%s", error);
	cr_assert_eq(insert("floppy0", 100, false), -EINVAL);
	cr_assert_str_eq(describe(0).medium, "new", "the old one stays");
	cr_assert_eq(insert("floppy0", 737280, false), 0, "%s", error);
	wait_settled(0);
	cr_assert_eq(eject("floppy0", false), 0);
	wait_settled(0);
	cr_assert_null(describe(0).medium);
}

Test(media, what_is_not_there_is_named)
{
	cr_assert_eq(insert("floppy1", 1474560, false), -ENODEV);
	cr_assert(strstr(error, "floppy0, cd0"), "%s", error);
	cr_assert_eq(eject("tape0", false), -ENODEV);
}

Test(media, one_change_at_a_time)
{
	int r;

	loop_lock(loop);
	media.drives[1].changing = true;
	loop_unlock(loop);
	r = insert("cd0", 2048, false);
	cr_assert_eq(r, -EBUSY);
	cr_assert(strstr(error, "try again"), "%s", error);
	loop_lock(loop);
	media.drives[1].changing = false;
	loop_unlock(loop);
}

Test(media, a_locked_tray_opens_by_force_only)
{
	/* PREVENT ALLOW MEDIUM REMOVAL by a small driver. */
	static const uint8_t prevent[12] = { 0x1e, 0, 0, 0, 1 };
	static const uint8_t ready[12] = { 0 };
	const uint8_t *packets[] = { ready, ready, prevent };

	cr_assert_eq(insert("cd0", 2048 * 100, false), 0);
	wait_settled(1);
	loop_lock(loop);
	bench_config_write(bench, PCI_DEVFN(1, 1), 0x40, 4, 0x80008000);
	bench_config_write(bench, PCI_DEVFN(1, 1), 0x04, 2, 0x0001);
	for (unsigned int i = 0; i < 3; i++) {
		outb(bench, 0x376, 2);
		outb(bench, 0x176, 0xa0);
		outb(bench, 0x177, 0xa0);
		for (unsigned int j = 0; j < 12; j += 2)
			outw(bench, 0x170, (uint16_t)(packets[i][j] | packets[i][j + 1] << 8));
		advance(bench, NSEC_PER_SEC);
		inb(bench, 0x177);
	}
	loop_unlock(loop);
	cr_assert(describe(1).locked);
	cr_assert_eq(eject("cd0", false), -EBUSY);
	cr_assert(strstr(error, "--force"), "%s", error);
	cr_assert_eq(insert("cd0", 2048, false), -EBUSY);
	cr_assert(cdrom_has_medium());
	cr_assert_eq(eject("cd0", true), 0);
	wait_settled(1);
	cr_assert_not(cdrom_has_medium());
}
