// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * Every change has one moment at which it counts: when the index with its pending change is on stable
 * storage, and, where a machine runs, when that goes on in the new files. Before it the change is undone,
 * after it completed, by steps of which each may have been done already.
 *
 * A new layer is made at its draft name beside the disk. The old file gets its name as a layer by a link, so
 * that it has both; then the draft is renamed to the disk's name.
 *
 * Whether a machine that ran when we died has gone on in the new files it says itself, by their inodes. If it is
 * gone too (a loss of power), the mark of the old file says it: a machine marks its disks when it is held
 * and takes the marks away when it goes on with them. If it was held, both are the same.
 */
#include "checkpoint_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "checkpoint_steps.h"
#include "disk_layer.h"
#include "machine_layers.h"
#include "state_file.h"

static int fail(char *error, size_t error_size, const char *path, int r)
{
	snprintf(error, error_size, "%s: %s", path, strerror(-r));
	return r;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, two;

	return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

/* --- locks --- */

int checkpoints_lock_disks(struct checkpoints *set, int fds[MACHINE_DISKS_MAX], char *error,
			   size_t error_size)
{
	int r = 0;

	for (unsigned int n = 0; n < MACHINE_DISKS_MAX; n++)
		fds[n] = -1;
	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		fds[n] = open(set->disks[n], O_RDWR | O_CLOEXEC);
		r = fds[n] < 0 ? -errno : vhd_lock(fds[n], true);
		if (r == -EBUSY)
			snprintf(error, error_size,
				 "%s: is in use by another program; if it is a machine, give its "
				 "name ('mainstay list')",
				 set->disks[n]);
		else if (r < 0)
			fail(error, error_size, set->disks[n], r);
	}
	if (r < 0)
		checkpoints_unlock_disks(fds);
	return r;
}

void checkpoints_unlock_disks(int fds[MACHINE_DISKS_MAX])
{
	for (unsigned int n = 0; n < MACHINE_DISKS_MAX; n++)
		fds[n] = fd_close(fds[n]);
}

/* --- steps --- */

int checkpoints_end_pending(struct checkpoints *set, char *error, size_t error_size)
{
	int r;

	set->pending = (struct checkpoint_pending){ .what = CHECKPOINT_NOTHING };
	r = checkpoints_store(set, error, error_size);
	if (r == 0)
		checkpoints_collect(set);
	return r;
}

int checkpoints_mark_disks(const struct checkpoints *set, bool marked, char *error,
			   size_t error_size)
{
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		checkpoints_step();
		r = disk_layer_mark(set->disks[n], marked, error, error_size);
	}
	return r;
}

/* --- making one --- */

/* Before it counts. The disks are what they were; @unmark: no machine runs that does it itself. */
static int undo_create(struct checkpoints *set, bool unmark, char *error, size_t error_size)
{
	char path[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count; n++) {
		checkpoints_draft_path(set, n, set->pending.draft, path);
		if (set->pending.draft)
			(void)checkpoints_unlink(path);
	}
	if (unmark)
		r = checkpoints_mark_disks(set, false, error, error_size);
	return r < 0 ? r : checkpoints_end_pending(set, error, error_size);
}

static int complete_create(struct checkpoints *set, char *error, size_t error_size)
{
	const struct checkpoint *node = &set->pending.node;
	char draft[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		checkpoints_draft_path(set, n, set->pending.draft, draft);
		if (exists(draft))
			r = checkpoints_rename(draft, set->disks[n]);
		if (r < 0)
			return fail(error, error_size, draft, r);
	}
	if (!checkpoints_by_id(set, node->id))
		set->nodes[set->count++] = *node;
	set->current = node->id;
	return checkpoints_end_pending(set, error, error_size);
}

/* The old files' names as layers, and the new ones at their drafts. */
static int make_layers(struct checkpoints *set, char *error, size_t error_size)
{
	struct checkpoint *node = &set->pending.node;
	char layer[PATH_MAX], draft[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		checkpoints_layer_path(set, n, node->id, layer);
		checkpoints_draft_path(set, n, set->pending.draft, draft);
		r = checkpoints_link(set->disks[n], layer);
		if (r == -EPERM || r == -EOPNOTSUPP || r == -EXDEV) {
			snprintf(error, error_size,
				 "%s: its file system has no links, which checkpoints need; move "
				 "the disk to another",
				 set->disks[n]);
			return r;
		}
		if (r < 0)
			return fail(error, error_size, layer, r);
		r = checkpoints_measure(set, n, node);
		if (r < 0)
			return fail(error, error_size, layer, r);
		checkpoints_step();
		r = disk_layer_make(draft, set->disks[n], layer, error, error_size);
	}
	return r;
}

/* The state gets its name; its identity is in the index. */
static int keep_state(struct checkpoints *set, struct state_draft *draft, char *error,
		      size_t error_size)
{
	struct checkpoint *node = &set->pending.node;
	struct statefile file;
	char why[256];
	int r = statefile_open(&file, draft->fd, why, sizeof(why));

	if (r < 0) {
		snprintf(error, error_size, "%s: %s", draft->path, why);
		return r;
	}
	memcpy(node->state_id, file.header.id, sizeof(node->state_id));
	node->has_state = true;
	statefile_close(&file);
	checkpoints_step();
	return state_draft_commit(draft, error, error_size);
}

static int prepare(struct checkpoints *set, const struct checkpoint_options *options, char *error,
		   size_t error_size)
{
	struct checkpoint_pending *pending = &set->pending;

	if (set->count == CHECKPOINTS_MAX) {
		snprintf(error, error_size, "%s: has %d checkpoints, which is as many as fit",
			 set->folder, CHECKPOINTS_MAX);
		return -E2BIG;
	}
	if (*options->name && checkpoints_by_name(set, options->name)) {
		snprintf(error, error_size,
			 "%s: there is a checkpoint of this name; delete it, or "
			 "give another",
			 options->name);
		return -EEXIST;
	}
	*pending = (struct checkpoint_pending){ .what = CHECKPOINT_PREPARE, .draft = set->next };
	pending->node.id = set->next++;
	pending->node.parent = set->current;
	pending->node.created_unix = time(NULL);
	snprintf(pending->node.name, sizeof(pending->node.name), "%s", options->name);
	return checkpoints_store(set, error, error_size);
}

/* No machine runs: the disks' own words that none of them is part of a saved state. */
static int refuse_saved(const struct checkpoints *set, char *error, size_t error_size)
{
	for (unsigned int n = 0; n < set->disk_count; n++) {
		bool marked;
		int r = disk_layer_is_marked(set->disks[n], &marked, error, error_size);

		if (r < 0)
			return r;
		if (!marked)
			continue;
		snprintf(error, error_size,
			 "%s: belongs to the saved state of a machine; restore that first, or give "
			 "it "
			 "up ('mainstay run --discard-state')",
			 set->disks[n]);
		return -EPERM;
	}
	return 0;
}

static int carry_out_create(struct checkpoints *set, struct machine_layers *machine,
			    const struct checkpoint_options *options, struct state_draft *draft,
			    char *error, size_t error_size)
{
	char drafts[MACHINE_DISKS_MAX][PATH_MAX];
	int r;

	for (unsigned int n = 0; n < set->disk_count; n++)
		checkpoints_draft_path(set, n, set->pending.draft, drafts[n]);
	r = machine ? machine_layers_hold(machine, draft->fd, error, error_size)
		    : checkpoints_mark_disks(set, true, error, error_size);
	if (r == 0)
		r = make_layers(set, error, error_size);
	if (r == 0 && draft->fd >= 0)
		r = keep_state(set, draft, error, error_size);
	if (r < 0)
		return r;
	set->pending.what = CHECKPOINT_CREATE;
	r = checkpoints_store(set, error, error_size);
	if (r == 0 && machine)
		r = machine_layers_switch(machine, set, drafts, options->ret_stopped_ns, error,
					  error_size);
	return r;
}

int checkpoints_create(struct checkpoints *set, struct client *client,
		       const struct checkpoint_options *options, unsigned int *ret_id, char *error,
		       size_t error_size)
{
	struct state_draft draft = { .fd = -1 };
	struct machine_layers layers = { .session = -1 }, *machine = client ? &layers : NULL;
	char state[PATH_MAX], ignored[VHD_ERROR_BYTES];
	int r = client ? machine_layers_begin(&layers, set, client, error, error_size)
		       : refuse_saved(set, error, error_size);

	if (r < 0)
		return r;
	r = prepare(set, options, error, error_size);
	if (r < 0) {
		machine_layers_end(&layers);
		return r;
	}
	checkpoints_state_path(set, set->pending.node.id, state);
	if (client && options->state)
		r = state_draft_new(&draft, state, error, error_size);
	*ret_id = set->pending.node.id;
	if (r == 0)
		r = carry_out_create(set, machine, options, &draft, error, error_size);
	/* Before what it may still be writing to goes. */
	machine_layers_end(&layers);
	state_draft_discard(&draft);
	if (r == 0)
		return complete_create(set, error, error_size);
	if (set->pending.what == CHECKPOINT_CREATE && client)
		(void)checkpoints_settle(set, client, ignored, sizeof(ignored));
	else
		(void)undo_create(set, !client, ignored, sizeof(ignored));
	return r;
}

/* --- going back to one --- */

int checkpoints_check_layers(const struct checkpoints *set, const struct checkpoint *node,
			     char *error, size_t error_size)
{
	for (unsigned int n = 0; n < set->disk_count; n++) {
		struct checkpoint now = *node;
		char path[PATH_MAX];
		int r = checkpoints_measure(set, n, &now);

		checkpoints_layer_path(set, n, node->id, path);
		if (r < 0)
			return fail(error, error_size, path, r);
		if (now.layers[n].bytes == node->layers[n].bytes &&
		    now.layers[n].changed_ns == node->layers[n].changed_ns)
			continue;
		snprintf(error, error_size,
			 "%s: was changed since the checkpoint was made, which cannot be used any "
			 "more",
			 path);
		return -EUCLEAN;
	}
	return 0;
}

static int complete_restore(struct checkpoints *set, char *error, size_t error_size)
{
	struct checkpoint_pending *pending = &set->pending;
	char path[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		checkpoints_draft_path(set, n, pending->draft, path);
		if (exists(path))
			r = checkpoints_rename(path, set->disks[n]);
		if (r < 0)
			return fail(error, error_size, set->disks[n], r);
	}
	checkpoints_state_path(set, pending->node.id, path);
	if (*pending->state && !is_same_file(path, pending->state))
		r = checkpoints_link(path, pending->state);
	if (r < 0)
		return fail(error, error_size, pending->state, r);
	set->current = pending->node.id;
	return checkpoints_end_pending(set, error, error_size);
}

static int make_restored(struct checkpoints *set, const struct checkpoint *node, char *error,
			 size_t error_size)
{
	char layer[PATH_MAX], draft[PATH_MAX];
	int r = 0;

	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		checkpoints_layer_path(set, n, node->id, layer);
		checkpoints_draft_path(set, n, set->pending.draft, draft);
		checkpoints_step();
		r = disk_layer_make(draft, set->disks[n], layer, error, error_size);
		/* As a machine leaves its disks when it is saved. */
		if (r == 0 && node->has_state)
			r = disk_layer_mark(draft, true, error, error_size);
	}
	return r;
}

int checkpoints_restore(struct checkpoints *set, unsigned int id, const char *state, char *error,
			size_t error_size)
{
	const struct checkpoint *node = checkpoints_by_id(set, id);
	char ignored[VHD_ERROR_BYTES];
	int r = checkpoints_check_layers(set, node, error, error_size);

	if (r < 0)
		return r;
	set->pending = (struct checkpoint_pending){
		.what = CHECKPOINT_PREPARE,
		.node = *node,
		.draft = set->next++,
	};
	/* Nothing is undone of the disks but their drafts: they are not marked. */
	r = checkpoints_store(set, error, error_size);
	if (r == 0)
		r = make_restored(set, node, error, error_size);
	if (r < 0) {
		(void)undo_create(set, false, ignored, sizeof(ignored));
		return r;
	}
	set->pending.what = CHECKPOINT_RESTORE;
	if (node->has_state)
		snprintf(set->pending.state, sizeof(set->pending.state), "%s", state);
	r = checkpoints_store(set, error, error_size);
	return r < 0 ? r : complete_restore(set, error, error_size);
}

/* --- what was begun --- */

/* Whether what is pending counts: all disks are on their new files. */
static int went_on(struct checkpoints *set, const struct machine_layers *machine, bool *ret_went,
		   char *error, size_t error_size)
{
	bool replaces = set->pending.what == CHECKPOINT_REPLACE;
	char fresh[PATH_MAX], old[PATH_MAX];

	*ret_went = true;
	for (unsigned int n = 0; n < set->disk_count; n++) {
		bool marked = true;
		int r = 0;

		checkpoints_layer_path(set, n, set->pending.node.id, replaces ? fresh : old);
		if (replaces)
			strcpy(old, set->disks[n]);
		else
			checkpoints_draft_path(set, n, set->pending.draft, fresh);
		if (!exists(fresh))
			continue; /* has its name already */
		if (machine)
			*ret_went &= machine_layers_uses(machine, n, fresh);
		else
			r = disk_layer_is_marked(old, &marked, error, error_size);
		if (r < 0)
			return r;
		*ret_went &= marked;
	}
	return 0;
}

static int settle_pending(struct checkpoints *set, const struct machine_layers *machine,
			  char *error, size_t error_size)
{
	const struct checkpoint_pending *pending = &set->pending;
	bool went = true;
	int r = 0;

	if (pending->what == CHECKPOINT_CREATE ||
	    (pending->what == CHECKPOINT_REPLACE && !pending->target))
		r = went_on(set, machine, &went, error, error_size);
	if (r < 0)
		return r;
	switch (pending->what) {
	case CHECKPOINT_CREATE:
		if (went)
			return complete_create(set, error, error_size);
		break;
	case CHECKPOINT_RESTORE:
		return complete_restore(set, error, error_size);
	case CHECKPOINT_REPLACE:
		if (went)
			return checkpoints_complete_replace(set, error, error_size);
		break;
	default:
		break;
	}
	/* A node that exists already is one to go back to: nothing was marked for that. */
	return undo_create(set,
			   !machine && (pending->what == CHECKPOINT_CREATE ||
					(pending->what == CHECKPOINT_PREPARE &&
					 !checkpoints_by_id(set, pending->node.id))),
			   error, error_size);
}

int checkpoints_settle(struct checkpoints *set, struct client *client, char *error,
		       size_t error_size)
{
	struct machine_layers layers = { .session = -1 };
	int r = 0;

	if (set->pending.what == CHECKPOINT_NOTHING) {
		if (set->lock_fd >= 0)
			checkpoints_collect(set);
		return 0;
	}
	if (client)
		r = machine_layers_begin(&layers, set, client, error, error_size);
	if (r == 0)
		r = settle_pending(set, client ? &layers : NULL, error, error_size);
	machine_layers_end(&layers);
	return r;
}
