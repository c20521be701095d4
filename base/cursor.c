// SPDX-License-Identifier: GPL-2.0-or-later
#include "cursor.h"

#include <string.h>

#include "bytes.h"

struct cursor cursor_reader(const void *data, size_t size)
{
	return (struct cursor){ .data = (uint8_t *)data, .size = size };
}

struct cursor cursor_writer(void *data, size_t size)
{
	return (struct cursor){ .data = data, .size = size };
}

void cursor_fail(struct cursor *c)
{
	c->failed = true;
}

/* The next @count bytes, or NULL after which the cursor is failed. */
static uint8_t *cursor_take(struct cursor *c, size_t count)
{
	uint8_t *p;

	if (c->failed || count > c->size - c->pos) {
		c->failed = true;
		return NULL;
	}
	p = c->data + c->pos;
	c->pos += count;
	return p;
}

void cursor_seek(struct cursor *c, size_t pos)
{
	if (pos > c->size)
		c->failed = true;
	else
		c->pos = pos;
}

void cursor_skip(struct cursor *c, size_t count)
{
	(void)cursor_take(c, count);
}

uint8_t cursor_get_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

void cursor_put_u8(struct cursor *c, uint8_t v)
{
	uint8_t *p = cursor_take(c, 1);

	if (p)
		*p = v;
}

#define CURSOR_ACCESSOR(order, bits)                                                               \
	uint##bits##_t cursor_get_##order##bits(struct cursor *c)                                  \
	{                                                                                          \
		const uint8_t *p = cursor_take(c, bits / 8);                                       \
		return p ? get_##order##bits(p) : 0;                                               \
	}                                                                                          \
	void cursor_put_##order##bits(struct cursor *c, uint##bits##_t v)                          \
	{                                                                                          \
		uint8_t *p = cursor_take(c, bits / 8);                                             \
		if (p)                                                                             \
			put_##order##bits(p, v);                                                   \
	}

CURSOR_ACCESSOR(be, 16)
CURSOR_ACCESSOR(be, 32)
CURSOR_ACCESSOR(be, 64)
CURSOR_ACCESSOR(le, 16)
CURSOR_ACCESSOR(le, 32)
CURSOR_ACCESSOR(le, 64)

void cursor_get_bytes(struct cursor *c, void *ret_bytes, size_t count)
{
	const uint8_t *p = cursor_take(c, count);

	if (p)
		memcpy(ret_bytes, p, count);
	else
		memset(ret_bytes, 0, count);
}

void cursor_put_bytes(struct cursor *c, const void *bytes, size_t count)
{
	uint8_t *p = cursor_take(c, count);

	if (p)
		memcpy(p, bytes, count);
}

void cursor_put_zeros(struct cursor *c, size_t count)
{
	uint8_t *p = cursor_take(c, count);

	if (p)
		memset(p, 0, count);
}
