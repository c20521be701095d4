// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: the switch's core. An input is a list of steps, each a byte that says which, a byte for a
 * port, a length and so many bytes: a frame from a port, what a machine leaves in its ring, or a control
 * message. Frames must not leave their network, nor their VLAN, nor be larger than they may.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/fdio.h"
#include "../../base/log.h"
#include "../../net/control.h"
#include "../../net/switch.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORTS 8 /* four for each of two networks */
#define NETWORKS 2
#define STEPS_MAX 64

static struct switch_state sw;
static struct nport *ports[PORTS];
static struct network *networks[NETWORKS];
/* Where the frame that is under way came in. */
static const struct network *source;
static const struct vswitch_port *from;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_mirror(const struct nport *port)
{
	for (const struct nport *other = port->network->ports; other; other = other->next) {
		if (other->vport.mirror == &port->vport)
			return true;
	}
	return false;
}

static bool sink_send(struct nport *port, const uint8_t *frame, size_t size)
{
	(void)frame;
	check(size >= FRAME_MIN && size <= FRAME_MAX);
	check(!source || port->network == source);
	/* From one access port to another only within a VLAN; a mirror sees all. */
	if (from && from->vlan_mode == VLAN_ACCESS && port->vport.vlan_mode == VLAN_ACCESS &&
	    !is_mirror(port))
		check(from->vlan == port->vport.vlan);
	return true;
}

static void sink_flush(struct nport *port)
{
	(void)port;
}

static bool sink_serve(struct switch_state *state, struct nport *port, unsigned int budget)
{
	(void)state;
	(void)port;
	(void)budget;
	return false;
}

static void sink_close(struct nport *port)
{
	for (unsigned int i = 0; i < PORTS; i++) {
		if (ports[i] == port)
			ports[i] = NULL;
	}
	fd_close(port->watch.fd);
	free(port);
}

static const struct nport_ops sink_ops = { "sink", sink_send, sink_flush, sink_serve, sink_close };

static void ignore(struct switch_state *state, struct watch *watch, uint32_t events)
{
	(void)state;
	(void)watch;
	(void)events;
}

static void add_sink(unsigned int i)
{
	char name[8];
	struct nport *port = calloc(1, sizeof(*port));

	check(port != NULL);
	port->ops = &sink_ops;
	port->watch = (struct watch){ socket(AF_UNIX, SOCK_DGRAM, 0), ignore };
	snprintf(name, sizeof(name), "p%u", i);
	check(port_plug(&sw, networks[i % NETWORKS], port, name, 0) == 0);
	ports[i] = port;
}

/* --- steps */

static void send_frame(unsigned int i, const uint8_t *bytes, size_t size)
{
	if (!ports[i] || ports[i]->removed)
		return;
	source = ports[i]->network;
	from = &ports[i]->vport;
	switch_forward(&sw, ports[i], bytes, size);
	source = NULL;
	from = NULL;
}

static void change_port(unsigned int i, const uint8_t *bytes, size_t size)
{
	struct vswitch_port *port;

	if (!ports[i] || size < 4)
		return;
	port = &ports[i]->vport;
	port->vlan_mode = bytes[0] % 3;
	port->vlan = get_le16(bytes + 1) % (FRAME_VLAN_MAX + 1);
	port->promiscuous = bytes[3] & 1;
	port->link_up = bytes[3] & 2;
	port->locked = bytes[3] & 4;
	port->rate_bytes_per_s = bytes[3] & 8 ? 1000 : 0;
	fdb_forget(&ports[i]->network->vswitch.fdb, &port->owner);
	vswitch_changed(&ports[i]->network->vswitch);
}

/* A machine's port whose memory holds what the input says, served and given up. */
static void serve_ring(unsigned int i, const uint8_t *bytes, size_t size)
{
	struct port_memory *memory;
	struct nport *port;
	int fds[PORT_FDS];

	if (ring_port_new(&port, fds) < 0)
		return;
	if (port_plug(&sw, networks[i % NETWORKS], port, "ring", EPOLLIN) < 0) {
		port->ops->close(port);
		port = NULL;
	}
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fds[PORT_FD_MEMORY], 0);
	check(memory != MAP_FAILED);
	memcpy((uint8_t *)&memory->to_switch, bytes, min_u64(size, 192));
	if (size > 192)
		memcpy((uint8_t *)memory->to_switch.slots, bytes + 192, size - 192);
	memcpy((uint8_t *)&memory->to_machine, bytes, min_u64(size, 128));
	if (port) {
		source = networks[i % NETWORKS];
		for (unsigned int round = 0; round < 20 && !port->removed; round++)
			port->ops->serve(&sw, port, 32);
		source = NULL;
		send_frame(i, bytes, size);
		port->ops->flush(port);
		port_remove(&sw, port);
	}
	munmap(memory, sizeof(*memory));
	for (unsigned int j = 0; j < PORT_FDS; j++)
		close(fds[j]);
}

static void control(const uint8_t *bytes, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct epoll_event event;

	check(getsockname(sw.listener.fd, (struct sockaddr *)&address, &length) == 0);
	if (connect(fd, (struct sockaddr *)&address, length) == 0) {
		control_accept(&sw, &sw.listener, EPOLLIN);
		if (send(fd, bytes, size, MSG_NOSIGNAL) >= 0 &&
		    epoll_wait(sw.epoll_fd, &event, 1, 0) == 1) {
			struct watch *watch = event.data.ptr;

			watch->ready(&sw, watch, EPOLLIN);
		}
	}
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz", LOG_LEVEL_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	/* An abstract name of the kernel's choice. */
	check(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 &&
	      listen(listener, 8) == 0 && switch_init(&sw, listener) == 0);
	check(network_new(&sw, "one", &networks[0]) == 0);
	check(network_new(&sw, "two", &networks[1]) == 0);
	for (unsigned int i = 0; i < PORTS; i++)
		add_sink(i);
	for (unsigned int step = 0; step < STEPS_MAX && size >= 4; step++) {
		size_t length = min_u64(get_le16(data + 2), size - 4);

		switch (data[0] % 4) {
		case 0:
			send_frame(data[1] % PORTS, data + 4, length);
			break;
		case 1:
			change_port(data[1] % PORTS, data + 4, length);
			break;
		case 2:
			serve_ring(data[1] % PORTS, data + 4, length);
			break;
		case 3:
			control(data + 4, length);
			break;
		}
		sw.now_ns += (uint64_t)data[1] << 24;
		data += 4 + length;
		size -= 4 + length;
	}
	switch_fini(&sw);
	close(listener);
	return 0;
}
