// SPDX-License-Identifier: GPL-2.0-or-later
/* The calls on a descriptor, and the lock that keeps two programs off one image. */
#include "vhd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/bits.h"
#include "vhd_io.h"

static int fd_of(struct vhd_io *io)
{
	return container_of(io, struct vhd_io_fd, io)->fd;
}

static ssize_t io_preadv(struct vhd_io *io, const struct iovec *iov, unsigned int count,
			 uint64_t offset)
{
	ssize_t n;

	do
		n = preadv(fd_of(io), iov, (int)count, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t io_pwritev(struct vhd_io *io, const struct iovec *iov, unsigned int count,
			  uint64_t offset)
{
	ssize_t n;

	do
		n = pwritev(fd_of(io), iov, (int)count, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int io_sync(struct vhd_io *io)
{
	int r;

	do
		r = fdatasync(fd_of(io));
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int io_size(struct vhd_io *io, uint64_t *ret_bytes)
{
	struct stat st;
	off_t end;

	/* The C library's fstat() makes a system call with a path, which a sandbox may not let pass. */
	if (syscall(SYS_fstat, fd_of(io), &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		*ret_bytes = (uint64_t)st.st_size;
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISBLK(st.st_mode))
		return -ESPIPE;
	end = lseek(fd_of(io), 0, SEEK_END);
	if (end < 0)
		return -errno;
	*ret_bytes = (uint64_t)end;
	return 0;
}

static int io_truncate(struct vhd_io *io, uint64_t bytes)
{
	int r;

	do
		r = ftruncate(fd_of(io), (off_t)bytes);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int io_zero(struct vhd_io *io, uint64_t offset, uint64_t bytes, bool release)
{
	int mode = release ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE;
	int r;

	do
		r = fallocate(fd_of(io), mode, (off_t)offset, (off_t)bytes);
	while (r < 0 && errno == EINTR);
	if (r < 0 && (errno == ENOSYS || errno == ENODEV))
		return -EOPNOTSUPP;
	return r < 0 ? -errno : 0;
}

static int io_identity(struct vhd_io *io, struct vhd_io_identity *ret_identity)
{
	struct stat st;

	if (syscall(SYS_fstat, fd_of(io), &st) < 0)
		return -errno;
	/* A device's node says nothing about its contents. */
	*ret_identity = (struct vhd_io_identity){
		.device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev,
		.inode = S_ISBLK(st.st_mode) ? 0 : st.st_ino,
		.modified_unix = S_ISBLK(st.st_mode) ? 0 : st.st_mtim.tv_sec,
	};
	return 0;
}

static int io_extent(struct vhd_io *io, uint64_t offset, uint64_t bytes, uint64_t *ret_bytes,
		     bool *ret_hole)
{
	off_t data = lseek(fd_of(io), (off_t)offset, SEEK_DATA), end;

	if (data < 0 && errno != ENXIO)
		return -errno;
	*ret_hole = data < 0 || (uint64_t)data > offset;
	if (*ret_hole) {
		*ret_bytes = data < 0 ? bytes : min_u64(bytes, (uint64_t)data - offset);
		return 0;
	}
	end = lseek(fd_of(io), (off_t)offset, SEEK_HOLE);
	if (end <= (off_t)offset)
		return -EOPNOTSUPP;
	*ret_bytes = min_u64(bytes, (uint64_t)end - offset);
	return 0;
}

static const struct vhd_io_ops fd_ops = {
	.preadv = io_preadv,
	.pwritev = io_pwritev,
	.sync = io_sync,
	.size = io_size,
	.truncate = io_truncate,
	.zero = io_zero,
	.identity = io_identity,
	.extent = io_extent,
};

void vhd_io_fd_init(struct vhd_io_fd *file, int fd)
{
	file->io.ops = &fd_ops;
	file->fd = fd;
}

int vhd_lock(int fd, bool exclusive)
{
	struct flock lock = {
		.l_type = exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void vhd_unlock(int fd)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)fcntl(fd, F_OFD_SETLK, &lock);
}
