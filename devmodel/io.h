/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O regions: which device answers at which port or memory address.
 *
 * A handler gets an offset within its region and a size of 1, 2 or 4 bytes; the dispatcher
 * guarantees that offset + size lies within the region. Accesses that only partly meet a region are
 * split into bytes; what nobody claims reads as all ones. Regions may not overlap.
 */
#ifndef DEVMODEL_IO_H
#define DEVMODEL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

enum io_space { IO_PORT, IO_MEMORY };

/* A region whose address comes later, from a PCI base address register or the configuration. */
#define IO_UNMAPPED UINT64_MAX

/*
 * Takes only accesses of exactly its whole length at its first port; the ports behind that one may
 * belong to others (CF8h takes dwords, CF9h is another register).
 */
#define IO_EXACT 0x01u
/*
 * Writes of any value have no effect that the guest could see before its next access to another
 * region of the machine: the host may deliver them late, in order. posted_length and post_room
 * narrow that down.
 */
#define IO_POSTED 0x02u
#define IO_POST_ANY UINT32_MAX

struct io_region_desc {
	const char *name; /* NULL ends a table */
	enum io_space space;
	uint64_t base; /* or IO_UNMAPPED */
	uint32_t length;
	uint32_t flags;
	uint32_t posted_length; /* with IO_POSTED: of the part from the start; 0: all of it */
	/*
	 * Optional, with IO_POSTED: of the next writes, the one that must arrive at once, counted
	 * from 1; those before it, fewer or none, may be late. IO_POST_ANY: no such write.
	 */
	uint32_t (*post_room)(struct device *dev);
	uint32_t (*read)(struct device *dev, uint32_t offset, unsigned int size);
	void (*write)(struct device *dev, uint32_t offset, unsigned int size, uint32_t value);
	/*
	 * Optional, for string instructions: @count items of @size bytes at the one @offset. They
	 * do as many as they can in one go and return how many; the dispatcher does the next one
	 * singly and asks again.
	 */
	size_t (*read_bulk)(struct device *dev, uint32_t offset, unsigned int size, void *items,
			    size_t count);
	size_t (*write_bulk)(struct device *dev, uint32_t offset, unsigned int size,
			     const void *items, size_t count);
	/*
	 * Offsets, 0 ends them, of dwords whose writes mean the same whatever the value, and may
	 * arrive late (by a fraction of a millisecond) and merged: the host may carry them out while the
	 * processor goes on. NULL: none.
	 */
	const uint16_t *doorbells;
	/*
	 * Optional: true while bytes that are read and written elsewhere in the region are moved by latches, so that
	 * writing one twice is the same as writing it once.
	 */
	bool (*latched)(struct device *dev);
};

struct io_region {
	const struct io_region_desc *desc;
	struct device *dev;
	uint64_t base;		/* IO_UNMAPPED while nobody sees it */
	uint64_t reads, writes; /* accesses, for statistics */
};

#define IO_REGIONS_MAX 128

/* Both address spaces of a machine. */
struct io_bus {
	/* Told after a region was mapped or unmapped; may be NULL. */
	void (*changed)(struct io_bus *bus, struct io_region *region, bool mapped);
	unsigned int port_regions, memory_regions;
	struct io_region
		*ports[IO_REGIONS_MAX]; /* 1 + index stands in port_owner; slots may be NULL */
	struct io_region *memory[IO_REGIONS_MAX]; /* sorted by base */
	uint8_t port_owner[65536];
};

void io_bus_init(struct io_bus *bus);

/*
 * Shows @region at @base. 0, -EBUSY where another region is, -EINVAL beyond the space, -ENOSPC with
 * too many regions. A region that is mapped already must be unmapped first.
 */
int io_map(struct io_bus *bus, struct io_region *region, uint64_t base);
/* No effect on a region that is not mapped. */
void io_unmap(struct io_bus *bus, struct io_region *region);

uint32_t io_port_read(struct io_bus *bus, uint16_t port, unsigned int size);
void io_port_write(struct io_bus *bus, uint16_t port, unsigned int size, uint32_t value);
/* String instructions: @count items of @size at @items. */
void io_port_read_string(struct io_bus *bus, uint16_t port, unsigned int size, void *items,
			 size_t count);
void io_port_write_string(struct io_bus *bus, uint16_t port, unsigned int size, const void *items,
			  size_t count);

/* @size 1 to 8, any alignment. */
void io_memory_read(struct io_bus *bus, uint64_t gpa, void *data, unsigned int size);
void io_memory_write(struct io_bus *bus, uint64_t gpa, const void *data, unsigned int size);
/* Both are in one region that has latches in use at present (see io_region_desc). */
bool io_memory_latched(const struct io_bus *bus, uint64_t gpa, uint64_t other);

#endif
