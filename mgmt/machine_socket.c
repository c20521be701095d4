// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine_socket.h"

#include <errno.h>
#include <stdio.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"

int machine_folder_open(const char *name)
{
	struct runtime_base base;
	int folder_fd, lock_fd, r;
	char error[1024];
	pid_t pid;

	if (!name_is_valid(name))
		die("%s: cannot be the name of a machine; 'mainstay list' shows those that run",
		    name);
	r = runtime_base_open(&base, false, error, sizeof(error));
	if (r < 0 && r != -ENOENT)
		die("%s", error);
	if (r == 0)
		r = runtime_dir_open(&base, name, &folder_fd, &lock_fd, &pid);
	if (r < 0)
		die("%s: no such machine is running; 'mainstay list' shows those that run", name);
	fd_close(lock_fd);
	runtime_base_close(&base);
	return folder_fd;
}

void machine_socket_path(const char *name, const char *socket, char *ret_path, size_t size)
{
	struct runtime_base base;
	char error[1024];

	if (runtime_base_open(&base, false, error, sizeof(error)) < 0)
		die("%s", error);
	snprintf(ret_path, size, "%s/%s/%s", base.path, name, socket);
	runtime_base_close(&base);
}

int machine_socket_connect(const char *name, const char *socket)
{
	const int folder_fd = machine_folder_open(name);
	int fd, r = runtime_socket_connect(folder_fd, socket, &fd);

	fd_close(folder_fd);
	return r < 0 ? r : fd;
}
