// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../devmodel/mc146818.h"

#define RTC_IRQ 8
#define SEC NSEC_PER_SEC

/* 2000-02-29 23:59:50 UTC, a Tuesday. */
#define LEAP_EVENING INT64_C(951868790)

static struct bench *b;
static struct device *rtc;

static void setup(void)
{
	b = bench_new();
	b->wall_clock_s = LEAP_EVENING - 1; /* the bench begins at second 1 */
	rtc = bench_add(b, &mc146818_class, NULL);
}

static void teardown(void)
{
	bench_free(b);
}

TestSuite(mc146818, .init = setup, .fini = teardown);

static uint8_t cmos_read(uint8_t index)
{
	outb(b, 0x70, index);
	return inb(b, 0x71);
}

static void cmos_write(uint8_t index, uint8_t value)
{
	outb(b, 0x70, index);
	outb(b, 0x71, value);
}

static void assert_time(const char *expected)
{
	char now[32];

	snprintf(now, sizeof(now), "%02x%02x-%02x-%02x %02x:%02x:%02x %u", cmos_read(0x32),
		 cmos_read(9), cmos_read(8), cmos_read(7), cmos_read(4), cmos_read(2), cmos_read(0),
		 cmos_read(6));
	cr_assert_str_eq(now, expected);
}

/* Interrupts in @ns, each served at once by reading register C. */
static unsigned int count_interrupts(uint64_t ns, uint64_t step)
{
	unsigned int count = 0;

	for (uint64_t end = b->now_ns + ns; b->now_ns < end;) {
		advance(b, step);
		if (irq_level(b, RTC_IRQ)) {
			count++;
			cmos_read(0x0c);
		}
	}
	return count;
}

/* --- time of day */

Test(mc146818, shows_the_wall_clock_and_crosses_a_leap_day)
{
	assert_time("2000-02-29 23:59:50 3");
	advance(b, 10 * SEC);
	assert_time("2000-03-01 00:00:00 4");
	advance(b, 306 * 86400 * SEC);
	assert_time("2001-01-01 00:00:00 2");
}

Test(mc146818, formats_twelve_hours_and_binary)
{
	cmos_write(0x0b, 0x00);
	cr_assert_eq(cmos_read(4), 0x91, "11 p.m. in BCD");
	cmos_write(0x0b, 0x04);
	cr_assert_eq(cmos_read(4), 0x8b);
	cr_assert_eq(cmos_read(0), 50);
	advance(b, 10 * SEC);
	cr_assert_eq(cmos_read(4), 12, "midnight is 12 a.m.");
	advance(b, 12 * 3600 * SEC);
	cr_assert_eq(cmos_read(4), 0x8c, "noon is 12 p.m.");
}

Test(mc146818, guest_sets_the_time_under_SET)
{
	static const uint8_t time[][2] = { { 0, 0x58 }, { 2, 0x59 }, { 4, 0x23 },   { 7, 0x31 },
					   { 8, 0x12 }, { 9, 0x99 }, { 0x32, 0x19 } };

	cmos_write(0x0b, 0x92);
	cr_assert_eq(cmos_read(0x0b), 0x82, "SET clears UIE");
	for (unsigned int i = 0; i < ARRAY_LEN(time); i++)
		cmos_write(time[i][0], time[i][1]);
	advance(b, 5 * SEC);
	cr_assert_eq(cmos_read(0), 0x58, "the clock is held");
	cmos_write(0x0b, 0x02);
	assert_time("1999-12-31 23:59:58 6");
	advance(b, 2 * SEC);
	assert_time("2000-01-01 00:00:00 7");
	device_reset(rtc, RESET_HARD);
	assert_time("2000-01-01 00:00:00 7");
}

Test(mc146818, time_set_byte_by_byte_may_pass_through_no_date)
{
	cmos_write(7, 0x31); /* 31 February is no date: the clock waits */
	advance(b, 3 * SEC);
	cr_assert_eq(cmos_read(7), 0x31);
	cr_assert_eq(cmos_read(0), 0x50);
	cmos_write(8, 0x03);
	assert_time("2000-03-31 23:59:50 6");
	advance(b, 10 * SEC);
	assert_time("2000-04-01 00:00:00 7");
}

Test(mc146818, pause_moves_the_time_but_jitter_does_not)
{
	cmos_write(0, 0x20); /* half a minute behind the wall clock from now on */
	b->wall_clock_s += 1;
	assert_time("2000-02-29 23:59:20 3");
	b->wall_clock_s += 99; /* paused: virtual time stood still */
	assert_time("2000-03-01 00:01:00 4");
	b->wall_clock_s -= 100;
	assert_time("2000-02-29 23:59:20 3");
}

Test(mc146818, update_in_progress_rises_244us_before_the_update)
{
	unsigned int seen = 0;

	/* The divider began with the machine, on a full second. */
	advance(b, SEC - 245 * NSEC_PER_USEC);
	cr_assert_eq(cmos_read(0x0a), 0x26);
	for (unsigned int us = 245; us > 0; us--) {
		cr_assert_eq(cmos_read(0), 0x50);
		seen += cmos_read(0x0a) >> 7;
		advance(b, NSEC_PER_USEC);
	}
	cr_assert_eq(seen, 244);
	cr_assert_eq(cmos_read(0x0a), 0x26, "UIP is clear when the time has changed");
	cr_assert_eq(cmos_read(0), 0x51);
	cmos_write(0x0b, 0x82);
	advance(b, SEC - 100 * NSEC_PER_USEC);
	cr_assert_eq(cmos_read(0x0a), 0x26, "no update under SET");
}

Test(mc146818, first_update_comes_half_a_second_after_the_divider_reset)
{
	advance(b, SEC / 4);
	cmos_write(0x0a, 0x76);
	advance(b, 7 * SEC);
	cr_assert_eq(cmos_read(0), 0x50, "held");
	cmos_write(0x0a, 0x26);
	advance(b, SEC / 2 - 1);
	cr_assert_eq(cmos_read(0), 0x50);
	advance(b, 1);
	cr_assert_eq(cmos_read(0), 0x51);
}

/* --- interrupts */

Test(mc146818, periodic_rates_are_exact)
{
	for (uint8_t rs = 1; rs <= 15; rs++) {
		unsigned int hz = rs <= 2 ? 512u >> rs : 65536u >> rs;

		cmos_write(0x0a, 0x20 | rs);
		cmos_write(0x0b, 0x42);
		cmos_read(0x0c);
		cr_assert_eq(count_interrupts(2 * SEC, 10 * NSEC_PER_USEC), 2 * hz, "rate %u", rs);
		cmos_write(0x0b, 0x02);
	}
	cmos_write(0x0a, 0x20);
	cmos_write(0x0b, 0x42);
	cmos_read(0x0c);
	cr_assert_eq(count_interrupts(SEC, NSEC_PER_MSEC), 0, "rate 0 is none");
}

Test(mc146818, rate_change_keeps_the_phase)
{
	/* Between 64 and 1024 Hz and back each 3 ms, as NT's timer resolution may. */
	uint64_t end = b->now_ns + 2 * SEC;
	unsigned int slow = 0, fast = 0, n = 0;

	cmos_write(0x0b, 0x42);
	while (b->now_ns < end) {
		cmos_write(0x0a, n % 2 ? 0x26 : 0x2a);
		*(n % 2 ? &fast : &slow) += count_interrupts(3 * NSEC_PER_MSEC, 50 * NSEC_PER_USEC);
		n++;
	}
	cr_assert(fast >= 1020 && fast <= 1028, "%u of 1024 Hz in half the time", fast);
	cr_assert(slow >= 50 && slow <= 78, "%u of 64 Hz in half the time", slow);
}

Test(mc146818, interrupt_stays_until_register_C_is_read)
{
	cmos_write(0x0b, 0x42);
	advance(b, NSEC_PER_MSEC);
	cr_assert(irq_level(b, RTC_IRQ));
	advance(b, 100 * NSEC_PER_USEC);
	cmos_read(0x0a);
	cr_assert(irq_level(b, RTC_IRQ));
	cr_assert_eq(cmos_read(0x0c), 0xc0);
	cr_assert_not(irq_level(b, RTC_IRQ));
	cr_assert_eq(cmos_read(0x0c), 0x00);
}

Test(mc146818, lost_ticks_come_later_at_twice_the_speed)
{
	unsigned int first;

	cmos_write(0x0b, 0x42);
	/* 256 ticks of 1024 Hz pass, of which the first raised the line. */
	advance(b, SEC / 4);
	cr_assert_eq(b->irq_edges[RTC_IRQ], 1);
	cmos_read(0x0c);
	first = count_interrupts(SEC / 8, 20 * NSEC_PER_USEC);
	cr_assert(first >= 255 && first <= 257, "%u: twice the speed", first);
	cr_assert_eq(first + count_interrupts(SEC / 8, 20 * NSEC_PER_USEC), 256 + 255,
		     "none is lost");
	cr_assert_eq(count_interrupts(SEC / 8, 20 * NSEC_PER_USEC), 128, "back to normal");
}

Test(mc146818, too_many_lost_ticks_are_dropped)
{
	cmos_write(0x0b, 0x42);
	advance(b, 60 * SEC);
	cmos_read(0x0c);
	cr_assert_eq(count_interrupts(SEC, 20 * NSEC_PER_USEC), 1024);
	advance(b, SEC / 4);
	cmos_write(0x0b, 0x02);
	cmos_write(0x0b, 0x42);
	cmos_read(0x0c);
	cr_assert_eq(count_interrupts(SEC, 20 * NSEC_PER_USEC), 1024, "PIE off forgets");
}

Test(mc146818, no_timer_without_an_interrupt_to_raise)
{
	advance(b, SEC);
	cmos_read(0x00);
	cmos_read(0x0c);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF, "idle");
	cmos_write(0x0b, 0x42);
	cr_assert_neq(timer_queue_next(&b->timers), TIMER_OFF);
	advance(b, SEC);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF, "the guest has one to serve");
	cmos_read(0x0c);
	cr_assert_neq(timer_queue_next(&b->timers), TIMER_OFF);
	cmos_write(0x0b, 0x02);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF);
}

Test(mc146818, flags_rise_without_their_interrupts)
{
	cmos_read(0x0c);
	advance(b, SEC);
	cr_assert_eq(cmos_read(0x0c), 0x50, "PF and UF, but not IRQF");
	cr_assert_eq(b->irq_edges[RTC_IRQ], 0);
}

Test(mc146818, update_ended_interrupt_comes_each_second)
{
	cmos_write(0x0b, 0x12);
	cmos_read(0x0c);
	cr_assert_eq(count_interrupts(5 * SEC, NSEC_PER_MSEC), 5);
	advance(b, SEC);
	cr_assert_eq(cmos_read(0x0c), 0xd0);
}

Test(mc146818, alarm_matches_with_wildcards)
{
	cmos_write(1, 0x05);
	cmos_write(3, 0x00);
	cmos_write(5, 0x00);
	cmos_write(0x0b, 0x22);
	cmos_read(0x0c);
	advance(b, 15 * SEC - 1);
	cr_assert_not(irq_level(b, RTC_IRQ));
	advance(b, 1);
	cr_assert(irq_level(b, RTC_IRQ), "00:00:05");
	cr_assert(cmos_read(0x0c) & 0x20);
	cr_assert_eq(count_interrupts(2 * 86400 * SEC, 600 * SEC), 2, "once a day");
	cmos_write(5, 0xff);
	cmos_read(0x0c);
	cr_assert_eq(count_interrupts(6 * 3600 * SEC, 600 * SEC), 6, "each hour");
	cmos_write(3, 0xc0);
	cmos_write(1, 0xff);
	cmos_read(0x0c);
	cr_assert_eq(count_interrupts(10 * SEC, 100 * NSEC_PER_MSEC), 10, "each second");
	cmos_write(1, 0x99);
	cmos_read(0x0c);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF, "never");
}

Test(mc146818, alarm_in_twelve_hour_format)
{
	cmos_write(0x0b, 0x00);
	cmos_write(1, 0x00);
	cmos_write(3, 0x30);
	cmos_write(5, 0x81); /* 1:30 p.m. */
	cmos_write(0x0b, 0x20);
	cmos_read(0x0c);
	advance(b, (13 * 3600 + 30 * 60 + 9) * SEC);
	cr_assert_not(irq_level(b, RTC_IRQ));
	advance(b, SEC);
	cr_assert(irq_level(b, RTC_IRQ));
}

/* --- memory, resets, states */

Test(mc146818, presets_and_both_banks_survive_a_hard_reset_only)
{
	uint8_t image[256] = { [0x10] = 0x40, [0x5f] = 3, [0x80] = 0x77, [0x0b] = 0xff };
	struct mc146818_config config = { .image = image, .image_bytes = sizeof(image) };
	struct bench *other = bench_new();
	struct device *dev = bench_add(other, &mc146818_class, &config);

	outb(other, 0x70, 0x0b);
	cr_assert_eq(inb(other, 0x71), 0x02, "registers are not preset");
	outb(other, 0x70, 0x10);
	cr_assert_eq(inb(other, 0x71), 0x40);
	outb(other, 0x72, 0x00);
	cr_assert_eq(inb(other, 0x73), 0x77);
	cr_assert_eq(inw(other, 0x72), 0x77ff);
	outw(other, 0x72, 0x1105);
	outw(other, 0x70, 0x0a0f);
	cr_assert_eq(mc146818_shutdown_code(dev), 0x0a);
	device_reset(dev, RESET_HARD);
	outb(other, 0x72, 0x05);
	cr_assert_eq(inb(other, 0x73), 0x11);
	cr_assert_eq(mc146818_shutdown_code(dev), 0x0a);
	device_reset(dev, RESET_POWER);
	cr_assert_eq(mc146818_shutdown_code(dev), 0x00);
	bench_free(other);
	config.image_bytes = 257;
	cr_assert_lt(device_new(&mc146818_class, "rtc", &b->env, &config, &dev), 0);
}

Test(mc146818, index_port_masks_the_nmi_and_reads_as_nothing)
{
	outb(b, 0x70, 0x8d);
	cr_assert(mc146818_nmi_masked(rtc));
	cr_assert_eq(inb(b, 0x71), 0x80, "valid RAM and time");
	cr_assert_eq(inb(b, 0x70), 0xff);
	outb(b, 0x70, 0x0d);
	cr_assert_not(mc146818_nmi_masked(rtc));
}

Test(mc146818, reset_drops_the_interrupt)
{
	cmos_write(0x0b, 0x7a);
	advance(b, SEC);
	cr_assert(irq_level(b, RTC_IRQ));
	device_reset(rtc, RESET_HARD);
	cr_assert_not(irq_level(b, RTC_IRQ));
	cr_assert_eq(cmos_read(0x0b), 0x02);
	cr_assert_eq(timer_queue_next(&b->timers), TIMER_OFF);
}

Test(mc146818, saved_with_a_backlog_goes_on_where_it_was)
{
	uint8_t bytes[4096];
	struct cursor to = cursor_writer(bytes, sizeof(bytes)), from;
	char error[128];

	cmos_write(0x0b, 0x42);
	advance(b, SEC / 8); /* 128 ticks, 127 of them lost so far */
	state_save(rtc, &to);
	cr_assert(cursor_ok(&to));
	device_reset(rtc, RESET_POWER);
	from = cursor_reader(bytes, to.pos);
	cr_assert_eq(state_load(rtc, &from, error, sizeof(error)), 0, "%s", error);
	rtc->class->post_load(rtc);
	timer_queue_changed(&b->timers);
	cr_assert(irq_level(b, RTC_IRQ));
	cmos_read(0x0c);
	cr_assert_eq(count_interrupts(SEC / 4, 20 * NSEC_PER_USEC), 256 + 127);
}

Test(mc146818, rude_guest_writes_nonsense_everywhere)
{
	for (unsigned int value = 0; value < 256; value += 3) {
		for (uint8_t index = 0; index < 0x80; index++)
			cmos_write(index, (uint8_t)(value + index));
		advance(b, 300 * NSEC_PER_MSEC);
		for (uint8_t index = 0; index < 0x80; index++)
			cmos_read(index);
	}
	cmos_write(0x0a, 0x26);
	cmos_write(0x0b, 0x82);
	cmos_write(0, 0x00);
	cmos_write(2, 0x00);
	cmos_write(4, 0x00);
	cmos_write(7, 0x01);
	cmos_write(8, 0x01);
	cmos_write(9, 0x97);
	cmos_write(0x32, 0x19);
	cmos_write(0x0b, 0x02);
	assert_time("1997-01-01 00:00:00 4");
}
