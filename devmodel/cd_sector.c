// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sectors of a data CD, mode 1.
 *
 * Documents: ECMA-130 (2nd edition), clause 14 (layout), annex A (P and Q parity), annex B
 * (scrambling, which drives undo), clause 22 (Q channel); MMC-3 for the forms in which READ CD
 * returns them. Not emulated: mode 2 and audio sectors, subchannels R to W, which are zeros.
 *
 * A mode 1 sector: 12 bytes sync, 4 header, 2048 user data, 4 EDC, 8 zeros, 172 P and 104 Q parity.
 */
#include "cd_sector.h"

#include <string.h>

#include "../base/bytes.h"

#define HEADER_AT CD_SYNC_BYTES
#define USER_AT (HEADER_AT + CD_HEADER_BYTES)
#define EDC_AT (USER_AT + CD_BLOCK_BYTES)
#define P_AT (EDC_AT + 4 + 8)
#define Q_AT (P_AT + 172)

/* The code words of both parities in columns and diagonals of 16-bit words behind the sync. */
#define P_WORDS 43 /* columns, of 24 words and 2 of parity */
#define P_LENGTH 24
#define Q_WORDS 26 /* diagonals, of 43 words and 2 of parity */
#define Q_LENGTH 43
#define Q_STEP 44
#define Q_FIELD (Q_WORDS * Q_LENGTH)

#define MINUTES_MAX 255

/* --- addresses */

struct cd_msf cd_msf_of(uint32_t lba)
{
	uint64_t frames = (uint64_t)lba + CD_PREGAP_BLOCKS;
	uint64_t seconds = frames / CD_BLOCKS_PER_SECOND;

	if (seconds / 60 > MINUTES_MAX)
		return (struct cd_msf){ MINUTES_MAX, 59, CD_BLOCKS_PER_SECOND - 1 };
	return (struct cd_msf){
		.minute = (uint8_t)(seconds / 60),
		.second = (uint8_t)(seconds % 60),
		.frame = (uint8_t)(frames % CD_BLOCKS_PER_SECOND),
	};
}

/* Two decimal digits; discs have no more than 99 minutes, and DVDs no such addresses at all. */
static uint8_t bcd(uint8_t value)
{
	return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

static void put_msf(uint8_t *to, struct cd_msf msf)
{
	to[0] = bcd(msf.minute);
	to[1] = bcd(msf.second);
	to[2] = bcd(msf.frame);
}

/* --- EDC: CRC of polynomial (x^16+x^15+x^2+1)(x^16+x^2+x+1), bits reversed */

static uint32_t edc_of(const uint8_t *data, unsigned int size)
{
	static const uint32_t of_nibble[16] = {
		0x00000000, 0x99011001, 0x82012001, 0x1b003000, 0xb4014001, 0x2d005000,
		0x36006000, 0xaf017001, 0xd8018001, 0x41009000, 0x5a00a000, 0xc301b001,
		0x6c00c000, 0xf501d001, 0xee01e001, 0x7700f000,
	};
	uint32_t edc = 0;

	for (unsigned int i = 0; i < size; i++) {
		edc ^= data[i];
		edc = edc >> 4 ^ of_nibble[edc & 15];
		edc = edc >> 4 ^ of_nibble[edc & 15];
	}
	return edc;
}

/* --- ECC: Reed-Solomon codes over GF(2^8) modulo x^8+x^4+x^3+x^2+1, a its element x */

static uint8_t times_a(uint8_t value)
{
	return (uint8_t)(value << 1 ^ (value & 0x80 ? 0x1d : 0));
}

/* value / (a + 1), by the inverse F4h. */
static uint8_t divide_a1(uint8_t value)
{
	uint8_t result = 0;

	for (uint8_t factor = 0xf4; factor; factor >>= 1) {
		result ^= factor & 1 ? value : 0;
		value = times_a(value);
	}
	return result;
}

/* Sums over a code word: of its bytes, and of its bytes weighted by descending powers of a. */
struct syndrome {
	uint8_t plain, weighted;
};

static void take(struct syndrome *s, uint8_t byte)
{
	s->plain ^= byte;
	s->weighted = times_a(s->weighted) ^ byte;
}

/* The two bytes that make both sums of the whole word 0. */
static void put_parity(struct syndrome s, uint8_t *first, uint8_t *second)
{
	uint8_t weighted = times_a(times_a(s.weighted));

	*first = divide_a1(s.plain ^ weighted);
	*second = s.plain ^ *first;
}

/* @data: behind the sync. Bytes of equal parity form code words of their own. */
static void put_p(uint8_t *data)
{
	for (unsigned int column = 0; column < P_WORDS * 2; column++) {
		struct syndrome s = { 0, 0 };

		for (unsigned int row = 0; row < P_LENGTH; row++)
			take(&s, data[row * P_WORDS * 2 + column]);
		put_parity(s, &data[P_LENGTH * P_WORDS * 2 + column],
			   &data[(P_LENGTH + 1) * P_WORDS * 2 + column]);
	}
}

static void put_q(uint8_t *data)
{
	for (unsigned int diagonal = 0; diagonal < Q_WORDS * 2; diagonal++) {
		struct syndrome s = { 0, 0 };

		for (unsigned int i = 0; i < Q_LENGTH; i++) {
			unsigned int word = (Q_STEP * i + P_WORDS * (diagonal / 2)) % Q_FIELD;

			take(&s, data[word * 2 + diagonal % 2]);
		}
		put_parity(s, &data[Q_FIELD * 2 + diagonal],
			   &data[(Q_FIELD + Q_WORDS) * 2 + diagonal]);
	}
}

static void put_frame(uint32_t lba, uint8_t *sector)
{
	memset(sector, 0xff, CD_SYNC_BYTES);
	sector[0] = 0;
	sector[CD_SYNC_BYTES - 1] = 0;
	put_msf(sector + HEADER_AT, cd_msf_of(lba));
	sector[HEADER_AT + 3] = 1; /* mode */
}

void cd_raw_sector(uint32_t lba, const uint8_t block[CD_BLOCK_BYTES], uint8_t sector[CD_RAW_BYTES])
{
	put_frame(lba, sector);
	memcpy(sector + USER_AT, block, CD_BLOCK_BYTES);
	put_le32(sector + EDC_AT, edc_of(sector, EDC_AT));
	memset(sector + EDC_AT + 4, 0, 8);
	put_p(sector + HEADER_AT);
	put_q(sector + HEADER_AT);
}

/* --- subchannel Q of track 1, index 1 */

/* CRC-CCITT, inverted. */
static uint16_t q_crc(const uint8_t *q)
{
	uint32_t crc = 0;

	for (unsigned int i = 0; i < 10; i++) {
		crc ^= (uint32_t)q[i] << 8;
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0);
	}
	return (uint16_t)~crc;
}

/* 12 bytes as on the disc. */
static void put_disc_q(uint32_t lba, uint8_t *q)
{
	struct cd_msf relative = cd_msf_of(lba);
	uint8_t second = relative.second;

	/* The time within the track: without the two seconds in front of it. */
	relative.second = (uint8_t)((second + 58) % 60);
	relative.minute = (uint8_t)(relative.minute - (second < 2));
	q[0] = (uint8_t)(CD_ADR_CONTROL << 4 | CD_ADR_CONTROL >> 4);
	q[1] = bcd(1);
	q[2] = bcd(1);
	put_msf(q + 3, relative);
	q[6] = 0;
	put_msf(q + 7, cd_msf_of(lba));
	put_be16(q + 10, q_crc(q));
}

static void put_subchannel(uint32_t lba, uint8_t subchannel, uint8_t *to)
{
	uint8_t q[12];

	put_disc_q(lba, q);
	if (subchannel == CD_SUBCHANNEL_Q) {
		memcpy(to, q, sizeof(q));
		memset(to + sizeof(q), 0, CD_Q_BYTES - sizeof(q));
		return;
	}
	/* One bit of each channel in a byte, Q in bit 6. */
	memset(to, 0, CD_SUBCHANNEL_BYTES);
	for (unsigned int i = 0; i < CD_SUBCHANNEL_BYTES && subchannel == CD_SUBCHANNEL_RAW; i++)
		to[i] = q[i / 8] & 0x80 >> i % 8 ? 0x40 : 0;
}

/* --- what READ CD returns */

static uint32_t subchannel_bytes(uint8_t subchannel)
{
	switch (subchannel) {
	case CD_SUBCHANNEL_NONE:
		return 0;
	case CD_SUBCHANNEL_Q:
		return CD_Q_BYTES;
	default:
		return CD_SUBCHANNEL_BYTES;
	}
}

static uint32_t c2_bytes(uint8_t fields)
{
	return fields & CD_C2 ? CD_C2_BYTES : fields & CD_C2_AND_BLOCK ? CD_C2_BYTES + 2 : 0;
}

/* Where in the raw sector the selected fields begin and how many bytes they are. */
static bool span_of(uint8_t fields, uint32_t *ret_at, uint32_t *ret_bytes)
{
	/* In the order of the disc; mode 1 has no subheader. */
	static const struct {
		uint8_t field;
		uint16_t at, bytes;
	} parts[] = {
		{ CD_FIELD_SYNC, 0, CD_SYNC_BYTES },
		{ CD_FIELD_HEADER, HEADER_AT, CD_HEADER_BYTES },
		{ CD_FIELD_USER, USER_AT, CD_BLOCK_BYTES },
		{ CD_FIELD_CHECK, EDC_AT, CD_CHECK_BYTES },
	};
	uint32_t at = 0, bytes = 0;

	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!(fields & parts[i].field))
			continue;
		/* Only what lies side by side can be asked for. */
		if (bytes && at + bytes != parts[i].at)
			return false;
		at = bytes ? at : parts[i].at;
		bytes += parts[i].bytes;
	}
	*ret_at = at;
	*ret_bytes = bytes;
	return true;
}

bool cd_output_size(uint8_t fields, uint8_t subchannel, uint32_t *ret_bytes)
{
	uint32_t at, bytes;

	if ((fields & 1) || (fields & CD_FIELD_C2) == CD_FIELD_C2)
		return false;
	if (subchannel != CD_SUBCHANNEL_NONE && subchannel != CD_SUBCHANNEL_RAW &&
	    subchannel != CD_SUBCHANNEL_Q && subchannel != CD_SUBCHANNEL_RW)
		return false;
	if ((fields & CD_FIELD_CHECK) && !(fields & CD_FIELD_USER))
		return false;
	if (!span_of(fields, &at, &bytes))
		return false;
	*ret_bytes = bytes + c2_bytes(fields) + subchannel_bytes(subchannel);
	return true;
}

void cd_output(uint32_t lba, const uint8_t block[CD_BLOCK_BYTES], uint8_t fields,
	       uint8_t subchannel, uint8_t *output)
{
	uint8_t sector[CD_RAW_BYTES];
	uint32_t at = 0, bytes = 0;

	if (fields & CD_FIELD_CHECK) {
		cd_raw_sector(lba, block, sector);
	} else {
		put_frame(lba, sector);
		memcpy(sector + USER_AT, block, CD_BLOCK_BYTES);
	}
	span_of(fields, &at, &bytes);
	memcpy(output, sector + at, bytes);
	output += bytes;
	memset(output, 0, c2_bytes(fields)); /* no errors */
	output += c2_bytes(fields);
	if (subchannel != CD_SUBCHANNEL_NONE)
		put_subchannel(lba, subchannel, output);
}
