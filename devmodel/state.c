// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "../base/bytes.h"

#define STATE_NAME_MAX 64

/* One field of an instance, with the struct arrays unrolled. */
struct flat_field {
	char name[STATE_NAME_MAX];
	const struct state_field *field;
	uint32_t offset;
};

/* Calls @visit for every field; stops at the first that returns not 0, and returns that. */
static int visit_fields(const struct state_field *table,
			int (*visit)(const struct flat_field *flat, void *context), void *context)
{
	struct flat_field flat;
	int r = 0;

	for (; table->name && !r; table++) {
		if (!table->table) {
			snprintf(flat.name, sizeof(flat.name), "%s", table->name);
			flat.field = table;
			flat.offset = table->offset;
			r = visit(&flat, context);
			continue;
		}
		for (uint32_t i = 0; i < table->count && !r; i++) {
			for (const struct state_field *sub = table->table; sub->name && !r; sub++) {
				snprintf(flat.name, sizeof(flat.name), "%s.%u.%s", table->name, i,
					 sub->name);
				flat.field = sub;
				flat.offset = table->offset + i * table->stride + sub->offset;
				r = visit(&flat, context);
			}
		}
	}
	return r;
}

static int count_field(const struct flat_field *flat, void *context)
{
	(void)flat;
	++*(uint32_t *)context;
	return 0;
}

struct save_context {
	const struct device *dev;
	struct cursor *to;
};

static int save_field(const struct flat_field *flat, void *opaque)
{
	struct save_context *context = opaque;
	size_t length = strlen(flat->name);

	cursor_put_u8(context->to, (uint8_t)length);
	cursor_put_bytes(context->to, flat->name, length);
	cursor_put_u8(context->to, flat->field->size);
	cursor_put_le32(context->to, flat->field->count);
	cursor_put_bytes(context->to, (const char *)context->dev + flat->offset,
			 (size_t)flat->field->size * flat->field->count);
	return 0;
}

void state_save(const struct device *dev, struct cursor *to)
{
	struct save_context context = { dev, to };
	uint32_t count = 0;

	visit_fields(dev->class->fields, count_field, &count);
	cursor_put_le32(to, count);
	visit_fields(dev->class->fields, save_field, &context);
}

struct find_context {
	const char *name;
	struct flat_field *found;
};

static int match_field(const struct flat_field *flat, void *opaque)
{
	struct find_context *context = opaque;

	if (strcmp(flat->name, context->name))
		return 0;
	*context->found = *flat;
	return 1;
}

/* Decodes one field into @scratch, a copy of the state. */
static int load_field(const struct device_class *class, struct cursor *from, uint8_t *scratch,
		      char *error, size_t error_size)
{
	char name[STATE_NAME_MAX] = "";
	struct flat_field flat;
	struct find_context find = { name, &flat };
	uint8_t length = cursor_get_u8(from), size;
	uint32_t count;

	if (length >= sizeof(name))
		cursor_fail(from);
	else
		cursor_get_bytes(from, name, length);
	size = cursor_get_u8(from);
	count = cursor_get_le32(from);
	if (!cursor_ok(from)) {
		snprintf(error, error_size, "the state ends early");
		return -EINVAL;
	}
	if (!visit_fields(class->fields, match_field, &find)) {
		snprintf(error, error_size, "field %s is not known", name);
		return -EINVAL;
	}
	if (size != flat.field->size || count != flat.field->count) {
		snprintf(error, error_size, "field %s has another size", name);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint8_t bytes[8] = { 0 };

		cursor_get_bytes(from, bytes, size);
		if (flat.field->max && get_le64(bytes) > flat.field->max) {
			snprintf(error, error_size, "field %s is out of range", name);
			return -EINVAL;
		}
		memcpy(scratch + flat.offset - class->state_offset + i * size, bytes, size);
	}
	if (!cursor_ok(from)) {
		snprintf(error, error_size, "the state ends early in field %s", name);
		return -EINVAL;
	}
	return 0;
}

int state_load(struct device *dev, struct cursor *from, char *error, size_t error_size)
{
	const struct device_class *class = dev->class;
	uint8_t *state = (uint8_t *)dev + class->state_offset;
	uint32_t count = cursor_get_le32(from);
	uint8_t *scratch = malloc(class->state_size);
	int r = 0;

	if (!scratch)
		return -ENOMEM;
	memcpy(scratch, state, class->state_size);
	if (!cursor_ok(from)) {
		snprintf(error, error_size, "the state ends early");
		r = -EINVAL;
	}
	for (uint32_t i = 0; i < count && r == 0; i++)
		r = load_field(class, from, scratch, error, error_size);
	if (r == 0 && class->check && !class->check(scratch)) {
		snprintf(error, error_size, "its fields contradict each other");
		r = -EINVAL;
	}
	if (r == 0)
		memcpy(state, scratch, class->state_size);
	free(scratch);
	return r;
}

struct coverage_context {
	const struct device_class *class;
	uint8_t *seen;
	long covered;
};

static int cover_field(const struct flat_field *flat, void *opaque)
{
	struct coverage_context *context = opaque;
	size_t size = (size_t)flat->field->size * flat->field->count;
	size_t start = flat->offset - context->class->state_offset;

	if (flat->offset < context->class->state_offset ||
	    start + size > context->class->state_size)
		return -1;
	for (size_t i = start; i < start + size; i++) {
		if (context->seen[i])
			return -1;
		context->seen[i] = 1;
	}
	context->covered += (long)size;
	return 0;
}

long state_coverage(const struct device_class *class)
{
	struct coverage_context context = { class, calloc(1, class->state_size + 1), 0 };
	int r;

	if (!context.seen)
		return -1;
	r = visit_fields(class->fields, cover_field, &context);
	free(context.seen);
	return r ? -1 : context.covered;
}
