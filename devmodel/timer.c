// SPDX-License-Identifier: GPL-2.0-or-later
#include "timer.h"

#include <assert.h>
#include <stddef.h>

#define RUNS_PER_CALL 64

static uint64_t queue_never(struct timer_queue *queue)
{
	(void)queue;
	return 0;
}

static void queue_ignore(struct timer_queue *queue, uint64_t deadline_ns)
{
	(void)queue;
	(void)deadline_ns;
}

void timer_queue_init(struct timer_queue *queue, uint64_t (*now)(struct timer_queue *),
		      void (*program)(struct timer_queue *, uint64_t))
{
	queue->now = now ? now : queue_never;
	queue->program = program ? program : queue_ignore;
	queue->programmed_ns = TIMER_OFF;
	queue->count = 0;
}

static struct vtimer *earliest(const struct timer_queue *queue)
{
	struct vtimer *first = NULL;

	for (unsigned int i = 0; i < queue->count; i++) {
		struct vtimer *timer = queue->timers[i];

		if (*timer->deadline_ns != TIMER_OFF &&
		    (!first || *timer->deadline_ns < *first->deadline_ns))
			first = timer;
	}
	return first;
}

uint64_t timer_queue_next(const struct timer_queue *queue)
{
	const struct vtimer *first = earliest(queue);

	return first ? *first->deadline_ns : TIMER_OFF;
}

void timer_queue_changed(struct timer_queue *queue)
{
	uint64_t next = timer_queue_next(queue);

	if (next == queue->programmed_ns)
		return;
	queue->programmed_ns = next;
	queue->program(queue, next);
}

void timer_init(struct vtimer *timer, struct timer_queue *queue, struct device *dev,
		uint64_t *deadline_ns, void (*expired)(struct device *))
{
	assert(queue->count < TIMER_QUEUE_MAX);
	*timer = (struct vtimer){ queue, dev, deadline_ns, expired };
	*deadline_ns = TIMER_OFF;
	queue->timers[queue->count++] = timer;
}

void timer_fini(struct vtimer *timer)
{
	struct timer_queue *queue = timer->queue;
	unsigned int i = 0;

	if (!queue)
		return;
	while (queue->timers[i] != timer)
		i++;
	for (queue->count--; i < queue->count; i++)
		queue->timers[i] = queue->timers[i + 1];
	timer->queue = NULL;
	timer_queue_changed(queue);
}

void timer_arm(struct vtimer *timer, uint64_t deadline_ns)
{
	struct timer_queue *queue = timer->queue;

	*timer->deadline_ns = deadline_ns;
	/* A host timer that fires too early costs one empty run; only an earlier one must be told.
	 */
	if (deadline_ns < queue->programmed_ns) {
		queue->programmed_ns = deadline_ns;
		queue->program(queue, deadline_ns);
	}
}

void timer_cancel(struct vtimer *timer)
{
	*timer->deadline_ns = TIMER_OFF;
}

void timer_queue_run(struct timer_queue *queue, uint64_t now_ns)
{
	for (unsigned int runs = 0; runs < RUNS_PER_CALL; runs++) {
		struct vtimer *timer = earliest(queue);

		if (!timer || *timer->deadline_ns > now_ns)
			break;
		*timer->deadline_ns = TIMER_OFF;
		timer->expired(timer->dev);
	}
	/* Whatever was programmed has fired. */
	queue->programmed_ns = TIMER_OFF;
	timer_queue_changed(queue);
}
