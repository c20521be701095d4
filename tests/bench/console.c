// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the remote console costs: a screen at rest with a viewer, and a key from the viewer's bytes
 * to the keyboard's interrupt.
 *
 *	console MAINSTAY [RUNS]
 *
 * The machine has no processor (mainstay run --devtest): what is measured is the machine's process,
 * on any host, without KVM. The key's time is compared with a round trip over the device test port's
 * socket in the same run: the median of each. Writes bench-console.json beside bench.json.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/log.h"
#include "report.h"

#define IDLE_SETTLE_S 3
#define IDLE_S 10
#define KEYS 400
#define ROUND_TRIPS 400
#define STEP "clock_step 2000000\n"

enum { IDLE, KEY };

static const struct figure figures[] = {
	[IDLE] = { .metric = "idle screen with a viewer",
		   .unit = "% of a CPU",
		   .goal = 1,
		   .limit = 1 },
	[KEY] = { .metric = "key press to interrupt, peer: a socket round trip",
		  .unit = "us",
		  .goal = 3 },
};

static char folder[] = "/tmp/bench-console-XXXXXX";
static pid_t starter;

static void clean_up(void)
{
	char command[128];

	if (starter > 0) {
		kill(starter, SIGTERM);
		waitpid(starter, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (system(command))
		fprintf(stderr, "%s is left\n", folder);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int connect_to(const char *name)
{
	const struct timeval patience = { .tv_sec = 10 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (unsigned int i = 0; i < 500; i++) {
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		usleep(10000);
	}
	die("%s: %s", address.sun_path, strerror(errno));
}

static void start_machine(const char *mainstay)
{
	char port[256], run[256];

	if (!mkdtemp(folder))
		die("%s: %s", folder, strerror(errno));
	atexit(clean_up);
	snprintf(port, sizeof(port), "unix:%s/port", folder);
	snprintf(run, sizeof(run), "%s/run", folder);
	setenv("MAINSTAY_RUNTIME_DIR", run, 1);
	starter = fork();
	if (starter == 0) {
		execl(mainstay, mainstay, "run", "--devtest", port, "--name", "pc", "--headless",
		      "--serial", "none", (char *)NULL);
		_exit(127);
	}
}

/* --- the device test port */

static int test_port;
static char line[512];
static size_t line_count;

static void send_text(const char *text)
{
	if (send(test_port, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		die("the device test port hung up");
}

/* The next line, without its end. */
static const char *hear_line(void)
{
	static char result[sizeof(line)];
	char *end;

	while (!(end = memchr(line, '\n', line_count))) {
		ssize_t n = recv(test_port, line + line_count, sizeof(line) - line_count, 0);

		if (n <= 0)
			die("the device test port says nothing");
		line_count += (size_t)n;
	}
	*end = '\0';
	strcpy(result, line);
	line_count -= (size_t)(end + 1 - line);
	memmove(line, end + 1, line_count);
	return result;
}

/* The answer to @command; interrupts that are told of before it are noted. */
static bool irq_raised;

static const char *ask(const char *command)
{
	const char *answer;

	send_text(command);
	for (;;) {
		answer = hear_line();
		if (strncmp(answer, "IRQ ", 4))
			return answer;
		irq_raised |= !strcmp(answer, "IRQ raise 1");
	}
}

/* The keyboard's interrupt on, translation on, and nothing left to read. */
static void set_up_keyboard(void)
{
	ask("irq_intercept_in ioapic\n");
	ask("outb 0x64 0x60\n");
	ask(STEP);
	ask("outb 0x60 0x45\n");
	ask(STEP);
	for (unsigned int i = 0; i < 8; i++) {
		ask("inb 0x60\n");
		ask(STEP);
	}
	irq_raised = false;
}

/* --- the viewer */

static int viewer;

static void hear(void *ret_bytes, size_t count)
{
	uint8_t *to = ret_bytes;

	while (count) {
		ssize_t n = recv(viewer, to, count, 0);

		if (n <= 0)
			die("the screen says nothing");
		to += n;
		count -= (size_t)n;
	}
}

static void say(const void *bytes, size_t count)
{
	if (send(viewer, bytes, count, MSG_NOSIGNAL) != (ssize_t)count)
		die("the screen hung up");
}

/* Takes what comes for a while: updates, whatever they hold. */
static void take_all(int64_t for_ns)
{
	static uint8_t bytes[65536];
	const int64_t end = now_ns() + for_ns;

	while (now_ns() < end) {
		if (recv(viewer, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
			usleep(20000);
	}
}

static void greet(void)
{
	static const uint8_t encodings[] = { 2,	   0,	 0,    3,    0,	   0,	 0,    16,
					     0xff, 0xff, 0xfe, 0xfe, 0xff, 0xff, 0xff, 0x21 };
	uint8_t bytes[256];

	hear(bytes, 12);
	say("RFB 003.008\n", 12);
	hear(bytes, 2);
	say("\1", 1);
	hear(bytes, 4);
	say("\1", 1);
	hear(bytes, 24);
	hear(bytes, get_be32(bytes + 20));
	say(encodings, sizeof(encodings));
}

static void request(bool incremental)
{
	const uint8_t message[10] = { 3, incremental, 0, 0, 0, 0, 8, 0, 8, 0 };

	say(message, sizeof(message));
}

static void press(bool down)
{
	const uint8_t key[12] = { 255, 0, 0, down, 0, 0, 0, 'a', 0, 0, 0, 0x1e };

	say(key, sizeof(key));
}

/* --- figures */

/* Processor time of the machine's process: the starter's child. */
static int64_t machine_ns(void)
{
	char path[128];
	int64_t total = 0;
	struct dirent *entry;
	FILE *file;
	DIR *tasks;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)starter, (int)starter);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &child) != 1)
		die("the machine's process is not found");
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/task", child);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		long long ns = 0;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", child, entry->d_name);
		file = fopen(path, "r");
		if (file && fscanf(file, "%lld", &ns) == 1)
			total += ns;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return total;
}

static void measure_idle(struct report *report)
{
	int64_t began, before;

	request(false);
	take_all(INT64_C(500000000));
	/* A viewer waits for what changes. */
	request(true);
	take_all(IDLE_SETTLE_S * INT64_C(1000000000));
	request(true);
	began = now_ns();
	before = machine_ns();
	sleep(IDLE_S);
	report_value(report, IDLE, SIDE_OURS,
		     100.0 * (double)(machine_ns() - before) / (double)(now_ns() - began));
	take_all(1);
}

static int compare_numbers(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_numbers);
	return values[count / 2];
}

static void measure_key(struct report *report)
{
	static double keys[KEYS], trips[ROUND_TRIPS];

	for (unsigned int i = 0; i < ROUND_TRIPS; i++) {
		const int64_t began = now_ns();

		ask("inb 0x64\n");
		trips[i] = (double)(now_ns() - began) / 1000;
	}
	for (unsigned int i = 0; i < KEYS; i++) {
		const int64_t began = now_ns();

		press(i % 2 == 0);
		/* Virtual time stands until it is told to pass. */
		for (unsigned int n = 0; n < 1000 && !irq_raised; n++)
			ask(STEP);
		if (!irq_raised)
			die("a key made no interrupt");
		keys[i] = (double)(now_ns() - began) / 1000;
		/* The interrupt's handler; a release has two bytes without translation, one with. */
		ask("inb 0x60\n");
		ask(STEP);
		ask("inb 0x60\n");
		irq_raised = false;
	}
	report_value(report, KEY, SIDE_OURS, median(keys, KEYS));
	report_value(report, KEY, SIDE_PEER, median(trips, ROUND_TRIPS));
}

int main(int argc, char **argv)
{
	const int runs = argc == 3 ? atoi(argv[2]) : 3;
	struct report report;
	const char *json = getenv("BENCH_JSON");
	int r;

	log_init("console", LOG_LEVEL_INFO);
	if (argc < 2 || argc > 3 || runs < 1 || runs > RUNS_MAX)
		die("give MAINSTAY [RUNS]");
	report_init(&report, "The remote console", figures, ARRAY_LEN(figures));
	start_machine(argv[1]);
	test_port = connect_to("port");
	viewer = connect_to("run/pc/display");
	greet();
	for (int i = 0; i < runs; i++)
		measure_idle(&report);
	set_up_keyboard();
	for (int i = 0; i < runs; i++)
		measure_key(&report);
	report_print(&report);
	r = json ? report_write_json(&report, json) : 0;
	if (r < 0)
		die("%s: %s", json, strerror(-r));
	report_fini(&report);
	return EXIT_SUCCESS;
}
