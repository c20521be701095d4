// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving in the middle of what takes a device several steps. Each script below is played to a whole machine (without a
 * processor) once untouched, and then again and again: after its first step, its second and so on the machine
 * is saved, ended, and another one goes on from the state. Whatever the ports answer, the memory, the disk and the devices'
 * state in the end must be the same each time.
 *
 * A script's lines, numbers in hexadecimal but for the last:
 *
 *	o1|o2|o4 PORT VALUE [*TIMES]	writes VALUE, then VALUE + 301h ...
 *	i1|i2|i4 PORT [*TIMES]		reads
 *	r PORT MASK VALUE		polls every 50 microseconds until the byte under MASK is VALUE
 *	w NANOSECONDS			time passes
 *	m ADDRESS VALUE			writes a dword of memory
 *
 * Of long scripts the machine is saved after the first accesses, the last and some others; after all of them with
 * MIDWAY_ALL=1 in the environment (make soak).
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/crc32c.h"
#include "../../base/fdio.h"
#include "../../devmodel/dma.h"
#include "../../devmodel/io.h"
#include "../../vmm/config.h"
#include "../../vmm/loop.h"
#include "../../vmm/machine.h"
#include "../../vmm/sandbox.h"
#include "../../vmm/save.h"
#include "../../vmm/state/statefile.h"

#define FIRMWARE "/usr/share/seabios/bios-256k.bin"
#define MEMORY_BYTES MIB(4)
#define POLLS_MAX 20000

/* The loop has a thread of its own, as in the machine's process; the test asks it to do things. */
struct rig {
	struct loop *loop;
	struct vm_config config;
	struct machine *machine;
	pthread_t thread;
	struct loop_post post;
	void (*act)(struct rig *rig);
	sem_t acted, held;
	/* What an action takes and gives. */
	uint16_t port;
	unsigned int size;
	uint32_t value;
	uint64_t to_ns;
	bool done;
	int fd;
};

/* Which run this is, and what came of it. */
struct run {
	int disk, floppy, cd;
	unsigned int save_at; /* after so many accesses; 0: never */
	unsigned int done;    /* accesses */
	bool saved;
	uint32_t answers; /* sum of all that was read */
	uint32_t memory, files;
	uint8_t *devices;
	size_t devices_bytes;
};

/* The time of day stands still, or no two runs would end alike. */
static bool time_stands;

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	if (clock != CLOCK_REALTIME || !time_stands)
		return (int)syscall(SYS_clock_gettime, clock, ret_now);
	*ret_now = (struct timespec){ .tv_sec = 1000000000 };
	return 0;
}

/* --- a machine */

static int file_of(size_t bytes)
{
	int fd = memfd_create("medium", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t sector[128];

		for (uint32_t j = 0; j < 128; j++)
			sector[j] = (i << 16 | j) * 2654435761u;
		cr_assert_eq(pwrite(fd, sector, sizeof(sector), i * 512), 512);
	}
	return fd;
}

static struct vm_config describe(const struct run *run)
{
	static const char text[] =
		"{ \"protocol\": 1, \"name\": \"nt4\","
		"\"uuid\": \"01020300-0000-0000-0000-000000000000\", \"board\": 1,"
		"\"vram_bytes\": 1048576, \"memory_bytes\": 4194304, \"cpus\": 1, \"cpu\": "
		"\"nt4\", \"kvm_fd\": 0,"
		"\"firmware_fd\": 1, \"disks\": [ { \"slot\": 0, \"format\": \"raw\", \"disk_fd\": "
		"2,"
		"\"read_only\": false, \"name\": \"disk.img\" } ],"
		"\"floppies\": [ { \"drive\": 0, \"kind\": \"1.44M\", \"medium\": { \"format\": "
		"\"raw\","
		"\"disk_fd\": 3, \"read_only\": false, \"name\": \"floppy.img\" } } ],"
		"\"cdroms\": [ { \"slot\": 2, \"medium\": { \"format\": \"raw\", \"disk_fd\": 4,"
		"\"read_only\": true, \"name\": \"cd.img\" } } ],"
		"\"nics\": [ { \"slot\": 0, \"model\": \"21140\", \"mac\": \"02:00:00:00:00:01\","
		"\"plug_fd\": 5 } ] }";
	int fds[6] = { open("/dev/null", O_RDWR | O_CLOEXEC), open(FIRMWARE, O_RDONLY | O_CLOEXEC),
		       dup(run->disk), dup(run->floppy), dup(run->cd) };
	int pair[2];
	struct vm_config config;
	char error[256];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	fds[5] = pair[0];
	close(pair[1]);
	cr_assert_eq(vm_config_parse(text, strlen(text), fds, 6, &config, error, sizeof(error)), 0,
		     "%s", error);
	close(config.kvm_fd);
	config.kvm_fd = -1;
	strcpy(config.restore.name, "nt4.state");
	return config;
}

static void *run_loop(void *opaque)
{
	struct rig *rig = opaque;

	loop_run(rig->loop);
	machine_free(rig->machine);
	loop_free(rig->loop);
	return NULL;
}

static void act_posted(struct loop_post *post)
{
	struct rig *rig = container_of(post, struct rig, post);

	rig->act(rig);
	sem_post(&rig->acted);
}

/* @what is called with the lock by the loop's thread. */
static void act(struct rig *rig, void (*what)(struct rig *rig))
{
	rig->act = what;
	loop_post(rig->loop, &rig->post);
	while (sem_wait(&rig->acted) < 0)
		;
}

static void act_resume(struct rig *rig)
{
	machine_resume(rig->machine);
}

static void rig_new(struct rig *rig, const struct run *run, int state_fd)
{
	memset(rig, 0, sizeof(*rig));
	rig->post.run = act_posted;
	sem_init(&rig->acted, 0, 0);
	sem_init(&rig->held, 0, 0);
	rig->config = describe(run);
	rig->config.restore.fd = state_fd;
	rig->config.restore.verify = true;
	rig->config.rtc_frozen = true;
	cr_assert_eq(loop_new(&rig->loop), 0);
	sandbox_warm_up();
	cr_assert_eq(machine_new(rig->loop, &rig->config, &rig->machine), 0);
	cr_assert_eq(machine_leave_state(rig->machine), 0);
	cr_assert_eq(machine_start(rig->machine), 0);
	cr_assert_eq(pthread_create(&rig->thread, NULL, run_loop, rig), 0);
	act(rig, act_resume);
}

static void act_quit(struct rig *rig)
{
	loop_quit(rig->loop, 0);
}

static void rig_free(struct rig *rig)
{
	act(rig, act_quit);
	pthread_join(rig->thread, NULL);
	close(rig->config.firmware_fd);
}

static void act_look(struct rig *rig)
{
	rig->done = !machine_disks_busy(rig->machine);
}

/* Until the disks have done what they were asked for. */
static void settle_disks(struct rig *rig)
{
	for (act(rig, act_look); !rig->done; act(rig, act_look))
		usleep(20);
}

static void save_done(void *opaque, const struct save_result *result)
{
	struct rig *rig = opaque;

	rig->done = result->error == 0;
	sem_post(&rig->held);
}

static void act_save(struct rig *rig)
{
	char error[256];

	rig->done = save_start(rig->machine, dup(rig->fd), false, save_done, rig, error,
			       sizeof(error)) == 0;
}

static int save(struct rig *rig)
{
	rig->fd = memfd_create("state", MFD_CLOEXEC);
	act(rig, act_save);
	cr_assert(rig->done);
	while (sem_wait(&rig->held) < 0)
		;
	cr_assert(rig->done);
	return rig->fd;
}

/* --- playing */

static void act_pass(struct rig *rig)
{
	rig->done = machine_step(rig->machine, rig->to_ns) && !machine_disks_busy(rig->machine);
}

static void act_measure(struct rig *rig)
{
	rig->to_ns = machine_clock_ns(rig->machine);
}

static void pass(struct rig *rig, uint64_t ns)
{
	act(rig, act_measure);
	rig->to_ns += ns;
	do {
		settle_disks(rig);
		act(rig, act_pass);
	} while (!rig->done);
}

static void act_in(struct rig *rig)
{
	rig->value = io_port_read(machine_io(rig->machine), rig->port, rig->size);
	machine_settle(rig->machine);
}

static uint32_t in(struct rig *rig, uint16_t port, unsigned int size)
{
	rig->port = port;
	rig->size = size;
	act(rig, act_in);
	return rig->value;
}

static void act_out(struct rig *rig)
{
	io_port_write(machine_io(rig->machine), rig->port, rig->size, rig->value);
	machine_settle(rig->machine);
}

static void out(struct rig *rig, uint16_t port, unsigned int size, uint32_t value)
{
	rig->port = port;
	rig->size = size;
	rig->value = value;
	act(rig, act_out);
}

static void act_write(struct rig *rig)
{
	uint8_t bytes[4];

	put_le32(bytes, rig->value);
	rig->done = dma_write(machine_dma(rig->machine), (uint32_t)rig->to_ns, bytes, 4) == 0;
}

/* An access is over. What it has asked of a disk may still be under way when the machine is saved. */
static void accessed(struct rig *rig, struct run *run)
{
	if (++run->done == run->save_at) {
		int fd = save(rig);

		rig_free(rig);
		rig_new(rig, run, fd);
		run->saved = true;
	}
	settle_disks(rig);
}

static void answered(struct run *run, uint32_t value)
{
	uint8_t bytes[4];

	put_le32(bytes, value);
	run->answers = crc32c(run->answers, bytes, sizeof(bytes));
}

static void play_ready(struct rig *rig, struct run *run, unsigned int port, unsigned int mask,
		       unsigned int value)
{
	for (unsigned int i = 0; i < POLLS_MAX; i++) {
		if ((in(rig, (uint16_t)port, 1) & mask) == value) {
			accessed(rig, run);
			return;
		}
		pass(rig, 50000);
	}
	cr_assert_fail("port %x does not become %x after access %u; it is %x", port, value,
		       run->done, in(rig, (uint16_t)port, 1));
}

static void play_line(struct rig *rig, struct run *run, const char *line)
{
	unsigned int size, port, value, mask, times = 1;
	unsigned long ns;

	if (sscanf(line, "o%1u %x %x *%u", &size, &port, &value, &times) >= 3) {
		for (unsigned int i = 0; i < times; i++) {
			out(rig, (uint16_t)port, size, value + i * 0x301);
			accessed(rig, run);
		}
	} else if (sscanf(line, "i%1u %x *%u", &size, &port, &times) >= 2) {
		for (unsigned int i = 0; i < times; i++) {
			answered(run, in(rig, (uint16_t)port, size));
			accessed(rig, run);
		}
	} else if (sscanf(line, "r %x %x %x", &port, &mask, &value) == 3) {
		play_ready(rig, run, port, mask, value);
	} else if (sscanf(line, "w %lu", &ns) == 1) {
		pass(rig, ns);
		accessed(rig, run);
	} else if (sscanf(line, "m %x %x", &port, &value) == 2) {
		rig->to_ns = port;
		rig->value = value;
		act(rig, act_write);
		cr_assert(rig->done);
		accessed(rig, run);
	} else {
		cr_assert_fail("%s: what is that?", line);
	}
}

static uint32_t sum_of(int fd, uint64_t offset, size_t bytes, uint32_t sum)
{
	uint8_t *data = malloc(bytes);

	cr_assert_eq(fd_pread_full(fd, data, bytes, offset), 0);
	sum = crc32c(sum, data, bytes);
	free(data);
	return sum;
}

/* The devices' part of the stream; what is before it knows the time of day. */
static void keep_devices(struct run *run, const struct statefile *file)
{
	size_t at = 0;

	while (at < file->header.devices.bytes) {
		const uint8_t *p = file->devices + at;

		if (p[0] > 7 && !memcmp(p + 1, "device/", 7))
			break;
		at += 1u + p[0] + 4 + get_le32(p + 1 + p[0]);
	}
	run->devices_bytes = file->header.devices.bytes - at;
	run->devices = malloc(run->devices_bytes);
	memcpy(run->devices, file->devices + at, run->devices_bytes);
}

static void play(struct run *run, const char *const *script, unsigned int save_at)
{
	struct statefile file;
	char error[256];
	struct rig rig;
	int fd;

	*run = (struct run){ file_of(MIB(1)), file_of(1474560), file_of(MIB(1)),
			     .save_at = save_at };
	rig_new(&rig, run, -1);
	for (; *script; script++)
		play_line(&rig, run, *script);
	fd = save(&rig);
	cr_assert_eq(statefile_open(&file, fd, error, sizeof(error)), 0, "%s", error);
	keep_devices(run, &file);
	run->memory = sum_of(fd, file.header.blocks[0].offset, MEMORY_BYTES, 0);
	run->files = sum_of(run->floppy, 0, 1474560, sum_of(run->disk, 0, MIB(1), 0));
	statefile_close(&file);
	close(fd);
	rig_free(&rig);
	close(run->disk);
	close(run->floppy);
	close(run->cd);
}

/* Where the two streams part: the section and what is there. */
static void compare_devices(const struct run *whole, const struct run *cut)
{
	const uint8_t *a = whole->devices, *b = cut->devices;
	size_t at = 0;

	cr_assert_eq(whole->devices_bytes, cut->devices_bytes);
	while (at < whole->devices_bytes) {
		size_t length = 1u + a[at] + 4 + get_le32(a + at + 1 + a[at]);

		cr_assert_eq(memcmp(a + at, b + at, length), 0,
			     "saved after access %u: %.*s ends up otherwise", cut->save_at,
			     (int)a[at], (const char *)a + at + 1);
		at += length;
	}
}

/* The first, the last, and some between. */
static bool is_interesting(unsigned int access, unsigned int count)
{
	return count <= 30 || getenv("MIDWAY_ALL") || access <= 8 || access + 3 >= count ||
	       access % (count / 25 + 1) == 0;
}

static void try_script(const char *const *script)
{
	struct run whole, cut;

	time_stands = true;
	play(&whole, script, 0);
	for (unsigned int i = 1; i <= whole.done; i++) {
		if (!is_interesting(i, whole.done))
			continue;
		play(&cut, script, i);
		cr_assert(cut.saved);
		cr_assert_eq(cut.done, whole.done);
		cr_assert_eq(cut.answers, whole.answers,
			     "saved after access %u: the ports answer otherwise", i);
		cr_assert_eq(cut.memory, whole.memory, "saved after access %u: memory", i);
		cr_assert_eq(cut.files, whole.files, "saved after access %u: disks", i);
		compare_devices(&whole, &cut);
		free(cut.devices);
	}
	free(whole.devices);
}

/* --- scripts */

#define SCRIPT(name, ...)                                                                          \
	Test(midway, name, .timeout = 120)                                                         \
	{                                                                                          \
		static const char *const lines[] = { __VA_ARGS__, NULL };                          \
		try_script(lines);                                                                 \
	}

#define ENABLE_DISKS                                                                               \
	"o4 cf8 80000920", "o4 cfc c001", "o4 cf8 80000940", "o4 cfc 80008000", "o4 cf8 80000904", \
		"o2 cfc 5"
SCRIPT(disk_read_by_pio, ENABLE_DISKS, "o1 1f6 e0", "o1 1f2 2", "o1 1f3 5", "o1 1f4 0", "o1 1f5 0",
       "o1 1f7 20", "r 1f7 88 8", "i2 1f0 *256", "r 1f7 88 8", "i2 1f0 *256", "i1 1f7", "i1 1f1")

SCRIPT(disk_write_multiple_by_pio, ENABLE_DISKS, "o1 1f6 e0", "o1 1f2 4", "o1 1f7 c6",
       "r 1f7 c0 40", "o1 1f2 6", "o1 1f3 9", "o1 1f4 0", "o1 1f5 0", "o1 1f7 c5", "r 1f7 88 8",
       "o2 1f0 1234 *1024", "r 1f7 88 8", "o2 1f0 4321 *512", "r 1f7 88 0", "i1 1f1", "o1 1f7 e7",
       "r 1f7 88 0", "i1 1f7")

SCRIPT(disk_by_bus_master, ENABLE_DISKS, "m 10000 20000", "m 10004 200", "m 10008 20800",
       "m 1000c 80000600", "o4 c004 10000", "o1 c002 6", "o1 c000 8", "o1 1f6 e0", "o1 1f2 4",
       "o1 1f3 3", "o1 1f4 0", "o1 1f5 0", "o1 1f7 c8", "o1 c000 9", "r c002 5 4", "i1 c002",
       "i1 1f7", "o1 c000 0", "o1 c002 6", "o4 c004 10000", "o1 1f2 4", "o1 1f3 28", "o1 1f7 ca",
       "o1 c000 1", "r c002 5 4", "i1 1f7", "o1 c000 0")

SCRIPT(cd_packets, ENABLE_DISKS, "o1 176 a0", "o1 177 a1", "r 177 88 8", "i2 170 *256", "o1 171 0",
       "o1 174 0", "o1 175 8", "o1 177 a0", "r 177 88 8", "o2 170 0", "o2 170 0", "o2 170 0",
       "o2 170 0", "o2 170 0", "o2 170 0", "r 177 80 0", "i1 177", "i1 171", "o1 174 0", "o1 175 8",
       "o1 177 a0", "r 177 88 8", "o2 170 3", "o2 170 0", "o2 170 12", "o2 170 0", "o2 170 0",
       "o2 170 0", "r 177 88 8", "i1 172", "i2 170 *9", "r 177 80 0", "o1 174 0", "o1 175 8",
       "o1 177 a0", "r 177 88 8", "o2 170 28", "o2 170 0", "o2 170 100", "o2 170 0", "o2 170 2",
       "o2 170 0", "r 177 88 8", "i1 174", "i1 175", "i2 170 *1024", "r 177 88 8", "i2 170 *1024",
       "r 177 88 0", "i1 177")

#define FLOPPY_READY "r 3f4 c0 80"
#define FLOPPY_ANSWER "r 3f4 c0 c0", "i1 3f5"
SCRIPT(floppy_commands, "o1 3f2 0", "w 5000", "o1 3f2 1c", "w 3000000", FLOPPY_READY, "o1 3f5 8",
       FLOPPY_ANSWER, FLOPPY_ANSWER, FLOPPY_READY, "o1 3f5 3", FLOPPY_READY, "o1 3f5 df",
       FLOPPY_READY, "o1 3f5 2", "o1 3f7 0", FLOPPY_READY, "o1 3f5 7", FLOPPY_READY, "o1 3f5 0",
       "w 400000000", "i1 3f4", "o1 3f5 8", FLOPPY_ANSWER, FLOPPY_ANSWER, FLOPPY_READY, "o1 3f5 f",
       FLOPPY_READY, "o1 3f5 0", FLOPPY_READY, "o1 3f5 1", "w 5000000", "w 20000000", FLOPPY_READY,
       "o1 3f5 8", FLOPPY_ANSWER, FLOPPY_ANSWER)

#define DMA_TO_MEMORY                                                                              \
	"o1 d6 c0", "o1 d4 0", "o1 a 6", "o1 c 0", "o1 b 46", "o1 4 0", "o1 4 0", "o1 81 2",       \
		"o1 5 ff", "o1 5 3", "o1 a 2"
#define DMA_FROM_MEMORY                                                                            \
	"o1 d6 c0", "o1 d4 0", "o1 a 6", "o1 c 0", "o1 b 4a", "o1 4 0", "o1 4 0", "o1 81 2",       \
		"o1 5 ff", "o1 5 3", "o1 a 2"
#define FLOPPY_NINE(command)                                                                       \
	FLOPPY_READY, "o1 3f5 " command, FLOPPY_READY, "o1 3f5 0", FLOPPY_READY, "o1 3f5 0",       \
		FLOPPY_READY, "o1 3f5 0", FLOPPY_READY, "o1 3f5 3", FLOPPY_READY, "o1 3f5 2",      \
		FLOPPY_READY, "o1 3f5 12", FLOPPY_READY, "o1 3f5 1b", FLOPPY_READY, "o1 3f5 ff"
#define FLOPPY_SEVEN                                                                               \
	FLOPPY_ANSWER, FLOPPY_ANSWER, FLOPPY_ANSWER, FLOPPY_ANSWER, FLOPPY_ANSWER, FLOPPY_ANSWER,  \
		FLOPPY_ANSWER
#define FLOPPY_WAKE "o1 3f2 0", "w 5000", "o1 3f2 1c", "w 3000000", "o1 3f7 0"
SCRIPT(floppy_read_and_write_by_dma, FLOPPY_WAKE, DMA_TO_MEMORY, FLOPPY_NINE("46"), "w 1000000",
       "w 20000000", "w 100000000", FLOPPY_SEVEN, DMA_FROM_MEMORY, FLOPPY_NINE("45"), "w 1000000",
       "w 30000000", FLOPPY_SEVEN)

SCRIPT(dma_controller_halves, "o1 c 0", "o1 2 34", "o1 2 12", "o1 3 78", "o1 3 56", "o1 c 0",
       "i1 2", "i1 2", "i1 3", "i1 3", "o1 83 7", "i1 83", "o1 b 49", "o1 9 5", "i1 8", "o1 d8 0",
       "o1 c4 11", "o1 c4 22", "o1 d8 0", "i1 c4", "i1 c4")

SCRIPT(serial_fifo_in_loopback, "o1 3fb 83", "o1 3f8 c", "o1 3f9 0", "o1 3fb 3", "o1 3fa 7",
       "o1 3fc 1b", "o1 3f9 f", "o1 3f8 41 *12", "i1 3fa", "w 1000000", "i1 3fd", "i1 3fa",
       "w 4000000", "i1 3f8", "i1 3f8", "i1 3fd", "w 20000000", "i1 3fa", "i1 3f8", "o1 3f8 7a",
       "w 100000", "i1 3fd", "i1 3f8 *9", "w 2000000", "i1 3f8", "i1 3fd", "i1 3fa", "o1 3fc 14",
       "i1 3fe", "i1 3fe")

SCRIPT(clock_updates, "o1 70 a", "i1 71", "o1 70 b", "o1 71 12", "o1 70 c", "i1 71", "w 998000000",
       "o1 70 a", "i1 71", "w 1500000", "i1 71", "o1 70 c", "i1 71", "w 700000", "i1 71", "o1 70 a",
       "o1 71 26", "o1 70 b", "o1 71 42", "o1 70 c", "w 500000", "i1 71", "w 700000", "i1 71",
       "w 976563", "i1 71", "o1 70 b", "o1 71 82", "o1 70 0", "o1 71 59", "o1 70 2", "o1 71 59",
       "o1 70 4", "o1 71 23", "o1 70 b", "o1 71 2", "w 300000000", "o1 70 0", "i1 71",
       "w 800000000", "i1 71", "o1 70 4", "i1 71")

SCRIPT(keyboard_and_mouse, "o1 64 20", "i1 60", "o1 64 60", "o1 60 47", "o1 64 aa", "i1 64",
       "i1 60", "o1 60 ed", "w 2000000", "i1 64", "i1 60", "o1 60 5", "w 2000000", "i1 60",
       "o1 60 f3", "w 2000000", "i1 60", "o1 60 20", "w 2000000", "i1 60", "o1 60 f2", "w 3000000",
       "i1 64", "i1 60", "w 2000000", "i1 60", "w 2000000", "i1 60", "o1 64 d4", "o1 60 f3",
       "w 3000000", "i1 64", "i1 60", "o1 64 d4", "o1 60 c8", "w 3000000", "i1 60", "o1 64 d4",
       "o1 60 f3", "w 3000000", "i1 60", "o1 64 d4", "o1 60 64", "w 3000000", "i1 60", "o1 64 d4",
       "o1 60 f3", "w 3000000", "i1 60", "o1 64 d4", "o1 60 50", "w 3000000", "i1 60", "o1 64 d4",
       "o1 60 f2", "w 3000000", "i1 60", "w 3000000", "i1 60", "o1 64 d1", "o1 60 df", "i1 64")

SCRIPT(display_registers, "i1 3da", "o1 3c0 10", "o1 3c0 41", "o1 3c0 11", "i1 3c1", "i1 3da",
       "o1 3c0 20", "o1 3c8 7", "o1 3c9 11", "o1 3c9 22", "o1 3c9 33", "o1 3c9 3a", "o1 3c7 7",
       "i1 3c9", "i1 3c9", "i1 3c9", "o1 3c4 2", "o1 3c5 f", "o1 3ce 4", "o1 3cf 2", "i1 3cf",
       "o1 3d4 38", "o1 3d5 48", "o1 3d4 39", "o1 3d5 a5", "o1 3d4 35", "i1 3d5", "i1 3ba",
       "i1 3da", "w 5000000", "i1 3da")

SCRIPT(display_engine_with_data_from_the_processor, "o1 3c3 1", "o1 3c2 63", "o1 3d4 38",
       "o1 3d5 48", "o1 3d4 39", "o1 3d5 a5", "o1 3d4 40", "o1 3d5 1", "o1 3d4 31", "o1 3d5 8",
       "o2 4ae8 1", "o2 a6e8 12", "o2 aae8 ff", "o2 bae8 47", "o2 b6e8 7", "o2 bee8 a000",
       "o2 82e8 5", "o2 86e8 3", "o2 96e8 f", "o2 bee8 3", "o2 9ae8 53b1", "i2 9ae8",
       "o2 e2e8 1234 *40", "i2 9ae8", "o2 86e8 3", "o2 82e8 40", "o2 96e8 1f", "o2 bee8 f",
       "o2 9ae8 40f1", "i2 9ae8", "i2 82e8", "i2 86e8")

#define SROM_BIT(value) "o4 d048 " value "1", "o4 d048 " value "3", "i4 d048", "o4 d048 " value "1"
SCRIPT(network_adapter_eeprom_and_phy, "o4 cf8 80001810", "o4 cfc d001", "o4 cf8 80001804",
       "o2 cfc 5", "o4 d000 1", "w 1000000", "o4 d048 4800", SROM_BIT("480"), "o4 d048 4805",
       "o4 d048 4807", "o4 d048 4805", "o4 d048 4805", "o4 d048 4807", "o4 d048 4805",
       SROM_BIT("480"), SROM_BIT("480"), SROM_BIT("480"), SROM_BIT("480"), SROM_BIT("480"),
       SROM_BIT("480"), SROM_BIT("480"), SROM_BIT("480"), SROM_BIT("480"), SROM_BIT("480"),
       "o4 d048 4800", "o4 d048 22000", "o4 d048 32000", "o4 d048 22000", "o4 d048 32000",
       "o4 d048 0", "o4 d048 10000", "i4 d048", "o4 d058 10064", "w 5000000", "i4 d058", "i4 d028",
       "o4 d030 2002", "i4 d028")

SCRIPT(configuration_and_small_chips, "o4 cf8 80000058", "o1 cfc 0", "o1 cfd 33", "o2 cfe 3333",
       "i4 cfc", "o1 cf8 5", "i4 cf8", "o1 378 41", "o1 37a d", "i1 379", "o1 37a c", "i1 379",
       "o1 61 3", "i1 61", "o1 92 2", "i1 92", "o4 cf8 80000b40", "o4 cfc 601", "o4 cf8 80000b80",
       "o1 cfc 1", "i4 608", "w 1000000", "i4 608", "o2 602 1", "w 2400000000", "i2 600",
       "o2 600 1", "i2 600", "o2 510 5", "i1 511 *4", "o2 510 19", "i1 511 *12")
