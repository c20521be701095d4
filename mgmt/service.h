/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mainstay run --service: the main process of a unit mainstay-vm@NAME.service. Tells systemd how things are, feeds
 * its watchdog, goes on from a saved state if there is one, and stops the machine as its owner wants it:
 *
 *	save		into the state file; where that fails, as shutdown
 *	shutdown	presses the power button; a guest that has not ended after stop_seconds is turned off
 *	turn-off	pulls the plug; disks are flushed
 *
 * Nothing here needs systemd: without its environment the notifications go nowhere.
 */
#ifndef MGMT_SERVICE_H
#define MGMT_SERVICE_H

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVICE_POLLFDS 2

struct machine_config;
struct runtime_dir;

struct service {
	bool on;
	const char *name; /* of the machine */
	unsigned int stop_action;
	const struct runtime_dir *dir;
	char state_path[PATH_MAX];
	int control_fd;	     /* where the watchdog asks; -1: nowhere */
	bool asked;	     /* and waits for the answer */
	int64_t interval_ms; /* of the watchdog's questions; 0: none are wanted */
	int64_t due_ms;	     /* the next question, or notice that saving takes its time */
	int64_t save_limit_ms, save_ends_ms;
	pid_t saver;  /* "mainstay save" */
	int saver_fd; /* its pidfd; -1: none */
	bool stopping;
};

/* What is to be done next to end the machine. */
enum service_step {
	SERVICE_WAIT,	  /* what was begun is under way */
	SERVICE_SHUTDOWN, /* the guest was asked; after a while: quit */
	SERVICE_QUIT,
};

/* The state to go on from, $STATE_DIRECTORY/NAME.state; NULL: there is none. */
const char *service_init(struct service *service, const struct machine_config *config);
/* Whether the host died while the machine was being saved: its disks may be marked for nothing. */
bool service_was_cut_short(const struct service *service);
/* The machine runs. */
void service_started(struct service *service, const struct runtime_dir *dir, bool restored);
/* The unit is to stop. */
enum service_step service_stop(struct service *service);
/* When the machine has ended and its folder was given back, which "mainstay save" waits for. */
void service_ended(struct service *service, bool failed);

/* For the caller's poll(): fills @fds, and tells how long it may wait at most; -1: for ever. */
int service_prepare(struct service *service, struct pollfd fds[SERVICE_POLLFDS]);
/* After it. SERVICE_WAIT, or what is to be done since saving has failed. */
enum service_step service_run(struct service *service, const struct pollfd fds[SERVICE_POLLFDS]);

#endif
