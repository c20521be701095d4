/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the lines of a control socket ask for (control.h); control.c has the sockets. */
#ifndef VMM_CONTROL_COMMANDS_H
#define VMM_CONTROL_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

struct json_object;
struct json_tokener;
struct machine;

struct command_context {
	struct machine *machine;
	enum sandbox_level sandbox;
	uint64_t started_ns;
	struct json_tokener *tokener;
	char error[512]; /* of the command that runs */
};

/* 0 or -errno; command_context_fini() in both cases. */
int command_context_init(struct command_context *context, struct machine *machine,
			 enum sandbox_level sandbox);
void command_context_fini(struct command_context *context);

/*
 * Carries out one line without its end and makes the reply, the caller's to put away. *@fd is the
 * descriptor that came along, -1: none; it is -1 afterwards when a command has taken it.
 */
struct json_object *command_answer(struct command_context *context, const char *line, size_t size,
				   int *fd);

#endif
