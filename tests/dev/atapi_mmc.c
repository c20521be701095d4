// SPDX-License-Identifier: GPL-2.0-or-later
/* The multimedia commands of the ATAPI CD drive that setups and players use: what they say, and what they refuse. */
#include "atapi.h"

/* 2 seconds of pregap, and BLOCKS of 1/75 s. */
#define END_MINUTE 0
#define END_SECOND (2 + BLOCKS / 75)
#define END_FRAME (BLOCKS % 75)

/* A command that takes @size bytes from the host; its status. */
static uint8_t send_list(struct ata_bench *a, const uint8_t packet[12], const uint8_t *list,
			 uint32_t size)
{
	uint8_t status;

	atapi_send(a, packet, LIMIT, false);
	status = atapi_wait(a);
	cr_assert_eq(status & DRQ, DRQ);
	cr_assert_eq(inb(a->b, CMD + 2) & 3, 0, "data from the host");
	cr_assert_eq(inb(a->b, CMD + 4) | (uint32_t)inb(a->b, CMD + 5) << 8, size);
	io_port_write_string(&a->b->io, CMD, 2, list, size / 2);
	return atapi_wait(a);
}

Test(atapi_mmc, the_table_of_contents_has_one_data_track)
{
	struct ata_bench a = atapi_new(true);
	const uint8_t *toc;

	toc = atapi_good(&a, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 255), 20);
	cr_assert_eq(get_be16(toc), 18);
	cr_assert_eq(get_be16(toc + 2), 0x0101, "first and last track");
	cr_assert_eq(get_be32(toc + 4), 0x00140100);
	cr_assert_eq(get_be32(toc + 8), 0);
	cr_assert_eq(get_be32(toc + 12), 0x0014aa00);
	cr_assert_eq(get_be32(toc + 16), BLOCKS, "the lead-out");
	toc = atapi_good(&a, PACKET(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255), 12);
	cr_assert_eq(get_be32(toc + 4), 0x0014aa00);
	cr_assert_eq(get_be32(toc + 8), (uint32_t)END_MINUTE << 16 | END_SECOND << 8 | END_FRAME,
		     "as a time");
	toc = atapi_good(&a, PACKET(0x43, 0, 1, 0, 0, 0, 0, 0, 255), 12);
	cr_assert_eq(get_be32(toc + 4), 0x00140100, "the last session's first track");
	toc = atapi_good(&a, PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0x40), 12);
	cr_assert_eq(get_be32(toc + 4), 0x00140100, "where SFF-8020i has the format");
	toc = atapi_good(&a, PACKET(0x43, 2, 2, 0, 0, 0, 1, 0, 255), 4 + 4 * 11);
	cr_assert_eq(toc[4 + 3], 0xa0);
	cr_assert_eq(toc[4 + 2 * 11 + 3], 0xa2);
	cr_assert_eq(toc[4 + 2 * 11 + 9], END_SECOND);
	atapi_bad(&a, PACKET(0x43, 0, 0, 0, 0, 0, 2, 0, 255), INVALID_FIELD);
	atapi_bad(&a, PACKET(0x43, 0, 5, 0, 0, 0, 0, 0, 255), INVALID_FIELD);
	bench_free(a.b);
}

Test(atapi_mmc, the_disc_is_described)
{
	struct ata_bench a = atapi_new(true);
	const uint8_t *data;

	data = atapi_good(&a, PACKET(0x25), 8);
	cr_assert_eq(get_be32(data), BLOCKS - 1);
	cr_assert_eq(get_be32(data + 4), 2048);
	data = atapi_good(&a, PACKET(0x44, 0, 0, 0, 0, 16, 0, 0, 8), 8);
	cr_assert_eq(data[0], 1, "mode 1");
	cr_assert_eq(get_be32(data + 4), 16);
	data = atapi_good(&a, PACKET(0x44, 2, 0, 0, 0, 16, 0, 0, 8), 8);
	cr_assert_eq(get_be32(data + 4), 0x00000210, "two seconds and 16 frames");
	atapi_bad(&a, PACKET(0x44, 0, 0x7f, 0, 0, 0, 0, 0, 8), OUT_OF_RANGE);
	data = atapi_good(&a, PACKET(0x51, 0, 0, 0, 0, 0, 0, 0, 34), 34);
	cr_assert_eq(data[2], 0x0e, "complete");
	atapi_bad(&a, PACKET(0x51, 1, 0, 0, 0, 0, 0, 0, 34), INVALID_FIELD);
	data = atapi_good(&a, PACKET(0x52, 1, 0, 0, 0, 1, 0, 0, 28), 28);
	cr_assert_eq(get_be32(data + 24), BLOCKS);
	atapi_bad(&a, PACKET(0x52, 1, 0, 0, 0, 2, 0, 0, 28), INVALID_FIELD);
	data = atapi_good(&a, PACKET(0x42, 2, 0x40, 1, 0, 0, 0, 0, 16), 16);
	cr_assert_eq(data[1], 0, "no word on audio");
	cr_assert_eq(data[6], 1, "track 1");
	atapi_good(&a, PACKET(0x42, 0, 0, 1, 0, 0, 0, 0, 16), 4);
	atapi_good(&a, PACKET(0x42, 0, 0x40, 2, 0, 0, 0, 0, 24), 24);
	atapi_bad(&a, PACKET(0x42, 0, 0x40, 9, 0, 0, 0, 0, 24), INVALID_FIELD);
	atapi_bad(&a, PACKET(0xad, 0, 0, 0, 0, 0, 0, 0, 8), 0x053002);
	bench_free(a.b);
}

Test(atapi_mmc, features_follow_the_medium)
{
	struct ata_bench a = atapi_new(true);
	const uint8_t *data;

	data = atapi_good(&a, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be16(data + 6), 0x0008, "a CD-ROM");
	data = atapi_good(&a, PACKET(0x46, 2, 0, 0x1e, 0, 0, 0, 0, 64), 12);
	cr_assert_eq(get_be16(data + 8), 0x001e);
	cr_assert_eq(data[10] & 1, 1, "CD read is current");
	data = atapi_good(&a, PACKET(0x46, 2, 0, 0x1f, 0, 0, 0, 0, 64), 12);
	cr_assert_eq(data[10] & 1, 0, "DVD read is not");
	atapi_bad(&a, PACKET(0x46, 3, 0, 0, 0, 0, 0, 0, 64), INVALID_FIELD);
	cr_assert_eq(piix4_ide_eject(a.dev, 0, false), 0);
	data = atapi_good(&a, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be16(data + 6), 0, "no medium, no profile");
	bench_free(a.b);
}

/* More blocks than a CD has is a DVD; nothing is read of it here, so that it need not be in memory. */
Test(atapi_mmc, a_large_medium_is_a_dvd)
{
	struct ata_bench a = atapi_new(true);
	struct bench_disk *disk = bench_disk_new(a.b, 4);
	const uint32_t blocks = 2000000;
	const uint8_t *data;

	disk->size_bytes = (uint64_t)blocks * 2048;
	cr_assert_eq(piix4_ide_insert(a.dev, 0, &disk->backend), 0);
	atapi_bad(&a, PACKET(0x00), CHANGED);
	data = atapi_good(&a, PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	cr_assert_eq(get_be16(data + 6), 0x0010);
	data = atapi_good(&a, PACKET(0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4), 2052);
	cr_assert_eq(get_be32(data + 8), 0x030000, "the first sector");
	cr_assert_eq(get_be32(data + 12), 0x030000 + blocks - 1);
	data = atapi_good(&a, PACKET(0xad, 0, 0, 0, 0, 0, 0, 1, 0, 8), 8);
	cr_assert_eq(get_be32(data + 4), 0, "no protection, all regions");
	atapi_bad(&a, PACKET(0xad, 0, 0, 0, 0, 0, 1, 0, 0, 8), INVALID_FIELD);
	data = atapi_good(&a, PACKET(0x25), 8);
	cr_assert_eq(get_be32(data), blocks - 1);
	bench_free(a.b);
}

Test(atapi_mmc, mode_pages_are_told_in_both_forms_and_in_all_values)
{
	struct ata_bench a = atapi_new(true);
	const uint8_t *data;

	data = atapi_good(&a, PACKET(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255), 8 + 8 + 8 + 16 + 22);
	cr_assert_eq(get_be16(data), 8 + 8 + 8 + 16 + 22 - 2);
	cr_assert_eq(data[2], 0x01, "a data disc of 120 mm");
	data = atapi_good(&a, PACKET(0x1a, 0, 0x01, 0, 255), 4 + 8);
	cr_assert_eq(data[0], 11);
	cr_assert_eq(get_be32(data + 4), 0x01060005, "five tries");
	data = atapi_good(&a, PACKET(0x1a, 0, 0x4e, 0, 255), 4 + 16);
	cr_assert_eq(data[4 + 8], 0xff, "volume can be changed");
	data = atapi_good(&a, PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255), 8 + 22);
	cr_assert_eq(get_be16(data + 8 + 8), 7056, "40 times");
	atapi_bad(&a, PACKET(0x5a, 0, 0xc1, 0, 0, 0, 0, 0, 255), 0x053900);
	atapi_bad(&a, PACKET(0x5a, 0, 0x30, 0, 0, 0, 0, 0, 255), INVALID_FIELD);
	bench_free(a.b);
}

Test(atapi_mmc, mode_select_changes_what_can_be_changed)
{
	static const uint8_t recovery[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 6, 0x10, 9, 0, 0, 0, 0 };
	static const uint8_t six[] = { 0, 0, 0, 0, 0x01, 6, 0x20, 3, 0, 0, 0, 0 };
	static const uint8_t unknown[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x31, 2, 0, 0 };
	static const uint8_t cut[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 6, 0x10, 9 };
	struct ata_bench a = atapi_new(true);

	cr_assert_eq(send_list(&a, PACKET(0x55, 0x10, 0, 0, 0, 0, 0, 0, 16), recovery, 16), READY);
	cr_assert_eq(get_be32(atapi_good(&a, PACKET(0x1a, 0, 0x01, 0, 255), 12) + 4), 0x01061009);
	cr_assert_eq(send_list(&a, PACKET(0x15, 0x10, 0, 0, 12), six, 12), READY);
	cr_assert_eq(get_be32(atapi_good(&a, PACKET(0x1a, 0, 0x01, 0, 255), 12) + 4), 0x01062003);
	cr_assert_eq(send_list(&a, PACKET(0x55, 0x10, 0, 0, 0, 0, 0, 0, 12), unknown, 12),
		     READY | ERR);
	cr_assert_eq(atapi_sense(&a), INVALID_PARAMETER);
	cr_assert_eq(send_list(&a, PACKET(0x55, 0x10, 0, 0, 0, 0, 0, 0, 12), cut, 12), READY | ERR);
	cr_assert_eq(atapi_sense(&a), PARAMETER_LENGTH);
	atapi_bad(&a, PACKET(0x55, 0x11, 0, 0, 0, 0, 0, 0, 16), INVALID_FIELD);
	atapi_good(&a, PACKET(0x55, 0x10), 0);
	cr_assert_eq(get_be32(atapi_good(&a, PACKET(0x1a, 0, 0x01, 0, 255), 12) + 4), 0x01062003,
		     "what failed changed nothing");
	bench_free(a.b);
}

Test(atapi_mmc, audio_is_refused_on_a_data_track_and_the_rest_is_harmless)
{
	struct ata_bench a = atapi_new(true);

	atapi_bad(&a, PACKET(0x45, 0, 0, 0, 0, 1, 0, 0, 5), ILLEGAL_MODE);
	atapi_bad(&a, PACKET(0x47, 0, 0, 0, 2, 0, 0, 3, 0), ILLEGAL_MODE);
	atapi_bad(&a, PACKET(0x48, 0, 0, 0, 1, 1, 0, 1, 1), ILLEGAL_MODE);
	atapi_bad(&a, PACKET(0xa5, 0, 0, 0, 0, 1, 0, 0, 0, 5), ILLEGAL_MODE);
	atapi_good(&a, PACKET(0x4b), 0);
	atapi_good(&a, PACKET(0x4e), 0);
	atapi_good(&a, PACKET(0xbb, 0, 0xff, 0xff), 0);
	atapi_good(&a, PACKET(0x2b, 0, 0, 0, 0, 7), 0);
	cr_assert_eq(atapi_good(&a, PACKET(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8)[4], 7,
		     "the head is there");
	atapi_bad(&a, PACKET(0x2b, 0, 0x7f), OUT_OF_RANGE);
	bench_free(a.b);
}
