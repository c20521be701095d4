// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct device_class *device_class_find(const char *name)
{
	for (unsigned int i = 0; device_classes[i]; i++) {
		if (!strcmp(device_classes[i]->name, name))
			return device_classes[i];
	}
	return NULL;
}

static void unmap_regions(struct device *dev)
{
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++)
		io_unmap(dev->env->io, &dev->regions[i]);
}

static int map_regions(struct device *dev)
{
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++) {
		struct io_region *region = &dev->regions[i];
		int r;

		/* init() may have moved it already. */
		if (region->base != IO_UNMAPPED || region->desc->base == IO_UNMAPPED)
			continue;
		r = io_map(dev->env->io, region, region->desc->base);
		if (r < 0)
			return r;
	}
	return 0;
}

int device_new(const struct device_class *class, const char *name, struct device_env *env,
	       const void *config, struct device **ret_dev)
{
	struct device *dev = calloc(1, class->size);
	int r;

	if (!dev)
		return -ENOMEM;
	dev->class = class;
	dev->env = env;
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	for (unsigned int i = 0; class->regions && class->regions[i].name; i++) {
		assert(i < DEVICE_REGIONS_MAX);
		dev->regions[i].desc = &class->regions[i];
		dev->regions[i].dev = dev;
		dev->regions[i].base = IO_UNMAPPED;
	}
	r = class->init(dev, config ? config : class->default_config);
	if (r < 0) {
		unmap_regions(dev);
		free(dev);
		return r;
	}
	r = map_regions(dev);
	if (r < 0) {
		device_free(dev);
		return r;
	}
	class->reset(dev, RESET_POWER);
	*ret_dev = dev;
	return 0;
}

void device_free(struct device *dev)
{
	if (!dev)
		return;
	unmap_regions(dev);
	if (dev->class->fini)
		dev->class->fini(dev);
	free(dev);
}

void device_reset(struct device *dev, enum reset_kind kind)
{
	dev->class->reset(dev, kind);
}

void device_move_region(struct device *dev, unsigned int index, uint64_t base)
{
	struct io_region *region = &dev->regions[index];

	assert(index < DEVICE_REGIONS_MAX && region->desc);
	if (region->base == base)
		return;
	io_unmap(dev->env->io, region);
	if (base != IO_UNMAPPED && io_map(dev->env->io, region, base) < 0)
		device_log(dev, "%s cannot be mapped at %llx", region->desc->name,
			   (unsigned long long)base);
}

struct irq_line *device_irq_line(struct device *dev, unsigned int index)
{
	return (struct irq_line *)(void *)((char *)dev + dev->class->irqs[index].offset);
}
