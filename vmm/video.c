// SPDX-License-Identifier: GPL-2.0-or-later
#include "video.h"

#include "../devmodel/s3_trio64.h"
#include "memslot.h"

_Static_assert(S3_TRIO64_APERTURES == MEMMAP_APERTURES, "one for each");

void video_sync(const struct memslots *slots, struct memory *memory, struct device *adapter)
{
	if (!adapter)
		return;
	if (slots)
		memslot_sync_vram(slots, memory);
	s3_trio64_settle(adapter);
}

void video_apertures(struct memory *memory, struct device *adapter)
{
	struct display_aperture apertures[S3_TRIO64_APERTURES];

	if (!adapter)
		return;
	s3_trio64_apertures(adapter, apertures);
	for (unsigned int i = 0; i < MEMMAP_APERTURES; i++)
		memory->layout.apertures[i] = (struct memmap_aperture){
			.gpa = apertures[i].gpa,
			.size = apertures[i].size,
			.offset = apertures[i].offset,
		};
}
