// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay view: opens an installed viewer on a machine's screen, says where to connect, or offers
 * the screen to the network.
 *
 * Theory of operation of --listen: this process only accepts. Each connection becomes a process of
 * its own (view_session.c), locked in before it reads a byte; at most 8 at a time, the others wait
 * in the socket's queue. It ends by a signal, or with the machine.
 */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "machine_socket.h"
#include "signals.h"
#include "verbs.h"
#include "view_credentials.h"
#include "view_session.h"

#define SESSIONS_MAX 8
#define PORT_DEFAULT "5900"

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

/* --- the network */

struct view_options {
	const char *listen, *certificate, *password_file;
};

/* "ADDRESS", "ADDRESS:PORT", "[V6]:PORT" or ":PORT" into a listening socket. */
static int listen_on(const char *text, char *ret_where, size_t size)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(text, ':'), *host_end;
	const char *port = PORT_DEFAULT;
	char host[256], port_text[16];
	struct addrinfo *found;
	const int on = 1;
	int fd, r;

	/* A version 6 address without brackets has no port. */
	if (colon && strchr(text, ':') != colon && colon[-1] != ']')
		colon = NULL;
	if (colon)
		port = colon + 1;
	host_end = colon ? colon : text + strlen(text);
	if (*text == '[' && host_end > text && host_end[-1] == ']') {
		text++;
		host_end--;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(host_end - text), text);
	r = getaddrinfo(*host ? host : NULL, port, &hints, &found);
	if (r)
		die("--listen %s: %s; give ADDRESS:PORT, for example 127.0.0.1:5900", text,
		    gai_strerror(r));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, SESSIONS_MAX) < 0)
		die("--listen %s: %s; give another address or port", text, strerror(errno));
	freeaddrinfo(found);
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);

	getsockname(fd, (struct sockaddr *)&bound, &length);
	getnameinfo((struct sockaddr *)&bound, length, host, sizeof(host), port_text,
		    sizeof(port_text), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(ret_where, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port_text);
	return fd;
}

static int catch_signals(sigset_t *ret_old)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };

	return signals_catch(signals, ARRAY_LEN(signals), ret_old);
}

struct proxy {
	const char *name;
	int listen_fd, signal_fd, folder_fd, watch_fd;
	unsigned int sessions;
	sigset_t signals;
	struct view_session setup;
};

static void start_session(struct proxy *proxy)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char peer[128] = "?";
	int fd = accept4(proxy->listen_fd, (struct sockaddr *)&from, &length,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);
	pid_t pid;

	if (fd < 0)
		return;
	getnameinfo((struct sockaddr *)&from, length, peer, sizeof(peer), NULL, 0, NI_NUMERICHOST);
	pid = fork();
	if (pid == 0) {
		proxy->setup.client_fd = fd;
		proxy->setup.peer = peer;
		close(proxy->listen_fd);
		close(proxy->signal_fd);
		fd_close(proxy->watch_fd);
		prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		sigprocmask(SIG_SETMASK, &proxy->signals, NULL);
		view_sandbox();
		_exit(view_session_run(&proxy->setup));
	}
	close(fd);
	if (pid < 0)
		log_warning("%s: a viewer from %s was turned away: %s", proxy->name, peer,
			    strerror(errno));
	else
		proxy->sessions++;
}

/* True when told to end. */
static bool take_signals(struct proxy *proxy)
{
	struct signalfd_siginfo info;
	bool end = false;

	while (read(proxy->signal_fd, &info, sizeof(info)) == sizeof(info))
		end |= info.ssi_signo != SIGCHLD;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		proxy->sessions--;
	return end;
}

/*
 * A connection to the machine's control socket, which says nothing and hangs up when the machine
 * ends; or earlier, when others need its place there: then it is made anew. False: the machine is gone.
 */
static bool watch_machine(struct proxy *proxy)
{
	return runtime_socket_connect(proxy->folder_fd, RUNTIME_CONTROL, &proxy->watch_fd) == 0;
}

static int serve(struct proxy *proxy)
{
	while (proxy->watch_fd >= 0 || watch_machine(proxy)) {
		struct pollfd fds[] = {
			{ proxy->signal_fd, POLLIN, 0 },
			{ proxy->watch_fd, POLLIN, 0 },
			{ proxy->sessions < SESSIONS_MAX ? proxy->listen_fd : -1, POLLIN, 0 },
		};

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (fds[0].revents && take_signals(proxy))
			return EXIT_SUCCESS;
		if (fds[1].revents)
			proxy->watch_fd = fd_close(proxy->watch_fd);
		if (fds[2].revents)
			start_session(proxy);
	}
	log_info("%s: the machine has ended", proxy->name);
	return EXIT_SUCCESS;
}

static int view_from_network(const char *name, int folder_fd, const struct view_options *options)
{
	static char password[VIEW_PASSWORD_MAX];
	char fingerprint[VIEW_FINGERPRINT_BYTES], where[300], error[1024];
	struct proxy proxy = { .name = name, .folder_fd = folder_fd, .watch_fd = -1 };

	if (view_certificate(options->certificate, &proxy.setup.credentials, fingerprint, error,
			     sizeof(error)) < 0 ||
	    view_password(options->password_file, password, sizeof(password), error,
			  sizeof(error)) < 0)
		die("%s", error);
	proxy.listen_fd = listen_on(options->listen, where, sizeof(where));
	proxy.signal_fd = catch_signals(&proxy.signals);
	proxy.setup.folder_fd = folder_fd;
	proxy.setup.machine = name;
	proxy.setup.password = password;
	printf("%s: viewers can connect to %s (RFB with TLS; TigerVNC can)\n", name, where);
	if (!options->password_file)
		printf("Password: %s (any user name)\n", password);
	printf("Certificate: SHA-256 %s\n", fingerprint);
	if (fflush(stdout) == EOF)
		die("standard output: cannot be written");
	return serve(&proxy);
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
	if (options.listen)
		return view_from_network(argv[0], folder_fd, &options);
	close(folder_fd);
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
