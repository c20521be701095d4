// SPDX-License-Identifier: GPL-2.0-or-later
#include "doorbell.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../devmodel/device.h"
#include "kvm.h"
#include "loop.h"

#define DOORBELL_BYTES 4

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

static void rung(void *opaque, uint32_t events)
{
	struct doorbell *bell = opaque;
	uint64_t count;

	(void)events;
	if (read(bell->fd, &count, sizeof(count)) == sizeof(count) && bell->all->running)
		ring(bell);
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
	*bell = (struct doorbell){ .all = bells, .dev = dev, .offset = offset };
	bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bell->fd < 0)
		return -errno;
	r = loop_watch_new(bells->loop, bell->fd, EPOLLIN, rung, bell, &bell->watch);
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
}
