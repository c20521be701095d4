// SPDX-License-Identifier: GPL-2.0-or-later
/* The 21140 as a driver drives it: registers, rings, filters, stops, errors, rude guests. */
#include "tulip.h"

#define NAMED(name) Test(dec21140, name)

/* --- identity and registers */

NAMED(is_the_controller_of_the_virtual_machines_of_its_time)
{
	struct tulip t = tulip_new();

	cr_assert_eq(bench_config_read(t.b, SLOT, 0, 4), 0x00091011);
	cr_assert_eq(bench_config_read(t.b, SLOT, 8, 4), 0x02000020);
	cr_assert_eq(bench_config_read(t.b, SLOT, 0x2c, 4), 0x21140a00);
	cr_assert_eq(bench_config_read(t.b, SLOT, 6, 2), 0x0280);
	cr_assert_eq(bench_config_read(t.b, SLOT, 0x3c, 4), 0x28140100);
	bench_config_write(t.b, SLOT, 0x10, 4, UINT32_MAX);
	cr_assert_eq(bench_config_read(t.b, SLOT, 0x10, 4), 0xffffff81);
	bench_config_write(t.b, SLOT, 0x40, 4, UINT32_MAX);
	cr_assert_eq(bench_config_read(t.b, SLOT, 0x40, 4), 0xc000ff00, "sleep and snooze");
	tulip_free(&t);
}

NAMED(registers_have_their_reset_values_in_both_spaces)
{
	static const uint32_t values[16] = {
		0xfe000000, 0xffffffff, 0xffffffff, 0,		0,	    0xfc000000,
		0x32000040, 0xfffe0000, 0,	    0xfff483ff, 0xfffc0000, 0xfffe0000,
		0xfffffec6, 0xffff0000, 0xffffffff, 0x8ff00000,
	};
	struct tulip t = tulip_new();

	for (unsigned int i = 0; i < 16; i++) {
		uint32_t mapped = 0;

		io_memory_read(&t.b->io, MEM + i * 8, &mapped, 4);
		cr_assert_eq(csr(&t, i) | (i == 9 ? BIT(19) : 0),
			     values[i] | (i == 9 ? BIT(19) : 0), "CSR%u is %x", i, csr(&t, i));
		cr_assert_eq(mapped, csr(&t, i), "CSR%u in memory is %x", i, mapped);
	}
	tulip_free(&t);
}

/* Defect 1 of the well-known model: CSR8 landed in CSR9. */
NAMED(writing_csr8_changes_no_neighbour)
{
	struct tulip t = tulip_new();
	uint32_t csr9 = csr(&t, 9), csr7 = csr(&t, 7);

	set_csr(&t, 8, 0x12345678);
	cr_assert_eq(csr(&t, 9), csr9);
	cr_assert_eq(csr(&t, 7), csr7);
	cr_assert_eq(csr(&t, 8), 0);
	tulip_free(&t);
}

/* Defect 14. */
NAMED(software_reset_forgets_lists_filters_and_pending_events)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	cr_assert(feed(&t, own_mac, 100));
	cr_assert(csr(&t, 5) & RI);
	set_csr(&t, 0, 1);
	cr_assert_eq(csr(&t, 0), 0xfe000000);
	cr_assert_eq(csr(&t, 5), 0xfc000000);
	cr_assert_eq(csr(&t, 3), 0);
	cr_assert_eq(csr(&t, 4), 0);
	cr_assert_not(t.b->pirq[PIRQ]);
	/* A ring somewhere else works from its beginning, and nothing passes the empty filter. */
	rx_ring(&t, RING);
	set_csr(&t, 6, MII_MODE | SR);
	cr_assert(feed(&t, own_mac, 100));
	cr_assert_eq(rx_status(&t, 0), OWN, "no setup frame was seen yet");
	set_csr(&t, 6, MII_MODE | SR | PR);
	cr_assert(feed(&t, own_mac, 100));
	cr_assert_eq(rx_status(&t, 0) & OWN, 0);
	cr_assert_eq(rx_status(&t, 1) & OWN, OWN);
	tulip_free(&t);
}

NAMED(interrupts_follow_status_mask_and_summaries)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	feed(&t, own_mac, 100);
	cr_assert(t.b->pirq[PIRQ]);
	cr_assert_eq(csr(&t, 5) & (RI | NIS | AIS), RI | NIS);
	set_csr(&t, 7, NIS | AIS);
	cr_assert_not(t.b->pirq[PIRQ], "RI is masked");
	cr_assert_eq(csr(&t, 5) & (RI | NIS), RI, "summaries count unmasked events");
	set_csr(&t, 7, RI);
	cr_assert_not(t.b->pirq[PIRQ], "the summary is masked");
	set_csr(&t, 7, RI | NIS);
	cr_assert(t.b->pirq[PIRQ]);
	set_csr(&t, 5, NIS);
	cr_assert(t.b->pirq[PIRQ], "the cause is still there");
	set_csr(&t, 5, RI);
	cr_assert_not(t.b->pirq[PIRQ]);
	tulip_free(&t);
}

/* Defect 12. */
NAMED(general_purpose_pins_have_directions)
{
	struct tulip t = tulip_new();

	set_csr(&t, 12, 0x100 | 0x0f);
	set_csr(&t, 12, 0x05);
	cr_assert_eq(csr(&t, 12), 0xfffffec5);
	set_csr(&t, 12, 0x0a);
	cr_assert_eq(csr(&t, 12), 0xfffffeca);
	set_csr(&t, 12, 0x100);
	cr_assert_eq(csr(&t, 12), 0xfffffec6);
	tulip_free(&t);
}

/* Defect 11. */
NAMED(general_timer_counts_down_and_repeats)
{
	struct tulip t = tulip_new();

	set_csr(&t, 6, MII_MODE);
	set_csr(&t, 7, GTE | NIS);
	set_csr(&t, 11, 100);
	advance(t.b, 50 * 81920);
	cr_assert_eq(csr(&t, 11) & 0xffff, 50);
	cr_assert_not(t.b->pirq[PIRQ]);
	advance(t.b, 50 * 81920);
	cr_assert(t.b->pirq[PIRQ]);
	set_csr(&t, 5, GTE);
	advance(t.b, NSEC_PER_SEC);
	cr_assert_not(csr(&t, 5) & GTE, "once");
	set_csr(&t, 11, BIT(16) | 10);
	for (unsigned int i = 0; i < 5; i++) {
		advance(t.b, 10 * 81920);
		cr_assert(csr(&t, 5) & GTE, "again and again");
		set_csr(&t, 5, GTE);
	}
	set_csr(&t, 11, 0);
	advance(t.b, NSEC_PER_SEC);
	cr_assert_not(csr(&t, 5) & GTE);
	/* Ten times slower at 10 Mb/s. */
	set_csr(&t, 6, MII_MODE | BIT(22));
	set_csr(&t, 11, 10);
	advance(t.b, 9 * 819200);
	cr_assert_not(csr(&t, 5) & GTE);
	advance(t.b, 819200);
	cr_assert(csr(&t, 5) & GTE);
	tulip_free(&t);
}

/* --- transmitting */

NAMED(sends_a_frame_closes_its_descriptor_and_tells)
{
	struct tulip t = tulip_new();
	uint32_t at;

	bring_up(&t);
	t.nic->flushes = 0;
	at = tx_frame(&t, 1514);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 1);
	cr_assert_eq(t.nic->sizes[0], 1514);
	cr_assert_eq(memcmp(t.nic->frames[0], t.b->ram + ram32(&t, at + 8), 1514), 0);
	cr_assert_eq(ram32(&t, at), 0);
	cr_assert(csr(&t, 5) & TI);
	cr_assert(t.b->pirq[PIRQ]);
	cr_assert_eq(t.nic->flushes, 1);
	tulip_free(&t);
}

NAMED(pads_short_frames_and_takes_the_drivers_check_sequence)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	tx_frame(&t, 20);
	write_frame(t.b->ram + TX_BUFFERS, stranger, own_mac, 104);
	tx_queue(&t, TX_FS | TX_LS | TX_AC, TX_BUFFERS, 104);
	write_frame(t.b->ram + TX_BUFFERS + 4096, stranger, own_mac, 20);
	tx_queue(&t, TX_FS | TX_LS | TX_DPD, TX_BUFFERS + 4096, 20);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 3);
	cr_assert_eq(t.nic->sizes[0], 60);
	for (unsigned int i = 20; i < 60; i++)
		cr_assert_eq(t.nic->frames[0][i], 0, "padding holds nothing of older frames");
	cr_assert_eq(t.nic->sizes[1], 100);
	cr_assert_eq(t.nic->sizes[2], 20, "DPD");
	tulip_free(&t);
}

NAMED(gathers_both_buffers_and_many_descriptors)
{
	struct tulip t = tulip_new();
	uint8_t expected[700];

	bring_up(&t);
	write_frame(expected, stranger, own_mac, sizeof(expected));
	memcpy(t.b->ram + 0x40001, expected, 101);
	memcpy(t.b->ram + 0x50003, expected + 101, 199);
	memcpy(t.b->ram + 0x60000, expected + 300, 400);
	descriptor(&t, tx_at(&t), OWN, TX_FS | 199u << 11 | 101, 0x40001, 0x50003);
	t.tx++;
	tx_queue(&t, 0, 0x60000, 399);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 0, "the frame is not complete");
	tx_queue(&t, TX_LS, 0x60000 + 399, 1);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 1);
	cr_assert_eq(t.nic->sizes[0], 700);
	cr_assert_eq(memcmp(t.nic->frames[0], expected, 700), 0);
	tulip_free(&t);
}

NAMED(follows_chains_and_skips_between_ring_entries)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	set_csr(&t, 6, MII_MODE);
	write_frame(t.b->ram + TX_BUFFERS, stranger, own_mac, 60);
	descriptor(&t, 0x70000, OWN, DES1_CHAINED | TX_FS | TX_LS | 60, TX_BUFFERS, 0x71000);
	descriptor(&t, 0x71000, OWN, DES1_CHAINED | TX_FS | TX_LS | 60, TX_BUFFERS, 0x72000);
	descriptor(&t, 0x72000, 0, 0, 0, 0);
	set_csr(&t, 4, 0x70000);
	set_csr(&t, 6, MII_MODE | ST);
	cr_assert_eq(t.nic->count, 2);
	set_csr(&t, 6, MII_MODE);
	set_csr(&t, 0, 3u << 2); /* three dwords to skip */
	descriptor(&t, 0x70000, OWN, TX_FS | TX_LS | 60, TX_BUFFERS, 0);
	descriptor(&t, 0x7001c, OWN, TX_FS | TX_LS | 60 | DES1_RING_END, TX_BUFFERS, 0);
	set_csr(&t, 4, 0x70000);
	set_csr(&t, 6, MII_MODE | ST);
	cr_assert_eq(t.nic->count, 4);
	cr_assert_eq(ram32(&t, 0x7001c), 0);
	tulip_free(&t);
}

NAMED(reads_big_endian_descriptors_when_told)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	set_csr(&t, 6, MII_MODE);
	set_csr(&t, 0, BIT(20));
	write_frame(t.b->ram + TX_BUFFERS, stranger, own_mac, 60);
	put_be32(t.b->ram + 0x70000, OWN);
	put_be32(t.b->ram + 0x70004, TX_FS | TX_LS | 60 | DES1_RING_END);
	put_be32(t.b->ram + 0x70008, TX_BUFFERS);
	set_csr(&t, 4, 0x70000);
	set_csr(&t, 6, MII_MODE | ST);
	cr_assert_eq(t.nic->count, 1);
	tulip_free(&t);
}

/* Defect 9: TU only after something was sent, when the wire has been idle for a while. */
NAMED(list_end_is_told_once_after_sending)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	set_csr(&t, 1, 0);
	advance(t.b, TU_NS);
	cr_assert_not(csr(&t, 5) & TU, "nothing was sent");
	cr_assert_eq(TS(csr(&t, 5)), 6);
	for (unsigned int i = 0; i < 5; i++) {
		tx_frame(&t, 60);
		set_csr(&t, 1, 0);
		advance(t.b, 20 * NSEC_PER_USEC);
		cr_assert_not(csr(&t, 5) & TU, "the wire is busy");
	}
	advance(t.b, TU_NS);
	cr_assert(csr(&t, 5) & TU);
	cr_assert_eq(TS(csr(&t, 5)), 6);
	set_csr(&t, 5, TU);
	set_csr(&t, 1, 0);
	advance(t.b, TU_NS);
	cr_assert_not(csr(&t, 5) & TU);
	tulip_free(&t);
}

/* Defect 7: more descriptors than one run handles. */
NAMED(long_lists_are_sent_to_their_end)
{
	struct tulip t = tulip_new();
	unsigned int count = 500;

	bring_up(&t);
	set_csr(&t, 6, MII_MODE);
	write_frame(t.b->ram + TX_BUFFERS, stranger, own_mac, 60);
	for (unsigned int i = 0; i < count; i++)
		descriptor(&t, 0x80000 + i * 16, OWN, TX_FS | TX_LS | 60, TX_BUFFERS, 0);
	descriptor(&t, 0x80000 + count * 16, 0, 0, 0, 0);
	set_csr(&t, 4, 0x80000);
	set_csr(&t, 6, MII_MODE | ST);
	cr_assert_lt(t.nic->count, count, "a bounded number at a time");
	advance(t.b, NSEC_PER_MSEC);
	cr_assert_eq(t.nic->count, count, "without another doorbell");
	tulip_free(&t);
}

/* Defect 8. */
NAMED(oversized_frames_are_dropped_and_the_ring_goes_on)
{
	struct tulip t = tulip_new();
	uint32_t first;

	bring_up(&t);
	first = tx_queue(&t, TX_FS, TX_BUFFERS, 2047);
	tx_queue(&t, 0, TX_BUFFERS, 2047);
	tx_queue(&t, TX_LS, TX_BUFFERS, 2047);
	tx_frame(&t, 60);
	set_csr(&t, 1, 0);
	cr_assert_eq(ram32(&t, first), 0);
	cr_assert_eq(ram32(&t, first + 32), BIT(15) | BIT(14));
	cr_assert(csr(&t, 5) & TJT);
	cr_assert_eq(t.nic->count, 1);
	cr_assert_eq(t.nic->sizes[0], 60);
	tulip_free(&t);
}

NAMED(null_descriptors_are_consumed_silently)
{
	struct tulip t = tulip_new();
	uint32_t at;

	bring_up(&t);
	at = tx_queue(&t, 0, 0, 0);
	set_csr(&t, 1, 0);
	cr_assert_eq(ram32(&t, at), 0);
	cr_assert_eq(csr(&t, 5) & (TI | TU), 0);
	cr_assert_eq(t.nic->count, 0);
	tulip_free(&t);
}

NAMED(waits_while_the_host_has_no_room)
{
	struct tulip t = tulip_new();
	uint32_t second;

	bring_up(&t);
	t.nic->room = 1;
	tx_frame(&t, 60);
	second = tx_frame(&t, 61);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 1);
	cr_assert_eq(ram32(&t, second), OWN);
	t.nic->room = UINT_MAX;
	t.nic->nic.dev_ops->tx_ready(t.dev);
	cr_assert_eq(t.nic->count, 2);
	cr_assert_eq(ram32(&t, second), 0);
	tulip_free(&t);
}

/* Defect 10. */
NAMED(stopping_is_told_for_both_processes)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	cr_assert_eq(RS(csr(&t, 5)), 3);
	cr_assert_eq(TS(csr(&t, 5)), 6);
	set_csr(&t, 6, MII_MODE);
	cr_assert_eq(RS(csr(&t, 5)), 0);
	cr_assert_eq(TS(csr(&t, 5)), 0);
	cr_assert_eq(csr(&t, 5) & (TPS | RPS | AIS), TPS | RPS | AIS);
	cr_assert(t.b->pirq[PIRQ]);
	set_csr(&t, 5, TPS | RPS);
	cr_assert_not(t.b->pirq[PIRQ]);
	tx_frame(&t, 60);
	set_csr(&t, 1, 0);
	feed(&t, own_mac, 60);
	cr_assert_eq(t.nic->count, 0);
	cr_assert_eq(rx_status(&t, 0), OWN);
	tulip_free(&t);
}

NAMED(stop_in_mid_frame_forgets_it_and_start_goes_on)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	tx_queue(&t, TX_FS, TX_BUFFERS, 200);
	set_csr(&t, 1, 0);
	set_csr(&t, 6, MII_MODE | SR);
	tx_queue(&t, TX_LS, TX_BUFFERS, 200);
	tx_frame(&t, 300);
	set_csr(&t, 6, MII_MODE | SR | ST);
	cr_assert_eq(t.nic->count, 1, "half a frame is none");
	cr_assert_eq(t.nic->sizes[0], 300);
	tulip_free(&t);
}

NAMED(automatic_polling_finds_frames_without_a_doorbell)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	set_csr(&t, 0, 1u << 17);
	set_csr(&t, 1, 0);
	tx_frame(&t, 60);
	advance(t.b, 100 * NSEC_PER_USEC);
	cr_assert_eq(t.nic->count, 0);
	advance(t.b, 150 * NSEC_PER_USEC);
	cr_assert_eq(t.nic->count, 1);
	tulip_free(&t);
}

/* --- link */

NAMED(unplugged_cable_loses_carrier)
{
	struct tulip t = tulip_new();
	uint32_t at;

	bring_up(&t);
	bench_nic_plug(t.nic, false);
	at = tx_frame(&t, 60);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 0);
	cr_assert_eq(ram32(&t, at), BIT(15) | BIT(11) | BIT(10) | BIT(2));
	bench_nic_plug(t.nic, true);
	tx_frame(&t, 60);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 1);
	tulip_free(&t);
}

NAMED(pulling_the_cable_frees_what_waits_for_room)
{
	struct tulip t = tulip_new();
	uint32_t at;

	bring_up(&t);
	t.nic->room = 0;
	at = tx_frame(&t, 60);
	set_csr(&t, 1, 0);
	cr_assert_eq(ram32(&t, at), OWN);
	bench_nic_plug(t.nic, false);
	cr_assert_eq(ram32(&t, at) & OWN, 0);
	tulip_free(&t);
}

/* --- the 21143 */

Test(dec21143, differs_where_its_manual_says)
{
	struct tulip t = tulip_new_model(&dec21143_class);

	cr_assert_eq(bench_config_read(t.b, SLOT, 0, 4), 0x00191011);
	cr_assert_eq(bench_config_read(t.b, SLOT, 8, 4), 0x02000030);
	cr_assert_eq(csr(&t, 5), 0xf0000000);
	cr_assert_eq(csr(&t, 7), 0xf3fe0000);
	tulip_free(&t);
}

Test(dec21143, tells_link_changes_by_interrupt)
{
	struct tulip t = tulip_new_model(&dec21143_class);

	bring_up(&t);
	set_csr(&t, 7, 0x0801fbff);
	advance(t.b, 200 * NSEC_PER_MSEC);
	set_csr(&t, 5, UINT32_MAX);
	cr_assert_eq(csr(&t, 12) & 0xf006, 0xd000, "negotiated, both links");
	bench_nic_plug(t.nic, false);
	cr_assert(csr(&t, 5) & LNF);
	cr_assert(t.b->pirq[PIRQ]);
	cr_assert_eq(csr(&t, 12) & 6, 6);
	set_csr(&t, 5, UINT32_MAX);
	bench_nic_plug(t.nic, true);
	cr_assert_not(csr(&t, 5) & LNP);
	advance(t.b, 150 * NSEC_PER_MSEC);
	cr_assert(csr(&t, 5) & LNP);
	tulip_free(&t);
}

Test(dec21143, mitigates_by_count_and_time)
{
	struct tulip t = tulip_new_model(&dec21143_class);

	bring_up(&t);
	set_csr(&t, 11, 4u << 17 | 10u << 20 | 3u << 24 | 10u << 27);
	for (unsigned int i = 1; i <= 4; i++) {
		feed(&t, own_mac, 60);
		cr_assert_eq(!!(csr(&t, 5) & RI), i == 4);
	}
	set_csr(&t, 5, RI);
	feed(&t, own_mac, 60);
	cr_assert_not(csr(&t, 5) & RI);
	advance(t.b, 900 * NSEC_PER_USEC);
	cr_assert(csr(&t, 5) & RI);
	set_csr(&t, 5, UINT32_MAX);
	for (unsigned int i = 1; i <= 3; i++) {
		tx_frame(&t, 60);
		set_csr(&t, 1, 0);
		cr_assert_eq(!!(csr(&t, 5) & TI), i == 3);
	}
	set_csr(&t, 5, TI);
	tx_frame(&t, 60);
	set_csr(&t, 1, 0);
	advance(t.b, 900 * NSEC_PER_USEC);
	cr_assert(csr(&t, 5) & TI);
	tulip_free(&t);
}

/* --- rude guests */

NAMED(descriptors_outside_memory_are_a_fatal_bus_error)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	set_csr(&t, 6, MII_MODE);
	set_csr(&t, 4, 0xfffffff0);
	set_csr(&t, 6, MII_MODE | ST);
	cr_assert(csr(&t, 5) & FBE);
	cr_assert_eq(csr(&t, 5) >> 23 & 7, 1);
	cr_assert_eq(TS(csr(&t, 5)), 0);
	set_csr(&t, 0, 1);
	bring_up(&t);
	tx_queue(&t, TX_FS | TX_LS, MEM, 100);
	set_csr(&t, 1, 0);
	cr_assert(csr(&t, 5) & FBE, "a buffer that is the chip's own registers");
	set_csr(&t, 0, 1);
	bring_up(&t);
	set_ram32(&t, RX_RING + 8, 0xf0000000);
	cr_assert(feed(&t, own_mac, 100));
	cr_assert(csr(&t, 5) & FBE);
	cr_assert(feed(&t, own_mac, 100), "a stopped receiver hears nothing");
	tulip_free(&t);
}

NAMED(without_bus_mastering_the_chip_waits)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	bench_config_write(t.b, SLOT, 4, 2, 3);
	tx_frame(&t, 60);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 0);
	cr_assert_not(csr(&t, 5) & FBE);
	bench_config_write(t.b, SLOT, 4, 2, 7);
	cr_assert_eq(t.nic->count, 1);
	tulip_free(&t);
}

NAMED(lists_that_bite_their_tail_keep_nobody_busy)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	set_csr(&t, 6, MII_MODE);
	/* The chip clears OWN in each, so a chain to itself ends; one that the guest owns again does not. */
	descriptor(&t, 0x70000, OWN, DES1_CHAINED, 0, 0x70000);
	set_csr(&t, 4, 0x70000);
	set_csr(&t, 6, MII_MODE | ST);
	advance(t.b, NSEC_PER_MSEC);
	cr_assert_eq(ram32(&t, 0x70000), 0);
	/* A setup frame that writes its own descriptor's neighbour cannot loop either. */
	set_csr(&t, 6, MII_MODE);
	descriptor(&t, 0x70000, OWN, TX_SET | DES1_CHAINED | 192, 0x70000, 0x70000);
	set_csr(&t, 4, 0x70000);
	set_csr(&t, 6, MII_MODE | ST);
	cr_assert_eq(ram32(&t, 0x70000), 0x7fffffff);
	/* Receive descriptors without room. */
	for (unsigned int i = 0; i < RING; i++)
		descriptor(&t, RX_RING + i * 16, OWN, i == RING - 1 ? DES1_RING_END : 0, 0, 0);
	set_csr(&t, 3, RX_RING);
	set_csr(&t, 6, MII_MODE | SR | PR);
	cr_assert(feed(&t, own_mac, 1000));
	cr_assert(rx_status(&t, RING - 1) & RX_DE);
	tulip_free(&t);
}

NAMED(buffers_that_overlap_the_descriptors_do_no_harm)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	for (unsigned int i = 0; i < RING; i++)
		descriptor(&t, RX_RING + i * 16, OWN, 2044 | (i == RING - 1 ? DES1_RING_END : 0),
			   RX_RING, 0);
	for (unsigned int i = 0; i < 64; i++) {
		feed(&t, own_mac, 1514);
		advance(t.b, NSEC_PER_MSEC);
	}
	set_csr(&t, 0, 1);
	cr_assert_eq(csr(&t, 5), 0xfc000000);
	tulip_free(&t);
}
