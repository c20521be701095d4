// SPDX-License-Identifier: GPL-2.0-or-later
/* info: what a disk is. Nothing is locked: a disk in use may be looked at. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../base/parse.h"
#include "tool.h"

/* Larger tables are only read when asked for. */
#define COUNT_ENTRIES_MAX 16384u

struct info_target {
	struct disk_words words; /* first, see disk_add_folder() */
	bool json, blocks;
};

static const struct opt info_options[] = {
	{ "json", 'j', OPT_FLAG, NULL, "print one JSON object", offsetof(struct info_target, json),
	  0, 0, NULL },
	{ "blocks", 'b', OPT_FLAG, NULL, "count the blocks in use of a large disk, too",
	  offsetof(struct info_target, blocks), 0, 0, NULL },
	DISK_OPTIONS(struct info_target, words),
	OPT_END,
};

struct facts {
	const char *path;
	struct vhd_info info;
	bool linked;  /* a device, see vhd_chain.h */
	bool counted; /* blocks */
	uint32_t blocks;
	uint64_t allocated_bytes;      /* on the host */
	struct vhd_chain chain;	       /* with the parents, if they were found */
	char missing[VHD_ERROR_BYTES]; /* why they were not */
	struct vhd_locator locators[VHD_LOCATORS_MAX];
	unsigned int locator_count;
};

/* --- for people */

static void print_size(const char *label, uint64_t bytes)
{
	char text[16];

	format_size(bytes, text);
	printf("%-15s%s (%llu bytes)\n", label, text, (unsigned long long)bytes);
}

static void print_name(const char *label, const char *name)
{
	char text[VHD_PATH_BYTES];

	snprintf(text, sizeof(text), "%s", name);
	make_printable(text);
	printf("%-15s%s\n", label, text);
}

static void print_sizes(const struct facts *facts)
{
	const struct vhd_info *info = &facts->info;

	print_size("size:", info->size_bytes);
	if (info->current_bytes != info->size_bytes)
		print_size("recorded size:", info->current_bytes);
	if (info->type == VHD_RAW)
		return;
	printf("%-15s%u/%u/%u", "geometry:", info->geometry.cylinders, info->geometry.heads,
	       info->geometry.sectors_per_track);
	if (info->geometry_bytes != info->size_bytes)
		printf(" (%llu bytes)", (unsigned long long)info->geometry_bytes);
	printf("\n");
	print_size("file size:", info->file_bytes);
	print_size("on the host:", facts->allocated_bytes);
	if (!info->block_bytes)
		return;
	print_size("block size:", info->block_bytes);
	if (facts->counted)
		printf("%-15s%u of %u in use\n", "blocks:", facts->blocks, info->block_count);
	else
		printf("%-15s%u\n", "blocks:", info->block_count);
}

static void print_parents(const struct facts *facts)
{
	const struct vhd_info *info = &facts->info;
	char id[UUID_TEXT_SIZE], time[32];

	format_uuid(info->parent_id, id);
	print_name("parent:", info->parent_name);
	printf("%-15s%s\n", "parent id:", id);
	if (info->parent_time_unix) {
		format_time(info->parent_time_unix, time, sizeof(time));
		printf("%-15s%s\n", "parent's time:", time);
	}
	for (unsigned int i = 0; i < facts->locator_count; i++) {
		char label[16];

		snprintf(label, sizeof(label), "  %s:", facts->locators[i].code);
		print_name(label, facts->locators[i].path);
	}
	for (unsigned int i = 1; i < facts->chain.count; i++)
		print_name("found:", facts->chain.paths[i]);
	if (facts->missing[0])
		print_name("note:", facts->missing);
}

static void print_notes(const struct vhd_info *info)
{
	if (info->saved_state)
		printf("%-15sbelongs to a saved state\n", "note:");
	if (info->tail != VHD_FOOTER_GOOD)
		printf("%-15sthe footer at the end is %s\n",
		       "note:", footer_state_name(info->tail));
	if (info->type != VHD_FIXED && info->head != VHD_FOOTER_GOOD)
		printf("%-15sthe footer's copy at the start is %s\n",
		       "note:", footer_state_name(info->head));
	if (info->needs_repair)
		printf("%-15scan only be read until mainstay-vhd repair mends it\n", "note:");
}

static void print_text(const struct facts *facts)
{
	const struct vhd_info *info = &facts->info;
	char id[UUID_TEXT_SIZE], created[32];

	print_name("file:", facts->path);
	printf("%-15s%s\n", "type:", facts->linked ? "linked device" : vhd_type_name(info->type));
	print_sizes(facts);
	if (facts->linked) {
		printf("%-15s%s\n", "writing:", facts->chain.read_only ? "not allowed" : "allowed");
		return;
	}
	format_uuid(info->id, id);
	format_time(info->created_unix, created, sizeof(created));
	printf("%-15s%s\n", "id:", id);
	printf("%-15s%s\n", "created:", created);
	printf("%-15s\"%s\" %u.%u on \"%s\"\n", "creator:", info->creator,
	       info->creator_version >> 16, info->creator_version & 0xffff, info->creator_os);
	if (info->type == VHD_DIFFERENCING)
		print_parents(facts);
	print_notes(info);
}

/* --- for programs */

static void print_parents_json(const struct facts *facts)
{
	const struct vhd_info *info = &facts->info;
	char id[UUID_TEXT_SIZE], time[32];

	format_uuid(info->parent_id, id);
	json_member("parent", info->parent_name);
	json_member("parent_id", id);
	if (info->parent_time_unix) {
		format_time(info->parent_time_unix, time, sizeof(time));
		json_member("parent_time", time);
	}
	printf(", \"locators\": [");
	for (unsigned int i = 0; i < facts->locator_count; i++) {
		printf("%s{ \"code\": ", i ? ", " : " ");
		json_string(facts->locators[i].code);
		json_number("offset", facts->locators[i].offset);
		json_number("bytes", facts->locators[i].bytes);
		json_member("path", facts->locators[i].path);
		printf(" }");
	}
	printf(" ], \"parents\": [");
	for (unsigned int i = 1; i < facts->chain.count; i++) {
		printf(i > 1 ? ", " : " ");
		json_string(facts->chain.paths[i]);
	}
	printf(" ]");
	if (facts->missing[0])
		json_member("missing", facts->missing);
}

static void print_footers_json(const struct vhd_info *info)
{
	char id[UUID_TEXT_SIZE], created[32];

	format_uuid(info->id, id);
	format_time(info->created_unix, created, sizeof(created));
	if (info->block_bytes)
		json_member("footer_copy", footer_state_name(info->head));
	json_member("footer", footer_state_name(info->tail));
	json_bool("needs_repair", info->needs_repair);
	json_member("id", id);
	json_member("created", created);
	json_member("creator", info->creator);
	json_number("creator_version", info->creator_version);
	json_member("creator_os", info->creator_os);
	json_bool("saved_state", info->saved_state);
	json_bool("temporary", info->temporary);
}

static void print_json(const struct facts *facts)
{
	const struct vhd_info *info = &facts->info;

	printf("{ \"file\": ");
	json_string(facts->path);
	json_member("type", facts->linked ? "linked" : vhd_type_name(info->type));
	json_number("size_bytes", info->size_bytes);
	json_number("current_bytes", info->current_bytes);
	json_number("original_bytes", info->original_bytes);
	printf(", \"geometry\": [ %u, %u, %u ]", info->geometry.cylinders, info->geometry.heads,
	       info->geometry.sectors_per_track);
	json_number("geometry_bytes", info->geometry_bytes);
	json_number("file_bytes", info->file_bytes);
	json_number("allocated_bytes", facts->allocated_bytes);
	if (info->block_bytes) {
		json_number("block_bytes", info->block_bytes);
		json_number("block_count", info->block_count);
		if (facts->counted)
			json_number("blocks_used", facts->blocks);
		json_number("table_entries", info->table_entries);
	}
	if (facts->linked)
		json_bool("read_only", facts->chain.read_only);
	else
		print_footers_json(info);
	if (info->type == VHD_DIFFERENCING)
		print_parents_json(facts);
	printf(" }\n");
}

/* --- gathering */

/* The disk alone if its parents are not to be had: *ret_alone. */
static int open_files(const struct info_target *target, struct facts *facts)
{
	struct vhd_chain_options options = {
		.no_locks = true,
		.parent = target->words.parent,
		.folders = target->words.folders,
		.accept = target->words.accept_parent ? VHD_ACCEPT_PARENT_ID : 0,
		.read_only = true,
	};
	char error[VHD_ERROR_BYTES];

	if (vhd_chain_open(&facts->chain, facts->path, &options, facts->missing,
			   sizeof(facts->missing)) == 0) {
		facts->missing[0] = '\0';
		return 0;
	}
	options.alone = true;
	if (vhd_chain_open(&facts->chain, facts->path, &options, error, sizeof(error)) < 0)
		return fail("%s", error);
	return 0;
}

static void count_blocks(const struct info_target *target, struct facts *facts)
{
	const struct vhd_open_options options = {
		.read_only = true, .accept = VHD_ACCEPT_PARENT_ID | VHD_ACCEPT_PARENT_SIZE
	};
	char error[VHD_ERROR_BYTES];
	struct vhd *vhd;

	if (!facts->info.block_bytes || facts->missing[0] ||
	    (facts->info.table_entries > COUNT_ENTRIES_MAX && !target->blocks))
		return;
	if (vhd_open(facts->chain.files, facts->chain.count, &options, &vhd, error, sizeof(error)) <
	    0)
		return;
	facts->counted = vhd_count_blocks(vhd, &facts->blocks) == 0;
	vhd_free(vhd);
}

static int gather(const struct info_target *target, struct facts *facts)
{
	const struct vhd_file *file = &facts->chain.files[0];
	char error[VHD_ERROR_BYTES];
	struct stat st;
	int status = open_files(target, facts);

	if (status != 0)
		return status;
	facts->linked = file->raw;
	if (vhd_probe(file, &facts->info, error, sizeof(error)) < 0 ||
	    (facts->info.type == VHD_DIFFERENCING &&
	     vhd_read_locators(file, facts->locators, &facts->locator_count, error, sizeof(error)) <
		     0))
		return fail("%s", error);
	if (fstat(file->fd, &st) == 0)
		facts->allocated_bytes = (uint64_t)st.st_blocks * 512;
	count_blocks(target, facts);
	return 0;
}

static int run_info(void *opaque, int count, char **arguments)
{
	const struct info_target *target = opaque;
	struct facts *facts = calloc(1, sizeof(*facts));
	int status;

	(void)count;
	if (!facts)
		return fail("out of memory");
	facts->path = arguments[0];
	status = gather(target, facts);
	if (status == 0 && target->json)
		print_json(facts);
	else if (status == 0)
		print_text(facts);
	vhd_chain_close(&facts->chain);
	free(facts);
	return status;
}

const struct verb verb_info = {
	.name = "info",
	.arguments = "FILE",
	.summary = "describe a disk",
	.details = "Differencing disks are shown with the names that they have recorded for their\n"
		   "parent and with the parents that were found.\n",
	.examples = "  mainstay-vhd info nt4.vhd\n"
		    "  mainstay-vhd info --json nt4.vhd\n",
	.options = info_options,
	.target_bytes = sizeof(struct info_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_info,
};
