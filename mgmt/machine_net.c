// SPDX-License-Identifier: GPL-2.0-or-later
/* Network adapters as options: "KIND[:NAME][,WORD]...". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hash.h"
#include "../base/parse.h"
#include "forward_ports.h"
#include "machine_config.h"
#include "machine_members.h"

#define WANT_KIND "give nat, internal:NAME, loopback:NAME, external:INTERFACE or none"
#define WANT_WORD "give mac=00:03:FF:..., model=21140 or 21143, and with nat tcp=... or udp=..."

int machine_nic_check(const void *item, const char **ret_why)
{
	const struct machine_nic *nic = item;
	bool named = nic->kind > MACHINE_NIC_NAT;
	uint8_t mac[6];

	if (named != (nic->network != NULL)) {
		*ret_why = named ? "needs the network's name" : "takes no network's name";
		return -EINVAL;
	}
	if (nic->mac && parse_mac(nic->mac, mac) < 0) {
		*ret_why = "mac is not the address of an adapter; give one like 00:03:ff:12:34:56";
		return -EINVAL;
	}
	if (nic->kind != MACHINE_NIC_NAT && (nic->tcp || nic->udp)) {
		*ret_why = "forwards ports, which only nat can";
		return -EINVAL;
	}
	if ((nic->tcp && !forward_ports_valid(nic->tcp)) ||
	    (nic->udp && !forward_ports_valid(nic->udp))) {
		*ret_why = "forwards what are no ports; give 8080:80, 80 or 2000-2010, with commas";
		return -EINVAL;
	}
	return 0;
}

/* One "mac=..." of @length bytes. Commas within tcp= and udp= are written as "+". */
static int parse_word(struct machine_config *config, struct machine_nic *nic, const char *text,
		      size_t length)
{
	const struct {
		const char *name;
		const char **value;
	} texts[] = { { "mac=", &nic->mac }, { "tcp=", &nic->tcp }, { "udp=", &nic->udp } };
	char *copy;
	int model;

	if (length > 6 && !memcmp(text, "model=", 6)) {
		model = machine_find_name(machine_nic_model_names, text + 6, length - 6);
		if (model < 0)
			return -EINVAL;
		nic->model = (unsigned int)model;
		return 0;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (length <= 4 || memcmp(text, texts[i].name, 4))
			continue;
		copy = strndup(text + 4, length - 4);
		for (char *c = copy; c && *c; c++)
			*c = *c == '+' ? ',' : *c;
		*texts[i].value = copy ? machine_config_keep(config, copy) : NULL;
		free(copy);
		return *texts[i].value ? 0 : -ENOMEM;
	}
	return -EINVAL;
}

static int parse_nic(struct machine_config *config, const char *text, struct machine_nic *nic,
		     const char **ret_want)
{
	size_t head = strcspn(text, ","), kind_length = strcspn(text, ":,");
	int kind = machine_find_name(machine_nic_names, text, kind_length);
	char *name;

	*ret_want = WANT_KIND;
	*nic = (struct machine_nic){ .kind = kind < 0 ? 0 : (unsigned int)kind };
	if (kind < 0)
		return -EINVAL;
	if (kind_length < head) {
		name = strndup(text + kind_length + 1, head - kind_length - 1);
		if (name && name_is_valid(name))
			nic->network = machine_config_keep(config, name);
		free(name);
		if (!nic->network)
			return -EINVAL;
	}
	for (const char *word = text + head; *word == ',';) {
		size_t length = strcspn(++word, ",");

		*ret_want = WANT_WORD;
		if (parse_word(config, nic, word, length) < 0)
			return -EINVAL;
		word += length;
	}
	return machine_nic_check(nic, ret_want);
}

int machine_option_net(void *target, const char *value, char *error, size_t error_size)
{
	struct machine_config *config = target;
	struct machine_nic nic;
	const char *want;

	if (!config->nics_given)
		config->nic_count = 0;
	config->nics_given = true;
	if (config->nic_count == MACHINE_NICS_MAX) {
		snprintf(error, error_size, "--net %s: a machine has at most %d adapters", value,
			 MACHINE_NICS_MAX);
		return -1;
	}
	if (parse_nic(config, value, &nic, &want) < 0) {
		snprintf(error, error_size, "--net %s: %s", value, want);
		return -1;
	}
	/* "none" alone is a machine without adapters; among others it is one without a cable. */
	config->nics[config->nic_count++] = nic;
	return 0;
}

/*
 * Addresses of the range that Virtual Server took, 00-03-FF, from the machine's uuid: the same at each
 * start, as guests bind their settings to them.
 */
void machine_nics_derive(struct machine_config *config)
{
	for (uint32_t i = 0; i < config->nic_count; i++) {
		uint32_t hash = HASH_START ^ i;
		char mac[18];

		if (config->nics[i].mac)
			continue;
		hash = hash_bytes(hash, config->uuid, 16);
		hash ^= hash >> 24;
		snprintf(mac, sizeof(mac), "00:03:ff:%02x:%02x:%02x", hash >> 16 & 0xff,
			 hash >> 8 & 0xff, hash & 0xff);
		config->nics[i].mac = machine_config_keep(config, mac);
	}
}
