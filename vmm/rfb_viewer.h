/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One viewer: the RFB protocol (RFC 6143, versions 3.3 to 3.8) from the server's side as a pure
 * state machine over bytes. It knows no socket, no clock and no lock.
 *
 * Bytes from the viewer are put where rfb_viewer_room() says and announced with
 * rfb_viewer_received(); bytes for it wait in rfb_viewer_output() until rfb_viewer_sent() takes
 * them away. Both buffers are fixed. A viewer that does not read is not read from either, and gets
 * the newest picture when it reads again: nothing queues up.
 *
* Beyond the RFC it knows what the protocol's registry lists as QEMU extended key event, QEMU
 * pointer motion change, QEMU LED state, extended desktop size, fence and continuous updates. And it
 * has a word of its own: who answers with version 003.808 is served as 3.8, but as an observer whose
 * keys and pointer are nothing, for screenshots and recordings beside whoever works there.
 */
#ifndef VMM_RFB_VIEWER_H
#define VMM_RFB_VIEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rfb_encode.h"
#include "screen.h"

#define RFB_IN_BYTES 2048u
#define RFB_OUT_BYTES (2 * RFB_RECT_BYTES)
#define RFB_TITLE_BYTES 128u

struct rfb_viewer;

/* A pointer's shape for viewers that draw it themselves. */
struct rfb_cursor {
	uint32_t serial; /* another one for each change */
	uint32_t hot_x, hot_y;
	uint32_t width, height;
	uint32_t argb[DISPLAY_CURSOR_SIZE * DISPLAY_CURSOR_SIZE];
};

/* What a viewer wants of the machine. False from the two that give keys: no room, try later. */
struct rfb_viewer_ops {
	/* NULL, or a line for its user that says why this viewer cannot be served. */
	const char *(*admit)(struct rfb_viewer *viewer);
	/* A key by its place (devmodel/input.h), and one by what it means (X11 keysym). */
	bool (*key)(struct rfb_viewer *viewer, uint8_t key, bool down);
	bool (*keysym)(struct rfb_viewer *viewer, uint32_t keysym, bool down);
	/* Buttons are devmodel/input.h's; a wheel step towards the user is +1. */
	void (*point)(struct rfb_viewer *viewer, uint32_t x, uint32_t y, int32_t wheel,
		      uint32_t buttons);
	void (*motion)(struct rfb_viewer *viewer, int32_t dx, int32_t dy, int32_t wheel,
		       uint32_t buttons);
};

enum rfb_state {
	RFB_VERSION,
	RFB_SECURITY,
	RFB_CLIENT_INIT,
	RFB_RUNNING,
	RFB_CLOSING, /* what is in the output is the last word */
};

struct rfb_viewer {
	const struct rfb_viewer_ops *ops;
	void *opaque; /* of who made it */
	const struct screen *screen;
	struct screen_watcher watcher;
	char title[RFB_TITLE_BYTES]; /* the machine's */

	enum rfb_state state;
	uint8_t minor; /* of the protocol's version: 3, 7 or 8 */
	bool observer;
	const char *error; /* why the viewer is to be dropped, for a log; NULL: it is not */
	/* Input of which only the rest of its length is known. */
	uint32_t skip, encodings_left;

	/* What it said it understands. */
	uint32_t features;
	enum rfb_encoding encoding;
	bool encoding_chosen;

	/* Updates. */
	uint32_t width, height; /* of the picture, as the viewer knows it */
	bool requested;		/* it waits for an update */
	bool continuous;
	uint32_t news;			 /* pseudo-rectangles that are due */
	struct screen_tiles sending;	 /* still to be encoded in the update being sent */
	uint32_t rects_left;		 /* of it */
	uint8_t leds;			 /* INPUT_LED_... */
	const struct rfb_cursor *cursor; /* by reference; NULL: a dot */
	uint32_t cursor_serial;		 /* as it was told */
	bool pointer_absolute;		 /* how pointer events are meant */
	uint32_t buttons;		 /* as it last sent them */
	uint8_t down[32];		 /* keys that it holds */
	uint64_t events;		 /* keys and motion, for those who wait for idle ones */
	uint64_t updates;		 /* that it was sent */

	size_t in_count, out_at, out_count;
	uint8_t in[RFB_IN_BYTES];
	uint8_t out[RFB_OUT_BYTES];
	struct rfb_encoder encoder;
};

/* A new viewer of @screen; its greeting is in the output. NULL without memory. */
struct rfb_viewer *rfb_viewer_new(struct screen *screen, const struct rfb_viewer_ops *ops,
				  const char *title);
void rfb_viewer_free(struct rfb_viewer *viewer, struct screen *screen);

/* Where up to *ret_room bytes from the viewer may be put; none while it is not to be read. */
uint8_t *rfb_viewer_room(struct rfb_viewer *viewer, size_t *ret_room);
void rfb_viewer_received(struct rfb_viewer *viewer, size_t count);
/* Goes on with messages that waited. */
void rfb_viewer_parse(struct rfb_viewer *viewer);

/*
 * Encodes at most one rectangle of what the viewer waits for. True: call again, there is more to be
 * done right now. Needs no lock: it reads the screen only.
 */
bool rfb_viewer_encode(struct rfb_viewer *viewer);
/* Whether a fresh picture would be sent at once. */
bool rfb_viewer_wants_picture(const struct rfb_viewer *viewer);

const uint8_t *rfb_viewer_output(const struct rfb_viewer *viewer, size_t *ret_count);
void rfb_viewer_sent(struct rfb_viewer *viewer, size_t count);

/* A key that it holds, or no longer, whichever way it was named. */
void rfb_viewer_note_key(struct rfb_viewer *viewer, uint8_t key, bool down);
/* Whether it would draw the pointer's shape itself. */
bool rfb_viewer_can_draw_cursor(const struct rfb_viewer *viewer);
/* The shape, which stays the caller's; NULL: a dot, since the guest's pointer is in the picture. */
void rfb_viewer_set_cursor(struct rfb_viewer *viewer, const struct rfb_cursor *cursor);
/* The keyboard's LEDs, and whether the guest takes absolute positions; told when understood. */
void rfb_viewer_set_leds(struct rfb_viewer *viewer, uint8_t leds);
void rfb_viewer_set_absolute(struct rfb_viewer *viewer, bool absolute);

#endif
