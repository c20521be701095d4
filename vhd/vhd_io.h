/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that the library does to a file: six calls, and two that may be missing. Tests put their own
 * behind them to cut the power or to fail where they please.
 */
#ifndef VHD_IO_H
#define VHD_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct vhd_io {
	const struct vhd_io_ops *ops;
};

struct vhd_io_identity {
	uint64_t device, inode;
	int64_t modified_unix;
};

struct vhd_io_ops {
	/*
	 * As preadv() and pwritev(), but -errno on failure; never -EINTR. A short count is allowed,
	 * 0 from preadv is the end of the file. @count from 1 to VHD_IO_IOV_MAX. A write beyond the
	 * end extends the file, and what lies between reads as zeros.
	 */
	ssize_t (*preadv)(struct vhd_io *io, const struct iovec *iov, unsigned int count,
			  uint64_t offset);
	ssize_t (*pwritev)(struct vhd_io *io, const struct iovec *iov, unsigned int count,
			   uint64_t offset);
	/* All that was done before is on stable storage when it returns 0. */
	int (*sync)(struct vhd_io *io);
	/* Only called while a file is being opened. */
	int (*size)(struct vhd_io *io, uint64_t *ret_bytes);
	/* To fewer or more bytes; new ones read as zeros. */
	int (*truncate)(struct vhd_io *io, uint64_t bytes);
	/*
	 * Makes a range read as zeros without writing them, extending the file when it must. With
	 * @release its space goes back to the host, without it the space is reserved. -EOPNOTSUPP
	 * when the file system cannot.
	 */
	int (*zero)(struct vhd_io *io, uint64_t offset, uint64_t bytes, bool release);

	/* These may be NULL. Only called while a file is being opened. */
	int (*identity)(struct vhd_io *io, struct vhd_io_identity *ret_identity);
	/*
	 * How many of the @bytes from @offset on are like the first: a hole of the file, which reads
	 * as zeros, or not. Not called by machines.
	 */
	int (*extent)(struct vhd_io *io, uint64_t offset, uint64_t bytes, uint64_t *ret_bytes,
		      bool *ret_hole);
};

#define VHD_IO_IOV_MAX 64

/* On a descriptor: preadv, pwritev, fdatasync, fstat or lseek, ftruncate, fallocate; lseek. */
struct vhd_io_fd {
	struct vhd_io io;
	int fd; /* stays the caller's */
};

void vhd_io_fd_init(struct vhd_io_fd *file, int fd);

#endif
