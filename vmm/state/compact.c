// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A page is zeros, a repetition of an earlier page, or new. New pages follow each other in frames of 256,
 * each frame compressed by itself. The index is compressed as a whole: first a line for each frame (its
 * bytes in the file and their sum), then one number for each page: 0 for zeros, n for "the same as page
 * n - 1", all ones for "the next new page".
 *
 * Reading needs one frame in memory and no table: the index is decompressed as it is used, and a repetition
 * is copied from where its first page was loaded to.
 */
#include "compact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/crc32c.h"
#include "../../base/fdio.h"

#define FRAME_BYTES (STATEFILE_FRAME_PAGES * STATEFILE_PAGE_BYTES)
#define PAGE_ZERO 0u
#define PAGE_NEW UINT32_MAX
#define FRAME_LINE_BYTES 8u
#define FRAMES_MAX (1u << 24)

/* --- reading */

struct reader {
	const struct statefile *file;
	ZSTD_DStream *stream;
	ZSTD_inBuffer in;	/* what is left of the index */
	uint8_t *lines;		/* of the frames */
	uint32_t frames, frame; /* all, and the next */
	uint64_t at;		/* in the file, of the next frame */
	uint8_t *packed, *pages;
	uint32_t page, page_count; /* the next in the frame, and how many it has */
};

/* The next @size bytes of the index, decompressed. 0 or -EINVAL. */
static int read_index(struct reader *r, void *data, size_t size)
{
	ZSTD_outBuffer out = { data, size, 0 };

	while (out.pos < out.size) {
		size_t before = out.pos + r->in.pos;
		size_t left = ZSTD_decompressStream(r->stream, &out, &r->in);

		if (ZSTD_isError(left) || (out.pos + r->in.pos == before))
			return -EINVAL;
	}
	return 0;
}

static int next_frame(struct reader *r)
{
	const uint8_t *line = r->lines + (size_t)r->frame * FRAME_LINE_BYTES;
	uint32_t bytes;
	size_t got;
	int error;

	if (r->frame == r->frames)
		return -EINVAL;
	r->frame++;
	bytes = get_le32(line);
	if (!bytes || bytes > ZSTD_compressBound(FRAME_BYTES) ||
	    r->at + bytes > r->file->header.file_bytes)
		return -EINVAL;
	error = fd_pread_full(r->file->fd, r->packed, bytes, r->at);
	if (error < 0)
		return error;
	if (crc32c(0, r->packed, bytes) != get_le32(line + 4))
		return -EINVAL;
	got = ZSTD_decompress(r->pages, FRAME_BYTES, r->packed, bytes);
	if (ZSTD_isError(got) || !got || got % STATEFILE_PAGE_BYTES)
		return -EINVAL;
	r->at += bytes;
	r->page = 0;
	r->page_count = (uint32_t)(got / STATEFILE_PAGE_BYTES);
	return 0;
}

static int start_reader(struct reader *r, const struct statefile *file)
{
	uint8_t count[4];

	*r = (struct reader){ .file = file, .at = STATEFILE_HEADER_BYTES };
	r->in = (ZSTD_inBuffer){ file->index, file->header.index.bytes, 0 };
	r->stream = ZSTD_createDStream();
	r->packed = malloc(ZSTD_compressBound(FRAME_BYTES));
	r->pages = malloc(FRAME_BYTES);
	if (!r->stream || !r->packed || !r->pages)
		return -ENOMEM;
	if (read_index(r, count, sizeof(count)) < 0)
		return -EINVAL;
	r->frames = get_le32(count);
	/* Each frame takes bytes of the file: a bound that the file itself pays for. */
	if (r->frames > FRAMES_MAX || r->frames > file->header.file_bytes)
		return -EINVAL;
	r->lines = malloc((size_t)r->frames * FRAME_LINE_BYTES + 1);
	if (!r->lines)
		return -ENOMEM;
	return read_index(r, r->lines, (size_t)r->frames * FRAME_LINE_BYTES);
}

static void end_reader(struct reader *r)
{
	ZSTD_freeDStream(r->stream);
	free(r->lines);
	free(r->packed);
	free(r->pages);
}

/* Where page @number is loaded to; NULL: nowhere. */
static uint8_t *place_of(const struct statefile_header *header, void *const blocks[],
			 uint64_t number)
{
	for (unsigned int i = 0; i < header->block_count; i++) {
		uint64_t first = statefile_first_page(header, i);

		if (number >= first &&
		    number - first < header->blocks[i].bytes / STATEFILE_PAGE_BYTES)
			return blocks[i] ? (uint8_t *)blocks[i] +
						   (number - first) * STATEFILE_PAGE_BYTES
					 : NULL;
	}
	return NULL;
}

static int load_page(struct reader *r, void *const blocks[], uint64_t number, uint32_t kind)
{
	uint8_t *to = place_of(&r->file->header, blocks, number);
	int error;

	if (kind == PAGE_NEW) {
		if (r->page == r->page_count) {
			error = next_frame(r);
			if (error < 0)
				return error;
		}
		if (to)
			memcpy(to, r->pages + (size_t)r->page * STATEFILE_PAGE_BYTES,
			       STATEFILE_PAGE_BYTES);
		r->page++;
		return 0;
	}
	if (kind > number)
		return -EINVAL;
	if (kind != PAGE_ZERO && to) {
		const uint8_t *from = place_of(&r->file->header, blocks, kind - 1);

		if (!from)
			return -EINVAL;
		memcpy(to, from, STATEFILE_PAGE_BYTES);
	}
	return 0;
}

int compact_load(const struct statefile *file, void *const blocks[], char *error, size_t error_size)
{
	uint64_t pages = statefile_pages(&file->header), number = 0;
	uint8_t kinds[4096];
	struct reader r;
	int result = start_reader(&r, file);

	while (result == 0 && number < pages) {
		size_t count = (size_t)min_u64(pages - number, sizeof(kinds) / 4);

		result = read_index(&r, kinds, count * 4);
		for (size_t i = 0; i < count && result == 0; i++)
			result = load_page(&r, blocks, number++, get_le32(kinds + 4 * i));
	}
	/* Everything in the file is somebody's. */
	if (result == 0 && (r.frame != r.frames || r.page != r.page_count ||
			    r.at != file->header.devices.offset || r.in.pos != r.in.size))
		result = -EINVAL;
	end_reader(&r);
	if (result == -EINVAL)
		snprintf(error, error_size, "is damaged: its compressed pages make no sense");
	else if (result < 0)
		snprintf(error, error_size, "cannot be read: %s", strerror(-result));
	return result;
}

/* --- writing */

/* Open addressing, by the page's sum; a slot has the number of a page that was new, plus 1. */
struct seen {
	uint32_t *slots;
	uint64_t mask;
};

struct writer {
	const struct statefile *from;
	int fd, level;
	uint64_t at;
	struct seen seen;
	uint32_t *kinds;
	uint32_t *sums;
	uint8_t *lines;
	uint32_t frames;
	uint8_t *packed, *pages, *page;
	uint32_t page_count;
};

static int flush_frame(struct writer *w)
{
	uint8_t *line = w->lines + (size_t)w->frames * FRAME_LINE_BYTES;
	size_t bytes;
	int r;

	if (!w->page_count)
		return 0;
	bytes = ZSTD_compress(w->packed, ZSTD_compressBound(FRAME_BYTES), w->pages,
			      (size_t)w->page_count * STATEFILE_PAGE_BYTES, w->level);
	if (ZSTD_isError(bytes))
		return -ENOMEM;
	r = fd_pwrite_full(w->fd, w->packed, bytes, w->at);
	if (r < 0)
		return r;
	put_le32(line, (uint32_t)bytes);
	put_le32(line + 4, crc32c(0, w->packed, bytes));
	w->frames++;
	w->at += bytes;
	w->page_count = 0;
	return 0;
}

static int read_page(const struct writer *w, uint64_t number, uint8_t *page)
{
	const struct statefile_header *header = &w->from->header;

	for (unsigned int i = 0; i < header->block_count; i++) {
		uint64_t first = statefile_first_page(header, i);

		if (number >= first &&
		    number - first < header->blocks[i].bytes / STATEFILE_PAGE_BYTES)
			return fd_pread_full(w->from->fd, page, STATEFILE_PAGE_BYTES,
					     header->blocks[i].offset +
						     (number - first) * STATEFILE_PAGE_BYTES);
	}
	memset(page, 0, STATEFILE_PAGE_BYTES);
	return 0;
}

/* The number of an earlier page with the same bytes plus 1; 0: there is none, and this one is noted. */
static int find_same(struct writer *w, uint64_t number, uint32_t sum, const uint8_t *page,
		     uint32_t *ret_same)
{
	uint8_t other[STATEFILE_PAGE_BYTES];
	uint64_t slot = sum & w->seen.mask;

	for (; w->seen.slots[slot]; slot = (slot + 1) & w->seen.mask) {
		uint32_t candidate = w->seen.slots[slot];
		int r;

		if (w->sums[candidate - 1] != sum)
			continue;
		r = read_page(w, candidate - 1, other);
		if (r < 0)
			return r;
		if (!memcmp(other, page, sizeof(other))) {
			*ret_same = candidate;
			return 0;
		}
	}
	w->seen.slots[slot] = (uint32_t)number + 1;
	*ret_same = 0;
	return 0;
}

static int write_page(struct writer *w, uint64_t number)
{
	uint32_t same;
	int r;

	/* Nobody reads holes. */
	if (!get_le32(w->from->index + number / STATEFILE_CHUNK_PAGES * 4))
		return 0;
	r = read_page(w, number, w->page);

	if (r < 0)
		return r;
	w->sums[number] = statefile_page_sum(w->page);
	if (!w->sums[number])
		return 0;
	r = find_same(w, number, w->sums[number], w->page, &same);
	if (r < 0)
		return r;
	put_le32(&w->kinds[number], same ? same : PAGE_NEW);
	if (same)
		return 0;
	memcpy(w->pages + (size_t)w->page_count * STATEFILE_PAGE_BYTES, w->page,
	       STATEFILE_PAGE_BYTES);
	if (++w->page_count == STATEFILE_FRAME_PAGES)
		r = flush_frame(w);
	return r;
}

static int write_rest(struct writer *w, uint64_t pages)
{
	struct statefile_header header = w->from->header;
	size_t lines = (size_t)w->frames * FRAME_LINE_BYTES, raw = 4 + lines + pages * 4;
	uint8_t *index = malloc(raw), *packed = malloc(ZSTD_compressBound(raw));
	uint8_t bytes[STATEFILE_HEADER_BYTES];
	int r = index && packed ? 0 : -ENOMEM;

	if (r == 0) {
		put_le32(index, w->frames);
		memcpy(index + 4, w->lines, lines);
		memcpy(index + 4 + lines, w->kinds, pages * 4);
		header.index.bytes =
			ZSTD_compress(packed, ZSTD_compressBound(raw), index, raw, w->level);
		if (ZSTD_isError(header.index.bytes))
			r = -ENOMEM;
	}
	if (r == 0) {
		header.form = STATEFILE_COMPACT;
		for (unsigned int i = 0; i < header.block_count; i++)
			header.blocks[i].offset = 0;
		header.devices.offset = w->at;
		header.index.offset = w->at + header.devices.bytes;
		header.index.sum = crc32c(0, packed, header.index.bytes);
		header.file_bytes = header.index.offset + header.index.bytes;
		r = fd_pwrite_full(w->fd, w->from->devices, header.devices.bytes,
				   header.devices.offset);
	}
	if (r == 0)
		r = fd_pwrite_full(w->fd, packed, header.index.bytes, header.index.offset);
	if (r == 0 && fdatasync(w->fd) < 0)
		r = -errno;
	statefile_encode(&header, bytes);
	if (r == 0)
		r = fd_pwrite_full(w->fd, bytes, sizeof(bytes), 0);
	free(index);
	free(packed);
	return r;
}

static int start_writer(struct writer *w, uint64_t pages)
{
	uint64_t slots = 1024;

	while (slots < 2 * pages)
		slots *= 2;
	w->seen.mask = slots - 1;
	w->seen.slots = calloc(slots, sizeof(w->seen.slots[0]));
	w->kinds = calloc(pages, sizeof(w->kinds[0]));
	w->sums = calloc(pages, sizeof(w->sums[0]));
	w->lines = malloc((pages / STATEFILE_FRAME_PAGES + 1) * FRAME_LINE_BYTES);
	w->packed = malloc(ZSTD_compressBound(FRAME_BYTES));
	w->pages = malloc(FRAME_BYTES);
	w->page = aligned_alloc(8, STATEFILE_PAGE_BYTES);
	return w->seen.slots && w->kinds && w->sums && w->lines && w->packed && w->pages && w->page
		       ? 0
		       : -ENOMEM;
}

static void end_writer(struct writer *w)
{
	free(w->seen.slots);
	free(w->kinds);
	free(w->sums);
	free(w->lines);
	free(w->packed);
	free(w->pages);
	free(w->page);
}

int statefile_compact(const struct statefile *from, int fd, int level, char *error,
		      size_t error_size)
{
	uint64_t pages = statefile_pages(&from->header);
	struct writer w = { .from = from, .fd = fd, .level = level, .at = STATEFILE_HEADER_BYTES };
	int r = -EINVAL;

	if (from->header.form == STATEFILE_PLAIN && pages < UINT32_MAX)
		r = start_writer(&w, pages);
	for (uint64_t number = 0; number < pages && r == 0; number++)
		r = write_page(&w, number);
	if (r == 0)
		r = flush_frame(&w);
	if (r == 0)
		r = write_rest(&w, pages);
	end_writer(&w);
	if (r < 0)
		snprintf(error, error_size, "cannot be made compact: %s", strerror(-r));
	return r;
}
