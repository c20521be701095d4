// SPDX-License-Identifier: GPL-2.0-or-later
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/log.h"
#include "client.h"
#include "machine_config.h"
#include "notify.h"
#include "runtime_dir.h"
#include "state_file.h"

#define STATE_FOLDER "/var/lib/mainstay"
#define EXTEND_MS 5000
#define EXTENSION "EXTEND_TIMEOUT_USEC=30000000"
/* A disk that writes 8 MiB a second is slow; whatever takes longer than that will not come to its end. */
#define SAVE_SECONDS_LEAST 90
#define SAVE_MIB_PER_SECOND 8

extern char **environ;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *service_init(struct service *service, const struct machine_config *config)
{
	const char *folder = getenv("STATE_DIRECTORY");

	*service = (struct service){
		.on = true,
		.name = config->name,
		.stop_action = config->stop_action,
		.save_limit_ms = 1000 * (SAVE_SECONDS_LEAST +
					 (int64_t)config->memory_mib / SAVE_MIB_PER_SECOND),
		.control_fd = -1,
		.saver_fd = -1,
	};
	/* Several folders are separated by colons; the first is ours. */
	snprintf(service->state_path, sizeof(service->state_path), "%.*s/%s.state",
		 folder && *folder ? (int)strcspn(folder, ":") : (int)strlen(STATE_FOLDER),
		 folder && *folder ? folder : STATE_FOLDER, config->name);
	service->interval_ms = (int64_t)(notify_watchdog_us() / 3000);
	return access(service->state_path, F_OK) == 0 ? service->state_path : NULL;
}

bool service_was_cut_short(const struct service *service)
{
	return state_file_drafts(service->state_path, false) > 0;
}

void service_started(struct service *service, const struct runtime_dir *dir, bool restored)
{
	service->dir = dir;
	service->due_ms = now_ms();
	state_file_drafts(service->state_path, true);
	if (service->interval_ms &&
	    runtime_socket_connect(dir->fd, RUNTIME_CONTROL, &service->control_fd) < 0)
		service->control_fd = -1;
	notify("READY=1\nSTATUS=%s", restored ? "Running, restored" : "Running");
}

/* --- the watchdog: systemd hears that we live only when the machine has answered */

static void ask(struct service *service)
{
	if (service->asked || client_send(service->control_fd, "ping") < 0)
		return;
	service->asked = true;
}

static void take_answer(struct service *service)
{
	char bytes[8192];
	ssize_t n = recv(service->control_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		service->control_fd = fd_close(service->control_fd);
		return;
	}
	if (n <= 0 || bytes[n - 1] != '\n')
		return;
	service->asked = false;
	notify("WATCHDOG=1");
}

/* --- stopping */

static int start_saver(struct service *service)
{
	char *const argv[] = {
		(char *)"mainstay",  (char *)"save",	(char *)(uintptr_t)service->name,
		service->state_path, (char *)"--quiet", NULL
	};
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(&service->saver, "/proc/self/exe", NULL, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	if (r)
		return -r;
	service->save_ends_ms = now_ms() + service->save_limit_ms;
	service->saver_fd = pidfd_open(service->saver, 0);
	return service->saver_fd < 0 ? -errno : 0;
}

static enum service_step shut_down(struct service *service)
{
	int fd;

	notify("STATUS=Shutting down");
	if (runtime_socket_connect(service->dir->fd, RUNTIME_CONTROL, &fd) < 0)
		return SERVICE_QUIT;
	/* One that is paused or asleep would not notice the button. */
	if (client_send(fd, "resume") < 0 || client_send(fd, "power-button") < 0) {
		close(fd);
		return SERVICE_QUIT;
	}
	/* Kept until we end: a request whose sender is gone might not be read. */
	fd_close(service->control_fd);
	service->control_fd = fd;
	service->asked = true;
	return SERVICE_SHUTDOWN;
}

enum service_step service_stop(struct service *service)
{
	int r;

	service->stopping = true;
	/* A machine that saves or shuts down may be slow to answer; that it ends is waited for anyway. */
	notify("STOPPING=1\nWATCHDOG=1\n" EXTENSION);
	if (service->stop_action == MACHINE_STOP_TURN_OFF || !service->dir)
		return SERVICE_QUIT;
	if (service->stop_action == MACHINE_STOP_SHUTDOWN)
		return shut_down(service);
	notify("STATUS=Saving into %s", service->state_path);
	r = start_saver(service);
	if (r == 0)
		return SERVICE_WAIT;
	log_error("%s: cannot be saved: %s", service->name, strerror(-r));
	return shut_down(service);
}

static enum service_step take_saver(struct service *service)
{
	int status = 0;

	if (waitpid(service->saver, &status, WNOHANG) != service->saver)
		return SERVICE_WAIT;
	service->saver_fd = fd_close(service->saver_fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return SERVICE_WAIT;
	/* Its own line says why. */
	log_error("%s: was not saved%s; its guest is asked to shut down", service->name,
		  WIFSIGNALED(status) ? " in time" : "");
	state_file_drafts(service->state_path, true);
	return shut_down(service);
}

void service_ended(struct service *service, bool failed)
{
	if (service->saver_fd >= 0)
		(void)waitpid(service->saver, NULL, 0);
	/* It died while it was being saved: its disks may be marked, and "save" has taken its draft away. */
	if (service->on && service->stopping && failed && access(service->state_path, F_OK) < 0)
		state_file_leave_draft(service->state_path);
	service->saver_fd = fd_close(service->saver_fd);
	service->control_fd = fd_close(service->control_fd);
	if (service->on)
		notify("STOPPING=1\nSTATUS=Ended");
}

/* --- poll */

int service_prepare(struct service *service, struct pollfd fds[SERVICE_POLLFDS])
{
	int64_t left;

	fds[0] = (struct pollfd){ service->on ? service->control_fd : -1, POLLIN, 0 };
	fds[1] = (struct pollfd){ service->on ? service->saver_fd : -1, POLLIN, 0 };
	if (!service->on || !service->dir || (!service->interval_ms && !service->stopping))
		return -1;
	left = service->due_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

enum service_step service_run(struct service *service, const struct pollfd fds[SERVICE_POLLFDS])
{
	if (!service->on || !service->dir)
		return SERVICE_WAIT;
	if (fds[0].revents)
		take_answer(service);
	if (now_ms() >= service->due_ms && (service->interval_ms || service->stopping)) {
		service->due_ms = now_ms() + (service->stopping ? EXTEND_MS : service->interval_ms);
		if (service->saver_fd >= 0 && now_ms() >= service->save_ends_ms)
			kill(service->saver, SIGKILL);
		if (service->stopping)
			notify("WATCHDOG=1\n" EXTENSION);
		else if (service->control_fd >= 0)
			ask(service);
	}
	return fds[1].revents ? take_saver(service) : SERVICE_WAIT;
}
