/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talks to a running machine: requests and replies on its control socket (vmm/control.h). */
#ifndef MGMT_CLIENT_H
#define MGMT_CLIENT_H

#include <stddef.h>
#include <sys/types.h>

#include "runtime_dir.h"

struct json_object;

struct client {
	int folder_fd, lock_fd, fd; /* of the runtime folder, its lock and the control socket */
	pid_t pid;		    /* of the starter; 0: unknown */
	const char *name;
};

/* Connects to the machine @name, kept by reference. 0, or -errno with one line in @error. */
int client_open(struct client *client, const struct runtime_base *base, const char *name,
		char *error, size_t error_size);
void client_close(struct client *client);

/*
 * Sends @command and waits for the reply, at most 10 s. *ret_result, which may be NULL inside, is
 * to be put back with json_object_put(). 0, or -errno with one line in @error.
 */
int client_call(struct client *client, const char *command, struct json_object **ret_result,
		char *error, size_t error_size);

/*
 * The same for @request, an object with the member "command" and its arguments, and a descriptor
 * that goes along, -1: none.
 */
int client_request(struct client *client, struct json_object *request, int fd,
		   struct json_object **ret_result, char *error, size_t error_size);

/* Only sends; for who has no time to wait. */
int client_send(int fd, const char *command);

/*
 * Waits at most @timeout_s until the machine has ended and its starter has cleaned up: 0, or
 * -ETIMEDOUT.
 */
int client_wait_end(struct client *client, unsigned int timeout_s);

#endif
