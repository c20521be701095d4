// SPDX-License-Identifier: GPL-2.0-or-later
/* The Trio64's engine: data of the processor in both directions, its registers and the interrupt. */
#include "s3_engine.h"

TestSuite(s3_transfer, .init = set_up, .fini = tear_down);

static bool interrupted(void)
{
	for (unsigned int line = 0; line < 4; line++) {
		if (b->pci.pirq_asserted[line])
			return true;
	}
	return false;
}

Test(s3_transfer, mono_images_of_the_processor_choose_the_mix)
{
	fill_random();
	for (unsigned int round = 0; round < 200; round++) {
		struct job job = random_job();
		int x = (int)random_below(200), y = (int)random_below(100);
		unsigned int width = 1 + random_below(70), height = 1 + random_below(10);
		unsigned int bus = random_below(3), unit = 8u << bus;

		job.pix_cntl = 0x80;
		random_depth(round);
		load_job(&job);
		begin_rectangle(CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | CMD_WAIT | 0x1000 |
					bus << 9 | CMD_INC_X | CMD_INC_Y,
				x, y, width, height);
		for (unsigned int row = 0; row < height; row++) {
			for (unsigned int at = 0; at < width; at += unit) {
				uint32_t data = random_next();

				if (bus == 0)
					outb(b, 0xe2e8, (uint8_t)data);
				else if (bus == 1)
					outw(b, 0xe2e8, (uint16_t)data);
				else
					outl(b, 0xe2e8, data);
				/* Low byte first, its high bit first; the row's end drops the rest. */
				for (unsigned int i = 0; i < unit && at + i < width; i++)
					model_pixel(&job, x + (int)(at + i), y + (int)row,
						    data >> (i / 8 * 8 + 7 - i % 8) & 1, 0, 0);
			}
		}
		if (round % 20 == 0)
			assert_same("mono image", round);
	}
	assert_same("mono image", 200);
}

Test(s3_transfer, colour_images_come_through_ports_and_memory)
{
	fill_random();
	for (unsigned int round = 0; round < 120; round++) {
		struct job job = random_job();
		int x = (int)random_below(200), y = (int)random_below(100);
		unsigned int width = 1 + random_below(40), height = 1 + random_below(6);
		bool mapped = round & 1;

		job.fg_mix = random_below(16) | 0x40;
		set_depth(round % 3 == 2 ? 4 : 1 + round % 3, 1024);
		load_job(&job);
		begin_rectangle(CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | CMD_WAIT | 0x1400 |
					CMD_INC_X | CMD_INC_Y,
				x, y, width, height);
		if (mapped)
			crtc(0x53, 0x10);
		for (unsigned int row = 0; row < height; row++) {
			for (unsigned int at = 0; at < width; at += 4 / bytes) {
				uint32_t data = random_next();

				if (mapped)
					io_memory_write(&b->io, 0xa0000 + 4 * random_below(64),
							&data, 4);
				else
					outl(b, 0xe2e8, data);
				for (unsigned int i = 0; i < 4 / bytes && at + i < width; i++)
					model_pixel(&job, x + (int)(at + i), y + (int)row, true,
						    data >> (8 * bytes * i), 0);
			}
		}
		crtc(0x53, 0);
		if (round % 10 == 0)
			assert_same("colour image", round);
	}
	assert_same("colour image", 120);
}

Test(s3_transfer, data_of_the_processor_makes_dashes_and_blits)
{
	fill_random();
	for (unsigned int round = 0; round < 200; round++) {
		struct job job = random_job();
		bool line = round & 1, swap = random_below(2);
		int x = (int)random_below(200), y = (int)random_below(100);
		unsigned int width = 1 + random_below(60), height = line ? 1 : 1 + random_below(5);

		job.pix_cntl = 0x80;
		random_depth(round);
		load_job(&job);
		outw(b, line ? 0x86e8 : 0x8ee8, (uint16_t)x);
		outw(b, line ? 0x82e8 : 0x8ae8, (uint16_t)y);
		if (line) { /* horizontal */
			outw(b, 0x92e8, 0x3fff);
			outw(b, 0x8ae8, 0);
			outw(b, 0x8ee8, 0);
		}
		outw(b, 0x96e8, (uint16_t)(width - 1));
		multifunc(0, height - 1);
		outw(b, 0x9ae8,
		     (uint16_t)((line ? CMD_LINE : CMD_BLIT) | CMD_WRITE | CMD_DRAW | CMD_WAIT |
				(swap ? 0x1000 : 0) | 0x200 | CMD_INC_X | CMD_INC_Y));
		for (unsigned int row = 0; row < height; row++) {
			for (unsigned int at = 0; at < width; at += 16) {
				uint16_t data = (uint16_t)random_next();
				uint16_t bits = swap ? (uint16_t)(data << 8 | data >> 8) : data;

				outw(b, 0xe2e8, data);
				for (unsigned int i = 0; i < 16 && at + i < width; i++)
					model_pixel(&job, x + (int)(at + i), y + (int)row,
						    bits >> (15 - i) & 1, 0, 0);
			}
		}
		if (round % 20 == 0)
			assert_same("dashes and blits", round);
	}
	assert_same("dashes and blits", 200);
}

Test(s3_transfer, accesses_of_any_size_feed_the_bus)
{
	fill_random();
	for (unsigned int round = 0; round < 120; round++) {
		struct job job = random_job();
		unsigned int bus = 1 + round % 2, size = random_below(2) ? 2 : 4;
		uint32_t data[8];

		job.fg_mix = 0x47;
		set_depth(1, 1024);
		load_job(&job);
		begin_rectangle(CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | CMD_WAIT | 0x1000 |
					bus << 9 | CMD_INC_X | CMD_INC_Y,
				40, 30, 32, 1);
		for (unsigned int i = 0; i < ARRAY_LEN(data); i++) {
			data[i] = random_next();
			if (size == 4) {
				outl(b, 0xe2e8, data[i]);
				continue;
			}
			outw(b, 0xe2e8, (uint16_t)data[i]);
			outw(b, random_below(2) ? 0xe2e8 : 0xe2ea, (uint16_t)(data[i] >> 16));
		}
		for (int i = 0; i < 32; i++)
			model_pixel(&job, 40 + i, 30, true, data[i / 4] >> (8 * (i % 4)) & 0xff, 0);
	}
	assert_same("sizes", 120);
}

Test(s3_transfer, what_is_on_the_screen_can_be_read_back)
{
	fill_random();
	for (unsigned int round = 0; round < 160; round++) {
		struct job job = random_job();
		int x = (int)random_below(200), y = (int)random_below(100);
		unsigned int width = 1 + random_below(40), height = 1 + random_below(6);
		bool mapped = random_below(2), mono = random_below(3) == 0;
		unsigned int per_word;

		set_depth(round % 3 == 2 ? 4 : 1 + round % 3, 1024);
		job.rd = 1u << random_below(8);
		job.pix_cntl = 0;
		load_job(&job);
		per_word = mono ? 32 : 4 / bytes;
		begin_rectangle(CMD_RECTANGLE | CMD_DRAW | CMD_WAIT | 0x1400 | CMD_INC_X |
					CMD_INC_Y | (mono ? 2 : 0),
				x, y, width, height);
		crtc(0x53, mapped ? 0x10 : 0);
		for (unsigned int row = 0; row < height; row++) {
			for (unsigned int at = 0; at < width; at += per_word) {
				uint32_t data = 0;

				if (mapped)
					io_memory_read(&b->io, 0xa0000 + 4 * random_below(64),
						       &data, 4);
				else
					data = inl(b, 0xe2e8);
				for (unsigned int i = 0; i < per_word && at + i < width; i++) {
					uint32_t pixel = model_get(x + (int)(at + i), y + (int)row);

					if (mono)
						cr_assert_eq(data >> (i / 8 * 8 + 7 - i % 8) & 1,
							     (pixel & job.rd) != 0);
					else
						cr_assert_eq(data >> (8 * bytes * i) & depth_mask(),
							     pixel);
				}
			}
		}
		crtc(0x53, 0);
		cr_assert_eq(inl(b, 0xe2e8), UINT32_MAX, "there is no more");
	}
	/* Reading has drawn nothing. */
	assert_same("reading", 160);
}

Test(s3_transfer, colours_are_32_bits_at_once_when_told)
{
	set_depth(4, 1024);
	multifunc(0xe, 0x200);
	outl(b, 0xa6e8, 0x12345678);
	cr_assert_eq(inl(b, 0xa6e8), 0x12345678);
	outw(b, 0xa6ea, 0xabcd);
	cr_assert_eq(inl(b, 0xa6e8), 0xabcd5678);
	/* Without that, 16-bit accesses take turns, beginning where RSF says. */
	multifunc(0xe, 0x010);
	outw(b, 0xa6e8, 0x1111);
	outw(b, 0xa6e8, 0x2222);
	multifunc(0xe, 0);
	cr_assert_eq(inw(b, 0xa6e8), 0x2222);
	cr_assert_eq(inw(b, 0xa6e8), 0x1111);
	/* A command begins at the lower half again. */
	(void)inw(b, 0xa6e8);
	outw(b, 0x9ae8, CMD_WRITE);
	cr_assert_eq(inw(b, 0xa6e8), 0x2222);
}

Test(s3_transfer, a_reset_forgets_what_waits_for_data)
{
	struct job job = { .fg_mix = 0x47, .wrt = UINT32_MAX, .right = 4095, .bottom = 4095 };

	set_depth(1, 1024);
	load_job(&job);
	outw(b, 0x96e8, 63);
	multifunc(0, 0);
	outw(b, 0x9ae8,
	     CMD_RECTANGLE | CMD_WRITE | CMD_DRAW | CMD_WAIT | 0x1200 | CMD_INC_X | CMD_INC_Y);
	outb(b, 0xe2e8, 0x55); /* half of a transfer */
	outw(b, 0x42e8, 0x9000);
	outw(b, 0x42e8, 0x5000);
	outw(b, 0xe2e8, 0xffff);
	assert_same("reset", 0);
	cr_assert_eq(inw(b, 0x9ae8), 0x0400);
}

Test(s3_transfer, packed_registers_in_memory_are_the_ports)
{
	uint32_t value = 123 | 456u << 16;

	crtc(0x53, 0x10);
	io_memory_write(&b->io, 0xa8100, &value, 4);
	cr_assert_eq(inw(b, 0x82e8), 123);
	cr_assert_eq(inw(b, 0x86e8), 456);
	value = 0x12345678;
	io_memory_write(&b->io, 0xa8124, &value, 4);
	io_memory_read(&b->io, 0xa8124, &value, 4);
	cr_assert_eq(value, 0x12345678);
	value = 77;
	io_memory_write(&b->io, 0xa8148, &value, 2);
	multifunc(0xf, 0);
	cr_assert_eq(inw(b, 0xbee8), 77, "READ_SEL 0 is the height");
}

Test(s3_transfer, retrace_sets_its_status_bit_until_it_is_cleared)
{
	outw(b, 0x42e8, 0x0001);
	cr_assert_eq(inw(b, 0x42e8) & 1, 0, "just cleared");
	advance(b, NSEC_PER_SEC);
	cr_assert_eq(inw(b, 0x42e8) & 1, 1, "a picture has passed");
	outw(b, 0x42e8, 0x0001);
	cr_assert_eq(inw(b, 0x42e8) & 1, 0);
}

Test(s3_transfer, retraces_interrupt_when_cr32_and_42e8_let_them)
{
	advance(b, NSEC_PER_SEC);
	outw(b, 0x42e8, 0x0101);
	advance(b, NSEC_PER_SEC);
	cr_assert_not(interrupted(), "CR32 keeps it in");
	crtc(0x32, 0x10);
	cr_assert(interrupted(), "one has begun in the meantime");
	outw(b, 0x42e8, 0x0101);
	cr_assert_not(interrupted(), "it is cleared");
	advance(b, NSEC_PER_SEC / 20);
	cr_assert(interrupted(), "the next one");
	outw(b, 0x42e8, 0x0001);
	cr_assert_not(interrupted(), "and nobody wants any more");
	advance(b, NSEC_PER_SEC);
	cr_assert_not(interrupted());
}

Test(s3_transfer, retraces_interrupt_as_a_vgas)
{
	crtc(0x32, 0x10);
	crtc(0x11, 0x20);
	advance(b, NSEC_PER_SEC);
	cr_assert_not(interrupted(), "masked");
	crtc(0x11, 0x10);
	cr_assert_not(interrupted());
	cr_assert_not(inb(b, 0x3c2) & 0x80);
	advance(b, NSEC_PER_SEC / 20);
	cr_assert(interrupted());
	cr_assert(inb(b, 0x3c2) & 0x80, "input status 0 tells of it");
	crtc(0x11, 0x00);
	cr_assert_not(interrupted(), "bit 4 clears it");
	cr_assert_not(inb(b, 0x3c2) & 0x80);
	crtc(0x11, 0x10);
	advance(b, NSEC_PER_SEC / 20);
	cr_assert(interrupted(), "and the next one comes");
	crtc(0x32, 0);
	cr_assert_not(interrupted());
}

Test(s3_transfer, ports_are_dead_until_cr40_wakes_them)
{
	cr_assert_eq(inw(b, 0x9ae8), 0x0400, "room for commands, at rest");
	crtc(0x40, 0);
	cr_assert_eq(inw(b, 0x9ae8), 0xffff);
	cr_assert_eq(inw(b, 0x42e8), 0xffff);
}
