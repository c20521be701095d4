/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole reads and writes on descriptors, and replacing a file in one step. */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Closes @fd when it is not negative; keeps errno. Returns -1, to store in its place. */
int fd_close(int fd);

/* All @size bytes, whatever the kernel returns at a time. 0, -EIO at end of file, or -errno. */
int fd_read_full(int fd, void *buffer, size_t size);
int fd_pread_full(int fd, void *buffer, size_t size, uint64_t offset);
int fd_write_full(int fd, const void *buffer, size_t size);
int fd_pwrite_full(int fd, const void *buffer, size_t size, uint64_t offset);

/*
 * Reads a whole file of at most @max bytes. The caller frees *ret_data, which has a NUL behind its
 * last byte. 0, -EFBIG or -errno.
 */
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_size);
int fd_read_all(int fd, size_t max, char **ret_data, size_t *ret_size);

/*
 * Replaces @path by the @size bytes at @data with mode @mode so that a reader, or a host that loses
 * power, sees the old or the new contents and nothing between. 0 or -errno.
 */
int file_replace(const char *path, const void *data, size_t size, mode_t mode);

/*
 * Puts what became of the name @path, made, renamed or removed, on stable storage. A file system that
 * cannot sync folders counts as having done so. 0 or -errno.
 */
int file_sync_entry(const char *path);

#endif
