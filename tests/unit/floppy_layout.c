// SPDX-License-Identifier: GPL-2.0-or-later
/* mgmt/floppy_layout: the formats against those of the drives, and what a FAT reader finds. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bytes.h"
#include "../../devmodel/floppy_drive.h"
#include "../../mgmt/floppy_layout.h"
#include "../../mgmt/machine_config.h"

Test(floppy_layout, formats_are_those_of_the_drives)
{
	const struct floppy_format *format = floppy_formats;

	cr_assert_eq((int)MACHINE_FLOPPY_2880K, (int)FLOPPY_2880K);
	for (const struct floppy_layout *l = floppy_layouts; l->name; l++, format++) {
		cr_assert_str_eq(l->name, format->name);
		cr_assert_eq(l->tracks, format->tracks);
		cr_assert_eq(l->heads, format->heads);
		cr_assert_eq(l->sectors, format->sectors);
		cr_assert_eq(floppy_layout_find(floppy_format_bytes(format)), l);
		cr_assert_eq(l->drive, floppy_kind_for(format));
		for (unsigned int kind = MACHINE_FLOPPY_360K; kind <= MACHINE_FLOPPY_2880K; kind++)
			cr_assert_eq(floppy_layout_fits(l, kind),
				     floppy_kind_takes((enum floppy_kind)kind, format), "%s in %u",
				     l->name, kind);
	}
	cr_assert_null(format->name);
	cr_assert_null(floppy_layout_find(1000));
}

Test(floppy_layout, names_are_what_people_write)
{
	cr_assert_str_eq(floppy_layout_named("1.44m")->name, "1.44M");
	cr_assert_str_eq(floppy_layout_named("dmf")->name, "1.68M");
	cr_assert_null(floppy_layout_named("3M"));
	cr_assert_null(floppy_layout_named(""));
}

Test(floppy_layout, labels)
{
	cr_assert(floppy_label_valid("DISK 1"));
	cr_assert(floppy_label_valid("abcdefghijk"));
	cr_assert_not(floppy_label_valid("abcdefghijkl"));
	cr_assert_not(floppy_label_valid(""));
	cr_assert_not(floppy_label_valid(" A"));
	cr_assert_not(floppy_label_valid("A*"));
	cr_assert_not(floppy_label_valid("\x7f"));
}

/* The clusters that a reader derives must be those that the FAT has room for, and FAT12. */
Test(floppy_layout, file_systems_are_consistent)
{
	for (const struct floppy_layout *l = floppy_layouts; l->name; l++) {
		size_t bytes = (size_t)floppy_layout_bytes(l), system = floppy_system_bytes(l);
		uint8_t *disk = calloc(1, bytes), *root;
		unsigned int sectors, clusters;

		floppy_format(l, "Label", 0x12345678, 0x2a210000, disk);
		sectors = get_le16(disk + 19);
		cr_assert_eq(sectors * 512u, bytes);
		cr_assert_eq(get_le16(disk + 11), 512);
		cr_assert_eq(disk[16], 2);
		cr_assert_eq(disk[21], l->media);
		cr_assert_eq(get_le16(disk + 24), l->sectors);
		cr_assert_eq(get_le16(disk + 26), l->heads);
		cr_assert_eq(get_le16(disk + 510), 0xaa55);
		cr_assert_eq((1u + 2u * get_le16(disk + 22)) * 512 + get_le16(disk + 17) * 32u,
			     system);
		cr_assert_eq(get_le16(disk + 17) % 16, 0, "whole sectors");
		clusters = (sectors - (unsigned int)(system / 512)) / disk[13];
		cr_assert_lt(clusters, 4085, "%s", l->name);
		cr_assert_geq(get_le16(disk + 22) * 512u, ((clusters + 2) * 3 + 1) / 2, "%s",
			      l->name);
		cr_assert_lt((get_le16(disk + 22) - 2) * 512, (int)(clusters + 2) * 3 / 2);
		cr_assert_eq(disk[512], l->media);
		cr_assert_eq(get_le16(disk + 513), 0xffff);
		cr_assert_eq(disk[512 * (1 + l->fat_sectors)], l->media);
		root = disk + 512 * (1 + 2 * l->fat_sectors);
		cr_assert_eq(memcmp(root, "LABEL      \x08", 12), 0);
		cr_assert_eq(get_le32(root + 22), 0x2a210000);
		free(disk);
	}
}
