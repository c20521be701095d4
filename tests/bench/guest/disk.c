// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disk requests of one size from a Linux guest, past its page cache: the program "run" of a guest
 * disk (see tests/guest/init). It is static and needs no library, since the guest has none.
 *
 * It takes lines from the terminal, a letter and a decimal number: that kind of request, that many
 * times one after the other. It answers "done". Reads are of the second partition, writes of the
 * third, both from the start again after some megabytes. By DMA a request is pread() or pwrite()
 * with O_DIRECT; by PIO it is an ATA pass-through command, the one that Linux takes for a disk
 * without DMA.
 */
#include <stddef.h>
#include <stdint.h>

#include "nolibc.h"

#define DISK "/dev/sda"
#define SECTOR 512u
#define READ_START 34816u /* the partitions of tests/guest/make-disk */
#define WRITE_START 51200u
#define AREA_SECTORS 8192u
#define LARGEST 65536u

#define SYS_nanosleep 162
#define SYS_pread64 180
#define SYS_pwrite64 181
#define O_DIRECT 040000
#define HDIO_GET_IDENTITY 0x030d
#define SG_IO 0x2285
#define SG_DXFER_TO_DEV (-2)
#define SG_DXFER_FROM_DEV (-3)

#define ATA_16 0x85
#define PROTOCOL_PIO_IN (4 << 1)
#define PROTOCOL_PIO_OUT (5 << 1)
#define LENGTH_IN_SECTORS 0x06
#define FROM_DEVICE 0x08
#define READ_SECTORS 0x20
#define WRITE_SECTORS 0x30
#define READ_MULTIPLE 0xc4
#define WRITE_MULTIPLE 0xc5

/* struct sg_io_hdr of Linux's scsi/sg.h, on i386 */
struct sg_request {
	int32_t interface, direction;
	uint8_t command_size, sense_size;
	uint16_t iovecs;
	uint32_t size;
	void *data;
	uint8_t *command, *sense;
	uint32_t timeout_ms, flags, pack_id;
	void *user;
	uint8_t status, masked_status, message_status, sense_written;
	uint16_t host_status, driver_status;
	int32_t residual;
	uint32_t duration_ms, info;
};

static uint8_t buffer[LARGEST] __attribute__((aligned(4096)));
static int disk;
static uint8_t multiple; /* sectors of a block of READ MULTIPLE, as a power of two; 0: not in use */

/* Linux uses READ MULTIPLE when the disk says that it is set up for it; so do we. */
static void find_multiple(void)
{
	static uint16_t identity[256];
	uint32_t sectors;

	if (syscall5(SYS_ioctl, (uint32_t)disk, HDIO_GET_IDENTITY, (uint32_t)identity, 0, 0) < 0)
		finish("failed: no identity\n");
	if (!(identity[59] & 0x100))
		return;
	for (sectors = identity[59] & 0xff; sectors > 1; sectors /= 2)
		multiple++;
}

static int transfer_dma(int write, uint32_t lba, uint32_t size)
{
	uint64_t offset = (uint64_t)lba * SECTOR;

	return syscall5(write ? SYS_pwrite64 : SYS_pread64, (uint32_t)disk, (uint32_t)buffer, size,
			(uint32_t)offset, (uint32_t)(offset >> 32)) == (int)size;
}

static int transfer_pio(int write, uint32_t lba, uint32_t size)
{
	uint8_t sense[32], command[16] = { ATA_16 };
	struct sg_request request = {
		.interface = 'S',
		.direction = write ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV,
		.command_size = sizeof(command),
		.sense_size = sizeof(sense),
		.size = size,
		.data = buffer,
		.command = command,
		.sense = sense,
		.timeout_ms = 20000,
	};

	command[1] = (uint8_t)((write ? PROTOCOL_PIO_OUT : PROTOCOL_PIO_IN) | multiple << 5);
	command[2] = (uint8_t)(LENGTH_IN_SECTORS | (write ? 0 : FROM_DEVICE));
	command[6] = (uint8_t)(size / SECTOR);
	command[8] = (uint8_t)lba;
	command[10] = (uint8_t)(lba >> 8);
	command[12] = (uint8_t)(lba >> 16);
	command[13] = (uint8_t)(0x40 | lba >> 24);
	if (multiple)
		command[14] = write ? WRITE_MULTIPLE : READ_MULTIPLE;
	else
		command[14] = write ? WRITE_SECTORS : READ_SECTORS;
	if (syscall5(SYS_ioctl, (uint32_t)disk, SG_IO, (uint32_t)&request, 0, 0) < 0)
		return 0;
	return !request.status && !request.host_status && !request.driver_status &&
	       !request.residual;
}

static const struct kind {
	char letter;
	int write;
	uint32_t size;
	int (*transfer)(int write, uint32_t lba, uint32_t size);
} kinds[] = {
	{ 'a', 0, 4096, transfer_dma },	 { 'b', 1, 4096, transfer_dma },
	{ 'c', 0, 65536, transfer_dma }, { 'd', 1, 65536, transfer_dma },
	{ 'e', 0, 4096, transfer_pio },	 { 'f', 1, 4096, transfer_pio },
	{ 'g', 0, 65536, transfer_pio }, { 'h', 1, 65536, transfer_pio },
};

/* Memory changes at 20 MB/s: 50 pages every 10 ms, one after the other through 16 MiB, for @count tenths of a second. */
#define PAGES_PER_STEP 50
#define MEMORY_PAGES 4096

static const char *dirty_memory(uint32_t count)
{
	static volatile uint8_t memory[MEMORY_PAGES * 4096];
	static const uint32_t pause[2] = { 0, 10000000 };
	uint32_t page = 0;

	for (uint32_t step = 0; step < count * 10; step++) {
		for (uint32_t i = 0; i < PAGES_PER_STEP; i++, page = (page + 1) % MEMORY_PAGES)
			memory[page * 4096]++;
		syscall5(SYS_nanosleep, (uint32_t)(uintptr_t)pause, 0, 0, 0, 0);
	}
	return "done\n";
}

static const char *carry_out(const struct kind *kind, uint32_t count)
{
	uint32_t start = kind->write ? WRITE_START : READ_START;
	uint32_t sectors = kind->size / SECTOR;

	for (uint32_t i = 0; i < count; i++) {
		if (!kind->transfer(kind->write, start + i * sectors % AREA_SECTORS, kind->size))
			return "failed: a disk request\n";
	}
	return "done\n";
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
	disk = syscall5(SYS_open, (uint32_t)DISK, O_RDWR | O_DIRECT, 0, 0, 0);
	if (disk < 0)
		finish("failed: " DISK " cannot be opened\n");
	find_multiple();
	/* A sparse image gets its blocks now, not while it is measured. */
	for (uint32_t lba = 0; lba < AREA_SECTORS; lba += LARGEST / SECTOR) {
		if (!transfer_dma(1, WRITE_START + lba, LARGEST))
			finish("failed: the third partition cannot be written\n");
	}
	print("bench: ready\n");
	for (;;) {
		const char *answer = "failed: no such kind\n";
		uint32_t count;
		char letter = next_command(&count);

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (kinds[i].letter == letter)
				answer = carry_out(&kinds[i], count);
		}
		if (letter == 'm')
			answer = dirty_memory(count);
		print(answer);
	}
}
