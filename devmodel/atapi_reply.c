// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers of an ATAPI CD/DVD-ROM drive: descriptions of the drive, its modes, the disc and its
 * tracks.
 *
 * Documents: SFF-8020i revision 2.6, MMC-3 (INCITS 360) and for DVDs the Mt. Fuji specification
 * (INF-8090). Every medium is one session with one track of mode 1 sectors. One that no CD could
 * hold is a DVD, of a single layer however large it is. Not emulated: CD-TEXT, ATIP and PMA, the
 * keys of protected DVDs, mode pages other than 01h, 0Dh, 0Eh and 2Ah, saved pages.
 */
#include "atapi_packet.h"

#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

/* Beyond what even a disc of 99 minutes holds. */
#define CD_BLOCKS_MAX (100u * 60 * CD_BLOCKS_PER_SECOND)

#define PROFILE_NONE 0x0000
#define PROFILE_CD_ROM 0x0008
#define PROFILE_DVD_ROM 0x0010

#define SPEED_KB 7056 /* 40 times that of an audio disc */
#define BUFFER_KB 128
#define LEAD_OUT 0xaa

static uint16_t profile_of(const struct ata_drive *drive)
{
	if (!atapi_cd_ready(drive))
		return PROFILE_NONE;
	return atapi_blocks(drive) > CD_BLOCKS_MAX ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

/* --- the drive */

static void put_text(uint8_t *to, size_t size, const char *text)
{
	size_t length = strnlen(text, size);

	memset(to, ' ', size);
	memcpy(to, text, length);
}

int atapi_inquiry(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	(void)drive;
	/* Vital product data came later. */
	if ((packet[1] & 1) || packet[2])
		return -ASC_INVALID_FIELD;
	data[0] = 0x05; /* CD-ROM device */
	data[1] = 0x80; /* removable */
	data[3] = 0x21; /* ATAPI version 2, response format 1 */
	data[4] = 31;
	put_text(data + 8, 8, "MAINSTAY");
	put_text(data + 16, 16, "VIRTUAL DVD-ROM");
	put_text(data + 32, 4, "1.0");
	return 36;
}

int atapi_mechanism_status(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	const struct atapi_cd_state *s = drive->cd->s;

	(void)packet;
	data[1] = s->tray_open ? 0x10 : 0;
	data[2] = (uint8_t)(s->lba >> 16);
	put_be16(data + 3, (uint16_t)s->lba);
	data[5] = 1; /* slot: no changer */
	return 8;
}

/* --- modes */

void atapi_mode_defaults(struct atapi_cd_state *s)
{
	static const uint8_t audio[ATAPI_AUDIO_BYTES] = { 1, 0xff, 2, 0xff };

	s->recovery = 0;
	s->retries = 5;
	memcpy(s->audio, audio, sizeof(audio));
}

/* The page control of MODE SENSE. */
enum values { CURRENT, CHANGEABLE, DEFAULT, SAVED };

static void put_recovery(const struct ata_drive *drive, enum values values, uint8_t *page)
{
	struct atapi_cd_state defaults;
	const struct atapi_cd_state *s = drive->cd->s;

	if (values == DEFAULT) {
		atapi_mode_defaults(&defaults);
		s = &defaults;
	}
	page[2] = values == CHANGEABLE ? 0xff : s->recovery;
	page[3] = values == CHANGEABLE ? 0xff : s->retries;
}

static void put_cd_parameters(const struct ata_drive *drive, enum values values, uint8_t *page)
{
	(void)drive;
	if (values == CHANGEABLE)
		return;
	put_be16(page + 4, 60); /* seconds of a minute */
	put_be16(page + 6, CD_BLOCKS_PER_SECOND);
}

static void put_audio(const struct ata_drive *drive, enum values values, uint8_t *page)
{
	struct atapi_cd_state defaults;
	const struct atapi_cd_state *s = drive->cd->s;

	if (values == CHANGEABLE) {
		memset(page + 8, 0xff, ATAPI_AUDIO_BYTES);
		return;
	}
	if (values == DEFAULT) {
		atapi_mode_defaults(&defaults);
		s = &defaults;
	}
	page[2] = 0x04; /* PLAY AUDIO returns at once */
	memcpy(page + 8, s->audio, ATAPI_AUDIO_BYTES);
}

static void put_capabilities(const struct ata_drive *drive, enum values values, uint8_t *page)
{
	if (values == CHANGEABLE)
		return;
	page[2] = 0x0b; /* reads CD-R, CD-RW and DVD-ROM */
	/* A tray that can be ejected and locked. */
	page[6] = (uint8_t)(0x29 | (drive->cd->s->locked ? 0x02 : 0));
	put_be16(page + 8, SPEED_KB);
	put_be16(page + 12, BUFFER_KB);
	put_be16(page + 14, SPEED_KB);
}

static const struct mode_page {
	uint8_t code, length;
	void (*put)(const struct ata_drive *drive, enum values values, uint8_t *page);
} mode_pages[] = {
	{ 0x01, 0x06, put_recovery },
	{ 0x0d, 0x06, put_cd_parameters },
	{ 0x0e, 0x0e, put_audio },
	{ 0x2a, 0x14, put_capabilities },
};

#define ALL_PAGES 0x3f

static uint8_t medium_type(const struct ata_drive *drive)
{
	if (drive->cd->s->tray_open)
		return 0x71;
	return drive->sectors ? 0x01 : 0x70;
}

int atapi_mode_sense(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	bool ten = packet[0] == 0x5a;
	enum values values = packet[2] >> 6;
	uint8_t code = packet[2] & 0x3f;
	unsigned int header = ten ? 8 : 4, at = header;

	if (values == SAVED)
		return -ASC_SAVING_NOT_SUPPORTED;
	for (unsigned int i = 0; i < ARRAY_LEN(mode_pages); i++) {
		const struct mode_page *page = &mode_pages[i];

		if (code != page->code && code != ALL_PAGES)
			continue;
		data[at] = page->code;
		data[at + 1] = page->length;
		page->put(drive, values, data + at);
		at += 2u + page->length;
	}
	if (at == header)
		return -ASC_INVALID_FIELD;
	if (ten)
		put_be16(data, (uint16_t)(at - 2));
	else
		data[0] = (uint8_t)(at - 1);
	data[ten ? 2 : 1] = medium_type(drive);
	return (int)at;
}

/* One page of MODE SELECT. What cannot be changed is ignored. */
static int select_page(struct atapi_cd_state *s, const uint8_t *page)
{
	uint8_t code = page[0] & 0x3f, length = page[1];

	for (unsigned int i = 0; i < ARRAY_LEN(mode_pages); i++) {
		if (mode_pages[i].code != code)
			continue;
		if (mode_pages[i].length != length || code == 0x2a)
			return -ASC_INVALID_PARAMETER;
		if (code == 0x01) {
			s->recovery = page[2];
			s->retries = page[3];
		} else if (code == 0x0e) {
			memcpy(s->audio, page + 8, ATAPI_AUDIO_BYTES);
		}
		return 0;
	}
	return -ASC_INVALID_PARAMETER;
}

int atapi_mode_select(struct ata_drive *drive, const uint8_t *packet, const uint8_t *data,
		      uint32_t size)
{
	struct atapi_cd_state changed = *drive->cd->s;
	bool ten = packet[0] == 0x55;
	uint32_t header = ten ? 8 : 4, at;

	if (size < header)
		return -ASC_PARAMETER_LENGTH;
	/* Block descriptors have nothing to say to a drive whose blocks are of one size. */
	at = header + (ten ? get_be16(data + 6) : data[3]);
	while (at < size) {
		int r;

		if (size - at < 2 || size - at - 2 < data[at + 1])
			return -ASC_PARAMETER_LENGTH;
		r = select_page(&changed, data + at);
		if (r < 0)
			return r;
		at += 2u + data[at + 1];
	}
	*drive->cd->s = changed;
	return 0;
}

/* --- the disc */

int atapi_read_capacity(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	(void)packet;
	put_be32(data, atapi_blocks(drive) - 1);
	put_be32(data + 4, CD_BLOCK_BYTES);
	return 8;
}

/* A block's address as the command wants it. */
static void put_address(uint8_t *to, uint32_t lba, bool time)
{
	struct cd_msf msf = cd_msf_of(lba);

	if (!time) {
		put_be32(to, lba);
		return;
	}
	to[0] = 0;
	to[1] = msf.minute;
	to[2] = msf.second;
	to[3] = msf.frame;
}

static bool wants_time(const uint8_t *packet)
{
	return packet[1] & 0x02;
}

int atapi_read_subchannel(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	uint32_t lba = drive->cd->s->lba;

	data[1] = 0x00; /* no word on audio: the drive plays none */
	if (!(packet[2] & 0x40))
		return 4;
	data[4] = packet[3];
	switch (packet[3]) {
	case 1: /* where the head is */
		put_be16(data + 2, 12);
		data[5] = CD_ADR_CONTROL;
		data[6] = 1;
		data[7] = 1;
		put_address(data + 8, lba, wants_time(packet));
		put_address(data + 12, lba, wants_time(packet));
		return 16;
	case 3: /* the track's ISRC, which it does not have */
		data[5] = CD_ADR_CONTROL;
		data[6] = packet[6];
		if (packet[6] != 1)
			return -ASC_INVALID_FIELD;
		__attribute__((fallthrough));
	case 2: /* the disc's catalogue number, same */
		put_be16(data + 2, 20);
		return 24;
	default:
		return -ASC_INVALID_FIELD;
	}
}

static uint8_t *put_toc_track(uint8_t *to, uint8_t track, uint32_t lba, bool time)
{
	to[1] = CD_ADR_CONTROL;
	to[2] = track;
	put_address(to + 4, lba, time);
	return to + 8;
}

/* What follows the length: first and last track or session, then entries up to @end. */
static int finish_toc(uint8_t *data, const uint8_t *end)
{
	put_be16(data, (uint16_t)(end - data - 2));
	data[2] = 1;
	data[3] = 1;
	return (int)(end - data);
}

static int toc(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	uint8_t first = packet[6], *at = data + 4;

	if (first > 1 && first != LEAD_OUT)
		return -ASC_INVALID_FIELD;
	if (first != LEAD_OUT)
		at = put_toc_track(at, 1, 0, wants_time(packet));
	at = put_toc_track(at, LEAD_OUT, atapi_blocks(drive), wants_time(packet));
	return finish_toc(data, at);
}

static int toc_sessions(const uint8_t *packet, uint8_t *data)
{
	return finish_toc(data, put_toc_track(data + 4, 1, 0, wants_time(packet)));
}

/* An entry of the lead-in's Q channel; times are always minutes, seconds and frames there. */
static uint8_t *put_point(uint8_t *to, uint8_t point, struct cd_msf msf)
{
	to[0] = 1; /* session */
	to[1] = CD_ADR_CONTROL;
	to[3] = point;
	to[8] = msf.minute;
	to[9] = msf.second;
	to[10] = msf.frame;
	return to + 11;
}

static int toc_full(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	const struct cd_msf track = { .minute = 1 }; /* the number of the first and last */
	uint8_t *at = data + 4;

	if (packet[6] > 1)
		return -ASC_INVALID_FIELD;
	at = put_point(at, 0xa0, track);
	at = put_point(at, 0xa1, track);
	at = put_point(at, 0xa2, cd_msf_of(atapi_blocks(drive)));
	at = put_point(at, 1, cd_msf_of(0));
	return finish_toc(data, at);
}

int atapi_read_toc(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	uint8_t format = packet[2] & 0x0f;

	/* Where SFF-8020i had it. */
	if (!format)
		format = packet[9] >> 6;
	switch (format) {
	case 0:
		return toc(drive, packet, data);
	case 1:
		return toc_sessions(packet, data);
	case 2:
		return toc_full(drive, packet, data);
	default:
		return -ASC_INVALID_FIELD;
	}
}

int atapi_read_header(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	uint32_t lba = get_be32(packet + 2);

	if (lba >= atapi_blocks(drive))
		return -ASC_BLOCK_OUT_OF_RANGE;
	data[0] = 1; /* mode */
	put_address(data + 4, lba, wants_time(packet));
	return 8;
}

int atapi_read_disc_information(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	(void)drive;
	if (packet[1] & 7) /* of resources for writing */
		return -ASC_INVALID_FIELD;
	put_be16(data, 32);
	data[2] = 0x0e;		    /* disc and last session complete */
	data[3] = 1;		    /* first track */
	data[4] = 1;		    /* sessions */
	data[5] = 1;		    /* first track of the last session */
	data[6] = 1;		    /* last one */
	data[7] = 0x20;		    /* unrestricted use */
	memset(data + 16, 0xff, 8); /* no more sessions can begin */
	return 34;
}

int atapi_read_track_information(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	uint32_t blocks = atapi_blocks(drive), number = get_be32(packet + 2);
	uint8_t address = packet[1] & 3;

	/* By block, or by track or session, of which there is one. */
	if (address == 3 || (address && number != 1) || (!address && number >= blocks))
		return -ASC_INVALID_FIELD;
	put_be16(data, 26);
	data[2] = 1; /* track */
	data[3] = 1; /* session */
	data[5] = CD_ADR_CONTROL & 0x0f;
	data[6] = 0x01; /* data mode */
	put_be32(data + 24, blocks);
	return 28;
}

/* --- features */

enum current { ALWAYS, WITH_MEDIUM, WITH_CD, WITH_DVD };

static const struct feature {
	uint16_t code;
	uint8_t version, persistent, current, length;
	uint8_t data[8];
} features[] = {
	/* The profiles; bit 0 of each third byte is set when it is the current one. */
	{ 0x0000, 0, 1, ALWAYS, 8, { 0x00, PROFILE_DVD_ROM, 0, 0, 0x00, PROFILE_CD_ROM, 0, 0 } },
	{ 0x0001, 0, 1, ALWAYS, 4, { 0, 0, 0, 2 } },		   /* core: ATAPI */
	{ 0x0002, 0, 1, ALWAYS, 4, { 0 } },			   /* morphing: GET EVENT STATUS */
	{ 0x0003, 0, 1, ALWAYS, 4, { 0x29 } },			   /* tray with lock and eject */
	{ 0x0010, 0, 0, WITH_MEDIUM, 8, { 0, 0, 8, 0, 0, 1, 1 } }, /* random readable */
	{ 0x001d, 0, 0, WITH_CD, 0, { 0 } },			   /* multi-read */
	{ 0x001e, 0, 0, WITH_CD, 0, { 0 } },			   /* CD read */
	{ 0x001f, 0, 0, WITH_DVD, 0, { 0 } },			   /* DVD read */
	{ 0x0100, 0, 1, ALWAYS, 0, { 0 } },			   /* power management */
	{ 0x0105, 0, 1, ALWAYS, 0, { 0 } },			   /* time-out */
};

static bool is_current(const struct feature *feature, uint16_t profile)
{
	switch ((enum current)feature->current) {
	case WITH_MEDIUM:
		return profile != PROFILE_NONE;
	case WITH_CD:
		return profile == PROFILE_CD_ROM;
	case WITH_DVD:
		return profile == PROFILE_DVD_ROM;
	default:
		return true;
	}
}

static uint8_t *put_feature(uint8_t *to, const struct feature *feature, uint16_t profile)
{
	put_be16(to, feature->code);
	to[2] = (uint8_t)(feature->version << 2 | feature->persistent << 1 |
			  is_current(feature, profile));
	to[3] = feature->length;
	memcpy(to + 4, feature->data, feature->length);
	if (feature->code == 0x0000) {
		to[6] = profile == PROFILE_DVD_ROM;
		to[10] = profile == PROFILE_CD_ROM;
	}
	return to + 4 + feature->length;
}

int atapi_get_configuration(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	uint16_t profile = profile_of(drive), first = get_be16(packet + 2);
	uint8_t wanted = packet[1] & 3, *at = data + 8;

	if (wanted == 3)
		return -ASC_INVALID_FIELD;
	for (unsigned int i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *feature = &features[i];

		if (wanted == 2 ? feature->code == first
				: feature->code >= first &&
					  (wanted == 0 || is_current(feature, profile)))
			at = put_feature(at, feature, profile);
	}
	put_be32(data, (uint32_t)(at - data - 4));
	put_be16(data + 6, profile);
	return (int)(at - data);
}

#define CLASS_MEDIA 4

int atapi_get_event(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	struct atapi_cd_state *s = drive->cd->s;

	/* Only polled: a reply that waits for an event would need overlapped commands. */
	if (!(packet[1] & 1))
		return -ASC_INVALID_FIELD;
	data[3] = BIT(CLASS_MEDIA);
	if (!(packet[4] & BIT(CLASS_MEDIA))) {
		put_be16(data, 2);
		data[2] = 0x80; /* no event of such a class */
		return 4;
	}
	put_be16(data, 6);
	data[2] = CLASS_MEDIA;
	data[4] = s->event;
	data[5] = (uint8_t)((s->tray_open ? 0x01 : 0) | (drive->sectors ? 0x02 : 0));
	/* One that the host has no room for is reported again. */
	if (get_be16(packet + 7) > 4)
		s->event = ATAPI_EVENT_NONE;
	return 8;
}

/* --- DVD */

#define DVD_FIRST_SECTOR 0x030000u

static void put_dvd_physical(const struct ata_drive *drive, uint8_t *layer)
{
	layer[0] = 0x01; /* DVD-ROM, version 1 */
	layer[1] = 0x0f; /* 120 mm, no maximum rate */
	layer[2] = 0x01; /* one layer, embossed data */
	put_be32(layer + 4, DVD_FIRST_SECTOR);
	put_be32(layer + 8, DVD_FIRST_SECTOR + atapi_blocks(drive) - 1);
}

int atapi_read_disc_structure(struct ata_drive *drive, const uint8_t *packet, uint8_t *data)
{
	static const struct {
		uint8_t format;
		uint16_t bytes;
	} structures[] = { { 0x00, 2048 }, { 0x01, 4 }, { 0x04, 2048 } };
	uint8_t format = packet[7], *at = data + 4;

	if (profile_of(drive) != PROFILE_DVD_ROM)
		return -ASC_INCOMPATIBLE_FORMAT;
	if (packet[6] || (packet[1] & 0x0f)) /* another layer, another kind of disc */
		return -ASC_INVALID_FIELD;
	for (unsigned int i = 0; i < ARRAY_LEN(structures); i++) {
		if (format == 0xff) { /* the list of what can be read */
			at[0] = structures[i].format;
			at[1] = 0x40;
			put_be16(at + 2, (uint16_t)(structures[i].bytes + 4));
			at += 4;
		} else if (format == structures[i].format) {
			/* Copyright: no protection, all regions. Manufacturer: nothing. */
			if (format == 0x00)
				put_dvd_physical(drive, at);
			at += structures[i].bytes;
		}
	}
	if (at == data + 4)
		return -ASC_INVALID_FIELD;
	put_be16(data, (uint16_t)(at - data - 2));
	return (int)(at - data);
}
