// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The switch's process from outside: machines' rings, hostile ones among them, isolation, captures,
 * control messages, many ports, its end.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../mgmt/runtime_dir.h"
#include "../../mgmt/switch_client.h"
#include "../../net/port.h"

#define WAIT_MS 5000

struct peer {
	int socket; /* the port lives as long */
	int fds[PORT_FDS];
	struct port_memory *memory;
	struct port_producer to;
	struct port_consumer from;
};

static struct runtime_base base;
static char folder[] = "/tmp/mainstay-switch-test-XXXXXX";

/* Our own binary is in build/tests/net: the switch is in build/bin. */
static void begin(void)
{
	char error[256] = "", programs[4096] = "";

	cr_assert_not_null(mkdtemp(folder));
	setenv("MAINSTAY_RUNTIME_DIR", folder, 1);
	cr_assert_gt(readlink("/proc/self/exe", programs, sizeof(programs) - 32), 0);
	strcpy(strstr(programs, "/tests/net/"), "/bin");
	setenv("MAINSTAY_LIBEXEC", programs, 1);
	cr_assert_eq(runtime_base_open(&base, true, error, sizeof(error)), 0, "%s", error);
}

static void end(void)
{
	char command[256];

	runtime_base_close(&base);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

static int connect_switch(void)
{
	char error[256] = "";
	int socket = -1;

	cr_assert_eq(switch_connect(&base, true, &socket, error, sizeof(error)), 0, "%s", error);
	return socket;
}

/* Sends JSON text; the error's text, or "". */
static const char *ask(int socket, const char *text, int fd, json_object **ret_answer)
{
	static char error[256];
	json_object *request = json_tokener_parse(text);

	error[0] = 0;
	cr_assert_not_null(request, "%s", text);
	if (switch_request(socket, request, fd, NULL, NULL, ret_answer, error, sizeof(error)) < 0)
		return error;
	return "";
}

static void network(int socket, const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"op\":\"network\",\"network\":\"%s\"}", name);
	cr_assert_str_empty(ask(socket, text, -1, NULL));
}

static struct peer attach(const char *net, const char *name, const char *settings)
{
	struct peer peer = { .socket = connect_switch() };
	unsigned int count = PORT_FDS;
	char text[256], error[256] = "";
	int r;

	network(peer.socket, net);
	snprintf(text, sizeof(text), "{\"op\":\"attach\",\"network\":\"%s\",\"port\":\"%s\"%s}",
		 net, name, settings);
	r = switch_request(peer.socket, json_tokener_parse(text), -1, peer.fds, &count, NULL, error,
			   sizeof(error));
	cr_assert_eq(r, 0, "%s", error);
	cr_assert_eq(count, PORT_FDS);
	peer.memory = mmap(NULL, sizeof(*peer.memory), PROT_READ | PROT_WRITE, MAP_SHARED,
			   peer.fds[PORT_FD_MEMORY], 0);
	cr_assert_neq(peer.memory, MAP_FAILED);
	peer.to.ring = &peer.memory->to_switch;
	peer.from.ring = &peer.memory->to_machine;
	return peer;
}

static void detach(struct peer *peer)
{
	munmap(peer->memory, sizeof(*peer->memory));
	for (unsigned int i = 0; i < PORT_FDS; i++)
		close(peer->fds[i]);
	close(peer->socket);
}

static void kick(const struct peer *peer)
{
	uint64_t one = 1;

	cr_assert_eq(write(peer->fds[PORT_FD_KICK_SWITCH], &one, 8), 8);
}

static void fill_frame(uint8_t *frame, unsigned int to, unsigned int from, uint32_t number,
		       size_t size)
{
	memset(frame, (int)number, size);
	memset(frame, to == 0xff ? 0xff : 0, 6);
	memset(frame + 6, 0, 6);
	frame[0] = to == 0xff ? 0xff : 2;
	frame[5] = (uint8_t)to;
	frame[6] = 2;
	frame[11] = (uint8_t)from;
	put_be16(frame + 12, 0x88b5);
	put_le32(frame + 14, number);
}

/* Waits for room as a machine does. */
static void transmit(struct peer *peer, unsigned int to, unsigned int from, uint32_t number,
		     size_t size)
{
	uint8_t frame[PORT_FRAME_MAX];

	fill_frame(frame, to, from, number, size);
	while (port_room(&peer->to) <= 0) {
		struct pollfd p = { peer->fds[PORT_FD_KICK_MACHINE], POLLIN, 0 };
		uint64_t count;

		if (port_wait_for_room(&peer->to))
			continue;
		cr_assert_eq(poll(&p, 1, WAIT_MS), 1, "the switch makes no room");
		cr_assert_eq(read(p.fd, &count, 8), 8);
	}
	port_put(&peer->to, frame, size);
	if (port_publish(&peer->to))
		kick(peer);
}

/* The next frame within @ms; its size, 0: none came. */
static size_t receive(struct peer *peer, uint8_t *frame, int ms)
{
	for (;;) {
		struct pollfd p = { peer->fds[PORT_FD_KICK_MACHINE], POLLIN, 0 };
		const uint8_t *bytes;
		uint64_t count;
		int size;

		if (port_pending(&peer->from) > 0) {
			size = port_peek(&peer->from, &bytes);
			cr_assert_gt(size, 0);
			memcpy(frame, bytes, (size_t)size);
			port_take(&peer->from);
			if (port_release(&peer->from))
				kick(peer);
			return (size_t)size;
		}
		if (!port_sleep(&peer->from))
			continue;
		if (poll(&p, 1, ms) <= 0)
			return 0;
		cr_assert_eq(read(p.fd, &count, 8), 8);
	}
}

static uint32_t expect(struct peer *peer, size_t size)
{
	uint8_t frame[PORT_FRAME_MAX];

	cr_assert_eq(receive(peer, frame, WAIT_MS), size);
	return get_le32(frame + 14);
}

static void expect_nothing(struct peer *peer)
{
	uint8_t frame[PORT_FRAME_MAX];

	cr_assert_eq(receive(peer, frame, 200), 0);
}

#define SWITCH_TEST(name) Test(switch, name, .init = begin, .fini = end, .timeout = 60)

SWITCH_TEST(frames_travel_between_two_machines)
{
	struct peer a = attach("lab", "a/0", ""), b = attach("lab", "b/0", "");

	transmit(&a, 0xff, 1, 7, 60);
	cr_assert_eq(expect(&b, 60), 7);
	for (uint32_t i = 0; i < 5000; i++) {
		transmit(&b, 1, 2, i, 60 + i % 1400);
		cr_assert_eq(expect(&a, 60 + i % 1400), i);
	}
	expect_nothing(&b);
	detach(&a);
	detach(&b);
}

/* The test for a leak: same addresses, same names, another network. */
SWITCH_TEST(networks_are_isolated)
{
	struct peer a = attach("lab", "a/0", ""), b = attach("lab", "b/0", "");
	struct peer c = attach("other", "a/0", ""), d = attach("other", "d/0", "");

	for (uint32_t i = 0; i < 100; i++) {
		transmit(&a, 0xff, 1, i, 100);
		transmit(&a, 3, 1, i, 100);
		transmit(&c, 0xff, 3, 1000 + i, 100);
	}
	for (uint32_t i = 0; i < 100; i++) {
		cr_assert_eq(expect(&b, 100), i);
		cr_assert_eq(expect(&b, 100), i, "flooded: 3 is unknown here");
		cr_assert_eq(expect(&d, 100), 1000 + i);
	}
	expect_nothing(&a);
	expect_nothing(&b);
	expect_nothing(&c);
	expect_nothing(&d);
}

SWITCH_TEST(peers_that_lie_lose_their_port_only)
{
	struct peer a = attach("lab", "a/0", ""), b = attach("lab", "b/0", "");
	json_object *answer = NULL, *list, *first, *ports;

	for (unsigned int lie = 0; lie < 5; lie++) {
		struct peer liar = attach("lab", "liar", "");

		transmit(&liar, 0xff, 9, lie, 60);
		cr_assert_eq(expect(&a, 60), lie);
		cr_assert_eq(expect(&b, 60), lie);
		switch (lie) {
		case 0:
			liar.memory->to_switch.head += PORT_SLOTS + 1;
			break;
		case 1:
			liar.memory->to_switch.head = UINT32_MAX / 2;
			break;
		case 2:
			liar.memory->to_switch.slots[1].size = UINT32_MAX;
			liar.memory->to_switch.head++;
			break;
		case 3:
			liar.memory->to_switch.slots[1].size = 13;
			liar.memory->to_switch.head++;
			break;
		case 4:
			liar.memory->to_machine.tail = 0x12345678;
			for (uint32_t i = 0; i < PORT_SLOTS + 1; i++)
				transmit(&a, 9, 1, i, 60);
			break;
		}
		kick(&liar);
		transmit(&a, 0xff, 1, 99, 60);
		cr_assert_eq(expect(&b, 60), 99, "lie %u", lie);
		for (unsigned int i = 0; i < 100; i++) {
			size_t count;

			cr_assert_str_empty(ask(a.socket, "{\"op\":\"stats\",\"network\":\"lab\"}",
						-1, &answer));
			json_object_object_get_ex(answer, "networks", &list);
			first = json_object_array_get_idx(list, 0);
			json_object_object_get_ex(first, "port_list", &ports);
			count = json_object_array_length(ports);
			json_object_put(answer);
			if (count == 2)
				break;
			cr_assert_lt(i, 99, "lie %u: the liar is still there", lie);
			usleep(20000);
		}
		detach(&liar);
	}
}

SWITCH_TEST(memory_cannot_be_cut)
{
	struct peer a = attach("lab", "a/0", "");

	cr_assert_lt(ftruncate(a.fds[PORT_FD_MEMORY], 0), 0);
	cr_assert_lt(ftruncate(a.fds[PORT_FD_MEMORY], 1 << 30), 0);
	detach(&a);
}

SWITCH_TEST(slow_machine_loses_frames_and_holds_nobody_up)
{
	struct peer a = attach("lab", "a/0", ""), slow = attach("lab", "slow", ""),
		    b = attach("lab", "b/0", "");

	for (uint32_t i = 0; i < 3 * PORT_SLOTS; i++) {
		transmit(&a, 0xff, 1, i, 60);
		cr_assert_eq(expect(&b, 60), i);
	}
	for (uint32_t i = 0; i < PORT_SLOTS; i++)
		cr_assert_eq(expect(&slow, 60), i);
	cr_assert_eq(slow.memory->to_machine.dropped, 2 * PORT_SLOTS);
	transmit(&a, 0xff, 1, 1, 60);
	cr_assert_eq(expect(&slow, 60), 1);
}

SWITCH_TEST(sixty_four_machines_hear_each_other)
{
	static struct peer peers[64];
	char name[16];

	for (unsigned int i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "m%u/0", i);
		peers[i] = attach("big", name, "");
	}
	for (unsigned int i = 0; i < 64; i++) {
		transmit(&peers[i], 0xff, i + 1, i, 200);
		for (unsigned int j = 0; j < 64; j++) {
			if (j != i)
				cr_assert_eq(expect(&peers[j], 200), i);
		}
	}
	for (unsigned int i = 0; i < 64; i++) {
		transmit(&peers[i], (i + 1) % 64 + 1, i + 1, i, 64);
		cr_assert_eq(expect(&peers[(i + 1) % 64], 64), i);
	}
	for (unsigned int i = 0; i < 64; i++)
		expect_nothing(&peers[i]), i += 20;
}

SWITCH_TEST(bad_requests_get_one_clear_line)
{
	static const struct {
		const char *request, *error;
	} rows[] = {
		{ "{}", "\"op\"" },
		{ "[]", "no JSON object" },
		{ "{\"op\":\"fly\"}", "\"fly\" is not known" },
		{ "{\"op\":\"delete\",\"network\":\"none\"}", "no network none" },
		{ "{\"op\":\"network\",\"network\":\"a b\"}", "letters, digits" },
		{ "{\"op\":\"network\",\"network\":7}", "a name of" },
		{ "{\"op\":\"attach\",\"network\":\"lab\"}", "\"port\"" },
		{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"a/0\"}", "a/0 already" },
		{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\",\"mac\":\"00:03:ff:00:00:"
		  "01\"}",
		  "port a/0 has the address" },
		{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\",\"mac\":\"01:00:00:00:00:"
		  "00\"}",
		  "\"mac\"" },
		{ "{\"op\":\"attach\",\"network\":\"lab\",\"port\":\"b\",\"lock\":true}",
		  "\"lock\"" },
		{ "{\"op\":\"set\",\"network\":\"lab\",\"port\":\"a/0\",\"vlan_id\":4095}",
		  "0 to 4094" },
		{ "{\"op\":\"set\",\"network\":\"lab\",\"port\":\"a/0\",\"vlan\":\"x\"}",
		  "not known" },
		{ "{\"op\":\"set\",\"network\":\"lab\",\"port\":\"a/0\",\"mirror\":\"x\"}",
		  "no port x" },
		{ "{\"op\":\"wan\",\"network\":\"lab\",\"loss_ppm\":1000001}", "0 to 1000000" },
		{ "{\"op\":\"wan\",\"network\":\"lab\",\"latency_ms\":-1}", "latency_ms" },
		{ "{\"op\":\"uplink\",\"network\":\"lab\",\"port\":\"u\"}", "descriptor" },
		{ "{\"op\":\"capture\",\"network\":\"lab\"}", "descriptor" },
	};
	struct peer a = attach("lab", "a/0", ",\"mac\":\"00:03:ff:00:00:01\"");
	int socket = connect_switch();

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		const char *error = ask(socket, rows[i].request, -1, NULL);

		cr_assert_not_null(strstr(error, rows[i].error), "%s: %s", rows[i].request, error);
	}
	cr_assert_str_empty(ask(socket, "{\"op\":\"delete\",\"network\":\"lab\"}", -1, NULL));
	close(socket);
	detach(&a);
}

/* Whatever bytes come: the process lives, and others are served. */
SWITCH_TEST(garbage_on_the_control_socket_harms_nobody)
{
	struct peer a = attach("lab", "a/0", ""), b = attach("lab", "b/0", "");
	uint64_t seed = 3;
	char text[600];

	for (unsigned int i = 0; i < 500; i++) {
		int socket = connect_switch();
		size_t size;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		size = seed >> 33 & 511;
		for (size_t j = 0; j < size; j++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			text[j] =
				i & 1 ? (char)(seed >> 40) : "{}[]\":,0opnetwork"[seed >> 40 & 15];
		}
		cr_assert_geq(send(socket, text, size, MSG_NOSIGNAL), 0);
		close(socket);
	}
	transmit(&a, 0xff, 1, 5, 60);
	cr_assert_eq(expect(&b, 60), 5);
}

SWITCH_TEST(capture_gets_what_passes)
{
	struct peer a = attach("lab", "a/0", ""), b = attach("lab", "b/0", "");
	int pair[2], control = connect_switch();
	uint8_t bytes[65536], frame[60];
	size_t count = 0;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_str_empty(
		ask(control, "{\"op\":\"capture\",\"network\":\"lab\"}", pair[1], NULL));
	close(pair[1]);
	for (uint32_t i = 0; i < 10; i++) {
		transmit(&a, 0xff, 1, i, 60);
		expect(&b, 60);
	}
	close(control);
	/* It ends with the connection. */
	for (ssize_t n = 1; n > 0; count += (size_t)n)
		n = read(pair[0], bytes + count, sizeof(bytes) - count);
	cr_assert_eq(get_le32(bytes), 0x0a0d0d0a);
	for (uint32_t i = 0; i < 10; i++) {
		fill_frame(frame, 0xff, 1, i, 60);
		cr_assert_not_null(memmem(bytes, count, frame, 60), "frame %u", i);
	}
	close(pair[0]);
}

SWITCH_TEST(wan_filter_delays_and_loses)
{
	struct peer a = attach("lab", "a/0", ""), b = attach("lab", "b/0", "");
	struct timespec before, after;
	double ms;

	cr_assert_str_empty(
		ask(a.socket, "{\"op\":\"wan\",\"network\":\"lab\",\"latency_ms\":100}", -1, NULL));
	clock_gettime(CLOCK_MONOTONIC, &before);
	transmit(&a, 0xff, 1, 1, 60);
	cr_assert_eq(expect(&b, 60), 1);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
	     (double)(after.tv_nsec - before.tv_nsec) / 1e6;
	cr_assert_geq(ms, 99);
	cr_assert_leq(ms, 1000);
	cr_assert_str_empty(ask(
		a.socket, "{\"op\":\"wan\",\"network\":\"lab\",\"loss_ppm\":1000000}", -1, NULL));
	transmit(&a, 0xff, 1, 2, 60);
	expect_nothing(&b);
	cr_assert_str_empty(ask(a.socket, "{\"op\":\"wan\",\"network\":\"lab\"}", -1, NULL));
	transmit(&a, 0xff, 1, 3, 60);
	cr_assert_eq(expect(&b, 60), 3);
}

/* As passt speaks: a length before each frame, in pieces of any size. */
SWITCH_TEST(stream_uplink_cuts_frames_out_of_its_stream)
{
	struct peer a = attach("lab", "a/0", "");
	uint8_t stream[128], back[256];
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_str_empty(ask(a.socket,
				"{\"op\":\"uplink\",\"network\":\"lab\",\"port\":\"nat\","
				"\"kind\":\"stream\"}",
				pair[1], NULL));
	close(pair[1]);
	put_be32(stream, 60);
	fill_frame(stream + 4, 0xff, 9, 77, 60);
	for (unsigned int i = 0; i < 64; i++) {
		cr_assert_eq(write(pair[0], stream + i, 1), 1);
		usleep(200);
	}
	cr_assert_eq(expect(&a, 60), 77);
	transmit(&a, 9, 1, 78, 100);
	cr_assert_eq(recv(pair[0], back, 104, MSG_WAITALL), 104);
	cr_assert_eq(get_be32(back), 100);
	cr_assert_eq(get_le32(back + 4 + 14), 78);
	/* A length that cannot be ends the uplink, and only that. */
	put_be32(stream, 0x7fffffff);
	cr_assert_eq(write(pair[0], stream, 4), 4);
	cr_assert_eq(recv(pair[0], back, 1, 0), 0);
	close(pair[0]);
}

SWITCH_TEST(transient_networks_go_with_their_last_machine)
{
	struct peer a = attach("other", "a/0", ""), b;
	json_object *answer = NULL, *list;
	size_t count = 2;

	cr_assert_str_empty(ask(
		a.socket, "{\"op\":\"network\",\"network\":\"lab\",\"transient\":true}", -1, NULL));
	b = attach("lab", "b/0", "");
	detach(&b);
	for (unsigned int i = 0; count != 1; i++) {
		cr_assert_str_empty(ask(a.socket, "{\"op\":\"stats\"}", -1, &answer));
		cr_assert(json_object_object_get_ex(answer, "networks", &list));
		count = json_object_array_length(list);
		json_object_put(answer);
		cr_assert_lt(i, 100, "lab is still there");
		usleep(20000);
	}
}
