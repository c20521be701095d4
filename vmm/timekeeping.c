// SPDX-License-Identifier: GPL-2.0-or-later
#include "timekeeping.h"

#include <time.h>

#include "../devmodel/timer.h"
#include "config.h"
#include "machine_impl.h"

int64_t time_wall_ns(const struct machine *machine)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec + machine->config->rtc_local_offset_s) * (int64_t)NSEC_PER_SEC +
	       now.tv_nsec - machine->wall_lag_ns;
}

void time_stop(struct machine *machine)
{
	struct clock *clock = &machine->clock;

	/* What was to go on with the first vCPU has not, and will not. */
	atomic_store(&machine->vcpus.going, false);
	if (!clock->running && !clock->stepped)
		return;
	machine->stood_at = vcpu_moment_now();
	clock_stop(clock);
	machine->wall_stood_ns = time_wall_ns(machine);
	kvm_pause_pit(&machine->kvm);
}

/* Counters go on from what they were at @machine->stood_at, and @ahead_ns more. */
static void go_tsc(struct machine *machine, uint64_t ahead_ns)
{
	uint64_t ahead = ahead_ns * machine->vcpus.tsc_khz / 1000000;
	uint64_t stood = vcpu_moment_now().host_tsc - machine->stood_at.host_tsc;

	for (unsigned int i = 0; i < machine->vcpus.count; i++)
		vcpu_shift_tsc(machine->vcpus.vcpus[i].fd, ahead - stood);
}

void time_go(struct machine *machine)
{
	struct clock *clock = &machine->clock;
	uint64_t ahead_ns;

	if (clock->running)
		return;
	if (machine->config->rtc_frozen)
		machine->wall_lag_ns += time_wall_ns(machine) - machine->wall_stood_ns;
	if (clock->stepped)
		return;
	ahead_ns = kvm_resume_pit(&machine->kvm) / 2;
	clock->frozen_ns += ahead_ns;
	clock_start(clock);
	go_tsc(machine, ahead_ns);
}
