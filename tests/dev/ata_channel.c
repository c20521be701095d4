// SPDX-License-Identifier: GPL-2.0-or-later
/* The ATA channel: selection, INTRQ, resets, diagnostics, what happens in mid-operation, saved
 * state. */
#include "ata.h"

#include <errno.h>

/* --- presence */

Test(ata_channel, an_empty_channel_floats)
{
	struct ata_bench a = ata_new(1);

	for (uint16_t port = CMD2; port < CMD2 + 8; port++)
		cr_assert_eq(inb(a.b, port), 0xff, "%x", port);
	cr_assert_eq(inb(a.b, CTL2), 0xff);
	outb(a.b, CMD2 + 2, 0x55);
	outb(a.b, CMD2 + 7, 0xec);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_eq(inb(a.b, CMD2 + 2), 0xff);
	cr_assert_not(irq_level(a.b, 15));
	bench_free(a.b);
}

Test(ata_channel, an_absent_slave_has_status_0_and_ignores_commands)
{
	struct ata_bench a = ata_new(1);

	outb(a.b, CMD + 6, 0xb0);
	outb(a.b, CMD + 4, 0x5a);
	cr_assert_eq(inb(a.b, CMD + 4), 0x5a, "the master answers for it");
	cr_assert_eq(ata_status(&a), 0);
	ata_command(&a, 0xec);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_eq(ata_status(&a), 0);
	cr_assert_not(irq_level(a.b, 14));
	outb(a.b, CMD + 6, 0xa0);
	cr_assert_eq(ata_status(&a), READY);
	bench_free(a.b);
}

Test(ata_channel, a_slave_alone_is_found_and_the_master_floats_without_bsy)
{
	struct ata_bench a = ata_new(2);

	cr_assert_eq(ata_status(&a), 0x7f);
	cr_assert_eq(inb(a.b, CMD + 2), 0xff);
	outb(a.b, CMD + 6, 0xb0);
	cr_assert_eq(ata_word(ata_identify(&a), 93), 0x4b00);
	bench_free(a.b);
}

Test(ata_channel, writes_reach_both_drives_and_commands_the_selected_one)
{
	struct ata_bench a = ata_new(3);
	uint8_t data[512];

	put_le64(a.disk[1]->data + 5 * 512, 0x1234);
	ata_address(&a, 0x10, 5, 1);
	ata_command(&a, 0x20);
	ata_read_blocks(&a, data, 1, 256);
	cr_assert_eq(get_le64(data), 0x1234);
	outb(a.b, CMD + 6, 0xe0);
	cr_assert_eq(inb(a.b, CMD + 3), 5, "the master has the written value");
	cr_assert_eq(inb(a.b, CMD + 2), 1, "and counts nothing");
	bench_free(a.b);
}

/* --- INTRQ */

Test(ata_channel, no_interrupt_comes_before_its_delay_and_bsy_stays)
{
	struct ata_bench a = ata_new(1);

	ata_command(&a, 0x91);
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	advance(a.b, DELAY - 1);
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	advance(a.b, 1);
	cr_assert(irq_level(a.b, 14));
	bench_free(a.b);
}

Test(ata_channel, a_delay_of_0_is_still_not_the_same_exit)
{
	struct ata_bench a;

	ata_prepare(&a, 1);
	a.config.irq_delay_ns = 0;
	ata_make(&a);
	ata_command(&a, 0x10);
	cr_assert_not(irq_level(a.b, 14));
	advance(a.b, 1);
	cr_assert(irq_level(a.b, 14));
	bench_free(a.b);
}

Test(ata_channel, status_clears_intrq_and_alternate_status_does_not)
{
	struct ata_bench a = ata_new(1);

	ata_command(&a, 0x10);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, CTL), READY);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_not(irq_level(a.b, 14));
	ata_command(&a, 0x10);
	advance(a.b, DELAY);
	ata_command(&a, 0x10);
	cr_assert_not(irq_level(a.b, 14), "so does a command");
	bench_free(a.b);
}

Test(ata_channel, nien_holds_the_wire_down_and_releases_a_pending_interrupt)
{
	struct ata_bench a = ata_new(1);

	outb(a.b, CTL, 2);
	ata_command(&a, 0x10);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_eq(inb(a.b, CTL), READY);
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 4, 0);
	outb(a.b, CTL, 0);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 4, 4, "the bus master sees the wire");
	outb(a.b, CTL, 2);
	cr_assert_not(irq_level(a.b, 14));
	ata_status(&a);
	outb(a.b, CTL, 0);
	cr_assert_not(irq_level(a.b, 14));
	bench_free(a.b);
}

Test(ata_channel, intrq_is_the_selected_drives)
{
	struct ata_bench a = ata_new(3);

	ata_command(&a, 0x10);
	advance(a.b, DELAY);
	outb(a.b, CMD + 6, 0xb0);
	cr_assert_not(irq_level(a.b, 14));
	ata_status(&a);
	outb(a.b, CMD + 6, 0xa0);
	cr_assert(irq_level(a.b, 14), "still pending");
	bench_free(a.b);
}

/* --- resets and diagnostics */

static void expect_signature(struct ata_bench *a, uint8_t device)
{
	cr_assert_eq(inb(a->b, CMD + 1), 0x01);
	cr_assert_eq(inb(a->b, CMD + 2), 0x01);
	cr_assert_eq(inb(a->b, CMD + 3), 0x01);
	cr_assert_eq(inb(a->b, CMD + 4), 0x00);
	cr_assert_eq(inb(a->b, CMD + 5), 0x00);
	cr_assert_eq(inb(a->b, CMD + 6), 0xa0 | device);
}

static void soft_reset(struct ata_bench *a, uint8_t control)
{
	outb(a->b, CTL, control | 4);
	cr_assert_eq(inb(a->b, CTL) & BSY, BSY);
	advance(a->b, 5 * NSEC_PER_USEC);
	outb(a->b, CTL, control);
	cr_assert_eq(inb(a->b, CTL) & BSY, BSY);
	advance(a->b, 2 * NSEC_PER_MSEC);
}

Test(ata_channel, soft_reset_shows_signatures_without_interrupt)
{
	struct ata_bench a = ata_new(3);

	outb(a.b, CMD + 6, 0xb0);
	outb(a.b, CMD + 4, 0x77);
	soft_reset(&a, 0);
	cr_assert_eq(a.b->irq_edges[14], 0);
	cr_assert_eq(ata_status(&a), READY);
	expect_signature(&a, 0);
	outb(a.b, CMD + 6, 0xb0);
	expect_signature(&a, 0x10);
	bench_free(a.b);
}

Test(ata_channel, soft_reset_keeps_settings_until_told_to_revert)
{
	struct ata_bench a = ata_new(1);

	outb(a.b, CMD + 2, 4);
	ata_simple(&a, 0xc6);
	soft_reset(&a, 0);
	cr_assert_eq(ata_word(ata_identify(&a), 59), 0x0104);
	outb(a.b, CMD + 1, 0xcc);
	ata_simple(&a, 0xef);
	soft_reset(&a, 0);
	cr_assert_eq(ata_word(ata_identify(&a), 59), 0x0110);
	bench_free(a.b);
}

Test(ata_channel, diagnostics_run_on_both_drives_and_the_master_interrupts)
{
	struct ata_bench a = ata_new(3);

	outb(a.b, CMD + 6, 0xb0);
	ata_command(&a, 0x90);
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(ata_status(&a), READY);
	expect_signature(&a, 0);
	bench_free(a.b);
}

Test(ata_channel, diagnostics_are_heard_with_an_absent_slave_selected)
{
	struct ata_bench a = ata_new(1);

	outb(a.b, CMD + 6, 0xb0);
	ata_command(&a, 0x90);
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14));
	expect_signature(&a, 0);
	bench_free(a.b);
}

Test(ata_channel, reset_in_a_request_stays_busy_until_the_backend_let_go)
{
	struct ata_bench a = ata_new(1);

	ata_address(&a, 0, 10, 8);
	ata_command(&a, 0x20);
	cr_assert_not_null(a.disk[0]->first);
	outb(a.b, CTL, 4);
	cr_assert_eq(a.disk[0]->first->error, -ECANCELED);
	outb(a.b, CTL, 0);
	a.b->now_ns += NSEC_PER_SEC;
	timer_queue_run(&a.b->timers, a.b->now_ns);
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY, "the buffer is not ours yet");
	bench_complete_block(a.b);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_eq(a.b->irq_edges[14], 0, "the old completion counts for nothing");
	expect_signature(&a, 0);
	ata_identify(&a);
	bench_free(a.b);
}

Test(ata_channel, a_request_that_ends_during_srst_does_no_harm)
{
	struct ata_bench a = ata_new(1);

	ata_address(&a, 0, 10, 8);
	ata_command(&a, 0x20);
	outb(a.b, CTL, 4);
	bench_complete_block(a.b);
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	outb(a.b, CTL, 0);
	advance(a.b, 2 * NSEC_PER_MSEC);
	cr_assert_eq(ata_status(&a), READY);
	bench_free(a.b);
}

Test(ata_channel, machine_reset_in_a_request_then_a_new_command)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[512];

	ata_address(&a, 0, 10, 8);
	ata_command(&a, 0x20);
	device_reset(a.dev, RESET_HARD);
	ata_enable(&a);
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	ata_command(&a, 0xec);
	bench_complete_block(a.b);
	cr_assert_eq(ata_status(&a), READY, "the command while busy was ignored");
	ata_address(&a, 0, 33, 1);
	ata_command(&a, 0x20);
	ata_read_blocks(&a, data, 1, 256);
	cr_assert_eq(get_le64(data), 33);
	bench_free(a.b);
}

Test(ata_channel, reset_in_a_data_phase_ends_it)
{
	struct ata_bench a = ata_new(1);

	ata_address(&a, 0, 10, 1);
	ata_command(&a, 0x30);
	outw(a.b, CMD, 0x5555);
	soft_reset(&a, 0);
	cr_assert_eq(ata_status(&a), READY);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_eq(get_le64(a.disk[0]->data + 10 * 512), 10, "nothing was written");
	bench_free(a.b);
}

/* --- posted writes */

/* As the host asks after each access. */
static uint32_t post_room(const struct ata_bench *a)
{
	const struct io_bus *io = &a->b->io;
	const struct io_region *region = io->ports[io->port_owner[CMD] - 1];

	cr_assert_eq(region->desc->posted_length, 6, "selecting a drive has an effect");
	return region->desc->post_room(region->dev);
}

Test(ata_channel, the_write_that_may_be_a_blocks_last_is_not_posted)
{
	struct ata_bench a = ata_new(1);

	cr_assert_eq(post_room(&a), IO_POST_ANY);
	ata_address(&a, 0, 21, 2);
	ata_command(&a, 0x30);
	cr_assert_eq(post_room(&a), 128, "dwords");
	for (int i = 0; i < 127; i++)
		outl(a.b, CMD, 0);
	cr_assert_eq(post_room(&a), 1);
	outw(a.b, CMD, 0);
	cr_assert_eq(post_room(&a), 1);
	outw(a.b, CMD, 0);
	cr_assert_eq(post_room(&a), 1, "busy, and soon it wants data");
	advance(a.b, DELAY);
	cr_assert_eq(post_room(&a), 128);
	for (int i = 0; i < 128; i++)
		outl(a.b, CMD, 0);
	advance(a.b, DELAY);
	cr_assert_eq(post_room(&a), IO_POST_ANY);
	ata_command(&a, 0x20);
	advance(a.b, DELAY);
	cr_assert_eq(post_room(&a), IO_POST_ANY, "a read wants none");
	bench_free(a.b);
}

/* --- rude guests */

Test(ata_channel, commands_and_registers_while_busy_are_ignored)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[512];

	ata_address(&a, 0, 21, 1);
	ata_command(&a, 0x20);
	outb(a.b, CMD + 3, 99);
	outb(a.b, CMD + 6, 0xf0);
	ata_command(&a, 0xec);
	cr_assert_eq(a.b->guest_logs, 1);
	ata_read_blocks(&a, data, 1, 256);
	cr_assert_eq(get_le64(data), 21);
	bench_free(a.b);
}

Test(ata_channel, a_command_in_a_data_phase_ends_that_phase)
{
	struct ata_bench a = ata_new(1);

	ata_address(&a, 0, 21, 2);
	ata_command(&a, 0x30);
	outw(a.b, CMD, 0);
	ata_identify(&a);
	cr_assert_eq(get_le64(a.disk[0]->data + 21 * 512), 21);
	bench_free(a.b);
}

Test(ata_channel, data_belongs_to_the_drive_that_transfers)
{
	struct ata_bench a = ata_new(3);
	uint8_t data[512];

	ata_address(&a, 0, 21, 1);
	ata_command(&a, 0x20);
	advance(a.b, DELAY);
	outb(a.b, CMD + 6, 0xf0);
	cr_assert_eq(ata_status(&a), READY, "the slave is idle");
	cr_assert_eq(inw(a.b, CMD), 0xffff);
	outb(a.b, CMD + 6, 0xe0);
	ata_read_blocks(&a, data, 1, 256);
	cr_assert_eq(get_le64(data), 21);
	bench_free(a.b);
}

static uint32_t random_next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

static const uint16_t fuzz_ports[] = { CMD,	 CMD + 1,  CMD + 2, CMD + 3, CMD + 4,
				       CMD + 5,	 CMD + 6,  CMD + 7, CMD + 7, CMD + 7,
				       CTL,	 BM,	   BM + 2,  BM + 4,  CMD2,
				       CMD2 + 6, CMD2 + 7, CTL2,    BM + 8,  BM + 12 };
static const uint8_t fuzz_opcodes[] = { 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0xc4,
					0xc5, 0xc8, 0xca, 0xec, 0xef, 0xe7, 0x90, 0x91, 0xe4,
					0xe8, 0xb0, 0xc6, 0x27, 0xf8, 0x40, 0x70, 0x10, 0x08 };

/* One thing that a guest may do at any time. */
static void fuzz_step(struct ata_bench *a, uint64_t *seed)
{
	static uint8_t items[4096];
	uint16_t port = fuzz_ports[random_next(seed) % ARRAY_LEN(fuzz_ports)];
	uint32_t value = random_next(seed), choice = random_next(seed) % 64;
	unsigned int size = 1u << random_next(seed) % 3;

	if ((port & 0x37f) == (CMD2 | 7) || port == CMD + 7) {
		value = fuzz_opcodes[value % ARRAY_LEN(fuzz_opcodes)];
		size = 1;
	} else if (value & 0x10000) {
		value &= 0x070f0f0f;
	}
	if (choice < 30)
		io_port_write(&a->b->io, port, size, value);
	else if (choice < 40)
		io_port_read(&a->b->io, port, size);
	else if (choice < 46)
		io_port_read_string(&a->b->io, port & 0xfff8, size, items, value % 1025);
	else if (choice < 52)
		io_port_write_string(&a->b->io, port & 0xfff8, size, items, value % 1025);
	else if (choice < 56)
		advance(a->b, value % (4 * DELAY));
	else if (choice < 60)
		bench_complete_block(a->b);
	else if (choice < 62)
		put_le32(a->b->ram + value % 0x2000, random_next(seed) & 0x807fffff);
	else if (choice < 63)
		outb(a->b, random_next(seed) & 1 ? CTL : CTL2, 0);
	else if (value % 64 == 0)
		device_reset(a->dev, RESET_HARD), ata_enable(a);
	else
		bench_config_write(a->b, DEVFN, value & 0x44, 1u << value % 2, value >> 8);
}

Test(ata_channel, any_guest_leaves_the_machine_standing)
{
	struct ata_bench a = ata_new(11);
	uint64_t seed = 1;

	for (unsigned int i = 0; i < 300000; i++) {
		if (i % 1000 == 0)
			ata_enable(&a);
		fuzz_step(&a, &seed);
	}
	/* And a reset brings it back. */
	bench_complete_block(a.b);
	device_reset(a.dev, RESET_HARD);
	ata_enable(&a);
	ata_identify(&a);
	bench_free(a.b);
}

/* --- saved state */

#define STREAM_BYTES (1u << 20)

static size_t save(struct device *dev, uint8_t *stream)
{
	struct cursor to = cursor_writer(stream, STREAM_BYTES);

	state_save(dev, &to);
	cr_assert(cursor_ok(&to));
	return to.pos;
}

/* Saves @a's controller and goes on in a new one with the same disks, as a restored machine does.
 */
static struct ata_bench restore(struct ata_bench *a)
{
	static uint8_t stream[STREAM_BYTES], again[STREAM_BYTES];
	struct ata_bench to;
	size_t size = save(a->dev, stream);
	struct cursor from = cursor_reader(stream, size);
	char error[128] = "";

	ata_prepare(&to, 0);
	to.b->now_ns = a->b->now_ns;
	memcpy(to.b->ram, a->b->ram, BENCH_RAM_BYTES);
	for (unsigned int i = 0; i < PIIX4_IDE_DRIVES; i++) {
		if (!a->disk[i])
			continue;
		to.disk[i] = bench_disk_new(to.b, DISK_SECTORS);
		memcpy(to.disk[i]->data, a->disk[i]->data, a->disk[i]->size_bytes);
		to.config.drives[i].backend = &to.disk[i]->backend;
	}
	to.dev = bench_add(to.b, &piix4_ide_class, &to.config);
	cr_assert_eq(state_load(to.dev, &from, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(save(to.dev, again), size);
	cr_assert_eq(memcmp(stream, again, size), 0);
	to.dev->class->post_load(to.dev);
	timer_queue_changed(&to.b->timers);
	bench_free(a->b);
	return to;
}

Test(ata_channel, the_field_table_covers_the_state)
{
	cr_assert_eq(state_coverage(&piix4_ide_class), (long)piix4_ide_class.state_size);
}

Test(ata_channel, a_state_in_a_read_request_asks_the_backend_again)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[2 * 512];

	ata_address(&a, 0, 40, 2);
	ata_command(&a, 0x20);
	a = restore(&a);
	cr_assert_not_null(a.disk[0]->first);
	ata_read_blocks(&a, data, 1, 256);
	a = restore(&a);
	ata_read_blocks(&a, data + 512, 1, 256);
	cr_assert_eq(get_le64(data), 40);
	cr_assert_eq(get_le64(data + 512), 41);
	cr_assert_eq(ata_status(&a), READY);
	bench_free(a.b);
}

Test(ata_channel, a_state_in_a_write_keeps_the_data)
{
	struct ata_bench a = ata_new(1);
	uint8_t data[2 * 512];

	memset(data, 0x3c, sizeof(data));
	ata_address(&a, 0, 40, 2);
	ata_command(&a, 0x30);
	io_port_write_string(&a.b->io, CMD, 2, data, 100);
	a = restore(&a);
	io_port_write_string(&a.b->io, CMD, 2, data, 156);
	a = restore(&a);
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14));
	io_port_write_string(&a.b->io, CMD, 2, data, 256);
	a = restore(&a); /* the request is at the backend */
	advance(a.b, DELAY);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_arr_eq(a.disk[0]->data + 40 * 512, data, sizeof(data));
	bench_free(a.b);
}

Test(ata_channel, a_state_in_dma_walks_the_descriptors_again)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 4096, true);
	ata_address(&a, 0, 64, 8);
	ata_command(&a, 0xc8);
	a = restore(&a);
	ata_start_dma(&a, true);
	a = restore(&a);
	cr_assert_not_null(a.disk[0]->first);
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	cr_assert_eq(get_le64(a.b->ram + 0x20000 + 7 * 512), 71);
	a = restore(&a);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(ata_status(&a), READY);
	bench_free(a.b);
}

Test(ata_channel, a_state_with_a_cleared_interrupt_bit_does_not_set_it_again)
{
	struct ata_bench a = ata_new(1);

	ata_command(&a, 0x10);
	advance(a.b, DELAY);
	outb(a.b, BM + 2, 0x24);
	a = restore(&a);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2), 0x20);
	bench_free(a.b);
}

Test(ata_channel, a_state_for_a_drive_that_is_gone_is_idle)
{
	static uint8_t stream[STREAM_BYTES];
	struct ata_bench a = ata_new(1), none = ata_new(0);
	struct cursor from;
	char error[128];

	ata_address(&a, 0, 40, 2);
	ata_command(&a, 0x20);
	from = cursor_reader(stream, save(a.dev, stream));
	cr_assert_eq(state_load(none.dev, &from, error, sizeof(error)), 0);
	none.dev->class->post_load(none.dev);
	cr_assert_eq(inb(none.b, CTL), 0xff);
	advance(none.b, NSEC_PER_SEC);
	bench_free(a.b);
	bench_free(none.b);
}

Test(ata_channel, a_state_with_an_empty_request_is_refused)
{
	static uint8_t stream[STREAM_BYTES];
	static const char name[] = "channel.0.request_bytes";
	struct ata_bench a = ata_new(1);
	struct cursor from;
	char error[128];
	uint8_t *field;
	size_t size;

	ata_address(&a, 0, 40, 2);
	ata_command(&a, 0x20);
	size = save(a.dev, stream);
	bench_complete_block(a.b);
	field = memmem(stream, size, name, sizeof(name) - 1);
	cr_assert_not_null(field);
	memset(field + sizeof(name) - 1 + 5, 0, 4); /* behind element size and count */
	from = cursor_reader(stream, size);
	cr_assert_eq(state_load(a.dev, &from, error, sizeof(error)), -EINVAL);
	bench_free(a.b);
}

/* Changes a byte of good streams: whatever loads must run. */
Test(ata_channel, forged_states_are_refused_or_harmless)
{
	static uint8_t good[STREAM_BYTES], stream[STREAM_BYTES];
	struct ata_bench a = ata_new(11);
	uint64_t seed = 7;
	unsigned int loaded = 0;

	for (unsigned int round = 0; round < 2000; round++) {
		struct cursor from;
		char error[128];
		size_t size, at;

		for (unsigned int i = 0; i < 50; i++)
			fuzz_step(&a, &seed);
		size = save(a.dev, good);
		memcpy(stream, good, size);
		/* The first channel before its buffer, or drives and bus masters behind all
		 * buffers. */
		at = random_next(&seed) % 3000;
		at = at < 700 ? at : size - at;
		stream[at] = (uint8_t)random_next(&seed);
		bench_complete_block(a.b);
		from = cursor_reader(stream, size);
		if (state_load(a.dev, &from, error, sizeof(error)) == 0) {
			loaded++;
			a.dev->class->post_load(a.dev);
			timer_queue_changed(&a.b->timers);
		}
		ata_enable(&a);
	}
	cr_assert_gt(loaded, 100);
	bench_free(a.b);
}
