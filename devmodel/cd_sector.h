/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sectors of a data CD as they lie on the disc, made from the 2048 bytes that an image has of them:
 * pure functions. What READ CD returns beyond user data is all computed.
 */
#ifndef DEVMODEL_CD_SECTOR_H
#define DEVMODEL_CD_SECTOR_H

#include <stdbool.h>
#include <stdint.h>

#define CD_BLOCK_BYTES 2048
#define CD_RAW_BYTES 2352
#define CD_SYNC_BYTES 12
#define CD_HEADER_BYTES 4
#define CD_CHECK_BYTES 288 /* EDC, eight zeros, P and Q parity */
#define CD_C2_BYTES 294
#define CD_SUBCHANNEL_BYTES 96
#define CD_Q_BYTES 16
#define CD_OUTPUT_MAX (CD_RAW_BYTES + CD_C2_BYTES + 2 + CD_SUBCHANNEL_BYTES)

#define CD_PREGAP_BLOCKS 150 /* the two seconds in front of block 0 */
#define CD_BLOCKS_PER_SECOND 75

/* Control and address of a data track: digital copy prohibited, position in Q. */
#define CD_ADR_CONTROL 0x14

/* Byte 9 of READ CD: what of a sector is returned. */
#define CD_FIELD_SYNC 0x80u
#define CD_FIELD_SUBHEADER 0x40u
#define CD_FIELD_HEADER 0x20u
#define CD_FIELD_USER 0x10u
#define CD_FIELD_CHECK 0x08u
#define CD_FIELD_C2 0x06u
#define CD_C2 0x02u
#define CD_C2_AND_BLOCK 0x04u
/* Byte 10 bits 2:0. */
#define CD_SUBCHANNEL_NONE 0
#define CD_SUBCHANNEL_RAW 1
#define CD_SUBCHANNEL_Q 2
#define CD_SUBCHANNEL_RW 4

struct cd_msf {
	uint8_t minute, second, frame;
};

/* Where block @lba is; times beyond what a byte of minutes can say become the last. */
struct cd_msf cd_msf_of(uint32_t lba);

/* Whether a mode 1 sector can be returned so, and how many bytes that are. */
bool cd_output_size(uint8_t fields, uint8_t subchannel, uint32_t *ret_bytes);

/*
 * Sector @lba with the user data @block in the form of cd_output_size(), which said true.
 */
void cd_output(uint32_t lba, const uint8_t block[CD_BLOCK_BYTES], uint8_t fields,
	       uint8_t subchannel, uint8_t *ret_output);

/* The whole sector of mode 1. */
void cd_raw_sector(uint32_t lba, const uint8_t block[CD_BLOCK_BYTES],
		   uint8_t ret_sector[CD_RAW_BYTES]);

#endif
