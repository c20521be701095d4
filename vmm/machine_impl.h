/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is inside of a machine, for the files that are it: machine.c, snapshot.c and save.c. */
#ifndef VMM_MACHINE_IMPL_H
#define VMM_MACHINE_IMPL_H

#include "../base/bits.h"
#include "../base/log.h"
#include "../devmodel/device.h"
#include "../devmodel/pci.h"
#include "board.h"
#include "clock.h"
#include "doorbell.h"
#include "kvm.h"
#include "loop.h"
#include "machine.h"
#include "media.h"
#include "memory.h"
#include "memslot.h"
#include "posted.h"
#include "vcpu.h"

struct disk_switch;
struct save;
struct save_session;
struct save_writer;

/* What is to be done by settle(). */
#define PENDING_MEMORY BIT(0)
#define PENDING_RESET_HARD BIT(1)
#define PENDING_RESET_INIT BIT(2)
#define PENDING_POWER_OFF BIT(3)
#define PENDING_SUSPEND BIT(4)

struct machine {
	const struct vm_config *config;
	struct loop *loop;
	enum machine_state state;
	uint32_t pending;
	uint64_t resets;

	struct kvm kvm;
	struct posted posted;
	struct memory memory;
	struct memslots memslots;
	struct vcpu_set vcpus;

	struct clock clock;
	struct timer_queue timers;
	int timer_fd;
	struct loop_watch *timer_watch;

	struct io_bus io;
	struct pci_bus pci;
	struct irq_hub isa_irqs;
	struct device_env env;
	struct board board;
	struct media media;
	struct desk *desk; /* in front of it */
	struct doorbells doorbells;

	struct machine_watcher watcher; /* of a device test port */
	struct log_limit guest_log_limit;
	uint32_t seen_msrs[64]; /* unknown ones that the guest has used */
	unsigned int seen_msr_count;
	struct loop_post ended;

	struct disk_switch *disk_switch; /* the files behind its disks, once they were exchanged */
	struct save *save;		 /* under way; NULL: none */
	struct save_writer *save_writer;
	struct save_session *save_session; /* who asked for it; NULL: nobody */
	struct vcpu_moment stood_at;	   /* when time stopped last */
	int64_t wall_stood_ns;		   /* the guest's wall clock then */
	int64_t wall_lag_ns; /* what the guest's wall clock is behind the host's, by the will of who restored it */
	bool restored_suspended; /* asleep as soon as it goes on */
	char loss_line[VM_NAME_MAX + 160];
};

/* All backends of disks and drives, by index; NULL: none at this one. */
#define MACHINE_BACKENDS_MAX (VM_DISKS_MAX + MEDIA_DRIVES_MAX)
struct block_backend *machine_backend(const struct machine *machine, unsigned int index);

/* Computes the memory map anew and tells KVM. */
void machine_memory_map_changed(struct machine *machine);

/*
 * Whether frames and doorbells reach the devices: only while the machine runs and nobody saves it. What
 * comes meanwhile waits.
 */
void machine_hear(struct machine *machine, bool hears);

/* Everything through which devices, processors and the loop call the machine. */
void machine_init_callbacks(struct machine *machine);
/* Hears from now on when no disk is busy any more. */
void machine_watch_disks(struct machine *machine);
/* Clock, timers and the descriptor that wakes the loop for them. 0, or -errno with one line. */
int machine_init_timers(struct machine *machine, char *error, size_t error_size);

#endif
