// SPDX-License-Identifier: GPL-2.0-or-later
/* mainstay console: the terminal becomes a machine's serial console. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "machine_socket.h"
#include "signals.h"
#include "terminal.h"
#include "verbs.h"

static const char help_text[] = "\r\nmainstay: Ctrl-A X leaves the console, the machine goes on; "
				"Ctrl-A Ctrl-A sends Ctrl-A\r\n";

static int connect_console(const char *name)
{
	int fd = machine_socket_connect(name, RUNTIME_CONSOLE);

	if (fd == -ENOENT)
		die("%s: has no console; start it with --serial console", name);
	if (fd < 0)
		die("%s: console: %s; try again, or end the other mainstay console", name,
		    strerror(-fd));
	return fd;
}

static int catch_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCONT };

	return signals_catch(signals, ARRAY_LEN(signals), NULL);
}

/* True when the signal ends us. */
static bool take_signal(int fd, struct relay *relay)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo != SIGCONT)
		return true;
	terminal_raw();
	relay_continue(relay);
	return false;
}

static int console_run(const struct verb *verb, int argc, char **argv)
{
	static struct relay relay;
	int fd, signal_fd;
	bool ended = false;

	verb_parse(verb, NULL, argc, argv, 1, 1);
	fd = connect_console(argv[0]);
	signal_fd = catch_signals();
	relay_init(&relay, fd, help_text);
	terminal_raw();
	while (!ended && !relay.leave && !relay.broken && !relay_is_drained(&relay)) {
		struct pollfd fds[RELAY_POLLFDS + 1];

		relay_prepare(&relay, fds);
		fds[RELAY_POLLFDS] = (struct pollfd){ signal_fd, POLLIN, 0 };
		if (poll(fds, RELAY_POLLFDS + 1, -1) < 0)
			continue;
		relay_run(&relay, fds);
		if (fds[RELAY_POLLFDS].revents)
			ended = take_signal(signal_fd, &relay);
	}
	relay_fini(&relay);
	terminal_restore();
	if (relay.leave && relay.terminal)
		puts("");
	fd_close(fd);
	fd_close(signal_fd);
	return EXIT_SUCCESS;
}

const struct verb console_verb = {
	.name = "console",
	.arguments = "NAME",
	.summary = "join the terminal to a machine's serial console",
	.details =
		"For machines that were started with --serial console. Ctrl-A X leaves, and the\n"
		"machine goes on; Ctrl-A Ctrl-A sends one Ctrl-A; Ctrl-A ? shows the keys. One\n"
		"console is served at a time, the next waits.\n",
	.examples = "  mainstay run linux.vhd --name web --serial console &\n"
		    "  mainstay console web\n",
	.run = console_run,
};
