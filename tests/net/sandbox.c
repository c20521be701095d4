// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the switch can no longer do, tried from inside: each attempt is a child process that has gone
 * through switch_sandbox(); and what the running process looks like from outside.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../net/sandbox.h"
#include "../../net/switch.h"
#include "../lib/cables.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITHOUT_FILTER true
#else
#define WITHOUT_FILTER false
#endif

enum { PASSED = 0, FAILED = 99 };

static int spare_fd; /* a socket from before */
static void *page;

static void open_file(void)
{
	(void)!syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void make_file(void)
{
	(void)!syscall(SYS_openat, AT_FDCWD, "/tmp/x", O_WRONLY | O_CREAT, 0600);
}

static void make_socket(void)
{
	(void)!syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void connect_out(void)
{
	(void)!syscall(SYS_connect, spare_fd, NULL, 0);
}

static void listen_too(void)
{
	(void)!syscall(SYS_listen, spare_fd, 1);
}

static void make_child(void)
{
	(void)!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void make_thread(void)
{
	(void)!syscall(SYS_clone3, NULL, 0);
}

static void run_program(void)
{
	char *const argv[] = { "true", NULL };

	(void)!syscall(SYS_execve, "/bin/true", argv, argv);
}

static void run_memory(void)
{
	(void)!syscall(SYS_execveat, spare_fd, "", NULL, NULL, AT_EMPTY_PATH);
}

static void make_code(void)
{
	(void)!syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
}

static void make_executable(void)
{
	(void)!syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

static void look_into_others(void)
{
	(void)!syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
}

static void read_others(void)
{
	(void)!syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void signal_others(void)
{
	(void)!syscall(SYS_kill, 1, 0);
}

static void change_namespace(void)
{
	(void)!syscall(SYS_setns, spare_fd, 0);
}

static void make_namespace(void)
{
	(void)!syscall(SYS_unshare, CLONE_NEWUSER);
}

static void mount_something(void)
{
	(void)!syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
}

static void control_device(void)
{
	(void)!syscall(SYS_ioctl, spare_fd, FIONREAD, &spare_fd);
}

static void set_socket_option(void)
{
	(void)!syscall(SYS_setsockopt, spare_fd, SOL_SOCKET, SO_REUSEADDR, &spare_fd, 4);
}

static void tell_owner(void)
{
	(void)!syscall(SYS_fcntl, spare_fd, F_SETOWN, getppid());
}

static const struct attempt {
	const char *name;
	void (*run)(void);
} forbidden[] = {
	{ "opening a file", open_file },
	{ "making a file", make_file },
	{ "making a socket", make_socket },
	{ "connecting", connect_out },
	{ "listening", listen_too },
	{ "making a process", make_child },
	{ "making a thread", make_thread },
	{ "running a program", run_program },
	{ "running a descriptor", run_memory },
	{ "mapping code", make_code },
	{ "making memory executable", make_executable },
	{ "tracing a process", look_into_others },
	{ "reading a process' memory", read_others },
	{ "sending a signal", signal_others },
	{ "entering a namespace", change_namespace },
	{ "making a namespace", make_namespace },
	{ "mounting", mount_something },
	{ "controlling a device", control_device },
	{ "setting a socket's options", set_socket_option },
	{ "sending signals by a descriptor", tell_owner },
};

/* The status that wait() gives of a child that did @run inside the sandbox. */
static int inside(void (*run)(void))
{
	int status = -1;
	pid_t pid;

	spare_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid = fork();
	if (pid == 0) {
		switch_sandbox();
		run();
		_exit(PASSED);
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	munmap(page, 4096);
	close(spare_fd);
	return status;
}

Test(switch_sandbox, forbidden_calls_end_the_process, .timeout = 60)
{
	if (WITHOUT_FILTER)
		cr_skip_test("sanitizers need calls that the filter refuses");
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		int status = inside(forbidden[i].run);

		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: status %x",
			  forbidden[i].name, status);
	}
}

/* Everything that a port needs can be had after the door is shut. */
static void make_port(void)
{
	struct nport *port;
	int fds[PORT_FDS];

	if (ring_port_new(&port, fds) < 0)
		_exit(FAILED);
	port->ops->close(port);
	for (unsigned int i = 0; i < PORT_FDS; i++)
		close(fds[i]);
}

static void use_heap(void)
{
	for (size_t size = 1; size < 64 << 20; size *= 4) {
		char *memory = malloc(size);

		if (!memory)
			_exit(FAILED);
		memset(memory, 1, size);
		free(memory);
	}
}

Test(switch_sandbox, what_it_needs_is_allowed, .timeout = 60)
{
	cr_assert_eq(inside(make_port), 0);
	cr_assert_eq(inside(use_heap), 0);
}

/* --- from outside */

/* The value behind @key in /proc/@pid/status. */
static void status_of(pid_t pid, const char *key, char value[64])
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	*value = '\0';
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			sscanf(line + strlen(key) + 1, "%63s", value);
	}
	fclose(file);
}

static unsigned int descriptors_of(pid_t pid)
{
	char command[64];
	unsigned int count = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls /proc/%d/fd | wc -l", (int)pid);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	cr_assert_eq(fscanf(pipe, "%u", &count), 1);
	pclose(pipe);
	return count;
}

Test(switch_sandbox, running_process_holds_nothing_else, .timeout = 60)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "CapEff", "0000000000000000" },	   { "CapPrm", "0000000000000000" },
		{ "CapBnd", "0000000000000000" },	   { "NoNewPrivs", "1" },
		{ "Seccomp", WITHOUT_FILTER ? "0" : "2" }, { "Threads", "1" },
	};
	struct cable cable = { 0 };
	char value[64];
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("only root sees the environment of a process that is not dumpable");
	cables_begin();
	cables_add("internal:lab");
	cables_start();
	cables_hear(&cable, 0);
	cr_assert_not_null(cable.memory);
	pid = cables_switch();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		status_of(pid, rows[i].key, value);
		cr_assert_str_eq(value, rows[i].value, "%s: %s", rows[i].key, value);
	}
	/* Standard input, output and error, the listener, the set of events; our connection, our port's eventfds. */
	cr_assert_leq(descriptors_of(pid), 8);
	cables_end();
}
