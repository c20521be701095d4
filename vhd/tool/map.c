// SPDX-License-Identifier: GPL-2.0-or-later
/* map: which file of the chain holds which part of a disk. */
#include <stdio.h>

#include "tool.h"

struct map_target {
	struct disk_words words; /* first, see disk_add_folder() */
	const char *format;
	bool json;
};

static const struct opt map_options[] = {
	{ "json", 'j', OPT_FLAG, NULL, "print a JSON list of objects",
	  offsetof(struct map_target, json), 0, 0, NULL },
	{ "format", 0, OPT_STRING, "FORMAT", DISK_FORMAT_HELP, offsetof(struct map_target, format),
	  0, 0, NULL },
	DISK_OPTIONS(struct map_target, words),
	OPT_END,
};

static void print_text(const struct disk *disk, const struct vhd_extent *extent)
{
	if (extent->zero)
		printf("%16llu %16llu %16s  zeros\n", (unsigned long long)extent->offset,
		       (unsigned long long)extent->bytes, "-");
	else
		printf("%16llu %16llu %16llu  %s\n", (unsigned long long)extent->offset,
		       (unsigned long long)extent->bytes, (unsigned long long)extent->file_offset,
		       disk->chain.files[extent->layer].name);
}

static void print_json(const struct disk *disk, const struct vhd_extent *extent)
{
	printf("%s{ \"offset\": %llu", extent->offset ? ",\n  " : "[ ",
	       (unsigned long long)extent->offset);
	json_number("bytes", extent->bytes);
	json_bool("zero", extent->zero);
	if (!extent->zero) {
		json_number("layer", extent->layer);
		json_number("file_offset", extent->file_offset);
		json_member("file", disk->chain.files[extent->layer].name);
	}
	printf(" }");
}

static int print_map(struct disk *disk, bool json)
{
	uint64_t size = vhd_size_bytes(disk->vhd);

	if (!json)
		printf("%16s %16s %16s  %s\n", "offset", "bytes", "in the file", "file");
	for (uint64_t at = 0; at < size;) {
		struct vhd_extent extent;

		if (vhd_map(disk->vhd, 0, at, size - at, &extent) < 0)
			return fail("%s", vhd_error(disk->vhd));
		if (json)
			print_json(disk, &extent);
		else
			print_text(disk, &extent);
		at += extent.bytes;
	}
	if (json)
		printf(" ]\n");
	return EXIT_SUCCESS;
}

static int run_map(void *opaque, int count, char **arguments)
{
	const struct map_target *target = opaque;
	struct disk_options options = { .read_only = true, .words = &target->words };
	struct disk disk;
	int status = disk_format_of(target->format, &options.format);

	(void)count;
	if (status == 0)
		status = disk_open(&disk, arguments[0], &options);
	if (status != 0)
		return status;
	status = print_map(&disk, target->json);
	disk_drop(&disk);
	return status;
}

const struct verb verb_map = {
	.name = "map",
	.arguments = "FILE",
	.summary = "show which file of a chain holds which part of the disk",
	.details = "Zeros are parts that no file holds, and holes of files.\n",
	.examples = "  mainstay-vhd map nt4.vhd\n"
		    "  mainstay-vhd map --json undo.vud\n",
	.options = map_options,
	.target_bytes = sizeof(struct map_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_map,
};
