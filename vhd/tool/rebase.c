// SPDX-License-Identifier: GPL-2.0-or-later
/* rebase and relink: a differencing disk gets another parent, or its own at another place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tool.h"

struct rebase_target {
	struct disk_words words; /* first, see disk_add_folder() */
	const char *format;
};

static const struct opt rebase_options[] = {
	{ "format", 0, OPT_STRING, "FORMAT", "of the new parent: " DISK_FORMAT_HELP,
	  offsetof(struct rebase_target, format), 0, 0, NULL },
	DISK_OPTIONS(struct rebase_target, words),
	OPT_END,
};

static const struct opt relink_options[] = {
	{ "format", 0, OPT_STRING, "FORMAT", "of the parent: " DISK_FORMAT_HELP,
	  offsetof(struct rebase_target, format), 0, 0, NULL },
	{ "accept-parent", 0, OPT_FLAG, NULL, "even if its id is not the recorded one",
	  offsetof(struct rebase_target, words.accept_parent), 0, 0, NULL },
	OPT_END,
};

/* Whether one of the chain's files is the one at @path. */
static bool has_file(const struct vhd_chain *chain, const char *path)
{
	struct stat st, other;

	if (stat(path, &st) < 0)
		return false;
	for (unsigned int i = 0; i < chain->count; i++) {
		if (fstat(chain->files[i].fd, &other) == 0 && st.st_dev == other.st_dev &&
		    st.st_ino == other.st_ino)
			return true;
	}
	return false;
}

/* The parent, open with its own parents; never the child itself. */
static int open_parent(const struct rebase_target *target, const char *child, const char *path,
		       struct disk *ret_parent)
{
	const struct disk_words words = { .size_rule = "current" };
	struct disk_options options = { .read_only = true, .words = &words };
	int status = disk_format_of(target->format, &options.format);

	if (status == 0)
		status = disk_open(ret_parent, path, &options);
	if (status != 0 || !has_file(&ret_parent->chain, child))
		return status;
	disk_drop(ret_parent);
	return fail("%s: is an ancestor of %s, and cannot be its child", child, path);
}

/* Records the parent in the child's file; nothing else of it is touched. */
static int record_parent(const struct vhd_file *child, const char *child_path,
			 const struct disk *parent)
{
	struct vhd_parent_reference *reference = malloc(sizeof(*reference));
	const struct vhd_file *file = &parent->chain.files[0];
	char error[VHD_ERROR_BYTES];
	int r;

	if (!reference)
		return fail("out of memory");
	r = vhd_refer_to_parent(file->fd, parent->path, file->raw, child_path, reference, error,
				sizeof(error));
	if (r == 0)
		r = vhd_set_parent(child, &reference->parent, error, sizeof(error));
	free(reference);
	return r < 0 ? fail("%s", error) : 0;
}

static int rebase(struct disk *child, struct disk *parent)
{
	struct progress progress;
	const struct vhd_job job = { progress_report, &progress };
	char error[VHD_ERROR_BYTES];
	int r;

	cancel_defer(true);
	progress_begin(&progress, "rebasing");
	r = vhd_rebase(child->vhd, parent->vhd, &job, error, sizeof(error));
	progress_end(&progress);
	cancel_defer(false);
	if (r == -ECANCELED)
		return fail("%s: stopped; it has its old parent, doing it again goes on",
			    child->path);
	if (r < 0)
		return fail("%s", error);
	if (vhd_finish(child->vhd) < 0)
		return fail("%s", vhd_error(child->vhd));
	return record_parent(&child->chain.files[0], child->path, parent);
}

static int run_rebase(void *opaque, int count, char **arguments)
{
	const struct rebase_target *target = opaque;
	const struct disk_options options = { .format = DISK_VHD, .words = &target->words };
	struct disk child = { .path = NULL }, parent;
	int status;

	(void)count;
	status = open_parent(target, arguments[0], arguments[1], &parent);
	if (status != 0)
		return status;
	status = disk_open(&child, arguments[0], &options);
	if (status == 0)
		status = rebase(&child, &parent);
	disk_drop(&child);
	disk_drop(&parent);
	if (status == 0)
		say(arguments[0], "has the parent %s now, and reads as before", arguments[1]);
	return status;
}

/* --- relink */

static int check_same(const struct rebase_target *target, const struct vhd_file *child,
		      const struct disk *parent)
{
	static const uint8_t no_id[16];
	struct vhd_info info, found;
	char error[VHD_ERROR_BYTES];

	if (vhd_probe(child, &info, error, sizeof(error)) < 0)
		return fail("%s", error);
	if (info.type != VHD_DIFFERENCING)
		return fail("%s: a %s disk has no parent", child->name, vhd_type_name(info.type));
	vhd_get_info(parent->vhd, &found);
	if (info.current_bytes != found.current_bytes)
		return fail("%s: its size is %llu bytes, that of %s %llu", child->name,
			    (unsigned long long)info.current_bytes, parent->path,
			    (unsigned long long)found.current_bytes);
	if (memcmp(info.parent_id, found.type == VHD_RAW ? no_id : found.id, 16) &&
	    !target->words.accept_parent)
		return fail("%s: %s is not the parent that it was made for: its id is another; "
			    "rebase makes it the parent, --accept-parent takes it at your risk",
			    child->name, parent->path);
	return 0;
}

static int run_relink(void *opaque, int count, char **arguments)
{
	const struct rebase_target *target = opaque;
	const struct vhd_chain_options alone = { .alone = true };
	char error[VHD_ERROR_BYTES];
	struct vhd_chain chain;
	struct disk parent;
	int status;

	(void)count;
	status = open_parent(target, arguments[0], arguments[1], &parent);
	if (status != 0)
		return status;
	if (vhd_chain_open(&chain, arguments[0], &alone, error, sizeof(error)) < 0) {
		status = fail("%s", error);
	} else {
		status = check_same(target, &chain.files[0], &parent);
		if (status == 0)
			status = record_parent(&chain.files[0], arguments[0], &parent);
		vhd_chain_close(&chain);
	}
	disk_drop(&parent);
	if (status == 0)
		say(arguments[0], "looks for its parent at %s now", arguments[1]);
	return status;
}

const struct verb verb_rebase = {
	.name = "rebase",
	.arguments = "CHILD PARENT",
	.summary = "give a differencing disk another parent; its contents stay",
	.details = "What the new parent does not hold as the old one is written into the child "
		   "first.\n"
		   "With the grandparent as PARENT, a link of the chain is left out.\n",
	.examples = "  mainstay-vhd rebase snapshot2.avhd base.vhd\n",
	.options = rebase_options,
	.target_bytes = sizeof(struct rebase_target),
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_rebase,
};

const struct verb verb_relink = {
	.name = "relink",
	.arguments = "CHILD PARENT",
	.summary = "tell a differencing disk where its parent is now",
	.details = "Changes the recorded names, id and time, and no contents.\n",
	.examples = "  mainstay-vhd relink undo.vud ../disks/nt4.vhd\n",
	.options = relink_options,
	.target_bytes = sizeof(struct rebase_target),
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_relink,
};
