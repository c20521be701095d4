// SPDX-License-Identifier: GPL-2.0-or-later
/* vhd/geometry: rows computed by the specification and compared with another program. */
#include <criterion/criterion.h>

#include "../../base/bits.h"
#include "../../vhd/vhd.h"

static const struct {
	uint64_t bytes;
	uint16_t cylinders;
	uint8_t heads, sectors;
	uint64_t down, up;
} rows[] = {
	{ MIB(3), 90, 4, 17, 3133440, 3168256 },
	{ MIB(4), 120, 4, 17, 4177920, 4212736 },
	{ MIB(8), 240, 4, 17, 8355840, 8390656 },
	{ MIB(16), 481, 4, 17, 16746496, 16781312 },
	{ MIB(100), 1003, 12, 17, 104761344, 104865792 },
	{ MIB(127), 1019, 15, 17, 133040640, 133171200 },
	{ MIB(248), 503, 16, 63, 259596288, 260112384 },
	{ MIB(504), 1024, 16, 63, 528482304, 528482304 },
	{ GIB(1), 2080, 16, 63, 1073479680, 1073995776 },
	{ GIB(4), 8322, 16, 63, 4294950912, 4295467008 },
	{ GIB(16), 33288, 16, 63, 17179803648, 17180319744 },
	{ GIB(31), 64495, 16, 63, 33285611520, 33286127616 },
	{ GIB(32), 16448, 16, 255, 34359214080, 34361303040 },
	{ GIB(40), 20560, 16, 255, 42949017600, 42951106560 },
	{ GIB(127), 65278, 16, 255, 136363130880, 136365219840 },
};

Test(vhd_geometry, follows_the_specification)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vhd_geometry g = vhd_geometry(rows[i].bytes);

		cr_assert_eq(g.cylinders, rows[i].cylinders, "row %zu", i);
		cr_assert_eq(g.heads, rows[i].heads, "row %zu", i);
		cr_assert_eq(g.sectors_per_track, rows[i].sectors, "row %zu", i);
		cr_assert_eq(vhd_geometry_bytes(g), rows[i].down, "row %zu", i);
	}
}

Test(vhd_geometry, sizes_that_a_geometry_says_exactly)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(vhd_geometry_size_down(rows[i].bytes), rows[i].down, "row %zu", i);
		cr_assert_eq(vhd_geometry_size_up(rows[i].bytes), rows[i].up, "row %zu", i);
	}
	cr_assert_eq(vhd_geometry_size_up(GIB(2040)), GIB(2040));
	cr_assert_eq(vhd_geometry_size_down(GIB(2040)), GIB(2040));
}

Test(vhd_geometry, stands_still_at_its_maximum)
{
	const uint64_t most = UINT64_C(136899993600);
	struct vhd_geometry g = vhd_geometry(GIB(2040));

	cr_assert_eq(g.cylinders, 65535);
	cr_assert_eq(g.heads, 16);
	cr_assert_eq(g.sectors_per_track, 255);
	cr_assert_eq(vhd_geometry_bytes(g), most);
	cr_assert_eq(vhd_geometry_bytes(vhd_geometry(most)), most);
	cr_assert_lt(vhd_geometry_bytes(vhd_geometry(most - 512)), most);
}

Test(vhd_geometry, the_step_to_255_sectors_includes_its_first_size)
{
	struct vhd_geometry g = vhd_geometry(UINT64_C(66059280) * 512);

	cr_assert_eq(g.sectors_per_track, 255);
	g = vhd_geometry(UINT64_C(66059279) * 512);
	cr_assert_eq(g.sectors_per_track, 63);
}

Test(vhd_geometry, never_says_more_than_there_is)
{
	for (uint64_t sectors = 2048; sectors < (UINT64_C(1) << 32); sectors += sectors / 97 + 1)
		cr_assert_leq(vhd_geometry_bytes(vhd_geometry(sectors * 512)), sectors * 512);
}
