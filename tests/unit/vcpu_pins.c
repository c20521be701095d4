// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual processors' threads stay on the host's processors that they are pinned to. None enters a guest here: all are held. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../../vmm/loop.h"
#include "../../vmm/sandbox.h"
#include "../../vmm/vcpu.h"

/* Where thread @tid of this process may run: the processor if it is one, else -1. */
static int processor_of(int tid)
{
	cpu_set_t set;
	int found = -1;

	cr_assert_eq(sched_getaffinity(tid, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&set) == 1; i++) {
		if (CPU_ISSET((size_t)i, &set))
			found = i;
	}
	return found;
}

/* The last processor that we may use. */
static int last_processor(unsigned int *ret_count)
{
	cpu_set_t set;
	int last = -1;

	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET((size_t)i, &set))
			last = i;
	}
	*ret_count = (unsigned int)CPU_COUNT(&set);
	return last;
}

/* This process's threads that may run on @processor alone, and those that may elsewhere. */
static void count_threads(int processor, unsigned int *ret_pinned, unsigned int *ret_others)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;

	cr_assert_not_null(tasks);
	*ret_pinned = *ret_others = 0;
	while ((entry = readdir(tasks))) {
		int tid = atoi(entry->d_name);

		if (tid > 0)
			++*(processor_of(tid) == processor ? ret_pinned : ret_others);
	}
	closedir(tasks);
}

Test(vcpu_pins, threads_stay_where_they_are_pinned, .timeout = 20)
{
	struct kvm_run run[2] = { 0 };
	struct vcpu vcpus[2] = { 0 };
	struct vcpu_set set = { .count = 2, .vcpus = vcpus, .held = 1 };
	unsigned int processors, pinned, others, pinned_now, others_now;
	int pins[2] = { last_processor(&processors), -1 };

	count_threads(pins[0], &pinned, &others);
	cr_assert_eq(loop_new(&set.loop), 0);
	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	sandbox_warm_up();
	for (unsigned int i = 0; i < 2; i++) {
		vcpus[i].set = &set;
		vcpus[i].index = i;
		vcpus[i].fd = -1;
		vcpus[i].run = &run[i];
	}
	cr_assert_eq(vcpus_start(&set, pins), 0);
	count_threads(pins[0], &pinned_now, &others_now);
	cr_assert_eq(pinned_now + others_now, pinned + others + 2);
	cr_assert_eq(pinned_now - pinned, processors > 1 ? 1u : 2u, "the other may run anywhere");
	vcpus_stop(&set);
	loop_free(set.loop);
}
