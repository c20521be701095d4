// SPDX-License-Identifier: GPL-2.0-or-later
/* The escape key and the relay between terminal and serial port. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../mgmt/terminal.h"

Test(escape, sequences)
{
	static const struct {
		const char *in, *out;
		enum escape_action action;
		bool pending;
	} rows[] = {
		{ "", "", ESCAPE_NONE, false },
		{ "abc\x03\x1b[A", "abc\x03\x1b[A", ESCAPE_NONE, false },
		{ "a\x01", "a", ESCAPE_NONE, true },
		{ "a\x01\x01"
		  "b",
		  "a\x01"
		  "b",
		  ESCAPE_NONE, false },
		{ "\x01\x01\x01\x01", "\x01\x01", ESCAPE_NONE, false },
		{ "a\x01xlost", "a", ESCAPE_LEAVE, false },
		{ "\x01X", "", ESCAPE_LEAVE, false },
		{ "\x01\x18", "", ESCAPE_LEAVE, false },
		{ "a\x01?b", "ab", ESCAPE_HELP, false },
		{ "\x01h\x01", "", ESCAPE_HELP, true },
		{ "\x01?\x01x", "", ESCAPE_LEAVE, false },
		{ "\x01\x01x", "\x01x", ESCAPE_NONE, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct escape escape = { false };
		uint8_t bytes[32];
		size_t count = strlen(rows[i].in);

		memcpy(bytes, rows[i].in, count);
		cr_assert_eq(escape_filter(&escape, bytes, &count), rows[i].action, "row %zu", i);
		cr_assert_eq(count, strlen(rows[i].out), "row %zu", i);
		cr_assert_arr_eq(bytes, rows[i].out, count, "row %zu", i);
		cr_assert_eq(escape.pending, rows[i].pending, "row %zu", i);
	}
}

/* Keys arrive one by one: the same result however a sequence is cut. */
Test(escape, cut_anywhere)
{
	static const char in[] = "ab\x01\x01"
				 "c\x01?d\x01x";
	static const char out[] = "ab\x01"
				  "cd";

	for (size_t cut = 0; cut <= strlen(in); cut++) {
		struct escape escape = { false };
		uint8_t bytes[32];
		size_t first = cut, second = strlen(in) - cut;
		enum escape_action action;

		memcpy(bytes, in, first);
		action = escape_filter(&escape, bytes, &first);
		if (action != ESCAPE_LEAVE) {
			memcpy(bytes + first, in + cut, second);
			action = escape_filter(&escape, bytes + first, &second);
			first += second;
		}
		cr_assert_eq(action, ESCAPE_LEAVE);
		cr_assert_eq(first, strlen(out));
		cr_assert_arr_eq(bytes, out, first);
	}
}

struct rig {
	struct relay relay;
	int keys, screen, machine, saved[2];
};

/* Standard input and output become pipes. */
static void rig_open(struct rig *rig)
{
	int in[2], out[2], stream[2];

	cr_assert_eq(pipe(in) | pipe(out) | socketpair(AF_UNIX, SOCK_STREAM, 0, stream), 0);
	rig->saved[0] = dup(0);
	rig->saved[1] = dup(1);
	dup2(in[0], 0);
	dup2(out[1], 1);
	close(in[0]);
	close(out[1]);
	rig->keys = in[1];
	rig->screen = out[0];
	rig->machine = stream[1];
	fcntl(rig->screen, F_SETFL, O_NONBLOCK);
	fcntl(rig->machine, F_SETFL, O_NONBLOCK);
	relay_init(&rig->relay, stream[0], "HELP");
}

static void rig_close(struct rig *rig)
{
	relay_fini(&rig->relay);
	dup2(rig->saved[0], 0);
	dup2(rig->saved[1], 1);
}

/* One round of what the main loop does; whether there was anything to do. */
static bool rig_step(struct rig *rig)
{
	struct pollfd fds[RELAY_POLLFDS];

	relay_prepare(&rig->relay, fds);
	if (poll(fds, RELAY_POLLFDS, 0) <= 0)
		return false;
	relay_run(&rig->relay, fds);
	return true;
}

Test(relay, both_ways_without_escape_on_a_pipe)
{
	struct rig rig;
	char bytes[32];

	rig_open(&rig);
	cr_assert_eq(write(rig.keys, "a\x01x", 3), 3);
	cr_assert_eq(write(rig.machine, "hello", 5), 5);
	while (rig_step(&rig))
		;
	cr_assert_eq(read(rig.machine, bytes, sizeof(bytes)), 3, "bytes of a pipe are data");
	cr_assert_arr_eq(bytes, "a\x01x", 3);
	cr_assert_eq(read(rig.screen, bytes, sizeof(bytes)), 5);
	cr_assert_not(rig.relay.leave);
	rig_close(&rig);
}

Test(relay, end_of_input_is_not_the_end)
{
	struct rig rig;
	char bytes[32];

	rig_open(&rig);
	close(rig.keys);
	while (rig_step(&rig))
		;
	cr_assert_not(relay_is_drained(&rig.relay));
	cr_assert_eq(write(rig.machine, "x", 1), 1);
	cr_assert(rig_step(&rig));
	cr_assert_eq(read(rig.screen, bytes, sizeof(bytes)), 1);
	cr_assert_not(rig_step(&rig), "no busy loop");
	rig_close(&rig);
}

Test(relay, stalled_screen_stops_the_machine_and_loses_nothing)
{
	static char chunk[4096], got[4096];
	struct rig rig;
	size_t sent = 0, received = 0;

	rig_open(&rig);
	/* Until the pipe, our buffer and the socket are full. */
	for (;;) {
		ssize_t n;

		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = (char)((sent + i) % 251);
		n = write(rig.machine, chunk, sizeof(chunk));
		if (n > 0)
			sent += (size_t)n;
		if (!rig_step(&rig) && n < 0)
			break;
	}
	cr_assert_gt(sent, 65536);
	close(rig.machine);
	cr_assert_not(relay_is_drained(&rig.relay));
	cr_assert_not(rig_step(&rig), "no busy loop while it stalls");
	for (;;) {
		ssize_t n = read(rig.screen, got, sizeof(got));

		for (ssize_t i = 0; i < n; i++)
			cr_assert_eq(got[i], (char)((received + (size_t)i) % 251));
		if (n > 0)
			received += (size_t)n;
		if (!rig_step(&rig) && n <= 0)
			break;
	}
	cr_assert_eq(received, sent);
	cr_assert(relay_is_drained(&rig.relay));
	rig_close(&rig);
}

Test(relay, closed_screen_is_noticed)
{
	struct rig rig;

	signal(SIGPIPE, SIG_IGN);
	rig_open(&rig);
	close(rig.screen);
	cr_assert_eq(write(rig.machine, "x", 1), 1);
	while (rig_step(&rig))
		;
	cr_assert(rig.relay.broken);
	cr_assert_eq(rig.relay.to_out.count, 0);
	rig_close(&rig);
}
