// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Draws the test picture on /dev/fb0 under Linux: a program of its own, without a library.
 *
 *	fb_picture WIDTH BITS NUMBER
 *
 * WIDTH is 640, 800 or 1024, BITS 8, 16 or 32, NUMBER that of tests/interop/test_picture.h. The mode is set with
 * 64 lines more than the screen has, and the picture is drawn below and panned to. In 8 bits the palette is
 * 3:3:2. It says what it has set, and ends; what it has drawn stays.
 */
#include <linux/fb.h>
#include <stdint.h>

#include "bare.h"
#include "picture.h"

#define KDSETMODE 0x4b3a
#define KD_GRAPHICS 1
#define PANNED 64

/* VESA's timings for 60 Hz. */
static const struct fb_var_screeninfo modes[] = {
	{ .xres = 640,
	  .yres = 480,
	  .pixclock = 39721,
	  .left_margin = 48,
	  .right_margin = 16,
	  .upper_margin = 33,
	  .lower_margin = 10,
	  .hsync_len = 96,
	  .vsync_len = 2 },
	{ .xres = 800,
	  .yres = 600,
	  .pixclock = 25000,
	  .left_margin = 88,
	  .right_margin = 40,
	  .upper_margin = 23,
	  .lower_margin = 1,
	  .hsync_len = 128,
	  .vsync_len = 4,
	  .sync = FB_SYNC_HOR_HIGH_ACT | FB_SYNC_VERT_HIGH_ACT },
	{ .xres = 1024,
	  .yres = 768,
	  .pixclock = 15384,
	  .left_margin = 160,
	  .right_margin = 24,
	  .upper_margin = 29,
	  .lower_margin = 3,
	  .hsync_len = 136,
	  .vsync_len = 6 },
};

static struct fb_var_screeninfo var;
static struct fb_fix_screeninfo fix;

static void set_mode(uint32_t fb, uint32_t width, uint32_t bits)
{
	for (uint32_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (modes[i].xres == width)
			var = modes[i];
	}
	var.xres_virtual = var.xres;
	var.yres_virtual = var.yres + PANNED;
	var.bits_per_pixel = bits;
	if (bits == 16) { /* there is 5:5:5, too */
		var.red = (struct fb_bitfield){ .offset = 11, .length = 5 };
		var.green = (struct fb_bitfield){ .offset = 5, .length = 6 };
		var.blue = (struct fb_bitfield){ .length = 5 };
	}
	var.activate = FB_ACTIVATE_NOW | FB_ACTIVATE_FORCE;
	must(syscall3(SYS_ioctl, fb, FBIOPUT_VSCREENINFO, (uint32_t)&var), "set the mode");
	must(syscall3(SYS_ioctl, fb, FBIOGET_VSCREENINFO, (uint32_t)&var), "read the mode");
	must(syscall3(SYS_ioctl, fb, FBIOGET_FSCREENINFO, (uint32_t)&fix), "read what is fixed");
	must(var.xres == width && var.bits_per_pixel == bits ? 0 : -1, "another mode was set");
	must(bits != 16 || var.green.length == 6 ? 0 : -1, "16 bits are not 5:6:5");
}

static void set_palette(uint32_t fb)
{
	static uint16_t red[256], green[256], blue[256];
	struct fb_cmap map = { .len = 256, .red = red, .green = green, .blue = blue };

	for (uint32_t i = 0; i < 256; i++) {
		red[i] = palette_red(i);
		green[i] = palette_green(i);
		blue[i] = palette_blue(i);
	}
	must(syscall3(SYS_ioctl, fb, FBIOPUTCMAP, (uint32_t)&map), "set the palette");
}

static void draw(uint8_t *memory, uint32_t number)
{
	for (uint32_t y = 0; y < var.yres; y++)
		draw_line(memory + (y + PANNED) * fix.line_length, var.xres, y, var.bits_per_pixel,
			  number);
}

void start(uint32_t *stack)
{
	char **arguments = arguments_of(stack, 3, "give WIDTH BITS NUMBER");
	uint32_t map[6] = { 0, 0, PROT_READ_WRITE, MAP_SHARED, 0, 0 };
	int fb = syscall3(SYS_open, (uint32_t) "/dev/fb0", O_RDWR, 0), tty, memory;

	must(fb, "open /dev/fb0");
	/* The console draws no more. */
	tty = syscall3(SYS_open, (uint32_t) "/dev/tty0", O_RDWR, 0);
	must(tty, "open /dev/tty0");
	must(syscall3(SYS_ioctl, (uint32_t)tty, KDSETMODE, KD_GRAPHICS), "take the console");
	set_mode((uint32_t)fb, number_of(arguments[0]), number_of(arguments[1]));
	if (var.bits_per_pixel == 8)
		set_palette((uint32_t)fb);
	map[1] = fix.smem_len;
	map[4] = (uint32_t)fb;
	memory = syscall3(SYS_mmap, (uint32_t)map, 0, 0);
	must(memory, "map the memory");
	draw((uint8_t *)memory, number_of(arguments[2]));
	var.yoffset = PANNED;
	must(syscall3(SYS_ioctl, (uint32_t)fb, FBIOPAN_DISPLAY, (uint32_t)&var), "pan");
	print("fb_picture: drawn on ");
	print(fix.id);
	print("\n");
	finish(0);
}
