// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>

#include "../lib/bench.h"
#include "../../base/bytes.h"
#include "../../devmodel/bios_disk.h"

#define PACKET 0x520
#define STATUS 0x524

struct fixture {
	struct bench *b;
	struct bench_disk *disk;
	struct device *dev;
};

static struct fixture setup(void)
{
	struct bench *b = bench_new();
	struct bench_disk *disk = bench_disk_new(b, 1000);
	struct bios_disk_config config = { .disks = { [1] = &disk->backend } };

	return (struct fixture){ b, disk, bench_add(b, &bios_disk_class, &config) };
}

static void packet(struct fixture *f, uint8_t command, uint8_t unit, uint16_t sectors,
		   uint32_t buffer, uint64_t lba)
{
	uint8_t *p = f->b->ram + 0x500;

	p[0] = command;
	p[1] = unit;
	put_le16(p + 2, sectors);
	put_le32(p + 4, buffer);
	put_le64(p + 8, lba);
	outl(f->b, PACKET, 0x500);
}

Test(bios_disk, reads_sectors_into_memory)
{
	struct fixture f = setup();

	packet(&f, 0, 1, 127, 0x10000, 873);
	cr_assert_eq(inb(f.b, STATUS), 1);
	cr_assert_eq(f.b->poll_waits, 2, "the processor may rest: at the start, and when it asks");
	advance(f.b, 0);
	cr_assert_eq(f.b->poll_dones, 1);
	cr_assert_eq(inb(f.b, STATUS), 0);
	cr_assert_eq(get_le64(f.b->ram + 0x10000 + 126 * 512), 999);
	bench_free(f.b);
}

Test(bios_disk, writes_sectors)
{
	struct fixture f = setup();

	memset(f.b->ram + 0x10000, 0xab, 1024);
	packet(&f, 1, 1, 2, 0x10000, 5);
	advance(f.b, 0);
	cr_assert_eq(inb(f.b, STATUS), 0);
	cr_assert_eq(f.disk->data[5 * 512], 0xab);
	cr_assert_eq(f.disk->data[7 * 512 - 1], 0xab);
	f.disk->read_only = true;
	packet(&f, 1, 1, 2, 0x10000, 5);
	cr_assert_eq(inb(f.b, STATUS), 0x80);
	bench_free(f.b);
}

Test(bios_disk, whatever_is_wrong_is_left_to_the_firmware)
{
	struct fixture f = setup();
	static const struct {
		uint8_t command, unit;
		uint16_t sectors;
		uint32_t buffer;
		uint64_t lba;
	} rows[] = {
		{ 2, 1, 1, 0x10000, 0 },
		{ 0, 0, 1, 0x10000, 0 },
		{ 0, 4, 1, 0x10000, 0 },
		{ 0, 1, 0, 0x10000, 0 },
		{ 0, 1, 256, 0x10000, 0 },
		{ 0, 1, 2, 0x10000, 999 },
		{ 0, 1, 1, 0x10000, 1000 },
		{ 0, 1, 1, 0x10000, UINT64_MAX },
		{ 0, 1, 1, 0x10000, UINT64_C(1) << 55 },
		{ 0, 1, 2, BENCH_RAM_BYTES - 512, 0 },
		{ 0, 1, 1, 0xfffffe00, 0 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		packet(&f, rows[i].command, rows[i].unit, rows[i].sectors, rows[i].buffer,
		       rows[i].lba);
		cr_assert_eq(inb(f.b, STATUS), 0x80, "row %u", i);
		cr_assert_eq(bench_complete_block(f.b), 0, "row %u", i);
	}
	outl(f.b, PACKET, 0xfffffff8);
	cr_assert_eq(inb(f.b, STATUS), 0x80, "the packet lies outside of memory");
	f.disk->fail_with = -EIO;
	packet(&f, 0, 1, 1, 0x10000, 0);
	advance(f.b, 0);
	cr_assert_eq(inb(f.b, STATUS), 0x80);
	bench_free(f.b);
}

Test(bios_disk, a_second_packet_waits_for_nobody)
{
	struct fixture f = setup();

	packet(&f, 0, 1, 1, 0x10000, 7);
	packet(&f, 0, 1, 1, 0x20000, 8);
	cr_assert_eq(bench_complete_block(f.b), 1);
	cr_assert_eq(get_le64(f.b->ram + 0x10000), 7);
	cr_assert_eq(get_le64(f.b->ram + 0x20000), 0);
	bench_free(f.b);
}

Test(bios_disk, reset_forgets_a_transfer_under_way)
{
	struct fixture f = setup();

	packet(&f, 0, 1, 1, 0x10000, 7);
	device_reset(f.dev, RESET_HARD);
	cr_assert_eq(inb(f.b, STATUS), 0);
	packet(&f, 0, 1, 1, 0x10000, 7);
	cr_assert_eq(inb(f.b, STATUS), 0x80, "the back end still has the old one");
	advance(f.b, 0);
	cr_assert_eq(f.b->poll_dones, 0);
	packet(&f, 0, 1, 1, 0x10000, 7);
	advance(f.b, 0);
	cr_assert_eq(inb(f.b, STATUS), 0);
	bench_free(f.b);
}

Test(bios_disk, a_loaded_transfer_is_done_again)
{
	struct fixture f = setup(), g = setup();
	uint8_t stream[512];
	struct cursor c = cursor_writer(stream, sizeof(stream));
	char error[64];

	packet(&f, 0, 1, 1, 0x10000, 7);
	state_save(f.dev, &c);
	c = cursor_reader(stream, c.pos);
	cr_assert_eq(state_load(g.dev, &c, error, sizeof(error)), 0, "%s", error);
	g.dev->class->post_load(g.dev);
	cr_assert_eq(inb(g.b, STATUS), 1);
	advance(g.b, 0);
	cr_assert_eq(inb(g.b, STATUS), 0);
	cr_assert_eq(get_le64(g.b->ram + 0x10000), 7);
	bench_free(f.b);
	bench_free(g.b);
}
