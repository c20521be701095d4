// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real-time clock and battery-backed memory: Motorola MC146818A data sheet (1984) as integrated in
 * the Intel 82371AB (PIIX4), whose upper bank of 128 bytes is at ports 72h and 73h.
 *
 * Not emulated: daylight saving (DSE) and the square wave output (SQWE), whose bits are only kept;
 * the 1984 us that an update takes after UIP rose (it is instantaneous here, 244 us after UIP
 * rises); time bases other than 32.768 kHz and the divider's test modes (the clock stands still
 * then). The day of the week always follows the date. The upper bank is always there, and its
 * ranges cannot be locked (RTCCFG of the PIIX4).
 *
 * Theory of operation
 *
 * Nothing ticks. The divider is a count of 32.768 kHz periods computed from virtual time since
 * divider_ns, when it was 0; second boundaries and the edges of every periodic rate are multiples
 * of powers of two in that count, so that changing the rate never moves a phase: guests that switch
 * between 64 and 1024 Hz keep time. seen_count is how far the flags of register C have been brought
 * up to date; sync() does that at every entry point. A timer is armed only for an event that would
 * raise the interrupt now: its enable bit is set and its flag is clear.
 *
 * The time of day is base_s + seconds of the divider while the clock runs. It runs unless SET, the
 * divider's reset, or a set of registers that is no valid time holds it; then ram[] has the
 * registers as the guest wrote them. base_s follows the host's wall clock plus what the guest set
 * (offset_s), but only when they are two seconds apart: a pause or a host's clock step moves the
 * guest's time, jitter at the edge of a second does not.
 *
 * A periodic interrupt that comes while PF is still set would be lost, and guests that count them
 * would fall behind. owed counts them, in divider periods so that it survives a rate change; each
 * is delivered once register C was read, half a period after the one before at the soonest, so that
 * guest time runs at most at twice its speed. More than OWED_MAX means that the guest was stopped
 * or does not care: all are dropped.
 */
#include "mc146818.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"

#define SECONDS 0x00
#define SECONDS_ALARM 0x01
#define MINUTES 0x02
#define MINUTES_ALARM 0x03
#define HOURS 0x04
#define HOURS_ALARM 0x05
#define DAY_OF_WEEK 0x06
#define DATE_OF_MONTH 0x07
#define MONTH 0x08
#define YEAR 0x09
#define REGISTER_A 0x0a
#define A_UIP BIT(7)
#define A_DV(a) ((a) >> 4 & 7u)
#define A_DV_32768HZ 2u
#define A_RS(a) ((a)&15u)
#define REGISTER_B 0x0b
#define B_SET BIT(7)
#define B_PIE BIT(6)
#define B_AIE BIT(5)
#define B_UIE BIT(4)
#define B_SQWE BIT(3)
#define B_DM BIT(2)
#define B_24_12 BIT(1)
#define REGISTER_C 0x0c
#define C_IRQF BIT(7)
#define C_PF BIT(6)
#define C_AF BIT(5)
#define C_UF BIT(4)
#define REGISTER_D 0x0d
#define D_VRT BIT(7)
#define SHUTDOWN 0x0f
#define CENTURY 0x32

#define HOURS_PM BIT(7)
/* Alarm bytes from here on match any value. */
#define ALARM_ANY 0xc0
#define INDEX_NMI_MASK BIT(7)
#define BANK_BYTES 128u

#define COUNTS_PER_SEC 32768u
#define HALF_SECOND (COUNTS_PER_SEC / 2)
/* UIP rises 8 counts, 244 us, before the update. */
#define UIP_COUNTS 8u
#define OWED_MAX (2 * COUNTS_PER_SEC)
#define SECONDS_PER_DAY 86400
/* Some twelve thousand years either way: what a state may hold without sums overflowing. */
#define TIME_LIMIT_S INT64_C(400000000000)

struct mc146818_state {
	uint64_t deadline_ns;
	uint64_t divider_ns;
	uint64_t seen_count;
	uint64_t delivered_ns; /* the latest periodic interrupt */
	int64_t base_s;
	int64_t offset_s;
	uint32_t owed;
	uint8_t index;
	uint8_t upper_index;
	uint8_t nmi_mask;
	uint8_t running;
	uint8_t ram[2 * BANK_BYTES];
};

struct mc146818 {
	struct device dev;
	struct mc146818_state s;
	struct vtimer timer;
	struct irq_line irq;
	uint8_t presets[2 * BANK_BYTES];
	int64_t preset_offset_s;
	void (*changed)(void *opaque);
	void *changed_opaque;
};

static const struct state_field mc146818_fields[] = {
	STATE_FIELD(struct mc146818, deadline_ns),
	STATE_FIELD(struct mc146818, divider_ns),
	STATE_FIELD(struct mc146818, seen_count),
	STATE_FIELD(struct mc146818, delivered_ns),
	STATE_FIELD(struct mc146818, base_s),
	STATE_FIELD(struct mc146818, offset_s),
	STATE_FIELD(struct mc146818, owed, .max = OWED_MAX),
	STATE_FIELD(struct mc146818, index, .max = BANK_BYTES - 1),
	STATE_FIELD(struct mc146818, upper_index, .max = BANK_BYTES - 1),
	STATE_FIELD(struct mc146818, nmi_mask, .max = 1),
	STATE_FIELD(struct mc146818, running, .max = 1),
	STATE_ARRAY(struct mc146818, ram),
	STATE_END,
};

static void tell_changed(struct mc146818 *rtc)
{
	if (rtc->changed)
		rtc->changed(rtc->changed_opaque);
}

/* --- the divider */

static bool divider_runs(const struct mc146818_state *s)
{
	return A_DV(s->ram[REGISTER_A]) == A_DV_32768HZ;
}

static uint64_t divider_count(const struct mc146818 *rtc)
{
	if (!divider_runs(&rtc->s))
		return rtc->s.seen_count;
	return mul_div_u64(timer_now(&rtc->timer) - rtc->s.divider_ns, COUNTS_PER_SEC,
			   NSEC_PER_SEC);
}

/* The first nanosecond at which the divider is at @count. A count is 1953125 / 64 ns. */
static uint64_t count_ns(const struct mc146818_state *s, uint64_t count)
{
	return s->divider_ns + count / 64 * 1953125 + (count % 64 * 1953125 + 63) / 64;
}

/* Counts between two periodic interrupts; 0: none. */
static uint32_t period_counts(const struct mc146818_state *s)
{
	unsigned int rs = A_RS(s->ram[REGISTER_A]);

	if (!rs)
		return 0;
	/* With this time base the two fastest settings are 256 and 128 Hz. */
	return UINT32_C(1) << (rs <= 2 ? rs + 6 : rs - 1);
}

/* --- calendar */

/* Days from 1970-01-01 to a date of the Gregorian calendar, for years from 0. */
static int64_t days_from_date(int64_t year, unsigned int month, unsigned int day)
{
	/* Years begin in March here, so that the leap day is the last one. */
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t month_from_march = month <= 2 ? month + 9 : month - 3;
	int64_t leaps = y >= 0 ? y / 4 - y / 100 + y / 400 : -1;

	return y * 365 + leaps + (153 * month_from_march + 2) / 5 + day - 1 - 719468;
}

static unsigned int days_in_month(int64_t year, unsigned int month)
{
	return (unsigned int)(days_from_date(month == 12 ? year + 1 : year,
					     month == 12 ? 1 : month + 1, 1) -
			      days_from_date(year, month, 1));
}

struct date {
	unsigned int year, month, day;
};

static struct date date_from_days(int64_t days)
{
	struct date date = { .month = 1 };
	/* An estimate that is at most one year late, then corrected. */
	int64_t year = 1970 + days * 400 / 146097 + 1;

	while (days_from_date(year, 1, 1) > days)
		year--;
	days -= days_from_date(year, 1, 1);
	while (days >= days_in_month(year, date.month))
		days -= days_in_month(year, date.month++);
	date.year = (unsigned int)year;
	date.day = (unsigned int)days + 1;
	return date;
}

static uint8_t encode(uint8_t b, unsigned int value)
{
	return (uint8_t)(b & B_DM ? value : value / 10 << 4 | value % 10);
}

/* Whether @byte is a number from @min to @max in the format of register B. */
static bool decode(uint8_t b, uint8_t byte, unsigned int min, unsigned int max,
		   unsigned int *ret_value)
{
	unsigned int value = byte;

	if (!(b & B_DM)) {
		if ((byte & 15) > 9 || byte >> 4 > 9)
			return false;
		value = (byte >> 4) * 10u + (byte & 15);
	}
	if (value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

static uint8_t encode_hour(uint8_t b, unsigned int hour)
{
	if (b & B_24_12)
		return encode(b, hour);
	return (uint8_t)(encode(b, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOURS_PM : 0));
}

static bool decode_hour(uint8_t b, uint8_t byte, unsigned int *ret_hour)
{
	unsigned int hour;

	if (b & B_24_12)
		return decode(b, byte, 0, 23, ret_hour);
	if (!decode(b, byte & (uint8_t)~HOURS_PM, 1, 12, &hour))
		return false;
	*ret_hour = hour % 12 + (byte & HOURS_PM ? 12 : 0);
	return true;
}

/* What register @offset shows at @time_s in the format of register @b. */
static uint8_t clock_byte(int64_t time_s, uint8_t b, unsigned int offset)
{
	int64_t second = time_s % SECONDS_PER_DAY, days = time_s / SECONDS_PER_DAY;
	unsigned int s;

	if (second < 0) {
		second += SECONDS_PER_DAY;
		days--;
	}
	s = (unsigned int)second;
	switch (offset) {
	case SECONDS:
		return encode(b, s % 60);
	case MINUTES:
		return encode(b, s / 60 % 60);
	case HOURS:
		return encode_hour(b, s / 3600);
	case DAY_OF_WEEK: /* 1 is Sunday; 1970 began on a Thursday */
		return encode(b, (unsigned int)((days % 7 + 7 + 4) % 7) + 1);
	case DATE_OF_MONTH:
		return encode(b, date_from_days(days).day);
	case MONTH:
		return encode(b, date_from_days(days).month);
	case YEAR:
		return encode(b, date_from_days(days).year % 100);
	default: /* the century is BCD in every format: it is firmware's byte, not the chip's */
		return encode(0, date_from_days(days).year / 100 % 100);
	}
}

static const uint8_t clock_registers[] = {
	SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DATE_OF_MONTH, MONTH, YEAR, CENTURY,
};

/* The time that the registers in ram[] hold; false when it is none. */
static bool decode_time(const struct mc146818_state *s, int64_t *ret_time_s)
{
	uint8_t b = s->ram[REGISTER_B];
	unsigned int second, minute, hour, day, month, year, century;

	if (!decode(b, s->ram[SECONDS], 0, 59, &second) ||
	    !decode(b, s->ram[MINUTES], 0, 59, &minute) || !decode_hour(b, s->ram[HOURS], &hour) ||
	    !decode(b, s->ram[MONTH], 1, 12, &month) || !decode(b, s->ram[YEAR], 0, 99, &year) ||
	    !decode(0, s->ram[CENTURY], 0, 99, &century))
		return false;
	year += century * 100;
	if (!decode(b, s->ram[DATE_OF_MONTH], 1, days_in_month(year, month), &day))
		return false;
	*ret_time_s = days_from_date(year, month, day) * SECONDS_PER_DAY + hour * 3600 +
		      minute * 60 + second;
	return true;
}

/* --- the clock */

static int64_t seen_time(const struct mc146818_state *s)
{
	return s->base_s + (int64_t)(s->seen_count / COUNTS_PER_SEC);
}

/* The clock stops: the registers keep what they show, in the format of register @b. */
static void clock_hold(struct mc146818_state *s, uint8_t b)
{
	if (!s->running)
		return;
	for (unsigned int i = 0; i < ARRAY_LEN(clock_registers); i++)
		s->ram[clock_registers[i]] = clock_byte(seen_time(s), b, clock_registers[i]);
	s->running = 0;
}

/* The clock runs on from what the registers hold, unless something holds it. */
static void clock_try_run(struct mc146818 *rtc)
{
	struct mc146818_state *s = &rtc->s;
	int64_t time_s;

	if (s->running || s->ram[REGISTER_B] & B_SET || !divider_runs(s) ||
	    !decode_time(s, &time_s))
		return;
	s->base_s = time_s - (int64_t)(s->seen_count / COUNTS_PER_SEC);
	s->offset_s = time_s - rtc->dev.env->wall_clock(rtc->dev.env);
	tell_changed(rtc);
	s->running = 1;
}

static bool alarm_matches(const struct mc146818_state *s, unsigned int offset, int64_t time_s)
{
	uint8_t alarm = s->ram[offset + 1];

	return alarm >= ALARM_ANY || alarm == clock_byte(time_s, s->ram[REGISTER_B], offset);
}

/* The first moment after @time_s that the alarm matches; INT64_MAX: none. */
static int64_t next_alarm(const struct mc146818_state *s, int64_t time_s)
{
	int64_t end = time_s + SECONDS_PER_DAY;

	/* Skips what is left of an hour or minute that does not match: some 150 steps at most. */
	for (time_s++; time_s <= end;) {
		if (!alarm_matches(s, HOURS, time_s))
			time_s += 3600 - (time_s % 3600 + 3600) % 3600;
		else if (!alarm_matches(s, MINUTES, time_s))
			time_s += 60 - (time_s % 60 + 60) % 60;
		else if (!alarm_matches(s, SECONDS, time_s))
			time_s++;
		else
			return time_s;
	}
	return INT64_MAX;
}

/* --- flags and interrupts */

static void sync_clock(struct mc146818 *rtc, uint64_t count)
{
	struct mc146818_state *s = &rtc->s;
	int64_t before = seen_time(s), after, behind;

	if (!s->running)
		return;
	after = s->base_s + (int64_t)(count / COUNTS_PER_SEC);
	behind = rtc->dev.env->wall_clock(rtc->dev.env) + s->offset_s - after;
	if (behind >= 2 || behind <= -2) {
		s->base_s += behind;
		after += behind;
	}
	if (after == before)
		return;
	s->ram[REGISTER_C] |= C_UF;
	if (next_alarm(s, before) <= after)
		s->ram[REGISTER_C] |= C_AF;
}

static void sync_periodic(struct mc146818 *rtc, uint64_t count)
{
	struct mc146818_state *s = &rtc->s;
	uint32_t period = period_counts(s);
	uint64_t ticks, owed = s->owed;

	if (!period)
		return;
	ticks = count / period - s->seen_count / period;
	if (!(s->ram[REGISTER_B] & B_PIE)) {
		s->ram[REGISTER_C] |= ticks ? C_PF : 0;
		return;
	}
	if (!(s->ram[REGISTER_C] & C_PF)) {
		uint64_t soonest = s->delivered_ns + (count_ns(s, period) - s->divider_ns) / 2;

		if (!ticks && (owed < period || timer_now(&rtc->timer) < soonest))
			return;
		if (ticks)
			ticks--;
		else
			owed -= period;
		s->ram[REGISTER_C] |= C_PF;
		s->delivered_ns = timer_now(&rtc->timer);
	}
	if (ticks > OWED_MAX / period || owed + ticks * period > OWED_MAX)
		s->owed = 0;
	else
		s->owed = (uint32_t)(owed + ticks * period);
}

/* Brings the flags of register C up to now. */
static void sync(struct mc146818 *rtc)
{
	uint64_t count = divider_count(rtc);

	/* Only a foreign state can have seen the future. */
	if (count < rtc->s.seen_count)
		rtc->s.seen_count = count;
	sync_clock(rtc, count);
	sync_periodic(rtc, count);
	rtc->s.seen_count = count;
}

static uint8_t active_flags(const struct mc146818_state *s)
{
	return s->ram[REGISTER_B] & s->ram[REGISTER_C] & (C_PF | C_AF | C_UF);
}

static void mc146818_update_irq(struct mc146818 *rtc)
{
	irq_set(&rtc->irq, active_flags(&rtc->s));
}

/* When the next flag will rise that raises the interrupt; from saved state alone. */
static uint64_t next_event_ns(const struct mc146818_state *s)
{
	uint8_t wanted = s->ram[REGISTER_B] & (uint8_t)~s->ram[REGISTER_C];
	uint64_t second = s->seen_count / COUNTS_PER_SEC, next_ns = TIMER_OFF;
	uint32_t period = period_counts(s);

	if (!divider_runs(s))
		return TIMER_OFF;
	if (wanted & C_PF && period) {
		next_ns = count_ns(s, (s->seen_count / period + 1) * period);
		if (s->owed >= period)
			next_ns =
				min_u64(next_ns, s->delivered_ns +
							 (count_ns(s, period) - s->divider_ns) / 2);
	}
	if (wanted & C_UF && s->running)
		next_ns = min_u64(next_ns, count_ns(s, (second + 1) * COUNTS_PER_SEC));
	if (wanted & C_AF && s->running) {
		int64_t alarm_s = next_alarm(s, seen_time(s));

		if (alarm_s != INT64_MAX)
			next_ns = min_u64(next_ns, count_ns(s, (uint64_t)(alarm_s - s->base_s) *
								       COUNTS_PER_SEC));
	}
	return next_ns;
}

static void settle(struct mc146818 *rtc)
{
	mc146818_update_irq(rtc);
	timer_arm(&rtc->timer, next_event_ns(&rtc->s));
}

static void mc146818_expired(struct device *dev)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);

	sync(rtc);
	settle(rtc);
}

/* --- registers */

static uint32_t clock_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct mc146818_state *s = &container_of(dev, struct mc146818, dev)->s;

	return s->running ? clock_byte(seen_time(s), s->ram[REGISTER_B], reg->offset) : value;
}

static void clock_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);

	(void)old;
	clock_hold(&rtc->s, rtc->s.ram[REGISTER_B]);
	rtc->s.ram[reg->offset] = (uint8_t)value;
	clock_try_run(rtc);
}

static uint32_t a_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct mc146818_state *s = &container_of(dev, struct mc146818, dev)->s;
	bool uip = s->running && s->seen_count % COUNTS_PER_SEC >= COUNTS_PER_SEC - UIP_COUNTS;

	(void)reg;
	return value | (uip ? A_UIP : 0);
}

static void a_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);
	struct mc146818_state *s = &rtc->s;

	(void)reg;
	if (A_DV(old) == A_DV(value))
		return;
	if (!divider_runs(s)) {
		clock_hold(s, s->ram[REGISTER_B]);
		s->owed = 0;
	} else {
		/* The first update comes half a second after the divider's reset is released. */
		s->divider_ns = timer_now(&rtc->timer) - NSEC_PER_SEC / 2;
		s->seen_count = HALF_SECOND;
		clock_try_run(rtc);
	}
}

static void b_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);
	struct mc146818_state *s = &rtc->s;

	(void)reg;
	if (value & B_SET) {
		clock_hold(s, (uint8_t)old);
		if (!(old & B_SET))
			s->ram[REGISTER_B] &= (uint8_t)~B_UIE;
	} else {
		clock_try_run(rtc);
	}
	if (!(value & B_PIE))
		s->owed = 0;
}

static uint32_t c_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	return value | (active_flags(&container_of(dev, struct mc146818, dev)->s) ? C_IRQF : 0);
}

#define CLOCK(off, nam)                                                                            \
	REG(struct mc146818, s.ram[off], off, 1, nam, 0, 0xff, .on_read = clock_on_read,           \
	    .on_write = clock_on_write)
#define PLAIN(off, nam, res, wr, ...)                                                              \
	REG(struct mc146818, s.ram[off], off, 1, nam, res, wr, __VA_ARGS__)

static const struct reg mc146818_regs[] = {
	CLOCK(SECONDS, "Seconds"),
	PLAIN(SECONDS_ALARM, "Seconds Alarm", 0, 0xff),
	CLOCK(MINUTES, "Minutes"),
	PLAIN(MINUTES_ALARM, "Minutes Alarm", 0, 0xff),
	CLOCK(HOURS, "Hours"),
	PLAIN(HOURS_ALARM, "Hours Alarm", 0, 0xff),
	CLOCK(DAY_OF_WEEK, "Day of Week"),
	CLOCK(DATE_OF_MONTH, "Date of Month"),
	CLOCK(MONTH, "Month"),
	CLOCK(YEAR, "Year"),
	PLAIN(REGISTER_A, "Register A", 0x26, 0x7f, .on_read = a_on_read, .on_write = a_on_write),
	PLAIN(REGISTER_B, "Register B", B_24_12, 0xff, .on_write = b_on_write),
	PLAIN(REGISTER_C, "Register C", 0, 0, .rc = C_PF | C_AF | C_UF, .on_read = c_on_read),
	PLAIN(REGISTER_D, "Register D", D_VRT, 0),
	CLOCK(CENTURY, "Century"),
};

static const struct reg_bank mc146818_bank = {
	.name = "cmos",
	.regs = mc146818_regs,
	.count = ARRAY_LEN(mc146818_regs),
	.size = CENTURY + 1,
	.open = 0xff,
};

static uint32_t index_read(struct device *dev, uint32_t offset, unsigned int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return 0xff; /* write-only in the PIIX4 */
}

static void index_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);

	(void)offset;
	(void)size;
	rtc->s.index = value & (BANK_BYTES - 1);
	rtc->s.nmi_mask = value & INDEX_NMI_MASK ? 1 : 0;
}

/* A byte that is only kept. */
static void store(struct mc146818 *rtc, unsigned int index, uint8_t value)
{
	if (rtc->s.ram[index] == value)
		return;
	rtc->s.ram[index] = value;
	tell_changed(rtc);
}

static uint32_t data_read(struct device *dev, uint32_t offset, unsigned int size)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);
	uint8_t index = rtc->s.index;
	uint32_t value;

	(void)offset;
	(void)size;
	if (!reg_bank_find(&mc146818_bank, index))
		return rtc->s.ram[index];
	sync(rtc);
	value = reg_bank_read(&mc146818_bank, dev, index, 1);
	settle(rtc);
	return value;
}

static void data_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);
	uint8_t index = rtc->s.index;

	(void)offset;
	(void)size;
	if (!reg_bank_find(&mc146818_bank, index)) {
		store(rtc, index, (uint8_t)value);
		return;
	}
	sync(rtc);
	reg_bank_write(&mc146818_bank, dev, index, 1, value);
	settle(rtc);
}

static uint32_t upper_read(struct device *dev, uint32_t offset, unsigned int size)
{
	const struct mc146818_state *s = &container_of(dev, struct mc146818, dev)->s;
	uint32_t data = s->ram[BANK_BYTES + s->upper_index];

	if (offset)
		return data;
	return size == 2 ? data << 8 | 0xff : 0xff;
}

static void upper_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);

	for (unsigned int i = 0; i < size; i++, offset++, value >>= 8) {
		if (offset)
			store(rtc, BANK_BYTES + rtc->s.upper_index, (uint8_t)value);
		else
			rtc->s.upper_index = value & (BANK_BYTES - 1);
	}
}

void mc146818_kept(struct device *dev, uint8_t ret_ram[MC146818_RAM_BYTES], int64_t *ret_offset_s)
{
	const struct mc146818_state *s = &container_of(dev, struct mc146818, dev)->s;

	_Static_assert(sizeof(s->ram) == MC146818_RAM_BYTES, "both banks");
	memcpy(ret_ram, s->ram, sizeof(s->ram));
	*ret_offset_s = s->offset_s;
}

uint8_t mc146818_shutdown_code(struct device *dev)
{
	return container_of(dev, struct mc146818, dev)->s.ram[SHUTDOWN];
}

void mc146818_set_shutdown_code(struct device *dev, uint8_t code)
{
	container_of(dev, struct mc146818, dev)->s.ram[SHUTDOWN] = code;
}

bool mc146818_nmi_masked(struct device *dev)
{
	return container_of(dev, struct mc146818, dev)->s.nmi_mask;
}

/* --- life */

static int mc146818_init(struct device *dev, const void *config)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);
	const struct mc146818_config *cmos = config;

	if (cmos->image_bytes > sizeof(rtc->presets))
		return -EINVAL;
	if (cmos->image_bytes)
		memcpy(rtc->presets, cmos->image, cmos->image_bytes);
	rtc->preset_offset_s = cmos->offset_s > TIME_LIMIT_S || cmos->offset_s < -TIME_LIMIT_S
				       ? 0
				       : cmos->offset_s;
	rtc->changed = cmos->changed;
	rtc->changed_opaque = cmos->changed_opaque;
	timer_init(&rtc->timer, dev->env->timers, dev, &rtc->s.deadline_ns, mc146818_expired);
	return 0;
}

/* A new battery: presets, and the wall clock's time. */
static void power_on(struct mc146818 *rtc)
{
	struct mc146818_state *s = &rtc->s;

	memcpy(s->ram, rtc->presets, sizeof(s->ram));
	reg_bank_reset(&mc146818_bank, &rtc->dev);
	s->divider_ns = timer_now(&rtc->timer);
	s->seen_count = 0;
	s->delivered_ns = 0;
	s->base_s = rtc->dev.env->wall_clock(rtc->dev.env) + rtc->preset_offset_s;
	s->offset_s = rtc->preset_offset_s;
	s->running = 1;
	s->index = 0;
	s->upper_index = 0;
}

static void mc146818_reset(struct device *dev, enum reset_kind kind)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);

	if (kind == RESET_POWER)
		power_on(rtc);
	else
		sync(rtc);
	/* What the RESET# pin clears; the battery keeps the rest. */
	rtc->s.ram[REGISTER_B] &= (uint8_t) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
	rtc->s.ram[REGISTER_C] = 0;
	rtc->s.owed = 0;
	rtc->s.nmi_mask = 0;
	settle(rtc);
}

static bool mc146818_check(const void *state)
{
	const struct mc146818_state *s = state;

	if (s->base_s < -TIME_LIMIT_S || s->base_s > TIME_LIMIT_S || s->offset_s < -TIME_LIMIT_S ||
	    s->offset_s > TIME_LIMIT_S)
		return false;
	return !s->running || (divider_runs(s) && !(s->ram[REGISTER_B] & B_SET));
}

static void mc146818_post_load(struct device *dev)
{
	settle(container_of(dev, struct mc146818, dev));
}

static void mc146818_fini(struct device *dev)
{
	struct mc146818 *rtc = container_of(dev, struct mc146818, dev);

	timer_fini(&rtc->timer);
	irq_set(&rtc->irq, false);
}

static const struct io_region_desc mc146818_regions[] = {
	{
		.name = "rtc-index",
		.space = IO_PORT,
		.base = 0x70,
		.length = 1,
		.flags = IO_POSTED,
		.read = index_read,
		.write = index_write,
	},
	{
		.name = "rtc-data",
		.space = IO_PORT,
		.base = 0x71,
		.length = 1,
		.read = data_read,
		.write = data_write,
	},
	{
		.name = "rtc-upper",
		.space = IO_PORT,
		.base = 0x72,
		.length = 2,
		.read = upper_read,
		.write = upper_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const mc146818_banks[] = { &mc146818_bank, NULL };

static const struct device_irq mc146818_irqs[] = {
	DEVICE_IRQ(struct mc146818, irq, "irq", 8),
	{ .name = NULL },
};

static const struct mc146818_config mc146818_default = { .image_bytes = 0 };

const struct device_class mc146818_class = {
	.name = "mc146818",
	.summary = "real-time clock and CMOS memory",
	DEVICE_STATE(struct mc146818),
	.regions = mc146818_regions,
	.banks = mc146818_banks,
	.fields = mc146818_fields,
	.irqs = mc146818_irqs,
	.default_config = &mc146818_default,
	.init = mc146818_init,
	.reset = mc146818_reset,
	.check = mc146818_check,
	.post_load = mc146818_post_load,
	.fini = mc146818_fini,
};
