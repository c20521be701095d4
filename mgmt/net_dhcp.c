// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * The first machine that is plugged into a network whose file wants a DHCP server starts "mainstay net
 * serve-dhcp" in the background. It takes the network's lock, so that there is one at most, makes a
 * user and network namespace with a tap device, hands the device's descriptor to the switch as the
 * port "dhcp", and runs dnsmasq behind it. It needs no right that any user lacks, and what dnsmasq can
 * reach is that one network.
 *
 * The server ends with the switch, when its file no longer wants it, or when no machine has been plugged in for a
 * while. dnsmasq is started again when it ends, and when its settings have changed.
 */
#include "net_dhcp.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "helper_program.h"
#include "net_config.h"
#include "net_interface.h"
#include "runtime_dir.h"
#include "switch_client.h"

#define PORT "dhcp"
#define TAP "dhcp0"
#define LOOK_MS 15000
#define RESTART_S 2
/* In the life of one server: who needs more has another problem. */
#define RESTARTS_MAX 8

/* --- places: BASE/.switch/dhcp-NAME.lock, .conf, .leases */

static void place(const struct runtime_base *base, const char *network, const char *what,
		  char *path, size_t size)
{
	snprintf(path, size, "%s/.switch/dhcp-%s.%s", base->path, network, what);
}

/* -EWOULDBLOCK when the network has its server. */
static int take_lock(const struct runtime_base *base, const char *network, int *ret_fd)
{
	char path[700];
	int fd;

	place(base, network, "lock", path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* --- dnsmasq's configuration */

static void write_list(FILE *file, unsigned int option, const struct net_server_list *list)
{
	char text[NET_ADDRESS_TEXT_MAX];

	/* An option without a value keeps dnsmasq from offering itself. */
	fprintf(file, "dhcp-option=%u", option);
	for (unsigned int i = 0; i < list->count; i++) {
		net_format_address(list->address[i], text);
		fprintf(file, ",%s", text);
	}
	fprintf(file, "\n");
}

static void write_range(FILE *file, const struct net_dhcp *d)
{
	char start[NET_ADDRESS_TEXT_MAX], end[NET_ADDRESS_TEXT_MAX], mask[NET_ADDRESS_TEXT_MAX];

	net_format_address(d->start, start);
	net_format_address(d->end, end);
	net_format_address(d->netmask, mask);
	fprintf(file, "dhcp-range=%s,%s,%s,%u\n", start, end, mask, d->lease_s);
	fprintf(file, "dhcp-option=58,%u\ndhcp-option=59,%u\n", d->renewal_s, d->rebinding_s);
}

static int write_configuration(const struct runtime_base *base, const struct net_config *config)
{
	const struct net_dhcp *d = &config->dhcp;
	char path[700], leases[700], address[NET_ADDRESS_TEXT_MAX];
	struct net_server_list gateway = { .count = d->gateway != 0, .address = { d->gateway } };
	FILE *file;

	place(base, config->name, "conf", path, sizeof(path));
	place(base, config->name, "leases", leases, sizeof(leases));
	file = fopen(path, "we");
	if (!file)
		return -errno;
	fprintf(file,
		"port=0\nno-hosts\nno-resolv\ninterface=" TAP "\nexcept-interface=lo\n"
		"bind-interfaces\ndhcp-authoritative\nno-ping\ndhcp-leasefile=%s\n",
		leases);
	write_range(file, d);
	write_list(file, 3, &gateway);
	write_list(file, 6, &d->dns);
	write_list(file, 44, &d->wins);
	if (d->boot_file[0])
		fprintf(file, "dhcp-boot=%s\n", d->boot_file);
	if (d->tftp_root[0])
		fprintf(file, "enable-tftp\ntftp-root=%s\n", d->tftp_root);
	for (unsigned int i = 0; i < d->lease_count; i++) {
		const uint8_t *m = d->leases[i].mac;

		net_format_address(d->leases[i].address, address);
		fprintf(file, "dhcp-host=%02x:%02x:%02x:%02x:%02x:%02x,%s\n", m[0], m[1], m[2],
			m[3], m[4], m[5], address);
	}
	return fclose(file) == 0 ? 0 : -errno;
}

/* --- namespace and device */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* We are root there, and nobody else is anybody. */
static int enter_namespace(void)
{
	char map[32];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	if (write_file("/proc/self/uid_map", map) < 0)
		return -EPERM;
	(void)write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1\n", gid);
	return write_file("/proc/self/gid_map", map);
}

static int make_device(const struct net_config *config)
{
	int fd = net_open_tap(TAP, config->name), r;

	if (fd < 0)
		return fd;
	/* It has nothing to say that nobody asked. */
	(void)write_file("/proc/sys/net/ipv6/conf/" TAP "/disable_ipv6", "1");
	r = net_set_address(TAP, config->dhcp.server, config->dhcp.netmask);
	if (r == 0)
		r = net_bring_up(TAP);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* --- serving */

struct server {
	struct runtime_base base;
	struct net_config config;
	int switch_fd, watch_fd, dnsmasq_fd;
	pid_t dnsmasq; /* 0: does not run */
};

/*
 * In its debugging mode it stays who it is: in a namespace where nobody else is anybody it could not
 * become another user, and would give up.
 */
static int start_dnsmasq(struct server *server, char *error, size_t error_size)
{
	char file[760], path[700];
	char *argv[] = { "dnsmasq", "--no-daemon", "--pid-file=", file, NULL };
	struct helper helper = { .program = "dnsmasq", .argv = argv, .stderr_fd = STDERR_FILENO };
	int r;

	place(&server->base, server->config.name, "conf", path, sizeof(path));
	snprintf(file, sizeof(file), "--conf-file=%s", path);
	r = helper_start(&helper, error, error_size);
	if (r < 0)
		return r;
	server->dnsmasq = helper.pid;
	server->dnsmasq_fd = pidfd_open(helper.pid, 0);
	return 0;
}

static int plug_into_switch(struct server *server, int tap, char *error, size_t error_size)
{
	json_object *json = switch_message("uplink", server->config.name);

	json_object_object_add(json, "port", json_object_new_string(PORT));
	json_object_object_add(json, "kind", json_object_new_string("frames"));
	return switch_request(server->switch_fd, json, tap, NULL, NULL, NULL, error, error_size);
}

/* Whether some machine is plugged in. */
static bool has_machine(int switch_fd, const char *network)
{
	json_object *answer = NULL, *list, *ports, *kind;
	bool found = false;
	char error[256];

	if (switch_request(switch_fd, switch_message("stats", network), -1, NULL, NULL, &answer,
			   error, sizeof(error)) < 0)
		return false;
	if (json_object_object_get_ex(answer, "networks", &list) &&
	    json_object_object_get_ex(json_object_array_get_idx(list, 0), "port_list", &ports)) {
		for (size_t i = 0; i < json_object_array_length(ports); i++) {
			if (json_object_object_get_ex(json_object_array_get_idx(ports, i), "kind",
						      &kind))
				found |= !strcmp(json_object_get_string(kind), "machine");
		}
	}
	json_object_put(answer);
	return found;
}

static void end_dnsmasq(struct server *server)
{
	if (server->dnsmasq > 0) {
		kill(server->dnsmasq, SIGTERM);
		waitpid(server->dnsmasq, NULL, 0);
	}
	server->dnsmasq_fd = fd_close(server->dnsmasq_fd);
	server->dnsmasq = 0;
}

static bool same_settings(const struct net_config *a, const struct net_config *b)
{
	json_object *x = net_config_json(a), *y = net_config_json(b);
	bool same = json_object_equal(x, y);

	json_object_put(x);
	json_object_put(y);
	return same;
}

/* Some network's file has changed. False: this one's no longer wants a server. */
static bool look_at_settings(struct server *server)
{
	static struct net_config config; /* large */
	char events[4096], error[512] = "";
	int r;

	(void)!read(server->watch_fd, events, sizeof(events));
	r = net_config_load(server->config.name, &config, error, sizeof(error));
	/* A file that cannot be read was not written by us: go on with what was good. */
	if (r < 0 && r != -ENOENT) {
		log_warning("%s; the DHCP server goes on as it was", error);
		return true;
	}
	if (r < 0 || !config.dhcp.enabled)
		return false;
	if (same_settings(&config, &server->config))
		return true;
	server->config = config;
	end_dnsmasq(server);
	r = net_set_address(TAP, config.dhcp.server, config.dhcp.netmask);
	if (r == 0)
		r = write_configuration(&server->base, &server->config);
	if (r == 0)
		r = start_dnsmasq(server, error, sizeof(error));
	if (r < 0)
		log_error("network %s: its DHCP server ends: %s", config.name,
			  *error ? error : strerror(-r));
	return r == 0;
}

/* False: it has ended too often. */
static bool dnsmasq_ended(struct server *server, unsigned int *restarts)
{
	char error[512];

	waitpid(server->dnsmasq, NULL, 0);
	server->dnsmasq = 0;
	end_dnsmasq(server);
	if (++*restarts > RESTARTS_MAX || !has_machine(server->switch_fd, server->config.name)) {
		log_error("network %s: dnsmasq does not stay up; no addresses are given",
			  server->config.name);
		return false;
	}
	log_warning("network %s: dnsmasq ended; it is started again", server->config.name);
	sleep(RESTART_S);
	return start_dnsmasq(server, error, sizeof(error)) == 0;
}

static void stay(struct server *server)
{
	unsigned int restarts = 0;

	for (;;) {
		struct pollfd fds[3] = { { server->switch_fd, POLLIN, 0 },
					 { server->dnsmasq_fd, POLLIN, 0 },
					 { server->watch_fd, POLLIN, 0 } };
		int n = poll(fds, 3, LOOK_MS);

		/* The switch never speaks unasked: it is gone. */
		if (fds[0].revents ||
		    (n == 0 && !has_machine(server->switch_fd, server->config.name)))
			break;
		if (fds[1].revents && !dnsmasq_ended(server, &restarts))
			break;
		if (fds[2].revents && !look_at_settings(server))
			break;
	}
	end_dnsmasq(server);
}

int net_dhcp_serve(const char *network)
{
	static struct server server;
	char error[512] = "";
	int lock_fd, tap, r;

	if (runtime_base_open(&server.base, false, error, sizeof(error)) < 0)
		die("%s", error);
	r = net_config_load(network, &server.config, error, sizeof(error));
	if (r < 0)
		die("network %s: %s", network, *error ? error : "is not there");
	if (take_lock(&server.base, network, &lock_fd) < 0)
		die("network %s has a DHCP server already", network);
	if (switch_connect(&server.base, false, &server.switch_fd, error, sizeof(error)) < 0)
		die("network %s: no switch runs", network);
	server.watch_fd = net_config_watch();
	r = write_configuration(&server.base, &server.config);
	if (r < 0)
		die("network %s: dnsmasq's settings: %s", network, strerror(-r));
	r = enter_namespace();
	if (r < 0)
		die("network %s: this host refuses user namespaces, which the DHCP server needs: "
		    "%s",
		    network, strerror(-r));
	tap = make_device(&server.config);
	if (tap < 0)
		die("network %s: the DHCP server's device: %s", network, strerror(-tap));
	if (plug_into_switch(&server, tap, error, sizeof(error)) < 0 ||
	    start_dnsmasq(&server, error, sizeof(error)) < 0)
		die("network %s: %s", network, error);
	close(tap);
	stay(&server);
	return EXIT_SUCCESS;
}

void net_dhcp_start(const struct runtime_base *base, const char *network)
{
	struct net_config config;
	char error[512] = "", path[700];
	char *argv[] = { "mainstay", "net", "serve-dhcp", (char *)network, NULL };
	struct helper helper = { .program = HELPER_SELF, .argv = argv, .detach = true };
	int lock_fd;

	if (net_config_load(network, &config, error, sizeof(error)) < 0 || !config.dhcp.enabled)
		return;
	/* Only to see whether it is free: the server takes it itself. */
	if (take_lock(base, network, &lock_fd) < 0)
		return;
	close(lock_fd);
	if (helper_find("dnsmasq", path, sizeof(path), error, sizeof(error)) < 0) {
		log_warning("network %s: its DHCP server cannot run: %s (Debian: dnsmasq-base)",
			    network, error);
		return;
	}
	place(base, network, "log", path, sizeof(path));
	helper.stderr_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (helper_start(&helper, error, sizeof(error)) < 0)
		log_warning("network %s: its DHCP server cannot run: %s", network, error);
	fd_close(helper.stderr_fd);
}

void net_dhcp_changed(const char *network)
{
	struct runtime_base base;
	char error[512];
	int fd = -1;

	if (runtime_base_open(&base, false, error, sizeof(error)) < 0)
		return;
	if (switch_connect(&base, false, &fd, error, sizeof(error)) == 0 &&
	    has_machine(fd, network))
		net_dhcp_start(&base, network);
	fd_close(fd);
	runtime_base_close(&base);
}

int net_dhcp_print_leases(const char *network)
{
	struct runtime_base base;
	char error[512], path[700], line[512];
	FILE *file;

	if (runtime_base_open(&base, false, error, sizeof(error)) < 0)
		return EXIT_SUCCESS;
	place(&base, network, "leases", path, sizeof(path));
	file = fopen(path, "re");
	/* "EXPIRY MAC ADDRESS NAME ID" */
	while (file && fgets(line, sizeof(line), file)) {
		char mac[64], address[64], name[128];
		long long expiry;

		if (sscanf(line, "%lld %63s %63s %127s", &expiry, mac, address, name) == 4)
			printf("%-16s %-18s %s\n", address, mac, strcmp(name, "*") ? name : "");
	}
	if (file)
		fclose(file);
	runtime_base_close(&base);
	return EXIT_SUCCESS;
}
