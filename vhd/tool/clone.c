// SPDX-License-Identifier: GPL-2.0-or-later
/* clone: the same image under another id, so that both can be used together. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdio.h"
#include "tool.h"

#define STEP_BYTES MIB(64)
#define BUFFER_BYTES (512u << 10)

struct clone_target {
	struct disk_words words; /* first, see disk_add_folder() */
	bool force;
};

static const struct opt clone_options[] = {
	{ "force", 'f', OPT_FLAG, NULL, "replace a file that exists and is not in use",
	  offsetof(struct clone_target, force), 0, 0, NULL },
	DISK_OPTIONS(struct clone_target, words),
	OPT_END,
};

static int copy_by_hand(int from, int to, uint64_t at, uint64_t bytes)
{
	uint8_t *buffer = malloc(BUFFER_BYTES);
	int r = buffer ? 0 : -ENOMEM;

	while (bytes && r == 0) {
		size_t n = (size_t)min_u64(bytes, BUFFER_BYTES);

		r = fd_pread_full(from, buffer, n, at);
		if (r == 0)
			r = fd_pwrite_full(to, buffer, n, at);
		at += n;
		bytes -= n;
	}
	free(buffer);
	return r;
}

/* A piece of the file; the kernel may share it between both instead of copying. */
static int copy_range(int from, int to, uint64_t at, uint64_t bytes)
{
	while (bytes) {
		off_t in = (off_t)at, out = (off_t)at;
		ssize_t n = copy_file_range(from, &in, to, &out, bytes, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return copy_by_hand(from, to, at, bytes);
		at += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return 0;
}

/* All of the file but its holes. */
static int copy_file(int from, int to, uint64_t size)
{
	struct progress progress;
	off_t data = 0, hole;
	int r = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	if (ftruncate(to, (off_t)size) < 0)
		return -errno;
	progress_begin(&progress, "cloning");
	while (r == 0 && (uint64_t)data < size) {
		uint64_t n;

		data = lseek(from, data, SEEK_DATA);
		if (data < 0) {
			r = errno == ENXIO ? 0 : -errno;
			break;
		}
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			hole = (off_t)size;
		n = min_u64((uint64_t)(hole - data), STEP_BYTES);
		r = copy_range(from, to, (uint64_t)data, n);
		data += (off_t)n;
		progress_report((uint64_t)data, size, &progress);
	}
	progress_end(&progress);
	return r;
}

/* A child in another folder has another way to its parent. */
static int relate_parent(const struct disk *disk, const struct vhd_file *file, const char *path)
{
	struct vhd_parent_reference *reference;
	const struct vhd_file *parent = &disk->chain.files[1];
	char error[VHD_ERROR_BYTES];
	int r;

	if (disk->chain.count < 2)
		return 0;
	reference = malloc(sizeof(*reference));
	if (!reference)
		return fail("out of memory");
	r = vhd_refer_to_parent(parent->fd, disk->chain.paths[1], parent->raw, path, reference,
				error, sizeof(error));
	if (r == 0)
		r = vhd_set_parent(file, &reference->parent, error, sizeof(error));
	free(reference);
	return r < 0 ? fail("%s", error) : 0;
}

static int clone(const struct disk *disk, const struct output *output)
{
	const struct vhd_file file = { .fd = output->fd, .name = file_name(output->path) };
	char error[VHD_ERROR_BYTES];
	struct stat st;
	int from = disk->chain.files[0].fd, r;

	if (fstat(from, &st) < 0)
		return fail("%s: %s", disk->path, strerror(errno));
	r = copy_file(from, output->fd, (uint64_t)st.st_size);
	if (r < 0)
		return fail("%s: cannot be copied to %s: %s", disk->path, output->path,
			    strerror(-r));
	if (vhd_set_id(&file, NULL, error, sizeof(error)) < 0)
		return fail("%s", error);
	return relate_parent(disk, &file, output->path);
}

static int run_clone(void *opaque, int count, char **arguments)
{
	const struct clone_target *target = opaque;
	const struct disk_options options = {
		.read_only = true,
		.format = DISK_VHD,
		.words = &target->words,
	};
	struct output output = { .fd = -1 };
	struct vhd_info info;
	struct disk disk;
	int status;

	(void)count;
	status = disk_open(&disk, arguments[0], &options);
	if (status != 0)
		return status;
	vhd_get_info(disk.vhd, &info);
	if (info.saved_state)
		status = fail("%s: it belongs to a saved state; resume the machine or discard the "
			      "state first",
			      arguments[0]);
	if (status == 0)
		status = output_open(&output, arguments[1], target->force);
	if (status == 0)
		status = clone(&disk, &output);
	if (status == 0)
		status = output_commit(&output, true);
	output_discard(&output);
	disk_drop(&disk);
	return status;
}

const struct verb verb_clone = {
	.name = "clone",
	.arguments = "FILE COPY",
	.summary = "copy a disk's file and give the copy an id of its own",
	.details =
		"Where the file system can, both share their space. A child's copy has the same\n"
		"parent, named from its new folder.\n",
	.examples = "  mainstay-vhd clone nt4.vhd second-nt4.vhd\n",
	.options = clone_options,
	.target_bytes = sizeof(struct clone_target),
	.arguments_min = 2,
	.arguments_max = 2,
	.run = run_clone,
};
