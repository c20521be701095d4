// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the remote console costs: a text screen with its blinking cursor and a viewer, and a key from the viewer's bytes
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
#include <stdarg.h>
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
	setenv("MAINSTAY_NET", "none", 1);
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

/* The registers of text mode 3, 720x400, by their port and from index 0 on. */
static const uint8_t sequencer[] = { 3, 0, 3, 0, 2 };
static const uint8_t crtc[] = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
				0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x0e,
				0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff };
static const uint8_t graphics[] = { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff };
static const uint8_t attributes[] = { 0,    1,	  2,	3,    4,    5,	  0x14,
				      7,    0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
				      0x3e, 0x3f, 0x0c, 0,    0x0f, 8,	  0 };

__attribute__((format(printf, 1, 2))) static const char *askf(const char *format, ...)
{
	char command[64];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return ask(command);
}

static void set_indexed(unsigned int port, const uint8_t *values, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		askf("outw 0x%x 0x%x\n", port, values[i] << 8 | i);
}

/* A screen full of text with a cursor that blinks, as it stands at a prompt. */
static void set_up_text(void)
{
	for (unsigned int slot = 0; slot < 32; slot++) {
		askf("outl 0xcf8 0x%x\n", 0x80000000u | slot << 11);
		if (strtoul(ask("inl 0xcfc\n") + strlen("OK "), NULL, 0) != 0x88115333)
			continue;
		askf("outl 0xcf8 0x%x\n", 0x80000004u | slot << 11);
		ask("outw 0xcfc 3\n");
	}
	ask("outb 0x3c2 0x67\n");
	set_indexed(0x3c4, sequencer, sizeof(sequencer));
	ask("outw 0x3d4 0x0e11\n");
	set_indexed(0x3d4, crtc, sizeof(crtc));
	set_indexed(0x3ce, graphics, sizeof(graphics));
	ask("inb 0x3da\n");
	for (unsigned int i = 0; i < sizeof(attributes); i++) {
		askf("outb 0x3c0 %u\n", i);
		askf("outb 0x3c0 %u\n", attributes[i]);
	}
	ask("outb 0x3c0 0x20\n");
	for (unsigned int i = 0; i < 2000; i++)
		askf("writew 0x%x 0x%x\n", 0xb8000 + 2 * i, 0x0720 + i % 95);
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

static bool took_anything(void)
{
	static uint8_t bytes[65536];

	return recv(viewer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0;
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
	/* The cursor blinks by virtual time, and the viewer asks again after each update. */
	while (now_ns() - began < IDLE_S * INT64_C(1000000000)) {
		usleep(50000);
		ask("clock_step 50000000\n");
		if (took_anything())
			request(true);
	}
	report_value(report, IDLE, SIDE_OURS,
		     100.0 * (double)(machine_ns() - before) / (double)(now_ns() - began));
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
	set_up_text();
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
