// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "../vmm/state/statefile.h"
#include "checkpoint_target.h"
#include "image_file.h"

/* --- one disk --- */

static const char *advise(int error)
{
	switch (error) {
	case -EMEDIUMTYPE:
		return "; if it is a raw image, say so with format=raw";
	case -ENOLINK:
		return "; 'mainstay-vhd rebase' or 'relink' gives it another";
	case -EUCLEAN:
		return "; 'mainstay-vhd check' says more, and 'mainstay-vhd repair' mends what "
		       "can be mended";
	case -ELOOP:
	case -EOPNOTSUPP:
		return "; give another disk";
	}
	return "";
}

/* Opened for reading, whatever the machine will do, and with all that it will read. */
static int check_chain(const struct machine_disk *disk, bool saved, const struct vhd_chain *chain,
		       char *error, size_t error_size)
{
	const struct vhd_open_options options = { .read_only = true };
	struct vhd_info info;
	struct vhd *vhd;
	char why[VHD_ERROR_BYTES];
	int r = vhd_open(chain->files, chain->count, &options, &vhd, why, sizeof(why));

	if (r < 0) {
		snprintf(error, error_size, "%s%s", why, advise(r));
		return r;
	}
	vhd_get_info(vhd, &info);
	vhd_free(vhd);
	if (disk->read_only || chain->read_only)
		return 0;
	if (info.saved_state && !saved) {
		snprintf(error, error_size,
			 "%s: disk: belongs to the saved state of a machine; restore that "
			 "('mainstay restore'), or give it up with --discard-state",
			 disk->path);
		return -EPERM;
	}
	if (info.needs_repair) {
		snprintf(error, error_size,
			 "%s: disk: its footer is damaged; 'mainstay-vhd repair' mends it, and "
			 "with readonly it can be used as it is",
			 disk->path);
		return -EUCLEAN;
	}
	return 0;
}

static int open_chain(const struct machine_disk *disk, const char *path, bool saved,
		      struct vhd_chain *chain, char *error, size_t error_size)
{
	const struct vhd_chain_options options = {
		.read_only = disk->read_only,
		.parent = path == disk->path ? NULL : disk->path, /* of an undo disk */
	};
	char why[VHD_ERROR_BYTES];
	int r = vhd_chain_open(chain, path, &options, why, sizeof(why));

	if (r < 0) {
		snprintf(error, error_size, "%s%s", why, advise(r));
		return r;
	}
	r = check_chain(disk, saved, chain, error, error_size);
	if (r < 0)
		vhd_chain_close(chain);
	return r;
}

/* A linked disk is a device of the host: what was written to it is there. */
static bool may_have_undo(const struct machine_disk *disk)
{
	return disk->format == MACHINE_DISK_VHD && !disk->read_only;
}

static int open_vhd(const struct machine_disk *disk, bool wants_undo, bool saved,
		    struct vhd_chain *chain, struct undo_disk *undo, char *error, size_t error_size)
{
	struct image_file image = { .path = disk->path, .kind = IMAGE_DISK, .read_only = true };
	int fd, r;

	/* What can be said of the file itself, in a machine's words. */
	image.read_only = disk->read_only || wants_undo;
	fd = image_file_look(&image, error, error_size);
	if (fd < 0)
		return fd;
	fd_close(fd);
	if (!wants_undo) {
		r = disk->read_only ? 0 : undo_refuse(disk->path, error, error_size);
		return r < 0 ? r : open_chain(disk, disk->path, saved, chain, error, error_size);
	}
	/* First the disk by itself: an undo disk is not made for one that cannot be used. */
	r = open_chain(disk, disk->path, saved, chain, error, error_size);
	if (r == 0 && chain->files[0].raw) {
		snprintf(error, error_size,
			 "%s: disk: a linked disk has no undo disk; make it read-only, or leave "
			 "--undo out",
			 disk->path);
		r = -EOPNOTSUPP;
	}
	if (r < 0)
		return r;
	vhd_chain_close(chain);
	r = undo_prepare(disk->path, undo, error, error_size);
	if (r == 0)
		r = open_chain(disk, undo->path, saved, chain, error, error_size);
	return r;
}

/* --- all of them --- */

static int check_count(const struct machine_config *config, const struct machine_files *files,
		       char *error, size_t error_size)
{
	unsigned int parents = 0;

	for (uint32_t i = 0; i < config->disk_count; i++)
		parents += files->chains[i].count ? files->chains[i].count - 1 : 0;
	if (parents <= MACHINE_PARENTS_MAX)
		return 0;
	snprintf(error, error_size,
		 "%s: disk: the disks of a machine have at most %d ancestors together, not %u; "
		 "merge some",
		 config->disks[0].path, MACHINE_PARENTS_MAX, parents);
	return -E2BIG;
}

/* Whose state it is; NULL: none, or none that can be read, which the machine's process says. */
static const uint8_t *read_state_id(const struct machine_files *files, uint8_t id[16])
{
	uint8_t bytes[STATEFILE_HEADER_BYTES];
	struct statefile_header header;
	char ignored[256];

	if (files->state < 0 || fd_pread_full(files->state, bytes, sizeof(bytes), 0) < 0 ||
	    statefile_decode(bytes, &header, ignored, sizeof(ignored)) < 0)
		return NULL;
	memcpy(id, header.id, sizeof(header.id));
	return id;
}

/*
 * The machine has marked its disks when it had stopped, so a copy without the mark is older than that. The machine's process
 * compares ids and sizes.
 */
static int check_copies(const struct machine_config *config, struct machine_files *files,
			char *error, size_t error_size)
{
	const struct machine_disk *old = disk_files_unmarked(config, files);

	for (uint32_t i = 0; i < config->disk_count; i++)
		files->same_contents[i] = true;
	if (!old)
		return 0;
	snprintf(error, error_size,
		 "%s: disk: is not what the machine has left: it was copied before the machine "
		 "stopped; "
		 "have it copied by 'mainstay migrate --copy COMMAND'",
		 old->path);
	return -ESTALE;
}

int disk_files_open(const struct machine_config *config, struct machine_files *files, char *error,
		    size_t error_size)
{
	uint8_t id[16];
	int settled = checkpoint_target_start(config, read_state_id(files, id),
					      files->same_contents, error, error_size);

	if (settled < 0)
		return settled;
	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct machine_disk *disk = &config->disks[i];
		const struct image_file image = {
			.path = disk->path,
			.kind = IMAGE_DISK,
			.format = disk->format,
			.read_only = disk->read_only,
		};
		bool saved = files->state >= 0 || files->discard_state;
		bool undo = config->undo != MACHINE_UNDO_OFF && may_have_undo(disk);
		int r;

		if (disk->format == MACHINE_DISK_VHD) {
			r = open_vhd(disk, undo, saved, &files->chains[i], &files->undo[i], error,
				     error_size);
		} else {
			files->disks[i] = image_file_open(&image, NULL, error, error_size);
			r = files->disks[i];
		}
		if (r < 0)
			return r;
	}
	if (files->disks_copied && check_copies(config, files, error, error_size) < 0)
		return -ESTALE;
	return check_count(config, files, error, error_size);
}

/* --- undo disks at the end --- */

void disk_files_forget(struct machine_files *files)
{
	char error[1024];

	for (size_t i = 0; i < MACHINE_DISKS_MAX; i++) {
		if (files->undo[i].present && files->undo[i].made)
			undo_discard(&files->undo[i], error, sizeof(error));
		files->undo[i].present = false;
	}
}

bool disk_files_have_undo(const struct machine_files *files)
{
	for (size_t i = 0; i < MACHINE_DISKS_MAX; i++) {
		if (files->undo[i].present)
			return true;
	}
	return false;
}

/* False for a disk that cannot tell. */
static bool read_mark(const struct vhd_chain *chain, bool *ret_marked)
{
	char error[VHD_ERROR_BYTES];
	struct vhd_info info;

	if (!chain->count || chain->files[0].raw ||
	    vhd_probe(&chain->files[0], &info, error, sizeof(error)) < 0)
		return false;
	*ret_marked = info.saved_state;
	return true;
}

/* Our descriptors went to the machine; what it left is read anew. One that cannot be read may be. */
static bool may_be_saved(const char *path)
{
	struct vhd_file file = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK),
				 .name = path };
	char error[VHD_ERROR_BYTES];
	struct vhd_info info;
	bool saved;

	if (file.fd < 0)
		return errno != ENOENT;
	saved = vhd_probe(&file, &info, error, sizeof(error)) < 0 || info.saved_state;
	fd_close(file.fd);
	return saved;
}

bool disk_files_are_saved(const struct machine_files *files)
{
	for (size_t i = 0; i < MACHINE_DISKS_MAX; i++) {
		if (files->undo[i].present && may_be_saved(files->undo[i].path))
			return true;
	}
	return false;
}

const struct machine_disk *disk_files_unmarked(const struct machine_config *config,
					       const struct machine_files *files)
{
	bool marked;

	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct vhd_chain *chain = &files->chains[i];

		if (!config->disks[i].read_only && !chain->read_only && read_mark(chain, &marked) &&
		    !marked)
			return &config->disks[i];
	}
	return NULL;
}

int disk_files_end_undo(const struct machine_config *config, struct machine_files *files,
			bool commit, char *error, size_t error_size)
{
	for (uint32_t i = 0; i < config->disk_count; i++) {
		struct undo_disk *undo = &files->undo[i];
		int r;

		if (!undo->present)
			continue;
		vhd_chain_close(&files->chains[i]);
		r = commit ? undo_commit(undo, config->disks[i].path, error, error_size)
			   : undo_discard(undo, error, error_size);
		if (r < 0)
			return r;
		undo->present = false;
	}
	return 0;
}
