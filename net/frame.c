// SPDX-License-Identifier: GPL-2.0-or-later
#include "frame.h"

#include <string.h>

#include "../base/bytes.h"

#define TYPE_OFFSET 12u
#define TYPE_VLAN 0x8100u
#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define IPV4_LENGTH_OFFSET 2u /* all of it */
#define IPV6_LENGTH_OFFSET 4u /* what follows the header */
#define IPV6_HEADER_BYTES 40u
#define GROUP_BIT (UINT64_C(1) << 40)

frame_mac frame_mac_of(const uint8_t bytes[6])
{
	return (uint64_t)get_be16(bytes) << 32 | get_be32(bytes + 2);
}

bool frame_parse(const uint8_t *bytes, size_t size, struct frame *ret_frame)
{
	if (size < FRAME_MIN || size > FRAME_MAX)
		return false;
	ret_frame->to = frame_mac_of(bytes);
	ret_frame->from = frame_mac_of(bytes + 6);
	ret_frame->group = ret_frame->to & GROUP_BIT;
	ret_frame->tagged = get_be16(bytes + TYPE_OFFSET) == TYPE_VLAN;
	ret_frame->vlan = 0;
	if (ret_frame->from & GROUP_BIT)
		return false;
	if (!ret_frame->tagged)
		return true;
	if (size < FRAME_MIN + FRAME_VLAN_BYTES)
		return false;
	ret_frame->vlan = get_be16(bytes + FRAME_MIN) & 0xfff;
	return ret_frame->vlan <= FRAME_VLAN_MAX;
}

size_t frame_add_tag(const uint8_t *bytes, size_t size, uint16_t vlan, uint8_t *to)
{
	if (size + FRAME_VLAN_BYTES > FRAME_MAX)
		return 0;
	memcpy(to, bytes, TYPE_OFFSET);
	put_be16(to + TYPE_OFFSET, TYPE_VLAN);
	put_be16(to + FRAME_MIN, vlan);
	memcpy(to + TYPE_OFFSET + FRAME_VLAN_BYTES, bytes + TYPE_OFFSET, size - TYPE_OFFSET);
	return size + FRAME_VLAN_BYTES;
}

size_t frame_remove_tag(const uint8_t *bytes, size_t size, uint8_t *to)
{
	memcpy(to, bytes, TYPE_OFFSET);
	memcpy(to + TYPE_OFFSET, bytes + TYPE_OFFSET + FRAME_VLAN_BYTES,
	       size - TYPE_OFFSET - FRAME_VLAN_BYTES);
	return size - FRAME_VLAN_BYTES;
}

size_t frame_size_unpadded(const uint8_t *bytes, size_t size)
{
	uint16_t type = get_be16(bytes + TYPE_OFFSET);
	const uint8_t *ip = bytes + FRAME_MIN;
	size_t ip_size = size - FRAME_MIN, own = ip_size;

	if (type == TYPE_IPV4 && ip_size >= IPV4_LENGTH_OFFSET + 2)
		own = get_be16(ip + IPV4_LENGTH_OFFSET);
	else if (type == TYPE_IPV6 && ip_size >= IPV6_HEADER_BYTES)
		own = IPV6_HEADER_BYTES + get_be16(ip + IPV6_LENGTH_OFFSET);
	return own < ip_size ? FRAME_MIN + own : size;
}
