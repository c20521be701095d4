/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parallel port of the host with a printer on it. The host's driver makes whoever writes wait for a printer that is
 * off-line or out of paper, and has no way to be told when it goes on; a machine must never wait. So a process of its
 * own carries what the guest prints from a pipe to the port, and ends some time after the machine, when all is on
 * paper.
 */
#ifndef MGMT_PRINTER_H
#define MGMT_PRINTER_H

/*
 * Claims the port @path (like /dev/parport0) and starts the process: the pipe's end that the guest's bytes are to be
 * written to, or -errno when it is no parallel port, is somebody else's, or cannot be opened.
 */
int printer_start(const char *path);

/*
 * Carries bytes from the pipe @from to @port until the pipe ends, or the port fails for good: 0 or -errno. @path is for
 * messages: one line when the printer takes nothing, one when it goes on.
 */
int printer_carry(int from, int port, const char *path);

#endif
