// SPDX-License-Identifier: GPL-2.0-or-later
/* create: an empty disk. */
#include <stdio.h>

#include "../../base/parse.h"
#include "tool.h"

struct create_target {
	struct shape shape;
	bool force;
};

static const struct opt create_options[] = {
	SHAPE_OPTIONS(struct create_target, shape),
	{ "force", 'f', OPT_FLAG, NULL, "replace a file that exists and is not in use",
	  offsetof(struct create_target, force), 0, 0, NULL },
	OPT_END,
};

static int make(const char *path, const struct create_target *target,
		const struct vhd_create_options *options)
{
	struct output output;
	int status = output_open(&output, path, target->force);

	if (status == 0)
		status = shape_create(&output, options);
	if (status == 0)
		status = shape_finish(&output, &target->shape);
	/* An empty disk holds nothing that could be lost, but what it replaces does. */
	if (status == 0)
		status = output_commit(&output, target->force);
	output_discard(&output);
	return status;
}

static int run_create(void *opaque, int count, char **arguments)
{
	const struct create_target *target = opaque;
	struct vhd_create_options options;
	char text[16];
	uint64_t bytes;
	int status;

	(void)count;
	if (parse_size(arguments[1], &bytes) < 0)
		return fail_usage("%s: not a size; give for example 8G or 504M", arguments[1]);
	status = shape_resolve(&target->shape, bytes, &options);
	if (status == 0)
		status = make(arguments[0], target, &options);
	if (status != 0)
		return status;
	format_size(options.size_bytes, text);
	say(arguments[0], "%s disk of %s (%llu bytes)", vhd_type_name(options.type), text,
	    (unsigned long long)options.size_bytes);
	return EXIT_SUCCESS;
}

const struct verb verb_create = {
	"create",
	"FILE SIZE",
	"make an empty disk",
	NULL,
	"  mainstay-vhd create nt4.vhd 4G\n"
	"  mainstay-vhd create --type fixed --preallocate data.vhd 504M\n"
	"  mainstay-vhd create --for virtualpc old.vhd 8G\n",
	create_options,
	sizeof(struct create_target),
	2,
	2,
	run_create,
};
