/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the library share; nothing here is for others. */
#ifndef VHD_IMAGE_H
#define VHD_IMAGE_H

#include "vhd.h"

#include "../base/bits.h"
#include "vhd_format.h"

/* 64 MiB of block table: 2040 GiB in blocks of 128 KiB, sixteen times what the usual size needs. */
#define VHD_TABLE_ENTRIES_MAX (16u << 20)

/* --- a position in a caller's iovec */

struct vhd_span {
	const struct iovec *iov;
	unsigned int count;
	size_t skip; /* bytes of iov[0] that are behind us */
};

/* Bytes in all; UINT64_MAX when that does not fit. */
uint64_t vhd_iov_bytes(const struct iovec *iov, unsigned int count);
/*
 * Moves up to @bytes from @span into at most @max pieces of @ret_iov; their number, and in
 * *ret_bytes their sum.
 */
unsigned int vhd_span_take(struct vhd_span *span, uint64_t bytes, struct iovec *ret_iov,
			   unsigned int max, uint64_t *ret_bytes);
void vhd_span_zero(struct vhd_span *span, uint64_t bytes);
void vhd_span_skip(struct vhd_span *span, uint64_t bytes);
bool vhd_is_zero(const uint8_t *p, size_t size);
bool vhd_span_is_zero(struct vhd_span span, uint64_t bytes);

/* --- decoded structures */

struct vhd_footer {
	uint32_t features;
	uint32_t version;
	uint64_t data_offset;
	uint32_t time;
	uint8_t creator[4];
	uint32_t creator_version;
	uint8_t creator_os[4];
	uint64_t original_size;
	uint64_t current_size;
	struct vhd_geometry geometry;
	uint32_t type;
	uint8_t id[16];
	uint8_t saved_state;
};

struct vhd_header {
	uint64_t table_offset;
	uint32_t table_entries;
	uint32_t block_bytes;
	uint8_t parent_id[16];
	uint32_t parent_time;
	uint8_t parent_name[HEADER_PARENT_NAME_BYTES];
	uint8_t locators[VHD_LOCATORS * VHD_LOCATOR_BYTES]; /* as they stand there */
	uint64_t locators_end; /* of the data that they point at; 0: none */
};

/* --- the cache of block table and bitmap sectors, see cache.c */

enum vhd_slot_state {
	SLOT_FREE,
	SLOT_CLEAN,   /* as on stable storage */
	SLOT_DIRTY,   /* newer than the file */
	SLOT_WRITTEN, /* as in the file, which was not synced since */
};

struct vhd_slot {
	uint32_t sector;		/* of the layer's file */
	uint32_t hash_next, next, prev; /* index + 1; 0: none */
	uint8_t layer, state, used;
	uint8_t part; /* of a bitmap: 1 + its number among the bitmap's sectors; 0: of a table */
};

struct vhd_cache {
	struct vhd_slot *slots;
	uint8_t (*data)[VHD_SECTOR_BYTES];
	uint32_t *buckets;
	uint32_t count, bucket_mask;
	uint32_t filled;	 /* slots that were ever used */
	uint32_t hand;		 /* of the clock that finds a victim */
	uint32_t dirty, written; /* lists; of the disk's own file, others are only read */
};

/*
 * What was found about a block, so that looking it up again is two reads of memory: its place, once
 * it has been checked, and the slot that held its bitmap, which may hold something else by now.
 */
struct vhd_hint {
	uint32_t sector; /* 0: not known; VHD_BLOCK_ABSENT: not in this file */
	uint32_t slot;	 /* index + 1; 0: not known */
};

#define VHD_WARNINGS_MAX 12
struct vhd_warnings {
	unsigned int count;
	char text[VHD_WARNINGS_MAX][VHD_WARNING_BYTES];
};

/* --- the handle: one for each file of a chain, the caller has the first */

struct vhd {
	struct vhd *top;    /* the first: errors are told there, and the cache is its own */
	struct vhd *parent; /* where it asks for what it does not have; NULL: that is zeros */
	unsigned int layer;
	struct vhd_warnings *warnings; /* of the top; NULL: nobody wants to know */

	struct vhd_io *io;
	struct vhd_io_fd fd_io; /* what io points at without a caller's own */
	char name[VHD_NAME_BYTES];
	char error[VHD_ERROR_BYTES];
	bool raw; /* no footer: the file is the disk */
	bool read_only;
	bool changed;  /* by the caller, since it was opened */
	bool unsynced; /* something was written since the last sync */
	int lost;      /* a sync failed with this since the last flush, which must not be hidden */
	bool doubtful; /* ... so that data whose bit is not out yet may be lost, see cache.c */
	enum vhd_size_rule size_rule;
	uint64_t size_bytes;

	uint64_t file_bytes;
	uint64_t tail_offset; /* of the footer at the end; VHD_OFFSET_NONE, above all: there is none
			       */
	enum vhd_footer_state head_state, tail_state;
	bool needs_repair;
	struct vhd_footer footer;
	uint8_t footer_raw[VHD_FOOTER_BYTES];

	/* Dynamic and differencing. */
	struct vhd_header header;
	uint32_t block_shift, block_count;
	uint32_t bitmap_bytes;
	uint64_t metadata_end; /* no block begins before */
	bool scanned;	       /* alloc_end is known */
	bool soiled;	       /* between alloc_end and the tail may be other things than zeros */
	uint64_t alloc_end;    /* where the last block ends */
	uint64_t grow_bytes;   /* see tail.c */
	uint64_t stale_footer; /* where a footer was left in free space; VHD_OFFSET_NONE: nowhere */
	uint32_t bad_block; /* the scan met an entry that leads nowhere; VHD_BLOCK_ABSENT: none */
	uint32_t bad_sector;
	uint8_t *full; /* a bit for each block whose bitmap is known to be all ones; or NULL */
	struct vhd_cache *cache;	    /* one for all layers */
	struct vhd_hint *hints;		    /* one for each block; NULL: there are too many */
	struct vhd_memo *memo;		    /* of the top; NULL: none, see memo.c */
	uint8_t edges[2][VHD_SECTOR_BYTES]; /* sectors that are written in part, see dynamic.c */
};

/* Records "NAME: text" as the chain's error and returns @error. */
int vhd_fail(struct vhd *v, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same as a warning. */
void vhd_warn(struct vhd *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes the name and the calls of @file. */
void vhd_set_file(struct vhd *v, const struct vhd_file *file);

/* NULL where nothing is remembered: the table may have more entries than the disk has blocks. */
static inline struct vhd_hint *vhd_hint_of(const struct vhd *v, uint32_t block)
{
	return v->hints && block < v->block_count ? &v->hints[block] : NULL;
}

static inline bool vhd_is_flat(const struct vhd *v)
{
	return v->raw || v->footer.type == VHD_FIXED;
}

/* open.c: a handle for one file without its parents, as far as it describes itself. */
int vhd_describe(struct vhd *v, const struct vhd_file *file);
/* The same for changing what describes it; without a cache, so no data. Refuses as vhd_open(). */
int vhd_open_alone(const struct vhd_file *file, bool ignore_saved_state, struct vhd **ret_vhd,
		   char *error, size_t error_size);

/* create.c */
int vhd_random_id(struct vhd *v, uint8_t ret_id[16]);

/* room.c: where the next structure of the file begins behind @from, at most alloc_end. */
int vhd_room_end(struct vhd *v, uint64_t from, uint64_t *ret_end);

/* layers.c */
struct vhd_place {
	struct vhd *layer; /* NULL: in no file, it reads as zeros */
	uint64_t offset;   /* in the layer's file */
	uint64_t bytes;	   /* so many lie there together */
	bool cut;	   /* zeros because the file ends before: no parent is asked */
};
/* Where the sectors from @offset on come from, looking from layer @v downward. */
int vhd_locate(struct vhd *v, uint64_t offset, uint64_t bytes, struct vhd_place *ret_place);
int vhd_read_span(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes);
/* Whether no layer from @v (NULL: none) downward holds anything of the range. */
int vhd_is_absent(struct vhd *v, uint64_t offset, uint64_t bytes, bool *ret_absent);

/* Where the data of blocks must end. */
static inline uint64_t vhd_data_limit(const struct vhd *v)
{
	return v->tail_offset != VHD_OFFSET_NONE ? v->tail_offset : v->file_bytes;
}

/* A block with its bitmap. */
static inline uint64_t vhd_block_extent(const struct vhd *v)
{
	return (uint64_t)v->bitmap_bytes + v->header.block_bytes;
}

/* file.c: whole transfers over the six calls; these name the operation in the handle's error. */
int vhd_file_read(struct vhd *v, uint64_t offset, void *buffer, size_t bytes);
int vhd_file_write(struct vhd *v, uint64_t offset, const void *buffer, size_t bytes);
int vhd_file_read_span(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes);
/* What completes the first and last sector of a write, each less than a sector; NULL: zeros. */
struct vhd_edges {
	const uint8_t *before, *after;
	uint32_t before_bytes, after_bytes;
};
/* @offset is where the first edge begins. */
int vhd_file_write_span(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes,
			const struct vhd_edges *edges);
int vhd_file_write_zeroes(struct vhd *v, uint64_t offset, uint64_t bytes);
int vhd_file_sync(struct vhd *v);
int vhd_file_truncate(struct vhd *v, uint64_t bytes);
/* -EOPNOTSUPP without a text. */
int vhd_file_release(struct vhd *v, uint64_t offset, uint64_t bytes);

/* footer.c */
/* Unix time as the format has it. */
static inline uint32_t vhd_time(int64_t unix_seconds)
{
	return unix_seconds > VHD_EPOCH_UNIX ? (uint32_t)(unix_seconds - VHD_EPOCH_UNIX) : 0;
}
uint32_t vhd_checksum(const uint8_t *bytes, size_t size, size_t checksum_offset);
enum vhd_footer_state vhd_footer_look(const uint8_t raw[VHD_FOOTER_BYTES]);
void vhd_footer_decode(const uint8_t raw[VHD_FOOTER_BYTES], struct vhd_footer *ret_footer);
void vhd_footer_encode(const struct vhd_footer *footer, uint8_t raw[VHD_FOOTER_BYTES]);
/* Checks what was decoded; @which is "footer" or "footer copy at the start". */
int vhd_footer_check(struct vhd *v, const struct vhd_footer *footer, const char *which);

/* header.c */
int vhd_header_read(struct vhd *v, const struct vhd_footer *footer, struct vhd_header *ret_header);
void vhd_header_encode(const struct vhd_header *header, uint8_t raw[VHD_HEADER_BYTES]);
/* locators.c: UTF-8 of the name field; @ret_text has room for VHD_PARENT_NAME_BYTES. */
void vhd_header_parent_name(const struct vhd_header *header, char *ret_text);

/* tail.c: the footer at the end, and the free space before it. */
/* Finds alloc_end. */
int vhd_tail_scan(struct vhd *v);
/* Puts the footer at @offset, and only there. */
int vhd_tail_move(struct vhd *v, uint64_t offset);
/* Cuts the file behind the last block. */
int vhd_tail_trim(struct vhd *v);
/* Makes the footer's copy at the start like the footer, when that is on stable storage. */
int vhd_tail_copy_to_head(struct vhd *v);
/*
 * Takes a footer with other contents: the footer at the end is replaced, then its copy. After a
 * power failure it is the old or the new one. The cache must be flushed.
 */
int vhd_tail_change(struct vhd *v, const struct vhd_footer *footer);
/* A place for one more block, all zeros. */
int vhd_tail_reserve(struct vhd *v, uint64_t *ret_offset);
/* Makes all of the block at @offset part of the file, whose end may cut it. */
int vhd_tail_cover(struct vhd *v, uint64_t offset);

/* cache.c */
/* For @v, the top, and all its layers. */
int vhd_cache_init(struct vhd *v, size_t bytes);
void vhd_cache_fini(struct vhd *v);
/*
 * The sector's bytes, valid until the next call; @part as in the slot. @fresh: they are zeros, do not
 * read them.
 */
int vhd_cache_get(struct vhd *v, uint64_t sector, unsigned int part, bool fresh,
		  struct vhd_slot **ret_slot, uint8_t **ret_data);
/* The same if it is still in the slot @index; false: ask above. */
static inline bool vhd_cache_recall(struct vhd *v, uint32_t index, uint64_t sector,
				    struct vhd_slot **ret_slot, uint8_t **ret_data)
{
	struct vhd_slot *slot = &v->cache->slots[index];

	if (slot->sector != sector || slot->layer != v->layer || slot->state == SLOT_FREE)
		return false;
	slot->used = 1;
	*ret_slot = slot;
	*ret_data = v->cache->data[index];
	return true;
}
void vhd_cache_dirty(struct vhd *v, struct vhd_slot *slot);
/* Forgets a sector and what was changed in it. */
void vhd_cache_forget(struct vhd *v, uint64_t sector);
/* Writes all that is dirty, and syncs; in a differencing disk data is synced before. */
int vhd_cache_flush(struct vhd *v);
/* After a sync that worked or failed. */
void vhd_cache_synced(struct vhd *v, bool worked);

/* bat.c: offset of the block's bitmap in the file, 0 when it is not there; checked. */
int vhd_bat_get(struct vhd *v, uint32_t block, uint64_t *ret_offset);
int vhd_bat_set(struct vhd *v, uint32_t block, uint64_t offset);
/* Whether a block may begin at @sector. */
bool vhd_bat_entry_is_sound(const struct vhd *v, uint32_t sector);
/* Calls @each for every entry that is not absent, until it returns something else than 0. */
int vhd_bat_walk(struct vhd *v, uint32_t entries,
		 int (*each)(struct vhd *v, uint32_t block, uint32_t sector, void *opaque),
		 void *opaque);

/* bitmap.c; @offset is where the block's bitmap lies, @sector counts from the block's first. */
/* How many of @count sectors from @sector on have the same bit as the first, *ret_set. */
int vhd_bitmap_run(struct vhd *v, uint32_t block, uint64_t offset, uint32_t sector, uint32_t count,
		   uint32_t *ret_run, bool *ret_set);
/* Brings the bits of a range into the cache, so that setting them soon after does not fail. */
int vhd_bitmap_load(struct vhd *v, uint32_t block, uint64_t offset, uint32_t sector,
		    uint32_t count);
int vhd_bitmap_set(struct vhd *v, uint32_t block, uint64_t offset, uint32_t sector, uint32_t count,
		   bool fresh);
/* A bitmap of one sector, valid until the next call. */
int vhd_bitmap_bytes(struct vhd *v, uint32_t block, uint64_t offset, const uint8_t **ret_bits);
/* Drops what the cache knows of it. */
void vhd_bitmap_forget(struct vhd *v, uint32_t block, uint64_t offset);

/* memo.c; @top has a memo but for the first two. */
int vhd_memo_init(struct vhd *top, size_t bytes);
void vhd_memo_fini(struct vhd *top);
/* As vhd_locate(); false: it does not know. */
bool vhd_memo_locate(struct vhd *top, uint64_t offset, uint64_t bytes, struct vhd_place *ret_place);
/* Bits of the disk's own file were set; its block is another now. */
void vhd_memo_change(struct vhd *top, uint32_t block, uint32_t sector, uint32_t count);
void vhd_memo_forget(struct vhd *top, uint32_t block);

/* fixed.c, dynamic.c: ranges are within the disk. */
struct vhd_format_ops {
	/* What this file itself has. place->layer is NULL when that is nothing. */
	int (*locate)(struct vhd *v, uint64_t offset, uint64_t bytes, struct vhd_place *ret_place);
	int (*write)(struct vhd *v, uint64_t offset, struct vhd_span *span, uint64_t bytes);
	int (*write_zeroes)(struct vhd *v, uint64_t offset, uint64_t bytes);
	int (*discard)(struct vhd *v, uint64_t offset, uint64_t bytes);
};
extern const struct vhd_format_ops vhd_fixed_ops, vhd_dynamic_ops;

static inline const struct vhd_format_ops *vhd_ops(const struct vhd *v)
{
	return vhd_is_flat(v) ? &vhd_fixed_ops : &vhd_dynamic_ops;
}

#endif
