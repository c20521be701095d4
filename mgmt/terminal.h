/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's terminal, joined to a machine's serial port.
 *
 * Ctrl-A is the escape key where standard input is a terminal: Ctrl-A X leaves, Ctrl-A Ctrl-A sends
 * one Ctrl-A, Ctrl-A ? (and any other key) shows help. What comes from a pipe or a file goes
 * through as it is.
 */
#ifndef MGMT_TERMINAL_H
#define MGMT_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum escape_action { ESCAPE_NONE, ESCAPE_LEAVE, ESCAPE_HELP };

struct escape {
	bool pending; /* the last byte was Ctrl-A */
};

/*
 * Takes the escape sequences out of @bytes in place: *count becomes what is left for the machine.
 * Nothing behind the sequence that leaves is left.
 */
enum escape_action escape_filter(struct escape *escape, uint8_t *bytes, size_t *count);

/*
 * Raw mode on standard input, if that is a terminal and we are in its foreground. It ends with
 * terminal_restore(), at exit(), and when a fatal signal comes. May be called again: after a stop.
 */
void terminal_raw(void);
void terminal_restore(void);

struct relay_buffer {
	size_t start, count;
	uint8_t data[16384];
};

/*
 * Moves bytes both ways between standard input and output and a connected stream. Nothing blocks: a
 * stalled output stops the stream, a stalled stream never hides the escape key.
 */
struct relay {
	int in, out, stream; /* -1: ended */
	bool out_owned, out_socket, terminal;
	bool in_ended;
	bool leave, broken; /* broken: nobody reads our output any more */
	const char *help;   /* shown for Ctrl-A ? */
	struct escape escape;
	struct relay_buffer to_stream, to_out;
};

#define RELAY_POLLFDS 3

/* @stream becomes non-blocking and stays the caller's. */
void relay_init(struct relay *relay, int stream, const char *help);
void relay_fini(struct relay *relay);
/* After SIGCONT: the terminal may have become ours, or another program's. */
void relay_continue(struct relay *relay);
/* What to wait for; descriptors of -1 are ignored by poll(). */
void relay_prepare(const struct relay *relay, struct pollfd fds[RELAY_POLLFDS]);
/* Does what poll() found. */
void relay_run(struct relay *relay, const struct pollfd fds[RELAY_POLLFDS]);
/* Whether the stream has ended and all of it has been written. */
bool relay_is_drained(const struct relay *relay);

#endif
