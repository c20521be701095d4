/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding and starting a viewer of this host. */
#ifndef MGMT_VIEW_H
#define MGMT_VIEW_H

#include <stdbool.h>

struct view_command {
	char program[512];
	const char *prefix; /* of the socket's path in its argument */
};

/* Whether there is a display that a viewer could open a window on. */
bool view_has_display(void);
/* A viewer that can connect to a unix socket. */
bool view_find_viewer(struct view_command *ret_command);
/* Starts the viewer as a program of its own. 0 or -errno. */
int view_spawn(const struct view_command *command, const char *socket);
/* Becomes the viewer; returns only when that fails, with errno. */
void view_exec(const struct view_command *command, const char *socket);

#endif
