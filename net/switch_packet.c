// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet socket on an interface of the host. It shows what the host's card and stack have made of
 * frames: merged, without checksums, with the VLAN tag beside them. All of that is undone here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/fdio.h"
#include "segment.h"
#include "switch.h"

#define LARGEST 65550u
#define ADDRESSES_BYTES 12u

struct packet_port {
	struct nport port;
	/* The last that came. Room before it for a tag: the addresses move there. */
	uint8_t bytes[FRAME_VLAN_BYTES + LARGEST];
};

struct arrival {
	struct virtio_net_hdr header;
	bool tagged;
	uint16_t tag_type, tag;
	size_t size;
};

static bool packet_send(struct nport *port, const uint8_t *frame, size_t size)
{
	uint8_t bytes[sizeof(struct virtio_net_hdr) + FRAME_MAX] = { 0 };
	ssize_t n;

	memcpy(bytes + sizeof(struct virtio_net_hdr), frame, size);
	n = write(port->watch.fd, bytes, sizeof(struct virtio_net_hdr) + size);
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS && errno != ENETDOWN &&
	    errno != EMSGSIZE && errno != EINVAL)
		port->broken = true;
	return n == (ssize_t)(sizeof(struct virtio_net_hdr) + size);
}

static void read_tag(struct msghdr *message, struct arrival *arrival)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata aux;

	arrival->tagged = false;
	if (!cmsg || cmsg->cmsg_level != SOL_PACKET || cmsg->cmsg_type != PACKET_AUXDATA ||
	    cmsg->cmsg_len < CMSG_LEN(sizeof(aux)))
		return;
	memcpy(&aux, CMSG_DATA(cmsg), sizeof(aux));
	arrival->tagged = aux.tp_status & TP_STATUS_VLAN_VALID;
	arrival->tag = aux.tp_vlan_tci;
	arrival->tag_type = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : 0x8100;
}

/* 0 or -errno; -EMSGSIZE for what is larger than any frame, -ENOMSG for what is the host's own. */
static int receive(struct packet_port *packet, struct arrival *arrival)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec parts[2] = { { &arrival->header, sizeof(arrival->header) },
				  { packet->bytes + FRAME_VLAN_BYTES, LARGEST } };
	struct sockaddr_ll from = { 0 };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = parts,
				  .msg_iovlen = 2,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(packet->port.watch.fd, &message, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (message.msg_flags & MSG_TRUNC || n < (ssize_t)(sizeof(arrival->header) + FRAME_MIN))
		return -EMSGSIZE;
	if (from.sll_pkttype == PACKET_HOST)
		return -ENOMSG;
	read_tag(&message, arrival);
	arrival->size = (size_t)n - sizeof(arrival->header);
	return 0;
}

/* Puts the tag back to where it was on the wire. */
static uint8_t *whole_frame(struct packet_port *packet, struct arrival *arrival)
{
	uint8_t *frame = packet->bytes + FRAME_VLAN_BYTES;

	if (!arrival->tagged)
		return frame;
	memmove(packet->bytes, frame, ADDRESSES_BYTES);
	put_be16(packet->bytes + ADDRESSES_BYTES, arrival->tag_type);
	put_be16(packet->bytes + ADDRESSES_BYTES + 2, arrival->tag);
	arrival->size += FRAME_VLAN_BYTES;
	/* The place of the checksum counts from the frame's start. */
	arrival->header.csum_start = (uint16_t)(arrival->header.csum_start + FRAME_VLAN_BYTES);
	return packet->bytes;
}

struct forwarding {
	struct switch_state *sw;
	struct nport *port;
	unsigned int used; /* of the budget */
};

static void forward(void *opaque, const uint8_t *frame, size_t size)
{
	struct forwarding *f = opaque;

	f->used += switch_forward(f->sw, f->port, frame, size);
}

static bool packet_serve(struct switch_state *sw, struct nport *port, unsigned int budget)
{
	struct packet_port *packet = container_of(port, struct packet_port, port);
	struct forwarding forwarding = { sw, port, 0 };

	while (forwarding.used < budget) {
		struct arrival arrival;
		uint8_t *frame;
		int r = receive(packet, &arrival);

		if (r == -EAGAIN || r == -EINTR || r == -ENETDOWN)
			return false;
		if (r == -ENOMSG || r == -EMSGSIZE)
			forwarding.used++;
		if (r == -ENOMSG)
			continue;
		if (r == -EMSGSIZE) {
			port->vport.counters.drops[DROP_BAD]++;
			continue;
		}
		if (r < 0) {
			switch_break(sw, port);
			return false;
		}
		frame = whole_frame(packet, &arrival);
		if (segment_frame(&arrival.header, frame, arrival.size, forward, &forwarding) < 0) {
			port->vport.counters.drops[DROP_BAD]++;
			forwarding.used++;
		}
	}
	return true;
}

static void packet_flush(struct nport *port)
{
	(void)port;
}

static void packet_close(struct nport *port)
{
	fd_close(port->watch.fd);
	free(container_of(port, struct packet_port, port));
}

static const struct nport_ops packet_ops = {
	.kind = "interface",
	.send = packet_send,
	.flush = packet_flush,
	.serve = packet_serve,
	.close = packet_close,
};

static void packet_ready(struct switch_state *sw, struct watch *watch, uint32_t events)
{
	(void)events;
	switch_activate(sw, container_of(watch, struct nport, watch));
}

int packet_port_new(int fd, struct nport **ret_port)
{
	struct packet_port *packet = calloc(1, sizeof(*packet));
	int flags = fcntl(fd, F_GETFL);

	if (!packet || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		free(packet);
		fd_close(fd);
		return flags < 0 ? -EBADF : -ENOMEM;
	}
	packet->port.ops = &packet_ops;
	packet->port.watch.fd = fd;
	packet->port.watch.ready = packet_ready;
	*ret_port = &packet->port;
	return 0;
}
