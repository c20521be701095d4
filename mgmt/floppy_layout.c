// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sources: Microsoft Extensible Firmware Initiative FAT32 File System Specification 1.03 for boot
 * sector, FAT and directory; what DOS chooses for each format is in its FORMAT's own disks. DMF is
 * how Microsoft shipped its products: large clusters and a root directory of one sector.
 */
#include "floppy_layout.h"

#include <string.h>
#include <strings.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "machine_config.h"

const struct floppy_layout floppy_layouts[] = {
	/* clang-format off */
	{ "160K", MACHINE_FLOPPY_360K, 40, 1, 8, 0xfe, 1, 1, 64 },
	{ "180K", MACHINE_FLOPPY_360K, 40, 1, 9, 0xfc, 1, 2, 64 },
	{ "320K", MACHINE_FLOPPY_360K, 40, 2, 8, 0xff, 2, 1, 112 },
	{ "360K", MACHINE_FLOPPY_360K, 40, 2, 9, 0xfd, 2, 2, 112 },
	{ "720K", MACHINE_FLOPPY_1440K, 80, 2, 9, 0xf9, 2, 3, 112 },
	{ "1.2M", MACHINE_FLOPPY_1200K, 80, 2, 15, 0xf9, 1, 7, 224 },
	{ "1.44M", MACHINE_FLOPPY_1440K, 80, 2, 18, 0xf0, 1, 9, 224 },
	{ "1.68M", MACHINE_FLOPPY_1440K, 80, 2, 21, 0xf0, 4, 3, 16 },
	{ "2.88M", MACHINE_FLOPPY_2880K, 80, 2, 36, 0xf0, 2, 9, 240 },
	{ .name = NULL },
	/* clang-format on */
};

#define FATS 2
#define ENTRY_BYTES 32
#define ATTRIBUTE_LABEL 0x08
#define EXTENDED_BOOT_SIGNATURE 0x29

uint64_t floppy_layout_bytes(const struct floppy_layout *layout)
{
	return (uint64_t)layout->tracks * layout->heads * layout->sectors * FLOPPY_SECTOR_BYTES;
}

const struct floppy_layout *floppy_layout_find(uint64_t bytes)
{
	for (const struct floppy_layout *layout = floppy_layouts; layout->name; layout++) {
		if (floppy_layout_bytes(layout) == bytes)
			return layout;
	}
	return NULL;
}

const struct floppy_layout *floppy_layout_named(const char *name)
{
	if (!strcasecmp(name, "DMF"))
		name = "1.68M";
	for (const struct floppy_layout *layout = floppy_layouts; layout->name; layout++) {
		if (!strcasecmp(layout->name, name))
			return layout;
	}
	return NULL;
}

bool floppy_layout_fits(const struct floppy_layout *layout, unsigned int drive)
{
	/* The kinds whose disks a drive takes besides its own. */
	static const unsigned int also[] = {
		[MACHINE_FLOPPY_1200K] = BIT(MACHINE_FLOPPY_360K),
		[MACHINE_FLOPPY_2880K] = BIT(MACHINE_FLOPPY_1440K),
	};

	if (drive == MACHINE_FLOPPY_720K)
		return layout->sectors == 9 && layout->tracks == 80;
	return layout->drive == drive ||
	       (drive < ARRAY_LEN(also) && also[drive] & BIT(layout->drive));
}

bool floppy_label_valid(const char *label)
{
	size_t length = strlen(label);

	if (!length || length > FLOPPY_LABEL_MAX || label[0] == ' ')
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)label[i] < 0x20 || (unsigned char)label[i] > 0x7e ||
		    strchr("*?/\\|.,;:+=<>[]\"", label[i]))
			return false;
	}
	return true;
}

static uint32_t root_sectors(const struct floppy_layout *layout)
{
	return layout->root_entries * ENTRY_BYTES / FLOPPY_SECTOR_BYTES;
}

size_t floppy_system_bytes(const struct floppy_layout *layout)
{
	return (1 + FATS * (size_t)layout->fat_sectors + root_sectors(layout)) *
	       FLOPPY_SECTOR_BYTES;
}

/* As DOS keeps labels: in capitals, padded with blanks. */
static void put_label(uint8_t *to, const char *label)
{
	size_t length = strlen(label);

	memset(to, ' ', FLOPPY_LABEL_MAX);
	for (size_t i = 0; i < length && i < FLOPPY_LABEL_MAX; i++)
		to[i] = (uint8_t)(label[i] >= 'a' && label[i] <= 'z' ? label[i] - 'a' + 'A'
								     : label[i]);
}

/* Says so, waits for a key, and lets the firmware try again. Runs at 0:7C3Eh. */
static const uint8_t no_system_code[] = {
	0x31, 0xc0,	  /* xor ax, ax */
	0x8e, 0xd8,	  /* mov ds, ax */
	0xfc,		  /* cld */
	0xbe, 0x5a, 0x7c, /* mov si, text */
	0xac,		  /* next: lodsb */
	0x84, 0xc0,	  /* test al, al */
	0x74, 0x09,	  /* jz wait */
	0xb4, 0x0e,	  /* mov ah, 0eh */
	0xbb, 0x07, 0x00, /* mov bx, 7 */
	0xcd, 0x10,	  /* int 10h */
	0xeb, 0xf2,	  /* jmp next */
	0x30, 0xe4,	  /* wait: xor ah, ah */
	0xcd, 0x16,	  /* int 16h */
	0xcd, 0x19,	  /* int 19h */
};
static const char no_system_text[] = "\r\nThere is no system on this disk.\r\n"
				     "Change it and press a key.\r\n";

static void put_boot_sector(const struct floppy_layout *layout, const char *label, uint32_t serial,
			    uint8_t *sector)
{
	static const uint8_t jump[] = { 0xeb, 0x3c, 0x90 };

	memcpy(sector, jump, sizeof(jump));
	memcpy(sector + 3, "MAINSTAY", 8);
	put_le16(sector + 11, FLOPPY_SECTOR_BYTES);
	sector[13] = layout->cluster_sectors;
	put_le16(sector + 14, 1);
	sector[16] = FATS;
	put_le16(sector + 17, layout->root_entries);
	put_le16(sector + 19, (uint16_t)(floppy_layout_bytes(layout) / FLOPPY_SECTOR_BYTES));
	sector[21] = layout->media;
	put_le16(sector + 22, layout->fat_sectors);
	put_le16(sector + 24, layout->sectors);
	put_le16(sector + 26, layout->heads);
	sector[38] = EXTENDED_BOOT_SIGNATURE;
	put_le32(sector + 39, serial);
	put_label(sector + 43, label ? label : "NO NAME");
	memcpy(sector + 54, "FAT12   ", 8);
	memcpy(sector + 62, no_system_code, sizeof(no_system_code));
	memcpy(sector + 62 + sizeof(no_system_code), no_system_text, sizeof(no_system_text));
	put_le16(sector + 510, 0xaa55);
}

void floppy_format(const struct floppy_layout *layout, const char *label, uint32_t serial,
		   uint32_t time, uint8_t *sectors)
{
	uint8_t *fat = sectors + FLOPPY_SECTOR_BYTES;

	put_boot_sector(layout, label, serial, sectors);
	for (unsigned int i = 0; i < FATS; i++) {
		fat[0] = layout->media;
		fat[1] = fat[2] = 0xff;
		fat += (size_t)layout->fat_sectors * FLOPPY_SECTOR_BYTES;
	}
	if (!label)
		return;
	/* The root directory's first entry; time is the low half of a stamp, the date the high. */
	put_label(fat, label);
	fat[11] = ATTRIBUTE_LABEL;
	put_le32(fat + 22, time);
}
