// SPDX-License-Identifier: GPL-2.0-or-later
/* The floppy controller as a driver sees it, through its ports, its interrupt and ISA DMA. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "../lib/bench.h"
#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../base/cursor.h"
#include "../../devmodel/fdc_82077.h"
#include "../../devmodel/i8237.h"

#define DOR 0x3f2
#define TDR 0x3f3
#define MSR 0x3f4
#define DSR 0x3f4
#define FIFO 0x3f5
#define DIR 0x3f7
#define CCR 0x3f7
#define IRQ 6

#define RQM 0x80
#define DIO 0x40
#define NDMA 0x20
#define CB 0x10

#define MFM 0x40
#define MT 0x80
#define SK 0x20
#define READ 0x06
#define WRITE 0x05

#define SECTOR 512
#define MEMORY 0x20000
#define STATE_BYTES 65536

enum { ST0, ST1, ST2, C, H, R, N };

struct rig {
	struct bench *b;
	struct device *dma, *fdc;
	struct bench_disk *disk;
	uint8_t result[16];
	unsigned int results;
	bool polled; /* transfers without DMA */
};

/* --- a driver */

static void wait_ready(struct rig *rig, uint8_t want)
{
	for (unsigned int i = 0; i < 100000; i++) {
		if ((inb(rig->b, MSR) & (RQM | DIO)) == want)
			return;
		advance(rig->b, 10 * NSEC_PER_USEC);
	}
	cr_assert_fail("MSR stays %02x", inb(rig->b, MSR));
}

static void put(struct rig *rig, uint8_t byte)
{
	wait_ready(rig, RQM);
	outb(rig->b, FIFO, byte);
}

static void send(struct rig *rig, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(rig, bytes[i]);
}

#define SEND(rig, ...)                                                                             \
	send(rig, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void take_results(struct rig *rig)
{
	wait_ready(rig, RQM | DIO);
	for (rig->results = 0; (inb(rig->b, MSR) & (RQM | DIO | CB)) == (RQM | DIO | CB);) {
		cr_assert_lt(rig->results, sizeof(rig->result));
		rig->result[rig->results++] = inb(rig->b, FIFO);
	}
	cr_assert_eq(inb(rig->b, MSR) & 0xf0, RQM);
}

static void wait_irq(struct rig *rig)
{
	cr_assert(!irq_level(rig->b, IRQ), "not in the access that asks for it");
	for (unsigned int i = 0; i < 5000 && !irq_level(rig->b, IRQ); i++)
		advance(rig->b, NSEC_PER_MSEC);
	cr_assert(irq_level(rig->b, IRQ));
}

static void sense_interrupt(struct rig *rig)
{
	SEND(rig, 0x08);
	take_results(rig);
}

static void assert_sense(struct rig *rig, uint8_t st0, uint8_t pcn)
{
	sense_interrupt(rig);
	cr_assert_eq(rig->results, 2);
	cr_assert_eq(rig->result[0], st0, "ST0 %02x, not %02x", rig->result[0], st0);
	cr_assert_eq(rig->result[1], pcn, "PCN %u, not %u", rig->result[1], pcn);
}

static void leave_reset(struct rig *rig, uint8_t dor)
{
	outb(rig->b, DOR, 0);
	outb(rig->b, DOR, dor);
	wait_irq(rig);
	for (uint8_t i = 0; i < 4; i++) {
		sense_interrupt(rig);
		cr_assert_eq(rig->result[0], 0xc0 | i);
	}
}

static void recalibrate(struct rig *rig, uint8_t drive)
{
	SEND(rig, 0x07, drive);
	wait_irq(rig);
	assert_sense(rig, 0x20 | drive, 0);
}

static void seek(struct rig *rig, uint8_t drive, uint8_t cylinder)
{
	SEND(rig, 0x0f, drive, cylinder);
	wait_irq(rig);
	assert_sense(rig, (uint8_t)(0x20 | drive), cylinder);
}

/* Channel 2: @mode 46h to memory, 4Ah from memory. */
static void program_dma(struct rig *rig, uint8_t mode, uint16_t bytes)
{
	uint16_t count = (uint16_t)(bytes - 1);

	outb(rig->b, 0x0a, 0x06);
	outb(rig->b, 0x0c, 0);
	outb(rig->b, 0x0b, mode);
	outb(rig->b, 0x04, (uint8_t)MEMORY);
	outb(rig->b, 0x04, (uint8_t)(MEMORY >> 8));
	outb(rig->b, 0x81, MEMORY >> 16);
	outb(rig->b, 0x05, (uint8_t)count);
	outb(rig->b, 0x05, (uint8_t)(count >> 8));
	outb(rig->b, 0x0a, 0x02);
}

#define TO_MEMORY 0x46
#define FROM_MEMORY 0x4a

static void set_rate(struct rig *rig, enum floppy_rate rate)
{
	outb(rig->b, CCR, (uint8_t)rate);
}

static struct rig make(enum floppy_kind kind, struct bench *b, struct bench_disk *disk)
{
	struct rig rig = { .b = b, .disk = disk };
	struct fdc_82077_config config = {
		.drives = { { kind, disk ? &disk->backend : NULL }, { FLOPPY_NONE, NULL } },
	};

	rig.dma = bench_add(b, &i8237_class, NULL);
	config.dma = i8237_isa_dma(rig.dma);
	rig.fdc = bench_add(b, &fdc_82077_class, &config);
	outb(b, 0xd6, 0xc0); /* the cascade */
	outb(b, 0xd4, 0x00);
	leave_reset(&rig, 0x1c);
	SEND(&rig, 0x03, 0xdf, 0x02);
	recalibrate(&rig, 0);
	return rig;
}

/* Drive A is a 1.44 MB one with a disk. */
static struct rig begin(void)
{
	struct bench *b = bench_new();
	struct rig rig = make(FLOPPY_1440K, b, bench_disk_new(b, 2880));

	set_rate(&rig, FLOPPY_500K);
	return rig;
}

static void end(struct rig *rig)
{
	bench_free(rig->b);
}

/* A command with the address of a sector; waits for it and takes the results. */
static void access(struct rig *rig, uint8_t command, uint8_t head, uint8_t c, uint8_t h, uint8_t r,
		   uint8_t eot, uint8_t dtl)
{
	SEND(rig, command, (uint8_t)(head << 2), c, h, r, 2, eot, 0x1b, dtl);
	wait_irq(rig);
	take_results(rig);
	cr_assert_eq(rig->results, 7);
	cr_assert(!irq_level(rig->b, IRQ), "reading the results lowers the interrupt");
}

static void assert_results(const struct rig *rig, const char *what, uint8_t st0, uint8_t st1,
			   uint8_t st2)
{
	cr_assert(rig->result[ST0] == st0 && rig->result[ST1] == st1 && rig->result[ST2] == st2,
		  "%s: %02x %02x %02x, not %02x %02x %02x", what, rig->result[ST0],
		  rig->result[ST1], rig->result[ST2], st0, st1, st2);
}

static void assert_chr(const struct rig *rig, uint8_t c, uint8_t h, uint8_t r)
{
	cr_assert(rig->result[C] == c && rig->result[H] == h && rig->result[R] == r &&
			  rig->result[N] == 2,
		  "C %u H %u R %u N %u, not %u %u %u 2", rig->result[C], rig->result[H],
		  rig->result[R], rig->result[N], c, h, r);
}

static uint64_t sector_at(const struct rig *rig, unsigned int index)
{
	return get_le64(rig->b->ram + MEMORY + index * SECTOR);
}

/* --- registers and reset */

Test(fdc, registers_of_at_mode)
{
	struct rig rig = begin();

	cr_assert_eq(inb(rig.b, 0x3f0), 0xff);
	cr_assert_eq(inb(rig.b, 0x3f1), 0xff);
	cr_assert_eq(inb(rig.b, DOR), 0x1c);
	outb(rig.b, TDR, 0x02);
	cr_assert_eq(inb(rig.b, TDR), 0xfe);
	cr_assert_eq(inb(rig.b, MSR), RQM);
	cr_assert_eq(inb(rig.b, DIR) & 0x7f, 0x7f);
	end(&rig);
}

Test(fdc, reset_by_dor_holds_and_then_asks_for_four_senses)
{
	struct rig rig = begin();

	outb(rig.b, DOR, 0x08);
	cr_assert_eq(inb(rig.b, MSR), 0);
	advance(rig.b, NSEC_PER_SEC);
	cr_assert_eq(inb(rig.b, MSR), 0);
	cr_assert(!irq_level(rig.b, IRQ));
	outb(rig.b, FIFO, 0x10);
	leave_reset(&rig, 0x0c);
	sense_interrupt(&rig);
	cr_assert_eq(rig.results, 1);
	cr_assert_eq(rig.result[0], 0x80, "a fifth one is invalid");
	end(&rig);
}

Test(fdc, reset_by_dsr_ends_by_itself)
{
	struct rig rig = begin();

	outb(rig.b, DSR, 0x82);
	cr_assert_eq(inb(rig.b, MSR), 0);
	wait_irq(&rig);
	assert_sense(&rig, 0xc0, 0);
	cr_assert(!irq_level(rig.b, IRQ));
	/* A driver that asks only once must not find the others after its next seek. */
	recalibrate(&rig, 0);
	end(&rig);
}

Test(fdc, reset_without_polling_is_silent)
{
	struct rig rig = begin();

	SEND(&rig, 0x14);
	take_results(&rig);
	SEND(&rig, 0x13, 0, 0x10, 0);
	outb(rig.b, DSR, 0x82);
	advance(rig.b, NSEC_PER_SEC);
	/* But a reset also turns polling on again, and before it asks. */
	cr_assert(irq_level(rig.b, IRQ));
	end(&rig);
}

Test(fdc, interrupt_needs_the_gate_in_dor)
{
	struct rig rig = begin();

	outb(rig.b, DOR, 0x14);
	SEND(&rig, 0x07, 0x00);
	advance(rig.b, NSEC_PER_SEC);
	cr_assert(!irq_level(rig.b, IRQ));
	outb(rig.b, DOR, 0x1c);
	cr_assert(irq_level(rig.b, IRQ));
	assert_sense(&rig, 0x20, 0);
	end(&rig);
}

/* --- commands without data */

Test(fdc, version_part_id_and_invalid_commands)
{
	static const uint8_t invalid[] = { 0x00, 0x01, 0x0b, 0x18, 0x1f, 0x2e, 0x4f, 0x88, 0xff };
	struct rig rig = begin();

	SEND(&rig, 0x10);
	take_results(&rig);
	cr_assert_eq(rig.results, 1);
	cr_assert_eq(rig.result[0], 0x90);
	for (size_t i = 0; i < sizeof(invalid); i++) {
		SEND(&rig, invalid[i]);
		take_results(&rig);
		cr_assert_eq(rig.results, 1, "%02x", invalid[i]);
		cr_assert_eq(rig.result[0], 0x80, "%02x", invalid[i]);
		cr_assert(!irq_level(rig.b, IRQ));
	}
	end(&rig);
}

Test(fdc, dumpreg_shows_the_settings)
{
	struct rig rig = begin();
	static const uint8_t want[] = { 7, 0, 0, 0, 0xd1, 0x04, 18, 0x8c | 0x03, 0x57, 0x20 };

	seek(&rig, 0, 7);
	SEND(&rig, 0x03, 0xd1, 0x04);
	SEND(&rig, 0x13, 0x00, 0x57, 0x20);
	SEND(&rig, 0x12, 0x80 | 0x0c | 0x03);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 7, 0, 1, 18, 0xff);
	SEND(&rig, 0x94);
	take_results(&rig);
	cr_assert_eq(rig.results, 1);
	cr_assert_eq(rig.result[0], 0x10);
	SEND(&rig, 0x0e);
	take_results(&rig);
	cr_assert_eq(rig.results, 10);
	cr_assert_arr_eq(rig.result, want, 10);
	end(&rig);
}

static void assert_configuration(struct rig *rig, uint8_t perpendicular, uint8_t configure,
				 uint8_t pretrk)
{
	SEND(rig, 0x0e);
	take_results(rig);
	cr_assert_eq(rig->result[7], perpendicular, "%02x", rig->result[7]);
	cr_assert_eq(rig->result[8], configure, "%02x", rig->result[8]);
	cr_assert_eq(rig->result[9], pretrk, "%02x", rig->result[9]);
}

Test(fdc, lock_keeps_the_configuration_over_a_soft_reset_only)
{
	struct rig rig = begin();

	assert_configuration(&rig, 0, 0x20, 0);
	SEND(&rig, 0x13, 0x00, 0x48, 0x11);
	SEND(&rig, 0x12, 0x80 | 0x04 | 0x03);
	leave_reset(&rig, 0x1c);
	assert_configuration(&rig, 0x04, 0x20, 0);
	SEND(&rig, 0x12, 0x20); /* without OW the drives' bits stay */
	assert_configuration(&rig, 0x04, 0x20, 0);
	SEND(&rig, 0x13, 0x00, 0x48, 0x11);
	SEND(&rig, 0x94);
	take_results(&rig);
	leave_reset(&rig, 0x1c);
	assert_configuration(&rig, 0x84, 0x08, 0x11);
	SEND(&rig, 0x14);
	take_results(&rig);
	cr_assert_eq(rig.result[0], 0);
	leave_reset(&rig, 0x1c);
	assert_configuration(&rig, 0x04, 0x20, 0);
	device_reset(rig.fdc, RESET_HARD);
	leave_reset(&rig, 0x1c);
	assert_configuration(&rig, 0, 0x20, 0);
	end(&rig);
}

static uint8_t sense_drive(struct rig *rig, uint8_t drive)
{
	SEND(rig, 0x04, drive);
	take_results(rig);
	cr_assert_eq(rig->results, 1);
	return rig->result[0];
}

Test(fdc, sense_drive_status_bits)
{
	struct rig rig = begin();

	cr_assert_eq(sense_drive(&rig, 0), 0x38, "track 0");
	cr_assert_eq(sense_drive(&rig, 4), 0x3c, "head");
	seek(&rig, 0, 1);
	cr_assert_eq(sense_drive(&rig, 0), 0x28);
	cr_assert_eq(sense_drive(&rig, 1), 0x29, "no drive, no track 0");
	rig.disk->read_only = true;
	fdc_82077_insert(rig.fdc, 0, &rig.disk->backend);
	cr_assert_eq(sense_drive(&rig, 0), 0x68, "write protected");
	end(&rig);
}

/* --- seeks */

Test(fdc, seek_takes_time_and_shows_busy)
{
	struct rig rig = begin();

	SEND(&rig, 0x0f, 0x04, 79);
	cr_assert_eq(inb(rig.b, MSR), RQM | 1);
	wait_irq(&rig);
	cr_assert_eq(inb(rig.b, MSR), RQM | 1, "until the host has asked");
	assert_sense(&rig, 0x24, 79);
	cr_assert_eq(inb(rig.b, MSR), RQM);
	end(&rig);
}

Test(fdc, two_seeks_at_once_make_two_interrupts)
{
	struct rig rig = begin();
	unsigned int edges = rig.b->irq_edges[IRQ];

	SEND(&rig, 0x0f, 0x00, 10);
	SEND(&rig, 0x0f, 0x01, 20);
	cr_assert_eq(inb(rig.b, MSR), RQM | 3);
	advance(rig.b, NSEC_PER_SEC);
	assert_sense(&rig, 0x20, 10);
	cr_assert(irq_level(rig.b, IRQ), "once more for the second drive");
	cr_assert_eq(rig.b->irq_edges[IRQ] - edges, 2);
	assert_sense(&rig, 0x21, 20);
	cr_assert(!irq_level(rig.b, IRQ));
	end(&rig);
}

Test(fdc, seek_end_waits_for_the_end_of_a_command)
{
	struct rig rig = begin();

	SEND(&rig, 0x0f, 0x00, 1);
	outb(rig.b, FIFO, 0x03);
	advance(rig.b, NSEC_PER_SEC);
	cr_assert(!irq_level(rig.b, IRQ));
	SEND(&rig, 0xdf, 0x02);
	cr_assert(irq_level(rig.b, IRQ));
	assert_sense(&rig, 0x20, 1);
	end(&rig);
}

Test(fdc, recalibrate_steps_80_at_most_and_fails_without_a_drive)
{
	struct rig rig = begin();

	seek(&rig, 0, 82);
	SEND(&rig, 0x07, 0);
	wait_irq(&rig);
	assert_sense(&rig, 0x70, 0);
	recalibrate(&rig, 0);
	SEND(&rig, 0x07, 1);
	wait_irq(&rig);
	assert_sense(&rig, 0x71, 0);
	end(&rig);
}

Test(fdc, relative_seek_moves_both_ways_and_fails_past_track_0)
{
	struct rig rig = begin();

	SEND(&rig, 0xcf, 0, 12);
	wait_irq(&rig);
	assert_sense(&rig, 0x20, 12);
	SEND(&rig, 0x8f, 0, 2);
	wait_irq(&rig);
	assert_sense(&rig, 0x20, 10);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 10, 0, 1, 18, 0xff);
	assert_results(&rig, "the arm is where the chip thinks", 0, 0, 0);
	SEND(&rig, 0x8f, 0, 11);
	wait_irq(&rig);
	assert_sense(&rig, 0x70, 0);
	cr_assert_eq(sense_drive(&rig, 0), 0x38);
	end(&rig);
}

Test(fdc, relative_seek_past_cylinder_255_wraps_the_number_not_the_arm)
{
	struct rig rig = begin();

	seek(&rig, 0, 250);
	SEND(&rig, 0xcf, 0, 10);
	wait_irq(&rig);
	assert_sense(&rig, 0x20, 4);
	cr_assert_eq(sense_drive(&rig, 0), 0x28, "far from track 0");
	end(&rig);
}

Test(fdc, seek_beyond_the_disk_finds_nothing_to_read)
{
	struct rig rig = begin();

	seek(&rig, 0, 81);
	SEND(&rig, 0x4a, 0);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "no marks there", 0x40, 0x01, 0);
	end(&rig);
}

/* --- reading and writing by DMA */

Test(fdc, read_by_dma_until_terminal_count)
{
	struct rig rig = begin();

	seek(&rig, 0, 2);
	program_dma(&rig, TO_MEMORY, 3 * SECTOR);
	SEND(&rig, MFM | READ, 0x04, 2, 1, 5, 2, 18, 0x1b, 0xff);
	cr_assert_eq(inb(rig.b, MSR), CB, "busy, and not for the host");
	wait_irq(&rig);
	cr_assert_eq(inb(rig.b, MSR), RQM | DIO | CB);
	take_results(&rig);
	assert_results(&rig, "read", 0x04, 0, 0);
	assert_chr(&rig, 2, 1, 8);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(sector_at(&rig, i), (2 * 2 + 1) * 18 + 4 + i);
	cr_assert_eq(inb(rig.b, 0x08) & 0x44, 0x04, "terminal count, request lowered");
	end(&rig);
}

Test(fdc, multi_track_goes_on_with_the_other_side)
{
	struct rig rig = begin();

	program_dma(&rig, TO_MEMORY, 36 * SECTOR);
	access(&rig, MT | MFM | READ, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "the whole cylinder", 0x04, 0, 0);
	assert_chr(&rig, 1, 0, 1);
	for (unsigned int i = 0; i < 36; i++)
		cr_assert_eq(sector_at(&rig, i), i);
	end(&rig);
}

/* The address that the results show, by the data sheet's table. */
Test(fdc, results_name_the_next_sector)
{
	static const struct {
		uint8_t mt, head, r, c_after, h_after, r_after;
	} rows[] = {
		{ 0, 0, 3, 5, 0, 4 },  { 0, 0, 18, 6, 0, 1 },  { 0, 1, 3, 5, 1, 4 },
		{ 0, 1, 18, 6, 1, 1 }, { MT, 0, 3, 5, 0, 4 },  { MT, 0, 18, 5, 1, 1 },
		{ MT, 1, 3, 5, 1, 4 }, { MT, 1, 18, 6, 0, 1 },
	};
	struct rig rig = begin();

	seek(&rig, 0, 5);
	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		program_dma(&rig, TO_MEMORY, SECTOR);
		access(&rig, rows[i].mt | MFM | READ, rows[i].head, 5, rows[i].head, rows[i].r, 18,
		       0xff);
		assert_results(&rig, "one sector", (uint8_t)(rows[i].head << 2), 0, 0);
		assert_chr(&rig, rows[i].c_after, rows[i].h_after, rows[i].r_after);
	}
	end(&rig);
}

Test(fdc, write_by_dma_is_on_the_disk_when_the_results_say_so)
{
	struct rig rig = begin();

	memset(rig.b->ram + MEMORY, 0x5a, 2 * SECTOR);
	program_dma(&rig, FROM_MEMORY, 2 * SECTOR);
	access(&rig, MFM | WRITE, 1, 0, 1, 17, 18, 0xff);
	assert_results(&rig, "write", 0x04, 0, 0);
	assert_chr(&rig, 1, 1, 1);
	cr_assert_eq(rig.disk->data[34 * SECTOR], 0x5a);
	cr_assert_eq(rig.disk->data[36 * SECTOR - 1], 0x5a);
	cr_assert_eq(get_le64(rig.disk->data + 36 * SECTOR), 36, "no further");
	cr_assert_eq(rig.disk->flushes, 1);
	/* Same with a deleted mark, which images do not keep. */
	program_dma(&rig, FROM_MEMORY, SECTOR);
	access(&rig, MFM | 0x09, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "write deleted", 0, 0, 0);
	cr_assert_eq(rig.disk->data[0], 0x5a);
	end(&rig);
}

Test(fdc, terminal_count_within_a_sector_ends_both_ways)
{
	struct rig rig = begin();

	memset(rig.b->ram + MEMORY, 0x77, SECTOR);
	program_dma(&rig, FROM_MEMORY, 100);
	access(&rig, MFM | WRITE, 0, 0, 0, 2, 18, 0xff);
	assert_results(&rig, "write", 0, 0, 0);
	cr_assert_eq(rig.disk->data[SECTOR + 99], 0x77);
	cr_assert_eq(rig.disk->data[SECTOR + 100], 0, "the rest is zeros");
	cr_assert_eq(rig.disk->data[SECTOR + 511], 0);
	program_dma(&rig, TO_MEMORY, 100);
	access(&rig, MFM | READ, 0, 0, 0, 4, 18, 0xff);
	assert_results(&rig, "read", 0, 0, 0);
	assert_chr(&rig, 0, 0, 5);
	cr_assert_eq(rig.b->ram[MEMORY + 99], 3);
	cr_assert_eq(rig.b->ram[MEMORY + 100], 0x77);
	end(&rig);
}

Test(fdc, end_of_track_without_terminal_count_is_an_error)
{
	struct rig rig = begin();

	program_dma(&rig, TO_MEMORY, 10 * SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 17, 18, 0xff);
	assert_results(&rig, "EN", 0x40, 0x80, 0);
	assert_chr(&rig, 1, 0, 1);
	cr_assert_eq(sector_at(&rig, 1), 17);
	end(&rig);
}

Test(fdc, masked_channel_overruns_and_a_late_one_is_served)
{
	struct rig rig = begin();

	outb(rig.b, 0x0a, 0x06);
	access(&rig, MFM | READ, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "OR", 0x40, 0x10, 0);
	outb(rig.b, 0x0a, 0x06);
	SEND(&rig, MFM | READ, 0, 0, 0, 3, 2, 18, 0x1b, 0xff);
	advance(rig.b, 100 * NSEC_PER_MSEC);
	cr_assert(!irq_level(rig.b, IRQ));
	program_dma(&rig, TO_MEMORY, SECTOR);
	advance(rig.b, NSEC_PER_MSEC);
	take_results(&rig);
	assert_results(&rig, "late", 0, 0, 0);
	cr_assert_eq(sector_at(&rig, 0), 2);
	end(&rig);
}

/* --- errors */

struct error_case {
	const char *what;
	uint8_t command, head, c, h, r, st0, st1, st2;
};

Test(fdc, errors_of_the_sector_address)
{
	static const struct error_case cases[] = {
		{ "no such sector", MFM | READ, 0, 0, 0, 19, 0x40, 0x04, 0 },
		{ "sector 0", MFM | READ, 0, 0, 0, 0, 0x40, 0x04, 0 },
		{ "another cylinder", MFM | READ, 0, 1, 0, 1, 0x40, 0x04, 0x10 },
		{ "another head", MFM | READ, 0, 0, 1, 1, 0x40, 0x04, 0 },
		{ "FM", READ, 0, 0, 0, 1, 0x40, 0x01, 0 },
		{ "write to no such sector", MFM | WRITE, 1, 0, 1, 19, 0x44, 0x04, 0 },
		{ "scan", MFM | 0x11, 0, 0, 0, 40, 0x40, 0x04, 0 },
		{ "verify", MFM | 0x16, 0, 0, 0, 40, 0x40, 0x04, 0 },
	};
	struct rig rig = begin();

	for (unsigned int i = 0; i < ARRAY_LEN(cases); i++) {
		const struct error_case *k = &cases[i];

		program_dma(&rig, k->command & 1 ? FROM_MEMORY : TO_MEMORY, SECTOR);
		access(&rig, k->command, k->head, k->c, k->h, k->r, 18, 0xff);
		assert_results(&rig, k->what, k->st0, k->st1, k->st2);
		cr_assert_eq(rig.result[R], k->r);
	}
	SEND(&rig, MFM | READ, 0, 0, 0, 1, 3, 18, 0x1b, 0xff);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "another size of sectors", 0x40, 0x04, 0);
	end(&rig);
}

Test(fdc, wrong_data_rate_is_an_error)
{
	struct rig rig = begin();

	for (uint8_t rate = 0; rate < 4; rate++) {
		set_rate(&rig, rate);
		SEND(&rig, 0x4a, 0);
		wait_irq(&rig);
		take_results(&rig);
		assert_results(&rig, "READ ID", rate ? 0x40 : 0, rate ? 0x01 : 0, 0);
		outb(rig.b, DSR, rate);
		program_dma(&rig, TO_MEMORY, SECTOR);
		access(&rig, MFM | READ, 0, 0, 0, 1, 18, 0xff);
		assert_results(&rig, "READ", rate ? 0x40 : 0, rate ? 0x01 : 0, 0);
	}
	end(&rig);
}

Test(fdc, write_protect_stops_every_write)
{
	struct rig rig = begin();

	rig.disk->read_only = true;
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, &rig.disk->backend), 0);
	program_dma(&rig, FROM_MEMORY, SECTOR);
	access(&rig, MFM | WRITE, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "write", 0x40, 0x02, 0);
	access(&rig, MFM | 0x09, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "write deleted", 0x40, 0x02, 0);
	SEND(&rig, 0x4d, 0, 2, 18, 0x54, 0xf6);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "format", 0x40, 0x02, 0);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "read", 0, 0, 0);
	end(&rig);
}

Test(fdc, failures_of_the_image_are_data_errors)
{
	struct rig rig = begin();

	rig.disk->fail_with = -EIO;
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 7, 18, 0xff);
	assert_results(&rig, "read", 0x40, 0x20, 0x20);
	assert_chr(&rig, 0, 0, 7);
	program_dma(&rig, FROM_MEMORY, SECTOR);
	access(&rig, MFM | WRITE, 0, 0, 0, 7, 18, 0xff);
	assert_results(&rig, "write", 0x40, 0x20, 0);
	rig.disk->fail_with = -EROFS;
	program_dma(&rig, FROM_MEMORY, SECTOR);
	access(&rig, MFM | WRITE, 0, 0, 0, 7, 18, 0xff);
	assert_results(&rig, "write to what became read-only", 0x40, 0x02, 0);
	end(&rig);
}

Test(fdc, failure_of_the_flush_is_an_error)
{
	struct rig rig = begin();

	program_dma(&rig, FROM_MEMORY, SECTOR);
	SEND(&rig, MFM | WRITE, 0, 0, 0, 7, 2, 18, 0x1b, 0xff);
	while (!rig.disk->first || rig.disk->first->op != BLOCK_FLUSH) {
		uint64_t next = timer_queue_next(&rig.b->timers);

		if (rig.disk->first)
			bench_complete_block(rig.b);
		if (rig.disk->first)
			continue;
		cr_assert_neq(next, TIMER_OFF);
		rig.b->now_ns = next;
		timer_queue_run(&rig.b->timers, next);
		if (rig.disk->first && rig.disk->first->op == BLOCK_WRITE) {
			struct block_request *request = rig.disk->first;

			rig.disk->first = rig.disk->last = NULL;
			request->complete(request, 0);
		}
	}
	rig.disk->fail_with = -EIO;
	advance(rig.b, NSEC_PER_MSEC);
	take_results(&rig);
	assert_results(&rig, "flush", 0x40, 0x20, 0);
	end(&rig);
}

Test(fdc, motor_off_or_no_disk_or_no_drive_reads_nothing)
{
	struct rig rig = begin();

	outb(rig.b, DOR, 0x0c);
	SEND(&rig, 0x4a, 0);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "motor off", 0x40, 0x01, 0);
	outb(rig.b, DOR, 0x3c);
	SEND(&rig, 0x4a, 1);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "no drive", 0x41, 0x01, 0);
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, NULL), 0);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "no disk", 0x40, 0x01, 0);
	end(&rig);
}

/* --- the other data commands */

Test(fdc, read_id_tells_sectors_as_they_pass)
{
	struct rig rig = begin();
	uint32_t seen = 0;

	seek(&rig, 0, 3);
	for (unsigned int i = 0; i < 200; i++) {
		SEND(&rig, 0x4a, 0x04);
		wait_irq(&rig);
		take_results(&rig);
		assert_results(&rig, "READ ID", 0x04, 0, 0);
		cr_assert_eq(rig.result[C], 3);
		cr_assert_eq(rig.result[H], 1);
		cr_assert(rig.result[R] >= 1 && rig.result[R] <= 18);
		cr_assert_eq(rig.result[N], 2);
		seen |= BIT(rig.result[R]);
	}
	cr_assert_gt(__builtin_popcount(seen), 3);
	end(&rig);
}

Test(fdc, read_track_takes_sectors_in_order_and_tells_wrong_names)
{
	struct rig rig = begin();

	program_dma(&rig, TO_MEMORY, 18 * SECTOR);
	access(&rig, MFM | 0x02, 1, 0, 1, 1, 18, 0xff);
	assert_results(&rig, "read track", 0x04, 0, 0);
	for (unsigned int i = 0; i < 18; i++)
		cr_assert_eq(sector_at(&rig, i), 18 + i);
	program_dma(&rig, TO_MEMORY, 4 * SECTOR);
	access(&rig, MFM | 0x02, 0, 0, 0, 5, 4, 0xff);
	assert_results(&rig, "names do not match", 0x40, 0x04, 0);
	cr_assert_eq(sector_at(&rig, 0), 0, "from the index hole all the same");
	cr_assert_eq(sector_at(&rig, 3), 3);
	end(&rig);
}

Test(fdc, read_deleted_finds_normal_marks)
{
	struct rig rig = begin();

	program_dma(&rig, TO_MEMORY, 3 * SECTOR);
	access(&rig, MFM | 0x0c, 0, 0, 0, 4, 18, 0xff);
	assert_results(&rig, "one sector, marked", 0, 0, 0x40);
	assert_chr(&rig, 0, 0, 4);
	cr_assert_eq(sector_at(&rig, 0), 3);
	memset(rig.b->ram + MEMORY, 0, SECTOR);
	access(&rig, MFM | SK | 0x0c, 0, 0, 0, 16, 18, 0xff);
	assert_results(&rig, "all skipped", 0x40, 0x80, 0x40);
	cr_assert_eq(sector_at(&rig, 0), 0);
	end(&rig);
}

Test(fdc, verify_counts_sectors_and_moves_nothing)
{
	struct rig rig = begin();

	outb(rig.b, 0x0a, 0x06);
	access(&rig, MFM | 0x16, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "the track", 0, 0, 0);
	SEND(&rig, MFM | 0x16, 0x80, 0, 0, 3, 2, 18, 0x1b, 4);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "four sectors", 0, 0, 0);
	assert_chr(&rig, 0, 0, 7);
	SEND(&rig, MFM | 0x16, 0x80, 0, 0, 17, 2, 18, 0x1b, 4);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "more than there are", 0x40, 0x80, 0);
	rig.disk->fail_with = -EIO;
	access(&rig, MFM | 0x16, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "a bad one", 0x40, 0x20, 0x20);
	end(&rig);
}

/* Sectors hold their number: 512 bytes of it but for the first 8. */
Test(fdc, scan_compares)
{
	static const struct {
		const char *what;
		uint8_t command, host, r, eot, step, st2, r_after;
	} rows[] = {
		{ "equal at once", 0x11, 4, 5, 18, 1, 0x08, 5 },
		{ "equal later", 0x11, 6, 5, 18, 1, 0x08, 7 },
		{ "equal, alternate", 0x11, 8, 5, 18, 2, 0x08, 9 },
		{ "equal, passed over", 0x11, 7, 5, 18, 2, 0x04, 17 },
		{ "never equal", 0x11, 2, 5, 18, 1, 0x04, 18 },
		{ "low or equal: lower", 0x19, 6, 5, 18, 1, 0x00, 5 },
		{ "low or equal: equal", 0x19, 4, 5, 18, 1, 0x08, 5 },
		{ "low or equal: never", 0x19, 2, 5, 18, 1, 0x04, 18 },
		{ "high or equal: higher", 0x1d, 2, 5, 18, 1, 0x00, 5 },
		{ "high or equal: later", 0x1d, 9, 5, 18, 1, 0x08, 10 },
		{ "a wildcard", 0x11, 0xff, 5, 18, 1, 0x08, 5 },
	};
	struct rig rig = begin();

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		for (unsigned int k = 0; k < 18; k++) {
			memset(rig.b->ram + MEMORY + k * SECTOR, 0xff, 8);
			memset(rig.b->ram + MEMORY + k * SECTOR + 8, rows[i].host, SECTOR - 8);
		}
		program_dma(&rig, FROM_MEMORY, 18 * SECTOR);
		access(&rig, (uint8_t)(MFM | rows[i].command), 0, 0, 0, rows[i].r, rows[i].eot,
		       rows[i].step);
		assert_results(&rig, rows[i].what, 0, 0, rows[i].st2);
		cr_assert_eq(rig.result[R], rows[i].r_after, "%s: R %u", rows[i].what,
			     rig.result[R]);
	}
	end(&rig);
}

static void put_ids(struct rig *rig, uint8_t c, uint8_t h, uint8_t sectors)
{
	for (uint8_t r = 0; r < sectors; r++) {
		/* Interleaved, as formatters do. */
		const uint8_t id[] = { c, h, (uint8_t)(r * 5 % sectors + 1), 2 };

		memcpy(rig->b->ram + MEMORY + r * 4, id, 4);
	}
	program_dma(rig, FROM_MEMORY, (uint16_t)(sectors * 4));
}

static void format_track(struct rig *rig, uint8_t head, uint8_t n, uint8_t sectors, uint8_t fill)
{
	SEND(rig, 0x4d, (uint8_t)(head << 2), n, sectors, 0x54, fill);
	wait_irq(rig);
	take_results(rig);
	cr_assert_eq(rig->results, 7);
}

Test(fdc, format_fills_the_track)
{
	struct rig rig = begin();

	seek(&rig, 0, 1);
	put_ids(&rig, 1, 1, 18);
	format_track(&rig, 1, 2, 18, 0xe5);
	assert_results(&rig, "format", 0x04, 0, 0);
	cr_assert_eq(get_le64(rig.disk->data + 53 * SECTOR), 53);
	for (unsigned int i = 54 * SECTOR; i < 72 * SECTOR; i++)
		cr_assert_eq(rig.disk->data[i], 0xe5);
	cr_assert_eq(get_le64(rig.disk->data + 72 * SECTOR), 72);
	end(&rig);
}

Test(fdc, format_that_the_image_cannot_hold_fails)
{
	struct rig rig = begin();

	put_ids(&rig, 0, 0, 9);
	format_track(&rig, 0, 2, 9, 0xf6);
	assert_results(&rig, "nine sectors", 0x50, 0, 0);
	put_ids(&rig, 0, 0, 18);
	format_track(&rig, 0, 3, 18, 0xf6);
	assert_results(&rig, "sectors of 1024 bytes", 0x50, 0, 0);
	put_ids(&rig, 7, 0, 18);
	format_track(&rig, 0, 2, 18, 0xf6);
	assert_results(&rig, "names of another track", 0x50, 0, 0);
	cr_assert_eq(rig.b->guest_logs, 3);
	cr_assert_eq(get_le64(rig.disk->data + SECTOR), 1);
	set_rate(&rig, FLOPPY_250K);
	put_ids(&rig, 0, 0, 18);
	format_track(&rig, 0, 2, 18, 0xf6);
	assert_results(&rig, "another density", 0x40, 0x01, 0);
	end(&rig);
}

Test(fdc, implied_seek_moves_the_arm)
{
	struct rig rig = begin();

	SEND(&rig, 0x13, 0, 0x60, 0);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 40, 0, 1, 18, 0xff);
	assert_results(&rig, "moved", 0x20, 0, 0);
	cr_assert_eq(sector_at(&rig, 0), 40 * 36);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 40, 0, 2, 18, 0xff);
	assert_results(&rig, "there already", 0, 0, 0);
	SEND(&rig, 0x0e);
	take_results(&rig);
	cr_assert_eq(rig.result[0], 40);
	end(&rig);
}

/* --- without DMA */

static void read_polled(struct rig *rig, uint8_t configure, unsigned int burst)
{
	uint8_t data[2 * SECTOR];
	unsigned int edges, in_burst = 0;

	SEND(rig, 0x13, 0, configure, 0);
	SEND(rig, 0x03, 0xdf, 0x03);
	edges = rig->b->irq_edges[IRQ];
	SEND(rig, MFM | READ, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
	cr_assert_eq(inb(rig->b, MSR), NDMA | CB);
	for (unsigned int i = 0; i < sizeof(data); i++) {
		wait_ready(rig, RQM | DIO);
		cr_assert_eq(inb(rig->b, MSR), RQM | DIO | NDMA | CB);
		cr_assert(irq_level(rig->b, IRQ));
		data[i] = inb(rig->b, FIFO);
		in_burst++;
		if (in_burst == burst || i % SECTOR == SECTOR - 1) {
			cr_assert(!irq_level(rig->b, IRQ), "byte %u", i);
			in_burst = 0;
		}
	}
	wait_irq(rig);
	take_results(rig);
	assert_results(rig, "EN, since nobody tells terminal count", 0x40, 0x80, 0);
	cr_assert_eq(get_le64(data), 16);
	cr_assert_eq(get_le64(data + SECTOR), 17);
	cr_assert_eq(rig->b->irq_edges[IRQ] - edges, 2 * ((SECTOR + burst - 1) / burst) + 1);
}

Test(fdc, read_without_dma_byte_by_byte_and_by_fifo)
{
	struct rig rig = begin();

	read_polled(&rig, 0x20, 1);
	read_polled(&rig, 0x00 | 7, 8);
	read_polled(&rig, 0x00 | 0, 15);
	read_polled(&rig, 0x00 | 15, 1);
	end(&rig);
}

Test(fdc, write_without_dma)
{
	struct rig rig = begin();

	SEND(&rig, 0x13, 0, 0x0b, 0);
	SEND(&rig, 0x03, 0xdf, 0x03);
	SEND(&rig, MFM | WRITE, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
	cr_assert_eq(inb(rig.b, MSR), NDMA | CB);
	wait_irq(&rig);
	cr_assert_eq(inb(rig.b, MSR), RQM | NDMA | CB);
	cr_assert_eq(inb(rig.b, FIFO), 0, "wrong direction: nothing happens");
	for (unsigned int i = 0; i < SECTOR; i++)
		put(&rig, (uint8_t)i);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "EN", 0x40, 0x80, 0);
	cr_assert_eq(rig.disk->data[17 * SECTOR + 511], 0xff);
	cr_assert_eq(rig.disk->data[17 * SECTOR + 510], 0xfe);
	end(&rig);
}

Test(fdc, scan_without_dma)
{
	struct rig rig = begin();

	SEND(&rig, 0x03, 0xdf, 0x03);
	SEND(&rig, MFM | 0x11, 0, 0, 0, 2, 2, 2, 0x1b, 1);
	for (unsigned int i = 0; i < SECTOR; i++)
		put(&rig, i < 8 ? 0xff : 1);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "equal", 0, 0, 0x08);
	end(&rig);
}

Test(fdc, host_that_leaves_in_the_middle_overruns)
{
	struct rig rig = begin();

	SEND(&rig, 0x03, 0xdf, 0x03);
	SEND(&rig, MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	for (unsigned int i = 0; i < 3; i++) {
		wait_ready(&rig, RQM | DIO);
		inb(rig.b, FIFO);
		advance(rig.b, 900 * NSEC_PER_MSEC);
	}
	cr_assert_eq(inb(rig.b, MSR) & NDMA, NDMA, "slow is not too slow");
	advance(rig.b, 3 * NSEC_PER_SEC);
	take_results(&rig);
	assert_results(&rig, "OR", 0x40, 0x10, 0);
	end(&rig);
}

/* --- disks and drives */

Test(fdc, every_format_reads_at_its_rate_from_end_to_end)
{
	static const struct {
		const char *name;
		enum floppy_kind kind;
		enum floppy_rate rate;
	} rows[] = {
		{ "160K", FLOPPY_360K, FLOPPY_250K },	{ "180K", FLOPPY_360K, FLOPPY_300K },
		{ "320K", FLOPPY_360K, FLOPPY_250K },	{ "360K", FLOPPY_360K, FLOPPY_300K },
		{ "720K", FLOPPY_1440K, FLOPPY_250K },	{ "1.2M", FLOPPY_1200K, FLOPPY_500K },
		{ "1.44M", FLOPPY_1440K, FLOPPY_500K }, { "1.68M", FLOPPY_1440K, FLOPPY_500K },
		{ "2.88M", FLOPPY_2880K, FLOPPY_1M },
	};

	for (const struct floppy_format *f = floppy_formats; f->name; f++) {
		uint64_t sectors = floppy_format_bytes(f) / SECTOR;
		struct bench *b = bench_new();
		struct rig rig;
		uint8_t last = (uint8_t)(f->tracks - 1), head = (uint8_t)(f->heads - 1);
		size_t i = (size_t)(f - floppy_formats);

		cr_assert_lt(i, ARRAY_LEN(rows));
		cr_assert_str_eq(rows[i].name, f->name);
		cr_assert_eq(floppy_kind_for(f), rows[i].kind);
		cr_assert_eq(floppy_format_find(sectors * SECTOR), f);
		rig = make(rows[i].kind, b, bench_disk_new(b, sectors));
		set_rate(&rig, rows[i].rate);
		program_dma(&rig, TO_MEMORY, SECTOR);
		access(&rig, MFM | READ, 0, 0, 0, 1, f->sectors, 0xff);
		assert_results(&rig, f->name, 0, 0, 0);
		cr_assert_eq(sector_at(&rig, 0), 0);
		seek(&rig, 0, last);
		program_dma(&rig, TO_MEMORY, SECTOR);
		access(&rig, MFM | READ, head, last, head, f->sectors, f->sectors, 0xff);
		assert_results(&rig, f->name, (uint8_t)(head << 2), 0, 0);
		cr_assert_eq(sector_at(&rig, 0), sectors - 1);
		if (!head) {
			access(&rig, MFM | READ, 1, last, 1, 1, f->sectors, 0xff);
			assert_results(&rig, "the other side", 0x44, 0x01, 0);
		}
		seek(&rig, 0, f->tracks);
		access(&rig, MFM | READ, 0, f->tracks, 0, 1, f->sectors, 0xff);
		assert_results(&rig, "beyond the last track", 0x40, 0x01, 0);
		end(&rig);
	}
}

Test(fdc, forty_tracks_in_an_80_track_drive_are_two_steps_apart)
{
	struct bench *b = bench_new();
	struct rig rig = make(FLOPPY_1200K, b, bench_disk_new(b, 720));

	set_rate(&rig, FLOPPY_300K);
	seek(&rig, 0, 10);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 5, 0, 1, 9, 0xff);
	assert_results(&rig, "track 5", 0, 0, 0);
	cr_assert_eq(sector_at(&rig, 0), 5 * 18);
	seek(&rig, 0, 11);
	access(&rig, MFM | READ, 0, 5, 0, 1, 9, 0xff);
	assert_results(&rig, "between tracks", 0x40, 0x01, 0);
	end(&rig);
}

Test(fdc, only_fitting_disks_go_in)
{
	struct bench *b = bench_new();
	struct rig rig = make(FLOPPY_1440K, b, NULL);
	struct bench_disk *odd = bench_disk_new(b, 1000), *ed = bench_disk_new(b, 5760);
	struct bench_disk *five = bench_disk_new(b, 2400), *dd = bench_disk_new(b, 1440);

	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, &odd->backend), -EINVAL, "no format");
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, &ed->backend), -EINVAL, "density");
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, &five->backend), -EINVAL, "size");
	cr_assert_eq(fdc_82077_insert(rig.fdc, 1, &dd->backend), -EINVAL, "no drive");
	cr_assert_eq(fdc_82077_insert(rig.fdc, 2, &dd->backend), -EINVAL);
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, &dd->backend), 0);
	end(&rig);
}

Test(fdc, disk_change_shows_until_a_step_with_a_disk_inside)
{
	struct rig rig = begin();

	cr_assert_eq(inb(rig.b, DIR), 0xff, "since power-on: track 0 was reached without a step");
	seek(&rig, 0, 1);
	cr_assert_eq(inb(rig.b, DIR), 0x7f);
	fdc_82077_insert(rig.fdc, 0, NULL);
	cr_assert_eq(inb(rig.b, DIR), 0xff);
	seek(&rig, 0, 2);
	cr_assert_eq(inb(rig.b, DIR), 0xff, "still empty");
	fdc_82077_insert(rig.fdc, 0, &rig.disk->backend);
	seek(&rig, 0, 2);
	cr_assert_eq(inb(rig.b, DIR), 0xff, "no step was needed");
	outb(rig.b, DOR, 0x0c);
	cr_assert_eq(inb(rig.b, DIR), 0x7f, "not selected without its motor");
	outb(rig.b, DOR, 0x2d);
	cr_assert_eq(inb(rig.b, DIR), 0x7f, "another drive");
	outb(rig.b, DOR, 0x1c);
	leave_reset(&rig, 0x1c);
	cr_assert_eq(inb(rig.b, DIR), 0xff, "a reset of the chip changes nothing");
	seek(&rig, 0, 1);
	cr_assert_eq(inb(rig.b, DIR), 0x7f);
	end(&rig);
}

/* Runs timers, but leaves requests at the backend, until there is one. */
static void run_to_request(struct rig *rig)
{
	while (!rig->disk->first) {
		uint64_t next = timer_queue_next(&rig->b->timers);

		cr_assert_neq(next, TIMER_OFF);
		rig->b->now_ns = next;
		timer_queue_run(&rig->b->timers, next);
	}
}

/* Lets time pass, but leaves requests at the backend. */
static void pass(struct rig *rig, uint64_t ns)
{
	for (uint64_t end_ns = rig->b->now_ns + ns; rig->b->now_ns < end_ns;) {
		rig->b->now_ns += 100 * NSEC_PER_USEC;
		timer_queue_run(&rig->b->timers, rig->b->now_ns);
	}
}

Test(fdc, ejecting_in_the_middle_of_a_command_fails_it)
{
	struct rig rig = begin();
	struct bench_disk *other = bench_disk_new(rig.b, 2880);

	program_dma(&rig, TO_MEMORY, SECTOR);
	SEND(&rig, MFM | READ, 0, 0, 0, 3, 2, 18, 0x1b, 0xff);
	run_to_request(&rig);
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, NULL), 0);
	cr_assert_eq(rig.disk->first->error, -ECANCELED);
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, &other->backend), 0);
	pass(&rig, NSEC_PER_MSEC);
	take_results(&rig);
	assert_results(&rig, "gone", 0x40, 0x01, 0);
	other->data[0] = 0x99;
	program_dma(&rig, TO_MEMORY, SECTOR);
	SEND(&rig, MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	/* The old request is still at its backend, with our buffer: the command waits. */
	pass(&rig, 100 * NSEC_PER_MSEC);
	cr_assert_not_null(rig.disk->first);
	cr_assert_null(other->first);
	advance(rig.b, NSEC_PER_SEC);
	take_results(&rig);
	assert_results(&rig, "read from the new disk", 0, 0, 0);
	cr_assert_eq(rig.b->ram[MEMORY], 0x99);
	end(&rig);
}

/* --- in mid-operation */

Test(fdc, reset_with_a_request_at_the_backend)
{
	struct rig rig = begin();

	program_dma(&rig, TO_MEMORY, 18 * SECTOR);
	SEND(&rig, MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	run_to_request(&rig);
	outb(rig.b, DOR, 0x18);
	cr_assert_eq(rig.disk->first->error, -ECANCELED);
	outb(rig.b, DOR, 0x1c);
	wait_irq(&rig);
	assert_sense(&rig, 0xc0, 0);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 6, 18, 0xff);
	assert_results(&rig, "as before", 0, 0, 0);
	cr_assert_eq(sector_at(&rig, 0), 5);
	end(&rig);
}

Test(fdc, reset_in_every_phase_leaves_a_working_controller)
{
	struct rig rig = begin();

	for (unsigned int bytes = 0; bytes <= 9; bytes++) {
		static const uint8_t command[] = { MFM | WRITE, 0, 0, 0, 1, 2, 18, 0x1b, 0xff };

		send(&rig, command, bytes);
		leave_reset(&rig, 0x1c);
	}
	SEND(&rig, 0x0f, 0, 30);
	leave_reset(&rig, 0x1c);
	advance(rig.b, NSEC_PER_SEC);
	cr_assert(!irq_level(rig.b, IRQ), "the seek is forgotten");
	SEND(&rig, 0x0e);
	inb(rig.b, FIFO);
	leave_reset(&rig, 0x1c);
	program_dma(&rig, TO_MEMORY, SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 9, 18, 0xff);
	assert_results(&rig, "works", 0, 0, 0);
	end(&rig);
}

/* Saves the controller and the DMA controller into another machine's. */
static void migrate(struct rig *from, struct rig *to)
{
	static uint8_t bytes[STATE_BYTES];
	struct cursor c = cursor_writer(bytes, sizeof(bytes));
	char error[128] = "";

	state_save(from->dma, &c);
	state_save(from->fdc, &c);
	cr_assert(cursor_ok(&c));
	c = cursor_reader(bytes, sizeof(bytes));
	to->b->now_ns = from->b->now_ns;
	cr_assert_eq(state_load(to->dma, &c, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(state_load(to->fdc, &c, error, sizeof(error)), 0, "%s", error);
	to->fdc->class->post_load(to->fdc);
	timer_queue_changed(&to->b->timers);
}

Test(fdc, a_command_survives_saving_at_any_moment)
{
	for (unsigned int steps = 0; steps < 60; steps++) {
		struct rig rig = begin(), twin = begin();
		struct rig *now = &twin;

		program_dma(&rig, TO_MEMORY, 18 * SECTOR);
		SEND(&rig, MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
		for (unsigned int i = 0; i < steps; i++) {
			uint64_t next = timer_queue_next(&rig.b->timers);

			if (i % 2) {
				bench_complete_block(rig.b);
			} else if (next != TIMER_OFF) {
				rig.b->now_ns = next;
				timer_queue_run(&rig.b->timers, next);
			}
		}
		migrate(&rig, &twin);
		memcpy(twin.b->ram + MEMORY, rig.b->ram + MEMORY, 18 * SECTOR);
		advance(twin.b, NSEC_PER_SEC);
		cr_assert(irq_level(twin.b, IRQ), "after %u steps", steps);
		take_results(now);
		assert_results(now, "read", 0, 0, 0);
		for (unsigned int i = 0; i < 18; i++)
			cr_assert_eq(sector_at(now, i), i);
		end(&rig);
		end(&twin);
	}
}

Test(fdc, a_transfer_without_dma_survives_saving)
{
	struct rig rig = begin(), twin = begin();

	SEND(&rig, 0x03, 0xdf, 0x03);
	SEND(&rig, MFM | READ, 0, 0, 0, 4, 2, 4, 0x1b, 0xff);
	for (unsigned int i = 0; i < 100; i++) {
		wait_ready(&rig, RQM | DIO);
		cr_assert_eq(inb(rig.b, FIFO), i == 0 || i >= 8 ? 3 : 0);
	}
	migrate(&rig, &twin);
	for (unsigned int i = 100; i < SECTOR; i++) {
		wait_ready(&twin, RQM | DIO);
		cr_assert_eq(inb(twin.b, FIFO), 3);
	}
	wait_irq(&twin);
	take_results(&twin);
	assert_results(&twin, "EN", 0x40, 0x80, 0);
	end(&rig);
	end(&twin);
}

Test(fdc, a_seek_survives_saving)
{
	struct rig rig = begin(), twin = begin();

	SEND(&rig, 0x0f, 0, 70);
	migrate(&rig, &twin);
	wait_irq(&twin);
	assert_sense(&twin, 0x20, 70);
	end(&rig);
	end(&twin);
}

/* --- rude guests */

Test(fdc, rude_guest)
{
	uint64_t seed = 7;
	struct rig rig = begin();

	for (unsigned int i = 0; i < 200000; i++) {
		uint32_t random;
		uint16_t port;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		random = (uint32_t)(seed >> 32);
		/* Mostly the FIFO, so that commands come about. */
		port = random & 0x70 ? FIFO : (uint16_t)(0x3f0 + (random & 7));
		if (port == 0x3f6)
			continue;
		if (random & 8)
			outb(rig.b, port, (uint8_t)(random >> 8));
		else
			inb(rig.b, port);
		if (random % 64 == 1)
			advance(rig.b, (random >> 16) * NSEC_PER_USEC);
		if (random % 4096 == 2)
			program_dma(&rig, random & 0x10000 ? TO_MEMORY : FROM_MEMORY, 700);
		if (random % 4096 == 3)
			fdc_82077_insert(rig.fdc, 0, random & 0x10000 ? &rig.disk->backend : NULL);
		if (random % 4096 == 4)
			outb(rig.b, DOR, 0x1c);
	}
	advance(rig.b, 5 * NSEC_PER_SEC);
	fdc_82077_insert(rig.fdc, 0, &rig.disk->backend);
	device_reset(rig.fdc, RESET_HARD);
	leave_reset(&rig, 0x1c);
	SEND(&rig, 0x03, 0xdf, 0x02);
	set_rate(&rig, FLOPPY_500K);
	SEND(&rig, 0x07, 0);
	wait_irq(&rig);
	sense_interrupt(&rig);
	recalibrate(&rig, 0);
	memset(rig.b->ram + MEMORY, 0x42, SECTOR);
	program_dma(&rig, FROM_MEMORY, SECTOR);
	access(&rig, MFM | WRITE, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "works after all", 0, 0, 0);
	cr_assert_eq(rig.disk->data[SECTOR - 1], 0x42);
	end(&rig);
}
