// SPDX-License-Identifier: GPL-2.0-or-later
/* The ATA disk as a driver sees it through the PIIX4: commands, data, errors. */
#include "ata.h"

#include <errno.h>

static void expect_sectors(const uint8_t *data, uint64_t lba, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		cr_assert_eq(get_le64(data + i * 512), lba + i, "sector %u", i);
		cr_assert_eq(data[i * 512 + 511], (uint8_t)(lba + i));
	}
}

/* --- identification */

Test(ata_disk, identify_tells_what_the_disk_is)
{
	struct ata_bench a = ata_new(1);
	uint8_t *id = ata_identify(&a), sum = 0;

	cr_assert_eq(ata_word(id, 0), 0x0040);
	cr_assert_eq(ata_word(id, 1), DISK_SECTORS / (16 * 63));
	cr_assert_eq(ata_word(id, 3), 16);
	cr_assert_eq(ata_word(id, 4), 63 * 512);
	cr_assert_eq(ata_word(id, 5), 512);
	cr_assert_eq(ata_word(id, 6), 63);
	cr_assert_eq(ata_word(id, 20), 3,
		     "words that later standards retired, and old firmware reads");
	cr_assert_eq(ata_word(id, 21), 512);
	cr_assert_eq(ata_word(id, 22), 4);
	cr_assert_eq(ata_word(id, 48), 1);
	cr_assert_eq(ata_word(id, 51), 0x0200);
	cr_assert_eq(ata_word(id, 52), 0x0200);
	cr_assert_eq(ata_word(id, 128), 0x0009, "security is frozen");
	cr_assert_arr_eq(id + 20, "EBCN-H 1            ", 20);
	cr_assert_arr_eq(id + 54, "AMNITSYAV RIUTLAD SI K", 22);
	cr_assert_eq(ata_word(id, 47), 0x8010);
	cr_assert_eq(ata_word(id, 49) & 0x0300, 0x0300);
	cr_assert_eq(ata_word(id, 59), 0x0110);
	cr_assert_eq(get_le32(id + 120), DISK_SECTORS);
	cr_assert_eq(get_le64(id + 200), DISK_SECTORS);
	cr_assert_eq(ata_word(id, 63), 0x0407, "firmware of our time selects no mode, NT 4.0 asks");
	cr_assert_eq(ata_word(id, 88), 0x0007);
	cr_assert_eq(ata_word(id, 85) & 0x20, 0x20, "the write cache is on");
	for (unsigned int i = 0; i < 512; i++)
		sum = (uint8_t)(sum + id[i]);
	cr_assert_eq(sum, 0);
	bench_free(a.b);
}

Test(ata_disk, identify_geometry_override_wins_unless_ata_cannot_say_it)
{
	struct ata_bench a;
	uint8_t *id;

	ata_prepare(&a, 1);
	a.config.drives[0].cylinders = 100;
	a.config.drives[0].heads = 8;
	a.config.drives[0].sectors_per_track = 32;
	ata_make(&a);
	id = ata_identify(&a);
	cr_assert_eq(ata_word(id, 1), 100);
	cr_assert_eq(ata_word(id, 3), 8);
	cr_assert_eq(ata_word(id, 6), 32);
	bench_free(a.b);

	ata_prepare(&a, 1);
	a.config.drives[0].cylinders = 2;
	a.config.drives[0].heads = 255;
	a.config.drives[0].sectors_per_track = 63;
	ata_make(&a);
	cr_assert_eq(ata_word(ata_identify(&a), 3), 16);
	bench_free(a.b);
}

Test(ata_disk, identify_follows_set_features)
{
	struct ata_bench a = ata_new(1);
	static const struct {
		uint8_t mode, status;
		uint16_t word63, word88;
	} rows[] = {
		{ 0x42, READY, 0x0007, 0x0407 },       { 0x0c, READY, 0x0007, 0x0407 },
		{ 0x43, READY | ERR, 0x0007, 0x0407 }, { 0x21, READY, 0x0207, 0x0007 },
		{ 0x10, READY | ERR, 0x0207, 0x0007 },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *id;

		outb(a.b, CMD + 1, 0x03);
		outb(a.b, CMD + 2, rows[i].mode);
		cr_assert_eq(ata_simple(&a, 0xef), rows[i].status, "mode %02x", rows[i].mode);
		id = ata_identify(&a);
		cr_assert_eq(ata_word(id, 63), rows[i].word63, "mode %02x", rows[i].mode);
		cr_assert_eq(ata_word(id, 88), rows[i].word88, "mode %02x", rows[i].mode);
	}
	outb(a.b, CMD + 1, 0x55);
	cr_assert_eq(ata_simple(&a, 0xef), READY);
	cr_assert_eq(ata_word(ata_identify(&a), 85) & 0x60, 0x20);
	outb(a.b, CMD + 1, 0x99);
	cr_assert_eq(ata_simple(&a, 0xef), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), ABRT);
	bench_free(a.b);
}

Test(ata_disk, initialize_parameters_changes_current_geometry_and_addresses)
{
	struct ata_bench a = ata_new(1);
	uint8_t *id, data[512];

	outb(a.b, CMD + 6, 0xa0 | 3); /* 4 heads */
	outb(a.b, CMD + 2, 17);
	cr_assert_eq(ata_simple(&a, 0x91), READY);
	id = ata_identify(&a);
	cr_assert_eq(ata_word(id, 3), 16, "the default stays");
	cr_assert_eq(ata_word(id, 54), DISK_SECTORS / (4 * 17));
	cr_assert_eq(ata_word(id, 55), 4);
	cr_assert_eq(ata_word(id, 56), 17);
	cr_assert_eq(get_le32(id + 114), DISK_SECTORS / (4 * 17) * 4 * 17);

	outb(a.b, CMD + 6, 0xa0 | 2); /* cylinder 5, head 2, sector 9 */
	outb(a.b, CMD + 2, 1);
	outb(a.b, CMD + 3, 9);
	outb(a.b, CMD + 4, 5);
	outb(a.b, CMD + 5, 0);
	ata_command(&a, 0x20);
	ata_read_blocks(&a, data, 1, 256);
	expect_sectors(data, (5 * 4 + 2) * 17 + 8, 1);
	cr_assert_eq(inb(a.b, CMD + 3), 9, "the last sector is shown");

	outb(a.b, CMD + 2, 1);
	outb(a.b, CMD + 3, 18);
	cr_assert_eq(ata_simple(&a, 0x20), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), IDNF, "no sector 18 on a track of 17");
	outb(a.b, CMD + 3, 0);
	cr_assert_eq(ata_simple(&a, 0x40), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), IDNF, "sectors count from 1");
	outb(a.b, CMD + 2, 0);
	cr_assert_eq(ata_simple(&a, 0x91), READY | ERR);
	bench_free(a.b);
}

/* --- PIO */

Test(ata_disk, read_sectors_interrupts_once_for_each_sector)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[3 * 512];

	ata_address(&a, 0, 1000, 3);
	ata_command(&a, 0x20);
	cr_assert_eq(inb(a.b, CTL), BSY | READY);
	ata_read_blocks(&a, data, 3, 256);
	expect_sectors(data, 1000, 3);
	cr_assert_eq(ata_status(&a), READY);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_not(irq_level(a.b, 14), "none after the last");
	cr_assert_eq(a.b->irq_edges[14], 3);
	cr_assert_eq(inb(a.b, CMD + 2), 0);
	cr_assert_eq(inb(a.b, CMD + 3), 1002 & 0xff);
	bench_free(a.b);
}

Test(ata_disk, read_multiple_moves_blocks_and_a_short_last_one)
{
	struct ata_bench a = ata_new(1);
	static uint8_t data[20 * 512];

	ata_address(&a, 0, 7, 20);
	ata_command(&a, 0xc4);
	ata_read_blocks(&a, data, 1, 16 * 256);
	advance(a.b, DELAY);
	ata_read_blocks(&a, data + 16 * 512, 1, 4 * 256);
	cr_assert_eq(ata_status(&a), READY);
	expect_sectors(data, 7, 20);
	outb(a.b, CMD + 2, 0);
	cr_assert_eq(ata_simple(&a, 0xc6), READY, "0 disables it");
	ata_address(&a, 0, 7, 20);
	cr_assert_eq(ata_simple(&a, 0xc4), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), ABRT);
	outb(a.b, CMD + 2, 24);
	cr_assert_eq(ata_simple(&a, 0xc6), READY | ERR, "no power of two");
	bench_free(a.b);
}

Test(ata_disk, all_port_widths_give_the_same_bytes)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[512];

	ata_address(&a, 0, 300, 1);
	ata_command(&a, 0x20);
	advance(a.b, DELAY);
	put_le32(data, inl(a.b, CMD));
	put_le16(data + 4, inw(a.b, CMD));
	data[6] = inb(a.b, CMD);
	data[7] = inb(a.b, CMD);
	io_port_read_string(&a.b->io, CMD, 4, data + 8, 126);
	expect_sectors(data, 300, 1);
	cr_assert_eq(inw(a.b, CMD), 0xffff, "nothing flows after the block");
	bench_free(a.b);
}

Test(ata_disk, write_asks_no_interrupt_before_the_first_block)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[2 * 512];

	memset(data, 0xa5, sizeof(data));
	ata_address(&a, 0, 50, 2);
	ata_command(&a, 0x30);
	cr_assert_eq(inb(a.b, CTL), READY | DRQ);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_not(irq_level(a.b, 14));
	io_port_write_string(&a.b->io, CMD, 2, data, 256);
	cr_assert_not(irq_level(a.b, 14), "never in the exit of the write");
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14), "the next block is asked for");
	cr_assert_eq(ata_status(&a), READY | DRQ);
	io_port_write_string(&a.b->io, CMD, 4, data + 512, 128);
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	advance(a.b, DELAY);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_arr_eq(a.disk[0]->data + 50 * 512, data, sizeof(data));
	cr_assert_eq(get_le64(a.disk[0]->data + 52 * 512), 52, "no more than that");
	cr_assert_eq(a.disk[0]->flushes, 0, "the cache is on");
	bench_free(a.b);
}

/* Requests that wait at the backend of @disk. */
static unsigned int waiting(const struct bench_disk *disk)
{
	unsigned int count = 0;

	for (const struct block_request *r = disk->first; r; r = r->next)
		count++;
	return count;
}

Test(ata_disk, a_command_of_256_sectors_is_one_backend_request)
{
	struct ata_bench a = ata_new(1);
	static uint8_t data[256 * 512];

	ata_address(&a, 0, 128, 0);
	ata_command(&a, 0x20);
	cr_assert_eq(waiting(a.disk[0]), 1);
	cr_assert_eq(a.disk[0]->first->size_bytes, sizeof(data));
	ata_read_blocks(&a, data, 256, 256);
	cr_assert_eq(waiting(a.disk[0]), 0);
	cr_assert_eq(ata_status(&a), READY);
	expect_sectors(data, 128, 256);

	outb(a.b, CTL, 2);
	ata_address(&a, 0, 1024, 0);
	ata_command(&a, 0x30);
	io_port_write_string(&a.b->io, CMD, 2, data, sizeof(data) / 2);
	cr_assert_eq(waiting(a.disk[0]), 1, "in one go without interrupts");
	cr_assert_eq(a.disk[0]->first->size_bytes, sizeof(data));
	bench_complete_block(a.b);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_arr_eq(a.disk[0]->data + 1024 * 512, data, sizeof(data));
	bench_free(a.b);
}

Test(ata_disk, a_polling_host_sees_data_as_soon_as_the_backend_has_it)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[1024];

	outb(a.b, CTL, 2);
	ata_address(&a, 0, 9, 2);
	ata_command(&a, 0x20);
	cr_assert_eq(ata_status(&a) & BSY, BSY);
	cr_assert_eq(a.b->poll_waits, 1);
	bench_complete_block(a.b);
	cr_assert_eq(a.b->poll_dones, 1);
	cr_assert_eq(ata_status(&a), READY | DRQ);
	io_port_read_string(&a.b->io, CMD, 2, data, 256);
	cr_assert_eq(ata_status(&a), READY | DRQ, "the next block at once");
	io_port_read_string(&a.b->io, CMD, 2, data + 512, 256);
	cr_assert_eq(ata_status(&a), READY);
	expect_sectors(data, 9, 2);
	cr_assert_eq(a.b->irq_edges[14], 0);
	bench_free(a.b);
}

Test(ata_disk, bulk_reads_do_one_block_at_a_time)
{
	struct ata_bench a = ata_new(1);
	static uint8_t data[4 * 512];

	ata_address(&a, 0, 1, 4);
	ata_command(&a, 0x20);
	advance(a.b, DELAY);
	io_port_read_string(&a.b->io, CMD, 2, data, 4 * 256);
	expect_sectors(data, 1, 4);
	cr_assert_eq(ata_status(&a), READY);
	memset(data, 0, 16);
	io_port_read_string(&a.b->io, CMD, 2, data, 8);
	cr_assert_eq(get_le64(data), UINT64_MAX, "an idle port floats");
	bench_free(a.b);
}

/* --- 48-bit addresses */

Test(ata_disk, ext_commands_take_48_bits_and_16_bit_counts)
{
	struct ata_bench a = ata_new(1);
	static uint8_t data[600 * 512];

	ata_address48(&a, 3000, 600);
	outb(a.b, CTL, 0x80);
	cr_assert_eq(inb(a.b, CMD + 2), 600 >> 8, "HOB shows the previous value");
	outb(a.b, CTL, 0);
	cr_assert_eq(inb(a.b, CMD + 2), 600 & 0xff);
	ata_command(&a, 0x24);
	cr_assert_eq(a.disk[0]->first->size_bytes, 131072);
	ata_read_blocks(&a, data, 600, 256);
	expect_sectors(data, 3000, 600);

	ata_address48(&a, 100, 600);
	ata_command(&a, 0x39);
	for (unsigned int done = 0; done < 600; done += 16) {
		cr_assert_eq(ata_status(&a), READY | DRQ);
		io_port_write_string(&a.b->io, CMD, 2, data + done * 512,
				     min_u64(16, 600 - done) * 256);
		advance(a.b, DELAY);
	}
	cr_assert_eq(ata_status(&a), READY);
	expect_sectors(a.disk[0]->data + 100 * 512, 3000, 600);

	ata_address48(&a, BIT64(40), 1);
	cr_assert_eq(ata_simple(&a, 0x24), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), IDNF);
	bench_free(a.b);
}

/* A backend that only says how large it is. */
static void big_submit(struct block_backend *backend, struct block_request *request)
{
	(void)backend;
	(void)request;
}

static void big_info(struct block_backend *backend, struct block_info *ret_info)
{
	(void)backend;
	*ret_info = (struct block_info){ .size_bytes = GIB(200), .serial = "BIG" };
}

static const struct block_ops big_ops = { big_submit, big_submit, big_info };

Test(ata_disk, a_disk_beyond_128_gib_needs_ext_commands)
{
	struct block_backend big = { &big_ops };
	struct ata_bench a;
	uint8_t *id;

	ata_prepare(&a, 0);
	a.config.drives[0].backend = &big;
	ata_make(&a);
	id = ata_identify(&a);
	cr_assert_eq(get_le32(id + 120), 0x0fffffff);
	cr_assert_eq(get_le64(id + 200), GIB(200) / 512);
	cr_assert_eq(ata_word(id, 1), 16383);
	ata_address(&a, 0, 0x0ffffffe, 1);
	cr_assert_eq(ata_simple(&a, 0x40), READY);
	ata_address(&a, 0, 0x0ffffffe, 2);
	cr_assert_eq(ata_simple(&a, 0x40), READY | ERR, "28 bits do not wrap");
	cr_assert_eq(inb(a.b, CMD + 1), IDNF);
	ata_address48(&a, GIB(200) / 512 - 1, 1);
	cr_assert_eq(ata_simple(&a, 0x42), READY);
	cr_assert_eq(ata_simple(&a, 0x27), READY);
	cr_assert_eq(inb(a.b, CMD + 3), (uint8_t)(GIB(200) / 512 - 1));
	outb(a.b, CTL, 0x80);
	cr_assert_eq(inb(a.b, CMD + 3), (uint8_t)((GIB(200) / 512 - 1) >> 24));
	bench_free(a.b);
}

/* --- commands without data */

Test(ata_disk, small_commands_complete)
{
	static const uint8_t opcodes[] = { 0x10, 0x1f, 0x40, 0x41, 0x70, 0x94, 0x95,
					   0x96, 0x97, 0x98, 0xe0, 0xe1, 0xe2, 0xe3,
					   0xe5, 0xe7, 0xea, 0xf5, 0xf8, 0x27 };
	struct ata_bench a = ata_new(1);

	for (unsigned int i = 0; i < ARRAY_LEN(opcodes); i++) {
		ata_address(&a, 0, 1, 1);
		cr_assert_eq(ata_simple(&a, opcodes[i]), READY, "%02x", opcodes[i]);
	}
	bench_free(a.b);
}

Test(ata_disk, unknown_commands_abort_with_an_interrupt)
{
	static const uint8_t opcodes[] = { 0x00, 0x08, 0x22, 0x50, 0xa0, 0xa1, 0xda,
					   /* security, which is frozen */
					   0xf1, 0xf2, 0xf3, 0xf4, 0xf6, 0xff };
	struct ata_bench a = ata_new(1);

	for (unsigned int i = 0; i < ARRAY_LEN(opcodes); i++) {
		cr_assert_eq(ata_simple(&a, opcodes[i]), READY | ERR, "%02x", opcodes[i]);
		cr_assert_eq(inb(a.b, CMD + 1), ABRT, "%02x", opcodes[i]);
	}
	bench_free(a.b);
}

Test(ata_disk, power_states_are_reported_and_sleep_needs_a_reset)
{
	struct ata_bench a = ata_new(1);

	ata_simple(&a, 0xe0);
	cr_assert_eq(a.disk[0]->flushes, 1, "the guest may switch off now");
	ata_simple(&a, 0xe5);
	cr_assert_eq(inb(a.b, CMD + 2), 0x00);
	ata_simple(&a, 0xe1);
	ata_simple(&a, 0xe5);
	cr_assert_eq(inb(a.b, CMD + 2), 0xff);
	ata_simple(&a, 0xe6);
	ata_command(&a, 0xec);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_not(irq_level(a.b, 14));
	outb(a.b, CTL, 4);
	outb(a.b, CTL, 0);
	advance(a.b, 2 * NSEC_PER_MSEC);
	ata_identify(&a);
	bench_free(a.b);
}

Test(ata_disk, smart_wants_its_key_and_can_be_disabled)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[512], sum = 0;

	outb(a.b, CMD + 1, 0xda);
	cr_assert_eq(ata_simple(&a, 0xb0), READY | ERR, "no key");
	outb(a.b, CMD + 4, 0x4f);
	outb(a.b, CMD + 5, 0xc2);
	cr_assert_eq(ata_simple(&a, 0xb0), READY);
	cr_assert_eq(inb(a.b, CMD + 4), 0x4f, "no threshold is exceeded");
	outb(a.b, CMD + 1, 0xd0);
	ata_command(&a, 0xb0);
	ata_read_blocks(&a, data, 1, 256);
	for (unsigned int i = 0; i < 512; i++)
		sum = (uint8_t)(sum + data[i]);
	cr_assert_eq(sum, 0);
	outb(a.b, CMD + 1, 0xd9);
	cr_assert_eq(ata_simple(&a, 0xb0), READY);
	outb(a.b, CMD + 1, 0xda);
	cr_assert_eq(ata_simple(&a, 0xb0), READY | ERR);
	outb(a.b, CMD + 1, 0xd8);
	cr_assert_eq(ata_simple(&a, 0xb0), READY);
	bench_free(a.b);
}

/* --- durability */

Test(ata_disk, without_the_write_cache_every_write_is_flushed)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[512] = { 0 };

	outb(a.b, CMD + 1, 0x82);
	cr_assert_eq(ata_simple(&a, 0xef), READY);
	cr_assert_eq(a.disk[0]->flushes, 1, "what was cached");
	ata_address(&a, 0, 0, 1);
	ata_command(&a, 0x30);
	io_port_write_string(&a.b->io, CMD, 2, data, 256);
	advance(a.b, DELAY);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_eq(a.disk[0]->flushes, 2);
	outb(a.b, CMD + 1, 0x02);
	cr_assert_eq(ata_simple(&a, 0xef), READY);
	ata_simple(&a, 0xe7);
	cr_assert_eq(a.disk[0]->flushes, 3);
	bench_free(a.b);
}

/* --- errors */

Test(ata_disk, a_range_that_leaves_the_disk_fails_whole)
{
	struct ata_bench a = ata_new(1);

	ata_address(&a, 0, DISK_SECTORS - 1, 2);
	cr_assert_eq(ata_simple(&a, 0x20), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), IDNF);
	cr_assert_eq(inb(a.b, CMD + 4) << 8 | inb(a.b, CMD + 3), DISK_SECTORS, "the first bad one");
	ata_address(&a, 0, DISK_SECTORS, 1);
	cr_assert_eq(ata_simple(&a, 0x30), READY | ERR, "no data is asked for");
	ata_address(&a, 0, DISK_SECTORS, 1);
	cr_assert_eq(ata_simple(&a, 0x70), READY | ERR);
	bench_free(a.b);
}

Test(ata_disk, backend_errors_become_unc_df_and_abrt)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[512] = { 0 };

	a.disk[0]->fail_with = -EIO;
	ata_address(&a, 0, 77, 4);
	cr_assert_eq(ata_simple(&a, 0x20), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), UNC);
	cr_assert_eq(inb(a.b, CMD + 3), 77);
	cr_assert_eq(inb(a.b, CMD + 2), 4, "none was moved");
	ata_address(&a, 0, 77, 1);
	ata_command(&a, 0x30);
	io_port_write_string(&a.b->io, CMD, 2, data, 256);
	advance(a.b, DELAY);
	cr_assert_eq(ata_status(&a), READY | DF | ERR);
	cr_assert_eq(ata_simple(&a, 0xe7), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), ABRT);
	a.disk[0]->fail_with = 0;
	ata_address(&a, 0, 77, 1);
	cr_assert_eq(ata_simple(&a, 0x40), READY, "the next command clears the bits");
	cr_assert_eq(inb(a.b, CMD + 1), 0);
	bench_free(a.b);
}

Test(ata_disk, a_read_only_disk_refuses_writes_before_the_data)
{
	struct ata_bench a;

	ata_prepare(&a, 1);
	a.disk[0]->read_only = true;
	ata_make(&a);
	ata_address(&a, 0, 0, 1);
	cr_assert_eq(ata_simple(&a, 0x30), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), ABRT);
	bench_free(a.b);
}
