// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving and restoring the whole machine, without a processor: what belongs to KVM alone is tested by
 * tests/guest/cases/state.sh.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/crc32c.h"
#include "../../base/fdio.h"
#include "../../base/log.h"
#include "../../devmodel/device.h"
#include "../../devmodel/dma.h"
#include "../../devmodel/io.h"
#include "../../vmm/state/statefile.h"
#include "../../vmm/config.h"
#include "../../vmm/loop.h"
#include "../../vmm/machine.h"
#include "../../vmm/sandbox.h"
#include "../../vmm/save.h"

#define FIRMWARE "/usr/share/seabios/bios-256k.bin"
#define MEMORY_BYTES MIB(8)
#define DISK_BYTES MIB(4)

struct rig {
	struct loop *loop;
	struct vm_config config;
	struct machine *machine;
	struct save_result result;
};

static int disk_new(void)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, (off_t)DISK_BYTES), 0);
	return fd;
}

/* As a starter describes it, but for the processor's descriptor. */
static struct vm_config config_for(int disk_fd)
{
	static const char text[] =
		"{ \"protocol\": 1, \"name\": \"nt4\","
		"\"uuid\": \"01020300-0000-0000-0000-000000000000\", \"board\": 1,"
		"\"memory_bytes\": 8388608, \"cpus\": 1, \"cpu\": \"nt4\", \"kvm_fd\": 0,"
		"\"firmware_fd\": 1, \"disks\": [ { \"slot\": 0, \"format\": \"raw\", \"disk_fd\": "
		"2,"
		"\"read_only\": false, \"name\": \"disk.img\" } ] }";
	int fds[3] = { open("/dev/null", O_RDWR | O_CLOEXEC), open(FIRMWARE, O_RDONLY | O_CLOEXEC),
		       disk_fd };
	struct vm_config config;
	char error[256];

	cr_assert_geq(fds[1], 0, FIRMWARE);
	cr_assert_eq(vm_config_parse(text, strlen(text), fds, 3, &config, error, sizeof(error)), 0,
		     "%s", error);
	close(config.kvm_fd);
	config.kvm_fd = -1;
	strcpy(config.restore.name, "nt4.state");
	return config;
}

/* @state_fd -1: a new machine. The result of machine_new(). */
static int rig_new(struct rig *rig, const struct vm_config *config, int state_fd)
{
	int r;

	memset(rig, 0, sizeof(*rig));
	rig->config = *config;
	rig->config.restore.fd = state_fd;
	rig->config.restore.verify = true;
	rig->config.rtc_frozen = true;
	cr_assert_eq(loop_new(&rig->loop), 0);
	sandbox_warm_up();
	r = machine_new(rig->loop, &rig->config, &rig->machine);
	if (r < 0) {
		rig->machine = NULL;
		return r;
	}
	cr_assert_eq(machine_leave_state(rig->machine), 0);
	cr_assert_eq(machine_start(rig->machine), 0);
	return 0;
}

static void rig_free(struct rig *rig)
{
	machine_free(rig->machine);
	loop_free(rig->loop);
	close(rig->config.firmware_fd);
}

static void save_done(void *opaque, const struct save_result *result)
{
	struct rig *rig = opaque;

	rig->result = *result;
	loop_quit(rig->loop, 0);
}

/* A new file with the machine's state; the machine is held. */
static int save(struct rig *rig)
{
	int fd = memfd_create("state", MFD_CLOEXEC);
	char error[256];

	loop_lock(rig->loop);
	cr_assert_eq(save_start(rig->machine, dup(fd), false, save_done, rig, error, sizeof(error)),
		     0, "%s", error);
	loop_unlock(rig->loop);
	cr_assert_eq(loop_run(rig->loop), 0);
	cr_assert_eq(rig->result.error, 0, "%s", rig->result.text);
	cr_assert(save_has_machine(rig->machine));
	return fd;
}

static void out(struct rig *rig, uint16_t port, unsigned int size, uint32_t value)
{
	loop_lock(rig->loop);
	io_port_write(machine_io(rig->machine), port, size, value);
	machine_settle(rig->machine);
	loop_unlock(rig->loop);
}

/* A machine in the middle of things: an index is set, a sector is half read in, a serial port half set up. */
static void stir(struct rig *rig)
{
	static const uint8_t bytes[] = "what a program left in memory";

	out(rig, 0x70, 1, 0x35);
	out(rig, 0x71, 1, 0x5a);
	out(rig, 0x3fb, 1, 0x83);
	out(rig, 0x3f8, 1, 0x0c);
	out(rig, 0xcf8, 4, 0x80000058);
	out(rig, 0xcfc, 4, 0x33333300);
	out(rig, 0x1f2, 1, 2);
	out(rig, 0x1f3, 1, 1);
	out(rig, 0x1f6, 1, 0xe0);
	out(rig, 0x1f7, 1, 0x30);
	for (unsigned int i = 0; i < 100; i++)
		out(rig, 0x1f0, 2, i * 771);
	loop_lock(rig->loop);
	cr_assert_eq(dma_write(machine_dma(rig->machine), 0x123456, bytes, sizeof(bytes)), 0);
	cr_assert_eq(dma_write(machine_dma(rig->machine), MEMORY_BYTES - 8, bytes, 8), 0);
	loop_unlock(rig->loop);
}

static struct statefile open_state(int fd)
{
	struct statefile file;
	char error[256];

	cr_assert_eq(statefile_open(&file, fd, error, sizeof(error)), 0, "%s", error);
	return file;
}

/* Where the devices' sections begin: behind those of the machine and its disks, which know the time. */
static size_t devices_at(const struct statefile *file)
{
	size_t at = 0;

	while (at < file->header.devices.bytes) {
		const uint8_t *p = file->devices + at;

		if (p[0] > 7 && !memcmp(p + 1, "device/", 7))
			return at;
		at += 1u + p[0] + 4 + get_le32(p + 1 + p[0]);
	}
	cr_assert_fail("no devices");
	return 0;
}

Test(snapshot, a_restored_machine_saves_the_same_bytes)
{
	struct vm_config config = config_for(disk_new());
	struct statefile first, second;
	struct rig rig, again;
	int fd, fd_again;
	uint8_t *ram = malloc(MEMORY_BYTES), *ram_again = malloc(MEMORY_BYTES);
	size_t at;

	cr_assert_eq(rig_new(&rig, &config, -1), 0);
	stir(&rig);
	fd = save(&rig);
	config.firmware_fd = dup(rig.config.firmware_fd);
	rig_free(&rig);
	cr_assert_eq(rig_new(&again, &config, dup(fd)), 0);
	fd_again = save(&again);
	first = open_state(fd);
	second = open_state(fd_again);
	at = devices_at(&first);
	cr_assert_eq(first.header.devices.bytes, second.header.devices.bytes);
	cr_expect_eq(
		memcmp(first.devices + at, second.devices + at, first.header.devices.bytes - at),
		0);
	cr_assert_eq(fd_pread_full(fd, ram, MEMORY_BYTES, first.header.blocks[0].offset), 0);
	cr_assert_eq(
		fd_pread_full(fd_again, ram_again, MEMORY_BYTES, second.header.blocks[0].offset),
		0);
	cr_expect_eq(memcmp(ram, ram_again, MEMORY_BYTES), 0);
	cr_expect_str_eq((char *)ram + 0x123456, "what a program left in memory");
	cr_expect_neq(memcmp(first.header.id, second.header.id, 16), 0);
	statefile_close(&first);
	statefile_close(&second);
	rig_free(&again);
	free(ram);
	free(ram_again);
}

Test(snapshot, zero_pages_cost_nothing)
{
	struct vm_config config = config_for(disk_new());
	struct rig rig;
	struct stat st;
	int fd;

	cr_assert_eq(rig_new(&rig, &config, -1), 0);
	stir(&rig);
	fd = save(&rig);
	cr_assert_eq(fstat(fd, &st), 0);
	/* Firmware, three pages of memory, what the devices are. */
	cr_expect_lt(st.st_blocks * 512, (long)KIB(512));
	rig_free(&rig);
	close(fd);
}

struct giving_up {
	struct rig *rig;
	struct loop_post poll;
	bool held;
};

static void poll_posted(struct loop_post *post)
{
	struct giving_up *g = container_of(post, struct giving_up, poll);

	if (save_has_machine(g->rig->machine))
		loop_post(g->rig->loop, post);
	else
		loop_quit(g->rig->loop, 0);
}

static void held_then_given_up(void *opaque, const struct save_result *result)
{
	struct giving_up *g = opaque;

	g->held |= !result->error;
	save_cancel(g->rig->machine);
	loop_post(g->rig->loop, &g->poll);
}

/* Either the file or the machine goes on, never both. */
Test(snapshot, a_save_that_is_given_up_leaves_the_machine_as_it_was)
{
	struct vm_config config = config_for(disk_new());
	struct giving_up g = { .poll.run = poll_posted };
	struct rig rig;
	char error[256];

	cr_assert_eq(rig_new(&rig, &config, -1), 0);
	g.rig = &rig;
	stir(&rig);
	loop_lock(rig.loop);
	machine_resume(rig.machine);
	cr_assert_eq(save_start(rig.machine, memfd_create("state", MFD_CLOEXEC), false,
				held_then_given_up, &g, error, sizeof(error)),
		     0);
	cr_expect_lt(save_start(rig.machine, memfd_create("two", MFD_CLOEXEC), false,
				held_then_given_up, &g, error, sizeof(error)),
		     0, "one at a time");
	loop_unlock(rig.loop);
	cr_assert_eq(loop_run(rig.loop), 0);
	cr_expect(g.held);
	cr_expect_eq(machine_state(rig.machine), MACHINE_RUNNING);
	rig_free(&rig);
}

/* --- what does not fit */

static int restore_error(const struct vm_config *config, int state_fd)
{
	struct vm_config copy = *config;
	struct rig rig;
	int r;

	copy.firmware_fd = open(FIRMWARE, O_RDONLY | O_CLOEXEC);
	r = rig_new(&rig, &copy, dup(state_fd));
	rig_free(&rig);
	return r;
}

Test(snapshot, what_does_not_fit_is_refused)
{
	int disk = disk_new(), other = disk_new(), fd;
	struct vm_config config = config_for(disk), changed;
	struct rig rig;

	cr_assert_eq(rig_new(&rig, &config, -1), 0);
	stir(&rig);
	fd = save(&rig);
	rig_free(&rig);
	cr_expect_eq(restore_error(&config, fd), 0);

	changed = config;
	changed.memory_bytes = 2 * MEMORY_BYTES;
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "memory");
	changed = config;
	changed.cpus = 2;
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "processors");
	changed = config;
	strcpy(changed.cpu_model, "p5");
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "processor model");
	changed = config;
	changed.uuid[0] = 9;
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "uuid");
	changed = config;
	changed.disk_count = 0;
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "a disk less");
	changed = config;
	changed.disks[0].slot = 1;
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "another slot");
	changed = config;
	cr_assert_eq(pwrite(other, "x", 1, 0), 1);
	changed.disks[0].fd = other;
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "another file");
	changed = config;
	changed.fast_disk = false;
	cr_expect_eq(restore_error(&changed, fd), -EINVAL, "a device less");
	cr_assert_eq(pwrite(disk, "x", 1, 0), 1);
	cr_expect_eq(restore_error(&config, fd), -EINVAL, "a disk that was changed");
	config.disks[0].same_contents = true;
	cr_expect_eq(restore_error(&config, fd), 0, "but for a copy");
	close(fd);
}

/* Puts @devices in place of the state's own stream, with the right sums. */
static int with_devices(int fd, const uint8_t *devices, size_t size)
{
	struct statefile file = open_state(fd);
	struct statefile_header header = file.header;
	uint8_t bytes[STATEFILE_HEADER_BYTES], *all;
	int copy = memfd_create("state", MFD_CLOEXEC);
	uint64_t pages = header.devices.offset;

	header.devices.bytes = size;
	statefile_layout(&header);
	header.devices.sum = crc32c(0, devices, size);
	statefile_encode(&header, bytes);
	all = malloc(pages);
	cr_assert_eq(fd_pread_full(fd, all, pages, 0), 0);
	memcpy(all, bytes, sizeof(bytes));
	cr_assert_eq(fd_pwrite_full(copy, all, pages, 0), 0);
	cr_assert_eq(fd_pwrite_full(copy, devices, size, header.devices.offset), 0);
	cr_assert_eq(fd_pwrite_full(copy, file.index, header.index.bytes, header.index.offset), 0);
	statefile_close(&file);
	free(all);
	return copy;
}

static int with_devices_error(const struct vm_config *config, int fd, const uint8_t *devices,
			      size_t size)
{
	int copy = with_devices(fd, devices, size);
	int r = restore_error(config, copy);

	close(copy);
	return r;
}

/* The number stands behind the field's name, the size of an element and their count. */
Test(snapshot, a_state_of_another_board_is_refused)
{
	static const char field[] = "\5board\4\1\0\0";
	struct vm_config config = config_for(disk_new());
	struct statefile file;
	struct rig rig;
	uint8_t *devices, *board;
	int fd;

	log_init("test", LOG_LEVEL_ERROR);
	cr_assert_eq(rig_new(&rig, &config, -1), 0);
	fd = save(&rig);
	rig_free(&rig);
	file = open_state(fd);
	devices = malloc(file.header.devices.bytes);
	memcpy(devices, file.devices, file.header.devices.bytes);
	board = memmem(devices, file.header.devices.bytes, field, sizeof(field));
	cr_assert_not_null(board);
	board += sizeof(field);
	cr_assert_eq(get_le32(board), VM_BOARD);
	cr_expect_eq(with_devices_error(&config, fd, devices, file.header.devices.bytes), 0);
	put_le32(board, VM_BOARD + 1);
	cr_expect_eq(with_devices_error(&config, fd, devices, file.header.devices.bytes), -EINVAL);
	statefile_close(&file);
	free(devices);
	close(fd);
}

Test(snapshot, a_stream_with_right_sums_that_lies_is_refused, .timeout = 120)
{
	struct vm_config config = config_for(disk_new());
	struct statefile file;
	struct rig rig;
	uint8_t *devices;
	size_t size, at;
	unsigned int seed = 1;
	int fd;

	log_init("test", LOG_LEVEL_ERROR);
	cr_assert_eq(rig_new(&rig, &config, -1), 0);
	stir(&rig);
	fd = save(&rig);
	rig_free(&rig);
	file = open_state(fd);
	size = file.header.devices.bytes;
	devices = malloc(2 * size);
	memcpy(devices, file.devices, size);
	at = devices_at(&file);
	cr_expect_eq(with_devices_error(&config, fd, devices, size), 0, "as it was");
	/* Cut short anywhere: the last section is part of what the machine must have. */
	for (size_t cut = 0; cut < size; cut += 1 + size / 60)
		cr_expect_lt(with_devices_error(&config, fd, devices, cut), 0, "%zu bytes", cut);
	/* All devices twice; sections in another order are no lie. */
	memcpy(devices + size, devices + at, size - at);
	cr_expect_lt(with_devices_error(&config, fd, devices, 2 * size - at), 0, "twice");
	memcpy(devices, file.devices + at, size - at);
	memcpy(devices + size - at, file.devices, at);
	cr_expect_eq(with_devices_error(&config, fd, devices, size), 0, "reordered");
	/* A byte anywhere: refused, or a state that is possible; in no case harm. */
	for (unsigned int i = 0; i < 150; i++) {
		memcpy(devices, file.devices, size);
		devices[(size_t)rand_r(&seed) % size] ^= (uint8_t)(1 + rand_r(&seed) % 255);
		(void)with_devices_error(&config, fd, devices, size);
	}
	statefile_close(&file);
	free(devices);
	close(fd);
}
