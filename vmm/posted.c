// SPDX-License-Identifier: GPL-2.0-or-later
#include "posted.h"

#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>

#include "../base/bits.h"
#include "../devmodel/io.h"

void posted_init(struct posted *posted, int kvm_fd, int vm_fd, bool alone)
{
	int page = 0;

	*posted = (struct posted){ .vm_fd = -1, .alone = alone };
	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO) > 0)
		page = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
	if (page > 0) {
		posted->vm_fd = vm_fd;
		posted->page = (uint32_t)page;
	}
}

void posted_share(struct posted *posted, void *run)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	posted->ring = NULL;
	if (posted->vm_fd < 0 || !run)
		return;
	posted->ring = (void *)((char *)run + posted->page * page);
	posted->slots = (uint32_t)((page - sizeof(*posted->ring)) /
				   sizeof(posted->ring->coalesced_mmio[0]));
}

static bool limit(struct posted *posted, const struct io_region *region, bool mapped)
{
	unsigned int n = posted->limited_count;

	if (mapped) {
		if (!posted->alone || n == POSTED_LIMITED_MAX)
			return false;
		posted->limited[posted->limited_count++] = region;
		return true;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (posted->limited[i] != region)
			continue;
		posted->limited[i] = posted->limited[--posted->limited_count];
		return true;
	}
	return false;
}

void posted_region(struct posted *posted, const struct io_region *region, bool mapped)
{
	const struct io_region_desc *desc = region->desc;
	struct kvm_coalesced_mmio_zone zone = {
		.addr = region->base,
		.size = desc->posted_length ? desc->posted_length : desc->length,
		.pio = desc->space == IO_PORT,
	};

	if (posted->vm_fd < 0 || (desc->post_room && !limit(posted, region, mapped)))
		return;
	(void)ioctl(posted->vm_fd,
		    mapped ? KVM_REGISTER_COALESCED_MMIO : KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

static void deliver(const struct kvm_coalesced_mmio *entry, struct io_bus *io)
{
	uint32_t value = 0;

	if (!entry->pio) {
		io_memory_write(io, entry->phys_addr, entry->data,
				(unsigned int)min_u64(entry->len, sizeof(entry->data)));
		return;
	}
	if (entry->len != 1 && entry->len != 2 && entry->len != 4)
		return;
	memcpy(&value, entry->data, entry->len);
	io_port_write(io, (uint16_t)entry->phys_addr, entry->len, value);
}

bool posted_deliver_until(struct posted *posted, struct io_bus *io, uint64_t until)
{
	struct kvm_coalesced_mmio_ring *ring = posted->ring;
	uint32_t last;

	if (!ring)
		return true;
	last = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
	while (posted->next != last) {
		deliver(&ring->coalesced_mmio[posted->next % posted->slots], io);
		posted->next = (posted->next + 1) % posted->slots;
		/* Alone, the guest keeps the room that it was given. */
		if (!posted->alone)
			__atomic_store_n(&ring->first, posted->next, __ATOMIC_RELEASE);
		if (__rdtsc() > until)
			return posted->next == last;
	}
	return true;
}

void posted_deliver(struct posted *posted, struct io_bus *io)
{
	(void)posted_deliver_until(posted, io, UINT64_MAX);
}

void posted_forget(struct posted *posted)
{
	struct kvm_coalesced_mmio_ring *ring = posted->ring;

	if (!ring)
		return;
	posted->next = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
	if (!posted->alone)
		__atomic_store_n(&ring->first, posted->next, __ATOMIC_RELEASE);
}

void posted_make_room(struct posted *posted)
{
	struct kvm_coalesced_mmio_ring *ring = posted->ring;
	uint32_t room = IO_POST_ANY;

	if (!ring || !posted->alone)
		return;
	for (unsigned int i = 0; i < posted->limited_count; i++) {
		const struct io_region *region = posted->limited[i];

		room = (uint32_t)min_u64(room, region->desc->post_room(region->dev));
	}
	/*
	 * From entry 0 on, so that the places never wrap: where they do, kernels before 6.12 take
	 * the ring for full halfway, or a full one for empty (has_room() of coalesced_mmio.c).
	 */
	ring->last = 0;
	posted->next = 0;
	__atomic_store_n(&ring->first, (uint32_t)min_u64(room, posted->slots - 1),
			 __ATOMIC_RELEASE);
}
