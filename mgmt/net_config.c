// SPDX-License-Identifier: GPL-2.0-or-later
#include "net_config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/parse.h"
#include "machine_config.h"
#include "machine_members.h"

#define FILE_BYTES_MAX 131072
#define JSON_DEPTH_MAX 5
/* The first fifteen addresses are for what has a fixed one. */
#define RESERVED_ADDRESSES 16

/* --- addresses */

int net_parse_address(const char *text, uint32_t *ret_address)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return -EINVAL;
	*ret_address = ntohl(address.s_addr);
	return 0;
}

void net_format_address(uint32_t address, char ret_text[NET_ADDRESS_TEXT_MAX])
{
	struct in_addr in = { htonl(address) };

	inet_ntop(AF_INET, &in, ret_text, NET_ADDRESS_TEXT_MAX);
}

/* --- the members */

enum net_member_kind {
	NET_CONSTANT,
	NET_TEXT, /* char[size] */
	NET_KIND, /* of network */
	NET_BOOL,
	NET_SECONDS, /* uint32_t from 1 */
	NET_ADDRESS, /* uint32_t */
	NET_SERVERS, /* struct net_server_list */
	NET_LEASES,
	NET_OBJECT,
};

struct net_member {
	const char *name; /* NULL ends the table */
	enum net_member_kind kind;
	size_t offset, size;
	const char *description;
};

#define DHCP(member) offsetof(struct net_config, dhcp.member)

static const struct net_member dhcp_members[] = {
	{ "enabled", NET_BOOL, DHCP(enabled), 0, "Whether the network has a DHCP server." },
	{ "network", NET_ADDRESS, DHCP(network), 0, "The network's address." },
	{ "netmask", NET_ADDRESS, DHCP(netmask), 0,
	  "Its mask, which must fit the address's class." },
	{ "start", NET_ADDRESS, DHCP(start), 0, "First address to give away: the 16th or later." },
	{ "end", NET_ADDRESS, DHCP(end), 0, "Last address to give away." },
	{ "server", NET_ADDRESS, DHCP(server), 0, "The server's own address, before the start." },
	{ "gateway", NET_ADDRESS, DHCP(gateway), 0, "Default gateway. Without it: none." },
	{ "dns", NET_SERVERS, DHCP(dns), 0, "DNS servers." },
	{ "wins", NET_SERVERS, DHCP(wins), 0, "WINS servers." },
	{ "lease_seconds", NET_SECONDS, DHCP(lease_s), 0, "How long an address is lent." },
	{ "renewal_seconds", NET_SECONDS, DHCP(renewal_s), 0,
	  "After which its owner asks to keep it: less than the rebinding time." },
	{ "rebinding_seconds", NET_SECONDS, DHCP(rebinding_s), 0,
	  "After which its owner asks any server: less than the lease." },
	{ "boot_file", NET_TEXT, DHCP(boot_file), 256, "What machines that boot from it fetch." },
	{ "tftp_root", NET_TEXT, DHCP(tftp_root), 256, "The folder that its TFTP server shows." },
	{ "leases", NET_LEASES, 0, 0, "Fixed addresses: objects of mac and address." },
	{ .name = NULL },
};

static const struct net_member net_members[] = {
	{ "$schema", NET_CONSTANT, 0, 0, "Where editors find this schema. Ignored." },
	{ "version", NET_CONSTANT, 0, 0, "Of this format: 1." },
	{ "kind", NET_KIND, offsetof(struct net_config, kind), 0,
	  "internal: machines only; loopback: with the host; external: the host's interface of "
	  "this name." },
	{ "notes", NET_TEXT, offsetof(struct net_config, notes), 256, "For people." },
	{ "host_address", NET_ADDRESS, offsetof(struct net_config, host_address), 0,
	  "Loopback: the host's own address." },
	{ "netmask", NET_ADDRESS, offsetof(struct net_config, netmask), 0, "Its mask." },
	{ "dhcp", NET_OBJECT, 0, 0, "The virtual DHCP server." },
	{ .name = NULL },
};

static int fail(char *error, size_t error_size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char *error, size_t error_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, error_size, format, args);
	va_end(args);
	return -EINVAL;
}

/* --- reading */

static int read_servers(json_object *value, struct net_server_list *list)
{
	size_t count = json_object_is_type(value, json_type_array) ? json_object_array_length(value)
								   : SIZE_MAX;

	if (count > NET_SERVERS_MAX)
		return -EINVAL;
	list->count = (unsigned int)count;
	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(value, i);

		if (net_parse_address(json_object_get_string(item), &list->address[i]) < 0)
			return -EINVAL;
	}
	return 0;
}

static int read_leases(json_object *value, struct net_dhcp *dhcp)
{
	size_t count = json_object_is_type(value, json_type_array) ? json_object_array_length(value)
								   : SIZE_MAX;

	if (count > NET_LEASES_MAX)
		return -EINVAL;
	dhcp->lease_count = (unsigned int)count;
	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(value, i), *mac, *address;

		if (!json_object_is_type(item, json_type_object) ||
		    !json_object_object_get_ex(item, "mac", &mac) ||
		    !json_object_object_get_ex(item, "address", &address) ||
		    parse_mac(json_object_get_string(mac), dhcp->leases[i].mac) < 0 ||
		    net_parse_address(json_object_get_string(address), &dhcp->leases[i].address) <
			    0)
			return -EINVAL;
	}
	return 0;
}

static int read_kind(json_object *value, unsigned int *kind)
{
	const char *text = json_object_get_string(value);
	int found = text ? machine_find_name(machine_nic_names, text, strlen(text)) : -1;

	if (found < MACHINE_NIC_INTERNAL)
		return -EINVAL;
	*kind = (unsigned int)found;
	return 0;
}

static int read_table(json_object *json, const struct net_member *table, const char *path,
		      struct net_config *config, char *error, size_t error_size);

static int read_value(json_object *value, const struct net_member *m, struct net_config *config,
		      char *error, size_t error_size)
{
	void *field = (char *)config + m->offset;
	const char *text = json_object_get_string(value);
	int64_t number = json_object_get_int64(value);

	switch (m->kind) {
	case NET_CONSTANT:
		return 0;
	case NET_TEXT:
		if (!json_object_is_type(value, json_type_string) || strlen(text) >= m->size ||
		    strpbrk(text, "\n\r"))
			return -EINVAL;
		strcpy(field, text);
		return 0;
	case NET_KIND:
		return read_kind(value, field);
	case NET_BOOL:
		*(bool *)field = json_object_get_boolean(value);
		return json_object_is_type(value, json_type_boolean) ? 0 : -EINVAL;
	case NET_SECONDS:
		if (!json_object_is_type(value, json_type_int) || number < 1 || number > UINT32_MAX)
			return -EINVAL;
		*(uint32_t *)field = (uint32_t)number;
		return 0;
	case NET_ADDRESS:
		return text ? net_parse_address(text, field) : -EINVAL;
	case NET_SERVERS:
		return read_servers(value, field);
	case NET_LEASES:
		return read_leases(value, &config->dhcp);
	case NET_OBJECT:
		return read_table(value, dhcp_members, "dhcp.", config, error, error_size);
	}
	return -EINVAL;
}

static int read_table(json_object *json, const struct net_member *table, const char *path,
		      struct net_config *config, char *error, size_t error_size)
{
	if (!json_object_is_type(json, json_type_object))
		return fail(error, error_size, "%s: must be an object", *path ? path : "the file");
	json_object_object_foreach(json, key, value)
	{
		const struct net_member *m = table;

		while (m->name && strcmp(m->name, key))
			m++;
		if (!m->name)
			return fail(error, error_size, "%s%s: no such member", path, key);
		if (read_value(value, m, config, error, error_size) < 0)
			return *error ? -EINVAL
				      : fail(error, error_size, "%s%s: %s is no value for it", path,
					     key, json_object_to_json_string(value));
	}
	return 0;
}

int net_config_read(json_object *json, struct net_config *config, char *error, size_t error_size)
{
	*error = '\0';
	if (read_table(json, net_members, "", config, error, error_size) < 0)
		return -EINVAL;
	return net_config_check(config, error, error_size);
}

/* --- checking */

void net_config_init(struct net_config *config, const char *name, unsigned int kind)
{
	*config = (struct net_config){ .kind = kind };
	snprintf(config->name, sizeof(config->name), "%s", name);
	config->dhcp = (struct net_dhcp){
		.network = 0x0aed0000, /* 10.237.0.0/16 */
		.netmask = 0xffff0000,
		.server = 0x0aed0001,
		.start = 0x0aed0010,
		.end = 0x0aedfffe,
		.lease_s = 36 * 3600,
		.renewal_s = 24 * 3600,
		.rebinding_s = 30 * 3600,
	};
}

/* The shortest mask of the class that @address is of; 0: of none that hosts have. */
static uint32_t class_mask(uint32_t address)
{
	if (!(address >> 31))
		return 0xff000000;
	if (address >> 30 == 2)
		return 0xffff0000;
	return address >> 29 == 6 ? 0xffffff00 : 0;
}

static bool mask_is_valid(uint32_t mask)
{
	uint32_t host = ~mask;

	return mask && host >= 3 && !(host & (host + 1));
}

static int check_leases(const struct net_dhcp *d, uint32_t first, uint32_t last, char *error,
			size_t error_size)
{
	for (unsigned int i = 0; i < d->lease_count; i++) {
		const struct net_lease *lease = &d->leases[i];

		if (lease->address < first || lease->address > last)
			return fail(error, error_size, "dhcp.leases[%u]: is not in the network", i);
		if (lease->address == d->server)
			return fail(error, error_size, "dhcp.leases[%u]: is the server's address",
				    i);
		for (unsigned int j = 0; j < i; j++) {
			if (d->leases[j].address == lease->address)
				return fail(error, error_size,
					    "dhcp.leases[%u]: has the address of leases[%u]", i, j);
			if (!memcmp(d->leases[j].mac, lease->mac, sizeof(lease->mac)))
				return fail(error, error_size,
					    "dhcp.leases[%u]: is for the adapter of leases[%u]", i,
					    j);
		}
	}
	return 0;
}

static int check_range(const struct net_dhcp *d, char *error, size_t error_size)
{
	uint32_t first = d->network + 1, last = (d->network | ~d->netmask) - 1;

	if (d->start < d->network + RESERVED_ADDRESSES || d->start > last)
		return fail(error, error_size,
			    "dhcp.start: must be in the network, its 16th address or later");
	if (d->end < d->start || d->end > last)
		return fail(error, error_size,
			    "dhcp.end: must be from dhcp.start to the network's last address");
	if (d->server < first || d->server >= d->start)
		return fail(error, error_size,
			    "dhcp.server: must be in the network, before dhcp.start");
	if (d->gateway && (d->gateway & d->netmask) != d->network)
		return fail(error, error_size, "dhcp.gateway: is not in the network");
	return check_leases(d, first, last, error, error_size);
}

static int check_dhcp(const struct net_dhcp *d, char *error, size_t error_size)
{
	uint32_t shortest = class_mask(d->network);

	if (!shortest)
		return fail(error, error_size, "dhcp.network: must be of class A, B or C");
	if (!mask_is_valid(d->netmask) || (d->netmask & shortest) != shortest)
		return fail(error, error_size,
			    "dhcp.netmask: is no mask for a network of this class");
	if (d->network & ~d->netmask)
		return fail(error, error_size,
			    "dhcp.network: has bits that dhcp.netmask leaves to hosts");
	if (d->renewal_s >= d->rebinding_s || d->rebinding_s >= d->lease_s)
		return fail(
			error, error_size,
			"dhcp: renewal_seconds must be less than rebinding_seconds, and those less "
			"than lease_seconds");
	return check_range(d, error, error_size);
}

int net_config_check(const struct net_config *config, char *error, size_t error_size)
{
	if (!name_is_valid(config->name))
		return fail(error, error_size, "%s: cannot name a network", config->name);
	if (config->kind == MACHINE_NIC_LOOPBACK && strlen(config->name) > 12)
		return fail(error, error_size,
			    "%s: a loopback network's name has at most 12 bytes, since the host's "
			    "interface is called after it",
			    config->name);
	if (config->kind == MACHINE_NIC_EXTERNAL && strlen(config->name) > 15)
		return fail(error, error_size, "%s: no interface can have this name", config->name);
	if (config->host_address && config->kind != MACHINE_NIC_LOOPBACK)
		return fail(error, error_size, "host_address: only a loopback network has one");
	if (config->host_address && !mask_is_valid(config->netmask))
		return fail(error, error_size, "netmask: is no mask for host_address");
	if (strpbrk(config->notes, "\n\r") || strpbrk(config->dhcp.boot_file, "\n\r") ||
	    strpbrk(config->dhcp.tftp_root, "\n\r"))
		return fail(error, error_size,
			    "%s: notes, boot_file and tftp_root are one line each", config->name);
	return check_dhcp(&config->dhcp, error, error_size);
}

/* --- writing */

static json_object *address_json(uint32_t address)
{
	char text[NET_ADDRESS_TEXT_MAX];

	net_format_address(address, text);
	return json_object_new_string(text);
}

static json_object *servers_json(const struct net_server_list *list)
{
	json_object *json = json_object_new_array();

	for (unsigned int i = 0; i < list->count; i++)
		json_object_array_add(json, address_json(list->address[i]));
	return json;
}

static json_object *leases_json(const struct net_dhcp *dhcp)
{
	json_object *json = json_object_new_array();

	for (unsigned int i = 0; i < dhcp->lease_count; i++) {
		const uint8_t *m = dhcp->leases[i].mac;
		json_object *item = json_object_new_object();
		char mac[18];

		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
			 m[4], m[5]);
		json_object_object_add(item, "mac", json_object_new_string(mac));
		json_object_object_add(item, "address", address_json(dhcp->leases[i].address));
		json_object_array_add(json, item);
	}
	return json;
}

static json_object *table_json(const struct net_config *config, const struct net_member *table);

/* NULL: a value that need not be written. */
static json_object *value_json(const struct net_config *config, const struct net_member *m)
{
	const void *field = (const char *)config + m->offset;

	switch (m->kind) {
	case NET_CONSTANT:
		return *m->name == '$' ? NULL : json_object_new_int(1);
	case NET_TEXT:
		return *(const char *)field ? json_object_new_string(field) : NULL;
	case NET_KIND:
		return json_object_new_string(machine_nic_names[config->kind]);
	case NET_BOOL:
		return json_object_new_boolean(*(const bool *)field);
	case NET_SECONDS:
		return json_object_new_int64(*(const uint32_t *)field);
	case NET_ADDRESS:
		return *(const uint32_t *)field ? address_json(*(const uint32_t *)field) : NULL;
	case NET_SERVERS:
		return servers_json(field);
	case NET_LEASES:
		return leases_json(&config->dhcp);
	case NET_OBJECT:
		return table_json(config, dhcp_members);
	}
	return NULL;
}

static json_object *table_json(const struct net_config *config, const struct net_member *table)
{
	json_object *json = json_object_new_object();

	for (; table->name; table++) {
		json_object *value = value_json(config, table);

		if (value)
			json_object_object_add(json, table->name, value);
	}
	return json;
}

json_object *net_config_json(const struct net_config *config)
{
	return table_json(config, net_members);
}

/* --- the schema */

static const char *const schema_types[] = {
	[NET_TEXT] = "{\"type\":\"string\"}",
	[NET_KIND] = "{\"enum\":[\"internal\",\"loopback\",\"external\"]}",
	[NET_BOOL] = "{\"type\":\"boolean\"}",
	[NET_SECONDS] = "{\"type\":\"integer\",\"minimum\":1,\"maximum\":4294967295}",
	[NET_ADDRESS] = "{\"type\":\"string\",\"format\":\"ipv4\"}",
	[NET_SERVERS] = "{\"type\":\"array\",\"maxItems\":8,"
			"\"items\":{\"type\":\"string\",\"format\":\"ipv4\"}}",
	[NET_LEASES] =
		"{\"type\":\"array\",\"maxItems\":256,\"items\":{\"type\":\"object\","
		"\"required\":[\"mac\",\"address\"],\"properties\":{\"mac\":{\"type\":\"string\"},"
		"\"address\":{\"type\":\"string\",\"format\":\"ipv4\"}},"
		"\"additionalProperties\":false}}",
};

static json_object *schema_table(const struct net_member *table)
{
	json_object *json = json_object_new_object(), *properties = json_object_new_object();

	for (; table->name; table++) {
		json_object *property;

		if (table->kind == NET_OBJECT)
			property = schema_table(dhcp_members);
		else if (table->kind == NET_CONSTANT)
			property = json_tokener_parse(*table->name == '$' ? "{\"type\":\"string\"}"
									  : "{\"const\":1}");
		else
			property = json_tokener_parse(schema_types[table->kind]);
		json_object_object_add(property, "description",
				       json_object_new_string(table->description));
		json_object_object_add(properties, table->name, property);
	}
	json_object_object_add(json, "type", json_object_new_string("object"));
	json_object_object_add(json, "properties", properties);
	json_object_object_add(json, "additionalProperties", json_object_new_boolean(false));
	return json;
}

json_object *net_config_schema(void)
{
	json_object *json = schema_table(net_members);

	json_object_object_add(
		json, "$schema",
		json_object_new_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_object_add(json, "title", json_object_new_string("A network of Mainstay"));
	return json;
}

/* --- files */

/* Found once: in a user namespace of ours everybody is root, and the folder another. */
static int folder_path(char *path, size_t size)
{
	static char found[PATH_MAX];
	const char *given = getenv("MAINSTAY_NETWORKS"), *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int n;

	if (*found)
		n = snprintf(path, size, "%s", found);
	else if (given && *given)
		n = snprintf(path, size, "%s", given);
	else if (geteuid() == 0)
		n = snprintf(path, size, "/etc/mainstay/networks");
	else if (config && *config == '/')
		n = snprintf(path, size, "%s/mainstay/networks", config);
	else
		n = snprintf(path, size, "%s/.config/mainstay/networks", home ? home : "");
	if (n >= (int)size)
		return -ENAMETOOLONG;
	memcpy(found, path, (size_t)n + 1);
	return 0;
}

static int file_path(const char *name, char *path, size_t size)
{
	char folder[PATH_MAX - 80];
	int r = name_is_valid(name) ? folder_path(folder, sizeof(folder)) : -EINVAL;

	if (r == 0 && snprintf(path, size, "%s/%s.json", folder, name) >= (int)size)
		r = -ENAMETOOLONG;
	return r;
}

static void make_folders(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(copy, 0755);
		*slash = '/';
	}
}

int net_config_load(const char *name, struct net_config *config, char *error, size_t error_size)
{
	char path[PATH_MAX], *text, why[256];
	json_object *json;
	size_t size;
	int r = file_path(name, path, sizeof(path));

	if (r == 0)
		r = file_read(path, FILE_BYTES_MAX, &text, &size);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return snprintf(error, error_size, "%s: %s", name, strerror(-r)), r;
	json = json_tokener_parse(text);
	free(text);
	net_config_init(config, name, MACHINE_NIC_INTERNAL);
	r = json ? net_config_read(json, config, why, sizeof(why)) : -EINVAL;
	if (r < 0)
		snprintf(error, error_size, "%s: %s", path, json ? why : "is not JSON");
	json_object_put(json);
	return r;
}

int net_config_save(const struct net_config *config, bool create, char *error, size_t error_size)
{
	json_object *json;
	const char *text;
	char path[PATH_MAX];
	int r = net_config_check(config, error, error_size);

	if (r < 0)
		return r;
	r = file_path(config->name, path, sizeof(path));
	if (r == 0 && create && access(path, F_OK) == 0) {
		snprintf(error, error_size, "network %s: is there already; delete it first",
			 config->name);
		return -EEXIST;
	}
	json = net_config_json(config);
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	make_folders(path);
	if (r == 0)
		r = file_replace(path, text, strlen(text), 0644);
	json_object_put(json);
	if (r < 0)
		snprintf(error, error_size, "%s: %s", path, strerror(-r));
	return r;
}

int net_config_watch(void)
{
	char folder[PATH_MAX];
	int r = folder_path(folder, sizeof(folder)), fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (r == 0 && inotify_add_watch(fd, folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE) < 0)
		r = -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int net_config_remove(const char *name, char *error, size_t error_size)
{
	char path[PATH_MAX];
	int r = file_path(name, path, sizeof(path));

	if (r == 0 && unlink(path) < 0)
		r = -errno;
	if (r == -ENOENT)
		snprintf(error, error_size, "there is no network %s", name);
	else if (r < 0)
		snprintf(error, error_size, "%s: %s", path, strerror(-r));
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int net_config_list(char ***ret_names)
{
	char path[PATH_MAX];
	char **names = calloc(1, sizeof(*names)), **grown;
	struct dirent *entry;
	size_t count = 0;
	DIR *folder;

	if (!names || folder_path(path, sizeof(path)) < 0)
		return -ENOMEM;
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".json"))
			continue;
		*dot = '\0';
		grown = name_is_valid(entry->d_name)
				? reallocarray(names, count + 2, sizeof(*names))
				: NULL;
		if (!grown)
			continue;
		names = grown;
		names[count++] = strdup(entry->d_name);
		names[count] = NULL;
	}
	if (folder)
		closedir(folder);
	qsort(names, count, sizeof(*names), compare);
	*ret_names = names;
	return 0;
}
