// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nbdkit-mainstay-vhd-plugin: a VHD of any kind, with its parents, as a network block device.
 *
 *	nbdkit /path/to/nbdkit-mainstay-vhd-plugin.so nt4.vhd [readonly=true] [format=raw]
 *		[parent=FILE] [search=FOLDER]... [accept-parent=true]
 *
 * The disk is opened once, before nbdkit goes to the background, and all clients share it: requests
 * come one at a time, so a flush of one is a flush of all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../vhd.h"

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS

#define FOLDERS_MAX 16
/* One answer about extents looks so far at most. */
#define EXTENTS_MAX 4096

static char *path, *parent, *folders[FOLDERS_MAX];
static unsigned int folder_count;
static int read_only, raw, accept_parent;

static struct vhd_chain chain;
static struct vhd *vhd;

/* --- parameters */

static int keep_path(char **to, const char *value)
{
	free(*to);
	*to = nbdkit_realpath(value);
	return *to ? 0 : -1;
}

static int keep_flag(int *to, const char *value)
{
	*to = nbdkit_parse_bool(value);
	return *to < 0 ? -1 : 0;
}

static int keep_format(const char *value)
{
	raw = !strcmp(value, "raw");
	if (raw || !strcmp(value, "vhd"))
		return 0;
	nbdkit_error("format=%s: give vhd or raw", value);
	return -1;
}

static int plugin_config(const char *key, const char *value)
{
	if (!strcmp(key, "file"))
		return keep_path(&path, value);
	if (!strcmp(key, "parent"))
		return keep_path(&parent, value);
	if (!strcmp(key, "readonly"))
		return keep_flag(&read_only, value);
	if (!strcmp(key, "accept-parent"))
		return keep_flag(&accept_parent, value);
	if (!strcmp(key, "format"))
		return keep_format(value);
	if (!strcmp(key, "search")) {
		/* The last one stays NULL. */
		if (folder_count == FOLDERS_MAX - 1) {
			nbdkit_error("search: at most %d folders can be given", FOLDERS_MAX - 1);
			return -1;
		}
		return keep_path(&folders[folder_count++], value);
	}
	nbdkit_error("%s: no such parameter; give file, readonly, format, parent, search or "
		     "accept-parent",
		     key);
	return -1;
}

static int plugin_config_complete(void)
{
	if (path)
		return 0;
	nbdkit_error("give file=IMAGE, or the image's name alone");
	return -1;
}

#define CONFIG_HELP                                                                                \
	"[file=]IMAGE          (required) The disk.\n"                                             \
	"readonly=true         Open it for reading only, and share it.\n"                          \
	"format=vhd|raw        What it is (default vhd).\n"                                        \
	"parent=IMAGE          Take this for its parent.\n"                                        \
	"search=FOLDER         Look for parents there, too.\n"                                     \
	"accept-parent=true    Take a parent with another id, at your own risk.\n"

/* --- the disk */

static int plugin_get_ready(void)
{
	const struct vhd_chain_options find = {
		.read_only = read_only,
		.raw = raw,
		.parent = parent,
		.folders = (const char *const *)folders,
		.accept = accept_parent ? VHD_ACCEPT_PARENT_ID : 0,
	};
	struct vhd_open_options options = { .accept = find.accept };
	char error[VHD_ERROR_BYTES];

	if (vhd_chain_open(&chain, path, &find, error, sizeof(error)) < 0) {
		nbdkit_error("%s", error);
		return -1;
	}
	/* A linked device may be one that cannot be written to. */
	read_only = options.read_only = chain.read_only;
	if (vhd_open(chain.files, chain.count, &options, &vhd, error, sizeof(error)) < 0) {
		nbdkit_error("%s", error);
		vhd_chain_close(&chain);
		return -1;
	}
	for (unsigned int i = 0; vhd_warning(vhd, i); i++)
		nbdkit_error("warning: %s", vhd_warning(vhd, i));
	return 0;
}

static void plugin_cleanup(void)
{
	if (!vhd)
		return;
	if (vhd_finish(vhd) < 0)
		nbdkit_error("%s", vhd_error(vhd));
	vhd_free(vhd);
	vhd_chain_close(&chain);
	vhd = NULL;
}

static void plugin_unload(void)
{
	free(path);
	free(parent);
	for (unsigned int i = 0; i < folder_count; i++)
		free(folders[i]);
}

static void *plugin_open(int client_read_only)
{
	(void)client_read_only;
	return &vhd;
}

static int64_t plugin_get_size(void *handle)
{
	(void)handle;
	return (int64_t)vhd_size_bytes(vhd);
}

static int plugin_can_write(void *handle)
{
	(void)handle;
	return !read_only;
}

static int plugin_yes(void *handle)
{
	(void)handle;
	return 1;
}

static int plugin_can_fua(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

static int plugin_block_size(void *handle, uint32_t *minimum, uint32_t *preferred,
			     uint32_t *maximum)
{
	(void)handle;
	*minimum = 1;
	*preferred = 4096;
	*maximum = UINT32_MAX;
	return 0;
}

/* --- requests: 0, or -1 after telling nbdkit why */

static int answer(int r)
{
	if (r == 0)
		return 0;
	nbdkit_set_error(-r);
	nbdkit_error("%s", vhd_error(vhd));
	return -1;
}

/* With the FUA flag what was written is safe before the answer. */
static int answer_write(int r, uint32_t flags)
{
	if (r == 0 && flags & NBDKIT_FLAG_FUA)
		r = vhd_flush(vhd);
	return answer(r);
}

static int plugin_pread(void *handle, void *buffer, uint32_t count, uint64_t offset, uint32_t flags)
{
	const struct iovec iov = { buffer, count };

	(void)handle;
	(void)flags;
	return answer(vhd_read(vhd, offset, &iov, 1));
}

static int plugin_pwrite(void *handle, const void *buffer, uint32_t count, uint64_t offset,
			 uint32_t flags)
{
	const struct iovec iov = { (void *)(uintptr_t)buffer, count };

	(void)handle;
	return answer_write(vhd_write(vhd, offset, &iov, 1), flags);
}

static int plugin_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)handle;
	return answer_write(vhd_write_zeroes(vhd, offset, count), flags);
}

/* A trim is only a wish. */
static int plugin_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	int r = vhd_discard(vhd, offset, count);

	(void)handle;
	return answer_write(r == -EOPNOTSUPP ? 0 : r, flags);
}

static int plugin_flush(void *handle, uint32_t flags)
{
	(void)handle;
	(void)flags;
	return answer(vhd_flush(vhd));
}

static int plugin_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
			  struct nbdkit_extents *extents)
{
	uint64_t end = offset + count;
	unsigned int n = 0;

	(void)handle;
	while (offset < end && n++ < EXTENTS_MAX) {
		struct vhd_extent extent;
		int r = vhd_map(vhd, 0, offset, end - offset, &extent);

		if (r < 0)
			return answer(r);
		if (nbdkit_add_extent(extents, offset, extent.bytes,
				      extent.zero ? NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO : 0) <
		    0)
			return -1;
		if (flags & NBDKIT_FLAG_REQ_ONE)
			break;
		offset += extent.bytes;
	}
	return 0;
}

static struct nbdkit_plugin plugin = {
	.name = "mainstay-vhd",
	.longname = "virtual hard disks (VHD)",
	.version = MAINSTAY_VERSION,
	.description = "VHD images of all kinds, with their parents",
	.magic_config_key = "file",
	.config_help = CONFIG_HELP,
	.config = plugin_config,
	.config_complete = plugin_config_complete,
	.get_ready = plugin_get_ready,
	.cleanup = plugin_cleanup,
	.unload = plugin_unload,
	.open = plugin_open,
	.get_size = plugin_get_size,
	.block_size = plugin_block_size,
	.can_write = plugin_can_write,
	.can_flush = plugin_yes,
	.can_trim = plugin_yes,
	.can_zero = plugin_yes,
	.can_extents = plugin_yes,
	.can_multi_conn = plugin_yes,
	.can_fua = plugin_can_fua,
	.pread = plugin_pread,
	.pwrite = plugin_pwrite,
	.zero = plugin_zero,
	.trim = plugin_trim,
	.flush = plugin_flush,
	.extents = plugin_extents,
};

/* What the macro defines; clang wants to have seen it. */
struct nbdkit_plugin *plugin_init(void);
NBDKIT_REGISTER_PLUGIN(plugin)
