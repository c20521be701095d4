// SPDX-License-Identifier: GPL-2.0-or-later
/* The floppy controller as a driver sees it: registers, resets, seeks, and what survives them. */
#include "../../base/cursor.h"
#include "fdc.h"

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
