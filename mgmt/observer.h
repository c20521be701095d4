/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at a machine's screen without being in anybody's way: an RFB observer (vmm/rfb_viewer.h) on
 * the machine's display socket. What the machine's process sends is not trusted.
 */
#ifndef MGMT_OBSERVER_H
#define MGMT_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBSERVER_SIZE_MAX 4096u

struct observer {
	int fd;
	uint32_t width, height;
	uint32_t *pixels; /* 00RRGGBBh, lines of @width */
	/* What the last update changed; nothing while left >= right. */
	uint32_t left, top, right, bottom;
	bool resized; /* by the last update, which changed everything */
};

/*
 * The greeting on the connected socket @fd, which is the observer's from here on. 0, or -errno with
 * one line in @error. observer_close() in both cases.
 */
int observer_open(struct observer *observer, int fd, char *error, size_t error_size);
void observer_close(struct observer *observer);

/* Asks for the whole picture, or for what changes from here on. 0 or -errno. */
int observer_request(struct observer *observer, bool incremental);
/*
 * Takes the update that was asked for; poll() the descriptor to know when it comes. Waits at most
 * 10 s for the rest of one that has begun. 0, or -errno: -ECONNRESET when the machine has ended.
 */
int observer_take(struct observer *observer);
/* All of the picture, now. */
int observer_look(struct observer *observer);

#endif
