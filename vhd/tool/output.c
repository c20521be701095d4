// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that appear whole or not at all. The unfinished one has a name of its own, which is known
 * here so that it can be removed when a signal ends the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/fdio.h"
#include "tool.h"

/* Whether the file at @path, if there is one, may be replaced. */
static int check_old(const char *path, bool force)
{
	struct stat st;
	int fd, r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail("%s: %s", path, strerror(errno));
	if (!force)
		return fail("%s: exists already; --force replaces it", path);
	if (!S_ISREG(st.st_mode))
		return fail("%s: is no regular file and is not replaced", path);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail("%s: %s", path, strerror(errno));
	r = vhd_lock(fd, true);
	fd_close(fd);
	if (r == -EBUSY)
		return fail("%s: is in use by another program", path);
	return r < 0 ? fail("%s: cannot be locked: %s", path, strerror(-r)) : 0;
}

int output_open(struct output *output, const char *path, bool force)
{
	int status = check_old(path, force);

	*output = (struct output){ .fd = -1, .path = path, .replace = force };
	if (status != 0)
		return status;
	if (snprintf(output->temporary, sizeof(output->temporary), "%s.new-XXXXXX", path) >=
	    (int)sizeof(output->temporary))
		return fail("%s: the name is too long", path);
	cancel_block();
	output->fd = mkostemp(output->temporary, O_CLOEXEC);
	if (output->fd >= 0)
		cancel_remove(output->temporary);
	cancel_unblock();
	if (output->fd < 0)
		return fail("%s: cannot be made: %s", path, strerror(errno));
	return 0;
}

static int put_in_place(const struct output *output)
{
	int r = renameat2(AT_FDCWD, output->temporary, AT_FDCWD, output->path,
			  output->replace ? 0 : RENAME_NOREPLACE);

	/* Some file systems cannot do that in one step, but know hard links. */
	if (r < 0 && errno == EINVAL && !output->replace) {
		r = link(output->temporary, output->path);
		if (r == 0)
			unlink(output->temporary);
	}
	return r;
}

int output_commit(struct output *output, bool sync)
{
	mode_t mask = umask(0);
	int r;

	umask(mask);
	if (fchmod(output->fd, 0666 & ~mask) < 0 || (sync && fsync(output->fd) < 0))
		return fail("%s: %s", output->path, strerror(errno));
	cancel_block();
	r = put_in_place(output);
	if (r == 0)
		cancel_remove(NULL);
	cancel_unblock();
	if (r < 0 && errno == EEXIST)
		return fail("%s: exists already; --force replaces it", output->path);
	if (r < 0)
		return fail("%s: %s", output->path, strerror(errno));
	output->temporary[0] = '\0';
	r = sync ? file_sync_entry(output->path) : 0;
	return r < 0 ? fail("%s: its folder: %s", output->path, strerror(-r)) : 0;
}

void output_discard(struct output *output)
{
	output->fd = fd_close(output->fd);
	if (!output->temporary[0])
		return;
	cancel_block();
	unlink(output->temporary);
	cancel_remove(NULL);
	cancel_unblock();
	output->temporary[0] = '\0';
}
