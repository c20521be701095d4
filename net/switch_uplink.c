// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ports that lead out: a descriptor that somebody else opened. A tap device takes and gives one frame with
 * each call; a stream has the frame's length, four bytes big-endian, before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "../base/fdio.h"
#include "frame.h"
#include "switch.h"

#define LENGTH_BYTES 4u
/* As large as what passt collects before it writes. */
#define STREAM_BYTES 131072u

struct uplink {
	struct nport port;
	/* Stream only: what was read and not used yet, what could not be written yet. */
	size_t in_count, in_used, out_count, out_done;
	uint8_t *in;
	uint8_t out[LENGTH_BYTES + FRAME_MAX];
};

static struct uplink *uplink_of(struct nport *port)
{
	return container_of(port, struct uplink, port);
}

/* --- one call, one frame */

static bool frames_send(struct nport *port, const uint8_t *frame, size_t size)
{
	ssize_t n = write(port->watch.fd, frame, size);

	/* EIO: the interface is down, which is as good as an unplugged cable. */
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EIO && errno != ENETDOWN &&
	    errno != EMSGSIZE && errno != EINVAL)
		port->broken = true;
	return n == (ssize_t)size;
}

static bool frames_serve(struct switch_state *sw, struct nport *port, unsigned int budget)
{
	uint8_t frame[65536];

	for (unsigned int used = 0; used < budget;) {
		ssize_t n = read(port->watch.fd, frame, sizeof(frame));

		if (n < 0 && (errno == EAGAIN || errno == ENETDOWN || errno == EINTR))
			return false;
		if (n <= 0) {
			switch_break(sw, port);
			return false;
		}
		used += switch_forward(sw, port, frame, (size_t)n);
	}
	return true;
}

/* --- a stream */

/* Writes the rest of a frame that did not go in one piece. True: nothing is left. */
static bool finish_frame(struct uplink *uplink)
{
	while (uplink->out_done < uplink->out_count) {
		ssize_t n = send(uplink->port.watch.fd, uplink->out + uplink->out_done,
				 uplink->out_count - uplink->out_done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			uplink->port.broken |= errno != EAGAIN;
			return false;
		}
		uplink->out_done += (size_t)n;
	}
	return true;
}

static bool stream_send(struct nport *port, const uint8_t *frame, size_t size)
{
	struct uplink *uplink = uplink_of(port);

	if (!finish_frame(uplink))
		return false;
	/* passt drops packets that do not fill their frame, and so every short one of a real adapter. */
	size = frame_size_unpadded(frame, size);
	put_be32(uplink->out, (uint32_t)size);
	memcpy(uplink->out + LENGTH_BYTES, frame, size);
	uplink->out_count = LENGTH_BYTES + size;
	uplink->out_done = 0;
	/* Once a part is out, the rest must follow, but may follow later. */
	if (!finish_frame(uplink) && !uplink->out_done) {
		uplink->out_count = 0;
		return false;
	}
	return true;
}

/* Frames in what was read. False: the other side does not speak this. */
static bool cut_frames(struct switch_state *sw, struct uplink *uplink, unsigned int *budget)
{
	while (*budget) {
		size_t left = uplink->in_count - uplink->in_used;
		const uint8_t *p = uplink->in + uplink->in_used;
		uint32_t size;

		if (left < LENGTH_BYTES)
			return true;
		size = get_be32(p);
		if (size < FRAME_MIN || size > STREAM_BYTES - LENGTH_BYTES)
			return false;
		if (left - LENGTH_BYTES < size)
			return true;
		uplink->in_used += LENGTH_BYTES + size;
		*budget -= (unsigned int)min_u64(
			*budget, switch_forward(sw, &uplink->port, p + LENGTH_BYTES, size));
	}
	return true;
}

static bool stream_serve(struct switch_state *sw, struct nport *port, unsigned int budget)
{
	struct uplink *uplink = uplink_of(port);
	ssize_t n;

	finish_frame(uplink);
	if (!cut_frames(sw, uplink, &budget)) {
		switch_break(sw, port);
		return false;
	}
	if (!budget)
		return true;
	memmove(uplink->in, uplink->in + uplink->in_used, uplink->in_count - uplink->in_used);
	uplink->in_count -= uplink->in_used;
	uplink->in_used = 0;
	n = recv(port->watch.fd, uplink->in + uplink->in_count, STREAM_BYTES - uplink->in_count,
		 MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		switch_break(sw, port);
		return false;
	}
	uplink->in_count += (size_t)n;
	return true;
}

/* --- both */

static void uplink_flush(struct nport *port)
{
	(void)port;
}

static void uplink_close(struct nport *port)
{
	struct uplink *uplink = uplink_of(port);

	fd_close(port->watch.fd);
	free(uplink->in);
	free(uplink);
}

static const struct nport_ops frames_ops = {
	.kind = "interface",
	.send = frames_send,
	.flush = uplink_flush,
	.serve = frames_serve,
	.close = uplink_close,
};

static const struct nport_ops stream_ops = {
	.kind = "nat",
	.send = stream_send,
	.flush = uplink_flush,
	.serve = stream_serve,
	.close = uplink_close,
};

static void uplink_ready(struct switch_state *sw, struct watch *watch, uint32_t events)
{
	(void)events;
	switch_activate(sw, container_of(watch, struct nport, watch));
}

int uplink_port_new(int fd, enum uplink_kind kind, struct nport **ret_port)
{
	struct uplink *uplink;
	int flags = fcntl(fd, F_GETFL);

	if (kind == UPLINK_PACKET)
		return packet_port_new(fd, ret_port);
	uplink = calloc(1, sizeof(*uplink));
	if (uplink && kind == UPLINK_STREAM)
		uplink->in = malloc(STREAM_BYTES);
	if (!uplink || (kind == UPLINK_STREAM && !uplink->in) || flags < 0 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		free(uplink ? uplink->in : NULL);
		free(uplink);
		fd_close(fd);
		return flags < 0 ? -EBADF : -ENOMEM;
	}
	uplink->port.ops = kind == UPLINK_STREAM ? &stream_ops : &frames_ops;
	uplink->port.watch.fd = fd;
	uplink->port.watch.ready = uplink_ready;
	*ret_port = &uplink->port;
	return 0;
}
