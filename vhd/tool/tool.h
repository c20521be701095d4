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
	int usage_status; /* when the command line is at fault; 0: EXIT_USAGE */
	/* The exit status. @count arguments, which may be changed. */
	int (*run)(void *target, int count, char **arguments);
};

/* The last row of a table of options. */
/* clang-format off */
#define OPT_END { NULL, 0, OPT_FLAG, NULL, NULL, 0, 0, 0, NULL }
/* clang-format on */

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
/* A program that gets the signal, too; 0: none. */
void cancel_forward(int pid);
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

/* clang-format off */
/* The rows of a table of options, for a target with a struct shape called @member. */
#define SHAPE_OPTIONS(target, member) \
	{ "type", 't', OPT_STRING, "TYPE", shape_type_help, \
	  offsetof(target, member.type), 0, 0, NULL }, \
	{ "for", 0, OPT_STRING, "CONSUMER", shape_consumer_help, \
	  offsetof(target, member.consumer), 0, 0, NULL }, \
	{ "size-policy", 0, OPT_STRING, "POLICY", shape_policy_help, \
	  offsetof(target, member.size_policy), 0, 0, NULL }, \
	{ "block-size", 0, OPT_SIZE, "SIZE", shape_block_help, \
	  offsetof(target, member.block_bytes), VHD_BLOCK_BYTES_MIN, VHD_BLOCK_BYTES_MAX, NULL }, \
	{ "preallocate", 0, OPT_FLAG, NULL, shape_preallocate_help, \
	  offsetof(target, member.preallocate), 0, 0, NULL }
/* clang-format on */

/* The library's options for a disk of at least @bytes (by the policy). The exit status. */
int shape_resolve(const struct shape *shape, uint64_t bytes,
		  struct vhd_create_options *ret_options);
/* Makes the empty image in @output, whose fd is then the caller's to go on with. */
int shape_create(const struct output *output, const struct vhd_create_options *options);
/* Gives the finished file the space of all its holes, if the options want that. */
int shape_finish(const struct output *output, const struct shape *shape);

/* --- disk.c: a disk of any kind with its parents, open. */

/* What all verbs that open a disk take; the first member of their targets. */
struct disk_words {
	const char *parent, *size_rule;
	const char *folders[16]; /* NULL-terminated */
	bool accept_parent;
};

int disk_add_folder(void *target, const char *value, char *error, size_t error_size);
extern const char disk_parent_help[], disk_folder_help[], disk_accept_help[], disk_size_help[];

/* clang-format off */
#define DISK_OPTIONS(target, member) \
	{ "parent", 0, OPT_STRING, "FILE", disk_parent_help, \
	  offsetof(target, member.parent), 0, 0, NULL }, \
	{ "search", 0, OPT_CALL, "FOLDER", disk_folder_help, 0, 0, 0, disk_add_folder }, \
	{ "accept-parent", 0, OPT_FLAG, NULL, disk_accept_help, \
	  offsetof(target, member.accept_parent), 0, 0, NULL }, \
	{ "size-rule", 0, OPT_STRING, "RULE", disk_size_help, \
	  offsetof(target, member.size_rule), 0, 0, NULL }
/* clang-format on */

enum disk_format { DISK_AUTO, DISK_VHD, DISK_RAW };
/* "auto", "vhd" or "raw"; NULL is auto. The exit status. */
int disk_format_of(const char *text, enum disk_format *ret_format);
#define DISK_FORMAT_HELP "vhd, raw or auto (default): raw when it is nothing else"

struct disk_options {
	bool read_only;
	enum disk_format format;	/* DISK_AUTO: a file that is nothing known is raw */
	bool no_locks;			/* of parents, for who has them */
	const struct disk_words *words; /* or NULL */
};

struct disk {
	const char *path;
	struct vhd_chain chain;
	struct vhd *vhd;
};

/* Prints warnings. The exit status; the disk need not be closed after a failure. */
int disk_open(struct disk *disk, const char *path, const struct disk_options *options);
/* Flushes what was written. The exit status. */
int disk_close(struct disk *disk);
/* Without a flush, after a failure. */
void disk_drop(struct disk *disk);
/* What a file is by its first bytes, if that is an image that others handle: "qcow2", ...; NULL. */
const char *disk_foreign_format(int fd);

/* --- children.c */

/*
 * Refuses when images in the folder of the disk at @path name it as their parent; @but may, or is
 * NULL. @what would break them: "resizing it". The exit status.
 */
int refuse_children(const char *path, const uint8_t id[16], const char *but, const char *what);
extern const char children_help[];
/* clang-format off */
#define CHILDREN_OPTION(target, member) \
	{ "ignore-children", 0, OPT_FLAG, NULL, children_help, offsetof(target, member), 0, 0, NULL }
/* clang-format on */

/* --- stream.c: pipes, and files without a name */

/* A file without a name in the folder of @near; "/proc/self/fd/N" in @ret_path. Or -1, reported. */
int scratch_open(const char *near, char ret_path[32]);
/*
 * Writes what @fd gives, up to @most bytes or its end, to the disk from @offset on. Zeros take no
 * space on a disk that is @empty. The exit status; the number of bytes in *ret_bytes.
 */
int stream_in(int fd, const char *name, struct disk *disk, uint64_t offset, uint64_t most,
	      bool empty, uint64_t *ret_bytes);
/* Writes a part of the disk to @fd. */
int stream_out(struct disk *disk, uint64_t offset, uint64_t bytes, int fd, const char *name);
/* All of a file. */
int stream_file(int from, const char *from_name, int to, const char *to_name);

/* --- child.c: other programs */

/* Runs argv[0], found in PATH, and waits. The exit status, with a message when it is not 0. */
int run_program(const char *const *argv);
/* The same without its standard output. */
int run_quietly(const char *const *argv);
/* For what may fail: says nothing. */
void try_program(const char *const *argv);
/* Whether such a program is there. */
bool have_program(const char *name);

/* convert.c: a whole chain into a new dynamic disk. */
int convert_chain(const struct disk_words *words, char *from, char *to, bool force);

/* create.c: a differencing disk, all as its parent has it. */
int create_child_of(const char *parent, const char *path);
/* merge.c: into its parent, and deleted. */
int merge_child(const char *path);

/* --- undo.c */

enum undo_end { UNDO_NONE, UNDO_KEEP, UNDO_COMMIT, UNDO_DISCARD };
/* "keep", "commit" or "discard"; NULL is none. The exit status. */
int undo_end_of(const char *text, enum undo_end *ret_end);
const char *undo_end_name(enum undo_end end);
/* Makes the undo disk of @path, or finds the one that was kept. */
int undo_open(const char *path, char *ret_undo, size_t size);
int undo_settle(const char *undo, enum undo_end end);

/* --- serve.c: nbdkit's command line */

struct nbdkit_command {
	const char *argv[48]; /* @count are there already */
	unsigned int count;
	char plugin[4096];
	char texts[18][VHD_PATH_BYTES + 16];
};
/* Adds the plugin and its parameters. */
int nbdkit_command(struct nbdkit_command *command, const struct disk_words *words,
		   const char *format, bool read_only, const char *path);

/* --- one in each file */
extern const struct verb verb_check, verb_clone, verb_compact, verb_compare, verb_convert,
	verb_create, verb_info, verb_map, verb_merge, verb_mount, verb_read, verb_rebase,
	verb_relink, verb_repair, verb_resize, verb_serve, verb_umount, verb_write;

#endif
