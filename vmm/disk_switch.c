// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * All images are opened and compared with what the guest sees before the first is exchanged. Then each
 * backend swaps its image, in its worker and behind all that was submitted (blockio.h). The top
 * file's descriptor belongs to the backend from then on; those of its parents are kept here until the next
 * change.
 */
#include "disk_switch.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../vhd/vhd.h"
#include "blockio.h"
#include "config.h"
#include "machine_impl.h"

/* One disk's files as they were handed over. */
struct disk_layers {
	bool present;
	struct vm_disk disk; /* its parents are the array below */
	struct vm_parent parents[VHD_CHAIN_MAX];
	struct block_image *image; /* until it is the backend's */
};

struct disk_switch {
	struct machine *machine;
	struct disk_layers next[VM_DISKS_MAX]; /* by slot */
	struct disk_layers now[VM_DISKS_MAX];  /* those that are in use and came this way */
	unsigned int under_way;
	void (*done)(void *opaque);
	void *opaque;
};

/* --- the request */

struct reader {
	const int *fds;
	unsigned int fd_count;
	bool *used; /* one for each */
	char *error;
	size_t error_size;
};

static int fail(const struct reader *r, int error, const char *name, const char *why)
{
	snprintf(r->error, r->error_size, "%s: %s", name, why);
	return error;
}

/* A descriptor is taken once; it is the caller's still. */
static int read_file(const struct reader *r, json_object *object, int *ret_fd, char ret_name[256])
{
	json_object *fd = NULL, *name = NULL;
	int64_t index;

	json_object_object_get_ex(object, "disk_fd", &fd);
	json_object_object_get_ex(object, "name", &name);
	if (!json_object_is_type(fd, json_type_int) || !json_object_is_type(name, json_type_string))
		return fail(r, -EINVAL, "disks", "a file has disk_fd and name");
	index = json_object_get_int64(fd);
	if (index < 0 || index >= r->fd_count || r->used[index])
		return fail(r, -EINVAL, "disks",
			    "disk_fd names no descriptor of the message, or a second time");
	r->used[index] = true;
	snprintf(ret_name, 256, "%s", json_object_get_string(name));
	*ret_fd = r->fds[index];
	return 0;
}

static int read_parents(const struct reader *r, json_object *array, struct disk_layers *layers)
{
	size_t count = array ? json_object_array_length(array) : 0;

	if (count >= VHD_CHAIN_MAX)
		return fail(r, -ELOOP, layers->disk.name, "has too many ancestors; merge some");
	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(array, i), *format = NULL;
		struct vm_parent *parent = &layers->parents[i];
		int error = read_file(r, item, &parent->fd, parent->name);

		if (error < 0)
			return error;
		json_object_object_get_ex(item, "format", &format);
		parent->format = json_object_is_type(format, json_type_string) &&
						 !strcmp(json_object_get_string(format), "raw")
					 ? VM_DISK_RAW
					 : VM_DISK_VHD;
		layers->disk.parent_count++;
	}
	layers->disk.parents = layers->parents;
	return 0;
}

static const struct vm_disk *configured(const struct machine *machine, int64_t slot)
{
	for (unsigned int i = 0; i < machine->config->disk_count; i++) {
		if (machine->config->disks[i].slot == slot)
			return &machine->config->disks[i];
	}
	return NULL;
}

static int read_disk(struct disk_switch *self, const struct reader *r, json_object *object)
{
	json_object *slot = NULL, *parents = NULL;
	const struct vm_disk *disk;
	struct disk_layers *layers;
	int error;

	json_object_object_get_ex(object, "slot", &slot);
	json_object_object_get_ex(object, "parents", &parents);
	if (!json_object_is_type(slot, json_type_int) ||
	    (parents && !json_object_is_type(parents, json_type_array)))
		return fail(r, -EINVAL, "disks", "a disk has slot, disk_fd, name and parents");
	disk = configured(self->machine, json_object_get_int64(slot));
	if (!disk || self->next[disk->slot].present)
		return fail(r, -EINVAL, "disks", "slot names no disk of this machine");
	if (disk->read_only || disk->format != VM_DISK_VHD)
		return fail(r, -EINVAL, disk->name, "only VHDs that are written to have layers");
	layers = &self->next[disk->slot];
	memset(layers, 0, sizeof(*layers));
	layers->disk = *disk;
	layers->disk.parent_count = 0;
	layers->disk.saved = true;
	error = read_file(r, object, &layers->disk.fd, layers->disk.name);
	if (error == 0)
		error = read_parents(r, parents, layers);
	layers->present = error == 0;
	return error;
}

/* --- exchanging */

static int open_image(const struct disk_switch *self, struct disk_layers *layers, char *error,
		      size_t error_size)
{
	struct block_info now, then;
	int r = block_image_open(&layers->disk, &layers->image, error, error_size);

	if (r < 0)
		return r;
	block_info(self->machine->board.disks[layers->disk.slot], &then);
	now = layers->image->info;
	if (now.size_bytes == then.size_bytes && !strcmp(now.serial, then.serial))
		return 0;
	snprintf(error, error_size, "%s: is not the disk that the machine runs with",
		 layers->disk.name);
	return -EINVAL;
}

static void forget_images(struct disk_switch *self)
{
	for (unsigned int slot = 0; slot < VM_DISKS_MAX; slot++) {
		struct disk_layers *layers = &self->next[slot];

		if (layers->present && layers->image)
			layers->image->ops->free(layers->image);
		layers->image = NULL;
		layers->present = false;
	}
}

static void close_parents(struct disk_layers *layers)
{
	for (unsigned int i = 0; layers->present && i < layers->disk.parent_count; i++)
		layers->parents[i].fd = fd_close(layers->parents[i].fd);
	layers->present = false;
}

/* What the starter gave is not used any more: the lock on it goes with its last descriptor. */
static void close_first_files(const struct machine *machine, unsigned int slot)
{
	const struct vm_disk *disk = configured(machine, slot);
	struct vm_disk with = vm_config_parents(machine->config, disk);

	fd_close(disk->fd);
	for (unsigned int i = 0; i < with.parent_count; i++)
		fd_close(with.parents[i].fd);
}

static void changed(void *opaque)
{
	struct disk_switch *self = opaque;

	if (--self->under_way)
		return;
	for (unsigned int slot = 0; slot < VM_DISKS_MAX; slot++) {
		struct disk_layers *now = &self->now[slot], *next = &self->next[slot];

		if (!next->present)
			continue;
		if (now->present)
			close_parents(now);
		else
			close_first_files(self->machine, slot);
		*now = *next;
		now->disk.parents = now->parents;
		next->present = false;
	}
	if (self->done)
		self->done(self->opaque);
}

static void exchange(struct disk_switch *self)
{
	for (unsigned int slot = 0; slot < VM_DISKS_MAX; slot++)
		self->under_way += self->next[slot].present;
	for (unsigned int slot = 0; slot < VM_DISKS_MAX; slot++) {
		struct disk_layers *layers = &self->next[slot];

		if (!layers->present)
			continue;
		/* Never -EBUSY: disks are changed by nobody else, and one at a time. */
		(void)blockio_change(self->machine->board.disks[slot], layers->image, &layers->disk,
				     changed, self);
		layers->image = NULL;
	}
}

static int read_all(struct disk_switch *self, json_object *disks, const struct reader *r)
{
	int error = 0;

	if (!json_object_is_type(disks, json_type_array) || !json_object_array_length(disks) ||
	    json_object_array_length(disks) > VM_DISKS_MAX)
		return fail(r, -EINVAL, "disks", "must be an array of disks");
	for (size_t i = 0; i < json_object_array_length(disks) && error == 0; i++)
		error = read_disk(self, r, json_object_array_get_idx(disks, i));
	for (unsigned int slot = 0; slot < VM_DISKS_MAX && error == 0; slot++) {
		if (self->next[slot].present)
			error = open_image(self, &self->next[slot], r->error, r->error_size);
	}
	return error;
}

int disk_switch_start(struct machine *machine, struct json_object *disks, int *fds,
		      unsigned int fd_count, void (*done)(void *opaque), void *opaque, char *error,
		      size_t error_size)
{
	struct disk_switch *self = machine->disk_switch;
	bool used[FDPASS_MAX_FDS] = { false };
	const struct reader reader = { fds, fd_count, used, error, error_size };
	int r;

	if (!self)
		self = machine->disk_switch = calloc(1, sizeof(*self));
	if (!self) {
		snprintf(error, error_size, "not enough memory");
		return -ENOMEM;
	}
	if (self->under_way) {
		snprintf(error, error_size, "its disks are being exchanged already");
		return -EBUSY;
	}
	self->machine = machine;
	self->done = done;
	self->opaque = opaque;
	r = read_all(self, disks, &reader);
	if (r < 0) {
		forget_images(self);
		return r;
	}
	for (unsigned int i = 0; i < fd_count; i++)
		fds[i] = used[i] ? -1 : fds[i];
	exchange(self);
	return 0;
}

void disk_switch_forget(struct machine *machine)
{
	if (machine->disk_switch)
		machine->disk_switch->done = NULL;
}

int disk_switch_fd(const struct machine *machine, unsigned int slot)
{
	const struct disk_switch *self = machine->disk_switch;
	const struct vm_disk *disk = configured(machine, slot);

	if (self && self->now[slot].present)
		return self->now[slot].disk.fd;
	return disk ? disk->fd : -1;
}

/* After the backends: an exchange that was under way has come to its end with them. */
void disk_switch_free(struct machine *machine)
{
	struct disk_switch *self = machine->disk_switch;

	if (!self)
		return;
	for (unsigned int slot = 0; slot < VM_DISKS_MAX; slot++)
		close_parents(&self->now[slot]);
	free(self);
	machine->disk_switch = NULL;
}
