// SPDX-License-Identifier: GPL-2.0-or-later
/* The footer: checksum, decoding, what is accepted. */
#include "image.h"

#include <errno.h>
#include <string.h>

#include "../base/bytes.h"

uint32_t vhd_checksum(const uint8_t *bytes, size_t size, size_t checksum_offset)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	for (size_t i = 0; i < 4; i++)
		sum -= bytes[checksum_offset + i];
	return ~sum;
}

enum vhd_footer_state vhd_footer_look(const uint8_t raw[VHD_FOOTER_BYTES])
{
	if (memcmp(raw, VHD_FOOTER_COOKIE, 8))
		return VHD_FOOTER_MISSING;
	if (get_be32(raw + FOOTER_CHECKSUM) != vhd_checksum(raw, VHD_FOOTER_BYTES, FOOTER_CHECKSUM))
		return VHD_FOOTER_DAMAGED;
	return VHD_FOOTER_GOOD;
}

void vhd_footer_decode(const uint8_t raw[VHD_FOOTER_BYTES], struct vhd_footer *ret_footer)
{
	*ret_footer = (struct vhd_footer){
		.features = get_be32(raw + FOOTER_FEATURES),
		.version = get_be32(raw + FOOTER_VERSION),
		.data_offset = get_be64(raw + FOOTER_DATA_OFFSET),
		.time = get_be32(raw + FOOTER_TIME),
		.creator_version = get_be32(raw + FOOTER_CREATOR_VERSION),
		.original_size = get_be64(raw + FOOTER_ORIGINAL_SIZE),
		.current_size = get_be64(raw + FOOTER_CURRENT_SIZE),
		.geometry = {
			.cylinders = get_be16(raw + FOOTER_CYLINDERS),
			.heads = raw[FOOTER_HEADS],
			.sectors_per_track = raw[FOOTER_SECTORS],
		},
		.type = get_be32(raw + FOOTER_TYPE),
		.saved_state = raw[FOOTER_SAVED_STATE],
	};
	memcpy(ret_footer->creator, raw + FOOTER_CREATOR, 4);
	memcpy(ret_footer->creator_os, raw + FOOTER_CREATOR_OS, 4);
	memcpy(ret_footer->id, raw + FOOTER_ID, 16);
}

/* Over what @raw holds: bytes that have no name here stay as they are. */
void vhd_footer_encode(const struct vhd_footer *footer, uint8_t raw[VHD_FOOTER_BYTES])
{
	memcpy(raw, VHD_FOOTER_COOKIE, 8);
	put_be32(raw + FOOTER_FEATURES, footer->features | FEATURE_RESERVED);
	put_be32(raw + FOOTER_VERSION, footer->version);
	put_be64(raw + FOOTER_DATA_OFFSET, footer->data_offset);
	put_be32(raw + FOOTER_TIME, footer->time);
	memcpy(raw + FOOTER_CREATOR, footer->creator, 4);
	put_be32(raw + FOOTER_CREATOR_VERSION, footer->creator_version);
	memcpy(raw + FOOTER_CREATOR_OS, footer->creator_os, 4);
	put_be64(raw + FOOTER_ORIGINAL_SIZE, footer->original_size);
	put_be64(raw + FOOTER_CURRENT_SIZE, footer->current_size);
	put_be16(raw + FOOTER_CYLINDERS, footer->geometry.cylinders);
	raw[FOOTER_HEADS] = footer->geometry.heads;
	raw[FOOTER_SECTORS] = footer->geometry.sectors_per_track;
	put_be32(raw + FOOTER_TYPE, footer->type);
	memcpy(raw + FOOTER_ID, footer->id, 16);
	raw[FOOTER_SAVED_STATE] = footer->saved_state;
	put_be32(raw + FOOTER_CHECKSUM, vhd_checksum(raw, VHD_FOOTER_BYTES, FOOTER_CHECKSUM));
}

static int check_type(struct vhd *v, const struct vhd_footer *footer, const char *which)
{
	switch (footer->type) {
	case VHD_FIXED:
	case VHD_DYNAMIC:
	case VHD_DIFFERENCING:
		return 0;
	case 1:
	case 5:
	case 6:
		return vhd_fail(
			v, -EOPNOTSUPP,
			"%s: disk type %u: a disk linked to a physical one is not supported", which,
			footer->type);
	default:
		return vhd_fail(v, -EUCLEAN, "%s: disk type %u does not exist", which,
				footer->type);
	}
}

int vhd_footer_check(struct vhd *v, const struct vhd_footer *footer, const char *which)
{
	int r = check_type(v, footer, which);

	if (r < 0)
		return r;
	if (footer->version >> 16 != VHD_VERSION_1_0 >> 16)
		return vhd_fail(v, -EOPNOTSUPP, "%s: version 0x%08x, only 1.0 is supported", which,
				footer->version);
	if (!footer->current_size || footer->current_size % VHD_SECTOR_BYTES)
		return vhd_fail(v, -EUCLEAN, "%s: current size %llu is not a number of sectors",
				which, (unsigned long long)footer->current_size);
	if (footer->type == VHD_FIXED) {
		if (footer->current_size > v->tail_offset)
			return vhd_fail(v, -EUCLEAN,
					"%s: current size %llu, but the file ends after %llu bytes "
					"of data: it was cut",
					which, (unsigned long long)footer->current_size,
					(unsigned long long)v->tail_offset);
		return 0;
	}
	if (footer->data_offset % VHD_SECTOR_BYTES || footer->data_offset < VHD_FOOTER_BYTES ||
	    vhd_data_limit(v) < VHD_HEADER_BYTES ||
	    footer->data_offset > vhd_data_limit(v) - VHD_HEADER_BYTES)
		return vhd_fail(v, -EUCLEAN,
				"%s: data offset %llu is no place for a header in a file of %llu "
				"bytes",
				which, (unsigned long long)footer->data_offset,
				(unsigned long long)v->file_bytes);
	return 0;
}
