// SPDX-License-Identifier: GPL-2.0-or-later
#include "nvram_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/nvram.h"
#include "../vhd/vhd.h"

static int make(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	int r;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, NVRAM_FILE_BYTES) == 0)
		return fd;
	r = -errno;
	fd_close(fd);
	unlink(path);
	return r;
}

/* What is in the file: 0, or -EINVAL when it is another's. */
static int look(struct machine_config *config, int fd)
{
	static const uint8_t blank[NVRAM_FILE_BYTES];
	uint8_t file[NVRAM_FILE_BYTES];
	struct nvram nvram;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != NVRAM_FILE_BYTES ||
	    fd_pread_full(fd, file, sizeof(file), 0) < 0)
		return -EINVAL;
	if (nvram_decode(file, &nvram)) {
		if (!config->uuid_given)
			memcpy(config->uuid, nvram.uuid, sizeof(config->uuid));
		config->uuid_given = true;
		return 0;
	}
	return memcmp(file, blank, sizeof(file)) ? -EINVAL : 0;
}

int nvram_file_open(struct machine_config *config, bool *ret_made, char *error, size_t error_size)
{
	const char *path = config->nvram,
		   *advice = "give a file in a folder that exists and is yours";
	int fd = make(path), r = fd < 0 ? fd : 0;

	*ret_made = fd >= 0;
	if (r == -EEXIST) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		r = fd < 0 ? -errno : 0;
	}
	if (r == 0) {
		r = vhd_lock(fd, true);
		advice = "it is in use by a running machine; stop that first";
	}
	if (r == 0) {
		r = look(config, fd);
		advice = "it is damaged or no file of a machine's battery; remove it, or give "
			 "another";
	}
	if (r == 0)
		return fd;
	snprintf(error, error_size, "%s: nvram: %s; %s", path,
		 r == -EINVAL ? "not understood" : strerror(-r), advice);
	fd_close(fd);
	return r;
}
