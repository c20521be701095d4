// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile image files: opened, read, mapped, written to, examined, repaired, alone and as a chain.
 *
 * An input's first two bytes say what is done, the rest is the file; a chain's parent is the same
 * file under another name, with its id made fit. Checksums are put right on demand, since a fuzzer
 * does not find them. Bounds: a file grows to at most 8 MiB, memory by what vhd.h and vhd_check.h
 * state (the runner's limit), and each input ends by the runner's time-out.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bytes.h"
#include "../../vhd/image.h"
#include "../lib/vhd_lab.h"

#define FILE_BYTES_MAX MIB(8)
#define DATA_BYTES 65536u
#define RANGES 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum mode {
	MODE_SEAL_FOOTERS = 0x01,
	MODE_SEAL_HEADER = 0x02,
	MODE_CHAIN = 0x04,
	MODE_ACCEPT = 0x08,
	MODE_RAW_PARENT = 0x10,
	MODE_BY_CHS = 0x20,
	MODE_DROP_LOST = 0x40,
	MODE_SHORT_TRANSFERS = 0x80,
};

static uint8_t buffer[DATA_BYTES];

static void load(struct lab_file *lab, const uint8_t *data, size_t size, uint8_t mode)
{
	struct iovec iov = { (void *)(uintptr_t)data, size };

	lab_init(lab, size);
	lab->most_bytes = FILE_BYTES_MAX;
	if (size)
		lab->io.ops->pwritev(&lab->io, &iov, 1, 0);
	lab_settle(lab);
	lab->short_transfers = mode & MODE_SHORT_TRANSFERS ? 3 : 0;
	lab->no_holes = size % 2;
}

static void put_sum(uint8_t *raw, size_t size, size_t at)
{
	put_be32(raw + at, vhd_checksum(raw, size, at));
}

static void seal(struct lab_bytes *file, uint8_t mode)
{
	uint64_t header;

	if (file->size < 512)
		return;
	if (mode & MODE_SEAL_FOOTERS) {
		put_sum(file->data, 512, FOOTER_CHECKSUM);
		put_sum(file->data + file->size - 512, 512, FOOTER_CHECKSUM);
	}
	header = get_be64(file->data + file->size - 512 + FOOTER_DATA_OFFSET);
	if (mode & MODE_SEAL_HEADER && file->size >= 1024 && header <= file->size - 1024)
		put_sum(file->data + header, 1024, HEADER_CHECKSUM);
}

/* The parent gets the id that the child asks for. */
static void adopt(struct lab_bytes *child, struct lab_bytes *parent)
{
	uint64_t header = get_be64(child->data + child->size - 512 + FOOTER_DATA_OFFSET);
	static const uint8_t fixed_type[4] = { 0, 0, 0, VHD_DYNAMIC };
	uint8_t *footers[2] = { parent->data, parent->data + parent->size - 512 };

	if (child->size < 1024 || header > child->size - 1024)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		memcpy(footers[i] + FOOTER_ID, child->data + header + HEADER_PARENT_ID, 16);
		memcpy(footers[i] + FOOTER_TYPE, fixed_type, 4);
		put_sum(footers[i], 512, FOOTER_CHECKSUM);
	}
}

/* Places all over the disk: its ends, block boundaries, others. */
static uint64_t place(const struct vhd *v, unsigned int n, uint64_t *seed)
{
	uint64_t size = vhd_size_bytes(v);

	if (!size)
		return 0;
	if (n < 4)
		return n * 4096 % size;
	if (n < 8)
		return size - min_u64(size, n * 3000);
	return ((uint64_t)lab_random(seed) << 31 | lab_random(seed)) % size;
}

static void read_some(struct vhd *v)
{
	uint64_t seed = 1, size = vhd_size_bytes(v);

	for (unsigned int n = 0; n < RANGES; n++) {
		uint64_t at = place(v, n, &seed);
		struct iovec iov = { buffer, (size_t)min_u64(DATA_BYTES, size - at) };
		struct vhd_extent extent;

		vhd_read(v, at, &iov, 1);
		vhd_read_below(v, 1, at, &iov, 1);
		if (at < size && vhd_map(v, 0, at, min_u64(size - at, MIB(64)), &extent) == 0 &&
		    (!extent.bytes || extent.bytes > size - at))
			abort();
	}
}

static void write_some(struct vhd *v)
{
	uint64_t seed = 2, size = vhd_size_bytes(v);

	for (unsigned int n = 0; n < RANGES; n++) {
		uint64_t at = place(v, n, &seed);
		uint64_t bytes = min_u64(1 + lab_random(&seed) % 9000, size - at);
		struct iovec iov = { buffer, (size_t)bytes };

		memset(buffer, (int)n + 1, sizeof(buffer));
		switch (n % 5) {
		case 0:
			vhd_write_zeroes(v, at, bytes);
			break;
		case 1:
			vhd_discard(v, at, bytes);
			break;
		case 2:
			vhd_flush(v);
			break;
		default:
			/* What was taken can be read again, if blocks do not overlap. */
			if (vhd_write(v, at, &iov, 1) < 0)
				break;
			memset(buffer, 0, (size_t)bytes);
			if (at / 4096 == (at + bytes) / 4096 && vhd_read(v, at, &iov, 1) == 0 &&
			    (buffer[0] != n + 1 || buffer[bytes - 1] != n + 1))
				abort();
		}
	}
	vhd_finish(v);
}

static void open_and_use(const struct vhd_file *files, unsigned int count, uint8_t mode)
{
	char error[VHD_ERROR_BYTES];
	struct vhd_open_options options = {
		.read_only = true,
		.size_rule = mode & MODE_BY_CHS ? VHD_SIZE_CHS : VHD_SIZE_BY_CREATOR,
		.accept = mode & MODE_ACCEPT ? VHD_ACCEPT_PARENT_ID | VHD_ACCEPT_PARENT_SIZE : 0,
		.cache_bytes = mode & MODE_BY_CHS ? 8192 : 0,
	};
	struct vhd_info info;
	struct vhd *v;

	if (vhd_open(files, count, &options, &v, error, sizeof(error)) == 0) {
		vhd_get_info(v, &info);
		read_some(v);
		vhd_free(v);
	}
	options.read_only = false;
	if (vhd_open(files, count, &options, &v, error, sizeof(error)) == 0) {
		write_some(v);
		vhd_set_saved_state(v, true);
		vhd_free(v);
	}
}

/* What is mended has no error any more that a repair could mend. */
static void examine_and_mend(struct lab_file *lab, const struct vhd_file *file, uint8_t mode)
{
	const struct vhd_check_options check = { .deep = true };
	const struct vhd_repair_options repair = { .drop_lost = mode & MODE_DROP_LOST };
	static struct vhd_locator locators[VHD_LOCATORS_MAX];
	struct vhd_check_result result;
	char error[VHD_ERROR_BYTES];
	unsigned int count;

	vhd_read_locators(file, locators, &count, error, sizeof(error));
	vhd_check(file, 1, &check, &result, error, sizeof(error));
	lab->most_bytes = 2 * FILE_BYTES_MAX;
	if (vhd_repair(file, &repair, &result, error, sizeof(error)) < 0 ||
	    !(mode & MODE_DROP_LOST))
		return;
	if (vhd_check(file, 1, NULL, &result, error, sizeof(error)) == 0 && result.repairable)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lab_file child, parent;
	uint8_t mode;

	if (size < 2 || size > 262144)
		return 0;
	mode = data[0];
	load(&child, data + 2, size - 2, mode);
	seal(&child.now, mode);
	load(&parent, child.now.data, child.now.size, mode);
	if (mode & MODE_CHAIN && child.now.size >= 512)
		adopt(&child.now, &parent.now);
	{
		const struct vhd_file files[2] = {
			{ .name = "child.vhd", .io = &child.io },
			{ .name = "parent.vhd", .io = &parent.io, .raw = mode & MODE_RAW_PARENT },
		};

		if (data[1] % 2)
			examine_and_mend(&child, files, mode);
		open_and_use(files, mode & MODE_CHAIN ? 2 : 1, mode);
		if (!(data[1] % 2))
			examine_and_mend(&child, files, mode);
	}
	lab_fini(&child);
	lab_fini(&parent);
	return 0;
}
