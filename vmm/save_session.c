// SPDX-License-Identifier: GPL-2.0-or-later
#include "save_session.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/parse.h"
#include "../vhd/vhd.h"
#include "config.h"
#include "disk_switch.h"
#include "machine_impl.h"
#include "save.h"

#define MESSAGE_BYTES 65536u

struct save_session {
	struct machine *machine;
	int fd;
	struct loop_watch *watch;
	bool began;
	char text[MESSAGE_BYTES];
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

json_object *save_session_disks(const struct machine *machine)
{
	json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < machine->config->disk_count; i++) {
		unsigned int slot = machine->config->disks[i].slot;
		json_object *row;
		struct stat st;

		/* The library's fstat() makes a system call with a path, which no filter lets pass. */
		if (syscall(SYS_fstat, disk_switch_fd(machine, slot), &st) < 0)
			continue;
		row = json_object_new_object();
		add_number(row, "slot", slot);
		add_number(row, "device", st.st_dev);
		add_number(row, "inode", st.st_ino);
		json_object_array_add(array, row);
	}
	return array;
}

static void save_done(void *opaque, const struct save_result *result)
{
	struct save_session *session = opaque;
	json_object *event;

	if (result->error) {
		session->began = false;
		(void)send_failure(session, result->text);
		return;
	}
	event = json_object_new_object();
	json_object_object_add(event, "event",
			       json_object_new_string(result->running ? "running" : "held"));
	add_number(event, "stopped_ns", result->stopped_ns);
	if (result->running) {
		session->began = false;
	} else {
		add_number(event, "file_bytes", result->file_bytes);
		add_number(event, "pages", result->pages);
		add_number(event, "rounds", result->rounds);
		json_object_object_add(event, "disks", save_session_disks(session->machine));
	}
	(void)send_event(session, event);
}

/* --- actions; NULL or one line that says why not */

/* What came in one message. */
struct action {
	json_object *request;
	int fds[FDPASS_MAX_FDS]; /* those that were taken are -1 */
	unsigned int fd_count;
};

/* @fd is the save's in any case. */
static const char *begin(struct save_session *session, int fd, bool stream)
{
	static char error[256];

	if (session->began) {
		fd_close(fd);
		return "this session has begun already";
	}
	if (save_start(session->machine, fd, stream, save_done, session, error, sizeof(error)) < 0)
		return error;
	session->began = true;
	return NULL;
}

static const char *act_save(struct save_session *session, struct action *action)
{
	int fd = action->fds[0];

	if (action->fd_count != 1)
		return "the message came without the file's descriptor";
	action->fds[0] = -1;
	return begin(session, fd, false);
}

static const char *act_migrate(struct save_session *session, struct action *action)
{
	int fd = action->fds[0];

	if (action->fd_count != 1)
		return "the message came without the socket's descriptor";
	action->fds[0] = -1;
	return begin(session, fd, true);
}

static const char *act_release(struct save_session *session, struct action *action)
{
	json_object *event;

	(void)action;
	if (!save_release(session->machine))
		return "nothing waits for that";
	event = json_object_new_object();
	json_object_object_add(event, "event", json_object_new_string("released"));
	(void)send_event(session, event);
	return NULL;
}

static const char *act_hold(struct save_session *session, struct action *action)
{
	(void)action;
	return begin(session, -1, false);
}

static const char *act_commit(struct save_session *session, struct action *action)
{
	(void)action;
	return save_commit(session->machine) ? NULL : "nothing waits for that";
}

static const char *act_cancel(struct save_session *session, struct action *action)
{
	(void)action;
	if (!session->machine->save)
		return "nothing is under way";
	save_cancel(session->machine);
	return NULL;
}

static const char *act_switch(struct save_session *session, struct action *action)
{
	static char error[VHD_ERROR_BYTES];
	json_object *disks = NULL;

	json_object_object_get_ex(action->request, "disks", &disks);
	if (save_switch(session->machine, disks, action->fds, action->fd_count, error,
			sizeof(error)) < 0)
		return error;
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(struct save_session *session, struct action *action);
} actions[] = {
	{ "save", act_save },	    { "hold", act_hold },     { "commit", act_commit },
	{ "cancel", act_cancel },   { "switch", act_switch }, { "migrate", act_migrate },
	{ "release", act_release },
};

static const char *carry_out(struct save_session *session, const char *text, size_t size,
			     struct action *action)
{
	json_tokener *tokener = json_tokener_new_ex(6);
	json_object *name = NULL;
	const char *error =
		"a message is an object with the member \"action\": save, hold, migrate, "
		"commit, cancel, switch or release";

	if (!tokener)
		return "not enough memory";
	action->request = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	if (json_object_is_type(action->request, json_type_object) &&
	    json_object_object_get_ex(action->request, "action", &name) &&
	    json_object_is_type(name, json_type_string)) {
		for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
			if (!strcmp(actions[i].name, json_object_get_string(name)))
				error = actions[i].run(session, action);
		}
	}
	json_object_put(action->request);
	return error;
}

static void session_ready(void *opaque, uint32_t events)
{
	struct save_session *session = opaque;
	struct action action = { .fd_count = FDPASS_MAX_FDS };
	const char *error;
	size_t size = 0;
	int r;

	(void)events;
	r = fdpass_receive(session->fd, session->text, sizeof(session->text), &size, action.fds,
			   &action.fd_count);
	if (r == -EAGAIN)
		return;
	if (r < 0 || !size) {
		/* Gone. Once it was committed the machine has ended, and this has no effect. */
		struct machine *machine = session->machine;

		save_forget(machine);
		end_session(session);
		return;
	}
	error = carry_out(session, session->text, size, &action);
	for (unsigned int i = 0; i < action.fd_count; i++)
		fd_close(action.fds[i]);
	if (error)
		(void)send_failure(session, error);
}

int save_session_new(struct machine *machine, int fd, char *error, size_t error_size)
{
	struct save_session *session;
	int r;

	if (machine->save_session || machine->save) {
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
