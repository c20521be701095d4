// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * migrate: a running machine goes on in another process, of this host or another.
 *
 * Its memory is sent while its guest runs, what changes meanwhile again, and the rest when it is held. It ends
 * when the other side has restored all of it and waits for the word to run. Until then it goes on here when
 * anything fails. Whoever dies in between: never do both run.
 */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "checkpoint_target.h"
#include "client.h"
#include "migration.h"
#include "save_client.h"
#include "user_command.h"
#include "verbs.h"

#define END_TIMEOUT_S 60

struct migrate_options {
	const char *copy;
	uint32_t timeout_s;
	bool quiet;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Whichever speaks first: the machine, when it is held or has failed, or the other side, which has. */
static int await_held(int session, int socket, json_object **ret_event, char *error,
		      size_t error_size)
{
	struct pollfd fds[2] = { { session, POLLIN, 0 }, { socket, POLLIN | POLLRDHUP, 0 } };
	char why[512];
	int r;

	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	/* The machine cannot write to it any more either: what the other one says is the better reason. */
	if (fds[1].revents) {
		r = migration_wait(socket, STREAM_READY, error, error_size);
		return r < 0 ? r : -EPROTO;
	}
	r = save_client_wait(session, "held", 0, ret_event, why, sizeof(why));
	if (r == 0)
		return 0;
	fds[0].fd = -1;
	if (poll(fds, 2, 0) > 0 && migration_wait(socket, STREAM_READY, error, error_size) < 0)
		return -EREMOTEIO;
	snprintf(error, error_size, "%s", why);
	return r;
}

static void still_copying(int socket)
{
	(void)migration_send(socket, STREAM_WAIT, NULL);
}

/* Until the other side has it: everything can still be given up. */
static int send_machine(int session, int socket, struct user_command *copy, uint64_t *ret_held_ns,
			uint64_t *ret_stopped_ns, char *error, size_t error_size)
{
	json_object *event = NULL;
	int r = migration_send(socket, STREAM_HELLO, NULL);

	if (r < 0)
		snprintf(error, error_size, "%s", strerror(-r));
	else
		r = migration_wait(socket, STREAM_HELLO, error, error_size);
	if (r == 0)
		r = save_client_send(session, "migrate", NULL, &socket, 1);
	if (r == 0)
		r = await_held(session, socket, &event, error, error_size);
	if (r < 0)
		return r;
	*ret_held_ns = now_ns();
	*ret_stopped_ns = save_client_number(event, "stopped_ns");
	json_object_put(event);
	/* The disks are flushed and marked, and nobody writes to them. */
	copy->waiting = still_copying;
	copy->fd = socket;
	r = user_command_run(copy, error, error_size);
	/* The other side locks what we have locked. */
	if (r == 0)
		r = save_client_send(session, "release", NULL, NULL, 0);
	if (r == 0)
		r = save_client_wait(session, "released", 10, NULL, error, error_size);
	if (r == 0 && (r = migration_send(socket, STREAM_FREE, NULL)) < 0)
		snprintf(error, error_size, "%s", strerror(-r));
	return r < 0 ? r : migration_wait(socket, STREAM_READY, error, error_size);
}

static int migrate_run(const struct verb *verb, int argc, char **argv)
{
	struct migrate_options options = { .timeout_s = MIGRATION_TIMEOUT_S };
	uint64_t held_ns = 0, stopped_ns = 0;
	struct user_command copy;
	struct runtime_base base;
	struct client client;
	char error[1024], why[512];
	int socket, session, r;

	verb_parse(verb, &options, argc, argv, 2, 2);
	verb_open_machine(&base, &client, argv[0]);
	if (checkpoint_target_settle(&client, error, sizeof(error)) < 0)
		die("%s", error);
	socket = migration_connect(argv[1], options.timeout_s, error, sizeof(error));
	if (socket < 0)
		die("%s", error);
	session = save_client_begin(&client, NULL, error, sizeof(error));
	if (session < 0)
		die("%s", error);
	copy = (struct user_command){ .text = options.copy, .machine = argv[0], .target = argv[1] };
	r = send_machine(session, socket, &copy, &held_ns, &stopped_ns, why, sizeof(why));
	if (r < 0) {
		/* It tells when it has taken its locks back. */
		(void)migration_send(socket, STREAM_FAIL, "the source has given up");
		fd_close(socket);
		if (save_client_send(session, "cancel", NULL, NULL, 0) == 0)
			(void)save_client_wait(session, "failed", 10, NULL, error, sizeof(error));
		die("%s: was not migrated, and goes on here: %s", argv[0], why);
	}
	(void)save_client_send(session, "commit", NULL, NULL, 0);
	r = migration_send(socket, STREAM_GO, NULL);
	if (r < 0)
		die("%s: has ended here, but the other side has gone: %s; it has kept the state",
		    argv[0], strerror(-r));
	r = migration_wait(socket, STREAM_RUNS, why, sizeof(why));
	if (r < 0)
		die("%s: has ended here, and has not said there that it runs: %s; look there",
		    argv[0], why);
	stopped_ns += now_ns() - held_ns;
	if (client_wait_end(&client, END_TIMEOUT_S) < 0)
		log_warning("%s: runs at %s, but process %d here has not ended after %d s", argv[0],
			    argv[1], (int)client.pid, END_TIMEOUT_S);
	if (!options.quiet)
		printf("%s: runs at %s; the guest stopped for %.1f ms\n", argv[0], argv[1],
		       (double)stopped_ns / 1e6);
	fd_close(session);
	fd_close(socket);
	client_close(&client);
	runtime_base_close(&base);
	return EXIT_SUCCESS;
}

static const struct opt migrate_options[] = {
	{ .name = "copy",
	  .kind = OPT_STRING,
	  .argument = "COMMAND",
	  .help = "run it when the guest has stopped: it completes the other side's copies of the "
		  "disks (--disks-copied there)",
	  .offset = offsetof(struct migrate_options, copy) },
	{ .name = "timeout",
	  .kind = OPT_U32,
	  .argument = "SECONDS",
	  .help = "how long the other side may take to read on, or to answer (30)",
	  .offset = offsetof(struct migrate_options, timeout_s),
	  .min = 1,
	  .max = 3600 },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPT_FLAG,
	  .help = "say nothing when it went well",
	  .offset = offsetof(struct migrate_options, quiet) },
	{ .name = NULL },
};

const struct verb migrate_verb = {
	.name = "migrate",
	.arguments = "NAME unix:PATH|fd:N [OPTION]...",
	.summary = "let a running machine go on in another process or on another host",
	.details =
		"The other side is 'mainstay run --incoming', with the options that describe the "
		"machine and\n"
		"with the same disks, or copies of them (--disks-copied there, --copy here). "
		"unix:PATH is its\n"
		"socket, fd:N a socket that was inherited: a program like socat leads either to "
		"another host.\n"
		"Its memory is sent while the guest runs. When anything fails before the other "
		"side "
		"runs it,\n"
		"the machine goes on here.\n",
	.examples = "  mainstay run --incoming unix:/tmp/move nt4.vhd --name nt4-there &\n"
		    "  mainstay migrate nt4 unix:/tmp/move\n",
	.options = migrate_options,
	.run = migrate_run,
};
