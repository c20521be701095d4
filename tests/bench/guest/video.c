// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest that draws: text scrolled by memory moves and by int 10h, planar fills, copies and pixels, the linear
 * frame buffer, and rectangles by processor and by engine. Commands and answers are those of ports.c, numbers count
 * screens, lines, pixels or rectangles. It stays in real mode, with segments of 4 GiB; bios.S starts it.
 */
#include <stdint.h>

#define COM1 0x3f8
#define TEXT_SEGMENT 0xb800
#define GRAPHICS_SEGMENT 0xa000
#define TEXT_MODE 0x03
#define PLANAR_MODE 0x12
#define LINE_BYTES 160
#define TEXT_BYTES (25 * LINE_BYTES)
#define PLANE_BYTES 38400  /* 640 x 480 */
#define LINEAR_MODE 0x4105 /* VBE: 1024 x 768 pixels of 8 bits, linear */
#define SCREEN_WIDTH 1024u
#define SCREEN_HEIGHT 768u
#define SIDE 256u	   /* of a rectangle */
#define INFORMATION 0x6000 /* where VBE tells of a mode: memory that nobody uses */

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

static uint32_t linear; /* where the frame buffer is */

/*
 * Gives ES and FS limits of 4 GiB, which stay when only their bases change: what DOS programs do to reach a linear
 * frame buffer. Interrupts are off meanwhile.
 */
static void large_segments(void)
{
	static const uint64_t table[] = { 0, UINT64_C(0x00cf92000000ffff) };
	static struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer;

	pointer.limit = sizeof(table) - 1;
	pointer.base = (uint32_t)table;
	__asm__ volatile("cli\n"
			 "lgdtl %0\n"
			 "movl %%cr0, %%eax; orb $1, %%al; movl %%eax, %%cr0; jmp 1f\n"
			 "1: movw $8, %%dx; movw %%dx, %%es; movw %%dx, %%fs\n"
			 "andb $0xfe, %%al; movl %%eax, %%cr0; jmp 2f\n"
			 "2: xorw %%dx, %%dx; movw %%dx, %%es; movw %%dx, %%fs\n"
			 "sti"
			 :
			 : "m"(pointer)
			 : "eax", "edx", "memory", "cc");
}

static void need_mode(uint16_t mode)
{
	static uint16_t present = TEXT_MODE;

	if (mode == present)
		return;
	present = mode;
	if (mode != LINEAR_MODE) {
		int10(mode, 0, 0);
		return;
	}
	__asm__ volatile("pushl %%ebp; int $0x10; popl %%ebp"
			 :
			 : "a"(0x4f01), "c"(LINEAR_MODE & 0xfff), "D"(INFORMATION)
			 : "ebx", "edx", "esi", "memory", "cc");
	linear = *(volatile uint32_t *)(INFORMATION + 40);
	int10(0x4f02, LINEAR_MODE, 0);
	large_segments();
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

/* --- the linear frame buffer: dwords, all of memory from ES and FS */

static void linear_store(uint32_t to, uint32_t value, uint32_t dwords)
{
	__asm__ volatile("pushw %%es; xorw %%dx, %%dx; movw %%dx, %%es; addr32 rep stosl; popw %%es"
			 : "+D"(to), "+c"(dwords)
			 : "a"(value)
			 : "edx", "memory");
}

static void linear_move(uint32_t to, uint32_t from, uint32_t dwords)
{
	__asm__ volatile("pushw %%es; xorw %%dx, %%dx; movw %%dx, %%es;"
			 "addr32 rep movsl %%fs:(%%esi), %%es:(%%edi); popw %%es"
			 : "+D"(to), "+S"(from), "+c"(dwords)
			 :
			 : "edx", "memory");
}

#define DWORD(address) (*(volatile __seg_fs uint32_t *)(address))

static void use_linear(void)
{
	need_mode(LINEAR_MODE);
	set_fs(0);
}

static void linear_fill_strings(uint32_t screens)
{
	use_linear();
	while (screens--)
		linear_store(linear, screens * 0x01010101, SCREEN_WIDTH * SCREEN_HEIGHT / 4);
}

static void linear_fill_loop(uint32_t screens)
{
	use_linear();
	while (screens--) {
		for (uint32_t i = 0; i < SCREEN_WIDTH * SCREEN_HEIGHT; i += 4)
			DWORD(linear + i) = screens;
	}
}

static void linear_scroll(uint32_t screens)
{
	use_linear();
	while (screens--)
		linear_move(linear, linear + 16 * SCREEN_WIDTH,
			    SCREEN_WIDTH * (SCREEN_HEIGHT - 16) / 4);
}

/* --- rectangles, by the processor as libraries in C do and with string instructions, and by the engine */

static void processor_fill(uint32_t rectangles)
{
	use_linear();
	while (rectangles--) {
		for (uint32_t y = 0; y < SIDE; y++) {
			uint32_t line = linear + y * SCREEN_WIDTH;

			for (uint32_t x = 0; x < SIDE; x += 4)
				DWORD(line + x) = rectangles;
		}
	}
}

static void processor_fill_strings(uint32_t rectangles)
{
	use_linear();
	while (rectangles--) {
		for (uint32_t y = 0; y < SIDE; y++)
			linear_store(linear + y * SCREEN_WIDTH, rectangles, SIDE / 4);
	}
}

static void processor_copy(uint32_t rectangles)
{
	use_linear();
	while (rectangles--) {
		for (uint32_t y = 0; y < SIDE; y++) {
			uint32_t line = linear + y * SCREEN_WIDTH;

			for (uint32_t x = 0; x < SIDE; x += 4)
				DWORD(line + x) = DWORD(line + 300 + x);
		}
	}
}

static void processor_copy_strings(uint32_t rectangles)
{
	use_linear();
	while (rectangles--) {
		for (uint32_t y = 0; y < SIDE; y++)
			linear_move(linear + y * SCREEN_WIDTH, linear + y * SCREEN_WIDTH + 300,
				    SIDE / 4);
	}
}

#define FOREGROUND_MIX 0x27 /* the foreground colour */
#define COPY_MIX 0x67	    /* what is on the screen */

static void use_engine(uint16_t mix)
{
	use_linear();
	outw(0xbee8, 0xa000); /* the foreground's mix for all */
	outw(0xbee8, 0x1000); /* no clipping */
	outw(0xbee8, 0x2000);
	outw(0xbee8, 0x3fff);
	outw(0xbee8, 0x4fff);
	outw(0xaae8, 0xffff);
	outw(0xbae8, mix);
}

/* As a driver does: it looks whether there is room, and writes. */
static void engine_fill(uint32_t rectangles, uint16_t width, uint16_t height)
{
	use_engine(FOREGROUND_MIX);
	while (rectangles--) {
		while (inb(0x9ae8) & 2)
			;
		outw(0xa6e8, (uint16_t)rectangles);
		outw(0x86e8, 0);
		outw(0x82e8, 0);
		outw(0x96e8, width - 1);
		outw(0xbee8, height - 1);
		outw(0x9ae8, 0x40b1);
	}
	(void)inb(0x9ae8);
}

static void engine_copy(uint32_t rectangles, uint16_t from_x, uint16_t from_y, uint16_t width,
			uint16_t height)
{
	use_engine(COPY_MIX);
	while (rectangles--) {
		while (inb(0x9ae8) & 2)
			;
		outw(0x86e8, from_x);
		outw(0x82e8, from_y);
		outw(0x8ee8, 0);
		outw(0x8ae8, 0);
		outw(0x96e8, width - 1);
		outw(0xbee8, height - 1);
		outw(0x9ae8, 0xc0b1);
	}
	(void)inb(0x9ae8);
}

static void engine_fill_rectangles(uint32_t rectangles)
{
	engine_fill(rectangles, SIDE, SIDE);
}

static void engine_fill_screens(uint32_t screens)
{
	engine_fill(screens, SCREEN_WIDTH, SCREEN_HEIGHT);
}

static void engine_copy_rectangles(uint32_t rectangles)
{
	engine_copy(rectangles, 300, 0, SIDE, SIDE);
}

static void engine_scroll(uint32_t screens)
{
	engine_copy(screens, 0, 16, SCREEN_WIDTH, SCREEN_HEIGHT - 16);
}

static const struct {
	char letter;
	void (*run)(uint32_t count);
} operations[] = {
	{ 's', scroll_memory },		 { 't', scroll_int10 },
	{ 'f', fill_strings },		 { 'm', fill_bytes },
	{ 'F', fill_plain_strings },	 { 'M', fill_plain_bytes },
	{ 'l', copy_latches },		 { 'p', draw_pixels },
	{ 'L', linear_fill_strings },	 { 'K', linear_fill_loop },
	{ 'N', linear_scroll },		 { 'a', processor_fill },
	{ 'A', processor_fill_strings }, { 'b', processor_copy },
	{ 'B', processor_copy_strings }, { 'e', engine_fill_rectangles },
	{ 'E', engine_fill_screens },	 { 'g', engine_copy_rectangles },
	{ 'G', engine_scroll },
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
