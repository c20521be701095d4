// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Source: ioctl_tty(2), termios(3). The kernel's own struct termios2 is used, since the guest's
 * divisor gives any speed. Bytes pass as they are: no flow control, no signals, no echo.
 */
#include "chardev_tty.h"

#include <asm/termbits.h>
#include <sys/ioctl.h>

static void set_format(int fd, const struct chario_line *line)
{
	static const uint32_t sizes[] = { CS5, CS6, CS7, CS8 };
	struct termios2 t = { .c_cflag = CREAD | CLOCAL | BOTHER | BOTHER << IBSHIFT };

	t.c_cflag |= sizes[(line->bits - 5) & 3];
	t.c_cflag |= line->stop == 2 ? CSTOPB : 0;
	t.c_cflag |= line->parity ? PARENB : 0;
	t.c_cflag |= line->parity_odd ? PARODD : 0;
	t.c_cflag |= line->parity_stick ? CMSPAR : 0;
	t.c_ispeed = t.c_ospeed = line->baud;
	t.c_cc[VMIN] = 1;
	(void)ioctl(fd, TCSETS2, &t);
}

static bool same_format(const struct chario_line *a, const struct chario_line *b)
{
	return a->baud == b->baud && a->bits == b->bits && a->stop == b->stop &&
	       a->parity == b->parity && a->parity_odd == b->parity_odd &&
	       a->parity_stick == b->parity_stick;
}

void chardev_tty_set(int fd, const struct chario_line *old, const struct chario_line *line)
{
	int lines = (line->dtr ? TIOCM_DTR : 0) | (line->rts ? TIOCM_RTS : 0);

	/* Speed 0 would hang up. */
	if (line->baud && (!old || !same_format(old, line)))
		set_format(fd, line);
	if (!old || old->dtr != line->dtr || old->rts != line->rts)
		(void)ioctl(fd, TIOCMSET, &lines);
	if (old ? old->sending_break != line->sending_break : line->sending_break)
		(void)ioctl(fd, line->sending_break ? TIOCSBRK : TIOCCBRK, 0);
}

uint8_t chardev_tty_lines(int fd)
{
	int lines;

	if (ioctl(fd, TIOCMGET, &lines) < 0)
		return CHARIO_CTS | CHARIO_DSR | CHARIO_DCD;
	return (uint8_t)((lines & TIOCM_CTS ? CHARIO_CTS : 0) |
			 (lines & TIOCM_DSR ? CHARIO_DSR : 0) | (lines & TIOCM_RI ? CHARIO_RI : 0) |
			 (lines & TIOCM_CD ? CHARIO_DCD : 0));
}
