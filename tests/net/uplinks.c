// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ways from a network to the host and beyond, in network namespaces of our own: the cable "v1" of a pair
 * is the world outside, "v0" the host's interface. The tests are a machine, the host and the world.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../mgmt/host_net.h"
#include "../../mgmt/machine_config.h"
#include "../../mgmt/net_interface.h"
#include "../lib/cables.h"

#define TYPE 0x88b5
#define HEADER sizeof(struct virtio_net_hdr)

static void must(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

static bool enter_namespaces(void)
{
	char map[32];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0)
		return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	if (!write_text("/proc/self/uid_map", map) || !write_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "0 %u 1\n", gid);
	return write_text("/proc/self/gid_map", map);
}

static void begin(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) < 0 || !enter_namespaces() ||
	    system("mount --make-rprivate / && mount -t sysfs sys /sys 2>/dev/null") != 0 ||
	    system("ip link set lo up && ip link add v0 type veth peer name v1 2>/dev/null") != 0)
		cr_skip_test("this host refuses namespaces, or has no tun or veth");
	must("for i in v0 v1; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6 || true; "
	     "ip link set $i up; done");
	cables_begin();
}

TestSuite(uplinks, .init = begin, .fini = cables_end, .timeout = 60);

/* --- the world */

static int open_world(const char *interface)
{
	int fd = net_open_packet_socket(interface);

	cr_assert_geq(fd, 0, "%s: %s", interface, strerror(-fd));
	return fd;
}

static void world_send(int fd, const uint8_t *frame, size_t size)
{
	uint8_t bytes[HEADER + 2048] = { 0 };

	memcpy(bytes + HEADER, frame, size);
	cr_assert_eq(write(fd, bytes, HEADER + size), HEADER + size, "%s", strerror(errno));
}

/* The next frame of @type; its size, 0: none in time. */
static size_t world_receive(int fd, uint16_t type, uint8_t *frame, int ms)
{
	uint8_t bytes[HEADER + 65536];

	for (; ms > 0; ms -= 20) {
		struct pollfd ready = { fd, POLLIN, 0 };
		ssize_t n = poll(&ready, 1, 0) == 1 ? read(fd, bytes, sizeof(bytes)) : 0;

		if (n > (ssize_t)HEADER + 14 && get_be16(bytes + HEADER + 12) == type) {
			memcpy(frame, bytes + HEADER, (size_t)n - HEADER);
			return (size_t)n - HEADER;
		}
		if (n <= 0)
			cables_turn(20);
	}
	return 0;
}

static struct cable machine_on(const char *net)
{
	struct cable cable = { 0 };

	cables_add(net);
	cables_start();
	cables_hear(&cable, 0);
	cr_assert_not_null(cable.memory, "%s: the link is down", net);
	return cable;
}

static void both_hear_each_other(struct cable *machine, int world)
{
	uint8_t frame[65536];

	cables_test_frame(frame);
	cables_transmit(machine, frame, 60);
	cr_assert_eq(world_receive(world, TYPE, frame, CABLES_WAIT_MS), 60);
	cables_test_frame(frame);
	frame[11] = 9;
	world_send(world, frame, 60);
	cr_assert_eq(cables_receive(machine, TYPE, frame, CABLES_WAIT_MS), 60);
	cr_assert_eq(frame[11], 9);
}

/* --- an interface */

Test(uplinks, interface_is_shared_by_packet_socket)
{
	struct cable machine = machine_on("external:v0");

	both_hear_each_other(&machine, open_world("v1"));
	/* It is as it was: no bridge, no other address, not down. */
	cr_assert_neq(access("/sys/class/net/v0/brport", F_OK), 0);
	must("ip link show v0 | grep -q 'state UP'");
}

/* A host that talks to somebody on the same interface does not notice machines, nor they the host. */
Test(uplinks, hosts_connections_go_on_and_stay_its_own)
{
	struct cable machine;
	uint8_t frame[65536];
	int ready[2];
	pid_t child;

	cr_assert_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		char byte;

		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		while (system("ip link show v1 >/dev/null 2>&1") != 0)
			usleep(10000);
		if (system("ip address add 10.1.0.2/24 dev v1 && ip link set v1 up") != 0)
			_exit(1);
		close(ready[1]);
		(void)!read(ready[0], &byte, 0);
		pause();
	}
	cr_assert_eq(read(ready[0], frame, 1), 1);
	snprintf((char *)frame, sizeof(frame),
		 "ip link set v1 netns %d && ip address add 10.1.0.1/24 dev v0", (int)child);
	must((char *)frame);
	must("for i in 1 2 3 4 5 6 7 8 9; do busybox ping -c 1 -W 1 10.1.0.2 >/dev/null && break; "
	     "done");
	machine = machine_on("external:v0");
	must("busybox ping -c 3 -W 2 10.1.0.2 >/dev/null");
	cr_assert_eq(cables_receive(&machine, 0x0800, frame, 300), 0,
		     "a machine hears what is for the host");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* What the host's stack has merged is cut, and sums are filled in. */
Test(uplinks, merged_segments_arrive_as_frames)
{
	static const uint8_t headers[54] = {
		[5] = 1,     [6] = 2,	  [11] = 9,    [12] = 8,    [14] = 0x45, [22] = 64,
		[23] = 6,    [26] = 10,	  [29] = 1,    [30] = 10,   [33] = 2,	 [34] = 0x12,
		[36] = 0x34, [46] = 0x50, [47] = 0x18, [48] = 0xff,
	};
	static uint8_t bytes[HEADER + 54 + 5000];
	struct virtio_net_hdr *header = (struct virtio_net_hdr *)bytes;
	struct cable machine = machine_on("external:v0");
	uint8_t *frame = bytes + HEADER, got[PORT_FRAME_MAX];
	int world = open_world("v1");
	uint32_t sum = 20 + 5000 + 6 + 0x0a00 + 1 + 0x0a00 + 2;

	*header = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					   .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					   .hdr_len = 54,
					   .gso_size = 1400,
					   .csum_start = 34,
					   .csum_offset = 16 };
	memcpy(frame, headers, sizeof(headers));
	put_be16(frame + 16, 40 + 5000);
	put_be16(frame + 50, (uint16_t)(sum % 65536 + sum / 65536));
	for (unsigned int i = 0; i < 5000; i++)
		frame[54 + i] = (uint8_t)(i * 7);
	cr_assert_eq(write(world, bytes, sizeof(bytes)), sizeof(bytes), "%s", strerror(errno));
	for (unsigned int at = 0; at < 5000; at += 1400) {
		size_t part = min_u64(1400, 5000 - at);

		cr_assert_eq(cables_receive(&machine, 0x0800, got, CABLES_WAIT_MS), 54 + part);
		cr_assert_eq(get_be32(got + 38), at, "sequence number");
		cr_assert_eq(memcmp(got + 54, frame + 54 + at, part), 0);
		sum = 0;
		for (unsigned int i = 26; i < 54 + part; i += 2)
			sum += get_be16(got + i);
		sum += (uint32_t)(20 + part + 6);
		cr_assert_eq((sum % 65536 + sum / 65536) % 65535, 0, "checksum at %u", at);
	}
}

Test(uplinks, tags_come_back_to_where_they_were)
{
	struct cable machine = machine_on("external:v0");
	uint8_t frame[65536];

	cables_test_frame(frame);
	put_be16(frame + 12, 0x8100);
	put_be16(frame + 14, 5 | 3 << 13);
	put_be16(frame + 16, TYPE);
	world_send(open_world("v1"), frame, 64);
	cr_assert_eq(cables_receive(&machine, 0x8100, frame, CABLES_WAIT_MS), 64);
	cr_assert_eq(get_be16(frame + 14), 5 | 3 << 13);
	cr_assert_eq(get_be16(frame + 16), TYPE);
}

/* --- a bridge */

Test(uplinks, bridge_gets_a_tap_and_keeps_its_members)
{
	struct cable machine;

	must("ip link add br0 type bridge forward_delay 0 && ip link set br0 up && "
	     "ip link set v0 master br0");
	machine = machine_on("external:br0");
	must("ip link show master br0 | grep -q v0");
	must("ip link show master br0 | grep -q ms-br0");
	both_hear_each_other(&machine, open_world("v1"));
	/* With its last machine the tap goes, and nothing else. */
	adapters_close(&cables);
	must("for i in $(seq 50); do ip link show ms-br0 >/dev/null 2>&1 || exit 0; sleep 0.1; "
	     "done; exit 1");
	must("ip link show master br0 | grep -q v0");
}

/* --- a network of the host's own */

Test(uplinks, loopback_network_reaches_the_host)
{
	static const uint8_t question[] = { 0,	1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 1,
					    10, 9, 0, 2, 0, 0, 0, 0, 0, 0, 10, 9, 0, 1 };
	struct cable machine;
	uint8_t frame[PORT_FRAME_MAX];

	cr_assert_eq(cables_mainstay("net create lab --kind loopback --host-address 10.9.0.1/24"),
		     0);
	machine = machine_on("loopback:lab");
	must("ip -4 address show dev ms-lab | grep -q '10\\.9\\.0\\.1/24'");
	cables_test_frame(frame);
	frame[11] = 1;
	put_be16(frame + 12, 0x0806);
	memcpy(frame + 14, question, sizeof(question));
	cables_transmit(&machine, frame, 60);
	cr_assert_geq(cables_receive(&machine, 0x0806, frame, CABLES_WAIT_MS), 42);
	cr_assert_eq(get_be16(frame + 20), 2, "an answer");
	cr_assert_eq(get_be32(frame + 28), 0x0a090001);
}

/* Made anew, for machines that know it: restored ones, or those whose switch died. Never a bridge's lowest. */
Test(uplinks, taps_keep_their_address)
{
	char first[18] = "", second[18] = "", other[18] = "";
	static const char file_of[] = "/sys/class/net/ms-%s/address";
	const struct {
		const char *network;
		char *text;
	} taps[] = { { "lab", first }, { "lab", second }, { "bal", other } };

	for (size_t i = 0; i < ARRAY_LEN(taps); i++) {
		char name[16], path[64];
		int fd, file;

		snprintf(name, sizeof(name), "ms-%s", taps[i].network);
		fd = net_open_tap(name, taps[i].network);
		cr_assert_geq(fd, 0, "%s", strerror(-fd));
		snprintf(path, sizeof(path), file_of, taps[i].network);
		file = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert_eq(read(file, taps[i].text, 17), 17);
		close(file);
		close(fd);
		cr_assert_eq(memcmp(taps[i].text, "fe:", 3), 0, "%s", taps[i].text);
	}
	cr_assert_str_eq(first, second);
	cr_assert_str_neq(first, other);
}

/* --- what cannot be */

Test(uplinks, wireless_cards_are_refused_with_the_reason)
{
	char error[256] = "";

	must("mount -t tmpfs none /sys/class/net && "
	     "mkdir -p /sys/class/net/wlan0/wireless");
	cr_assert_eq(host_net_plug(-1, MACHINE_NIC_EXTERNAL, "wlan0", error, sizeof(error)),
		     -EOPNOTSUPP);
	cr_assert_not_null(strstr(error, "wlan0: is wireless"), "%s", error);
	cr_assert_not_null(strstr(error, "use nat"), "%s", error);
	cr_assert_null(strchr(error, '\n'));
}

static void lose_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	cr_assert_eq(syscall(SYS_capset, &header, none), 0);
}

Test(uplinks, missing_rights_are_one_clear_line)
{
	static const struct {
		unsigned int kind;
		const char *network;
	} rows[] = {
		{ MACHINE_NIC_EXTERNAL, "v0" },
		{ MACHINE_NIC_EXTERNAL, "br0" },
		{ MACHINE_NIC_LOOPBACK, "lab" },
	};

	must("ip link add br0 type bridge");
	lose_rights();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char error[256] = "";
		int r = host_net_plug(-1, rows[i].kind, rows[i].network, error, sizeof(error));

		cr_assert(r == -EPERM || r == -EACCES, "%s: %d", rows[i].network, r);
		cr_assert_not_null(strstr(error, "root or with CAP_NET_ADMIN"), "%s", error);
	}
}
