// SPDX-License-Identifier: GPL-2.0-or-later
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"

#define CTRL_A 0x01

/* --- the escape key --- */

enum escape_action escape_filter(struct escape *escape, uint8_t *bytes, size_t *count)
{
	enum escape_action action = ESCAPE_NONE;
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		uint8_t byte = bytes[i];

		if (!escape->pending) {
			escape->pending = byte == CTRL_A;
			if (!escape->pending)
				bytes[kept++] = byte;
			continue;
		}
		escape->pending = false;
		if (byte == CTRL_A) {
			bytes[kept++] = byte;
		} else if (byte == 'x' || byte == 'X' || byte == ('X' & 0x1f)) {
			action = ESCAPE_LEAVE;
			break;
		} else {
			action = ESCAPE_HELP;
		}
	}
	*count = kept;
	return action;
}

/* --- raw mode --- */

static struct {
	bool raw, prepared;
	struct termios saved;
} terminal;

void terminal_restore(void)
{
	if (!terminal.raw)
		return;
	terminal.raw = false;
	/* Not TCSADRAIN: it would wait for output that a stopped terminal never takes. */
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.saved);
}

/* tcsetattr() is safe in a handler; SA_RESETHAND makes the signal fatal again. */
static void on_fatal(int number)
{
	terminal_restore();
	raise(number);
}

static void restore_at_the_end(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };
	struct sigaction action = { .sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND };

	atexit(terminal_restore);
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		sigaction(fatal[i], &action, NULL);
}

/* In the background the terminal is another program's, and reading from it would stop us. */
static bool terminal_is_ours(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void terminal_raw(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !terminal_is_ours())
		return;
	if (!terminal.prepared) {
		if (tcgetattr(STDIN_FILENO, &terminal.saved) < 0)
			return;
		terminal.prepared = true;
		restore_at_the_end();
	}
	raw = terminal.saved;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	terminal.raw = true;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* --- buffers --- */

static size_t buffer_room(struct relay_buffer *buffer)
{
	if (buffer->start && !buffer->count)
		buffer->start = 0;
	if (buffer->start) {
		memmove(buffer->data, buffer->data + buffer->start, buffer->count);
		buffer->start = 0;
	}
	return sizeof(buffer->data) - buffer->count;
}

static uint8_t *buffer_end(struct relay_buffer *buffer)
{
	return buffer->data + buffer->start + buffer->count;
}

static void buffer_drop(struct relay_buffer *buffer, size_t count)
{
	buffer->start += count;
	buffer->count -= count;
}

/* --- the relay --- */

/*
 * Output that never blocks us. The flag O_NONBLOCK belongs to an open file that we share with our
 * parents, so that a terminal or a pipe is opened anew for it; a socket has MSG_DONTWAIT. A regular
 * file does not block.
 */
static void open_output(struct relay *relay)
{
	struct stat st;

	relay->out = STDOUT_FILENO;
	if (fstat(STDOUT_FILENO, &st) < 0) {
		relay->out = -1;
		relay->broken = true;
		return;
	}
	relay->out_socket = S_ISSOCK(st.st_mode);
	if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {
		int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd >= 0) {
			relay->out = fd;
			relay->out_owned = true;
		}
	}
}

void relay_init(struct relay *relay, int stream, const char *help)
{
	/* Not cleared as a whole: the buffers are large and need none of it. */
	relay->stream = stream;
	relay->help = help;
	relay->terminal = isatty(STDIN_FILENO);
	relay->in_ended = relay->out_owned = relay->leave = relay->broken = false;
	relay->escape.pending = false;
	relay->to_stream.start = relay->to_stream.count = 0;
	relay->to_out.start = relay->to_out.count = 0;
	relay_continue(relay);
	fcntl(stream, F_SETFL, fcntl(stream, F_GETFL) | O_NONBLOCK);
	open_output(relay);
}

void relay_continue(struct relay *relay)
{
	relay->in = relay->in_ended || (relay->terminal && !terminal_is_ours()) ? -1 : STDIN_FILENO;
}

void relay_fini(struct relay *relay)
{
	if (relay->out_owned)
		fd_close(relay->out);
	relay->out = -1;
}

void relay_prepare(const struct relay *relay, struct pollfd fds[RELAY_POLLFDS])
{
	bool reads_in = relay->terminal || !relay->to_stream.count;
	short stream = 0;

	if (!relay->to_out.count)
		stream |= POLLIN;
	if (relay->to_stream.count)
		stream |= POLLOUT;
	fds[0] = (struct pollfd){ relay->stream >= 0 && reads_in ? relay->in : -1, POLLIN, 0 };
	fds[1] = (struct pollfd){ relay->to_out.count ? relay->out : -1, POLLOUT, 0 };
	/* Without a wish POLLHUP would come again and again while the output stalls. */
	fds[2] = (struct pollfd){ stream ? relay->stream : -1, stream, 0 };
}

static void show_help(struct relay *relay)
{
	size_t length = strlen(relay->help);

	/* When it does not fit, the user has other output to look at. */
	if (length > buffer_room(&relay->to_out))
		return;
	memcpy(buffer_end(&relay->to_out), relay->help, length);
	relay->to_out.count += length;
}

static void read_in(struct relay *relay)
{
	uint8_t bytes[512];
	size_t count, room = buffer_room(&relay->to_stream);
	ssize_t n = read(relay->in, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* The end of a pipe is no reason to end; a terminal that hangs up sends SIGHUP. */
	if (n <= 0) {
		relay->in_ended = true;
		relay->in = -1;
		return;
	}
	count = (size_t)n;
	if (relay->terminal) {
		switch (escape_filter(&relay->escape, bytes, &count)) {
		case ESCAPE_NONE:
			break;
		case ESCAPE_HELP:
			show_help(relay);
			break;
		case ESCAPE_LEAVE:
			relay->leave = true;
			break;
		}
	}
	/* Only keys that a machine leaves unread for 16 KiB are lost, as on a real serial line. */
	if (count > room)
		count = room;
	memcpy(buffer_end(&relay->to_stream), bytes, count);
	relay->to_stream.count += count;
}

static void read_stream(struct relay *relay)
{
	size_t room = buffer_room(&relay->to_out);
	ssize_t n = recv(relay->stream, buffer_end(&relay->to_out), room, MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		relay->stream = -1;
		relay->to_stream.count = 0;
		return;
	}
	relay->to_out.count += (size_t)n;
}

static void write_stream(struct relay *relay)
{
	struct relay_buffer *buffer = &relay->to_stream;
	ssize_t n;

	if (relay->stream < 0 || !buffer->count)
		return;
	n = send(relay->stream, buffer->data + buffer->start, buffer->count,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	/* A peer that is gone is found by reading, after what it has still said. */
	if (n < 0 && errno != EINTR && errno != EAGAIN)
		n = (ssize_t)buffer->count;
	if (n > 0)
		buffer_drop(buffer, (size_t)n);
}

static void write_out(struct relay *relay)
{
	struct relay_buffer *buffer = &relay->to_out;
	ssize_t n;

	if (!buffer->count)
		return;
	if (relay->broken) {
		buffer->count = 0;
		return;
	}
	n = relay->out_socket ? send(relay->out, buffer->data + buffer->start, buffer->count,
				     MSG_DONTWAIT | MSG_NOSIGNAL)
			      : write(relay->out, buffer->data + buffer->start, buffer->count);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		relay->broken = true;
		buffer->count = 0;
		return;
	}
	buffer_drop(buffer, (size_t)n);
}

void relay_run(struct relay *relay, const struct pollfd fds[RELAY_POLLFDS])
{
	if (fds[0].revents)
		read_in(relay);
	if (fds[2].revents && (fds[2].events & POLLIN))
		read_stream(relay);
	write_stream(relay);
	write_out(relay);
}

bool relay_is_drained(const struct relay *relay)
{
	return relay->stream < 0 && !relay->to_out.count;
}
