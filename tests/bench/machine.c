// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/fdio.h"
#include "../../base/log.h"
#include "meter.h"

/* Virtual time: with an idle guest it passes in no time. */
#define TIMEOUT_MS 120000
#define CONNECT_TRIES 5000
#define ARGUMENTS_MAX 40
#define LOG "output"

__attribute__((format(printf, 2, 3))) static int failed(struct machine *machine, const char *format,
							...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(machine->error, sizeof(machine->error), format, args);
	va_end(args);
	return -1;
}

/* --- command lines */

struct command {
	char text[ARGUMENTS_MAX][256];
	char *argv[ARGUMENTS_MAX + 1];
	unsigned int count;
};

__attribute__((format(printf, 2, 3))) static void add(struct command *command, const char *format,
						      ...)
{
	char *to = command->text[command->count];
	va_list args;

	va_start(args, format);
	vsnprintf(to, sizeof(command->text[0]), format, args);
	va_end(args);
	command->argv[command->count++] = to;
}

static void add_words(struct command *command, const char *const *words)
{
	for (; *words; words++)
		add(command, "%s", *words);
}

static void our_command(struct command *command, const struct machine *machine,
			const struct machine_setup *setup)
{
	static const char *const fixed[] = { "--cpu", "host", NULL };
	static const char *const uuid[] = { "--uuid", "6d61696e-7374-6179-0000-000000000001",
					    NULL };
	const struct machine_net *net = setup->net;

	add(command, "%s", setup->mainstay);
	add(command, "run");
	add(command, "%s", setup->disk);
	add_words(command, fixed);
	add(command, "--name");
	add(command, "%s", setup->name ? setup->name : "bench");
	if (net) {
		add(command, "--net");
		add(command, "%s,mac=00:03:ff:00:00:%02x", net->ours, net->last_byte);
	} else {
		add_words(command, uuid); /* the same for one that moves */
	}
	if (setup->incoming) {
		add(command, "--incoming");
		add(command, "unix:%s/incoming", machine->folder);
	}
	add(command, "--memory");
	add(command, "%uM", setup->memory_mib ? setup->memory_mib : MACHINE_MEMORY_MIB);
	if (setup->restore) {
		add(command, "--restore");
		add(command, "%s", setup->restore);
		add(command, "--keep-state");
	}
	add(command, "--serial");
	add(command, "unix:%s/serial", machine->folder);
	if (setup->floppy) {
		add(command, "--floppy");
		add(command, "%s", setup->floppy);
	}
	if (setup->cdrom) {
		add(command, "--cdrom");
		add(command, "%s", setup->cdrom);
	}
	if (setup->firmware_log) {
		add(command, "--firmware-log");
		add(command, "%s/firmware", machine->folder);
	}
}

/*
 * Without the paravirtual APIC: the processor that the nested host's QEMU emulates fails when a
 * 32-bit guest uses it (see tests/nested/README.md).
 */
static void peer_command(struct command *command, const struct machine *machine,
			 const struct machine_setup *setup)
{
	static const char *const fixed[] = {
		"qemu-system-x86_64",
		"-no-user-config",
		"-nodefaults",
		"-accel",
		"kvm",
		"-M",
		"pc",
		"-cpu",
		"host",
		"-global",
		"kvm-apic.vapic=off",
		"-display",
		"none",
		NULL,
	};
	static const char *const log[] = { "-device", "isa-debugcon,iobase=0x402,chardev=firmware",
					   NULL };

	add_words(command, fixed);
	add(command, "-m");
	add(command, "%u", setup->memory_mib ? setup->memory_mib : MACHINE_MEMORY_MIB);
	if (setup->net) {
		add(command, "-netdev");
		add(command, "%s,id=net", setup->net->backend);
		add(command, "-device");
		add(command, "%s,netdev=net,mac=00:03:ff:00:00:%02x", setup->net->model,
		    setup->net->last_byte);
	}
	if (setup->restore) {
		add(command, "-S");
		add(command, "-incoming");
		add(command, "exec:cat %s", setup->restore);
	}
	if (setup->monitor) {
		add(command, "-monitor");
		add(command, "unix:%s/monitor,server=on,wait=off", machine->folder);
	}
	add(command, "-drive");
	if (setup->peer_disk)
		add(command, "file=%s,format=raw,if=ide", setup->peer_disk);
	else
		add(command, "file=%s,format=vpc,if=ide", setup->disk);
	add(command, "-serial");
	add(command, "unix:%s/serial,server=on,wait=off", machine->folder);
	if (setup->floppy) {
		add(command, "-drive");
		add(command, "file=%s,format=raw,if=floppy", setup->floppy);
	}
	if (setup->cdrom) {
		add(command, "-drive");
		add(command, "file=%s,format=raw,if=ide,index=2,media=cdrom", setup->cdrom);
	}
	if (setup->firmware_log) {
		add(command, "-chardev");
		add(command, "file,id=firmware,path=%s/firmware", machine->folder);
		add_words(command, log);
	}
	if (setup->vga) {
		add(command, "-vga");
		add(command, "%s", setup->vga);
	}
}

/* --- start and end */

__attribute__((noreturn)) static void execute(const struct machine *machine,
					      const struct command *command)
{
	char path[128];
	int null = open("/dev/null", O_RDONLY), output;

	snprintf(path, sizeof(path), "%s/" LOG, machine->folder);
	output = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (null >= 0 && output >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 &&
	    meter_enter() == 0)
		execvp(command->argv[0], command->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", command->argv[0], strerror(errno));
	_exit(127);
}

int machine_start(struct machine *machine, enum side side, const struct machine_setup *setup)
{
	static struct command command; /* large */
	char path[128];

	memset(machine, 0, sizeof(*machine));
	memset(&command, 0, sizeof(command));
	machine->serial_fd = machine->firmware_fd = -1;
	machine->show = setup->show;
	strcpy(machine->folder, "/tmp/mainstay-bench.XXXXXX");
	if (!mkdtemp(machine->folder)) {
		machine->folder[0] = '\0';
		return failed(machine, "cannot make a folder in /tmp: %s", strerror(errno));
	}
	if (setup->firmware_log) {
		snprintf(path, sizeof(path), "%s/firmware", machine->folder);
		if (mkfifo(path, 0600) < 0)
			return failed(machine, "mkfifo: %s", strerror(errno));
		machine->firmware_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (machine->firmware_fd < 0)
			return failed(machine, "%s: %s", path, strerror(errno));
	}
	if (side == SIDE_OURS)
		our_command(&command, machine, setup);
	else
		peer_command(&command, machine, setup);
	if (meter_start() < 0)
		return failed(machine, "counters cannot be read");
	fflush(NULL);
	machine->pid = fork();
	if (machine->pid < 0)
		return failed(machine, "fork: %s", strerror(errno));
	if (machine->pid == 0)
		execute(machine, &command);
	return 0;
}

/* Whether the process has ended; then its last words are the reason. */
static bool has_ended(struct machine *machine)
{
	char path[128], *text, *line;
	size_t size;

	if (waitpid(machine->pid, NULL, WNOHANG) != machine->pid)
		return false;
	machine->pid = 0;
	snprintf(path, sizeof(path), "%s/" LOG, machine->folder);
	if (file_read(path, 1 << 20, &text, &size) < 0) {
		failed(machine, "the machine has ended");
		return true;
	}
	while (size && text[size - 1] == '\n')
		text[--size] = '\0';
	line = strrchr(text, '\n');
	failed(machine, "the machine has ended: %s", line ? line + 1 : text);
	free(text);
	return true;
}

void machine_end(struct machine *machine)
{
	static const char *const files[] = { "serial", "firmware", "monitor", LOG };
	char path[128];

	meter_kill();
	if (machine->pid > 0)
		waitpid(machine->pid, NULL, 0);
	machine->pid = 0;
	machine->serial_fd = fd_close(machine->serial_fd);
	machine->firmware_fd = fd_close(machine->firmware_fd);
	if (!machine->folder[0])
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", machine->folder, files[i]);
		unlink(path);
	}
	rmdir(machine->folder);
	machine->folder[0] = '\0';
}

/* --- talking to it */

int machine_connect(struct machine *machine)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return failed(machine, "socket: %s", strerror(errno));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/serial", machine->folder);
	for (int i = 0; i < CONNECT_TRIES; i++) {
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
			machine->serial_fd = fd;
			return 0;
		}
		if (has_ended(machine)) {
			fd_close(fd);
			return -1;
		}
		usleep(2000);
	}
	fd_close(fd);
	return failed(machine, "its serial port does not answer");
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until @fd has something to read. @what is missing otherwise. */
static int wait_readable(struct machine *machine, int fd, int64_t deadline_ms, const char *what)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left = deadline_ms - now_ms();

		if (poll(&pollfd, 1, left < 0 ? 0 : left < 500 ? (int)left : 500) > 0)
			return 0;
		if (has_ended(machine))
			return -1;
		if (left <= 0)
			return failed(machine, "\"%s\" did not come in time", what);
	}
}

int machine_wait_firmware(struct machine *machine)
{
	return wait_readable(machine, machine->firmware_fd, now_ms() + TIMEOUT_MS,
			     "firmware output");
}

int machine_wait_text(struct machine *machine, const char *text)
{
	int64_t deadline_ms = now_ms() + TIMEOUT_MS;
	size_t have = 0;

	machine->text[0] = '\0';
	while (!strstr(machine->text, text)) {
		ssize_t n;

		if (strstr(machine->text, "failed:"))
			return failed(machine, "the guest says \"%.100s\"",
				      strstr(machine->text, "failed:"));
		if (wait_readable(machine, machine->serial_fd, deadline_ms, text) < 0)
			return -1;
		/* Only the latest matters: the first half goes. */
		if (have > sizeof(machine->text) / 2) {
			memmove(machine->text, machine->text + have / 2, have - have / 2);
			have -= have / 2;
		}
		n = read(machine->serial_fd, machine->text + have,
			 sizeof(machine->text) - 1 - have);
		if (n <= 0)
			return has_ended(machine) ? -1 : failed(machine, "its serial port closed");
		if (machine->show) {
			fwrite(machine->text + have, 1, (size_t)n, stdout);
			fflush(stdout);
		}
		for (ssize_t i = 0; i < n; i++) {
			if (!machine->text[have + (size_t)i])
				machine->text[have + (size_t)i] = ' ';
		}
		have += (size_t)n;
		machine->text[have] = '\0';
	}
	return 0;
}

int machine_command(struct machine *machine, char letter, unsigned int count)
{
	char line[32];
	int length = snprintf(line, sizeof(line), "%c%06u\n", letter, count);
	int r = fd_write_full(machine->serial_fd, line, (size_t)length);

	if (r < 0)
		return failed(machine, "serial port: %s", strerror(-r));
	return machine_wait_text(machine, "done");
}
