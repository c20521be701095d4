// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packet commands of an ATAPI CD/DVD-ROM drive: what they do. The reader starts at packet_commands,
 * at the end. What commands that only tell something answer is in atapi_reply.c.
 *
 * Documents: SFF-8020i revision 2.6, MMC-3 (INCITS 360). Not emulated: audio (there are only data
 * tracks; playing fails as on those), changers, writing, CSS keys.
 */
#include "atapi_packet.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

/* Flags of packet commands. */
#define NEEDS_MEDIUM 0x01u
#define KEEPS_ATTENTION 0x02u /* not failed by a unit attention */
#define KEEPS_SENSE 0x04u

struct packet_command {
	const char *name; /* NULL: no such command */
	void (*run)(struct ata_drive *drive);
	atapi_reply *reply; /* instead of run */
	uint8_t flags;
	/* Where the packet says how much of a reply the host takes; length_bytes 0: all. */
	uint8_t length_at, length_bytes;
};

static void refuse(struct ata_drive *drive, uint16_t asc)
{
	atapi_check_condition(drive, SENSE_ILLEGAL_REQUEST, asc);
}

/* The sense code of one pending unit attention, which is no longer pending; 0: none. */
static uint16_t take_attention(struct atapi_cd_state *s)
{
	if (s->attention & ATAPI_ATTENTION_RESET) {
		s->attention &= (uint8_t)~ATAPI_ATTENTION_RESET;
		return ASC_RESET;
	}
	if (s->attention & ATAPI_ATTENTION_MEDIUM) {
		s->attention &= (uint8_t)~ATAPI_ATTENTION_MEDIUM;
		return ASC_MEDIUM_CHANGED;
	}
	return 0;
}

/* --- commands that do something */

static void run_nothing(struct ata_drive *drive)
{
	atapi_succeed(drive);
}

static void run_request_sense(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint8_t *data = ata_buffer(drive);
	uint16_t attention = s->sense_key == SENSE_NONE ? take_attention(s) : 0;

	if (attention)
		atapi_set_sense(s, SENSE_UNIT_ATTENTION, attention);
	memset(data, 0, 18);
	data[0] = (uint8_t)(0x70 | (s->sense_lba_valid ? 0x80 : 0));
	data[2] = s->sense_key;
	put_be32(data + 3, s->sense_lba);
	data[7] = 10; /* bytes that follow */
	data[12] = s->asc;
	data[13] = s->ascq;
	atapi_set_sense(s, SENSE_NONE, 0);
	atapi_respond(drive, (uint32_t)min_u64(s->packet[4], 18));
}

static void close_tray(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);

	if (!s->tray_open)
		return;
	s->tray_open = 0;
	if (!drive->sectors)
		return;
	s->attention |= ATAPI_ATTENTION_MEDIUM;
	s->event = ATAPI_EVENT_NEW_MEDIUM;
}

static void run_start_stop(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	bool moves_tray = s->packet[4] & 0x02, start = s->packet[4] & 0x01;

	/* With a power condition in bits 7:4 the others mean nothing; the disc is always at speed.
	 */
	if ((s->packet[4] & 0xf0) || !moves_tray) {
		atapi_succeed(drive);
		return;
	}
	if (start) {
		close_tray(drive);
	} else if (s->locked) {
		refuse(drive, ASC_REMOVAL_PREVENTED);
		return;
	} else if (!s->tray_open) {
		s->tray_open = 1;
		s->event = ATAPI_EVENT_REMOVAL;
	}
	atapi_succeed(drive);
}

static void run_prevent_allow(struct ata_drive *drive)
{
	atapi_state(drive)->locked = atapi_state(drive)->packet[4] & 1;
	atapi_succeed(drive);
}

static void run_read_10(struct ata_drive *drive)
{
	const uint8_t *packet = atapi_state(drive)->packet;

	atapi_read_blocks(drive, get_be32(packet + 2), get_be16(packet + 7));
}

static void run_read_12(struct ata_drive *drive)
{
	const uint8_t *packet = atapi_state(drive)->packet;

	atapi_read_blocks(drive, get_be32(packet + 2), get_be32(packet + 6));
}

static void run_seek(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint32_t lba = get_be32(s->packet + 2);

	if (lba >= atapi_blocks(drive)) {
		refuse(drive, ASC_BLOCK_OUT_OF_RANGE);
		return;
	}
	s->lba = lba;
	atapi_succeed(drive);
}

/* Both READ CD commands, once their range is known. */
static void read_cd(struct ata_drive *drive, uint32_t lba, uint32_t count)
{
	const uint8_t *packet = atapi_state(drive)->packet;
	uint8_t type = packet[1] >> 2 & 7;
	uint32_t bytes;

	if (type != 0 && type != 2) { /* only mode 1 is there */
		refuse(drive, ASC_ILLEGAL_MODE_FOR_TRACK);
		return;
	}
	if (!cd_output_size(packet[9], packet[10] & 7, &bytes)) {
		refuse(drive, ASC_INVALID_FIELD);
		return;
	}
	/* Nothing asked for: the range is checked all the same. */
	if (!bytes && lba <= atapi_blocks(drive) && count <= atapi_blocks(drive) - lba)
		atapi_succeed(drive);
	else
		atapi_read_blocks(drive, lba, count);
}

static void run_read_cd(struct ata_drive *drive)
{
	const uint8_t *packet = atapi_state(drive)->packet;

	read_cd(drive, get_be32(packet + 2), get_be32(packet + 5) & 0xffffff);
}

/* The block at minute, second and frame @msf; false: none is there. */
static bool block_of(const uint8_t *msf, uint32_t *ret_lba)
{
	uint32_t frames = (msf[0] * 60u + msf[1]) * CD_BLOCKS_PER_SECOND + msf[2];

	if (msf[1] >= 60 || msf[2] >= CD_BLOCKS_PER_SECOND || frames < CD_PREGAP_BLOCKS)
		return false;
	*ret_lba = frames - CD_PREGAP_BLOCKS;
	return true;
}

static void run_read_cd_msf(struct ata_drive *drive)
{
	const uint8_t *packet = atapi_state(drive)->packet;
	uint32_t first, end;

	if (!block_of(packet + 3, &first) || !block_of(packet + 6, &end) || first > end)
		refuse(drive, ASC_INVALID_FIELD);
	else
		read_cd(drive, first, end - first);
}

/* There is no audio track; playing nothing succeeds. */
static void play(struct ata_drive *drive, uint32_t length)
{
	if (length)
		refuse(drive, ASC_ILLEGAL_MODE_FOR_TRACK);
	else
		atapi_succeed(drive);
}

static void run_play_10(struct ata_drive *drive)
{
	play(drive, get_be16(atapi_state(drive)->packet + 7));
}

static void run_play_12(struct ata_drive *drive)
{
	play(drive, get_be32(atapi_state(drive)->packet + 6));
}

static void run_play_msf(struct ata_drive *drive)
{
	const uint8_t *packet = atapi_state(drive)->packet;

	play(drive, (uint32_t)memcmp(packet + 3, packet + 6, 3));
}

static void run_play_track(struct ata_drive *drive)
{
	play(drive, 1);
}

/* The parameters follow as data from the host. */
static void run_mode_select(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	uint32_t bytes = s->packet[0] == 0x55 ? get_be16(s->packet + 7) : s->packet[4];

	if (s->packet[1] & 1) { /* save pages */
		refuse(drive, ASC_INVALID_FIELD);
		return;
	}
	if (!bytes) {
		atapi_succeed(drive);
		return;
	}
	atapi_receive(drive, bytes);
}

void atapi_parameters_written(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	int r = atapi_mode_select(drive, s->packet, ata_buffer(drive), drive->chan->s->data_end);

	if (r < 0)
		refuse(drive, (uint16_t)-r);
	else
		atapi_succeed(drive);
}

/* --- the packet */

static uint32_t allocation(const struct packet_command *command, const uint8_t *packet)
{
	const uint8_t *at = packet + command->length_at;

	switch (command->length_bytes) {
	case 0:
		return ATAPI_REPLY_MAX;
	case 1:
		return at[0];
	default:
		return get_be16(at);
	}
}

static void run_reply(struct ata_drive *drive, const struct packet_command *command)
{
	const uint8_t *packet = atapi_state(drive)->packet;
	uint8_t *data = ata_buffer(drive);
	int bytes;

	memset(data, 0, ATAPI_REPLY_MAX);
	bytes = command->reply(drive, packet, data);
	if (bytes < 0)
		refuse(drive, (uint16_t)-bytes);
	else
		atapi_respond(drive,
			      (uint32_t)min_u64((uint32_t)bytes, allocation(command, packet)));
}

static const struct packet_command packet_commands[256];

void atapi_packet_written(struct ata_drive *drive)
{
	struct atapi_cd_state *s = atapi_state(drive);
	const struct packet_command *command;
	uint16_t attention;

	memcpy(s->packet, ata_buffer(drive), ATAPI_PACKET_BYTES);
	command = &packet_commands[s->packet[0]];
	if (!(command->flags & KEEPS_ATTENTION)) {
		attention = take_attention(s);
		if (attention) {
			atapi_check_condition(drive, SENSE_UNIT_ATTENTION, attention);
			return;
		}
	}
	if (!(command->flags & KEEPS_SENSE))
		atapi_set_sense(s, SENSE_NONE, 0);
	if (!command->name)
		refuse(drive, ASC_INVALID_OPCODE);
	else if ((command->flags & NEEDS_MEDIUM) && !atapi_cd_ready(drive))
		atapi_fail_not_ready(drive);
	else if (command->reply)
		run_reply(drive, command);
	else
		command->run(drive);
}

#define REPLY(title, function, flag, at, bytes)                                                    \
	{                                                                                          \
		.name = (title), .reply = (function), .flags = (flag), .length_at = (at),          \
		.length_bytes = (bytes)                                                            \
	}
#define RUN(title, function, flag)                                                                 \
	{                                                                                          \
		.name = (title), .run = (function), .flags = (flag)                                \
	}

static const struct packet_command packet_commands[256] = {
	/* clang-format off */
	[0x00] = RUN("TEST UNIT READY", run_nothing, NEEDS_MEDIUM),
	[0x03] = RUN("REQUEST SENSE", run_request_sense, KEEPS_ATTENTION | KEEPS_SENSE),
	[0x12] = REPLY("INQUIRY", atapi_inquiry, KEEPS_ATTENTION, 3, 2),
	[0x15] = RUN("MODE SELECT(6)", run_mode_select, 0),
	[0x1a] = REPLY("MODE SENSE(6)", atapi_mode_sense, 0, 4, 1),
	[0x1b] = RUN("START STOP UNIT", run_start_stop, 0),
	[0x1e] = RUN("PREVENT ALLOW MEDIUM REMOVAL", run_prevent_allow, 0),
	[0x25] = REPLY("READ CAPACITY", atapi_read_capacity, NEEDS_MEDIUM, 0, 0),
	[0x28] = RUN("READ(10)", run_read_10, NEEDS_MEDIUM),
	[0x2b] = RUN("SEEK", run_seek, NEEDS_MEDIUM),
	[0x42] = REPLY("READ SUBCHANNEL", atapi_read_subchannel, NEEDS_MEDIUM, 7, 2),
	[0x43] = REPLY("READ TOC", atapi_read_toc, NEEDS_MEDIUM, 7, 2),
	[0x44] = REPLY("READ HEADER", atapi_read_header, NEEDS_MEDIUM, 7, 2),
	[0x45] = RUN("PLAY AUDIO(10)", run_play_10, NEEDS_MEDIUM),
	[0x46] = REPLY("GET CONFIGURATION", atapi_get_configuration, KEEPS_ATTENTION, 7, 2),
	[0x47] = RUN("PLAY AUDIO MSF", run_play_msf, NEEDS_MEDIUM),
	[0x48] = RUN("PLAY AUDIO TRACK INDEX", run_play_track, NEEDS_MEDIUM),
	[0x4a] = REPLY("GET EVENT STATUS NOTIFICATION", atapi_get_event, KEEPS_ATTENTION, 7, 2),
	[0x4b] = RUN("PAUSE RESUME", run_nothing, NEEDS_MEDIUM),
	[0x4e] = RUN("STOP PLAY", run_nothing, NEEDS_MEDIUM),
	[0x51] = REPLY("READ DISC INFORMATION", atapi_read_disc_information, NEEDS_MEDIUM, 7, 2),
	[0x52] = REPLY("READ TRACK INFORMATION", atapi_read_track_information, NEEDS_MEDIUM, 7, 2),
	[0x55] = RUN("MODE SELECT(10)", run_mode_select, 0),
	[0x5a] = REPLY("MODE SENSE(10)", atapi_mode_sense, 0, 7, 2),
	[0xa5] = RUN("PLAY AUDIO(12)", run_play_12, NEEDS_MEDIUM),
	[0xa8] = RUN("READ(12)", run_read_12, NEEDS_MEDIUM),
	[0xad] = REPLY("READ DISC STRUCTURE", atapi_read_disc_structure, NEEDS_MEDIUM, 8, 2),
	[0xb9] = RUN("READ CD MSF", run_read_cd_msf, NEEDS_MEDIUM),
	[0xba] = RUN("SCAN", run_play_track, NEEDS_MEDIUM),
	[0xbb] = RUN("SET CD SPEED", run_nothing, 0),
	[0xbd] = REPLY("MECHANISM STATUS", atapi_mechanism_status, 0, 8, 2),
	[0xbe] = RUN("READ CD", run_read_cd, NEEDS_MEDIUM),
	/* clang-format on */
};
