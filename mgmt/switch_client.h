/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Speaking with the switch (net/control.h), and starting it when nobody has yet.
 *
 *	BASE/.switch/control	its listening socket
 *	BASE/.switch/lock	held while somebody starts it
 *
 * BASE is that of runtime_dir.h; no machine's name begins with a dot.
 */
#ifndef MGMT_SWITCH_CLIENT_H
#define MGMT_SWITCH_CLIENT_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stddef.h>

struct runtime_base;

/* Bytes of a port's or network's name, with its end (net/switch.h). */
#define SWITCH_PORT_NAME_MAX 65

/*
 * A connection to the switch of BASE, which is started with @start when none runs. 0, -ENOENT without
 * a line where none runs, or -errno with one line in @error.
 */
int switch_connect(const struct runtime_base *base, bool start, int *ret_fd, char *error,
		   size_t error_size);

/*
 * Asks and waits for the answer. @fd: sent along, -1: none. Up to *count descriptors that come with
 * the answer go to @fds, both may be NULL. 0 with the answer, which is the caller's to put, or -errno
 * with one line in @error: the switch's own where it refused.
 */
int switch_request(int socket, json_object *request, int fd, int *fds, unsigned int *count,
		   json_object **ret_answer, char *error, size_t error_size);

/* A request that begins { "op": @op, "network": @network }; NULL: without. */
json_object *switch_message(const char *op, const char *network);

#endif
