// SPDX-License-Identifier: GPL-2.0-or-later
/* vhd/: what check finds, with which words, and what repair makes of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../vhd/image.h"
#include "../lib/vhd_lab.h"

static struct lab_file lab, copy;
static char error[VHD_ERROR_BYTES];

struct findings {
	unsigned int count, of[VHD_SEVERITIES];
	char text[4096];
};

static void setup(void)
{
	lab_init(&lab, 1);
	lab_init(&copy, 1);
}

static void teardown(void)
{
	lab_fini(&lab);
	lab_fini(&copy);
}

TestSuite(vhd_check, .init = setup, .fini = teardown, .timeout = 60);

static const struct vhd_file file = { .name = "nt4.vhd", .io = &lab.io };

static void create(enum vhd_type type)
{
	const struct vhd_create_options options = {
		.type = type,
		.size_bytes = MIB(4),
		.block_bytes = type == VHD_FIXED ? 0 : 65536,
	};
	struct iovec iov = { (void *)(uintptr_t) "hello", 5 };
	struct vhd *vhd;

	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
	cr_assert_eq(vhd_open(&file, 1, NULL, &vhd, error, sizeof(error)), 0, "%s", error);
	for (unsigned int i = 0; i < 4; i++)
		cr_assert_eq(vhd_write(vhd, MIB(i) + 70000, &iov, 1), 0);
	cr_assert_eq(vhd_close(vhd), 0);
}

static uint8_t *tail(void)
{
	return lab.now.data + lab.now.size - 512;
}

static void seal(uint8_t *raw, size_t size, size_t at)
{
	put_be32(raw + at, vhd_checksum(raw, size, at));
}

static void set_entry(uint32_t block, uint32_t sector)
{
	put_be32(lab.now.data + 1536 + block * 4, sector);
}

static uint32_t get_entry(uint32_t block)
{
	return get_be32(lab.now.data + 1536 + block * 4);
}

static void cut_file(uint64_t bytes)
{
	cr_assert_eq(lab.io.ops->truncate(&lab.io, bytes), 0);
}

/* --- damages */

static void cut_tail(void)
{
	cut_file(lab.now.size - 512);
}

static void damage_tail(void)
{
	tail()[40] ^= 1;
}

static void damage_head(void)
{
	lab.now.data[40] ^= 1;
}

static void wipe_head(void)
{
	memset(lab.now.data, 0, 512);
}

static void change_head(void)
{
	lab.now.data[FOOTER_CREATOR] ^= 1;
	seal(lab.now.data, 512, FOOTER_CHECKSUM);
}

static void append_rubbish(void)
{
	cut_file(lab.now.size + 5000);
}

static void cut_one_byte(void)
{
	cut_file(lab.now.size - 1);
}

static void cut_last_block(void)
{
	memmove(tail() - 8192, tail(), 512);
	cut_file(lab.now.size - 8192);
}

static void entry_outside(void)
{
	set_entry(18, 123456);
}

static void entry_on_header(void)
{
	set_entry(18, 2);
}

static void entry_twice(void)
{
	set_entry(18, get_entry(49));
}

static void entries_overlap(void)
{
	set_entry(18, get_entry(33) + 1);
}

static void lose_block(void)
{
	set_entry(33, VHD_BLOCK_ABSENT);
}

static void clear_feature(void)
{
	lab.now.data[FOOTER_FEATURES + 3] = tail()[FOOTER_FEATURES + 3] = 0;
	seal(lab.now.data, 512, FOOTER_CHECKSUM);
	seal(tail(), 512, FOOTER_CHECKSUM);
}

static void next_header(void)
{
	put_be64(lab.now.data + 512 + HEADER_NEXT, 0);
	seal(lab.now.data + 512, 1024, HEADER_CHECKSUM);
}

static void damage_header(void)
{
	lab.now.data[512 + 700] ^= 1;
}

static void nothing(void)
{
}

static const struct row {
	enum vhd_type type;
	void (*damage)(void);
	unsigned int errors, warnings, leaks; /* exact */
	const char *text;
	bool mended, lossy; /* by a repair, if that may give up blocks */
} rows[] = {
	{ VHD_DYNAMIC, nothing, 0, 0, 0, "", true, false },
	{ VHD_FIXED, nothing, 0, 0, 0, "", true, false },
	{ VHD_DYNAMIC, cut_tail, 1, 0, 0, "footer: is not at the end", true, false },
	{ VHD_DYNAMIC, damage_tail, 1, 0, 0, "footer: is damaged; its copy is good", true, false },
	{ VHD_DYNAMIC, damage_head, 1, 0, 0, "copy at the start: is damaged", true, false },
	{ VHD_DYNAMIC, wipe_head, 1, 0, 0, "copy at the start: is missing", true, false },
	{ VHD_DYNAMIC, change_head, 0, 1, 0, "copy at the start: differs", true, false },
	{ VHD_DYNAMIC, append_rubbish, 1, 0, 0, "footer: is not at the end", true, false },
	{ VHD_FIXED, append_rubbish, 1, 0, 0, "footer: is followed by 5000 bytes", true, false },
	{ VHD_DYNAMIC, cut_one_byte, 0, 1, 0, "footer: has 511 bytes", true, false },
	{ VHD_FIXED, cut_one_byte, 0, 1, 0, "footer: has 511 bytes", true, false },
	{ VHD_DYNAMIC, cut_last_block, 1, 0, 0,
	  "block 49: is cut off by the end of the file: 8192 of its", true, false },
	{ VHD_DYNAMIC, entry_outside, 1, 0, 0,
	  "block 18: at sector 123456 lies beyond the end of the file", true, true },
	{ VHD_DYNAMIC, entry_on_header, 1, 0, 0,
	  "block 18: at sector 2 lies on the header or the block table", true, true },
	{ VHD_DYNAMIC, entry_twice, 1, 0, 0, "overlaps block", true, true },
	{ VHD_DYNAMIC, entries_overlap, 1, 0, 0, "block 18: at sector", true, true },
	{ VHD_DYNAMIC, lose_block, 0, 0, 1, "bytes that no block uses", false, false },
	{ VHD_DYNAMIC, clear_feature, 0, 1, 0, "features 0x0 lack the bit", true, false },
	{ VHD_DYNAMIC, next_header, 0, 1, 0, "next header is not all ones", false, false },
	{ VHD_DYNAMIC, damage_header, 1, 0, 0, "header: its checksum is wrong", false, false },
};

static void collect(const struct vhd_finding *finding, void *opaque)
{
	struct findings *f = opaque;
	size_t at = strlen(f->text);

	f->count++;
	f->of[finding->severity]++;
	cr_assert_str_eq(finding->name, "nt4.vhd");
	snprintf(f->text + at, sizeof(f->text) - at, "%s: %s%s\n", finding->field, finding->text,
		 finding->repaired ? " [repaired]" : "");
}

static struct vhd_check_result check(struct findings *ret_findings)
{
	const struct vhd_check_options options = {
		.deep = true,
		.found = collect,
		.opaque = ret_findings,
	};
	struct vhd_check_result result;

	*ret_findings = (struct findings){ 0 };
	cr_assert_eq(vhd_check(&file, 1, &options, &result, error, sizeof(error)), 0, "%s", error);
	return result;
}

static struct vhd_check_result repair(bool dry_run, bool drop_lost, struct findings *ret_findings)
{
	const struct vhd_repair_options options = {
		.dry_run = dry_run,
		.drop_lost = drop_lost,
		.found = collect,
		.opaque = ret_findings,
	};
	struct vhd_check_result result;

	*ret_findings = (struct findings){ 0 };
	cr_assert_eq(vhd_repair(&file, &options, &result, error, sizeof(error)), 0, "%s", error);
	return result;
}

static void keep_copy(void)
{
	lab_settle(&lab);
	lab_crash(&lab, &copy);
}

static bool is_unchanged(void)
{
	return lab.now.size == copy.now.size && !memcmp(lab.now.data, copy.now.data, lab.now.size);
}

/* What could be read before can be read still. */
static void check_readable(const struct row *row)
{
	const struct vhd_open_options options = { .read_only = true };
	char found[6] = "";
	const struct iovec iov = { found, 5 };
	struct vhd *vhd;

	if (row->damage == damage_header)
		return;
	cr_assert_eq(vhd_open(&file, 1, &options, &vhd, error, sizeof(error)), 0, "%s", error);
	for (unsigned int i = 0; i < 4; i++) {
		if (i == 2 && row->damage == lose_block)
			continue;
		found[0] = 0;
		if (vhd_read(vhd, MIB(i) + 70000, &iov, 1) == 0 && (i != 3 || !row->lossy))
			cr_assert_str_eq(found, "hello", "%u", i);
	}
	vhd_free(vhd);
}

Test(vhd_check, each_damage_is_found_and_mended)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct findings found;
		struct vhd_check_result result;

		teardown();
		setup();
		create(row->type);
		row->damage();
		result = check(&found);
		cr_assert_eq(result.found[VHD_ERROR], row->errors, "row %zu: %s", i, found.text);
		cr_assert_eq(result.found[VHD_WARNING], row->warnings, "row %zu: %s", i,
			     found.text);
		cr_assert_eq(result.found[VHD_LEAK], row->leaks, "row %zu: %s", i, found.text);
		cr_assert(strstr(found.text, row->text), "row %zu: %s", i, found.text);

		keep_copy();
		result = repair(true, row->lossy, &found);
		cr_assert(is_unchanged(), "row %zu: a dry run changes nothing", i);
		cr_assert_eq(result.repaired > 0, row->mended && row->damage != nothing,
			     "row %zu: %s", i, found.text);
		if (row->lossy) {
			result = repair(false, false, &found);
			cr_assert_eq(result.repaired, 0);
			cr_assert(is_unchanged(), "row %zu: no block is given up unasked", i);
		}
		repair(false, row->lossy, &found);
		result = check(&found);
		if (row->mended) {
			cr_assert_eq(result.found[VHD_ERROR], 0, "row %zu: %s", i, found.text);
			cr_assert_eq(result.found[VHD_WARNING], 0, "row %zu: %s", i, found.text);
		} else {
			cr_assert(is_unchanged(), "row %zu", i);
		}
		check_readable(row);
	}
}

/* The power may go at any moment of a repair: what could be read can be read. */
static void check_after_cut(struct lab_file *cut, void *opaque)
{
	const struct row *row = opaque;
	const struct vhd_file survivor = { .name = "nt4.vhd", .io = &copy.io };
	const struct vhd_open_options options = { .read_only = true };
	char found[6] = "";
	const struct iovec iov = { found, 5 };
	struct vhd *vhd;

	lab_crash(cut, &copy);
	cr_assert_eq(vhd_open(&survivor, 1, &options, &vhd, error, sizeof(error)), 0, "%s", error);
	for (unsigned int i = 0; i < 4; i++) {
		if ((i == 3 && row->lossy) || (i == 2 && row->damage == lose_block))
			continue;
		if (vhd_read(vhd, MIB(i) + 70000, &iov, 1) == 0)
			cr_assert_str_eq(found, "hello");
	}
	vhd_free(vhd);
}

Test(vhd_check, a_repair_may_be_interrupted)
{
	for (size_t i = 0; i < ARRAY_LEN(rows) * 20; i++) {
		const struct row *row = &rows[i % ARRAY_LEN(rows)];
		struct findings found;

		if (!row->mended)
			continue;
		teardown();
		setup();
		lab.seed = copy.seed = i;
		create(row->type);
		row->damage();
		lab_settle(&lab);
		lab.after = check_after_cut;
		lab.opaque = (void *)(uintptr_t)row;
		repair(false, row->lossy, &found);
	}
}

Test(vhd_check, many_findings_of_a_kind_become_a_number)
{
	struct vhd_check_result result;
	struct findings found;

	create(VHD_DYNAMIC);
	for (uint32_t block = 0; block < 64; block++)
		set_entry(block, 1000000 + block);
	result = check(&found);
	cr_assert_eq(result.found[VHD_ERROR], 64);
	cr_assert_eq(found.of[VHD_ERROR], VHD_CHECK_EACH_MAX);
	cr_assert(strstr(found.text, "14 more like the last") || strlen(found.text) > 3900);
}

Test(vhd_check, deep_finds_data_under_clear_bits)
{
	struct vhd_check_result result;
	struct findings found;

	create(VHD_DYNAMIC);
	lab.now.data[get_entry(1) * 512 + 512 + 512 * 100] = 1;
	result = check(&found);
	cr_assert_eq(result.found[VHD_WARNING], 1);
	cr_assert(strstr(found.text, "block 1: has data in sector 100"), "%s", found.text);
}

Test(vhd_check, sums_are_right)
{
	struct vhd_check_result result;
	struct findings found;

	create(VHD_DYNAMIC);
	result = check(&found);
	cr_assert_eq(result.blocks_used, 4);
	cr_assert_eq(result.block_count, 64);
	cr_assert_eq(result.end_bytes, lab.now.size);
	cr_assert_eq(result.leaked_bytes, 0);
	lose_block();
	result = check(&found);
	cr_assert(result.leaked_bytes >= 66048 && result.leaked_bytes < 66048 + 8192);
	cr_assert_eq(result.blocks_used, 3);
}

Test(vhd_check, what_is_no_disk_cannot_be_examined)
{
	struct vhd_check_result result;

	cut_file(100000);
	cr_assert_eq(vhd_check(&file, 1, NULL, &result, error, sizeof(error)), -EMEDIUMTYPE);
	cr_assert(strstr(error, "nt4.vhd: not a virtual hard disk"));
}
