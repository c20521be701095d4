// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports that nat forwards: which words are taken, and what is said of ports that cannot be had. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../mgmt/forward_ports.h"

Test(forward_ports, words_are_those_of_passt)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "80", true },
		{ "8080:80", true },
		{ "1,65535", true },
		{ "2000-2010", true },
		{ "2000-2010:3000-3010,53:5353", true },
		{ "", false },
		{ "0", false },
		{ "65536", false },
		{ "99999999999999999999", false },
		{ "80,", false },
		{ ",80", false },
		{ "80:", false },
		{ ":80", false },
		{ "80:81:82", false },
		{ "2010-2000", false },
		{ "2000-", false },
		{ "2000-2010:3000-3011", false },
		{ "2000-2010:3000", false },
		{ "80 ", false },
		{ "http", false },
		{ "-80", false },
	};
	char text[FORWARD_PORTS_TEXT_MAX + 8];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_eq(forward_ports_valid(cases[i].text), cases[i].valid, "\"%s\"",
			     cases[i].text);
	memset(text, '1', sizeof(text));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = ',';
	text[sizeof(text) - 1] = '\0';
	cr_expect_not(forward_ports_valid(text), "too long");
}

/* A socket that has a port of its own; its number. */
static int taken(int type, int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	if (type == SOCK_STREAM)
		cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void expect_taken(int type, const char *name)
{
	int port, fd = taken(type, &port);
	char text[64], error[200] = "", want[64];

	snprintf(text, sizeof(text), "%d:80", port);
	snprintf(want, sizeof(want), "%s port %d of this host: is in use", name, port);
	cr_expect_eq(forward_ports_check(text, type, error, sizeof(error)), -EADDRINUSE);
	cr_expect_not_null(strstr(error, want), "%s", error);
	close(fd);
	cr_expect_eq(forward_ports_check(text, type, error, sizeof(error)), 0, "%s", error);
	snprintf(text, sizeof(text), "%d", port);
	cr_expect_eq(forward_ports_check(text, type, error, sizeof(error)), 0, "%s", error);
}

Test(forward_ports, ports_of_others_are_named)
{
	expect_taken(SOCK_STREAM, "TCP");
	expect_taken(SOCK_DGRAM, "UDP");
	cr_expect_eq(forward_ports_check(NULL, SOCK_STREAM, NULL, 0), 0);
}
