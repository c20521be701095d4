/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 512 bytes that an ATA disk answers to IDENTIFY DEVICE: a pure function of what they tell. */
#ifndef DEVMODEL_ATA_IDENTIFY_H
#define DEVMODEL_ATA_IDENTIFY_H

#include <stdbool.h>
#include <stdint.h>

#define ATA_IDENTIFY_BYTES 512

/* What one sector address in cylinders, heads and sectors spans. */
struct ata_geometry {
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors; /* per track */
};

struct ata_identity {
	uint64_t sectors;
	const char *model;		     /* at most 40 characters */
	const char *serial;		     /* at most 20 */
	const char *firmware;		     /* at most 8 */
	struct ata_geometry native;	     /* after power-on */
	struct ata_geometry current;	     /* as INITIALIZE DEVICE PARAMETERS set it */
	uint8_t multiple;		     /* sectors of a READ MULTIPLE block, 0: disabled */
	uint8_t mode;			     /* transfer mode as SET FEATURES 03h takes it */
	bool write_cache, look_ahead, smart; /* enabled */
	bool slave;
};

/* Transfer modes of SET FEATURES 03h: class in bits 7:3, number in bits 2:0. */
#define ATA_MODE_CLASS 0xf8
#define ATA_MODE_PIO_DEFAULT 0x00
#define ATA_MODE_PIO_FLOW 0x08
#define ATA_MODE_MWDMA 0x20
#define ATA_MODE_UDMA 0x40
#define ATA_MULTIPLE_SHOWN 16 /* word 47 */

/* The geometry after INITIALIZE DEVICE PARAMETERS with @heads and @sectors, neither 0. */
struct ata_geometry ata_geometry_for(uint64_t disk_sectors, uint8_t heads, uint8_t sectors);
/* Whether an ATA disk can show @geometry: 1 to 16383 cylinders, to 16 heads, to 63 sectors. */
bool ata_geometry_usable(struct ata_geometry geometry);
uint32_t ata_geometry_sectors(struct ata_geometry geometry);

void ata_identify_disk(const struct ata_identity *identity, uint8_t ret_data[ATA_IDENTIFY_BYTES]);

/* The same of a CD-ROM drive, for IDENTIFY PACKET DEVICE: of @identity texts, mode and slave. */
void ata_identify_packet(const struct ata_identity *identity, uint8_t ret_data[ATA_IDENTIFY_BYTES]);

/* Whether SET FEATURES 03h can select @mode. */
bool ata_mode_valid(uint8_t mode);

/* The text of @characters bytes at word @word: blanks behind it, the bytes of each word swapped. */
void ata_identify_text(uint8_t *data, unsigned int word, unsigned int characters, const char *text);
/* Word 255: signature and checksum over all that stands before. */
void ata_identify_seal(uint8_t *data);

#endif
