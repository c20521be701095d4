// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch_client.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "helper_program.h"
#include "runtime_dir.h"

#define FOLDER ".switch"
#define ANSWER_MAX (1u << 18)
#define ANSWER_TIMEOUT_MS 10000
#define LISTEN_FD 3

/* --- the socket's place */

static int open_folder(const struct runtime_base *base, bool create, int *ret_fd)
{
	if (create && mkdirat(base->fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	*ret_fd = openat(base->fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret_fd < 0 ? -errno : 0;
}

static int make_socket(int folder_fd, struct sockaddr_un *ret_address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/control",
		 folder_fd);
	return fd < 0 ? -errno : fd;
}

static int try_connect(int folder_fd, int *ret_fd)
{
	struct sockaddr_un address;
	int fd = make_socket(folder_fd, &address), r = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r == -ECONNREFUSED ? -ENOENT : r;
	}
	*ret_fd = fd;
	return 0;
}

static int make_listener(int folder_fd, int *ret_fd)
{
	struct sockaddr_un address;
	int fd = make_socket(folder_fd, &address), r = 0;

	if (fd < 0)
		return fd;
	/* Nobody listens there any more: we hold the lock, and connecting was refused. */
	unlinkat(folder_fd, "control", 0);
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 64) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* --- starting */

/* Runs the switch, which outlives us: nobody's child, in a session of its own. */
static int start_switch(int folder_fd, char *error, size_t error_size)
{
	int listener = -1, log_fd, r = make_listener(folder_fd, &listener);
	struct helper helper = { .program = "mainstay-switch", .detach = true };
	char *argv[] = { "mainstay-switch", NULL };

	if (r < 0) {
		snprintf(error, error_size, "the switch's socket: %s", strerror(-r));
		return r;
	}
	log_fd = openat(folder_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			0600);
	helper.argv = argv;
	helper.fds[0] = listener;
	helper.fd_count = 1;
	helper.stderr_fd = log_fd;
	r = helper_start(&helper, error, error_size);
	close(listener);
	fd_close(log_fd);
	return r;
}

/* Under the lock: another one may have started it while we waited. */
static int start_and_connect(int folder_fd, int *ret_fd, char *error, size_t error_size)
{
	int lock_fd = openat(folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = lock_fd < 0 || flock(lock_fd, LOCK_EX) < 0 ? -errno
							   : try_connect(folder_fd, ret_fd);

	if (r == -ENOENT) {
		r = start_switch(folder_fd, error, error_size);
		if (r == 0)
			r = try_connect(folder_fd, ret_fd);
	}
	fd_close(lock_fd);
	return r;
}

int switch_connect(const struct runtime_base *base, bool start, int *ret_fd, char *error,
		   size_t error_size)
{
	int folder_fd = -1, r = open_folder(base, start, &folder_fd);

	*error = '\0';
	if (r == 0)
		r = try_connect(folder_fd, ret_fd);
	if (r == -ENOENT && start && folder_fd >= 0)
		r = start_and_connect(folder_fd, ret_fd, error, error_size);
	fd_close(folder_fd);
	if (r < 0 && (r != -ENOENT || start) && !*error)
		snprintf(error, error_size, "the switch cannot be reached: %s", strerror(-r));
	return r;
}

/* --- asking */

json_object *switch_message(const char *op, const char *network)
{
	json_object *json = json_object_new_object();

	json_object_object_add(json, "op", json_object_new_string(op));
	if (network)
		json_object_object_add(json, "network", json_object_new_string(network));
	return json;
}

static int receive_answer(int socket, char *text, size_t size, int *fds, unsigned int *count)
{
	struct pollfd poll_fd = { socket, POLLIN, 0 };
	size_t got = 0;
	int r;

	if (poll(&poll_fd, 1, ANSWER_TIMEOUT_MS) <= 0)
		return -ETIMEDOUT;
	r = fdpass_receive(socket, text, size - 1, &got, fds, count);
	if (r < 0)
		return r;
	text[got] = '\0';
	return got ? 0 : -ECONNRESET;
}

static int check_answer(json_object *answer, char *error, size_t error_size)
{
	json_object *ok = NULL, *why = NULL;

	if (!json_object_is_type(answer, json_type_object) ||
	    !json_object_object_get_ex(answer, "ok", &ok)) {
		snprintf(error, error_size, "the switch's answer cannot be read");
		return -EPROTO;
	}
	if (json_object_get_boolean(ok))
		return 0;
	json_object_object_get_ex(answer, "error", &why);
	snprintf(error, error_size, "%s", why ? json_object_get_string(why) : "refused");
	return -EINVAL;
}

int switch_request(int socket, json_object *request, int fd, int *fds, unsigned int *count,
		   json_object **ret_answer, char *error, size_t error_size)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	unsigned int none = 0;
	json_object *answer;
	char *buffer = malloc(ANSWER_MAX);
	int r = buffer ? fdpass_send(socket, text, strlen(text), &fd, fd >= 0) : -ENOMEM;

	json_object_put(request);
	if (r == 0)
		r = receive_answer(socket, buffer, ANSWER_MAX, fds, count ? count : &none);
	if (r < 0) {
		snprintf(error, error_size, "the switch does not answer: %s", strerror(-r));
		free(buffer);
		return r;
	}
	answer = json_tokener_parse(buffer);
	free(buffer);
	r = check_answer(answer, error, error_size);
	if (r == 0 && ret_answer)
		*ret_answer = answer;
	else
		json_object_put(answer);
	return r;
}
