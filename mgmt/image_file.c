// SPDX-License-Identifier: GPL-2.0-or-later
#include "image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../vhd/vhd.h"
#include "machine_config.h"

#define SECTOR_BYTES 512

/* How messages speak of each kind. */
static const struct {
	const char *name, *missing, *no_image, *not_writable;
} kinds[] = {
	[IMAGE_DISK] = { "disk", "; give a disk image, or make one with 'mainstay-vhd create'",
			 "; give a disk image",
			 "; make it writable for you, or give --drive PATH,readonly" },
	[IMAGE_FLOPPY] = { "floppy",
			   "; give a disk image, or make one with 'mainstay floppy create'",
			   "; give a disk image, or a drive like /dev/fd0",
			   "; make it writable for you, or use it read-only (readonly)" },
	[IMAGE_CDROM] = { "CD-ROM", "; give an ISO image, or a drive like /dev/sr0",
			  "; give an ISO image, or a drive like /dev/sr0", "" },
};

static int open_image(const struct image_file *image, char *error, size_t error_size)
{
	int flags = image->read_only ? O_RDONLY : O_RDWR;
	/* A pipe or a device by mistake must not keep us waiting. */
	int fd = open(image->path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *advice = "";
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EMEDIUMTYPE;
	if (r == 0) {
		fcntl(fd, F_SETFL, flags);
		return fd;
	}
	if (r == -ENOENT)
		advice = kinds[image->kind].missing;
	else if (r == -EACCES || r == -EROFS || r == -EPERM)
		advice = image->read_only ? "; make it readable for you"
					  : kinds[image->kind].not_writable;
	else if (r == -ENOMEDIUM)
		advice = "; put a medium into the drive";
	else if (r == -EISDIR || r == -EMEDIUMTYPE || r == -ENXIO)
		advice = kinds[image->kind].no_image;
	snprintf(error, error_size, "%s: %s: %s%s", image->path, kinds[image->kind].name,
		 r == -EMEDIUMTYPE || r == -ENXIO ? "neither a file nor a block device"
						  : strerror(-r),
		 advice);
	fd_close(fd);
	return r;
}

static int lock_image(const struct image_file *image, int fd, char *error, size_t error_size)
{
	int r = vhd_lock(fd, !image->read_only);

	if (r == 0)
		return 0;
	if (r == -EBUSY || r == -EAGAIN)
		snprintf(error, error_size,
			 "%s: %s: in use by a running machine or another program; stop it first%s",
			 image->path, kinds[image->kind].name,
			 image->read_only ? "" : ", or if both only read, share it with readonly");
	else
		snprintf(error, error_size, "%s: %s: cannot be locked: %s", image->path,
			 kinds[image->kind].name, strerror(-r));
	return r;
}

static int check_raw(const struct image_file *image, int fd, uint64_t *ret_bytes, char *error,
		     size_t error_size)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size >= SECTOR_BYTES && size % SECTOR_BYTES == 0) {
		*ret_bytes = (uint64_t)size;
		return 0;
	}
	snprintf(error, error_size,
		 "%s: %s: %lld bytes are no whole sectors of %d; the image is cut off or no disk",
		 image->path, kinds[image->kind].name, (long long)size, SECTOR_BYTES);
	return -EINVAL;
}

/* What a VHD image says that the guest will see. */
static int check_vhd(const struct image_file *image, int fd, uint64_t *ret_bytes, char *error,
		     size_t error_size)
{
	struct vhd_file file = { .fd = fd, .name = image->path };
	const struct vhd_open_options options = { .read_only = true };
	struct vhd_info info;
	struct vhd *vhd;
	int r = vhd_open(&file, 1, &options, &vhd, error, error_size);

	if (r < 0)
		return r;
	vhd_get_info(vhd, &info);
	*ret_bytes = info.size_bytes;
	vhd_free(vhd);
	return 0;
}

int image_file_look(const struct image_file *image, char *error, size_t error_size)
{
	int fd = open_image(image, error, error_size);
	int r;

	if (fd < 0)
		return fd;
	r = lock_image(image, fd, error, error_size);
	return r < 0 ? fd_close(fd), r : fd;
}

int image_file_open(const struct image_file *image, uint64_t *ret_bytes, char *error,
		    size_t error_size)
{
	int fd = open_image(image, error, error_size);
	uint64_t bytes = 0;
	int r;

	if (fd < 0)
		return fd;
	r = lock_image(image, fd, error, error_size);
	if (r == 0)
		r = (image->format == MACHINE_DISK_VHD ? check_vhd : check_raw)(image, fd, &bytes,
										error, error_size);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	if (ret_bytes)
		*ret_bytes = bytes;
	return fd;
}
