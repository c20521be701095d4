// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay-view: offers a machine's screen to the network; started by "mainstay view --listen". It is a
 * program of its own, since TLS is more code than all else and the machines' starter does not need it.
 *
 * Theory of operation: this process only accepts. Each connection becomes a process of its own
 * (view_session.c), locked in before it reads a byte; at most 8 at a time, the others wait in the
 * socket's queue. It ends by a signal, or with the machine.
 */
#include <errno.h>
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
#include "view_credentials.h"
#include "view_session.h"

#define SESSIONS_MAX 8
#define PORT_DEFAULT "5900"

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

static const char *given(const char *argument)
{
	return *argument ? argument : NULL;
}

/* Its arguments are those of the verb: NAME ADDRESS PASSWORD-FILE CERTIFICATE, "" where none is given. */
int main(int argc, char **argv)
{
	static char password[VIEW_PASSWORD_MAX];
	char fingerprint[VIEW_FINGERPRINT_BYTES], where[300], error[1024];
	struct proxy proxy = { .watch_fd = -1 };

	log_init("mainstay", LOG_LEVEL_INFO);
	if (argc != 5)
		die("mainstay-view is started by 'mainstay view NAME --listen ADDRESS'");
	proxy.name = argv[1];
	proxy.folder_fd = machine_folder_open(argv[1]);
	if (view_certificate(given(argv[4]), &proxy.setup.credentials, fingerprint, error,
			     sizeof(error)) < 0 ||
	    view_password(given(argv[3]), password, sizeof(password), error, sizeof(error)) < 0)
		die("%s", error);
	proxy.listen_fd = listen_on(argv[2], where, sizeof(where));
	proxy.signal_fd = catch_signals(&proxy.signals);
	proxy.setup.folder_fd = proxy.folder_fd;
	proxy.setup.machine = proxy.name;
	proxy.setup.password = password;
	printf("%s: viewers can connect to %s (RFB with TLS; TigerVNC can)\n", proxy.name, where);
	if (!*argv[3])
		printf("Password: %s (any user name)\n", password);
	printf("Certificate: SHA-256 %s\n", fingerprint);
	if (fflush(stdout) == EOF)
		die("standard output: cannot be written");
	return serve(&proxy);
}
