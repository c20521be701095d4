/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clocks of a machine stop and go on together: virtual time (power management timer, clock with the battery,
 * devices), the processors' time stamp counters, KVM's interval timer. None of them sees how long the machine stood.
 *
 * KVM does not tell how far the interval timer was in its period, and begins a new one when it is loaded. So one tick is
 * given at once, lest what a guest computes from ticks and counter goes back, and since that is half a period early on
 * average, the other clocks go on half a period later. Over many stops they stay together.
 *
 * They go on when the first processor does (vcpus.going): a guest that waits for its host's processors, as at the host's start,
 * would take the next tick together with that one, and be a period behind.
 *
 * The guest's wall clock is the host's, less a lag: all the time that the machine stood, where it is to be frozen.
 */
#ifndef VMM_TIMEKEEPING_H
#define VMM_TIMEKEEPING_H

#include <stdint.h>

struct machine;

/* With the machine lock, all vCPUs out of the guest. Stopping what stands and going when all goes has no effect. */
void time_stop(struct machine *machine);
void time_go(struct machine *machine);

/* The guest's wall clock, as nanoseconds of the host's time zone since 1970. */
int64_t time_wall_ns(const struct machine *machine);

#endif
