// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * sandbox_early() works while the process has one thread. It becomes the user it was told, then
 * enters a user namespace in which it holds all capabilities, only to arrange the rest: a mount
 * namespace whose root is an empty, read-only file system of its own, with the host's tree
 * detached; IPC, UTS, cgroup and network namespaces with nothing in them. Then it gives the
 * capabilities up. What the process still has is what came as descriptors.
 *
 * Where the host refuses user namespaces (a sysctl, AppArmor, a container's own filter) Landlock
 * takes the place of the empty root. What was begun by then is left as it is: it only takes away.
 *
 * sandbox_warm_up() makes the libraries fetch what they fetch once, and translates the filters, so
 * that sandbox_thread() is one system call. See docs/threats.md for what each stage is against.
 */
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <json-c/json.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "config.h"
#include "seccomp_rules.h"

#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static struct sock_fprog programs[SANDBOX_THREAD_KINDS];

/*
 * Numbers that filters name are held by placeholders until they are reserved, so that none of the
 * starter's descriptors, however many there are, is received at one of them.
 */
static uint32_t placeholders;

int sandbox_reserve_fd(int fd, int number)
{
	if (fd == number)
		return fd;
	/* Whatever stood there would be closed silently. */
	if (!(placeholders & BIT(number)) && fcntl(number, F_GETFD) >= 0)
		return -EBUSY;
	placeholders &= ~BIT(number);
	if (dup3(fd, number, O_CLOEXEC) < 0)
		return -errno;
	close(fd);
	return number;
}

/* --- who we are */

static void become(const struct sandbox_options *options)
{
	if (geteuid() != 0 || (!options->uid && !options->gid))
		return;
	if (setgroups(0, NULL) < 0 ||
	    (options->gid && setresgid(options->gid, options->gid, options->gid) < 0) ||
	    (options->uid && setresuid(options->uid, options->uid, options->uid) < 0))
		die("cannot become user %u, group %u: %s; start without --uid and --gid",
		    options->uid, options->gid, strerror(errno));
	/* The change of user made /proc/self root's; the maps below are written there. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* --- namespaces; each of these gives 0 or -errno */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, text, strlen(text));
	close(fd);
	return r;
}

static int map_identity(uid_t uid, gid_t gid)
{
	char uid_map[48], gid_map[48];
	int r;

	snprintf(uid_map, sizeof(uid_map), "%u %u 1\n", uid, uid);
	snprintf(gid_map, sizeof(gid_map), "%u %u 1\n", gid, gid);
	r = write_file("/proc/self/setgroups", "deny");
	if (r == 0)
		r = write_file("/proc/self/uid_map", uid_map);
	if (r == 0)
		r = write_file("/proc/self/gid_map", gid_map);
	return r;
}

static int pivot_to_working_directory(void)
{
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		/* The old root now lies over the new one. */
		return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
	}
	if (errno != EINVAL)
		return -errno;
	/* The root is an initial RAM file system, which cannot be detached: cover it. */
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		return -errno;
	return 0;
}

static int enter_empty_root(void)
{
	/* Any directory will do; this one was just used. */
	static const char place[] = "/proc";

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("empty", place, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4096,nr_inodes=2,mode=0") < 0 ||
	    chdir(place) < 0)
		return -errno;
	return pivot_to_working_directory();
}

static int enter_namespaces(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS |
		    CLONE_NEWCGROUP) < 0)
		return -errno;
	r = map_identity(uid, gid);
	if (r == 0)
		r = enter_empty_root();
	if (r == 0 && chdir("/") < 0)
		r = -errno;
	return r;
}

/* --- Landlock; its header may be older than the kernel */

#define LANDLOCK_VERSION_QUESTION 1u
#define LANDLOCK_NET_BOTH 0x3u	 /* bind and connect TCP */
#define LANDLOCK_SCOPE_BOTH 0x3u /* abstract unix sockets and signals to outside */

struct landlock_attributes {
	uint64_t files, net, scoped;
};

/* What a version of the kernel's interface can take away, and how much of the struct it reads. */
static const struct landlock_version {
	unsigned int file_rights;
	uint64_t net, scoped;
	size_t size;
} landlock_versions[] = {
	{ 13, 0, 0, offsetof(struct landlock_attributes, net) },
	{ 14, 0, 0, offsetof(struct landlock_attributes, net) }, /* moving between directories */
	{ 15, 0, 0, offsetof(struct landlock_attributes, net) }, /* truncating */
	{ 15, LANDLOCK_NET_BOTH, 0, offsetof(struct landlock_attributes, scoped) },
	{ 16, LANDLOCK_NET_BOTH, 0, offsetof(struct landlock_attributes, scoped) }, /* ioctl */
	{ 16, LANDLOCK_NET_BOTH, LANDLOCK_SCOPE_BOTH, sizeof(struct landlock_attributes) },
};

/* 0: the kernel has none. */
static unsigned int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_QUESTION);

	return version > 0 ? (unsigned int)min_u64((uint64_t)version, ARRAY_LEN(landlock_versions))
			   : 0;
}

/* A rule set without rules: what it handles is forbidden everywhere. 0 or -errno. */
static int landlock_forbid_all(unsigned int version)
{
	const struct landlock_version *row = &landlock_versions[version - 1];
	const struct landlock_attributes attributes = {
		.files = mask32(row->file_rights),
		.net = row->net,
		.scoped = row->scoped,
	};
	int fd, r;

	fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, row->size, 0);
	if (fd < 0)
		return -errno;
	r = syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* --- privileges and limits */

/* The bounding set goes too where we may shrink it; without new privileges it is of no use anyway.
 */
static void drop_capabilities(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("cannot give up new privileges: %s", strerror(errno));
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_ALL) < 0)
		die("cannot give up capabilities: %s", strerror(errno));
}

static const struct limit {
	__rlimit_resource_t resource;
	rlim_t value;
	const char *name;
} limits[] = {
	{ RLIMIT_CORE, 0, "core size" },      /* a guest's memory belongs in no file */
	{ RLIMIT_NOFILE, 512, "open files" }, /* what a start message can bring, twice */
	{ RLIMIT_MEMLOCK, 0, "locked memory" },
	{ RLIMIT_MSGQUEUE, 0, "message queues" },
};

static void set_limits(void)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct rlimit limit = { limits[i].value, limits[i].value };
		struct rlimit now;

		/* A stricter limit of the starter stays. */
		if (getrlimit(limits[i].resource, &now) == 0 && now.rlim_max < limit.rlim_max)
			continue;
		if (setrlimit(limits[i].resource, &limit) < 0)
			die("cannot limit %s: %s", limits[i].name, strerror(errno));
	}
}

/* Standard descriptors, so that no image or socket can become one; then nothing but the start
 * socket. */
static void sort_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			die("/dev/null: %s; it is needed in place of closed standard descriptors",
			    strerror(errno));
	} while (fd <= STDERR_FILENO);
	close(fd);
	if (close_range(VM_START_FD + 1, UINT32_MAX, 0) < 0)
		die("cannot close stray descriptors: %s; the host needs Linux 5.9 or later",
		    strerror(errno));
	for (int number = SANDBOX_FD_KVM; number <= SANDBOX_FD_LAST; number++) {
		if (dup3(STDERR_FILENO, number, O_CLOEXEC) < 0)
			die("cannot hold descriptor %d: %s", number, strerror(errno));
		placeholders |= BIT(number);
	}
}

static void close_placeholders(void)
{
	for (int number = SANDBOX_FD_KVM; number <= SANDBOX_FD_LAST; number++) {
		if (placeholders & BIT(number))
			close(number);
	}
	placeholders = 0;
}

/* --- the stages */

enum sandbox_level sandbox_early(const struct sandbox_options *options)
{
	enum sandbox_level level = SANDBOX_FULL;
	int r;

	sort_descriptors();
	become(options);
	r = enter_namespaces();
	if (r < 0) {
		level = landlock_version() ? SANDBOX_LANDLOCK : SANDBOX_DEGRADED;
		if (level == SANDBOX_DEGRADED && !options->allow_degraded)
			die("the host allows neither user namespaces (%s) nor Landlock: allow one "
			    "of "
			    "them, or accept less protection with --sandbox=degraded",
			    strerror(-r));
		log_warning("the host refuses user namespaces (%s): the sandbox is \"%s\", not "
			    "\"full\"; see docs/threats.md",
			    strerror(-r), sandbox_level_name(level));
	}
	drop_capabilities();
	set_limits();
	/* Neither core dumps nor other processes of the same user may look inside. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die("cannot become undumpable: %s", strerror(errno));
	/*
	 * A change of credentials undid what the starter had asked for: that its death is told us. If it
	 * died meanwhile, its end of the start socket is closed, and the configuration never comes.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
		die("cannot watch the starter: %s", strerror(errno));
	return level;
}

void sandbox_warm_up(void)
{
	json_object *object = json_tokener_parse("{\"warm\":[1.5]}");

	/* Hash seeds and locale. */
	if (!object || !json_object_to_json_string(object))
		die("not enough memory");
	json_object_put(object);
	for (unsigned int kind = 0; kind < SANDBOX_THREAD_KINDS; kind++) {
		int r;

		if (programs[kind].filter)
			continue;
		r = seccomp_compile(kind, &programs[kind]);
		if (r < 0)
			die("cannot prepare the system call filters: %s", strerror(-r));
	}
}

void sandbox_files(enum sandbox_level level)
{
	unsigned int version = landlock_version();
	int r;

	close_placeholders();
	/* In the full level it doubles the empty root where the kernel has it. */
	if (!version && level != SANDBOX_LANDLOCK)
		return;
	r = version ? landlock_forbid_all(version) : -ENOSYS;
	if (r < 0)
		die("cannot shut off the file system with Landlock: %s", strerror(-r));
}

void sandbox_thread(enum sandbox_thread_kind kind)
{
	if (!programs[kind].filter)
		die("sandbox_warm_up() was not called");
	if (!sandbox_has_filters()) {
		if (kind == SANDBOX_LOOP)
			log_warning("built with a sanitizer: no system call filters");
		return;
	}
	/* Not for all threads at once: they differ. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &programs[kind]) < 0)
		die("cannot load the system call filter: %s; the host's kernel needs "
		    "CONFIG_SECCOMP_FILTER",
		    strerror(errno));
}

bool sandbox_has_filters(void)
{
	return !(SANITIZED);
}

const char *sandbox_level_name(enum sandbox_level level)
{
	static const char *const names[] = {
		[SANDBOX_FULL] = "full",
		[SANDBOX_LANDLOCK] = "landlock",
		[SANDBOX_DEGRADED] = "degraded",
	};

	return names[level];
}
