// SPDX-License-Identifier: GPL-2.0-or-later
/* The switch's rounds, in this process: whose turn it is and for how long; what is remembered of each minute. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../net/switch.h"

#define FRAME_BYTES 64u

/* A port that always has more to send. */
struct talker {
	struct nport port;
	uint8_t frame[FRAME_BYTES];
	unsigned int turns, frames, longest; /* turns, all their frames, and of one turn */
};

static struct switch_state sw;
static unsigned int turns_left;

static bool swallow(struct nport *port, const uint8_t *frame, size_t size)
{
	(void)port;
	(void)frame;
	(void)size;
	return true;
}

static void nothing(struct nport *port)
{
	(void)port;
}

static bool talk(struct switch_state *state, struct nport *port, unsigned int budget)
{
	struct talker *talker = container_of(port, struct talker, port);
	unsigned int frames = 0;

	for (unsigned int used = 0; used < budget; frames++)
		used += switch_forward(state, port, talker->frame, FRAME_BYTES);
	talker->turns++;
	talker->frames += frames;
	if (frames > talker->longest)
		talker->longest = frames;
	state->quit = !--turns_left;
	return true;
}

static void shut(struct nport *port)
{
	close(port->watch.fd);
}

static const struct nport_ops ops = { "talker", swallow, nothing, talk, shut };

static void plug(struct talker *talker, const char *name, uint8_t to, uint8_t from)
{
	memset(talker, 0, sizeof(*talker));
	talker->frame[0] = talker->frame[6] = 2;
	talker->frame[5] = to;
	talker->frame[11] = from;
	put_be16(talker->frame + 12, 0x88b5);
	talker->port.ops = &ops;
	talker->port.watch.fd = eventfd(0, 0);
	cr_assert_eq(port_plug(&sw, sw.networks, &talker->port, name, 0), 0);
}

static void begin(void)
{
	struct network *network;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	cr_assert_eq(switch_init(&sw, pair[0]), 0);
	cr_assert_eq(network_new(&sw, "lab", &network), 0);
}

static void end(void)
{
	switch_fini(&sw);
}

TestSuite(turns, .init = begin, .fini = end, .timeout = 30);

static void run(unsigned int turns)
{
	turns_left = turns;
	sw.quit = false;
	switch_run(&sw);
}

/* Everybody's first frame tells where it is. */
static void introduce(struct talker *talker)
{
	switch_forward(&sw, &talker->port, talker->frame, FRAME_BYTES);
}

Test(turns, talkers_share_evenly)
{
	struct talker a, b, c;

	plug(&a, "a", 2, 1);
	plug(&b, "b", 1, 2);
	plug(&c, "c", 1, 3);
	introduce(&a);
	introduce(&b);
	introduce(&c);
	switch_activate(&sw, &a.port);
	switch_activate(&sw, &b.port);
	switch_activate(&sw, &c.port);
	run(300);
	cr_assert_eq(a.turns, 100);
	cr_assert_eq(a.frames, b.frames);
	cr_assert_eq(a.frames, c.frames);
}

/* Ten per cent at most, where a frame of the flooder's costs as much as one for each who gets it. */
Test(turns, flooder_takes_little_from_two_who_talk)
{
	struct talker a, b, flooder;

	plug(&a, "a", 2, 1);
	plug(&b, "b", 1, 2);
	plug(&flooder, "flooder", 9, 3);
	introduce(&a);
	introduce(&b);
	switch_activate(&sw, &flooder.port);
	switch_activate(&sw, &a.port);
	run(2000);
	cr_assert_eq(flooder.longest, 1);
	cr_assert_geq(flooder.frames, 990, "and is heard all the same");
	cr_assert_leq(flooder.frames * 2 * 10, a.frames);
}

Test(turns, lone_flooder_has_turns_of_a_few_frames)
{
	struct talker a, b, flooder;

	plug(&a, "a", 2, 1);
	plug(&b, "b", 1, 2);
	plug(&flooder, "flooder", 9, 3);
	switch_activate(&sw, &flooder.port);
	run(10);
	cr_assert_eq(flooder.frames, 40);
}

Test(turns, minutes_are_remembered_of_ports_and_networks)
{
	struct talker a, b;

	plug(&a, "a", 2, 1);
	plug(&b, "b", 1, 2);
	introduce(&b);
	switch_activate(&sw, &a.port);
	for (unsigned int minute = 1; minute <= HISTORY_SAMPLES + 5; minute++) {
		sw.sample_due_ns = 0;
		run(1);
		cr_assert_eq(a.port.history.count, min_u64(minute, HISTORY_SAMPLES));
	}
	for (unsigned int i = 0; i < HISTORY_SAMPLES; i++) {
		unsigned int at = (a.port.history.next + i) % HISTORY_SAMPLES;

		cr_assert_eq(a.port.history.samples[at].rx_frames, (6 + i) * 32);
		cr_assert_eq(b.port.history.samples[at].tx_frames, (6 + i) * 32);
		cr_assert_eq(sw.networks->history.samples[at].rx_bytes,
			     ((6 + i) * 32 + 1) * FRAME_BYTES);
	}
}
