// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the floppy controller that move data, by DMA and without, and their errors. */
#include "fdc.h"

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

/* Firmware waits for a read by spinning: what a track costs is how often it makes us work. */
Test(fdc, a_cylinder_is_one_request_and_two_timers)
{
	struct rig rig = begin();
	unsigned int timers = 0;
	uint64_t next;

	program_dma(&rig, TO_MEMORY, 36 * SECTOR);
	SEND(&rig, MT | MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	while (!irq_level(rig.b, IRQ)) {
		bench_complete_block(rig.b);
		next = timer_queue_next(&rig.b->timers);
		if (irq_level(rig.b, IRQ) || next == TIMER_OFF)
			break;
		rig.b->now_ns = next;
		timer_queue_run(&rig.b->timers, next);
		timers++;
	}
	take_results(&rig);
	assert_results(&rig, "the whole cylinder", 0x04, 0, 0);
	cr_assert_eq(sector_at(&rig, 35), 35);
	cr_assert_eq(rig.disk->reads, 1);
	cr_assert_leq(timers, 2);
	cr_assert_gt(rig.b->now_ns, 36u * 4000u, "the time on the disk passes all the same");
	end(&rig);
}

/* In the middle of what was read at once: up to there all is as if sectors were read one by one. */
Test(fdc, a_bad_sector_is_named_and_those_before_it_are_read)
{
	struct rig rig = begin();

	rig.disk->bad_lba = 5;
	program_dma(&rig, TO_MEMORY, 18 * SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "bad sector", 0x40, 0x20, 0x20);
	assert_chr(&rig, 0, 0, 6);
	for (unsigned int i = 0; i < 5; i++)
		cr_assert_eq(sector_at(&rig, i), i);
	cr_assert_eq(inb(rig.b, 0x08) & 0x04, 0, "no terminal count");
	/* The next command begins anew. */
	program_dma(&rig, TO_MEMORY, 4 * SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 7, 18, 0xff);
	assert_results(&rig, "behind it", 0, 0, 0);
	cr_assert_eq(sector_at(&rig, 3), 9);
	end(&rig);
}

/* A command that has read ahead is stopped by the host's channel: what another disk holds must not appear. */
Test(fdc, what_was_read_ahead_is_gone_with_the_disk)
{
	struct rig rig = begin();

	program_dma(&rig, TO_MEMORY, 18 * SECTOR);
	outb(rig.b, 0x0a, 0x06);
	SEND(&rig, MFM | READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	advance(rig.b, NSEC_PER_MSEC);
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, NULL), 0);
	wait_irq(&rig);
	take_results(&rig);
	assert_results(&rig, "disk taken out", 0x40, 0x01, 0);
	memset(rig.disk->data, 0x3c, 2 * SECTOR);
	cr_assert_eq(fdc_82077_insert(rig.fdc, 0, &rig.disk->backend), 0);
	program_dma(&rig, TO_MEMORY, 2 * SECTOR);
	access(&rig, MFM | READ, 0, 0, 0, 1, 18, 0xff);
	assert_results(&rig, "again", 0, 0, 0);
	cr_assert_eq(rig.b->ram[MEMORY + SECTOR], 0x3c);
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
