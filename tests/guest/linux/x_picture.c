// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Draws the test picture on the root window of the X server :0 under Linux: a program of its own, without a library.
 *
 *	x_picture NUMBER
 *
 * NUMBER is that of tests/interop/test_picture.h; the picture has the screen's size and depth. In 8 bits the palette
 * is 3:3:2, in a colour map of its own that is installed. When all of it is there the program says so and waits: a
 * server whose last client goes clears its screen.
 */
#include <stdint.h>

#include "bare.h"
#include "picture.h"

#define AF_UNIX 1
#define SOCK_STREAM 1

/* Requests of the X protocol, version 11. */
#define X_GET_INPUT_FOCUS 43
#define X_CREATE_GC 55
#define X_PUT_IMAGE 72
#define X_CREATE_COLORMAP 78
#define X_INSTALL_COLORMAP 81
#define X_STORE_COLORS 89
#define X_Z_PIXMAP 2
#define X_REPLY 1
#define X_REPLY_BYTES 32

static uint32_t server;

/* What the server said of itself and its first screen. */
static uint32_t id_base, root, visual;
static uint16_t width, height;
static uint8_t depth, bits;

static void send(const void *data, uint32_t size)
{
	const uint8_t *at = data;

	while (size) {
		const int sent = syscall3(SYS_write, server, (uint32_t)at, size);

		must(sent ? sent : -1, "write to the server");
		at += sent;
		size -= (uint32_t)sent;
	}
}

static void receive(void *data, uint32_t size)
{
	uint8_t *at = data;

	while (size) {
		const int received = syscall3(SYS_read, server, (uint32_t)at, size);

		must(received ? received : -1, "read from the server");
		at += received;
		size -= (uint32_t)received;
	}
}

static uint16_t word_at(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t long_at(const uint8_t *at)
{
	return word_at(at) | (uint32_t)word_at(at + 2) << 16;
}

static void connect_to_server(void)
{
	static const struct {
		uint16_t family;
		char path[19];
	} address = { AF_UNIX, "/tmp/.X11-unix/X0" };
	const int fd = syscall3(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	must(fd, "make a socket");
	server = (uint32_t)fd;
	must(syscall3(SYS_connect, server, (uint32_t)&address, sizeof(address)),
	     "connect to /tmp/.X11-unix/X0");
}

static void set_up(void)
{
	static const uint8_t hello[12] = { 'l', 0, 11 };
	static uint8_t answer[16384];
	const uint8_t *screen;
	uint32_t size;

	send(hello, sizeof(hello));
	receive(answer, 8);
	must(answer[0] == 1 ? 0 : -1, "be let in");
	size = word_at(answer + 6) * 4u;
	must(size >= 72 && size <= sizeof(answer) ? 0 : -1, "understand the server");
	receive(answer, size);
	id_base = long_at(answer + 4);
	screen = answer + 32 + (word_at(answer + 16) + 3u) / 4 * 4 + answer[21] * 8u;
	must(screen + 40 <= answer + size ? 0 : -1, "find a screen");
	root = long_at(screen);
	width = word_at(screen + 20);
	height = word_at(screen + 22);
	visual = long_at(screen + 32);
	depth = screen[38];
	bits = depth == 24 ? 32 : depth;
}

static void set_palette(void)
{
	static struct {
		uint8_t request, zero;
		uint16_t length;
		uint32_t map;
		struct {
			uint32_t pixel;
			uint16_t red, green, blue;
			uint8_t which, pad;
		} colors[256];
	} store = { .request = X_STORE_COLORS, .length = sizeof(store) / 4 };
	const uint32_t map = id_base + 1;
	const uint32_t create[] = { X_CREATE_COLORMAP | 1 << 8 | 4 << 16, map, root, visual };
	const uint32_t install[] = { X_INSTALL_COLORMAP | 2 << 16, map };

	for (uint32_t i = 0; i < 256; i++) {
		store.colors[i].pixel = i;
		store.colors[i].red = palette_red(i);
		store.colors[i].green = palette_green(i);
		store.colors[i].blue = palette_blue(i);
		store.colors[i].which = 7;
	}
	store.map = map;
	send(create, sizeof(create));
	send(&store, sizeof(store));
	send(install, sizeof(install));
}

static void draw(uint32_t number)
{
	static struct {
		uint8_t request, format;
		uint16_t length;
		uint32_t drawable, gc;
		uint16_t width, height;
		int16_t x, y;
		uint8_t left_pad, depth;
		uint16_t pad;
		uint8_t line[2048 * 4];
	} image = { .request = X_PUT_IMAGE, .format = X_Z_PIXMAP, .height = 1 };
	const uint32_t gc = id_base + 2;
	const uint32_t create[] = { X_CREATE_GC | 4 << 16, gc, root, 0 };
	const uint32_t bytes = (width * bits / 8u + 3) / 4 * 4;

	must(bytes <= sizeof(image.line) ? 0 : -1, "draw lines of that length");
	image.drawable = root;
	image.gc = gc;
	image.width = width;
	image.depth = depth;
	image.length = (uint16_t)((sizeof(image) - sizeof(image.line) + bytes) / 4);
	send(create, sizeof(create));
	for (uint32_t y = 0; y < height; y++) {
		image.y = (int16_t)y;
		draw_line(image.line, width, y, bits, number);
		send(&image, image.length * 4u);
	}
}

/* Until the server has answered, it has done what came before. The only other thing that it may send is an error. */
static void wait_until_drawn(void)
{
	static const uint8_t question[4] = { X_GET_INPUT_FOCUS, 0, 1 };
	uint8_t answer[X_REPLY_BYTES];

	send(question, sizeof(question));
	receive(answer, sizeof(answer));
	must(answer[0] == X_REPLY ? 0 : -1, "draw");
}

void start(uint32_t *stack)
{
	char **arguments = arguments_of(stack, 1, "give NUMBER");

	connect_to_server();
	set_up();
	if (bits == 8)
		set_palette();
	draw(number_of(arguments[0]));
	wait_until_drawn();
	print("x_picture: drawn\n");
	for (;;)
		syscall3(SYS_pause, 0, 0, 0);
}
