// SPDX-License-Identifier: GPL-2.0-or-later
#include "clock.h"

#include <assert.h>
#include <time.h>

#include "../devmodel/timer.h"

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

void clock_init(struct clock *clock)
{
	*clock = (struct clock){ 0 };
}

uint64_t clock_now(const struct clock *clock)
{
	return clock->running ? monotonic_ns() - clock->offset_ns : clock->frozen_ns;
}

void clock_start(struct clock *clock)
{
	if (clock->running || clock->stepped)
		return;
	clock->offset_ns = monotonic_ns() - clock->frozen_ns;
	clock->running = true;
}

void clock_stop(struct clock *clock)
{
	clock->frozen_ns = clock_now(clock);
	clock->running = false;
}

void clock_move(struct clock *clock, uint64_t virtual_ns)
{
	assert(clock->stepped && virtual_ns >= clock->frozen_ns);
	clock->frozen_ns = virtual_ns;
}

uint64_t clock_to_monotonic(const struct clock *clock, uint64_t virtual_ns)
{
	return virtual_ns + clock->offset_ns;
}
