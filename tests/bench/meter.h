/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine has cost so far. All its processes are in one cgroup, so that threads and helpers
 * that have ended already count as well. Needs root, cgroup v2 and debugfs; meant for the nested
 * host that counts instructions, where a nanosecond of processor time is an instruction.
 */
#ifndef TESTS_BENCH_METER_H
#define TESTS_BENCH_METER_H

#include <stdint.h>
#include <sys/types.h>

struct cost {
	uint64_t instructions; /* guest, KVM and VMM */
	uint64_t exits;	       /* from the guest */
};

/* 0 or -errno, logged. */
int meter_open(void);
void meter_close(void);

/* What is counted begins at nothing again. Before a machine starts, with none running. 0 or -errno. */
int meter_start(void);
/* Puts the calling process into the cgroup. For a child before it executes. 0 or -errno. */
int meter_enter(void);

int meter_read(struct cost *ret_cost);
/* The same once the machine has come to rest, or after some time when it does not. */
int meter_read_at_rest(struct cost *ret_cost);

/*
 * Counts returns from KVM to user space from now until meter_returns_stop(), which gives their
 * number. Costs instructions: not while they are counted. 0 or -errno.
 */
int meter_returns_start(void);
int meter_returns_stop(uint64_t *ret_returns);

/*
 * The processes' proportional set size without the guest's memory of @ram_kib. The latter is
 * recognised by the size of its mapping. 0, -ENOENT when there is no such mapping, or -errno.
 */
int meter_memory(uint64_t ram_kib, uint64_t *ret_kib);

/* The resident part of that mapping: what the guest has touched. The same errors. */
int meter_touched(uint64_t ram_kib, uint64_t *ret_kib);

/*
 * Counts exits by their kinds, ports and addresses from now on, and prints that with all of KVM's
 * counters. Costs instructions.
 */
void meter_trace_start(void);
void meter_trace_print(void);

/* Kills what is left in the cgroup and waits until it is gone. */
void meter_kill(void);

#endif
