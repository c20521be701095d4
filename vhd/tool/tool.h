/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of mainstay-vhd share. One verb is one file; main.c lists them. */
#ifndef VHD_TOOL_TOOL_H
#define VHD_TOOL_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../base/opt.h"
#include "../vhd.h"

#define EXIT_USAGE 2

struct verb {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *details;  /* whole lines for --help, or NULL */
	const char *examples; /* whole lines */
	const struct opt *options;
	size_t target_bytes;
	int arguments_min, arguments_max;
	/* The exit status. @count arguments, which may be changed. */
	int (*run)(void *target, int count, char **arguments);
};

/* The last row of a table of options. */
#define OPT_END                                                                                    \
	{                                                                                          \
		NULL, 0, OPT_FLAG, NULL, NULL, 0, 0, 0, NULL                                       \
	}

/* --- message.c */

/* Control characters, which names may hold, become '?'. */
void make_printable(char *text);
/* One line on standard error that begins with the program's name. Returns EXIT_FAILURE. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for what need not stop the program. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The command line is at fault. */
#define fail_usage(...) (fail(__VA_ARGS__), EXIT_USAGE)
/* A line on standard output: "NAME: text", the name made printable. */
void say(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What stands behind the last slash. */
const char *file_name(const char *path);
/* The index of @text in @names, or -1. */
int index_of(const char *const *names, size_t count, const char *text);
const char *footer_state_name(enum vhd_footer_state state);
/* As 2005-04-01T12:00:00Z. */
void format_time(int64_t unix_seconds, char *ret_text, size_t size);

/* --- json.c: JSON on standard output; all but the first member of an object begin with ", ". */

void json_string(const char *text);
void json_member(const char *name, const char *text);
void json_number(const char *name, uint64_t number);
void json_bool(const char *name, bool value);

/* --- cancel.c: Ctrl-C and its like end the program and leave nothing half done. */

void cancel_init(void);
/* The file that goes away when a signal ends the program; NULL: none. Kept by reference. */
void cancel_remove(const char *path);
/* Keeps signals out between making a file and naming it above. */
void cancel_block(void);
void cancel_unblock(void);
/*
 * While something is changed in place the first signal only asks: work ends at the next safe point.
 * A second one ends the program.
 */
void cancel_defer(bool defer);
bool cancel_asked(void);
/* Ends the program as the signal would have, if there was one. */
void cancel_finish(void);

/* --- progress.c: a line on a terminal that is rewritten, nothing elsewhere. */

struct progress {
	const char *what; /* "converting" */
	bool shown;
	int64_t next_ns; /* when it is written again */
};

void progress_begin(struct progress *progress, const char *what);
/* For a library's operation; -ECANCELED when a signal asked for the end. */
int progress_report(uint64_t done, uint64_t total, void *opaque);
/* Wipes the line. */
void progress_end(struct progress *progress);

/* --- output.c: a file that is made beside its place and put there when it is whole. */

struct output {
	int fd;
	const char *path;
	bool replace;
	char temporary[4096];
};

/*
 * Refuses a place that is taken, or with @force one that is no regular file or in use. The
 * unfinished file goes away when the program ends in any way that it can notice. The exit status.
 */
int output_open(struct output *output, const char *path, bool force);
/* Puts the file in its place, synced if @sync. */
int output_commit(struct output *output, bool sync);
/* Removes it, unless it was committed. */
void output_discard(struct output *output);

/* --- shape.c: what a new disk is to be like, for all verbs that make one. */

struct shape {
	const char *type, *size_policy, *consumer;
	uint64_t block_bytes;
	bool preallocate;
};

extern const char shape_type_help[], shape_policy_help[], shape_consumer_help[], shape_block_help[],
	shape_preallocate_help[];

/* The rows of a table of options, for a target with a struct shape called @member. */
#define SHAPE_OPTIONS(target, member)                                                              \
	{ "type", 't', OPT_STRING, "TYPE", shape_type_help, offsetof(target, member.type),         \
	  0,	  0,   NULL },                                                                     \
		{ "for",                                                                           \
		  0,                                                                               \
		  OPT_STRING,                                                                      \
		  "CONSUMER",                                                                      \
		  shape_consumer_help,                                                             \
		  offsetof(target, member.consumer),                                               \
		  0,                                                                               \
		  0,                                                                               \
		  NULL },                                                                          \
		{ "size-policy",                                                                   \
		  0,                                                                               \
		  OPT_STRING,                                                                      \
		  "POLICY",                                                                        \
		  shape_policy_help,                                                               \
		  offsetof(target, member.size_policy),                                            \
		  0,                                                                               \
		  0,                                                                               \
		  NULL },                                                                          \
		{ "block-size",                                                                    \
		  0,                                                                               \
		  OPT_SIZE,                                                                        \
		  "SIZE",                                                                          \
		  shape_block_help,                                                                \
		  offsetof(target, member.block_bytes),                                            \
		  VHD_BLOCK_BYTES_MIN,                                                             \
		  VHD_BLOCK_BYTES_MAX,                                                             \
		  NULL },                                                                          \
	{                                                                                          \
		"preallocate", 0, OPT_FLAG, NULL, shape_preallocate_help,                          \
			offsetof(target, member.preallocate), 0, 0, NULL                           \
	}

/* The library's options for a disk of at least @bytes (by the policy). The exit status. */
int shape_resolve(const struct shape *shape, uint64_t bytes,
		  struct vhd_create_options *ret_options);
/* Makes the empty image in @output, whose fd is then the caller's to go on with. */
int shape_create(const struct output *output, const struct vhd_create_options *options);
/* Gives the finished file the space of all its holes, if the options want that. */
int shape_finish(const struct output *output, const struct shape *shape);

/* --- one in each file */
extern const struct verb verb_check, verb_create, verb_info;

#endif
