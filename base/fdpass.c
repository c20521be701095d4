// SPDX-License-Identifier: GPL-2.0-or-later
#include "fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control_buffer {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(FDPASS_MAX_FDS * sizeof(int))];
};

int fdpass_send(int socket, const void *data, size_t size, const int *fds, unsigned int count)
{
	union control_buffer control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (count > FDPASS_MAX_FDS)
		return -EINVAL;
	if (count) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EMSGSIZE;
}

/* The descriptors of @message into @fds, at most @max; the others are closed. The number that came.
 */
static unsigned int collect_fds(struct msghdr *message, int *fds, unsigned int max)
{
	unsigned int came = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		size_t count;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++, came++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (came < max)
				fds[came] = fd;
			else
				close(fd);
		}
	}
	return came;
}

int fdpass_receive(int socket, void *buffer, size_t size, size_t *ret_size, int *fds,
		   unsigned int *count)
{
	union control_buffer control = { 0 };
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	unsigned int came;
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	came = collect_fds(&message, fds, *count);
	if (came > *count || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (unsigned int i = 0; i < came && i < *count; i++)
			close(fds[i]);
		return -EMSGSIZE;
	}
	*count = came;
	*ret_size = (size_t)n;
	return 0;
}
