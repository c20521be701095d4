// SPDX-License-Identifier: GPL-2.0-or-later
/* info: what a disk is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../base/fdio.h"
#include "../../base/parse.h"
#include "tool.h"

struct info_target {
	bool json;
};

static const struct opt info_options[] = {
	{ "json", 'j', OPT_FLAG, NULL, "print one JSON object", offsetof(struct info_target, json),
	  0, 0, NULL },
	OPT_END,
};

struct image_facts {
	struct vhd_info info;
	bool counted; /* blocks */
	uint32_t blocks;
	uint64_t allocated_bytes; /* on the host */
};

static void print_size(const char *label, uint64_t bytes)
{
	char text[16];

	format_size(bytes, text);
	printf("%-15s%s (%llu bytes)\n", label, text, (unsigned long long)bytes);
}

static void print_text(char *path, const struct image_facts *facts)
{
	const struct vhd_info *info = &facts->info;
	char id[UUID_TEXT_SIZE], created[32];

	format_uuid(info->id, id);
	format_time(info->created_unix, created, sizeof(created));
	make_printable(path);
	printf("%-15s%s\n", "file:", path);
	printf("%-15s%s\n", "type:", vhd_type_name(info->type));
	print_size("size:", info->size_bytes);
	if (info->current_bytes != info->size_bytes)
		print_size("recorded size:", info->current_bytes);
	printf("%-15s%u/%u/%u", "geometry:", info->geometry.cylinders, info->geometry.heads,
	       info->geometry.sectors_per_track);
	if (info->geometry_bytes != info->size_bytes)
		printf(" (%llu bytes)", (unsigned long long)info->geometry_bytes);
	printf("\n");
	print_size("file size:", info->file_bytes);
	print_size("on the host:", facts->allocated_bytes);
	if (info->type != VHD_FIXED) {
		print_size("block size:", info->block_bytes);
		if (facts->counted)
			printf("%-15s%u of %u in use\n", "blocks:", facts->blocks,
			       info->block_count);
	}
	printf("%-15s%s\n", "id:", id);
	printf("%-15s%s\n", "created:", created);
	printf("%-15s\"%s\" %u.%u on \"%s\"\n", "creator:", info->creator,
	       info->creator_version >> 16, info->creator_version & 0xffff, info->creator_os);
	if (info->type == VHD_DIFFERENCING) {
		format_uuid(info->parent_id, id);
		printf("%-15s%s\n%-15s%s\n", "parent:", info->parent_name, "parent id:", id);
	}
	if (info->saved_state)
		printf("%-15sbelongs to a saved state\n", "note:");
	if (info->tail != VHD_FOOTER_GOOD)
		printf("%-15sthe footer at the end is %s\n",
		       "note:", footer_state_name(info->tail));
	if (info->type != VHD_FIXED && info->head != VHD_FOOTER_GOOD)
		printf("%-15sthe footer's copy at the start is %s\n",
		       "note:", footer_state_name(info->head));
}

static void print_json(const char *path, const struct image_facts *facts)
{
	const struct vhd_info *info = &facts->info;
	char id[UUID_TEXT_SIZE], created[32];

	format_uuid(info->id, id);
	format_time(info->created_unix, created, sizeof(created));
	printf("{ \"file\": ");
	json_string(path);
	json_member("type", vhd_type_name(info->type));
	json_number("size_bytes", info->size_bytes);
	json_number("current_bytes", info->current_bytes);
	json_number("original_bytes", info->original_bytes);
	printf(", \"geometry\": [ %u, %u, %u ]", info->geometry.cylinders, info->geometry.heads,
	       info->geometry.sectors_per_track);
	json_number("geometry_bytes", info->geometry_bytes);
	json_number("file_bytes", info->file_bytes);
	json_number("allocated_bytes", facts->allocated_bytes);
	if (info->type != VHD_FIXED) {
		json_number("block_bytes", info->block_bytes);
		json_number("block_count", info->block_count);
		if (facts->counted)
			json_number("blocks_used", facts->blocks);
		json_number("table_entries", info->table_entries);
		json_member("footer_copy", footer_state_name(info->head));
	}
	json_member("footer", footer_state_name(info->tail));
	json_member("id", id);
	json_member("created", created);
	json_member("creator", info->creator);
	json_number("creator_version", info->creator_version);
	json_member("creator_os", info->creator_os);
	json_bool("saved_state", info->saved_state);
	json_bool("temporary", info->temporary);
	if (info->type == VHD_DIFFERENCING) {
		format_uuid(info->parent_id, id);
		json_member("parent", info->parent_name);
		json_member("parent_id", id);
	}
	printf(" }\n");
}

/* Blocks are counted by opening the disk; a differencing one is only described. */
static int gather(const struct vhd_file *file, struct image_facts *ret_facts)
{
	const struct vhd_open_options options = { .read_only = true };
	char error[VHD_ERROR_BYTES];
	struct vhd *vhd;
	struct stat st;

	*ret_facts = (struct image_facts){ .counted = false };
	if (vhd_probe(file, &ret_facts->info, error, sizeof(error)) < 0)
		return fail("%s", error);
	if (fstat(file->fd, &st) == 0)
		ret_facts->allocated_bytes = (uint64_t)st.st_blocks * 512;
	if (ret_facts->info.type != VHD_DYNAMIC)
		return 0;
	if (vhd_open(file, 1, &options, &vhd, error, sizeof(error)) < 0)
		return fail("%s", error);
	ret_facts->counted = vhd_count_blocks(vhd, &ret_facts->blocks) == 0;
	vhd_free(vhd);
	return 0;
}

static int run_info(void *opaque, int count, char **arguments)
{
	const struct info_target *target = opaque;
	char *path = arguments[0];
	struct vhd_file file = { .name = file_name(path) };
	struct image_facts facts;
	int status;

	(void)count;
	file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file.fd < 0)
		return fail("%s: %s", path, strerror(errno));
	status = gather(&file, &facts);
	fd_close(file.fd);
	if (status != 0)
		return status;
	if (target->json)
		print_json(path, &facts);
	else
		print_text(path, &facts);
	return EXIT_SUCCESS;
}

const struct verb verb_info = {
	"info",
	"FILE",
	"describe a disk",
	NULL,
	"  mainstay-vhd info nt4.vhd\n"
	"  mainstay-vhd info --json nt4.vhd\n",
	info_options,
	sizeof(struct info_target),
	1,
	1,
	run_info,
};
