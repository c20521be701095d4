// SPDX-License-Identifier: GPL-2.0-or-later
/* compare: whether two disks hold the same. Exit status as cmp(1) and qemu-img have it. */
#include <stdio.h>

#include "tool.h"

#define EXIT_DIFFERENT 1
#define EXIT_TROUBLE 2

struct compare_target {
	struct disk_words words; /* first, see disk_add_folder() */
	const char *format, *second_format;
	bool strict, quiet, json;
};

static const struct opt compare_options[] = {
	{ "format", 0, OPT_STRING, "FORMAT", "of the first: " DISK_FORMAT_HELP,
	  offsetof(struct compare_target, format), 0, 0, NULL },
	{ "second-format", 0, OPT_STRING, "FORMAT", "of the second",
	  offsetof(struct compare_target, second_format), 0, 0, NULL },
	{ "strict", 's', OPT_FLAG, NULL, "different sizes are a difference, too",
	  offsetof(struct compare_target, strict), 0, 0, NULL },
	{ "quiet", 'q', OPT_FLAG, NULL, "only the exit status tells",
	  offsetof(struct compare_target, quiet), 0, 0, NULL },
	{ "json", 'j', OPT_FLAG, NULL, "print one JSON object",
	  offsetof(struct compare_target, json), 0, 0, NULL },
	DISK_OPTIONS(struct compare_target, words),
	OPT_END,
};

/* What was found, in words; @offset UINT64_MAX: nothing differs. */
static int tell(const struct compare_target *target, const struct disk disks[2], uint64_t offset)
{
	uint64_t a = vhd_size_bytes(disks[0].vhd), b = vhd_size_bytes(disks[1].vhd);
	bool same = offset == UINT64_MAX && (a == b || !target->strict);

	if (target->json) {
		printf("{ \"same\": %s", same ? "true" : "false");
		json_number("first_bytes", a);
		json_number("second_bytes", b);
		if (offset != UINT64_MAX)
			json_number("offset", offset);
		printf(" }\n");
	} else if (!target->quiet && offset != UINT64_MAX) {
		say(disks[1].path, "differs from %s at byte %llu", disks[0].path,
		    (unsigned long long)offset);
	} else if (!target->quiet) {
		say(disks[1].path, "%s %s%s", same ? "holds the same as" : "is not as large as",
		    disks[0].path, same && a != b ? "; the larger one goes on with zeros" : "");
	}
	return same ? EXIT_SUCCESS : EXIT_DIFFERENT;
}

static int compare(const struct compare_target *target, struct disk disks[2])
{
	struct progress progress;
	const struct vhd_job job = { progress_report, &progress };
	char error[VHD_ERROR_BYTES];
	uint64_t offset;
	int r;

	progress_begin(&progress, "comparing");
	r = vhd_compare(disks[0].vhd, disks[1].vhd, &job, &offset, error, sizeof(error));
	progress_end(&progress);
	if (r < 0) {
		fail("%s", error);
		return EXIT_TROUBLE;
	}
	return tell(target, disks, offset);
}

static int run_compare(void *opaque, int count, char **arguments)
{
	const struct compare_target *target = opaque;
	const char *const formats[] = { target->format, target->second_format };
	struct disk disks[2] = { { .path = NULL }, { .path = NULL } };
	int status = 0;

	(void)count;
	for (unsigned int i = 0; i < 2 && status == 0; i++) {
		struct disk_options options = { .read_only = true, .words = &target->words };

		status = disk_format_of(formats[i], &options.format);
		if (status == 0)
			status = disk_open(&disks[i], arguments[i], &options);
	}
	status = status ? EXIT_TROUBLE : compare(target, disks);
	disk_drop(&disks[0]);
	disk_drop(&disks[1]);
	return status;
}

const struct verb verb_compare = {
	.name = "compare",
	.arguments = "FIRST SECOND",
	.summary = "tell whether two disks hold the same",
	.details = "Disks of any kind, with their parents, as a guest sees them. Behind the end of "
		   "the\n"
		   "smaller one zeros are expected. Exit status: 0 the same, 1 different, 2 "
		   "trouble.\n",
	.examples = "  mainstay-vhd compare nt4.vhd disk.img\n"
		    "  mainstay-vhd compare --strict --quiet a.vhd b.vhd\n",
	.options = compare_options,
	.target_bytes = sizeof(struct compare_target),
	.arguments_min = 2,
	.arguments_max = 2,
	.usage_status = EXIT_TROUBLE,
	.run = run_compare,
};
