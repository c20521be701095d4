/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that a child's file has for its parent; nothing here is for others. */
#ifndef VHD_NAMES_H
#define VHD_NAMES_H

#include "image.h"

enum vhd_name_kind {
	NAME_W2RU,  /* UTF-16 little-endian, relative */
	NAME_MACX,  /* URL in UTF-8 */
	NAME_W2KU,  /* UTF-16 little-endian, absolute */
	NAME_WI2R,  /* some code page, relative */
	NAME_WI2K,  /* some code page, absolute */
	NAME_FIELD, /* the header's own field, UTF-16 big-endian */
	NAME_KINDS,
};

/* UTF-16 to UTF-8, up to a NUL; cut to fit. Control characters become '?', so that a line stays one. */
void vhd_utf16_to_utf8(const uint8_t *text, size_t bytes, bool little, char *ret_text, size_t size);
/* The other way, without a NUL at the end. Bytes, or -EINVAL: no UTF-8, or it does not fit. */
int vhd_utf8_to_utf16(const char *text, bool little, uint8_t *ret_text, size_t size);

/*
 * A name as other systems write it becomes a path: '/' for '\', without drive letter, without the
 * scheme and host of a URL. "" when nothing is left.
 */
void vhd_name_to_path(char *name, bool url);
/* And back: '\' for '/', with the leading ".\" that some readers want; -EINVAL: it does not fit. */
int vhd_path_to_name(const char *path, char *ret_name, size_t size);
/* "file://" and percent signs. */
int vhd_path_to_url(const char *path, char *ret_url, size_t size);

/* locators.c: text of the locators as it stands in the file. */
struct vhd_raw_name {
	enum vhd_name_kind kind;
	uint64_t offset;
	uint32_t bytes;
};
#define VHD_RAW_NAME_BYTES 8192 /* longer ones are no paths */

/* Sorted as they are tried; at most VHD_LOCATORS_MAX. @v has been described. */
int vhd_list_names(struct vhd *v, struct vhd_raw_name *ret_names, unsigned int *ret_count);
/*
 * Decodes one as a path. @reading 0 is how it should be read, more are what it may be instead: the
 * other byte order, code pages. False: there is no such reading.
 */
bool vhd_decode_name(struct vhd *v, const struct vhd_raw_name *name, unsigned int reading,
		     char *ret_path, size_t size);
/*
 * Lays out a child's names: fills header->parent_name, the locators in @raw (HEADER_LOCATORS on) and
 * their texts, which go to @offset of the file; *ret_bytes of them, whole sectors in @ret_texts.
 */
#define VHD_NAMES_BYTES_MAX (3 * 8704u)
int vhd_encode_names(struct vhd *v, const struct vhd_parent *parent, uint64_t offset,
		     struct vhd_header *header, uint8_t *ret_texts, uint32_t *ret_bytes);

#endif
