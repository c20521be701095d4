// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine's description: defaults, what its members must agree on, and what is derived. */
#include "machine_config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/parse.h"

void machine_config_init(struct machine_config *config)
{
	/* With its padding: two untouched descriptions are compared as bytes. */
	memset(config, 0, sizeof(*config));
	config->memory_mib = 128;
	config->cpus = 1;
	config->firmware = MACHINE_FIRMWARE;
	config->nics[0].kind = MACHINE_NIC_NAT;
	config->nic_count = 1;
	config->fast_disk = true;
	config->ide_irq_delay_us = MACHINE_IDE_IRQ_DELAY_US;
	config->stop_seconds = MACHINE_STOP_SECONDS;
	config->tuning.ksm = true;
}

void machine_config_fini(struct machine_config *config)
{
	for (size_t i = 0; i < config->owned_count; i++)
		free(config->owned[i]);
	free(config->owned);
	config->owned = NULL;
	config->owned_count = 0;
}

const char *machine_config_keep(struct machine_config *config, const char *text)
{
	char **grown = realloc(config->owned, (config->owned_count + 1) * sizeof(*grown));
	char *copy;

	if (!grown)
		return NULL;
	config->owned = grown;
	copy = strdup(text);
	if (copy)
		config->owned[config->owned_count++] = copy;
	return copy;
}

static int check_serial(const struct machine_config *config, char *error, size_t error_size)
{
	static const unsigned int single[] = { MACHINE_CHAR_STDIO, MACHINE_CHAR_CONSOLE };

	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		unsigned int count = 0;

		for (uint32_t port = 0; port < config->serial_count; port++)
			count += config->serial[port].kind == single[i];
		if (count > 1) {
			snprintf(
				error, error_size,
				"serial: only one port can be %s; give pty or unix:PATH for others",
				machine_char_names[single[i]]);
			return -EINVAL;
		}
	}
	return 0;
}

/* Disks, and CD-ROM drives behind them, on the places of the IDE cables. */
static int check_places(const struct machine_config *config, char *error, size_t error_size)
{
	const uint32_t count = config->disk_count + config->cdrom_count;
	unsigned int used = 0;

	if (count > MACHINE_DISKS_MAX) {
		snprintf(error, error_size,
			 "cdroms: there are only %d places for disks and CD-ROM drives together",
			 MACHINE_DISKS_MAX);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		bool is_disk = i < config->disk_count;
		uint32_t n = is_disk ? i : i - config->disk_count;
		unsigned int slot = is_disk ? config->disks[n].slot : config->cdroms[n].slot;
		const char *path = is_disk ? config->disks[n].path : config->cdroms[n].path;

		if (slot >= MACHINE_DISKS_MAX)
			continue;
		if (used & BIT(slot)) {
			snprintf(error, error_size,
				 "%s: slot %s is taken by another disk; give another slot",
				 path ? path : "cdrom", machine_slot_names[slot]);
			return -EINVAL;
		}
		used |= BIT(slot);
	}
	return 0;
}

int machine_parse_pins(const char *text, uint32_t count, int *ret_pins)
{
	for (uint32_t i = 0; i < count; i++) {
		size_t length = strcspn(text, "+");
		char number[8];
		uint64_t value;

		if (!length || length >= sizeof(number) || (text[length] == '+') != (i + 1 < count))
			return -EINVAL;
		memcpy(number, text, length);
		number[length] = '\0';
		if (parse_u64(number, 0, MACHINE_HOST_CPU_MAX, &value) < 0)
			return -EINVAL;
		ret_pins[i] = (int)value;
		text += length + 1;
	}
	return 0;
}

bool machine_boots_net(const struct machine_config *config)
{
	return !strncmp(machine_boot_names[config->boot], "net", 3);
}

int machine_config_check(const struct machine_config *config, char *error, size_t error_size)
{
	const struct machine_cpu *cpu = &machine_cpus[config->cpu];
	int pins[MACHINE_CPUS_MAX];

	if (config->memory_mib > cpu->memory_mib_max) {
		snprintf(error, error_size,
			 "memory: %u MiB is more than a machine with processor %s can have; give "
			 "at most %u MiB",
			 config->memory_mib, cpu->name, cpu->memory_mib_max);
		return -EINVAL;
	}
	if (check_places(config, error, error_size) < 0)
		return -EINVAL;
	if (config->kernel && machine_boots_net(config)) {
		snprintf(error, error_size,
			 "%s: a kernel is booted before the network; leave one of them out",
			 config->kernel);
		return -EINVAL;
	}
	if (!config->kernel && (config->initrd || config->append)) {
		snprintf(error, error_size,
			 "%s: needs a kernel; give one (--kernel), or leave this out",
			 config->initrd ? "initrd" : "append");
		return -EINVAL;
	}
	if (config->tuning.pin && machine_parse_pins(config->tuning.pin, config->cpus, pins) < 0) {
		snprintf(error, error_size,
			 "pin: \"%s\": give a processor of the host for each of the machine's %u, "
			 "like 2+3",
			 config->tuning.pin, config->cpus);
		return -EINVAL;
	}
	return check_serial(config, error, error_size);
}

/* The 128 bits of FNV-1a: spread well, stable for ever, and nobody's security depends on it. */
static unsigned __int128 hash_text(const char *text)
{
	const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;
	unsigned __int128 hash =
		((unsigned __int128)0x6c62272e07bb0142u << 64) | 0x62b821756295c58du;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * prime;
	return hash;
}

const char *machine_config_first_path(const struct machine_config *config)
{
	if (config->disk_count)
		return config->disks[0].path;
	for (uint32_t i = 0; i < config->cdrom_count; i++) {
		if (config->cdroms[i].path)
			return config->cdroms[i].path;
	}
	for (uint32_t i = 0; i < config->floppy_count; i++) {
		if (config->floppies[i].path)
			return config->floppies[i].path;
	}
	return NULL;
}

/* RFC 9562 version 8: made by a rule of ours. The same disk at the same place is the same machine.
 */
static void derive_uuid(struct machine_config *config)
{
	const char *first = machine_config_first_path(config);
	const char *from = first ? first : config->name ? config->name : "";
	char path[PATH_MAX];
	unsigned __int128 hash;

	if (first && realpath(from, path))
		from = path;
	hash = hash_text(from);
	memcpy(config->uuid, &hash, sizeof(config->uuid));
	config->uuid[6] = (uint8_t)(0x80 | (config->uuid[6] & 0x0f));
	config->uuid[8] = (uint8_t)(0x80 | (config->uuid[8] & 0x3f));
	config->uuid_given = true;
}

/* The first of @preferred that is not used, if @slot is none yet. */
static void place(unsigned int *slot, const unsigned int preferred[MACHINE_DISKS_MAX],
		  unsigned int *used)
{
	for (unsigned int i = 0; i < MACHINE_DISKS_MAX && *slot >= MACHINE_DISKS_MAX; i++) {
		if (!(*used & BIT(preferred[i])))
			*slot = preferred[i];
	}
	if (*slot < MACHINE_DISKS_MAX)
		*used |= BIT(*slot);
}

/* Windows NT's driver does DMA for all drives of a cable or for none: CD-ROM drives go elsewhere. */
static void derive_places(struct machine_config *config)
{
	static const unsigned int for_disks[MACHINE_DISKS_MAX] = { 0, 1, 2, 3 };
	static const unsigned int for_cdroms[MACHINE_DISKS_MAX] = { 2, 3, 1, 0 };
	unsigned int used = 0;

	for (uint32_t i = 0; i < config->disk_count; i++) {
		if (config->disks[i].slot < MACHINE_DISKS_MAX)
			used |= BIT(config->disks[i].slot);
	}
	for (uint32_t i = 0; i < config->cdrom_count; i++) {
		if (config->cdroms[i].slot < MACHINE_DISKS_MAX)
			used |= BIT(config->cdroms[i].slot);
	}
	for (uint32_t i = 0; i < config->disk_count; i++)
		place(&config->disks[i].slot, for_disks, &used);
	for (uint32_t i = 0; i < config->cdrom_count; i++)
		place(&config->cdroms[i].slot, for_cdroms, &used);
}

void machine_config_derive(struct machine_config *config)
{
	derive_places(config);
	if (!config->uuid_given)
		derive_uuid(config);
	machine_nics_derive(config);
}

void machine_name_from_path(const char *path, unsigned int number, char *ret_name)
{
	char base[MACHINE_NAME_MAX + 1], suffix[16] = "";
	const char *slash = strrchr(path, '/');
	const char *start = slash ? slash + 1 : path;
	const char *dot = strrchr(start, '.');
	size_t length = dot && dot != start ? (size_t)(dot - start) : strlen(start);
	size_t room;

	if (number > 1)
		snprintf(suffix, sizeof(suffix), "-%u", number);
	room = MACHINE_NAME_MAX - strlen(suffix);
	if (length > room)
		length = room;
	/* A cut through a UTF-8 sequence takes the whole sequence away. */
	for (int i = 0; i < 3 && length && !utf8_is_valid(start, length); i++)
		length--;
	memcpy(base, start, length);
	base[length] = '\0';
	if (!name_is_valid(base))
		strcpy(base, "machine");
	strcat(strcpy(ret_name, base), suffix);
}
