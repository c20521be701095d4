// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest that stays in real mode: what reading costs through int 13h, from a floppy disk, and from a
 * CD by packet commands. Commands and answers are those of ports.c; numbers count sectors.
 */
#include <stdint.h>

#define COM1 0x3f8
#define BUFFER_SEGMENT 0x2000
#define DISK_SECTORS_PER_CALL 16
#define DISK_SECTORS 4096
#define TRACK_SECTORS 18
#define TRACKS 160
#define CD_CHANNEL 0x170
#define CD_CONTROL 0x376
#define CD_BLOCKS_PER_COMMAND 8
#define CD_BLOCKS 512
#define CD_BLOCK_BYTES 2048

struct bios_call {
	uint32_t eax, ebx, ecx, edx, esi, es;
};

void guest_main(void);
uint32_t bios_disk(struct bios_call *call);
void read_words(uint32_t port, uint32_t segment, uint32_t count);
extern uint8_t boot_drive;

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

/* --- what is measured; each gives 0, or the number of the step that failed */

static uint32_t read_disk(uint32_t sectors, uint32_t per_call)
{
	static struct {
		uint8_t size, zero;
		uint16_t count, offset, segment;
		uint64_t lba;
	} packet;
	uint32_t lba = 0;

	for (; sectors >= per_call; sectors -= per_call) {
		struct bios_call call = { .eax = 0x4200, .edx = 0x80, .esi = (uint32_t)&packet };

		packet.size = 16;
		packet.count = (uint16_t)per_call;
		packet.segment = BUFFER_SEGMENT;
		packet.lba = lba;
		if (bios_disk(&call))
			return 1;
		lba += per_call;
		if (lba + per_call > DISK_SECTORS)
			lba = 0;
	}
	return 0;
}

/* Whole tracks, as DOS copies a disk. */
static uint32_t read_floppy(uint32_t sectors)
{
	uint32_t track = 0;

	for (; sectors >= TRACK_SECTORS; sectors -= TRACK_SECTORS) {
		struct bios_call call = {
			.eax = 0x0200 + TRACK_SECTORS,
			.ecx = track / 2 << 8 | 1,
			.edx = (track & 1) << 8,
			.es = BUFFER_SEGMENT,
		};

		if (bios_disk(&call))
			return 1;
		track = (track + 1) % TRACKS;
	}
	return 0;
}

static uint32_t cd_wait(uint8_t mask, uint8_t wanted)
{
	for (uint32_t i = 0; i < 10000000; i++) {
		uint8_t status = inb(CD_CHANNEL + 7);

		if (!(status & 0x80) && (status & mask) == wanted)
			return 0;
	}
	return 1;
}

static uint32_t cd_packet(const uint8_t packet[12])
{
	outb(CD_CHANNEL + 1, 0);
	outb(CD_CHANNEL + 4, (uint8_t)CD_BLOCK_BYTES);
	outb(CD_CHANNEL + 5, CD_BLOCK_BYTES >> 8);
	outb(CD_CHANNEL + 7, 0xa0);
	if (cd_wait(0x08, 0x08))
		return 1;
	for (uint32_t i = 0; i < 12; i += 2)
		outw(CD_CHANNEL, (uint16_t)(packet[i] | packet[i + 1] << 8));
	return 0;
}

static uint32_t cd_ready(void)
{
	static const uint8_t test_unit_ready[12];

	outb(CD_CHANNEL + 6, 0xa0);
	outb(CD_CONTROL, 0x02);
	/* A medium that has just been put in is told of once. */
	for (uint32_t i = 0; i < 5; i++) {
		if (cd_packet(test_unit_ready))
			return 2;
		if (!cd_wait(0x08, 0) && !(inb(CD_CHANNEL + 7) & 0x01))
			return 0;
	}
	return 3;
}

static uint32_t read_cd(uint32_t blocks)
{
	uint32_t lba = 0;

	if (cd_ready())
		return 1;
	for (; blocks >= CD_BLOCKS_PER_COMMAND; blocks -= CD_BLOCKS_PER_COMMAND) {
		const uint8_t read[12] = { 0x28,
					   0,
					   0,
					   0,
					   (uint8_t)(lba >> 8),
					   (uint8_t)lba,
					   0,
					   0,
					   CD_BLOCKS_PER_COMMAND };

		if (cd_packet(read))
			return 2;
		for (uint32_t i = 0; i < CD_BLOCKS_PER_COMMAND; i++) {
			if (cd_wait(0x09, 0x08))
				return 3;
			read_words(CD_CHANNEL, BUFFER_SEGMENT, CD_BLOCK_BYTES / 2);
		}
		if (cd_wait(0x09, 0))
			return 4;
		lba += CD_BLOCKS_PER_COMMAND;
		if (lba + CD_BLOCKS_PER_COMMAND > CD_BLOCKS)
			lba = 0;
	}
	return 0;
}

/* --- commands */

/* The timer ticks for the firmware while it works, and rests with us. */
static void rest(int resting)
{
	outb(0x21, resting ? 0xef : 0xa8);
}

static char next_character(void)
{
	while (!(inb(COM1 + 5) & 1))
		__asm__ volatile("sti; hlt" : : : "memory");
	return (char)inb(COM1);
}

static uint32_t run(char letter, uint32_t number)
{
	switch (letter) {
	case 'x':
		return read_disk(number, DISK_SECTORS_PER_CALL);
	case 'y':
		return read_disk(number, 1);
	case 'f':
		return read_floppy(number);
	case 'c':
		return read_cd(number);
	default:
		return 9;
	}
}

void guest_main(void)
{
	outb(COM1 + 3, 0x03);
	outb(COM1 + 2, 0x07);
	outb(COM1 + 4, 0x0b);
	outb(COM1 + 1, 0x01);
	rest(1);
	say("ready\n");
	for (;;) {
		char letter = next_character(), text[] = "failed: 0\n";
		uint32_t number = 0, result;

		if (letter <= ' ')
			continue;
		for (char digit = next_character(); digit >= '0' && digit <= '9';
		     digit = next_character())
			number = number * 10 + (uint32_t)(digit - '0');
		rest(0);
		result = run(letter, number);
		rest(1);
		text[8] = (char)('0' + result);
		say(result ? text : "done\n");
	}
}
