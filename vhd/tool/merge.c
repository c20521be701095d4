// SPDX-License-Identifier: GPL-2.0-or-later
/* merge: what a child holds goes into its parent, or the whole chain into a new disk. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct merge_target {
	struct disk_words words; /* first, see disk_add_folder() */
	char *to;
	bool keep, force, ignore_children;
};

static const struct opt merge_options[] = {
	{ "to", 0, OPT_STRING, "FILE", "merge the whole chain into this new dynamic disk instead",
	  offsetof(struct merge_target, to), 0, 0, NULL },
	{ "keep", 0, OPT_FLAG, NULL, "do not delete the child, which is worthless afterwards",
	  offsetof(struct merge_target, keep), 0, 0, NULL },
	{ "force", 'f', OPT_FLAG, NULL, "with --to: replace a file that exists and is not in use",
	  offsetof(struct merge_target, force), 0, 0, NULL },
	CHILDREN_OPTION(struct merge_target, ignore_children),
	DISK_OPTIONS(struct merge_target, words),
	OPT_END,
};

/* A child, and its parent with that one's own parents, both to be changed. */
struct pair {
	struct vhd_chain child_chain, parent_chain;
	struct vhd *child, *parent;
};

/*
 * The path of its parent. Without locks: the parent is opened for writing right after, and that it
 * is the right one is checked again then.
 */
static int find_parent(const struct merge_target *target, const char *path, char *ret_path,
		       size_t size)
{
	const struct vhd_chain_options options = {
		.read_only = true,
		.no_locks = true,
		.parent = target->words.parent,
		.folders = target->words.folders,
		.accept = target->words.accept_parent ? VHD_ACCEPT_PARENT_ID : 0,
	};
	struct vhd_chain chain;
	char error[VHD_ERROR_BYTES];
	int status = 0;

	if (vhd_chain_open(&chain, path, &options, error, sizeof(error)) < 0)
		return fail("%s", error);
	if (chain.count < 2)
		status = fail("%s: has no parent that it could be merged into", path);
	else if (snprintf(ret_path, size, "%s", chain.paths[1]) >= (int)size)
		status = fail("%s: the name is too long", chain.paths[1]);
	vhd_chain_close(&chain);
	return status;
}

static int open_chain(struct vhd_chain *chain, const char *path,
		      const struct vhd_chain_options *options)
{
	char error[VHD_ERROR_BYTES];

	return vhd_chain_open(chain, path, options, error, sizeof(error)) < 0 ? fail("%s", error)
									      : 0;
}

static int open_handles(struct pair *pair, unsigned int accept)
{
	struct vhd_file files[VHD_CHAIN_MAX];
	const struct vhd_open_options read = { .read_only = true, .accept = accept };
	unsigned int count = pair->parent_chain.count;
	char error[VHD_ERROR_BYTES];
	struct vhd_info info;

	if (count == VHD_CHAIN_MAX)
		return fail("%s: its chain is too long", pair->child_chain.files[0].name);
	files[0] = pair->child_chain.files[0];
	memcpy(files + 1, pair->parent_chain.files, count * sizeof(files[0]));
	if (vhd_open(files, count + 1, &read, &pair->child, error, sizeof(error)) < 0 ||
	    vhd_open(files + 1, count, NULL, &pair->parent, error, sizeof(error)) < 0)
		return fail("%s", error);
	vhd_get_info(pair->child, &info);
	if (info.saved_state)
		return fail("%s: it belongs to a saved state; resume the machine or discard the "
			    "state first",
			    files[0].name);
	return 0;
}

static void close_pair(struct pair *pair)
{
	vhd_free(pair->child);
	vhd_free(pair->parent);
	vhd_chain_close(&pair->child_chain);
	vhd_chain_close(&pair->parent_chain);
}

/* Nobody else may have been made from what changes or goes away. */
static int check_children(const struct pair *pair, const char *child_path, const char *parent_path)
{
	struct vhd_info info;
	int status;

	vhd_get_info(pair->child, &info);
	status = refuse_children(child_path, info.id, NULL, "merging it away");
	vhd_get_info(pair->parent, &info);
	if (status == 0 && info.type != VHD_RAW)
		status = refuse_children(parent_path, info.id, child_path, "merging into it");
	return status;
}

static int merge(struct pair *pair, const char *path)
{
	struct progress progress;
	const struct vhd_job job = { progress_report, &progress };
	char error[VHD_ERROR_BYTES];
	int r;

	cancel_defer(true);
	progress_begin(&progress, "merging");
	r = vhd_merge(pair->child, pair->parent, &job, error, sizeof(error));
	progress_end(&progress);
	cancel_defer(false);
	if (r == -ECANCELED)
		return fail("%s: stopped; nothing is lost, doing it again goes on", path);
	if (r < 0)
		return fail("%s", error);
	if (vhd_finish(pair->parent) < 0)
		return fail("%s", vhd_error(pair->parent));
	return 0;
}

static int merge_into_parent(const struct merge_target *target, const char *path)
{
	const struct vhd_chain_options alone = { .alone = true };
	const struct vhd_chain_options parents = { .folders = target->words.folders,
						   .raw_parent = true };
	struct pair pair = { .child = NULL };
	char parent[VHD_PATH_BYTES];
	int status = find_parent(target, path, parent, sizeof(parent));

	if (status == 0)
		status = open_chain(&pair.child_chain, path, &alone);
	if (status == 0)
		status = open_chain(&pair.parent_chain, parent, &parents);
	if (status == 0)
		status =
			open_handles(&pair, target->words.accept_parent ? VHD_ACCEPT_PARENT_ID : 0);
	if (status == 0 && !target->ignore_children)
		status = check_children(&pair, path, parent);
	if (status == 0)
		status = merge(&pair, path);
	/* All of it is safe in the parent; while its lock is held nobody can have it opened. */
	if (status == 0 && !target->keep && unlink(path) < 0)
		status = fail("%s: merged into its parent, but cannot be deleted: %s", path,
			      strerror(errno));
	close_pair(&pair);
	if (status == 0)
		say(path, "merged into %s%s", parent, target->keep ? "" : " and deleted");
	return status;
}

int merge_child(const char *path)
{
	const struct merge_target target = { .keep = false };

	return merge_into_parent(&target, path);
}

static int run_merge(void *opaque, int count, char **arguments)
{
	const struct merge_target *target = opaque;

	(void)count;
	if (target->to)
		return convert_chain(&target->words, arguments[0], target->to, target->force);
	if (target->force)
		return fail_usage("--force: is for --to");
	return merge_into_parent(target, arguments[0]);
}

const struct verb verb_merge = {
	.name = "merge",
	.arguments = "CHILD",
	.summary = "merge a differencing or undo disk into its parent, or a chain into a new disk",
	.details =
		"After a loss of power or Ctrl-C nothing is lost and the child is still there: "
		"the\n"
		"same command completes it. Other children of the parent would become worthless,\n"
		"so they are looked for in its folder.\n",
	.examples = "  mainstay-vhd merge undo.vud\n"
		    "  mainstay-vhd merge --to flat.vhd snapshot.avhd\n",
	.options = merge_options,
	.target_bytes = sizeof(struct merge_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_merge,
};
