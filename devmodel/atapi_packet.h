/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the ATAPI CD-ROM drive: atapi_cd.c is the protocol, atapi_packet.c the packet commands,
 * atapi_reply.c the answers of those that only ask.
 */
#ifndef DEVMODEL_ATAPI_PACKET_H
#define DEVMODEL_ATAPI_PACKET_H

#include "atapi_cd.h"
#include "cd_sector.h"

#define ATAPI_REPLY_MAX 4096

/* Sense keys. */
#define SENSE_NONE 0x0
#define SENSE_NOT_READY 0x2
#define SENSE_MEDIUM_ERROR 0x3
#define SENSE_ILLEGAL_REQUEST 0x5
#define SENSE_UNIT_ATTENTION 0x6

/* Additional sense codes, with their qualifier in the lower byte. */
#define ASC_UNRECOVERED_READ 0x1100
#define ASC_PARAMETER_LENGTH 0x1a00
#define ASC_INVALID_OPCODE 0x2000
#define ASC_BLOCK_OUT_OF_RANGE 0x2100
#define ASC_INVALID_FIELD 0x2400
#define ASC_INVALID_PARAMETER 0x2600
#define ASC_MEDIUM_CHANGED 0x2800
#define ASC_RESET 0x2900
#define ASC_INCOMPATIBLE_FORMAT 0x3002
#define ASC_SAVING_NOT_SUPPORTED 0x3900
#define ASC_NO_MEDIUM_TRAY_CLOSED 0x3a01
#define ASC_NO_MEDIUM_TRAY_OPEN 0x3a02
#define ASC_REMOVAL_PREVENTED 0x5302
#define ASC_ILLEGAL_MODE_FOR_TRACK 0x6400

static inline struct atapi_cd_state *atapi_state(const struct ata_drive *drive)
{
	return drive->cd->s;
}

/* --- commands; called when the host has written what they take */

void atapi_packet_written(struct ata_drive *drive);
void atapi_parameters_written(struct ata_drive *drive);

/* --- verbs for commands; each but the first ends the command or its step */

void atapi_set_sense(struct atapi_cd_state *s, uint8_t key, uint16_t asc);
void atapi_succeed(struct ata_drive *drive);
void atapi_check_condition(struct ata_drive *drive, uint8_t key, uint16_t asc);
void atapi_fail_not_ready(struct ata_drive *drive);
/* The command ends with @bytes of answer in the buffer. */
void atapi_respond(struct ata_drive *drive, uint32_t bytes);
/* The host sends @bytes of parameters: atapi_parameters_written(). */
void atapi_receive(struct ata_drive *drive, uint32_t bytes);
/* Sends @count blocks from @lba in the form that the packet asks for. */
void atapi_read_blocks(struct ata_drive *drive, uint32_t lba, uint32_t count);

/* --- answers */

/*
 * Fills @data, of ATAPI_REPLY_MAX zeros; the number of bytes whatever the host wants of them. Or
 * minus an ASC_*: ILLEGAL REQUEST.
 */
typedef int atapi_reply(struct ata_drive *drive, const uint8_t *packet, uint8_t *data);

atapi_reply atapi_inquiry, atapi_mode_sense, atapi_read_capacity, atapi_read_subchannel,
	atapi_read_toc, atapi_read_header, atapi_get_configuration, atapi_get_event,
	atapi_read_disc_information, atapi_read_track_information, atapi_read_disc_structure,
	atapi_mechanism_status;

/* Takes the parameters of MODE SELECT: 0, or minus an ASC_*. */
int atapi_mode_select(struct ata_drive *drive, const uint8_t *packet, const uint8_t *data,
		      uint32_t size);
void atapi_mode_defaults(struct atapi_cd_state *s);

/* GET EVENT STATUS NOTIFICATION, class media. */
#define ATAPI_EVENT_NONE 0
#define ATAPI_EVENT_EJECT_REQUEST 1
#define ATAPI_EVENT_NEW_MEDIUM 2
#define ATAPI_EVENT_REMOVAL 3

static inline uint32_t atapi_blocks(const struct ata_drive *drive)
{
	return (uint32_t)(drive->sectors / (CD_BLOCK_BYTES / BLOCK_SECTOR_BYTES));
}

#endif
