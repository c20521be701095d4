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

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/fdpass.h"
#include "../../mgmt/adapters.h"
#include "../../mgmt/net_plug.h"
#include "../../mgmt/runtime_dir.h"
#include "../../mgmt/start_message.h"
#include "../../net/port.h"

#define WAIT_MS 10000

struct cable {
	int plug_fd, fds[PORT_FDS];
	struct port_memory *memory; /* NULL: not plugged in */
	struct port_producer to;
	struct port_consumer from;
};

static struct runtime_base base;
static struct runtime_dir dir;
static struct machine_config config;
static struct machine_files files;
static struct adapters adapters;
static char folder[] = "/tmp/mainstay-adapters-XXXXXX";

static void setup(void)
{
	char error[256] = "", programs[4096] = "";
	pid_t pid;

	cr_assert_not_null(mkdtemp(folder));
	setenv("MAINSTAY_RUNTIME_DIR", folder, 1);
	setenv("MAINSTAY_NETWORKS", folder, 1);
	cr_assert_gt(readlink("/proc/self/exe", programs, sizeof(programs) - 32), 0);
	strcpy(strstr(programs, "/tests/net/"), "/bin");
	setenv("MAINSTAY_LIBEXEC", programs, 1);
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(runtime_base_open(&base, true, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(runtime_dir_take(&base, "web", &dir, &pid), 0);
	machine_config_init(&config);
	machine_files_init(&files);
	config.nic_count = 0;
}

static void teardown(void)
{
	char command[256];

	adapters_close(&adapters);
	machine_files_close(&files);
	machine_config_fini(&config);
	runtime_dir_release(&dir);
	runtime_base_close(&base);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(adapters, .init = setup, .fini = teardown, .timeout = 60);

static void add(const char *net)
{
	char error[256];

	cr_assert_eq(machine_option_net(&config, net, error, sizeof(error)), 0, "%s", error);
}

static void start(void)
{
	machine_nics_derive(&config);
	adapters_open(&adapters, &config, &base, dir.fd, "web", &files);
}

/* One turn of the starter's loop. */
static void turn(int ms)
{
	struct pollfd fds[ADAPTERS_POLLFDS];
	int wait = adapters_wait_ms(&adapters);

	adapters_prepare(&adapters, fds);
	poll(fds, ADAPTERS_POLLFDS, wait >= 0 && wait < ms ? wait : ms);
	adapters_run(&adapters, fds);
}

/* What the starter has said to the machine of adapter @i; the last word counts. */
static void hear(struct cable *cable, unsigned int i)
{
	char text[32];
	unsigned int count = PORT_FDS;
	size_t size;

	cable->plug_fd = files.nics[i];
	while (fdpass_receive(cable->plug_fd, text, sizeof(text), &size, cable->fds, &count) == 0) {
		cable->memory = NULL;
		if (size == 4 && count == PORT_FDS) {
			cable->memory = mmap(NULL, sizeof(*cable->memory), PROT_READ | PROT_WRITE,
					     MAP_SHARED, cable->fds[PORT_FD_MEMORY], 0);
			cr_assert_neq(cable->memory, MAP_FAILED);
			cable->to = (struct port_producer){ .ring = &cable->memory->to_switch };
			cable->from = (struct port_consumer){ .ring = &cable->memory->to_machine };
		}
		count = PORT_FDS;
	}
}

static void transmit(struct cable *cable, const uint8_t *frame, size_t size)
{
	uint64_t one = 1;

	cr_assert_gt(port_room(&cable->to), 0);
	port_put(&cable->to, frame, size);
	if (port_publish(&cable->to))
		cr_assert_eq(write(cable->fds[PORT_FD_KICK_SWITCH], &one, 8), 8);
}

/* The next frame of @type; its size, 0: none came in time. The starter's loop goes on meanwhile. */
static size_t receive(struct cable *cable, uint16_t type, uint8_t *frame, int ms)
{
	for (; ms > 0; ms -= 20) {
		while (port_pending(&cable->from) > 0) {
			const uint8_t *bytes = NULL;
			int size = port_peek(&cable->from, &bytes);

			cr_assert_gt(size, 0);
			memcpy(frame, bytes, (size_t)size);
			port_take(&cable->from);
			port_release(&cable->from);
			if (get_be16(frame + 12) == type)
				return (size_t)size;
		}
		turn(20);
	}
	return 0;
}

static void test_frame(uint8_t frame[60])
{
	memset(frame, 0, 60);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	put_be16(frame + 12, 0x88b5);
}

Test(adapters, cables_of_one_network_meet)
{
	struct cable a = { 0 }, b = { 0 };
	uint8_t frame[PORT_FRAME_MAX];

	add("internal:lab");
	add("internal:lab,model=21143");
	start();
	hear(&a, 0);
	hear(&b, 1);
	cr_assert_not_null(a.memory);
	cr_assert_not_null(b.memory);
	test_frame(frame);
	transmit(&a, frame, 60);
	cr_assert_eq(receive(&b, 0x88b5, frame, WAIT_MS), 60);
}

Test(adapters, addresses_stay_and_differ)
{
	static struct machine_config again;

	add("nat");
	add("nat");
	add("internal:x,mac=00:03:ff:01:02:03");
	machine_nics_derive(&config);
	machine_config_init(&again);
	again.nic_count = 2;
	machine_nics_derive(&again);
	cr_assert_str_eq(config.nics[0].mac, again.nics[0].mac);
	cr_assert_str_eq(config.nics[1].mac, again.nics[1].mac);
	cr_assert_str_neq(config.nics[0].mac, config.nics[1].mac);
	cr_assert_eq(strncmp(config.nics[0].mac, "00:03:ff:", 9), 0);
	cr_assert_str_eq(config.nics[2].mac, "00:03:ff:01:02:03");
	machine_config_fini(&again);
}

Test(adapters, same_address_twice_leaves_the_second_unplugged)
{
	struct cable a = { 0 }, b = { 0 };

	add("internal:lab,mac=00:03:ff:00:00:01");
	add("internal:lab,mac=00:03:ff:00:00:01");
	start();
	hear(&a, 0);
	hear(&b, 1);
	cr_assert_not_null(a.memory);
	cr_assert_null(b.memory);
}

Test(adapters, missing_interface_is_no_obstacle)
{
	struct cable a = { 0 }, b = { 0 };

	add("external:nosuch0");
	add("internal:lab");
	start();
	hear(&a, 0);
	hear(&b, 1);
	cr_assert_null(a.memory);
	cr_assert_not_null(b.memory);
}

static pid_t switch_of(const struct cable *cable)
{
	char command[256];
	FILE *pipe;
	int pid = 0;

	(void)cable;
	/* The one whose environment names our folder. */
	snprintf(command, sizeof(command),
		 "for p in $(pgrep -x mainstay-switch); do tr '\\0' '\\n' </proc/$p/environ | "
		 "grep -qx MAINSTAY_RUNTIME_DIR=%s && echo $p; done",
		 folder);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	cr_assert_eq(fscanf(pipe, "%d", &pid), 1);
	pclose(pipe);
	return pid;
}

Test(adapters, killed_switch_is_started_again)
{
	struct cable a = { 0 }, b = { 0 };
	uint8_t frame[PORT_FRAME_MAX];
	struct port_memory *before;

	if (geteuid() != 0)
		cr_skip_test("only root sees the environment of a process that is not dumpable");
	add("internal:lab");
	add("internal:lab");
	start();
	hear(&a, 0);
	hear(&b, 1);
	before = a.memory;
	cr_assert_eq(kill(switch_of(&a), SIGKILL), 0);
	for (unsigned int i = 0; i < 200; i++) {
		turn(50);
		hear(&a, 0);
		hear(&b, 1);
		if (a.memory && b.memory && a.memory != before && adapters_wait_ms(&adapters) < 0)
			break;
	}
	cr_assert_neq(a.memory, before);
	cr_assert_not_null(a.memory);
	cr_assert_not_null(b.memory);
	test_frame(frame);
	transmit(&a, frame, 60);
	cr_assert_eq(receive(&b, 0x88b5, frame, WAIT_MS), 60);
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
		turn(20);
	pthread_join(thread, NULL);
	return q;
}

Test(adapters, cables_are_moved_while_the_machine_runs)
{
	struct cable a = { 0 }, b = { 0 };
	uint8_t frame[PORT_FRAME_MAX];

	add("internal:lab");
	add("internal:other");
	start();
	hear(&a, 0);
	hear(&b, 1);
	test_frame(frame);
	transmit(&a, frame, 60);
	cr_assert_eq(receive(&b, 0x88b5, frame, 300), 0, "two networks");
	cr_assert_eq(move(1, "internal:lab").result, 0);
	hear(&b, 1);
	cr_assert_not_null(b.memory);
	test_frame(frame);
	transmit(&a, frame, 60);
	cr_assert_eq(receive(&b, 0x88b5, frame, WAIT_MS), 60);
	cr_assert_eq(move(1, "none").result, 0);
	hear(&b, 1);
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

	test_frame(frame);
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
	add("nat");
	start();
	turn(300);
	hear(&a, 0);
	cr_assert_not_null(a.memory, "the link is down");
	arp_request(frame);
	transmit(&a, frame, 60);
	cr_assert_gt(receive(&a, 0x0806, frame, WAIT_MS), 41);
	cr_assert_eq(get_be16(frame + 20), 2, "an answer");
	cr_assert_eq(memcmp(frame + 28, "\x0a\x00\x02\x02", 4), 0);
	adapters_close(&adapters);
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
	char command[4300];
	size_t size = 0;

	if (system("command -v dnsmasq /usr/sbin/dnsmasq >/dev/null && unshare -Urn true "
		   "2>/dev/null") != 0)
		cr_skip_test("this host has no dnsmasq, or refuses user namespaces");
	snprintf(command, sizeof(command),
		 "%s/mainstay net create lab && %s/mainstay net dhcp lab --enable",
		 getenv("MAINSTAY_LIBEXEC"), getenv("MAINSTAY_LIBEXEC"));
	cr_assert_eq(system(command), 0);
	add("internal:lab");
	start();
	hear(&a, 0);
	cr_assert_not_null(a.memory);
	snprintf(command, sizeof(command), "%s/mainstay net serve-dhcp lab &",
		 getenv("MAINSTAY_LIBEXEC"));
	cr_assert_eq(system(command), 0);
	for (unsigned int i = 0; i < 20 && !size; i++) {
		transmit(&a, frame, dhcp_discover(frame));
		do
			size = receive(&a, 0x0800, frame, 1000);
		while (size && get_be16(frame + 14 + 20 + 2) != 68);
	}
	cr_assert_gt(size, 14 + 20 + 8 + 240, "no answer");
	cr_assert_eq(get_be32(frame + 14 + 20 + 8 + 16) >> 16, 10 << 8 | 237,
		     "an address of 10.237.0.0");
}
