// SPDX-License-Identifier: GPL-2.0-or-later
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "helper_program.h"

#define PROGRAM "mainstay-vmm"

static int find_program(char *path, size_t size, char *error, size_t error_size)
{
	const char *given = getenv("MAINSTAY_VMM");

	if (!given || !*given)
		return helper_find(PROGRAM, path, size, error, error_size);
	snprintf(path, size, "%s", given);
	if (access(path, X_OK) == 0)
		return 0;
	snprintf(error, error_size, "%s: %s; MAINSTAY_VMM must name " PROGRAM, given,
		 strerror(errno));
	return -ENOENT;
}

struct child {
	const char *path;
	char *const *argv;
	int start_fd;
	pid_t parent;
	volatile int exec_errno; /* shared: the child of vfork() writes to our memory */
};

/* In the child of vfork(): system calls only. */
static void __attribute__((noreturn)) run_child(struct child *child)
{
	sigset_t none;
	int null;

	/* A session of its own: what the terminal sends (Ctrl-C, hang-up) is for us alone. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != child->parent)
		_exit(1);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (child->start_fd == MACHINE_START_FD)
		fcntl(MACHINE_START_FD, F_SETFD, 0);
	else
		dup2(child->start_fd, MACHINE_START_FD);
	/* What was open when we were started is none of the machine's business either. */
	close_range(MACHINE_START_FD + 1, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execv(child->path, child->argv);
	child->exec_errno = errno;
	_exit(127);
}

static pid_t start_child(struct child *child)
{
	pid_t pid = vfork();

	if (pid == 0)
		run_child(child);
	return pid;
}

static int spawn_program(const struct spawn_options *options, int start_fd, pid_t *ret_pid,
			 char *error, size_t error_size)
{
	char path[PATH_MAX], uid[24], gid[24];
	char *argv[6], **arg = argv;
	struct child child = { path, argv, start_fd, getpid(), 0 };
	int r = find_program(path, sizeof(path), error, error_size);

	if (r < 0)
		return r;
	*arg++ = PROGRAM;
	if (options->uid) {
		snprintf(uid, sizeof(uid), "--uid=%u", options->uid);
		snprintf(gid, sizeof(gid), "--gid=%u", options->uid);
		*arg++ = uid;
		*arg++ = gid;
	}
	if (options->degraded)
		*arg++ = "--sandbox=degraded";
	*arg = NULL;
	*ret_pid = start_child(&child);
	if (*ret_pid > 0 && !child.exec_errno)
		return 0;
	r = *ret_pid < 0 ? -errno : -child.exec_errno;
	if (*ret_pid > 0)
		waitpid(*ret_pid, NULL, 0);
	snprintf(error, error_size, "%s: cannot be run: %s", path, strerror(-r));
	return r;
}

/* The message waits in the socket until the process reads it. */
static int send_message(const struct machine_config *config, const struct machine_files *files,
			int socket)
{
	int fds[START_MESSAGE_FDS_MAX];
	unsigned int count;
	char *text = start_message_write(config, files, fds, &count);
	int r = text ? fdpass_send(socket, text, strlen(text), fds, count) : -ENOMEM;

	free(text);
	return r;
}

int spawn_machine(const struct machine_config *config, struct machine_files *files,
		  const struct spawn_options *options, struct spawn_process *ret_process,
		  char *error, size_t error_size)
{
	int sockets[2] = { -1, -1 };
	int r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		r = -errno;
	if (r == 0)
		r = send_message(config, files, sockets[0]);
	machine_files_close(files);
	if (r < 0)
		snprintf(error, error_size, "%s: start message: %s", config->name, strerror(-r));
	else
		r = spawn_program(options, sockets[1], &ret_process->pid, error, error_size);
	fd_close(sockets[1]);
	if (r == 0) {
		ret_process->pid_fd = pidfd_open(ret_process->pid, 0);
		if (ret_process->pid_fd < 0) {
			r = -errno;
			snprintf(error, error_size, "pidfd_open: %s; Linux 5.4 or later is needed",
				 strerror(errno));
			kill(ret_process->pid, SIGKILL);
			waitpid(ret_process->pid, NULL, 0);
		}
	}
	if (r < 0) {
		fd_close(sockets[0]);
		return r;
	}
	ret_process->start_fd = sockets[0];
	return 0;
}

int spawn_send_word(int start_fd)
{
	return fdpass_send(start_fd, "run", 3, NULL, 0);
}

static bool is_event(json_object *json, const char *wanted)
{
	json_object *event = NULL;

	return json_object_is_type(json, json_type_object) &&
	       json_object_object_get_ex(json, "event", &event) &&
	       json_object_is_type(event, json_type_string) &&
	       !strcmp(json_object_get_string(event), wanted);
}

int spawn_receive_running(int start_fd, char *ret_sandbox, size_t sandbox_size)
{
	char text[512];
	unsigned int fd_count = 0;
	json_object *json, *sandbox = NULL;
	size_t size;
	int r = fdpass_receive(start_fd, text, sizeof(text) - 1, &size, NULL, &fd_count);

	/* A process that ends without having read the message resets the socket. */
	if (r == -ECONNRESET)
		return 0;
	if (r < 0 || !size)
		return r;
	text[size] = '\0';
	json = json_tokener_parse(text);
	if (is_event(json, "restored")) {
		json_object_put(json);
		return 2;
	}
	if (!is_event(json, "running") || !json_object_object_get_ex(json, "sandbox", &sandbox) ||
	    !json_object_is_type(sandbox, json_type_string)) {
		json_object_put(json);
		return -EPROTO;
	}
	snprintf(ret_sandbox, sandbox_size, "%s", json_object_get_string(sandbox));
	json_object_put(json);
	return 1;
}
