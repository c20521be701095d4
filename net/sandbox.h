/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch gives up all that it does not need: no path, no new socket, no process. Every descriptor
 * beyond its own comes over the control socket.
 */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

/* Before the first message is read. Dies with one line where the kernel refuses the filter. */
void switch_sandbox(void);

#endif
