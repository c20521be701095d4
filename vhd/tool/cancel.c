// SPDX-License-Identifier: GPL-2.0-or-later
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "tool.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static const char *volatile remove_path;
static volatile sig_atomic_t deferred, asked, forward;

static void die_by(int number)
{
	sigset_t set;

	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void on_signal(int number)
{
	if (forward)
		kill(forward, SIGTERM);
	if (deferred && !asked) {
		asked = number;
		return;
	}
	if (remove_path)
		unlink(remove_path);
	die_by(number);
}

void cancel_init(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction old;

		/* What nohup and its like ignore stays ignored. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of the write */
}

static void change_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(how, &set, NULL);
}

void cancel_block(void)
{
	change_mask(SIG_BLOCK);
}

void cancel_unblock(void)
{
	change_mask(SIG_UNBLOCK);
}

void cancel_remove(const char *path)
{
	remove_path = path;
}

void cancel_defer(bool defer)
{
	deferred = defer;
}

void cancel_forward(int pid)
{
	forward = pid;
}

bool cancel_asked(void)
{
	return asked;
}

void cancel_finish(void)
{
	if (asked)
		die_by(asked);
}
