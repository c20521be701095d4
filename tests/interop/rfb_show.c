// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The console half of a machine without the machine: a test picture as the display, served to
 * viewers on the unix socket SOCKET; what they press and point at goes to standard output, a line
 * each. For the tests with real viewers (tests/interop/).
 *
 *	rfb_show SOCKET WIDTH HEIGHT [still|moving]
 *
 * The picture is the same function of its place as in png_compare.c. A line on standard input
 * changes it: "next" paints the following one, "size W H" gives it another size.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../base/log.h"
#include "../../devmodel/display.h"
#include "../../devmodel/input.h"
#include "../../vmm/keymap.h"
#include "../../vmm/loop.h"
#include "../../vmm/pointer.h"
#include "../../vmm/rfb.h"
#include "../../vmm/surface.h"
#include "../../vmm/typist.h"
#include "test_picture.h"

static struct {
	uint32_t width, height, number, drawn;
} shown = { .drawn = UINT32_MAX };

static void geometry(struct device *dev, struct display_geometry *ret_geometry)
{
	(void)dev;
	*ret_geometry = (struct display_geometry){ .width = shown.width, .height = shown.height };
}

static void refresh(struct device *dev, struct display_surface *to)
{
	(void)dev;
	if (!to->stale && shown.drawn == shown.number)
		return;
	for (uint32_t y = 0; y < to->height; y++) {
		for (uint32_t x = 0; x < to->width; x++)
			to->pixels[y * to->stride_pixels + x] = test_picture(x, y, shown.number);
	}
	to->damage[to->damage_count++] = (struct display_rect){ 0, 0, to->width, to->height };
	to->stale = false;
	shown.drawn = shown.number;
}

static void cursor(struct device *dev, struct display_cursor *ret_cursor)
{
	(void)dev;
	ret_cursor->visible = false;
}

static const struct display_ops display_ops = { geometry, refresh, cursor, NULL };
static char device;
static struct display display = { .dev = (struct device *)(void *)&device, .ops = &display_ops };

static bool take_key(struct device *dev, uint8_t key, bool down)
{
	(void)dev;
	printf("key %02x %s\n", key, down ? "down" : "up");
	return true;
}

static void release_all(struct device *dev)
{
	(void)dev;
	printf("release all\n");
}

static void take_move(struct device *dev, int32_t dx, int32_t dy, int32_t wheel, uint32_t buttons)
{
	(void)dev;
	printf("move %d %d %d %u\n", dx, dy, wheel, buttons);
}

static const struct input_keyboard_ops keyboard_ops = { take_key, release_all };
static const struct input_pointer_ops pointer_ops = { take_move };

static void take_line(void *opaque, uint32_t events)
{
	struct loop *loop = opaque;
	char line[128] = "";
	unsigned int width, height;

	(void)events;
	if (read(STDIN_FILENO, line, sizeof(line) - 1) <= 0) {
		loop_quit(loop, 0);
	} else if (sscanf(line, "size %u %u", &width, &height) == 2) {
		shown.width = width;
		shown.height = height;
	} else {
		shown.number++;
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 8) < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	static struct surface surface;
	static struct input input;
	static struct pointer pointer;
	struct loop_watch *watch;
	struct typist *typist;
	struct loop *loop;
	struct rfb *rfb;

	log_init("rfb_show", LOG_LEVEL_INFO);
	if (argc != 4)
		die("give SOCKET WIDTH HEIGHT");
	shown.width = (uint32_t)atoi(argv[2]);
	shown.height = (uint32_t)atoi(argv[3]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	input_attach_keyboard(&input, (struct device *)(void *)&device, &keyboard_ops);
	input_attach_pointer(&input, (struct device *)(void *)&device, &pointer_ops);
	surface_init(&surface, &display);
	pointer_init(&pointer, &input);
	if (loop_new(&loop) < 0 || typist_new(loop, &input, keymap_find("us"), &typist) < 0)
		die("no memory");
	const struct rfb_machine machine = { loop, &surface, &input, typist, &pointer };
	const struct rfb_settings settings = { .listen_fd = listen_at(argv[1]),
					       .title = "test picture" };

	if (rfb_new(&machine, &settings, &rfb) < 0 ||
	    loop_watch_new(loop, STDIN_FILENO, EPOLLIN, take_line, loop, &watch) < 0)
		die("the server cannot start");
	puts("ready");
	return loop_run(loop);
}
