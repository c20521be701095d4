// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/parse.h"
#include "control.h"
#include "switch.h"

#define JSON_DEPTH_MAX 4

struct control_client {
	struct watch watch; /* first */
	struct control_client *next;
};

struct request {
	struct switch_state *sw;
	struct control_client *client;
	json_object *json, *answer;
	int fd; /* that came along, -1: none; taken by who uses it */
	int out_fds[PORT_FDS];
	unsigned int out_count;
	char error[256];
};

static int fail(struct request *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct request *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, sizeof(r->error), format, args);
	va_end(args);
	return -EINVAL;
}

/* --- members */

static json_object *member(const struct request *r, const char *name)
{
	json_object *value = NULL;

	json_object_object_get_ex(r->json, name, &value);
	return value;
}

/* A name of a network or port: text without surprises. "web/0" is one. */
static int get_name(struct request *r, const char *what, const char **ret_name)
{
	json_object *value = member(r, what);
	const char *text = value && json_object_is_type(value, json_type_string)
				   ? json_object_get_string(value)
				   : NULL;

	if (!text || !*text || strlen(text) > SWITCH_NAME_MAX)
		return fail(r, "\"%s\": a name of 1 to %d characters is needed", what,
			    SWITCH_NAME_MAX);
	for (const char *c = text; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
			return fail(r, "\"%s\": letters, digits and signs only", what);
	}
	*ret_name = text;
	return 0;
}

/* 0 with *ret_value untouched when it is left out. */
static int get_number(struct request *r, const char *name, uint64_t max, uint64_t *ret_value)
{
	json_object *value = member(r, name);
	int64_t number;

	if (!value)
		return 0;
	number = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
	if (number < 0 || (uint64_t)number > max)
		return fail(r, "\"%s\": a number from 0 to %llu is needed", name,
			    (unsigned long long)max);
	*ret_value = (uint64_t)number;
	return 0;
}

static int get_bool(struct request *r, const char *name, bool *ret_value)
{
	json_object *value = member(r, name);

	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_boolean))
		return fail(r, "\"%s\": true or false is needed", name);
	*ret_value = json_object_get_boolean(value);
	return 0;
}

/* The number of the text's place in @names. */
static int get_choice(struct request *r, const char *name, const char *const *names,
		      unsigned int *ret_choice)
{
	json_object *value = member(r, name);
	const char *text = value ? json_object_get_string(value) : NULL;

	if (!value)
		return 0;
	for (unsigned int i = 0; names[i]; i++) {
		if (!strcmp(names[i], text)) {
			*ret_choice = i;
			return 0;
		}
	}
	return fail(r, "\"%s\": \"%.32s\" is not known", name, text);
}

static int get_network(struct request *r, struct network **ret_network)
{
	const char *name;
	int e = get_name(r, "network", &name);

	if (e < 0)
		return e;
	*ret_network = network_find(r->sw, name);
	return *ret_network ? 0 : fail(r, "there is no network %s", name);
}

static int get_port(struct request *r, struct nport **ret_port)
{
	struct network *network;
	const char *name;
	int e = get_network(r, &network);

	if (e == 0)
		e = get_name(r, "port", &name);
	if (e < 0)
		return e;
	*ret_port = network_port(network, name);
	return *ret_port ? 0 : fail(r, "network %s has no port %s", network->name, name);
}

/* --- settings of a port */

static int get_mac(struct request *r, const struct network *network, const struct nport *self,
		   struct vswitch_port *settings)
{
	json_object *value = member(r, "mac");
	uint8_t mac[6];

	if (!value)
		return 0;
	if (parse_mac(json_object_get_string(value), mac) < 0)
		return fail(r, "\"mac\": an address like 00:03:ff:12:34:56 is needed");
	settings->lock_mac = frame_mac_of(mac);
	for (const struct nport *other = network->ports; other; other = other->next) {
		if (other != self && !other->broken && other->vport.lock_mac == settings->lock_mac)
			return fail(r,
				    "network %s: port %s has the address %s already; give this one "
				    "another",
				    network->name, other->name, json_object_get_string(value));
	}
	return 0;
}

static int get_mirror(struct request *r, struct network *network, struct vswitch_port *settings)
{
	json_object *value = member(r, "mirror");
	const char *name = value ? json_object_get_string(value) : "";
	struct nport *port;

	if (!value)
		return 0;
	port = *name ? network_port(network, name) : NULL;
	if (*name && !port)
		return fail(r, "\"mirror\": network %s has no port %.64s", network->name, name);
	settings->mirror = port ? &port->vport : NULL;
	return 0;
}

/* Reads what is given over what @settings holds; nothing is changed elsewhere. */
static int get_settings(struct request *r, struct network *network, const struct nport *self,
			struct vswitch_port *settings)
{
	static const char *const modes[] = { "open", "access", "trunk", NULL };
	uint64_t vlan = settings->vlan, rate = settings->rate_bytes_per_s;
	unsigned int mode = settings->vlan_mode;
	int e = get_mac(r, network, self, settings);

	if (e == 0)
		e = get_bool(r, "lock", &settings->locked);
	if (e == 0)
		e = get_bool(r, "promiscuous", &settings->promiscuous);
	if (e == 0)
		e = get_bool(r, "link", &settings->link_up);
	if (e == 0)
		e = get_choice(r, "vlan", modes, &mode);
	if (e == 0)
		e = get_number(r, "vlan_id", FRAME_VLAN_MAX, &vlan);
	if (e == 0)
		e = get_number(r, "rate_bytes_per_s", UINT64_C(1) << 40, &rate);
	if (e == 0)
		e = get_mirror(r, network, settings);
	if (e < 0)
		return e;
	if (settings->locked && !settings->lock_mac)
		return fail(r, "\"lock\": a port without \"mac\" cannot be locked to it");
	settings->vlan_mode = (enum vlan_mode)mode;
	settings->vlan = (uint16_t)vlan;
	settings->rate_bytes_per_s = rate;
	return 0;
}

static void apply(struct nport *port, const struct vswitch_port *settings)
{
	struct vswitch_port *vport = &port->vport;

	vport->locked = settings->locked;
	vport->lock_mac = settings->lock_mac;
	vport->promiscuous = settings->promiscuous;
	vport->link_up = settings->link_up;
	vport->vlan_mode = settings->vlan_mode;
	vport->vlan = settings->vlan;
	vport->rate_bytes_per_s = settings->rate_bytes_per_s;
	vport->mirror = settings->mirror;
	/* Addresses learnt in another VLAN, or behind a link that is down, are not there any more. */
	fdb_forget(&port->network->vswitch.fdb, &vport->owner);
	vswitch_changed(&port->network->vswitch);
}

/* --- operations */

static int op_network(struct request *r)
{
	struct network *network;
	bool temporary = false, transient = false;
	const char *name;
	int e = get_name(r, "network", &name);

	if (e == 0)
		e = get_bool(r, "temporary", &temporary);
	if (e == 0)
		e = get_bool(r, "transient", &transient);
	if (e < 0)
		return e;
	e = network_new(r->sw, name, &network);
	if (e < 0 && e != -EEXIST)
		return fail(r, "network %s: %s", name, strerror(-e));
	json_object_object_add(r->answer, "created", json_object_new_boolean(e == 0));
	if (e == 0 && temporary)
		network->client = r->client;
	if (e == 0)
		network->transient = transient;
	return 0;
}

static int op_delete(struct request *r)
{
	struct network *network;
	int e = get_network(r, &network);

	if (e == 0)
		network_remove(r->sw, network);
	return e;
}

/* Plugs a port in that was just made; it is closed when that fails. */
static int plug(struct request *r, struct network *network, struct nport *port,
		const struct vswitch_port *settings, bool keep)
{
	const char *name;
	int e = get_name(r, "port", &name);

	if (e == 0) {
		e = port_plug(r->sw, network, port, name, EPOLLIN | port->epoll_flags);
		if (e < 0)
			fail(r, "port %s: %s", name, strerror(-e));
	}
	if (e < 0) {
		port->ops->close(port);
		return e;
	}
	port->client = keep ? NULL : r->client;
	network->used |= !keep;
	apply(port, settings);
	return 0;
}

/* What attach and uplink have in common before anything is made. */
static int get_place(struct request *r, struct network **ret_network, struct vswitch_port *settings)
{
	const char *name;
	int e = get_network(r, ret_network);

	*settings = (struct vswitch_port){ .link_up = true };
	if (e == 0)
		e = get_name(r, "port", &name);
	if (e < 0)
		return e;
	if (network_port(*ret_network, name))
		return fail(r, "network %s has a port %s already", (*ret_network)->name, name);
	return get_settings(r, *ret_network, NULL, settings);
}

static int op_attach(struct request *r)
{
	struct vswitch_port settings;
	struct network *network;
	struct nport *port;
	int e = get_place(r, &network, &settings);

	if (e < 0)
		return e;
	e = ring_port_new(&port, r->out_fds);
	if (e < 0)
		return fail(r, "a port cannot be made: %s", strerror(-e));
	r->out_count = PORT_FDS;
	return plug(r, network, port, &settings, false);
}

static int op_uplink(struct request *r)
{
	static const char *const kinds[] = { "frames", "stream", "packet", NULL };
	struct vswitch_port settings;
	struct network *network;
	struct nport *port;
	unsigned int kind = UPLINK_FRAMES;
	bool keep = false;
	int e = get_place(r, &network, &settings);

	if (e == 0)
		e = get_choice(r, "kind", kinds, &kind);
	if (e == 0)
		e = get_bool(r, "keep", &keep);
	if (e == 0 && r->fd < 0)
		e = fail(r, "an uplink needs a descriptor");
	if (e < 0)
		return e;
	e = uplink_port_new(r->fd, (enum uplink_kind)kind, &port);
	r->fd = -1;
	if (e < 0)
		return fail(r, "the descriptor cannot be used: %s", strerror(-e));
	return plug(r, network, port, &settings, keep);
}

static int op_detach(struct request *r)
{
	struct nport *port;
	int e = get_port(r, &port);

	if (e == 0)
		port_remove(r->sw, port);
	return e;
}

static int op_set(struct request *r)
{
	struct vswitch_port settings;
	struct nport *port;
	int e = get_port(r, &port);

	if (e < 0)
		return e;
	settings = port->vport;
	e = get_settings(r, port->network, port, &settings);
	if (e == 0)
		apply(port, &settings);
	return e;
}

static int op_wan(struct request *r)
{
	uint64_t latency = 0, jitter = 0, loss = 0, rate = 0;
	struct network *network;
	int e = get_network(r, &network);

	if (e == 0)
		e = get_number(r, "latency_ms", WAN_LATENCY_MS_MAX, &latency);
	if (e == 0)
		e = get_number(r, "jitter_ms", WAN_LATENCY_MS_MAX, &jitter);
	if (e == 0)
		e = get_number(r, "loss_ppm", WAN_LOSS_PPM_MAX, &loss);
	if (e == 0)
		e = get_number(r, "bytes_per_s", UINT64_C(1) << 40, &rate);
	if (e < 0)
		return e;
	if (network_set_wan(r->sw, network,
			    &(struct wan_settings){ (uint32_t)latency, (uint32_t)jitter,
						    (uint32_t)loss, rate }) < 0)
		return fail(r, "network %s: out of memory", network->name);
	return 0;
}

static int op_capture(struct request *r)
{
	struct network *network;
	struct nport *port = NULL;
	int e = get_network(r, &network);

	if (e == 0 && member(r, "port"))
		e = get_port(r, &port);
	if (e == 0 && r->fd < 0)
		e = fail(r, "a capture needs a descriptor");
	if (e < 0)
		return e;
	e = capture_start(network, r->client, port, r->fd);
	if (e < 0)
		return fail(r, "network %s: the capture cannot begin: %s", network->name,
			    strerror(-e));
	r->fd = -1;
	return 0;
}

/* --- statistics */

static void add_number(json_object *to, const char *name, uint64_t value)
{
	json_object_object_add(to, name, json_object_new_int64((int64_t)value));
}

static json_object *counters_json(const struct vswitch_counters *counters)
{
	json_object *json = json_object_new_object(), *drops = json_object_new_object();

	add_number(json, "rx_frames", counters->rx_frames);
	add_number(json, "rx_bytes", counters->rx_bytes);
	add_number(json, "tx_frames", counters->tx_frames);
	add_number(json, "tx_bytes", counters->tx_bytes);
	for (unsigned int i = 0; i < DROP_REASONS; i++) {
		if (counters->drops[i])
			add_number(drops, vswitch_drop_names[i], counters->drops[i]);
	}
	json_object_object_add(json, "drops", drops);
	return json;
}

static json_object *port_json(const struct nport *port)
{
	json_object *json = counters_json(&port->vport.counters);

	json_object_object_add(json, "port", json_object_new_string(port->name));
	json_object_object_add(json, "kind", json_object_new_string(port->ops->kind));
	json_object_object_add(json, "link", json_object_new_boolean(port->vport.link_up));
	add_number(json, "addresses", port->vport.owner.entries);
	return json;
}

/* Oldest first, one minute apart; each is what had been counted then. */
static json_object *history_json(const struct history *history)
{
	json_object *json = json_object_new_array();
	unsigned int at = history->next + HISTORY_SAMPLES - history->count;

	for (unsigned int i = 0; i < history->count; i++) {
		const struct sample *s = &history->samples[(at + i) % HISTORY_SAMPLES];
		json_object *row = json_object_new_array();

		json_object_array_add(row, json_object_new_int64((int64_t)s->rx_frames));
		json_object_array_add(row, json_object_new_int64((int64_t)s->rx_bytes));
		json_object_array_add(row, json_object_new_int64((int64_t)s->tx_frames));
		json_object_array_add(row, json_object_new_int64((int64_t)s->tx_bytes));
		json_object_array_add(row, json_object_new_int64((int64_t)s->drops));
		json_object_array_add(json, row);
	}
	return json;
}

static json_object *network_json(const struct network *network, bool with_ports)
{
	json_object *json = counters_json(&network->counters), *ports;

	json_object_object_add(json, "network", json_object_new_string(network->name));
	add_number(json, "ports", network->vswitch.port_count);
	if (!with_ports)
		return json;
	ports = json_object_new_array();
	for (const struct nport *port = network->ports; port; port = port->next)
		json_object_array_add(ports, port_json(port));
	json_object_object_add(json, "port_list", ports);
	json_object_object_add(json, "history", history_json(&network->history));
	return json;
}

static int port_stats(struct request *r, json_object *list)
{
	json_object *json = json_object_new_object(), *ports = json_object_new_array(), *one;
	struct nport *port;
	int e = get_port(r, &port);

	json_object_array_add(list, json);
	json_object_object_add(json, "port_list", ports);
	if (e < 0)
		return e;
	one = port_json(port);
	json_object_object_add(one, "history", history_json(&port->history));
	json_object_array_add(ports, one);
	return 0;
}

static int op_stats(struct request *r)
{
	json_object *list = json_object_new_array();
	struct network *network;
	int e = 0;

	json_object_object_add(r->answer, "networks", list);
	if (member(r, "port"))
		return port_stats(r, list);
	if (member(r, "network")) {
		e = get_network(r, &network);
		if (e == 0)
			json_object_array_add(list, network_json(network, true));
		return e;
	}
	for (network = r->sw->networks; network; network = network->next)
		json_object_array_add(list, network_json(network, false));
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct request *r);
} operations[] = {
	{ "attach", op_attach }, { "capture", op_capture }, { "delete", op_delete },
	{ "detach", op_detach }, { "network", op_network }, { "set", op_set },
	{ "stats", op_stats },	 { "uplink", op_uplink },   { "wan", op_wan },
};

static int carry_out(struct request *r)
{
	json_object *op = member(r, "op");
	const char *name = op ? json_object_get_string(op) : "";

	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		if (!strcmp(operations[i].name, name))
			return operations[i].run(r);
	}
	return fail(r, "\"op\": \"%.32s\" is not known", name);
}

/* --- messages */

static void answer(struct request *r, int result)
{
	const char *text;

	json_object_object_add(r->answer, "ok", json_object_new_boolean(result == 0));
	if (result < 0)
		json_object_object_add(r->answer, "error", json_object_new_string(r->error));
	text = json_object_to_json_string_ext(r->answer, JSON_C_TO_STRING_PLAIN);
	if (strlen(text) > CONTROL_ANSWER_MAX)
		text = "{\"ok\":false,\"error\":\"the answer is too long; ask for one network\"}";
	/* A client that does not read its answers loses them. */
	(void)fdpass_send(r->client->watch.fd, text, strlen(text), r->out_fds,
			  result == 0 ? r->out_count : 0);
	for (unsigned int i = 0; i < r->out_count; i++)
		fd_close(r->out_fds[i]);
}

static json_object *parse(const char *text, size_t size)
{
	json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	json_object *json;

	if (!tokener)
		return NULL;
	json = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	if (json && !json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		json = NULL;
	}
	return json;
}

static void handle(struct switch_state *sw, struct control_client *client, const char *text,
		   size_t size, int fd)
{
	struct request r = { .sw = sw, .client = client, .fd = fd };
	int result;

	r.answer = json_object_new_object();
	r.json = parse(text, size);
	result = r.json ? carry_out(&r) : fail(&r, "the message is no JSON object");
	answer(&r, result);
	json_object_put(r.json);
	json_object_put(r.answer);
	fd_close(r.fd);
}

static void client_ready(struct switch_state *sw, struct watch *watch, uint32_t events)
{
	struct control_client *client = container_of(watch, struct control_client, watch);
	char text[CONTROL_MESSAGE_MAX + 1];
	int fds[FDPASS_MAX_FDS];
	unsigned int count = FDPASS_MAX_FDS;
	size_t size = 0;
	int e;

	(void)events;
	e = fdpass_receive(watch->fd, text, CONTROL_MESSAGE_MAX, &size, fds, &count);
	if (e == -EAGAIN || e == -EINTR)
		return;
	if (e < 0 || !size) {
		client_remove(sw, client);
		return;
	}
	text[size] = 0;
	for (unsigned int i = 1; i < count; i++)
		fd_close(fds[i]);
	handle(sw, client, text, size, count ? fds[0] : -1);
}

/* --- clients */

void control_accept(struct switch_state *sw, struct watch *watch, uint32_t events)
{
	struct control_client *client;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	client = sw->client_count < CONTROL_CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close(fd);
		return;
	}
	client->watch = (struct watch){ fd, client_ready };
	if (switch_watch(sw, &client->watch, EPOLLIN) < 0) {
		close(fd);
		free(client);
		return;
	}
	client->next = sw->clients;
	sw->clients = client;
	sw->client_count++;
}

struct control_client *control_client_next(const struct control_client *client)
{
	return client->next;
}

bool control_client_gone(const struct control_client *client)
{
	return client->watch.fd < 0;
}

void client_remove(struct switch_state *sw, struct control_client *client)
{
	switch_unwatch(sw, &client->watch);
	client->watch.fd = fd_close(client->watch.fd);
	sw->cleanup = true;
}

void control_client_free(struct switch_state *sw, struct control_client *client)
{
	struct control_client **link = &sw->clients;

	if (client->watch.fd >= 0) {
		switch_unwatch(sw, &client->watch);
		fd_close(client->watch.fd);
	}
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	sw->client_count--;
	free(client);
}
