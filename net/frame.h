/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet frames: addresses and VLAN tags (IEEE 802.1Q). The only code that looks inside a frame. */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MIN 14u
#define FRAME_MAX 2044u
#define FRAME_VLAN_BYTES 4u
#define FRAME_VLAN_MAX 4094u

/* An address as a number, first byte highest. */
typedef uint64_t frame_mac;

struct frame {
	frame_mac to, from;
	bool group;    /* the destination is one */
	bool tagged;   /* with a VLAN tag; vlan 0: priority only */
	uint16_t vlan; /* of the tag */
};

frame_mac frame_mac_of(const uint8_t bytes[6]);

/* False: no frame that a switch may forward (size, group address as source). */
bool frame_parse(const uint8_t *bytes, size_t size, struct frame *ret_frame);

/* Into @to, which has room for FRAME_MAX; the new size, 0 where it does not fit. */
size_t frame_add_tag(const uint8_t *bytes, size_t size, uint16_t vlan, uint8_t *to);
/*
 * The size without what an adapter appends to reach 60 bytes, which IP's own length tells; @size for any
 * other frame.
 */
size_t frame_size_unpadded(const uint8_t *bytes, size_t size);
/* @bytes is tagged. */
size_t frame_remove_tag(const uint8_t *bytes, size_t size, uint8_t *to);

#endif
