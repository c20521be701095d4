// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cylinders, heads and sectors of a disk. Specification 1.0, appendix "CHS calculation": the steps
 * are part of the format, since guests boot by them; whoever computes otherwise makes another disk.
 */
#include "vhd.h"

#include "../base/bits.h"

#define CYLINDERS_MAX 65535u
#define HEADS_MAX 16u
#define SECTORS_MAX 255u
#define GEOMETRY_SECTORS_MAX (CYLINDERS_MAX * HEADS_MAX * SECTORS_MAX)

static uint32_t product(struct vhd_geometry g)
{
	return (uint32_t)g.cylinders * g.heads * g.sectors_per_track;
}

static struct vhd_geometry from_sectors(uint64_t sectors)
{
	uint32_t n = (uint32_t)min_u64(sectors, GEOMETRY_SECTORS_MAX);
	uint32_t spt, heads, tracks;

	if (n >= CYLINDERS_MAX * HEADS_MAX * 63) {
		spt = SECTORS_MAX;
		heads = HEADS_MAX;
		tracks = n / spt;
	} else {
		spt = 17;
		tracks = n / spt;
		heads = (tracks + 1023) / 1024;
		if (heads < 4)
			heads = 4;
		if (tracks >= heads * 1024 || heads > HEADS_MAX) {
			spt = 31;
			heads = HEADS_MAX;
			tracks = n / spt;
		}
		if (tracks >= heads * 1024) {
			spt = 63;
			heads = HEADS_MAX;
			tracks = n / spt;
		}
	}
	return (struct vhd_geometry){
		.cylinders = (uint16_t)(tracks / heads),
		.heads = (uint8_t)heads,
		.sectors_per_track = (uint8_t)spt,
	};
}

struct vhd_geometry vhd_geometry(uint64_t bytes)
{
	return from_sectors(bytes / VHD_SECTOR_BYTES);
}

uint64_t vhd_geometry_bytes(struct vhd_geometry geometry)
{
	return (uint64_t)product(geometry) * VHD_SECTOR_BYTES;
}

/* A geometry loses fewer sectors than one cylinder has, so the search is short. */
uint64_t vhd_geometry_size_up(uint64_t bytes)
{
	uint64_t want = bytes / VHD_SECTOR_BYTES + (bytes % VHD_SECTOR_BYTES != 0);
	uint64_t n = want;

	if (want > GEOMETRY_SECTORS_MAX)
		return want * VHD_SECTOR_BYTES;
	while (product(from_sectors(n)) < want)
		n++;
	return vhd_geometry_bytes(from_sectors(n));
}

uint64_t vhd_geometry_size_down(uint64_t bytes)
{
	uint64_t n = bytes / VHD_SECTOR_BYTES;

	if (n > GEOMETRY_SECTORS_MAX)
		return n * VHD_SECTOR_BYTES;
	return vhd_geometry_bytes(from_sectors(n));
}
