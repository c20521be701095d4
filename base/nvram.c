// SPDX-License-Identifier: GPL-2.0-or-later
#include "nvram.h"

#include <string.h>

#include "bytes.h"
#include "crc32c.h"

static const uint8_t magic[8] = { 'M', 'N', 'S', 'T', 'N', 'V', 'R', '1' };

enum { MAGIC = 0, SEQUENCE = 8, UUID = 16, OFFSET = 32, CMOS = 40, CHECKSUM = 508 };

void nvram_encode(const struct nvram *nvram, uint8_t ret_slot[NVRAM_SLOT_BYTES])
{
	memset(ret_slot, 0, NVRAM_SLOT_BYTES);
	memcpy(ret_slot + MAGIC, magic, sizeof(magic));
	put_le64(ret_slot + SEQUENCE, nvram->sequence);
	memcpy(ret_slot + UUID, nvram->uuid, sizeof(nvram->uuid));
	put_le64(ret_slot + OFFSET, (uint64_t)nvram->rtc_offset_s);
	memcpy(ret_slot + CMOS, nvram->cmos, sizeof(nvram->cmos));
	put_le32(ret_slot + CHECKSUM, crc32c(0, ret_slot, CHECKSUM));
}

static bool slot_valid(const uint8_t *slot, unsigned int index)
{
	return !memcmp(slot + MAGIC, magic, sizeof(magic)) &&
	       get_le32(slot + CHECKSUM) == crc32c(0, slot, CHECKSUM) &&
	       get_le64(slot + SEQUENCE) % NVRAM_SLOTS == index;
}

bool nvram_decode(const uint8_t file[NVRAM_FILE_BYTES], struct nvram *ret_nvram)
{
	const uint8_t *newest = NULL;

	for (unsigned int i = 0; i < NVRAM_SLOTS; i++) {
		const uint8_t *slot = file + i * NVRAM_SLOT_BYTES;

		if (slot_valid(slot, i) &&
		    (!newest || get_le64(slot + SEQUENCE) > get_le64(newest + SEQUENCE)))
			newest = slot;
	}
	if (!newest)
		return false;
	ret_nvram->sequence = get_le64(newest + SEQUENCE);
	memcpy(ret_nvram->uuid, newest + UUID, sizeof(ret_nvram->uuid));
	ret_nvram->rtc_offset_s = (int64_t)get_le64(newest + OFFSET);
	memcpy(ret_nvram->cmos, newest + CMOS, sizeof(ret_nvram->cmos));
	return true;
}
