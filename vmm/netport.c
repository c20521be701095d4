// SPDX-License-Identifier: GPL-2.0-or-later
#include "netport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/log.h"
#include "../net/port.h"
#include "loop.h"

/* Frames in one go, before timers, peers and vCPUs have their turn. */
#define FRAMES_PER_RUN 64
#define MESSAGE_MAX 32

struct netport {
	struct nic nic; /* first */
	struct loop *loop;
	char name[16];
	int plug_fd;
	struct loop_watch *plug_watch;
	/* The port that the cable is in; memory NULL: none. */
	struct port_memory *memory;
	struct port_producer to;
	struct port_consumer from;
	int kick_fd, wake_fd; /* the switch's eventfd, and ours */
	struct loop_watch *wake_watch;
	uint32_t dropped_seen;
	bool running;
	bool stalled; /* the device has no room */
	bool broken;  /* the switch breaks the rules: to be let go */
	struct loop_post receive_post, unplug_post;
	struct netport_stats stats;
};

static struct netport *of(struct nic *nic)
{
	return container_of(nic, struct netport, nic);
}

static void kick(struct netport *port)
{
	const uint64_t one = 1;

	port->stats.kicks++;
	/* A full counter is readable all the same. */
	if (write(port->kick_fd, &one, sizeof(one)) < 0)
		return;
}

/* The other side breaks the rules: only the loop thread can let go of it. */
static void give_up(struct netport *port)
{
	port->broken = true;
	loop_post(port->loop, &port->unplug_post);
}

/* --- towards the switch */

static bool can_send(struct nic *nic)
{
	struct netport *port = of(nic);
	int room;

	if (!port->memory)
		return true;
	if (port->broken)
		return false;
	room = port_room(&port->to);
	if (room < 0) {
		give_up(port);
		return false;
	}
	if (room > 0)
		return true;
	/* What was put so far must be seen, or the room never comes. */
	if (port_publish(&port->to))
		kick(port);
	return port_wait_for_room(&port->to);
}

static void send_frame(struct nic *nic, const uint8_t *frame, size_t size)
{
	struct netport *port = of(nic);

	if (!port->memory)
		return;
	port->stats.tx_frames++;
	port->stats.tx_bytes += size;
	port_put(&port->to, frame, size);
}

static void flush(struct nic *nic)
{
	struct netport *port = of(nic);

	if (port->memory && port_publish(&port->to))
		kick(port);
}

/* --- from the switch */

/* Up to FRAMES_PER_RUN frames to the device; false: some are left that it would take. */
static bool hand_over(struct netport *port)
{
	unsigned int count = 0;
	int pending = 0;

	while (count < FRAMES_PER_RUN && (pending = port_pending(&port->from)) > 0) {
		const uint8_t *frame;
		int size = port_peek(&port->from, &frame);

		if (size < 0) {
			pending = size;
			break;
		}
		if (!port->nic.dev_ops->receive(port->nic.dev, frame, (size_t)size)) {
			port->stalled = true;
			break;
		}
		port_take(&port->from);
		port->stats.rx_frames++;
		port->stats.rx_bytes += (uint64_t)size;
		count++;
	}
	if (count && port_release(&port->from))
		kick(port);
	if (pending < 0)
		give_up(port);
	return port->stalled || port->broken || pending <= 0;
}

static void count_missed(struct netport *port)
{
	uint32_t dropped = __atomic_load_n(&port->from.ring->dropped, __ATOMIC_RELAXED);

	if (dropped == port->dropped_seen)
		return;
	port->nic.dev_ops->missed(port->nic.dev, dropped - port->dropped_seen);
	port->dropped_seen = dropped;
}

static void receive_frames(struct netport *port)
{
	if (!port->memory || port->broken || !port->running || !port->nic.dev)
		return;
	port->stalled = false;
	count_missed(port);
	do {
		if (!hand_over(port)) {
			loop_post(port->loop, &port->receive_post);
			return;
		}
	} while (!port->stalled && !port->broken && !port_sleep(&port->from));
}

static void receive_posted(struct loop_post *post)
{
	receive_frames(container_of(post, struct netport, receive_post));
}

/* Not from here: the device may be in the middle of something. */
static void rx_ready(struct nic *nic)
{
	struct netport *port = of(nic);

	if (port->stalled)
		loop_post(port->loop, &port->receive_post);
}

static const struct nic_ops netport_ops = {
	.can_send = can_send,
	.send = send_frame,
	.flush = flush,
	.rx_ready = rx_ready,
};

/* The switch has frames for us, or room. */
static void woken(void *opaque, uint32_t events)
{
	struct netport *port = opaque;

	(void)events;
	receive_frames(port);
	if (port->running && port->nic.dev)
		port->nic.dev_ops->tx_ready(port->nic.dev);
}

void netports_set_running(struct nic *const nics[VM_NICS_MAX], bool running)
{
	for (unsigned int i = 0; i < VM_NICS_MAX && nics[i]; i++) {
		of(nics[i])->running = running;
		if (running)
			loop_post(of(nics[i])->loop, &of(nics[i])->receive_post);
	}
}

/* --- plugging */

static void tell_link(struct netport *port, bool up)
{
	if (port->nic.link_up == up)
		return;
	port->nic.link_up = up;
	if (port->nic.dev)
		port->nic.dev_ops->link_changed(port->nic.dev, up);
}

static void let_go(struct netport *port)
{
	loop_watch_free(port->wake_watch);
	port->wake_watch = NULL;
	if (port->memory)
		munmap(port->memory, sizeof(*port->memory));
	port->memory = NULL;
	port->kick_fd = fd_close(port->kick_fd);
	port->wake_fd = fd_close(port->wake_fd);
	port->stalled = port->broken = false;
}

static void unplug(struct netport *port)
{
	let_go(port);
	tell_link(port, false);
}

static void unplug_posted(struct loop_post *post)
{
	struct netport *port = container_of(post, struct netport, unplug_post);

	if (!port->memory)
		return;
	log_error("%s: the switch breaks the rules of their shared memory; unplugged", port->name);
	unplug(port);
}

/* Owns @fds in any case. */
static void plug(struct netport *port, const int fds[PORT_FDS])
{
	void *memory = mmap(NULL, sizeof(struct port_memory), PROT_READ | PROT_WRITE, MAP_SHARED,
			    fds[PORT_FD_MEMORY], 0);

	close(fds[PORT_FD_MEMORY]);
	/* A guest whose cable moves notices that: it asks for an address again. */
	unplug(port);
	port->kick_fd = fds[PORT_FD_KICK_SWITCH];
	port->wake_fd = fds[PORT_FD_KICK_MACHINE];
	if (memory == MAP_FAILED || loop_watch_new(port->loop, port->wake_fd, EPOLLIN | EPOLLET,
						   woken, port, &port->wake_watch) < 0) {
		log_error("%s: the switch's memory cannot be used: %s", port->name,
			  strerror(errno));
		if (memory != MAP_FAILED)
			munmap(memory, sizeof(struct port_memory));
		let_go(port);
		return;
	}
	port->memory = memory;
	port->to = (struct port_producer){ .ring = &port->memory->to_switch };
	port->from = (struct port_consumer){ .ring = &port->memory->to_machine };
	port->dropped_seen = 0;
	port->stats.plugs++;
	tell_link(port, true);
	receive_frames(port);
}

static void plug_message(void *opaque, uint32_t events)
{
	struct netport *port = opaque;
	char text[MESSAGE_MAX];
	int fds[PORT_FDS];
	unsigned int count = PORT_FDS;
	size_t size = 0;
	int r = fdpass_receive(port->plug_fd, text, sizeof(text), &size, fds, &count);

	(void)events;
	if (r == -EAGAIN || r == -EINTR)
		return;
	if (r < 0 || !size) {
		/* The starter is gone; the cable stays where it is. */
		loop_watch_free(port->plug_watch);
		port->plug_watch = NULL;
		return;
	}
	if (size == 4 && !memcmp(text, "plug", 4) && count == PORT_FDS) {
		plug(port, fds);
		return;
	}
	for (unsigned int i = 0; i < count; i++)
		fd_close(fds[i]);
	if (size == 6 && !memcmp(text, "unplug", 6))
		unplug(port);
}

/* --- life */

static void free_one(struct nic *nic)
{
	struct netport *port = of(nic);

	loop_post_cancel(port->loop, &port->receive_post);
	loop_post_cancel(port->loop, &port->unplug_post);
	let_go(port);
	loop_watch_free(port->plug_watch);
	fd_close(port->plug_fd);
	free(port);
}

static int new_one(struct loop *loop, const struct vm_nic *config, struct nic **ret_nic)
{
	struct netport *port = calloc(1, sizeof(*port));
	int r = -ENOMEM;

	if (!port) {
		close(config->plug_fd);
		return r;
	}
	port->nic.ops = &netport_ops;
	port->loop = loop;
	port->plug_fd = config->plug_fd;
	port->kick_fd = port->wake_fd = -1;
	port->receive_post.run = receive_posted;
	port->unplug_post.run = unplug_posted;
	memcpy(port->name, "net0", 5);
	port->name[3] = (char)('0' + config->slot);
	r = loop_watch_new(loop, port->plug_fd, EPOLLIN, plug_message, port, &port->plug_watch);
	if (r < 0) {
		free_one(&port->nic);
		return r;
	}
	/* What the starter has said before is so from the start: the guest sees no change. */
	plug_message(port, 0);
	*ret_nic = &port->nic;
	return 0;
}

int netports_new(struct loop *loop, const struct vm_config *config, struct nic *nics[VM_NICS_MAX])
{
	int r = 0;

	for (unsigned int i = 0; i < config->nic_count && r == 0; i++)
		r = new_one(loop, &config->nics[i], &nics[i]);
	return r;
}

void netports_free(struct nic *nics[VM_NICS_MAX])
{
	for (unsigned int i = 0; i < VM_NICS_MAX && nics[i]; i++)
		free_one(nics[i]);
}

void netport_get_stats(const struct nic *nic, struct netport_stats *ret_stats)
{
	*ret_stats = container_of((struct nic *)nic, struct netport, nic)->stats;
}
