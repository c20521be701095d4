// SPDX-License-Identifier: GPL-2.0-or-later
/* vhd/: what is accepted as an image, what is refused and with which words. */
#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../vhd/image.h"
#include "../lib/vhd_lab.h"

static struct lab_file lab;
static char error[VHD_ERROR_BYTES];
static const uint8_t id[16] = "0123456789abcdef";

static void setup(void)
{
	lab_init(&lab, 1);
	error[0] = '\0';
}

static void teardown(void)
{
	lab_fini(&lab);
}

TestSuite(vhd_open, .init = setup, .fini = teardown, .timeout = 20);

static void create(enum vhd_type type, uint64_t bytes, uint32_t block_bytes)
{
	const struct vhd_file file = { .name = "nt4.vhd", .io = &lab.io };
	const struct vhd_create_options options = {
		.type = type,
		.size_bytes = bytes,
		.block_bytes = block_bytes,
		.id = id,
	};

	cr_assert_eq(vhd_create(&file, &options, error, sizeof(error)), 0, "%s", error);
}

static int try_open(const struct vhd_open_options *options, struct vhd **ret_vhd)
{
	const struct vhd_file file = { .name = "nt4.vhd", .io = &lab.io };

	return vhd_open(&file, 1, options, ret_vhd, error, sizeof(error));
}

static struct vhd *open_vhd(bool read_only)
{
	const struct vhd_open_options options = { .read_only = read_only };
	struct vhd *vhd;

	cr_assert_eq(try_open(&options, &vhd), 0, "%s", error);
	return vhd;
}

static void refuse(int expected, const char *text)
{
	const struct vhd_open_options options = { .read_only = true };
	struct vhd *vhd;
	int r = try_open(&options, &vhd);

	cr_assert_eq(r, expected, "%d, \"%s\" instead of %d, \"%s\"", r, error, expected, text);
	cr_assert(strstr(error, text), "\"%s\" does not say \"%s\"", error, text);
	cr_assert_eq(strncmp(error, "nt4.vhd: ", 9), 0, "%s", error);
}

static int write_at(struct vhd *vhd, uint64_t offset, const void *data, size_t bytes)
{
	const struct iovec iov = { (void *)(uintptr_t)data, bytes };

	return vhd_write(vhd, offset, &iov, 1);
}

static int read_at(struct vhd *vhd, uint64_t offset, void *data, size_t bytes)
{
	const struct iovec iov = { data, bytes };

	return vhd_read(vhd, offset, &iov, 1);
}

static uint8_t *tail(void)
{
	return lab.now.data + lab.now.size - 512;
}

/* Puts the checksum of a footer or header right. */
static void seal(uint8_t *raw, size_t size, size_t at)
{
	put_be32(raw + at, vhd_checksum(raw, size, at));
}

static void seal_footers(void)
{
	seal(lab.now.data, 512, FOOTER_CHECKSUM);
	seal(tail(), 512, FOOTER_CHECKSUM);
}

/* --- every field, damaged in turn */

enum place { IN_FOOTERS, IN_HEADER, IN_TABLE };

struct damage {
	enum place place;
	unsigned int offset, width;
	uint64_t value;
	int error;
	const char *text;
};

static const struct damage dynamic_damage[] = {
	{ IN_FOOTERS, FOOTER_COOKIE, 8, 0x78, -EMEDIUMTYPE, "no footer" },
	{ IN_FOOTERS, FOOTER_VERSION, 4, 0x20000, -EOPNOTSUPP, "version" },
	{ IN_FOOTERS, FOOTER_VERSION, 4, 0x10005, 0, "" },
	{ IN_FOOTERS, FOOTER_FEATURES, 4, 0, 0, "" },
	{ IN_FOOTERS, FOOTER_FEATURES, 4, 0xffffffff, 0, "" },
	{ IN_FOOTERS, FOOTER_DATA_OFFSET, 8, UINT64_MAX, -EUCLEAN, "data offset" },
	{ IN_FOOTERS, FOOTER_DATA_OFFSET, 8, 513, -EUCLEAN, "data offset" },
	{ IN_FOOTERS, FOOTER_DATA_OFFSET, 8, 0, -EUCLEAN, "data offset" },
	{ IN_FOOTERS, FOOTER_DATA_OFFSET, 8, 1024, -EUCLEAN, "header: not found" },
	{ IN_FOOTERS, FOOTER_DATA_OFFSET, 8, UINT64_MAX - 511, -EUCLEAN, "data offset" },
	{ IN_FOOTERS, FOOTER_TIME, 4, 0xffffffff, 0, "" },
	{ IN_FOOTERS, FOOTER_ORIGINAL_SIZE, 8, 0, 0, "" },
	{ IN_FOOTERS, FOOTER_CURRENT_SIZE, 8, 0, -EUCLEAN, "current size" },
	{ IN_FOOTERS, FOOTER_CURRENT_SIZE, 8, MIB(8) + 1, -EUCLEAN, "current size" },
	{ IN_FOOTERS, FOOTER_CURRENT_SIZE, 8, MIB(8) + 512, -EUCLEAN, "block table" },
	{ IN_FOOTERS, FOOTER_CURRENT_SIZE, 8, UINT64_MAX - 511, -EUCLEAN, "block table" },
	{ IN_FOOTERS, FOOTER_CYLINDERS, 4, 0xffffffff, 0, "" },
	{ IN_FOOTERS, FOOTER_CYLINDERS, 4, 0, 0, "" },
	{ IN_FOOTERS, FOOTER_TYPE, 4, 0, -EUCLEAN, "disk type 0" },
	{ IN_FOOTERS, FOOTER_TYPE, 4, 1, -EOPNOTSUPP, "disk type 1" },
	{ IN_FOOTERS, FOOTER_TYPE, 4, 2, -EUCLEAN, "it was cut" },
	{ IN_FOOTERS, FOOTER_TYPE, 4, 4, -ENOLINK, "its parent" },
	{ IN_FOOTERS, FOOTER_TYPE, 4, 5, -EOPNOTSUPP, "disk type 5" },
	{ IN_FOOTERS, FOOTER_TYPE, 4, 6, -EOPNOTSUPP, "disk type 6" },
	{ IN_FOOTERS, FOOTER_TYPE, 4, 7, -EUCLEAN, "disk type 7" },
	{ IN_FOOTERS, FOOTER_SAVED_STATE, 1, 1, 0, "" },
	{ IN_HEADER, HEADER_COOKIE, 8, 0, -EUCLEAN, "header: not found" },
	{ IN_HEADER, HEADER_NEXT, 8, 0, 0, "" },
	{ IN_HEADER, HEADER_TABLE_OFFSET, 8, 0, -EUCLEAN, "block table" },
	{ IN_HEADER, HEADER_TABLE_OFFSET, 8, 512, -EUCLEAN, "overlaps" },
	{ IN_HEADER, HEADER_TABLE_OFFSET, 8, 1537, -EUCLEAN, "block table" },
	{ IN_HEADER, HEADER_TABLE_OFFSET, 8, UINT64_MAX - 511, -EUCLEAN, "block table" },
	{ IN_HEADER, HEADER_VERSION, 4, 0, -EOPNOTSUPP, "version" },
	{ IN_HEADER, HEADER_TABLE_ENTRIES, 4, 0, -EUCLEAN, "block table of 0" },
	{ IN_HEADER, HEADER_TABLE_ENTRIES, 4, 127, -EUCLEAN, "block table of 127" },
	{ IN_HEADER, HEADER_TABLE_ENTRIES, 4, 0xffffffff, -EUCLEAN, "block table of 4294967295" },
	{ IN_HEADER, HEADER_TABLE_ENTRIES, 4, 129, -EUCLEAN, "does not lie in the file" },
	{ IN_HEADER, HEADER_TABLE_ENTRIES, 4, 1u << 24, -EUCLEAN, "does not lie in the file" },
	{ IN_HEADER, HEADER_BLOCK_SIZE, 4, 0, -EUCLEAN, "block size 0" },
	{ IN_HEADER, HEADER_BLOCK_SIZE, 4, 512, -EUCLEAN, "block size 512" },
	{ IN_HEADER, HEADER_BLOCK_SIZE, 4, 65537, -EUCLEAN, "block size" },
	{ IN_HEADER, HEADER_BLOCK_SIZE, 4, 1u << 31, -EUCLEAN, "block size" },
	{ IN_HEADER, HEADER_PARENT_TIME, 4, 1, 0, "" },
	{ IN_HEADER, HEADER_LOCATORS, 4, 0xffffffff, 0, "" },
};

static void put_field(uint8_t *to, const struct damage *row)
{
	for (unsigned int i = 0; i < row->width; i++)
		to[i] = (uint8_t)(row->value >> 8 * (row->width - 1 - i));
}

Test(vhd_open, every_field_is_checked)
{
	for (size_t i = 0; i < ARRAY_LEN(dynamic_damage); i++) {
		const struct damage *row = &dynamic_damage[i];
		struct vhd *vhd;

		teardown();
		setup();
		create(VHD_DYNAMIC, MIB(8), 65536);
		if (row->place == IN_HEADER) {
			put_field(lab.now.data + 512 + row->offset, row);
			seal(lab.now.data + 512, 1024, HEADER_CHECKSUM);
		} else {
			put_field(lab.now.data + row->offset, row);
			put_field(tail() + row->offset, row);
			seal_footers();
		}
		if (row->error) {
			refuse(row->error, row->text);
		} else {
			vhd = open_vhd(true);
			cr_assert_eq(vhd_size_bytes(vhd), MIB(8), "row %zu", i);
			vhd_free(vhd);
		}
	}
}

/* Whatever one byte of head, header or table holds: no crash, and reading ends. */
Test(vhd_open, any_byte_of_the_metadata_may_be_anything)
{
	uint8_t data[65536];

	create(VHD_DYNAMIC, MIB(1), 65536);
	for (uint32_t at = 0; at < 2048; at++) {
		uint8_t before = lab.now.data[at];
		const struct vhd_open_options options = { .read_only = true };
		struct vhd *vhd;

		lab.now.data[at] = (uint8_t)lab_random(&lab.seed);
		if (at >= 512 && at < 1536)
			seal(lab.now.data + 512, 1024, HEADER_CHECKSUM);
		if (try_open(&options, &vhd) == 0) {
			for (uint64_t block = 0; block < 16; block++)
				read_at(vhd, block * sizeof(data), data, sizeof(data));
			vhd_free(vhd);
		} else {
			cr_assert_neq(error[0], '\0');
		}
		lab.now.data[at] = before;
		seal(lab.now.data + 512, 1024, HEADER_CHECKSUM);
	}
}

Test(vhd_open, checksums_count)
{
	create(VHD_DYNAMIC, MIB(8), 65536);
	lab.now.data[512 + 700] ^= 1;
	refuse(-EUCLEAN, "header: its checksum is wrong");
	lab.now.data[512 + 700] ^= 1;
	lab.now.data[200] ^= 1;
	tail()[200] ^= 1;
	refuse(-EUCLEAN, "footer: its checksum is wrong");
}

Test(vhd_open, what_is_no_image_is_called_so)
{
	refuse(-EMEDIUMTYPE, "not a virtual hard disk");
	lab.io.ops->truncate(&lab.io, 511);
	refuse(-EMEDIUMTYPE, "not a virtual hard disk");
	lab.io.ops->truncate(&lab.io, 100000);
	refuse(-EMEDIUMTYPE, "not a virtual hard disk");
}

Test(vhd_open, a_cut_fixed_disk_is_refused)
{
	create(VHD_FIXED, MIB(1), 0);
	memmove(lab.now.data + MIB(1) - 512, tail(), 512);
	lab.io.ops->truncate(&lab.io, MIB(1));
	refuse(-EUCLEAN, "it was cut");
}

/* --- footers */

static void check_content(struct vhd *vhd, uint64_t offset, const char *text)
{
	char found[16] = "";

	cr_assert_eq(read_at(vhd, offset, found, strlen(text)), 0, "%s", vhd_error(vhd));
	cr_assert_str_eq(found, text);
}

static void create_with_text(void)
{
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(8), 65536);
	vhd = open_vhd(false);
	cr_assert_eq(write_at(vhd, MIB(5), "hello", 5), 0);
	cr_assert_eq(vhd_close(vhd), 0);
}

Test(vhd_open, the_copy_counts_when_the_end_has_no_footer)
{
	struct vhd_info info;
	struct vhd *vhd;
	uint64_t whole;

	create_with_text();
	whole = lab.now.size;
	lab.io.ops->truncate(&lab.io, whole - 512);
	vhd = open_vhd(true);
	vhd_get_info(vhd, &info);
	cr_assert_eq(info.tail, VHD_FOOTER_MISSING);
	check_content(vhd, MIB(5), "hello");
	vhd_free(vhd);
	cr_assert_eq(lab.now.size, whole - 512, "read-only changes nothing");

	cr_assert_eq(try_open(NULL, &vhd), -EUCLEAN);
	cr_assert(strstr(error, "nt4.vhd: its footer is damaged; it can be read"), "%s", error);
	cr_assert_eq(lab.now.size, whole - 512);
}

Test(vhd_open, a_damaged_footer_is_read_from_the_other_with_a_warning)
{
	for (unsigned int which = 0; which < 2; which++) {
		struct vhd *vhd;

		teardown();
		setup();
		create_with_text();
		(which ? tail() : lab.now.data)[30] ^= 0x20;
		vhd = open_vhd(true);
		check_content(vhd, MIB(5), "hello");
		cr_assert(strstr(vhd_warning(vhd, 0), "is damaged"), "%s", vhd_warning(vhd, 0));
		cr_assert_eq(vhd_warning(vhd, 1), NULL);
		vhd_free(vhd);
		cr_assert_eq(try_open(NULL, &vhd), -EUCLEAN);
	}
}

/* The power went while the footers changed: the one at the end was first. */
Test(vhd_open, of_two_good_footers_the_last_counts)
{
	struct vhd *vhd;

	create_with_text();
	lab.now.data[FOOTER_CREATOR + 3] = '!';
	seal(lab.now.data, 512, FOOTER_CHECKSUM);
	vhd = open_vhd(true);
	cr_assert(strstr(vhd_warning(vhd, 0), "differs"));
	vhd_free(vhd);
	vhd = open_vhd(false);
	check_content(vhd, MIB(5), "hello");
	vhd_free(vhd);
	cr_assert_eq(memcmp(tail(), lab.now.data, 512), 0);
}

Test(vhd_open, what_follows_the_footer_is_told)
{
	for (unsigned int fixed = 0; fixed < 2; fixed++) {
		struct vhd_info info;
		struct vhd *vhd;

		teardown();
		setup();
		if (fixed)
			create(VHD_FIXED, MIB(8), 0);
		else
			create_with_text();
		lab.io.ops->truncate(&lab.io, lab.now.size + 512345);
		vhd = open_vhd(true);
		vhd_get_info(vhd, &info);
		cr_assert(info.needs_repair);
		cr_assert_eq(info.size_bytes, MIB(8));
		cr_assert_neq(vhd_warning(vhd, 0), NULL);
		if (!fixed)
			check_content(vhd, MIB(5), "hello");
		vhd_free(vhd);
		cr_assert_eq(try_open(NULL, &vhd), -EUCLEAN);
	}
}

Test(vhd_open, footers_of_511_bytes)
{
	for (unsigned int fixed = 0; fixed < 2; fixed++) {
		struct vhd *vhd;

		teardown();
		setup();
		create(fixed ? VHD_FIXED : VHD_DYNAMIC, MIB(1), fixed ? 0 : 65536);
		vhd = open_vhd(false);
		cr_assert_eq(write_at(vhd, MIB(1) - 5, "hello", 5), 0);
		cr_assert_eq(vhd_close(vhd), 0);
		lab.io.ops->truncate(&lab.io, lab.now.size - 1);
		vhd = open_vhd(true);
		cr_assert(strstr(vhd_warning(vhd, 0), "511"));
		check_content(vhd, MIB(1) - 5, "hello");
		vhd_free(vhd);
	}
}

Test(vhd_open, a_fixed_disk_that_holds_an_image_is_not_that_image)
{
	struct lab_file inner = lab;
	struct vhd_info info;
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(8), 65536);
	inner = lab;
	lab_init(&lab, 1);
	create(VHD_FIXED, MIB(2), 0);
	memcpy(lab.now.data, inner.now.data, inner.now.size);
	lab_fini(&inner);
	vhd = open_vhd(false);
	vhd_get_info(vhd, &info);
	cr_assert_eq(info.type, VHD_FIXED);
	cr_assert_eq(info.size_bytes, MIB(2));
	vhd_free(vhd);
}

Test(vhd_open, unknown_bytes_of_the_footer_survive)
{
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(8), 65536);
	memcpy(lab.now.data + 300, "drive", 5);
	memcpy(tail() + 300, "drive", 5);
	seal_footers();
	vhd = open_vhd(false);
	cr_assert_eq(write_at(vhd, 0, "x", 1), 0);
	cr_assert_eq(vhd_close(vhd), 0);
	cr_assert_eq(memcmp(tail() + 300, "drive", 5), 0);
}

/* --- size, state, parents */

static uint64_t size_by(const char *creator, enum vhd_size_rule rule)
{
	const struct vhd_open_options options = { .read_only = true, .size_rule = rule };
	struct vhd *vhd;
	uint64_t bytes;

	memcpy(lab.now.data + FOOTER_CREATOR, creator, 4);
	memcpy(tail() + FOOTER_CREATOR, creator, 4);
	seal_footers();
	cr_assert_eq(try_open(&options, &vhd), 0, "%s", error);
	bytes = vhd_size_bytes(vhd);
	vhd_free(vhd);
	return bytes;
}

Test(vhd_open, the_creator_decides_which_size_counts)
{
	create(VHD_DYNAMIC, MIB(8), 65536);
	cr_assert_eq(size_by("vpc ", VHD_SIZE_BY_CREATOR), 8355840);
	cr_assert_eq(size_by("qemu", VHD_SIZE_BY_CREATOR), 8355840);
	cr_assert_eq(size_by("vs  ", VHD_SIZE_BY_CREATOR), MIB(8));
	cr_assert_eq(size_by("win ", VHD_SIZE_BY_CREATOR), MIB(8));
	cr_assert_eq(size_by("vbox", VHD_SIZE_BY_CREATOR), MIB(8));
	cr_assert_eq(size_by("vpc ", VHD_SIZE_CURRENT), MIB(8));
	cr_assert_eq(size_by("win ", VHD_SIZE_CHS), 8355840);
	/* A geometry of more than the disk, and none at all. */
	put_be32(lab.now.data + FOOTER_CYLINDERS, 0x7fff10ff);
	put_be32(tail() + FOOTER_CYLINDERS, 0x7fff10ff);
	cr_assert_eq(size_by("vpc ", VHD_SIZE_BY_CREATOR), MIB(8));
	put_be32(lab.now.data + FOOTER_CYLINDERS, 0);
	put_be32(tail() + FOOTER_CYLINDERS, 0);
	cr_assert_eq(size_by("vpc ", VHD_SIZE_CHS), MIB(8));
}

Test(vhd_open, a_saved_state_keeps_its_disk)
{
	struct vhd_open_options options = { 0 };
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(8), 65536);
	lab.now.data[FOOTER_SAVED_STATE] = tail()[FOOTER_SAVED_STATE] = 1;
	seal_footers();
	cr_assert_eq(try_open(&options, &vhd), -EPERM);
	cr_assert(strstr(error, "saved state"), "%s", error);
	vhd_free(open_vhd(true));
	options.ignore_saved_state = true;
	cr_assert_eq(try_open(&options, &vhd), 0);
	vhd_free(vhd);
}

Test(vhd_open, a_child_names_its_parent)
{
	/* "Büro.vhd", then the same written little-endian. */
	static const uint8_t name[] = { 0, 'B', 0, 0xfc, 0, 'r', 0, 'o',
					0, '.', 0, 'v',	 0, 'h', 0, 'd' };
	const struct vhd_file files[2] = { { .name = "nt4.vhd", .io = &lab.io },
					   { .name = "base.vhd", .io = &lab.io } };
	struct vhd_info info;
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(8), 65536);
	lab.now.data[FOOTER_TYPE + 3] = tail()[FOOTER_TYPE + 3] = VHD_DIFFERENCING;
	memcpy(lab.now.data + 512 + HEADER_PARENT_NAME, name, sizeof(name));
	memcpy(lab.now.data + 512 + HEADER_PARENT_ID, id, 16);
	seal(lab.now.data + 512, 1024, HEADER_CHECKSUM);
	seal_footers();
	refuse(-ENOLINK, "nt4.vhd: its parent B\xc3\xbcro.vhd is needed");
	cr_assert_eq(vhd_probe(&files[0], &info, error, sizeof(error)), 0);
	cr_assert_str_eq(info.parent_name, "B\xc3\xbcro.vhd");
	cr_assert_eq(memcmp(info.parent_id, id, 16), 0);
	cr_assert_eq(vhd_open(files, 2, NULL, &vhd, error, sizeof(error)), -ELOOP);

	for (size_t i = 0; i < sizeof(name); i++)
		lab.now.data[512 + HEADER_PARENT_NAME + i] = name[i ^ 1];
	lab.now.data[512 + HEADER_PARENT_NAME + 2] = 'u';
	seal(lab.now.data + 512, 1024, HEADER_CHECKSUM);
	refuse(-ENOLINK, "its parent Buro.vhd is needed");
}

Test(vhd_open, a_parent_is_no_use_to_a_disk_of_its_own)
{
	const struct vhd_file files[2] = { { .name = "nt4.vhd", .io = &lab.io },
					   { .name = "base.vhd", .io = &lab.io } };
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(8), 65536);
	cr_assert_eq(vhd_open(files, 2, NULL, &vhd, error, sizeof(error)), -EINVAL);
	cr_assert_eq(vhd_open(files, 0, NULL, &vhd, error, sizeof(error)), -EINVAL);
	cr_assert_eq(vhd_open(files, 129, NULL, &vhd, error, sizeof(error)), -ELOOP);
}

Test(vhd_open, names_cannot_forge_a_line)
{
	const struct vhd_file file = { .name = "a\nb\x1b.vhd", .io = &lab.io };
	struct vhd_info info;

	cr_assert_eq(vhd_probe(&file, &info, error, sizeof(error)), -EMEDIUMTYPE);
	cr_assert_eq(strncmp(error, "a?b?.vhd: ", 10), 0, "%s", error);
}

/* --- blocks that lead nowhere */

static void set_entry(uint32_t block, uint32_t sector)
{
	put_be32(lab.now.data + 1536 + block * 4, sector);
}

Test(vhd_open, a_block_beyond_the_end_is_an_error_of_that_block)
{
	uint8_t data[512];
	struct vhd *vhd;

	create_with_text();
	set_entry(17, 12345);
	vhd = open_vhd(false);
	check_content(vhd, MIB(5), "hello");
	cr_assert_eq(read_at(vhd, 17 * 65536, data, 512), -EUCLEAN);
	cr_assert_str_eq(vhd_error(vhd),
			 "nt4.vhd: block 17 at sector 12345 lies beyond the end of the file");
	cr_assert_eq(write_at(vhd, 17 * 65536, "x", 1), -EUCLEAN);
	/* A new block might be put where the entry leads. */
	cr_assert_eq(write_at(vhd, 0, "x", 1), -EUCLEAN);
	cr_assert(strstr(vhd_error(vhd), "repaired"), "%s", vhd_error(vhd));
	cr_assert_eq(write_at(vhd, MIB(5), "jelly", 5), 0);
	cr_assert_eq(vhd_close(vhd), 0);
}

Test(vhd_open, a_block_on_the_metadata_is_refused)
{
	static const uint32_t sectors[] = { 0, 1, 2, 3, 0xfffffffe };
	uint8_t data[512];

	create_with_text();
	for (size_t i = 0; i < ARRAY_LEN(sectors); i++) {
		struct vhd *vhd;

		set_entry(17, sectors[i]);
		vhd = open_vhd(false);
		cr_assert_eq(read_at(vhd, 17 * 65536, data, 512), -EUCLEAN, "%u", sectors[i]);
		cr_assert_eq(write_at(vhd, 17 * 65536, data, 512), -EUCLEAN, "%u", sectors[i]);
		vhd_free(vhd);
	}
}

Test(vhd_open, the_missing_part_of_a_cut_block_reads_as_zeros)
{
	uint8_t data[1024];
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(8), 65536);
	vhd = open_vhd(false);
	memset(data, 0xaa, sizeof(data));
	cr_assert_eq(write_at(vhd, 0, data, 1024), 0);
	cr_assert_eq(write_at(vhd, 65536 - 1024, data, 1024), 0);
	cr_assert_eq(vhd_close(vhd), 0);
	/* The block's last 32 KiB are gone, the footer stands where they were. */
	memmove(tail() - 32768, tail(), 512);
	lab.io.ops->truncate(&lab.io, lab.now.size - 32768);
	vhd = open_vhd(false);
	cr_assert_eq(read_at(vhd, 0, data, 512), 0);
	cr_assert_eq(data[0], 0xaa);
	cr_assert_eq(read_at(vhd, 65536 - 1024, data, 1024), 0);
	cr_assert(data[0] == 0 && !memcmp(data, data + 1, 1023));
	/* Written to, it becomes whole, and the footer's old place is data of the block. */
	cr_assert_eq(write_at(vhd, 32768 + 4096, "x", 1), 0);
	cr_assert_eq(vhd_close(vhd), 0);
	vhd = open_vhd(true);
	check_content(vhd, 32768 + 4096, "x");
	cr_assert_eq(read_at(vhd, 32768, data, 1024), 0);
	cr_assert(data[0] == 0 && !memcmp(data, data + 1, 1023));
	vhd_free(vhd);
}

/* More entries than blocks, and the last place in the file belongs to one of those. Sanitizers look. */
Test(vhd_open, entries_beyond_the_disk_are_no_blocks)
{
	struct vhd_compact_result result;
	struct vhd *vhd;

	create(VHD_DYNAMIC, MIB(1), 65536);
	vhd = open_vhd(false);
	for (uint64_t block = 0; block < 3; block++)
		cr_assert_eq(write_at(vhd, block * 65536, "x", 1), 0);
	cr_assert_eq(vhd_close(vhd), 0);
	put_be32(lab.now.data + 512 + HEADER_TABLE_ENTRIES, 128);
	seal(lab.now.data + 512, 1024, HEADER_CHECKSUM);
	set_entry(120, get_be32(lab.now.data + 1536 + 8));
	set_entry(0, VHD_BLOCK_ABSENT);
	set_entry(2, VHD_BLOCK_ABSENT);
	vhd = open_vhd(false);
	cr_assert_eq(vhd_compact(vhd, NULL, &result, error, sizeof(error)), 0, "%s", error);
	check_content(vhd, 65536, "x");
	vhd_free(vhd);
}

/* --- creating */

static int try_create(enum vhd_type type, uint64_t bytes, uint32_t block_bytes)
{
	const struct vhd_file file = { .name = "nt4.vhd", .io = &lab.io };
	const struct vhd_create_options options = {
		.type = type,
		.size_bytes = bytes,
		.block_bytes = block_bytes,
	};

	return vhd_create(&file, &options, error, sizeof(error));
}

Test(vhd_open, creating_refuses_what_makes_no_sense)
{
	cr_assert_eq(try_create(VHD_DYNAMIC, GIB(2040) + 512, 0), -EFBIG);
	cr_assert_eq(try_create(VHD_DYNAMIC, MIB(1) - 512, 0), -EINVAL);
	cr_assert_eq(try_create(VHD_DYNAMIC, MIB(1) + 1, 0), -EINVAL);
	cr_assert_eq(try_create(VHD_DYNAMIC, MIB(8), 2048), -EINVAL);
	cr_assert_eq(try_create(VHD_DYNAMIC, MIB(8), 65537), -EINVAL);
	cr_assert_eq(try_create(VHD_DYNAMIC, GIB(2040), 4096), -EINVAL);
	cr_assert_eq(try_create(VHD_FIXED, MIB(8), 65536), -EINVAL);
	cr_assert_eq(try_create(VHD_DIFFERENCING, MIB(8), 0), -EINVAL, "no parent");
	cr_assert_eq(lab.now.size, 0);
	cr_assert_eq(try_create(VHD_DYNAMIC, MIB(8), 0), 0);
	cr_assert_eq(try_create(VHD_DYNAMIC, MIB(8), 0), -EEXIST);
}

Test(vhd_open, the_largest_dynamic_disk)
{
	uint8_t data[512] = "far away";
	struct vhd_info info;
	struct vhd *vhd;
	uint32_t count;

	create(VHD_DYNAMIC, GIB(2040), 0);
	cr_assert_lt(lab.writes, 16, "few calls for 4 MiB of table");
	lab.reads = 0;
	vhd = open_vhd(false);
	cr_assert_lt(lab.reads, 8, "opening does not read the table");
	cr_assert_eq(write_at(vhd, GIB(2040) - 512, data, 512), 0, "%s", vhd_error(vhd));
	cr_assert_eq(write_at(vhd, 512, data, 512), 0);
	cr_assert_eq(vhd_count_blocks(vhd, &count), 0);
	cr_assert_eq(count, 2);
	cr_assert_eq(vhd_close(vhd), 0);
	vhd = open_vhd(true);
	vhd_get_info(vhd, &info);
	cr_assert_eq(info.block_count, 1044480);
	check_content(vhd, GIB(2040) - 512, "far away");
	vhd_free(vhd);
}

Test(vhd_open, small_disks_take_little_memory)
{
	static const uint64_t sizes[] = { MIB(128), GIB(1), GIB(8) };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t before;
		struct vhd *vhd;

		teardown();
		setup();
		create(VHD_DYNAMIC, sizes[i], 0);
		before = mallinfo2().uordblks + mallinfo2().hblkhd;
		vhd = open_vhd(false);
		/* A sector of bitmap for each block, and little more. */
		cr_assert_lt(mallinfo2().uordblks + mallinfo2().hblkhd - before,
			     sizes[i] / MIB(2) * 580 + 40000);
		vhd_free(vhd);
	}
}

Test(vhd_open, memory_has_a_limit)
{
	const struct vhd_open_options options = { .cache_bytes = 65536 };
	struct vhd *vhd;
	size_t before;

	create(VHD_DYNAMIC, GIB(2040), 0);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	cr_assert_eq(try_open(&options, &vhd), 0);
	cr_assert_lt(mallinfo2().uordblks + mallinfo2().hblkhd - before,
		     65536 + sizeof(*vhd) + 8192);
	vhd_free(vhd);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	vhd = open_vhd(true);
	cr_assert_lt(mallinfo2().uordblks + mallinfo2().hblkhd - before,
		     VHD_CACHE_BYTES_DEFAULT + sizeof(*vhd) + 24576);
	vhd_free(vhd);
}
