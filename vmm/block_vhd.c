// SPDX-License-Identifier: GPL-2.0-or-later
/* VHD images as the worker's image. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/bits.h"
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

/* The guest's serial number is the disk's id as far as it fits: it stays with the disk. */
static void describe(const struct vhd *vhd, struct block_info *ret_info)
{
	struct vhd_info info;

	vhd_get_info(vhd, &info);
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
	const struct vhd_file file = { .fd = disk->fd, .name = disk->name };
	const struct vhd_open_options options = {
		.read_only = disk->read_only,
		.ignore_saved_state = disk->saved,
	};
	struct block_vhd *self = calloc(1, sizeof(*self));
	int r;

	if (!self) {
		snprintf(error, error_size, "%s: out of memory", disk->name);
		return -ENOMEM;
	}
	self->image.ops = &vhd_ops;
	r = vhd_open(&file, 1, &options, &self->vhd, error, error_size);
	if (r < 0) {
		free(self);
		return r;
	}
	describe(self->vhd, &self->image.info);
	*ret_image = &self->image;
	return 0;
}
