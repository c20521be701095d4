// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "floppy_layout.h"
#include "disk_files.h"
#include "image_file.h"

#define FIRMWARE_BYTES_MIN KIB(64)
#define FIRMWARE_BYTES_MAX MIB(1)

/* --- host --- */

static int open_kvm(char *error, size_t error_size)
{
	const char *path = getenv("MAINSTAY_KVM");
	int fd, r;

	if (!path || !*path)
		path = "/dev/kvm";
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	r = -errno;
	if (r == -EACCES || r == -EPERM)
		snprintf(error, error_size,
			 "%s: %s; become a member of the group kvm: usermod -aG kvm USER, then log "
			 "in anew",
			 path, strerror(-r));
	else
		snprintf(error, error_size,
			 "%s: %s; load the module kvm-intel or kvm-amd, turn virtualisation on in "
			 "the "
			 "host's firmware, or in a checkout use tests/nested/with-kvm",
			 path, strerror(-r));
	return r;
}

static int check_memory(const struct machine_config *config, char *error, size_t error_size)
{
	struct sysinfo info;
	uint64_t host_mib;

	if (sysinfo(&info) < 0)
		return 0;
	host_mib = (uint64_t)info.totalram * info.mem_unit / MIB(1);
	if (config->memory_mib <= host_mib)
		return 0;
	snprintf(error, error_size,
		 "memory: %u MiB is more than this host has; give at most %llu MiB",
		 config->memory_mib, (unsigned long long)host_mib);
	return -ENOMEM;
}

/* --- firmware --- */

static int open_firmware(const char *path, char *error, size_t error_size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = -errno;

		snprintf(error, error_size,
			 "%s: firmware: %s; install the package seabios, or give --firmware FILE",
			 path, strerror(errno));
		fd_close(fd);
		return r;
	}
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size >= FIRMWARE_BYTES_MIN &&
	    (uint64_t)st.st_size <= FIRMWARE_BYTES_MAX &&
	    st.st_size % (off_t)FIRMWARE_BYTES_MIN == 0)
		return fd;
	snprintf(error, error_size,
		 "%s: firmware: no BIOS image (64 KiB to 1 MiB, whole 64 KiB); give for example "
		 "--firmware %s",
		 path, MACHINE_FIRMWARE);
	fd_close(fd);
	return -EINVAL;
}

/* --- kernel --- */

static int open_boot_file(const char *path, const char *what, int *ret_fd, char *error,
			  size_t error_size)
{
	struct stat st;
	int fd, r = 0;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0) {
		*ret_fd = fd;
		return 0;
	}
	snprintf(error, error_size, "%s: %s: %s; give a file that you can read", path, what,
		 r == -EINVAL ? "not a file" : strerror(-r));
	fd_close(fd);
	return r;
}

/* --- media --- */

/* The drive for the disk that is in it, if the disk has one of the sizes that there are. */
static int fit_drive(const struct machine_floppy *floppy, uint64_t bytes, unsigned int *ret_kind,
		     char *error, size_t error_size)
{
	const struct floppy_layout *layout = floppy_layout_find(bytes);

	if (layout && (!floppy->kind || floppy_layout_fits(layout, floppy->kind))) {
		*ret_kind = floppy->kind ? floppy->kind : layout->drive;
		return 0;
	}
	if (layout)
		snprintf(error, error_size, "%s: floppy: a disk of %s does not fit a drive of %s",
			 floppy->path, layout->name, machine_floppy_names[floppy->kind]);
	else
		snprintf(error, error_size,
			 "%s: floppy: %llu bytes are the size of no floppy disk; 'mainstay floppy "
			 "create' makes disks of every format",
			 floppy->path, (unsigned long long)bytes);
	return -EINVAL;
}

static int open_media(const struct machine_config *config, struct machine_files *files, char *error,
		      size_t error_size)
{
	uint64_t bytes;
	int r = 0;

	for (uint32_t i = 0; i < config->floppy_count && r == 0; i++) {
		const struct machine_floppy *floppy = &config->floppies[i];
		const struct image_file image = { floppy->path, IMAGE_FLOPPY, floppy->format,
						  floppy->read_only };

		files->floppy_kinds[i] = floppy->kind ? floppy->kind : MACHINE_FLOPPY_1440K;
		if (!floppy->path)
			continue;
		files->floppies[i] = image_file_open(&image, &bytes, error, error_size);
		r = files->floppies[i];
		if (r >= 0)
			r = fit_drive(floppy, bytes, &files->floppy_kinds[i], error, error_size);
	}
	for (uint32_t i = 0; i < config->cdrom_count && r >= 0; i++) {
		const struct image_file image = { config->cdroms[i].path, IMAGE_CDROM,
						  MACHINE_DISK_RAW, true };

		if (!image.path)
			continue;
		files->cdroms[i] = image_file_open(&image, &bytes, error, error_size);
		r = files->cdroms[i];
	}
	return r < 0 ? r : 0;
}

static int open_kernel(const struct machine_config *config, struct machine_files *files,
		       char *error, size_t error_size)
{
	int r;

	if (!machine_boots_net(config))
		return open_boot_file(config->kernel, "kernel", &files->kernel, error, error_size);
	if (!config->nic_count) {
		snprintf(error, error_size,
			 "--boot net: the machine has no network adapter; give it one (--net)");
		return -EINVAL;
	}
	r = open_boot_file(MACHINE_NET_BOOT, "network boot program", &files->kernel, error,
			   error_size);
	if (r == -ENOENT)
		snprintf(error, error_size,
			 "--boot net: " MACHINE_NET_BOOT
			 " is missing; install Debian's package ipxe");
	return r;
}

int machine_files_open(const struct machine_config *config, bool kvm, struct machine_files *files,
		       char *error, size_t error_size)
{
	int r = check_memory(config, error, error_size);

	if (r == 0)
		r = disk_files_open(config, files, error, error_size);
	if (r == 0)
		r = open_media(config, files, error, error_size);
	if (r == 0) {
		files->firmware = open_firmware(config->firmware, error, error_size);
		r = files->firmware < 0 ? files->firmware : 0;
	}
	if (r == 0)
		r = open_kernel(config, files, error, error_size);
	if (r == 0)
		r = open_boot_file(config->initrd, "initial RAM disk", &files->initrd, error,
				   error_size);
	if (r == 0 && kvm) {
		files->kvm = open_kvm(error, error_size);
		r = files->kvm < 0 ? files->kvm : 0;
	}
	return r;
}
