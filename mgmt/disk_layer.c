// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"

static int fail(char *error, size_t error_size, const char *path, int r)
{
	snprintf(error, error_size, "%s: %s", path, strerror(-r));
	return r;
}

/* --- making --- */

/* The guest must see the same disk: what decides its size and geometry is the parent's. */
static void copy_shape(const struct vhd_info *info, struct vhd_creator *creator,
		       struct vhd_create_options *options)
{
	options->geometry = &info->geometry;
	if (strchr(info->creator, '?') || strchr(info->creator_os, '?'))
		return;
	memcpy(creator->application, info->creator, sizeof(creator->application));
	memcpy(creator->host_os, info->creator_os, sizeof(creator->host_os));
	creator->version = info->creator_version;
	options->creator = creator;
}

int disk_layer_fill(int fd, const char *path, int parent_fd, const char *parent, char *error,
		    size_t error_size)
{
	const struct vhd_file file = { .fd = fd, .name = path };
	const struct vhd_file parent_file = { .fd = parent_fd, .name = parent };
	struct vhd_parent_reference *ref = malloc(sizeof(*ref));
	struct vhd_create_options options = { .type = VHD_DIFFERENCING };
	struct vhd_creator creator = { "", "", 0 };
	struct vhd_info info;
	int r = -ENOMEM;

	if (!ref)
		return fail(error, error_size, path, r);
	r = vhd_probe(&parent_file, &info, error, error_size);
	if (r == 0)
		r = vhd_refer_to_parent(parent_fd, parent, false, path, ref, error, error_size);
	if (r == 0) {
		copy_shape(&info, &creator, &options);
		options.size_bytes = ref->size_bytes;
		options.block_bytes = ref->block_bytes;
		options.parent = &ref->parent;
		r = vhd_create(&file, &options, error, error_size);
	}
	free(ref);
	return r;
}

int disk_layer_make(const char *draft, const char *path, const char *parent, char *error,
		    size_t error_size)
{
	int parent_fd = open(parent, O_RDONLY | O_CLOEXEC), fd, r;
	struct stat st;

	if (parent_fd < 0 || fstat(parent_fd, &st) < 0) {
		r = -errno;
		fd_close(parent_fd);
		return fail(error, error_size, parent, r);
	}
	unlink(draft);
	fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode & 0777);
	if (fd < 0) {
		r = fail(error, error_size, draft, -errno);
		fd_close(parent_fd);
		return r;
	}
	r = disk_layer_fill(fd, path, parent_fd, parent, error, error_size);
	if (r == 0 && ((geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0) ||
		       fchmod(fd, st.st_mode & 0777) < 0 || fsync(fd) < 0))
		r = fail(error, error_size, draft, -errno);
	if (r < 0)
		unlink(draft);
	fd_close(fd);
	fd_close(parent_fd);
	return r;
}

/* --- opening --- */

int disk_layer_open(struct vhd_chain *chain, const char *path, bool read_only, char *error,
		    size_t error_size)
{
	const struct vhd_chain_options options = { .read_only = read_only, .no_locks = true };

	return vhd_chain_open(chain, path, &options, error, error_size);
}

/* A handle with the files behind it. */
struct layer {
	struct vhd_chain files;
	struct vhd *vhd;
};

static void close_layer(struct layer *layer)
{
	if (!layer)
		return;
	vhd_free(layer->vhd);
	vhd_chain_close(&layer->files);
	free(layer);
}

static int open_layer(const char *path, bool read_only, struct layer **ret_layer, char *error,
		      size_t error_size)
{
	const struct vhd_open_options options = { .read_only = read_only,
						  .ignore_saved_state = true };
	struct layer *layer = calloc(1, sizeof(*layer));
	int r;

	*ret_layer = NULL;
	if (!layer)
		return fail(error, error_size, path, -ENOMEM);
	r = disk_layer_open(&layer->files, path, read_only, error, error_size);
	if (r == 0)
		r = vhd_open(layer->files.files, layer->files.count, &options, &layer->vhd, error,
			     error_size);
	if (r < 0) {
		close_layer(layer);
		return r;
	}
	*ret_layer = layer;
	return 0;
}

int disk_layer_mark(const char *path, bool marked, char *error, size_t error_size)
{
	struct layer *layer;
	int r = open_layer(path, false, &layer, error, error_size);

	if (r < 0)
		return r;
	r = vhd_set_saved_state(layer->vhd, marked);
	if (r < 0)
		snprintf(error, error_size, "%s", vhd_error(layer->vhd));
	close_layer(layer);
	return r;
}

int disk_layer_is_marked(const char *path, bool *ret_marked, char *error, size_t error_size)
{
	const struct vhd_file file = { .fd = open(path, O_RDONLY | O_CLOEXEC), .name = path };
	struct vhd_info info;
	int r;

	if (file.fd < 0)
		return fail(error, error_size, path, -errno);
	r = vhd_probe(&file, &info, error, error_size);
	close(file.fd);
	if (r == 0)
		*ret_marked = info.saved_state;
	return r;
}

int disk_layer_is_empty(const char *path, bool *ret_empty, char *error, size_t error_size)
{
	struct vhd_info info;
	struct layer *layer;
	uint32_t blocks = 0;
	int r = open_layer(path, true, &layer, error, error_size);

	if (r < 0)
		return r;
	vhd_get_info(layer->vhd, &info);
	if (info.type == VHD_DIFFERENCING) {
		r = vhd_count_blocks(layer->vhd, &blocks);
		if (r < 0)
			snprintf(error, error_size, "%s", vhd_error(layer->vhd));
	}
	*ret_empty = info.type == VHD_DIFFERENCING && !blocks;
	close_layer(layer);
	return r;
}

/* --- changing --- */

int disk_layer_merge(const char *child, const char *into, const struct vhd_job *job, char *error,
		     size_t error_size)
{
	struct layer *from, *to = NULL;
	int r = open_layer(child, true, &from, error, error_size);

	if (r == 0)
		r = open_layer(into, false, &to, error, error_size);
	if (r == 0) {
		r = vhd_merge(from->vhd, to->vhd, job, error, error_size);
		if (r == 0 && (r = vhd_finish(to->vhd)) == 0)
			r = vhd_flush(to->vhd);
		if (r < 0 && *vhd_error(to->vhd))
			snprintf(error, error_size, "%s", vhd_error(to->vhd));
	}
	close_layer(to);
	close_layer(from);
	return r;
}

int disk_layer_relate(const char *file, const char *path, const char *parent, char *error,
		      size_t error_size)
{
	struct vhd_file child = { .fd = open(file, O_RDWR | O_CLOEXEC), .name = file };
	int parent_fd = open(parent, O_RDONLY | O_CLOEXEC), r = 0;
	struct vhd_parent_reference *ref = malloc(sizeof(*ref));

	if (child.fd < 0 || parent_fd < 0)
		r = fail(error, error_size, child.fd < 0 ? file : parent, -errno);
	else if (!ref)
		r = fail(error, error_size, file, -ENOMEM);
	if (r == 0)
		r = vhd_refer_to_parent(parent_fd, parent, false, path, ref, error, error_size);
	if (r == 0)
		ref->parent.ignore_saved_state = true;
	if (r == 0)
		r = vhd_set_parent(&child, &ref->parent, error, error_size);
	if (r == 0 && fsync(child.fd) < 0)
		r = fail(error, error_size, file, -errno);
	free(ref);
	fd_close(child.fd);
	fd_close(parent_fd);
	return r;
}
