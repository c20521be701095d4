/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The members of a machine's JSON file as tables, for those who read, write and publish the format.
 */
#ifndef MGMT_MACHINE_MEMBERS_H
#define MGMT_MACHINE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum member_kind {
	MEMBER_CONSTANT, /* the number min, stored nowhere */
	MEMBER_IGNORED,	 /* a text for other programs */
	MEMBER_NAME,	 /* const char *, name_is_valid() */
	MEMBER_UUID,	 /* of struct machine_config */
	MEMBER_PATH,	 /* const char * */
	MEMBER_TEXT,	 /* const char *, not empty */
	MEMBER_NUMBER,	 /* uint32_t from min to max */
	MEMBER_BOOL,
	MEMBER_ENUM,	 /* unsigned int, index into names */
	MEMBER_GEOMETRY, /* uint16_t[3] */
	MEMBER_OBJECT,
	MEMBER_ARRAY, /* of objects, at most max; a uint32_t at count_offset */
};

/* Names by the value of an enumeration; NULL where a value is not offered. */
struct member_names {
	const char *const *names;
	unsigned int count;
};

struct member_object;

struct member {
	const char *name; /* NULL ends the table */
	enum member_kind kind;
	bool required;
	size_t offset;
	int64_t min, max;
	const char *fallback; /* JSON of the value when missing; NULL: described in words */
	struct member_names names;
	const struct member_object *object;
	size_t item_size, count_offset; /* of arrays */
	const char *description;
};

struct member_object {
	const struct member *members;
	/* Sets an item of an array to its defaults; NULL: zeros. */
	void (*init)(void *item);
	/* What one member's row cannot say: 0, or -EINVAL and @ret_why without the object's name.
	 */
	int (*check)(const void *item, const char **ret_why);
	const char *schema; /* the same as members of the object's schema; NULL: none */
};

extern const struct member_object machine_object;

/* Whether SMBIOS can carry @text: 1 to MACHINE_SMBIOS_MAX printable ASCII characters. */
bool machine_smbios_text_valid(const char *text);

/* The index of the @length bytes at @name in NULL-terminated @names, or -1. */
int machine_find_name(const char *const *names, const char *name, size_t length);

#define MACHINE_GEOMETRY_MAX ((const uint16_t[3]){ 65535, 255, 63 })

#endif
