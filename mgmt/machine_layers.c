// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine_layers.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "client.h"
#include "disk_layer.h"
#include "save_client.h"
#include "start_message.h"

#define BUSY_TRIES 100
#define BUSY_PAUSE_NS 50000000
#define SWITCH_TIMEOUT_S 60

/* --- which files --- */

static void read_disks(struct machine_layers *layers, const struct checkpoints *set,
		       json_object *disks)
{
	size_t count =
		json_object_is_type(disks, json_type_array) ? json_object_array_length(disks) : 0;

	for (size_t i = 0; i < count; i++) {
		json_object *row = json_object_array_get_idx(disks, i);

		for (unsigned int n = 0; n < set->disk_count; n++) {
			if (save_client_number(row, "slot") != set->slots[n])
				continue;
			layers->devices[n] = save_client_number(row, "device");
			layers->inodes[n] = save_client_number(row, "inode");
		}
	}
}

bool machine_layers_uses(const struct machine_layers *layers, unsigned int n, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == layers->devices[n] &&
	       st.st_ino == layers->inodes[n];
}

int machine_layers_begin(struct machine_layers *layers, const struct checkpoints *set,
			 struct client *machine, char *error, size_t error_size)
{
	json_object *disks = NULL;

	memset(layers, 0, sizeof(*layers));
	for (unsigned int i = 0;; i++) {
		layers->session = save_client_begin(machine, &disks, error, error_size);
		if (layers->session >= 0)
			break;
		/* Somebody who was killed has left it held, and it is about to go on. */
		if (layers->session != -EREMOTEIO || i == BUSY_TRIES)
			return layers->session;
		nanosleep(&(struct timespec){ .tv_nsec = BUSY_PAUSE_NS }, NULL);
	}
	read_disks(layers, set, disks);
	json_object_put(disks);
	return 0;
}

/* --- holding --- */

int machine_layers_hold(struct machine_layers *layers, int state_fd, char *error, size_t error_size)
{
	char why[512];
	int r = save_client_send(layers->session, state_fd < 0 ? "hold" : "save", NULL, &state_fd,
				 state_fd >= 0);

	if (r == 0)
		r = save_client_wait(layers->session, "held", 0, NULL, why, sizeof(why));
	else
		snprintf(why, sizeof(why), "%s", strerror(-r));
	if (r < 0)
		snprintf(error, error_size, "the machine cannot be held: %s", why);
	return r;
}

void machine_layers_end(struct machine_layers *layers)
{
	char why[256];

	if (layers->session < 0)
		return;
	/* "failed" says that it goes on; when nothing was held, that there was nothing to do. */
	if (save_client_send(layers->session, "cancel", NULL, NULL, 0) == 0)
		(void)save_client_wait(layers->session, "failed", 5, NULL, why, sizeof(why));
	layers->session = fd_close(layers->session);
}

/* --- exchanging --- */

/* Descriptors of all chains, and what is said of them. */
struct offer {
	struct vhd_chain *chains; /* set->disk_count */
	json_object *disks;
	int fds[FDPASS_MAX_FDS];
	unsigned int count;
};

static int add_fd(struct offer *offer, json_object *to, int fd)
{
	if (offer->count == FDPASS_MAX_FDS)
		return -E2BIG;
	json_object_object_add(to, "disk_fd", json_object_new_int((int)offer->count));
	offer->fds[offer->count++] = fd;
	return 0;
}

static int offer_disk(struct offer *offer, const struct checkpoints *set, unsigned int n)
{
	const struct vhd_chain *chain = &offer->chains[n];
	json_object *disk = json_object_new_object(), *parents = json_object_new_array();
	int r = add_fd(offer, disk, chain->files[0].fd);

	json_object_object_add(disk, "slot", json_object_new_int((int)set->slots[n]));
	json_object_object_add(disk, "name", machine_label_json(set->disks[n]));
	for (unsigned int i = 1; i < chain->count && r == 0; i++) {
		json_object *parent = json_object_new_object();

		r = add_fd(offer, parent, chain->files[i].fd);
		json_object_object_add(parent, "format",
				       json_object_new_string(chain->files[i].raw ? "raw" : "vhd"));
		json_object_object_add(parent, "name", machine_label_json(chain->paths[i]));
		json_object_array_add(parents, parent);
	}
	json_object_object_add(disk, "parents", parents);
	json_object_array_add(offer->disks, disk);
	return r;
}

static int make_offer(struct offer *offer, const struct checkpoints *set, char paths[][PATH_MAX],
		      char *error, size_t error_size)
{
	int r = 0;

	offer->chains = calloc(set->disk_count, sizeof(offer->chains[0]));
	offer->disks = json_object_new_array();
	offer->count = 0;
	if (!offer->chains) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	for (unsigned int n = 0; n < set->disk_count && r == 0; n++) {
		r = disk_layer_open(&offer->chains[n], paths[n], false, error, error_size);
		if (r < 0)
			break;
		r = offer_disk(offer, set, n);
		if (r < 0)
			snprintf(error, error_size, "%s: has too many layers; delete checkpoints",
				 set->disks[n]);
	}
	return r;
}

/* Descriptions of open files are shared: the locks are the machine's as well, and end with it. */
static void take_locks(const struct offer *offer, const struct checkpoints *set)
{
	for (unsigned int n = 0; n < set->disk_count; n++) {
		for (unsigned int i = 0; i < offer->chains[n].count; i++)
			(void)vhd_lock(offer->chains[n].files[i].fd, i == 0);
	}
}

int machine_layers_switch(struct machine_layers *layers, const struct checkpoints *set,
			  char paths[][PATH_MAX], uint64_t *ret_stopped_ns, char *error,
			  size_t error_size)
{
	json_object *request = json_object_new_object(), *event = NULL;
	struct offer offer;
	char why[VHD_ERROR_BYTES];
	int r = make_offer(&offer, set, paths, error, error_size);

	json_object_object_add(request, "disks", offer.disks);
	if (r == 0) {
		r = save_client_send(layers->session, "switch", request, offer.fds, offer.count);
		request = NULL;
		if (r < 0)
			snprintf(why, sizeof(why), "%s", strerror(-r));
		else
			r = save_client_wait(layers->session, "running", SWITCH_TIMEOUT_S, &event,
					     why, sizeof(why));
		if (r < 0)
			snprintf(error, error_size, "the machine does not take its new layers: %s",
				 why);
	}
	if (r == 0)
		take_locks(&offer, set);
	if (r == 0 && ret_stopped_ns)
		*ret_stopped_ns = save_client_number(event, "stopped_ns");
	json_object_put(event);
	json_object_put(request);
	for (unsigned int n = 0; offer.chains && n < set->disk_count; n++)
		vhd_chain_close(&offer.chains[n]);
	free(offer.chains);
	return r;
}
