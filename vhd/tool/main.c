// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay-vhd: what people do with image files. Each verb is a table in a file of its own: its
 * help is printed from there. Read from main(), at the bottom, upward.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../base/bits.h"
#include "tool.h"

static const struct verb *const verbs[] = {
	&verb_create,  &verb_info,    &verb_check, &verb_repair, &verb_map,    &verb_convert,
	&verb_resize,  &verb_compact, &verb_merge, &verb_rebase, &verb_relink, &verb_clone,
	&verb_compare, &verb_read,    &verb_write, &verb_serve,	 &verb_mount,  &verb_umount,
};

static void print_verb_help(const struct verb *verb)
{
	printf("usage: mainstay-vhd %s [OPTION]... %s\n\n%s\n%s%s\noptions:\n", verb->name,
	       verb->arguments, verb->summary, verb->details ? "\n" : "",
	       verb->details ? verb->details : "");
	opt_print(verb->options, stdout);
	printf("  %-30s  %s\n\nexamples:\n%s", "    --help", "this text", verb->examples);
}

static void print_help(void)
{
	printf("usage: mainstay-vhd VERB [OPTION]... [ARGUMENT]...\n\n"
	       "Makes, examines and changes virtual hard disk (VHD) images.\n\nverbs:\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		printf("  %-10s %-14s %s\n", verbs[i]->name, verbs[i]->arguments,
		       verbs[i]->summary);
	printf("\nmainstay-vhd VERB --help explains one; --version prints the version.\n"
	       "Sizes take K, M, G or T, powers of 1024.\n\n"
	       "Exit status: 0 done, 1 failed, 2 the command line makes no sense;\n"
	       "check, repair and compare have statuses of their own.\n");
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
	char error[512];
	void *target;
	int count, status;

	if (asks_for_help(argc, argv)) {
		print_verb_help(verb);
		return EXIT_SUCCESS;
	}
	target = calloc(1, verb->target_bytes);
	if (!target)
		return fail("out of memory");
	count = opt_parse(verb->options, target, argc, argv, error, sizeof(error));
	status = verb->usage_status ? verb->usage_status : EXIT_USAGE;
	if (count < 0) {
		fail("%s", error);
	} else if (count < verb->arguments_min || count > verb->arguments_max) {
		fail("%s: give %s; mainstay-vhd %s --help explains", verb->name, verb->arguments,
		     verb->name);
	} else {
		status = verb->run(target, count, argv);
	}
	free(target);
	return status;
}

int main(int argc, char **argv)
{
	int status;

	cancel_init();
	if (argc < 2)
		return fail_usage("give a verb; mainstay-vhd --help lists them");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("mainstay-vhd %s\n", MAINSTAY_VERSION);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!strcmp(argv[1], verbs[i]->name)) {
			status = run_verb(verbs[i], argc - 2, argv + 2);
			if (fflush(stdout) && status == EXIT_SUCCESS)
				status = fail("standard output: %s", strerror(errno));
			cancel_finish();
			return status;
		}
	}
	return fail_usage("%s: no such verb; mainstay-vhd --help lists them", argv[1]);
}
