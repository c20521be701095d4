/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine process gives up what it does not need, in stages. Each is one function, called once,
 * in this order, by main():
 *
 *	sandbox_early	new user, mount, IPC and network namespaces with an empty root, no new privileges,
 *			no capability, limits, not dumpable, stray descriptors closed
 *	...		receive configuration and descriptors, build the machine
 *	sandbox_files	from here on no path can be opened (Landlock on top of the empty root)
 *	...		start the threads; each calls sandbox_thread() first thing
 *	sandbox_thread	the system call filter of its kind of thread; the loop thread calls it last
 */
#ifndef VMM_SANDBOX_H
#define VMM_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

enum sandbox_level {
	SANDBOX_FULL,	  /* everything above */
	SANDBOX_LANDLOCK, /* the host refuses user namespaces: Landlock and seccomp alone */
	SANDBOX_DEGRADED, /* even Landlock is missing; only with --sandbox=degraded */
};

enum sandbox_thread_kind { SANDBOX_LOOP, SANDBOX_VCPU, SANDBOX_WORKER, SANDBOX_THREAD_KINDS };

struct sandbox_options {
	uint32_t uid, gid; /* as root: become these; 0: stay who we are */
	bool allow_degraded;
};

/*
 * Fixed descriptor numbers, so that filters can name them. sandbox_reserve_fd() moves a descriptor
 * there (close-on-exec, the old number closed).
 */
enum sandbox_fd {
	SANDBOX_FD_KVM = 16,
	SANDBOX_FD_VM = 17,
	SANDBOX_FD_VCPU0 = 24, /* vCPU n at 24 + n, to 31: an aligned block for one masked test */
	SANDBOX_FD_LAST = 31,
};
/* The new number, or -errno. */
int sandbox_reserve_fd(int fd, int number);

/* Dies with one line where the host refuses what @options do not allow to miss. */
enum sandbox_level sandbox_early(const struct sandbox_options *options);
/* Warms up what libraries open or map once (hash seeds, locale); before sandbox_files(). */
void sandbox_warm_up(void);
void sandbox_files(enum sandbox_level level);
/* Dies when the filter cannot be loaded: a thread never runs without. */
void sandbox_thread(enum sandbox_thread_kind kind);
/* Not in a build with a sanitizer, whose run time makes system calls of its own; for tests. */
bool sandbox_has_filters(void);

/* "full", "landlock", "degraded". */
const char *sandbox_level_name(enum sandbox_level level);

#endif
