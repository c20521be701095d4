/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time: the host's monotonic clock less all the time that the machine stood still. Or, on a
 * device test port, a number that only clock_move() changes.
 */
#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The host's. */
uint64_t monotonic_ns(void);

struct clock {
	uint64_t offset_ns; /* monotonic less virtual time, while running */
	uint64_t frozen_ns; /* virtual time, while stopped */
	bool running;
	bool stepped; /* never runs by itself */
};

/* Virtual time is 0 and stands. */
void clock_init(struct clock *clock);
uint64_t clock_now(const struct clock *clock);
void clock_start(struct clock *clock);
void clock_stop(struct clock *clock);
/* A stepped clock is at @virtual_ns now, which is not before what it showed. */
void clock_move(struct clock *clock, uint64_t virtual_ns);
/* The host's monotonic moment that will be virtual time @virtual_ns; the clock runs. */
uint64_t clock_to_monotonic(const struct clock *clock, uint64_t virtual_ns);

#endif
