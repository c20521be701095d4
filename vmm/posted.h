/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Posted writes: KVM collects the writes to regions that devices declare so (IO_POSTED) in a ring in
 * shared memory instead of leaving the guest for each. They are delivered in their order before
 * anything else is handled.
 *
 * A region may ask for one of the next writes to arrive at once (post_room), such as the last of a
 * block of data. A write leaves the guest when the ring is full: so with one processor, which stands
 * still while this is done, the ring is emptied before each run of the guest and given just the room
 * that all regions agree on. With several processors such regions are not posted.
 */
#ifndef VMM_POSTED_H
#define VMM_POSTED_H

#include <stdbool.h>
#include <stdint.h>

struct io_bus;
struct io_region;
struct kvm_coalesced_mmio_ring;

#define POSTED_LIMITED_MAX 4

struct posted {
	int vm_fd;     /* -1: nothing is posted */
	bool alone;    /* the machine has one processor */
	uint32_t page; /* where the ring lies in a vCPU's shared area, in pages; 0: nowhere */
	uint32_t slots;
	uint32_t next; /* the oldest that was not delivered; ring->first may be elsewhere */
	struct kvm_coalesced_mmio_ring *ring;		     /* NULL before the first vCPU */
	const struct io_region *limited[POSTED_LIMITED_MAX]; /* mapped ones with post_room */
	unsigned int limited_count;
};

/* @kvm_fd and @vm_fd stay the caller's. Without support in the kernel nothing is posted. */
void posted_init(struct posted *posted, int kvm_fd, int vm_fd, bool alone);
/* The first vCPU's shared area; NULL: it goes. */
void posted_share(struct posted *posted, void *run);

/* A region with IO_POSTED was mapped, or unmapped. */
void posted_region(struct posted *posted, const struct io_region *region, bool mapped);

/* With the lock. */
void posted_deliver(struct posted *posted, struct io_bus *io);
/*
 * The same, but no further once the processor's time stamp counter is beyond @until: what a guest writes may be much
 * work. False: there is more.
 */
bool posted_deliver_until(struct posted *posted, struct io_bus *io, uint64_t until);
/* With the lock. What is not delivered never is: the machine is reset. */
void posted_forget(struct posted *posted);
/* With the lock, after posted_deliver(), by a vCPU thread before it runs the guest again. */
void posted_make_room(struct posted *posted);

#endif
