// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmm/control: commands, hostile requests, clients that misbehave, on a real loop with a fake
 * machine.
 *
 * The machine_* functions below stand in for machine.c, which the linker then leaves out.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../devmodel/device.h"
#include "../../devmodel/input.h"
#include "../../vmm/config.h"
#include "../../vmm/control.h"
#include "../../vmm/desk.h"
#include "../../vmm/loop.h"
#include "../../vmm/machine.h"
#include "../../vmm/save.h"
#include "../../vmm/save_session.h"
#include "../../vmm/media.h"
#include "../../vmm/stats.h"

/* --- the machine */

static struct loop *loop;

static struct machine {
	enum machine_state state;
	unsigned int resets, presses, quits, pauses, pings;
	bool ends_loop;
	/* The last medium that was put in or taken out. */
	char drive[32];
	struct vm_disk medium;
	bool force;
	unsigned int inserts, ejects;
	bool saving;
} machine;

static struct vm_config config = {
	.name = "NT \"4\" 会計",
	.uuid = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa },
	.memory_bytes = 134217728,
	.cpus = 2,
	.display = { .listen_fd = -1 },
	.keyboard = "us",
	.cpu_model = "nt4",
	.disk_count = 1,
	.disks = { { .slot = 2, .format = VM_DISK_VHD, .read_only = true, .name = "cd\xff.vhd" } },
	.serial = { [1] = { .kind = VM_CHAR_LISTEN, .name = "com2" } },
};

static struct control *control;
static struct sockaddr_un address;

enum machine_state machine_state(const struct machine *m)
{
	return m->state;
}

void machine_ping(struct machine *m)
{
	m->pings++;
}

void machine_pause(struct machine *m)
{
	m->state = MACHINE_PAUSED;
	m->pauses++;
}

void machine_resume(struct machine *m)
{
	m->state = MACHINE_RUNNING;
}

void machine_reset(struct machine *m)
{
	m->resets++;
}

void machine_power_button(struct machine *m)
{
	m->presses++;
}

void machine_quit(struct machine *m)
{
	m->state = MACHINE_ENDED;
	m->quits++;
	if (m->ends_loop)
		loop_quit(loop, 4);
}

json_object *save_session_disks(const struct machine *m)
{
	(void)m;
	return json_object_new_array();
}

int save_session_new(struct machine *m, int fd, char *error, size_t error_size)
{
	if (m->saving) {
		snprintf(error, error_size, "it is being saved already");
		return -EBUSY;
	}
	m->saving = true;
	close(fd);
	return 0;
}

bool save_has_machine(const struct machine *m)
{
	return m->saving;
}

const char *save_phase_name(const struct machine *m)
{
	return m->saving ? "parking" : "";
}

int machine_insert(struct machine *m, const char *drive, const struct vm_disk *medium, bool force,
		   char *error, size_t error_size)
{
	if (strcmp(drive, "cd0")) {
		snprintf(error, error_size, "there is only cd0");
		return -ENODEV;
	}
	strcpy(m->drive, drive);
	m->medium = *medium;
	m->force = force;
	m->inserts++;
	return 0;
}

int machine_eject(struct machine *m, const char *drive, bool force, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	snprintf(m->drive, sizeof(m->drive), "%s", drive);
	m->force = force;
	m->ejects++;
	return 0;
}

const struct media *machine_media(const struct machine *m)
{
	(void)m;
	return NULL;
}

bool media_describe(const struct media *media, unsigned int index, struct media_info *ret_info)
{
	(void)media;
	*ret_info = (struct media_info){ "cd0", "CD-ROM", "nt4.iso", true, false, true };
	return index == 0;
}

const struct vm_config *machine_config(const struct machine *m)
{
	(void)m;
	return &config;
}

uint64_t machine_clock_ns(const struct machine *m)
{
	(void)m;
	return UINT64_C(0xfedcba9876543210);
}

uint64_t machine_reset_count(const struct machine *m)
{
	return m->resets;
}

static const struct io_region_desc port_desc = { .name = "ports" };
static const struct device_class class = { .name = "ns16550" };
static struct device device = {
	.class = &class,
	.name = "uart0",
	.regions = { { .desc = &port_desc, .reads = 7, .writes = 9 } },
};

struct device *machine_device(struct machine *m, unsigned int index)
{
	(void)m;
	return index ? NULL : &device;
}

static const struct vcpu_stats vcpus[2] = { [1] = { .exits = { [EXIT_HLT] = 5 } } };

const struct vcpu_stats *machine_vcpu_stats(const struct machine *m, unsigned int index)
{
	(void)m;
	return index < ARRAY_LEN(vcpus) ? &vcpus[index] : NULL;
}

/* Its keyboard; nobody looks at the screen. */
static struct desk *desk;
static uint8_t keys[64];
static unsigned int key_count;
static char keyboard;

static bool take_key(struct device *dev, uint8_t key, bool down)
{
	(void)dev;
	keys[key_count++ % ARRAY_LEN(keys)] = down ? key : 0;
	return true;
}

static const struct input_keyboard_ops keyboard_ops = { .key = take_key };
static struct input input = { .keyboard = (struct device *)(void *)&keyboard,
			      .keyboard_ops = &keyboard_ops };

struct desk *machine_desk(struct machine *m)
{
	(void)m;
	return desk;
}

/* --- the client */

static void *run(void *opaque)
{
	cr_assert_eq(loop_run(loop), 0);
	return opaque;
}

static void setup(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(address);
	char error[256];
	pthread_t thread;

	/* An abstract name of the kernel's choice. */
	address.sun_family = AF_UNIX;
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(desk_new(loop, &config, NULL, &input, &desk, error, sizeof(error)), 0);
	cr_assert_eq(control_new(loop, &machine, fd, SANDBOX_LANDLOCK, &control), 0);
	cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
	pthread_detach(thread);
}

/* Replies to ask(), put away at the end. */
static json_object *replies[64];
static unsigned int reply_count;

static void teardown(void)
{
	while (reply_count)
		json_object_put(replies[--reply_count]);
}

TestSuite(control, .init = setup, .fini = teardown, .timeout = 30);

static int client(void)
{
	const struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(sa_family_t) + 1 + 5), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void say(int fd, const void *bytes, size_t count)
{
	cr_assert_eq(send(fd, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
}

/* One line; false at the end of the connection. */
static bool hear(int fd, char *line, size_t size)
{
	size_t got = 0;

	for (;;) {
		ssize_t n = read(fd, line + got, 1);

		if (n <= 0) {
			cr_assert(n == 0 || errno == ECONNRESET, "no answer");
			return false;
		}
		if (line[got] == '\n')
			break;
		cr_assert_lt(++got, size);
	}
	line[got] = '\0';
	return true;
}

static json_object *ask(int fd, const char *request)
{
	static char line[65536];
	json_object *reply;

	say(fd, request, strlen(request));
	say(fd, "\n", 1);
	cr_assert(hear(fd, line, sizeof(line)), "dropped after %s", request);
	reply = json_tokener_parse(line);
	cr_assert(json_object_is_type(reply, json_type_object), "%s", line);
	cr_assert_lt(reply_count, ARRAY_LEN(replies));
	replies[reply_count++] = reply;
	return reply;
}

static json_object *at(json_object *object, const char *path)
{
	json_object *found = NULL;

	cr_assert_eq(json_pointer_get(object, path, &found), 0, "%s in %s", path,
		     json_object_to_json_string(object));
	return found;
}

#define TEXT(object, path) json_object_get_string(at(object, path))
#define NUMBER(object, path) json_object_get_uint64(at(object, path))
#define OK(object) json_object_get_boolean(at(object, "/ok"))

/* --- commands */

Test(control, status_tells_all)
{
	json_object *reply = ask(client(), "{\"command\":\"status\",\"id\":[1,{\"a\":null}]}");

	cr_assert(OK(reply));
	cr_assert_str_eq(json_object_to_json_string_ext(at(reply, "/id"), JSON_C_TO_STRING_PLAIN),
			 "[1,{\"a\":null}]");
	cr_assert_str_eq(TEXT(reply, "/result/name"), config.name);
	cr_assert_str_eq(TEXT(reply, "/result/uuid"), "00112233-4455-6677-8899-aa0000000000");
	cr_assert_str_eq(TEXT(reply, "/result/state"), "running");
	cr_assert_eq(NUMBER(reply, "/result/memory_bytes"), 134217728);
	cr_assert_eq(NUMBER(reply, "/result/cpus"), 2);
	cr_assert_str_eq(TEXT(reply, "/result/cpu"), "nt4");
	cr_assert_eq(NUMBER(reply, "/result/board"), VM_BOARD);
	cr_assert_str_eq(TEXT(reply, "/result/sandbox"), "landlock");
	cr_assert_eq(NUMBER(reply, "/result/pid"), (uint64_t)getpid());
	cr_assert_eq(NUMBER(reply, "/result/clock_ns"), UINT64_C(0xfedcba9876543210));
	cr_assert_lt(NUMBER(reply, "/result/uptime_ns"), UINT64_C(60000000000));
	cr_assert_eq(NUMBER(reply, "/result/resets"), 0);
	cr_assert_eq(NUMBER(reply, "/result/disks/0/slot"), 2);
	cr_assert_str_eq(TEXT(reply, "/result/disks/0/format"), "vhd");
	cr_assert(json_object_get_boolean(at(reply, "/result/disks/0/read_only")));
	cr_assert_str_eq(TEXT(reply, "/result/drives/0/drive"), "cd0");
	cr_assert_str_eq(TEXT(reply, "/result/drives/0/medium"), "nt4.iso");
	cr_assert(json_object_get_boolean(at(reply, "/result/drives/0/locked")));
	cr_assert_str_eq(TEXT(reply, "/result/serial/0/kind"), "none");
	cr_assert_str_eq(TEXT(reply, "/result/serial/1/kind"), "listen");
	cr_assert_str_eq(TEXT(reply, "/result/serial/1/name"), "com2");
}

Test(control, stats_name_processors_and_devices)
{
	json_object *reply = ask(client(), "{\"command\":\"stats\"}");

	cr_assert(OK(reply));
	cr_assert_eq(json_object_array_length(at(reply, "/result/vcpus")), 2);
	cr_assert_eq(NUMBER(reply, "/result/vcpus/1/exits/hlt"), 5);
	cr_assert_eq(NUMBER(reply, "/result/vcpus/0/exits/mmio_write"), 0);
	cr_assert_eq(json_object_object_length(at(reply, "/result/vcpus/0/exits")), EXIT_KINDS);
	cr_assert_str_eq(TEXT(reply, "/result/devices/0/name"), "uart0");
	cr_assert_str_eq(TEXT(reply, "/result/devices/0/class"), "ns16550");
	cr_assert_str_eq(TEXT(reply, "/result/devices/0/regions/0/name"), "ports");
	cr_assert_eq(NUMBER(reply, "/result/devices/0/regions/0/reads"), 7);
	cr_assert_eq(NUMBER(reply, "/result/devices/0/regions/0/writes"), 9);
}

Test(control, verbs_reach_the_machine)
{
	int fd = client();

	cr_assert_str_eq(TEXT(ask(fd, "{\"command\":\"pause\"}"), "/result/state"), "paused");
	cr_assert_str_eq(TEXT(ask(fd, "{\"command\":\"status\"}"), "/result/state"), "paused");
	cr_assert_str_eq(TEXT(ask(fd, "{\"command\":\"ping\"}"), "/result/state"), "paused");
	cr_assert_eq(machine.pings, 1);
	cr_assert_not(OK(ask(fd, "{\"command\":\"power-button\"}")), "paused");
	cr_assert_str_eq(TEXT(ask(fd, "{\"command\":\"resume\"}"), "/result/state"), "running");
	cr_assert(OK(ask(fd, "{\"command\":\"power-button\"}")));
	cr_assert(OK(ask(fd, "{\"command\":\"reset\"}")));
	cr_assert_eq(NUMBER(ask(fd, "{\"command\":\"status\"}"), "/result/resets"), 1);
	cr_assert(OK(ask(fd, "{\"command\":\"quit\"}")));
	cr_assert_not(OK(ask(fd, "{\"command\":\"reset\"}")), "ended");
	cr_assert_eq(machine.resets, 1);
	cr_assert_eq(machine.presses, 1);
	cr_assert_eq(machine.quits, 1);
}

/* As say(), with a descriptor of a file whose inode number is returned. */
static void say_with_file(int fd, const char *line, int file)
{
	struct iovec iov = { (void *)(uintptr_t)line, strlen(line) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} ancillary = { .room = { 0 } };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ancillary,
		.msg_controllen = sizeof(ancillary.room),
	};

	ancillary.header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&ancillary.header), &file, sizeof(file));
	cr_assert_eq(sendmsg(fd, &message, MSG_NOSIGNAL), (ssize_t)strlen(line));
}

Test(control, media_come_with_their_descriptor)
{
	static const char insert[] = "{\"command\":\"insert\",\"drive\":\"cd0\",\"name\":\"nt4."
				     "iso\",\"read_only\":true}";
	int fd = client(), file = memfd_create("medium", MFD_CLOEXEC);
	struct stat sent, got;

	cr_assert_not(OK(ask(fd, insert)), "no descriptor came along");
	cr_assert_eq(machine.inserts, 0);
	say_with_file(fd, " ", file);
	cr_assert(OK(ask(fd, insert)));
	cr_assert_eq(machine.inserts, 1);
	cr_assert_str_eq(machine.drive, "cd0");
	cr_assert_str_eq(machine.medium.name, "nt4.iso");
	cr_assert_eq(machine.medium.format, VM_DISK_RAW);
	cr_assert(machine.medium.read_only);
	cr_assert_not(machine.force);
	fstat(file, &sent);
	cr_assert_eq(fstat(machine.medium.fd, &got), 0);
	cr_assert_eq(sent.st_ino, got.st_ino);
	cr_assert_not(OK(ask(fd, insert)), "it was taken");
	say_with_file(fd, " ", file);
	cr_assert_not(OK(ask(fd, "{\"command\":\"insert\",\"drive\":\"cd1\",\"name\":\"a\"}")));
	cr_assert_not(OK(ask(fd, insert)), "not kept for another request");
	cr_assert(OK(ask(fd, "{\"command\":\"eject\",\"drive\":\"cd0\",\"force\":true}")));
	cr_assert_eq(machine.ejects, 1);
	cr_assert(machine.force);
	cr_assert_not(OK(ask(fd, "{\"command\":\"eject\"}")));
	cr_assert_not(OK(ask(fd, "{\"command\":\"eject\",\"drive\":7}")));
	cr_assert_not(OK(ask(fd, "{\"command\":\"eject\",\"drive\":\"cd0\",\"name\":\"x\"}")));
	close(file);
}

Test(control, a_machine_that_is_being_saved_is_left_alone)
{
	static const char *const changes[] = { "pause", "resume", "reset", "power-button" };
	int fd = client(), pair[2];
	char line[64];

	cr_assert_not(OK(ask(fd, "{\"command\":\"save\"}")), "no descriptor came along");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	say_with_file(fd, " ", pair[0]);
	cr_assert(OK(ask(fd, "{\"command\":\"save\"}")));
	say_with_file(fd, " ", pair[1]);
	cr_assert_not(OK(ask(fd, "{\"command\":\"save\"}")), "not twice");
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		snprintf(line, sizeof(line), "{\"command\":\"%s\"}", changes[i]);
		cr_assert_not(OK(ask(fd, line)), "%s", changes[i]);
	}
	cr_assert_eq(machine.resets + machine.pauses + machine.presses, 0);
	cr_assert_str_eq(TEXT(ask(fd, "{\"command\":\"status\"}"), "/result/saving"), "parking");
	close(pair[0]);
	close(pair[1]);
}

Test(control, what_is_no_request_is_refused_in_one_line)
{
	static const char *const bad[] = {
		"x",
		"{",
		"{}",
		"null",
		"[]",
		"7",
		"\"status\"",
		"{\"command\":7}",
		"{\"command\":null}",
		"{\"command\":\"\"}",
		"{\"command\":\"Status\"}",
		"{\"command\":\"statu\"}",
		"{\"command\":\"quit\\u0000\"}",
		"{\"command\":\"status\"} x",
		"{\"command\":\"status\"}{}",
		"{\"command\":\"status\",}",
		"{'command':'status'}",
		"{\"command\":\"quit\",\"force\":true}",
		"{\"command\":\"status\",\"id\":\"\xff\"}",
		"{\"command\":\"status\",\"id\":[[[[[[[[[[1]]]]]]]]]]}",
		"{\"command\":\"status\"/* */}",
		"{\"command\":\"status\",\"id\":NaN}",
		"{\"command\":\"status\",\"id\":[{\"a\":-Infinity}]}",
	};
	int fd = client();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_object *reply = ask(fd, bad[i]);

		cr_assert_not(OK(reply), "%s", bad[i]);
		cr_assert_gt(strlen(TEXT(reply, "/error")), 10);
	}
	cr_assert_eq(machine.quits + machine.resets + machine.pauses, 0);
	cr_assert(OK(ask(fd, " {\"command\" : \"status\"} \r")));
}

Test(control, a_nul_inside_a_line_is_no_end)
{
	static const char line[] = "{\"command\":\"quit\"}\0{}\n";
	char reply[256];
	int fd = client();

	say(fd, line, sizeof(line) - 1);
	cr_assert(hear(fd, reply, sizeof(reply)));
	cr_assert(strstr(reply, "\"ok\":false"), "%s", reply);
	cr_assert_eq(machine.quits, 0);
}

Test(control, requests_in_one_packet_or_byte_by_byte)
{
	static const char three[] = "{\"command\":\"reset\",\"id\":1}\n\n"
				    "{\"command\":\"reset\",\"id\":2}\n"
				    "{\"command\":\"reset\",\"id\":3}\n";
	char line[256], want[32];
	int fd = client();

	for (int way = 0; way < 2; way++) {
		if (way) {
			for (size_t i = 0; i < sizeof(three) - 1; i++)
				say(fd, three + i, 1);
		} else {
			say(fd, three, sizeof(three) - 1);
		}
		for (int id = 1; id <= 3; id++) {
			cr_assert(hear(fd, line, sizeof(line)));
			snprintf(want, sizeof(want), "\"id\":%d,", id);
			cr_assert(strstr(line, want), "%s", line);
		}
	}
	cr_assert_eq(machine.resets, 6);
}

Test(control, replies_still_come_when_the_client_says_no_more)
{
	static const char two[] = "{\"command\":\"status\"}\n{\"command\":\"stats\"}\n{\"comm";
	char line[8192];
	int fd = client();

	say(fd, two, sizeof(two) - 1);
	shutdown(fd, SHUT_WR);
	cr_assert(hear(fd, line, sizeof(line)));
	cr_assert(hear(fd, line, sizeof(line)));
	cr_assert_not(hear(fd, line, sizeof(line)));
}

/* Replies must not need what the loop thread cannot have: this is the machine's own order of
 * things. */
static void serve_filtered(int listen_fd)
{
	enum sandbox_level level;

	machine.ends_loop = true;
	dup2(listen_fd, 3);
	level = sandbox_early(&(struct sandbox_options){ .allow_degraded = true });
	if (loop_new(&loop) < 0 || control_new(loop, &machine, 3, level, &control) < 0)
		_exit(2);
	sandbox_warm_up();
	sandbox_files(level);
	sandbox_thread(SANDBOX_LOOP);
	if (loop_run(loop) != 4)
		_exit(3);
	control_free(control);
	loop_free(loop);
	_exit(0);
}

Test(control, all_commands_work_under_the_loops_filter)
{
	static const char *const requests[] = {
		"{\"command\":\"status\",\"id\":1.5}",
		"{\"command\":\"stats\",\"id\":\"\\u00e9\"}",
		"{\"command\":\"pause\"}",
		"{\"command\":\"resume\"}",
		"{\"command\":\"reset\"}",
		"{\"command\":\"power-button\"}",
		"{\"command\":\"quit\"}",
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer, status;
	socklen_t size = sizeof(address);
	pid_t pid;

	address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	pid = fork();
	if (!pid)
		serve_filtered(fd);
	close(fd);
	for (unsigned int round = 0; round < 3; round++) {
		peer = client();
		for (size_t i = 0; i < ARRAY_LEN(requests) - (round < 2); i++)
			cr_assert(OK(ask(peer, requests[i])), "%s", requests[i]);
		close(peer);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

/* --- clients that misbehave */

Test(control, the_longest_line_passes_and_a_longer_one_ends_the_client)
{
	char request[4200], line[8192];
	int length, fd = client();

	length = snprintf(request, sizeof(request), "{\"command\":\"reset\",\"id\":\"");
	memset(request + length, 'i', 4096 - (size_t)length - 2);
	memcpy(request + 4094, "\"}\n", 3);
	say(fd, request, 4097);
	cr_assert(hear(fd, line, sizeof(line)));
	cr_assert(strstr(line, "\"ok\":true"), "%s", line);
	memcpy(request + 4094, "i\"}\n", 4);
	say(fd, request, 4098);
	cr_assert_not(hear(fd, line, sizeof(line)));
	cr_assert(OK(ask(client(), "{\"command\":\"status\"}")));
	cr_assert_eq(machine.resets, 1);
}

Test(control, a_client_that_does_not_read_is_dropped_and_others_are_served)
{
	static const char request[] = "{\"command\":\"status\"}\n";
	struct pollfd pfd = { .events = POLLOUT };
	size_t sent = 0;
	ssize_t n = 0;

	pfd.fd = client();
	/* Far more than the buffers of both sides hold replies for. */
	while (sent < 8u << 20) {
		if (poll(&pfd, 1, 5000) <= 0)
			break;
		n = send(pfd.fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	cr_assert_eq(n, -1);
	cr_assert(errno == EPIPE || errno == ECONNRESET);
	cr_assert(OK(ask(client(), "{\"command\":\"status\"}")));
}

Test(control, the_ninth_client_takes_the_place_of_the_most_silent_one)
{
	char line[64];
	int fds[9];

	for (int i = 0; i < 8; i++) {
		fds[i] = client();
		cr_assert(OK(ask(fds[i], "{\"command\":\"status\"}")));
	}
	/* The first is heard again: now the second is the most silent. */
	cr_assert(OK(ask(fds[0], "{\"command\":\"status\"}")));
	fds[8] = client();
	cr_assert(OK(ask(fds[8], "{\"command\":\"status\"}")));
	cr_assert_not(hear(fds[1], line, sizeof(line)));
	for (int i = 0; i < 9; i++) {
		if (i != 1)
			cr_assert(OK(ask(fds[i], "{\"command\":\"status\"}")), "%d", i);
	}
}

Test(control, descriptors_that_come_along_do_not_pile_up)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = { .header = { .cmsg_level = SOL_SOCKET,
				    .cmsg_type = SCM_RIGHTS,
				    .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec iov = { (void *)"{\"command\":\"status\"}\n", 21 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ancillary.bytes,
		.msg_controllen = sizeof(ancillary.bytes),
	};
	int fd = client(), pipes[2];
	char line[8192], byte;

	cr_assert_eq(pipe(pipes), 0);
	memcpy(CMSG_DATA(&ancillary.header), &pipes[1], sizeof(int));
	cr_assert_eq(sendmsg(fd, &message, 0), 21);
	cr_assert(hear(fd, line, sizeof(line)));
	close(pipes[1]);
	cr_assert_eq(read(pipes[0], &byte, 1), 0, "nobody else holds the pipe");
}

/* Mutated requests: every one of them is answered by one line of JSON, or ends the client; never
 * more. */
Test(control, random_requests_do_no_harm)
{
	static const char *const seeds[] = {
		"{\"command\":\"status\",\"id\":1}",
		"{\"command\":\"stats\",\"id\":{\"a\":[1,2.5e3,\"\\u00e9\\ud83d\\ude00\"]}}",
		"{\"id\":\"x\",\"command\":\"pause\"}",
	};
	uint32_t random = 2463534242u;
	unsigned int good = 0;
	int fd = client();

	for (int round = 0; round < 5000; round++) {
		char request[128], line[16384];
		size_t size = strlen(seeds[round % 3]);
		json_object *reply;

		memcpy(request, seeds[round % 3], size);
		for (int i = 0; i < 1 + round % 3; i++) {
			random ^= random << 13, random ^= random >> 17, random ^= random << 5;
			request[random % size] = (char)(random >> 16);
		}
		for (size_t i = 0; i < size; i++) {
			if (request[i] == '\n')
				request[i] = ' ';
		}
		request[0] = '{';
		request[size] = '\n';
		say(fd, request, size + 1);
		cr_assert(hear(fd, line, sizeof(line)), "round %d", round);
		reply = json_tokener_parse(line);
		cr_assert_not_null(reply, "round %d: %s", round, line);
		good += OK(reply);
		json_object_put(reply);
	}
	cr_assert_eq(machine.quits, 0);
	cr_assert(good > 10 && good < 4000, "%u", good);
}

Test(control, texts_and_keys_are_typed)
{
	static const uint8_t typed[] = { 0x1e, 0, 0x1d, 0x38, 0xd3, 0, 0, 0 };
	int fd = client();
	json_object *reply = ask(fd, "{\"command\":\"type\",\"text\":\"a\"}");

	cr_assert_gt(json_object_get_int(at(reply, "/result/busy_ms")), 0);
	ask(fd, "{\"command\":\"key\",\"keys\":\"ctrl+alt+del\"}");
	for (unsigned int i = 0; i < 1000 && key_count < sizeof(typed); i++)
		usleep(5000);
	cr_assert_arr_eq(keys, typed, sizeof(typed));
	reply = ask(fd, "{\"command\":\"type\",\"text\":\"a\",\"layout\":\"xx\"}");
	cr_assert_not(json_object_get_boolean(at(reply, "/ok")));
	reply = ask(fd, "{\"command\":\"type\"}");
	cr_assert_not(json_object_get_boolean(at(reply, "/ok")));
	reply = ask(fd, "{\"command\":\"key\",\"keys\":\"hyper\"}");
	cr_assert_not(json_object_get_boolean(at(reply, "/ok")));
	reply = ask(fd, "{\"command\":\"key\",\"keys\":\"a\",\"layout\":\"us\"}");
	cr_assert_not(json_object_get_boolean(at(reply, "/ok")));
}
