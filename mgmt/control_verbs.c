// SPDX-License-Identifier: GPL-2.0-or-later
/* The verbs that speak with running machines through their control sockets. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "client.h"
#include "verbs.h"

#define STOP_TIMEOUT_S 60
/* A machine that was told to quit flushes its disks first. */
#define QUIT_TIMEOUT_S 60

/* --- helpers --- */

void verb_open_machine(struct runtime_base *base, struct client *client, const char *name)
{
	char error[1024];
	int r;

	if (!name_is_valid(name))
		die("%s: cannot be the name of a machine; 'mainstay list' shows those that run",
		    name);
	r = runtime_base_open(base, false, error, sizeof(error));
	/* Nobody has started a machine yet. */
	if (r == -ENOENT)
		die("%s: no such machine is running; 'mainstay list' shows those that run", name);
	if (r < 0)
		die("%s", error);
	if (client_open(client, base, name, error, sizeof(error)) < 0)
		die("%s", error);
}

static json_object *call(struct client *client, const char *command)
{
	json_object *result = NULL;
	char error[1024];

	if (client_call(client, command, &result, error, sizeof(error)) < 0)
		die("%s", error);
	return result;
}

static int print_json(json_object *json)
{
	puts(json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_PRETTY_TAB |
			      JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	if (fflush(stdout) == EOF)
		die("standard output: cannot be written");
	return EXIT_SUCCESS;
}

/* Text from a machine's process is not trusted: no control characters reach the terminal. */
static const char *printable(const char *text, char *copy, size_t size)
{
	snprintf(copy, size, "%s", text);
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	return copy;
}

static void format_duration(uint64_t ns, char *text, size_t size)
{
	uint64_t s = ns / 1000000000u;

	if (s >= 86400)
		snprintf(text, size, "%" PRIu64 "d %02" PRIu64 ":%02" PRIu64, s / 86400,
			 s / 3600 % 24, s / 60 % 60);
	else
		snprintf(text, size, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600,
			 s / 60 % 60, s % 60);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

/* One value for people, by the unit that its name ends with. */
static void format_value(const char *name, json_object *value, char *text, size_t size)
{
	char short_text[24];

	if (json_object_is_type(value, json_type_int) && ends_with(name, "_bytes")) {
		format_size((uint64_t)json_object_get_int64(value), short_text);
		snprintf(text, size, "%s", short_text);
	} else if (json_object_is_type(value, json_type_int) && ends_with(name, "_ns")) {
		format_duration((uint64_t)json_object_get_int64(value), text, size);
	} else {
		printable(value ? json_object_get_string(value) : "-", text, size);
	}
}

static void print_nested(const char *prefix, json_object *object);

/* "uptime_ns" is shown as "uptime": the unit is in the value. */
static void print_member(const char *prefix, const char *name, json_object *value)
{
	char label[128], text[256], copy[64];
	size_t length;

	printable(name, copy, sizeof(copy));
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			json_object *item = json_object_array_get_idx(value, i);

			snprintf(label, sizeof(label), "%s%s[%zu].", prefix, copy, i);
			if (json_object_is_type(item, json_type_object))
				print_nested(label, item);
		}
		return;
	}
	snprintf(label, sizeof(label), "%s%s.", prefix, copy);
	if (json_object_is_type(value, json_type_object)) {
		print_nested(label, value);
		return;
	}
	format_value(copy, value, text, sizeof(text));
	length = strlen(label) - 1;
	if (ends_with(copy, "_bytes"))
		length -= strlen("_bytes");
	else if (ends_with(copy, "_ns"))
		length -= strlen("_ns");
	printf("%-20.*s %s\n", (int)length, label, text);
}

static void print_nested(const char *prefix, json_object *object)
{
	/* A machine's process is not trusted to stop nesting. */
	if (strlen(prefix) > 64)
		return;
	json_object_object_foreach(object, name, value) print_member(prefix, name, value);
}

/* --- status and statistics --- */

struct show_options {
	bool json;
};

static const struct opt show_options[] = {
	{ .name = "json",
	  .kind = OPT_FLAG,
	  .help = "print JSON",
	  .offset = offsetof(struct show_options, json) },
	{ .name = NULL },
};

static json_object *ask(const char *name, const char *command)
{
	struct runtime_base base;
	struct client client;
	json_object *result;

	verb_open_machine(&base, &client, name);
	result = call(&client, command);
	client_close(&client);
	runtime_base_close(&base);
	return result;
}

static int status_run(const struct verb *verb, int argc, char **argv)
{
	struct show_options options = { 0 };
	json_object *result;

	verb_parse(verb, &options, argc, argv, 1, 1);
	result = ask(argv[0], verb->name);
	if (options.json)
		return print_json(result);
	if (json_object_is_type(result, json_type_object))
		print_nested("", result);
	json_object_put(result);
	return EXIT_SUCCESS;
}

static uint64_t get_number(json_object *object, const char *name)
{
	json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_uint64(value) : 0;
}

static json_object *get_array(json_object *object, const char *name)
{
	json_object *value;

	return json_object_object_get_ex(object, name, &value) &&
			       json_object_is_type(value, json_type_array)
		       ? value
		       : NULL;
}

static void print_exits(json_object *result)
{
	json_object *vcpus = get_array(result, "vcpus"), *exits;
	char text[64];

	printf("%-4s %-24s %14s\n", "CPU", "EXIT", "COUNT");
	for (size_t i = 0; vcpus && i < json_object_array_length(vcpus); i++) {
		json_object *vcpu = json_object_array_get_idx(vcpus, i);

		if (!json_object_is_type(vcpu, json_type_object) ||
		    !json_object_object_get_ex(vcpu, "exits", &exits) ||
		    !json_object_is_type(exits, json_type_object))
			continue;
		json_object_object_foreach(exits, kind, count)
			printf("%-4zu %-24s %14" PRIu64 "\n", i,
			       printable(kind, text, sizeof(text)), json_object_get_uint64(count));
	}
}

static const char *get_text(json_object *object, const char *name, char *copy, size_t size)
{
	json_object *value;
	const char *text = json_object_object_get_ex(object, name, &value)
				   ? json_object_get_string(value)
				   : "-";

	return printable(text ? text : "-", copy, size);
}

static void print_device(json_object *device)
{
	json_object *regions = get_array(device, "regions");
	char name[64], region_name[64];

	for (size_t i = 0; regions && i < json_object_array_length(regions); i++) {
		json_object *region = json_object_array_get_idx(regions, i);
		uint64_t reads, writes;

		if (!json_object_is_type(region, json_type_object))
			continue;
		reads = get_number(region, "reads");
		writes = get_number(region, "writes");
		if (reads || writes)
			printf("%-16s %-24s %14" PRIu64 " %14" PRIu64 "\n",
			       get_text(device, "name", name, sizeof(name)),
			       get_text(region, "name", region_name, sizeof(region_name)), reads,
			       writes);
	}
}

static int stats_run(const struct verb *verb, int argc, char **argv)
{
	struct show_options options = { 0 };
	json_object *result, *devices;

	verb_parse(verb, &options, argc, argv, 1, 1);
	result = ask(argv[0], verb->name);
	if (options.json)
		return print_json(result);
	if (!json_object_is_type(result, json_type_object))
		die("%s: stats: the machine's answer is not understood", argv[0]);
	print_exits(result);
	printf("\n%-16s %-24s %14s %14s\n", "DEVICE", "REGION", "READS", "WRITES");
	devices = get_array(result, "devices");
	for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
		json_object *device = json_object_array_get_idx(devices, i);

		if (json_object_is_type(device, json_type_object))
			print_device(device);
	}
	json_object_put(result);
	return EXIT_SUCCESS;
}

/* --- list --- */

static const struct {
	const char *title, *member;
	int width;
} columns[] = {
	{ "NAME", "name", 24 },	      { "STATE", "state", 8 }, { "PID", "pid", 8 },
	{ "CPUS", "cpus", 5 },	      { "CPU", "cpu", 5 },     { "MEMORY", "memory_bytes", 10 },
	{ "UPTIME", "uptime_ns", 8 },
};

static void print_row(json_object *status)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		json_object *value = NULL;
		char text[128];

		json_object_object_get_ex(status, columns[i].member, &value);
		format_value(columns[i].member, value, text, sizeof(text));
		printf("%-*s%s", i + 1 < ARRAY_LEN(columns) ? columns[i].width : 0, text,
		       i + 1 < ARRAY_LEN(columns) ? " " : "\n");
	}
}

/* What is known of a machine, also of one that does not answer. */
static json_object *machine_status(const struct runtime_base *base, const char *name)
{
	json_object *status = NULL;
	struct client client;
	char error[1024];

	if (client_open(&client, base, name, error, sizeof(error)) == 0) {
		if (client_call(&client, "status", &status, error, sizeof(error)) < 0)
			log_warning("%s", error);
		client_close(&client);
	}
	if (json_object_is_type(status, json_type_object))
		return status;
	json_object_put(status);
	status = json_object_new_object();
	json_object_object_add(status, "name", json_object_new_string(name));
	json_object_object_add(status, "state", json_object_new_string("unknown"));
	return status;
}

static int list_run(const struct verb *verb, int argc, char **argv)
{
	struct show_options options = { 0 };
	struct runtime_base base;
	json_object *all = json_object_new_array();
	char error[1024], **names = NULL;
	int r;

	verb_parse(verb, &options, argc, argv, 0, 0);
	r = runtime_base_open(&base, false, error, sizeof(error));
	if (r < 0 && r != -ENOENT)
		die("%s", error);
	if (r == 0) {
		r = runtime_dir_list(&base, &names);
		if (r < 0)
			die("%s: %s", base.path, strerror(-r));
	}
	for (char **name = names; name && *name; name++)
		json_object_array_add(all, machine_status(&base, *name));
	runtime_names_free(names);
	runtime_base_close(&base);
	if (options.json)
		return print_json(all);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		printf("%-*s%s", i + 1 < ARRAY_LEN(columns) ? columns[i].width : 0,
		       columns[i].title, i + 1 < ARRAY_LEN(columns) ? " " : "\n");
	for (size_t i = 0; i < json_object_array_length(all); i++)
		print_row(json_object_array_get_idx(all, i));
	json_object_put(all);
	return EXIT_SUCCESS;
}

/* --- commands --- */

/* The verb is the command. */
static int command_run(const struct verb *verb, int argc, char **argv)
{
	verb_parse(verb, NULL, argc, argv, 1, 1);
	json_object_put(ask(argv[0], verb->name));
	return EXIT_SUCCESS;
}

/* Returns when the machine's name and disks are free again. */
static void quit_machine(struct client *client)
{
	json_object *result = NULL;
	char error[1024];
	int r = client_call(client, "quit", &result, error, sizeof(error));

	json_object_put(result);
	/* It may be gone before it has answered. */
	if (r < 0 && r != -ECONNRESET && r != -EPIPE)
		die("%s", error);
	if (client_wait_end(client, QUIT_TIMEOUT_S) < 0)
		die("%s: still flushing its disks after %d s; wait, or kill process %d",
		    client->name, QUIT_TIMEOUT_S, (int)client->pid);
}

static int quit_run(const struct verb *verb, int argc, char **argv)
{
	struct runtime_base base;
	struct client client;

	verb_parse(verb, NULL, argc, argv, 1, 1);
	verb_open_machine(&base, &client, argv[0]);
	quit_machine(&client);
	client_close(&client);
	runtime_base_close(&base);
	return EXIT_SUCCESS;
}

struct stop_options {
	uint32_t timeout_s;
	bool force;
};

static const struct opt stop_options[] = {
	{ .name = "timeout",
	  .kind = OPT_U32,
	  .argument = "SECONDS",
	  .help = "how long to wait for the guest (default 60)",
	  .offset = offsetof(struct stop_options, timeout_s),
	  .min = 1,
	  .max = 86400 },
	{ .name = "force",
	  .kind = OPT_FLAG,
	  .help = "do not ask the guest: pull the power plug",
	  .offset = offsetof(struct stop_options, force) },
	{ .name = NULL },
};

static int stop_run(const struct verb *verb, int argc, char **argv)
{
	struct stop_options options = { .timeout_s = STOP_TIMEOUT_S };
	struct runtime_base base;
	struct client client;

	verb_parse(verb, &options, argc, argv, 1, 1);
	verb_open_machine(&base, &client, argv[0]);
	if (options.force) {
		quit_machine(&client);
	} else {
		json_object_put(call(&client, "power-button"));
		if (client_wait_end(&client, options.timeout_s) < 0)
			die("%s: the guest has not powered off within %u s; 'mainstay stop "
			    "--force' "
			    "pulls the plug",
			    argv[0], options.timeout_s);
	}
	client_close(&client);
	runtime_base_close(&base);
	return EXIT_SUCCESS;
}

/* --- the rows --- */

const struct verb list_verb = {
	.name = "list",
	.arguments = "[--json]",
	.summary = "show the machines that run",
	.examples = "  mainstay list\n  mainstay list --json\n",
	.options = show_options,
	.run = list_run,
};

const struct verb status_verb = {
	.name = "status",
	.arguments = "NAME [--json]",
	.summary = "show what one machine is and does",
	.examples = "  mainstay status nt4\n",
	.options = show_options,
	.run = status_run,
};

const struct verb stats_verb = {
	.name = "stats",
	.arguments = "NAME [--json]",
	.summary = "count a machine's exits and device accesses",
	.details = "Regions that were never used are left out of the table, not of the JSON.\n",
	.examples = "  mainstay stats nt4\n  mainstay stats nt4 --json\n",
	.options = show_options,
	.run = stats_run,
};

const struct verb pause_verb = {
	.name = "pause",
	.arguments = "NAME",
	.summary = "stop a machine's time",
	.examples = "  mainstay pause nt4\n",
	.run = command_run,
};

const struct verb resume_verb = {
	.name = "resume",
	.arguments = "NAME",
	.summary = "let a paused machine go on",
	.examples = "  mainstay resume nt4\n",
	.run = command_run,
};

const struct verb reset_verb = {
	.name = "reset",
	.arguments = "NAME",
	.summary = "press a machine's reset button",
	.examples = "  mainstay reset nt4\n",
	.run = command_run,
};

const struct verb power_button_verb = {
	.name = "power-button",
	.arguments = "NAME",
	.summary = "press a machine's power button, without waiting",
	.details = "The guest decides what it does. 'mainstay stop' waits for it.\n",
	.examples = "  mainstay power-button nt4\n",
	.run = command_run,
};

const struct verb stop_verb = {
	.name = "stop",
	.arguments = "NAME [OPTION]...",
	.summary = "power a machine off and wait until it has ended",
	.details = "Presses the power button; the guest shuts itself down if it knows ACPI.\n"
		   "A guest that does not is shut down from inside, or ended with --force.\n",
	.examples = "  mainstay stop web\n"
		    "  mainstay stop web --timeout 300\n"
		    "  mainstay stop nt4 --force\n",
	.options = stop_options,
	.run = stop_run,
};

const struct verb quit_verb = {
	.name = "quit",
	.arguments = "NAME",
	.summary = "pull a machine's power plug",
	.details =
		"The same as 'mainstay stop --force'. Disks are flushed; the guest is not asked.\n",
	.examples = "  mainstay quit nt4\n",
	.run = quit_run,
};
