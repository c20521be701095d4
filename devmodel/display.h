/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a display adapter, from the device to whoever shows it, and the adapter's memory.
 *
 * Pull model: the viewer's side asks for the picture as often as it can use it, and the device draws
 * what changed since it was asked last. Nobody asks: nothing is drawn. The machine owns a struct
 * display and hands it to the device in its configuration; the device attaches to it. All calls
 * happen under the machine lock.
 *
 * One turn of the viewer's side:
 *
 *	struct display_geometry now;
 *
 *	display_geometry(display, &now);
 *	if (now.width != surface.width || now.height != surface.height)
 *		... other pixels of now.width x now.height; surface.stale = true ...
 *	surface.damage_count = 0;
 *	display_refresh(display, &surface);
 *	... surface.damage[0 .. damage_count - 1] changed ...
 *	display_cursor(display, &cursor);
 */
#ifndef DEVMODEL_DISPLAY_H
#define DEVMODEL_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

/* No picture is larger, whatever a guest writes to the timing registers. */
#define DISPLAY_WIDTH_MAX 2048u
#define DISPLAY_HEIGHT_MAX 1536u
/* What changed is told in that many rectangles at most; more are merged. */
#define DISPLAY_DAMAGE_MAX 32
#define DISPLAY_CURSOR_SIZE 64
#define DISPLAY_TEXT_CELLS 16384u

struct display_geometry {
	uint32_t width, height;	     /* of the picture in pixels, never 0 */
	uint32_t refresh_millihertz; /* what the guest's timing comes to */
	/* The adapter sends nothing (blanked, or a monitor told to sleep): the picture is black. */
	bool blank;
};

struct display_rect {
	uint32_t x, y, width, height;
};

/* The viewer's picture. Its memory is the viewer's; the device never allocates. */
struct display_surface {
	uint32_t *pixels;	/* XRGB8888 in the host's byte order: 00rrggbbh; top row first */
	uint32_t stride_pixels; /* from row to row; at least width */
	uint32_t width, height; /* as display_geometry() said */
	/* The pixels are not what the last refresh left: all is drawn. Cleared by the device. */
	bool stale;
	/* Added to by the device; emptied by the viewer. Within the picture, may overlap. */
	unsigned int damage_count;
	struct display_rect damage[DISPLAY_DAMAGE_MAX];
};

/* The hardware cursor, which is never drawn into the surface. */
struct display_cursor {
	bool visible;
	int32_t x, y;	 /* of the image's top left corner in the picture; may lie outside */
	uint32_t serial; /* changes whenever the image below does */
	/* ARGB8888, alpha 0 or FFh. */
	uint32_t image[DISPLAY_CURSOR_SIZE * DISPLAY_CURSOR_SIZE];
	/* Row by row, bit 63 leftmost: the picture below is inverted there (alpha is 0). */
	uint64_t invert[DISPLAY_CURSOR_SIZE];
};

/* What a text mode shows, for people and programs that read instead of look. */
struct display_text {
	uint32_t columns, rows;		    /* 0: no text mode */
	uint32_t cursor_column, cursor_row; /* beyond columns and rows: not shown */
	/* Row by row: character in the low byte, attribute in the high one; code page 437. */
	uint16_t cells[DISPLAY_TEXT_CELLS];
};

struct display_ops {
	void (*geometry)(struct device *dev, struct display_geometry *ret_geometry);
	/*
	 * Draws what changed since the last call into @surface, and tells where. A surface of
	 * another size than the present geometry stays as it is: ask for the geometry and come
	 * again.
	 */
	void (*refresh)(struct device *dev, struct display_surface *surface);
	void (*cursor)(struct device *dev, struct display_cursor *ret_cursor);
	void (*text)(struct device *dev, struct display_text *ret_text);
};

struct display {
	/*
	 * Brings the device up to what the guest has done: posted writes are delivered, pages that
	 * the processor wrote directly are marked. Set by the machine; NULL: there is nothing.
	 */
	void (*sync)(struct display *display);
	/* Set by the device. */
	struct device *dev; /* NULL: the machine has no display */
	const struct display_ops *ops;
};

/* Devices call this; @display may be NULL. */
static inline void display_attach(struct display *display, struct device *dev,
				  const struct display_ops *ops)
{
	if (!display)
		return;
	display->dev = dev;
	display->ops = ops;
}

static inline void display_sync(struct display *display)
{
	if (display->sync)
		display->sync(display);
}

/* The viewer's side; only with a device (display->dev). */
static inline void display_geometry(struct display *display, struct display_geometry *ret_geometry)
{
	display_sync(display);
	display->ops->geometry(display->dev, ret_geometry);
}

static inline void display_refresh(struct display *display, struct display_surface *surface)
{
	display_sync(display);
	display->ops->refresh(display->dev, surface);
}

static inline void display_cursor(struct display *display, struct display_cursor *ret_cursor)
{
	display->ops->cursor(display->dev, ret_cursor);
}

static inline void display_text(struct display *display, struct display_text *ret_text)
{
	display_sync(display);
	display->ops->text(display->dev, ret_text);
}

/* Adds a rectangle; when the list is full the last one grows to hold both. */
void display_damage(struct display_surface *surface, struct display_rect rect);

/*
 * The memory of an adapter. The machine provides it, so that the processor can be given parts of it
 * directly; the device reads and writes it as it likes. Saved with the guest's memory, not with the
 * device.
 */
#define DISPLAY_PAGE_BYTES 4096u
#define DISPLAY_MEMORY_MAX (4u << 20)
#define DISPLAY_PAGES_MAX (DISPLAY_MEMORY_MAX / DISPLAY_PAGE_BYTES)

struct display_memory {
	uint8_t *bytes;
	uint32_t size; /* 512 KiB to 4 MiB, a power of two */
	/* Pages that were written, by anybody, since the device last looked; the device clears. */
	uint64_t dirty[DISPLAY_PAGES_MAX / 64];
};

/* A part of the memory that the processor sees at an address of its own. */
struct display_aperture {
	uint64_t gpa;
	uint32_t size;	 /* whole pages; 0: none */
	uint32_t offset; /* into the memory, whole pages */
};

static inline void display_mark_dirty(struct display_memory *memory, uint32_t offset, uint32_t size)
{
	uint32_t page = offset / DISPLAY_PAGE_BYTES;
	uint32_t last = (offset + size - 1) / DISPLAY_PAGE_BYTES;

	if (!size)
		return;
	for (; page / 64 < last / 64; page = (page / 64 + 1) * 64)
		memory->dirty[page / 64] |= UINT64_MAX << (page % 64);
	memory->dirty[page / 64] |= UINT64_MAX << (page % 64) & UINT64_MAX >> (63 - last % 64);
}

#endif
