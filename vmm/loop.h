/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's loop and lock.
 *
 * The locking rule, all of it: the machine lock is held whenever device code runs, whenever a
 * machine struct is read or changed, and in every callback named here. vCPU threads take it around
 * an exit that leaves to a device; the loop thread takes it around each callback; workers never
 * take it, they loop_post(). Nobody blocks while holding it: no file, no peer, no other lock. A vCPU
 * thread that has had it for some milliseconds (an adapter's engine may be asked for much) lets others
 * have it for a moment, in the middle of posted writes too.
 *
 * Only the loop thread waits for events and timers.
 */
#ifndef VMM_LOOP_H
#define VMM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Work for the loop thread, embedded in what it is about. */
struct loop_post {
	void (*run)(struct loop_post *post);
	struct loop_post *next;
	bool queued;
};

struct loop_watch;

/* 0 or -errno. The thread that calls is the loop thread until another one calls loop_run(). */
int loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop);

void loop_lock(struct loop *loop);
void loop_unlock(struct loop *loop);

/*
 * From any thread, with or without the lock; run() is called with it. A post that is queued already
 * is not queued twice. It must not be freed while it is queued: run() may free it, and so may
 * whoever has taken it back.
 */
void loop_post(struct loop *loop, struct loop_post *post);
/* Takes @post back if it waits. Loop thread, when no other thread can post it any more. */
void loop_post_cancel(struct loop *loop, struct loop_post *post);

/*
 * Calls @ready with the lock held when @fd has one of @events (EPOLLIN, EPOLLOUT). With EPOLLET whenever
 * it comes to have one, again and again, read or not: what a timer or an eventfd needs that fires
 * thousands of times a second. Loop thread, or before the loop runs. 0 or -errno. @fd stays the caller's.
 */
int loop_watch_new(struct loop *loop, int fd, uint32_t events,
		   void (*ready)(void *opaque, uint32_t events), void *opaque,
		   struct loop_watch **ret_watch);
/* May be called with the lock held from any thread: an event set never wakes the loop when
 * unchanged. */
void loop_watch_set(struct loop_watch *watch, uint32_t events);
/* Loop thread; also from inside its own callback. NULL is allowed. */
void loop_watch_free(struct loop_watch *watch);

struct loop_timer;

/*
 * Calls @due with the lock held every @interval_us of the host's time while it is on; it is made
 * off. For peers that can only be asked; devices have timers of their own (devmodel/timer.h). Loop
 * thread, or before the loop runs. 0 or -errno.
 */
int loop_timer_new(struct loop *loop, uint32_t interval_us, void (*due)(void *opaque), void *opaque,
		   struct loop_timer **ret_timer);
void loop_timer_set(struct loop_timer *timer, bool on);
/* NULL is allowed. */
void loop_timer_free(struct loop_timer *timer);

/* A signal for the loop (SIGTERM, SIGINT); must be blocked in all threads. 0 or -errno. */
int loop_signal(struct loop *loop, int number, void (*arrived)(void *opaque), void *opaque);

/* Runs until loop_quit(); returns its status, or -errno. */
int loop_run(struct loop *loop);
/* From any thread, with the lock. The first call's status counts. */
void loop_quit(struct loop *loop, int status);

#endif
