// SPDX-License-Identifier: GPL-2.0-or-later
/* Floppy disks of every format, their changes, and drives. */
#include "fdc.h"

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
