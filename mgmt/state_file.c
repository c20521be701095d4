// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../vhd/vhd.h"

#define DRAFT ".new-"

static int fail(char *error, size_t error_size, const char *path, int r, const char *advice)
{
	snprintf(error, error_size, "%s: saved state: %s%s%s", path, strerror(-r),
		 *advice ? "; " : "", advice);
	return r;
}

static int make_temporary(struct state_draft *draft, int *ret_fd)
{
	if (snprintf(draft->temporary, sizeof(draft->temporary), "%s" DRAFT "XXXXXX",
		     draft->path) >= (int)sizeof(draft->temporary))
		return -ENAMETOOLONG;
	*ret_fd = mkostemp(draft->temporary, O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

int state_draft_new(struct state_draft *draft, const char *path, char *error, size_t error_size)
{
	struct stat st;
	int r;

	draft->fd = -1;
	if (snprintf(draft->path, sizeof(draft->path), "%s", path) >= (int)sizeof(draft->path))
		return fail(error, error_size, path, -ENAMETOOLONG, "");
	if (lstat(path, &st) == 0)
		return fail(error, error_size, path, -EEXIST, "remove it, or give another path");
	r = make_temporary(draft, &draft->fd);
	if (r < 0)
		return fail(error, error_size, path, r,
			    "give a path in a folder that exists and is yours");
	/* Should the host die, it tells that disks which are marked already have no state. */
	(void)file_sync_entry(path);
	return 0;
}

int state_draft_compact(struct state_draft *draft, int level, char *error, size_t error_size)
{
	struct state_draft plain = *draft;
	struct statefile file;
	char why[512];
	int r = statefile_open(&file, draft->fd, why, sizeof(why));

	if (r == 0) {
		r = make_temporary(draft, &draft->fd);
		if (r < 0)
			snprintf(why, sizeof(why), "%s", strerror(-r));
		else
			r = statefile_compact(&file, draft->fd, level, why, sizeof(why));
		statefile_close(&file);
	}
	if (r < 0)
		snprintf(error, error_size, "%s: %s", draft->path, why);
	state_draft_discard(&plain);
	return r;
}

int state_draft_commit(struct state_draft *draft, char *error, size_t error_size)
{
	int r = fdatasync(draft->fd) < 0 ? -errno : 0;

	/* A link, not a renaming: what somebody has put there meanwhile stays. */
	if (r == 0 && link(draft->temporary, draft->path) < 0)
		r = -errno;
	if (r == -EPERM || r == -EOPNOTSUPP)
		r = rename(draft->temporary, draft->path) < 0 ? -errno : 0;
	if (r == 0)
		r = file_sync_entry(draft->path);
	if (r < 0)
		return fail(error, error_size, draft->path, r, "");
	unlink(draft->temporary);
	draft->fd = fd_close(draft->fd);
	return 0;
}

void state_draft_discard(struct state_draft *draft)
{
	if (draft->fd >= 0)
		unlink(draft->temporary);
	draft->fd = fd_close(draft->fd);
}

int state_file_remove(const char *path)
{
	return unlink(path) < 0 ? -errno : file_sync_entry(path);
}

unsigned int state_file_drafts(const char *path, bool remove)
{
	char folder[PATH_MAX], name[PATH_MAX];
	const struct dirent *entry;
	unsigned int count = 0;
	size_t length;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s", path);
	snprintf(name, sizeof(name), "%s" DRAFT, basename(folder));
	length = strlen(name);
	snprintf(folder, sizeof(folder), "%s", path);
	dir = opendir(dirname(folder));
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, name, length) ||
		    strlen(entry->d_name) != length + strlen("XXXXXX"))
			continue;
		count++;
		if (remove)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	return count;
}

void state_file_leave_draft(const char *path)
{
	char name[PATH_MAX];
	int fd = -1;

	if (snprintf(name, sizeof(name), "%s" DRAFT "failed", path) < (int)sizeof(name))
		fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	close(fd);
	(void)file_sync_entry(path);
}

int state_file_lock(const char *path, char *error, size_t error_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return fail(error, error_size, path, -errno,
			    errno == ENOENT ? "'mainstay save NAME FILE' makes one" : "");
	r = vhd_lock(fd, false);
	if (r == 0)
		return fd;
	close(fd);
	return fail(error, error_size, path, r, "another program writes to it");
}

int state_file_open(const char *path, struct statefile *ret_file, char *error, size_t error_size)
{
	int fd = state_file_lock(path, error, error_size);
	char why[512];
	int r;

	if (fd < 0)
		return fd;
	r = statefile_open(ret_file, fd, why, sizeof(why));
	if (r == 0)
		return fd;
	snprintf(error, error_size, "%s: %s", path, why);
	close(fd);
	return r;
}
