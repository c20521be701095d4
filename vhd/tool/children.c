// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nothing in a disk tells who its children are. They are looked for where they mostly are, in its
 * own folder: an image there that has recorded the disk's id as its parent's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/fdio.h"
#include "tool.h"

/* Of a folder that holds something else altogether; a look at each costs a few reads. */
#define FILES_MAX 20000

const char children_help[] = "even if images in its folder have it as their parent";

static bool is_child(int folder, const char *name, const uint8_t id[16])
{
	struct vhd_file file = { .name = name };
	char start[8], error[VHD_ERROR_BYTES];
	struct vhd_info info;
	struct stat st;
	bool child = false;

	file.fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (file.fd < 0)
		return false;
	if (fstat(file.fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    fd_pread_full(file.fd, start, sizeof(start), 0) == 0 && !memcmp(start, "conectix", 8))
		child = vhd_probe(&file, &info, error, sizeof(error)) == 0 &&
			info.type == VHD_DIFFERENCING && !memcmp(info.parent_id, id, 16);
	fd_close(file.fd);
	return child;
}

int refuse_children(const char *path, const uint8_t id[16], const char *but, const char *what)
{
	char real[PATH_MAX];
	struct dirent *entry;
	int status = 0;
	char *slash;
	DIR *dir;

	if (!realpath(path, real))
		return fail("%s: %s", path, strerror(errno));
	slash = strrchr(real, '/');
	slash[slash == real] = '\0';
	dir = opendir(real);
	if (!dir)
		return fail("%s: its folder cannot be searched for its children: %s; "
			    "--ignore-children goes on without that",
			    path, strerror(errno));
	for (int n = 0; status == 0 && n < FILES_MAX && (entry = readdir(dir)); n++) {
		if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN)
			continue;
		if ((!but || strcmp(entry->d_name, file_name(but))) &&
		    is_child(dirfd(dir), entry->d_name, id))
			status = fail("%s: is the parent of %s, which %s would make worthless; "
				      "--ignore-children does it all the same",
				      path, entry->d_name, what);
	}
	closedir(dir);
	return status;
}
