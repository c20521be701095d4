// SPDX-License-Identifier: GPL-2.0-or-later
/* checkpoint create, list, restore and delete. What they do is checkpoint_change.c and checkpoint_merge.c. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "../base/bits.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "checkpoint_change.h"
#include "checkpoint_target.h"
#include "disk_layer.h"
#include "verbs.h"

struct checkpoint_verb_options {
	bool no_state, discard, quiet, json;
	const char *state;
};

/* Of a size that no stack should have. */
static struct checkpoint_target target;

static void open_target(const char *machine, bool look)
{
	char error[1024];

	if (checkpoint_target_open(&target, machine, look, error, sizeof(error)) < 0)
		die("%s", error);
}

static struct checkpoint *find(const char *name)
{
	struct checkpoint *node = checkpoints_by_name(&target.set, name);

	if (!node)
		die("%s: has no checkpoint %s; 'mainstay checkpoint list' shows them",
		    target.set.disks[0], name);
	return node;
}

/* --- create --- */

static int create(const char *name, const struct checkpoint_verb_options *options)
{
	uint64_t stopped_ns = 0;
	const struct checkpoint_options how = {
		.name = name,
		.state = !options->no_state,
		.ret_stopped_ns = &stopped_ns,
	};
	char error[1024];
	unsigned int id;

	if (!name_is_valid(name))
		die("%s: cannot be the name of a checkpoint; give 1 to 64 bytes without '/' and "
		    "control characters",
		    name);
	if (checkpoints_create(&target.set, target.machine, &how, &id, error, sizeof(error)) < 0)
		die("%s", error);
	if (options->quiet)
		return EXIT_SUCCESS;
	if (target.machine)
		printf("%s: checkpoint of the running machine; the guest stopped for %.1f ms\n",
		       name, (double)stopped_ns / 1e6);
	else
		printf("%s: checkpoint of the disks\n", name);
	return EXIT_SUCCESS;
}

/* --- list --- */

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static uint64_t bytes_of(const struct checkpoint *node)
{
	uint64_t bytes = 0;
	char path[PATH_MAX];

	for (unsigned int n = 0; n < target.set.disk_count; n++) {
		checkpoints_layer_path(&target.set, n, node->id, path);
		bytes += size_of(path);
	}
	checkpoints_state_path(&target.set, node->id, path);
	return node->has_state ? bytes + size_of(path) : bytes;
}

/* The nearest that has a name: hidden ones are not shown. */
static const struct checkpoint *shown(unsigned int id)
{
	const struct checkpoint *node = checkpoints_by_id(&target.set, id);

	while (node && !*node->name)
		node = checkpoints_by_id(&target.set, node->parent);
	return node;
}

static void print_when(int64_t unix_s, char text[32])
{
	time_t when = (time_t)unix_s;
	struct tm local;

	strftime(text, 32, "%Y-%m-%d %H:%M:%S", localtime_r(&when, &local));
}

static int list_json(void)
{
	json_object *array = json_object_new_array();
	const struct checkpoint *current = shown(target.set.current);

	for (unsigned int i = 0; i < target.set.count; i++) {
		const struct checkpoint *node = &target.set.nodes[i], *parent = shown(node->parent);
		json_object *row;

		if (!*node->name)
			continue;
		row = json_object_new_object();
		json_object_object_add(row, "name", json_object_new_string(node->name));
		json_object_object_add(row, "parent",
				       parent ? json_object_new_string(parent->name) : NULL);
		json_object_object_add(row, "created", json_object_new_int64(node->created_unix));
		json_object_object_add(row, "state", json_object_new_boolean(node->has_state));
		json_object_object_add(row, "current", json_object_new_boolean(node == current));
		json_object_object_add(row, "host_bytes", json_object_new_uint64(bytes_of(node)));
		json_object_array_add(array, row);
	}
	puts(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY |
							   JSON_C_TO_STRING_PRETTY_TAB |
							   JSON_C_TO_STRING_SPACED));
	json_object_put(array);
	return EXIT_SUCCESS;
}

/* Children under their parent, each a step to the right; the machine stands where the star is. */
static void list_below(const struct checkpoint *parent, unsigned int depth)
{
	const struct checkpoint *current = shown(target.set.current);

	for (unsigned int i = 0; i < target.set.count; i++) {
		const struct checkpoint *node = &target.set.nodes[i];
		char when[32], size[16], label[256];

		if (!*node->name || shown(node->parent) != parent)
			continue;
		print_when(node->created_unix, when);
		format_size(bytes_of(node), size);
		snprintf(label, sizeof(label), "%*s%s", (int)(2 * depth), "", node->name);
		printf("%c %-32s %s  %-5s  %s\n", node == current ? '*' : ' ', label, when,
		       node->has_state ? "state" : "disks", size);
		list_below(node, depth + 1);
	}
}

/* --- restore --- */

static void default_state(char path[PATH_MAX])
{
	const char *disk = target.set.disks[0];
	size_t length = strlen(disk);

	if (length > 4 && !strcasecmp(disk + length - 4, ".vhd"))
		length -= 4;
	snprintf(path, PATH_MAX, "%.*s.state", (int)length, disk);
}

/* Nobody loses what was written since the last checkpoint without having said so. */
static void refuse_loss(void)
{
	char error[VHD_ERROR_BYTES];

	for (unsigned int n = 0; n < target.set.disk_count; n++) {
		bool empty;

		if (disk_layer_is_empty(target.set.disks[n], &empty, error, sizeof(error)) < 0)
			die("%s", error);
		if (!empty)
			die("%s: was written to since the last checkpoint, which would be lost; "
			    "make another checkpoint first, or give --discard",
			    target.set.disks[n]);
	}
}

/* The link is tried before anything changes. */
static void try_state(const struct checkpoint *node, const char *path)
{
	char state[PATH_MAX], trial[PATH_MAX];
	struct stat st;
	int r;

	if (lstat(path, &st) == 0)
		die("%s: saved state: %s; remove it, or give another place (--state)", path,
		    strerror(EEXIST));
	checkpoints_state_path(&target.set, node->id, state);
	if (snprintf(trial, sizeof(trial), "%s.new", path) >= (int)sizeof(trial))
		die("%s: %s", path, strerror(ENAMETOOLONG));
	(void)checkpoints_unlink(trial);
	r = checkpoints_link(state, trial);
	(void)checkpoints_unlink(trial);
	if (r < 0)
		die("%s: saved state: %s; give a place on the file system of %s", path,
		    strerror(-r), target.set.folder);
}

static int restore(const char *name, const struct checkpoint_verb_options *options)
{
	const struct checkpoint *node = find(name);
	char state[PATH_MAX], error[1024];

	if (target.machine)
		die("%s: is running; 'mainstay stop %s' first", target.name, target.name);
	if (!options->discard)
		refuse_loss();
	if (options->state)
		snprintf(state, sizeof(state), "%s", options->state);
	else
		default_state(state);
	if (node->has_state)
		try_state(node, state);
	if (checkpoints_restore(&target.set, node->id, state, error, sizeof(error)) < 0)
		die("%s", error);
	if (options->quiet)
		return EXIT_SUCCESS;
	if (checkpoints_by_name(&target.set, name)->has_state)
		printf("%s: restored; 'mainstay restore %s' goes on from there\n", name, state);
	else
		printf("%s: the disks are restored\n", name);
	return EXIT_SUCCESS;
}

/* --- delete --- */

static int delete (const char *name, const struct checkpoint_verb_options *options)
{
	const struct checkpoint *node = find(name);
	char error[1024];
	unsigned int left;

	if (checkpoints_hide(&target.set, node->id, error, sizeof(error)) < 0 ||
	    checkpoints_collapse(&target.set, target.machine, NULL, &left, error, sizeof(error)) <
		    0)
		die("%s", error);
	if (!options->quiet)
		printf("%s: deleted%s\n", name,
		       left ? "; its layers are merged later, when they are left with one child "
			      "and the machine is off"
			    : "");
	return EXIT_SUCCESS;
}

/* --- the verb --- */

static int list(void)
{
	list_below(NULL, 0);
	return EXIT_SUCCESS;
}

static int checkpoint_run(const struct verb *verb, int argc, char **argv)
{
	struct checkpoint_verb_options options = { 0 };
	int count = verb_parse(verb, &options, argc, argv, 2, 3), status;
	bool lists = !strcmp(argv[0], "list");

	if (!lists && strcmp(argv[0], "create") && strcmp(argv[0], "restore") &&
	    strcmp(argv[0], "delete"))
		die("checkpoint: %s: give create, list, restore or delete", argv[0]);
	if ((count == 3) == lists)
		die("checkpoint %s: needs the machine%s; 'mainstay checkpoint --help' says more",
		    argv[0], lists ? " only" : " and the checkpoint's name");
	open_target(argv[1], lists);
	status = lists			       ? (options.json ? list_json() : list())
		 : !strcmp(argv[0], "create")  ? create(argv[2], &options)
		 : !strcmp(argv[0], "restore") ? restore(argv[2], &options)
					       : delete (argv[2], &options);
	checkpoint_target_close(&target);
	return status;
}

static const struct opt checkpoint_options[] = {
	{ .name = "no-state",
	  .kind = OPT_FLAG,
	  .help = "create: the disks only, as after a loss of power",
	  .offset = offsetof(struct checkpoint_verb_options, no_state) },
	{ .name = "discard",
	  .kind = OPT_FLAG,
	  .help = "restore: lose what was written since the last checkpoint",
	  .offset = offsetof(struct checkpoint_verb_options, discard) },
	{ .name = "state",
	  .kind = OPT_STRING,
	  .argument = "FILE",
	  .help = "restore: where the saved state appears; DISK.state unless given",
	  .offset = offsetof(struct checkpoint_verb_options, state) },
	{ .name = "json",
	  .kind = OPT_FLAG,
	  .help = "list: print JSON",
	  .offset = offsetof(struct checkpoint_verb_options, json) },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPT_FLAG,
	  .help = "say nothing when it went well",
	  .offset = offsetof(struct checkpoint_verb_options, quiet) },
	{ .name = NULL },
};

const struct verb checkpoint_verb = {
	.name = "checkpoint",
	.arguments = "create|restore|delete MACHINE NAME, or list MACHINE",
	.summary = "keep a machine as it is now, and go back to that",
	.details = "MACHINE is the name of one that runs, or its .json file, or its only disk. A "
		   "checkpoint "
		   "of a\n"
		   "running machine has its state and its disks, one of a machine that is off the "
		   "disks. "
		   "They are\n"
		   "a tree in DISK.checkpoints beside the disk; the machine goes on in new layers. "
		   "restore "
		   "puts the\n"
		   "disks back and leaves a saved state for 'mainstay restore'; delete merges what "
		   "is not "
		   "needed\n"
		   "any more, while the machine runs too.\n",
	.examples = "  mainstay checkpoint create nt4 before-sp6\n"
		    "  mainstay checkpoint list nt4\n"
		    "  mainstay checkpoint restore nt4.vhd before-sp6 --discard\n"
		    "  mainstay checkpoint delete nt4 before-sp6\n",
	.options = checkpoint_options,
	.run = checkpoint_run,
};
