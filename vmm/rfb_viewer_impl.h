/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rfb_viewer.c (the viewer's messages) and rfb_update.c (its pictures) share. */
#ifndef VMM_RFB_VIEWER_IMPL_H
#define VMM_RFB_VIEWER_IMPL_H

#include <string.h>

#include "../base/bits.h"
#include "rfb_viewer.h"

enum feature {
	CAN_COPY,
	CAN_CURSOR,
	CAN_RESIZE,
	CAN_RESIZE_EXTENDED,
	CAN_MOTION,
	CAN_EXTENDED_KEYS,
	CAN_LEDS,
	CAN_FENCE,
	CAN_CONTINUE,
};

/* What can be due besides pixels, each a rectangle of its own. */
#define NEWS_CURSOR BIT(0)
#define NEWS_EXTENDED_KEYS BIT(1)
#define NEWS_MOTION BIT(2)
#define NEWS_LEDS BIT(3)
#define NEWS_SIZE BIT(4)	 /* the size has changed */
#define NEWS_SIZE_REFUSED BIT(5) /* the viewer wanted another one */

static inline bool can(const struct rfb_viewer *viewer, enum feature feature)
{
	return viewer->features & BIT(feature);
}

/* Room for what is to be said; what is not committed is not said. */
static inline struct cursor begin(struct rfb_viewer *viewer)
{
	if (viewer->out_at) {
		memmove(viewer->out, viewer->out + viewer->out_at, viewer->out_count);
		viewer->out_at = 0;
	}
	return cursor_writer(viewer->out + viewer->out_count, RFB_OUT_BYTES - viewer->out_count);
}

static inline bool commit(struct rfb_viewer *viewer, const struct cursor *said)
{
	if (!cursor_ok(said))
		return false;
	viewer->out_count += said->pos;
	return true;
}

static inline void drop(struct rfb_viewer *viewer, const char *error)
{
	viewer->error = error;
	viewer->state = RFB_CLOSING;
}

static inline bool updating(const struct rfb_viewer *viewer)
{
	return viewer->rects_left;
}

#endif
