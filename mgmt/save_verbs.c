// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verbs for saved states: save, and state with what belongs to its files. (restore is run's.)
 *
 * A state is written under another name first and gets its own when it is whole, so that there is the old
 * file or the new one. Only then is the machine told to end; if we die before, it goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "../vmm/state/statefile.h"
#include "checkpoint_target.h"
#include "client.h"
#include "save_client.h"
#include "state_file.h"
#include "verbs.h"

#define COMMIT_TIMEOUT_S 60
#define COMPACT_LEVEL 3

/* --- save --- */

struct save_options {
	bool compact, quiet;
};

static void print_result(const char *path, json_object *event)
{
	char size[16];
	struct stat st;

	format_size(stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0, size);
	printf("%s: %s on disk; the guest stopped for %.1f ms\n", path, size,
	       (double)save_client_number(event, "stopped_ns") / 1e6);
}

/* The state in @draft gets its name, in the form that was asked for. */
static int put_in_place(struct state_draft *draft, bool compact, char *error, size_t error_size)
{
	int r = compact ? state_draft_compact(draft, COMPACT_LEVEL, error, error_size) : 0;

	return r < 0 ? r : state_draft_commit(draft, error, error_size);
}

static int save_run(const struct verb *verb, int argc, char **argv)
{
	struct save_options options = { 0 };
	struct runtime_base base;
	struct client client;
	struct state_draft draft;
	json_object *event = NULL;
	char path[PATH_MAX], error[1024];
	int session, r;

	if (verb_parse(verb, &options, argc, argv, 1, 2) > 1)
		snprintf(path, sizeof(path), "%s", argv[1]);
	else
		snprintf(path, sizeof(path), "%s.state", argv[0]);
	verb_open_machine(&base, &client, argv[0]);
	/* A checkpoint that somebody began and was killed over is completed or undone first. */
	if (checkpoint_target_settle(&client, error, sizeof(error)) < 0)
		die("%s", error);
	if (state_draft_new(&draft, path, error, sizeof(error)) < 0)
		die("%s", error);
	session = save_client_begin(&client, NULL, error, sizeof(error));
	r = session < 0 ? session : save_client_send(session, "save", NULL, &draft.fd, 1);
	if (session >= 0 && r == 0) {
		char why[512];

		r = save_client_wait(session, "held", 0, &event, why, sizeof(why));
		if (r < 0)
			snprintf(error, sizeof(error), "%s: cannot be saved: %s", argv[0], why);
	}
	if (r == 0)
		r = put_in_place(&draft, options.compact, error, sizeof(error));
	if (r < 0) {
		/* Before the draft goes: the machine may still be writing to it. */
		fd_close(session);
		state_draft_discard(&draft);
		die("%s", error);
	}
	(void)save_client_send(session, "commit", NULL, NULL, 0);
	if (client_wait_end(&client, COMMIT_TIMEOUT_S) < 0)
		die("%s: saved in %s, but process %d has not ended after %d s", argv[0], path,
		    (int)client.pid, COMMIT_TIMEOUT_S);
	if (!options.quiet)
		print_result(path, event);
	json_object_put(event);
	close(session);
	client_close(&client);
	runtime_base_close(&base);
	return EXIT_SUCCESS;
}

static const struct opt save_options[] = {
	{ .name = "compact",
	  .kind = OPT_FLAG,
	  .help = "compress: smaller, but restoring reads all of it",
	  .offset = offsetof(struct save_options, compact) },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPT_FLAG,
	  .help = "say nothing when it went well",
	  .offset = offsetof(struct save_options, quiet) },
	{ .name = NULL },
};

const struct verb save_verb = {
	.name = "save",
	.arguments = "NAME [FILE] [OPTION]...",
	.summary = "save a machine into a file and end it",
	.details =
		"Without FILE it is NAME.state here. The guest runs on while its memory is written "
		"and\n"
		"stops for the last of it only. 'mainstay restore FILE DISK.vhd ...' goes on from "
		"there;\n"
		"until then the disks must not be changed, and nobody can write to a VHD by "
		"mistake.\n",
	.examples = "  mainstay save nt4\n"
		    "  mainstay save nt4 /var/lib/states/nt4.state --compact\n",
	.options = save_options,
	.run = save_run,
};

/* --- state --- */

static int show_state(const char *path, const struct statefile *file)
{
	const struct statefile_header *header = &file->header;
	char uuid[UUID_TEXT_SIZE], size[16], when[64];
	time_t saved = (time_t)header->saved_unix;
	struct tm local;

	format_uuid(header->uuid, uuid);
	format_size(header->blocks[0].bytes, size);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", localtime_r(&saved, &local));
	printf("%-12s %s\n", "file", path);
	printf("%-12s %s\n", "machine", header->name);
	printf("%-12s %s\n", "uuid", uuid);
	printf("%-12s %s\n", "saved", when);
	printf("%-12s %s\n", "memory", size);
	printf("%-12s %s\n", "form", header->form == STATEFILE_PLAIN ? "plain" : "compact");
	return EXIT_SUCCESS;
}

static int check_state(const char *path, const struct statefile *file)
{
	void *nowhere[STATEFILE_BLOCKS_MAX] = { NULL };
	char error[256];

	if (statefile_load(file, nowhere, 0, error, sizeof(error)) < 0)
		die("%s: %s", path, error);
	printf("%s: no errors\n", path);
	return EXIT_SUCCESS;
}

static int compact_state(const char *path, const struct statefile *file, const char *target)
{
	struct state_draft draft;
	char error[1024];

	if (file->header.form == STATEFILE_COMPACT)
		die("%s: is compact already", path);
	if (state_draft_new(&draft, target, error, sizeof(error)) < 0)
		die("%s", error);
	if (statefile_compact(file, draft.fd, COMPACT_LEVEL, error, sizeof(error)) < 0) {
		state_draft_discard(&draft);
		die("%s: %s", path, error);
	}
	if (state_draft_commit(&draft, error, sizeof(error)) < 0) {
		state_draft_discard(&draft);
		die("%s", error);
	}
	return EXIT_SUCCESS;
}

static int state_run(const struct verb *verb, int argc, char **argv)
{
	int count = verb_parse(verb, NULL, argc, argv, 2, 3), status;
	struct statefile file;
	char error[1024];
	int fd;

	if (strcmp(argv[0], "show") && strcmp(argv[0], "check") && strcmp(argv[0], "compact"))
		die("state: %s: give show, check or compact", argv[0]);
	if ((count == 3) != !strcmp(argv[0], "compact"))
		die("state %s: needs %s; 'mainstay state --help' says more", argv[0],
		    count == 3 ? "one file only" : "the file and a new one");
	fd = state_file_open(argv[1], &file, error, sizeof(error));
	if (fd < 0)
		die("%s", error);
	status = !strcmp(argv[0], "show")    ? show_state(argv[1], &file)
		 : !strcmp(argv[0], "check") ? check_state(argv[1], &file)
					     : compact_state(argv[1], &file, argv[2]);
	statefile_close(&file);
	close(fd);
	return status;
}

const struct verb state_verb = {
	.name = "state",
	.arguments = "show|check FILE, or compact FILE NEW-FILE",
	.summary = "look at the file of a saved machine",
	.details =
		"check tests every byte; show and restoring test all but the memory of the plain "
		"form.\n",
	.examples = "  mainstay state show nt4.state\n"
		    "  mainstay state check nt4.state\n"
		    "  mainstay state compact nt4.state small.state\n",
	.run = state_run,
};
