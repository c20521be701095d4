// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mount and umount: a disk's contents on the host. nbdkit serves it on a socket that only we can
 * reach; what shows it there is nbdfuse (one file), nbd-client (a block device with partitions) or
 * guestmount (the file systems in it).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "mount.h"

/* A server may have much to write at its end. */
#define END_WAIT_MS 600000
/* And a file system needs a moment to appear. */
#define BEGIN_WAIT_MS 30000

struct mount_target {
	struct disk_words words; /* first, see disk_add_folder() */
	const char *undo, *as, *format;
	bool read_only, files;
	uint32_t partition; /* 0: none was given */
};

static const struct opt mount_options[] = {
	{ "read-only", 'r', OPT_FLAG, NULL, "nothing can be written",
	  offsetof(struct mount_target, read_only), 0, 0, NULL },
	{ "undo", 'u', OPT_STRING, "END",
	  "write to an undo disk; umount keeps, commits or discards it",
	  offsetof(struct mount_target, undo), 0, 0, NULL },
	{ "as", 0, OPT_STRING, "WHAT",
	  "device (default for root): /dev/nbdN and its partitions; file: WHERE/disk",
	  offsetof(struct mount_target, as), 0, 0, NULL },
	{ "files", 0, OPT_FLAG, NULL, "the first partition's files in WHERE, by guestmount",
	  offsetof(struct mount_target, files), 0, 0, NULL },
	{ "partition", 0, OPT_U32, "N", "with --files: another one; 5 is the first logical drive",
	  offsetof(struct mount_target, partition), 1, 127, NULL },
	{ "format", 0, OPT_STRING, "FORMAT", "vhd (default) or raw",
	  offsetof(struct mount_target, format), 0, 0, NULL },
	DISK_OPTIONS(struct mount_target, words),
	OPT_END,
};

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* --- the server */

static int start_server(const struct mount_target *target, const struct mount_record *record)
{
	struct nbdkit_command *command = calloc(1, sizeof(*command));
	char socket[300], pid[300];
	unsigned int n = 0;
	int status;

	if (!command)
		return fail("out of memory");
	mount_record_path(record, "nbd", socket);
	mount_record_path(record, "pid", pid);
	command->argv[n++] = "nbdkit";
	command->argv[n++] = "--unix";
	command->argv[n++] = socket;
	command->argv[n++] = "--pidfile";
	command->argv[n++] = pid;
	command->count = n;
	status = nbdkit_command(command, &target->words, target->format, target->read_only,
				record->undo[0] ? record->undo : record->disk);
	if (status == 0)
		status = run_program(command->argv);
	free(command);
	return status;
}

/* Waits until the process is gone; its lock is, too, then. */
static int wait_for_end(int pid, const char *what)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd event = { .fd = fd, .events = POLLIN };
	int n;

	if (fd < 0)
		return errno == ESRCH ? 0 : fail("%s: %s", what, strerror(errno));
	do
		n = poll(&event, 1, END_WAIT_MS);
	while (n < 0 && errno == EINTR);
	fd_close(fd);
	return n > 0 ? 0 : fail("%s: process %d does not end", what, pid);
}

static int stop_server(const struct mount_record *record)
{
	int pid = mount_record_pid(record, "pid");

	if (!pid)
		return 0;
	if (kill(pid, SIGTERM) < 0 && errno != ESRCH)
		return fail("%s: its server cannot be stopped: %s", record->disk, strerror(errno));
	return wait_for_end(pid, record->disk);
}

/* --- what shows it */

static int require(const char *program, const char *package)
{
	if (have_program(program))
		return 0;
	return fail("%s is not installed; its Debian package is %s", program, package);
}

/* nbdfuse stays in the foreground and tells by a file that it is ready. */
static int begin_file(const struct mount_record *record, bool read_only)
{
	char socket[300], pidfile[300], mountpoint[VHD_PATH_BYTES + 8];
	pid_t pid;
	int status = require("nbdfuse", "libnbd-bin");

	if (status != 0)
		return status;
	mount_record_path(record, "nbd", socket);
	mount_record_path(record, "fuse", pidfile);
	snprintf(mountpoint, sizeof(mountpoint), "%s/disk", record->where);
	pid = fork();
	if (pid < 0)
		return fail("nbdfuse: cannot be started: %s", strerror(errno));
	if (pid == 0) {
		setsid();
		execlp("nbdfuse", "nbdfuse", "--pidfile", pidfile, read_only ? "-r" : "-s",
		       mountpoint, "--unix", socket, NULL);
		_exit(127);
	}
	for (unsigned int i = 0; i < BEGIN_WAIT_MS / 50; i++) {
		if (mount_record_pid(record, "fuse"))
			return 0;
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return fail("nbdfuse: failed; is %s an empty folder, and /dev/fuse there?",
				    record->where);
		sleep_ms(50);
	}
	kill(pid, SIGTERM);
	return fail("nbdfuse: does not get ready");
}

/* The first /dev/nbdN that nobody uses. */
static int find_device(char ret_path[32])
{
	for (unsigned int i = 0; i < 256; i++) {
		char used[64];

		snprintf(used, sizeof(used), "/sys/block/nbd%u/pid", i);
		snprintf(ret_path, 32, "/dev/nbd%u", i);
		if (access(ret_path, F_OK) < 0)
			return i ? fail("no network block device is free; give the kernel more: "
					"modprobe nbd nbds_max=64")
				 : fail("the kernel has no network block devices (modprobe nbd); "
					"--as file does without");
		if (access(used, F_OK) < 0)
			return 0;
	}
	return fail("no network block device is free");
}

static int begin_device(struct mount_record *record, bool read_only)
{
	char socket[300], device[32];
	const char *modprobe[] = { "modprobe", "nbd", NULL };
	/* Any name will do; without one it warns of a protocol that is gone. */
	const char *argv[] = { "nbd-client", "-N", "disk", "-unix", socket,
			       device,	     "-b", "512",  NULL,    NULL };
	int status = require("nbd-client", "nbd-client");

	if (status != 0)
		return status;
	if (access("/dev/nbd0", F_OK) < 0)
		try_program(modprobe);
	status = find_device(device);
	if (status != 0)
		return status;
	mount_record_path(record, "nbd", socket);
	if (read_only)
		argv[8] = "-readonly";
	status = run_quietly(argv);
	if (status == 0)
		snprintf(record->where, sizeof(record->where), "%s", device);
	return status;
}

static int begin_files(const struct mount_record *record, const struct mount_target *target)
{
	char uri[400], partition[32], pid[300];
	const char *argv[] = { "guestmount",
			       "--format=raw",
			       "--pid-file",
			       pid,
			       "-a",
			       uri,
			       "-m",
			       partition,
			       target->read_only ? "--ro" : "--rw",
			       record->where,
			       NULL };
	int status = require("guestmount", "guestmount");

	mount_record_path(record, "fuse", pid);
	snprintf(partition, sizeof(partition), "/dev/sda%u",
		 target->partition ? target->partition : 1);
	snprintf(uri, sizeof(uri), "nbd://?socket=%s/nbd", record->folder);
	return status ? status : run_program(argv);
}

static int begin(struct mount_record *record, const struct mount_target *target)
{
	switch (record->kind) {
	case MOUNT_DEVICE:
		return begin_device(record, target->read_only);
	case MOUNT_FILES:
		return begin_files(record, target);
	case MOUNT_FILE:
		break;
	}
	return begin_file(record, target->read_only);
}

int mount_end(const struct mount_record *record)
{
	const char *fuse[] = { "fusermount3", "-u", record->where, NULL };
	const char *device[] = { "nbd-client", "-d", record->where, NULL };
	const char *files[] = { "guestunmount", record->where, NULL };
	const char *const *argv[MOUNT_KINDS] = {
		[MOUNT_FILE] = fuse,
		[MOUNT_DEVICE] = device,
		[MOUNT_FILES] = files,
	};
	/* Both programs go on writing when the folder is empty again. */
	int pid = record->kind == MOUNT_DEVICE ? 0 : mount_record_pid(record, "fuse");
	int status = run_program(argv[record->kind]);

	if (status == 0 && pid)
		status = wait_for_end(pid, record->where);
	return status == 0 ? stop_server(record) : status;
}

/* --- mount */

static int plan(const struct mount_target *target, const char *where, struct mount_record *record)
{
	int kind = target->files ? MOUNT_FILES
		   : target->as	 ? index_of(mount_kind_names, MOUNT_FILES, target->as)
		   : where	 ? MOUNT_FILE
				 : MOUNT_DEVICE;
	const char *format = target->format;
	int status = undo_end_of(target->undo, &record->end);

	if (status != 0)
		return status;
	if (kind < 0)
		return fail_usage("--as %s: give device or file", target->as);
	if (target->as && target->files)
		return fail_usage("--as and --files: give one of them");
	if (target->partition && kind != MOUNT_FILES)
		return fail_usage("--partition: only with --files");
	if (kind == MOUNT_DEVICE && geteuid() != 0)
		return fail_usage("mount: give WHERE, an empty folder; a block device is for root");
	if (kind != MOUNT_DEVICE && !where)
		return fail_usage("mount: give WHERE, an empty folder");
	if (kind == MOUNT_DEVICE && where)
		return fail_usage("--as device: the kernel gives the device its name; leave out %s",
				  where);
	if (format && strcmp(format, "raw") && strcmp(format, "vhd"))
		return fail_usage("--format %s: give vhd or raw", format);
	if (record->end != UNDO_NONE &&
	    (target->read_only || target->words.parent || target->words.accept_parent))
		return fail_usage("--undo: leave out --read-only, --parent and --accept-parent");
	record->kind = (enum mount_kind)kind;
	return 0;
}

/* Absolute paths, since umount may be called elsewhere. */
static int resolve(const char *path, char *ret_path, size_t size)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		return fail("%s: %s", path, strerror(errno));
	if (strchr(real, '\n') || strlen(real) >= size)
		return fail("%s: such a name cannot be mounted", path);
	memcpy(ret_path, real, strlen(real) + 1);
	return 0;
}

static int mount_disk(const struct mount_target *target, struct mount_record *record)
{
	int status = 0;

	if (record->end != UNDO_NONE)
		status = undo_open(record->disk, record->undo, sizeof(record->undo));
	if (status == 0)
		status = mount_record_new(record);
	if (status != 0)
		return status;
	status = start_server(target, record);
	if (status == 0)
		status = begin(record, target);
	if (status == 0)
		status = mount_record_write(record);
	if (status != 0) {
		stop_server(record);
		mount_record_remove(record);
	}
	return status;
}

static int run_mount(void *opaque, int count, char **arguments)
{
	const struct mount_target *target = opaque;
	struct mount_record record = { .kind = MOUNT_FILE }, other;
	const char *where = count > 1 ? arguments[1] : NULL;
	int status = plan(target, where, &record);

	if (status == 0)
		status = resolve(arguments[0], record.disk, sizeof(record.disk));
	if (status == 0 && where)
		status = resolve(where, record.where, sizeof(record.where));
	if (status == 0 && mount_record_find(record.disk, &other))
		status = fail("%s: is mounted at %s already", arguments[0], other.where);
	if (status == 0)
		status = mount_disk(target, &record);
	if (status != 0)
		return status;
	say(arguments[0], "mounted at %s%s%s", record.where,
	    record.kind == MOUNT_FILE ? "/disk" : "",
	    record.undo[0] ? ", changes go to an undo disk" : "");
	return EXIT_SUCCESS;
}

const struct verb verb_mount = {
	.name = "mount",
	.arguments = "FILE [WHERE]",
	.summary = "show a disk's contents on the host",
	.details =
		"As root without WHERE: a block device with its partitions. With WHERE, an empty\n"
		"folder: the disk as the file WHERE/disk, or with --files what is in its file\n"
		"systems.\n",
	.examples = "  mainstay-vhd mount --undo discard nt4.vhd /mnt/nt4\n"
		    "  mainstay-vhd mount --files --read-only nt4.vhd /mnt/nt4\n"
		    "  sudo mainstay-vhd mount nt4.vhd\n",
	.options = mount_options,
	.target_bytes = sizeof(struct mount_target),
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_mount,
};

/* --- umount */

struct umount_target {
	const char *undo;
};

static const struct opt umount_options[] = {
	{ "undo", 'u', OPT_STRING, "END", "keep, commit or discard, whatever mount said",
	  offsetof(struct umount_target, undo), 0, 0, NULL },
	OPT_END,
};

static int run_umount(void *opaque, int count, char **arguments)
{
	const struct umount_target *target = opaque;
	struct mount_record record;
	enum undo_end end;
	int status = undo_end_of(target->undo, &end);

	(void)count;
	if (status != 0)
		return status;
	if (!mount_record_find(arguments[0], &record))
		return fail("%s: is not mounted by mainstay-vhd", arguments[0]);
	if (end != UNDO_NONE && !record.undo[0])
		return fail("%s: was mounted without an undo disk; what was changed stays",
			    arguments[0]);
	status = mount_end(&record);
	if (status != 0)
		return status;
	mount_record_remove(&record);
	return undo_settle(record.undo, end != UNDO_NONE ? end : record.end);
}

const struct verb verb_umount = {
	.name = "umount",
	.arguments = "WHERE",
	.summary = "end a mount, and keep, commit or discard its undo disk",
	.details = "WHERE is where the disk is mounted, or the disk's file.\n",
	.examples = "  mainstay-vhd umount /mnt/nt4\n"
		    "  mainstay-vhd umount --undo commit nt4.vhd\n",
	.options = umount_options,
	.target_bytes = sizeof(struct umount_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_umount,
};
