// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../devmodel/i8237.h"

static struct bench *b;
static struct device *chip;
static struct isa_dma *dma;
static unsigned int readies;

static void setup(void)
{
	b = bench_new();
	chip = bench_add(b, &i8237_class, NULL);
	dma = i8237_isa_dma(chip);
	/* What the firmware does: channel 4 carries the lower four. */
	outb(b, 0xd6, 0xc0);
	outb(b, 0xd4, 0x00);
}

static void teardown(void)
{
	bench_free(b);
}

TestSuite(i8237, .init = setup, .fini = teardown);

static void count_ready(struct device *dev)
{
	(void)dev;
	readies++;
}

/* Programs channel 2 as a floppy driver does. @mode: without the channel. */
static void program(uint8_t mode, uint32_t gpa, uint32_t bytes)
{
	outb(b, 0x0a, 0x06);
	outb(b, 0x0c, 0x00);
	outb(b, 0x0b, mode | 2);
	outb(b, 0x04, (uint8_t)gpa);
	outb(b, 0x04, (uint8_t)(gpa >> 8));
	outb(b, 0x81, (uint8_t)(gpa >> 16));
	outb(b, 0x05, (uint8_t)(bytes - 1));
	outb(b, 0x05, (uint8_t)((bytes - 1) >> 8));
	outb(b, 0x0a, 0x02);
}

static unsigned int read16(uint16_t port)
{
	unsigned int low;

	outb(b, 0x0c, 0x00);
	low = inb(b, port);
	return low | (unsigned int)inb(b, port) << 8;
}

Test(i8237, floppy_read_reaches_memory_and_ends_with_terminal_count)
{
	uint8_t sector[1024];
	bool terminal;

	memset(sector, 0xa5, sizeof(sector));
	program(0x44, 0x12345, 512);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, sector, 100, &terminal), 0,
		     "not requested");
	isa_dma_request(dma, 2, true);
	cr_assert_eq(inb(b, 0x08), 0x40);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, sector, 100, &terminal), 100);
	cr_assert_not(terminal);
	cr_assert_eq(read16(0x04), 0x2345 + 100);
	cr_assert_eq(read16(0x05), 411);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, sector, 1024, &terminal), 412);
	cr_assert(terminal);
	cr_assert_eq(b->ram[0x12344], 0);
	cr_assert_eq(b->ram[0x12345], 0xa5);
	cr_assert_eq(b->ram[0x12345 + 511], 0xa5);
	cr_assert_eq(b->ram[0x12345 + 512], 0);
	cr_assert_not(isa_dma_is_ready(dma, 2), "masked by terminal count");
	cr_assert_eq(inb(b, 0x0f), 0xff);
	cr_assert_eq(inb(b, 0x08), 0x44);
	cr_assert_eq(inb(b, 0x08), 0x40, "terminal count is cleared by reading");
	isa_dma_request(dma, 2, false);
	cr_assert_eq(inb(b, 0x08), 0x00);
	cr_assert_eq(read16(0x05), 0xffff);
}

Test(i8237, memory_reaches_the_device)
{
	uint8_t data[256] = { 0 };
	bool terminal;

	for (unsigned int i = 0; i < 256; i++)
		b->ram[0x20000 + i] = (uint8_t)i;
	program(0x48, 0x20000, 256);
	isa_dma_request(dma, 2, true);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_FROM_MEMORY, data, 256, &terminal), 256);
	cr_assert(terminal);
	cr_assert_eq(memcmp(data, b->ram + 0x20000, 256), 0);
}

Test(i8237, wraps_within_its_64_kib_page)
{
	uint8_t data[32];
	bool terminal;

	for (unsigned int i = 0; i < 32; i++)
		data[i] = (uint8_t)(i + 1);
	program(0x44, 0x2fff0, 32);
	isa_dma_request(dma, 2, true);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 32, &terminal), 32);
	cr_assert_eq(b->ram[0x2ffff], 16);
	cr_assert_eq(b->ram[0x20000], 17, "not 30000h");
	cr_assert_eq(b->ram[0x30000], 0);
}

Test(i8237, auto_initialize_goes_round)
{
	uint8_t data[40];
	bool terminal;
	size_t done;

	for (unsigned int i = 0; i < 40; i++)
		data[i] = (uint8_t)(i + 1);
	program(0x54, 0x1000, 16);
	isa_dma_request(dma, 2, true);
	done = isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 40, &terminal);
	cr_assert_eq(done, 16, "stops at each terminal count");
	cr_assert(terminal);
	cr_assert(isa_dma_is_ready(dma, 2));
	isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data + done, 24, &terminal);
	cr_assert_eq(b->ram[0x1000], 17);
	cr_assert_eq(b->ram[0x100f], 32);
}

Test(i8237, counts_down_through_memory)
{
	uint8_t data[4] = { 1, 2, 3, 4 };
	bool terminal;

	program(0x64, 0x1001, 4);
	isa_dma_request(dma, 2, true);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 4, &terminal), 4);
	cr_assert_eq(b->ram[0x1001], 1);
	cr_assert_eq(b->ram[0x1000], 2);
	cr_assert_eq(b->ram[0xffff], 0);
	cr_assert_eq(b->ram[0x0fff], 3);
	program(0x64, 0x0001, 4);
	isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 4, &terminal);
	cr_assert_eq(b->ram[0xffff], 3, "wraps downwards too");
}

Test(i8237, verify_and_wrong_direction_leave_memory_alone)
{
	uint8_t data[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	bool terminal;

	isa_dma_request(dma, 2, true);
	program(0x40, 0x1000, 8);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 8, &terminal), 8);
	cr_assert(terminal);
	program(0x48, 0x1000, 8);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 8, &terminal), 8);
	cr_assert_eq(b->ram[0x1000], 0);
	program(0x44, 0x1000, 8);
	isa_dma_transfer(dma, 2, ISA_DMA_FROM_MEMORY, data, 8, &terminal);
	cr_assert_eq(data[7], 0xff);
}

Test(i8237, no_memory_swallows_writes_and_reads_as_ones)
{
	uint8_t data[8] = { 0 };
	bool terminal;

	isa_dma_request(dma, 2, true);
	program(0x48, 0xf00000, 8);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_FROM_MEMORY, data, 8, &terminal), 8);
	cr_assert_eq(data[0], 0xff);
	program(0x44, 0xf00000, 8);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 8, &terminal), 8);
}

Test(i8237, word_channels_shift_address_and_count)
{
	uint8_t data[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	bool terminal;

	outb(b, 0xd8, 0);
	outb(b, 0xd6, 0x45); /* channel 5, to memory */
	outb(b, 0xc4, 0x00);
	outb(b, 0xc4, 0x80);
	outb(b, 0xc6, 3);
	outb(b, 0xc6, 0);
	outb(b, 0x8b, 0x03); /* bit 0 means nothing to words */
	outb(b, 0xd4, 0x01);
	isa_dma_request(dma, 5, true);
	cr_assert_eq(inb(b, 0xd0), 0x20);
	cr_assert_eq(isa_dma_transfer(dma, 5, ISA_DMA_TO_MEMORY, data, 3, &terminal), 2,
		     "no half words");
	cr_assert_eq(isa_dma_transfer(dma, 5, ISA_DMA_TO_MEMORY, data + 2, 7, &terminal), 6);
	cr_assert(terminal);
	cr_assert_eq(memcmp(b->ram + 0x30000, data, 8), 0);
	cr_assert_eq(b->ram[0x30008], 0);
}

Test(i8237, lower_channels_need_the_cascade)
{
	uint8_t byte = 1;
	bool terminal;

	program(0x44, 0x1000, 1);
	isa_dma_request(dma, 2, true);
	outb(b, 0xd4, 0x04);
	cr_assert_not(isa_dma_is_ready(dma, 2));
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, &byte, 1, &terminal), 0);
	outb(b, 0xdc, 0x00);
	cr_assert(isa_dma_is_ready(dma, 2));
	outb(b, 0xd0, 0x04);
	cr_assert_not(isa_dma_is_ready(dma, 2), "controller disabled");
	outb(b, 0xd0, 0x00);
	isa_dma_request(dma, 4, true);
	cr_assert_not(isa_dma_is_ready(dma, 4), "channel 4 is taken");
}

Test(i8237, who_waits_is_told_when_the_channel_opens)
{
	readies = 0;
	cr_assert(isa_dma_attach(dma, 2, chip, count_ready));
	cr_assert_not(isa_dma_attach(dma, 2, chip, count_ready), "taken");
	isa_dma_request(dma, 2, true);
	outb(b, 0xd4, 0x04);
	outb(b, 0x0a, 0x02);
	cr_assert_eq(readies, 0);
	outb(b, 0xd4, 0x00);
	cr_assert_eq(readies, 1);
	outb(b, 0x0b, 0x46);
	cr_assert_eq(readies, 1, "only when it opens");
	outb(b, 0x0f, 0x0f);
	outb(b, 0x0e, 0x00);
	cr_assert_eq(readies, 2);
	isa_dma_detach(dma, 2);
	cr_assert_eq(inb(b, 0x08), 0);
}

Test(i8237, page_registers_hold_and_leave_port_80h)
{
	outb(b, 0x80, 0x12);
	cr_assert_eq(inb(b, 0x80), 0xff);
	for (uint16_t port = 0x81; port < 0x90; port++)
		outb(b, port, (uint8_t)(port + 1));
	for (uint16_t port = 0x81; port < 0x90; port++)
		cr_assert_eq(inb(b, port), port + 1);
	cr_assert_eq(inw(b, 0x86), 0x8887);
}

Test(i8237, master_clear_and_software_request)
{
	outb(b, 0x09, 0x05);
	cr_assert_eq(inb(b, 0x08), 0x20);
	outb(b, 0x09, 0x01);
	cr_assert_eq(inb(b, 0x08), 0x00);
	outb(b, 0x0f, 0x00);
	cr_assert_eq(inb(b, 0x0f), 0xf0);
	outb(b, 0x04, 0x55); /* the flip-flop is at the high byte now */
	outb(b, 0x0d, 0x00);
	cr_assert_eq(inb(b, 0x0f), 0xff);
	outb(b, 0x04, 0x34);
	outb(b, 0x04, 0x12);
	cr_assert_eq(read16(0x04), 0x1234);
}

Test(i8237, saved_in_the_middle_of_a_transfer)
{
	uint8_t bytes[4096], data[64];
	struct cursor to = cursor_writer(bytes, sizeof(bytes)), from;
	char error[128] = "";
	bool terminal;

	memset(data, 7, sizeof(data));
	program(0x44, 0x1000, 64);
	isa_dma_request(dma, 2, true);
	isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 20, &terminal);
	outb(b, 0x0c, 0);
	inb(b, 0x05); /* half a read of the count */
	state_save(chip, &to);
	device_reset(chip, RESET_POWER);
	cr_assert_not(isa_dma_is_ready(dma, 2));
	from = cursor_reader(bytes, to.pos);
	cr_assert_eq(state_load(chip, &from, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(inb(b, 0x05), 0, "the high byte");
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, 64, &terminal), 44);
	cr_assert(terminal);
	cr_assert_eq(b->ram[0x103f], 7);
	cr_assert_eq(b->ram[0x1040], 0);
}

Test(i8237, rude_guest_cannot_make_a_transfer_unbounded)
{
	static uint8_t data[1 << 18];
	bool terminal;

	program(0x74, 0xffffff, 0x10000); /* downwards, auto-initialize, at the end of 16 MiB */
	isa_dma_request(dma, 2, true);
	cr_assert_eq(isa_dma_transfer(dma, 2, ISA_DMA_TO_MEMORY, data, sizeof(data), &terminal),
		     0x10000);
	cr_assert(terminal);
}
