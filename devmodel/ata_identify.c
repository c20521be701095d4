// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IDENTIFY DEVICE data of an ATA disk, IDENTIFY PACKET DEVICE data of a CD-ROM drive.
 *
 * Document: ATA/ATAPI-6 (INCITS 361), IDENTIFY DEVICE, and ATA-1 (X3.221) for the words that later
 * revisions retired (4, 5, 20 to 22, 48, 51, 52): boot code and drivers of the NT 4.0 age read
 * them. Shown are MWDMA 2 and UDMA 2, the best that a PIIX4 can do. Not shown: the host protected
 * area, queueing, acoustic and advanced power management, none of which the disk has.
 */
#include "ata_identify.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

/* Beyond 16383 x 16 x 63 sectors cylinders, heads and sectors do not tell the capacity any more. */
#define CHS_CYLINDERS_MAX 16383
#define CHS_HEADS_MAX 16
#define CHS_SECTORS_MAX 63
#define CHS_CAPACITY_MAX UINT64_C(16514064)
#define LBA28_SECTORS_MAX 0x0fffffff

#define SEAL_SIGNATURE 0xa5

struct ata_geometry ata_geometry_for(uint64_t disk_sectors, uint8_t heads, uint8_t sectors)
{
	uint64_t cylinders = min_u64(disk_sectors, CHS_CAPACITY_MAX) / (heads * (uint32_t)sectors);

	return (struct ata_geometry){
		.cylinders = (uint16_t)min_u64(cylinders, UINT16_MAX),
		.heads = heads,
		.sectors = sectors,
	};
}

bool ata_geometry_usable(struct ata_geometry geometry)
{
	return geometry.cylinders >= 1 && geometry.cylinders <= CHS_CYLINDERS_MAX &&
	       geometry.heads >= 1 && geometry.heads <= CHS_HEADS_MAX && geometry.sectors >= 1 &&
	       geometry.sectors <= CHS_SECTORS_MAX;
}

uint32_t ata_geometry_sectors(struct ata_geometry geometry)
{
	return (uint32_t)geometry.cylinders * geometry.heads * geometry.sectors;
}

static void put_word(uint8_t *data, unsigned int word, uint32_t value)
{
	put_le16(data + 2 * word, (uint16_t)value);
}

void ata_identify_text(uint8_t *data, unsigned int word, unsigned int characters, const char *text)
{
	size_t length = strnlen(text, characters);

	for (unsigned int i = 0; i < characters; i++)
		data[2 * word + (i ^ 1)] = i < length ? (uint8_t)text[i] : ' ';
}

void ata_identify_seal(uint8_t *data)
{
	uint8_t sum = SEAL_SIGNATURE;

	for (unsigned int i = 0; i < ATA_IDENTIFY_BYTES - 2; i++)
		sum = (uint8_t)(sum + data[i]);
	data[ATA_IDENTIFY_BYTES - 2] = SEAL_SIGNATURE;
	data[ATA_IDENTIFY_BYTES - 1] = (uint8_t)(0x100 - sum);
}

/* Bits of words 63 and 88: modes 0 to 2 supported, and in the upper byte the selected one. */
static uint32_t dma_modes(uint8_t mode, uint8_t class)
{
	return 0x0007 | ((mode & ATA_MODE_CLASS) == class ? BIT(8 + (mode & 7)) : 0);
}

bool ata_mode_valid(uint8_t mode)
{
	uint8_t number = mode & (uint8_t)~ATA_MODE_CLASS;

	switch (mode & ATA_MODE_CLASS) {
	case ATA_MODE_PIO_DEFAULT:
		return number <= 1;
	case ATA_MODE_PIO_FLOW:
		return number <= 4;
	case ATA_MODE_MWDMA:
	case ATA_MODE_UDMA:
		return number <= 2;
	default:
		return false;
	}
}

static void put_geometry(uint8_t *data, const struct ata_identity *identity)
{
	const struct ata_geometry *native = &identity->native, *current = &identity->current;
	uint32_t current_sectors = ata_geometry_sectors(*current);

	put_word(data, 1, native->cylinders);
	put_word(data, 3, native->heads);
	put_word(data, 4, native->sectors * 512u); /* unformatted bytes per track */
	put_word(data, 5, 512);			   /* unformatted bytes per sector */
	put_word(data, 6, native->sectors);
	put_word(data, 54, current->cylinders);
	put_word(data, 55, current->heads);
	put_word(data, 56, current->sectors);
	put_le32(data + 2 * 57, current_sectors);
	put_le32(data + 2 * 60, (uint32_t)min_u64(identity->sectors, LBA28_SECTORS_MAX));
	put_le64(data + 2 * 100, identity->sectors);
}

static void put_features(uint8_t *data, const struct ata_identity *identity)
{
	/* NOP, READ and WRITE BUFFER, look-ahead, write cache, power management, security, SMART.
	 */
	put_word(data, 82, 0x706b);
	put_word(data, 83, 0x7400); /* FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses */
	put_word(data, 84, 0x4000);
	put_word(data, 85,
		 0x7008u | (identity->smart ? BIT(0) : 0) | (identity->write_cache ? BIT(5) : 0) |
			 (identity->look_ahead ? BIT(6) : 0));
	put_word(data, 86, 0x3400);
	put_word(data, 87, 0x4000);
	put_word(data, 128, 0x0009); /* security: supported and frozen, as a BIOS leaves it */
}

/* What a drive tells of itself and its transfer modes, whatever it is. */
static void put_common(uint8_t *data, const struct ata_identity *identity)
{
	ata_identify_text(data, 10, 20, identity->serial);
	ata_identify_text(data, 23, 8, identity->firmware);
	ata_identify_text(data, 27, 40, identity->model);
	put_word(data, 51, 0x0200); /* PIO mode 2 without flow control */
	put_word(data, 52, 0x0200);
	put_word(data, 53, get_le16(data + 2 * 53) | 0x0006u); /* words 64 to 70, 88 are valid */
	put_word(data, 63, dma_modes(identity->mode, ATA_MODE_MWDMA));
	put_word(data, 64, 0x0003); /* PIO modes 3 and 4 */
	for (unsigned int word = 65; word <= 68; word++)
		put_word(data, word, 120); /* cycle times in ns */
	put_word(data, 80, 0x007e);	   /* ATA-1 to ATA/ATAPI-6 */
	put_word(data, 88, dma_modes(identity->mode, ATA_MODE_UDMA));
	/* Hardware reset result: 40-wire cable, diagnostics passed, device number set by jumper. */
	put_word(data, 93, identity->slave ? 0x4b00 : 0x400b);
}

void ata_identify_disk(const struct ata_identity *identity, uint8_t data[ATA_IDENTIFY_BYTES])
{
	memset(data, 0, ATA_IDENTIFY_BYTES);
	put_word(data, 0, 0x0040); /* fixed disk */
	put_geometry(data, identity);
	put_word(data, 20, 3);	 /* dual-ported buffer with read cache */
	put_word(data, 21, 512); /* its size in sectors */
	put_word(data, 22, 4);	 /* ECC bytes of READ LONG */
	put_word(data, 47, 0x8000 | ATA_MULTIPLE_SHOWN);
	put_word(data, 48, 1);	    /* doubleword transfers */
	put_word(data, 49, 0x0f00); /* IORDY, LBA, DMA */
	put_word(data, 50, 0x4000);
	put_word(data, 53, 0x0001); /* words 54 to 58 are valid */
	put_word(data, 59, identity->multiple ? 0x0100u | identity->multiple : 0);
	put_features(data, identity);
	put_common(data, identity);
	ata_identify_seal(data);
}

void ata_identify_packet(const struct ata_identity *identity, uint8_t data[ATA_IDENTIFY_BYTES])
{
	memset(data, 0, ATA_IDENTIFY_BYTES);
	put_word(data, 0, 0x85c0);  /* CD-ROM, removable, accelerated DRQ, packets of 12 bytes */
	put_word(data, 49, 0x0f00); /* IORDY, LBA, DMA */
	put_word(data, 82, 0x4218); /* NOP, DEVICE RESET, PACKET, power management */
	put_word(data, 83, 0x4000);
	put_word(data, 84, 0x4000);
	put_word(data, 85, 0x4218);
	put_word(data, 87, 0x4000);
	put_word(data, 125, 0xfffe); /* what a byte count limit of 0 means */
	put_common(data, identity);
	ata_identify_seal(data);
}
