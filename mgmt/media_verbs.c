// SPDX-License-Identifier: GPL-2.0-or-later
/* The verbs for media: insert and eject for machines that run, floppy for making disks. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "client.h"
#include "floppy_layout.h"
#include "image_file.h"
#include "machine_config.h"
#include "start_message.h"
#include "verbs.h"

#define FILL 0xf6 /* what FORMAT leaves in sectors */

/* --- insert and eject --- */

struct media_options {
	const char *format;
	bool read_only, force;
};

#define FORCE_OPTION                                                                               \
	{                                                                                          \
		.name = "force", .kind = OPT_FLAG,                                                 \
		.help = "although the guest has locked the tray",                                  \
		.offset = offsetof(struct media_options, force)                                    \
	}

static const struct opt insert_options[] = {
	{ .name = "format",
	  .kind = OPT_STRING,
	  .argument = "FORMAT",
	  .help = "what FILE is: raw (default) or vhd",
	  .offset = offsetof(struct media_options, format) },
	{ .name = "readonly",
	  .kind = OPT_FLAG,
	  .help = "the disk is write-protected (CD-ROMs always are)",
	  .offset = offsetof(struct media_options, read_only) },
	FORCE_OPTION,
	{ .name = NULL },
};

static const struct opt eject_options[] = { FORCE_OPTION, { .name = NULL } };

/* Sends the request with @fd, -1: none, and waits for the reply. */
static void request(const char *name, json_object *json, const char *drive, bool force, int fd)
{
	struct runtime_base base;
	struct client client;
	json_object *result = NULL;
	char error[1024];

	json_object_object_add(json, "drive", json_object_new_string(drive));
	json_object_object_add(json, "force", json_object_new_boolean(force));
	verb_open_machine(&base, &client, name);
	if (client_request(&client, json, fd, &result, error, sizeof(error)) < 0)
		die("%s", error);
	json_object_put(result);
	json_object_put(json);
	client_close(&client);
	runtime_base_close(&base);
}

static json_object *command(const char *name)
{
	json_object *json = json_object_new_object();

	json_object_object_add(json, "command", json_object_new_string(name));
	return json;
}

static unsigned int parse_format(const char *text)
{
	if (!text || !strcmp(text, machine_format_names[MACHINE_DISK_RAW]))
		return MACHINE_DISK_RAW;
	if (!strcmp(text, machine_format_names[MACHINE_DISK_VHD]))
		return MACHINE_DISK_VHD;
	die("insert: --format %s: give raw or vhd", text);
}

static int insert_run(const struct verb *verb, int argc, char **argv)
{
	struct media_options options = { NULL, false, false };
	unsigned int format;
	bool is_cdrom;
	int fd;
	char error[1024];
	json_object *json;

	verb_parse(verb, &options, argc, argv, 3, 3);
	format = parse_format(options.format);
	is_cdrom = !strncmp(argv[1], "cd", 2);
	fd = image_file_open(&(struct image_file){ argv[2], is_cdrom ? IMAGE_CDROM : IMAGE_FLOPPY,
						   format, options.read_only || is_cdrom },
			     NULL, error, sizeof(error));
	if (fd < 0)
		die("%s", error);
	json = command("insert");
	json_object_object_add(json, "name", machine_label_json(argv[2]));
	json_object_object_add(json, "format",
			       json_object_new_string(machine_format_names[format]));
	json_object_object_add(json, "read_only",
			       json_object_new_boolean(options.read_only || is_cdrom));
	request(argv[0], json, argv[1], options.force, fd);
	fd_close(fd);
	return EXIT_SUCCESS;
}

static int eject_run(const struct verb *verb, int argc, char **argv)
{
	struct media_options options = { NULL, false, false };

	verb_parse(verb, &options, argc, argv, 2, 2);
	request(argv[0], command("eject"), argv[1], options.force, -1);
	return EXIT_SUCCESS;
}

const struct verb insert_verb = {
	.name = "insert",
	.arguments = "NAME DRIVE FILE [OPTION]...",
	.summary = "put a floppy disk or CD-ROM into a drive of a machine",
	.details =
		"DRIVE is floppy0, floppy1, or cd0 to cd3; mainstay status NAME shows them. FILE "
		"is an\nimage, raw without --format=vhd, or a drive of the host (/dev/fd0, "
		"/dev/sr0). What is in\nthe drive is taken out.\n",
	.examples = "  mainstay insert nt4 cd0 nt4sp6.iso\n"
		    "  mainstay insert nt4 floppy0 drivers.vfd --readonly\n",
	.options = insert_options,
	.run = insert_run,
};

const struct verb eject_verb = {
	.name = "eject",
	.arguments = "NAME DRIVE [--force]",
	.summary = "take the floppy disk or CD-ROM out of a drive of a machine",
	.examples = "  mainstay eject nt4 cd0\n",
	.options = eject_options,
	.run = eject_run,
};

/* --- floppy --- */

struct floppy_options {
	const char *format, *label;
	bool unformatted;
};

static const struct opt floppy_options[] = {
	{ .name = "format",
	  .kind = OPT_STRING,
	  .argument = "FORMAT",
	  .help = "160K, 180K, 320K, 360K, 720K, 1.2M, 1.44M (default), DMF or 2.88M",
	  .offset = offsetof(struct floppy_options, format) },
	{ .name = "label",
	  .kind = OPT_STRING,
	  .argument = "LABEL",
	  .help = "the volume's label, at most 11 characters",
	  .offset = offsetof(struct floppy_options, label) },
	{ .name = "unformatted",
	  .kind = OPT_FLAG,
	  .help = "leave all sectors zero",
	  .offset = offsetof(struct floppy_options, unformatted) },
	{ .name = NULL },
};

/* DOS's time in the low half (two seconds' steps), its date in the high. */
static uint32_t dos_time(time_t now)
{
	struct tm tm;

	localtime_r(&now, &tm);
	if (tm.tm_year < 80)
		return 0x210000; /* the first day of 1980 */
	return (uint32_t)((tm.tm_year - 80) << 25 | (tm.tm_mon + 1) << 21 | tm.tm_mday << 16 |
			  tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
}

static void create_disk(const char *path, const struct floppy_layout *layout,
			const struct floppy_options *options)
{
	size_t bytes = (size_t)floppy_layout_bytes(layout), system = floppy_system_bytes(layout);
	time_t now = time(NULL);
	uint8_t *image = calloc(1, bytes);
	int fd, r;

	if (!image)
		die("%s: no memory", path);
	if (!options->unformatted) {
		memset(image + system, FILL, bytes - system);
		floppy_format(layout, options->label, (uint32_t)now * 2654435761u, dos_time(now),
			      image);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	if (fd < 0)
		die("%s: %s; %s", path, strerror(errno),
		    errno == EEXIST ? "remove it, or give another path"
				    : "give a path in a folder that exists and is yours");
	r = fd_write_full(fd, image, bytes);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0) {
		unlink(path);
		die("%s: %s", path, strerror(-r));
	}
	fd_close(fd);
	free(image);
}

static int floppy_run(const struct verb *verb, int argc, char **argv)
{
	struct floppy_options options = { .format = "1.44M" };
	const struct floppy_layout *layout;

	verb_parse(verb, &options, argc, argv, 2, 2);
	if (strcmp(argv[0], "create"))
		die("floppy: %s: no such action; 'mainstay floppy --help' says more", argv[0]);
	layout = floppy_layout_named(options.format);
	if (!layout)
		die("floppy: --format %s: give 160K, 180K, 320K, 360K, 720K, 1.2M, 1.44M, DMF or "
		    "2.88M",
		    options.format);
	if (options.label && !floppy_label_valid(options.label))
		die("floppy: --label %s: give 1 to %d characters that DOS allows in names",
		    options.label, FLOPPY_LABEL_MAX);
	create_disk(argv[1], layout, &options);
	return EXIT_SUCCESS;
}

const struct verb floppy_verb = {
	.name = "floppy",
	.arguments = "create FILE [OPTION]...",
	.summary = "make the image of a floppy disk",
	.details = "The disk is empty and formatted as DOS does it (FAT12). A file that exists is "
		   "not\noverwritten.\n",
	.examples = "  mainstay floppy create drivers.vfd\n"
		    "  mainstay floppy create old.flp --format 360K --label OLDDISK\n",
	.options = floppy_options,
	.run = floppy_run,
};
