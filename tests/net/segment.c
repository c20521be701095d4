// SPDX-License-Identifier: GPL-2.0-or-later
/* net/segment: what a packet socket shows, as frames; and headers that lie. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../net/frame.h"
#include "../../net/segment.h"

static struct {
	uint8_t bytes[64][FRAME_MAX];
	size_t size[64];
	unsigned int count;
} out;

static void keep(void *opaque, const uint8_t *frame, size_t size)
{
	(void)opaque;
	/* What is not cut may be larger, for others to refuse. */
	if (out.count == ARRAY_LEN(out.size) || size > FRAME_MAX)
		return;
	memcpy(out.bytes[out.count], frame, size);
	out.size[out.count++] = size;
}

struct shape {
	bool tagged, ipv6, udp;
};

/* The offset of the IP header. */
static size_t ip_of(const struct shape *shape)
{
	return shape->tagged ? 18 : 14;
}

static size_t transport_of(const struct shape *shape)
{
	return ip_of(shape) + (shape->ipv6 ? 40 : 20);
}

/* A large frame of @payload bytes; its size. */
static size_t make(const struct shape *shape, uint8_t *frame, size_t payload)
{
	uint8_t *ip = frame + ip_of(shape), *transport = frame + transport_of(shape);
	size_t headers = transport_of(shape) + (shape->udp ? 8 : 20);

	memset(frame, 0, headers);
	frame[0] = frame[6] = 2;
	frame[5] = 1;
	put_be16(frame + 12, 0x8100);
	put_be16(ip - 2, shape->ipv6 ? 0x86dd : 0x0800);
	ip[0] = shape->ipv6 ? 0x60 : 0x45;
	ip[shape->ipv6 ? 6 : 9] = shape->udp ? 17 : 6;
	if (!shape->ipv6)
		put_be16(ip + 4, 0xfffe);
	ip[shape->ipv6 ? 8 : 12] = 0xfd;
	ip[shape->ipv6 ? 39 : 19] = 7;
	put_be16(transport, 4711);
	put_be16(transport + 2, 80);
	if (!shape->udp) {
		put_be32(transport + 4, 0xfffffff0);
		transport[12] = 0x50;
		transport[13] = 0x99; /* CWR, ACK, PSH, FIN */
	}
	for (size_t i = 0; i < payload; i++)
		frame[headers + i] = (uint8_t)(i * 13 >> 3);
	return headers + payload;
}

/* Whether the sum over pseudo header and segment is right. */
static bool sum_is_right(const struct shape *shape, const uint8_t *frame, size_t size)
{
	size_t at = ip_of(shape) + (shape->ipv6 ? 8 : 12), end = size & ~(size_t)1;
	uint64_t sum = (shape->udp ? 17 : 6) + size - transport_of(shape);

	for (; at < transport_of(shape); at += 2)
		sum += get_be16(frame + at);
	for (; at < end; at += 2)
		sum += get_be16(frame + at);
	if (size & 1)
		sum += (uint64_t)frame[end] << 8;
	return sum % 65535 == 0;
}

static void check_frame(const struct shape *shape, unsigned int i, size_t at, size_t part,
			bool last)
{
	const uint8_t *frame = out.bytes[i], *ip = frame + ip_of(shape);
	const uint8_t *transport = frame + transport_of(shape);
	size_t headers = transport_of(shape) + (shape->udp ? 8 : 20);
	uint64_t sum = 0;

	cr_assert_eq(out.size[i], headers + part);
	cr_assert(sum_is_right(shape, frame, out.size[i]));
	for (size_t n = 0; n < part; n++)
		cr_assert_eq(frame[headers + n], (uint8_t)((at + n) * 13 >> 3));
	if (shape->ipv6) {
		cr_assert_eq(get_be16(ip + 4), headers + part - transport_of(shape));
	} else {
		cr_assert_eq(get_be16(ip + 2), headers + part - ip_of(shape));
		cr_assert_eq(get_be16(ip + 4), (uint16_t)(0xfffe + i));
		for (unsigned int n = 0; n < 20; n += 2)
			sum += get_be16(ip + n);
		cr_assert_eq(sum % 65535, 0);
	}
	if (shape->udp) {
		cr_assert_eq(get_be16(transport + 4), 8 + part);
		return;
	}
	cr_assert_eq(get_be32(transport + 4), (uint32_t)(0xfffffff0 + at));
	cr_assert_eq(transport[13], 0x10 | (last ? 0x09 : 0) | (i ? 0 : 0x80));
}

Test(segment, large_frames_are_cut)
{
	static uint8_t frame[65536];

	for (unsigned int kind = 0; kind < 8; kind++) {
		struct shape shape = { kind & 1, kind & 2, kind & 4 };
		struct virtio_net_hdr header = { .gso_size = 1400 };
		size_t size = make(&shape, frame, 10001), at = 0;

		header.gso_type = shape.udp    ? 5
				  : shape.ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN
					       : VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN;
		out.count = 0;
		cr_assert_eq(segment_frame(&header, frame, size, keep, NULL), 8);
		cr_assert_eq(out.count, 8);
		for (unsigned int i = 0; i < 8; i++, at += 1400)
			check_frame(&shape, i, at, i == 7 ? 201 : 1400, i == 7);
	}
}

Test(segment, sums_are_filled_in)
{
	const struct shape shape = { 0 };
	struct virtio_net_hdr header = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					 .csum_start = 34,
					 .csum_offset = 16 };
	uint8_t frame[200];
	size_t size = make(&shape, frame, 101);
	uint32_t sum = 6 + 20 + 101;

	for (unsigned int i = 26; i < 34; i += 2)
		sum += get_be16(frame + i);
	put_be16(frame + 50, (uint16_t)(sum % 65536 + sum / 65536));
	cr_assert_eq(segment_frame(&header, frame, size, keep, NULL), 1);
	cr_assert(sum_is_right(&shape, out.bytes[0], out.size[0]));
}

Test(segment, others_pass_as_they_are)
{
	struct virtio_net_hdr header = { 0 };
	uint8_t frame[60] = { 1, 2, 3 };

	cr_assert_eq(segment_frame(&header, frame, 60, keep, NULL), 1);
	cr_assert_eq(memcmp(out.bytes[0], frame, 60), 0);
}

Test(segment, headers_that_lie_are_refused)
{
	static uint8_t frame[65536];
	const struct shape shape = { 0 };
	size_t size = make(&shape, frame, 9000);
	const struct {
		struct virtio_net_hdr header;
		size_t size;
	} rows[] = {
		{ { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 }, size },
		{ { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1 }, size },
		{ { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 9000 }, size },
		{ { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1400 }, 53 },
		{ { .gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 1400 }, size },
		{ { .gso_type = 5, .gso_size = 1400 }, size },
		{ { .gso_type = 77, .gso_size = 1400 }, size },
		{ { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535 }, size },
		{ { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 60, .csum_offset = 9013 },
		  size },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		out.count = 0;
		cr_assert_lt(segment_frame(&rows[i].header, frame, rows[i].size, keep, NULL), 0,
			     "row %zu", i);
		cr_assert_eq(out.count, 0, "row %zu", i);
	}
}

/* Random bytes in frame and header: whatever comes out has a size that frames may have. */
Test(segment, random_headers_harm_nothing)
{
	uint64_t seed = 1;

	for (unsigned int i = 0; i < 20000; i++) {
		size_t size;
		struct shape shape = { i & 1, i & 2, i & 4 };
		struct virtio_net_hdr header;
		uint8_t *frame = malloc(4096), random[64];

		for (unsigned int n = 0; n < sizeof(random); n++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			random[n] = (uint8_t)(seed >> 56);
		}
		memcpy(&header, random, sizeof(header));
		header.gso_type = (uint8_t[]){ 0, 1, 4, 5, 0x81, 9 }[random[20] % 6];
		make(&shape, frame, 3000);
		for (unsigned int n = 24; n < 40; n += 2)
			frame[random[n] % 64] = random[n + 1];
		size = 14 + (random[50] | random[51] << 8) % 3000;
		/* As large as said, so that a sanitizer sees who reads beyond. */
		frame = realloc(frame, size);
		out.count = 0;
		segment_frame(&header, frame, size, keep, NULL);
		free(frame);
	}
}
