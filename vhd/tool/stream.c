// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "tool.h"

#define STEP_BYTES (512u << 10)
/* Zeros are looked for in pieces of this size. */
#define GRAIN_BYTES 65536u

int scratch_open(const char *near, char ret_path[32])
{
	char path[4096];
	const char *slash = strrchr(near, '/');
	int fd;

	snprintf(path, sizeof(path), "%.*s", slash ? (int)(slash - near + 1) : 1,
		 slash ? near : ".");
	fd = open(path, O_RDWR | O_TMPFILE, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		size_t length = strlen(path);

		snprintf(path + length, sizeof(path) - length, "%s.mainstay-vhd-XXXXXX",
			 slash ? "" : "/");
		fd = mkstemp(path);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0) {
		fail("%s: no temporary file beside it: %s", near, strerror(errno));
		return -1;
	}
	snprintf(ret_path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* Fills the buffer as far as the pipe's end allows. */
static ssize_t read_step(int fd, uint8_t *buffer, size_t bytes)
{
	size_t have = 0;

	while (have < bytes) {
		ssize_t n = read(fd, buffer + have, bytes - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static bool is_zero(const uint8_t *p, size_t bytes)
{
	return !bytes || (!p[0] && !memcmp(p, p + 1, bytes - 1));
}

static int write_step(struct vhd *vhd, uint64_t offset, uint8_t *p, size_t bytes, bool empty)
{
	int r = 0;

	while (bytes && r == 0) {
		size_t n = (size_t)min_u64(bytes, GRAIN_BYTES);
		struct iovec iov = { p, n };

		if (!is_zero(p, n)) {
			while (iov.iov_len < bytes &&
			       !is_zero(p + iov.iov_len, min_u64(GRAIN_BYTES, bytes - iov.iov_len)))
				iov.iov_len += min_u64(GRAIN_BYTES, bytes - iov.iov_len);
			n = iov.iov_len;
			r = vhd_write(vhd, offset, &iov, 1);
		} else if (!empty) {
			r = vhd_write_zeroes(vhd, offset, n);
		}
		p += n;
		offset += n;
		bytes -= n;
	}
	return r;
}

int stream_in(int fd, const char *name, struct disk *disk, uint64_t offset, uint64_t most,
	      bool empty, uint64_t *ret_bytes)
{
	uint8_t *buffer = malloc(STEP_BYTES);
	uint64_t done = 0;
	int status = buffer ? 0 : fail("out of memory");

	while (status == 0 && done < most) {
		ssize_t n = read_step(fd, buffer, (size_t)min_u64(STEP_BYTES, most - done));

		if (n < 0)
			status = fail("%s: %s", name, strerror((int)-n));
		if (n <= 0)
			break;
		if (write_step(disk->vhd, offset + done, buffer, (size_t)n, empty) < 0)
			status = fail("%s", vhd_error(disk->vhd));
		done += (uint64_t)n;
		if (cancel_asked())
			status = fail("%s: stopped after %llu bytes", disk->path,
				      (unsigned long long)done);
	}
	free(buffer);
	*ret_bytes = done;
	return status;
}

int stream_out(struct disk *disk, uint64_t offset, uint64_t bytes, int fd, const char *name)
{
	uint8_t *buffer = malloc(STEP_BYTES);
	int status = buffer ? 0 : fail("out of memory");

	while (status == 0 && bytes) {
		struct iovec iov = { buffer, (size_t)min_u64(STEP_BYTES, bytes) };
		int r;

		if (vhd_read(disk->vhd, offset, &iov, 1) < 0) {
			status = fail("%s", vhd_error(disk->vhd));
			break;
		}
		r = fd_write_full(fd, buffer, iov.iov_len);
		if (r < 0)
			status = fail("%s: %s", name, strerror(-r));
		offset += iov.iov_len;
		bytes -= iov.iov_len;
	}
	free(buffer);
	return status;
}

int stream_file(int from, const char *from_name, int to, const char *to_name)
{
	uint8_t *buffer = malloc(STEP_BYTES);
	int status = buffer ? 0 : fail("out of memory");

	while (status == 0) {
		ssize_t n = read_step(from, buffer, STEP_BYTES);
		int r;

		if (n < 0)
			status = fail("%s: %s", from_name, strerror((int)-n));
		if (n <= 0)
			break;
		r = fd_write_full(to, buffer, (size_t)n);
		if (r < 0)
			status = fail("%s: %s", to_name, strerror(-r));
	}
	free(buffer);
	return status;
}
