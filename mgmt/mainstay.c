// SPDX-License-Identifier: GPL-2.0-or-later
/* mainstay: the command line. Finds the verb, prints the help; the rest is in the verbs' own files.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/log.h"
#include "verbs.h"

static const struct verb *const verbs[] = {
	/* clang-format off */
	&run_verb, &config_verb, &net_verb,
	&list_verb,
	&status_verb,
	&stats_verb,
	&console_verb,
	&view_verb,
	&screenshot_verb,
	&record_verb,
	&type_verb,
	&key_verb,
	&insert_verb,
	&eject_verb,
	&pause_verb,
	&resume_verb,
	&reset_verb,
	&power_button_verb,
	&stop_verb,
	&quit_verb,
	&save_verb,
	&restore_verb,
	&state_verb,
	&checkpoint_verb,
	&migrate_verb,
	&backup_verb,
	&floppy_verb,
	/* clang-format on */
};

static void print_usage(void)
{
	printf("Usage: mainstay VERB [ARGUMENT]...\n"
	       "Runs virtual machines with the hardware of the Windows NT 4.0 age.\n\nVerbs:\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		printf("  %-14s %s\n", verbs[i]->name, verbs[i]->summary);
	printf("\n'mainstay VERB --help' says more about each; 'mainstay --version' prints the "
	       "version.\n\n"
	       "Examples:\n"
	       "  mainstay run nt4.vhd\n"
	       "  mainstay run linux.vhd --name web --serial console &\n"
	       "  mainstay list\n"
	       "  mainstay console web\n"
	       "  mainstay stop web\n");
}

static void print_verb(const struct verb *verb)
{
	printf("Usage: mainstay %s %s\n%c%s.\n", verb->name, verb->arguments,
	       verb->summary[0] - 'a' + 'A', verb->summary + 1);
	if (verb->options && verb->options->name) {
		printf("\nOptions:\n");
		opt_print(verb->options, stdout);
	}
	if (verb->details)
		printf("\n%s", verb->details);
	printf("\nExamples:\n%s", verb->examples);
}

int verb_parse(const struct verb *verb, void *target, int argc, char **argv, int min, int max)
{
	static const struct opt none[] = { { .name = NULL } };
	char error[1024];
	int others;

	others = opt_parse(verb->options ? verb->options : none, target, argc, argv, error,
			   sizeof(error));
	if (others < 0)
		die("%s: %s", verb->name, error);
	if (others < min)
		die("%s: needs %s; 'mainstay %s --help' says more", verb->name, verb->arguments,
		    verb->name);
	if (others > max)
		die("%s: %s: one argument too many; 'mainstay %s --help' says more", verb->name,
		    argv[max], verb->name);
	return others;
}

/* Before anything else is looked at: who asks for help has often mistyped something. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

static int finish_output(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		die("standard output: cannot be written");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	log_init("mainstay", LOG_LEVEL_INFO);
	if (argc < 2)
		die("no verb; 'mainstay --help' lists them");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage();
		return finish_output();
	}
	if (!strcmp(argv[1], "--version")) {
		printf("mainstay %s\n", MAINSTAY_VERSION);
		return finish_output();
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i]->name))
			continue;
		if (wants_help(argc - 2, argv + 2)) {
			print_verb(verbs[i]);
			return finish_output();
		}
		return verbs[i]->run(verbs[i], argc - 2, argv + 2);
	}
	die("%s: no such verb; 'mainstay --help' lists them", argv[1]);
}
