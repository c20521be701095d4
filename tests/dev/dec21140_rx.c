// SPDX-License-Identifier: GPL-2.0-or-later
/* The receiving half of the 21140: filters, descriptors, interrupts, loopback. */
#include "tulip.h"

#define NAMED(name) Test(dec21140_rx, name)

/* --- setup frames and filters */

NAMED(setup_frame_is_processed_and_marked)
{
	struct tulip t = tulip_new();
	uint32_t at;

	rx_ring(&t, RING);
	set_csr(&t, 6, MII_MODE | ST);
	at = tx_queue(&t, TX_SET | TX_IC, 0x30000, 192);
	set_csr(&t, 1, 1);
	cr_assert_eq(ram32(&t, at), 0x7fffffff);
	cr_assert(csr(&t, 5) & TI);
	cr_assert_eq(t.nic->count, 0);
	tulip_free(&t);
}

/* Defect 4. */
NAMED(perfect_filter_passes_what_is_listed_and_nothing_else)
{
	struct tulip t = tulip_new();
	uint8_t table[192];

	bring_up(&t);
	cr_assert_eq(csr(&t, 6) & 0x15, 0);
	for (unsigned int i = 0; i < 16; i++)
		spread(table + i * 12, own_mac);
	table[2] = 0xee; /* the high halves count nothing */
	setup(&t, 0, table);
	feed(&t, broadcast, 60);
	feed(&t, group, 60);
	feed(&t, stranger, 60);
	cr_assert_eq(rx_status(&t, 0), OWN);
	feed(&t, own_mac, 60);
	cr_assert_neq(rx_status(&t, 0), OWN);
	perfect(&t, 0);
	feed(&t, broadcast, 60);
	cr_assert_neq(rx_status(&t, 1), OWN, "broadcast passes when it is listed");
	tulip_free(&t);
}

/* Defect 3. */
NAMED(hash_filters_work_in_both_modes)
{
	struct tulip t = tulip_new();
	uint8_t table[192] = { 0 };
	unsigned int bit = dec21140_filter_hash(group);

	bring_up(&t);
	cr_assert_eq(dec21140_filter_hash(broadcast), 0xff);
	table[(bit >> 4) * 4 + (bit & 15) / 8] |= (uint8_t)BIT(bit % 8);
	spread(table + 156, own_mac);
	setup(&t, TX_FT0, table);
	cr_assert_eq(csr(&t, 6) & 0x15, 0x01);
	feed(&t, broadcast, 60);
	feed(&t, stranger, 60);
	cr_assert_eq(rx_status(&t, 0), OWN);
	feed(&t, group, 60);
	feed(&t, own_mac, 60);
	cr_assert_eq(rx_status(&t, 1) & OWN, 0);
	cr_assert(rx_status(&t, 0) & RX_MF);
	bit = dec21140_filter_hash(stranger);
	memset(table, 0, sizeof(table));
	table[(bit >> 4) * 4 + (bit & 15) / 8] |= (uint8_t)BIT(bit % 8);
	setup(&t, TX_FT1 | TX_FT0, table);
	cr_assert_eq(csr(&t, 6) & 0x15, 0x05);
	feed(&t, own_mac, 60);
	cr_assert_eq(rx_status(&t, 2), OWN);
	feed(&t, stranger, 60);
	cr_assert_neq(rx_status(&t, 2), OWN);
	tulip_free(&t);
}

NAMED(inverse_filter_passes_all_but_what_is_listed)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	perfect(&t, TX_FT1);
	cr_assert_eq(csr(&t, 6) & 0x15, 0x10);
	feed(&t, own_mac, 60);
	feed(&t, broadcast, 60);
	cr_assert_eq(rx_status(&t, 0), OWN);
	feed(&t, stranger, 60);
	cr_assert_neq(rx_status(&t, 0), OWN);
	tulip_free(&t);
}

NAMED(promiscuous_multicast_and_receive_all_open_the_filter)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	set_csr(&t, 6, MII_MODE | ST | SR | PM);
	feed(&t, stranger, 60);
	cr_assert_eq(rx_status(&t, 0), OWN);
	feed(&t, group, 60);
	cr_assert_neq(rx_status(&t, 0), OWN);
	set_csr(&t, 6, MII_MODE | ST | SR | PR);
	feed(&t, stranger, 60);
	cr_assert_eq(rx_status(&t, 1) & (OWN | RX_FF), 0);
	set_csr(&t, 6, MII_MODE | ST | SR | RA);
	feed(&t, stranger, 60);
	feed(&t, own_mac, 60);
	cr_assert_eq(rx_status(&t, 2) & (OWN | RX_FF), RX_FF, "the filter's result is told");
	cr_assert_eq(rx_status(&t, 3) & (OWN | RX_FF), 0);
	tulip_free(&t);
}

NAMED(setup_frames_of_another_size_change_nothing)
{
	struct tulip t = tulip_new();
	uint32_t at;

	bring_up(&t);
	memset(t.b->ram + 0x30000, 0, 192);
	at = tx_queue(&t, TX_SET, 0x30000, 100);
	set_csr(&t, 1, 0);
	cr_assert_eq(ram32(&t, at), 0x7fffffff);
	feed(&t, own_mac, 60);
	cr_assert_neq(rx_status(&t, 0), OWN);
	tulip_free(&t);
}

/* --- receiving */

/* Defect 6: check sequence, padding, type and group bits. */
NAMED(received_frames_are_whole_and_described)
{
	struct tulip t = tulip_new();
	uint8_t frame[1518];

	bring_up(&t);
	memset(t.b->ram + RX_BUFFERS, 0xee, 16 * 2048);
	write_frame(frame, own_mac, stranger, 1514);
	cr_assert(bench_nic_feed(t.nic, frame, 1514));
	cr_assert_eq(rx_status(&t, 0), 1518u << 16 | RX_FS | RX_LS | RX_FT);
	cr_assert_eq(memcmp(t.b->ram + RX_BUFFERS, frame, 1514), 0);
	cr_assert_eq(ram32(&t, RX_BUFFERS + 1514), check_sequence(frame, 1514));
	cr_assert_eq(t.b->ram[RX_BUFFERS + 1518], 0xee);
	/* A short one is padded; an 802.3 length is no type. */
	write_frame(frame, broadcast, stranger, 20);
	put_be16(frame + 12, 6);
	cr_assert(bench_nic_feed(t.nic, frame, 20));
	cr_assert_eq(rx_status(&t, 1), 64u << 16 | RX_FS | RX_LS | RX_MF);
	memset(frame + 20, 0, 40);
	cr_assert_eq(memcmp(t.b->ram + RX_BUFFERS + 2048, frame, 60), 0);
	cr_assert_eq(ram32(&t, RX_BUFFERS + 2048 + 60), check_sequence(frame, 60));
	/* A VLAN tag makes it long, which is no error. */
	cr_assert(feed(&t, own_mac, 1518));
	cr_assert_eq(rx_status(&t, 2), 1522u << 16 | RX_FS | RX_LS | RX_FT | RX_TL);
	tulip_free(&t);
}

NAMED(frames_spread_over_buffers_and_descriptors)
{
	struct tulip t = tulip_new();
	uint8_t frame[1000];

	bring_up(&t);
	write_frame(frame, own_mac, stranger, 1000);
	descriptor(&t, RX_RING, OWN, 200u << 11 | 100, RX_BUFFERS, RX_BUFFERS + 0x9000);
	descriptor(&t, RX_RING + 16, OWN, 700, RX_BUFFERS + 0xa000, 0);
	cr_assert(bench_nic_feed(t.nic, frame, 1000));
	cr_assert_eq(rx_status(&t, 0), RX_FS);
	cr_assert_eq(rx_status(&t, 1), 0);
	cr_assert_eq(rx_status(&t, 2) & (RX_FS | RX_LS | RX_ES), RX_LS);
	cr_assert_eq(RX_LENGTH(rx_status(&t, 2)), 1004);
	cr_assert_eq(memcmp(t.b->ram + RX_BUFFERS, frame, 100), 0);
	cr_assert_eq(memcmp(t.b->ram + RX_BUFFERS + 0x9000, frame + 100, 200), 0);
	cr_assert_eq(memcmp(t.b->ram + RX_BUFFERS + 0xa000, frame + 300, 700), 0);
	cr_assert_eq(ram32(&t, RX_BUFFERS + 2 * 2048), check_sequence(frame, 1000),
		     "the check sequence alone in the third");
	tulip_free(&t);
}

NAMED(frame_without_enough_descriptors_is_cut_and_marked)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	descriptor(&t, RX_RING, OWN, 100, RX_BUFFERS, 0);
	set_ram32(&t, RX_RING + 16, 0);
	cr_assert(feed(&t, own_mac, 1000));
	cr_assert_eq(rx_status(&t, 0) & (OWN | RX_FS | RX_LS | RX_DE | RX_ES),
		     RX_FS | RX_LS | RX_DE | RX_ES);
	tulip_free(&t);
}

/* Defect 5. */
NAMED(full_ring_suspends_once_and_the_doorbell_resumes)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	for (unsigned int i = 0; i < RING; i++)
		cr_assert(feed(&t, own_mac, 100 + i));
	set_csr(&t, 5, RI);
	cr_assert_not(feed(&t, own_mac, 500), "the frame stays with the host");
	cr_assert_eq(RS(csr(&t, 5)), 4);
	cr_assert(csr(&t, 5) & RU);
	set_csr(&t, 5, RU);
	cr_assert_not(feed(&t, own_mac, 500));
	cr_assert_not(csr(&t, 5) & RU, "told once");
	set_csr(&t, 2, 0);
	cr_assert_eq(RS(csr(&t, 5)), 4, "nothing is free yet");
	set_ram32(&t, RX_RING, OWN);
	t.nic->rx_ready = 0;
	set_csr(&t, 2, 0);
	cr_assert_eq(RS(csr(&t, 5)), 3);
	cr_assert_eq(t.nic->rx_ready, 1);
	cr_assert(feed(&t, own_mac, 500));
	cr_assert_eq(RX_LENGTH(rx_status(&t, 0)), 504);
	tulip_free(&t);
}

NAMED(suspended_receiver_looks_again_by_itself)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	for (unsigned int i = 0; i <= RING; i++)
		feed(&t, own_mac, 100);
	cr_assert_eq(RS(csr(&t, 5)), 4);
	t.nic->rx_ready = 0;
	set_ram32(&t, RX_RING, OWN);
	advance(t.b, 10 * NSEC_PER_MSEC);
	cr_assert_eq(t.nic->rx_ready, 1, "Linux never rings CSR2");
	cr_assert_eq(RS(csr(&t, 5)), 3);
	tulip_free(&t);
}

NAMED(missed_frames_are_counted_until_read)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	t.nic->nic.dev_ops->missed(t.dev, 5);
	t.nic->nic.dev_ops->missed(t.dev, 2);
	cr_assert_eq(csr(&t, 8), 7);
	cr_assert_eq(csr(&t, 8), 0);
	t.nic->nic.dev_ops->missed(t.dev, 0x10001);
	cr_assert_eq(csr(&t, 8), 0x10001, "the counter has rolled over");
	tulip_free(&t);
}

NAMED(receive_interrupts_merge_under_load_and_come_at_once_otherwise)
{
	struct tulip t = tulip_new();
	unsigned int interrupts = 0;

	bring_up(&t);
	advance(t.b, NSEC_PER_SEC);
	for (unsigned int i = 0; i < 100; i++) {
		cr_assert(feed(&t, own_mac, 60));
		if (i == 0)
			cr_assert(csr(&t, 5) & RI, "the first after a quiet time");
		if (csr(&t, 5) & RI) {
			interrupts++;
			set_csr(&t, 5, RI);
		}
		set_ram32(&t, RX_RING + i % RING * 16, OWN);
		advance(t.b, 10 * NSEC_PER_USEC);
	}
	cr_assert_leq(interrupts, 6);
	cr_assert_geq(interrupts, 3);
	advance(t.b, NSEC_PER_MSEC);
	cr_assert(csr(&t, 5) & RI, "the last frame is told, too");
	tulip_free(&t);
}

/* Answers to what the guest sends, one after the other, are faster than interrupts of many frames. */
NAMED(frames_that_come_alone_are_told_at_once)
{
	struct tulip t = tulip_new();

	bring_up(&t);
	for (unsigned int i = 0; i < 10; i++) {
		advance(t.b, 60 * NSEC_PER_USEC);
		cr_assert(feed(&t, own_mac, 60));
		cr_assert(csr(&t, 5) & RI, "frame %u", i);
		set_csr(&t, 5, RI);
	}
	tulip_free(&t);
}

/* Defect 13. */
NAMED(loopback_delivers_to_the_own_ring_only)
{
	struct tulip t = tulip_new();
	uint32_t at;

	bring_up(&t);
	set_csr(&t, 6, MII_MODE | SR | ST | INTERNAL_LOOPBACK);
	write_frame(t.b->ram + TX_BUFFERS, own_mac, own_mac, 200);
	at = tx_queue(&t, TX_FS | TX_LS, TX_BUFFERS, 200);
	set_csr(&t, 1, 0);
	cr_assert_eq(t.nic->count, 0);
	cr_assert_eq(ram32(&t, at), 0);
	cr_assert_eq(rx_status(&t, 0), 204u << 16 | RX_FS | RX_LS | RX_FT | 1u << 12);
	cr_assert_eq(memcmp(t.b->ram + RX_BUFFERS, t.b->ram + TX_BUFFERS, 200), 0);
	cr_assert(feed(&t, own_mac, 60));
	cr_assert_eq(rx_status(&t, 1), OWN, "the cable is not heard");
	/* Without room the looped frame is missed; no frame goes round and round. */
	for (unsigned int i = 0; i < RING; i++)
		set_ram32(&t, RX_RING + i * 16, 0);
	tx_queue(&t, TX_FS | TX_LS, TX_BUFFERS, 200);
	set_csr(&t, 1, 0);
	cr_assert_eq(csr(&t, 8), 1);
	tulip_free(&t);
}
