// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for mainstay-vmm where there is no KVM: keeps the starter's side of the contract (start
 * message, answer, control socket, serial port) without a guest. $FAKE_VMM says what goes wrong:
 *
 *	refuse	ends with an error before it runs
 *	silent	ends well before it runs
 *	crash	is ended by a signal while it runs
 *	deaf	does not react to its power button
 *	stuck	reacts to nothing but SIGTERM
 *	burst	sends a megabyte to the serial port and powers off
 *	exit	powers off at once
 *
 * The serial port greets and then echoes in upper case; "!" powers off.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/fdpass.h"
#include "../../vmm/config.h"

static const char *mode;
static struct vm_config config;

static void send_text(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		exit(1);
}

static void send_burst(int fd)
{
	char line[80];

	for (int i = 0; i < 16384; i++) {
		snprintf(line, sizeof(line), "%06d %.56s\n", i,
			 "........................................................");
		send_text(fd, line);
	}
}

/* One request, one reply; the connection stays open until the end. */
static void serve_control(int fd)
{
	char request[512], reply[512];
	ssize_t n = recv(fd, request, sizeof(request) - 1, 0);

	if (n <= 0)
		return;
	request[n] = '\0';
	if (!strcmp(mode, "stuck"))
		return;
	snprintf(reply, sizeof(reply),
		 "{\"id\":1,\"ok\":true,\"result\":{\"name\":\"%s\",\"state\":\"running\","
		 "\"memory_bytes\":%llu,\"cpus\":%u,\"cpu\":\"%s\",\"pid\":%d,"
		 "\"uptime_ns\":61000000000}}\n",
		 config.name, (unsigned long long)config.memory_bytes, config.cpus,
		 config.cpu_model, getpid());
	if (strstr(request, "\"pause\""))
		strcpy(reply, "{\"id\":1,\"ok\":false,\"error\":\"not in this mood\"}\n");
	send_text(fd, reply);
	if (strstr(request, "\"quit\""))
		exit(0);
	if (strstr(request, "\"power-button\"") && strcmp(mode, "deaf"))
		exit(0);
}

/* False when the peer has gone. */
static int serve_serial(int fd)
{
	char bytes[256];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n <= 0)
		return 0;
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '!')
			exit(0);
		bytes[i] = (char)toupper((unsigned char)bytes[i]);
	}
	if (write(fd, bytes, (size_t)n) < 0)
		return 0;
	return 1;
}

static void serve(void)
{
	struct vm_char *serial = &config.serial[0];
	int stream = serial->kind == VM_CHAR_STREAM ? serial->fd : -1;
	int listener = serial->kind == VM_CHAR_LISTEN ? serial->fd : -1;
	int clients[8], count = 0;

	if (serial->kind != VM_CHAR_NONE && serial->kind != VM_CHAR_LISTEN)
		send_text(serial->fd, "hello from the guest\r\n");
	if (!strcmp(mode, "burst"))
		send_burst(serial->fd);
	if (!strcmp(mode, "burst") || !strcmp(mode, "exit"))
		exit(0);
	if (!strcmp(mode, "crash"))
		raise(SIGSEGV);
	for (;;) {
		struct pollfd fds[12] = {
			{ config.control_fd, POLLIN, 0 },
			{ listener, POLLIN, 0 },
			{ stream, POLLIN, 0 },
		};

		for (int i = 0; i < count; i++)
			fds[3 + i] = (struct pollfd){ clients[i], POLLIN, 0 };
		if (poll(fds, (nfds_t)(3 + count), -1) < 0)
			exit(1);
		if (fds[0].revents && count < 8)
			clients[count++] = accept(config.control_fd, NULL, NULL);
		if (fds[1].revents && stream < 0) {
			stream = accept(listener, NULL, NULL);
			send_text(stream, "hello from the guest\r\n");
		}
		if (fds[2].revents && !serve_serial(stream))
			stream = -1;
		for (int i = 0; fds[3 + i].fd && i < 8; i++) {
			if (fds[3 + i].revents)
				serve_control(fds[3 + i].fd);
		}
	}
}

static void check_surroundings(int argc, char **argv)
{
	char link[64];
	int death = 0;

	/* Only what the contract says is open. */
	for (int fd = VM_START_FD + 1; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) >= 0) {
			fprintf(stderr, "fake-vmm: descriptor %d was left open\n", fd);
			exit(1);
		}
	}
	if (readlink("/proc/self/fd/0", link, sizeof(link)) != 9 || memcmp(link, "/dev/null", 9)) {
		fprintf(stderr, "fake-vmm: standard input is not /dev/null\n");
		exit(1);
	}
	prctl(PR_GET_PDEATHSIG, &death);
	if (death != SIGTERM || getsid(0) != getpid()) {
		fprintf(stderr, "fake-vmm: would outlive its starter, or share its terminal\n");
		exit(1);
	}
	/* What the starter wants of us, for the test to see. */
	for (int i = 1; i < argc && getenv("FAKE_VMM_ARGUMENTS"); i++)
		fprintf(stderr, "fake-vmm: argument %s\n", argv[i]);
}

static void on_term(int number)
{
	(void)number;
	_exit(0);
}

int main(int argc, char **argv)
{
	static const char running[] = "{\"event\":\"running\",\"sandbox\":\"full\"}";
	char error[512];

	mode = getenv("FAKE_VMM") ? getenv("FAKE_VMM") : "";
	check_surroundings(argc, argv);
	if (vm_config_receive(VM_START_FD, &config, error, sizeof(error)) < 0) {
		fprintf(stderr, "fake-vmm: start message: %s\n", error);
		return 1;
	}
	if (!strcmp(mode, "refuse")) {
		fprintf(stderr, "fake-vmm: %s: refused\n", config.name);
		return 1;
	}
	if (!strcmp(mode, "silent"))
		return 0;
	signal(SIGTERM, on_term);
	signal(SIGPIPE, SIG_IGN);
	if (fdpass_send(VM_START_FD, running, sizeof(running) - 1, NULL, 0) < 0)
		return 1;
	close(VM_START_FD);
	serve();
	return 1;
}
