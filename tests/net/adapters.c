// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine's cables as its starter holds them, with the real switch and the real passt: the test is the
 * machine. Where passt is missing or the host has no network, nat is one line and a link that is down.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bytes.h"
#include "../../mgmt/net_plug.h"
#include "../../mgmt/runtime_dir.h"
#include "../../mgmt/start_message.h"
#include "../lib/cables.h"

TestSuite(adapters, .init = cables_begin, .fini = cables_end, .timeout = 60);

Test(adapters, cables_of_one_network_meet)
{
	struct cable a = { 0 }, b = { 0 };
	uint8_t frame[PORT_FRAME_MAX];

	cables_add("internal:lab");
	cables_add("internal:lab,model=21143");
	cables_start();
	cables_hear(&a, 0);
	cables_hear(&b, 1);
	cr_assert_not_null(a.memory);
	cr_assert_not_null(b.memory);
	cables_test_frame(frame);
	cables_transmit(&a, frame, 60);
	cr_assert_eq(cables_receive(&b, 0x88b5, frame, CABLES_WAIT_MS), 60);
}

Test(adapters, addresses_stay_and_differ)
{
	static struct machine_config again;

	cables_add("nat");
	cables_add("nat");
	cables_add("internal:x,mac=00:03:ff:01:02:03");
	machine_nics_derive(&cables_config);
	machine_config_init(&again);
	again.nic_count = 2;
	machine_nics_derive(&again);
	cr_assert_str_eq(cables_config.nics[0].mac, again.nics[0].mac);
	cr_assert_str_eq(cables_config.nics[1].mac, again.nics[1].mac);
	cr_assert_str_neq(cables_config.nics[0].mac, cables_config.nics[1].mac);
	cr_assert_eq(strncmp(cables_config.nics[0].mac, "00:03:ff:", 9), 0);
	cr_assert_str_eq(cables_config.nics[2].mac, "00:03:ff:01:02:03");
	machine_config_fini(&again);
}

Test(adapters, same_address_twice_leaves_the_second_unplugged)
{
	struct cable a = { 0 }, b = { 0 };

	cables_add("internal:lab,mac=00:03:ff:00:00:01");
	cables_add("internal:lab,mac=00:03:ff:00:00:01");
	cables_start();
	cables_hear(&a, 0);
	cables_hear(&b, 1);
	cr_assert_not_null(a.memory);
	cr_assert_null(b.memory);
}

Test(adapters, missing_interface_is_no_obstacle)
{
	struct cable a = { 0 }, b = { 0 };

	cables_add("external:nosuch0");
	cables_add("internal:lab");
	cables_start();
	cables_hear(&a, 0);
	cables_hear(&b, 1);
	cr_assert_null(a.memory);
	cr_assert_not_null(b.memory);
}

Test(adapters, killed_switch_is_started_again)
{
	struct cable a = { 0 }, b = { 0 };
	uint8_t frame[PORT_FRAME_MAX];
	struct port_memory *before;

	if (geteuid() != 0)
		cr_skip_test("only root sees the environment of a process that is not dumpable");
	cables_add("internal:lab");
	cables_add("internal:lab");
	cables_start();
	cables_hear(&a, 0);
	cables_hear(&b, 1);
	before = a.memory;
	cr_assert_eq(kill(cables_switch(), SIGKILL), 0);
	for (unsigned int i = 0; i < 200; i++) {
		cables_turn(50);
		cables_hear(&a, 0);
		cables_hear(&b, 1);
		if (a.memory && b.memory && a.memory != before && adapters_wait_ms(&cables) < 0)
			break;
	}
	cr_assert_neq(a.memory, before);
	cr_assert_not_null(a.memory);
	cr_assert_not_null(b.memory);
	cables_test_frame(frame);
	cables_transmit(&a, frame, 60);
	cr_assert_eq(cables_receive(&b, 0x88b5, frame, CABLES_WAIT_MS), 60);
}

struct question {
	const char *network;
	unsigned int adapter;
	int result;
	char error[256];
	bool done;
};

static void *ask(void *opaque)
{
	struct question *q = opaque;

	q->result = net_plug_ask("web", q->adapter, q->network, q->error, sizeof(q->error));
	__atomic_store_n(&q->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static struct question move(unsigned int adapter, const char *network)
{
	static struct question q;
	pthread_t thread;

	q = (struct question){ .network = network, .adapter = adapter };
	cr_assert_eq(pthread_create(&thread, NULL, ask, &q), 0);
	while (!__atomic_load_n(&q.done, __ATOMIC_ACQUIRE))
		cables_turn(20);
	pthread_join(thread, NULL);
	return q;
}

Test(adapters, cables_are_moved_while_the_machine_runs)
{
	struct cable a = { 0 }, b = { 0 };
	uint8_t frame[PORT_FRAME_MAX];

	cables_add("internal:lab");
	cables_add("internal:other");
	cables_start();
	cables_hear(&a, 0);
	cables_hear(&b, 1);
	cables_test_frame(frame);
	cables_transmit(&a, frame, 60);
	cr_assert_eq(cables_receive(&b, 0x88b5, frame, 300), 0, "two networks");
	cr_assert_eq(move(1, "internal:lab").result, 0);
	cables_hear(&b, 1);
	cr_assert_not_null(b.memory);
	cables_test_frame(frame);
	cables_transmit(&a, frame, 60);
	cr_assert_eq(cables_receive(&b, 0x88b5, frame, CABLES_WAIT_MS), 60);
	cr_assert_eq(move(1, "none").result, 0);
	cables_hear(&b, 1);
	cr_assert_null(b.memory);
	cr_assert_lt(move(1, "external:nosuch0").result, 0);
	cr_assert_lt(move(1, "bogus").result, 0);
	cr_assert_lt(move(3, "internal:lab").result, 0);
}

/* Who has 10.0.2.2, the gateway that passt is to the guest? */
static void arp_request(uint8_t frame[60])
{
	static const uint8_t arp[] = { 0,  1, 8, 0,  6, 4, 0, 1, 2, 0, 0,  0, 0, 1,
				       10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2 };

	cables_test_frame(frame);
	frame[11] = 1;
	put_be16(frame + 12, 0x0806);
	memcpy(frame + 14, arp, sizeof(arp));
}

Test(adapters, nat_reaches_passt)
{
	struct cable a = { 0 };
	uint8_t frame[PORT_FRAME_MAX];

	if (system("command -v passt >/dev/null") != 0 ||
	    system("ip -4 route show default 2>/dev/null | grep -q .") != 0)
		cr_skip_test("this host has no passt, or no route to anywhere");
	cables_add("nat");
	cables_start();
	cables_turn(300);
	cables_hear(&a, 0);
	cr_assert_not_null(a.memory, "the link is down");
	arp_request(frame);
	cables_transmit(&a, frame, 60);
	cr_assert_gt(cables_receive(&a, 0x0806, frame, CABLES_WAIT_MS), 41);
	cr_assert_eq(get_be16(frame + 20), 2, "an answer");
	cr_assert_eq(memcmp(frame + 28, "\x0a\x00\x02\x02", 4), 0);
	adapters_close(&cables);
}

/* What a client that knows nothing asks (RFC 2131). */
static size_t dhcp_discover(uint8_t frame[400])
{
	static const uint8_t options[] = {
		0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, 4, 1, 3, 6, 58, 255
	};
	uint8_t *ip = frame + 14, *udp = ip + 20, *bootp = udp + 8;
	uint32_t sum = 0;

	memset(frame, 0, 400);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	frame[11] = 1;
	put_be16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put_be16(ip + 2, 20 + 8 + 300);
	ip[8] = 64;
	ip[9] = 17;
	memset(ip + 16, 0xff, 4);
	for (unsigned int i = 0; i < 20; i += 2)
		sum += get_be16(ip + i);
	put_be16(ip + 10, (uint16_t) ~(sum + (sum >> 16)));
	put_be16(udp, 68);
	put_be16(udp + 2, 67);
	put_be16(udp + 4, 8 + 300);
	bootp[0] = bootp[1] = 1;
	bootp[2] = 6;
	put_be32(bootp + 4, 0x12345678);
	put_be16(bootp + 10, 0x8000); /* answer to everybody */
	memcpy(bootp + 28, frame + 6, 6);
	memcpy(bootp + 236, options, sizeof(options));
	return 14 + 20 + 8 + 300;
}

Test(adapters, dhcp_server_offers_an_address)
{
	struct cable a = { 0 };
	uint8_t frame[PORT_FRAME_MAX];
	size_t size = 0;

	if (system("command -v dnsmasq /usr/sbin/dnsmasq >/dev/null && unshare -Urn true "
		   "2>/dev/null") != 0)
		cr_skip_test("this host has no dnsmasq, or refuses user namespaces");
	cr_assert_eq(cables_mainstay("net create lab"), 0);
	cr_assert_eq(cables_mainstay("net dhcp lab --enable"), 0);
	cables_add("internal:lab");
	cables_start();
	cables_hear(&a, 0);
	cr_assert_not_null(a.memory);
	cr_assert_eq(cables_mainstay("net serve-dhcp lab &"), 0);
	for (unsigned int i = 0; i < 20 && !size; i++) {
		cables_transmit(&a, frame, dhcp_discover(frame));
		do
			size = cables_receive(&a, 0x0800, frame, 1000);
		while (size && get_be16(frame + 14 + 20 + 2) != 68);
	}
	cr_assert_gt(size, 14 + 20 + 8 + 240, "no answer");
	cr_assert_eq(get_be32(frame + 14 + 20 + 8 + 16) >> 16, 10 << 8 | 237,
		     "an address of 10.237.0.0");
}
