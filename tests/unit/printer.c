// SPDX-License-Identifier: GPL-2.0-or-later
/* mgmt/printer: what is printed gets to the port however slow that is. tests/guest/cases/board.sh has a real one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../mgmt/printer.h"

struct carrier {
	int from, port, result;
};

static void *carry(void *opaque)
{
	struct carrier *c = opaque;

	c->result = printer_carry(c->from, c->port, "printer");
	close(c->port);
	return NULL;
}

Test(printer, bytes_arrive_in_order_although_the_port_takes_none_for_a_while)
{
	static char page[200000], paper[sizeof(page)];
	int guest[2], port[2];
	struct carrier c;
	pthread_t thread;
	size_t filled = 0, got = 0;
	int waiting;
	ssize_t n;

	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (char)(i * 31 + i / 251);
	cr_assert_eq(pipe(guest), 0);
	cr_assert_eq(pipe2(port, O_NONBLOCK), 0);
	/* Full from the start. */
	while ((n = write(port[1], page, 4096)) > 0)
		filled += (size_t)n;
	cr_assert_eq(errno, EAGAIN);
	c = (struct carrier){ guest[0], port[1], 1 };
	cr_assert_eq(pthread_create(&thread, NULL, carry, &c), 0);
	cr_assert_eq(write(guest[1], page, 3000), 3000);
	/* Taken from the guest, so that it waits for the port by now or soon. */
	do
		cr_assert_eq(ioctl(guest[0], FIONREAD, &waiting), 0);
	while (waiting || usleep(50000));
	for (size_t left = filled; left; left -= (size_t)n) {
		n = read(port[0], paper, left < sizeof(paper) ? left : sizeof(paper));
		cr_assert_gt(n, 0);
	}
	cr_assert_eq(fcntl(port[0], F_SETFL, 0), 0);
	cr_assert_eq(write(guest[1], page + 3000, 50000), 50000);
	close(guest[1]);
	while ((n = read(port[0], paper + got, sizeof(paper) - got)) > 0)
		got += (size_t)n;
	pthread_join(thread, NULL);
	cr_assert_eq(c.result, 0);
	cr_assert_eq(got, 53000);
	cr_assert_arr_eq(paper, page, got);
}

Test(printer, a_port_that_fails_for_good_is_told)
{
	int guest[2], port = open("/dev/null", O_RDONLY);

	cr_assert_eq(pipe(guest), 0);
	cr_assert_eq(write(guest[1], "x", 1), 1);
	cr_assert_eq(printer_carry(guest[0], port, "printer"), -EBADF);
}

Test(printer, what_is_no_parallel_port_is_refused)
{
	cr_assert_eq(printer_start("/nonexistent/parport"), -ENOENT);
	cr_assert_eq(printer_start("/dev/null"), -ENOTTY);
}
