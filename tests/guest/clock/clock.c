// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that does nothing but look at its clocks: time stamp counter, interval timer, power management timer and
 * the clock with the battery. Ten times a second it reads all of them, and says at once if one went back:
 *
 *	clock: back: NAME BEFORE AFTER
 *
 * Whenever the battery's clock shows a new second, which it looks for a hundred times a second, it prints all of them, in
 * hexadecimal and by their own units since the first line: counts of the processor, of 1193182 Hz, of 3579545 Hz, seconds of
 * the day; and between which values of the third that second began:
 *
 *	clock: NUMBER TSC PIT PM RTC PM PM
 *
 * It may run on a host that stands still now and then. So a line waits until no tick is due any more, and has the values of
 * the attempt that took the shortest time; and a tick asks for few port accesses, or it could never catch up.
 *
 * The boot sector is that of the benchmarks' guest (tests/bench/guest/boot.S).
 */
#include <stdbool.h>
#include <stdint.h>

#define COM1 0x3f8
#define PM_TIMER 0x608
#define VECTOR_BASE 0x20
#define DIVISOR 11932u /* 100 Hz */
#define DAY 86400u
#define TICK_PM (3579545u / 100)
#define UART_FIFO 16

void guest_main(void);
void timer_tick(void);
void serial_input(void);
void rtc_tick(void);
void other_interrupt(void);
extern const char timer_entry[], other_entry[];

static volatile uint32_t ticks;

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* --- interrupts */

void timer_tick(void)
{
	ticks = ticks + 1;
	outb(0x20, 0x20);
}

void serial_input(void)
{
}

void rtc_tick(void)
{
}

void other_interrupt(void)
{
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static void set_up_interrupts(void)
{
	static uint64_t idt[VECTOR_BASE + 16];
	struct __attribute__((packed)) {
		uint16_t limit;
		uint32_t base;
	} pointer = { sizeof(idt) - 1, (uint32_t)idt };

	for (unsigned int i = 0; i < 16; i++) {
		uint32_t entry = (uint32_t)(i ? other_entry : timer_entry);

		/* A 32-bit interrupt gate of the code segment. */
		idt[VECTOR_BASE + i] = (uint64_t)(entry >> 16) << 48 | UINT64_C(0x8e00) << 32 |
				       8u << 16 | (entry & 0xffff);
	}
	__asm__ volatile("lidt %0" : : "m"(pointer), "m"(idt));
	for (unsigned int chip = 0; chip < 2; chip++) {
		uint16_t port = chip ? 0xa0 : 0x20;

		outb(port, 0x11);
		outb(port + 1, (uint8_t)(VECTOR_BASE + 8 * chip));
		outb(port + 1, chip ? 2 : 4);
		outb(port + 1, 1);
	}
	outb(0x21, 0xfe); /* only the timer */
	outb(0xa1, 0xff);
	outb(0x43, 0x34); /* channel 0: low and high byte, a rate */
	outb(0x40, DIVISOR & 0xff);
	outb(0x40, DIVISOR >> 8);
}

/* --- words */

static void print(const char *text)
{
	while (*text) {
		while (!(inb(COM1 + 5) & 0x20))
			;
		for (unsigned int i = 0; i < UART_FIFO && *text; i++)
			outb(COM1, (uint8_t)*text++);
	}
}

static void print_hex(uint64_t value)
{
	char text[18] = " ";
	unsigned int at = 1;

	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned int digit = (unsigned int)(value >> shift) & 15;

		if (digit || at > 1 || !shift)
			text[at++] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
	}
	text[at] = 0;
	print(text);
}

/* --- clocks */

enum { TSC, PIT, PM, RTC, CLOCKS };

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Counts since the timer was set up; without interrupts. */
static uint64_t read_pit(void)
{
	uint32_t periods = ticks, left;

	outb(0x43, 0);
	left = inb(0x40);
	left |= (uint32_t)inb(0x40) << 8;
	outb(0x20, 0x0a);
	/* A tick that waits belongs to what was counted, unless it came after the counter was read. */
	if (inb(0x20) & 1 && left > DIVISOR / 2)
		periods++;
	return (uint64_t)periods * DIVISOR + (DIVISOR - left);
}

static uint64_t read_pm(void)
{
	static bool begun;
	static uint32_t last;
	static uint64_t sum;
	uint32_t now = inl(PM_TIMER) & 0xffffff, step = (now - (begun ? last : now)) & 0xffffff;

	begun = true;
	last = now;
	/* More than half of a round in ten milliseconds: it went back. */
	sum += step > 0x800000 ? (uint64_t)0 - (0x1000000 - step) : step;
	return sum;
}

static uint8_t cmos(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static uint32_t from_bcd(uint8_t value)
{
	return (uint32_t)(value >> 4) * 10 + (value & 15);
}

/* Twice the same, or it changed while it was read. */
static uint64_t read_rtc(void)
{
	static uint64_t days, last;
	uint64_t now, again = DAY;

	do {
		now = again;
		again = from_bcd(cmos(4)) * 3600 + from_bcd(cmos(2)) * 60 + from_bcd(cmos(0));
	} while (now != again);
	if (last > now + DAY / 2)
		days++;
	last = now;
	return days * DAY + now;
}

static uint64_t (*const readers[CLOCKS])(void) = { read_tsc, read_pit, read_pm, read_rtc };
static const char *const names[CLOCKS] = { " tsc", " pit", " pm", " rtc" };

static void wait_for_tick(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* Reads all clocks. How long that took, by the first one. */
static uint64_t look(uint64_t now[CLOCKS])
{
	static uint64_t last[CLOCKS];

	for (unsigned int i = 0; i < CLOCKS; i++) {
		now[i] = readers[i]();
		if (now[i] < last[i]) {
			print("clock: back:");
			print(names[i]);
			print_hex(last[i]);
			print_hex(now[i]);
			print("\n");
		}
		last[i] = now[i];
	}
	return read_tsc() - now[TSC];
}

/* Until ticks come when they should. */
static void catch_up(void)
{
	unsigned int in_time = 0;

	for (unsigned int i = 0; i < 20 && in_time < 2; i++) {
		uint64_t before = read_pm();

		wait_for_tick();
		in_time = read_pm() - before > TICK_PM / 2 ? in_time + 1 : 0;
	}
}

static void look_well(uint64_t best[CLOCKS])
{
	uint64_t shortest = UINT64_MAX;

	for (unsigned int try = 0; try < 4; try++) {
		uint64_t now[CLOCKS], took;

		catch_up();
		took = look(now);
		if (took >= shortest)
			continue;
		shortest = took;
		for (unsigned int i = 0; i < CLOCKS; i++)
			best[i] = now[i];
	}
}

void guest_main(void)
{
	uint64_t first[CLOCKS], now[CLOCKS], rtc, not_yet, seen = 0;
	uint32_t number = 0;
	uint8_t second;

	outb(COM1 + 3, 3); /* 8 data bits */
	outb(COM1 + 2, 1); /* with its FIFO */
	set_up_interrupts();
	look_well(first);
	second = cmos(0);
	print("clock: go\n");
	for (;;) {
		wait_for_tick();
		if (ticks % 10 == 0)
			look(now);
		not_yet = seen;
		/* Before it is looked for, and after. */
		seen = read_pm() - first[PM];
		if (cmos(0) == second)
			continue;
		seen = read_pm() - first[PM];
		rtc = read_rtc();
		second = cmos(0);
		look_well(now);
		print("clock:");
		print_hex(++number);
		for (unsigned int i = 0; i < CLOCKS; i++)
			print_hex(i == RTC ? rtc : now[i] - first[i]);
		print_hex(not_yet);
		print_hex(seen);
		print("\n");
	}
}
