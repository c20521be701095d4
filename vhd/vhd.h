/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual hard disk images.
 *
 * A handle is one disk as a guest sees it: bytes from 0 to its size. Behind it is a chain of files:
 * the disk's own, its parent, and so on to one that has no parent. Only the first is written to.
 * The handle works on descriptors that the caller has opened and locked and never sees a path, so
 * that a sandboxed process can use it. Who has only a path finds the chain with vhd_chain.h, before
 * any sandbox. vhd_check.h examines and mends files. A handle is used by one thread at a time.
 *
 * Errors are negative errno values. The ones with a meaning of their own:
 *
 *	-EMEDIUMTYPE	this is no VHD
 *	-EUCLEAN	it is one, but damaged: the text says which field or block
 *	-EOPNOTSUPP	a kind of VHD that is not supported, or something the file system cannot do
 *	-ENOLINK	a parent is needed and is not there, or is not the one that it was made for
 *	-ELOOP		a disk is its own ancestor, or the chain is longer than VHD_CHAIN_MAX
 *	-EPERM		the disk belongs to a saved state
 *	-EROFS		a write to a disk that was opened read-only
 *	-EINVAL		a range or an option that makes no sense
 *	-EFBIG		the disk cannot be that large
 *
 * and whatever the file's own calls return (-EIO, -ENOSPC, ...). The text that goes with an error
 * is one line that begins with the name of the file; it has no full stop and no control characters.
 */
#ifndef VHD_VHD_H
#define VHD_VHD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vhd_io.h"

#define VHD_SECTOR_BYTES 512u
/* What vhd_create() makes, in bytes; sizes are multiples of VHD_SECTOR_BYTES. */
#define VHD_SIZE_MIN (UINT64_C(1) << 20)
#define VHD_DYNAMIC_SIZE_MAX (UINT64_C(2040) << 30)
#define VHD_FIXED_SIZE_MAX (UINT64_C(64) << 40)
/* Block sizes that are read and made: powers of two. */
#define VHD_BLOCK_BYTES_MIN 4096u
#define VHD_BLOCK_BYTES_MAX (256u << 20)
#define VHD_BLOCK_BYTES_DEFAULT (2u << 20)
/* The longest chain: a disk, its parent, and so on. */
#define VHD_CHAIN_MAX 128
/* Memory for block tables and bitmaps, unless the caller says otherwise. */
#define VHD_CACHE_BYTES_DEFAULT (4u << 20)
#define VHD_NAME_BYTES 256
#define VHD_ERROR_BYTES 512
#define VHD_WARNING_BYTES 320
/* Names inside files: at most 255 units of UTF-16, and a path of some system. */
#define VHD_PARENT_NAME_BYTES 769
#define VHD_PATH_BYTES 4096

struct vhd;

/* One image file. */
struct vhd_file {
	int fd;		   /* stays the caller's, and open until the handle is freed */
	const char *name;  /* for messages: what people call it; copied */
	struct vhd_io *io; /* NULL: system calls on @fd. Else @fd is not used; kept by reference */
	/* No VHD: the bytes are the disk. A raw image, a partition, a whole device. */
	bool raw;
};

enum vhd_type {
	VHD_RAW = 0,
	VHD_FIXED = 2,
	VHD_DYNAMIC = 3,
	VHD_DIFFERENCING = 4,
};

/* A footer records two sizes, and they may differ: bytes, and cylinders * heads * sectors. */
enum vhd_size_rule {
	VHD_SIZE_BY_CREATOR, /* CHS for "vpc " and "qemu", else the bytes */
	VHD_SIZE_CURRENT,    /* the bytes */
	VHD_SIZE_CHS, /* CHS; the bytes where CHS says nothing (0, above the bytes, at its maximum)
		       */
};

struct vhd_geometry {
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors_per_track;
};

enum vhd_footer_state {
	VHD_FOOTER_GOOD,
	VHD_FOOTER_MISSING, /* no cookie; always so for the head of a fixed disk */
	VHD_FOOTER_DAMAGED, /* wrong checksum, or it leads nowhere */
	VHD_FOOTER_STALE,   /* good, but not like the one that counts */
	VHD_FOOTER_SHORT,   /* good, of 511 bytes as the oldest programs wrote it */
	VHD_FOOTER_INSIDE,  /* good, but not where the file ends */
};

struct vhd_info {
	enum vhd_type type;
	uint64_t size_bytes; /* what a guest sees, by the rule it was opened with */
	uint64_t current_bytes;
	uint64_t original_bytes;
	uint64_t file_bytes;
	struct vhd_geometry geometry;
	uint64_t geometry_bytes; /* their product */
	char creator[5];	 /* as it stands there, bytes that cannot be printed as '?' */
	char creator_os[5];
	uint32_t creator_version;
	int64_t created_unix; /* seconds since 1970 */
	uint8_t id[16];
	bool saved_state;
	bool temporary;
	enum vhd_footer_state head, tail;
	/* Can be read, but must be mended before it is written to; vhd_repair() does. */
	bool needs_repair;

	/* Dynamic and differencing; else 0. */
	uint32_t block_bytes;
	uint32_t block_count;	/* that the disk has */
	uint32_t table_entries; /* that the file has room for, at least block_count */

	/* Differencing; else zeros and "". */
	uint8_t parent_id[16];
	int64_t parent_time_unix; /* of the parent file's last change; 0: not recorded */
	/* UTF-8; a file name or a whole path of some system */
	char parent_name[VHD_PARENT_NAME_BYTES];
};

/* What is wrong with a chain and accepted all the same, because a person said so. */
enum vhd_accept {
	VHD_ACCEPT_PARENT_ID = 1u << 0,	  /* the parent has another id than the child recorded */
	VHD_ACCEPT_PARENT_SIZE = 1u << 1, /* the parent was resized; missing sectors are zeros */
};

struct vhd_open_options {
	bool read_only;
	enum vhd_size_rule size_rule;
	bool ignore_saved_state; /* open for writing all the same: the disk's own machine resumes */
	unsigned int accept;	 /* enum vhd_accept */
	size_t cache_bytes; /* 0: VHD_CACHE_BYTES_DEFAULT; the most that the whole chain takes */
};

/*
 * Opens the disk in files[0]. files[1] is its parent, files[2] that one's parent, and so on: @count
 * is 1 for a disk that has none. Parents are only read. @options may be NULL: all defaults.
 *
 * A parent must have the id that its child recorded, and the child's size. That it was changed
 * since (its time) is a warning. Warnings are kept with the handle.
 *
 * A disk whose footers are damaged is only opened read-only (-EUCLEAN), with a warning. Memory in
 * use is bounded by cache_bytes beside some 6 KiB for each file, and small for small disks; nothing
 * is allocated after this call.
 *
 * 0, or an error as above with its text in @error.
 */
int vhd_open(const struct vhd_file *files, unsigned int count,
	     const struct vhd_open_options *options, struct vhd **ret_vhd, char *error,
	     size_t error_size);

/* The description of one file without opening its parents. Never writes. Errors as vhd_open(). */
int vhd_probe(const struct vhd_file *file, struct vhd_info *ret_info, char *error,
	      size_t error_size);

/*
 * vhd_finish() flushes and gives the file its final length; the handle stays usable. vhd_free()
 * drops the handle without touching the file: what was not flushed is lost, what was flushed is
 * not. NULL is allowed. vhd_close() does both; the error is vhd_finish()'s, and the handle is gone
 * in any case.
 */
int vhd_finish(struct vhd *vhd);
void vhd_free(struct vhd *vhd);
int vhd_close(struct vhd *vhd);

void vhd_get_info(const struct vhd *vhd, struct vhd_info *ret_info);
uint64_t vhd_size_bytes(const struct vhd *vhd);
/* The text of the last error of this handle, "" before the first. */
const char *vhd_error(const struct vhd *vhd);
/* The n-th thing that was odd when the chain was opened, or NULL: one line as an error has it. */
const char *vhd_warning(const struct vhd *vhd, unsigned int n);

/* Layers: 0 is the disk's own file, 1 its parent, ... */
unsigned int vhd_layer_count(const struct vhd *vhd);
void vhd_get_layer_info(const struct vhd *vhd, unsigned int layer, struct vhd_info *ret_info);

/*
 * Reads or writes the sum of @iov bytes at @offset; any alignment, any number of pieces. All or an
 * error, after which the range of a write holds old bytes, new bytes or a mixture of both, sector
 * by sector.
 */
int vhd_read(struct vhd *vhd, uint64_t offset, const struct iovec *iov, unsigned int iov_count);
int vhd_write(struct vhd *vhd, uint64_t offset, const struct iovec *iov, unsigned int iov_count);
/* vhd_read() of what the disk was without its first @layer files. */
int vhd_read_below(struct vhd *vhd, unsigned int layer, uint64_t offset, const struct iovec *iov,
		   unsigned int iov_count);

enum vhd_op { VHD_OP_READ, VHD_OP_WRITE, VHD_OP_FLUSH, VHD_OP_WRITE_ZEROES, VHD_OP_DISCARD };

struct vhd_request {
	enum vhd_op op;
	uint64_t offset;
	uint64_t bytes; /* WRITE_ZEROES, DISCARD */
	const struct iovec *iov;
	unsigned int iov_count;
	int result; /* set: 0 or -errno */
};

/*
 * Carries out @count requests in their order, each whatever became of those before. Neighbours that
 * continue each other become one transfer, and flushes with nothing between them one flush. 0, or
 * the first error.
 */
int vhd_batch(struct vhd *vhd, struct vhd_request *requests, unsigned int count);

/* A range of the disk whose sectors all come from the same place. */
struct vhd_extent {
	uint64_t offset, bytes;
	/* No file of the chain holds it: it reads as zeros. Else the two below say where it is. */
	bool zero;
	unsigned int layer;
	uint64_t file_offset;
};

/*
 * The longest extent that begins at @offset, of at most @bytes, cut at block boundaries only when
 * the places in the file do not follow each other. With @layer as vhd_read_below(); the extent's
 * layer counts from the disk's own file all the same.
 */
int vhd_map(struct vhd *vhd, unsigned int layer, uint64_t offset, uint64_t bytes,
	    struct vhd_extent *ret_extent);

/*
 * What was written before is on stable storage when it returns 0: it is there after any later loss
 * of power. At most two fdatasync, none when nothing was written. After an error nothing that an
 * earlier flush made safe is lost; the flush may be tried again.
 */
int vhd_flush(struct vhd *vhd);

/*
 * The range reads as zeros afterwards. Takes no space that the disk does not have yet, but in a
 * child blocks where an ancestor has data: the format cannot say "zeros" otherwise.
 */
int vhd_write_zeroes(struct vhd *vhd, uint64_t offset, uint64_t bytes);
/*
 * The guest does not need the range any more: whole sectors of it that this file holds read as
 * zeros afterwards and their space goes back to the host; what an ancestor holds stays as it was.
 * -EOPNOTSUPP, and nothing changed, where the file system cannot or the disk is fixed (it owns its
 * space).
 */
int vhd_discard(struct vhd *vhd, uint64_t offset, uint64_t bytes);

/* How many of its blocks are in this file; reads all of the table. Not for fixed disks. */
int vhd_count_blocks(struct vhd *vhd, uint32_t *ret_count);

/*
 * Marks the disk as part of a machine's saved state, or not any more, on stable storage: nobody
 * else writes to it then. The handle must be open for writing.
 */
int vhd_set_saved_state(struct vhd *vhd, bool saved);

/* How a child names its parent. Paths are UTF-8 and have '/', whatever goes into the file. */
struct vhd_parent {
	uint8_t id[16];
	int64_t modified_unix;	 /* of the parent's file; 0: not recorded */
	const char *relative;	 /* from the child's folder: "base.vhd", "../base.vhd" */
	const char *absolute;	 /* or NULL */
	bool ignore_saved_state; /* vhd_set_parent(): the child is a layer of a saved state's disk */
};

/* The program that an image claims to be made by: it decides how others take its size. */
struct vhd_creator {
	char application[5]; /* "win ", "vpc ", ... */
	char host_os[5];
	uint32_t version;
};

struct vhd_create_options {
	enum vhd_type type; /* not VHD_RAW */
	uint64_t size_bytes;
	uint32_t block_bytes; /* not fixed; 0: VHD_BLOCK_BYTES_DEFAULT */
	bool preallocate;     /* fixed: reserve all space now, the file has no holes */
	bool temporary;	      /* the feature bit: may be deleted when its machine stops */
	const uint8_t *id;    /* 16 bytes; NULL: random */
	int64_t created_unix; /* 0: now */
	const struct vhd_parent *parent;     /* differencing */
	const struct vhd_creator *creator;   /* NULL: as Windows 10 does, which all believe */
	const struct vhd_geometry *geometry; /* NULL: vhd_geometry() */
};

/*
 * Makes an image in @file, which must be empty (-EEXIST). The disk reads as zeros. Nothing is
 * synced. After an error the file's contents mean nothing.
 */
int vhd_create(const struct vhd_file *file, const struct vhd_create_options *options, char *error,
	       size_t error_size);

/*
 * The geometry that the format prescribes for @bytes; it is rounded down, and stands still at
 * 65535/16/255 for the largest disks.
 */
struct vhd_geometry vhd_geometry(uint64_t bytes);
uint64_t vhd_geometry_bytes(struct vhd_geometry geometry);
/*
 * The smallest size of at least @bytes, and the largest of at most @bytes, that a geometry can say
 * exactly;
 * @bytes rounded to sectors where no geometry is large enough.
 */
uint64_t vhd_geometry_size_up(uint64_t bytes);
uint64_t vhd_geometry_size_down(uint64_t bytes);

/* "raw", "fixed", "dynamic", "differencing". */
const char *vhd_type_name(enum vhd_type type);

/*
 * Locks the file behind @fd for writing or, shared, for reading, until the last descriptor of this
 * open file is closed, in whichever process. 0, -EBUSY when it is in use by another program, or
 * -errno.
 */
int vhd_lock(int fd, bool exclusive);
/* Gives the lock back before that. */
void vhd_unlock(int fd);

#include "vhd_chain.h"
#include "vhd_check.h"
#include "vhd_job.h"

#endif
