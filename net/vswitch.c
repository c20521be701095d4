// SPDX-License-Identifier: GPL-2.0-or-later
#include "vswitch.h"

#include <string.h>

#include "../base/bits.h"

#define NS_PER_S UINT64_C(1000000000)
/* A burst that the rate lets pass: a quarter of a second, and never less than some frames. */
#define BURST_BYTES_MIN 16384u

const char *const vswitch_drop_names[DROP_REASONS] = {
	[DROP_BAD] = "bad",	  [DROP_LOCK] = "mac_lock", [DROP_VLAN] = "vlan",
	[DROP_RATE] = "rate",	  [DROP_LOCAL] = "local",   [DROP_NO_ROOM] = "no_room",
	[DROP_LOST] = "wan_loss",
};

void vswitch_init(struct vswitch *sw)
{
	memset(sw, 0, sizeof(*sw));
	fdb_init(&sw->fdb);
}

void vswitch_changed(struct vswitch *sw)
{
	sw->wants_copies = false;
	for (struct vswitch_port *port = sw->ports; port; port = port->next)
		sw->wants_copies |= port->promiscuous || port->mirror;
}

void vswitch_add(struct vswitch *sw, struct vswitch_port *port)
{
	port->next = sw->ports;
	sw->ports = port;
	sw->port_count++;
	vswitch_changed(sw);
}

void vswitch_remove(struct vswitch *sw, struct vswitch_port *port)
{
	struct vswitch_port **link = &sw->ports;

	for (struct vswitch_port *other = sw->ports; other; other = other->next) {
		if (other->mirror == port)
			other->mirror = NULL;
	}
	while (*link != port)
		link = &(*link)->next;
	*link = port->next;
	sw->port_count--;
	fdb_forget(&sw->fdb, &port->owner);
	vswitch_changed(sw);
}

/* --- coming in */

/* The class of a frame at @port, or false: not a frame for this port. */
static bool classify(const struct vswitch_port *port, const struct frame *frame, uint16_t *ret_vlan)
{
	switch (port->vlan_mode) {
	case VLAN_OPEN:
		*ret_vlan = 0;
		return true;
	case VLAN_ACCESS:
		*ret_vlan = port->vlan;
		return !frame->tagged;
	case VLAN_TRUNK:
		*ret_vlan = frame->tagged && frame->vlan ? frame->vlan : port->vlan;
		return true;
	}
	return false;
}

static bool within_rate(struct vswitch_port *port, size_t size, uint64_t now_ns)
{
	uint64_t rate = port->rate_bytes_per_s, burst;
	uint64_t passed_ns = now_ns - port->refilled_ns;

	if (!rate)
		return true;
	burst = max_u64(rate / 4, BURST_BYTES_MIN);
	/* Long pauses fill the bucket; short ones must add at least a byte to count. */
	if (passed_ns >= NS_PER_S || mul_div_u64(passed_ns, rate, NS_PER_S)) {
		uint64_t more =
			passed_ns >= NS_PER_S ? burst : mul_div_u64(passed_ns, rate, NS_PER_S);

		port->tokens = min_u64(port->tokens + more, burst);
		port->refilled_ns = now_ns;
	}
	if (port->tokens < size)
		return false;
	port->tokens -= size;
	return true;
}

static bool refuse(struct vswitch_port *port, enum vswitch_drop reason)
{
	port->counters.drops[reason]++;
	return false;
}

static bool admit(struct vswitch_port *from, const uint8_t *bytes, size_t size, uint64_t now_ns,
		  struct frame *ret_frame, uint16_t *ret_vlan)
{
	from->counters.rx_frames++;
	from->counters.rx_bytes += size;
	if (!frame_parse(bytes, size, ret_frame) || !from->link_up)
		return refuse(from, DROP_BAD);
	if (from->locked && ret_frame->from != from->lock_mac)
		return refuse(from, DROP_LOCK);
	if (!classify(from, ret_frame, ret_vlan))
		return refuse(from, DROP_VLAN);
	if (!within_rate(from, size, now_ns))
		return refuse(from, DROP_RATE);
	return true;
}

/* --- going out */

/* Whether frames of @vlan leave by @port, and how. */
static bool carries(const struct vswitch_port *port, uint16_t vlan, bool tagged,
		    enum tag_action *ret_tag)
{
	*ret_tag = TAG_KEEP;
	switch (port->vlan_mode) {
	case VLAN_OPEN:
		return vlan == 0;
	case VLAN_ACCESS:
		if (vlan && tagged)
			*ret_tag = TAG_REMOVE;
		return vlan == port->vlan;
	case VLAN_TRUNK:
		if (vlan != port->vlan && !tagged)
			*ret_tag = TAG_ADD;
		else if (vlan && vlan == port->vlan && tagged)
			*ret_tag = TAG_REMOVE;
		return true;
	}
	return false;
}

static bool is_target(const struct vswitch_decision *d, const struct vswitch_port *port)
{
	for (unsigned int i = 0; i < d->count; i++) {
		if (d->targets[i].port == port)
			return true;
	}
	return false;
}

static void add_target(struct vswitch_decision *d, struct vswitch_port *port, bool tagged)
{
	enum tag_action tag;

	if (port->link_up && carries(port, d->vlan, tagged, &tag))
		d->targets[d->count++] = (struct vswitch_target){ port, tag };
}

/* A monitoring port sees frames as they are, whatever its own VLAN. */
static void add_monitor(struct vswitch_decision *d, struct vswitch_port *port,
			const struct vswitch_port *from)
{
	if (port && port != from && port->link_up && !is_target(d, port))
		d->targets[d->count++] = (struct vswitch_target){ port, TAG_KEEP };
}

static void add_copies(struct vswitch *sw, struct vswitch_port *from, bool tagged,
		       struct vswitch_decision *d)
{
	unsigned int before = d->count;

	for (struct vswitch_port *port = sw->ports; port; port = port->next) {
		if (port->promiscuous && port != from && !is_target(d, port))
			add_target(d, port, tagged);
	}
	add_monitor(d, from->mirror, from);
	for (unsigned int i = 0; i < before; i++)
		add_monitor(d, d->targets[i].port->mirror, from);
}

void vswitch_decide(struct vswitch *sw, struct vswitch_port *from, const uint8_t *bytes,
		    size_t size, uint64_t now_ns, struct vswitch_decision *d)
{
	uint32_t now_s = (uint32_t)(now_ns / NS_PER_S);
	struct fdb_owner *known = NULL;
	struct frame frame;

	d->count = 0;
	if (!admit(from, bytes, size, now_ns, &frame, &d->vlan))
		return;
	fdb_learn(&sw->fdb, frame.from, d->vlan, &from->owner, now_s);
	/* An open port's tags are data: for who knows tags the frame has none. */
	if (from->vlan_mode == VLAN_OPEN)
		frame.tagged = false;
	if (!frame.group)
		known = fdb_lookup(&sw->fdb, frame.to, d->vlan, now_s);
	if (known == &from->owner) {
		from->counters.drops[DROP_LOCAL]++;
	} else if (known) {
		add_target(d, container_of(known, struct vswitch_port, owner), frame.tagged);
	} else {
		for (struct vswitch_port *port = sw->ports; port; port = port->next) {
			if (port != from)
				add_target(d, port, frame.tagged);
		}
	}
	if (sw->wants_copies)
		add_copies(sw, from, frame.tagged, d);
}
