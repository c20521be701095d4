// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands of the control socket as one table: a line of JSON in, the reply out. */
#include "control_commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/parse.h"
#include "../devmodel/device.h"
#include "clock.h"
#include "config.h"
#include "desk.h"
#include "keymap.h"
#include "machine.h"
#include "media.h"
#include "save.h"
#include "save_session.h"
#include "stats.h"
#include "typist.h"

#define JSON_DEPTH 8

/* --- replies' parts. What there is no memory for is missing from the reply. */

static void add(json_object *object, const char *name, json_object *value)
{
	if (json_object_object_add(object, name, value) < 0)
		json_object_put(value);
}

static void add_number(json_object *object, const char *name, uint64_t value)
{
	add(object, name, json_object_new_uint64(value));
}

static void add_text(json_object *object, const char *name, const char *text)
{
	if (utf8_is_valid(text, strlen(text)))
		add(object, name, json_object_new_string(text));
}

static void append(json_object *array, json_object *value)
{
	if (json_object_array_add(array, value) < 0)
		json_object_put(value);
}

/* --- commands */

#define ARGUMENTS_MAX 5
#define TYPE_BYTES 2048
#define KEYS_BYTES 256

/* What a command gets: its own members, and what the client has sent along. */
struct request {
	json_object *json;
	int *fd; /* whoever takes it leaves -1 */
};

struct command {
	const char *name;
	/* Fills @result; NULL, or one line that says why it cannot be done. */
	const char *(*run)(struct command_context *context, struct request *request,
			   json_object *result);
	const char *arguments[ARGUMENTS_MAX + 1]; /* members that it may have, NULL-terminated */
	bool changes;				  /* the machine: not while it is being saved */
};

/* A text of 1 to @size - 1 bytes, or NULL. */
static const char *text_argument(const struct request *request, const char *name, size_t size)
{
	json_object *value;
	const char *text;
	size_t length;

	if (!json_object_object_get_ex(request->json, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	length = (size_t)json_object_get_string_len(value);
	return length && length < size && strlen(text) == length ? text : NULL;
}

/* False where it is missing. Only true and false count. */
static bool flag_argument(const struct request *request, const char *name)
{
	json_object *value;

	return json_object_object_get_ex(request->json, name, &value) &&
	       json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static const char *const state_names[] = {
	[MACHINE_RUNNING] = "running",
	[MACHINE_PAUSED] = "paused",
	[MACHINE_SUSPENDED] = "suspended",
	[MACHINE_ENDED] = "ended",
};

static json_object *describe_disks(const struct vm_config *config)
{
	static const char *const formats[] = { [VM_DISK_VHD] = "vhd", [VM_DISK_RAW] = "raw" };
	json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < config->disk_count; i++) {
		const struct vm_disk *disk = &config->disks[i];
		json_object *row = json_object_new_object();

		add_number(row, "slot", disk->slot);
		add_text(row, "format", formats[disk->format]);
		add(row, "read_only", json_object_new_boolean(disk->read_only));
		add_text(row, "name", disk->name);
		append(array, row);
	}
	return array;
}

static json_object *describe_media(const struct media *media)
{
	json_object *array = json_object_new_array();
	struct media_info info;

	for (unsigned int i = 0; media_describe(media, i, &info); i++) {
		json_object *row = json_object_new_object();

		add_text(row, "drive", info.name);
		add_text(row, "kind", info.kind);
		add_text(row, "medium", info.medium ? info.medium : "");
		add(row, "read_only", json_object_new_boolean(info.read_only));
		add(row, "tray_open", json_object_new_boolean(info.tray_open));
		add(row, "locked", json_object_new_boolean(info.locked));
		append(array, row);
	}
	return array;
}

static json_object *describe_char(const struct vm_char *c)
{
	static const char *const kinds[] = {
		[VM_CHAR_NONE] = "none",   [VM_CHAR_STREAM] = "stream", [VM_CHAR_LISTEN] = "listen",
		[VM_CHAR_WRITE] = "write", [VM_CHAR_TTY] = "tty",	[VM_CHAR_DOOR] = "door",
	};
	json_object *row = json_object_new_object();

	add_text(row, "kind", kinds[c->kind]);
	if (c->kind != VM_CHAR_NONE)
		add_text(row, "name", c->name);
	return row;
}

static const char *run_status(struct command_context *context, struct request *request,
			      json_object *result)
{
	const struct vm_config *config = machine_config(context->machine);
	json_object *serial = json_object_new_array();
	char uuid[UUID_TEXT_SIZE];

	(void)request;
	format_uuid(config->uuid, uuid);
	add_text(result, "name", config->name);
	add_text(result, "uuid", uuid);
	add_text(result, "state", state_names[machine_state(context->machine)]);
	if (*save_phase_name(context->machine))
		add_text(result, "saving", save_phase_name(context->machine));
	add_number(result, "memory_bytes", config->memory_bytes);
	add_number(result, "cpus", config->cpus);
	add_text(result, "cpu", config->cpu_model);
	add_number(result, "board", VM_BOARD);
	add_text(result, "sandbox", sandbox_level_name(context->sandbox));
	add_number(result, "pid", (uint64_t)getpid());
	add_number(result, "uptime_ns", monotonic_ns() - context->started_ns);
	add_number(result, "clock_ns", machine_clock_ns(context->machine));
	add_number(result, "resets", machine_reset_count(context->machine));
	add_number(result, "viewers", desk_viewers(machine_desk(context->machine)));
	add(result, "disks", describe_disks(config));
	add(result, "drives", describe_media(machine_media(context->machine)));
	for (unsigned int i = 0; i < VM_SERIAL_MAX; i++)
		append(serial, describe_char(&config->serial[i]));
	add(result, "serial", serial);
	add(result, "parallel", describe_char(&config->parallel));
	return NULL;
}

static const char *run_pause(struct command_context *context, struct request *request,
			     json_object *result)
{
	(void)request;
	machine_pause(context->machine);
	add_text(result, "state", state_names[machine_state(context->machine)]);
	return NULL;
}

static const char *run_resume(struct command_context *context, struct request *request,
			      json_object *result)
{
	(void)request;
	machine_resume(context->machine);
	add_text(result, "state", state_names[machine_state(context->machine)]);
	return NULL;
}

static const char *run_reset(struct command_context *context, struct request *request,
			     json_object *result)
{
	(void)request;
	(void)result;
	machine_reset(context->machine);
	return NULL;
}

static const char *run_power_button(struct command_context *context, struct request *request,
				    json_object *result)
{
	(void)request;
	(void)result;
	if (machine_state(context->machine) == MACHINE_PAUSED)
		return "the machine is paused and cannot notice its power button; resume it first";
	machine_power_button(context->machine);
	return NULL;
}

static const char *run_quit(struct command_context *context, struct request *request,
			    json_object *result)
{
	(void)request;
	(void)result;
	machine_quit(context->machine);
	return NULL;
}

/* For a watchdog: that this is answered says that all processors' threads and the loop do their work. */
static const char *run_ping(struct command_context *context, struct request *request,
			    json_object *result)
{
	(void)request;
	machine_ping(context->machine);
	add_text(result, "state", state_names[machine_state(context->machine)]);
	return NULL;
}

/* What follows is between the session's two ends. */
static const char *run_save(struct command_context *context, struct request *request,
			    json_object *result)
{
	if (*request->fd < 0)
		return "save needs a socket's descriptor, sent along with the request";
	if (save_session_new(context->machine, *request->fd, context->error,
			     sizeof(context->error)) < 0)
		return context->error;
	*request->fd = -1;
	add(result, "disks", save_session_disks(context->machine));
	return NULL;
}

static json_object *describe_vcpu(const struct vcpu_stats *stats)
{
	json_object *row = json_object_new_object();
	json_object *exits = json_object_new_object();

	/* Their thread counts on meanwhile. */
	for (unsigned int kind = 0; kind < EXIT_KINDS; kind++)
		add_number(exits, exit_kind_name(kind),
			   __atomic_load_n(&stats->exits[kind], __ATOMIC_RELAXED));
	add(row, "exits", exits);
	return row;
}

static json_object *describe_device(const struct device *dev)
{
	json_object *row = json_object_new_object();
	json_object *regions = json_object_new_array();

	add_text(row, "name", dev->name);
	add_text(row, "class", dev->class->name);
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++) {
		json_object *region = json_object_new_object();

		add_text(region, "name", dev->regions[i].desc->name);
		add_number(region, "reads", dev->regions[i].reads);
		add_number(region, "writes", dev->regions[i].writes);
		append(regions, region);
	}
	add(row, "regions", regions);
	return row;
}

static const char *run_stats(struct command_context *context, struct request *request,
			     json_object *result)
{
	json_object *vcpus = json_object_new_array(), *devices = json_object_new_array();
	const struct vcpu_stats *stats;
	const struct device *dev;

	(void)request;
	for (unsigned int i = 0; (stats = machine_vcpu_stats(context->machine, i)); i++)
		append(vcpus, describe_vcpu(stats));
	for (unsigned int i = 0; (dev = machine_device(context->machine, i)); i++)
		append(devices, describe_device(dev));
	add_number(result, "clock_ns", machine_clock_ns(context->machine));
	add(result, "vcpus", vcpus);
	add(result, "devices", devices);
	return NULL;
}

static const char *run_insert(struct command_context *context, struct request *request,
			      json_object *result)
{
	const char *drive = text_argument(request, "drive", 32);
	const char *format = text_argument(request, "format", 8);
	struct vm_disk medium = { .format = VM_DISK_RAW, .fd = *request->fd };
	const char *name = text_argument(request, "name", sizeof(medium.name));

	(void)result;
	if (!drive || !name)
		return "insert needs the members \"drive\" and \"name\"";
	if (medium.fd < 0)
		return "insert needs the medium's descriptor, sent along with the request";
	if (format && !strcmp(format, "vhd"))
		medium.format = VM_DISK_VHD;
	else if (format && strcmp(format, "raw"))
		return "insert: \"format\" is raw or vhd";
	medium.read_only = flag_argument(request, "read_only");
	snprintf(medium.name, sizeof(medium.name), "%s", name);
	if (machine_insert(context->machine, drive, &medium, flag_argument(request, "force"),
			   context->error, sizeof(context->error)) < 0)
		return context->error;
	*request->fd = -1;
	return NULL;
}

static const char *run_eject(struct command_context *context, struct request *request,
			     json_object *result)
{
	const char *drive = text_argument(request, "drive", 32);

	(void)result;
	if (!drive)
		return "eject needs the member \"drive\"";
	if (machine_eject(context->machine, drive, flag_argument(request, "force"), context->error,
			  sizeof(context->error)) < 0)
		return context->error;
	return NULL;
}

static const char *run_type(struct command_context *context, struct request *request,
			    json_object *result)
{
	struct typist *typist = desk_typist(machine_desk(context->machine));
	const char *text = text_argument(request, "text", TYPE_BYTES);
	const char *layout = text_argument(request, "layout", 32);
	const struct keymap *keymap = layout ? keymap_find(layout) : NULL;
	const char *error;

	if (!text)
		return "type needs the member \"text\" with 1 to 2047 bytes";
	if (layout && !keymap) {
		snprintf(context->error, sizeof(context->error),
			 "keyboard layout %s is not known; there are %s", layout, keymap_names);
		return context->error;
	}
	error = typist_text(typist, text, keymap);
	add_number(result, "busy_ms", typist_busy_ms(typist));
	return error;
}

static const char *run_key(struct command_context *context, struct request *request,
			   json_object *result)
{
	struct typist *typist = desk_typist(machine_desk(context->machine));
	const char *keys = text_argument(request, "keys", KEYS_BYTES), *error;

	if (!keys)
		return "key needs the member \"keys\", for example \"ctrl+alt+del\"";
	error = typist_combination(typist, keys);
	add_number(result, "busy_ms", typist_busy_ms(typist));
	return error;
}

static const struct command commands[] = {
	/* clang-format off */
	{ "eject", run_eject, { "drive", "force" }, true },
	{ "insert", run_insert, { "drive", "name", "format", "read_only", "force" }, true },
	{ "key", run_key, { "keys" }, true },
	{ "pause", run_pause, {}, true },
	{ "ping", run_ping, {}, false },
	{ "power-button", run_power_button, {}, true },
	{ "quit", run_quit, {}, false },
	{ "reset", run_reset, {}, true },
	{ "resume", run_resume, {}, true },
	{ "save", run_save, {}, false },
	{ "stats", run_stats, {}, false },
	{ "status", run_status, {}, false },
	{ "type", run_type, { "text", "layout" }, true },
	/* clang-format on */
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* --- requests */

static bool takes(const struct command *command, const char *member)
{
	if (!strcmp(member, "command") || !strcmp(member, "id"))
		return true;
	for (size_t i = 0; command->arguments[i]; i++) {
		if (!strcmp(command->arguments[i], member))
			return true;
	}
	return false;
}

/* One line in context->error that lists what there is. */
static const char *unknown_command(struct command_context *context)
{
	size_t length = (size_t)snprintf(context->error, sizeof(context->error),
					 "unknown command; there are");

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		length += (size_t)snprintf(context->error + length, sizeof(context->error) - length,
					   "%s %s",
					   i == 0			  ? ""
					   : i + 1 == ARRAY_LEN(commands) ? " and"
									  : ",",
					   commands[i].name);
	return context->error;
}

/* NULL with one line in *ret_error when @request is none. */
static const struct command *check_request(struct command_context *context, json_object *request,
					   const char **ret_error)
{
	const struct command *command;
	json_object *name;

	*ret_error = "a request is an object with the member \"command\"";
	if (!json_object_is_type(request, json_type_object) ||
	    !json_object_object_get_ex(request, "command", &name) ||
	    !json_object_is_type(name, json_type_string))
		return NULL;
	/* The length too: a NUL can hide in a JSON string. */
	command = find_command(json_object_get_string(name));
	if (!command || strlen(command->name) != (size_t)json_object_get_string_len(name)) {
		*ret_error = unknown_command(context);
		return NULL;
	}
	*ret_error = command->arguments[0]
			     ? "the request has a member that this command does not take"
			     : "this command takes no arguments; a request has only "
			       "\"command\" and \"id\"";
	json_object_object_foreach(request, key, value)
	{
		(void)value;
		if (!takes(command, key))
			return NULL;
	}
	*ret_error = NULL;
	return command;
}

/* The parser takes NaN and Infinity, which are not JSON and must not be echoed. */
static bool is_finite(json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_double:
		return isfinite(json_object_get_double(value));
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			if (!is_finite(json_object_array_get_idx(value, i)))
				return false;
		}
		return true;
	case json_type_object: {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (!is_finite(member))
				return false;
		}
		return true;
	}
	default:
		return true;
	}
}

/* NULL with *ret_error set: no JSON text, or one deeper than JSON_DEPTH. */
static json_object *parse_request(struct command_context *context, const char *line, size_t size,
				  const char **ret_error)
{
	json_object *request;

	*ret_error = NULL;
	json_tokener_reset(context->tokener);
	request = json_tokener_parse_ex(context->tokener, line, (int)size);
	if (json_tokener_get_error(context->tokener) == json_tokener_success &&
	    json_tokener_get_parse_end(context->tokener) == size && is_finite(request))
		return request;
	json_object_put(request);
	*ret_error = "not a line of JSON";
	return NULL;
}

json_object *command_answer(struct command_context *context, const char *line, size_t size, int *fd)
{
	json_object *reply = json_object_new_object(), *result = json_object_new_object();
	const struct command *command = NULL;
	struct request arguments = { .fd = fd };
	json_object *request, *id;
	const char *error;

	request = parse_request(context, line, size, &error);
	arguments.json = request;
	if (!error)
		command = check_request(context, request, &error);
	if (command && machine_state(context->machine) == MACHINE_ENDED)
		error = "the machine has ended";
	else if (command && command->changes && save_has_machine(context->machine))
		error = "the machine is being saved";
	else if (command)
		error = command->run(context, &arguments, result);
	if (json_object_is_type(request, json_type_object) &&
	    json_object_object_get_ex(request, "id", &id))
		add(reply, "id", json_object_get(id));
	add(reply, "ok", json_object_new_boolean(!error));
	if (error) {
		add_text(reply, "error", error);
		json_object_put(result);
	} else {
		add(reply, "result", result);
	}
	json_object_put(request);
	return reply;
}

int command_context_init(struct command_context *context, struct machine *machine,
			 enum sandbox_level sandbox)
{
	context->machine = machine;
	context->sandbox = sandbox;
	context->started_ns = monotonic_ns();
	context->tokener = json_tokener_new_ex(JSON_DEPTH);
	if (!context->tokener)
		return -ENOMEM;
	json_tokener_set_flags(context->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return 0;
}

void command_context_fini(struct command_context *context)
{
	if (context->tokener)
		json_tokener_free(context->tokener);
	context->tokener = NULL;
}
