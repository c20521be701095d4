// SPDX-License-Identifier: GPL-2.0-or-later
/* VHD images as the worker's image. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/log.h"
#include "../vhd/vhd.h"
#include "blockio.h"

struct block_vhd {
	struct block_image image;
	struct vhd *vhd;
};

static struct vhd *vhd_of(struct block_image *image)
{
	return container_of(image, struct block_vhd, image)->vhd;
}

static int read_vhd(struct block_image *image, uint64_t offset, const struct iovec *iov,
		    unsigned int count)
{
	return vhd_read(vhd_of(image), offset, iov, count);
}

static int write_vhd(struct block_image *image, uint64_t offset, const struct iovec *iov,
		     unsigned int count)
{
	return vhd_write(vhd_of(image), offset, iov, count);
}

static int flush_vhd(struct block_image *image)
{
	return vhd_flush(vhd_of(image));
}

static int discard_vhd(struct block_image *image, uint64_t offset, uint64_t bytes)
{
	return vhd_discard(vhd_of(image), offset, bytes);
}

static int finish_vhd(struct block_image *image)
{
	return vhd_finish(vhd_of(image));
}

static int mark_vhd(struct block_image *image, bool saved)
{
	return vhd_set_saved_state(vhd_of(image), saved);
}

static const char *error_vhd(struct block_image *image)
{
	return vhd_error(vhd_of(image));
}

static void free_vhd(struct block_image *image)
{
	vhd_free(vhd_of(image));
	free(container_of(image, struct block_vhd, image));
}

static const struct block_image_ops vhd_ops = {
	.read = read_vhd,
	.write = write_vhd,
	.flush = flush_vhd,
	.discard = discard_vhd,
	.finish = finish_vhd,
	.mark = mark_vhd,
	.error = error_vhd,
	.free = free_vhd,
};

/*
 * The guest's serial number is an id as far as it fits, that of the oldest ancestor which has one:
 * so a guest does not see another disk when an undo disk or a snapshot begins.
 */
static void describe(const struct vhd *vhd, struct block_info *ret_info)
{
	static const uint8_t none[16];
	struct vhd_info info, oldest;

	vhd_get_info(vhd, &info);
	for (unsigned int i = 1; i < vhd_layer_count(vhd); i++) {
		vhd_get_layer_info(vhd, i, &oldest);
		if (memcmp(oldest.id, none, sizeof(none)))
			memcpy(info.id, oldest.id, sizeof(info.id));
	}
	ret_info->size_bytes = info.size_bytes;
	ret_info->cylinders = info.geometry.cylinders;
	ret_info->heads = info.geometry.heads;
	ret_info->sectors_per_track = info.geometry.sectors_per_track;
	for (unsigned int i = 0; i < 10; i++)
		snprintf(ret_info->serial + 2 * i, 3, "%02X", info.id[i]);
}

int block_vhd_open(const struct vm_disk *disk, struct block_image **ret_image, char *error,
		   size_t error_size)
{
	struct vhd_file files[VHD_CHAIN_MAX] = { { .fd = disk->fd, .name = disk->name } };
	const struct vhd_open_options options = {
		.read_only = disk->read_only,
		.ignore_saved_state = disk->saved,
	};
	struct block_vhd *self = calloc(1, sizeof(*self));
	int r;

	if (disk->parent_count >= VHD_CHAIN_MAX) {
		free(self);
		snprintf(error, error_size, "%s: has more than %d ancestors", disk->name,
			 VHD_CHAIN_MAX - 1);
		return -ELOOP;
	}
	for (unsigned int i = 0; i < disk->parent_count; i++)
		files[i + 1] = (struct vhd_file){
			.fd = disk->parents[i].fd,
			.name = disk->parents[i].name,
			.raw = disk->parents[i].format == VM_DISK_RAW,
		};

	if (!self) {
		snprintf(error, error_size, "%s: out of memory", disk->name);
		return -ENOMEM;
	}
	self->image.ops = &vhd_ops;
	r = vhd_open(files, disk->parent_count + 1, &options, &self->vhd, error, error_size);
	if (r < 0) {
		free(self);
		return r;
	}
	for (unsigned int i = 0; vhd_warning(self->vhd, i); i++)
		log_warning("%s", vhd_warning(self->vhd, i));
	describe(self->vhd, &self->image.info);
	*ret_image = &self->image;
	return 0;
}
