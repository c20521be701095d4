// SPDX-License-Identifier: GPL-2.0-or-later
/* The forwarding decision as tables of (network, frame, expected ports), and what must always hold. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../net/vswitch.h"

#define PORTS 8
#define SECOND UINT64_C(1000000000)

struct lab {
	struct vswitch sw;
	struct vswitch_port ports[PORTS];
	struct vswitch_target targets[PORTS];
	struct vswitch_decision decision;
	uint64_t now_ns;
};

static struct lab *lab_new(unsigned int ports)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	cr_assert_not_null(lab);
	vswitch_init(&lab->sw);
	for (unsigned int i = 0; i < ports; i++) {
		lab->ports[i].link_up = true;
		vswitch_add(&lab->sw, &lab->ports[i]);
	}
	lab->decision.targets = lab->targets;
	lab->now_ns = SECOND;
	return lab;
}

/* Addresses of one byte: 0xff is everybody, 0x80 and up are groups, the rest stations. */
static void put_mac(uint8_t *p, unsigned int name)
{
	memset(p, 0, 6);
	if (name == 0xff)
		memset(p, 0xff, 6);
	else if (name >= 0x80)
		p[0] = 0x01;
	else
		p[0] = 0x02;
	p[5] = (uint8_t)name;
}

/* @tag: a VLAN, -1: none. */
static size_t make_frame(uint8_t *p, unsigned int to, unsigned int from, int tag)
{
	put_mac(p, to);
	put_mac(p + 6, from);
	if (tag < 0) {
		put_be16(p + 12, 0x0800);
	} else {
		put_be16(p + 12, 0x8100);
		put_be16(p + 14, (uint16_t)tag);
		put_be16(p + 16, 0x0800);
	}
	return 64;
}

/* The ports that get the frame, as bits. */
static unsigned int send_tagged(struct lab *lab, unsigned int port, unsigned int to,
				unsigned int from, int tag)
{
	uint8_t frame[64] = { 0 };
	size_t size = make_frame(frame, to, from, tag);
	unsigned int bits = 0;

	vswitch_decide(&lab->sw, &lab->ports[port], frame, size, lab->now_ns, &lab->decision);
	for (unsigned int i = 0; i < lab->decision.count; i++) {
		unsigned int n = (unsigned int)(lab->targets[i].port - lab->ports);

		cr_assert_not(bits & BIT(n), "a port gets a frame once");
		bits |= BIT(n);
	}
	cr_assert_not(bits & BIT(port), "nobody hears himself");
	return bits;
}

static unsigned int transmit(struct lab *lab, unsigned int port, unsigned int to, unsigned int from)
{
	return send_tagged(lab, port, to, from, -1);
}

static enum tag_action tag_at(const struct lab *lab, unsigned int port)
{
	for (unsigned int i = 0; i < lab->decision.count; i++) {
		if (lab->targets[i].port == &lab->ports[port])
			return lab->targets[i].tag;
	}
	cr_assert_fail("port %u is no target", port);
	return TAG_KEEP;
}

/* --- learning */

static const struct step {
	unsigned int port, to, from, expected;
} learning[] = {
	{ 0, 0x22, 0x11, 0xe },				/* nobody knows 22: to all others */
	{ 1, 0x11, 0x22, 0x1 },				/* 11 was seen at port 0 */
	{ 0, 0x22, 0x11, 0x2 },				/* and 22 at port 1 */
	{ 2, 0xff, 0x33, 0xb },				/* everybody */
	{ 2, 0x81, 0x33, 0xb },				/* a group */
	{ 3, 0x11, 0x22, 0x1 },				/* 22 has moved to port 3 */
	{ 0, 0x22, 0x11, 0x8 }, { 0, 0x11, 0x44, 0x0 }, /* to one who is where it came from */
	{ 1, 0x44, 0x55, 0x1 },
};

Test(vswitch, learns_where_addresses_are)
{
	struct lab *lab = lab_new(4);

	for (unsigned int i = 0; i < ARRAY_LEN(learning); i++) {
		const struct step *s = &learning[i];
		unsigned int bits = transmit(lab, s->port, s->to, s->from);

		cr_assert_eq(bits, s->expected, "step %u: %x", i, bits);
	}
	cr_assert_eq(lab->ports[0].counters.drops[DROP_LOCAL], 1);
	free(lab);
}

Test(vswitch, forgets_with_time_and_with_the_port)
{
	struct lab *lab = lab_new(3);

	transmit(lab, 1, 0xff, 0x22);
	cr_assert_eq(transmit(lab, 0, 0x22, 0x11), 0x2);
	lab->now_ns += (FDB_AGE_S + 1) * SECOND;
	cr_assert_eq(transmit(lab, 0, 0x22, 0x11), 0x6, "too old");
	transmit(lab, 1, 0xff, 0x22);
	vswitch_remove(&lab->sw, &lab->ports[1]);
	cr_assert_eq(transmit(lab, 0, 0x22, 0x11), 0x4, "gone with its port");
	free(lab);
}

Test(vswitch, ports_without_link_neither_send_nor_hear)
{
	struct lab *lab = lab_new(3);

	lab->ports[1].link_up = false;
	cr_assert_eq(transmit(lab, 0, 0xff, 0x11), 0x4);
	cr_assert_eq(transmit(lab, 1, 0xff, 0x22), 0);
	free(lab);
}

Test(vswitch, bad_frames_go_nowhere)
{
	struct lab *lab = lab_new(2);
	uint8_t frame[FRAME_MAX + 1] = { 0 };

	make_frame(frame, 0xff, 0x11, -1);
	for (size_t size = 0; size < 14; size++)
		vswitch_decide(&lab->sw, &lab->ports[0], frame, size, lab->now_ns, &lab->decision);
	vswitch_decide(&lab->sw, &lab->ports[0], frame, FRAME_MAX + 1, lab->now_ns, &lab->decision);
	cr_assert_eq(lab->ports[0].counters.drops[DROP_BAD], 15);
	cr_assert_eq(lab->decision.count, 0);
	cr_assert_eq(transmit(lab, 0, 0x22, 0x81), 0, "a group is no sender");
	frame[12] = 0x81;
	frame[13] = 0;
	vswitch_decide(&lab->sw, &lab->ports[0], frame, 16, lab->now_ns, &lab->decision);
	cr_assert_eq(lab->decision.count, 0, "half a tag");
	free(lab);
}

Test(vswitch, a_flooder_takes_its_share_of_the_table_only)
{
	struct lab *lab = lab_new(3);
	uint8_t frame[64] = { 0 };

	transmit(lab, 1, 0xff, 0x22);
	make_frame(frame, 0xff, 0x11, -1);
	for (uint32_t i = 0; i < 100000; i++) {
		put_be32(frame + 7, i * 2654435761u);
		frame[6] = 0x02;
		vswitch_decide(&lab->sw, &lab->ports[0], frame, 64, lab->now_ns, &lab->decision);
	}
	cr_assert_eq(lab->ports[0].owner.entries, FDB_PORT_SHARE);
	cr_assert_eq(transmit(lab, 2, 0x22, 0x33), 0x2, "who was there is still known");
	free(lab);
}

/* --- permissions */

Test(vswitch, locked_port_sends_with_its_own_address_only)
{
	struct lab *lab = lab_new(2);
	uint8_t mac[6];

	put_mac(mac, 0x11);
	lab->ports[0].locked = true;
	lab->ports[0].lock_mac = frame_mac_of(mac);
	cr_assert_eq(transmit(lab, 0, 0xff, 0x11), 0x2);
	cr_assert_eq(transmit(lab, 0, 0xff, 0x12), 0);
	cr_assert_eq(lab->ports[0].counters.drops[DROP_LOCK], 1);
	free(lab);
}

Test(vswitch, promiscuous_port_hears_what_is_for_others)
{
	struct lab *lab = lab_new(4);

	transmit(lab, 1, 0xff, 0x22);
	cr_assert_eq(transmit(lab, 0, 0x22, 0x11), 0x2);
	lab->ports[3].promiscuous = true;
	vswitch_changed(&lab->sw);
	cr_assert_eq(transmit(lab, 0, 0x22, 0x11), 0xa);
	free(lab);
}

Test(vswitch, mirror_gets_both_directions_of_its_port)
{
	struct lab *lab = lab_new(4);

	transmit(lab, 1, 0xff, 0x22);
	transmit(lab, 0, 0xff, 0x11);
	transmit(lab, 2, 0xff, 0x33);
	lab->ports[1].mirror = &lab->ports[3];
	vswitch_changed(&lab->sw);
	cr_assert_eq(transmit(lab, 0, 0x22, 0x11), 0xa, "to it");
	cr_assert_eq(transmit(lab, 1, 0x11, 0x22), 0x9, "from it");
	cr_assert_eq(transmit(lab, 0, 0x33, 0x11), 0x4, "not its business");
	vswitch_remove(&lab->sw, &lab->ports[3]);
	cr_assert_eq(transmit(lab, 1, 0x11, 0x22), 0x1, "the mirror is gone");
	free(lab);
}

Test(vswitch, rate_limit_lets_the_rate_pass)
{
	struct lab *lab = lab_new(2);
	unsigned int passed = 0;

	lab->ports[0].rate_bytes_per_s = 64000;
	for (unsigned int ms = 0; ms < 10000; ms++) {
		lab->now_ns += SECOND / 1000;
		for (unsigned int i = 0; i < 5; i++)
			passed += transmit(lab, 0, 0xff, 0x11) != 0;
	}
	/* 1000 frames a second for ten seconds, and a first burst. */
	cr_assert_geq(passed, 9900);
	cr_assert_leq(passed, 10300);
	cr_assert_eq(lab->ports[0].counters.drops[DROP_RATE], 50000 - passed);
	free(lab);
}

/* --- VLANs */

#define OPEN VLAN_OPEN, 0
#define ACCESS(n) VLAN_ACCESS, n
#define TRUNK(n) VLAN_TRUNK, n

static void set_vlans(struct lab *lab)
{
	static const struct {
		enum vlan_mode mode;
		uint16_t vlan;
	} modes[6] = { { OPEN },       { ACCESS(10) }, { ACCESS(10) },
		       { ACCESS(20) }, { TRUNK(0) },   { TRUNK(10) } };

	for (unsigned int i = 0; i < 6; i++) {
		lab->ports[i].vlan_mode = modes[i].mode;
		lab->ports[i].vlan = modes[i].vlan;
	}
}

static const struct {
	unsigned int port;
	int tag;
	unsigned int expected;
	int trunk4, trunk5; /* tag actions there, -1: no target */
} vlans[] = {
	{ 0, -1, 0x30, TAG_KEEP, TAG_ADD }, /* no VLAN */
	{ 0, 10, 0x30, TAG_KEEP, TAG_ADD }, /* an open port's tag opens nothing */
	{ 1, -1, 0x34, TAG_ADD, TAG_KEEP }, /* 10: the other access port, both trunks */
	{ 1, 10, 0x00, -1, -1 },	    /* an access port may not tag */
	{ 1, 20, 0x00, -1, -1 },	    /* nor hop to another VLAN */
	{ 3, -1, 0x30, TAG_ADD, TAG_ADD },  /* 20 */
	{ 4, -1, 0x21, -1, TAG_ADD },	    /* trunk's own, class 0: the open port */
	{ 4, 10, 0x26, -1, TAG_REMOVE },    /* tagged 10 */
	{ 4, 20, 0x28, -1, TAG_KEEP },	    /* tagged 20: kept at the other trunk */
	{ 5, -1, 0x16, TAG_ADD, -1 },	    /* native 10 */
	{ 4, 4095, 0x00, -1, -1 },	    /* reserved */
};

Test(vswitch, vlans_are_separate)
{
	for (unsigned int i = 0; i < ARRAY_LEN(vlans); i++) {
		struct lab *lab = lab_new(6);
		unsigned int bits;

		set_vlans(lab);
		bits = send_tagged(lab, vlans[i].port, 0xff, 0x11, vlans[i].tag);
		cr_assert_eq(bits, vlans[i].expected, "row %u: %x", i, bits);
		if (vlans[i].trunk4 >= 0)
			cr_assert_eq((int)tag_at(lab, 4), vlans[i].trunk4, "row %u", i);
		if (vlans[i].trunk5 >= 0)
			cr_assert_eq((int)tag_at(lab, 5), vlans[i].trunk5, "row %u", i);
		free(lab);
	}
}

Test(vswitch, addresses_of_one_vlan_say_nothing_about_another)
{
	struct lab *lab = lab_new(6);

	set_vlans(lab);
	transmit(lab, 1, 0xff, 0x22);
	cr_assert_eq(transmit(lab, 3, 0x22, 0x33), 0x30, "22 is not known in 20");
	cr_assert_eq(transmit(lab, 2, 0x22, 0x44), 0x2);
	free(lab);
}

/* Whatever is sent: a frame never leaves by a port of another class. */
Test(vswitch, random_traffic_never_crosses_classes)
{
	struct lab *lab = lab_new(6);
	uint64_t seed = 7;

	set_vlans(lab);
	for (unsigned int i = 0; i < 200000; i++) {
		unsigned int port, bits;
		int tag;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		port = (unsigned int)(seed >> 33) % 6;
		tag = (int)(seed >> 40) % 4 - 1;
		tag = tag > 0 ? tag * 10 : tag;
		bits = send_tagged(lab, port, (unsigned int)(seed >> 48) & 0xff,
				   (unsigned int)(seed >> 56) & 0x7f, tag);
		if (port == 1 || port == 2)
			cr_assert_eq(bits & ~0x36u, 0);
		if (port == 3)
			cr_assert_eq(bits & ~0x30u, 0);
		if (port == 0)
			cr_assert_eq(bits & ~0x30u, 0);
		lab->now_ns += seed >> 44;
	}
	free(lab);
}

/* --- tags */

Test(frame, tags_are_added_and_removed)
{
	uint8_t frame[FRAME_MAX], tagged[FRAME_MAX], back[FRAME_MAX];
	struct frame parsed;
	size_t size;

	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 3);
	make_frame(frame, 0x22, 0x11, -1);
	size = frame_add_tag(frame, 100, 1234, tagged);
	cr_assert_eq(size, 104);
	cr_assert(frame_parse(tagged, size, &parsed));
	cr_assert(parsed.tagged);
	cr_assert_eq(parsed.vlan, 1234);
	cr_assert_eq(frame_remove_tag(tagged, size, back), 100);
	cr_assert_eq(memcmp(frame, back, 100), 0);
	cr_assert_eq(frame_add_tag(frame, FRAME_MAX - 3, 1, tagged), 0, "no room");
}

Test(frame, padding_is_told_from_ip)
{
	static const struct {
		uint16_t type, length; /* in the packet's header */
		size_t size, unpadded;
	} cases[] = {
		{ 0x0800, 40, 60, 54 },	   { 0x0800, 46, 60, 60 }, { 0x0800, 1500, 1514, 1514 },
		{ 0x0800, 900, 60, 60 },   { 0x0800, 40, 14, 14 }, { 0x0800, 40, 17, 17 },
		{ 0x86dd, 0, 60, 54 },	   { 0x86dd, 6, 60, 60 },  { 0x86dd, 1460, 1514, 1514 },
		{ 0x86dd, 65535, 60, 60 }, { 0x86dd, 0, 53, 53 },  { 0x0806, 1, 60, 60 },
		{ 0x8100, 40, 64, 64 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t frame[FRAME_MAX] = { 0 };

		put_be16(frame + 12, cases[i].type);
		put_be16(frame + 14 + (cases[i].type == 0x86dd ? 4 : 2), cases[i].length);
		cr_expect_eq(frame_size_unpadded(frame, cases[i].size), cases[i].unpadded,
			     "row %zu", i);
	}
}
