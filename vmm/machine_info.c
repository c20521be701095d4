// SPDX-License-Identifier: GPL-2.0-or-later
/* What others may know of a machine: its parts, for commands, statistics and tests. */
#include "machine_impl.h"

struct device *machine_device(struct machine *machine, unsigned int index)
{
	return index < machine->board.count ? machine->board.devices[index] : NULL;
}

struct desk *machine_desk(struct machine *machine)
{
	return machine->desk;
}

struct display *machine_display(struct machine *machine)
{
	return machine->board.display.dev ? &machine->board.display : NULL;
}

uint64_t machine_reset_count(const struct machine *machine)
{
	return machine->resets;
}

const struct vcpu_stats *machine_vcpu_stats(const struct machine *machine, unsigned int index)
{
	return index < machine->vcpus.count ? &machine->vcpus.vcpus[index].stats : NULL;
}

struct io_bus *machine_io(struct machine *machine)
{
	return &machine->io;
}

struct dma *machine_dma(struct machine *machine)
{
	return &machine->memory.dma;
}
