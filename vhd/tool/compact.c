// SPDX-License-Identifier: GPL-2.0-or-later
/* compact: a dynamic or differencing disk gives back the space that it does not need. */
#include <errno.h>
#include <stdio.h>

#include "../../base/parse.h"
#include "tool.h"

struct compact_target {
	struct disk_words words; /* first, see disk_add_folder() */
};

static const struct opt compact_options[] = {
	DISK_OPTIONS(struct compact_target, words),
	OPT_END,
};

static int compact(struct disk *disk)
{
	struct progress progress;
	const struct vhd_job job = { progress_report, &progress };
	struct vhd_compact_result result;
	char error[VHD_ERROR_BYTES], before[16], after[16];
	int r;

	cancel_defer(true);
	progress_begin(&progress, "compacting");
	r = vhd_compact(disk->vhd, &job, &result, error, sizeof(error));
	progress_end(&progress);
	cancel_defer(false);
	if (r == -ECANCELED)
		return fail("%s: stopped; the disk is in order, doing it again goes on",
			    disk->path);
	if (r < 0)
		return fail("%s", error);
	format_size(result.file_bytes_before, before);
	format_size(result.file_bytes_after, after);
	say(disk->path, "%u of %u blocks given up, %s became %s",
	    result.blocks_before - result.blocks_after, result.blocks_before, before, after);
	return EXIT_SUCCESS;
}

static int run_compact(void *opaque, int count, char **arguments)
{
	const struct compact_target *target = opaque;
	const struct disk_options options = { .format = DISK_VHD, .words = &target->words };
	struct disk disk;
	int closed, status;

	(void)count;
	status = disk_open(&disk, arguments[0], &options);
	if (status != 0)
		return status;
	status = compact(&disk);
	closed = disk_close(&disk);
	return status ? status : closed;
}

const struct verb verb_compact = {
	.name = "compact",
	.arguments = "FILE",
	.summary = "give back space that a dynamic or differencing disk does not need",
	.details = "Blocks of zeros go, and in a child blocks that read the same without it; the "
		   "file\n"
		   "becomes shorter. Have the guest fill its free space with zeros before. Safe\n"
		   "against a loss of power and Ctrl-C at any moment.\n",
	.examples = "  mainstay-vhd compact nt4.vhd\n",
	.options = compact_options,
	.target_bytes = sizeof(struct compact_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_compact,
};
