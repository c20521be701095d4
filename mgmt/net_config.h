/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network as its owner describes it: a JSON file NAME.json in FOLDER, changed in one step.
 *
 * FOLDER is $MAINSTAY_NETWORKS, or /etc/mainstay/networks for root, $XDG_CONFIG_HOME/mainstay/networks
 * (~/.config/...) for others. The members are one table (net_config.c); mgmt/network.schema.json is
 * "mainstay net create --schema".
 */
#ifndef MGMT_NET_CONFIG_H
#define MGMT_NET_CONFIG_H

#include <json-c/json_types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_SERVERS_MAX 8
#define NET_LEASES_MAX 256

struct net_server_list {
	unsigned int count;
	uint32_t address[NET_SERVERS_MAX];
};

struct net_lease {
	uint8_t mac[6];
	uint32_t address;
};

struct net_dhcp {
	bool enabled;
	uint32_t network, netmask, start, end, server;
	uint32_t gateway; /* 0: none */
	struct net_server_list dns, wins;
	uint32_t lease_s, renewal_s, rebinding_s;
	char boot_file[256]; /* "": no network boot */
	char tftp_root[256]; /* "": no TFTP server */
	unsigned int lease_count;
	struct net_lease leases[NET_LEASES_MAX];
};

struct net_config {
	char name[65];
	unsigned int kind; /* enum machine_nic_kind: internal, loopback or external */
	char notes[256];
	uint32_t host_address, netmask; /* loopback: the host's own; 0: none */
	struct net_dhcp dhcp;
};

/* Addresses are numbers, first byte highest. */
int net_parse_address(const char *text, uint32_t *ret_address);
#define NET_ADDRESS_TEXT_MAX 16
void net_format_address(uint32_t address, char ret_text[NET_ADDRESS_TEXT_MAX]);

void net_config_init(struct net_config *config, const char *name, unsigned int kind);
/* The rules between settings. 0, or -EINVAL with one line in @error. */
int net_config_check(const struct net_config *config, char *error, size_t error_size);

/* 0, -ENOENT without a line when there is no such file, or -errno with one line in @error. */
int net_config_load(const char *name, struct net_config *ret_config, char *error,
		    size_t error_size);
/* Checks and writes the file; -EEXIST with @create where there is one. */
int net_config_save(const struct net_config *config, bool create, char *error, size_t error_size);
/* An inotify descriptor that is readable when a network's file has changed or gone; -errno. */
int net_config_watch(void);
int net_config_remove(const char *name, char *error, size_t error_size);
/* Names in order, ended by NULL, freed by the caller as runtime_names_free() does. 0 or -errno. */
int net_config_list(char ***ret_names);

json_object *net_config_json(const struct net_config *config);
/* 0, or -EINVAL with one line in @error. */
int net_config_read(json_object *json, struct net_config *config, char *error, size_t error_size);
json_object *net_config_schema(void);

#endif
