// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine_files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <termios.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "floppy_layout.h"
#include "image_file.h"
#include "runtime_dir.h"

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

/* --- disks and media --- */

static int open_disks(const struct machine_config *config, struct machine_files *files, char *error,
		      size_t error_size)
{
	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct machine_disk *disk = &config->disks[i];
		const struct image_file image = { disk->path, IMAGE_DISK, disk->format,
						  disk->read_only };

		files->disks[i] = image_file_open(&image, NULL, error, error_size);
		if (files->disks[i] < 0)
			return files->disks[i];
	}
	return 0;
}

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

int machine_files_open(const struct machine_config *config, bool kvm, struct machine_files *files,
		       char *error, size_t error_size)
{
	int r = check_memory(config, error, error_size);

	if (r == 0)
		r = open_disks(config, files, error, error_size);
	if (r == 0)
		r = open_media(config, files, error, error_size);
	if (r == 0) {
		files->firmware = open_firmware(config->firmware, error, error_size);
		r = files->firmware < 0 ? files->firmware : 0;
	}
	if (r == 0 && kvm) {
		files->kvm = open_kvm(error, error_size);
		r = files->kvm < 0 ? files->kvm : 0;
	}
	return r;
}

/* --- ports --- */

struct opener {
	struct machine_ports *ports;
	int folder_fd;
	unsigned int port;
	char *error;
	size_t error_size;
};

static int port_failed(struct opener *o, const char *path, int r, const char *advice)
{
	snprintf(o->error, o->error_size, "%s: %s; %s", path, strerror(-r), advice);
	return r;
}

static int open_stdio(struct opener *o)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return port_failed(o, "stdio", -errno, "close other programs");
	o->ports->stdio = pair[0];
	return pair[1];
}

static int open_console(struct opener *o)
{
	int fd, r = runtime_socket_listen(o->folder_fd, RUNTIME_CONSOLE, &fd);

	return r < 0 ? port_failed(o, RUNTIME_CONSOLE, r,
				   "set MAINSTAY_RUNTIME_DIR to another folder")
		     : fd;
}

/* A new pseudo terminal: bytes pass as they are, and nothing is echoed to the guest. */
static int open_pty(struct opener *o)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave = -1;
	struct termios raw;
	char name[64];

	if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 &&
	    ptsname_r(fd, name, sizeof(name)) == 0)
		slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &raw) < 0) {
		int r = -errno;

		fd_close(slave);
		fd_close(fd);
		return port_failed(o, "pty", r, "give unix:PATH instead");
	}
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	o->ports->pty_slaves[o->port] = slave;
	log_info("serial port %u is %s", o->port + 1, name);
	return fd;
}

static int open_unix(struct opener *o, const char *path)
{
	char folder[PATH_MAX], file[PATH_MAX];
	int folder_fd, fd = -1, r;

	snprintf(folder, sizeof(folder), "%s", path);
	snprintf(file, sizeof(file), "%s", path);
	folder_fd = open(dirname(folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = folder_fd < 0 ? -errno : runtime_socket_listen(folder_fd, basename(file), &fd);
	fd_close(folder_fd);
	if (r == -EADDRINUSE)
		return port_failed(o, path, -EEXIST, "remove it, or give another path");
	if (r < 0)
		return port_failed(o, path, r, "give a path in a folder that exists and is yours");
	o->ports->sockets[o->port] = path;
	return fd;
}

/* A file of somebody's is never overwritten; a device or a pipe is there to be written to. */
static int open_new_file(struct opener *o, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	struct stat st;
	int r;

	if (fd >= 0) {
		o->ports->made[o->ports->made_count++] = path;
		return fd;
	}
	r = -errno;
	if (r == -EEXIST && stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))) {
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0)
			return fd;
		r = -errno;
		return port_failed(o, path, r,
				   r == -ENXIO ? "start the program that reads the pipe first"
					       : "make it writable for you");
	}
	return port_failed(o, path, r,
			   r == -EEXIST ? "remove it, or give another path"
					: "give a path in a folder that exists and is yours");
}

/* Logs go on where they ended. */
static int open_log(struct opener *o, const char *path)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, flags | O_CREAT | O_EXCL, 0666);

	if (fd >= 0)
		o->ports->made[o->ports->made_count++] = path;
	else if (errno == EEXIST)
		fd = open(path, flags);
	return fd >= 0 ? fd
		       : port_failed(o, path, -errno,
				     "give a file in a folder that exists and is yours");
}

static int open_port(struct opener *o, const struct machine_char *c)
{
	switch ((enum machine_char_kind)c->kind) {
	case MACHINE_CHAR_NONE:
		break;
	case MACHINE_CHAR_STDIO:
		return open_stdio(o);
	case MACHINE_CHAR_CONSOLE:
		return open_console(o);
	case MACHINE_CHAR_PTY:
		return open_pty(o);
	case MACHINE_CHAR_UNIX:
		return open_unix(o, c->path);
	case MACHINE_CHAR_FILE:
		return open_new_file(o, c->path);
	}
	return -1;
}

int machine_ports_open(const struct machine_config *config, int folder_fd,
		       struct machine_files *files, struct machine_ports *ports, char *error,
		       size_t error_size)
{
	struct opener o = { ports, folder_fd, 0, error, error_size };

	*ports = (struct machine_ports){ .stdio = -1 };
	for (size_t i = 0; i < MACHINE_SERIAL_MAX; i++)
		ports->pty_slaves[i] = -1;
	for (; o.port < config->serial_count; o.port++) {
		files->serial[o.port] = open_port(&o, &config->serial[o.port]);
		if (files->serial[o.port] < 0 && config->serial[o.port].kind != MACHINE_CHAR_NONE)
			return files->serial[o.port];
	}
	files->parallel = open_port(&o, &config->parallel);
	if (files->parallel < 0 && config->parallel.kind != MACHINE_CHAR_NONE)
		return files->parallel;
	files->firmware_log = config->firmware_log ? open_log(&o, config->firmware_log) : -1;
	return config->firmware_log && files->firmware_log < 0 ? files->firmware_log : 0;
}

void machine_ports_close(struct machine_ports *ports, bool started)
{
	ports->stdio = fd_close(ports->stdio);
	for (size_t i = 0; i < MACHINE_SERIAL_MAX; i++) {
		ports->pty_slaves[i] = fd_close(ports->pty_slaves[i]);
		if (ports->sockets[i])
			unlink(ports->sockets[i]);
	}
	for (unsigned int i = 0; !started && i < ports->made_count; i++)
		unlink(ports->made[i]);
}
