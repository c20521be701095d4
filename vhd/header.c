// SPDX-License-Identifier: GPL-2.0-or-later
/* The header of dynamic and differencing disks: decoding, and what is accepted. */
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
	uint64_t limit = vhd_data_limit(v);

	if (offset % VHD_SECTOR_BYTES || offset < VHD_FOOTER_BYTES || offset > limit ||
	    bytes > limit - offset || (offset + bytes) / VHD_SECTOR_BYTES > UINT32_MAX)
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
	memcpy(header.locators, raw + HEADER_LOCATORS, sizeof(header.locators));
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
	memcpy(raw + HEADER_LOCATORS, header->locators, sizeof(header->locators));
	put_be32(raw + HEADER_CHECKSUM, vhd_checksum(raw, VHD_HEADER_BYTES, HEADER_CHECKSUM));
}
