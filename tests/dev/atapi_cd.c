// SPDX-License-Identifier: GPL-2.0-or-later
/* The ATAPI CD-ROM drive as a driver sees it: protocol, reading, media, saved states. */
#include "atapi.h"

#include <errno.h>

static const uint8_t read_10[12] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 3 };

/* --- ATA commands */

Test(atapi_cd, signature_tells_a_packet_device_from_a_disk)
{
	struct ata_bench a = atapi_new_silent(true);

	cr_assert_eq(ata_status(&a), 0, "no ATA command has succeeded yet");
	cr_assert_eq(inb(a.b, CMD + 1), 0x01);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(inb(a.b, CMD + 2), 1);
		cr_assert_eq(inb(a.b, CMD + 3), 1);
		cr_assert_eq(inb(a.b, CMD + 4), 0x14);
		cr_assert_eq(inb(a.b, CMD + 5), 0xeb);
		outb(a.b, CMD + 4, 0);
		outb(a.b, CMD + 5, 0);
		/* IDENTIFY DEVICE and READ SECTORS bring it back. */
		cr_assert_eq(ata_simple(&a, i ? 0x20 : 0xec), READY | ERR);
		cr_assert_eq(inb(a.b, CMD + 1), ABRT);
	}
	bench_free(a.b);
}

Test(atapi_cd, identify_packet_tells_what_the_drive_is)
{
	struct ata_bench a = atapi_new(false);
	uint8_t id[512], sum = 0;

	ata_command(&a, 0xa1);
	ata_read_blocks(&a, id, 1, 256);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(ata_word(id, 0), 0x85c0);
	cr_assert_arr_eq(id + 54, "AMNITSYAV RIUTLAD DVR-MO", 24);
	cr_assert_eq(ata_word(id, 49) & 0x0300, 0x0300);
	cr_assert_eq(ata_word(id, 53), 0x0006);
	cr_assert_eq(ata_word(id, 63), 0x0407, "as firmware of 1998 leaves it for NT 4.0");
	cr_assert_eq(ata_word(id, 82) & 0x0010, 0x0010);
	for (unsigned int i = 0; i < 512; i++)
		sum = (uint8_t)(sum + id[i]);
	cr_assert_eq(sum, 0);

	outb(a.b, CMD + 1, 0x03);
	outb(a.b, CMD + 2, 0x42);
	cr_assert_eq(ata_simple(&a, 0xef), READY);
	ata_command(&a, 0xa1);
	ata_read_blocks(&a, id, 1, 256);
	cr_assert_eq(ata_word(id, 63), 0x0007);
	cr_assert_eq(ata_word(id, 88), 0x0407);
	outb(a.b, CMD + 2, 0x43);
	cr_assert_eq(ata_simple(&a, 0xef), READY | ERR);
	outb(a.b, CMD + 1, 0x5d);
	cr_assert_eq(ata_simple(&a, 0xef), READY | ERR, "no release interrupts");
	bench_free(a.b);
}

Test(atapi_cd, power_commands_and_sleep)
{
	struct ata_bench a = atapi_new(true);

	cr_assert_eq(ata_simple(&a, 0xe5), READY);
	cr_assert_eq(inb(a.b, CMD + 2), 0xff);
	cr_assert_eq(ata_simple(&a, 0xe0), READY);
	cr_assert_eq(ata_simple(&a, 0xe5), READY);
	cr_assert_eq(inb(a.b, CMD + 2), 0x00);
	atapi_good(&a, PACKET(0x00), 0);
	cr_assert_eq(ata_simple(&a, 0xe5), READY);
	cr_assert_eq(inb(a.b, CMD + 2), 0xff, "a packet wakes it");
	cr_assert_eq(ata_simple(&a, 0xe6), READY);
	ata_command(&a, 0xe5);
	advance(a.b, DELAY);
	cr_assert_not(irq_level(a.b, 14), "asleep");
	ata_command(&a, 0x08);
	advance(a.b, 2 * NSEC_PER_MSEC);
	cr_assert_not(irq_level(a.b, 14), "DEVICE RESET has no interrupt");
	cr_assert_eq(ata_status(&a), 0);
	atapi_bad(&a, PACKET(0x00), RESET_HAPPENED);
	cr_assert_eq(ata_simple(&a, 0xca), READY | ERR, "no disk's command");
	cr_assert_eq(inb(a.b, CMD + 1), ABRT);
	bench_free(a.b);
}

Test(atapi_cd, overlapped_packet_is_aborted)
{
	struct ata_bench a = atapi_new(true);

	outb(a.b, CMD + 1, 0x02);
	cr_assert_eq(ata_simple(&a, 0xa0), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), ABRT);
	bench_free(a.b);
}

/* --- the packet protocol */

Test(atapi_cd, reset_is_reported_once_and_not_by_commands_that_may_ask)
{
	struct ata_bench a = atapi_new_silent(true);

	atapi_good(&a, PACKET(0x12, 0, 0, 0, 36), 36);
	atapi_good(&a, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	atapi_good(&a, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	atapi_bad(&a, PACKET(0x25), RESET_HAPPENED);
	atapi_good(&a, PACKET(0x25), 8);

	outb(a.b, CTL, 0x04);
	outb(a.b, CTL, 0x00);
	advance(a.b, 2 * NSEC_PER_MSEC);
	cr_assert_eq(atapi_sense(&a), RESET_HAPPENED, "REQUEST SENSE takes it too");
	atapi_good(&a, PACKET(0x00), 0);
	bench_free(a.b);
}

Test(atapi_cd, unknown_packets_are_illegal_and_sense_is_forgotten_by_the_next_command)
{
	static const uint8_t unknown[] = { 0x01, 0x04, 0x08, 0x0a, 0x2a, 0x35, 0x4c, 0xa1,
					   0xa3, 0xa4, 0xa6, 0xaa, 0xbf, 0xc6, 0xd8, 0xff };
	struct ata_bench a = atapi_new(true);
	uint32_t bytes;

	for (unsigned int i = 0; i < ARRAY_LEN(unknown); i++)
		atapi_bad(&a, PACKET(unknown[i]), INVALID_OPCODE);
	cr_assert_eq(atapi_pio(&a, PACKET(0xff), LIMIT, atapi_data(), &bytes), READY | ERR);
	atapi_good(&a, PACKET(0x00), 0);
	cr_assert_eq(atapi_sense(&a), 0);
	bench_free(a.b);
}

Test(atapi_cd, allocation_length_cuts_replies)
{
	struct ata_bench a = atapi_new(true);

	atapi_good(&a, PACKET(0x12, 0, 0, 0, 5), 5);
	atapi_good(&a, PACKET(0x12, 0, 0, 0, 255), 36);
	atapi_good(&a, PACKET(0x12), 0);
	atapi_good(&a, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 3), 3);
	atapi_good(&a, PACKET(0x03, 0, 0, 0, 4), 4);
	bench_free(a.b);
}

Test(atapi_cd, pio_data_comes_in_blocks_of_the_hosts_limit)
{
	static const struct {
		uint16_t limit, block;
	} rows[] = {
		{ 2048, 2048 }, { 2049, 2048 }, { 4096, 4096 }, { 5000, 4096 }, { 512, 512 },
		{ 100, 100 },	{ 1, 6144 },	{ 0, 6144 },	{ 3, 2 },	{ 0xffff, 6144 },
	};
	struct ata_bench a = atapi_new(true);
	uint8_t *data = atapi_data();

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned int edges = a.b->irq_edges[14], blocks = 0;
		uint32_t bytes = 0;

		atapi_send(&a, read_10, rows[i].limit, false);
		while (atapi_wait(&a) & DRQ) {
			uint32_t n = atapi_take_block(&a, data + bytes);

			bytes += n;
			blocks++;
			cr_assert(n == rows[i].block || bytes == 3 * 2048, "limit %u: block of %u",
				  rows[i].limit, n);
		}
		cr_assert_eq(bytes, 3 * 2048);
		cr_assert_eq(a.b->irq_edges[14] - edges, blocks + 1,
			     "one for each, one at the end");
		atapi_expect_blocks(data, 5, 3);
	}
	bench_free(a.b);
}

Test(atapi_cd, odd_replies_and_wide_accesses)
{
	struct ata_bench a = atapi_new(true);
	uint8_t whole[36], part[36];

	memcpy(whole, atapi_good(&a, PACKET(0x12, 0, 0, 0, 36), 36), 36);
	memcpy(part, atapi_good(&a, PACKET(0x12, 0, 0, 0, 11), 11), 11);
	cr_assert_arr_eq(part, whole, 11);
	atapi_send(&a, PACKET(0x12, 0, 0, 0, 6), LIMIT, false);
	cr_assert_eq(atapi_wait(&a), READY | DRQ);
	cr_assert_eq(inl(a.b, CMD), get_le32(whole));
	cr_assert_eq(inl(a.b, CMD), get_le16(whole + 4), "what is behind the block reads as 0");
	cr_assert_eq(atapi_wait(&a), READY);
	cr_assert_eq(inw(a.b, CMD), 0xffff, "no data any more");
	bench_free(a.b);
}

Test(atapi_cd, last_interrupt_never_comes_with_the_access_that_takes_the_last_word)
{
	struct ata_bench a = atapi_new(true);

	atapi_send(&a, PACKET(0x25), LIMIT, false);
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(atapi_wait(&a), READY | DRQ);
	atapi_take_block(&a, atapi_data());
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	cr_assert_eq(atapi_wait(&a), READY);
	bench_free(a.b);
}

Test(atapi_cd, polling_host_needs_no_delay)
{
	struct ata_bench a = atapi_new(true);
	uint8_t *data = atapi_data();

	outb(a.b, CTL, 0x02);
	atapi_send(&a, read_10, 2048, false);
	for (unsigned int i = 0; i < 3; i++) {
		bench_complete_block(a.b);
		cr_assert_eq(ata_status(&a), READY | DRQ);
		cr_assert_eq(atapi_take_block(&a, data + i * 2048), 2048);
	}
	cr_assert_eq(ata_status(&a), READY);
	atapi_expect_blocks(data, 5, 3);
	bench_free(a.b);
}

/* --- reading */

Test(atapi_cd, reads_of_all_sizes)
{
	struct ata_bench a = atapi_new(true);

	atapi_expect_blocks(atapi_good(&a, read_10, 3 * 2048), 5, 3);
	/* More than the channel's buffer. */
	atapi_expect_blocks(atapi_good(&a, PACKET(0x28, 0, 0, 0, 0, 7, 0, 0, 200), 200 * 2048), 7,
			    200);
	atapi_expect_blocks(atapi_good(&a, PACKET(0xa8, 0, 0, 0, 3, 0xff, 0, 0, 0, 1), 2048),
			    BLOCKS - 1, 1);
	atapi_good(&a, PACKET(0x28, 0, 0, 0, 4, 0, 0, 0, 0), 0);
	atapi_bad(&a, PACKET(0x28, 0, 0, 0, 4, 0, 0, 0, 1), OUT_OF_RANGE);
	atapi_bad(&a, PACKET(0x28, 0, 0, 0, 3, 0xff, 0, 0, 2), OUT_OF_RANGE);
	atapi_bad(&a, PACKET(0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1), OUT_OF_RANGE);
	atapi_bad(&a, PACKET(0xa8, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff), OUT_OF_RANGE);
	bench_free(a.b);
}

Test(atapi_cd, backend_failure_is_a_medium_error_with_its_block)
{
	struct ata_bench a = atapi_new(true);
	uint8_t *sense;
	uint32_t bytes;

	a.disk[0]->fail_with = -EIO;
	atapi_bad(&a, read_10, MEDIUM_ERROR);
	cr_assert_eq(atapi_pio(&a, read_10, LIMIT, atapi_data(), &bytes), READY | ERR);
	sense = atapi_good(&a, PACKET(0x03, 0, 0, 0, 18), 18);
	cr_assert_eq(sense[0], 0xf0);
	cr_assert_eq(get_be32(sense + 3), 5);
	atapi_send(&a, read_10, 0, true);
	ata_prd(&a, 0, 0x10000, 8192, true);
	ata_start_dma(&a, true);
	cr_assert_eq(atapi_wait(&a), READY | ERR);
	cr_assert_eq(atapi_sense(&a), MEDIUM_ERROR);
	outb(a.b, BM, 0);
	a.disk[0]->fail_with = 0;
	atapi_expect_blocks(atapi_good(&a, read_10, 3 * 2048), 5, 3);
	bench_free(a.b);
}

Test(atapi_cd, error_in_a_later_piece_ends_the_command)
{
	struct ata_bench a = atapi_new(true);
	uint8_t status, *data = atapi_data();
	uint32_t bytes = 0;

	atapi_send(&a, PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, 200), LIMIT, false);
	status = atapi_wait(&a);
	a.disk[0]->fail_with = -EIO;
	while (status & DRQ) {
		bytes += atapi_take_block(&a, data + bytes);
		status = atapi_wait(&a);
	}
	cr_assert_eq(status, READY | ERR);
	cr_assert_eq(bytes, 131072);
	cr_assert_eq(atapi_sense(&a), MEDIUM_ERROR);
	bench_free(a.b);
}

/* --- DMA */

Test(atapi_cd, dma_moves_blocks_to_memory)
{
	struct ata_bench a = atapi_new(true);

	ata_prd(&a, 0, 0x10000, 1000, false);
	ata_prd(&a, 1, 0x20000, 5144, true);
	atapi_send(&a, read_10, 0, true);
	advance(a.b, DELAY);
	cr_assert_not(irq_level(a.b, 14), "it waits for the bus master");
	ata_start_dma(&a, true);
	cr_assert_eq(atapi_wait(&a), READY);
	cr_assert_eq(inb(a.b, CMD + 2) & 3, REASON_IO | REASON_CD);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4, "done, no error");
	memmove(a.b->ram + 0x10000 + 1000, a.b->ram + 0x20000, 5144);
	atapi_expect_blocks(a.b->ram + 0x10000, 5, 3);
	bench_free(a.b);
}

Test(atapi_cd, dma_goes_on_with_another_table_in_the_middle_of_a_block)
{
	struct ata_bench a = atapi_new(true);

	ata_prd(&a, 0, 0x10000, 2560, true);
	atapi_send(&a, read_10, 0, true);
	ata_start_dma(&a, true);
	advance(a.b, DELAY);
	cr_assert_not(irq_level(a.b, 14));
	outb(a.b, BM, 0);
	ata_prd(&a, 0, 0x10000 + 2560, 6144 - 2560, true);
	ata_start_dma(&a, true);
	cr_assert_eq(atapi_wait(&a), READY);
	atapi_expect_blocks(a.b->ram + 0x10000, 5, 3);
	bench_free(a.b);
}

Test(atapi_cd, dma_of_replies_ends_at_any_byte)
{
	struct ata_bench a = atapi_new(true);
	uint8_t inquiry[36];

	memcpy(inquiry, atapi_good(&a, PACKET(0x12, 0, 0, 0, 36), 36), 36);
	ata_prd(&a, 0, 0x10000, 10, false);
	ata_prd(&a, 1, 0x10100, 512, true);
	atapi_send(&a, PACKET(0x12, 0, 0, 0, 35), 0, true);
	memset(a.b->ram + 0x10000, 0xee, 0x200);
	ata_start_dma(&a, true);
	cr_assert_not(irq_level(a.b, 14), "not within the access that starts it");
	cr_assert_eq(atapi_wait(&a), READY);
	cr_assert_arr_eq(a.b->ram + 0x10000, inquiry, 10);
	cr_assert_arr_eq(a.b->ram + 0x10100, inquiry + 10, 25);
	cr_assert_eq(a.b->ram[0x1000a], 0xee);
	cr_assert_eq(a.b->ram[0x10100 + 25], 0xee);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 5, "the table has room left");
	outb(a.b, BM, 0);

	/* In two tables. */
	ata_prd(&a, 0, 0x11000, 20, true);
	atapi_send(&a, PACKET(0x12, 0, 0, 0, 36), 0, true);
	ata_start_dma(&a, true);
	advance(a.b, DELAY);
	cr_assert_not(irq_level(a.b, 14));
	outb(a.b, BM, 0);
	ata_prd(&a, 0, 0x11014, 16, true);
	ata_start_dma(&a, true);
	cr_assert_eq(atapi_wait(&a), READY);
	cr_assert_arr_eq(a.b->ram + 0x11000, inquiry, 36);
	bench_free(a.b);
}

Test(atapi_cd, bad_descriptors_abort)
{
	const uint8_t *const packets[] = { read_10, PACKET(0x25) };
	struct ata_bench a = atapi_new(true);

	for (unsigned int i = 0; i < ARRAY_LEN(packets); i++) {
		ata_prd(&a, 0, BENCH_RAM_BYTES - 4, 8192, true);
		atapi_send(&a, packets[i], 0, true);
		ata_start_dma(&a, true);
		cr_assert_eq(atapi_wait(&a), READY | ERR);
		cr_assert_eq(inb(a.b, CMD + 1), ABRT);
		cr_assert_eq(inb(a.b, CMD + 2) & 3, REASON_IO | REASON_CD);
		cr_assert_eq(inb(a.b, BM + 2) & 3, 2);
		outb(a.b, BM, 0);
		/* The other direction. */
		ata_prd(&a, 0, 0x10000, 8192, true);
		atapi_send(&a, packets[i], 0, true);
		ata_start_dma(&a, false);
		cr_assert_eq(atapi_wait(&a), READY | ERR);
		outb(a.b, BM, 0);
	}
	cr_assert_gt(a.b->guest_logs, 0);
	atapi_good(&a, PACKET(0x00), 0);
	bench_free(a.b);
}

Test(atapi_cd, read_cd_by_dma_goes_through_the_buffer_in_pieces)
{
	struct ata_bench a = atapi_new(true);
	const uint8_t packet[12] = { 0xbe, 0, 0, 0, 0, 9, 0, 0, 100, 0xf8 };
	uint8_t *data;

	for (unsigned int i = 0; i < 4; i++)
		ata_prd(&a, i, 0x10000 + i * 0x10000, 0, i == 3);
	atapi_send(&a, packet, 0, true);
	ata_start_dma(&a, true);
	cr_assert_eq(atapi_wait(&a), READY);
	data = atapi_good(&a, packet, 100 * 2352);
	cr_assert_arr_eq(a.b->ram + 0x10000, data, 100 * 2352);
	for (uint32_t i = 0; i < 100; i++)
		cr_assert_eq(get_le64(data + i * 2352 + 16), (9 + i) * 4, "sector %u", i);
	bench_free(a.b);
}

/* --- media */

Test(atapi_cd, empty_drive_is_not_ready)
{
	static const uint8_t need[] = {
		0x00, 0x25, 0x28, 0x2b, 0x42, 0x43, 0x44, 0x45, 0x47, 0x48,
		0x4b, 0x4e, 0x51, 0x52, 0xa5, 0xa8, 0xad, 0xb9, 0xba, 0xbe
	};
	struct ata_bench a = atapi_new(false);
	uint8_t *event;

	for (unsigned int i = 0; i < ARRAY_LEN(need); i++)
		atapi_bad(&a, PACKET(need[i]), NOT_READY_CLOSED);
	event = atapi_good(&a, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be32(event + 4), 0x00000000);
	cr_assert_eq(atapi_good(&a, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 8), 8)[2], 0x70);
	bench_free(a.b);
}

Test(atapi_cd, insert_is_a_unit_attention_and_an_event)
{
	struct ata_bench a = atapi_new(false);
	struct piix4_ide_cdrom cdrom;
	uint8_t *event;

	atapi_insert(&a, 100);
	cr_assert_eq(piix4_ide_cdrom(a.dev, 0, &cdrom), 0);
	cr_assert(cdrom.medium && !cdrom.tray_open && !cdrom.locked);
	event = atapi_good(&a, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be32(event), 0x00060410);
	cr_assert_eq(get_be32(event + 4), 0x02020000, "a new medium");
	event = atapi_good(&a, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be32(event + 4), 0x00020000, "told once");
	atapi_bad(&a, PACKET(0x00), CHANGED);
	cr_assert_eq(get_be32(atapi_good(&a, PACKET(0x25), 8)), 99);
	atapi_expect_blocks(atapi_good(&a, read_10, 3 * 2048), 5, 3);
	/* Another in its place. */
	atapi_insert(&a, 50);
	atapi_bad(&a, read_10, CHANGED);
	cr_assert_eq(get_be32(atapi_good(&a, PACKET(0x25), 8)), 49);
	bench_free(a.b);
}

Test(atapi_cd, eject_button_opens_an_unlocked_tray)
{
	struct ata_bench a = atapi_new(true);
	struct piix4_ide_cdrom cdrom;
	uint8_t *event;

	cr_assert_eq(piix4_ide_eject(a.dev, 0, false), 0);
	cr_assert_eq(piix4_ide_cdrom(a.dev, 0, &cdrom), 0);
	cr_assert(!cdrom.medium && cdrom.tray_open);
	atapi_bad(&a, PACKET(0x00), NOT_READY_OPEN);
	event = atapi_good(&a, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be32(event + 4), 0x03010000, "removed");
	cr_assert_eq(atapi_good(&a, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 8), 8)[2], 0x71);
	cr_assert_eq(atapi_good(&a, PACKET(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8)[1], 0x10);
	atapi_good(&a, PACKET(0x1b, 0, 0, 0, 3), 0);
	atapi_bad(&a, PACKET(0x00), NOT_READY_CLOSED);
	atapi_insert(&a, 10);
	atapi_bad(&a, PACKET(0x00), CHANGED);
	atapi_good(&a, PACKET(0x00), 0);
	cr_assert_eq(piix4_ide_eject(a.dev, 1, false), -ENODEV);
	cr_assert_eq(piix4_ide_insert(a.dev, 4, NULL), -ENODEV);
	bench_free(a.b);
}

Test(atapi_cd, locked_tray_only_hears_the_wish)
{
	struct ata_bench a = atapi_new(true);
	struct piix4_ide_cdrom cdrom;
	uint8_t *event;

	atapi_good(&a, PACKET(0x1e, 0, 0, 0, 1), 0);
	cr_assert_eq(atapi_good(&a, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 30), 30)[8 + 6], 0x2b);
	cr_assert_eq(piix4_ide_eject(a.dev, 0, false), -EBUSY);
	cr_assert_eq(piix4_ide_cdrom(a.dev, 0, &cdrom), 0);
	cr_assert(cdrom.medium && cdrom.locked && !cdrom.tray_open);
	event = atapi_good(&a, PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be32(event + 4), 0x01020000, "a request to eject");
	atapi_bad(&a, PACKET(0x1b, 0, 0, 0, 2), REMOVAL_PREVENTED);
	atapi_good(&a, PACKET(0x00), 0);
	/* The guest lets go. */
	atapi_good(&a, PACKET(0x1e), 0);
	atapi_good(&a, PACKET(0x1b, 0, 0, 0, 2), 0);
	atapi_bad(&a, PACKET(0x00), NOT_READY_OPEN);
	/* What lies in the open tray is taken in again. */
	atapi_good(&a, PACKET(0x1b, 0, 0, 0, 3), 0);
	atapi_bad(&a, PACKET(0x00), CHANGED);
	atapi_expect_blocks(atapi_good(&a, read_10, 3 * 2048), 5, 3);

	atapi_good(&a, PACKET(0x1e, 0, 0, 0, 1), 0);
	cr_assert_eq(piix4_ide_eject(a.dev, 0, true), 0, "a paper clip");
	atapi_bad(&a, PACKET(0x00), NOT_READY_OPEN);
	bench_free(a.b);
}

Test(atapi_cd, hard_reset_unlocks_and_leaves_the_tray)
{
	struct ata_bench a = atapi_new(true);
	struct piix4_ide_cdrom cdrom;

	atapi_good(&a, PACKET(0x1b, 0, 0, 0, 2), 0);
	atapi_good(&a, PACKET(0x1e, 0, 0, 0, 1), 0);
	device_reset(a.dev, RESET_HARD);
	ata_enable(&a);
	cr_assert_eq(piix4_ide_cdrom(a.dev, 0, &cdrom), 0);
	cr_assert(cdrom.medium && cdrom.tray_open && !cdrom.locked);
	atapi_bad(&a, PACKET(0x00), RESET_HAPPENED);
	atapi_bad(&a, PACKET(0x00), NOT_READY_OPEN);
	bench_free(a.b);
}

Test(atapi_cd, start_and_stop_without_tray_change_nothing)
{
	struct ata_bench a = atapi_new(true);
	static const uint8_t bytes[] = { 0x00, 0x01, 0x12, 0x32 };

	for (unsigned int i = 0; i < ARRAY_LEN(bytes); i++) {
		atapi_good(&a, PACKET(0x1b, 0, 0, 0, bytes[i]), 0);
		atapi_good(&a, PACKET(0x00), 0);
	}
	bench_free(a.b);
}

/* The medium goes in each moment of a read. */
Test(atapi_cd, medium_goes_while_it_is_read)
{
	for (unsigned int moment = 0; moment < 4; moment++) {
		struct ata_bench a = atapi_new(true);
		bool dma = moment == 2;
		uint8_t status;

		ata_prd(&a, 0, 0x10000, 8192, true);
		atapi_send(&a, PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, 200), LIMIT, dma);
		if (moment == 1)
			cr_assert_eq(atapi_wait(&a), READY | DRQ);
		cr_assert_eq(piix4_ide_eject(a.dev, 0, false), 0);
		if (moment == 3)
			atapi_insert(&a, 300);
		if (dma)
			ata_start_dma(&a, true);
		status = moment == 1 ? READY | DRQ : atapi_wait(&a);
		while (status & DRQ) {
			atapi_take_block(&a, atapi_data());
			status = atapi_wait(&a);
		}
		cr_assert_eq(status, READY | ERR, "moment %u", moment);
		cr_assert_eq(atapi_sense(&a), moment == 3 ? CHANGED : NOT_READY_OPEN, "moment %u",
			     moment);
		if (moment == 3)
			atapi_good(&a, PACKET(0x00), 0);
		bench_free(a.b);
	}
}

Test(atapi_cd, reset_and_new_command_while_the_old_medium_is_read)
{
	struct ata_bench a = atapi_new(true);

	atapi_send(&a, read_10, LIMIT, false);
	cr_assert_eq(piix4_ide_eject(a.dev, 0, false), 0);
	outb(a.b, CTL, 0x04);
	outb(a.b, CTL, 0x00);
	advance(a.b, 2 * NSEC_PER_MSEC);
	atapi_bad(&a, PACKET(0x00), RESET_HAPPENED);
	atapi_bad(&a, PACKET(0x00), NOT_READY_OPEN);
	bench_free(a.b);
}

/* --- saved states */

#define STREAM_BYTES (1u << 20)

/* The state of @from in a new drive with a medium of @blocks; 0: without. */
static struct ata_bench restored(struct ata_bench *from, uint32_t blocks)
{
	static uint8_t bytes[STREAM_BYTES];
	struct cursor to = cursor_writer(bytes, sizeof(bytes)), stream;
	struct ata_bench a = atapi_new_silent(blocks == BLOCKS);
	char error[256];

	if (blocks && blocks != BLOCKS)
		atapi_insert(&a, blocks);
	state_save(from->dev, &to);
	cr_assert(cursor_ok(&to));
	memcpy(a.b->ram, from->b->ram, BENCH_RAM_BYTES);
	a.b->now_ns = from->b->now_ns;
	stream = cursor_reader(bytes, to.pos);
	cr_assert_eq(state_load(a.dev, &stream, error, sizeof(error)), 0, "%s", error);
	a.dev->class->post_load(a.dev);
	timer_queue_changed(&a.b->timers);
	return a;
}

Test(atapi_cd, saved_in_every_step_of_a_command)
{
	for (unsigned int step = 0; step < 6; step++) {
		struct ata_bench a = atapi_new(true), b;
		uint8_t *data = atapi_data(), status = READY | DRQ;
		bool dma = step >= 4;
		uint32_t bytes = 0;

		ata_prd(&a, 0, 0x10000, 0x10000, false);
		ata_prd(&a, 1, 0x20000, 0x10000, true);
		if (step == 0) {
			outb(a.b, CMD + 1, 0);
			outb(a.b, CMD + 5, 0x10);
			ata_command(&a, 0xa0);
			outw(a.b, CMD, 0x28);
		} else {
			atapi_send(&a, PACKET(0x28, 0, 0, 0, 0, 5, 0, 0, 32), 4096, dma);
		}
		if (step == 2)
			atapi_wait(&a);
		if (step == 3) {
			atapi_wait(&a);
			bytes = atapi_take_block(&a, data);
			inw(a.b, CMD);
			bytes += 2;
		}
		if (step == 5)
			ata_start_dma(&a, true);
		b = restored(&a, BLOCKS);
		if (step == 0) {
			outw(b.b, CMD, 0);
			outw(b.b, CMD, 0x0500);
			outw(b.b, CMD, 0);
			outw(b.b, CMD, 32);
			outw(b.b, CMD, 0);
		}
		if (step == 4)
			ata_start_dma(&b, true);
		if (step == 3) {
			for (unsigned int i = 1; i < 2048; i++, bytes += 2)
				put_le16(data + bytes, inw(b.b, CMD));
			put_le16(data + 4096, 20 + 8); /* the word that the first drive gave */
		}
		if (step != 2)
			status = atapi_wait(&b);
		while (status & DRQ) {
			bytes += atapi_take_block(&b, data + bytes);
			status = atapi_wait(&b);
		}
		cr_assert_eq(status, READY, "step %u", step);
		cr_assert_eq(bytes, dma ? 0 : 32 * 2048, "step %u", step);
		atapi_expect_blocks(dma ? b.b->ram + 0x10000 : data, 5, 32);
		bench_free(a.b);
		bench_free(b.b);
	}
}

Test(atapi_cd, another_medium_at_load_is_a_change)
{
	struct ata_bench a = atapi_new(true), b;

	b = restored(&a, 100);
	atapi_bad(&b, PACKET(0x00), CHANGED);
	bench_free(b.b);
	b = restored(&a, 0);
	atapi_bad(&b, PACKET(0x00), NOT_READY_CLOSED);
	bench_free(b.b);
	b = restored(&a, BLOCKS);
	atapi_good(&b, PACKET(0x00), 0);
	bench_free(b.b);
	/* With a request at the backend. */
	atapi_send(&a, read_10, LIMIT, false);
	b = restored(&a, 0);
	cr_assert_eq(atapi_wait(&b), READY | ERR);
	cr_assert_eq(atapi_sense(&b), NOT_READY_CLOSED);
	bench_free(b.b);
	b = restored(&a, 6);
	cr_assert_eq(atapi_wait(&b), READY | ERR);
	cr_assert_eq(atapi_sense(&b), CHANGED);
	bench_free(b.b);
	bench_free(a.b);
}

/* --- a rude guest */

Test(atapi_cd, rude_guest_breaks_nothing)
{
	struct ata_bench a = atapi_new(true);
	uint64_t seed = 42;

	for (unsigned int i = 0; i < 20000; i++) {
		uint8_t packet[12];
		uint32_t action;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		action = (uint32_t)(seed >> 33);
		for (unsigned int j = 0; j < 12; j++)
			packet[j] = (uint8_t)(seed >> (13 + 3 * j) & (j == 2 || j == 3 ? 0 : 0xff));
		switch (action % 8) {
		case 0:
			outb(a.b, (uint16_t)(CMD + action % 8), (uint8_t)(action >> 8));
			break;
		case 1:
			if (action & 0x100)
				piix4_ide_eject(a.dev, 0, action & 0x200);
			else
				piix4_ide_insert(a.dev, 0, &a.disk[0]->backend);
			break;
		case 2:
			for (unsigned int j = 0; j < 2; j++)
				ata_prd(&a, j, action & 0x3fffff, action >> 3 & 0x3ffe, j);
			ata_start_dma(&a, action & 0x100);
			break;
		case 3:
			outb(a.b, BM, 0);
			a.disk[0]->fail_with = action & 0x300 ? 0 : -EIO;
			break;
		case 4:
			for (unsigned int j = 0; j < (action >> 8 & 0x1fff); j++)
				inw(a.b, CMD);
			break;
		case 5:
			outb(a.b, CTL, (uint8_t)(action >> 8 & 0x06));
			break;
		default:
			outb(a.b, CTL, 0);
			outb(a.b, CMD + 1, action >> 8 & 1);
			outb(a.b, CMD + 6, 0xa0);
			ata_command(&a, 0xa0);
			io_port_write_string(&a.b->io, CMD, 2, packet, 6);
			break;
		}
		advance(a.b, action % 3 * DELAY);
	}
	outb(a.b, BM, 0);
	outb(a.b, CTL, 4);
	outb(a.b, CTL, 0);
	a.disk[0]->fail_with = 0;
	piix4_ide_insert(a.dev, 0, &a.disk[0]->backend);
	advance(a.b, NSEC_PER_SEC);
	outb(a.b, CMD + 6, 0xa0);
	while (atapi_sense(&a))
		;
	atapi_expect_blocks(atapi_good(&a, read_10, 3 * 2048), 5, 3);
	bench_free(a.b);
}
