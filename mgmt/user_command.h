/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that the user gives to be run beside what we do: they stop a database, or copy a disk. */
#ifndef MGMT_USER_COMMAND_H
#define MGMT_USER_COMMAND_H

#include <stddef.h>

struct user_command {
	const char *text;	 /* for a shell; NULL: none, which is no error */
	const char *machine;	 /* its $MAINSTAY_MACHINE */
	const char *target;	 /* and $MAINSTAY_TARGET */
	void (*waiting)(int fd); /* called every few seconds while it runs; NULL: nothing to do */
	int fd;
};

/* 0 when it has ended with exit status 0, or -errno with one line in @error. */
int user_command_run(const struct user_command *command, char *error, size_t error_size);

#endif
