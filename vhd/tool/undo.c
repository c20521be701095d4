// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Undo disks of serve and mount: what is written goes to a child beside the disk, nt4.vud for
 * nt4.vhd, and is kept, committed or discarded at the end. One that was kept is gone on with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "tool.h"

static const char *const ends[] = {
	[UNDO_NONE] = "none",
	[UNDO_KEEP] = "keep",
	[UNDO_COMMIT] = "commit",
	[UNDO_DISCARD] = "discard",
};

int undo_end_of(const char *text, enum undo_end *ret_end)
{
	int i = text ? index_of(ends, ARRAY_LEN(ends), text) : UNDO_NONE;

	if (i < 0 || (text && i == UNDO_NONE))
		return fail_usage("--undo %s: give keep, commit or discard", text);
	*ret_end = (enum undo_end)i;
	return 0;
}

const char *undo_end_name(enum undo_end end)
{
	return ends[end];
}

/* Whether @undo is a child of @parent; -errno: it cannot be told, or there is no such file. */
static int is_child_of(const char *undo, const char *parent)
{
	const char *const paths[] = { undo, parent };
	char error[VHD_ERROR_BYTES];
	struct vhd_info info[2];
	int r = 0;

	for (unsigned int i = 0; i < 2 && r == 0; i++) {
		struct vhd_file file = { .name = paths[i] };

		file.fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		r = file.fd < 0 ? -errno : vhd_probe(&file, &info[i], error, sizeof(error));
		fd_close(file.fd);
	}
	if (r < 0)
		return r;
	return info[0].type == VHD_DIFFERENCING && !memcmp(info[0].parent_id, info[1].id, 16);
}

int undo_open(const char *path, char *ret_undo, size_t size)
{
	size_t length = strlen(path);
	int r;

	if (length > 4 && !strcasecmp(path + length - 4, ".vhd"))
		length -= 4;
	if (snprintf(ret_undo, size, "%.*s.vud", (int)length, path) >= (int)size)
		return fail("%s: the name is too long", path);
	r = is_child_of(ret_undo, path);
	if (r == -ENOENT)
		return create_child_of(path, ret_undo);
	if (r < 0)
		return fail("%s: %s", ret_undo, strerror(-r));
	return r ? 0
		 : fail("%s: exists already and is no undo disk of %s; rename it", ret_undo, path);
}

int undo_settle(const char *undo, enum undo_end end)
{
	switch (end) {
	case UNDO_COMMIT:
		return merge_child(undo);
	case UNDO_DISCARD:
		if (unlink(undo) < 0)
			return fail("%s: cannot be deleted: %s", undo, strerror(errno));
		say(undo, "discarded");
		return 0;
	case UNDO_KEEP:
		say(undo, "keeps what was changed; merge commits it, deleting it discards it");
		return 0;
	case UNDO_NONE:
		break;
	}
	return 0;
}
