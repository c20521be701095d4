/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block storage as a drive sees it: requests go out, completions come back later.
 *
 * submit() never completes a request itself: completion always comes from the machine's loop, under
 * the machine lock. The request belongs to the backend from submit() until its complete() is
 * called.
 */
#ifndef DEVMODEL_BLOCK_H
#define DEVMODEL_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define BLOCK_SECTOR_BYTES 512

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD };

struct block_request {
	enum block_op op;
	uint64_t offset_bytes; /* READ, WRITE, DISCARD */
	uint64_t size_bytes;   /* sum of iov for READ and WRITE */
	const struct iovec *iov;
	unsigned int iov_count;
	/* @error is 0 or a negative errno (-EIO, -ENOSPC, -EROFS, -ECANCELED). */
	void (*complete)(struct block_request *request, int error);
	void *owner;		    /* for complete() */
	int error;		    /* the backend's own */
	struct block_request *next; /* the backend's own */
};

struct block_info {
	uint64_t size_bytes; /* a multiple of 512 */
	bool read_only;
	/* What IDENTIFY shows; printable ASCII, NUL-terminated. */
	char serial[21];
	/* Geometry of the image's own record; all 0: none. */
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors_per_track;
};

struct block_backend {
	const struct block_ops *ops;
};

struct block_ops {
	/* Queues @request; ranges were checked against info() by the caller. */
	void (*submit)(struct block_backend *backend, struct block_request *request);
	/*
	 * Asks to complete @request soon with -ECANCELED if it has not begun; it is completed in
	 * any case, once, never inside cancel().
	 */
	void (*cancel)(struct block_backend *backend, struct block_request *request);
	void (*info)(struct block_backend *backend, struct block_info *ret_info);
};

static inline void block_submit(struct block_backend *backend, struct block_request *request)
{
	backend->ops->submit(backend, request);
}

static inline void block_cancel(struct block_backend *backend, struct block_request *request)
{
	backend->ops->cancel(backend, request);
}

static inline void block_info(struct block_backend *backend, struct block_info *ret_info)
{
	backend->ops->info(backend, ret_info);
}

#endif
