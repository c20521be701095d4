// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * sd-event waits and dispatches; each of its callbacks enters here, takes the machine lock, calls
 * what the machine gave, and lets go of the lock again, so that a vCPU waits for one callback at
 * most.
 *
 * Other threads reach the loop through one queue of posts and one eventfd. The queue is a stack
 * that producers push to with compare-and-swap; the loop thread takes all of it with one exchange
 * and turns it round. Who pushes to the empty stack writes the eventfd; whoever pushes behind them
 * need not, since the loop thread reads the eventfd before it takes the stack.
 *
 * Only the loop thread takes posts out, so that it can take one back (loop_post_cancel()) without
 * more than a walk over those that it holds.
 *
 * What a thread other than the loop's wants of a watch is noted in the watch, under the machine
 * lock, and a post carries it to the epoll set. An event that arrives in between is checked against
 * the note, so that a watch never hears what it has said it does not want.
 *
 * The machine's timer is not one of sd-event's sources: it is waited for beside sd-event's own epoll
 * set, edge-triggered, so that a tick needs neither a turn of sd-event nor a read.
 */
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"

#define LOOP_SIGNALS_MAX 4

/* What the loop's own epoll set reports. */
enum { READY_SD_EVENT, READY_TIMER };

struct loop_signal {
	struct loop *loop;
	sd_event_source *source;
	void (*arrived)(void *opaque);
	void *opaque;
};

struct loop {
	sd_event *event;
	int epoll_fd; /* what loop_run() sleeps on: sd-event's own epoll set, and the timer */
	void (*timer_due)(void *opaque);
	void *timer_opaque;
	pthread_mutex_t lock;
	pthread_t thread; /* runs the loop */
	int post_fd;
	sd_event_source *post_source;
	struct loop_post *posted;  /* atomic; newest first */
	struct loop_post *pending; /* taken by the loop thread, oldest first */
	struct loop_post quit_post;
	bool quitting;
	int status;
	unsigned int signal_count;
	struct loop_signal signals[LOOP_SIGNALS_MAX];
};

struct loop_watch {
	struct loop *loop;
	sd_event_source *source;
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
	/* The counter cannot overflow: it is read before each time that the stack becomes empty. */
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

static int posts_ready(sd_event_source *source, int fd, uint32_t events, void *opaque)
{
	struct loop *loop = opaque;
	uint64_t count;

	(void)source;
	(void)events;
	/* First of all: a push after the exchange below writes again. */
	if (read(fd, &count, sizeof(count)) < 0)
		assert(errno == EAGAIN);
	take_posts(loop);
	/* What run() posts again waits for the next round, so that a round has an end. */
	loop_lock(loop);
	while (loop->pending) {
		struct loop_post *post = loop->pending;

		loop->pending = post->next;
		/* From here on the post may be queued again, or run() may free it. */
		__atomic_store_n(&post->queued, false, __ATOMIC_RELEASE);
		post->run(post);
	}
	loop_unlock(loop);
	return 0;
}

void loop_post_cancel(struct loop *loop, struct loop_post *post)
{
	assert(in_loop_thread(loop));
	if (!__atomic_load_n(&post->queued, __ATOMIC_ACQUIRE))
		return;
	/* The eventfd stays readable, and what else came along runs when the loop gets there. */
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

static int watch_ready(sd_event_source *source, int fd, uint32_t events, void *opaque)
{
	struct loop_watch *watch = opaque;
	struct loop *loop = watch->loop;

	(void)source;
	(void)fd;
	loop_lock(loop);
	events &= watch->wanted | EPOLLHUP | EPOLLERR;
	if (watch->wanted && events)
		watch->ready(watch->opaque, events);
	loop_unlock(loop);
	return 0;
}

/*
 * An idle watch leaves the epoll set altogether: the kernel reports a hang-up even to those who
 * want nothing, and would do so for ever.
 */
static void watch_apply(struct loop_watch *watch)
{
	int error;

	if (watch->wanted) {
		error = sd_event_source_set_io_events(watch->source, watch->wanted);
		if (error >= 0)
			error = sd_event_source_set_enabled(watch->source, SD_EVENT_ON);
	} else {
		error = sd_event_source_set_enabled(watch->source, SD_EVENT_OFF);
	}
	/* Changing what epoll accepted before fails only for want of kernel memory; go deaf then.
	 */
	if (error < 0)
		sd_event_source_set_enabled(watch->source, SD_EVENT_OFF);
}

static void watch_posted(struct loop_post *post)
{
	watch_apply(container_of(post, struct loop_watch, post));
}

int loop_watch_new(struct loop *loop, int fd, uint32_t events,
		   void (*ready)(void *opaque, uint32_t events), void *opaque,
		   struct loop_watch **ret_watch)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));
	int error;

	if (!watch)
		return -ENOMEM;
	watch->loop = loop;
	watch->post.run = watch_posted;
	watch->wanted = events;
	watch->ready = ready;
	watch->opaque = opaque;
	error = sd_event_add_io(loop->event, &watch->source, fd, events, watch_ready, watch);
	if (error < 0) {
		free(watch);
		return error;
	}
	if (!events)
		watch_apply(watch);
	*ret_watch = watch;
	return 0;
}

void loop_watch_set(struct loop_watch *watch, uint32_t events)
{
	if (watch->wanted == events)
		return;
	watch->wanted = events;
	if (in_loop_thread(watch->loop))
		watch_apply(watch);
	else
		loop_post(watch->loop, &watch->post);
}

void loop_watch_free(struct loop_watch *watch)
{
	if (!watch)
		return;
	loop_post_cancel(watch->loop, &watch->post);
	sd_event_source_disable_unref(watch->source);
	free(watch);
}

/*
 * --- timers: descriptors of our own, since sd-event's read files when the first of them is armed,
 * which the sandbox does not allow
 */

struct loop_timer {
	struct loop_watch *watch;
	int fd;
	uint32_t interval_ms;
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

int loop_timer_new(struct loop *loop, uint32_t interval_ms, void (*due)(void *opaque), void *opaque,
		   struct loop_timer **ret_timer)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	int error;

	if (!timer)
		return -ENOMEM;
	*timer = (struct loop_timer){ .interval_ms = interval_ms, .due = due, .opaque = opaque };
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
	const struct timespec interval = { timer->interval_ms / 1000,
					   timer->interval_ms % 1000 * 1000000L };
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

static int signal_ready(sd_event_source *source, const struct signalfd_siginfo *info, void *opaque)
{
	struct loop_signal *entry = opaque;

	(void)source;
	(void)info;
	loop_lock(entry->loop);
	entry->arrived(entry->opaque);
	loop_unlock(entry->loop);
	return 0;
}

int loop_signal(struct loop *loop, int number, void (*arrived)(void *opaque), void *opaque)
{
	struct loop_signal *entry = &loop->signals[loop->signal_count];
	int error;

	if (loop->signal_count == LOOP_SIGNALS_MAX)
		return -ENOSPC;
	*entry = (struct loop_signal){ .loop = loop, .arrived = arrived, .opaque = opaque };
	error = sd_event_add_signal(loop->event, &entry->source, number, signal_ready, entry);
	if (error < 0)
		return error;
	loop->signal_count++;
	return 0;
}

/* --- the timer */

int loop_set_machine_timer(struct loop *loop, int fd, void (*due)(void *opaque), void *opaque)
{
	struct epoll_event timer = { .events = EPOLLIN | EPOLLET, .data.u32 = READY_TIMER };

	loop->timer_due = due;
	loop->timer_opaque = opaque;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &timer) < 0 ? -errno : 0;
}

/* Serves the timer until sd-event has something, too. */
static int wait_for_events(struct loop *loop)
{
	struct epoll_event ready[2];
	bool others = false;

	while (!others) {
		int count = epoll_wait(loop->epoll_fd, ready, ARRAY_LEN(ready), -1);

		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++) {
			if (ready[i].data.u32 == READY_SD_EVENT) {
				others = true;
				continue;
			}
			loop_lock(loop);
			loop->timer_due(loop->timer_opaque);
			loop_unlock(loop);
		}
	}
	return 0;
}

/* --- the loop */

static void quit_posted(struct loop_post *post)
{
	struct loop *loop = container_of(post, struct loop, quit_post);

	sd_event_exit(loop->event, loop->status);
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
	struct epoll_event others = { .events = EPOLLIN, .data.u32 = READY_SD_EVENT };
	struct loop *loop = calloc(1, sizeof(*loop));
	int error;

	if (!loop)
		return -ENOMEM;
	loop->thread = pthread_self();
	loop->quit_post.run = quit_posted;
	loop->post_fd = loop->epoll_fd = -1;
	error = lock_init(&loop->lock);
	if (error < 0) {
		free(loop);
		return error;
	}
	loop->post_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->post_fd < 0 || loop->epoll_fd < 0) {
		error = -errno;
		goto failed;
	}
	error = sd_event_new(&loop->event);
	if (error < 0)
		goto failed;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, sd_event_get_fd(loop->event), &others) < 0) {
		error = -errno;
		goto failed;
	}
	error = sd_event_add_io(loop->event, &loop->post_source, loop->post_fd, EPOLLIN,
				posts_ready, loop);
	if (error < 0)
		goto failed;
	*ret_loop = loop;
	return 0;

failed:
	loop_free(loop);
	return error;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (unsigned int i = 0; i < loop->signal_count; i++)
		sd_event_source_disable_unref(loop->signals[i].source);
	sd_event_source_disable_unref(loop->post_source);
	sd_event_unref(loop->event);
	fd_close(loop->epoll_fd);
	fd_close(loop->post_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

int loop_run(struct loop *loop)
{
	int status = 0;

	loop->thread = pthread_self();
	while (sd_event_get_state(loop->event) != SD_EVENT_FINISHED) {
		int r = sd_event_prepare(loop->event);

		if (r == 0) {
			r = wait_for_events(loop);
			if (r == 0)
				r = sd_event_wait(loop->event, 0);
		}
		if (r > 0)
			r = sd_event_dispatch(loop->event);
		if (r < 0)
			return r;
	}
	(void)sd_event_get_exit_code(loop->event, &status);
	return status;
}

void loop_quit(struct loop *loop, int status)
{
	if (!loop->quitting) {
		loop->quitting = true;
		loop->status = status;
	}
	loop_post(loop, &loop->quit_post);
}
