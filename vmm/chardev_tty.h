/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's line settings and modem lines on a terminal of the host. Loop thread. */
#ifndef VMM_CHARDEV_TTY_H
#define VMM_CHARDEV_TTY_H

#include <stdint.h>

#include "../devmodel/chario.h"

/*
 * Brings the terminal @fd from @old, NULL at first, to @line. What it does not have (modem lines of
 * a pseudo terminal, an odd speed) is left out.
 */
void chardev_tty_set(int fd, const struct chario_line *old, const struct chario_line *line);

/* CHARIO_CTS and so on; all but RI where the terminal has no such lines. */
uint8_t chardev_tty_lines(int fd);

#endif
