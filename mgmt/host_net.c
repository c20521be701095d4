// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A loopback network has one tap device on the host, called ms-NAME, with the address of the network's
 * file (net_config.h) when that says one. An external network is the host's interface of its name: a
 * bridge gets a tap of ours as a further member; from any other wired interface a packet socket takes
 * copies of what comes in, and sends, which leaves the interface and the host's connectivity as they
 * are (host and machines do not hear each other there; that is what a bridge is for). A wireless card
 * is refused: access points drop frames with addresses that have not joined.
 *
 * Each is an uplink of the network that lives as long as the network in the switch; the devices go
 * with their descriptors. A second machine finds the uplink there and takes no part in making it.
 */
#include "host_net.h"

#include <errno.h>
#include <json-c/json.h>
#include <linux/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine_config.h"
#include "net_config.h"
#include "net_interface.h"
#include "switch_client.h"

#define UPLINK "host"
#define TAP_PREFIX "ms-"

static const char no_permission[] =
	"this needs the right to administer the network; run it as root or with CAP_NET_ADMIN";

static int explain(int r, const char *what, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s: %s", what,
		 r == -EPERM || r == -EACCES ? no_permission : strerror(-r));
	return r;
}

/* --- networks */

static bool interface_has(const char *name, const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
	return access(path, F_OK) == 0;
}

static int open_loopback(const char *network, char *error, size_t error_size)
{
	char tap[IFNAMSIZ];
	struct net_config config;
	int fd, r;

	snprintf(tap, sizeof(tap), TAP_PREFIX "%s", network);
	fd = net_open_tap(tap, network);
	if (fd < 0)
		return explain(fd, tap, error, error_size);
	r = net_config_load(network, &config, error, error_size);
	if (r == 0 && config.host_address) {
		r = net_set_address(tap, config.host_address, config.netmask);
	} else if (r == -ENOENT) {
		r = 0;
	}
	if (r == 0)
		r = net_bring_up(tap);
	if (r < 0) {
		close(fd);
		return *error ? r : explain(r, tap, error, error_size);
	}
	return fd;
}

/* @ret_kind: of the uplink, as net/control.h has it. */
static int open_external(const char *interface, const char **ret_kind, char *error,
			 size_t error_size)
{
	char tap[IFNAMSIZ];
	int fd, r;

	if (!interface_has(interface, "")) {
		snprintf(error, error_size, "%s: this host has no such interface", interface);
		return -ENODEV;
	}
	if (interface_has(interface, "wireless") || interface_has(interface, "phy80211")) {
		snprintf(error, error_size,
			 "%s: is wireless, and access points drop the frames of machines; use nat",
			 interface);
		return -EOPNOTSUPP;
	}
	if (!interface_has(interface, "bridge")) {
		fd = net_open_packet_socket(interface);
		*ret_kind = "packet";
		return fd < 0 ? explain(fd, interface, error, error_size) : fd;
	}
	snprintf(tap, sizeof(tap), TAP_PREFIX "%s", interface);
	fd = net_open_tap(tap, interface);
	if (fd < 0)
		return explain(fd, tap, error, error_size);
	r = net_join_bridge(interface, tap);
	if (r == 0)
		r = net_bring_up(tap);
	if (r < 0) {
		close(fd);
		return explain(r, interface, error, error_size);
	}
	return fd;
}

/* Whether the network has its way to the host already. */
static bool has_uplink(int switch_fd, const char *network)
{
	json_object *answer = NULL, *list, *ports, *name;
	bool found = false;
	char error[256];

	if (switch_request(switch_fd, switch_message("stats", network), -1, NULL, NULL, &answer,
			   error, sizeof(error)) < 0)
		return false;
	if (json_object_object_get_ex(answer, "networks", &list) &&
	    json_object_object_get_ex(json_object_array_get_idx(list, 0), "port_list", &ports)) {
		for (size_t i = 0; i < json_object_array_length(ports); i++) {
			if (json_object_object_get_ex(json_object_array_get_idx(ports, i), "port",
						      &name))
				found |= !strcmp(json_object_get_string(name), UPLINK);
		}
	}
	json_object_put(answer);
	return found;
}

int host_net_plug(int switch_fd, unsigned int kind, const char *network, char *error,
		  size_t error_size)
{
	const char *uplink_kind = "frames";
	json_object *json;
	int fd, r;

	if (has_uplink(switch_fd, network))
		return 0;
	*error = '\0';
	fd = kind == MACHINE_NIC_LOOPBACK ? open_loopback(network, error, error_size)
					  : open_external(network, &uplink_kind, error, error_size);
	if (fd < 0)
		return fd;
	json = switch_message("uplink", network);
	json_object_object_add(json, "port", json_object_new_string(UPLINK));
	json_object_object_add(json, "kind", json_object_new_string(uplink_kind));
	json_object_object_add(json, "keep", json_object_new_boolean(true));
	r = switch_request(switch_fd, json, fd, NULL, NULL, NULL, error, error_size);
	close(fd);
	return r;
}
