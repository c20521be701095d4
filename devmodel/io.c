// SPDX-License-Identifier: GPL-2.0-or-later
#include "io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define PORT_SPACE 65536u

void io_bus_init(struct io_bus *bus)
{
	memset(bus, 0, sizeof(*bus));
}

/* How many ports @region claims in the table. */
static uint32_t claimed_ports(const struct io_region *region)
{
	return region->desc->flags & IO_EXACT ? 1 : region->desc->length;
}

static int map_ports(struct io_bus *bus, struct io_region *region, uint64_t base)
{
	uint32_t length = claimed_ports(region);
	unsigned int slot = 0;

	if (base > PORT_SPACE || length > PORT_SPACE - base)
		return -EINVAL;
	for (uint32_t i = 0; i < length; i++) {
		if (bus->port_owner[base + i])
			return -EBUSY;
	}
	while (slot < bus->port_regions && bus->ports[slot])
		slot++;
	if (slot == IO_REGIONS_MAX)
		return -ENOSPC;
	if (slot == bus->port_regions)
		bus->port_regions++;
	bus->ports[slot] = region;
	memset(bus->port_owner + base, (int)slot + 1, length);
	return 0;
}

static void unmap_ports(struct io_bus *bus, struct io_region *region)
{
	uint8_t owner = bus->port_owner[region->base];

	memset(bus->port_owner + region->base, 0, claimed_ports(region));
	bus->ports[owner - 1] = NULL;
}

/* The first memory region that ends behind @gpa; memory_regions when none does. */
static unsigned int first_memory(const struct io_bus *bus, uint64_t gpa)
{
	unsigned int i = 0;

	while (i < bus->memory_regions &&
	       bus->memory[i]->base + (bus->memory[i]->desc->length - 1) < gpa)
		i++;
	return i;
}

static int map_memory(struct io_bus *bus, struct io_region *region, uint64_t base)
{
	uint64_t last = base + (region->desc->length - 1);
	unsigned int at = first_memory(bus, base);

	if (last < base)
		return -EINVAL;
	if (at < bus->memory_regions && bus->memory[at]->base <= last)
		return -EBUSY;
	if (bus->memory_regions == IO_REGIONS_MAX)
		return -ENOSPC;
	memmove(&bus->memory[at + 1], &bus->memory[at],
		(bus->memory_regions - at) * sizeof(bus->memory[0]));
	bus->memory[at] = region;
	bus->memory_regions++;
	return 0;
}

static void unmap_memory(struct io_bus *bus, struct io_region *region)
{
	unsigned int at = first_memory(bus, region->base);

	assert(bus->memory[at] == region);
	bus->memory_regions--;
	memmove(&bus->memory[at], &bus->memory[at + 1],
		(bus->memory_regions - at) * sizeof(bus->memory[0]));
}

int io_map(struct io_bus *bus, struct io_region *region, uint64_t base)
{
	int r;

	assert(region->base == IO_UNMAPPED);
	if (region->desc->space == IO_PORT)
		r = map_ports(bus, region, base);
	else
		r = map_memory(bus, region, base);
	if (r < 0)
		return r;
	region->base = base;
	if (bus->changed)
		bus->changed(bus, region, true);
	return 0;
}

void io_unmap(struct io_bus *bus, struct io_region *region)
{
	if (region->base == IO_UNMAPPED)
		return;
	if (bus->changed)
		bus->changed(bus, region, false);
	if (region->desc->space == IO_PORT)
		unmap_ports(bus, region);
	else
		unmap_memory(bus, region);
	region->base = IO_UNMAPPED;
}

/* The region that takes the whole access, or NULL. */
static struct io_region *find_port(const struct io_bus *bus, uint32_t port, unsigned int size)
{
	uint8_t owner = bus->port_owner[port];
	struct io_region *region;

	if (!owner)
		return NULL;
	region = bus->ports[owner - 1];
	if (region->desc->flags & IO_EXACT)
		return size == region->desc->length ? region : NULL;
	return port + size <= region->base + region->desc->length ? region : NULL;
}

static uint32_t region_read(struct io_region *region, uint32_t offset, unsigned int size)
{
	region->reads++;
	if (!region->desc->read)
		return mask32(size * 8);
	return region->desc->read(region->dev, offset, size) & mask32(size * 8);
}

static void region_write(struct io_region *region, uint32_t offset, unsigned int size,
			 uint32_t value)
{
	region->writes++;
	if (region->desc->write)
		region->desc->write(region->dev, offset, size, value & mask32(size * 8));
}

uint32_t io_port_read(struct io_bus *bus, uint16_t port, unsigned int size)
{
	struct io_region *region = find_port(bus, port, size);
	uint32_t value = 0;

	if (region)
		return region_read(region, (uint32_t)(port - region->base), size);
	if (size == 1)
		return 0xff;
	for (unsigned int i = 0; i < size; i++)
		value |= io_port_read(bus, (uint16_t)(port + i), 1) << (8 * i);
	return value;
}

void io_port_write(struct io_bus *bus, uint16_t port, unsigned int size, uint32_t value)
{
	struct io_region *region = find_port(bus, port, size);

	if (region)
		region_write(region, (uint32_t)(port - region->base), size, value);
	else if (size > 1)
		for (unsigned int i = 0; i < size; i++)
			io_port_write(bus, (uint16_t)(port + i), 1, value >> (8 * i) & 0xff);
}

void io_port_read_string(struct io_bus *bus, uint16_t port, unsigned int size, void *items,
			 size_t count)
{
	uint8_t *item = items;

	while (count) {
		/* Looked up for each go: the access itself may unmap the region. */
		struct io_region *region = find_port(bus, port, size);
		size_t done = 0;

		if (region && region->desc->read_bulk && count > 1)
			done = region->desc->read_bulk(region->dev, (uint32_t)(port - region->base),
						       size, item, count);
		if (done) {
			region->reads += done;
		} else {
			put_le(item, size, io_port_read(bus, port, size));
			done = 1;
		}
		item += done * size;
		count -= done;
	}
}

void io_port_write_string(struct io_bus *bus, uint16_t port, unsigned int size, const void *items,
			  size_t count)
{
	const uint8_t *item = items;

	while (count) {
		struct io_region *region = find_port(bus, port, size);
		size_t done = 0;

		if (region && region->desc->write_bulk && count > 1)
			done = region->desc->write_bulk(
				region->dev, (uint32_t)(port - region->base), size, item, count);
		if (done) {
			region->writes += done;
		} else {
			io_port_write(bus, port, size, (uint32_t)get_le(item, size));
			done = 1;
		}
		item += done * size;
		count -= done;
	}
}

static struct io_region *find_memory(const struct io_bus *bus, uint64_t gpa)
{
	unsigned int i = first_memory(bus, gpa);

	return i < bus->memory_regions && bus->memory[i]->base <= gpa ? bus->memory[i] : NULL;
}

/* The largest access of 4, 2 or 1 bytes at @gpa that is aligned and not over @size. */
static unsigned int next_piece(uint64_t gpa, unsigned int size)
{
	if (size >= 4 && !(gpa & 3))
		return 4;
	return size >= 2 && !(gpa & 1) ? 2 : 1;
}

/* As next_piece(), but one unaligned access within one region stays whole, as on a real bus. */
static unsigned int piece_in(const struct io_region *region, uint64_t gpa, unsigned int size)
{
	uint64_t left = region->base + region->desc->length - gpa;

	if ((size == 1 || size == 2 || size == 4) && size <= left)
		return size;
	size = next_piece(gpa, size);
	return size <= left ? size : 1;
}

void io_memory_read(struct io_bus *bus, uint64_t gpa, void *data, unsigned int size)
{
	uint8_t *p = data;

	while (size) {
		struct io_region *region = find_memory(bus, gpa);
		unsigned int piece = 1;

		*p = 0xff;
		if (region) {
			piece = piece_in(region, gpa, size);
			put_le(p, piece,
			       region_read(region, (uint32_t)(gpa - region->base), piece));
		}
		p += piece;
		gpa += piece;
		size -= piece;
	}
}

void io_memory_write(struct io_bus *bus, uint64_t gpa, const void *data, unsigned int size)
{
	const uint8_t *p = data;

	while (size) {
		struct io_region *region = find_memory(bus, gpa);
		unsigned int piece = 1;

		if (region) {
			piece = piece_in(region, gpa, size);
			region_write(region, (uint32_t)(gpa - region->base), piece,
				     (uint32_t)get_le(p, piece));
		}
		p += piece;
		gpa += piece;
		size -= piece;
	}
}

bool io_memory_latched(const struct io_bus *bus, uint64_t gpa, uint64_t other)
{
	struct io_region *region = find_memory(bus, gpa);

	return region && region == find_memory(bus, other) && region->desc->latched &&
	       region->desc->latched(region->dev);
}
