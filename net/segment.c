// SPDX-License-Identifier: GPL-2.0-or-later
/* Sources: RFC 791, 1071, 8200, 9293, 768; the virtio specification, section 5.1.6, on the header. */
#include "segment.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "frame.h"

#define TYPE_AT 12u
#define TYPE_VLAN 0x8100u
#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define IPV4_BYTES_MIN 20u
#define IPV6_BYTES 40u
#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u
#define TCP_BYTES_MIN 20u
#define UDP_BYTES 8u
#define TCP_CHECKSUM 16u
#define UDP_CHECKSUM 6u
#define TCP_FIN BIT(0)
#define TCP_PSH BIT(3)
#define TCP_CWR BIT(7)
#define GSO_UDP_L4 5 /* VIRTIO_NET_HDR_GSO_UDP_L4, which older headers lack */

/* Where things are in the large frame, and what is cut. */
struct plan {
	size_t ip, transport, payload; /* offsets */
	bool ipv6, tcp;
	size_t step; /* bytes of payload in each frame */
};

/* --- checksums */

static uint64_t sum_words(const uint8_t *bytes, size_t size)
{
	uint64_t sum = 0;

	for (; size > 1; bytes += 2, size -= 2)
		sum += get_be16(bytes);
	return size ? sum + ((uint64_t)*bytes << 8) : sum;
}

static uint16_t folded(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The field holds what is to be added: the sum of the pseudo header. */
static int fill_in(const struct virtio_net_hdr *header, uint8_t *frame, size_t size)
{
	size_t start = header->csum_start, at = start + header->csum_offset;

	if (start > size || at + 2 > size)
		return -EINVAL;
	put_be16(frame + at, folded(sum_words(frame + start, size - start)));
	return 0;
}

static void sum_transport(const struct plan *plan, uint8_t *frame, size_t size)
{
	uint8_t *field = frame + plan->transport + (plan->tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
	size_t addresses = plan->ipv6 ? 32 : 8;
	uint64_t sum = (plan->tcp ? PROTOCOL_TCP : PROTOCOL_UDP) + size - plan->transport;
	uint16_t checksum;

	put_be16(field, 0);
	sum += sum_words(frame + plan->ip + (plan->ipv6 ? 8 : 12), addresses);
	sum += sum_words(frame + plan->transport, size - plan->transport);
	checksum = folded(sum);
	put_be16(field, checksum || plan->tcp ? checksum : 0xffff);
}

/* --- what is in the frame */

static int find_ip(const uint8_t *frame, size_t size, struct plan *plan)
{
	uint16_t type;

	plan->ip = TYPE_AT + 2;
	if (size < plan->ip + IPV6_BYTES)
		return -EINVAL;
	type = get_be16(frame + TYPE_AT);
	if (type == TYPE_VLAN) {
		plan->ip += FRAME_VLAN_BYTES;
		type = get_be16(frame + TYPE_AT + FRAME_VLAN_BYTES);
	}
	plan->ipv6 = type == TYPE_IPV6;
	return type == TYPE_IPV4 || type == TYPE_IPV6 ? 0 : -EINVAL;
}

static int make_plan(const struct virtio_net_hdr *header, const uint8_t *frame, size_t size,
		     struct plan *plan)
{
	size_t ip_bytes = IPV6_BYTES, transport_bytes = UDP_BYTES;
	uint8_t protocol;

	if (find_ip(frame, size, plan) < 0)
		return -EINVAL;
	plan->tcp = (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != GSO_UDP_L4;
	if (!plan->ipv6)
		ip_bytes = (frame[plan->ip] & 15u) * 4;
	protocol = frame[plan->ip + (plan->ipv6 ? 6 : 9)];
	plan->transport = plan->ip + ip_bytes;
	if ((!plan->ipv6 && ip_bytes < IPV4_BYTES_MIN) ||
	    protocol != (plan->tcp ? PROTOCOL_TCP : PROTOCOL_UDP) ||
	    plan->transport + TCP_BYTES_MIN > size)
		return -EINVAL;
	if (plan->tcp)
		transport_bytes = (frame[plan->transport + 12] >> 4) * 4u;
	plan->payload = plan->transport + transport_bytes;
	plan->step = header->gso_size;
	if ((plan->tcp && transport_bytes < TCP_BYTES_MIN) || plan->payload > size || !plan->step ||
	    plan->payload + plan->step > FRAME_MAX ||
	    (size - plan->payload) / plan->step >= SEGMENTS_MAX)
		return -EINVAL;
	return 0;
}

/* --- cutting */

/* The headers of the frame of @size bytes that has the payload from @offset on. */
static void fix_headers(const struct plan *plan, uint8_t *frame, size_t size, size_t offset,
			unsigned int number, bool last)
{
	uint8_t *ip = frame + plan->ip, *transport = frame + plan->transport;

	if (plan->ipv6) {
		put_be16(ip + 4, (uint16_t)(size - plan->transport));
	} else {
		put_be16(ip + 2, (uint16_t)(size - plan->ip));
		put_be16(ip + 4, (uint16_t)(get_be16(ip + 4) + number));
		put_be16(ip + 10, 0);
		put_be16(ip + 10, folded(sum_words(ip, plan->transport - plan->ip)));
	}
	if (plan->tcp) {
		put_be32(transport + 4, (uint32_t)(get_be32(transport + 4) + offset));
		if (!last)
			transport[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		if (number)
			transport[13] &= (uint8_t)~TCP_CWR;
	} else {
		put_be16(transport + 4, (uint16_t)(size - plan->transport));
	}
	sum_transport(plan, frame, size);
}

static int cut(const struct plan *plan, const uint8_t *frame, size_t size, segment_emit *emit,
	       void *opaque)
{
	size_t total = size - plan->payload, offset = 0;
	unsigned int number = 0;
	uint8_t out[FRAME_MAX];

	do {
		size_t n = min_u64(plan->step, total - offset);

		memcpy(out, frame, plan->payload);
		memcpy(out + plan->payload, frame + plan->payload + offset, n);
		fix_headers(plan, out, plan->payload + n, offset, number++, offset + n == total);
		emit(opaque, out, plan->payload + n);
		offset += n;
	} while (offset < total);
	return (int)number;
}

int segment_frame(const struct virtio_net_hdr *header, uint8_t *frame, size_t size,
		  segment_emit *emit, void *opaque)
{
	struct plan plan;

	switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && fill_in(header, frame, size) < 0)
			return -EINVAL;
		emit(opaque, frame, size);
		return 1;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case GSO_UDP_L4:
		if (make_plan(header, frame, size, &plan) < 0)
			return -EINVAL;
		return cut(&plan, frame, size, emit, opaque);
	}
	return -EINVAL;
}
