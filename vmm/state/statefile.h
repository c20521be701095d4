/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a saved machine (docs/formats.md): a header, blocks of pages, the device stream, an
 * index. Works on descriptors; what it reads is hostile.
 *
 * Pages of all blocks are numbered through, in the order of the blocks; each block begins at a whole
 * chunk. In the plain form every page lies at its own place in the file, zero pages are holes, and the
 * index has one sum for each chunk. In the compact form what is not zero and not a repetition is
 * compressed in frames.
 */
#ifndef STATE_STATEFILE_H
#define STATE_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATEFILE_VERSION 1u
#define STATEFILE_HEADER_BYTES 4096u
#define STATEFILE_PAGE_BYTES 4096u
#define STATEFILE_CHUNK_BYTES 65536u
#define STATEFILE_CHUNK_PAGES (STATEFILE_CHUNK_BYTES / STATEFILE_PAGE_BYTES)
#define STATEFILE_FRAME_PAGES 256u
#define STATEFILE_BLOCKS_MAX 16u
#define STATEFILE_BLOCK_NAME 48u
#define STATEFILE_BLOCK_BYTES_MAX (UINT64_C(1) << 41)
#define STATEFILE_DEVICES_BYTES_MAX (16u << 20)

enum statefile_form { STATEFILE_PLAIN = 1, STATEFILE_COMPACT = 2 };

struct statefile_block {
	char name[STATEFILE_BLOCK_NAME]; /* "ram" is the first; others "DEVICE/MEMORY" */
	uint64_t bytes;			 /* whole pages, never 0 */
	uint64_t offset;		 /* in the file, of its first page; 0 in the compact form */
};

/* A part of the file with its sum. */
struct statefile_part {
	uint64_t offset, bytes;
	uint32_t sum;
};

struct statefile_header {
	uint32_t form;	  /* enum statefile_form */
	uint8_t id[16];	  /* of this state */
	uint8_t uuid[16]; /* of the machine */
	int64_t saved_unix;
	char name[65]; /* of the machine */
	uint32_t block_count;
	struct statefile_block blocks[STATEFILE_BLOCKS_MAX];
	struct statefile_part devices, index;
	uint64_t file_bytes;
};

/*
 * Lays out a plain file: offsets of blocks, device stream and index from block_count, the blocks' sizes and
 * devices.bytes; file_bytes. The sums are still to come.
 */
void statefile_layout(struct statefile_header *header);

void statefile_encode(const struct statefile_header *header,
		      uint8_t ret_bytes[STATEFILE_HEADER_BYTES]);
/* 0, or -EINVAL (no whole state) or -EPROTONOSUPPORT (newer) with one line in @error. */
int statefile_decode(const uint8_t bytes[STATEFILE_HEADER_BYTES],
		     struct statefile_header *ret_header, char *error, size_t error_size);

/* The sum of a page; 0 when it is all zeros, and only then. */
uint32_t statefile_page_sum(const void *page);
/* The sum of a chunk from the sums of its pages; 0 when all are 0. */
uint32_t statefile_chunk_sum(const uint32_t pages[STATEFILE_CHUNK_PAGES]);
/* Pages of all blocks, each block rounded up to chunks. */
uint64_t statefile_pages(const struct statefile_header *header);
/* The number of a block's first page. */
uint64_t statefile_first_page(const struct statefile_header *header, unsigned int block);

struct statefile {
	int fd; /* the caller's */
	struct statefile_header header;
	uint8_t *devices; /* header.devices.bytes */
	uint8_t *index;	  /* header.index.bytes */
};

/*
 * Reads header, device stream and index of @fd and tests their sums: what a restore needs to know before
 * it changes anything. 0, or -errno with one line in @error, which does not name the file: -EINVAL damaged
 * or no state, -EPROTONOSUPPORT newer.
 */
int statefile_open(struct statefile *file, int fd, char *error, size_t error_size);
void statefile_close(struct statefile *file);

/*
 * Loads the blocks into memory, testing every page's sum; blocks[i] NULL: tested only, unless the caller wants
 * it left out (@skip has a bit for each such block). Memory that is loaded into must be zeros. 0, or
 * -errno with one line in @error.
 */
int statefile_load(const struct statefile *file, void *const blocks[], uint32_t skip, char *error,
		   size_t error_size);

/*
 * Writes the plain state @from to @fd, an empty file, in the compact form. 0, or -errno with one line in
 * @error. The caller syncs.
 */
int statefile_compact(const struct statefile *from, int fd, int level, char *error,
		      size_t error_size);

#endif
