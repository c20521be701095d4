/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that work for us beside the machines: the switch, passt, dnsmasq. They get the descriptors
 * that are given, and nothing else of ours.
 */
#ifndef MGMT_HELPER_PROGRAM_H
#define MGMT_HELPER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HELPER_FDS_MAX 4
#define HELPER_SELF "/proc/self/exe" /* this very program */

struct helper {
	/* Ours (mainstay-...): found beside us or where it is installed; others in PATH. */
	const char *program;
	char *const *argv;
	int fds[HELPER_FDS_MAX]; /* become 3, 4, ... */
	unsigned int fd_count;
	int stderr_fd; /* -1: nobody hears it */
	bool detach;   /* lives on without us; else it gets SIGTERM when we die */
	/* Runs in the child before the program, with its descriptors in place; 0 or -errno. */
	int (*prepare)(void *opaque);
	void *opaque;
	pid_t pid; /* not with detach */
};

/* The program's path, or -ENOENT with one line in @error. */
int helper_find(const char *program, char *path, size_t size, char *error, size_t error_size);
/* 0, or -errno with one line in @error. */
int helper_start(struct helper *helper, char *error, size_t error_size);

#endif
