// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bare guest: what single port accesses and timer ticks cost, with nothing else running.
 *
 * It takes lines from COM1, a letter and a decimal number: that operation, that many times. It
 * answers "done". Between lines it halts with only the serial interrupt enabled, so that the
 * machine is still.
 */
#include <stddef.h>
#include <stdint.h>

#define COM1 0x3f8
#define IRQ_TIMER 0
#define IRQ_SERIAL 4
#define IRQ_RTC 8
#define VECTOR_BASE 0x20
#define PIT_HZ 1193182

void guest_main(void);
void timer_tick(void);
void serial_input(void);
void rtc_tick(void);
void other_interrupt(void);
extern const char timer_entry[], serial_entry[], rtc_entry[], other_entry[];

static volatile uint32_t ticks;
static volatile uint32_t input_head, input_tail;
static volatile char input[256];

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

/* --- interrupts */

static void set_mask(uint16_t mask)
{
	outb(0x21, (uint8_t)mask);
	outb(0xa1, (uint8_t)(mask >> 8));
}

/* Only @irq may interrupt; the second controller hangs on line 2 of the first. */
static void allow(unsigned int irq)
{
	set_mask((uint16_t) ~(1u << irq | (irq >= 8 ? 1u << 2 : 0)));
}

void timer_tick(void)
{
	ticks = ticks + 1;
	outb(0x20, 0x20);
}

void rtc_tick(void)
{
	ticks = ticks + 1;
	outb(0x70, 0x0c);
	(void)inb(0x71);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

void serial_input(void)
{
	while (inb(COM1 + 5) & 1) {
		char byte = (char)inb(COM1);

		if (input_head - input_tail < sizeof(input)) {
			input[input_head % sizeof(input)] = byte;
			input_head = input_head + 1;
		}
	}
	outb(0x20, 0x20);
}

void other_interrupt(void)
{
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

/* Interrupts are taken nowhere else, so that no wake-up is lost between a look and the halt. */
static void halt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void set_up_interrupts(void)
{
	static uint64_t idt[VECTOR_BASE + 16];
	struct __attribute__((packed)) {
		uint16_t limit;
		uint32_t base;
	} pointer = { sizeof(idt) - 1, (uint32_t)idt };

	for (unsigned int i = 0; i < 16; i++) {
		uint32_t entry = (uint32_t)other_entry;

		if (i == IRQ_TIMER)
			entry = (uint32_t)timer_entry;
		else if (i == IRQ_SERIAL)
			entry = (uint32_t)serial_entry;
		else if (i == IRQ_RTC)
			entry = (uint32_t)rtc_entry;
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
}

/* --- the serial port */

static void set_up_serial(void)
{
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 0x80); /* 115200 baud */
	outb(COM1 + 0, 1);
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3);
	outb(COM1 + 2, 7);
	outb(COM1 + 4, 0x0b);
	outb(COM1 + 1, 1); /* interrupt for what is received */
}

static void print(const char *text)
{
	while (*text) {
		while (!(inb(COM1 + 5) & 0x20))
			;
		outb(COM1, (uint8_t)*text++);
	}
}

static char next_input(void)
{
	char byte;

	while (input_head == input_tail)
		halt();
	byte = input[input_tail % sizeof(input)];
	input_tail = input_tail + 1;
	return byte;
}

/* --- operations */

static void port_80_out(uint32_t count)
{
	while (count--)
		outb(0x80, 0);
}

static void port_3da_in(uint32_t count)
{
	while (count--)
		(void)inb(0x3da);
}

static void port_61_in(uint32_t count)
{
	while (count--)
		(void)inb(0x61);
}

static void port_1f7_in(uint32_t count)
{
	while (count--)
		(void)inb(0x1f7);
}

/* The interrupt controller is in the kernel. */
static void port_21_in(uint32_t count)
{
	while (count--)
		(void)inb(0x21);
}

static void wait_ticks(unsigned int irq, uint32_t count)
{
	ticks = 0;
	allow(irq);
	while (ticks < count)
		halt();
	allow(IRQ_SERIAL);
}

static void pit_ticks(uint32_t hz, uint32_t count)
{
	uint32_t divisor = PIT_HZ / hz;

	outb(0x43, 0x34);
	outb(0x40, (uint8_t)divisor);
	outb(0x40, (uint8_t)(divisor >> 8));
	wait_ticks(IRQ_TIMER, count);
	/* Mode 0 fires once and rests. */
	outb(0x43, 0x30);
	outb(0x40, 1);
	outb(0x40, 0);
}

static void pit_100(uint32_t count)
{
	pit_ticks(100, count);
}

static void pit_1000(uint32_t count)
{
	pit_ticks(1000, count);
}

static void cmos_write(uint8_t index, uint8_t value)
{
	outb(0x70, index);
	outb(0x71, value);
}

static uint8_t cmos_read(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static void rtc_1024(uint32_t count)
{
	uint8_t control = cmos_read(0x0b) & 0x8f;

	cmos_write(0x0a, 0x26);
	(void)cmos_read(0x0c);
	cmos_write(0x0b, control | 0x40);
	wait_ticks(IRQ_RTC, count);
	cmos_write(0x0b, control);
	(void)cmos_read(0x0c);
}

static const struct {
	char letter;
	void (*run)(uint32_t count);
} operations[] = {
	{ 'o', port_80_out }, { 'v', port_3da_in }, { 's', port_61_in }, { 'a', port_1f7_in },
	{ 'i', port_21_in },  { 'p', pit_100 },	    { 'P', pit_1000 },	 { 'r', rtc_1024 },
};

static void carry_out(char letter, uint32_t count)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (operations[i].letter == letter) {
			operations[i].run(count);
			print("done\n");
			return;
		}
	}
	print("failed: no such operation\n");
}

void guest_main(void)
{
	set_up_interrupts();
	set_up_serial();
	allow(IRQ_SERIAL);
	print("ready\n");
	for (;;) {
		char letter = next_input(), digit;
		uint32_t count = 0;

		while ((digit = next_input()) >= '0' && digit <= '9')
			count = count * 10 + (uint32_t)(digit - '0');
		carry_out(letter, count);
	}
}
