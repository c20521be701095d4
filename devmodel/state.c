// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "../base/bytes.h"

#define STATE_NAME_MAX 64

/* A field of a table, with the struct arrays unrolled. */
struct place {
	const struct state_field *row; /* one without a name: the end */
	const struct state_field *sub; /* of the row's table; NULL: the row is a field itself */
	uint32_t index;		       /* of the array's element */
};

/* An array without elements has no place. */
static void enter_row(struct place *at, const struct state_field *row)
{
	while (row->name && row->table && (!row->count || !row->table->name))
		row++;
	*at = (struct place){ row, row->name ? row->table : NULL, 0 };
}

static void next_place(struct place *at)
{
	if (!at->sub || (!(++at->sub)->name && ++at->index == at->row->count))
		enter_row(at, at->row + 1);
	else if (!at->sub->name)
		at->sub = at->row->table;
}

static const struct state_field *field_at(const struct place *at)
{
	return at->sub ? at->sub : at->row;
}

/* From the start of the device's struct. */
static uint32_t offset_at(const struct place *at)
{
	return at->row->offset + (at->sub ? at->index * at->row->stride + at->sub->offset : 0);
}

/* These are thousands for a machine, too many for printf(). */
static size_t name_at(const struct place *at, char ret_name[STATE_NAME_MAX])
{
	size_t length = strlen(at->row->name), more = at->sub ? strlen(at->sub->name) : 0;
	char digits[10];
	unsigned int count = 0;

	assert(length + 2 + sizeof(digits) + more < STATE_NAME_MAX);
	memcpy(ret_name, at->row->name, length);
	if (!at->sub)
		return length;
	ret_name[length++] = '.';
	for (uint32_t left = at->index; left || !count; left /= 10)
		digits[count++] = (char)('0' + left % 10);
	while (count)
		ret_name[length++] = digits[--count];
	ret_name[length++] = '.';
	memcpy(ret_name + length, at->sub->name, more);
	return length + more;
}

/* --- large arrays: what nobody has touched stays untouched, since every page that is written to costs */

#define BLOCK_BYTES 4096

static const uint8_t zeros[BLOCK_BYTES];

static void copy_changed(uint8_t *to, const uint8_t *from, size_t size)
{
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < BLOCK_BYTES ? size - at : BLOCK_BYTES;
		if (memcmp(to + at, from + at, n) != 0)
			memcpy(to + at, from + at, n);
	}
}

static void clear(uint8_t *to, size_t size)
{
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < BLOCK_BYTES ? size - at : BLOCK_BYTES;
		if (memcmp(to + at, zeros, n) != 0)
			memset(to + at, 0, n);
	}
}

/* Elements that a stream has of the field at @value. */
static uint32_t saved_count(const struct state_field *field, const uint8_t *value)
{
	size_t left = (size_t)field->size * field->count;

	if (!field->zeros_left_out)
		return field->count;
	while (left >= BLOCK_BYTES && !memcmp(value + left - BLOCK_BYTES, zeros, BLOCK_BYTES))
		left -= BLOCK_BYTES;
	while (left && !value[left - 1])
		left--;
	return (uint32_t)((left + field->size - 1) / field->size);
}

void state_save(const struct device *dev, struct cursor *to)
{
	struct place at;
	uint32_t count = 0;

	for (enter_row(&at, dev->class->fields); at.row->name; next_place(&at))
		count++;
	cursor_put_le32(to, count);
	for (enter_row(&at, dev->class->fields); at.row->name; next_place(&at)) {
		const struct state_field *field = field_at(&at);
		const uint8_t *value = (const uint8_t *)dev + offset_at(&at);
		uint32_t elements = saved_count(field, value);
		char name[STATE_NAME_MAX];
		size_t length = name_at(&at, name);

		cursor_put_u8(to, (uint8_t)length);
		cursor_put_bytes(to, name, length);
		cursor_put_u8(to, field->size);
		cursor_put_le32(to, elements);
		cursor_put_bytes(to, value, (size_t)field->size * elements);
	}
}

/* --- loading */

struct loader {
	const struct device_class *class;
	struct cursor *from;
	uint8_t *scratch;   /* a copy of the state */
	struct place place; /* of the field that was found last, and then of the next one */
	char *error;
	size_t error_size;
};

static bool is_named(const struct place *at, const char *name, size_t length)
{
	char here[STATE_NAME_MAX];

	return name_at(at, here) == length && !memcmp(here, name, length);
}

/* Most streams have all fields in their order: the next one is tried first. */
static bool find_field(struct loader *loader, const char *name, size_t length)
{
	struct place *at = &loader->place;

	if (at->row->name && is_named(at, name, length))
		return true;
	for (enter_row(at, loader->class->fields); at->row->name; next_place(at)) {
		if (is_named(at, name, length))
			return true;
	}
	return false;
}

/* The first @count elements of the field at the loader's place; the others are zeros. */
static int load_elements(struct loader *loader, const char *name, uint32_t count)
{
	const struct state_field *field = field_at(&loader->place);
	uint8_t *to = loader->scratch + offset_at(&loader->place) - loader->class->state_offset;

	cursor_get_bytes(loader->from, to, (size_t)field->size * count);
	clear(to + (size_t)field->size * count, (size_t)field->size * (field->count - count));
	if (!cursor_ok(loader->from)) {
		snprintf(loader->error, loader->error_size, "the state ends early in field %s",
			 name);
		return -EINVAL;
	}
	for (uint32_t i = 0; field->max && i < count; i++) {
		uint8_t bytes[8] = { 0 };

		memcpy(bytes, to + i * field->size, field->size);
		if (get_le64(bytes) > field->max) {
			snprintf(loader->error, loader->error_size, "field %s is out of range",
				 name);
			return -EINVAL;
		}
	}
	return 0;
}

static int load_field(struct loader *loader)
{
	char name[STATE_NAME_MAX] = "";
	uint8_t length = cursor_get_u8(loader->from), size;
	const struct state_field *field;
	uint32_t count;
	int r;

	if (length >= sizeof(name))
		cursor_fail(loader->from);
	else
		cursor_get_bytes(loader->from, name, length);
	size = cursor_get_u8(loader->from);
	count = cursor_get_le32(loader->from);
	if (!cursor_ok(loader->from)) {
		snprintf(loader->error, loader->error_size, "the state ends early");
		return -EINVAL;
	}
	if (!find_field(loader, name, length)) {
		snprintf(loader->error, loader->error_size, "field %s is not known", name);
		return -EINVAL;
	}
	field = field_at(&loader->place);
	if (size != field->size || count > field->count ||
	    (count < field->count && !field->zeros_left_out)) {
		snprintf(loader->error, loader->error_size, "field %s has another size", name);
		return -EINVAL;
	}
	r = load_elements(loader, name, count);
	next_place(&loader->place);
	return r;
}

int state_load(struct device *dev, struct cursor *from, char *error, size_t error_size)
{
	const struct device_class *class = dev->class;
	uint8_t *state = (uint8_t *)dev + class->state_offset;
	uint32_t count = cursor_get_le32(from);
	uint8_t *scratch = calloc(1, class->state_size);
	struct loader loader = { .class = class,
				 .from = from,
				 .scratch = scratch,
				 .error = error,
				 .error_size = error_size };
	int r = 0;

	if (!scratch)
		return -ENOMEM;
	copy_changed(scratch, state, class->state_size);
	enter_row(&loader.place, class->fields);
	if (!cursor_ok(from)) {
		snprintf(error, error_size, "the state ends early");
		r = -EINVAL;
	}
	for (uint32_t i = 0; i < count && r == 0; i++)
		r = load_field(&loader);
	if (r == 0 && class->check && !class->check(scratch)) {
		snprintf(error, error_size, "its fields contradict each other");
		r = -EINVAL;
	}
	if (r == 0)
		copy_changed(state, scratch, class->state_size);
	free(scratch);
	return r;
}

/* Bytes that this field covers for the first time; -1 when it lies outside or on another one. */
static long cover(const struct device_class *class, uint8_t *seen, const struct place *at)
{
	size_t size = (size_t)field_at(at)->size * field_at(at)->count;
	size_t start = offset_at(at) - class->state_offset;

	if (offset_at(at) < class->state_offset || start + size > class->state_size)
		return -1;
	for (size_t i = start; i < start + size; i++) {
		if (seen[i])
			return -1;
		seen[i] = 1;
	}
	return (long)size;
}

long state_coverage(const struct device_class *class)
{
	uint8_t *seen = calloc(1, class->state_size + 1);
	struct place at;
	long covered = 0;

	if (!seen)
		return -1;
	for (enter_row(&at, class->fields); at.row->name && covered >= 0; next_place(&at)) {
		long more = cover(class, seen, &at);

		covered = more < 0 ? -1 : covered + more;
	}
	free(seen);
	return covered;
}
