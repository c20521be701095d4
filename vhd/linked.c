// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks linked to a block device of the host.
 *
 * A device that the host uses in any way - mounted, swap space, part of another device such as a
 * volume group, or a partition or the whole of one that is - can only be read: two systems that
 * write to one file system destroy it. The kernel tells what belongs together in /sys: a partition's
 * folder lies in its disk's, and users are in "holders".
 */
#include "linked.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/fdio.h"

#define FIRST_LINE "mainstay linked disk 1\n"
#define FILE_BYTES_MAX 8192
#define FOLDER "/dev/disk/"

bool vhd_is_linked(int fd)
{
	char start[sizeof(FIRST_LINE) - 1];

	return pread(fd, start, sizeof(start), 0) == (ssize_t)sizeof(start) &&
	       !memcmp(start, FIRST_LINE, sizeof(start));
}

/* --- what the host does with it */

/* The device's folder in /sys; "" when it is not known. */
static void find_folder(dev_t device, char ret_path[PATH_MAX])
{
	char link[64];

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(device), minor(device));
	if (!realpath(link, ret_path))
		ret_path[0] = '\0';
}

/* Whether one is the other, or a partition of it. */
static bool is_related(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), shorter = la < lb ? la : lb;

	if (!la || !lb || strncmp(a, b, shorter))
		return false;
	return la == lb || (la < lb ? b[la] : a[lb]) == '/';
}

static bool is_mounted(const char *folder)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[8192], other[PATH_MAX];
	unsigned int first, second;
	bool found = false;

	while (mounts && !found && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*d %*d %u:%u", &first, &second) != 2)
			continue;
		find_folder(makedev(first, second), other);
		found = is_related(folder, other);
	}
	if (mounts)
		fclose(mounts);
	return found;
}

static bool is_swap(const char *folder)
{
	FILE *swaps = fopen("/proc/swaps", "re");
	char line[4096], path[PATH_MAX], other[PATH_MAX];
	bool found = false;
	struct stat st;

	while (swaps && !found && fgets(line, sizeof(line), swaps)) {
		if (sscanf(line, "%4095s", path) != 1 || stat(path, &st) < 0 ||
		    !S_ISBLK(st.st_mode))
			continue;
		find_folder(st.st_rdev, other);
		found = is_related(folder, other);
	}
	if (swaps)
		fclose(swaps);
	return found;
}

/* Whether the folder @path of /sys has "holders" that is not empty. */
static bool has_holders(const char *path)
{
	char holders[PATH_MAX + 16];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(holders, sizeof(holders), "%s/holders", path);
	dir = opendir(holders);
	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return found;
}

/* Of the device, its partitions, and the disk that it is a partition of. */
static bool is_held(const char *folder)
{
	char path[2 * PATH_MAX], *slash;
	struct dirent *entry;
	bool found = has_holders(folder);
	DIR *dir = opendir(folder);

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		found = entry->d_name[0] != '.' && has_holders(path);
	}
	if (dir)
		closedir(dir);
	snprintf(path, sizeof(path), "%s", folder);
	slash = strrchr(path, '/');
	if (!found && slash) {
		*slash = '\0';
		found = has_holders(path);
	}
	return found;
}

static bool is_in_use(dev_t device)
{
	char folder[PATH_MAX];

	find_folder(device, folder);
	/* What is not known is not written to. */
	return !*folder || is_mounted(folder) || is_swap(folder) || is_held(folder);
}

/* --- the file */

static int fail(char *error, size_t size, int r, const char *name, const char *text,
		const char *what)
{
	snprintf(error, size, "%s: linked disk: %s%s", name, text, what);
	return r;
}

/* The path, and whether it may be written to; lines end in one '\n'. */
static int parse(char *text, const char *name, char **ret_path, bool *ret_read_only, char *error,
		 size_t error_size)
{
	char *save = NULL, *line = strtok_r(text + strlen(FIRST_LINE), "\n", &save);

	*ret_path = NULL;
	*ret_read_only = false;
	for (; line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "device ", 7) && !*ret_path)
			*ret_path = line + 7;
		else if (!strcmp(line, "readonly"))
			*ret_read_only = true;
		else if (*line && *line != '#')
			return fail(error, error_size, -EUCLEAN, name,
				    "a line is neither \"device PATH\" nor \"readonly\": ", line);
	}
	if (!*ret_path)
		return fail(error, error_size, -EUCLEAN, name, "no line \"device PATH\"", "");
	if (strncmp(*ret_path, FOLDER, strlen(FOLDER)) || strstr(*ret_path, "/../"))
		return fail(error, error_size, -EUCLEAN, name,
			    "the device must be named by a path below " FOLDER ", not ", *ret_path);
	return 0;
}

static int open_device(const char *path, const char *name, bool *read_only, char *error,
		       size_t error_size)
{
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return fail(error, error_size, -errno, name, strerror(errno), path);
	if (!S_ISBLK(st.st_mode))
		return fail(error, error_size, -ENOTBLK, name, "not a block device: ", path);
	*read_only = *read_only || is_in_use(st.st_rdev);
	/* The kernel knows best who uses it, and keeps others out as long as we have it. */
	fd = *read_only ? -1 : open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0 && (*read_only || errno == EBUSY || errno == EROFS)) {
		*read_only = true;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd >= 0)
		return fd;
	snprintf(error, error_size, "%s: linked disk: %s: %s%s", name, path, strerror(errno),
		 errno == EACCES ? "; become a member of the group disk, or root" : "");
	return -errno;
}

int vhd_open_linked(int fd, const char *name, bool *read_only, char *error, size_t error_size)
{
	bool forbidden;
	size_t size;
	char *text, *path;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return fail(error, error_size, -errno, name, strerror(errno), "");
	r = fd_read_all(fd, FILE_BYTES_MAX, &text, &size);
	if (r < 0)
		return fail(error, error_size, r, name, strerror(-r), "");
	r = strlen(text) == size
		    ? parse(text, name, &path, &forbidden, error, error_size)
		    : fail(error, error_size, -EUCLEAN, name, "the file holds a NUL", "");
	if (r == 0) {
		*read_only |= forbidden;
		r = open_device(path, name, read_only, error, error_size);
	}
	free(text);
	return r;
}
