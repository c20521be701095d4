// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine's JSON file: read strictly, written whole, by the tables of machine_members.c. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fdio.h"
#include "../base/parse.h"
#include "machine_config.h"
#include "machine_members.h"

#define JSON_DEPTH_MAX 8
#define NAME_BYTES 96 /* of a member with its path, for messages */

struct reader {
	struct machine_config *config;
	const char *folder;
	char *error;
	size_t error_size;
};

static int fail(struct reader *r, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct reader *r, const char *name, const char *format, ...)
{
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	snprintf(r->error, r->error_size, "%s: %s", name, why);
	return -EINVAL;
}

/* --- reading values --- */

/* Also 128.0, which is a whole number to JSON. */
static bool is_whole(json_object *value, int64_t *ret_number)
{
	double d;

	if (json_object_is_type(value, json_type_int)) {
		*ret_number = json_object_get_int64(value);
		return true;
	}
	if (!json_object_is_type(value, json_type_double))
		return false;
	d = json_object_get_double(value);
	if (!(d >= -9e15 && d <= 9e15) || (double)(int64_t)d != d)
		return false;
	*ret_number = (int64_t)d;
	return true;
}

static int read_number(struct reader *r, json_object *value, int64_t min, int64_t max,
		       const char *name, int64_t *ret_number)
{
	int64_t number;

	if (!is_whole(value, &number))
		return fail(r, name, "must be a whole number");
	if (number < min || number > max) {
		if (min == max)
			return fail(r, name, "must be %" PRId64, min);
		return fail(r, name, "must be from %" PRId64 " to %" PRId64, min, max);
	}
	*ret_number = number;
	return 0;
}

static const char *read_text(struct reader *r, json_object *value, const char *name)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string)) {
		fail(r, name, "must be a string");
		return NULL;
	}
	text = json_object_get_string(value);
	if (strlen(text) != (size_t)json_object_get_string_len(value)) {
		fail(r, name, "must not contain NUL");
		return NULL;
	}
	return text;
}

static int keep(struct reader *r, const char **field, const char *text)
{
	*field = machine_config_keep(r->config, text);
	if (*field)
		return 0;
	snprintf(r->error, r->error_size, "no memory");
	return -ENOMEM;
}

static int read_path(struct reader *r, json_object *value, const char *name, const char **field)
{
	const char *text = read_text(r, value, name);
	char path[PATH_MAX];
	int n;

	if (!text)
		return -EINVAL;
	if (!*text || strlen(text) >= PATH_MAX)
		return fail(r, name, "must have 1 to %d bytes", PATH_MAX - 1);
	if (*text == '/' || !r->folder)
		return keep(r, field, text);
	n = snprintf(path, sizeof(path), "%s/%s", r->folder, text);
	if (n >= (int)sizeof(path))
		return fail(r, name, "is too long a path from %s", r->folder);
	return keep(r, field, path);
}

static int read_nonempty(struct reader *r, json_object *value, const char *name, const char **field)
{
	const char *text = read_text(r, value, name);

	if (!text)
		return -EINVAL;
	if (!*text || strlen(text) >= PATH_MAX)
		return fail(r, name, "must have 1 to %d bytes", PATH_MAX - 1);
	return keep(r, field, text);
}

static int read_enum(struct reader *r, const struct member *m, json_object *value, const char *name,
		     unsigned int *field)
{
	const char *text = read_text(r, value, name);
	char names[256] = "";

	if (!text)
		return -EINVAL;
	for (unsigned int i = 0; i < m->names.count; i++) {
		size_t length = strlen(names);

		if (!m->names.names[i])
			continue;
		if (!strcmp(m->names.names[i], text)) {
			*field = i;
			return 0;
		}
		snprintf(names + length, sizeof(names) - length, "%s%s", length ? ", " : "",
			 m->names.names[i]);
	}
	return fail(r, name, "\"%s\" is not one of %s", text, names);
}

static int read_geometry(struct reader *r, json_object *value, const char *name, uint16_t *field)
{
	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) != 3)
		return fail(r, name, "must be [ cylinders, heads, sectors ]");
	for (size_t i = 0; i < 3; i++) {
		int64_t number;
		int result = read_number(r, json_object_array_get_idx(value, i), 1,
					 MACHINE_GEOMETRY_MAX[i], name, &number);

		if (result < 0)
			return result;
		field[i] = (uint16_t)number;
	}
	return 0;
}

static int read_name(struct reader *r, json_object *value, const char *name, const char **field)
{
	const char *text = read_text(r, value, name);

	if (!text)
		return -EINVAL;
	if (!name_is_valid(text))
		return fail(r, name,
			    "\"%s\" cannot name a machine; use 1 to 64 bytes without / and "
			    "control characters, not starting with . or -",
			    text);
	return keep(r, field, text);
}

static int read_uuid(struct reader *r, json_object *value, const char *name)
{
	const char *text = read_text(r, value, name);

	if (!text)
		return -EINVAL;
	if (parse_uuid(text, r->config->uuid) < 0)
		return fail(r, name, "\"%s\" is not a uuid", text);
	r->config->uuid_given = true;
	return 0;
}

static int read_object(struct reader *r, const struct member_object *object, json_object *json,
		       void *target, const char *path);

static int read_array(struct reader *r, const struct member *m, json_object *value, void *target,
		      const char *name)
{
	uint32_t *count = (void *)((char *)target + m->count_offset);
	size_t length;

	if (!json_object_is_type(value, json_type_array))
		return fail(r, name, "must be an array");
	length = json_object_array_length(value);
	if (length > (size_t)m->max)
		return fail(r, name, "must have at most %" PRId64 " items", m->max);
	for (size_t i = 0; i < length; i++) {
		void *item = (char *)target + m->offset + i * m->item_size;
		char item_name[NAME_BYTES + 24];
		int result;

		snprintf(item_name, sizeof(item_name), "%s[%zu]", name, i);
		if (m->object->init)
			m->object->init(item);
		result = read_object(r, m->object, json_object_array_get_idx(value, i), item,
				     item_name);
		if (result < 0)
			return result;
	}
	*count = (uint32_t)length;
	return 0;
}

static int read_member(struct reader *r, const struct member *m, json_object *value, void *target,
		       const char *name)
{
	void *field = (char *)target + m->offset;
	int64_t number;
	int result;

	switch (m->kind) {
	case MEMBER_IGNORED:
		return read_text(r, value, name) ? 0 : -EINVAL;
	case MEMBER_CONSTANT:
		return read_number(r, value, m->min, m->max, name, &number);
	case MEMBER_NUMBER:
		result = read_number(r, value, m->min, m->max, name, &number);
		if (result == 0)
			*(uint32_t *)field = (uint32_t)number;
		return result;
	case MEMBER_BOOL:
		if (!json_object_is_type(value, json_type_boolean))
			return fail(r, name, "must be true or false");
		*(bool *)field = json_object_get_boolean(value);
		return 0;
	case MEMBER_NAME:
		return read_name(r, value, name, field);
	case MEMBER_UUID:
		return read_uuid(r, value, name);
	case MEMBER_PATH:
		return read_path(r, value, name, field);
	case MEMBER_TEXT:
		return read_nonempty(r, value, name, field);
	case MEMBER_ENUM:
		return read_enum(r, m, value, name, field);
	case MEMBER_GEOMETRY:
		return read_geometry(r, value, name, field);
	case MEMBER_OBJECT:
		return read_object(r, m->object, value, field, name);
	case MEMBER_ARRAY:
		return read_array(r, m, value, target, name);
	}
	return -EINVAL;
}

static const struct member *find_member(const struct member *m, const char *name)
{
	for (; m->name; m++) {
		if (!strcmp(m->name, name))
			return m;
	}
	return NULL;
}

static int read_object(struct reader *r, const struct member_object *object, json_object *json,
		       void *target, const char *path)
{
	char name[NAME_BYTES];
	const char *why;

	if (!json_object_is_type(json, json_type_object))
		return fail(r, *path ? path : "the file", "must be an object");
	json_object_object_foreach(json, key, value)
	{
		const struct member *m = find_member(object->members, key);
		int result;

		snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "", key);
		if (!m)
			return fail(r, name, "no such member; mainstay config --schema lists them");
		result = read_member(r, m, value, target, name);
		if (result < 0)
			return result;
	}
	for (const struct member *m = object->members; m->name; m++) {
		if (m->required && !json_object_object_get_ex(json, m->name, NULL)) {
			snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "", m->name);
			return fail(r, name, "is missing");
		}
	}
	if (object->check && object->check(target, &why) < 0)
		return fail(r, path, "%s", why);
	return 0;
}

/* --- the file --- */

static json_object *parse_text(const char *text, size_t size, char *error, size_t error_size)
{
	json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	json_object *root;
	size_t end, line = 1;

	if (!tokener) {
		snprintf(error, error_size, "no memory");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	end = json_tokener_get_parse_end(tokener);
	while (root && end < size && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	if (!root || end != size) {
		enum json_tokener_error code = json_tokener_get_error(tokener);

		for (size_t i = 0; i < end && i < size; i++)
			line += text[i] == '\n';
		snprintf(error, error_size, "line %zu: no JSON: %s", line,
			 code == json_tokener_success	 ? "more behind the end"
			 : code == json_tokener_continue ? "the end is missing"
							 : json_tokener_error_desc(code));
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	return root;
}

int machine_config_read(struct machine_config *config, const char *text, size_t size,
			const char *folder, char *error, size_t error_size)
{
	struct reader r = { config, folder, error, error_size };
	json_object *root;
	int result;

	if (size > MACHINE_CONFIG_BYTES_MAX) {
		snprintf(error, error_size, "larger than %d bytes", MACHINE_CONFIG_BYTES_MAX);
		return -EINVAL;
	}
	root = parse_text(text, size, error, error_size);
	if (!root)
		return -EINVAL;
	result = read_object(&r, &machine_object, root, config, "");
	json_object_put(root);
	if (result < 0)
		return result;
	return machine_config_check(config, error, error_size);
}

int machine_config_load(struct machine_config *config, const char *path, char *error,
			size_t error_size)
{
	char folder[PATH_MAX], why[512], *text;
	const char *slash = strrchr(path, '/');
	size_t size;
	int r;

	r = file_read(path, MACHINE_CONFIG_BYTES_MAX, &text, &size);
	if (r < 0) {
		snprintf(error, error_size, "%s: %s; give a file that 'mainstay config' wrote",
			 path, strerror(-r));
		return r == -ENOMEM ? r : -EINVAL;
	}
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 0, path);
	r = machine_config_read(config, text, size, slash ? (*folder ? folder : "/") : NULL, why,
				sizeof(why));
	if (r < 0)
		snprintf(error, error_size, "%s: %s", path, why);
	free(text);
	return r;
}

/* --- writing --- */

static json_object *write_object(const struct member_object *object, const void *source);

static json_object *write_geometry(const uint16_t *geometry)
{
	json_object *array;

	if (!geometry[0])
		return NULL;
	array = json_object_new_array();
	for (size_t i = 0; i < 3; i++)
		json_object_array_add(array, json_object_new_int(geometry[i]));
	return array;
}

static json_object *write_array(const struct member *m, const void *source)
{
	uint32_t count = *(const uint32_t *)(const void *)((const char *)source + m->count_offset);
	json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < count; i++)
		json_object_array_add(array,
				      write_object(m->object, (const char *)source + m->offset +
								      i * m->item_size));
	return array;
}

/* NULL for what is not there. */
static json_object *write_member(const struct member *m, const void *source)
{
	const void *field = (const char *)source + m->offset;
	const struct machine_config *config = source;
	char uuid[UUID_TEXT_SIZE];
	const char *text;
	unsigned int value;

	switch (m->kind) {
	case MEMBER_IGNORED:
		return NULL;
	case MEMBER_CONSTANT:
		return json_object_new_int64(m->min);
	case MEMBER_NUMBER:
		return json_object_new_int64(*(const uint32_t *)field);
	case MEMBER_BOOL:
		return json_object_new_boolean(*(const bool *)field);
	case MEMBER_NAME:
	case MEMBER_PATH:
	case MEMBER_TEXT:
		text = *(const char *const *)field;
		return text ? json_object_new_string(text) : NULL;
	case MEMBER_UUID:
		format_uuid(config->uuid, uuid);
		return config->uuid_given ? json_object_new_string(uuid) : NULL;
	case MEMBER_ENUM:
		value = *(const unsigned int *)field;
		return value < m->names.count ? json_object_new_string(m->names.names[value])
					      : NULL;
	case MEMBER_GEOMETRY:
		return write_geometry(field);
	case MEMBER_OBJECT:
		return write_object(m->object, field);
	case MEMBER_ARRAY:
		return write_array(m, source);
	}
	return NULL;
}

static json_object *write_object(const struct member_object *object, const void *source)
{
	json_object *json = json_object_new_object();

	for (const struct member *m = object->members; m->name; m++) {
		json_object *value = write_member(m, source);

		if (value)
			json_object_object_add(json, m->name, value);
	}
	return json;
}

char *machine_config_write(const struct machine_config *config)
{
	json_object *json = write_object(&machine_object, config);
	const char *text = json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB |
			      JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *copy = text ? strdup(text) : NULL;

	json_object_put(json);
	return copy;
}
