// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ATAPI CD/DVD-ROM drive with a tray. The protocol; what the commands do is in atapi_packet.c.
 *
 * Documents: ATA/ATAPI-6 (INCITS 361) for PACKET, SFF-8020i revision 2.6 and MMC-3 (INCITS 360) for
 * packet commands. Not emulated: overlapped commands, the media status commands of ATA, spinning up
 * and its time.
 *
 * Theory of operation
 *
 * PACKET runs in steps that s->stage names: the host writes twelve bytes (accelerated DRQ: without
 * an interrupt), atapi_packet_written() decides, data goes one way in DRQ blocks or by the bus
 * master, and a last interrupt brings the status. The interrupt reason is in the sector count
 * register, the size of each DRQ block in the byte count registers. Blocks read by DMA go from the
 * backend to memory; all else goes through the channel's buffer in pieces: a piece of READ CD is
 * read as user data and turned into what was asked for in place.
 *
 * A failed packet command leaves sense data, which the next command but REQUEST SENSE forgets. Unit
 * attentions wait in s->attention for a command that they can fail.
 *
 * The medium comes and goes between two steps. A command that was reading it ends at its next step
 * (ATAPI_LOST). A saved state remembers the number of blocks; with a medium of another size, or
 * none, loading it is a change of medium for the guest.
 */
#include "atapi_cd.h"

#include <errno.h>
#include <string.h>

#include "atapi_packet.h"
#include "../base/bits.h"
#include "../base/bytes.h"

#define MODEL "MAINSTAY VIRTUAL DVD-ROM"
#define FIRMWARE "1.0"

#define SIGNATURE_MID 0x14
#define SIGNATURE_HIGH 0xeb

/* PACKET's features register. */
#define FEATURE_DMA 0x01u
#define FEATURE_OVERLAP 0x02u

/* Interrupt reason, in the sector count register. */
#define REASON_CD 0x01u
#define REASON_IO 0x02u

#define LIMIT_MAX 0xfffe
/* Of one request that streams to memory. */
#define STREAM_BYTES_MAX MIB(16)

#define FIELD(member, ...) STATE_SUBFIELD(struct atapi_cd_state, member, __VA_ARGS__)
#define ARRAY(member) STATE_SUBARRAY(struct atapi_cd_state, member)

const struct state_field atapi_cd_fields[] = {
	FIELD(lba),
	FIELD(left),
	FIELD(part, .max = CD_BLOCK_BYTES - 1),
	FIELD(blocks),
	FIELD(sense_lba),
	FIELD(limit),
	FIELD(dma, .max = 1),
	FIELD(stage, .max = ATAPI_STAGE_MAX),
	ARRAY(packet),
	FIELD(sense_key, .max = 15),
	FIELD(asc),
	FIELD(ascq),
	FIELD(sense_lba_valid, .max = 1),
	FIELD(attention, .max = ATAPI_ATTENTION_RESET | ATAPI_ATTENTION_MEDIUM),
	FIELD(event, .max = ATAPI_EVENT_REMOVAL),
	FIELD(locked, .max = 1),
	FIELD(tray_open, .max = 1),
	FIELD(recovery),
	FIELD(retries),
	ARRAY(audio),
	ARRAY(reserved),
	STATE_END,
};

/* --- how packet commands end */

static void set_reason(struct ata_drive *drive, uint8_t reason)
{
	drive->s->count[ATA_CURRENT] = reason;
}

void atapi_set_sense(struct atapi_cd_state *s, uint8_t key, uint16_t asc)
{
	s->sense_key = key;
	s->asc = (uint8_t)(asc >> 8);
	s->ascq = (uint8_t)asc;
	s->sense_lba = 0;
	s->sense_lba_valid = 0;
}

void atapi_succeed(struct ata_drive *drive)
{
	atapi_state(drive)->stage = ATAPI_NONE;
	set_reason(drive, REASON_IO | REASON_CD);
	ata_complete(drive);
}

void atapi_check_condition(struct ata_drive *drive, uint8_t key, uint16_t asc)
{
	atapi_set_sense(atapi_state(drive), key, asc);
	atapi_state(drive)->stage = ATAPI_NONE;
	set_reason(drive, REASON_IO | REASON_CD);
	ata_fail(drive, (uint8_t)(key << 4), 0);
}

void atapi_fail_not_ready(struct ata_drive *drive)
{
	atapi_check_condition(drive, SENSE_NOT_READY,
			      atapi_state(drive)->tray_open ? ASC_NO_MEDIUM_TRAY_OPEN
							    : ASC_NO_MEDIUM_TRAY_CLOSED);
}

/* The medium is not the one that the command began to read. */
static void fail_lost(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);

	if (!atapi_cd_ready(drive)) {
		atapi_fail_not_ready(drive);
		return;
	}
	s->attention &= (uint8_t)~ATAPI_ATTENTION_MEDIUM;
	atapi_check_condition(drive, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
}

/* --- data */

/* Sends the first @bytes of the buffer, in DRQ blocks of whole @unit where the host's limit allows.
 */
static void send_buffer(struct ata_drive *drive, uint32_t bytes, uint32_t unit)
{
	struct ata_channel_state *channel = drive->chan->s;
	uint32_t limit = atapi_state(drive)->limit;

	if (atapi_state(drive)->dma) {
		channel->data_pos = 0;
		channel->data_end = bytes;
		ata_dma_wait(drive);
		return;
	}
	if (limit < 2) /* a forged state */
		limit = LIMIT_MAX;
	ata_data_in(drive, bytes, limit > unit ? limit - limit % unit : limit);
}

/* Ends a command with @bytes of answer in the buffer. */
void atapi_respond(struct ata_drive *drive, uint32_t bytes)
{
	if (!bytes) {
		atapi_succeed(drive);
		return;
	}
	atapi_state(drive)->stage = ATAPI_RESPONSE;
	send_buffer(drive, bytes, 1);
}

void atapi_receive(struct ata_drive *drive, uint32_t bytes)
{
	struct ata_channel_state *channel = drive->chan->s;
	struct atapi_cd_state *s = atapi_state(drive);

	s->stage = ATAPI_SELECT;
	if (s->dma) {
		channel->data_pos = 0;
		channel->data_end = bytes;
		ata_dma_wait(drive);
	} else {
		ata_data_out(drive, bytes, s->limit, false);
	}
}

/* How READ CD wants its sectors; those of other commands are user data. */
static void read_form(const struct atapi_cd_state *s, uint8_t *ret_fields, uint8_t *ret_subchannel)
{
	bool read_cd = s->packet[0] == 0xb9 || s->packet[0] == 0xbe;

	*ret_fields = read_cd ? s->packet[9] : CD_FIELD_USER;
	*ret_subchannel = read_cd ? s->packet[10] & 7 : CD_SUBCHANNEL_NONE;
}

/* Bytes of a block on their way to the host. At least one, also after loading a forged state. */
static uint32_t output_bytes(const struct atapi_cd_state *s)
{
	uint8_t fields, subchannel;
	uint32_t bytes = 0;

	read_form(s, &fields, &subchannel);
	return cd_output_size(fields, subchannel, &bytes) && bytes ? bytes : CD_BLOCK_BYTES;
}

/* Reads the next piece of the command into the buffer. */
static void fetch(struct ata_drive *drive)
{
	const struct atapi_cd_state *s = atapi_state(drive);
	uint32_t room = ATA_BUFFER_BYTES / (uint32_t)max_u64(output_bytes(s), CD_BLOCK_BYTES);

	ata_request(drive, ATA_REQUEST_READ, (uint64_t)s->lba * CD_BLOCK_BYTES,
		    (uint32_t)min_u64(s->left, room) * CD_BLOCK_BYTES);
}

/* Turns @count blocks of the buffer into what READ CD returns of them. */
static void convert(struct ata_drive *drive, uint32_t count, uint32_t bytes)
{
	const struct atapi_cd_state *s = atapi_state(drive);
	uint8_t block[CD_BLOCK_BYTES], fields, subchannel;
	uint8_t *buffer = ata_buffer(drive);

	read_form(s, &fields, &subchannel);
	if (fields == CD_FIELD_USER && subchannel == CD_SUBCHANNEL_NONE)
		return;
	/* In the order in which no block is overwritten before its turn. */
	for (uint32_t n = 0; n < count; n++) {
		uint32_t i = bytes > CD_BLOCK_BYTES ? count - 1 - n : n;

		memcpy(block, buffer + (size_t)i * CD_BLOCK_BYTES, CD_BLOCK_BYTES);
		cd_output(s->lba + i, block, fields, subchannel, buffer + (size_t)i * bytes);
	}
}

static void advance(struct atapi_cd_state *s, uint32_t blocks)
{
	blocks = (uint32_t)min_u64(blocks, s->left);
	s->lba += blocks;
	s->left -= blocks;
}

/* A piece has come into the buffer. */
static void piece_read(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint32_t bytes = output_bytes(s), unit = bytes;
	uint32_t count = drive->chan->s->request_bytes / CD_BLOCK_BYTES;

	/* More, or less than one, is in a forged state only. */
	count = (uint32_t)min_u64(count, ATA_BUFFER_BYTES / max_u64(bytes, CD_BLOCK_BYTES));
	if (!count) {
		atapi_succeed(drive);
		return;
	}
	convert(drive, count, bytes);
	advance(s, count);
	send_buffer(drive, count * bytes, unit);
}

static void piece_streamed(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint32_t bytes = s->part + drive->chan->s->request_bytes;

	advance(s, bytes / CD_BLOCK_BYTES);
	s->part = bytes % CD_BLOCK_BYTES;
	if (s->left)
		ata_dma_wait(drive);
	else
		atapi_succeed(drive);
}

/* Sends @count blocks from @lba in the form that the packet asks for. */
void atapi_read_blocks(struct ata_drive *drive, uint32_t lba, uint32_t count)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint8_t fields, subchannel;

	if (lba > atapi_blocks(drive) || count > atapi_blocks(drive) - lba) {
		atapi_check_condition(drive, SENSE_ILLEGAL_REQUEST, ASC_BLOCK_OUT_OF_RANGE);
		return;
	}
	read_form(s, &fields, &subchannel);
	s->lba = lba;
	s->left = count;
	s->part = 0;
	s->stage = ATAPI_READ;
	if (!count) {
		atapi_succeed(drive);
	} else if (s->dma && fields == CD_FIELD_USER && subchannel == CD_SUBCHANNEL_NONE) {
		s->stage = ATAPI_STREAM;
		ata_dma_wait(drive);
	} else {
		fetch(drive);
	}
}

/* --- callbacks of the channel */

static void cd_block(struct ata_drive *drive, uint32_t bytes)
{
	uint8_t stage = atapi_state(drive)->stage;

	if (stage == ATAPI_NONE) /* IDENTIFY PACKET DEVICE */
		return;
	if (stage == ATAPI_PACKET) {
		set_reason(drive, REASON_CD);
		return;
	}
	set_reason(drive, stage == ATAPI_SELECT ? 0 : REASON_IO);
	drive->s->lba_mid[ATA_CURRENT] = (uint8_t)bytes;
	drive->s->lba_high[ATA_CURRENT] = (uint8_t)(bytes >> 8);
}

static void cd_drained(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);

	/* The guest is in the middle of the access that took the last byte. */
	ata_hold(drive);
	if (s->stage == ATAPI_NONE)
		ata_complete_quietly(drive);
	else if (s->stage == ATAPI_LOST)
		fail_lost(drive);
	else if (s->stage == ATAPI_READ && s->left)
		fetch(drive);
	else
		atapi_succeed(drive);
}

static void cd_filled(struct ata_drive *drive)
{
	if (atapi_state(drive)->stage == ATAPI_SELECT)
		atapi_parameters_written(drive);
	else
		atapi_packet_written(drive);
}

static void cd_dma_ready(struct ata_drive *drive)
{
	const struct atapi_cd_state *s = atapi_state(drive);
	uint64_t left = (uint64_t)s->left * CD_BLOCK_BYTES - (s->left ? s->part : 0);

	/* Nobody looks while data flows; should the bus master fail, this is what ends it. */
	set_reason(drive, REASON_IO | REASON_CD);
	if (s->stage == ATAPI_LOST)
		fail_lost(drive);
	else if (s->stage == ATAPI_STREAM)
		ata_request_dma(drive, true, (uint64_t)s->lba * CD_BLOCK_BYTES + s->part,
				(uint32_t)min_u64(left, STREAM_BYTES_MAX));
	else
		ata_dma_copy(drive, s->stage != ATAPI_SELECT);
}

static void cd_requested(struct ata_drive *drive, enum ata_request request, int error)
{
	struct atapi_cd_state *s = atapi_state(drive);

	if (s->stage == ATAPI_LOST) {
		fail_lost(drive);
	} else if (error) {
		atapi_check_condition(drive, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ);
		s->sense_lba = s->lba;
		s->sense_lba_valid = 1;
	} else if (request == ATA_REQUEST_DMA) {
		piece_streamed(drive);
	} else {
		piece_read(drive);
	}
}

/* --- ATA commands */

static void run_packet(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint8_t features = drive->s->features[ATA_CURRENT];
	uint32_t limit = drive->s->lba_mid[ATA_CURRENT] | (uint32_t)drive->s->lba_high[ATA_CURRENT]
								  << 8;

	if (features & FEATURE_OVERLAP) {
		ata_fail(drive, ATA_ERROR_ABRT, 0);
		return;
	}
	/* Blocks that others follow have an even number of bytes. 0 is what word 125 says. */
	limit &= LIMIT_MAX;
	s->limit = (uint16_t)(limit ? limit : LIMIT_MAX);
	s->dma = features & FEATURE_DMA ? 1 : 0;
	s->stage = ATAPI_PACKET;
	drive->s->power = ATA_POWER_ACTIVE;
	ata_data_out(drive, ATAPI_PACKET_BYTES, ATAPI_PACKET_BYTES, true);
}

static void run_identify_packet(struct ata_drive *drive)
{
	struct ata_identity identity = {
		.model = MODEL,
		.serial = "MAINSTAY-CD",
		.firmware = FIRMWARE,
		.mode = drive->s->mode,
		.slave = drive->index == 1,
	};

	atapi_state(drive)->stage = ATAPI_NONE;
	ata_identify_packet(&identity, ata_buffer(drive));
	ata_data_in(drive, ATA_IDENTIFY_BYTES, ATA_IDENTIFY_BYTES);
}

/* Commands of disks by which hosts find out what this is. */
static void run_not_a_disk(struct ata_drive *drive)
{
	ata_set_signature(drive, SIGNATURE_MID, SIGNATURE_HIGH);
	ata_fail(drive, ATA_ERROR_ABRT, 0);
}

static void run_device_reset(struct ata_drive *drive)
{
	ata_device_reset(drive);
}

static void set_power(struct ata_drive *drive, uint8_t power)
{
	drive->s->power = power;
	ata_complete(drive);
}

static void run_idle(struct ata_drive *drive)
{
	set_power(drive, ATA_POWER_ACTIVE);
}

static void run_standby(struct ata_drive *drive)
{
	set_power(drive, ATA_POWER_STANDBY);
}

static void run_sleep(struct ata_drive *drive)
{
	set_power(drive, ATA_POWER_SLEEP);
}

static void run_check_power(struct ata_drive *drive)
{
	drive->s->count[ATA_CURRENT] = drive->s->power;
	ata_complete(drive);
}

static void run_set_features(struct ata_drive *drive)
{
	uint8_t subcommand = drive->s->features[ATA_CURRENT];
	uint8_t mode = drive->s->count[ATA_CURRENT], class = mode & ATA_MODE_CLASS;

	if (subcommand == 0x03 && ata_mode_valid(mode)) {
		/* A PIO mode leaves the DMA mode as it is. */
		if (class == ATA_MODE_MWDMA || class == ATA_MODE_UDMA)
			drive->s->mode = mode;
		ata_complete(drive);
	} else if (subcommand == 0x66 || subcommand == 0xcc) {
		ata_complete(drive); /* SRST reverts nothing in either case */
	} else {
		ata_fail(drive, ATA_ERROR_ABRT, 0);
	}
}

static const struct ata_command cd_commands[256] = {
	/* clang-format off */
	[0x08] = { "DEVICE RESET", run_device_reset, 0 },
	[0x20] = { "READ SECTORS", run_not_a_disk, 0 },
	[0xa0] = { "PACKET", run_packet, 0 },
	[0xa1] = { "IDENTIFY PACKET DEVICE", run_identify_packet, 0 },
	[0xe0] = { "STANDBY IMMEDIATE", run_standby, 0 },
	[0xe1] = { "IDLE IMMEDIATE", run_idle, 0 },
	[0xe2] = { "STANDBY", run_standby, 0 },
	[0xe3] = { "IDLE", run_idle, 0 },
	[0xe5] = { "CHECK POWER MODE", run_check_power, 0 },
	[0xe6] = { "SLEEP", run_sleep, 0 },
	[0xec] = { "IDENTIFY DEVICE", run_not_a_disk, 0 },
	[0xef] = { "SET FEATURES", run_set_features, 0 },
	/* clang-format on */
};

/* --- life, and the person at the drive */

static void cd_reset(struct ata_drive *drive, bool soft)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint8_t tray_open = s->tray_open;

	if (!soft) {
		*s = (struct atapi_cd_state){ .tray_open = tray_open };
		s->blocks = atapi_blocks(drive);
		atapi_mode_defaults(s);
		drive->s->mode = ATA_MODE_MWDMA | 2; /* as disks */
	}
	s->stage = ATAPI_NONE;
	s->left = 0;
	s->attention |= ATAPI_ATTENTION_RESET;
	atapi_set_sense(s, SENSE_NONE, 0);
	/* A packet device is not ready for ATA commands until one has succeeded. */
	drive->s->status = 0;
	ata_set_signature(drive, SIGNATURE_MID, SIGNATURE_HIGH);
}

/* The host's side of the medium of drive->backend. */
static void look_at_medium(struct ata_drive *drive)
{
	uint64_t blocks;

	memset(&drive->info, 0, sizeof(drive->info));
	if (drive->backend)
		block_info(drive->backend, &drive->info);
	/* What no packet can address is left out. */
	blocks = min_u64(drive->info.size_bytes / CD_BLOCK_BYTES, UINT32_MAX);
	drive->sectors = blocks * (CD_BLOCK_BYTES / BLOCK_SECTOR_BYTES);
}

/* The guest will find another medium than before, or none. */
static void medium_changed(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);

	if (s->stage == ATAPI_READ || s->stage == ATAPI_STREAM)
		s->stage = ATAPI_LOST;
	s->blocks = atapi_blocks(drive);
	s->lba = 0;
	if (s->blocks) {
		s->attention |= ATAPI_ATTENTION_MEDIUM;
		s->event = ATAPI_EVENT_NEW_MEDIUM;
	} else {
		s->attention &= (uint8_t)~ATAPI_ATTENTION_MEDIUM;
		s->event = ATAPI_EVENT_REMOVAL;
	}
}

/* A state was loaded: is this the medium that it was saved with? */
static void cd_loaded(struct ata_drive *drive)
{
	if (atapi_state(drive)->blocks != atapi_blocks(drive))
		medium_changed(drive);
}

void atapi_cd_init(struct ata_drive *drive, struct atapi_cd *cd, struct block_backend *backend)
{
	drive->kind = &atapi_cd_kind;
	drive->cd = cd;
	drive->backend = backend;
	look_at_medium(drive);
}

void atapi_cd_insert(struct ata_drive *drive, struct block_backend *backend)
{
	drive->backend = backend;
	look_at_medium(drive);
	atapi_state(drive)->tray_open = 0;
	medium_changed(drive);
}

int atapi_cd_eject(struct ata_drive *drive, bool force)
{
	struct atapi_cd_state *s = atapi_state(drive);

	if (s->locked && !s->tray_open && !force) {
		s->event = ATAPI_EVENT_EJECT_REQUEST;
		return -EBUSY;
	}
	drive->backend = NULL;
	look_at_medium(drive);
	s->tray_open = 1;
	medium_changed(drive);
	return 0;
}

const struct ata_drive_kind atapi_cd_kind = {
	.name = "ATAPI CD-ROM",
	.commands = cd_commands,
	.reset = cd_reset,
	.block = cd_block,
	.drained = cd_drained,
	.filled = cd_filled,
	.dma_ready = cd_dma_ready,
	.requested = cd_requested,
	.loaded = cd_loaded,
};
