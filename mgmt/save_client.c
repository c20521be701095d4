// SPDX-License-Identifier: GPL-2.0-or-later
#include "save_client.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/fdpass.h"
#include "client.h"

#define EVENT_BYTES 4096

int save_client_begin(struct client *client, struct json_object **ret_disks, char *error,
		      size_t error_size)
{
	json_object *request = json_object_new_object(), *result = NULL;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		r = -errno;
		json_object_put(request);
		snprintf(error, error_size, "socketpair: %s", strerror(-r));
		return r;
	}
	json_object_object_add(request, "command", json_object_new_string("save"));
	r = client_request(client, request, pair[1], &result, error, error_size);
	json_object_put(request);
	if (r == 0 && ret_disks) {
		json_object *disks = NULL;

		json_object_object_get_ex(result, "disks", &disks);
		*ret_disks = json_object_get(disks);
	}
	json_object_put(result);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	return pair[0];
}

int save_client_send(int session, const char *action, struct json_object *request, const int *fds,
		     unsigned int fd_count)
{
	const char *text;
	int r = -ENOMEM;

	if (!request)
		request = json_object_new_object();
	json_object_object_add(request, "action", json_object_new_string(action));
	text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	if (text)
		r = fdpass_send(session, text, strlen(text), fds, fd_count);
	json_object_put(request);
	return r;
}

/* The machine's words are not trusted: one line without control characters. */
static void copy_text(char *to, size_t size, json_object *text)
{
	snprintf(to, size, "%s",
		 json_object_is_type(text, json_type_string) ? json_object_get_string(text)
							     : "no reason given");
	for (char *c = to; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

static int await_message(int session, unsigned int timeout_s, char *error, size_t error_size)
{
	struct pollfd wait = { session, POLLIN, 0 };
	int n;

	do
		n = poll(&wait, 1, timeout_s ? (int)timeout_s * 1000 : -1);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	snprintf(error, error_size, "the machine's process does not answer");
	return -ETIMEDOUT;
}

int save_client_wait(int session, const char *wanted, unsigned int timeout_s,
		     struct json_object **ret_event, char *error, size_t error_size)
{
	char text[EVENT_BYTES];
	unsigned int fds = 0;
	size_t size = 0;
	json_object *event, *kind = NULL, *why = NULL;
	int r = await_message(session, timeout_s, error, error_size);

	if (r < 0)
		return r;
	r = fdpass_receive(session, text, sizeof(text) - 1, &size, NULL, &fds);
	if (r < 0 || !size) {
		snprintf(error, error_size, "the machine has ended meanwhile");
		return r < 0 ? r : -ECONNRESET;
	}
	text[size] = '\0';
	event = json_tokener_parse(text);
	if (json_object_is_type(event, json_type_object) &&
	    json_object_object_get_ex(event, "event", &kind) &&
	    json_object_is_type(kind, json_type_string) &&
	    !strcmp(json_object_get_string(kind), wanted)) {
		if (ret_event)
			*ret_event = event;
		else
			json_object_put(event);
		return 0;
	}
	if (json_object_is_type(event, json_type_object))
		json_object_object_get_ex(event, "error", &why);
	copy_text(error, error_size, why);
	json_object_put(event);
	return -EREMOTEIO;
}

uint64_t save_client_number(struct json_object *event, const char *name)
{
	json_object *value;

	return json_object_object_get_ex(event, name, &value) ? json_object_get_uint64(value) : 0;
}
