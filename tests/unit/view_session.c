// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mgmt/view_session, view_sandbox and view_credentials: a session in a process of its own, as it is
 * in use, between a viewer with TLS and a machine of paper.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bytes.h"
#include "../../base/log.h"
#include "../../mgmt/runtime_dir.h"
#include "../../mgmt/view_credentials.h"
#include "../../mgmt/view_session.h"

static char folder[] = "/tmp/view-test-XXXXXX";
static int folder_fd, machine_fd = -1, client_fd;
static pid_t pid;
static gnutls_session_t tls;
static bool encrypted;

static void setup(void)
{
	static const struct timeval patience = { .tv_sec = 20 };
	gnutls_certificate_credentials_t credentials;
	char pem[64], fingerprint[VIEW_FINGERPRINT_BYTES], error[256];
	int pair[2];

	cr_assert(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(runtime_socket_listen(folder_fd, RUNTIME_DISPLAY, &machine_fd), 0);
	fcntl(machine_fd, F_SETFL, 0);
	snprintf(pem, sizeof(pem), "%s/view.pem", folder);
	cr_assert_eq(view_certificate(pem, &credentials, fingerprint, error, sizeof(error)), 0,
		     "%s", error);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	client_fd = pair[0];
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	setsockopt(client_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	pid = fork();
	if (pid == 0) {
		const struct view_session session = { pair[1], folder_fd,      "nt4",
						      "test",  "the password", credentials };

		log_init("view", LOG_LEVEL_ERROR);
		signal(SIGPIPE, SIG_IGN);
		close(machine_fd);
		close(client_fd);
		view_sandbox();
		_exit(view_session_run(&session));
	}
	close(pair[1]);
}

static void teardown(void)
{
	char command[64];

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(view_session, .init = setup, .fini = teardown, .timeout = 60);

/* --- the viewer */

static void say(const void *bytes, size_t count)
{
	if (encrypted)
		cr_assert_eq(gnutls_record_send(tls, bytes, count), (ssize_t)count);
	else
		cr_assert_eq(send(client_fd, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
}

static void hear(void *ret_bytes, size_t count)
{
	uint8_t *to = ret_bytes;

	while (count) {
		ssize_t n = encrypted ? gnutls_record_recv(tls, to, count)
				      : recv(client_fd, to, count, 0);

		cr_assert_gt(n, 0, "the session hung up");
		to += n;
		count -= (size_t)n;
	}
}

static bool hung_up(void)
{
	char bytes[256];
	ssize_t n;

	do
		n = recv(client_fd, bytes, sizeof(bytes), 0);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static int exit_status(void)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void greet(void)
{
	uint8_t bytes[16];

	hear(bytes, 12);
	cr_assert_arr_eq(bytes, "RFB 003.008\n", 12);
	say("RFB 003.008\n", 12);
	hear(bytes, 2);
	cr_assert_arr_eq(bytes, "\1\23", 2);
	say("\23", 1);
	hear(bytes, 2);
	cr_assert_arr_eq(bytes, "\0\2", 2);
	say("\0\2", 2);
	hear(bytes, 6);
	cr_assert_arr_eq(bytes, "\0\1\0\0\1\6", 6);
	say("\0\0\1\6", 4);
	hear(bytes, 1);
	cr_assert_eq(bytes[0], 1);
}

static void start_tls(void)
{
	gnutls_certificate_credentials_t credentials;
	int r;

	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_init(&tls, GNUTLS_CLIENT);
	gnutls_set_default_priority(tls);
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(tls, client_fd);
	do
		r = gnutls_handshake(tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	cr_assert_eq(r, 0, "%s", gnutls_strerror(r));
	encrypted = true;
}

static void give_password(const char *password)
{
	uint8_t lengths[8] = { 0, 0, 0, 4 };

	put_be32(lengths + 4, (uint32_t)strlen(password));
	say(lengths, sizeof(lengths));
	say("user", 4);
	say(password, strlen(password));
}

/* --- the machine */

static int machine(const char *kinds, size_t count)
{
	char bytes[16];
	int fd = accept(machine_fd, NULL, NULL);

	cr_assert_geq(fd, 0);
	cr_assert_eq(send(fd, "RFB 003.008\n", 12, 0), 12);
	cr_assert_eq(recv(fd, bytes, 12, MSG_WAITALL), 12);
	cr_assert_arr_eq(bytes, "RFB 003.008\n", 12);
	cr_assert_eq(send(fd, kinds, count, 0), (ssize_t)count);
	return fd;
}

static int accepting_machine(void)
{
	char byte;
	int fd = machine("\1\1", 2);

	cr_assert_eq(recv(fd, &byte, 1, MSG_WAITALL), 1);
	cr_assert_eq(byte, 1);
	cr_assert_eq(send(fd, "\0\0\0\0", 4, 0), 4);
	return fd;
}

Test(view_session, bytes_pass_both_ways_behind_tls_and_password)
{
	static uint8_t big[1 << 20], back[1 << 20];
	uint8_t result[4];
	size_t sent = 0, got = 0;
	int fd;

	greet();
	start_tls();
	give_password("the password");
	fd = accepting_machine();
	hear(result, 4);
	cr_assert_eq(get_be32(result), 0);
	say("up", 2);
	cr_assert_eq(recv(fd, back, 2, MSG_WAITALL), 2);
	cr_assert_arr_eq(back, "up", 2);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 1000);
	/* More than both buffers hold, and the viewer reads late. */
	while (got < sizeof(big)) {
		ssize_t n = send(fd, big + sent, sizeof(big) - sent, MSG_DONTWAIT);

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		n = gnutls_record_recv(tls, back + got, sizeof(back) - got);
		cr_assert_gt(n, 0);
		got += (size_t)n;
	}
	cr_assert_arr_eq(back, big, sizeof(big));
	/* The end of one side is the end of both. */
	close(fd);
	cr_assert(hung_up());
	cr_assert_eq(exit_status(), EXIT_SUCCESS);
}

Test(view_session, a_wrong_password_is_told_and_never_reaches_the_machine)
{
	struct pollfd wait = { machine_fd, POLLIN, 0 };
	uint8_t result[8];
	char reason[64] = "";

	greet();
	start_tls();
	give_password("the passwort");
	hear(result, 8);
	cr_assert_eq(get_be32(result), 1);
	hear(reason, get_be32(result + 4));
	cr_assert_str_eq(reason, "the password is wrong");
	cr_assert_eq(exit_status(), EXIT_FAILURE);
	wait.fd = machine_fd;
	cr_assert_eq(poll(&wait, 1, 0), 0);
}

Test(view_session, a_longer_or_shorter_password_is_wrong)
{
	uint8_t result[4];

	greet();
	start_tls();
	give_password("the password2");
	hear(result, 4);
	cr_assert_eq(get_be32(result), 1);
}

Test(view_session, the_machines_refusal_is_passed_on)
{
	uint8_t result[8];
	char reason[64] = "";

	greet();
	start_tls();
	give_password("the password");
	machine("\0\0\0\0\7no room", 12);
	hear(result, 8);
	cr_assert_eq(get_be32(result), 1);
	hear(reason, get_be32(result + 4));
	cr_assert_str_eq(reason, "no room");
	cr_assert_eq(exit_status(), EXIT_FAILURE);
}

Test(view_session, a_machine_that_breaks_the_protocol_ends_the_session)
{
	greet();
	start_tls();
	give_password("the password");
	machine("\0\xff\xff\xff\xff", 5);
	cr_assert(hung_up());
	cr_assert_eq(exit_status(), EXIT_FAILURE);
}

Test(view_session, rubbish_ends_the_session_before_tls)
{
	say("GET / HTTP/1.1\r\n\r\n", 18);
	cr_assert(hung_up());
	cr_assert_eq(exit_status(), EXIT_FAILURE);
}

Test(view_session, rubbish_in_place_of_tls_ends_the_session)
{
	char junk[4096];

	greet();
	memset(junk, 0x41, sizeof(junk));
	say(junk, sizeof(junk));
	cr_assert(hung_up());
	cr_assert_eq(exit_status(), EXIT_FAILURE);
}

Test(view_session, lengths_beyond_measure_end_the_session)
{
	const uint8_t lengths[8] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1 };

	greet();
	start_tls();
	say(lengths, sizeof(lengths));
	cr_assert(hung_up());
	cr_assert_eq(exit_status(), EXIT_FAILURE);
}

/* --- the sandbox: what a session that was taken over must not be able to do */

static void open_file(void)
{
	(void)!open("/etc/passwd", O_RDONLY);
}

static void make_network_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void run_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void make_process(void)
{
	(void)!fork();
}

static void (*const forbidden[])(void) = { open_file, make_network_socket, run_program,
					   make_process };

Test(view_sandbox, what_a_session_must_not_do_ends_it)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			view_sandbox();
			forbidden[i]();
			_exit(0);
		}
		cr_assert_eq(waitpid(child, &status, 0), child);
#ifndef __SANITIZE_ADDRESS__
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%zu", i);
#endif
	}
}

/* --- credentials */

Test(view_credentials, a_certificate_is_made_once)
{
	char path[64], first[VIEW_FINGERPRINT_BYTES], second[VIEW_FINGERPRINT_BYTES], error[256];
	gnutls_certificate_credentials_t credentials;
	struct stat st;

	snprintf(path, sizeof(path), "/tmp/view-test-%d.pem", (int)getpid());
	cr_assert_eq(view_certificate(path, &credentials, first, error, sizeof(error)), 0);
	gnutls_certificate_free_credentials(credentials);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(view_certificate(path, &credentials, second, error, sizeof(error)), 0);
	gnutls_certificate_free_credentials(credentials);
	cr_assert_str_eq(first, second);
	cr_assert_eq(strlen(first), 95);
	unlink(path);
}

Test(view_credentials, random_passwords_differ)
{
	char first[VIEW_PASSWORD_MAX], second[VIEW_PASSWORD_MAX], error[256];

	cr_assert_eq(view_password(NULL, first, sizeof(first), error, sizeof(error)), 0);
	cr_assert_eq(view_password(NULL, second, sizeof(second), error, sizeof(error)), 0);
	cr_assert_eq(strlen(first), 12);
	cr_assert_str_neq(first, second);
}
