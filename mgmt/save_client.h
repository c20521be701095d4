/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our end of a session with a machine that is saved, or held (vmm/save_session.h). */
#ifndef MGMT_SAVE_CLIENT_H
#define MGMT_SAVE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

struct client;
struct json_object;

/*
 * The session's socket, or -errno with one line in @error. Closing it gives everything up. *ret_disks, unless
 * that is NULL, tells which files the machine's disks are, and is to be put back.
 */
int save_client_begin(struct client *client, struct json_object **ret_disks, char *error,
		      size_t error_size);
/* @request, which is put back, or {} when NULL, with the member "action" and descriptors. 0 or -errno. */
int save_client_send(int session, const char *action, struct json_object *request, const int *fds,
		     unsigned int fd_count);
/*
 * Waits for the event @wanted, at most @timeout_s, 0: for ever. 0 with *ret_event, which may be NULL; else
 * -errno with the machine's reason, one line, in @error.
 */
int save_client_wait(int session, const char *wanted, unsigned int timeout_s,
		     struct json_object **ret_event, char *error, size_t error_size);
uint64_t save_client_number(struct json_object *event, const char *name);

#endif
