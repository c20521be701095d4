/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of a screen as PNG files: single ones by libpng, and recordings (APNG). */
#ifndef MGMT_PICTURE_H
#define MGMT_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#define THUMBNAIL_WIDTH 160u
#define THUMBNAIL_HEIGHT 120u

/*
 * @pixels (00RRGGBBh, lines of @width) as a PNG file in memory, freed by the caller. 0 or -ENOMEM.
 */
int picture_png(const uint32_t *pixels, uint32_t width, uint32_t height, void **ret_data,
		size_t *ret_size);

/*
 * The picture made smaller to fit 160x120 with its shape kept, black around it: each pixel is the
 * mean of those that it stands for.
 */
void picture_thumbnail(const uint32_t *pixels, uint32_t width, uint32_t height,
		       uint32_t ret_pixels[THUMBNAIL_WIDTH * THUMBNAIL_HEIGHT]);

/*
 * A recording: an animated PNG (APNG, as browsers show it). Each frame is the part of the picture
 * that changed, and is shown until the next one came, to the millisecond. The file is complete
 * after every frame but for the last one's length of time.
 */
struct recording {
	int fd;
	uint32_t width, height; /* of the canvas */
	uint32_t frames, sequence;
	uint64_t frame_at; /* where in the file the last frame's time is kept */
	uint64_t end;	   /* of the file, where the next frame goes */
	int64_t shown_ms;  /* since when the last frame is shown */
	uint32_t last[4];  /* its place: x, y, width, height */
	uint32_t last_sequence;
};

/* @fd is an empty file, the caller's. 0 or -errno. */
int recording_begin(struct recording *recording, int fd, uint32_t width, uint32_t height);
/*
 * The part from (@x, @y) of @width by @height of the picture @pixels, whose lines have @stride
 * pixels, as it was at @now_ms; it must lie on the canvas, and the first frame must fill it.
 */
int recording_frame(struct recording *recording, const uint32_t *pixels, uint32_t stride,
		    uint32_t x, uint32_t y, uint32_t width, uint32_t height, int64_t now_ms);
/* The last frame was shown until @now_ms. */
int recording_end(struct recording *recording, int64_t now_ms);

#endif
