/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on the desk in front of a machine: its screen, keyboard and mouse, and the people who
 * sit there over the network (rfb.h).
 */
#ifndef VMM_DESK_H
#define VMM_DESK_H

#include <stddef.h>

struct desk;
struct display;
struct input;
struct loop;
struct typist;
struct vm_config;

/*
 * @display and @input are the machine's. The desk owns the descriptor in the configuration unless it
 * fails. 0, or -errno with one line in @error.
 */
int desk_new(struct loop *loop, const struct vm_config *config, struct display *display,
	     struct input *input, struct desk **ret_desk, char *error, size_t error_size);
void desk_free(struct desk *desk);

struct typist *desk_typist(struct desk *desk);
/* How many people look at the screen, observers among them. */
unsigned int desk_viewers(const struct desk *desk);

#endif
