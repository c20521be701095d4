// SPDX-License-Identifier: GPL-2.0-or-later
/* The file of a saved machine: what is written comes back, and nothing damaged does. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/crc32c.h"
#include "../../base/fdio.h"
#include "../../vmm/state/statefile.h"

#define RAM_BYTES (MIB(2) + 3 * STATEFILE_PAGE_BYTES)
#define VRAM_BYTES (5 * STATEFILE_PAGE_BYTES)
#define DEVICES "what the devices say"

struct sample {
	uint8_t *ram, *vram;
	int fd;
};

/* Some pages of their own, some alike, most zeros. */
static void fill(uint8_t *data, size_t bytes, unsigned int seed)
{
	for (size_t page = 0; page < bytes / STATEFILE_PAGE_BYTES; page++) {
		uint8_t *p = data + page * STATEFILE_PAGE_BYTES;

		if (page % 7 == 3)
			memset(p, 0x90, STATEFILE_PAGE_BYTES);
		for (size_t i = 0; page % 5 == 1 && i < STATEFILE_PAGE_BYTES; i += 4)
			put_le32(p + i, (uint32_t)(seed + page * 40503u + i * i));
	}
}

static void write_sample(struct sample *sample)
{
	struct statefile_header header = { .block_count = 2,
					   .saved_unix = 946684800,
					   .name = "nt4" };
	void *blocks[2] = { sample->ram, sample->vram };
	uint8_t bytes[STATEFILE_HEADER_BYTES], *index;

	strcpy(header.blocks[0].name, "ram");
	header.blocks[0].bytes = RAM_BYTES;
	strcpy(header.blocks[1].name, "video/vram");
	header.blocks[1].bytes = VRAM_BYTES;
	header.devices.bytes = strlen(DEVICES);
	statefile_layout(&header);
	index = calloc(1, header.index.bytes);
	cr_assert_eq(ftruncate(sample->fd, (off_t)header.file_bytes), 0);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t chunk = statefile_first_page(&header, i) / STATEFILE_CHUNK_PAGES;

		for (uint64_t at = 0; at < header.blocks[i].bytes;
		     at += STATEFILE_CHUNK_BYTES, chunk++) {
			uint32_t sums[STATEFILE_CHUNK_PAGES] = { 0 };

			for (unsigned int p = 0; p < STATEFILE_CHUNK_PAGES; p++) {
				uint64_t offset = at + p * STATEFILE_PAGE_BYTES;
				const uint8_t *page = (uint8_t *)blocks[i] + offset;

				if (offset >= header.blocks[i].bytes)
					break;
				sums[p] = statefile_page_sum(page);
				if (sums[p])
					cr_assert_eq(fd_pwrite_full(
							     sample->fd, page, STATEFILE_PAGE_BYTES,
							     header.blocks[i].offset + offset),
						     0);
			}
			put_le32(index + 4 * chunk, statefile_chunk_sum(sums));
		}
	}
	header.devices.sum = crc32c(0, DEVICES, strlen(DEVICES));
	header.index.sum = crc32c(0, index, header.index.bytes);
	cr_assert_eq(fd_pwrite_full(sample->fd, DEVICES, strlen(DEVICES), header.devices.offset),
		     0);
	cr_assert_eq(fd_pwrite_full(sample->fd, index, header.index.bytes, header.index.offset), 0);
	statefile_encode(&header, bytes);
	cr_assert_eq(fd_pwrite_full(sample->fd, bytes, sizeof(bytes), 0), 0);
	free(index);
}

static struct sample sample_new(void)
{
	struct sample sample = {
		.ram = aligned_alloc(4096, RAM_BYTES),
		.vram = aligned_alloc(4096, VRAM_BYTES),
		.fd = memfd_create("state", MFD_CLOEXEC),
	};

	memset(sample.ram, 0, RAM_BYTES);
	memset(sample.vram, 0, VRAM_BYTES);
	fill(sample.ram, RAM_BYTES, 1);
	fill(sample.vram, VRAM_BYTES, 2);
	write_sample(&sample);
	return sample;
}

static void sample_free(struct sample *sample)
{
	free(sample->ram);
	free(sample->vram);
	close(sample->fd);
}

static void expect_same(const struct sample *sample, int fd)
{
	struct statefile file;
	void *blocks[STATEFILE_BLOCKS_MAX] = { calloc(1, RAM_BYTES), calloc(1, VRAM_BYTES) };
	void *nowhere[STATEFILE_BLOCKS_MAX] = { NULL };
	char error[256];

	cr_assert_eq(statefile_open(&file, fd, error, sizeof(error)), 0, "%s", error);
	cr_expect_str_eq(file.header.name, "nt4");
	cr_expect_eq(file.header.devices.bytes, strlen(DEVICES));
	cr_expect_arr_eq(file.devices, DEVICES, strlen(DEVICES));
	cr_expect_eq(statefile_load(&file, blocks, 0, error, sizeof(error)), 0, "%s", error);
	cr_expect_eq(memcmp(blocks[0], sample->ram, RAM_BYTES), 0);
	cr_expect_eq(memcmp(blocks[1], sample->vram, VRAM_BYTES), 0);
	cr_expect_eq(statefile_load(&file, nowhere, 0, error, sizeof(error)), 0, "%s", error);
	statefile_close(&file);
	free(blocks[0]);
	free(blocks[1]);
}

static int compact(int plain_fd)
{
	int fd = memfd_create("compact", MFD_CLOEXEC);
	struct statefile file;
	char error[256];

	cr_assert_eq(statefile_open(&file, plain_fd, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(statefile_compact(&file, fd, 3, error, sizeof(error)), 0, "%s", error);
	statefile_close(&file);
	return fd;
}

static uint64_t size_of(int fd, bool on_disk)
{
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	return on_disk ? (uint64_t)st.st_blocks * 512 : (uint64_t)st.st_size;
}

Test(statefile, both_forms_give_back_what_was_saved)
{
	struct sample sample = sample_new();
	int fd = compact(sample.fd);

	expect_same(&sample, sample.fd);
	expect_same(&sample, fd);
	cr_expect_lt(size_of(sample.fd, true), RAM_BYTES / 2, "zero pages cost nothing");
	cr_expect_lt(size_of(fd, false), size_of(sample.fd, true));
	close(fd);
	sample_free(&sample);
}

/* 0 when a reader that tests everything finds nothing wrong. */
static int examine(int fd, char *error, size_t error_size)
{
	void *nowhere[STATEFILE_BLOCKS_MAX] = { NULL };
	struct statefile file;
	int r = statefile_open(&file, fd, error, error_size);

	if (r < 0)
		return r;
	r = statefile_load(&file, nowhere, 0, error, error_size);
	statefile_close(&file);
	return r;
}

/* Every bit of the header, and one bit in each further piece of the file, holes too. */
static void expect_damage_found(int fd)
{
	uint64_t size = size_of(fd, false);
	char error[256];

	cr_assert_eq(examine(fd, error, sizeof(error)), 0, "%s", error);
	for (uint64_t at = 0; at < size; at += at < 600 ? 1 : 997) {
		uint8_t byte, bad;

		cr_assert_eq(fd_pread_full(fd, &byte, 1, at), 0);
		bad = byte ^ (uint8_t)(1u << (at % 8));
		cr_assert_eq(fd_pwrite_full(fd, &bad, 1, at), 0);
		error[0] = '\0';
		cr_expect_lt(examine(fd, error, sizeof(error)), 0, "byte %llu",
			     (unsigned long long)at);
		cr_expect_neq(error[0], '\0');
		cr_assert_eq(fd_pwrite_full(fd, &byte, 1, at), 0);
	}
	cr_expect_eq(examine(fd, error, sizeof(error)), 0);
}

Test(statefile, damage_anywhere_is_found)
{
	struct sample sample = sample_new();
	int fd = compact(sample.fd);

	expect_damage_found(sample.fd);
	expect_damage_found(fd);
	close(fd);
	sample_free(&sample);
}

Test(statefile, a_file_cut_short_or_longer_is_refused)
{
	struct sample sample = sample_new();
	uint64_t size = size_of(sample.fd, false);
	char error[256];

	cr_assert_eq(ftruncate(sample.fd, (off_t)size + 1), 0);
	cr_expect_eq(examine(sample.fd, error, sizeof(error)), -EINVAL);
	for (uint64_t left = size - 1; left > 100; left = left * 9 / 10) {
		cr_assert_eq(ftruncate(sample.fd, (off_t)left), 0);
		cr_expect_eq(examine(sample.fd, error, sizeof(error)), -EINVAL);
	}
	sample_free(&sample);
}

/* A header with a right sum that lies: @at gets @value, of @bytes bytes. */
static int lie(int fd, size_t at, uint64_t value, unsigned int bytes, char *error,
	       size_t error_size)
{
	uint8_t header[STATEFILE_HEADER_BYTES], before[STATEFILE_HEADER_BYTES];
	int r;

	cr_assert_eq(fd_pread_full(fd, header, sizeof(header), 0), 0);
	memcpy(before, header, sizeof(header));
	put_le(header + at, bytes, value);
	put_le32(header + sizeof(header) - 4, crc32c(0, header, sizeof(header) - 4));
	cr_assert_eq(fd_pwrite_full(fd, header, sizeof(header), 0), 0);
	r = examine(fd, error, error_size);
	cr_assert_eq(fd_pwrite_full(fd, before, sizeof(before), 0), 0);
	return r;
}

Test(statefile, a_newer_version_is_told_from_damage)
{
	struct sample sample = sample_new();
	char error[256];

	cr_expect_eq(lie(sample.fd, 8, 2, 4, error, sizeof(error)), -EPROTONOSUPPORT);
	cr_expect_not_null(strstr(error, "newer"), "%s", error);
	sample_free(&sample);
}

/* No number of the header, however large, leads anywhere but to an error. */
Test(statefile, a_lying_header_is_refused)
{
	static const uint64_t values[] = {
		0, 1, 4095, UINT32_MAX, UINT64_C(1) << 41, INT64_MAX, UINT64_MAX, UINT64_MAX - 4095
	};
	struct sample sample = sample_new();
	int forms[2] = { sample.fd, compact(sample.fd) };
	char error[256];

	for (size_t form = 0; form < ARRAY_LEN(forms); form++) {
		for (size_t at = 121; at < 121 + 52 + 2 * 64; at++) {
			for (size_t i = 0; i < ARRAY_LEN(values); i++) {
				uint8_t now[8];

				cr_assert_eq(fd_pread_full(forms[form], now, 8, at), 0);
				if (get_le64(now) == values[i])
					continue;
				error[0] = '\0';
				/* A name may be anything. */
				if (lie(forms[form], at, values[i], 8, error, sizeof(error)) < 0)
					cr_expect_neq(error[0], '\0');
			}
		}
	}
	close(forms[1]);
	sample_free(&sample);
}

Test(statefile, sums_are_those_of_the_standard)
{
	static const char digits[] = "123456789";
	uint8_t bytes[300];

	cr_expect_eq(crc32c(0, digits, 9), 0xe3069283);
	cr_expect_eq(crc32c(crc32c(0, digits, 4), digits + 4, 5), 0xe3069283);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t size = 0; size <= sizeof(bytes); size++)
		cr_expect_eq(crc32c(5, bytes, size), crc32c_plain(5, bytes, size));
}
