/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drive kind "ATAPI CD/DVD-ROM drive" on an ATA channel. */
#ifndef DEVMODEL_ATAPI_CD_H
#define DEVMODEL_ATAPI_CD_H

#include <stdbool.h>
#include <stdint.h>

#include "ata_channel.h"

#define ATAPI_PACKET_BYTES 12
#define ATAPI_AUDIO_BYTES 8

/* Where a PACKET command stands. */
enum atapi_stage {
	ATAPI_NONE,
	ATAPI_PACKET,	/* the host writes the packet */
	ATAPI_RESPONSE, /* what the buffer holds goes to the host, and that is all */
	ATAPI_SELECT,	/* the host writes the parameters of MODE SELECT */
	ATAPI_READ,	/* blocks go through the buffer */
	ATAPI_STREAM,	/* blocks go from the medium to memory */
	ATAPI_LOST,	/* the medium went while they did */
	ATAPI_STAGE_MAX = ATAPI_LOST,
};

struct atapi_cd_state {
	uint32_t lba;	 /* next block */
	uint32_t left;	 /* blocks to go */
	uint32_t part;	 /* bytes of the next block that are done */
	uint32_t blocks; /* of the medium, 0: none */
	uint32_t sense_lba;
	uint16_t limit; /* bytes of a DRQ block at most */
	uint8_t dma;	/* the command's data goes by the bus master */
	uint8_t stage;
	uint8_t packet[ATAPI_PACKET_BYTES];
	uint8_t sense_key, asc, ascq;
	uint8_t sense_lba_valid;
	uint8_t attention; /* unit attentions to be reported: ATAPI_ATTENTION_* */
	uint8_t event;	   /* of the class media, to be reported */
	uint8_t locked;	   /* PREVENT ALLOW MEDIUM REMOVAL */
	uint8_t tray_open;
	uint8_t recovery, retries;	  /* of mode page 01h */
	uint8_t audio[ATAPI_AUDIO_BYTES]; /* channels and volumes of mode page 0Eh */
	uint8_t reserved[6];		  /* 0 */
};

#define ATAPI_ATTENTION_RESET 0x01u
#define ATAPI_ATTENTION_MEDIUM 0x02u

extern const struct state_field atapi_cd_fields[];

struct atapi_cd {
	struct atapi_cd_state *s;
};

extern const struct ata_drive_kind atapi_cd_kind;

/* Puts a drive at @drive, with the medium of @backend; NULL, or of no bytes: without one. */
void atapi_cd_init(struct ata_drive *drive, struct atapi_cd *cd, struct block_backend *backend);

/*
 * The person puts a medium in, and the tray closes. The backend that was there gets no requests any
 * more, but must complete those that it has.
 */
void atapi_cd_insert(struct ata_drive *drive, struct block_backend *backend);

/*
 * The person presses the eject button: the tray opens and the medium is gone. Where the guest has
 * locked the tray it is only told of the wish, and opens the tray itself or does not: -EBUSY.
 * @force: as with a paper clip.
 */
int atapi_cd_eject(struct ata_drive *drive, bool force);

/* What a guest can read now: neither without medium nor with an open tray. */
static inline bool atapi_cd_ready(const struct ata_drive *drive)
{
	return drive->sectors && !drive->cd->s->tray_open;
}

#endif
