// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Towards the host: the device's bytes go into a ring, from whatever thread runs the device, and a
 * post lets the loop thread write them. It lets go of the machine lock meanwhile, since a file may
 * make it wait: the bytes being written stay in the ring, and only the loop thread takes any out. A
 * peer that takes no more is watched for EPOLLOUT; files cannot be watched, and take everything.
 *
 * Towards the device: the descriptor is read, up to a small buffer, only while that is empty. The
 * device gets from it what it has room for; when it says that it has room again, a post feeds it
 * from the loop, never from inside the device's own code.
 *
 * What a serial port does to its cable (chario_line) is noted and carried to the host by a post: a
 * terminal line gets speed and modem lines, and is asked for those that come in while the guest has
 * the port open. A door (config.h) is knocked at when DTR rises, and what the starter then connects
 * is let go when DTR falls.
 *
 * A connected descriptor is not made non-blocking when it is a socket (MSG_DONTWAIT serves);
 * others, which may be a terminal that somebody else uses too, are given back as they were.
 */
#include "chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "chardev_tty.h"
#include "loop.h"

#define OUT_BYTES 16384u /* a power of two */
#define IN_BYTES 1024u
#define LINES_POLL_MS 20

struct chardev {
	struct chario chario;
	struct loop *loop;
	enum vm_char_kind kind;
	char name[256];
	int listen_fd; /* VM_CHAR_LISTEN */
	int fd;	       /* -1: nobody is connected */
	bool is_socket;
	int restore_flags;			 /* file status flags to give back; -1: unchanged */
	struct loop_watch *listen_watch, *watch; /* watch is NULL for what epoll cannot watch */
	bool at_end;				 /* nothing more will be read */
	bool parting;				 /* a client that goes when it has been told all */
	bool blocked;				 /* the peer takes nothing for now */
	bool device_waits;			 /* a write was cut short: tx_ready() is due */
	bool error_logged;
	struct loop_post flush_post, feed_post, line_post;
	struct chario_line line, line_done; /* as the device wants it, as it is */
	bool line_known;		    /* line_done is */
	struct loop_timer *line_timer;	    /* VM_CHAR_TTY */
	uint8_t modem_lines;
	int door_fd; /* VM_CHAR_DOOR */
	struct loop_watch *door_watch;
	uint32_t out_head, out_tail; /* free-running; head: next byte from the device */
	uint8_t out[OUT_BYTES];
	uint32_t in_at, in_count; /* unread bytes */
	uint8_t in[IN_BYTES];
};

static struct chardev *from_chario(struct chario *chario)
{
	return container_of(chario, struct chardev, chario);
}

static uint32_t out_count(const struct chardev *c)
{
	return c->out_head - c->out_tail;
}

/* What the watch should wake us for, from what there is to do. */
static void update_watch(struct chardev *c)
{
	uint32_t events = 0;

	if (!c->watch)
		return;
	if (!c->at_end && !c->in_count && c->chario.dev)
		events |= EPOLLIN;
	if (c->blocked && out_count(c))
		events |= EPOLLOUT;
	loop_watch_set(c->watch, events);
}

static void tell_room(struct chardev *c)
{
	if (!c->device_waits || out_count(c) == OUT_BYTES)
		return;
	c->device_waits = false;
	if (c->chario.dev && c->chario.dev_ops->tx_ready)
		c->chario.dev_ops->tx_ready(c->chario.dev);
}

static void tell_connected(struct chardev *c)
{
	if (c->chario.dev && c->chario.dev_ops->connected)
		c->chario.dev_ops->connected(c->chario.dev, c->fd >= 0);
}

static void restore_and_close(struct chardev *c)
{
	if (c->restore_flags >= 0)
		(void)fcntl(c->fd, F_SETFL, c->restore_flags);
	c->restore_flags = -1;
	c->fd = fd_close(c->fd);
}

static void disconnect(struct chardev *c)
{
	loop_watch_free(c->watch);
	c->watch = NULL;
	restore_and_close(c);
	c->blocked = c->parting = false;
	c->in_count = 0;
	c->out_tail = c->out_head;
	tell_connected(c);
	tell_room(c);
	/* The next client may come. */
	if (c->listen_watch)
		loop_watch_set(c->listen_watch, EPOLLIN);
}

/* --- towards the host */

/* One write of what is in the ring: bytes written, or -errno. Without the lock. */
static ssize_t write_some(const struct chardev *c, uint32_t tail, uint32_t count)
{
	const uint32_t at = tail % OUT_BYTES;
	const uint32_t first = (uint32_t)min_u64(count, OUT_BYTES - at);
	struct iovec iov[2] = {
		{ (void *)(c->out + at), first },
		{ (void *)c->out, count - first },
	};
	const struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (c->is_socket)
		n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		n = write(c->fd, iov[0].iov_base, iov[0].iov_len);
	return n < 0 ? -errno : n;
}

/* A peer that has gone is a cable pulled out; a file that fails is somebody's disk. */
static void write_failed(struct chardev *c, int error)
{
	if (c->kind == VM_CHAR_WRITE && !c->error_logged) {
		log_error("%s: %s; what the guest writes there is lost", c->name, strerror(-error));
		c->error_logged = true;
	}
	if (c->kind == VM_CHAR_WRITE && error != -EPIPE)
		c->out_tail = c->out_head;
	else
		disconnect(c);
}

/*
 * Writes what the peer takes. With the lock, which is open in between; what the device adds
 * meanwhile waits for the next time, so that a talkative guest does not keep the loop here.
 */
static void flush(struct chardev *c)
{
	uint32_t left = out_count(c);

	while (c->fd >= 0 && left) {
		const uint32_t tail = c->out_tail;
		ssize_t n;

		loop_unlock(c->loop);
		n = write_some(c, tail, left);
		loop_lock(c->loop);
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			c->blocked = true;
			break;
		}
		if (n < 0) {
			write_failed(c, (int)n);
			break;
		}
		c->out_tail += (uint32_t)n;
		left -= (uint32_t)n;
	}
	tell_room(c);
	if (c->parting && !out_count(c)) {
		disconnect(c);
		return;
	}
	if (out_count(c) && !c->blocked)
		loop_post(c->loop, &c->flush_post);
	update_watch(c);
}

static void flush_posted(struct loop_post *post)
{
	struct chardev *c = container_of(post, struct chardev, flush_post);

	if (!c->blocked)
		flush(c);
}

static size_t chardev_write(struct chario *chario, const uint8_t *bytes, size_t count)
{
	struct chardev *c = from_chario(chario);
	const size_t n = min_u64(count, OUT_BYTES - out_count(c));
	const size_t at = c->out_head % OUT_BYTES;
	const size_t first = min_u64(n, OUT_BYTES - at);

	if (c->fd < 0)
		return count;
	memcpy(c->out + at, bytes, first);
	memcpy(c->out, bytes + first, n - first);
	c->out_head += (uint32_t)n;
	c->device_waits = n < count;
	if (n && !c->blocked)
		loop_post(c->loop, &c->flush_post);
	return n;
}

/* --- towards the device */

static void feed(struct chardev *c)
{
	while (c->chario.dev && c->in_count) {
		const size_t room = c->chario.dev_ops->room(c->chario.dev);
		const uint32_t n = (uint32_t)min_u64(room, c->in_count);
		const uint8_t *bytes = c->in + c->in_at;

		if (!n)
			break;
		c->in_at += n;
		c->in_count -= n;
		c->chario.dev_ops->receive(c->chario.dev, bytes, n);
	}
	update_watch(c);
}

static void feed_posted(struct loop_post *post)
{
	feed(container_of(post, struct chardev, feed_post));
}

static void chardev_rx_ready(struct chario *chario)
{
	struct chardev *c = from_chario(chario);

	if (c->in_count)
		loop_post(c->loop, &c->feed_post);
	else
		update_watch(c);
}

static bool chardev_is_connected(struct chario *chario)
{
	return from_chario(chario)->fd >= 0;
}

static void chardev_set_line(struct chario *chario, const struct chario_line *line)
{
	struct chardev *c = from_chario(chario);

	c->line = *line;
	loop_post(c->loop, &c->line_post);
}

static uint8_t chardev_modem_lines(struct chario *chario)
{
	return from_chario(chario)->modem_lines;
}

static const struct chario_ops chardev_ops = {
	.write = chardev_write,
	.rx_ready = chardev_rx_ready,
	.is_connected = chardev_is_connected,
};

static const struct chario_ops door_ops = {
	.write = chardev_write,
	.rx_ready = chardev_rx_ready,
	.is_connected = chardev_is_connected,
	.set_line = chardev_set_line,
};

static const struct chario_ops tty_ops = {
	.write = chardev_write,
	.rx_ready = chardev_rx_ready,
	.is_connected = chardev_is_connected,
	.set_line = chardev_set_line,
	.modem_lines = chardev_modem_lines,
};

static ssize_t read_some(struct chardev *c)
{
	struct iovec iov = { c->in, sizeof(c->in) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	/* No room for descriptors: the kernel drops any that a peer sends along. */
	n = c->is_socket ? recvmsg(c->fd, &message, MSG_DONTWAIT)
			 : read(c->fd, c->in, sizeof(c->in));
	return n < 0 ? -errno : n;
}

static void peer_readable(struct chardev *c)
{
	ssize_t n;

	if (c->at_end || c->in_count || !c->chario.dev) {
		update_watch(c);
		return;
	}
	n = read_some(c);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n > 0) {
		c->in_at = 0;
		c->in_count = (uint32_t)n;
		feed(c);
		return;
	}
	/* The end of what a terminal or a pipe has to say; output may go on. A client leaves. */
	c->at_end = true;
	c->parting =
		c->kind == VM_CHAR_LISTEN || c->kind == VM_CHAR_CLIENT || c->kind == VM_CHAR_DOOR;
	if (n < 0 || (c->parting && !out_count(c)))
		disconnect(c);
	else
		update_watch(c);
}

static void peer_ready(void *opaque, uint32_t events)
{
	struct chardev *c = opaque;

	if ((events & EPOLLOUT) && c->blocked) {
		c->blocked = false;
		flush(c);
	}
	if (c->fd >= 0 && (events & EPOLLIN))
		peer_readable(c);
	/* What it said before it went comes first. */
	if (c->fd >= 0 && (events & (EPOLLHUP | EPOLLERR)) && (c->at_end || !(events & EPOLLIN)))
		disconnect(c);
}

/* --- making and ending */

/* Whoever is at @fd is at the other end of the cable from now on. */
static void attach_client(struct chardev *c, int fd)
{
	int r = loop_watch_new(c->loop, fd, EPOLLIN, peer_ready, c, &c->watch);

	if (r < 0) {
		log_warning("%s: a client was turned away: %s", c->name, strerror(-r));
		close(fd);
		return;
	}
	c->fd = fd;
	c->is_socket = true;
	c->at_end = false;
	if (c->listen_watch)
		loop_watch_set(c->listen_watch, 0);
	update_watch(c);
	tell_connected(c);
}

static void client_waits(void *opaque, uint32_t events)
{
	struct chardev *c = opaque;
	int fd;

	(void)events;
	fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			log_error("%s: no client can connect any more: %s", c->name,
				  strerror(errno));
			loop_watch_set(c->listen_watch, 0);
		}
		return;
	}
	attach_client(c, fd);
}

/* --- lines and doors */

static void lines_polled(void *opaque)
{
	struct chardev *c = opaque;
	uint8_t lines = c->fd >= 0 ? chardev_tty_lines(c->fd) : 0;

	if (lines == c->modem_lines)
		return;
	c->modem_lines = lines;
	tell_connected(c);
}

/* DTR rose: asks the starter to connect. */
static void knock(struct chardev *c)
{
	struct iovec iov = { "o", 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	(void)sendmsg(c->door_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The starter has connected us, or could not: it has said why then. */
static void door_answers(void *opaque, uint32_t events)
{
	struct chardev *c = opaque;
	char byte;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} ancillary;
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &ancillary,
				  .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(c->door_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	int fd;

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		loop_watch_set(c->door_watch, 0);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	/* The guest may have closed the port meanwhile. */
	if (c->fd >= 0 || !c->line.dtr)
		close(fd);
	else
		attach_client(c, fd);
}

static void line_posted(struct loop_post *post)
{
	struct chardev *c = container_of(post, struct chardev, line_post);
	bool was_open = c->line_known && c->line_done.dtr;

	if (c->kind == VM_CHAR_TTY) {
		if (c->fd >= 0)
			chardev_tty_set(c->fd, c->line_known ? &c->line_done : NULL, &c->line);
		loop_timer_set(c->line_timer, c->line.dtr || c->line.rts);
		lines_polled(c);
	} else if (c->line.dtr && !was_open) {
		knock(c);
	} else if (!c->line.dtr && was_open && c->fd >= 0) {
		disconnect(c);
	}
	c->line_done = c->line;
	c->line_known = true;
}

/* Makes a descriptor of the starter fit for us. 0 or -errno. */
static int prepare(struct chardev *c)
{
	struct stat st;
	int flags;

	if (fstat(c->fd, &st) < 0)
		return -errno;
	c->is_socket = S_ISSOCK(st.st_mode);
	if (c->is_socket || S_ISREG(st.st_mode))
		return 0;
	flags = fcntl(c->fd, F_GETFL);
	if (flags < 0)
		return -errno;
	if (flags & O_NONBLOCK)
		return 0;
	if (fcntl(c->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	c->restore_flags = flags;
	return 0;
}

static int open_peer(struct chardev *c)
{
	int r;

	if (c->kind == VM_CHAR_DOOR)
		return loop_watch_new(c->loop, c->door_fd, EPOLLIN, door_answers, c,
				      &c->door_watch);

	if (c->kind == VM_CHAR_LISTEN)
		return loop_watch_new(c->loop, c->listen_fd, EPOLLIN, client_waits, c,
				      &c->listen_watch);
	r = prepare(c);
	if (r == 0 && c->kind == VM_CHAR_TTY)
		r = loop_timer_new(c->loop, LINES_POLL_MS * 1000, lines_polled, c, &c->line_timer);
	if (r < 0)
		return r;
	c->at_end = c->kind == VM_CHAR_WRITE;
	/* Without a device yet; what cannot be watched (a file, /dev/null) is only written. */
	r = loop_watch_new(c->loop, c->fd, c->at_end ? 0 : EPOLLIN, peer_ready, c, &c->watch);
	if (r == -EPERM) {
		c->at_end = true;
		return 0;
	}
	return r;
}

int chardev_new(struct loop *loop, const struct vm_char *config, struct chario **ret_chario)
{
	struct chardev *c;
	int r;

	if (config->kind == VM_CHAR_NONE) {
		*ret_chario = NULL;
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->chario.ops = config->kind == VM_CHAR_TTY    ? &tty_ops
			: config->kind == VM_CHAR_DOOR ? &door_ops
						       : &chardev_ops;
	c->loop = loop;
	c->kind = config->kind;
	memcpy(c->name, config->name, sizeof(c->name));
	c->name[sizeof(c->name) - 1] = '\0';
	c->fd = c->listen_fd = c->door_fd = c->restore_flags = -1;
	c->line_post.run = line_posted;
	c->flush_post.run = flush_posted;
	c->feed_post.run = feed_posted;
	if (c->kind == VM_CHAR_LISTEN)
		c->listen_fd = config->fd;
	else if (c->kind == VM_CHAR_DOOR)
		c->door_fd = config->fd;
	else
		c->fd = config->fd;
	r = open_peer(c);
	if (r < 0) {
		/* The caller keeps the descriptor. */
		if (c->restore_flags >= 0)
			(void)fcntl(c->fd, F_SETFL, c->restore_flags);
		loop_timer_free(c->line_timer);
		free(c);
		return r;
	}
	*ret_chario = &c->chario;
	return 0;
}

void chardev_free(struct chario *chario)
{
	struct chardev *c;

	if (!chario)
		return;
	c = from_chario(chario);
	c->chario.dev = NULL;
	while (c->fd >= 0 && out_count(c)) {
		ssize_t n = write_some(c, c->out_tail, out_count(c));

		if (n <= 0 && n != -EINTR)
			break;
		c->out_tail += n > 0 ? (uint32_t)n : 0;
	}
	loop_post_cancel(c->loop, &c->flush_post);
	loop_post_cancel(c->loop, &c->feed_post);
	loop_post_cancel(c->loop, &c->line_post);
	loop_timer_free(c->line_timer);
	loop_watch_free(c->door_watch);
	loop_watch_free(c->watch);
	loop_watch_free(c->listen_watch);
	restore_and_close(c);
	fd_close(c->listen_fd);
	fd_close(c->door_fd);
	free(c);
}
