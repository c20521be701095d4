// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmm/rfb, surface, typist and pointer on a real loop: viewers on a unix socket, a display, a
 * keyboard and a mouse of paper.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"
#include "../../devmodel/display.h"
#include "../../devmodel/input.h"
#include "../../vmm/keymap.h"
#include "../../vmm/loop.h"
#include "../../vmm/pointer.h"
#include "../../vmm/rfb.h"
#include "../../vmm/surface.h"
#include "../../vmm/typist.h"
#include "../lib/rfb_client.h"

/* --- the machine */

static struct loop *loop;
static struct surface surface;
static struct typist *typist;
static struct pointer pointer;
static struct rfb *rfb;
static struct sockaddr_un address;

/* A display whose whole picture is of one colour. */
static struct {
	uint32_t width, height, colour, drawn;
	unsigned int refreshes;
	bool cursor, plain_cursor, blank;
	int32_t cursor_x, cursor_y;
} shown = { .width = 640, .height = 480 };

static void geometry(struct device *dev, struct display_geometry *ret_geometry)
{
	(void)dev;
	*ret_geometry = (struct display_geometry){ .width = shown.width,
						   .height = shown.height,
						   .blank = shown.blank };
}

static void refresh(struct device *dev, struct display_surface *to)
{
	(void)dev;
	shown.refreshes++;
	if (to->width != shown.width || to->height != shown.height ||
	    (!to->stale && shown.drawn == shown.colour))
		return;
	for (uint32_t i = 0; i < to->width * to->height; i++)
		to->pixels[i] = shown.colour;
	to->damage[to->damage_count++] = (struct display_rect){ 0, 0, to->width, to->height };
	to->stale = false;
	shown.drawn = shown.colour;
}

static void cursor(struct device *dev, struct display_cursor *ret_cursor)
{
	(void)dev;
	memset(ret_cursor, 0, sizeof(*ret_cursor));
	ret_cursor->visible = shown.cursor;
	ret_cursor->x = shown.cursor_x;
	ret_cursor->y = shown.cursor_y;
	for (unsigned int i = 0; i < 16 * DISPLAY_CURSOR_SIZE; i++)
		ret_cursor->image[i] = i % DISPLAY_CURSOR_SIZE < 16 ? 0xffff0000 : 0;
	for (unsigned int i = 16; i < 32 && !shown.plain_cursor; i++)
		ret_cursor->invert[i] = UINT64_C(0xffff) << 48;
}

static const struct display_ops display_ops = { geometry, refresh, cursor, NULL };
/* Nobody looks inside. */
static char device;
static struct display display = { .dev = (struct device *)(void *)&device, .ops = &display_ops };

static struct {
	uint8_t keys[4096];
	bool downs[4096];
	unsigned int count, room;
	int64_t x, y;
	int32_t wheel;
	uint32_t buttons;
	unsigned int moves;
} got = { .room = UINT32_MAX };

static bool take_key(struct device *dev, uint8_t key, bool down)
{
	(void)dev;
	if (!got.room)
		return false;
	got.room--;
	got.keys[got.count % ARRAY_LEN(got.keys)] = key;
	got.downs[got.count++ % ARRAY_LEN(got.keys)] = down;
	return true;
}

static void release_all(struct device *dev)
{
	(void)dev;
}

/* A guest that stops its pointer at the edges, and moves it as far as the mouse says. */
static void take_move(struct device *dev, int32_t dx, int32_t dy, int32_t wheel, uint32_t buttons)
{
	(void)dev;
	got.moves++;
	got.x += dx;
	got.y += dy;
	got.x = got.x < 0 ? 0 : got.x >= shown.width ? shown.width - 1 : got.x;
	got.y = got.y < 0 ? 0 : got.y >= shown.height ? shown.height - 1 : got.y;
	got.wheel += wheel;
	got.buttons = buttons;
}

static const struct input_keyboard_ops keyboard_ops = { take_key, release_all };
static const struct input_pointer_ops pointer_ops = { take_move };
static struct input input;

static struct rfb_settings settings = { .title = "nt4" };

static void *run(void *opaque)
{
	cr_assert_eq(loop_run(loop), 0);
	return opaque;
}

static void start(void)
{
	struct rfb_machine machine = { .surface = &surface, .input = &input, .pointer = &pointer };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(address);
	pthread_t thread;

	address.sun_family = AF_UNIX;
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	cr_assert_eq(loop_new(&loop), 0);
	input_attach_keyboard(&input, (struct device *)(void *)&device, &keyboard_ops);
	input_attach_pointer(&input, (struct device *)(void *)&device, &pointer_ops);
	surface_init(&surface, &display);
	pointer_init(&pointer, &input);
	cr_assert_eq(typist_new(loop, &input, keymap_find("us"), &typist), 0);
	settings.listen_fd = fd;
	machine.loop = loop;
	machine.typist = typist;
	cr_assert_eq(rfb_new(&machine, &settings, &rfb), 0);
	cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
	pthread_detach(thread);
}

TestSuite(rfb, .timeout = 60);

static int connection(void)
{
	const struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(sa_family_t) + 1 + 5), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void join(struct rfb_client *client)
{
	const int32_t encodings[] = { 16, 1, -223, -258 };

	rfb_client_socket(client, connection());
	rfb_client_greet(client, "003.008");
	rfb_client_set_encodings(client, encodings, ARRAY_LEN(encodings));
}

static void look(struct rfb_client *client, bool incremental)
{
	rfb_client_request(client, incremental);
	rfb_client_update(client);
}

static uint32_t pixel(const struct rfb_client *client, uint32_t x, uint32_t y)
{
	return client->pixels[y * CLIENT_SIZE_MAX + x];
}

static void change(uint32_t colour)
{
	loop_lock(loop);
	shown.colour = colour;
	loop_unlock(loop);
}

/* Until @number is at least @value; the loop's thread changes it. */
static void wait_for(unsigned int *number, unsigned int value)
{
	for (unsigned int i = 0; i < 2000; i++) {
		bool there;

		loop_lock(loop);
		there = *number >= value;
		loop_unlock(loop);
		if (there)
			return;
		usleep(5000);
	}
	cr_assert_fail("waited in vain");
}

static bool hung_up(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, 0);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static unsigned int viewers(void)
{
	struct rfb_stats stats;

	loop_lock(loop);
	rfb_get_stats(rfb, &stats);
	loop_unlock(loop);
	return stats.viewers;
}

static void wait_for_viewers(unsigned int count)
{
	for (unsigned int i = 0; i < 2000 && viewers() != count; i++)
		usleep(5000);
	cr_assert_eq(viewers(), count);
}

/* --- pictures */

Test(rfb, viewers_see_the_display_and_what_changes)
{
	struct rfb_client clients[3];

	shown.colour = 0x123456;
	start();
	for (unsigned int i = 0; i < 3; i++) {
		join(&clients[i]);
		look(&clients[i], false);
		cr_assert_eq(pixel(&clients[i], 639, 479), 0x123456);
		cr_assert_str_eq(clients[i].name, "nt4");
		rfb_client_request(&clients[i], true);
	}
	change(0xabcdef);
	for (unsigned int i = 0; i < 3; i++) {
		rfb_client_update(&clients[i]);
		cr_assert_eq(pixel(&clients[i], 0, 0), 0xabcdef);
	}
	loop_lock(loop);
	shown.width = 1024;
	shown.height = 768;
	loop_unlock(loop);
	look(&clients[0], true);
	cr_assert_eq(clients[0].width, 1024);
	look(&clients[0], true);
	cr_assert_eq(pixel(&clients[0], 1023, 767), 0xabcdef);
}

Test(rfb, the_hardware_cursor_is_in_the_picture)
{
	struct rfb_client client;

	shown.colour = 0x00ff00;
	shown.cursor = true;
	shown.cursor_x = 100;
	shown.cursor_y = 50;
	start();
	join(&client);
	look(&client, false);
	cr_assert_eq(pixel(&client, 100, 50), 0xff0000);
	cr_assert_eq(pixel(&client, 115, 65), 0xff0000);
	cr_assert_eq(pixel(&client, 116, 65), 0x00ff00);
	cr_assert_eq(pixel(&client, 100, 66), 0xff00ff, "inverted");
	loop_lock(loop);
	shown.cursor_x = -8;
	shown.cursor_y = 470;
	loop_unlock(loop);
	look(&client, true);
	cr_assert_eq(pixel(&client, 100, 50), 0x00ff00, "what was under it is back");
	cr_assert_eq(pixel(&client, 7, 479), 0xff0000);
	cr_assert_eq(pixel(&client, 8, 479), 0x00ff00);
	/* Drawn anew below it. */
	change(0x0000ff);
	look(&client, true);
	cr_assert_eq(pixel(&client, 7, 479), 0xff0000);
	cr_assert_eq(pixel(&client, 8, 479), 0x0000ff);
	loop_lock(loop);
	shown.cursor = false;
	loop_unlock(loop);
	look(&client, true);
	cr_assert_eq(pixel(&client, 7, 479), 0x0000ff);
}

Test(rfb, a_display_that_sends_nothing_is_black_and_keeps_its_size)
{
	struct rfb_client client;

	shown.colour = 0x123456;
	shown.width = 8;
	shown.height = 1;
	shown.blank = true;
	start();
	join(&client);
	look(&client, false);
	cr_assert(client.width == 640 && client.height == 480);
	cr_assert_eq(pixel(&client, 320, 240), 0);
	loop_lock(loop);
	shown.width = 800;
	shown.height = 600;
	shown.blank = false;
	loop_unlock(loop);
	look(&client, true);
	look(&client, true);
	cr_assert_eq(client.width, 800);
	cr_assert_eq(pixel(&client, 799, 599), 0x123456);
	for (unsigned int i = 0; i < 2; i++) {
		loop_lock(loop);
		shown.blank = !i;
		loop_unlock(loop);
		look(&client, true);
		cr_assert_eq(client.width, 800);
		cr_assert_eq(pixel(&client, 799, 599), i ? 0x123456 : 0);
	}
}

Test(rfb, nobody_looks_and_nothing_is_drawn)
{
	struct rfb_client client;
	unsigned int before;

	start();
	usleep(300000);
	cr_assert_eq(shown.refreshes, 0);
	join(&client);
	look(&client, false);
	rfb_client_fini(&client);
	wait_for_viewers(0);
	usleep(50000);
	before = shown.refreshes;
	usleep(400000);
	cr_assert_eq(shown.refreshes, before);
}

Test(rfb, a_display_at_rest_is_asked_less_often)
{
	struct rfb_client client;
	unsigned int before;

	start();
	join(&client);
	look(&client, false);
	rfb_client_request(&client, true);
	usleep(1800000);
	before = shown.refreshes;
	usleep(1000000);
	cr_assert_leq(shown.refreshes - before, 8);
	cr_assert_geq(shown.refreshes - before, 2);
}

Test(rfb, a_viewer_that_does_not_read_slows_nobody)
{
	struct rfb_client slow, quick;
	struct rusage before, after;

	start();
	join(&slow);
	/* It asks for pictures and takes none. */
	for (unsigned int i = 0; i < 50; i++)
		rfb_client_request(&slow, false);
	join(&quick);
	look(&quick, false);
	getrusage(RUSAGE_SELF, &before);
	for (uint32_t i = 1; i <= 20; i++) {
		change(i);
		look(&quick, true);
		cr_assert_eq(pixel(&quick, 5, 5), i);
	}
	getrusage(RUSAGE_SELF, &after);
	cr_assert_leq(after.ru_maxrss - before.ru_maxrss, 4096, "memory grows by a slow viewer");
	/* And when it reads, the newest picture is what it gets in the end. */
	for (unsigned int i = 0; i < 60 && pixel(&slow, 5, 5) != 20; i++)
		look(&slow, true);
	cr_assert_eq(pixel(&slow, 5, 5), 20);
}

/* --- who may look */

Test(rfb, one_viewer_at_a_time_where_that_is_set)
{
	struct rfb_client first, observer;
	char text[256];
	int second;

	settings.sharing = RFB_EXCLUSIVE;
	start();
	join(&first);
	look(&first, false);
	second = connection();
	cr_assert_eq(recv(second, text, 12, MSG_WAITALL), 12);
	cr_assert_eq(send(second, "RFB 003.008\n", 12, 0), 12);
	cr_assert_eq(recv(second, text, 5, MSG_WAITALL), 5);
	cr_assert_eq(text[0], 0);
	cr_assert(hung_up(second));
	/* Whoever only makes a screenshot is not in the way. */
	rfb_client_socket(&observer, connection());
	rfb_client_greet(&observer, "003.808");
	look(&observer, false);
	rfb_client_fini(&first);
	wait_for_viewers(1);
	join(&first);
	look(&first, false);
}

Test(rfb, viewers_that_may_only_look_press_nothing)
{
	struct rfb_client client, observer;

	settings.view_only = true;
	start();
	join(&client);
	rfb_client_extended_key(&client, 0, 0x1e, true);
	rfb_client_pointer(&client, 5, 5, 1);
	look(&client, false);
	cr_assert_eq(got.count, 0);
	cr_assert_eq(got.moves, 0);
	rfb_client_socket(&observer, connection());
	rfb_client_greet(&observer, "003.808");
	rfb_client_key(&observer, 'x', true);
	look(&observer, false);
	cr_assert_eq(got.count, 0);
}

Test(rfb, idle_viewers_are_dropped_when_told)
{
	struct rfb_client client, busy;

	settings.idle_timeout_s = 2;
	start();
	join(&client);
	look(&client, false);
	join(&busy);
	for (unsigned int i = 0; i < 6; i++) {
		usleep(500000);
		rfb_client_pointer(&busy, (uint16_t)i, 0, 0);
	}
	cr_assert(hung_up(client.fd));
	look(&busy, false);
}

Test(rfb, a_ninth_viewer_waits_for_a_place)
{
	struct rfb_client clients[9];
	char text[12];
	int ninth;

	start();
	for (unsigned int i = 0; i < 8; i++)
		join(&clients[i]);
	wait_for_viewers(8);
	ninth = connection();
	usleep(50000);
	cr_assert_eq(recv(ninth, text, sizeof(text), MSG_DONTWAIT), -1);
	rfb_client_fini(&clients[3]);
	cr_assert_eq(recv(ninth, text, sizeof(text), MSG_WAITALL), 12);
	look(&clients[0], false);
}

Test(rfb, viewers_that_hang_up_at_any_time_leave_nothing)
{
	static const char greeting[] = "RFB 003.008\n\1\1\2\0\0\1\0\0\0\20\3\0\0\0\0\0\2\200\1\340";

	start();
	for (size_t i = 0; i < sizeof(greeting); i++) {
		int fd = connection();

		cr_assert_eq(send(fd, greeting, i, 0), (ssize_t)i);
		close(fd);
	}
	wait_for_viewers(0);
}

/* --- keys */

static void expect_keys(const char *keys)
{
	char is[1024] = "";
	size_t at = 0;

	for (unsigned int i = 0; i < got.count; i++)
		at += (size_t)snprintf(is + at, sizeof(is) - at, "%s%c%02x", i ? " " : "",
				       got.downs[i] ? '+' : '-', got.keys[i]);
	cr_assert_str_eq(is, keys);
}

Test(rfb, keys_reach_the_keyboard_and_are_let_go_when_the_viewer_leaves)
{
	struct rfb_client client;

	start();
	join(&client);
	rfb_client_extended_key(&client, 0xffe3, 0x1d, true);
	rfb_client_extended_key(&client, 0x63, 0x2e, true);
	rfb_client_key(&client, 0xff0d, true);
	wait_for(&got.count, 3);
	rfb_client_fini(&client);
	wait_for(&got.count, 6);
	expect_keys("+1d +2e +1c -1c -1d -2e");
}

Test(rfb, characters_find_their_keys_whatever_the_viewers_layout_is)
{
	struct rfb_client client;

	start();
	join(&client);
	/* A viewer on whose layout the slash is shifted, and the bar is not. */
	rfb_client_key(&client, 0xffe1, true);
	rfb_client_key(&client, '/', true);
	rfb_client_key(&client, '/', false);
	rfb_client_key(&client, 0xffe1, false);
	rfb_client_key(&client, '|', true);
	rfb_client_key(&client, '|', false);
	wait_for(&got.count, 10);
	expect_keys("+2a -2a +35 +2a -35 -2a +2a +2b -2a -2b");
}

Test(rfb, keys_wait_for_a_keyboard_that_is_full)
{
	struct rfb_client client;

	got.room = 1;
	start();
	join(&client);
	for (uint32_t i = 0; i < 3; i++) {
		rfb_client_extended_key(&client, 0, 0x10 + i, true);
		rfb_client_extended_key(&client, 0, 0x10 + i, false);
	}
	look(&client, false);
	expect_keys("+10");
	loop_lock(loop);
	got.room = 100;
	loop_unlock(loop);
	wait_for(&got.count, 6);
	expect_keys("+10 -10 +11 -11 +12 -12");
}

Test(rfb, text_is_typed_in_a_layout)
{
	start();
	loop_lock(loop);
	cr_assert_null(typist_text(typist, "A:\n", NULL));
	cr_assert_gt(typist_busy_ms(typist), 0);
	cr_assert_eq(got.count, 0, "not faster than a guest can read");
	loop_unlock(loop);
	wait_for(&got.count, 10);
	expect_keys("+2a +1e -2a -1e +2a +27 -2a -27 +1c -1c");
	loop_lock(loop);
	got.count = 0;
	cr_assert_null(typist_text(typist, "@_", keymap_find("jp106")));
	loop_unlock(loop);
	wait_for(&got.count, 6);
	expect_keys("+1a -1a +2a +73 -2a -73");
	loop_lock(loop);
	got.count = 0;
	/* AltGr, and a key that waits for another. */
	cr_assert_null(typist_text(typist, "@^", keymap_find("de")));
	loop_unlock(loop);
	wait_for(&got.count, 8);
	expect_keys("+b8 +10 -b8 -10 +29 -29 +39 -39");
	loop_lock(loop);
	cr_assert_not_null(typist_text(typist, "a漢", NULL));
	cr_assert_eq(typist_busy_ms(typist), 0);
	/* Caps Lock turns letters round, and nothing else. */
	got.count = 0;
	input.leds = INPUT_LED_CAPS;
	cr_assert_null(typist_text(typist, "a1", NULL));
	loop_unlock(loop);
	wait_for(&got.count, 6);
	expect_keys("+2a +1e -2a -1e +02 -02");
}

Test(rfb, combinations_are_pressed_in_order_and_let_go_in_reverse)
{
	start();
	loop_lock(loop);
	cr_assert_null(typist_combination(typist, "ctrl+alt+del"));
	loop_unlock(loop);
	wait_for(&got.count, 6);
	expect_keys("+1d +38 +d3 -d3 -38 -1d");
	loop_lock(loop);
	got.count = 0;
	cr_assert_null(typist_combination(typist, "ALT+F4"));
	cr_assert_null(typist_combination(typist, "ctrl++"));
	loop_unlock(loop);
	wait_for(&got.count, 10);
	expect_keys("+38 +3e -3e -38 +1d +2a +0d -0d -2a -1d");
	loop_lock(loop);
	cr_assert_not_null(typist_combination(typist, ""));
	cr_assert_not_null(typist_combination(typist, "ctrl+"
						      "nonsense"));
	cr_assert_not_null(typist_combination(typist, "a+b+c+d+e+f+g+h+i+j+k+l+m"));
	loop_unlock(loop);
}

/* --- pointer */

static struct {
	uint32_t x, y, buttons;
	bool wanted;
} positions;

static bool positions_wanted(struct device *dev)
{
	(void)dev;
	return positions.wanted;
}

static void take_position(struct device *dev, uint32_t x, uint32_t y, int32_t wheel,
			  uint32_t buttons)
{
	(void)dev;
	(void)wheel;
	positions.x = x;
	positions.y = y;
	positions.buttons = buttons;
}

static const struct input_absolute_ops absolute_ops = { positions_wanted, take_position };

Test(rfb, viewers_draw_the_pointer_of_a_guest_that_takes_positions)
{
	const int32_t encodings[] = { 16, -239 };
	struct rfb_client client, plain;

	shown.cursor = true;
	shown.plain_cursor = true;
	shown.cursor_x = 97;
	shown.cursor_y = 48;
	positions.wanted = true;
	start();
	input_attach_absolute(&input, (struct device *)(void *)&device, &absolute_ops);
	rfb_client_socket(&client, connection());
	rfb_client_greet(&client, "003.008");
	rfb_client_set_encodings(&client, encodings, ARRAY_LEN(encodings));
	rfb_client_pointer(&client, 100, 50, 0);
	look(&client, false);
	for (unsigned int i = 0; i < 20 && client.cursor_hot_x != 3; i++)
		look(&client, true);
	cr_assert_eq(client.cursor_width, DISPLAY_CURSOR_SIZE);
	cr_assert(client.cursor_hot_x == 3 && client.cursor_hot_y == 2);
	cr_assert_eq(pixel(&client, 100, 50), 0, "it is not in the picture");
	/* With one among them who cannot, it is in the picture for all. */
	join(&plain);
	look(&plain, false);
	for (unsigned int i = 0; i < 20 && !pixel(&plain, 100, 50); i++)
		look(&plain, true);
	cr_assert_eq(pixel(&plain, 100, 50), 0xff0000);
	look(&client, true);
	cr_assert_eq(client.cursor_width, 5, "a dot");
}

Test(rfb, a_guest_that_takes_positions_gets_them)
{
	const int32_t encodings[] = { 16, -257 };
	struct rfb_client client;

	start();
	input_attach_absolute(&input, (struct device *)(void *)&device, &absolute_ops);
	positions.wanted = true;
	rfb_client_socket(&client, connection());
	rfb_client_greet(&client, "003.008");
	rfb_client_set_encodings(&client, encodings, ARRAY_LEN(encodings));
	look(&client, false);
	cr_assert(client.motion_told && client.motion_absolute);
	rfb_client_pointer(&client, 0, 479, 4);
	look(&client, false);
	cr_assert_eq(got.moves, 0);
	cr_assert_eq(positions.x, INPUT_POSITION_MAX / 1280);
	cr_assert_eq(positions.y, 959 * INPUT_POSITION_MAX / 960);
	cr_assert_eq(positions.buttons, INPUT_BUTTON_RIGHT);
	/* The driver has gone: motion again, from the corner. */
	loop_lock(loop);
	positions.wanted = false;
	loop_unlock(loop);
	look(&client, true);
	cr_assert_not(client.motion_absolute);
}

Test(rfb, the_guests_pointer_follows_the_viewers)
{
	static const uint16_t places[][2] = { { 320, 240 }, { 0, 0 }, { 639, 479 }, { 7, 470 } };
	struct rfb_client client;

	got.x = 400;
	got.y = 11;
	start();
	join(&client);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		rfb_client_pointer(&client, places[i][0], places[i][1], 1);
		look(&client, false);
		cr_assert_eq(got.x, places[i][0]);
		cr_assert_eq(got.y, places[i][1]);
		cr_assert_eq(got.buttons, INPUT_BUTTON_LEFT);
	}
	/* Wherever the guest has put it, an edge brings it back. */
	loop_lock(loop);
	got.x += 100;
	loop_unlock(loop);
	rfb_client_pointer(&client, 0, 470, 0);
	rfb_client_pointer(&client, 50, 300, 0);
	look(&client, false);
	cr_assert_eq(got.x, 50);
}

Test(rfb, the_hardware_cursor_corrects_the_pointer)
{
	struct rfb_client client;

	shown.cursor = true;
	start();
	join(&client);
	rfb_client_pointer(&client, 320, 240, 0);
	look(&client, false);
	/* The guest has made more of the motion. */
	loop_lock(loop);
	shown.cursor_x = 400;
	shown.cursor_y = 235;
	got.x = 400;
	got.y = 240;
	loop_unlock(loop);
	for (unsigned int i = 0; i < 100 && got.x != 320; i++) {
		rfb_client_request(&client, true);
		usleep(20000);
	}
	cr_assert_eq(got.x, 320);
	cr_assert_eq(got.y, 240, "a hot spot is no error");
}
