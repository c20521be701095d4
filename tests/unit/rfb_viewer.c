// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmm/rfb_viewer, rfb_encode and screen: the protocol byte by byte against a viewer of the tests'
 * own (tests/lib/rfb_client.h), without sockets; pictures in all forms and formats; hostile input.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/input.h"
#include "../../vmm/rfb_viewer.h"
#include "../lib/rfb_client.h"

static struct screen screen;
static struct rfb_viewer *viewer;
static struct rfb_client client;

/* What the viewer did to the machine. */
static struct {
	uint8_t keys[64];
	bool downs[64];
	unsigned int count;
	uint32_t keysym;
	unsigned int keysyms;
	uint32_t x, y, buttons;
	int32_t wheel, dx, dy;
	unsigned int points, motions;
	bool full;
	const char *refuse;
} did;

static const char *admit(struct rfb_viewer *v)
{
	(void)v;
	return did.refuse;
}

static bool key(struct rfb_viewer *v, uint8_t k, bool down)
{
	(void)v;
	if (did.full)
		return false;
	did.keys[did.count % 64] = k;
	did.downs[did.count++ % 64] = down;
	return true;
}

static bool keysym(struct rfb_viewer *v, uint32_t sym, bool down)
{
	(void)v;
	(void)down;
	did.keysym = sym;
	did.keysyms++;
	return true;
}

static void point(struct rfb_viewer *v, uint32_t x, uint32_t y, int32_t wheel, uint32_t buttons)
{
	(void)v;
	did.x = x;
	did.y = y;
	did.wheel += wheel;
	did.buttons = buttons;
	did.points++;
}

static void motion(struct rfb_viewer *v, int32_t dx, int32_t dy, int32_t wheel, uint32_t buttons)
{
	(void)v;
	did.dx = dx;
	did.dy = dy;
	did.wheel += wheel;
	did.buttons = buttons;
	did.motions++;
}

static const struct rfb_viewer_ops ops = { admit, key, keysym, point, motion };

/* --- the wire: bytes go to and fro without any socket */

static void pump(void)
{
	while (rfb_viewer_encode(viewer))
		;
}

static void wire_read(struct rfb_client *c, void *ret_bytes, size_t count)
{
	uint8_t *to = ret_bytes;

	(void)c;
	while (count) {
		size_t waiting;
		const uint8_t *bytes = rfb_viewer_output(viewer, &waiting);

		if (!waiting) {
			rfb_viewer_encode(viewer);
			bytes = rfb_viewer_output(viewer, &waiting);
		}
		cr_assert(waiting, "the server has nothing to say");
		waiting = min_u64(waiting, count);
		memcpy(to, bytes, waiting);
		rfb_viewer_sent(viewer, waiting);
		rfb_viewer_parse(viewer);
		to += waiting;
		count -= waiting;
	}
}

static void wire_write(struct rfb_client *c, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	(void)c;
	while (count) {
		size_t room;
		uint8_t *to = rfb_viewer_room(viewer, &room);

		cr_assert(room, "the server does not read");
		room = min_u64(room, count);
		memcpy(to, from, room);
		rfb_viewer_received(viewer, room);
		from += room;
		count -= room;
	}
}

static bool output_is_empty(void)
{
	size_t waiting;

	rfb_viewer_output(viewer, &waiting);
	return !waiting;
}

static void setup(void)
{
	memset(&did, 0, sizeof(did));
	srand(4711);
	screen_init(&screen);
	cr_assert_eq(screen_resize(&screen, 640, 480), 0);
	viewer = rfb_viewer_new(&screen, &ops, "NT \"4\"");
	rfb_client_init(&client);
	client.read = wire_read;
	client.write = wire_write;
}

static void teardown(void)
{
	rfb_client_fini(&client);
	rfb_viewer_free(viewer, &screen);
	screen_fini(&screen);
}

TestSuite(rfb_viewer, .init = setup, .fini = teardown, .timeout = 60);

static void connect_with(const int32_t *encodings, uint16_t count)
{
	rfb_client_greet(&client, "003.008");
	rfb_client_set_encodings(&client, encodings, count);
}

/* --- pictures */

static void paint(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t colour)
{
	for (uint32_t i = 0; i < width * height; i++)
		screen.pixels[(y + i / width) * screen.width + x + i % width] = colour;
	screen_damage(&screen, x, y, width, height);
}

static uint32_t some_colour(void)
{
	return (uint32_t)rand() & 0xffffff;
}

/* Tiles of every kind: one colour, few, some dozens, runs, noise. */
static void paint_all_kinds(void)
{
	for (uint32_t y = 0; y < screen.height; y++) {
		for (uint32_t x = 0; x < screen.width; x++) {
			const uint32_t kind = (x / 64 + y / 64) % 7;
			const uint32_t noise = some_colour();
			uint32_t *pixel = &screen.pixels[y * screen.width + x];

			*pixel = kind == 0   ? 0x336699
				 : kind == 1 ? (noise & 1) * 0xffffff
				 : kind == 2 ? (noise & 3) * 0x404040
				 : kind == 3 ? (noise & 15) * 0x0f0f0f
				 : kind == 4 ? (noise & 63) * 0x010204
				 : kind == 5 ? x / 13 * 0x10203 + y / 7 * 0x50000
					     : noise;
		}
	}
	screen_damage(&screen, 0, 0, screen.width, screen.height);
	screen_publish(&screen);
}

/* What is left of a colour in a format of the client's. */
static uint32_t through_format(uint32_t rgb)
{
	uint32_t result = 0;

	for (unsigned int i = 0; i < 3; i++) {
		const uint32_t part = rgb >> (16 - 8 * i) & 0xff, max = client.max[i];

		result = result << 8 | ((part * max + 127) / 255) * 255 / max;
	}
	return result;
}

static void expect_picture(void)
{
	cr_assert_eq(client.width, screen.width);
	cr_assert_eq(client.height, screen.height);
	for (uint32_t y = 0; y < screen.height; y++) {
		for (uint32_t x = 0; x < screen.width; x++) {
			const uint32_t is = client.pixels[y * CLIENT_SIZE_MAX + x];
			const uint32_t should = through_format(screen.pixels[y * screen.width + x]);

			cr_assert_eq(is, should, "(%u, %u) is %06x, not %06x", x, y, is, should);
		}
	}
}

static void exchange_picture(bool incremental)
{
	rfb_client_request(&client, incremental);
	rfb_client_update(&client);
	expect_picture();
}

static const int32_t forms[] = { 0, 6, 16 };

Test(rfb_viewer, every_form_shows_the_same_picture)
{
	paint_all_kinds();
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		setup();
		paint_all_kinds();
		connect_with(&forms[i], 1);
		exchange_picture(false);
		cr_expect_eq(client.raws != 0, forms[i] == 0);
		cr_expect_eq(client.zlibs != 0, forms[i] == 6);
		cr_expect_eq(client.zrles != 0, forms[i] == 16);
		/* Again: the streams go on. */
		paint_all_kinds();
		exchange_picture(true);
	}
}

Test(rfb_viewer, every_pixel_format_shows_the_same_picture)
{
	static const struct {
		unsigned int bits, max[3], shift[3];
	} formats[] = {
		{ 32, { 255, 255, 255 }, { 16, 8, 0 } },
		{ 32, { 255, 255, 255 }, { 0, 8, 16 } },
		{ 32, { 255, 255, 255 }, { 24, 16, 8 } },
		{ 32, { 1023, 1023, 1023 }, { 20, 10, 0 } },
		{ 16, { 31, 63, 31 }, { 11, 5, 0 } },
		{ 16, { 31, 31, 31 }, { 10, 5, 0 } },
		{ 8, { 7, 7, 3 }, { 0, 3, 6 } },
		{ 8, { 3, 3, 3 }, { 4, 2, 0 } },
	};

	for (size_t form = 0; form < ARRAY_LEN(forms); form++) {
		setup();
		connect_with(&forms[form], 1);
		for (size_t i = 0; i < 2 * ARRAY_LEN(formats); i++) {
			rfb_client_set_format(&client, formats[i / 2].bits, i & 1,
					      formats[i / 2].max, formats[i / 2].shift);
			paint_all_kinds();
			exchange_picture(false);
		}
	}
}

Test(rfb_viewer, a_viewer_with_a_palette_gets_one)
{
	const int32_t zrle = 16;

	connect_with(&zrle, 1);
	rfb_client_ask_palette(&client);
	paint(0, 0, 640, 480, 0xff0000);
	paint(64, 64, 64, 64, 0x00ff00);
	screen_publish(&screen);
	rfb_client_request(&client, false);
	rfb_client_update(&client);
	cr_assert_eq(client.pixels[0], 0xff0000);
	cr_assert_eq(client.pixels[64 * CLIENT_SIZE_MAX + 64], 0x00ff00);
}

Test(rfb_viewer, formats_that_cannot_be_are_refused)
{
	static const struct {
		uint8_t bits, true_colour;
		uint16_t max;
		uint8_t shift;
	} bad[] = {
		{ 24, 1, 255, 0 },  { 0, 1, 255, 0 },	{ 32, 1, 0, 0 },   { 32, 1, 254, 0 },
		{ 32, 1, 255, 32 }, { 32, 1, 255, 25 }, { 16, 1, 63, 11 }, { 32, 0, 255, 0 },
		{ 255, 1, 255, 0 }, { 8, 1, 65535, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t message[20] = { 0, 0, 0, 0, bad[i].bits, 24, 0, bad[i].true_colour };

		setup();
		rfb_client_greet(&client, "003.008");
		for (unsigned int part = 0; part < 3; part++) {
			put_be16(message + 8 + 2 * part, bad[i].max);
			message[14 + part] = bad[i].shift;
		}
		client.write(&client, message, sizeof(message));
		cr_assert_eq(viewer->state, RFB_CLOSING, "format %zu", i);
	}
}

/* --- updates */

Test(rfb_viewer, only_what_changed_is_sent)
{
	const int32_t zrle = 16;

	paint_all_kinds();
	connect_with(&zrle, 1);
	exchange_picture(false);
	client.pixels_sent = 0;
	rfb_client_request(&client, true);
	pump();
	cr_assert(output_is_empty(), "nothing changed, so nothing is said");
	paint(100, 100, 8, 16, 0xabcdef);
	screen_publish(&screen);
	rfb_client_update(&client);
	expect_picture();
	cr_assert_leq(client.pixels_sent, 4u * SCREEN_TILE_WIDTH * SCREEN_TILE_HEIGHT);
	/* Damage without a change is none. */
	rfb_client_request(&client, true);
	screen_damage(&screen, 0, 0, 640, 480);
	cr_assert_not(screen_publish(&screen));
	pump();
	cr_assert(output_is_empty());
}

static void scroll(uint32_t lines)
{
	memmove(screen.pixels, screen.pixels + lines * screen.width,
		(size_t)(screen.height - lines) * screen.width * 4);
	for (uint32_t y = screen.height - lines; y < screen.height; y++)
		paint(0, y, screen.width, 1, some_colour());
	screen_damage(&screen, 0, 0, screen.width, screen.height);
	screen_publish(&screen);
}

Test(rfb_viewer, lines_that_move_are_copied_by_the_viewer)
{
	const int32_t encodings[] = { 16, 1 };

	paint_all_kinds();
	connect_with(encodings, 2);
	exchange_picture(false);
	for (unsigned int i = 0; i < 5; i++) {
		client.pixels_sent = 0;
		rfb_client_request(&client, true);
		pump();
		scroll(16 + i);
		rfb_client_update(&client);
		expect_picture();
		cr_assert_eq(client.copies, i + 1);
		cr_assert_leq(client.pixels_sent, 640u * 64);
	}
	/* Two moves before the viewer has had the first: the second is sent as pixels. */
	scroll(16);
	scroll(16);
	rfb_client_request(&client, true);
	rfb_client_update(&client);
	expect_picture();
}

Test(rfb_viewer, changes_in_the_middle_of_an_update_arrive_later)
{
	const int32_t encodings[] = { 16, 1 };

	paint_all_kinds();
	connect_with(encodings, 2);
	for (unsigned int round = 0; round < 20; round++) {
		rfb_client_request(&client, round);
		for (int i = rand() % 12; i--;)
			rfb_viewer_encode(viewer);
		if (rand() & 1)
			scroll(8 + (uint32_t)rand() % 40);
		else
			paint((uint32_t)rand() % 500, (uint32_t)rand() % 400, 100, 50,
			      some_colour());
		screen_publish(&screen);
		rfb_client_update(&client);
	}
	paint(0, 0, 1, 1, 0x123456);
	screen_publish(&screen);
	exchange_picture(true);
}

Test(rfb_viewer, a_new_size_is_told_to_those_who_understand)
{
	static const int32_t encodings[][2] = { { 16, -223 }, { 16, -308 } };

	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		setup();
		paint_all_kinds();
		connect_with(encodings[i], 2);
		exchange_picture(false);
		cr_assert_eq(screen_resize(&screen, 1024, 768), 0);
		paint_all_kinds();
		rfb_client_request(&client, true);
		rfb_client_update(&client);
		cr_assert_eq(client.width, 1024);
		cr_assert_eq(client.resizes, 1);
		exchange_picture(false);
		cr_assert_eq(screen_resize(&screen, 320, 200), 0);
		paint_all_kinds();
		rfb_client_request(&client, true);
		rfb_client_update(&client);
		exchange_picture(true);
		cr_assert_eq(client.resizes, 2);
	}
}

Test(rfb_viewer, a_viewer_of_fixed_size_sees_what_fits)
{
	const int32_t raw = 0;

	connect_with(&raw, 1);
	rfb_client_request(&client, false);
	rfb_client_update(&client);
	cr_assert_eq(screen_resize(&screen, 320, 200), 0);
	paint(0, 0, 320, 200, 0x445566);
	screen_publish(&screen);
	rfb_client_request(&client, false);
	rfb_client_update(&client);
	cr_assert_eq(client.width, 640);
	cr_assert_eq(client.pixels[199 * CLIENT_SIZE_MAX + 319], 0x445566);
	rfb_client_request(&client, true);
	cr_assert_eq(screen_resize(&screen, 1600, 1200), 0);
	paint(0, 0, 1600, 1200, 0x778899);
	screen_publish(&screen);
	rfb_client_update(&client);
	cr_assert_eq(client.pixels[479 * CLIENT_SIZE_MAX + 639], 0x778899);
}

Test(rfb_viewer, the_size_cannot_be_changed_by_the_viewer)
{
	const int32_t encodings[] = { 0, -308 };
	uint8_t wish[8 + 16] = { 251, 0, 4, 0, 3, 0, 1, 0 };

	connect_with(encodings, 2);
	rfb_client_request(&client, false);
	rfb_client_update(&client);
	client.write(&client, wish, sizeof(wish));
	rfb_client_request(&client, true);
	rfb_client_update(&client);
	cr_assert_eq(client.size_reason, 1);
	cr_assert_eq(client.size_status, 1);
	cr_assert_eq(client.width, 640);
}

Test(rfb_viewer, continuous_updates_need_no_requests)
{
	const int32_t encodings[] = { 16, -313, -312 };
	const uint8_t enable[10] = { 150, 1 }, disable[10] = { 150, 0 };

	connect_with(encodings, 3);
	cr_assert_eq(rfb_client_take(&client), 150);
	cr_assert_eq(rfb_client_take(&client), 248);
	cr_assert_eq(client.fence_flags, 0x80000000u);
	client.write(&client, enable, sizeof(enable));
	rfb_client_update(&client);
	expect_picture();
	for (unsigned int i = 0; i < 3; i++) {
		paint(64 * i, 0, 64, 64, 0x00ff00 + i);
		screen_publish(&screen);
		rfb_client_update(&client);
		expect_picture();
	}
	client.write(&client, disable, sizeof(disable));
	cr_assert_eq(rfb_client_take(&client), 150);
	paint(0, 0, 64, 64, 1);
	screen_publish(&screen);
	pump();
	cr_assert(output_is_empty());
}

Test(rfb_viewer, a_fence_is_answered_with_its_payload_behind_the_update)
{
	const int32_t encodings[] = { 0, -312 };
	uint8_t fence[9 + 5] = { 248, 0, 0, 0, 0x80, 0, 0, 0xff, 5, 'h', 'e', 'l', 'l', 'o' };

	connect_with(encodings, 2);
	rfb_client_take(&client);
	rfb_client_request(&client, false);
	rfb_viewer_encode(viewer);
	client.write(&client, fence, sizeof(fence));
	rfb_client_update(&client);
	expect_picture();
	cr_assert_eq(rfb_client_take(&client), 248);
	cr_assert_eq(client.fence_flags, 0x7);
	cr_assert_eq(client.fence_size, 5);
	cr_assert_arr_eq(client.fence_payload, "hello", 5);
}

Test(rfb_viewer, what_a_viewer_understands_is_told_once)
{
	const int32_t encodings[] = { 16, -239, -257, -258, -261 };

	viewer->leds = INPUT_LED_NUM;
	connect_with(encodings, 5);
	rfb_client_request(&client, false);
	rfb_client_update(&client);
	cr_assert(client.extended_keys);
	cr_assert(client.motion_told && !client.motion_absolute);
	cr_assert(client.leds_told && client.leds == 2);
	cr_assert_eq(client.cursor_width, 5);
	rfb_client_request(&client, true);
	pump();
	cr_assert(output_is_empty());
	rfb_viewer_set_leds(viewer, INPUT_LED_CAPS);
	rfb_client_update(&client);
	cr_assert_eq(client.leds, 4);
	rfb_viewer_set_absolute(viewer, true);
	rfb_client_request(&client, true);
	rfb_client_update(&client);
	cr_assert(client.motion_absolute);
}

/* --- greeting */

Test(rfb_viewer, all_versions_of_the_protocol_are_spoken)
{
	static const char *const versions[] = { "003.003", "003.007", "003.008" };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		setup();
		rfb_client_greet(&client, versions[i]);
		cr_assert_eq(viewer->state, RFB_RUNNING);
		cr_assert_str_eq(client.name, "NT \"4\"");
		cr_assert_eq(client.width, 640);
	}
}

Test(rfb_viewer, who_does_not_speak_it_is_dropped)
{
	static const char *const words[] = { "GET / HTTP/1.1\r\n", "RFB 005.000\n....",
					     "\n\n\n\n\n\n\n\n\n\n\n\n" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		setup();
		memcpy(viewer->in, words[i], 12);
		rfb_viewer_received(viewer, 12);
		cr_assert_eq(viewer->state, RFB_CLOSING);
		cr_assert(viewer->error);
	}
}

Test(rfb_viewer, a_refused_viewer_is_told_why)
{
	const uint8_t *bytes;
	size_t count;

	did.refuse = "no room";
	memcpy(viewer->in, "RFB 003.008\n", 12);
	rfb_viewer_received(viewer, 12);
	bytes = rfb_viewer_output(viewer, &count);
	cr_assert_eq(count, 12 + 1 + 4 + 7);
	cr_assert_eq(bytes[12], 0);
	cr_assert_eq(get_be32(bytes + 13), 7);
	cr_assert_arr_eq(bytes + 17, "no room", 7);
	cr_assert_eq(viewer->state, RFB_CLOSING);
}

Test(rfb_viewer, an_observer_is_known_by_its_version)
{
	rfb_client_greet(&client, "003.808");
	cr_assert(viewer->observer);
	cr_assert_eq(viewer->state, RFB_RUNNING);
}

/* --- keys and pointer */

Test(rfb_viewer, keys_are_taken_by_their_place)
{
	static const struct {
		uint32_t code;
		uint8_t key;
	} keys[] = {
		{ 0x1e, 0x1e }, /* A */
		{ 0x9d, 0x9d }, /* right Ctrl */
		{ 0xc5, 0x45 }, /* Num Lock as some name it */
		{ 0x45, 0x45 },
		{ 0xc6, INPUT_KEY_PAUSE },
		{ 0x54, INPUT_KEY_PRINT_SCREEN },
		{ 0xb7, INPUT_KEY_PRINT_SCREEN },
		/* The Japanese 106-key keyboard's own. */
		{ 0x29, 0x29 },
		{ 0x70, 0x70 },
		{ 0x73, 0x73 },
		{ 0x79, 0x79 },
		{ 0x7b, 0x7b },
		{ 0x7d, 0x7d },
	};

	rfb_client_greet(&client, "003.008");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		did.count = 0;
		rfb_client_extended_key(&client, 0x41, keys[i].code, true);
		rfb_client_extended_key(&client, 0x41, keys[i].code, false);
		cr_assert_eq(did.count, 2, "%x", keys[i].code);
		cr_assert_eq(did.keys[0], keys[i].key);
		cr_assert_eq(did.keys[1], keys[i].key);
		cr_assert(did.downs[0] && !did.downs[1]);
	}
	/* Without a place the meaning counts; a release without a press is nothing. */
	rfb_client_extended_key(&client, 0x41, 0, true);
	rfb_client_extended_key(&client, 0x42, 0x12345, true);
	cr_assert_eq(did.keysyms, 2);
	did.count = 0;
	rfb_client_extended_key(&client, 0x41, 0x1e, false);
	cr_assert_eq(did.count, 0);
	rfb_client_key(&client, 0xff0d, true);
	cr_assert_eq(did.keysym, 0xff0d);
}

Test(rfb_viewer, keys_wait_in_order_while_the_keyboard_is_full)
{
	rfb_client_greet(&client, "003.008");
	did.full = true;
	for (uint32_t i = 0; i < 10; i++) {
		rfb_client_extended_key(&client, 0, 0x10 + i, true);
		rfb_client_pointer(&client, (uint16_t)i, 0, 0);
	}
	cr_assert_eq(did.count, 0);
	cr_assert_eq(did.points, 0, "order is kept");
	did.full = false;
	rfb_viewer_parse(viewer);
	cr_assert_eq(did.count, 10);
	cr_assert_eq(did.points, 10);
	cr_assert_eq(did.keys[9], 0x19);
	/* A viewer that goes on is not read any more: the buffer is all there is. */
	did.full = true;
	for (;;) {
		size_t room;

		rfb_viewer_room(viewer, &room);
		if (room < 12)
			break;
		rfb_client_extended_key(&client, 0, 0x30, true);
		rfb_client_extended_key(&client, 0, 0x30, false);
	}
	cr_assert_eq(did.count, 10);
}

Test(rfb_viewer, buttons_and_wheel)
{
	rfb_client_greet(&client, "003.008");
	rfb_client_pointer(&client, 10, 20, 0x01);
	cr_assert_eq(did.buttons, INPUT_BUTTON_LEFT);
	cr_assert(did.x == 10 && did.y == 20);
	rfb_client_pointer(&client, 10, 20, 0x02);
	cr_assert_eq(did.buttons, INPUT_BUTTON_MIDDLE);
	rfb_client_pointer(&client, 10, 20, 0x04);
	cr_assert_eq(did.buttons, INPUT_BUTTON_RIGHT);
	rfb_client_pointer(&client, 10, 20, 0x80);
	cr_assert_eq(did.buttons, INPUT_BUTTON_SIDE);
	/* A step for each press, none for the release. */
	for (unsigned int i = 0; i < 3; i++) {
		rfb_client_pointer(&client, 10, 20, 0x10);
		rfb_client_pointer(&client, 10, 20, 0);
	}
	cr_assert_eq(did.wheel, 3);
	rfb_client_pointer(&client, 10, 20, 0x08);
	cr_assert_eq(did.wheel, 2);
	cr_assert_eq(did.buttons, 0);
}

Test(rfb_viewer, motion_comes_as_motion_from_those_who_can)
{
	const int32_t encodings[] = { 0, -257 };

	connect_with(encodings, 2);
	rfb_client_pointer(&client, 0x7fff + 5, 0x7fff - 7, 1);
	cr_assert_eq(did.motions, 1);
	cr_assert(did.dx == 5 && did.dy == -7);
	rfb_viewer_set_absolute(viewer, true);
	rfb_client_pointer(&client, 5, 7, 1);
	cr_assert_eq(did.points, 1);
}

/* --- hostile viewers */

Test(rfb_viewer, lists_and_clipboards_of_any_length_are_taken_in_passing)
{
	uint8_t cut[8] = { 6, 0, 0, 0, 0x00, 0x10, 0x00, 0x00 };
	uint8_t bytes[4096] = { 0 };
	const int32_t zrle = 16;

	rfb_client_greet(&client, "003.008");
	client.write(&client, cut, sizeof(cut));
	for (unsigned int i = 0; i < 256; i++)
		client.write(&client, bytes, sizeof(bytes));
	rfb_client_set_encodings(&client, &zrle, 1);
	cr_assert_eq(viewer->state, RFB_RUNNING);
	cr_assert_eq(viewer->encoding, RFB_ZRLE);
	bytes[0] = 2;
	bytes[2] = bytes[3] = 0xff;
	client.write(&client, bytes, 4);
	bytes[0] = bytes[2] = bytes[3] = 0;
	for (unsigned int i = 0; i < 65535; i++)
		client.write(&client, bytes, 4);
	rfb_client_key(&client, 'x', true);
	cr_assert_eq(did.keysym, 'x');
	put_be32(cut + 4, 0x80000000u);
	client.write(&client, cut, sizeof(cut));
	cr_assert_eq(viewer->state, RFB_CLOSING);
}

Test(rfb_viewer, a_viewer_that_asks_and_never_reads_gets_no_memory)
{
	const int32_t encodings[] = { 0, -312 };
	const uint8_t fence[9] = { 248, 0, 0, 0, 0x80, 0, 0, 0, 0 };

	connect_with(encodings, 2);
	rfb_client_request(&client, false);
	for (unsigned int i = 0; i < 1000; i++) {
		size_t room, waiting;

		pump();
		rfb_viewer_output(viewer, &waiting);
		cr_assert_leq(waiting, (size_t)RFB_OUT_BYTES);
		rfb_viewer_room(viewer, &room);
		if (room >= sizeof(fence))
			client.write(&client, fence, sizeof(fence));
		paint(0, 0, 640, 480, i);
		screen_publish(&screen);
		cr_assert_not(rfb_viewer_wants_picture(viewer));
	}
}

/* Random messages, and rubbish: no crash, nothing beyond the buffers (the sanitizers look). */
Test(rfb_viewer, rubbish_does_no_harm)
{
	static const uint8_t types[] = { 0, 2, 3, 4, 5, 6, 150, 248, 251, 255 };

	for (unsigned int round = 0; round < 3000; round++) {
		bool greeted = rand() % 4;

		rfb_viewer_free(viewer, &screen);
		viewer = rfb_viewer_new(&screen, &ops, "x");
		if (greeted) {
			memcpy(viewer->in, "RFB 003.008\n\1\1", 14);
			rfb_viewer_received(viewer, 14);
			rfb_viewer_sent(viewer, viewer->out_count);
		}
		for (unsigned int i = 0; i < 30 && viewer->state != RFB_CLOSING; i++) {
			size_t room, count = (size_t)rand() % 40, waiting;
			uint8_t *to = rfb_viewer_room(viewer, &room);

			count = min_u64(count, room);
			for (size_t n = 0; n < count; n++)
				to[n] = rand() & 1 ? (uint8_t)rand() : 0;
			if (count && rand() % 8)
				to[0] = types[(size_t)rand() % ARRAY_LEN(types)];
			rfb_viewer_received(viewer, count);
			rfb_viewer_encode(viewer);
			if (rand() % 16 == 0)
				cr_assert_eq(screen_resize(&screen, 1 + (uint32_t)rand() % 300,
							   1 + (uint32_t)rand() % 300),
					     0);
			screen_publish(&screen);
			rfb_viewer_output(viewer, &waiting);
			rfb_viewer_sent(viewer, waiting ? (size_t)rand() % (waiting + 1) : 0);
		}
	}
}
