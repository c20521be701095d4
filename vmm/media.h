/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives whose media people change while the machine runs: "floppy0" and "floppy1", and "cd0" to
 * "cd3" in the order of their places on the IDE cables. Each has a block backend for good, whose
 * image is exchanged (blockio.h).
 *
 * All functions want the machine lock unless they say otherwise.
 */
#ifndef VMM_MEDIA_H
#define VMM_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

#define MEDIA_DRIVES_MAX (VM_FLOPPIES_MAX + VM_DISKS_MAX)

struct block_backend;
struct board;
struct loop;

struct media_drive {
	char name[12];
	bool is_cdrom;
	unsigned int place; /* drive of the floppy controller, slot of the IDE channels */
	unsigned int kind;  /* enum floppy_kind; CD-ROM drives: 0 */
	struct block_backend *backend;
	struct board *board;   /* whose devices these are, once they are made */
	bool changing;	       /* the worker exchanges the image */
	bool present;	       /* there is a medium in the drive */
	struct vm_disk medium; /* what is in it, or will be when the change is done */
};

struct media {
	unsigned int count;
	struct media_drive drives[MEDIA_DRIVES_MAX];
};

struct media_info {
	const char *name, *kind; /* kind: "CD-ROM", or the floppy drive's capacity */
	const char *medium;	 /* its name, NULL: none */
	bool read_only;
	bool tray_open, locked; /* CD-ROM drives only */
};

/*
 * Makes the drives that @config asks for and leaves their backends in @board. Without the lock. 0,
 * or -errno with one line in @error; then media_free() frees what was made.
 */
int media_new(struct media *media, struct loop *loop, const struct vm_config *config,
	      struct board *board, char *error, size_t error_size);
/* Starts the workers. Without the lock. 0 or -errno. */
int media_start(struct media *media);
/* Without the lock, before the devices go. */
void media_free(struct media *media);

/*
 * Puts @medium, a raw image, into drive @name in place of what is in there; its descriptor is the
 * drive's when 0 is returned. @force: although the guest has locked the tray. -errno with one line
 * in @error.
 */
int media_insert(struct media *media, const char *name, const struct vm_disk *medium, bool force,
		 char *error, size_t error_size);
int media_eject(struct media *media, const char *name, bool force, char *error, size_t error_size);

/* By index from 0; false behind the last. */
bool media_describe(const struct media *media, unsigned int index, struct media_info *ret_info);

#endif
