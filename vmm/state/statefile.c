// SPDX-License-Identifier: GPL-2.0-or-later
/* The header, the sums, and plain files. The compact form is compact.c's. */
#include "statefile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/crc32c.h"
#include "../../base/cursor.h"
#include "../../base/fdio.h"
#include "../../base/parse.h"
#include "compact.h"

#define MAGIC "MAINSTAY"
#define SUM_BYTES 4u

static int fail(char *error, size_t error_size, int r, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(char *error, size_t error_size, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, error_size, format, args);
	va_end(args);
	return r;
}

/* --- sums and places */

uint32_t statefile_page_sum(const void *page)
{
	const uint64_t *words = page;
	uint32_t sum;
	unsigned int i = 0;

	while (i < STATEFILE_PAGE_BYTES / 8 &&
	       !(words[i] | words[i + 1] | words[i + 2] | words[i + 3]))
		i += 4;
	if (i == STATEFILE_PAGE_BYTES / 8)
		return 0;
	sum = crc32c(0, page, STATEFILE_PAGE_BYTES);
	return sum ? sum : 1;
}

uint32_t statefile_chunk_sum(const uint32_t pages[STATEFILE_CHUNK_PAGES])
{
	uint32_t any = 0, sum;

	for (unsigned int i = 0; i < STATEFILE_CHUNK_PAGES; i++)
		any |= pages[i];
	if (!any)
		return 0;
	sum = crc32c(0, pages, STATEFILE_CHUNK_PAGES * sizeof(pages[0]));
	return sum ? sum : 1;
}

static uint64_t block_pages(const struct statefile_block *block)
{
	return round_up(block->bytes, STATEFILE_CHUNK_BYTES) / STATEFILE_PAGE_BYTES;
}

uint64_t statefile_first_page(const struct statefile_header *header, unsigned int block)
{
	uint64_t page = 0;

	for (unsigned int i = 0; i < block; i++)
		page += block_pages(&header->blocks[i]);
	return page;
}

uint64_t statefile_pages(const struct statefile_header *header)
{
	return statefile_first_page(header, header->block_count);
}

void statefile_layout(struct statefile_header *header)
{
	uint64_t at = STATEFILE_HEADER_BYTES;

	header->form = STATEFILE_PLAIN;
	for (unsigned int i = 0; i < header->block_count; i++) {
		header->blocks[i].offset = at;
		at += header->blocks[i].bytes;
	}
	header->devices.offset = at;
	at += header->devices.bytes;
	header->index.offset = at;
	header->index.bytes = statefile_pages(header) / STATEFILE_CHUNK_PAGES * SUM_BYTES;
	header->file_bytes = at + header->index.bytes;
}

/* --- the header */

static void put_part(struct cursor *c, const struct statefile_part *part)
{
	cursor_put_le64(c, part->offset);
	cursor_put_le64(c, part->bytes);
	cursor_put_le32(c, part->sum);
}

static void get_part(struct cursor *c, struct statefile_part *ret_part)
{
	ret_part->offset = cursor_get_le64(c);
	ret_part->bytes = cursor_get_le64(c);
	ret_part->sum = cursor_get_le32(c);
}

void statefile_encode(const struct statefile_header *header,
		      uint8_t ret_bytes[STATEFILE_HEADER_BYTES])
{
	struct cursor c = cursor_writer(ret_bytes, STATEFILE_HEADER_BYTES - SUM_BYTES);

	memset(ret_bytes, 0, STATEFILE_HEADER_BYTES);
	cursor_put_bytes(&c, MAGIC, 8);
	cursor_put_le32(&c, STATEFILE_VERSION);
	cursor_put_le32(&c, header->form);
	cursor_put_bytes(&c, header->id, sizeof(header->id));
	cursor_put_bytes(&c, header->uuid, sizeof(header->uuid));
	cursor_put_le64(&c, (uint64_t)header->saved_unix);
	cursor_put_bytes(&c, header->name, sizeof(header->name));
	put_part(&c, &header->devices);
	put_part(&c, &header->index);
	cursor_put_le64(&c, header->file_bytes);
	cursor_put_le32(&c, header->block_count);
	for (unsigned int i = 0; i < header->block_count; i++) {
		cursor_put_bytes(&c, header->blocks[i].name, STATEFILE_BLOCK_NAME);
		cursor_put_le64(&c, header->blocks[i].bytes);
		cursor_put_le64(&c, header->blocks[i].offset);
	}
	c = cursor_writer(ret_bytes, STATEFILE_HEADER_BYTES);
	cursor_seek(&c, STATEFILE_HEADER_BYTES - SUM_BYTES);
	cursor_put_le32(&c, crc32c(0, ret_bytes, STATEFILE_HEADER_BYTES - SUM_BYTES));
}

static bool text_is_valid(const char *text, size_t room)
{
	size_t length = strnlen(text, room);

	return length < room && utf8_is_valid(text, length);
}

/* Blocks of a plain file stand one behind the other, so that no two share bytes. */
static bool blocks_are_valid(const struct statefile_header *header)
{
	uint64_t at = STATEFILE_HEADER_BYTES;
	bool plain = header->form == STATEFILE_PLAIN;

	if (!header->block_count)
		return false;
	for (unsigned int i = 0; i < header->block_count; i++) {
		const struct statefile_block *block = &header->blocks[i];

		if (!block->bytes || block->bytes > STATEFILE_BLOCK_BYTES_MAX ||
		    block->bytes % STATEFILE_PAGE_BYTES ||
		    !text_is_valid(block->name, sizeof(block->name)) ||
		    block->offset != (plain ? at : 0))
			return false;
		at += block->bytes;
	}
	return true;
}

static bool part_is_valid(const struct statefile_part *part, uint64_t file_bytes)
{
	return part->offset >= STATEFILE_HEADER_BYTES && part->offset <= file_bytes &&
	       part->bytes <= file_bytes - part->offset;
}

static bool header_is_valid(const struct statefile_header *header)
{
	struct statefile_header plain = *header;

	if ((header->form != STATEFILE_PLAIN && header->form != STATEFILE_COMPACT) ||
	    !text_is_valid(header->name, sizeof(header->name)) || !blocks_are_valid(header) ||
	    header->devices.bytes > STATEFILE_DEVICES_BYTES_MAX ||
	    header->file_bytes > (uint64_t)INT64_MAX ||
	    !part_is_valid(&header->devices, header->file_bytes) ||
	    !part_is_valid(&header->index, header->file_bytes))
		return false;
	if (header->form == STATEFILE_COMPACT)
		return true;
	statefile_layout(&plain);
	return plain.devices.offset == header->devices.offset &&
	       plain.index.offset == header->index.offset &&
	       plain.index.bytes == header->index.bytes && plain.file_bytes == header->file_bytes;
}

int statefile_decode(const uint8_t bytes[STATEFILE_HEADER_BYTES],
		     struct statefile_header *ret_header, char *error, size_t error_size)
{
	struct cursor c = cursor_reader(bytes, STATEFILE_HEADER_BYTES);
	struct statefile_header header = { 0 };
	char magic[8];
	uint32_t version;

	cursor_get_bytes(&c, magic, sizeof(magic));
	version = cursor_get_le32(&c);
	if (memcmp(magic, MAGIC, sizeof(magic)))
		return fail(error, error_size, -EINVAL,
			    "is no saved state, or one whose saving did not come to its end");
	/* Before the sum: a newer version may keep that elsewhere. */
	if (version > STATEFILE_VERSION)
		return fail(error, error_size, -EPROTONOSUPPORT,
			    "is of version %u, newer than the %u of this program; restore it with "
			    "the program that saved it, or a newer one",
			    version, STATEFILE_VERSION);
	cursor_seek(&c, STATEFILE_HEADER_BYTES - SUM_BYTES);
	if (!version || cursor_get_le32(&c) != crc32c(0, bytes, STATEFILE_HEADER_BYTES - SUM_BYTES))
		return fail(error, error_size, -EINVAL, "is damaged: its header has a wrong sum");
	cursor_seek(&c, 12);
	header.form = cursor_get_le32(&c);
	cursor_get_bytes(&c, header.id, sizeof(header.id));
	cursor_get_bytes(&c, header.uuid, sizeof(header.uuid));
	header.saved_unix = (int64_t)cursor_get_le64(&c);
	cursor_get_bytes(&c, header.name, sizeof(header.name));
	get_part(&c, &header.devices);
	get_part(&c, &header.index);
	header.file_bytes = cursor_get_le64(&c);
	header.block_count = cursor_get_le32(&c);
	for (unsigned int i = 0; i < header.block_count && i < STATEFILE_BLOCKS_MAX; i++) {
		cursor_get_bytes(&c, header.blocks[i].name, STATEFILE_BLOCK_NAME);
		header.blocks[i].bytes = cursor_get_le64(&c);
		header.blocks[i].offset = cursor_get_le64(&c);
	}
	if (!cursor_ok(&c) || header.block_count > STATEFILE_BLOCKS_MAX ||
	    !header_is_valid(&header))
		return fail(error, error_size, -EINVAL, "is damaged: its header makes no sense");
	*ret_header = header;
	return 0;
}

/* --- opening */

static int read_part(int fd, const struct statefile_part *part, const char *what,
		     uint8_t **ret_bytes, char *error, size_t error_size)
{
	uint8_t *bytes = malloc(part->bytes ? part->bytes : 1);
	int r = bytes ? fd_pread_full(fd, bytes, part->bytes, part->offset) : -ENOMEM;

	if (r < 0)
		fail(error, error_size, r, "%s cannot be read: %s", what, strerror(-r));
	else if (crc32c(0, bytes, part->bytes) != part->sum)
		r = fail(error, error_size, -EINVAL, "is damaged: %s has a wrong sum", what);
	if (r < 0)
		free(bytes);
	else
		*ret_bytes = bytes;
	return r;
}

int statefile_open(struct statefile *file, int fd, char *error, size_t error_size)
{
	uint8_t bytes[STATEFILE_HEADER_BYTES];
	struct stat st;
	int r;

	*file = (struct statefile){ .fd = fd };
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(error, error_size, -EINVAL, "is no file");
	if ((uint64_t)st.st_size < sizeof(bytes))
		return fail(error, error_size, -EINVAL, "is no saved state: it is too short");
	r = fd_pread_full(fd, bytes, sizeof(bytes), 0);
	if (r < 0)
		return fail(error, error_size, r, "cannot be read: %s", strerror(-r));
	r = statefile_decode(bytes, &file->header, error, error_size);
	if (r < 0)
		return r;
	if ((uint64_t)st.st_size != file->header.file_bytes)
		return fail(error, error_size, -EINVAL,
			    "is damaged: it has %llu bytes instead of %llu",
			    (unsigned long long)st.st_size,
			    (unsigned long long)file->header.file_bytes);
	r = read_part(fd, &file->header.devices, "the device stream", &file->devices, error,
		      error_size);
	if (r == 0)
		r = read_part(fd, &file->header.index, "the page index", &file->index, error,
			      error_size);
	if (r < 0)
		statefile_close(file);
	return r;
}

void statefile_close(struct statefile *file)
{
	free(file->devices);
	free(file->index);
	file->devices = file->index = NULL;
}

/* --- pages of plain files */

/* Loads or tests one chunk of a block; @to may be NULL. */
static int load_chunk(const struct statefile *file, const struct statefile_block *block,
		      uint64_t offset, uint32_t expected, uint8_t *to, uint8_t *scratch,
		      char *error, size_t error_size)
{
	size_t bytes = (size_t)min_u64(STATEFILE_CHUNK_BYTES, block->bytes - offset);
	uint32_t sums[STATEFILE_CHUNK_PAGES] = { 0 };
	uint8_t *chunk = to ? to + offset : scratch;
	int r;

	/* A hole: there is nothing to load, and somebody may have written there. */
	if (!expected && to)
		return 0;
	r = fd_pread_full(file->fd, chunk, bytes, block->offset + offset);
	if (r < 0)
		return fail(error, error_size, r, "cannot be read: %s", strerror(-r));
	for (size_t i = 0; i < bytes / STATEFILE_PAGE_BYTES; i++)
		sums[i] = statefile_page_sum(chunk + i * STATEFILE_PAGE_BYTES);
	if (statefile_chunk_sum(sums) != expected)
		return fail(error, error_size, -EINVAL, "is damaged: %s at %llxh has a wrong sum",
			    block->name, (unsigned long long)offset);
	return 0;
}

static int load_plain(const struct statefile *file, void *const blocks[], uint32_t skip,
		      char *error, size_t error_size)
{
	uint8_t *scratch = aligned_alloc(STATEFILE_PAGE_BYTES, STATEFILE_CHUNK_BYTES);
	int r = scratch ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < file->header.block_count && r == 0; i++) {
		const struct statefile_block *block = &file->header.blocks[i];
		uint64_t chunk = statefile_first_page(&file->header, i) / STATEFILE_CHUNK_PAGES;

		if (skip & BIT(i))
			continue;
		for (uint64_t at = 0; at < block->bytes && r == 0;
		     at += STATEFILE_CHUNK_BYTES, chunk++) {
			struct cursor c = cursor_reader(file->index, file->header.index.bytes);

			cursor_seek(&c, chunk * SUM_BYTES);
			r = load_chunk(file, block, at, cursor_get_le32(&c), blocks[i], scratch,
				       error, error_size);
		}
	}
	free(scratch);
	return r;
}

int statefile_load(const struct statefile *file, void *const blocks[], uint32_t skip, char *error,
		   size_t error_size)
{
	snprintf(error, error_size, "not enough memory");
	if (file->header.form == STATEFILE_PLAIN)
		return load_plain(file, blocks, skip, error, error_size);
	return compact_load(file, blocks, error, error_size);
}
