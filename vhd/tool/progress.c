// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "tool.h"

/* The first line after a while, since most work is done at once; then a few in a second. */
#define FIRST_NS 500000000
#define NEXT_NS 200000000

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void progress_begin(struct progress *progress, const char *what)
{
	*progress = (struct progress){
		.what = what,
		.next_ns = isatty(STDERR_FILENO) ? now_ns() + FIRST_NS : INT64_MAX,
	};
}

int progress_report(uint64_t done, uint64_t total, void *opaque)
{
	struct progress *progress = opaque;

	if (cancel_asked())
		return -ECANCELED;
	if (progress->next_ns == INT64_MAX || now_ns() < progress->next_ns)
		return 0;
	progress->next_ns = now_ns() + NEXT_NS;
	progress->shown = true;
	fprintf(stderr, "\r%s: %llu %% ", progress->what,
		(unsigned long long)(total ? mul_div_u64(done, 100, total) : 100));
	fflush(stderr);
	return 0;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
	progress->shown = false;
}
