/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded reader or writer over bytes that nobody can trust.
 *
 * The first access beyond the end makes the cursor failed, and it stays so: reads give zeros,
 * writes go nowhere. A caller decodes a whole structure and asks cursor_ok() once at the end.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	uint8_t *data;
	size_t size;
	size_t pos;
	bool failed;
};

/* A cursor that reads @size bytes at @data. Writing through it is a programming error. */
struct cursor cursor_reader(const void *data, size_t size);
/* A cursor that writes at most @size bytes to @data. */
struct cursor cursor_writer(void *data, size_t size);

static inline bool cursor_ok(const struct cursor *c)
{
	return !c->failed;
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->size - c->pos;
}

void cursor_fail(struct cursor *c);
/* Moves to absolute position @pos, at most the size. */
void cursor_seek(struct cursor *c, size_t pos);
void cursor_skip(struct cursor *c, size_t count);

uint8_t cursor_get_u8(struct cursor *c);
uint16_t cursor_get_be16(struct cursor *c);
uint32_t cursor_get_be32(struct cursor *c);
uint64_t cursor_get_be64(struct cursor *c);
uint16_t cursor_get_le16(struct cursor *c);
uint32_t cursor_get_le32(struct cursor *c);
uint64_t cursor_get_le64(struct cursor *c);
/* Copies @count bytes; zeros when failed. */
void cursor_get_bytes(struct cursor *c, void *ret_bytes, size_t count);

void cursor_put_u8(struct cursor *c, uint8_t v);
void cursor_put_be16(struct cursor *c, uint16_t v);
void cursor_put_be32(struct cursor *c, uint32_t v);
void cursor_put_be64(struct cursor *c, uint64_t v);
void cursor_put_le16(struct cursor *c, uint16_t v);
void cursor_put_le32(struct cursor *c, uint32_t v);
void cursor_put_le64(struct cursor *c, uint64_t v);
void cursor_put_bytes(struct cursor *c, const void *bytes, size_t count);
void cursor_put_zeros(struct cursor *c, size_t count);

#endif
