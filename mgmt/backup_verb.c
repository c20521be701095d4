// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * backup: a machine's disks of one moment as disks of their own, while it runs.
 *
 * A hidden checkpoint without a state is made, its layers are copied, and then they are merged with what the guest
 * has written meanwhile (checkpoint_merge.c). So a backup that is killed leaves a hidden checkpoint and a
 * folder TARGET.partial: the next backup, or the machine's next start, merges the one, and the next backup to
 * the same place removes the other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "checkpoint_change.h"
#include "checkpoint_target.h"
#include "disk_layer.h"
#include "user_command.h"
#include "verbs.h"

struct backup_options {
	const char *before, *after;
	bool quiet;
};

struct backup {
	const struct backup_options *options;
	const char *name;   /* of the machine, as it was given */
	const char *target; /* without blanks at its end */
	char partial[PATH_MAX];
	unsigned int
		node; /* the hidden checkpoint; 0: the machine is off, and its disks stand still */
	const char *doing; /* what progress is of */
	int shown;	   /* in per cent; -1: nothing */
	uint64_t stopped_ns;
};

static struct checkpoint_target machine;
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

/* --- progress --- */

static void end_line(struct backup *backup)
{
	if (backup->shown >= 0)
		fputc('\n', stderr);
	backup->shown = -1;
}

static int on_progress(uint64_t done, uint64_t all, void *opaque)
{
	struct backup *backup = opaque;
	int percent = all ? (int)((double)done * 100 / (double)all) : 100;

	if (!backup->options->quiet && isatty(STDERR_FILENO) && percent != backup->shown) {
		fprintf(stderr, "\r%s %3d %%", backup->doing, percent);
		backup->shown = percent;
	}
	return interrupted;
}

/* Merging is not given up: what is not merged would be later. */
static int on_merge(uint64_t done, uint64_t all, void *opaque)
{
	(void)on_progress(done, all, opaque);
	return 0;
}

/* --- the target --- */

/* Files only: a backup has no folders. */
static int remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
	return rmdir(path) < 0 ? -errno : 0;
}

static uint64_t bytes_to_copy(void)
{
	uint64_t bytes = 0;

	for (unsigned int n = 0; n < machine.set.disk_count; n++) {
		struct vhd_chain *chain = calloc(1, sizeof(*chain));
		char error[VHD_ERROR_BYTES];
		struct stat st;

		if (!chain ||
		    disk_layer_open(chain, machine.set.disks[n], true, error, sizeof(error)) < 0)
			die("%s", chain ? error : "out of memory");
		for (unsigned int i = 0; i < chain->count; i++)
			bytes += fstat(chain->files[i].fd, &st) == 0 ? (uint64_t)st.st_blocks * 512
								     : 0;
		vhd_chain_close(chain);
		free(chain);
	}
	return bytes;
}

static void check_room(const char *folder)
{
	uint64_t needed = bytes_to_copy(), there;
	char needs[16], has[16];
	struct statvfs fs;

	if (statvfs(folder, &fs) < 0)
		return;
	there = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (there >= needed)
		return;
	format_size(needed, needs);
	format_size(there, has);
	die("%s: has no room for the backup: it needs up to %s, and %s are free", folder, needs,
	    has);
}

static void prepare_target(struct backup *backup)
{
	char copy[PATH_MAX];
	struct stat st;
	int r;

	if (snprintf(backup->partial, sizeof(backup->partial), "%s.partial", backup->target) >=
	    (int)sizeof(backup->partial) - NAME_MAX)
		die("%s: %s", backup->target, strerror(ENAMETOOLONG));
	if (lstat(backup->target, &st) == 0)
		die("%s: there is something already; give a new folder", backup->target);
	r = remove_folder(backup->partial);
	if (r < 0 || mkdir(backup->partial, 0700) < 0)
		die("%s: %s", backup->partial, strerror(r < 0 ? -r : errno));
	snprintf(copy, sizeof(copy), "%s", backup->partial);
	check_room(dirname(copy));
}

/* --- commands --- */

static int run_command(const struct backup *backup, const char *text, char *error,
		       size_t error_size)
{
	const struct user_command command = { .text = text,
					      .machine = backup->name,
					      .target = backup->target };

	return user_command_run(&command, error, error_size);
}

/* --- copying --- */

/* The guest of the copy sees the disk that it knows: geometry, and the id of the oldest ancestor. */
static int create_copy(int fd, const char *path, const struct vhd *from, char *error,
		       size_t error_size)
{
	const struct vhd_file file = { .fd = fd, .name = path };
	struct vhd_creator creator = { .version = 0 };
	struct vhd_create_options options = { .type = VHD_DYNAMIC };
	struct vhd_info info, oldest;

	vhd_get_info(from, &info);
	vhd_get_layer_info(from, vhd_layer_count(from) - 1, &oldest);
	if (oldest.type == VHD_FIXED)
		options.type = VHD_FIXED;
	options.size_bytes = info.current_bytes;
	options.block_bytes = options.type == VHD_DYNAMIC ? info.block_bytes : 0;
	options.id = oldest.id;
	options.geometry = &info.geometry;
	if (!strchr(info.creator, '?') && !strchr(info.creator_os, '?')) {
		memcpy(creator.application, info.creator, sizeof(creator.application));
		memcpy(creator.host_os, info.creator_os, sizeof(creator.host_os));
		creator.version = info.creator_version;
		options.creator = &creator;
	}
	return vhd_create(&file, &options, error, error_size);
}

static int copy_to(struct backup *backup, struct vhd *from, int fd, const char *path, char *error,
		   size_t error_size)
{
	const struct vhd_copy_options options = {
		.target_is_empty = true,
		.job = { on_progress, backup },
	};
	const struct vhd_file file = { .fd = fd, .name = path };
	struct vhd *to = NULL;
	int r = create_copy(fd, path, from, error, error_size);

	if (r == 0)
		r = vhd_open(&file, 1, NULL, &to, error, error_size);
	if (r == 0)
		r = vhd_copy(from, to, &options, error, error_size);
	if (r == 0 && (r = vhd_finish(to)) < 0)
		snprintf(error, error_size, "%s", vhd_error(to));
	vhd_free(to);
	if (r == 0 && fsync(fd) < 0) {
		r = -errno;
		snprintf(error, error_size, "%.900s: %s", path, strerror(-r));
	}
	return r;
}

static int copy_disk(struct backup *backup, unsigned int n, char *error, size_t error_size)
{
	const struct vhd_open_options reading = { .read_only = true };
	const char *name = strrchr(machine.set.disks[n], '/');
	struct vhd_chain *chain = calloc(1, sizeof(*chain));
	char from[PATH_MAX], to[2 * PATH_MAX];
	struct vhd *vhd = NULL;
	int fd = -1, r = -ENOMEM;

	checkpoints_layer_path(&machine.set, n, backup->node, from);
	if (!backup->node)
		strcpy(from, machine.set.disks[n]);
	snprintf(to, sizeof(to), "%s/%s", backup->partial, name ? name + 1 : "disk.vhd");
	backup->doing = name ? name + 1 : "disk";
	snprintf(error, error_size, "out of memory");
	if (chain)
		r = disk_layer_open(chain, from, true, error, error_size);
	if (r == 0)
		r = vhd_open(chain->files, chain->count, &reading, &vhd, error, error_size);
	if (r == 0) {
		fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		r = fd < 0 ? -errno : 0;
		if (r < 0)
			snprintf(error, error_size, "%.900s: %s", to, strerror(-r));
	}
	if (r == 0)
		r = copy_to(backup, vhd, fd, to, error, error_size);
	end_line(backup);
	fd_close(fd);
	vhd_free(vhd);
	if (chain)
		vhd_chain_close(chain);
	free(chain);
	return r;
}

/* All disks are there and on stable storage before the folder gets its name. */
static int keep_copies(const struct backup *backup, char *error, size_t error_size)
{
	int fd = open(backup->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	fd_close(fd);
	if (r == 0)
		r = checkpoints_rename(backup->partial, backup->target);
	if (r < 0)
		snprintf(error, error_size, "%s: %s", backup->target, strerror(-r));
	return r;
}

static int copy_all(struct backup *backup, char *error, size_t error_size)
{
	int r = 0;

	for (unsigned int n = 0; n < machine.set.disk_count && r == 0; n++)
		r = copy_disk(backup, n, error, error_size);
	if (r == 0)
		r = keep_copies(backup, error, error_size);
	return r;
}

/* --- the machine's side --- */

static int freeze(struct backup *backup, char *error, size_t error_size)
{
	const struct checkpoint_options hidden = { .name = "",
						   .ret_stopped_ns = &backup->stopped_ns };
	char why[512];
	int r = run_command(backup, backup->options->before, error, error_size), after;

	if (r == 0 && machine.machine)
		r = checkpoints_create(&machine.set, machine.machine, &hidden, &backup->node, error,
				       error_size);
	/* In any case: it undoes what the other has done. */
	after = run_command(backup, backup->options->after, why, sizeof(why));
	if (after < 0)
		log_warning("%s", why);
	return r;
}

static int merge_back(struct backup *backup, char *error, size_t error_size)
{
	const struct vhd_job job = { on_merge, backup };
	unsigned int left;
	int r;

	backup->doing = "merging";
	r = checkpoints_collapse(&machine.set, machine.machine, &job, &left, error, error_size);
	end_line(backup);
	return r;
}

static int backup_run(const struct verb *verb, int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = interrupt };
	struct backup_options options = { 0 };
	struct backup backup = { .options = &options, .shown = -1 };
	char error[1024], why[1024];
	int r, merged;

	verb_parse(verb, &options, argc, argv, 2, 2);
	backup.name = argv[0];
	backup.target = argv[1];
	if (checkpoint_target_open(&machine, argv[0], false, error, sizeof(error)) < 0)
		die("%s", error);
	prepare_target(&backup);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* What a backup that was killed has left. */
	r = merge_back(&backup, error, sizeof(error));
	if (r == 0)
		r = freeze(&backup, error, sizeof(error));
	if (r == 0)
		r = copy_all(&backup, error, sizeof(error));
	if (r < 0)
		(void)remove_folder(backup.partial);
	merged = merge_back(&backup, why, sizeof(why));
	if (merged < 0)
		log_warning("%s; what the guest has written is merged another time", why);
	if (r < 0 && interrupted)
		die("%s: the backup was given up; the machine is as it was", argv[0]);
	if (r < 0)
		die("%s: %s", argv[0], error);
	if (!options.quiet && machine.machine)
		printf("%s: the guest stopped for %.1f ms\n", argv[1],
		       (double)backup.stopped_ns / 1e6);
	checkpoint_target_close(&machine);
	return EXIT_SUCCESS;
}

static const struct opt backup_options[] = {
	{ .name = "before",
	  .kind = OPT_STRING,
	  .argument = "COMMAND",
	  .help = "run it before the guest is stopped; when it fails there is no backup",
	  .offset = offsetof(struct backup_options, before) },
	{ .name = "after",
	  .kind = OPT_STRING,
	  .argument = "COMMAND",
	  .help = "run it as soon as the guest goes on, whatever became of the backup",
	  .offset = offsetof(struct backup_options, after) },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPT_FLAG,
	  .help = "say nothing when it went well",
	  .offset = offsetof(struct backup_options, quiet) },
	{ .name = NULL },
};

const struct verb backup_verb = {
	.name = "backup",
	.arguments = "MACHINE TARGET [OPTION]...",
	.summary = "copy a machine's disks while it runs",
	.details =
		"TARGET is a new folder; it has its name when all is in it. The guest stops for a "
		"moment, and\n"
		"its disks are copied as they were then. It can be ended at any time (Ctrl-C) "
		"without harm\n"
		"to the machine; what is left of one that was killed goes with the next backup, or "
		"when the\n"
		"machine starts. The commands are run by the shell and find MAINSTAY_MACHINE and\n"
		"MAINSTAY_TARGET in their environment.\n",
	.examples = "  mainstay backup nt4 /backup/nt4-monday\n"
		    "  mainstay backup nt4 /backup/nt4 --before ./stop-database --after "
		    "./start-database\n",
	.options = backup_options,
	.run = backup_run,
};
