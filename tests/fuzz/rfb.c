// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes the RFB server's side of a connection (vmm/rfb_viewer.h): the bytes are a viewer's, in
 * pieces, with the picture changing and the viewer reading between them.
 *
 * The first byte chooses how far the greeting is already done. Then, again and again, a byte says
 * what happens next: how many of the bytes behind it the viewer sends (below 80h), or else what the
 * machine and the connection do.
 */
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../vmm/rfb_viewer.h"

#define WIDTH 200u
#define HEIGHT 70u

static const char greeting[] = "RFB 003.008\n\1\1";
static bool full;

static const char *admit(struct rfb_viewer *viewer)
{
	(void)viewer;
	return NULL;
}

static bool key(struct rfb_viewer *viewer, uint8_t k, bool down)
{
	(void)viewer;
	(void)k;
	(void)down;
	return !full;
}

static bool keysym(struct rfb_viewer *viewer, uint32_t sym, bool down)
{
	(void)viewer;
	(void)sym;
	(void)down;
	return !full;
}

static void point(struct rfb_viewer *viewer, uint32_t x, uint32_t y, int32_t wheel,
		  uint32_t buttons)
{
	(void)viewer;
	(void)x;
	(void)y;
	(void)wheel;
	(void)buttons;
}

static void motion(struct rfb_viewer *viewer, int32_t dx, int32_t dy, int32_t wheel,
		   uint32_t buttons)
{
	(void)viewer;
	(void)dx;
	(void)dy;
	(void)wheel;
	(void)buttons;
}

static const struct rfb_viewer_ops ops = { admit, key, keysym, point, motion };

static void send_to(struct rfb_viewer *viewer, const uint8_t *bytes, size_t count)
{
	size_t room;
	uint8_t *to = rfb_viewer_room(viewer, &room);

	count = min_u64(count, room);
	memcpy(to, bytes, count);
	rfb_viewer_received(viewer, count);
}

static void take_output(struct rfb_viewer *viewer, size_t most)
{
	size_t waiting;

	rfb_viewer_output(viewer, &waiting);
	if (waiting > RFB_OUT_BYTES)
		abort();
	rfb_viewer_sent(viewer, min_u64(waiting, most));
	rfb_viewer_parse(viewer);
}

/* What is not the viewer's doing, by the low bits of @what. */
static void happen(struct rfb_viewer *viewer, struct screen *screen, uint8_t what)
{
	static uint32_t colour;

	switch (what & 7) {
	case 0:
		for (uint32_t i = 0; i < screen->width * screen->height; i++)
			screen->pixels[i] = colour += 0x10203;
		screen_damage(screen, 0, 0, screen->width, screen->height);
		break;
	case 1:
		memmove(screen->pixels, screen->pixels + 8 * screen->width,
			(screen->height - 8u) * screen->width * sizeof(*screen->pixels));
		screen_damage(screen, 0, 0, screen->width, screen->height);
		break;
	case 2:
		if (screen_resize(screen, 1 + (what >> 3) * 20u, 9 + (what >> 3) * 6u) < 0)
			abort();
		break;
	case 3:
		full = !full;
		break;
	case 4:
		take_output(viewer, SIZE_MAX);
		break;
	case 5:
		take_output(viewer, what);
		break;
	default:
		rfb_viewer_set_leds(viewer, what >> 3 & 7);
		rfb_viewer_set_absolute(viewer, what & 8);
		break;
	}
	screen_publish(screen);
	while (rfb_viewer_encode(viewer) && what & 0x40)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rfb_viewer *viewer;
	struct screen screen;

	screen_init(&screen);
	full = false;
	if (!size || screen_resize(&screen, WIDTH, HEIGHT) < 0)
		return 0;
	viewer = rfb_viewer_new(&screen, &ops, "fuzz");
	if (!viewer)
		return 0;
	if (data[0] & 1)
		send_to(viewer, (const uint8_t *)greeting, sizeof(greeting) - 1);
	for (size_t at = 1; at < size && viewer->state != RFB_CLOSING;) {
		const uint8_t what = data[at++];

		if (what & 0x80) {
			happen(viewer, &screen, what);
		} else {
			const size_t count = min_u64(what, size - at);

			send_to(viewer, data + at, count);
			at += count;
		}
	}
	rfb_viewer_free(viewer, &screen);
	screen_fini(&screen);
	return 0;
}
