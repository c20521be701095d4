/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved state as field tables.
 *
 * A device's struct foo_state holds only what the guest can observe: fixed width, no pointers, no
 * padding. Its field table covers all of it (a test computes that). The stream is tagged with the
 * fields' names and treated as hostile: it is decoded into a scratch copy, every value is checked
 * against its table row and by the class's check(), and only then committed.
 *
 * Stream of one device, little-endian:
 *	u32 number of fields, then for each:
 *	u8 length of the name, the name, u8 element size (1, 2, 4, 8), u32 number of elements,
 * elements. Of an array with zeros_left_out, such as a buffer, the zeros at its end are missing, and their number.
 * A field of a struct array is named as "drive.1.lba". A field that the stream lacks keeps
 * its reset value, so that states of older versions load; a field that the class lacks is an error.
 */
#ifndef DEVMODEL_STATE_H
#define DEVMODEL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cursor.h"

struct device;
struct device_class;

struct state_field {
	const char *name; /* NULL ends a table */
	uint32_t offset;  /* from the start of the device's struct, or of the array element */
	uint8_t size;	  /* of an element: 1, 2, 4 or 8 bytes */
	uint32_t count;	  /* elements */
	uint64_t max;	  /* largest value of an element; 0: any */
	bool zeros_left_out;
	/* An array of structs: @count of them, @stride bytes apart, each described by @table. */
	const struct state_field *table;
	uint32_t stride;
};

/* One number. */
#define STATE_FIELD(type, member, ...)                                                             \
	{                                                                                          \
		.name = #member, .offset = offsetof(type, s.member),                               \
		.size = sizeof(((type *)0)->s.member), .count = 1, __VA_ARGS__                     \
	}
/* An array of numbers. */
#define STATE_ARRAY(type, member, ...)                                                             \
	{                                                                                          \
		.name = #member, .offset = offsetof(type, s.member),                               \
		.size = sizeof(((type *)0)->s.member[0]),                                          \
		.count = sizeof(((type *)0)->s.member) / sizeof(((type *)0)->s.member[0]),         \
		__VA_ARGS__                                                                        \
	}
/* An array of structs; @fields are rows of STATE_SUBFIELD and STATE_SUBARRAY. */
#define STATE_STRUCTS(type, member, fields)                                                        \
	{                                                                                          \
		.name = #member, .offset = offsetof(type, s.member), .table = (fields),            \
		.count = sizeof(((type *)0)->s.member) / sizeof(((type *)0)->s.member[0]),         \
		.stride = sizeof(((type *)0)->s.member[0])                                         \
	}
#define STATE_SUBFIELD(type, member, ...)                                                          \
	{                                                                                          \
		.name = #member, .offset = offsetof(type, member),                                 \
		.size = sizeof(((type *)0)->member), .count = 1, __VA_ARGS__                       \
	}
#define STATE_SUBARRAY(type, member, ...)                                                          \
	{                                                                                          \
		.name = #member, .offset = offsetof(type, member),                                 \
		.size = sizeof(((type *)0)->member[0]),                                            \
		.count = sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]), __VA_ARGS__ \
	}
/* The three members of a FIFO_STORAGE. */
#define STATE_FIFO(type, name)                                                                     \
	STATE_FIELD(type, name##_head), STATE_FIELD(type, name##_count),                           \
		STATE_ARRAY(type, name##_data)
#define STATE_END                                                                                  \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Appends the state of @dev; look at cursor_ok() afterwards. */
void state_save(const struct device *dev, struct cursor *to);

/*
 * Loads one device's stream. All or nothing: 0, or -EINVAL with the device as it was and the reason
 * in
 * @error. The caller runs post_load when all devices are loaded.
 */
int state_load(struct device *dev, struct cursor *from, char *error, size_t error_size);

/* Bytes of the class's state that its field table covers, each counted once; -1 on overlap. */
long state_coverage(const struct device_class *class);

#endif
