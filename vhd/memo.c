// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which file of a long chain holds a page, remembered.
 *
 * Scattered reads through a chain ask every file of it for one block table entry and one bitmap. So
 * for each block of 512 pages of 4 KiB one byte for each page says which layer has all of it: filled
 * when the block is first read, from all bitmaps at once, and given up where a bitmap of the disk's
 * own file changes. It is there for chains that are long enough to gain by it, of files with blocks
 * of 2 MiB, and small enough for it to take a quarter of the cache at most.
 */
#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (2u << 20)
#define PAGE_SECTORS 8u /* a page's bits are one byte of a bitmap */
#define PAGE_BYTES (PAGE_SECTORS * VHD_SECTOR_BYTES)
#define PAGES (BLOCK_BYTES / PAGE_BYTES)
#define LAYERS_MIN 3u

/* Of a page; below are numbers of layers. */
enum { PAGE_MIXED = 254, PAGE_ZERO = 255 };
_Static_assert(VHD_CHAIN_MAX <= PAGE_MIXED, "a byte names a layer");

struct vhd_memo {
	struct vhd *layers[VHD_CHAIN_MAX];
	unsigned int count; /* of layers with blocks */
	struct vhd *flat;   /* the last, when it has none: it holds all that others do not */
	uint8_t *known;	    /* a byte for each block: its pages are filled in */
	uint8_t (*pages)[PAGES];
};

static bool fits(const struct vhd *top, size_t bytes)
{
	if ((uint64_t)top->block_count * (PAGES + 1) > bytes / 4 ||
	    vhd_layer_count(top) < LAYERS_MIN)
		return false;
	for (const struct vhd *v = top; v; v = v->parent) {
		if (v->size_bytes < top->footer.current_size ||
		    (!vhd_is_flat(v) && v->header.block_bytes != BLOCK_BYTES))
			return false;
	}
	return true;
}

int vhd_memo_init(struct vhd *top, size_t bytes)
{
	struct vhd_memo *memo;

	if (vhd_is_flat(top) || !fits(top, bytes))
		return 0;
	memo = calloc(1, sizeof(*memo));
	if (!memo)
		return -ENOMEM;
	top->memo = memo;
	for (struct vhd *v = top; v; v = v->parent) {
		if (vhd_is_flat(v))
			memo->flat = v;
		else
			memo->layers[memo->count++] = v;
	}
	memo->known = calloc(top->block_count, sizeof(*memo->known));
	memo->pages = calloc(top->block_count, sizeof(*memo->pages));
	return memo->known && memo->pages ? 0 : -ENOMEM;
}

void vhd_memo_fini(struct vhd *top)
{
	if (!top->memo)
		return;
	free(top->memo->known);
	free(top->memo->pages);
	free(top->memo);
}

/* Pages that no layer before had: all bits set is this layer's, some are nobody's alone. */
static void add_layer(uint8_t pages[PAGES], const uint8_t bits[PAGES], uint8_t layer)
{
	for (unsigned int i = 0; i < PAGES; i++) {
		uint8_t found = bits[i] == 0xff ? layer : bits[i] ? PAGE_MIXED : PAGE_ZERO;

		pages[i] = pages[i] == PAGE_ZERO ? found : pages[i];
	}
}

static int fill(struct vhd_memo *memo, uint32_t block)
{
	uint8_t *pages = memo->pages[block];

	memset(pages, PAGE_ZERO, PAGES);
	for (unsigned int n = 0; n < memo->count; n++) {
		struct vhd *v = memo->layers[n];
		const uint8_t *bits;
		uint64_t place;
		int r = vhd_bat_get(v, block, &place);

		if (r == 0 && place)
			r = vhd_bitmap_bytes(v, block, place, &bits);
		if (r < 0)
			return r;
		if (place)
			add_layer(pages, bits, (uint8_t)v->layer);
	}
	memo->known[block] = 1;
	return 0;
}

/* Where the pages from the one at @offset on are that come from the same place. */
static bool look_up(struct vhd_memo *memo, uint32_t block, uint32_t within, uint64_t bytes,
		    struct vhd_place *ret_place)
{
	const uint8_t *pages = memo->pages[block];
	uint32_t first = within / PAGE_BYTES, page = first;
	uint64_t end = min_u64(within + bytes, BLOCK_BYTES), offset;
	struct vhd *v;

	if (pages[first] == PAGE_MIXED)
		return false;
	while ((uint64_t)(page + 1) * PAGE_BYTES < end && pages[page + 1] == pages[first])
		page++;
	*ret_place = (struct vhd_place){
		.bytes = min_u64(end, (uint64_t)(page + 1) * PAGE_BYTES) - within,
	};
	if (pages[first] == PAGE_ZERO) {
		ret_place->layer = memo->flat;
		ret_place->offset = (uint64_t)block * BLOCK_BYTES + within;
		return !memo->flat ||
		       ret_place->offset + ret_place->bytes <= memo->flat->file_bytes;
	}
	v = memo->layers[pages[first]];
	if (vhd_bat_get(v, block, &offset) < 0 || !offset)
		return false;
	ret_place->layer = v;
	ret_place->offset = offset + v->bitmap_bytes + within;
	/* What the file's end cuts off is found the long way. */
	return ret_place->offset + ret_place->bytes <= vhd_data_limit(v);
}

bool vhd_memo_locate(struct vhd *top, uint64_t offset, uint64_t bytes, struct vhd_place *ret_place)
{
	struct vhd_memo *memo = top->memo;
	uint32_t block = (uint32_t)(offset / BLOCK_BYTES);

	/* A block that cannot be filled in gives its error the long way. */
	if (!memo->known[block] && fill(memo, block) < 0)
		return false;
	return look_up(memo, block, (uint32_t)(offset % BLOCK_BYTES), bytes, ret_place);
}

void vhd_memo_change(struct vhd *top, uint32_t block, uint32_t sector, uint32_t count)
{
	if (top->memo->known[block])
		memset(top->memo->pages[block] + sector / PAGE_SECTORS, PAGE_MIXED,
		       (sector + count - 1) / PAGE_SECTORS - sector / PAGE_SECTORS + 1);
}

void vhd_memo_forget(struct vhd *top, uint32_t block)
{
	top->memo->known[block] = 0;
}
