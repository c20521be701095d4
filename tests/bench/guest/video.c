// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest that draws: text scrolled by memory moves and by int 10h, planar fills, copies and pixels.
 * Commands and answers are those of ports.c, numbers count screens, lines or pixels. It stays in real
 * mode; bios.S starts it.
 */
#include <stdint.h>

#define COM1 0x3f8
#define TEXT_SEGMENT 0xb800
#define GRAPHICS_SEGMENT 0xa000
#define TEXT_MODE 0x03
#define PLANAR_MODE 0x12
#define LINE_BYTES 160
#define TEXT_BYTES (25 * LINE_BYTES)
#define PLANE_BYTES 38400 /* 640 x 480 */

void guest_main(void);

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static void say(const char *text)
{
	for (; *text; text++) {
		while (!(inb(COM1 + 5) & 0x20))
			;
		outb(COM1, (uint8_t)*text);
	}
}

static void int10(uint16_t ax, uint16_t bx, uint16_t dx)
{
	__asm__ volatile("pushl %%ebp; int $0x10; popl %%ebp"
			 : "+a"(ax), "+b"(bx), "+d"(dx)
			 :
			 : "ecx", "esi", "edi", "memory", "cc");
}

static void need_mode(uint8_t mode)
{
	static uint8_t present = TEXT_MODE;

	if (mode != present)
		int10(mode, 0, 0);
	present = mode;
}

static void gfx(uint8_t index, uint8_t value)
{
	outw(0x3ce, (uint16_t)(index | value << 8));
}

/* --- strings of memory in one segment */

static void copy_dwords(uint16_t segment, uint16_t to, uint16_t from, uint16_t count)
{
	uint32_t di = to, si = from, cx = count;

	__asm__ volatile("pushw %%ds; pushw %%es; movw %3, %%ds; movw %3, %%es; rep movsl;"
			 "popw %%es; popw %%ds"
			 : "+D"(di), "+S"(si), "+c"(cx)
			 : "r"(segment)
			 : "memory");
}

static void copy_bytes(uint16_t segment, uint16_t to, uint16_t from, uint16_t count)
{
	uint32_t di = to, si = from, cx = count;

	__asm__ volatile("pushw %%ds; pushw %%es; movw %3, %%ds; movw %3, %%es; rep movsb;"
			 "popw %%es; popw %%ds"
			 : "+D"(di), "+S"(si), "+c"(cx)
			 : "r"(segment)
			 : "memory");
}

static void fill_dwords(uint16_t segment, uint16_t to, uint32_t value, uint16_t count)
{
	uint32_t di = to, cx = count;

	__asm__ volatile("pushw %%es; movw %2, %%es; rep stosl; popw %%es"
			 : "+D"(di), "+c"(cx)
			 : "r"(segment), "a"(value)
			 : "memory");
}

static void set_fs(uint16_t segment)
{
	__asm__ volatile("movw %0, %%fs" : : "r"(segment) : "memory");
}

#define AT(offset) (*(volatile __seg_fs uint8_t *)(uint32_t)(offset))

/* --- what is measured */

static void scroll_memory(uint32_t screens)
{
	need_mode(TEXT_MODE);
	while (screens--) {
		copy_dwords(TEXT_SEGMENT, 0, LINE_BYTES, (TEXT_BYTES - LINE_BYTES) / 4);
		fill_dwords(TEXT_SEGMENT, TEXT_BYTES - LINE_BYTES, 0x07200720, LINE_BYTES / 4);
	}
}

static void scroll_int10(uint32_t lines)
{
	need_mode(TEXT_MODE);
	int10(0x0200, 0, 24 << 8);
	while (lines--)
		int10(0x0e0a, 7, 0);
}

/* In general: the colour comes from set/reset, what the processor writes does not matter. */
static void general(void)
{
	need_mode(PLANAR_MODE);
	gfx(1, 0x0f);
}

static void fill_strings(uint32_t screens)
{
	general();
	for (; screens; screens--) {
		gfx(0, screens & 15);
		fill_dwords(GRAPHICS_SEGMENT, 0, 0, PLANE_BYTES / 4);
	}
	gfx(1, 0);
}

static void fill_bytes(uint32_t screens)
{
	general();
	set_fs(GRAPHICS_SEGMENT);
	for (; screens; screens--) {
		gfx(0, screens & 15);
		for (uint32_t i = 0; i < PLANE_BYTES; i++)
			AT(i) = 0;
	}
	gfx(1, 0);
}

/* Plainly: all planes take what the processor writes. */
static void fill_plain_strings(uint32_t screens)
{
	need_mode(PLANAR_MODE);
	while (screens--)
		fill_dwords(GRAPHICS_SEGMENT, 0, screens & 1 ? UINT32_MAX : 0, PLANE_BYTES / 4);
}

static void fill_plain_bytes(uint32_t screens)
{
	need_mode(PLANAR_MODE);
	set_fs(GRAPHICS_SEGMENT);
	while (screens--) {
		for (uint32_t i = 0; i < PLANE_BYTES; i++)
			AT(i) = (uint8_t)screens;
	}
}

static void copy_latches(uint32_t screens)
{
	need_mode(PLANAR_MODE);
	gfx(5, 1);
	while (screens--)
		copy_bytes(GRAPHICS_SEGMENT, 0, 80, PLANE_BYTES - 80);
	gfx(5, 0);
}

static void draw_pixels(uint32_t pixels)
{
	need_mode(PLANAR_MODE);
	set_fs(GRAPHICS_SEGMENT);
	gfx(5, 2);
	for (uint32_t i = 0; i < pixels; i++) {
		gfx(8, (uint8_t)(0x80 >> (i & 7)));
		(void)AT(i / 8 % PLANE_BYTES);
		AT(i / 8 % PLANE_BYTES) = (uint8_t)(i & 15);
	}
	gfx(8, 0xff);
	gfx(5, 0);
}

static const struct {
	char letter;
	void (*run)(uint32_t count);
} operations[] = {
	{ 's', scroll_memory }, { 't', scroll_int10 },	     { 'f', fill_strings },
	{ 'm', fill_bytes },	{ 'F', fill_plain_strings }, { 'M', fill_plain_bytes },
	{ 'l', copy_latches },	{ 'p', draw_pixels },
};

/* --- commands, as in bios.c */

static char next_character(void)
{
	while (!(inb(COM1 + 5) & 1))
		__asm__ volatile("sti; hlt" : : : "memory");
	return (char)inb(COM1);
}

void guest_main(void)
{
	outb(COM1 + 3, 0x03);
	outb(COM1 + 2, 0x07);
	outb(COM1 + 4, 0x0b);
	outb(COM1 + 1, 0x01);
	outb(0x21, 0xef);
	say("ready\n");
	for (;;) {
		char letter = next_character();
		const char *answer = "failed: no such operation\n";
		uint32_t number = 0;

		if (letter <= ' ')
			continue;
		for (char digit = next_character(); digit >= '0' && digit <= '9';
		     digit = next_character())
			number = number * 10 + (uint32_t)(digit - '0');
		for (uint32_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
			if (operations[i].letter != letter)
				continue;
			operations[i].run(number);
			answer = "done\n";
		}
		say(answer);
	}
}
