// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkpoint_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/parse.h"
#include "../vhd/vhd.h"

#define INDEX_BYTES_MAX (1u << 20)

void (*checkpoints_hook)(void);

void checkpoints_step(void)
{
	if (checkpoints_hook)
		checkpoints_hook();
}

static const char *const change_names[] = {
	[CHECKPOINT_NOTHING] = "",	  [CHECKPOINT_PREPARE] = "prepare",
	[CHECKPOINT_CREATE] = "create",	  [CHECKPOINT_RESTORE] = "restore",
	[CHECKPOINT_REPLACE] = "replace",
};

static int fail(char *error, size_t error_size, const char *path, int r, const char *advice)
{
	snprintf(error, error_size, "%s: checkpoints: %s%s", path, strerror(-r), advice);
	return r;
}

/* --- paths --- */

/* The disk's folder for what belongs to its checkpoints. */
static void folder_of(const char *disk, char ret_path[PATH_MAX])
{
	size_t length = strlen(disk);

	if (length > 4 && !strcasecmp(disk + length - 4, ".vhd"))
		length -= 4;
	snprintf(ret_path, PATH_MAX, "%.*s.checkpoints", (int)length, disk);
}

static void path_in(const char *folder, const char *kind, unsigned int id, const char *end,
		    char ret_path[PATH_MAX])
{
	char name[64];
	size_t length = strnlen(folder, PATH_MAX - sizeof(name) - 1);

	snprintf(name, sizeof(name), "/%s-%u%s", kind, id, end);
	memmove(ret_path, folder, length);
	strcpy(ret_path + length, name);
}

void checkpoints_layer_path(const struct checkpoints *set, unsigned int n, unsigned int id,
			    char ret_path[PATH_MAX])
{
	char folder[PATH_MAX];

	folder_of(set->disks[n], folder);
	path_in(folder, "layer", id, ".vhd", ret_path);
}

void checkpoints_draft_path(const struct checkpoints *set, unsigned int n, unsigned int draft,
			    char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%.*s.new-%u", PATH_MAX - 16, set->disks[n], draft);
}

void checkpoints_state_path(const struct checkpoints *set, unsigned int id, char ret_path[PATH_MAX])
{
	path_in(set->folder, "state", id, ".state", ret_path);
}

static void index_path(const struct checkpoints *set, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%.*s/index.json", PATH_MAX - 16, set->folder);
}

bool checkpoints_exist(const char *disk)
{
	struct checkpoints set = { .disk_count = 0 };
	char path[PATH_MAX];

	folder_of(disk, set.folder);
	index_path(&set, path);
	return access(path, F_OK) == 0;
}

/* --- changes of folders --- */

int checkpoints_link(const char *from, const char *to)
{
	checkpoints_step();
	return link(from, to) < 0 ? -errno : file_sync_entry(to);
}

int checkpoints_rename(const char *from, const char *to)
{
	int r;

	checkpoints_step();
	r = rename(from, to) < 0 ? -errno : file_sync_entry(to);
	return r < 0 ? r : file_sync_entry(from);
}

int checkpoints_unlink(const char *path)
{
	checkpoints_step();
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int checkpoints_measure(const struct checkpoints *set, unsigned int n, struct checkpoint *node)
{
	char path[PATH_MAX];
	struct stat st;

	checkpoints_layer_path(set, n, node->id, path);
	if (stat(path, &st) < 0)
		return -errno;
	node->layers[n].bytes = (uint64_t)st.st_size;
	node->layers[n].changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return 0;
}

/* --- the tree --- */

struct checkpoint *checkpoints_by_id(struct checkpoints *set, unsigned int id)
{
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->nodes[i].id == id)
			return &set->nodes[i];
	}
	return NULL;
}

struct checkpoint *checkpoints_by_name(struct checkpoints *set, const char *name)
{
	for (unsigned int i = 0; i < set->count && *name; i++) {
		if (!strcmp(set->nodes[i].name, name))
			return &set->nodes[i];
	}
	return NULL;
}

void checkpoints_remove(struct checkpoints *set, unsigned int id)
{
	struct checkpoint *node = checkpoints_by_id(set, id);

	if (!node)
		return;
	set->count--;
	memmove(node, node + 1, (size_t)(set->nodes + set->count - node) * sizeof(*node));
}

unsigned int checkpoints_children(const struct checkpoints *set, unsigned int id)
{
	unsigned int count = set->current == id;

	for (unsigned int i = 0; i < set->count; i++)
		count += set->nodes[i].parent == id;
	return count;
}

/* --- what nothing refers to --- */

/* "layer-3.vhd", "state-3.state"; drafts are nobody's, since whoever makes one has the lock. */
static bool is_ours(struct checkpoints *set, const char *name)
{
	struct checkpoint *node;
	unsigned int id;
	char rest[8];

	if (strstr(name, ".new-"))
		return false;
	if (sscanf(name, "layer-%u.%3s", &id, rest) == 2)
		return checkpoints_by_id(set, id);
	if (sscanf(name, "state-%u.%7s", &id, rest) != 2)
		return true;
	node = checkpoints_by_id(set, id);
	return node && node->has_state;
}

static void collect_in(struct checkpoints *set, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (is_ours(set, entry->d_name) || snprintf(path, sizeof(path), "%s/%s", folder,
							    entry->d_name) >= (int)sizeof(path))
			continue;
		(void)checkpoints_unlink(path);
	}
	if (dir)
		closedir(dir);
}

void checkpoints_collect(struct checkpoints *set)
{
	for (unsigned int n = 0; n < set->disk_count; n++) {
		char path[PATH_MAX];

		checkpoints_layer_path(set, n, 0, path);
		*strrchr(path, '/') = '\0';
		collect_in(set, path);
	}
}

/* --- writing --- */

static void add(json_object *to, const char *name, json_object *value)
{
	json_object_object_add(to, name, value);
}

static json_object *write_node(const struct checkpoints *set, const struct checkpoint *node)
{
	json_object *json = json_object_new_object(), *layers = json_object_new_array();
	char uuid[UUID_TEXT_SIZE];

	add(json, "id", json_object_new_int64(node->id));
	add(json, "parent", json_object_new_int64(node->parent));
	add(json, "name", json_object_new_string(node->name));
	add(json, "created", json_object_new_int64(node->created_unix));
	format_uuid(node->state_id, uuid);
	if (node->has_state)
		add(json, "state", json_object_new_string(uuid));
	for (unsigned int n = 0; n < set->disk_count; n++) {
		json_object *row = json_object_new_object();

		add(row, "bytes", json_object_new_uint64(node->layers[n].bytes));
		add(row, "changed_ns", json_object_new_int64(node->layers[n].changed_ns));
		json_object_array_add(layers, row);
	}
	add(json, "layers", layers);
	return json;
}

static json_object *write_pending(const struct checkpoints *set)
{
	const struct checkpoint_pending *pending = &set->pending;
	json_object *json = json_object_new_object();

	add(json, "change", json_object_new_string(change_names[pending->what]));
	add(json, "node", write_node(set, &pending->node));
	add(json, "draft", json_object_new_int64(pending->draft));
	add(json, "target", json_object_new_int64(pending->target));
	add(json, "state", json_object_new_string(pending->state));
	return json;
}

static json_object *write_index(const struct checkpoints *set)
{
	json_object *json = json_object_new_object();
	json_object *disks = json_object_new_array(), *nodes = json_object_new_array();

	add(json, "version", json_object_new_int(CHECKPOINT_VERSION));
	add(json, "next", json_object_new_int64(set->next));
	add(json, "current", json_object_new_int64(set->current));
	for (unsigned int n = 0; n < set->disk_count; n++) {
		const char *name = strrchr(set->disks[n], '/');

		json_object_array_add(disks,
				      json_object_new_string(name ? name + 1 : set->disks[n]));
	}
	add(json, "disks", disks);
	for (unsigned int i = 0; i < set->count; i++)
		json_object_array_add(nodes, write_node(set, &set->nodes[i]));
	add(json, "checkpoints", nodes);
	if (set->pending.what != CHECKPOINT_NOTHING)
		add(json, "pending", write_pending(set));
	return json;
}

static int make_folders(const struct checkpoints *set)
{
	for (unsigned int n = 0; n < set->disk_count; n++) {
		char folder[PATH_MAX];
		struct stat st;

		folder_of(set->disks[n], folder);
		if (mkdir(folder, 0700) < 0) {
			if (errno != EEXIST)
				return -errno;
			continue;
		}
		/* Whose disk it is, his folder. */
		if (geteuid() == 0 && stat(set->disks[n], &st) == 0 &&
		    chown(folder, st.st_uid, st.st_gid) < 0)
			return -errno;
		if (file_sync_entry(folder) < 0)
			return -EIO;
	}
	return 0;
}

static void remove_folders(struct checkpoints *set)
{
	char folder[PATH_MAX], path[PATH_MAX];

	index_path(set, path);
	(void)checkpoints_unlink(path);
	checkpoints_collect(set);
	snprintf(path, sizeof(path), "%.*s/lock", PATH_MAX - 16, set->folder);
	(void)checkpoints_unlink(path);
	for (unsigned int n = 0; n < set->disk_count; n++) {
		folder_of(set->disks[n], folder);
		rmdir(folder);
	}
}

static int take_lock(struct checkpoints *set)
{
	char path[PATH_MAX];
	int r;

	if (set->lock_fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%.*s/lock", PATH_MAX - 16, set->folder);
	set->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (set->lock_fd < 0)
		return -errno;
	r = vhd_lock(set->lock_fd, true);
	if (r < 0)
		set->lock_fd = fd_close(set->lock_fd);
	return r;
}

int checkpoints_store(struct checkpoints *set, char *error, size_t error_size)
{
	char path[PATH_MAX];
	json_object *json;
	const char *text;
	int r = make_folders(set);

	if (r == 0)
		r = take_lock(set);
	if (r < 0)
		return fail(error, error_size, set->folder, r, "");
	if (!set->count && set->pending.what == CHECKPOINT_NOTHING) {
		remove_folders(set);
		return 0;
	}
	json = write_index(set);
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_PRETTY_TAB);
	index_path(set, path);
	checkpoints_step();
	r = text ? file_replace(path, text, strlen(text), 0600) : -ENOMEM;
	json_object_put(json);
	return r < 0 ? fail(error, error_size, path, r, "") : 0;
}

/* --- reading --- */

static int64_t get_number(json_object *json, const char *name, int64_t max, bool *bad)
{
	json_object *value = NULL;
	int64_t number;

	json_object_object_get_ex(json, name, &value);
	number = json_object_get_int64(value);
	*bad |= !json_object_is_type(value, json_type_int) || number < 0 || number > max;
	return *bad ? 0 : number;
}

static const char *get_text(json_object *json, const char *name, size_t max, bool *bad)
{
	json_object *value = NULL;

	json_object_object_get_ex(json, name, &value);
	if (!json_object_is_type(value, json_type_string) ||
	    (size_t)json_object_get_string_len(value) > max) {
		*bad = true;
		return "";
	}
	return json_object_get_string(value);
}

static json_object *get_array(json_object *json, const char *name, size_t max, bool *bad)
{
	json_object *value = NULL;

	json_object_object_get_ex(json, name, &value);
	*bad |= !json_object_is_type(value, json_type_array) ||
		json_object_array_length(value) > max;
	return *bad ? NULL : value;
}

static void read_node(const struct checkpoints *set, json_object *json, struct checkpoint *node,
		      bool *bad)
{
	json_object *layers = get_array(json, "layers", MACHINE_DISKS_MAX, bad), *state = NULL;

	node->id = (unsigned int)get_number(json, "id", INT_MAX, bad);
	node->parent = (unsigned int)get_number(json, "parent", INT_MAX, bad);
	strcpy(node->name, get_text(json, "name", CHECKPOINT_NAME_MAX, bad));
	node->created_unix = get_number(json, "created", INT64_MAX, bad);
	if (json_object_object_get_ex(json, "state", &state)) {
		node->has_state = true;
		*bad |= !json_object_is_type(state, json_type_string) ||
			parse_uuid(json_object_get_string(state), node->state_id) < 0;
	}
	*bad |= !layers || json_object_array_length(layers) != set->disk_count;
	for (unsigned int n = 0; n < set->disk_count && !*bad; n++) {
		json_object *row = json_object_array_get_idx(layers, n);

		node->layers[n].bytes = (uint64_t)get_number(row, "bytes", INT64_MAX, bad);
		node->layers[n].changed_ns = get_number(row, "changed_ns", INT64_MAX, bad);
	}
}

static void read_pending(struct checkpoints *set, json_object *json, bool *bad)
{
	struct checkpoint_pending *pending = &set->pending;
	json_object *node = NULL;
	const char *name = get_text(json, "change", 16, bad);

	for (unsigned int i = 1; i < ARRAY_LEN(change_names); i++) {
		if (!strcmp(name, change_names[i]))
			pending->what = (enum checkpoint_change)i;
	}
	*bad |= pending->what == CHECKPOINT_NOTHING ||
		!json_object_object_get_ex(json, "node", &node);
	read_node(set, node, &pending->node, bad);
	pending->draft = (unsigned int)get_number(json, "draft", INT_MAX, bad);
	pending->target = (unsigned int)get_number(json, "target", INT_MAX, bad);
	strcpy(pending->state, get_text(json, "state", PATH_MAX - 1, bad));
}

/* A node's parent comes before it, so that there are no rings. */
static bool tree_is_sound(struct checkpoints *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		const struct checkpoint *node = &set->nodes[i];

		if (!node->id || node->id >= set->next)
			return false;
		for (unsigned int k = 0; k < i; k++) {
			if (set->nodes[k].id == node->id)
				return false;
		}
		if (node->parent && checkpoints_by_id(set, node->parent) >= node)
			return false;
		if (node->parent && !checkpoints_by_id(set, node->parent))
			return false;
	}
	return !set->current || checkpoints_by_id(set, set->current);
}

/* -EUCLEAN: no index of ours; -EMEDIUMTYPE: of other disks; -EPROTONOSUPPORT: newer. */
static int read_index(struct checkpoints *set, json_object *json)
{
	bool bad = !json_object_is_type(json, json_type_object);
	json_object *disks, *nodes, *pending = NULL;

	if (!bad && get_number(json, "version", INT_MAX, &bad) > CHECKPOINT_VERSION)
		return -EPROTONOSUPPORT;
	disks = get_array(json, "disks", MACHINE_DISKS_MAX, &bad);
	nodes = get_array(json, "checkpoints", CHECKPOINTS_MAX, &bad);
	if (bad)
		return -EUCLEAN;
	set->next = (unsigned int)get_number(json, "next", INT_MAX, &bad);
	set->current = (unsigned int)get_number(json, "current", INT_MAX, &bad);
	if (json_object_array_length(disks) != set->disk_count)
		return -EMEDIUMTYPE;
	for (unsigned int n = 0; n < set->disk_count; n++) {
		json_object *file = json_object_array_get_idx(disks, n);
		const char *name = strrchr(set->disks[n], '/');

		if (!json_object_is_type(file, json_type_string) ||
		    strcmp(json_object_get_string(file), name ? name + 1 : set->disks[n]))
			return -EMEDIUMTYPE;
	}
	for (size_t i = 0; i < json_object_array_length(nodes) && !bad; i++)
		read_node(set, json_object_array_get_idx(nodes, i), &set->nodes[set->count++],
			  &bad);
	if (json_object_object_get_ex(json, "pending", &pending))
		read_pending(set, pending, &bad);
	return bad || !tree_is_sound(set) ? -EUCLEAN : 0;
}

static int load(struct checkpoints *set, char *error, size_t error_size)
{
	char path[PATH_MAX], *text;
	json_object *json;
	size_t size;
	int r;

	index_path(set, path);
	r = file_read(path, INDEX_BYTES_MAX, &text, &size);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail(error, error_size, path, r, "");
	json = json_tokener_parse(text);
	free(text);
	r = read_index(set, json);
	json_object_put(json);
	if (r == -EMEDIUMTYPE)
		snprintf(
			error, error_size,
			"%s: checkpoints: are of a machine with other disks; give all of its disks",
			path);
	else if (r == -EPROTONOSUPPORT)
		snprintf(error, error_size, "%s: checkpoints: were made by a newer version", path);
	else if (r < 0)
		snprintf(error, error_size,
			 "%s: checkpoints: the index is damaged; put it back from a backup", path);
	return r;
}

int checkpoints_open(struct checkpoints *set, char *error, size_t error_size)
{
	struct stat st;
	int r = 0;

	set->lock_fd = -1;
	set->next = 1;
	set->current = set->count = 0;
	set->pending = (struct checkpoint_pending){ .what = CHECKPOINT_NOTHING };
	if (!set->disk_count) {
		snprintf(error, error_size,
			 "the machine has no VHD that is written to, so it has no checkpoints");
		return -ENODEV;
	}
	if (strlen(set->disks[0]) > PATH_MAX - 100)
		return fail(error, error_size, set->disks[0], -ENAMETOOLONG, "");
	folder_of(set->disks[0], set->folder);
	if (!set->look && stat(set->folder, &st) == 0)
		r = take_lock(set);
	if (r < 0)
		return fail(error, error_size, set->folder, r,
			    r == -EBUSY ? "; another program changes them: wait for it" : "");
	r = load(set, error, error_size);
	if (r < 0)
		checkpoints_close(set);
	return r;
}

void checkpoints_close(struct checkpoints *set)
{
	set->lock_fd = fd_close(set->lock_fd);
}
