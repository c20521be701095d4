// SPDX-License-Identifier: GPL-2.0-or-later
#include "save_session.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/parse.h"
#include "machine_impl.h"
#include "save.h"

#define MESSAGE_BYTES 4096u

struct save_session {
	struct machine *machine;
	int fd;
	struct loop_watch *watch;
	bool began;
};

static void end_session(struct save_session *session)
{
	session->machine->save_session = NULL;
	loop_watch_free(session->watch);
	fd_close(session->fd);
	free(session);
}

/* A peer that does not read is as good as gone. */
static int send_event(const struct save_session *session, json_object *event)
{
	const char *text = json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN);
	int r = text ? fdpass_send(session->fd, text, strlen(text), NULL, 0) : -ENOMEM;

	json_object_put(event);
	return r;
}

static void add_number(json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

static int send_failure(const struct save_session *session, const char *why)
{
	json_object *event = json_object_new_object();

	json_object_object_add(event, "event", json_object_new_string("failed"));
	json_object_object_add(event, "error",
			       json_object_new_string(utf8_is_valid(why, strlen(why)) ? why : "?"));
	return send_event(session, event);
}

static void save_done(void *opaque, const struct save_result *result)
{
	struct save_session *session = opaque;
	json_object *event;

	if (result->error) {
		(void)send_failure(session, result->text);
		return;
	}
	event = json_object_new_object();
	json_object_object_add(event, "event", json_object_new_string("held"));
	add_number(event, "file_bytes", result->file_bytes);
	add_number(event, "pages", result->pages);
	add_number(event, "rounds", result->rounds);
	add_number(event, "stopped_ns", result->stopped_ns);
	(void)send_event(session, event);
}

/* --- actions; NULL or one line that says why not */

static const char *act_save(struct save_session *session, int *fd)
{
	static char error[256];

	if (session->began)
		return "this session has begun already";
	if (*fd < 0)
		return "the message came without the file's descriptor";
	session->began = true;
	if (save_start(session->machine, *fd, save_done, session, error, sizeof(error)) < 0) {
		*fd = -1;
		return error;
	}
	*fd = -1;
	return NULL;
}

static const char *act_commit(struct save_session *session, int *fd)
{
	(void)fd;
	return save_commit(session->machine) ? NULL : "nothing waits for that";
}

static const char *act_cancel(struct save_session *session, int *fd)
{
	(void)fd;
	save_cancel(session->machine);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(struct save_session *session, int *fd);
} actions[] = {
	{ "save", act_save },
	{ "commit", act_commit },
	{ "cancel", act_cancel },
};

static const char *carry_out(struct save_session *session, const char *text, size_t size, int *fd)
{
	json_tokener *tokener = json_tokener_new_ex(4);
	json_object *request, *action = NULL;
	const char *error =
		"a message is an object with the member \"action\": save, commit or cancel";

	if (!tokener)
		return "not enough memory";
	request = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	if (json_object_is_type(request, json_type_object) &&
	    json_object_object_get_ex(request, "action", &action) &&
	    json_object_is_type(action, json_type_string)) {
		for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
			if (!strcmp(actions[i].name, json_object_get_string(action)))
				error = actions[i].run(session, fd);
		}
	}
	json_object_put(request);
	return error;
}

static void session_ready(void *opaque, uint32_t events)
{
	struct save_session *session = opaque;
	char text[MESSAGE_BYTES];
	unsigned int fds = 1;
	const char *error;
	size_t size = 0;
	int fd = -1, r;

	(void)events;
	r = fdpass_receive(session->fd, text, sizeof(text), &size, &fd, &fds);
	if (r == -EAGAIN)
		return;
	if (r < 0 || !size) {
		/* Gone. Once it was committed the machine has ended, and this has no effect. */
		struct machine *machine = session->machine;

		save_forget(machine);
		end_session(session);
		return;
	}
	error = carry_out(session, text, size, &fd);
	fd_close(fd);
	if (error)
		(void)send_failure(session, error);
}

int save_session_new(struct machine *machine, int fd, char *error, size_t error_size)
{
	struct save_session *session;
	int r;

	if (machine->save_session) {
		snprintf(error, error_size, "it is being saved already");
		return -EBUSY;
	}
	session = calloc(1, sizeof(*session));
	if (!session) {
		snprintf(error, error_size, "not enough memory");
		return -ENOMEM;
	}
	session->machine = machine;
	session->fd = fd;
	/* Whatever the peer made of it, the loop never waits for it. */
	(void)fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	r = loop_watch_new(machine->loop, fd, EPOLLIN, session_ready, session, &session->watch);
	if (r < 0) {
		free(session);
		snprintf(error, error_size, "the descriptor is no socket: %s", strerror(-r));
		return r;
	}
	machine->save_session = session;
	return 0;
}

void save_session_free(struct machine *machine)
{
	if (machine->save_session)
		end_session(machine->save_session);
}
