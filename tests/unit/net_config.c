// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of networks: the rules of the DHCP server, reading, writing, names. */
#include <criterion/criterion.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../mgmt/machine_config.h"
#include "../../mgmt/net_config.h"
#include "../../mgmt/runtime_dir.h"

static char folder[] = "/tmp/mainstay-networks-XXXXXX";
static char error[512];

static void setup(void)
{
	cr_assert_not_null(mkdtemp(folder));
	setenv("MAINSTAY_NETWORKS", folder, 1);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(net_config, .init = setup, .fini = teardown);

/* Changes to the defaults, and what the error is about; NULL: none. */
static const struct {
	const char *json, *about;
} rules[] = {
	{ "{}", NULL },
	{ "{\"dhcp\":{\"enabled\":true}}", NULL },
	{ "{\"dhcp\":{\"start\":\"10.237.0.16\"}}", NULL },
	{ "{\"dhcp\":{\"start\":\"10.237.0.15\"}}", "dhcp.start" },
	{ "{\"dhcp\":{\"start\":\"10.238.0.16\"}}", "dhcp.start" },
	{ "{\"dhcp\":{\"end\":\"10.237.0.15\"}}", "dhcp.end" },
	{ "{\"dhcp\":{\"end\":\"10.237.255.255\"}}", "dhcp.end" },
	{ "{\"dhcp\":{\"end\":\"10.237.255.254\"}}", NULL },
	{ "{\"dhcp\":{\"server\":\"10.237.0.16\"}}", "dhcp.server" },
	{ "{\"dhcp\":{\"server\":\"10.237.0.15\"}}", NULL },
	{ "{\"dhcp\":{\"server\":\"10.237.0.0\"}}", "dhcp.server" },
	{ "{\"dhcp\":{\"gateway\":\"10.1.0.1\"}}", "dhcp.gateway" },
	{ "{\"dhcp\":{\"netmask\":\"255.0.0.0\"}}", "dhcp.network" },
	{ "{\"dhcp\":{\"netmask\":\"254.0.0.0\"}}", "dhcp.netmask" },
	{ "{\"dhcp\":{\"netmask\":\"255.0.255.0\"}}", "dhcp.netmask" },
	{ "{\"dhcp\":{\"network\":\"192.168.0.0\",\"netmask\":\"255.255.0.0\"}}", "dhcp.netmask" },
	{ "{\"dhcp\":{\"network\":\"224.0.0.0\"}}", "dhcp.network" },
	{ "{\"dhcp\":{\"network\":\"192.168.5.0\",\"netmask\":\"255.255.255.0\",\"server\":"
	  "\"192.168.5.1\",\"start\":\"192.168.5.16\",\"end\":\"192.168.5.254\"}}",
	  NULL },
	{ "{\"dhcp\":{\"lease_seconds\":100,\"renewal_seconds\":50,\"rebinding_seconds\":80}}",
	  NULL },
	{ "{\"dhcp\":{\"renewal_seconds\":108000}}", "renewal_seconds" },
	{ "{\"dhcp\":{\"lease_seconds\":108000}}", "lease_seconds" },
	{ "{\"dhcp\":{\"lease_seconds\":0}}", "lease_seconds" },
	{ "{\"dhcp\":{\"lease_seconds\":4294967296}}", "lease_seconds" },
	{ "{\"dhcp\":{\"lease_seconds\":4294967295}}", NULL },
	{ "{\"dhcp\":{\"dns\":[\"10.0.0.1\",\"x\"]}}", "dhcp.dns" },
	{ "{\"dhcp\":{\"leases\":[{\"mac\":\"00:03:ff:00:00:01\",\"address\":\"10.237.0.9\"}]}}",
	  NULL },
	{ "{\"dhcp\":{\"leases\":[{\"mac\":\"00:03:ff:00:00:01\",\"address\":\"10.1.0.9\"}]}}",
	  "leases[0]" },
	{ "{\"dhcp\":{\"leases\":[{\"mac\":\"00:03:ff:00:00:01\",\"address\":\"10.237.0.1\"}]}}",
	  "the server's" },
	{ "{\"dhcp\":{\"leases\":[{\"mac\":\"00:03:ff:00:00:01\",\"address\":\"10.237.0.9\"},"
	  "{\"mac\":\"00:03:ff:00:00:02\",\"address\":\"10.237.0.9\"}]}}",
	  "leases[1]: has the address of leases[0]" },
	{ "{\"dhcp\":{\"leases\":[{\"mac\":\"00:03:ff:00:00:01\",\"address\":\"10.237.0.9\"},"
	  "{\"mac\":\"00:03:ff:00:00:01\",\"address\":\"10.237.0.8\"}]}}",
	  "leases[1]: is for the adapter of leases[0]" },
	{ "{\"dhcp\":{\"leases\":[{\"mac\":\"00:03\",\"address\":\"10.237.0.9\"}]}}",
	  "dhcp.leases" },
	{ "{\"dhcp\":{\"boot_file\":\"a\\nenable-tftp\"}}", "boot_file" },
	{ "{\"dhcp\":[]}", "dhcp." },
	{ "{\"dhcp\":{\"x\":1}}", "dhcp.x" },
	{ "{\"x\":1}", "x: no such member" },
	{ "{\"kind\":\"nat\"}", "kind" },
	{ "{\"kind\":\"loopback\",\"host_address\":\"10.0.0.1\",\"netmask\":\"255.255.255.0\"}",
	  NULL },
	{ "{\"kind\":\"internal\",\"host_address\":\"10.0.0.1\",\"netmask\":\"255.255.255.0\"}",
	  "host_address" },
	{ "{\"kind\":\"loopback\",\"host_address\":\"10.0.0.1\"}", "netmask" },
};

Test(net_config, rules_between_settings)
{
	for (unsigned int i = 0; i < ARRAY_LEN(rules); i++) {
		json_object *json = json_tokener_parse(rules[i].json);
		struct net_config config;
		int r;

		cr_assert_not_null(json, "%s", rules[i].json);
		net_config_init(&config, "lab", MACHINE_NIC_INTERNAL);
		r = net_config_read(json, &config, error, sizeof(error));
		cr_assert_eq(r, rules[i].about ? -EINVAL : 0, "%s: %s", rules[i].json, error);
		if (rules[i].about)
			cr_assert_not_null(strstr(error, rules[i].about), "%s: %s", rules[i].json,
					   error);
		json_object_put(json);
	}
}

Test(net_config, what_is_written_is_read)
{
	struct net_config config, back;
	char **names;

	net_config_init(&config, "lab", MACHINE_NIC_LOOPBACK);
	config.host_address = 0x0a000001;
	config.netmask = 0xffffff00;
	config.dhcp.enabled = true;
	config.dhcp.dns = (struct net_server_list){ 2, { 0x01020304, 0x05060708 } };
	config.dhcp.leases[config.dhcp.lease_count++] =
		(struct net_lease){ { 0, 3, 255, 0, 0, 1 }, 0x0aed0014 };
	strcpy(config.notes, "for \"tests\"");
	cr_assert_eq(net_config_save(&config, true, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(net_config_save(&config, true, error, sizeof(error)), -EEXIST);
	cr_assert_eq(net_config_load("lab", &back, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(memcmp(&config, &back, sizeof(config)), 0);
	cr_assert_eq(net_config_list(&names), 0);
	cr_assert_str_eq(names[0], "lab");
	cr_assert_null(names[1]);
	runtime_names_free(names);
	cr_assert_eq(net_config_remove("lab", error, sizeof(error)), 0);
	cr_assert_eq(net_config_load("lab", &back, error, sizeof(error)), -ENOENT);
	cr_assert_eq(net_config_load("../lab", &back, error, sizeof(error)), -EINVAL);
}

Test(net_config, every_member_is_in_the_schema)
{
	json_object *schema = net_config_schema(), *properties, *dhcp;
	struct net_config config;
	json_object *json;

	cr_assert(json_object_object_get_ex(schema, "properties", &properties));
	cr_assert(json_object_object_get_ex(properties, "dhcp", &dhcp));
	cr_assert(json_object_object_get_ex(dhcp, "properties", &dhcp));
	net_config_init(&config, "lab", MACHINE_NIC_INTERNAL);
	json = net_config_json(&config);
	json_object_object_foreach(json, key, value)
	{
		(void)value;
		cr_assert(json_object_object_get_ex(properties, key, NULL), "%s", key);
	}
	json_object_put(json);
	json_object_put(schema);
}
