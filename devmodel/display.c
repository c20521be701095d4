// SPDX-License-Identifier: GPL-2.0-or-later
#include "display.h"

#include "../base/bits.h"

static struct display_rect both(struct display_rect a, struct display_rect b)
{
	uint64_t right = max_u64((uint64_t)a.x + a.width, (uint64_t)b.x + b.width);
	uint64_t bottom = max_u64((uint64_t)a.y + a.height, (uint64_t)b.y + b.height);
	struct display_rect rect = { (uint32_t)min_u64(a.x, b.x), (uint32_t)min_u64(a.y, b.y), 0,
				     0 };

	rect.width = (uint32_t)right - rect.x;
	rect.height = (uint32_t)bottom - rect.y;
	return rect;
}

/* Whether @b continues @a below, with the same columns. */
static bool continues(struct display_rect a, struct display_rect b)
{
	return a.x == b.x && a.width == b.width && a.y + a.height == b.y;
}

void display_damage(struct display_surface *surface, struct display_rect rect)
{
	struct display_rect *last;

	if (!rect.width || !rect.height)
		return;
	last = surface->damage_count ? &surface->damage[surface->damage_count - 1] : NULL;
	if (last && (surface->damage_count == DISPLAY_DAMAGE_MAX || continues(*last, rect)))
		*last = both(*last, rect);
	else
		surface->damage[surface->damage_count++] = rect;
}
