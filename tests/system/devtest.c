// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client of the device test port (mainstay-vmm --devtest), written like a driver, and its rude
 * relatives. devtest.sh compiles it; prints TAP lines.
 *
 *	devtest VMM [MAINSTAY DISK]
 *
 * With MAINSTAY, DISK is a raw image whose first sector begins with "sector 0".
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 20000

static const char *vmm, *mainstay, *disk;
static unsigned int count, failures;

struct machine {
	pid_t pid;
	int fd; /* -1: none */
	char line[1 << 20];
	size_t used;
	unsigned int raises[16], lowers[16]; /* told since the start */
};

static void result(bool ok, const char *what)
{
	printf("%s %u - devtest: %s\n", ok ? "ok" : "not ok", ++count, what);
	fflush(stdout);
	failures += !ok;
}

static void note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* --- the machine's process */

static pid_t spawn(char *const argv[], int keep)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (int fd = 3; fd < 64; fd++) {
		if (fd != keep)
			close(fd);
	}
	execv(argv[0], argv);
	_exit(127);
}

/* On a socket pair, by fd:N. With @image a machine of "mainstay run" with that disk. */
static struct machine *start_with(const char *image)
{
	struct machine *m = calloc(1, sizeof(*m));
	char where[32], drive[512];
	int pair[2];

	if (!m || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		exit(1);
	snprintf(where, sizeof(where), "fd:%d", pair[1]);
	if (image) {
		snprintf(drive, sizeof(drive), "%s,format=raw", image);
		m->pid = spawn((char *[]){ (char *)mainstay,
					   "run",
					   "--devtest",
					   where,
					   "--drive",
					   drive,
					   "--memory",
					   "16M",
					   "--floppy",
					   "floppy.img",
					   "--floppy",
					   "empty",
					   "--cdrom",
					   "cd.img",
					   "--kernel",
					   "kernel",
					   "--initrd",
					   "initrd",
					   "--append",
					   "quiet",
					   "--serial",
					   "file:com1",
					   "--serial",
					   "pty",
					   "--parallel",
					   "file:lpt",
					   "--firmware-log",
					   "log",
					   NULL },
			       pair[1]);
	} else {
		m->pid = spawn((char *[]){ (char *)vmm, "--devtest", where, NULL }, pair[1]);
	}
	close(pair[1]);
	m->fd = pair[0];
	return m;
}

static int wait_end(struct machine *m)
{
	int status = -1;

	for (int i = 0; i < ANSWER_MS / 10; i++) {
		if (waitpid(m->pid, &status, WNOHANG) == m->pid)
			return status;
		usleep(10000);
	}
	kill(m->pid, SIGKILL);
	waitpid(m->pid, &status, 0);
	return -1;
}

/* Hangs up, and wants the machine to end well. */
static bool finish(struct machine *m)
{
	int status;

	close(m->fd);
	status = wait_end(m);
	free(m);
	return status == 0;
}

/* --- talking */

/* The next line, interrupts counted and left out. NULL: the machine hung up or is silent. */
static const char *next_line(struct machine *m)
{
	static char answer[sizeof(m->line)];

	for (;;) {
		char *end = memchr(m->line, '\n', m->used), kind;
		struct pollfd ready = { m->fd, POLLIN, 0 };
		unsigned int n;
		ssize_t got;

		if (end) {
			size_t length = (size_t)(end - m->line);

			memcpy(answer, m->line, length);
			answer[length] = '\0';
			m->used -= length + 1;
			memmove(m->line, end + 1, m->used);
			if (sscanf(answer, "IRQ %c%*s %u", &kind, &n) == 2 && n < 16) {
				m->raises[n] += kind == 'r';
				m->lowers[n] += kind == 'l';
				continue;
			}
			return answer;
		}
		if (m->used == sizeof(m->line) || poll(&ready, 1, ANSWER_MS) <= 0)
			return NULL;
		got = read(m->fd, m->line + m->used, sizeof(m->line) - m->used);
		if (got <= 0)
			return NULL;
		m->used += (size_t)got;
	}
}

static bool put(struct machine *m, const char *text, size_t size)
{
	while (size) {
		ssize_t n = send(m->fd, text, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		text += n;
		size -= (size_t)n;
	}
	return true;
}

/* The answer to one command; "" when there is none. */
static const char *ask(struct machine *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static const char *ask(struct machine *m, const char *format, ...)
{
	char text[4096];
	const char *answer;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	text[n++] = '\n';
	answer = put(m, text, (size_t)n) ? next_line(m) : NULL;
	if (!answer)
		note("no answer to %.*s", n - 1, text);
	return answer ? answer : "";
}

static bool is(const char *answer, const char *wanted)
{
	if (!strcmp(answer, wanted))
		return true;
	note("\"%.200s\" instead of \"%s\"", answer, wanted);
	return false;
}

static unsigned long long number(const char *answer)
{
	return strncmp(answer, "OK ", 3) ? ~0ull : strtoull(answer + 3, NULL, 0);
}

static void outb(struct machine *m, unsigned int port, unsigned int value)
{
	if (strcmp(ask(m, "outb 0x%x 0x%x", port, value), "OK") != 0)
		note("outb %x was not taken", port);
}

static unsigned int inb(struct machine *m, unsigned int port)
{
	return (unsigned int)number(ask(m, "inb 0x%x", port));
}

/* --- drivers */

static bool board_answers(struct machine *m)
{
	return is(ask(m, "outl 0xcf8 0x80000000"), "OK") &&
	       is(ask(m, "inl 0xcfc"), "OK 0x12378086") && is(ask(m, "endianness"), "OK little") &&
	       is(ask(m, "write 0x5000 4 0xdeadbeef"), "OK") &&
	       is(ask(m, "read 0x5000 4"), "OK 0xdeadbeef");
}

/* The clock's periodic interrupt, counted over ten virtual seconds. */
static bool clock_ticks(struct machine *m)
{
	bool ok = is(ask(m, "irq_intercept_in ioapic"), "OK");
	unsigned int before = m->raises[8];

	outb(m, 0x70, 0x0a);
	outb(m, 0x71, 0x26);
	outb(m, 0x70, 0x0b);
	outb(m, 0x71, 0x42);
	outb(m, 0x70, 0x0c);
	for (int i = 0; i < 1000; i++) {
		ok = ok && !strncmp(ask(m, "clock_step 10000000"), "OK ", 3);
		inb(m, 0x71);
	}
	/* One reading of register C for each step takes one tick at most. */
	if (m->raises[8] - before != 1000 || m->lowers[8] != m->raises[8]) {
		note("%u raises, %u lowers", m->raises[8] - before, m->lowers[8]);
		return false;
	}
	return ok && number(ask(m, "clock_step 0")) == 10000000000ull;
}

static bool time_can_be_long(struct machine *m)
{
	/* An hour in one step: every timer on the way expires, and nothing waits for real time. */
	return number(ask(m, "clock_step 3600000000000")) == 3610000000000ull &&
	       is(ask(m, "clock_set 1"), "FAIL clock_set: time never goes back");
}

/* The interrupt lines of the serial ports and the keyboard controller. */
static bool lines_have_isa_numbers(struct machine *m)
{
	unsigned int com1 = m->raises[4], keyboard = m->raises[1];

	outb(m, 0x3fc, 0x08);
	outb(m, 0x3f9, 0x02); /* the transmitter is empty */
	ask(m, "clock_step 10000000");
	outb(m, 0x64, 0x60);
	outb(m, 0x60, 0x01);
	outb(m, 0x64, 0xd2); /* a byte as if from the keyboard */
	outb(m, 0x60, 0x55);
	ask(m, "clock_step 10000000");
	if (m->raises[4] == com1 || m->raises[1] == keyboard) {
		note("COM1 %u, keyboard %u", m->raises[4] - com1, m->raises[1] - keyboard);
		return false;
	}
	return inb(m, 0x60) == 0x55;
}

static bool reset_comes_back(struct machine *m)
{
	outb(m, 0x70, 0x0f);
	outb(m, 0x71, 0x00);
	outb(m, 0x3fb, 0x55);
	outb(m, 0xcf9, 0x02);
	outb(m, 0xcf9, 0x06);
	return inb(m, 0x3fb) == 0 && is(ask(m, "read 0x5000 4"), "OK 0xdeadbeef");
}

static void drive_machine(void)
{
	struct machine *m = start_with(NULL);

	result(board_answers(m), "the board answers");
	result(clock_ticks(m), "the clock ticks in virtual time");
	result(time_can_be_long(m), "an hour passes in one command");
	result(lines_have_isa_numbers(m), "interrupts are told by their ISA numbers");
	result(reset_comes_back(m), "a hard reset resets the devices and keeps the memory");
	result(finish(m), "the machine ends with its client");
}

/* --- a disk, by PIO and by bus-master DMA */

#define BMIDE 0xc000

/* What firmware does: the function answers, its primary channel and bus master too. */
static void enable_disks(struct machine *m)
{
	ask(m, "outl 0xcf8 0x80000920");
	ask(m, "outl 0xcfc 0x%x", BMIDE | 1);
	ask(m, "outl 0xcf8 0x80000940");
	ask(m, "outl 0xcfc 0x00008000");
	ask(m, "outl 0xcf8 0x80000904");
	ask(m, "outl 0xcfc 5");
}

static bool disk_by_pio(struct machine *m)
{
	unsigned int raises = m->raises[14], status;
	char text[9] = "";

	enable_disks(m);
	outb(m, 0x1f6, 0xe0);
	outb(m, 0x1f2, 1);
	outb(m, 0x1f3, 0);
	outb(m, 0x1f4, 0);
	outb(m, 0x1f5, 0);
	outb(m, 0x1f7, 0x20);
	ask(m, "clock_step 1000000");
	status = inb(m, 0x1f7);
	if (status != 0x58 || m->raises[14] != raises + 1) {
		note("status %x, %u interrupts", status, m->raises[14] - raises);
		return false;
	}
	for (int i = 0; i < 256; i++) {
		unsigned long long word = number(ask(m, "inw 0x1f0"));

		if (i < 4) {
			text[2 * i] = (char)word;
			text[2 * i + 1] = (char)(word >> 8);
		}
	}
	return is(text, "sector 0") && inb(m, 0x1f7) == 0x50;
}

static bool disk_by_dma(struct machine *m)
{
	unsigned int raises = m->raises[14];

	/* One descriptor: 512 bytes to 20000h. */
	ask(m, "write 0x1000 8 0x0000020000020080");
	ask(m, "outl 0x%x 0x1000", BMIDE + 4);
	outb(m, BMIDE, 0x08);
	outb(m, BMIDE + 2, 0x06);
	outb(m, 0x1f2, 1);
	outb(m, 0x1f7, 0xc8);
	outb(m, BMIDE, 0x09);
	ask(m, "clock_step 1000000");
	outb(m, BMIDE, 0x08);
	return m->raises[14] == raises + 1 && inb(m, 0x1f7) == 0x50 &&
	       is(ask(m, "read 0x20000 8"), "OK 0x736563746f722030");
}

static void sense_interrupt(struct machine *m)
{
	outb(m, 0x3f5, 0x08);
	inb(m, 0x3f5);
	inb(m, 0x3f5);
}

/* Recalibrates drive A and reads its first sector by DMA. */
static bool floppy_by_dma(struct machine *m)
{
	static const unsigned char read[] = { 0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff };
	unsigned int raises = m->raises[6];

	outb(m, 0x3f2, 0x1c);
	ask(m, "clock_step 1000000000");
	for (int drive = 0; drive < 4; drive++)
		sense_interrupt(m);
	outb(m, 0x3f7, 0);
	outb(m, 0x3f5, 0x07);
	outb(m, 0x3f5, 0);
	ask(m, "clock_step 1000000000");
	sense_interrupt(m);
	/* Channel 2: 512 bytes to 30000h. */
	outb(m, 0x0c, 0);
	outb(m, 0x0b, 0x46);
	outb(m, 0x04, 0);
	outb(m, 0x04, 0);
	outb(m, 0x81, 3);
	outb(m, 0x05, 0xff);
	outb(m, 0x05, 0x01);
	outb(m, 0xd6, 0xc0);
	outb(m, 0xd4, 0);
	outb(m, 0x0a, 2);
	for (unsigned int i = 0; i < sizeof(read); i++)
		outb(m, 0x3f5, read[i]);
	ask(m, "clock_step 1000000000");
	return m->raises[6] > raises + 1 && (inb(m, 0x3f5) & 0xc0) == 0 &&
	       is(ask(m, "read 0x30000 8"), "OK 0x666c6f7070792030");
}

/* What the firmware would find of the kernel. */
static bool kernel_is_offered(struct machine *m)
{
	char text[7] = "";

	ask(m, "outw 0x510 0x15");
	for (int i = 0; i < 5; i++)
		text[i] = (char)inb(m, 0x511);
	return is(text, "quiet");
}

static void drive_disk(void)
{
	struct machine *m = start_with(disk);

	result(is(ask(m, "irq_intercept_in x"), "OK") && disk_by_pio(m),
	       "mainstay run --devtest: a disk is read by PIO");
	result(disk_by_dma(m), "and by DMA");
	result(number(ask(m, "readb 0xffff0")) == 0xea, "the firmware begins with its far jump");
	result(floppy_by_dma(m), "a floppy disk is read by DMA");
	result(kernel_is_offered(m), "a kernel waits for the firmware");
	result(finish(m), "mainstay ends with the client");
}

/* --- rude clients */

static void send_nonsense(void)
{
	struct machine *m = start_with(NULL);
	char *big = malloc(3 << 20), name[256];
	unsigned int seed = 1;
	bool ok;

	for (int i = 0; i < 3 << 20; i++)
		big[i] = i % 4000 == 3999 ? '\n' : (char)((seed = seed * 1103515245 + 12345) >> 24);
	ok = put(m, big, 1000000) && put(m, "\n", 1);
	for (int i = 0; ok && i < 1000; i++) {
		const char *answer = ask(m, "clock_set 1x");

		/* Those of the nonsense come first. */
		if (strcmp(answer, "FAIL clock_set: give nanoseconds that fit 63 bits") == 0)
			break;
		ok = !strncmp(answer, "FAIL", 4);
	}
	result(ok, "random bytes are refused line by line");
	close(m->fd);
	result(wait_end(m) == 0, "and the machine ends as after any client");
	free(m);

	m = start_with(NULL);
	memset(big, 'x', 3 << 20);
	ok = put(m, big, 3 << 20) &&
	     is(ask(m, "%s", ""), "FAIL a line is too long; 1048576 bytes fit") &&
	     is(ask(m, "endianness"), "OK little");
	result(ok, "a line without end costs nothing but itself");
	snprintf(name, sizeof(name), "%0200d", 0);
	result(!strncmp(ask(m, "%s", name), "FAIL Unknown command", 20),
	       "unknown commands are named");
	result(finish(m), "it ends well");
	free(big);
}

/* A client that asks for megabytes and does not read them, while the clock runs for a year. */
static void never_read(void)
{
	struct machine *m = start_with(NULL);
	static const char text[] = "read 0 262144\n";
	static const char year[] = "irq_intercept_in x\noutb 0x70 0x0b\noutb 0x71 0x42\n"
				   "clock_step 31536000000000000\n";
	bool ok = true;

	for (int i = 0; i < 100; i++) {
		if (send(m->fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			ok = errno == EAGAIN;
			break;
		}
	}
	send(m->fd, year, sizeof(year) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	usleep(300000);
	result(ok && kill(m->pid, 0) == 0, "a client that does not read stops only itself");
	kill(m->pid, SIGTERM);
	result(wait_end(m) == 0, "and a signal still ends the machine");
	close(m->fd);
	free(m);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, path);
	for (int i = 0; i < ANSWER_MS / 10; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		close(fd);
		usleep(10000);
	}
	return -1;
}

/* Clients come and go at a listening port; what the last one left half done bothers nobody. */
static void hang_up(void)
{
	struct machine *m = calloc(1, sizeof(*m));
	static const char *const partings[] = {
		"",
		"outb",
		"outb 0x70 0x0f\n",
		"write 0x1000 8 0x01",
		"irq_intercept_in x\nclock_step",
		"clock_step 36000000000000000\n",
		"read 0 262144\nread 0 262144\nread 0 262144\n",
	};
	bool ok = true;
	int fd;

	m->pid = spawn((char *[]){ (char *)vmm, "--devtest", "unix:devtest.sock", NULL }, -1);
	for (unsigned int i = 0; i < 70; i++) {
		const char *text = partings[i % 7];

		m->fd = connect_to("devtest.sock");
		ok = ok && put(m, text, strlen(text));
		close(m->fd);
	}
	m->fd = connect_to("devtest.sock");
	m->used = 0;
	result(ok && is(ask(m, "endianness"), "OK little") && inb(m, 0x70) != ~0u,
	       "seventy clients hang up, the next is served");
	fd = connect_to("devtest.sock");
	result(fd >= 0 && send(fd, "endianness\n", 11, MSG_NOSIGNAL) == 11 &&
		       is(ask(m, "endianness"), "OK little"),
	       "a second client waits");
	close(m->fd);
	m->fd = fd;
	m->used = 0;
	result(is(next_line(m) ?: "", "OK little"), "until the first has gone");
	/* All that a client asks for before it hangs up is answered. */
	put(m, "memset 0x1000 65536 0x41\nread 0x1000 65536\nreadb 0x10fff\n", 57);
	shutdown(m->fd, SHUT_WR);
	ok = is(next_line(m) ?: "", "OK");
	ok = ok && strlen(next_line(m) ?: "") == 5 + 2 * 65536;
	result(ok && is(next_line(m) ?: "", "OK 0x0000000000000041"), "last words are answered");
	close(m->fd);
	kill(m->pid, SIGTERM);
	result(wait_end(m) == 0, "a signal ends it");
	free(m);
}

/* The machine connects to us. */
static void be_connected(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "listener.sock" };
	struct machine *m = calloc(1, sizeof(*m));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		exit(1);
	m->pid = spawn((char *[]){ (char *)vmm, "--devtest", "connect:listener.sock", NULL }, -1);
	m->fd = accept(fd, NULL, NULL);
	close(fd);
	result(is(ask(m, "endianness"), "OK little"), "connect: the machine comes to its client");
	result(finish(m), "and ends with it");
}

/* What is wrong with WHERE is one line and status 1. */
static void mistakes(void)
{
	static const char *const wheres[] = {
		"",	 "unix:", "unix:/nowhere/x", "connect:nobody.sock",
		"fd:99", "fd:x",  "tcp:1",	     "devtest.sock"
	};
	bool ok = true;

	for (unsigned int i = 0; i < sizeof(wheres) / sizeof(wheres[0]); i++) {
		struct machine m = { .fd = -1 };
		int status;

		m.pid = spawn((char *[]){ (char *)vmm, "--devtest", (char *)wheres[i], NULL }, -1);
		status = wait_end(&m);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 1) {
			note("--devtest \"%s\": status %x", wheres[i], status);
			ok = false;
		}
	}
	result(ok, "a port that cannot be opened is an error");
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	vmm = argv[1];
	mainstay = argv[2];
	disk = argv[3];
	drive_machine();
	drive_disk();
	send_nonsense();
	never_read();
	hang_up();
	be_connected();
	mistakes();
	printf("1..%u\n", count);
	return failures != 0;
}
