/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device test port: the complete machine, driven through text (qtest.h) in place of a processor.
 *
 * One client at a time; the next waits until it has gone. A client that was given as a connection ends
 * the machine when it hangs up. Virtual time stands but for clock_step and clock_set, and disks are
 * waited for before it moves: a test that steps sees the same each time, however slow the host is.
 */
#ifndef VMM_DEVTEST_H
#define VMM_DEVTEST_H

struct devtest;
struct loop;
struct machine;

/*
 * Serves config->devtest of @machine, whose descriptor it owns from now on. Before the loop runs. 0 or
 * -errno. Free it before the machine, in the loop thread.
 */
int devtest_new(struct loop *loop, struct machine *machine, struct devtest **ret_devtest);
void devtest_free(struct devtest *devtest);

#endif
