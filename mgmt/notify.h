/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service tells systemd: sd_notify(3) and sd_watchdog_enabled(3), whose protocol is a promise of systemd's. By
 * ourselves, since libsystemd brings five more libraries, which every start of the program would pay for.
 */
#ifndef MGMT_NOTIFY_H
#define MGMT_NOTIFY_H

#include <stdint.h>

/* Lines such as "READY=1". Nothing happens where nobody listens ($NOTIFY_SOCKET). */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How often systemd wants to hear WATCHDOG=1 from this process at the least, in microseconds; 0: it does not. */
uint64_t notify_watchdog_us(void);

#endif
