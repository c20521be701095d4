// SPDX-License-Identifier: GPL-2.0-or-later
/* mainstay config: writes, checks and documents the JSON file of a machine. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/log.h"
#include "machine_config.h"
#include "verbs.h"

struct config_options {
	struct machine_config config; /* first: MACHINE_OPTIONS fill it */
	const char *check;
	bool schema;
};

/* The file may be put anywhere: paths in it start at the root. */
static void make_absolute(struct machine_config *config, const char **path)
{
	char folder[PATH_MAX], whole[2 * PATH_MAX];

	if (!*path || **path == '/')
		return;
	if (!getcwd(folder, sizeof(folder)))
		die("the current folder is gone; change to another");
	snprintf(whole, sizeof(whole), "%s/%s", strcmp(folder, "/") ? folder : "", *path);
	if (strlen(whole) >= PATH_MAX)
		die("%s: the path is too long", *path);
	*path = machine_config_keep(config, whole);
	if (!*path)
		die("no memory");
}

static void make_all_absolute(struct machine_config *config)
{
	make_absolute(config, &config->firmware);
	make_absolute(config, &config->firmware_log);
	make_absolute(config, &config->kernel);
	make_absolute(config, &config->initrd);
	make_absolute(config, &config->nvram);
	make_absolute(config, &config->parallel.path);
	for (uint32_t i = 0; i < config->disk_count; i++)
		make_absolute(config, &config->disks[i].path);
	for (uint32_t i = 0; i < config->floppy_count; i++)
		make_absolute(config, &config->floppies[i].path);
	for (uint32_t i = 0; i < config->cdrom_count; i++)
		make_absolute(config, &config->cdroms[i].path);
	for (uint32_t i = 0; i < config->serial_count; i++)
		make_absolute(config, &config->serial[i].path);
}

static int print(char *text)
{
	if (!text)
		die("no memory");
	puts(text);
	free(text);
	if (fflush(stdout) == EOF)
		die("standard output: cannot be written");
	return EXIT_SUCCESS;
}

static int check(struct config_options *options)
{
	char error[1024];

	if (machine_config_load(&options->config, options->check, error, sizeof(error)) < 0)
		die("%s", error);
	machine_config_fini(&options->config);
	return EXIT_SUCCESS;
}

static int config_run(const struct verb *verb, int argc, char **argv)
{
	struct config_options options;
	struct machine_config *config = &options.config;
	char name[MACHINE_NAME_MAX + 1], error[1024];
	int others, status;

	memset(&options, 0, sizeof(options));
	machine_config_init(config);
	others = verb_parse(verb, &options, argc, argv, 0, 1);
	if (options.schema)
		return print(machine_config_schema());
	if (options.check)
		return check(&options);
	if (others && machine_config_add_disk(config, argv[0], error, sizeof(error)) < 0)
		die("%s", error);
	if (!config->serial_count)
		config->serial[config->serial_count++].kind = MACHINE_CHAR_STDIO;
	if (machine_config_check(config, error, sizeof(error)) < 0)
		die("%s", error);
	machine_config_derive(config);
	if (!config->name && machine_config_first_path(config)) {
		machine_name_from_path(machine_config_first_path(config), 1, name);
		config->name = name;
	}
	make_all_absolute(config);
	status = print(machine_config_write(config));
	machine_config_fini(config);
	return status;
}

static const struct opt config_options[] = {
	MACHINE_OPTIONS,
	{ .name = "check",
	  .kind = OPT_STRING,
	  .argument = "FILE",
	  .help = "only say what is wrong with FILE, if anything",
	  .offset = offsetof(struct config_options, check) },
	{ .name = "schema",
	  .kind = OPT_FLAG,
	  .help = "print the JSON Schema of the file",
	  .offset = offsetof(struct config_options, schema) },
	{ .name = NULL },
};

const struct verb config_verb = {
	.name = "config",
	.arguments = "[DISK.vhd] [OPTION]...",
	.summary = "print a machine's JSON file, or check one",
	.details =
		"Takes the options of mainstay run and prints what mainstay run --config takes.\n"
		"Relative paths in such a file start at the folder of the file.\n",
	.examples = "  mainstay config nt4.vhd --memory 256M >nt4.json\n"
		    "  mainstay config --check nt4.json\n"
		    "  mainstay config --schema\n",
	.options = config_options,
	.run = config_run,
};
