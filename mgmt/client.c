// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../base/fdio.h"

#define REPLY_BYTES_MAX (1u << 20)
#define REPLY_TIMEOUT_MS 10000

int client_open(struct client *client, const struct runtime_base *base, const char *name,
		char *error, size_t error_size)
{
	int r;

	*client = (struct client){ .folder_fd = -1, .lock_fd = -1, .fd = -1, .name = name };
	r = runtime_dir_open(base, name, &client->folder_fd, &client->lock_fd, &client->pid);
	if (r < 0) {
		snprintf(error, error_size, "%s: %s; 'mainstay list' shows those that run", name,
			 r == -ENOENT ? "no such machine is running" : strerror(-r));
		return r;
	}
	r = runtime_socket_connect(client->folder_fd, RUNTIME_CONTROL, &client->fd);
	if (r < 0) {
		snprintf(error, error_size,
			 "%s: control socket: %s; the machine is starting or ending", name,
			 strerror(-r));
		client_close(client);
	}
	return r;
}

void client_close(struct client *client)
{
	client->fd = fd_close(client->fd);
	client->lock_fd = fd_close(client->lock_fd);
	client->folder_fd = fd_close(client->folder_fd);
}

int client_send(int fd, const char *command)
{
	char line[128];
	int length = snprintf(line, sizeof(line), "{\"command\":\"%s\",\"id\":1}\n", command);
	ssize_t n = send(fd, line, (size_t)length, MSG_NOSIGNAL);

	return n == length ? 0 : n < 0 ? -errno : -EIO;
}

/* A line, with a descriptor if @fd is one. 0 or -errno. */
static int send_line(int socket, const char *text, int fd)
{
	struct iovec iov[2] = { { (void *)(uintptr_t)text, strlen(text) }, { "\n", 1 } };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} ancillary = { .room = { 0 } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (fd >= 0) {
		ancillary.header =
			(struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&ancillary.header), &fd, sizeof(fd));
		message.msg_control = &ancillary;
		message.msg_controllen = sizeof(ancillary.room);
	}
	n = sendmsg(socket, &message, MSG_NOSIGNAL);
	return n < 0 ? -errno : n == (ssize_t)strlen(text) + 1 ? 0 : -EIO;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for bytes until @deadline_ms. 0, -ETIMEDOUT or -errno. */
static int wait_readable(int fd, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd wait = { fd, POLLIN, 0 };
		int64_t left = deadline_ms - now_ms();
		int n = poll(&wait, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* One line without its end, NUL-terminated, freed by the caller. */
static int receive_line(int fd, char **ret_line)
{
	int64_t deadline = now_ms() + REPLY_TIMEOUT_MS;
	size_t size = 0, room = 0;
	char *line = NULL;
	int r;

	for (;;) {
		ssize_t n;

		if (size == room) {
			char *grown;

			room = room ? 2 * room : 4096;
			grown = room > REPLY_BYTES_MAX ? NULL : realloc(line, room + 1);
			if (!grown) {
				free(line);
				return -ENOMEM;
			}
			line = grown;
		}
		r = wait_readable(fd, deadline);
		n = r < 0 ? -1 : recv(fd, line + size, room - size, MSG_DONTWAIT);
		if (r == 0 && n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			free(line);
			return r < 0 ? r : n < 0 ? -errno : -ECONNRESET;
		}
		size += (size_t)n;
		if (line[size - 1] == '\n')
			break;
	}
	line[size - 1] = '\0';
	*ret_line = line;
	return 0;
}

/* 0, or -EPROTO, or -EREMOTEIO with the machine's own words in @error. */
static int take_reply(json_object *reply, json_object **ret_result, char *error, size_t error_size)
{
	json_object *ok, *why, *result = NULL;

	if (!json_object_is_type(reply, json_type_object) ||
	    !json_object_object_get_ex(reply, "ok", &ok) ||
	    !json_object_is_type(ok, json_type_boolean))
		return -EPROTO;
	if (!json_object_get_boolean(ok)) {
		if (!json_object_object_get_ex(reply, "error", &why) ||
		    !json_object_is_type(why, json_type_string))
			return -EPROTO;
		snprintf(error, error_size, "%s", json_object_get_string(why));
		return -EREMOTEIO;
	}
	json_object_object_get_ex(reply, "result", &result);
	*ret_result = json_object_get(result);
	return 0;
}

int client_request(struct client *client, json_object *request, int fd, json_object **ret_result,
		   char *error, size_t error_size)
{
	json_object *name = json_object_object_get(request, "command"), *reply;
	const char *command = json_object_get_string(name);
	char why[512] = "", *line = NULL;
	int r = send_line(client->fd,
			  json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN), fd);

	if (r == 0)
		r = receive_line(client->fd, &line);
	if (r == 0) {
		reply = json_tokener_parse(line);
		r = take_reply(reply, ret_result, why, sizeof(why));
		json_object_put(reply);
	}
	free(line);
	if (r == -EREMOTEIO)
		snprintf(error, error_size, "%s: %s: %s", client->name, command, why);
	else if (r == -ETIMEDOUT)
		snprintf(error, error_size,
			 "%s: %s: no answer in %d s; 'mainstay stop --force' or kill %d ends it",
			 client->name, command, REPLY_TIMEOUT_MS / 1000, (int)client->pid);
	else if (r < 0)
		snprintf(error, error_size, "%s: %s: %s", client->name, command, strerror(-r));
	return r;
}

int client_call(struct client *client, const char *command, json_object **ret_result, char *error,
		size_t error_size)
{
	json_object *request = json_object_new_object();
	int r;

	json_object_object_add(request, "command", json_object_new_string(command));
	r = client_request(client, request, -1, ret_result, error, error_size);
	json_object_put(request);
	return r;
}

int client_wait_end(struct client *client, unsigned int timeout_s)
{
	return runtime_lock_wait(client->lock_fd, timeout_s);
}
