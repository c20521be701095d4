// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/netport: the machine's end of the cable, against a switch that is played here, honest and not. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdpass.h"
#include "../../devmodel/device.h"
#include "../../net/port.h"
#include "../../vmm/loop.h"
#include "../../vmm/netport.h"

/* A device that keeps what comes. */
struct sink {
	struct device dev;
	unsigned int frames, missed, tx_ready, link_changes, room;
	size_t last;
	bool link;
};

static struct loop *loop;
static struct nic *nics[VM_NICS_MAX];
static struct sink sink;
static int plug_fd;
static struct port_memory *memory;
static int fds[PORT_FDS];
static struct port_producer to;
static struct port_consumer from;

static bool sink_receive(struct device *dev, const uint8_t *frame, size_t size)
{
	(void)dev;
	(void)frame;
	if (!sink.room)
		return false;
	sink.room--;
	sink.frames++;
	sink.last = size;
	return true;
}

static void sink_missed(struct device *dev, uint32_t frames)
{
	(void)dev;
	sink.missed += frames;
}

static void sink_tx_ready(struct device *dev)
{
	(void)dev;
	sink.tx_ready++;
}

static void sink_link(struct device *dev, bool up)
{
	(void)dev;
	sink.link_changes++;
	sink.link = up;
}

static const struct nic_device_ops sink_ops = { sink_receive, sink_missed, sink_tx_ready,
						sink_link };

/* The loop runs in a thread of its own; what touches adapters takes the lock. */
static pthread_t thread;

static void stop(struct loop_post *post)
{
	(void)post;
	netports_free(nics);
	loop_quit(loop, 0);
}

static void *run_loop(void *opaque)
{
	(void)opaque;
	loop_run(loop);
	return NULL;
}

static void run_for(unsigned int ms)
{
	usleep(ms * 1000);
}

/* However busy this machine is. */
#define EVENTUALLY(condition, ...)                                                                 \
	do {                                                                                       \
		for (unsigned int tries = 0; tries < 2000 && !(condition); tries++)                \
			run_for(5);                                                                \
		cr_assert(condition, "" __VA_ARGS__);                                              \
	} while (0)

static void make_port(void)
{
	fds[PORT_FD_MEMORY] = memfd_create("port", 0);
	fds[PORT_FD_KICK_SWITCH] = eventfd(0, EFD_NONBLOCK);
	fds[PORT_FD_KICK_MACHINE] = eventfd(0, EFD_NONBLOCK);
	cr_assert_eq(ftruncate(fds[PORT_FD_MEMORY], sizeof(*memory)), 0);
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fds[PORT_FD_MEMORY], 0);
	cr_assert_neq(memory, MAP_FAILED);
	to = (struct port_producer){ .ring = &memory->to_machine };
	from = (struct port_consumer){ .ring = &memory->to_switch };
}

static void say(const char *word, unsigned int count)
{
	cr_assert_eq(fdpass_send(plug_fd, word, strlen(word), fds, count), 0);
}

/* With the cable plugged in before the machine is built, as its starter does it. */
static void setup(void)
{
	struct vm_config config = { .nic_count = 1 };
	int pair[2];

	memset(&sink, 0, sizeof(sink));
	sink.room = 1000000;
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	plug_fd = pair[0];
	config.nics[0].plug_fd = pair[1];
	make_port();
	say("plug", PORT_FDS);
	cr_assert_eq(netports_new(loop, &config, nics), 0);
	nic_attach(nics[0], &sink.dev, &sink_ops);
	netports_set_running(nics, true);
	cr_assert_eq(pthread_create(&thread, NULL, run_loop, NULL), 0);
}

static void teardown(void)
{
	static struct loop_post post = { .run = stop };

	loop_post(loop, &post);
	pthread_join(thread, NULL);
	nics[0] = NULL;
	loop_free(loop);
	close(plug_fd);
}

TestSuite(netport, .init = setup, .fini = teardown, .timeout = 20);

static void set_running(bool running)
{
	loop_lock(loop);
	netports_set_running(nics, running);
	loop_unlock(loop);
}

static void offer(unsigned int count, size_t size)
{
	uint8_t frame[PORT_FRAME_MAX] = { 0 };
	uint64_t one = 1;

	while (count--) {
		cr_assert_gt(port_room(&to), 0);
		port_put(&to, frame, size);
	}
	port_publish(&to);
	cr_assert_eq(write(fds[PORT_FD_KICK_MACHINE], &one, 8), 8);
}

Test(netport, link_is_up_from_the_start)
{
	cr_assert(nic_link_up(nics[0]));
	cr_assert_eq(sink.link_changes, 0);
}

Test(netport, frames_reach_the_device_in_batches)
{
	offer(200, 100);
	EVENTUALLY(sink.frames == 200);
	cr_assert_eq(sink.last, 100);
	EVENTUALLY(memory->to_machine.tail == 200);
	cr_assert_eq(memory->to_machine.consumer_sleeps, 1);
}

Test(netport, device_without_room_gets_the_rest_later)
{
	sink.room = 10;
	offer(50, 60);
	EVENTUALLY(sink.frames == 10);
	EVENTUALLY(memory->to_machine.tail == 10);
	sink.room = 100;
	loop_lock(loop);
	nic_rx_ready(nics[0]);
	loop_unlock(loop);
	EVENTUALLY(sink.frames == 50);
}

Test(netport, paused_machine_hears_nothing)
{
	set_running(false);
	offer(5, 60);
	run_for(30);
	cr_assert_eq(sink.frames, 0);
	set_running(true);
	EVENTUALLY(sink.frames == 5);
}

Test(netport, lost_frames_are_told)
{
	memory->to_machine.dropped = 7;
	offer(1, 60);
	EVENTUALLY(sink.missed == 7);
}

Test(netport, one_kick_wakes_the_switch_for_a_batch)
{
	struct netport_stats stats;
	uint8_t frame[100] = { 0 };
	uint64_t count = 0;

	memory->to_switch.consumer_sleeps = 1;
	for (unsigned int i = 0; i < 20; i++) {
		cr_assert(nic_can_send(nics[0]));
		nic_send(nics[0], frame, sizeof(frame));
	}
	cr_assert_eq(memory->to_switch.head, 0, "nobody sees half a batch");
	nic_flush(nics[0]);
	cr_assert_eq(memory->to_switch.head, 20);
	cr_assert_eq(read(fds[PORT_FD_KICK_SWITCH], &count, 8), 8);
	nic_send(nics[0], frame, sizeof(frame));
	nic_flush(nics[0]);
	cr_assert_lt(read(fds[PORT_FD_KICK_SWITCH], &count, 8), 0, "it is awake");
	netport_get_stats(nics[0], &stats);
	cr_assert_eq(stats.kicks, 1);
	cr_assert_eq(stats.tx_frames, 21);
}

Test(netport, full_ring_waits_for_room)
{
	uint8_t frame[60] = { 0 };
	unsigned int sent = 0;
	uint64_t one = 1;

	while (nic_can_send(nics[0])) {
		nic_send(nics[0], frame, sizeof(frame));
		sent++;
	}
	cr_assert_eq(sent, PORT_SLOTS);
	cr_assert_eq(memory->to_switch.producer_waits, 1);
	cr_assert_eq(port_pending(&from), PORT_SLOTS);
	port_take(&from);
	cr_assert(port_release(&from));
	cr_assert_eq(write(fds[PORT_FD_KICK_MACHINE], &one, 8), 8);
	EVENTUALLY(sink.tx_ready == 1);
	cr_assert(nic_can_send(nics[0]));
}

Test(netport, cable_is_pulled_and_plugged_in_elsewhere)
{
	struct port_memory *old = memory;

	say("unplug", 0);
	EVENTUALLY(!sink.link);
	EVENTUALLY(sink.link_changes == 1);
	nic_send(nics[0], (const uint8_t *)"no cable, no harm", 14);
	nic_flush(nics[0]);
	make_port();
	say("plug", PORT_FDS);
	EVENTUALLY(sink.link);
	offer(3, 64);
	EVENTUALLY(sink.frames == 3);
	cr_assert_eq(old->to_machine.tail, 0);
}

static const struct {
	const char *what;
	uint32_t head, size;
} lies[] = {
	{ "a head beyond the ring", PORT_SLOTS + 1, 60 },
	{ "a head far away", 0x80000000, 60 },
	{ "a frame too long", 1, PORT_FRAME_MAX + 1 },
	{ "a frame of 4 GiB", 1, UINT32_MAX },
	{ "a frame too short", 1, 13 },
};

Test(netport, switch_that_lies_is_unplugged)
{
	for (unsigned int i = 0; i < ARRAY_LEN(lies); i++) {
		uint64_t one = 1;

		make_port();
		say("plug", PORT_FDS);
		EVENTUALLY(nic_link_up(nics[0]), "%s", lies[i].what);
		memory->to_machine.slots[0].size = lies[i].size;
		memory->to_machine.head = lies[i].head;
		cr_assert_eq(write(fds[PORT_FD_KICK_MACHINE], &one, 8), 8);
		EVENTUALLY(!nic_link_up(nics[0]), "%s", lies[i].what);
	}
	make_port();
	say("plug", PORT_FDS);
	run_for(20);
	memory->to_switch.tail = 5;
	for (unsigned int i = 0; i < PORT_SLOTS; i++) {
		if (nic_can_send(nics[0]))
			nic_send(nics[0], (const uint8_t *)lies, 60);
	}
	cr_assert_not(nic_can_send(nics[0]) && memory->to_switch.head > PORT_SLOTS + 5);
	run_for(20);
}

Test(netport, odd_messages_change_nothing)
{
	int keep[PORT_FDS];

	memcpy(keep, fds, sizeof(keep));
	say("plug", 2);
	say("plugged", PORT_FDS);
	say("x", 1);
	run_for(30);
	cr_assert(nic_link_up(nics[0]));
	offer(1, 60);
	EVENTUALLY(sink.frames == 1);
}
