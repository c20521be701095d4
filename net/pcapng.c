// SPDX-License-Identifier: GPL-2.0-or-later
#include "pcapng.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_ENHANCED_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u
#define OPTION_END 0u
#define OPTION_IF_NAME 2u
#define OPTION_IF_TSRESOL 9u
#define OPTION_EPB_FLAGS 2u
#define NANOSECONDS 9u
#define SECTION_BYTES 28u

static uint8_t *put16(uint8_t *p, uint32_t value)
{
	put_le16(p, (uint16_t)value);
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	put_le32(p, value);
	return p + 4;
}

/* @size bytes and zeros up to the next dword. */
static uint8_t *put_padded(uint8_t *p, const void *bytes, size_t size)
{
	size_t whole = (size_t)round_up(size, 4);

	memset(p + size, 0, whole - size);
	memcpy(p, bytes, size);
	return p + whole;
}

/* Writes the total length, which stands behind the type and at the end. */
static size_t finish(uint8_t *block, uint8_t *end)
{
	uint32_t total = (uint32_t)(end - block) + 4;

	put_le32(block + 4, total);
	put_le32(end, total);
	return total;
}

size_t pcapng_head(const char *name, uint8_t *to)
{
	static const uint8_t resolution[1] = { NANOSECONDS };
	size_t length = min_u64(strlen(name), 128);
	uint8_t *p = to, *block;

	p = put32(p, BLOCK_SECTION);
	p = put32(p, SECTION_BYTES);
	p = put32(p, BYTE_ORDER_MAGIC);
	p = put16(p, 1);
	p = put16(p, 0);
	p = put32(p, UINT32_MAX); /* the section's length is not known */
	p = put32(p, UINT32_MAX);
	p = put32(p, SECTION_BYTES);
	block = p;
	p = put32(p, BLOCK_INTERFACE) + 4;
	p = put16(p, LINKTYPE_ETHERNET);
	p = put16(p, 0);
	p = put32(p, 0); /* frames are never cut */
	p = put16(p, OPTION_IF_NAME);
	p = put16(p, (uint32_t)length);
	p = put_padded(p, name, length);
	p = put16(p, OPTION_IF_TSRESOL);
	p = put16(p, sizeof(resolution));
	p = put_padded(p, resolution, sizeof(resolution));
	p = put32(p, OPTION_END);
	return (size_t)(block - to) + finish(block, p);
}

size_t pcapng_frame(const uint8_t *frame, size_t size, uint64_t time_ns,
		    enum pcapng_direction direction, uint8_t *to)
{
	uint8_t *p = put32(to, BLOCK_ENHANCED_PACKET) + 4;

	p = put32(p, 0);
	p = put32(p, (uint32_t)(time_ns >> 32));
	p = put32(p, (uint32_t)time_ns);
	p = put32(p, (uint32_t)size);
	p = put32(p, (uint32_t)size);
	p = put_padded(p, frame, size);
	p = put16(p, OPTION_EPB_FLAGS);
	p = put16(p, 4);
	p = put32(p, direction);
	p = put32(p, OPTION_END);
	return finish(to, p);
}
