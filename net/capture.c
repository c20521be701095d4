// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures: frames as pcapng blocks into a pipe or socket that the asker reads and stores. A block is
 * written whole or not at all; an asker that does not read loses frames and holds nobody up.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "pcapng.h"
#include "switch.h"

int capture_start(struct network *network, struct control_client *client, const struct nport *port,
		  int fd)
{
	uint8_t head[PCAPNG_HEAD_MAX];
	size_t size = pcapng_head(port ? port->name : network->name, head);

	for (unsigned int i = 0; i < SWITCH_CAPTURES_MAX; i++) {
		struct capture *capture = &network->captures[i];

		if (capture->fd >= 0)
			continue;
		if (send(fd, head, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
			return -EIO;
		*capture = (struct capture){ .fd = fd, .client = client, .port = port };
		network->capture_count++;
		return 0;
	}
	return -ENOSPC;
}

static void close_capture(struct network *network, struct capture *capture)
{
	capture->fd = fd_close(capture->fd);
	network->capture_count--;
}

static void write_frame(struct network *network, struct capture *capture, const uint8_t *block,
			size_t size)
{
	ssize_t n = send(capture->fd, block, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == (ssize_t)size)
		capture->frames++;
	else if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
		capture->lost++;
	else
		close_capture(network, capture);
}

static bool goes_to(const struct vswitch_decision *decision, const struct nport *port)
{
	for (unsigned int i = 0; i < decision->count; i++) {
		if (decision->targets[i].port == &port->vport)
			return true;
	}
	return false;
}

void capture_frame(const struct switch_state *sw, struct network *network, const struct nport *from,
		   const struct vswitch_decision *decision, const uint8_t *frame, size_t size)
{
	uint8_t block[FRAME_MAX + PCAPNG_FRAME_OVERHEAD];

	for (unsigned int i = 0; i < SWITCH_CAPTURES_MAX; i++) {
		struct capture *capture = &network->captures[i];
		enum pcapng_direction direction = PCAPNG_UNKNOWN;

		if (capture->fd < 0)
			continue;
		if (capture->port == from)
			direction = PCAPNG_IN;
		else if (capture->port && goes_to(decision, capture->port))
			direction = PCAPNG_OUT;
		else if (capture->port)
			continue;
		write_frame(network, capture, block,
			    pcapng_frame(frame, size, sw->now_ns + sw->real_offset_ns, direction,
					 block));
	}
}

void capture_end(struct network *network, const struct control_client *client,
		 const struct nport *port)
{
	for (unsigned int i = 0; i < SWITCH_CAPTURES_MAX; i++) {
		struct capture *capture = &network->captures[i];

		if (capture->fd >= 0 &&
		    ((client && capture->client == client) || (port && capture->port == port)))
			close_capture(network, capture);
	}
}
