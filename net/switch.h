/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch's process: networks, what is plugged into them, and the loop that moves frames.
 *
 * One thread, one epoll set. Ports with frames are served in turn, a bounded number of frames each, so
 * that nobody who floods takes the others' share. Memory for a port is made when it is plugged in; a
 * frame allocates nothing (but in a network with a wan filter, whose queue is bounded).
 */
#ifndef NET_SWITCH_H
#define NET_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port.h"
#include "vswitch.h"
#include "wan.h"

#define SWITCH_NAME_MAX 64
#define SWITCH_NETWORKS_MAX 256
#define SWITCH_PORTS_MAX 4096
#define SWITCH_CAPTURES_MAX 16
#define HISTORY_SAMPLES 60
#define HISTORY_PERIOD_S 60

struct switch_state;

/* Something that epoll tells about. */
struct watch {
	int fd;
	void (*ready)(struct switch_state *sw, struct watch *watch, uint32_t events);
};

struct network;
struct nport;

/* How frames reach a port's owner and come from there. */
struct nport_ops {
	const char *kind;
	/* True: taken. False: no room. */
	bool (*send)(struct nport *port, const uint8_t *frame, size_t size);
	/* After a round of sends. */
	void (*flush)(struct nport *port);
	/* Frames into switch_forward() until @budget is used up; false: nothing more for now. */
	bool (*serve)(struct switch_state *sw, struct nport *port, unsigned int budget);
	void (*close)(struct nport *port);
};

struct sample {
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes, drops;
};

/* What had been counted at each of the last minutes. */
struct history {
	struct sample samples[HISTORY_SAMPLES]; /* a ring */
	unsigned int next, count;
};

struct nport {
	struct vswitch_port vport; /* first */
	struct watch watch;
	const struct nport_ops *ops;
	uint32_t epoll_flags; /* besides EPOLLIN */
	struct network *network;
	struct nport *next, *next_active, *next_dirty;
	bool active, dirty;
	bool broken;  /* its owner lied, or is gone */
	bool removed; /* broken, or somebody wants it so: freed at the end of the round */
	char name[SWITCH_NAME_MAX + 1];
	struct control_client *client; /* whose end is the port's; NULL: the network's own */
	struct history history;
};

struct capture {
	int fd; /* -1: unused */
	struct control_client *client;
	const struct nport *port; /* NULL: the whole network */
	uint64_t frames, lost;
};

struct network {
	struct network *next;
	char name[SWITCH_NAME_MAX + 1];
	bool removed;		       /* freed at the end of the round */
	struct control_client *client; /* whose end is the network's; NULL: nobody's */
	bool transient, used;	       /* goes with its last machine; has had one */
	struct vswitch vswitch;
	struct nport *ports;
	struct vswitch_target *targets; /* room for all ports */
	unsigned int targets_room;
	struct wan *wan; /* NULL: no filter */
	struct capture captures[SWITCH_CAPTURES_MAX];
	unsigned int capture_count;
	struct vswitch_counters counters;
	struct history history;
};

struct switch_state {
	int epoll_fd;
	uint64_t now_ns;
	uint64_t real_offset_ns; /* to the wall clock */
	uint64_t sample_due_ns;
	struct network *networks;
	unsigned int network_count, port_count;
	struct nport *active, **active_end;
	struct nport *dirty;
	bool contended; /* somebody else waits for its turn */
	bool cleanup;	/* something is to be freed at the end of the round */
	struct watch listener;
	struct control_client *clients;
	unsigned int client_count;
	uint64_t empty_since_ns; /* nobody is connected */
	bool quit;
};

/* --- switch.c */

int switch_init(struct switch_state *sw, int listen_fd);
void switch_run(struct switch_state *sw);
void switch_fini(struct switch_state *sw);

int switch_watch(struct switch_state *sw, struct watch *watch, uint32_t events);
void switch_unwatch(struct switch_state *sw, struct watch *watch);
/* The port has frames: it is served in turn. */
void switch_activate(struct switch_state *sw, struct nport *port);
/* One frame, in memory that nobody else writes. What that takes from the port's budget, at least 1. */
unsigned int switch_forward(struct switch_state *sw, struct nport *from, const uint8_t *frame,
			    size_t size);
/* Gives up a port whose other side is not as it should be. */
void switch_break(struct switch_state *sw, struct nport *port);

struct network *network_find(struct switch_state *sw, const char *name);
/* 0, -EEXIST, -ENOSPC or -ENOMEM. */
int network_new(struct switch_state *sw, const char *name, struct network **ret_network);
struct nport *network_port(struct network *network, const char *name);

/* Plugs @port in, whose ops, watch and settings are set. 0, -ENOSPC or -ENOMEM. */
int port_plug(struct switch_state *sw, struct network *network, struct nport *port,
	      const char *name, uint32_t events);
/* Out at the end of the round; events for it may be under way. */
void port_remove(struct switch_state *sw, struct nport *port);
void network_remove(struct switch_state *sw, struct network *network);
/* 0 or -ENOMEM. */
int network_set_wan(struct switch_state *sw, struct network *network,
		    const struct wan_settings *settings);

/* --- switch_ring.c, switch_uplink.c, switch_packet.c: kinds of ports */

/* A machine's port with new shared memory; @ret_fds for the machine, the caller's to close. */
int ring_port_new(struct nport **ret_port, int ret_fds[PORT_FDS]);

enum uplink_kind {
	UPLINK_FRAMES, /* a tap device: one call, one frame */
	UPLINK_STREAM, /* a stream socket with a length before each frame, as passt speaks */
	UPLINK_PACKET, /* a packet socket with PACKET_VNET_HDR and PACKET_AUXDATA */
};

/* @fd is the port's from now on. */
int uplink_port_new(int fd, enum uplink_kind kind, struct nport **ret_port);
/* For uplink_port_new(). */
int packet_port_new(int fd, struct nport **ret_port);

/* --- switch_control.c */

struct control_client;
void control_accept(struct switch_state *sw, struct watch *watch, uint32_t events);
/* Out at the end of the round, and all that lives as long as its connection. */
void client_remove(struct switch_state *sw, struct control_client *client);
bool control_client_gone(const struct control_client *client);
struct control_client *control_client_next(const struct control_client *client);
void control_client_free(struct switch_state *sw, struct control_client *client);

/* --- capture.c */

int capture_start(struct network *network, struct control_client *client, const struct nport *port,
		  int fd);
void capture_frame(const struct switch_state *sw, struct network *network, const struct nport *from,
		   const struct vswitch_decision *decision, const uint8_t *frame, size_t size);
/* Those of @client, or of @port, end. */
void capture_end(struct network *network, const struct control_client *client,
		 const struct nport *port);

#endif
