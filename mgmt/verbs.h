/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the command line as data: mainstay.c dispatches and documents them by these rows. */
#ifndef MGMT_VERBS_H
#define MGMT_VERBS_H

#include "../base/opt.h"

struct verb {
	const char *name;
	const char *arguments; /* "NAME [OPTION]..." */
	const char *summary;   /* one line */
	const char
		*details; /* what --help says between the options and the examples; NULL: nothing */
	const char *examples; /* lines, each indented by two blanks */
	const struct opt *options;
	/* The exit status. @argv begins behind the verb. */
	int (*run)(const struct verb *verb, int argc, char **argv);
};

/*
 * opt_parse() with the verb's options. Dies with one line when they are wrong or the number of
 * other arguments is not from @min to @max; returns that number.
 */
int verb_parse(const struct verb *verb, void *target, int argc, char **argv, int min, int max);

struct client;
struct runtime_base;

/* Connects to the machine that a verb's argument names; dies with one line otherwise. */
void verb_open_machine(struct runtime_base *base, struct client *client, const char *name);

extern const struct verb backup_verb, checkpoint_verb;
extern const struct verb migrate_verb, restore_verb, save_verb, state_verb;
extern const struct verb run_verb, config_verb, net_verb;
extern const struct verb insert_verb, eject_verb, floppy_verb;
extern const struct verb view_verb, screenshot_verb, record_verb, type_verb, key_verb;
extern const struct verb list_verb, status_verb, stats_verb, console_verb, stop_verb;
extern const struct verb pause_verb, resume_verb, reset_verb, power_button_verb, quit_verb;

#endif
