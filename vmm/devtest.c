// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * The connection is the one of serial ports (chardev.h): this file sits at its device's end. What
 * comes in is kept, and taken line by line, but not while a step is under way or while the client has
 * left too many answers unread. A step goes from timer to timer in slices, so that signals, the control
 * socket and the disks' completions get their turn.
 */
#include "devtest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/log.h"
#include "../devmodel/device.h"
#include "../devmodel/timer.h"
#include "chardev.h"
#include "config.h"
#include "loop.h"
#include "machine.h"
#include "qtest.h"

#define IN_BYTES (QTEST_LINE_BYTES + 4096)
/* No further command while so many bytes of answers wait. */
#define OUT_BYTES_BUSY (64u << 10)
#define LINES_PER_TURN 64
#define TIMERS_PER_TURN 1024

struct devtest {
	struct device end; /* what the connection takes for its device */
	struct loop *loop;
	struct machine *machine;
	struct chario *chario;
	struct qtest qtest;
	bool leaves;   /* the machine ends with its client */
	bool stepping; /* a command lets time pass */
	bool skipping; /* a line that is too long has not ended yet */
	struct loop_post step_post, work_post;
	size_t in_at, in_end; /* lines that wait are in[in_at] to in[in_end - 1] */
	char *in;
};

static struct devtest *of(struct device *end)
{
	return container_of(end, struct devtest, end);
}

/* --- answers */

static bool client_is_slow(const struct devtest *d)
{
	return qtest_pending(&d->qtest) >= OUT_BYTES_BUSY;
}

static void send_answers(struct devtest *d)
{
	struct qtest *q = &d->qtest;

	while (qtest_pending(q)) {
		size_t n = chario_write(d->chario, (const uint8_t *)q->out + q->out_at,
					qtest_pending(q));

		if (!n)
			break;
		qtest_taken(q, n);
	}
	if (q->out_lost) {
		log_warning("%s: the test port's client does not read: it has lost answers",
			    machine_config(d->machine)->name);
		q->out_lost = false;
	}
}

/* --- time */

/* Lets time pass for a while; posts itself when that is not enough. */
static void step(struct devtest *d)
{
	for (unsigned int i = 0; i < TIMERS_PER_TURN; i++) {
		/* Whoever ends the wait posts again: disks_idle(), client_reads(). */
		if (machine_disks_busy(d->machine) || client_is_slow(d))
			return;
		if (machine_step(d->machine, d->qtest.step_to_ns) &&
		    !machine_disks_busy(d->machine)) {
			d->stepping = false;
			qtest_stepped(&d->qtest);
			return;
		}
		send_answers(d);
	}
	loop_post(d->loop, &d->step_post);
}

/* --- commands */

/* The next whole line, without its end; NULL: there is none yet. */
static char *take_line(struct devtest *d)
{
	char *line = d->in + d->in_at;
	char *end = memchr(line, '\n', d->in_end - d->in_at);

	if (!end)
		return NULL;
	*end = '\0';
	d->in_at += (size_t)(end + 1 - line);
	return line;
}

static void execute(struct devtest *d, char *line)
{
	if (d->skipping) {
		d->skipping = false;
		qtest_fail(&d->qtest, "a line is too long; 1048576 bytes fit");
		return;
	}
	if (qtest_execute(&d->qtest, line) == QTEST_STEP) {
		d->stepping = true;
		step(d);
	}
}

static void work(struct devtest *d)
{
	char *line = NULL;

	for (unsigned int i = 0; i < LINES_PER_TURN && !d->stepping && !client_is_slow(d); i++) {
		line = take_line(d);
		if (!line)
			break;
		execute(d, line);
		send_answers(d);
	}
	if (line)
		loop_post(d->loop, &d->work_post);
	/* What waits moves to the front when there is little room behind it, or it is nothing. */
	if (d->in_at == d->in_end) {
		d->in_at = d->in_end = 0;
	} else if (d->in_at > IN_BYTES / 2 || (d->in_at && d->in_end == IN_BYTES)) {
		memmove(d->in, d->in + d->in_at, d->in_end - d->in_at);
		d->in_end -= d->in_at;
		d->in_at = 0;
	}
	if (!line && d->in_end - d->in_at >= QTEST_LINE_BYTES) {
		d->skipping = true;
		d->in_at = d->in_end = 0;
	}
	chario_rx_ready(d->chario);
}

static void work_posted(struct loop_post *post)
{
	work(container_of(post, struct devtest, work_post));
}

static void step_posted(struct loop_post *post)
{
	struct devtest *d = container_of(post, struct devtest, step_post);

	if (!d->stepping)
		return;
	step(d);
	send_answers(d);
	if (!d->stepping)
		work(d);
}

static void disks_idle(void *opaque)
{
	struct devtest *d = opaque;

	if (d->stepping)
		loop_post(d->loop, &d->step_post);
}

static void irq_changed(void *opaque, unsigned int n, bool level)
{
	struct devtest *d = opaque;

	qtest_irq(&d->qtest, n, level);
	/* Outside of a command it is a disk's completion, or a command of the control socket. */
	loop_post(d->loop, &d->work_post);
}

/* --- what the protocol gets */

static void settle(void *opaque)
{
	machine_settle(((struct devtest *)opaque)->machine);
}

static uint64_t now_ns(void *opaque)
{
	return machine_clock_ns(((struct devtest *)opaque)->machine);
}

static uint64_t next_ns(void *opaque)
{
	return machine_next_timer_ns(((struct devtest *)opaque)->machine);
}

static const char *stopped(void *opaque)
{
	switch (machine_state(((struct devtest *)opaque)->machine)) {
	case MACHINE_PAUSED:
		return "the machine is paused; resume it first";
	case MACHINE_ENDED:
		return "the machine has been powered off";
	default:
		return NULL;
	}
}

/* --- the connection */

static size_t room(struct device *end)
{
	return IN_BYTES - of(end)->in_end;
}

static void receive(struct device *end, const uint8_t *bytes, size_t count)
{
	struct devtest *d = of(end);

	memcpy(d->in + d->in_end, bytes, count);
	d->in_end += count;
	work(d);
}

static void client_reads(struct device *end)
{
	struct devtest *d = of(end);

	send_answers(d);
	if (d->stepping)
		loop_post(d->loop, &d->step_post);
	else
		loop_post(d->loop, &d->work_post);
}

static void connected(struct device *end, bool connected)
{
	struct devtest *d = of(end);

	if (connected)
		return;
	d->in_at = d->in_end = 0;
	d->skipping = d->stepping = false;
	qtest_forget(&d->qtest);
	if (d->leaves)
		machine_quit(d->machine);
}

static const struct chario_device_ops connection_ops = {
	.room = room,
	.receive = receive,
	.tx_ready = client_reads,
	.connected = connected,
};

/* --- life */

int devtest_new(struct loop *loop, struct machine *machine, struct devtest **ret_devtest)
{
	const struct vm_char *config = &machine_config(machine)->devtest;
	struct devtest *d = calloc(1, sizeof(*d));
	struct qtest_machine target = {
		.io = machine_io(machine),
		.dma = machine_dma(machine),
		.settle = settle,
		.now_ns = now_ns,
		.next_ns = next_ns,
		.stopped = stopped,
		.opaque = d,
	};
	int r = -ENOMEM;

	if (!d)
		return r;
	d->loop = loop;
	d->machine = machine;
	d->leaves = config->kind == VM_CHAR_CLIENT;
	d->step_post.run = step_posted;
	d->work_post.run = work_posted;
	d->in = malloc(IN_BYTES);
	if (d->in)
		r = qtest_init(&d->qtest, &target);
	if (r == 0)
		r = chardev_new(loop, config, &d->chario);
	if (r < 0) {
		devtest_free(d);
		return r;
	}
	chario_attach(d->chario, &d->end, &connection_ops);
	chario_rx_ready(d->chario);
	machine_watch(machine, &(struct machine_watcher){ irq_changed, disks_idle, d });
	*ret_devtest = d;
	return 0;
}

void devtest_free(struct devtest *devtest)
{
	if (!devtest)
		return;
	machine_watch(devtest->machine, &(struct machine_watcher){ NULL, NULL, NULL });
	chardev_free(devtest->chario);
	loop_post_cancel(devtest->loop, &devtest->step_post);
	loop_post_cancel(devtest->loop, &devtest->work_post);
	qtest_fini(&devtest->qtest);
	free(devtest->in);
	free(devtest);
}
