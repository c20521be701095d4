// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The switch alone, on this machine, without a guest.
 *
 *	net_switch JSON		measures the process mainstay-switch between other processes
 *	net_switch core N	forwards N frames of 64 bytes in this process, for who counts instructions;
 *	net_switch flood N	the same while a third port sends as much as it can to everybody
 *
 * Theory of operation: peers are processes of their own, forked, that attach ports and do one thing each.
 * What the switch costs is the processor time of its process over the frames it forwarded. Latency and
 * the flooder's harm are ratios of two measurements of the same run.
 */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/fdio.h"
#include "../../base/log.h"
#include "../../base/parse.h"
#include "../../mgmt/runtime_dir.h"
#include "../../mgmt/switch_client.h"
#include "../../net/port.h"
#include "../../net/switch.h"
#include "report.h"

#define FRAME_BYTES 64
#define RUNS 3
#define STREAM_FRAMES 2000000u
#define ROUND_TRIPS 5000u
#define PACED_FRAMES 4000u
#define PACE_NS 250000u /* 4,000 frames a second */
/* A frame that has not come back is sent again, and its time counts. */
#define LOST_MS 20

enum { INSTRUCTIONS, NANOSECONDS, LATENCY, FLOOD_SHARE, FLOOD, FLOOD_LATENCY, FIGURES };

/* What is not measured against a constant is measured against the peer of its row. */
static const struct figure figures[FIGURES] = {
	[INSTRUCTIONS] = { "instructions for a 64-byte frame under load", "insn", 1.0, 600, false },
	[NANOSECONDS] = { "processor time for a 64-byte frame (1000: a million a second)", "ns",
			  1.0, 1000, false },
	[LATENCY] = { "round trip of an idle switch (peer: two eventfd hand-overs each way)", "ns",
		      1.5, 0, false },
	[FLOOD_SHARE] = { "instructions for a frame while another port floods (peer: without)",
			  "insn", 1.1, 0, false },
	[FLOOD] = { "frames that arrive while another port floods (peer: without)", "frames", 0.9,
		    0, true },
	[FLOOD_LATENCY] = { "round trip while another port floods (peer: without)", "ns", 1.1, 0,
			    false },
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void fill(uint8_t frame[FRAME_BYTES], uint8_t to, uint8_t from)
{
	memset(frame, 0, FRAME_BYTES);
	frame[0] = frame[6] = 2;
	frame[5] = to;
	frame[11] = from;
	put_be16(frame + 12, 0x88b5);
}

/* --- peers */

struct peer {
	int socket, fds[PORT_FDS];
	struct port_memory *memory;
	struct port_producer to;
	struct port_consumer from;
	uint8_t frame[FRAME_BYTES];
};

static struct runtime_base base;
static char folder[] = "/tmp/mainstay-bench-XXXXXX";

static int connect_switch(void)
{
	char error[256];
	int fd;

	if (switch_connect(&base, true, &fd, error, sizeof(error)) < 0)
		die("%s", error);
	return fd;
}

static void attach(struct peer *peer, uint8_t to, uint8_t from)
{
	json_object *json = switch_message("network", "bench");
	unsigned int count = PORT_FDS;
	char error[256], name[8];

	peer->socket = connect_switch();
	if (switch_request(peer->socket, json, -1, NULL, NULL, NULL, error, sizeof(error)) < 0)
		die("%s", error);
	json = switch_message("attach", "bench");
	snprintf(name, sizeof(name), "p%u", from);
	json_object_object_add(json, "port", json_object_new_string(name));
	if (switch_request(peer->socket, json, -1, peer->fds, &count, NULL, error, sizeof(error)) <
		    0 ||
	    count != PORT_FDS)
		die("%s", error);
	peer->memory = mmap(NULL, sizeof(*peer->memory), PROT_READ | PROT_WRITE, MAP_SHARED,
			    peer->fds[PORT_FD_MEMORY], 0);
	if (peer->memory == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	peer->to = (struct port_producer){ .ring = &peer->memory->to_switch };
	peer->from = (struct port_consumer){ .ring = &peer->memory->to_machine };
	fill(peer->frame, to, from);
}

static void kick(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

static void wait_kick(int fd)
{
	struct pollfd ready = { fd, POLLIN, 0 };
	uint64_t count;

	if (poll(&ready, 1, LOST_MS) == 1)
		(void)!read(fd, &count, sizeof(count));
}

static void transmit(struct peer *peer)
{
	while (port_room(&peer->to) <= 0) {
		if (!port_wait_for_room(&peer->to))
			wait_kick(peer->fds[PORT_FD_KICK_MACHINE]);
	}
	port_put(&peer->to, peer->frame, FRAME_BYTES);
}

static void publish(struct peer *peer)
{
	if (port_publish(&peer->to))
		kick(peer->fds[PORT_FD_KICK_SWITCH]);
}

/* Takes what is there, waiting a moment for a first frame; how many are from @sender. */
static unsigned int receive(struct peer *peer, uint8_t sender)
{
	unsigned int count = 0;

	if (port_pending(&peer->from) <= 0 && port_sleep(&peer->from))
		wait_kick(peer->fds[PORT_FD_KICK_MACHINE]);
	while (port_pending(&peer->from) > 0) {
		const uint8_t *frame;

		if (port_peek(&peer->from, &frame) > 0)
			count += frame[11] == sender;
		port_take(&peer->from);
	}
	if (port_release(&peer->from))
		kick(peer->fds[PORT_FD_KICK_SWITCH]);
	return count;
}

/* Runs @work in a process of its own that ends with us. */
static pid_t start(void (*work)(void *), void *opaque)
{
	pid_t pid = fork();

	if (pid == 0) {
		work(opaque);
		_exit(0);
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- a stream: what a frame costs the switch */

static void drain(void *opaque)
{
	struct peer peer;

	(void)opaque;
	attach(&peer, 1, 2);
	transmit(&peer); /* the switch learns where we are */
	publish(&peer);
	for (;;)
		receive(&peer, 1);
}

static uint64_t switch_time_ns(pid_t pid)
{
	char path[64], text[128];
	unsigned long long ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof(text), file))
		sscanf(text, "%llu", &ns);
	if (file)
		fclose(file);
	return ns;
}

/* The credentials of the socket's other end are those of who made it listen: look for the name. */
static pid_t find_switch(void)
{
	char command[] = "pgrep -n -x mainstay-switch";
	FILE *pipe = popen(command, "re");
	int pid = 0;

	if (!pipe || fscanf(pipe, "%d", &pid) != 1)
		die("the switch's process is not found");
	pclose(pipe);
	return pid;
}

static double stream(void)
{
	pid_t drainer = start(drain, NULL), pid;
	struct peer peer;
	uint64_t before;

	attach(&peer, 2, 1);
	usleep(200000);
	pid = find_switch();
	before = switch_time_ns(pid);
	for (uint32_t i = 0; i < STREAM_FRAMES; i++) {
		transmit(&peer);
		if (i % 32 == 31)
			publish(&peer);
	}
	publish(&peer);
	usleep(200000);
	stop(drainer);
	before = switch_time_ns(pid) - before;
	close(peer.socket);
	usleep(100000);
	return (double)before / STREAM_FRAMES;
}

/* To an address that nobody has: every port gets it. */
static void flood(void *opaque)
{
	struct peer peer;

	(void)opaque;
	attach(&peer, 9, 3);
	for (;;) {
		for (unsigned int i = 0; i < 32; i++)
			transmit(&peer);
		publish(&peer);
	}
}

/* --- latency */

static void echo(void *opaque)
{
	struct peer peer;

	(void)opaque;
	attach(&peer, 1, 2);
	transmit(&peer);
	publish(&peer);
	for (;;) {
		if (!receive(&peer, 1))
			continue;
		transmit(&peer);
		publish(&peer);
	}
}

static double switch_round_trip(bool with_flood)
{
	pid_t echoer = start(echo, NULL), flooder = 0;
	struct peer peer;
	uint64_t before;

	attach(&peer, 2, 1);
	if (with_flood)
		flooder = start(flood, NULL);
	usleep(200000);
	before = now_ns();
	for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
		uint64_t sent;

		do {
			sent = now_ns();
			transmit(&peer);
			publish(&peer);
			while (!receive(&peer, 2) && now_ns() - sent < LOST_MS * 1000000u)
				continue;
		} while (now_ns() - sent >= LOST_MS * 1000000u);
	}
	before = now_ns() - before;
	if (flooder)
		stop(flooder);
	stop(echoer);
	close(peer.socket);
	usleep(100000);
	return (double)before / ROUND_TRIPS;
}

struct relay {
	int in, out;
};

static void relay(void *opaque)
{
	const struct relay *r = opaque;

	for (;;) {
		wait_kick(r->in);
		kick(r->out);
	}
}

/* From us to a relay to an echoer, and the same way back: what any switch between processes must cost. */
static double eventfd_round_trip(void)
{
	int fds[4];
	struct relay hops[3];
	pid_t pids[3];
	uint64_t before;

	for (unsigned int i = 0; i < 4; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK);
	for (unsigned int i = 0; i < 3; i++) {
		hops[i] = (struct relay){ fds[i], fds[i + 1] };
		pids[i] = start(relay, &hops[i]);
	}
	usleep(100000);
	before = now_ns();
	for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
		kick(fds[0]);
		wait_kick(fds[3]);
	}
	before = now_ns() - before;
	for (unsigned int i = 0; i < 3; i++)
		stop(pids[i]);
	for (unsigned int i = 0; i < 4; i++)
		close(fds[i]);
	return (double)before / ROUND_TRIPS;
}

/* --- a flooder */

/* Counts in shared memory until it is stopped. */
static void count_frames(void *opaque)
{
	uint32_t *count = opaque;
	struct peer peer;

	attach(&peer, 1, 2);
	transmit(&peer);
	publish(&peer);
	for (;;)
		*count += receive(&peer, 1);
}

static double paced(bool with_flood)
{
	uint32_t *count =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t counter = start(count_frames, count), flooder = 0;
	struct peer peer;
	uint64_t next;
	double result;

	attach(&peer, 2, 1);
	if (with_flood)
		flooder = start(flood, NULL);
	usleep(200000);
	next = now_ns();
	for (uint32_t i = 0; i < PACED_FRAMES; i++, next += PACE_NS) {
		struct timespec at = { (time_t)(next / 1000000000), (long)(next % 1000000000) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		/* What finds no room now is lost, as with a controller that cannot wait. */
		if (port_room(&peer.to) > 0)
			port_put(&peer.to, peer.frame, FRAME_BYTES);
		publish(&peer);
	}
	usleep(300000);
	result = *count;
	if (flooder)
		stop(flooder);
	stop(counter);
	close(peer.socket);
	munmap(count, 4096);
	usleep(100000);
	return result;
}

/* --- the core, in this process */

struct core {
	struct switch_state sw;
	struct nport driver, *a_port, *c_port;
	struct peer a, b, c;
	uint64_t left;
	bool flood;
};

static struct core core;

static bool driver_send(struct nport *port, const uint8_t *frame, size_t size)
{
	(void)port;
	(void)frame;
	(void)size;
	return true;
}

static void driver_nothing(struct nport *port)
{
	(void)port;
}

static void take_all(struct peer *peer)
{
	while (port_pending(&peer->from) > 0)
		port_take(&peer->from);
	port_release(&peer->from);
}

/* All machines: one sends 32 frames, the other takes what came, the third has always more to send. */
static bool driver_serve(struct switch_state *sw, struct nport *port, unsigned int budget)
{
	(void)budget;
	(void)port;
	take_all(&core.b);
	if (core.flood) {
		take_all(&core.a);
		while (port_room(&core.c.to) > 0)
			port_put(&core.c.to, core.c.frame, FRAME_BYTES);
		port_publish(&core.c.to);
		switch_activate(sw, core.c_port);
	}
	for (unsigned int i = 0; i < 32 && core.left; i++, core.left--)
		port_put(&core.a.to, core.a.frame, FRAME_BYTES);
	port_publish(&core.a.to);
	switch_activate(sw, core.a_port);
	sw->quit = !core.left;
	return true;
}

static const struct nport_ops driver_ops = { "driver", driver_send, driver_nothing, driver_serve,
					     driver_nothing };

static struct nport *core_port(struct peer *peer, const char *name, uint8_t to, uint8_t from)
{
	struct nport *port;

	if (ring_port_new(&port, peer->fds) < 0 ||
	    port_plug(&core.sw, core.sw.networks, port, name, EPOLLIN) < 0)
		die("a port cannot be made");
	peer->memory = mmap(NULL, sizeof(*peer->memory), PROT_READ | PROT_WRITE, MAP_SHARED,
			    peer->fds[PORT_FD_MEMORY], 0);
	peer->to = (struct port_producer){ .ring = &peer->memory->to_switch };
	peer->from = (struct port_consumer){ .ring = &peer->memory->to_machine };
	fill(peer->frame, to, from);
	port_put(&peer->to, peer->frame, FRAME_BYTES);
	port_publish(&peer->to);
	switch_activate(&core.sw, port);
	return port;
}

static int run_core(const char *text)
{
	struct network *network;
	int pair[2];

	if (parse_u64(text, 1, UINT32_MAX, &core.left) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
	    switch_init(&core.sw, pair[0]) < 0 || network_new(&core.sw, "bench", &network) < 0)
		die("the switch cannot be made");
	core.driver.ops = &driver_ops;
	core.driver.watch.fd = pair[1];
	if (port_plug(&core.sw, network, &core.driver, "driver", 0) < 0)
		die("the driver cannot be plugged in");
	core.driver.vport.link_up = false;
	core_port(&core.b, "b", 1, 2);
	core.a_port = core_port(&core.a, "a", 2, 1);
	if (core.flood)
		core.c_port = core_port(&core.c, "c", 9, 3);
	switch_activate(&core.sw, &core.driver);
	switch_run(&core.sw);
	return 0;
}

/* Instructions of this program with the arguments @mode and @frames, by valgrind; 0: it could not. */
static double count_core(const char *self, const char *mode, unsigned int frames)
{
	char command[512], line[256];
	unsigned long long count = 0;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "valgrind --tool=callgrind --callgrind-out-file=/dev/null %s %s %u 2>&1", self,
		 mode, frames);
	pipe = popen(command, "re");
	while (pipe && fgets(line, sizeof(line), pipe)) {
		const char *at = strstr(line, "Collected :");

		if (at)
			sscanf(at, "Collected : %llu", &count);
	}
	if (pipe)
		pclose(pipe);
	return (double)count;
}

/* --- the whole */

static void measure_core(struct report *report, const char *self, const char *mode, size_t row,
			 enum side side)
{
	double few = count_core(self, mode, 100000), many = count_core(self, mode, 300000);

	if (few > 0 && many > few)
		report_value(report, row, side, (many - few) / 200000);
	else
		report_failed(report, row, side, "valgrind does not run here");
}

static void measure(struct report *report, const char *self)
{
	double idle;

	measure_core(report, self, "core", INSTRUCTIONS, SIDE_OURS);
	measure_core(report, self, "flood", FLOOD_SHARE, SIDE_OURS);
	measure_core(report, self, "core", FLOOD_SHARE, SIDE_PEER);
	for (unsigned int i = 0; i < RUNS; i++) {
		report_value(report, NANOSECONDS, SIDE_OURS, stream());
		idle = switch_round_trip(false);
		report_value(report, LATENCY, SIDE_OURS, idle);
		report_value(report, LATENCY, SIDE_PEER, eventfd_round_trip());
		report_value(report, FLOOD, SIDE_OURS, paced(true));
		report_value(report, FLOOD, SIDE_PEER, paced(false));
		report_value(report, FLOOD_LATENCY, SIDE_OURS, switch_round_trip(true));
		report_value(report, FLOOD_LATENCY, SIDE_PEER, idle);
	}
}

static void set_places(const char *self)
{
	char path[4096], error[256];

	if (!mkdtemp(folder))
		die("%s: %s", folder, strerror(errno));
	setenv("MAINSTAY_RUNTIME_DIR", folder, 1);
	snprintf(path, sizeof(path), "%.*s/../bin", (int)(strrchr(self, '/') - self), self);
	setenv("MAINSTAY_LIBEXEC", path, 1);
	if (runtime_base_open(&base, true, error, sizeof(error)) < 0)
		die("%s", error);
}

int main(int argc, char **argv)
{
	struct report report;
	char command[128], self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	log_init("net_switch", LOG_LEVEL_INFO);
	core.flood = argc == 3 && !strcmp(argv[1], "flood");
	if (argc == 3 && (core.flood || !strcmp(argv[1], "core")))
		return run_core(argv[2]);
	if (argc != 2 || n < 0)
		die("usage: net_switch JSON | core FRAMES | flood FRAMES");
	self[n] = '\0';
	set_places(self);
	report_init(&report, "The switch alone", figures, FIGURES);
	measure(&report, self);
	report_print(&report);
	if (report_write_json(&report, argv[1]) < 0)
		die("%s: cannot be written", argv[1]);
	report_fini(&report);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
