// SPDX-License-Identifier: GPL-2.0-or-later
/* What people do to the machine's drives, and what they may know of it. */
#include "machine_impl.h"
#include "media.h"

int machine_insert(struct machine *machine, const char *drive, const struct vm_disk *medium,
		   bool force, char *error, size_t error_size)
{
	int r = media_insert(&machine->media, drive, medium, force, error, error_size);

	machine_settle(machine);
	return r;
}

int machine_eject(struct machine *machine, const char *drive, bool force, char *error,
		  size_t error_size)
{
	int r = media_eject(&machine->media, drive, force, error, error_size);

	machine_settle(machine);
	return r;
}

const struct media *machine_media(const struct machine *machine)
{
	return &machine->media;
}

const struct vm_config *machine_config(const struct machine *machine)
{
	return machine->config;
}

uint64_t machine_clock_ns(const struct machine *machine)
{
	return clock_now(&machine->clock);
}
