// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parent's name in a child's file: a field of the header, and up to eight locators that point at
 * texts elsewhere in the file.
 *
 * Text is read as its kind says. But some programs wrote the other byte order, and the two oldest
 * kinds are in whatever code page the writer's Windows had; so a text has several readings, and who
 * searches tries them all.
 */
#include "names.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/parse.h"

static const struct {
	const char code[5];
	enum vhd_name_kind kind;
	bool utf16, url;
} kinds[] = {
	{ "W2ru", NAME_W2RU, true, false },  { "MacX", NAME_MACX, false, true },
	{ "W2ku", NAME_W2KU, true, false },  { "Wi2r", NAME_WI2R, false, false },
	{ "Wi2k", NAME_WI2K, false, false }, { "name", NAME_FIELD, true, false },
};

_Static_assert(ARRAY_LEN(kinds) == NAME_KINDS, "in the order of the enumeration");

/* Code pages of the two oldest kinds: Japanese, western Europe. */
static const char *const code_pages[] = { "CP932", "CP1252" };

int vhd_list_names(struct vhd *v, struct vhd_raw_name *ret_names, unsigned int *ret_count)
{
	uint8_t raw[VHD_HEADER_BYTES];
	unsigned int count = 0;
	int r = vhd_file_read(v, v->footer.data_offset, raw, sizeof(raw));

	if (r < 0)
		return r;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (unsigned int i = 0; i < VHD_LOCATORS; i++) {
			const uint8_t *at = raw + HEADER_LOCATORS + i * VHD_LOCATOR_BYTES;
			struct vhd_raw_name name = {
				.kind = kinds[k].kind,
				.offset = get_be64(at + LOCATOR_OFFSET),
				.bytes = get_be32(at + LOCATOR_LENGTH),
			};

			if (memcmp(at + LOCATOR_CODE, kinds[k].code, 4) || !name.bytes ||
			    name.bytes > VHD_RAW_NAME_BYTES || name.offset > v->file_bytes ||
			    name.bytes > v->file_bytes - name.offset)
				continue;
			ret_names[count++] = name;
		}
	}
	ret_names[count++] = (struct vhd_raw_name){
		.kind = NAME_FIELD,
		.offset = v->footer.data_offset + HEADER_PARENT_NAME,
		.bytes = HEADER_PARENT_NAME_BYTES,
	};
	*ret_count = count;
	return 0;
}

static bool from_code_page(const char *page, const uint8_t *text, size_t bytes, char *ret_text,
			   size_t size)
{
	iconv_t convert = iconv_open("UTF-8", page);
	char *in = (char *)(uintptr_t)text, *out = ret_text;
	size_t room = size - 1;
	bool done;

	if (convert == (iconv_t)-1)
		return false;
	done = iconv(convert, &in, &bytes, &out, &room) != (size_t)-1;
	*out = '\0';
	iconv_close(convert);
	return done;
}

/* Bytes up to a NUL: UTF-8 if they are, else the code pages one after another. */
static bool decode_bytes(const uint8_t *text, size_t bytes, unsigned int reading, char *ret_text,
			 size_t size)
{
	size_t length = strnlen((const char *)text, bytes);

	if (length >= size)
		return false;
	if (utf8_is_valid((const char *)text, length)) {
		memcpy(ret_text, text, length);
		ret_text[length] = '\0';
		return reading == 0;
	}
	return reading < ARRAY_LEN(code_pages) &&
	       from_code_page(code_pages[reading], text, length, ret_text, size);
}

bool vhd_decode_name(struct vhd *v, const struct vhd_raw_name *name, unsigned int reading,
		     char *ret_path, size_t size)
{
	uint8_t raw[VHD_RAW_NAME_BYTES];
	bool little = name->kind != NAME_FIELD;

	if (vhd_file_read(v, name->offset, raw, name->bytes) < 0)
		return false;
	if (!kinds[name->kind].utf16) {
		if (!decode_bytes(raw, name->bytes, reading, ret_path, size))
			return false;
	} else {
		if (reading > 1)
			return false;
		vhd_utf16_to_utf8(raw, name->bytes, reading ? !little : little, ret_path, size);
	}
	vhd_name_to_path(ret_path, kinds[name->kind].url);
	return *ret_path;
}

/* --- the header's field, for people */

/* One program wrote the field little-endian and others accepted it: Latin text shows that. */
static bool is_little_endian(const uint8_t *name)
{
	for (unsigned int i = 0; i < HEADER_PARENT_NAME_BYTES; i += 2) {
		if (!name[i] && !name[i + 1])
			return i > 0;
		if (!name[i] || name[i + 1])
			return false;
	}
	return true;
}

void vhd_header_parent_name(const struct vhd_header *header, char *ret_text)
{
	vhd_utf16_to_utf8(header->parent_name, HEADER_PARENT_NAME_BYTES,
			  is_little_endian(header->parent_name), ret_text, VHD_PARENT_NAME_BYTES);
}

/* --- writing */

struct layout {
	uint64_t offset;
	uint8_t *texts;
	uint32_t bytes;	   /* so far */
	unsigned int used; /* locators */
};

/* The space of a locator is in bytes, whole sectors, as all writers have it. */
static void add_locator(struct layout *l, struct vhd_header *header, enum vhd_name_kind kind,
			uint32_t length)
{
	uint8_t *locator = header->locators + l->used++ * VHD_LOCATOR_BYTES;
	uint32_t space = (uint32_t)round_up(length, VHD_SECTOR_BYTES);

	memcpy(locator + LOCATOR_CODE, kinds[kind].code, 4);
	put_be32(locator + LOCATOR_SPACE, space);
	put_be32(locator + LOCATOR_LENGTH, length);
	put_be64(locator + LOCATOR_OFFSET, l->offset + l->bytes);
	l->bytes += space;
	header->locators_end = max_u64(header->locators_end, l->offset + l->bytes);
}

static int add_utf16(struct layout *l, struct vhd_header *header, enum vhd_name_kind kind,
		     const char *path)
{
	char name[VHD_PATH_BYTES + 2];
	int length = vhd_path_to_name(path, name, sizeof(name));

	if (length == 0)
		length = vhd_utf8_to_utf16(name, true, l->texts + l->bytes, 2 * sizeof(name));
	if (length < 0)
		return length;
	add_locator(l, header, kind, (uint32_t)length);
	return 0;
}

static int add_url(struct layout *l, struct vhd_header *header, const char *path)
{
	int r = vhd_path_to_url(path, (char *)l->texts + l->bytes, 2 * VHD_PATH_BYTES);

	if (r < 0)
		return r;
	add_locator(l, header, NAME_MACX, (uint32_t)strlen((const char *)l->texts + l->bytes));
	return 0;
}

int vhd_encode_names(struct vhd *v, const struct vhd_parent *parent, uint64_t offset,
		     struct vhd_header *header, uint8_t *ret_texts, uint32_t *ret_bytes)
{
	struct layout l = { .offset = offset, .texts = ret_texts };
	const char *slash = strrchr(parent->relative, '/');
	const char *file = slash ? slash + 1 : parent->relative;
	int r;

	memset(ret_texts, 0, VHD_NAMES_BYTES_MAX);
	memset(header->locators, 0, sizeof(header->locators));
	memset(header->parent_name, 0, sizeof(header->parent_name));
	header->locators_end = 0;
	if (!*file)
		return vhd_fail(v, -EINVAL, "its parent has no name");
	r = vhd_utf8_to_utf16(file, false, header->parent_name, HEADER_PARENT_NAME_BYTES - 2);
	if (r >= 0)
		r = add_utf16(&l, header, NAME_W2RU, parent->relative);
	if (r == 0 && parent->absolute)
		r = add_utf16(&l, header, NAME_W2KU, parent->absolute);
	if (r == 0 && parent->absolute)
		r = add_url(&l, header, parent->absolute);
	if (r < 0)
		return vhd_fail(v, r,
				"its parent's name is too long or no UTF-8, which the format "
				"cannot hold: %.200s",
				file);
	*ret_bytes = l.bytes;
	return 0;
}

/* --- for callers */

int vhd_read_locators(const struct vhd_file *file,
		      struct vhd_locator ret_locators[VHD_LOCATORS_MAX], unsigned int *ret_count,
		      char *error, size_t error_size)
{
	struct vhd_raw_name names[VHD_LOCATORS_MAX];
	struct vhd *v = calloc(1, sizeof(*v));
	unsigned int count = 0;
	int r = -ENOMEM;

	if (v) {
		v->read_only = true;
		r = vhd_describe(v, file);
	}
	if (r == 0 && v->footer.type == VHD_DIFFERENCING)
		r = vhd_list_names(v, names, &count);
	for (unsigned int i = 0; r == 0 && i < count; i++) {
		struct vhd_locator *locator = &ret_locators[i];

		memcpy(locator->code, kinds[names[i].kind].code, sizeof(locator->code));
		locator->offset = names[i].offset;
		locator->bytes = names[i].bytes;
		if (!vhd_decode_name(v, &names[i], 0, locator->path, sizeof(locator->path)))
			locator->path[0] = '\0';
	}
	if (r == 0)
		*ret_count = count;
	else
		snprintf(error, error_size, "%s", v ? v->error : "out of memory");
	vhd_free(v);
	return r;
}
