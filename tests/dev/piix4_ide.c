// SPDX-License-Identifier: GPL-2.0-or-later
/* The PIIX4 IDE function: configuration, decoding, bus mastering. */
#include "ata.h"

#include <errno.h>

/* --- configuration */

Test(piix4_ide, configuration_space_is_a_piix4s)
{
	struct bench *b = bench_new();
	struct piix4_ide_config config = { .bus = &b->pci, .devfn = DEVFN };

	bench_add(b, &piix4_ide_class, &config);
	cr_assert_eq(bench_config_read(b, DEVFN, 0, 4), 0x71118086);
	cr_assert_eq(bench_config_read(b, DEVFN, 8, 4), 0x01018001);
	cr_assert_eq(bench_config_read(b, DEVFN, 4, 4), 0x02800004, "bus mastering is on for NT");
	cr_assert_eq(bench_config_read(b, DEVFN, 0x20, 4), 1);
	bench_config_write(b, DEVFN, 0x20, 4, 0xffffffff);
	cr_assert_eq(bench_config_read(b, DEVFN, 0x20, 4), 0xfffffff1, "16 bytes of I/O");
	bench_config_write(b, DEVFN, 0x40, 4, 0xffffffff);
	cr_assert_eq(bench_config_read(b, DEVFN, 0x40, 4), 0xf3fff3ff);
	bench_config_write(b, DEVFN, 0x48, 4, 0xffffffff);
	cr_assert_eq(bench_config_read(b, DEVFN, 0x48, 4), 0x3333000f);
	bench_free(b);
}

Test(piix4_ide, ports_answer_when_iose_and_the_channel_are_enabled)
{
	struct bench *b = bench_new();
	struct bench_disk *p = bench_disk_new(b, 64), *s = bench_disk_new(b, 64);
	struct piix4_ide_config config = { .bus = &b->pci, .devfn = DEVFN };

	config.drives[0].backend = &p->backend;
	config.drives[2].backend = &s->backend;
	bench_add(b, &piix4_ide_class, &config);
	cr_assert_eq(inb(b, CMD + 7), 0xff);
	bench_config_write(b, DEVFN, 0x40, 2, 0x8000);
	cr_assert_eq(inb(b, CMD + 7), 0xff, "IOSE is off");
	bench_config_write(b, DEVFN, 4, 2, 5);
	cr_assert_eq(inb(b, CMD + 7), READY);
	cr_assert_eq(inb(b, CTL), READY);
	cr_assert_eq(inb(b, CMD2 + 7), 0xff);
	bench_config_write(b, DEVFN, 0x43, 1, 0x80);
	cr_assert_eq(inb(b, CMD2 + 7), READY);
	cr_assert_eq(inb(b, CTL2), READY);
	cr_assert_eq(inb(b, CTL + 1), 0xff, "3F7h is the floppy controller's");
	bench_config_write(b, DEVFN, 0x40, 2, 0);
	cr_assert_eq(inb(b, CMD + 7), 0xff);
	bench_free(b);
}

Test(piix4_ide, channels_are_independent_and_have_their_interrupts)
{
	struct ata_bench a = ata_new(5);

	outb(a.b, CMD2 + 7, 0x10);
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 15));
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 10) & 4, 4);
	cr_assert_eq(inb(a.b, BM + 2) & 4, 0);
	bench_free(a.b);
}

Test(piix4_ide, media_that_are_no_disks_are_refused)
{
	struct ata_bench a;
	struct device *dev;

	ata_prepare(&a, 1);
	a.disk[0]->size_bytes = 0;
	cr_assert_eq(device_new(&piix4_ide_class, "ide", &a.b->env, &a.config, &dev), -EINVAL);
	a.disk[0]->size_bytes = 1000;
	cr_assert_eq(device_new(&piix4_ide_class, "ide", &a.b->env, &a.config, &dev), -EINVAL);
	bench_free(a.b);
}

/* --- bus mastering */

Test(piix4_ide, present_drives_are_marked_capable_of_dma)
{
	struct ata_bench a = ata_new(9);

	cr_assert_eq(inb(a.b, BM + 2), 0x20);
	cr_assert_eq(inb(a.b, BM + 10), 0x40);
	outb(a.b, BM + 2, 0x00);
	cr_assert_eq(inb(a.b, BM + 2), 0x00);
	outb(a.b, BM + 2, 0xff);
	cr_assert_eq(inb(a.b, BM + 2), 0x60);
	outl(a.b, BM + 4, 0xffffffff);
	cr_assert_eq(inl(a.b, BM + 4), 0xfffffffc);
	outb(a.b, BM, 0xfe);
	cr_assert_eq(inb(a.b, BM), 0x08);
	bench_free(a.b);
}

Test(piix4_ide, dma_reads_scatter_over_descriptors_in_one_request)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 4096, false);
	ata_prd(&a, 1, 0x30002, 510, false);
	ata_prd(&a, 2, 0x40000, 2, false);
	ata_prd(&a, 3, 0x50000, 0, true); /* 64 KiB */
	ata_address(&a, 0, 256, 8 + 1 + 128);
	ata_command(&a, 0xc8);
	cr_assert_null(a.disk[0]->first, "waits for the bus master");
	ata_start_dma(&a, true);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 1);
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY);
	cr_assert_eq(a.disk[0]->first->iov_count, 4);
	cr_assert_eq(a.disk[0]->first->iov[0].iov_base, a.b->ram + 0x20000, "no bounce buffer");
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_eq(a.b->irq_edges[14], 1);
	cr_assert_eq(get_le64(a.b->ram + 0x20000 + 7 * 512), 263);
	cr_assert_eq(get_le64(a.b->ram + 0x30002), 264);
	cr_assert_eq(get_le16(a.b->ram + 0x40000), 0x0808);
	cr_assert_eq(get_le16(a.b->ram + 0x40002), 0);
	cr_assert_eq(get_le64(a.b->ram + 0x50000 + 127 * 512), 392);
	outb(a.b, BM, 0);
	outb(a.b, BM + 2, 4);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 0);
	bench_free(a.b);
}

Test(piix4_ide, dma_writes_gather_and_may_be_started_first)
{
	struct ata_bench a = ata_new(1);

	memset(a.b->ram + 0x20000, 0x11, 512);
	memset(a.b->ram + 0x30000, 0x22, 1024);
	ata_prd(&a, 0, 0x20000, 512, false);
	ata_prd(&a, 1, 0x30000, 1024, true);
	ata_start_dma(&a, false);
	cr_assert_eq(inb(a.b, BM + 2) & 1, 1, "active without a command");
	ata_address(&a, 0, 9, 3);
	ata_command(&a, 0xca);
	advance(a.b, DELAY);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	cr_assert_eq(a.disk[0]->data[9 * 512], 0x11);
	cr_assert_eq(a.disk[0]->data[10 * 512], 0x22);
	cr_assert_eq(a.disk[0]->data[12 * 512 - 1], 0x22);
	bench_free(a.b);
}

Test(piix4_ide, the_interrupt_comes_with_the_backends_completion)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 9, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	cr_assert_not(irq_level(a.b, 14));
	bench_complete_block(a.b);
	cr_assert(irq_level(a.b, 14), "without another delay");
	bench_free(a.b);

	ata_prepare(&a, 1);
	a.config.dma_irq_delay_ns = DELAY;
	ata_make(&a);
	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 9, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	bench_complete_block(a.b);
	cr_assert_not(irq_level(a.b, 14), "unless the board wants one");
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14));
	bench_free(a.b);
}

Test(piix4_ide, descriptors_longer_than_the_transfer_leave_active_set)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 4096, true);
	ata_address(&a, 0, 1, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 5);
	cr_assert_eq(get_le64(a.b->ram + 0x20200), 0, "only one sector");
	outb(a.b, BM, 0);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	bench_free(a.b);
}

Test(piix4_ide, descriptors_shorter_than_the_transfer_wait_for_more)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 1024, true);
	ata_address(&a, 0, 1, 4);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	advance(a.b, NSEC_PER_SEC);
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 7, 0);
	cr_assert_eq(inb(a.b, CTL), READY | DRQ);
	outb(a.b, BM, 0);
	ata_prd(&a, 0, 0x30000, 1024, true);
	ata_start_dma(&a, true);
	advance(a.b, DELAY);
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	cr_assert_eq(get_le64(a.b->ram + 0x30000), 3);
	cr_assert_eq(ata_status(&a), READY);
	bench_free(a.b);
}

/* Carries out the one read that waits at @disk; what its completion submits waits. */
static void complete_read(struct bench_disk *disk)
{
	struct block_request *request = disk->first;
	const uint8_t *from = disk->data + request->offset_bytes;

	cr_assert_null(request->next);
	disk->first = disk->last = NULL;
	for (unsigned int i = 0; i < request->iov_count; i++) {
		memcpy(request->iov[i].iov_base, from, request->iov[i].iov_len);
		from += request->iov[i].iov_len;
	}
	request->complete(request, 0);
}

Test(piix4_ide, a_table_of_tiny_descriptors_takes_several_requests)
{
	struct ata_bench a = ata_new(1);

	for (unsigned int i = 0; i < 8 * 256; i++)
		ata_prd(&a, i, 0x20000 + 2 * i, 2, i == 8 * 256 - 1);
	ata_address(&a, 0, 70, 8);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	for (unsigned int i = 0; i < 8; i++) {
		cr_assert_not(irq_level(a.b, 14));
		cr_assert_not_null(a.disk[0]->first);
		cr_assert_eq(a.disk[0]->first->size_bytes, 512);
		cr_assert_eq(a.disk[0]->first->iov_count, 256);
		complete_read(a.disk[0]);
	}
	cr_assert(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	for (unsigned int i = 0; i < 8; i++)
		cr_assert_eq(get_le64(a.b->ram + 0x20000 + i * 512), 70 + i);
	bench_free(a.b);
}

Test(piix4_ide, a_table_that_ends_within_a_sector_moves_whole_ones)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 600, false);
	ata_prd(&a, 1, 0x30000, 100, true);
	ata_address(&a, 0, 1, 2);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	cr_assert_eq(a.disk[0]->first->size_bytes, 512);
	advance(a.b, DELAY);
	cr_assert_not(irq_level(a.b, 14));
	cr_assert_eq(inb(a.b, BM + 2) & 7, 0);
	cr_assert_eq(inb(a.b, CTL), READY | DRQ, "the drive waits for the second sector");
	cr_assert_eq(get_le64(a.b->ram + 0x20200), 0);
	bench_free(a.b);
}

Test(piix4_ide, a_long_ext_transfer_is_one_request)
{
	struct ata_bench a = ata_new(1);

	for (unsigned int i = 0; i < 32; i++)
		ata_prd(&a, i, 0x100000 + i * 0x10000, 0, i == 31);
	ata_address48(&a, 0, 4096);
	ata_command(&a, 0x25);
	ata_start_dma(&a, true);
	cr_assert_eq(a.disk[0]->first->size_bytes, 4096 * 512);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	cr_assert_eq(get_le64(a.b->ram + 0x100000 + 4095 * 512), 4095);
	bench_free(a.b);
}

/* A READ DMA of one sector that must fail on the bus. */
static void expect_bus_error(struct ata_bench *a)
{
	ata_address(a, 0, 1, 1);
	ata_command(a, 0xc8);
	outb(a->b, BM, 9);
	cr_assert_not(irq_level(a->b, 14));
	advance(a->b, DELAY);
	cr_assert(irq_level(a->b, 14));
	cr_assert_eq(inb(a->b, BM + 2) & 7, 6, "error and interrupt, inactive");
	cr_assert_eq(ata_status(a), READY | ERR);
	cr_assert_eq(inb(a->b, CMD + 1), ABRT);
	outb(a->b, BM, 8);
	outb(a->b, BM + 2, 0x66);
}

Test(piix4_ide, bad_tables_and_regions_are_bus_errors)
{
	struct ata_bench a = ata_new(1);

	outb(a.b, BM, 8);
	outl(a.b, BM + 4, BENCH_RAM_BYTES); /* table outside RAM */
	expect_bus_error(&a);
	outl(a.b, BM + 4, 0xfffffffc);
	expect_bus_error(&a);
	outl(a.b, BM + 4, 0x1000);
	ata_prd(&a, 0, BENCH_RAM_BYTES - 256, 512, true); /* crosses the end of RAM */
	expect_bus_error(&a);
	ata_prd(&a, 0, 0xfffffffe, 512, true);
	expect_bus_error(&a);
	ata_prd(&a, 0, 0x20000, 512, true);
	bench_config_write(a.b, DEVFN, 4, 2, 1); /* bus master bit off */
	expect_bus_error(&a);
	bench_config_write(a.b, DEVFN, 4, 2, 5);
	outl(a.b, BM + 4, BENCH_RAM_BYTES - 8); /* one descriptor before the end is enough */
	put_le32(a.b->ram + BENCH_RAM_BYTES - 8, 0x20000);
	put_le32(a.b->ram + BENCH_RAM_BYTES - 4, BIT(31) | 512);
	ata_address(&a, 0, 1, 1);
	ata_command(&a, 0xc8);
	outb(a.b, BM, 9);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	bench_free(a.b);
}

Test(piix4_ide, the_wrong_direction_is_a_bus_error)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 1, 1);
	ata_command(&a, 0xca);
	ata_start_dma(&a, true);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 6);
	cr_assert_eq(ata_status(&a), READY | ERR);
	cr_assert_eq(get_le64(a.disk[0]->data + 512), 1, "the disk is as it was");
	bench_free(a.b);
}

Test(piix4_ide, a_backend_error_in_dma_is_the_drives)
{
	struct ata_bench a = ata_new(1);

	a.disk[0]->fail_with = -EIO;
	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 1, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 5, "no error on the bus");
	cr_assert_eq(ata_status(&a), READY | ERR);
	cr_assert_eq(inb(a.b, CMD + 1), UNC);
	bench_free(a.b);
}

Test(piix4_ide, a_stop_in_mid_transfer_cancels_and_a_start_goes_on)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 5, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	outb(a.b, BM, 8);
	cr_assert_eq(a.disk[0]->first->error, -ECANCELED);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 0);
	cr_assert_eq(inb(a.b, CTL) & BSY, BSY, "the backend still has the memory");
	outb(a.b, BM, 9);
	bench_complete_block(a.b);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, BM + 2) & 7, 4);
	cr_assert_eq(get_le64(a.b->ram + 0x20000), 5);
	bench_free(a.b);
}

Test(piix4_ide, soft_reset_in_dma_then_a_new_transfer)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 5, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	outb(a.b, CTL, 4);
	outb(a.b, BM, 0);
	outb(a.b, CTL, 0);
	advance(a.b, 2 * NSEC_PER_MSEC);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_eq(a.b->irq_edges[14], 0);
	cr_assert_eq(get_le64(a.b->ram + 0x20000), 0, "cancelled");
	ata_address(&a, 0, 6, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	advance(a.b, DELAY);
	cr_assert_eq(get_le64(a.b->ram + 0x20000), 6);
	bench_free(a.b);
}

Test(piix4_ide, moving_bmiba_in_mid_transfer_loses_nothing)
{
	struct ata_bench a = ata_new(1);

	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 5, 1);
	ata_command(&a, 0xc8);
	ata_start_dma(&a, true);
	bench_config_write(a.b, DEVFN, 0x20, 4, 0xd000);
	cr_assert_eq(inb(a.b, BM + 2), 0xff);
	advance(a.b, DELAY);
	cr_assert_eq(inb(a.b, 0xd002) & 7, 4);
	cr_assert_eq(get_le64(a.b->ram + 0x20000), 5);
	bench_free(a.b);
}

Test(piix4_ide, dma_without_the_write_cache_flushes)
{
	struct ata_bench a = ata_new(1);

	outb(a.b, CMD + 1, 0x82);
	ata_simple(&a, 0xef);
	ata_prd(&a, 0, 0x20000, 512, true);
	ata_address(&a, 0, 5, 1);
	ata_command(&a, 0xca);
	ata_start_dma(&a, false);
	advance(a.b, DELAY);
	cr_assert_eq(ata_status(&a), READY);
	cr_assert_eq(a.disk[0]->flushes, 2);
	bench_free(a.b);
}

Test(piix4_ide, wake_from_suspend_keeps_the_channels_decoded)
{
	struct bench *b = bench_new();
	struct bench_disk *disk = bench_disk_new(b, 1000);
	struct piix4_ide_config config = {
		.bus = &b->pci,
		.devfn = DEVFN,
		.drives = { { .backend = &disk->backend } },
	};
	struct device *dev = bench_add(b, &piix4_ide_class, &config);

	bench_config_write(b, DEVFN, 0x04, 2, 0x0005);
	bench_config_write(b, DEVFN, 0x40, 2, 0x8000);
	cr_assert_eq(inb(b, 0x1f7), 0x50);
	device_reset(dev, RESET_SLEEP);
	cr_assert_eq(bench_config_read(b, DEVFN, 0x40, 2), 0x8000, "nobody restores it");
	advance(b, NSEC_PER_MSEC);
	cr_assert_eq(inb(b, 0x1f7), 0x50);
	device_reset(dev, RESET_HARD);
	cr_assert_eq(inb(b, 0x1f7), 0xff);
	bench_free(b);
}
