/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a path to the chain of files behind it. Part of vhd.h.
 *
 * This is the only place of the library that knows paths and opens files: it runs outside any
 * sandbox, and what it returns is what vhd_open() takes.
 *
 * A child names its parent in up to nine ways, made on other systems, in folders that may have been
 * moved since. They are tried in this order: the relative path, the URL, the absolute path, the two
 * old kinds, the bare name; each from the child's folder, with '\' as '/', without a drive letter,
 * then again without regard to case; then the file's name alone in the child's folder and in the
 * folders that the caller gives. The first that is a disk with the id that the child recorded is
 * the parent. Files with another id are passed over and named in the error.
 *
 * Linked disks. A text file may stand where an image is expected:
 *
 *	mainstay linked disk 1
 *	device /dev/disk/by-id/ata-WDC_AC22500L_WD-WT3400012345
 *	readonly
 *
 * It presents a block device or partition of the host as a raw disk. The path must be below
 * /dev/disk/. The third line is optional; where the host has the device, one of its partitions or
 * the disk that it is part of mounted or in use as swap space, the disk is read-only whatever the
 * file says.
 */
#ifndef VHD_CHAIN_H
#define VHD_CHAIN_H

#include "vhd.h"

struct vhd_chain {
	unsigned int count;
	struct vhd_file files[VHD_CHAIN_MAX]; /* descriptors belong to the chain */
	char *paths[VHD_CHAIN_MAX];	      /* what files[].name points at */
	bool read_only;			      /* asked for, or a linked disk that must be */
};

struct vhd_chain_options {
	bool read_only;
	bool raw;	 /* the first file is a raw image */
	bool raw_parent; /* a parent that is no VHD is taken as a raw image */
	/* Take this for the first file's parent, whatever that says. Or NULL. */
	const char *parent;
	/* Folders to look for parents in, after all else. NULL-terminated, or NULL. */
	const char *const *folders;
	unsigned int
		accept; /* enum vhd_accept: VHD_ACCEPT_PARENT_ID takes the first that is there */
	bool no_locks;	/* the caller has them, or does not care */
	bool alone;	/* only the first file, even if it has a parent */
};

/*
 * Opens @path and its ancestors. Files are locked as vhd_lock() does: the first exclusively unless
 * read_only, ancestors shared. @options may be NULL. 0, or -errno with one line in @error that
 * names the file: -EBUSY in use, -ENOLINK no parent, -ELOOP its own ancestor; then the chain is
 * empty.
 */
int vhd_chain_open(struct vhd_chain *chain, const char *path,
		   const struct vhd_chain_options *options, char *error, size_t error_size);
void vhd_chain_close(struct vhd_chain *chain);

/* How a child at @child_path should name the image at @parent_path, for vhd_create_options. */
struct vhd_parent_reference {
	struct vhd_parent parent;
	uint64_t size_bytes;  /* of the parent: a child has the same */
	uint32_t block_bytes; /* of the parent, 0: it has none */
	char relative[VHD_PATH_BYTES], absolute[VHD_PATH_BYTES];
};
/* @parent_fd is open on @parent_path. 0, or -errno with one line in @error. */
int vhd_refer_to_parent(int parent_fd, const char *parent_path, bool raw, const char *child_path,
			struct vhd_parent_reference *ret_reference, char *error, size_t error_size);

/* The names of its parent that a differencing disk's file holds. */
struct vhd_locator {
	char code[5];	 /* "W2ru", "W2ku", "MacX", "Wi2r", "Wi2k", "Mac ", "name" */
	uint64_t offset; /* of the text in the file */
	uint32_t bytes;
	/* UTF-8 with '/' as a path from the child's folder or from the root; "" if it cannot be. */
	char path[VHD_PATH_BYTES];
};
#define VHD_LOCATORS_MAX 9
/* In the order in which they are tried. Errors as vhd_probe(). */
int vhd_read_locators(const struct vhd_file *file,
		      struct vhd_locator ret_locators[VHD_LOCATORS_MAX], unsigned int *ret_count,
		      char *error, size_t error_size);

#endif
