// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/doorbell: bells that are told, bells that are looked at, and what makes the difference. KVM is not needed. */
#include <criterion/criterion.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../devmodel/device.h"
#include "../../vmm/doorbell.h"
#include "../../vmm/loop.h"

#define OFFSET 8

static struct loop *loop;
static struct doorbells bells;
static struct device dev;
/* What the driver does when its doorbell was carried out: rings so many times, as long as it has some left. */
static unsigned int answers, rings_left, calls;
static unsigned int stop_at; /* of rings_left: the machine stops then; 0: never */
static bool was_looked_at;

static void ring(unsigned int times)
{
	while (times--)
		cr_assert_eq(eventfd_write(bells.bells[0].fd, 1), 0);
}

static void carried_out(struct device *device, uint32_t offset, unsigned int size, uint32_t value)
{
	unsigned int times = rings_left < answers ? rings_left : answers;

	cr_assert_eq(device, &dev);
	cr_assert_eq(offset, OFFSET);
	cr_assert_eq(size, 4);
	cr_assert_eq(value, 0);
	calls++;
	was_looked_at |= bells.bells[0].looking;
	rings_left -= times;
	ring(times);
	if (stop_at && rings_left == stop_at)
		doorbells_set_running(&bells, false);
}

static const uint16_t offsets[] = { OFFSET, 0 };
static const struct io_region_desc desc = { .length = 16,
					    .write = carried_out,
					    .doorbells = offsets };

static void setup(void)
{
	struct device *devices[] = { &dev };

	cr_assert_eq(loop_new(&loop), 0);
	doorbells_init(&bells, loop, NULL);
	dev.regions[0].desc = &desc;
	doorbells_add(&bells, devices, 1);
	cr_assert_eq(bells.count, 1);
}

static void teardown(void)
{
	doorbells_fini(&bells);
	loop_free(loop);
}

TestSuite(doorbell, .init = setup, .fini = teardown, .timeout = 20);

/* --- what happens, one thing after the other: the next when nothing rings any more and nobody looks */

static void (*const *next_thing)(void);
static unsigned int calls_seen;

static void tick(void *opaque)
{
	(void)opaque;
	if (calls != calls_seen || bells.bells[0].looking) {
		calls_seen = calls;
		return;
	}
	if (*next_thing)
		(*next_thing++)();
	else
		loop_quit(loop, 0);
}

static void go(void (*const *things)(void))
{
	struct loop_timer *timer;

	next_thing = things;
	cr_assert_eq(loop_timer_new(loop, 20000, tick, NULL, &timer), 0);
	loop_timer_set(timer, true);
	cr_assert_eq(loop_run(loop), 0);
	loop_timer_free(timer);
}

static void run_machine(void)
{
	doorbells_set_running(&bells, true);
}

static void ring_once(void)
{
	ring(1);
}

static void forget(void)
{
	calls = 0;
	was_looked_at = false;
	answers = rings_left = 0;
}

/* --- tests */

Test(doorbell, ring_is_carried_out)
{
	go((void (*const[])(void)){ run_machine, forget, ring_once, NULL });
	cr_assert_eq(calls, 1);
	cr_assert_not(was_looked_at);
}

Test(doorbell, nothing_rings_while_the_machine_stands_and_all_does_when_it_goes_on)
{
	go((void (*const[])(void)){ ring_once, NULL });
	cr_assert_eq(calls, 0);
	doorbells_set_running(&bells, true);
	cr_assert_eq(calls, 1);
}

/* A driver that rings eight times for each time that it is heard. */
static void send_much(void)
{
	answers = 8;
	rings_left = 100000;
	ring(1);
}

static void much_was_sent(void)
{
	cr_assert(was_looked_at);
	cr_assert_eq(rings_left, 0);
	cr_assert_geq(calls, 100000 / 8);
	cr_assert_leq(calls, 100000 / 8 + 10, "none was heard alone: %u", calls);
	forget();
}

Test(doorbell, bulk_is_looked_at_and_a_single_ring_told_afterwards)
{
	go((void (*const[])(void)){ run_machine, send_much, much_was_sent, ring_once, NULL });
	cr_assert_eq(calls, 1);
	cr_assert_not(was_looked_at);
}

/* Two who answer each other: a ring for each time that one was heard. */
static void talk(void)
{
	answers = 1;
	rings_left = 20000;
	ring(1);
}

Test(doorbell, who_answers_quickly_is_seldom_made_to_wait)
{
	go((void (*const[])(void)){ run_machine, forget, talk, NULL });
	cr_assert_eq(calls, 20001);
	/* Each time that it was looked at in vain takes twice as many rings as the one before. */
	cr_assert_lt(bells.bells[0].patience, 2 * calls);
	cr_assert(!was_looked_at || bells.bells[0].patience > 8);
}

static void it_was_stopped(void)
{
	cr_assert_eq(rings_left, stop_at, "%u", rings_left);
	cr_assert(was_looked_at);
	forget();
}

static void one_was_heard(void)
{
	cr_assert_eq(calls, 1);
}

Test(doorbell, machine_that_stops_in_the_middle_of_bulk_hears_of_it_when_it_goes_on)
{
	stop_at = 400;
	go((void (*const[])(void)){ run_machine, send_much, it_was_stopped, run_machine,
				    one_was_heard, ring_once, NULL });
	cr_assert_eq(calls, 2);
}
