/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals as events, for verbs that wait for several things at a time. */
#ifndef MGMT_SIGNALS_H
#define MGMT_SIGNALS_H

#include <signal.h>
#include <stddef.h>

/*
 * Blocks the @count @signals and returns a descriptor that they are read from, without waiting; dies
 * when there is none. SIGPIPE is ignored. *ret_old, unless NULL, is what was blocked before.
 */
int signals_catch(const int *signals, size_t count, sigset_t *ret_old);

#endif
