// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay-vmm: the process of one machine. It is started by "mainstay run" (or a service) with a
 * start socket at descriptor 3; see config.h for what comes over it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/endpoint.h"
#include "../base/fdio.h"
#include "../base/fdpass.h"
#include "../base/log.h"
#include "../base/opt.h"
#include "config.h"
#include "control.h"
#include "describe.h"
#include "devtest.h"
#include "loop.h"
#include "machine.h"
#include "sandbox.h"

struct options {
	struct sandbox_options sandbox;
	const char *devtest; /* where to serve a device test port by ourselves; NULL: not at all */
	bool describe, json;
	bool help, version;
};

static int set_sandbox(void *target, const char *value, char *error, size_t error_size)
{
	struct options *options = target;

	if (!strcmp(value, "degraded")) {
		options->sandbox.allow_degraded = true;
	} else if (strcmp(value, "full")) {
		snprintf(error, error_size, "--sandbox %s: give full or degraded", value);
		return -1;
	}
	return 0;
}

static const struct opt option_table[] = {
	{ .name = "uid",
	  .kind = OPT_U32,
	  .argument = "UID",
	  .help = "as root: become this user, which is nobody else's",
	  .offset = offsetof(struct options, sandbox.uid),
	  .min = 1 },
	{ .name = "gid",
	  .kind = OPT_U32,
	  .argument = "GID",
	  .help = "as root: become this group",
	  .offset = offsetof(struct options, sandbox.gid),
	  .min = 1 },
	{ .name = "sandbox",
	  .kind = OPT_CALL,
	  .argument = "LEVEL",
	  .help = "full (default), or degraded: run even where the host has neither namespaces nor "
		  "Landlock",
	  .set = set_sandbox },
	{ .name = "devtest",
	  .kind = OPT_STRING,
	  .argument = "WHERE",
	  .help = "serve a device test port at unix:PATH, connect:PATH or fd:N: a machine without "
		  "processor and media ('mainstay run --devtest' gives it those)",
	  .offset = offsetof(struct options, devtest) },
	{ .name = "describe-devices",
	  .kind = OPT_FLAG,
	  .help = "print all devices and their registers (Markdown)",
	  .offset = offsetof(struct options, describe) },
	{ .name = "json",
	  .kind = OPT_FLAG,
	  .help = "with --describe-devices: as JSON",
	  .offset = offsetof(struct options, json) },
	{ .name = "help",
	  .letter = 'h',
	  .kind = OPT_FLAG,
	  .help = "show this help",
	  .offset = offsetof(struct options, help) },
	{ .name = "version",
	  .kind = OPT_FLAG,
	  .help = "show the version",
	  .offset = offsetof(struct options, version) },
	{ .name = NULL },
};

/* What the process prints, once, instead of running a machine. */
static void describe(bool json)
{
	if (describe_devices(json, stdout) < 0 || fflush(stdout) == EOF)
		die("standard output: cannot be written");
	exit(EXIT_SUCCESS);
}

static void parse_options(int argc, char **argv, struct options *ret_options)
{
	char error[256];
	int others;

	memset(ret_options, 0, sizeof(*ret_options));
	others = opt_parse(option_table, ret_options, argc - 1, argv + 1, error, sizeof(error));
	if (others < 0)
		die("%s", error);
	if (others > 0)
		die("%s: takes no arguments; --help says more", argv[1]);
	if (ret_options->help) {
		printf("Usage: mainstay-vmm [OPTION]...\n"
		       "Runs one machine. Started by 'mainstay run', which hands over the "
		       "machine's\n"
		       "configuration and descriptors at descriptor %d.\n\nOptions:\n",
		       VM_START_FD);
		opt_print(option_table, stdout);
		exit(EXIT_SUCCESS);
	}
	if (ret_options->version) {
		printf("mainstay-vmm %s\n", MAINSTAY_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (ret_options->json && !ret_options->describe)
		die("--json: only with --describe-devices");
	if (ret_options->describe)
		describe(ret_options->json);
}

/* Signals come through the loop; a peer that hangs up is an error code, not a signal. */
static void prepare_signals(void)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static void told_to_end(void *machine)
{
	machine_quit(machine);
}

static void watch_signals(struct loop *loop, struct machine *machine)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		int r = loop_signal(loop, signals[i], told_to_end, machine);

		if (r < 0)
			die("signal %d: %s", signals[i], strerror(-r));
	}
}

/* The machine of a test port that stands for itself; its descriptor takes the start socket's place. */
static void serve_devtest(const char *where, struct vm_config *ret_config)
{
	struct endpoint endpoint;
	char error[256];

	vm_config_devtest(ret_config);
	if (endpoint_open(where, &endpoint, error, sizeof(error)) < 0)
		die("--devtest %s", error);
	if (endpoint.fd != VM_START_FD) {
		if (dup3(endpoint.fd, VM_START_FD, O_CLOEXEC) < 0)
			die("--devtest %s: %s", where, strerror(errno));
		close(endpoint.fd);
	}
	ret_config->devtest.kind = endpoint.listening ? VM_CHAR_LISTEN : VM_CHAR_CLIENT;
	ret_config->devtest.fd = VM_START_FD;
	snprintf(ret_config->devtest.name, sizeof(ret_config->devtest.name), "%s", where);
}

static void announce(enum sandbox_level level)
{
	char message[64];
	int length = snprintf(message, sizeof(message),
			      "{ \"event\": \"running\", \"sandbox\": \"%s\" }",
			      sandbox_level_name(level));

	/* A starter that is gone has sent us a signal. */
	(void)fdpass_send(VM_START_FD, message, (size_t)length, NULL, 0);
	close(VM_START_FD);
}

/* Restored; whether the machine runs somewhere else is for the starter to know. */
static void await_word(void)
{
	static const char text[] = "{ \"event\": \"restored\" }";
	unsigned int fds = 0;
	size_t size = 0;
	char word[16];

	if (fdpass_send(VM_START_FD, text, sizeof(text) - 1, NULL, 0) < 0 ||
	    fdpass_receive(VM_START_FD, word, sizeof(word), &size, NULL, &fds) < 0 || !size)
		exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct options options;
	struct vm_config config;
	enum sandbox_level level;
	struct loop *loop;
	struct machine *machine;
	struct control *control = NULL;
	struct devtest *devtest = NULL;
	char error[256];
	int r, status;

	log_init("mainstay-vmm", LOG_LEVEL_INFO);
	parse_options(argc, argv, &options);
	prepare_signals();
	if (options.devtest)
		serve_devtest(options.devtest, &config);
	level = sandbox_early(&options.sandbox);

	if (!options.devtest) {
		r = vm_config_receive(VM_START_FD, &config, error, sizeof(error));
		if (r < 0)
			die("start message: %s", error);
	}
	r = loop_new(&loop);
	if (r < 0)
		die("event loop: %s", strerror(-r));
	if (machine_new(loop, &config, &machine) < 0)
		return EXIT_FAILURE;
	watch_signals(loop, machine);
	if (config.control_fd >= 0) {
		r = control_new(loop, machine, config.control_fd, level, &control);
		if (r < 0)
			die("%s: control socket: %s", config.name, strerror(-r));
	}
	if (config.devtest.kind != VM_CHAR_NONE) {
		r = devtest_new(loop, machine, &devtest);
		if (r < 0)
			die("%s: device test port: %s", config.name, strerror(-r));
	}
	sandbox_warm_up();
	sandbox_files(level);

	if (config.restore.fd >= 0 && config.restore.wait)
		await_word();
	if (machine_leave_state(machine) < 0)
		return EXIT_FAILURE;
	r = machine_start(machine);
	if (r < 0)
		die("%s: threads: %s", config.name, strerror(-r));
	if (!options.devtest)
		announce(level);
	sandbox_thread(SANDBOX_LOOP);
	loop_lock(loop);
	machine_resume(machine);
	loop_unlock(loop);
	status = loop_run(loop);

	devtest_free(devtest);
	control_free(control);
	machine_free(machine);
	/* The loop goes with the process: taking it apart needs calls that the filter refuses by
	 * now. */
	return status;
}
