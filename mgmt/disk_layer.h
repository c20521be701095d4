/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layers of a disk: differencing disks that are made, merged and looked at by their paths, while nobody else
 * changes them. Errors are -errno with one line in @error that names the file.
 */
#ifndef MGMT_DISK_LAYER_H
#define MGMT_DISK_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "../vhd/vhd.h"

/* Fills the empty file @fd with a child of the disk at @parent; it will stand at @path. */
int disk_layer_fill(int fd, const char *path, int parent_fd, const char *parent, char *error,
		    size_t error_size);
/*
 * Makes the child of @parent that will stand at @path, at @draft beside it, on stable storage; as its parent
 * it belongs to who owns that. What was at @draft goes.
 */
int disk_layer_make(const char *draft, const char *path, const char *parent, char *error,
		    size_t error_size);

/* Opens the disk at @path with its ancestors, without locks. */
int disk_layer_open(struct vhd_chain *chain, const char *path, bool read_only, char *error,
		    size_t error_size);

/* The mark of a saved state: nobody else writes to the disk then. */
int disk_layer_mark(const char *path, bool marked, char *error, size_t error_size);
int disk_layer_is_marked(const char *path, bool *ret_marked, char *error, size_t error_size);
/* Whether the disk is as its parent is: a child that holds nothing of its own. */
int disk_layer_is_empty(const char *path, bool *ret_empty, char *error, size_t error_size);

/* Writes what the layer at @child holds into its ancestor at @into, and flushes that. */
int disk_layer_merge(const char *child, const char *into, const struct vhd_job *job, char *error,
		     size_t error_size);
/* Records that the layer at @file, which stands at @path or will, has the disk at @parent for its parent. */
int disk_layer_relate(const char *file, const char *path, const char *parent, char *error,
		      size_t error_size);

#endif
