// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkpoint_target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "checkpoint_change.h"
#include "disk_layer.h"
#include "running_disks.h"

#define SERVICES "/etc/mainstay"

/* --- which machine --- */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcasecmp(text + length - end_length, end);
}

static int by_file(struct checkpoint_target *target, const char *path, char *error,
		   size_t error_size)
{
	struct machine_config config;
	int r;

	machine_config_init(&config);
	if (ends_with(path, ".json"))
		r = machine_config_load(&config, path, error, error_size);
	else
		r = machine_config_add_disk(&config, path, error, error_size);
	if (r == 0)
		r = running_disks_take(&config, &target->set, error, error_size);
	machine_config_fini(&config);
	return r;
}

static int connect_to(struct checkpoint_target *target, const char *name, char *error,
		      size_t error_size)
{
	char why[512];
	int r;

	snprintf(target->name, sizeof(target->name), "%s", name);
	r = client_open(&target->client, &target->base, target->name, error, error_size);
	if (r < 0)
		return r;
	target->machine = &target->client;
	r = running_disks_read(target->client.folder_fd, &target->set, why, sizeof(why));
	if (r < 0)
		snprintf(error, error_size, "%s: %s", name, why);
	return r;
}

/* Whether the machine @name runs with the first disk of @set. */
static bool has_disk(const struct runtime_base *base, const char *name,
		     const struct checkpoints *set)
{
	struct checkpoints *other = calloc(1, sizeof(*other));
	int fd = -1, lock_fd = -1;
	char error[256];
	bool has = false;
	pid_t pid;

	if (other && runtime_dir_open(base, name, &fd, &lock_fd, &pid) == 0 &&
	    running_disks_read(fd, other, error, sizeof(error)) == 0 && other->disk_count)
		has = !strcmp(other->disks[0], set->disks[0]);
	fd_close(fd);
	fd_close(lock_fd);
	free(other);
	return has;
}

static int find_running(struct checkpoint_target *target, char *error, size_t error_size)
{
	char **names = NULL;
	int r = 0;

	if (target->base.fd < 0 || runtime_dir_list(&target->base, &names) < 0)
		return 0;
	for (char **name = names; *name && r == 0 && !target->machine; name++) {
		if (has_disk(&target->base, *name, &target->set))
			r = connect_to(target, *name, error, error_size);
	}
	runtime_names_free(names);
	return r;
}

static int find_machine(struct checkpoint_target *target, const char *given, char *error,
			size_t error_size)
{
	char service[256];
	struct stat st;
	int r;

	if (!strchr(given, '/') && name_is_valid(given) && target->base.fd >= 0) {
		int fd, lock_fd;
		pid_t pid;

		if (runtime_dir_open(&target->base, given, &fd, &lock_fd, &pid) == 0) {
			fd_close(fd);
			fd_close(lock_fd);
			return connect_to(target, given, error, error_size);
		}
	}
	snprintf(service, sizeof(service), SERVICES "/%.64s.json", given);
	if (stat(given, &st) == 0 && S_ISREG(st.st_mode)) {
		r = by_file(target, given, error, error_size);
	} else if (!strchr(given, '/') && access(service, R_OK) == 0) {
		r = by_file(target, service, error, error_size);
	} else {
		snprintf(error, error_size,
			 "%s: no machine of this name is running, and there is no such file; give "
			 "its name ('mainstay list'), its disk or its .json file",
			 given);
		return -ENOENT;
	}
	return r < 0 ? r : find_running(target, error, error_size);
}

/* --- opening --- */

static void init(struct checkpoint_target *target)
{
	memset(target, 0, sizeof(*target));
	target->base.fd = target->set.lock_fd = -1;
	for (unsigned int n = 0; n < MACHINE_DISKS_MAX; n++)
		target->disk_locks[n] = -1;
}

int checkpoint_target_open(struct checkpoint_target *target, const char *given, bool look,
			   char *error, size_t error_size)
{
	char ignored[512];
	int r;

	init(target);
	/* Nobody may have started a machine yet. */
	if (runtime_base_open(&target->base, false, ignored, sizeof(ignored)) < 0)
		target->base.fd = -1;
	r = find_machine(target, given, error, error_size);
	target->set.look = look;
	if (r == 0)
		r = checkpoints_open(&target->set, error, error_size);
	if (r == 0 && !look && !target->machine)
		r = checkpoints_lock_disks(&target->set, target->disk_locks, error, error_size);
	if (r == 0 && !look)
		r = checkpoints_settle(&target->set, target->machine, error, error_size);
	if (r < 0)
		checkpoint_target_close(target);
	return r;
}

void checkpoint_target_close(struct checkpoint_target *target)
{
	checkpoints_unlock_disks(target->disk_locks);
	checkpoints_close(&target->set);
	if (target->machine)
		client_close(&target->client);
	target->machine = NULL;
	runtime_base_close(&target->base);
}

int checkpoint_target_settle(struct client *machine, char *error, size_t error_size)
{
	struct checkpoints *set = calloc(1, sizeof(*set));
	char why[512];
	int r = 0;

	if (!set)
		return -ENOMEM;
	/* A machine without layers has nothing to settle. */
	if (running_disks_read(machine->folder_fd, set, why, sizeof(why)) == 0 && set->disk_count &&
	    checkpoints_exist(set->disks[0])) {
		r = checkpoints_open(set, error, error_size);
		if (r == 0)
			r = checkpoints_settle(set, machine, error, error_size);
		checkpoints_close(set);
	}
	free(set);
	return r;
}

/* --- the starter --- */

static int settle_and_merge(struct checkpoints *set, char *error, size_t error_size)
{
	int locks[MACHINE_DISKS_MAX];
	unsigned int left;
	int r = checkpoints_lock_disks(set, locks, error, error_size);

	if (r < 0)
		return r;
	r = checkpoints_settle(set, NULL, error, error_size);
	if (r == 0 && checkpoints_collapse(set, NULL, NULL, &left, error, error_size) < 0)
		/* The disks are whole all the same. */
		log_warning("%s; what was to be merged is merged another time", error);
	checkpoints_unlock_disks(locks);
	return r;
}

/* The disks stand on the checkpoint that the state belongs to, and nothing was written since. */
static bool is_at_state(struct checkpoints *set, const uint8_t *state_id)
{
	const struct checkpoint *node = checkpoints_by_id(set, set->current);
	char ignored[VHD_ERROR_BYTES];

	if (!node || !node->has_state || memcmp(node->state_id, state_id, sizeof(node->state_id)) ||
	    checkpoints_check_layers(set, node, ignored, sizeof(ignored)) < 0)
		return false;
	for (unsigned int n = 0; n < set->disk_count; n++) {
		bool empty = false;

		if (disk_layer_is_empty(set->disks[n], &empty, ignored, sizeof(ignored)) < 0 ||
		    !empty)
			return false;
	}
	return true;
}

int checkpoint_target_start(const struct machine_config *config, const uint8_t *state_id,
			    bool ret_same[MACHINE_DISKS_MAX], char *error, size_t error_size)
{
	struct checkpoints *set = calloc(1, sizeof(*set));
	char ignored[512];
	int r = 0;

	memset(ret_same, 0, MACHINE_DISKS_MAX * sizeof(*ret_same));
	if (!set)
		return -ENOMEM;
	/* Undo disks and raw images are the one's who starts it to refuse. */
	(void)running_disks_take(config, set, ignored, sizeof(ignored));
	if (set->disk_count && checkpoints_exist(set->disks[0])) {
		r = checkpoints_open(set, error, error_size);
		if (r == -EMEDIUMTYPE) {
			log_warning("%s", error);
			r = 0;
		} else if (r == 0) {
			r = settle_and_merge(set, error, error_size);
			if (r == 0 && state_id && is_at_state(set, state_id)) {
				for (unsigned int i = 0; i < MACHINE_DISKS_MAX; i++)
					ret_same[i] = true;
			}
		}
		checkpoints_close(set);
	}
	free(set);
	return r;
}
