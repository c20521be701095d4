// SPDX-License-Identifier: GPL-2.0-or-later
/* The battery's file: its format, and vmm/nvram.c on a real loop, worker and clock chip. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../lib/bench.h"
#include "../../base/nvram.h"
#include "../../devmodel/mc146818.h"
#include "../../vmm/config.h"
#include "../../vmm/loop.h"
#include "../../vmm/nvram.h"
#include "../../vmm/sandbox.h"

static struct nvram sample(uint64_t sequence)
{
	struct nvram nvram = { .sequence = sequence, .rtc_offset_s = -3600 };

	memset(nvram.uuid, 0x42, sizeof(nvram.uuid));
	memset(nvram.cmos, (int)sequence, sizeof(nvram.cmos));
	return nvram;
}

static void put(uint8_t file[NVRAM_FILE_BYTES], uint64_t sequence)
{
	struct nvram nvram = sample(sequence);

	nvram_encode(&nvram, file + sequence % NVRAM_SLOTS * NVRAM_SLOT_BYTES);
}

Test(nvram, newest_whole_slot_counts)
{
	uint8_t file[NVRAM_FILE_BYTES] = { 0 };
	struct nvram nvram;

	cr_assert_not(nvram_decode(file, &nvram), "a new file");
	put(file, 6);
	cr_assert(nvram_decode(file, &nvram));
	cr_assert_eq(nvram.sequence, 6);
	cr_assert_eq(nvram.rtc_offset_s, -3600);
	cr_assert_eq(nvram.cmos[255], 6);
	cr_assert_eq(nvram.uuid[15], 0x42);
	put(file, 7);
	cr_assert(nvram_decode(file, &nvram));
	cr_assert_eq(nvram.sequence, 7);
}

/* A write that was cut at any byte, or any damaged bit: the other slot is still there. */
Test(nvram, a_torn_write_leaves_the_one_before)
{
	uint8_t before[NVRAM_FILE_BYTES] = { 0 }, after[NVRAM_FILE_BYTES], file[NVRAM_FILE_BYTES];
	struct nvram nvram;

	put(before, 7);
	put(before, 8);
	memcpy(after, before, sizeof(after));
	put(after, 9);
	for (unsigned int cut = 0; cut < NVRAM_SLOT_BYTES; cut++) {
		memcpy(file, before, sizeof(file));
		memcpy(file + NVRAM_SLOT_BYTES, after + NVRAM_SLOT_BYTES, cut);
		cr_assert(nvram_decode(file, &nvram));
		cr_assert(nvram.sequence == 8 || cut >= 508, "cut at %u", cut);
	}
	for (unsigned int bit = 0; bit < NVRAM_SLOT_BYTES * 8; bit++) {
		memcpy(file, after, sizeof(file));
		file[NVRAM_SLOT_BYTES + bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert(nvram_decode(file, &nvram));
		cr_assert_eq(nvram.sequence, 8, "bit %u", bit);
	}
}

Test(nvram, a_slot_in_the_wrong_place_does_not_count)
{
	uint8_t file[NVRAM_FILE_BYTES] = { 0 };
	struct nvram nvram = sample(4);

	nvram_encode(&nvram, file + NVRAM_SLOT_BYTES);
	cr_assert_not(nvram_decode(file, &nvram));
}

/* --- the keeper */

static struct loop *loop;
static struct vm_config config;
static struct keeper *keeper;
static struct bench *bench;
static struct device *rtc;
static char error[256];

static void begin(int fd)
{
	struct mc146818_config clock;
	const struct nvram *content;

	/* The worker runs under its real system call filter. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	sandbox_warm_up();
	cr_assert_eq(loop_new(&loop), 0);
	config.nvram = (struct vm_medium){
		.present = true,
		.disk = { .format = VM_DISK_RAW, .fd = fd, .name = "x.nvram" },
	};
	memset(config.uuid, 0x17, sizeof(config.uuid));
	cr_assert_eq(keeper_new(loop, &config, &keeper, error, sizeof(error)), 0, "%s", error);
	content = keeper_content(keeper);
	bench = bench_new();
	clock = (struct mc146818_config){
		.image = content ? content->cmos : NULL,
		.image_bytes = content ? sizeof(content->cmos) : 0,
		.offset_s = content ? content->rtc_offset_s : 0,
		.changed = keeper_changed,
		.changed_opaque = keeper,
	};
	rtc = bench_add(bench, &mc146818_class, &clock);
	keeper_attach(keeper, rtc);
	cr_assert_eq(keeper_start(keeper), 0);
}

static void put_cmos(uint8_t index, uint8_t value)
{
	loop_lock(loop);
	outb(bench, 0x70, index);
	outb(bench, 0x71, value);
	loop_unlock(loop);
}

static uint8_t get_cmos(uint8_t index)
{
	outb(bench, 0x70, index);
	return inb(bench, 0x71);
}

static void finish(void)
{
	keeper_free(keeper);
	bench_free(bench);
	loop_free(loop);
}

static int make_file(void)
{
	char path[] = "/tmp/nvram-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	unlink(path);
	cr_assert_eq(ftruncate(fd, NVRAM_FILE_BYTES), 0);
	return fd;
}

Test(nvram, what_the_guest_writes_outlives_the_machine)
{
	uint8_t file[NVRAM_FILE_BYTES];
	struct nvram nvram;
	int fd = make_file();

	begin(fd);
	cr_assert_null(keeper_content(keeper));
	put_cmos(0x40, 0x5a);
	loop_lock(loop);
	outb(bench, 0x72, 0x7f);
	outb(bench, 0x73, 0xa5);
	loop_unlock(loop);
	finish();
	cr_assert_eq(pread(fd, file, sizeof(file), 0), NVRAM_FILE_BYTES);
	cr_assert(nvram_decode(file, &nvram));
	cr_assert_eq(nvram.cmos[0x40], 0x5a);
	cr_assert_eq(nvram.cmos[0xff], 0xa5);
	cr_assert_eq(nvram.uuid[0], 0x17);
	begin(fd);
	cr_assert_not_null(keeper_content(keeper));
	cr_assert_eq(get_cmos(0x40), 0x5a);
	/* The guest sets its clock an hour ahead. */
	put_cmos(0x0b, 0x82);
	put_cmos(0x04, (uint8_t)(get_cmos(0x04) == 0x23 ? 0x00 : get_cmos(0x04) + 1));
	put_cmos(0x0b, 0x02);
	finish();
	cr_assert_eq(pread(fd, file, sizeof(file), 0), NVRAM_FILE_BYTES);
	cr_assert(nvram_decode(file, &nvram));
	cr_assert_neq(nvram.rtc_offset_s, 0);
	cr_assert_gt(nvram.sequence, 1);
	close(fd);
}

static void *run(void *opaque)
{
	/* As in a machine: also the timer must do with what the filter allows. */
	sandbox_thread(SANDBOX_LOOP);
	loop_run(loop);
	return opaque;
}

Test(nvram, a_change_is_written_while_the_machine_runs, .timeout = 20)
{
	uint8_t file[NVRAM_FILE_BYTES];
	struct nvram nvram = { .cmos = { 0 } };
	int fd = make_file();
	pthread_t thread;

	begin(fd);
	pthread_create(&thread, NULL, run, NULL);
	put_cmos(0x41, 0x77);
	for (int i = 0; i < 1000 && nvram.cmos[0x41] != 0x77; i++) {
		usleep(10000);
		cr_assert_eq(pread(fd, file, sizeof(file), 0), NVRAM_FILE_BYTES);
		(void)nvram_decode(file, &nvram);
	}
	cr_assert_eq(nvram.cmos[0x41], 0x77);
}
