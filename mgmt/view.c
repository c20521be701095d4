// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay view: opens an installed viewer on a machine's screen, says where to connect, or becomes
 * mainstay-view (view_listen.c), which offers the screen to the network.
 */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "helper_program.h"
#include "machine_socket.h"
#include "verbs.h"

/* --- viewers of this host */

/* Those that take a unix socket, in order of preference, and how they want it. */
static const struct {
	const char *program, *prefix;
} viewers[] = {
	{ "xtigervncviewer", "" },
	{ "vncviewer", "" },
	{ "remote-viewer", "vnc+unix://" },
};

static bool find_in_path(const char *program, char *ret_path, size_t size)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		const int length = (int)strcspn(path, ":");

		if (snprintf(ret_path, size, "%.*s/%s", length, path, program) < (int)size &&
		    access(ret_path, X_OK) == 0)
			return true;
		path += length;
		path += *path == ':';
	}
	return false;
}

/* Other programs are called vncviewer too, and know of TCP only. */
static bool takes_unix_sockets(const char *path)
{
	char target[4096];

	if (!realpath(path, target))
		return false;
	return strstr(target, "tigervnc") || strstr(target, "remote-viewer");
}

bool view_has_display(void)
{
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	return (x && *x) || (wayland && *wayland);
}

bool view_find_viewer(struct view_command *ret_command)
{
	for (size_t i = 0; i < ARRAY_LEN(viewers); i++) {
		if (find_in_path(viewers[i].program, ret_command->program,
				 sizeof(ret_command->program)) &&
		    takes_unix_sockets(ret_command->program)) {
			ret_command->prefix = viewers[i].prefix;
			return true;
		}
	}
	return false;
}

void view_exec(const struct view_command *command, const char *socket)
{
	char argument[1200];

	snprintf(argument, sizeof(argument), "%s%s", command->prefix, socket);
	execl(command->program, command->program, argument, (char *)NULL);
}

int view_spawn(const struct view_command *command, const char *socket)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		waitpid(pid, NULL, 0);
		return 0;
	}
	/* Nobody's child, and nobody's terminal. */
	if (fork() != 0)
		_exit(EXIT_SUCCESS);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	sigprocmask(SIG_SETMASK, &(sigset_t){ 0 }, NULL);
	signal(SIGPIPE, SIG_DFL);
	view_exec(command, socket);
	_exit(EXIT_FAILURE);
}

static int view_here(const char *name, const char *socket)
{
	struct view_command command;

	if (!view_has_display()) {
		printf("%s: no display here to open a viewer on. Connect a viewer to the socket\n"
		       "  %s\n"
		       "or offer it to the network: mainstay view %s --listen ADDRESS\n",
		       name, socket, name);
		return EXIT_SUCCESS;
	}
	if (!view_find_viewer(&command))
		die("%s: no viewer found; install tigervnc-viewer or virt-viewer, or connect "
		    "another "
		    "to %s",
		    name, socket);
	view_exec(&command, socket);
	die("%s: %s: %s", name, command.program, strerror(errno));
}

/* --- the verb */

struct view_options {
	const char *listen, *certificate, *password_file;
};

/* Becomes the program that does so. */
static void __attribute__((noreturn)) offer(const char *name, const struct view_options *options)
{
	char path[PATH_MAX], error[512];

	if (helper_find("mainstay-view", path, sizeof(path), error, sizeof(error)) < 0)
		die("%s", error);
	execl(path, "mainstay-view", name, options->listen,
	      options->password_file ? options->password_file : "",
	      options->certificate ? options->certificate : "", (char *)NULL);
	die("%s: %s", path, strerror(errno));
}

static const struct opt view_options[] = {
	{ .name = "listen",
	  .kind = OPT_STRING,
	  .argument = "ADDRESS[:PORT]",
	  .help = "offer the screen to viewers from the network, with TLS and a password",
	  .offset = offsetof(struct view_options, listen) },
	{ .name = "password-file",
	  .kind = OPT_STRING,
	  .argument = "FILE",
	  .help = "with --listen: the password is FILE's first line (default: a random one)",
	  .offset = offsetof(struct view_options, password_file) },
	{ .name = "certificate",
	  .kind = OPT_STRING,
	  .argument = "FILE",
	  .help = "with --listen: key and certificate in PEM (default: one made once)",
	  .offset = offsetof(struct view_options, certificate) },
	{ .name = NULL },
};

static int view_run(const struct verb *verb, int argc, char **argv)
{
	struct view_options options = { 0 };
	char socket[1024];
	int folder_fd;

	verb_parse(verb, &options, argc, argv, 1, 1);
	if (!options.listen && (options.password_file || options.certificate))
		die("view: --password-file and --certificate belong to --listen");
	folder_fd = machine_folder_open(argv[0]);
	machine_socket_path(argv[0], RUNTIME_DISPLAY, socket, sizeof(socket));
	close(folder_fd);
	if (options.listen)
		offer(argv[0], &options);
	return view_here(argv[0], socket);
}

const struct verb view_verb = {
	.name = "view",
	.arguments = "NAME [OPTION]...",
	.summary = "show a machine's screen in a viewer",
	.details =
		"Opens TigerVNC's viewer or remote-viewer where there is a display, and says where "
		"to\nconnect where there is none. With --listen it stays and serves viewers from "
		"the "
		"network\nuntil it is interrupted: VeNCrypt with X509Plain, which TigerVNC, "
		"remote-viewer and\nRemmina know.\n",
	.examples = "  mainstay view nt4\n"
		    "  mainstay view nt4 --listen 127.0.0.1:5900\n"
		    "  mainstay view nt4 --listen :5900 --password-file nt4.password\n",
	.options = view_options,
	.run = view_run,
};
