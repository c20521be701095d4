/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the video guests share: ports, memory of other segments, the serial port, int 10h. 16-bit code. */
#ifndef TESTS_GUEST_VIDEO_GUEST_H
#define TESTS_GUEST_VIDEO_GUEST_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

struct registers {
	u16 ax, bx, cx, dx, si, di, bp, es;
};

void int10(struct registers *r);
/* Called by start.S. */
void guest_main(void);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FAR(type, offset) (*(volatile __seg_fs type *)(u32)(offset))
#define COM1 0x3f8

static inline void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void set_fs(u16 segment)
{
	__asm__ volatile("movw %0, %%fs" : : "r"(segment) : "memory");
}

static inline void print(const char *text)
{
	for (; *text; text++) {
		while (!(inb(COM1 + 5) & 0x20))
			;
		outb(COM1, (u8)*text);
	}
}

static inline void print_hex(u32 value)
{
	char text[9];

	for (int i = 7; i >= 0; i--, value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
	text[8] = 0;
	print(text);
}

static inline struct registers call(u16 ax, u16 bx, u16 cx, u16 dx)
{
	struct registers r = { .ax = ax, .bx = bx, .cx = cx, .dx = dx };

	int10(&r);
	return r;
}

/* A buffer that nothing else uses, behind the guest. */
#define BUFFER 0x6000
#define BUFFER_SEGMENT 0

static inline struct registers call_buffer(u16 ax, u16 bx, u16 cx, u16 dx)
{
	struct registers r = { .ax = ax, .bx = bx, .cx = cx, .dx = dx, .di = BUFFER, .bp = BUFFER };

	int10(&r);
	return r;
}

static inline u8 bda(u16 offset)
{
	set_fs(0x40);
	return FAR(u8, offset);
}

static inline u16 word_at(u16 segment, u16 offset)
{
	set_fs(segment);
	return FAR(u16, offset);
}

static inline u8 byte_at(u16 segment, u16 offset)
{
	set_fs(segment);
	return FAR(u8, offset);
}

static inline u8 indexed(u16 port, u8 index)
{
	outb(port, index);
	return inb(port + 1);
}

static inline void unlock(void)
{
	(void)indexed(0x3d4, 0x38);
	outb(0x3d5, 0x48);
	(void)indexed(0x3d4, 0x39);
	outb(0x3d5, 0xa5);
}

#endif
