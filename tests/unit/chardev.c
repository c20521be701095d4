// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/chardev: streams, listening sockets and files behind a device's bytes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/fdpass.h"
#include "../../vmm/chardev.h"
#include "../../vmm/loop.h"

/* A device that keeps what it gets; its room is the test's to give. */
static struct {
	size_t room;
	uint8_t in[65536];
	size_t in_count;
	unsigned int tx_ready, connects, disconnects;
} port;

static struct device *const port_dev = (struct device *)&port;
static struct loop *loop;
static struct chario *chario;

static size_t port_room(struct device *dev)
{
	cr_assert_eq(dev, port_dev);
	return port.room;
}

static void port_receive(struct device *dev, const uint8_t *bytes, size_t count)
{
	cr_assert_eq(dev, port_dev);
	cr_assert_leq(count, port.room);
	port.room -= count;
	memcpy(port.in + port.in_count, bytes, count);
	port.in_count += count;
}

static void port_tx_ready(struct device *dev)
{
	cr_assert_eq(dev, port_dev);
	port.tx_ready++;
}

static void port_connected(struct device *dev, bool connected)
{
	cr_assert_eq(dev, port_dev);
	port.connects += connected;
	port.disconnects += !connected;
}

static const struct chario_device_ops port_ops = {
	.room = port_room,
	.receive = port_receive,
	.tx_ready = port_tx_ready,
	.connected = port_connected,
};

static pthread_t thread;

static void *run(void *opaque)
{
	cr_assert_eq(loop_run(loop), 0);
	return opaque;
}

static void quit(struct loop_post *post)
{
	(void)post;
	loop_quit(loop, 0);
}

static void setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(loop_new(&loop), 0);
	port.room = sizeof(port.in);
}

static void start(enum vm_char_kind kind, int fd)
{
	struct vm_char config = { .kind = kind, .fd = fd, .name = "test" };

	cr_assert_eq(chardev_new(loop, &config, &chario), 0);
	chario_attach(chario, port_dev, &port_ops);
	cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
}

/* The thread that ran the loop has gone: nobody runs it from here on. */
static void stop(void)
{
	struct loop_post post = { .run = quit };

	loop_post(loop, &post);
	pthread_join(thread, NULL);
}

/* Plays the vCPU. */
static size_t guest_writes(const void *bytes, size_t count)
{
	size_t n;

	loop_lock(loop);
	n = chario_write(chario, bytes, count);
	loop_unlock(loop);
	return n;
}

static void guest_gives_room(size_t room)
{
	loop_lock(loop);
	port.room += room;
	chario_rx_ready(chario);
	loop_unlock(loop);
}

/* Waits for @count to become at least @want. */
#define WAIT_FOR(count, want)                                                                      \
	do {                                                                                       \
		bool there = false;                                                                \
		for (int tries_ = 0; tries_ < 5000 && !there; tries_++) {                          \
			loop_lock(loop);                                                           \
			there = (size_t)(count) >= (size_t)(want);                                 \
			loop_unlock(loop);                                                         \
			if (!there)                                                                \
				usleep(1000);                                                      \
		}                                                                                  \
		cr_assert(there, #count " does not become " #want);                                \
	} while (0)

static void expect(int fd, const char *text)
{
	char bytes[64];
	size_t got = 0;

	while (got < strlen(text)) {
		ssize_t n = read(fd, bytes + got, strlen(text) - got);

		cr_assert_gt(n, 0);
		got += (size_t)n;
	}
	cr_assert_arr_eq(bytes, text, strlen(text));
}

TestSuite(chardev, .init = setup, .timeout = 20);

Test(chardev, none_is_nothing)
{
	struct vm_char config = { .kind = VM_CHAR_NONE, .fd = -1 };

	cr_assert_eq(chardev_new(loop, &config, &chario), 0);
	cr_assert_null(chario);
	chardev_free(NULL);
}

Test(chardev, a_stream_carries_bytes_both_ways)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	start(VM_CHAR_STREAM, fds[0]);
	cr_assert(chario_is_connected(chario));
	cr_assert_eq(guest_writes("login: ", 7), 7);
	expect(fds[1], "login: ");
	cr_assert_eq(write(fds[1], "guest\r", 6), 6);
	WAIT_FOR(port.in_count, 6);
	cr_assert_arr_eq(port.in, "guest\r", 6);
	stop();
}

Test(chardev, a_device_gets_no_more_than_it_has_room_for)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	port.room = 1;
	start(VM_CHAR_STREAM, fds[0]);
	cr_assert_eq(write(fds[1], "0123456789", 10), 10);
	WAIT_FOR(port.in_count, 1);
	usleep(5000);
	cr_assert_eq(port.in_count, 1);
	for (unsigned int i = 2; i <= 10; i++) {
		guest_gives_room(1);
		WAIT_FOR(port.in_count, i);
	}
	cr_assert_arr_eq(port.in, "0123456789", 10);
	/* Nothing was waiting when this room came. */
	guest_gives_room(1);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	WAIT_FOR(port.in_count, 11);
	stop();
}

Test(chardev, a_slow_peer_never_blocks_the_guest)
{
	static uint8_t block[4096], back[4096];
	size_t taken = 0, got = 0;
	int fds[2], size = 4096;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	start(VM_CHAR_STREAM, fds[0]);
	for (;;) {
		size_t n;

		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (uint8_t)((taken + i) * 7 / 5);
		n = guest_writes(block, sizeof(block));
		taken += n;
		if (n < sizeof(block) && taken >= 16384) {
			usleep(20000);
			/* Full for good: the socket and the 16 KiB here. */
			n = guest_writes("", 1);
			if (!n)
				break;
			taken += n;
			cr_assert_lt(taken, 1u << 20);
		}
	}
	loop_lock(loop);
	port.tx_ready = 0;
	loop_unlock(loop);
	while (got < taken) {
		ssize_t n = read(fds[1], back, min_u64(sizeof(back), taken - got));

		cr_assert_gt(n, 0);
		got += (size_t)n;
	}
	WAIT_FOR(port.tx_ready, 1);
	cr_assert_eq(guest_writes("end", 3), 3);
	expect(fds[1], "end");
	cr_assert_eq(port.tx_ready, 1, "told once");
	stop();
}

Test(chardev, after_a_hang_up_bytes_are_dropped)
{
	static const uint8_t block[65536];
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	start(VM_CHAR_STREAM, fds[0]);
	cr_assert_eq(write(fds[1], "last words", 10), 10);
	close(fds[1]);
	WAIT_FOR(port.disconnects, 1);
	cr_assert_eq(port.in_count, 10);
	cr_assert_not(chario_is_connected(chario));
	cr_assert_eq(guest_writes(block, sizeof(block)), sizeof(block));
	stop();
}

Test(chardev, a_hang_up_frees_a_guest_that_waits)
{
	static const uint8_t block[65536];
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	start(VM_CHAR_STREAM, fds[0]);
	while (guest_writes(block, sizeof(block)))
		usleep(1000);
	close(fds[1]);
	WAIT_FOR(port.disconnects, 1);
	WAIT_FOR(port.tx_ready, 1);
	stop();
}

Test(chardev, a_pipe_is_read_to_its_last_byte)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	port.room = 2;
	start(VM_CHAR_STREAM, fds[0]);
	cr_assert_eq(write(fds[1], "abc", 3), 3);
	close(fds[1]);
	WAIT_FOR(port.in_count, 2);
	guest_gives_room(5);
	WAIT_FOR(port.in_count, 3);
	WAIT_FOR(port.disconnects, 1);
	stop();
}

static int listen_somewhere(struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*address);

	/* An abstract name of the kernel's choice. */
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	cr_assert_eq(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)), 0);
	cr_assert_eq(listen(fd, 4), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

static int connect_to(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (const struct sockaddr *)address, sizeof(sa_family_t) + 1 + 5), 0);
	return fd;
}

Test(chardev, a_listening_socket_serves_one_client_and_the_next_waits)
{
	struct sockaddr_un address;
	int first, second;

	start(VM_CHAR_LISTEN, listen_somewhere(&address));
	cr_assert_not(chario_is_connected(chario));
	cr_assert_eq(guest_writes("nobody hears", 12), 12);
	first = connect_to(&address);
	WAIT_FOR(port.connects, 1);
	second = connect_to(&address);
	cr_assert_eq(guest_writes("1", 1), 1);
	expect(first, "1");
	cr_assert_eq(write(first, "a", 1), 1);
	cr_assert_eq(write(second, "b", 1), 1);
	WAIT_FOR(port.in_count, 1);
	close(first);
	WAIT_FOR(port.connects, 2);
	cr_assert_eq(port.disconnects, 1);
	WAIT_FOR(port.in_count, 2);
	cr_assert_arr_eq(port.in, "ab", 2);
	cr_assert_eq(guest_writes("2", 1), 1);
	expect(second, "2");
	stop();
}

static int scratch_file(void)
{
	char path[] = "/tmp/mainstay-chardev-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	unlink(path);
	return fd;
}

/* A client that says no more may still listen; when it has heard all it is let go. */
Test(chardev, a_client_that_stops_sending_hears_everything_first)
{
	static uint8_t burst[8192];
	size_t written = 0, read_bytes = 0;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	start(VM_CHAR_CLIENT, pair[0]);
	/* More than the socket takes at once. */
	for (unsigned int i = 0; i < 1000 && written < 1u << 20; i++) {
		written += guest_writes(burst, sizeof(burst));
		usleep(1000);
	}
	cr_assert_eq(shutdown(pair[1], SHUT_WR), 0);
	for (;;) {
		ssize_t n = read(pair[1], burst, sizeof(burst));

		cr_assert_geq(n, 0);
		if (!n)
			break;
		read_bytes += (size_t)n;
	}
	cr_assert_eq(read_bytes, written);
	WAIT_FOR(port.disconnects, 1);
	stop();
	close(pair[1]);
}

Test(chardev, a_file_gets_everything_in_order)
{
	static char text[100000], back[100000];
	int fd = scratch_file();
	size_t done = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * 3 % 26);
	start(VM_CHAR_WRITE, dup(fd));
	while (done < sizeof(text)) {
		size_t n = guest_writes(text + done, min_u64(777, sizeof(text) - done));

		done += n;
		if (!n)
			usleep(100);
	}
	for (int i = 0; i < 1000 && lseek(fd, 0, SEEK_END) < (off_t)sizeof(text); i++)
		usleep(1000);
	stop();
	cr_assert_eq(pread(fd, back, sizeof(back), 0), (ssize_t)sizeof(text));
	cr_assert_arr_eq(back, text, sizeof(text));
}

Test(chardev, a_full_disk_costs_the_bytes_and_nothing_else)
{
	static const uint8_t block[4096];
	size_t taken = 0;

	start(VM_CHAR_WRITE, open("/dev/full", O_WRONLY));
	for (unsigned int tries = 0; tries < 5000 && taken < 10 * 16384; tries++) {
		taken += guest_writes(block, sizeof(block));
		usleep(500);
	}
	cr_assert_geq(taken, 10 * 16384, "the ring is emptied all the same");
	stop();
}

/* Without the loop ever running. */
Test(chardev, freeing_writes_out_what_waits_and_restores_flags)
{
	int fds[2];
	struct vm_char config = { .kind = VM_CHAR_WRITE, .name = "pipe" };

	cr_assert_eq(pipe(fds), 0);
	config.fd = dup(fds[1]);
	cr_assert_eq(chardev_new(loop, &config, &chario), 0);
	chario_attach(chario, port_dev, &port_ops);
	cr_assert(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	cr_assert_eq(guest_writes("tail", 4), 4);
	chardev_free(chario);
	loop_free(loop);
	expect(fds[0], "tail");
	cr_assert_not(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	cr_assert_eq(fcntl(config.fd, F_GETFD), -1);
}

Test(chardev, a_bad_descriptor_is_an_error)
{
	struct vm_char config = { .kind = VM_CHAR_STREAM, .fd = 999 };

	cr_assert_eq(chardev_new(loop, &config, &chario), -EBADF);
	config.kind = VM_CHAR_LISTEN;
	cr_assert_eq(chardev_new(loop, &config, &chario), -EBADF);
}

/* --- lines and doors */

static void guest_sets_line(const struct chario_line *line)
{
	loop_lock(loop);
	chario_set_line(chario, line);
	loop_unlock(loop);
}

static const struct chario_line closed = { .baud = 9600, .bits = 8, .stop = 1 };
static const struct chario_line opened = { .baud = 9600, .bits = 8, .stop = 1, .dtr = true };

/* The starter's side: waits for a knock. */
static void hear_knock(int door)
{
	struct pollfd wait = { door, POLLIN, 0 };
	char byte;

	cr_assert_eq(poll(&wait, 1, 5000), 1);
	cr_assert_eq(recv(door, &byte, 1, 0), 1);
}

Test(chardev, door_is_knocked_at_when_the_guest_opens_the_port)
{
	int door[2], pair[2];
	struct pollfd wait;
	char byte;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, door), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	start(VM_CHAR_DOOR, door[1]);
	guest_sets_line(&closed);
	guest_writes("lost", 4);
	wait = (struct pollfd){ door[0], POLLIN, 0 };
	cr_assert_eq(poll(&wait, 1, 50), 0, "nothing is asked before");
	guest_sets_line(&opened);
	hear_knock(door[0]);
	cr_assert_eq(port.connects, 0);
	cr_assert_eq(fdpass_send(door[0], "c", 1, &pair[1], 1), 0);
	close(pair[1]);
	WAIT_FOR(port.connects, 1);
	guest_writes("hello", 5);
	expect(pair[0], "hello");
	cr_assert_eq(write(pair[0], "there", 5), 5);
	WAIT_FOR(port.in_count, 5);
	guest_sets_line(&closed);
	WAIT_FOR(port.disconnects, 1);
	cr_assert_eq(read(pair[0], &byte, 1), 0, "closing the port ends the connection");
	guest_sets_line(&opened);
	hear_knock(door[0]);
	/* Nobody is there. */
	cr_assert_eq(fdpass_send(door[0], "c", 1, NULL, 0), 0);
	guest_writes("lost", 4);
	/* A peer that comes too late is let go. */
	guest_sets_line(&closed);
	usleep(20000);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(fdpass_send(door[0], "c", 1, &pair[1], 1), 0);
	close(pair[1]);
	cr_assert_eq(read(pair[0], &byte, 1), 0);
	close(door[0]);
	stop();
}

/* The kernel's struct termios2, whose header does not go with <termios.h>. */
struct line {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t discipline, cc[19];
	uint32_t ispeed, ospeed;
};
#define GET_LINE _IOR('T', 0x2a, struct line)

Test(chardev, terminal_line_gets_the_guests_speed)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct chario_line line = opened;
	struct line t;

	cr_assert_geq(master, 0);
	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	cr_assert_geq(slave, 0);
	start(VM_CHAR_TTY, dup(slave));
	line.baud = 2400;
	guest_sets_line(&line);
	/* A pseudo terminal has no modem lines: the other end is there. */
	WAIT_FOR(port.connects, 1);
	cr_assert_eq(chario_modem_lines(chario), CHARIO_CTS | CHARIO_DSR | CHARIO_DCD);
	cr_assert_eq(ioctl(slave, GET_LINE, &t), 0);
	cr_assert_eq(t.ospeed, 2400);
	cr_assert_eq(t.lflag & (ECHO | ICANON | ISIG), 0);
	guest_writes("at\r", 3);
	expect(master, "at\r");
	cr_assert_eq(write(master, "\3\r\n", 3), 3);
	WAIT_FOR(port.in_count, 3);
	cr_assert_arr_eq(port.in, "\3\r\n", 3, "bytes pass as they are");
	line.baud = 0;
	guest_sets_line(&line);
	line.baud = 115200;
	line.sending_break = true;
	guest_sets_line(&line);
	for (int i = 0; i < 1000 && t.ospeed != 115200; i++) {
		usleep(1000);
		cr_assert_eq(ioctl(slave, GET_LINE, &t), 0);
	}
	cr_assert_eq(t.ospeed, 115200);
	stop();
}
