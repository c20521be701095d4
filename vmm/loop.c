// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * One epoll set waits for everything; each callback is called with the machine lock, which is let go of
 * in between, so that a vCPU waits for one callback at most. libsystemd's sd-event would do the same, but one
 * of its turns costs thousands of instructions, and a frame that a guest sends takes two of them.
 *
 * Other threads reach the loop through one queue of posts and one eventfd. The queue is a stack
 * that producers push to with compare-and-swap; the loop thread takes all of it with one exchange
 * and turns it round. Who pushes to the empty stack writes the eventfd, which is an event of its own for
 * an edge-triggered watch; whoever pushes behind them need not.
 *
 * Only the loop thread takes posts out, so that it can take one back (loop_post_cancel()) without
 * more than a walk over those that it holds.
 *
 * What a thread other than the loop's wants of a watch is noted in the watch, under the machine
 * lock, and a post carries it to the epoll set. An event that arrives in between is checked against
 * the note, so that a watch never hears what it has said it does not want. The events of a turn that
 * are still to be told are forgotten with their watch.
 */
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"

#define LOOP_SIGNALS_MAX 4
#define EVENTS_MAX 32

struct loop {
	int epoll_fd;
	pthread_mutex_t lock;
	pthread_t thread;		       /* runs the loop */
	struct epoll_event events[EVENTS_MAX]; /* of this turn */
	int event_count;
	int post_fd;
	struct loop_watch *post_watch;
	struct loop_post *posted;  /* atomic; newest first */
	struct loop_post *pending; /* taken by the loop thread, oldest first */
	struct loop_post quit_post;
	bool quitting, over;
	int status;
	int signal_fd;
	sigset_t signal_set;
	struct loop_watch *signal_watch;
	unsigned int signal_count;
	struct loop_signal {
		int number;
		void (*arrived)(void *opaque);
		void *opaque;
	} signals[LOOP_SIGNALS_MAX];
};

struct loop_watch {
	struct loop *loop;
	int fd;
	bool in_set;
	struct loop_post post; /* carries wanted to the epoll set */
	uint32_t wanted;
	void (*ready)(void *opaque, uint32_t events);
	void *opaque;
};

void loop_lock(struct loop *loop)
{
	int error = pthread_mutex_lock(&loop->lock);

	assert(!error);
	(void)error;
}

void loop_unlock(struct loop *loop)
{
	int error = pthread_mutex_unlock(&loop->lock);

	assert(!error);
	(void)error;
}

static bool in_loop_thread(const struct loop *loop)
{
	return pthread_equal(loop->thread, pthread_self());
}

/* --- posts */

void loop_post(struct loop *loop, struct loop_post *post)
{
	const uint64_t one = 1;
	struct loop_post *newest;

	if (__atomic_exchange_n(&post->queued, true, __ATOMIC_ACQ_REL))
		return;
	newest = __atomic_load_n(&loop->posted, __ATOMIC_RELAXED);
	do
		post->next = newest;
	while (!__atomic_compare_exchange_n(&loop->posted, &newest, post, true, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED));
	/* Nobody reads the counter: it would take centuries to overflow. */
	if (!newest && write(loop->post_fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
}

/* Moves everything posted so far behind what is pending. */
static void take_posts(struct loop *loop)
{
	struct loop_post *post = __atomic_exchange_n(&loop->posted, NULL, __ATOMIC_ACQ_REL);
	struct loop_post *oldest = NULL, **end = &loop->pending;

	while (post) {
		struct loop_post *next = post->next;

		post->next = oldest;
		oldest = post;
		post = next;
	}
	while (*end)
		end = &(*end)->next;
	*end = oldest;
}

static void posts_ready(void *opaque, uint32_t events)
{
	struct loop *loop = opaque;

	(void)events;
	take_posts(loop);
	/* What run() posts again waits for the next round, so that a round has an end. */
	while (loop->pending) {
		struct loop_post *post = loop->pending;

		loop->pending = post->next;
		/* From here on the post may be queued again, or run() may free it. */
		__atomic_store_n(&post->queued, false, __ATOMIC_RELEASE);
		post->run(post);
	}
}

void loop_post_cancel(struct loop *loop, struct loop_post *post)
{
	assert(in_loop_thread(loop));
	if (!__atomic_load_n(&post->queued, __ATOMIC_ACQUIRE))
		return;
	/* What else came along runs with the event of its own that is on the way. */
	take_posts(loop);
	for (struct loop_post **link = &loop->pending; *link; link = &(*link)->next) {
		if (*link == post) {
			*link = post->next;
			break;
		}
	}
	__atomic_store_n(&post->queued, false, __ATOMIC_RELEASE);
}

/* --- watches */

/*
 * An idle watch leaves the epoll set altogether: the kernel reports a hang-up even to those who
 * want nothing, and would do so for ever.
 */
static int watch_apply(struct loop_watch *watch)
{
	struct epoll_event event = { .events = watch->wanted, .data.ptr = watch };
	int operation = EPOLL_CTL_DEL;

	if (watch->wanted)
		operation = watch->in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	else if (!watch->in_set)
		return 0;
	if (epoll_ctl(watch->loop->epoll_fd, operation, watch->fd, &event) < 0)
		return -errno;
	watch->in_set = watch->wanted;
	return 0;
}

static void watch_posted(struct loop_post *post)
{
	/* Changing what epoll accepted before fails only for want of kernel memory: deaf then. */
	(void)watch_apply(container_of(post, struct loop_watch, post));
}

int loop_watch_new(struct loop *loop, int fd, uint32_t events,
		   void (*ready)(void *opaque, uint32_t events), void *opaque,
		   struct loop_watch **ret_watch)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->loop = loop;
	watch->fd = fd;
	watch->post.run = watch_posted;
	watch->ready = ready;
	watch->opaque = opaque;
	/* Even for nothing, so that it is known now whether the descriptor can be waited for. */
	watch->wanted = events ? events : EPOLLIN;
	r = watch_apply(watch);
	if (r == 0 && !events) {
		watch->wanted = 0;
		r = watch_apply(watch);
	}
	if (r < 0) {
		free(watch);
		return r;
	}
	*ret_watch = watch;
	return 0;
}

void loop_watch_set(struct loop_watch *watch, uint32_t events)
{
	if (watch->wanted == events)
		return;
	watch->wanted = events;
	if (in_loop_thread(watch->loop))
		(void)watch_apply(watch);
	else
		loop_post(watch->loop, &watch->post);
}

void loop_watch_free(struct loop_watch *watch)
{
	if (!watch)
		return;
	loop_post_cancel(watch->loop, &watch->post);
	watch->wanted = 0;
	(void)watch_apply(watch);
	for (int i = 0; i < watch->loop->event_count; i++) {
		if (watch->loop->events[i].data.ptr == watch)
			watch->loop->events[i].data.ptr = NULL;
	}
	free(watch);
}

/* --- timers */

struct loop_timer {
	struct loop_watch *watch;
	int fd;
	uint32_t interval_us;
	void (*due)(void *opaque);
	void *opaque;
};

static void timer_ready(void *opaque, uint32_t events)
{
	struct loop_timer *timer = opaque;
	uint64_t expirations;

	(void)events;
	/* It may have been turned off since it woke us. */
	if (read(timer->fd, &expirations, sizeof(expirations)) > 0)
		timer->due(timer->opaque);
}

int loop_timer_new(struct loop *loop, uint32_t interval_us, void (*due)(void *opaque), void *opaque,
		   struct loop_timer **ret_timer)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	int error;

	if (!timer)
		return -ENOMEM;
	*timer = (struct loop_timer){ .interval_us = interval_us, .due = due, .opaque = opaque };
	timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	error = timer->fd < 0 ? -errno
			      : loop_watch_new(loop, timer->fd, EPOLLIN, timer_ready, timer,
					       &timer->watch);
	if (error < 0) {
		fd_close(timer->fd);
		free(timer);
		return error;
	}
	*ret_timer = timer;
	return 0;
}

void loop_timer_set(struct loop_timer *timer, bool on)
{
	const struct timespec interval = { timer->interval_us / 1000000,
					   timer->interval_us % 1000000 * 1000L };
	struct itimerspec when = { 0 };

	if (on)
		when = (struct itimerspec){ interval, interval };
	(void)timerfd_settime(timer->fd, 0, &when, NULL);
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	loop_watch_free(timer->watch);
	fd_close(timer->fd);
	free(timer);
}

/* --- signals */

static void signal_ready(void *opaque, uint32_t events)
{
	struct loop *loop = opaque;
	struct signalfd_siginfo info;

	(void)events;
	if (read(loop->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	for (unsigned int i = 0; i < loop->signal_count; i++) {
		if ((uint32_t)loop->signals[i].number == info.ssi_signo)
			loop->signals[i].arrived(loop->signals[i].opaque);
	}
}

int loop_signal(struct loop *loop, int number, void (*arrived)(void *opaque), void *opaque)
{
	int fd;

	if (loop->signal_count == LOOP_SIGNALS_MAX)
		return -ENOSPC;
	sigaddset(&loop->signal_set, number);
	fd = signalfd(loop->signal_fd, &loop->signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	loop->signals[loop->signal_count++] = (struct loop_signal){ number, arrived, opaque };
	loop->signal_fd = fd;
	if (loop->signal_watch)
		return 0;
	return loop_watch_new(loop, fd, EPOLLIN, signal_ready, loop, &loop->signal_watch);
}

/* --- the loop */

static void quit_posted(struct loop_post *post)
{
	struct loop *loop = container_of(post, struct loop, quit_post);

	loop->over = true;
}

/* Adaptive: a device access is shorter than a sleep and a wake-up. */
static int lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;
	int error;

	error = pthread_mutexattr_init(&attributes);
	if (error)
		return -error;
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
	error = pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return -error;
}

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int error;

	if (!loop)
		return -ENOMEM;
	loop->thread = pthread_self();
	loop->quit_post.run = quit_posted;
	loop->post_fd = loop->epoll_fd = loop->signal_fd = -1;
	sigemptyset(&loop->signal_set);
	error = lock_init(&loop->lock);
	if (error < 0) {
		free(loop);
		return error;
	}
	loop->post_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	error = loop->post_fd < 0 || loop->epoll_fd < 0 ? -errno : 0;
	if (error == 0)
		error = loop_watch_new(loop, loop->post_fd, EPOLLIN | EPOLLET, posts_ready, loop,
				       &loop->post_watch);
	if (error < 0) {
		loop_free(loop);
		return error;
	}
	*ret_loop = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	/* Whoever ran it has ended. */
	loop->thread = pthread_self();
	loop_watch_free(loop->signal_watch);
	loop_watch_free(loop->post_watch);
	fd_close(loop->signal_fd);
	fd_close(loop->epoll_fd);
	fd_close(loop->post_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static void tell(struct loop *loop, const struct epoll_event *event)
{
	struct loop_watch *watch = event->data.ptr;
	uint32_t events;

	loop_lock(loop);
	events = event->events & (watch->wanted | EPOLLHUP | EPOLLERR);
	if (watch->wanted && events)
		watch->ready(watch->opaque, events);
	loop_unlock(loop);
}

int loop_run(struct loop *loop)
{
	loop->thread = pthread_self();
	while (!loop->over) {
		loop->event_count = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, -1);
		if (loop->event_count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < loop->event_count && !loop->over; i++) {
			if (loop->events[i].data.ptr)
				tell(loop, &loop->events[i]);
		}
		loop->event_count = 0;
	}
	return loop->status;
}

void loop_quit(struct loop *loop, int status)
{
	if (!loop->quitting) {
		loop->quitting = true;
		loop->status = status;
	}
	loop_post(loop, &loop->quit_post);
}
