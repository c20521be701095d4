// SPDX-License-Identifier: GPL-2.0-or-later
/* The header of dynamic and differencing disks: decoding, what is accepted, the parent's name. */
#include "image.h"

#include <errno.h>
#include <string.h>

#include "../base/bytes.h"

/* Where the strings end that locators point at: no block may be put over them. */
static uint64_t locators_end(const uint8_t *raw, uint64_t file_bytes)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < VHD_LOCATORS; i++) {
		const uint8_t *locator = raw + HEADER_LOCATORS + i * VHD_LOCATOR_BYTES;
		uint64_t offset = get_be64(locator + LOCATOR_OFFSET);
		uint32_t length = get_be32(locator + LOCATOR_LENGTH);

		if (!get_be32(locator + LOCATOR_CODE) || offset > file_bytes ||
		    length > file_bytes - offset)
			continue;
		end = max_u64(end, offset + length);
	}
	return end;
}

static int check_blocks(struct vhd *v, const struct vhd_header *header, uint64_t disk_bytes)
{
	uint64_t needed;

	if (!is_power_of_two(header->block_bytes) || header->block_bytes < VHD_BLOCK_BYTES_MIN ||
	    header->block_bytes > VHD_BLOCK_BYTES_MAX)
		return vhd_fail(v, -EUCLEAN,
				"header: block size %u is not a power of two from %u to %u",
				header->block_bytes, VHD_BLOCK_BYTES_MIN, VHD_BLOCK_BYTES_MAX);
	needed = disk_bytes / header->block_bytes + (disk_bytes % header->block_bytes != 0);
	if (header->table_entries < needed)
		return vhd_fail(v, -EUCLEAN,
				"header: block table of %u entries, but a disk of %llu bytes needs "
				"%llu",
				header->table_entries, (unsigned long long)disk_bytes,
				(unsigned long long)needed);
	if (header->table_entries > VHD_TABLE_ENTRIES_MAX)
		return vhd_fail(v, -EUCLEAN,
				"header: block table of %u entries, at most %u are supported",
				header->table_entries, VHD_TABLE_ENTRIES_MAX);
	return 0;
}

static int check_table(struct vhd *v, const struct vhd_footer *footer,
		       const struct vhd_header *header)
{
	uint64_t offset = header->table_offset;
	uint64_t bytes =
		round_up((uint64_t)header->table_entries * VHD_ENTRY_BYTES, VHD_SECTOR_BYTES);

	if (offset % VHD_SECTOR_BYTES || offset < VHD_FOOTER_BYTES || offset > v->file_bytes ||
	    bytes > v->file_bytes - offset || (offset + bytes) / VHD_SECTOR_BYTES > UINT32_MAX)
		return vhd_fail(v, -EUCLEAN,
				"header: block table of %llu bytes at offset %llu does not lie in "
				"the file of %llu bytes",
				(unsigned long long)bytes, (unsigned long long)offset,
				(unsigned long long)v->file_bytes);
	if (offset < footer->data_offset + VHD_HEADER_BYTES && footer->data_offset < offset + bytes)
		return vhd_fail(v, -EUCLEAN, "header: block table at offset %llu overlaps it",
				(unsigned long long)offset);
	return 0;
}

int vhd_header_read(struct vhd *v, const struct vhd_footer *footer, struct vhd_header *ret_header)
{
	uint8_t raw[VHD_HEADER_BYTES];
	struct vhd_header header = { 0 };
	int r = vhd_file_read(v, footer->data_offset, raw, sizeof(raw));

	if (r < 0)
		return r;
	if (memcmp(raw, VHD_HEADER_COOKIE, 8))
		return vhd_fail(v, -EUCLEAN, "header: not found at offset %llu",
				(unsigned long long)footer->data_offset);
	if (get_be32(raw + HEADER_CHECKSUM) != vhd_checksum(raw, sizeof(raw), HEADER_CHECKSUM))
		return vhd_fail(v, -EUCLEAN, "header: its checksum is wrong");
	if (get_be32(raw + HEADER_VERSION) >> 16 != VHD_VERSION_1_0 >> 16)
		return vhd_fail(v, -EOPNOTSUPP, "header: version 0x%08x, only 1.0 is supported",
				get_be32(raw + HEADER_VERSION));
	header.table_offset = get_be64(raw + HEADER_TABLE_OFFSET);
	header.table_entries = get_be32(raw + HEADER_TABLE_ENTRIES);
	header.block_bytes = get_be32(raw + HEADER_BLOCK_SIZE);
	header.parent_time = get_be32(raw + HEADER_PARENT_TIME);
	memcpy(header.parent_id, raw + HEADER_PARENT_ID, 16);
	memcpy(header.parent_name, raw + HEADER_PARENT_NAME, HEADER_PARENT_NAME_BYTES);
	if (footer->type == VHD_DIFFERENCING)
		header.locators_end = locators_end(raw, v->file_bytes);
	r = check_blocks(v, &header, footer->current_size);
	if (r == 0)
		r = check_table(v, footer, &header);
	if (r == 0)
		*ret_header = header;
	return r;
}

void vhd_header_encode(const struct vhd_header *header, uint8_t raw[VHD_HEADER_BYTES])
{
	memset(raw, 0, VHD_HEADER_BYTES);
	memcpy(raw + HEADER_COOKIE, VHD_HEADER_COOKIE, 8);
	put_be64(raw + HEADER_NEXT, VHD_OFFSET_NONE);
	put_be64(raw + HEADER_TABLE_OFFSET, header->table_offset);
	put_be32(raw + HEADER_VERSION, VHD_VERSION_1_0);
	put_be32(raw + HEADER_TABLE_ENTRIES, header->table_entries);
	put_be32(raw + HEADER_BLOCK_SIZE, header->block_bytes);
	memcpy(raw + HEADER_PARENT_ID, header->parent_id, 16);
	put_be32(raw + HEADER_PARENT_TIME, header->parent_time);
	memcpy(raw + HEADER_PARENT_NAME, header->parent_name, HEADER_PARENT_NAME_BYTES);
	put_be32(raw + HEADER_CHECKSUM, vhd_checksum(raw, VHD_HEADER_BYTES, HEADER_CHECKSUM));
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x20 || c == 0x7f)
		c = '?'; /* a message stays one line */
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

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
	const uint8_t *name = header->parent_name;
	bool little = is_little_endian(name);

	for (unsigned int i = 0; i < HEADER_PARENT_NAME_BYTES; i += 2) {
		uint32_t c = little ? get_le16(name + i) : get_be16(name + i);
		uint32_t low = 0;

		if (!c)
			break;
		if (c >= 0xd800 && c < 0xe000) {
			if (c < 0xdc00 && i + 3 < HEADER_PARENT_NAME_BYTES)
				low = little ? get_le16(name + i + 2) : get_be16(name + i + 2);
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i += 2;
			} else {
				c = 0xfffd;
			}
		}
		ret_text = put_utf8(ret_text, c);
	}
	*ret_text = '\0';
}
