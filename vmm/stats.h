/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of one vCPU, written by its thread alone and read by anybody: they never stop the guest.
 * Accesses by device are counted in the devices' regions (devmodel/io.h).
 */
#ifndef VMM_STATS_H
#define VMM_STATS_H

#include <stdint.h>

enum exit_kind {
	EXIT_IO_IN,
	EXIT_IO_OUT,
	EXIT_MMIO_READ,
	EXIT_MMIO_WRITE,
	EXIT_HLT,
	EXIT_SHUTDOWN,
	EXIT_MSR,
	EXIT_INTERRUPTED, /* a signal or immediate_exit brought it out */
	EXIT_OTHER,
	EXIT_KINDS,
};

struct vcpu_stats {
	uint64_t exits[EXIT_KINDS]; /* returns to user space, by kind */
};

/* "io_in", "mmio_write", ... as they are named in the stats command's reply. */
const char *exit_kind_name(enum exit_kind kind);

struct machine;
/* The counters of vCPU @index; NULL beyond the last. In machine.c. */
const struct vcpu_stats *machine_vcpu_stats(const struct machine *machine, unsigned int index);

#endif
