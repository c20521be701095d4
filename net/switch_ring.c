// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports of machines: the switch's end of net/port.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "switch.h"

struct ring_port {
	struct nport port; /* its watch: the eventfd that the machine writes */
	struct port_memory *memory;
	struct port_consumer from;
	struct port_producer to;
	int kick_fd;
	uint32_t dropped;
};

static struct ring_port *ring_of(struct nport *port)
{
	return container_of(port, struct ring_port, port);
}

static void kick(const struct ring_port *ring)
{
	const uint64_t one = 1;

	/* Full counter: it is readable anyway. */
	if (write(ring->kick_fd, &one, sizeof(one)) < 0)
		return;
}

static bool ring_send(struct nport *port, const uint8_t *frame, size_t size)
{
	struct ring_port *ring = ring_of(port);
	int room = port_room(&ring->to);

	if (room > 0) {
		port_put(&ring->to, frame, size);
		return true;
	}
	/* The machine's controller counts them as missed. */
	__atomic_store_n(&ring->memory->to_machine.dropped, ++ring->dropped, __ATOMIC_RELAXED);
	if (room < 0)
		port->broken = true;
	return false;
}

static void ring_flush(struct nport *port)
{
	struct ring_port *ring = ring_of(port);

	if (port_publish(&ring->to))
		kick(ring);
}

static bool ring_serve(struct switch_state *sw, struct nport *port, unsigned int budget)
{
	struct ring_port *ring = ring_of(port);
	uint8_t copy[PORT_FRAME_MAX];
	unsigned int used = 0;
	int pending = 0;

	while (used < budget && (pending = port_pending(&ring->from)) > 0) {
		for (; pending && used < budget; pending--) {
			const uint8_t *frame;
			int size = port_peek(&ring->from, &frame);

			if (size < 0) {
				switch_break(sw, port);
				return false;
			}
			memcpy(copy, frame, (size_t)size);
			port_take(&ring->from);
			used += switch_forward(sw, port, copy, (size_t)size);
		}
		if (port_release(&ring->from))
			kick(ring);
	}
	if (pending < 0)
		switch_break(sw, port);
	if (pending)
		return pending > 0;
	return !port_sleep(&ring->from);
}

static void ring_close(struct nport *port)
{
	struct ring_port *ring = ring_of(port);

	if (ring->memory)
		munmap(ring->memory, sizeof(*ring->memory));
	fd_close(port->watch.fd);
	fd_close(ring->kick_fd);
	free(ring);
}

static const struct nport_ops ring_ops = {
	.kind = "machine",
	.send = ring_send,
	.flush = ring_flush,
	.serve = ring_serve,
	.close = ring_close,
};

static void ring_ready(struct switch_state *sw, struct watch *watch, uint32_t events)
{
	struct nport *port = container_of(watch, struct nport, watch);
	/* Edge-triggered: each kick is an event of its own, and nobody reads the counter. */
	(void)events;
	switch_activate(sw, port);
}

/* Memory that can neither shrink nor grow: a peer that cut it would end us with SIGBUS. */
static int make_memory(struct port_memory **ret_memory, int *ret_fd)
{
	int fd = memfd_create("mainstay-port", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *memory;
	int r;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(struct port_memory)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	memory = mmap(NULL, sizeof(struct port_memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_memory = memory;
	*ret_fd = fd;
	return 0;
}

int ring_port_new(struct nport **ret_port, int ret_fds[PORT_FDS])
{
	struct ring_port *ring = calloc(1, sizeof(*ring));
	int memory_fd = -1, r;

	if (!ring)
		return -ENOMEM;
	ring->port.ops = &ring_ops;
	ring->port.watch.ready = ring_ready;
	ring->port.epoll_flags = EPOLLET;
	ring->port.watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ring->port.watch.fd < 0 || ring->kick_fd < 0) {
		r = -errno;
		goto failed;
	}
	r = make_memory(&ring->memory, &memory_fd);
	if (r < 0)
		goto failed;
	ring->from.ring = &ring->memory->to_switch;
	ring->to.ring = &ring->memory->to_machine;
	port_sleep(&ring->from);
	ret_fds[PORT_FD_MEMORY] = memory_fd;
	ret_fds[PORT_FD_KICK_SWITCH] = fcntl(ring->port.watch.fd, F_DUPFD_CLOEXEC, 0);
	ret_fds[PORT_FD_KICK_MACHINE] = fcntl(ring->kick_fd, F_DUPFD_CLOEXEC, 0);
	if (ret_fds[PORT_FD_KICK_SWITCH] < 0 || ret_fds[PORT_FD_KICK_MACHINE] < 0) {
		r = -errno;
		for (unsigned int i = 0; i < PORT_FDS; i++)
			fd_close(ret_fds[i]);
		goto failed;
	}
	*ret_port = &ring->port;
	return 0;
failed:
	ring_close(&ring->port);
	return r;
}
