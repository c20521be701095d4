// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bus-master engine of an IDE channel.
 *
 * Documents: Intel 82371AB (PIIX4) datasheet, 290562-001, section 9.2 (Bus Master IDE I/O
 * registers); "Programming Interface for Bus Master IDE Controller", revision 1.0.
 *
 * Combinations of status bits at the end: interrupt without active is the usual one; both mean that
 * the descriptors span more than the drive moved; neither means that they span less, and the drive
 * waits for another start. Whole sectors are moved: when the table ends within a sector, that part
 * is not transferred (hardware would stop in the middle of it; the command cannot complete either
 * way). That BMIDTP must not cross 64 KiB is not enforced.
 */
#include "ide_busmaster.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"

#define PRD_BYTES 8
#define PRD_COUNT_MASK 0xfffe
#define PRD_COUNT_ZERO 0x10000 /* what a count of 0 means */
#define PRD_EOT BIT(31)
#define SECTOR_BYTES 512

#define SUBFIELD(member, ...) STATE_SUBFIELD(struct ide_busmaster_state, member, __VA_ARGS__)

const struct state_field ide_busmaster_fields[] = {
	SUBFIELD(bmidtp),   SUBFIELD(prd),  SUBFIELD(prd_used, .max = PRD_COUNT_ZERO),
	SUBFIELD(bmic),	    SUBFIELD(bmis), SUBFIELD(exhausted, .max = 1),
	SUBFIELD(reserved), STATE_END,
};

enum ide_busmaster_event ide_busmaster_command(struct ide_busmaster *bm, uint32_t old,
					       uint32_t value)
{
	struct ide_busmaster_state *s = bm->s;

	if (!((old ^ value) & BMIC_SSBM))
		return BUSMASTER_NOTHING;
	if (!(value & BMIC_SSBM)) {
		s->bmis &= (uint8_t)~BMIS_ACTIVE;
		return BUSMASTER_STOPPED;
	}
	s->bmis |= BMIS_ACTIVE;
	s->prd = s->bmidtp;
	s->prd_used = 0;
	s->exhausted = 0;
	return BUSMASTER_STARTED;
}

static int fail(struct ide_busmaster *bm)
{
	bm->count = 0;
	bm->s->bmis |= BMIS_ERROR;
	bm->s->bmis &= (uint8_t)~BMIS_ACTIVE;
	return -EFAULT;
}

/* Reads at most @count descriptors at @gpa, fewer where RAM ends; how many. */
static unsigned int read_table(struct ide_busmaster *bm, uint32_t gpa, uint8_t *table,
			       unsigned int count)
{
	while (count && pci_dma_read(bm->function, gpa, table, (size_t)count * PRD_BYTES) < 0)
		count /= 2;
	return count;
}

/* Maps one descriptor of which @used bytes are done already; its bytes left, or -EFAULT. */
static int map_prd(struct ide_busmaster *bm, const uint8_t *prd, uint32_t used, uint32_t max_bytes)
{
	uint32_t size = get_le32(prd + 4) & PRD_COUNT_MASK;
	uint64_t gpa = (get_le32(prd) & ~1u) + (uint64_t)used;
	void *memory = NULL;

	size = size ? size : PRD_COUNT_ZERO;
	size = size > used ? size - used : 0; /* the guest may have made it shorter */
	/* All of the region must be RAM, also what the transfer will not reach. */
	if (size) {
		memory = pci_dma_map(bm->function, gpa, size);
		if (!memory)
			return -EFAULT;
	}
	bm->iov[bm->count].iov_base = memory;
	bm->iov[bm->count].iov_len = min_u64(size, max_bytes);
	bm->count++;
	return (int)size;
}

/* Takes the bytes behind the last whole sector off the mapped list; what stays. */
static uint32_t trim(struct ide_busmaster *bm, uint32_t bytes)
{
	uint32_t excess = bytes % SECTOR_BYTES;

	bytes -= excess;
	while (bm->count && excess && excess >= bm->iov[bm->count - 1].iov_len) {
		excess -= (uint32_t)bm->iov[--bm->count].iov_len;
		bm->whole = true;
		bm->last = false;
	}
	if (excess) {
		bm->iov[bm->count - 1].iov_len -= excess;
		bm->whole = false;
		bm->last = false;
	}
	return bytes;
}

/* Maps at most @max_bytes; how many, which may end anywhere, or -EFAULT. */
static int map(struct ide_busmaster *bm, bool to_memory, uint32_t max_bytes)
{
	struct ide_busmaster_state *s = bm->s;
	uint8_t table[IDE_BUSMASTER_PRDS * PRD_BYTES];
	uint32_t bytes = 0;

	bm->count = 0;
	bm->last = s->exhausted;
	bm->to_memory = to_memory;
	if (to_memory != !!(s->bmic & BMIC_RWCON))
		return fail(bm);
	while (!bm->last && bytes < max_bytes && bm->count < IDE_BUSMASTER_PRDS) {
		unsigned int n = read_table(bm, s->prd + bm->count * PRD_BYTES, table,
					    IDE_BUSMASTER_PRDS - bm->count);

		if (!n)
			return fail(bm);
		for (unsigned int i = 0; i < n && !bm->last && bytes < max_bytes; i++) {
			const uint8_t *prd = table + i * PRD_BYTES;
			uint32_t left = max_bytes - bytes;
			int size = map_prd(bm, prd, bm->count ? 0 : s->prd_used, left);

			if (size < 0)
				return fail(bm);
			bm->whole = (uint32_t)size <= left;
			bm->last = get_le32(prd + 4) & PRD_EOT;
			bytes += (uint32_t)min_u64((uint32_t)size, left);
		}
	}
	return (int)bytes;
}

int ide_busmaster_map(struct ide_busmaster *bm, bool to_memory, uint32_t max_bytes)
{
	int bytes = map(bm, to_memory, max_bytes);

	if (bytes > 0)
		bytes = (int)trim(bm, (uint32_t)bytes);
	if (!bytes)
		bm->s->bmis &= (uint8_t)~BMIS_ACTIVE;
	return bytes;
}

/* Tells of what the backend may have written to memory. */
static void mark_written(const struct ide_busmaster *bm)
{
	for (unsigned int i = 0; bm->to_memory && i < bm->count; i++)
		pci_dma_written(bm->function, bm->iov[i].iov_base, bm->iov[i].iov_len);
}

void ide_busmaster_moved(struct ide_busmaster *bm)
{
	struct ide_busmaster_state *s = bm->s;
	unsigned int last = bm->count - 1;

	mark_written(bm);
	if (bm->whole) {
		s->prd += bm->count * PRD_BYTES;
		s->prd_used = 0;
	} else {
		s->prd_used = (uint32_t)bm->iov[last].iov_len + (last ? 0 : s->prd_used);
		s->prd += last * PRD_BYTES;
	}
	bm->count = 0;
	if (!bm->whole || !bm->last)
		return;
	s->exhausted = 1;
	s->bmis &= (uint8_t)~BMIS_ACTIVE;
}

int ide_busmaster_copy(struct ide_busmaster *bm, bool to_memory, void *data, uint32_t size)
{
	uint32_t moved = 0;

	while (moved < size) {
		int bytes = map(bm, to_memory, size - moved);

		if (bytes <= 0) {
			bm->s->bmis &= (uint8_t)~BMIS_ACTIVE;
			return bytes < 0 ? bytes : (int)moved;
		}
		for (unsigned int i = 0; i < bm->count; i++) {
			const struct iovec *iov = &bm->iov[i];
			uint8_t *part = (uint8_t *)data + moved;

			if (iov->iov_len && to_memory)
				memcpy(iov->iov_base, part, iov->iov_len);
			else if (iov->iov_len)
				memcpy(part, iov->iov_base, iov->iov_len);
			moved += (uint32_t)iov->iov_len;
		}
		ide_busmaster_moved(bm);
	}
	return (int)moved;
}

void ide_busmaster_dropped(struct ide_busmaster *bm)
{
	mark_written(bm);
	bm->count = 0;
}

void ide_busmaster_interrupt(struct ide_busmaster *bm)
{
	bm->s->bmis |= BMIS_INT;
}

void ide_busmaster_reset(struct ide_busmaster *bm, uint8_t capable)
{
	*bm->s = (struct ide_busmaster_state){ .bmis = capable };
}
