// SPDX-License-Identifier: GPL-2.0-or-later
#include "net_plug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "runtime_dir.h"

#define ANSWER_TIMEOUT_S 20

static int make_socket(int folder_fd, struct sockaddr_un *ret_address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
		 "/proc/self/fd/%d/" NET_PLUG_SOCKET, folder_fd);
	return fd < 0 ? -errno : fd;
}

int net_plug_listen(int folder_fd, int *ret_fd)
{
	struct sockaddr_un address;
	int fd = make_socket(folder_fd, &address), r = 0;

	if (fd < 0)
		return fd;
	/* Of a starter that was killed: the folder is ours alone. */
	unlinkat(folder_fd, NET_PLUG_SOCKET, 0);
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 8) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int ask(int folder_fd, const char *request, char *answer, size_t size)
{
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	struct sockaddr_un address;
	int fd = make_socket(folder_fd, &address), r = 0;
	ssize_t n = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 ||
	    (n = recv(fd, answer, size - 1, 0)) < 0)
		r = -errno;
	answer[n < 0 ? 0 : n] = '\0';
	close(fd);
	return r == 0 && n == 0 ? -ECONNRESET : r;
}

int net_plug_ask(const char *machine, unsigned int adapter, const char *network, char *error,
		 size_t error_size)
{
	char request[NET_PLUG_MAX], answer[NET_PLUG_MAX] = "";
	struct runtime_base base;
	int folder_fd = -1, lock_fd = -1, r;
	pid_t pid;

	r = runtime_base_open(&base, false, error, error_size);
	if (r < 0)
		return r;
	r = runtime_dir_open(&base, machine, &folder_fd, &lock_fd, &pid);
	runtime_base_close(&base);
	if (r < 0) {
		snprintf(error, error_size, "%s: no machine of this name is running", machine);
		return r;
	}
	snprintf(request, sizeof(request), "%u %s", adapter, network);
	r = ask(folder_fd, request, answer, sizeof(answer));
	fd_close(folder_fd);
	fd_close(lock_fd);
	if (r < 0)
		snprintf(error, error_size, "%s: its starter does not answer: %s", machine,
			 strerror(-r));
	else if (strcmp(answer, "ok")) {
		snprintf(error, error_size, "%s", answer);
		r = -EINVAL;
	}
	return r;
}
