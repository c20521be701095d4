// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmm/posted.c: the ring of posted writes, with this test in the kernel's place. Its has_room() is
 * tried as kernels before and since 6.12 have it.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../devmodel/io.h"
#include "../../vmm/posted.h"

/* A device that takes blocks of data at port 0, whose last write must be seen. */
static struct {
	uint32_t left; /* of the block */
	uint32_t seen[4096], count;
} sink;

static void sink_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	(void)dev;
	cr_assert_eq(offset, 0);
	cr_assert_eq(size, 2);
	cr_assert_lt(sink.count, ARRAY_LEN(sink.seen));
	sink.seen[sink.count++] = value;
	if (sink.left)
		sink.left--;
}

static uint32_t sink_room(struct device *dev)
{
	(void)dev;
	return sink.left ? sink.left : IO_POST_ANY;
}

static const struct io_region_desc limited_desc = { .name = "sink",
						    .space = IO_PORT,
						    .length = 2,
						    .flags = IO_POSTED,
						    .write = sink_write,
						    .post_room = sink_room };
static const struct io_region_desc free_desc = {
	.name = "free", .space = IO_PORT, .length = 2, .flags = IO_POSTED, .write = sink_write
};

static struct io_bus bus;
static struct posted posted;
static bool old_kernel;

static void setup(const struct io_region_desc *desc, bool alone)
{
	static struct io_region region;
	static uint8_t page[4096] __attribute__((aligned(4096)));

	region = (struct io_region){ .desc = desc, .base = IO_UNMAPPED };
	io_bus_init(&bus);
	cr_assert_eq(io_map(&bus, &region, 0), 0);
	memset(page, 0, sizeof(page));
	memset(&sink, 0, sizeof(sink));
	/* No VM: what would be asked of it goes nowhere. */
	posted = (struct posted){ .vm_fd = open("/dev/null", O_RDWR | O_CLOEXEC), .alone = alone };
	posted_share(&posted, page);
	posted_region(&posted, &region, true);
	posted_make_room(&posted);
}

static bool has_room(const struct kvm_coalesced_mmio_ring *ring)
{
	if (old_kernel)
		return (ring->first - ring->last - 1) % posted.slots != 0;
	return (ring->last + 1) % posted.slots != ring->first;
}

/* The guest writes; true: it had to leave for it. */
static bool guest_writes(uint32_t value)
{
	struct kvm_coalesced_mmio_ring *ring = posted.ring;
	struct kvm_coalesced_mmio *entry = &ring->coalesced_mmio[ring->last];

	cr_assert_lt(ring->last, posted.slots);
	if (has_room(ring)) {
		*entry = (struct kvm_coalesced_mmio){ .len = 2, .pio = 1 };
		memcpy(entry->data, &value, 2);
		ring->last = (ring->last + 1) % posted.slots;
		return false;
	}
	posted_deliver(&posted, &bus);
	io_port_write(&bus, 0, 2, value);
	posted_make_room(&posted);
	return true;
}

static void expect_in_order(uint32_t count)
{
	cr_assert_eq(sink.count, count);
	for (uint32_t i = 0; i < count; i++)
		cr_assert_eq(sink.seen[i], i, "write %u", i);
}

static void try_blocks(void)
{
	static const uint32_t sizes[] = { 1, 2, 3, 84, 85, 86, 168, 169, 170, 171, 256, 1024 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint32_t exits = 0;
		bool left = false;

		setup(&limited_desc, true);
		sink.left = sizes[i];
		posted_make_room(&posted);
		for (uint32_t n = 0; n < sizes[i]; n++) {
			left = guest_writes(n);
			exits += left;
			/* Somebody looks at the device meanwhile. */
			if (n % 37 == 36)
				posted_deliver(&posted, &bus);
		}
		cr_assert(left, "the last of %u writes is seen at once", sizes[i]);
		cr_assert_leq(exits, 1 + sizes[i] / 169, "of %u writes", sizes[i]);
		expect_in_order(sizes[i]);
		close(posted.vm_fd);
	}
}

Test(posted, the_last_write_of_a_block_is_seen_at_once)
{
	old_kernel = false;
	try_blocks();
}

Test(posted, the_last_write_of_a_block_is_seen_at_once_by_old_kernels)
{
	old_kernel = true;
	try_blocks();
}

/* Whoever drains, and however often, nothing is lost or turned round. */
static void try_many(bool alone)
{
	uint32_t exits = 0;

	setup(&free_desc, alone);
	srand(1);
	for (uint32_t n = 0; n < ARRAY_LEN(sink.seen); n++) {
		exits += guest_writes(n);
		if (rand() % 100 == 0)
			posted_deliver(&posted, &bus);
	}
	posted_deliver(&posted, &bus);
	expect_in_order(ARRAY_LEN(sink.seen));
	cr_assert_leq(exits, ARRAY_LEN(sink.seen) / 80);
	close(posted.vm_fd);
}

Test(posted, nothing_is_lost)
{
	for (int i = 0; i < 4; i++) {
		old_kernel = i & 1;
		try_many(i & 2);
	}
}

Test(posted, several_processors_post_nothing_that_has_a_limit)
{
	setup(&limited_desc, false);
	cr_assert_eq(posted.limited_count, 0);
	setup(&limited_desc, true);
	cr_assert_eq(posted.limited_count, 1);
	posted_region(&posted, posted.limited[0], false);
	cr_assert_eq(posted.limited_count, 0);
}

/* Much work is done in parts; whoever comes next goes on where the last one stopped. */
Test(posted, delivery_stops_when_its_time_is_over)
{
	uint32_t parts = 0;

	setup(&free_desc, true);
	for (uint32_t n = 0; n < 20; n++)
		cr_assert_not(guest_writes(n));
	while (!posted_deliver_until(&posted, &bus, 0))
		expect_in_order(++parts);
	expect_in_order(20);
	cr_assert_eq(parts, 19);
	cr_assert(posted_deliver_until(&posted, &bus, 0), "there is no more");
	for (uint32_t n = 20; n < 40; n++)
		cr_assert_not(guest_writes(n));
	cr_assert_not(posted_deliver_until(&posted, &bus, 0));
	cr_assert(posted_deliver_until(&posted, &bus, UINT64_MAX));
	expect_in_order(40);
	close(posted.vm_fd);
}

Test(posted, what_a_reset_finds_is_forgotten)
{
	for (unsigned int alone = 0; alone < 2; alone++) {
		setup(&free_desc, alone);
		for (uint32_t n = 100; n < 150; n++)
			cr_assert_not(guest_writes(n));
		posted_forget(&posted);
		posted_deliver(&posted, &bus);
		cr_assert_eq(sink.count, 0);
		for (uint32_t n = 0; n < 1000; n++)
			(void)guest_writes(n);
		posted_deliver(&posted, &bus);
		expect_in_order(1000);
		close(posted.vm_fd);
	}
}
