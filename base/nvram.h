/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine's battery keeps, as a file of two slots (docs/formats.md). Each write goes to the
 * older slot and is complete in one sector: whatever happens meanwhile, one of them is whole.
 */
#ifndef BASE_NVRAM_H
#define BASE_NVRAM_H

#include <stdbool.h>
#include <stdint.h>

#define NVRAM_SLOT_BYTES 512
#define NVRAM_SLOTS 2
#define NVRAM_FILE_BYTES (NVRAM_SLOTS * NVRAM_SLOT_BYTES)
#define NVRAM_CMOS_BYTES 256

struct nvram {
	uint64_t sequence; /* of the write; the slot is its lowest bit */
	uint8_t uuid[16];
	int64_t rtc_offset_s; /* the guest's clock less the host's */
	uint8_t cmos[NVRAM_CMOS_BYTES];
};

void nvram_encode(const struct nvram *nvram, uint8_t ret_slot[NVRAM_SLOT_BYTES]);
/* The newest whole slot of @file. False: there is none. */
bool nvram_decode(const uint8_t file[NVRAM_FILE_BYTES], struct nvram *ret_nvram);

#endif
