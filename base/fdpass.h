/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages with descriptors over a connected unix socket of type SOCK_SEQPACKET: one message is one
 * send, whole or not at all, so that neither side has to find its end.
 */
#ifndef BASE_FDPASS_H
#define BASE_FDPASS_H

#include <stddef.h>

#define FDPASS_MAX_FDS 240 /* the kernel takes 253 */

/* 0 or -errno. @count from 0 to FDPASS_MAX_FDS. */
int fdpass_send(int socket, const void *data, size_t size, const int *fds, unsigned int count);

/*
 * Waits for one message of at most @size bytes and @*count descriptors, which are set
 * close-on-exec. *ret_size is 0 when the peer has closed. A longer message or more descriptors:
 * -EMSGSIZE, and the descriptors that came are closed. On success *count is how many came, in
 * order.
 */
int fdpass_receive(int socket, void *buffer, size_t size, size_t *ret_size, int *fds,
		   unsigned int *count);

#endif
