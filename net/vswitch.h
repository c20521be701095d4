/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One network: ports, and the decision where a frame goes. Pure: no socket, no clock, no memory of its
 * own beyond the table of addresses; the caller carries the decision out.
 *
 * A frame belongs to a VLAN class by the port where it comes in, and leaves by ports of that class
 * only: that is the isolation within a network. Between networks there is none to pass.
 */
#ifndef NET_VSWITCH_H
#define NET_VSWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "fdb.h"
#include "frame.h"

enum vlan_mode {
	VLAN_OPEN,   /* class 0; tags are part of the frame and nobody's business */
	VLAN_ACCESS, /* class vlan, without tags */
	VLAN_TRUNK,  /* tags tell the class; without one it is vlan */
};

enum vswitch_drop {
	DROP_BAD,     /* no frame that may be forwarded */
	DROP_LOCK,    /* not the address that the port is locked to */
	DROP_VLAN,    /* a tag that the port may not use */
	DROP_RATE,    /* over the limit */
	DROP_LOCAL,   /* its destination is where it came from */
	DROP_NO_ROOM, /* the receiver does not keep up */
	DROP_LOST,    /* the wan filter's loss or overflow */
	DROP_REASONS,
};

struct vswitch_counters {
	uint64_t rx_frames, rx_bytes; /* from the port into the switch */
	uint64_t tx_frames, tx_bytes;
	uint64_t drops[DROP_REASONS];
};

struct vswitch_port {
	struct fdb_owner owner; /* first */
	struct vswitch_port *next;
	/* Settings. */
	enum vlan_mode vlan_mode;
	uint16_t vlan;
	bool link_up;
	bool locked; /* to lock_mac */
	bool promiscuous;
	frame_mac lock_mac;
	struct vswitch_port *mirror; /* gets a copy of all that goes in and out here */
	uint64_t rate_bytes_per_s;   /* 0: no limit */
	/* Token bucket of the rate. */
	uint64_t tokens, refilled_ns;
	struct vswitch_counters counters;
};

struct vswitch {
	struct vswitch_port *ports;
	unsigned int port_count;
	bool wants_copies; /* some port is promiscuous or mirrored */
	struct fdb fdb;
};

/* What happens to the frame's tag at a port. */
enum tag_action { TAG_KEEP, TAG_REMOVE, TAG_ADD };

struct vswitch_target {
	struct vswitch_port *port;
	enum tag_action tag;
};

struct vswitch_decision {
	struct vswitch_target *targets; /* room for port_count, the caller's */
	unsigned int count;
	uint16_t vlan; /* of TAG_ADD */
};

void vswitch_init(struct vswitch *sw);
/* @port: zeros and settings. */
void vswitch_add(struct vswitch *sw, struct vswitch_port *port);
void vswitch_remove(struct vswitch *sw, struct vswitch_port *port);
/* After settings were changed. */
void vswitch_changed(struct vswitch *sw);

/* Where the frame that came in at @from goes; drops are counted. */
void vswitch_decide(struct vswitch *sw, struct vswitch_port *from, const uint8_t *frame,
		    size_t size, uint64_t now_ns, struct vswitch_decision *decision);

extern const char *const vswitch_drop_names[DROP_REASONS];

#endif
