// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"

#define EVENTS_MAX 64
/* Frames of one port before it is the next one's turn. */
#define BUDGET 32
/*
 * What a frame to several ports counts for. It costs everybody: who floods has a turn of one frame as long as
 * others wait, which takes less than a tenth from two who talk to each other; else of a few, so that
 * whoever wakes up is soon heard.
 */
#define FLOODED_ALONE 8
#define FLOODED_CONTENDED BUDGET
/* Without anybody the process ends; it is started again on demand. */
#define LINGER_NS UINT64_C(10000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void read_clock(struct switch_state *sw)
{
	sw->now_ns = clock_ns(CLOCK_MONOTONIC);
}

int switch_watch(struct switch_state *sw, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(sw->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0 ? -errno : 0;
}

void switch_unwatch(struct switch_state *sw, struct watch *watch)
{
	(void)epoll_ctl(sw->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

/* --- networks and ports */

struct network *network_find(struct switch_state *sw, const char *name)
{
	struct network *network = sw->networks;

	while (network && strcmp(network->name, name))
		network = network->next;
	return network;
}

int network_new(struct switch_state *sw, const char *name, struct network **ret_network)
{
	struct network *network;

	if (network_find(sw, name))
		return -EEXIST;
	if (sw->network_count == SWITCH_NETWORKS_MAX)
		return -ENOSPC;
	network = calloc(1, sizeof(*network));
	if (!network)
		return -ENOMEM;
	memccpy(network->name, name, 0, SWITCH_NAME_MAX);
	vswitch_init(&network->vswitch);
	for (unsigned int i = 0; i < SWITCH_CAPTURES_MAX; i++)
		network->captures[i].fd = -1;
	network->next = sw->networks;
	sw->networks = network;
	sw->network_count++;
	*ret_network = network;
	return 0;
}

struct nport *network_port(struct network *network, const char *name)
{
	struct nport *port = network->ports;

	while (port && strcmp(port->name, name))
		port = port->next;
	return port;
}

int port_plug(struct switch_state *sw, struct network *network, struct nport *port,
	      const char *name, uint32_t events)
{
	int r;

	if (sw->port_count == SWITCH_PORTS_MAX)
		return -ENOSPC;
	if (network->vswitch.port_count == network->targets_room) {
		unsigned int room = network->targets_room * 2 + 8;
		void *targets = reallocarray(network->targets, room, sizeof(*network->targets));

		if (!targets)
			return -ENOMEM;
		network->targets = targets;
		network->targets_room = room;
	}
	r = switch_watch(sw, &port->watch, events);
	if (r < 0)
		return r;
	memccpy(port->name, name, 0, SWITCH_NAME_MAX);
	port->network = network;
	port->vport.link_up = true;
	port->next = network->ports;
	network->ports = port;
	vswitch_add(&network->vswitch, &port->vport);
	sw->port_count++;
	return 0;
}

/* The lists of a round are rebuilt without the port. */
static void forget_in_round(struct switch_state *sw, const struct nport *port)
{
	struct nport **link = &sw->active;

	while (*link) {
		if (*link == port)
			*link = port->next_active;
		else
			link = &(*link)->next_active;
	}
	sw->active_end = link;
	for (link = &sw->dirty; *link;) {
		if (*link == port)
			*link = port->next_dirty;
		else
			link = &(*link)->next_dirty;
	}
}

static void port_unplug(struct switch_state *sw, struct nport *port)
{
	struct network *network = port->network;
	struct nport **link = &network->ports;

	while (*link != port)
		link = &(*link)->next;
	*link = port->next;
	forget_in_round(sw, port);
	if (network->wan)
		wan_forget(network->wan, &port->vport);
	capture_end(network, NULL, port);
	vswitch_remove(&network->vswitch, &port->vport);
	switch_unwatch(sw, &port->watch);
	sw->port_count--;
	port->ops->close(port);
}

static void network_free(struct switch_state *sw, struct network *network)
{
	struct network **link = &sw->networks;

	while (network->ports)
		port_unplug(sw, network->ports);
	for (unsigned int i = 0; i < SWITCH_CAPTURES_MAX; i++)
		fd_close(network->captures[i].fd);
	while (*link != network)
		link = &(*link)->next;
	*link = network->next;
	sw->network_count--;
	if (network->wan)
		wan_fini(network->wan);
	free(network->wan);
	free(network->targets);
	free(network);
}

void port_remove(struct switch_state *sw, struct nport *port)
{
	port->removed = true;
	sw->cleanup = true;
}

void network_remove(struct switch_state *sw, struct network *network)
{
	network->removed = true;
	sw->cleanup = true;
}

int network_set_wan(struct switch_state *sw, struct network *network,
		    const struct wan_settings *settings)
{
	if (!wan_settings_active(settings)) {
		if (network->wan)
			wan_fini(network->wan);
		free(network->wan);
		network->wan = NULL;
		return 0;
	}
	if (!network->wan) {
		network->wan = malloc(sizeof(*network->wan));
		if (!network->wan)
			return -ENOMEM;
		wan_init(network->wan, sw->now_ns);
	}
	network->wan->settings = *settings;
	return 0;
}

void switch_break(struct switch_state *sw, struct nport *port)
{
	port->broken = port->removed = true;
	sw->cleanup = true;
}

/* --- frames */

void switch_activate(struct switch_state *sw, struct nport *port)
{
	if (port->active)
		return;
	port->active = true;
	port->next_active = NULL;
	*sw->active_end = port;
	sw->active_end = &port->next_active;
}

static void send_to(struct switch_state *sw, struct nport *to, const uint8_t *frame, size_t size)
{
	struct vswitch_counters *counters = &to->vport.counters;

	if (!to->dirty) {
		to->dirty = true;
		to->next_dirty = sw->dirty;
		sw->dirty = to;
	}
	if (to->removed || !to->ops->send(to, frame, size)) {
		counters->drops[DROP_NO_ROOM]++;
		to->network->counters.drops[DROP_NO_ROOM]++;
		if (to->broken)
			switch_break(sw, to);
		return;
	}
	counters->tx_frames++;
	counters->tx_bytes += size;
}

/* Sends one frame to whom the decision names, with its tag changed where they want that. */
static void deliver(struct switch_state *sw, const struct vswitch_decision *decision,
		    const uint8_t *frame, size_t size)
{
	uint8_t other[FRAME_MAX];
	enum tag_action made = TAG_KEEP;
	size_t other_size = 0;

	for (unsigned int i = 0; i < decision->count; i++) {
		struct nport *to = container_of(decision->targets[i].port, struct nport, vport);
		enum tag_action tag = decision->targets[i].tag;

		if (tag == TAG_KEEP) {
			send_to(sw, to, frame, size);
			continue;
		}
		if (made != tag)
			other_size = tag == TAG_ADD
					     ? frame_add_tag(frame, size, decision->vlan, other)
					     : frame_remove_tag(frame, size, other);
		made = tag;
		if (other_size)
			send_to(sw, to, other, other_size);
	}
}

/* To how many ports. */
static unsigned int decide_and_deliver(struct switch_state *sw, struct nport *from,
				       const uint8_t *frame, size_t size)
{
	struct network *network = from->network;
	struct vswitch_decision decision = { .targets = network->targets };

	vswitch_decide(&network->vswitch, &from->vport, frame, size, sw->now_ns, &decision);
	if (network->capture_count)
		capture_frame(sw, network, from, &decision, frame, size);
	if (!decision.count)
		return 0;
	network->counters.tx_frames++;
	network->counters.tx_bytes += size;
	deliver(sw, &decision, frame, size);
	return decision.count;
}

unsigned int switch_forward(struct switch_state *sw, struct nport *from, const uint8_t *frame,
			    size_t size)
{
	struct network *network = from->network;

	network->counters.rx_frames++;
	network->counters.rx_bytes += size;
	if (!network->wan) {
		if (decide_and_deliver(sw, from, frame, size) > 1)
			return sw->contended ? FLOODED_CONTENDED : FLOODED_ALONE;
	} else if (!wan_put(network->wan, &from->vport, frame, size, sw->now_ns)) {
		from->vport.counters.drops[DROP_LOST]++;
		network->counters.drops[DROP_LOST]++;
	}
	return 1;
}

/* Frames whose time in a wan filter is over. */
static void serve_wans(struct switch_state *sw)
{
	for (struct network *network = sw->networks; network; network = network->next) {
		struct wan_frame *frame;

		while (network->wan && (frame = wan_take(network->wan, sw->now_ns))) {
			decide_and_deliver(sw, container_of(frame->from, struct nport, vport),
					   frame->bytes, frame->size);
			free(frame);
		}
	}
}

static void flush_dirty(struct switch_state *sw)
{
	while (sw->dirty) {
		struct nport *port = sw->dirty;

		sw->dirty = port->next_dirty;
		port->dirty = false;
		port->ops->flush(port);
	}
}

/* Every active port once, in the order in which they became active. */
static void serve_round(struct switch_state *sw)
{
	struct nport *port = sw->active;

	sw->active = NULL;
	sw->active_end = &sw->active;
	while (port) {
		struct nport *next = port->next_active;

		port->active = false;
		sw->contended = next || sw->active;
		if (!port->removed && port->ops->serve(sw, port, BUDGET))
			switch_activate(sw, port);
		flush_dirty(sw);
		port = next;
	}
}

static bool is_leaving(const struct network *network, const struct nport *port)
{
	return network->removed || port->removed ||
	       (port->client && control_client_gone(port->client));
}

static void clean_network(struct switch_state *sw, struct network *network)
{
	bool needed = false;
	struct nport *next;

	if (network->client && control_client_gone(network->client))
		network->removed = true;
	for (struct nport *port = network->ports; port; port = next) {
		next = port->next;
		if (!is_leaving(network, port)) {
			needed |= port->client != NULL;
			continue;
		}
		if (port->broken)
			log_warning("network %s: port %s is given up: its other side is gone or "
				    "breaks the rules",
				    network->name, port->name);
		port_unplug(sw, port);
	}
	if (network->removed || (network->transient && network->used && !needed))
		network_free(sw, network);
}

/* Frees what was given up in this round, when no event can name it any more. */
static void clean_up(struct switch_state *sw)
{
	struct network *next_network;
	struct control_client *next_client;

	if (!sw->cleanup)
		return;
	sw->cleanup = false;
	for (struct network *network = sw->networks; network; network = next_network) {
		next_network = network->next;
		for (struct control_client *c = sw->clients; c; c = control_client_next(c)) {
			if (control_client_gone(c))
				capture_end(network, c, NULL);
		}
		clean_network(sw, network);
	}
	for (struct control_client *c = sw->clients; c; c = next_client) {
		next_client = control_client_next(c);
		if (control_client_gone(c))
			control_client_free(sw, c);
	}
}

/* --- history */

static void add_sample(struct history *history, const struct vswitch_counters *c)
{
	struct sample *sample = &history->samples[history->next];

	*sample = (struct sample){ c->rx_frames, c->rx_bytes, c->tx_frames, c->tx_bytes, 0 };
	for (unsigned int i = 0; i < DROP_REASONS; i++)
		sample->drops += c->drops[i];
	history->next = (history->next + 1) % HISTORY_SAMPLES;
	if (history->count < HISTORY_SAMPLES)
		history->count++;
}

static void take_samples(struct switch_state *sw)
{
	if (sw->now_ns < sw->sample_due_ns)
		return;
	sw->sample_due_ns = sw->now_ns + HISTORY_PERIOD_S * NS_PER_S;
	for (struct network *network = sw->networks; network; network = network->next) {
		add_sample(&network->history, &network->counters);
		for (struct nport *port = network->ports; port; port = port->next)
			add_sample(&port->history, &port->vport.counters);
	}
}

/* --- loop */

static int wait_ms(struct switch_state *sw)
{
	uint64_t until = sw->now_ns + LINGER_NS;

	if (sw->active)
		return 0;
	if (sw->networks)
		until = min_u64(until, sw->sample_due_ns);
	for (struct network *network = sw->networks; network; network = network->next) {
		if (network->wan)
			until = min_u64(until, wan_next(network->wan));
	}
	if (!sw->networks && sw->client_count)
		return -1;
	return until <= sw->now_ns ? 0 : (int)((until - sw->now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void dispatch(struct switch_state *sw)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(sw->epoll_fd, events, EVENTS_MAX, wait_ms(sw));

	read_clock(sw);
	for (int i = 0; i < n; i++) {
		struct watch *watch = events[i].data.ptr;

		watch->ready(sw, watch, events[i].events);
	}
}

static void check_idle(struct switch_state *sw)
{
	if (sw->client_count || sw->port_count) {
		sw->empty_since_ns = sw->now_ns;
		return;
	}
	sw->quit = sw->now_ns - sw->empty_since_ns >= LINGER_NS;
}

void switch_run(struct switch_state *sw)
{
	sw->empty_since_ns = sw->now_ns;
	while (!sw->quit) {
		dispatch(sw);
		/* One round, then who woke up meanwhile: nobody waits for more than one turn of each. */
		serve_round(sw);
		serve_wans(sw);
		flush_dirty(sw);
		clean_up(sw);
		take_samples(sw);
		check_idle(sw);
	}
}

int switch_init(struct switch_state *sw, int listen_fd)
{
	memset(sw, 0, sizeof(*sw));
	sw->active_end = &sw->active;
	sw->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (sw->epoll_fd < 0)
		return -errno;
	read_clock(sw);
	sw->real_offset_ns = clock_ns(CLOCK_REALTIME) - sw->now_ns;
	sw->sample_due_ns = sw->now_ns + HISTORY_PERIOD_S * NS_PER_S;
	sw->listener = (struct watch){ listen_fd, control_accept };
	return switch_watch(sw, &sw->listener, EPOLLIN);
}

void switch_fini(struct switch_state *sw)
{
	while (sw->networks)
		network_free(sw, sw->networks);
	while (sw->clients)
		control_client_free(sw, sw->clients);
	fd_close(sw->epoll_fd);
}
