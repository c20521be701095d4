// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file of a saved machine, whatever is in it: header, index, both forms of pages, and the records of the device
 * stream.
 *
 * An input is a byte of flags, the first bytes of a header, and what follows the header. With flag 1 the sums are put
 * right first, so that what lies behind them is reached; with flag 2 the rest stands where the header says that the
 * device stream is, so that a small input can have large blocks of zeros.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/bytes.h"
#include "../../base/crc32c.h"
#include "../../base/fdio.h"
#include "../../vmm/state/statefile.h"
#include "../../vmm/snapshot_records.h"

#define FILE_BYTES_MAX (1u << 20)
#define HEAD_BYTES 301u /* with two blocks */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The sum of the part whose description is at @at of the header, if it lies in the file. */
static void mend_part(uint8_t *file, size_t size, size_t at)
{
	uint64_t offset = get_le64(file + at), bytes = get_le64(file + at + 8);

	if (offset <= size && bytes <= size - offset)
		put_le32(file + at + 16, crc32c(0, file + offset, bytes));
}

static void mend(uint8_t *file, size_t size)
{
	if (size < STATEFILE_HEADER_BYTES)
		return;
	memcpy(file, "MAINSTAY\1\0\0\0", 12);
	put_le64(file + 161, size);
	mend_part(file, size, 121);
	mend_part(file, size, 141);
	put_le32(file + STATEFILE_HEADER_BYTES - 4, crc32c(0, file, STATEFILE_HEADER_BYTES - 4));
}

static void load_pages(const struct statefile *file)
{
	void *blocks[STATEFILE_BLOCKS_MAX] = { NULL };
	char error[256];

	for (unsigned int i = 0; i < file->header.block_count; i++) {
		if (file->header.blocks[i].bytes <= FILE_BYTES_MAX)
			blocks[i] = calloc(1, file->header.blocks[i].bytes);
	}
	/* Holes of a large block are many reads of nothing; what is loaded is what counts here. */
	if (statefile_pages(&file->header) <= 16384)
		(void)statefile_load(file, blocks, 0, error, sizeof(error));
	for (unsigned int i = 0; i < file->header.block_count; i++)
		free(blocks[i]);
}

static void load_records(const uint8_t *data, size_t size)
{
	static const struct device_class *const classes[] = {
		&machine_record_class,
		&disks_record_class,
		&chips_record_class,
		&vcpu_record_class,
	};
	static union {
		struct device dev;
		struct machine_record machine;
		struct disks_record disks;
		struct chips_record chips;
		struct vcpu_record vcpu;
	} record;
	static struct vcpu_image image;
	char error[256];

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct cursor from = cursor_reader(data, size);

		memset(&record, 0, sizeof(record));
		record.dev.class = classes[i];
		if (state_load(&record.dev, &from, error, sizeof(error)) == 0 &&
		    classes[i] == &vcpu_record_class)
			vcpu_record_read(&record.vcpu, &image);
	}
}

/* The file behind an input; *ret_size of it. */
static uint8_t *make_file(const uint8_t *data, size_t size, size_t *ret_size)
{
	uint8_t flags = data[0];
	size_t head = size - 1 < HEAD_BYTES ? size - 1 : HEAD_BYTES, rest = size - 1 - head;
	uint64_t at = STATEFILE_HEADER_BYTES;
	uint8_t *file;

	if ((flags & 2) && head == HEAD_BYTES)
		at = get_le64(data + 1 + 121);
	if (at < STATEFILE_HEADER_BYTES || at > FILE_BYTES_MAX)
		at = STATEFILE_HEADER_BYTES;
	*ret_size = at + rest;
	file = calloc(1, *ret_size);
	memcpy(file, data + 1, head);
	memcpy(file + at, data + 1 + head, rest);
	if (flags & 1)
		mend(file, *ret_size);
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct statefile file;
	uint8_t *bytes;
	char error[256];
	int fd;

	if (!size)
		return 0;
	load_records(data + 1, size - 1);
	bytes = make_file(data, size, &size);
	fd = memfd_create("state", MFD_CLOEXEC);
	if (fd >= 0 && fd_pwrite_full(fd, bytes, size, 0) == 0 &&
	    statefile_open(&file, fd, error, sizeof(error)) == 0) {
		load_pages(&file);
		load_records(file.devices, file.header.devices.bytes);
		statefile_close(&file);
	}
	close(fd);
	free(bytes);
	return 0;
}
