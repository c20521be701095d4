// SPDX-License-Identifier: GPL-2.0-or-later
/* check and repair: what is wrong with a disk's files, and mending it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../base/parse.h"
#include "tool.h"

/* As qemu-img check has them. */
enum check_status {
	CHECK_SOUND = 0,
	CHECK_IMPOSSIBLE = 1, /* or the command line is at fault */
	CHECK_DAMAGED = 2,
	CHECK_LEAKS = 3,
	CHECK_UNSUPPORTED = 63,
};

static const char *const severities[VHD_SEVERITIES] = { "note", "warning", "leak", "error" };

struct check_target {
	struct disk_words words; /* first, see disk_add_folder() */
	bool deep, quiet, json;
	bool dry_run, drop_lost;
};

/* What is told while the work goes on. */
struct telling {
	const struct check_target *target;
	struct progress progress;
	bool repairing;
	unsigned int told;
};

static void print_finding(const struct vhd_finding *finding, struct telling *telling)
{
	const char *remedy = "";
	char text[VHD_ERROR_BYTES];

	snprintf(text, sizeof(text), "%s", finding->text);
	make_printable(text);
	if (telling->repairing)
		remedy = !finding->repaired	    ? ""
			 : telling->target->dry_run ? " (would be mended)"
						    : " (mended)";
	else if (finding->repairable)
		remedy =
			finding->lossy ? " (repair --drop-lost gives it up)" : " (repair mends it)";
	printf("%s: %s: %s: %s%s\n", finding->name, severities[finding->severity], finding->field,
	       text, remedy);
}

static void print_finding_json(const struct vhd_finding *finding, struct telling *telling)
{
	printf("%s{ \"severity\": ", telling->told++ ? ",\n    " : "\n    ");
	json_string(severities[finding->severity]);
	json_member("file", finding->name);
	json_number("layer", finding->layer);
	json_member("field", finding->field);
	json_member("text", finding->text);
	json_bool("repairable", finding->repairable);
	json_bool("lossy", finding->lossy);
	json_bool("repaired", finding->repaired);
	printf(" }");
}

static void on_finding(const struct vhd_finding *finding, void *opaque)
{
	struct telling *telling = opaque;

	progress_end(&telling->progress);
	if (telling->target->json)
		print_finding_json(finding, telling);
	else if (!telling->target->quiet || finding->severity == VHD_ERROR)
		print_finding(finding, telling);
}

static int on_progress(uint64_t done, uint64_t all, void *opaque)
{
	struct telling *telling = opaque;

	return progress_report(done, all, &telling->progress);
}

static int judge(const struct vhd_check_result *result)
{
	if (result->found[VHD_ERROR])
		return CHECK_DAMAGED;
	return result->found[VHD_LEAK] ? CHECK_LEAKS : CHECK_SOUND;
}

static int status_of(int r)
{
	return r == -EOPNOTSUPP ? CHECK_UNSUPPORTED : CHECK_IMPOSSIBLE;
}

static void begin(struct telling *telling, const char *path)
{
	if (!telling->target->json)
		return;
	printf("{ \"file\": ");
	json_string(path);
	printf(", \"findings\": [");
}

static void print_summary(const struct telling *telling, const char *path,
			  const struct vhd_check_result *result)
{
	char leaked[16];

	if (telling->target->json) {
		printf("%s]", telling->told ? " " : "");
		for (unsigned int i = 0; i < VHD_SEVERITIES; i++) {
			char name[16];

			snprintf(name, sizeof(name), "%ss", severities[i]);
			json_number(name, result->found[i]);
		}
		json_number("repairable", result->repairable);
		json_number("repaired", result->repaired);
		json_number("blocks_used", result->blocks_used);
		json_number("block_count", result->block_count);
		json_number("leaked_bytes", result->leaked_bytes);
		printf(" }\n");
	} else if (!telling->target->quiet) {
		format_size(result->leaked_bytes, leaked);
		say(path, "%llu errors, %llu warnings, %s leaked, %u of %u blocks in use",
		    (unsigned long long)result->found[VHD_ERROR],
		    (unsigned long long)result->found[VHD_WARNING], leaked, result->blocks_used,
		    result->block_count);
	}
}

/* --- check */

static const struct opt check_options[] = {
	{ "deep", 'd', OPT_FLAG, NULL, "read all of the data, too",
	  offsetof(struct check_target, deep), 0, 0, NULL },
	{ "quiet", 'q', OPT_FLAG, NULL, "tell errors only", offsetof(struct check_target, quiet), 0,
	  0, NULL },
	{ "json", 'j', OPT_FLAG, NULL, "print one JSON object", offsetof(struct check_target, json),
	  0, 0, NULL },
	DISK_OPTIONS(struct check_target, words),
	OPT_END,
};

/*
 * The disk with its parents; without them when they are not to be had, since what can be said about
 * it by itself is worth saying. 0, CHECK_DAMAGED when a parent is missing, or another status.
 */
static int open_for_check(const struct check_target *target, const char *path,
			  struct vhd_chain *ret_chain)
{
	struct vhd_chain_options options = {
		.read_only = true,
		.parent = target->words.parent,
		.folders = target->words.folders,
		.accept = target->words.accept_parent ? VHD_ACCEPT_PARENT_ID : 0,
	};
	char error[VHD_ERROR_BYTES];
	int r = vhd_chain_open(ret_chain, path, &options, error, sizeof(error));

	if (r == 0)
		return CHECK_SOUND;
	if (r != -ENOLINK && r != -ELOOP && r != -EUCLEAN) {
		fail("%s", error);
		return status_of(r);
	}
	options.alone = true;
	if (r != -EUCLEAN)
		fail("%s", error);
	r = vhd_chain_open(ret_chain, path, &options, error, sizeof(error));
	if (r == 0)
		return CHECK_DAMAGED;
	fail("%s", error);
	return status_of(r);
}

static int run_check(void *opaque, int count, char **arguments)
{
	const struct check_target *target = opaque;
	struct telling telling = { .target = target };
	const struct vhd_check_options options = {
		.deep = target->deep,
		.found = on_finding,
		.progress = on_progress,
		.opaque = &telling,
	};
	struct vhd_check_result result;
	char error[VHD_ERROR_BYTES];
	struct vhd_chain chain;
	int r, opened;

	(void)count;
	opened = open_for_check(target, arguments[0], &chain);
	if (opened != CHECK_SOUND && opened != CHECK_DAMAGED)
		return opened;
	begin(&telling, arguments[0]);
	progress_begin(&telling.progress, "checking");
	r = vhd_check(chain.files, chain.count, &options, &result, error, sizeof(error));
	progress_end(&telling.progress);
	vhd_chain_close(&chain);
	if (r < 0) {
		printf("%s", target->json ? " ] }\n" : "");
		fail("%s", error);
		return status_of(r);
	}
	print_summary(&telling, arguments[0], &result);
	r = judge(&result);
	return r == CHECK_DAMAGED ? r : opened ? opened : r;
}

const struct verb verb_check = {
	.name = "check",
	.arguments = "FILE",
	.summary = "examine a disk and its parents; nothing is changed",
	.details = "Exit status, as qemu-img check has it: 0 sound, 1 it could not be examined,\n"
		   "2 damaged, 3 only space is wasted, 63 a kind of disk that is not supported.\n",
	.examples = "  mainstay-vhd check nt4.vhd\n"
		    "  mainstay-vhd check --deep --json nt4.vhd\n",
	.options = check_options,
	.target_bytes = sizeof(struct check_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.usage_status = CHECK_IMPOSSIBLE,
	.run = run_check,
};

/* --- repair */

static const struct opt repair_options[] = {
	{ "dry-run", 'n', OPT_FLAG, NULL, "only tell what would be done",
	  offsetof(struct check_target, dry_run), 0, 0, NULL },
	{ "drop-lost", 0, OPT_FLAG, NULL,
	  "give up blocks that lead nowhere or to another one's place: they become empty",
	  offsetof(struct check_target, drop_lost), 0, 0, NULL },
	{ "quiet", 'q', OPT_FLAG, NULL, "tell errors only", offsetof(struct check_target, quiet), 0,
	  0, NULL },
	{ "json", 'j', OPT_FLAG, NULL, "print one JSON object", offsetof(struct check_target, json),
	  0, 0, NULL },
	OPT_END,
};

static int run_repair(void *opaque, int count, char **arguments)
{
	const struct check_target *target = opaque;
	const struct vhd_chain_options alone = { .alone = true, .read_only = target->dry_run };
	struct telling telling = { .target = target, .repairing = true };
	const struct vhd_repair_options options = {
		.dry_run = target->dry_run,
		.drop_lost = target->drop_lost,
		.found = on_finding,
		.opaque = &telling,
	};
	struct vhd_check_result result;
	char error[VHD_ERROR_BYTES];
	struct vhd_chain chain;
	int r;

	(void)count;
	r = vhd_chain_open(&chain, arguments[0], &alone, error, sizeof(error));
	if (r < 0) {
		fail("%s", error);
		return status_of(r);
	}
	begin(&telling, arguments[0]);
	r = vhd_repair(&chain.files[0], &options, &result, error, sizeof(error));
	vhd_chain_close(&chain);
	if (r < 0) {
		printf("%s", target->json ? " ] }\n" : "");
		fail("%s", error);
		return status_of(r);
	}
	print_summary(&telling, arguments[0], &result);
	/* Damaged only if something is left. */
	return result.repaired >= result.found[VHD_ERROR] + result.found[VHD_LEAK] &&
			       !target->dry_run
		       ? CHECK_SOUND
		       : judge(&result);
}

const struct verb verb_repair = {
	.name = "repair",
	.arguments = "FILE",
	.summary = "mend what is damaged in a disk's file",
	.details =
		"Footers, wasted space and the like; data is given up only with --drop-lost. Safe\n"
		"against a loss of power at any moment. Exit status as that of check, "
		"afterwards.\n",
	.examples = "  mainstay-vhd repair --dry-run nt4.vhd\n"
		    "  mainstay-vhd repair nt4.vhd\n",
	.options = repair_options,
	.target_bytes = sizeof(struct check_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.usage_status = CHECK_IMPOSSIBLE,
	.run = run_repair,
};
