// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The JSON Schema (draft 2020-12) of a machine's file, out of the same tables that read it.
 * mgmt/machine.schema.json is this text; a test compares them.
 */
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "machine_config.h"
#include "machine_members.h"

#define HEX "[0-9A-Fa-f]"
#define UUID_PATTERN HEX "{8}(-" HEX "{4}){3}-" HEX "{12}"

static void add_text(json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static void add_number(json_object *to, const char *name, int64_t number)
{
	json_object_object_add(to, name, json_object_new_int64(number));
}

static void describe_object(json_object *to, const struct member_object *object);

static void describe_text(json_object *to, const struct member *m)
{
	add_text(to, "type", "string");
	switch (m->kind) {
	case MEMBER_NAME:
		add_number(to, "maxLength", MACHINE_NAME_MAX);
		add_text(to, "pattern",
			 "^[^ ./\\x00-\\x1f\\x7f-]([^/\\x00-\\x1f\\x7f]*[^ /\\x00-\\x1f\\x7f])?$");
		break;
	case MEMBER_UUID:
		add_text(to, "pattern", "^(" UUID_PATTERN "|\\{" UUID_PATTERN "\\})$");
		break;
	case MEMBER_PATH:
	case MEMBER_TEXT:
		add_number(to, "maxLength", PATH_MAX - 1);
		add_text(to, "pattern", "^[^\\x00]+$");
		break;
	default:
		add_text(to, "pattern", "^[^\\x00]*$");
		break;
	}
}

static void describe_geometry(json_object *to)
{
	json_object *items = json_object_new_array();

	for (size_t i = 0; i < 3; i++) {
		json_object *item = json_object_new_object();

		add_text(item, "type", "integer");
		add_number(item, "minimum", 1);
		add_number(item, "maximum", MACHINE_GEOMETRY_MAX[i]);
		json_object_array_add(items, item);
	}
	add_text(to, "type", "array");
	json_object_object_add(to, "prefixItems", items);
	add_number(to, "minItems", 3);
	json_object_object_add(to, "items", json_object_new_boolean(false));
}

static void describe_enum(json_object *to, const struct member_names *names)
{
	json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < names->count; i++) {
		if (names->names[i])
			json_object_array_add(array, json_object_new_string(names->names[i]));
	}
	json_object_object_add(to, "enum", array);
}

static json_object *describe_member(const struct member *m)
{
	json_object *json = json_object_new_object(), *items;

	add_text(json, "description", m->description);
	switch (m->kind) {
	case MEMBER_CONSTANT:
		add_number(json, "const", m->min);
		break;
	case MEMBER_NUMBER:
		add_text(json, "type", "integer");
		add_number(json, "minimum", m->min);
		add_number(json, "maximum", m->max);
		break;
	case MEMBER_BOOL:
		add_text(json, "type", "boolean");
		break;
	case MEMBER_IGNORED:
	case MEMBER_NAME:
	case MEMBER_UUID:
	case MEMBER_PATH:
	case MEMBER_TEXT:
		describe_text(json, m);
		break;
	case MEMBER_ENUM:
		describe_enum(json, &m->names);
		break;
	case MEMBER_GEOMETRY:
		describe_geometry(json);
		break;
	case MEMBER_OBJECT:
		describe_object(json, m->object);
		break;
	case MEMBER_ARRAY:
		items = json_object_new_object();
		describe_object(items, m->object);
		add_text(json, "type", "array");
		add_number(json, "maxItems", m->max);
		json_object_object_add(json, "items", items);
		break;
	}
	if (m->fallback)
		json_object_object_add(json, "default", json_tokener_parse(m->fallback));
	return json;
}

static void describe_object(json_object *to, const struct member_object *object)
{
	json_object *members = json_object_new_object(), *required = json_object_new_array();

	for (const struct member *m = object->members; m->name; m++) {
		json_object_object_add(members, m->name, describe_member(m));
		if (m->required)
			json_object_array_add(required, json_object_new_string(m->name));
	}
	add_text(to, "type", "object");
	json_object_object_add(to, "properties", members);
	json_object_object_add(to, "required", required);
	json_object_object_add(to, "additionalProperties", json_object_new_boolean(false));
	if (object->schema) {
		json_object *extra = json_tokener_parse(object->schema);

		json_object_object_foreach(extra, name, value)
			json_object_object_add(to, name, json_object_get(value));
		json_object_put(extra);
	}
}

char *machine_config_schema(void)
{
	json_object *json = json_object_new_object();
	const char *text;
	char *copy;

	add_text(json, "$schema", "https://json-schema.org/draft/2020-12/schema");
	add_text(json, "title", "A Mainstay machine");
	add_text(json, "description",
		 "What mainstay run --config runs. Written by mainstay config --schema.");
	describe_object(json, &machine_object);
	text = json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB |
			      JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
	copy = text ? strdup(text) : NULL;
	json_object_put(json);
	return copy;
}
