/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers in virtual nanoseconds. Virtual time stands still while the machine is paused.
 *
 * A timer's deadline lives in its device's saved state, TIMER_OFF when it is not armed, so that
 * saving the state saves the timer and timer_queue_changed() after a load arms it again. A machine
 * has a few dozen timers at most: finding the next one is a walk over an array, with nothing to
 * keep sorted.
 */
#ifndef DEVMODEL_TIMER_H
#define DEVMODEL_TIMER_H

#include <stdint.h>

#define TIMER_OFF UINT64_MAX
#define TIMER_QUEUE_MAX 64

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_USEC UINT64_C(1000)

struct device;
struct timer_queue;

struct vtimer {
	struct timer_queue *queue;
	struct device *dev;
	uint64_t *deadline_ns; /* in the saved state of dev */
	void (*expired)(struct device *dev);
};

struct timer_queue {
	/* Virtual time now. */
	uint64_t (*now)(struct timer_queue *queue);
	/* The earliest deadline is now @deadline_ns (TIMER_OFF: none): arm the host's timer. */
	void (*program)(struct timer_queue *queue, uint64_t deadline_ns);
	uint64_t programmed_ns; /* what program() was last told */
	unsigned int count;
	struct vtimer *timers[TIMER_QUEUE_MAX];
};

void timer_queue_init(struct timer_queue *queue, uint64_t (*now)(struct timer_queue *),
		      void (*program)(struct timer_queue *, uint64_t));

/* Joins @timer, which is not armed, to @queue. */
void timer_init(struct vtimer *timer, struct timer_queue *queue, struct device *dev,
		uint64_t *deadline_ns, void (*expired)(struct device *));
void timer_fini(struct vtimer *timer);

/* A deadline in the past expires at the next timer_queue_run(), never inside timer_arm(). */
void timer_arm(struct vtimer *timer, uint64_t deadline_ns);
void timer_cancel(struct vtimer *timer);

static inline uint64_t timer_now(const struct vtimer *timer)
{
	return timer->queue->now(timer->queue);
}

/* The earliest deadline, or TIMER_OFF. */
uint64_t timer_queue_next(const struct timer_queue *queue);
/*
 * Expires every timer whose deadline is at or before @now_ns, earliest first, those with equal
 * deadlines in the order of timer_init(). A timer that re-arms itself into the past may expire
 * again, at most 64 times in one run, so that no guest can keep the loop here.
 */
void timer_queue_run(struct timer_queue *queue, uint64_t now_ns);
/* Deadlines were changed behind the queue's back, by loading a state. */
void timer_queue_changed(struct timer_queue *queue);

#endif
