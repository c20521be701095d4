// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A client is a pair of buffers. Bytes come in while no whole line is waiting; a line is carried
 * out in a callback of its own, so that a client with many requests waits for the guest and not the
 * guest for it; the reply goes out at once, or waits in the buffer for EPOLLOUT. A line or a reply
 * that does not fit ends the client. A ninth client takes the place of the one that has been silent
 * longest: people must be able to reach a machine whose clients have gone astray.
 *
 * Who may connect is the starter's decision, by the mode of the socket's file and its directory.
 * Peer credentials are not asked here: in this process's user namespace every user but its own has
 * the overflow number, root and the manager too. Of the descriptors that a peer sends along one is kept,
 * for a command that takes one; the kernel drops what recvmsg() is given no room for.
 */
#include "control.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "control_commands.h"
#include "loop.h"

#define CLIENTS_MAX 8
#define LINE_BYTES 4096u
#define OUT_BYTES 65536u

struct client {
	struct control *control;
	int fd;
	struct loop_watch *watch;
	struct loop_post next_line; /* carries out the line that waits */
	uint64_t heard;		    /* when, in connections and requests */
	bool at_end;		    /* it will send no more */
	int passed_fd;		    /* came with its bytes and waits for a command; -1: none */
	size_t in_count, out_at, out_count;
	char in[LINE_BYTES + 1];
	char out[OUT_BYTES];
};

struct control {
	struct loop *loop;
	struct command_context context;
	int listen_fd;
	struct loop_watch *watch;
	uint64_t events;
	struct client *clients[CLIENTS_MAX];
};

/* --- clients */

static void client_free(struct client *client)
{
	struct control *control = client->control;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (control->clients[i] == client)
			control->clients[i] = NULL;
	}
	loop_post_cancel(control->loop, &client->next_line);
	loop_watch_free(client->watch);
	fd_close(client->fd);
	fd_close(client->passed_fd);
	free(client);
	loop_watch_set(control->watch, EPOLLIN);
}

static const char *line_end(const struct client *client)
{
	return memchr(client->in, '\n', client->in_count);
}

/* Sends what waits; false when the client has gone. */
static bool send_out(struct client *client)
{
	while (client->out_count) {
		struct iovec iov = { client->out + client->out_at, client->out_count };
		struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		client->out_at += (size_t)n;
		client->out_count -= (size_t)n;
	}
	client->out_at = 0;
	return true;
}

/* False when it does not fit, or the client has gone. */
static bool send_reply(struct client *client, json_object *reply)
{
	size_t size = 0;
	const char *text = json_object_to_json_string_length(
		reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);

	memmove(client->out, client->out + client->out_at, client->out_count);
	client->out_at = 0;
	if (!text || size + 1 > OUT_BYTES - client->out_count)
		return false;
	memcpy(client->out + client->out_count, text, size);
	client->out[client->out_count + size] = '\n';
	client->out_count += size + 1;
	return send_out(client);
}

/* Carries out the first line of the buffer; false: the client is to be dropped. */
static bool take_line(struct client *client)
{
	const size_t taken = (size_t)(line_end(client) + 1 - client->in);
	const char *line = client->in;
	size_t size = taken - 1;
	bool ok = true;

	while (size && strchr(" \t\r", line[size - 1]))
		size--;
	client->heard = ++client->control->events;
	if (size) {
		json_object *reply =
			command_answer(&client->control->context, line, size, &client->passed_fd);

		ok = send_reply(client, reply);
		json_object_put(reply);
	}
	client->in_count -= taken;
	memmove(client->in, client->in + taken, client->in_count);
	/* It may have come for a line that is still to be carried out, but for no later one. */
	if (!client->in_count) {
		fd_close(client->passed_fd);
		client->passed_fd = -1;
	}
	return ok;
}

/* What is next for the client: a line, more bytes, or its end. */
static void client_go_on(struct client *client)
{
	const bool line = line_end(client);
	uint32_t events = 0;

	if ((client->at_end && !line && !client->out_count) ||
	    (!line && client->in_count == sizeof(client->in))) {
		client_free(client);
		return;
	}
	if (line)
		loop_post(client->control->loop, &client->next_line);
	else if (!client->at_end)
		events |= EPOLLIN;
	if (client->out_count)
		events |= EPOLLOUT;
	loop_watch_set(client->watch, events);
}

static void next_line_posted(struct loop_post *post)
{
	struct client *client = container_of(post, struct client, next_line);

	if (line_end(client) && !take_line(client))
		client_free(client);
	else
		client_go_on(client);
}

/* Keeps the one descriptor that there is room for; a newer one takes its place. */
static void keep_descriptor(struct client *client, struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len < CMSG_LEN(sizeof(int)))
		return;
	fd_close(client->passed_fd);
	memcpy(&client->passed_fd, CMSG_DATA(header), sizeof(int));
}

/* False when the client has gone. */
static bool receive(struct client *client)
{
	struct iovec iov = { client->in + client->in_count, sizeof(client->in) - client->in_count };
	union {
		struct cmsghdr header;
		char room[CMSG_LEN(sizeof(int))];
	} ancillary;
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ancillary,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	keep_descriptor(client, &message);
	client->in_count += (size_t)n;
	client->at_end = n == 0;
	return true;
}

static void client_ready(void *opaque, uint32_t events)
{
	struct client *client = opaque;
	bool ok = send_out(client);

	if (ok && (events & EPOLLIN) && !line_end(client))
		ok = receive(client);
	/* It has hung up, and nothing is left to read: nobody takes a reply either. */
	if ((events & (EPOLLHUP | EPOLLERR)) && !(events & EPOLLIN))
		ok = false;
	if (ok && line_end(client))
		ok = take_line(client);
	if (ok)
		client_go_on(client);
	else
		client_free(client);
}

/* A free place, made by ending the client that has been silent longest if need be. */
static unsigned int make_place(struct control *control)
{
	unsigned int oldest = 0;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (!control->clients[i])
			return i;
		if (control->clients[i]->heard < control->clients[oldest]->heard)
			oldest = i;
	}
	client_free(control->clients[oldest]);
	return oldest;
}

static int client_new(struct control *control, int fd)
{
	const unsigned int place = make_place(control);
	struct client *client = malloc(sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	/* All but the buffers. */
	memset(client, 0, offsetof(struct client, in));
	client->control = control;
	client->fd = fd;
	client->passed_fd = -1;
	client->next_line.run = next_line_posted;
	client->heard = ++control->events;
	r = loop_watch_new(control->loop, fd, EPOLLIN, client_ready, client, &client->watch);
	if (r < 0) {
		free(client);
		return r;
	}
	control->clients[place] = client;
	return 0;
}

static void client_waits(void *opaque, uint32_t events)
{
	struct control *control = opaque;
	int fd, r;

	(void)events;
	fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		/* Asking again at once would not help: wait until a client goes. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warning("control clients cannot connect for now: %s", strerror(errno));
			loop_watch_set(control->watch, 0);
		}
		return;
	}
	r = client_new(control, fd);
	if (r < 0) {
		log_warning("a control client was turned away: %s", strerror(-r));
		close(fd);
	}
}

/* --- making and ending */

int control_new(struct loop *loop, struct machine *machine, int listen_fd,
		enum sandbox_level sandbox, struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	control->listen_fd = -1;
	r = command_context_init(&control->context, machine, sandbox);
	if (r < 0)
		goto failed;
	r = loop_watch_new(loop, listen_fd, EPOLLIN, client_waits, control, &control->watch);
	if (r < 0)
		goto failed;
	control->listen_fd = listen_fd;
	*ret_control = control;
	return 0;

failed:
	control_free(control);
	return r;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (control->clients[i])
			client_free(control->clients[i]);
	}
	loop_watch_free(control->watch);
	fd_close(control->listen_fd);
	command_context_fini(&control->context);
	free(control);
}
