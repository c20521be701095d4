// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmm/sandbox and its table of system calls: what each kind of thread can no longer do, tried from
 * inside.
 *
 * Each attempt is a child process that goes through the stages as main() does. What the filters say
 * to every number is in seccomp_rules.c, which needs no child.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../vmm/chardev.h"
#include "../../vmm/loop.h"
#include "../../vmm/sandbox.h"
#include "../../vmm/seccomp_rules.h"

#define NOBODY 65534

static const char *const kind_names[] = { "loop", "vcpu", "worker" };

/* --- children */

/* Exit statuses of a child that was not killed. */
enum { PASSED = 0, FAILED = 99 };

struct attempt {
	const char *name;
	uint8_t allowed; /* kinds of threads that may; BIT() */
	void (*run)(void);
};

struct situation {
	struct sandbox_options options;
	bool as_nobody;	    /* not root from the start */
	bool no_namespaces; /* the host refuses unshare() */
	bool no_landlock;
	bool no_pivot; /* as where the root is an initial RAM file system */
};

/* Has the kernel answer one system call with an error from here on. */
static void host_lacks(int number, uint16_t error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		_exit(FAILED);
}

static enum sandbox_level enter(const struct situation *situation)
{
	enum sandbox_level level;

	if (situation->as_nobody && geteuid() == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(FAILED);
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	}
	if (situation->no_namespaces)
		host_lacks(SYS_unshare, EPERM);
	if (situation->no_landlock)
		host_lacks(SYS_landlock_create_ruleset, ENOSYS);
	if (situation->no_pivot)
		host_lacks(SYS_pivot_root, EINVAL);
	level = sandbox_early(&situation->options);
	sandbox_warm_up();
	sandbox_files(level);
	return level;
}

static const struct situation plain;

/* The loop's filter allows no newfstatat, which stdio would want. */
static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(FAILED);
}

static void *thread_main(void *opaque)
{
	void *const *arguments = opaque;
	const enum sandbox_thread_kind *kind = arguments[0];
	const struct attempt *attempt = arguments[1];

	sandbox_thread(*kind);
	attempt->run();
	return NULL;
}

static void child_main(enum sandbox_thread_kind kind, const struct attempt *attempt)
{
	void *arguments[] = { &kind, (void *)attempt };
	pthread_t thread;

	enter(&plain);
	if (kind == SANDBOX_LOOP) {
		thread_main(arguments);
	} else {
		/* The end of the thread is part of every attempt. */
		if (pthread_create(&thread, NULL, thread_main, arguments) ||
		    pthread_join(thread, NULL))
			_exit(FAILED);
	}
	_exit(PASSED);
}

static int wait_for(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static bool killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void try_all(const struct attempt *attempts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (unsigned int kind = 0; kind < SANDBOX_THREAD_KINDS; kind++) {
			pid_t pid = fork();
			int status;

			cr_assert_geq(pid, 0);
			if (!pid)
				child_main(kind, &attempts[i]);
			status = wait_for(pid);
			if (attempts[i].allowed & BIT(kind))
				cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == PASSED,
					  "%s in a %s thread: status %x", attempts[i].name,
					  kind_names[kind], status);
			else
				cr_assert(killed(status), "%s in a %s thread: status %x",
					  attempts[i].name, kind_names[kind], status);
		}
	}
}

TestSuite(sandbox, .timeout = 60);

/* A sanitizer's run time makes system calls of its own, so that such a build loads no filters. */
static void need_filters(void)
{
	if (!sandbox_has_filters())
		cr_skip_test("built with a sanitizer: no system call filters");
}

/* --- the forbidden */

#define LOOP BIT(SANDBOX_LOOP)
#define VCPU BIT(SANDBOX_VCPU)
#define WORKER BIT(SANDBOX_WORKER)

/* An attempt that is one system call; its result does not matter. */
#define CALL(name, ...)                                                                            \
	static void name(void)                                                                     \
	{                                                                                          \
		syscall(__VA_ARGS__);                                                              \
	}

static long scratch[64];

CALL(try_open, SYS_open, "/", O_RDONLY)
CALL(try_openat, SYS_openat, AT_FDCWD, "/", O_RDONLY)
CALL(try_openat2, SYS_openat2, AT_FDCWD, "/", scratch, 24)
CALL(try_creat, SYS_creat, "/x", 0600)
CALL(try_stat, SYS_stat, "/", scratch)
CALL(try_socket, SYS_socket, AF_INET, SOCK_STREAM, 0)
CALL(try_socketpair, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, scratch)
CALL(try_connect, SYS_connect, 3, scratch, 16)
CALL(try_bind, SYS_bind, 3, scratch, 16)
CALL(try_accept_plain, SYS_accept, 3, NULL, NULL)
CALL(try_execve, SYS_execve, "/bin/sh", scratch, scratch)
CALL(try_execveat, SYS_execveat, 3, "", scratch, scratch, AT_EMPTY_PATH)
CALL(try_fork, SYS_fork)
CALL(try_vfork, SYS_vfork)
CALL(try_clone, SYS_clone, SIGCHLD, NULL, NULL, NULL, 0)
CALL(try_clone_thread, SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, NULL, NULL, NULL, 0)
CALL(try_clone3, SYS_clone3, scratch, 64)
CALL(try_ptrace, SYS_ptrace, 0, 0, 0, 0)
CALL(try_process_vm_readv, SYS_process_vm_readv, 1, scratch, 0, scratch, 0, 0)
CALL(try_pidfd_open, SYS_pidfd_open, 1, 0)
CALL(try_kill, SYS_kill, 1, 0)
CALL(try_kill_self, SYS_kill, getpid(), 0)
CALL(try_tgkill_other, SYS_tgkill, 1, 1, 0)
CALL(try_tkill, SYS_tkill, 1, 0)
CALL(try_mmap_exec, SYS_mmap, 0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
CALL(try_mmap_file, SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, 0, 0)
CALL(try_mprotect_exec, SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC)
CALL(try_pkey_mprotect, SYS_pkey_mprotect, 0, 0, PROT_READ, 0)
CALL(try_mremap_fixed, SYS_mremap, scratch, 0, 0, MREMAP_MAYMOVE | MREMAP_FIXED, 0)
CALL(try_madvise_other, SYS_madvise, 0, 0, MADV_HUGEPAGE)
CALL(try_futex_pi, SYS_futex, scratch, FUTEX_LOCK_PI, 0, NULL, NULL, 0)
CALL(try_futex_requeue, SYS_futex, scratch, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 1, scratch, 0)
CALL(try_tiocsti, SYS_ioctl, 0, TIOCSTI, "x")
CALL(try_fionread, SYS_ioctl, 3, FIONREAD, scratch)
CALL(try_run_elsewhere, SYS_ioctl, 3, KVM_RUN, 0)
CALL(try_run_below, SYS_ioctl, SANDBOX_FD_VCPU0 - 1, KVM_RUN, 0)
CALL(try_run_above, SYS_ioctl, SANDBOX_FD_VCPU0 + 8, KVM_RUN, 0)
CALL(try_run_vm, SYS_ioctl, SANDBOX_FD_VM, KVM_RUN, 0)
CALL(try_create_vm, SYS_ioctl, SANDBOX_FD_KVM, KVM_CREATE_VM, 0)
CALL(try_create_vcpu, SYS_ioctl, SANDBOX_FD_VM, KVM_CREATE_VCPU, 9)
CALL(try_create_device, SYS_ioctl, SANDBOX_FD_VM, KVM_CREATE_DEVICE, scratch)
CALL(try_irqfd, SYS_ioctl, SANDBOX_FD_VM, KVM_IRQFD, scratch)
CALL(try_memory_on_vcpu, SYS_ioctl, SANDBOX_FD_VCPU0, KVM_SET_USER_MEMORY_REGION, scratch)
CALL(try_fcntl_dup, SYS_fcntl, 3, F_DUPFD, 100)
CALL(try_fcntl_owner, SYS_fcntl, 3, F_SETOWN, 1)
CALL(try_dup2, SYS_dup2, 3, 100)
CALL(try_unshare, SYS_unshare, CLONE_NEWUSER)
CALL(try_setns, SYS_setns, 3, 0)
CALL(try_mount, SYS_mount, NULL, "/", NULL, 0, NULL)
CALL(try_chroot, SYS_chroot, "/")
CALL(try_setuid, SYS_setuid, 0)
CALL(try_capset, SYS_capset, scratch, scratch)
CALL(try_bpf, SYS_bpf, 0, scratch, 8)
CALL(try_io_uring, SYS_io_uring_setup, 1, scratch)
CALL(try_userfaultfd, SYS_userfaultfd, 0)
CALL(try_perf, SYS_perf_event_open, scratch, 0, -1, -1, 0)
CALL(try_keyctl, SYS_keyctl, 0, 0)
CALL(try_prctl, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
CALL(try_seccomp, SYS_seccomp, 0, 0, NULL)
CALL(try_rlimit, SYS_prlimit64, 0, RLIMIT_NOFILE, scratch, NULL)
CALL(try_memfd, SYS_memfd_create, "x", 0)
CALL(try_clock_other, SYS_clock_gettime, -6 & ~7, scratch)
CALL(try_clock_set, SYS_clock_settime, 0, scratch)
CALL(try_sigaction, SYS_rt_sigaction, SIGSYS, NULL, NULL, 8)
CALL(try_pread64, SYS_pread64, 3, scratch, 8, 0)
CALL(try_unknown, 1000)

static const struct attempt forbidden[] = {
	{ "open", 0, try_open },
	{ "openat", 0, try_openat },
	{ "openat2", 0, try_openat2 },
	{ "creat", 0, try_creat },
	{ "stat", 0, try_stat },
	{ "socket", 0, try_socket },
	{ "socketpair", 0, try_socketpair },
	{ "connect", 0, try_connect },
	{ "bind", 0, try_bind },
	{ "accept", 0, try_accept_plain },
	{ "execve", 0, try_execve },
	{ "execveat", 0, try_execveat },
	{ "fork", 0, try_fork },
	{ "vfork", 0, try_vfork },
	{ "clone of a process", 0, try_clone },
	{ "clone of a thread", 0, try_clone_thread },
	{ "clone3", 0, try_clone3 },
	{ "ptrace", 0, try_ptrace },
	{ "process_vm_readv", 0, try_process_vm_readv },
	{ "pidfd_open", 0, try_pidfd_open },
	{ "kill of another process", 0, try_kill },
	{ "kill", 0, try_kill_self },
	{ "tgkill of another process", 0, try_tgkill_other },
	{ "tkill", 0, try_tkill },
	{ "mmap of executable memory", 0, try_mmap_exec },
	{ "mmap of a file", 0, try_mmap_file },
	{ "mprotect to executable", 0, try_mprotect_exec },
	{ "pkey_mprotect", 0, try_pkey_mprotect },
	{ "mremap to a place", 0, try_mremap_fixed },
	{ "futex with priority inheritance", 0, try_futex_pi },
	{ "futex requeue", 0, try_futex_requeue },
	{ "TIOCSTI", 0, try_tiocsti },
	{ "FIONREAD", 0, try_fionread },
	{ "KVM_RUN on another descriptor", 0, try_run_elsewhere },
	{ "KVM_RUN below the vCPUs", 0, try_run_below },
	{ "KVM_RUN above the vCPUs", 0, try_run_above },
	{ "KVM_RUN on the VM", 0, try_run_vm },
	{ "KVM_CREATE_VM", 0, try_create_vm },
	{ "KVM_CREATE_VCPU", 0, try_create_vcpu },
	{ "KVM_CREATE_DEVICE", 0, try_create_device },
	{ "KVM_IRQFD", 0, try_irqfd },
	{ "memory slots on a vCPU", 0, try_memory_on_vcpu },
	{ "fcntl F_DUPFD", 0, try_fcntl_dup },
	{ "fcntl F_SETOWN", 0, try_fcntl_owner },
	{ "dup2", 0, try_dup2 },
	{ "unshare", 0, try_unshare },
	{ "setns", 0, try_setns },
	{ "mount", 0, try_mount },
	{ "chroot", 0, try_chroot },
	{ "setuid", 0, try_setuid },
	{ "capset", 0, try_capset },
	{ "bpf", 0, try_bpf },
	{ "io_uring_setup", 0, try_io_uring },
	{ "userfaultfd", 0, try_userfaultfd },
	{ "perf_event_open", 0, try_perf },
	{ "keyctl", 0, try_keyctl },
	{ "prctl", 0, try_prctl },
	{ "seccomp", 0, try_seccomp },
	{ "prlimit64", 0, try_rlimit },
	{ "memfd_create", 0, try_memfd },
	{ "clock of another process", 0, try_clock_other },
	{ "clock_settime", 0, try_clock_set },
	{ "rt_sigaction", 0, try_sigaction },
	{ "pread64", 0, try_pread64 },
	{ "a system call that does not exist", 0, try_unknown },
};

Test(sandbox, the_forbidden_kills_in_every_kind_of_thread)
{
	need_filters();
	try_all(forbidden, ARRAY_LEN(forbidden));
}

/* MADV_HUGEPAGE is refused to a worker, as all of madvise, and kills the others. */
static void refused(void)
{
	if (syscall(SYS_madvise, 0, 0, MADV_DONTNEED) == 0 || errno != EPERM)
		_exit(FAILED);
	if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 8) == 0 || errno != EPERM)
		_exit(FAILED);
}

Test(sandbox, a_worker_is_refused_what_it_does_not_miss)
{
	need_filters();
	static const struct attempt attempt = { "refused", WORKER, refused };
	static const struct attempt other = { "MADV_HUGEPAGE", WORKER, try_madvise_other };
	pid_t pid = fork();

	if (!pid)
		child_main(SANDBOX_WORKER, &attempt);
	cr_assert_eq(wait_for(pid), 0);
	try_all(&other, 1);
}

/* --- the allowed: with descriptors that do not exist, so that the kernel says EBADF */

#define ALLOWED_CALL(name, ...)                                                                    \
	static void name(void)                                                                     \
	{                                                                                          \
		if (syscall(__VA_ARGS__) != -1 || errno != EBADF)                                  \
			_exit(FAILED);                                                             \
	}

ALLOWED_CALL(may_run, SYS_ioctl, SANDBOX_FD_VCPU0, KVM_RUN, 0)
ALLOWED_CALL(may_run_last, SYS_ioctl, SANDBOX_FD_VCPU0 + 7, KVM_RUN, 0)
ALLOWED_CALL(may_set_sregs, SYS_ioctl, SANDBOX_FD_VCPU0, KVM_SET_SREGS, scratch)
ALLOWED_CALL(may_irq, SYS_ioctl, SANDBOX_FD_VM, KVM_IRQ_LINE, scratch)
ALLOWED_CALL(may_slots, SYS_ioctl, SANDBOX_FD_VM, KVM_SET_USER_MEMORY_REGION, scratch)
ALLOWED_CALL(may_preadv, SYS_preadv, 99, scratch, 1, 0)
ALLOWED_CALL(may_pwritev, SYS_pwritev, 99, scratch, 1, 0)
ALLOWED_CALL(may_fdatasync, SYS_fdatasync, 99)
ALLOWED_CALL(may_fallocate, SYS_fallocate, 99, 0, 0, 1)
ALLOWED_CALL(may_ftruncate, SYS_ftruncate, 99, 1)
ALLOWED_CALL(may_write, SYS_write, 99, scratch, 8)
ALLOWED_CALL(may_read, SYS_read, 99, scratch, 8)
ALLOWED_CALL(may_close, SYS_close, 99)
ALLOWED_CALL(may_epoll, SYS_epoll_wait, 99, scratch, 1, 0)
ALLOWED_CALL(may_accept, SYS_accept4, 99, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)
ALLOWED_CALL(may_recvmsg, SYS_recvmsg, 99, scratch, 0)
ALLOWED_CALL(may_sendmsg, SYS_sendmsg, 99, scratch, 0)
ALLOWED_CALL(may_set_flags, SYS_fcntl, 99, F_SETFL, 0)
ALLOWED_CALL(may_arm, SYS_timerfd_settime, 99, 0, scratch, NULL)

static void may_lock(void)
{
	static uint32_t word;

	if (syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL) != -1 || errno != EAGAIN ||
	    syscall(SYS_futex, &word, FUTEX_WAKE, 1) != 0 ||
	    syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 1, NULL,
		    NULL, ~0) != -1 ||
	    errno != EAGAIN)
		_exit(FAILED);
}

static void may_kick(void)
{
	/* A thread of ours that does not exist. */
	if (syscall(SYS_tgkill, getpid(), 0x3fffffff, SIGUSR1) != -1 || errno != ESRCH)
		_exit(FAILED);
}

static void may_ask_the_time(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };

	for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
		if (syscall(SYS_clock_gettime, clocks[i], scratch))
			_exit(FAILED);
	}
}

static void may_allocate(void)
{
	for (size_t size = 16; size < 64u << 20; size *= 2) {
		char *a = malloc(size), *b = realloc(a, size * 3);

		if (!b)
			_exit(FAILED);
		memset(b, 1, size * 3);
		free(b);
	}
}

static const struct attempt allowed[] = {
	{ "KVM_RUN", VCPU, may_run },
	{ "KVM_RUN on the last vCPU", VCPU, may_run_last },
	{ "KVM_SET_SREGS", VCPU, may_set_sregs },
	{ "KVM_IRQ_LINE", VCPU | LOOP, may_irq },
	{ "KVM_SET_USER_MEMORY_REGION", VCPU | LOOP, may_slots },
	{ "preadv", LOOP | WORKER, may_preadv },
	{ "pwritev", WORKER, may_pwritev },
	{ "fdatasync", WORKER, may_fdatasync },
	{ "fallocate", WORKER, may_fallocate },
	{ "ftruncate", WORKER, may_ftruncate },
	{ "write", LOOP | VCPU | WORKER, may_write },
	{ "read", LOOP, may_read },
	{ "close", LOOP, may_close },
	{ "epoll_wait", LOOP, may_epoll },
	{ "accept4", LOOP, may_accept },
	{ "recvmsg", LOOP, may_recvmsg },
	{ "sendmsg", LOOP, may_sendmsg },
	{ "fcntl F_SETFL", LOOP, may_set_flags },
	{ "timerfd_settime", LOOP | VCPU, may_arm },
	{ "futex", LOOP | VCPU | WORKER, may_lock },
	{ "tgkill of our own", LOOP | VCPU, may_kick },
	{ "clock_gettime", LOOP | VCPU, may_ask_the_time },
	{ "malloc", LOOP, may_allocate },
};

Test(sandbox, the_allowed_passes_where_it_is_allowed_and_nowhere_else)
{
	need_filters();
	try_all(allowed, ARRAY_LEN(allowed));
}

/* --- the whole process */

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			say("not so: " #condition "\n");                                           \
			_exit(FAILED);                                                             \
		}                                                                                  \
	} while (0)

static void require_privileges_gone(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	struct rlimit limit;

	REQUIRE(syscall(SYS_capget, &header, data) == 0);
	for (int i = 0; i < 2; i++)
		REQUIRE(!data[i].effective && !data[i].permitted && !data[i].inheritable);
	REQUIRE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	REQUIRE(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	REQUIRE(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
	REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 512);
	for (int fd = 0; fd < 4096; fd++)
		REQUIRE((fcntl(fd, F_GETFD) >= 0) == (fd <= 3));
}

static void require_nothing_to_see(void)
{
	static const char *const paths[] = { "/proc", "/proc/self/maps", "/dev/kvm", "/etc/passwd",
					     "/..",   "/../etc",	 "..",	     "etc" };
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		REQUIRE(open(paths[i], O_RDONLY) == -1);
	REQUIRE(opendir("/") == NULL);
	REQUIRE(open("/x", O_CREAT | O_WRONLY, 0600) == -1);
	REQUIRE(chdir("/proc") == -1);
	/* Nobody to talk to but ourselves: an address of documentation is not routed anywhere. */
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd >= 0) {
		struct sockaddr address = { .sa_family = AF_INET,
					    .sa_data = { 0, 9, 192, 0, 2, 1 } };

		REQUIRE(connect(fd, &address, sizeof(address)) == -1);
		close(fd);
	}
}

/* A child in @situation that has to reach @want and to have lost everything. */
static void check_level(const struct situation *situation, enum sandbox_level want)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (!pid) {
		enum sandbox_level level;

		/* Descriptor 3 stays; strays must go. */
		for (unsigned int i = 0; i < 3; i++)
			REQUIRE(dup2(0, (int[]){ 3, 4, 200 }[i]) >= 0);
		level = enter(situation);
		REQUIRE(level == want);
		require_privileges_gone();
		if (level == SANDBOX_FULL)
			require_nothing_to_see();
		if (level == SANDBOX_LANDLOCK) {
			REQUIRE(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
			REQUIRE(opendir("/") == NULL && errno == EACCES);
			REQUIRE(open("/tmp/x", O_CREAT | O_WRONLY, 0600) == -1 && errno == EACCES);
		}
		if (situation->options.uid)
			REQUIRE(getuid() == situation->options.uid &&
				getgid() == situation->options.gid);
		sandbox_thread(SANDBOX_LOOP);
		_exit(PASSED);
	}
	cr_assert_eq(wait_for(pid), 0);
}

/* What this host offers to a process that nothing was hidden from. */
static bool host_has_namespaces(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0);
	return wait_for(pid) == 0;
}

static bool host_has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

Test(sandbox, full_level_leaves_nothing)
{
	static const struct situation situations[] = {
		{ .as_nobody = true },
		{ .no_landlock = true },
		{ .no_landlock = true, .no_pivot = true },
		{ .options = { .uid = NOBODY, .gid = NOBODY } },
		{ .options = { 0 } },
	};
	size_t count = geteuid() == 0 ? ARRAY_LEN(situations) : 3;

	if (!host_has_namespaces())
		cr_skip_test("this host refuses user namespaces");
	for (size_t i = 0; i < count; i++)
		check_level(&situations[i], SANDBOX_FULL);
}

Test(sandbox, landlock_takes_the_place_of_namespaces)
{
	static const struct situation situations[] = {
		{ .no_namespaces = true, .as_nobody = true },
		{ .no_namespaces = true, .options = { .uid = NOBODY, .gid = NOBODY } },
		{ .no_namespaces = true },
	};
	size_t count = geteuid() == 0 ? ARRAY_LEN(situations) : 1;

	if (!host_has_landlock())
		cr_skip_test("this host has no Landlock");
	for (size_t i = 0; i < count; i++)
		check_level(&situations[i], SANDBOX_LANDLOCK);
}

Test(sandbox, a_host_with_neither_is_refused_unless_told_otherwise)
{
	struct situation situation = { .no_namespaces = true, .no_landlock = true };
	pid_t pid;

	situation.options.allow_degraded = true;
	check_level(&situation, SANDBOX_DEGRADED);
	situation.options.allow_degraded = false;
	pid = fork();
	if (!pid) {
		enter(&situation);
		_exit(PASSED);
	}
	cr_assert(WEXITSTATUS(wait_for(pid)) == EXIT_FAILURE);
}

/* Seen from outside: /proc tells the truth about the child. */
static void require_status(pid_t pid, const char *line)
{
	char path[64], text[128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	while (fgets(text, sizeof(text), file))
		found |= !strcmp(text, line);
	fclose(file);
	cr_assert(found, "no line %s", line);
}

Test(sandbox, proc_shows_a_process_without_anything)
{
	need_filters();
	static const char *const lines[] = {
		"CapInh:\t0000000000000000\n",
		"CapPrm:\t0000000000000000\n",
		"CapEff:\t0000000000000000\n",
		"CapBnd:\t0000000000000000\n",
		"CapAmb:\t0000000000000000\n",
		"NoNewPrivs:\t1\n",
		"Seccomp:\t2\n",
	};
	char path[64], byte;
	int fds[2], lines_seen = 0, c;
	FILE *file;
	pid_t pid;

	if (!host_has_namespaces())
		cr_skip_test("this host refuses user namespaces");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = fork();
	if (!pid) {
		dup2(fds[1], 3);
		enter(&plain);
		sandbox_thread(SANDBOX_LOOP);
		if (write(3, "x", 1) != 1 || read(3, &byte, 1) != 1)
			_exit(FAILED);
		_exit(PASSED);
	}
	cr_assert_eq(read(fds[0], &byte, 1), 1);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		require_status(pid, lines[i]);
	/* Only root may look further. */
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	file = fopen(path, "r");
	while (file && (c = fgetc(file)) != EOF)
		lines_seen += c == '\n';
	if (file) {
		cr_assert_eq(lines_seen, 1, "the empty root and nothing else");
		fclose(file);
	}
	cr_assert_eq(write(fds[0], "x", 1), 1);
	cr_assert_eq(wait_for(pid), 0);
}

Test(sandbox, reserved_numbers_are_never_taken_from_somebody)
{
	int fd = dup(0), other = dup(0);

	cr_assert_eq(sandbox_reserve_fd(fd, 90), 90);
	cr_assert_eq(fcntl(fd, F_GETFD), -1);
	cr_assert_eq(fcntl(90, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(sandbox_reserve_fd(90, 90), 90);
	cr_assert_eq(sandbox_reserve_fd(other, 90), -EBUSY);
	cr_assert_geq(fcntl(other, F_GETFD), 0);
	cr_assert_eq(sandbox_reserve_fd(99, 91), -EBADF);
}

Test(sandbox, closed_standard_descriptors_cannot_become_something_else)
{
	pid_t pid = fork();

	if (!pid) {
		close(0);
		close(2);
		sandbox_early(&plain.options);
		_exit(fcntl(0, F_GETFD) < 0 || fcntl(2, F_GETFD) < 0);
	}
	cr_assert_eq(wait_for(pid), 0);
}

/* --- everything together: a loop, a character device, a vCPU thread and kicks, all filtered */

static struct loop *loop;
static struct chario *chario;
static volatile sig_atomic_t kicks;

static size_t endless_room(struct device *dev)
{
	(void)dev;
	return 64;
}

static void echo(struct device *dev, const uint8_t *bytes, size_t count)
{
	(void)dev;
	if (memchr(bytes, '.', count))
		loop_quit(loop, 0);
	chario_write(chario, bytes, count);
}

static const struct chario_device_ops echo_ops = { .room = endless_room, .receive = echo };

static void kicked(int number)
{
	(void)number;
	kicks++;
}

static void *guest(void *opaque)
{
	sandbox_thread(SANDBOX_VCPU);
	for (int i = 0; i < 1000; i++) {
		loop_lock(loop);
		chario_write(chario, (const uint8_t *)"g", 1);
		loop_unlock(loop);
	}
	while (!kicks)
		__builtin_ia32_pause();
	return opaque;
}

static void machine_main(void)
{
	static char fake_device;
	struct vm_char config = { .kind = VM_CHAR_STREAM, .fd = 3, .name = "peer" };
	struct sigaction action = { .sa_handler = kicked };
	pthread_t thread;

	enter(&plain);
	REQUIRE(loop_new(&loop) == 0 && chardev_new(loop, &config, &chario) == 0);
	chario_attach(chario, (struct device *)&fake_device, &echo_ops);
	sigaction(SIGUSR1, &action, NULL);
	REQUIRE(pthread_create(&thread, NULL, guest, NULL) == 0);
	sandbox_thread(SANDBOX_LOOP);
	REQUIRE(loop_run(loop) == 0);
	REQUIRE(pthread_kill(thread, SIGUSR1) == 0);
	REQUIRE(pthread_join(thread, NULL) == 0);
	chardev_free(chario);
	loop_free(loop);
	_exit(PASSED);
}

Test(sandbox, a_loop_with_peers_and_threads_lives_and_ends_under_the_filters)
{
	need_filters();
	char bytes[256];
	int fds[2];
	unsigned int guests = 0, dots = 0;
	ssize_t n;
	pid_t pid;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pid = fork();
	if (!pid) {
		dup2(fds[1], 3);
		machine_main();
	}
	close(fds[1]);
	while (guests < 1000 && (n = read(fds[0], bytes, sizeof(bytes))) > 0)
		guests += (unsigned int)n;
	cr_assert_eq(guests, 1000);
	cr_assert_eq(write(fds[0], "end.", 4), 4);
	while ((n = read(fds[0], bytes, sizeof(bytes))) > 0)
		dots += memchr(bytes, '.', (size_t)n) != NULL;
	cr_assert_eq(dots, 1, "what waited is written at the end");
	cr_assert_eq(wait_for(pid), 0);
}
