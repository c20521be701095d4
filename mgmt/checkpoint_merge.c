// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A hidden node that is left with one child is superfluous: what its child's layers hold is written into its
 * own, which changes nothing of what anybody reads through the child, and then they take the child's place. The
 * id of a layer stays, since a guest sees the root's as its disk's serial number; so the child's children are told
 * their parent's new id.
 *
 * The child may be the machine's own disks. While that runs they change; so another hidden node is made below
 * them, whose layers stand still and are merged while the guest goes on. That is done until little is left,
 * which is merged while the machine is held, and it goes on with the merged files.
 */
#include "checkpoint_change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../vhd/vhd.h"
#include "checkpoint_steps.h"
#include "disk_layer.h"
#include "machine_layers.h"

#define FEW_BYTES (8u << 20) /* on the host's disk: merged while the machine stands */
#define ROUNDS_MAX 8

/* A run of hidden nodes, each the only child of the one before, and what comes behind it. */
struct merge {
	struct checkpoints *set;
	struct client *machine;
	const struct vhd_job *job;
	unsigned int ids[CHECKPOINTS_MAX], count;
	unsigned int merged; /* so many of them are in the first one's layers */
	unsigned int target; /* 0: the machine's disks */
};

/* --- taking their place --- */

static int relate_children(struct checkpoints *set, unsigned int id, char *error, size_t error_size)
{
	char child[PATH_MAX], parent[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count; n++) {
		checkpoints_layer_path(set, n, id, parent);
		for (unsigned int i = 0; i < set->count && r == 0; i++) {
			if (set->nodes[i].parent != id)
				continue;
			checkpoints_layer_path(set, n, set->nodes[i].id, child);
			checkpoints_step();
			r = disk_layer_relate(child, child, parent, error, error_size);
			if (r == 0)
				r = checkpoints_measure(set, n, &set->nodes[i]);
		}
		if (r == 0 && set->current == id) {
			checkpoints_step();
			r = disk_layer_relate(set->disks[n], set->disks[n], parent, error,
					      error_size);
		}
	}
	return r;
}

/* From the merged node down to the target, which keeps its name. */
static void forget_nodes(struct checkpoints *set, unsigned int id, unsigned int target)
{
	unsigned int at = target ? checkpoints_by_id(set, target)->parent : set->current;
	unsigned int above = checkpoints_by_id(set, id)->parent;

	while (at && at != above) {
		unsigned int up = checkpoints_by_id(set, at)->parent;

		checkpoints_remove(set, at);
		at = up;
	}
	if (target)
		checkpoints_by_id(set, target)->parent = above;
	else
		set->current = above;
}

int checkpoints_complete_replace(struct checkpoints *set, char *error, size_t error_size)
{
	unsigned int id = set->pending.node.id, target = set->pending.target;
	struct checkpoint *node;
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	int r = 0;

	if (!checkpoints_by_id(set, id) || (target && !checkpoints_by_id(set, target))) {
		snprintf(error, error_size, "%s: checkpoints: the index is damaged", set->folder);
		return -EUCLEAN;
	}
	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		checkpoints_layer_path(set, n, id, from);
		if (target)
			checkpoints_layer_path(set, n, target, to);
		else
			strcpy(to, set->disks[n]);
		if (lstat(from, &st) == 0)
			r = checkpoints_rename(from, to);
		if (r < 0)
			snprintf(error, error_size, "%s: %s", from, strerror(-r));
	}
	if (r == 0 && target)
		r = relate_children(set, target, error, error_size);
	if (r < 0)
		return r;
	forget_nodes(set, id, target);
	node = target ? checkpoints_by_id(set, target) : NULL;
	for (unsigned int n = 0; node && n < set->disk_count; n++)
		(void)checkpoints_measure(set, n, node);
	return checkpoints_end_pending(set, error, error_size);
}

/* --- merging --- */

static int counted_progress(uint64_t done, uint64_t all, void *opaque)
{
	const struct vhd_job *job = opaque;

	checkpoints_step();
	return job && job->progress ? job->progress(done, all, job->opaque) : 0;
}

/* The layers of @id (0: the disks themselves) into those of the run's first node. */
static int merge_node(struct merge *merge, unsigned int id, char *error, size_t error_size)
{
	const struct vhd_job job = { counted_progress, (void *)(uintptr_t)merge->job };
	char from[PATH_MAX], into[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < merge->set->disk_count && r == 0; n++) {
		checkpoints_layer_path(merge->set, n, merge->ids[0], into);
		if (id)
			checkpoints_layer_path(merge->set, n, id, from);
		else
			strcpy(from, merge->set->disks[n]);
		checkpoints_step();
		r = disk_layer_merge(from, into, &job, error, error_size);
	}
	return r;
}

static int merge_run(struct merge *merge, char *error, size_t error_size)
{
	int r = 0;

	for (; merge->merged < merge->count && r == 0; merge->merged++) {
		r = merge_node(merge, merge->ids[merge->merged], error, error_size);
		if (r < 0)
			break;
	}
	return r;
}

static int begin_replace(struct merge *merge, char *error, size_t error_size)
{
	merge->set->pending = (struct checkpoint_pending){
		.what = CHECKPOINT_REPLACE,
		.node = *checkpoints_by_id(merge->set, merge->ids[0]),
		.target = merge->target,
	};
	return checkpoints_store(merge->set, error, error_size);
}

static int merge_into_node(struct merge *merge, char *error, size_t error_size)
{
	int r = merge_run(merge, error, error_size);

	if (r == 0)
		r = merge_node(merge, merge->target, error, error_size);
	if (r == 0)
		r = begin_replace(merge, error, error_size);
	return r < 0 ? r : checkpoints_complete_replace(merge->set, error, error_size);
}

/* --- below the machine's disks --- */

/* The merged layers become disks: with no mark, and where they will stand their parent has another way. */
static int prepare_disks(struct merge *merge, char *error, size_t error_size)
{
	struct checkpoints *set = merge->set;
	unsigned int parent = checkpoints_by_id(set, merge->ids[0])->parent;
	char layer[PATH_MAX], above[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		checkpoints_layer_path(set, n, merge->ids[0], layer);
		checkpoints_step();
		r = disk_layer_mark(layer, false, error, error_size);
		checkpoints_layer_path(set, n, parent, above);
		if (r == 0 && parent)
			r = disk_layer_relate(layer, set->disks[n], above, error, error_size);
	}
	return r;
}

/* The disks stand still, held or without a machine, and are marked. */
static int merge_disks(struct merge *merge, struct machine_layers *machine, char *error,
		       size_t error_size)
{
	char layers[MACHINE_DISKS_MAX][PATH_MAX];
	int r;

	for (unsigned int n = 0; n < merge->set->disk_count; n++)
		checkpoints_layer_path(merge->set, n, merge->ids[0], layers[n]);
	r = machine ? machine_layers_hold(machine, -1, error, error_size)
		    : checkpoints_mark_disks(merge->set, true, error, error_size);
	if (r == 0)
		r = merge_node(merge, 0, error, error_size);
	if (r == 0)
		r = prepare_disks(merge, error, error_size);
	if (r == 0)
		r = begin_replace(merge, error, error_size);
	if (r == 0 && machine)
		r = machine_layers_switch(machine, merge->set, layers, NULL, error, error_size);
	return r;
}

static int merge_into_disks(struct merge *merge, char *error, size_t error_size)
{
	struct machine_layers layers = { .session = -1 };
	struct machine_layers *machine = merge->machine ? &layers : NULL;
	char ignored[VHD_ERROR_BYTES];
	int r = merge_run(merge, error, error_size);

	if (r == 0 && machine)
		r = machine_layers_begin(&layers, merge->set, merge->machine, error, error_size);
	if (r < 0)
		return r;
	merge->set->pending = (struct checkpoint_pending){ .what = CHECKPOINT_PREPARE };
	r = checkpoints_store(merge->set, error, error_size);
	if (r == 0)
		r = merge_disks(merge, machine, error, error_size);
	machine_layers_end(&layers);
	if (r == 0)
		return checkpoints_complete_replace(merge->set, error, error_size);
	if (machine && merge->set->pending.what == CHECKPOINT_REPLACE) {
		(void)checkpoints_settle(merge->set, merge->machine, ignored, sizeof(ignored));
		return r;
	}
	if (!machine)
		(void)checkpoints_mark_disks(merge->set, false, ignored, sizeof(ignored));
	(void)checkpoints_end_pending(merge->set, ignored, sizeof(ignored));
	return r;
}

static uint64_t bytes_of_disks(const struct checkpoints *set)
{
	uint64_t bytes = 0;
	struct stat st;

	for (unsigned int n = 0; n < set->disk_count; n++) {
		if (stat(set->disks[n], &st) == 0)
			bytes += (uint64_t)st.st_blocks * 512;
	}
	return bytes;
}

/* While its guest goes on, until there is little left. */
static int shrink_disks(struct merge *merge, char *error, size_t error_size)
{
	const struct checkpoint_options hidden = { .name = "" };
	int r = merge_run(merge, error, error_size);

	for (unsigned int i = 0; i < ROUNDS_MAX && r == 0; i++) {
		unsigned int id;

		if (bytes_of_disks(merge->set) <= FEW_BYTES || merge->set->count == CHECKPOINTS_MAX)
			break;
		r = checkpoints_create(merge->set, merge->machine, &hidden, &id, error, error_size);
		if (r < 0)
			break;
		merge->ids[merge->count++] = id;
		r = merge_run(merge, error, error_size);
	}
	return r;
}

/* --- the whole tree --- */

/* The only child of @id: a node, or 0 for the disks. */
static unsigned int only_child(const struct checkpoints *set, unsigned int id)
{
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->nodes[i].parent == id)
			return set->nodes[i].id;
	}
	return 0;
}

static void find_run(struct merge *merge, unsigned int id)
{
	struct checkpoints *set = merge->set;

	merge->count = 0;
	merge->merged = 1;
	for (;;) {
		const struct checkpoint *node = checkpoints_by_id(set, id);

		if (!id || *node->name || checkpoints_children(set, id) != 1)
			break;
		merge->ids[merge->count++] = id;
		id = only_child(set, id);
	}
	merge->target = id;
}

/* What belongs to a saved state stays as it is, and a running machine's disks know their parent by its id. */
static bool has_to_wait(const struct merge *merge)
{
	bool marked = false;
	char ignored[VHD_ERROR_BYTES];

	if (merge->target && merge->set->current != merge->target)
		return false;
	if (merge->target && merge->machine)
		return true;
	for (unsigned int n = 0; n < merge->set->disk_count && !merge->machine && !marked; n++) {
		if (disk_layer_is_marked(merge->set->disks[n], &marked, ignored, sizeof(ignored)) <
		    0)
			return true;
	}
	return marked;
}

int checkpoints_hide(struct checkpoints *set, unsigned int id, char *error, size_t error_size)
{
	struct checkpoint *node = checkpoints_by_id(set, id);

	node->name[0] = '\0';
	node->has_state = false;
	return checkpoints_end_pending(set, error, error_size);
}

/* 1: something has changed; 0: nothing is left to be done to this node now. */
static int collapse_one(struct merge *merge, unsigned int id, char *error, size_t error_size)
{
	struct checkpoints *set = merge->set;
	unsigned int children = checkpoints_children(set, id);
	int r;

	if (children > 1)
		return 0;
	if (!children) {
		checkpoints_remove(set, id);
		r = checkpoints_end_pending(set, error, error_size);
		return r < 0 ? r : 1;
	}
	find_run(merge, id);
	if (has_to_wait(merge))
		return 0;
	if (merge->target)
		r = merge_into_node(merge, error, error_size);
	else
		r = merge->machine ? shrink_disks(merge, error, error_size) : 0;
	if (r == 0 && !merge->target)
		r = merge_into_disks(merge, error, error_size);
	return r < 0 ? r : 1;
}

int checkpoints_collapse(struct checkpoints *set, struct client *machine, const struct vhd_job *job,
			 unsigned int *ret_left, char *error, size_t error_size)
{
	struct merge merge = { .set = set, .machine = machine, .job = job };

	*ret_left = 0;
	for (unsigned int i = 0; i < set->count;) {
		int r = *set->nodes[i].name
				? 0
				: collapse_one(&merge, set->nodes[i].id, error, error_size);

		if (r < 0)
			return r;
		*ret_left += r ? 0 : !*set->nodes[i].name;
		i = r ? 0 : i + 1;
		if (r)
			*ret_left = 0;
	}
	return 0;
}
