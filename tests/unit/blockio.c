// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/blockio: requests in order, completions under the lock, cancelling, failing, ending. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../vhd/vhd.h"
#include "../../vmm/blockio.h"
#include "../../vmm/loop.h"
#include "../../vmm/sandbox.h"

#define DISK_BYTES MIB(64)
#define REQUESTS 200

static struct loop *loop;
static struct vm_disk disk;
static struct block_backend *backend;
static char error[512];

struct job {
	struct block_request request;
	struct iovec iov;
	uint8_t data[4096];
	unsigned int completions, order;
	int error;
};

static struct job jobs[REQUESTS];
static unsigned int completed, wanted;

static void setup(void)
{
	char path[] = "/tmp/blockio-XXXXXX";

	/* The worker runs under its real system call filter. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	sandbox_warm_up();
	cr_assert_eq(loop_new(&loop), 0);
	disk = (struct vm_disk){ .format = VM_DISK_RAW, .name = "disk.img" };
	disk.fd = mkostemp(path, O_CLOEXEC);
	cr_assert_geq(disk.fd, 0);
	unlink(path);
	backend = NULL;
	completed = 0;
	memset(jobs, 0, sizeof(jobs));
}

static void teardown(void)
{
	blockio_free(backend);
	loop_free(loop);
	close(disk.fd);
}

TestSuite(blockio, .init = setup, .fini = teardown, .timeout = 30);

static void complete(struct block_request *request, int result)
{
	struct job *job = request->owner;

	job->completions++;
	job->order = completed++;
	job->error = result;
	if (completed == wanted)
		loop_quit(loop, 0);
}

static void make_vhd(void)
{
	const struct vhd_file file = { .fd = disk.fd, .name = disk.name };
	const struct vhd_create_options options = { .type = VHD_DYNAMIC, .size_bytes = DISK_BYTES };

	disk.format = VM_DISK_VHD;
	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
}

static void make_raw(void)
{
	cr_assert_eq(ftruncate(disk.fd, DISK_BYTES), 0);
}

static void open_disk(void)
{
	cr_assert_eq(blockio_new(loop, &disk, &backend, error, sizeof(error)), 0, "%s", error);
}

static void submit(unsigned int index, enum block_op op, uint64_t offset)
{
	struct job *job = &jobs[index];

	job->iov = (struct iovec){ job->data, sizeof(job->data) };
	job->request = (struct block_request){
		.op = op,
		.offset_bytes = offset,
		.size_bytes = sizeof(job->data),
		.iov = &job->iov,
		.iov_count = op == BLOCK_READ || op == BLOCK_WRITE,
		.complete = complete,
		.owner = job,
	};
	loop_lock(loop);
	block_submit(backend, &job->request);
	cr_assert_eq(job->completions, 0, "never inside submit");
	loop_unlock(loop);
}

static void run_until(unsigned int count)
{
	wanted = count;
	if (completed < count)
		cr_assert_eq(loop_run(loop), 0);
}

static void new_loop(void)
{
	/* A loop runs once; the backend must be gone before it. */
	blockio_free(backend);
	backend = NULL;
	loop_free(loop);
	cr_assert_eq(loop_new(&loop), 0);
	completed = 0;
	memset(jobs, 0, sizeof(jobs));
}

static void write_then_read(void)
{
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	for (unsigned int i = 0; i < REQUESTS - 1; i++) {
		memset(jobs[i].data, (int)i + 1, sizeof(jobs[i].data));
		submit(i, BLOCK_WRITE, (uint64_t)i * 300 * 1024);
	}
	submit(REQUESTS - 1, BLOCK_FLUSH, 0);
	run_until(REQUESTS);
	for (unsigned int i = 0; i < REQUESTS; i++) {
		cr_assert_eq(jobs[i].completions, 1);
		cr_assert_eq(jobs[i].error, 0);
		cr_assert_eq(jobs[i].order, i);
	}
	new_loop();
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	for (unsigned int i = 0; i < REQUESTS - 1; i++)
		submit(i, BLOCK_READ, (uint64_t)i * 300 * 1024);
	run_until(REQUESTS - 1);
	for (unsigned int i = 0; i < REQUESTS - 1; i++) {
		cr_assert_eq(jobs[i].error, 0);
		cr_assert_eq(jobs[i].data[0], (uint8_t)(i + 1));
		cr_assert_eq(jobs[i].data[4095], (uint8_t)(i + 1));
	}
}

Test(blockio, raw_images_keep_what_is_written)
{
	make_raw();
	write_then_read();
}

Test(blockio, vhd_images_keep_what_is_written)
{
	make_vhd();
	write_then_read();
}

Test(blockio, info_tells_what_the_image_is)
{
	struct block_info info;

	make_vhd();
	open_disk();
	block_info(backend, &info);
	cr_assert_eq(info.size_bytes, DISK_BYTES);
	cr_assert_not(info.read_only);
	cr_assert_eq(strlen(info.serial), 20);
	cr_assert_eq(info.heads, vhd_geometry(DISK_BYTES).heads);
	blockio_free(backend);
	disk.cylinders = 100;
	disk.heads = 2;
	disk.sectors_per_track = 9;
	disk.read_only = true;
	open_disk();
	block_info(backend, &info);
	cr_assert(info.read_only);
	cr_assert_eq(info.cylinders, 100);
	cr_assert_eq(info.heads, 2);
	cr_assert_eq(info.sectors_per_track, 9);
}

Test(blockio, what_cannot_be_opened_says_why)
{
	cr_assert_eq(blockio_new(loop, &disk, &backend, error, sizeof(error)), -EINVAL);
	cr_assert(strstr(error, "disk.img: "), "%s", error);
	cr_assert_eq(ftruncate(disk.fd, 1000), 0);
	cr_assert_eq(blockio_new(loop, &disk, &backend, error, sizeof(error)), -EINVAL);
	disk.format = VM_DISK_VHD;
	cr_assert_eq(blockio_new(loop, &disk, &backend, error, sizeof(error)), -EMEDIUMTYPE);
	cr_assert(strstr(error, "disk.img: not a virtual hard disk"), "%s", error);
}

Test(blockio, requests_wait_for_the_start)
{
	make_raw();
	open_disk();
	submit(0, BLOCK_READ, 0);
	cr_assert_eq(completed, 0);
	cr_assert_eq(blockio_start(backend), 0);
	run_until(1);
	cr_assert_eq(jobs[0].error, 0);
}

Test(blockio, a_request_that_has_not_begun_can_be_cancelled)
{
	make_raw();
	open_disk();
	for (unsigned int i = 0; i < 3; i++)
		submit(i, BLOCK_WRITE, 4096);
	loop_lock(loop);
	block_cancel(backend, &jobs[1].request);
	block_cancel(backend, &jobs[1].request);
	cr_assert_eq(jobs[1].completions, 0, "never inside cancel");
	loop_unlock(loop);
	cr_assert_eq(blockio_start(backend), 0);
	run_until(3);
	cr_assert_eq(jobs[0].error, 0);
	cr_assert_eq(jobs[1].error, -ECANCELED);
	cr_assert_eq(jobs[2].error, 0);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(jobs[i].completions, 1);
}

/* Whenever the cancel comes: once completed, and with what was done. */
Test(blockio, cancelling_races_with_the_worker)
{
	make_vhd();
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	for (unsigned int i = 0; i < REQUESTS; i++) {
		memset(jobs[i].data, 0xc5, sizeof(jobs[i].data));
		submit(i, BLOCK_WRITE, (uint64_t)i * 4096);
		if (i % 3 == 0) {
			loop_lock(loop);
			block_cancel(backend, &jobs[i].request);
			loop_unlock(loop);
		}
	}
	run_until(REQUESTS);
	for (unsigned int i = 0; i < REQUESTS; i++) {
		cr_assert_eq(jobs[i].completions, 1);
		cr_assert(jobs[i].error == 0 || (i % 3 == 0 && jobs[i].error == -ECANCELED));
	}
}

Test(blockio, read_only_disks_refuse_changes)
{
	make_raw();
	disk.read_only = true;
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	submit(0, BLOCK_WRITE, 0);
	submit(1, BLOCK_DISCARD, 0);
	submit(2, BLOCK_READ, 0);
	submit(3, BLOCK_FLUSH, 0);
	run_until(4);
	cr_assert_eq(jobs[0].error, -EROFS);
	cr_assert_eq(jobs[1].error, -EROFS);
	cr_assert_eq(jobs[2].error, 0);
	cr_assert_eq(jobs[3].error, 0);
}

Test(blockio, an_error_of_the_host_reaches_the_guest)
{
	static const struct rlimit limit = { MIB(1), MIB(1) };

	make_vhd();
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	memset(jobs[0].data, 1, sizeof(jobs[0].data));
	submit(0, BLOCK_WRITE, 0);
	submit(1, BLOCK_READ, 0);
	submit(2, BLOCK_FLUSH, 0);
	run_until(3);
	cr_assert_eq(jobs[0].error, -EFBIG);
	cr_assert_eq(jobs[1].error, 0);
	cr_assert_eq(jobs[1].data[0], 0, "nothing was written");
	cr_assert_eq(jobs[2].error, 0);
}

Test(blockio, discarding_gives_space_back)
{
	struct stat before, after;

	make_vhd();
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	memset(jobs[0].data, 1, sizeof(jobs[0].data));
	submit(0, BLOCK_WRITE, 8192);
	submit(1, BLOCK_FLUSH, 0);
	run_until(2);
	cr_assert_eq(fstat(disk.fd, &before), 0);
	new_loop();
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	submit(0, BLOCK_DISCARD, 8192);
	submit(1, BLOCK_READ, 8192);
	run_until(2);
	cr_assert_eq(jobs[0].error, 0);
	cr_assert_eq(jobs[1].error, 0);
	cr_assert_eq(fstat(disk.fd, &after), 0);
	if (after.st_blocks < before.st_blocks)
		cr_assert_eq(jobs[1].data[0], 0);
}

/* The plug is pulled with requests under way: all are carried out, the image is closed. */
Test(blockio, freeing_finishes_what_was_submitted)
{
	const struct vhd_file file = { .fd = disk.fd, .name = "disk.img" };
	const struct vhd_open_options options = { .read_only = true };
	struct vhd_info info;
	struct vhd *vhd;
	uint8_t byte;
	const struct iovec iov = { &byte, 1 };

	make_vhd();
	open_disk();
	cr_assert_eq(blockio_start(backend), 0);
	for (unsigned int i = 0; i < 20; i++) {
		memset(jobs[i].data, 0x77, sizeof(jobs[i].data));
		submit(i, BLOCK_WRITE, MIB(3) * i);
	}
	blockio_free(backend);
	backend = NULL;
	for (unsigned int i = 0; i < 20; i++) {
		cr_assert_eq(jobs[i].completions, 1);
		cr_assert_eq(jobs[i].error, 0);
	}
	cr_assert_eq(vhd_open(&file, 1, &options, &vhd, error, sizeof(error)), 0, "%s", error);
	for (unsigned int i = 0; i < 20; i++) {
		cr_assert_eq(vhd_read(vhd, MIB(3) * i, &iov, 1), 0);
		cr_assert_eq(byte, 0x77);
	}
	vhd_get_info(vhd, &info);
	cr_assert_eq(info.tail, VHD_FOOTER_GOOD);
	cr_assert_lt(info.file_bytes, 20 * MIB(2) + 21 * 4096 + 8192, "trimmed");
	vhd_free(vhd);
}

Test(blockio, freeing_without_a_start_cancels)
{
	make_raw();
	open_disk();
	submit(0, BLOCK_READ, 0);
	submit(1, BLOCK_READ, 0);
	blockio_free(backend);
	backend = NULL;
	cr_assert_eq(jobs[0].error, -ECANCELED);
	cr_assert_eq(jobs[1].error, -ECANCELED);
	cr_assert_eq(jobs[0].order, 0);
}

/* --- drives whose medium is changed */

static unsigned int changes;

static void changed(void *opaque)
{
	(void)opaque;
	changes++;
	loop_quit(loop, 0);
}

/* A raw image of @sectors, each full of @fill; its descriptor becomes the drive's. */
static int put_in(unsigned int sectors, uint8_t fill)
{
	static uint8_t sector[512];
	char path[] = "/tmp/blockio-XXXXXX";
	struct vm_disk medium = { .format = VM_DISK_RAW, .name = "medium" };
	struct block_image *image;
	int r;

	medium.fd = mkostemp(path, O_CLOEXEC);
	cr_assert_geq(medium.fd, 0);
	unlink(path);
	memset(sector, fill, sizeof(sector));
	for (unsigned int i = 0; i < sectors; i++)
		cr_assert_eq(write(medium.fd, sector, sizeof(sector)), 512);
	cr_assert_eq(block_image_open(&medium, &image, error, sizeof(error)), 0, "%s", error);
	loop_lock(loop);
	r = blockio_change(backend, image, &medium, changed, NULL);
	loop_unlock(loop);
	return r;
}

Test(blockio, a_drive_without_medium_fails_and_takes_one)
{
	struct block_info info;

	cr_assert_eq(blockio_new(loop, NULL, &backend, error, sizeof(error)), 0);
	block_info(backend, &info);
	cr_assert_eq(info.size_bytes, 0);
	cr_assert_eq(blockio_start(backend), 0);
	submit(0, BLOCK_READ, 0);
	cr_assert_eq(put_in(16, 0x5a), 0);
	cr_assert_eq(blockio_change(backend, NULL, NULL, changed, NULL), -EBUSY);
	submit(1, BLOCK_READ, 4096);
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(changes, 1);
	cr_assert_eq(jobs[0].error, -ENOMEDIUM, "in the order of submission");
	block_info(backend, &info);
	cr_assert_eq(info.size_bytes, 8192);
	new_loop();
	cr_assert_eq(blockio_new(loop, &disk, &backend, error, sizeof(error)), -EINVAL);
}

Test(blockio, what_was_submitted_before_a_change_is_on_the_old_medium)
{
	struct block_info info;
	uint8_t byte = 0;

	make_raw();
	open_disk();
	memset(jobs[0].data, 0x77, sizeof(jobs[0].data));
	submit(0, BLOCK_WRITE, 0);
	cr_assert_eq(put_in(16, 0x5a), 0);
	submit(1, BLOCK_READ, 0);
	cr_assert_eq(blockio_start(backend), 0);
	wanted = 2;
	cr_assert_eq(loop_run(loop), 0);
	loop_lock(loop);
	block_info(backend, &info);
	loop_unlock(loop);
	cr_assert_eq(jobs[0].error, 0);
	cr_assert_eq(pread(disk.fd, &byte, 1, 100), 1);
	cr_assert_eq(byte, 0x77, "written and flushed");
	cr_assert_eq(info.size_bytes, 8192);
	/* The second completes in the same round or when the drive goes. */
	blockio_free(backend);
	backend = NULL;
	cr_assert_eq(jobs[1].error, 0);
	cr_assert_eq(jobs[1].data[4095], 0x5a);
}

Test(blockio, a_medium_that_shrinks_is_an_error)
{
	cr_assert_eq(blockio_new(loop, NULL, &backend, error, sizeof(error)), 0);
	make_raw();
	blockio_free(backend);
	open_disk();
	cr_assert_eq(ftruncate(disk.fd, 4096), 0);
	cr_assert_eq(blockio_start(backend), 0);
	submit(0, BLOCK_READ, 0);
	submit(1, BLOCK_READ, MIB(1));
	run_until(2);
	cr_assert_eq(jobs[0].error, 0);
	cr_assert_eq(jobs[1].error, -EIO);
}

Test(blockio, a_change_that_never_began_leaks_nothing)
{
	make_raw();
	open_disk();
	cr_assert_eq(put_in(16, 1), 0);
	blockio_free(backend);
	backend = NULL;
	cr_assert_eq(changes, 1);
}
