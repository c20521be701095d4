// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/log.h"
#include "address.h"
#include "printer.h"
#include "runtime_dir.h"

struct opener {
	bool service; /* started again and again: its files go on where they ended */
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

/* --- connections --- */

static int start_connect(const struct machine_char *c, int flags, const char **ret_why)
{
	if (c->kind == MACHINE_CHAR_CONNECT)
		return connect_unix(c->path, flags);
	return connect_tcp(c->address, flags, ret_why);
}

static int open_connection(struct opener *o, const struct machine_char *c)
{
	const char *why = NULL;
	int fd = start_connect(c, 0, &why);

	if (fd >= 0)
		return fd;
	snprintf(o->error, o->error_size, "%s: %s; start what listens there, or give on-open",
		 machine_char_target(c), why ? why : strerror(-fd));
	return fd;
}

static int open_door(struct opener *o, const struct machine_char *c)
{
	struct port_door *door = &o->ports->doors[o->port];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return port_failed(o, machine_char_target(c), -errno, "close other programs");
	door->fd = pair[0];
	door->to = c;
	return pair[1];
}

static int open_tcp_listen(struct opener *o, const struct machine_char *c)
{
	const char *why = NULL;
	int fd = listen_tcp(c->address, &why);

	if (fd >= 0)
		return fd;
	snprintf(o->error, o->error_size, "%s: %s; give an address of this host and a free port",
		 c->address, why ? why : strerror(-fd));
	return fd;
}

/* --- the host's lines --- */

static int open_tty(struct opener *o, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct port_line *line = &o->ports->lines[o->port];
	struct termios raw;
	int r;

	if (fd < 0)
		return port_failed(o, path, -errno, "give a terminal line like /dev/ttyS0");
	if (tcgetattr(fd, &line->before) < 0 || ioctl(fd, TIOCEXCL) < 0) {
		r = errno == ENOTTY ? -ENOTTY : -errno;
		fd_close(fd);
		return port_failed(o, path, r, "give a terminal line like /dev/ttyS0");
	}
	raw = line->before;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL;
	tcsetattr(fd, TCSANOW, &raw);
	line->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd;
}

static int open_parport(struct opener *o, const char *path)
{
	int fd = printer_start(path);

	return fd < 0 ? port_failed(o, path, fd,
				    "give a parallel port like /dev/parport0 that is free")
		      : fd;
}

/* The command reads the guest's bytes from a pipe, in a group of its own: no key reaches it. */
static int open_command(struct opener *o, const char *command)
{
	char *const argv[] = { "sh", "-c", (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int pipes[2], r;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return port_failed(o, command, -errno, "close other programs");
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	r = -posix_spawn(&pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	fd_close(pipes[0]);
	if (r == 0)
		return pipes[1];
	fd_close(pipes[1]);
	return port_failed(o, command, r, "is there a shell?");
}

static int open_port(struct opener *o, const struct machine_char *c)
{
	if (c->on_open)
		return open_door(o, c);
	switch ((enum machine_char_kind)c->kind) {
	case MACHINE_CHAR_NONE:
	case MACHINE_CHAR_KINDS:
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
		return o->service ? open_log(o, c->path) : open_new_file(o, c->path);
	case MACHINE_CHAR_CONNECT:
	case MACHINE_CHAR_TCP:
		return open_connection(o, c);
	case MACHINE_CHAR_TCP_LISTEN:
		return open_tcp_listen(o, c);
	case MACHINE_CHAR_TTY:
		return open_tty(o, c->path);
	case MACHINE_CHAR_COMMAND:
		return open_command(o, c->command);
	case MACHINE_CHAR_PARPORT:
		return open_parport(o, c->path);
	}
	return -1;
}

/* --- doors --- */

/* Answers a knock with @fd, or without: nobody is there. */
static void answer(struct port_door *door, int fd)
{
	(void)fdpass_send(door->fd, "c", 1, &fd, fd >= 0);
	door->connecting = -1;
	fd_close(fd);
}

static void refuse(struct port_door *door, const char *why)
{
	log_warning("%s: %s: the guest's port leads nowhere until it opens it again",
		    machine_char_target(door->to), why);
	answer(door, -1);
}

static void take_knock(struct port_door *door)
{
	const char *why = NULL;
	char byte;
	ssize_t n = recv(door->fd, &byte, sizeof(byte), MSG_DONTWAIT);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			door->fd = fd_close(door->fd);
		return;
	}
	if (door->connecting >= 0)
		return;
	door->connecting = start_connect(door->to, SOCK_NONBLOCK, &why);
	if (door->connecting < 0)
		refuse(door, why ? why : strerror(-door->connecting));
}

static void take_connection(struct port_door *door)
{
	int fd = door->connecting, error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (!error) {
		answer(door, fd);
		return;
	}
	fd_close(fd);
	refuse(door, strerror(error));
}

void machine_ports_prepare(const struct machine_ports *ports,
			   struct pollfd fds[MACHINE_PORTS_POLLFDS])
{
	for (unsigned int i = 0; i < MACHINE_SERIAL_MAX; i++) {
		fds[2 * i] = (struct pollfd){ ports->doors[i].fd, POLLIN, 0 };
		fds[2 * i + 1] = (struct pollfd){ ports->doors[i].connecting, POLLOUT, 0 };
	}
}

void machine_ports_run(struct machine_ports *ports, const struct pollfd fds[MACHINE_PORTS_POLLFDS])
{
	for (unsigned int i = 0; i < MACHINE_SERIAL_MAX; i++) {
		if (fds[2 * i + 1].revents)
			take_connection(&ports->doors[i]);
		if (fds[2 * i].revents)
			take_knock(&ports->doors[i]);
	}
}

/* --- making and ending --- */

int machine_ports_open(const struct machine_config *config, int folder_fd,
		       struct machine_files *files, struct machine_ports *ports, char *error,
		       size_t error_size)
{
	struct opener o = { files->service, ports, folder_fd, 0, error, error_size };

	*ports = (struct machine_ports){ .stdio = -1 };
	for (size_t i = 0; i < MACHINE_SERIAL_MAX; i++)
		ports->pty_slaves[i] = ports->lines[i].fd = ports->doors[i].fd =
			ports->doors[i].connecting = -1;
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
		if (ports->lines[i].fd >= 0)
			tcsetattr(ports->lines[i].fd, TCSANOW, &ports->lines[i].before);
		ports->lines[i].fd = fd_close(ports->lines[i].fd);
		ports->doors[i].fd = fd_close(ports->doors[i].fd);
		ports->doors[i].connecting = fd_close(ports->doors[i].connecting);
	}
	for (unsigned int i = 0; !started && i < ports->made_count; i++)
		unlink(ports->made[i]);
}
