// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/log.h"
#include "../net/port.h"
#include "forward_ports.h"
#include "helper_program.h"
#include "host_net.h"
#include "net_dhcp.h"
#include "net_plug.h"
#include "runtime_dir.h"
#include "start_message.h"
#include "switch_client.h"

#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 30000
/* Who ends sooner than that has not recovered, for which there is no second line. */
#define PASST_STAYS_MS 60000
#define NAT_ADDRESS "10.0.2.15"
#define NAT_GATEWAY "10.0.2.2"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What to call the adapter: "web/0", also its port's name in the switch. */
static void port_name(const struct adapters *all, const struct adapter *a, char *name, size_t size)
{
	snprintf(name, size, "%.48s/%d", all->machine, (int)(a - all->adapters));
	/* Names of machines may have signs that names of ports may not. */
	for (char *c = name; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
			*c = '_';
	}
}

/* --- pulling out */

static void end_passt(struct adapter *a)
{
	if (a->passt_pid > 0) {
		kill(a->passt_pid, SIGTERM);
		waitpid(a->passt_pid, NULL, 0);
	}
	a->passt_pid = 0;
	a->passt_fd = fd_close(a->passt_fd);
	a->passt_log_fd = fd_close(a->passt_log_fd);
}

static void pull(struct adapter *a)
{
	a->switch_fd = fd_close(a->switch_fd);
	end_passt(a);
	if (a->plug_fd >= 0)
		(void)fdpass_send(a->plug_fd, "unplug", 6, NULL, 0);
}

/* --- plugging in */

static int request(struct adapter *a, json_object *json, int fd, char *error, size_t error_size)
{
	return switch_request(a->switch_fd, json, fd, NULL, NULL, NULL, error, error_size);
}

static json_object *port_message(const char *op, const char *network, const char *port)
{
	json_object *json = switch_message(op, network);

	json_object_object_add(json, "port", json_object_new_string(port));
	return json;
}

/* The network that the cable leads to, made where it is not there. */
static int prepare_network(struct adapters *all, struct adapter *a, char *network, size_t size,
			   char *error, size_t error_size)
{
	char name[SWITCH_PORT_NAME_MAX];
	json_object *json;
	int r;

	if (a->nic.kind == MACHINE_NIC_NAT) {
		port_name(all, a, name, sizeof(name));
		snprintf(network, size, "nat:%s", name);
	} else {
		snprintf(network, size, "%s", a->nic.network);
	}
	json = switch_message("network", network);
	/* Each machine's own way out has a network of its own, which goes with it. */
	json_object_object_add(json, a->nic.kind == MACHINE_NIC_NAT ? "temporary" : "transient",
			       json_object_new_boolean(true));
	r = request(a, json, -1, error, error_size);
	if (r == 0 && a->nic.kind > MACHINE_NIC_NAT)
		net_dhcp_start(all->base, network);
	if (r == 0 && a->nic.kind > MACHINE_NIC_INTERNAL)
		r = host_net_plug(a->switch_fd, a->nic.kind, network, error, error_size);
	return r;
}

static int start_passt(struct adapter *a, int socket, char *error, size_t error_size)
{
	char *argv[24];
	unsigned int n = 0;
	struct helper helper = { .program = "passt", .argv = argv };
	int r;

	argv[n++] = "passt";
	argv[n++] = "--foreground";
	argv[n++] = "--quiet";
	argv[n++] = "--fd";
	argv[n++] = "3";
	argv[n++] = "--mtu";
	argv[n++] = "1500";
	argv[n++] = "--address";
	argv[n++] = NAT_ADDRESS;
	argv[n++] = "--netmask";
	argv[n++] = "255.255.255.0";
	argv[n++] = "--gateway";
	argv[n++] = NAT_GATEWAY;
	argv[n++] = "--tcp-ports";
	argv[n++] = a->nic.tcp ? (char *)a->nic.tcp : "none";
	argv[n++] = "--udp-ports";
	argv[n++] = a->nic.udp ? (char *)a->nic.udp : "none";
	argv[n] = NULL;
	a->passt_log_fd = memfd_create("passt", MFD_CLOEXEC);
	helper.fds[0] = socket;
	helper.fd_count = 1;
	helper.stderr_fd = a->passt_log_fd;
	r = helper_start(&helper, error, error_size);
	if (r < 0)
		return r;
	a->passt_pid = helper.pid;
	a->passt_fd = pidfd_open(helper.pid, 0);
	return 0;
}

/* Its last line, for people; "" when it said nothing. */
static void passt_said(const struct adapter *a, char *text, size_t size)
{
	ssize_t n = a->passt_log_fd < 0 ? 0 : pread(a->passt_log_fd, text, size - 1, 0);
	char *line;

	text[n < 0 ? 0 : n] = '\0';
	for (n = (ssize_t)strlen(text); n > 0 && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
	line = strrchr(text, '\n');
	if (line)
		memmove(text, line + 1, strlen(line + 1) + 1);
}

static int plug_nat(struct adapter *a, const char *network, char *error, size_t error_size)
{
	json_object *json = port_message("uplink", network, "passt");
	int pair[2], r;

	json_object_object_add(json, "kind", json_object_new_string("stream"));
	r = forward_ports_check(a->nic.tcp, SOCK_STREAM, error, error_size);
	if (r == 0)
		r = forward_ports_check(a->nic.udp, SOCK_DGRAM, error, error_size);
	if (r == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		r = -errno;
	if (r < 0) {
		json_object_put(json);
		return r;
	}
	r = start_passt(a, pair[1], error, error_size);
	if (r == 0)
		r = request(a, json, pair[0], error, error_size);
	else
		json_object_put(json);
	close(pair[0]);
	close(pair[1]);
	return r;
}

/* A port of the switch, whose descriptors go to the machine. */
static int plug_port(struct adapters *all, struct adapter *a, const char *network, char *error,
		     size_t error_size)
{
	char name[SWITCH_PORT_NAME_MAX];
	int fds[PORT_FDS], r;
	unsigned int count = PORT_FDS;
	json_object *json;

	port_name(all, a, name, sizeof(name));
	json = port_message("attach", network, name);
	json_object_object_add(json, "mac", json_object_new_string(a->nic.mac));
	r = switch_request(a->switch_fd, json, -1, fds, &count, NULL, error, error_size);
	if (r == 0 && count == PORT_FDS)
		r = fdpass_send(a->plug_fd, "plug", 4, fds, count);
	for (unsigned int i = 0; r == 0 && i < count; i++)
		close(fds[i]);
	return r;
}

static int plug(struct adapters *all, struct adapter *a, char *error, size_t error_size)
{
	char network[SWITCH_PORT_NAME_MAX + 8];
	int r = switch_connect(all->base, true, &a->switch_fd, error, error_size);

	if (r == 0)
		r = prepare_network(all, a, network, sizeof(network), error, error_size);
	if (r == 0 && a->nic.kind == MACHINE_NIC_NAT)
		r = plug_nat(a, network, error, error_size);
	if (r == 0)
		r = plug_port(all, a, network, error, error_size);
	return r;
}

/* Plugs it in, or says once why not. A first failure may be for good: only what was lost is tried again. */
static void try_plug(struct adapters *all, struct adapter *a)
{
	char error[512] = "";

	a->retry_ms = 0;
	a->plugged_ms = now_ms();
	if (plug(all, a, error, sizeof(error)) == 0)
		return;
	pull(a);
	if (!a->failures++ || a->failures % 16 == 0)
		log_warning("%s: network adapter %d: %s; its link is down", all->machine,
			    (int)(a - all->adapters), *error ? error : "cannot be plugged in");
}

static void try_later(struct adapter *a)
{
	int64_t wait = RETRY_FIRST_MS << (a->failures < 6 ? a->failures : 6);

	a->retry_ms = now_ms() + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

void adapters_open(struct adapters *all, const struct machine_config *config,
		   const struct runtime_base *base, int folder_fd, const char *machine,
		   struct machine_files *files)
{
	*all = (struct adapters){
		.base = base, .machine = machine, .listen_fd = -1, .count = config->nic_count
	};
	machine_config_init(&all->words);
	if (config->nic_count && net_plug_listen(folder_fd, &all->listen_fd) < 0)
		log_warning("%s: mainstay net cannot move its cables", machine);
	for (uint32_t i = 0; i < config->nic_count; i++) {
		struct adapter *a = &all->adapters[i];
		int pair[2];

		*a = (struct adapter){ .nic = config->nics[i],
				       .plug_fd = -1,
				       .switch_fd = -1,
				       .passt_fd = -1,
				       .passt_log_fd = -1 };
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
			continue;
		a->plug_fd = pair[0];
		files->nics[i] = pair[1];
		if (a->nic.kind != MACHINE_NIC_NONE)
			try_plug(all, a);
	}
}

void adapters_close(struct adapters *all)
{
	if (!all->machine)
		return;
	for (unsigned int i = 0; i < all->count; i++) {
		struct adapter *a = &all->adapters[i];

		pull(a);
		a->plug_fd = fd_close(a->plug_fd);
	}
	all->count = 0;
	all->listen_fd = fd_close(all->listen_fd);
	machine_config_fini(&all->words);
	all->machine = NULL;
}

/* --- events */

void adapters_prepare(const struct adapters *all, struct pollfd *fds)
{
	for (unsigned int i = 0; i < MACHINE_NICS_MAX; i++) {
		const struct adapter *a = &all->adapters[i];
		bool used = i < all->count;

		fds[2 * i] = (struct pollfd){ used ? a->switch_fd : -1, POLLIN, 0 };
		fds[2 * i + 1] = (struct pollfd){ used ? a->passt_fd : -1, POLLIN, 0 };
	}
	fds[2 * MACHINE_NICS_MAX] =
		(struct pollfd){ all->machine ? all->listen_fd : -1, POLLIN, 0 };
}

int adapters_wait_ms(const struct adapters *all)
{
	int64_t now = now_ms(), first = -1;

	for (unsigned int i = 0; i < all->count; i++) {
		int64_t left = all->adapters[i].retry_ms - now;

		if (!all->adapters[i].retry_ms)
			continue;
		left = left < 0 ? 0 : left;
		if (first < 0 || left < first)
			first = left;
	}
	return (int)first;
}

static void passt_ended(struct adapters *all, struct adapter *a)
{
	char said[400];

	passt_said(a, said, sizeof(said));
	if (now_ms() - a->plugged_ms > PASST_STAYS_MS)
		a->failures = 0;
	if (!a->failures++)
		log_warning(
			"%s: network adapter %d: passt ended%s%s; its link is down until it can be "
			"started again",
			all->machine, (int)(a - all->adapters), *said ? ": " : "", said);
	pull(a);
	try_later(a);
}

/* "0 internal:lab" */
static void move_cable(struct adapters *all, const char *request, char *answer, size_t size)
{
	const char *network = strchr(request, ' ');
	unsigned int i = (unsigned int)atoi(request);
	struct machine_config *words = &all->words;
	struct adapter *a;

	if (!network || i >= all->count) {
		snprintf(answer, size, "%s: has no adapter %u", all->machine, i);
		return;
	}
	words->nics_given = false;
	if (machine_option_net(words, network + 1, answer, size) < 0)
		return;
	a = &all->adapters[i];
	words->nics[0].mac = a->nic.mac;
	words->nics[0].model = a->nic.model;
	pull(a);
	a->retry_ms = 0;
	a->nic = words->nics[0];
	*answer = '\0';
	a->plugged_ms = now_ms();
	if (a->nic.kind == MACHINE_NIC_NONE || plug(all, a, answer, size) == 0) {
		a->failures = 0;
		snprintf(answer, size, "ok");
	} else {
		pull(a);
		if (!*answer)
			snprintf(answer, size, "%s: cannot be plugged in", all->machine);
	}
}

/* The one who asks is our own user, and sends at once. */
static void serve_plug(struct adapters *all)
{
	char request[NET_PLUG_MAX], answer[NET_PLUG_MAX];
	int fd = accept4(all->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd ready = { fd, POLLIN, 0 };
	ssize_t n;

	if (fd < 0)
		return;
	n = poll(&ready, 1, 1000) == 1 ? recv(fd, request, sizeof(request) - 1, 0) : 0;
	if (n > 0) {
		request[n] = '\0';
		move_cable(all, request, answer, sizeof(answer));
		(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	close(fd);
}

void adapters_run(struct adapters *all, const struct pollfd *fds)
{
	if (fds[2 * MACHINE_NICS_MAX].revents)
		serve_plug(all);
	for (unsigned int i = 0; i < all->count; i++) {
		struct adapter *a = &all->adapters[i];

		/* The switch never speaks unasked: it is gone, and passt with it. */
		if (fds[2 * i].revents && a->switch_fd >= 0) {
			pull(a);
			a->failures = 0;
			try_later(a);
		} else if (fds[2 * i + 1].revents && a->passt_fd >= 0) {
			passt_ended(all, a);
		} else if (a->retry_ms && a->retry_ms <= now_ms()) {
			try_plug(all, a);
			if (a->switch_fd < 0)
				try_later(a);
		}
	}
}
