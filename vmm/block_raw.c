// SPDX-License-Identifier: GPL-2.0-or-later
/* Raw images as the worker's image: a file or a block device, byte for byte. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bits.h"
#include "blockio.h"

/* Pieces in one call; also IOV_MAX. */
#define PIECES_MAX 1024u

struct block_raw {
	struct block_image image;
	int fd;
	bool unsynced;
	struct iovec rest[PIECES_MAX]; /* of a call that moved less than asked for */
};

static struct block_raw *of(struct block_image *image)
{
	return container_of(image, struct block_raw, image);
}

static ssize_t move(const struct block_raw *self, bool write, const struct iovec *iov,
		    unsigned int count, uint64_t offset)
{
	ssize_t n;

	do
		n = write ? pwritev(self->fd, iov, (int)count, (off_t)offset)
			  : preadv(self->fd, iov, (int)count, (off_t)offset);
	while (n < 0 && errno == EINTR);
	/* 0: the file was cut while it is in use. */
	return n < 0 ? -errno : n == 0 ? -EIO : n;
}

/* At most PIECES_MAX pieces; the first call, nearly always the last, needs no copy of them. */
static int move_all(struct block_raw *self, bool write, const struct iovec *iov, unsigned int count,
		    uint64_t offset, uint64_t bytes)
{
	struct iovec *rest = self->rest;
	ssize_t n = move(self, write, iov, count, offset);

	if (n > 0 && (uint64_t)n < bytes)
		memcpy(rest, iov, count * sizeof(*iov));
	while (n > 0 && (uint64_t)n < bytes) {
		size_t moved = (size_t)n;

		bytes -= moved;
		offset += moved;
		for (; moved >= rest->iov_len; rest++, count--)
			moved -= rest->iov_len;
		rest->iov_base = (uint8_t *)rest->iov_base + moved;
		rest->iov_len -= moved;
		n = move(self, write, rest, count, offset);
	}
	return n < 0 ? (int)n : 0;
}

static int transfer(struct block_raw *self, bool write, uint64_t offset, const struct iovec *iov,
		    unsigned int count)
{
	while (count) {
		unsigned int pieces = count < PIECES_MAX ? count : PIECES_MAX;
		uint64_t bytes = 0;
		int r;

		for (unsigned int i = 0; i < pieces; i++)
			bytes += iov[i].iov_len;
		r = bytes ? move_all(self, write, iov, pieces, offset, bytes) : 0;
		if (r < 0)
			return r;
		offset += bytes;
		iov += pieces;
		count -= pieces;
	}
	return 0;
}

static int read_raw(struct block_image *image, uint64_t offset, const struct iovec *iov,
		    unsigned int count)
{
	return transfer(of(image), false, offset, iov, count);
}

static int write_raw(struct block_image *image, uint64_t offset, const struct iovec *iov,
		     unsigned int count)
{
	of(image)->unsynced = true;
	return transfer(of(image), true, offset, iov, count);
}

static int flush_raw(struct block_image *image)
{
	struct block_raw *self = of(image);

	if (!self->unsynced)
		return 0;
	if (fdatasync(self->fd) < 0)
		return -errno;
	self->unsynced = false;
	return 0;
}

static int discard_raw(struct block_image *image, uint64_t offset, uint64_t bytes)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	of(image)->unsynced = true;
	return fallocate(of(image)->fd, mode, (off_t)offset, (off_t)bytes) < 0 ? -errno : 0;
}

static const char *error_raw(struct block_image *image)
{
	(void)image;
	return "";
}

static void free_raw(struct block_image *image)
{
	free(of(image));
}

static const struct block_image_ops raw_ops = {
	.read = read_raw,
	.write = write_raw,
	.flush = flush_raw,
	.discard = discard_raw,
	.finish = flush_raw,
	.error = error_raw,
	.free = free_raw,
};

/* By the one call that the loop of a running machine may make for it. */
static int size_of(int fd, uint64_t *ret_bytes)
{
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0)
		return -errno;
	*ret_bytes = (uint64_t)end;
	return 0;
}

/* A raw file has no id: the serial number comes from what people call it (FNV-1a). */
static void make_serial(const char *name, char ret_serial[21])
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
	snprintf(ret_serial, 21, "RAW%016llX", (unsigned long long)hash);
}

int block_raw_open(const struct vm_disk *disk, struct block_image **ret_image, char *error,
		   size_t error_size)
{
	struct block_raw *self;
	uint64_t bytes = 0;
	int r = size_of(disk->fd, &bytes);

	if (r < 0) {
		snprintf(error, error_size, "%s: no file or block device: %s", disk->name,
			 strerror(-r));
		return r;
	}
	if (!bytes || bytes % BLOCK_SECTOR_BYTES) {
		snprintf(error, error_size, "%s: its size of %llu bytes is not a number of sectors",
			 disk->name, (unsigned long long)bytes);
		return -EINVAL;
	}
	self = calloc(1, sizeof(*self));
	if (!self) {
		snprintf(error, error_size, "%s: out of memory", disk->name);
		return -ENOMEM;
	}
	self->image.ops = &raw_ops;
	self->image.info.size_bytes = bytes;
	make_serial(disk->name, self->image.info.serial);
	self->fd = disk->fd;
	*ret_image = &self->image;
	return 0;
}
