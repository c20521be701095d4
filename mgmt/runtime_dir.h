/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime folder: what a running machine shows to its owner's other programs.
 *
 *	BASE/NAME/lock		held while the machine runs; its starter's process id inside
 *	BASE/NAME/control	listening socket, see vmm/control.h
 *	BASE/NAME/console	listening socket of a serial port, with --serial console
 *	BASE/NAME/display	listening socket of the screen, see vmm/rfb.h
 *	BASE/NAME/disks		which files its disks are, see running_disks.h
 *	BASE/.uids/N.lock	held while a machine runs as user N (root only); no machine's name
 *
 * BASE is $MAINSTAY_RUNTIME_DIR, or /run/mainstay for root, $XDG_RUNTIME_DIR/mainstay for others,
 * and /tmp/mainstay-UID where that is not set. It must be ours and nobody else's: in a folder like
 * /tmp anybody could have made it first. Only root may look into another user's.
 *
 * A folder whose lock is free belongs to a machine that is gone, however it ended: it is reused or
 * removed. The lock file is removed only by who holds its lock, and a lock counts only while its
 * file is still the one in the folder.
 */
#ifndef MGMT_RUNTIME_DIR_H
#define MGMT_RUNTIME_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RUNTIME_CONTROL "control"
#define RUNTIME_CONSOLE "console"
#define RUNTIME_DISPLAY "display"
#define RUNTIME_DISKS "disks"

struct runtime_base {
	int fd;
	char path[512];
};

/* Opens, and with @create makes, BASE. 0, or -errno with one line in @error. */
int runtime_base_open(struct runtime_base *base, bool create, char *error, size_t error_size);
void runtime_base_close(struct runtime_base *base);

/* The folder of one machine that runs, or is about to. */
struct runtime_dir {
	int base_fd; /* of the runtime_base, kept by reference */
	int fd, lock_fd;
	char name[80];
};

/*
 * Makes the machine's folder and takes its lock; what a dead machine left in it is removed. 0,
 * -EEXIST when a machine of this name runs (*ret_pid is its starter, 0: unknown), or -errno.
 */
int runtime_dir_take(const struct runtime_base *base, const char *name, struct runtime_dir *ret_dir,
		     pid_t *ret_pid);
/* Removes the folder and gives the lock back. */
void runtime_dir_release(struct runtime_dir *dir);

/*
 * Opens the folder of a machine that runs. *ret_pid is its starter (0: unknown), *ret_lock_fd its
 * lock file. -ENOENT: no such machine, or a dead one.
 */
int runtime_dir_open(const struct runtime_base *base, const char *name, int *ret_fd,
		     int *ret_lock_fd, pid_t *ret_pid);
/* Waits at most @timeout_s until nobody holds the lock: the machine and its starter are gone. */
int runtime_lock_wait(int lock_fd, unsigned int timeout_s);

/*
 * The names of the machines that run, sorted; folders of dead ones are removed. The array ends with
 * NULL; free it with runtime_names_free(). 0 or -errno.
 */
int runtime_dir_list(const struct runtime_base *base, char ***ret_names);
void runtime_names_free(char **names);

/*
 * Sockets at @name in @folder_fd, whatever the length of the folder's path. 0 or -errno. A socket
 * that listens is only for our own user; -EADDRINUSE when the file exists.
 */
int runtime_socket_listen(int folder_fd, const char *name, int *ret_fd);
int runtime_socket_connect(int folder_fd, const char *name, int *ret_fd);

#endif
