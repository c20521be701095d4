/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: JSON lines over a unix stream socket that the starter has bound.
 *
 * A request is one line of at most 4096 bytes: { "command": "status", "id": ANY }; further members
 * are the command's arguments. The reply is one line: { "id": ANY, "ok": true, "result": { ... } }
 * or { "id": ANY, "ok": false, "error": "one line for people" }. An id may be left out. A descriptor
 * for a command that takes one (insert) is sent along with the line (SCM_RIGHTS); one at a time. The
 * commands are one table in control.c. At most 8 clients at a time; a client that sends an
 * over-long line or does not read its replies is dropped, and never slows the guest; a ninth takes
 * the place of the one that has been silent longest. Who may connect is up to the file mode that
 * the starter gave the socket.
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include "sandbox.h"

struct control;
struct loop;
struct machine;

/* Serves @listen_fd, a listening socket that the control owns unless it fails. 0 or -errno. */
int control_new(struct loop *loop, struct machine *machine, int listen_fd,
		enum sandbox_level sandbox, struct control **ret_control);
void control_free(struct control *control);

#endif
