// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/parse.h"

#define LOCK "lock"

/* --- the base folder --- */

static int base_path(char *path, size_t size)
{
	const char *folder = getenv("MAINSTAY_RUNTIME_DIR");
	int n;

	if (folder && *folder == '/')
		n = snprintf(path, size, "%s", folder);
	else if (geteuid() == 0)
		n = snprintf(path, size, "/run/mainstay");
	else if ((folder = getenv("XDG_RUNTIME_DIR")) && *folder == '/')
		n = snprintf(path, size, "%s/mainstay", folder);
	else
		n = snprintf(path, size, "/tmp/mainstay-%u", (unsigned int)geteuid());
	return n < (int)size ? 0 : -ENAMETOOLONG;
}

int runtime_base_open(struct runtime_base *base, bool create, char *error, size_t error_size)
{
	struct stat st;
	int r = base_path(base->path, sizeof(base->path));

	base->fd = -1;
	if (r == 0 && create && mkdir(base->path, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		base->fd = open(base->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (base->fd < 0 || fstat(base->fd, &st) < 0)
			r = -errno;
	}
	if (r < 0) {
		snprintf(error, error_size,
			 "%s: runtime folder: %s; set MAINSTAY_RUNTIME_DIR to another", base->path,
			 strerror(-r));
		base->fd = fd_close(base->fd);
		return r;
	}
	/* Root looks at machines that are services of another user. */
	if ((st.st_uid == geteuid() || (geteuid() == 0 && !create)) && !(st.st_mode & 022))
		return 0;
	snprintf(
		error, error_size,
		"%s: runtime folder: others can write to it (owner %u, mode %o); remove it, or set "
		"MAINSTAY_RUNTIME_DIR to another",
		base->path, (unsigned int)st.st_uid, st.st_mode & 07777);
	base->fd = fd_close(base->fd);
	return -EPERM;
}

void runtime_base_close(struct runtime_base *base)
{
	base->fd = fd_close(base->fd);
}

/* --- the lock --- */

static int lock_take(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static bool lock_is_held(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Whether the file of @fd is still the folder's lock. */
static bool lock_is_current(int folder_fd, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 &&
	       fstatat(folder_fd, LOCK, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

static pid_t lock_pid(int fd)
{
	char text[16] = "";
	uint64_t pid = 0;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (parse_u64(text, 1, INT32_MAX, &pid) < 0)
			return 0;
	}
	return (pid_t)pid;
}

static void on_alarm(int signal)
{
	(void)signal;
}

int runtime_lock_wait(int lock_fd, unsigned int timeout_s)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct sigaction action = { .sa_handler = on_alarm };
	/* It rings again: one that rang before the call below began to wait would be lost. */
	struct itimerval timer = { { 1, 0 }, { timeout_s ? timeout_s : 1, 0 } };
	int r = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	if (fcntl(lock_fd, F_OFD_SETLKW, &lock) < 0)
		r = errno == EINTR ? -ETIMEDOUT : -errno;
	timer = (struct itimerval){ 0 };
	setitimer(ITIMER_REAL, &timer, NULL);
	return r;
}

/* --- a machine's folder --- */

static void remove_sockets(int fd)
{
	unlinkat(fd, RUNTIME_CONTROL, 0);
	unlinkat(fd, RUNTIME_CONSOLE, 0);
	unlinkat(fd, RUNTIME_DISPLAY, 0);
	unlinkat(fd, RUNTIME_DISKS, 0);
}

static void write_pid(int fd)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	/* Only for messages: whether it runs is said by the lock. */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) < 0)
		return;
}

/* One attempt: -EAGAIN when a machine that just ended took the folder away under us. */
static int try_take(int base_fd, const char *name, struct runtime_dir *dir, pid_t *ret_pid)
{
	int r;

	if (mkdirat(base_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir->fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	dir->lock_fd = openat(dir->fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dir->lock_fd < 0) {
		r = errno == ENOENT ? -EAGAIN : -errno;
	} else {
		r = lock_take(dir->lock_fd);
		if (r == -EAGAIN || r == -EACCES) {
			*ret_pid = lock_pid(dir->lock_fd);
			r = -EEXIST;
		} else if (r == 0 && !lock_is_current(dir->fd, dir->lock_fd)) {
			r = -EAGAIN;
		}
	}
	if (r < 0) {
		dir->lock_fd = fd_close(dir->lock_fd);
		dir->fd = fd_close(dir->fd);
	}
	return r;
}

int runtime_dir_take(const struct runtime_base *base, const char *name, struct runtime_dir *ret_dir,
		     pid_t *ret_pid)
{
	struct runtime_dir dir = { .base_fd = base->fd, .fd = -1, .lock_fd = -1 };
	int r = -EAGAIN;

	if (strlen(name) >= sizeof(dir.name))
		return -EINVAL;
	strcpy(dir.name, name);
	for (int i = 0; i < 16 && r == -EAGAIN; i++)
		r = try_take(base->fd, name, &dir, ret_pid);
	if (r < 0)
		return r;
	remove_sockets(dir.fd);
	write_pid(dir.lock_fd);
	*ret_dir = dir;
	return 0;
}

void runtime_dir_release(struct runtime_dir *dir)
{
	remove_sockets(dir->fd);
	unlinkat(dir->fd, LOCK, 0);
	/* Not when another start has made its lock in it meanwhile: it is not empty then. */
	unlinkat(dir->base_fd, dir->name, AT_REMOVEDIR);
	dir->fd = fd_close(dir->fd);
	dir->lock_fd = fd_close(dir->lock_fd);
}

int runtime_dir_open(const struct runtime_base *base, const char *name, int *ret_fd,
		     int *ret_lock_fd, pid_t *ret_pid)
{
	int fd, lock_fd;

	fd = openat(base->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	lock_fd = openat(fd, LOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (lock_fd < 0 || !lock_is_held(lock_fd)) {
		fd_close(lock_fd);
		fd_close(fd);
		return -ENOENT;
	}
	*ret_pid = lock_pid(lock_fd);
	*ret_fd = fd;
	*ret_lock_fd = lock_fd;
	return 0;
}

/* --- all machines --- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_running(const struct runtime_base *base, const char *name)
{
	struct runtime_dir dir;
	int fd, lock_fd;
	pid_t pid;

	if (runtime_dir_open(base, name, &fd, &lock_fd, &pid) == 0) {
		fd_close(fd);
		fd_close(lock_fd);
		return true;
	}
	/* Left by a dead machine. Unless one starts here right now. */
	if (runtime_dir_take(base, name, &dir, &pid) == 0)
		runtime_dir_release(&dir);
	return false;
}

void runtime_names_free(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

int runtime_dir_list(const struct runtime_base *base, char ***ret_names)
{
	int fd = openat(base->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	char **names = calloc(1, sizeof(*names));
	size_t count = 0;
	struct dirent *entry;

	if (!folder || !names) {
		int saved = folder ? ENOMEM : errno;

		if (folder)
			closedir(folder);
		else
			fd_close(fd);
		free(names);
		return -saved;
	}
	while ((entry = readdir(folder))) {
		char **grown;

		if (!name_is_valid(entry->d_name) ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) ||
		    !is_running(base, entry->d_name))
			continue;
		grown = realloc(names, (count + 2) * sizeof(*names));
		if (!grown)
			break;
		names = grown;
		names[count] = strdup(entry->d_name);
		if (!names[count])
			break;
		names[++count] = NULL;
	}
	closedir(folder);
	qsort(names, count, sizeof(*names), compare_names);
	*ret_names = names;
	return 0;
}

/* --- sockets --- */

/* Through the folder's descriptor, since sun_path ends after 107 bytes and folders do not. */
static int socket_address(int folder_fd, const char *name, struct sockaddr_un *ret_address)
{
	int n;

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/%s",
		     folder_fd, name);
	return n < (int)sizeof(ret_address->sun_path) ? 0 : -ENAMETOOLONG;
}

int runtime_socket_listen(int folder_fd, const char *name, int *ret_fd)
{
	struct sockaddr_un address;
	int fd, r = socket_address(folder_fd, name, &address);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* On Linux the file of a bound socket gets the mode of the socket: never open for a moment.
	 */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	if (r == 0 && listen(fd, 8) < 0) {
		r = -errno;
		unlinkat(folder_fd, name, 0);
	}
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int runtime_socket_connect(int folder_fd, const char *name, int *ret_fd)
{
	struct sockaddr_un address;
	int fd, r = socket_address(folder_fd, name, &address);

	if (r < 0)
		return r;
	/* Non-blocking: a machine that hangs, its queue full, must not hang us: -EAGAIN. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
