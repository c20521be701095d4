// SPDX-License-Identifier: GPL-2.0-or-later
/* check: examines a disk and its parents. */
#include <errno.h>
#include <stdio.h>

#include "../../base/parse.h"
#include "tool.h"

/* As qemu-img check has them. */
enum check_status { CHECK_SOUND, CHECK_IMPOSSIBLE, CHECK_DAMAGED, CHECK_LEAKS };

struct check_target {
	bool deep, quiet;
};

static const struct opt check_options[] = {
	{ "deep", 'd', OPT_FLAG, NULL, "read all of the data too",
	  offsetof(struct check_target, deep), 0, 0, NULL },
	{ "quiet", 'q', OPT_FLAG, NULL, "tell errors only", offsetof(struct check_target, quiet), 0,
	  0, NULL },
	OPT_END,
};

static void print_finding(const struct vhd_finding *finding, void *opaque)
{
	static const char *const words[] = { "note", "warning", "leak", "error" };
	const struct check_target *target = opaque;

	if (target->quiet && finding->severity != VHD_ERROR)
		return;
	printf("%s: %s: %s: %s%s\n", finding->name, words[finding->severity], finding->field,
	       finding->text,
	       finding->repairable ? finding->lossy ? " (repair --drop-lost gives the block up)"
						    : " (repair mends it)"
				   : "");
}

static enum check_status judge(const struct vhd_check_result *result)
{
	if (result->found[VHD_ERROR])
		return CHECK_DAMAGED;
	return result->found[VHD_LEAK] ? CHECK_LEAKS : CHECK_SOUND;
}

static int run_check(void *opaque, int count, char **arguments)
{
	struct check_target *target = opaque;
	const struct vhd_check_options options = {
		.deep = target->deep,
		.found = print_finding,
		.opaque = target,
	};
	char error[VHD_ERROR_BYTES], leaked[16];
	struct vhd_check_result result;
	struct vhd_chain chain;
	int r = vhd_chain_open(&chain, arguments[0],
			       &(struct vhd_chain_options){ .read_only = true }, error,
			       sizeof(error));

	(void)count;
	if (r == -ENOLINK) {
		/* What can be said about the disk by itself is worth saying. */
		fail("%s", error);
		r = vhd_chain_open(&chain, arguments[0],
				   &(struct vhd_chain_options){ .read_only = true, .alone = true },
				   error, sizeof(error));
		result.found[VHD_ERROR] = 1;
	}
	if (r < 0)
		return fail("%s", error), CHECK_IMPOSSIBLE;
	r = vhd_check(chain.files, chain.count, &options, &result, error, sizeof(error));
	vhd_chain_close(&chain);
	if (r < 0)
		return fail("%s", error), CHECK_IMPOSSIBLE;
	format_size(result.leaked_bytes, leaked);
	make_printable(arguments[0]);
	if (!target->quiet)
		printf("%s: %llu errors, %llu warnings, %s leaked, %u of %u blocks in use\n",
		       arguments[0], (unsigned long long)result.found[VHD_ERROR],
		       (unsigned long long)result.found[VHD_WARNING], leaked, result.blocks_used,
		       result.block_count);
	return judge(&result);
}

const struct verb verb_check = {
	.name = "check",
	.arguments = "FILE",
	.summary = "examine a disk and its parents; nothing is changed",
	.details = "Exit status, as of qemu-img check: 0 sound, 1 it could not be examined, 2 "
		   "errors,\n"
		   "3 no errors but leaks.\n",
	.examples = "  mainstay-vhd check nt4.vhd\n"
		    "  mainstay-vhd check --deep --quiet nt4.vhd\n",
	.options = check_options,
	.target_bytes = sizeof(struct check_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_check,
};
