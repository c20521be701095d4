// SPDX-License-Identifier: GPL-2.0-or-later
#include "incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../vmm/state/statefile.h"
#include "machine_config.h"
#include "migration.h"

static int peer = -1, state_fd = -1;
static char folder[PATH_MAX], path[64];
static char draft[PATH_MAX + 32]; /* the file's name, where it had to have one; "": it has none */

/* Without a name, so that nothing is left of it however we end; not every file system can do that. */
static int make_file(char *error, size_t error_size)
{
	const char *given = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s", given && *given == '/' ? given : "/var/tmp");
	state_fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (state_fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		snprintf(draft, sizeof(draft), "%s/mainstay-incoming-XXXXXX", folder);
		state_fd = mkostemp(draft, O_CLOEXEC);
	}
	if (state_fd < 0) {
		snprintf(error, error_size,
			 "%s: no place for the machine's state: %s; set TMPDIR to another folder",
			 folder, strerror(errno));
		return -errno;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", state_fd);
	return 0;
}

static void drop_file(void)
{
	state_fd = fd_close(state_fd);
	if (*draft)
		unlink(draft);
	*draft = '\0';
}

/* All that can be found wrong before the machine's process reads it. */
static int check_file(char *error, size_t error_size)
{
	struct statefile file;
	int r = statefile_open(&file, state_fd, error, error_size);

	if (r == 0)
		statefile_close(&file);
	return r;
}

/* What can be known before: the other side would send all of it for nothing. */
static int check_disks(const struct machine_config *config, char *error, size_t error_size)
{
	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct machine_disk *disk = &config->disks[i];

		if (access(disk->path, disk->read_only ? R_OK : R_OK | W_OK) < 0) {
			snprintf(error, error_size, "disk %s: %s", disk->path, strerror(errno));
			return -errno;
		}
	}
	return 0;
}

const char *incoming_receive(const struct machine_config *config, const char *where, char *error,
			     size_t error_size)
{
	char why[512];
	int r;

	if (check_disks(config, error, error_size) < 0 || make_file(error, error_size) < 0)
		return NULL;
	peer = migration_accept(where, MIGRATION_TIMEOUT_S, error, error_size);
	if (peer < 0) {
		drop_file();
		return NULL;
	}
	r = migration_wait(peer, STREAM_HELLO, why, sizeof(why));
	if (r == 0 && migration_send(peer, STREAM_HELLO, NULL) < 0) {
		r = -EPIPE;
		snprintf(why, sizeof(why), "the other side has hung up");
	}
	if (r == 0)
		r = migration_receive(peer, state_fd, why, sizeof(why));
	if (r == 0)
		r = check_file(why, sizeof(why));
	if (r == 0)
		r = migration_wait(peer, STREAM_FREE, why, sizeof(why));
	if (r == 0)
		return path;
	snprintf(error, error_size, "%s: the machine did not arrive: %s", where, why);
	incoming_fail(why);
	return NULL;
}

void incoming_fail(const char *why)
{
	if (peer < 0)
		return;
	(void)migration_send(peer, STREAM_FAIL, why);
	peer = fd_close(peer);
	drop_file();
}

void incoming_runs(void)
{
	if (peer >= 0)
		(void)migration_send(peer, STREAM_RUNS, NULL);
	peer = fd_close(peer);
}

/* A name for what may be the only copy of the machine. */
static void keep(const char *name, char *kept, size_t size)
{
	char target[PATH_MAX + 128];

	snprintf(target, sizeof(target), "%s/%s-%d.state", folder, name, (int)getpid());
	if (*draft ? rename(draft, target) == 0
		   : linkat(AT_FDCWD, path, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0)
		snprintf(kept, size, "its state was kept in %s", target);
	else
		snprintf(kept, size, "and its state could not be kept: %s", strerror(errno));
}

int incoming_take_over(const char *name, char *error, size_t error_size)
{
	char why[512], kept[PATH_MAX + 256];
	int r = migration_send(peer, STREAM_READY, NULL);

	if (r == 0)
		r = migration_wait(peer, STREAM_GO, why, sizeof(why));
	else
		snprintf(why, sizeof(why), "the other side has hung up");
	if (r == 0) {
		drop_file();
		return 0;
	}
	/* A source that says that it goes on does. */
	if (r == -EREMOTEIO) {
		snprintf(error, error_size, "%s", why);
		drop_file();
	} else {
		keep(name, kept, sizeof(kept));
		snprintf(error, error_size,
			 "%s; %s: if the machine does not run there any more, 'mainstay restore' "
			 "goes on from it",
			 why, kept);
	}
	peer = fd_close(peer);
	return r;
}
