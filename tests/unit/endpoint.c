// SPDX-License-Identifier: GPL-2.0-or-later
/* base/endpoint: unix:PATH, connect:PATH and fd:N. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/endpoint.h"

static char folder[64], error[256];

static void setup(void)
{
	strcpy(folder, "/tmp/mainstay-endpoint.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void teardown(void)
{
	unlink("socket");
	rmdir(folder);
}

TestSuite(endpoint, .init = setup, .fini = teardown);

Test(endpoint, one_listens_and_another_connects)
{
	struct endpoint server, client;
	struct stat st;
	char byte = 0;
	int peer;

	cr_assert_eq(endpoint_open("unix:socket", &server, error, sizeof(error)), 0, "%s", error);
	cr_assert(server.listening);
	cr_assert_str_eq(server.path, "socket");
	cr_assert_eq(stat("socket", &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600, "for its owner only");
	cr_assert_eq(endpoint_open("connect:socket", &client, error, sizeof(error)), 0, "%s",
		     error);
	cr_assert_not(client.listening);
	cr_assert_null(client.path);
	cr_assert(fcntl(client.fd, F_GETFD) & FD_CLOEXEC);
	peer = accept(server.fd, NULL, NULL);
	cr_assert_geq(peer, 0);
	cr_assert_eq(write(client.fd, "x", 1), 1);
	cr_assert_eq(read(peer, &byte, 1), 1);
	cr_assert_eq(byte, 'x');
	/* Taken is taken: nobody's socket is replaced. */
	cr_assert_eq(endpoint_open("unix:socket", &client, error, sizeof(error)), -EADDRINUSE);
	cr_assert(strstr(error, "unix:socket") == error && strstr(error, "remove it"), "%s", error);
}

Test(endpoint, a_descriptor_is_inherited)
{
	struct endpoint endpoint;
	char text[32];
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	snprintf(text, sizeof(text), "fd:%d", pair[0]);
	cr_assert_eq(endpoint_open(text, &endpoint, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(endpoint.fd, pair[0]);
	cr_assert_not(endpoint.listening);
	cr_assert(fcntl(pair[0], F_GETFD) & FD_CLOEXEC);
}

Test(endpoint, mistakes_are_named)
{
	static const char *const texts[] = {
		"",	    "unix",	      "unix:", "unix:no/such/folder",
		"connect:", "connect:nobody", "fd:",   "fd:x",
		"fd:-1",    "fd:1000",	      "tcp:1", "socket"
	};
	struct endpoint endpoint = { .fd = 7 };
	char path[200] = "unix:";

	for (unsigned int i = 0; i < ARRAY_LEN(texts); i++) {
		cr_assert_lt(endpoint_open(texts[i], &endpoint, error, sizeof(error)), 0, "%s",
			     texts[i]);
		cr_assert_eq(strncmp(error, texts[i], strlen(texts[i])), 0, "%s", error);
		cr_assert_null(strchr(error, '\n'));
	}
	memset(path + 5, 'a', sizeof(path) - 6);
	cr_assert_eq(endpoint_open(path, &endpoint, error, sizeof(error)), -ENAMETOOLONG);
	cr_assert_eq(endpoint.fd, 7, "nothing is set after an error");
}
