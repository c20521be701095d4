/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks of the machine: the block backend of devmodel/block.h on an image file, with one worker
 * thread for each disk. The guest never waits for the host's file system while the machine lock is
 * held.
 *
 *	submit (machine lock) -> queue -> worker: the image's call -> done list -> loop_post -> complete()
 */
#ifndef VMM_BLOCKIO_H
#define VMM_BLOCKIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../devmodel/block.h"
#include "config.h"

struct loop;
struct loop_post;

/*
 * Opens the image behind disk->fd, whose descriptor stays the caller's until the backend is freed.
 * 0, or a negative errno with one line in @error that begins with the disk's name. The machine lock
 * is not needed. Requests may be submitted at once; they wait for blockio_start(). @disk NULL: a
 * drive without a medium, whose requests fail with -ENOMEDIUM.
 */
int blockio_new(struct loop *loop, const struct vm_disk *disk, struct block_backend **ret_backend,
		char *error, size_t error_size);
/* Starts the worker. Once. 0 or -errno. */
int blockio_start(struct block_backend *backend);
/* Whether requests are under way. With the lock. */
bool blockio_busy(const struct block_backend *backend);
/* From now on calls @idle, with the lock in the loop thread, whenever the last request completes. */
void blockio_watch_idle(struct block_backend *backend, void (*idle)(void *opaque), void *opaque);

struct block_image;

/* The image of a backend that has not been started yet; NULL: none. */
const struct block_image *blockio_image(struct block_backend *backend);

/*
 * Exchanges the medium of a drive when all that was submitted before is done: the old image is
 * flushed and freed, its descriptor closed if it came this way, then changed() is called on the
 * loop, under the lock, and info() tells of the new one. @image is of block_image_open(@disk), NULL
 * both: the drive is empty then. Both descriptor and image belong to the backend afterwards. 0, or
 * -EBUSY while the last change is under way.
 */
int blockio_change(struct block_backend *backend, struct block_image *image,
		   const struct vm_disk *disk, void (*changed)(void *opaque), void *opaque);
/*
 * When all that was submitted before is done: flushes the image, leaves it as other programs want it, and,
 * with @saved, marks it as part of a saved state (or not any more). @done is posted then;
 * blockio_seal_result() says how it went, blockio_sealing() whether it has. Nothing is written afterwards
 * until somebody submits.
 */
void blockio_seal(struct block_backend *backend, bool saved, struct loop_post *done);
bool blockio_sealing(const struct block_backend *backend);
/* 0, or -errno. */
int blockio_seal_result(const struct block_backend *backend);
/* The same mark, at once: before blockio_start(). 0 or -errno. */
int blockio_mark(struct block_backend *backend, bool saved);
/*
 * Ends the worker when all that was submitted is done, the image flushed and in its final form;
 * completes what is not completed yet, and frees. What a complete() submits then is dropped. Loop
 * thread, without the lock. NULL is allowed.
 */
void blockio_free(struct block_backend *backend);

/*
 * An open image, called by the worker only (open and free: before and after). Ranges are within the
 * disk. Calls return 0 or -errno and may use no system call but those of the worker's filter:
 * preadv, pwritev, fdatasync, fallocate, ftruncate.
 */
struct block_image {
	const struct block_image_ops *ops;
	struct block_info info; /* size_bytes, serial and geometry; filled by open */
};

struct block_image_ops {
	int (*read)(struct block_image *image, uint64_t offset, const struct iovec *iov,
		    unsigned int count);
	int (*write)(struct block_image *image, uint64_t offset, const struct iovec *iov,
		     unsigned int count);
	int (*flush)(struct block_image *image);
	/* Advisory: -EOPNOTSUPP is no failure. */
	int (*discard)(struct block_image *image, uint64_t offset, uint64_t bytes);
	/* Flushes and leaves the file as other programs want it. */
	int (*finish)(struct block_image *image);
	/* The mark of a saved state, on stable storage; NULL: the format has none. */
	int (*mark)(struct block_image *image, bool saved);
	/* One line about the last failure, "" when there is nothing to add to its errno. */
	const char *(*error)(struct block_image *image);
	/* No call to the file. */
	void (*free)(struct block_image *image);
};

/*
 * The image behind disk->fd, with the geometry and the protection that @disk asks for. 0, or -errno
 * with one line in @error. Freed by its ops->free() as long as no backend has it. On the loop of a
 * running machine only raw images can be opened: the filter allows no more.
 */
int block_image_open(const struct vm_disk *disk, struct block_image **ret_image, char *error,
		     size_t error_size);

int block_vhd_open(const struct vm_disk *disk, struct block_image **ret_image, char *error,
		   size_t error_size);
int block_raw_open(const struct vm_disk *disk, struct block_image **ret_image, char *error,
		   size_t error_size);

#endif
