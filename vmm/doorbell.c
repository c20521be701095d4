// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A bell that rings wakes the loop thread, which costs more than the frame that it is about. A driver that
 * sends in bulk rings for each of its frames, sooner after the last than a wire of its day could have
 * carried that one. Such a bell is no longer waited for: a timer looks how often it was rung, so that
 * frames go together. A look that finds nothing ends that, and so do several that find little: two who answer
 * each other quickly would be hurt by it. Their bell must ring twice as often the next time.
 */
#include "doorbell.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../devmodel/device.h"
#include "../devmodel/timer.h"
#include "clock.h"
#include "kvm.h"
#include "loop.h"

#define DOORBELL_BYTES 4
/* Each ring is an event of its own, and nobody reads the counter as long as they are told. */
#define BELL_EVENTS (EPOLLIN | EPOLLET)
/* A frame of 1514 bytes takes 123 us on a wire of 100 Mb/s. */
#define QUICK_NS (100 * NSEC_PER_USEC)
#define LOOK_US 200
/* It is judged after so many looks, or the first in vain, by what a look has found on average. */
#define LOOKS 4
#define RINGS_PER_LOOK 3
/* Quick rings until they are bulk: at first, of a bell that has proved to be, and after many vain looks. */
#define PATIENCE_MIN 2
#define PATIENCE_FIRST 8
#define PATIENCE_MAX 8192

/* All regions of a device that have a bell do the same with it: the first one rings. */
static void ring(const struct doorbell *bell)
{
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && bell->dev->regions[i].desc; i++) {
		const struct io_region_desc *desc = bell->dev->regions[i].desc;

		if (!desc->doorbells)
			continue;
		desc->write(bell->dev, bell->offset, DOORBELL_BYTES, 0);
		return;
	}
}

/* How often it was rung since the last time. */
static uint64_t take_count(const struct doorbell *bell)
{
	uint64_t count;

	return read(bell->fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void begin_looking(struct doorbell *bell)
{
	loop_watch_set(bell->watch, 0);
	take_count(bell);
	bell->looking = true;
	loop_timer_set(bell->all->timer, true);
}

static void end_looking(struct doorbell *bell)
{
	bell->looking = false;
	bell->quick = 0;
	/* What was rung meanwhile is an event at once. */
	loop_watch_set(bell->watch, BELL_EVENTS);
}

static void rung(void *opaque, uint32_t events)
{
	struct doorbell *bell = opaque;
	uint64_t now = monotonic_ns();

	(void)events;
	if (!bell->all->running)
		return;
	bell->quick = now - bell->rung_ns < QUICK_NS ? bell->quick + 1 : bell->quick / 2;
	bell->rung_ns = now;
	if (bell->quick >= bell->patience)
		begin_looking(bell);
	ring(bell);
}

/* True: goes on looking. */
static bool look(struct doorbell *bell)
{
	uint64_t count = bell->all->running ? take_count(bell) : 0;
	bool bulk;

	if (count)
		ring(bell);
	bell->found += (unsigned int)min_u64(count, UINT16_MAX);
	if (++bell->looks < LOOKS && count)
		return true;
	bulk = bell->found >= bell->looks * RINGS_PER_LOOK;
	bell->patience =
		bulk ? PATIENCE_MIN : (unsigned int)min_u64(bell->patience * 2, PATIENCE_MAX);
	bell->looks = bell->found = 0;
	if (bulk && count)
		return true;
	end_looking(bell);
	return false;
}

static void timer_due(void *opaque)
{
	struct doorbells *bells = opaque;
	bool looking = false;

	for (unsigned int i = 0; i < bells->count; i++) {
		if (bells->bells[i].looking)
			looking |= look(&bells->bells[i]);
	}
	if (!looking)
		loop_timer_set(bells->timer, false);
}

static struct doorbell *find(struct doorbells *bells, const struct device *dev, uint16_t offset)
{
	for (unsigned int i = 0; i < bells->count; i++) {
		if (bells->bells[i].dev == dev && bells->bells[i].offset == offset)
			return &bells->bells[i];
	}
	return NULL;
}

static int add_one(struct doorbells *bells, struct device *dev, uint16_t offset)
{
	struct doorbell *bell = &bells->bells[bells->count];
	int r;

	if (bells->count == DOORBELLS_MAX)
		return -ENOSPC;
	if (!bells->timer) {
		r = loop_timer_new(bells->loop, LOOK_US, timer_due, bells, &bells->timer);
		if (r < 0)
			return r;
	}
	*bell = (struct doorbell){
		.all = bells, .dev = dev, .offset = offset, .patience = PATIENCE_FIRST
	};
	bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bell->fd < 0)
		return -errno;
	r = loop_watch_new(bells->loop, bell->fd, BELL_EVENTS, rung, bell, &bell->watch);
	if (r < 0) {
		close(bell->fd);
		return r;
	}
	bells->count++;
	return 0;
}

void doorbells_init(struct doorbells *bells, struct loop *loop, const struct kvm *kvm)
{
	memset(bells, 0, sizeof(*bells));
	bells->loop = loop;
	bells->kvm = kvm;
}

static void add_device(struct doorbells *bells, struct device *dev)
{
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++) {
		const uint16_t *offset = dev->regions[i].desc->doorbells;

		for (; offset && *offset; offset++) {
			if (!find(bells, dev, *offset) && add_one(bells, dev, *offset) < 0)
				return;
		}
	}
}

void doorbells_add(struct doorbells *bells, struct device *const *devices, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		add_device(bells, devices[i]);
}

void doorbells_moved(struct doorbells *bells, const struct io_region *region, bool mapped)
{
	for (const uint16_t *offset = region->desc->doorbells; offset && *offset; offset++) {
		const struct doorbell *bell = find(bells, region->dev, *offset);

		if (bell)
			kvm_doorbell(bells->kvm, region, *offset, bell->fd, mapped);
	}
}

void doorbells_set_running(struct doorbells *bells, bool running)
{
	bells->running = running;
	for (unsigned int i = 0; running && i < bells->count; i++)
		ring(&bells->bells[i]);
}

void doorbells_fini(struct doorbells *bells)
{
	while (bells->count) {
		struct doorbell *bell = &bells->bells[--bells->count];

		loop_watch_free(bell->watch);
		fd_close(bell->fd);
	}
	loop_timer_free(bells->timer);
	bells->timer = NULL;
}
